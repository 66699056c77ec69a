use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::U256;
use alloy::providers::ext::AnvilApi as _;
use rochdale_chain::bindings::{LicenseSale, Market, TestUSDC};
use rochdale_chain::client::{Chain, ChainError, ChainOptions, ManualClock, SendError, Sender, SenderOptions};
use rochdale_chain::deploy::{DeployError, deploy};
use rochdale_chain::local::{Anvil, AnvilOptions, LocalChain, Mining};
use rochdale_core::ids::{DatasetId, Purpose};
use rochdale_testkit::anvil::{GENESIS_TIME, TestCoop, connect, refusal, role_key};

/// Services spawn what they send; a future that is not `Send` would show only there.
fn assert_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn another_chain_id_is_refused_by_name() {
    let anvil = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let options = ChainOptions::new(8_453);
    let error = Chain::connect(&anvil.url(), options, Arc::new(ManualClock::default())).await.unwrap_err();
    assert!(matches!(error, ChainError::WrongChain { expected: 8_453, actual: 31_337, .. }), "{error}");
    assert!(error.to_string().contains("serves chain 31337"), "{error}");
}

#[tokio::test]
async fn an_rpc_that_is_down_is_named_with_the_cause() {
    let anvil = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let (url, port) = (anvil.url(), anvil.port());
    let (chain, _) = connect(&url).await.unwrap();
    drop(anvil);
    let error = chain.head().await.unwrap_err();
    assert!(error.is_transient());
    assert!(error.to_string().contains(&format!("127.0.0.1:{port} does not answer")), "{error}");
    let again = Chain::connect(&url, ChainOptions::new(31_337), Arc::new(ManualClock::default())).await;
    assert!(matches!(again, Err(ChainError::Unreachable { .. })));
}

#[tokio::test]
async fn an_address_that_is_no_url_is_refused() {
    for bad in ["localhost", "", "127.0.0.1:8545"] {
        let error = Chain::connect(bad, ChainOptions::new(31_337), Arc::new(ManualClock::default())).await.unwrap_err();
        assert!(matches!(error, ChainError::BadUrl(_)), "{bad:?}: {error}");
    }
}

