//! The chain in this process beside anvil, seen through the project's chain client.

use std::time::Duration;

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, TxKind, U256, address};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::signers::local::PrivateKeySigner;
use rochdale_chain::bindings::TestUSDC;
use rochdale_chain::client::{Chain, LOCAL_CHAIN_ID, SendError, Sender, SenderOptions};
use rochdale_chain::local::{Anvil, AnvilOptions, LocalChain};
use rochdale_sim::evm::Evm;
use rochdale_testkit::anvil::{GENESIS_TIME, connect, role_key};

const SOMEBODY: Address = address!("0x00000000000000000000000000000000000000aa");
const ETHER: u64 = 1_000_000_000_000_000_000;

fn sender(chain: &Chain, key: PrivateKeySigner) -> Sender {
    Sender::with_options(
        chain.clone(),
        key,
        SenderOptions { poll: Duration::from_millis(10), ..SenderOptions::default() },
    )
}

/// What a client sees of a token's life, times but those that it sets itself left out.
async fn life(chain: &Chain) -> Vec<String> {
    let mut seen = Vec::new();
    let mut see = |what: &dyn std::fmt::Debug| seen.push(format!("{what:?}"));
    let local = LocalChain::new(chain).unwrap();
    let (owner, poor) = (sender(chain, role_key("founder")), sender(chain, role_key("relayer")));
    local.set_balance(owner.address(), U256::from(100 * u128::from(ETHER))).await.unwrap();

    let created = owner.send_raw(TxKind::Create, TestUSDC::BYTECODE.clone(), "TestUSDC").await.unwrap();
    let usdc = created.created.unwrap();
    see(&(usdc, created.gas_used, created.block_number));
    let code = chain.provider().get_code_at(usdc).await.unwrap();
    see(&code);

    let deployer = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
    see(&chain.provider().get_code_at(deployer).await.unwrap());

    let mint = TestUSDC::mintCall { to: owner.address(), amount: U256::from(500) };
    let minted = owner.send(usdc, &mint).await.unwrap();
    see(&(minted.gas_used, minted.logs.iter().map(|log| log.inner.clone()).collect::<Vec<_>>()));
    let pay = TestUSDC::transferCall { to: SOMEBODY, value: U256::from(200) };
    owner.send(usdc, &pay).await.unwrap();
    let balance = TestUSDC::balanceOfCall { account: SOMEBODY };
    see(&chain.view(usdc, &balance).await.unwrap());
    // Of the block before, too.
    see(&chain.view_at(usdc, &balance, BlockId::hash(minted.block_hash)).await.unwrap());

    let much = TestUSDC::transferCall { to: SOMEBODY, value: U256::from(301) };
    match owner.send(usdc, &much).await.unwrap_err() {
        SendError::Refused { revert, .. } => see(&revert.to_string()),
        other => panic!("{other}"),
    }
    let moneyless = poor.send(usdc, &mint).await.unwrap_err();
    assert!(matches!(moneyless, SendError::NoFunds { .. }), "{moneyless}");

    local.time_to(GENESIS_TIME + 86_400, 2).await.unwrap();
    let head = chain.head().await.unwrap();
    see(&(head.latest.number, head.finalized.number));
    see(&(chain.block(BlockId::number(head.finalized.number)).await.unwrap().timestamp));
    see(&chain.cut_block(GENESIS_TIME + 86_399).await.unwrap().map(|block| block.number));
    see(&chain.block(BlockNumberOrTag::Number(head.latest.number + 1).into()).await.is_err());

    let filter = Filter::new().address(usdc).from_block(0).topic2(SOMEBODY.into_word());
    let logs = chain.provider().get_logs(&filter).await.unwrap();
    see(&logs.iter().map(|log| (log.block_number, log.log_index, log.inner.clone())).collect::<Vec<_>>());
    see(&chain.provider().get_logs(&filter.clone().at_block_hash(minted.block_hash)).await.unwrap().len());
    see(&chain.provider().get_transaction_count(owner.address()).await.unwrap());
    let sent = chain.provider().get_transaction_by_hash(minted.transaction).await.unwrap().unwrap();
    see(&(sent.inner.signer() == owner.address(), sent.block_number));
    owner.pay(SOMEBODY, U256::from(7)).await.unwrap();
    see(&chain.provider().get_balance(SOMEBODY).await.unwrap());
    seen
}

#[tokio::test]
async fn a_client_cannot_tell_it_from_anvil() {
    let anvil =
        Anvil::spawn(&AnvilOptions { genesis_timestamp: Some(GENESIS_TIME), ..AnvilOptions::default() }).unwrap();
    let there = life(&connect(&anvil.url()).await.unwrap().0).await;
    let here = life(&Evm::new(LOCAL_CHAIN_ID, GENESIS_TIME).connect().await.unwrap()).await;
    assert_eq!(here, there);
}

#[tokio::test]
async fn it_is_the_same_by_http_and_in_each_run() {
    let (one, other) = (Evm::new(LOCAL_CHAIN_ID, GENESIS_TIME), Evm::new(LOCAL_CHAIN_ID, GENESIS_TIME));
    let (chain, _) = connect(&one.serve().await.unwrap()).await.unwrap();
    let here = other.connect().await.unwrap();
    assert_eq!(life(&chain).await, life(&here).await);
    // Down to the hash of the last block.
    assert_eq!(chain.head().await.unwrap(), here.head().await.unwrap());
}

#[tokio::test]
async fn a_method_that_it_does_not_know_is_named() {
    let chain = Evm::new(LOCAL_CHAIN_ID, GENESIS_TIME).connect().await.unwrap();
    let refused = chain.provider().raw_request::<_, U256>("eth_mining".into(), ()).await.unwrap_err();
    assert!(refused.to_string().contains("eth_mining"), "{refused}");
    let another = Evm::new(1, GENESIS_TIME).connect().await.unwrap();
    assert!(LocalChain::new(&another).is_err(), "only the local chain is moved");
}
