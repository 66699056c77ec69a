//! What an appointed auditor is given: every settled epoch's inputs with the row keys that are here, from which it recomputes each root
//! without this steward's store. It holds what members earn: it goes to the auditor, sealed, and nowhere else.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy::primitives::B256;
use rochdale_api::Problem;
use rochdale_chain::client::{Clock, SystemClock};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{Global, Header, Transcript};

use crate::audit::{AuditError, Seen};
use crate::config::Config;
use crate::steward::Steward;

/// Why there is no transcript.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// Chain, files or store.
    #[error(transparent)]
    Open(#[from] AuditError),
    /// An epoch.
    #[error("{0}")]
    Epoch(Problem),
    /// A file cannot be read or written.
    #[error("{path}: {source}; name a file that does not exist yet")]
    File {
        /// The path of the directory or file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
}

impl From<Problem> for TranscriptError {
    fn from(problem: Problem) -> Self {
        Self::Epoch(problem)
    }
}

/// The transcript of what this steward has settled; its store is only read.
///
/// # Errors
/// Where chain or store cannot be read, or what an epoch was computed from is not here.
pub async fn transcript(config: Config) -> Result<Transcript, TranscriptError> {
    let clock = Arc::new(SystemClock::default()) as Arc<dyn Clock>;
    let steward = Steward::open_read_only(config, clock).await.map_err(AuditError::from)?;
    let seen = Seen::new(&steward).await?;
    let settled = steward.store.settled().await.map_err(AuditError::from)?;
    let mut epochs = Vec::new();
    for epoch in (1..=settled.0).map(Epoch) {
        epochs.push(settled_inputs(&steward, &seen, epoch).await?);
    }
    Ok(Transcript { depth: steward.manifest.tree_depth, row_keys: row_keys(&steward).await?, epochs })
}

async fn settled_inputs(
    steward: &Steward,
    seen: &Seen,
    epoch: Epoch,
) -> Result<rochdale_core::ledger::SettledInputs, TranscriptError> {
    let row = steward.store.epoch::<Header, Global>(epoch).await.map_err(AuditError::from)?;
    let header = row.map(|row| row.header).ok_or_else(|| {
        Problem::new(rochdale_api::ProblemCode::NotFound, format!("epoch {epoch} is missing in the store"))
    })?;
    let at_cut = seen.at_cut(steward, epoch).await?;
    let copy = steward.kept_copy(&header).await?;
    Ok(steward.settled_of(&at_cut, &header, &copy)?)
}

async fn row_keys(steward: &Steward) -> Result<BTreeMap<MemberId, B256>, TranscriptError> {
    let wrapped = steward.store.row_keys().await.map_err(AuditError::from)?;
    let keys = steward.keys.unwrap_row_keys(&wrapped).map_err(Problem::from)?;
    let by_id = keys.iter().zip(0..).filter_map(|(key, id)| Some((MemberId(id), B256::new(*key.as_ref()?.expose()))));
    Ok(by_id.collect())
}

/// Writes it to a new file that only its owner reads.
///
/// # Errors
/// Where the file exists or cannot be written.
pub fn write(path: &Path, transcript: &Transcript) -> Result<(), TranscriptError> {
    let failed = |source| TranscriptError::File { path: path.to_owned(), source };
    let json = serde_json::to_vec(transcript).map_err(|error| failed(error.into()))?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(&json).map_err(failed)
}
