//! The configuration file. A key that is not understood is refused with file, line and key.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy::primitives::Address;
use rochdale_api::server;
use rochdale_api::status::CodeOf;
use rochdale_chain::client::LOCAL_CHAIN_ID;
use rochdale_chain::deploy::{Manifest, ManifestError};
use rochdale_core::ids::{DatasetId, StewardId};
use rochdale_crypto::backup::Subject;
use rochdale_node::backup::Service;
use serde::Deserialize;

pub use rochdale_api::server::ConfigError;

/// Most contributions in one transaction: what the contract's gas allows with room to spare.
pub const MAX_BATCH: usize = 100;

/// What `docs/samples/gateway.toml` shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the API is served.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Where `/metrics` is served; nowhere if absent.
    #[serde(default)]
    pub metrics_listen: Option<SocketAddr>,
    /// The RPC of the chain.
    pub rpc_url: String,
    /// Other RPCs of the same chain, asked in this order where the one before does not answer or its head stands still.
    #[serde(default)]
    pub rpc_fallbacks: Vec<String>,
    /// The chain's id.
    pub chain_id: u64,
    /// The deployment manifest.
    pub manifest: PathBuf,
    /// Store and vault.
    pub data_dir: PathBuf,
    /// The web app's folder; without one, `/` shows the main figures and nothing else.
    #[serde(default)]
    pub web: Option<PathBuf>,
    /// The file of what `/v1/welcome` answers, which `rochdale up` writes; on a local chain alone.
    #[serde(skip)]
    pub welcome: Option<PathBuf>,
    /// Base URL of the registrar that admits who was invited; nobody is admitted so where there is none.
    #[serde(default)]
    pub registrar: Option<String>,
    /// The account that pays, and how it sends.
    pub relayer: RelayerConfig,
    /// Every seat of the committee.
    pub stewards: Vec<StewardConfig>,
    /// The worker that answers queries.
    pub worker: WorkerConfig,
    /// Limits.
    #[serde(default)]
    pub limits: Limits,
    /// Copies of sealed records.
    #[serde(default)]
    pub vault: VaultConfig,
    /// Batching of contributions.
    #[serde(default)]
    pub batch: BatchConfig,
    /// Claims that the cooperative pays gas for.
    #[serde(default)]
    pub claims: ClaimsConfig,
    /// Everything else that members ask for and the cooperative pays gas for.
    #[serde(default)]
    pub gas: GasConfig,
    /// Following the chain.
    #[serde(default)]
    pub indexer: IndexerConfig,
    /// Codes that are said to occur in datasets.
    #[serde(default)]
    pub codes: Vec<CodeConfig>,
}

/// A code that researchers may ask about, as the cooperative publishes it: nothing is read from records.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeConfig {
    /// The dataset, by its number in the catalog.
    pub dataset: DatasetId,
    /// Whether it is an `observation` or a `condition`.
    pub of: CodeOf,
    /// The code system's URI.
    pub system: String,
    /// The code in it.
    pub code: String,
    /// What it means.
    pub name: String,
}

/// The account that pays for members' transactions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayerConfig {
    /// secp256k1 key file.
    pub key_file: PathBuf,
    /// Milliseconds between two looks for members whose GOV votes from now on.
    #[serde(default = "default_sync")]
    pub sync_ms: u64,
}

impl RelayerConfig {
    /// The pause between two looks, at least a millisecond.
    #[must_use]
    pub fn sync_every(&self) -> Duration {
        Duration::from_millis(self.sync_ms.max(1))
    }
}

/// A steward's address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StewardConfig {
    /// Seat, from 1.
    pub steward: StewardId,
    /// Base URL.
    pub url: String,
}

/// The worker's address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
    /// Its account, registered on chain.
    pub address: Address,
    /// Base URL.
    pub url: String,
}

