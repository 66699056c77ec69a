//! Stewards: replaying the step from the chain and the scores, signing, proposing; and claims on what became final.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, Result, bail, ensure};
use rochdale_chain::bindings::{self, ISettlementLedger, SettlementLedger, TestUSDC};
use rochdale_chain::client::Receipt;
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use rochdale_core::ledger::{
    Amounts, Entered, Gathered, Grant, Header, LedgerError, ProgramCaps, Round, SettledInputs, SignedAward, StandIn,
    Sums, Used, amounts, claim_ranges, gather, grants, private_hash, salt,
};

use super::agenda::{Deed, Mood};
use super::chain::refusal;
use super::span::HOUR;
use super::tally::{Act, Outcome};
use super::{KeyFate, Year, own_key, secret};

/// The highest subtree that is claimed as one range, so that a transaction stays within the gas that it may take.
const HIGHEST: u8 = 5;

/// A settlement that is not final yet.
#[derive(Clone)]
pub(super) struct Pending {
    pub inputs: SettledInputs,
    pub entered: Vec<Entered>,
    pub round: Round,
}

impl Year {
    /// Everything that the chain knows at an epoch's cut, with the scores and awards that it does not.
    fn gather(&self, state: &Cooperative, epoch: Epoch) -> Result<Gathered> {
        let since = self.site.manifest.since(epoch);
        let mut used = Vec::new();
        for booked in state.debits_since(since) {
            let snapshot = self.snapshots.get(&booked.debit.order).context("a debit of a snapshot nobody declared")?;
            used.push(snapshot.as_slice());
        }
        let cut = state.ledger_cut(since)?;
        let grants = self.grants(state, epoch, &cut.active.iter().copied().collect())?;
        // Each record is like no other.
        let agreed = |id: ContributionId| Some((self.scores.get(&id).copied()?, keccak256(id.0.to_be_bytes())));
        let gathered = gather(epoch, cut, &self.entered, grants, Used::Snapshots(&used), agreed)?;
        ensure!(gathered.deferred.is_empty(), "no score of {:?}", gathered.deferred);
        Ok(gathered)
    }

    /// The awards of an epoch whose signature is the awarder's, within the caps that stand at the cut.
    fn grants(&self, state: &Cooperative, epoch: Epoch, active: &BTreeSet<MemberId>) -> Result<Vec<Grant>> {
        let caps = |program: &rochdale_chain::state::Program| ProgramCaps {
            per_epoch: program.cap_per_epoch,
            per_member: program.cap_per_member,
        };
        let open: BTreeMap<u32, ProgramCaps> =
            state.programs.iter().filter(|(_, p)| p.open).map(|(id, p)| (*id, caps(p))).collect();
        let domain = programs_domain(&self.site.manifest);
        let mut signed = Vec::new();
        for (award, signature) in self.awards.iter().filter(|(award, _)| award.epoch == epoch.0) {
            let Some(program) = state.programs.get(&award.programId) else { continue };
            eip712::verify(award, &domain, signature, program.awarder)?;
            signed.push(SignedAward {
                program: award.programId,
                member: MemberId(award.memberId),
                points: award.points,
                nonce: award.nonce,
            });
        }
        Ok(grants(&open, active, &signed))
    }

    /// What honest stewards compute for an attempt of the next epoch, whose cut is final.
    async fn compute(&mut self, epoch: Epoch, attempt: u32) -> Result<Pending> {
        let end = self.site.manifest.schedule().end(epoch);
        self.site.settle_down(end).await?;
        let state = Cooperative::at_cut(&self.history().await?, end);
        let params = state.params_of(epoch).unwrap_or(&self.site.manifest.ledger).clone();
        let sheet = keccak256(format!("sheet of epoch {epoch}, attempt {attempt}"));
        let Gathered { inputs, entered, .. } = self.gather(&state, epoch)?;
        let mut inputs = SettledInputs {
            params,
            inputs,
            attempt,
            sheet,
            root: B256::ZERO,
            unkeyed: self.unkeyed(&state, epoch),
            stand_ins: BTreeMap::new(),
            sums: None,
        };
        let round = self.books.settle(&inputs, own_key)?;
        inputs.root = round.header.root;
        Ok(Pending { inputs, entered, round })
    }

