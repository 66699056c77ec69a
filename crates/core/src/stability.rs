//! From records to a figure's noise: one chain, each step with how far one person can move what comes out of it.
//!
//! The unit of privacy is one person, added to or removed from the cooperative with **all** of their records. A [`Chain`] starts at
//! [`Persons::ONE`] and can only be built by the steps below, in this order; the noise of `compute::release` is calibrated to
//! what comes out at its end, and the clamp of `compute::plan` is the one of the chain. (OpenDP's chained transformations, with
//! types in place of runtime metrics.)
//!
//! | step | done by | stability |
//! |---|---|---|
//! | [`within_budget`](Persons::within_budget): who has budget left | stewards, [`budget`](crate::budget) | 1 person → 1: whether one is named depends on one's own debits |
//! | [`drawn`](Persons::drawn): independent salted inclusion | stewards, [`draw`](crate::draw) | 1 → 1: nobody's inclusion depends on another's presence |
//! | [`opened`](Persons::opened): shares, blob, FHIR | worker, `records` | 1 → 1: a record that does not open takes its own person's rows alone away |
//! | [`in_cohort`](Persons::in_cohort): filters | `compute::plan` | 1 → 1: each filter looks at one person's rows |
//! | [`rows`](Persons::rows): at most k rows a person | `compute::pool`, `rank < k` | ranks depend on the person's own rows alone: 1 person's rows, at most k |
//! | [`clamped`](Rows::clamped): each row to `lower..=upper` | `compute::plan` | row by row: k rows, each within the bounds |
//! | [`one_value_each`](Clamped::one_value_each): mean of a person's rows | `compute::plan` | k rows → 1 value, within the same bounds |
//! | [`counted`](Persons::counted) | `compute::plan` | 1 person → L2 1 |
//! | [`summed_from_centre`](Values::summed_from_centre) | `compute::release` | 1 value → L2 of half the range, rounded up |
//! | [`binned`](Values::binned) | `compute::plan` | 1 value lies in one bin → L2 1 |
//! | noise | `compute::noise` | L2 Δ and ρ → σ, as OpenDP's map confirms |
//!
//! Summing distances from the centre instead of the values themselves costs nothing and lowers the noise wherever 0 is not the centre:
//! 3,000..=20,000 moves a sum of values by 20,000, the centred sum by 8,500.
//!
//! What the chain takes for granted: the published size that the draw divides by is public (a differentially private count with a charge
//! of its own, [`size`](crate::size)); the cut is public; a row's salt and the draw's are independent of the data.

use crate::query::{Ask, NANO, Query};

/// Of a query's ρ, one part in this many pays for the noisy number of people left out.
const LEFT_OUT: u64 = 16;
/// Of what remains of a histogram's ρ, one part in this many pays for the count that the gate reads.
const HISTOGRAM_GATE: u64 = 8;

/// A set of people, in which one person more or less makes a difference of at most so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persons(u32);

/// Rows of people, of which one person has at most `rows`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    persons: Persons,
    rows: u16,
}

/// Rows within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clamped {
    persons: Persons,
    /// Rows that count of one person.
    pub rows: u16,
    /// Rows below count as this.
    pub lower: i64,
    /// Rows above count as this.
    pub upper: i64,
}

/// One value within bounds for each person who has any row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values {
    persons: Persons,
    lower: i64,
    upper: i64,
}

/// Square of the largest L2 distance that one person causes in a list of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensitivity(u128);

impl Persons {
    /// One person added or removed: where every chain starts.
    pub const ONE: Self = Self(1);

    /// The people whose own remainder covers the query.
    #[must_use]
    pub fn within_budget(self) -> Self {
        self
    }

    /// The people whom the license's salt draws, each by themselves.
    #[must_use]
    pub fn drawn(self) -> Self {
        self
    }

    /// The people as far as their records open.
    #[must_use]
    pub fn opened(self) -> Self {
        self
    }

    /// The people who satisfy every filter.
    #[must_use]
    pub fn in_cohort(self) -> Self {
        self
    }

