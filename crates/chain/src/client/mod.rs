//! One process's view of the chain: a checked RPC connection, a head that is known to advance, and a sender of
//! transactions.

mod clock;
mod error;
mod failover;
mod options;
mod prepare;
mod revert;
mod sender;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::consensus::BlockHeader as _;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, U256};
use alloy::providers::{DynProvider, Provider as _, ProviderBuilder};
use alloy::rpc::client::{BatchRequest, RpcClient};
use alloy::rpc::types::{Block, Filter, Header, Log, TransactionRequest};
use alloy::sol_types::SolCall;
use alloy::transports::TransportError;
use alloy::transports::http::reqwest::Url;
use alloy::transports::http::{Http, reqwest};
use serde::{Deserialize, Serialize};

pub use clock::{Clock, ManualClock, SystemClock};
pub use error::ChainError;
use failover::{Failover, Rpc};
pub use options::SenderOptions;
pub(crate) use options::gas_limit;
pub use revert::Revert;
pub use sender::{Receipt, SendError, Sender};

/// The chain id of the local chain, the only one whose time may be moved.
pub const LOCAL_CHAIN_ID: u64 = 31_337;

/// A fall of the head by more than this is no reorganization but a lagging or reset node.
const DEEPEST_REORG: u64 = 64;

/// How many final blocks are remembered by their hash.
const FINALS: usize = 32;

/// Blocks asked for by one request.
const BATCH: usize = 64;

/// A block, by what binds it to its past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlockRef {
    /// Height.
    pub number: u64,
    /// Hash.
    pub hash: B256,
    /// Hash of the block before.
    pub parent: B256,
    /// Unix seconds.
    pub timestamp: u64,
}

impl From<&Header> for BlockRef {
    fn from(header: &Header) -> Self {
        Self { number: header.number(), hash: header.hash, parent: header.parent_hash(), timestamp: header.timestamp() }
    }
}

/// The head of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The newest block; its timestamp is protocol time.
    pub latest: BlockRef,
    /// The newest block that will not be undone.
    pub finalized: BlockRef,
}

/// How a process connects.
#[derive(Clone, Copy, Debug)]
pub struct ChainOptions {
    /// The chain id that the process is configured for.
    pub chain_id: u64,
    /// A head that has not changed for this long is stale.
    pub stale_after: Duration,
    /// Time allowed for one request.
    pub request_timeout: Duration,
}

impl ChainOptions {
    /// Defaults for a chain: a head is stale after 60 s, a request may take 20 s.
    #[must_use]
    pub fn new(chain_id: u64) -> Self {
        Self { chain_id, stale_after: Duration::from_secs(60), request_timeout: Duration::from_secs(20) }
    }
}

/// A handle on one RPC or several, checked to serve the chain that was asked for. Clones share it.
#[derive(Clone)]
pub struct Chain {
    provider: DynProvider,
    failover: Failover,
    rpc: Arc<str>,
    options: ChainOptions,
    clock: Arc<dyn Clock>,
    seen: Arc<Mutex<Option<Seen>>>,
    /// Final blocks that were asked for last by their hash.
    finals: Arc<Mutex<VecDeque<BlockRef>>>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("rpc", &self.rpc).field("chain_id", &self.options.chain_id).finish()
    }
}

/// An RPC by its URL.
fn rpc_at(url: &str, timeout: Duration) -> Result<Rpc, ChainError> {
    let bad = || ChainError::BadUrl(url.to_owned());
    let parsed: Url = url.parse().map_err(|_| bad())?;
    let (host, port) = (parsed.host_str().ok_or_else(bad)?, parsed.port_or_known_default().ok_or_else(bad)?);
    let name = format!("{host}:{port}").into();
    let client = reqwest::Client::builder().timeout(timeout).build().unwrap_or_default();
    Ok(Rpc { transport: Http::with_client(client, parsed), name })
}

fn provider(client: RpcClient) -> DynProvider {
    ProviderBuilder::new().disable_recommended_fillers().connect_client(client).erased()
}

/// The head as it was when it last changed.
struct Seen {
    hash: B256,
    since: Duration,
    highest: u64,
}

