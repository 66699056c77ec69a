//! The local chain: finding and starting anvil, moving its time, and keys that anybody can derive.
//!
//! Nothing here works on any chain id but 31337.

mod anvil;
mod bonds;
pub mod kept;
mod time;

use alloy::primitives::{B256, Keccak256};
use alloy::signers::local::PrivateKeySigner;

pub use anvil::{Anvil, AnvilOptions, LocalError, Mining, find_anvil};
pub use bonds::post_bonds;
pub use time::LocalChain;

/// First block of a local chain that begins where everybody's does: 1 January 2026, 00:00 UTC.
pub const GENESIS_TIME: u64 = 1_767_225_600;

/// A key that follows from a seed and a role, such as `("demo", "steward-2")`: the same on every run.
///
/// Anybody can derive it, so it is for the local chain alone.
#[must_use]
pub fn key(seed: &str, role: &str) -> PrivateKeySigner {
    let mut attempt = 0u32;
    loop {
        let mut hash = Keccak256::new();
        hash.update(b"rochdale.local-key.v1\0");
        hash.update(seed.as_bytes());
        hash.update([0]);
        hash.update(role.as_bytes());
        hash.update(attempt.to_be_bytes());
        let secret: B256 = hash.finalize();
        // Refused with a probability near 2^-128: zero, or above the order of the curve.
        if let Ok(key) = PrivateKeySigner::from_bytes(&secret) {
            return key;
        }
        attempt += 1;
    }
}
