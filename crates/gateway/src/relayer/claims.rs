//! Pays members what the last final root owes them: leaves and paths come from a steward, the contract checks them.

use rochdale_api::member::{ClaimLeaf, Claimed, Paid};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::bindings::{self, SettlementLedger};
use rochdale_chain::client::SendError;
use rochdale_chain::events::Event;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{self, Amounts};

use super::{Done, Relayer};
use crate::directory::Directory;
use crate::forward::Forward;
use crate::problems;

/// Claims in one transaction: what a block's gas allows with room to spare.
const MAX_CLAIMS: usize = 100;

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
        let found = self.chain().view(self.manifest.addresses.settlement_ledger, &view).await;
        let epoch = Epoch(found.map_err(|e| problems::chain(&e))?.epoch);
        if epoch == Epoch(0) {
            return Err(Problem::new(ProblemCode::NotEnough, "no epoch is final yet")
                .hint("an epoch is final a window after its proposal; see /v1/epochs/1"));
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
            match self.pay(epoch, leaves, &mut claimed).await {
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

    async fn pay(&self, epoch: Epoch, leaves: Vec<ClaimLeaf>, claimed: &mut Claimed) -> Result<(), Problem> {
        let now = self.now().await?;
        let served = self.served(epoch).await?;
        let state = self.index.fresh().await?;
        let (end, length) = (self.manifest.schedule().end(epoch), self.manifest.ledger.epoch_length);
        let mut later = Vec::new();
        let mut owed = |leaf: &ClaimLeaf| {
            let paid = state.read(|s| s.claimed.get(&leaf.member_id).copied().unwrap_or_default());
            let paid = ledger::Claimed { cash: paid.cash.0, data: paid.data.0, gov: paid.gov.0 };
            let shown = Amounts { cash: leaf.cash, stream: leaf.stream, data: leaf.data, gov: leaf.gov };
            let due = ledger::due(&shown, &paid, now, end, length);
            if due == ledger::Due::default() {
                return false;
            }
            let now_is_the_time = self.house.is_worth(&due) && !served.contains(&leaf.member_id);
            if !now_is_the_time {
                later.push(leaf.member_id);
            }
            now_is_the_time
        };
        let due: Vec<ClaimLeaf> = leaves.into_iter().filter(|leaf| owed(leaf)).collect();
        claimed.later = later;
        for some in due.chunks(MAX_CLAIMS) {
            self.within_the_day(now).await?;
            let done = self.send_claims(some).await.map_err(|e| problems::send(&e))?;
            let members: Vec<MemberId> = some.iter().map(|leaf| leaf.member_id).collect();
            self.store.claim_on_the_house(epoch, &members).await?;
            note(&done, claimed);
        }
        Ok(())
    }

    async fn send_claims(&self, leaves: &[ClaimLeaf]) -> Result<Done, SendError> {
        let ledger = self.manifest.addresses.settlement_ledger;
        let claim = |leaf: &ClaimLeaf| bindings::claim(leaf.member_id, &leaf.amounts(), leaf.private_hash);
        if let [leaf] = leaves {
            let call = SettlementLedger::claimCall { c: claim(leaf), proof: leaf.proof.clone() };
            return self.send("claim", 1, ledger, &call).await;
        }
        let proofs = leaves.iter().map(|leaf| leaf.proof.clone()).collect();
        let call = SettlementLedger::claimManyCall { claims: leaves.iter().map(claim).collect(), proofs };
        self.send("claim_many", leaves.len(), ledger, &call).await
    }
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
