//! Settling an epoch: from its inputs and the rows before it to the header that stewards sign. Stewards, the simulated year and
//! auditors all do it here.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::hash::{CLOSED_PRIVATE, inputs_leaf, leaf, private_hash, secrets};
use super::header::{Header, Roots};
use super::inputs::EpochInputs;
use super::keys::NO_ROW_KEY;
use super::parallel::parallel;
use super::params::Params;
use super::row::{Amounts, Row, Shared, amounts};
use super::step::{Global, Settled, Told, Totals, member, step, step_as_told};
use super::tree::{Tree, empty_root};
use crate::ids::{Epoch, MemberId};

/// What one epoch was settled from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettledInputs {
    /// The parameters in force.
    pub params: Params,
    /// What the epoch was computed from.
    pub inputs: EpochInputs,
    /// The attempt that became final.
    pub attempt: u32,
    /// Digest of the sealed sheet.
    pub sheet: B256,
    /// The root that became final, for a reader to compare with its own; nothing is computed from it.
    pub root: B256,
    /// Members whose row key none of the epoch's signers held, as its sheet lists them: zeros salted their rows.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unkeyed: BTreeSet<MemberId>,
    /// Of members who erased everything since, what cannot be computed any more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stand_ins: BTreeMap<MemberId, StandIn>,
    /// The header's sums, where inputs of a stand-in are gone: nobody else's row follows without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sums: Option<Sums>,
}

/// What stands for a member's part of an epoch once its row key, or everything that its row was computed from, was destroyed. The roots
/// bind it: another one gives another header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandIn {
    /// Hash of the private part, which only the row key gives.
    pub private_hash: B256,
    /// Leaf of the inputs.
    pub inputs_leaf: B256,
    /// What the leaf shows, where the row is not computed: its inputs are gone too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amounts: Option<Amounts>,
}

/// What a header says of all rows together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// Of the epoch.
    pub shared: Shared,
    /// Since the start.
    pub totals: Totals,
}

impl From<&Header> for Sums {
    fn from(header: &Header) -> Self {
        Self { shared: header.shared(), totals: header.totals() }
    }
}

/// The state after an epoch, from which the next one is settled.
#[derive(Clone, Debug)]
pub struct Books {
    depth: u8,
    /// What belongs to no single member.
    pub global: Global,
    /// Rows by id from 1.
    pub rows: Vec<Row>,
    /// The last root.
    pub root: B256,
}

/// What both trees hold of one member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leaf {
    /// What the chain may see.
    pub amounts: Amounts,
    /// Hash of the private part.
    pub private_hash: B256,
    /// Leaf of the inputs.
    pub inputs: B256,
}

/// A settled epoch with its trees.
#[derive(Clone, Debug)]
pub struct Round {
    /// The rows and sums.
    pub settled: Settled,
    /// What the trees hold, by id from 1.
    pub leaves: Vec<Leaf>,
    /// The tree over the members' rows.
    pub tree: Tree,
    /// The tree over the rows' inputs.
    pub inputs: Tree,
    /// What stewards sign.
    pub header: Header,
}

impl Books {
    /// Before the first epoch.
    #[must_use]
    pub fn new(depth: u8) -> Self {
        Self::at(depth, Global::default(), Vec::new(), empty_root(depth))
    }

    /// After an epoch.
    #[must_use]
    pub const fn at(depth: u8, global: Global, rows: Vec<Row>, root: B256) -> Self {
        Self { depth, global, rows, root }
    }

    /// Settles the next epoch; [`Self::close`] makes it the last one. `row_key` is asked for members whose row needs theirs.
    ///
    /// # Errors
    /// As [`step`], where a row key is missing, and where a tree is full.
    pub fn settle(
        &self,
        epoch: &SettledInputs,
        row_key: impl Fn(MemberId) -> Option<[u8; 32]> + Sync,
    ) -> Result<Round, LedgerError> {
        let (params, number) = (&epoch.params, Epoch(self.global.epoch.0 + 1));
        let settled = match &epoch.sums {
            None => step(params, number, &self.global, &self.rows, &epoch.inputs)?,
            Some(sums) => {
                let told = Told { shared: &sums.shared, totals: &sums.totals, gone: &|id| gone(epoch, id) };
                step_as_told(params, number, &self.global, &self.rows, &epoch.inputs, &told)?
            }
        };
        let leaves = parallel(settled.rows.len(), |index| {
            let of = leaf_of(epoch, number, &settled, index, &row_key)?;
            Ok((of, leaf(member(index), &of.amounts, of.private_hash)))
        })?;
        let (leaves, rows): (Vec<Leaf>, Vec<B256>) = leaves.into_iter().unzip();
        let tree = Tree::new(self.depth, &rows)?;
        drop(rows);
        let inputs = Tree::new(self.depth, &leaves.iter().map(|leaf| leaf.inputs).collect::<Vec<_>>())?;
        let roots = Roots { previous: self.root, rows: tree.root(), inputs: inputs.root(), sheet: epoch.sheet };
        let header = Header::new(params, &settled, &roots, epoch.attempt);
        Ok(Round { settled, leaves, tree, inputs, header })
    }

    /// Takes over a round that became final.
    pub fn close(&mut self, round: &Round) {
        self.global = round.settled.global.clone();
        self.rows.clone_from(&round.settled.rows);
        self.root = round.header.root;
    }
}

/// The row of a member of whose epoch only the leaf is left. Nothing is computed from it but what the ledger owes a closed one.
fn gone(epoch: &SettledInputs, member: MemberId) -> Option<Row> {
    let stand_in = epoch.stand_ins.get(&member)?;
    stand_in.amounts.map(|shown| Row::shown(&shown, stand_in.private_hash == CLOSED_PRIVATE))
}

/// What the trees hold of the member at `index`. Who is not active hides no inputs.
fn leaf_of(
    epoch: &SettledInputs,
    number: Epoch,
    settled: &Settled,
    index: usize,
    row_key: &impl Fn(MemberId) -> Option<[u8; 32]>,
) -> Result<Leaf, LedgerError> {
    let (id, row, inputs) = (member(index), &settled.rows[index], &settled.inputs[index]);
    if let Some(StandIn { private_hash, inputs_leaf, amounts: shown }) = epoch.stand_ins.get(&id) {
        let shown = match shown {
            Some(shown) => *shown,
            None => amounts(&epoch.params, id, row, inputs.active)?,
        };
        return Ok(Leaf { amounts: shown, private_hash: *private_hash, inputs: *inputs_leaf });
    }
    let amounts = amounts(&epoch.params, id, row, inputs.active)?;
    let key = if row.closed || epoch.unkeyed.contains(&id) { Some(NO_ROW_KEY) } else { row_key(id) };
    let (salt, blinder) = secrets(&key.ok_or(LedgerError::NoRowKey(id))?, number);
    let blinder = if inputs.active { blinder } else { B256::ZERO };
    Ok(Leaf { amounts, private_hash: private_hash(row, salt), inputs: inputs_leaf(id, inputs, blinder) })
}
