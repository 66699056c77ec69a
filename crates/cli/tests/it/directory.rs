//! `demo --fhir` on a directory as people have them: every shape, and what is broken beside what is not.

use crate::support::{fails, port, rochdale, synthesize};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json as j};
use std::io::Write as _;
use std::path::Path;

/// Nine usable records in six shapes, and six inputs that are not.
fn fill(dir: &Path) {
    for (shape, count) in
        [("transaction", 3), ("collection", 1), ("batch", 1), ("searchset", 1), ("ndjson", 2), ("gz", 1)]
    {
        let sub = dir.join(shape);
        synthesize(&sub, count, shape);
        for entry in std::fs::read_dir(&sub).unwrap() {
            make_different(&entry.unwrap().path(), shape);
        }
    }
    let bad = dir.join("bad");
    std::fs::create_dir(&bad).unwrap();
    std::fs::write(bad.join("not.json"), "this is not JSON").unwrap();
    std::fs::write(bad.join("no-fhir.json"), r#"{"name":"Ada"}"#).unwrap();
    std::fs::write(bad.join("empty.json"), "").unwrap();
    let hospitals = j!({ "resourceType": "Bundle", "type": "batch", "entry": [
        { "resource": { "resourceType": "Organization", "name": "General Hospital" } } ] });
    std::fs::write(bad.join("hospitalInformation1.json"), hospitals.to_string()).unwrap();
    let two = j!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": { "resourceType": "Patient", "id": "a" } }, { "resource": { "resourceType": "Patient", "id": "b" } } ] });
    std::fs::write(bad.join("two.json"), two.to_string()).unwrap();
    let mut large = std::io::BufWriter::new(std::fs::File::create(bad.join("large.json")).unwrap());
    large.write_all(br#"{"resourceType":"Bundle","type":"collection","note":""#).unwrap();
    let chunk = vec![b'x'; 1 << 20];
    (0..200).for_each(|_| large.write_all(&chunk).unwrap());
    large.write_all(b"\"}").unwrap();
}

/// The same seed makes the same patients in every shape; a second name tells them apart.
fn make_different(path: &Path, shape: &str) {
    if matches!(shape, "ndjson" | "transaction") {
        return;
    }
    let bytes = std::fs::read(path).unwrap();
    let text = if shape == "gz" {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
        text
    } else {
        String::from_utf8(bytes).unwrap()
    };
    let mut bundle: Value = serde_json::from_str(&text).unwrap();
    let entries = bundle["entry"].as_array_mut().unwrap();
    let patient = entries.iter_mut().find(|entry| entry["resource"]["resourceType"] == "Patient").unwrap();
    patient["resource"]["address"] = j!([{ "city": shape }]);
    let text = bundle.to_string();
    if shape == "gz" {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        std::fs::write(path, encoder.finish().unwrap()).unwrap();
    } else {
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn every_shape_is_taken_and_what_is_broken_is_skipped_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let fhir = dir.path().join("fhir");
    std::fs::create_dir(&fhir).unwrap();
    fill(&fhir);
    let (here, port) = (dir.path().join("here"), port().to_string());
    std::fs::create_dir(&here).unwrap();
    let args = ["demo", "--once", "--json", "--fhir", fhir.to_str().unwrap(), "--port", &port];
    let output = rochdale(&args).current_dir(&here).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(std::fs::read_dir(&here).unwrap().count(), 0, "a demo that is over left something where it was typed");

    assert_eq!(report["patients"]["contributed"], 9, "{}", report["patients"]);
    let skipped = report["patients"]["skipped"].as_array().unwrap();
    let reason = |file: &str| {
        let found = skipped.iter().find(|skip| skip["input"].as_str().unwrap().contains(file));
        let found = found.unwrap_or_else(|| panic!("{file} is not reported: {skipped:?}"));
        (found["reason"].as_str().unwrap().to_owned(), found["fault"].as_bool().unwrap())
    };
    assert_eq!(skipped.len(), 6, "{skipped:?}");
    assert!(reason("not.json").1);
    assert!(reason("no-fhir.json").1);
    assert!(!reason("empty.json").1);
    assert!(!reason("hospitalInformation1.json").1);
    assert!(reason("two.json").1);
    assert!(reason("large.json").0.contains("larger than the limit"), "{:?}", reason("large.json"));
    assert!(report["conservation"].as_array().unwrap().iter().all(|check| check["holds"] == true));
    assert_eq!(report["audit_agrees"], true, "{}", report["audit"]);
    // The two lines of the NDJSON file are the first two of the three transactions: contributed twice, paid once.
    let earned = |name: &Value| name["data"].as_str().unwrap().parse::<u128>().unwrap();
    let paid: Vec<_> = report["members"].as_array().unwrap().iter().map(earned).collect();
    assert_eq!(paid.iter().filter(|data| **data == 0).count(), 2, "{paid:?}");
}

#[test]
fn where_nothing_is_usable_it_fails_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let fhir = dir.path().join("fhir");
    std::fs::create_dir(&fhir).unwrap();
    std::fs::write(fhir.join("not.json"), "this is not JSON").unwrap();
    let (state, port) = (dir.path().join("state"), port().to_string());
    let args = ["demo", "--once", "--fhir", fhir.to_str().unwrap(), "--port", &port, "--state"];
    let error = fails(&[&args[..], &[state.to_str().unwrap()]].concat());
    assert!(error.contains("no input was usable") && error.contains("not.json"), "{error}");
    assert!(error.contains(&format!("what ran lies in {}", state.display())), "{error}");
}
