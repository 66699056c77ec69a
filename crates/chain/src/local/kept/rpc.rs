//! Requests to anvil, and what they may change.

use std::time::Duration;

use alloy::transports::http::reqwest;
use serde_json::{Value, json};

/// Time allowed for one request, a dump of a long chain included.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why anvil gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// It cannot be reached.
    #[error("the local chain does not answer: {0}")]
    Silent(#[source] reqwest::Error),
    /// It answered with an error.
    #[error("the local chain refuses {method}: {detail}")]
    Refused {
        /// What was asked.
        method: String,
        /// What it said.
        detail: String,
    },
    /// It answered with something else.
    #[error("the local chain's answer to {method} is not understood: {source}")]
    Odd {
        /// What was asked.
        method: String,
        /// What the layer below said.
        source: serde_json::Error,
    },
}

/// A connection to one anvil.
#[derive(Clone, Debug)]
pub struct Rpc {
    http: reqwest::Client,
    url: String,
}

impl Rpc {
    /// To the anvil at this address.
    #[must_use]
    pub fn new(url: String) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().unwrap_or_default();
        Self { http, url }
    }

    /// Hands a request on as it is.
    ///
    /// # Errors
    /// Where anvil does not answer.
    pub async fn forward(&self, body: Vec<u8>) -> Result<Vec<u8>, RpcError> {
        let request = self.http.post(&self.url).header("content-type", "application/json").body(body);
        let answer = request.send().await.map_err(RpcError::Silent)?;
        Ok(answer.bytes().await.map_err(RpcError::Silent)?.to_vec())
    }

    /// Hands one request on, and reads the answer.
    ///
    /// # Errors
    /// Where anvil does not answer in JSON.
    pub async fn pass(&self, request: &Value) -> Result<Value, RpcError> {
        let method = || request["method"].as_str().unwrap_or("a batch").to_owned();
        let odd = |source| RpcError::Odd { method: method(), source };
        let body = serde_json::to_vec(request).map_err(odd)?;
        serde_json::from_slice(&self.forward(body).await?).map_err(odd)
    }

    /// Asks.
    ///
    /// # Errors
    /// Where anvil does not answer, or refuses.
    pub async fn call<T: serde::de::DeserializeOwned>(&self, method: &str, params: Value) -> Result<T, RpcError> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer = self.pass(&request).await?;
        if let Some(error) = answer.get("error") {
            let detail = error["message"].as_str().map_or_else(|| error.to_string(), str::to_owned);
            return Err(RpcError::Refused { method: method.to_owned(), detail });
        }
        let odd = |source| RpcError::Odd { method: method.to_owned(), source };
        serde_json::from_value(answer["result"].take()).map_err(odd)
    }
}

/// What a request may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that outlasts anvil.
    None,
    /// It sends a signed transaction.
    Sends,
    /// It mines, or says how the next block is mined.
    Mines,
    /// Anything else, such as a balance: only a dump keeps it.
    Rewrites,
}

/// What a method may change.
#[must_use]
pub fn effect(method: &str) -> Effect {
    match method {
        "eth_sendRawTransaction" => Effect::Sends,
        "evm_mine"
        | "evm_mine_detailed"
        | "anvil_mine"
        | "hardhat_mine"
        | "evm_setNextBlockTimestamp"
        | "evm_setTime"
        | "anvil_setTime"
        | "evm_increaseTime"
        | "anvil_increaseTime"
        | "anvil_setNextBlockBaseFeePerGas"
        | "hardhat_setNextBlockBaseFeePerGas"
        | "anvil_setBlockTimestampInterval"
        | "anvil_removeBlockTimestampInterval" => Effect::Mines,
        "anvil_nodeInfo"
        | "anvil_metadata"
        | "hardhat_metadata"
        | "anvil_dumpState"
        | "hardhat_dumpState"
        | "anvil_getAutomine"
        | "hardhat_getAutomine"
        | "anvil_getIntervalMining"
        | "anvil_getGenesisTime"
        | "anvil_impersonateAccount"
        | "hardhat_impersonateAccount"
        | "anvil_stopImpersonatingAccount"
        | "hardhat_stopImpersonatingAccount"
        | "anvil_autoImpersonateAccount"
        | "hardhat_autoImpersonateAccount"
        | "evm_snapshot"
        | "anvil_snapshot" => Effect::None,
        "eth_sendTransaction"
        | "eth_sendUnsignedTransaction"
        | "eth_sendRawTransactionSync"
        | "eth_sendTransactionSync" => Effect::Rewrites,
        _ if ["anvil_", "evm_", "hardhat_", "tenderly_"].iter().any(|p| method.starts_with(p)) => Effect::Rewrites,
        _ => Effect::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_of_anvils_own_methods_is_kept_by_a_dump() {
        assert_eq!(effect("eth_call"), Effect::None);
        assert_eq!(effect("eth_sendRawTransaction"), Effect::Sends);
        assert_eq!(effect("evm_mine"), Effect::Mines);
        assert_eq!(effect("anvil_setBalance"), Effect::Rewrites);
        assert_eq!(effect("anvil_somethingNew"), Effect::Rewrites);
    }
}
