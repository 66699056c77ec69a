//! The governed parameters.

use alloy_primitives::{B256, keccak256};
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::words::Words;
use crate::money::decimal_string;

/// Wei of a point, as `SettlementLedger` bounds them: awards of an epoch must fit.
const MAX_PER_POINT: u128 = (1 << 96) - 1;
/// Micro-USDC of a unit: a leaf shows whole units, so what is below one waits. 1,000 USDC.
const MAX_CASH_UNIT: u128 = 1_000_000_000;
/// Wei of a unit of DATA or GOV: 1,000 tokens.
const MAX_TOKEN_UNIT: u128 = 1_000 * E18;

/// The ledger's parameters, in the order in which [`Params::hash`] takes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Seconds.
    pub epoch_length: u32,
    /// Quality (bps) below which a record earns no points.
    pub q_min: u16,
    /// Time bonus per step of the streak, bps.
    pub bonus_per_step: u16,
    /// Longest streak that counts.
    pub max_streak: u16,
    /// Epochs within which a further contribution continues a streak.
    pub streak_window: u16,
    /// Wei of DATA for 10,000 points.
    #[serde(with = "decimal_string")]
    pub data_per_point: u128,
    /// Wei of GOV for 10,000 points.
    #[serde(with = "decimal_string")]
    pub gov_per_point: u128,
    /// Wei of DATA awarded per epoch, at most.
    #[serde(with = "decimal_string")]
    pub data_cap: u128,
    /// Wei of GOV awarded per epoch, at most.
    #[serde(with = "decimal_string")]
    pub gov_cap: u128,
    /// Part of an award that is earned at once, bps.
    pub immediate_bps: u16,
    /// Epochs over which the larger balances vest.
    pub vesting_epochs: u16,
    /// Wei of DATA that vest per epoch, at least.
    #[serde(with = "decimal_string")]
    pub dust_data: u128,
    /// Wei of GOV that vest per epoch, at least.
    #[serde(with = "decimal_string")]
    pub dust_gov: u128,
    /// Epochs over which the pool and the weight of use are smoothed.
    pub smoothing: u16,
    /// Part of a payout that is split equally, bps.
    pub floor_bps: u16,
    /// Part of the rest by weight of use, bps.
    pub mix_usage: u16,
    /// Part of the rest by DATA earned, bps.
    pub mix_data: u16,
    /// Part of the rest by early membership, bps.
    pub mix_early: u16,
    /// Epoch from which joining is not early any more.
    pub early_cutoff: u32,
    /// Distinct licenses that must have paid before money leaves `incoming`.
    pub min_licenses: u16,
    /// Distinct datasets likewise.
    pub min_datasets: u16,
    /// What the chain sees of cash is rounded down to this, micro-USDC.
    #[serde(with = "decimal_string")]
    pub cash_unit: u128,
    /// Likewise DATA, wei.
    #[serde(with = "decimal_string")]
    pub data_unit: u128,
    /// Likewise GOV, wei.
    #[serde(with = "decimal_string")]
    pub gov_unit: u128,
}

const E18: u128 = 1_000_000_000_000_000_000;

impl Default for Params {
    fn default() -> Self {
        Self {
            epoch_length: 604_800,
            q_min: 2_000,
            bonus_per_step: 500,
            max_streak: 12,
            streak_window: 4,
            data_per_point: 10 * E18,
            gov_per_point: E18,
            data_cap: 1_000_000 * E18,
            gov_cap: 100_000 * E18,
            immediate_bps: 4_000,
            vesting_epochs: 26,
            dust_data: E18 / 1_000,
            dust_gov: E18 / 1_000,
            smoothing: 13,
            floor_bps: 2_000,
            mix_usage: 8_000,
            mix_data: 1_000,
            mix_early: 1_000,
            early_cutoff: 104,
            min_licenses: 5,
            min_datasets: 3,
            cash_unit: 1_000_000,
            data_unit: E18,
            gov_unit: E18,
        }
    }
}

