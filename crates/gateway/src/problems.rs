//! From the errors of the modules to problem documents.

use rochdale_api::route::gateway;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::{ChainError, Revert, SendError};

/// The chain cannot be read.
#[must_use]
pub fn chain(error: &ChainError) -> Problem {
    match error {
        // A contract's refusal is a `SendError`; where a mere read is refused, the node is at fault.
        ChainError::Refused { .. }
        | ChainError::Unreachable { .. }
        | ChainError::WrongChain { .. }
        | ChainError::Stale { .. }
        | ChainError::FellBack { .. }
        | ChainError::NoBlock { .. }
        | ChainError::BadUrl(_)
        | ChainError::NotLocal { .. } => Problem::new(ProblemCode::ChainUnavailable, error.to_string())
            .hint(format!("nothing was lost: ask again once {} shows no problem", gateway::HEALTH.path)),
    }
}

/// A task of ours did not end as it should.
#[must_use]
pub fn ended(error: tokio::task::JoinError) -> Problem {
    Problem::new(ProblemCode::Internal, format!("a call to a steward ended early: {error}"))
}

/// A transaction took no effect.
#[must_use]
pub fn send(error: &SendError) -> Problem {
    match error {
        SendError::Refused { revert, .. } | SendError::Reverted { revert, .. } => {
            let problem = Problem::new(ProblemCode::ChainRefused, error.to_string());
            match hint(revert) {
                Some(hint) => problem.hint(hint),
                None => problem,
            }
        }
        SendError::Chain(error) => chain(error),
        SendError::NotMined { .. } | SendError::NonceRace { .. } => {
            Problem::new(ProblemCode::ChainUnavailable, error.to_string())
                .hint("send the same request again later: it takes effect once")
        }
        SendError::NoFunds { .. } => Problem::new(ProblemCode::ChainUnavailable, error.to_string())
            .hint("the cooperative has to fund its relayer"),
        SendError::Unsigned { .. } | SendError::TooDear { .. } => {
            Problem::new(ProblemCode::Internal, error.to_string())
        }
    }
}

fn hint(revert: &Revert) -> Option<String> {
    let name = revert.name();
    let ends = |end: &str| name.ends_with(end);
    let hint = if name == "MemberAccount_BadNonce" {
        let path = gateway::ACCOUNT.path;
        &*format!("it took effect before, or another batch did: read the nonce at {path} and sign again")
    } else if name == "MemberAccount_BadSignature" {
        "check the passkey, the digest of Execute and the user verification; see docs/how-to/accounts.md"
    } else if ends("BadNonce") || ends("BadVersion") || ends("StaleConsent") {
        &format!("read the member's nonces and consent version at {} and sign again", gateway::MEMBER.path)
    } else if ends("Expired") {
        "sign again with a later deadline"
    } else if ends("BadSignature") || ends("BadRegistrarSignature") {
        &format!("check the key and the EIP-712 domain at {}", gateway::COOPERATIVE.path)
    } else if ends("CoolingDown") {
        "contribute again once the cooldown is over"
    } else if ends("NotConsented") || ends("NotGranted") {
        "grant consent first"
    } else {
        return None;
    };
    Some(hint.to_owned())
}
