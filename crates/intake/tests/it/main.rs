//! Folders, archives and bulk exports of every kind that was found in the wild.
#![allow(clippy::unwrap_used, missing_docs)]

mod apple;
mod archives;
mod cards;
mod exports;

use rochdale_intake::{Found, How, Skip, Taken, files, read};
use serde_json::{Value, json};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

/// 2026-11-29, noon.
const NOW: i64 = 1_795_953_600;
/// What the clean record scores.
const CLEAN: u16 = 9_885;

fn clean() -> Value {
    serde_json::from_str(include_str!("../../../core/tests/cases/clean.json")).unwrap()
}

/// Everything that a path gives.
fn all_with(path: &Path, how: &How) -> (Vec<Taken>, Vec<Skip>) {
    let (mut records, mut skips) = (Vec::new(), Vec::new());
    let flow = read(&files(path).unwrap(), how, &mut |found| {
        match found {
            Found::Record(taken) => records.push(*taken),
            Found::Skipped(skip) => skips.push(skip),
        }
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    (records, skips)
}

fn all(path: &Path) -> (Vec<Taken>, Vec<Skip>) {
    all_with(path, &How::new(NOW))
}

fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// The reason that an input has, by the end of its name.
#[track_caller]
fn reason<'s>(skips: &'s [Skip], input: &str) -> (&'s str, bool) {
    let mut of_it = skips.iter().filter(|skip| skip.input.ends_with(input));
    let skip = of_it.next().unwrap_or_else(|| panic!("{input} is not named: {skips:#?}"));
    assert!(of_it.next().is_none(), "{input} is named twice: {skips:#?}");
    (&skip.reason, skip.fault)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let how = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        archive.start_file(*name, how).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The clean record's resources, of the patient with this id, a line each, by type.
fn lines(patient: &str) -> Vec<(String, String)> {
    let text = clean().to_string().replace("pat-a", patient);
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let resources = bundle["entry"].as_array().unwrap().iter().map(|entry| entry["resource"].clone());
    resources.map(|resource| (resource["resourceType"].as_str().unwrap().to_owned(), format!("{resource}\n"))).collect()
}

/// A bulk export of these patients, a file a type.
fn export(dir: &Path, patients: &[&str]) {
    for patient in patients {
        for (kind, line) in lines(patient) {
            let path = dir.join(format!("{kind}.ndjson"));
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        }
    }
}

fn append(dir: &Path, name: &str, value: &Value) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(dir.join(name)).unwrap();
    writeln!(file, "{value}").unwrap();
}

fn observation(subject: Value) -> Value {
    json!({ "resourceType": "Observation", "id": "extra", "status": "final", "subject": subject, "code": { "coding": [{ "system": "http://loinc.org", "code": "2339-0" }] } })
}