/// What one caller may take.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest sealed record in bytes.
    pub max_blob_bytes: u64,
    /// How long a blob waits for its package, in seconds.
    pub unreferenced_ttl_seconds: u64,
    /// Writes per member or admission and minute.
    pub writes_per_minute: u32,
    /// Applications with an invitation that one address (an IPv6 /64) may send in an hour, right or wrong.
    pub applications_per_hour: u32,
    /// Questions to the chain that one address (an IPv6 /64) may have the gateway ask in a minute.
    pub chain_reads_per_minute: u32,
    /// Most bytes that one address uploads in `unreferenced_ttl_seconds`.
    pub upload_bytes_per_address: u64,
    /// Uploads of one address that run at a time.
    pub uploads_per_address: u32,
    /// Most bytes of all blobs that wait for their package.
    pub unreferenced_bytes: u64,
    /// Connections of one address. Behind a reverse proxy everybody has the proxy's: limit there, and raise this.
    pub connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_blob_bytes: 64 << 20,
            unreferenced_ttl_seconds: 3_600,
            writes_per_minute: 60,
            applications_per_hour: 60,
            chain_reads_per_minute: 600,
            upload_bytes_per_address: 2 << 30,
            uploads_per_address: 16,
            unreferenced_bytes: 16 << 30,
            connections_per_address: 256,
        }
    }
}

/// How sealed records outlive a disk.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VaultConfig {
    /// Seconds in which every record is looked at once, or longer where the disk would be kept busy.
    pub scrub_s: u64,
}

impl Default for VaultConfig {
    fn default() -> Self {
        Self { scrub_s: 86_400 }
    }
}

impl VaultConfig {
    /// The time in which every record is looked at once.
    #[must_use]
    pub fn scrub(&self) -> Duration {
        Duration::from_secs(self.scrub_s.max(1))
    }
}

/// When contributions are sent.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchConfig {
    /// Contributions in one transaction.
    pub size: usize,
    /// Milliseconds without a new contribution after which a batch is sent.
    pub idle_ms: u64,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self { size: MAX_BATCH, idle_ms: 150 }
    }
}

impl BatchConfig {
    /// Contributions in one transaction: 1 to [`MAX_BATCH`].
    #[must_use]
    pub fn size(&self) -> usize {
        self.size.clamp(1, MAX_BATCH)
    }

    /// The pause after which a batch is sent.
    #[must_use]
    pub fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }
}

/// What claims the cooperative pays gas for. Whoever pays own gas is free of all of it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimsConfig {
    /// Micro-USDC that must be due where neither DATA nor GOV is.
    pub min_due: u64,
    /// Milliseconds between two batches.
    pub every_ms: u64,
    /// Requests of one address (an IPv6 /64) in an hour that led to a transaction.
    pub per_address_per_hour: u32,
    /// The same of one network: an IPv4 /24 or an IPv6 /48.
    pub per_network_per_hour: u32,
    /// Gas that claims may cost in a day.
    pub gas_per_day: u64,
    /// Whether callers come through a proxy of ours, which names each as the last one in `x-forwarded-for`.
    pub behind_proxy: bool,
}

impl Default for ClaimsConfig {
    fn default() -> Self {
        Self {
            min_due: 1_000_000,
            every_ms: 30_000,
            per_address_per_hour: 20,
            per_network_per_hour: 200,
            gas_per_day: 200_000_000,
            behind_proxy: false,
        }
    }
}

impl ClaimsConfig {
    /// The pause between two batches.
    #[must_use]
    pub fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }
}

/// What members' requests may cost beside claims: admissions, consents, contributions, accounts, payout addresses, demands, contests. What
/// stewards and workers send is counted in neither, and never refused for it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GasConfig {
    /// Gas of one member's requests in a day.
    pub per_member_per_day: u64,
    /// Gas of all members' requests in a day.
    pub members_per_day: u64,
}

impl Default for GasConfig {
    fn default() -> Self {
        Self { per_member_per_day: 5_000_000, members_per_day: 500_000_000 }
    }
}

