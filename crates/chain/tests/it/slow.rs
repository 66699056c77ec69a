//! An index keeps up with quick blocks behind a slow RPC: requests are batched and go side by side.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rochdale_chain::client::{Chain, ChainError, ChainOptions, ManualClock};
use rochdale_chain::events::{Follower, MemoryStore};
use rochdale_testkit::anvil::{TestCoop, connect};
use rochdale_testkit::wire::Wire;

const LATENCY: Duration = Duration::from_millis(200);
const BLOCK: Duration = Duration::from_millis(250);
const BLOCKS: u32 = 24;

#[tokio::test(flavor = "multi_thread")]
async fn an_index_keeps_up_with_four_blocks_a_second_at_200_ms_an_answer() {
    let coop = Arc::new(TestCoop::deploy().await.unwrap());
    let rpc = Wire::to(coop.anvil.url()).await.unwrap();
    rpc.delay(LATENCY);
    let (chain, _) = connect(&rpc.url).await.unwrap();
    let mut follower = Follower::new(chain, &coop.manifest, MemoryStore::default());
    follower.step().await.unwrap();
    // An event in each block, which costs the reader most.
    let mining = tokio::spawn({
        let coop = Arc::clone(&coop);
        async move {
            let mut tick = tokio::time::interval(BLOCK);
            for n in 1..=BLOCKS {
                tick.tick().await;
                coop.join(&coop.member_key(n)).await.unwrap();
            }
        }
    });
    let (mut steps, mut slowest, mut furthest) = (0u64, Duration::ZERO, 0);
    drop(rpc.take());
    while !mining.is_finished() {
        let start = Instant::now();
        let progress = follower.step().await.unwrap();
        slowest = slowest.max(start.elapsed());
        steps += 1;
        let head = coop.chain.head().await.unwrap().latest.number;
        furthest = furthest.max(head - progress.cursor.number);
    }
    let requests = rpc.take().len() as u64;
    mining.await.unwrap();
    follower.step().await.unwrap();
    assert_eq!(follower.store().events(), coop.history().await.unwrap());
    println!("{steps} steps, {requests} requests, slowest step {slowest:?}, at most {furthest} blocks behind");
    assert!(requests <= steps * 5, "{requests} requests in {steps} steps");
    assert!(furthest <= 8, "{furthest} blocks behind, at {} ms a block", BLOCK.as_millis());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_rpc_is_asked_where_one_does_not_answer_or_stands_still() {
    let coop = TestCoop::deploy().await.unwrap();
    let (first, second) = (Wire::to(coop.anvil.url()).await.unwrap(), Wire::to(coop.anvil.url()).await.unwrap());
    let clock = Arc::new(ManualClock::default());
    let options = ChainOptions::new(31_337);
    first.cut(true);
    let chain =
        Chain::connect_any(&first.url, std::slice::from_ref(&second.url), options, clock.clone()).await.unwrap();
    first.cut(false);
    let asked = || (first.take().len(), second.take().len());
    let _ = asked();
    chain.head().await.unwrap();
    assert_eq!(asked(), (1, 0), "in the order of the configuration");
    first.cut(true);
    chain.head().await.unwrap();
    chain.head().await.unwrap();
    assert_eq!(asked(), (1, 2), "who did not answer is not asked again and again");
    second.cut(true);
    first.cut(false);
    chain.head().await.unwrap();
    assert_eq!(asked(), (1, 1), "and back");
    second.cut(false);
    clock.advance(options.stale_after * 2);
    assert!(matches!(chain.head().await, Err(ChainError::Stale { .. })));
    let _ = asked();
    coop.local.mine(1).await.unwrap();
    chain.head().await.unwrap();
    assert_eq!(asked(), (0, 1), "whose head stands still is left");
    let other = TestCoop::deploy().await.unwrap();
    let strange = ChainOptions::new(1);
    let urls = [other.anvil.url()];
    assert!(matches!(Chain::connect_any(&second.url, &urls, strange, clock).await, Err(ChainError::WrongChain { .. })));
    first.cut(true);
    second.cut(true);
    assert!(chain.head().await.unwrap_err().is_transient());
}