#[tokio::test]
async fn an_access_key_in_the_address_is_not_shown() {
    let error = Chain::connect(
        "http://user:hunter2@127.0.0.1:1/v2/hunter2",
        ChainOptions::new(1),
        Arc::new(ManualClock::default()),
    )
    .await
    .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_head_that_stands_still_is_stale_until_it_moves() {
    let anvil = Anvil::spawn(&AnvilOptions { mining: Mining::Manual, ..AnvilOptions::default() }).unwrap();
    let (chain, clock) = connect(&anvil.url()).await.unwrap();
    chain.head().await.unwrap();
    clock.advance(Duration::from_secs(60));
    chain.head().await.unwrap();
    clock.advance(Duration::from_secs(1));
    let error = chain.head().await.unwrap_err();
    assert!(matches!(error, ChainError::Stale { number: 0, seconds: 61, limit: 60, .. }), "{error}");
    assert!(matches!(chain.now().await, Err(ChainError::Stale { .. })));
    LocalChain::new(&chain).unwrap().mine(1).await.unwrap();
    assert_eq!(chain.head().await.unwrap().latest.number, 1);
}

#[tokio::test]
async fn a_head_that_falls_far_back_is_reported() {
    let anvil = Anvil::spawn(&AnvilOptions { mining: Mining::Manual, ..AnvilOptions::default() }).unwrap();
    let (chain, _) = connect(&anvil.url()).await.unwrap();
    LocalChain::new(&chain).unwrap().mine(100).await.unwrap();
    chain.head().await.unwrap();
    chain.provider().anvil_rollback(Some(64)).await.unwrap();
    assert_eq!(chain.head().await.unwrap().latest.number, 36, "a deep reorganization, but possible");
    chain.provider().anvil_rollback(Some(1)).await.unwrap();
    let error = chain.head().await.unwrap_err();
    assert!(matches!(error, ChainError::FellBack { seen: 100, number: 35, .. }), "{error}");
}

#[tokio::test]
async fn a_sender_without_an_rpc_gives_up_after_its_retries() {
    let anvil = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let (chain, _) = connect(&anvil.url()).await.unwrap();
    drop(anvil);
    let options = SenderOptions { retries: 2, backoff: Duration::from_millis(1), ..SenderOptions::default() };
    let sender = Sender::with_options(chain, role_key("relayer"), options);
    let call = TestUSDC::mintCall { to: sender.address(), amount: U256::from(1) };
    let error = sender.send(sender.address(), &call).await.unwrap_err();
    assert!(matches!(&error, SendError::Chain(e) if e.is_transient()), "{error:?}");
    assert!(error.to_string().contains("check that the node runs"), "{error}");
}

#[tokio::test]
async fn the_finalized_block_trails_by_two_and_a_cut_waits_for_it() {
    let options =
        AnvilOptions { genesis_timestamp: Some(GENESIS_TIME), mining: Mining::Manual, ..AnvilOptions::default() };
    let anvil = Anvil::spawn(&options).unwrap();
    let (chain, _) = connect(&anvil.url()).await.unwrap();
    let local = LocalChain::new(&chain).unwrap();
    let mut timestamps = vec![GENESIS_TIME];
    for step in 1..=20 {
        timestamps.push(local.time_to(GENESIS_TIME + step * 100, 0).await.unwrap().timestamp);
    }
    assert_eq!(timestamps[20], GENESIS_TIME + 2_000);
    let head = chain.head().await.unwrap();
    assert_eq!((head.latest.number, head.finalized.number), (20, 18));
    let number = |cut: Option<rochdale_chain::client::BlockRef>| cut.map(|b| b.number);
    for (end, cut) in [(0, 0), (99, 0), (100, 1), (101, 1), (950, 9), (1_799, 17), (1_800, 99), (5_000, 99)] {
        let expected = (cut != 99).then_some(cut);
        assert_eq!(number(chain.cut_block(GENESIS_TIME + end).await.unwrap()), expected, "end at +{end}");
    }
    assert!(chain.cut_block(GENESIS_TIME - 1).await.is_err());
    // Moving to the past does nothing.
    assert_eq!(local.time_to(GENESIS_TIME, 0).await.unwrap().number, 20);
}

#[tokio::test]
async fn a_refusal_names_the_contracts_error_and_sends_nothing() {
    let coop = TestCoop::deploy().await.unwrap();
    let before = coop.chain.head().await.unwrap().latest;
    let error = coop.buy(DatasetId(1), 10, Purpose(42)).await.unwrap_err();
    assert_eq!(refusal(&error), Some("LicenseSale_NotApproved"));
    let text = error.to_string();
    let buyer = coop.researcher.address();
    assert!(text.contains(&format!("LicenseSale_NotApproved({buyer}, 42)")), "{text}");
    // The mint of test USDC is mined, the purchase is not.
    assert_eq!(coop.chain.head().await.unwrap().latest.number, before.number + 1);

    // A selector in a batch's refusal is shown as the error it stands for.
    let (one, two) = (coop.member_key(1), coop.member_key(2));
    let (id, other) = (coop.join(&one).await.unwrap(), coop.join(&two).await.unwrap());
    coop.grant(&one, id, 1).await.unwrap();
    let commitment = alloy::primitives::B256::repeat_byte(1);
    let error = coop.record(&[(&one, id, commitment), (&two, other, commitment)]).await.unwrap_err();
    assert_eq!(refusal(&error), Some("ContributionRegistry_Refused"));
    assert!(error.to_string().contains("ContributionRegistry_Refused(1, ContributionRegistry_"), "{error}");
}

#[tokio::test]
async fn a_plain_reason_and_a_missing_contract_are_told_apart() {
    let coop = TestCoop::deploy().await.unwrap();
    let nobody = alloy::primitives::Address::repeat_byte(0x99);
    let call = Market::priceOfCall {
        o: LicenseSale::Order {
            datasetId: 77,
            records: 1,
            purpose: 1,
            ehdsCategory: 1,
            duration: 1,
            recipientKey: alloy::primitives::B256::ZERO,
        },
    };
    let error = coop.chain.view(coop.manifest.addresses.market, &call).await.unwrap_err().to_string();
    assert!(error.contains("LicenseSale_DatasetClosed(77)"), "{error}");
    let error = coop.chain.view(nobody, &call).await.unwrap_err().to_string();
    assert!(error.contains("is this the contract?"), "{error}");
}

#[tokio::test]
async fn transactions_of_one_key_at_once_get_one_nonce_each() {
    let coop = TestCoop::deploy().await.unwrap();
    let (usdc, holder) = (coop.manifest.addresses.usdc, role_key("member-9").address());
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let relayer = coop.relayer.clone();
        let call = TestUSDC::mintCall { to: holder, amount: U256::from(5) };
        all.spawn(assert_send(async move { relayer.send(usdc, &call).await }));
    }
    while let Some(sent) = all.join_next().await {
        sent.unwrap().unwrap();
    }
    assert_eq!(coop.balance(usdc, holder).await.unwrap(), 100);
}

