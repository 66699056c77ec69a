//! GOV that was claimed in a member's first 30 days votes from day 30 on, without the member doing anything.

use alloy::primitives::{Address, U256};
use alloy::providers::Provider as _;
use rochdale_api::member::Mined;
use rochdale_api::route::gateway;
use rochdale_chain::bindings::GovToken;
use rochdale_testkit::anvil::role_key;

use crate::rig::Rig;

const GOV: u128 = 1_000_000_000_000_000_000;
const DAY: u64 = 86_400;

async fn units(rig: &Rig, account: Address) -> u128 {
    let call = GovToken::unitsOfCall { account };
    rig.coop.chain.view(rig.coop.manifest.addresses.gov_token, &call).await.unwrap().to()
}

async fn sent(rig: &Rig) -> u64 {
    rig.coop.chain.provider().get_transaction_count(role_key("relayer").address()).await.unwrap()
}

async fn earn(rig: &Rig, account: Address) {
    let a = rig.coop.manifest.addresses;
    let mint = GovToken::mintCall { to: account, amount: U256::from(100 * GOV) };
    rig.coop.local.act_as(a.settlement_ledger, a.gov_token, &mint).await.unwrap();
}

#[tokio::test]
async fn the_relayer_counts_units_at_day_30_once_for_each() {
    let rig = Rig::new().await;
    let mut accounts = Vec::new();
    for n in 1..=14 {
        let key = rig.coop.member_key(n);
        rig.join(&key).await;
        // The last two earned nothing and something they left before day 30.
        if n != 13 {
            earn(&rig, key.address()).await;
        }
        accounts.push((n, key));
    }
    let request = rig.leave_request(&accounts[13].1, 14.into()).await;
    let _: Mined = rig.client().post(gateway::LEAVE, &request).await.unwrap();
    let before = sent(&rig).await;
    rig.coop.local.time_to(rig.now().await + 29 * DAY, 3).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(sent(&rig).await, before, "nobody is seasoned yet");
    for (_, key) in &accounts {
        assert_eq!(units(&rig, key.address()).await, 0);
    }

    rig.coop.local.time_to(rig.now().await + 2 * DAY, 3).await.unwrap();
    // More than one look takes: twelve have something to count.
    rig.until("counted", async || {
        for (_, key) in &accounts[..12] {
            if units(&rig, key.address()).await != 10 * GOV {
                return false;
            }
        }
        true
    })
    .await;
    assert_eq!(units(&rig, accounts[12].1.address()).await, 0);
    assert_eq!(units(&rig, accounts[13].1.address()).await, 0);
    assert_eq!(sent(&rig).await, before + 12, "one transaction for each who needs one");
    rig.coop.local.mine(3).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(sent(&rig).await, before + 12, "what is counted is not counted again");
    // Who earns later is counted by the claim itself.
    earn(&rig, accounts[12].1.address()).await;
    assert_eq!(units(&rig, accounts[12].1.address()).await, 10 * GOV);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(sent(&rig).await, before + 12);
}
