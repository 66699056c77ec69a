//! Records as people have them: each case is a clean record of 90 facts (`tests/cases/clean.json`), spoilt in one way that was
//! found in the wild, and what has to become of it.

use rochdale_core::fhir::{FhirError, Flat, Limits, Record, flatten, pieces, record_digest};
use rochdale_core::score::{Scored, score};
use serde_json::{Value, json};

/// 2026-11-29, noon.
const NOW: i64 = 1_795_953_600;
/// What the clean record scores.
const CLEAN: u16 = 9_885;
const FACTS: (usize, usize) = (36, 60);

fn clean() -> Value {
    serde_json::from_str(include_str!("../cases/clean.json")).unwrap()
}

fn read(bundle: &Value) -> Result<Record, FhirError> {
    Record::from_slice("a.json", bundle.to_string().as_bytes(), Limits::default())
}

fn scored(bundle: &Value) -> Scored {
    let scored = score(&read(bundle).unwrap(), NOW, false);
    let lost: u32 = scored.reasons.iter().map(|reason| u32::from(reason.lost)).sum();
    assert_eq!(lost + u32::from(scored.quality), 10_000, "{scored:#?}");
    scored
}

fn facts(bundle: &Value) -> (usize, usize) {
    let Flat { codes, observations, .. } = flatten(&read(bundle).unwrap(), NOW);
    (codes.len(), observations.len())
}

/// The clean record with every resource of a type changed; all types where it is empty.
fn each(kind: &str, mut change: impl FnMut(&mut Value)) -> Value {
    let mut bundle = clean();
    let resources = bundle["entry"].as_array_mut().unwrap().iter_mut().map(|entry| &mut entry["resource"]);
    resources.filter(|resource| kind.is_empty() || resource["resourceType"] == kind).for_each(&mut change);
    bundle
}

/// Every fact's subject replaced.
fn about(subject: &Value) -> Value {
    each("", |resource| {
        for field in ["subject", "patient"] {
            if resource.get(field).is_some() {
                resource[field] = subject.clone();
            }
        }
    })
}

fn with(entry: Value) -> Value {
    let mut bundle = clean();
    bundle["entry"].as_array_mut().unwrap().push(entry);
    bundle
}

/// Scores as the clean record, and a question counts as much in it.
fn is_as_clean(what: &str, bundle: &Value) {
    let scored = scored(bundle);
    assert!(scored.quality.abs_diff(CLEAN) <= 30, "{what}: {scored:#?}");
    assert_eq!(facts(bundle), FACTS, "{what}");
}

/// Points are lost by a check, at most so many, and the facts are all there.
fn loses(what: &str, bundle: &Value, check: &str, most: u16) {
    let scored = scored(bundle);
    let reason = scored.reasons.iter().find(|reason| reason.check == check);
    let reason = reason.unwrap_or_else(|| panic!("{what}: {:#?}", scored.reasons));
    assert!(
        reason.lost > 0 && !reason.paths.is_empty() && CLEAN.saturating_sub(scored.quality) <= most,
        "{what}: {scored:#?}"
    );
    assert_eq!(facts(bundle), FACTS, "{what}");
}

#[test]
fn the_clean_record_is_clean() {
    let scored = scored(&clean());
    assert_eq!((scored.quality, facts(&clean())), (CLEAN, FACTS));
    assert!(scored.reasons.iter().all(|reason| reason.check == "size"), "{:#?}", scored.reasons);
}

#[test]
fn kind_a_what_nobody_can_count_earns_nothing() {
    let nothing = |what: &str, bundle: &Value| {
        let scored = scored(bundle);
        assert_eq!((scored.quality, scored.gated), (0, true), "{what}: {scored:#?}");
        assert_eq!(scored.reasons[0].check, "facts", "{what}");
    };
    nothing("by display alone", &about(&json!({ "display": "Alpha Testcase" })));
    nothing("about nobody", &about(&Value::Null));
    let denied = each("", |resource| match resource["resourceType"].as_str().unwrap() {
        "Condition" | "AllergyIntolerance" => {
            resource["verificationStatus"]["coding"][0]["code"] = json!("entered-in-error")
        }
        "Patient" => {}
        _ => resource["status"] = json!("entered-in-error"),
    });
    nothing("all entered in error", &denied);
    let mut bare = clean();
    bare["entry"].as_array_mut().unwrap().truncate(1);
    nothing("a bare patient", &bare);

    let absent = scored(&each("Observation", |resource| {
        resource.as_object_mut().unwrap().remove("valueQuantity");
        resource["dataAbsentReason"] = json!({ "coding": [{ "code": "masked" }] });
    }));
    assert!(absent.quality < 4_000, "two thirds are not measured: {absent:#?}");
    assert!(absent.reasons.iter().any(|reason| reason.check == "counts" && reason.lost > 5_000), "{absent:#?}");
}

