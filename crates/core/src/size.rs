//! How many members a dataset has for a purpose, as everyone may know it: a differentially private count, coarse, made at few epochs.
//!
//! A researcher needs a size to plan with, and the [`draw`](crate::draw) needs one to divide by. An exact size would tell of each
//! member who comes or goes that this member came or went; so none leaves a steward. What leaves is
//!
//! ```text
//! max(GRID, round(members with a usable record + discrete Laplace noise of scale b, to GRID))
//! ```
//!
//! **Noise.** `P[z] ∝ exp(−|z| / b)`, drawn exactly, in integers alone, by algorithms 1 and 2 of Canonne, Kamath and Steinke, "The
//! discrete Gaussian for differential privacy" (2020). Its random bits are a PRF of the committee's key over what is counted and **who**:
//! each steward that counts the same people gets the same number, nobody else can compute it, and two stewards that count different
//! people (one lacks a package) add independent noise, so that the difference of their numbers tells no exact one.
//!
//! **Cost.** One member moves the count by 1, so one count is (1/b)-differentially private and costs b^-2 / 2 zCDP (Bun and Steinke
//! 2016, proposition 1.4). All cells of one counting epoch together cost [`COST`], whatever their number: a member may be in each of them, and
//! b grows with the root of their number. Each person is counted [`COUNTS`] times and then no more: [`ALLOWANCE`] is what sizes may ever
//! tell of one person, beside the budget of queries. Whether one is counted depends on one's own time of joining and on nobody else.
//!
//! **When.** Counting epochs are 1, 2, 4, 8 and then every 13th: a young cooperative grows fast, an old one a quarter at a time. Between
//! them the last number stands; before the first it is [`GRID`], as if there were hardly anybody.

use sha2::{Digest, Sha256};

use crate::draw::prf;
use crate::ids::{DatasetId, Epoch, MemberId, Purpose};

/// Published sizes are multiples of this, and never below it.
pub const GRID: u64 = 50;
/// Scale of the noise where one cell is counted.
pub const SCALE: u64 = 20;
/// What one counting epoch costs each person counted, nano-zCDP: `10^9 / (2 · SCALE²)`.
pub const COST: u64 = 1_250_000;
/// How many counting epochs one person is counted in: with four a year, ten years.
pub const COUNTS: u32 = 40;
/// What sizes may ever cost one person, nano-zCDP.
pub const ALLOWANCE: u64 = COST * COUNTS as u64;
/// Between two counting epochs, once a cooperative is that old.
const EVERY: u32 = 13;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The dataset, by its number in the catalog.
    pub dataset: DatasetId,
    /// The purpose that consents are matched against.
    pub purpose: Purpose,
    /// The counting epoch, at whose cut members are counted.
    pub epoch: Epoch,
}

/// The newest counting epoch that is not after `ended`, the last epoch whose cut has passed; `None` before the first.
#[must_use]
pub fn counting_epoch(ended: Epoch) -> Option<Epoch> {
    if ended.0 >= EVERY {
        return Some(Epoch(ended.0 - ended.0 % EVERY));
    }
    ended.0.checked_ilog2().map(|power| Epoch(1 << power))
}

/// Whether who joined in epoch `joined` (0 before the first) is counted at `epoch`: as long as the allowance lasts.
#[must_use]
pub fn is_counted(joined: Epoch, epoch: Epoch) -> bool {
    joined <= epoch && countings(epoch) - countings(Epoch(joined.0.saturating_sub(1))) <= COUNTS
}

/// Counting epochs from the first to `epoch`.
fn countings(epoch: Epoch) -> u32 {
    let young = epoch.0.min(EVERY - 1).checked_ilog2().map_or(0, |power| power + 1);
    young + epoch.0 / EVERY
}

/// The scale of each cell's noise where `cells` are counted at one epoch: `⌈SCALE · √cells⌉`.
#[must_use]
pub fn scale(cells: u32) -> u64 {
    let square = SCALE * SCALE * u64::from(cells.max(1));
    let root = square.isqrt();
    root + u64::from(root * root < square)
}

/// The published size of a cell over `members` (ascending, each once, all of them [counted](is_counted)), one of `cells` of its epoch.
#[must_use]
pub fn published(committee_key: &[u8; 32], cell: &Cell, cells: u32, members: &[MemberId]) -> u64 {
    let noise = laplace(&mut Stream::new(committee_key, cell, members), scale(cells));
    coarse(members.len() as u64, noise)
}

