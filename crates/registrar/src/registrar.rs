//! What the registrar holds while it runs: its key, its store, its own view of the chain, and the way to the gateway.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, U256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::Eip712Domain;
use rochdale_api::client::{Client, ClientError, Identity};
use rochdale_api::route::listed;
use rochdale_api::route::registrar::{Access, TABLE};
use rochdale_api::server::{Answer, Verifier};
use rochdale_api::status::StewardEntry;
use rochdale_api::{Problem, ProblemCode, auth};
use rochdale_chain::bindings::Membership;
use rochdale_chain::client::{Chain, ChainError, ChainOptions, Clock};
use rochdale_chain::deploy::{Manifest, ManifestError};
use rochdale_chain::events::{FollowerOptions, MemoryStore};
use rochdale_client::Site;
use rochdale_core::ids::StewardId;
use rochdale_crypto::keyfile::{self, KeyFileError, KeyKind};
use rochdale_node::backup::{self, BackupError, Mark};
use rochdale_node::callers::{Looks, admit};
use rochdale_node::mirror::{Mirror, Watch};
use rochdale_node::nonces::{Nonces, NoncesError};

use crate::config::Config;
use crate::guesses::Guesses;
use crate::problems;
use crate::store::{Store, StoreError};

/// How long the gateway may take to bring a row key to the stewards.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why the registrar does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key file holds no signing key.
    #[error("key_file: it holds no secp256k1 key")]
    BadKey,
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
    /// The gateway's address in the configuration.
    #[error("gateway_url: {0}")]
    Gateway(ClientError),
}

/// A registrar.
pub struct Registrar {
    /// The configuration that it was started with.
    pub config: Config,
    /// The cooperative that it serves, as it was deployed.
    pub manifest: Manifest,
    /// The database that it alone writes.
    pub store: Store,
    /// Its RPC.
    pub chain: Chain,
    pub(crate) key: PrivateKeySigner,
    pub(crate) guesses: Guesses,
    watch: Watch<MemoryStore>,
    looks: Looks,
    nonces: Nonces,
    gateway: Client,
    domain: Eip712Domain,
}

impl Registrar {
    /// Opens everything that the configuration names.
    ///
    /// # Errors
    /// With what is missing or does not fit.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Arc<Self>, StartError> {
        let manifest = Manifest::load(&config.manifest)?;
        if manifest.chain_id != config.chain_id {
            return Err(StartError::OtherChain { manifest: manifest.chain_id, configured: config.chain_id });
        }
        let secret = keyfile::load(&config.key_file, KeyKind::Signing)?;
        let key = PrivateKeySigner::from_slice(secret.as_slice()).map_err(|_| StartError::BadKey)?;
        backup::clear(&config.data_dir)?;
        let store = Store::open(&config.data_dir).await?;
        if Mark::read(&config.data_dir)?.is_some() {
            // An invitation that was used since the backup is refused by the contract: its nullifier is spent.
            tracing::info!("restored from a backup: invitations that were made since are unknown here");
            Mark::remove(&config.data_dir)?;
        }
        let nonces = Nonces::open(&config.data_dir).await?;
        let gateway = Client::new(&config.gateway_url).map_err(StartError::Gateway)?.patient(PATIENCE);
        let options = ChainOptions {
            stale_after: Duration::from_secs(config.stale_after_s),
            ..ChainOptions::new(config.chain_id)
        };
        let chain = Chain::connect_any(&config.rpc_url, &config.rpc_fallbacks, options, clock).await?;
        let watch = Watch::new(chain.clone(), &manifest, MemoryStore::default(), FollowerOptions::default());
        let domain = auth::domain(manifest.chain_id, manifest.addresses.steward_committee);
        let (guesses, looks) = (Guesses::default(), Looks::default());
        Ok(Arc::new(Self { config, manifest, store, chain, key, guesses, watch, looks, nonces, gateway, domain }))
    }

    /// The registrar's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// Follows the chain to its head. What is decided after this is decided on the latest block.
    ///
    /// # Errors
    /// Where the RPC does not answer, lags, or serves another chain.
    pub async fn at_head(&self) -> Result<Arc<Mirror>, Problem> {
        self.watch.at_head().await.map_err(problems::chain)
    }

    /// The chain as last seen, if it was.
    #[must_use]
    pub fn mirror(&self) -> Option<Arc<Mirror>> {
        self.watch.mirror()
    }

    /// Whether the chain names this key as the registrar.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn is_in_office(&self) -> Result<bool, Problem> {
        let named = self.chain.view(self.manifest.addresses.membership, &Membership::registrarCall {}).await;
        Ok(named.map_err(problems::chain)? == self.address())
    }

    /// The committee as the registrar's own RPC seats it.
    #[must_use]
    pub fn site(&self, mirror: &Mirror) -> Site {
        let entry = |(id, seat): (u8, &rochdale_chain::events::Seat)| StewardEntry {
            steward: StewardId(id),
            address: seat.signer,
            sealing_key: seat.sealing_key,
            url: String::new(),
            up: true,
        };
        let stewards = (1u8..).zip(&mirror.latest.seats).map(entry).collect();
        Site { contracts: self.manifest.contracts(), stewards, quorum: mirror.latest.quorum }
    }

    /// A client of the gateway that the chain names.
    pub(crate) fn gateway(&self, mirror: &Mirror) -> Client {
        self.gateway.clone().signing(self.identity(), mirror.latest.gateway.unwrap_or_default())
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity { key: self.key.clone(), domain: self.domain.clone() }
    }

    fn may(&self, mirror: Option<&Mirror>, signer: Address, access: Access) -> Result<(), Problem> {
        let (holds, wanted) = match access {
            Access::Anyone => (true, "anyone"),
            Access::Gateway => {
                (mirror.is_some_and(|mirror| mirror.latest.gateway == Some(signer)), "the gateway that the chain names")
            }
            Access::Office => (signer == self.address(), "the registrar, whose key alone makes invitations"),
        };
        if holds {
            return Ok(());
        }
        Err(Problem::new(ProblemCode::Forbidden, format!("{signer} is not {wanted}")))
    }
}

impl Verifier for Registrar {
    fn domain(&self) -> &Eip712Domain {
        &self.domain
    }

    fn audience(&self) -> Address {
        self.address()
    }

    fn now(&self) -> Answer<'_, u64> {
        Box::pin(async { Ok(self.watch.for_guard().await.map_err(problems::chain)?.now()) })
    }

    fn admit<'a>(&'a self, signer: Address, method: &'a str, path: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let route = listed(TABLE, method, path)
                .ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such path"))?;
            if route.access == Access::Office {
                return self.may(None, signer, route.access);
            }
            let may = |mirror: Arc<Mirror>| std::future::ready(self.may(Some(&mirror), signer, route.access));
            let fresh = async { self.watch.for_guard().await.map_err(problems::chain) };
            admit(&self.looks, self.mirror(), fresh, may).await
        })
    }

    fn use_nonce(&self, signer: Address, nonce: U256, deadline: u64, now: u64) -> Answer<'_, bool> {
        Box::pin(async move { Ok(self.nonces.use_once(signer, nonce, deadline, now).await?) })
    }
}
