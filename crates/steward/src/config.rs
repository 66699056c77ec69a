//! The configuration file: TOML, every key known, paths relative to the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy::primitives::Address;
use rochdale_api::server::{ConfigError, load_config};
use rochdale_chain::deploy::{Manifest, ManifestError};
use rochdale_core::ids::StewardId;
use rochdale_crypto::backup::Subject;
use rochdale_node::backup::Service;
use serde::Deserialize;

/// What one steward is told.
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
    /// Where its database is.
    pub data_dir: PathBuf,
    /// Its secp256k1 key.
    pub key_file: PathBuf,
    /// Its X25519 key.
    pub sealing_key_file: PathBuf,
    /// What wraps members' keys; `master.key` in the data directory where absent.
    #[serde(default)]
    pub master_key_file: Option<PathBuf>,
    /// The committee's shared key.
    pub committee_key_file: PathBuf,
    /// The gateway: the vault's blobs, and the relay of proposals.
    pub gateway_url: String,
    /// Milliseconds between two looks at the chain.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: u64,
    /// Seconds after which an unchanged head is stale.
    #[serde(default = "default_stale_after_s")]
    pub stale_after_s: u64,
    /// A person's word that final blocks after this one may be gone from the chain; see `docs/how-to/operate.md`.
    #[serde(default)]
    pub accept_rollback: Option<u64>,
    /// The other stewards.
    #[serde(default)]
    pub peers: Vec<Peer>,
    /// Stewards that left office and still hand over what they hold.
    #[serde(default)]
    pub former: Vec<Former>,
    /// Each person's privacy budget.
    pub budget: Budget,
    /// Settlement.
    #[serde(default)]
    pub settlement: Settlement,
    /// Objecting to a false root by itself; where absent, the health page names the command.
    #[serde(default)]
    pub objection: Option<Objection>,
    /// Scoring.
    #[serde(default)]
    pub scoring: Scoring,
    /// Sealing keys.
    #[serde(default)]
    pub sealing: Sealing,
    /// How long what describes members is kept.
    #[serde(default)]
    pub retention: Retention,
}

/// The account from which a steward objects by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objection {
    /// Its key, which must be that of the seat: nobody else may object. It needs ether, and the objection's bond.
    pub key_file: PathBuf,
    /// What the gas of one objection may cost, in wei.
    pub max_wei: u64,
}

/// Another steward.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// The steward's seat, from 1.
    pub steward: StewardId,
    /// Its base URL.
    pub url: String,
}

/// A steward that left office.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Former {
    /// Its signing address.
    pub address: Address,
    /// Its base URL.
    pub url: String,
}

/// Each person's privacy budget, in nano-zCDP: the same at every steward, or their snapshots differ.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// For life.
    pub lifetime: u64,
    /// What becomes available with each year of membership that begins.
    pub per_year: u64,
    /// Blocks on top of a debit's before shares are released for it.
    #[serde(default = "default_depth")]
    pub depth: u64,
}

/// How this steward takes part in settlements.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// Whether it proposes when it is its turn.
    #[serde(default = "yes")]
    pub propose: bool,
}

/// How this steward scores.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scoring {
    /// Larger blobs are deferred.
    #[serde(default = "default_max_blob_bytes")]
    pub max_blob_bytes: u64,
}

/// How long a sealing key that was replaced still opens. Seconds of block time.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealing {
    /// What is on its way when the next key comes into force has this long to arrive.
    #[serde(default = "default_overlap_s")]
    pub overlap_s: u64,
}

/// How long what describes members is kept where nobody has it erased, in epochs after it was settled beyond dispute.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Signed scores and the reasons of our own.
    #[serde(default = "half_a_year")]
    pub scores: u32,
    /// The log of openings that members read.
    #[serde(default = "a_year")]
    pub openings: u32,
    /// Who was in which snapshot, and the blinders: then debits are added up by member.
    #[serde(default = "half_a_year")]
    pub snapshots: u32,
    /// In which of the added up debits a member was, for the member to read.
    #[serde(default = "a_year")]
    pub uses: u32,
    /// Sheets as they were sealed and as they were opened, and awards as they were signed. What epochs are computed from again is kept
    /// longer, without signatures.
    #[serde(default = "a_month")]
    pub sheets: u32,
}

impl Default for Retention {
    fn default() -> Self {
        let (snapshots, uses, sheets) = (half_a_year(), a_year(), a_month());
        Self { scores: half_a_year(), openings: a_year(), snapshots, uses, sheets }
    }
}

impl Default for Sealing {
    fn default() -> Self {
        Self { overlap_s: default_overlap_s() }
    }
}

impl Default for Settlement {
    fn default() -> Self {
        Self { propose: yes() }
    }
}

impl Default for Scoring {
    fn default() -> Self {
        Self { max_blob_bytes: default_max_blob_bytes() }
    }
}

fn a_month() -> u32 {
    4
}

fn half_a_year() -> u32 {
    26
}

fn a_year() -> u32 {
    52
}

fn default_overlap_s() -> u64 {
    24 * 3_600
}

fn yes() -> bool {
    true
}

fn default_poll_ms() -> u64 {
    500
}

fn default_stale_after_s() -> u64 {
    60
}

fn default_depth() -> u64 {
    3
}

fn default_max_blob_bytes() -> u64 {
    256 << 20
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// With file, line and key where it is not understood.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = load_config(path)?;
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        let files = [
            &mut config.manifest,
            &mut config.data_dir,
            &mut config.key_file,
            &mut config.sealing_key_file,
            &mut config.committee_key_file,
        ];
        let objection = config.objection.as_mut().map(|objection| &mut objection.key_file);
        for file in files.into_iter().chain(config.master_key_file.as_mut()).chain(objection) {
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
        let subject = Subject { service: "steward".to_owned(), chain_id, registry };
        Ok(Service { subject, data_dir: self.data_dir.clone(), database: "steward.db" })
    }

    /// The master key's file.
    #[must_use]
    pub fn master_key_file(&self) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| self.data_dir.join("master.key"))
    }

    /// Between two looks at the chain.
    #[must_use]
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms.max(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_api::server::parse_config;

    const SAMPLE: &str = include_str!("../../../docs/samples/steward.toml");

    #[test]
    fn the_sample_is_understood() {
        let config: Config = parse_config(Path::new("steward.toml"), SAMPLE).unwrap();
        assert_eq!((config.budget.lifetime, config.budget.per_year), (1_000_000_000, 250_000_000));
        assert_eq!(config.peers.iter().map(|p| p.steward.0).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn an_unknown_key_is_refused_with_file_line_and_key() {
        let text = SAMPLE.replace("propose = true", "purpose = true");
        let line = 1 + text.lines().position(|l| l.starts_with("purpose")).unwrap();
        let error = parse_config::<Config>(Path::new("steward.toml"), &text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("steward.toml:{line}: key `purpose`: unknown field")), "{error}");
    }
}
