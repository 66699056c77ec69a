//! What every duty of a steward shares: keys, store, its own view of the chain, and the ways to gateway and peers.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use alloy::primitives::Address;
use alloy::sol_types::Eip712Domain;
use rochdale_api::client::{Client, Identity};
use rochdale_api::route::{Call, Sealed};
use rochdale_api::{Problem, ProblemCode, auth};
use rochdale_chain::client::{Chain, ChainError, ChainOptions, Clock};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::events::{FollowError, FollowerOptions};
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use rochdale_core::ledger::Header;
use rochdale_crypto::SealingPublicKey;
use rochdale_node::backup::{self, BackupError, Mark};
use rochdale_node::callers::Looks;
pub use rochdale_node::mirror::Mirror;
use rochdale_node::mirror::Watch;
use rochdale_node::nonces::{Nonces, NoncesError};
use rochdale_node::peers::{PATIENCE, Peer, Peers};
use rochdale_node::sealed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, Notify};

use crate::config::Config;
use crate::denials::told::Passing;
use crate::falsified::Falsified;
use crate::keys::{self, Keys, KeysError};
use crate::resharing::progress::Progress;
use crate::seen::Seen;
use crate::store::{EventStore, Store, StoreError};

/// Who calls, as the chain knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The gateway that the chain names.
    Gateway,
    /// A steward in office.
    Steward(StewardId),
    /// A registered worker.
    Worker,
    /// A member.
    Member(MemberId),
    /// Nobody that the chain knows.
    Stranger,
}

/// What the jobs report of themselves.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What the current settlement lacks.
    pub waiting_for: Option<String>,
    /// Why the last sheet that was not signed here was not, and of which epoch it was. In words for everybody.
    pub refused: Option<(Epoch, String)>,
    /// What is wrong with the last round of jobs.
    pub problems: Vec<String>,
}

