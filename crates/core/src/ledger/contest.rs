//! What a member opens where it contests its row, and what comes out: the contract's `ContestVerifier`, step by step, so
//! that nobody sends what the contract refuses or finds right.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::hash::{inputs_leaf, leaf, private_hash, salt};
use super::header::Header;
use super::inputs::Inputs;
use super::keys::{NO_ROW_KEY, row_secret};
use super::params::Params;
use super::row::{Amounts, Row, amounts, settle_row};
use super::tree::verify;
use crate::ids::{Epoch, MemberId};

/// Bits of an amount from which the step may overflow by sums of what a row holds.
const WIDE: u32 = 126;

/// The member's row in the root before, with its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OldRow {
    /// The exact row; none where the member had none, and its leaf is empty.
    pub row: Option<Row>,
    /// What its leaf shows.
    pub shown: Amounts,
    /// Sibling hashes, lowest level first.
    pub proof: Vec<B256>,
}

/// The member's inputs with what opens them in the header's tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedInputs {
    /// What the row was computed from.
    pub inputs: Inputs,
    /// What hides them in their leaf.
    pub blinder: B256,
    /// Sibling hashes, lowest level first.
    pub proof: Vec<B256>,
}

/// The leaf that was proposed, with its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLeaf {
    /// What it shows.
    pub shown: Amounts,
    /// Hash of the private part.
    pub private_hash: B256,
    /// Sibling hashes, lowest level first.
    pub proof: Vec<B256>,
}

/// Why an opening proves nothing: which part does not open what the header commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// The parameters are not those that the header names.
    #[error("the parameters are not those of the header")]
    Params,
    /// Another old row, or another key.
    #[error("the old row is not in the root before, under this row key or none")]
    OldRow,
    /// The inputs are not those that the header binds.
    #[error("the inputs are not those that the header commits to")]
    Inputs,
    /// The leaf is not the one under the root.
    #[error("the new leaf is not in the proposed root")]
    NewLeaf,
    /// The ledger writes no such row.
    #[error("the old row is one from which the formula cannot go on, whatever was proposed")]
    NoWayOn,
}

impl OldRow {
    /// Whether it stands in the root before, under the member's key or zeros.
    #[must_use]
    pub fn opens(&self, header: &Header, depth: u8, member: MemberId, row_key: &[u8; 32]) -> bool {
        let last = Epoch(header.epoch.0.saturating_sub(1));
        let stands = |found: B256| verify(header.previous_root, depth, member, found, &self.proof);
        let Some(row) = &self.row else { return stands(B256::ZERO) };
        [*row_key, NO_ROW_KEY].iter().any(|key| stands(leaf(member, &self.shown, private_hash(row, salt(key, last)))))
    }
}

impl OpenedInputs {
    /// Whether they are what the header commits to.
    #[must_use]
    pub fn opens(&self, header: &Header, depth: u8, member: MemberId) -> bool {
        verify(header.inputs_root, depth, member, inputs_leaf(member, &self.inputs, self.blinder), &self.proof)
    }
}

impl NewLeaf {
    /// Whether it stands in the proposed root.
    #[must_use]
    pub fn opens(&self, header: &Header, depth: u8, member: MemberId) -> bool {
        verify(header.root, depth, member, leaf(member, &self.shown, self.private_hash), &self.proof)
    }
}

/// Whether the row that a header commits to is another than the one that the formula gives, under the member's key or
/// zeros. Inputs that the formula refuses make a row wrong.
///
/// # Errors
/// With the part that does not open, or where no row can come after the old one.
pub fn is_wrong(
    header: &Header,
    params: &Params,
    depth: u8,
    member: MemberId,
    row_key: &[u8; 32],
    (old, inputs, new): (&OldRow, &OpenedInputs, &NewLeaf),
) -> Result<bool, Unopened> {
    let ensure = |holds: bool, fault: Unopened| if holds { Ok(()) } else { Err(fault) };
    ensure(params.hash() == header.params_hash, Unopened::Params)?;
    ensure(old.opens(header, depth, member, row_key), Unopened::OldRow)?;
    ensure(inputs.opens(header, depth, member), Unopened::Inputs)?;
    ensure(new.opens(header, depth, member), Unopened::NewLeaf)?;
    let before = old.row.clone().unwrap_or_else(|| Row::new(header.epoch));
    ensure(can_go_on(header.epoch, &before), Unopened::NoWayOn)?;
    let Ok(settled) = settle_row(params, &header.shared(), member, &before, &inputs.inputs) else { return Ok(true) };
    let Ok(shown) = amounts(params, member, &settled.row, inputs.inputs.active) else { return Ok(true) };
    let salted = row_secret(&settled.row, header.epoch, new.private_hash, Some(row_key)).is_some();
    Ok(shown != new.shown || !salted)
}

