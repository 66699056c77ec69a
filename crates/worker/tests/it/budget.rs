//! The budget: its end, too few stewards to debit it, and entries that an earlier worker left open.

use rochdale_api::ProblemCode;

use crate::rig::{Fault, RHO, Rig, count};

const YEAR: u64 = 365 * 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn a_query_over_the_budget_is_refused_and_a_cheaper_one_answered() {
    let rig = Rig::new(3, RHO + RHO / 2).await;
    let license = rig.license(YEAR).await;
    rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    let over = rig.order(&license, count(RHO - 1), |_| {}).await;
    let problem = rig.ask(&over).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::BudgetExceeded, "{problem}");
    assert!(problem.detail.contains(&(RHO / 2).to_string()), "{problem}");
    assert!(rig.worker.store.open_jobs().await.unwrap().is_empty());
    let sealed = rig.ask(&rig.order(&license, count(RHO / 2), |_| {}).await).await.unwrap();
    assert_eq!(rig.open(&license, &sealed).budget_left, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_stewards_does_not_suffice_and_the_missing_are_named() {
    let rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    rig.seats[0].down().await;
    rig.seats[2].down().await;
    let problem = rig.ask(&request).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::NotEnough, "{problem}");
    assert!(problem.detail.contains("1 of 3 stewards, 2 are needed"), "{problem}");
    assert!(problem.detail.contains("steward 1:") && problem.detail.contains("steward 3:"), "{problem}");
    rig.seats[0].up().await;
    rig.seats[2].up().await;
    rig.ask(&request).await.unwrap();
    assert_eq!(rig.committed().await, [1].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_one_steward_signed_is_committed_before_the_next() {
    let mut rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    rig.seats[1].fault(Fault::SigningFails);
    rig.seats[2].fault(Fault::SigningFails);
    let first = rig.order(&license, count(RHO), |_| {}).await;
    let problem = rig.ask(&first).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::NotEnough, "{problem}");
    let signed = rig.seats[0].log().await.signed.unwrap();
    rig.seats.iter().for_each(|seat| seat.fault(Fault::None));
    rig.reopen_worker().await;
    let second = rig.ask(&rig.order(&license, count(RHO / 2), |_| {}).await).await.unwrap();
    let entry = rig.open(&license, &second).entry;
    assert_eq!(entry.index, 2);
    assert_eq!(rig.seats[2].log().await.entries[0].entry, signed);
    // What was charged is answered when its order comes again.
    let answered = rig.ask(&first).await.unwrap();
    assert_eq!(rig.open(&license, &answered).entry, signed);
    assert_eq!(rig.committed().await, [2].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_worker_that_lost_its_store_are_carried_on() {
    let mut rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    // One steward signed: the others can still agree on another entry.
    rig.seats[1].fault(Fault::SigningFails);
    rig.seats[2].fault(Fault::SigningFails);
    rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap_err();
    rig.seats.iter().for_each(|seat| seat.fault(Fault::None));
    rig.replace_worker().await;
    let sealed = rig.ask(&rig.order(&license, count(RHO / 2), |_| {}).await).await.unwrap();
    let entry = rig.open(&license, &sealed).entry;
    assert_eq!((entry.index, entry.rho), (1, RHO / 2));
    assert_eq!(rig.committed().await, [1].into());
}
