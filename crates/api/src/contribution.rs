//! Contributing a record, scoring it, and the release of key shares.

use crate::custody::BlobPermit;
use crate::member::{Mined, SealedTo};
use alloy_primitives::{Address, B256, Bytes};
use rochdale_core::ids::{ContributionId, DatasetId, MemberId, StewardId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/contributions` at the gateway, and from there to every steward: one sealed record's keys.
/// The member's signature over the commitment covers header, blob, deal, sealed shares, dataset and blinder.
/// Idempotent: sent again it reaches the stewards that missed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionPackage {
    /// The member who contributes.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// `core::commit::contribution_commitment`.
    #[schema(value_type = crate::shape::Hex32)]
    pub commitment: B256,
    /// The consent it stands under.
    pub consent_version: u32,
    /// The member's contribution nonce.
    pub nonce: u64,
    /// Seconds of block time.
    pub deadline: u64,
    /// EIP-712 over `Contribution`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
    /// The envelope's header, layout v1.
    #[schema(value_type = crate::shape::HexBytes)]
    pub header: Bytes,
    /// SHA-256 of the sealed blob; the vault's address is its CIDv1.
    #[schema(value_type = crate::shape::Hex32)]
    pub blob_digest: B256,
    /// Feldman commitments: compressed ristretto255 points.
    #[schema(value_type = Vec<crate::shape::Hex32>)]
    pub deal: Vec<B256>,
    /// One share for each steward, in seat order.
    pub shares: Vec<SealedTo>,
    /// Dataset and blinder (`crypto::sealing::PrivatePart`) for each steward, in seat order.
    pub secrets: Vec<SealedTo>,
}

/// Most parts that one blob is put together of.
pub const MOST_PARTS: usize = 64;

/// `POST /v1/blobs/{cid}/parts` at the gateway: a blob that came in parts, each uploaded as a blob by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartsRequest {
    /// The names of the parts in their order, at most [`MOST_PARTS`].
    #[schema(value_type = Vec<crate::shape::CidText>)]
    pub parts: Vec<String>,
}

/// Where a blob stands that comes in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartsAnswer {
    /// The parts that are still to be uploaded; where there are none, the blob is kept under its name.
    #[schema(value_type = Vec<crate::shape::CidText>)]
    pub missing: Vec<String>,
}

/// What stewards alone learn of a contribution, between stewards; only ever sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContributionSecret {
    /// Data type and source.
    pub dataset: DatasetId,
    /// 256 random bits that erasure destroys.
    pub blinder: B256,
}

/// A steward's word that it verified and holds its share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareReceipt {
    /// The steward, by its seat.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// The contribution's commitment.
    #[schema(value_type = crate::shape::Hex32)]
    pub commitment: B256,
}

/// Where a contribution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContributionState {
    /// Enough stewards hold shares; waiting for the next batch.
    Queued,
    /// On chain.
    Recorded,
    /// The contract refused it; see `reason`.
    Refused,
}

/// Answer to [`ContributionPackage`], and `GET /v1/contributions/{commitment}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContributionStatus {
    /// The contribution, by its commitment on chain.
    #[schema(value_type = crate::shape::Hex32)]
    pub commitment: B256,
    /// Where it stands.
    pub state: ContributionState,
    /// Stewards that hold their share.
    #[schema(value_type = Vec<u8>)]
    pub held_by: Vec<StewardId>,
    /// Stewards that do not, with the reason.
    pub missing: Vec<MissingShare>,
    /// The id on chain.
    #[schema(value_type = Option<u64>)]
    pub contribution_id: Option<ContributionId>,
    /// The batch's transaction.
    pub mined: Option<Mined>,
    /// How many contributions the batch held.
    pub batch: u32,
    /// Why the contract refused it.
    pub reason: Option<String>,
}

/// A steward that does not hold its share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissingShare {
    /// The steward, by its seat.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// What was wrong, in words for a person.
    pub reason: String,
}

/// `POST /v1/shares` at a steward, by a steward whose turn it is to score: shares for scoring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoringSharesRequest {
    /// Which; at most 100.
    #[schema(value_type = Vec<u64>)]
    pub contributions: Vec<ContributionId>,
    /// Signed scores that make it the caller's turn: two that differ, for the third that was drawn.
    #[serde(default)]
    pub scores: Vec<ScoreMessage>,
    /// X25519 public key that the shares are sealed to: drawn for this request and never written down, so that nobody
    /// opens them later.
    #[schema(value_type = crate::shape::Hex32)]
    pub reply_key: B256,
}

/// One answer for each contribution that was asked for.
pub type ScoringShares = Vec<ScoringAnswer>;

