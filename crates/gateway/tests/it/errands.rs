//! What members may have the cooperative pay for in a day, and what that never stops.

use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::member::{Granted, Mined};
use rochdale_api::route::{HEALTH, gateway};
use rochdale_api::status::Health;
use rochdale_core::ids::Epoch;
use rochdale_gateway::config::GasConfig;
use rochdale_testkit::anvil::TestCoop;

use crate::claims::{propose, round};
use crate::rig::Rig;

async fn rig(gas: GasConfig) -> Rig {
    let mut rig = Rig::without_gateway(TestCoop::deploy().await.unwrap()).await;
    rig.gas = gas;
    rig.start().await;
    rig
}

fn refused<T: std::fmt::Debug>(answer: Result<T, ClientError>, words: &str) {
    let error = answer.unwrap_err();
    assert_eq!(error.code(), ProblemCode::TooManyRequests, "{error}");
    assert!(error.to_string().contains(words) && error.to_string().contains("pays its own gas"), "{error}");
}

#[tokio::test]
async fn consents_granted_anew_end_with_the_members_gas_of_a_day_and_a_denial_goes_through() {
    let rig = rig(GasConfig { per_member_per_day: 200_000, ..GasConfig::default() }).await;
    let (ann, ben) = (rig.coop.member_key(1), rig.coop.member_key(2));
    let (a, b) = (rig.join(&ann).await.member_id, rig.join(&ben).await.member_id);
    let (mut granted, mut gas) = (0, 0);
    let answer = loop {
        let request = rig.grant_request(&ann, a).await;
        match rig.client().post(gateway::GRANT, &request).await {
            Ok(done) => (granted, gas) = (granted + 1, gas + done.mined.gas_used),
            Err(error) => break Err::<Granted, _>(error),
        }
        assert!(granted < 10, "ten consents of one day, {gas} gas");
    };
    refused(answer, &format!("requests of member {a} cost {gas} gas"));
    assert!((200_000..400_000).contains(&gas), "the last one may overshoot: {gas}");
    let payout = rig.payout_request(&ann, a, ben.address()).await;
    refused(rig.client().post(gateway::PAYOUT, &payout).await, "requests of member");
    // Others are not hers to stop, and taking back is never refused.
    rig.grant(&ben, b).await;
    rig.deny(&ann, a, false).await;
    rig.deny(&ann, a, true).await;
}

#[tokio::test]
async fn the_gas_of_all_members_ends_with_an_alarm_and_settling_and_denials_go_on() {
    let rig = rig(GasConfig { members_per_day: 300_000, ..GasConfig::default() }).await;
    let key = rig.coop.member_key(1);
    let id = rig.join(&key).await.member_id;
    rig.grant(&key, id).await;
    let request = rig.join_request(&rig.coop.member_key(2)).await;
    refused(rig.client().post(gateway::JOIN, &request).await, "members' requests together");
    let again = rig.grant_request(&key, id).await;
    refused(rig.client().post(gateway::GRANT, &again).await, "members' requests together");
    let health: Health = rig.client().get(HEALTH).await.unwrap();
    assert!(health.ok, "it can work: {:?}", health.problems);
    assert!(health.problems.iter().any(|p| p.contains("of 300000 gas a day")), "{:?}", health.problems);

    // What stewards send is not members' to stop.
    let (header, _) = round(&rig, &[id]);
    rig.deny(&key, id, false).await;
    rig.coop.local.time_to(rig.coop.manifest.schedule().start(Epoch(1), 0), 0).await.unwrap();
    let steward = rig.signing(&rig.coop.stewards[0]);
    let _: Mined = steward.post_signed(gateway::PROPOSE, &propose(&rig, &header), rig.now().await).await.unwrap();
    // A day later there is gas for members again.
    rig.grant(&key, id).await;
}
