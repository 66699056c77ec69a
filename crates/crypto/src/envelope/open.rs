//! Opening envelopes.

use std::io::{Read, Write};

use zeroize::Zeroizing;

use super::header::{Context, Header, padded_bytes};
use super::key::ChunkCipher;
use super::{EnvelopeError, HEADER_BYTES, LENGTH_BYTES, TAG_BYTES, fill};
use crate::secret::RecordSecret;

/// Chunks up to which a chunk at a wrong place is told from an altered one; looking costs a decryption each.
const LOOK_FOR_REORDERED: u32 = 64;

/// Opens a blob that lies in memory.
///
/// # Errors
/// Every variant of [`EnvelopeError`] that names a defect: foreign header, wrong secret, truncated, extended,
/// reordered or altered chunks.
pub fn open(secret: &RecordSecret, expected: &Context, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    // Sized by what is there, never by what a header claims; no reallocation leaves a copy behind.
    let mut record = Zeroizing::new(Vec::with_capacity(blob.len()));
    open_stream(secret, expected, blob, &mut *record)?;
    Ok(record)
}

/// Opens the blob that `source` gives and writes the record to `sink`, holding one chunk in memory.
///
/// Each chunk is authentic when it is written, but only the end proves that none is missing: on an error, discard what
/// was written.
///
/// # Errors
/// As [`open`], and [`EnvelopeError::Io`].
pub fn open_stream(
    secret: &RecordSecret,
    expected: &Context,
    mut source: impl Read,
    mut sink: impl Write,
) -> Result<Header, EnvelopeError> {
    let mut bytes = [0; HEADER_BYTES];
    let found = fill(&mut source, &mut bytes)?;
    let header = Header::from_bytes(&bytes[..found])?;
    header.expect(expected)?;
    let cipher = ChunkCipher::unlock(secret, &header)?;

    let chunks = header.chunks();
    let mut buffer = Zeroizing::new(vec![0; header.chunk_bytes(0) + TAG_BYTES]);
    let mut content = Unpadding::default();
    for index in 0..chunks {
        let bytes = header.chunk_bytes(index);
        let buffer = &mut buffer[..bytes + TAG_BYTES];
        if fill(&mut source, buffer)? < buffer.len() {
            return Err(EnvelopeError::Truncated { chunk: index, chunks });
        }
        let (chunk, tag) = buffer.split_at_mut(bytes);
        let tag: &[u8; TAG_BYTES] = (&*tag).try_into().expect("the buffer ends with a tag");
        if !cipher.open(index, chunk, tag) {
            return Err(refusal(&cipher, &header, index, chunk, tag));
        }
        sink.write_all(content.of(&header, chunk)?)?;
    }
    if fill(&mut source, &mut [0])? != 0 {
        return Err(EnvelopeError::TrailingBytes { chunks });
    }
    sink.flush()?;
    Ok(header)
}

/// Why a chunk does not authenticate: it may be a genuine one of another place.
fn refusal(
    cipher: &ChunkCipher,
    header: &Header,
    index: u32,
    chunk: &mut [u8],
    tag: &[u8; TAG_BYTES],
) -> EnvelopeError {
    let chunks = header.chunks();
    if chunks <= LOOK_FOR_REORDERED {
        let found = (0..chunks).find(|other| *other != index && cipher.open(*other, chunk, tag));
        if let Some(found) = found {
            return EnvelopeError::Reordered { expected: index, found };
        }
    }
    EnvelopeError::Chunk { chunk: index, chunks }
}

/// Tells record from padding as chunks arrive.
#[derive(Default)]
struct Unpadding {
    started: bool,
    left: u64,
}

impl Unpadding {
    /// The part of `chunk` that is record. Padding that is not zero, or of another length than the record's, is refused:
    /// a record has one envelope length.
    fn of<'a>(&mut self, header: &Header, chunk: &'a [u8]) -> Result<&'a [u8], EnvelopeError> {
        let mut body = chunk;
        if !self.started {
            let (length, rest) =
                chunk.split_first_chunk::<{ LENGTH_BYTES as usize }>().ok_or(EnvelopeError::Padding)?;
            self.left = u64::from_be_bytes(*length);
            self.started = true;
            if padded_bytes(self.left).ok() != Some(header.padded) {
                return Err(EnvelopeError::Padding);
            }
            body = rest;
        }
        let (content, padding) = body.split_at(self.left.min(body.len() as u64) as usize);
        self.left -= content.len() as u64;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(EnvelopeError::Padding);
        }
        Ok(content)
    }
}
