//! A local chain that outlasts its anvil, this process and the machine.
//!
//! Anvil keeps a chain in memory and writes it when it ends well. Here every request passes by this process, which mines
//! (anvil does not), and notes each transaction and block in a journal before anybody is told of it. A block is final once
//! two more are mined, and each is noted before the next one: **what anyone could see as final is on the disk.** A dump
//! of the whole chain, checked and written beside its place, begins a new journal now and then; the one before is kept.
//! After a fall the dump is loaded and the journal mined again, to the same hashes.

mod dump;
mod error;
mod files;
mod http;
mod journal;
mod replay;
mod rpc;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy::primitives::{B256, Bytes, hex, keccak256};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

pub use dump::DumpError;
pub use error::KeptError;
pub use http::serve;
pub use replay::Restored;
pub use rpc::RpcError;

use self::files::Files;
use self::journal::{Entry, Mined};
use self::rpc::{Effect, Rpc, effect};
use super::{Anvil, AnvilOptions, Mining};

/// Blocks in a journal before a new dump: what is mined again within a second or two.
const MOST_BLOCKS: u64 = 500;
/// Bytes in a journal before a new dump.
const MOST_BYTES: u64 = 8 << 20;
/// Blocks that are mined each second after a transaction; then the chain idles.
const LIVELY_BLOCKS: u32 = 120;
/// Time between two blocks of an idle chain, well below what makes a head stale.
const IDLE: Duration = Duration::from_secs(15);
/// Blocks that make the one before them final and its state readable.
const FINALITY: u64 = 3;
/// Past states that anvil keeps on disk beside the 500 in its memory: each is some hundred KB, and an idle chain makes 240 an hour.
const PAST_STATES: u64 = 8;

/// Where and how a chain is kept.
#[derive(Clone, Debug)]
pub struct KeptOptions {
    /// Its directory, which nothing else writes to.
    pub directory: PathBuf,
    /// A program and its arguments that run anvil, so that it ends with its parent; none to run it directly.
    pub runner: Vec<OsString>,
}

/// A local chain that is kept.
#[derive(Debug)]
pub struct KeptChain {
    options: KeptOptions,
    rpc: RwLock<Option<Rpc>>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    anvil: Option<Anvil>,
    files: Files,
    /// The newest block that is noted.
    head: u64,
    /// Transactions that were taken and are in no block yet, in their order.
    pending: Vec<(B256, Bytes)>,
    blocks: u64,
    idle: u32,
    mined: Instant,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    number: alloy::primitives::U64,
    hash: B256,
    timestamp: alloy::primitives::U64,
    base_fee_per_gas: alloy::primitives::U64,
    transactions: Vec<B256>,
}

impl KeptChain {
    /// Starts anvil with the chain that is kept in the directory, a new one where there is none. The thread that calls
    /// must outlast the chain: a runner that ends with its parent ends with that thread.
    ///
    /// # Errors
    /// Where anvil does not start, or what is kept cannot be read.
    pub async fn open(options: KeptOptions) -> Result<(Self, Restored), KeptError> {
        let files = Files::open(&options.directory)?;
        let inner =
            Inner { anvil: None, files, head: 0, pending: Vec::new(), blocks: 0, idle: 0, mined: Instant::now() };
        let chain = Self { options, rpc: RwLock::new(None), inner: Mutex::new(inner) };
        let restored = chain.revive().await?;
        Ok((chain, restored))
    }

