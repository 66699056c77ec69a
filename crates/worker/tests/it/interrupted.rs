//! What is interrupted after the charge goes on without a second one.

use rochdale_api::ProblemCode;

use crate::rig::{Fault, RHO, Rig, count};

const YEAR: u64 = 365 * 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_debit_is_answered_on_the_same_store_without_a_second_one() {
    let mut rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    rig.seats.iter().for_each(|seat| seat.fault(Fault::ReleaseHangs));
    let asking = tokio::spawn({
        let (worker, request) = (rig.worker.clone(), request.clone());
        async move { worker.answer(&request).await }
    });
    rig.until("the entry is committed", async || rig.committed().await == [1].into()).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    rig.seats.iter().for_each(|seat| seat.fault(Fault::None));
    rig.reopen_worker().await;
    let sealed = rig.ask(&request).await.unwrap();
    assert_eq!(rig.open(&license, &sealed).budget_left, 9 * RHO);
    assert_eq!(rig.committed().await, [1].into());
    // Restarted once more, it has it still.
    rig.reopen_worker().await;
    assert_eq!(rig.ask(&request).await.unwrap(), sealed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_goes_on_with_what_was_left_open() {
    let mut rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    rig.seats.iter().for_each(|seat| seat.fault(Fault::ReleaseFails));
    let problem = rig.ask(&request).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::NotEnough, "{problem}");
    rig.seats.iter().for_each(|seat| seat.fault(Fault::None));
    rig.reopen_worker().await;
    assert_eq!(rig.worker.store.open_jobs().await.unwrap().len(), 1);
    rig.worker.resume().await.unwrap();
    assert!(rig.worker.store.open_jobs().await.unwrap().is_empty());
    assert_eq!(rig.committed().await, [1].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_revokes_between_snapshot_and_release_is_left_out() {
    let rig = Rig::new(4, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    rig.seats.iter().for_each(|seat| seat.fault(Fault::ReleaseFails));
    rig.ask(&request).await.unwrap_err();
    rig.revoke(1).await;
    rig.seats.iter().for_each(|seat| seat.fault(Fault::None));
    let sealed = rig.ask(&request).await.unwrap();
    let answered = rig.open(&license, &sealed);
    assert_eq!(answered.answer.snapshot_size, 4, "the declared snapshot stays what it was");
    assert_eq!(rig.worker.rows.len(), 3, "the record of who revoked is not opened");
}
