//! Governance seen from outside: what a proposal would change, where it stands, and the calls that make one.

mod calls;
mod charter;
mod describe;
mod motion;
mod proposal;
mod rules;
mod votes;

use alloy::json_abi::JsonAbi;
use alloy::primitives::Address;

pub(crate) use calls::coerce;
pub use calls::{CallError, CallSpec, params_argument};
pub use charter::CharterCalls;
pub use describe::{Change, Described, describe, named};
pub use motion::{Draft, Motion, MotionError, PROPOSER};
pub use proposal::{Owner, Proposal, Status, Translated, View, Words, approvals, owner, proposals};
pub use votes::{Cast, votes};

pub use crate::house::{Call, House, Support};

use crate::bindings;
use crate::deploy::Manifest;

/// A contract of the cooperative.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name, such as `TokenGovernor`.
    pub name: &'static str,
    /// What it is, such as `CoopGovernor`.
    pub kind: &'static str,
    /// Where it is.
    pub address: Address,
    /// What it can do.
    pub abi: &'static JsonAbi,
}

/// The storage slot in which a contract's proxy keeps its implementation (ERC-1967).
#[must_use]
pub fn implementation_slot() -> alloy::primitives::B256 {
    crate::deploy::IMPLEMENTATION
}

/// Whether the table of what proposals do explains this function of this kind of contract.
#[must_use]
pub fn explains(kind: &str, function: &str) -> bool {
    rules::RULES.iter().any(|rule| rule.function == function && rule.covers(kind))
}

/// The cooperative's contracts by name and by address.
#[derive(Clone, Debug)]
pub struct Book(Vec<Entry>);

impl Book {
    /// The contracts of a manifest.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        let entry = |(name, kind, address): (&'static str, &'static str, Address)| {
            Some(Entry { name, kind, address, abi: bindings::abi(kind)? })
        };
        Self(manifest.addresses.named().into_iter().filter_map(entry).collect())
    }

    /// The contract of this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.name == name)
    }

    /// The contract at this address.
    #[must_use]
    pub fn by_address(&self, address: Address) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.address == address)
    }

    /// All names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|entry| entry.name).collect()
    }
}
