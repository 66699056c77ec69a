//! A backup, sealed to a key that its machine does not hold: `magic ‖ sealed secret ‖ envelope`.
//!
//! The secret of the envelope ([`crate::envelope`]) is drawn for this one file and sealed by HPKE to the backup key, bound to
//! what is backed up ([`Subject`]). Whoever has the machine opens no backup of it; whoever has the backup key opens all of
//! them.

use std::io::{Read, Write};

use alloy_primitives::{Address, Bytes};
use curve25519_dalek::scalar::Scalar;
use rand::CryptoRng;
use rochdale_core::ids::MemberId;
use zeroize::Zeroizing;

use crate::envelope::{self, Context, EnvelopeError};
use crate::sealing::{self, Sealed, SealingError, SealingKeyPair, SealingPublicKey};
use crate::secret::RecordSecret;

const MAGIC: &[u8; 8] = b"RCDBACK1";
const INFO: &[u8] = b"rochdale.backup.v1";
/// Bytes of a sealed secret: the encapsulated key, 32 bytes, the tag.
const SEALED_BYTES: usize = 32 + 32 + 16;

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The service and its address or place: `steward`, `gateway`, `worker`.
    pub service: String,
    /// The cooperative's chain.
    pub chain_id: u64,
    /// The cooperative's `ContributionRegistry`.
    pub registry: Address,
}

impl Subject {
    fn aad(&self) -> Vec<u8> {
        [&self.chain_id.to_be_bytes()[..], self.registry.as_slice(), self.service.as_bytes()].concat()
    }

    fn context(&self) -> Context {
        Context { chain_id: self.chain_id, registry: self.registry, member: MemberId(0), consent_version: 0 }
    }
}

/// Why a backup was not made or does not open.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another file.
    #[error("this is no backup of this version: it does not begin with \"RCDBACK1\"")]
    Magic,
    /// Another key or subject.
    #[error(
        "the backup does not open: it is sealed to another key, of another service or cooperative, or was changed ({0})"
    )]
    Sealing(#[from] SealingError),
    /// What follows is damaged.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Reading or writing failed.
    #[error("the stream failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Seals `len` bytes of `source` to the key `to`.
///
/// # Errors
/// [`BackupError`].
pub fn seal_stream(
    to: &SealingPublicKey,
    subject: &Subject,
    len: u64,
    source: impl Read,
    mut sink: impl Write,
    rng: &mut impl CryptoRng,
) -> Result<(), BackupError> {
    let secret = RecordSecret::random(rng);
    let sealed = sealing::seal(to, INFO, &subject.aad(), secret.as_bytes(), rng)?;
    sink.write_all(MAGIC)?;
    sink.write_all(&sealed.0)?;
    envelope::seal_stream(&secret, &subject.context(), len, source, &mut sink, rng)?;
    Ok(sink.flush()?)
}

/// Opens a backup. On an error, discard what was written.
///
/// # Errors
/// [`BackupError`].
pub fn open_stream(
    key: &SealingKeyPair,
    subject: &Subject,
    mut source: impl Read,
    sink: impl Write,
) -> Result<(), BackupError> {
    let mut head = [0; MAGIC.len() + SEALED_BYTES];
    source.read_exact(&mut head).map_err(|_| BackupError::Magic)?;
    let (magic, sealed) = head.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(BackupError::Magic);
    }
    let sealed = Sealed(Bytes::copy_from_slice(sealed));
    let opened = sealing::open(key, INFO, &subject.aad(), &sealed, "backup")?;
    let bytes: Option<[u8; 32]> = opened.as_slice().try_into().ok();
    let bytes = Zeroizing::new(bytes.ok_or(BackupError::Magic)?);
    let scalar = Option::from(Scalar::from_canonical_bytes(*bytes)).ok_or(BackupError::Magic)?;
    envelope::open_stream(&RecordSecret(scalar), &subject.context(), source, sink)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(service: &str) -> Subject {
        Subject { service: service.to_owned(), chain_id: 31_337, registry: Address::repeat_byte(7) }
    }

    #[test]
    fn only_the_backup_key_opens_it_and_only_as_what_it_is() {
        let (key, other) = (SealingKeyPair::random(&mut rand::rng()), SealingKeyPair::random(&mut rand::rng()));
        let store = vec![7; 3 << 20];
        let mut file = Vec::new();
        seal_stream(&key.public(), &subject("steward"), store.len() as u64, &store[..], &mut file, &mut rand::rng())
            .unwrap();
        assert!(!file.windows(64).any(|window| window == [7; 64]), "what was backed up shows");
        let open = |key: &SealingKeyPair, service: &str, file: &[u8]| {
            let mut opened = Vec::new();
            open_stream(key, &subject(service), file, &mut opened).map(|()| opened)
        };
        assert_eq!(open(&key, "steward", &file).unwrap(), store);
        assert!(matches!(open(&other, "steward", &file), Err(BackupError::Sealing(_))));
        assert!(matches!(open(&key, "gateway", &file), Err(BackupError::Sealing(_))));
        assert!(matches!(open(&key, "steward", &file[..file.len() - 1]), Err(BackupError::Envelope(_))));
        assert!(matches!(open(&key, "steward", b"RCDBACK2"), Err(BackupError::Magic)));
        let last = file.len() - 1;
        file[last] ^= 1;
        assert!(matches!(open(&key, "steward", &file), Err(BackupError::Envelope(_))));
    }
}
