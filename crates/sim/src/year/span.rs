//! Spans of time.

/// Seconds of a day.
pub(super) const DAY: u64 = 86_400;
/// Seconds of an hour.
pub(super) const HOUR: u64 = 3_600;
