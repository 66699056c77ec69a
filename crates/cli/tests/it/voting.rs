//! Members who voted are awarded for it, once, and paid with the epoch.

use crate::support::{Up, port};
use alloy::signers::local::PrivateKeySigner;
use rochdale_chain::bindings::Programs;
use rochdale_chain::client::{Chain, ChainOptions, SystemClock};
use rochdale_chain::deploy::{CoopConfig, Manifest};
use rochdale_chain::local::LocalChain;
use rochdale_crypto::keyfile::{self, KeyKind};
use std::sync::Arc;
use tokio::runtime::Runtime;

const DAY: u64 = 86_400;

#[test]
fn who_voted_is_awarded_whatever_the_vote_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("state"), port());
    // One epoch that is long enough to become seasoned and vote in.
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/samples/local.toml");
    let mut config: CoopConfig = toml::from_str(&std::fs::read_to_string(sample).unwrap()).unwrap();
    config.ledger.epoch_length = 50 * 86_400;
    (config.emission.data_base, config.emission.gov_base) = (0, 0);
    let file = dir.path().join("coop.toml");
    std::fs::write(&file, toml::to_string_pretty(&config).unwrap()).unwrap();
    let up = Up::start_with(&state, port, &["--config", file.to_str().unwrap()]);
    for name in ["ada", "bo", "cy"] {
        up.json(&["member", "join", "--name", name]);
    }
    let runtime = Runtime::new().unwrap();
    let url = format!("http://127.0.0.1:{}", port + 145);
    let connecting = Chain::connect(&url, ChainOptions::new(31_337), Arc::new(SystemClock::default()));
    let chain = runtime.block_on(connecting).unwrap();
    let local = LocalChain::new(&chain).unwrap();
    let pass = |days: u64| {
        let now = runtime.block_on(chain.now()).unwrap();
        runtime.block_on(local.time_to(now + days * DAY, 3)).unwrap();
    };
    let a = Manifest::load(&state.join("manifest.json")).unwrap().addresses;
    let key = dir.path().join("awarder.key");
    let secret = keyfile::load_or_create(&key, KeyKind::Signing, &mut rand::rng()).unwrap();
    let awarder = PrivateKeySigner::from_slice(secret.as_slice()).unwrap().address();
    let open = |id: u32, kind: u8| {
        let p = Programs::Program { awarder, kind, capPerEpoch: 50_000, capPerMember: 20_000, open: true };
        let call = Programs::setProgramCall { programId: id, p };
        runtime.block_on(local.act_as(a.token_timelock, a.programs, &call)).unwrap();
    };
    open(3, 1);
    open(4, 4);
    pass(31);

    let give = ["program", "award-votes", "--points", "2500", "--key", key.to_str().unwrap(), "--program"];
    let of = |program: &'static str| [&give[..], &[program]].concat();
    let wrong = up.fails(&of("3"));
    assert!(wrong.contains("is of kind 1"), "{wrong}");
    assert_eq!(up.json(&of("4"))["votes"].as_array().unwrap().len(), 0);
    let propose = ["gov", "propose", "--name", "ada", "--why", "Shorter", "call", "Market", "setBondRequired"];
    let made = up.json(&[&propose[..], &["required=true"]].concat());
    let number = made["proposals"][0]["proposal"].as_str().unwrap();
    pass(2);
    up.json(&["gov", "vote", "--name", "ada", "--proposal", number, "--support", "for"]);
    runtime.block_on(local.mine(3)).unwrap();
    assert_eq!(up.json(&of("4"))["votes"].as_array().unwrap().len(), 1);
    up.json(&["gov", "vote", "--name", "bo", "--proposal", number, "--support", "against"]);
    runtime.block_on(local.mine(3)).unwrap();
    // Awarded again with the one before, which counts once.
    let given = up.json(&of("4"));
    assert_eq!((given["votes"].as_array().unwrap().len(), &given["votes"][0]["member"]), (2, &1.into()), "{given}");
    assert_eq!(given["stewards"].as_array().unwrap().len(), 3, "{given}");

    let settled = up.json(&["epoch", "settle"]);
    let paid = 2 * 2_500 * config.ledger.data_per_point / 10_000;
    assert_eq!(settled["header"]["data_awarded"], paid.to_string(), "{settled}");
    let earned = |name: &str| up.json(&["member", "rows", "--name", name])["leaf"]["data"].clone();
    assert_eq!(earned("ada"), earned("bo"));
    assert_ne!(earned("ada"), "0");
    assert_eq!(earned("cy"), "0");
    up.json(&["audit", "--steward", "2"]);
    up.stop();
}
