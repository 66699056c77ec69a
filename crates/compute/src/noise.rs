//! Discrete Gaussian noise on integers, calibrated in zero-concentrated differential privacy (zCDP).
//!
//! OpenDP's own privacy map has the last word: a [`Gaussian`] exists only when that map, evaluated at the declared
//! sensitivity, stays within the declared ρ. Random bits come from OpenSSL through OpenDP, never from a seed.
//!
//! Sources: Bun and Steinke 2016, proposition 1.6 (a Gaussian of scale σ on a statistic of L2 sensitivity Δ satisfies
//! Δ² / 2σ²-zCDP); Canonne, Kamath and Steinke 2020 (the discrete Gaussian satisfies the same bound, and how to sample it).

use opendp::core::{Measurement, PrivacyMap};
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::measurements::make_gaussian;
use opendp::measures::ZeroConcentratedDivergence;
use opendp::metrics::L2Distance;

/// ρ units (nano-zCDP) in one zCDP.
pub const NANO: u64 = 1_000_000_000;

type Integers = VectorDomain<AtomDomain<i128>>;
type Mechanism = Measurement<Integers, L2Distance<f64>, ZeroConcentratedDivergence, Vec<i128>>;

/// Why noise could not be drawn. None of these depends on the data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoiseError {
    /// The part of a query has no budget.
    #[error("a part of the query has no privacy budget: declare a larger rho (nano-zCDP)")]
    NoBudget,
    /// A sensitivity of zero or beyond 2^100 is a mistake of the caller.
    #[error("squared L2 sensitivity {0} is outside 1..=2^200")]
    Sensitivity(f64),
    /// OpenDP's map does not confirm the declared ρ.
    #[error("OpenDP maps sensitivity {sensitivity} at scale {scale} to rho {mapped}, above the declared {declared}")]
    NotConfirmed {
        /// L2 sensitivity.
        sensitivity: f64,
        /// Standard deviation of the noise.
        scale: f64,
        /// What OpenDP's map returned, in zCDP.
        mapped: f64,
        /// What was declared, in zCDP, rounded down.
        declared: f64,
    },
    /// OpenDP refused to build or run the mechanism (for example, no entropy).
    #[error("OpenDP: {0}")]
    OpenDp(String),
}

impl From<opendp::error::Error> for NoiseError {
    fn from(error: opendp::error::Error) -> Self {
        Self::OpenDp(error.to_string())
    }
}

/// A mechanism that adds independent discrete Gaussian noise to each of a list of integers.
pub struct Gaussian {
    mechanism: Mechanism,
    scale: f64,
    mapped: f64,
}

impl Gaussian {
    /// The least noise that OpenDP confirms to cost at most `rho` nano-zCDP for a statistic whose L2 sensitivity
    /// is the square root of `l2_squared`.
    ///
    /// Everything is rounded against privacy loss: the sensitivity up, ρ down, the scale up.
    ///
    /// # Errors
    /// When `rho` is zero, the sensitivity out of range, or OpenDP does not confirm.
    pub fn new(l2_squared: u128, rho: u64) -> Result<Self, NoiseError> {
        if rho == 0 {
            return Err(NoiseError::NoBudget);
        }
        let sensitivity = sqrt_up(l2_squared);
        if !(1.0..=1e30).contains(&sensitivity) {
            return Err(NoiseError::Sensitivity(sensitivity * sensitivity));
        }
        let declared = rho_down(rho);
        let mut scale = sensitivity / (2.0 * declared).sqrt();
        // A few units in the last place separate the rounded square root from the first confirmed scale.
        for _ in 0..64 {
            let this = Self::with_scale(sensitivity, scale)?;
            if this.mapped <= declared {
                return Ok(this);
            }
            scale = (scale * (1.0 + f64::EPSILON)).next_up();
        }
        let mapped = Self::with_scale(sensitivity, scale)?.mapped;
        Err(NoiseError::NotConfirmed { sensitivity, scale, mapped, declared })
    }

    /// The mechanism of a given scale, with the ρ that OpenDP assigns to it at `sensitivity`.
    fn with_scale(sensitivity: f64, scale: f64) -> Result<Self, NoiseError> {
        let space = (Integers::new(AtomDomain::default()), L2Distance::default());
        let mechanism: Mechanism = make_gaussian(space.0, space.1, scale, None)?;
        let map: &PrivacyMap<_, _> = &mechanism.privacy_map;
        let mapped = map.eval(&sensitivity)?;
        Ok(Self { mechanism, scale, mapped })
    }

