//! Blocks on blocks: a transaction is a block of its own, a second after the one before.

use std::collections::HashMap;

use alloy::consensus::constants::EMPTY_ROOT_HASH;
use alloy::consensus::transaction::Recovered;
use alloy::consensus::{
    BlockHeader as _, EMPTY_OMMER_ROOT_HASH, Eip658Value, Header as Sealed, Receipt, ReceiptEnvelope, ReceiptWithBloom,
    Transaction as _, TxEnvelope, TxType, Typed2718 as _,
};
use alloy::eips::eip2718::Decodable2718 as _;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, Bloom, Bytes, Log, U256, address, hex, keccak256};
use alloy::rpc::types::{
    Block, BlockTransactions, Filter, FilterBlockOption, Header, Log as PlacedLog, Transaction, TransactionReceipt,
    TransactionRequest,
};
use revm::bytecode::Bytecode;
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::context_interface::result::{EVMError, ExecResultAndState, ExecutionResult, InvalidTransaction};
use revm::database_interface::WrapDatabaseRef;
use revm::primitives::hardfork::SpecId;
use revm::state::EvmState;
use revm::{Context, ExecuteEvm as _, MainBuilder as _, MainContext as _};

use super::state::State;

/// Gas of a block, as on anvil.
const BLOCK_GAS: u64 = 30_000_000;

/// The most gas of one transaction (EIP-7825).
const MOST_GAS: u64 = 1 << 24;

/// An estimate of gas is above what is needed by at most this part of it.
const ESTIMATE: u64 = 64;

/// The base fee of every block, in wei: what the economy of gas would do to it is another chain's matter.
pub(super) const BASE_FEE: u64 = 1_000_000_000;

/// How many blocks after it make a block final, as on an anvil with one slot in an epoch.
const FINAL_AFTER: u64 = 2;

/// The contract that puts others at addresses which follow from their code; every chain has it, anvil from the start.
const DEPLOYER: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
const DEPLOYER_CODE: [u8; 69] = hex!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The contract refuses.
    #[error("execution reverted")]
    Reverted(Bytes),
    /// The machine stopped.
    #[error("execution halted: {0}")]
    Halted(String),
    /// The transaction does not fit the chain.
    #[error("{0}")]
    Invalid(String),
    /// There is no such block.
    #[error("block not found")]
    NoBlock,
}

/// A block with what is in it.
struct Mined {
    header: Header,
    transaction: Option<(Recovered<TxEnvelope>, TransactionReceipt)>,
    /// The state after it.
    state: State,
}

/// A chain.
pub(super) struct Blocks {
    chain_id: u64,
    /// The state on which the next block builds: ether may have been given since the last one.
    state: State,
    mined: Vec<Mined>,
    /// Numbers of blocks by their hash.
    by_hash: HashMap<B256, u64>,
    /// Numbers of blocks by the hash of their transaction.
    by_transaction: HashMap<B256, u64>,
}

/// In which block something runs.
#[derive(Clone, Copy)]
struct Moment {
    number: u64,
    timestamp: u64,
    base_fee: u64,
}

impl Moment {
    fn env(self) -> BlockEnv {
        BlockEnv {
            number: U256::from(self.number),
            beneficiary: Address::ZERO,
            timestamp: U256::from(self.timestamp),
            gas_limit: BLOCK_GAS,
            basefee: self.base_fee,
            difficulty: U256::ZERO,
            prevrandao: Some(mix(self.number)),
            blob_excess_gas_and_price: Some(BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice: 1 }),
            slot_num: 0,
        }
    }
}

/// Drawn by nobody: the same in each run.
fn mix(number: u64) -> B256 {
    keccak256(number.to_be_bytes())
}

impl Blocks {
    /// A chain whose first block is empty, with a timestamp in unix seconds.
    pub fn new(chain_id: u64, genesis: u64) -> Self {
        let mut blocks = Self {
            chain_id,
            state: State::default(),
            mined: Vec::new(),
            by_hash: HashMap::new(),
            by_transaction: HashMap::new(),
        };
        blocks.state.set_code(DEPLOYER, Bytecode::new_raw(Bytes::from_static(&DEPLOYER_CODE)));
        blocks.seal(Moment { number: 0, timestamp: genesis, base_fee: BASE_FEE }, None, 0, &[]);
        blocks
    }

    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The number of the newest block.
    pub fn tip(&self) -> u64 {
        self.mined.len() as u64 - 1
    }

