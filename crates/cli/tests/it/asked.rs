//! What costs money or people's privacy is said before it is taken, and asked about.

use crate::support::{Up, port, run, synthesize};
use serde_json::Value;

fn detail(said: &str) -> String {
    let problem: Value = serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {said}"));
    problem["detail"].as_str().unwrap().to_owned()
}

/// Three members with a record each and a consent.
fn with_members(up: &Up, fhir: &std::path::Path) {
    synthesize(fhir, 3, "transaction");
    for (n, name) in ["ada", "bo", "cy"].iter().enumerate() {
        up.json(&["member", "join", "--name", name]);
        up.json(&["member", "consent", "--name", name]);
        let file = fhir.join(format!("patient-{:05}.json", n + 1));
        up.json(&["member", "contribute", "--name", name, file.to_str().unwrap()]);
    }
}

#[test]
fn point_6_a_question_says_what_it_charges_and_a_license_what_is_left_of_budgets() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("state"), port(), &["--min-cohort", "2"]);
    with_members(&up, &dir.path().join("fhir"));
    up.json(&["epoch", "settle"]);
    up.json(&["researcher", "new"]);
    let limits = up.json(&["coop", "budget"])["limits"].clone();
    let lifetime = limits["lifetime"].as_u64().unwrap();
    assert_eq!((&limits["per_year"], lifetime > 800_000_000), (&lifetime.into(), true), "{limits}");
    let quoted = detail(&up.refuses(&["researcher", "license", "--records", "10"], 3));
    assert!(quoted.contains("nobody was charged anything yet") && quoted.contains("for life"), "{quoted}");
    up.json(&["researcher", "license", "--records", "10", "--yes"]);

    let query = |name: &str, rho: u64| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!(r#"{{"version":1,"dataset":1,"ask":{{"kind":"count"}},"rho":{rho}}}"#)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let first = query("first.json", 400_000_000);
    let asked = detail(&up.refuses(&["researcher", "query", &first], 3));
    for part in [
        "charges 0.400 zCDP",
        "about 10 of about ",
        " people, drawn by chance",
        "withheld and charged all the same",
        "after it at least",
    ] {
        assert!(asked.contains(part) && asked.contains("add --yes"), "{part}: {asked}");
    }
    assert_eq!(up.json(&["coop", "budget"])["debits"], 0, "charged without a yes");
    assert_eq!(up.json(&["researcher", "orders"])["orders"], serde_json::json!([]), "signed without a yes");

    let answered = up.json(&["researcher", "query", &first, "--yes"]);
    assert_eq!(answered["reused"], false, "{answered}");
    let budget = up.json(&["coop", "budget"]);
    assert_eq!((&budget["debits"], &budget["least_left"]), (&1.into(), &(lifetime - 400_000_000).into()), "{budget}");
    // What is there already costs nothing, so that nothing is asked.
    assert_eq!(up.json(&["researcher", "query", &first])["reused"], true);

    // More than anybody who was asked can have left: it says so, and so does the quote of a license.
    let dear = query("dear.json", lifetime - 1);
    let asked = detail(&up.refuses(&["researcher", "query", &dear], 3));
    assert!(asked.contains("is more than that: whose budget does not suffice is not asked"), "{asked}");
    let state = up.state.to_str().unwrap();
    for command in [&["researcher", "license"][..], &["researcher", "renew"], &["researcher", "reserve"]] {
        let output = run(&[command, &["--state", state]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("1 question charged nobody more than 0.400 zCDP"), "{command:?}: {said}");
    }
    up.stop();
}
