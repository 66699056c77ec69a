//! Scores: who draws them, when they agree, what they are worth.

use alloy_primitives::{B256, keccak256};
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::params::Params;
use super::words::Words;
use crate::ids::{ContributionId, Epoch, StewardId};

/// The score of a record. All in bps; rarity is a multiplier, 10,000 = 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// 0…10,000.
    pub quality: u16,
    /// 0…10,000.
    pub uniqueness: u16,
    /// One of [`Score::AUTHENTICITY`].
    pub authenticity: u16,
    /// One of [`Score::RARITY`].
    pub rarity: u16,
}

impl Score {
    /// Uploaded · device-attested · fetched by a steward over SMART on FHIR · signed by its issuer.
    pub const AUTHENTICITY: [u16; 4] = [3_000, 7_000, 9_000, 10_000];
    /// From coarse public prevalence buckets.
    pub const RARITY: [u16; 4] = [10_000, 12_500, 15_000, 20_000];

    /// Checks every field against what it can be.
    ///
    /// # Errors
    /// With the field at fault.
    pub fn validate(&self, contribution: ContributionId) -> Result<(), LedgerError> {
        let fail = |field, value, rule| Err(LedgerError::Score { contribution, field, value, rule });
        if self.quality > 10_000 {
            return fail("quality", self.quality, "it is 0 to 10,000");
        }
        if self.uniqueness > 10_000 {
            return fail("uniqueness", self.uniqueness, "it is 0 to 10,000");
        }
        if !Self::AUTHENTICITY.contains(&self.authenticity) {
            return fail("authenticity", self.authenticity, "it is 3,000, 7,000, 9,000 or 10,000");
        }
        if !Self::RARITY.contains(&self.rarity) {
            return fail("rarity", self.rarity, "it is 10,000, 12,500, 15,000 or 20,000");
        }
        Ok(())
    }
}

/// Points of one record with the streak that it would leave; 10,000 = a perfect, common, first record.
#[must_use]
pub fn points(params: &Params, score: &Score, streak: u32) -> u64 {
    if score.quality < params.q_min {
        return 0;
    }
    let quality = u64::from(score.quality) * u64::from(score.rarity) / 10_000;
    let bonus = u64::from(streak.saturating_sub(1)) * u64::from(params.bonus_per_step);
    // Below 2^49 even for arguments beyond any valid score.
    let authentic = u128::from(quality + bonus) * u128::from(score.authenticity) / 10_000;
    (authentic * u128::from(score.uniqueness) / 10_000) as u64
}

/// The streak that a contribution with points leaves in epoch `epoch`. `last` is the epoch of the last one, 0 for never, and not after
/// `epoch`.
#[must_use]
pub fn next_streak(params: &Params, streak: u32, last: u32, epoch: Epoch) -> u32 {
    if last == epoch.0 {
        return streak;
    }
    let continues = last != 0 && epoch.0.saturating_sub(last) <= u32::from(params.streak_window);
    if continues { streak.saturating_add(1).min(params.max_streak.into()) } else { 1 }
}

/// The weight of one use of a record: `q · r · a · u / 10^12`.
#[must_use]
pub fn weight(score: &Score) -> u128 {
    let product = u128::from(score.quality)
        * u128::from(score.rarity)
        * u128::from(score.authenticity)
        * u128::from(score.uniqueness);
    product / 1_000_000_000_000
}

/// What the signed scores of one contribution amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// This score counts.
    Agreed(Score),
    /// So many further stewards must score; until then the contribution is deferred, never 0.
    Wanted(usize),
}

/// Two equal scores count as they are; where two differ in anything, the lower median of each field of three.
///
/// `scores` come in draw order, from distinct stewards, under the same rubric; those after the third are not looked at.
#[must_use]
pub fn agree(scores: &[Score]) -> Agreement {
    match scores {
        [] | [_] => Agreement::Wanted(2 - scores.len()),
        [first, second, ..] if first == second => Agreement::Agreed(*first),
        [_, _] => Agreement::Wanted(1),
        [first, second, third, ..] => {
            let median = |field: fn(&Score) -> u16| {
                let mut values = [field(first), field(second), field(third)];
                values.sort_unstable();
                values[1]
            };
            Agreement::Agreed(Score {
                quality: median(|score| score.quality),
                uniqueness: median(|score| score.uniqueness),
                authenticity: median(|score| score.authenticity),
                rarity: median(|score| score.rarity),
            })
        }
    }
}

