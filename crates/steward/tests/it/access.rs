//! Every route as every actor: who may not is told so before the body matters.

use alloy::primitives::B256;
use alloy::signers::local::PrivateKeySigner;
use anyhow::Result;
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::contribution::{CatchUpRequest, ScoresRequest, ScoringSharesRequest};
use rochdale_api::custody::{HeldRequest, OpeningsRequest};
use rochdale_api::member::{LeavesRequest, RowRequest};
use rochdale_api::reshare::ReshareRequest;
use rochdale_api::route::steward::{Access, OPENAPI, TABLE};
use rochdale_api::route::{Call, listed};
use rochdale_api::server::document;
use rochdale_core::ids::{ContributionId, Epoch};
use rochdale_steward::http;
use rochdale_testkit::anvil::role_key;
use serde_json::{Value, json};

use crate::world::{TestMember, World};

fn as_member(key: &PrivateKeySigner) -> TestMember {
    let row_key = rochdale_crypto::RowKey::random(&mut rand::rng());
    TestMember { key: key.clone(), id: 1.into(), row_key, nullifier: B256::ZERO }
}

/// A body that the route parses.
async fn body(world: &World, path: &str) -> Result<Value> {
    let ada = &world.coop.member_key(1);
    let sealed = json!({ "steward": 2, "sealed": "0x" });
    Ok(match path {
        "/v1/row-keys" => {
            json!({ "member_id": 1, "account": ada.address(), "nullifier": B256::ZERO, "sealed": sealed })
        }
        "/v1/row-keys/offers" => {
            json!({ "account": ada.address(), "nullifier": B256::ZERO, "row_key_digest": B256::ZERO,
            "deadline": 0, "registrar_signature": "0x", "sealed": sealed })
        }
        "/v1/consents" => json!({ "member_id": 1, "version": 1, "sealed": sealed }),
        "/v1/contributions" => serde_json::to_value(world.seal(&as_member(ada), b"a record").await?)?,
        "/v1/shares" => serde_json::to_value(ScoringSharesRequest {
            contributions: Vec::new(),
            scores: Vec::new(),
            reply_key: B256::ZERO,
        })?,
        "/v1/scores" | "/v1/awards" => json!([]),
        "/v1/scores/since" => serde_json::to_value(ScoresRequest { after: ContributionId(0) })?,
        "/v1/catch-up" => serde_json::to_value(CatchUpRequest::default())?,
        "/v1/reshare" => serde_json::to_value(ReshareRequest { generation: 1, records: Vec::new() })?,
        "/v1/awards/held" => json!({ "epoch": 1 }),
        "/v1/settlement/sheets" => json!({ "epoch": 1, "attempt": 0, "proposer": 1, "sealed": [], "header": header() }),
        "/v1/snapshots" | "/v1/debits" | "/v1/release" => json!({ "order": B256::ZERO, "sealed": "0x" }),
        "/v1/consents/revoke" => serde_json::to_value(world.deny(&as_member(ada), false).await?)?,
        "/v1/consents/erase" => serde_json::to_value(world.deny(&as_member(ada), true).await?)?,
        "/v1/settlement/copies" => json!({ "epoch": 1 }),
        "/v1/claim-leaves" => serde_json::to_value(LeavesRequest { epoch: Epoch(1), members: vec![1.into()] })?,
        "/v1/members/1/row" | "/v1/members/1/opening" => {
            serde_json::to_value(RowRequest { reply_key: B256::ZERO, epoch: None })?
        }
        "/v1/members/1/openings" => serde_json::to_value(OpeningsRequest { reply_key: B256::repeat_byte(9) })?,
        "/v1/members/1/held" => {
            serde_json::to_value(HeldRequest { reply_key: B256::repeat_byte(9), contributions: Vec::new() })?
        }
        _ => Value::Null,
    })
}

fn header() -> Value {
    let zero = "0x0";
    json!({ "epoch": 1, "attempt": 0, "previous_root": B256::ZERO, "root": B256::ZERO, "params_hash": B256::ZERO,
            "inputs_root": B256::ZERO, "sheet_digest": B256::ZERO, "sharers": 0, "payout": "0", "sum_usage": zero,
            "sum_data": zero, "sum_early": zero, "sum_data_award": zero, "sum_gov_award": zero, "cash_allocated": "0",
            "data_awarded": "0", "data_earned": "0", "gov_awarded": "0", "gov_earned": "0" })
}

