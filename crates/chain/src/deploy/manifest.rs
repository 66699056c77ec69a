//! What a deployment leaves behind: the one file that every process of a cooperative reads.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::Eip712Domain;
use rochdale_core::ids::Epoch;
use rochdale_core::ledger::{Params, Schedule};
use serde::{Deserialize, Serialize};

use super::config::SettlementTimes;
use crate::bindings;
use crate::client::BlockRef;
use crate::eip712::{self, Contracts};

/// The manifest's format.
pub const MANIFEST_VERSION: u32 = 2;

/// Where ERC-1967 proxies keep their implementation.
pub(crate) const IMPLEMENTATION: B256 =
    B256::new(alloy::primitives::hex!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"));

/// Defines [`Addresses`] from one table: field, field of the factory's `Parts`, name, name of the ABI.
macro_rules! addresses {
    ($($field:ident $part:ident $name:ident $abi:ident),* $(,)?) => {
        /// Where the contracts are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "each is the contract of its name")]
        pub struct Addresses {
            pub usdc: Address,
            pub factory: Address,
            $(pub $field: Address),*
        }

        impl Addresses {
            /// The contracts of a cooperative that a factory founded, in the order of its parts.
            #[must_use]
            pub fn new(usdc: Address, factory: Address, parts: &[Address]) -> Self {
                let mut all = parts.iter().copied();
                Self { usdc, factory, $($field: all.next().unwrap_or_default()),* }
            }

            /// The cooperative's contracts in the factory's order: name, name of the ABI, address.
            #[must_use]
            pub fn named(&self) -> Vec<(&'static str, &'static str, Address)> {
                vec![$((stringify!($name), stringify!($abi), self.$field)),*]
            }
        }

        /// Name in `Parts`, kind and code of each part, in order.
        pub(super) fn implementations() -> Vec<(&'static str, &'static str, Bytes)> {
            vec![$((stringify!($part), stringify!($abi), bindings::$abi::BYTECODE.clone())),*]
        }
    };
}

addresses! {
    authority authority Authority CoopAuthority,
    token_timelock tokenTimelock TokenTimelock CoopTimelock,
    member_timelock memberTimelock MemberTimelock CoopTimelock,
    token_governor tokenGovernor TokenGovernor CoopGovernor,
    member_governor memberGovernor MemberGovernor CoopGovernor,
    charter_gate charterGate CharterGate CharterGate,
    pause_guard pauseGuard PauseGuard PauseGuard,
    membership membership Membership Membership,
    consent_registry consentRegistry ConsentRegistry ConsentRegistry,
    contribution_registry contributionRegistry ContributionRegistry ContributionRegistry,
    steward_committee stewardCommittee StewardCommittee StewardCommittee,
    settlement_ledger settlementLedger SettlementLedger SettlementLedger,
    data_token dataToken DataToken DataToken,
    gov_token govToken GovToken GovToken,
    dataset_catalog datasetCatalog DatasetCatalog DatasetCatalog,
    license license License License,
    market market Market Market,
    treasury treasury Treasury Treasury,
    ethics_registry ethicsRegistry EthicsRegistry EthicsRegistry,
    auction_house auctionHouse AuctionHouse AuctionHouse,
    compute_desk computeDesk ComputeDesk ComputeDesk,
    researcher_bond researcherBond ResearcherBond ResearcherBond,
    service_desk serviceDesk ServiceDesk ServiceDesk,
    operator_pay operatorPay OperatorPay OperatorPay,
    buyback buyback Buyback Buyback,
    vesting vesting Vesting Vesting,
    programs programs Programs Programs,
    disputes disputes Disputes Disputes,
}

impl Addresses {
    /// The contracts whose events the processes follow.
    #[must_use]
    pub fn followed(&self) -> [Address; 12] {
        [
            self.membership,
            self.consent_registry,
            self.contribution_registry,
            self.steward_committee,
            self.settlement_ledger,
            self.dataset_catalog,
            self.license,
            self.market,
            self.treasury,
            self.ethics_registry,
            self.programs,
            self.disputes,
        ]
    }

    /// Beside them, the contracts that tell what the houses decide, what members can buy, what is paused and who loses of its bond.
    #[must_use]
    pub fn houses(&self) -> [Address; 9] {
        [
            self.token_governor,
            self.member_governor,
            self.token_timelock,
            self.member_timelock,
            self.charter_gate,
            self.gov_token,
            self.service_desk,
            self.pause_guard,
            self.researcher_bond,
        ]
    }
}

/// A cooperative on a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format of this file.
    pub version: u32,
    /// The chain's id (EIP-155).
    pub chain_id: u64,
    /// The block before the first of the cooperative's; events are read from the next one.
    pub base: BlockRef,
    /// Start of epoch 1, Unix seconds.
    pub genesis: u64,
    /// When settlements are proposed and become final.
    pub settlement: SettlementTimes,
    /// Depth of the settlement tree.
    pub tree_depth: u8,
    /// The ledger's parameters.
    pub ledger: Params,
    /// Their hash, as the ledger contract holds it.
    pub params_hash: B256,
    /// The account that founded; it has no role.
    pub founder: Address,
    /// The cooperative's name at the factory.
    pub coop_id: B256,
    /// The stablecoin's EIP-712 domain, for permits.
    pub usdc_permit: PermitDomain,
    /// The addresses of the contracts.
    pub addresses: Addresses,
}

