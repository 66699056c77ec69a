//! What an epoch is settled from, as a whole and for each member.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::score::{Score, weight};
use crate::ids::{ContributionId, DatasetId, LicenseId, MemberId};
use crate::money::decimal_string;

/// A scored contribution that enters this epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    /// The member whom it belongs to.
    pub member: MemberId,
    /// Which. Ids count up over the chain, so they order as (block number, log index) does.
    pub id: ContributionId,
    /// Its agreed score.
    pub score: Score,
}

/// Points that a program awards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The member who gets it.
    pub member: MemberId,
    /// By which program; at most one grant per member, program and epoch.
    pub program: u64,
    /// Points, 10,000 = one perfect common record.
    pub points: u64,
}

/// How a member's records were used in the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Scored records not erased.
    pub n: u64,
    /// How many of them lie in at least one snapshot that an anchored receipt names.
    pub k: u64,
    /// Σ [`weight`] over (receipt, record) pairs: repetition counts.
    #[serde(with = "decimal_string")]
    pub w: u128,
}

/// Money booked to contributors since the last cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revenue {
    /// Micro-USDC.
    #[serde(with = "decimal_string")]
    pub amount: u128,
    /// Licenses that paid.
    pub licenses: BTreeSet<LicenseId>,
    /// Datasets that were paid for.
    pub datasets: BTreeSet<DatasetId>,
}

impl Revenue {
    /// Sums bookings (license, dataset, micro-USDC to contributors). What paid nothing mixes nothing: a free license would otherwise help
    /// to push another's money out of `incoming`.
    ///
    /// # Errors
    /// Where the sum does not fit 128 bits.
    pub fn of(bookings: impl IntoIterator<Item = (LicenseId, DatasetId, u128)>) -> Result<Self, LedgerError> {
        let mut revenue = Self::default();
        for (license, dataset, amount) in bookings {
            if amount > 0 {
                let sum = revenue.amount.checked_add(amount);
                revenue.amount = sum.ok_or(LedgerError::Overflow { what: "revenue", member: None })?;
                revenue.licenses.insert(license);
                revenue.datasets.insert(dataset);
            }
        }
        Ok(revenue)
    }
}

/// Everything that enters an epoch, as of its cut. The order within the lists does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochInputs {
    /// Ids ever issued: each has a row, whether or not it is still a member's.
    pub members: u32,
    /// A: ids of active members.
    pub active: Vec<MemberId>,
    /// C: contributions scored for this epoch.
    pub contributions: Vec<Contribution>,
    /// G: program awards.
    pub grants: Vec<Grant>,
    /// use: see [`usage`].
    pub usage: Vec<(MemberId, Usage)>,
    /// The money that was booked since the epoch before.
    pub revenue: Revenue,
    /// Z: members whose erasure of everything took effect since the last cut.
    pub erased: Vec<MemberId>,
}

/// One member's part of [`EpochInputs`]. Who is not active has none but `erased`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Scores in the order of their contributions.
    pub contributions: Vec<Score>,
    /// Sum of program points.
    #[serde(with = "decimal_string")]
    pub program_points: u128,
    /// As in [`Usage`].
    pub n: u64,
    /// As in [`Usage`].
    pub k: u64,
    /// As in [`Usage`].
    #[serde(with = "decimal_string")]
    pub w: u128,
    /// Whether the member is active (A in docs/ledger.md).
    pub active: bool,
    /// Whether the member had everything erased (Z in docs/ledger.md).
    pub erased: bool,
}

impl EpochInputs {
    /// The inputs of each member, by id from 1. What concerns members who are not active is left out: the ledger does not look at it, and
    /// every steward must hash the same.
    ///
    /// # Errors
    /// Where an id was never issued, something occurs twice, or a score is impossible.
    pub fn split(&self) -> Result<Vec<Inputs>, LedgerError> {
        let mut all = vec![Inputs::default(); self.members as usize];
        for member in &self.active {
            let inputs = self.slot(&mut all, *member, "active")?;
            if core::mem::replace(&mut inputs.active, true) {
                return Err(LedgerError::Twice { list: "active", id: member.0.into(), member: *member });
            }
        }
        for member in &self.erased {
            let inputs = self.slot(&mut all, *member, "erased")?;
            if core::mem::replace(&mut inputs.erased, true) {
                return Err(LedgerError::Twice { list: "erased", id: member.0.into(), member: *member });
            }
        }
        self.split_contributions(&mut all)?;
        self.split_grants(&mut all)?;
        self.split_usage(&mut all)?;
        Ok(all)
    }

