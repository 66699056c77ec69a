//! What a researcher orders, and what a quorum of stewards books for it on chain.
//!
//! ```text
//! Order (researcher) ──digest──▶ Debit (k stewards, on chain, once) ──▶ shares ──▶ answer ──▶ QueryReceipt (worker, on chain)
//! ```

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::ids::{LicenseId, Purpose};

/// How far ahead of block time an order's deadline may lie: a week. The contract says the same.
pub const MAX_LIFETIME: u64 = 7 * 86_400;

/// The right that a license must give for an order, by its number on chain: to ask queries.
pub const QUERY_RIGHT: u8 = 1;

/// One question of a license's holder, as it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The license that pays for it.
    pub license_id: LicenseId,
    /// Hash of the finalized block as of which the snapshot is taken.
    pub cut: B256,
    /// Digest of the query.
    pub query_digest: B256,
    /// Privacy loss to spend, in nano-zCDP.
    pub rho: u64,
    /// Must be the license's.
    pub purpose: Purpose,
    /// Drawn by the researcher.
    pub nonce: B256,
    /// Seconds of block time, at most [`MAX_LIFETIME`] ahead.
    pub deadline: u64,
}

/// What a quorum signs: an order is charged to everybody in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debit {
    /// The license, by its number.
    pub license_id: LicenseId,
    /// EIP-712 digest of the [`Order`]; each is booked once.
    pub order: B256,
    /// Digest of the query.
    pub query_digest: B256,
    /// Blinded digest of the snapshot.
    pub snapshot: B256,
    /// The purpose, a DUO permission.
    pub purpose: Purpose,
    /// Nano-zCDP charged to each person in the snapshot.
    pub rho: u64,
    /// The order's: seconds of block time.
    pub deadline: u64,
}

impl Debit {
    /// The debit of an order with this EIP-712 digest over this snapshot.
    #[must_use]
    pub const fn of(order: &Order, digest: B256, snapshot: B256) -> Self {
        Self {
            license_id: order.license_id,
            order: digest,
            query_digest: order.query_digest,
            snapshot,
            purpose: order.purpose,
            rho: order.rho,
            deadline: order.deadline,
        }
    }
}
