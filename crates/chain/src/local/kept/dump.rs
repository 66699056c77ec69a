//! A whole chain as anvil dumps it: read, checked, and kept in a file.
//!
//! Anvil dumps every block that it ever held, the genesis block of each of its own runs among them, in no order: a chain
//! that is loaded from such a dump may begin with the wrong one. Only the blocks that lead from the head to block 0 are
//! kept here, each checked to name the one before by its hash.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use alloy::consensus::Header;
use alloy::primitives::{B256, hex};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

/// Why a dump is no chain.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// A file cannot be read or written.
    #[error("it cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// The dump is no JSON.
    #[error("it is not what anvil dumps: {0}")]
    Json(#[from] serde_json::Error),
    /// The hexadecimal form.
    #[error("it is not what anvil dumps: {0}")]
    Hex(#[from] hex::FromHexError),
    /// A part.
    #[error("it is not what anvil dumps: {0} is missing")]
    Missing(&'static str),
    /// A block.
    #[error("block {number} ({hash}) is missing")]
    Gap {
        /// The block's number.
        number: u64,
        /// The block's hash.
        hash: B256,
    },
    /// A block of another number.
    #[error("block {hash} is numbered {found}, its place is {expected}")]
    Number {
        /// The block's hash.
        hash: B256,
        /// As it says.
        found: u64,
        /// By its place.
        expected: u64,
    },
    /// A transaction's receipt.
    #[error("{found} transactions are kept with their receipts, the blocks hold {expected}")]
    Transactions {
        /// Kept.
        found: usize,
        /// In the blocks.
        expected: usize,
    },
}

/// A chain with its state, checked.
#[derive(Clone, Debug)]
pub struct Dump {
    json: Value,
    number: u64,
    hash: B256,
}

impl Dump {
    /// What anvil answered to `anvil_dumpState` while the block `head` was its newest.
    ///
    /// # Errors
    /// Where it is no whole chain up to that block.
    pub fn from_rpc(answer: &str, head: B256) -> Result<Self, DumpError> {
        let json: Value = serde_json::from_slice(&unpack(&hex::decode(answer)?[..])?)?;
        Self::checked(json, Some(head))
    }

    /// Reads a file of [`Self::save`].
    ///
    /// # Errors
    /// Where it is cut off, damaged, or no whole chain.
    pub fn load(path: &Path) -> Result<Self, DumpError> {
        let json: Value = serde_json::from_slice(&unpack(File::open(path)?)?)?;
        Self::checked(json, None)
    }

    /// Writes it beside its place, and there once it is on the disk: whole or not at all.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn save(&self, path: &Path) -> Result<(), DumpError> {
        let partial = path.with_extension("partial");
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(&self.pack()?)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)?;
        sync_directory(path)?;
        Ok(())
    }

    /// As `anvil_loadState` takes it.
    ///
    /// # Errors
    /// Where there is no memory left to pack it.
    pub fn to_rpc(&self) -> Result<String, DumpError> {
        Ok(hex::encode_prefixed(self.pack()?))
    }

    /// The newest block.
    #[must_use]
    pub fn head(&self) -> (u64, B256) {
        (self.number, self.hash)
    }

    fn pack(&self) -> Result<Vec<u8>, DumpError> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut packer, &self.json)?;
        Ok(packer.finish()?)
    }

    /// Keeps the chain that ends with `head`, or with the only block of the best number.
    fn checked(mut json: Value, head: Option<B256>) -> Result<Self, DumpError> {
        let number = json["best_block_number"].as_u64().ok_or(DumpError::Missing("best_block_number"))?;
        let blocks = json["blocks"].as_array_mut().map(std::mem::take).ok_or(DumpError::Missing("blocks"))?;
        let mut by_hash = HashMap::with_capacity(blocks.len());
        let mut best = None;
        for block in blocks {
            let header: Header = serde_json::from_value(block["header"].clone())?;
            let hash = header.hash_slow();
            if header.number == number {
                best = Some(hash);
            }
            by_hash.insert(hash, (header, block));
        }
        let head = head.or(best).ok_or(DumpError::Missing("the newest block"))?;
        let (kept, transactions) = canonical(by_hash, number, head)?;
        let hashes: std::collections::HashSet<B256> = kept.iter().map(|(hash, _)| *hash).collect();
        let all = json["transactions"].as_array_mut().map(std::mem::take).ok_or(DumpError::Missing("transactions"))?;
        let mut receipts = Vec::with_capacity(all.len());
        for mut transaction in all {
            let hash: B256 = serde_json::from_value(transaction["block_hash"].clone())?;
            if hashes.contains(&hash) {
                // Nobody asks this chain for traces, which are the larger part of a dump.
                transaction["info"]["traces"] = Value::Array(Vec::new());
                receipts.push(transaction);
            }
        }
        if receipts.len() != transactions {
            return Err(DumpError::Transactions { found: receipts.len(), expected: transactions });
        }
        json["transactions"] = Value::Array(receipts);
        json["blocks"] = Value::Array(kept.into_iter().map(|(_, block)| block).collect());
        json["historical_states"] = Value::Null;
        if !json["accounts"].is_object() {
            return Err(DumpError::Missing("accounts"));
        }
        Ok(Self { json, number, hash: head })
    }
}

type Blocks = Vec<(B256, Value)>;

/// The blocks from 0 to the head, and how many transactions they hold.
fn canonical(
    mut by_hash: HashMap<B256, (Header, Value)>,
    number: u64,
    head: B256,
) -> Result<(Blocks, usize), DumpError> {
    let (mut kept, mut transactions) = (Vec::with_capacity(by_hash.len()), 0);
    let (mut expected, mut hash) = (number, head);
    loop {
        let (header, block) = by_hash.remove(&hash).ok_or(DumpError::Gap { number: expected, hash })?;
        if header.number != expected {
            return Err(DumpError::Number { hash, found: header.number, expected });
        }
        transactions += block["transactions"].as_array().map_or(0, Vec::len);
        kept.push((hash, block));
        if expected == 0 {
            kept.reverse();
            return Ok((kept, transactions));
        }
        (expected, hash) = (expected - 1, header.parent_hash);
    }
}

fn unpack(packed: impl std::io::Read) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut text)?;
    Ok(text)
}

/// Makes a new name in a directory outlast a power cut.
pub fn sync_directory(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
