//! How a sender waits, and how much gas it allows.

use std::time::Duration;

use alloy::providers::utils::Eip1559Estimation;

/// Percentage added to an estimate of gas.
const MARGIN_PERCENT: u64 = 25;

/// Gas of three fresh storage slots. An estimate is of its own second: mined in a later one, a transaction may begin
/// checkpoints of votes that the estimate found begun.
const FRESH_SLOTS: u64 = 3 * 22_100;

/// How patient a sender is.
#[derive(Clone, Copy, Debug)]
pub struct SenderOptions {
    /// How often a request is repeated when the RPC does not answer.
    pub retries: u32,
    /// Pause before the first repetition; it doubles each time.
    pub backoff: Duration,
    /// Pause between two looks for a receipt.
    pub poll: Duration,
    /// How long to wait for a receipt.
    pub patience: Duration,
    /// What the gas of one transaction may cost at most, in wei; no limit where absent.
    pub max_wei: Option<u128>,
}

impl Default for SenderOptions {
    fn default() -> Self {
        Self {
            retries: 4,
            backoff: Duration::from_millis(200),
            poll: Duration::from_millis(100),
            patience: Duration::from_secs(120),
            max_wei: None,
        }
    }
}

/// What a transaction is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prepared {
    pub gas: u64,
    pub fees: Eip1559Estimation,
    /// The account's transactions, those included that wait.
    pub count: u64,
    /// How many transactions were handed over when they were counted.
    pub handed_over: u64,
}

/// The gas that a transaction may use, from an estimate of it.
pub(crate) fn gas_limit(estimate: u64) -> u64 {
    estimate.saturating_add(estimate.saturating_mul(MARGIN_PERCENT) / 100).saturating_add(FRESH_SLOTS)
}

#[cfg(test)]
mod tests {
    use super::gas_limit;

    #[test]
    fn a_lock_of_gov_may_begin_the_checkpoints_of_a_new_second() {
        // Of an account and of the total: a slot each, and the lengths of both lists.
        let (in_the_same_second, in_a_new_one) = (90_000, 90_000 + 2 * 22_100 + 2 * 5_000);
        assert!(gas_limit(in_the_same_second) >= in_a_new_one);
        assert_eq!(gas_limit(u64::MAX), u64::MAX);
    }
}
