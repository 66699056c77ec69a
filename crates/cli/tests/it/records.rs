//! Records as people have them, through the command: archives, bulk exports, imports that go on, and few patients.

use crate::support::{Up, fails, json, port, refuses, run, synthesize};
use serde_json::{Value, json as j};
use std::io::Write as _;
use std::path::Path;

/// A clean record of 90 facts, of the patient with this id.
fn clean(patient: &str) -> Value {
    let text = include_str!("../../../core/tests/cases/clean.json").replace("pat-a", patient);
    let mut bundle: Value = serde_json::from_str(&text).unwrap();
    bundle["entry"][0]["resource"]["address"] = j!([{ "city": patient }]);
    bundle
}

/// A bulk export of these patients, a file a type.
fn export(dir: &Path, patients: &[&str]) {
    std::fs::create_dir_all(dir).unwrap();
    for patient in patients {
        for entry in clean(patient)["entry"].as_array().unwrap() {
            let resource = &entry["resource"];
            let path = dir.join(format!("{}.ndjson", resource["resourceType"].as_str().unwrap()));
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            writeln!(file, "{resource}").unwrap();
        }
    }
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn kind_j_a_dry_run_says_what_would_be_sent_its_score_and_why_it_is_not_more() {
    let dir = tempfile::tempdir().unwrap();
    let fhir = dir.path().join("fhir");
    export(&fhir, &["p0", "p1"]);
    std::fs::write(fhir.join("notes.txt"), "dear diary").unwrap();
    std::fs::write(fhir.join("ccda.xml"), "<ClinicalDocument/>").unwrap();
    // No cooperative is asked.
    let state = dir.path().join("nowhere");
    // A file that cannot be read may be a part of the export: nothing is taken in part.
    std::fs::write(fhir.join("Observation-2.ndjson.bz2"), "BZh91AY").unwrap();
    let said = refuses(&["import", shown(&fhir), "--dry-run", "--state", shown(&state)], 1);
    assert!(said.contains("holds no record") && said.contains("packed with bzip2"), "{said}");
    std::fs::remove_file(fhir.join("Observation-2.ndjson.bz2")).unwrap();
    let report = json(&["import", shown(&fhir), "--dry-run", "--json", "--state", shown(&state)]);
    assert_eq!((&report["records"], &report["new"], &report["sent"]), (&j!(2), &j!(2), &j!(0)), "{report}");
    assert_eq!((&report["skipped_in_all"], &report["faults"]), (&j!(2), &j!(1)), "{report}");
    for row in report["listed"].as_array().unwrap() {
        assert!(row["score"]["quality"].as_u64().unwrap() > 9_000 && row["fate"] == "new", "{row}");
        assert!(row["score"]["reasons"][0]["text"].as_str().unwrap().len() > 10, "{row}");
        assert!(row["patient"] == "p0" || row["patient"] == "p1", "{row}");
    }
    let output = run(&["import", shown(&fhir), "--dry-run", "--state", shown(&state)]);
    let (said, told) = (String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap());
    assert!(said.contains("patient p1") && said.contains("quality 98.8") && said.contains("would be sent"), "{said}");
    assert!(told.contains("2 would be sent") && told.contains("notes.txt: text, and no JSON"), "{told}");
    assert!(!state.exists(), "a look left something");

    let said = fails(&["import", shown(&fhir), "--state", shown(&state)]);
    assert!(said.contains("--name"), "{said}");
    let missing = fails(&["import", "/nowhere/at/all", "--dry-run"]);
    assert!(missing.contains("/nowhere/at/all"), "{missing}");
}

#[test]
fn kind_j_an_import_sends_one_persons_records_once_and_goes_on_where_it_was_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("state"), port(), &["--without", "worker"]);
    for name in ["ada", "bo"] {
        up.json(&["member", "join", "--name", name]);
        up.json(&["member", "consent", "--name", name]);
    }
    let many = dir.path().join("many");
    export(&many, &["p0", "p1", "p2"]);
    for command in
        [&["import", shown(&many), "--name", "ada"][..], &["member", "contribute", "--name", "ada", shown(&many)]]
    {
        let said = up.refuses(command, 1);
        assert!(said.contains("records of 3 patients") && said.contains("--patient ID"), "{said}");
        assert!(said.contains("p0, p1, p2"), "{said}");
    }
    let view = up.json(&["member", "show", "--name", "ada"]);
    assert_eq!(view["member"]["contributions"], 0, "something was sent: {view}");

    // Of several, the one that is asked for; its score with it.
    let status = up.json(&["member", "contribute", "--name", "bo", shown(&many), "--patient", "p1"]);
    assert_eq!(status["held_by"].as_array().unwrap().len(), 3, "{status}");
    assert!(status["score"]["quality"].as_u64().unwrap() > 9_000, "{status}");
    assert!(status["score"]["reasons"][0]["text"].is_string(), "{status}");

    // A person's own export, packed, and one more record of theirs.
    let own = dir.path().join("own");
    export(&own.join("bulk"), &["p0"]);
    let first = up.json(&["import", shown(&own), "--name", "ada"]);
    assert_eq!((&first["sent"], &first["given_before"]), (&j!(1), &j!(0)), "{first}");
    // Given once more by hand, it is refused, and known as given afterwards.
    let twice = up.refuses(&["member", "contribute", "--name", "ada", shown(&own)], 3);
    let known = up.json(&["import", shown(&own), "--name", "ada", "--dry-run"]);
    assert_eq!((&known["new"], &known["given_before"]), (&j!(0), &j!(1)), "{known}");
    assert!(twice.contains("the same content was given before") && twice.contains("--resume"), "{twice}");
    let mut other = clean("p0");
    other["entry"].as_array_mut().unwrap().truncate(60);
    std::fs::write(own.join("later.json"), other.to_string()).unwrap();
    // The same content in another wrapping is the same.
    let mut again = clean("p0");
    again["type"] = j!("transaction");
    std::fs::write(own.join("again.ndjson"), format!("{again}\n")).unwrap();
    let dry = up.json(&["import", shown(&own), "--name", "ada", "--dry-run"]);
    assert_eq!((&dry["new"], &dry["given_before"]), (&j!(1), &j!(2)), "{dry}");
    // The contract lets a member contribute once in a while; the same command goes on from there.
    let soon = up.refuses(&["import", shown(&own), "--name", "ada"], 3);
    assert!(soon.contains("contributed lately") && soon.contains("the same command goes on from there"), "{soon}");
    up.json(&["time", "+8d", "--yes"]);
    // Two bundles of one id and two people: nothing of either is sent.
    let mut stranger = clean("p0");
    stranger["entry"][0]["resource"]["birthDate"] = j!("1931-02-03");
    std::fs::write(own.join("stranger.json"), stranger.to_string()).unwrap();
    let two = up.refuses(&["import", shown(&own), "--name", "ada"], 1);
    assert!(two.contains("two people of one id, p0") && two.contains("stranger.json"), "{two}");
    std::fs::remove_file(own.join("stranger.json")).unwrap();
    // What a cut-off write left beside the packages, and a record that is too large, stop no bundle.
    let packages = dir.path().join("state/members/ada/packages");
    std::fs::create_dir_all(&packages).unwrap();
    std::fs::write(packages.join("0x01.partial"), "{").unwrap();
    let mut large = clean("p0");
    large["entry"][0]["resource"]["extension"] = j!([{ "url": "urn:x", "valueString": "x".repeat(2 << 20) }]);
    std::fs::write(own.join("large.json"), large.to_string()).unwrap();
    let look = ["import", shown(&own), "--dry-run", "--name", "ada", "--max-record", "1"];
    let looked = up.json(&look);
    // The large file, and the bulk export beside it that it may be a part of; the bundles stay.
    assert_eq!((&looked["faults"], &looked["records"]), (&j!(2), &j!(2)), "{looked}");
    std::fs::remove_file(own.join("large.json")).unwrap();
    let second = up.json(&["import", shown(&own), "--name", "ada"]);
    assert_eq!((&second["sent"], &second["given_before"]), (&j!(1), &j!(2)), "{second}");
    let third = up.json(&["import", shown(&own), "--name", "ada", "--patient", "p0"]);
    assert_eq!((&third["sent"], &third["given_before"]), (&j!(0), &j!(3)), "{third}");
    let view = up.json(&["member", "show", "--name", "ada"]);
    assert_eq!(view["member"]["contributions"], 2, "{view}");
    up.stop();
}

