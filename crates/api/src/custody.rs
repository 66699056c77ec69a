//! Who may open a record, who did, and the keys that members and peers seal to.

use alloy_primitives::{Address, B256, Bytes};
use rochdale_core::ids::{ContributionId, StewardId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A steward's word that another one may fetch one sealed record for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlobPermit {
    /// Who gives it.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// Seconds of block time.
    pub deadline: u64,
    /// EIP-712 over `BlobPermit`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// Seconds of block time that a permit may last: as long as one page of records takes to be scored.
pub const PERMIT_LIFETIME: u64 = 900;

/// `POST /v1/blobs/{cid}` at the gateway, by a steward that scores the record: the permits of as many other stewards as
/// make a quorum with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlobRequest {
    /// Of different stewards, none of them the caller.
    pub permits: Vec<BlobPermit>,
}

/// `POST /v1/members/{member}/openings` at a steward, by that member: who opened its records to score them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpeningsRequest {
    /// X25519 public key that the answer is sealed to.
    #[schema(value_type = crate::shape::Hex32)]
    pub reply_key: B256,
}

/// Why it was a steward's turn to open a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpeningReason {
    /// One of the first two that were drawn.
    Drawn,
    /// The first two scores differ.
    ScoresDiffer,
    /// A steward drawn before it was silent for an attempt.
    StandsIn,
}

/// One line of a steward's log of openings: it released its share of a record to a scorer, or scored it itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Opening {
    /// The record, by its contribution's number in the registry.
    #[schema(value_type = u64)]
    pub contribution_id: ContributionId,
    /// Who scored it: the seat that it held then.
    #[schema(value_type = u8)]
    pub scorer: StewardId,
    /// Its account: a seat may be given to somebody else.
    #[schema(value_type = String)]
    pub account: Address,
    /// Why it was its turn.
    pub reason: OpeningReason,
    /// When the share was first released, seconds of block time.
    pub first: u64,
    /// When it was last released.
    pub last: u64,
    /// How often it was handed out.
    pub times: u64,
}

/// `POST /v1/sealing-keys` at the gateway, by a steward: its next sealing key, for the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKeyRequest {
    /// The steward's seat, from 1.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// The key, X25519.
    #[schema(value_type = crate::shape::Hex32)]
    pub sealing_key: B256,
    /// EIP-712 over `SealingKey`, which names the key in force.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}