#[test]
fn kind_a_a_contained_patient_is_the_patient_by_identifier_alone() {
    let contained = |value: &str| {
        each("", |resource| {
            if resource.get("subject").is_some() || resource.get("patient").is_some() {
                let field = if resource.get("subject").is_some() { "subject" } else { "patient" };
                resource[field] = json!({ "reference": "#p1" });
                resource["contained"] = json!([{ "resourceType": "Patient", "id": "p1",
                    "identifier": [{ "system": "urn:example:made-up-mrn", "value": value }] }]);
            }
        })
    };
    is_as_clean("the same identifier", &contained("T-pat-a"));
    assert_eq!(scored(&contained("T-pat-b")).quality, 0, "somebody else");
}

#[test]
fn kind_b_medications_by_reference_have_their_codes() {
    let mut inside = each("MedicationRequest", |resource| {
        let code = resource.as_object_mut().unwrap().remove("medicationCodeableConcept").unwrap();
        resource["contained"] = json!([{ "resourceType": "Medication", "id": "m", "code": code }]);
        resource["medicationReference"] = json!({ "reference": "#m" });
    });
    is_as_clean("contained", &inside);
    let mut medications = Vec::new();
    for (n, entry) in inside["entry"].as_array_mut().unwrap().iter_mut().enumerate() {
        let Some(contained) = entry["resource"].as_object_mut().unwrap().remove("contained") else { continue };
        entry["resource"]["medicationReference"]["reference"] = json!(format!("Medication/m{n}"));
        medications.push(json!({ "resource": { "resourceType": "Medication", "id": format!("m{n}"), "code": contained[0]["code"] } }));
    }
    assert_eq!(medications.len(), 6);
    inside["entry"].as_array_mut().unwrap().extend(medications);
    is_as_clean("in the bundle", &inside);
}

#[test]
fn kind_c_other_versions_are_named_and_refused() {
    let refused = |bundle: &Value| match read(bundle).unwrap_err() {
        FhirError::Version { version, path, .. } => (version, path),
        other => panic!("{other}"),
    };
    let stu3 = each("Condition", |resource| {
        resource["clinicalStatus"] = json!("active");
        resource["assertedDate"] = json!("2010-05-02");
    });
    assert_eq!(refused(&stu3), ("STU3", "Bundle.entry[2].resource.clinicalStatus".to_owned()));
    let dstu2 = each("Condition", |resource| {
        resource["clinicalStatus"] = json!("active");
        resource["dateRecorded"] = json!("2010-05-02");
        resource["patient"] = resource["subject"].clone();
    });
    assert_eq!(refused(&dstu2).0, "DSTU2");
    // What R4 and R5 share speaks for neither, so that R5's own few fields are seen among many Conditions.
    let r5 = each("", |resource| match resource["resourceType"].as_str().unwrap() {
        "MedicationRequest" => {
            let code = resource.as_object_mut().unwrap().remove("medicationCodeableConcept").unwrap();
            resource["medication"] = json!({ "concept": code });
        }
        "Encounter" | "Procedure" => {
            for field in ["period", "performedDateTime", "performedPeriod"] {
                resource.as_object_mut().unwrap().remove(field);
            }
        }
        _ => {}
    });
    assert_eq!(refused(&r5), ("R5", "Bundle.entry[13].resource.medication".to_owned()));
    // One odd field in a record of R4 is a fault of that field, also where nothing in it could only be R4.
    let mut laboratory = clean();
    let kept = |entry: &Value| matches!(entry["resource"]["resourceType"].as_str(), Some("Patient" | "Observation"));
    laboratory["entry"].as_array_mut().unwrap().retain(kept);
    laboratory["entry"][7]["resource"]["comment"] = json!("seen");
    assert!(read(&laboratory).is_ok());
    let mut odd = clean();
    odd["entry"][2]["resource"]["clinicalStatus"] = json!("active");
    assert!(read(&odd).is_ok());
}