impl Chain {
    /// Connects and checks the chain id.
    ///
    /// # Errors
    /// Where the address is no URL, nobody answers, or the node serves another chain.
    pub async fn connect(url: &str, options: ChainOptions, clock: Arc<dyn Clock>) -> Result<Self, ChainError> {
        Self::connect_any(url, &[], options, clock).await
    }

    /// Connects to several RPCs of one chain: one is asked until it does not answer or its head stands still, then the next.
    ///
    /// # Errors
    /// Where an address is no URL, none of them answers, or one serves another chain.
    pub async fn connect_any(
        url: &str,
        fallbacks: &[String],
        options: ChainOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ChainError> {
        let urls = [url].into_iter().chain(fallbacks.iter().map(String::as_str));
        let rpcs = urls.map(|url| rpc_at(url, options.request_timeout)).collect::<Result<Vec<_>, _>>()?;
        let mut answer = Err(ChainError::BadUrl(url.to_owned()));
        for Rpc { transport, name } in &rpcs {
            let asked = provider(RpcClient::new(transport.clone(), transport.guess_local())).get_chain_id().await;
            match asked {
                Ok(actual) if actual != options.chain_id => {
                    return Err(ChainError::WrongChain { rpc: name.to_string(), expected: options.chain_id, actual });
                }
                Ok(_) => answer = Ok(()),
                Err(error) if answer.is_err() => answer = Err(error::from_transport(name, "eth_chainId", &error)),
                Err(error) => tracing::warn!(rpc = %name, %error, "one of several RPCs does not answer"),
            }
        }
        answer?;
        let names: Vec<&str> = rpcs.iter().map(|rpc| &*rpc.name).collect();
        let (rpc, local) = (names.join(" or ").into(), rpcs.iter().all(|rpc| rpc.transport.guess_local()));
        let failover = Failover::new(rpcs, Arc::clone(&clock));
        let provider = provider(RpcClient::new(failover.clone(), local));
        Ok(Self { provider, failover, rpc, options, clock, seen: Arc::default(), finals: Arc::default() })
    }

    /// A chain behind any provider, as one inside this process; `name` is for messages.
    ///
    /// # Errors
    /// Where the provider does not answer, or serves another chain.
    pub async fn over(
        provider: DynProvider,
        name: &str,
        options: ChainOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ChainError> {
        let asked = provider.get_chain_id().await;
        let actual = asked.map_err(|error| error::from_transport(name, "eth_chainId", &error))?;
        if actual != options.chain_id {
            return Err(ChainError::WrongChain { rpc: name.to_owned(), expected: options.chain_id, actual });
        }
        let (failover, rpc) = (Failover::new(Vec::new(), Arc::clone(&clock)), name.into());
        Ok(Self { provider, failover, rpc, options, clock, seen: Arc::default(), finals: Arc::default() })
    }

    /// The provider, for calls through the bindings.
    #[must_use]
    pub fn provider(&self) -> &DynProvider {
        &self.provider
    }

    /// The chain's id.
    #[must_use]
    pub fn chain_id(&self) -> u64 {
        self.options.chain_id
    }

    /// Host and port of the RPC, for messages.
    #[must_use]
    pub fn rpc(&self) -> &str {
        &self.rpc
    }

    /// The latest and the finalized block, by one request.
    ///
    /// # Errors
    /// Where the RPC does not answer, or its head has stood still for longer than allowed: nothing may be decided
    /// on a stale head.
    pub async fn head(&self) -> Result<Head, ChainError> {
        Ok(self.look(None).await?.0)
    }

    /// The head and, by the same request, the block that the chain has at a height.
    ///
    /// # Errors
    /// As [`Self::head`].
    pub async fn look(&self, height: Option<u64>) -> Result<(Head, Option<BlockRef>), ChainError> {
        let tags = [BlockNumberOrTag::Finalized, BlockNumberOrTag::Latest];
        let tags: Vec<_> = tags.into_iter().chain(height.map(BlockNumberOrTag::Number)).collect();
        let mut found = self.headers(&tags).await?.into_iter().map(|h| h.map(|h| BlockRef::from(&h)));
        let mut next = |tag: &str| {
            let none = || ChainError::NoBlock { rpc: self.rpc.to_string(), block: tag.to_owned() };
            found.next().flatten().ok_or_else(none)
        };
        let (finalized, latest) = (next("finalized")?, next("latest")?);
        self.fresh(&latest)?;
        Ok((Head { latest, finalized }, found.next().flatten()))
    }

    /// Headers by height or tag, by one request for each 64 of them; `None` where the node has no such block.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub(crate) async fn headers(&self, ids: &[BlockNumberOrTag]) -> Result<Vec<Option<Header>>, ChainError> {
        let mut headers = Vec::with_capacity(ids.len());
        for some in ids.chunks(BATCH) {
            headers.extend(self.batch(some, None).await?.0);
        }
        Ok(headers)
    }

    /// Headers by height or tag, at most 64, and by the same request the logs that pass a filter: none where the node refuses
    /// them.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub(crate) async fn batch(
        &self,
        ids: &[BlockNumberOrTag],
        logs: Option<&Filter>,
    ) -> Result<(Vec<Option<Header>>, Vec<Log>), ChainError> {
        let method = "eth_getBlockByNumber";
        let failed = |e: TransportError| self.error(method, &e);
        let mut batch = BatchRequest::new(self.provider.client());
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            answers.push(batch.add_call::<_, Option<Block>>(method, &(id, false)).map_err(failed)?);
        }
        let logs = logs.map(|filter| batch.add_call::<_, Vec<Log>>("eth_getLogs", &[filter])).transpose();
        let logs = logs.map_err(failed)?;
        batch.send().await.map_err(failed)?;
        let mut headers = Vec::with_capacity(ids.len());
        for answer in answers {
            headers.push(answer.await.map_err(failed)?.map(|block| block.header));
        }
        let logs = match logs {
            Some(logs) => logs.await.unwrap_or_default(),
            None => Vec::new(),
        };
        Ok((headers, logs))
    }

    /// Protocol time: the timestamp of the latest block, in Unix seconds.
    ///
    /// # Errors
    /// As [`Self::head`].
    pub async fn now(&self) -> Result<u64, ChainError> {
        let latest = self.block(BlockNumberOrTag::Latest.into()).await?;
        self.fresh(&latest)?;
        Ok(latest.timestamp)
    }

    /// A block by number, hash or tag.
    ///
    /// # Errors
    /// Where the RPC does not answer or does not have it.
    pub async fn block(&self, id: BlockId) -> Result<BlockRef, ChainError> {
        let found = self.find_block(id).await?;
        found.ok_or_else(|| ChainError::NoBlock { rpc: self.rpc.to_string(), block: format!("{id:?}") })
    }

    /// A block by number, hash or tag, `None` where the node has no such block.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn find_block(&self, id: BlockId) -> Result<Option<BlockRef>, ChainError> {
        let block = self.provider.get_block(id).await.map_err(|e| self.error("eth_getBlock", &e))?;
        Ok(block.map(|b| BlockRef::from(&b.header)))
    }

    /// The block of this hash, where it is on the chain and final by `head`; `None` where it is not.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn final_block(&self, head: &Head, hash: B256) -> Result<Option<BlockRef>, ChainError> {
        if hash == head.finalized.hash {
            return Ok(Some(head.finalized));
        }
        let known = self.finals.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|b| b.hash == hash).copied();
        if known.is_some_and(|block| block.number < head.finalized.number) {
            return Ok(known);
        }
        let found = self.find_block(BlockId::hash(hash)).await?;
        // A node also knows blocks by their hash that were replaced.
        match found.filter(|block| block.number < head.finalized.number) {
            Some(block) => {
                let same = self.find_block(BlockId::number(block.number)).await?.filter(|same| same.hash == hash);
                if let Some(block) = same {
                    let mut finals = self.finals.lock().unwrap_or_else(PoisonError::into_inner);
                    finals.truncate(FINALS - 1);
                    finals.push_front(block);
                }
                Ok(same)
            }
            None => Ok(None),
        }
    }

    /// The last block with a timestamp of at most `end` (Unix seconds), or `None` until it is final: until a
    /// later block is finalized, one with such a timestamp could still come or go.
    ///
    /// # Errors
    /// Where the RPC does not answer, or the chain began after `end`.
    pub async fn cut_block(&self, end: u64) -> Result<Option<BlockRef>, ChainError> {
        let finalized = self.block(BlockNumberOrTag::Finalized.into()).await?;
        if finalized.timestamp <= end {
            return Ok(None);
        }
        // Invariant: the block `after` is later than `end`, `at` is not.
        let (mut at, mut after) = (self.block(BlockId::number(0)).await?, finalized.number);
        if at.timestamp > end {
            return Err(ChainError::NoBlock { rpc: self.rpc.to_string(), block: format!("at or before time {end}") });
        }
        while after - at.number > 1 {
            let middle = self.block(BlockId::number(at.number + (after - at.number) / 2)).await?;
            if middle.timestamp > end {
                after = middle.number;
            } else {
                at = middle;
            }
        }
        Ok(Some(at))
    }

    /// Calls a view function at the latest block.
    ///
    /// # Errors
    /// Where the RPC does not answer, the call reverts (the custom error is named), or there is no such contract.
    pub async fn view<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, ChainError> {
        self.view_at(to, call, BlockId::latest()).await
    }

    /// Calls a view function as of a block.
    ///
    /// # Errors
    /// As [`Self::view`]; also where the node no longer has the state of that block.
    pub async fn view_at<C: SolCall>(&self, to: Address, call: &C, at: BlockId) -> Result<C::Return, ChainError> {
        let request = TransactionRequest::default().to(to).input(call.abi_encode().into());
        let refused = |detail: String| ChainError::Refused {
            rpc: self.rpc.to_string(),
            call: format!("{} at {to}", C::SIGNATURE),
            detail,
        };
        let data = self.provider.call(request).block(at).await.map_err(|e| {
            Revert::from_transport(&e)
                .map_or_else(|| self.error(C::SIGNATURE, &e), |revert| refused(revert.to_string()))
        })?;
        C::abi_decode_returns(&data)
            .map_err(|e| refused(format!("the answer does not decode ({e}); is this the contract?")))
    }

    /// What a unit of gas costs now, in wei.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn gas_price(&self) -> Result<u128, ChainError> {
        self.provider.get_gas_price().await.map_err(|e| self.error("eth_gasPrice", &e))
    }

    /// What an account pays gas from, in wei.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn balance(&self, account: Address) -> Result<U256, ChainError> {
        self.provider.get_balance(account).await.map_err(|e| self.error("eth_getBalance", &e))
    }

    /// The transport error with this RPC's name.
    pub(crate) fn error(&self, call: &str, error: &TransportError) -> ChainError {
        error::from_transport(&self.rpc, call, error)
    }

    /// Refuses a head that stands still or fell back; the next RPC may have a better one.
    fn fresh(&self, latest: &BlockRef) -> Result<(), ChainError> {
        self.check_freshness(latest).inspect_err(|_| self.failover.leave())
    }

    fn check_freshness(&self, latest: &BlockRef) -> Result<(), ChainError> {
        let now = self.clock.elapsed();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = seen.as_ref().map_or(0, |s| s.highest);
        if latest.number + DEEPEST_REORG < highest {
            return Err(ChainError::FellBack { rpc: self.rpc.to_string(), seen: highest, number: latest.number });
        }
        match seen.as_ref().filter(|s| s.hash == latest.hash) {
            Some(same) => {
                let age = now.saturating_sub(same.since);
                if age > self.options.stale_after {
                    return Err(ChainError::Stale {
                        rpc: self.rpc.to_string(),
                        number: latest.number,
                        seconds: age.as_secs(),
                        limit: self.options.stale_after.as_secs(),
                    });
                }
            }
            None => *seen = Some(Seen { hash: latest.hash, since: now, highest: highest.max(latest.number) }),
        }
        Ok(())
    }
}
