//! How evenly something is spread: what key figures are made of (docs/kpis.md). Shares are parts of a million; no sum of
//! votes or money passes through a float.

use alloy_primitives::U256;

/// The whole of a share.
pub const ONE: u32 = 1_000_000;

/// How unevenly `holders` hold, where `population` could: 0 where all hold alike, near one where one holds all. Nothing
/// where nobody holds.
///
/// With values x₁ ≤ … ≤ xₙ it is (2·Σ i·xᵢ − (n + 1)·Σ xᵢ) / (n·Σ xᵢ), rounded down; who holds nothing stands first.
#[must_use]
pub fn gini(holders: &[u128], population: u64) -> Option<u32> {
    let mut sorted = holders.to_vec();
    sorted.sort_unstable();
    let population = population.max(sorted.len() as u64);
    let first = population - sorted.len() as u64;
    let total: U256 = sorted.iter().map(|value| U256::from(*value)).sum();
    if total.is_zero() {
        return None;
    }
    let weighted: U256 = (first + 1..).zip(&sorted).map(|(place, value)| U256::from(place) * U256::from(*value)).sum();
    let n = U256::from(population);
    let excess = U256::from(2) * weighted - (n + U256::ONE) * total;
    Some((excess * U256::from(ONE) / (n * total)).saturating_to())
}

/// The least number of holders who together hold more than half of all. Nothing where nobody holds.
#[must_use]
pub fn nakamoto(holders: &[u128]) -> Option<u32> {
    let mut sorted = holders.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let total: U256 = sorted.iter().map(|value| U256::from(*value)).sum();
    let mut held = U256::ZERO;
    for (count, value) in (1..).zip(sorted) {
        held += U256::from(value);
        if held * U256::from(2) > total {
            return Some(count);
        }
    }
    None
}

/// Simpson's index of diversity, 1 − Σ pᵢ²: how likely two that are drawn are of different kinds. Nothing where there is
/// none.
#[must_use]
pub fn simpson(counts: &[u64]) -> Option<u32> {
    let total: u128 = counts.iter().map(|count| u128::from(*count)).sum();
    let square = |n: u128| U256::from(n) * U256::from(n);
    if total == 0 {
        return None;
    }
    let same: U256 = counts.iter().map(|count| square((*count).into())).sum();
    let whole = square(total);
    Some(((whole - same) * U256::from(ONE) / whole).saturating_to())
}

/// Shannon's index of diversity, −Σ pᵢ·ln pᵢ, in millionths of a nat: 0 where all are of one kind, ln k where k kinds are
/// alike frequent. Nothing where there is none.
#[must_use]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of people and kinds; a logarithm has no integer form"
)]
pub fn shannon(counts: &[u64]) -> Option<u32> {
    let total = counts.iter().sum::<u64>() as f64;
    if total == 0.0 {
        return None;
    }
    let part = |count: &u64| {
        let p = *count as f64 / total;
        if p == 0.0 { 0.0 } else { -p * p.ln() }
    };
    Some((counts.iter().map(part).sum::<f64>() * f64::from(ONE)).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_that_are_spread_evenly_have_a_gini_of_nothing() {
        assert_eq!(gini(&[5, 5, 5, 5], 4), Some(0));
        // One of four holds all: (2·4 − 5) / 4.
        assert_eq!(gini(&[7], 4), Some(750_000));
        // 1, 2, 3, 4: 2·(1 + 4 + 9 + 16) − 5·10 = 10, over 4·10.
        assert_eq!(gini(&[3, 1, 4, 2], 4), Some(250_000));
        // With two who hold nothing beside 10 and 30: 2·(3·10 + 4·30) − 5·40 = 100, over 4·40.
        assert_eq!(gini(&[30, 10], 4), Some(625_000));
        assert_eq!(gini(&[30, 10], 0), gini(&[30, 10], 2), "there are as many as hold");
        assert_eq!((gini(&[], 9), gini(&[0, 0], 2)), (None, None));
        assert_eq!(gini(&[u128::MAX, u128::MAX], 2), Some(0), "sums do not wrap");
    }

    #[test]
    fn the_nakamoto_coefficient_counts_who_together_hold_more_than_half() {
        assert_eq!(nakamoto(&[1, 1, 1, 1]), Some(3), "two of four hold half, which is not more");
        assert_eq!(nakamoto(&[10, 60, 30]), Some(1));
        assert_eq!(nakamoto(&[30, 25, 25, 20]), Some(2));
        assert_eq!((nakamoto(&[]), nakamoto(&[0])), (None, None));
    }

    #[test]
    fn diversity_grows_with_kinds_that_are_alike_frequent() {
        // ln 2 and ln 4.
        assert_eq!((shannon(&[8, 8]), shannon(&[1, 1, 1, 1])), (Some(693_147), Some(1_386_294)));
        // −(¾ ln ¾ + ¼ ln ¼) = 0.215762 + 0.346574.
        assert_eq!(shannon(&[30, 10, 0]), Some(562_335));
        assert_eq!((shannon(&[9]), shannon(&[]), shannon(&[0])), (Some(0), None, None));
        // 1 − (9/16 + 1/16).
        assert_eq!(simpson(&[30, 10]), Some(375_000));
        assert_eq!((simpson(&[8, 8]), simpson(&[1, 1, 1, 1])), (Some(500_000), Some(750_000)));
        assert_eq!((simpson(&[9]), simpson(&[]), simpson(&[0])), (Some(0), None, None));
    }
}
