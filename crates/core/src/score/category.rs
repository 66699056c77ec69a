//! The parts of quality.

use serde::Serialize;

/// The four parts of quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Whether the elements that research needs are there.
    Availability,
    /// Whether it is written as the standard says.
    Conformity,
    /// Whether it holds together: references that resolve, units that fit.
    Accuracy,
    /// Whether it can be true.
    Plausibility,
}

impl Category {
    /// All, in the order of the rubric.
    pub const ALL: [Self; 4] = [Self::Availability, Self::Conformity, Self::Accuracy, Self::Plausibility];
}
