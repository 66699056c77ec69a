//! What is asked of the chain once for each proposal, and kept: what its calls would change, as long as what they replace
//! is still there to be read, and the quorum of its snapshot. The rest is folded from events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::{B256, U256};
use rochdale_api::Problem;
use rochdale_chain::bindings::CoopGovernor;
use rochdale_chain::client::{Chain, Head};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::gov::{House, Proposal, Words};
use rochdale_chain::state::Motion;
use rochdale_node::metrics;

use crate::indexer::Index;
use crate::problems;
use crate::store::Store;

/// Pause between two looks at what was proposed.
const EVERY: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, Default)]
struct Known {
    words: Option<Arc<Words>>,
    quorum: Option<u128>,
    /// The quorum as of a block, as long as the snapshot is not final.
    as_of: Option<(B256, u128)>,
}

/// What is known of proposals. Clones share it.
#[derive(Clone, Debug)]
pub struct Proposals {
    chain: Chain,
    manifest: Manifest,
    store: Store,
    index: Index,
    known: Arc<Mutex<BTreeMap<(House, B256), Known>>>,
}

/// A proposal of the index as one of the governor's.
#[must_use]
pub fn made(motion: &Motion) -> Proposal {
    Proposal {
        house: motion.house,
        id: U256::from_be_bytes(motion.id.0),
        proposer: motion.proposer,
        calls: motion.calls.clone(),
        description: motion.description.clone(),
    }
}

impl Proposals {
    /// Those that the index knows.
    #[must_use]
    pub fn new(chain: Chain, manifest: Manifest, store: Store, index: Index) -> Self {
        Self { chain, manifest, store, index, known: Arc::default() }
    }

    async fn known(&self, motion: &Motion) -> Result<Known, Problem> {
        let key = (motion.house, motion.id);
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let (words, quorum) = self.store.proposal(motion.house, motion.id).await?;
        let known = Known { words: words.map(Arc::new), quorum, as_of: None };
        self.note(motion, |entry| *entry = known.clone());
        Ok(known)
    }

    /// The votes that a proposal needs, where that was asked before and is final.
    #[must_use]
    pub fn known_quorum(&self, motion: &Motion) -> Option<u128> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(motion.house, motion.id)).and_then(|known| known.quorum)
    }

    fn note(&self, motion: &Motion, change: impl FnOnce(&mut Known)) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        change(known.entry((motion.house, motion.id)).or_default());
    }

    /// What a proposal would change.
    ///
    /// # Errors
    /// Where the chain or the store has to be asked and does not answer.
    pub async fn words(&self, motion: &Motion) -> Result<Arc<Words>, Problem> {
        if let Some(words) = self.known(motion).await?.words {
            return Ok(words);
        }
        let words = made(motion).words(&self.chain, &self.manifest).await.map_err(|e| problems::chain(&e))?;
        self.store.keep_words(motion.house, motion.id, &words).await?;
        let words = Arc::new(words);
        self.note(motion, |known| known.words = Some(words.clone()));
        Ok(words)
    }

    /// The votes that a proposal needs; none before its voting opened.
    ///
    /// # Errors
    /// As [`Self::words`].
    pub async fn quorum(&self, motion: &Motion, head: &Head) -> Result<Option<u128>, Problem> {
        if head.latest.timestamp <= motion.opens_at {
            return Ok(None);
        }
        let known = self.known(motion).await?;
        let as_of = known.as_of.filter(|(block, _)| *block == head.latest.hash).map(|(_, quorum)| quorum);
        if let Some(quorum) = known.quorum.or(as_of) {
            return Ok(Some(quorum));
        }
        let call = CoopGovernor::quorumCall { timepoint: U256::from(motion.opens_at) };
        let quorum = self.chain.view(motion.house.governor(&self.manifest), &call).await;
        let quorum = quorum.map_err(|e| problems::chain(&e))?.saturating_to();
        // Before, another chain may still have had other members at the snapshot.
        if head.finalized.timestamp > motion.opens_at {
            self.store.keep_quorum(motion.house, motion.id, quorum).await?;
            self.note(motion, |known| known.quorum = Some(quorum));
        } else {
            self.note(motion, |known| known.as_of = Some((head.latest.hash, quorum)));
        }
        Ok(Some(quorum))
    }

    /// Asks what was not asked yet. What fails is asked again.
    ///
    /// # Errors
    /// As [`Self::words`].
    pub async fn look(&self) -> Result<(), Problem> {
        let Some(progress) = self.index.standing().progress else { return Ok(()) };
        let all: Vec<(House, B256)> =
            self.index.state().read(|state| state.governance.made.iter().rev().copied().collect());
        let mut missed = None;
        for key in all {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
            if known.is_some_and(|known| known.words.is_some() && known.quorum.is_some()) {
                continue;
            }
            let Some(motion) = self.index.state().read(|state| state.governance.motions.get(&key).cloned()) else {
                continue;
            };
            // One that cannot be described now is no reason to leave the others.
            let (words, quorum) = (self.words(&motion).await, self.quorum(&motion, &progress.head).await);
            missed = words.map(drop).and(quorum.map(drop)).err().or(missed);
        }
        missed.map_or(Ok(()), Err)
    }

    /// Looks until `stop` resolves.
    pub async fn keep_looking(self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            if let Err(problem) = metrics::duty("proposals", self.look()).await {
                tracing::debug!(%problem, "proposals are described later");
            }
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }
}
