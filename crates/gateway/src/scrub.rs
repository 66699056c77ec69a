//! Sealed records are looked at again, one after the other, so that what a disk loses is noticed while another copy still has it: the
//! vault's second folder, where there is one, and the worker's replica. What no copy has is said in health until it is there again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rochdale_api::client::ClientError;
use rochdale_api::contribution::VaultEntry;
use rochdale_api::route::worker;
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::ContributionId;
use rochdale_crypto::Cid;
use rochdale_node::metrics;

use crate::directory::Directory;
use crate::indexer::Index;
use crate::store::{Store, StoreError};
use crate::vault::{Place, Vault, VaultError, cid};

/// The longest pause between two turns.
const PAUSE: Duration = Duration::from_secs(60);
/// Records that health names.
const NAMED: usize = 5;

/// Why a record was not looked at.
#[derive(Debug, thiserror::Error)]
pub enum ScrubError {
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk did not do as asked.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// What a turn found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Records that were looked at.
    pub looked: u64,
    /// Of them, those that were damaged or gone in one place and are whole again.
    pub mended: u64,
    /// Those that no copy has.
    pub lost: u64,
}

/// Looks at the vault's records in turn. Clones share where they are.
#[derive(Clone)]
pub struct Scrub {
    store: Store,
    vault: Arc<Vault>,
    directory: Directory,
    index: Index,
    after: Arc<AtomicU64>,
    lost: Arc<Mutex<BTreeSet<ContributionId>>>,
}

impl Scrub {
    /// Begins at a random record: a process that is often started anew comes to all of them.
    #[must_use]
    pub fn new(store: Store, vault: Arc<Vault>, directory: Directory, index: Index) -> Self {
        let after = Arc::new(AtomicU64::new(u64::from(rand::random::<u32>())));
        Self { store, vault, directory, index, after, lost: Arc::default() }
    }

    /// Looks at the next `many` recorded blobs, from the first one on again after the last.
    ///
    /// # Errors
    /// Where database or disk fails; what was mended stays.
    pub async fn turn(&self, many: u32) -> Result<Turn, ScrubError> {
        self.forget_erased().await?;
        let mut turn = Turn::default();
        let after = ContributionId(self.after.load(Ordering::SeqCst));
        let mut blobs = self.store.recorded_blobs(after, many).await?;
        if blobs.is_empty() {
            blobs = self.store.recorded_blobs(ContributionId(0), many).await?;
        }
        for entry in blobs {
            turn.looked += 1;
            match self.look_at(&entry).await? {
                State::Whole => {}
                State::Mended => turn.mended += 1,
                State::Lost => turn.lost += 1,
            }
            self.after.store(entry.contribution_id.0, Ordering::SeqCst);
        }
        Ok(turn)
    }

    /// What was lost and then erased is missed by nobody.
    async fn forget_erased(&self) -> Result<(), ScrubError> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for id in lost {
            let before = ContributionId(id.0.saturating_sub(1));
            let found = self.store.recorded_blobs(before, 1).await?;
            if found.first().map(|entry| entry.contribution_id) != Some(id) {
                self.lost.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            }
        }
        Ok(())
    }

    async fn look_at(&self, entry: &VaultEntry) -> Result<State, ScrubError> {
        let (id, cid) = (entry.contribution_id, cid(entry.blob_digest));
        let (mut whole, mut bad) = (Vec::new(), Vec::new());
        for place in self.vault.places() {
            let list = if self.vault.is_whole(place, cid).await? { &mut whole } else { &mut bad };
            list.push(place);
        }
        let state = if bad.is_empty() { State::Whole } else { self.mend(entry, &whole, &bad).await? };
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match state {
            State::Lost => lost.insert(id),
            State::Whole | State::Mended => lost.remove(&id),
        };
        Ok(state)
    }

    async fn mend(&self, entry: &VaultEntry, whole: &[Place], bad: &[Place]) -> Result<State, ScrubError> {
        let (id, cid) = (entry.contribution_id, cid(entry.blob_digest));
        let found = match whole.first() {
            Some(place) => self.vault.read(*place, cid).await?,
            None => self.from_worker(cid).await,
        };
        // Whoever erases waits: what is gone by then must not come back.
        let _turn = self.vault.turn().await;
        if self.store.blob_bytes(entry.blob_digest).await?.is_none() {
            return Ok(State::Whole);
        }
        let Some(bytes) = found.filter(|bytes| Cid::of(bytes) == cid) else {
            tracing::error!(contribution = %id, %cid, "a sealed record is damaged or gone, and no copy of it was found");
            return Ok(State::Lost);
        };
        for place in bad {
            self.vault.restore(*place, cid, &bytes).await?;
        }
        if whole.first() == self.vault.places().next().as_ref() {
            tracing::info!(contribution = %id, %cid, "a sealed record was copied to the second folder");
        } else {
            tracing::warn!(contribution = %id, %cid, "a sealed record was damaged or gone and is whole again, from another copy");
        }
        Ok(State::Mended)
    }

    async fn from_worker(&self, cid: Cid) -> Option<Vec<u8>> {
        let asked = async {
            let now = self.index.fresh_head().await?.latest.timestamp;
            let fetched = self.directory.worker().get_bytes_signed(worker::BLOB.at(cid), now).await;
            fetched.map_err(|error: ClientError| Problem::new(ProblemCode::PeerUnavailable, error.to_string()))
        };
        match asked.await {
            Ok(bytes) => Some(bytes),
            Err(problem) => {
                tracing::warn!(%cid, %problem, "the worker gives no copy of a sealed record");
                None
            }
        }
    }

    /// What health says of records that no copy has.
    #[must_use]
    pub fn alarm(&self) -> Option<String> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let named: Vec<String> = lost.iter().take(NAMED).map(ToString::to_string).collect();
        let more = lost.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!lost.is_empty()).then(|| {
            format!(
                "sealed records are damaged and no copy has them: of contributions {}{more}; look at the disk, and restore a backup beside the vault",
                named.join(", ")
            )
        })
    }

    /// Looks at every record once in `pass`, a few at a time, until `stop` resolves.
    pub async fn keep_running(self, pass: Duration, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let pause = (pass / 2).clamp(Duration::from_millis(100), PAUSE);
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(pause) => {}
            }
            let turn = async { self.turn(self.share(pause, pass).await?).await };
            match metrics::duty("scrub", turn).await {
                Ok(turn) => metrics::note("records_looked_at", turn.looked),
                Err(error) => tracing::error!(%error, "sealed records could not be looked at, trying again"),
            }
        }
    }

    /// How many records a turn looks at.
    async fn share(&self, pause: Duration, pass: Duration) -> Result<u32, ScrubError> {
        let all = u128::from(self.store.recorded_count().await?);
        let share = (all * pause.as_millis()).div_ceil(pass.as_millis().max(1));
        Ok(u32::try_from(share).unwrap_or(u32::MAX))
    }
}

#[derive(Clone, Copy)]
enum State {
    Whole,
    Mended,
    Lost,
}