    fn slot<'a>(
        &self,
        all: &'a mut [Inputs],
        member: MemberId,
        list: &'static str,
    ) -> Result<&'a mut Inputs, LedgerError> {
        let index = member.0.checked_sub(1);
        let slot = index.and_then(|index| all.get_mut(index as usize));
        slot.ok_or(LedgerError::UnknownMember { member, list, members: self.members })
    }

    fn split_contributions(&self, all: &mut [Inputs]) -> Result<(), LedgerError> {
        let mut contributions: Vec<&Contribution> = self.contributions.iter().collect();
        contributions.sort_unstable_by_key(|contribution| contribution.id);
        if let Some(pair) = contributions.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(LedgerError::Twice { list: "contributions", id: pair[1].id.0, member: pair[1].member });
        }
        for contribution in contributions {
            contribution.score.validate(contribution.id)?;
            let inputs = self.slot(all, contribution.member, "contributions")?;
            if inputs.active {
                inputs.contributions.push(contribution.score);
            }
        }
        Ok(())
    }

    fn split_grants(&self, all: &mut [Inputs]) -> Result<(), LedgerError> {
        let mut seen = BTreeSet::new();
        for grant in &self.grants {
            let member = grant.member;
            if !seen.insert((member, grant.program)) {
                return Err(LedgerError::Twice { list: "grants", id: grant.program, member });
            }
            let inputs = self.slot(all, member, "grants")?;
            if inputs.active {
                inputs.program_points += u128::from(grant.points); // at most 2^32 · 2^64
            }
        }
        Ok(())
    }

    fn split_usage(&self, all: &mut [Inputs]) -> Result<(), LedgerError> {
        let mut seen = HashSet::with_capacity(self.usage.len());
        for (member, usage) in &self.usage {
            if !seen.insert(*member) {
                return Err(LedgerError::Twice { list: "usage", id: member.0.into(), member: *member });
            }
            let inputs = self.slot(all, *member, "usage")?;
            if inputs.active {
                (inputs.n, inputs.k, inputs.w) = (usage.n, usage.k, usage.w);
            }
        }
        Ok(())
    }
}

/// A record with an agreed score, as of the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoredRecord {
    /// The contribution, by its number in the registry.
    pub id: ContributionId,
    /// The member whom it belongs to.
    pub member: MemberId,
    /// Its agreed score.
    pub score: Score,
    /// Erased before the cut: it counts for nothing.
    pub erased: bool,
}

/// Derives each member's use from all scored records and the snapshot of each receipt anchored in the epoch. Records of a snapshot
/// that have no score yet (deferred) count for nothing.
///
/// # Errors
/// Where a record or an id within one snapshot occurs twice.
pub fn usage(
    records: &[ScoredRecord],
    snapshots: &[&[ContributionId]],
) -> Result<BTreeMap<MemberId, Usage>, LedgerError> {
    let mut hits: HashMap<ContributionId, u128> = HashMap::new();
    for (receipt, ids) in snapshots.iter().enumerate() {
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(LedgerError::Snapshot { receipt, previous: pair[0], next: pair[1] });
        }
        for id in *ids {
            *hits.entry(*id).or_default() += 1;
        }
    }
    let mut seen = HashSet::with_capacity(records.len());
    let mut by_member: HashMap<MemberId, Usage> = HashMap::new();
    for record in records {
        if !seen.insert(record.id) {
            return Err(LedgerError::Twice { list: "records", id: record.id.0, member: record.member });
        }
        if record.erased {
            continue;
        }
        let hits = hits.get(&record.id).copied().unwrap_or(0);
        let usage = by_member.entry(record.member).or_default();
        usage.n += 1;
        usage.k += u64::from(hits > 0);
        usage.w += hits * weight(&record.score); // at most 2^64 receipts · 2^64 records · 20,000
    }
    Ok(by_member.into_iter().collect())
}

