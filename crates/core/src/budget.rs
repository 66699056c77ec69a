//! The privacy budget: zCDP in whole nano-ρ, and the hash-chained log in which every release is charged before it happens.
//!
//! One log per pool. The worker proposes entry *i*; a steward signs one entry per index, and only while it holds 1…*i* − 1; a
//! majority commits. Two majorities share a steward, and no honest steward signs two entries at one index, so two entries can only
//! both commit where a steward equivocates, which is provable and halts the pool. A lifetime budget is never reset.
//!
//! ```text
//! worker ──entry i──▶ StewardLog::sign ─signature─▶ Tally ──majority──▶ committed ──▶ StewardLog::commit on every steward
//! ```

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U256, keccak256};
use alloy_sol_types::SolValue;
use serde::{Deserialize, Serialize};

use crate::ids::{LicenseId, Purpose, StewardId};

/// Nano-zCDP in one unit of ρ.
pub const NANO: u64 = 1_000_000_000;

/// The EIP-712 type of [`BudgetEntry`].
pub const ENTRY_TYPE: &str = "BudgetEntry(uint64 index,bytes32 previous,bytes32 queryDigest,bytes32 snapshot,\
                              uint64 licenseId,uint16 purpose,uint64 rho,uint256 deadline)";

/// Why a charge is not made.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BudgetError {
    /// Nothing to divide by.
    #[error("noise of scale 0 has no finite cost")]
    NoNoise,
    /// A cost beyond any budget.
    #[error("the charge does not fit 64 bits of nano-zCDP: more noise, or less sensitivity")]
    Unpayable,
    /// An entry must cost something.
    #[error("entry {index}: rho is 0; every release is charged")]
    Free {
        /// Index.
        index: u64,
    },
    /// The pool's lifetime budget is used up.
    #[error(
        "entry {index} asks {asked} nano-zCDP, {left} of {total} are left in this pool; the budget is for life and never reset"
    )]
    Exhausted {
        /// Index.
        index: u64,
        /// What it costs.
        asked: u64,
        /// What is left.
        left: u64,
        /// The lifetime budget.
        total: u64,
    },
    /// Not the next index.
    #[error("entry {index}, but this log holds 1 to {held}: send the entries between first")]
    Gap {
        /// Index.
        index: u64,
        /// Committed entries held.
        held: u64,
    },
    /// The hash chain does not fit.
    #[error("entry {index} follows {given}, but entry {} here is {held}", index - 1)]
    Previous {
        /// Index.
        index: u64,
        /// What the entry names.
        given: B256,
        /// What is held.
        held: B256,
    },
    /// This steward signed something else at that index.
    #[error(
        "this steward signed {signed} at index {index} and signs no other entry there; propose that one again, or wait for the majority"
    )]
    SignedOther {
        /// Index.
        index: u64,
        /// Hash of what was signed.
        signed: B256,
    },
    /// Past.
    #[error("entry {index} expired at {deadline}, now is {now}")]
    Expired {
        /// Index.
        index: u64,
        /// Unix seconds.
        deadline: U256,
        /// Unix seconds.
        now: u64,
    },
    /// Already released.
    #[error("query {query} on snapshot {snapshot} is paid by entry {index}: give the stored answer, charge nothing")]
    Answered {
        /// Digest of the query.
        query: B256,
        /// Digest of the snapshot.
        snapshot: B256,
        /// Index of the entry that paid.
        index: u64,
    },
    /// Provable misbehaviour.
    #[error("the pool is halted: steward {steward} signed both {first} and {second} at index {index}")]
    Halted {
        /// Who.
        steward: StewardId,
        /// Where.
        index: u64,
        /// One entry.
        first: B256,
        /// The other.
        second: B256,
    },
    /// Not a seat of this generation.
    #[error("steward {0} has no seat in this generation")]
    NoSeat(StewardId),
    /// Too few signatures.
    #[error("entry {index} has {have} of {want} signatures: a majority of all seats commits")]
    NoMajority {
        /// Index.
        index: u64,
        /// Valid ones.
        have: usize,
        /// Needed.
        want: usize,
    },
}

