//! What the ethics board says of researchers and their studies.

use alloy::primitives::{Address, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolEvent as _;
use rochdale_core::consent::Protocol;
use rochdale_core::ids::Purpose;

use crate::bindings::EthicsRegistry;
use crate::client::{Chain, ChainError, SendError, Sender};
use crate::deploy::Manifest;
use crate::eip712::{self, Approval};

/// Blocks in one request for events.
const RANGE: u64 = 2_000;

/// A researcher's study: who asks, what for, and what the board found out about it.
#[derive(Clone, Debug)]
pub struct Study {
    /// The account that buys and asks.
    pub researcher: Address,
    /// The number of a DUO permission.
    pub purpose: Purpose,
    /// The facts on which members' conditions turn.
    pub protocol: Protocol,
}

/// Has the ethics board approve a study until a time (Unix seconds): `board` signs, `sender` sends; returns the gas.
///
/// # Errors
/// Where the contract refuses, as for another board's signature.
pub async fn approve(
    sender: &Sender,
    board: &PrivateKeySigner,
    manifest: &Manifest,
    study: &Study,
    until: u64,
) -> Result<u64, SendError> {
    let (registry, researcher, purpose) = (manifest.addresses.ethics_registry, study.researcher, study.purpose.0);
    let nonce = sender.chain().view(registry, &EthicsRegistry::nonceOfCall { researcher, purpose }).await?;
    let unsigned = |detail: String| SendError::Unsigned { call: "approve".to_owned(), detail };
    let protocol = study.protocol.text().map_err(|error| unsigned(error.to_string()))?;
    let approval = Approval { researcher, purpose, until, protocol, nonce, deadline: U256::from(until) };
    let signature = eip712::sign(board, &approval, &manifest.ethics_domain());
    let signature = signature.map_err(|error| unsigned(error.to_string()))?;
    let call = EthicsRegistry::approveCall { a: approval.into(), boardSignature: signature };
    Ok(sender.send(registry, &call).await?.gas_used)
}

/// What the board said last of a researcher's study for a purpose, whether or not the approval still holds.
///
/// # Errors
/// Where the RPC does not answer.
pub async fn protocol(
    chain: &Chain,
    manifest: &Manifest,
    researcher: Address,
    purpose: Purpose,
) -> Result<Protocol, ChainError> {
    let latest = chain.head().await?.latest.number;
    let (mut found, mut from) = (Protocol::default(), manifest.base.number);
    while from <= latest {
        let to = latest.min(from + RANGE - 1);
        let filter = Filter::new()
            .address(manifest.addresses.ethics_registry)
            .event_signature(EthicsRegistry::ResearcherApproved::SIGNATURE_HASH)
            .topic1(researcher)
            .from_block(from)
            .to_block(to);
        let logs = chain.provider().get_logs(&filter).await.map_err(|e| chain.error("eth_getLogs", &e))?;
        let decided = logs.iter().filter_map(|log| EthicsRegistry::ResearcherApproved::decode_log(&log.inner).ok());
        if let Some(last) = decided.filter(|decided| decided.purpose == purpose.0).last() {
            found = Protocol::read(&last.protocol);
        }
        from = to + 1;
    }
    Ok(found)
}
