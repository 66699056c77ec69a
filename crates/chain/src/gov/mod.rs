//! Governance seen from outside: what a proposal would change, where it stands, and the calls that make one.

mod calls;
mod describe;
mod rules;

use alloy::json_abi::JsonAbi;
use alloy::primitives::Address;

pub use calls::{Call, CallError, CallSpec};
pub use describe::{Change, Described, describe};

use crate::bindings;
use crate::deploy::Manifest;

/// A contract of the cooperative.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub address: Address,
    /// What it can do.
    pub abi: &'static JsonAbi,
}

/// The cooperative's contracts by name and by address.
#[derive(Clone, Debug)]
pub struct Book(Vec<Entry>);

impl Book {
    /// The contracts of a manifest.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        let entry = |(name, address): (&'static str, Address)| {
            Some(Entry { name, address, abi: bindings::abi(name)? })
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
