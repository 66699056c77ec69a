//! Who may open a record, who did, and the keys that members and peers seal to.

use alloy_primitives::{Address, B256, Bytes};
use rochdale_core::ids::{ContributionId, DatasetId, MemberId, StewardId};
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
    /// The record's own member asked for it, whose seat is written as 0.
    Owner,
}

/// One line of a steward's log of openings: it released its share of a record to a scorer or to the record's member, or scored it itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Opening {
    /// The record, by its contribution's number in the registry.
    #[schema(value_type = u64)]
    pub contribution_id: ContributionId,
    /// Who scored it: the seat that it held then. 0 where the record's own member had it handed out.
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

/// Records of which a steward hands out its shares for one [`HeldRequest`].
pub const HELD_PAGE: usize = 100;

/// `POST /v1/members/{member}/held` at a steward, by that member: what the steward holds of it, with its shares of the records that are
/// named. The answer is a [`HeldReport`] as JSON, sealed to `reply_key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldRequest {
    /// A fresh X25519 key of the caller.
    #[schema(value_type = crate::shape::Hex32)]
    pub reply_key: B256,
    /// The member's records whose shares are asked for; at most [`HELD_PAGE`]. Each that is handed out stands in the log of openings.
    #[schema(value_type = Vec<u64>)]
    pub contributions: Vec<ContributionId>,
}

/// What a steward holds of a member; only ever sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldReport {
    /// Everything that the member contributed, by number.
    pub contributions: Vec<HeldContribution>,
    /// Every version of its consent, from 1.
    pub consents: Vec<HeldConsent>,
    /// What was paid out to it so far.
    pub claimed: HeldClaims,
}

/// What was paid out to a member, by the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldClaims {
    /// Micro-USDC.
    #[serde(with = "rochdale_core::money::decimal_string")]
    pub cash: u128,
    /// DATA wei.
    #[serde(with = "rochdale_core::money::decimal_string")]
    pub data: u128,
    /// GOV wei.
    #[serde(with = "rochdale_core::money::decimal_string")]
    pub gov: u128,
}

/// A contribution as the chain has it, with what the steward holds of its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldContribution {
    /// Its number in the registry.
    pub contribution_id: ContributionId,
    /// Its commitment.
    pub commitment: B256,
    /// The consent that it was given under.
    pub consent_version: u32,
    /// When it was recorded, block time.
    pub recorded_at: u64,
    /// The block that recorded it.
    pub block: u64,
    /// Whether it was erased.
    pub erased: bool,
    /// What is behind the commitment, where it is here.
    pub record: Option<HeldRecord>,
}

/// What is behind a contribution's commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldRecord {
    /// The envelope's header.
    pub header: Bytes,
    /// SHA-256 of the blob.
    pub blob_digest: B256,
    /// Hash of the member's own deal.
    pub deal: B256,
    /// `core::commit::sealed_shares` of the shares as they came.
    pub shares_hash: B256,
    /// The dataset that it went into.
    pub dataset: DatasetId,
    /// What hides it in the commitment.
    pub blinder: B256,
    /// The steward's share, where it was asked for and is here.
    pub share: Option<HeldShare>,
}

/// One steward's share of a record's key, for the record's own member.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldShare {
    /// Seats of the sharing in force.
    pub seats: u8,
    /// Its Feldman commitments.
    pub points: Vec<B256>,
    /// The share: its seat and a scalar.
    pub share: Bytes,
}

/// A share opens a record: no log shows it.
impl std::fmt::Debug for HeldShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldShare").field("seats", &self.seats).field("points", &self.points).finish_non_exhaustive()
    }
}

/// One version of a member's consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldConsent {
    /// The member whom it is of.
    pub member_id: MemberId,
    /// Its version on chain.
    pub version: u32,
    /// The commitment on chain.
    pub receipt_commitment: B256,
    /// Seconds of block time; 0 for until withdrawn.
    pub expiry: u64,
    /// The receipt and what hides it in the commitment, where they are here.
    pub secret: Option<crate::member::ConsentSecret>,
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
