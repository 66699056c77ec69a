//! The envelope: it gives back what was sealed, and refuses everything else by name.

use std::io::{self, Read, Write};

use alloy_primitives::Address;
use proptest::prelude::*;
use rochdale_core::ids::MemberId;
use rochdale_crypto::envelope::{
    CHUNK_BYTES, HEADER_BYTES, SealedRecord, TAG_BYTES, open, open_stream, seal, seal_stream,
};
use rochdale_crypto::{Cid, Context, EnvelopeError, Header, RecordSecret};

use crate::support::{context, name, rng};

const SEALED_CHUNK: usize = CHUNK_BYTES + TAG_BYTES;

fn sealed(record: &[u8]) -> (RecordSecret, SealedRecord) {
    let mut rng = rng(1);
    let secret = RecordSecret::random(&mut rng);
    let sealed = seal(&secret, &context(), record, &mut rng).unwrap();
    (secret, sealed)
}

/// Three chunks, the last one partial, all different.
fn long() -> (RecordSecret, SealedRecord) {
    let record: Vec<u8> = (0..2 * CHUNK_BYTES as u32 + 5_000).map(|at| (at >> 9) as u8).collect();
    sealed(&record)
}

fn refused(secret: &RecordSecret, blob: &[u8]) -> EnvelopeError {
    open(secret, &context(), blob).err().unwrap()
}

#[test]
fn opens_to_what_was_sealed_at_every_boundary() {
    for len in [0, 1, 7, 8, 9, 1_000, CHUNK_BYTES - 9, CHUNK_BYTES - 8, CHUNK_BYTES - 7, CHUNK_BYTES, 2_500_000] {
        let record: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let (secret, sealed) = sealed(&record);
        assert_eq!(*open(&secret, &context(), &sealed.blob).unwrap(), record, "{len} bytes");
        assert_eq!(sealed.blob.len() as u64, sealed.header.blob_bytes(), "{len} bytes");
        assert_eq!(sealed.cid, Cid::of(&sealed.blob));
        assert_eq!(Header::from_bytes(&sealed.blob).unwrap(), sealed.header);
        assert_eq!(sealed.blob[..HEADER_BYTES], sealed.header.to_bytes());
    }
}

#[test]
fn records_of_like_length_have_one_blob_length() {
    let lengths: Vec<usize> =
        (1_000_000..1_000_500).step_by(50).map(|len| sealed(&vec![1; len]).1.blob.len()).collect();
    assert!(lengths.iter().all(|len| *len == lengths[0]), "{lengths:?}");
}

#[test]
fn the_same_record_sealed_twice_looks_different() {
    let mut rng = rng(2);
    let secret = RecordSecret::random(&mut rng);
    let one = seal(&secret, &context(), b"record", &mut rng).unwrap();
    let two = seal(&secret, &context(), b"record", &mut rng).unwrap();
    assert_ne!(one.header.hash(), two.header.hash());
    assert_ne!(one.blob[HEADER_BYTES..], two.blob[HEADER_BYTES..]);
}

#[test]
fn a_replayed_header_is_refused_by_what_differs() {
    let (secret, sealed) = sealed(b"record");
    let ours = context();
    let cases = [
        ("WrongChain", Context { chain_id: 1, ..ours }),
        ("WrongRegistry", Context { registry: Address::repeat_byte(1), ..ours }),
        ("WrongMember", Context { member: MemberId(8), ..ours }),
        ("WrongConsentVersion", Context { consent_version: 4, ..ours }),
    ];
    for (expected, other) in cases {
        assert_eq!(name(&open(&secret, &other, &sealed.blob).err().unwrap()), expected);
        // Rewriting the header to fit does not help: the commitment reads it.
        let mut rewritten = sealed.blob.clone();
        let fit = seal(&secret, &other, b"record", &mut rng(3)).unwrap().header.to_bytes();
        rewritten[..56].copy_from_slice(&fit[..56]);
        assert_eq!(name(&open(&secret, &other, &rewritten).err().unwrap()), "KeyCommitment");
        // Nor does another's whole header over this record's chunks.
        rewritten[..HEADER_BYTES].copy_from_slice(&fit);
        assert_eq!(name(&open(&secret, &other, &rewritten).err().unwrap()), "Chunk");
    }
}

