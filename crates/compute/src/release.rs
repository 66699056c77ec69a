//! From an exact result to a differentially private answer: noise, then the gate.
//!
//! What is noised, how far one person moves it and which part of the query's ρ pays for it stands in
//! [`stability`]: figures, the count that the gate reads, and the number of people of whom a record could not be
//! opened, of which an exact number would tell as much as any other.
//!
//! The gate compares the noisy count, never an exact one, with a threshold: what it does with it is post-processing and
//! its charge is part of the query's ρ, answer or not.

use alloy_primitives::B256;
use rochdale_core::commit::CommitError;
use rochdale_core::query::{Answer, Ask, Figure, MIN_COHORT, Outcome, Query, VERSION, Withheld};
use rochdale_core::stability::{self, Chain, Noised, Part, centre, ratio_error};

use crate::engine::Exact;
use crate::noise::{Gaussian, NoiseError};

/// The threshold below which nothing is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Members that a cohort must seem to have, noise included.
    pub min_cohort: u64,
}

impl Default for Gate {
    /// Cohorts from [`MIN_COHORT`].
    fn default() -> Self {
        Self { min_cohort: MIN_COHORT }
    }
}

/// What an evaluation found: secret until it is noised.
#[derive(Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// The exact result.
    pub exact: Exact,
    /// Members of the snapshot of whom a record was left out, because it did not open or its member does not consent any more.
    pub left_out: u64,
}

/// Why there is no answer. None of these depends on the data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// No noise, no answer.
    #[error("noise: {0}")]
    Noise(#[from] NoiseError),
    /// The result belongs to another kind of query.
    #[error("the exact result is not one of a {0} query: evaluate the query that is released")]
    Mismatch(&'static str),
    /// The query's digest cannot be computed.
    #[error("query digest: {0}")]
    Digest(#[from] CommitError),
}

/// Exact integers that are noised together, with what the chain says of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Statistic {
    /// The exact figures, in order.
    pub exact: Vec<i128>,
    /// Their part, sensitivity and share of ρ.
    pub noised: Noised,
}

/// The statistics that an answer to `query` is made of, in the order of its [`Chain`].
///
/// # Errors
/// When the exact result is not one of this kind of query.
pub fn statistics(query: &Query, found: &Evaluated) -> Result<Vec<Statistic>, ReleaseError> {
    let exact = match (&query.ask, &found.exact) {
        (Ask::Count {}, Exact::Count { members }) => vec![vec![i128::from(*members)]],
        (Ask::Mean { lower, upper, .. }, Exact::Mean { sum, members }) => {
            let members = i128::from(*members);
            vec![vec![sum - centre(*lower, *upper) * members], vec![members]]
        }
        (Ask::Histogram { .. }, Exact::Histogram { bins }) if bins.len() == query.ask.figures() => {
            let bins: Vec<i128> = bins.iter().map(|&bin| i128::from(bin)).collect();
            let members = bins.iter().sum();
            vec![bins, vec![members]]
        }
        (ask, _) => return Err(ReleaseError::Mismatch(ask.kind())),
    };
    let exact = std::iter::once(vec![i128::from(found.left_out)]).chain(exact);
    Ok(Chain::of(query).noised.into_iter().zip(exact).map(|(noised, exact)| Statistic { exact, noised }).collect())
}

/// Noises what was found under the query's ρ and answers, or says that the gate kept the answer back. Charge the query's ρ
/// **before** calling; every call draws fresh noise and costs it again.
///
/// # Errors
/// When OpenDP does not confirm the declared ρ or has no entropy, or the result is of another query. Nothing is released then.
pub fn release(query: &Query, found: &Evaluated, snapshot: B256, gate: &Gate) -> Result<Answer, ReleaseError> {
    let noisy = statistics(query, found)?.iter().map(noise).collect::<Result<Vec<_>, _>>()?;
    Ok(Answer {
        version: VERSION,
        query: query.digest()?,
        snapshot,
        rho: query.rho,
        gate_rho: Chain::of(query).gate_rho(),
        left_out: figures(&noisy, Part::LeftOut).first().copied().ok_or(ReleaseError::Mismatch(query.ask.kind()))?,
        outcome: outcome(query, &noisy, gate),
    })
}

/// A statistic after noise, with the noise's standard deviation.
struct Noisy {
    part: Part,
    values: Vec<i128>,
    scale: f64,
}

fn outcome(query: &Query, noisy: &[Noisy], gate: &Gate) -> Outcome {
    let first = |part| of(noisy, part).and_then(|noisy| noisy.values.first()).copied().unwrap_or(0);
    let count = first(Part::Gate);
    // A threshold of 0 would let a mean divide by 0.
    if count < i128::from(gate.min_cohort.max(1)) {
        return Outcome::Withheld { reason: Withheld::CohortTooSmall };
    }
    let figures = match &query.ask {
        Ask::Count {} => figures(noisy, Part::Gate),
        Ask::Mean { lower, upper, .. } => {
            let sum = first(Part::Figures);
            let mean = centre(*lower, *upper) + divide_rounded(sum, count);
            let mean = mean.clamp(i128::from(*lower), i128::from(*upper));
            let scale = |part| of(noisy, part).map_or(0.0, |noisy| noisy.scale);
            let error = ratio_error((sum, scale(Part::Figures)), (count, scale(Part::Gate)));
            let mean = Figure { value: saturated(mean), scale: 1000, sigma_milli: stability::thousandths(error) };
            [vec![mean], figures(noisy, Part::Gate)].concat()
        }
        Ask::Histogram { .. } => figures(noisy, Part::Figures),
    };
    Outcome::Released { figures }
}

fn noise(statistic: &Statistic) -> Result<Noisy, NoiseError> {
    let Noised { part, sensitivity, rho } = statistic.noised;
    let gaussian = Gaussian::new(sensitivity.l2_squared(), rho)?;
    Ok(Noisy { part, values: gaussian.add(&statistic.exact)?, scale: gaussian.scale() })
}

fn of(noisy: &[Noisy], part: Part) -> Option<&Noisy> {
    noisy.iter().find(|noisy| noisy.part == part)
}

fn figures(noisy: &[Noisy], part: Part) -> Vec<Figure> {
    let Some(noisy) = of(noisy, part) else { return Vec::new() };
    let sigma_milli = stability::thousandths(noisy.scale);
    noisy.values.iter().map(|&value| Figure { value: saturated(value), scale: 1, sigma_milli }).collect()
}

/// `value / by` to the nearest integer, halves up; `by` is positive.
fn divide_rounded(value: i128, by: i128) -> i128 {
    (2 * value + by).div_euclid(2 * by)
}

/// Answers are canonical JSON, whose integers end at 53 bits.
fn saturated(value: i128) -> i64 {
    const LIMIT: i128 = (1 << 53) - 1;
    value.clamp(-LIMIT, LIMIT) as i64
}
