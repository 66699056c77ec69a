//! What a member's browser keeps at the gateway: ciphertext under the address of a key that only the member derives.

use alloy_primitives::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `PUT /v1/lockers/{id}` at the gateway, signed by the key whose address `id` is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LockerRequest {
    /// The version that it replaces; 0 where there is none yet. The new one is the next.
    pub version: u64,
    /// What is kept, sealed; empty to leave nothing but the version.
    #[schema(value_type = crate::shape::HexBytes)]
    pub sealed: Bytes,
}

/// A locker, as `GET /v1/lockers/{id}` and the answer to a change show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Locker {
    /// One more with each change.
    pub version: u64,
    /// What is kept, sealed.
    #[schema(value_type = crate::shape::HexBytes)]
    pub sealed: Bytes,
}
