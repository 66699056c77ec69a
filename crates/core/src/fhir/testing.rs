//! Arbitrary input: JSON of any shape, and bundles with parts exchanged for it.

use super::{FhirError, Limits, Piece, Record, flatten, pieces, record_digest};
use crate::score::{score, score_bytes};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Any JSON, with FHIR's own words among the keys and strings.
pub(super) fn json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        proptest::sample::select(WORDS.as_slice()).prop_map(str::to_owned),
        any::<String>(),
        "[A-Z][a-z]{2,8}/[a-z0-9#?|]{0,6}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T?[0-9:+Z]{0,9}",
        "[0-9]{1,8}-[0-9]",
    ]
    .boxed();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(word.clone(), inner, 0..8).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

const WORDS: [&str; 44] = [
    "resourceType",
    "Bundle",
    "Patient",
    "Observation",
    "Condition",
    "Encounter",
    "entry",
    "resource",
    "fullUrl",
    "type",
    "id",
    "urn:uuid:a",
    "urn:",
    "Patient/a",
    "#",
    "#a",
    "?",
    "Patient?identifier=|",
    "subject",
    "patient",
    "reference",
    "identifier",
    "system",
    "value",
    "code",
    "coding",
    "valueQuantity",
    "component",
    "unit",
    "status",
    "birthDate",
    "deceasedDateTime",
    "effectiveDateTime",
    "period",
    "start",
    "end",
    "onsetDateTime",
    "http://loinc.org",
    "4548-4",
    "http://snomed.info/sct",
    "contained",
    "transaction",
    "{a}",
    "%",
];

/// A small good bundle.
fn bundle() -> Value {
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "fullUrl": "urn:uuid:a", "resource": { "resourceType": "Patient", "id": "a", "gender": "female", "birthDate": "1960-02-03" } },
        { "fullUrl": "urn:uuid:e", "resource": { "resourceType": "Encounter", "subject": { "reference": "urn:uuid:a" },
            "period": { "start": "2001-01-01T10:00:00Z", "end": "2001-01-01T11:00:00Z" } } },
        { "fullUrl": "urn:uuid:o", "resource": { "resourceType": "Observation", "status": "final", "subject": { "reference": "Patient/a" },
            "code": { "coding": [{ "system": "http://loinc.org", "code": "4548-4" }] }, "effectiveDateTime": "2001-01-01",
            "component": [{ "code": { "coding": [{ "system": "http://loinc.org", "code": "8480-6" }] }, "valueQuantity": { "value": 1.5, "code": "mm[Hg]" } }],
            "valueQuantity": { "value": 6.1, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%" } } },
    ]})
}

/// Replaces the n-th value inside, counted in depth-first order.
fn replace(value: &mut Value, left: &mut usize, with: &Value) {
    if *left == 0 {
        *value = with.clone();
        *left = usize::MAX;
        return;
    }
    *left = left.saturating_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|inner| replace(inner, left, with)),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, inner)| replace(inner, left, with)),
        _ => {}
    }
}

fn read(value: &Value) -> Result<Record, FhirError> {
    Record::from_slice("x", value.to_string().as_bytes(), Limits::default())
}

/// Everything that is done with a record; what matters is that it ends.
fn exercise(record: &Record, now: i64) -> u16 {
    let scored = score(record, now, false);
    let lost: u32 = scored.reasons.iter().map(|r| u32::from(r.lost)).sum();
    assert_eq!(lost + u32::from(scored.quality), 10_000);
    let _ = (flatten(record, now), record_digest(record));
    scored.quality
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..512), limit in 0usize..600) {
        let limits = Limits { record_bytes: limit };
        let read = pieces("x", bytes.as_slice(), limits).count();
        prop_assert!(read <= bytes.len() + 1);
        let scored = score_bytes("x", &bytes, limits, 0, |_| false);
        prop_assert!(scored.quality < 10_000);
    }

    #[test]
    fn any_json_is_survived(value in json(), now in any::<i64>()) {
        if let Ok(record) = read(&value) {
            exercise(&record, now);
        }
        let as_patient = json!({ "resourceType": "Bundle", "entry": [
            { "resource": { "resourceType": "Patient", "birthDate": value, "identifier": value } },
            { "resource": { "resourceType": "Observation", "code": value, "component": value, "valueQuantity": value, "subject": value } },
            { "fullUrl": value, "resource": { "resourceType": "Condition", "code": { "coding": value }, "onsetPeriod": value, "contained": value } },
        ]});
        exercise(&read(&as_patient).unwrap(), now);
    }

    #[test]
    fn mutated_bundles_are_survived(changes in vec((0usize..70, json()), 1..4), now in any::<i64>()) {
        let mut changed = bundle();
        for (place, with) in &changes {
            replace(&mut changed, &mut place.clone(), with);
        }
        let bytes = serde_json::to_vec(&changed).unwrap();
        for piece in pieces("x", bytes.as_slice(), Limits::default()) {
            if let Ok(Piece::Record(source)) = piece {
                exercise(&source.record, now);
            }
        }
    }

    #[test]
    fn cut_bundles_are_refused(at in 1usize..900) {
        let bytes = serde_json::to_vec(&bundle()).unwrap();
        let cut = &bytes[..at.min(bytes.len() - 1)];
        prop_assert!(Record::from_slice("x", cut, Limits::default()).is_err());
    }
}

#[test]
fn records_as_deep_as_the_parser_lets_through_are_survived() {
    for depth in [100, 120, 126, 200] {
        let text = format!(
            "{{\"resourceType\":\"Patient\",\"x\":{}{}}}",
            "{\"reference\":\"urn:gone\",\"y\":[".repeat(depth / 2),
            "]}".repeat(depth / 2)
        );
        match Record::from_slice("x", text.as_bytes(), Limits::default()) {
            Ok(record) => assert!(exercise(&record, 0) < 10_000),
            Err(error) => assert!(error.to_string().contains("recursion"), "{error}"),
        }
    }
}

/// Nothing may cost the square of what was sent: each of these would take hours if something did.
#[test]
fn much_of_the_same_is_survived() {
    let many = |one: Value| Value::from(vec![one; 30_000]);
    let person =
        json!({ "resourceType": "Patient", "id": "p", "identifier": many(json!({ "system": "s", "value": "v" })) });
    let goal = json!({ "resource": { "resourceType": "Goal", "id": "g", "subject": { "reference": "Patient?identifier=s|v" },
        "addresses": [{ "reference": "Goal/g" }, { "reference": "Practitioner?identifier=x|y" }] } });
    let hoard = json!({ "resource": { "resourceType": "Condition", "contained": many(json!({ "id": "c" })), "note": many(json!({ "reference": "#d" })),
        "code": { "coding": many(json!({ "system": "u:x", "code": "1" })) }, "subject": { "reference": "Patient/p" } } });
    let made_up = (0..2_000)
        .map(|n| json!({ "resource": { "resourceType": format!("T{n}"), "x": { "reference": "urn:gone" } } }));
    let mut entries = vec![json!({ "resource": person }); 3];
    entries.extend(vec![goal; 30_000]);
    entries.push(hoard);
    entries.extend(made_up);
    let record = read(&json!({ "resourceType": "Bundle", "entry": entries })).unwrap();
    assert_eq!(record.resolver().resolve(5, "Goal/g"), super::Resolution::Found(1));
    assert!(record.resources().all(|r| r.kind() != super::Kind::Goal || r.subject() == super::Subject::Patient));
    assert!(score(&record, 0, false).reasons.len() < 600);
    exercise(&record, 0);
}
