//! Both houses: who proposes, who votes, and what becomes of it.

use alloy::primitives::{Address, Bytes, U256};
use alloy::providers::Provider as _;
use anyhow::{Context as _, Result, ensure};
use rand::seq::SliceRandom as _;
use rochdale_chain::bindings::{CharterGate, CoopGovernor, GovToken, Membership, SettlementLedger};
use rochdale_chain::eip712;
use rochdale_chain::gov::{CharterCalls, Draft, House, Proposal, Status, Support, implementation_slot};
use rochdale_core::ids::Epoch;

use super::agenda::Deed;
use super::chain::refusal;
use super::span::HOUR;
use super::tally::{Act, Outcome};
use super::topics::{About, GRANT, Mind, Topic};
use super::{AWARDER, AWARDING, Year};

/// A question and its proposals.
#[derive(Clone)]
pub(super) struct Motion {
    topic: Topic,
    proposals: Vec<Proposal>,
    /// What the question is about besides the calls: the implementation of an upgrade, the number of a member.
    about: About,
}

impl Year {
    /// Puts a question before its house, or both.
    pub(super) async fn put(&mut self, topic: Topic) -> Result<()> {
        let (calls, about) = self.calls(topic).await?;
        let draft = Draft { why: topic.why().to_owned(), calls };
        let (chain, manifest) = (self.site.chain.clone(), self.site.manifest.clone());
        let motions = draft.motions(&chain, &manifest, CharterCalls::salt(topic.why())).await?;
        let mut made = Vec::new();
        for motion in &motions {
            let proposer = self.proposer(motion.house).await?;
            let sender = self.site.sender(&proposer).await?;
            self.site.transactions += 1;
            motion.propose(&sender, &manifest).await.with_context(|| format!("{topic:?}"))?;
            self.tally.count(Act::Draft, proposer.address());
            made.push(Proposal {
                house: motion.house,
                id: motion.id(),
                proposer: proposer.address(),
                calls: motion.calls.clone(),
                description: motion.description.clone(),
            });
        }
        let number = self.motions.len();
        let governor = made[0].house.governor(&manifest);
        let opens = self.site.view(governor, &CoopGovernor::proposalSnapshotCall { proposalId: made[0].id }).await?;
        self.agenda.add(opens.to::<u64>() + HOUR, Deed::Vote(number));
        self.motions.push(Motion { topic, proposals: made, about });
        Ok(())
    }

    /// The first member who may propose to a house.
    async fn proposer(&self, house: House) -> Result<alloy::signers::local::PrivateKeySigner> {
        let governor = house.governor(&self.site.manifest);
        let threshold = self.site.view(governor, &CoopGovernor::proposalThresholdCall {}).await?;
        let before = U256::from(self.site.now().await? - 1);
        for place in self.present(|person| person.key.wallet().is_some()) {
            let account = self.people[place].key.address();
            let asked = CoopGovernor::getVotesCall { account, timepoint: before };
            if let Some(wallet) = self.people[place].key.wallet()
                && self.site.view(governor, &asked).await? >= threshold
            {
                return Ok(wallet.clone());
            }
        }
        anyhow::bail!("nobody may propose to the {house} yet")
    }

    /// Members vote as their house is minded.
    pub(super) async fn vote(&mut self, number: usize) -> Result<()> {
        let motion = self.motions[number].clone();
        for proposal in &motion.proposals {
            let mind = motion.topic.mind(proposal.house);
            let mut voters = self.voters(proposal).await?;
            let come = if mind == Mind::Indifferent { 1 } else { (voters.len() * 2 / 5).max(9).min(voters.len()) };
            voters.truncate(come);
            // Votes of the token house weigh by what members earned: those with the fewest are the minority.
            voters.sort_by_key(|(_, votes)| *votes);
            for (rank, (voter, _)) in voters.into_iter().enumerate() {
                let support = match mind {
                    Mind::Against if rank < come / 2 => Support::For,
                    Mind::Against => Support::Against,
                    Mind::For if rank < come / 8 => Support::Against,
                    Mind::For if rank < come / 4 => Support::Abstain,
                    Mind::For | Mind::Indifferent => Support::For,
                };
                self.cast(proposal, voter, support).await?;
            }
        }
        // Both houses' proposals of one question were made at once; the second closes last.
        let last = motion.proposals.last().context("a question without a proposal")?;
        let closes = CoopGovernor::proposalDeadlineCall { proposalId: last.id };
        let closes = self.site.view(last.house.governor(&self.site.manifest), &closes).await?.to::<u64>();
        self.agenda.add(closes + HOUR, Deed::Decide(number));
        Ok(())
    }

