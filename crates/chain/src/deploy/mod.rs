//! Founds a cooperative: deploys every contract behind its proxy, wires them, hands out the roles, publishes the
//! datasets, seats the stewards, and reads all of it back.
//!
//! The founder's key administers until governance is built, so every chain but the local one is refused. A
//! deployment that fails half way leaves contracts that nobody uses; the next one starts with fresh addresses.

mod config;
mod manifest;
mod plan;
mod verify;

use alloy::eips::BlockId;
use alloy::primitives::{Address, Bytes, TxKind};
use alloy::providers::Provider as _;
use alloy::sol_types::{SolCall, SolConstructor};
use rochdale_core::ledger;

use crate::bindings::ERC1967Proxy;
use crate::client::{Chain, ChainError, LOCAL_CHAIN_ID, SendError, Sender};

pub use config::{
    Actors, ConfigError, CoopConfig, DataType, DatasetConfig, LICENSE_TERMS, MembershipLimits, SettlementTimes,
    SplitBps,
};
pub use manifest::{Addresses, MANIFEST_VERSION, Manifest, ManifestError};
pub use plan::roles;
pub use verify::{Mismatch, verify};

/// Why no cooperative was founded.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// Only the local chain may be administered by one key.
    #[error(
        "a cooperative is administered by its founder's key until governance is built, which is refused on any chain but the local one (31337); this is chain {0}"
    )]
    NotLocal(u64),
    /// The configuration names another chain.
    #[error("the configuration is for chain {configured}, the RPC serves chain {actual}")]
    OtherChain {
        /// In the configuration.
        configured: u64,
        /// Of the RPC.
        actual: u64,
    },
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A transaction.
    #[error(
        "the deployment stopped at \"{step}\", after {done} of {total} steps: {source}; what was deployed is unused, deploy again once the cause is mended"
    )]
    Step {
        /// The step.
        step: String,
        /// Steps that took effect.
        done: usize,
        /// Steps in all.
        total: usize,
        /// Why.
        #[source]
        source: SendError,
    },
    /// The founder sent something else meanwhile.
    #[error(
        "{step} was deployed at {actual}, not at {expected} as the other contracts were told; does another process use the founder's key?"
    )]
    Address {
        /// The step.
        step: String,
        /// As predicted.
        expected: Address,
        /// As deployed.
        actual: Address,
    },
    /// Reading back showed something else than was asked for.
    #[error("deployed, but {0}; do not use this cooperative")]
    Mismatch(#[from] Mismatch),
    /// The RPC.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Founds a cooperative; `founder` pays, administers, and holds every role. `progress` hears of each step: its
/// name, how many are done, how many there are.
///
/// # Errors
/// On any chain but the local one, and where the configuration, a transaction or the reading back fails.
pub async fn deploy(
    founder: &Sender,
    config: &CoopConfig,
    mut progress: impl FnMut(&str, usize, usize) + Send,
) -> Result<Manifest, DeployError> {
    let chain = founder.chain();
    if chain.chain_id() != LOCAL_CHAIN_ID {
        return Err(DeployError::NotLocal(chain.chain_id()));
    }
    if config.chain_id != chain.chain_id() {
        return Err(DeployError::OtherChain { configured: config.chain_id, actual: chain.chain_id() });
    }
    config.check()?;
    let base = chain.block(BlockId::latest()).await?;
    let nonce = next_nonce(chain, founder.address()).await?;
    let plan = plan::Plan::new(config, founder.address(), nonce, base.timestamp);
    let total = plan.steps.len();
    for (done, step) in plan.steps.iter().enumerate() {
        progress(&step.name, done, total);
        let failed = |source| DeployError::Step { step: step.name.clone(), done, total, source };
        let receipt = founder.send_raw(step.to, step.data.clone(), &step.name).await.map_err(failed)?;
        if let (Some(expected), Some(actual)) = (step.creates, receipt.created)
            && expected != actual
        {
            return Err(DeployError::Address { step: step.name.clone(), expected, actual });
        }
    }
    progress("read back", total, total);
    let manifest = Manifest {
        version: MANIFEST_VERSION,
        chain_id: chain.chain_id(),
        base,
        genesis: plan.genesis,
        settlement: config.settlement,
        tree_depth: ledger::DEPTH,
        ledger: config.ledger.clone(),
        params_hash: config.ledger.hash(),
        founder: founder.address(),
        addresses: plan.addresses,
    };
    verify(chain, &manifest, config).await?;
    Ok(manifest)
}

async fn next_nonce(chain: &Chain, account: Address) -> Result<u64, ChainError> {
    let count = chain.provider().get_transaction_count(account).pending().await;
    count.map_err(|e| chain.error("eth_getTransactionCount", &e))
}

/// One transaction of a deployment.
struct Step {
    name: String,
    to: TxKind,
    data: Bytes,
    creates: Option<Address>,
}

impl Step {
    fn create(name: &str, at: Address, bytecode: &Bytes, arguments: Vec<u8>) -> Self {
        let mut data = bytecode.to_vec();
        data.extend(arguments);
        Self { name: name.to_owned(), to: TxKind::Create, data: data.into(), creates: Some(at) }
    }

    fn proxy(name: &str, at: Address, implementation: Address, initialize: Vec<u8>) -> Self {
        let constructor = ERC1967Proxy::constructorCall { implementation, _data: initialize.into() };
        Self::create(name, at, &ERC1967Proxy::BYTECODE, constructor.abi_encode())
    }

    fn call<C: SolCall>(name: String, to: Address, call: &C) -> Self {
        Self { name, to: to.into(), data: call.abi_encode().into(), creates: None }
    }
}