#[test]
fn kind_d_what_is_not_said_of_the_patient_gates_nothing() {
    let flag = json!({ "resource": { "resourceType": "Flag", "id": "f", "status": "active", "subject": { "reference": "Location/ward" } } });
    is_as_clean("a ward's flag", &with(flag));
    let group = json!({ "resource": { "resourceType": "Group", "id": "g", "member": [{ "entity": { "reference": "Patient/b" } }] } });
    is_as_clean("a group", &with(group));
    let visit = |status: &str| {
        json!({ "resource": { "resourceType": "Encounter", "id": "later", "status": status, "class": { "code": "AMB" },
            "subject": { "reference": "Patient/pat-a" }, "period": { "start": "2027-05-02T10:00:00Z" } } })
    };
    is_as_clean("a cancelled visit to come", &with(visit("cancelled")));
    is_as_clean("a planned visit", &with(visit("planned")));
    let happened = scored(&with(visit("finished")));
    assert_eq!((happened.quality, happened.reasons[0].check), (0, "future"));
}

#[test]
fn kind_e_references_resolve_where_they_are_unambiguous() {
    let url = "http://lb-internal:8080/fhir/Patient/pat-a";
    let mut hosts = about(&json!({ "reference": url }));
    hosts["entry"][0]["fullUrl"] = json!("https://ehr.example.org/fhir/Patient/pat-a");
    is_as_clean("another host", &hosts);
    let mut number = about(&json!({ "reference": "Patient/4711" }));
    number["entry"][0]["resource"]["id"] = json!(4_711);
    loses("a number for an id", &number, "id", 20);
    let mut urn = about(&json!({ "reference": "urn:oid:2.16.840.1.99999.1.7" }));
    urn["entry"][0]["resource"].as_object_mut().unwrap().remove("id");
    urn["entry"][0]["fullUrl"] = json!("urn:oid:2.16.840.1.99999.1.7");
    is_as_clean("a full URL alone", &urn);
    is_as_clean("a slash before it", &about(&json!({ "reference": "/Patient/pat-a" })));
    is_as_clean("a version", &about(&json!({ "reference": "Patient/pat-a/_history/2" })));
    for text in ["pat-a", "patient/pat-a", "Patient/pat-a/", " Patient/pat-a"] {
        loses(text, &about(&json!({ "reference": text })), "reference-form", 400);
    }
    loses("text in place of an object", &about(&json!("Patient/pat-a")), "reference-form", 420);

    let gone = scored(&about(&json!({ "reference": "Patient/pat-b" })));
    assert_eq!((gone.quality, gone.reasons[0].check), (0, "subject"));
    // Two of one id on two hosts: neither is meant for sure.
    let twin = json!({ "fullUrl": "https://other.example.org/Patient/pat-a", "resource": { "resourceType": "Patient", "id": "pat-a" } });
    hosts["entry"].as_array_mut().unwrap().push(twin);
    assert!(matches!(read(&hosts), Err(FhirError::SeveralPatients { .. })));
}

#[test]
fn kind_g_units_compare_as_ucum_means_them() {
    let mut units = clean();
    let spelled =
        [("10*3/uL", "/nL"), ("mg/dL", "mg/dl"), ("/min", "{Beats}/min"), ("g/dL", "g{Hb}/dl"), ("mmol/L", "mmol/l")];
    for entry in units["entry"].as_array_mut().unwrap() {
        let quantity = &mut entry["resource"]["valueQuantity"];
        if let Some((_, other)) = spelled.iter().find(|(unit, _)| quantity["code"] == *unit) {
            quantity["code"] = json!(other);
        }
    }
    is_as_clean("the same units in other words", &units);
    let mut parts = clean();
    for entry in
        parts["entry"].as_array_mut().unwrap().iter_mut().filter(|e| e["resource"]["valueQuantity"]["code"] == "%")
    {
        let value = entry["resource"]["valueQuantity"]["value"].as_f64().unwrap();
        entry["resource"]["valueQuantity"]["code"] = json!("L/L");
        entry["resource"]["valueQuantity"]["value"] = json!(value / 100.0);
    }
    is_as_clean("parts of one for percent", &parts);
}

