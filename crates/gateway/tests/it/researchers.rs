//! Researchers without a wallet: the ethics board approves their account, and the gateway pays for what researchers do.

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::sol_types::SolCall;
use rochdale_api::ProblemCode;
use rochdale_api::account::AccountCreated;
use rochdale_api::route::gateway;
use rochdale_chain::account::Recovery;
use rochdale_chain::bindings::{GovToken, LicenseSale, Market, MemberAccount, MemberAccountFactory, TestUSDC};
use rochdale_chain::deploy::account_factory;
use rochdale_core::ids::Purpose;

use crate::accounts::{Person, code, refused};
use crate::rig::Rig;

const DAY: u64 = 86_400;
const PURPOSE: Purpose = Purpose(6);

fn wanted() -> LicenseSale::Order {
    LicenseSale::Order {
        datasetId: 1,
        records: 10,
        purpose: PURPOSE.0,
        ehdsCategory: 5,
        duration: 30 * DAY,
        recipientKey: keccak256(b"recipient"),
    }
}

async fn price(rig: &Rig) -> U256 {
    rig.coop.chain.view(rig.coop.manifest.addresses.market, &Market::priceOfCall { o: wanted() }).await.unwrap()
}

fn allow(spender: Address, value: U256) -> Vec<u8> {
    TestUSDC::approveCall { spender, value }.abi_encode()
}

/// An allowance and what it is for, as pages send them.
async fn purchase(rig: &Rig) -> [(Address, Vec<u8>); 2] {
    let (a, value) = (rig.coop.manifest.addresses, price(rig).await);
    let p = LicenseSale::Permit { value, deadline: U256::ZERO, v: 0, r: B256::ZERO, s: B256::ZERO };
    [(a.usdc, allow(a.market, value)), (a.market, Market::buyCall { o: wanted(), p }.abi_encode())]
}

async fn fund(rig: &Rig, account: Address, amount: U256) {
    let usdc = rig.coop.manifest.addresses.usdc;
    rig.coop.founder.send(usdc, &TestUSDC::mintCall { to: account, amount }).await.unwrap();
}

async fn block(rig: &Rig) -> u64 {
    rig.coop.chain.head().await.unwrap().latest.number
}

#[tokio::test]
async fn the_ethics_boards_approval_has_an_account_created_and_its_purchases_paid_for_until_it_ends() {
    let rig = Rig::new().await;
    let lin = Person::named(&rig, "lin").await;
    let (forbidden, said) = code(rig.client().post(gateway::CREATE_ACCOUNT, &lin.asks()).await);
    assert_eq!(forbidden, ProblemCode::Forbidden);
    assert!(said.contains("the ethics board approves it for nothing"), "{said}");

    // The board approves an address at which there is nothing yet.
    let until = rig.now().await + 40 * DAY;
    rig.coop.approve_account(lin.account, PURPOSE, until).await.unwrap();
    let AccountCreated { account, mined } = rig.client().post(gateway::CREATE_ACCOUNT, &lin.asks()).await.unwrap();
    assert!(account == lin.account && mined.is_some());
    let view = rig.client().get(gateway::ACCOUNT.at(account)).await.unwrap();
    assert_eq!((view.member_id, view.nonce), (None, 0));

    let a = rig.coop.manifest.addresses;
    refused(lin.does(&rig, &purchase(&rig).await).await, ProblemCode::ChainRefused, "ERC20InsufficientBalance");
    fund(&rig, account, U256::from(2) * price(&rig).await).await;
    lin.does(&rig, &purchase(&rig).await).await.unwrap();
    let left = TestUSDC::allowanceCall { owner: account, spender: a.market };
    assert_eq!(rig.coop.chain.view(a.usdc, &left).await.unwrap(), U256::ZERO, "no more is allowed than the price");
    let licenses = rig.client().get(gateway::LICENSES).await.unwrap();
    assert!(licenses.iter().any(|license| license.holder == account), "{licenses:?}");

    // What members do, and money that goes elsewhere, is nothing that a researcher needs.
    let sent = block(&rig).await;
    let lock = GovToken::syncCall { account }.abi_encode();
    refused(lin.does(&rig, &[(a.gov_token, lock)]).await, ProblemCode::Forbidden, "nobody joined");
    for spender in [Address::repeat_byte(7), account, a.usdc, a.service_desk] {
        let calls = [(a.usdc, allow(spender, U256::MAX))];
        refused(lin.does(&rig, &calls).await, ProblemCode::Forbidden, "calls[0].data");
    }
    let transfer = TestUSDC::transferCall { to: Address::repeat_byte(7), value: U256::ONE }.abi_encode();
    refused(lin.does(&rig, &[(a.usdc, transfer)]).await, ProblemCode::Forbidden, "of USDC");
    assert_eq!(block(&rig).await, sent, "nothing was sent");

    // Another phone is theirs to name.
    let (qx, qy) = lin.passkey.public();
    lin.does(&rig, &[(Address::ZERO, MemberAccount::setPasskeyCall { qx, qy }.abi_encode())]).await.unwrap();

    rig.coop.local.time_to(until, 0).await.unwrap();
    let sent = block(&rig).await;
    refused(lin.does(&rig, &purchase(&rig).await).await, ProblemCode::Forbidden, "approves it for no purpose");
    assert_eq!(block(&rig).await, sent, "nothing was sent");
}

