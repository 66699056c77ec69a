//! A poll as people type it, and its count without the gateway.

use crate::support::{Up, port};
use rochdale_chain::client::{Chain, ChainOptions, SystemClock};
use rochdale_chain::local::LocalChain;
use std::sync::Arc;

/// Moves the local chain forward by so many days.
fn days_pass(rpc: &str, days: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let chain = Chain::connect(rpc, ChainOptions::new(31_337), Arc::new(SystemClock::default())).await.unwrap();
        let now = chain.now().await.unwrap();
        LocalChain::new(&chain).unwrap().time_to(now + days * 86_400, 3).await.unwrap();
    });
}

#[test]
fn members_ask_answer_and_anyone_counts() {
    let dir = tempfile::tempdir().unwrap();
    let port = port();
    let rpc = format!("http://127.0.0.1:{}", port + 145);
    let up = Up::start(&dir.path().join("state"), port);
    for name in ["ada", "bo"] {
        up.json(&["member", "join", "--name", name]);
    }
    days_pass(&rpc, 31);
    up.json(&["member", "join", "--name", "cy"]);
    days_pass(&rpc, 1);
    let ask = ["gov", "poll", "create", "--name", "ada", "--question", "Join study 12?", "--option", "yes"];
    let refused = up.fails(&ask);
    assert!(refused.contains("1 options"), "{refused}");
    let view = up.json(&[&ask[..], &["--option", "no"]].concat());
    let id = view["id"].as_str().unwrap();
    let vote = |name: &'static str, choice: &'static str| {
        ["gov", "poll", "vote", "--name", name, "--poll", id, "--choice", choice].map(str::to_owned)
    };
    let words = |args: &[String]| up.json(&args.iter().map(String::as_str).collect::<Vec<_>>());
    words(&vote("ada", "yes"));
    words(&vote("bo", "1"));
    assert_eq!(words(&vote("bo", "no"))["ballot"]["sequence"], 1);
    let young = vote("cy", "yes");
    let young = up.fails(&young.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(young.contains("30 days after joining"), "{young}");

    let tally = up.json(&["gov", "tally", "--poll", id]);
    assert_eq!((tally["open"].as_bool(), tally["counted"].as_u64()), (Some(true), Some(2)), "{tally}");
    let votes = |tally: &serde_json::Value, place: usize| tally["results"][place]["votes"].as_u64().unwrap();
    assert_eq!((votes(&tally, 0), votes(&tally, 1)), (1, 1));

    // From a file, with a ballot that somebody changed on the way.
    let mut record = up.json(&["gov", "poll", "show", "--poll", id]);
    record["ballots"][1]["ballot"]["choice"] = 0.into();
    let file = dir.path().join("poll.json");
    std::fs::write(&file, record.to_string()).unwrap();
    let (file, manifest) = (file.to_str().unwrap(), up.state.join("manifest.json"));
    let counted = crate::support::json(&[
        "gov",
        "tally",
        "--json",
        "--poll",
        file,
        "--rpc",
        &rpc,
        "--manifest",
        manifest.to_str().unwrap(),
        "--url",
        "http://127.0.0.1:9",
        "--state",
        dir.path().join("elsewhere").to_str().unwrap(),
    ]);
    assert_eq!((votes(&counted, 0), votes(&counted, 1)), (1, 0), "{counted}");
    assert_eq!(counted["refused"][0]["refusal"]["reason"], "wrong_signer", "{counted}");
    assert_ne!(counted["ballots_digest"], tally["ballots_digest"]);
    up.stop();
}
