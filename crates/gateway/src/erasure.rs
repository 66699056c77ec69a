//! Deletes ciphertext: that of erased members, and what no package ever named. Erased members' ballots go too.

use rochdale_node::metrics;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError, cid};

/// Why something is still there.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk did not do as asked.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Deletes blobs; the file first, the row last, so that a crash between the two is made good by the next run.
#[derive(Clone, Debug)]
pub struct Erasure {
    store: Store,
    vault: Arc<Vault>,
    ttl: u64,
}

impl Erasure {
    /// Deletes unreferenced blobs after `ttl` seconds.
    #[must_use]
    pub fn new(store: Store, vault: Arc<Vault>, ttl: u64) -> Self {
        Self { store, vault, ttl }
    }

    /// Deletes the blobs and ballots of members whose erasure is on chain; returns the blobs' number.
    ///
    /// # Errors
    /// Where disk or store fails; what is left is deleted by the next run.
    pub async fn run(&self) -> Result<usize, ErasureError> {
        let blobs = self.store.blobs_to_erase().await?;
        for digest in &blobs {
            let _turn = self.vault.turn().await;
            self.vault.delete(cid(*digest)).await?;
            self.store.forget_blob(*digest).await?;
        }
        let ballots = self.store.forget_ballots().await?;
        if !blobs.is_empty() || ballots > 0 {
            tracing::info!(blobs = blobs.len(), ballots, "deleted the blobs and ballots of erased members");
        }
        Ok(blobs.len())
    }

    /// Deletes blobs that waited too long for a package, as of `now` (wall clock, seconds); returns their number.
    ///
    /// # Errors
    /// Where disk or store fails.
    pub async fn prune(&self, now: u64) -> Result<usize, ErasureError> {
        let mut pruned = 0;
        for digest in self.store.unreferenced_blobs(now.saturating_sub(self.ttl)).await? {
            // The row goes first here: a package that comes meanwhile is told that the blob is missing.
            if self.store.forget_unreferenced(digest).await? {
                self.vault.delete(cid(digest)).await?;
                pruned += 1;
            }
        }
        Ok(pruned)
    }

    /// Prunes, and repeats what an earlier run could not delete, until `stop` resolves.
    pub async fn keep_running(self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let every = Duration::from_secs((self.ttl / 4).clamp(1, 600));
        loop {
            match metrics::duty("prune", self.prune(wall_clock())).await {
                Ok(0) => {}
                Ok(blobs) => tracing::info!(blobs, "deleted blobs that no package named"),
                Err(error) => tracing::error!(%error, "unreferenced blobs could not be deleted, trying again"),
            }
            if let Err(error) = metrics::duty("erasure", self.run()).await {
                tracing::error!(%error, "blobs of erased members could not all be deleted, trying again");
            }
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }
}

/// Seconds of the machine's clock: for housekeeping alone, never for a decision of the protocol.
#[must_use]
pub fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
