//! The chain as the gateway reads it for browsers without a node.

use alloy::primitives::{Address, B256, Bytes, U64, U256};
use alloy::sol_types::{SolCall, SolError, SolEvent as _};
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::route::gateway;
use rochdale_api::rpc::{RpcAnswer, RpcRequest};
use rochdale_chain::account::{BATCH, Call, execution_data};
use rochdale_chain::bindings::{Market, MemberAccount, Membership, TestUSDC};
use serde_json::{Value, json};

use crate::accounts::Person;
use crate::rig::Rig;

async fn ask(rig: &Rig, method: &str, params: Value) -> Result<RpcAnswer, ClientError> {
    let params = params.as_array().cloned().unwrap();
    let asked = RpcRequest { jsonrpc: "2.0".to_owned(), id: 7, method: method.to_owned(), params };
    rig.client().post(gateway::CHAIN, &asked).await
}

async fn told(rig: &Rig, method: &str, params: Value) -> Value {
    let answer = ask(rig, method, params).await.unwrap();
    assert_eq!((answer.jsonrpc.as_str(), answer.id, answer.error), ("2.0", 7, None));
    answer.result.unwrap()
}

#[tokio::test]
async fn the_chain_is_read_and_a_contracts_refusal_is_an_answer() {
    let rig = Rig::new().await;
    let a = rig.coop.manifest.addresses;
    assert_eq!(told(&rig, "eth_chainId", json!([])).await, json!("0x7a69"));
    let to = Address::repeat_byte(5);
    let mint = TestUSDC::mintCall { to, amount: U256::from(42) };
    let mined = rig.coop.founder.send(a.usdc, &mint).await.unwrap();
    let head = rig.coop.chain.head().await.unwrap().latest;
    assert_eq!(told(&rig, "eth_blockNumber", json!([])).await, json!(U64::from(head.number)));
    let block = told(&rig, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(block["timestamp"], json!(U64::from(head.timestamp)));
    let balance = TestUSDC::balanceOfCall { account: to }.abi_encode();
    let call = json!({ "to": a.usdc, "data": Bytes::from(balance) });
    let balance: B256 = serde_json::from_value(told(&rig, "eth_call", json!([call, "latest"])).await).unwrap();
    assert_eq!(balance, B256::with_last_byte(42));
    let receipt = told(&rig, "eth_getTransactionReceipt", json!([mined.transaction])).await;
    assert_eq!((&receipt["status"], receipt["logs"].as_array().unwrap().len()), (&json!("0x1"), 1));
    let key = rig.coop.member_key(1);
    let joined = rig.join(&key).await.mined.tx;
    let head = rig.coop.chain.head().await.unwrap().latest.number;
    let filter = |address: Address, topics: Value| {
        let (from, to) = (U64::from(head.saturating_sub(9)), U64::from(head));
        json!([{ "address": address, "topics": topics, "fromBlock": from, "toBlock": to }])
    };
    let logs = told(&rig, "eth_getLogs", filter(a.membership, json!([Membership::Joined::SIGNATURE_HASH]))).await;
    assert_eq!(logs[0]["transactionHash"], json!(joined));
    let all_money = ask(&rig, "eth_getLogs", filter(a.usdc, json!([Membership::Joined::SIGNATURE_HASH]))).await;
    assert_eq!(all_money.unwrap_err().code(), ProblemCode::Forbidden);

    // A refusal comes with what the contract said, by which pages name it.
    let transfer = TestUSDC::transferCall { to, value: U256::ONE }.abi_encode();
    let from = Address::repeat_byte(6);
    let call = json!({ "from": from, "to": a.usdc, "data": Bytes::from(transfer) });
    let answer = ask(&rig, "eth_call", json!([call, "latest"])).await.unwrap();
    let refusal = answer.error.unwrap();
    assert_eq!((answer.result, refusal.code), (None, 3));
    assert_eq!(refusal.data[..4], TestUSDC::ERC20InsufficientBalance::SELECTOR);
    let text = serde_json::to_string(&refusal).unwrap();
    assert!(!text.contains("127.0.0.1"), "no word of the node: {text}");
}

#[tokio::test]
async fn an_account_of_ours_tries_its_own_calls_and_no_other_contract_is_called() {
    let rig = Rig::new().await;
    let (ada, _) = Person::enrolled(&rig, "ada").await;
    let a = rig.coop.manifest.addresses;
    let trial = |target, data: Vec<u8>| {
        let calls = execution_data(&[Call { target, value: U256::ZERO, data: data.into() }]);
        Bytes::from(MemberAccount::executeCall { mode: BATCH, executionData: calls }.abi_encode())
    };
    let own = |account: Address, data: Bytes| json!([{ "from": account, "to": account, "data": data }, "latest"]);
    let bond = trial(a.usdc, TestUSDC::approveCall { spender: a.market, value: U256::ONE }.abi_encode());
    assert_eq!(told(&rig, "eth_call", own(ada.account, bond.clone())).await, json!("0x"));
    let transfer = trial(a.usdc, TestUSDC::transferCall { to: a.market, value: U256::ONE }.abi_encode());
    let answer = ask(&rig, "eth_call", own(ada.account, transfer)).await.unwrap();
    assert_eq!(answer.error.unwrap().data[..4], TestUSDC::ERC20InsufficientBalance::SELECTOR);

    let code = |answer: Result<RpcAnswer, ClientError>| answer.unwrap_err().code();
    // Neither somebody who pretends to be an account, nor another's contract, nor what changes anything.
    for stranger in [Address::repeat_byte(6), Address::with_last_byte(4)] {
        assert_eq!(code(ask(&rig, "eth_call", own(stranger, bond.clone())).await), ProblemCode::Forbidden);
    }
    let raw = json!(["0x02"]);
    assert_eq!(code(ask(&rig, "eth_sendRawTransaction", raw).await), ProblemCode::Forbidden);
    assert_eq!(code(ask(&rig, "anvil_mine", json!(["0x1"])).await), ProblemCode::Forbidden);
    let price = Market::bondRequiredCall {}.abi_encode();
    let call = json!({ "to": a.market, "data": Bytes::from(price), "gas": "0xffffffff" });
    assert_eq!(code(ask(&rig, "eth_call", json!([call, "latest"])).await), ProblemCode::BadRequest);
}

#[tokio::test]
async fn an_address_asks_so_often_in_a_minute_and_not_more() {
    let mut rig = Rig::without_gateway(crate::rig::deploy().await).await;
    rig.limits.chain_reads_per_minute = 3;
    rig.start().await;
    for _ in 0..3 {
        told(&rig, "eth_chainId", json!([])).await;
    }
    let error = ask(&rig, "eth_chainId", json!([])).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::TooManyRequests, "{error}");
    // What nobody else asked is answered.
    rig.client().get(gateway::LICENSES).await.unwrap();
}
