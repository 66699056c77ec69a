//! What people who are new here stumbled over, point by point.

use crate::support::{Up, json, port, refuses, synthesize, with_actors};
use rochdale_chain::local::{Anvil, AnvilOptions};
use serde_json::Value;

const SAMPLE: &str = include_str!("../../../../docs/samples/local.toml");

/// A problem document, as `--json` has it on standard error.
fn problem(said: &str) -> Value {
    serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn point_5_keys_are_drawn_by_commands_that_say_so_and_never_by_use() {
    let dir = tempfile::tempdir().unwrap();
    let (state, config) = (dir.path().join("state"), dir.path().join("coop.toml"));
    std::fs::write(&config, with_actors(SAMPLE)).unwrap();
    let anvil = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let (url, key) = (anvil.url(), dir.path().join("founder.key"));
    let (place, config, key) = (state.to_str().unwrap(), config.to_str().unwrap(), key.to_str().unwrap());
    let deploy = ["coop", "deploy", "--json", "--rpc", &url, "--config", config, "--state", place, "--key", key];
    let said = refuses(&deploy, 3);
    assert!(said.contains("there is no key file") && said.contains("rochdale key new"), "{said}");
    assert!(!state.exists() && !dir.path().join("founder.key").exists(), "a command that failed left something");

    // No command that uses a key draws it: offices, researchers, members, awarders, payers of proposals.
    let manifest = dir.path().join("manifest.json");
    std::fs::write(&manifest, json(&deployed(&url, config, dir.path().join("other").to_str().unwrap())).to_string())
        .unwrap();
    let manifest = manifest.to_str().unwrap();
    for (command, missing) in [
        (&["researcher", "bond", "show", "--name", "lin", "--rpc", &url, "--manifest", manifest][..], "researcher new"),
        (&["gov", "constitute", "--rpc", &url, "--manifest", manifest], "rochdale key new --office founder"),
        (&["gov", "constitute", "--key", key, "--rpc", &url, "--manifest", manifest], "rochdale key new"),
        (&["dispute", "lapse", "--rpc", &url, "--manifest", manifest], "rochdale key new --office founder"),
        (&["program", "award", "--program", "1", "--member", "1", "--points", "1", "--key", key], "rochdale key new"),
    ] {
        let said = refuses(&[command, &["--json", "--state", place]].concat(), 3);
        assert!(said.contains(missing), "{command:?}: {said}");
        assert!(!state.exists(), "{command:?} made a state directory");
    }

    let drawn = json(&["key", "new", "--json", key]);
    assert_eq!(json(&["key", "show", "--json", key])["account"], drawn["account"]);
    // With a key that lies elsewhere, in a folder that is not there yet.
    let third = dir.path().join("third");
    let chain = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let (url, mut args) = (chain.url(), deploy);
    (args[4], args[8]) = (&url, third.to_str().unwrap());
    assert!(json(&args)["addresses"].is_object() && third.join("manifest.json").exists());

    let again = refuses(&["key", "new", key, "--json"], 3);
    assert!(again.contains("never drawn over another"), "{again}");
    let office = json(&["key", "new", "--json", "--office", "registrar", "--state", place]);
    assert!(office["file"].as_str().unwrap().ends_with("offices/registrar.key"), "{office}");
}

fn deployed<'a>(url: &'a str, config: &'a str, state: &'a str) -> [&'a str; 9] {
    ["coop", "deploy", "--json", "--rpc", url, "--config", config, "--state", state]
}

#[test]
fn point_5_a_join_without_the_registrars_key_says_what_is_missing_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("state"), port(), &["--without", "worker"]);
    let elsewhere = dir.path().join("elsewhere");
    let join = ["member", "join", "--name", "ada", "--json", "--url", &up.url, "--state", elsewhere.to_str().unwrap()];
    let said = refuses(&join, 3);
    assert!(said.contains("there is no registrar key") && said.contains("--state"), "{said}");
    assert!(!elsewhere.exists(), "a command that failed left something");
    up.stop();
}

