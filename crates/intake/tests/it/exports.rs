//! Kind J: resources that stand alone become records, whole or not at all.

use crate::{CLEAN, NOW, all, all_with, append, clean, export, lines, observation, reason, write};
use rochdale_core::fhir::{Limits, Record, flatten, record_digest};
use rochdale_intake::{How, Taken};
use serde_json::json;

fn facts(taken: &Taken) -> (usize, usize) {
    let record = Record::from_slice("x", &taken.bytes, Limits::default()).unwrap();
    let flat = flatten(&record, NOW);
    (flat.codes.len(), flat.observations.len())
}

#[test]
fn kind_j_a_bulk_export_of_one_patient_is_that_patients_record() {
    // Case 28.
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["pat-a"]);
    append(
        dir.path(),
        "Group.ndjson",
        &json!({ "resourceType": "Group", "id": "g", "member": [{ "entity": { "reference": "Patient/pat-a" } }] }),
    );
    write(dir.path(), "manifest.json", json!({ "transactionTime": "2024-01-01T00:00:00Z", "request": "https://x/$export", "output": [{ "type": "Patient", "url": "Patient.ndjson" }], "error": [] }).to_string());
    let (records, skips) = all(dir.path());
    assert_eq!(records.len(), 1, "{skips:#?}");
    let clean = Record::from_slice("x", clean().to_string().as_bytes(), Limits::default()).unwrap();
    assert_eq!(
        (records[0].scored.quality, records[0].digest),
        (CLEAN, record_digest(&clean)),
        "{:#?}",
        records[0].scored
    );
    assert_eq!((facts(&records[0]), records[0].patient.as_deref()), ((36, 60), Some("pat-a")));
    assert!(records[0].name.ends_with(": Patient/pat-a"), "{}", records[0].name);
    assert!(reason(&skips, "manifest.json").0.contains("held against what is here"), "{skips:#?}");
    let (aside, fault) = reason(&skips, dir.path().to_str().unwrap());
    assert!(aside.contains("1 Group") && !fault, "{aside}");
}

#[test]
fn kind_j_patients_that_are_mixed_are_told_apart_by_subject() {
    // Cases 29 and 30, in files of every form.
    let dir = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (0..60).map(|n| format!("p{n}")).collect();
    export(dir.path(), &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), skips), (60, Vec::new()));
    assert!(records.iter().all(|record| record.scored.quality == CLEAN && facts(record) == (36, 60)));
    let mut found: Vec<_> = records.iter().map(|record| record.patient.clone().unwrap()).collect();
    found.sort();
    let mut wanted = ids.clone();
    wanted.sort();
    assert_eq!(found, wanted);
    let how = How { only: vec!["p17".to_owned()], ..How::new(NOW) };
    let (records, skips) = all_with(dir.path(), &how);
    assert_eq!((records.len(), records[0].patient.as_deref(), skips.len()), (1, Some("p17"), 0));

    let mixed = tempfile::tempdir().unwrap();
    write(mixed.path(), "a.ndjson", lines("pat-a").into_iter().map(|(_, line)| line).collect::<String>());
    let (records, skips) = all(&mixed.path().join("a.ndjson"));
    assert_eq!((records.len(), records[0].scored.quality, skips.len()), (1, CLEAN, 0));

    let apart = tempfile::tempdir().unwrap();
    for (number, (kind, line)) in lines("pat-a").into_iter().enumerate() {
        write(apart.path(), &format!("{kind}/{number}.json"), line);
    }
    let (records, skips) = all(apart.path());
    assert_eq!((records.len(), records[0].scored.quality, skips.len()), (1, CLEAN, 0), "a resource a file");
}

