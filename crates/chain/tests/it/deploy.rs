use std::path::Path;
use std::sync::Arc;

use alloy::primitives::aliases::U96;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::providers::Provider as _;
use alloy::providers::ext::AnvilApi as _;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall as _;
use rochdale_chain::bindings::{AuctionHouse, ComputeDesk, Market, ResearcherBond, ServiceDesk, TestUSDC};
use rochdale_chain::client::{Chain, ChainError, ChainOptions, ManualClock, Sender};
use rochdale_chain::deploy::{CoopConfig, DeployError, Manifest, VestingSchedule, deploy, verify};
use rochdale_chain::local::{Anvil, AnvilOptions, LocalChain, Mining};
use rochdale_core::money::MicroUsdc;
use rochdale_testkit::anvil::{GENESIS_TIME, TestCoop, actors, connect, role_key};

#[tokio::test]
async fn a_deployment_reads_back_and_its_manifest_survives_the_disk() {
    let coop = TestCoop::deploy().await.unwrap();
    verify(&coop.chain, &coop.manifest, &coop.config).await.unwrap();
    assert_eq!(coop.manifest.chain_id, 31_337);
    assert_eq!(coop.manifest.params_hash, coop.config.ledger.hash());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("coop.json");
    coop.manifest.save(&path).unwrap();
    assert_eq!(Manifest::load(&path).unwrap(), coop.manifest);
}

#[tokio::test]
async fn two_cooperatives_on_one_chain_do_not_share_an_address() {
    let coop = TestCoop::deploy().await.unwrap();
    let second = deploy(&coop.founder, &coop.config, None, |_| {}).await.unwrap();
    let ours = coop.manifest.addresses.followed();
    assert!(second.addresses.followed().iter().all(|a| !ours.contains(a)));
    verify(&coop.chain, &coop.manifest, &coop.config).await.unwrap();
}

#[tokio::test]
async fn reading_back_finds_what_differs() {
    let coop = TestCoop::deploy().await.unwrap();
    let mut other = coop.config.clone();
    other.actors.registrar = role_key("somebody").address();
    let error = verify(&coop.chain, &coop.manifest, &other).await.unwrap_err();
    assert!(error.to_string().contains("the registrar is"), "{error}");
    let mut other = coop.config.clone();
    other.settlement.window += 1;
    let error = verify(&coop.chain, &coop.manifest, &other).await.unwrap_err();
    assert!(error.to_string().contains("the objection window is 86400, not 86401"), "{error}");
}

/// A change of a configuration.
type Edit = fn(&mut CoopConfig);

