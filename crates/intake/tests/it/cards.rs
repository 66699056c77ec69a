//! SMART Health Cards, as files and as the text of QR codes, signed here by a key of the test's own.

use crate::{NOW, all, all_with, reason, write};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rochdale_core::fhir::{Limits, Record, Resolution, flatten};
use rochdale_intake::{How, Issuers, Skip, Taken};
use serde_json::{Value, json};
use std::io::Write as _;

const ISSUER: &str = "https://issuer.example/cards";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn bundle(family: &str, born: &str, vaccine: &str) -> Value {
    json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "fullUrl": "resource:0", "resource": { "resourceType": "Patient", "name": [{ "family": family, "given": ["Ada"] }], "birthDate": born } },
        { "fullUrl": "resource:1", "resource": { "resourceType": "Immunization", "status": "completed", "patient": { "reference": "resource:0" },
            "vaccineCode": { "coding": [{ "system": "http://hl7.org/fhir/sid/cvx", "code": vaccine }] }, "occurrenceDateTime": "2021-01-01" } },
        { "fullUrl": "resource:2", "resource": { "resourceType": "Observation", "status": "final", "subject": { "reference": "resource:0" },
            "code": { "coding": [{ "system": "http://loinc.org", "code": "2339-0" }] }, "effectiveDateTime": "2021-02-01",
            "valueQuantity": { "value": 95, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL" } } },
    ] })
}

fn payload(bundle: &Value) -> Vec<u8> {
    json!({ "iss": ISSUER, "nbf": 1_620_992_383.5, "vc": { "type": ["https://smarthealth.cards#health-card"],
        "credentialSubject": { "fhirVersion": "4.0.1", "fhirBundle": bundle } } })
    .to_string()
    .into_bytes()
}

/// A card with this header and this payload as it is packed.
fn signed(header: &Value, packed: &[u8], seed: u8) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(packed));
    let signature: Signature = key(seed).sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn header() -> Value {
    json!({ "zip": "DEF", "alg": "ES256", "kid": "k1" })
}

fn card(bundle: &Value) -> String {
    signed(&header(), &deflate(&payload(bundle)), 7)
}

fn file(cards: &[String]) -> String {
    json!({ "verifiableCredential": cards }).to_string()
}

fn code(text: &str) -> String {
    text.bytes().map(|byte| format!("{:02}", byte - 45)).collect()
}

fn one(text: impl AsRef<[u8]>, how: &How) -> (Vec<Taken>, Vec<Skip>) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "card", text);
    all_with(dir.path(), how)
}

fn facts(taken: &Taken) -> (usize, usize) {
    let record = Record::from_slice("x", &taken.bytes, Limits::default()).unwrap();
    let flat = flatten(&record, NOW);
    (flat.codes.len(), flat.observations.len())
}

#[test]
fn a_smart_health_card_is_a_record_whose_references_resolve() {
    let how = How::new(NOW);
    let own = card(&bundle("Alpha", "1980-04-17", "207"));
    let digits = code(&own);
    let (half, rest) = digits.split_at(digits.len() / 4 * 2);
    for text in [
        file(std::slice::from_ref(&own)),
        format!("shc:/{digits}\r\n"),
        format!("\u{feff}\nshc:/2/2/{rest}\nshc:/1/2/{half}\n"),
    ] {
        let (records, skips) = one(&text, &how);
        assert_eq!(records.len(), 1, "{skips:#?}");
        assert_eq!((facts(&records[0]), records[0].patient.as_deref()), ((1, 1), Some("health-card-holder")));
        assert!(!records[0].scored.gated && records[0].scored.authenticity == 3_000, "{:#?}", records[0].scored);
        let record = Record::from_slice("x", &records[0].bytes, Limits::default()).unwrap();
        assert_eq!(record.resolver().resolve(1, "Patient/health-card-holder"), Resolution::Found(0));
        let (said, fault) = reason(&skips, "card");
        assert!(
            !fault && said.contains(ISSUER) && said.contains("signature not checked, believed as an upload"),
            "{said}"
        );
        assert_eq!(skips.len(), 1);
    }
}

#[test]
fn several_cards_of_one_person_are_one_record_and_of_two_people_none() {
    let (first, second) = (card(&bundle("Alpha", "1980-04-17", "207")), card(&bundle("ALPHA", "1980-04-17", "208")));
    let (records, skips) = one(file(&[first.clone(), second]), &How::new(NOW));
    assert_eq!(records.len(), 1, "{skips:#?}");
    assert_eq!(facts(&records[0]), (2, 2), "each of its own card");
    for other in [bundle("Alpha", "1990-01-01", "208"), bundle("Beta", "1980-04-17", "208")] {
        let (records, skips) = one(file(&[first.clone(), card(&other)]), &How::new(NOW));
        assert!(records.is_empty());
        let (said, fault) = reason(&skips, "card");
        assert!(fault && said.contains("two people"), "{said}");
    }
}