    /// Places and votes of the members who had some at a proposal's snapshot, the proposer first, the others drawn.
    async fn voters(&mut self, proposal: &Proposal) -> Result<Vec<(usize, U256)>> {
        let governor = proposal.house.governor(&self.site.manifest);
        let asked = CoopGovernor::proposalSnapshotCall { proposalId: proposal.id };
        let timepoint = self.site.view(governor, &asked).await?;
        let mut found = Vec::new();
        for place in self.present(|_| true) {
            let account = self.people[place].key.address();
            let votes = self.site.view(governor, &CoopGovernor::getVotesCall { account, timepoint }).await?;
            if !votes.is_zero() {
                found.push((place, votes));
            }
        }
        found.shuffle(&mut self.rng);
        let first = found.iter().position(|(place, _)| self.people[*place].key.address() == proposal.proposer);
        if let Some(first) = first {
            found.swap(0, first);
        }
        Ok(found)
    }

    /// One vote: by a transaction of the member's own, or signed and sent by somebody else.
    async fn cast(&mut self, proposal: &Proposal, place: usize, support: Support) -> Result<()> {
        let (key, manifest) = (self.people[place].key.clone(), self.site.manifest.clone());
        self.site.transactions += 1;
        match key.wallet().filter(|_| !place.is_multiple_of(3)) {
            Some(wallet) => {
                let sender = self.site.sender(wallet).await?;
                proposal.vote(&sender, &manifest, support).await?;
                self.tally.count(Act::Vote, key.address());
            }
            None => {
                let governor = proposal.house.governor(&manifest);
                let nonce = self.site.view(governor, &CoopGovernor::noncesCall { owner: key.address() }).await?;
                let ballot = proposal.ballot(key.address(), support, nonce);
                let signature = key.sign(&ballot, &proposal.house.domain(&manifest))?;
                proposal.vote_for(self.site.payer(), &manifest, &ballot, signature).await?;
                self.tally.count(Act::VoteBySignature, key.address());
            }
        }
        self.voted.insert(self.people[place].id);
        Ok(())
    }

    /// The vote is over: what passed is queued.
    pub(super) async fn decide(&mut self, number: usize) -> Result<()> {
        let motion = self.motions[number].clone();
        let manifest = self.site.manifest.clone();
        let mut executable = None;
        for proposal in &motion.proposals {
            let status = proposal.status(&self.site.chain, &manifest).await?;
            let mind = motion.topic.mind(proposal.house);
            let expected = if mind == Mind::For { Status::Succeeded } else { Status::Defeated };
            ensure!(status == expected, "{:?} in the {}: {status:?}", motion.topic, proposal.house);
            let enough = self.had_quorum(proposal).await?;
            ensure!(
                enough == (mind != Mind::Indifferent),
                "{:?} in the {}: a quorum? {enough}",
                motion.topic,
                proposal.house
            );
            match mind {
                Mind::Indifferent => self.tally.note(Outcome::QuorumMissed),
                Mind::Against => self.tally.note(Outcome::Outvoted),
                Mind::For => {
                    self.site.transactions += 1;
                    proposal.queue(self.site.payer(), &manifest).await?;
                    self.tally.count(Act::Queue, self.site.payer().address());
                    let view = proposal.view(&self.site.chain, &manifest).await?;
                    executable = executable.max(Some(view.executable_at));
                }
            }
        }
        if let Some(time) = executable {
            self.agenda.add(time + 1, Deed::Carry(number));
        }
        Ok(())
    }