    /// The state after a block.
    pub fn state_at(&self, id: BlockId) -> Result<&State, Refusal> {
        let number = self.number(id).ok_or(Refusal::NoBlock)?;
        let mined = self.mined.get(number as usize).ok_or(Refusal::NoBlock)?;
        Ok(if number == self.tip() { &self.state } else { &mined.state })
    }

    /// The number of a block that is there.
    pub fn number(&self, id: BlockId) -> Option<u64> {
        let tag = match id {
            BlockId::Hash(hash) => return self.by_hash.get(&hash.block_hash).copied(),
            BlockId::Number(tag) => tag,
        };
        match tag {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => Some(self.tip()),
            BlockNumberOrTag::Finalized | BlockNumberOrTag::Safe => Some(self.tip().saturating_sub(FINAL_AFTER)),
            BlockNumberOrTag::Earliest => Some(0),
            BlockNumberOrTag::Number(number) => Some(number).filter(|number| *number <= self.tip()),
        }
    }

    /// A block with the hash of what is in it.
    pub fn block(&self, id: BlockId) -> Option<Block> {
        let mined = self.mined.get(self.number(id)? as usize)?;
        let transactions = mined.transaction.iter().map(|(_, receipt)| receipt.transaction_hash).collect();
        Some(Block {
            header: mined.header.clone(),
            uncles: Vec::new(),
            transactions: BlockTransactions::Hashes(transactions),
            withdrawals: None,
        })
    }

    /// The receipt of a transaction.
    pub fn receipt(&self, transaction: B256) -> Option<&TransactionReceipt> {
        let mined = self.mined.get(*self.by_transaction.get(&transaction)? as usize)?;
        mined.transaction.as_ref().map(|(_, receipt)| receipt)
    }

    /// A transaction by its hash.
    pub fn transaction(&self, transaction: B256) -> Option<Transaction> {
        let mined = self.mined.get(*self.by_transaction.get(&transaction)? as usize)?;
        let (sent, receipt) = mined.transaction.as_ref()?;
        Some(Transaction {
            inner: sent.clone(),
            block_hash: receipt.block_hash,
            block_number: receipt.block_number,
            transaction_index: receipt.transaction_index,
            effective_gas_price: Some(receipt.effective_gas_price),
            block_timestamp: Some(mined.header.timestamp()),
        })
    }

