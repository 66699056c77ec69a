//! An index keeps up with quick blocks behind a slow RPC: requests are batched and go side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alloy::transports::http::reqwest;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use rochdale_chain::events::{Follower, MemoryStore};
use rochdale_testkit::anvil::{TestCoop, connect};

const LATENCY: Duration = Duration::from_millis(200);
const BLOCK: Duration = Duration::from_millis(250);
const BLOCKS: u32 = 24;

/// An RPC that answers each request after [`LATENCY`], and how many it answered.
struct Slow {
    url: String,
    requests: Arc<AtomicU64>,
}

async fn slow(upstream: String) -> Slow {
    let requests = Arc::new(AtomicU64::new(0));
    let state = (upstream, Arc::clone(&requests), reqwest::Client::new());
    let answer = async |State((url, count, http)): State<(String, Arc<AtomicU64>, reqwest::Client)>, body: String| {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(LATENCY).await;
        let sent = http.post(url).header("content-type", "application/json").body(body).send().await.unwrap();
        ([("content-type", "application/json")], sent.text().await.unwrap())
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(answer)).with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Slow { url, requests }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_keeps_up_with_four_blocks_a_second_at_200_ms_an_answer() {
    let coop = Arc::new(TestCoop::deploy().await.unwrap());
    let rpc = slow(coop.anvil.url()).await;
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
    let before = rpc.requests.load(Ordering::SeqCst);
    while !mining.is_finished() {
        let start = Instant::now();
        let progress = follower.step().await.unwrap();
        slowest = slowest.max(start.elapsed());
        steps += 1;
        let head = coop.chain.head().await.unwrap().latest.number;
        furthest = furthest.max(head - progress.cursor.number);
    }
    let requests = rpc.requests.load(Ordering::SeqCst) - before;
    mining.await.unwrap();
    follower.step().await.unwrap();
    assert_eq!(follower.store().events(), coop.history().await.unwrap());
    println!("{steps} steps, {requests} requests, slowest step {slowest:?}, at most {furthest} blocks behind");
    assert!(requests <= steps * 5, "{requests} requests in {steps} steps");
    assert!(furthest <= 8, "{furthest} blocks behind, at {} ms a block", BLOCK.as_millis());
}