    async fn had_quorum(&self, proposal: &Proposal) -> Result<bool> {
        let (governor, id) = (proposal.house.governor(&self.site.manifest), proposal.id);
        let votes = self.site.view(governor, &CoopGovernor::proposalVotesCall { proposalId: id }).await?;
        let timepoint = self.site.view(governor, &CoopGovernor::proposalSnapshotCall { proposalId: id }).await?;
        let quorum = self.site.view(governor, &CoopGovernor::quorumCall { timepoint }).await?;
        Ok(votes.forVotes + votes.abstainVotes >= quorum)
    }

    /// The timelock is over: what was queued is done.
    pub(super) async fn carry(&mut self, number: usize) -> Result<()> {
        let motion = self.motions[number].clone();
        let manifest = self.site.manifest.clone();
        let before = self.balances().await?;
        for proposal in motion.proposals.iter().filter(|p| motion.topic.mind(p.house) == Mind::For) {
            self.site.transactions += 1;
            proposal.execute(self.site.payer(), &manifest).await.with_context(|| format!("{:?}", motion.topic))?;
            self.tally.count(Act::Execute, self.site.payer().address());
            self.tally.note(Outcome::Passed);
        }
        if let Some(charter) = motion.proposals[0].charter_calls(&manifest) {
            let done = charter.execute(self.site.payer(), &manifest).await.map(drop).map_err(anyhow::Error::from);
            if motion.topic == Topic::HalfUpgrade {
                let name = refusal(done)?;
                ensure!(name == "CharterGate_NotApproved", "the charter refused with {name}");
                self.tally.note(Outcome::CharterRefused);
            } else {
                done?;
                self.site.transactions += 1;
                ensure!(self.balances().await? == before, "an upgrade moved money");
                self.upgraded(motion.about.implementation).await?;
            }
        }
        self.after(&motion).await
    }

    async fn upgraded(&mut self, implementation: Address) -> Result<()> {
        let market = self.site.manifest.addresses.market;
        let slot = self.site.chain.provider().get_storage_at(market, implementation_slot().into()).await?;
        ensure!(Address::from_word(slot.into()) == implementation, "the market runs other code");
        self.tally.note_many(Outcome::Upgraded, 2);
        Ok(())
    }

    /// What must show on the chain after a question was decided.
    async fn after(&mut self, motion: &Motion) -> Result<()> {
        let at = self.site.manifest.addresses;
        match motion.topic {
            Topic::OpenDesks => self.desks_open = true,
            Topic::RequireBonds => self.bond_researchers().await?,
            Topic::Expel => {
                let id = rochdale_core::ids::MemberId(motion.about.member);
                let place = self.place_of(id)?;
                let state = self.site.view(at.membership, &Membership::memberOfCall { memberId: id.0 }).await?;
                ensure!(!state.active, "an expelled member is still active");
                self.people[place].gone = true;
                self.tally.note(Outcome::Expelled);
            }
            Topic::ReplaceCommittee => {
                let before = self.stewards.len();
                self.tally.note_many(Outcome::Slashed, before as u64 - 1);
                self.stewards = std::mem::take(&mut self.successors);
                let fresh = self.stewards[..2].to_vec();
                self.post_bonds(&fresh).await?;
                self.tally.note(Outcome::Seated);
                self.halted = false;
                self.agenda.add(self.site.now().await?, Deed::Settle(self.books.global.epoch.0 + 1));
            }
            Topic::RejectObjection => {
                self.tally.note(Outcome::ObjectionRejected);
                self.agenda.add(self.final_at().await?, Deed::Finish);
            }
            Topic::Grant => {
                let held = self.site.balance(at.usdc, self.site.key("grantee").address()).await?;
                ensure!(held == GRANT, "the grantee has {held}");
                self.tally.note(Outcome::Granted);
            }
            Topic::NewParams => {
                let running = self.site.manifest.schedule().epoch_at(self.site.now().await?).unwrap_or(Epoch(0));
                let asked = SettlementLedger::paramsOfCall { epoch: running.0 + 1 };
                let found = self.site.view(at.settlement_ledger, &asked).await?;
                ensure!(found.paramsHash != self.site.manifest.params_hash, "the vote changed no parameter");
            }
            Topic::LoneRaise | Topic::CheapRecords | Topic::HalfUpgrade | Topic::Upgrade => {}
        }
        Ok(())
    }

