//! The configuration file: TOML, every key known, paths relative to the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rochdale_api::server::{ConfigError, load_config};
use rochdale_chain::deploy::{Manifest, ManifestError};
use rochdale_crypto::backup::Subject;
use rochdale_node::backup::Service;
use serde::Deserialize;

/// What `docs/samples/registrar.toml` shows.
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
    /// The registrar's secp256k1 key.
    pub key_file: PathBuf,
    /// The gateway, which brings row keys to the stewards.
    pub gateway_url: String,
    /// Seconds after which an unchanged head is stale.
    #[serde(default = "default_stale_after_s")]
    pub stale_after_s: u64,
}

fn default_stale_after_s() -> u64 {
    60
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// With file, line and key where it is not understood.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = load_config(path)?;
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        for file in [&mut config.manifest, &mut config.data_dir, &mut config.key_file] {
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
        let subject = Subject { service: "registrar".to_owned(), chain_id, registry };
        Ok(Service { subject, data_dir: self.data_dir.clone(), database: "registrar.db" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_api::server::parse_config;

    const SAMPLE: &str = include_str!("../../../docs/samples/registrar.toml");

    #[test]
    fn the_sample_is_understood_and_shows_the_defaults() {
        let full: Config = parse_config(Path::new("registrar.toml"), SAMPLE).unwrap();
        let (required, _) = SAMPLE.split_once("# What stands").unwrap();
        let short: Config = parse_config(Path::new("registrar.toml"), required).unwrap();
        assert_eq!(format!("{full:?}"), format!("{short:?}"));
    }

    #[test]
    fn paths_are_relative_to_the_file_and_an_unknown_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("registrar.toml");
        std::fs::write(&path, SAMPLE).unwrap();
        assert_eq!(Config::load(&path).unwrap().key_file, dir.path().join("registrar.key"));
        let text = SAMPLE.replace("stale_after_s", "stale_after");
        let error = parse_config::<Config>(Path::new("r.toml"), &text).unwrap_err().to_string();
        assert!(error.contains("key `stale_after`: unknown field"), "{error}");
    }
}