#[test]
fn point_6_what_moves_time_or_money_is_checked_and_asked_first() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("state"), port(), &["--without", "worker"]);
    let now = |up: &Up| up.json(&["coop", "status"])["cooperative"]["now"].as_u64().unwrap();
    let before = now(&up);
    let said = problem(&up.refuses(&["epoch", "settle", "99"], 3));
    assert!(said["detail"].as_str().unwrap().contains("1 is the one to be settled"), "{said}");
    assert!(now(&up) - before < 600, "time was moved");

    up.json(&["researcher", "new", "--name", "lin"]);
    let license = ["researcher", "license", "--name", "lin"];
    let many = up.refuses(&[&license[..], &["--records", "1000", "--yes"]].concat(), 3);
    assert!(many.contains("about 50 members") && many.contains("at most 50"), "{many}");
    // The quote, and nothing more: nobody can be asked.
    let quote = up.refuses(&[&license[..], &["--records", "10"]].concat(), 3);
    assert!(
        quote.contains("10 of about 50 records") && quote.contains("1000.00 USDC") && quote.contains("add --yes"),
        "{quote}"
    );
    assert!(
        up.refuses(&["researcher", "renew", "--name", "lin"], 3).contains("no license yet"),
        "something was bought"
    );
    let all = up.json(&[&license[..], &["--yes"]].concat());
    assert_eq!(all["price"], "5000000000", "as many as are published, at 100 USDC each");
    for command in [
        &["researcher", "renew", "--name", "lin"][..],
        &["researcher", "reserve", "--name", "lin"],
        &["researcher", "bond", "put", "--name", "lin"],
    ] {
        let asked = up.refuses(command, 3);
        assert!(asked.contains("USDC") && asked.contains("add --yes"), "{command:?}: {asked}");
    }
    up.stop();
}

#[test]
fn point_4_nobody_founds_a_cooperative_with_a_samples_actors_or_proposes_them() {
    let dir = tempfile::tempdir().unwrap();
    let (state, config) = (dir.path().join("state"), dir.path().join("coop.toml"));
    std::fs::write(&config, SAMPLE).unwrap();
    let anvil = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let url = anvil.url();
    let said = refuses(&deployed(&url, config.to_str().unwrap(), state.to_str().unwrap()), 3);
    for actor in [
        "actors.registrar",
        "actors.gateway",
        "actors.ethics_board",
        "actors.guardian",
        "actors.stewards",
        "actors.workers",
    ] {
        assert!(said.contains(actor), "{actor}: {said}");
    }
    assert!(said.contains("rochdale key new") && !state.exists(), "{said}");

    let up = Up::start_with(&state, port(), &["--without", "worker"]);
    up.json(&["member", "join", "--name", "ada"]);
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/samples/proposal.toml");
    let propose = ["gov", "propose", "--name", "ada", "--why", "as the sample", "--dry-run"];
    let shown = up.json(&[&propose[..], &["file", sample]].concat());
    assert!(!shown.to_string().contains("setGateway"), "the sample disowns the gateway: {shown}");
    let gateway = "gateway=0x2000000000000000000000000000000000000001";
    let said = up.refuses(&[&propose[..], &["call", "StewardCommittee", "setGateway", gateway]].concat(), 3);
    assert!(said.contains("which a sample shows"), "{said}");
    up.stop();
}

#[test]
fn point_9_the_local_chains_time_is_shown_and_moved_and_no_other_chains() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("state"), port(), &["--without", "worker"]);
    let before = up.json(&["time"])["now"].as_u64().unwrap();
    let moved = up.json(&["time", "+1d2h"]);
    let (from, to) = (moved["from"].as_u64().unwrap(), moved["to"].as_u64().unwrap());
    assert!(from >= before && (to - from).abs_diff(86_400 + 7_200) < 10, "{moved}");
    assert_eq!(up.json(&["coop", "status"])["cooperative"]["now"].as_u64().unwrap() / 100, to / 100, "all see it");
    assert_eq!(moved["to_settle"], 0);
    assert_eq!(up.json(&["time", "+7d"])["to_settle"], 1, "an epoch ended meanwhile");
    let leap = up.refuses(&["time", "+31d"], 3);
    assert!(leap.contains("epochs would have ended unsettled") && leap.contains("rochdale epoch settle"), "{leap}");
    up.refuses(&["time", "1d"], 2);
    let elsewhere = dir.path().join("elsewhere");
    let said = refuses(&["time", "+1d", "--json", "--state", elsewhere.to_str().unwrap()], 3);
    assert!(said.contains("runs no local chain"), "{said}");
    up.stop();
}

#[test]
fn point_8_consent_is_asked_for_with_the_notice_and_nothing_is_recorded_unasked() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("state"), port(), &["--without", "worker"]);
    up.json(&["member", "join", "--name", "ada"]);
    let consent =
        ["member", "consent", "--name", "ada", "--json", "--url", &up.url, "--state", up.state.to_str().unwrap()];
    let said = problem(&refuses(&consent, 3))["detail"].as_str().unwrap().to_owned();
    for part in [
        "What you consent to",
        "You are paid",
        "What ada consents to, until it is taken back",
        "used for health, medical",
        "add --yes",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    synthesize(&dir.path().join("fhir"), 1, "transaction");
    let record = dir.path().join("fhir/patient-00001.json");
    let refused = up.refuses(&["member", "contribute", "--name", "ada", record.to_str().unwrap()], 3);
    assert!(refused.contains("consent is `none`: grant it first"), "{refused}");
    json(&[&consent[..], &["--yes"]].concat());
    up.stop();
}