#[tokio::test]
async fn who_is_not_approved_is_refused_before_anything_is_sent() {
    let rig = Rig::new().await;
    let eve = Person::named(&rig, "eve").await;
    let (qx, qy) = eve.passkey.public();
    let recovery = Recovery { guardians: Vec::new(), threshold: 0, delay: 0 };
    let create = MemberAccountFactory::createCall { qx, qy, recovery };
    rig.coop.founder.send(account_factory().1, &create).await.unwrap();
    fund(&rig, eve.account, price(&rig).await).await;
    let sent = block(&rig).await;
    refused(eve.does(&rig, &purchase(&rig).await).await, ProblemCode::Forbidden, "approves it for no purpose");
    // A member is no researcher, until the board says so.
    let (ada, _) = Person::enrolled(&rig, "ada").await;
    let joined = block(&rig).await;
    refused(ada.does(&rig, &purchase(&rig).await).await, ProblemCode::Forbidden, "approves it for no purpose");
    assert!(sent < joined && block(&rig).await == joined, "nothing was sent");
    fund(&rig, ada.account, price(&rig).await).await;
    rig.coop.approve_account(ada.account, PURPOSE, rig.now().await + DAY).await.unwrap();
    ada.does(&rig, &purchase(&rig).await).await.unwrap();
}

#[tokio::test]
async fn a_researcher_has_the_gas_of_a_day_that_a_member_has() {
    let mut rig = Rig::without_gateway(crate::rig::deploy().await).await;
    rig.gas.per_member_per_day = 150_000;
    rig.start().await;
    let people = [Person::named(&rig, "lin").await, Person::named(&rig, "mo").await];
    for person in &people {
        rig.coop.approve_account(person.account, PURPOSE, rig.now().await + DAY).await.unwrap();
        rig.client().post(gateway::CREATE_ACCOUNT, &person.asks()).await.unwrap();
    }
    let a = rig.coop.manifest.addresses;
    let calls = [(a.usdc, allow(a.market, U256::ONE))];
    let [lin, mo] = &people;
    let mut done = 0;
    let refusal = loop {
        match lin.does(&rig, &calls).await {
            Ok(_) => done += 1,
            Err(problem) => break problem,
        }
        assert!(done < 10, "ten batches of one day");
    };
    assert!(done > 0 && refusal.code == ProblemCode::TooManyRequests, "{done}: {refusal}");
    assert!(refusal.detail.contains("gas within"), "{refusal}");
    mo.does(&rig, &calls).await.unwrap();
}
