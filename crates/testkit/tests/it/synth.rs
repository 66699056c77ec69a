use crate::NOW;
use rochdale_core::fhir::{Kind, flatten, loinc_is_valid, snomed_is_valid, unit_is_valid};
use rochdale_testkit::fixtures;
use rochdale_testkit::synth::{Shape, patient, tables};
use std::collections::HashSet;
use std::process::Command;

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed, index| Shape::Gz.bytes(patient(seed, index, NOW)).unwrap();
    assert_eq!(bytes(5, 6), bytes(5, 6));
    assert_ne!(bytes(5, 6), bytes(5, 7));
    assert_ne!(bytes(5, 6), bytes(6, 6));
}

#[test]
fn records_are_varied_and_of_the_size_promised() {
    let mut seen = HashSet::new();
    for index in 0..800 {
        let bundle = patient(5, index, NOW);
        let size = bundle["entry"].as_array().unwrap().len();
        assert!((30..=300).contains(&size), "patient {index} has {size} resources");
        let record = fixtures::record(&bundle).unwrap();
        let flat = flatten(&record, NOW);
        seen.insert(format!("{:?}", flat.sex));
        seen.extend(flat.conditions().map(|c| c.code.clone()));
        seen.extend(record.resources().map(|r| r.type_name().to_owned()));
        if flat.deceased {
            seen.insert("dead".to_owned());
        }
    }
    let kinds = [Kind::Condition, Kind::Observation, Kind::MedicationRequest, Kind::Encounter, Kind::Immunization];
    for expected in kinds.map(|k| format!("{k:?}")).iter().map(String::as_str).chain(["Male", "Female", "dead"]) {
        assert!(seen.contains(expected), "{expected}");
    }
    for illness in &tables::ILLNESSES {
        assert!(seen.contains(illness.code), "nobody has {}", illness.name);
    }
}

#[test]
fn the_codes_and_units_of_the_tables_are_valid() {
    for illness in &tables::ILLNESSES {
        assert!(snomed_is_valid(illness.code), "{}", illness.name);
    }
    for (code, name) in tables::ALLERGIES.iter().chain(&tables::PROCEDURES) {
        assert!(snomed_is_valid(code), "{name}");
    }
    for measure in tables::VITALS.iter().chain(&tables::LABS) {
        assert!(loinc_is_valid(measure.code) && unit_is_valid(measure.unit), "{}", measure.name);
    }
}

#[test]
fn the_command_writes_what_the_library_makes() {
    let out = tempfile::tempdir().unwrap();
    let run = |shape: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rochdale-synth"));
        command.args(["--patients", "3", "--seed", "5", "--now", &NOW.to_string(), "--shape", shape, "--out"]);
        command.arg(out.path().join(shape)).output().unwrap()
    };
    let written = run("transaction");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    assert!(String::from_utf8(written.stdout).unwrap().starts_with("3 patients, "));
    let third = std::fs::read(out.path().join("transaction/patient-00003.json")).unwrap();
    assert_eq!(third, Shape::Transaction.bytes(patient(5, 2, NOW)).unwrap());
    assert!(run("ndjson").status.success());
    let lines = std::fs::read_to_string(out.path().join("ndjson/patients.ndjson")).unwrap();
    assert_eq!(lines.lines().count(), 3);
}

#[test]
fn the_command_says_what_is_wrong() {
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_rochdale-synth")).args(args).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (good, message) = run(&["--patients", "0", "--out", "x"]);
    assert!(!good && message.contains("--patients"), "{message}");
    let (good, message) = run(&["--out", "/dev/null/x"]);
    assert!(!good && message.contains("/dev/null/x"), "{message}");
}
