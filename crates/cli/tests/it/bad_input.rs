//! What a person gets for a wrong word or a wrong place, before anything is started.

use crate::support::{fails, rochdale};
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn every_command_shows_help() {
    let commands: [&[&str]; 36] = [
        &["key", "new"],
        &["researcher", "new"],
        &["demo"],
        &["import"],
        &["up"],
        &["coop", "deploy"],
        &["coop", "status"],
        &["member", "join"],
        &["member", "contribute"],
        &["researcher", "query"],
        &["researcher", "license"],
        &["researcher", "renew"],
        &["researcher", "reserve"],
        &["researcher", "activate"],
        &["researcher", "cancel"],
        &["researcher", "approve"],
        &["researcher", "auction", "bid"],
        &["researcher", "auction", "settle"],
        &["researcher", "job", "open"],
        &["researcher", "job", "refund"],
        &["researcher", "bond", "put"],
        &["researcher", "bond", "withdraw"],
        &["epoch", "settle"],
        &["coop", "verify"],
        &["gov", "propose"],
        &["gov", "propose", "price"],
        &["gov", "queue"],
        &["gov", "execute"],
        &["gov", "show"],
        &["gov", "list"],
        &["gov", "poll", "create"],
        &["gov", "poll", "vote"],
        &["gov", "tally"],
        &["dispute", "object"],
        &["dispute", "answer"],
        &["audit"],
    ];
    for command in commands {
        let words: Vec<_> = command.iter().copied().chain(["--help"]).collect();
        let output = crate::support::run(&words);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("--state"), "{command:?}: {text}");
    }
}

#[test]
fn a_cooperative_that_does_not_answer_says_how_to_start_one() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    let error = fails(&["coop", "status", "--state", state, "--url", "http://127.0.0.1:9"]);
    assert!(error.contains("http://127.0.0.1:9") && error.contains("rochdale up"), "{error}");
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let error = fails(&["demo", "--once", "--fhir", "/nowhere/at/all", "--state", state.to_str().unwrap()]);
    assert!(error.contains("/nowhere/at/all"), "{error}");
    assert!(!state.join("manifest.json").exists(), "the directory is looked at before anything is founded");
}

#[test]
fn a_state_that_holds_a_cooperative_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("manifest.json"), "{}").unwrap();
    let error = fails(&["demo", "--once", "--state", dir.path().to_str().unwrap()]);
    assert!(error.contains("holds a cooperative already"), "{error}");
}

#[test]
fn erasing_needs_a_yes() {
    let dir = tempfile::tempdir().unwrap();
    let error = fails(&["member", "erase", "--name", "ada", "--state", dir.path().to_str().unwrap()]);
    assert!(error.contains("--yes"), "{error}");
}

#[test]
fn a_deployment_needs_a_stablecoin_off_the_local_chain_and_the_chain_it_is_for() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("coop.toml");
    let sample = include_str!("../../../../docs/samples/local.toml");
    assert!(sample.contains("chain_id = 31337"));
    std::fs::write(&config, sample.replace("chain_id = 31337", "chain_id = 1")).unwrap();
    let state = dir.path().join("state");
    let anvil = rochdale_chain::local::Anvil::spawn(&rochdale_chain::local::AnvilOptions::default()).unwrap();
    let args = ["coop", "deploy", "--rpc", &anvil.url(), "--config", config.to_str().unwrap(), "--state"];
    let error = fails(&[&args[..], &[state.to_str().unwrap()]].concat());
    assert!(error.contains("serves chain 31337"), "{error}");
    let options = rochdale_chain::local::AnvilOptions { chain_id: 1, ..rochdale_chain::local::AnvilOptions::default() };
    let anvil = rochdale_chain::local::Anvil::spawn(&options).unwrap();
    let args = ["coop", "deploy", "--rpc", &anvil.url(), "--config", config.to_str().unwrap(), "--state"];
    let error = fails(&[&args[..], &[state.to_str().unwrap()]].concat());
    assert!(error.contains("usdc must name the stablecoin"), "{error}");
}

#[test]
fn an_unknown_key_of_the_founding_configuration_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("coop.toml");
    std::fs::write(&config, "chain_id = 31337\nquoruum = 3\n").unwrap();
    let state = dir.path().join("state");
    let error = fails(&["up", "--config", config.to_str().unwrap(), "--state", state.to_str().unwrap()]);
    assert!(error.contains("coop.toml") && error.contains("quoruum"), "{error}");

    let mut piped = rochdale(&["up", "--config", "-", "--state", state.to_str().unwrap()]);
    let mut piped = piped.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(b"chain_id = 31337\nquoruum = 3\n").unwrap();
    let output = piped.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("standard input is not understood"), "{error}");
    assert!(error.contains("quoruum") && !state.exists(), "{error}");
}
