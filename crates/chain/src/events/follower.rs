//! Keeps a store in step with the chain, through reorganizations and restarts.
//!
//! Final blocks are read in ranges, the rest block by block: each block must name the one before as its parent, or
//! the store is rolled back to the last block that both still share and the walk begins anew from there.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::time::Duration;

use alloy::consensus::BlockHeader as _;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::B256;
use alloy::providers::Provider as _;
use alloy::rpc::types::{Filter, Header, Log};
use tokio::sync::watch;

use super::{DecodeError, Located, decode};
use crate::client::{BlockRef, Chain, ChainError, Head};
use crate::deploy::{Addresses, Manifest};

/// How many of the newest blocks a store must remember, so that a reorganization finds the common ancestor.
pub const KEPT_BLOCKS: usize = 64;

/// How many blocks that are not final yet are read at once.
const OPEN_BLOCKS: u64 = 64;

/// How far what is final advances before a store remembers it again.
const FINAL_STRIDE: u64 = 8;

/// Where the events go. Each process implements it on its own database.
///
/// A store remembers at least the newest [`KEPT_BLOCKS`] blocks that were applied, across restarts.
pub trait Store: Send {
    /// What can go wrong.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The newest applied blocks, newest first, at most `limit`; empty before the first. The first is the cursor.
    fn recent(&self, limit: usize) -> impl Future<Output = Result<Vec<BlockRef>, Self::Error>> + Send;

    /// Takes in a block's events and moves the cursor to the block, both or neither.
    fn apply(&mut self, block: &BlockRef, events: &[Located]) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Forgets everything after the block, or everything where it is `None`.
    fn rollback_to(&mut self, block: Option<&BlockRef>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// A block that was final when [`Self::keep_final`] was last called; `None` where that outlasts no restart.
    fn known_final(&self) -> impl Future<Output = Result<Option<BlockRef>, Self::Error>> + Send {
        async { Ok(None) }
    }

    /// Remembers a final block across restarts.
    fn keep_final(&mut self, _block: &BlockRef) -> impl Future<Output = Result<(), Self::Error>> + Send {
        async { Ok(()) }
    }
}

/// Why the store could not be brought up to date. It stays as it was after the last applied block.
#[derive(Debug, thiserror::Error)]
pub enum FollowError<E: std::error::Error + 'static> {
    /// The RPC.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A log that does not fit.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The database did not do as asked.
    #[error("the event store failed: {0}")]
    Store(#[source] E),
    /// The block on which the cooperative was founded is not on this chain.
    #[error(
        "the chain served by {rpc} does not hold block {number} ({hash}), on which this cooperative was founded: it is another chain, or a local one that began anew; point the process at the right RPC or deploy again"
    )]
    OtherChain {
        /// Host and port.
        rpc: String,
        /// The block's number in the manifest.
        number: u64,
        /// Its hash in the manifest.
        hash: B256,
    },
    /// What was final is gone.
    #[error(
        "block {number} ({hash}) was final and is not on the chain that {rpc} serves, which has only block {shared} in common with what this process knows: nothing is promised on it. Point the process at an RPC of the right chain; if the chain itself was rolled back, see \"A chain that lost final blocks\" in docs/how-to/operate.md and set accept_rollback = {shared}"
    )]
    FinalityLost {
        /// Host and port.
        rpc: String,
        /// The final block.
        number: u64,
        /// The block's hash.
        hash: B256,
        /// The newest block that store and chain share.
        shared: u64,
    },
    /// The chain reorganized again and again during one step.
    #[error("the chain served by {rpc} reorganized {times} times while it was read; trying again later")]
    Restless {
        /// Host and port.
        rpc: String,
        /// How often it was handed out.
        times: u32,
    },
    /// The node contradicts itself between two requests.
    #[error(
        "the RPC at {rpc} gave logs of block {number} under hash {got} after naming it {expected}; several nodes behind one address?"
    )]
    Inconsistent {
        /// Host and port.
        rpc: String,
        /// The number of the block.
        number: u64,
        /// From the header.
        expected: B256,
        /// From the logs.
        got: B256,
    },
}