    /// The logs that pass a filter.
    pub fn logs(&self, filter: &Filter) -> Result<Vec<PlacedLog>, Refusal> {
        let (first, last) = match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let number = self.by_hash.get(&hash).copied().ok_or(Refusal::NoBlock)?;
                (number, number)
            }
            FilterBlockOption::Range { from_block, to_block } => {
                let place = |tag: Option<BlockNumberOrTag>| match tag {
                    Some(BlockNumberOrTag::Number(number)) => number.min(self.tip() + 1),
                    tag => self.number(tag.unwrap_or_default().into()).unwrap_or_default(),
                };
                (place(from_block), place(to_block).min(self.tip()))
            }
        };
        let range = self.mined.get(first as usize..=last as usize).unwrap_or_default();
        let fitting = range.iter().filter(|mined| filter.matches_bloom(mined.header.logs_bloom()));
        let logs = fitting.filter_map(|mined| mined.transaction.as_ref()).flat_map(|(_, receipt)| receipt.inner.logs());
        Ok(logs.filter(|log| filter.matches(&log.inner)).cloned().collect())
    }

    /// Gives an account this much ether, in wei.
    pub fn set_balance(&mut self, address: Address, wei: U256) {
        self.state.set_balance(address, wei);
    }

    /// Mines an empty block at a time in unix seconds, or a second after the last one where that is later.
    pub fn mine(&mut self, timestamp: Option<u64>) {
        let mut moment = self.next(BASE_FEE);
        moment.timestamp = moment.timestamp.max(timestamp.unwrap_or_default());
        self.seal(moment, None, 0, &[]);
    }

    /// Mines an empty block so many seconds after the last one, at least one.
    pub fn mine_after(&mut self, seconds: u64) {
        let next = self.next(BASE_FEE).timestamp;
        self.mine(Some(next.saturating_add(seconds.saturating_sub(1))));
    }

    /// What a call would return in a block, or in the next one.
    pub fn call(&self, request: &TransactionRequest, at: BlockId) -> Result<Bytes, Refusal> {
        output(self.simulate(request, at, None)?.result)
    }

    /// The gas that a transaction needs.
    pub fn estimate(&self, request: &TransactionRequest, at: BlockId) -> Result<u64, Refusal> {
        let result = self.simulate(request, at, None)?.result;
        let gas = *result.gas();
        output(result)?;
        // What is refunded is needed first, and each call passes on at most 63 of 64 parts of what there is: how much is enough
        // is found by trying, first what is enough for most.
        let needed = gas.total_gas_spent().max(gas.floor_gas());
        let (mut low, mut high) = (needed.saturating_sub(1), MOST_GAS);
        let mut limit = high.min((needed + 2_300) * 64 / 63);
        while low + low / ESTIMATE < high {
            if self.simulate(request, at, Some(limit))?.result.is_success() {
                high = limit;
            } else {
                low = limit;
            }
            limit = low + (high - low) / 2;
        }
        Ok(high)
    }

    /// Takes a signed transaction into a block of its own.
    pub fn send(&mut self, raw: &[u8]) -> Result<B256, Refusal> {
        let invalid = |error: &dyn std::fmt::Display| Refusal::Invalid(format!("not a signed transaction: {error}"));
        let envelope = TxEnvelope::decode_2718_exact(raw).map_err(|error| invalid(&error))?;
        let signer = envelope.signature().recover_address_from_prehash(&envelope.signature_hash());
        let sent = Recovered::new_unchecked(envelope, signer.map_err(|error| invalid(&error))?);
        let moment = self.next(BASE_FEE);
        let ExecResultAndState { result, state } = self.run(&self.state, moment, signed(&sent)?)?;
        self.state.apply(state);
        let (hash, gas) = (*sent.tx_hash(), result.tx_gas_used());
        let created = sent.to().is_none().then(|| sent.signer().create(sent.nonce())).filter(|_| result.is_success());
        let (success, logs) = (result.is_success(), if result.is_success() { result.into_logs() } else { Vec::new() });
        let header = self.seal(moment, Some(hash), gas, &logs);
        let receipt = receipt(&header, &sent, success, logs, gas, created);
        self.by_transaction.insert(hash, moment.number);
        if let Some(mined) = self.mined.last_mut() {
            mined.transaction = Some((sent, receipt));
        }
        Ok(hash)
    }

    /// The block that comes next.
    fn next(&self, base_fee: u64) -> Moment {
        let last = self.mined.last().map_or(0, |mined| mined.header.timestamp());
        Moment { number: self.tip() + 1, timestamp: last + 1, base_fee }
    }

    /// Runs a request without consequences and without a fee.
    fn simulate(
        &self,
        request: &TransactionRequest,
        at: BlockId,
        gas: Option<u64>,
    ) -> Result<ExecResultAndState<ExecutionResult, EvmState>, Refusal> {
        let state = self.state_at(at)?;
        let number = self.number(at).ok_or(Refusal::NoBlock)?;
        let moment = match self.mined.get(number as usize) {
            Some(mined) if at != BlockId::pending() => {
                Moment { number, timestamp: mined.header.timestamp(), base_fee: 0 }
            }
            _ => self.next(0),
        };
        let from = request.from.unwrap_or_default();
        let call = TxEnv {
            caller: from,
            gas_limit: gas.or(request.gas).unwrap_or(MOST_GAS).min(MOST_GAS),
            kind: request.to.unwrap_or_default(),
            value: request.value.unwrap_or_default(),
            data: request.input.input().cloned().unwrap_or_default(),
            nonce: state.nonce(from),
            chain_id: Some(self.chain_id),
            ..TxEnv::default()
        };
        self.run(state, moment, call)
    }

    fn run(
        &self,
        state: &State,
        moment: Moment,
        transaction: TxEnv,
    ) -> Result<ExecResultAndState<ExecutionResult, EvmState>, Refusal> {
        let mut cfg = CfgEnv::new_with_spec(SpecId::OSAKA);
        cfg.chain_id = self.chain_id;
        let context = Context::mainnet().with_db(WrapDatabaseRef(state)).with_cfg(cfg).with_block(moment.env());
        context.build_mainnet().transact(transaction).map_err(|error| match error {
            EVMError::Transaction(InvalidTransaction::LackOfFundForMaxFee { fee, balance }) => {
                Refusal::Invalid(format!("insufficient funds: {fee} wei may be needed, the account has {balance}"))
            }
            EVMError::Transaction(InvalidTransaction::NonceTooLow { tx, state }) => {
                Refusal::Invalid(format!("nonce too low: {tx}, the account is at {state}"))
            }
            error => Refusal::Invalid(error.to_string()),
        })
    }

    /// Puts a block on the others. Its roots bind what is in it; the state's is not computed.
    fn seal(&mut self, moment: Moment, transaction: Option<B256>, gas_used: u64, logs: &[Log]) -> Header {
        let inner = Sealed {
            parent_hash: self.mined.last().map_or(B256::ZERO, |mined| mined.header.hash),
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            transactions_root: transaction.map_or(EMPTY_ROOT_HASH, keccak256),
            logs_bloom: logs.iter().collect::<Bloom>(),
            number: moment.number,
            gas_limit: BLOCK_GAS,
            gas_used,
            timestamp: moment.timestamp,
            mix_hash: mix(moment.number),
            base_fee_per_gas: Some(moment.base_fee),
            ..Sealed::default()
        };
        let hash = inner.hash_slow();
        let header = Header { hash, inner, total_difficulty: None, size: None };
        self.by_hash.insert(hash, moment.number);
        self.state.set_hash(moment.number, hash);
        self.mined.push(Mined { header: header.clone(), transaction: None, state: self.state.clone() });
        header
    }
}

