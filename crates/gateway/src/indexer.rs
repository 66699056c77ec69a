//! Keeps the store in step with the chain, and the queue and the vault in step with the store.

use std::sync::Arc;
use std::time::Duration;

use rochdale_api::server::Seldom;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::Chain;
use rochdale_chain::deploy::Manifest;
use rochdale_chain::events::{Event, FollowError, FollowerOptions, Located, Progress};
use rochdale_node::mirror::{Folded, Following, following};
use tokio::sync::{Notify, watch};

use crate::config::IndexerConfig;
use crate::erasure::Erasure;
use crate::problems;
use crate::relayer::receipts;
use crate::store::{IndexStore, Recorded, Store, StoreError};

/// How long a reader waits until the index has caught up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the index stands.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The last successful step.
    pub progress: Option<Progress>,
    /// Why the last step failed, if it did.
    pub failure: Option<String>,
}

/// A handle on the index for readers. Clones share it.
#[derive(Clone, Debug)]
pub struct Index {
    chain: Chain,
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

    /// Waits until everything up to the chain's newest block is indexed, so that a caller reads its own writes.
    ///
    /// # Errors
    /// A problem where the RPC or the store fails, or the index does not catch up in time.
    pub async fn fresh(&self) -> Result<&Folded, Problem> {
        let latest = self.chain.block(alloy::eips::BlockId::latest()).await.map_err(|e| problems::chain(&e))?.number;
        let mut standing = self.standing.clone();
        let caught_up = standing.wait_for(|s| {
            // An index that stands above the chain has lost its ground: nothing is answered from it.
            let there = s.failure.is_none() && s.progress.is_some_and(|p| p.cursor.number >= latest);
            if !there {
                self.nudge.notify_one();
            }
            there
        });
        let waited = tokio::time::timeout(PATIENCE, caught_up).await;
        if matches!(waited, Ok(Ok(_))) {
            return Ok(&self.state);
        }
        let standing = self.standing();
        let indexed = standing.progress.map_or(0, |p| p.cursor.number);
        let why = standing.failure.unwrap_or_else(|| "it is still reading".to_owned());
        Err(Problem::new(
            ProblemCode::ChainUnavailable,
            format!("block {indexed} is indexed, the chain is at {latest}: {why}"),
        )
        .hint("ask again later; /v1/health shows how far the index is"))
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
        let options = FollowerOptions { accept_rollback: config.accept_rollback, ..FollowerOptions::default() };
        let kept = IndexStore(store.clone());
        let (follower, state) = following(chain.clone(), manifest, kept.clone(), options);
        state.catch_up(&kept).await?;
        let every = Duration::from_millis(config.poll_ms);
        let (sender, standing) = watch::channel(Standing::default());
        let nudge = Arc::new(Notify::new());
        let index = Index { chain: chain.clone(), state, standing, nudge: Arc::clone(&nudge) };
        let manifest = manifest.clone();
        let indexer = Self { follower, chain, manifest, store, erasure, every, standing: sender, nudge, queue };
        Ok((indexer, index))
    }

    /// One step: reads what is new, then brings queue and vault in line.
    ///
    /// # Errors
    /// Where the RPC or the store fails; the next step goes on from the last applied block.
    pub async fn step(&mut self) -> Result<Progress, FollowError<StoreError>> {
        let progress = self.follower.step().await?;
        if let Some(block) = progress.rolled_back_to {
            tracing::warn!(block, "the chain reorganized; events after this block were undone");
        }
        self.reconcile(&progress).await?;
        self.standing.send_replace(Standing { progress: Some(progress), failure: None });
        Ok(progress)
    }

    /// Steps until `stop` resolves. A failed step is logged, shown in the health page, and tried again.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut seldom = Seldom::default();
        tokio::pin!(stop);
        loop {
            let step = tokio::select! {
                () = &mut stop => return,
                step = self.step() => step,
            };
            if let Err(error) = step {
                if seldom.is_due(&error.to_string()) {
                    tracing::warn!(%error, "following the chain failed, trying again");
                }
                self.standing.send_modify(|s| s.failure = Some(error.to_string()));
                tokio::select! {
                    () = &mut stop => return,
                    () = tokio::time::sleep(self.every) => {}
                }
                continue;
            }
            tokio::select! {
                () = &mut stop => return,
                () = self.nudge.notified() => {}
                () = tokio::time::sleep(self.every) => {}
            }
        }
    }

    async fn reconcile(&self, progress: &Progress) -> Result<(), FollowError<StoreError>> {
        let cursor = progress.cursor.number;
        for (member, commitment) in self.store.reconcile(cursor).await.map_err(FollowError::Store)? {
            let event = self.store.recorded(member, commitment).await.map_err(FollowError::Store)?;
            let Some(event) = event else { continue };
            self.mark(&event).await?;
        }
        if progress.rolled_back_to.is_some() {
            self.queue.notify_one();
        }
        if progress.events > 0
            && let Err(error) = self.erasure.run().await
        {
            tracing::error!(%error, "blobs of erased members could not all be deleted, trying again");
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
