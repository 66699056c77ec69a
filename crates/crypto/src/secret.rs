//! Secrets that more than one module handles.

use curve25519_dalek::scalar::Scalar;
use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The secret `s` of one record: a non-zero scalar of ristretto255, from which the record's key is derived and which is
/// shared among the stewards.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RecordSecret(pub(crate) Scalar);

impl RecordSecret {
    /// Draws a fresh one. One per record: sealing two records under one secret is safe only because each has its own salt,
    /// but releasing one would release both.
    #[must_use]
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        loop {
            let mut wide = Zeroizing::new([0; 64]);
            rng.fill_bytes(wide.as_mut());
            let scalar = Scalar::from_bytes_mod_order_wide(&wide);
            if scalar != Scalar::ZERO {
                return Self(scalar);
            }
        }
    }

    /// The scalar's canonical bytes, little-endian.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// The key that salts a member's rows of the settlement tree; drawn by the member's client, held by every steward.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RowKey([u8; 32]);

impl RowKey {
    /// Draws a fresh one.
    #[must_use]
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to derive salts from.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}
