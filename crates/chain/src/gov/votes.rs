//! Who voted: what a program that rewards voting awards for.

use std::collections::BTreeMap;

use alloy::primitives::{Address, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::SolEvent as _;
use rochdale_core::ids::MemberId;
use serde::Serialize;

use super::House;
use crate::bindings::{CoopGovernor, Membership};
use crate::client::{Chain, ChainError};
use crate::deploy::Manifest;

/// Blocks in one request for logs.
const RANGE: u64 = 2_000;

/// A vote that a member cast. How it voted is left out: it must not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cast {
    /// The house in which the vote was cast.
    pub house: House,
    /// On which proposal.
    pub proposal: U256,
    /// By whom.
    pub member: MemberId,
}

/// The votes of members in final blocks with a timestamp after `since` (`None` is before everything) and up to `until`,
/// in Unix seconds; each once, in order.
///
/// # Errors
/// Where the RPC does not answer.
pub async fn votes(
    chain: &Chain,
    manifest: &Manifest,
    since: Option<u64>,
    until: u64,
) -> Result<Vec<Cast>, ChainError> {
    let finalized = chain.head().await?.finalized.number;
    let governors: Vec<Address> = House::ALL.iter().map(|house| house.governor(manifest)).collect();
    let signatures = [CoopGovernor::VoteCast::SIGNATURE_HASH, CoopGovernor::VoteCastWithParams::SIGNATURE_HASH];
    let (mut found, mut members, mut times) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let mut from = manifest.base.number + 1;
    while from <= finalized {
        let to = finalized.min(from + RANGE - 1);
        let filter =
            Filter::new().address(governors.clone()).event_signature(signatures.to_vec()).from_block(from).to_block(to);
        let logs = chain.provider().get_logs(&filter).await.map_err(|e| chain.error("eth_getLogs", &e))?;
        for log in logs {
            let Some((house, proposal, voter)) = read(manifest, &log) else { continue };
            let Some(number) = log.block_number else { continue };
            if let std::collections::btree_map::Entry::Vacant(place) = times.entry(number) {
                place.insert(chain.block(number.into()).await?.timestamp);
            }
            if times[&number] > until || since.is_some_and(|since| times[&number] <= since) {
                continue;
            }
            if let std::collections::btree_map::Entry::Vacant(place) = members.entry(voter) {
                let call = Membership::memberIdOfCall { account: voter };
                place.insert(chain.view(manifest.addresses.membership, &call).await?);
            }
            if members[&voter] != 0 {
                found.push(Cast { house, proposal, member: MemberId(members[&voter]) });
            }
        }
        from = to + 1;
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn read(manifest: &Manifest, log: &Log) -> Option<(House, U256, Address)> {
    let house = House::ALL.into_iter().find(|house| house.governor(manifest) == log.address())?;
    if let Ok(cast) = log.log_decode::<CoopGovernor::VoteCast>() {
        return Some((house, cast.inner.data.proposalId, cast.inner.data.voter));
    }
    let cast = log.log_decode::<CoopGovernor::VoteCastWithParams>().ok()?.inner.data;
    Some((house, cast.proposalId, cast.voter))
}
