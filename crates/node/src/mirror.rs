//! The chain as a process sees it: followed into a store, and folded once into the states of the latest and the finalized
//! block, which everybody reads from memory.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use rochdale_chain::client::{BlockRef, Chain, Head};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::events::{FollowError, Follower, FollowerOptions, Located, MemoryStore, Progress, Store};
use rochdale_chain::state::Cooperative;
use tokio::sync::Mutex;

use crate::metrics;
use crate::request;
use crate::states::{Kept, States};

/// A store that gives back the events that it took.
pub trait History: Store {
    /// The events of the blocks after one, up to another, in the order of the chain.
    fn events_between(&self, after: u64, upto: u64) -> impl Future<Output = Result<Vec<Located>, Self::Error>> + Send;
}

impl History for MemoryStore {
    async fn events_between(&self, after: u64, upto: u64) -> Result<Vec<Located>, Self::Error> {
        let within = |event: &&Located| (after + 1..=upto).contains(&event.block_number);
        Ok(self.events().iter().filter(within).cloned().collect())
    }
}

/// The chain as a process last saw it.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Latest and finalized block.
    pub head: Head,
    /// The state as of the latest block.
    pub latest: Cooperative,
    finalized: Cooperative,
    /// Another number after every change of what the events say.
    pub revision: u64,
    /// How often the chain undid something.
    pub rollbacks: u64,
    /// When the look at the chain began.
    looked: Instant,
}

impl Mirror {
    /// Protocol time: seconds of block time.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.head.latest.timestamp
    }

    /// The state as of the finalized block.
    #[must_use]
    pub fn finalized(&self) -> &Cooperative {
        &self.finalized
    }
}

/// What the events add up to, for whoever needs the newest state alone. Clones share it.
#[derive(Clone, Debug)]
pub struct Folded(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    states: RwLock<States>,
    /// Whether the store may hold what the states lack: whoever asked for the step may have gone before its end.
    behind: AtomicBool,
    /// How many events were read back from the store.
    read_back: AtomicU64,
}

impl Folded {
    fn new(states: States) -> Self {
        Self(Arc::new(Inside {
            states: RwLock::new(states),
            behind: AtomicBool::new(true),
            read_back: AtomicU64::default(),
        }))
    }

    /// Looks at the state as of the last block that was taken in.
    pub fn read<T>(&self, look: impl FnOnce(&Cooperative) -> T) -> T {
        look(&self.states(States::latest))
    }

    /// How many events were read back from the store since the start.
    #[must_use]
    pub fn read_back(&self) -> u64 {
        self.0.read_back.load(Ordering::Relaxed)
    }

