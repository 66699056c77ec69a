//! A difference between what should be and what is.

use std::fmt::Display;

/// A contract that says something else than was asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what} is {actual}, not {expected}")]
pub struct Mismatch {
    /// What was read.
    pub what: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: String,
}

pub(super) fn same<T: PartialEq + Display>(what: &str, expected: T, actual: T) -> Result<(), Mismatch> {
    if expected == actual {
        return Ok(());
    }
    Err(Mismatch { what: what.to_owned(), expected: expected.to_string(), actual: actual.to_string() })
}
