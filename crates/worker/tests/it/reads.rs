//! What one request asks of the RPC, at each process that it touches; and how long it takes where the RPC is slow.

use std::time::{Duration, Instant};

use crate::rig::{Rig, count};

const RHO: u64 = 1_000;

/// Requests that read. What sends a transaction and waits for its block is not among them, nor what reads the logs of new blocks:
/// that is done once for each block, for everybody.
fn reads(asked: &[Vec<String>]) -> usize {
    let other = ["eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getLogs"];
    asked.iter().filter(|methods| !methods.iter().any(|method| other.contains(&method.as_str()))).count()
}

/// Checks that nobody asked more often since the last look than `requests` that it answered may.
fn check(rig: &Rig, kind: &str, requests: usize) {
    let mut all = vec![("gateway".to_owned(), &rig.wires.gateway)];
    all.extend((1..).zip(&rig.wires.stewards).map(|(seat, wire)| (format!("steward {seat}"), wire)));
    for (who, wire) in all {
        let asked = wire.take();
        println!("{kind}: {who}: {} reads of {} requests: {asked:?}", reads(&asked), asked.len());
        assert!(reads(&asked) <= 3 * requests, "{kind}: {who} read {} times: {asked:?}", reads(&asked));
    }
    let asked = rig.wires.worker.take();
    println!("{kind}: worker: {} reads of {} requests: {asked:?}", reads(&asked), asked.len());
    assert!(reads(&asked) <= 3, "{kind}: the worker read {} times: {asked:?}", reads(&asked));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_request_reads_the_chain_at_most_three_times() {
    let mut rig = Rig::quiet(3, 100 * RHO).await;
    let license = rig.license(365 * 86_400).await;
    let _ = rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    let forget = |rig: &Rig| rig.wires.all().for_each(|wire| drop(wire.take()));

    let (offer, key) = rig.offer(4).await;
    forget(&rig);
    let held = rig.post_offer(&offer).await;
    check(&rig, "offer", 1);
    let id = rig.admit(offer, &held).await;
    check(&rig, "join", 1);
    let grant = rig.grant(&key, id).await;
    forget(&rig);
    rig.post_grant(&grant).await;
    check(&rig, "consent", 1);
    rig.members.push((key, id));
    let (package, blob) = rig.sealed(3).await;
    rig.upload(blob).await;
    forget(&rig);
    rig.post_package(&package).await;
    // The batch that records it is a request of its own, at the gateway.
    check(&rig, "contribution", 1);
    rig.recorded(&package).await;
    rig.settle().await;
    rig.worker.at_head().await.unwrap();

    // A record that the worker copies is a request of its own at the gateway: the copy is made before.
    let _ = rig.ask(&rig.order(&license, count(RHO + 2), |_| {}).await).await.unwrap();
    let order = rig.order(&license, count(RHO + 1), |_| {}).await;
    forget(&rig);
    let _ = rig.query(&order).await;
    // The gateway answers it, books its debit and anchors its receipt; a steward gives its snapshot, signs and releases.
    check(&rig, "order", 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_half_a_second_an_answer_a_join_and_a_consent_take_single_seconds() {
    let mut rig = Rig::new(1, RHO).await;
    let (offer, key) = rig.offer(2).await;
    rig.wires.all().for_each(|wire| wire.delay(Duration::from_millis(500)));
    let start = Instant::now();
    let held = rig.post_offer(&offer).await;
    let id = rig.admit(offer, &held).await;
    let joined = start.elapsed();
    let start = Instant::now();
    let grant = rig.grant(&key, id).await;
    rig.post_grant(&grant).await;
    let consented = start.elapsed();
    rig.members.push((key, id));
    let start = Instant::now();
    rig.contribute(1).await;
    let contributed = start.elapsed();
    println!("at 0.5 s an answer: joined in {joined:?}, consented in {consented:?}, contributed in {contributed:?}");
    assert!([joined, consented, contributed].iter().all(|took| *took < Duration::from_secs(9)));
}