#[test]
fn kind_j_medications_by_reference_come_with_the_record_that_refers_to_them() {
    let dir = tempfile::tempdir().unwrap();
    let code = json!({ "coding": [{ "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "860975" }] });
    for patient in ["pat-a", "pat-b"] {
        for (kind, line) in lines(patient) {
            let mut resource: serde_json::Value = serde_json::from_str(&line).unwrap();
            if let Some(fields) = resource.as_object_mut()
                && fields.remove("medicationCodeableConcept").is_some()
            {
                resource["medicationReference"] = json!({ "reference": "Medication/m1" });
            }
            append(dir.path(), &format!("{kind}.ndjson"), &resource);
        }
    }
    append(dir.path(), "Medication.ndjson", &json!({ "resourceType": "Medication", "id": "m1", "code": code }));
    append(dir.path(), "Medication.ndjson", &json!({ "resourceType": "Medication", "id": "m2", "code": code }));
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), skips), (2, Vec::new()));
    for record in &records {
        assert_eq!(facts(record), (36, 60));
        assert!(!String::from_utf8_lossy(&record.bytes).contains("\"m2\""), "nobody refers to it");
    }
}

#[test]
fn kind_j_whose_patient_is_missing_is_named_and_nobody_elses() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["p0", "p1"]);
    append(dir.path(), "Observation.ndjson", &observation(json!({ "reference": "Patient/gone" })));
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), skips.len()), (2, 1));
    assert!(records.iter().all(|record| facts(record) == (36, 60)));
    let (said, fault) = reason(&skips, ": Patient/gone");
    assert!(
        fault && said.contains("whose Patient is not in the export") && said.contains("Observation.ndjson, line 121"),
        "{said}"
    );

    // Also beside one patient alone, who is not taken for the other.
    let one = tempfile::tempdir().unwrap();
    export(one.path(), &["p0"]);
    append(one.path(), "Observation.ndjson", &observation(json!({ "reference": "Patient/gone" })));
    let (records, skips) = all(one.path());
    assert_eq!((records.len(), facts(&records[0]), skips.len()), (1, (36, 60), 1));

    std::fs::remove_file(dir.path().join("Patient.ndjson")).unwrap();
    let (records, skips) = all(dir.path());
    assert!(records.is_empty());
    assert_eq!(skips.len(), 1, "{skips:#?}");
    assert!(skips[0].fault && skips[0].reason.contains("without its Patient resources"), "{skips:#?}");
    let (records, skips) = all(&dir.path().join("Observation.ndjson"));
    assert!(records.is_empty() && skips[0].reason.contains("give the whole folder of the export"), "{skips:#?}");
}

#[test]
fn kind_j_an_export_that_is_not_whole_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["p0", "p1"]);
    let whole = std::fs::read(dir.path().join("Observation.ndjson")).unwrap();
    write(dir.path(), "Observation.ndjson", &whole[..whole.len() - 40]);
    let (records, skips) = all(dir.path());
    assert!(records.is_empty());
    assert!(reason(&skips, "Observation.ndjson, line 120").0.contains("not valid JSON"), "{skips:#?}");
    let (said, fault) = reason(&skips, dir.path().to_str().unwrap());
    assert!(fault && said.contains("120 ") | said.contains("Observation") && said.contains("none is taken"), "{said}");

    // What is packed so that nobody looks into it may be a part of it; a document of another kind is none.
    write(dir.path(), "Observation.ndjson", &whole);
    write(dir.path(), "ccda.xml", b"<ClinicalDocument/>");
    assert_eq!(all(dir.path()).0.len(), 2);
    write(dir.path(), "Observation-2.7z", b"7z\xBC\xAF\x27\x1C");
    let (records, skips) = all(dir.path());
    assert!(records.is_empty() && reason(&skips, dir.path().to_str().unwrap()).0.contains("2.7z could not be read"));
    std::fs::remove_file(dir.path().join("Observation-2.7z")).unwrap();

    // A list that says how many there should be.
    let manifest = |count: u64| json!({ "transactionTime": "2024", "output": [{ "type": "Observation", "url": "x/1", "count": 60 }, { "type": "Observation", "url": "x/2", "count": count }, { "type": "Practitioner", "url": "x/3" }] });
    write(dir.path(), "Observation.ndjson", &whole);
    write(dir.path(), "manifest.json", manifest(60).to_string());
    assert_eq!(all(dir.path()).0.len(), 2);
    write(dir.path(), "manifest.json", manifest(61).to_string());
    let (records, skips) = all(dir.path());
    assert!(records.is_empty());
    assert!(
        reason(&skips, dir.path().to_str().unwrap()).0.contains("lists 121 Observation, and 120 are here"),
        "{skips:#?}"
    );
    write(
        dir.path(),
        "manifest.json",
        json!({ "transactionTime": "2024", "output": [{ "type": "AllergyIntolerance", "url": "x" }] }).to_string(),
    );
    std::fs::remove_file(dir.path().join("AllergyIntolerance.ndjson")).ok();
    let (records, skips) = all(dir.path());
    assert!(
        records.is_empty()
            && reason(&skips, dir.path().to_str().unwrap()).0.contains("a file of AllergyIntolerance, and 0 are here"),
        "{skips:#?}"
    );
}

