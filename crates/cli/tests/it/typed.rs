//! The demo's steps as commands that a person types one by one.

use crate::support::{Up, port, rochdale, synthesize};
use serde_json::{Value, json};
use std::process::Stdio;

fn amount(value: &Value) -> u128 {
    value.as_str().unwrap().parse().unwrap()
}

/// The end of the last settled epoch's objection window: the chain was moved past it before it stopped.
fn head(state: &std::path::Path) -> u64 {
    let manifest: Value = serde_json::from_slice(&std::fs::read(state.join("manifest.json")).unwrap()).unwrap();
    manifest["genesis"].as_u64().unwrap() + 604_800 + 3_600 + 86_400
}

#[test]
fn a_person_types_every_step_stops_everything_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("state"), port());
    let fhir = dir.path().join("fhir");
    synthesize(&fhir, 6, "transaction");
    let mut files: Vec<_> = std::fs::read_dir(&fhir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();

    let up = Up::start(&state, port);
    for (number, file) in files.iter().enumerate() {
        let name = format!("member-{number}");
        up.json(&["member", "join", "--name", &name]);
        up.json(&["member", "consent", "--name", &name]);
        let nothing = up.fails(&["member", "contribute", "--name", &name, "--resume"]);
        assert!(nothing.contains("nothing was begun"), "{nothing}");
        let status = up.json(&["member", "contribute", "--name", &name, file.to_str().unwrap()]);
        assert_eq!(status["held_by"].as_array().unwrap().len(), 3, "{status}");
    }
    assert_eq!(up.json(&["member", "contribute", "--name", "member-0", "--resume"]), json!([]));
    let twice = up.fails(&["member", "join", "--name", "member-0"]);
    assert!(twice.contains("joined already"), "{twice}");
    assert_eq!(up.json(&["epoch", "settle"])["state"], "final");
    let row = up.json(&["member", "rows", "--name", "member-0"]);
    assert!(row["contributions"][0]["score"]["quality"].as_u64().unwrap() > 2_000, "{row}");

    // Everything stops, chain included, and goes on where it was; six patients are too few by default.
    up.stop();
    let config = state.join("worker/worker.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("min_cohort = 10", "min_cohort = 1")).unwrap();
    let stopped_at = head(&state);
    let up = Up::start(&state, port);
    let status = up.json(&["coop", "status"]);
    assert_eq!(status["cooperative"]["final_epoch"], 1, "{status}");
    assert!(status["cooperative"]["now"].as_u64().unwrap() >= stopped_at, "time went back: {status}");
    let asked = up.refuses(&["researcher", "license", "--records", "10"], 3);
    assert!(asked.contains("researcher new"), "{asked}");
    up.json(&["researcher", "new"]);
    up.json(&["researcher", "license", "--yes"]);
    let query = dir.path().join("query.json");
    std::fs::write(&query, r#"{"version":1,"dataset":1,"ask":{"kind":"count"},"rho":400000000}"#).unwrap();
    let query = query.to_str().unwrap();
    let first = up.json(&["researcher", "query", query, "--yes"]);
    assert_eq!((&first["cached"], &first["reused"]), (&json!(false), &json!(false)));
    let figure = &first["figures"][0];
    assert_eq!((&figure["label"], &figure["unit"]), (&json!("members"), &json!("people")), "{first}");
    assert!(figure["standard_error"].as_f64().unwrap() > 1.0, "{first}");
    assert!(figure["interval_95"][0].as_f64().unwrap() < figure["value"].as_f64().unwrap(), "{first}");
    let again = up.json(&["researcher", "query", query, "--yes"]);
    assert_eq!(again["reused"], true);
    let kept =
        |value: &Value| [&value["answer"], &value["order"], &value["debit"], &value["figures"]].map(Clone::clone);
    assert_eq!(kept(&again), kept(&first), "the kept answer: no second order, no second charge");
    let name = first["order"].as_str().unwrap();
    assert_eq!(kept(&up.json(&["researcher", "answer", &name[..10]])), kept(&first));
    let orders = up.json(&["researcher", "orders"]);
    assert_eq!((orders["orders"].as_array().unwrap().len(), &orders["orders"][0]["state"]), (1, &json!("answered")));
    let sizes = up.json(&["researcher", "sizes"]);
    let sizes = sizes["sizes"].as_array().unwrap();
    assert!(sizes.len() >= 5 && sizes.iter().all(|size| size["members"].as_u64().unwrap() % 50 == 0), "{sizes:?}");
    let other = |rho: &str, name: &str| {
        let path = dir.path().join(name);
        let text =
            format!(r#"{{"version":1,"dataset":1,"cohort":{{"sex":"female"}},"ask":{{"kind":"count"}},"rho":{rho}}}"#);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // Cut off as soon as the order is kept: the same one goes again, and is answered.
    let within = other("100000000", "within.json");
    let ask = up.args(&["researcher", "query", &within, "--yes"]);
    let mut cut_off = rochdale(&ask).stdout(Stdio::null()).spawn().unwrap();
    let kept = || std::fs::read_dir(state.join("researchers/researcher/orders")).unwrap();
    while kept().filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "json")).count() < 2 {
        assert!(cut_off.try_wait().unwrap().is_none(), "it ended before it was cut off");
        std::thread::yield_now();
    }
    cut_off.kill().unwrap();
    cut_off.wait().unwrap();
    let resumed = up.json(&["researcher", "query", "--resume"]);
    assert_eq!(resumed["resumed"].as_array().unwrap().len(), 1, "{resumed}");
    assert!(resumed["resumed"][0]["answered"]["answer"].is_object(), "{resumed}");
    assert_eq!(up.json(&["researcher", "query", "--resume"])["resumed"], json!([]));

    assert_eq!(up.json(&["epoch", "settle"])["state"], "final");
    let paid = up.json(&["member", "claim", "--all"]);
    let data: u128 = paid["paid"].as_array().unwrap().iter().map(|paid| amount(&paid["data"])).sum();
    assert!(data > 0, "{paid}");
    // Cash streams on every second: the cooperative pays no gas for the drip, whoever pays it is free.
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    let drip = up.json(&["member", "claim", "--all"]);
    assert!(drip["mined"].as_array().unwrap().is_empty(), "gas for a drip: {drip}");
    assert!(!drip["later"].as_array().unwrap().is_empty(), "{drip}");
    let key = dir.path().join("own.key").to_str().unwrap().to_owned();
    let missing = up.fails(&["member", "claim", "--name", "member-0", "--key", &key]);
    assert!(missing.contains("there is no key file"), "{missing}");
    std::fs::copy(state.join("offices/founder.key"), &key).unwrap();
    let own = up.json(&["member", "claim", "--name", "member-0", "--key", &key]);
    assert!(own["mined"]["gas_used"].as_u64().unwrap() > 21_000, "{own}");
    up.json(&["member", "consent", "--name", "member-4", "--revoke"]);
    up.json(&["member", "erase", "--name", "member-5", "--yes"]);
    let gone = up.fails(&["member", "contribute", "--name", "member-5", files[5].to_str().unwrap()]);
    assert!(gone.contains("erased"), "{gone}");
    assert_eq!(up.json(&["epoch", "settle"])["state"], "final");
    for steward in ["1", "2", "3"] {
        up.json(&["audit", "--steward", steward]);
    }
    up.stop();
}
