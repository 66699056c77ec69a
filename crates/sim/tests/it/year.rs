//! A year on a chain that is none of ours, whose time passes by itself and whose money has to be there already; and one
//! year on two machines.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, TxKind, U256};
use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi as _;
use alloy::rpc::types::anvil::MineOptions;
use rochdale_chain::bindings::TestUSDC;
use rochdale_chain::client::{Chain, ChainOptions, ManualClock, Sender};
use rochdale_chain::local::{Anvil, AnvilOptions, key};
use rochdale_sim::year::{Act, FEWEST, Ground, Node, Outcome, Over, Plan, SHORTEST, run};
use rochdale_testkit::anvil::{GENESIS_TIME, connect, role_key};
use tokio::sync::mpsc;

const CHAIN: u64 = 42_424;

/// A token with permits and six decimals, much of it with `payer`: what USDC is to a year on a public chain. The test
/// token can be created on the local chain alone, so its code is carried over from one.
async fn money(chain: &Chain, payer: &Sender) -> Address {
    let home = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let (there, _) = connect(&home.url()).await.unwrap();
    let founder = Sender::new(there.clone(), role_key("founder"));
    there.provider().anvil_set_balance(founder.address(), U256::from(10).pow(U256::from(24))).await.unwrap();
    let created = founder.send_raw(TxKind::Create, TestUSDC::BYTECODE.clone(), "TestUSDC").await.unwrap().created;
    let usdc = created.unwrap();
    let code = there.provider().get_code_at(usdc).await.unwrap();
    chain.provider().anvil_set_code(usdc, code).await.unwrap();
    let mint = TestUSDC::mintCall { to: payer.address(), amount: U256::from(10).pow(U256::from(15)) };
    payer.send(usdc, &mint).await.unwrap();
    usdc
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_passes_on_a_chain_that_cannot_be_moved_from_within() {
    let options = AnvilOptions { chain_id: CHAIN, genesis_timestamp: Some(GENESIS_TIME), ..AnvilOptions::default() };
    let anvil = Anvil::spawn(&options).unwrap();
    let clock = Arc::new(ManualClock::default());
    let chain = Chain::connect(&anvil.url(), ChainOptions::new(CHAIN), clock).await.unwrap();
    let payer = key("a year elsewhere", "payer");
    chain.provider().anvil_set_balance(payer.address(), U256::from(10).pow(U256::from(24))).await.unwrap();
    let usdc = money(&chain, &Sender::new(chain.clone(), payer.clone())).await;

    // The only one who moves this chain is the test, when it hears what is waited for.
    let (awaited, mut times) = mpsc::unbounded_channel();
    let provider = chain.provider().clone();
    let mover = tokio::spawn(async move {
        while let Some(mut time) = times.recv().await {
            // On a busy machine it is asked faster than it moves: the last word counts.
            while let Ok(later) = times.try_recv() {
                time = later;
            }
            let latest = provider.get_block(alloy::eips::BlockId::latest()).await.unwrap().unwrap();
            if latest.header.timestamp < time {
                let jump = MineOptions::Options { timestamp: Some(time), blocks: Some(1) };
                provider.evm_mine(Some(jump)).await.unwrap();
            }
            provider.anvil_mine(Some(2), Some(1)).await.unwrap();
        }
    });
    let ground = Ground {
        node: Node::Rpc(anvil.url()),
        chain_id: Some(CHAIN),
        payer: Some(payer),
        usdc: Some(usdc),
        awaited: Some(awaited),
        poll: Some(Duration::from_millis(20)),
    };
    let plan = Plan { epochs: SHORTEST, members: FEWEST, seed: 2 };
    let over = run(plan, &ground, &mut |_| {}).await.unwrap();
    assert_eq!(over.tally.ended(Outcome::Settled), u64::from(SHORTEST));
    assert!(over.tally.missing().is_empty() && over.tally.of(Act::Contest) == 1);
    assert_eq!(over.transcript.epochs.len() as u32, SHORTEST);
    mover.abort();
}

async fn year_on(node: Node) -> Over {
    let plan = Plan { epochs: SHORTEST, members: FEWEST, seed: 3 };
    run(plan, &Ground { node, ..Ground::default() }, &mut |_| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_gives_one_year_on_anvil_and_on_revm() {
    let (anvil, revm) = tokio::join!(year_on(Node::Anvil), year_on(Node::Revm));
    assert_eq!(anvil.deeds, revm.deeds);
    assert_eq!(anvil.tally, revm.tally);
    assert_eq!(anvil.transactions, revm.transactions);
    let roots = |over: &Over| over.transcript.epochs.iter().map(|epoch| epoch.root).collect::<Vec<_>>();
    assert_eq!(roots(&anvil), roots(&revm));
    assert_eq!(roots(&revm).len() as u32, SHORTEST);
}

#[tokio::test]
async fn a_plan_that_is_too_small_for_the_script_is_refused() {
    for (plan, word) in [
        (Plan { epochs: SHORTEST - 1, ..Plan::default() }, "too short"),
        (Plan { members: FEWEST - 1, ..Plan::default() }, "too few"),
    ] {
        let refused = run(plan, &Ground::default(), &mut |_| {}).await.err().unwrap().to_string();
        assert!(refused.contains(word), "{refused}");
    }
    let elsewhere = Ground { node: Node::Rpc("http://127.0.0.1:1".to_owned()), ..Ground::default() };
    assert!(run(Plan::default(), &elsewhere, &mut |_| {}).await.is_err(), "nobody answers there");
}
