//! The registrar: makes invitations for its office, and admits who proves to have one.
//!
//! ```text
//! application ─▶ invitation, code, account, cap ─▶ key offer ─▶ stewards' words ─▶ admission kept ─▶ admission sent
//! ```
//!
//! [`admit`] is the way of one application; [`store`] keeps invitations and what was signed for them, [`guesses`] bounds wrong ones,
//! [`http`] serves, [`run`] wires.
//!
//! **Architecture Invariant:** an admission is kept before it leaves, so that the same application gets the same one, and no
//! invitation admits two accounts at a time.
//! **Architecture Invariant:** the committee whose word an admission rests on is that of the registrar's own RPC, never the gateway's
//! list.
//! **Architecture Invariant:** a code is told once, when it is made, to who holds the registrar's key; no log line or error has one.

pub mod admit;
pub mod config;
pub mod guesses;
pub mod http;
mod problems;
pub mod registrar;
pub mod run;
pub mod store;