    /// The houses get money and charter, by anyone, once.
    pub(super) async fn constitute(&mut self) -> Result<()> {
        let gate = self.site.manifest.addresses.charter_gate;
        self.site.relay(gate, &CharterGate::constituteCall {}).await?;
        self.tally.note(Outcome::Constituted);
        let again = self.site.relay(gate, &CharterGate::constituteCall {}).await.map(drop);
        let name = refusal(again)?;
        ensure!(name == "CharterGate_AlreadyConstituted", "the charter refused with {name}");
        Ok(())
    }

    /// Members have their GOV counted after the seasoning, lock some of it, delegate.
    pub(super) async fn tend_votes(&mut self) -> Result<()> {
        let gov = self.site.manifest.addresses.gov_token;
        let ripe = self.site.now().await?.saturating_sub(30 * 24 * HOUR);
        let members = self.present(|person| person.joined < ripe);
        for (turn, place) in members.iter().enumerate() {
            let account = self.people[*place].key.address();
            let earned = self.site.view(gov, &GovToken::earnedOfCall { account }).await?;
            let units = self.site.view(gov, &GovToken::unitsOfCall { account }).await?;
            // A claim counts them as well; a few see to it themselves in any case.
            if turn < 3 || (units.is_zero() && !earned.is_zero()) {
                self.site.relay(gov, &GovToken::syncCall { account }).await?;
                self.tally.count(Act::Sync, account);
            }
        }
        let wallets: Vec<usize> = members.into_iter().filter(|p| self.people[*p].key.wallet().is_some()).collect();
        for (turn, place) in wallets.iter().rev().take(8).enumerate() {
            let Some(wallet) = self.people[*place].key.wallet().cloned() else { continue };
            let account = wallet.address();
            let earned: u128 = self.site.view(gov, &GovToken::earnedOfCall { account }).await?.to();
            if earned < 1_000_000_000_000_000 {
                continue;
            }
            if turn.is_multiple_of(2) {
                let amount = alloy::primitives::aliases::U96::from(earned / 2);
                self.site.send(&wallet, gov, &GovToken::lockCall { amount, tier: (turn / 2) as u8 }).await?;
                self.tally.count(Act::Lock, account);
            } else {
                let delegatee = self.people[wallets[0]].key.address();
                self.site.send(&wallet, gov, &GovToken::delegateCall { delegatee }).await?;
                self.tally.count(Act::Delegate, account);
            }
        }
        Ok(())
    }

    /// Who took part in votes is awarded points of the program.
    pub(super) async fn award_voters(&mut self) -> Result<()> {
        if !self.desks_open {
            return Ok(());
        }
        let (awarder, domain) = (self.site.key(AWARDER), super::settle::programs_domain(&self.site.manifest));
        let epoch = self.site.manifest.schedule().epoch_at(self.site.now().await?).context("before genesis")?;
        for member in std::mem::take(&mut self.voted) {
            let nonce = U256::from(self.awards.len());
            let award =
                eip712::Award { programId: 1, memberId: member.0, epoch: epoch.0, points: AWARDING / 50, nonce };
            let signature: Bytes = eip712::sign(&awarder, &award, &domain)?;
            self.awards.push((award, signature));
            self.tally.count(Act::Award, awarder.address());
        }
        Ok(())
    }
}
