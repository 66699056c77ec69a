//! What an order tells whom: the vault nothing, the researcher no exact size, and nobody which record did not open.

use rochdale_api::order::SealedAnswer;
use rochdale_api::route::HEALTH;
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::query::Outcome;

use crate::rig::{Fault, RHO, Rig, count};

const YEAR: u64 = 365 * 86_400;

fn blobs(calls: &[String]) -> Vec<String> {
    calls.iter().filter(|call| call.starts_with("GET /v1/blobs/")).cloned().collect()
}

/// Point 7: every blob is fetched once, in the registry's order, whether its member consents or not; an order fetches none.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_fetched_from_the_vault_is_independent_of_the_order() {
    let mut rig = Rig::new(5, 10 * RHO).await;
    rig.revoke(1).await;
    rig.settle().await;
    rig.tap.take();
    rig.worker.replicate(&rig.worker.at_head().await.unwrap()).await.unwrap();
    let fetched = blobs(&rig.tap.take());
    let members: Vec<_> = rig.members.iter().map(|(_, id)| *id).collect();
    let recorded: Vec<_> = {
        let mirror = rig.worker.at_head().await.unwrap();
        mirror.latest.contributions.values().map(|contribution| contribution.member).collect()
    };
    assert_eq!(recorded, members);
    assert_eq!(fetched.len(), 5, "also of who does not consent: {fetched:?}");
    let names: std::collections::BTreeSet<String> =
        fetched.iter().map(|call| call.trim_start_matches("GET /v1/blobs/").to_owned()).collect();
    assert_eq!(names, rig.replicated());

    // Whatever is asked, and whoever is in it: the same calls.
    let mut patterns = Vec::new();
    for n in 1..=3 {
        let license = rig.license(YEAR).await;
        rig.worker.rows.expire();
        rig.tap.take();
        rig.ask(&rig.order(&license, count(RHO / 8 + n), |_| {}).await).await.unwrap();
        patterns.push(rig.tap.take());
    }
    assert!(patterns.iter().all(|calls| blobs(calls).is_empty()), "{patterns:?}");
    assert!(patterns.windows(2).all(|pair| pair[0] == pair[1]), "{patterns:?}");
    // A worker that starts again fetches nothing twice.
    rig.reopen_worker().await;
    rig.worker.replicate(&rig.worker.at_head().await.unwrap()).await.unwrap();
    assert!(blobs(&rig.tap.take()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_of_an_erased_members_record_is_deleted() {
    let mut rig = Rig::new(3, 10 * RHO).await;
    rig.worker.replicate(&rig.worker.at_head().await.unwrap()).await.unwrap();
    assert_eq!(rig.replicated().len(), 3);
    // Also where the worker was stopped meanwhile and knows its copy from the disk alone.
    rig.erase(0).await;
    rig.settle().await;
    rig.reopen_worker().await;
    rig.worker.replicate(&rig.worker.at_head().await.unwrap()).await.unwrap();
    assert_eq!(rig.replicated().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_of_an_erased_members_record_is_deleted_although_another_member_recorded_its_commitment() {
    let mut rig = Rig::new(3, 10 * RHO).await;
    rig.worker.replicate(&rig.worker.at_head().await.unwrap()).await.unwrap();
    rig.join(9).await;
    let commitment = {
        let mirror = rig.worker.at_head().await.unwrap();
        mirror.latest.contributions.values().next().unwrap().commitment
    };
    let (thief, id) = rig.members.last().unwrap();
    rig.coop.record(&[(thief, *id, commitment)]).await.unwrap();
    rig.settle().await;
    rig.reopen_worker().await;
    rig.worker.replicate(&rig.worker.at_head().await.unwrap()).await.unwrap();
    assert_eq!(rig.replicated().len(), 3);
    rig.erase(0).await;
    rig.settle().await;
    rig.worker.replicate(&rig.worker.at_head().await.unwrap()).await.unwrap();
    assert_eq!(rig.replicated().len(), 2);
}

/// Points 2 and 10: what an order that was left open knew of its snapshot is kept no longer than stewards release shares for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_left_open_is_forgotten_a_day_past_its_deadline() {
    let rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    rig.seats[0].down().await;
    rig.seats[2].down().await;
    rig.ask(&request).await.unwrap_err();
    let open = rig.worker.store.open_jobs().await.unwrap();
    let secret = open[0].secret.clone().unwrap();
    let file = rig.worker.config.data_dir.join("worker.db");
    let holds = || {
        let files = [file.clone(), file.with_extension("db-wal")];
        let mut read = files.iter().filter_map(|file| std::fs::read(file).ok());
        read.any(|bytes| bytes.windows(32).any(|window| window == &secret[..32]))
    };
    assert!(holds());
    for (later, left) in [(3_600, 1), (86_400 + 7_200, 0)] {
        rig.coop.local.time_to(request.order.deadline + later, 3).await.unwrap();
        rig.settle().await;
        rig.worker.forget_ended(&rig.worker.at_head().await.unwrap()).await.unwrap();
        assert_eq!(rig.worker.store.open_jobs().await.unwrap().len(), left);
    }
    assert!(!holds(), "its blinder is in no file");
}

/// Point 4: the number of people asked stands nowhere: not in the answer, not in an error, not on the health page.
#[tokio::test(flavor = "multi_thread")]
async fn no_exact_size_leaves_the_worker() {
    let rig = Rig::new(7, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let sealed = rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    let mut answered = serde_json::to_value(rig.open(&license, &sealed)).unwrap();
    let fields = |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(fields(&answered["answer"]), ["gate_rho", "left_out", "outcome", "query", "rho", "snapshot", "version"]);
    assert_eq!(fields(&answered), ["answer", "blinder", "cached", "debit", "result_digest", "worker_signature"]);
    assert!(answered["answer"]["left_out"]["sigma_milli"].as_u64().unwrap() > 2_000, "said, under noise of its own");
    answered["answer"]["outcome"].take();

    // One steward knows of a member whom the others do not know: they differ, and nobody is told by how many.
    rig.seats[2].fault(Fault::NamesAnotherDeal);
    rig.seats[0].down().await;
    let problem = rig.ask(&rig.order(&license, count(RHO / 2), |_| {}).await).await;
    let health = rochdale_api::client::Client::new(&rig.worker_url).unwrap().get(HEALTH).await.unwrap();
    let said = format!("{problem:?} {:?}", health.problems);
    assert!(!said.contains("contribution 1") && !said.contains("7 records") && !said.contains("of 7"), "{said}");
}

/// Issue 9, point 3: a record that cannot be opened is left out, whyever, and the answer comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_does_not_open_is_left_out_and_never_blocks() {
    let rig = Rig::new(5, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    // The vault has lost one before it was copied.
    let mut lost = Vec::new();
    for folder in std::fs::read_dir(rig.gateway_vault()).unwrap().map(|folder| folder.unwrap()) {
        if folder.file_name() != "partial" {
            lost.extend(std::fs::read_dir(folder.path()).unwrap().map(|blob| blob.unwrap().path()));
        }
    }
    assert_eq!(lost.len(), 5);
    assert!(rig.replicated().is_empty(), "nothing is copied yet");
    std::fs::remove_file(&lost[0]).unwrap();
    let sealed = rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    assert!(matches!(rig.open(&license, &sealed).answer.outcome, Outcome::Released { .. }));
    assert_eq!(rig.worker.rows.len(), 4);
}

/// Point 7: a record is opened by what a quorum says of it; where there is none, it is not opened. Who says otherwise is named.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_opened_by_the_deal_that_a_quorum_names_or_not_at_all() {
    let rig = Rig::new(4, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    rig.seats[1].fault(Fault::NamesAnotherDeal);
    rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    assert_eq!(rig.worker.rows.len(), 4, "the two others open all");
    let named = |fault: &str| rig.worker.faults().iter().any(|said| said == fault);
    assert!(named("steward 2 named another blob or deal of one record than others"), "{:?}", rig.worker.faults());

    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO / 2), |_| {}).await;
    rig.seats[0].down().await;
    rig.ask(&request).await.unwrap();
    assert_eq!(rig.worker.rows.len(), 3, "nobody can tell who of the two is right");
    let both = "steward 2 and steward 3 named another blob or deal of one record than others";
    assert!(named(both), "{:?}", rig.worker.faults());
}

/// Whether a quorum can open every record is known before the debit: nothing is charged that cannot be answered.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_charged_where_a_quorum_of_shares_cannot_be_had() {
    let rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    rig.seats[0].down().await;
    rig.seats[2].down().await;
    let problem: Problem = rig.ask(&request).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::NotEnough, "{problem}");
    assert!(problem.detail.contains("steward 1:") && problem.detail.contains("steward 3:"), "{problem}");
    assert_eq!(rig.booked().await, 0);
    rig.seats[0].up().await;
    rig.seats[2].up().await;
    let _: SealedAnswer = rig.ask(&request).await.unwrap();
    assert_eq!(rig.booked().await, 1);
}
