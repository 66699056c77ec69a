//! Making envelopes.

use std::io::{self, Read, Write};

use rand::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::header::{Context, Header, blob_bytes, padded_bytes};
use super::key::ChunkCipher;
use super::{EnvelopeError, LENGTH_BYTES, fill};
use crate::{cid::Cid, secret::RecordSecret};

/// A record sealed in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRecord {
    /// Its header, which the blob starts with.
    pub header: Header,
    /// `header ‖ chunks`, what the vault keeps.
    pub blob: Vec<u8>,
    /// The blob's name in the vault.
    pub cid: Cid,
}

/// Seals a record that lies in memory.
///
/// # Errors
/// [`EnvelopeError::TooLong`].
pub fn seal(
    secret: &RecordSecret,
    context: &Context,
    record: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<SealedRecord, EnvelopeError> {
    let len = record.len() as u64;
    let mut blob = Vec::with_capacity(blob_bytes(padded_bytes(len)?) as usize);
    let (header, cid) = seal_stream(secret, context, len, record, &mut blob, rng)?;
    Ok(SealedRecord { header, blob, cid })
}

/// Seals `len` bytes of `source` into `sink`, holding one chunk in memory.
///
/// # Errors
/// [`EnvelopeError::TooLong`]; [`EnvelopeError::SourceLength`] where the source has more or fewer bytes;
/// [`EnvelopeError::Io`]. What was written until then is worthless.
pub fn seal_stream(
    secret: &RecordSecret,
    context: &Context,
    len: u64,
    mut source: impl Read,
    sink: impl Write,
    rng: &mut impl CryptoRng,
) -> Result<(Header, Cid), EnvelopeError> {
    let mut salt = [0; 32];
    rng.fill_bytes(&mut salt);
    let (header, cipher) = ChunkCipher::create(secret, *context, padded_bytes(len)?, salt);
    let mut sink = Hashing { sink, hash: Sha256::new() };
    sink.write_all(&header.to_bytes())?;

    let mut chunk = Zeroizing::new(vec![0; header.chunk_bytes(0)]);
    let mut left = len;
    for index in 0..header.chunks() {
        let chunk = &mut chunk[..header.chunk_bytes(index)];
        let content = if index == 0 {
            chunk[..LENGTH_BYTES as usize].copy_from_slice(&len.to_be_bytes());
            &mut chunk[LENGTH_BYTES as usize..]
        } else {
            &mut *chunk
        };
        let take = left.min(content.len() as u64);
        source.read_exact(&mut content[..take as usize]).map_err(|error| source_error(error, len))?;
        content[take as usize..].fill(0);
        left -= take;
        let tag = cipher.seal(index, chunk);
        sink.write_all(chunk)?;
        sink.write_all(&tag)?;
    }
    if fill(&mut source, &mut [0])? != 0 {
        return Err(EnvelopeError::SourceLength { announced: len, more: true });
    }
    sink.flush()?;
    Ok((header, Cid::from_sha256(sink.hash.finalize().into())))
}

fn source_error(error: io::Error, announced: u64) -> EnvelopeError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => EnvelopeError::SourceLength { announced, more: false },
        _ => EnvelopeError::Io(error),
    }
}

/// Hashes what passes, so that the blob's name is known when it is written.
struct Hashing<W> {
    sink: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
