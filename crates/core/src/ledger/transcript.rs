//! Everything that settled epochs were computed from: what an appointed auditor is given, and needs beside the chain.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::hash::{input_blinder, salt};
use super::header::{Header, Roots};
use super::inputs::EpochInputs;
use super::keys::NO_ROW_KEY;
use super::params::Params;
use super::row::Row;
use super::step::{Global, Settled, step};
use super::tree::{Tree, empty_root, inputs_tree, row_tree};
use crate::ids::{Epoch, MemberId};

/// The settled epochs from the first one on, with the members' row keys. It holds what members earn: it is given to
/// auditors, sealed, and never published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// Depth of the trees.
    pub depth: u8,
    /// Row keys by member. Who erased everything has none any more.
    pub row_keys: BTreeMap<MemberId, B256>,
    /// Epochs in order, from 1.
    pub epochs: Vec<SettledInputs>,
}

/// What one epoch was settled from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettledInputs {
    /// The parameters in force.
    pub params: Params,
    /// What entered.
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
    /// Of each member who erased everything since, what only the destroyed row key gives: the salt of the row and the
    /// blinder of the inputs in this epoch.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub destroyed: BTreeMap<MemberId, (B256, B256)>,
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

/// A settled epoch with its trees.
#[derive(Clone, Debug)]
pub struct Round {
    /// The rows and sums.
    pub settled: Settled,
    /// Over rows.
    pub tree: Tree,
    /// Over inputs.
    pub inputs: Tree,
    /// What stewards sign.
    pub header: Header,
}

impl Books {
    /// Before the first epoch.
    #[must_use]
    pub fn new(depth: u8) -> Self {
        Self { depth, global: Global::default(), rows: Vec::new(), root: empty_root(depth) }
    }

    /// Settles the next epoch; [`Self::close`] makes it the last one.
    ///
    /// # Errors
    /// As [`step`], and where a tree is full.
    pub fn settle(
        &self,
        epoch: &SettledInputs,
        row_key: impl Fn(MemberId) -> B256 + Sync,
    ) -> Result<Round, LedgerError> {
        let (params, number) = (&epoch.params, Epoch(self.global.epoch.0 + 1));
        let settled = step(params, number, &self.global, &self.rows, &epoch.inputs)?;
        let destroyed = |member: MemberId| epoch.destroyed.get(&member).copied();
        let key = |m: MemberId| if epoch.unkeyed.contains(&m) { NO_ROW_KEY } else { row_key(m).0 };
        let salt = |m: MemberId| destroyed(m).map_or_else(|| salt(&key(m), number), |(salt, _)| salt);
        let blinder = |m: MemberId| destroyed(m).map_or_else(|| input_blinder(&key(m), number), |(_, b)| b);
        let tree = row_tree(params, self.depth, &settled.rows, &settled.inputs, salt)?;
        let inputs = inputs_tree(self.depth, &settled.inputs, blinder)?;
        let roots = Roots { previous: self.root, rows: tree.root(), inputs: inputs.root(), sheet: epoch.sheet };
        let header = Header::new(params, &settled, &roots, epoch.attempt);
        Ok(Round { settled, tree, inputs, header })
    }

    /// Takes over a round that became final.
    pub fn close(&mut self, round: &Round) {
        self.global = round.settled.global.clone();
        self.rows.clone_from(&round.settled.rows);
        self.root = round.header.root;
    }
}

impl Transcript {
    /// Recomputes every epoch and hands each round over; the first error of `see` ends it.
    ///
    /// # Errors
    /// Where the inputs contradict each other, or what `see` returns.
    pub fn replay<E: From<LedgerError>>(&self, mut see: impl FnMut(&Round) -> Result<(), E>) -> Result<Books, E> {
        let mut books = Books::new(self.depth);
        let row_key = |member: MemberId| self.row_keys.get(&member).copied().unwrap_or_default();
        for epoch in &self.epochs {
            let round = books.settle(epoch, row_key)?;
            see(&round)?;
            books.close(&round);
        }
        Ok(books)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::ids::ContributionId;
    use crate::ledger::{Contribution, DEPTH, Score, Usage};

    const MEMBER: MemberId = MemberId(1);

    fn transcript() -> Transcript {
        let score = Score { quality: 8_000, uniqueness: 10_000, authenticity: 10_000, rarity: 12_500 };
        let inputs = |contributions| EpochInputs {
            members: 1,
            active: vec![MEMBER],
            contributions,
            usage: vec![(MEMBER, Usage { n: 1, k: 0, w: 0 })],
            ..EpochInputs::default()
        };
        let epoch = |inputs| SettledInputs {
            params: Params::default(),
            inputs,
            attempt: 0,
            sheet: B256::ZERO,
            root: B256::ZERO,
            unkeyed: BTreeSet::new(),
            destroyed: BTreeMap::new(),
        };
        let first = Contribution { member: MEMBER, id: ContributionId(1), score };
        Transcript {
            depth: DEPTH,
            row_keys: [(MEMBER, B256::repeat_byte(7))].into(),
            epochs: vec![epoch(inputs(vec![first])), epoch(inputs(Vec::new()))],
        }
    }

    fn headers(transcript: &Transcript) -> Vec<Header> {
        let mut headers = Vec::new();
        let keep = |round: &Round| {
            headers.push(round.header.clone());
            Ok::<(), LedgerError>(())
        };
        transcript.replay(keep).unwrap();
        headers
    }

    #[test]
    fn each_epoch_names_the_root_before() {
        let headers = headers(&transcript());
        assert_eq!(headers.len(), 2);
        assert_eq!(headers[0].previous_root, empty_root(DEPTH));
        assert_eq!(headers[1].previous_root, headers[0].root);
        assert_eq!(headers[1].data_awarded, 10_000_000_000_000_000_000, "10,000 points");
    }

    #[test]
    fn survives_json_and_a_changed_score_changes_the_root() {
        let told = transcript();
        let read: Transcript = serde_json::from_str(&serde_json::to_string(&told).unwrap()).unwrap();
        assert_eq!(read, told);
        let mut changed = told.clone();
        changed.epochs[0].inputs.contributions[0].score.quality += 1_000;
        assert_ne!(headers(&changed)[0].root, headers(&told)[0].root);
    }

    #[test]
    fn a_key_that_came_late_salts_from_its_epoch_on() {
        let mut late = transcript();
        late.epochs[0].unkeyed.insert(MEMBER);
        let mut never = late.clone();
        never.epochs[1].unkeyed.insert(MEMBER);
        never.row_keys.clear();
        let (told, late, never) = (headers(&transcript()), headers(&late), headers(&never));
        assert_eq!(late[0].root, never[0].root, "nobody had it");
        assert!(late[0].root != told[0].root && late[1].root != never[1].root);
        assert_eq!(late[1].root, told[1].root, "from the second epoch on as if it had always been there");
    }

    #[test]
    fn a_destroyed_row_key_is_stood_in_for() {
        let mut told = transcript();
        let key = told.row_keys.remove(&MEMBER).unwrap();
        for (epoch, number) in told.epochs.iter_mut().zip(1..) {
            epoch.destroyed.insert(MEMBER, (salt(&key.0, Epoch(number)), input_blinder(&key.0, Epoch(number))));
        }
        assert_eq!(headers(&told), headers(&transcript()));
    }
}
