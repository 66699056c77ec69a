//! What the services are as processes: bodies sealed between them, nonces, asking the committee.
//!
//! A rule belongs to `core`, a wire shape to `api`; here lives what more than one service runs.

pub mod backup;
pub mod callers;
pub mod nonces;
pub mod peers;
pub mod sealed;