    /// At most `rows` of each person's rows.
    #[must_use]
    pub fn rows(self, rows: u16) -> Rows {
        Rows { persons: self, rows }
    }

    /// How many they are.
    #[must_use]
    pub fn counted(self) -> Sensitivity {
        Sensitivity(u128::from(self.0).pow(2))
    }
}

impl Rows {
    /// Each row, at least `lower`, at most `upper`.
    #[must_use]
    pub fn clamped(self, lower: i64, upper: i64) -> Clamped {
        Clamped { persons: self.persons, rows: self.rows, lower, upper }
    }
}

impl Clamped {
    /// Each person's mean over their rows.
    #[must_use]
    pub fn one_value_each(self) -> Values {
        Values { persons: self.persons, lower: self.lower, upper: self.upper }
    }
}

impl Values {
    /// How many people have one.
    #[must_use]
    pub fn counted(self) -> Sensitivity {
        self.persons.counted()
    }

    /// The sum of distances from the [`centre`].
    #[must_use]
    pub fn summed_from_centre(self) -> Sensitivity {
        let centre = centre(self.lower, self.upper);
        let reach = (i128::from(self.upper) - centre).max(centre - i128::from(self.lower)).unsigned_abs();
        Sensitivity((u128::from(self.persons.0) * reach).pow(2))
    }

    /// How many people's values lie in each of some bins that do not overlap. One person is in one bin of one of two neighbours, never in
    /// two: added or removed, not replaced.
    #[must_use]
    pub fn binned(self) -> Sensitivity {
        self.persons.counted()
    }
}

impl Sensitivity {
    /// The square.
    #[must_use]
    pub fn l2_squared(self) -> u128 {
        self.0
    }
}

/// The middle of the bounds, rounded down.
#[must_use]
pub fn centre(lower: i64, upper: i64) -> i128 {
    (i128::from(lower) + i128::from(upper)).div_euclid(2)
}

/// What a statistic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The people of the snapshot of whom a record could not be opened.
    LeftOut,
    /// Figures that the gate does not read.
    Figures,
    /// The count that the gate reads. It is a figure too, except of a histogram.
    Gate,
}

/// A list of integers that is noised as one, with the noise it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noised {
    /// What it is for.
    pub part: Part,
    /// How far one person moves it.
    pub sensitivity: Sensitivity,
    /// Its share of the query's ρ, nano-zCDP.
    pub rho: u64,
}

impl Noised {
    /// Standard deviation of the noise, in the integers' unit: `Δ / √(2ρ)` (Bun and Steinke 2016, proposition 1.6).
    #[must_use]
    pub fn sigma(&self) -> f64 {
        (self.sensitivity.l2_squared() as f64 / (2.0 * self.rho as f64 / NANO as f64)).sqrt()
    }
}

/// The chain of one query: the bounds that its plan keeps, and the noise at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// What the plan clamps rows to; `None` for a count of people.
    pub clamped: Option<Clamped>,
    /// In the order in which they are released. Their ρ add up to the query's.
    pub noised: Vec<Noised>,
}

impl Chain {
    /// The chain of `query`.
    #[must_use]
    pub fn of(query: &Query) -> Self {
        let named = Persons::ONE.within_budget().drawn();
        let cohort = named.opened().in_cohort();
        let left_out = query.rho / LEFT_OUT;
        let rest = query.rho - left_out;
        let lost = Noised { part: Part::LeftOut, sensitivity: named.counted(), rho: left_out };
        let bounds = |rows: u16| query.ask.bounds().map(|(lower, upper)| cohort.rows(rows).clamped(lower, upper));
        let (clamped, noised) = match &query.ask {
            Ask::Count {} => (None, vec![Noised { part: Part::Gate, sensitivity: cohort.counted(), rho: rest }]),
            Ask::Mean { rows, lower, upper, .. } => {
                let clamped = cohort.rows(*rows).clamped(*lower, *upper);
                let values = clamped.one_value_each();
                let sum = Noised { part: Part::Figures, sensitivity: values.summed_from_centre(), rho: rest / 2 };
                let count = Noised { part: Part::Gate, sensitivity: values.counted(), rho: rest - rest / 2 };
                (Some(clamped), vec![sum, count])
            }
            Ask::Histogram { rows, .. } => {
                let gate = rest / HISTOGRAM_GATE;
                let clamped = bounds(*rows);
                let bins = clamped.map_or(cohort.counted(), |clamped| clamped.one_value_each().binned());
                let bins = Noised { part: Part::Figures, sensitivity: bins, rho: rest - gate };
                (clamped, vec![bins, Noised { part: Part::Gate, sensitivity: cohort.counted(), rho: gate }])
            }
        };
        Self { clamped, noised: [vec![lost], noised].concat() }
    }

