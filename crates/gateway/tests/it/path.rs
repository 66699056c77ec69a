//! Joining, consenting, contributing, erasing.

use std::sync::atomic::Ordering;

use rochdale_api::ProblemCode;
use rochdale_api::contribution::{ContributionState, ContributionStatus};
use rochdale_api::member::{Granted, Joined, Mined, PayoutRequest};
use rochdale_api::route::{HEALTH, gateway};
use rochdale_core::ids::StewardId;
use rochdale_crypto::Cid;
use tokio::task::JoinSet;

use crate::rig::Rig;

#[tokio::test]
async fn members_join_consent_and_contribute_in_a_batch() {
    // The batch is sent because it is full.
    let mut rig = Rig::without_gateway(crate::rig::deploy().await).await;
    (rig.batch.size, rig.batch.idle_ms) = (5, 60_000);
    rig.start().await;
    let mut members = Vec::new();
    for n in 1..=5 {
        members.push(rig.member(n).await);
    }
    let mut packages = Vec::new();
    for (key, id) in &members {
        packages.push(rig.contribute(key, *id).await);
    }
    let mut recorded = Vec::new();
    for package in &packages {
        let status = rig.settled(package.commitment).await;
        assert_eq!(status.state, ContributionState::Recorded, "{:?}", status.reason);
        recorded.push((status.mined.unwrap().tx, status.batch, status.contribution_id.unwrap()));
    }
    assert!(recorded.iter().all(|(tx, batch, _)| (*tx, *batch) == (recorded[0].0, 5)), "{recorded:?}");
    recorded.sort_by_key(|(_, _, id)| *id);
    assert_eq!(recorded.iter().map(|(_, _, id)| id.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let view = rig.view(members[0].1).await;
    assert_eq!(
        (view.consent.as_str(), view.contributions, view.contribution_nonce, view.active),
        ("granted", 1, 1, true)
    );
    for steward in &rig.stewards {
        assert_eq!(steward.row_keys.lock().unwrap().len(), 5);
        assert_eq!(steward.consents.lock().unwrap().len(), 5);
        assert_eq!(steward.packages.lock().unwrap().len(), 5);
    }
}

#[tokio::test]
async fn a_statement_that_is_sent_again_takes_effect_once() {
    let rig = Rig::new().await;
    let key = rig.coop.member_key(1);
    let join = rig.join_request(&key).await;
    let first: Joined = rig.client().post(gateway::JOIN, &join).await.unwrap();
    let again: Joined = rig.client().post(gateway::JOIN, &join).await.unwrap();
    assert_eq!(first, again);
    let id = first.member_id;

    let grant = rig.grant_request(&key, id).await;
    let first: Granted = rig.client().post(gateway::GRANT, &grant).await.unwrap();
    let again: Granted = rig.client().post(gateway::GRANT, &grant).await.unwrap();
    assert_eq!(first, again);

    let revoke = rig.deny_request(&key, id, false).await;
    let first: Mined = rig.client().post(gateway::REVOKE, &revoke).await.unwrap();
    let again: Mined = rig.client().post(gateway::REVOKE, &revoke).await.unwrap();
    assert_eq!(first, again);
    // The same nonce for something else is not the same statement.
    let error = rig.client().post(gateway::ERASE, &revoke).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::ChainRefused, "{error}");
    assert_eq!(rig.view(id).await.consent, "revoked");

    let mut other = join.clone();
    other.payout = rig.coop.member_key(9).address();
    let error = rig.client().post(gateway::JOIN, &other).await.unwrap_err();
    assert!(error.to_string().contains("Membership_NullifierUsed"), "{error}");
}

#[tokio::test]
async fn joins_of_one_admission_at_once_are_paid_once() {
    let rig = Rig::new().await;
    let join = rig.join_request(&rig.coop.member_key(1)).await;
    let before = rig.coop.chain.head().await.unwrap().latest.number;
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        let (client, join) = (rig.client(), join.clone());
        calls.spawn(async move { client.post(gateway::JOIN, &join).await.unwrap() });
    }
    let answers = calls.join_all().await;
    assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
    assert_eq!(rig.coop.chain.head().await.unwrap().latest.number, before + 1, "one transaction");
}

#[tokio::test]
async fn with_two_of_three_stewards_it_goes_on_and_with_one_nothing_is_lost() {
    let rig = Rig::new().await;
    rig.stewards[2].up.store(false, Ordering::SeqCst);
    let key = rig.coop.member_key(1);
    let joined = rig.join(&key).await;
    assert_eq!(joined.pending_stewards, [StewardId(3)]);
    assert_eq!(rig.grant(&key, joined.member_id).await.pending_stewards, [StewardId(3)]);

    rig.stewards[1].up.store(false, Ordering::SeqCst);
    let (package, blob) = rig.package(&key, joined.member_id).await;
    rig.put(blob).await;
    let error = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::PeerUnavailable);
    let text = error.to_string();
    assert!(
        text.contains("1 stewards hold their share, 2 are needed")
            && text.contains("steward 2:")
            && text.contains("steward 3:"),
        "{text}"
    );
    let error = rig.client().get(gateway::CONTRIBUTION.at(package.commitment)).await;
    assert_eq!(error.unwrap_err().code(), ProblemCode::NotFound);

    rig.stewards[1].up.store(true, Ordering::SeqCst);
    let _: ContributionStatus = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap();
    let status = rig.settled(package.commitment).await;
    assert_eq!(status.state, ContributionState::Recorded);
    assert_eq!(status.missing.iter().map(|m| m.steward).collect::<Vec<_>>(), [StewardId(3)]);

    // The missed share is sent again by the member's client, also after the recording.
    rig.stewards[2].up.store(true, Ordering::SeqCst);
    let _: ContributionStatus = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap();
    let again = rig.status(package.commitment).await;
    assert_eq!((again.held_by.len(), again.missing.len(), again.contribution_id), (3, 0, status.contribution_id));
}

