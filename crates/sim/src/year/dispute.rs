//! Disputes: a falsified root that its victim contests, a demand that nobody answers, an objection without a reason.

use alloy::primitives::{Address, U256};
use anyhow::{Context as _, Result, bail, ensure};
use rochdale_chain::bindings::{self, Disputes, IContestVerifier, SettlementLedger, StewardCommittee};
use rochdale_chain::eip712;
use rochdale_core::ids::MemberId;
use rochdale_core::ledger::{Amounts, DemandKind, NewLeaf, OldRow, OpenedInputs, Row, input_blinder, row_tree, salt};

use super::agenda::Deed;
use super::chain::refusal;
use super::settle::Pending;
use super::span::HOUR;
use super::tally::{Act, Outcome};
use super::topics::Topic;
use super::{Year, own_key, row_key, secret};

impl Year {
    /// The first two stewards move half of what a member earned to another, and leave every total as it is.
    pub(super) async fn lie(&mut self, honest: Pending) -> Result<()> {
        let Pending { inputs, entered, mut round } = honest;
        let rows = &round.settled.rows;
        let richest = |without: Option<usize>| {
            let wallets = self.present(|p| p.key.wallet().is_some() && (p.id.0 as usize) <= self.known());
            wallets
                .into_iter()
                .filter(|p| Some(*p) != without)
                .max_by_key(|place| rows[self.people[*place].id.0 as usize - 1].data_earned)
        };
        let victim = richest(None).context("nobody earned anything")?;
        let friend = richest(Some(victim)).context("nobody else earned anything")?;
        let (victim, friend) = (self.people[victim].id, self.people[friend].id);
        let part = round.settled.rows[victim.0 as usize - 1].data_earned / 2;
        round.settled.rows[victim.0 as usize - 1].data_earned -= part;
        round.settled.rows[friend.0 as usize - 1].data_earned += part;
        let (epoch, settled) = (round.header.epoch, &round.settled);
        let salts = |member: MemberId| salt(&secret(&inputs, member), epoch);
        let depth = self.site.manifest.tree_depth;
        round.tree = row_tree(&inputs.params, depth, &settled.rows, &settled.inputs, salts)?;
        round.header.root = round.tree.root();
        ensure!(round.header.root != inputs.root, "the falsified root is the honest one");
        self.propose(&round.header, &[0, 1]).await?;
        self.tally.count(Act::ProposeLie, self.stewards[0].address());
        self.liars.extend(&self.seats()[..2]);
        self.pending = Some(Pending { inputs, entered, round });
        self.disputed = Some((victim, DemandKind::Row));
        self.agenda.add(self.site.now().await? + 2 * HOUR, Deed::Contest);
        Ok(())
    }