#[test]
fn kind_j_two_people_of_one_id_are_never_put_together() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["p0", "p1"]);
    let mut other: serde_json::Value = serde_json::from_str(&lines("p0")[0].1).unwrap();
    assert_eq!(other["resourceType"], "Patient");
    other["birthDate"] = json!("1999-01-01");
    append(dir.path(), "Patient-2.ndjson", &other);
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), records[0].patient.as_deref()), (1, Some("p1")));
    let (said, fault) = reason(&skips, ": Patient/p0");
    assert!(fault && said.contains("two people have this id") && said.contains("Patient-2.ndjson"), "{said}");

    // A further file of other patients, and the same Patient once more, are no fault.
    std::fs::remove_file(dir.path().join("Patient-2.ndjson")).unwrap();
    write(dir.path(), "Patient-2.ndjson", lines("p0")[0].1.clone() + &lines("p2")[0].1);
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), skips.len()), (3, 0));
    // A newer version of the same person counts in its place.
    let mut newer: serde_json::Value = serde_json::from_str(&lines("p0")[0].1).unwrap();
    newer["meta"] = json!({ "lastUpdated": "2026-01-01T00:00:00Z" });
    newer["active"] = json!(true);
    append(dir.path(), "Patient-3.ndjson", &newer);
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), skips.len()), (3, 0), "{skips:#?}");
}

#[test]
fn kind_j_linked_patients_are_one_person_wherever_they_lie() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["p0", "p1", "p2"]);
    let old = json!({ "resourceType": "Patient", "id": "old", "link": [{ "other": { "reference": "Patient/p1" }, "type": "replaced-by" }] });
    append(dir.path(), "Patient.ndjson", &old);
    append(dir.path(), "Observation.ndjson", &observation(json!({ "reference": "Patient/old" })));
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), skips.len()), (3, 0), "{skips:#?}");
    let merged = records.iter().find(|record| record.patient.as_deref() == Some("p1")).unwrap();
    assert!(String::from_utf8_lossy(&merged.bytes).contains("\"extra\""), "what the replaced one had is the person's");
}

/// A chain of links as long as the export costs no square of it.
#[test]
fn kind_j_many_links_are_followed_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for n in 0..20_000 {
        let link = json!([{ "other": { "reference": format!("Patient/c{}", n + 1) }, "type": "seealso" }]);
        lines += &format!("{}\n", json!({ "resourceType": "Patient", "id": format!("c{n}"), "link": link }));
    }
    write(dir.path(), "Patient.ndjson", lines);
    let (records, skips) = all(dir.path());
    assert!(records.is_empty());
    assert!(reason(&skips, ": Patient/c0").0.contains("patients in one bundle"), "{skips:#?}");
}

