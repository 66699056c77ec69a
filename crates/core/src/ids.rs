//! Typed identifiers. Every id is assigned on chain, starts at 1 and is never reused.

use core::fmt;
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$int> for $name {
            fn from(value: $int) -> Self {
                Self(value)
            }
        }

        impl core::str::FromStr for $name {
            type Err = core::num::ParseIntError;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    };
}

id!(
    /// A member, as `Membership` numbers them; also the member's index in the settlement tree.
    MemberId, u32
);
id!(
    /// A recorded contribution, as `ContributionRegistry` numbers them.
    ContributionId, u64
);
id!(
    /// A dataset of `DatasetCatalog`: a data type and a source, never a disease.
    DatasetId, u32
);
id!(
    /// A data access license of `License`.
    LicenseId, u64
);
id!(
    /// A steward's seat in `StewardCommittee`, which is also the x coordinate of its key shares.
    StewardId, u8
);
id!(
    /// A settlement epoch; 0 is before the first.
    Epoch, u32
);
id!(
    /// A purpose code: the number of a GA4GH DUO permission, 4 for `DUO:0000004`.
    Purpose, u16
);
