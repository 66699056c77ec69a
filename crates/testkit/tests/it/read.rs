use crate::NOW;
use flate2::read::GzDecoder;
use rochdale_core::fhir::{FhirError, Limits, Piece, Record, SkipReason, Subject, flatten, pieces, record_digest};
use rochdale_testkit::fixtures;
use rochdale_testkit::synth::{Shape, patient};
use serde_json::{Value, json};
use std::io::{Cursor, Read};

fn all(bytes: &[u8]) -> Vec<Result<Piece, FhirError>> {
    pieces("file.json", Cursor::new(bytes.to_vec()), Limits::default()).collect()
}

fn one(bytes: &[u8]) -> Record {
    let mut found = all(bytes);
    assert_eq!(found.len(), 1);
    match found.remove(0).unwrap() {
        Piece::Record(source) => source.record,
        other => panic!("no record: {other:?}"),
    }
}

fn skipped(bytes: &[u8]) -> SkipReason {
    let mut found = all(bytes);
    assert_eq!(found.len(), 1);
    match found.remove(0).unwrap() {
        Piece::Skipped(skipped) => skipped.reason,
        other => panic!("not skipped: {other:?}"),
    }
}

fn error(bytes: &[u8]) -> FhirError {
    let mut found = all(bytes);
    assert_eq!(found.len(), 1);
    found.remove(0).unwrap_err()
}

#[test]
fn every_shape_gives_the_same_facts_and_digest() {
    let expected = fixtures::record(&patient(3, 1, NOW)).unwrap();
    for shape in Shape::ALL {
        let mut bytes = shape.bytes(patient(3, 1, NOW)).unwrap();
        if shape == Shape::Gz {
            let mut plain = Vec::new();
            GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
            bytes = plain;
        }
        let record = one(&bytes);
        assert!(record.resources().all(|r| !matches!(r.subject(), Subject::Unresolved(_))), "{shape:?}");
        assert_eq!(flatten(&record, NOW), flatten(&expected, NOW), "{shape:?}");
        assert_eq!(record_digest(&record), record_digest(&expected), "{shape:?}");
    }
}

#[test]
fn the_digest_is_of_the_facts() {
    let digest = |bundle: Value| record_digest(&fixtures::record(&bundle).unwrap());
    let original = digest(patient(3, 1, NOW));
    let mut turned = patient(3, 1, NOW);
    turned["entry"].as_array_mut().unwrap().reverse();
    turned["id"] = json!("another");
    turned["timestamp"] = json!("2025-01-01T00:00:00Z");
    assert_eq!(digest(turned), original);
    let mut changed = patient(3, 1, NOW);
    let mut entries = changed["entry"].as_array_mut().unwrap().iter_mut();
    entries.find_map(|e| e.pointer_mut("/resource/valueQuantity/value")).map(|v| *v = json!(41.5)).unwrap();
    assert_ne!(digest(changed), original);
    let mut repeated = patient(3, 1, NOW);
    let again = repeated["entry"][5].clone();
    repeated["entry"].as_array_mut().unwrap().push(again);
    assert_ne!(digest(repeated), original);
    assert_ne!(digest(patient(3, 2, NOW)), original);
}

#[test]
fn a_synthea_transaction_is_read_with_its_oddities() {
    let record = one(&serde_json::to_vec_pretty(&fixtures::synthea_transaction()).unwrap());
    let flat = flatten(&record, NOW);
    assert_eq!((flat.birth_year, flat.birth_month, flat.deceased), (Some(1945), Some(12), false));
    let diabetes = flat.conditions().next().unwrap();
    assert_eq!(
        (diabetes.system.as_str(), diabetes.code.as_str(), diabetes.day),
        ("http://snomed.info/sct", "44054006", Some(10_227))
    );
    let values: Vec<_> = flat.observations.iter().map(|o| (o.code.as_str(), o.value_milli, o.day)).collect();
    // Both codings of the hemoglobin A1c, the undated pressure; 1e300 does not fit and is dropped.
    assert_eq!(values, [("4548-4", 6_490, Some(18_033)), ("HBA1C", 6_490, Some(18_033)), ("8480-6", 132_000, None)]);
}

