//! What a member reads, and what a command leaves, says and asks in daily work: in sentences.

use crate::support::{Up, json, port, refuses, rochdale, run, synthesize};
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

fn said(up: &Up, args: &[&str]) -> String {
    let output = run(&[args, &["--state", up.state.to_str().unwrap()]].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    text
}

fn member(up: &Up, name: &str, record: &Path) {
    up.json(&["member", "join", "--name", name]);
    up.json(&["member", "consent", "--name", name]);
    up.json(&["member", "contribute", "--name", name, record.to_str().unwrap()]);
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
}

#[test]
fn point_8_rows_say_what_was_earned_for_what_and_who_used_it() {
    let dir = tempfile::tempdir().unwrap();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/samples/learning.toml");
    let up = Up::start_with(&dir.path().join("state"), port(), &["--config", sample, "--min-cohort", "2"]);
    synthesize(&dir.path().join("fhir"), 3, "transaction");
    for (n, name) in ["ada", "bo", "cy"].iter().enumerate() {
        member(&up, name, &dir.path().join(format!("fhir/patient-{:05}.json", n + 1)));
    }
    up.json(&["epoch", "settle"]);
    has(
        &said(&up, &["member", "rows", "--name", "ada"]),
        &[
            "up to epoch 1: you earned 0.00 USDC",
            "30 % of that because nobody vouched for the upload",
            "nobody has used",
        ],
    );
    up.json(&["researcher", "new"]);
    let bought = up.json(&["researcher", "license", "--yes"]);
    let query = dir.path().join("query.json");
    let of = r#"{"observation":{"system":"http://loinc.org","code":"8480-6"}}"#;
    let ask = format!(r#"{{"kind":"mean","of":{of},"rows":4,"lower":80000,"upper":200000}}"#);
    std::fs::write(&query, format!(r#"{{"version":1,"dataset":1,"ask":{ask},"rho":100000000}}"#)).unwrap();
    up.json(&["researcher", "query", query.to_str().unwrap(), "--yes"]);
    up.json(&["epoch", "settle"]);
    up.json(&["epoch", "settle"]);

    let rows = up.json(&["member", "rows", "--name", "ada"]);
    let part = |name: &str| -> u128 { rows["cash_parts"][name].as_str().unwrap().parse().unwrap() };
    let streaming: u128 = rows["row"]["cash_streaming"].as_str().unwrap().parse().unwrap();
    assert!(streaming > 0, "no cash although a license was paid: {rows}");
    assert_eq!(["floor", "usage", "data", "early"].map(part).iter().sum::<u128>(), streaming, "{rows}");
    assert_eq!((&rows["stewards_that_differ"], bought["license"].as_u64()), (&0.into(), Some(1)));
    let text = said(&up, &["member", "rows", "--name", "ada"]);
    has(&text, &["USDC: floor ", ", use ", ", DATA earned ", "early membership", "used 1 time:", "under license 1"]);
    has(&text, &["for health, medical and biomedical research; 1 record of yours, 0.100 zCDP", " UTC: researcher 0x"]);
    has(&text, &["asked for a mean of Systolic blood pressure among members (question 1, under license 1)"]);
    // Wei, proofs and codes are for who asks for them.
    assert!(!text.contains("private_hash") && !text.contains("000000000000000"), "{text}");
    has(
        &said(&up, &["member", "rows", "--name", "ada", "--verbose"]),
        &["private_hash", "query_digest", "USDC: floor"],
    );

    // A claim at own gas says how much, too.
    let key = up.state.join("offices/founder.key");
    let claimed = said(&up, &["member", "claim", "--name", "ada", "--key", key.to_str().unwrap()]);
    has(&claimed, &["1 member was paid against the root of epoch 3", "USDC", "DATA", "member 1:"]);
    let erased = said(&up, &["member", "erase", "--name", "bo", "--yes"]);
    has(&erased, &["steward 1 destroyed 1 share at 20", " UTC; ", "nobody can open the records"]);
    has(&said(&up, &["member", "erasure", "--name", "bo"]), &["steward 1 destroyed 1 share at 20"]);
    let elsewhere = "0x00000000000000000000000000000000000a11ce";
    up.json(&["member", "payout", "--name", "ada", elsewhere]);
    let shown = up.json(&["member", "show", "--name", "ada"]);
    assert!(shown["member"]["payout"].as_str().unwrap().eq_ignore_ascii_case(elsewhere), "{shown}");
    has(&said(&up, &["member", "openings", "--name", "ada"]), &["because it was drawn; ", " UTC to "]);

    // Nobody is sent to a consent that cannot be given any more.
    let record = dir.path().join("fhir/patient-00002.json");
    let gone = up.refuses(&["member", "contribute", "--name", "bo", record.to_str().unwrap()], 3);
    assert!(gone.contains("everything of this member is erased") && !gone.contains("grant it first"), "{gone}");
    up.json(&["member", "leave", "--name", "cy", "--yes"]);
    let left = up.refuses(&["member", "contribute", "--name", "cy", record.to_str().unwrap()], 3);
    assert!(left.contains("this membership ended") && !left.contains("grant it first"), "{left}");
    up.stop();
}

#[test]
fn points_10_and_12_prices_approvals_codes_polls_and_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("state"), port(), &["--without", "worker"]);
    synthesize(&dir.path().join("fhir"), 1, "transaction");
    up.json(&["researcher", "new", "--name", "lin"]);
    has(
        &said(&up, &["researcher", "prices"]),
        &[
            "dataset 1: 100000.00 USDC for 1,000 records",
            "100.00 USDC a record",
            "computations are not on offer",
            "bond",
        ],
    );
    let prices = up.json(&["researcher", "prices"]);
    assert_eq!(prices["datasets"][0]["price_per_thousand"], "100000000000", "{prices}");
    has(&said(&up, &["researcher", "approvals", "--name", "lin"]), &["6, health, medical", "not approved"]);
    up.json(&["researcher", "approve", "--name", "lin", "--days", "30"]);
    let approvals = up.json(&["researcher", "approvals", "--name", "lin"]);
    let states: Vec<&str> =
        approvals["approvals"].as_array().unwrap().iter().map(|a| a["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["waits", "waits", "approved", "waits", "waits"], "{approvals}");
    has(&said(&up, &["researcher", "approvals", "--name", "lin"]), &["biomedical research: approved until 20", " UTC"]);

    let codes = said(&up, &["coop", "datasets", "--codes"]);
    has(
        &codes,
        &["observation http://loinc.org|8480-6: Systolic blood pressure, in mm[Hg]", "condition http://snomed"],
    );
    let listed = up.json(&["coop", "datasets"])["datasets"][0]["codes"].clone();
    let pressure = listed.as_array().unwrap().iter().find(|code| code["code"] == "8480-6").unwrap();
    assert_eq!((&pressure["unit"], &pressure["of"]), (&"mm[Hg]".into(), &"observation".into()), "{listed}");

    has(&said(&up, &["gov", "poll", "list"]), &["no polls yet"]);

    // A record comes by standard input, as any other file does.
    up.json(&["member", "join", "--name", "ada"]);
    up.json(&["member", "consent", "--name", "ada"]);
    let piped = up.args(&["member", "contribute", "--name", "ada", "-"]);
    let mut child = rochdale(&piped).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let record = std::fs::read(dir.path().join("fhir/patient-00001.json")).unwrap();
    child.stdin.take().unwrap().write_all(&record).unwrap();
    let output = child.wait_with_output().unwrap();
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(status["held_by"].as_array().unwrap().len(), 3, "{status}");

    // An awarder's key, and the proposal that names its account, as operate.md shows both.
    let awarder = json(&["key", "new", "--json", dir.path().join("awarder.key").to_str().unwrap()])["account"].clone();
    let program =
        format!(r#"p={{"awarder":{awarder},"kind":1,"capPerEpoch":"100000","capPerMember":"10000","open":true}}"#);
    let call = ["call", "Programs", "setProgram", "programId=1", &program];
    let shown = up.json(&[&["gov", "propose", "--name", "ada", "--why", "Surveys", "--dry-run"][..], &call].concat());
    assert!(shown.to_string().contains("setProgram") && shown["sent"] == false, "{shown}");

    // A file that is not there is no refusal.
    let missing = up.refuses(&["member", "contribute", "--name", "ada", "nosuch.json"], 1);
    assert!(missing.contains("cannot read nosuch.json") && missing.contains("No such file"), "{missing}");
    let empty = dir.path().join("empty.json");
    std::fs::write(&empty, "").unwrap();
    up.refuses(&["member", "contribute", "--name", "ada", empty.to_str().unwrap()], 1);
    up.stop();
}

#[test]
fn point_12_a_proposal_that_is_not_queued_names_no_time_that_it_has_not() {
    let dir = tempfile::tempdir().unwrap();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/samples/learning.toml");
    let up = Up::start_with(&dir.path().join("state"), port(), &["--config", sample, "--without", "worker"]);
    up.json(&["member", "join", "--name", "ada"]);
    up.json(&["member", "join", "--name", "bo"]);
    for _ in 0..5 {
        up.json(&["epoch", "settle"]);
    }
    let call = ["call", "Membership", "setAdmissionsPerEpoch", "admissionsPerEpoch=500"];
    let show = ["gov", "show", "--proposal", "last"];
    let execution = |up: &Up| {
        let text = said(up, &show);
        text.lines().find(|line| line.starts_with("Executed") || line.starts_with("It may")).map(str::to_owned)
    };
    up.json(&[&["gov", "propose", "--name", "ada", "--why", "Fewer"][..], &call].concat());
    assert!(execution(&up).unwrap().contains("where it wins and is queued"), "{:?}", execution(&up));
    up.json(&["time", "+2h"]);
    for name in ["ada", "bo"] {
        up.json(&["gov", "vote", "--name", name, "--proposal", "last", "--support", "for"]);
    }
    up.json(&["time", "+1d"]);
    up.json(&["time", "+2d"]);
    let won = execution(&up).unwrap();
    assert!(won.contains("after it is queued at the earliest: `rochdale gov queue") && !won.contains("ago"), "{won}");
    up.json(&["gov", "queue", "--proposal", "last"]);
    assert!(execution(&up).unwrap().contains(" UTC) at the earliest"), "{:?}", execution(&up));
    up.json(&["time", "+2h"]);
    assert!(execution(&up).unwrap().starts_with("It may be executed, since"), "{:?}", execution(&up));
    up.json(&["gov", "execute", "--proposal", "last"]);
    assert_eq!(execution(&up), None);

    up.json(&["gov", "poll", "create", "--name", "ada", "--question", "Join?", "--option", "yes", "--option", "no"]);
    has(&said(&up, &["gov", "poll", "list"]), &["open until 20", " UTC  0 ballots  Join?"]);
    up.stop();
}

#[test]
fn point_12_what_fails_leaves_no_folder_and_shows_nobody_a_backtrace() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("state"), port());
    let place = state.to_str().unwrap();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let port = port.to_string();
    let output = rochdale(&["up", "--json", "--state", place, "--port", &port])
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains(&port), "{text}");
    assert!(!state.exists(), "a failed `up` left a folder");
    for args in [
        &["demo", "--once", "--json", "--state", place, "--port", &port][..],
        &["coop", "deploy", "--json", "--state", place, "--rpc", "http://127.0.0.1:9", "--config", "/dev/null"],
    ] {
        refuses_any(args);
        assert!(!state.exists(), "a failed {args:?} left a folder");
    }
    let here = dir.path().join("here");
    std::fs::create_dir(&here).unwrap();
    let demo = rochdale(&["demo", "--once", "--port", &port]).current_dir(&here).output().unwrap();
    assert!(!demo.status.success() && std::fs::read_dir(&here).unwrap().count() == 0, "a failed demo left a folder");
    drop(taken);

    let bin = Path::new(env!("CARGO_BIN_EXE_rochdale"));
    for program in ["rochdale-gateway", "rochdale-steward", "rochdale-worker", "rochdale-registrar"] {
        let output = std::process::Command::new(bin.with_file_name(program))
            .args(["run", "--config", "/nowhere/config.toml"])
            .env("RUST_BACKTRACE", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert!(!output.status.success() && text.contains("/nowhere/config.toml"), "{program}: {text}");
        assert!(!text.contains("backtrace") && !text.contains("error {"), "{program}: {text}");
    }
    assert!(refuses(&["member", "contribute", "--name", "ada", "--json"], 2).contains("RECORD"), "what is required");
    assert!(!json(&["key", "new", "--json", dir.path().join("own.key").to_str().unwrap()]).is_null());
}

fn refuses_any(args: &[&str]) {
    let output = run(args);
    let text = String::from_utf8_lossy(&output.stderr).to_lowercase();
    assert!(!output.status.success() && !text.contains("stack backtrace"), "{args:?}: {text}");
}
