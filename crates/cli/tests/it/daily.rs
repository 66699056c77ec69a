//! Daily work at the command: errors in sentences, exit codes by kind, shells and pipes, people and data at a glance.

use crate::support::{Up, port, refuses, rochdale, run, synthesize};
use serde_json::Value;
use std::io::Write as _;
use std::process::{Output, Stdio};

/// As a person types it, without `--json`; the state directory alone says where everything is.
fn typed(up: &Up, args: &[&str]) -> Output {
    run(&[args, &["--state", up.state.to_str().unwrap()]].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn points_8_and_10_people_prices_and_budgets_at_a_glance() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("state"), port(), &["--without", "worker"]);
    let fhir = dir.path().join("fhir");
    synthesize(&fhir, 2, "transaction");
    let shown = |name: &str| text(&typed(&up, &["member", "show", "--name", name]).stdout);
    for (name, file) in [("ada", "patient-00001.json"), ("bo", "patient-00002.json")] {
        up.json(&["member", "join", "--name", name]);
        assert!(shown(name).contains("Next: consent, so that"), "{}", shown(name));
        up.json(&["member", "consent", "--name", name]);
        up.json(&["member", "contribute", "--name", name, fhir.join(file).to_str().unwrap()]);
    }
    let ada = up.json(&["member", "show", "--name", "ada"]);
    assert_eq!((&ada["member"]["consent"], &ada["member"]["contributions"]), (&"granted".into(), &1.into()), "{ada}");
    assert!(shown("ada").contains("1 contribution recorded"), "{}", shown("ada"));

    let sets = up.json(&["coop", "datasets"]);
    assert_eq!(sets["datasets"][0]["price_per_thousand"], "100000000000", "{sets}");
    let said = text(&typed(&up, &["coop", "datasets"]).stdout);
    assert!(said.contains("dataset 1: health records") && said.contains("100000.00 USDC for 1,000 records"), "{said}");
    let said = up.json(&["coop", "kpis", "--days", "2"]);
    let of = |id: &str| said["kpis"].as_array().unwrap().iter().find(|kpi| kpi["id"] == id).unwrap()["series"].clone();
    assert!(of("members_active")[0]["values"].as_array().unwrap().len() <= 2, "{said}");
    let table = text(&typed(&up, &["coop", "kpis", "--csv"]).stdout);
    assert!(
        table.starts_with("day,kpi,label,unit,value\r\n") || table.starts_with("day,kpi,label,unit,value\n"),
        "{table}"
    );
    assert!(table.contains(",members_active,,members,"), "{table}");
    assert_eq!(up.json(&["coop", "budget"])["debits"], 0);
    let said = text(&typed(&up, &["coop", "budget"]).stdout);
    assert!(said.contains("nobody was charged anything yet") && said.contains("at least 1.000 zCDP"), "{said}");

    up.json(&["epoch", "settle"]);
    let said = text(&typed(&up, &["member", "claim", "--all"]).stdout);
    assert!(
        said.contains("paid against the root of epoch 1") && said.contains("USDC") && said.contains("DATA"),
        "{said}"
    );

    // Who destroyed what stands in the answer itself.
    let erased = up.json(&["member", "erase", "--name", "bo", "--yes"]);
    let words = erased["erasure"]["words"].as_array().unwrap();
    assert_eq!((words.len(), &erased["erasure"]["can_be_opened"]), (3, &false.into()), "{erased}");
    assert!(words.iter().all(|word| word["signature"].is_string()), "{erased}");
    assert!(shown("bo").contains("no longer active"), "{}", shown("bo"));
    up.stop();
}

