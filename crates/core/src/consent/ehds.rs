//! The purposes for which the European Health Data Space lets data be used again.

use serde::{Deserialize, Serialize};

/// Purposes of secondary use: Regulation (EU) 2025/327, article 53(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EhdsCategory {
    /// (a) public interest in public and occupational health; public bodies only.
    PublicHealth,
    /// (b) policy making and regulation; public bodies only.
    Policy,
    /// (c) statistics; public bodies only.
    Statistics,
    /// (d) education and teaching.
    Education,
    /// (e) scientific research.
    ScientificResearch,
    /// (f) improving care.
    CareImprovement,
}

impl EhdsCategory {
    /// From the code on chain, 1 to 6 for (a) to (f).
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        let all = [
            Self::PublicHealth,
            Self::Policy,
            Self::Statistics,
            Self::Education,
            Self::ScientificResearch,
            Self::CareImprovement,
        ];
        all.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// The code on chain.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8 + 1
    }

    /// Whether only public bodies may claim it.
    #[must_use]
    pub fn is_for_public_bodies(self) -> bool {
        self <= Self::Statistics
    }
}
