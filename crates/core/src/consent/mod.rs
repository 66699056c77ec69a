//! Consent: what a member chose, the receipt that records it, whether it is live, and whether it covers a request.
//!
//! Two questions, asked in this order before any release:
//!
//! 1. **Is it live?** [`Consent`] follows the chain's events; a denial counts at the latest block, a grant at a finalized one.
//! 2. **Does it cover the request?** [`matches`](fn@matches) compares the receipt's [`Choice`] with a [`Request`]: DENY beats ABSTAIN beats APPROVE, and what nothing
//!    permits is denied.
//!
//! The terms are those of GA4GH's Data Use Ontology ([`Permission`], [`ModifierKind`]), pinned here as a table.

mod duo;
mod ehds;
mod matching;
mod protocol;
mod receipt;
mod state;

pub use duo::{Disease, Modifier, ModifierKind, Permission};
pub use ehds::EhdsCategory;
pub use matching::{Decision, Obligation, Reason, Request, Right, could_match, matches};
pub use protocol::Protocol;
pub use receipt::{Choice, Controller, Event, Notice, Receipt, ReceiptError};
pub use state::{Consent, ConsentError, Status};