impl Params {
    /// All parameters as ABI words, in order.
    #[must_use]
    pub fn words(&self) -> [u128; 24] {
        [
            self.epoch_length.into(),
            self.q_min.into(),
            self.bonus_per_step.into(),
            self.max_streak.into(),
            self.streak_window.into(),
            self.data_per_point,
            self.gov_per_point,
            self.data_cap,
            self.gov_cap,
            self.immediate_bps.into(),
            self.vesting_epochs.into(),
            self.dust_data,
            self.dust_gov,
            self.smoothing.into(),
            self.floor_bps.into(),
            self.mix_usage.into(),
            self.mix_data.into(),
            self.mix_early.into(),
            self.early_cutoff.into(),
            self.min_licenses.into(),
            self.min_datasets.into(),
            self.cash_unit,
            self.data_unit,
            self.gov_unit,
        ]
    }

    /// `keccak(abi.encode(all, in order))`, which every header names.
    #[must_use]
    pub fn hash(&self) -> B256 {
        let mut words = Words::<{ 32 * 24 }>::new();
        for (index, value) in self.words().into_iter().enumerate() {
            words.set(index, value);
        }
        keccak256(words.bytes())
    }

    /// Checks that every division has a divisor and every part is one of a whole.
    ///
    /// # Errors
    /// With the first parameter at fault.
    pub fn validate(&self) -> Result<(), LedgerError> {
        let fail = |field, value: u128, rule| Err(LedgerError::Params { field, value, rule });
        let positive: [(&'static str, u128); 9] = [
            ("epoch_length", self.epoch_length.into()),
            ("max_streak", self.max_streak.into()),
            ("vesting_epochs", self.vesting_epochs.into()),
            ("smoothing", self.smoothing.into()),
            ("min_licenses", self.min_licenses.into()),
            ("min_datasets", self.min_datasets.into()),
            ("cash_unit", self.cash_unit),
            ("data_unit", self.data_unit),
            ("gov_unit", self.gov_unit),
        ];
        if let Some((field, value)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return fail(field, value, "must be at least 1");
        }
        let bounded = [
            ("data_per_point", self.data_per_point, MAX_PER_POINT, "is at most 2^96 - 1 wei"),
            ("gov_per_point", self.gov_per_point, MAX_PER_POINT, "is at most 2^96 - 1 wei"),
            ("cash_unit", self.cash_unit, MAX_CASH_UNIT, "is at most 1,000 USDC"),
            ("data_unit", self.data_unit, MAX_TOKEN_UNIT, "is at most 1,000 tokens"),
            ("gov_unit", self.gov_unit, MAX_TOKEN_UNIT, "is at most 1,000 tokens"),
        ];
        if let Some((field, value, _, rule)) = bounded.into_iter().find(|(_, value, most, _)| value > most) {
            return fail(field, value, rule);
        }
        let parts = [("q_min", self.q_min), ("immediate_bps", self.immediate_bps), ("floor_bps", self.floor_bps)];
        if let Some((field, value)) = parts.into_iter().find(|(_, value)| *value > 10_000) {
            return fail(field, value.into(), "is a part of 10,000 bps");
        }
        let mix = u128::from(self.mix_usage) + u128::from(self.mix_data) + u128::from(self.mix_early);
        if mix != 10_000 {
            return fail("mix_usage + mix_data + mix_early", mix, "must sum to 10,000 bps");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_contract_refuses_is_refused_by_name() {
        let fits = Params {
            data_per_point: MAX_PER_POINT,
            gov_per_point: MAX_PER_POINT,
            cash_unit: MAX_CASH_UNIT,
            data_unit: MAX_TOKEN_UNIT,
            gov_unit: MAX_TOKEN_UNIT,
            ..Params::default()
        };
        fits.validate().unwrap();
        for (params, field) in [
            (Params { data_per_point: MAX_PER_POINT + 1, ..fits.clone() }, "data_per_point"),
            (Params { gov_per_point: MAX_PER_POINT + 1, ..fits.clone() }, "gov_per_point"),
            (Params { cash_unit: MAX_CASH_UNIT + 1, ..fits.clone() }, "cash_unit"),
            (Params { data_unit: MAX_TOKEN_UNIT + 1, ..fits.clone() }, "data_unit"),
            (Params { gov_unit: MAX_TOKEN_UNIT + 1, ..fits.clone() }, "gov_unit"),
        ] {
            let error = params.validate().unwrap_err().to_string();
            assert!(error.contains(field) && error.contains("at most"), "{error}");
        }
    }
}
