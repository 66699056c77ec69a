//! Sealed records are looked at again, one after the other, so that what the disk loses is noticed while the worker's copy still has it.
//! What no copy has is said in health until it is there again. What its member had erased is never looked at, and comes back from nowhere.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
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
use crate::vault::{Vault, VaultError, cid};

/// The longest pause between two turns.
const PAUSE: Duration = Duration::from_secs(60);
/// Bytes a second that are read at most: the disk is there for members first.
const RATE: u64 = 16 << 20;
/// How long the worker may take to give one record.
const PATIENCE: Duration = Duration::from_secs(300);
/// Records that are known to be lost, and of them those that health names.
const KNOWN: usize = 100;
const NAMED: usize = 5;
/// Before the first turn.
const NOWHERE: u64 = u64::MAX;

/// Why a record could not be looked at or mended.
#[derive(Debug, thiserror::Error)]
pub enum ScrubError {
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk did not do as asked.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Looks at the vault's records in turn. Clones share where they are.
#[derive(Clone)]
pub struct Scrub {
    store: Store,
    vault: Arc<Vault>,
    directory: Directory,
    index: Index,
    /// The contribution that was looked at last; drawn anew by each process, so that one that is often started comes to all of them.
    after: Arc<AtomicU64>,
    lost: Arc<Mutex<BTreeMap<ContributionId, String>>>,
}

#[derive(Clone, Copy)]
enum State {
    Whole,
    Mended,
    Lost,
}

impl Scrub {
    /// Over the records of a vault, with the worker's copy to mend them from.
    #[must_use]
    pub fn new(store: Store, vault: Arc<Vault>, directory: Directory, index: Index) -> Self {
        Self { store, vault, directory, index, after: Arc::new(AtomicU64::new(NOWHERE)), lost: Arc::default() }
    }

    /// Looks at every record once in `pass`, a few at a time, until `stop` resolves.
    pub async fn keep_running(self, pass: Duration, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let pause = (pass / 2).clamp(Duration::from_millis(100), PAUSE);
        loop {
            let turn = async {
                tokio::time::sleep(pause).await;
                match metrics::duty("scrub", self.turn(pause, pass)).await {
                    Ok(looked) => metrics::note("records_looked_at", looked),
                    Err(error) => tracing::error!(%error, "sealed records could not be looked at, trying again"),
                }
            };
            tokio::select! {
                () = &mut stop => return,
                () = turn => {}
            }
        }
    }

    /// Looks at as many records as a turn in each `pause` has to, so that all had theirs within `pass`; from the first one on again after
    /// the last. One that cannot be mended holds up no other. Gives how many were looked at.
    async fn turn(&self, pause: Duration, pass: Duration) -> Result<u64, ScrubError> {
        self.forget_erased().await?;
        let (all, last) = self.store.recorded_count().await?;
        let many = (u128::from(all) * pause.as_millis()).div_ceil(pass.as_millis().max(1));
        let many = u32::try_from(many).unwrap_or(u32::MAX);
        if self.after.load(Ordering::SeqCst) == NOWHERE {
            self.after.store(rand::rng().random_range(0..=last.0), Ordering::SeqCst);
        }
        let mut blobs = self.store.recorded_blobs(ContributionId(self.after.load(Ordering::SeqCst)), many).await?;
        if blobs.is_empty() {
            blobs = self.store.recorded_blobs(ContributionId(0), many).await?;
        }
        let looked = blobs.len() as u64;
        for entry in blobs {
            self.after.store(entry.contribution_id.0, Ordering::SeqCst);
            let (is_whole, bytes) = self.vault.is_whole(cid(entry.blob_digest)).await;
            let state = if is_whole { Ok(State::Whole) } else { self.mend(&entry).await };
            self.note(entry.contribution_id, state);
            tokio::time::sleep(Duration::from_millis(bytes.saturating_mul(1_000) / RATE)).await;
        }
        Ok(looked)
    }

    /// What was lost and then erased is missed by nobody.
    async fn forget_erased(&self) -> Result<(), ScrubError> {
        let lost: Vec<ContributionId> =
            self.lost.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        for id in lost {
            if !self.store.is_recorded(id).await? {
                self.lost.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            }
        }
        Ok(())
    }

    fn note(&self, id: ContributionId, state: Result<State, ScrubError>) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let why = match state {
            Ok(State::Whole | State::Mended) => {
                lost.remove(&id);
                return;
            }
            Ok(State::Lost) => "no copy was found".to_owned(),
            Err(error) => error.to_string(),
        };
        tracing::error!(contribution = %id, %why, "a sealed record is damaged or gone");
        if lost.len() < KNOWN {
            lost.insert(id, why);
        }
    }

    async fn mend(&self, entry: &VaultEntry) -> Result<State, ScrubError> {
        let (id, cid) = (entry.contribution_id, cid(entry.blob_digest));
        let found = self.of_worker(cid).await.filter(|bytes| Cid::of(bytes) == cid);
        // Whoever erases waits; what was erased by then must not come back.
        let _turn = self.vault.turn().await;
        if !self.store.is_recorded(id).await? {
            return Ok(State::Whole);
        }
        let Some(bytes) = found else { return Ok(State::Lost) };
        self.vault.restore(cid, &bytes).await?;
        tracing::warn!(contribution = %id, %cid, "a sealed record was damaged or gone and is whole again, from the worker's copy");
        Ok(State::Mended)
    }

    async fn of_worker(&self, cid: Cid) -> Option<Vec<u8>> {
        let asked = async {
            let now = self.index.fresh_head().await?.latest.timestamp;
            let worker = self.directory.worker().clone().patient(PATIENCE);
            let fetched = worker.get_bytes_signed(worker::BLOB.at(cid), now).await;
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

    /// What health says of records that are not whole.
    #[must_use]
    pub fn alarm(&self) -> Option<String> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, why) = lost.first_key_value()?;
        let named: Vec<String> = lost.keys().take(NAMED).map(ToString::to_string).collect();
        let more = lost.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!(
            "sealed records are damaged or gone, of contributions {}{more} (of the first: {why}); look at the disk, and copy `vault/` back from a backup",
            named.join(", ")
        ))
    }
}
