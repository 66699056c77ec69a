//! Errors on the wire: RFC 9457 problem documents with a stable code.

use core::fmt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, as a stable word that programs can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The request does not parse or breaks a rule of its shape.
    BadRequest,
    /// Not signed, or the signature does not hold.
    Unauthenticated,
    /// Signed, but its deadline has passed or lies too far ahead.
    Expired,
    /// Signed, and taken before.
    Replayed,
    /// Signed, but this caller may not do this.
    Forbidden,
    /// No such thing.
    NotFound,
    /// The path exists, but does not take this method.
    MethodNotAllowed,
    /// It did not arrive in time.
    TooSlow,
    /// It contradicts what is there already.
    Conflict,
    /// More bytes than are taken.
    TooLarge,
    /// The contract refuses it; the detail carries the contract's error.
    ChainRefused,
    /// The member's consent does not allow it.
    ConsentDenied,
    /// The member erased the record.
    Erased,
    /// The license is expired, another's, or for something else.
    LicenseInvalid,
    /// The pool's privacy budget does not suffice.
    BudgetExceeded,
    /// This caller asked too often; wait.
    TooManyRequests,
    /// No room for more bytes.
    StorageFull,
    /// Too few records or stewards to answer safely.
    NotEnough,
    /// A cryptographic check failed.
    SealBroken,
    /// The RPC node is down, lagging or on another chain.
    ChainUnavailable,
    /// Another process that is needed does not answer.
    PeerUnavailable,
    /// Another process answered what cannot be its own answer: changed on the way, not signed by it, or not understood.
    PeerFault,
    /// Halted after a contradiction that people have to look at.
    Halted,
    /// A defect of ours.
    Internal,
}

impl ProblemCode {
    /// Every code.
    pub const ALL: [Self; 24] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Expired,
        Self::Replayed,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooSlow,
        Self::Conflict,
        Self::TooLarge,
        Self::ChainRefused,
        Self::ConsentDenied,
        Self::Erased,
        Self::LicenseInvalid,
        Self::BudgetExceeded,
        Self::TooManyRequests,
        Self::StorageFull,
        Self::NotEnough,
        Self::SealBroken,
        Self::ChainUnavailable,
        Self::PeerUnavailable,
        Self::PeerFault,
        Self::Halted,
        Self::Internal,
    ];

    /// The HTTP status that goes with the code.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated | Self::Expired | Self::Replayed => 401,
            Self::Forbidden | Self::ConsentDenied | Self::LicenseInvalid => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooSlow => 408,
            Self::Conflict => 409,
            Self::Erased => 410,
            Self::TooLarge => 413,
            Self::ChainRefused | Self::SealBroken | Self::NotEnough => 422,
            Self::BudgetExceeded | Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::PeerFault => 502,
            Self::ChainUnavailable | Self::PeerUnavailable | Self::Halted => 503,
            Self::StorageFull => 507,
        }
    }

    /// A short English title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is not well formed",
            Self::Unauthenticated => "The request is not signed as it must be",
            Self::Expired => "The request's deadline does not hold",
            Self::Replayed => "The request was taken before",
            Self::Forbidden => "This caller may not do this",
            Self::NotFound => "There is no such thing",
            Self::MethodNotAllowed => "The path does not take this method",
            Self::TooSlow => "The request took too long to arrive",
            Self::Conflict => "It contradicts what is recorded",
            Self::TooLarge => "Too many bytes",
            Self::ChainRefused => "The contract refuses it",
            Self::ConsentDenied => "The member's consent does not allow it",
            Self::Erased => "The record was erased",
            Self::LicenseInvalid => "The license does not allow it",
            Self::BudgetExceeded => "The privacy budget does not suffice",
            Self::TooManyRequests => "Too many requests",
            Self::StorageFull => "No room for more bytes",
            Self::NotEnough => "Too few to go on",
            Self::SealBroken => "A cryptographic check failed",
            Self::ChainUnavailable => "The chain cannot be read",
            Self::PeerUnavailable => "A process that is needed does not answer",
            Self::PeerFault => "Another process gave a wrong answer",
            Self::Halted => "Halted after a contradiction",
            Self::Internal => "An internal error",
        }
    }
}

/// An RFC 9457 problem document (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:rochdale:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The stable code.
    pub code: ProblemCode,
    /// Short and the same for every occurrence.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What exactly, and where.
    pub detail: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of `code` that says what and where.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        let word = serde_json::to_value(code).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        Self {
            kind: format!("urn:rochdale:problem:{word}"),
            code,
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            hint: None,
        }
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)?;
        self.hint.iter().try_for_each(|hint| write!(f, " ({hint})"))
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_list_once_and_is_an_error() {
        // The last of the enumeration: one that is added after it or before it changes the number.
        assert_eq!(ProblemCode::Internal as usize + 1, ProblemCode::ALL.len());
        for (place, code) in ProblemCode::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, place, "{code:?}");
            assert!((400..600).contains(&code.status()), "{code:?}");
        }
    }
}