/// The name and version by which a token's permits are signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermitDomain {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

impl PermitDomain {
    /// The domain of a token on a chain.
    #[must_use]
    pub fn of(&self, chain_id: u64, token: Address) -> Eip712Domain {
        let (name, version) = (self.name.clone(), self.version.clone());
        Eip712Domain::new(Some(name.into()), Some(version.into()), Some(U256::from(chain_id)), Some(token), None)
    }
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file cannot be read or written.
    #[error("{path}: {source}; `rochdale coop deploy` writes this file")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// What stands in it does not read.
    #[error("{path}, line {}: {source}; the file is written by `rochdale coop deploy`, not by hand", source.line())]
    Json {
        /// The path of the file.
        path: PathBuf,
        /// What the layer below said.
        source: serde_json::Error,
    },
    /// Another format.
    #[error(
        "{path} has format {found}, this program reads {MANIFEST_VERSION}; deploy again or use the matching version"
    )]
    Version {
        /// The path of the file.
        path: PathBuf,
        /// The version of the format that it has.
        found: u32,
    },
}

impl Manifest {
    /// Reads the file.
    ///
    /// # Errors
    /// Where it is absent, no manifest, or of another format.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let text = fs::read_to_string(path).map_err(|source| ManifestError::File { path: path.to_owned(), source })?;
        let read = |source| ManifestError::Json { path: path.to_owned(), source };
        let manifest: Self = serde_json::from_str(&text).map_err(read)?;
        if manifest.version != MANIFEST_VERSION {
            return Err(ManifestError::Version { path: path.to_owned(), found: manifest.version });
        }
        Ok(manifest)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// Where the directory cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ManifestError> {
        let text =
            serde_json::to_vec_pretty(self).map_err(|source| ManifestError::Json { path: path.to_owned(), source })?;
        let write = || {
            let partial = path.with_extension("partial");
            let mut file = fs::File::create(&partial)?;
            file.write_all(&text)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&partial, path)
        };
        write().map_err(|source| ManifestError::File { path: path.to_owned(), source })
    }

    /// When epochs end and may be settled.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule {
            genesis: self.genesis,
            epoch_length: self.ledger.epoch_length,
            lag: self.settlement.lag,
            attempt_length: self.settlement.attempt_length,
        }
    }

    /// The cut that an epoch's events come after: the end of the epoch before, Unix seconds. The first epoch has
    /// none, so that what happened up to genesis, on it included, is settled with it.
    #[must_use]
    pub fn since(&self, epoch: Epoch) -> Option<u64> {
        let before = epoch.0.checked_sub(1).filter(|before| *before > 0)?;
        Some(self.schedule().end(Epoch(before)))
    }

    /// What members, researchers and stewards sign for.
    #[must_use]
    pub fn contracts(&self) -> Contracts {
        let a = &self.addresses;
        Contracts {
            chain_id: self.chain_id,
            membership: a.membership,
            consent_registry: a.consent_registry,
            contribution_registry: a.contribution_registry,
            steward_committee: a.steward_committee,
            settlement_ledger: a.settlement_ledger,
            disputes: a.disputes,
        }
    }

    /// The domain of admissions.
    #[must_use]
    pub fn membership_domain(&self) -> Eip712Domain {
        self.contracts().membership_domain()
    }

    /// The domain of grants, revocations and erasures.
    #[must_use]
    pub fn consent_domain(&self) -> Eip712Domain {
        self.contracts().consent_domain()
    }

    /// The domain of the ethics board's approvals.
    #[must_use]
    pub fn ethics_domain(&self) -> Eip712Domain {
        eip712::domain("EthicsRegistry", self.chain_id, self.addresses.ethics_registry)
    }

    /// The domain of contributions.
    #[must_use]
    pub fn contribution_domain(&self) -> Eip712Domain {
        self.contracts().contribution_domain()
    }

    /// The domain of budget entries, query orders and receipts, scores and erasure receipts.
    #[must_use]
    pub fn committee_domain(&self) -> Eip712Domain {
        self.contracts().committee_domain()
    }

    /// The domain of program awards.
    #[must_use]
    pub fn programs_domain(&self) -> Eip712Domain {
        eip712::domain("Programs", self.chain_id, self.addresses.programs)
    }

    /// The domain of settlement headers.
    #[must_use]
    pub fn settlement_domain(&self) -> Eip712Domain {
        self.contracts().settlement_domain()
    }

    /// The domain of demands and contests.
    #[must_use]
    pub fn disputes_domain(&self) -> Eip712Domain {
        self.contracts().disputes_domain()
    }

    /// The domain of polls and ballots: what members sign that no contract reads.
    #[must_use]
    pub fn poll_domain(&self) -> Eip712Domain {
        self.contracts().poll_domain()
    }

    /// The domain of the stablecoin, for permits.
    #[must_use]
    pub fn usdc_domain(&self) -> Eip712Domain {
        self.usdc_permit.of(self.chain_id, self.addresses.usdc)
    }
}
