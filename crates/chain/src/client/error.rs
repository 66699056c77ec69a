//! What can go wrong between a process and its RPC.

use alloy::transports::{RpcError, TransportError, TransportErrorKind};

/// An answer that the RPC did not give, or one that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The address is no URL.
    #[error("{0:?} is not the address of an RPC; write http://HOST:PORT or https://HOST/PATH")]
    BadUrl(String),
    /// Nobody answers.
    #[error("the RPC at {rpc} does not answer ({detail}); check that the node runs and that the address is right")]
    Unreachable {
        /// Host and port.
        rpc: String,
        /// The innermost cause.
        detail: String,
    },
    /// The node answered with an error.
    #[error("the RPC at {rpc} refused {call}: {detail}")]
    Refused {
        /// Host and port.
        rpc: String,
        /// The RPC method or contract function.
        call: String,
        /// What the node said.
        detail: String,
    },
    /// The node serves another chain.
    #[error(
        "the RPC at {rpc} serves chain {actual}, but this process is configured for chain {expected}; correct the RPC address or the chain id"
    )]
    WrongChain {
        /// Host and port.
        rpc: String,
        /// As configured.
        expected: u64,
        /// As served.
        actual: u64,
    },
    /// The head no longer advances.
    #[error(
        "the RPC at {rpc} lags: block {number} has been its latest for {seconds} s (limit {limit} s); nothing is decided on a stale head; check the node's peers"
    )]
    Stale {
        /// Host and port.
        rpc: String,
        /// The latest block.
        number: u64,
        /// How long it has been the latest, in seconds.
        seconds: u64,
        /// How long it may be, in seconds.
        limit: u64,
    },
    /// The head fell back further than a reorganization explains.
    #[error("the RPC at {rpc} fell back from block {seen} to {number}; it lags or was reset")]
    FellBack {
        /// Host and port.
        rpc: String,
        /// The highest block seen.
        seen: u64,
        /// The latest block now.
        number: u64,
    },
    /// A block that must exist is not served.
    #[error("the RPC at {rpc} does not serve block {block}; an archive or a full node is needed")]
    NoBlock {
        /// Host and port.
        rpc: String,
        /// Number, hash or tag.
        block: String,
    },
    /// Only the local chain may be moved.
    #[error("{action} is for the local chain (31337) alone; this is chain {chain_id}")]
    NotLocal {
        /// What was asked.
        action: &'static str,
        /// The chain's id (EIP-155).
        chain_id: u64,
    },
}

impl ChainError {
    /// Whether nobody answers. The chain client itself logs that, once a minute and when it is over.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Stale { .. })
    }
}

/// Sorts a transport error into unreachable and refused. The URL itself is left out: it may hold an access key.
pub(crate) fn from_transport(rpc: &str, call: &str, error: &TransportError) -> ChainError {
    match error {
        RpcError::Transport(kind) => ChainError::Unreachable { rpc: rpc.to_owned(), detail: innermost(kind) },
        RpcError::ErrorResp(payload) => {
            ChainError::Refused { rpc: rpc.to_owned(), call: call.to_owned(), detail: payload.message.to_string() }
        }
        other => ChainError::Refused { rpc: rpc.to_owned(), call: call.to_owned(), detail: other.to_string() },
    }
}

fn innermost(kind: &TransportErrorKind) -> String {
    if let Some(http) = kind.as_http_error() {
        return format!("HTTP status {}", http.status);
    }
    let Some(mut cause) = kind.as_custom().map(|e| e as &dyn std::error::Error) else {
        return kind.to_string();
    };
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
