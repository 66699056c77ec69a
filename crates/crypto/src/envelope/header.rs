//! The fixed binary header of an envelope.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::SolValue;
use rochdale_core::{commit, ids::MemberId};
use serde::{Deserialize, Serialize};

use super::{CHUNK_BYTES, EnvelopeError, HEADER_BYTES, LENGTH_BYTES, MAX_RECORD_BYTES, TAG_BYTES};
use crate::padme;

pub(super) const MAGIC: [u8; 4] = *b"RCDE";
pub(super) const VERSION: u16 = 1;
pub(super) const SUITE: u16 = 1;
/// Offset of the salt: what stands before it enters the key derivation.
pub(super) const BOUND_BYTES: usize = 56;

/// What an envelope belongs to: it opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Context {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Address of the `ContributionRegistry`.
    pub registry: Address,
    /// Whose record it is.
    pub member: MemberId,
    /// The consent under which it was given.
    pub consent_version: u32,
}

/// The header of an envelope, public to whoever holds the blob. It names no dataset and no plaintext length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    pub(super) context: Context,
    pub(super) padded: u64,
    pub(super) salt: [u8; 32],
    pub(super) commitment: [u8; 32],
}

impl Header {
    /// What the envelope belongs to.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Chunks of the blob, at least 1.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        chunks(self.padded)
    }

    /// The length that the blob must have, header included: an upload can be checked by it without any key.
    #[must_use]
    pub fn blob_bytes(&self) -> u64 {
        blob_bytes(self.padded)
    }

    /// Bytes of chunk `index`, without its tag.
    pub(super) fn chunk_bytes(&self, index: u32) -> usize {
        let left = self.padded - u64::from(index) * CHUNK_BYTES as u64;
        left.min(CHUNK_BYTES as u64) as usize
    }

    /// The header's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..BOUND_BYTES].copy_from_slice(&bound_bytes(&self.context, self.padded));
        bytes[56..88].copy_from_slice(&self.salt);
        bytes[88..].copy_from_slice(&self.commitment);
        bytes
    }

    /// Reads the header at the start of `bytes`, a blob or the header alone.
    ///
    /// # Errors
    /// Where they are too few, or not of version 1, suite 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let bytes: &[u8; HEADER_BYTES] =
            bytes.first_chunk().ok_or(EnvelopeError::HeaderTruncated { found: bytes.len() })?;
        if field::<4>(bytes, 0) != MAGIC {
            return Err(EnvelopeError::Magic(field(bytes, 0)));
        }
        match (u16::from_be_bytes(field(bytes, 4)), u16::from_be_bytes(field(bytes, 6))) {
            (VERSION, SUITE) => {}
            (VERSION, suite) => return Err(EnvelopeError::Suite(suite)),
            (version, _) => return Err(EnvelopeError::Version(version)),
        }
        let chunk = u32::from_be_bytes(field(bytes, 44));
        if chunk as usize != CHUNK_BYTES {
            return Err(EnvelopeError::ChunkSize(chunk));
        }
        let padded = u64::from_be_bytes(field(bytes, 48));
        if !valid_padded(padded) {
            return Err(EnvelopeError::PaddedLength(padded));
        }
        let context = Context {
            chain_id: u64::from_be_bytes(field(bytes, 8)),
            registry: Address::from(field(bytes, 16)),
            member: MemberId(u32::from_be_bytes(field(bytes, 36))),
            consent_version: u32::from_be_bytes(field(bytes, 40)),
        };
        Ok(Self { context, padded, salt: field(bytes, 56), commitment: field(bytes, 88) })
    }

    /// `keccak(abi.encode(keccak("rochdale.header.v1"), bytes header))`: what the member signs and the chunks bind.
    #[must_use]
    pub fn hash(&self) -> B256 {
        keccak256((commit::tag("header"), Bytes::copy_from_slice(&self.to_bytes())).abi_encode_params())
    }

    /// Refuses a header that belongs elsewhere.
    ///
    /// # Errors
    /// The first of chain, registry, member and consent version that differs, by name.
    pub fn expect(&self, expected: &Context) -> Result<(), EnvelopeError> {
        let found = &self.context;
        if found.chain_id != expected.chain_id {
            return Err(EnvelopeError::WrongChain { expected: expected.chain_id, found: found.chain_id });
        }
        if found.registry != expected.registry {
            return Err(EnvelopeError::WrongRegistry { expected: expected.registry, found: found.registry });
        }
        if found.member != expected.member {
            return Err(EnvelopeError::WrongMember { expected: expected.member, found: found.member });
        }
        if found.consent_version != expected.consent_version {
            return Err(EnvelopeError::WrongConsentVersion {
                expected: expected.consent_version,
                found: found.consent_version,
            });
        }
        Ok(())
    }
}

/// The padded length of a record.
pub(super) fn padded_bytes(record: u64) -> Result<u64, EnvelopeError> {
    if record > MAX_RECORD_BYTES {
        return Err(EnvelopeError::TooLong(record));
    }
    padme::padded(record + LENGTH_BYTES).ok_or(EnvelopeError::TooLong(record))
}

/// Chunks of a padded record; it has at most a few GiB.
fn chunks(padded: u64) -> u32 {
    padded.div_ceil(CHUNK_BYTES as u64) as u32
}

/// The length of the blob of a padded record.
pub(super) fn blob_bytes(padded: u64) -> u64 {
    HEADER_BYTES as u64 + padded + u64::from(chunks(padded)) * TAG_BYTES as u64
}

fn valid_padded(padded: u64) -> bool {
    let longest = padme::padded(MAX_RECORD_BYTES + LENGTH_BYTES);
    padded >= LENGTH_BYTES && Some(padded) <= longest && padme::padded(padded) == Some(padded)
}

/// The part of a header that enters the key derivation.
pub(super) fn bound_bytes(context: &Context, padded: u64) -> [u8; BOUND_BYTES] {
    let mut bytes = [0; BOUND_BYTES];
    bytes[..4].copy_from_slice(&MAGIC);
    bytes[4..6].copy_from_slice(&VERSION.to_be_bytes());
    bytes[6..8].copy_from_slice(&SUITE.to_be_bytes());
    bytes[8..16].copy_from_slice(&context.chain_id.to_be_bytes());
    bytes[16..36].copy_from_slice(context.registry.as_slice());
    bytes[36..40].copy_from_slice(&context.member.0.to_be_bytes());
    bytes[40..44].copy_from_slice(&context.consent_version.to_be_bytes());
    bytes[44..48].copy_from_slice(&(CHUNK_BYTES as u32).to_be_bytes());
    bytes[48..].copy_from_slice(&padded.to_be_bytes());
    bytes
}

fn field<const N: usize>(bytes: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}