#[test]
fn kind_h_code_systems_and_codes_are_known_by_other_spellings() {
    let systems = [
        ("http://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96"),
        ("http://loinc.org", "https://loinc.org/"),
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "2.16.840.1.113883.6.88"),
        ("http://hl7.org/fhir/sid/cvx", "http://hl7.org/fhir/sid/cvx/"),
        ("http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8"),
    ];
    let text = systems
        .iter()
        .fold(clean().to_string(), |text, (url, other)| text.replace(&format!("\"{url}\""), &format!("\"{other}\"")));
    let other: Value = serde_json::from_str(&text).unwrap();
    is_as_clean("other spellings", &other);
    let rows = |bundle: &Value| flatten(&read(bundle).unwrap(), NOW);
    assert_eq!(rows(&other), rows(&clean()), "a question counts them together");
    let padded = each("Observation", |resource| {
        let code = resource["code"]["coding"][0]["code"].as_str().unwrap().to_owned();
        resource["code"]["coding"][0]["code"] = json!(format!(" {code} "));
    });
    is_as_clean("blanks around codes", &padded);
    assert_eq!(rows(&padded), rows(&clean()));
    let names = scored(&each("Observation", |resource| resource["code"]["coding"][0]["system"] = json!("LOINC")));
    assert!(names.reasons.iter().any(|reason| reason.check == "system" && reason.lost > 100), "{names:#?}");
    let alone = each("", |resource| {
        let coding = resource["code"]["coding"].as_array().map(|list| list[0].clone());
        if let Some(coding) = coding {
            resource["code"]["coding"] = coding;
        }
    });
    loses("one coding for a list", &alone, "coding-list", 400);
}

#[test]
fn kind_i_wrapped_records_are_unwrapped_and_unknown_types_named() {
    let mut inner = clean();
    inner["type"] = json!("message");
    let wrapped = json!({ "resourceType": "Bundle", "type": "searchset", "entry": [{ "resource": inner }] });
    is_as_clean("a bundle in a bundle", &wrapped);
    let failed = |mut bundle: Value| {
        bundle["entry"][0]["resource"]["entry"][3]["resource"]["valueQuantity"]["value"] = json!(-1);
        scored(&bundle).reasons.iter().find(|reason| reason.check == "range").unwrap().paths[0].clone()
    };
    assert_eq!(failed(wrapped), "Bundle.entry[0].resource.entry[3].resource.valueQuantity.value");
    is_as_clean(
        "parameters",
        &json!({ "resourceType": "Parameters", "parameter": [{ "name": "return", "resource": clean() }] }),
    );
    // An inner bundle that reports or changes is nobody's fact.
    let mut history = clean();
    history["type"] = json!("history");
    is_as_clean("a history beside the record", &with(json!({ "resource": history })));
    let mut lower = clean();
    lower["resourceType"] = json!("bundle");
    let why = read(&lower).unwrap_err().to_string();
    assert!(why.contains("the type `bundle`, which FHIR does not have"), "{why}");
    let piece = pieces("a.json", lower.to_string().as_bytes(), Limits::default()).next().unwrap();
    assert!(piece.is_err(), "a fault, and not somebody else's file");
}

#[test]
fn kind_k_what_is_no_utf8_text_is_named() {
    let why = |bytes: &[u8]| match pieces("a.json", bytes, Limits::default()).next().unwrap() {
        Err(error) => error.to_string(),
        Ok(piece) => panic!("{piece:?}"),
    };
    let text = clean().to_string();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [utf16.clone(), [b"\xFF\xFE".to_vec(), utf16].concat()] {
        assert!(why(&bytes).contains("UTF-16"), "{}", why(&bytes));
    }
    let latin: Vec<u8> =
        text.replace("Testcase", "M\u{fc}ller").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert!(why(&latin).contains("save it as UTF-8"), "{}", why(&latin));
    for (magic, name) in [(&b"\x1F\x8B\x08\x00"[..], "gzip"), (b"PK\x03\x04\x14\x00\x00\x00", "zip archive")] {
        assert!(why(magic).contains(name), "{}", why(magic));
    }
    let mut tar = vec![0; 1_024];
    tar[..6].copy_from_slice(b"a.json");
    tar[257..262].copy_from_slice(b"ustar");
    assert!(why(&tar).contains("tar archive"), "{}", why(&tar));
    let twice = format!("{text}\n{text}").replace("\"entry\":[", "\"entry\":[\n");
    assert!(why(twice.as_bytes()).contains("a line of its own (NDJSON)"), "{}", why(twice.as_bytes()));
    let comma = text.replacen("\"entry\":[", "\"entry\":[,", 1).replace("}]}", "},]}");
    assert!(why(comma.as_bytes()).contains("line 1, column"), "{}", why(comma.as_bytes()));
}