    /// What the gate's count costs, nano-zCDP.
    #[must_use]
    pub fn gate_rho(&self) -> u64 {
        self.noised.iter().filter(|noised| noised.part == Part::Gate).map(|noised| noised.rho).sum()
    }
}

/// The standard error of a quotient of two numbers with independent noise, each given with the deviation of its noise, by the delta
/// method: `√(σ₁² + (n₁ / n₂)² σ₂²) / n₂`. Only what is noisy goes in, so that it tells nothing more.
#[must_use]
pub fn ratio_error((sum, of_sum): (i128, f64), (count, of_count): (i128, f64)) -> f64 {
    let count = count as f64;
    of_sum.hypot(sum as f64 / count * of_count) / count
}

/// A standard error in thousandths, rounded up; at most what canonical JSON holds.
#[must_use]
pub fn thousandths(error: f64) -> u64 {
    const LIMIT: f64 = ((1u64 << 53) - 1) as f64;
    (error * 1000.0).ceil().clamp(0.0, LIMIT) as u64
}

#[cfg(test)]
mod tests {
    use crate::ids::DatasetId;
    use crate::query::{Cohort, Of, VERSION};

    use super::*;

    fn chain(ask: Ask) -> Chain {
        Chain::of(&Query { version: VERSION, dataset: DatasetId(1), cohort: Cohort::default(), ask, rho: 16_000_000 })
    }

    fn noise(chain: &Chain) -> Vec<(Part, u128, u64)> {
        chain.noised.iter().map(|noised| (noised.part, noised.sensitivity.l2_squared(), noised.rho)).collect()
    }

    #[test]
    fn the_chain_of_each_ask_ends_in_its_stated_sensitivities_and_charges() {
        let lost = (Part::LeftOut, 1, 1_000_000);
        assert_eq!(noise(&chain(Ask::Count {})), [lost, (Part::Gate, 1, 15_000_000)]);
        let mean = chain(Ask::Mean { of: Of::Age {}, rows: 4, lower: 3_000, upper: 20_001 });
        assert_eq!(noise(&mean), [lost, (Part::Figures, 8_501 * 8_501, 7_500_000), (Part::Gate, 1, 7_500_000)]);
        assert_eq!(mean.clamped.map(|clamped| (clamped.rows, clamped.lower, clamped.upper)), Some((4, 3_000, 20_001)));
        let bins = chain(Ask::Histogram { of: Of::Age {}, rows: 2, edges: vec![0, 5, 9] });
        assert_eq!(noise(&bins), [lost, (Part::Figures, 1, 13_125_000), (Part::Gate, 1, 1_875_000)]);
        assert_eq!(bins.clamped.map(|clamped| (clamped.rows, clamped.lower, clamped.upper)), Some((2, 0, 9)));
        assert_eq!(bins.gate_rho(), 1_875_000);
    }

    #[test]
    fn the_widest_bounds_do_not_wrap() {
        let values = Persons::ONE.rows(1).clamped(i64::MIN, i64::MAX).one_value_each();
        assert_eq!(values.summed_from_centre().l2_squared(), (1u128 << 63).pow(2));
    }
}