/// How the chain is followed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexerConfig {
    /// Milliseconds between two looks.
    pub poll_ms: u64,
    /// Seconds after which an unchanged head is stale.
    pub stale_after_s: u64,
    /// A person's word that final blocks after this one may be gone from the chain; see `docs/how-to/operate.md`.
    pub accept_rollback: Option<u64>,
}

impl Default for IndexerConfig {
    fn default() -> Self {
        Self { poll_ms: 250, stale_after_s: 60, accept_rollback: None }
    }
}

impl Config {
    /// Reads the file. Relative paths in it are taken from the file's own directory.
    ///
    /// # Errors
    /// Where the file cannot be read or is not understood.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = server::load_config(path)?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let web = config.web.as_mut();
        for named in [&mut config.manifest, &mut config.data_dir, &mut config.relayer.key_file].into_iter().chain(web) {
            *named = directory.join(&*named);
        }
        Ok(config)
    }

    /// The file of what somebody can try the cooperative with. It holds a key that anybody may have, and so counts on a local chain alone.
    #[must_use]
    pub fn welcome(&self) -> Option<&Path> {
        self.welcome.as_deref().filter(|_| self.chain_id == LOCAL_CHAIN_ID)
    }

    /// What a backup holds.
    ///
    /// # Errors
    /// Where the manifest cannot be read.
    pub fn backed_up(&self) -> Result<Service, ManifestError> {
        let manifest = Manifest::load(&self.manifest)?;
        let (chain_id, registry) = (manifest.chain_id, manifest.addresses.contribution_registry);
        let subject = Subject { service: "gateway".to_owned(), chain_id, registry };
        Ok(Service { subject, data_dir: self.data_dir.clone(), database: "gateway.db" })
    }
}

const fn default_sync() -> u64 {
    60_000
}

fn default_listen() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 8400).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (PathBuf, String) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/samples/gateway.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    }

    #[test]
    fn a_test_researchers_key_is_shown_on_a_local_chain_alone() {
        let (path, text) = sample();
        for (chain_id, shown) in [(LOCAL_CHAIN_ID, true), (1, false), (8_453, false)] {
            let mut config: Config = server::parse_config(&path, &text).unwrap();
            (config.chain_id, config.welcome) = (chain_id, Some("welcome.json".into()));
            assert_eq!(config.welcome().is_some(), shown, "{chain_id}");
        }
    }

    #[test]
    fn the_sample_is_understood_and_shows_the_defaults() {
        let (path, text) = sample();
        let config = Config::load(&path).unwrap();
        assert_eq!(config.listen, default_listen());
        assert_eq!(config.stewards.len(), 3);
        assert_eq!(config.limits.max_blob_bytes, Limits::default().max_blob_bytes);
        assert_eq!(config.limits.applications_per_hour, Limits::default().applications_per_hour);
        assert_eq!(config.batch.size(), BatchConfig::default().size());
        assert_eq!(config.vault.scrub(), VaultConfig::default().scrub());
        assert_eq!(config.relayer.sync_ms, default_sync());
        assert_eq!(config.claims.gas_per_day, ClaimsConfig::default().gas_per_day);
        assert_eq!(config.claims.every(), ClaimsConfig::default().every());
        assert_eq!((config.codes.len(), config.codes[0].of), (1, CodeOf::Observation));
        let short: String = text
            .split("[limits]")
            .next()
            .unwrap()
            .lines()
            .filter(|l| !l.starts_with("listen"))
            .fold(String::new(), |all, l| all + l + "\n");
        let config: Config = server::parse_config(&path, &short).unwrap();
        assert_eq!(config.listen, default_listen());
        assert_eq!(config.indexer.poll_ms, 250);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let (_, text) = sample();
        let text = text.replace("max_blob_bytes", "max_blob");
        let line = text.lines().position(|l| l.starts_with("max_blob")).unwrap() + 1;
        let error = server::parse_config::<Config>(Path::new("g.toml"), &text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("g.toml:{line}: key `max_blob`: unknown field")), "{error}");
    }
}
