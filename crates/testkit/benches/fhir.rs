//! Reading and scoring FHIR, beside `serde_json` parsing the same bytes alone:
//! `cargo bench -p rochdale-testkit --bench fhir`. It lies here and not in core because it needs synthetic patients.
#![allow(clippy::unwrap_used)]

use divan::Bencher;
use divan::counter::BytesCount;
use rochdale_core::fhir::{Limits, Piece, Record, flatten, pieces, record_digest};
use rochdale_core::score::score;
use rochdale_testkit::synth::patient;
use serde_json::Value;
use std::sync::LazyLock;

const NOW: i64 = 1_767_225_600;

/// Records of about 0.2 and 4 MB, minified: one patient, and the largest of 50 with its observations repeated.
static RECORDS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [bytes(1), bytes(20)]);

fn bytes(times: usize) -> Vec<u8> {
    let largest = (0..50).map(|index| patient(1, index, NOW)).max_by_key(|b| b["entry"].as_array().map_or(0, Vec::len));
    let mut bundle = largest.unwrap();
    let entries = bundle["entry"].as_array_mut().unwrap();
    let observations: Vec<Value> =
        entries.iter().filter(|e| e["resource"]["resourceType"] == "Observation").cloned().collect();
    for copy in 1..times {
        entries.extend(observations.iter().cloned().map(|mut entry| {
            let id = format!("{}-{copy}", entry["resource"]["id"].as_str().unwrap_or_default());
            entry["fullUrl"] = Value::from(format!("urn:uuid:{id}"));
            entry["resource"]["id"] = Value::from(id);
            entry
        }));
    }
    serde_json::to_vec(&bundle).unwrap()
}

fn main() {
    divan::main();
}

const SIZES: [usize; 2] = [0, 1];

#[divan::bench(args = SIZES)]
fn serde_json_alone(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = &RECORDS[size];
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| serde_json::from_slice::<Value>(divan::black_box(bytes)).unwrap());
}

#[divan::bench(args = SIZES)]
fn read(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = &RECORDS[size];
    bencher.counter(BytesCount::new(bytes.len())).bench(|| {
        let found = pieces("x", divan::black_box(bytes).as_slice(), Limits::default()).next();
        assert!(matches!(found, Some(Ok(Piece::Record(_)))));
        found
    });
}

#[divan::bench(args = SIZES)]
fn score_a_record(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = &RECORDS[size];
    let record = Record::from_slice("x", bytes, Limits::default()).unwrap();
    bencher.counter(BytesCount::new(bytes.len())).bench(|| score(divan::black_box(&record), NOW, false));
}

#[divan::bench(args = SIZES)]
fn digest(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = &RECORDS[size];
    let record = Record::from_slice("x", bytes, Limits::default()).unwrap();
    bencher.counter(BytesCount::new(bytes.len())).bench(|| record_digest(divan::black_box(&record)));
}

#[divan::bench(args = SIZES)]
fn flatten_a_record(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = &RECORDS[size];
    let record = Record::from_slice("x", bytes, Limits::default()).unwrap();
    bencher.counter(BytesCount::new(bytes.len())).bench(|| flatten(divan::black_box(&record), NOW));
}

/// All that a steward does with an opened record.
#[divan::bench(args = SIZES)]
fn read_digest_and_score(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = &RECORDS[size];
    bencher.counter(BytesCount::new(bytes.len())).bench(|| {
        let record = Record::from_slice("x", divan::black_box(bytes), Limits::default()).unwrap();
        (record_digest(&record), score(&record, NOW, false))
    });
}
