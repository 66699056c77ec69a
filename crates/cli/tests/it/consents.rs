//! A member says who may use the records, and who it was not meant for does not get to them.

use crate::support::{Up, port, synthesize};
use serde_json::json as j;

fn ask(up: &Up, path: &std::path::Path, rows: u32) {
    let of = r#"{"observation":{"system":"http://loinc.org","code":"8480-6"}}"#;
    let ask = format!(r#"{{"kind":"mean","of":{of},"rows":{rows},"lower":80000,"upper":200000}}"#);
    std::fs::write(path, format!(r#"{{"version":1,"dataset":1,"ask":{ask},"rho":1000000}}"#)).unwrap();
    up.json(&["researcher", "query", path.to_str().unwrap(), "--yes"]);
}

#[test]
fn a_member_is_asked_by_those_alone_whom_the_consent_names() {
    let dir = tempfile::tempdir().unwrap();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/samples/learning.toml");
    let up = Up::start_with(&dir.path().join("state"), port(), &["--config", sample, "--min-cohort", "2"]);
    synthesize(&dir.path().join("fhir"), 4, "transaction");
    for (n, name) in ["ada", "bo", "cy", "dee"].iter().enumerate() {
        up.json(&["member", "join", "--name", name]);
        let conditions: &[&str] = match *name {
            "ada" => &["--only", "not-for-profit", "--country", "se", "--study", "sleep-7"],
            "dee" => &["--until", "2126-12-31", "--yearly-budget", "0.0000001"],
            _ => &[],
        };
        let told = up.json(&[&["member", "consent", "--name", name][..], conditions].concat());
        if *name == "ada" {
            let words = told["words"].to_string();
            for part in ["Only by not-for-profit organisations.", "Only in SE.", "Only in the study sleep-7."] {
                assert!(words.contains(part), "{part}: {words}");
            }
        }
        let record = dir.path().join(format!("fhir/patient-{:05}.json", n + 1));
        up.json(&["member", "contribute", "--name", name, record.to_str().unwrap()]);
    }
    up.json(&["epoch", "settle"]);
    up.json(&["researcher", "new"]);
    up.json(&["researcher", "license", "--yes"]);
    let query = dir.path().join("query.json");
    ask(&up, &query, 4);

    let facts =
        ["--not-for-profit", "yes", "--commercial", "no", "--country", "SE", "--study", "sleep-7", "--days", "1"];
    let approved = up.json(&[&["researcher", "approve"][..], &facts].concat());
    let protocol = j!({ "notForProfit": true, "commercial": false, "country": "SE", "project": "sleep-7" });
    assert_eq!(approved["protocol"], protocol);
    let approvals = up.json(&["researcher", "approvals"]);
    let of_health = approvals["approvals"].as_array().unwrap().iter().find(|one| one["purpose"] == 6).unwrap();
    assert_eq!((&of_health["state"], &of_health["protocol"]), (&j!("approved"), &protocol));
    // What is sold afterwards keeps what the board said.
    up.json(&["researcher", "license", "--yes"]);
    ask(&up, &query, 3);
    up.json(&["epoch", "settle"]);

    let uses = |name: &str| up.json(&["member", "rows", "--name", name])["uses"].as_array().unwrap().len();
    assert_eq!([uses("ada"), uses("bo"), uses("cy"), uses("dee")], [1, 2, 2, 0]);
    up.stop();
}