    /// Whose row key no steward holds yet, active or not.
    fn unkeyed(&self, state: &Cooperative, epoch: Epoch) -> BTreeSet<MemberId> {
        let lacks = |member: &MemberId| match KeyFate::of(*member) {
            KeyFate::AtOnce => false,
            KeyFate::Lost | KeyFate::Keyless => true,
            KeyFate::Late => {
                let row = self.books.rows.get(member.0 as usize - 1);
                row.is_none_or(|row| epoch.0 < row.join_epoch + 2)
            }
        };
        let open = state.members.iter().filter(|(_, one)| one.erased.is_none());
        open.map(|(id, _)| *id).filter(lacks).collect()
    }

    /// Proposes a header with the signatures of stewards in office, by their place from 0.
    pub(super) async fn propose(&mut self, header: &Header, places: &[usize]) -> Result<Receipt> {
        let (h, domain) = (eip712::Header::from(header), self.site.manifest.settlement_domain());
        let signers: Vec<PrivateKeySigner> = places.iter().map(|place| self.stewards[*place].clone()).collect();
        let signatures = signers.iter().map(|key| eip712::sign(key, &h, &domain)).collect::<Result<Vec<_>, _>>()?;
        let call = SettlementLedger::proposeCall { h: h.into(), signatures };
        let receipt = self.site.relay(self.site.manifest.addresses.settlement_ledger, &call).await?;
        for key in signers {
            self.tally.count(Act::Sign, key.address());
        }
        Ok(receipt)
    }

    /// The next epoch is proposed, if it is the turn of `epoch` and nothing stands in the way.
    pub(super) async fn settle(&mut self, epoch: u32) -> Result<()> {
        let next = self.books.global.epoch.0 + 1;
        // Whatever stands in the way comes back to the next epoch when it is over.
        if epoch != next || self.pending.is_some() || self.halted {
            return Ok(());
        }
        let attempt = self.attempts.get(&epoch).copied().unwrap_or(0);
        self.site.reach(self.site.manifest.schedule().start(Epoch(epoch), attempt)).await?;
        let pending = self.compute(Epoch(epoch), attempt).await?;
        if self.paused {
            let name = refusal(self.propose(&pending.round.header, &[0, 1]).await)?;
            ensure!(name == "Pausing_Paused", "a proposal was refused with {name} while paused");
            self.tally.note(Outcome::RefusedInPause);
            self.agenda.add(self.site.now().await? + 6 * HOUR, Deed::Settle(epoch));
            return Ok(());
        }
        // A mood is for one attempt; what is tried after it has been void once is honest, or garbage.
        let mood = if attempt == 0 { std::mem::replace(&mut self.mood, Mood::Honest) } else { Mood::Honest };
        if mood == Mood::Lying {
            return self.lie(pending).await;
        }
        if mood == Mood::Honest && self.spends_on_garbage(&pending).await? {
            return Ok(());
        }
        // Two of three suffice, and not always the same; who objects has not signed, and who is down cannot.
        let signers = match mood {
            _ if self.absence.is_some() => [0, 1],
            Mood::Divided => [0, 1],
            _ if epoch.is_multiple_of(2) => [0, 2],
            _ => [1, 2],
        };
        self.propose(&pending.round.header, &signers).await?;
        self.tally.count(Act::Propose, self.site.payer().address());
        self.pending = Some(pending);
        let now = self.site.now().await?;
        match mood {
            Mood::Absent => self.agenda.add(now + HOUR, Deed::Demand),
            Mood::Divided => self.object().await?,
            _ => self.agenda.add(self.final_at().await?, Deed::Finish),
        }
        Ok(())
    }

    /// When the pending root is final.
    pub(super) async fn final_at(&self) -> Result<u64> {
        let ledger = self.site.manifest.addresses.settlement_ledger;
        Ok(self.site.view(ledger, &SettlementLedger::pendingCall {}).await?.finalAt)
    }