#[test]
fn kind_j_who_is_named_by_identifier_or_in_words_is_the_only_one_or_nobody() {
    let by_identifier =
        observation(json!({ "identifier": { "system": "urn:example:made-up-mrn", "value": "T-pat-a" } }));
    let in_words = observation(json!({ "display": "Alpha" }));
    let one = tempfile::tempdir().unwrap();
    export(one.path(), &["pat-a"]);
    append(one.path(), "Observation.ndjson", &by_identifier);
    let (records, skips) = all(one.path());
    assert_eq!((records.len(), skips.len()), (1, 0), "{skips:#?}");
    assert!(String::from_utf8_lossy(&records[0].bytes).contains("\"extra\""));

    let two = tempfile::tempdir().unwrap();
    export(two.path(), &["pat-a", "pat-b"]);
    append(two.path(), "Observation.ndjson", &in_words);
    let (records, skips) = all(two.path());
    assert_eq!((records.len(), skips.len()), (2, 1), "{skips:#?}");
    assert!(skips[0].reason.contains("in words alone"), "{skips:#?}");
    append(two.path(), "Observation.ndjson", &by_identifier);
    let (records, skips) = all(two.path());
    assert!(records.is_empty() && skips[0].reason.contains("do not say by reference"), "{skips:#?}");
}

#[test]
fn kind_j_a_file_of_hospitals_is_nobodys_record_and_no_fault() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), "Organization.ndjson", &json!({ "resourceType": "Organization", "id": "o" }));
    let (records, skips) = all(dir.path());
    assert!(records.is_empty());
    assert!(skips.len() == 1 && skips[0].reason.contains("1 Organization and no Patient"), "{skips:#?}");
    // Beside bundles, too.
    write(dir.path(), "a.json", clean().to_string());
    assert_eq!(all(dir.path()).0.len(), 1);
}

#[test]
fn kind_j_a_disk_that_takes_nothing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["p0"]);
    let how = How { spill: "/nowhere/at/all".into(), ..How::new(NOW) };
    let (records, skips) = all_with(dir.path(), &how);
    assert!(records.is_empty());
    assert!(skips.iter().any(|skip| skip.fault && skip.reason.contains("TMPDIR")), "{skips:#?}");
}

fn by_identifier() -> serde_json::Value {
    observation(json!({ "identifier": { "system": "urn:example:made-up-mrn", "value": "T-pat-a" } }))
}

fn holds_extra(taken: &Taken) -> bool {
    String::from_utf8_lossy(&taken.bytes).contains("\"extra\"")
}

#[test]
fn kind_j_whoever_is_referred_to_counts_as_a_patient_though_their_patient_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["p0"]);
    let mut gone = observation(json!({ "reference": "Patient/gone" }));
    gone["id"] = json!("of-gone");
    append(dir.path(), "Observation.ndjson", &gone);
    append(dir.path(), "Observation.ndjson", &observation(json!({ "display": "Gone" })));
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), skips.len()), (1, 2), "{skips:#?}");
    assert!(!holds_extra(&records[0]), "it may be about the other");
    append(dir.path(), "Observation.ndjson", &by_identifier());
    let (records, skips) = all(dir.path());
    assert!(records.is_empty() && skips[0].reason.contains("do not say by reference"), "{skips:#?}");

    // Ids of one person are one, and what is unclear is theirs.
    let linked = tempfile::tempdir().unwrap();
    export(linked.path(), &["p0"]);
    append(linked.path(), "Observation.ndjson", &by_identifier());
    append(linked.path(), "Observation.ndjson", &gone);
    let link = json!([{ "other": { "reference": "Patient/p0" }, "type": "replaced-by" }]);
    append(linked.path(), "Patient-2.ndjson", &json!({ "resourceType": "Patient", "id": "gone", "link": link }));
    let (records, skips) = all(linked.path());
    assert_eq!((records.len(), skips.len()), (1, 0), "{skips:#?}");
    assert!(holds_extra(&records[0]));
}