#[test]
fn kind_l_patients_that_are_linked_or_older_versions_are_one_person() {
    let mut linked = clean();
    let old = json!({ "resource": { "resourceType": "Patient", "id": "pat-old", "active": false } });
    linked["entry"].as_array_mut().unwrap().insert(1, old);
    linked["entry"][0]["resource"]["link"] =
        json!([{ "other": { "reference": "Patient/pat-old" }, "type": "replaces" }]);
    linked["entry"][3]["resource"]["subject"]["reference"] = json!("Patient/pat-old");
    is_as_clean("merged by a link", &linked);
    assert_eq!(read(&linked).unwrap().patient().id(), Some("pat-a"));
    // However the link is written, and whoever comes first.
    linked["entry"][0]["resource"].as_object_mut().unwrap().remove("link");
    linked["entry"][1]["resource"]["link"] =
        json!([{ "other": { "reference": "Patient/pat-a" }, "type": "replaced-by" }]);
    linked["entry"].as_array_mut().unwrap().swap(0, 1);
    assert_eq!(read(&linked).unwrap().patient().id(), Some("pat-a"));
    linked["entry"][0]["resource"].as_object_mut().unwrap().remove("link");
    assert!(matches!(read(&linked), Err(FhirError::SeveralPatients { count: 2, .. })));

    let mut versions = clean();
    let mut older = versions["entry"][0].clone();
    older["resource"]["gender"] = json!("male");
    older["resource"]["meta"] = json!({ "versionId": "1", "lastUpdated": "2019-01-01T00:00:00Z" });
    versions["entry"][0]["resource"]["meta"] = json!({ "versionId": "2", "lastUpdated": "2021-01-01T00:00:00Z" });
    versions["entry"].as_array_mut().unwrap().push(older);
    is_as_clean("an older version", &versions);
    versions["entry"].as_array_mut().unwrap().swap(0, 91);
    assert_eq!(read(&versions).unwrap().patient().value().get("gender").unwrap().as_str(), Some("female"));
}

#[test]
fn kind_m_slips_of_writing_cost_points_with_their_reason() {
    let quoted = each("Observation", |resource| {
        let value = resource["valueQuantity"]["value"].to_string();
        resource["valueQuantity"]["value"] = json!(value);
    });
    loses("numbers in quotes", &quoted, "number", 300);
    for value in [json!("<5"), json!("5,4"), json!("5.400mg"), Value::Null] {
        let unread = scored(&each("Observation", |resource| resource["valueQuantity"]["value"] = value.clone()));
        assert!(unread.quality < 4_000, "{value} is no amount: {unread:#?}");
        assert!(unread.reasons.iter().any(|reason| reason.check == "counts" && reason.lost > 5_000), "{unread:#?}");
    }
    let without_zone: Value = serde_json::from_str(&clean().to_string().replace("00Z\"", "00\"")).unwrap();
    loses("times without zone", &without_zone, "date", 600);
    let mut birth = clean();
    birth["entry"][0]["resource"]["birthDate"] = json!("1970-03-05T00:00:00");
    loses("a birth with a time of day", &birth, "date", 20);
    let mut dead = clean();
    dead["entry"][0]["resource"]["deceasedBoolean"] = json!(true);
    dead["entry"][0]["resource"]["deceasedDateTime"] = json!("2026");
    loses("death in both forms", &dead, "one-form", 20);
    let mut hollow = clean();
    hollow["entry"][0]["resource"]["communication"] = json!([{ "language": {} }]);
    loses("an element that says nothing", &hollow, "hollow", 40);
    assert!(
        scored(&hollow).reasons.iter().any(|reason| reason.element == "Patient.communication"),
        "and it is missing"
    );
    let text = clean().to_string().replacen("\"gender\":\"female\"", "\"gender\":\"male\",\"gender\":\"female\"", 1);
    let twice = Record::from_slice("a.json", text.as_bytes(), Limits::default()).unwrap();
    let reasons = score(&twice, NOW, false).reasons;
    assert!(
        reasons.iter().any(|reason| reason.check == "field-twice" && reason.paths == ["Bundle.entry[0].resource"]),
        "{reasons:#?}"
    );
    is_as_clean("null for an entry", &with(Value::Null));
}

