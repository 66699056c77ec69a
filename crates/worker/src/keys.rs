//! The worker's keys: one to sign, one that stewards seal to.

use std::path::{Path, PathBuf};

use alloy::primitives::{Address, B256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use rochdale_crypto::keyfile::{self, KeyFileError, KeyKind, Secret};
use rochdale_crypto::{SealingKeyPair, SealingPublicKey};
use serde::Serialize;
use zeroize::Zeroizing;

/// Why a key is not there.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A key file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The signing key is none.
    #[error("the signing key is not a secp256k1 key: {0}")]
    Signing(String),
    /// The directory of new keys.
    #[error("{path}: {source}; name a directory that can be written")]
    Directory {
        /// The path of the directory or file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
}

/// Both keys.
pub struct Keys {
    /// Signs; its address is the worker.
    pub signer: PrivateKeySigner,
    /// What others seal to.
    pub sealing: SealingKeyPair,
}

/// The public halves: what governance registers on chain.
#[derive(Clone, Debug, Serialize)]
pub struct PublicKeys {
    /// Signing address.
    pub address: Address,
    /// X25519 sealing key.
    pub sealing_key: B256,
}

impl Keys {
    /// Reads both key files.
    ///
    /// # Errors
    /// Where a file is missing, readable by others, or of another kind.
    pub fn load(key_file: &Path, sealing_key_file: &Path) -> Result<Self, KeysError> {
        let signer = signer(&keyfile::load(key_file, KeyKind::Signing)?)?;
        let sealing = SealingKeyPair::from_secret(&*keyfile::load(sealing_key_file, KeyKind::Sealing)?);
        Ok(Self { signer, sealing })
    }

    /// Draws `signing.key` and `sealing.key` in `dir`.
    ///
    /// # Errors
    /// Where the directory cannot be written, or a key is there already.
    pub fn create(dir: &Path) -> Result<Self, KeysError> {
        std::fs::create_dir_all(dir).map_err(|source| KeysError::Directory { path: dir.to_owned(), source })?;
        let mut rng = rand::rng();
        let signer = signer(&keyfile::create(&dir.join("signing.key"), KeyKind::Signing, &mut rng)?)?;
        let sealing = keyfile::create(&dir.join("sealing.key"), KeyKind::Sealing, &mut rng)?;
        Ok(Self { signer, sealing: SealingKeyPair::from_secret(&sealing) })
    }

    /// The public halves.
    #[must_use]
    pub fn public(&self) -> PublicKeys {
        let SealingPublicKey(sealing_key) = self.sealing.public();
        PublicKeys { address: self.signer.address(), sealing_key }
    }

    /// The salt of the pool's row order: secret, and the same after a restart.
    #[must_use]
    pub fn pool_salt(&self) -> [u8; 32] {
        let mut bytes = Zeroizing::new(Vec::with_capacity(96));
        bytes.extend_from_slice(rochdale_core::commit::tag("pool-salt").as_slice());
        bytes.extend_from_slice(self.sealing.to_secret().as_slice());
        keccak256(&*bytes).0
    }
}

fn signer(secret: &Secret) -> Result<PrivateKeySigner, KeysError> {
    PrivateKeySigner::from_slice(secret.as_slice()).map_err(|error| KeysError::Signing(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_keys_are_read_back_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let drawn = Keys::create(dir.path()).unwrap();
        let read = Keys::load(&dir.path().join("signing.key"), &dir.path().join("sealing.key")).unwrap();
        assert_eq!(drawn.public().address, read.public().address);
        assert_eq!(drawn.public().sealing_key, read.public().sealing_key);
        assert_eq!(drawn.pool_salt(), read.pool_salt());
        assert!(Keys::create(dir.path()).is_err());
    }
}
