//! Keeps the store in step with the chain, and the queue and the vault in step with the store.

use rochdale_node::metrics;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rochdale_api::route::gateway;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::{Chain, Head};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::events::{Event, FollowError, FollowerOptions, Located, Progress};
use rochdale_node::mirror::{Folded, Following, following};
use rochdale_node::pace::Pace;
use rochdale_node::request;
use tokio::sync::{Notify, watch};

use crate::config::IndexerConfig;
use crate::erasure::Erasure;
use crate::receipts;
use crate::store::{IndexStore, Recorded, Store, StoreError};

/// How long block time is known well enough to set a deadline by it.
const RECENT: Duration = Duration::from_secs(2);

/// Blocks behind the last comparison of queue and index that are compared again: what was recorded in a block that the index did not see
/// yet may be gone with it.
const AGAIN: u64 = 64;

/// How long queue and index are taken to agree while the chain stands where it stood: many who read cause many looks, and a comparison writes.
const AGREE: Duration = Duration::from_secs(2);

/// How long a reader waits until the index has caught up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the index stands.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The last successful step.
    pub progress: Option<Progress>,
    /// Why the last step failed, if it did.
    pub failure: Option<String>,
    /// When the last step began, whatever its end.
    looked: Option<Instant>,
}

/// A handle on the index for readers. Clones share it.
#[derive(Clone, Debug)]
pub struct Index {
    state: Folded,
    standing: watch::Receiver<Standing>,
    nudge: Arc<Notify>,
}

impl Index {
    /// The state as of the last indexed block.
    #[must_use]
    pub fn state(&self) -> &Folded {
        &self.state
    }

    /// Where the index stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Waits until everything up to the chain's newest block is indexed, so that a caller reads its own writes. Those who ask
    /// at once share the indexer's look at the chain; of a request whose guard looked, the first look is the guard's.
    ///
    /// # Errors
    /// A problem where the RPC or the store fails, or the index does not catch up in time.
    pub async fn fresh(&self) -> Result<&Folded, Problem> {
        self.since(request::look()).await?;
        Ok(&self.state)
    }

    /// Waits until everything up to the chain's newest block is indexed, whatever this request saw before.
    ///
    /// # Errors
    /// As [`Self::fresh`].
    pub async fn anew(&self) -> Result<Head, Problem> {
        self.since(Instant::now()).await
    }

    /// The head that [`Self::fresh`] reads up to.
    ///
    /// # Errors
    /// As [`Self::fresh`].
    pub async fn fresh_head(&self) -> Result<Head, Problem> {
        self.since(request::look()).await
    }

    /// The same for a request's guard, whose look its handler takes over.
    ///
    /// # Errors
    /// As [`Self::fresh`].
    pub async fn for_guard(&self) -> Result<Head, Problem> {
        self.since(request::guard()).await
    }

    /// Block time for deadlines of what is signed here: as the index saw it, where that was a moment ago.
    ///
    /// # Errors
    /// As [`Self::fresh`].
    pub async fn time(&self) -> Result<u64, Problem> {
        let now = Instant::now();
        Ok(self.since(now.checked_sub(RECENT).unwrap_or(now)).await?.latest.timestamp)
    }

    /// Waits until final block time has come to `time`.
    pub async fn final_since(&self, time: u64) {
        let there =
            |s: &Standing| s.progress.as_ref().is_some_and(|progress| progress.head.finalized.timestamp >= time);
        if self.standing.clone().wait_for(there).await.is_err() {
            // Nothing follows the chain any more.
            std::future::pending::<()>().await;
        }
    }

    async fn since(&self, asked: Instant) -> Result<Head, Problem> {
        let mut standing = self.standing.clone();
        let ended = standing.wait_for(|s| {
            let there = s.looked.is_some_and(|looked| looked >= asked);
            if !there {
                self.nudge.notify_one();
            }
            there
        });
        let waited = tokio::time::timeout(PATIENCE, ended).await.is_ok_and(|ended| ended.is_ok());
        let Standing { progress, failure, .. } = self.standing();
        match progress.filter(|_| waited && failure.is_none()) {
            Some(progress) => Ok(progress.head),
            None => {
                let indexed = progress.map_or(0, |p| p.cursor.number);
                let why = failure.unwrap_or_else(|| "it is still reading".to_owned());
                let detail = format!("block {indexed} is indexed: {why}");
                Err(Problem::new(ProblemCode::ChainUnavailable, detail)
                    .hint(format!("ask again later; {} shows how far the index is", gateway::HEALTH.path)))
            }
        }
    }
}

/// The task that follows the chain.
#[derive(Debug)]
pub struct Indexer {
    follower: Following<IndexStore>,
    chain: Chain,
    manifest: Manifest,
    store: Store,
    erasure: Erasure,
    every: Duration,
    /// Up to which block queue and index were compared; 0 where all of it is to be.
    reconciled: u64,
    /// When that was.
    compared: Instant,
    standing: watch::Sender<Standing>,
    nudge: Arc<Notify>,
    queue: Arc<Notify>,
}

