//! When an epoch ends, when it may be proposed, and by whom.

use serde::{Deserialize, Serialize};

use crate::ids::{Epoch, StewardId};

/// The deployment's times, unix seconds of block time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Start of epoch 1.
    pub genesis: u64,
    /// Seconds per epoch.
    pub epoch_length: u32,
    /// Seconds from an epoch's end to its first attempt.
    pub lag: u32,
    /// Seconds per attempt.
    pub attempt_length: u32,
}

impl Schedule {
    /// End of epoch `epoch`: the cut is the last block with a timestamp not above it.
    #[must_use]
    pub fn end(&self, epoch: Epoch) -> u64 {
        // 2^32 · 2^32 and a clock that runs for longer than the sun.
        self.genesis.saturating_add(u64::from(epoch.0) * u64::from(self.epoch_length))
    }

    /// When attempt `attempt` at epoch `epoch` may be proposed.
    #[must_use]
    pub fn start(&self, epoch: Epoch, attempt: u32) -> u64 {
        let attempts = u64::from(attempt) * u64::from(self.attempt_length);
        self.end(epoch).saturating_add(self.lag.into()).saturating_add(attempts)
    }

    /// The attempt that runs at `now`; `None` before the first.
    #[must_use]
    pub fn attempt(&self, epoch: Epoch, now: u64) -> Option<u32> {
        let since = now.checked_sub(self.start(epoch, 0))?;
        let attempts = since / u64::from(self.attempt_length.max(1));
        Some(u32::try_from(attempts).unwrap_or(u32::MAX))
    }

    /// The epoch that runs at `now`: the first whose end is not before it. `None` before genesis.
    #[must_use]
    pub fn epoch_at(&self, now: u64) -> Option<Epoch> {
        let since = now.checked_sub(self.genesis)?;
        let epoch = since.div_ceil(u64::from(self.epoch_length.max(1))).max(1);
        Some(Epoch(u32::try_from(epoch).unwrap_or(u32::MAX)))
    }
}

/// The seat of the steward who proposes: number `(epoch + attempt) mod stewards`, counted from 0; `None` without stewards.
#[must_use]
pub fn proposer(epoch: Epoch, attempt: u32, stewards: u8) -> Option<StewardId> {
    let turn = u64::from(epoch.0) + u64::from(attempt);
    let seat = turn.checked_rem(stewards.into())?;
    Some(StewardId(seat as u8 + 1)) // below `stewards`
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEKLY: Schedule = Schedule { genesis: 1_000, epoch_length: 604_800, lag: 3_600, attempt_length: 21_600 };

    #[test]
    fn an_epoch_ends_and_is_proposed_after_the_lag() {
        assert_eq!(WEEKLY.end(Epoch(1)), 605_800);
        assert_eq!(WEEKLY.start(Epoch(1), 0), 609_400);
        assert_eq!(WEEKLY.start(Epoch(1), 2), 652_600);
        assert_eq!(WEEKLY.attempt(Epoch(1), 609_399), None);
        assert_eq!(WEEKLY.attempt(Epoch(1), 609_400), Some(0));
        assert_eq!(WEEKLY.attempt(Epoch(1), 652_600), Some(2));
    }

    #[test]
    fn the_last_second_belongs_to_the_epoch() {
        assert_eq!(WEEKLY.epoch_at(999), None);
        assert_eq!(WEEKLY.epoch_at(1_000), Some(Epoch(1)));
        assert_eq!(WEEKLY.epoch_at(605_800), Some(Epoch(1)));
        assert_eq!(WEEKLY.epoch_at(605_801), Some(Epoch(2)));
    }

    #[test]
    fn proposers_take_turns() {
        let turns: Vec<_> = (0..4).map(|attempt| proposer(Epoch(1), attempt, 3)).collect();
        assert_eq!(turns, [2, 3, 1, 2].map(|seat| Some(StewardId(seat))));
        assert_eq!(proposer(Epoch(3), 0, 3), Some(StewardId(1)));
        assert_eq!(proposer(Epoch(u32::MAX), u32::MAX, 1), Some(StewardId(1)));
        assert_eq!(proposer(Epoch(1), 0, 0), None);
    }
}