/// ρ of Gaussian noise with standard deviation `sigma_milli` / 1,000 on a statistic of L2 sensitivity `sensitivity`:
/// Δ² / 2σ², in nano-zCDP, rounded up. Bun and Steinke 2016, proposition 1.6; Canonne, Kamath and Steinke 2020 for the discrete
/// Gaussian.
///
/// # Errors
/// Where there is no noise, or the cost does not fit 64 bits.
pub fn charge(sensitivity: u64, sigma_milli: u64) -> Result<u64, BudgetError> {
    if sigma_milli == 0 {
        return Err(BudgetError::NoNoise);
    }
    let square = |value: u64| U256::from(value) * U256::from(value);
    // Δ² · 10^6 · 10^9 / 2σ²: at most 2^128 · 2^50.
    let cost = (square(sensitivity) * U256::from(1_000_000_000_000_000u64)).div_ceil(square(sigma_milli) << 1);
    u64::try_from(cost).map_err(|_| BudgetError::Unpayable)
}

/// The least standard deviation, in thousandths, whose [`charge`] is at most `rho`.
///
/// # Errors
/// Where `rho` is 0 or the deviation does not fit 64 bits.
pub fn noise_for(sensitivity: u64, rho: u64) -> Result<u64, BudgetError> {
    if rho == 0 {
        return Err(BudgetError::Unpayable);
    }
    // Charges fall as the noise grows: search the least that is affordable.
    let affordable = |sigma| charge(sensitivity, sigma).is_ok_and(|cost| cost <= rho);
    if !affordable(u64::MAX) {
        return Err(BudgetError::Unpayable);
    }
    let (mut low, mut high) = (1, u64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        if affordable(middle) { high = middle } else { low = middle + 1 }
    }
    Ok(high)
}

/// An entry of the log: what stewards sign before a release. Its hash is the EIP-712 `hashStruct`, so that the chain and the log name
/// it alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetEntry {
    /// From 1.
    pub index: u64,
    /// Hash of the entry before; 0 for the first.
    pub previous: B256,
    /// Digest of the query.
    pub query_digest: B256,
    /// Digest of the snapshot.
    pub snapshot: B256,
    /// The license that pays.
    pub license_id: LicenseId,
    /// The license's purpose.
    pub purpose: Purpose,
    /// The charge, nano-zCDP.
    pub rho: u64,
    /// Unix seconds; the entry is not signed after it.
    pub deadline: U256,
}

impl BudgetEntry {
    /// `keccak(abi.encode(TYPEHASH, fields))`.
    #[must_use]
    pub fn hash(&self) -> B256 {
        let fields = (
            keccak256(ENTRY_TYPE),
            U256::from(self.index),
            self.previous,
            self.query_digest,
            self.snapshot,
            U256::from(self.license_id.0),
            U256::from(self.purpose.0),
            U256::from(self.rho),
            self.deadline,
        );
        keccak256(fields.abi_encode_params())
    }
}

/// Signatures that commit an entry: more than half of all seats.
#[must_use]
pub fn majority(seats: u8) -> usize {
    usize::from(seats) / 2 + 1
}

/// A steward's own copy of the log: what it may sign, what it has signed, what is committed. Persist it before a signature leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StewardLog {
    total: u64,
    spent: u64,
    entries: Vec<BudgetEntry>,
    head: B256,
    signed: Option<BudgetEntry>,
}

impl StewardLog {
    /// An empty log of a pool with a lifetime budget of `total` nano-zCDP.
    #[must_use]
    pub fn new(total: u64) -> Self {
        Self { total, spent: 0, entries: Vec::new(), head: B256::ZERO, signed: None }
    }

    /// The log as a store kept it: the committed entries in order, and what was signed at the next index.
    ///
    /// # Errors
    /// Where the entries are not a log of this pool; the store is damaged then, and nothing may be signed.
    pub fn restore(
        total: u64,
        entries: impl IntoIterator<Item = BudgetEntry>,
        signed: Option<BudgetEntry>,
    ) -> Result<Self, BudgetError> {
        let mut log = Self::new(total);
        for entry in entries {
            log.check(&entry)?;
            log.append(entry);
        }
        if let Some(entry) = signed {
            log.countersign(&entry)?;
        }
        Ok(log)
    }

