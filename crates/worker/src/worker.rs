//! What every duty of the worker shares: keys, store, its own view of the chain, and the ways to stewards and gateway.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::{Address, U256};
use alloy::sol_types::Eip712Domain;
use rochdale_api::client::{Client, ClientError, Identity};
use rochdale_api::route::gateway;
use rochdale_api::server::{Answer, Verifier};
use rochdale_api::{Problem, ProblemCode, auth};
use rochdale_chain::client::{Chain, ChainError, ChainOptions, Clock};
use rochdale_chain::deploy::{Manifest, ManifestError};
use rochdale_chain::events::{FollowerOptions, MemoryStore};
use rochdale_compute::engine::{DataFusionEngine, EngineError};
use rochdale_node::backup::{self, BackupError, Mark};
use rochdale_node::callers::{Looks, admit};
pub use rochdale_node::mirror::Mirror;
use rochdale_node::mirror::Watch;
use rochdale_node::nonces::{Nonces, NoncesError};
use rochdale_node::peers::Peers;
use tokio::sync::{RwLock as AsyncRwLock, Semaphore};

use crate::config::Config;
use crate::keys::{Keys, KeysError};
use crate::problems;
use crate::replica::Replica;
use crate::rows::RowCache;
use crate::store::{Store, StoreError};
use crate::turns::Turns;

/// Faults of others that health shows: the newest ones.
const FAULTS_SHOWN: usize = 16;

/// Why the worker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A key.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store of nonces did not do as asked.
    #[error(transparent)]
    Nonces(#[from] NoncesError),
    /// What a restore or a backup left.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The chain did not do as asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The query engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The manifest is of another chain.
    #[error(
        "the manifest is of chain {manifest}, the configuration of chain {configured}: use the manifest of this chain"
    )]
    OtherChain {
        /// The chain id of the manifest.
        manifest: u64,
        /// The chain id of the configuration.
        configured: u64,
    },
    /// The copy of the vault.
    #[error("{path}: {source}; check data_dir")]
    Replica {
        /// Where it should be.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// An address in the configuration.
    #[error("{key}: {detail}")]
    Address {
        /// The key in the configuration file.
        key: String,
        /// What is wrong.
        detail: String,
    },
}

/// A worker: what it holds while it runs.
pub struct Worker {
    /// The configuration that it was started with.
    pub config: Config,
    /// The cooperative that it serves, as it was deployed.
    pub manifest: Manifest,
    /// The keys that it signs and opens with.
    pub keys: Keys,
    /// The database that it alone writes.
    pub store: Store,
    /// Its RPC.
    pub chain: Chain,
    /// Runs plans.
    pub engine: DataFusionEngine,
    /// Rows of opened records.
    pub rows: RowCache,
    /// The copy of the vault.
    pub replica: Replica,
    /// Orders that are worked on; a stop waits for them.
    pub running: AsyncRwLock<()>,
    pub(crate) turns: Turns,
    /// Orders whose records are open at once: each holds its rows in memory.
    pub(crate) slots: Semaphore,
    watch: Watch<MemoryStore>,
    /// How many of the chain's rollbacks the copy of the vault has heard of.
    rollbacks: AtomicU64,
    faults: Mutex<Vec<String>>,
    /// Asks the stewards.
    pub(crate) peers: Peers,
    looks: Looks,
    nonces: Nonces,
    gateway: Client,
    domain: Eip712Domain,
}

