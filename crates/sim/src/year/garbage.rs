//! Garbage in each field of a proposed header: the contract refuses it, or somebody has the root voided, and within a few
//! attempts the epoch is final all the same.

use alloy::primitives::{B256, U256};
use anyhow::{Context as _, Result, ensure};
use rochdale_chain::bindings::{self, Disputes};
use rochdale_core::ledger::{DemandKind, Header, OpenedInputs, input_blinder};

use super::agenda::Deed;
use super::chain::refusal;
use super::settle::Pending;
use super::span::HOUR;
use super::tally::{Act, Outcome};
use super::{ATTEMPTS, Year, secret};

/// What stands against garbage in a field, as `DisputeFields.t.sol` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The ledger does not take the header.
    Refused,
    /// What a member demands of it cannot be answered.
    Unanswerable(DemandKind),
    /// Somebody's row is not the one that the formula gives.
    Contested,
    /// No row depends on it; a steward objects.
    Objected,
}

/// A field of a header.
pub(super) struct Field {
    name: &'static str,
    fate: Fate,
    spoil: fn(&mut Header),
}

const fn field(name: &'static str, fate: Fate, spoil: fn(&mut Header)) -> Field {
    Field { name, fate, spoil }
}

const WORD: B256 = B256::repeat_byte(0xee);
const AMOUNT: u128 = u128::MAX - 1;
const COUNT: u32 = u32::MAX - 1;

/// Every field, in the order of the header.
static FIELDS: [Field; 19] = [
    field("epoch", Fate::Refused, |h| h.epoch.0 = COUNT),
    field("attempt", Fate::Refused, |h| h.attempt = COUNT),
    field("previousRoot", Fate::Refused, |h| h.previous_root = WORD),
    field("root", Fate::Unanswerable(DemandKind::Row), |h| h.root = WORD),
    field("paramsHash", Fate::Refused, |h| h.params_hash = WORD),
    field("inputsRoot", Fate::Unanswerable(DemandKind::Inputs), |h| h.inputs_root = WORD),
    field("sheetDigest", Fate::Objected, |h| h.sheet_digest = WORD),
    field("sharers", Fate::Contested, |h| h.sharers = COUNT),
    field("payout", Fate::Contested, |h| h.payout = AMOUNT),
    field("sumUsage", Fate::Contested, |h| h.sum_usage = U256::from(AMOUNT)),
    field("sumData", Fate::Contested, |h| h.sum_data = U256::from(AMOUNT)),
    field("sumEarly", Fate::Contested, |h| h.sum_early = U256::from(AMOUNT)),
    field("sumDataAward", Fate::Contested, |h| h.sum_data_award = U256::from(AMOUNT)),
    field("sumGovAward", Fate::Contested, |h| h.sum_gov_award = U256::from(AMOUNT)),
    field("cashAllocated", Fate::Refused, |h| h.cash_allocated = AMOUNT),
    field("dataAwarded", Fate::Refused, |h| h.data_awarded = AMOUNT),
    field("dataEarned", Fate::Refused, |h| h.data_earned = AMOUNT),
    field("govAwarded", Fate::Refused, |h| h.gov_awarded = AMOUNT),
    field("govEarned", Fate::Refused, |h| h.gov_earned = AMOUNT),
];

impl Year {
    /// From the next settlement on, garbage comes before each honest proposal until every field had its turn.
    pub(super) fn begin_garbage(&mut self) {
        self.garbage = FIELDS.iter().collect();
    }

    /// Whether an attempt is spent on garbage; the last one of an epoch never is.
    pub(super) async fn spends_on_garbage(&mut self, honest: &Pending) -> Result<bool> {
        let (refused, rest): (Vec<_>, Vec<_>) = self.garbage.iter().partition(|field| field.fate == Fate::Refused);
        self.garbage = rest.into();
        for field in refused {
            self.is_refused(honest, field).await.with_context(|| format!("garbage in {}", field.name))?;
        }
        if honest.round.header.attempt + 1 >= ATTEMPTS {
            return Ok(false);
        }
        let Some(field) = self.garbage.pop_front() else { return Ok(false) };
        self.is_voided(honest.clone(), field).await.with_context(|| format!("garbage in {}", field.name))?;
        Ok(true)
    }

    async fn is_refused(&mut self, honest: &Pending, field: &Field) -> Result<()> {
        let mut header = honest.round.header.clone();
        (field.spoil)(&mut header);
        let name = refusal(self.propose(&header, &[0, 1]).await)?;
        ensure!(name.starts_with("SettlementLedger_"), "the header was refused with {name}");
        self.tally.note(Outcome::GarbageRefused);
        Ok(())
    }

    /// A quorum proposes it; what stands against it would succeed; a member demands what nobody answers.
    async fn is_voided(&mut self, mut pending: Pending, field: &Field) -> Result<()> {
        let honest = pending.clone();
        (field.spoil)(&mut pending.round.header);
        self.propose(&pending.round.header, &[0, 1]).await?;
        self.tally.count(Act::ProposeGarbage, self.stewards[0].address());
        self.pending = Some(pending.clone());
        let kind = match field.fate {
            Fate::Unanswerable(kind) => kind,
            Fate::Contested => {
                self.somebody_can_contest(&pending).await?;
                DemandKind::Row
            }
            Fate::Objected => {
                self.the_third_can_object().await?;
                DemandKind::Row
            }
            Fate::Refused => anyhow::bail!("the ledger took it"),
        };
        self.demand(kind).await?;
        if let Fate::Unanswerable(kind) = field.fate {
            self.nobody_can_answer(&honest, kind).await?;
        }
        self.tally.note(Outcome::GarbageVoided);
        Ok(())
    }

