//! The index through restarts, and what is said when the chain cannot be read.

use std::time::Duration;

use rochdale_api::ProblemCode;
use rochdale_api::route::{Call, HEALTH, OPENAPI, gateway};
use rochdale_api::status::{Cooperative, DatasetView, EpochView, Health, LicenseView, TreasuryView};
use rochdale_chain::deploy::CoopConfig;
use rochdale_chain::local::AnvilOptions;
use rochdale_core::ids::{DatasetId, Purpose};
use rochdale_gateway::run::{RunError, assemble};
use rochdale_testkit::anvil::{TestCoop, role_key};

use crate::rig::Rig;

#[tokio::test]
async fn the_index_goes_on_where_it_was_and_shows_the_books() {
    let mut rig = Rig::new().await;
    rig.coop.approve_researcher(Purpose(4)).await.unwrap();
    let license = rig.coop.buy(DatasetId(1), 1_000, Purpose(4)).await.unwrap();
    let holder = rig.coop.researcher.address();
    let before: Vec<LicenseView> =
        rig.client().get(Call::from(gateway::LICENSES).with("holder", holder)).await.unwrap();
    assert_eq!((before.len(), before[0].license_id, before[0].records), (1, license, 1_000));
    let money: TreasuryView = rig.client().get(gateway::TREASURY).await.unwrap();
    assert_eq!(
        (money.contributors, money.operations, money.compliance, money.reserve),
        (187_500_000, 37_500_000, 12_500_000, 12_500_000)
    );

    rig.stop().await;
    rig.coop.join(&rig.coop.member_key(1)).await.unwrap();
    rig.start().await;
    let coop: Cooperative = rig.client().get(gateway::COOPERATIVE).await.unwrap();
    assert_eq!((coop.members, coop.quorum, coop.stewards.len(), coop.epoch.0), (1, 2, 3, 1));
    assert_eq!(coop.manifest, serde_json::to_value(&rig.coop.manifest).unwrap());
    let one: LicenseView = rig.client().get(gateway::LICENSE.at(license)).await.unwrap();
    assert_eq!(one, before[0]);
    let none: Vec<LicenseView> =
        rig.client().get(Call::from(gateway::LICENSES).with("holder", rig.coop.worker.address())).await.unwrap();
    assert!(none.is_empty());
    let datasets: Vec<DatasetView> = rig.client().get(gateway::DATASETS).await.unwrap();
    assert_eq!(datasets.iter().map(|d| d.dataset.0).collect::<Vec<_>>(), [1, 2]);
    let epoch: EpochView = rig.client().get(gateway::EPOCH.at(1)).await.unwrap();
    assert_eq!((epoch.state.as_str(), epoch.header), ("running", None));
    let error = rig.client().get(gateway::EPOCH.at(2)).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::NotFound);
    let account = rig.coop.member_key(1).address();
    let member: rochdale_api::status::MemberView = rig.client().get(gateway::MEMBER_OF.at(account)).await.unwrap();
    assert_eq!((member.member_id.0, member.consent.as_str()), (1, "none"));
}

/// Public answers are kept between two questions (`http/views.rs`): what the chain shows to the next block, the rest to the next request that
/// changes something.
#[tokio::test]
async fn who_asks_again_sees_every_block_and_every_write() {
    let rig = Rig::new().await;
    let key = rig.coop.member_key(1);
    let id = rig.join(&key).await.member_id;
    for _ in 0..20 {
        rig.coop.local.mine(1).await.unwrap();
        let head = rig.coop.chain.head().await.unwrap();
        for _ in 0..2 {
            let coop: Cooperative = rig.client().get(gateway::COOPERATIVE).await.unwrap();
            assert_eq!((coop.now, coop.finalized.number), (head.latest.timestamp, head.finalized.number));
        }
    }
    assert_eq!(rig.view(id).await.consent, "none");
    rig.grant(&key, id).await;
    assert_eq!(rig.view(id).await.consent, "granted");
    // Of what is on no chain, too.
    let polls = async || rig.client().get(gateway::POLLS).await.unwrap().len();
    assert_eq!(polls().await, 0);
    rig.coop.local.time_to(rig.now().await + 31 * 86_400, 1).await.unwrap();
    assert_eq!(polls().await, 0);
    rig.hold_poll(id, &key, "Shall study 12 be joined?").await;
    assert_eq!(polls().await, 1);
    // Many at once are answered alike.
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let client = rig.client();
        asking.spawn(async move { client.get(gateway::TREASURY).await.unwrap() });
    }
    let answers = asking.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[tokio::test]
async fn while_the_rpc_is_down_health_and_problems_say_so() {
    let mut rig = Rig::new().await;
    let key = rig.coop.member_key(1);
    let request = rig.join_request(&key).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let spare = rochdale_chain::local::Anvil::spawn(&rochdale_chain::local::AnvilOptions::default()).unwrap();
    std::mem::replace(&mut rig.coop.anvil, spare).stop();

    let answer = http.get(format!("{}{}", rig.url(), HEALTH.path)).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    let health: Health = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert!(!health.ok && health.problems.iter().any(|p| p.contains("does not answer")), "{:?}", health.problems);
    for path in [gateway::COOPERATIVE.path, gateway::TREASURY.path, &*gateway::MEMBER.at(1).path] {
        let error = rig.client().get::<serde_json::Value>(Call::unlisted("GET", path.to_owned())).await.unwrap_err();
        assert_eq!(error.code(), ProblemCode::ChainUnavailable, "{path}: {error}");
    }
    let error = rig.client().post(gateway::JOIN, &request).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::ChainUnavailable, "{error}");
    let page = http.get(rig.url()).send().await.unwrap();
    assert_eq!(page.status(), 503);
    assert!(page.text().await.unwrap().contains("cannot work"));
    // It still stops cleanly.
    tokio::time::timeout(Duration::from_secs(20), rig.stop()).await.unwrap();
}

