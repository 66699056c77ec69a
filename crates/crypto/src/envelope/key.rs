//! From a record's secret to its cipher.

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag, aead::AeadInOut};
use alloy_primitives::B256;
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::header::{Context, Header, bound_bytes};
use super::{EnvelopeError, TAG_BYTES};
use crate::secret::RecordSecret;

const INFO: &[u8] = b"rochdale.envelope.v1";
const PREFIX_BYTES: usize = 7;

/// What HKDF gives for one record: key, nonce prefix, commitment.
struct Derived(Zeroizing<[u8; 32 + PREFIX_BYTES + 32]>);

impl Derived {
    fn new(secret: &RecordSecret, context: &Context, padded: u64, salt: &[u8; 32]) -> Self {
        let mut okm = Zeroizing::new([0; 32 + PREFIX_BYTES + 32]);
        Hkdf::<Sha256>::new(Some(salt), secret.as_bytes())
            .expand_multi_info(&[INFO, &bound_bytes(context, padded)], okm.as_mut())
            .expect("71 bytes are within what HKDF-SHA256 expands to");
        Self(okm)
    }

    fn commitment(&self) -> &[u8] {
        &self.0[32 + PREFIX_BYTES..]
    }
}

/// Seals and opens the chunks of one record.
pub(super) struct ChunkCipher {
    cipher: Aes256Gcm,
    prefix: [u8; PREFIX_BYTES],
    header_hash: B256,
    last: u32,
}

impl ChunkCipher {
    /// For a new record: the header follows from the secret and the salt.
    pub(super) fn create(secret: &RecordSecret, context: Context, padded: u64, salt: [u8; 32]) -> (Header, Self) {
        let derived = Derived::new(secret, &context, padded, &salt);
        let mut commitment = [0; 32];
        commitment.copy_from_slice(derived.commitment());
        let header = Header { context, padded, salt, commitment };
        let cipher = Self::from_derived(&derived, &header);
        (header, cipher)
    }

    /// For a record to open.
    pub(super) fn unlock(secret: &RecordSecret, header: &Header) -> Result<Self, EnvelopeError> {
        let derived = Derived::new(secret, &header.context, header.padded, &header.salt);
        if !bool::from(derived.commitment().ct_eq(&header.commitment)) {
            return Err(EnvelopeError::KeyCommitment);
        }
        Ok(Self::from_derived(&derived, header))
    }

    fn from_derived(derived: &Derived, header: &Header) -> Self {
        let (key, rest) = derived.0.split_at(32);
        let mut prefix = [0; PREFIX_BYTES];
        prefix.copy_from_slice(&rest[..PREFIX_BYTES]);
        Self {
            cipher: Aes256Gcm::new_from_slice(key).expect("the key has 32 bytes"),
            prefix,
            header_hash: header.hash(),
            last: header.chunks() - 1,
        }
    }

    fn nonce(&self, index: u32) -> Nonce<aes_gcm::aead::consts::U12> {
        let mut nonce = [0; 12];
        nonce[..PREFIX_BYTES].copy_from_slice(&self.prefix);
        nonce[PREFIX_BYTES..11].copy_from_slice(&index.to_be_bytes());
        nonce[11] = u8::from(index == self.last);
        nonce.into()
    }

    /// Encrypts a chunk where it lies and gives its tag.
    pub(super) fn seal(&self, index: u32, chunk: &mut [u8]) -> [u8; TAG_BYTES] {
        self.cipher
            .encrypt_inout_detached(&self.nonce(index), self.header_hash.as_slice(), chunk.into())
            .expect("a chunk is far below the limits of AES-GCM")
            .into()
    }

    /// Decrypts a chunk where it lies; one that does not authenticate is left as it is.
    pub(super) fn open(&self, index: u32, chunk: &mut [u8], tag: &[u8; TAG_BYTES]) -> bool {
        self.cipher
            .decrypt_inout_detached(&self.nonce(index), self.header_hash.as_slice(), chunk.into(), &Tag::from(*tag))
            .is_ok()
    }
}
