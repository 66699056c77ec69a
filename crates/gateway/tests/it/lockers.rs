//! Lockers over HTTP: who has the key, and nobody else.

use alloy::signers::local::PrivateKeySigner;
use rochdale_api::auth;
use rochdale_api::client::Identity;
use rochdale_api::locker::{Locker, LockerRequest};
use rochdale_api::route::gateway;
use rochdale_api::{Problem, ProblemCode};
use rochdale_crypto::locker::LockerSecret;
use rochdale_testkit::anvil::role_key;
use sqlx::Connection as _;

use crate::rig::Rig;

fn as_key(rig: &Rig, key: &PrivateKeySigner) -> rochdale_api::client::Client {
    let domain = auth::domain(31_337, rig.coop.manifest.addresses.steward_committee);
    rig.client().signing(Identity { key: key.clone(), domain }, role_key("relayer").address())
}

#[tokio::test]
async fn a_locker_is_its_keys_and_outlives_a_restart() {
    let mut rig = Rig::new().await;
    let secret = LockerSecret::random(&mut rand::rng());
    let key = PrivateKeySigner::from_slice(secret.signing_key().as_slice()).unwrap();
    let id = key.address();
    let now = rig.now().await;
    let sealed = secret.seal(1, b"what a member keeps", &mut rand::rng()).unwrap();
    let first = LockerRequest { version: 0, sealed: sealed.into() };
    let kept = as_key(&rig, &key).post_signed(gateway::PUT_LOCKER.at(id), &first, now).await.unwrap();
    assert_eq!(kept.version, 1);

    let stranger = as_key(&rig, &PrivateKeySigner::random());
    for refused in [
        stranger.get_signed(gateway::LOCKER.at(id), now).await.map(drop),
        stranger
            .post_signed(gateway::PUT_LOCKER.at(id), &LockerRequest { version: 1, ..first.clone() }, now)
            .await
            .map(drop),
    ] {
        assert_eq!(Problem::from(refused.unwrap_err()).code, ProblemCode::Forbidden);
    }
    let unsigned = rig.client().get(gateway::LOCKER.at(id)).await.map(drop);
    assert_eq!(Problem::from(unsigned.unwrap_err()).code, ProblemCode::Unauthenticated);
    let again = as_key(&rig, &key).post_signed(gateway::PUT_LOCKER.at(id), &first, now).await.map(drop);
    assert_eq!(Problem::from(again.unwrap_err()).code, ProblemCode::Conflict);

    rig.stop().await;
    // Whoever draws a key may call: that must not fill what keeps everybody's nonces.
    let nonces = format!("sqlite://{}", rig.dir.path().join("data/nonces.db").display());
    let mut nonces = sqlx::SqliteConnection::connect(&nonces).await.unwrap();
    let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM nonces").fetch_one(&mut nonces).await.unwrap();
    assert_eq!(kept, 0);
    nonces.close().await.unwrap();
    rig.start().await;
    let now = rig.now().await;
    let Locker { version, sealed } = as_key(&rig, &key).get_signed(gateway::LOCKER.at(id), now).await.unwrap();
    assert_eq!(secret.open(version, &sealed).unwrap().as_slice(), b"what a member keeps");
}