#[test]
fn kind_j_a_patient_without_an_id_gets_nobody_elses_words() {
    let nameless = |dir: &std::path::Path| {
        let mut patient: serde_json::Value = serde_json::from_str(&lines("p9")[0].1).unwrap();
        patient.as_object_mut().unwrap().remove("id");
        append(dir, "Patient.ndjson", &patient);
    };
    let several = tempfile::tempdir().unwrap();
    export(several.path(), &["p0"]);
    nameless(several.path());
    append(several.path(), "Observation.ndjson", &observation(json!({ "display": "Alpha" })));
    let (records, skips) = all(several.path());
    assert!(!records.iter().any(holds_extra), "given to whoever has no id");
    assert!(skips.iter().any(|skip| skip.reason.contains("in words alone")), "{skips:#?}");

    let alone = tempfile::tempdir().unwrap();
    nameless(alone.path());
    append(alone.path(), "Observation.ndjson", &observation(json!({ "display": "Alpha" })));
    let (records, skips) = all(alone.path());
    assert_eq!((records.len(), skips.len()), (1, 0), "{skips:#?}");
    assert!(holds_extra(&records[0]) && records[0].patient.is_none());
}

#[test]
fn kind_j_two_people_of_one_id_are_told_apart_by_name_and_by_what_they_lack() {
    let base: serde_json::Value = serde_json::from_str(&lines("p0")[0].1).unwrap();
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let dir = tempfile::tempdir().unwrap();
        export(dir.path(), &["p0"]);
        let mut other = base.clone();
        change(&mut other);
        append(dir.path(), "Patient-2.ndjson", &other);
        let (records, skips) = all(dir.path());
        if records.is_empty() {
            assert!(reason(&skips, ": Patient/p0").0.contains("two people have this id"), "{skips:#?}");
        }
        records.len()
    };
    let remove = |value: &mut serde_json::Value, field: &str| {
        value.as_object_mut().unwrap().remove(field);
    };
    let named = |value: &mut serde_json::Value| value["name"] = json!([{ "family": "Other", "given": ["Zoe"] }]);
    assert_eq!(with(&|other| other["gender"] = json!("other")), 0);
    assert_eq!(with(&|other| named(other)), 0, "another name");
    assert_eq!(
        with(&|other| {
            remove(other, "birthDate");
            named(other)
        }),
        0,
        "another name, and no birth date"
    );
    assert_eq!(
        with(&|other| {
            remove(other, "birthDate");
            remove(other, "gender")
        }),
        0,
        "neither date nor sex"
    );
    assert_eq!(
        with(&|other| {
            remove(other, "birthDate");
            remove(other, "name")
        }),
        0,
        "nothing but a sex"
    );
    assert_eq!(with(&|other| other["meta"] = json!({ "versionId": "2" })), 1);
    assert_eq!(with(&|other| other["telecom"] = json!([{ "system": "phone", "value": "1" }])), 1);
    assert_eq!(with(&|other| remove(other, "name")), 1, "the same birth date");
    // Without a birth date a name has to be the same, but for what one of them leaves out.
    let called = |one: serde_json::Value, other: serde_json::Value| {
        let person = |name: serde_json::Value| {
            let patient = json!({ "resourceType": "Patient", "id": "p", "gender": "female", "name": [name] });
            let document = rochdale_core::fhir::Document::parse(patient.to_string().into_bytes()).unwrap();
            rochdale_intake::Person::of(document.root())
        };
        !person(one).is_another(&person(other))
    };
    let text = |text: &str| json!({ "text": text });
    let name = |family: &str, given: &[&str]| json!({ "family": family, "given": given });
    assert!(!called(text("Anna Smith"), text("Anna Jones")));
    assert!(called(text("Smith, Anna"), text("Anna Smith")));
    assert!(called(text("Anna M. Smith"), text("Anna Maria Smith")));
    assert!(!called(name("van Dijk", &["Eva"]), name("van Berg", &["Eva"])));
    assert!(called(name("van Dijk", &["Eva", "Maria"]), name("Van Dijk", &["Eva M."])));
    assert!(!called(name("Li", &["Na", "Mei"]), name("Li", &["Na", "Hua"])));
    assert!(!called(text("王 伟"), text("王 芳")));
    assert!(called(text("王 伟"), text("王 伟")));
}

