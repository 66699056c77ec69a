//! What somebody has to do by hand, and until when. A steward sends no transactions: its health page says so while there
//! is time, with the command to type.

use rochdale_api::Problem;
use rochdale_chain::state::FROZEN;
use rochdale_core::ids::{Epoch, StewardId};
use rochdale_core::ledger::{Global, Header};

use super::DUTY;
use crate::steward::{Mirror, Steward};

/// How close to its deadline an answer is when somebody else had better carry it, in seconds: half of the time for it.
const ANSWER_IS_LATE: u64 = 12 * 3_600;

impl Steward {
    /// What an operator has to do now.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn alarms(&self, mirror: &Mirror, seat: StewardId) -> Result<Vec<String>, Problem> {
        let mut alarms = Vec::new();
        alarms.extend(self.root_alarm(mirror, seat).await?);
        for demand in mirror.latest.open_demands(mirror.now()) {
            let row = self.store.epoch::<Header, Global>(demand.epoch).await?;
            let held = row.is_some_and(|row| row.header.attempt == demand.attempt);
            if held && demand.answer_by - mirror.now() <= ANSWER_IS_LATE {
                alarms.push(format!(
                    "the {} that member {} demands of epoch {}, attempt {}, is not published: carry the answer before {}: \
                     `rochdale dispute answer --member {}`",
                    demand.kind, demand.member, demand.epoch, demand.attempt, demand.answer_by, demand.member
                ));
            }
        }
        Ok(alarms)
    }

    /// About a root that is false, that nobody let this steward check in half of its window, or that is final and not taken over here.
    async fn root_alarm(&self, mirror: &Mirror, seat: StewardId) -> Result<Option<String>, Problem> {
        let epoch = Epoch(self.store.settled().await?.0 + 1);
        let Some(pending) = mirror.latest.proposals.get(&epoch) else { return Ok(None) };
        let (attempt, until) = (pending.header.attempt, pending.final_at);
        if until <= mirror.now() {
            let is_late = until + u64::from(self.manifest.settlement.attempt_length) <= mirror.now();
            let lacks = self.settlement_status().await?.waiting_for.unwrap_or_else(|| "it is worked on".to_owned());
            return Ok(
                is_late.then(|| format!("epoch {epoch} is final since {until} and not taken over here: {lacks}"))
            );
        }
        let false_root = self.store.halted(DUTY).await?.is_some_and(|halt| halt.cause == Some((epoch, attempt)));
        if until == FROZEN {
            let waits = format!(
                "a steward objected to the false root of epoch {epoch}, attempt {attempt}: the member house decides"
            );
            return Ok(false_root.then_some(waits));
        }
        let half = pending.proposed.time.midpoint(until);
        let what = if false_root {
            "is false"
        } else if mirror.now() >= half {
            "could not be checked; unless that changes"
        } else {
            return Ok(None);
        };
        Ok(Some(format!(
            "the root of epoch {epoch}, attempt {attempt}, {what}, object before {until}: \
             `rochdale dispute object --steward {seat} --epoch {epoch} --attempt {attempt}`"
        )))
    }
}
