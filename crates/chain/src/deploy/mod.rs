//! Founds a cooperative by the factory, on any chain, and reads all of it back.
//!
//! The founder pays and gets nothing for it: the last stage gives every role to the houses, the guardian and the
//! charter, and [`verify`] proves it from the chain. A deployment that was cut off goes on where it was, see the
//! `engine` and `journal` modules; what it deployed is found by its address.

mod check;
mod config;
mod decided;
mod engine;
mod founding;
mod journal;
mod manifest;
mod mismatch;
mod roles;
mod verify;

use std::path::Path;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, TxKind, keccak256};
use alloy::sol_types::SolValue as _;
use rochdale_core::ledger;

use crate::bindings::{CoopFactory, TestUSDC};
use crate::client::{Chain, ChainError, LOCAL_CHAIN_ID, SendError, Sender};
use engine::Engine;

pub use config::{
    Actors, Allocation, Bonds, ConfigError, CoopConfig, DataType, DatasetConfig, DesksConfig, EmissionConfig,
    GovernanceConfig, HouseConfig, LICENSE_TERMS, MembershipLimits, SettlementTimes, SplitBps, VestingSchedule,
};
pub use decided::{Decision, decisions};
pub use founding::{account_factory, implementation_address};
pub use journal::{Journal, JournalError, Subject};
pub(crate) use manifest::IMPLEMENTATION;
pub use manifest::{Addresses, MANIFEST_VERSION, Manifest, ManifestError, PermitDomain};
pub use mismatch::Mismatch;
pub use roles::{Held, Role, holders};
pub use verify::{verify, verify_decided};

/// What a deployment tells while it runs.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A step begins; it may turn out to be done already.
    Step {
        /// The name that it has.
        name: &'a str,
        /// Steps before it.
        done: usize,
        /// Steps in all.
        total: usize,
    },
    /// A transaction is noted and about to leave.
    Sending {
        /// The name of the step.
        name: &'a str,
        /// The hash of the transaction.
        transaction: B256,
    },
    /// Everything is on chain and is read back.
    ReadingBack,
}

