//! What keeps a local chain from going on.

use std::path::PathBuf;

use super::dump::DumpError;
use super::rpc::RpcError;
use crate::local::LocalError;

/// Why the local chain does not go on.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// Anvil did not start.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// Anvil did not answer.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// A file.
    #[error("{path}: {source}; the local chain is kept there, so make it writable and start again")]
    File {
        /// The path of the directory or file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// A dump of the running chain.
    #[error("the local chain cannot be kept: its dump is not whole: {0}")]
    Dump(#[from] DumpError),
    /// No dump can be read.
    #[error(
        "no dump of the local chain in {directory} can be read ({detail}): put a copy of that directory back, or found a new cooperative with another --state"
    )]
    Unreadable {
        /// The directory of the chain.
        directory: PathBuf,
        /// Each with its reason.
        detail: String,
    },
    /// Anvil has ended.
    #[error("the local chain has ended and is started again; ask again in a moment")]
    Down,
}
