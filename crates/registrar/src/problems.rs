//! From the errors of the modules to problem documents.

use rochdale_api::route::HEALTH;
use rochdale_api::{Problem, ProblemCode};

/// The RPC's failure.
pub fn chain(error: impl ToString) -> Problem {
    Problem::new(ProblemCode::ChainUnavailable, error.to_string())
        .hint(format!("nothing was lost: ask again once {} shows no problem", HEALTH.path))
}

/// A defect of ours.
pub fn internal(error: impl ToString) -> Problem {
    Problem::new(ProblemCode::Internal, error.to_string())
}

/// Not what the contract says.
pub fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::BadRequest, detail)
}