#[tokio::test]
async fn a_nonce_that_another_process_took_is_replaced() {
    let coop = TestCoop::deploy().await.unwrap();
    let (usdc, holder) = (coop.manifest.addresses.usdc, role_key("member-9").address());
    let twin = coop.sender("relayer").await.unwrap();
    let mint = TestUSDC::mintCall { to: holder, amount: U256::from(1) };
    for sender in [&coop.relayer, &twin, &coop.relayer, &coop.relayer, &twin] {
        sender.send(usdc, &mint).await.unwrap();
    }
    assert_eq!(coop.balance(usdc, holder).await.unwrap(), 5);
}

#[tokio::test]
async fn what_the_chain_forgot_in_a_reorganization_can_be_sent_again() {
    let coop = TestCoop::deploy().await.unwrap();
    let (usdc, holder) = (coop.manifest.addresses.usdc, role_key("member-9").address());
    let mint = TestUSDC::mintCall { to: holder, amount: U256::from(1) };
    for _ in 0..3 {
        coop.relayer.send(usdc, &mint).await.unwrap();
    }
    coop.local.reorg(2).await.unwrap();
    assert_eq!(coop.balance(usdc, holder).await.unwrap(), 1);
    coop.relayer.send(usdc, &mint).await.unwrap();
    assert_eq!(coop.balance(usdc, holder).await.unwrap(), 2);
}

#[tokio::test]
async fn an_account_without_ether_is_told_so() {
    let coop = TestCoop::deploy().await.unwrap();
    let poor = Sender::new(coop.chain.clone(), role_key("member-3"));
    let call = TestUSDC::mintCall { to: poor.address(), amount: U256::from(1) };
    let error = poor.send(coop.manifest.addresses.usdc, &call).await.unwrap_err();
    assert!(matches!(error, SendError::NoFunds { .. }), "{error:?}");
    assert!(error.to_string().contains("fund it"), "{error}");
}

#[tokio::test]
async fn a_transaction_that_is_not_mined_is_named() {
    let anvil = Anvil::spawn(&AnvilOptions { mining: Mining::Manual, ..AnvilOptions::default() }).unwrap();
    let (chain, _) = connect(&anvil.url()).await.unwrap();
    let local = LocalChain::new(&chain).unwrap();
    let key = role_key("founder");
    local.set_balance(key.address(), U256::from(10).pow(U256::from(20))).await.unwrap();
    let patience = Duration::from_millis(50);
    let options = SenderOptions { patience, poll: Duration::from_millis(10), ..SenderOptions::default() };
    let sender = Sender::with_options(chain, key, options);
    let config = rochdale_chain::deploy::CoopConfig::demo(rochdale_testkit::anvil::actors());
    let error = deploy(&sender, &config, None, |_| {}).await.unwrap_err();
    let DeployError::Step { step, done: 0, source: SendError::NotMined { .. }, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(step, "TestUSDC");
    assert!(error.to_string().contains("after 0 of"), "{error}");
}