/// `exact + noise` to the nearest multiple of the grid, halves up, never below the grid.
fn coarse(exact: u64, noise: i64) -> u64 {
    let noisy = exact.saturating_add_signed(noise);
    (noisy.saturating_add(GRID / 2) / GRID * GRID).max(GRID)
}

/// A stream of pseudorandom words: HMAC-SHA256 in counter mode.
struct Stream {
    key: [u8; 32],
    counter: u64,
}

impl Stream {
    fn new(committee_key: &[u8; 32], cell: &Cell, members: &[MemberId]) -> Self {
        let mut who = Sha256::new();
        for member in members {
            who.update(member.0.to_be_bytes());
        }
        let (dataset, purpose) = (cell.dataset.0.to_be_bytes(), cell.purpose.0.to_be_bytes());
        let (epoch, who) = (cell.epoch.0.to_be_bytes(), who.finalize());
        let key = prf(committee_key, &[b"rochdale.size.v1", &dataset, &purpose, &epoch, &who]);
        Self { key, counter: 0 }
    }

    fn word(&mut self) -> u64 {
        let block = prf(&self.key, &[&self.counter.to_be_bytes()]);
        self.counter += 1;
        u64::from_be_bytes(core::array::from_fn(|at| block[at]))
    }

    /// Uniform below `bound`, exactly: words beyond the last whole multiple are drawn again.
    fn below(&mut self, bound: u64) -> u64 {
        let over = (u64::MAX % bound + 1) % bound;
        loop {
            let word = self.word();
            if word <= u64::MAX - over {
                return word % bound;
            }
        }
    }

    /// True with probability `exp(−numerator / denominator)`, for a fraction of at most 1: algorithm 1.
    fn exp_minus(&mut self, numerator: u64, denominator: u64) -> bool {
        let mut k = 1;
        while self.below(denominator * k) < numerator {
            k += 1;
        }
        k % 2 == 1
    }
}

