//! What only a local chain can do: jump in time, mine at will, hand out ether, forget its last blocks.

use alloy::eips::BlockId;
use alloy::primitives::{Address, U256};
use alloy::providers::ext::AnvilApi as _;
use alloy::rpc::types::anvil::{MineOptions, ReorgOptions};
use alloy::transports::TransportError;

use crate::client::{BlockRef, Chain, ChainError, LOCAL_CHAIN_ID};

/// The local chain, to be moved.
#[derive(Clone, Debug)]
pub struct LocalChain(Chain);

impl LocalChain {
    /// Takes hold of the chain.
    ///
    /// # Errors
    /// On any chain id but 31337.
    pub fn new(chain: &Chain) -> Result<Self, ChainError> {
        if chain.chain_id() != LOCAL_CHAIN_ID {
            return Err(ChainError::NotLocal { action: "moving the chain", chain_id: chain.chain_id() });
        }
        Ok(Self(chain.clone()))
    }

    /// Mines a block with the timestamp given (Unix seconds), and one more for each of `then`, a second apart: two
    /// make it final with one slot in an epoch. Later blocks follow on from there. Nothing happens where the chain
    /// is already past it.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn time_to(&self, timestamp: u64, then: u64) -> Result<BlockRef, ChainError> {
        if self.latest().await?.timestamp < timestamp {
            let jump = MineOptions::Options { timestamp: Some(timestamp), blocks: Some(1) };
            self.named("evm_mine", self.0.provider().evm_mine(Some(jump)).await)?;
        }
        if then > 0 {
            self.mine(then).await?;
        }
        self.latest().await
    }

    /// Goes on at the time of the latest block. A chain that was loaded from its state has forgotten that it was moved
    /// forward: without this its next block would be older than the one before.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn resume_time(&self) -> Result<(), ChainError> {
        let next = self.latest().await?.timestamp + 1;
        self.named("anvil_setTime", self.0.provider().anvil_set_time(next).await).map(drop)
    }

    /// Mines blocks, a second apart.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn mine(&self, blocks: u64) -> Result<BlockRef, ChainError> {
        self.named("anvil_mine", self.0.provider().anvil_mine(Some(blocks), Some(1)).await)?;
        self.latest().await
    }

    /// Gives an account this much ether, in wei.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn set_balance(&self, account: Address, wei: U256) -> Result<(), ChainError> {
        self.named("anvil_setBalance", self.0.provider().anvil_set_balance(account, wei).await)
    }

    /// Replaces the last `depth` blocks by as many empty ones; their transactions are gone.
    ///
    /// # Errors
    /// Where the RPC does not answer, or the chain is not that long.
    pub async fn reorg(&self, depth: u64) -> Result<BlockRef, ChainError> {
        let options = ReorgOptions { depth, tx_block_pairs: Vec::new() };
        self.named("anvil_reorg", self.0.provider().anvil_reorg(options).await)?;
        self.latest().await
    }

    async fn latest(&self) -> Result<BlockRef, ChainError> {
        self.0.block(BlockId::latest()).await
    }

    fn named<T>(&self, call: &str, answer: Result<T, TransportError>) -> Result<T, ChainError> {
        answer.map_err(|e| self.0.error(call, &e))
    }
}
