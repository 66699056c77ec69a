//! A withdrawal of consent, or an erasure, that is handed to stewards where the gateway does not answer.

use alloy_primitives::Address;
use rochdale_core::ids::{MemberId, StewardId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::member::DenyRequest;

/// Seconds of block time that a withdrawal must still be valid for, so that somebody can bring it on chain.
pub const LEAST_LEFT: u64 = 1_800;
/// Seconds of block time that it may be valid for at most.
pub const MOST_LEFT: u64 = 366 * 86_400;
/// The longest signature that stewards take: a passkey's has less than 1,000 bytes.
pub const MOST_SIGNATURE: usize = 8 << 10;

/// Where a withdrawal stands at a steward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DenialState {
    /// Kept, and obeyed. The steward tells its peers and the gateway until it is on chain.
    Held,
    /// The chain shows it, or an erasure, which says more.
    OnChain,
}

/// A steward's answer to a withdrawal (`POST /v1/consents/revoke` and `/v1/consents/erase` at a steward).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DenialTaken {
    /// Who withdraws.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The steward that answers.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// Where it stands here.
    pub state: DenialState,
}

/// A withdrawal that a steward holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldDenial {
    /// Whether everything is to be erased, or the consent alone withdrawn.
    pub erases: bool,
    /// When it was taken, seconds of block time.
    pub taken: u64,
    /// What the member signed: anybody may send it to the contract.
    pub request: DenyRequest,
}

/// What one steward sees of a member's consent (`GET /v1/members/{member}/consent` at a steward).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentStanding {
    /// The member whom it is about.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The steward that answers.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// The member's account.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// A membership exists.
    pub active: bool,
    /// `none`, `granted`, `expired`, `revoked`, `erased`, by this steward's chain.
    pub consent: String,
    /// Version of the last consent.
    pub consent_version: u32,
    /// The number that the next signature about the consent must carry.
    pub consent_nonce: u64,
    /// The block that this is as of.
    pub block: u64,
    /// That block's time, seconds.
    pub now: u64,
    /// What was handed to this steward and is not on chain for good: while something stands here, it releases nothing of the member's.
    pub withdrawals: Vec<HeldDenial>,
}
