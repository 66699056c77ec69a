//! Deletes ciphertext: that of erased members, and what no package ever named. Erased members' ballots go too.

use rochdale_node::metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy::primitives::B256;
use tokio::sync::Notify;

use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError, cid};

/// How often files are looked for that no row names, such as a crash leaves.
const SWEEP: Duration = Duration::from_secs(86_400);

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

/// Deletes blobs; the file first, the row last, so that a crash between the two is made good by the next run. Clones are one.
#[derive(Clone, Debug)]
pub struct Erasure {
    store: Store,
    vault: Arc<Vault>,
    ttl: u64,
    wanted: Arc<Notify>,
    pending: Arc<AtomicUsize>,
}

impl Erasure {
    /// Deletes unreferenced blobs after `ttl` seconds.
    #[must_use]
    pub fn new(store: Store, vault: Arc<Vault>, ttl: u64) -> Self {
        Self { store, vault, ttl, wanted: Arc::default(), pending: Arc::default() }
    }

    /// Has it look at once for who erased; nobody waits for it.
    pub fn wake(&self) {
        self.wanted.notify_one();
    }

    /// What health says of ciphertext that could not be deleted.
    #[must_use]
    pub fn alarm(&self) -> Option<String> {
        let pending = self.pending.load(Ordering::SeqCst);
        (pending > 0).then(|| {
            format!("{pending} sealed records of members who had them erased cannot be deleted yet: look at the disk of the vault; it is tried again")
        })
    }

    /// Deletes the blobs and ballots of members whose erasure is on chain; returns the blobs' number.
    ///
    /// # Errors
    /// The first of those where disk or store fails; the others are deleted all the same, and what is left by the next run.
    pub async fn run(&self) -> Result<usize, ErasureError> {
        let blobs = self.store.blobs_to_erase().await?;
        let (mut deleted, mut failed) = (0, None);
        for digest in &blobs {
            match self.erase(*digest).await {
                Ok(()) => deleted += 1,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        self.pending.store(blobs.len() - deleted, Ordering::SeqCst);
        let ballots = self.store.forget_ballots().await?;
        if deleted > 0 || ballots > 0 {
            tracing::info!(blobs = deleted, ballots, "deleted the blobs and ballots of erased members");
        }
        failed.map_or(Ok(deleted), Err)
    }

    async fn erase(&self, digest: B256) -> Result<(), ErasureError> {
        let _turn = self.vault.turn().await;
        self.vault.delete(cid(digest)).await?;
        Ok(self.store.forget_blob(digest).await?)
    }

    /// Deletes blobs that waited too long for a package, as of `now` (wall clock, seconds); returns their number.
    ///
    /// # Errors
    /// Where disk or store fails.
    pub async fn prune(&self, now: u64) -> Result<usize, ErasureError> {
        let mut pruned = 0;
        for digest in self.store.unreferenced_blobs(now.saturating_sub(self.ttl)).await? {
            let _turn = self.vault.turn().await;
            // The row goes first here: a package that comes meanwhile is told that the blob is missing.
            if self.store.forget_unreferenced(digest).await? {
                self.vault.delete(cid(digest)).await?;
                pruned += 1;
            }
        }
        Ok(pruned)
    }

    /// Deletes files that no row names; returns their number.
    ///
    /// # Errors
    /// Where disk or store fails.
    pub async fn sweep(&self) -> Result<usize, ErasureError> {
        let mut swept = 0;
        for name in self.vault.names().await? {
            let _turn = self.vault.turn().await;
            if self.store.blob_bytes(B256::from(*name.sha256())).await?.is_none() {
                self.vault.delete(name).await?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Prunes and sweeps, and repeats what an earlier run could not delete, until `stop` resolves.
    pub async fn keep_running(self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let every = Duration::from_secs((self.ttl / 4).clamp(1, 600));
        let mut swept: Option<Instant> = None;
        loop {
            if swept.is_none_or(|at| at.elapsed() > SWEEP) {
                swept = Some(Instant::now());
                told("files that no package named", metrics::duty("sweep", self.sweep()).await);
            }
            told("blobs that no package named", metrics::duty("prune", self.prune(wall_clock())).await);
            if let Err(error) = metrics::duty("erasure", self.run()).await {
                tracing::error!(%error, "blobs of erased members could not all be deleted, trying again");
            }
            tokio::select! {
                () = &mut stop => return,
                () = self.wanted.notified() => {}
                () = tokio::time::sleep(every) => {}
            }
        }
    }
}

fn told(what: &str, done: Result<usize, ErasureError>) {
    match done {
        Ok(0) => {}
        Ok(number) => tracing::info!(number, "deleted {what}"),
        Err(error) => tracing::error!(%error, "{what} could not all be deleted, trying again"),
    }
}

/// Seconds of the machine's clock: for housekeeping alone, never for a decision of the protocol.
#[must_use]
pub fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