impl<E: std::error::Error + 'static> FollowError<E> {
    /// Whether nobody answers, which the chain client logs by itself.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Chain(error) if error.is_outage())
    }
}

/// How a follower reads.
#[derive(Clone, Copy, Debug)]
pub struct FollowerOptions {
    /// Blocks per request while catching up on final ones.
    pub range: u64,
    /// How often one step begins anew because the chain reorganized under it.
    pub restarts: u32,
    /// A person's word that final blocks after this one may be gone from the chain.
    pub accept_rollback: Option<u64>,
    /// Whether also to read what the houses decide, the treasury spends and members can buy: of use to who shows it alone.
    pub houses: bool,
}

impl Default for FollowerOptions {
    fn default() -> Self {
        Self { range: 2_000, restarts: 8, accept_rollback: None, houses: false }
    }
}

/// Where a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The chain's head.
    pub head: Head,
    /// The store's newest block.
    pub cursor: BlockRef,
    /// Events applied in this step.
    pub events: usize,
    /// The block that the store was rolled back to, if it was.
    pub rolled_back_to: Option<u64>,
}

/// Follows the contracts of one cooperative.
#[derive(Debug)]
pub struct Follower<S> {
    chain: Chain,
    addresses: Addresses,
    base: BlockRef,
    options: FollowerOptions,
    store: S,
    /// The newest block that this process saw as final.
    known_final: Option<BlockRef>,
    /// The one that the store keeps.
    kept_final: u64,
}

/// What one pass found.
enum Pass {
    CaughtUp(BlockRef),
    Reorganized,
}

impl<S: Store> Follower<S> {
    /// A follower that begins at the cooperative's first block, or at the store's cursor.
    pub fn new(chain: Chain, manifest: &Manifest, store: S) -> Self {
        Self::with_options(chain, manifest, store, FollowerOptions::default())
    }

    /// A follower that reads as told.
    pub fn with_options(chain: Chain, manifest: &Manifest, store: S, options: FollowerOptions) -> Self {
        Self {
            chain,
            addresses: manifest.addresses,
            base: manifest.base,
            options,
            store,
            known_final: None,
            kept_final: 0,
        }
    }

    /// The store that is kept in step with the chain.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Brings the store up to the chain's head.
    ///
    /// # Errors
    /// Where the RPC, a log or the store fails; the store then stands at the last applied block, and the next step
    /// goes on from there.
    pub async fn step(&mut self) -> Result<Progress, FollowError<S::Error>> {
        let mut events = 0;
        let mut rolled_back_to: Option<u64> = None;
        let mut restarts = 0;
        loop {
            let (head, cursor, undone) = self.settle_cursor().await?;
            if let Some(number) = undone {
                rolled_back_to = Some(rolled_back_to.map_or(number, |n| n.min(number)));
            }
            match self.walk(cursor, &head, &mut events).await? {
                Pass::CaughtUp(cursor) => {
                    self.note_final(&head.finalized).await?;
                    return Ok(Progress { head, cursor, events, rolled_back_to });
                }
                Pass::Reorganized if restarts < self.options.restarts => restarts += 1,
                Pass::Reorganized => {
                    return Err(FollowError::Restless { rpc: self.chain.rpc().to_owned(), times: restarts });
                }
            }
        }
    }

