//! Sealing and opening a record of 8 MB, beside AES-256-GCM alone over the same bytes.
//!
//! `cargo bench -p rochdale-crypto --profile dev --bench envelope`: the one profile of this workspace optimizes what
//! handles data.
#![allow(clippy::unwrap_used)]

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::AeadInOut};
use alloy_primitives::Address;
use divan::{Bencher, black_box, counter::BytesCount};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_crypto::envelope::{open, seal};
use rochdale_crypto::sealing::{ShareContext, open_share, seal_share};
use rochdale_crypto::sharing::{combine, deal};
use rochdale_crypto::{Context, RecordSecret, SealingKeyPair};
use sha2::{Digest, Sha256};

const BYTES: usize = 8_000_000;

fn main() {
    divan::main();
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn context() -> Context {
    Context { chain_id: 31_337, registry: Address::repeat_byte(0xc0), member: MemberId(7), consent_version: 1 }
}

fn record() -> Vec<u8> {
    (0..BYTES).map(|at| (at % 251) as u8).collect()
}

#[divan::bench(name = "raw AES-256-GCM, encrypt in place")]
fn raw_encrypt(bencher: Bencher) {
    let cipher = Aes256Gcm::new(&[1; 32].into());
    let mut record = record();
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        cipher.encrypt_inout_detached(&Nonce::from([0; 12]), b"", record.as_mut_slice().into()).unwrap()
    });
}

#[divan::bench(name = "raw SHA-256")]
fn raw_sha256(bencher: Bencher) {
    let record = record();
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| Sha256::digest(black_box(&record)));
}

#[divan::bench(name = "envelope, seal (with CID)")]
fn seal_record(bencher: Bencher) {
    let (record, mut rng) = (record(), rng());
    let secret = RecordSecret::random(&mut rng);
    bencher
        .counter(BytesCount::new(BYTES))
        .bench_local(|| seal(&secret, &context(), black_box(&record), &mut rng).unwrap());
}

#[divan::bench(name = "envelope, open")]
fn open_record(bencher: Bencher) {
    let mut rng = rng();
    let secret = RecordSecret::random(&mut rng);
    let sealed = seal(&secret, &context(), &record(), &mut rng).unwrap();
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| open(&secret, &context(), black_box(&sealed.blob)).unwrap());
}

#[divan::bench(name = "deal 2 of 3 and seal the shares")]
fn deal_and_seal(bencher: Bencher) {
    let mut rng = rng();
    let secret = RecordSecret::random(&mut rng);
    let header = seal(&secret, &context(), b"record", &mut rng).unwrap().header;
    let steward = SealingKeyPair::random(&mut rng).public();
    bencher.bench_local(|| {
        let dealt = deal(&secret, 2, 3, &mut rng).unwrap();
        dealt
            .shares
            .iter()
            .map(|share| seal_share(&steward, &ShareContext::of(&header, share.index()), share, &mut rng).unwrap())
            .collect::<Vec<_>>()
    });
}

#[divan::bench(name = "open a share and verify it")]
fn open_and_verify(bencher: Bencher) {
    let mut rng = rng();
    let secret = RecordSecret::random(&mut rng);
    let header = seal(&secret, &context(), b"record", &mut rng).unwrap().header;
    let steward = SealingKeyPair::random(&mut rng);
    let dealt = deal(&secret, 2, 3, &mut rng).unwrap();
    let place = ShareContext::of(&header, StewardId(1));
    let sealed = seal_share(&steward.public(), &place, &dealt.shares[0], &mut rng).unwrap();
    bencher.bench_local(|| dealt.commitments.verify(&open_share(&steward, &place, &sealed).unwrap()).unwrap());
}

#[divan::bench(name = "combine 2 shares")]
fn combine_shares(bencher: Bencher) {
    let mut rng = rng();
    let dealt = deal(&RecordSecret::random(&mut rng), 2, 3, &mut rng).unwrap();
    bencher.bench_local(|| combine(&dealt.commitments, &dealt.shares[1..]).unwrap());
}
