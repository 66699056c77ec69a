//! From an exact result to a differentially private answer: noise, then the gate.
//!
//! The unit of privacy is one member, added or removed. Every member has at most one value, so a query's statistics move
//! by little when a member comes or goes, and each statistic is noised under its own share of the query's ρ:
//!
//! | ask | statistic | moves by at most (L2) | share of ρ |
//! |---|---|---|---|
//! | count | members | 1 | all |
//! | mean | Σ (value − centre of the bounds) | half the range, rounded up | half |
//! | | members with a value | 1 | the rest |
//! | histogram | members in each bin; a member is in one | 1 | ⅞ |
//! | | members with a value, for the gate | 1 | the rest |
//!
//! Summing distances from the centre instead of the values themselves costs nothing and lowers the noise wherever 0 is
//! not the centre: 3,000..=20,000 moves a sum of values by 20,000, the centred sum by 8,500.
//!
//! The gate compares the noisy count, never an exact one, with a threshold: what it does with it is post-processing and
//! its charge is part of the query's ρ, answer or not.

use alloy_primitives::B256;
use rochdale_core::commit::CommitError;
use rochdale_core::query::{Answer, Ask, Figure, Outcome, Query, VERSION, Withheld};

use crate::engine::Exact;
use crate::noise::{Gaussian, NoiseError};

/// Thresholds below which nothing is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Members that a pool must have. The number is public.
    pub min_pool: u64,
    /// Members that a cohort must seem to have, noise included.
    pub min_cohort: u64,
}

impl Default for Gate {
    /// Pools from 20 members, cohorts from 10.
    fn default() -> Self {
        Self { min_pool: 20, min_cohort: 10 }
    }
}

impl Gate {
    /// Whether a pool of this public size can be asked at all: known before anything is charged.
    pub fn admits(&self, members: u64) -> bool {
        members >= self.min_pool
    }
}

/// The public facts of the snapshot that an answer names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its digest.
    pub digest: B256,
    /// Records in it.
    pub records: u32,
    /// Members who contributed them; see [`Pool::members`](crate::pool::Pool::members).
    pub members: u64,
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

/// Exact integers that are noised together, with how far one member can move them and what they may cost.
#[derive(Clone, PartialEq, Eq)]
pub struct Statistic {
    /// The integers.
    pub exact: Vec<i128>,
    /// Square of the largest L2 distance that adding or removing one member causes.
    pub l2_squared: u128,
    /// Share of the query's ρ, in nano-zCDP. The shares of a query add up to its ρ.
    pub rho: u64,
}

/// The statistics that an answer to `query` is made of, in the order of the table at the top of this module.
///
/// # Errors
/// When `exact` is not a result of this kind of query.
pub fn statistics(query: &Query, exact: &Exact) -> Result<Vec<Statistic>, ReleaseError> {
    let rho = query.rho;
    let single = |exact: i128, reach: u128, rho| Statistic { exact: vec![exact], l2_squared: reach * reach, rho };
    match (&query.ask, exact) {
        (Ask::Count {}, Exact::Count { members }) => Ok(vec![single(i128::from(*members), 1, rho)]),
        (Ask::Mean { lower, upper, .. }, Exact::Mean { sum, members }) => {
            let members = i128::from(*members);
            let centre = centre(*lower, *upper);
            let reach = (i128::from(*upper) - centre).max(centre - i128::from(*lower));
            let half = rho / 2;
            Ok(vec![single(sum - centre * members, reach.unsigned_abs(), half), single(members, 1, rho - half)])
        }
        (Ask::Histogram { .. }, Exact::Histogram { bins }) if bins.len() == query.ask.figures() => {
            let gate = rho / 8;
            let exact: Vec<i128> = bins.iter().map(|&bin| i128::from(bin)).collect();
            let members = exact.iter().sum();
            Ok(vec![Statistic { exact, l2_squared: 1, rho: rho - gate }, single(members, 1, gate)])
        }
        (ask, _) => Err(ReleaseError::Mismatch(ask.kind())),
    }
}

/// Noises `exact` under the query's ρ and answers, or says that the gate kept the answer back. Charge the query's ρ
/// **before** calling; every call draws fresh noise and costs it again.
///
/// # Errors
/// When OpenDP does not confirm the declared ρ or has no entropy, or `exact` is of another query. Nothing is released then.
pub fn release(query: &Query, exact: &Exact, snapshot: &Snapshot, gate: &Gate) -> Result<Answer, ReleaseError> {
    let outcome = if gate.admits(snapshot.members) {
        outcome(query, &statistics(query, exact)?, gate)?
    } else {
        Outcome::Withheld { reason: Withheld::PoolTooSmall }
    };
    Ok(Answer {
        version: VERSION,
        query: query.digest()?,
        snapshot: snapshot.digest,
        snapshot_size: snapshot.records,
        rho: query.rho,
        outcome,
    })
}

/// A statistic after noise, with the noise's standard deviation.
struct Noisy {
    values: Vec<i128>,
    scale: f64,
}

fn outcome(query: &Query, statistics: &[Statistic], gate: &Gate) -> Result<Outcome, ReleaseError> {
    let noisy = statistics.iter().map(noise).collect::<Result<Vec<_>, _>>()?;
    // The count that the gate reads is the last value of the last statistic, for every kind of query.
    let count = noisy.last().and_then(|last| last.values.last()).copied().unwrap_or(0);
    // A threshold of 0 would let a mean divide by 0.
    if count < i128::from(gate.min_cohort.max(1)) {
        return Ok(Outcome::Withheld { reason: Withheld::CohortTooSmall });
    }
    let figures = match (&query.ask, noisy.as_slice()) {
        (Ask::Mean { lower, upper, .. }, [sum, count]) => {
            let centred = sum.values.first().copied().unwrap_or(0);
            let members = count.values.first().copied().unwrap_or(1);
            let mean = centre(*lower, *upper) + divide_rounded(centred, members);
            let mean = mean.clamp(i128::from(*lower), i128::from(*upper));
            let mean = Figure { value: saturated(mean), scale: 1000, sigma_milli: None };
            [vec![mean], counts(count)].concat()
        }
        (_, noisy) => noisy.first().map(counts).unwrap_or_default(),
    };
    Ok(Outcome::Released { figures })
}

fn noise(statistic: &Statistic) -> Result<Noisy, NoiseError> {
    let gaussian = Gaussian::new(statistic.l2_squared, statistic.rho)?;
    Ok(Noisy { values: gaussian.add(&statistic.exact)?, scale: gaussian.scale() })
}

fn counts(noisy: &Noisy) -> Vec<Figure> {
    let sigma_milli = Some((noisy.scale * 1000.0).ceil() as u64);
    noisy.values.iter().map(|&value| Figure { value: saturated(value), scale: 1, sigma_milli }).collect()
}

/// The middle of the bounds, rounded down.
fn centre(lower: i64, upper: i64) -> i128 {
    (i128::from(lower) + i128::from(upper)).div_euclid(2)
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
