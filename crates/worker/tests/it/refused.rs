//! What is refused, and that nothing is charged then.

use alloy::primitives::B256;
use rochdale_api::client::{Client, Identity};
use rochdale_api::order::{Order, QueryRequest};
use rochdale_api::route::worker;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::account::message_digest;
use rochdale_chain::bindings::MemberAccount;
use rochdale_chain::eip712::{self, order::QueryOrder};
use rochdale_core::ids::{DatasetId, LicenseId, Purpose};
use rochdale_core::query::Query;
use rochdale_testkit::anvil::role_key;
use rochdale_testkit::passkey::Passkey;

use crate::rig::{Fault, Licensed, RHO, Rig, count};

const YEAR: u64 = 365 * 86_400;

async fn refusal(rig: &Rig, license: &Licensed, query: Query, edit: impl FnOnce(&mut Order)) -> Problem {
    let request = rig.order(license, query, edit).await;
    rig.ask(&request).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_its_license_does_not_carry_is_refused_before_anybody_is_charged() {
    let rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(7 * 86_400).await;
    let expect = |problem: Problem, code, word: &str| {
        assert_eq!(problem.code, code, "{problem}");
        assert!(problem.detail.contains(word), "{problem}");
    };
    let none = refusal(&rig, &license, count(RHO), |order| order.license_id = LicenseId(77)).await;
    expect(none, ProblemCode::LicenseInvalid, "no license 77");
    let thief = Licensed { id: license.id, holder: role_key("thief"), recipient: rig.license(YEAR).await.recipient };
    expect(refusal(&rig, &thief, count(RHO), |_| {}).await, ProblemCode::LicenseInvalid, "another's");
    let purpose = refusal(&rig, &license, count(RHO), |order| order.purpose = Purpose(4)).await;
    expect(purpose, ProblemCode::LicenseInvalid, "purpose 6");
    let dataset = Query { dataset: DatasetId(2), ..count(RHO) };
    expect(refusal(&rig, &license, dataset, |_| {}).await, ProblemCode::LicenseInvalid, "dataset 1");
    let rho = refusal(&rig, &license, count(RHO), |order| order.rho = 1).await;
    expect(rho, ProblemCode::BadRequest, "nano-zCDP");
    let late = refusal(&rig, &license, count(RHO), |order| order.deadline = 1).await;
    expect(late, ProblemCode::BadRequest, "deadline");
    let far = rig.now().await + 8 * 86_400;
    let endless = refusal(&rig, &license, count(RHO), |order| order.deadline = far).await;
    expect(endless, ProblemCode::BadRequest, "deadline");
    let latest = rig.coop.chain.head().await.unwrap().latest.hash;
    let open = refusal(&rig, &license, count(RHO), |order| order.cut = latest).await;
    expect(open, ProblemCode::BadRequest, "order.cut");
    let unknown = refusal(&rig, &license, count(RHO), |order| order.cut = B256::repeat_byte(1)).await;
    expect(unknown, ProblemCode::BadRequest, "order.cut");
    let mut swapped = rig.order(&license, count(RHO), |_| {}).await;
    swapped.query = count(RHO / 2);
    expect(rig.ask(&swapped).await.unwrap_err(), ProblemCode::BadRequest, "digest");
    let mut malformed = rig.order(&license, count(RHO), |_| {}).await;
    malformed.query.version = 9;
    expect(rig.ask(&malformed).await.unwrap_err(), ProblemCode::BadRequest, "version 9");

    let later = rig.now().await + 8 * 86_400;
    rig.coop.local.time_to(later, 2).await.unwrap();
    rig.settle().await;
    expect(refusal(&rig, &license, count(RHO), |_| {}).await, ProblemCode::LicenseInvalid, "expired");
    assert_eq!(rig.booked().await, 0);
    assert!(rig.worker.store.open_jobs().await.unwrap().is_empty());
}

/// The holder is a contract: it says what it signed, as of the newest block.
#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_orders_under_its_accounts_license_until_another_takes_its_place() {
    let rig = Rig::new(3, 10 * RHO).await;
    let passkey = Passkey::named("a researcher's phone");
    let (account, license) = rig.passkey_license(&passkey, YEAR).await;
    let signed = |request: &QueryRequest, by: &Passkey| {
        let digest = eip712::digest(&QueryOrder::from(&request.order), &rig.coop.manifest.committee_domain());
        QueryRequest { signature: by.sign(message_digest(31_337, account, digest)), ..request.clone() }
    };
    let unsigned = rig.order(&license, count(RHO), |_| {}).await;
    let refused = async |request: &QueryRequest| {
        let problem = rig.ask(request).await.unwrap_err();
        assert_eq!(problem.code, ProblemCode::LicenseInvalid, "{problem}");
    };
    refused(&unsigned).await;
    refused(&signed(&unsigned, &Passkey::named("another's phone"))).await;
    assert_eq!(rig.booked().await, 0);
    let request = signed(&unsigned, &passkey);
    let answer = rig.ask(&request).await.unwrap();
    assert_eq!(rig.open(&license, &answer).debit.license_id, license.id);
    assert_eq!(rig.booked().await, 1);
    assert_eq!(rig.ask(&request).await.unwrap(), answer, "sent again it is the same");

    let new = Passkey::named("the researcher's next phone");
    let (qx, qy) = new.public();
    rig.coop.local.act_as(account, account, &MemberAccount::setPasskeyCall { qx, qy }).await.unwrap();
    refused(&request).await;
    assert_eq!(rig.ask(&signed(&unsigned, &new)).await.unwrap(), answer);
    assert_eq!(rig.booked().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_nothing_can_be_sealed_to_is_found_before_the_charge() {
    let rig = Rig::new(3, 10 * RHO).await;
    // The point 1 has low order: no secret belongs to it.
    let mut key = B256::ZERO;
    key[0] = 1;
    let license = rig.license_to(YEAR, key).await;
    let problem = refusal(&rig, &license, count(RHO), |_| {}).await;
    assert_eq!(problem.code, ProblemCode::LicenseInvalid, "{problem}");
    assert!(problem.detail.contains("nothing can be sealed"), "{problem}");
    assert_eq!(rig.booked().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_gateway_is_heard() {
    let rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    let domain = rochdale_api::auth::domain(31_337, rig.coop.manifest.addresses.steward_committee);
    let as_key = |role: &str| {
        let identity = Identity { key: role_key(role), domain: domain.clone() };
        Client::new(&rig.worker_url).unwrap().signing(identity, rig.coop.worker.address())
    };
    for role in ["steward-1", "worker", "member-1", "researcher", "stranger"] {
        let answer = as_key(role).post_signed(worker::QUERY, &request, rig.now().await).await;
        assert_eq!(answer.unwrap_err().code(), ProblemCode::Forbidden, "{role}");
    }
    let unsigned = as_key("relayer").post(worker::QUERY, &request).await;
    assert_eq!(unsigned.unwrap_err().code(), ProblemCode::Unauthenticated);
    as_key("relayer").post_signed(worker::QUERY, &request, rig.now().await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_share_is_reported_with_its_steward_and_costs_the_answer_nothing() {
    let rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    rig.seats[2].fault(Fault::SwapsShares);
    rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    assert_eq!(rig.worker.rows.len(), 3, "two good shares open every record");
    let faults = rig.worker.faults();
    assert!(faults.iter().all(|fault| fault.starts_with("steward 3 released a bad share: ")), "{faults:?}");
    assert!(!faults.is_empty());

    // Without another steward's share it cannot be made up for: the order stays open, charged once.
    let request = rig.order(&license, count(RHO / 2), |_| {}).await;
    rig.seats[0].down().await;
    let problem = rig.ask(&request).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::SealBroken, "{problem}");
    assert!(problem.detail.contains("steward 3"), "{problem}");
    rig.seats[2].fault(Fault::None);
    rig.ask(&request).await.unwrap();
    rig.seats[0].up().await;
    assert_eq!(rig.booked().await, 2);
}

/// A steward that lies at once, and an honest one that takes longer than anybody who comes after k others has: the honest ones decide all the same.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_lies_and_is_quick_does_not_stand_in_for_one_that_is_slow() {
    let rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    rig.seats[0].fault(Fault::Slow);
    rig.seats[2].fault(Fault::NamesAnotherSnapshot);
    rig.ask(&rig.order(&license, count(RHO), |_| {}).await).await.unwrap();
    let named = |fault: &String| fault.contains("named another snapshot than the others");
    assert!(rig.worker.faults().iter().any(named), "{:?}", rig.worker.faults());
    assert_eq!(rig.booked().await, 1);
}

/// The same after the charge: whoever is quick and gives bad shares, or none, costs the answer nothing where an honest one is slower.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_gives_bad_shares_or_none_does_not_stand_in_for_one_that_is_slow() {
    let rig = Rig::new(3, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    rig.seats[0].fault(Fault::Slow);
    // Others agreed on the snapshot before it answered: it takes it from them, as it does unasked.
    let slow = rig.seats[0].steward.clone();
    tokio::spawn(async move { slow.work(std::future::pending()).await });
    for (n, fault) in (1..).zip([Fault::SwapsShares, Fault::RefusesShares]) {
        rig.seats[2].fault(fault);
        rig.ask(&rig.order(&license, count(RHO / n), |_| {}).await)
            .await
            .unwrap_or_else(|why| panic!("{fault:?}: {why}"));
        assert_eq!(rig.worker.rows.len(), 3, "{fault:?}: the two honest ones open every record");
    }
    let named = |fault: &String| fault.contains("steward 3 released a bad share");
    assert!(rig.worker.faults().iter().any(named), "{:?}", rig.worker.faults());
    assert_eq!(rig.booked().await, 2);
}