#[test]
fn kind_j_two_medications_of_one_id_are_the_newer_one_or_two_exports() {
    let drug = |code: &str, meta: serde_json::Value| json!({ "resourceType": "Medication", "id": "m1", "meta": meta, "code": { "coding": [{ "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code }] } });
    let given = |drugs: &[serde_json::Value]| {
        let dir = tempfile::tempdir().unwrap();
        export(dir.path(), &["p0", "p1"]);
        let request = json!({ "resourceType": "MedicationRequest", "id": "r", "status": "active", "intent": "order", "subject": { "reference": "Patient/p0" }, "authoredOn": "2020-01-01", "medicationReference": { "reference": "Medication/m1" } });
        append(dir.path(), "MedicationRequest.ndjson", &request);
        for (number, drug) in drugs.iter().enumerate() {
            append(dir.path(), &format!("Medication-{number}.ndjson"), drug);
        }
        all(dir.path())
    };
    let (old, new) =
        (json!({ "lastUpdated": "2020-01-01T00:00:00Z" }), json!({ "lastUpdated": "2021-01-01T00:00:00Z" }));
    for drugs in [[drug("111", old.clone()), drug("222", new.clone())], [drug("222", new), drug("111", old)]] {
        let (records, skips) = given(&drugs);
        assert_eq!((records.len(), skips.len()), (2, 0), "{skips:#?}");
        let text = String::from_utf8_lossy(&records.iter().find(|r| r.patient.as_deref() == Some("p0")).unwrap().bytes)
            .into_owned();
        assert!(text.contains("\"222\"") && !text.contains("\"111\""), "the older one is taken");
    }
    // Whether the second is newer than the third nobody can say, though the first is older; in no order.
    let three = [
        drug("111", json!({ "lastUpdated": "2020-01-01T00:00:00Z" })),
        drug("222", json!(null)),
        drug("333", json!({ "lastUpdated": "2021-01-01T00:00:00Z" })),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(given(&order.map(|n: usize| three[n].clone())).0.len(), 1, "{order:?}");
    }
    let versions = [drug("222", json!({ "versionId": "10" })), drug("111", json!({ "versionId": "9" }))];
    assert_eq!(given(&versions).0.len(), 2);
    let same = drug("111", json!(null));
    assert_eq!(given(&[same.clone(), same.clone()]).0.len(), 2);
    let (records, skips) = given(&[same, drug("222", json!(null))]);
    assert_eq!((records.len(), records[0].patient.as_deref()), (1, Some("p1")), "whoever refers to neither has theirs");
    let (said, fault) = reason(&skips, ": Patient/p0");
    assert!(fault && said.contains("two Medications have the id m1") && said.contains("Medication-1"), "{said}");
}

#[test]
fn kind_j_a_linked_patient_is_found_by_each_of_its_ids() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["p0", "p1"]);
    let old = json!({ "resourceType": "Patient", "id": "old", "link": [{ "other": { "reference": "Patient/p1" }, "type": "replaced-by" }] });
    append(dir.path(), "Patient.ndjson", &old);
    for id in ["p1", "old"] {
        let how = How { only: vec![id.to_owned()], ..How::new(NOW) };
        let (records, skips) = all_with(dir.path(), &how);
        assert_eq!((records.len(), skips.len()), (1, 0), "{id}: {skips:#?}");
        assert_eq!(records[0].patient.as_deref(), Some("p1"));
    }
    let how = How { only: vec!["p0".to_owned()], ..How::new(NOW) };
    assert_eq!(all_with(dir.path(), &how).0.len(), 1, "and nobody else");
    // A link to somebody else of another birth date is believed by nobody.
    let child = json!({ "resourceType": "Patient", "id": "child", "birthDate": "2024-02-03", "link": [{ "other": { "reference": "Patient/p1" }, "type": "seealso" }] });
    append(dir.path(), "Patient.ndjson", &child);
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), records[0].patient.as_deref()), (1, Some("p0")), "{skips:#?}");
    assert!(skips.iter().any(|skip| skip.fault && skip.reason.contains("two people are linked as one")), "{skips:#?}");
}

