//! A seat of the committee, as it is configured and as the chain tells of it.

use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};

/// A steward's public keys; its id is its place in the list, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Account that signs.
    pub signer: Address,
    /// X25519 public key that shares are sealed to.
    pub sealing_key: B256,
}
