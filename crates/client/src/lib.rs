//! What members and researchers sign, seal, open and check, as pure functions.
//!
//! The way of a membership: [`membership::Applicant`] seals a row key, the registrar [`membership::offer`]s it and, once
//! enough stewards hold it, admits; a [`Member`] consents ([`Member::grant`]), contributes ([`Member::contribute`]), reads what
//! is theirs ([`rows`]) and ends it. An [`Author`] writes the same without a key: [`Unsigned`], for a passkey to sign. A [`Researcher`] orders queries and opens their answers.
//!
//! **Architecture Invariant:** nothing here reads a clock, draws from a random generator of its own or does I/O: whoever calls
//! passes block time, nonces and a [`rand::CryptoRng`], and sends what comes out. So the same code runs in a browser. The feature `http` adds
//! what sends a sealed body.

pub mod address;
pub mod choice;
pub mod code;
mod consent;
mod contribution;
pub mod held;
pub mod invitation;
pub mod membership;
pub mod notice;
mod order;
mod poll;
#[cfg(feature = "http")]
mod post;
pub mod rows;
pub mod sealed;
pub mod service;
mod site;
pub mod statement;
mod unsigned;

pub use membership::{Author, Member};
pub use order::{Ordered, Researcher, answered_by, open_answer, order};
#[cfg(feature = "http")]
pub use post::post_sealed;
pub use site::{Site, Stamp};
pub use unsigned::{Carries, Unsigned};

use rochdale_core::commit::CommitError;
use rochdale_crypto::{EnvelopeError, SealingError, SharingError};
use rochdale_eip712::SignatureError;

/// Why something could not be made or does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The key does not sign.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It cannot be sealed to the receiver's key.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// A record's envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A record's key shares.
    #[error(transparent)]
    Sharing(#[from] SharingError),
    /// What a digest is made of.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A committee that no deal is made for.
    #[error("a committee of {0} stewards: 255 are the most")]
    Seats(usize),
    /// Nobody would settle the member's row if those who hold its key went.
    #[error(
        "{holders} stewards hold the row key, {needed} of {seats} are needed before the registrar admits anybody:\n  {}",
        missing.join("\n  ")
    )]
    TooFewHolders {
        /// Stewards whose word is good.
        holders: usize,
        /// How many it takes.
        needed: u8,
        /// Stewards in office.
        seats: u8,
        /// Why others do not hold it, in the gateway's words.
        missing: Vec<String>,
    },
    /// Opened bytes of another form.
    #[error("{what} is not understood: {source}")]
    NotUnderstood {
        /// What was opened.
        what: &'static str,
        /// What the layer below said.
        source: serde_json::Error,
    },
    /// An answer to something else than was asked.
    #[error("{0}")]
    Other(String),
}

/// The result of a function here.
pub type Result<T> = std::result::Result<T, ClientError>;