#[tokio::test]
async fn reading_back_holds_every_desk_against_the_configuration() {
    let bought_back = |config: &mut CoopConfig| {
        (config.desks.buyback_lot, config.desks.buyback_start) = (MicroUsdc(5_000_000), 9_000);
        (config.desks.buyback_floor, config.desks.buyback_duration) = (4_000, 3_600);
        let beneficiary = role_key("team").address();
        let (amount, start, cliff, duration) = (7_000, GENESIS_TIME, 10, 100);
        config.vesting.push(VestingSchedule { beneficiary, amount, start, cliff, duration, revocable: true });
    };
    let coop = TestCoop::deploy_with(AnvilOptions::default(), bought_back).await.unwrap();
    verify(&coop.chain, &coop.manifest, &coop.config).await.unwrap();
    let edits: &[(&str, Edit)] = &[
        ("the extension for a late quorum is", |c| c.governance.token.late_quorum_extension += 1),
        ("the least part of the contributors is 5000, not 5001", |c| c.desks.min_contributors_bps += 1),
        ("the ethics board is", |c| c.actors.ethics_board = role_key("somebody").address()),
        ("the refund window is", |c| c.desks.refund_window += 1),
        ("the time that a metered job has is", |c| c.desks.compute_timeout += 1),
        ("the least bond of a researcher is 1000000000, not 1000000001", |c| c.desks.researcher_bond.0 += 1),
        ("a steward's pay for an epoch is", |c| c.desks.steward_per_epoch.0 += 1),
        ("a worker's pay for a receipt is", |c| c.desks.worker_per_receipt.0 += 1),
        ("a lot of the buyback is 5000000, not 5000001", |c| c.desks.buyback_lot.0 += 1),
        ("the DATA that a lot asks for at first is", |c| c.desks.buyback_start += 1),
        ("the DATA that a lot comes down to is", |c| c.desks.buyback_floor += 1),
        ("the time of a lot's way down is", |c| c.desks.buyback_duration += 1),
        ("the number of vesting schedules is 1, not 0", |c| c.vesting.clear()),
        ("the beneficiary of vesting schedule 1 is", |c| c.vesting[0].beneficiary = role_key("other").address()),
        ("the amount of vesting schedule 1 is 7000, not 6999", |c| c.vesting[0].amount -= 1),
        ("the start of vesting schedule 1 is", |c| c.vesting[0].start += 1),
        ("the cliff of vesting schedule 1 is", |c| c.vesting[0].cliff += 1),
        ("the duration of vesting schedule 1 is", |c| c.vesting[0].duration += 1),
        ("the right to revoke of vesting schedule 1 is", |c| c.vesting[0].revocable = false),
    ];
    for (expected, edit) in edits {
        let mut other = coop.config.clone();
        edit(&mut other);
        let error = verify(&coop.chain, &coop.manifest, &other).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn reading_back_finds_sales_that_no_configuration_begins() {
    let coop = TestCoop::deploy().await.unwrap();
    let a = &coop.manifest.addresses;
    let terms = AuctionHouse::AuctionTerms {
        reserve: 1,
        bidBond: 1,
        commitPeriod: 86_400,
        revealPeriod: 2 * 86_400,
        records: 10,
        duration: 86_400,
    };
    let service = ServiceDesk::Service { dataPrice: 1, open: true };
    let begun: [(&str, Address, Address, Vec<u8>); 7] = [
        ("the price in DATA is 5, not 0", a.token_timelock, a.market, {
            Market::setDataTermsCall { dataPerUsdc: 5, burnBps: 0 }.abi_encode()
        }),
        ("the base price of a metered job is 3, not 0", a.token_timelock, a.compute_desk, {
            ComputeDesk::setPriceCall { base: 3, perUnit: 4 }.abi_encode()
        }),
        ("the price of a metered unit is 4, not 0", a.token_timelock, a.compute_desk, {
            ComputeDesk::setPriceCall { base: 0, perUnit: 4 }.abi_encode()
        }),
        ("the time for bids on dataset 2 is 86400, not 0", a.token_timelock, a.auction_house, {
            AuctionHouse::setTermsCall { datasetId: 2, t: terms }.abi_encode()
        }),
        ("that the auction house asks for a bond is true, not false", a.member_timelock, a.auction_house, {
            Market::setBondRequiredCall { required: true }.abi_encode()
        }),
        ("the token of researchers' bonds is", a.token_timelock, a.researcher_bond, {
            ResearcherBond::setTermsCall { token: a.data_token, minAmount: U96::from(1_000_000_000u64) }.abi_encode()
        }),
        ("that service 77 is open is true, not false", a.token_timelock, a.service_desk, {
            ServiceDesk::setServiceCall { serviceId: 77, s: service }.abi_encode()
        }),
    ];
    let provider = coop.chain.provider();
    for (expected, house, desk, data) in begun {
        let before = provider.anvil_snapshot().await.unwrap();
        provider.anvil_impersonate_account(house).await.unwrap();
        coop.local.set_balance(house, U256::from(10).pow(U256::from(18))).await.unwrap();
        let request = TransactionRequest::default().from(house).to(desk).input(Bytes::from(data).into());
        assert!(provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap().status(), "{expected}");
        let error = verify(&coop.chain, &coop.manifest, &coop.config).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(provider.anvil_revert(before).await.unwrap());
    }
    verify(&coop.chain, &coop.manifest, &coop.config).await.unwrap();
}

/// A chain that is not the local one, with a stablecoin on it.
async fn elsewhere(usdc: Address) -> (Anvil, Chain, Sender) {
    let here = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let (local, _) = connect(&here.url()).await.unwrap();
    let minter = Sender::new(local.clone(), role_key("founder"));
    let rich = U256::from(10).pow(U256::from(22));
    LocalChain::new(&local).unwrap().set_balance(minter.address(), rich).await.unwrap();
    let token = minter.send_raw(TxKind::Create, TestUSDC::BYTECODE.clone(), "TestUSDC").await.unwrap().created.unwrap();
    let code = local.provider().get_code_at(token).await.unwrap();

    let anvil = Anvil::spawn(&AnvilOptions { chain_id: 8_453, ..AnvilOptions::default() }).unwrap();
    let chain = Chain::connect(&anvil.url(), ChainOptions::new(8_453), Arc::new(ManualClock::default())).await.unwrap();
    let founder = Sender::new(chain.clone(), role_key("founder"));
    chain.provider().anvil_set_balance(founder.address(), rich).await.unwrap();
    chain.provider().anvil_set_code(usdc, code).await.unwrap();
    (anvil, chain, founder)
}

#[tokio::test]
async fn another_chain_than_the_local_one_needs_its_own_stablecoin_and_nothing_else() {
    let usdc = Address::repeat_byte(0x0c);
    let (_anvil, chain, founder) = elsewhere(usdc).await;
    let config = CoopConfig { chain_id: 8_453, ..CoopConfig::demo(actors()) };
    let error = deploy(&founder, &config, None, |_| {}).await.unwrap_err();
    assert!(error.to_string().starts_with("usdc must name the stablecoin"), "{error}");
    assert!(matches!(LocalChain::new(&chain), Err(ChainError::NotLocal { chain_id: 8_453, .. })));
    assert_eq!(chain.head().await.unwrap().latest.number, 0, "nothing was sent");
    let config = CoopConfig { usdc: Some(usdc), ..config };
    let manifest = deploy(&founder, &config, None, |_| {}).await.unwrap();
    assert_eq!((manifest.chain_id, manifest.addresses.usdc), (8_453, usdc));
    verify(&chain, &manifest, &config).await.unwrap();
}

#[tokio::test]
async fn a_configuration_for_another_chain_or_with_a_weak_quorum_is_refused() {
    let coop = TestCoop::deploy().await.unwrap();
    let other = CoopConfig { chain_id: 1, ..coop.config.clone() };
    let error = deploy(&coop.founder, &other, None, |_| {}).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherChain { configured: 1, actual: 31_337 }), "{error}");
    let mut weak = coop.config.clone();
    weak.actors.quorum = 1;
    let error = deploy(&coop.founder, &weak, None, |_| {}).await.unwrap_err();
    assert!(error.to_string().starts_with("actors.quorum must be more than half of the 3 stewards"), "{error}");
}

