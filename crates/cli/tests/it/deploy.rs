//! A deployment as a person types it: twice the same, read back, and refused where it is of something else.

use crate::support::{fails, json, with_actors};
use rochdale_chain::local::{Anvil, AnvilOptions};

#[test]
fn deploying_again_changes_nothing_and_the_chain_proves_that_nobody_kept_a_role() {
    let dir = tempfile::tempdir().unwrap();
    let anvil = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let (state, config) = (dir.path().join("state"), dir.path().join("coop.toml"));
    let sample = with_actors(include_str!("../../../../docs/samples/local.toml"));
    std::fs::write(&config, &sample).unwrap();
    let (url, state, config) = (anvil.url(), state.to_str().unwrap(), config.to_str().unwrap());
    let deploy = ["coop", "deploy", "--json", "--rpc", &url, "--config", config, "--state", state];
    let manifest = json(&deploy);
    assert_eq!(manifest["chain_id"], 31_337);
    assert_eq!(json(&deploy), manifest, "the same command finds the same cooperative");
    let verified = json(&["coop", "verify", "--json", "--rpc", &url, "--state", state]);
    assert_eq!(verified["agrees"], true);
    let holders = verified["roles"]["holders"].as_object().unwrap();
    let expected = [("0", "charter_gate"), ("1", "token_timelock"), ("2", "member_timelock"), ("3", "pause_guard")];
    assert_eq!(holders.len(), expected.len() + 2, "{holders:?}");
    assert_eq!(holders["4"], serde_json::json!([]), "nobody moves the treasury's money before the constitution");
    let mut sellers = ["market", "auction_house", "compute_desk"].map(|seller| manifest["addresses"][seller].clone());
    sellers.sort_by_key(|address| address.as_str().map(str::to_owned));
    assert_eq!(holders["5"], serde_json::json!(sellers), "those who sell licenses");
    for (role, contract) in expected {
        assert_eq!(holders[role], serde_json::json!([manifest["addresses"][contract]]), "{role}");
    }
    std::fs::write(config, sample.replace("cooldown = 604800", "cooldown = 604801")).unwrap();
    let other = fails(&deploy);
    assert!(other.contains("the journal of another deployment") && other.contains("configuration"), "{other}");
    let differs = fails(&["coop", "verify", "--rpc", &url, "--state", state, "--config", config]);
    assert!(differs.contains("the cooldown is 604800, not 604801"), "{differs}");
}