#[test]
fn kind_j_all_that_manifests_list_must_be_here() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["p0", "p1"]);
    let manifest = |name: &str, output: serde_json::Value| {
        write(dir.path(), name, json!({ "transactionTime": "2024", "output": output }).to_string());
    };
    let half = json!([{ "type": "Observation", "url": "x", "count": 60 }]);
    manifest("manifest-1.json", half.clone());
    manifest("manifest-2.json", half.clone());
    let (records, skips) = all(dir.path());
    assert_eq!(records.len(), 2, "two lists of two halves: {skips:#?}");
    manifest("manifest-2.json", json!([{ "type": "Observation", "url": "x", "count": 61 }]));
    assert!(all(dir.path()).0.is_empty());
    // A file whose type is not said cannot be held against anything.
    manifest("manifest-2.json", json!([{ "url": "x" }, { "type": "Observation", "url": "x", "count": 9 }]));
    let (records, skips) = all(dir.path());
    assert!(records.is_empty() && reason(&skips, "manifest-2.json").1, "{skips:#?}");
}

#[test]
fn kind_j_a_record_is_measured_with_its_medications_and_wrapping() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["p0"]);
    let request = json!({ "resourceType": "MedicationRequest", "id": "r", "status": "active", "intent": "order", "subject": { "reference": "Patient/p0" }, "medicationReference": { "reference": "Medication/m1" } });
    append(dir.path(), "MedicationRequest.ndjson", &request);
    let own = all(dir.path()).0[0].bytes.len();
    let note = "x".repeat(20_000);
    append(
        dir.path(),
        "Medication.ndjson",
        &json!({ "resourceType": "Medication", "id": "m1", "extension": [{ "url": "urn:x", "valueString": note }] }),
    );
    let limits = |record_bytes: usize| How { limits: Limits { record_bytes }, ..How::new(NOW) };
    assert_eq!(all_with(dir.path(), &limits(own + 21_000)).0.len(), 1);
    let (records, skips) = all_with(dir.path(), &limits(own + 19_000));
    assert!(records.is_empty() && skips[0].reason.contains("a record may have"), "{skips:#?}");
}

#[test]
fn kind_j_control_characters_of_an_export_reach_no_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let evil = "p\u{1b}[2Jx";
    export(dir.path(), &["p0", "p1"]);
    append(dir.path(), "Observation.ndjson", &observation(json!({ "reference": format!("Patient/{evil}") })));
    append(
        dir.path(),
        "Patient.ndjson",
        &json!({ "resourceType": "Patient", "id": "q\u{1b}[2Jx", "name": [{ "text": "Q" }] }),
    );
    append(dir.path(), "Odd.ndjson", &json!({ "resourceType": "Odd\u{1b}", "id": "q" }));
    write(dir.path(), "n\u{1b}[2J.txt", "dear diary");
    let (records, skips) = all(dir.path());
    assert!(records.iter().any(|record| record.name.contains("Patient/q?[2Jx")), "{skips:#?}");
    assert!(records.iter().all(|record| !record.name.contains('\u{1b}')));
    for skip in &skips {
        assert!(!skip.input.contains('\u{1b}') && !skip.reason.contains('\u{1b}'), "{skip:?}");
    }
    assert!(skips.len() >= 3, "{skips:#?}");
}

#[test]
fn kind_j_a_subject_of_two_patients_is_unclear() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &["p0", "p1"]);
    append(
        dir.path(),
        "Observation.ndjson",
        &observation(json!([{ "reference": "Patient/p0" }, { "reference": "Patient/p1" }])),
    );
    let (records, skips) = all(dir.path());
    assert!(records.is_empty() && skips[0].reason.contains("do not say by reference"), "{skips:#?}");
}