#[test]
fn kind_n_falsehood_is_dear_and_repetition_earns_nothing() {
    let mut unborn = clean();
    unborn["entry"][0]["resource"]["birthDate"] = json!("2024-06-01");
    assert_eq!(scored(&unborn).quality, 0, "everything lies before birth");
    let impossible = scored(&each("Observation", |resource| resource["valueQuantity"]["value"] = json!(9_999_999)));
    assert!(impossible.quality < 4_000, "{impossible:#?}");

    let mut few = clean();
    few["entry"].as_array_mut().unwrap().truncate(8);
    let once = scored(&few).quality;
    let copies: Vec<Value> = few["entry"].as_array().unwrap()[1..].to_vec();
    for n in 0..200 {
        for mut copy in copies.clone() {
            copy["resource"]["id"] = json!(format!("copy-{n}"));
            few["entry"].as_array_mut().unwrap().push(copy);
        }
    }
    assert_eq!(scored(&few).quality, once, "the same facts two hundred times");
    for n in 0..200 {
        for mut copy in copies.clone() {
            copy["resource"]["id"] = json!(format!("respelled-{n}"));
            let resource = &mut copy["resource"];
            if let Some(coding) = resource["code"]["coding"].as_array_mut() {
                coding.push(json!({ "system": "urn:example:own", "code": format!("{n}") }));
            }
            if resource["valueQuantity"].is_object() {
                resource["valueQuantity"]["extension"] = json!([{ "url": "urn:x", "valueInteger": n }]);
                resource["valueQuantity"]["value"] = json!(resource["valueQuantity"]["value"].to_string());
            }
            few["entry"].as_array_mut().unwrap().push(copy);
        }
    }
    assert_eq!(scored(&few).quality, once, "the same facts in other words");
    let report = json!({ "resource": { "resourceType": "DiagnosticReport", "status": "final", "subject": { "reference": "Patient/pat-a" } } });
    few["entry"].as_array_mut().unwrap().extend(vec![report; 2_000]);
    assert!(scored(&few).quality < once + 300, "papers count as far as facts stand behind them");
}

#[test]
fn what_is_written_otherwise_and_means_the_same_has_one_digest() {
    let digest = |bundle: &Value| record_digest(&read(bundle).unwrap());
    let same = |bundle: &Value| assert_eq!(digest(bundle), digest(&clean()));
    same(&with(json!({ "request": { "method": "DELETE", "url": "Observation/9" } })));
    same(&with(Value::Null));
    same(&json!({ "resourceType": "Bundle", "type": "searchset", "entry": [{ "resource": clean() }] }));
    let floats = each("Observation", |resource| {
        let value = resource["valueQuantity"]["value"].as_f64().unwrap();
        resource["valueQuantity"]["value"] = json!(value);
    });
    assert!(floats.to_string().contains("95.0"), "a number is written otherwise");
    same(&floats);
}

#[test]
fn one_resource_with_a_thousand_parts_is_no_thousand_facts() {
    let mut one = clean();
    one["entry"].as_array_mut().unwrap().truncate(4);
    let alone = scored(&one).quality;
    let part = |value: u32| {
        json!({ "code": one["entry"][3]["resource"]["code"],
            "valueQuantity": { "value": value, "system": "http://unitsofmeasure.org", "code": "mg/dL", "unit": "mg/dL" } })
    };
    let parts: Vec<Value> = (0..1_000).map(|n| part(80 + n % 40)).collect();
    let references = vec![json!({ "reference": "Patient/pat-a" }); 1_000];
    one["entry"][3]["resource"]["component"] = json!(parts);
    one["entry"][3]["resource"]["performer"] = json!(references);
    let crowded = scored(&one).quality;
    assert!(crowded < alone + 1_000, "{alone} becomes {crowded}");
}

/// What a sender makes of names and nesting costs no more than reading it.
#[test]
fn long_names_over_many_things_are_survived() {
    let start = std::time::Instant::now();
    let (key, many) = ("k".repeat(1 << 20), vec![json!(0); 1 << 20]);
    let mut dangling = clean();
    let patient = dangling["entry"][0]["resource"].as_object_mut().unwrap();
    patient.insert(key.clone(), json!({ "list": many, "gone": [{ "reference": "Goal/gone" }] }));
    let lost = scored(&dangling);
    assert!(lost.reasons.iter().any(|reason| reason.check == "reference"), "{:?}", lost.reasons.len());
    let hollow: serde_json::Map<String, Value> = (0..200_000).map(|n| (format!("a{n}"), json!({}))).collect();
    let mut typed = hollow;
    typed.insert("resourceType".to_owned(), json!(format!("T{}", "y".repeat(1 << 20))));
    let why = read(&with(json!({ "resource": typed }))).unwrap_err().to_string();
    assert!(why.contains("which FHIR does not have") && why.len() < 400, "{}", why.len());
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
