//! Proposing a settlement and paying members from it.

use alloy::primitives::{B256, U256, keccak256};
use rochdale_api::ProblemCode;
use rochdale_api::member::{ClaimLeaf, ClaimRequest, Claimed, Mined};
use rochdale_api::route::{HEALTH, gateway};
use rochdale_api::settlement::{Countersignature, ProposeRequest};
use rochdale_api::status::{EpochView, Health};
use rochdale_chain::eip712;
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use rochdale_core::ledger::{Amounts, DEPTH, Header, Tree, empty_root, leaf};
use rochdale_gateway::config::ClaimsConfig;

use crate::rig::Rig;

const DATA: u128 = 5_000_000_000_000_000_000;
const GOV: u128 = 1_000_000_000_000_000_000;

/// Awards every member the same, with leaves that the stewards will hand out.
pub fn round(rig: &Rig, members: &[MemberId]) -> (Header, Vec<ClaimLeaf>) {
    let amounts = Amounts { cash: 0, stream: 0, data: DATA, gov: GOV };
    let private = |m: &MemberId| keccak256(m.0.to_be_bytes());
    let leaves: Vec<B256> = members.iter().map(|m| leaf(*m, &amounts, private(m))).collect();
    let tree = Tree::new(DEPTH, &leaves).unwrap();
    let n = members.len() as u128;
    let header = Header {
        epoch: Epoch(1),
        attempt: 0,
        previous_root: empty_root(DEPTH),
        root: tree.root(),
        params_hash: rig.coop.manifest.params_hash,
        inputs_root: keccak256(b"inputs"),
        sheet_digest: keccak256(b"sheet"),
        sharers: 0,
        payout: 0,
        sum_usage: U256::ZERO,
        sum_data: U256::ZERO,
        sum_early: U256::ZERO,
        sum_data_award: U256::from(n * DATA),
        sum_gov_award: U256::from(n * GOV),
        cash_allocated: 0,
        data_awarded: n * DATA,
        data_earned: n * DATA,
        gov_awarded: n * GOV,
        gov_earned: n * GOV,
    };
    let leaf = |m: &MemberId| ClaimLeaf {
        member_id: *m,
        cash: 0,
        stream: 0,
        data: DATA,
        gov: GOV,
        private_hash: private(m),
        proof: tree.proof(*m).unwrap(),
    };
    (header, members.iter().map(leaf).collect())
}

pub fn propose(rig: &Rig, header: &Header) -> ProposeRequest {
    let signed = eip712::Header::from(header);
    let sign = |seat: u8| Countersignature {
        steward: StewardId(seat),
        signature: eip712::sign(
            &rig.coop.stewards[usize::from(seat) - 1],
            &signed,
            &rig.coop.manifest.settlement_domain(),
        )
        .unwrap(),
    };
    ProposeRequest { header: header.clone(), signatures: vec![sign(1), sign(3)] }
}

#[tokio::test]
async fn members_are_paid_once_each_singly_and_in_a_batch() {
    let rig = Rig::new().await;
    let mut members = Vec::new();
    for n in 1..=3 {
        members.push(rig.join(&rig.coop.member_key(n)).await.member_id);
    }
    let error = rig.client().post(gateway::CLAIM, &ClaimRequest::default()).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::NotEnough, "{error}");

    let (header, leaves) = round(&rig, &members);
    let schedule = rig.coop.manifest.schedule();
    rig.coop.local.time_to(schedule.start(Epoch(1), 0), 0).await.unwrap();
    let view: EpochView = rig.client().get(gateway::EPOCH.at(1)).await.unwrap();
    assert_eq!((view.state.as_str(), view.end), ("awaiting_proposal", schedule.end(Epoch(1))));
    let (steward, now) = (rig.signing(&rig.coop.stewards[0]), rig.now().await);
    let proposal = propose(&rig, &header);
    let mined: Mined = steward.post_signed(gateway::PROPOSE, &proposal, now).await.unwrap();
    let again: Mined = steward.post_signed(gateway::PROPOSE, &proposal, now).await.unwrap();
    assert_eq!(mined, again, "a proposal whose answer was lost");
    let view: EpochView = rig.client().get(gateway::EPOCH.at(1)).await.unwrap();
    assert_eq!((view.state.as_str(), view.root, view.gas_used), ("pending", Some(header.root), Some(mined.gas_used)));

    rig.coop.local.time_to(view.final_at.unwrap(), 0).await.unwrap();
    let view: EpochView = rig.client().get(gateway::EPOCH.at(1)).await.unwrap();
    assert_eq!(view.state, "final");

    // The first steward gives wrong leaves: the contract refuses them, another steward is asked.
    let mut wrong = leaves.clone();
    wrong.iter_mut().for_each(|l| l.data += 1);
    *rig.stewards[0].leaves.lock().unwrap() = wrong;
    *rig.stewards[1].leaves.lock().unwrap() = leaves.clone();
    *rig.stewards[2].leaves.lock().unwrap() = leaves;
    let one = ClaimRequest { members: vec![members[1]] };
    let claimed: Claimed = rig.client().post(gateway::CLAIM, &one).await.unwrap();
    assert_eq!((claimed.epoch, claimed.paid.len(), claimed.mined.len()), (Epoch(1), 1, 1));
    assert_eq!((claimed.paid[0].member_id, claimed.paid[0].data, claimed.paid[0].gov), (members[1], DATA, GOV));

    let all: Claimed = rig.client().post(gateway::CLAIM, &ClaimRequest::default()).await.unwrap();
    let paid: Vec<MemberId> = all.paid.iter().map(|p| p.member_id).collect();
    assert_eq!(paid, [members[0], members[2]], "who was paid before is not paid again");
    let again: Claimed = rig.client().post(gateway::CLAIM, &ClaimRequest::default()).await.unwrap();
    assert_eq!((again.paid.len(), again.mined.len()), (0, 0), "no gas for nothing");
    for n in 1..=3 {
        let account = rig.coop.member_key(n).address();
        assert_eq!(rig.coop.balance(rig.coop.manifest.addresses.data_token, account).await.unwrap(), DATA);
    }
}