    /// Committed entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[BudgetEntry] {
        &self.entries
    }

    /// Hash of the last committed entry; 0 before the first.
    #[must_use]
    pub fn head(&self) -> B256 {
        self.head
    }

    /// Index of the next entry.
    #[must_use]
    pub fn next_index(&self) -> u64 {
        self.entries.len() as u64 + 1
    }

    /// What is left of the lifetime budget, nano-zCDP.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.total - self.spent
    }

    /// What this steward signed at the next index, if anything. A proposer that lost its reply asks for it here.
    #[must_use]
    pub fn pending(&self) -> Option<&BudgetEntry> {
        self.signed.as_ref()
    }

    /// The entry that already paid for `query` on `snapshot`.
    #[must_use]
    pub fn answered(&self, query: B256, snapshot: B256) -> Option<&BudgetEntry> {
        self.entries.iter().find(|entry| entry.query_digest == query && entry.snapshot == snapshot)
    }

    /// Decides whether this steward signs `entry` at `now` (unix seconds), and remembers that it did. Signing the same entry again is the
    /// same signature.
    ///
    /// # Errors
    /// With what stands against it.
    pub fn sign(&mut self, entry: &BudgetEntry, now: u64) -> Result<B256, BudgetError> {
        self.check(entry)?;
        if self.signed.is_none() && U256::from(now) > entry.deadline {
            return Err(BudgetError::Expired { index: entry.index, deadline: entry.deadline, now });
        }
        self.bind(entry)
    }

    /// As [`StewardLog::sign`], but whatever the time: for an entry that comes with another steward's verified signature.
    ///
    /// Who signed is bound for good. If two entries at one index each had one signature and both expired, nobody could complete either, and the
    /// log would end there.
    ///
    /// # Errors
    /// With what stands against it.
    pub fn countersign(&mut self, entry: &BudgetEntry) -> Result<B256, BudgetError> {
        self.check(entry)?;
        self.bind(entry)
    }

    fn bind(&mut self, entry: &BudgetEntry) -> Result<B256, BudgetError> {
        match &self.signed {
            Some(signed) if signed != entry => {
                return Err(BudgetError::SignedOther { index: entry.index, signed: signed.hash() });
            }
            _ => {}
        }
        self.signed = Some(entry.clone());
        Ok(entry.hash())
    }

    /// Appends an entry that `signers` (verified signatures, distinct) have committed, whether or not this steward is one of them. The
    /// deadline does not matter any more: what a majority signed in time is charged.
    ///
    /// # Errors
    /// Where there is no majority, or the entry does not follow the log.
    pub fn commit(
        &mut self,
        entry: &BudgetEntry,
        signers: &BTreeSet<StewardId>,
        seats: u8,
    ) -> Result<B256, BudgetError> {
        if let Some(held) = entry.index.checked_sub(1).and_then(|index| self.entries.get(index as usize))
            && held == entry
        {
            return Ok(held.hash()); // told twice
        }
        let seated = signers.iter().filter(|steward| (1..=seats).contains(&steward.0)).count();
        if seated < majority(seats) {
            return Err(BudgetError::NoMajority { index: entry.index, have: seated, want: majority(seats) });
        }
        self.check(entry)?;
        self.append(entry.clone());
        Ok(self.head)
    }

    /// Appends what `check` has passed.
    fn append(&mut self, entry: BudgetEntry) {
        self.spent += entry.rho;
        self.head = entry.hash();
        self.entries.push(entry);
        self.signed = None;
    }

    /// Index, chain, budget and novelty.
    fn check(&self, entry: &BudgetEntry) -> Result<(), BudgetError> {
        let (index, held) = (entry.index, self.entries.len() as u64);
        if index != held + 1 {
            return Err(BudgetError::Gap { index, held });
        }
        if entry.previous != self.head {
            return Err(BudgetError::Previous { index, given: entry.previous, held: self.head });
        }
        if let Some(paid) = self.answered(entry.query_digest, entry.snapshot) {
            let (query, snapshot) = (entry.query_digest, entry.snapshot);
            return Err(BudgetError::Answered { query, snapshot, index: paid.index });
        }
        if entry.rho == 0 {
            return Err(BudgetError::Free { index });
        }
        if entry.rho > self.left() {
            return Err(BudgetError::Exhausted { index, asked: entry.rho, left: self.left(), total: self.total });
        }
        Ok(())
    }
}

