//! What the services are as processes: the chain as they see it, bodies sealed between them, nonces, asking the committee.
//!
//! A rule belongs to `core`, a wire shape to `api`; here lives what more than one service runs.

pub mod admissions;
pub mod backup;
pub mod callers;
pub mod logging;
pub mod metrics;
pub mod mirror;
pub mod nonces;
pub mod pace;
pub mod peers;
pub mod raw;
pub mod request;
pub mod sealed;
pub mod states;
pub mod store;
