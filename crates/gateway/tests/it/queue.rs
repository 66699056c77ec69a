//! The queue of contributions through refusals, crashes and reorganizations.

use alloy::primitives::keccak256;
use rochdale_api::ProblemCode;
use rochdale_api::contribution::{ContributionState, ContributionStatus};
use rochdale_api::route::gateway;
use rochdale_chain::bindings::ContributionRegistry;
use rochdale_client::statement;
use rochdale_core::ids::ContributionId;

use crate::rig::Rig;

async fn recorded_on_chain(rig: &Rig) -> u64 {
    let registry = rig.coop.manifest.addresses.contribution_registry;
    rig.coop.chain.view(registry, &ContributionRegistry::contributionCountCall {}).await.unwrap()
}

#[tokio::test]
async fn one_refused_item_does_not_hold_the_batch_up() {
    let mut rig = Rig::with_idle(60_000).await;
    let (a, b, c) = (rig.member(1).await, rig.member(2).await, rig.member(3).await);
    let (good, bad, too) =
        (rig.contribute(&a.0, a.1).await, rig.contribute(&b.0, b.1).await, rig.contribute(&c.0, c.1).await);
    rig.deny(&b.0, b.1, false).await;
    rig.stop().await;
    rig.batch.idle_ms = 1;
    rig.start().await;
    let status = rig.settled(bad.commitment).await;
    assert_eq!(status.state, ContributionState::Refused);
    assert_eq!(status.reason.as_deref(), Some("ContributionRegistry_NotConsented"));
    let (good, too) = (rig.settled(good.commitment).await, rig.settled(too.commitment).await);
    assert_eq!((good.state, too.state), (ContributionState::Recorded, ContributionState::Recorded));
    assert_eq!((good.batch, good.mined), (2, too.mined));
    assert_eq!(recorded_on_chain(&rig).await, 2);
}

#[tokio::test]
async fn killed_between_queue_and_batch_it_records_once() {
    let mut rig = Rig::with_idle(60_000).await;
    let (key, id) = rig.member(1).await;
    let package = rig.contribute(&key, id).await;
    rig.kill();
    assert_eq!(recorded_on_chain(&rig).await, 0);
    rig.batch.idle_ms = 1;
    rig.start().await;
    let status = rig.settled(package.commitment).await;
    assert_eq!((status.state, status.held_by.len()), (ContributionState::Recorded, 3));
    assert_eq!(recorded_on_chain(&rig).await, 1);
}

#[tokio::test]
async fn killed_between_sending_and_answering_it_finds_the_answer_on_chain() {
    let mut rig = Rig::with_idle(60_000).await;
    let (key, id) = rig.member(1).await;
    let package = rig.contribute(&key, id).await;
    rig.kill();
    // What the gateway would have sent, with the gateway's key.
    let call = ContributionRegistry::recordCall {
        c: vec![statement::contribution(&package).into()],
        signatures: vec![package.signature.clone()],
    };
    let sent = rig.coop.relayer.send(rig.coop.manifest.addresses.contribution_registry, &call).await.unwrap();
    rig.batch.idle_ms = 1;
    rig.start().await;
    let status = rig.settled(package.commitment).await;
    assert_eq!(status.state, ContributionState::Recorded, "{:?}", status.reason);
    let mined = status.mined.unwrap();
    assert_eq!((mined.tx, mined.gas_used, status.batch), (sent.transaction, sent.gas_used, 1));
    assert_eq!(recorded_on_chain(&rig).await, 1);
}

#[tokio::test]
async fn the_same_package_again_changes_nothing() {
    let rig = Rig::new().await;
    let (key, id) = rig.member(1).await;
    let package = rig.contribute(&key, id).await;
    let _: ContributionStatus = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap();
    let first = rig.settled(package.commitment).await;
    let again: ContributionStatus = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(recorded_on_chain(&rig).await, 1);
}

#[tokio::test]
async fn what_the_contract_would_refuse_reaches_no_steward() {
    let rig = Rig::with_idle(60_000).await;
    let (key, id) = rig.member(1).await;
    let (mut package, blob) = rig.package(&key, id).await;
    let error = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::NotFound, "the blob comes first: {error}");
    rig.put(blob).await;
    package.nonce += 1;
    let error = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap_err();
    assert!(error.to_string().contains("ContributionRegistry_BadNonce"), "{error}");
    package.nonce -= 1;
    package.commitment = keccak256(b"another");
    let error = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap_err();
    assert!(error.to_string().contains("ContributionRegistry_BadSignature"), "{error}");
    assert!(rig.stewards.iter().all(|s| s.packages.lock().unwrap().is_empty()));
    // A second one with the same nonce waits for the first.
    rig.contribute(&key, id).await;
    let (other, blob) = rig.package(&key, id).await;
    rig.put(blob).await;
    let error = rig.client().post(gateway::CONTRIBUTE, &other).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::Conflict, "{error}");
}

