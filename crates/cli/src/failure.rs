//! Why a command failed, by kind: what the exit code says, and with `--json` a problem document (RFC 9457).

use crate::refusals::explained;
use rochdale_api::client::ClientError;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::{ChainError, SendError};
use rochdale_chain::deploy::DeployError;
use serde_json::{Value, json};
use std::fmt;
use std::process::ExitCode;

/// What kind of failure it is. The numbers are the exit codes; they stand in the README of the commands and stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Anything else: a file that cannot be read, a defect.
    Failed = 1,
    /// What was typed is not understood.
    Usage = 2,
    /// A contract, the gateway, a steward or a rule of this command says no; nothing was changed.
    Refused = 3,
    /// The gateway, a steward or the chain does not answer; the same may work later.
    Unreachable = 4,
    /// A check found a difference: audit, verify, a tally.
    Differs = 5,
}

impl Kind {
    /// The exit code of a check.
    pub fn verdict(agrees: bool) -> ExitCode {
        if agrees { ExitCode::SUCCESS } else { ExitCode::from(Self::Differs as u8) }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Differs => "differs",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Failed => "The command failed",
            Self::Usage => "What was typed is not understood",
            Self::Refused => "It is refused",
            Self::Unreachable => "What is needed does not answer",
            Self::Differs => "A check found a difference",
        }
    }
}

/// A failure whose kind this command knows by itself.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    text: String,
}

impl Failure {
    /// One of a kind.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Refused by a rule of this command.
    pub fn refused(text: impl Into<String>) -> Self {
        Self::new(Kind::Refused, text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

/// The kind of an error: that of the first cause which has one; what this command says by itself is a refusal.
pub fn kind(error: &anyhow::Error) -> Kind {
    // A failure that was given as a context is found by its type alone, not among the causes.
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.kind;
    }
    error.chain().find_map(of_cause).unwrap_or(Kind::Refused)
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Kind> {
    if let Some(error) = cause.downcast_ref::<ClientError>() {
        return Some(of_code(error.code()));
    }
    if let Some(error) = cause.downcast_ref::<SendError>() {
        return Some(of_sending(error));
    }
    if let Some(error) = cause.downcast_ref::<ChainError>() {
        return Some(of_chain(error));
    }
    if let Some(DeployError::Mismatch(_)) = cause.downcast_ref() {
        return Some(Kind::Differs);
    }
    let fault = cause.is::<std::io::Error>() || cause.is::<serde_json::Error>() || cause.is::<toml::de::Error>();
    fault.then_some(Kind::Failed)
}

fn of_code(code: ProblemCode) -> Kind {
    match code {
        ProblemCode::ChainUnavailable | ProblemCode::PeerUnavailable | ProblemCode::Halted | ProblemCode::TooSlow => {
            Kind::Unreachable
        }
        ProblemCode::Internal | ProblemCode::PeerFault => Kind::Failed,
        _ => Kind::Refused,
    }
}

fn of_sending(error: &SendError) -> Kind {
    match error {
        SendError::Refused { .. }
        | SendError::Reverted { .. }
        | SendError::NoFunds { .. }
        | SendError::TooDear { .. } => Kind::Refused,
        SendError::Chain(error) => of_chain(error),
        _ => Kind::Failed,
    }
}

fn of_chain(error: &ChainError) -> Kind {
    match error {
        ChainError::Unreachable { .. } | ChainError::Stale { .. } => Kind::Unreachable,
        ChainError::Refused { .. } | ChainError::NotLocal { .. } => Kind::Refused,
        _ => Kind::Failed,
    }
}

/// The problem document of an error: the one that was answered where there was one, else one of the same form.
pub fn problem(error: &anyhow::Error) -> Value {
    let (kind, detail) = (kind(error), format!("{error:#}"));
    let answered = error.chain().find_map(|cause| match cause.downcast_ref::<ClientError>() {
        Some(ClientError::Problem { problem, .. }) => Some(Problem::clone(problem)),
        _ => None,
    });
    let mut value = match answered {
        Some(problem) => json!(problem),
        None => {
            json!({ "type": format!("urn:rochdale:cli:{}", kind.word()), "code": kind.word(), "title": kind.title() })
        }
    };
    if let Some(sentence) = explained(&detail) {
        value["explained"] = json!(sentence);
    }
    value["detail"] = json!(detail);
    value["exit"] = json!(kind as u8);
    value
}