#[test]
fn values_that_did_not_happen_are_left_out_of_the_rows() {
    let count = |change: fn(&mut Value)| {
        let mut bundle = fixtures::synthea_transaction();
        change(&mut bundle);
        flatten(&fixtures::record(&bundle).unwrap(), NOW).observations.len()
    };
    assert_eq!(count(|_| {}), 3);
    assert_eq!(count(|b| b["entry"][3]["resource"]["status"] = json!("entered-in-error")), 1);
    assert_eq!(count(|b| b["entry"][3]["resource"]["valueQuantity"]["comparator"] = json!("<")), 1);
    assert_eq!(count(|b| b["entry"][3]["resource"]["effectiveDateTime"] = json!("2031-01-01")), 1);
    assert_eq!(count(|b| b["entry"][3]["resource"]["subject"] = json!({ "reference": "#other" })), 1);
    assert_eq!(count(|b| drop(b["entry"][3]["resource"].as_object_mut().unwrap().remove("subject"))), 1);
}

#[test]
fn subjects_are_found_however_they_are_named() {
    let subject = |patient: Value, full_url: Value, reference: Value| {
        let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
            { "fullUrl": full_url, "resource": patient },
            { "resource": { "resourceType": "Condition", "subject": reference } },
        ]});
        fixtures::record(&bundle).unwrap().resources().nth(1).unwrap().subject()
    };
    let person =
        json!({ "resourceType": "Patient", "id": "p1", "identifier": [{ "system": "urn:mrn", "value": "7" }] });
    let nameless = json!({ "resourceType": "Patient", "birthDate": "1960" });
    let urn = json!("urn:uuid:AAAAAAAA-0000-4000-8000-000000000001");
    let http = json!("https://fhir.example.org/r4/Patient/p1");
    let to = |text: &str| json!({ "reference": text });
    for reference in [
        to("Patient/p1"),
        to("Patient/p1/_history/3"),
        to("urn:uuid:p1"),
        to("Patient?identifier=urn:mrn|7"),
        to("Patient?identifier=7"),
        to("https://elsewhere.example.org/Patient/p1"),
        json!({ "identifier": { "system": "urn:mrn", "value": "7" } }),
    ] {
        assert_eq!(subject(person.clone(), Value::Null, reference.clone()), Subject::Patient, "{reference}");
    }
    assert_eq!(
        subject(nameless.clone(), urn.clone(), to("urn:uuid:aaaaaaaa-0000-4000-8000-000000000001")),
        Subject::Patient
    );
    assert_eq!(subject(nameless.clone(), http.clone(), to("Patient/p1")), Subject::Patient);
    assert_eq!(subject(person.clone(), http.clone(), to("https://fhir.example.org/r4/Patient/p1")), Subject::Patient);
    for reference in [
        to("Patient/p2"),
        to("urn:uuid:p2"),
        to("Patient?identifier=urn:mrn|8"),
        to("Patient?name=x"),
        to("#gone"),
        to("nonsense"),
        json!({ "identifier": { "system": "urn:other", "value": "7" } }),
    ] {
        assert_eq!(
            subject(person.clone(), Value::Null, reference.clone()),
            Subject::Unresolved("subject"),
            "{reference}"
        );
    }
    // The only patient with this id is meant, whatever host an export writes.
    assert_eq!(subject(person.clone(), http, to("https://elsewhere.example.org/Patient/p1")), Subject::Patient);
    let words = json!({ "display": "somebody" });
    assert_eq!(subject(person.clone(), Value::Null, words), Subject::Nameless("subject"));
    assert_eq!(subject(person.clone(), Value::Null, to("Location/ward")), Subject::Other);
    assert_eq!(subject(person, Value::Null, Value::Null), Subject::None);
}