#[test]
fn kind_o_with_few_patients_the_report_is_complete_and_queries_are_withheld() {
    for patients in [1, 2] {
        let dir = tempfile::tempdir().unwrap();
        let fhir = dir.path().join("fhir");
        synthesize(&fhir, patients, "transaction");
        std::fs::write(fhir.join("broken.json"), "{").unwrap();
        let (state, port) = (dir.path().join("state"), port().to_string());
        let args = ["demo", "--once", "--json", "--fhir", shown(&fhir), "--port", &port, "--state", shown(&state)];
        let report = json(&args);
        let found = &report["patients"];
        assert_eq!((&found["contributed"], &found["found"]), (&j!(patients), &j!(patients + 1)), "{found}");
        assert_eq!(report["members"].as_array().unwrap().len(), patients as usize);
        for member in report["members"].as_array().unwrap() {
            assert!(member["score"]["quality"].as_u64().unwrap() > 2_000, "{member}");
            assert!(member["input"].as_str().unwrap().contains("patient-0"), "{member}");
        }
        let queries = report["queries"].as_array().unwrap();
        assert_eq!(queries.len(), 3, "{queries:?}");
        for query in queries {
            // The gate looks at a noisy count: seldom it lets one of so few through.
            let outcome = &query["answered"]["answer"]["outcome"];
            match outcome["status"].as_str().unwrap() {
                "withheld" => assert_eq!(query["figures"], j!([]), "{query}"),
                "released" => assert!(!query["figures"].as_array().unwrap().is_empty(), "{query}"),
                other => panic!("{other}: {query}"),
            }
        }
        assert_eq!(report["audit_agrees"], true, "{report}");
        assert_eq!(report["epochs"].as_array().unwrap().len(), 4);
    }
}