/// Why no cooperative was founded.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The configuration names another chain.
    #[error("the configuration is for chain {configured}, the RPC serves chain {actual}")]
    OtherChain {
        /// In the configuration.
        configured: u64,
        /// Of the RPC.
        actual: u64,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The chain lacks the deterministic deployer.
    #[error(
        "chain {0} has no deterministic deployer at {deployer}: have it deployed first (github.com/Arachnid/deterministic-deployment-proxy)",
        deployer = engine::DEPLOYER
    )]
    NoDeployer(u64),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A transaction.
    #[error(
        "the deployment stopped at \"{step}\", after {done} of {total} steps: {source}; mend the cause and start it again with the same journal, it goes on there"
    )]
    Step {
        /// The name of the step.
        step: String,
        /// Steps that took effect.
        done: usize,
        /// Steps in all.
        total: usize,
        /// What the layer below said.
        #[source]
        source: SendError,
    },
    /// A transaction succeeded and changed nothing.
    #[error("\"{step}\" was mined, but {address} does not show it; does the RPC lag behind? Start again")]
    NoEffect {
        /// The name of the step.
        step: String,
        /// Where its effect should show.
        address: Address,
    },
    /// The factory at that address is not the one of this program.
    #[error("the factory has {found} stages, this program knows {known}; contracts and program do not fit each other")]
    OtherFactory {
        /// How many stages the factory has.
        found: u8,
        /// Ours.
        known: usize,
    },
    /// The contract that is named as the stablecoin is none.
    #[error("{0} is no stablecoin with permits (ERC-2612): {1}")]
    Usdc(Address, String),
    /// Reading back showed something else than was asked for.
    #[error("{0}, and no executed proposal says so; do not use this cooperative")]
    Mismatch(#[from] Mismatch),
    /// The RPC.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Founds a cooperative, or goes on with a founding that `journal` tells of; `founder` pays.
///
/// # Errors
/// Where the configuration or a transaction is refused, the journal is of something else, or the reading back shows a
/// difference. Called again with the same journal, it goes on.
pub async fn deploy(
    founder: &Sender,
    config: &CoopConfig,
    journal: Option<&Path>,
    mut progress: impl FnMut(Progress<'_>) + Send,
) -> Result<Manifest, DeployError> {
    let chain = founder.chain();
    if config.chain_id != chain.chain_id() {
        return Err(DeployError::OtherChain { configured: config.chain_id, actual: chain.chain_id() });
    }
    config.check()?;
    if !engine::has_code(chain, engine::DEPLOYER).await? {
        return Err(DeployError::NoDeployer(chain.chain_id()));
    }
    let shared = founding::shared();
    let mut journal = journal_of(founder, config, &shared, journal).await?;
    let (coop, salt) = name(founder.address(), journal.base.hash);
    let genesis = journal.genesis;
    let mut first = shared.steps;
    let usdc = config.usdc.unwrap_or_else(|| {
        let step = founding::test_usdc();
        let address = step.address;
        first.insert(0, step);
        address
    });
    let settings = founding::encode(config, usdc, genesis)?;
    let stages = founding::stages(shared.factory, coop, salt, &settings);
    let total = first.len() + stages.len();
    let base = journal.base;
    let mut engine = Engine { founder, journal: &mut journal, progress: &mut progress, before: 0, total };
    engine.run(&first).await?;
    let found = chain.view(shared.factory, &CoopFactory::stagesCall {}).await?;
    if usize::from(found) != founding::stage_count() {
        return Err(DeployError::OtherFactory { found, known: founding::stage_count() });
    }
    engine.run(&stages).await?;
    progress(Progress::ReadingBack);
    let parts = founding::parts_of(chain, shared.factory, coop).await?;
    let manifest = Manifest {
        version: MANIFEST_VERSION,
        chain_id: chain.chain_id(),
        base,
        genesis,
        settlement: config.settlement,
        tree_depth: ledger::DEPTH,
        ledger: config.ledger.clone(),
        params_hash: config.ledger.hash(),
        founder: founder.address(),
        coop_id: coop,
        usdc_permit: permit_domain(chain, usdc).await?,
        addresses: Addresses::new(usdc, shared.factory, &parts),
    };
    verify(chain, &manifest, config).await?;
    Ok(manifest)
}

/// Puts this program's code of these kinds on the chain where it does not lie yet. Nothing runs it before a cooperative's
/// houses upgrade to it, so that anyone may pay.
///
/// # Errors
/// Where the chain lacks the deterministic deployer or a transaction is refused.
pub async fn place_code(payer: &Sender, kinds: &[&str]) -> Result<(), DeployError> {
    let chain = payer.chain();
    if !engine::has_code(chain, engine::DEPLOYER).await? {
        return Err(DeployError::NoDeployer(chain.chain_id()));
    }
    let steps: Vec<_> = kinds.iter().filter_map(|kind| founding::implementation(kind)).collect();
    for (done, step) in steps.iter().enumerate() {
        if engine::has_code(chain, step.address).await? {
            continue;
        }
        let sent = payer.send_raw(TxKind::Call(step.to), step.data.clone(), &step.name).await;
        let stopped = |source| DeployError::Step { step: step.name.clone(), done, total: steps.len(), source };
        sent.map_err(stopped)?;
        if !engine::has_code(chain, step.address).await? {
            return Err(DeployError::NoEffect { step: step.name.clone(), address: step.address });
        }
    }
    Ok(())
}

/// The journal that lies there, or a new one that begins now.
async fn journal_of(
    founder: &Sender,
    config: &CoopConfig,
    shared: &founding::Shared,
    path: Option<&Path>,
) -> Result<Journal, DeployError> {
    let chain = founder.chain();
    // The factory's address follows from the code of everything.
    let program = keccak256(shared.factory);
    let subject =
        Subject { chain_id: chain.chain_id(), founder: founder.address(), config: Subject::hash(config), program };
    if let Some(path) = path
        && let Some(journal) = Journal::open(path, &subject)?
    {
        return Ok(journal);
    }
    let latest = chain.block(BlockId::latest()).await?;
    let genesis = config.genesis.unwrap_or(latest.timestamp);
    config.check_genesis(genesis, latest.timestamp)?;
    // Elsewhere the newest block may still be undone, and followers would never find it again.
    let base = if chain.chain_id() == LOCAL_CHAIN_ID { latest } else { chain.head().await?.finalized };
    Ok(Journal::begin(path, subject, base, genesis)?)
}

/// The cooperative's name at the factory, and the salt it is made of: another block gives another.
fn name(founder: Address, base: B256) -> (B256, B256) {
    let salt = keccak256([b"rochdale.cooperative".as_slice(), base.as_slice()].concat());
    (keccak256((founder, salt).abi_encode()), salt)
}

/// The domain of the stablecoin's permits, held against what the token itself hashes.
async fn permit_domain(chain: &Chain, usdc: Address) -> Result<PermitDomain, DeployError> {
    let text = |error: ChainError| DeployError::Usdc(usdc, error.to_string());
    let domain = chain.view(usdc, &TestUSDC::eip712DomainCall {}).await;
    let found = match domain {
        Ok(domain) => PermitDomain { name: domain.name, version: domain.version },
        // Older tokens tell both by themselves.
        Err(_) => PermitDomain {
            name: chain.view(usdc, &TestUSDC::nameCall {}).await.map_err(text)?,
            version: chain.view(usdc, &versionCall {}).await.map_err(text)?,
        },
    };
    let separator = chain.view(usdc, &TestUSDC::DOMAIN_SEPARATORCall {}).await.map_err(text)?;
    if found.of(chain.chain_id(), usdc).separator() != separator {
        return Err(DeployError::Usdc(usdc, "its domain separator is not that of its name and version".to_owned()));
    }
    Ok(found)
}

alloy::sol! {
    /// Of tokens before ERC-5267.
    function version() external view returns (string version);
}
