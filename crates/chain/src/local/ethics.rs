//! Approval of researchers, where one process has the ethics board's key.

use alloy::primitives::{Address, U256};
use alloy::signers::local::PrivateKeySigner;
use rochdale_core::ids::Purpose;

use crate::bindings::EthicsRegistry;
use crate::client::{SendError, Sender};
use crate::deploy::Manifest;
use crate::eip712::{self, Approval};

/// Has the ethics board approve a researcher for a purpose until a time (Unix seconds): `board` signs, `sender` sends;
/// returns the gas.
///
/// # Errors
/// Where the contract refuses, as for another board's signature.
pub async fn approve_researcher(
    sender: &Sender,
    board: &PrivateKeySigner,
    manifest: &Manifest,
    researcher: Address,
    purpose: Purpose,
    until: u64,
) -> Result<u64, SendError> {
    let registry = manifest.addresses.ethics_registry;
    let nonce = sender.chain().view(registry, &EthicsRegistry::nonceOfCall { researcher, purpose: purpose.0 }).await?;
    let approval = Approval { researcher, purpose: purpose.0, until, nonce, deadline: U256::from(until) };
    let signature = eip712::sign(board, &approval, &manifest.ethics_domain());
    let unsigned =
        |e: eip712::SignatureError| SendError::Unsigned { call: "approve".to_owned(), detail: e.to_string() };
    let signature = signature.map_err(unsigned)?;
    let call = EthicsRegistry::approveCall { a: approval.into(), boardSignature: signature };
    Ok(sender.send(registry, &call).await?.gas_used)
}
