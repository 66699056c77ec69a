//! Configuration files, and how a service begins.

use nix::sys::stat::Mode;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Seldom;
use crate::logs::LogFormat;

/// Why a configuration file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The path of the file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// It is not understood.
    #[error("{}:{line}: {message}", path.display())]
    Refused {
        /// The path of the file at fault.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The key at fault and what is expected.
        message: String,
    },
}

/// Reads a TOML configuration; an unknown or wrong key is refused with file, line and key.
///
/// # Errors
/// Where the file cannot be read or is not understood.
pub fn load_config<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    parse_config(path, &text)
}

/// [`load_config`] on text that is there already; `path` is for the message.
///
/// # Errors
/// Where the text is not understood.
pub fn parse_config<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text[..start].matches('\n').count() + 1;
        let source = text.lines().nth(line - 1).unwrap_or_default().trim();
        let key = source.split('=').next().unwrap_or_default().trim();
        let message = format!("key `{key}`: {}", error.message());
        ConfigError::Refused { path: path.to_owned(), line, message }
    })
}

/// What a service does before anything else: what it writes is for its owner alone, and its log goes to standard error,
/// where one cause is warned of once a minute. `RUST_LOG` chooses what is logged, `info` by default.
pub fn begin(format: LogFormat) {
    private_files();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    // A second call in one process (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(lines.with_filter(Seldom::default())).with(filter).try_init();
}

/// From now on every file and folder that this process makes is for its owner alone, also those that a library makes.
pub fn private_files() {
    nix::sys::stat::umask(Mode::from_bits_truncate(0o077));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code)]
        listen: SocketAddr,
    }

    #[test]
    fn a_config_that_is_not_understood_names_file_line_and_key() {
        let text = "# a comment\nlisten = \"127.0.0.1:1\"\nlissten = 3\n";
        let error = parse_config::<Sample>(Path::new("gateway.toml"), text).unwrap_err().to_string();
        assert!(error.starts_with("gateway.toml:3: key `lissten`: unknown field"), "{error}");
        let error = parse_config::<Sample>(Path::new("gateway.toml"), "listen = 7\n").unwrap_err().to_string();
        assert!(error.starts_with("gateway.toml:1: key `listen`: "), "{error}");
    }
}
