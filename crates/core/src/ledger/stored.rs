//! Rows and inputs as bytes, as stewards keep them: fixed places, big-endian, no names. What is read back is a row or it is not; nothing is
//! guessed.

use super::inputs::Inputs;
use super::row::Row;
use super::score::Score;

/// Bytes of a row.
pub const ROW_BYTES: usize = 9 * 16 + 3 * 4 + 1;
/// Bytes of inputs without any contribution.
const INPUTS_BYTES: usize = 2 * 16 + 2 * 8 + 1;
/// Bytes of each contribution's score.
const SCORE_BYTES: usize = 4 * 2;

/// Puts values one after the other.
struct Put<'a>(&'a mut [u8]);

impl Put<'_> {
    fn bytes<const N: usize>(&mut self, bytes: [u8; N]) {
        let (here, rest) = core::mem::take(&mut self.0).split_at_mut(N);
        here.copy_from_slice(&bytes);
        self.0 = rest;
    }
}

/// Takes them again.
struct Take<'a>(&'a [u8]);

impl Take<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (here, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*here)
    }

    fn u128(&mut self) -> Option<u128> {
        self.bytes().map(u128::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.bytes().map(u16::from_be_bytes)
    }

    /// Up to two flags in one byte; the other bits are zero.
    fn flags(&mut self, known: u8) -> Option<u8> {
        let [flags] = self.bytes()?;
        (flags & !known == 0).then_some(flags)
    }
}

impl Row {
    /// The row as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ROW_BYTES] {
        let mut all = [0; ROW_BYTES];
        let mut put = Put(&mut all);
        for amount in [
            self.cash_earned,
            self.cash_streaming,
            self.data_earned,
            self.gov_earned,
            self.data_locked,
            self.data_vesting,
            self.gov_locked,
            self.gov_vesting,
            self.usage_weight,
        ] {
            put.bytes(amount.to_be_bytes());
        }
        for epochs in [self.streak, self.last_contribution, self.join_epoch] {
            put.bytes(epochs.to_be_bytes());
        }
        put.bytes([u8::from(self.closed)]);
        all
    }

    /// The row of these bytes; none where they are no row's.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut take = Take(bytes);
        let row = Self {
            cash_earned: take.u128()?,
            cash_streaming: take.u128()?,
            data_earned: take.u128()?,
            gov_earned: take.u128()?,
            data_locked: take.u128()?,
            data_vesting: take.u128()?,
            gov_locked: take.u128()?,
            gov_vesting: take.u128()?,
            usage_weight: take.u128()?,
            streak: take.u32()?,
            last_contribution: take.u32()?,
            join_epoch: take.u32()?,
            closed: take.flags(1)? != 0,
        };
        take.0.is_empty().then_some(row)
    }
}

impl Inputs {
    /// The inputs as bytes; the scores stand last.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut all = vec![0; INPUTS_BYTES + SCORE_BYTES * self.contributions.len()];
        let mut put = Put(&mut all);
        put.bytes(self.program_points.to_be_bytes());
        put.bytes(self.w.to_be_bytes());
        put.bytes(self.n.to_be_bytes());
        put.bytes(self.k.to_be_bytes());
        put.bytes([u8::from(self.active) | u8::from(self.erased) << 1]);
        for score in &self.contributions {
            for field in [score.quality, score.uniqueness, score.authenticity, score.rarity] {
                put.bytes(field.to_be_bytes());
            }
        }
        all
    }

    /// The inputs of these bytes; none where they are nobody's.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut take = Take(bytes);
        let (program_points, w, n, k) = (take.u128()?, take.u128()?, take.u64()?, take.u64()?);
        let flags = take.flags(3)?;
        let mut contributions = Vec::with_capacity(take.0.len() / SCORE_BYTES);
        while !take.0.is_empty() {
            contributions.push(Score {
                quality: take.u16()?,
                uniqueness: take.u16()?,
                authenticity: take.u16()?,
                rarity: take.u16()?,
            });
        }
        Some(Self { contributions, program_points, n, k, w, active: flags & 1 != 0, erased: flags & 2 != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_as_it_was_and_from_nothing_else() {
        let row = Row {
            cash_earned: 1,
            cash_streaming: u128::MAX,
            data_earned: 3,
            gov_earned: 4,
            data_locked: 5,
            data_vesting: 6,
            gov_locked: 7,
            gov_vesting: 8,
            usage_weight: 9,
            streak: 10,
            last_contribution: 11,
            join_epoch: u32::MAX,
            closed: true,
        };
        let bytes = row.to_bytes();
        assert_eq!(Row::from_bytes(&bytes), Some(row));
        assert_eq!(Row::from_bytes(&Row::default().to_bytes()), Some(Row::default()));
        assert_eq!(Row::from_bytes(&bytes[1..]), None, "too short");
        assert_eq!(Row::from_bytes(&[&bytes[..], &[0]].concat()), None, "too long");
        let mut other = bytes;
        other[ROW_BYTES - 1] = 2;
        assert_eq!(Row::from_bytes(&other), None, "no such flag");
    }

    #[test]
    fn inputs_come_back_as_they_were_and_from_nothing_else() {
        let score = Score { quality: 8_000, uniqueness: 0, authenticity: 3_000, rarity: 12_500 };
        for (active, erased, count) in [(true, false, 0), (false, true, 0), (true, false, 1), (true, false, 300)] {
            let contributions = (0..count).map(|index| Score { quality: index, ..score }).collect();
            let inputs = Inputs { contributions, program_points: u128::MAX, n: 3, k: u64::MAX, w: 5, active, erased };
            let bytes = inputs.to_bytes();
            assert_eq!(Inputs::from_bytes(&bytes), Some(inputs));
            assert_eq!(Inputs::from_bytes(&bytes[1..]), None, "too short");
            assert_eq!(Inputs::from_bytes(&[&bytes[..], &[0]].concat()), None, "too long");
        }
        let mut bytes = Inputs::default().to_bytes();
        bytes[INPUTS_BYTES - 1] = 4;
        assert_eq!(Inputs::from_bytes(&bytes), None, "no such flag");
    }
}
