//! The sealing keys of one process while they are replaced: what was sealed to the one before still opens, until that is
//! destroyed.

use std::sync::{PoisonError, RwLock};

use super::{Recipient, SealingError, SealingKeyPair, SealingPublicKey};

/// Key pairs, the newest first. Each is wiped when it is forgotten.
#[derive(Default)]
pub struct SealingKeyRing(RwLock<Vec<SealingKeyPair>>);

impl SealingKeyRing {
    /// A ring of these pairs, the newest first.
    #[must_use]
    pub fn new(pairs: Vec<SealingKeyPair>) -> Self {
        Self(RwLock::new(pairs))
    }

    /// Takes a newer pair.
    pub fn add(&self, pair: SealingKeyPair) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(0, pair);
    }

    /// Wipes a pair.
    pub fn forget(&self, public: SealingPublicKey) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|pair| pair.public() != public);
    }

    /// Whether it opens what is sealed to this key.
    #[must_use]
    pub fn holds(&self, public: SealingPublicKey) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().any(|pair| pair.public() == public)
    }
}

impl Recipient for SealingKeyRing {
    fn open_with<T>(
        &self,
        mut open: impl FnMut(&SealingKeyPair) -> Result<T, SealingError>,
    ) -> Result<T, SealingError> {
        let pairs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut refused = SealingError::NoKey;
        for pair in &*pairs {
            match open(pair) {
                Ok(opened) => return Ok(opened),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}
