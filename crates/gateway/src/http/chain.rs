//! Reading the chain for browsers without a node: what is on the list, rebuilt from what was asked, and nothing else reaches the node.

use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U64};
use alloy::providers::Provider as _;
use alloy::transports::TransportError;
use axum::Json;
use axum::extract::State;
use rochdale_api::route::gateway as route;
use rochdale_api::rpc::{MOST_BLOCKS, RpcAnswer, RpcRefusal, RpcRequest};
use rochdale_api::server::JsonBody;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::deploy::Addresses;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::caller::Caller;
use super::{Answered, App, Gateway};
use crate::problems;
use crate::receipts::failed;
use crate::relayer::{CallQuota, site};

/// Gas of one `eth_call`: the dearest that pages ask for, a purchase that is tried, takes a tenth of it.
const GAS: u64 = 10_000_000;
/// Bytes of an `eth_call`: a batch of an account's calls with the words around it.
const MOST_BYTES: usize = 24 << 10;
/// Topics at one place of a filter.
const MOST_TOPICS: usize = 16;

/// Questions to the node at a time, and how long one waits for its turn.
const AT_ONCE: usize = 8;
const TURN: Duration = Duration::from_secs(5);

/// How much one address may ask, and all together at a time.
pub struct Reads(CallQuota, Semaphore);

impl Reads {
    /// So often in a minute.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self(CallQuota::new(per_minute, Duration::from_secs(60)), Semaphore::new(AT_ONCE))
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let turn = tokio::time::timeout(TURN, self.1.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| {
            Problem::new(ProblemCode::TooManyRequests, "many read the chain at once").hint("ask again in a moment")
        })
    }
}

