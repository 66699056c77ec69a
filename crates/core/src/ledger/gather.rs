//! What enters an epoch, from what the chain says as of the cut and which scores agree: the same for everybody who computes it.

use std::collections::{HashMap, HashSet};

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::inputs::{Contribution, EpochInputs, Grant, Revenue, ScoredRecord, Usage, usage};
use super::score::Score;
use crate::ids::{ContributionId, Epoch, MemberId};

/// What the chain says as of an epoch's cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AtCut {
    /// Ids ever issued.
    pub members: u32,
    /// A: ids of active members.
    pub active: Vec<MemberId>,
    /// Z: members whose erasure of everything took effect since the last cut.
    pub erased: Vec<MemberId>,
    /// Money since the last cut.
    pub revenue: Revenue,
    /// Every record, ascending by id.
    pub records: Vec<RecordAtCut>,
}

/// A record as of an epoch's cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordAtCut {
    /// The contribution, by its number in the registry.
    pub id: ContributionId,
    /// The member whom it belongs to.
    pub member: MemberId,
    /// Whether its member erased everything.
    pub erased: bool,
    /// Whether its member is active.
    pub active: bool,
}

/// A record whose score entered the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entered {
    /// The contribution, by its number in the registry.
    pub contribution: ContributionId,
    /// The member whom it belongs to.
    pub member: MemberId,
    /// In which epoch.
    pub epoch: Epoch,
    /// The agreed score, with uniqueness 0 where the content was there before.
    pub score: Score,
    /// Keyed digest of the content.
    pub sketch: B256,
}

/// How the records were used in the epoch.
#[derive(Clone, Copy, Debug)]
pub enum Used<'a> {
    /// The snapshots of its debits, one for each debit.
    Snapshots(&'a [&'a [ContributionId]]),
    /// As a sheet tells it, where snapshots were forgotten since it was settled.
    Told(&'a [(MemberId, Usage)]),
}

/// An epoch's inputs with what they were made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// For the ledger's step.
    pub inputs: EpochInputs,
    /// Scores that enter now.
    pub entered: Vec<Entered>,
    /// Contributions that wait.
    pub deferred: Vec<ContributionId>,
}

/// Gathers an epoch's inputs. `before` are the scores that entered earlier, `agreed` gives score and sketch of a record that did not, where
/// enough stewards signed for it.
///
/// A record whose content equals that of a smaller id that entered, before or in this epoch, has uniqueness 0: what was recorded first is the
/// original, also where its score came late, and a copy was scored meanwhile. Erased records count for nothing, not even as originals; nor do
/// records of quality 0, so that the mended copy of one that could not be used earns in full.
///
/// # Errors
/// Where a record occurs twice, or a snapshot is none.
pub fn gather(
    epoch: Epoch,
    at_cut: AtCut,
    before: &[Entered],
    grants: Vec<Grant>,
    used: Used<'_>,
    agreed: impl Fn(ContributionId) -> Option<(Score, B256)>,
) -> Result<Gathered, LedgerError> {
    let AtCut { members, active, erased, revenue, records } = at_cut;
    let is_erased = |id: &ContributionId| match records.get(id.0.wrapping_sub(1) as usize) {
        // Ids count up from 1: where none is missing, a record stands at its own number.
        Some(record) if record.id == *id => record.erased,
        _ => records.binary_search_by_key(id, |record| record.id).map_or(true, |at| records[at].erased),
    };
    let known: HashSet<ContributionId> = before.iter().map(|row| row.contribution).collect();
    let is_original = |row: &&Entered| row.score.quality > 0 && !is_erased(&row.contribution);
    let mut first: HashMap<B256, ContributionId> = HashMap::new();
    for row in before.iter().filter(is_original) {
        let id = first.entry(row.sketch).or_insert(row.contribution);
        *id = row.contribution.min(*id);
    }
    let (mut entered, mut deferred) = (Vec::new(), Vec::new());
    for record in records.iter().filter(|one| !one.erased && one.active && !known.contains(&one.id)) {
        let (contribution, member) = (record.id, record.member);
        let Some((mut score, sketch)) = agreed(contribution) else {
            deferred.push(contribution);
            continue;
        };
        if score.quality > 0 {
            let id = first.entry(sketch).or_insert(contribution);
            if *id < contribution {
                score.uniqueness = 0;
            }
            *id = contribution.min(*id);
        }
        entered.push(Entered { contribution, member, epoch, score, sketch });
    }
    let usage = match used {
        Used::Told(told) => told.to_vec(),
        Used::Snapshots(snapshots) => {
            let scored = before.iter().chain(&entered).map(|row| ScoredRecord {
                id: row.contribution,
                member: row.member,
                score: row.score,
                erased: is_erased(&row.contribution),
            });
            usage(&scored.collect::<Vec<_>>(), snapshots)?.into_iter().collect()
        }
    };
    let contribution = |row: &Entered| Contribution { member: row.member, id: row.contribution, score: row.score };
    let contributions = entered.iter().map(contribution).collect();
    let inputs = EpochInputs { members, active, contributions, grants, usage, revenue, erased };
    Ok(Gathered { inputs, entered, deferred })
}

