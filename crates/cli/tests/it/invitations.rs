//! Issue 12, points 1 and 2: the registrar is a process beside the others, and its office invites people.

use crate::support::{Up, json, port, refuses};
use alloy::primitives::Address;
use rochdale_api::ProblemCode;
use rochdale_api::client::{Client, ClientError};
use rochdale_api::member::{Admissions, JoinRequest, Joined};
use rochdale_api::route::gateway;
use rochdale_api::status::Cooperative;
use rochdale_chain::deploy::Manifest;
use rochdale_client::Site;
use rochdale_client::code::Code;
use rochdale_client::invitation::Invited;
use rochdale_crypto::RowKey;
use serde_json::Value;
use std::path::Path;

const WITHOUT: &[&str] = &["--without", "worker"];

/// Applies at a gateway with a code, as a browser does.
async fn apply(url: &str, code: &str, account: Address) -> Result<JoinRequest, ClientError> {
    let gateway = Client::new(url)?;
    let Cooperative { manifest, stewards, quorum, now, .. } = gateway.get(gateway::COOPERATIVE).await?;
    let manifest: Manifest = serde_json::from_value(manifest).unwrap();
    let site = Site { contracts: manifest.contracts(), stewards, quorum };
    let (code, row_key) = (Code::read(code).unwrap(), RowKey::from_bytes([7; 32]));
    let invited = Invited { site: &site, code: &code, account, row_key: &row_key };
    let asked = invited.apply(now + 3_600, &mut rand::rng()).unwrap();
    gateway.post(gateway::ADMISSION, &asked).await
}

async fn admissions(url: &str) -> Admissions {
    Client::new(url).unwrap().get(gateway::ADMISSIONS).await.unwrap()
}

/// What `rochdale up` wrote before there was a registrar: no port of one, no file for it.
fn make_old(state: &Path) {
    let path = state.join("layout.json");
    let mut layout: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(layout.as_object_mut().unwrap().remove("registrar_port").is_some());
    std::fs::write(&path, layout.to_string()).unwrap();
    std::fs::remove_dir_all(state.join("registrar")).unwrap();
}

#[tokio::test]
async fn the_office_invites_whoever_has_a_code_joins_once_and_a_state_of_before_gets_a_registrar() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("coop"), port());
    Up::start_with(&state, port, WITHOUT).stop();
    make_old(&state);
    let up = Up::start_with(&state, port, WITHOUT);
    assert!(admissions(&up.url).await.open);

    let made = up.json(&["registrar", "invite", "--count", "2", "--days", "3", "--note", "open day"]);
    let (first, second) = (&made[0], &made[1]);
    let code = first["code"].as_str().unwrap();
    assert_eq!(first["link"], format!("http://localhost:{port}/join#{code}"));
    assert_eq!(first["expires"].as_u64().unwrap() - first["made"].as_u64().unwrap(), 3 * 86_400);

    let ada = Address::repeat_byte(0xad);
    let admission = apply(&up.url, first["link"].as_str().unwrap(), ada).await.unwrap();
    let joined: Joined = Client::new(&up.url).unwrap().post(gateway::JOIN, &admission).await.unwrap();
    assert!(joined.pending_stewards.is_empty());
    let refused = apply(&up.url, code, Address::repeat_byte(0xb0)).await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::Conflict, "{refused}");

    let id = second["id"].as_str().unwrap();
    assert_eq!(up.json(&["registrar", "withdraw", id])["state"], "withdrawn");
    let all = up.json(&["registrar", "invitations"]);
    let of = |id: &Value| all.as_array().unwrap().iter().find(|view| view["id"] == *id).unwrap();
    assert_eq!((&of(&first["id"])["state"], &of(&first["id"])["member"]), (&"joined".into(), &1.into()));
    assert_eq!(of(&second["id"])["state"], "withdrawn");
    assert!(!all.to_string().contains(code), "a code is listed");
    // What was used stays used, for this person too.
    let said = up.refuses(&["registrar", "withdraw", first["id"].as_str().unwrap()], 3);
    assert!(said.contains("cannot be taken back"), "{said}");

    // Whoever has another key is not the office; who is not there is named with what to do.
    let other = dir.path().join("other.key");
    json(&["key", "new", "--json", other.to_str().unwrap()]);
    let said = up.refuses(&["registrar", "invite", "--key", other.to_str().unwrap()], 3);
    assert!(said.contains("does not sign with this key") && said.contains("--key"), "{said}");
    let said = up.refuses(&["registrar", "invitations", "--registrar", "http://127.0.0.1:9"], 4);
    assert!(said.contains("no registrar answers") && said.contains("rochdale up --only registrar"), "{said}");
    let elsewhere = dir.path().join("elsewhere");
    let key = state.join("offices/registrar.key");
    let (elsewhere, key) = (elsewhere.to_str().unwrap(), key.to_str().unwrap());
    let said = refuses(&["registrar", "invite", "--json", "--state", elsewhere, "--url", &up.url, "--key", key], 3);
    assert!(said.contains("runs no registrar") && said.contains("--registrar"), "{said}");
    up.stop();
}

#[tokio::test]
async fn without_a_registrar_nobody_is_admitted_and_the_gateway_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let up = Up::start_with(&dir.path().join("coop"), port(), &["--without", "worker", "--without", "registrar"]);
    assert!(!admissions(&up.url).await.open);
    let refused = apply(&up.url, &"0".repeat(26), Address::repeat_byte(1)).await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::PeerUnavailable, "{refused}");
    let said = up.refuses(&["registrar", "invite"], 4);
    assert!(said.contains("no registrar answers"), "{said}");
    up.stop();
}