/// Whether the formula gives a row after `row`, whatever sensible inputs.
fn can_go_on(epoch: Epoch, row: &Row) -> bool {
    let amounts = row.cash_earned
        | row.cash_streaming
        | row.data_earned
        | row.gov_earned
        | row.data_locked
        | row.data_vesting
        | row.gov_locked
        | row.gov_vesting
        | row.usage_weight;
    amounts >> WIDE == 0 && row.last_contribution < epoch.0 && row.join_epoch <= epoch.0
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::ids::ContributionId;
    use crate::ledger::{Books, Contribution, EpochInputs, Round, Score, SettledInputs, Usage, input_blinder};
    use std::collections::{BTreeMap, BTreeSet};

    const DEPTH: u8 = 4;

    #[test]
    fn amounts_are_wide_where_the_verifier_finds_them_so() {
        let table: serde_json::Value = serde_json::from_str(include_str!("../../../../vectors/bounds.json")).unwrap();
        let place = table["names"].as_array().unwrap().iter().position(|name| name == "wide").unwrap();
        assert_eq!(table["values"][place], WIDE.to_string());
    }
    const ADA: MemberId = MemberId(1);
    const KEY: [u8; 32] = [7; 32];

    fn epoch(unkeyed: bool) -> SettledInputs {
        let score = Score { quality: 8_000, uniqueness: 10_000, authenticity: 10_000, rarity: 12_500 };
        SettledInputs {
            params: Params::default(),
            inputs: EpochInputs {
                members: 2,
                active: vec![ADA, MemberId(2)],
                contributions: vec![Contribution { member: ADA, id: ContributionId(1), score }],
                usage: vec![(ADA, Usage { n: 1, k: 0, w: 0 })],
                ..EpochInputs::default()
            },
            attempt: 0,
            sheet: B256::ZERO,
            root: B256::ZERO,
            unkeyed: if unkeyed { BTreeSet::from([ADA]) } else { BTreeSet::new() },
            stand_ins: BTreeMap::new(),
            sums: None,
        }
    }

    /// The second epoch after a first that was salted with or without the key, and the opening of ada's row in it.
    fn second(first: bool, unkeyed: bool) -> (Round, OldRow, OpenedInputs, NewLeaf) {
        let row_key = |_| Some(KEY);
        let mut books = Books::new(DEPTH);
        let before = books.settle(&epoch(first), row_key).unwrap();
        books.close(&before);
        let mut now = epoch(unkeyed);
        now.inputs.contributions.clear();
        let round = books.settle(&now, row_key).unwrap();
        let params = Params::default();
        let shown = |round: &Round| amounts(&params, ADA, &round.settled.rows[0], true).unwrap();
        let old = OldRow {
            row: Some(before.settled.rows[0].clone()),
            shown: shown(&before),
            proof: before.tree.proof(ADA).unwrap(),
        };
        let key = if unkeyed { NO_ROW_KEY } else { KEY };
        let inputs = OpenedInputs {
            inputs: round.settled.inputs[0].clone(),
            blinder: input_blinder(&key, Epoch(2)),
            proof: round.inputs.proof(ADA).unwrap(),
        };
        let new = NewLeaf {
            shown: shown(&round),
            private_hash: private_hash(&round.settled.rows[0], salt(&key, Epoch(2))),
            proof: round.tree.proof(ADA).unwrap(),
        };
        (round, old, inputs, new)
    }

    fn judged(header: &Header, old: &OldRow, inputs: &OpenedInputs, new: &NewLeaf) -> Result<bool, Unopened> {
        is_wrong(header, &Params::default(), DEPTH, ADA, &KEY, (old, inputs, new))
    }

    #[test]
    fn a_right_row_is_right_under_either_salt_before_and_now() {
        for (first, unkeyed) in [(false, false), (true, false), (false, true), (true, true)] {
            let (round, old, inputs, new) = second(first, unkeyed);
            assert_eq!(judged(&round.header, &old, &inputs, &new), Ok(false), "{first} {unkeyed}");
        }
    }

    #[test]
    fn a_falsified_row_is_wrong_whatever_salts_it() {
        for key in [KEY, NO_ROW_KEY, [9; 32]] {
            let (round, old, inputs, mut new) = second(false, false);
            let mut row = round.settled.rows[0].clone();
            row.data_locked -= 1;
            new.private_hash = private_hash(&row, salt(&key, Epoch(2)));
            let mut header = round.header.clone();
            header.root = root_of(leaf(ADA, &new.shown, new.private_hash), &new.proof);
            assert_eq!(judged(&header, &old, &inputs, &new), Ok(true));
        }
    }

    #[test]
    fn the_honest_row_under_a_salt_of_the_signers_own_is_wrong() {
        let (round, old, inputs, mut new) = second(false, false);
        new.private_hash = private_hash(&round.settled.rows[0], salt(&[9; 32], Epoch(2)));
        let mut header = round.header.clone();
        header.root = root_of(leaf(ADA, &new.shown, new.private_hash), &new.proof);
        assert_eq!(judged(&header, &old, &inputs, &new), Ok(true));
    }

    #[test]
    fn what_does_not_open_is_named() {
        let (round, old, inputs, new) = second(false, false);
        let header = &round.header;
        let other = Params { smoothing: 5, ..Params::default() };
        let judged_by = |params| is_wrong(header, params, DEPTH, ADA, &KEY, (&old, &inputs, &new));
        assert_eq!(judged_by(&other), Err(Unopened::Params));
        let false_old = OldRow { row: None, ..old.clone() };
        assert_eq!(judged(header, &false_old, &inputs, &new), Err(Unopened::OldRow));
        let hidden = OpenedInputs { blinder: B256::ZERO, ..inputs.clone() };
        assert_eq!(judged(header, &old, &hidden, &new), Err(Unopened::Inputs));
        let elsewhere = NewLeaf { private_hash: B256::ZERO, ..new.clone() };
        assert_eq!(judged(header, &old, &inputs, &elsewhere), Err(Unopened::NewLeaf));
        let wide = Row { data_earned: 1 << 126, ..Row::default() };
        assert!(!can_go_on(Epoch(2), &wide) && can_go_on(Epoch(2), old.row.as_ref().unwrap()));
        assert!(!can_go_on(Epoch(1), old.row.as_ref().unwrap()), "it contributed in the epoch that is settled");
    }

    fn root_of(leaf: B256, proof: &[B256]) -> B256 {
        let side = |height: usize| (ADA.0 >> height) & 1 == 0;
        proof.iter().enumerate().fold(leaf, |below, (height, sibling)| {
            if side(height) { crate::ledger::node(below, *sibling) } else { crate::ledger::node(*sibling, below) }
        })
    }
}
