//! Records queued contributions in batches.

use rochdale_node::metrics;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Bytes, U256};
use alloy::sol_types::SolError as _;
use rochdale_chain::bindings::ContributionRegistry;
use rochdale_chain::client::{Revert, SendError};
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_core::ids::MemberId;
use tokio::sync::Notify;

use super::{Done, Record, Relayer};
use crate::config::BatchConfig;
use crate::problems;
use crate::store::{NewContribution, Recorded, StoreError, StoredContribution};

/// Pause after a failure of the chain or the store.
const RETRY: Duration = Duration::from_secs(1);
/// A steady stream of contributions must not put a batch off for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Why a batch waits.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The chain did not do as asked.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index cannot be read.
    #[error("{0}")]
    Index(#[from] rochdale_api::Problem),
}

/// What is signed, as the contract takes it.
pub(super) fn call(batch: &[NewContribution]) -> Record {
    let contribution = |c: &NewContribution| {
        eip712::Contribution {
            memberId: c.member.0,
            commitment: c.commitment,
            consentVersion: c.consent_version,
            nonce: U256::from(c.nonce),
            deadline: U256::from(c.deadline),
        }
        .into()
    };
    let signatures = batch.iter().map(|c| c.signature.clone()).collect();
    Record { c: batch.iter().map(contribution).collect(), signatures }
}

/// The place in the batch and the reason, where the contract refuses one item.
pub(super) fn refusal(error: &SendError) -> Option<(usize, String)> {
    let data = error.revert()?.data();
    let refused = ContributionRegistry::ContributionRegistry_Refused::abi_decode(data).ok()?;
    let reason = Revert::decode(Bytes::copy_from_slice(refused.reason.as_slice()));
    let reason = if reason.name().is_empty() { refused.reason.to_string() } else { reason.name().to_owned() };
    Some((usize::try_from(refused.index).ok()?, reason))
}

impl Relayer {
    /// Sends batches until `stop` resolves: when the queue has been idle for a while, or holds a full batch.
    pub async fn keep_recording(self: Arc<Self>, config: BatchConfig, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        // What an earlier run left in the queue is looked at without being told.
        self.queue.notify_one();
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = self.queue.notified() => {}
            }
            tokio::select! {
                () = &mut stop => return,
                () = self.gather(&self.queue, config) => {}
            }
            // A batch that is on its way is waited for, also while stopping: what was sent is marked.
            match metrics::duty("record", self.flush(config.size())).await {
                Ok(0) => {}
                Ok(_) => self.queue.notify_one(),
                Err(error) => {
                    tracing::warn!(%error, "the batch waits");
                    self.queue.notify_one();
                    tokio::select! {
                        () = &mut stop => return,
                        () = tokio::time::sleep(RETRY) => {}
                    }
                }
            }
        }
    }

    /// Returns when the queue is full or has been idle.
    async fn gather(&self, queue: &Notify, config: BatchConfig) {
        let full = async {
            loop {
                let length = self.store.queue_length().await.unwrap_or(u64::MAX);
                metrics::note("queued_contributions", length);
                if usize::try_from(length).unwrap_or(usize::MAX) >= config.size() {
                    return;
                }
                if tokio::time::timeout(config.idle(), queue.notified()).await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(config.idle().max(LONGEST_WAIT), full).await;
    }

    /// Records the oldest queued contributions in one transaction. One that the contract refuses leaves the batch with
    /// its reason and the rest is tried again. Returns how many left the queue.
    ///
    /// # Errors
    /// Where chain or store fails: everything then waits as before.
    pub async fn flush(&self, size: usize) -> Result<usize, BatchError> {
        // After a crash or a reorganization the index tells what is on chain already.
        self.index.fresh().await?;
        let mut batch: Vec<NewContribution> =
            self.store.queued(size).await?.into_iter().map(|c: StoredContribution| c.signed).collect();
        let mut left = 0;
        while !batch.is_empty() {
            let to = self.manifest.addresses.contribution_registry;
            let members: Vec<MemberId> = batch.iter().map(|one| one.member).collect();
            match self.errand("record", &members, to, &call(&batch)).await {
                Ok(done) => return Ok(left + self.recorded(&done, batch.len()).await?),
                Err(error) => {
                    let Some((place, reason)) = refusal(&error).filter(|(place, _)| *place < batch.len()) else {
                        return Err(error.into());
                    };
                    let refused = batch.remove(place);
                    left += self.refused(&refused, &reason).await?;
                }
            }
        }
        Ok(left)
    }

    async fn recorded(&self, done: &Done, batch: usize) -> Result<usize, StoreError> {
        let found = done.events.iter().filter_map(|e| match e.event {
            Event::ContributionRecorded { contribution, member, commitment, .. } => {
                Some(Recorded { member, commitment, id: contribution })
            }
            _ => None,
        });
        let found: Vec<Recorded> = found.collect();
        self.store.mark_recorded(&found, &done.mined, batch).await?;
        Ok(found.len())
    }

    async fn refused(&self, one: &NewContribution, reason: &str) -> Result<usize, BatchError> {
        // Its own transaction may have been mined since the index was read.
        self.index.fresh().await?;
        if self.store.recorded(one.member, one.commitment).await?.is_some() {
            return Ok(0);
        }
        tracing::warn!(member = %one.member, commitment = %one.commitment, reason, "refused, left out of the batch");
        self.store.mark_refused(one.member, one.commitment, reason).await?;
        Ok(1)
    }
}

impl From<BatchError> for rochdale_api::Problem {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Send(error) => problems::send(&error),
            BatchError::Store(error) => error.into(),
            BatchError::Index(problem) => problem,
        }
    }
}