#[test]
fn points_11_and_12_failures_are_sentences_with_their_kind_and_json_is_json_alone() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("state"), port(), &["--without", "worker"]);
    up.json(&["member", "join", "--name", "ada"]);
    let propose = ["gov", "propose", "--name", "ada", "--why", "More", "call", "Membership", "setAdmissionsPerEpoch"];
    let propose = [&propose[..], &["admissionsPerEpoch=50"]].concat();
    let refused = typed(&up, &propose);
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("has 0 votes, a proposal takes 1 vote"), "{said}");
    let problem: Value = serde_json::from_str(&up.refuses(&propose, 3)).unwrap();
    assert_eq!((&problem["exit"], &problem["code"]), (&3.into(), &"refused".into()), "{problem}");
    assert!(problem["explained"].as_str().unwrap().contains("has 0 votes"), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("GovernorInsufficientProposerVotes"), "{problem}");

    // Each kind has its code, and with --json each is a document.
    let nobody = ["coop", "status", "--json", "--url", "http://127.0.0.1:9"];
    for (args, code) in
        [(&nobody[..], 4), (&["member", "joyn", "--json"], 2), (&["audit", "--json", "--steward", "x"], 2)]
    {
        let problem: Value = serde_json::from_str(&refuses(args, code)).unwrap();
        assert_eq!(problem["exit"], code, "{args:?}: {problem}");
        for field in ["type", "title", "code", "detail"] {
            assert!(problem[field].is_string(), "{args:?}: {problem}");
        }
    }
    let missing = up.refuses(&["researcher", "job", "open", "/nowhere.json", "--max-units", "1"], 1);
    assert!(missing.contains("/nowhere.json"), "{missing}");

    // `-` is standard input, here a proposal's file.
    let sample = include_str!("../../../../docs/samples/proposal.toml");
    let piped = ["gov", "propose", "--name", "ada", "--why", "As the sample", "--dry-run", "file", "-"];
    let mut child = rochdale(&up.args(&piped)).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(sample.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && text(&output.stdout).contains("setAdmissionsPerEpoch"),
        "{}",
        text(&output.stdout)
    );
    up.stop();
}

#[test]
fn point_12_shells_manuals_and_readers_that_go_away() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&run(&["completions", shell]).stdout);
        for word in ["contribute", "auction", "--state"] {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    let pages = crate::support::json(&["man", "--json", "--out", dir.path().to_str().unwrap()]);
    assert!(pages["pages"].as_u64().unwrap() > 60, "{pages}");
    let page = std::fs::read_to_string(dir.path().join("rochdale-member-contribute.1")).unwrap();
    assert!(page.contains("FHIR R4 bundle") && page.contains(".TH "), "{page}");

    let mut child = rochdale(&["completions", "zsh"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn point_8_a_registrar_admits_here_and_the_member_joins_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("state"), port(), &["--without", "worker"]);
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (home, application, admission) = (file("home"), file("ada.application.json"), file("ada.admission.json"));
    let at_home =
        |args: &[&str]| crate::support::json(&[args, &["--json", "--state", &home, "--url", &up.url]].concat());
    let account = at_home(&["member", "apply", "--name", "ada", "--out", &application])["account"].clone();

    // What travels holds no secret: neither the account's key nor the row key.
    let travels = std::fs::read_to_string(&application).unwrap();
    let row_key = std::fs::read_to_string(format!("{home}/members/ada/row.key")).unwrap();
    assert!(!travels.contains(row_key.trim().trim_start_matches("0x")), "the row key lies open in {application}");
    // Whoever carries it can put no other row key in, account or nullifier: the account signed them.
    let signed: Value = serde_json::from_str(&travels).unwrap();
    for field in ["row_key_digest", "account", "nullifier", "deadline"] {
        let mut other = signed.clone();
        other[field] = match field {
            "account" => "0x00000000000000000000000000000000000a11ce".into(),
            "deadline" => (signed["deadline"].as_u64().unwrap() + 1).into(),
            _ => format!("0x{}", "11".repeat(32)).into(),
        };
        std::fs::write(file("changed.json"), other.to_string()).unwrap();
        let said = up.refuses(&["registrar", "admit", &file("changed.json"), "--out", &file("no.json")], 3);
        assert!(said.contains("is not what") && said.contains("signed"), "{field}: {said}");
        assert!(!dir.path().join("no.json").exists(), "{field}");
    }
    let admitted = up.json(&["registrar", "admit", &application, "--out", &admission]);
    assert_eq!((&admitted["account"], &admitted["stewards"]), (&account, &3.into()), "{admitted}");

    let other = ["member", "apply", "--name", "bo", "--out", &file("bo.application.json")];
    at_home(&other);
    let wrong =
        ["member", "join", "--name", "bo", "--admission", &admission, "--json", "--state", &home, "--url", &up.url];
    assert!(refuses(&wrong, 3).contains("and this member's account is"));
    assert_eq!(at_home(&["member", "join", "--name", "ada", "--admission", &admission])["member_id"], 1);
    assert_eq!(at_home(&["member", "show", "--name", "ada"])["member"]["account"], account);
    up.stop();
}