#[tokio::test]
async fn a_blob_that_does_not_fit_its_package_is_refused() {
    let rig = Rig::new().await;
    let (key, id) = rig.member(1).await;
    let (other_key, other_id) = rig.member(2).await;
    let (package, blob) = rig.package(&key, id).await;
    let (other, other_blob) = rig.package(&other_key, other_id).await;
    rig.put(blob).await;
    rig.put(other_blob).await;
    let mut swapped = package.clone();
    swapped.blob_digest = other.blob_digest;
    let error = rig.client().post(gateway::CONTRIBUTE, &swapped).await.unwrap_err();
    assert!(error.to_string().contains("begins with another header"), "{error}");
    let mut foreign = package;
    foreign.header = other.header;
    let error = rig.client().post(gateway::CONTRIBUTE, &foreign).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::BadRequest, "{error}");
}

#[tokio::test]
async fn a_reorganization_of_depth_three_is_followed_and_what_it_took_is_sent_again() {
    let mut rig = Rig::without_gateway(crate::rig::deploy().await).await;
    // The local chain calls a block final after two more; this goes deeper.
    (rig.batch.idle_ms, rig.accept_rollback) = (20, Some(0));
    rig.start().await;
    let (key, id) = rig.member(1).await;
    rig.coop.local.mine(3).await.unwrap();
    let package = rig.contribute(&key, id).await;
    let first = rig.settled(package.commitment).await;
    rig.coop.local.mine(2).await.unwrap();
    // The index has seen all three before they go.
    let _ = rig.view(id).await;
    rig.coop.local.reorg(3).await.unwrap();
    assert_eq!(recorded_on_chain(&rig).await, 0, "the reorganization took the contribution");
    rig.until("recorded anew", async || recorded_on_chain(&rig).await == 1).await;
    let again = rig.settled(package.commitment).await;
    assert_eq!(again.state, ContributionState::Recorded);
    assert_ne!(again.mined.clone().unwrap().block, first.mined.unwrap().block);
    assert_eq!(rig.view(id).await.contributions, 1);

    // And once more while the gateway is down.
    rig.stop().await;
    rig.coop.local.mine(2).await.unwrap();
    rig.coop.local.reorg(3).await.unwrap();
    assert_eq!(recorded_on_chain(&rig).await, 0);
    rig.start().await;
    rig.until("recorded after the restart", async || recorded_on_chain(&rig).await == 1).await;
    let last = rig.settled(package.commitment).await;
    assert_eq!((last.state, last.contribution_id), (ContributionState::Recorded, again.contribution_id));
}

#[tokio::test]
async fn what_another_member_recorded_is_not_taken_for_the_members_own() {
    let mut rig = Rig::with_idle(60_000).await;
    let (ada, eve) = (rig.member(1).await, rig.member(2).await);
    let package = rig.contribute(&ada.0, ada.1).await;
    // Eve sees the package's commitment and records it as hers, before the batch goes.
    rig.coop.record(&[(&eve.0, eve.1, package.commitment)]).await.unwrap();
    rig.coop.local.mine(2).await.unwrap();
    let of = async |rig: &Rig, member: u32| -> ContributionStatus {
        rig.client().get(gateway::CONTRIBUTION.at(package.commitment).with("member", member)).await.unwrap()
    };
    rig.until("Eve's on chain", async || rig.view(eve.1).await.contributions == 1).await;
    assert_eq!(of(&rig, ada.1.0).await.state, ContributionState::Queued, "Ada's still waits");
    rig.stop().await;
    rig.batch.idle_ms = 1;
    rig.start().await;
    let own = rig.settled(package.commitment).await;
    assert_eq!((own.state, own.contribution_id), (ContributionState::Recorded, Some(ContributionId(2))));
    let copy = of(&rig, eve.1.0).await;
    assert_eq!((copy.contribution_id, copy.held_by), (Some(ContributionId(1)), Vec::new()));
    assert_eq!(recorded_on_chain(&rig).await, 2);
}
