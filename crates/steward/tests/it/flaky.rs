//! An RPC that is out of breath or wrong for a moment makes no honest root false.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy::primitives::{Address, U256};
use alloy::transports::http::reqwest;
use anyhow::Result;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use rochdale_api::route::steward;
use rochdale_api::settlement::AwardMessage;
use rochdale_chain::account::{Recovery, message_digest};
use rochdale_chain::bindings::{MemberAccountFactory, Programs};
use rochdale_chain::deploy::account_factory;
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_core::ids::Epoch;
use rochdale_node::sealed;
use rochdale_steward::config::Objection;
use rochdale_testkit::passkey::Passkey;
use serde_json::{Value, json};

use crate::world::World;

/// What steward 3's RPC says when it is asked for a contract's word on a signature.
#[derive(Clone)]
struct Moment {
    to: String,
    /// How often it says `instead` before it asks the node.
    left: Arc<AtomicUsize>,
    said: Arc<AtomicUsize>,
    instead: Value,
}

/// Calls without a recipient are those that ask a contract account for its word.
async fn pass(State(moment): State<Moment>, Json(body): Json<Value>) -> Json<Value> {
    let asks = body["method"] == "eth_call" && body["params"][0]["to"].is_null();
    let takes = |left: usize| left.checked_sub(1);
    if asks && moment.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, takes).is_ok() {
        moment.said.fetch_add(1, Ordering::SeqCst);
        let mut answer = moment.instead.clone();
        answer["jsonrpc"] = "2.0".into();
        answer["id"] = body["id"].clone();
        return Json(answer);
    }
    match reqwest::Client::new().post(&moment.to).json(&body).send().await {
        Ok(answer) => Json(answer.json().await.unwrap_or_default()),
        Err(_) => Json(Value::Null),
    }
}

/// Stewards 1 and 2 settle an epoch with an award that a contract vouches for; steward 3, which objects by itself, hears `instead`
/// for the first `times` that it asks the contract.
async fn settles(instead: Value, times: usize) -> Result<()> {
    let mut world = World::start(&[1, 2]).await?;
    let moment = Moment { to: world.coop.anvil.url(), left: Arc::default(), said: Arc::default(), instead };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    world.configs[2].rpc_url = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/", post(pass)).with_state(moment.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let key_file = world.configs[2].key_file.clone();
    world.configs[2].objection = Some(Objection { key_file, max_wei: 50_000_000_000_000_000 });
    world.up(3).await?;
    world.coop.sender("steward-3").await?;
    let ada = world.member(1).await?;
    let (a, domain) = (world.coop.manifest.addresses, world.coop.manifest.programs_domain());
    let passkey = Passkey::named("committee");
    let (qx, qy) = passkey.public();
    let recovery = Recovery { guardians: Vec::new(), threshold: 0, delay: 0 };
    let at = MemberAccountFactory::accountAtCall { qx, qy, recovery: recovery.clone() };
    let awarder: Address = world.coop.chain.view(account_factory().1, &at).await?;
    world.coop.founder.send(account_factory().1, &MemberAccountFactory::createCall { qx, qy, recovery }).await?;
    let p = Programs::Program { awarder, kind: 4, capPerEpoch: 50_000, capPerMember: 20_000, open: true };
    world.decide(a.token_timelock, a.programs, &Programs::setProgramCall { programId: 4, p }).await?;
    world
        .until("the program", async || {
            let mirrors = (1..=3).map(|seat| world.steward(seat).mirror()).collect::<Result<Vec<_>, _>>()?;
            Ok(mirrors.iter().all(|m| m.latest.programs.contains_key(&4)))
        })
        .await?;
    let nonce = U256::from(1);
    let message = eip712::Award { programId: 4, memberId: ada.id.0, epoch: 1, points: 12_000, nonce };
    let signature = passkey.sign(message_digest(31_337, awarder, eip712::digest(&message, &domain)));
    let good = AwardMessage { program: 4, member_id: ada.id, epoch: Epoch(1), points: 12_000, nonce, signature };
    let now = world.now().await?;
    let client = world.client(2, &world.coop.member_key(1));
    let () = sealed::post(&client, world.sealing_of(2), steward::AWARDS, &vec![good], now).await?;
    // Attempt 0 of epoch 1 is steward 2's; 1 and 2 sign, as 3 is down until the root is on chain.
    world.down(3).await?;
    world.attempt(1, 0).await?;
    world.settled_at(&[1, 2], 1).await?;
    moment.left.store(times, Ordering::SeqCst);
    world.up(3).await?;
    world.settled_at(&[3], 1).await?;
    assert!(moment.said.load(Ordering::SeqCst) >= 1, "it was said");
    assert!(world.steward(3).store.halts().await?.is_empty());
    let paid = 12_000 * world.coop.manifest.ledger.data_per_point / 10_000;
    assert_eq!(world.header(1).await?.data_awarded, paid);
    let objected = world.coop.history().await?.into_iter().any(|e| matches!(e.event, Event::Objected { .. }));
    assert!(!objected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limited_rpc_makes_no_honest_root_false() -> Result<()> {
    settles(json!({ "error": { "code": -32005, "message": "daily request count exceeded, request rate limited" } }), 3)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_is_false_when_two_rounds_say_so_and_not_before() -> Result<()> {
    // As if the contract had reverted: gas left, no success, no data.
    let word = |n: u64| format!("{n:064x}");
    let no = format!("0x{}{}{}{}", word(7_000_000), word(0), word(0), word(0));
    settles(json!({ "result": no }), 1).await
}
