//! That what was deleted is gone from the files: the write-ahead log is emptied, and the files are searched.
//!
//! `secure_delete` overwrites what is deleted, and emptying the log takes it out of there. Neither is believed: a log that
//! another reader holds open is not emptied, and a page that was rebuilt may keep a copy of what moved. So the files are
//! searched for what was deleted; where something of it is found the database is written anew, without it, and searched
//! again.

use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use rochdale_node::raw;

use super::{Result, Store, StoreError, store};

/// Bytes that are looked for together.
const PIECE: usize = 32;
/// What is shorter than this is found by chance.
const SHORTEST: usize = 16;

impl Store {
    /// Moves the write-ahead log into the database and empties it.
    ///
    /// # Errors
    /// [`StoreError::Occupied`] where another connection holds it open.
    pub async fn checkpoint(&self) -> Result<()> {
        store::checkpoint(&self.pool).await
    }

    /// Makes sure that no file of the database holds any of `traces`, which were deleted.
    ///
    /// # Errors
    /// [`StoreError::Occupied`], [`StoreError::Traces`].
    pub async fn prove_gone(&self, traces: Vec<Vec<u8>>) -> Result<()> {
        self.checkpoint().await?;
        if self.find(traces.clone()).await?.is_none() {
            return Ok(());
        }
        self.rewrite().await?;
        match self.find(traces).await? {
            None => Ok(()),
            Some(path) => Err(StoreError::Traces { path }),
        }
    }

    /// Writes the database anew, with what it holds and nothing else.
    ///
    /// # Errors
    /// Where the database fails; [`StoreError::Occupied`].
    pub async fn rewrite(&self) -> Result<()> {
        self.checkpoint().await?;
        sqlx::query("VACUUM").execute(&self.pool).await?;
        self.checkpoint().await
    }

    async fn find(&self, traces: Vec<Vec<u8>>) -> Result<Option<PathBuf>> {
        let files = self.files();
        tokio::task::spawn_blocking(move || search(&files, &traces))
            .await
            .map_err(|error| StoreError::Search { detail: error.to_string() })?
    }

    /// The database and what SQLite keeps beside it.
    fn files(&self) -> Vec<PathBuf> {
        let beside = |suffix: &str| {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        vec![self.path.clone(), beside("-wal"), beside("-shm"), beside("-journal")]
    }
}

/// The first file that holds any of the traces.
fn search(files: &[PathBuf], traces: &[Vec<u8>]) -> Result<Option<PathBuf>> {
    // In pieces, so that what was overwritten in part is found by the rest.
    let traces: Vec<&[u8]> =
        traces.iter().flat_map(|trace| trace.chunks(PIECE)).filter(|piece| piece.len() >= SHORTEST).collect();
    if traces.is_empty() {
        return Ok(None);
    }
    let automaton = AhoCorasick::new(&traces).map_err(|error| StoreError::Search { detail: error.to_string() })?;
    for path in files {
        if holds(&automaton, path)? {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

fn holds(automaton: &AhoCorasick, path: &Path) -> Result<bool> {
    let failed = |error: std::io::Error| StoreError::Search { detail: format!("{}: {error}", path.display()) };
    let Some(file) = raw::read(path).map_err(failed)? else { return Ok(false) };
    automaton.stream_find_iter(file).next().transpose().map(|found| found.is_some()).map_err(failed)
}
