//! Every endpoint against every actor.

use alloy::signers::local::PrivateKeySigner;
use reqwest::Method;
use rochdale_api::auth::{self, Described};
use rochdale_api::contribution::ContributionStatus;
use rochdale_api::route::gateway;
use rochdale_api::route::gateway::{Access, TABLE};
use rochdale_crypto::Cid;
use rochdale_testkit::anvil::role_key;

use crate::rig::Rig;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Actor {
    Nobody,
    Owner,
    OtherMember,
    Steward,
    Worker,
    Researcher,
}

const ACTORS: [Actor; 6] =
    [Actor::Nobody, Actor::Owner, Actor::OtherMember, Actor::Steward, Actor::Worker, Actor::Researcher];

impl Actor {
    fn key(self, rig: &Rig) -> Option<PrivateKeySigner> {
        match self {
            Self::Nobody => None,
            Self::Owner => Some(rig.coop.member_key(1)),
            Self::OtherMember => Some(rig.coop.member_key(2)),
            Self::Steward => Some(rig.coop.stewards[1].clone()),
            Self::Worker => Some(rig.coop.worker.clone()),
            Self::Researcher => Some(role_key("researcher")),
        }
    }

    fn may(self, access: Access) -> bool {
        match access {
            Access::Public | Access::Statement | Access::Upload => true,
            Access::Blob => matches!(self, Self::Owner | Self::Worker),
            // Nobody here has the key that the path names.
            Access::Locker => false,
            // No steward has a permit here.
            Access::Scorer => false,
            Access::Steward => self == Self::Steward,
            Access::Worker => self == Self::Worker,
            Access::WorkerOrSteward => matches!(self, Self::Steward | Self::Worker),
        }
    }
}

fn body(path: &str) -> Vec<u8> {
    let signature = format!("0x{}", "11".repeat(65));
    let (word, address) = (format!("0x{}", "00".repeat(32)), format!("0x{}", "00".repeat(20)));
    let value = match path {
        "/v1/debits" => serde_json::json!({
            "debit": {"license_id": 1, "order": word, "query_digest": word, "snapshot": word, "purpose": 4, "rho": 1, "deadline": 1},
            "signatures": []}),
        "/v1/receipts" => serde_json::json!({
            "order": word, "result_digest": word, "worker": address, "worker_signature": signature}),
        "/v1/settlement/proposals" => {
            let zero = "0";
            serde_json::json!({"signatures": [], "header": {
                "epoch": 1, "attempt": 0, "previous_root": word, "root": word, "params_hash": word, "inputs_root": word,
                "sheet_digest": word, "sharers": 0, "payout": zero, "sum_usage": "0x0", "sum_data": "0x0", "sum_early": "0x0",
                "sum_data_award": "0x0", "sum_gov_award": "0x0", "cash_allocated": zero, "data_awarded": zero,
                "data_earned": zero, "gov_awarded": zero, "gov_earned": zero}})
        }
        "/v1/settlement/answers" => serde_json::json!({"epoch": 1, "attempt": 0, "leaf": {
            "member_id": 1, "cash": "0", "stream": "0", "data": "0", "gov": "0", "private_hash": word, "proof": []}}),
        "/v1/claims" => serde_json::json!({}),
        "/v1/sealing-keys" => serde_json::json!({"steward": 2, "sealing_key": word, "signature": signature}),
        _ if path.starts_with("/v1/blobs/") => serde_json::json!({"permits": []}),
        _ => return b"{}".to_vec(),
    };
    serde_json::to_vec(&value).unwrap()
}

async fn status(rig: &Rig, method: &str, path: &str, actor: Actor, blob: &[u8]) -> u16 {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let method: Method = method.parse().unwrap();
    let body = match method.as_str() {
        "PUT" => blob.to_vec(),
        "POST" => body(path),
        _ => Vec::new(),
    };
    let mut request =
        http.request(method.clone(), format!("{}{path}", rig.url())).header("content-type", "application/json");
    if let Some(key) = actor.key(rig) {
        let domain = auth::domain(31_337, rig.coop.manifest.addresses.steward_committee);
        let nonce = alloy::primitives::U256::from_be_bytes(rand::random::<[u8; 32]>());
        let deadline = rig.now().await + 60;
        let audience = role_key("relayer").address();
        let described = Described { audience, method: method.as_str(), path, body: &body, nonce, deadline };
        let signature = alloy::signers::SignerSync::sign_hash_sync(&key, &described.digest(&domain)).unwrap();
        request = request
            .header(auth::SIGNER, key.address().to_string())
            .header(auth::NONCE, nonce.to_string())
            .header(auth::DEADLINE, deadline.to_string())
            .header(auth::SIGNATURE, alloy::primitives::hex::encode_prefixed(signature.as_bytes()));
    }
    request.body(body).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn every_endpoint_knows_who_may_call_it() {
    let rig = Rig::new().await;
    let (key, id) = rig.member(1).await;
    rig.join(&rig.coop.member_key(2)).await;
    let (package, blob) = rig.package(&key, id).await;
    let cid: Cid = rig.put(blob.clone()).await;
    let _: ContributionStatus = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap();
    for route in TABLE {
        let (method, access) = (route.method, route.access);
        let path = route
            .path
            .replace("{cid}", &cid.to_string())
            .replace("{commitment}", &package.commitment.to_string())
            .replace("{address}", &key.address().to_string())
            .replace("{epoch}", "1")
            .replace("{id}", "1");
        for actor in ACTORS {
            let status = status(&rig, method, &path, actor, &blob).await;
            let expected = match (actor.may(access), actor) {
                (true, _) => "let in",
                (false, Actor::Nobody) => "401",
                (false, _) => "403",
            };
            let got = match status {
                401 => "401",
                403 => "403",
                404 | 405 if access.is_signed() => "not found",
                500 => "an internal error",
                _ => "let in",
            };
            assert_eq!(got, expected, "{method} {path} by {actor:?}: status {status}");
        }
    }
}