#[tokio::test]
async fn erasure_deletes_the_members_blobs_and_no_others() {
    let rig = Rig::new().await;
    let (key, id) = rig.member(1).await;
    let (other_key, other_id) = rig.member(2).await;
    let (package, other) = (rig.contribute(&key, id).await, rig.contribute(&other_key, other_id).await);
    rig.settled(package.commitment).await;
    rig.settled(other.commitment).await;
    let (cid, other_cid) = (Cid::from_sha256(package.blob_digest.0), Cid::from_sha256(other.blob_digest.0));
    let worker = rig.signing(&rig.coop.worker);
    let now = rig.now().await;
    assert!(worker.get_bytes_signed(gateway::BLOB.at(cid), now).await.is_ok());

    rig.deny(&key, id, true).await;
    let error = worker.get_bytes_signed(gateway::BLOB.at(cid), now).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::NotFound, "{error}");
    assert!(worker.get_bytes_signed(gateway::BLOB.at(other_cid), now).await.is_ok());
    let status = rig.client().get(gateway::CONTRIBUTION.at(package.commitment)).await;
    assert_eq!(status.unwrap_err().code(), ProblemCode::Erased);
    let view = rig.view(id).await;
    assert_eq!((view.consent.as_str(), view.active), ("erased", false));
}

#[tokio::test]
async fn nonsense_in_a_members_name_does_not_use_up_its_share_and_a_denial_is_never_put_off() {
    let mut rig = Rig::without_gateway(crate::rig::deploy().await).await;
    rig.limits.writes_per_minute = 2;
    rig.start().await;
    let key = rig.coop.member_key(1);
    let id = rig.join(&key).await.member_id;
    let mut grant = rig.grant_request(&key, id).await;
    let signature = grant.signature.clone();
    grant.signature = rig.grant_request(&rig.coop.member_key(2), id).await.signature;
    for _ in 0..4 {
        let error = rig.client().post(gateway::GRANT, &grant).await.unwrap_err();
        assert_eq!(error.code(), ProblemCode::ChainRefused, "{error}");
    }
    grant.signature = signature;
    let _: Granted = rig.client().post(gateway::GRANT, &grant).await.unwrap();
    rig.grant(&key, id).await;
    let third = rig.grant_request(&key, id).await;
    let error = rig.client().post(gateway::GRANT, &third).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::TooManyRequests, "{error}");
    rig.deny(&key, id, false).await;
    assert_eq!(rig.view(id).await.consent, "revoked");
}

#[tokio::test]
async fn a_member_leaves_once_and_is_paid_where_it_says_before_and_after() {
    let rig = Rig::new().await;
    let (key, id) = rig.member(1).await;
    let (first, second) = (rig.coop.member_key(7).address(), rig.coop.member_key(8).address());

    let elsewhere = rig.payout_request(&key, id, first).await;
    let mined: Mined = rig.client().post(gateway::PAYOUT, &elsewhere).await.unwrap();
    let again: Mined = rig.client().post(gateway::PAYOUT, &elsewhere).await.unwrap();
    assert_eq!(mined, again);
    let view = rig.view(id).await;
    assert_eq!((view.payout, view.membership_nonce), (first, 1));
    // The same nonce for another address is another statement.
    let other = PayoutRequest { payout: second, ..elsewhere };
    let error = rig.client().post(gateway::PAYOUT, &other).await.unwrap_err();
    assert!(error.to_string().contains("Membership_BadNonce"), "{error}");

    let stranger = rig.leave_request(&rig.coop.member_key(2), id).await;
    let error = rig.client().post(gateway::LEAVE, &stranger).await.unwrap_err();
    assert!(error.to_string().contains("Membership_BadSignature"), "{error}");
    assert!(rig.view(id).await.active);
    let leave = rig.leave_request(&key, id).await;
    let mined: Mined = rig.client().post(gateway::LEAVE, &leave).await.unwrap();
    let again: Mined = rig.client().post(gateway::LEAVE, &leave).await.unwrap();
    assert_eq!(mined, again);
    let view = rig.view(id).await;
    assert_eq!((view.active, view.account), (false, key.address()), "the account stays on record");

    // Who left still names an address, and erases.
    let after = rig.payout_request(&key, id, second).await;
    let _: Mined = rig.client().post(gateway::PAYOUT, &after).await.unwrap();
    assert_eq!(rig.view(id).await.payout, second);
    rig.deny(&key, id, true).await;
    assert_eq!(rig.view(id).await.consent, "erased");
}

#[tokio::test]
async fn one_hung_steward_does_not_hold_up_joins() {
    let rig = Rig::new().await;
    rig.stewards[2].hangs.store(true, Ordering::SeqCst);
    for n in 1..=2 {
        let start = std::time::Instant::now();
        let joined = rig.join(&rig.coop.member_key(n)).await;
        assert_eq!(joined.pending_stewards, [StewardId(3)]);
        assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
    }
    let waits = async || rig.client().get(HEALTH).await.unwrap().waiting_for;
    rig.until("known who is waited for", async || {
        waits().await.iter().any(|who| who.starts_with("steward 3 has not answered for"))
    })
    .await;
    rig.stewards[2].hangs.store(false, Ordering::SeqCst);
    rig.until("answering again", async || waits().await.is_empty()).await;
    assert_eq!(rig.join(&rig.coop.member_key(3)).await.pending_stewards, []);
}