/// Reads the chain at the gateway's node: `eth_chainId`, `eth_blockNumber`, `eth_getBlockByNumber` without its transactions,
/// `eth_getTransactionReceipt`, and of the cooperative's contracts `eth_call` as of the newest block and `eth_getLogs` over at most 2,000
/// blocks. An account tries its own calls by an `eth_call` from itself to itself. Whoever asks here believes the gateway; nothing is
/// signed by it.
#[utoipa::path(
    post, path = route::CHAIN.path, tag = "public", request_body = RpcRequest,
    responses(
        (status = 200, description = "What the node says, or why the contract refuses", body = RpcAnswer),
        (status = 400, description = "Not well formed", body = Problem),
        (status = 403, description = "Not on the list", body = Problem),
        (status = 413, description = "Too many bytes, blocks or topics", body = Problem),
        (status = 429, description = "This address has asked its share", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn read(
    State(gateway): App,
    Caller(from): Caller,
    JsonBody(asked): JsonBody<RpcRequest>,
) -> Answered<RpcAnswer> {
    gateway.reads.0.take(&site(from))?;
    let question = Question::of(&asked, &gateway.manifest.addresses)?;
    if let Some(own) = question.own
        && !gateway.relayer.is_paid_for(own).await?
    {
        let detail = format!(
            "params[0].to: {own} is no contract of this cooperative, nor the account of a member or of an approved researcher"
        );
        return Err(unlisted(detail));
    }
    let _turn = gateway.reads.turn().await?;
    let (result, error) = question.put(&gateway).await?;
    Ok(Json(RpcAnswer { jsonrpc: "2.0".to_owned(), id: asked.id, result, error }))
}

/// What goes to the node.
#[derive(Debug, PartialEq)]
struct Question {
    method: &'static str,
    params: Value,
    /// Whose own account is called, which has to be one of ours.
    own: Option<Address>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ViewCall {
    from: Option<Address>,
    to: Address,
    data: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Filter {
    address: Address,
    #[serde(default)]
    topics: Vec<Topic>,
    from_block: U64,
    to_block: U64,
}

/// At one place of a filter: any, one, or one of several.
#[derive(Deserialize, serde::Serialize)]
#[serde(untagged)]
enum Topic {
    Any(Option<()>),
    One(B256),
    OneOf(Vec<B256>),
}

impl Question {
    fn of(RpcRequest { jsonrpc, method, params, .. }: &RpcRequest, addresses: &Addresses) -> Result<Self, Problem> {
        if jsonrpc != "2.0" {
            return Err(bad("jsonrpc: only 2.0 is spoken"));
        }
        let plain = |method, params| Ok(Self { method, params, own: None });
        match (method.as_str(), &params[..]) {
            ("eth_chainId", []) => plain("eth_chainId", json!([])),
            ("eth_blockNumber", []) => plain("eth_blockNumber", json!([])),
            ("eth_getTransactionReceipt", [hash]) => {
                plain("eth_getTransactionReceipt", json!([read_as::<B256>(hash, "params[0]")?]))
            }
            ("eth_getBlockByNumber", [block, Value::Bool(false)]) if *block == json!("latest") => {
                plain("eth_getBlockByNumber", json!(["latest", false]))
            }
            ("eth_getBlockByNumber", [block, Value::Bool(false)]) => {
                plain("eth_getBlockByNumber", json!([read_as::<U64>(block, "params[0]")?, false]))
            }
            ("eth_call", [call, block]) if *block == json!("latest") => {
                Self::call(read_as(call, "params[0]")?, addresses)
            }
            ("eth_getLogs", [filter]) => Self::logs(read_as(filter, "params[0]")?, addresses),
            (
                "eth_chainId"
                | "eth_blockNumber"
                | "eth_getTransactionReceipt"
                | "eth_getBlockByNumber"
                | "eth_call"
                | "eth_getLogs",
                _,
            ) => Err(bad(format!("params: not what {method} takes here"))),
            _ => Err(unlisted("method: this one is not asked here")),
        }
    }

    fn call(ViewCall { from, to, data }: ViewCall, addresses: &Addresses) -> Result<Self, Problem> {
        if data.len() > MOST_BYTES {
            return Err(large(format!("params[0].data: {} bytes, {MOST_BYTES} are the most", data.len())));
        }
        let own = (!is_ours(addresses, to)).then_some(to);
        if own.is_some() && from != own {
            return Err(unlisted(format!("params[0].to: {to} is no contract of this cooperative")));
        }
        let mut call = json!({ "to": to, "data": data, "gas": U64::from(GAS) });
        if let Some(from) = from {
            call["from"] = json!(from);
        }
        Ok(Self { method: "eth_call", params: json!([call, "latest"]), own })
    }

    fn logs(Filter { address, topics, from_block, to_block }: Filter, addresses: &Addresses) -> Result<Self, Problem> {
        // All the world's transfers of USDC are nobody's question here.
        if !is_ours(addresses, address) || address == addresses.usdc {
            return Err(unlisted(format!("params[0].address: {address} is no contract of this cooperative")));
        }
        let many = |topic: &Topic| matches!(topic, Topic::OneOf(topics) if topics.len() > MOST_TOPICS);
        if topics.len() > 4 || topics.iter().any(many) {
            return Err(large(format!("params[0].topics: 4 places of {MOST_TOPICS} topics are the most")));
        }
        if !matches!(topics.first(), Some(Topic::One(_) | Topic::OneOf(_))) {
            return Err(bad("params[0].topics: the first one, which event it is, has to be given"));
        }
        let (from, to) = (from_block.to::<u64>(), to_block.to::<u64>());
        if from > to || to - from >= MOST_BLOCKS {
            return Err(large(format!("params[0]: blocks {from} to {to}, {MOST_BLOCKS} are the most")));
        }
        let filter = json!({ "address": address, "topics": topics, "fromBlock": from_block, "toBlock": to_block });
        Ok(Self { method: "eth_getLogs", params: json!([filter]), own: None })
    }

    /// A result, or a contract's refusal.
    async fn put(self, gateway: &Gateway) -> Result<(Option<Value>, Option<RpcRefusal>), Problem> {
        let answer = gateway.chain.provider().raw_request::<_, Value>(self.method.into(), self.params).await;
        match answer {
            Ok(result) => Ok((Some(result), None)),
            Err(error) => match refusal(&error).filter(|_| self.method == "eth_call") {
                Some(refusal) => Ok((None, Some(refusal))),
                None => Err(problems::chain(&failed(&gateway.chain, self.method, &error))),
            },
        }
    }
}

fn refusal(error: &TransportError) -> Option<RpcRefusal> {
    let said = error.as_error_resp()?;
    let data = said.as_revert_data().or_else(|| said.message.contains("revert").then(Bytes::new))?;
    Some(RpcRefusal { code: 3, message: "execution reverted".to_owned(), data })
}

fn is_ours(addresses: &Addresses, contract: Address) -> bool {
    contract == addresses.usdc || addresses.named().iter().any(|(.., at)| *at == contract)
}

fn read_as<T: DeserializeOwned>(value: &Value, place: &str) -> Result<T, Problem> {
    T::deserialize(value).map_err(|error| bad(format!("{place}: {error}")))
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::BadRequest, detail)
}

fn large(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::TooLarge, detail)
}

fn unlisted(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::Forbidden, detail).hint("ask a node of your own for anything else")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> Addresses {
        let parts: Vec<Address> = (1..=40).map(Address::repeat_byte).collect();
        Addresses::new(Address::repeat_byte(0xaa), Address::repeat_byte(0xbb), &parts)
    }

    fn of(method: &str, params: Value) -> Result<Question, ProblemCode> {
        let params = params.as_array().cloned().unwrap_or_default();
        let asked = RpcRequest { jsonrpc: "2.0".to_owned(), id: 7, method: method.to_owned(), params };
        Question::of(&asked, &addresses()).map_err(|problem| problem.code)
    }

    #[test]
    fn what_is_not_on_the_list_is_not_asked() {
        for method in [
            "eth_sendRawTransaction",
            "eth_sendTransaction",
            "eth_accounts",
            "anvil_setBalance",
            "debug_traceCall",
            "eth_newFilter",
            "ETH_CALL",
            "",
        ] {
            assert_eq!(of(method, json!([])), Err(ProblemCode::Forbidden), "{method}");
        }
        assert!(of("eth_chainId", json!([])).is_ok() && of("eth_blockNumber", json!([])).is_ok());
        assert_eq!(of("eth_chainId", json!([1])), Err(ProblemCode::BadRequest));
        assert!(of("eth_getTransactionReceipt", json!([B256::ZERO])).is_ok());
        assert_eq!(of("eth_getTransactionReceipt", json!(["0x12"])), Err(ProblemCode::BadRequest));
        assert!(of("eth_getBlockByNumber", json!(["latest", false])).is_ok());
        assert!(of("eth_getBlockByNumber", json!(["0x10", false])).is_ok());
        assert_eq!(of("eth_getBlockByNumber", json!(["latest", true])), Err(ProblemCode::BadRequest), "whole blocks");
        assert_eq!(of("eth_getBlockByNumber", json!(["pending", false])), Err(ProblemCode::BadRequest));
    }

    #[test]
    fn a_call_is_of_the_cooperative_s_contracts_with_bounds_of_ours() {
        let (a, me) = (addresses(), Address::repeat_byte(0xcc));
        let call = |call: Value| of("eth_call", json!([call, "latest"]));
        let asked = call(json!({ "to": a.market, "data": "0x01", "from": me })).unwrap();
        assert_eq!(asked.params[0]["gas"], json!("0x989680"));
        assert_eq!(asked.own, None);
        assert!(call(json!({ "to": a.usdc, "data": "0x01" })).is_ok());
        assert_eq!(call(json!({ "to": me, "data": "0x", "from": me })).unwrap().own, Some(me));
        let stranger = Address::repeat_byte(0xdd);
        assert_eq!(call(json!({ "to": stranger, "data": "0x", "from": me })), Err(ProblemCode::Forbidden));
        assert_eq!(call(json!({ "to": stranger, "data": "0x" })), Err(ProblemCode::Forbidden));
        for field in ["gas", "value", "gasPrice", "accessList", "authorizationList"] {
            assert_eq!(call(json!({ "to": a.market, "data": "0x", field: "0x1" })), Err(ProblemCode::BadRequest));
        }
        assert_eq!(call(json!({ "data": "0x" })), Err(ProblemCode::BadRequest), "a creation");
        let long = Bytes::from(vec![0; MOST_BYTES + 1]);
        assert_eq!(call(json!({ "to": a.market, "data": long })), Err(ProblemCode::TooLarge));
        let at = |at: &str| of("eth_call", json!([{ "to": a.market, "data": "0x" }, at]));
        assert_eq!(at("0x1"), Err(ProblemCode::BadRequest), "another block");
        let overridden = json!([{ "to": a.market, "data": "0x" }, "latest", { me.to_string(): { "balance": "0x1" } }]);
        assert_eq!(of("eth_call", overridden), Err(ProblemCode::BadRequest));
    }

    #[test]
    fn logs_are_of_the_cooperative_s_contracts_over_so_many_blocks() {
        let a = addresses();
        let logs = |address: Address, from: u64, to: u64, topics: Value| {
            let (from, to) = (U64::from(from), U64::from(to));
            of("eth_getLogs", json!([{ "address": address, "topics": topics, "fromBlock": from, "toBlock": to }]))
        };
        let topics = json!([B256::ZERO, null, [B256::ZERO, B256::ZERO]]);
        let asked = logs(a.license, 1, MOST_BLOCKS, topics.clone()).unwrap();
        assert_eq!(asked.params[0]["topics"], topics);
        assert_eq!(logs(a.license, 0, MOST_BLOCKS, topics), Err(ProblemCode::TooLarge));
        assert_eq!(logs(a.license, 2, 1, json!([B256::ZERO])), Err(ProblemCode::TooLarge));
        assert_eq!(logs(a.usdc, 1, 1, json!([B256::ZERO])), Err(ProblemCode::Forbidden));
        for any in [json!([]), json!([null, B256::ZERO])] {
            assert_eq!(logs(a.license, 1, 1, any), Err(ProblemCode::BadRequest), "any event");
        }
        assert_eq!(logs(Address::repeat_byte(0xdd), 1, 2, json!([])), Err(ProblemCode::Forbidden));
        assert_eq!(logs(a.license, 1, 2, json!([null, null, null, null, null])), Err(ProblemCode::TooLarge));
        assert_eq!(logs(a.license, 1, 2, json!([vec![B256::ZERO; MOST_TOPICS + 1]])), Err(ProblemCode::TooLarge));
        let latest = json!([{ "address": a.license, "fromBlock": "0x1", "toBlock": "latest" }]);
        assert_eq!(of("eth_getLogs", latest), Err(ProblemCode::BadRequest));
        let everywhere = json!([{ "fromBlock": "0x1", "toBlock": "0x2" }]);
        assert_eq!(of("eth_getLogs", everywhere), Err(ProblemCode::BadRequest));
    }
}
