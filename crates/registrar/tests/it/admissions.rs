//! Issue 12, points 1 and 2: who was invited is admitted before there is an account, once, and nobody on the way changes whom.

use alloy::primitives::B256;
use alloy::providers::Provider as _;
use rochdale_api::account::AccountRequest;
use rochdale_api::member::InvitedApplication;
use rochdale_api::route::{gateway, registrar as route};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::bindings::Membership;
use rochdale_client::code::Code;
use rochdale_crypto::RowKey;
use rochdale_registrar::guesses::A_MINUTE;
use rochdale_testkit::passkey::Passkey;

use crate::rig::Rig;

const DAY: u64 = 86_400;

/// That a refusal is of a code and says this.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Problem>, code: ProblemCode, says: &str) -> Problem {
    let problem = answer.unwrap_err();
    assert!(problem.code == code && problem.detail.contains(says), "{problem:?}");
    problem
}

#[tokio::test]
async fn who_was_invited_is_admitted_before_the_account_exists_and_each_invitation_admits_one() {
    let mut rig = Rig::new().await;
    let (code, ada) = (rig.code().await, rig.person("ada").await);
    let code_there = rig.coop.chain.provider().get_code_at(ada.account).await.unwrap();
    assert!(code_there.is_empty(), "the account is not there yet");
    let before = rig.gateway.get(gateway::ADMISSIONS).await.unwrap();
    assert!(before.open && before.epoch_ends > rig.now().await, "{before:?}");

    let asked = rig.application(&ada, &code).await;
    let admission = rig.apply(&asked).await.unwrap();
    assert_eq!((admission.account, admission.payout), (ada.account, ada.account));
    assert_eq!(admission.deadline, asked.deadline, "no longer than was asked for");
    // The answer was lost: the same application has the same admission, from another process on the same store too.
    assert_eq!(rig.apply(&asked).await.unwrap(), admission);
    rig.reopen().await;
    assert_eq!(rig.registrar.admit(asked.clone()).await.unwrap(), admission);

    let bob = rig.person("bob").await;
    let bobs = rig.application(&bob, &code).await;
    refused(rig.registrar.admit(bobs.clone()).await, ProblemCode::Conflict, "was used, for the account");

    let joined = rig.join(&admission).await.unwrap();
    assert!(joined.pending_stewards.is_empty(), "every steward has the row key");
    let (qx, qy) = Passkey::named("ada").public();
    let request = AccountRequest { qx, qy, guardians: Vec::new(), threshold: 0, delay: 0 };
    assert_eq!(rig.gateway.post(gateway::CREATE_ACCOUNT, &request).await.unwrap().account, ada.account);
    let after = rig.gateway.get(gateway::ADMISSIONS).await.unwrap();
    assert_eq!(after.left.unwrap() + 1, before.left.unwrap());

    // Still the same, and still nobody else's; nor does a member join again with another invitation.
    assert_eq!(rig.registrar.admit(asked).await.unwrap(), admission);
    refused(rig.registrar.admit(bobs).await, ProblemCode::Conflict, "was used, for the account");
    rig.registrar.store.close().await;
}

#[tokio::test]
async fn an_account_that_joined_needs_no_invitation() {
    let rig = Rig::new().await;
    let (first, second, ada) = (rig.code().await, rig.code().await, rig.person("ada").await);
    let admission = rig.apply(&rig.application(&ada, &first).await).await.unwrap();
    rig.join(&admission).await.unwrap();
    refused(
        rig.apply(&rig.application(&ada, &second).await).await,
        ProblemCode::Conflict,
        "joined already, as member 1",
    );
    // It stays good for somebody else.
    let bob = rig.person("bob").await;
    rig.apply(&rig.application(&bob, &second).await).await.unwrap();
}

