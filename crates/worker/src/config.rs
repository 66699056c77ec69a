//! The configuration file: TOML, every key known, paths relative to the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rochdale_api::server::{ConfigError, load_config};
use rochdale_chain::deploy::{Manifest, ManifestError};
use rochdale_compute::release::Gate;
use rochdale_core::ids::StewardId;
use rochdale_crypto::backup::Subject;
use rochdale_node::backup::Service;
use serde::Deserialize;

/// What `docs/samples/worker.toml` shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its own RPC.
    pub rpc_url: String,
    /// Other RPCs of the same chain, asked in this order where the one before does not answer or its head stands still.
    #[serde(default)]
    pub rpc_fallbacks: Vec<String>,
    /// The chain that the RPC must serve.
    pub chain_id: u64,
    /// The deployment's manifest.
    pub manifest: PathBuf,
    /// Where `/metrics` is served; nowhere if absent.
    #[serde(default)]
    pub metrics_listen: Option<SocketAddr>,
    /// Where its database is.
    pub data_dir: PathBuf,
    /// Its secp256k1 key.
    pub key_file: PathBuf,
    /// Its X25519 key.
    pub sealing_key_file: PathBuf,
    /// The gateway: the vault's blobs, and the relay of receipts.
    pub gateway_url: String,
    /// Seconds after which an unchanged head is stale.
    #[serde(default = "default_stale_after_s")]
    pub stale_after_s: u64,
    /// Seconds for which an order waits until its debit is on chain and deep enough for the stewards.
    #[serde(default = "default_depth_wait_s")]
    pub depth_wait_s: u64,
    /// Seconds that a steward may take for one answer.
    #[serde(default = "default_patience_s")]
    pub patience_s: u64,
    /// What is not answered.
    #[serde(default)]
    pub privacy: Privacy,
    /// Opened records.
    #[serde(default)]
    pub records: Records,
    /// The copy of the vault.
    #[serde(default)]
    pub replica: Replica,
    /// The query engine.
    #[serde(default)]
    pub engine: Engine,
    /// Every seat of the committee.
    pub stewards: Vec<StewardConfig>,
}

/// The threshold below which nothing is released.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Privacy {
    /// Members that a cohort must seem to have, noise included.
    pub min_cohort: u64,
}

/// How opened records are treated.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Records {
    /// Seconds for which flattened rows stay in memory.
    pub cache_ttl_s: u64,
    /// How many bytes of flattened rows stay in memory at most; records beyond are opened anew for each query.
    pub cache_bytes: usize,
    /// Larger records count as empty.
    pub max_record_bytes: usize,
}

/// The worker's own copy of the vault.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replica {
    /// Bytes on the disk, at most; records beyond are left out of answers.
    pub max_bytes: u64,
    /// Seconds in which every record is looked at once.
    pub scrub_s: u64,
}

/// What the engine may use.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Engine {
    /// Partitions.
    pub threads: usize,
    /// Bytes for its operators.
    pub memory_bytes: usize,
    /// Orders whose records are open at once.
    pub orders: usize,
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

impl Default for Privacy {
    fn default() -> Self {
        let Gate { min_cohort } = Gate::default();
        Self { min_cohort }
    }
}

impl Default for Records {
    fn default() -> Self {
        Self { cache_ttl_s: 600, cache_bytes: 256 << 20, max_record_bytes: 256 << 20 }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self { threads: 2, memory_bytes: 1 << 30, orders: 2 }
    }
}

impl Default for Replica {
    fn default() -> Self {
        Self { max_bytes: 1 << 40, scrub_s: 86_400 }
    }
}

fn default_stale_after_s() -> u64 {
    60
}

fn default_depth_wait_s() -> u64 {
    300
}

fn default_patience_s() -> u64 {
    8
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// With file, line and key where it is not understood.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = load_config(path)?;
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        let files = [&mut config.manifest, &mut config.data_dir, &mut config.key_file, &mut config.sealing_key_file];
        for file in files {
            *file = base.join(&*file);
        }
        Ok(config)
    }

    /// What a backup holds.
    ///
    /// # Errors
    /// Where the manifest cannot be read.
    pub fn backed_up(&self) -> Result<Service, ManifestError> {
        let manifest = Manifest::load(&self.manifest)?;
        let (chain_id, registry) = (manifest.chain_id, manifest.addresses.contribution_registry);
        let subject = Subject { service: "worker".to_owned(), chain_id, registry };
        Ok(Service { subject, data_dir: self.data_dir.clone(), database: "worker.db" })
    }

    /// The threshold as compute takes it.
    #[must_use]
    pub fn gate(&self) -> Gate {
        Gate { min_cohort: self.privacy.min_cohort }
    }

    /// How long flattened rows stay in memory.
    #[must_use]
    pub fn cache_ttl(&self) -> Duration {
        Duration::from_secs(self.records.cache_ttl_s)
    }

    /// How long an order waits for its debit.
    #[must_use]
    pub fn depth_wait(&self) -> Duration {
        Duration::from_secs(self.depth_wait_s.max(1))
    }

    /// How long a steward may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_s.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_api::server::parse_config;

    const SAMPLE: &str = include_str!("../../../docs/samples/worker.toml");

    #[test]
    fn the_sample_is_understood_and_shows_the_defaults() {
        let full: Config = parse_config(Path::new("worker.toml"), SAMPLE).unwrap();
        let (required, rest) = SAMPLE.split_once("# What stands").unwrap();
        let short = format!("{required}\n{}", &rest[rest.find("[[stewards]]\n").unwrap()..]);
        let short: Config = parse_config(Path::new("worker.toml"), &short).unwrap();
        assert_eq!(format!("{full:?}"), format!("{short:?}"));
        assert_eq!(full.stewards.iter().map(|s| s.steward.0).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn an_unknown_key_is_refused_with_file_line_and_key() {
        let text = SAMPLE.replace("min_cohort", "min_cohart");
        let line = 1 + text.lines().position(|l| l.starts_with("min_cohart")).unwrap();
        let error = parse_config::<Config>(Path::new("worker.toml"), &text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("worker.toml:{line}: key `min_cohart`: unknown field")), "{error}");
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("worker.toml");
        std::fs::write(&path, SAMPLE).unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!(config.key_file, dir.path().join("signing.key"));
        assert_eq!(config.manifest, dir.path().join("../manifest.json"));
    }
}