    /// Steps until `shutdown` resolves, with a pause of `every` between two steps; `progress` hears of each.
    /// A failed step is logged and tried again: the store lags meanwhile, and says so by its cursor.
    pub async fn run(
        &mut self,
        every: Duration,
        progress: &watch::Sender<Option<Progress>>,
        shutdown: impl Future<Output = ()>,
    ) {
        tokio::pin!(shutdown);
        loop {
            let step = tokio::select! {
                () = &mut shutdown => return,
                step = self.step() => step,
            };
            match step {
                Ok(now) => {
                    if let Some(block) = now.rolled_back_to {
                        tracing::warn!(block, "the chain reorganized; events after this block were undone");
                    }
                    progress.send_replace(Some(now));
                }
                Err(error) if error.is_outage() => tracing::debug!(%error, "following the chain waits for an RPC"),
                Err(error) => tracing::warn!(%error, "following the chain failed, trying again"),
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }

    /// The head, and the newest block that store and chain share; what the store holds after it is undone. One request
    /// where the chain only grew.
    async fn settle_cursor(&mut self) -> Result<(Head, BlockRef, Option<u64>), FollowError<S::Error>> {
        let newest = self.store.recent(1).await.map_err(FollowError::Store)?;
        let cursor = newest.first().unwrap_or(&self.base);
        let (head, found) = self.chain.look(Some(cursor.number)).await?;
        if found.is_some_and(|block| block.hash == cursor.hash) {
            return Ok((head, *cursor, None));
        }
        let recent = self.store.recent(KEPT_BLOCKS).await.map_err(FollowError::Store)?;
        let heights: Vec<_> = recent.iter().chain([&self.base]).map(|b| BlockNumberOrTag::Number(b.number)).collect();
        let found = self.chain.headers(&heights).await?;
        let shared =
            |(block, found): &(&BlockRef, Option<Header>)| found.as_ref().is_some_and(|f| f.hash == block.hash);
        let common = recent.iter().chain([&self.base]).zip(found).find(shared).map(|(block, _)| *block);
        let Some(block) = common else {
            return Err(FollowError::OtherChain {
                rpc: self.chain.rpc().to_owned(),
                number: self.base.number,
                hash: self.base.hash,
            });
        };
        if recent.is_empty() {
            return Ok((head, self.base, None));
        }
        self.refuse_lost_finality(&block).await?;
        let kept = (block != self.base || recent.contains(&self.base)).then_some(&block);
        self.store.rollback_to(kept).await.map_err(FollowError::Store)?;
        Ok((head, block, Some(block.number)))
    }

    /// Remembers what is final: at once for this process, now and then for the next one.
    async fn note_final(&mut self, block: &BlockRef) -> Result<(), FollowError<S::Error>> {
        self.known_final = Some(*block);
        // A lower one comes after a rollback that a person accepted.
        if block.number < self.kept_final || block.number >= self.kept_final + FINAL_STRIDE {
            self.store.keep_final(block).await.map_err(FollowError::Store)?;
            self.kept_final = block.number;
        }
        Ok(())
    }

    /// Fails where the chain lacks a block that was final, unless a person accepted it. The store stays as it was: an RPC
    /// of the right chain mends it.
    async fn refuse_lost_finality(&self, shared: &BlockRef) -> Result<(), FollowError<S::Error>> {
        let known = match self.known_final {
            Some(block) => Some(block),
            None => self.store.known_final().await.map_err(FollowError::Store)?,
        };
        let accepted = self.options.accept_rollback.is_some_and(|lowest| lowest <= shared.number);
        match known.filter(|block| block.number > shared.number && !accepted) {
            None => Ok(()),
            Some(block) => Err(FollowError::FinalityLost {
                rpc: self.chain.rpc().to_owned(),
                number: block.number,
                hash: block.hash,
                shared: shared.number,
            }),
        }
    }

    async fn is_on_chain(&self, block: &BlockRef) -> Result<bool, ChainError> {
        let found = self.chain.find_block(BlockId::number(block.number)).await?;
        Ok(found.is_some_and(|b| b.hash == block.hash))
    }

    async fn walk(&mut self, cursor: BlockRef, head: &Head, events: &mut usize) -> Result<Pass, FollowError<S::Error>> {
        let mut cursor = cursor;
        while cursor.number < head.latest.number {
            let next = cursor.number + 1;
            let advanced = if next + 1 < head.finalized.number {
                let last = head.finalized.number.min(cursor.number + self.options.range);
                self.apply_final_range(next, last, events).await?
            } else {
                let last = head.latest.number.min(cursor.number + OPEN_BLOCKS);
                self.apply_open_range(&cursor, last, events).await?
            };
            match advanced {
                Some(block) => cursor = block,
                None => return Ok(Pass::Reorganized),
            }
        }
        Ok(Pass::CaughtUp(cursor))
    }

    /// Applies the blocks of a final range that hold events, and its last block.
    async fn apply_final_range(
        &mut self,
        first: u64,
        last: u64,
        events: &mut usize,
    ) -> Result<Option<BlockRef>, FollowError<S::Error>> {
        let mut by_block: BTreeMap<u64, Vec<Log>> = BTreeMap::new();
        for log in self.logs(self.filter().from_block(first).to_block(last)).await? {
            by_block.entry(log.block_number.ok_or(DecodeError::Unplaced("block number"))?).or_default().push(log);
        }
        by_block.entry(last).or_default();
        let mut applied = None;
        let heights: Vec<_> = by_block.keys().map(|number| BlockNumberOrTag::Number(*number)).collect();
        let headers = self.chain.headers(&heights).await?;
        for (logs, header) in by_block.into_values().zip(headers) {
            let Some(block) = header.map(|header| BlockRef::from(&header)) else { return Ok(None) };
            *events += self.apply_logs(&block, &logs).await?;
            applied = Some(block);
        }
        Ok(applied)
    }

    /// Applies the blocks after the cursor one by one, `None` if the chain no longer continues there. Headers and logs come
    /// by one request, however many blocks there are.
    async fn apply_open_range(
        &mut self,
        cursor: &BlockRef,
        last: u64,
        events: &mut usize,
    ) -> Result<Option<BlockRef>, FollowError<S::Error>> {
        let first = cursor.number + 1;
        let heights: Vec<_> = (first..=last).map(BlockNumberOrTag::Number).collect();
        let filter = self.filter().from_block(first).to_block(last);
        let (headers, logs) = self.chain.batch(&heights, Some(&filter)).await?;
        let mut by_hash: HashMap<B256, Vec<Log>> = HashMap::new();
        // A node may refuse a range of which it lacks the last block, as behind a balancer: then each block is asked for.
        for log in logs {
            by_hash.entry(log.block_hash.ok_or(DecodeError::Unplaced("block hash"))?).or_default().push(log);
        }
        let mut cursor = *cursor;
        for header in headers {
            let Some(header) = header else { return Ok(None) };
            let block = BlockRef::from(&header);
            if cursor.hash != block.parent {
                return Ok(None);
            }
            let Some(logs) = self.logs_of(&block, &header, by_hash.remove(&block.hash)).await? else { return Ok(None) };
            *events += self.apply_logs(&block, &logs).await?;
            cursor = block;
        }
        Ok(Some(cursor))
    }

    /// The logs of one block: those that came with the range, unless the header says that there must be some. `None` where
    /// the block was replaced since.
    async fn logs_of(
        &self,
        block: &BlockRef,
        header: &Header,
        came: Option<Vec<Log>>,
    ) -> Result<Option<Vec<Log>>, FollowError<S::Error>> {
        if let Some(logs) = came {
            return Ok(Some(logs));
        }
        let filter = self.filter().at_block_hash(block.hash);
        if !filter.matches_bloom(header.logs_bloom()) {
            return Ok(Some(Vec::new()));
        }
        match self.logs(filter).await {
            Ok(logs) => Ok(Some(logs)),
            // A node knows no logs of a block that was replaced since.
            Err(_) if !self.is_on_chain(block).await? => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn apply_logs(&mut self, block: &BlockRef, logs: &[Log]) -> Result<usize, FollowError<S::Error>> {
        let mut located = Vec::with_capacity(logs.len());
        for log in logs {
            let Some(event) = decode(&self.addresses, log, block.timestamp)? else { continue };
            if !event.is_in(block) {
                return Err(FollowError::Inconsistent {
                    rpc: self.chain.rpc().to_owned(),
                    number: block.number,
                    expected: block.hash,
                    got: event.block_hash,
                });
            }
            located.push(event);
        }
        located.sort_by_key(|e| e.log_index);
        self.store.apply(block, &located).await.map_err(FollowError::Store)?;
        Ok(located.len())
    }

    async fn logs(&self, filter: Filter) -> Result<Vec<Log>, ChainError> {
        self.chain.provider().get_logs(&filter).await.map_err(|e| self.chain.error("eth_getLogs", &e))
    }

    fn filter(&self) -> Filter {
        let (mut places, mut topics) = (self.addresses.followed().to_vec(), super::decode::topics());
        if self.options.houses {
            places.extend(self.addresses.houses());
            topics.extend(super::houses::TOPICS);
        }
        Filter::new().address(places).event_signature(topics)
    }
}
