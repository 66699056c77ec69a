//! Pays members what the last final root owes them: leaves and paths come from a steward, the contract checks them.

use std::collections::BTreeMap;

use rochdale_api::member::{ClaimLeaf, Claimed, Paid};
use rochdale_api::route::gateway;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::bindings::{self, SettlementClaims, SettlementLedger};
use rochdale_chain::client::SendError;
use rochdale_chain::events::Event;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{self, ClaimRange};

use super::{Done, Relayer};
use crate::directory::Directory;
use crate::forward::Forward;
use crate::problems;

/// Leaves in one transaction: what a block's gas allows with room to spare.
const MAX_LEAVES: usize = 128;
/// The highest subtree that is claimed as one range: it has that many leaves.
const HIGHEST: u8 = 7;

impl Relayer {
    /// Has `members` paid, everyone in the tree where the list is empty. Who is owed nothing, or not enough yet, or was
    /// paid for this epoch already is passed over. One call follows the other: what one pays the next sees as paid.
    ///
    /// # Errors
    /// A problem where no root is final yet, no steward has the leaves, or the contract refuses them.
    pub(super) async fn claim(
        &self,
        members: &[MemberId],
        forward: &Forward,
        directory: &Directory,
    ) -> Result<Claimed, Problem> {
        let view = SettlementLedger::finalEpochCall {};
        let found = self.chain().view(self.manifest.addresses.settlement_ledger, &view);
        let (found, head) = tokio::join!(found, self.index.fresh_head());
        let (epoch, now) = (Epoch(found.map_err(|e| problems::chain(&e))?.epoch), head?.latest.timestamp);
        if epoch == Epoch(0) {
            return Err(Problem::new(ProblemCode::NotEnough, "no epoch is final yet")
                .hint(format!("an epoch is final a window after its proposal; see {}", gateway::EPOCH.at(1).path)));
        }
        let mut claimed = Claimed { epoch, ..Claimed::default() };
        let mut last = Problem::new(ProblemCode::PeerUnavailable, "no steward is configured");
        for steward in directory.best_first() {
            let leaves = match forward.leaves(&steward, epoch, members).await {
                Ok(leaves) => leaves,
                Err(problem) => {
                    last = problem;
                    continue;
                }
            };
            match self.pay((epoch, now), leaves, &mut claimed).await {
                // A steward that gives wrong leaves holds nobody's money up while another gives the right ones.
                Err(problem) if problem.code == ProblemCode::ChainRefused => {
                    tracing::warn!(steward = %steward.steward, %problem, "a steward's leaves are refused");
                    last = problem;
                }
                Err(problem) => return Err(problem),
                Ok(()) => return Ok(claimed),
            }
        }
        Err(last)
    }

    async fn pay(
        &self,
        (epoch, now): (Epoch, u64),
        leaves: Vec<ClaimLeaf>,
        claimed: &mut Claimed,
    ) -> Result<(), Problem> {
        let served = self.served(epoch).await?;
        let state = self.index.state();
        let (end, length) = (self.manifest.schedule().end(epoch), self.manifest.ledger.epoch_length);
        let dues: BTreeMap<MemberId, ledger::Due> = leaves
            .iter()
            .map(|leaf| {
                let paid = state.read(|s| s.claimed.get(&leaf.member_id).copied().unwrap_or_default());
                let paid = ledger::Claimed { cash: paid.cash.0, data: paid.data.0, gov: paid.gov.0 };
                (leaf.member_id, ledger::due(&leaf.amounts(), &paid, now, end, length))
            })
            .filter(|(_, due)| *due != ledger::Due::default())
            .collect();
        let (wanted, later): (Vec<MemberId>, Vec<MemberId>) =
            dues.keys().partition(|member| self.house.is_worth(&dues[*member]) && !served.contains(*member));
        claimed.later = later;
        let batch = Batch::new(&leaves, self.manifest.tree_depth);
        // Who is due something that is not for now stays out of every range, or it would be paid along.
        let ranges = batch.ranges(&wanted, |member| !dues.contains_key(&member));
        for some in transactions(&ranges) {
            self.within_the_day(now).await?;
            let members: Vec<MemberId> =
                some.iter().flat_map(|range| range.ids()).filter(|id| wanted.binary_search(id).is_ok()).collect();
            let done = self.send_claims(&batch, some, &members).await.map_err(|e| problems::send(&e))?;
            self.store.claim_on_the_house(epoch, &members).await?;
            note(&done, claimed);
        }
        Ok(())
    }

    async fn send_claims(
        &self,
        batch: &Batch<'_>,
        ranges: &[ClaimRange],
        members: &[MemberId],
    ) -> Result<Done, SendError> {
        let ledger = self.manifest.addresses.settlement_ledger;
        if let ([member], [_]) = (members, ranges)
            && let Some(leaf) = batch.leaves.get(member)
        {
            let c = bindings::claim(leaf.member_id, &leaf.amounts(), leaf.private_hash);
            let call = SettlementLedger::claimCall { c, proof: leaf.proof.clone() };
            return self.send("claim", 1, ledger, &call).await;
        }
        let call = SettlementLedger::claimManyCall { ranges: ranges.iter().map(|range| batch.range(*range)).collect() };
        self.send("claim_many", members.len(), ledger, &call).await
    }
}