#[tokio::test]
async fn a_chain_or_a_configuration_that_does_not_fit_is_named_at_the_start() {
    let rig = Rig::without_gateway(crate::rig::deploy().await).await;
    let mut config = rig.config();
    config.chain_id = 1;
    let error = assemble(config).await.err().unwrap();
    assert!(matches!(error, RunError::OtherChain { manifest: 31_337, configured: 1, .. }), "{error}");

    let options = rochdale_chain::local::AnvilOptions { chain_id: 5, ..Default::default() };
    let other = rochdale_chain::local::Anvil::spawn(&options).unwrap();
    let mut config = rig.config();
    config.rpc_url = other.url();
    let error = assemble(config).await.err().unwrap().to_string();
    assert!(error.contains("serves chain 5") && error.contains("chain 31337"), "{error}");

    let mut config = rig.config();
    config.rpc_url = "http://127.0.0.1:9".to_owned();
    let error = assemble(config).await.err().unwrap().to_string();
    assert!(error.contains("127.0.0.1:9 does not answer"), "{error}");

    let mut config = rig.config();
    config.stewards[1].steward = config.stewards[0].steward;
    let error = assemble(config).await.err().unwrap().to_string();
    assert!(error.contains("named twice"), "{error}");
}

#[tokio::test]
async fn the_page_is_plain_and_forbids_everything_from_elsewhere() {
    let rig = Rig::new().await;
    rig.member(1).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = http.get(rig.url()).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'nonce-"), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    let html = page.text().await.unwrap();
    assert!(
        html.contains("The gateway works.")
            && html.contains("<th scope=\"row\">Active members</th><td class=\"n\">1</td>"),
        "{html}"
    );
    assert!(!html.contains("<script") && !html.contains("http://") && !html.contains("https://"), "{html}");
    let document: serde_json::Value = rig.client().get(OPENAPI).await.unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let error = rig.client().get::<serde_json::Value>(Call::unlisted("GET", "/v1/nothing")).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::NotFound);
    let health: Health = rig.client().get(HEALTH).await.unwrap();
    assert_eq!(health.address, rig.coop.relayer.address());
}

#[tokio::test]
async fn a_chain_that_lost_what_was_final_is_said_and_nothing_is_promised_until_a_person_accepts_it() {
    let mut rig = Rig::new().await;
    rig.join(&rig.coop.member_key(1)).await;
    rig.coop.local.mine(12).await.unwrap();
    let head = rig.coop.chain.head().await.unwrap().latest.number;
    rig.until("indexed", async || rig.client().get(HEALTH).await.is_ok_and(|h| h.indexed == head)).await;
    rig.coop.local.reorg(14).await.unwrap();
    let said = async |rig: &Rig| {
        let answer = reqwest::get(format!("{}{}", rig.url(), HEALTH.path)).await.unwrap();
        let (status, health) = (answer.status().as_u16(), answer.json::<Health>().await.unwrap());
        (status == 503 && !health.ok).then(|| health.problems.join("; ")).filter(|p| p.contains("was final"))
    };
    rig.until("said", async || said(&rig).await.is_some()).await;
    let problems = said(&rig).await.unwrap();
    let named = problems.rsplit("accept_rollback = ").next().unwrap();
    let digits: String = named.chars().take_while(char::is_ascii_digit).collect();
    let shared: u64 = digits.parse().unwrap();
    assert!(shared < head - 2, "{problems}");
    let error = rig.client().get(gateway::COOPERATIVE).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::ChainUnavailable, "{error}");

    // The next process knows it, too, until a person accepts it.
    rig.stop().await;
    rig.accept_rollback = Some(shared);
    rig.start().await;
    let coop: Cooperative = rig.client().get(gateway::COOPERATIVE).await.unwrap();
    assert_eq!(coop.members, 0, "the admission went with the blocks");
    rig.join(&rig.coop.member_key(1)).await;
}

/// Issue 10, point 4: whom the chain disowns is not healthy, and says who is meant and what to do.
#[tokio::test]
async fn a_gateway_or_worker_that_the_chain_does_not_know_is_not_healthy() {
    let (other, worker) = (role_key("another gateway").address(), role_key("another worker").address());
    let elsewhere = move |config: &mut CoopConfig| {
        config.actors.gateway = other;
        config.actors.workers[0].signer = worker;
    };
    let coop = TestCoop::deploy_with(AnvilOptions::default(), elsewhere).await.unwrap();
    let mut rig = Rig::without_gateway(coop).await;
    rig.launch().await;
    let look = async || {
        let answer = reqwest::get(format!("{}{}", rig.url(), HEALTH.path)).await.unwrap();
        (answer.status().as_u16(), answer.json::<Health>().await.unwrap())
    };
    rig.until("indexed", async || look().await.1.indexed > 0).await;
    let (status, health) = look().await;
    assert_eq!((status, health.ok), (503, false), "{:?}", health.problems);
    let said = |text: &str| health.problems.iter().any(|problem| problem.contains(text));
    assert!(said(&format!("the chain names {other} as its gateway")), "{:?}", health.problems);
    assert!(said(&format!("the worker {} is not registered", rig.coop.worker.address())), "{:?}", health.problems);
}
