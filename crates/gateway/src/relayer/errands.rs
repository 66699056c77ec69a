//! What members' errands may cost: admissions, consents, contributions, accounts, payout addresses, demands and contests.
//!
//! A day has a budget of gas for each member and one for all of them, so that neither one member nor many empty the account that also
//! pays for what stewards and workers send. Those have no budget here: proposals, answers to demands, debits, receipts and sealing keys are
//! signed by who is in office, and the cooperative stands still without them. Two kinds of errands are counted and never refused for what
//! others spent: a denial, which must always go through, and a demand or a contest, which a false root must not outlast.

use alloy::primitives::Address;
use alloy::providers::Provider as _;
use alloy::sol_types::SolCall;
use rochdale_api::member::Mined;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::SendError;
use rochdale_core::ids::MemberId;

use super::{DAY, Done, Relayer};

/// Whose errand somebody's is who is no member yet.
pub(super) const NEWCOMER: MemberId = MemberId(0);

/// Gas of the last day's errands.
#[derive(Clone, Copy, Debug)]
struct Spent {
    /// Of all members.
    all: u64,
    /// Of one.
    own: u64,
}

impl Relayer {
    /// Whether the cooperative pays for one more errand of a member.
    ///
    /// # Errors
    /// A problem where the member's gas of the day, or that of all members, is used up.
    pub async fn may_spend(&self, member: MemberId) -> Result<(), Problem> {
        let spent = self.spent(member).await?;
        within("members' requests together", spent.all, self.gas.members_per_day)?;
        self.may_spend_own(member).await
    }

    /// As [`Self::may_spend`], whatever other members spent.
    pub(super) async fn may_spend_own(&self, member: MemberId) -> Result<(), Problem> {
        if member == NEWCOMER {
            return Ok(());
        }
        let spent = self.spent(member).await?;
        within(&format!("requests of member {member}"), spent.own, self.gas.per_member_per_day)
    }

    async fn spent(&self, member: MemberId) -> Result<Spent, Problem> {
        let since = self.block_time().saturating_sub(DAY);
        let (all, own) = (self.store.errands_since(since, None), self.store.errands_since(since, Some(member)));
        Ok(Spent { all: all.await?, own: own.await? })
    }

    /// Gas that members' requests and claims cost in the last day, and what they may cost.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn gas_of_the_day(&self) -> Result<(u64, u64), Problem> {
        let errands = self.spent(NEWCOMER).await?.all;
        let (claims, allowed) = self.house.spent(&self.store, self.block_time()).await?;
        Ok((errands.saturating_add(claims), self.gas.members_per_day.saturating_add(allowed)))
    }

    /// What the operator should know, where the day's gas for members comes to its end.
    pub(super) async fn errands_alarm(&self) -> Option<String> {
        let (spent, allowed) = match self.spent(NEWCOMER).await {
            Ok(spent) => (spent.all, self.gas.members_per_day),
            Err(problem) => return Some(problem.detail),
        };
        (spent >= allowed / 5 * 4).then(|| {
            format!(
                "members' requests cost {spent} of {allowed} gas a day: further ones wait; see who asks, or raise [gas] members_per_day"
            )
        })
    }

    /// Sends what members asked for, and shares the gas among them, also where it was mined and took no effect.
    pub(super) async fn errand<C: SolCall>(
        &self,
        kind: &'static str,
        members: &[MemberId],
        to: Address,
        call: &C,
    ) -> Result<Done, SendError> {
        let sent = self.send(kind, members.len(), to, call).await;
        match &sent {
            Ok(done) => self.note_errand(members, &done.mined).await,
            Err(SendError::Reverted { transaction, .. }) => {
                let receipt = self.chain().provider().get_transaction_receipt(*transaction).await;
                if let Ok(Some(receipt)) = receipt {
                    let (tx, block) = (*transaction, receipt.block_number.unwrap_or_default());
                    self.note_errand(members, &Mined { tx, block, gas_used: receipt.gas_used }).await;
                }
            }
            Err(_) => {}
        }
        sent
    }

    async fn note_errand(&self, members: &[MemberId], mined: &Mined) {
        if let Err(error) = self.store.log_errand(members, mined, self.block_time()).await {
            // It is mined; the day's sum alone misses it.
            tracing::error!(%error, "an errand could not be noted");
        }
    }

    /// The time of the newest block that the index has, Unix seconds.
    pub(super) fn block_time(&self) -> u64 {
        self.index.standing().progress.map_or(0, |progress| progress.head.latest.timestamp)
    }
}

fn within(whose: &str, spent: u64, allowed: u64) -> Result<(), Problem> {
    if spent < allowed {
        return Ok(());
    }
    let detail = format!("{whose} cost {spent} gas in the last day, {allowed} is what the cooperative pays for");
    let hint = "ask again later, or send the same signed statement to the contract from any account that pays its own gas: that has no limit";
    Err(Problem::new(ProblemCode::TooManyRequests, detail).hint(hint))
}