/// Leaves that a steward gave, by whom they are of.
struct Batch<'a> {
    leaves: BTreeMap<MemberId, &'a ClaimLeaf>,
    depth: u8,
}

impl<'a> Batch<'a> {
    fn new(leaves: &'a [ClaimLeaf], depth: u8) -> Self {
        Self { leaves: leaves.iter().map(|leaf| (leaf.member_id, leaf)).collect(), depth }
    }

    /// How `wanted` are paid. An id whose leaf is unknown has to stay out, but for 0, which nobody has.
    fn ranges(&self, wanted: &[MemberId], owed_nothing: impl Fn(MemberId) -> bool) -> Vec<ClaimRange> {
        let fill = |id: MemberId| id == MemberId(0) || (self.leaves.contains_key(&id) && owed_nothing(id));
        ledger::claim_ranges(wanted, fill, self.depth, HIGHEST)
    }

    /// As the contract takes it. Everybody in a range has the same way up from its subtree.
    fn range(&self, range: ClaimRange) -> SettlementClaims::Range {
        let leaf = |id| self.leaves.get(&id).map(|leaf| (leaf.amounts(), leaf.private_hash));
        let path = range.ids().find_map(|id| self.leaves.get(&id)).map_or(&[][..], |leaf| &leaf.proof);
        bindings::claim_range(range, leaf, path)
    }
}

/// Ranges in their order, as many at a time as one transaction takes.
fn transactions(ranges: &[ClaimRange]) -> Vec<&[ClaimRange]> {
    let mut transactions = Vec::new();
    let (mut from, mut leaves) = (0, 0);
    for (at, range) in ranges.iter().enumerate() {
        let more = 1 << range.height;
        if leaves + more > MAX_LEAVES {
            transactions.push(&ranges[from..at]);
            (from, leaves) = (at, 0);
        }
        leaves += more;
    }
    transactions.extend((from < ranges.len()).then(|| &ranges[from..]));
    transactions
}

fn note(done: &Done, claimed: &mut Claimed) {
    for located in &done.events {
        match located.event {
            Event::Claimed { member, payout, cash, data, gov } => {
                claimed.paid.push(Paid { member_id: member, payout, cash: cash.0, data: data.0, gov: gov.0 });
            }
            Event::ClaimSkipped { member } => claimed.skipped.push(member),
            _ => {}
        }
    }
    claimed.mined.push(done.mined.clone());
}

#[cfg(test)]
mod tests {

    use alloy::primitives::B256;

    use super::*;

    #[test]
    fn a_transaction_takes_ranges_up_to_its_leaves() {
        let ranges = |heights: &[u8]| heights.iter().map(|h| ClaimRange { first: 0, height: *h }).collect::<Vec<_>>();
        let sizes = |heights: &[u8]| transactions(&ranges(heights)).iter().map(|some| some.len()).collect::<Vec<_>>();
        assert!(sizes(&[]).is_empty());
        assert_eq!(sizes(&[7, 7, 0]), [1, 1, 1]);
        assert_eq!(sizes(&[6, 5, 5, 0]), [3, 1]);
        assert_eq!(sizes(&[0; 130]), [128, 2]);
    }

    #[test]
    fn an_unknown_leaf_stays_out_of_a_range() {
        let leaf = |id| ClaimLeaf {
            member_id: MemberId(id),
            cash: 1,
            stream: 2,
            data: 3,
            gov: 4,
            private_hash: [u8::try_from(id).unwrap(); 32].into(),
            proof: (0..20).map(|level| [level; 32].into()).collect(),
        };
        let leaves: Vec<ClaimLeaf> = [1, 2, 3, 4].map(leaf).into();
        let batch = Batch::new(&leaves, 20);
        let whole = batch.ranges(&[MemberId(1), MemberId(3)], |_| true);
        assert_eq!(whole, [ClaimRange { first: 0, height: 2 }]);
        let sent = batch.range(whole[0]);
        assert_eq!((sent.first, sent.leaves.len(), sent.siblings.len()), (0, 4, 18));
        assert_eq!((sent.leaves[0].privateHash, sent.leaves[0].cash), (B256::ZERO, 0), "nobody has id 0");
        assert_eq!((sent.leaves[2].privateHash, sent.leaves[2].gov), (B256::repeat_byte(2), 4));
        assert_eq!(sent.siblings[0], B256::repeat_byte(2));
        let apart = batch.ranges(&[MemberId(1), MemberId(3)], |id| id != MemberId(2));
        assert_eq!(apart.len(), 2, "member 2 has a claim of its own");
        assert_eq!(batch.ranges(&[MemberId(4)], |_| true), [ClaimRange { first: 4, height: 0 }]);
    }
}
