//! The parts of quality.

use serde::Serialize;

/// The four parts of quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Is it there?
    Availability,
    /// Is it written as the standard says?
    Conformity,
    /// Does it hold together: references, units?
    Accuracy,
    /// Can it be true?
    Plausibility,
}

impl Category {
    /// All, in the order of the rubric.
    pub const ALL: [Self; 4] = [Self::Availability, Self::Conformity, Self::Accuracy, Self::Plausibility];
}
