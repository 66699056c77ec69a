//! What goes well.

use rochdale_api::query::SealedAnswer;
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_core::query::{Answer, Outcome};

use crate::rig::{PURPOSE, RHO, Rig, count};

const YEAR: u64 = 365 * 86_400;

fn figure(answer: &Answer) -> i64 {
    match &answer.outcome {
        Outcome::Released { figures } => figures[0].value,
        Outcome::Withheld { reason } => panic!("withheld: {reason:?}"),
    }
}

/// Noise of deviation 0.71 or 1 passes 6 less than once in 10^8.
fn assert_near(answer: &Answer, expected: i64) {
    let got = figure(answer);
    assert!((got - expected).abs() <= 6, "{got} is not near {expected}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_through_the_gateway_and_comes_back_sealed_and_anchored() {
    let rig = Rig::new(8, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    let sealed: SealedAnswer = rig.gateway.post("/v1/queries", &request).await.unwrap();
    let answered = rig.open(&license, &sealed);
    assert_near(&answered.answer, 8);
    assert_eq!((answered.answer.snapshot_size, answered.answer.rho), (8, RHO));
    assert_eq!((answered.entry.index, answered.entry.purpose, answered.entry.rho), (1, PURPOSE, RHO));
    assert_eq!((answered.cached, answered.budget_left), (false, 9 * RHO));
    assert_eq!(answered.result_digest, answered.answer.digest().unwrap());
    assert!(answered.countersignatures.len() >= 2);
    let receipt = eip712::QueryReceipt { entryHash: sealed.entry_hash, resultDigest: answered.result_digest };
    let domain = rig.coop.manifest.committee_domain();
    eip712::verify(&receipt, &domain, &answered.worker_signature, rig.coop.worker.address()).unwrap();
    let history = rig.coop.history().await.unwrap();
    assert!(history.iter().any(|located| matches!(located.event, Event::ReceiptAnchored { result_digest, .. }
        if result_digest == answered.result_digest && located.transaction == sealed.mined.tx)));

    // The same order again, straight and through the gateway: the same answer, byte for byte, and no second charge.
    assert_eq!(rig.ask(&request).await.unwrap(), sealed);
    assert_eq!(rig.gateway.post::<SealedAnswer>("/v1/queries", &request).await.unwrap(), sealed);
    assert_eq!(rig.committed().await, [1].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_over_the_same_pool_is_answered_from_the_store_and_another_opens_nothing_anew() {
    let mut rig = Rig::new(8, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let first = rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    assert_eq!(rig.worker.rows.len(), 8);
    rig.settle().await;
    let again = rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    let (first_answer, again_answer) = (rig.open(&license, &first), rig.open(&license, &again));
    assert!(again_answer.cached && !first_answer.cached);
    assert_eq!((again_answer.answer, again_answer.entry), (first_answer.answer.clone(), first_answer.entry.clone()));
    assert_eq!((again.mined, again.entry_hash), (first.mined, first.entry_hash));
    assert_eq!(rig.committed().await, [1].into());

    // Another question over the same pool works from the rows in memory: the vault is not asked.
    let cut = first_answer.answer.snapshot;
    let (vault, aside) = (rig.gateway_vault(), rig.gateway_vault().with_extension("aside"));
    std::fs::rename(&vault, &aside).unwrap();
    let other = rig.ask(&rig.order(&license, count(RHO / 2), |_| {}).await).await.unwrap();
    let other = rig.open(&license, &other);
    assert_near(&other.answer, 8);
    assert_eq!((other.cached, other.entry.index, other.answer.snapshot), (false, 2, cut));
    assert_eq!(other.entry.previous, first.entry_hash);
    std::fs::rename(&aside, &vault).unwrap();

    // A member more is another pool.
    rig.join(9).await;
    rig.contribute(8).await;
    rig.settle().await;
    let third = rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    let third = rig.open(&license, &third);
    assert_eq!((third.cached, third.entry.index, third.answer.snapshot_size), (false, 3, 9));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_three_stewards_suffice_and_the_third_catches_up() {
    let rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    rig.seats[1].down().await;
    let sealed = rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    let answered = rig.open(&license, &sealed);
    assert_eq!(answered.answer.snapshot_size, 3);
    let signers: Vec<u8> = answered.countersignatures.iter().map(|signature| signature.steward.0).collect();
    assert_eq!(signers, [1, 3]);
    assert_eq!(rig.committed().await, [0, 1].into());
    rig.seats[1].up().await;
    rig.ask(&rig.order(&license, count(RHO / 2), |_| {}).await).await.unwrap();
    assert_eq!(rig.committed().await, [2].into());
}