/// A signed transaction for the machine. Blobs and delegations are none of ours.
fn signed(sent: &Recovered<TxEnvelope>) -> Result<TxEnv, Refusal> {
    if !matches!(sent.tx_type(), TxType::Legacy | TxType::Eip2930 | TxType::Eip1559) {
        return Err(Refusal::Invalid(format!("transactions of type {} are not taken here", sent.ty())));
    }
    Ok(TxEnv {
        tx_type: sent.ty(),
        caller: sent.signer(),
        gas_limit: sent.gas_limit(),
        gas_price: sent.max_fee_per_gas(),
        kind: sent.kind(),
        value: sent.value(),
        data: sent.input().clone(),
        nonce: sent.nonce(),
        chain_id: sent.chain_id(),
        access_list: sent.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: sent.max_priority_fee_per_gas(),
        ..TxEnv::default()
    })
}

fn output(result: ExecutionResult) -> Result<Bytes, Refusal> {
    match result {
        ExecutionResult::Success { output, .. } => Ok(output.into_data()),
        ExecutionResult::Revert { output, .. } => Err(Refusal::Reverted(output)),
        ExecutionResult::Halt { reason, .. } => Err(Refusal::Halted(format!("{reason:?}"))),
    }
}

fn receipt(
    header: &Header,
    sent: &Recovered<TxEnvelope>,
    success: bool,
    logs: Vec<Log>,
    gas_used: u64,
    created: Option<Address>,
) -> TransactionReceipt {
    let (hash, number) = (Some(header.hash), Some(header.number()));
    let placed = |(index, inner): (usize, Log)| PlacedLog {
        inner,
        block_hash: hash,
        block_number: number,
        block_timestamp: Some(header.timestamp()),
        transaction_hash: Some(*sent.tx_hash()),
        transaction_index: Some(0),
        log_index: Some(index as u64),
        removed: false,
    };
    let logs = logs.into_iter().enumerate().map(placed).collect();
    let inner = Receipt { status: Eip658Value::Eip658(success), cumulative_gas_used: gas_used, logs };
    let with_bloom = ReceiptWithBloom { receipt: inner, logs_bloom: header.logs_bloom() };
    TransactionReceipt {
        inner: match sent.tx_type() {
            TxType::Legacy => ReceiptEnvelope::Legacy(with_bloom),
            TxType::Eip2930 => ReceiptEnvelope::Eip2930(with_bloom),
            _ => ReceiptEnvelope::Eip1559(with_bloom),
        },
        transaction_hash: *sent.tx_hash(),
        transaction_index: Some(0),
        block_hash: hash,
        block_number: number,
        gas_used,
        effective_gas_price: sent.effective_gas_price(Some(BASE_FEE)),
        blob_gas_used: None,
        blob_gas_price: None,
        from: sent.signer(),
        to: sent.to(),
        contract_address: created,
    }
}
