//! What only a local chain can do: jump in time, mine at will, hand out ether, forget its last blocks.

use std::time::Duration;

use alloy::eips::BlockId;
use alloy::network::TransactionBuilder as _;
use alloy::primitives::{Address, Bytes, U256};
use alloy::providers::Provider as _;
use alloy::providers::ext::AnvilApi as _;
use alloy::rpc::types::TransactionRequest;
use alloy::rpc::types::anvil::{MineOptions, ReorgOptions};
use alloy::sol_types::SolCall;
use alloy::transports::TransportError;

use crate::client::{BlockRef, Chain, ChainError, LOCAL_CHAIN_ID, gas_limit};

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

    /// Calls a contract in the name of any account, a contract's own among them, without its key; returns the gas.
    ///
    /// # Errors
    /// Where the contract refuses or the RPC does not answer.
    pub async fn act_as<C: SolCall>(&self, account: Address, to: Address, call: &C) -> Result<u64, ChainError> {
        let provider = self.0.provider();
        self.named("anvil_impersonateAccount", provider.anvil_impersonate_account(account).await)?;
        self.set_balance(account, U256::from(10).pow(U256::from(18))).await?;
        let request = TransactionRequest::default().from(account).to(to).input(Bytes::from(call.abi_encode()).into());
        let sent = async {
            // The block it lands in may begin checkpoints that the estimate found begun.
            let gas = provider.estimate_gas(request.clone()).await?;
            let request = request.with_gas_limit(gas_limit(gas));
            // An account that nobody has a key of has no use for a queue of transactions: each is waited for.
            let pending = provider.send_transaction(request).await?;
            let hash = *pending.tx_hash();
            loop {
                if let Some(receipt) = provider.get_transaction_receipt(hash).await? {
                    return Ok(receipt);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let receipt = self.named(C::SIGNATURE, sent.await)?;
        self.named("anvil_stopImpersonatingAccount", provider.anvil_stop_impersonating_account(account).await)?;
        if receipt.status() {
            return Ok(receipt.gas_used);
        }
        let (rpc, call) = (self.0.rpc().to_owned(), format!("{} at {to}", C::SIGNATURE));
        Err(ChainError::Refused { rpc, call, detail: "the transaction reverted".to_owned() })
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
