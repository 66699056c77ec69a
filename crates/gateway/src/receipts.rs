//! Transactions after the fact.

use alloy::primitives::B256;
use alloy::providers::Provider as _;
use alloy::rpc::types::Log;
use alloy::transports::TransportError;
use rochdale_api::member::Mined;
use rochdale_chain::client::{Chain, ChainError};
use rochdale_chain::deploy::Addresses;
use rochdale_chain::events::{Located, decode};

/// A mined, successful transaction and our contracts' events in it; `None` where there is none (any longer).
///
/// # Errors
/// Where the RPC does not answer.
pub async fn look_up(
    chain: &Chain,
    addresses: &Addresses,
    tx: B256,
) -> Result<Option<(Mined, Vec<Located>)>, ChainError> {
    let receipt = chain.provider().get_transaction_receipt(tx).await;
    let receipt = receipt.map_err(|e| failed(chain, "eth_getTransactionReceipt", &e))?;
    let Some(receipt) = receipt.filter(|r| r.status()) else { return Ok(None) };
    let Some(block) = receipt.block_number else { return Ok(None) };
    let mined = Mined { tx, block, gas_used: receipt.gas_used };
    Ok(Some((mined, events(addresses, receipt.inner.logs()))))
}

/// What the RPC's failure means. Its address is left out: it may hold an access key.
pub(crate) fn failed(chain: &Chain, call: &str, error: &TransportError) -> ChainError {
    let rpc = chain.rpc().to_owned();
    match error.as_error_resp() {
        Some(said) => ChainError::Refused { rpc, call: call.to_owned(), detail: said.message.to_string() },
        None => ChainError::Unreachable { rpc, detail: format!("no answer to {call}") },
    }
}

/// Our contracts' events among these logs. One that does not decode is logged and left out: the follower, which
/// reads it too, stops at it.
#[must_use]
pub fn events(addresses: &Addresses, logs: &[Log]) -> Vec<Located> {
    let read = |log: &Log| match decode(addresses, log, log.block_timestamp.unwrap_or_default()) {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(%error, "a log of our contracts does not decode");
            None
        }
    };
    logs.iter().filter_map(read).collect()
}