/// A gateway with limits as told, three members, and an epoch that is final.
async fn settled(edit: impl FnOnce(&mut ClaimsConfig)) -> (Rig, Vec<MemberId>) {
    let mut rig = Rig::without_gateway(crate::rig::deploy().await).await;
    edit(&mut rig.claims);
    rig.start().await;
    let mut members = Vec::new();
    for n in 1..=3 {
        members.push(rig.join(&rig.coop.member_key(n)).await.member_id);
    }
    let (header, leaves) = round(&rig, &members);
    rig.coop.local.time_to(rig.coop.manifest.schedule().start(Epoch(1), 0), 0).await.unwrap();
    let steward = rig.signing(&rig.coop.stewards[0]);
    let _: Mined = steward.post_signed(gateway::PROPOSE, &propose(&rig, &header), rig.now().await).await.unwrap();
    let view: EpochView = rig.client().get(gateway::EPOCH.at(1)).await.unwrap();
    rig.coop.local.time_to(view.final_at.unwrap(), 0).await.unwrap();
    for steward in &rig.stewards {
        steward.leaves.lock().unwrap().clone_from(&leaves);
    }
    (rig, members)
}

async fn claim(rig: &Rig, members: &[MemberId]) -> Result<Claimed, rochdale_api::client::ClientError> {
    rig.client().post(gateway::CLAIM, &ClaimRequest { members: members.to_vec() }).await
}

#[tokio::test]
async fn those_who_ask_together_share_a_batch_and_the_next_one_keeps_its_distance() {
    let (rig, members) = settled(|claims| claims.every_ms = 1_500).await;
    let start = std::time::Instant::now();
    let first = claim(&rig, &members[..1]).await.unwrap();
    assert_eq!(first.mined.len(), 1);
    let (second, third) = tokio::join!(claim(&rig, &members[1..2]), claim(&rig, &members[2..]));
    let (second, third) = (second.unwrap(), third.unwrap());
    assert!(start.elapsed() >= std::time::Duration::from_millis(1_500), "the batch kept no distance");
    assert_eq!(second.mined, third.mined, "one transaction for both");
    assert_eq!((second.paid.len(), second.paid[0].member_id), (1, members[1]), "each hears of its own");
    assert_eq!((third.paid.len(), third.paid[0].member_id), (1, members[2]));
}

#[tokio::test]
async fn an_address_has_its_share_of_an_hour() {
    let (rig, members) = settled(|claims| claims.per_address_per_hour = 1).await;
    claim(&rig, &members[..1]).await.unwrap();
    let error = claim(&rig, &members[1..]).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::TooManyRequests, "{error}");
    assert!(error.to_string().contains("address 127.0.0.1") && error.to_string().contains("--key"), "{error}");
}

#[tokio::test]
async fn a_network_has_its_share_and_behind_a_proxy_each_caller_is_told_apart() {
    let (rig, members) = settled(|claims| (claims.per_network_per_hour, claims.behind_proxy) = (1, true)).await;
    let http = reqwest::Client::new();
    let ask = async |from: &str, member: MemberId| {
        let body = serde_json::json!({ "members": [member] });
        let request =
            http.post(format!("{}{}", rig.url(), gateway::CLAIM.path)).header("x-forwarded-for", from).json(&body);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask("203.0.113.9, 192.0.2.1", members[0]).await, 200);
    assert_eq!(ask("203.0.113.9, 192.0.2.77", members[1]).await, 429, "a neighbour of the one before");
    assert_eq!(ask("192.0.2.1, 198.51.100.1", members[1]).await, 200, "what a caller says itself counts for nothing");
}

#[tokio::test]
async fn a_days_gas_ends_with_an_alarm_and_not_with_everything() {
    let (rig, members) = settled(|claims| claims.gas_per_day = 1_000).await;
    claim(&rig, &members[..1]).await.unwrap();
    let error = claim(&rig, &members[1..]).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::TooManyRequests, "{error}");
    assert!(error.to_string().contains("gas in the last day"), "{error}");
    let health: Health = rig.client().get(HEALTH).await.unwrap();
    assert!(health.ok, "it can work: {:?}", health.problems);
    assert!(health.problems.iter().any(|p| p.contains("of 1000 gas a day")), "{:?}", health.problems);
    // Another member joins meanwhile: what is no claim has its own limits.
    rig.join(&rig.coop.member_key(4)).await;
}