#[cfg(test)]
mod tests {

    use super::*;

    const SCORE: Score = Score { quality: 8_000, uniqueness: 10_000, authenticity: 10_000, rarity: 12_500 };

    fn record(id: u64, member: u32) -> RecordAtCut {
        RecordAtCut { id: ContributionId(id), member: MemberId(member), erased: false, active: true }
    }

    fn at_cut(records: Vec<RecordAtCut>) -> AtCut {
        let active = (1..=3).map(MemberId).collect();
        AtCut { members: 3, active, records, ..AtCut::default() }
    }

    fn entered(id: u64, member: u32, sketch: u8) -> Entered {
        let (contribution, member) = (ContributionId(id), MemberId(member));
        Entered { contribution, member, epoch: Epoch(1), score: SCORE, sketch: B256::repeat_byte(sketch) }
    }

    #[test]
    fn what_was_there_before_is_not_unique_and_what_was_erased_was_never_there() {
        let records = vec![
            record(1, 1),
            RecordAtCut { erased: true, active: false, ..record(2, 2) },
            record(3, 3),
            record(4, 3),
            record(5, 3),
        ];
        let before = [entered(1, 1, 7), entered(2, 2, 8)];
        let sketch = |id: ContributionId| B256::repeat_byte(if id.0 == 3 { 7 } else { 8 });
        let agreed = |id: ContributionId| (id.0 != 5).then(|| (SCORE, sketch(id)));
        let found =
            gather(Epoch(2), at_cut(records), &before, Vec::new(), Used::Snapshots(&[&[ContributionId(1)]]), agreed);
        let found = found.unwrap();
        let unique: Vec<u16> = found.entered.iter().map(|row| row.score.uniqueness).collect();
        assert_eq!(unique, [0, 10_000], "the copy of a living record, the copy of an erased one");
        assert_eq!(found.deferred, [ContributionId(5)]);
        let usage: Vec<(u32, u64, u64)> = found.inputs.usage.iter().map(|(id, one)| (id.0, one.n, one.k)).collect();
        assert_eq!(usage, [(1, 1, 1), (3, 2, 0)]);
    }

    #[test]
    fn what_was_recorded_first_is_the_original_also_where_a_copy_was_scored_before_it() {
        let before = [entered(2, 2, 7)];
        let records = vec![record(1, 1), record(2, 2), record(3, 3)];
        let agreed = |_: ContributionId| Some((SCORE, B256::repeat_byte(7)));
        let found = gather(Epoch(2), at_cut(records), &before, Vec::new(), Used::Snapshots(&[]), agreed).unwrap();
        let unique: Vec<u16> = found.entered.iter().map(|row| row.score.uniqueness).collect();
        assert_eq!(unique, [10_000, 0], "the original comes late, another copy later");
    }

    #[test]
    fn what_could_not_be_used_is_no_original() {
        let useless = Score { quality: 0, ..SCORE };
        let mut before = [entered(1, 1, 7)];
        before[0].score = useless;
        let records = vec![record(1, 1), record(2, 2), record(3, 3), record(4, 3)];
        // The second is mended, the third is its copy; the fourth is as useless as the first.
        let agreed = |id: ContributionId| Some((if id.0 == 4 { useless } else { SCORE }, B256::repeat_byte(7)));
        let found = gather(Epoch(2), at_cut(records), &before, Vec::new(), Used::Snapshots(&[]), agreed).unwrap();
        let unique: Vec<u16> = found.entered.iter().map(|row| row.score.uniqueness).collect();
        assert_eq!(unique, [10_000, 0, 10_000]);
    }

    #[test]
    fn a_sheet_tells_use_where_snapshots_are_gone() {
        let told = [(MemberId(1), Usage { n: 2, k: 1, w: 9 })];
        let found = gather(Epoch(2), at_cut(vec![record(1, 1)]), &[], Vec::new(), Used::Told(&told), |_| None).unwrap();
        assert_eq!(found.inputs.usage, told);
    }
}