impl Report {
    /// What the settlement after `settled` waits for.
    #[must_use]
    pub fn waits_for(self, settled: Epoch) -> Option<String> {
        let refused = self.refused.filter(|(epoch, _)| *epoch > settled).map(|(_, why)| why);
        let all: Vec<String> = self.waiting_for.into_iter().chain(refused).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Why a steward does not start.
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
    Manifest(#[from] rochdale_chain::deploy::ManifestError),
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
    /// Only who holds a seat may object.
    #[error("[objection] key_file is of {other}, the steward is {steward}: only the key of the seat may object")]
    Objector {
        /// The key's address.
        other: Address,
        /// This steward's.
        steward: Address,
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

/// One steward.
pub struct Steward {
    /// The configuration that it was started with.
    pub config: Config,
    /// The cooperative that it serves, as it was deployed.
    pub manifest: Manifest,
    /// The keys that it signs and opens with.
    pub keys: Arc<Keys>,
    /// The database that it alone writes.
    pub store: Store,
    /// Its RPC.
    pub chain: Chain,
    /// One settlement is worked on at a time.
    pub settling: Mutex<()>,
    /// One debit is signed at a time: two that were checked side by side could overspend somebody.
    pub debiting: Mutex<()>,
    /// Held for reading while a share leaves, for writing while a withdrawal is taken: none leaves after it was.
    pub(crate) denying: tokio::sync::RwLock<()>,
    /// Whom we told of withdrawals.
    pub(crate) passing: Passing,
    /// Each share is dealt anew once.
    pub(crate) redealing: Mutex<()>,
    /// How far the resharing to the committee in office is.
    pub(crate) resharing: std::sync::Mutex<Progress>,
    /// When a new sealing key was last sent to the gateway.
    pub announced: std::sync::Mutex<Option<std::time::Instant>>,
    /// What this steward computes of the pending epoch where the proposal on chain is another.
    pub(crate) falsified: RwLock<Option<Arc<Falsified>>>,
    /// The finalized block that the last round of scoring saw.
    pub(crate) scored_through: AtomicU64,
    /// Rounds of settling since the start.
    pub(crate) rounds: AtomicU64,
    /// The proposal that was false when it was computed last, and the round in which it was so first.
    pub(crate) suspected: std::sync::Mutex<Option<(Header, u64)>>,
    pub(crate) watch: Watch<EventStore>,
    /// What the store was seen to hold of what the chain names.
    pub(crate) seen: std::sync::Mutex<Seen>,
    /// Told when something was sent here, which the next round may have been waiting for.
    pub(crate) stirred: Notify,
    report: RwLock<Report>,
    /// Asks the other stewards.
    pub peers: Peers,
    pub(crate) looks: Looks,
    /// The same for sessions: reading waits for no stranger's withdrawals, and no withdrawal for who floods sessions.
    pub(crate) session_looks: Looks,
    /// The same for withdrawals.
    pub(crate) denial_looks: Looks,
    pub(crate) nonces: Nonces,
    /// The mark of a restore, until everything is caught up ([`crate::restored`]).
    pub(crate) restored: std::sync::Mutex<Option<Mark>>,
    gateway: Client,
    pub(crate) domain: Eip712Domain,
}

impl Steward {
    /// Opens everything that the configuration names.
    ///
    /// # Errors
    /// With what is missing or does not fit.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Arc<Self>, StartError> {
        backup::clear(&config.data_dir)?;
        let store = Store::open(&config.data_dir).await?;
        let nonces = Nonces::open(&config.data_dir).await?;
        Self::with_store(config, store, nonces, clock).await
    }

    /// As [`Self::open`], but the database must exist and is only read.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_read_only(config: Config, clock: Arc<dyn Clock>) -> Result<Arc<Self>, StartError> {
        let store = Store::open_read_only(&config.data_dir).await?;
        // It serves nobody.
        let nonces = Nonces::in_memory().await?;
        Self::with_store(config, store, nonces, clock).await
    }

    async fn with_store(
        config: Config,
        store: Store,
        nonces: Nonces,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, StartError> {
        let manifest = Manifest::load(&config.manifest)?;
        if manifest.chain_id != config.chain_id {
            return Err(StartError::OtherChain { manifest: manifest.chain_id, configured: config.chain_id });
        }
        let keys = Arc::new(Keys::load(&config, &store).await?);
        let restored = Mark::read(&config.data_dir)?;
        let steward = keys.signer.address();
        if let Some(other) = keys::objector(&config)?.filter(|other| *other != steward) {
            return Err(StartError::Objector { other, steward });
        }
        let stale_after = Duration::from_secs(config.stale_after_s);
        let options = ChainOptions { stale_after, ..ChainOptions::new(config.chain_id) };
        let chain = Chain::connect_any(&config.rpc_url, &config.rpc_fallbacks, options, clock).await?;
        let url = |key: String| {
            move |e: rochdale_api::client::ClientError| StartError::Address { key, detail: e.to_string() }
        };
        let gateway = Client::new(&config.gateway_url).map_err(url("gateway_url".to_owned()))?;
        let domain = auth::domain(manifest.chain_id, manifest.addresses.steward_committee);
        let identity = Identity { key: keys.signer.clone(), domain: domain.clone() };
        let urls = config.peers.iter().map(|peer| (peer.steward, peer.url.as_str()));
        let peers = Peers::new(identity, urls).map_err(|(steward, error)| StartError::Address {
            key: format!("peers, steward {steward}"),
            detail: error.to_string(),
        })?;
        for former in &config.former {
            Client::new(&former.url).map_err(url(format!("former, steward {}", former.address)))?;
        }
        let options = FollowerOptions { accept_rollback: config.accept_rollback, ..FollowerOptions::default() };
        let watch = Watch::new(chain.clone(), &manifest, EventStore(store.clone()), options);
        Ok(Arc::new(Self {
            domain,
            config,
            manifest,
            keys,
            store,
            chain,
            settling: Mutex::default(),
            debiting: Mutex::default(),
            denying: tokio::sync::RwLock::default(),
            passing: Passing::default(),
            redealing: Mutex::default(),
            resharing: std::sync::Mutex::default(),
            announced: std::sync::Mutex::default(),
            falsified: RwLock::default(),
            scored_through: AtomicU64::default(),
            rounds: AtomicU64::default(),
            suspected: std::sync::Mutex::default(),
            watch,
            seen: std::sync::Mutex::default(),
            stirred: Notify::new(),
            report: RwLock::default(),
            peers,
            looks: Looks::default(),
            session_looks: Looks::default(),
            denial_looks: Looks::default(),
            nonces,
            restored: std::sync::Mutex::new(restored),
            gateway,
        }))
    }

    /// This steward's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.keys.signer.address()
    }

    /// Follows the chain to its head. What is decided after this is decided on the latest block.
    ///
    /// # Errors
    /// Where the RPC does not answer, lags, or serves another chain.
    pub async fn at_head(&self) -> Result<Arc<Mirror>, Problem> {
        self.watch.at_head().await.map_err(unfollowed)
    }

    /// The same for a request's guard, whose look its handler takes over.
    pub(crate) async fn for_guard(&self) -> Result<Arc<Mirror>, Problem> {
        self.watch.for_guard().await.map_err(unfollowed)
    }

    /// The chain as last seen.
    ///
    /// # Errors
    /// Before it was seen once.
    pub fn mirror(&self) -> Result<Arc<Mirror>, Problem> {
        self.watch
            .mirror()
            .ok_or_else(|| Problem::new(ProblemCode::ChainUnavailable, "the chain was not read yet: try again"))
    }

    /// How many events were read back from the store since the start: all of them once, and of blocks of long ago.
    #[must_use]
    pub fn read_back(&self) -> u64 {
        self.watch.folded().read_back()
    }

    /// Our seat.
    ///
    /// # Errors
    /// Where the committee does not seat this key.
    pub fn seat(&self, mirror: &Mirror) -> Result<StewardId, Problem> {
        mirror.latest.steward_id(self.address()).ok_or_else(|| {
            Problem::new(ProblemCode::Forbidden, format!("{} has no seat in the committee", self.address()))
                .hint("check key_file, or seat this key")
        })
    }

    /// Who `signer` is to the chain.
    #[must_use]
    pub fn caller(&self, mirror: &Mirror, signer: Address) -> Caller {
        let latest = &mirror.latest;
        if latest.gateway == Some(signer) {
            Caller::Gateway
        } else if let Some(seat) = latest.steward_id(signer) {
            Caller::Steward(seat)
        } else if latest.workers.contains_key(&signer) {
            Caller::Worker
        } else {
            latest.member_ids.get(&signer).map_or(Caller::Stranger, |member| Caller::Member(*member))
        }
    }

    /// The other stewards that are seated and have a URL: whom [`Self::peers`] asks.
    #[must_use]
    pub fn colleagues(&self, mirror: &Mirror) -> Vec<Peer> {
        self.peers.seated(mirror.latest.seats.iter().map(|seat| seat.signer))
    }

    /// [`Self::colleagues`] to be asked one after the other: those who answered last come first.
    #[must_use]
    pub fn peers(&self, mirror: &Mirror) -> Vec<(StewardId, Client)> {
        let mut peers: Vec<_> = self.colleagues(mirror).into_iter().map(|peer| (peer.steward, peer.client)).collect();
        peers.sort_by_key(|(steward, _)| self.peers.is_silent(*steward));
        peers
    }

    /// Posts to another steward, or to one that left office, what only it may read.
    ///
    /// # Errors
    /// What it answers, or that it does not.
    pub async fn post_sealed<Q: Serialize, A: DeserializeOwned>(
        &self,
        mirror: &Mirror,
        client: &Client,
        call: impl Into<Call<Sealed<Q>, A>>,
        body: &Q,
    ) -> Result<A, Problem> {
        let to = client.audience().unwrap_or_default();
        let office = mirror.latest.offices.get(&to);
        let office = office.ok_or_else(|| Problem::new(ProblemCode::NotFound, format!("{to} never was a steward")))?;
        let key = SealingPublicKey(office.sealing_key);
        Ok(sealed::post(client, key, call, body, mirror.now()).await?)
    }

    /// How many others make a quorum with us.
    #[must_use]
    pub fn others(&self, mirror: &Mirror) -> usize {
        usize::from(mirror.latest.quorum).saturating_sub(1)
    }

    /// Whoever may hold what this steward missed: its peers, and those who left office.
    #[must_use]
    pub fn sources(&self, mirror: &Mirror) -> Vec<(StewardId, Client)> {
        let identity = self.identity();
        let former = self.config.former.iter().filter_map(|former| {
            let office = mirror.latest.offices.get(&former.address)?;
            let client = Client::new(&former.url).ok()?.patient(PATIENCE);
            Some((office.seat, client.signing(identity.clone(), former.address)))
        });
        self.peers(mirror).into_iter().chain(former).collect()
    }

    /// Our seat, or the one that was ours: who left office still hands over.
    ///
    /// # Errors
    /// Where the committee never seated this key.
    pub fn office(&self, mirror: &Mirror) -> Result<StewardId, Problem> {
        let held = mirror.latest.offices.get(&self.address());
        held.map_or_else(|| self.seat(mirror), |office| Ok(office.seat))
    }

    /// A client of the gateway.
    #[must_use]
    pub fn gateway(&self, mirror: &Mirror) -> Client {
        let audience = mirror.latest.gateway.unwrap_or_default();
        self.gateway.clone().signing(self.identity(), audience)
    }

    /// How this steward signs requests and answers.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity { key: self.keys.signer.clone(), domain: self.domain.clone() }
    }

    /// What the jobs said last.
    #[must_use]
    pub fn report(&self) -> Report {
        self.report.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Notes what the jobs say.
    pub fn note(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.write().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// Refuses a duty that is stopped.
    ///
    /// # Errors
    /// With the reason.
    pub async fn refuse_if_halted(&self, duty: &str) -> Result<(), Problem> {
        match self.store.halted(duty).await? {
            None => Ok(()),
            Some(halt) => Err(Problem::new(ProblemCode::Halted, format!("{duty} is halted: {}", halt.reason))
                .hint("people have to find out which steward or worker broke the rules")),
        }
    }
}

fn unfollowed(error: FollowError<StoreError>) -> Problem {
    match error {
        FollowError::Store(error) => Problem::from(error),
        error => Problem::new(ProblemCode::ChainUnavailable, error.to_string()),
    }
}

/// The RPC's failure as a problem.
#[must_use]
pub fn chain_problem(error: ChainError) -> Problem {
    Problem::new(ProblemCode::ChainUnavailable, error.to_string())
}

/// A defect of ours as a problem.
#[must_use]
pub fn internal(error: impl ToString) -> Problem {
    Problem::new(ProblemCode::Internal, error.to_string())
}

/// A failed cryptographic check as a problem.
#[must_use]
pub fn broken(what: &str, error: impl ToString) -> Problem {
    Problem::new(ProblemCode::SealBroken, format!("{what}: {}", error.to_string()))
}

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Erased(_) => Self::new(ProblemCode::Erased, error.to_string()),
            other => internal(other),
        }
    }
}