#[test]
fn files_without_a_patient_are_skipped_with_the_reason() {
    assert_eq!(skipped(&serde_json::to_vec(&fixtures::hospital_information()).unwrap()), SkipReason::NoPatient);
    assert_eq!(skipped(b""), SkipReason::Empty);
    assert_eq!(skipped(b"\n \r\n"), SkipReason::Empty);
}

#[test]
fn resources_that_stand_alone_are_given_one_by_one() {
    let names = |bytes: &[u8]| {
        let lone = all(bytes).into_iter().map(|piece| match piece.unwrap() {
            Piece::Resource(lone) => {
                (lone.name, lone.document.root().get("resourceType").unwrap().as_str().unwrap().to_owned())
            }
            other => panic!("no lone resource: {other:?}"),
        });
        lone.collect::<Vec<_>>()
    };
    let of = |name: &str| (name.to_owned(), "Observation".to_owned());
    let lines = ["file.json, line 1", "file.json, line 2", "file.json, line 3"].map(of);
    assert_eq!(names(&fixtures::bulk_export()), lines);
    assert_eq!(names(b"{\"resourceType\":\"Observation\"}"), [of("file.json")]);
    assert_eq!(names(b"{\n\"resourceType\":\n\"Observation\"}"), [of("file.json")]);
}

#[test]
fn two_patients_are_refused_by_path_and_id_and_never_by_name() {
    let message = error(&serde_json::to_vec(&fixtures::two_patients()).unwrap()).to_string();
    assert!(
        message.contains("Bundle.entry[0].resource (Patient/1)")
            && message.contains("Bundle.entry[1].resource (Patient/2)"),
        "{message}"
    );
    assert!(!message.contains("Secret") && !message.contains("Hidden"), "{message}");
}

#[test]
fn a_patient_found_twice_on_two_pages_is_one() {
    let mut bundle = patient(3, 1, NOW);
    let again = bundle["entry"][0].clone();
    bundle["entry"].as_array_mut().unwrap().push(again);
    assert_eq!(
        fixtures::record(&bundle).unwrap().resources().len(),
        patient(3, 1, NOW)["entry"].as_array().unwrap().len()
    );
}

#[test]
fn what_is_no_record_is_refused_with_place_and_remedy() {
    for (bytes, part) in [
        (&b"hello"[..], "not valid JSON at line 1"),
        (b"{\"resourceType\": \"Bundle\",\n\"entry\": [", "not valid JSON at line 2"),
        (b"{}", "no resource type"),
        (b"[]", "a list"),
        (b"42", "no resource type"),
        (b"{\"resourceType\":\"Bundle\",\"type\":\"history\"}", "`history`"),
        (b"{\"resourceType\":\"Bundle\",\"entry\":7}", "Bundle.entry"),
        (b"{\"resourceType\":\"Bundle\",\"entry\":[7]}", "Bundle.entry[0]"),
        (b"{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{}}]}", "Bundle.entry[0].resource"),
        (b"\xFF\xFE{\0}\0", "UTF-16"),
    ] {
        let message = error(bytes).to_string();
        assert!(message.starts_with("file.json: ") && message.contains(part), "{message}");
    }
    let deep = [b"{\"resourceType\":\"Patient\",\"x\":".as_slice(), &vec![b'['; 100_000]].concat();
    assert!(error(&deep).to_string().contains("recursion limit"));
}