    /// Standard deviation of the noise on each value, in the values' unit.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The privacy loss in zCDP that OpenDP assigns; never above what was declared.
    pub fn rho(&self) -> f64 {
        self.mapped
    }

    /// Adds fresh noise to each value.
    ///
    /// # Errors
    /// When OpenSSL has no entropy.
    pub fn add(&self, exact: &[i128]) -> Result<Vec<i128>, NoiseError> {
        Ok(self.mechanism.invoke(&exact.to_vec())?)
    }
}

/// `nano` nano-zCDP as a float that is never above it.
///
/// Division is correctly rounded, so that the neighbour below is a lower bound; below 2^53 the cast is exact, above it
/// the cast may round up and a second step down covers it.
fn rho_down(nano: u64) -> f64 {
    let quotient = nano as f64 / NANO as f64;
    quotient.next_down().next_down()
}

/// A float never below the square root of `squared`.
fn sqrt_up(squared: u128) -> f64 {
    let root = (squared as f64).sqrt();
    let exact = root.fract() == 0.0 && root < 9e15 && (root as u128).pow(2) == squared;
    if exact { root } else { root.next_up().next_up() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of Bun and Steinke's formula that two other implementations gave: σ 100, Δ 10 → ρ 0.005.
    #[test]
    fn scale_100_at_sensitivity_10_costs_rho_0_005() {
        assert_eq!(Gaussian::with_scale(10.0, 100.0).unwrap().rho(), 0.005);
        let chosen = Gaussian::new(100, 5_000_000).unwrap();
        assert!((chosen.scale() - 100.0).abs() < 1e-9, "scale {}", chosen.scale());
        assert!(chosen.scale() >= 100.0 && chosen.rho() <= 0.005);
    }

    #[test]
    fn opendp_confirms_rho_over_the_whole_range() {
        let squares = [1, 2, 3, 16, 256, 1 << 53, (1 << 60) + 1, u128::from(u64::MAX).pow(2)];
        for squared in squares {
            for rho in [1, 2, 7, 999, 5_000_000, 333_333_333, NANO, 100 * NANO, u64::from(u32::MAX) * NANO] {
                let gaussian = Gaussian::new(squared, rho).unwrap();
                let exact = squared as f64 / (2.0 * rho as f64 / NANO as f64);
                assert!(gaussian.rho() <= rho_down(rho), "Δ² {squared} ρ {rho}: not confirmed");
                let waste = gaussian.scale().powi(2) / exact - 1.0;
                assert!((-1e-15..1e-12).contains(&waste), "Δ² {squared} ρ {rho}: variance off by {waste}");
            }
        }
    }

    #[test]
    fn no_budget_and_no_sensitivity_are_refused() {
        assert!(matches!(Gaussian::new(1, 0), Err(NoiseError::NoBudget)));
        assert!(matches!(Gaussian::new(0, 1), Err(NoiseError::Sensitivity(_))));
    }

    #[test]
    fn bounds_round_outward() {
        for squared in [2u128, 3, 99, (1 << 54) + 1, u128::MAX / 3] {
            assert!(sqrt_up(squared) * sqrt_up(squared) >= squared as f64);
        }
        assert_eq!(sqrt_up(144), 12.0);
        assert!(rho_down(1) < 1e-9);
        assert!(rho_down((1 << 53) + 3) < ((1u64 << 53) + 3) as f64 / 1e9);
    }

    /// Mean and variance of a few thousand draws: a failing bound is a 6-sigma event.
    #[test]
    fn draws_have_the_declared_mean_and_variance() {
        let draws = 4000;
        let gaussian = Gaussian::new(100, 5_000_000).unwrap();
        let noisy = gaussian.add(&vec![7; draws]).unwrap();
        let n = draws as f64;
        let mean = noisy.iter().map(|&x| x as f64).sum::<f64>() / n;
        let variance = noisy.iter().map(|&x| (x as f64 - 7.0).powi(2)).sum::<f64>() / n;
        assert!((mean - 7.0).abs() < 6.0 * 100.0 / n.sqrt(), "mean {mean}");
        assert!((variance / 10_000.0 - 1.0).abs() < 6.0 * (2.0 / n).sqrt(), "variance {variance}");
    }

    #[test]
    fn noise_is_exact_beyond_the_range_of_floats() {
        let gaussian = Gaussian::new(1, 2_000 * NANO).unwrap();
        let base = 1i128 << 100;
        let noisy = gaussian.add(&vec![base; 50]).unwrap();
        assert!(noisy.iter().all(|x| (x - base).abs() <= 3), "σ is 1/63: noise is almost always 0");
    }
}