#[cfg(test)]
mod tests {

    use super::*;

    const SCORE: Score = Score { quality: 8_000, uniqueness: 10_000, authenticity: 10_000, rarity: 12_500 };

    fn record(id: u64, member: u32) -> ScoredRecord {
        ScoredRecord { id: ContributionId(id), member: MemberId(member), score: SCORE, erased: false }
    }

    fn ids(ids: &[u64]) -> Vec<ContributionId> {
        ids.iter().copied().map(ContributionId).collect()
    }

    #[test]
    fn repetition_counts_in_weight_but_not_in_records() {
        let records = [record(1, 1), record(2, 1), record(3, 2), ScoredRecord { erased: true, ..record(4, 3) }];
        let (first, second) = (ids(&[1, 3, 4, 99]), ids(&[1, 4]));
        let usage = usage(&records, &[&first, &second, &second]).unwrap();
        assert_eq!(usage[&MemberId(1)], Usage { n: 2, k: 1, w: 30_000 });
        assert_eq!(usage[&MemberId(2)], Usage { n: 1, k: 1, w: 10_000 });
        assert_eq!(usage.get(&MemberId(3)), None);
    }

    #[test]
    fn a_record_twice_in_one_snapshot_is_refused() {
        let error = usage(&[], &[&ids(&[1]), &ids(&[2, 2])]).unwrap_err();
        let expected = LedgerError::Snapshot { receipt: 1, previous: ContributionId(2), next: ContributionId(2) };
        assert_eq!(error, expected);
        assert!(usage(&[record(1, 1), record(1, 2)], &[]).is_err());
    }

    #[test]
    fn a_free_license_mixes_nothing() {
        let revenue = Revenue::of([(LicenseId(1), DatasetId(1), 5), (LicenseId(2), DatasetId(2), 0)]).unwrap();
        assert_eq!(revenue.amount, 5);
        assert_eq!(revenue.licenses.len() + revenue.datasets.len(), 2);
        assert!(Revenue::of([(LicenseId(1), DatasetId(1), u128::MAX), (LicenseId(2), DatasetId(2), 1)]).is_err());
    }

    #[test]
    fn inputs_of_who_left_are_empty_and_strangers_are_refused() {
        let mut epoch = EpochInputs {
            members: 2,
            active: vec![MemberId(1)],
            usage: vec![(MemberId(2), Usage { n: 1, k: 1, w: 5 })],
            grants: vec![Grant { member: MemberId(2), program: 1, points: 9 }],
            contributions: vec![Contribution { member: MemberId(2), id: ContributionId(1), score: SCORE }],
            erased: vec![MemberId(2)],
            ..EpochInputs::default()
        };
        let all = epoch.split().unwrap();
        assert_eq!(all[1], Inputs { erased: true, ..Inputs::default() });
        epoch.active.push(MemberId(3));
        let stranger = LedgerError::UnknownMember { member: MemberId(3), list: "active", members: 2 };
        assert_eq!(epoch.split(), Err(stranger));
        epoch.active = vec![MemberId(0)];
        assert!(epoch.split().is_err());
        epoch.active = vec![MemberId(1), MemberId(1)];
        assert!(matches!(epoch.split(), Err(LedgerError::Twice { list: "active", .. })));
    }

    #[test]
    fn contributions_are_ordered_by_id() {
        let other = Score { quality: 5_000, ..SCORE };
        let of = |id, score| Contribution { member: MemberId(1), id: ContributionId(id), score };
        let epoch = EpochInputs {
            members: 1,
            active: vec![MemberId(1)],
            contributions: vec![of(9, other), of(2, SCORE)],
            ..EpochInputs::default()
        };
        assert_eq!(epoch.split().unwrap()[0].contributions, [SCORE, other]);
    }
}
