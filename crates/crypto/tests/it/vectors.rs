//! The vectors of `vectors/`: RFC 9180's for our suite, and this crate's own for whoever reads envelopes elsewhere.

use std::fs;
use std::path::PathBuf;

use alloy_primitives::{Bytes, hex};
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_crypto::envelope::{HEADER_BYTES, open, seal};
use rochdale_crypto::sealing::{self, ShareContext, open_share, seal_share};
use rochdale_crypto::sharing::{combine, deal};
use rochdale_crypto::{Commitments, Context, Header, RecordSecret, Sealed, SealingKeyPair, SealingPublicKey, Share};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::support::{self, context, name, rng};

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(file)
}

/// A field of hex digits, of the case or else of the vector.
fn bytes(vector: &Value, case: &Value, field: &str) -> Vec<u8> {
    let text = case.get(field).or_else(|| vector.get(field)).unwrap().as_str().unwrap();
    hex::decode(text).unwrap()
}

#[test]
fn hpke_is_that_of_rfc_9180() {
    let vector: Value = serde_json::from_str(&fs::read_to_string(path("hpke.json")).unwrap()).unwrap();
    let get = |field| bytes(&vector, &Value::Null, field);
    let recipient = SealingKeyPair::random(&mut support::Bytes(get("ikmR")));
    // The file gives the secret key before clamping (RFC 7748, section 5), which reading it does.
    let given = SealingKeyPair::from_secret(&get("skRm").try_into().unwrap());
    assert_eq!(*recipient.to_secret(), *given.to_secret());
    assert_eq!(recipient.public().0.as_slice(), get("pkRm"));

    let public = SealingPublicKey::from_bytes(get("pkRm").try_into().unwrap());
    let mut ephemeral = support::Bytes(get("ikmE"));
    let sealed = sealing::seal(&public, &get("info"), &get("aad"), &get("pt"), &mut ephemeral).unwrap();
    assert_eq!(sealed.0, [get("enc"), get("ct")].concat());
    let opened = sealing::open(&recipient, &get("info"), &get("aad"), &sealed, "vector").unwrap();
    assert_eq!(*opened, get("pt"));

    for case in vector["_bad_"].as_array().unwrap() {
        let get = |field| bytes(&vector, case, field);
        let recipient = SealingKeyPair::from_secret(&get("skRm").try_into().unwrap());
        let sealed = Sealed([get("enc"), get("ct")].concat().into());
        let refused = sealing::open(&recipient, &get("info"), &get("aad"), &sealed, "vector").err().unwrap();
        assert_eq!(name(&refused), "Refused", "{}", case["why"]);
    }
}