    /// Takes the pending round over, once it is final; claims; goes on with the next epoch.
    pub(super) async fn finish(&mut self) -> Result<()> {
        let Some(Pending { inputs, entered, round }) = self.pending.take() else { bail!("nothing is pending") };
        let ledger = self.site.manifest.addresses.settlement_ledger;
        // A pause or a dispute may have made the window longer.
        self.site.reach(self.final_at().await?).await?;
        let last = self.site.view(ledger, &SettlementLedger::finalEpochCall {}).await?;
        let epoch = round.header.epoch;
        ensure!(
            last.epoch == epoch.0 && last.root == round.header.root,
            "epoch {epoch}: the final root is {} of epoch {}, not {}",
            last.root,
            last.epoch,
            round.header.root
        );
        if inputs.params != self.site.manifest.ledger && self.tally.ended(Outcome::ParamsInForce) == 0 {
            self.tally.note(Outcome::ParamsInForce);
        }
        let before = self.transcript.epochs.last().map(|last| &last.unkeyed);
        let late = before.map_or(0, |before| before.difference(&inputs.unkeyed).count());
        self.tally.note_many(Outcome::KeyedLate, late as u64);
        self.books.close(&round);
        self.entered.extend(entered);
        self.check_attempts(epoch, round.header.attempt).await?;
        let erased = inputs.inputs.erased.clone();
        self.transcript.epochs.push(inputs);
        erased.into_iter().try_for_each(|member| self.destroy(member))?;
        self.last = Some(round);
        self.tally.note(Outcome::Settled);
        self.claim_for_oneself().await?;
        self.claim_for_all().await?;
        self.check(epoch).await?;
        let next = Epoch(epoch.0 + 1);
        let now = self.site.now().await?;
        if next.0 <= self.plan.epochs && self.site.manifest.schedule().start(next, 0) <= now {
            self.agenda.add(now, Deed::Settle(next.0));
        }
        Ok(())
    }

    /// The row key goes, and all that the member's rows were computed from; its leaves stand in for it.
    fn destroy(&mut self, member: MemberId) -> Result<()> {
        let mut stand_ins = Vec::new();
        self.transcript.replay(|round| {
            let leaf = round.leaves.get(member.0 as usize - 1).map(|leaf| StandIn {
                private_hash: leaf.private_hash,
                inputs_leaf: leaf.inputs,
                amounts: Some(leaf.amounts),
            });
            stand_ins.push((leaf, Sums::from(&round.header)));
            Ok::<(), LedgerError>(())
        })?;
        self.transcript.row_keys.remove(&member);
        self.entered.retain(|one| one.member != member);
        for (epoch, (leaf, sums)) in self.transcript.epochs.iter_mut().zip(stand_ins) {
            let Some(leaf) = leaf else { continue };
            epoch.inputs.contributions.retain(|one| one.member != member);
            epoch.inputs.grants.retain(|one| one.member != member);
            epoch.inputs.usage.retain(|(of, _)| *of != member);
            epoch.unkeyed.remove(&member);
            epoch.stand_ins.insert(member, leaf);
            epoch.sums = Some(sums);
        }
        Ok(())
    }

    /// The leaf of a member in a round, and its proof.
    pub(super) fn leaf_in(
        &self,
        round: &Round,
        inputs_of: &SettledInputs,
        member: MemberId,
    ) -> Result<(ISettlementLedger::Claim, Vec<B256>)> {
        let place = member.0 as usize - 1;
        let (row, inputs) = (&round.settled.rows[place], &round.settled.inputs[place]);
        let shown = amounts(&inputs_of.params, member, row, inputs.active)?;
        let salt = salt(&secret(inputs_of, member), round.header.epoch);
        let claim = bindings::claim(member, &shown, private_hash(row, salt));
        Ok((claim, round.tree.proof(member).context("no such leaf")?))
    }

    /// The leaf of a member in the last final round, and its proof.
    pub(super) fn leaf(&self, member: MemberId) -> Result<(ISettlementLedger::Claim, Vec<B256>)> {
        let round = self.last.as_ref().context("no epoch is final")?;
        self.leaf_in(round, self.transcript.epochs.last().context("no epoch is final")?, member)
    }

    /// Members whom the last final root knows.
    pub(super) fn known(&self) -> usize {
        self.last.as_ref().map_or(0, |round| round.settled.rows.len())
    }

