//! Writes a bulk export of many patients and reads it: `cargo run -p rochdale-intake --example export -- DIR PATIENTS`.
//!
//! For figures of memory and time: what is there already is read as it is.
#![allow(clippy::unwrap_used)]

use rochdale_intake::{Found, How, files, read};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// 2026-11-29, noon.
const NOW: i64 = 1_795_953_600;

fn main() {
    let mut args = std::env::args_os().skip(1);
    let dir = PathBuf::from(args.next().expect("a folder"));
    let patients: u32 = args.next().and_then(|n| n.to_str()?.parse().ok()).expect("a number of patients");
    if !dir.exists() {
        std::fs::create_dir_all(&dir).unwrap();
        write(&dir, patients);
    }
    let found = files(&dir).unwrap();
    let (bytes, start) = (found.bytes, Instant::now());
    let (mut records, mut points, mut skipped) = (0u64, 0u64, 0u64);
    let _ = read(&found, &How::new(NOW), &mut |found| {
        match found {
            Found::Record(taken) => {
                records += 1;
                points += u64::from(taken.scored.quality);
            }
            Found::Skipped(skip) => {
                skipped += 1;
                println!("{}: {}", skip.input, skip.reason);
            }
        }
        ControlFlow::Continue(())
    });
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!(
        "{:.0} MB of {} files: {records} records of {} points on average, {skipped} passed over, {:.0} s; {}",
        bytes as f64 / 1e6,
        found.paths.len(),
        points / records.max(1),
        start.elapsed().as_secs_f64(),
        status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("peak memory unknown")
    );
}

/// A file a type, each with all patients, so that one patient's lines lie as far apart as can be.
fn write(dir: &Path, patients: u32) {
    let out = |name: &str, each: &dyn Fn(u32) -> Vec<Value>| {
        let mut file = BufWriter::new(File::create(dir.join(name)).unwrap());
        for patient in 0..patients {
            each(patient).iter().for_each(|line| writeln!(file, "{line}").unwrap());
        }
        file.flush().unwrap();
    };
    let subject = |patient: u32| json!({ "reference": format!("Patient/p{patient}") });
    out("Observation.ndjson", &|patient| {
        (0..20)
            .map(|n| json!({ "resourceType": "Observation", "id": format!("o{patient}-{n}"), "status": "final",
                "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory" }] }],
                "code": { "coding": [{ "system": "http://loinc.org", "code": "2339-0" }] }, "subject": subject(patient),
                "effectiveDateTime": format!("20{n:02}-05-02T10:30:00Z"), "issued": format!("20{n:02}-05-02T10:30:00Z"),
                "valueQuantity": { "value": 80 + (patient + n) % 40, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL" } }))
            .collect()
    });
    out("Condition.ndjson", &|patient| {
        (0..3)
            .map(|n| json!({ "resourceType": "Condition", "id": format!("c{patient}-{n}"), "subject": subject(patient),
                "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active" }] },
                "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "38341003" }] }, "onsetDateTime": format!("200{n}-02-03") }))
            .collect()
    });
    out("Patient.ndjson", &|patient| {
        vec![
            json!({ "resourceType": "Patient", "id": format!("p{patient}"), "gender": "female", "birthDate": format!("19{:02}-03-05", 20 + patient % 70) }),
        ]
    });
}
