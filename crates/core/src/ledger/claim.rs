//! What a leaf entitles a member to.

use alloy_primitives::U256;

use super::row::{Amounts, mul_div};

/// Paid so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// Micro-USDC.
    pub cash: u128,
    /// Wei of DATA.
    pub data: u128,
    /// Wei of GOV.
    pub gov: u128,
}

/// To be paid now.
pub type Due = Claimed;

/// What of `stream` has streamed at `now`: it starts with the end of the settled epoch, `end`, and lasts one epoch.
#[must_use]
pub fn streamed(stream: u128, now: u64, end: u64, epoch_length: u32) -> u128 {
    let elapsed = now.saturating_sub(end).min(epoch_length.into());
    if elapsed == u64::from(epoch_length) {
        return stream;
    }
    // At most `stream`, since elapsed < epoch_length.
    mul_div(stream, elapsed.into(), U256::from(epoch_length)).saturating_to()
}

/// What is due for a leaf of the final epoch that ended at `end`: never negative, also where an earlier root paid more.
#[must_use]
pub fn due(leaf: &Amounts, claimed: &Claimed, now: u64, end: u64, epoch_length: u32) -> Due {
    let cash = leaf.cash.saturating_add(streamed(leaf.stream, now, end, epoch_length));
    Due {
        cash: cash.saturating_sub(claimed.cash),
        data: leaf.data.saturating_sub(claimed.data),
        gov: leaf.gov.saturating_sub(claimed.gov),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAF: Amounts = Amounts { cash: 4_000_000, stream: 5_000_000, data: 7, gov: 2 };

    #[test]
    fn cash_streams_over_one_epoch() {
        let at = |now| due(&LEAF, &Claimed::default(), now, 1_000, 604_800).cash;
        assert_eq!(at(0), 4_000_000);
        assert_eq!(at(1_000), 4_000_000);
        assert_eq!(at(1_001), 4_000_008, "5,000,000 / 604,800 = 8.27 a second");
        assert_eq!(at(1_000 + 302_400), 6_500_000);
        assert_eq!(at(1_000 + 604_800), 9_000_000);
        assert_eq!(at(u64::MAX), 9_000_000);
    }

    #[test]
    fn what_was_paid_is_not_due_again() {
        let claimed = Claimed { cash: 4_000_008, data: 9, gov: 1 };
        let due = due(&LEAF, &claimed, 1_001, 1_000, 604_800);
        assert_eq!(due, Due { cash: 0, data: 0, gov: 1 });
        assert_eq!(streamed(u128::MAX, 1_001, 1_000, 604_800), u128::MAX / 604_800);
    }
}
