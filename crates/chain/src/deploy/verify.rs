//! Reads a deployed cooperative back and compares it with what was asked for.

use std::fmt::Display;

use alloy::primitives::Address;
use alloy::sol_types::SolCall;

use super::{CoopConfig, DeployError, Manifest, roles};
use crate::bindings::{
    ContributionRegistry, DatasetCatalog, FounderAccessManager, Membership, SettlementLedger, StewardCommittee,
    Treasury,
};
use crate::client::Chain;

/// A contract that says something else than was asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what} is {actual}, not {expected}")]
pub struct Mismatch {
    /// What was read.
    pub what: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: String,
}

fn same<T: PartialEq + Display>(what: &str, expected: T, actual: T) -> Result<(), Mismatch> {
    if expected == actual {
        return Ok(());
    }
    Err(Mismatch { what: what.to_owned(), expected: expected.to_string(), actual: actual.to_string() })
}

/// Reads the contracts of a manifest back and compares them with a configuration.
///
/// # Errors
/// At the first difference, or where the RPC does not answer.
pub async fn verify(chain: &Chain, manifest: &Manifest, config: &CoopConfig) -> Result<(), DeployError> {
    let reader = Reader { chain, manifest, config };
    reader.authorities().await?;
    reader.membership().await?;
    reader.settlement().await?;
    reader.committee().await?;
    reader.market().await
}

struct Reader<'a> {
    chain: &'a Chain,
    manifest: &'a Manifest,
    config: &'a CoopConfig,
}

impl Reader<'_> {
    async fn view<C: SolCall>(&self, to: Address, call: C) -> Result<C::Return, DeployError> {
        Ok(self.chain.view(to, &call).await?)
    }

    async fn authorities(&self) -> Result<(), DeployError> {
        let a = &self.manifest.addresses;
        for contract in [
            a.membership,
            a.consent_registry,
            a.contribution_registry,
            a.steward_committee,
            a.settlement_ledger,
            a.data_token,
            a.gov_token,
            a.dataset_catalog,
            a.license,
            a.market,
            a.treasury,
        ] {
            let authority = self.view(contract, Membership::authorityCall {}).await?;
            same(&format!("the authority of {contract}"), a.authority, authority)?;
        }
        for role in [roles::ETHICS, roles::COMMITTEE, roles::CATALOG] {
            let call = FounderAccessManager::hasRoleCall { roleId: role, account: self.manifest.founder };
            let held = self.view(a.authority, call).await?;
            same(&format!("the founder's role {role}"), true, held.isMember)?;
        }
        Ok(())
    }

    async fn membership(&self) -> Result<(), DeployError> {
        let a = &self.manifest.addresses;
        let registrar = self.view(a.membership, Membership::registrarCall {}).await?;
        same("the registrar", self.config.actors.registrar, registrar)?;
        let cap = self.view(a.membership, Membership::admissionsPerEpochCall {}).await?;
        same("the cap of admissions", self.config.membership.admissions_per_epoch, cap)?;
        let cooldown = self.view(a.contribution_registry, ContributionRegistry::cooldownCall {}).await?;
        same("the cooldown", self.config.membership.cooldown, cooldown)?;
        Ok(())
    }

    async fn settlement(&self) -> Result<(), DeployError> {
        let ledger = self.manifest.addresses.settlement_ledger;
        same("genesis", self.manifest.genesis, self.view(ledger, SettlementLedger::genesisCall {}).await?)?;
        let length = self.view(ledger, SettlementLedger::epochLengthCall {}).await?;
        same("the epoch's length", self.config.ledger.epoch_length, length)?;
        let times = self.config.settlement;
        same("the lag", times.lag, self.view(ledger, SettlementLedger::lagCall {}).await?)?;
        let attempt = self.view(ledger, SettlementLedger::attemptLengthCall {}).await?;
        same("the attempt's length", times.attempt_length, attempt)?;
        same("the objection window", times.window, self.view(ledger, SettlementLedger::windowCall {}).await?)?;
        same("the tree's depth", self.manifest.tree_depth, self.view(ledger, SettlementLedger::depthCall {}).await?)?;
        let params = self.view(ledger, SettlementLedger::paramsCall {}).await?;
        same("the parameters' hash", self.manifest.params_hash, params.paramsHash)?;
        same("the DATA cap", self.config.ledger.data_cap, params.dataCap)?;
        same("the GOV cap", self.config.ledger.gov_cap, params.govCap)?;
        Ok(())
    }

    async fn committee(&self) -> Result<(), DeployError> {
        let committee = self.manifest.addresses.steward_committee;
        let actors = &self.config.actors;
        let seats = self.view(committee, StewardCommittee::seatsCall {}).await?;
        same("the number of stewards", actors.stewards.len(), seats.len())?;
        for (place, (wanted, seat)) in actors.stewards.iter().zip(&seats).enumerate() {
            same(&format!("the signer of steward {}", place + 1), wanted.signer, seat.signer)?;
            same(&format!("the sealing key of steward {}", place + 1), wanted.sealing_key, seat.sealingKey)?;
        }
        same("the quorum", actors.quorum, self.view(committee, StewardCommittee::quorumCall {}).await?)?;
        same("the gateway", actors.gateway, self.view(committee, StewardCommittee::gatewayCall {}).await?)?;
        for worker in &actors.workers {
            let key = self.view(committee, StewardCommittee::workerKeyCall { signer: worker.signer }).await?;
            same(&format!("the sealing key of worker {}", worker.signer), worker.sealing_key, key)?;
        }
        Ok(())
    }

    async fn market(&self) -> Result<(), DeployError> {
        let a = &self.manifest.addresses;
        for wanted in &self.config.datasets {
            let found = self.view(a.dataset_catalog, DatasetCatalog::datasetOfCall { id: wanted.id.0 }).await?;
            same(&format!("the price of dataset {}", wanted.id), wanted.price_per_thousand.0, found.pricePerThousand)?;
            same(&format!("the type of dataset {}", wanted.id), wanted.data_type as u8, found.dataType)?;
        }
        let split = self.view(a.treasury, Treasury::splitCall {}).await?;
        let wanted = self.config.split;
        same("the split to buyback", wanted.buyback, split.buyback)?;
        same("the split to operations", wanted.operations, split.operations)?;
        same("the split to compliance", wanted.compliance, split.compliance)?;
        same("the split to the reserve", wanted.reserve, split.reserve)?;
        Ok(())
    }
}
