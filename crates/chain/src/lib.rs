//! The contracts seen from Rust: bindings, EIP-712 types, deployment, events, transactions.
//!
//! Entry points: [`client::Chain`] connects to an RPC, [`deploy::deploy`] founds a cooperative and leaves a
//! [`deploy::Manifest`], [`events::Follower`] keeps a process's store in step with the chain, and
//! [`state::Cooperative`] is what the events add up to. [`poll`] finds what the chain says of signed ballots;
//! [`account`] is what a passkey signs and what the cooperative's relayer sends for it;
//! [`dispute`] stops a pending root; [`ethics`] is what the ethics board says of studies; [`kpi`] are key figures.

pub mod account;
pub mod bindings;
#[cfg(test)]
mod bounds;
pub mod client;
pub mod deploy;
pub mod dispute;
pub mod erc1271;
pub mod ethics;
pub mod events;
pub mod gov;
mod house;
pub mod kpi;
mod layouts;
pub mod local;
pub mod poll;
mod seat;
pub mod state;
pub mod upgrade;

pub use rochdale_eip712 as eip712;
