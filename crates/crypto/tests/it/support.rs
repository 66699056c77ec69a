//! What the tests share: seeded randomness, a context, the name of an error.

use core::convert::Infallible;
use core::fmt::Debug;

use alloy_primitives::Address;
use rand::{SeedableRng, TryCryptoRng, TryRng};
use rand_chacha::ChaCha20Rng;
use rochdale_core::ids::MemberId;
use rochdale_crypto::Context;

pub fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub fn context() -> Context {
    Context { chain_id: 31_337, registry: Address::repeat_byte(0xc0), member: MemberId(7), consent_version: 3 }
}

/// The variant of an error: what a user reads first.
pub fn name(error: &impl Debug) -> String {
    let text = format!("{error:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()
}

/// A generator that gives these bytes and no more: published vectors name their random bytes.
pub struct Bytes(pub Vec<u8>);

impl TryRng for Bytes {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Bytes {}
