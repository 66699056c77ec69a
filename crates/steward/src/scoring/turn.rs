//! Whose turn it is to open a record, and whose scores of it count: one rule, in chain time, so that all stewards and the auditor find
//! the same.
//!
//! The first two that were drawn open it at once. Every other one opens it for a need alone: because the scores before it
//! differ, or because somebody drawn before it was silent for an attempt. A score counts if its steward's turn has come by then, given
//! the scores before it that count. Stewards that were drawn later decide nothing here, so that nobody makes it another's turn by
//! signing something out of turn, and a score that leaves out those before it waits for their time to pass. Nor do accounts that hold no
//! seat: what a former steward scored counts for epochs whose cut it was in office at, and a record that has not entered by then is scored
//! by whoever is drawn now. Who signed two scores of one record said nothing: whoever heard of one alone would else never agree with who
//! heard of the other.

use alloy::primitives::Address;
use rochdale_api::custody::OpeningReason;

use crate::store::ScoreRow;

/// Since when a steward may open a record, and for which need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// Seconds of block time.
    pub since: u64,
    /// Why it is this steward's turn.
    pub reason: OpeningReason,
}

/// The times that decide, in seconds of block time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When the contribution was recorded.
    pub recorded: u64,
    /// How long somebody has for its score: the length of an attempt.
    pub attempt: u64,
    /// As of when: now where a turn is asked for, the start of the attempt where an epoch is settled.
    pub at: u64,
}

/// The turn of `scorer`, where it has come; never where it was not drawn, where it scored already, or where enough stewards before it
/// did. Scores are of one contribution and do not agree yet.
#[must_use]
pub fn turn(order: &[Address], scores: &[ScoreRow], scorer: Address, times: &Times) -> Option<Turn> {
    let rank = order.iter().position(|drawn| *drawn == scorer)?;
    if scores.iter().any(|row| row.signer == scorer) {
        return None;
    }
    after(&by_rank(&order[..rank], scores, times), times).filter(|turn| turn.since <= times.at)
}

/// The scores that count, in draw order.
#[must_use]
pub fn counting<'a>(order: &[Address], scores: &'a [ScoreRow], times: &Times) -> Vec<&'a ScoreRow> {
    by_rank(order, scores, times).into_iter().flatten().collect()
}

/// The one score of an account; none where it signed two.
fn only(scores: &[ScoreRow], signer: Address) -> Option<&ScoreRow> {
    let mut own = scores.iter().filter(|row| row.signer == signer);
    let first = own.next()?;
    own.all(|row| same(first, row)).then_some(first)
}

/// Whether an account signed two scores among these.
#[must_use]
pub fn said_two(scores: &[ScoreRow], signer: Address) -> bool {
    scores.iter().any(|row| row.signer == signer) && only(scores, signer).is_none()
}

/// For each steward its score, where that counts.
fn by_rank<'a>(order: &[Address], scores: &'a [ScoreRow], times: &Times) -> Vec<Option<&'a ScoreRow>> {
    let mut ranked: Vec<Option<&ScoreRow>> = Vec::with_capacity(order.len());
    for drawn in order {
        let score = only(scores, *drawn);
        let in_turn = after(&ranked, times).is_some_and(|turn| turn.since <= times.at);
        ranked.push(score.filter(|_| in_turn));
    }
    ranked
}

/// The turn of whoever is drawn after `before`.
fn after(before: &[Option<&ScoreRow>], times: &Times) -> Option<Turn> {
    let (rank, recorded) = (before.len(), times.recorded);
    if rank < 2 {
        return Some(Turn { since: recorded, reason: OpeningReason::Drawn });
    }
    // When each one that has not scored had an attempt's time for it.
    let mut overdue = Vec::new();
    for (place, score) in before.iter().enumerate() {
        if score.is_none() {
            overdue.push(after(&before[..place], times)?.since + times.attempt);
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
    use super::*;
    use alloy::primitives::B256;
    use rochdale_core::ids::{ContributionId, MemberId};
    use rochdale_core::ledger::Score;

    const RECORDED: u64 = 1_000;
    const ATTEMPT: u64 = 100;

    fn score(steward: u8, quality: u16, kept_at: u64) -> ScoreRow {
        ScoreRow {
            contribution: ContributionId(1),
            signer: Address::with_last_byte(steward),
            member: MemberId(1),
            score: Score { quality, uniqueness: 10_000, authenticity: 3_000, rarity: 10_000 },
            rubric_hash: B256::ZERO,
            sketch: B256::ZERO,
            signature: Vec::new(),
            kept_at,
        }
    }

    fn at(at: u64) -> Times {
        Times { recorded: RECORDED, attempt: ATTEMPT, at }
    }

    fn order(seats: u8) -> Vec<Address> {
        (1..=seats).map(Address::with_last_byte).collect()
    }

    fn of(rank: u8, seats: u8, scores: &[ScoreRow]) -> Option<(u64, OpeningReason)> {
        let found = |time| turn(&order(seats), scores, Address::with_last_byte(rank), &at(time));
        let turn = found(u64::MAX)?;
        assert_eq!(found(turn.since), Some(turn), "it has come");
        assert_ne!(found(turn.since - 1), Some(turn), "and not before");
        Some((turn.since, turn.reason))
    }

    fn counted(time: u64, seats: u8, scores: &[ScoreRow]) -> Vec<u8> {
        counting(&order(seats), scores, &at(time)).iter().map(|row| row.signer[19]).collect()
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
        // Until the second was silent for its time, the third's score makes nothing agree.
        let early = [score(1, 7, 0), score(3, 7, 0)];
        assert_eq!(
            turn(&order(5), &early, Address::with_last_byte(2), &at(RECORDED)).map(|turn| turn.since),
            Some(RECORDED)
        );
    }

    #[test]
    fn who_signed_two_scores_said_nothing() {
        let twice = [score(1, 7, 0), score(2, 7, 0), score(2, 8, 0)];
        assert_eq!(counted(RECORDED, 5, &twice), [1]);
        assert_eq!(
            of(3, 5, &twice),
            Some((RECORDED + ATTEMPT, OpeningReason::StandsIn)),
            "as where the second is silent"
        );
        assert_eq!(of(2, 5, &twice), None, "who scored needs it no more");
        let again = [score(1, 7, 0), score(2, 7, 0), score(2, 7, 5)];
        assert_eq!(counted(RECORDED, 5, &again), [1, 2], "the same twice is one");
        assert!(said_two(&twice, Address::with_last_byte(2)) && !said_two(&again, Address::with_last_byte(2)));
        assert!(!said_two(&twice, Address::with_last_byte(4)));
    }

    #[test]
    fn a_score_counts_when_its_turn_has_come() {
        let all: Vec<ScoreRow> = (1..=5).map(|steward| score(steward, 7, 0)).collect();
        assert_eq!(counted(u64::MAX, 5, &all), [1, 2], "the drawn two agree: no other turn comes");
        let late = &all[3..];
        assert_eq!(counted(RECORDED + ATTEMPT - 1, 5, late), [] as [u8; 0]);
        assert_eq!(counted(RECORDED + ATTEMPT, 5, late), [4], "two were silent, and the third still has time");
        assert_eq!(counted(RECORDED + 2 * ATTEMPT, 5, late), [4, 5], "three were silent");
        let differ = [score(1, 7, 0), score(2, 8, 0), score(3, 9, 0), score(4, 9, 0)];
        assert_eq!(counted(RECORDED, 5, &differ), [1, 2, 3]);
    }
}