const ACTORS: [&str; 6] = ["relayer", "steward-1", "worker", "member-1", "member-2", "nobody"];

fn may(access: Access, actor: &str) -> bool {
    match access {
        Access::Anyone => true,
        Access::Gateway => actor == "relayer",
        // Nobody awards here: there is no program.
        Access::Steward | Access::StewardOrAwarder => actor == "steward-1",
        Access::Worker => actor == "worker",
        Access::GatewayOrMember => actor == "relayer" || actor == "member-1",
        Access::ThatMember => actor == "member-1",
    }
}

async fn call(
    world: &World,
    method: &str,
    path: &str,
    body: &Value,
    key: &PrivateKeySigner,
) -> Result<Value, ClientError> {
    let client = world.client(2, key);
    let now = world.coop.chain.now().await.unwrap();
    match method {
        _ if listed(TABLE, method, path).is_some_and(|route| route.sealed) => {
            let call = Call::unlisted("POST", path.to_owned());
            rochdale_node::sealed::post(&client, world.sealing_of(2), call, body, now).await
        }
        "GET" => client.get_signed(Call::unlisted("GET", path.to_owned()), now).await,
        _ => client.post_signed(Call::unlisted("POST", path.to_owned()), body, now).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_takes_its_callers_and_no_others() -> Result<()> {
    let world = World::start(&[2]).await?;
    world.member(1).await?;
    world.member(2).await?;
    for route in TABLE {
        let (method, access) = (route.method, route.access);
        let path = route.path.replace("{member}", "1").replace("{epoch}", "1").replace("{generation}", "2");
        let body = body(&world, &path).await?;
        for actor in ACTORS {
            let answer = call(&world, method, &path, &body, &role_key(actor)).await;
            let code = answer.as_ref().err().map(ClientError::code);
            if may(access, actor) {
                let told_off = matches!(code, Some(ProblemCode::Forbidden | ProblemCode::Unauthenticated));
                // A sheet of another's turn is refused by content, which says so.
                let by_content = code == Some(ProblemCode::Forbidden) && path == "/v1/settlement/sheets";
                assert!(!told_off || by_content, "{method} {path} as {actor}: {answer:?}");
                assert_ne!(
                    code,
                    Some(ProblemCode::BadRequest).filter(|_| !path.starts_with("/v1/row-keys")),
                    "{path} as {actor}: {answer:?}"
                );
            } else {
                assert_eq!(code, Some(ProblemCode::Forbidden), "{method} {path} as {actor}: {answer:?}");
            }
        }
        let unsigned = match method {
            "GET" => world.client(2, &role_key("nobody")).get::<Value>(Call::unlisted("GET", path.clone())).await,
            _ => {
                world
                    .client(2, &role_key("nobody"))
                    .post::<Value, Value>(Call::unlisted("POST", path.clone()), &body)
                    .await
            }
        };
        let code = unsigned.as_ref().err().map(ClientError::code);
        if access == Access::Anyone {
            assert_ne!(code, Some(ProblemCode::Unauthenticated), "{path}: {unsigned:?}");
        } else {
            assert_eq!(code, Some(ProblemCode::Unauthenticated), "{path}: {unsigned:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_path_is_a_problem_document() -> Result<()> {
    let world = World::start(&[2]).await?;
    for path in ["/v1/erasures/ada", "/v1/erasures/-1", "/v1/settlement/answers/4294967296", "/v1/erasures/%FF"] {
        let client = world.client(2, &role_key("nobody"));
        let error = client.get::<Value>(Call::unlisted("GET", path)).await.unwrap_err();
        assert_eq!(error.code(), ProblemCode::BadRequest, "{path}: {error}");
        assert!(error.to_string().contains("path: "), "{path}: {error}");
    }
    Ok(())
}

#[test]
fn the_table_is_the_router_and_the_document() {
    let document = http::document();
    assert_eq!(document::differences(&document, TABLE, &[OPENAPI.path]), Vec::<String>::new());
    assert_eq!(document::gaps(&document), Vec::<String>::new());
}