    /// Starts anvil again, with everything that was noted.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn revive(&self) -> Result<Restored, KeptError> {
        let mut inner = self.inner.lock().await;
        self.serve(None);
        inner.anvil = None;
        let anvil = Anvil::spawn(&self.anvil_options())?;
        let rpc = Rpc::new(anvil.url());
        inner.anvil = Some(anvil);
        let restored = inner.restore(&rpc).await?;
        self.serve(Some(rpc));
        Ok(restored)
    }

    /// Whether anvil still runs.
    pub async fn is_running(&self) -> bool {
        self.inner.lock().await.anvil.as_mut().is_some_and(Anvil::is_running)
    }

    /// Anvil's process id.
    pub async fn pid(&self) -> Option<u32> {
        self.inner.lock().await.anvil.as_ref().map(Anvil::pid)
    }

    /// The answer to a JSON-RPC request, or to a batch of them.
    ///
    /// # Errors
    /// Where anvil does not answer, or the chain cannot be kept.
    pub async fn answer(&self, body: Vec<u8>) -> Result<Vec<u8>, KeptError> {
        let rpc = self.upstream()?;
        let parsed: Value = serde_json::from_slice(&body).unwrap_or_default();
        let changes = |request: &Value| effect(method(request)) != Effect::None;
        let answer = match &parsed {
            Value::Array(all) if all.iter().any(changes) => {
                let mut answers = Vec::with_capacity(all.len());
                for request in all {
                    answers.push(self.one(&rpc, request).await?);
                }
                Value::Array(answers)
            }
            one @ Value::Object(_) if changes(one) => self.one(&rpc, one).await?,
            _ => return Ok(rpc.forward(body).await?),
        };
        Ok(answer.to_string().into_bytes())
    }

    /// Mines a block where one is due: each second while there is something to become final, seldom on an idle chain.
    ///
    /// # Errors
    /// Where anvil does not answer, or the chain cannot be kept.
    pub async fn tick(&self) -> Result<(), KeptError> {
        let mut inner = self.inner.lock().await;
        let rpc = self.upstream()?;
        if inner.idle < LIVELY_BLOCKS || inner.mined.elapsed() >= IDLE {
            inner.idle = inner.idle.saturating_add(1);
            inner.mine(&rpc).await?;
        }
        Ok(())
    }

    /// Writes a dump and ends anvil.
    ///
    /// # Errors
    /// Where the dump cannot be written: the journal has everything nevertheless.
    pub async fn close(&self) -> Result<(), KeptError> {
        let mut inner = self.inner.lock().await;
        let kept = match self.upstream() {
            Ok(rpc) => inner.dump(&rpc).await,
            Err(error) => Err(error),
        };
        self.serve(None);
        inner.anvil = None;
        kept
    }

    async fn one(&self, rpc: &Rpc, request: &Value) -> Result<Value, KeptError> {
        let effect = effect(method(request));
        if effect == Effect::None {
            return Ok(rpc.pass(request).await?);
        }
        let mut inner = self.inner.lock().await;
        // The one that was there before the lock may have ended since.
        let rpc = self.upstream()?;
        match effect {
            Effect::Sends => inner.send(&rpc, request).await,
            Effect::Mines | Effect::None => {
                let answer = rpc.pass(request).await?;
                inner.note(&rpc).await?;
                Ok(answer)
            }
            Effect::Rewrites => {
                let answer = rpc.pass(request).await?;
                if answer.get("error").is_some() {
                    return Ok(answer);
                }
                if method(request).starts_with("eth_") {
                    inner.idle = 0;
                    rpc.call::<Value>("evm_mine", json!([])).await?;
                }
                inner.dump(&rpc).await?;
                Ok(answer)
            }
        }
    }

    fn upstream(&self) -> Result<Rpc, KeptError> {
        self.rpc.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(KeptError::Down)
    }

    fn serve(&self, rpc: Option<Rpc>) {
        *self.rpc.write().unwrap_or_else(PoisonError::into_inner) = rpc;
    }

    fn anvil_options(&self) -> AnvilOptions {
        let directory = &self.options.directory;
        AnvilOptions {
            mining: Mining::Manual,
            log: Some(directory.join("log")),
            past: Some((directory.join("past"), PAST_STATES)),
            runner: self.options.runner.clone(),
            own_group: true,
            ..AnvilOptions::default()
        }
    }
}

impl Inner {
    /// Notes a signed transaction, gives it to anvil, mines, and notes the block.
    async fn send(&mut self, rpc: &Rpc, request: &Value) -> Result<Value, KeptError> {
        let raw = request["params"][0].as_str().and_then(|text| hex::decode(text).ok());
        let Some(raw) = raw.map(Bytes::from) else { return Ok(rpc.pass(request).await?) };
        let hash = keccak256(&raw);
        let new = !self.pending.iter().any(|(one, _)| *one == hash);
        if new {
            self.files.append(&Entry::Sent(raw.clone()))?;
            self.pending.push((hash, raw));
        }
        let answer = rpc.pass(request).await?;
        if answer.get("error").is_some() {
            if new {
                self.files.append(&Entry::Refused(hash))?;
                self.pending.pop();
            }
            return Ok(answer);
        }
        self.idle = 0;
        self.mine(rpc).await?;
        Ok(answer)
    }

    async fn mine(&mut self, rpc: &Rpc) -> Result<(), KeptError> {
        rpc.call::<Value>("evm_mine", json!([])).await?;
        self.note(rpc).await
    }

    /// Notes the blocks that are new, and begins a new journal where this one is long.
    async fn note(&mut self, rpc: &Rpc) -> Result<(), KeptError> {
        let mut newest = block(rpc, "latest").await?;
        let latest = newest.number;
        if latest < self.head {
            return self.dump(rpc).await;
        }
        for number in self.head + 1..=latest {
            if number != latest || number != newest.number {
                newest = block(rpc, &format!("{number:#x}")).await?;
            }
            self.pending.retain(|(hash, _)| !newest.transactions.contains(hash));
            self.files.append(&Entry::Mined(newest.clone()))?;
        }
        if latest > self.head {
            self.files.sync()?;
            self.blocks += latest - self.head;
            (self.head, self.mined) = (latest, Instant::now());
        }
        if self.blocks >= MOST_BLOCKS || self.files.bytes() >= MOST_BYTES {
            self.dump(rpc).await?;
        }
        Ok(())
    }

    /// Writes the whole chain and begins a new journal.
    async fn dump(&mut self, rpc: &Rpc) -> Result<(), KeptError> {
        let head = block(rpc, "latest").await?;
        let answer: String = rpc.call("anvil_dumpState", json!([])).await?;
        let dump = dump::Dump::from_rpc(&answer, head.hash)?;
        self.pending.retain(|(hash, _)| !head.transactions.contains(hash));
        self.files.begin(&dump, self.pending.iter().map(|(_, raw)| raw))?;
        (self.head, self.blocks) = (head.number, 0);
        Ok(())
    }
}

async fn block(rpc: &Rpc, id: &str) -> Result<Mined, KeptError> {
    let found: Block = rpc.call("eth_getBlockByNumber", json!([id, false])).await?;
    Ok(Mined {
        number: found.number.to(),
        hash: found.hash,
        timestamp: found.timestamp.to(),
        base_fee: found.base_fee_per_gas.to(),
        transactions: found.transactions,
    })
}

fn method(request: &Value) -> &str {
    request["method"].as_str().unwrap_or_default()
}

/// The world's time, Unix seconds.
fn world() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