/// The stewards in the order in which they are drawn to score a contribution: ascending
/// `keccak(abi.encode(commitment, steward id, hash of the recording block))`. The first two score; the next ones stand in.
#[must_use]
pub fn draw(commitment: B256, block: B256, stewards: &[StewardId]) -> Vec<StewardId> {
    let mut order: Vec<(B256, StewardId)> = stewards
        .iter()
        .map(|steward| {
            let mut words = Words::<96>::new();
            words.set_word(0, commitment);
            words.set(1, steward.0);
            words.set_word(2, block);
            (keccak256(words.bytes()), *steward)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, steward)| steward).collect()
}

#[cfg(test)]
mod tests {

    use super::*;

    const SCORE: Score = Score { quality: 8_000, uniqueness: 10_000, authenticity: 10_000, rarity: 12_500 };

    #[test]
    fn points_are_quality_by_rarity_plus_bonus() {
        let params = Params::default();
        assert_eq!(points(&params, &SCORE, 1), 10_000);
        assert_eq!(points(&params, &Score { quality: 7_000, ..SCORE }, 2), 9_250);
        assert_eq!(points(&params, &Score { quality: 1_999, ..SCORE }, 12), 0);
        assert_eq!(points(&params, &Score { quality: 2_000, ..SCORE }, 12), 8_000);
        assert_eq!(points(&params, &Score { uniqueness: 0, ..SCORE }, 12), 0);
    }

    #[test]
    fn a_bonus_alone_pays_for_nothing_that_is_not_authentic_and_unique() {
        let junk = Score { quality: 2_000, uniqueness: 1, authenticity: 3_000, rarity: 10_000 };
        assert_eq!(points(&Params::default(), &junk, 12), 0);
    }

    #[test]
    fn a_streak_lasts_as_long_as_its_window() {
        let params = Params::default();
        assert_eq!(next_streak(&params, 0, 0, Epoch(3)), 1, "the first is never late");
        assert_eq!(next_streak(&params, 3, 6, Epoch(10)), 4);
        assert_eq!(next_streak(&params, 3, 6, Epoch(11)), 1);
        assert_eq!(next_streak(&params, 12, 10, Epoch(11)), 12);
        assert_eq!(next_streak(&params, 5, 11, Epoch(11)), 5, "once an epoch");
    }

    #[test]
    fn weight_is_in_ten_thousandths() {
        assert_eq!(weight(&SCORE), 10_000);
        assert_eq!(weight(&Score { quality: 6_000, uniqueness: 9_000, authenticity: 3_000, rarity: 10_000 }), 1_620);
    }

    #[test]
    fn two_agree_or_three_decide() {
        let other = Score { quality: 9_000, rarity: 10_000, ..SCORE };
        let third = Score { quality: 1_000, rarity: 20_000, ..SCORE };
        assert_eq!(agree(&[]), Agreement::Wanted(2));
        assert_eq!(agree(&[SCORE]), Agreement::Wanted(1));
        assert_eq!(agree(&[SCORE, SCORE]), Agreement::Agreed(SCORE));
        assert_eq!(agree(&[SCORE, SCORE, third]), Agreement::Agreed(SCORE));
        assert_eq!(agree(&[SCORE, other]), Agreement::Wanted(1));
        assert_eq!(agree(&[SCORE, other, third]), Agreement::Agreed(SCORE));
        assert_eq!(agree(&[third, other, SCORE]), Agreement::Agreed(SCORE));
    }

    #[test]
    fn a_draw_is_a_permutation_that_the_block_decides() {
        let stewards: Vec<StewardId> = (1..=5).map(StewardId).collect();
        let commitment = B256::repeat_byte(1);
        let mut seen = std::collections::BTreeSet::new();
        for block in 0..40u8 {
            let order = draw(commitment, B256::repeat_byte(block), &stewards);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, stewards);
            let mut reversed = stewards.clone();
            reversed.reverse();
            assert_eq!(draw(commitment, B256::repeat_byte(block), &reversed), order);
            seen.insert(order[0]);
        }
        assert_eq!(seen.len(), 5, "everyone comes first for some block");
    }

    #[test]
    fn impossible_scores_are_named() {
        for (score, field) in [
            (Score { quality: 10_001, ..SCORE }, "quality"),
            (Score { uniqueness: 10_001, ..SCORE }, "uniqueness"),
            (Score { authenticity: 3_001, ..SCORE }, "authenticity"),
            (Score { rarity: 0, ..SCORE }, "rarity"),
        ] {
            let error = score.validate(ContributionId(4)).unwrap_err();
            assert!(error.to_string().contains(field), "{error}");
        }
        SCORE.validate(ContributionId(4)).unwrap();
    }
}
