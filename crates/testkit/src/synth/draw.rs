//! Draws from a seeded stream, by integer arithmetic of our own: no library's change of its sampling changes a patient.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of draws.
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of one patient of one seed.
    #[must_use]
    pub fn new(seed: u64, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        key[16..].copy_from_slice(b"rochdale.synth.1");
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number from `low` to `high`, both included; `low` where they are out of order.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = i128::from(high) - i128::from(low) + 1;
        if width <= 1 {
            return low;
        }
        // Multiply and shift; the bias of 2^-64 · width does not matter for synthetic patients.
        let drawn = (u128::from(self.0.next_u64()) * width.unsigned_abs()) >> 64;
        low + i64::try_from(drawn).unwrap_or(0)
    }

    /// True in `permille` of 1,000 cases.
    pub fn chance(&mut self, permille: u16) -> bool {
        self.between(0, 999) < i64::from(permille)
    }

    /// One of a list, which must not be empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let last = i64::try_from(list.len()).unwrap_or(1) - 1;
        &list[usize::try_from(self.between(0, last)).unwrap_or(0)]
    }

    /// Bell-shaped around `mean`: the sum of eight even draws, never further than about 4.9 `deviation` off.
    pub fn around(&mut self, mean: i64, deviation: i64) -> i64 {
        // The sum of eight draws from −1,000 to 1,000 has a standard deviation of 1,633.
        let sum: i64 = (0..8).map(|_| self.between(-1_000, 1_000)).sum();
        mean + sum * deviation / 1_633
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.0.next_u64(), self.0.next_u64());
        let high = (high & !0xF000) | 0x4000;
        let low = (low & !(0b11 << 62)) | (0b10 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        )
    }
}

/// `2024-05-17` of a unix second.
#[must_use]
pub fn date_of(second: i64) -> String {
    let (year, month, day) = civil(second.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2024-05-17T10:30:00Z` of a unix second.
#[must_use]
pub fn instant_of(second: i64) -> String {
    let time = second.rem_euclid(86_400);
    format!("{}T{:02}:{:02}:{:02}Z", date_of(second), time / 3600, time / 60 % 60, time % 60)
}

/// Year, month and day of a day since 1970-01-01, in the proleptic Gregorian calendar.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_dates_that_the_reader_reads_back() {
        for second in [0, 951_782_400, 1_593_538_496, 4_102_444_799, -86_400, -2_208_988_800] {
            let read = rochdale_core::fhir::Date::parse(&instant_of(second)).map(|d| d.first);
            assert_eq!(read, Some(second));
        }
    }

    #[test]
    fn is_one_stream_per_seed_and_index() {
        let ids = |seed, index| -> Vec<String> {
            let mut draw = Draw::new(seed, index);
            (0..3).map(|_| draw.uuid()).collect()
        };
        assert_eq!(ids(1, 1), ids(1, 1));
        assert_ne!(ids(1, 1), ids(1, 2));
        assert_ne!(ids(1, 2), ids(2, 1));
    }

    #[test]
    fn keeps_to_its_bounds() {
        let mut draw = Draw::new(7, 7);
        let seen: Vec<i64> = (0..1_000).map(|_| draw.between(-2, 2)).collect();
        assert!((-2..=2).all(|n| seen.contains(&n)) && seen.iter().all(|n| (-2..=2).contains(n)));
        assert_eq!(draw.between(5, 4), 5);
        let mean = (0..2_000).map(|_| draw.around(100, 10)).sum::<i64>() / 2_000;
        assert!((98..=102).contains(&mean), "{mean}");
    }
}
