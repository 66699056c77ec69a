//! What of Ethereum's JSON-RPC the chain client asks for, and what of anvil's moves a local chain.

use std::borrow::Cow;

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, Bytes, U64, U128, U256};
use alloy::rpc::json_rpc::ErrorPayload;
use alloy::rpc::types::anvil::MineOptions;
use alloy::rpc::types::{FeeHistory, Filter, TransactionRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};

use super::blocks::{BASE_FEE, Blocks, Refusal};

/// The priority fee that is suggested, in wei.
const TIP: u128 = 1_000_000;

/// The most blocks that are mined at once: more is a mistake.
const MOST_BLOCKS: u64 = 100_000;

/// The parameters of a request, by place.
struct Params(Vec<Box<RawValue>>);

impl Params {
    fn read(params: Option<&RawValue>) -> Result<Self, ErrorPayload> {
        let Some(params) = params else { return Ok(Self(Vec::new())) };
        serde_json::from_str(params.get()).map(Self).map_err(|error| invalid(format!("no list of parameters: {error}")))
    }

    fn get<T: DeserializeOwned>(&self, place: usize) -> Result<T, ErrorPayload> {
        self.optional(place)?.ok_or_else(|| invalid(format!("parameter {place} is missing")))
    }

    fn optional<T: DeserializeOwned>(&self, place: usize) -> Result<Option<T>, ErrorPayload> {
        let Some(value) = self.0.get(place) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|error| invalid(format!("parameter {place}: {error}")))
    }

    fn block(&self, place: usize) -> Result<BlockId, ErrorPayload> {
        Ok(self.optional(place)?.unwrap_or_else(BlockId::latest))
    }
}

fn invalid(message: String) -> ErrorPayload {
    ErrorPayload { code: -32_602, message: Cow::Owned(message), data: None }
}

impl From<Refusal> for ErrorPayload {
    fn from(refusal: Refusal) -> Self {
        let message = Cow::Owned(refusal.to_string());
        match refusal {
            Refusal::Reverted(data) => Self { code: 3, message, data: to_raw_value(&data).ok() },
            Refusal::Halted(_) | Refusal::Invalid(_) => Self { code: -32_003, message, data: None },
            Refusal::NoBlock => Self { code: -32_001, message, data: None },
        }
    }
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, ErrorPayload> {
    to_raw_value(value).map_err(|error| ErrorPayload::internal_error_message(Cow::Owned(error.to_string())))
}

/// Answers one request.
pub(super) fn answer(
    blocks: &mut Blocks,
    method: &str,
    params: Option<&RawValue>,
) -> Result<Box<RawValue>, ErrorPayload> {
    let params = Params::read(params)?;
    match method {
        "eth_sendRawTransaction" => raw(&blocks.send(&params.get::<Bytes>(0)?)?),
        "anvil_setBalance" => {
            let (address, balance) = (params.get::<Address>(0)?, params.get::<U256>(1)?);
            raw(&blocks.set_balance(address, balance))
        }
        "anvil_mine" => {
            let many = params.optional::<U64>(0)?.map_or(1, |many| many.to::<u64>());
            let apart = params.optional::<U64>(1)?.map_or(1, |apart| apart.to::<u64>());
            raw(&mine(blocks, many, apart)?)
        }
        "evm_mine" => {
            let (timestamp, many) = match params.optional::<MineOptions>(0)? {
                Some(MineOptions::Options { timestamp, blocks }) => (timestamp, blocks.unwrap_or(1)),
                Some(MineOptions::Timestamp(timestamp)) => (timestamp, 1),
                None => (None, 1),
            };
            if many > 0 {
                blocks.mine(timestamp);
            }
            mine(blocks, many.saturating_sub(1), 1)?;
            raw(&"0x0")
        }
        _ => read(blocks, method, &params),
    }
}

fn mine(blocks: &mut Blocks, many: u64, apart: u64) -> Result<(), ErrorPayload> {
    if many > MOST_BLOCKS {
        return Err(invalid(format!("{many} blocks at once are more than {MOST_BLOCKS}")));
    }
    (0..many).for_each(|_| blocks.mine_after(apart));
    Ok(())
}

/// Answers what changes nothing.
fn read(blocks: &Blocks, method: &str, params: &Params) -> Result<Box<RawValue>, ErrorPayload> {
    match method {
        "eth_chainId" => raw(&U64::from(blocks.chain_id())),
        "eth_blockNumber" => raw(&U64::from(blocks.tip())),
        "eth_call" => raw(&blocks.call(&params.get::<TransactionRequest>(0)?, params.block(1)?)?),
        "eth_estimateGas" => raw(&U64::from(blocks.estimate(&params.get::<TransactionRequest>(0)?, params.block(1)?)?)),
        "eth_getBlockByNumber" => raw(&blocks.block(params.get::<BlockNumberOrTag>(0)?.into())),
        "eth_getBlockByHash" => raw(&blocks.block(params.get::<B256>(0)?.into())),
        "eth_getLogs" => raw(&blocks.logs(&params.get::<Filter>(0)?)?),
        "eth_getTransactionReceipt" => raw(&blocks.receipt(params.get(0)?)),
        "eth_getTransactionByHash" => raw(&blocks.transaction(params.get(0)?)),
        "eth_getTransactionCount" => raw(&U64::from(blocks.state_at(params.block(1)?)?.nonce(params.get(0)?))),
        "eth_getBalance" => raw(&blocks.state_at(params.block(1)?)?.balance(params.get(0)?)),
        "eth_getCode" => raw(&blocks.state_at(params.block(1)?)?.code(params.get(0)?).original_bytes()),
        "eth_getStorageAt" => raw(&B256::from(blocks.state_at(params.block(2)?)?.slot(params.get(0)?, params.get(1)?))),
        "eth_gasPrice" => raw(&U128::from(u128::from(BASE_FEE) + TIP)),
        "eth_maxPriorityFeePerGas" => raw(&U128::from(TIP)),
        "eth_feeHistory" => {
            let asked = usize::try_from(params.get::<U64>(0)?.to::<u64>().min(1_024)).unwrap_or_default();
            let percentiles = params.optional::<Vec<f64>>(2)?.unwrap_or_default().len();
            raw(&FeeHistory {
                base_fee_per_gas: vec![u128::from(BASE_FEE); asked + 1],
                gas_used_ratio: vec![0.5; asked],
                oldest_block: (blocks.tip() + 1).saturating_sub(asked as u64),
                reward: Some(vec![vec![TIP; percentiles]; asked]),
                ..FeeHistory::default()
            })
        }
        _ => Err(ErrorPayload {
            code: -32_601,
            message: Cow::Owned(format!("the chain in this process knows no method {method}")),
            data: None,
        }),
    }
}