/// A draw of the discrete Laplace distribution of scale `scale`: algorithm 2 with s = 1.
fn laplace(stream: &mut Stream, scale: u64) -> i64 {
    loop {
        let low = stream.below(scale);
        if !stream.exp_minus(low, scale) {
            continue;
        }
        let mut high = 0;
        while stream.exp_minus(1, 1) {
            high += 1;
        }
        let magnitude = (low + scale * high) as i64;
        match stream.below(2) {
            0 => return magnitude,
            _ if magnitude != 0 => return -magnitude,
            _ => {} // 0 has one sign, or it would come twice as often
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn cell(epoch: u32) -> Cell {
        Cell { dataset: DatasetId(1), purpose: Purpose(6), epoch: Epoch(epoch) }
    }

    fn members(count: u32) -> Vec<MemberId> {
        (1..=count).map(MemberId).collect()
    }

    fn draws(count: u32, scale: u64) -> Vec<i64> {
        (0..count).map(|n| laplace(&mut Stream::new(&KEY, &cell(n), &[]), scale)).collect()
    }

    /// `P[z]` of the discrete Laplace distribution of scale b.
    fn mass(z: i64, b: f64) -> f64 {
        let q = (-1.0 / b).exp();
        (1.0 - q) / (1.0 + q) * q.powi(i32::try_from(z.abs()).unwrap())
    }

    /// χ² over 41 classes has mean 40 and deviation 8.9: six deviations above is 94. The draws are fixed by the key, so this holds or it does not.
    #[test]
    fn the_noise_has_the_distribution_that_it_is_said_to_have() {
        let (n, b) = (60_000, 5);
        let draws = draws(n, b);
        let expected = |z: i64| f64::from(n) * mass(z, b as f64);
        let mut chi = 0.0;
        let mut rest = (f64::from(n), f64::from(n));
        for z in -20..=20 {
            let seen = draws.iter().filter(|&&drawn| drawn == z).count() as f64;
            chi += (seen - expected(z)).powi(2) / expected(z);
            rest = (rest.0 - seen, rest.1 - expected(z));
        }
        chi += (rest.0 - rest.1).powi(2) / rest.1;
        assert!((5.0..94.0).contains(&chi), "{chi}");
    }

    /// Deviation of scale 20: √(2q)/(1 − q) with q = exp(−1/20), 28.28. Six standard errors of 20,000 draws are 1.2 and 1.9.
    #[test]
    fn the_noise_of_a_size_has_the_stated_spread() {
        let draws = draws(20_000, SCALE);
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<i64>() as f64 / n;
        let deviation = (draws.iter().map(|&z| (z as f64 - mean).powi(2)).sum::<f64>() / n).sqrt();
        assert!(mean.abs() < 1.2 && (deviation - 28.28).abs() < 1.9, "{mean} ± {deviation}");
    }

    /// Over the keys, which nobody outside knows, one member more changes the probability of each published number by at most e^(1/b).
    #[test]
    fn one_member_changes_the_odds_of_a_size_by_no_more_than_it_costs() {
        let b = SCALE as f64;
        let odds = |exact: u64, number: u64| -> f64 {
            (-900..=900).filter(|&noise| coarse(exact, noise) == number).map(|noise| mass(noise, b)).sum()
        };
        let mut tightest = 1.0f64;
        for exact in [0, 24, 25, 74, 75, 99, 100, 101, 240] {
            for number in (GRID..=400).step_by(GRID as usize) {
                let ratio = odds(exact + 1, number) / odds(exact, number);
                assert!(ratio.max(1.0 / ratio) <= (1.0 / b).exp() + 1e-9, "{exact} → {number}: {ratio}");
                tightest = tightest.max(ratio.max(1.0 / ratio));
            }
        }
        assert!(tightest > 1.04, "e^(1/20) is 1.051, and it is nearly reached: {tightest}");
    }

    #[test]
    fn the_stated_cost_is_that_of_the_noise() {
        assert_eq!(COST, (1_000_000_000u64).div_ceil(2 * SCALE * SCALE));
        assert_eq!(ALLOWANCE, 50_000_000, "ρ = 0.05");
        // All cells of an epoch together cost no more than one alone would.
        for cells in 1..=300 {
            let each = 1e9 / (2.0 * (scale(cells) as f64).powi(2));
            assert!(f64::from(cells) * each <= COST as f64, "{cells}");
        }
        assert_eq!([scale(0), scale(1), scale(2), scale(4), scale(5)], [20, 20, 29, 40, 45]);
    }

    #[test]
    fn a_size_is_coarse_the_same_for_who_counts_the_same_and_independent_for_others() {
        assert_eq!(published(&KEY, &cell(1), 1, &members(0)) % GRID, 0);
        assert_eq!(
            [coarse(0, -300), coarse(24, 0), coarse(74, 0), coarse(75, 0), coarse(1_000, -26)],
            [50, 50, 50, 100, 950]
        );
        let seen = |key: &[u8; 32], epoch: u32, count: u32| {
            laplace(&mut Stream::new(key, &cell(epoch), &members(count)), SCALE)
        };
        assert_eq!(seen(&KEY, 1, 300), seen(&KEY, 1, 300));
        let noises: Vec<i64> = (1..=200).map(|count| seen(&KEY, 1, count)).collect();
        let moved = noises.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(moved > 180, "another member is another noise: {moved}");
        assert!((1..=50).any(|epoch| seen(&KEY, epoch, 300) != seen(&[8; 32], epoch, 300)));
    }

    fn is_counting(epoch: u32) -> bool {
        counting_epoch(Epoch(epoch)) == Some(Epoch(epoch))
    }

    #[test]
    fn counting_epochs_are_dense_at_first_and_quarterly_later() {
        let counting: Vec<u32> = (0..60).filter(|&epoch| is_counting(epoch)).collect();
        assert_eq!(counting, [1, 2, 4, 8, 13, 26, 39, 52]);
        for ended in 0..60 {
            let newest = counting.iter().copied().filter(|&epoch| epoch <= ended).max();
            assert_eq!(counting_epoch(Epoch(ended)), newest.map(Epoch), "{ended}");
        }
    }

    #[test]
    fn each_person_is_counted_as_often_as_the_allowance_pays_for() {
        for joined in [0, 1, 3, 9, 13, 14, 700] {
            let counted = (0..2_000).filter(|&e| is_counting(e) && is_counted(Epoch(joined), Epoch(e))).count();
            assert_eq!(counted, COUNTS as usize, "joined in {joined}");
        }
        assert!(!is_counted(Epoch(5), Epoch(4)), "not before joining");
    }
}