#[tokio::test]
async fn who_carries_an_application_changes_nothing_in_it() {
    let rig = Rig::new().await;
    let (code, ada, eve) = (rig.code().await, rig.person("ada").await, rig.person("eve").await);
    let (asked, eves) = (rig.application(&ada, &code).await, rig.application(&eve, &rig.code().await).await);
    for changed in [
        InvitedApplication { account: eve.account, ..asked.clone() },
        InvitedApplication { row_key_digest: eves.row_key_digest, row_keys: eves.row_keys.clone(), ..asked.clone() },
        InvitedApplication { deadline: asked.deadline + 1, ..asked.clone() },
        InvitedApplication { mac: eves.mac, ..asked.clone() },
        InvitedApplication { invitation: eves.invitation, ..asked.clone() },
    ] {
        refused(rig.apply(&changed).await, ProblemCode::Forbidden, "was not made with this invitation's code");
    }
    // Another row key in the sealed parts alone: no steward keeps it, and nobody is admitted.
    let swapped = InvitedApplication { row_keys: eves.row_keys.clone(), ..asked.clone() };
    refused(rig.apply(&swapped).await, ProblemCode::NotEnough, "0 stewards hold the row key");
    rig.apply(&asked).await.unwrap();
}

#[tokio::test]
async fn an_invitation_ends_with_its_time_and_an_admission_that_nobody_used_frees_it() {
    let rig = Rig::new().await;
    let (code, ada, bob) = (rig.code().await, rig.person("ada").await, rig.person("bob").await);
    let lost = rig.application(&ada, &code).await;
    let admission = rig.apply(&lost).await.unwrap();
    refused(rig.apply(&rig.application(&bob, &code).await).await, ProblemCode::Conflict, "was used");
    // The same account may draw its row key anew.
    let again = crate::rig::Person { row_key: RowKey::from_bytes([9; 32]), ..ada };
    let renewed = rig.apply(&rig.application(&again, &code).await).await.unwrap();
    assert_ne!(renewed.row_key_digest, admission.row_key_digest);

    rig.coop.local.time_to(admission.deadline + 60, 0).await.unwrap();
    refused(rig.apply(&lost).await, ProblemCode::Expired, "apply again");
    // Nobody can join with what was signed, so that another account may have it.
    refused(rig.join(&admission).await, ProblemCode::ChainRefused, "Membership_Expired");
    let other = rig.apply(&rig.application(&bob, &code).await).await.unwrap();
    assert_eq!((other.account, other.nullifier), (bob.account, admission.nullifier));

    let late = rig.code().await;
    rig.coop.local.time_to(rig.now().await + 14 * DAY + 60, 0).await.unwrap();
    refused(rig.apply(&rig.application(&bob, &late).await).await, ProblemCode::Forbidden, "was good until");
}