#[tokio::test]
async fn a_config_that_no_stage_accepts_is_refused_by_the_first_one() {
    let coop = TestCoop::deploy().await.unwrap();
    let mut twice = coop.config.clone();
    twice.actors.stewards[1] = twice.actors.stewards[0];
    let error = deploy(&coop.founder, &twice, None, |_| {}).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, DeployError::Step { .. }) && text.contains("stopped at \""), "{text}");
    assert!(text.contains("FoundingCheck_BadConfig(\"committee.seats\")"), "{text}");
    assert!(text.contains("it goes on there"), "{text}");
}

#[tokio::test]
async fn a_founder_without_ether_is_told_so() {
    let anvil = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let (chain, _) = connect(&anvil.url()).await.unwrap();
    let founder = Sender::new(chain, role_key("founder"));
    let error = deploy(&founder, &CoopConfig::demo(actors()), None, |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("cannot pay the gas"), "{error}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_reported_with_anvils_words() {
    let first = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let error = Anvil::spawn(&AnvilOptions { port: first.port(), ..AnvilOptions::default() }).unwrap_err();
    assert!(error.to_string().contains(&format!("is the port {} taken", first.port())), "{error}");
}

#[tokio::test]
async fn anvil_ends_with_its_value() {
    let anvil = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let process = format!("/proc/{}", anvil.pid());
    assert!(Path::new(&process).exists());
    drop(anvil);
    assert!(!Path::new(&process).exists());
}

#[tokio::test]
async fn mixed_mining_takes_transactions_at_once_and_goes_on_without_any() {
    let options =
        AnvilOptions { mining: Mining::Mixed(1), genesis_timestamp: Some(GENESIS_TIME), ..AnvilOptions::default() };
    let coop = TestCoop::deploy_with(options, |_| {}).await.unwrap();
    let deployed = coop.chain.head().await.unwrap().latest;
    assert!(deployed.number >= coop.manifest.base.number + 24, "a block for each transaction");
    let finalized = async {
        while coop.chain.head().await.unwrap().finalized.number < deployed.number {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), finalized).await.unwrap();
}

#[test]
fn who_earned_one_whole_gov_may_propose_by_default_and_ten_of_them_are_a_quorum() {
    let one_gov = U256::from(10).pow(U256::from(18));
    let units = (one_gov * one_gov).root(2); // GovToken: the square root of what was earned, with 18 decimals
    let token = rochdale_chain::deploy::GovernanceConfig::default().token;
    assert_eq!((U256::from(token.proposal_threshold), U256::from(token.quorum_floor)), (units, units * U256::from(10)));
}

#[test]
fn the_sample_configurations_are_read() {
    let samples = [
        (include_str!("../../../../docs/samples/local.toml"), 31_337),
        (include_str!("../../../../docs/samples/testnet.toml"), 421_614),
        (include_str!("../../../../docs/samples/arbitrum.toml"), 42_161),
        (include_str!("../../../../docs/samples/polygon.toml"), 137),
    ];
    for (text, chain_id) in samples {
        let config: CoopConfig = toml::from_str(text).unwrap();
        config.check().unwrap();
        // Every optional key of the samples shows its default, but for the chain and its stablecoin.
        let defaults = CoopConfig::new(config.actors.clone());
        assert_eq!(config, CoopConfig { chain_id, usdc: config.usdc, genesis: config.genesis, ..defaults });
        assert_eq!(config.usdc.is_some(), chain_id != 31_337);
        let written = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<CoopConfig>(&written).unwrap(), config);
    }
}

#[test]
fn ledger_parameters_that_the_contract_refuses_are_named_before_anything_is_sent() {
    let text = include_str!("../../../../docs/samples/local.toml")
        .replace("cash_unit = \"1000000\"", "cash_unit = \"1000000001\"");
    let error = toml::from_str::<CoopConfig>(&text).unwrap().check().unwrap_err().to_string();
    assert!(error.contains("ledger") && error.contains("cash_unit = 1000000001"), "{error}");
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let text = include_str!("../../../../docs/samples/local.toml").replace("cooldown =", "cool_down =");
    let error = toml::from_str::<CoopConfig>(&text).unwrap_err().to_string();
    assert!(error.contains("unknown field `cool_down`") && error.contains("line"), "{error}");
}

#[test]
fn a_broken_manifest_is_refused_with_path_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("coop.json");
    let absent = Manifest::load(&path).unwrap_err().to_string();
    assert!(absent.contains("coop.json") && absent.contains("rochdale coop deploy"), "{absent}");
    std::fs::write(&path, "{\n \"version\": 1,\n \"surprise\": 2\n}").unwrap();
    let unknown = Manifest::load(&path).unwrap_err().to_string();
    assert!(unknown.contains("line 3") && unknown.contains("surprise"), "{unknown}");
}
