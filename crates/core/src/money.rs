//! Amounts and ratios as integers with their unit in the type.

use core::fmt;
use serde::{Deserialize, Serialize};

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident, $decimals:expr, $symbol:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "decimal_string")] pub u128);

        impl $name {
            /// An amount of nothing.
            pub const ZERO: Self = Self(0);
            /// Decimal places of one whole unit.
            pub const DECIMALS: u32 = $decimals;

            /// The sum, or `None` where it does not fit.
            #[must_use]
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// The difference, or `None` where it would be negative.
            #[must_use]
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let one = 10u128.pow(Self::DECIMALS);
                let fraction = format!("{:0width$}", self.0 % one, width = Self::DECIMALS as usize);
                let shown = fraction.trim_end_matches('0');
                let shown = if shown.len() < 2 { &fraction[..2] } else { shown };
                write!(f, "{}.{} {}", self.0 / one, shown, $symbol)
            }
        }
    };
}

amount!(
    /// US dollars as a stablecoin with six decimals.
    MicroUsdc, 6, "USDC"
);
amount!(
    /// DATA in wei (10^-18).
    DataWei, 18, "DATA"
);
amount!(
    /// GOV in wei (10^-18).
    GovWei, 18, "GOV"
);

/// A ratio in basis points, 1/10,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bps(pub u16);

impl Bps {
    /// The whole, in basis points.
    pub const ONE: Self = Self(10_000);
}

/// Integers wider than 53 bits travel as decimal strings in JSON, so that no reader rounds them.
pub mod decimal_string {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the decimal digits as a string.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    /// Reads decimal digits from a string.
    ///
    /// # Errors
    /// Where it is not a string of decimal digits that fit 128 bits.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_cents_and_no_more_than_needed() {
        assert_eq!(MicroUsdc(75_000_000).to_string(), "75.00 USDC");
        assert_eq!(MicroUsdc(4_382_428).to_string(), "4.382428 USDC");
        assert_eq!(DataWei(7_700_000_000_000_000_000).to_string(), "7.70 DATA");
    }
}
