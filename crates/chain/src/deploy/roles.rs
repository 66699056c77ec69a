//! Who holds which role, as the authority's events tell and its storage confirms.

use std::collections::BTreeMap;

use alloy::eips::BlockId;
use alloy::primitives::{Address, FixedBytes};
use alloy::providers::Provider as _;
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::SolEvent as _;
use serde::Serialize;

use super::Manifest;
use crate::bindings::{CoopAuthority, CoopTimelock, ServiceDesk};
use crate::client::{Chain, ChainError};

/// Blocks in one request for logs.
const RANGE: u64 = 2_000;

/// A role of the cooperative's authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Upgrades, roles, bounds: what both houses decided.
    Charter,
    /// What is earned, paid, and what it costs.
    TokenHouse,
    /// Who is in, who serves, what research is for.
    MemberHouse,
    /// Pauses for a while.
    Pauser,
    /// Money that leaves the Treasury: nobody's before the cooperative is constituted, the token house's since.
    Treasury,
    /// Issues licenses and books what they cost: three contracts at the founding.
    Seller,
}

impl Role {
    /// All of them, by number.
    pub const ALL: [Self; 6] =
        [Self::Charter, Self::TokenHouse, Self::MemberHouse, Self::Pauser, Self::Treasury, Self::Seller];

    /// Its number at the authority.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Charter => 0,
            Self::TokenHouse => 1,
            Self::MemberHouse => 2,
            Self::Pauser => 3,
            Self::Treasury => 4,
            Self::Seller => 5,
        }
    }
}

/// What the authority's events and storage say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Accounts by role number, as granted and not revoked since.
    pub holders: BTreeMap<u64, Vec<Address>>,
    /// Functions by contract, with the role that may call them; every other restricted function is the charter's.
    pub functions: BTreeMap<Address, BTreeMap<FixedBytes<4>, u64>>,
    /// Every account that ever had a role.
    pub ever: Vec<Address>,
}

/// Reads every event of the authority since the cooperative's first block, and asks the authority again for each
/// account and role that they name.
///
/// # Errors
/// Where the RPC does not answer.
pub async fn holders(chain: &Chain, manifest: &Manifest) -> Result<Held, ChainError> {
    let authority = manifest.addresses.authority;
    let mut held = Held::default();
    for log in logs(chain, manifest, authority).await? {
        held.note(&log.inner);
    }
    held.ever.sort();
    held.ever.dedup();
    let mut confirmed: BTreeMap<u64, Vec<Address>> = BTreeMap::new();
    let roles: Vec<u64> = held.holders.keys().copied().chain(Role::ALL.map(Role::number)).collect();
    for role in roles {
        let mut members = Vec::new();
        for account in &held.ever {
            let call = CoopAuthority::hasRoleCall { roleId: role, account: *account };
            if chain.view(authority, &call).await?.isMember {
                members.push(*account);
            }
        }
        confirmed.insert(role, members);
    }
    held.holders = confirmed;
    Ok(held)
}

impl Held {
    fn note(&mut self, log: &alloy::primitives::Log) {
        if let Ok(granted) = CoopAuthority::RoleGranted::decode_log(log) {
            self.holders.entry(granted.roleId).or_default().push(granted.account);
            self.ever.push(granted.account);
        } else if let Ok(set) = CoopAuthority::TargetFunctionRoleUpdated::decode_log(log) {
            self.functions.entry(set.target).or_default().insert(set.selector, set.roleId);
        }
    }
}

/// Every account that a timelock ever gave a role to, with founder and factory.
pub(super) async fn granted(chain: &Chain, manifest: &Manifest, timelock: Address) -> Result<Vec<Address>, ChainError> {
    let read = |log: Log| Some(CoopTimelock::RoleGranted::decode_log(&log.inner).ok()?.account);
    let mut accounts: Vec<Address> = logs(chain, manifest, timelock).await?.into_iter().filter_map(read).collect();
    accounts.extend([manifest.founder, manifest.addresses.factory]);
    accounts.sort();
    accounts.dedup();
    Ok(accounts)
}

/// Every service that members could ever spend DATA on.
pub(super) async fn services(chain: &Chain, manifest: &Manifest) -> Result<Vec<u32>, ChainError> {
    let read = |log: Log| Some(ServiceDesk::ServiceSet::decode_log(&log.inner).ok()?.serviceId);
    let logs = logs(chain, manifest, manifest.addresses.service_desk).await?;
    let mut services: Vec<u32> = logs.into_iter().filter_map(read).collect();
    services.sort_unstable();
    services.dedup();
    Ok(services)
}

/// All logs of a contract since the cooperative's first block.
async fn logs(chain: &Chain, manifest: &Manifest, contract: Address) -> Result<Vec<Log>, ChainError> {
    let latest = chain.block(BlockId::latest()).await?.number;
    let (mut found, mut from) = (Vec::new(), manifest.base.number);
    while from <= latest {
        let to = latest.min(from + RANGE - 1);
        let filter = Filter::new().address(contract).from_block(from).to_block(to);
        found.extend(chain.provider().get_logs(&filter).await.map_err(|e| chain.error("eth_getLogs", &e))?);
        from = to + 1;
    }
    Ok(found)
}
