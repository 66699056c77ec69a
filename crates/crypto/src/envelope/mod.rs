//! The envelope of one record, version 1: `header ‖ chunks`.
//!
//! The record's key comes from its secret `s` by HKDF-SHA256; AES-256-GCM seals chunks of 1 MiB in the STREAM
//! construction (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015): the nonce holds the chunk's number and a flag on the
//! last one, so that chunks can be neither dropped, repeated nor reordered, and the header's hash is associated data.
//! AES-GCM does not commit to its key, so the header carries an HKDF commitment to it: a record opens under one secret only.
//!
//! What is sealed is `length (u64, big-endian) ‖ record ‖ zeros` up to a Padmé length: the size of the blob tells little
//! about the record.
//!
//! | offset | bytes | header field (integers big-endian) |
//! |---|---|---|
//! | 0 | 4 | magic `RCDE` |
//! | 4 | 2 | version, 1 |
//! | 6 | 2 | suite, 1 = HKDF-SHA256, AES-256-GCM, STREAM, Padmé |
//! | 8 | 8 | chain id |
//! | 16 | 20 | address of the `ContributionRegistry` |
//! | 36 | 4 | member id |
//! | 40 | 4 | consent version |
//! | 44 | 4 | bytes of a chunk before its tag, 1,048,576 |
//! | 48 | 8 | padded length: what the chunks hold together, which the blob's size shows anyway |
//! | 56 | 32 | salt |
//! | 88 | 32 | key commitment |
//!
//! Derivation: `okm = HKDF-SHA256(salt, ikm = s, info = "rochdale.envelope.v1" ‖ header[0..56])`, 71 bytes: key (32),
//! nonce prefix (7), commitment (32). The nonce of chunk `i` is `prefix ‖ i (u32) ‖ last (0 or 1)`. Since the
//! derivation reads the header, no field of it can be changed without the commitment failing.

mod header;
mod key;
mod open;
mod seal;

use std::io::{self, Read};

use alloy_primitives::Address;
use rochdale_core::ids::MemberId;

pub use header::{Context, Header};
pub use open::{open, open_stream};
pub use seal::{SealedRecord, seal, seal_stream};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 120;
/// Bytes of a chunk before its tag.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Bytes of an AES-GCM tag.
pub const TAG_BYTES: usize = 16;
/// Bytes of the length that stands before the record.
pub(crate) const LENGTH_BYTES: u64 = 8;
/// The longest record: 4 GiB, far above what any service accepts, far below where chunk numbers end.
pub const MAX_RECORD_BYTES: u64 = 1 << 32;

/// Why an envelope could not be made or opened. Nothing of a refused envelope may be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Fewer bytes than a header has.
    #[error("the envelope ends after {found} bytes, within its header of {HEADER_BYTES}; fetch the blob again")]
    HeaderTruncated {
        /// Bytes that are there.
        found: usize,
    },
    /// Other bytes than an envelope's.
    #[error("not an envelope: it starts with {0:02x?} instead of the magic \"RCDE\"")]
    Magic([u8; 4]),
    /// A format of another time.
    #[error("envelope version {0} is unknown, this software reads version 1")]
    Version(u16),
    /// Another set of algorithms.
    #[error("envelope suite {0} is unknown, this software reads suite 1")]
    Suite(u16),
    /// Suite 1 has one chunk size.
    #[error("chunks of {0} bytes; suite 1 has {CHUNK_BYTES}")]
    ChunkSize(u32),
    /// No padding gives this length.
    #[error("the header's padded length {0} is not a Padmé length between 8 and {MAX_RECORD_BYTES}")]
    PaddedLength(u64),
    /// A header of another chain.
    #[error("the header is of chain {found}, not of chain {expected}: replayed")]
    WrongChain {
        /// The chain of whoever opens.
        expected: u64,
        /// The value that the header has.
        found: u64,
    },
    /// A header of another deployment.
    #[error("the header is of registry {found}, not of {expected}: replayed")]
    WrongRegistry {
        /// The registry of whoever opens.
        expected: Address,
        /// The value that the header has.
        found: Address,
    },
    /// A header of somebody else.
    #[error("the header is of member {found}, not of member {expected}: replayed")]
    WrongMember {
        /// The member named by the contribution.
        expected: MemberId,
        /// The value that the header has.
        found: MemberId,
    },
    /// A header of another consent.
    #[error("the header is of consent version {found}, not of {expected}: replayed")]
    WrongConsentVersion {
        /// The version named by the contribution.
        expected: u32,
        /// The value that the header has.
        found: u32,
    },
    /// The secret does not belong to this header, or the header was changed.
    #[error("the key commitment does not match: the shares are of another record, or the header was altered")]
    KeyCommitment,
    /// The blob ends too early.
    #[error("the blob ends within chunk {chunk} of {chunks}: truncated; fetch it again")]
    Truncated {
        /// The chunk that is not whole, from 0.
        chunk: u32,
        /// Chunks of the whole record.
        chunks: u32,
    },
    /// The blob goes on after its end.
    #[error("bytes follow the last of {chunks} chunks: an extra chunk or another blob's end")]
    TrailingBytes {
        /// Chunks of the record.
        chunks: u32,
    },
    /// A genuine chunk of this record at another's place.
    #[error("chunk {found} stands where chunk {expected} belongs: reordered or repeated")]
    Reordered {
        /// The place, from 0.
        expected: u32,
        /// The chunk that lies there.
        found: u32,
    },
    /// A chunk that nobody sealed.
    #[error("chunk {chunk} of {chunks} does not authenticate: altered, or of another record")]
    Chunk {
        /// Its number, from 0.
        chunk: u32,
        /// Chunks of the record.
        chunks: u32,
    },
    /// What the chunks hold is not a record and its padding: whoever sealed it did not follow the format.
    #[error("the padding within is malformed: the sealing software is at fault")]
    Padding,
    /// More than an envelope holds.
    #[error("a record of {0} bytes; an envelope holds up to {MAX_RECORD_BYTES}")]
    TooLong(u64),
    /// The reader gave more or less than announced.
    #[error("the record was announced with {announced} bytes, but the source {} there", if *.more { "goes on" } else { "ends before" })]
    SourceLength {
        /// How many bytes the header announces.
        announced: u64,
        /// Whether more followed.
        more: bool,
    },
    /// Reading or writing failed.
    #[error("the stream failed: {0}")]
    Io(#[from] io::Error),
}

/// Reads until `buffer` is full or the source ends, and says how much there was.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
