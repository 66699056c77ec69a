//! Who did what, counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use alloy::primitives::Address;
use serde::Serialize;

/// Interactions by kind, and the accounts that had one.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    kinds: BTreeMap<&'static str, u64>,
    accounts: BTreeSet<Address>,
}

impl Tally {
    /// Counts one action that `account` decided on, whoever relayed it.
    pub fn count(&mut self, kind: &'static str, account: Address) {
        *self.kinds.entry(kind).or_default() += 1;
        self.accounts.insert(account);
    }

    /// Actions of a kind.
    #[must_use]
    pub fn of(&self, kind: &str) -> u64 {
        self.kinds.get(kind).copied().unwrap_or(0)
    }

    /// Actions of all kinds.
    #[must_use]
    pub fn interactions(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// Accounts that acted.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in &self.kinds {
            writeln!(f, "{count:>6}  {kind}")?;
        }
        write!(f, "{:>6}  interactions of {} accounts", self.interactions(), self.accounts())
    }
}
