//! The crate against a real anvil and the real contracts.

#![allow(clippy::unwrap_used, missing_docs)]

mod client;
mod deploy;
mod follower;
mod gov;
mod governance;
mod kept;
mod outage;
mod path;
mod poll;
mod resume;
mod slow;