    /// The victim demands its row, is shown the falsified one, and contests it; an honest row withstands a contest.
    pub(super) async fn contest(&mut self) -> Result<()> {
        let (committee, disputes) =
            (self.site.manifest.addresses.steward_committee, self.site.manifest.addresses.disputes);
        let pending = self.pending.clone().context("nothing to contest")?;
        let (victim, kind) = self.disputed.take().context("nobody to contest")?;
        self.demand_of(victim, kind).await?;
        let (row, proof) = self.leaf_in(&pending.round, &pending.inputs, victim)?;
        let liar = self.stewards[0].clone();
        self.site.send(&liar, disputes, &Disputes::answerRowCall { row: row.into(), proof }).await?;
        self.tally.count(Act::Answer, liar.address());

        let moved = |row: &Row, honest: &Row| row.data_earned != honest.data_earned;
        let honest = self.books.settle(&pending.inputs, own_key)?;
        let (rows, honest) = (&pending.round.settled.rows, &honest.settled.rows);
        let touched = rows.iter().zip(honest).filter(|(row, honest)| moved(row, honest)).count();
        ensure!(touched == 2, "{touched} rows were falsified");
        let untouched = self.present(|p| {
            let place = p.id.0 as usize - 1;
            p.key.wallet().is_some() && place < self.known() && !moved(&rows[place], &honest[place])
        });
        let unkeyed = |place: &&usize| pending.inputs.unkeyed.contains(&self.people[**place].id);
        let keyed = *untouched.iter().find(|place| !unkeyed(place)).context("every keyed row was falsified")?;
        // Whoever kept the key to itself brings it now: the row is right all the same.
        let unkeyed = *untouched.iter().find(unkeyed).context("every row without a key was falsified")?;
        for (witness, outcome) in [(keyed, Outcome::Refused), (unkeyed, Outcome::ContestedUnkeyed)] {
            let right = self.contest_row(&pending, self.people[witness].id).await;
            ensure!(refusal(right)? == "Disputes_RowIsRight", "an honest row lost a contest");
            self.tally.note(outcome);
        }

        let before = self.site.view(committee, &StewardCommittee::slashCountCall {}).await?;
        self.contest_row(&pending, victim).await?;
        let epoch = pending.round.header.epoch.0;
        self.tally.count(Act::Contest, self.account_of(victim)?);
        self.voided(epoch, pending.round.header.attempt).await?;
        let opened = self.site.view(committee, &StewardCommittee::slashCountCall {}).await? - before;
        ensure!(opened == U256::from(2), "{opened} bonds went into escrow, not two");
        for liar in &self.seats()[..2] {
            let active = self.site.view(committee, &StewardCommittee::isActiveStewardCall { steward: *liar }).await?;
            ensure!(!active, "a steward whose bond is in escrow is still active");
        }
        // One honest steward is no quorum: nothing is settled until the member house seats others.
        let honest = self.books.settle(&pending.inputs, own_key)?;
        let mut header = honest.header;
        header.attempt = self.attempts[&epoch];
        self.site.reach(self.site.manifest.schedule().start(header.epoch, header.attempt)).await?;
        let refused = refusal(self.propose(&header, &[0, 2]).await)?;
        ensure!(refused == "StewardCommittee_TooFewSignatures", "refused with {refused}");
        self.tally.note(Outcome::Refused);
        self.halted = true;
        self.put(Topic::ReplaceCommittee).await
    }

    /// A root is void: the last final one stands as it did, and the epoch's next attempt has a higher number.
    async fn voided(&mut self, epoch: u32, attempt: u32) -> Result<()> {
        let ledger = self.site.manifest.addresses.settlement_ledger;
        let last = self.site.view(ledger, &SettlementLedger::finalEpochCall {}).await?;
        ensure!(last.epoch + 1 == epoch && last.root == self.books.root, "a void root changed the final one");
        self.attempts.insert(epoch, attempt + 1);
        self.pending = None;
        self.tally.note(Outcome::Voided);
        Ok(())
    }

    /// A member demands its row, or the opening of its inputs.
    pub(super) async fn demand_of(&mut self, member: MemberId, kind: DemandKind) -> Result<()> {
        let header = &self.pending.as_ref().context("nothing is pending")?.round.header;
        let (epoch, attempt) = (header.epoch.0, header.attempt);
        let deadline = self.site.deadline().await?;
        let demand = eip712::Demand { memberId: member.0, epoch, attempt, kind: kind.into(), deadline };
        let place = self.place_of(member)?;
        let signature = self.people[place].key.sign(&demand, &self.site.manifest.disputes_domain())?;
        let disputes = self.site.manifest.addresses.disputes;
        self.site.relay(disputes, &Disputes::demandCall { r: demand.into(), signature }).await?;
        self.tally.count(Act::Demand, self.people[place].key.address());
        Ok(())
    }

