//! What an answer would be worth, told before anything is spent: by the [`stability`](crate::stability) chain that noises it.

use serde::Serialize;

use crate::query::{Ask, Query};
use crate::stability::{Chain, Noised, Part, thousandths};

/// Two-sided 95 % of a normal distribution.
const TWO_SIDED: f64 = 1.96;
/// One-sided 95 %.
const ONE_SIDED: f64 = 1.645;
/// An answer is called useful whose 95 % interval reaches at most this far to either side: of a count, of the average bin, of the range
/// of a mean.
const USEFUL: f64 = 0.1;

/// How exact an answer would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// In the order of the answer; the bins of a histogram are one.
    pub figures: Vec<Error>,
    /// Standard deviation of the count that the gate reads, thousandths of a member.
    pub gate_sigma_milli: u64,
    /// The smallest cohort that is answered 19 times out of 20 at least.
    pub answered_from: u64,
    /// The smallest cohort whose answer is useful, too: its 95 % interval reaches at most a tenth of the count, of the average bin or of
    /// the range of the mean to either side.
    pub useful_from: u64,
}

/// The error by noise of one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Error {
    /// What the figure is.
    pub what: What,
    /// What its integers are divided by.
    pub scale: u32,
    /// Standard error in thousandths of the integer's unit. Of a mean the most that it can be.
    pub sigma_milli: u64,
}

/// A kind of figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// How many members there are.
    Members,
    /// Their mean.
    Mean,
    /// How many of them lie in a bin.
    Bin,
}

impl Expected {
    /// Of `query`, where its cohort has about `cohort` members and a gate withholds below `min_cohort`.
    #[must_use]
    pub fn of(query: &Query, cohort: u64, min_cohort: u64) -> Self {
        let chain = Chain::of(query);
        let sigma = |part| chain.noised.iter().find(|noised| noised.part == part).map_or(0.0, Noised::sigma);
        let (figures, gate) = (sigma(Part::Figures), sigma(Part::Gate));
        let answered_from = (min_cohort.max(1) as f64 + ONE_SIDED * gate).ceil();
        let error = |what, scale, error: f64| Error { what, scale, sigma_milli: thousandths(error) };
        // What a cohort of one would have, of the width that is told apart; a larger one has it divided by its size.
        let (figures, relative) = match &query.ask {
            Ask::Count {} => (vec![error(What::Members, 1, gate)], gate),
            Ask::Mean { lower, upper, .. } => {
                let range = upper.saturating_sub(*lower) as f64;
                // No mean lies further from the centre than half the range, where the noise of the count weighs most.
                let one = figures.hypot(range / 2.0 * gate);
                let mean = error(What::Mean, 1_000, one / cohort.max(1) as f64);
                (vec![mean, error(What::Members, 1, gate)], one / range)
            }
            Ask::Histogram { .. } => (vec![error(What::Bin, 1, figures)], figures * query.ask.figures() as f64),
        };
        let useful_from = (TWO_SIDED * relative / USEFUL).ceil().max(answered_from);
        Self {
            figures,
            gate_sigma_milli: thousandths(gate),
            answered_from: answered_from as u64,
            useful_from: useful_from as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DatasetId;
    use crate::query::{Cohort, MIN_COHORT, Of, VERSION};

    fn expected(ask: Ask, rho: u64, cohort: u64) -> Expected {
        let query = Query { version: VERSION, dataset: DatasetId(1), cohort: Cohort::default(), ask, rho };
        Expected::of(&query, cohort, MIN_COHORT)
    }

    /// Worked by hand: of ρ = 0.016 a sixteenth pays for who was left out; σ = 1 / √(2 · 0.015) = 5.7735.
    #[test]
    fn a_count_of_any_cohort_is_off_by_the_same() {
        let found = expected(Ask::Count {}, 16_000_000, 1_000);
        let members = Error { what: What::Members, scale: 1, sigma_milli: 5_774 };
        // 10 + 1.645 · 5.7735 = 19.497…; 1.96 · 5.7735 / 0.1 = 113.16
        assert_eq!(
            found,
            Expected { figures: vec![members], gate_sigma_milli: 5_774, answered_from: 20, useful_from: 114 }
        );
    }

    /// Each half of 0.015 gives σ = 1 / √0.015 = 8.16497 for the count, and 8,500 times that for the sum from the centre.
    #[test]
    fn a_mean_of_ten_times_as_many_is_ten_times_as_exact() {
        let ask = || Ask::Mean { of: Of::Age {}, rows: 1, lower: 3_000, upper: 20_000 };
        let of = |cohort| expected(ask(), 16_000_000, cohort).figures[0].sigma_milli;
        // 8.16497 · 8,500 · √2 / 100 = 981.4955 thousandths of the unit, in thousandths of those
        assert_eq!((of(100), of(1_000)), (981_496, 98_150));
        // 1.96 · 8.16497 · 8,500 · √2 / 17,000 / 0.1 = 113.16
        assert_eq!(expected(ask(), 16_000_000, 100).useful_from, 114);
    }

    /// Seven eighths of 0.015 pay for the bins: σ = 1 / √(2 · 0.013125) = 6.1721.
    #[test]
    fn more_bins_want_more_members() {
        let of = |edges| expected(Ask::Histogram { of: Of::Age {}, rows: 1, edges }, 16_000_000, 100);
        let two = of(vec![0, 1, 2]);
        assert_eq!(two.figures, [Error { what: What::Bin, scale: 1, sigma_milli: 6_173 }]);
        assert_eq!((two.useful_from, of(vec![0, 1, 2, 3, 4]).useful_from), (242, 484));
    }

    #[test]
    fn nothing_overflows_at_the_widest() {
        let ask = Ask::Mean { of: Of::Age {}, rows: 1, lower: i64::MIN, upper: i64::MAX };
        assert!(expected(ask, 1, 0).figures[0].sigma_milli < 1 << 53);
    }
}
