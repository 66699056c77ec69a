//! What a sheet does with scores that a signer cannot sign for: it leaves out one that counts, or enters what is not its member's record.
//!
//! A sheet tells which scores there are, and nobody can tell from it alone that one was left out: whoever knows that one does not sign.
//! That stops no epoch: what counts against a sheet was known here before its attempt started, so an honest proposer, who asks every peer
//! after that, has it too. A score that comes later counts against none. What a proposer cannot enter waits for the next epoch.
//!
//! Who signed two scores of one record said nothing, and both are shown with it: no sheet is refused for a score that its signer took back
//! elsewhere, whenever that came to light.

use rochdale_api::Problem;
use rochdale_chain::state::{Contribution, Cooperative};
use rochdale_core::ids::ContributionId;

use super::Scores;
use crate::inputs::Gathered;
use crate::scoring::{agree, counting, message, said_two, scorers};
use crate::steward::{Mirror, Steward};
use crate::store::ScoreRow;

impl Steward {
    /// The scores here that hold at a cut: those of whoever held their seats then, known here before `time`, in seconds of block time. As in
    /// a sheet, they do not tell when they became known.
    async fn scores_at(&self, at_cut: &Cooperative, time: u64) -> Result<Scores, Problem> {
        let mut scores = Scores::new();
        for row in self.store.scores_after(ContributionId(0)).await?.iter().filter(|row| row.kept_at < time) {
            if at_cut.steward_id(row.signer).is_some()
                && let Ok(verified) = self.verify_score(at_cut, &message(row))
            {
                scores.entry(row.contribution).or_default().push(verified);
            }
        }
        Ok(scores)
    }

    /// The scores for a sheet of our own: of the records that are here. Of who erased everything since the cut none is, and peers could not
    /// bring together any more what each of them knows.
    pub(super) async fn scores_to_enter(&self, at_cut: &Cooperative) -> Result<Scores, Problem> {
        let mut held = Scores::new();
        for (id, rows) in self.scores_at(at_cut, u64::MAX).await? {
            let contribution = at_cut.contributions.get(&id);
            if let Some(contribution) = contribution
                && self.record_of(contribution).await?.is_some()
            {
                held.insert(id, rows);
            }
        }
        Ok(held)
    }

    /// The lines against a sheet with these scores, whose attempt started at `start`.
    pub(super) async fn scores_withheld(
        &self,
        mirror: &Mirror,
        at_cut: &Cooperative,
        gathered: &Gathered,
        said: &Scores,
        start: u64,
    ) -> Result<Vec<String>, Problem> {
        let ours = self.scores_at(at_cut, start).await?;
        let known = |id: &ContributionId| ours.get(id).map_or(&[][..], Vec::as_slice);
        let mut lines = Vec::new();
        for id in gathered.entered.iter().map(|row| row.contribution) {
            let Some(contribution) = at_cut.contributions.get(&id) else { continue };
            if !self.may_enter(mirror, contribution).await? {
                lines.push(format!("contribution {id} is not a record of member {} here", contribution.member));
            }
            let said = said.get(&id).map_or(&[][..], Vec::as_slice);
            let all = together(said, known(&id));
            let twofold = contradictions(&all).filter(|row| {
                said.iter().any(|one| one.signer == row.signer) && !said_two(said, row.signer) && !said.contains(row)
            });
            lines.extend(twofold.map(|row| format!("contribution {id}: another score of {} is here", row.signer)));
            let counted = counting(&scorers(at_cut, contribution), &all, &self.times(contribution, start));
            let left_out = counted.iter().filter(|row| !said.iter().any(|one| one.signer == row.signer));
            lines.extend(left_out.map(|row| format!("contribution {id}: the score of {} is here", row.signer)));
        }
        for id in &gathered.deferred {
            let Some(contribution) = at_cut.contributions.get(id) else { continue };
            if !self.can_be_had(mirror, contribution).await? {
                continue;
            }
            let (order, times) = (scorers(at_cut, contribution), self.times(contribution, start));
            let all = self.store.scores_of(*id).await?;
            let known: Vec<ScoreRow> = known(id).iter().filter(|row| !said_two(&all, row.signer)).cloned().collect();
            if agree(&order, &known, &times).is_some() {
                lines.push(format!("contribution {id} has an agreed score here"));
            }
        }
        Ok(lines)
    }

    /// Whether an honest proposer has a contribution's record, or can take it from us: nobody can what was erased since the cut.
    async fn can_be_had(&self, mirror: &Mirror, contribution: &Contribution) -> Result<bool, Problem> {
        Ok(self.record_of(contribution).await?.is_some() && !is_erased(mirror, contribution))
    }

    /// Whether a contribution's record is, or was until it was erased since the cut, its member's own.
    async fn may_enter(&self, mirror: &Mirror, contribution: &Contribution) -> Result<bool, Problem> {
        if self.record_of(contribution).await?.is_some() {
            return Ok(true);
        }
        // Scores are kept of held records alone, and outlive those until the epoch is settled.
        Ok(is_erased(mirror, contribution) && !self.store.scores_of(contribution.id).await?.is_empty())
    }
}

fn is_erased(mirror: &Mirror, contribution: &Contribution) -> bool {
    mirror.latest.contributions.get(&contribution.id).is_none_or(|now| now.erased)
}

/// What the sheet says, and what is known besides.
fn together(said: &[ScoreRow], known: &[ScoreRow]) -> Vec<ScoreRow> {
    let besides = known.iter().filter(|row| !said.contains(row));
    said.iter().chain(besides).cloned().collect()
}

/// The scores of who signed two of one record.
pub(super) fn contradictions(scores: &[ScoreRow]) -> impl Iterator<Item = &ScoreRow> {
    scores.iter().filter(|row| said_two(scores, row.signer))
}