#[test]
fn another_secret_is_refused_before_any_chunk() {
    let (_, sealed) = sealed(b"record");
    let other = RecordSecret::random(&mut rng(9));
    assert_eq!(name(&refused(&other, &sealed.blob)), "KeyCommitment");
}

#[test]
fn moved_repeated_dropped_and_added_chunks_are_told_apart() {
    let (secret, sealed) = long();
    let chunk = |index: usize| HEADER_BYTES + index * SEALED_CHUNK;

    let mut swapped = sealed.blob.clone();
    swapped[chunk(0)..chunk(2)].rotate_left(SEALED_CHUNK);
    assert!(matches!(refused(&secret, &swapped), EnvelopeError::Reordered { expected: 0, found: 1 }));

    let mut repeated = sealed.blob.clone();
    repeated.copy_within(chunk(0)..chunk(1), chunk(1));
    assert!(matches!(refused(&secret, &repeated), EnvelopeError::Reordered { expected: 1, found: 0 }));

    let dropped = [&sealed.blob[..chunk(1)], &sealed.blob[chunk(2)..]].concat();
    assert!(matches!(refused(&secret, &dropped), EnvelopeError::Truncated { chunk: 1, chunks: 3 }));

    let cut = &sealed.blob[..chunk(2)];
    assert!(matches!(refused(&secret, cut), EnvelopeError::Truncated { chunk: 2, chunks: 3 }));

    let added = [&sealed.blob[..], &sealed.blob[chunk(1)..chunk(2)]].concat();
    assert!(matches!(refused(&secret, &added), EnvelopeError::TrailingBytes { chunks: 3 }));
    let one_more = [&sealed.blob[..], &[0]].concat();
    assert!(matches!(refused(&secret, &one_more), EnvelopeError::TrailingBytes { chunks: 3 }));

    let (other_secret, other) = {
        let mut rng = rng(4);
        let secret = RecordSecret::random(&mut rng);
        let sealed = seal(&secret, &context(), &vec![7; 2 * CHUNK_BYTES + 5_000], &mut rng).unwrap();
        (secret, sealed)
    };
    let mut foreign = sealed.blob.clone();
    foreign[chunk(1)..chunk(2)].copy_from_slice(&other.blob[chunk(1)..chunk(2)]);
    assert!(matches!(refused(&secret, &foreign), EnvelopeError::Chunk { chunk: 1, chunks: 3 }));
    assert_eq!(name(&refused(&other_secret, &foreign)), "KeyCommitment");
}

#[test]
fn a_source_of_another_length_is_refused() {
    let secret = RecordSecret::random(&mut rng(1));
    for (announced, more) in [(5, true), (7, false)] {
        let outcome = seal_stream(&secret, &context(), announced, &b"record"[..], io::sink(), &mut rng(2));
        let Err(EnvelopeError::SourceLength { announced: said, more: goes_on }) = outcome else {
            panic!("sealed {announced} bytes of 6");
        };
        assert_eq!((said, goes_on), (announced, more));
    }
    let outcome = seal_stream(&secret, &context(), 1 << 33, io::repeat(0), io::sink(), &mut rng(2));
    assert!(matches!(outcome, Err(EnvelopeError::TooLong(_))));
}

/// Gives a few bytes at a time, as sockets do, and is interrupted in between.
struct Trickle<'a>(&'a [u8], bool);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let take = buffer.len().min(self.0.len()).min(40_000);
        let (now, later) = self.0.split_at(take);
        buffer[..take].copy_from_slice(now);
        self.0 = later;
        Ok(take)
    }
}

