//! Approval of researchers on the local chain.

use alloy::primitives::Address;
use rochdale_core::ids::Purpose;

use super::LocalChain;
use crate::bindings::Market;
use crate::client::{Chain, ChainError};
use crate::deploy::Manifest;

/// Has the member house approve a researcher for a purpose until a time (Unix seconds), without the vote that it takes
/// elsewhere; returns the gas.
///
/// # Errors
/// On any chain but the local one, and where the contract refuses.
pub async fn approve_researcher(
    chain: &Chain,
    manifest: &Manifest,
    researcher: Address,
    purpose: Purpose,
    until: u64,
) -> Result<u64, ChainError> {
    let call = Market::approveResearcherCall { researcher, purpose: purpose.0, until };
    let addresses = &manifest.addresses;
    LocalChain::new(chain)?.act_as(addresses.member_timelock, addresses.market, &call).await
}