/// Verified signatures as they come in, from any source: finds majorities and equivocation.
///
/// Once a steward is seen to have signed two entries at one index, the pool is halted for good: nothing commits any more until governance
/// replaces the tally.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    seats: u8,
    /// index → steward → what it signed
    signed: BTreeMap<u64, BTreeMap<StewardId, B256>>,
    halted: Option<Equivocation>,
}

/// Two entries signed by one steward at one index: with the two signatures, a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equivocation {
    /// Who.
    pub steward: StewardId,
    /// Where.
    pub index: u64,
    /// Hash of the entry seen first.
    pub first: B256,
    /// Hash of the other.
    pub second: B256,
}

impl From<Equivocation> for BudgetError {
    fn from(found: Equivocation) -> Self {
        let Equivocation { steward, index, first, second } = found;
        Self::Halted { steward, index, first, second }
    }
}

impl Tally {
    /// For a committee of `seats` stewards.
    #[must_use]
    pub fn new(seats: u8) -> Self {
        Self { seats, signed: BTreeMap::new(), halted: None }
    }

    /// The misbehaviour that halted the pool.
    #[must_use]
    pub fn halted(&self) -> Option<Equivocation> {
        self.halted
    }

    /// Counts a verified signature; returns the signers once they are a majority.
    ///
    /// # Errors
    /// Where the steward has no seat, or the pool is or becomes halted.
    pub fn count(
        &mut self,
        entry: &BudgetEntry,
        steward: StewardId,
    ) -> Result<Option<BTreeSet<StewardId>>, BudgetError> {
        if let Some(found) = self.halted {
            return Err(found.into());
        }
        if !(1..=self.seats).contains(&steward.0) {
            return Err(BudgetError::NoSeat(steward));
        }
        let (index, hash) = (entry.index, entry.hash());
        let at_index = self.signed.entry(index).or_default();
        let first = *at_index.entry(steward).or_insert(hash);
        if first != hash {
            let found = Equivocation { steward, index, first, second: hash };
            self.halted = Some(found);
            return Err(found.into());
        }
        let signers: BTreeSet<StewardId> =
            at_index.iter().filter(|(_, signed)| **signed == hash).map(|(steward, _)| *steward).collect();
        Ok((signers.len() >= majority(self.seats)).then_some(signers))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn entry(log: &StewardLog, query: u8, rho: u64) -> BudgetEntry {
        BudgetEntry {
            index: log.next_index(),
            previous: log.head(),
            query_digest: B256::repeat_byte(query),
            snapshot: B256::repeat_byte(0xee),
            license_id: LicenseId(1),
            purpose: Purpose(6),
            rho,
            deadline: U256::from(100),
        }
    }

    fn stewards(ids: &[u8]) -> BTreeSet<StewardId> {
        ids.iter().copied().map(StewardId).collect()
    }

    #[test]
    fn charges_round_up() {
        assert_eq!(charge(10, 100_000), Ok(5_000_000), "Δ = 10, σ = 100: ρ = 0.005");
        assert_eq!(charge(1, 1_000), Ok(500_000_000));
        assert_eq!(charge(1, 3_000), Ok(55_555_556), "1/18 is not whole");
        assert_eq!(charge(0, 1), Ok(0));
        assert_eq!(charge(1, 0), Err(BudgetError::NoNoise));
        assert_eq!(charge(u64::MAX, 1), Err(BudgetError::Unpayable));
    }

    #[test]
    fn noise_is_the_least_that_is_affordable() {
        for (sensitivity, rho) in [(1, 1), (1, 55_555_556), (10, 5_000_000), (1_000_000, 7), (3, NANO)] {
            let sigma = noise_for(sensitivity, rho).unwrap();
            assert!(charge(sensitivity, sigma).unwrap() <= rho);
            assert!(charge(sensitivity, sigma - 1).is_ok_and(|cost| cost > rho), "{sensitivity} {rho}");
        }
        assert_eq!(noise_for(10, 5_000_000), Ok(100_000));
        assert_eq!(noise_for(1, 0), Err(BudgetError::Unpayable));
    }

    #[test]
    fn an_entry_hashes_as_eip_712_does() {
        alloy_sol_types::sol! {
            struct BudgetEntry {
                uint64 index;
                bytes32 previous;
                bytes32 queryDigest;
                bytes32 snapshot;
                uint64 licenseId;
                uint16 purpose;
                uint64 rho;
                uint256 deadline;
            }
        }
        let ours = entry(&StewardLog::new(NANO), 3, 77);
        let theirs = BudgetEntry {
            index: ours.index,
            previous: ours.previous,
            queryDigest: ours.query_digest,
            snapshot: ours.snapshot,
            licenseId: ours.license_id.0,
            purpose: ours.purpose.0,
            rho: ours.rho,
            deadline: ours.deadline,
        };
        assert_eq!(ours.hash(), alloy_sol_types::SolStruct::eip712_hash_struct(&theirs));
    }

    #[test]
    fn a_steward_signs_one_entry_per_index_and_holds_those_before() {
        let mut log = StewardLog::new(100);
        let first = entry(&log, 1, 10);
        let hash = log.sign(&first, 50).unwrap();
        assert_eq!(log.sign(&first, 50), Ok(hash), "the same again");
        let other = entry(&log, 2, 10);
        assert_eq!(log.sign(&other, 50), Err(BudgetError::SignedOther { index: 1, signed: hash }));
        let ahead = BudgetEntry { index: 2, previous: hash, ..entry(&log, 2, 10) };
        assert_eq!(log.sign(&ahead, 50), Err(BudgetError::Gap { index: 2, held: 0 }));

        log.commit(&first, &stewards(&[1, 3]), 3).unwrap();
        assert_eq!((log.left(), log.head(), log.pending()), (90, hash, None));
        assert_eq!(log.sign(&first, 50), Err(BudgetError::Gap { index: 1, held: 1 }));
        log.sign(&ahead, 50).unwrap();
    }

    #[test]
    fn the_majority_overrules_what_a_steward_signed() {
        let mut log = StewardLog::new(100);
        log.sign(&entry(&log, 1, 10), 0).unwrap();
        let chosen = entry(&log, 2, 20);
        log.commit(&chosen, &stewards(&[2, 3]), 3).unwrap();
        assert_eq!(log.left(), 80);
        assert_eq!(log.commit(&chosen, &stewards(&[]), 3), Ok(log.head()), "told twice, charged once");
        assert_eq!(log.left(), 80);
    }

    #[test]
    fn a_minority_strangers_or_a_broken_chain_commit_nothing() {
        let mut log = StewardLog::new(100);
        let first = entry(&log, 1, 10);
        let few = BudgetError::NoMajority { index: 1, have: 1, want: 2 };
        assert_eq!(log.commit(&first, &stewards(&[1]), 3), Err(few.clone()));
        assert_eq!(log.commit(&first, &stewards(&[1, 4, 0]), 3), Err(few));
        let forked = BudgetEntry { previous: B256::repeat_byte(5), ..first.clone() };
        let error = log.commit(&forked, &stewards(&[1, 2]), 3).unwrap_err();
        assert!(matches!(error, BudgetError::Previous { .. }));
        assert_eq!((majority(3), majority(4), majority(5)), (2, 3, 3));
        assert_eq!(log, StewardLog::new(100), "nothing changed");
    }

    #[test]
    fn the_budget_is_for_life() {
        let mut log = StewardLog::new(25);
        for query in 1..=2 {
            let next = entry(&log, query, 10);
            log.commit(&next, &stewards(&[1, 2]), 3).unwrap();
        }
        let error = log.sign(&entry(&log, 3, 6), 0).unwrap_err();
        assert_eq!(error, BudgetError::Exhausted { index: 3, asked: 6, left: 5, total: 25 });
        assert_eq!(log.sign(&entry(&log, 3, 0), 0), Err(BudgetError::Free { index: 3 }));
        log.sign(&entry(&log, 3, 5), 0).unwrap();
    }

    #[test]
    fn an_answered_question_is_not_charged_again() {
        let mut log = StewardLog::new(100);
        let first = entry(&log, 1, 10);
        log.commit(&first, &stewards(&[1, 2]), 3).unwrap();
        let again = entry(&log, 1, 10);
        assert!(matches!(log.sign(&again, 0), Err(BudgetError::Answered { index: 1, .. })));
        assert_eq!(log.answered(first.query_digest, first.snapshot), Some(&first));
        let elsewhere = BudgetEntry { snapshot: B256::repeat_byte(1), ..again };
        log.sign(&elsewhere, 0).unwrap();
    }

    #[test]
    fn nothing_is_signed_after_its_deadline() {
        let mut log = StewardLog::new(100);
        let late = entry(&log, 1, 10);
        assert!(matches!(log.sign(&late, 101), Err(BudgetError::Expired { now: 101, .. })));
        assert_eq!(log.pending(), None);
        log.sign(&late, 100).unwrap();
        log.sign(&late, 101).unwrap(); // the same signature, asked for again
    }

    #[test]
    fn a_split_that_expired_can_still_be_completed() {
        let mut logs = [StewardLog::new(100), StewardLog::new(100), StewardLog::new(100)];
        let (one, two) = (entry(&logs[0], 1, 10), entry(&logs[0], 2, 10));
        logs[0].sign(&one, 100).unwrap();
        logs[1].sign(&two, 100).unwrap();
        assert!(matches!(logs[2].sign(&one, 101), Err(BudgetError::Expired { .. })));
        let hash = logs[2].countersign(&one).unwrap();
        assert!(matches!(logs[2].countersign(&two), Err(BudgetError::SignedOther { .. })), "one entry per index");
        for log in &mut logs {
            assert_eq!(log.commit(&one, &stewards(&[1, 3]), 3), Ok(hash));
        }
    }

    #[test]
    fn a_log_is_restored_as_it_was_or_not_at_all() {
        let mut log = StewardLog::new(100);
        for query in 1..=3 {
            let next = entry(&log, query, 10);
            log.commit(&next, &stewards(&[1, 2]), 3).unwrap();
        }
        log.sign(&entry(&log, 4, 10), 0).unwrap();
        let (entries, signed) = (log.entries().to_vec(), log.pending().cloned());
        assert_eq!(StewardLog::restore(100, entries.clone(), signed.clone()), Ok(log));
        let hole = [entries[0].clone(), entries[2].clone()];
        assert_eq!(StewardLog::restore(100, hole, None), Err(BudgetError::Gap { index: 3, held: 1 }));
        let changed = entries.iter().map(|entry| BudgetEntry { rho: 9, ..*entry });
        assert!(matches!(StewardLog::restore(100, changed, None), Err(BudgetError::Previous { index: 2, .. })));
        assert!(StewardLog::restore(100, entries[..2].to_vec(), signed).is_err());
    }

    #[test]
    fn a_majority_is_found_and_equivocation_halts() {
        let log = StewardLog::new(100);
        let (one, two) = (entry(&log, 1, 10), entry(&log, 2, 10));
        let mut tally = Tally::new(3);
        assert_eq!(tally.count(&one, StewardId(1)), Ok(None));
        assert_eq!(tally.count(&one, StewardId(1)), Ok(None), "twice is once");
        assert_eq!(tally.count(&two, StewardId(2)), Ok(None), "a split is no fraud");
        assert_eq!(tally.count(&one, StewardId(3)), Ok(Some(stewards(&[1, 3]))));
        assert_eq!(tally.count(&one, StewardId(4)), Err(BudgetError::NoSeat(StewardId(4))));

        let error = tally.count(&two, StewardId(3)).unwrap_err();
        let found = tally.halted().unwrap();
        assert_eq!((found.steward, found.index), (StewardId(3), 1));
        assert_eq!((found.first, found.second), (one.hash(), two.hash()));
        assert_eq!(error, found.into());
        let next = BudgetEntry { index: 2, ..one };
        assert!(matches!(tally.count(&next, StewardId(1)), Err(BudgetError::Halted { .. })), "for good");
    }
}
