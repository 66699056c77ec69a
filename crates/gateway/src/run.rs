//! Wires the modules and runs them until told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alloy::signers::local::PrivateKeySigner;
use rochdale_api::auth;
use rochdale_api::client::{Client, ClientError, Identity};
use rochdale_api::server::{self, Bounds};
use rochdale_chain::client::{Chain, ChainError, ChainOptions, Sender, SenderOptions, SystemClock};
use rochdale_chain::deploy::{Manifest, ManifestError};
use rochdale_crypto::keyfile::{self, KeyFileError, KeyKind};
use rochdale_node::backup::{self, BackupError, Mark};
use rochdale_node::callers::Looks;
use rochdale_node::metrics;
use rochdale_node::nonces::{Nonces, NoncesError};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::config::Config;
use crate::directory::Directory;
use crate::erasure::Erasure;
use crate::forward::Forward;
use crate::http::{self, Board, Gateway, Reads, Site, SiteError, Views};
use crate::indexer::Indexer;
use crate::lockers::Lockers;
use crate::proposals::Proposals;
use crate::quota::Quota;
use crate::relayer::{CallQuota, House, Limiter, Relayer};
use crate::scrub::Scrub;
use crate::sizes;
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};

/// How long running requests may take to finish at the end.
const GRACE: Duration = Duration::from_secs(10);
/// What quotas of addresses are for.
const HOUR: Duration = Duration::from_secs(3_600);
/// Between two tries to catch up after a restore.
const AGAIN: Duration = Duration::from_secs(2);
/// How often a receipt is looked for.
const RECEIPT_POLL: Duration = Duration::from_millis(50);

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest is of another chain.
    #[error(
        "the manifest {path} is of chain {manifest}, the configuration says chain {configured}; correct `chain_id` or `manifest`"
    )]
    OtherChain {
        /// The manifest's file.
        path: PathBuf,
        /// The chain id of the manifest.
        manifest: u64,
        /// As configured.
        configured: u64,
    },
    /// The key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key file holds no signing key.
    #[error("the relayer's key is no secp256k1 key")]
    BadKey,
    /// A directory.
    #[error("{path} cannot be made: {source}")]
    Directory {
        /// The path of the directory or file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// The RPC.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store of nonces did not do as asked.
    #[error(transparent)]
    Nonces(#[from] NoncesError),
    /// What a restore or a backup left.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The vault did not do as asked.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A URL of a steward or the worker.
    #[error(transparent)]
    Peer(#[from] ClientError),
    /// The web app's folder.
    #[error("web: {0}")]
    Site(#[from] SiteError),
    /// A steward's seat stands twice.
    #[error("[[stewards]]: steward {0} is named twice")]
    Twice(rochdale_core::ids::StewardId),
    /// The address to listen on.
    #[error("cannot listen on {address}: {source}; is another gateway running?")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// Serving ended with an error.
    #[error("serving failed: {0}")]
    Serve(std::io::Error),
}

/// A gateway whose parts are wired and whose address is bound, but which does nothing yet.
pub struct Assembled {
    listener: TcpListener,
    gateway: Arc<Gateway>,
    indexer: Indexer,
    erasure: Erasure,
    config: Config,
}

/// Reads manifest and key, opens store and vault, connects to the chain, binds the address.
///
/// # Errors
/// [`RunError`], which says what to mend.
pub async fn assemble(config: Config) -> Result<Assembled, RunError> {
    let manifest = Manifest::load(&config.manifest)?;
    if manifest.chain_id != config.chain_id {
        let (path, configured) = (config.manifest.clone(), config.chain_id);
        return Err(RunError::OtherChain { path, manifest: manifest.chain_id, configured });
    }
    for (place, steward) in config.stewards.iter().enumerate() {
        if config.stewards[..place].iter().any(|s| s.steward == steward.steward) {
            return Err(RunError::Twice(steward.steward));
        }
    }
    let made = std::fs::create_dir_all(&config.data_dir);
    made.map_err(|source| RunError::Directory { path: config.data_dir.clone(), source })?;
    let key = relayer_key(&config)?;
    let stewards = || config.stewards.iter().map(|steward| steward.url.as_str());
    let site = config.web.as_deref().map(|folder| Site::read(folder, stewards())).transpose()?.map(Arc::new);
    let mut options = ChainOptions::new(config.chain_id);
    options.stale_after = Duration::from_secs(config.indexer.stale_after_s);
    let chain =
        Chain::connect_any(&config.rpc_url, &config.rpc_fallbacks, options, Arc::new(SystemClock::default())).await?;
    // First of all that touches the disk: two gateways must not share one directory.
    let bound = TcpListener::bind(config.listen).await;
    let listener = bound.map_err(|source| RunError::Listen { address: config.listen, source })?;
    backup::clear(&config.data_dir)?;
    let store = Store::open(&config.data_dir).await?;
    let quota = Quota::new(config.limits, store.clone());
    let nonces = Nonces::open(&config.data_dir).await?;
    let vault = Arc::new(Vault::open(config.data_dir.join("vault"), config.limits.max_blob_bytes).await?);
    let erasure = Erasure::new(store.clone(), Arc::clone(&vault), config.limits.unreferenced_ttl_seconds);
    let queue = Arc::new(Notify::new());
    let (indexer, index) =
        Indexer::new(chain.clone(), &manifest, store.clone(), erasure.clone(), config.indexer, Arc::clone(&queue))
            .await?;
    let domain = auth::domain(config.chain_id, manifest.addresses.steward_committee);
    let identity = Identity { key: key.clone(), domain };
    let directory = Directory::new(index.state().clone(), identity.clone(), &config.stewards, &config.worker)?;
    let forward = Forward::new(index.clone(), directory.clone());
    let registrar = config.registrar.as_deref().map(Client::new).transpose()?;
    let scrub = Scrub::new(store.clone(), Arc::clone(&vault), directory.clone(), index.clone());
    let options = SenderOptions { poll: RECEIPT_POLL, ..SenderOptions::default() };
    let sender = Sender::with_options(chain.clone(), key, options);
    let address = sender.address();
    let limits = (Limiter::new(config.limits.writes_per_minute), House::new(config.claims), config.gas);
    let relayer = Arc::new(Relayer::new(sender, manifest.clone(), store.clone(), index.clone(), limits, queue));
    let proposals = Proposals::new(chain.clone(), manifest.clone(), store.clone(), index.clone());
    let gateway = Arc::new(Gateway {
        chain,
        manifest,
        address,
        worker: config.worker.address,
        index,
        relayer,
        vault,
        directory,
        forward,
        registrar,
        welcome: config.welcome().map(Path::to_path_buf),
        applications: CallQuota::new(config.limits.applications_per_hour, HOUR),
        identity,
        looks: Looks::default(),
        nonces,
        lockers: Lockers::new(store.clone()),
        proposals,
        store,
        reads: Reads::new(config.limits.chain_reads_per_minute),
        quota,
        scrub,
        erasure: erasure.clone(),
        codes: config.codes.clone(),
        board: Board::default(),
        ballots: CallQuota::new(http::BALLOTS_PER_HOUR, HOUR),
        views: Views::default(),
        site,
    });
    Ok(Assembled { listener, gateway, indexer, erasure, config })
}

impl Assembled {
    /// Where it listens; the port is known also where the configuration says 0.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` resolves, then finishes running requests and the batch that is on its way.
    ///
    /// # Errors
    /// Where the listener fails.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), RunError> {
        let Self { listener, gateway, indexer, erasure, config } = self;
        let (stopping, stopped) = watch::channel(false);
        let signal = || {
            let mut stopped = stopped.clone();
            async move {
                // An error means that the sender is gone, which is the end too.
                let _ = stopped.wait_for(|s| *s).await;
            }
        };
        tokio::spawn(async move {
            stop.await;
            tracing::info!("stopping");
            stopping.send_replace(true);
        });
        let (directory, restored) = (config.data_dir.clone(), Mark::read(&config.data_dir)?.is_some());
        metrics::serve(config.metrics_listen, config.data_dir.clone()).await.map_err(RunError::Serve)?;
        let mut tasks = JoinSet::new();
        // Readers wait for the index, so it ends last: its own signal comes after the others have finished.
        let (index_stopping, index_stopped) = watch::channel(false);
        let index_signal = async move {
            let mut stopped = index_stopped;
            let _ = stopped.wait_for(|s| *s).await;
        };
        let indexing = tokio::spawn(indexer.run(index_signal));
        if restored {
            catch_up(&gateway, &erasure, &directory, signal()).await?;
        }
        tasks.spawn(Arc::clone(&gateway.relayer).keep_recording(config.batch, signal()));
        tasks.spawn(Arc::clone(&gateway.relayer).keep_syncing(config.relayer.sync_every(), signal()));
        let (forward, directory) = (gateway.forward.clone(), gateway.directory.clone());
        tasks.spawn(Arc::clone(&gateway.relayer).keep_claiming(forward, directory, signal()));
        tasks.spawn(gateway.directory.clone().keep_looking(signal()));
        tasks.spawn(gateway.proposals.clone().keep_looking(signal()));
        let (forward, index, store) = (gateway.forward.clone(), gateway.index.clone(), gateway.store.clone());
        tasks.spawn(sizes::keep_seeing(forward, index, store, signal()));
        tasks.spawn(erasure.keep_running(signal()));
        tasks.spawn(gateway.scrub.clone().keep_running(config.vault.scrub(), signal()));
        let store = gateway.store.clone();
        let router = http::router(gateway);
        if let Ok(address) = listener.local_addr() {
            tracing::info!(%address, "the gateway listens");
        }
        let bounds = Bounds { per_address: config.limits.connections_per_address, ..Bounds::default() };
        let late = signal();
        let served = tokio::select! {
            served = server::serve_on(listener, router, bounds, signal()) => served,
            () = async { late.await; tokio::time::sleep(GRACE).await } => {
                tracing::warn!("requests still ran after {} s and were cut off", GRACE.as_secs());
                Ok(())
            }
        };
        // What is cut off here is found on chain by the next start.
        let _ = tokio::time::timeout(GRACE, async { while tasks.join_next().await.is_some() {} }).await;
        index_stopping.send_replace(true);
        // A panic of the task is told by its own message.
        let _ = indexing.await;
        store.close().await;
        served.map_err(RunError::Serve)
    }
}

/// After a restore: follows the chain to its head and deletes what was erased since the backup, before anybody is served.
/// Told to stop, it leaves the rest to the next start.
async fn catch_up(
    gateway: &Gateway,
    erasure: &Erasure,
    data_dir: &Path,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    tokio::pin!(stop);
    loop {
        let done = match gateway.index.fresh().await {
            Ok(_) => erasure.run().await.map_err(|error| error.to_string()),
            Err(problem) => Err(problem.to_string()),
        };
        match done {
            Ok(blobs) => {
                tracing::info!(blobs, "caught up since the restore: what was erased meanwhile is deleted");
                Mark::remove(data_dir)?;
                return Ok(());
            }
            Err(error) => tracing::warn!(%error, "restored from a backup; nobody is served before the chain was read"),
        }
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Runs a gateway until SIGTERM or SIGINT.
///
/// # Errors
/// [`RunError`].
pub async fn run(config: Config) -> Result<(), RunError> {
    assemble(config).await?.run(server::stop_signal()).await
}

fn relayer_key(config: &Config) -> Result<PrivateKeySigner, RunError> {
    let mut rng = rand::rng();
    let secret = keyfile::load_or_create(&config.relayer.key_file, KeyKind::Signing, &mut rng)?;
    PrivateKeySigner::from_slice(&*secret).map_err(|_| RunError::BadKey)
}
