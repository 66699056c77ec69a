//! From the errors of the modules to problem documents.

use rochdale_api::route::HEALTH;
use rochdale_api::{Problem, ProblemCode};

/// The RPC's failure.
#[must_use]
pub fn chain(error: impl ToString) -> Problem {
    Problem::new(ProblemCode::ChainUnavailable, error.to_string())
        .hint(format!("nothing was lost: send the same order again once {} shows no problem", HEALTH.path))
}

/// A defect of ours.
#[must_use]
pub fn internal(error: impl ToString) -> Problem {
    Problem::new(ProblemCode::Internal, error.to_string())
}

/// A failed cryptographic check.
#[must_use]
pub fn broken(what: &str, error: impl ToString) -> Problem {
    Problem::new(ProblemCode::SealBroken, format!("{what}: {}", error.to_string()))
}

/// Not what the contract says.
#[must_use]
pub fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::BadRequest, detail)
}

/// The license does not allow it.
#[must_use]
pub fn license(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::LicenseInvalid, detail)
}