impl Worker {
    /// Opens everything that the configuration names.
    ///
    /// # Errors
    /// With what is missing or does not fit.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Arc<Self>, StartError> {
        let manifest = Manifest::load(&config.manifest)?;
        if manifest.chain_id != config.chain_id {
            return Err(StartError::OtherChain { manifest: manifest.chain_id, configured: config.chain_id });
        }
        let keys = Keys::load(&config.key_file, &config.sealing_key_file)?;
        backup::clear(&config.data_dir)?;
        let store = Store::open(&config.data_dir).await?;
        if Mark::read(&config.data_dir)?.is_some() {
            // Nothing is to be caught up: of an order that was answered since, stewards release nothing and the contract takes no receipt.
            tracing::info!("restored from a backup: orders that came since are unknown here");
            Mark::remove(&config.data_dir)?;
        }
        let nonces = Nonces::open(&config.data_dir).await?;
        let address = |key: String| move |e: ClientError| StartError::Address { key, detail: e.to_string() };
        let gateway = Client::new(&config.gateway_url).map_err(address("gateway_url".to_owned()))?;
        let domain = auth::domain(manifest.chain_id, manifest.addresses.steward_committee);
        let identity = Identity { key: keys.signer.clone(), domain: domain.clone() };
        let urls = config.stewards.iter().map(|steward| (steward.steward, steward.url.as_str()));
        let peers = Peers::new(identity, urls)
            .map_err(|(steward, error)| address(format!("stewards, steward {steward}"))(error))?;
        let stale_after = Duration::from_secs(config.stale_after_s);
        let options = ChainOptions { stale_after, ..ChainOptions::new(config.chain_id) };
        let chain = Chain::connect_any(&config.rpc_url, &config.rpc_fallbacks, options, clock.clone()).await?;
        let vault = config.data_dir.join("vault");
        let replica = Replica::open(vault.clone(), config.replica.max_bytes)
            .map_err(|source| StartError::Replica { path: vault, source })?;
        let slots = Semaphore::new(config.engine.orders.max(1));
        let watch = Watch::new(chain.clone(), &manifest, MemoryStore::default(), FollowerOptions::default());
        Ok(Arc::new(Self {
            engine: DataFusionEngine::new(config.engine.threads, config.engine.memory_bytes)?,
            rows: RowCache::new(config.cache_ttl(), config.records.cache_bytes, clock),
            domain,
            config,
            manifest,
            keys,
            store,
            chain,
            replica,
            running: AsyncRwLock::default(),
            turns: Turns::default(),
            slots,
            watch,
            rollbacks: AtomicU64::default(),
            faults: Mutex::default(),
            peers,
            looks: Looks::default(),
            nonces,
            gateway,
        }))
    }

    /// The worker's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.keys.signer.address()
    }

    /// Follows the chain to its head. What is decided after this is decided on the latest block.
    ///
    /// # Errors
    /// Where the RPC does not answer, lags, or serves another chain.
    pub async fn at_head(&self) -> Result<Arc<Mirror>, Problem> {
        let mirror = self.watch.at_head().await.map_err(problems::chain)?;
        self.hear_of_rollbacks(&mirror);
        Ok(mirror)
    }

    fn hear_of_rollbacks(&self, mirror: &Mirror) {
        if self.rollbacks.swap(mirror.rollbacks, Ordering::SeqCst) != mirror.rollbacks {
            self.replica.relist();
        }
    }

    async fn for_guard(&self) -> Result<Arc<Mirror>, Problem> {
        let mirror = self.watch.for_guard().await.map_err(problems::chain)?;
        self.hear_of_rollbacks(&mirror);
        Ok(mirror)
    }

    /// The chain as last seen, if it was.
    #[must_use]
    pub fn mirror(&self) -> Option<Arc<Mirror>> {
        self.watch.mirror()
    }

    /// A client of the gateway.
    #[must_use]
    pub fn gateway(&self, mirror: &Mirror) -> Client {
        self.gateway.clone().signing(self.identity(), mirror.latest.gateway.unwrap_or_default())
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity { key: self.keys.signer.clone(), domain: self.domain.clone() }
    }

    /// Notes another process's fault, for the log and for health.
    pub fn blame(&self, fault: String) {
        tracing::warn!(%fault, "another process is at fault");
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.retain(|known| *known != fault);
        faults.push(fault);
        let excess = faults.len().saturating_sub(FAULTS_SHOWN);
        faults.drain(..excess);
    }

    /// The faults noted last, oldest first.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Verifier for Worker {
    fn domain(&self) -> &Eip712Domain {
        &self.domain
    }

    fn audience(&self) -> Address {
        self.address()
    }

    fn now(&self) -> Answer<'_, u64> {
        Box::pin(async { Ok(self.for_guard().await?.now()) })
    }

    /// The gateway alone signs its calls to the worker.
    fn admit<'a>(&'a self, signer: Address, _: &'a str, _: &'a str) -> Answer<'a, ()> {
        let may = move |mirror: Arc<Mirror>| {
            let detail = format!("{signer} is not the gateway: queries come through it");
            let refusal = Problem::new(ProblemCode::Forbidden, detail)
                .hint(format!("POST {} at the gateway", gateway::QUERY.path));
            std::future::ready(if mirror.latest.gateway == Some(signer) { Ok(()) } else { Err(refusal) })
        };
        Box::pin(async move { admit(&self.looks, self.mirror(), self.for_guard(), may).await })
    }

    fn use_nonce(&self, signer: Address, nonce: U256, deadline: u64, now: u64) -> Answer<'_, bool> {
        Box::pin(async move { Ok(self.nonces.use_once(signer, nonce, deadline, now).await?) })
    }
}