/// A share for scoring, or the reason why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoringAnswer {
    /// The share, handed out.
    Released {
        /// The contribution, by its number in the registry.
        #[schema(value_type = u64)]
        contribution_id: ContributionId,
        /// The share, sealed to the request's key.
        #[schema(value_type = crate::shape::HexBytes)]
        sealed: Bytes,
        /// The releasing steward's word to the gateway that the caller may fetch the sealed record.
        permit: BlobPermit,
    },
    /// No share, and why.
    Refused {
        /// The contribution, by its number in the registry.
        #[schema(value_type = u64)]
        contribution_id: ContributionId,
        /// Why, as a code.
        code: crate::ProblemCode,
        /// What was wrong, in words for a person.
        reason: String,
    },
}

/// A steward's signed score of one contribution (`POST /v1/scores` at a steward takes a list).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreMessage {
    /// The contribution, by its number in the registry.
    #[schema(value_type = u64)]
    pub contribution_id: ContributionId,
    /// The scorer's account, whatever seat it holds.
    #[schema(value_type = String)]
    pub signer: Address,
    /// 0…10,000.
    pub quality: u16,
    /// 0…10,000.
    pub uniqueness: u16,
    /// 0…10,000.
    pub authenticity: u16,
    /// 10,000…20,000.
    pub rarity: u16,
    /// Digest of the rubric that was applied.
    #[schema(value_type = crate::shape::Hex32)]
    pub rubric_hash: B256,
    /// The content's digest keyed with the committee's key.
    #[schema(value_type = crate::shape::Hex32)]
    pub sketch: B256,
    /// EIP-712 over `Score`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// `POST /v1/scores/since` at a steward, by a steward: the scores that it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoresRequest {
    /// Of contributions with an id above this.
    #[schema(value_type = u64)]
    pub after: ContributionId,
}

/// `POST /v1/catch-up` at a steward, by a steward that missed deliveries, sealed both ways: the answer is a [`CatchUp`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CatchUpRequest {
    /// Row keys of these members.
    #[schema(value_type = Vec<u32>)]
    pub row_keys: Vec<MemberId>,
    /// Consents as (member, version).
    #[schema(value_type = Vec<(u32, u32)>)]
    pub consents: Vec<(MemberId, u32)>,
    /// Contributions by commitment. Key shares cannot be caught up: no steward holds another's.
    #[schema(value_type = Vec<crate::shape::Hex32>)]
    pub contributions: Vec<B256>,
    /// Snapshots by digest, as debits on chain name them.
    #[serde(default)]
    #[schema(value_type = Vec<crate::shape::Hex32>)]
    pub snapshots: Vec<B256>,
}

/// Every part is checked against its commitment on chain before it is kept.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatchUp {
    /// The row keys that were asked for and are here.
    pub row_keys: Vec<(MemberId, B256)>,
    /// The consent receipts that were asked for and are here.
    pub consents: Vec<(MemberId, u32, crate::member::ConsentSecret)>,
    /// The private parts of contributions that were asked for and are here.
    pub contributions: Vec<CatchUpContribution>,
    /// The snapshots that were asked for and are here.
    #[serde(default)]
    pub snapshots: Vec<KeptSnapshot>,
    /// What stands in the place of snapshots that were destroyed.
    #[serde(default)]
    pub sums: Option<KeptSums>,
}

/// Debits added up by member, in the chain's order: taken where a quorum gives the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptSums {
    /// The last of them.
    pub up_to: u64,
    /// Nano-zCDP by member.
    pub spent: Vec<(MemberId, u64)>,
}

/// A snapshot as a steward keeps it, between stewards; only ever sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptSnapshot {
    /// Who is in it, and its digest.
    pub snapshot: crate::order::Snapshot,
    /// What hides the ids in the digest.
    pub blinder: B256,
}

/// A contribution without any share.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatchUpContribution {
    /// The contribution, by its commitment on chain.
    pub commitment: B256,
    /// Dataset and blinder.
    pub secret: ContributionSecret,
    /// The envelope's header.
    pub header: Bytes,
    /// SHA-256 of the blob.
    pub blob_digest: B256,
    /// Feldman commitments.
    pub deal: Vec<B256>,
    /// `core::commit::sealed_shares_hash`.
    pub shares_hash: B256,
}

/// Blobs in one [`VaultPage`].
pub const VAULT_PAGE: u32 = 500;

/// `GET /v1/blobs?after=<contribution id>` at the gateway, by a worker: which blobs the vault holds, in the registry's order, so that
/// a replica can be kept of all of them. Who fetches everything tells nothing by what it fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultPage {
    /// By contribution id ascending, at most [`VAULT_PAGE`]; fewer where these are the last.
    pub blobs: Vec<VaultEntry>,
}

/// A recorded contribution's blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultEntry {
    /// The contribution, by its number in the registry.
    #[schema(value_type = u64)]
    pub contribution_id: ContributionId,
    /// SHA-256 of the blob.
    #[schema(value_type = crate::shape::Hex32)]
    pub blob_digest: B256,
    /// Its length in bytes.
    pub bytes: u64,
}
