//! What of the chain's names is known to be in the store.

use std::collections::HashSet;

use alloy::primitives::B256;
use rochdale_core::ids::MemberId;

/// What the store was seen to hold, so that an event is not followed by a question for everything that came before it. What is erased goes
/// from the store once the chain wants it no more: it is not missed.
#[derive(Debug, Default)]
pub struct Seen {
    /// Members whose row key is here, or not needed any more.
    pub row_keys: HashSet<MemberId>,
    /// Consents whose receipt is here, by member and version.
    pub consents: HashSet<(MemberId, u32)>,
    /// Commitments of records that are here.
    pub contributions: HashSet<B256>,
}

impl Seen {
    /// What was seen besides.
    pub fn add(&mut self, more: Self) {
        self.row_keys.extend(more.row_keys);
        self.consents.extend(more.consents);
        self.contributions.extend(more.contributions);
    }
}
