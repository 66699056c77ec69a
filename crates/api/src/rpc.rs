//! Reading the chain through the gateway, for browsers that have no wallet with a node of its own: JSON-RPC 2.0 of a short list of methods,
//! none of which changes anything.

use alloy_primitives::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Most blocks that one `eth_getLogs` looks through.
pub const MOST_BLOCKS: u64 = 2_000;

/// `POST /v1/chain` at the gateway: one question to its node. `eth_chainId`, `eth_blockNumber`, `eth_getBlockByNumber`,
/// `eth_getTransactionReceipt`, and of the cooperative's contracts `eth_call` and `eth_getLogs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RpcRequest {
    /// `2.0`
    #[schema(pattern = "^2\\.0$", example = "2.0")]
    pub jsonrpc: String,
    /// Comes back with the answer.
    pub id: u64,
    /// Which of them.
    #[schema(example = "eth_blockNumber")]
    pub method: String,
    /// What it takes, as the execution API has it.
    #[serde(default)]
    #[schema(value_type = Vec<Value>)]
    pub params: Vec<Value>,
}

/// Answer to [`RpcRequest`]: a result, or the contract's refusal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RpcAnswer {
    /// `2.0`
    pub jsonrpc: String,
    /// That of the question.
    pub id: u64,
    /// What the node says, as the execution API has it; absent where a contract refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub result: Option<Value>,
    /// Why a contract refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RpcRefusal>,
}

/// A contract's refusal of an `eth_call`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RpcRefusal {
    /// 3, as nodes have it.
    pub code: i64,
    /// In English.
    pub message: String,
    /// What the contract said.
    #[schema(value_type = crate::shape::HexBytes)]
    pub data: Bytes,
}