    /// The first member to whom something is due claims it without anybody's help.
    pub(super) async fn claim_for_oneself(&mut self) -> Result<()> {
        let ledger = self.site.manifest.addresses.settlement_ledger;
        for place in self.present(|person| person.key.wallet().is_some()) {
            let person = self.people[place].clone();
            let (Some(wallet), true) = (person.key.wallet(), (person.id.0 as usize) <= self.known()) else { continue };
            let (c, proof) = self.leaf(person.id)?;
            let paid = self.site.view(ledger, &SettlementLedger::claimedOfCall { memberId: person.id.0 }).await?;
            if U256::from(c.data) <= paid.data && U256::from(c.cash) <= paid.cash {
                continue;
            }
            self.site.send(wallet, ledger, &SettlementLedger::claimCall { c, proof }).await?;
            self.tally.count(Act::Claim, person.key.address());
            self.tally.note(Outcome::Paid);
            break;
        }
        Ok(())
    }

    /// The gateway claims for everybody whom the last root knows, former members too.
    async fn claim_for_all(&mut self) -> Result<()> {
        let members: Vec<MemberId> = (1..=self.known() as u32).map(MemberId).collect();
        let (ledger, gateway) = (self.site.manifest.addresses.settlement_ledger, self.site.key("gateway"));
        let nobody = |id: MemberId| !members.contains(&id);
        for range in claim_ranges(&members, nobody, self.site.manifest.tree_depth, HIGHEST) {
            let of = |member: MemberId| self.leaf(member).map(|(leaf, proof)| (member, (leaf, proof)));
            let leaves = range.ids().filter(|id| !nobody(*id)).map(of).collect::<Result<BTreeMap<_, _>>>()?;
            let (_, proof) = leaves.values().next().context("a range without a member")?;
            let shown = |member| {
                let (leaf, _) = leaves.get(&member)?;
                let shown = Amounts { cash: leaf.cash, stream: leaf.stream, data: leaf.data, gov: leaf.gov };
                Some((shown, leaf.privateHash))
            };
            let call = SettlementLedger::claimManyCall { ranges: vec![bindings::claim_range(range, shown, proof)] };
            let receipt = self.site.send(&gateway, ledger, &call).await?;
            let events = self.site.events(&receipt)?;
            ensure!(!events.iter().any(|e| matches!(e.event, Event::ClaimSkipped { .. })), "a payee was skipped");
            let paid = events.iter().filter(|e| matches!(e.event, Event::Claimed { .. })).count();
            self.tally.note_many(Outcome::Paid, paid as u64);
            self.tally.count(Act::ClaimMany, gateway.address());
        }
        Ok(())
    }

    /// Stewards post their seats' bonds, one objection's, and a little that they take back later.
    pub(super) async fn post_bonds(&mut self, keys: &[PrivateKeySigner]) -> Result<()> {
        let (usdc, committee) = (self.site.manifest.addresses.usdc, self.site.manifest.addresses.steward_committee);
        let bonds = self.site.config.bonds;
        for key in keys {
            let amount = bonds.min_bond.0 + bonds.objection_bond.0 + super::SPARE_BOND;
            self.site.give_usdc(key.address(), amount).await?;
            let value = U256::from(amount);
            self.site.send(key, usdc, &TestUSDC::approveCall { spender: committee, value }).await?;
            let post =
                rochdale_chain::bindings::StewardCommittee::bondForCall { steward: key.address(), amount: value };
            self.site.send(key, committee, &post).await?;
            self.tally.count(Act::PostBond, key.address());
            self.holders.insert(key.address());
            self.former.insert(key.address());
        }
        Ok(())
    }

    /// The accounts of the stewards in office.
    pub(super) fn seats(&self) -> Vec<Address> {
        self.stewards.iter().map(PrivateKeySigner::address).collect()
    }
}

/// The domain of awards.
pub(super) fn programs_domain(manifest: &rochdale_chain::deploy::Manifest) -> alloy::sol_types::Eip712Domain {
    eip712::domain("Programs", manifest.chain_id, manifest.addresses.programs)
}
