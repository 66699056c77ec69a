//! Whose turn it is to open a record: only as many stewards as its score needs, and nobody once it has one.
//!
//! The first two that were drawn open it at once. Every other one opens it for a need alone: because the scores before it
//! differ, or because somebody drawn before it was silent for an attempt. Stewards that were drawn later decide nothing
//! here, so that nobody makes it another's turn by signing something out of turn.

use rochdale_api::custody::OpeningReason;
use rochdale_core::ids::StewardId;

use crate::store::ScoreRow;

/// Since when a steward may open a record, and for which need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// Seconds of block time.
    pub since: u64,
    /// The need.
    pub reason: OpeningReason,
}

/// When the turn of `steward` begins; never where it was not drawn, where it scored already, or where enough stewards
/// before it did. Scores are of one contribution, which was recorded at `recorded`, and do not agree yet.
#[must_use]
pub fn turn(order: &[StewardId], scores: &[ScoreRow], steward: StewardId, recorded: u64, attempt: u64) -> Option<Turn> {
    let rank = order.iter().position(|drawn| *drawn == steward)?;
    let by_rank: Vec<Option<&ScoreRow>> =
        order[..=rank].iter().map(|drawn| scores.iter().find(|row| row.steward == *drawn)).collect();
    let (own, before) = by_rank.split_last()?;
    if own.is_some() {
        return None;
    }
    after(before, recorded, attempt)
}

/// The turn of whoever is drawn after `before`.
fn after(before: &[Option<&ScoreRow>], recorded: u64, attempt: u64) -> Option<Turn> {
    let rank = before.len();
    if rank < 2 {
        return Some(Turn { since: recorded, reason: OpeningReason::Drawn });
    }
    // When each one that has not scored had an attempt's time for it.
    let mut overdue = Vec::new();
    for (place, score) in before.iter().enumerate() {
        if score.is_none() {
            overdue.push(after(&before[..place], recorded, attempt)?.since + attempt);
        }
    }
    overdue.sort_unstable();
    let scored: Vec<&ScoreRow> = before.iter().flatten().copied().collect();
    // With `wanted` scores to be had, it is one more steward's turn when fewer than that scored or still have time.
    let lacking = |wanted: usize| match (rank + 1).saturating_sub(wanted) {
        0 => Some(recorded),
        silent => overdue.get(silent - 1).copied(),
    };
    let stands_in = lacking(2).map(|since| Turn { since, reason: OpeningReason::StandsIn });
    let decides = match scored[..] {
        [first, second, ..] if !same(first, second) => {
            let since = lacking(3).map(|since| since.max(first.kept_at).max(second.kept_at));
            since.map(|since| Turn { since, reason: OpeningReason::ScoresDiffer })
        }
        _ => None,
    };
    stands_in.into_iter().chain(decides).min()
}

fn same(one: &ScoreRow, other: &ScoreRow) -> bool {
    one.score == other.score && one.sketch == other.sketch
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use alloy::primitives::B256;
    use rochdale_core::ids::{ContributionId, MemberId};
    use rochdale_core::ledger::Score;

    const RECORDED: u64 = 1_000;
    const ATTEMPT: u64 = 100;

    fn score(steward: u8, quality: u16, kept_at: u64) -> ScoreRow {
        ScoreRow {
            contribution: ContributionId(1),
            steward: StewardId(steward),
            member: MemberId(1),
            score: Score { quality, uniqueness: 10_000, authenticity: 3_000, rarity: 10_000 },
            rubric_hash: B256::ZERO,
            sketch: B256::ZERO,
            signature: Vec::new(),
            kept_at,
        }
    }

    fn of(rank: u8, seats: u8, scores: &[ScoreRow]) -> Option<(u64, OpeningReason)> {
        let order: Vec<StewardId> = (1..=seats).map(StewardId).collect();
        turn(&order, scores, StewardId(rank), RECORDED, ATTEMPT).map(|turn| (turn.since, turn.reason))
    }

    #[test]
    fn the_two_that_were_drawn_open_it_at_once_and_score_it_once() {
        for rank in 1..=2 {
            assert_eq!(of(rank, 5, &[]), Some((RECORDED, OpeningReason::Drawn)));
            assert_eq!(of(rank, 5, &[score(rank, 7, 0)]), None, "who scored needs it no more");
        }
        assert_eq!(of(6, 5, &[]), None, "there is no such seat");
    }

    #[test]
    fn a_third_opens_it_only_for_a_need() {
        let late = Some((RECORDED + ATTEMPT, OpeningReason::StandsIn));
        assert_eq!(of(3, 3, &[]), late);
        assert_eq!(of(3, 3, &[score(1, 7, 0)]), late);
        assert_eq!(of(3, 3, &[score(2, 7, 0)]), late);
        assert_eq!(of(3, 3, &[score(1, 7, 0), score(2, 7, 0)]), None, "two agree");
        let differ = [score(1, 7, 1_010), score(2, 8, 1_020)];
        assert_eq!(of(3, 3, &differ), Some((1_020, OpeningReason::ScoresDiffer)));
    }

    #[test]
    fn those_after_the_third_open_it_for_silence_before_them_alone() {
        assert_eq!(of(4, 5, &[]), Some((RECORDED + ATTEMPT, OpeningReason::StandsIn)), "two were silent");
        assert_eq!(of(4, 5, &[score(1, 7, 0)]), Some((RECORDED + 2 * ATTEMPT, OpeningReason::StandsIn)));
        assert_eq!(of(4, 5, &[score(1, 7, 0), score(3, 7, 0)]), None);
        // Two differ late: the third has an attempt for its score before it is the fourth's turn.
        let differ = [score(1, 7, 1_500), score(2, 8, 1_500)];
        assert_eq!(of(3, 5, &differ), Some((1_500, OpeningReason::ScoresDiffer)));
        assert_eq!(of(4, 5, &differ), Some((1_500 + ATTEMPT, OpeningReason::ScoresDiffer)));
        assert_eq!(of(4, 5, &[score(1, 7, 0), score(2, 8, 0), score(3, 9, 0)]), None, "three decide");
    }

    #[test]
    fn a_score_out_of_turn_is_nobodys_turn() {
        assert_eq!(of(3, 5, &[score(1, 7, 0), score(5, 9, 0)]), Some((RECORDED + ATTEMPT, OpeningReason::StandsIn)));
        assert_eq!(of(2, 5, &[score(4, 7, 0), score(5, 9, 0)]), Some((RECORDED, OpeningReason::Drawn)));
    }
}
