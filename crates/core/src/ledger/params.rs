//! The governed parameters.

use alloy_primitives::{B256, keccak256};
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::words::Words;
use crate::money::decimal_string;

const E18: u128 = 1_000_000_000_000_000_000;

/// From what to what a parameter may go, as the contract bounds it, and how that is said.
struct Bound {
    least: u128,
    most: u128,
    rule: &'static str,
}

const FREE: Bound = Bound { least: 0, most: u128::MAX, rule: "" };
const POSITIVE: Bound = Bound { least: 1, most: u128::MAX, rule: "must be at least 1" };
const PART: Bound = Bound { least: 0, most: 10_000, rule: "is a part of 10,000 bps" };
const LENGTH: Bound =
    Bound { least: 1, most: (1 << 24) - 1, rule: "must be at least 1 second and is at most 2^24 - 1" };
/// Wei of a point: awards of an epoch must fit.
const PER_POINT: Bound = Bound { least: 0, most: (1 << 96) - 1, rule: "is at most 2^96 - 1 wei" };
/// A leaf shows whole units, so what is below one waits.
const CASH_UNIT: Bound = Bound { least: 1, most: 1_000_000_000, rule: "must be at least 1 and is at most 1,000 USDC" };
const TOKEN_UNIT: Bound = Bound { least: 1, most: 1_000 * E18, rule: "must be at least 1 and is at most 1,000 tokens" };

/// The one table of the parameters, for the macro that it is called with: here the struct comes from it, elsewhere the ways to and from
/// the contracts' structs. Of each: the field, the contracts' name of it, type, default, bound. The order is the one that is hashed.
#[macro_export]
macro_rules! ledger_params {
    ($table:ident) => {
        $table! {
            /// Seconds.
            epoch_length epochLength: u32 = 604_800, LENGTH;
            /// Quality (bps) below which a record earns no points.
            q_min qMin: u16 = 2_000, PART;
            /// Time bonus per step of the streak, bps.
            bonus_per_step bonusPerStep: u16 = 500, FREE;
            /// Longest streak that counts.
            max_streak maxStreak: u16 = 12, POSITIVE;
            /// Epochs within which a further contribution continues a streak.
            streak_window streakWindow: u16 = 4, FREE;
            /// Wei of DATA for 10,000 points.
            #[serde(with = "decimal_string")]
            data_per_point dataPerPoint: u128 = 10 * E18, PER_POINT;
            /// Wei of GOV for 10,000 points.
            #[serde(with = "decimal_string")]
            gov_per_point govPerPoint: u128 = E18, PER_POINT;
            /// Wei of DATA awarded per epoch, at most.
            #[serde(with = "decimal_string")]
            data_cap dataCap: u128 = 1_000_000 * E18, FREE;
            /// Wei of GOV awarded per epoch, at most.
            #[serde(with = "decimal_string")]
            gov_cap govCap: u128 = 100_000 * E18, FREE;
            /// Part of an award that is earned at once, bps.
            immediate_bps immediateBps: u16 = 4_000, PART;
            /// Epochs over which the larger balances vest.
            vesting_epochs vestingEpochs: u16 = 26, POSITIVE;
            /// Wei of DATA that vest per epoch, at least.
            #[serde(with = "decimal_string")]
            dust_data dustData: u128 = E18 / 1_000, FREE;
            /// Wei of GOV that vest per epoch, at least.
            #[serde(with = "decimal_string")]
            dust_gov dustGov: u128 = E18 / 1_000, FREE;
            /// Epochs over which the pool and the weight of use are smoothed.
            smoothing smoothing: u16 = 13, POSITIVE;
            /// Part of a payout that is split equally, bps.
            floor_bps floorBps: u16 = 2_000, PART;
            /// Part of the rest by weight of use, bps.
            mix_usage mixUsage: u16 = 8_000, FREE;
            /// Part of the rest by DATA earned, bps.
            mix_data mixData: u16 = 1_000, FREE;
            /// Part of the rest by early membership, bps.
            mix_early mixEarly: u16 = 1_000, FREE;
            /// Epoch from which joining is not early any more.
            early_cutoff earlyCutoff: u32 = 104, FREE;
            /// Distinct licenses that must have paid before money leaves `incoming`.
            min_licenses minLicenses: u16 = 5, POSITIVE;
            /// Distinct datasets likewise.
            min_datasets minDatasets: u16 = 3, POSITIVE;
            /// What the chain sees of cash is rounded down to this, micro-USDC.
            #[serde(with = "decimal_string")]
            cash_unit cashUnit: u128 = 1_000_000, CASH_UNIT;
            /// Likewise DATA, wei.
            #[serde(with = "decimal_string")]
            data_unit dataUnit: u128 = E18, TOKEN_UNIT;
            /// Likewise GOV, wei.
            #[serde(with = "decimal_string")]
            gov_unit govUnit: u128 = E18, TOKEN_UNIT;
        }
    };
}

macro_rules! define {
    ($($(#[$attribute:meta])* $field:ident $name:ident: $type:ty = $default:expr, $bound:ident;)*) => {
        /// The ledger's parameters, in the order in which [`Params::hash`] takes them.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Params {
            $($(#[$attribute])* pub $field: $type,)*
        }

        impl Default for Params {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Params {
            /// What the contracts call them, in order.
            pub const NAMES: [&'static str; COUNT] = [$(stringify!($name)),*];

            /// All parameters as ABI words, in order.
            #[must_use]
            pub fn words(&self) -> [u128; COUNT] {
                [$(self.$field.into()),*]
            }
        }

        const COUNT: usize = [$(stringify!($field)),*].len();
        const BOUNDS: [(&str, Bound); COUNT] = [$((stringify!($field), $bound)),*];
    };
}

ledger_params!(define);

impl Params {
    /// `keccak(abi.encode(all, in order))`, which every header names.
    #[must_use]
    pub fn hash(&self) -> B256 {
        let mut words = Words::<{ 32 * COUNT }>::new();
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
        let mut all = BOUNDS.iter().zip(self.words());
        if let Some(((field, bound), value)) =
            all.find(|((_, bound), value)| !(bound.least..=bound.most).contains(value))
        {
            return fail(*field, value, bound.rule);
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
            data_per_point: PER_POINT.most,
            gov_per_point: PER_POINT.most,
            cash_unit: CASH_UNIT.most,
            data_unit: TOKEN_UNIT.most,
            gov_unit: TOKEN_UNIT.most,
            ..Params::default()
        };
        fits.validate().unwrap();
        for (params, field) in [
            (Params { data_per_point: PER_POINT.most + 1, ..fits.clone() }, "data_per_point"),
            (Params { gov_per_point: PER_POINT.most + 1, ..fits.clone() }, "gov_per_point"),
            (Params { cash_unit: CASH_UNIT.most + 1, ..fits.clone() }, "cash_unit"),
            (Params { data_unit: TOKEN_UNIT.most + 1, ..fits.clone() }, "data_unit"),
            (Params { gov_unit: TOKEN_UNIT.most + 1, ..fits.clone() }, "gov_unit"),
            (Params { epoch_length: 1 << 24, ..fits.clone() }, "epoch_length"),
        ] {
            let error = params.validate().unwrap_err().to_string();
            assert!(error.contains(field) && error.contains("at most"), "{error}");
        }
    }
}