#[test]
fn ndjson_gives_a_record_a_line_and_survives_a_bad_line() {
    let good = |index| patient(3, index, NOW);
    let mut bytes = fixtures::ndjson(&[good(1), fixtures::hospital_information()]);
    bytes.extend_from_slice(b"\r\n{broken}\n\n");
    bytes.extend(fixtures::ndjson(&[good(2)]));
    bytes.pop();
    let found = all(&fixtures::with_bom(&bytes));
    assert_eq!(found.len(), 4);
    assert!(
        matches!(&found[0], Ok(Piece::Record(r)) if r.name == "file.json, line 1" && r.record.bytes().starts_with(b"{"))
    );
    assert!(matches!(&found[1], Ok(Piece::Skipped(s)) if s.name == "file.json, line 2"));
    assert!(matches!(&found[2], Err(FhirError::NotJson { name, .. }) if name == "file.json, line 4"));
    assert!(matches!(&found[3], Ok(Piece::Record(r)) if r.name == "file.json, line 6"));
    let first_broken = all(&[b"{\"a\":}\n".as_slice(), &bytes].concat());
    assert_eq!(first_broken.len(), 5);
    assert!(matches!(&first_broken[0], Err(FhirError::NotJson { name, .. }) if name == "file.json, line 1"));
}

#[test]
fn a_byte_order_mark_and_blank_lines_do_not_matter() {
    let plain = serde_json::to_vec_pretty(&patient(3, 1, NOW)).unwrap();
    let expected = record_digest(&one(&plain));
    assert_eq!(record_digest(&one(&fixtures::with_bom(&plain))), expected);
    assert_eq!(record_digest(&one(&[b"\n\n", plain.as_slice(), b"\n\n"].concat())), expected);
    let minified = patient(3, 1, NOW).to_string().into_bytes();
    assert_eq!(record_digest(&one(&[minified.as_slice(), b"\r\n\r\n"].concat())), expected);
    assert_eq!(
        record_digest(&Record::from_slice("x", &fixtures::with_bom(&plain), Limits::default()).unwrap()),
        expected
    );
}

/// Counts what is read from it: 200 MB that need no memory.
struct Endless {
    left: usize,
    read: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = buffer.len().min(self.left);
        buffer[..size].fill(b' ');
        if self.read == 0 && size > 0 {
            buffer[0] = b'{';
        }
        self.left -= size;
        self.read += size;
        Ok(size)
    }
}

#[test]
fn a_file_over_the_limit_is_refused_without_reading_it_all() {
    let mut file = Endless { left: 200_000_000, read: 0 };
    let limits = Limits { record_bytes: 1 << 20 };
    let found: Vec<_> = pieces("big.json", &mut file, limits).collect();
    assert!(matches!(found.as_slice(), [Err(FhirError::TooLarge { limit: 1_048_576, .. })]));
    assert!(file.read < 2 << 20, "{} bytes were read", file.read);
    let mut file = Endless { left: 200_000_000, read: 0 };
    let found: Vec<_> = pieces("big.json", &mut file, Limits::default()).collect();
    assert!(matches!(found.as_slice(), [Err(FhirError::TooLarge { limit: 67_108_864, .. })]));
    assert!(file.read < 70_000_000);
}

#[test]
fn a_line_over_the_limit_costs_that_line_alone() {
    let bytes = [
        patient(3, 1, NOW).to_string(),
        format!("{{\"x\":\"{}\"}}", "y".repeat(3_000_000)),
        patient(3, 2, NOW).to_string(),
    ]
    .join("\n");
    let limits = Limits { record_bytes: 2_000_000 };
    let found: Vec<_> = pieces("x.ndjson", Cursor::new(bytes), limits).collect();
    assert!(matches!(found.as_slice(), [Ok(Piece::Record(_)), Err(FhirError::TooLarge { .. }), Ok(Piece::Record(_))]));
}

#[test]
fn a_packed_file_that_is_cut_short_says_so() {
    let mut bytes = fixtures::gz(&patient(3, 1, NOW)).unwrap();
    bytes.truncate(bytes.len() / 2);
    let found: Vec<_> = pieces("x.json.gz", GzDecoder::new(bytes.as_slice()), Limits::default()).collect();
    assert!(matches!(found.as_slice(), [Err(FhirError::Read { .. })]));
}
