//! What is hashed: `abi.encode` of static words.

use alloy_primitives::B256;

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