#[test]
fn a_signature_is_checked_where_the_issuers_keys_are_given() {
    let point = key(7).verifying_key().to_encoded_point(false);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "k1",
        "x": URL_SAFE_NO_PAD.encode(point.x().unwrap()), "y": URL_SAFE_NO_PAD.encode(point.y().unwrap()) });
    let with =
        |directory: Value| How { issuers: Issuers::parse(directory.to_string().as_bytes()).unwrap(), ..How::new(NOW) };
    let known = with(json!({ ISSUER: { "keys": [jwk] } }));
    let (good, forged) = (bundle("Alpha", "1980-04-17", "207"), bundle("Alpha", "1980-04-17", "208"));
    let own = card(&good);
    let (records, skips) = one(file(std::slice::from_ref(&own)), &known);
    assert_eq!(records.len(), 1);
    assert!(reason(&skips, "card").0.contains("signed by the issuer's key in the directory"), "{skips:#?}");
    // Signed by another key, and another payload under a good signature.
    let (_, signature) = own.rsplit_once('.').unwrap();
    let moved = card(&forged);
    let moved = format!("{}.{signature}", moved.rsplit_once('.').unwrap().0);
    for bad in [signed(&header(), &deflate(&payload(&good)), 8), moved] {
        let (records, skips) = one(file(&[bad]), &known);
        assert!(records.is_empty());
        let (said, fault) = reason(&skips, "card");
        assert!(fault && said.contains("not by the issuer's key"), "{said}");
    }
    for (directory, why) in [
        (json!({ "https://other.example": { "keys": [jwk] } }), "the issuer is not in the directory"),
        (json!({ ISSUER: { "keys": [] } }), "its key is not in the directory"),
    ] {
        let (records, skips) = one(file(std::slice::from_ref(&own)), &with(directory));
        assert_eq!(records.len(), 1);
        assert!(reason(&skips, "card").0.contains(why), "{skips:#?}");
    }
    let broken =
        with(json!({ ISSUER: { "keys": [{ "kid": "k1", "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }] } }));
    assert!(reason(&one(file(&[own]), &broken).1, "card").0.contains("mend the directory"));
}

#[test]
fn hostile_cards_are_refused_within_bounds() {
    let good = bundle("Alpha", "1980-04-17", "207");
    let packed = deflate(&payload(&good));
    let endless = deflate(&vec![b' '; 64 << 20]);
    let alone = |entry: Value| json!({ "resourceType": "Bundle", "entry": entry });
    let none = signed(&json!({ "alg": "none", "zip": "DEF", "kid": "k1" }), &packed, 7);
    let plain = signed(&json!({ "alg": "ES256", "kid": "k1" }), &payload(&good), 7);
    let other = String::from_utf8(payload(&good)).unwrap().replace("4.0.1", "1.0.2\\u001b[2J");
    let deep = format!("{{\"iss\":{}", "[".repeat(5_000));
    let patient = good["entry"][0].clone();
    for (text, why) in [
        (file(&[signed(&header(), &endless, 7)]), "unpacks to more than"),
        (file(&[signed(&header(), &packed[..packed.len() / 2], 7)]), "a SMART Health Card: what it holds"),
        (file(&[none]), "not signed with ES256"),
        (file(&[plain]), "packed with DEF"),
        (file(&["a.b".to_owned()]), "three parts"),
        (file(&["a.b.c.d".to_owned()]), "three parts"),
        (file(&[]), "0 cards"),
        (file(&vec!["a.b.c".to_owned(); 101]), "101 cards"),
        ("{\"verifiableCredential\":7}".to_owned(), "cannot be read"),
        (file(&[signed(&header(), &deflate(other.as_bytes()), 7)]), "FHIR 1.0.2"),
        (file(&[signed(&header(), &deflate(deep.as_bytes()), 7)]), "no credential"),
        (file(&[card(&json!(7))]), "FHIR bundle is none"),
        (file(&[card(&alone(json!([7])))]), "is no resource"),
        (file(&[card(&alone(json!([good["entry"][1]])))]), "about no patient"),
        (file(&[card(&alone(json!([patient, patient])))]), "two patients"),
        ("shc:/5".to_owned(), "digits"),
        ("shc:/99x9".to_owned(), "digits"),
        ("shc:/0/2/5656".to_owned(), "digits"),
        ("shc:/1/3/5656".to_owned(), "1 are here"),
        ("shc:/5656 dear diary".to_owned(), "digits"),
        ("shlink:/eyJ1cmwiOiJodHRwczovL3gifQ".to_owned(), "open it and give the FHIR bundle"),
        (format!("{{\"verifiableCredential\":[\"{}\"]}}", "x".repeat(5 << 20)), "no file of them has"),
    ] {
        let (records, skips) = one(&text, &How::new(NOW));
        assert!(records.is_empty(), "{why}");
        let (said, fault) = reason(&skips, "card");
        assert!(fault && said.contains(why), "{why}: {said}");
        assert!(!said.contains('\u{1b}'));
    }
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.smart-health-card", "{\"verifiableCredential\":[]}");
    write(dir.path(), "b.json", crate::clean().to_string());
    assert_eq!(all(dir.path()).0.len(), 1, "what is beside it is read");
}

#[test]
fn codes_of_two_cards_in_one_text_and_a_patient_that_nobody_knows_again_are_refused() {
    let codes = |card: &str, pieces: usize| -> Vec<String> {
        let length = card.len().div_ceil(pieces);
        let chunks = card.as_bytes().chunks(length).enumerate();
        chunks
            .map(|(n, part)| format!("shc:/{}/{pieces}/{}", n + 1, code(std::str::from_utf8(part).unwrap())))
            .collect()
    };
    let (ada, ben) = (card(&bundle("Alpha", "1980-01-01", "207")), card(&bundle("Beta", "1990-01-01", "208")));
    let (records, _) = one([codes(&ada, 2), codes(&ada, 2)].concat().join("\n"), &How::new(NOW));
    assert_eq!(records.len(), 1, "the same code read twice");
    let (records, skips) = one([codes(&ada, 2), codes(&ben, 2)].concat().join("\n"), &How::new(NOW));
    assert!(records.is_empty() && skips[0].reason.contains("QR codes of two"), "{skips:#?}");
    let mut nobody = bundle("Alpha", "1980-01-01", "207");
    nobody["entry"][0]["resource"] = json!({ "resourceType": "Patient" });
    let (records, skips) = one(file(&[card(&nobody)]), &How::new(NOW));
    assert!(records.is_empty() && skips[0].reason.contains("neither a birth date"), "{skips:#?}");
}