    /// That one member's contest would void the pending root; it is asked of the chain, not sent: a bond in escrow would
    /// end the committee before the next field had its turn.
    async fn somebody_can_contest(&mut self, pending: &Pending) -> Result<()> {
        for place in self.present(|person| person.key.wallet().is_some()) {
            let member = self.people[place].id;
            if member.0 as usize > self.known() {
                continue;
            }
            let (disputes, call) = (self.site.manifest.addresses.disputes, self.contest_call(pending, member).await?);
            match self.site.view(disputes, &call).await {
                Ok(_) => {
                    self.tally.note(Outcome::GarbageContestable);
                    return Ok(());
                }
                Err(error) if format!("{error:#}").contains("Disputes_RowIsRight") => {}
                Err(error) => return Err(error),
            }
        }
        anyhow::bail!("no member could contest a row, and the root would become final")
    }

    async fn the_third_can_object(&mut self) -> Result<()> {
        let (third, disputes) = (self.stewards[2].clone(), self.site.manifest.addresses.disputes);
        let header = &self.pending.as_ref().context("nothing is pending")?.round.header;
        let call = Disputes::objectCall { epoch: header.epoch.0, attempt: header.attempt };
        self.site.sender(&third).await?.simulate(disputes, &call).await.context("the third steward cannot object")?;
        Ok(())
    }

    /// That whoever has everything honest has no answer to what was demanded.
    async fn nobody_can_answer(&mut self, honest: &Pending, kind: DemandKind) -> Result<()> {
        let (member, _) = self.disputed.context("nobody demanded anything")?;
        let disputes = self.site.manifest.addresses.disputes;
        let answered = match kind {
            DemandKind::Row => {
                let (row, proof) = self.leaf_in(&honest.round, &honest.inputs, member)?;
                let call = Disputes::answerRowCall { row: row.into(), proof };
                self.site.payer().simulate(disputes, &call).await.map(drop)
            }
            DemandKind::Inputs => {
                let index = member.0 as usize - 1;
                let inputs = &honest.round.settled.inputs[index];
                let key = secret(&honest.inputs, member);
                let header = &self.pending.as_ref().context("nothing is pending")?.round.header;
                let opened = OpenedInputs {
                    blinder: if inputs.active { input_blinder(&key, header.epoch) } else { B256::ZERO },
                    inputs: inputs.clone(),
                    proof: honest.round.inputs.proof(member).context("no such inputs")?,
                };
                let call = bindings::inputs_answer(header, member, &opened);
                self.site.payer().simulate(disputes, &call).await.map(drop)
            }
        };
        let name = refusal(answered.map_err(Into::into))?;
        ensure!(name == "Disputes_BadProof", "the answer was refused with {name}");
        Ok(())
    }

    /// A member demands something of the pending root, and nobody will answer.
    pub(super) async fn demand(&mut self, kind: DemandKind) -> Result<()> {
        let known = self.known();
        let place = self.anybody(|person| (person.id.0 as usize) <= known)?;
        let member = self.people[place].id;
        self.disputed = Some((member, kind));
        self.demand_of(member, kind).await?;
        // 24 hours for an answer, and the block after.
        self.agenda.add(self.site.now().await? + 24 * HOUR + 60, Deed::VoidUnanswered);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_spoilt_and_each_by_itself() {
        let header: Header = serde_json::from_value(serde_json::json!({
            "epoch": 7, "attempt": 0, "previous_root": B256::ZERO, "root": B256::ZERO, "params_hash": B256::ZERO,
            "inputs_root": B256::ZERO, "sheet_digest": B256::ZERO, "sharers": 3, "payout": "5",
            "sum_usage": U256::from(1), "sum_data": U256::from(1), "sum_early": U256::from(1),
            "sum_data_award": U256::from(1), "sum_gov_award": U256::from(1), "cash_allocated": "1",
            "data_awarded": "1", "data_earned": "1", "gov_awarded": "1", "gov_earned": "1",
        }))
        .unwrap_or_else(|error| panic!("{error}"));
        let mut whole = header.clone();
        let plain = |header: &Header| serde_json::to_value(header).unwrap_or_default();
        for field in &FIELDS {
            let mut spoilt = header.clone();
            (field.spoil)(&mut spoilt);
            (field.spoil)(&mut whole);
            let (was, is) = (plain(&header), plain(&spoilt));
            let changed: Vec<&String> = was
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, value)| is[name.as_str()] != **value)
                .map(|(name, _)| name)
                .collect();
            assert_eq!(changed.len(), 1, "{}", field.name);
            assert_eq!(changed[0].replace('_', ""), field.name.to_lowercase());
        }
        let (was, is) = (plain(&header), plain(&whole));
        assert!(was.as_object().into_iter().flatten().all(|(name, value)| is[name.as_str()] != *value), "{is}");
    }
}