/// `vectors/envelope.json`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    about: String,
    /// Secret keys of the stewards of seats 1, 2, 3.
    steward_keys: Vec<Bytes>,
    good: Vec<Good>,
    #[serde(rename = "_bad_")]
    bad: Vec<Bad>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Good {
    name: String,
    context: Context,
    /// The record: this byte pattern, repeated up to `record_bytes`.
    pattern: Bytes,
    record_bytes: usize,
    commitments: Commitments,
    deal_hash: Bytes,
    shares: Vec<Bytes>,
    sealed_shares: Vec<Sealed>,
    header: Bytes,
    header_hash: Bytes,
    cid: String,
    blob_bytes: usize,
    /// The blob, where it is short.
    blob: Option<Bytes>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Bad {
    why: String,
    /// The good case whose shares open it.
    of: String,
    context: Context,
    blob: Bytes,
    error: String,
}

impl Good {
    fn record(&self) -> Vec<u8> {
        self.pattern.iter().copied().cycle().take(self.record_bytes).collect()
    }

    fn secret(&self) -> RecordSecret {
        let shares: Vec<Share> = self.shares.iter().map(|share| Share::from_bytes(share).unwrap()).collect();
        combine(&self.commitments, &shares[1..]).unwrap()
    }
}

fn good(name: &str, pattern: &[u8], record_bytes: usize, seed: u8, stewards: &[SealingKeyPair]) -> (Good, Vec<u8>) {
    let mut rng = rng(seed);
    let secret = RecordSecret::random(&mut rng);
    let dealt = deal(&secret, 2, 3, &mut rng).unwrap();
    let record: Vec<u8> = pattern.iter().copied().cycle().take(record_bytes).collect();
    let sealed = seal(&secret, &context(), &record, &mut rng).unwrap();
    let sealed_shares = dealt
        .shares
        .iter()
        .zip(stewards)
        .map(|(share, steward)| {
            seal_share(&steward.public(), &ShareContext::of(&sealed.header, share.index()), share, &mut rng).unwrap()
        })
        .collect();
    let case = Good {
        name: name.to_owned(),
        context: context(),
        pattern: Bytes::copy_from_slice(pattern),
        record_bytes,
        deal_hash: dealt.commitments.hash().into(),
        commitments: dealt.commitments,
        shares: dealt.shares.iter().map(|share| Bytes::copy_from_slice(share.to_bytes().as_slice())).collect(),
        sealed_shares,
        header: Bytes::copy_from_slice(&sealed.header.to_bytes()),
        header_hash: sealed.header.hash().into(),
        cid: sealed.cid.to_string(),
        blob_bytes: sealed.blob.len(),
        blob: (sealed.blob.len() < 2_000).then(|| Bytes::copy_from_slice(&sealed.blob)),
    };
    (case, sealed.blob)
}

fn bad_cases(of: &str, blob: &[u8], other: &[u8]) -> Vec<Bad> {
    let ours = context();
    let case = |why: &str, context: Context, blob: Vec<u8>, error: &str| Bad {
        why: why.to_owned(),
        of: of.to_owned(),
        context,
        blob: blob.into(),
        error: error.to_owned(),
    };
    let flipped = |at: usize| {
        let mut blob = blob.to_vec();
        blob[at] ^= 1;
        blob
    };
    let member = Context { member: MemberId(8), ..ours };
    let consent = Context { consent_version: 4, ..ours };
    vec![
        case("empty", ours, vec![], "HeaderTruncated"),
        case("cut within the header", ours, blob[..HEADER_BYTES - 1].to_vec(), "HeaderTruncated"),
        case("header without a chunk", ours, blob[..HEADER_BYTES].to_vec(), "Truncated"),
        case("cut by one byte", ours, blob[..blob.len() - 1].to_vec(), "Truncated"),
        case("followed by one byte", ours, [blob, &[0]].concat(), "TrailingBytes"),
        case("followed by its own chunk", ours, [blob, &blob[HEADER_BYTES..]].concat(), "TrailingBytes"),
        case("magic altered", ours, flipped(0), "Magic"),
        case("version altered", ours, flipped(5), "Version"),
        case("suite altered", ours, flipped(7), "Suite"),
        case("chunk size altered", ours, flipped(47), "ChunkSize"),
        case("padded length altered", ours, flipped(55), "PaddedLength"),
        case("salt altered", ours, flipped(56), "KeyCommitment"),
        case("commitment altered", ours, flipped(88), "KeyCommitment"),
        case("ciphertext altered", ours, flipped(HEADER_BYTES), "Chunk"),
        case("tag altered", ours, flipped(blob.len() - 1), "Chunk"),
        case("replayed on another chain", Context { chain_id: 1, ..ours }, blob.to_vec(), "WrongChain"),
        case(
            "replayed at another registry",
            Context { registry: alloy_primitives::Address::ZERO, ..ours },
            blob.to_vec(),
            "WrongRegistry",
        ),
        case("replayed under another member", member, blob.to_vec(), "WrongMember"),
        case("member in the header rewritten to fit", member, rewritten(blob, &member), "KeyCommitment"),
        case("replayed under another consent", consent, blob.to_vec(), "WrongConsentVersion"),
        case("consent in the header rewritten to fit", consent, rewritten(blob, &consent), "KeyCommitment"),
        case("another record's blob", ours, other.to_vec(), "KeyCommitment"),
        case("another record's chunks", ours, [&blob[..HEADER_BYTES], &other[HEADER_BYTES..]].concat(), "Chunk"),
    ]
}

fn rewritten(blob: &[u8], context: &Context) -> Vec<u8> {
    let mut blob = blob.to_vec();
    blob[36..40].copy_from_slice(&context.member.0.to_be_bytes());
    blob[40..44].copy_from_slice(&context.consent_version.to_be_bytes());
    blob
}

fn generate() -> File {
    let stewards: Vec<SealingKeyPair> = (1..=3).map(|seat| SealingKeyPair::random(&mut rng(100 + seat))).collect();
    let text = b"{\"resourceType\":\"Bundle\",\"type\":\"collection\"}";
    let (short, short_blob) = good("short", text, text.len(), 1, &stewards);
    let (other, other_blob) = good("other", text, text.len(), 2, &stewards);
    let (empty, _) = good("empty", b"", 0, 3, &stewards);
    let (long, _) = good("three chunks", &[0, 1, 2, 3, 4, 5, 6], 2_500_000, 4, &stewards);
    File {
        about: "Envelopes, deals and sealed shares, version 1; written by the tests of crates/crypto. To open a case: \
                combine two shares, check header and context, open the chunks. Every case under _bad_ must be refused \
                with the error named."
            .to_owned(),
        steward_keys: stewards.iter().map(|pair| Bytes::copy_from_slice(pair.to_secret().as_slice())).collect(),
        bad: bad_cases("short", &short_blob, &other_blob),
        good: vec![short, other, empty, long],
    }
}

/// Formats are fixed: the bytes made today are those in the file. After a new version, write it with
/// `WRITE_VECTORS=1 cargo test -p rochdale-crypto`.
#[test]
fn the_envelope_vectors_are_current() {
    let generated = generate();
    if std::env::var_os("WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&generated).unwrap() + "\n";
        fs::write(path("envelope.json"), text).unwrap();
    }
    let file: File = serde_json::from_str(&fs::read_to_string(path("envelope.json")).unwrap()).unwrap();
    assert_eq!(file, generated);
}

#[test]
fn every_vector_opens_or_is_refused_as_it_says() {
    let file: File = serde_json::from_str(&fs::read_to_string(path("envelope.json")).unwrap()).unwrap();
    let stewards: Vec<SealingKeyPair> =
        file.steward_keys.iter().map(|key| SealingKeyPair::from_secret(key.as_ref().try_into().unwrap())).collect();
    for case in &file.good {
        let header = Header::from_bytes(&case.header).unwrap();
        assert_eq!(header.hash().as_slice(), &case.header_hash[..]);
        assert_eq!(header.blob_bytes() as usize, case.blob_bytes);
        assert_eq!(case.commitments.hash().as_slice(), &case.deal_hash[..]);
        for ((seat, steward), sealed) in (1u8..).zip(&stewards).zip(&case.sealed_shares) {
            let share = open_share(steward, &ShareContext::of(&header, StewardId(seat)), sealed).unwrap();
            assert_eq!(share.to_bytes().as_slice(), &case.shares[usize::from(seat) - 1][..]);
            case.commitments.verify(&share).unwrap();
        }
        if let Some(blob) = &case.blob {
            assert_eq!(*open(&case.secret(), &case.context, blob).unwrap(), case.record(), "{}", case.name);
        }
    }
    for case in &file.bad {
        let of = file.good.iter().find(|good| good.name == case.of).unwrap();
        let refused = open(&of.secret(), &case.context, &case.blob).err().unwrap();
        assert_eq!(name(&refused), case.error, "{}", case.why);
    }
}