#[tokio::test]
async fn the_cap_of_an_epoch_is_told_before_stewards_are_asked_and_the_invitation_stays_good() {
    let rig = Rig::with(|config| config.membership.admissions_per_epoch = 1).await;
    let (first, second) = (rig.code().await, rig.code().await);
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    rig.join(&rig.apply(&rig.application(&ada, &first).await).await.unwrap()).await.unwrap();
    let said = rig.gateway.get(gateway::ADMISSIONS).await.unwrap();
    assert_eq!((said.open, said.left), (false, Some(0)));
    let told = format!("the next epoch begins at {}", said.epoch_ends);
    let problem = refused(rig.apply(&rig.application(&bob, &second).await).await, ProblemCode::ChainRefused, &told);
    assert!(problem.hint.unwrap().contains("stays good"));

    rig.coop.local.time_to(said.epoch_ends, 0).await.unwrap();
    let next = rig.gateway.get(gateway::ADMISSIONS).await.unwrap();
    assert_eq!((next.open, next.left), (true, Some(1)), "the window begins with its first second");
    rig.join(&rig.apply(&rig.application(&bob, &second).await).await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn too_few_stewards_are_named_and_the_invitation_stays_good() {
    let mut rig = Rig::new().await;
    let (code, ada) = (rig.code().await, rig.person("ada").await);
    rig.take_down(2).await;
    let asked = rig.application(&ada, &code).await;
    let problem = refused(rig.apply(&asked).await, ProblemCode::NotEnough, "1 stewards hold the row key, 2 of 3");
    assert!(problem.detail.contains("steward 1") && problem.detail.contains("steward 2"), "{problem}");
    let bob = rig.person("bob").await;
    let other = rig.apply(&rig.application(&bob, &code).await).await;
    refused(other, ProblemCode::NotEnough, "1 stewards hold");
}

#[tokio::test]
async fn a_registrar_that_is_away_is_told_and_one_whom_the_chain_does_not_name_is_not_believed() {
    let mut rig = Rig::new().await;
    let (code, ada) = (rig.code().await, rig.person("ada").await);
    let asked = rig.application(&ada, &code).await;
    // A vote names another key: what the process here answers is nobody's word.
    let (a, other) = (rig.coop.manifest.addresses, rig.person("another registrar").await.account);
    let named = Membership::setRegistrarCall { registrar_: other };
    rig.coop.local.act_as(a.member_timelock, a.membership, &named).await.unwrap();
    refused(rig.apply(&asked).await, ProblemCode::PeerFault, "is not signed by");
    rig.hang_up().await;
    assert!(!rig.gateway.get(gateway::ADMISSIONS).await.unwrap().open);
    refused(rig.apply(&asked).await, ProblemCode::PeerUnavailable, "");
}

#[tokio::test]
async fn a_pause_of_admissions_is_told_before_stewards_are_asked() {
    let rig = Rig::new().await;
    let (code, ada) = (rig.code().await, rig.person("ada").await);
    let a = rig.coop.manifest.addresses;
    let until = rig.now().await + DAY;
    let pause = Membership::setPausedUntilCall { until };
    rig.coop.local.act_as(a.pause_guard, a.membership, &pause).await.unwrap();
    let said = rig.gateway.get(gateway::ADMISSIONS).await.unwrap();
    assert!(!said.open && said.left.unwrap() > 0, "{said:?}");
    refused(rig.apply(&rig.application(&ada, &code).await).await, ProblemCode::ChainRefused, "paused admissions");
    rig.coop.local.time_to(until + 1, 0).await.unwrap();
    rig.apply(&rig.application(&ada, &code).await).await.unwrap();
}

#[tokio::test]
async fn guesses_are_counted_and_right_ones_never_refused_for_them() {
    let rig = Rig::new().await;
    let (code, ada) = (rig.code().await, rig.person("ada").await);
    let asked = rig.application(&ada, &code).await;
    let guess = rig.application(&ada, &Code::draw(&mut rand::rng())).await;
    for _ in 0..A_MINUTE {
        refused(rig.registrar.admit(guess.clone()).await, ProblemCode::NotFound, "no such invitation");
    }
    refused(rig.registrar.admit(guess.clone()).await, ProblemCode::TooManyRequests, "of this minute");
    let wrong = InvitedApplication { mac: B256::ZERO, ..asked.clone() };
    refused(rig.registrar.admit(wrong).await, ProblemCode::TooManyRequests, "of this minute");
    rig.registrar.admit(asked.clone()).await.unwrap();
    // At the gateway each address has its share, right or wrong: 12 in this rig.
    for _ in 0..12 {
        rig.apply(&asked).await.unwrap();
    }
    refused(rig.apply(&asked).await, ProblemCode::TooManyRequests, "more than 12 times");
}

#[tokio::test]
async fn the_gateway_alone_brings_applications() {
    let rig = Rig::new().await;
    let (code, ada) = (rig.code().await, rig.person("ada").await);
    let (asked, now) = (rig.application(&ada, &code).await, rig.now().await);
    for role in ["worker", "steward-1", "registrar"] {
        let answer = rig.asked_by(role).post_signed(route::ADMISSION, &asked, now).await.map_err(Problem::from);
        refused(answer, ProblemCode::Forbidden, "is not the gateway that the chain names");
    }
    rig.asked_by("relayer").post_signed(route::ADMISSION, &asked, now).await.unwrap();
}
