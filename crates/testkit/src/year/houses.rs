//! The houses: proposals from draft to execution, with the votes of members who come.

use alloy::primitives::Address;
use anyhow::{Context as _, Result, ensure};
use rand::RngExt as _;
use rochdale_chain::gov::{CallSpec, CharterCalls, Draft, Motion, Proposal, Status, Support, proposals};

use super::Year;

/// Of the members with a vote, how many in a hundred come.
const TURNOUT_PERCENT: u32 = 45;

/// A call of a draft, by names.
pub(super) fn call(contract: &str, function: &str, args: &[(&str, serde_json::Value)]) -> CallSpec {
    CallSpec {
        contract: contract.to_owned(),
        function: function.to_owned(),
        args: args.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        value: 0,
    }
}

impl Year {
    /// Puts a draft before its house, or both, lets members vote, and executes what passed. Returns whether it did.
    pub(super) async fn decide(&mut self, why: &str, calls: Vec<CallSpec>, support: Support) -> Result<bool> {
        let draft = Draft { why: why.to_owned(), calls };
        let motions = draft.motions(&self.coop.chain, &self.coop.manifest, CharterCalls::salt(why)).await?;
        let mut standing = Vec::new();
        for motion in &motions {
            standing.push(self.propose_motion(motion).await?);
        }
        self.vote(&standing, support).await?;
        let mut passed = true;
        for proposal in &standing {
            passed &= self.carry_out(proposal).await?;
        }
        if let Some(charter) = standing[0].charter_calls(&self.coop.manifest).filter(|_| passed) {
            charter.execute(&self.coop.relayer, &self.coop.manifest).await?;
            self.tally.count("execute a charter change", self.coop.relayer.address());
        }
        Ok(passed)
    }

    async fn propose_motion(&mut self, motion: &Motion) -> Result<Proposal> {
        let proposer = self.voters().first().cloned().context("nobody has a vote yet")?;
        let sender = self.sender(&proposer).await?;
        motion.propose(&sender, &self.coop.manifest).await?;
        self.tally.count("propose to a house", sender.address());
        let all = proposals(&self.coop.chain, &self.coop.manifest).await?;
        all.into_iter().find(|proposal| proposal.id == motion.id()).context("the proposal is not on the chain")
    }

    /// Opens the votes, and lets each member who comes vote.
    async fn vote(&mut self, standing: &[Proposal], support: Support) -> Result<()> {
        let mut opens = 0;
        for proposal in standing {
            opens = opens.max(proposal.view(&self.coop.chain, &self.coop.manifest).await?.opens_at);
        }
        self.reach(opens + 1).await?;
        let voters = self.voters();
        for (place, key) in voters.into_iter().enumerate() {
            // The proposer comes; of the others some.
            if place > 0 && !self.rng.random_ratio(TURNOUT_PERCENT, 100) {
                continue;
            }
            let dissent = place > 0 && self.rng.random_ratio(1, 8);
            let said = if dissent { Support::Against } else { support };
            for proposal in standing {
                if self.votes(proposal, key.address()).await? {
                    let sender = self.sender(&key).await?;
                    proposal.vote(&sender, &self.coop.manifest, said).await?;
                    self.tally.count("vote", key.address());
                }
            }
        }
        Ok(())
    }

    /// Whether an account has votes at the proposal's snapshot.
    async fn votes(&self, proposal: &Proposal, account: Address) -> Result<bool> {
        use rochdale_chain::bindings::CoopGovernor;
        let governor = proposal.house.governor(&self.coop.manifest);
        let at = proposal.view(&self.coop.chain, &self.coop.manifest).await?.opens_at;
        let asked = CoopGovernor::getVotesCall { account, timepoint: alloy::primitives::U256::from(at) };
        Ok(!self.coop.chain.view(governor, &asked).await?.is_zero())
    }

    async fn carry_out(&mut self, proposal: &Proposal) -> Result<bool> {
        let (chain, manifest) = (self.coop.chain.clone(), self.coop.manifest.clone());
        let mut view = proposal.view(&chain, &manifest).await?;
        while matches!(view.status, Status::Pending | Status::Active) {
            // A late quorum moves the close.
            self.reach(view.closes_at + 1).await?;
            view = proposal.view(&chain, &manifest).await?;
        }
        if view.status != Status::Succeeded {
            ensure!(view.status == Status::Defeated, "a proposal is {:?}", view.status);
            self.tally.count("proposal that failed", proposal.proposer);
            return Ok(false);
        }
        proposal.queue(&self.coop.relayer, &manifest).await?;
        let queued = proposal.view(&chain, &manifest).await?;
        self.reach(queued.executable_at + 1).await?;
        proposal.execute(&self.coop.relayer, &manifest).await?;
        self.tally.count("proposal that passed", proposal.proposer);
        Ok(true)
    }

    /// Keys of members, the oldest first.
    fn voters(&self) -> Vec<alloy::signers::local::PrivateKeySigner> {
        (0..self.people.len()).filter_map(|place| self.member(place)).map(|(key, _)| key).collect()
    }
}