    fn states<T>(&self, look: impl FnOnce(&States) -> T) -> T {
        look(&self.0.states.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, change: impl FnOnce(&mut States) -> T) -> T {
        change(&mut self.0.states.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_behind(&self) -> bool {
        self.0.behind.load(Ordering::SeqCst)
    }

    fn set_behind(&self, behind: bool) {
        self.0.behind.store(behind, Ordering::SeqCst);
    }

    async fn read_events<S: History>(&self, store: &S, after: u64, upto: u64) -> Result<Vec<Located>, S::Error> {
        let events = store.events_between(after, upto).await?;
        self.0.read_back.fetch_add(events.len() as u64, Ordering::Relaxed);
        Ok(events)
    }

    /// Brings the states to where the store stands: once at the start, and after a step that did not come to its end.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn catch_up<S: History>(&self, store: &S) -> Result<(), S::Error> {
        let cursor = store.recent(1).await?.first().map(|block| block.number);
        let after = self.change(|states| {
            if states.newest() > cursor.unwrap_or(0) && !states.rollback_to(cursor) {
                states.clear();
            }
            states.newest()
        });
        let events = self.read_events(store, after, i64::MAX as u64).await?;
        self.change(|states| states.apply(&events));
        self.set_behind(false);
        Ok(())
    }

    /// A state that was kept, with the events that it lacks.
    async fn complete<S: History>(
        &self,
        store: &S,
        kept: Kept,
        is_in: impl Fn(&Located) -> bool,
    ) -> Result<Cooperative, S::Error> {
        let Kept { mut state, lacks } = kept;
        if let Some((after, upto)) = lacks {
            let events = self.read_events(store, after, upto).await?;
            events.iter().filter(|event| is_in(event)).for_each(|event| state.apply(event));
        }
        Ok(state)
    }
}

/// A store, and what its events add up to.
#[derive(Debug)]
pub struct Folding<S> {
    store: S,
    folded: Folded,
}

impl<S: History + Sync> Store for Folding<S> {
    type Error = S::Error;

    async fn recent(&self, limit: usize) -> Result<Vec<BlockRef>, S::Error> {
        if self.folded.is_behind() {
            self.folded.catch_up(&self.store).await?;
        }
        self.store.recent(limit).await
    }

    async fn apply(&mut self, block: &BlockRef, events: &[Located]) -> Result<(), S::Error> {
        self.folded.set_behind(true);
        self.store.apply(block, events).await?;
        self.folded.change(|states| states.apply(events));
        self.folded.set_behind(false);
        Ok(())
    }

    async fn rollback_to(&mut self, block: Option<&BlockRef>) -> Result<(), S::Error> {
        self.folded.set_behind(true);
        self.store.rollback_to(block).await?;
        if !self.folded.change(|states| states.rollback_to(block.map(|block| block.number))) {
            self.folded.change(States::clear);
        }
        self.folded.catch_up(&self.store).await
    }

    async fn known_final(&self) -> Result<Option<BlockRef>, S::Error> {
        self.store.known_final().await
    }

    async fn keep_final(&mut self, block: &BlockRef) -> Result<(), S::Error> {
        self.store.keep_final(block).await
    }
}

/// A follower that folds.
pub type Following<S> = Follower<Folding<S>>;

/// A follower of a cooperative on a store, and what its events add up to once it stepped.
pub fn following<S: History + Sync>(
    chain: Chain,
    manifest: &Manifest,
    store: S,
    options: FollowerOptions,
) -> (Following<S>, Folded) {
    let folded = Folded::new(States::new(manifest.schedule()));
    let store = Folding { store, folded: folded.clone() };
    (Follower::with_options(chain, manifest, store, options), folded)
}

/// Looks at the chain for whoever asks; those who ask at once share a look.
#[derive(Debug)]
pub struct Watch<S> {
    follower: Mutex<Following<S>>,
    folded: Folded,
    mirror: RwLock<Option<Arc<Mirror>>>,
}

impl<S: History + Sync> Watch<S> {
    /// A watch on a cooperative.
    pub fn new(chain: Chain, manifest: &Manifest, store: S, options: FollowerOptions) -> Self {
        let (follower, folded) = following(chain, manifest, store, options);
        Self { follower: Mutex::new(follower), folded, mirror: RwLock::default() }
    }

    /// The chain as of now: follows it to its head, unless a look that began after this was asked for did. Of a request
    /// whose guard looked, the first is the guard's.
    ///
    /// # Errors
    /// Where the RPC does not answer, lags, or serves another chain, or the store fails.
    pub async fn at_head(&self) -> Result<Arc<Mirror>, FollowError<S::Error>> {
        self.since(request::look()).await
    }

    /// The chain as of now for a request's guard, whose look its handler takes over.
    ///
    /// # Errors
    /// As [`Self::at_head`].
    pub async fn for_guard(&self) -> Result<Arc<Mirror>, FollowError<S::Error>> {
        self.since(request::guard()).await
    }

    async fn since(&self, asked: Instant) -> Result<Arc<Mirror>, FollowError<S::Error>> {
        if let Some(mirror) = self.mirror().filter(|mirror| mirror.looked >= asked) {
            return Ok(mirror);
        }
        let mut follower = self.follower.lock().await;
        if let Some(mirror) = self.mirror().filter(|mirror| mirror.looked >= asked) {
            return Ok(mirror);
        }
        let looked = Instant::now();
        let progress = follower.step().await?;
        metrics::saw(&progress.head);
        let mirror = self.mirrored(&follower, &progress, looked).await.map_err(FollowError::Store)?;
        *self.mirror.write().unwrap_or_else(PoisonError::into_inner) = Some(mirror.clone());
        Ok(mirror)
    }

    async fn mirrored(
        &self,
        follower: &Following<S>,
        progress: &Progress,
        looked: Instant,
    ) -> Result<Arc<Mirror>, S::Error> {
        let head = progress.head;
        let (latest, revision, rollbacks) =
            self.folded.states(|states| (states.latest(), states.revision(), states.rollbacks()));
        let same = self.mirror().filter(|known| known.revision == revision && known.head.finalized == head.finalized);
        let finalized = match same {
            Some(known) => known.finalized.clone(),
            None => {
                let last = head.finalized.number;
                let kept = self.folded.states(|states| states.at_block(last));
                self.folded.complete(&follower.store().store, kept, |_| true).await?
            }
        };
        Ok(Arc::new(Mirror { head, latest, finalized, revision, rollbacks, looked }))
    }

    /// The chain as last seen, if it was.
    #[must_use]
    pub fn mirror(&self) -> Option<Arc<Mirror>> {
        self.mirror.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The state as of a final block.
    ///
    /// # Errors
    /// Where the store fails: a block of long ago is read back from it.
    pub async fn at_block(&self, block: u64) -> Result<Cooperative, S::Error> {
        let kept = self.folded.states(|states| states.at_block(block));
        self.complete(kept, |_| true).await
    }

    /// The state at an epoch's cut, which is final: as of the last block with a timestamp of at most `end` (Unix seconds).
    ///
    /// # Errors
    /// As [`Self::at_block`].
    pub async fn at_cut(&self, end: u64) -> Result<Cooperative, S::Error> {
        let kept = self.folded.states(|states| states.at_time(end));
        self.complete(kept, |event| event.timestamp <= end).await
    }

    async fn complete(&self, kept: Kept, is_in: impl Fn(&Located) -> bool) -> Result<Cooperative, S::Error> {
        if kept.lacks.is_none() {
            return Ok(kept.state);
        }
        let follower = self.follower.lock().await;
        self.folded.complete(&follower.store().store, kept, is_in).await
    }

    /// What the events add up to.
    #[must_use]
    pub fn folded(&self) -> &Folded {
        &self.folded
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use alloy::primitives::{Address, B256};
    use rochdale_chain::events::{Event, MemoryError};
    use rochdale_core::ids::MemberId;
    use rochdale_core::ledger::Schedule;
    use std::future::pending;

    /// A store that takes what it is given and then never answers, where it is told so.
    #[derive(Default)]
    struct Stuck {
        inner: MemoryStore,
        stuck: bool,
    }

    impl Store for Stuck {
        type Error = MemoryError;

        async fn recent(&self, limit: usize) -> Result<Vec<BlockRef>, MemoryError> {
            self.inner.recent(limit).await
        }

        async fn apply(&mut self, block: &BlockRef, events: &[Located]) -> Result<(), MemoryError> {
            self.inner.apply(block, events).await?;
            if self.stuck { pending().await } else { Ok(()) }
        }

        async fn rollback_to(&mut self, block: Option<&BlockRef>) -> Result<(), MemoryError> {
            self.inner.rollback_to(block).await?;
            if self.stuck { pending().await } else { Ok(()) }
        }
    }

    impl History for Stuck {
        async fn events_between(&self, after: u64, upto: u64) -> Result<Vec<Located>, MemoryError> {
            self.inner.events_between(after, upto).await
        }
    }

    fn block(number: u64) -> (BlockRef, Vec<Located>) {
        let hash = B256::repeat_byte(u8::try_from(number).unwrap());
        let account = Address::repeat_byte(1);
        let member = MemberId(u32::try_from(number).unwrap());
        let event = Event::Joined { member, account, payout: account, nullifier: hash, row_key_digest: hash };
        let (block_hash, transaction) = (hash, hash);
        let located = Located { block_number: number, block_hash, timestamp: number, log_index: 0, transaction, event };
        (BlockRef { number, hash, parent: B256::ZERO, timestamp: number }, vec![located])
    }

    /// Starts something that never ends, and lets it go.
    async fn given_up<T>(never: impl Future<Output = T>) {
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), never).await.is_err());
    }

    #[tokio::test]
    async fn a_step_that_is_given_up_half_way_leaves_no_state_behind_the_store() {
        let schedule = Schedule { genesis: 1, epoch_length: 10, lag: 0, attempt_length: 1 };
        let folded = Folded::new(States::new(schedule));
        let mut store = Folding { store: Stuck::default(), folded: folded.clone() };
        for number in 1..=3 {
            let (at, events) = block(number);
            store.recent(1).await.unwrap();
            store.apply(&at, &events).await.unwrap();
        }
        assert_eq!((folded.read(|state| state.members.len()), folded.read_back()), (3, 0));

        store.store.stuck = true;
        let (fourth, events) = block(4);
        given_up(store.apply(&fourth, &events)).await;
        assert_eq!(folded.read(|state| state.members.len()), 3, "nobody took in what the store did");
        store.store.stuck = false;
        store.recent(1).await.unwrap();
        assert_eq!(
            (folded.read(|state| state.members.len()), folded.read_back()),
            (4, 1),
            "and that alone is read back"
        );

        store.store.stuck = true;
        given_up(store.rollback_to(Some(&block(2).0))).await;
        store.store.stuck = false;
        store.recent(1).await.unwrap();
        assert_eq!((folded.read(|state| state.members.len()), folded.read_back()), (2, 1));
        assert_eq!(folded.read(Cooperative::clone), Cooperative::fold(store.store.inner.events()));
    }
}
