//! What a worker serves.

use serde_json::Value;

use super::Octets;
use crate::order::{QueryRequest, SealedAnswer};
use crate::status::Health;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, unsigned.
    Anyone,
    /// The gateway that the chain names.
    Gateway,
}

routes! {
    /// How the others are called.
    OPENAPI: get super::OPENAPI.path, Anyone, () => Value;
    /// Whether the worker can work.
    HEALTH: get super::HEALTH.path, Anyone, () => Health;
    /// An order, answered on what it may count.
    QUERY: post "/v1/queries", Gateway, QueryRequest => SealedAnswer;
    /// A sealed record of the worker's copy of the vault, for a gateway whose own is damaged.
    BLOB: get "/v1/blobs/{cid}", Gateway, () => Octets;
}
