//! Stewards: replaying the step from the chain and the scores, signing, and relaying claims.

use alloy::primitives::{B256, keccak256};
use anyhow::{Context as _, Result, ensure};
use rochdale_chain::bindings::{ISettlementLedger, SettlementLedger};
use rochdale_chain::client::Receipt;
use rochdale_chain::eip712;
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use rochdale_core::ledger::{
    Contribution, EpochInputs, Header, Params, Round, ScoredRecord, SettledInputs, amounts, private_hash, salt, usage,
};

use super::{Year, row_key};

impl Year {
    /// The inputs of an epoch: everything that the chain knows at its cut, with the scores that it does not.
    fn inputs(&self, state: &Cooperative, since: Option<u64>) -> Result<EpochInputs> {
        let score = |id: ContributionId| self.scores.get(&id).copied().with_context(|| format!("no score of {id}"));
        let mut records = Vec::new();
        for c in state.contributions.values() {
            records.push(ScoredRecord { id: c.id, member: c.member, score: score(c.id)?, erased: c.erased });
        }
        let mut receipts = Vec::new();
        for receipt in state.receipts_since(since) {
            let snapshot = self.snapshots.get(&receipt.index).context("a receipt of a snapshot nobody declared")?;
            receipts.push(snapshot.as_slice());
        }
        let mut contributions = Vec::new();
        for c in state.contributions_since(since) {
            contributions.push(Contribution { member: c.member, id: c.id, score: score(c.id)? });
        }
        Ok(EpochInputs {
            members: u32::try_from(state.members.len())?,
            active: state.active_members().collect(),
            contributions,
            grants: Vec::new(),
            usage: usage(&records, &receipts)?.into_iter().collect(),
            revenue: state.revenue_since(since)?,
            erased: state.erased_since(since).collect(),
        })
    }

    /// Moves the chain past the end of an epoch and computes what honest stewards sign for an attempt.
    pub(super) async fn compute(&mut self, epoch: Epoch, attempt: u32, params: &Params) -> Result<(SettledInputs, Round)> {
        let schedule = self.coop.manifest.schedule();
        self.reach(schedule.start(epoch, attempt)).await?;
        let end = schedule.end(epoch);
        self.coop.chain.cut_block(end).await?.context("the cut is not final yet")?;
        let since = self.coop.manifest.since(epoch);
        let state = Cooperative::at_cut(&self.history().await?, end);
        let sheet = keccak256(format!("sheet of epoch {epoch}, attempt {attempt}"));
        let destroyed = std::collections::BTreeMap::new();
        let inputs = SettledInputs { params: params.clone(), inputs: self.inputs(&state, since)?, attempt, sheet, destroyed };
        let round = self.books.settle(&inputs, row_key)?;
        Ok((inputs, round))
    }

    /// Proposes a header with the signatures of some stewards, by their place from 0.
    pub(super) async fn propose(&mut self, header: &Header, stewards: &[usize]) -> Result<Receipt> {
        let h = eip712::Header::from(header);
        let domain = self.coop.manifest.settlement_domain();
        let sign = |place: &usize| eip712::sign(&self.coop.stewards[*place], &h, &domain);
        let signatures = stewards.iter().map(sign).collect::<Result<Vec<_>, _>>()?;
        for place in stewards {
            self.tally.count("sign a settlement", self.coop.stewards[*place].address());
        }
        let call = SettlementLedger::proposeCall { h: h.into(), signatures };
        Ok(self.coop.relayer.send(self.coop.manifest.addresses.settlement_ledger, &call).await?)
    }

    /// Settles an epoch honestly and waits until it is final.
    pub(super) async fn settle(&mut self, epoch: Epoch, attempt: u32, params: &Params) -> Result<()> {
        let (inputs, round) = self.compute(epoch, attempt, params).await?;
        self.propose(&round.header, &[0, 2]).await?;
        self.finish(inputs, round).await
    }

    /// Waits until the pending root is final and takes the round over.
    pub(super) async fn finish(&mut self, inputs: SettledInputs, round: Round) -> Result<()> {
        let ledger = self.coop.manifest.addresses.settlement_ledger;
        let pending = self.coop.chain.view(ledger, &SettlementLedger::pendingCall {}).await?;
        self.reach(pending.finalAt).await?;
        let last = self.coop.chain.view(ledger, &SettlementLedger::finalEpochCall {}).await?;
        ensure!(last.root == round.header.root, "epoch {}: another root is final", round.header.epoch);
        self.books.close(&round);
        self.transcript.epochs.push(inputs);
        self.last = Some(round);
        Ok(())
    }

    /// The leaf of a member in the last final round, and its proof.
    pub(super) fn leaf(&self, member: MemberId) -> Result<(ISettlementLedger::Claim, Vec<B256>)> {
        let (round, epoch) = (self.last.as_ref().context("no epoch is final")?, self.transcript.epochs.last());
        let params = &epoch.context("no epoch is final")?.params;
        let row = &round.settled.rows[member.0 as usize - 1];
        let shown = amounts(params, member, row, round.settled.inputs[member.0 as usize - 1].active)?;
        let claim = ISettlementLedger::Claim {
            memberId: member.0,
            cash: shown.cash,
            stream: shown.stream,
            data: shown.data,
            gov: shown.gov,
            privateHash: private_hash(row, salt(&row_key(member).0, round.header.epoch)),
        };
        Ok((claim, round.tree.proof(member).context("no such leaf")?))
    }

    /// Claims for members, in batches of 50.
    pub(super) async fn claim(&mut self, members: &[MemberId]) -> Result<()> {
        for batch in members.chunks(50) {
            let leaves = batch.iter().map(|member| self.leaf(*member)).collect::<Result<Vec<_>>>()?;
            let (claims, proofs) = leaves.into_iter().unzip();
            let call = SettlementLedger::claimManyCall { claims, proofs };
            self.coop.relayer.send(self.coop.manifest.addresses.settlement_ledger, &call).await?;
        }
        for member in members {
            if let Some(person) = self.people.iter().find(|person| person.id == Some(*member)) {
                self.tally.count("be paid", person.key.address());
            }
        }
        Ok(())
    }
}