impl Indexer {
    /// A follower on the store; `queue` hears when contributions wait again.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn new(
        chain: Chain,
        manifest: &Manifest,
        store: Store,
        erasure: Erasure,
        config: IndexerConfig,
        queue: Arc<Notify>,
    ) -> Result<(Self, Index), StoreError> {
        let accept_rollback = config.accept_rollback;
        let options = FollowerOptions { accept_rollback, houses: true, ..FollowerOptions::default() };
        let kept = IndexStore(store.clone());
        let (follower, state) = following(chain.clone(), manifest, kept.clone(), options);
        state.catch_up(&kept).await?;
        let every = Duration::from_millis(config.poll_ms);
        let (sender, standing) = watch::channel(Standing::default());
        let nudge = Arc::new(Notify::new());
        let index = Index { state, standing, nudge: Arc::clone(&nudge) };
        let manifest = manifest.clone();
        let (reconciled, compared, standing) = (0, Instant::now(), sender);
        let indexer =
            Self { follower, chain, manifest, store, erasure, every, reconciled, compared, standing, nudge, queue };
        Ok((indexer, index))
    }

    /// One step: reads what is new, then brings queue and vault in line.
    ///
    /// # Errors
    /// Where the RPC or the store fails; the next step goes on from the last applied block.
    pub async fn step(&mut self) -> Result<Progress, FollowError<StoreError>> {
        let looked = Instant::now();
        // Of a step that fails half way, all is compared again.
        let reconciled = std::mem::take(&mut self.reconciled);
        let progress = self.follower.step().await?;
        metrics::saw(&progress.head);
        let (cursor, same) = (progress.cursor.number, progress.events == 0 && progress.rolled_back_to.is_none());
        if !same || cursor != reconciled || self.compared.elapsed() >= AGREE {
            let after = match progress.rolled_back_to {
                Some(block) => {
                    tracing::warn!(block, "the chain reorganized; events after this block were undone");
                    0
                }
                None => reconciled.saturating_sub(AGAIN),
            };
            self.reconcile(after, &progress).await?;
            self.compared = looked;
        }
        self.reconciled = cursor;
        self.standing.send_replace(Standing { progress: Some(progress), failure: None, looked: Some(looked) });
        Ok(progress)
    }

    /// Steps until `stop` resolves. A failed step is logged, shown in the health page, and tried again.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut pace = Pace::new(self.every);
        tokio::pin!(stop);
        loop {
            let looked = Instant::now();
            let step = tokio::select! {
                () = &mut stop => return,
                step = metrics::duty("index", self.step()) => step,
            };
            let step = step.map(|progress| pace.saw(&progress.head.latest));
            if let Err(error) = step {
                tracing::warn!(%error, "following the chain failed, trying again");
                self.standing.send_modify(|s| (s.failure, s.looked) = (Some(error.to_string()), Some(looked)));
                tokio::select! {
                    () = &mut stop => return,
                    () = tokio::time::sleep(self.every) => {}
                }
                continue;
            }
            tokio::select! {
                () = &mut stop => return,
                () = self.nudge.notified() => {}
                () = tokio::time::sleep(pace.pause()) => {}
            }
        }
    }

    async fn reconcile(&self, after: u64, progress: &Progress) -> Result<(), FollowError<StoreError>> {
        let cursor = progress.cursor.number;
        for (member, commitment) in self.store.reconcile(after, cursor).await.map_err(FollowError::Store)? {
            let event = self.store.recorded(member, commitment).await.map_err(FollowError::Store)?;
            let Some(event) = event else { continue };
            self.mark(&event).await?;
        }
        if progress.rolled_back_to.is_some() {
            self.queue.notify_one();
        }
        if progress.events > 0 {
            self.erasure.wake();
        }
        Ok(())
    }

    /// Marks a contribution that is on chain, though this process never heard the answer to its transaction.
    async fn mark(&self, located: &Located) -> Result<(), FollowError<StoreError>> {
        let Event::ContributionRecorded { contribution, member, commitment, .. } = located.event else {
            return Ok(());
        };
        let Some((mined, events)) =
            receipts::look_up(&self.chain, &self.manifest.addresses, located.transaction).await?
        else {
            return Ok(());
        };
        let batch = events.iter().filter(|e| matches!(e.event, Event::ContributionRecorded { .. })).count();
        let found = [Recorded { member, commitment, id: contribution }];
        self.store.mark_recorded(&found, &mined, batch).await.map_err(FollowError::Store)?;
        tracing::info!(%commitment, id = %contribution, "found recorded on chain");
        Ok(())
    }
}