    /// Anyone voids the root of which something was kept back; the same epoch is proposed again, and nobody is slashed.
    pub(super) async fn void_unanswered(&mut self) -> Result<()> {
        let (member, kind) = self.disputed.take().context("nobody demanded anything")?;
        let (epoch, attempt) = {
            let header = &self.pending.as_ref().context("nothing is pending")?.round.header;
            (header.epoch.0, header.attempt)
        };
        let disputes = self.site.manifest.addresses.disputes;
        let gateway = self.site.key("gateway");
        self.site
            .send(&gateway, disputes, &Disputes::voidUnansweredCall { memberId: member.0, kind: kind.into() })
            .await?;
        self.tally.count(Act::VoidUnanswered, gateway.address());
        self.voided(epoch, attempt).await?;
        self.agenda.add(self.site.now().await?, Deed::Settle(epoch));
        Ok(())
    }

    /// The third steward objects; the member house is asked.
    pub(super) async fn object(&mut self) -> Result<()> {
        let (steward, disputes) = (self.stewards[2].clone(), self.site.manifest.addresses.disputes);
        let header = &self.pending.as_ref().context("nothing is pending")?.round.header;
        let call = Disputes::objectCall { epoch: header.epoch.0, attempt: header.attempt };
        self.site.send(&steward, disputes, &call).await?;
        self.tally.count(Act::Object, steward.address());
        ensure!(self.final_at().await? > self.site.now().await? + 365 * 24 * HOUR, "an objection froze nothing");
        self.put(Topic::RejectObjection).await
    }

    /// Opens a member's row, old and new, and has it replayed on the chain.
    async fn contest_row(&mut self, pending: &Pending, member: MemberId) -> Result<()> {
        let call = self.contest_call(pending, member).await?;
        self.site.relay(self.site.manifest.addresses.disputes, &call).await?;
        Ok(())
    }

    /// A contest of a member's row, signed by it.
    pub(super) async fn contest_call(&self, pending: &Pending, member: MemberId) -> Result<Disputes::contestCall> {
        let (epoch, attempt) = (pending.round.header.epoch, pending.round.header.attempt);
        let deadline = self.site.deadline().await?;
        let signed = eip712::Contest { memberId: member.0, epoch: epoch.0, attempt, deadline };
        let place = self.place_of(member)?;
        let signature = self.people[place].key.sign(&signed, &self.site.manifest.disputes_domain())?;
        let c = Disputes::Contest { memberId: member.0, epoch: epoch.0, attempt, deadline };
        Ok(Disputes::contestCall { c, signature, opening: self.opening(pending, member)? })
    }

    fn opening(&self, pending: &Pending, member: MemberId) -> Result<IContestVerifier::Opening> {
        let (index, round) = (member.0 as usize - 1, &pending.round);
        let (Some(last), Some(old)) = (&self.last, self.books.rows.get(index)) else {
            bail!("member {member} had no row before");
        };
        let (shown, old_proof) = self.leaf(member)?;
        let (new_leaf, new_proof) = self.leaf_in(round, &pending.inputs, member)?;
        ensure!(last.header.root == round.header.previous_root, "the last round is another");
        let shown = Amounts { cash: shown.cash, stream: shown.stream, data: shown.data, gov: shown.gov };
        let opened = OldRow { row: Some(old.clone()), shown, proof: old_proof };
        let inputs = OpenedInputs {
            inputs: round.settled.inputs[index].clone(),
            blinder: input_blinder(&secret(&pending.inputs, member), round.header.epoch),
            proof: round.inputs.proof(member).context("no such inputs")?,
        };
        let shown = Amounts { cash: new_leaf.cash, stream: new_leaf.stream, data: new_leaf.data, gov: new_leaf.gov };
        let new = NewLeaf { shown, private_hash: new_leaf.privateHash, proof: new_proof };
        let params = &pending.inputs.params;
        Ok(bindings::opening(&round.header, params, member, row_key(member), (&opened, &inputs, &new)))
    }

    /// Where a member stands in the list of people.
    pub(super) fn place_of(&self, member: MemberId) -> Result<usize> {
        self.people.iter().position(|person| person.id == member).context("no such member")
    }

    fn account_of(&self, member: MemberId) -> Result<Address> {
        Ok(self.people[self.place_of(member)?].key.address())
    }
}
