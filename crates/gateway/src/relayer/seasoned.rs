//! Counts the GOV of members whose first 30 days are over.
//!
//! GovToken gives units to who is seasoned when an account is next touched. Whoever claimed before and touches nothing
//! since would have no vote: anyone may call `sync`, and this does. The chain is the memory: what has units, or nothing to
//! count, needs nothing, however often it is looked at. The contract takes one account a call, so a few transactions are
//! sent side by side.

use rochdale_node::metrics;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use alloy::eips::BlockId;
use alloy::primitives::{Address, U256};
use rochdale_api::Problem;
use rochdale_chain::bindings::{GovToken, Membership};
use rochdale_chain::client::ChainError;
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::MemberId;
use tokio::task::JoinSet;

use super::Relayer;
use crate::problems;

/// Members that one look asks the chain about.
const MAX_LOOKS: usize = 100;
/// Seconds of final block time after which is looked again, however soon they have passed.
const LEAP: u64 = 3_600;
/// Transactions that one look sends.
const MAX_SENT: usize = 10;

/// Active members who were seasoned by a time and are not settled yet, by id; `seasoning` and times in seconds.
fn due(state: &Cooperative, settled: &BTreeSet<MemberId>, at: u64, seasoning: u64) -> Vec<(MemberId, Address)> {
    let members = state.members.iter().filter(|(id, member)| {
        member.is_active() && !settled.contains(id) && member.joined.time.saturating_add(seasoning) <= at
    });
    members.map(|(id, member)| (*id, member.account)).take(MAX_LOOKS).collect()
}

impl Relayer {
    /// Looks again and again until `stop` resolves. What fails is logged and looked at again.
    pub async fn keep_syncing(self: Arc<Self>, every: Duration, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        // Only spares questions: a new process asks once more about everybody.
        let mut settled = BTreeSet::new();
        let mut looked = 0;
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(every) => {}
                // On a local chain weeks pass in a moment.
                () = self.index.final_since(looked + LEAP) => {}
            }
            looked = self.index.standing().progress.map_or(looked, |progress| progress.head.finalized.timestamp);
            // A transaction that is on its way is waited for, also while stopping.
            if let Err(problem) = metrics::duty("sync_seasoned", self.sync_seasoned(&mut settled)).await {
                tracing::warn!(%problem, "the GOV of seasoned members waits to be counted");
            }
        }
    }

    /// Counts the GOV of those who need it, a few at a time; returns how many.
    async fn sync_seasoned(self: &Arc<Self>, settled: &mut BTreeSet<MemberId>) -> Result<usize, Problem> {
        let chain = |e: ChainError| problems::chain(&e);
        let head = self.chain().head().await.map_err(chain)?;
        let seasoning = self.chain().view(self.manifest.addresses.membership, &Membership::SEASONINGCall {}).await;
        let seasoning = seasoning.map_err(chain)?.to::<u64>();
        let due = self.index.fresh().await?.read(|state| due(state, settled, head.finalized.timestamp, seasoning));
        let mut waiting = Vec::new();
        for (member, account) in due {
            if self.needs(account, BlockId::latest()).await.map_err(chain)? {
                waiting.push(account);
            } else if !self.needs(account, BlockId::hash(head.finalized.hash)).await.map_err(chain)? {
                // Nothing to count, or counted in a block that stays: later claims and locks count by themselves.
                settled.insert(member);
            }
        }
        waiting.truncate(MAX_SENT);
        let mut sending = JoinSet::new();
        for account in waiting {
            let relayer = Arc::clone(self);
            sending.spawn(async move {
                let token = relayer.manifest.addresses.gov_token;
                relayer.send("sync", 1, token, &GovToken::syncCall { account }).await
            });
        }
        let mut counted = 0;
        while let Some(sent) = sending.join_next().await {
            match sent {
                Ok(Ok(_)) => counted += 1,
                Ok(Err(error)) => tracing::warn!(%error, "GOV could not be counted, trying again"),
                Err(error) => tracing::error!(%error, "counting GOV ended early"),
            }
        }
        Ok(counted)
    }

    /// Whether an account of a seasoned member has GOV that votes once it is counted, and is not counted, as of a block.
    async fn needs(&self, account: Address, at: BlockId) -> Result<bool, ChainError> {
        let (chain, token) = (self.chain(), self.manifest.addresses.gov_token);
        if !chain.view_at(token, &GovToken::unitsOfCall { account }, at).await?.is_zero() {
            return Ok(false);
        }
        let locked: U256 = chain.view_at(token, &GovToken::lockedOfCall { account }, at).await?;
        if !locked.is_zero() {
            return Ok(true);
        }
        let earned: U256 = chain.view_at(token, &GovToken::earnedOfCall { account }, at).await?;
        let balance: U256 = chain.view_at(token, &GovToken::balanceOfCall { account }, at).await?;
        Ok(!earned.min(balance).is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use rochdale_chain::events::{Event, Located};

    fn at(timestamp: u64, event: Event) -> Located {
        let (block_hash, transaction) = Default::default();
        Located { block_number: 1, block_hash, timestamp, log_index: 0, transaction, event }
    }

    fn joined(member: u32, time: u64) -> Located {
        let account = Address::left_padding_from(&member.to_be_bytes());
        let (member, row_key_digest, nullifier) = (MemberId(member), B256::ZERO, B256::ZERO);
        at(time, Event::Joined { member, account, payout: account, nullifier, row_key_digest })
    }

    #[test]
    fn who_is_seasoned_active_and_not_settled_is_looked_at() {
        let mut events = vec![joined(1, 100), joined(2, 101), joined(3, 100), joined(4, 90)];
        events.push(at(105, Event::Ended { member: MemberId(3) }));
        let state = Cooperative::fold(&events);
        let ids =
            |at| due(&state, &BTreeSet::from([MemberId(4)]), at, 30).iter().map(|(id, _)| id.0).collect::<Vec<_>>();
        assert_eq!(ids(129), [0u32; 0]);
        assert_eq!(ids(130), [1]);
        assert_eq!(ids(u64::MAX), [1, 2]);
    }

    #[test]
    fn one_look_is_bounded_and_the_next_goes_on() {
        let events: Vec<Located> = (1..=MAX_LOOKS as u32 + 5).map(|member| joined(member, 1)).collect();
        let state = Cooperative::fold(&events);
        let first = due(&state, &BTreeSet::new(), 100, 30);
        assert_eq!(first.len(), MAX_LOOKS);
        let settled = first.into_iter().map(|(id, _)| id).collect();
        assert_eq!(due(&state, &settled, 100, 30).len(), 5);
    }
}