#[test]
fn streams_give_the_same_bytes_as_slices() {
    let record: Vec<u8> = (0..1_500_000u32).map(|at| (at % 251) as u8).collect();
    let secret = RecordSecret::random(&mut rng(5));
    let whole = seal(&secret, &context(), &record, &mut rng(6)).unwrap();
    let mut blob = Vec::new();
    let len = record.len() as u64;
    let (header, cid) = seal_stream(&secret, &context(), len, Trickle(&record, false), &mut blob, &mut rng(6)).unwrap();
    assert_eq!((header, cid, blob), (whole.header.clone(), whole.cid, whole.blob.clone()));

    let mut opened = Vec::new();
    let header = open_stream(&secret, &context(), Trickle(&whole.blob, false), &mut opened).unwrap();
    assert_eq!(header, whole.header);
    assert_eq!(opened, record);
}

#[test]
fn a_sink_that_fails_is_reported() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (secret, sealed) = sealed(b"record");
    let outcome = open_stream(&secret, &context(), &sealed.blob[..], Full);
    assert!(matches!(outcome, Err(EnvelopeError::Io(error)) if error.kind() == io::ErrorKind::StorageFull));
}

/// The error that a changed byte at this offset of a one-chunk blob gives.
fn expected_names(at: usize) -> &'static [&'static str] {
    match at {
        0..4 => &["Magic"],
        4..6 => &["Version"],
        6..8 => &["Suite"],
        8..16 => &["WrongChain"],
        16..36 => &["WrongRegistry"],
        36..40 => &["WrongMember"],
        40..44 => &["WrongConsentVersion"],
        44..48 => &["ChunkSize"],
        48..56 => &["PaddedLength", "KeyCommitment"],
        56..HEADER_BYTES => &["KeyCommitment"],
        _ => &["Chunk"],
    }
}

#[test]
fn every_bit_of_a_blob_matters_and_is_named() {
    let (secret, sealed) = sealed(b"a short record");
    for at in 0..sealed.blob.len() {
        for bit in 0..8 {
            let mut flipped = sealed.blob.clone();
            flipped[at] ^= 1 << bit;
            let name = name(&refused(&secret, &flipped));
            assert!(expected_names(at).contains(&name.as_str()), "bit {bit} of byte {at}: {name}");
        }
    }
}

#[test]
fn every_cut_of_a_short_blob_is_named() {
    let (secret, sealed) = sealed(b"a short record");
    for len in 0..sealed.blob.len() {
        let expected = if len < HEADER_BYTES { "HeaderTruncated" } else { "Truncated" };
        assert_eq!(name(&refused(&secret, &sealed.blob[..len])), expected, "cut to {len} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_record_round_trips(record in proptest::collection::vec(any::<u8>(), 0..20_000), seed: u8) {
        let mut rng = rng(seed);
        let secret = RecordSecret::random(&mut rng);
        let sealed = seal(&secret, &context(), &record, &mut rng).unwrap();
        prop_assert_eq!(&*open(&secret, &context(), &sealed.blob).unwrap(), &record);
    }

    #[test]
    fn a_header_reads_back_or_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(header) = Header::from_bytes(&bytes) {
            prop_assert_eq!(&header.to_bytes()[..], &bytes[..HEADER_BYTES]);
        }
    }
}

proptest! {
    // Each case handles three megabytes.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_flipped_bit_names_its_chunk(at in HEADER_BYTES..HEADER_BYTES + 2 * SEALED_CHUNK, bit in 0..8u32) {
        let (secret, mut sealed) = long();
        sealed.blob[at] ^= 1 << bit;
        let index = ((at - HEADER_BYTES) / SEALED_CHUNK) as u32;
        match refused(&secret, &sealed.blob) {
            EnvelopeError::Chunk { chunk, chunks: 3 } => prop_assert_eq!(chunk, index),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_cut_names_its_chunk(len in HEADER_BYTES..HEADER_BYTES + 2 * SEALED_CHUNK) {
        let (secret, sealed) = long();
        let index = ((len - HEADER_BYTES) / SEALED_CHUNK) as u32;
        match refused(&secret, &sealed.blob[..len]) {
            EnvelopeError::Truncated { chunk, chunks: 3 } => prop_assert_eq!(chunk, index),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
