//! A log as the event that a contract declares, or why it is none.

use alloy::primitives::U256;
use alloy::rpc::types::Log;
use alloy::sol_types::SolEvent;

/// A log of our contracts that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The data does not match the event's type.
    #[error("log {index} of block {block} does not decode as {event}: {detail}; do the bindings match the contracts?")]
    Malformed {
        /// The name of the event.
        event: &'static str,
        /// Block number.
        block: u64,
        /// Log index.
        index: u64,
        /// What is wrong, in words for a person.
        detail: String,
    },
    /// An amount above 128 bits.
    #[error("{field} = {value} exceeds 128 bits")]
    TooLarge {
        /// The name of the field.
        field: &'static str,
        /// The value that it has.
        value: U256,
    },
    /// A log without its place, as a node gives for pending blocks.
    #[error("the RPC returned a log without {0}; it is pending or the node is incomplete")]
    Unplaced(&'static str),
}

/// The event in a log.
pub(super) fn read<E: SolEvent>(log: &Log) -> Result<E, DecodeError> {
    E::decode_log_data(&log.inner.data).map_err(|e| malformed::<E>(log, e.to_string()))
}

/// What says that a log is not what it should be.
pub(super) fn malformed<E: SolEvent>(log: &Log, detail: String) -> DecodeError {
    DecodeError::Malformed {
        event: E::SIGNATURE,
        block: log.block_number.unwrap_or_default(),
        index: log.log_index.unwrap_or_default(),
        detail,
    }
}

/// Narrows a `uint256` amount, which the contracts keep within 128 bits.
pub(super) fn amount(field: &'static str, value: U256) -> Result<u128, DecodeError> {
    u128::try_from(value).map_err(|_| DecodeError::TooLarge { field, value })
}
