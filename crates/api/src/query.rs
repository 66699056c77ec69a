//! A researcher's query, the budget log, and the release of key shares to the worker.

use crate::contribution::ShareAnswer;
use crate::member::Mined;
use alloy_primitives::{Address, B256, Bytes};
use rochdale_core::ids::{ContributionId, DatasetId, LicenseId, Purpose, StewardId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/queries` at the gateway, forwarded to the worker: the signature is the right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    /// The typed query; its digest is keccak-256 of its RFC 8785 JSON.
    #[schema(value_type = Object)]
    pub query: rochdale_core::query::Query,
    /// What the researcher signed.
    pub order: QueryOrder,
    /// EIP-712 over `QueryOrder` by the license's holder.
    #[schema(value_type = String)]
    pub signature: Bytes,
}

/// The signed order behind a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryOrder {
    /// The license that pays for it.
    #[schema(value_type = u64)]
    pub license_id: LicenseId,
    /// Digest of the query.
    #[schema(value_type = String)]
    pub query_digest: B256,
    /// Privacy loss to spend, in nano-zCDP.
    pub rho: u64,
    /// Must be the license's.
    #[schema(value_type = u16)]
    pub purpose: Purpose,
    /// Drawn by the researcher.
    #[schema(value_type = String)]
    pub nonce: B256,
    /// Seconds of block time.
    pub deadline: u64,
}

/// Answer to [`QueryRequest`]: an [`Answered`] as JSON, sealed to the license's recipient key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealedAnswer {
    /// The license.
    #[schema(value_type = u64)]
    pub license_id: LicenseId,
    /// The query.
    #[schema(value_type = String)]
    pub query_digest: B256,
    /// Struct hash of the budget entry, which the seal binds.
    #[schema(value_type = String)]
    pub entry_hash: B256,
    /// HPKE encapsulated key and ciphertext.
    #[schema(value_type = String)]
    pub sealed: Bytes,
    /// The receipt's transaction.
    pub mined: Mined,
}

/// The opened answer with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The noisy answer.
    pub answer: rochdale_core::query::Answer,
    /// The budget entry that paid for it.
    pub entry: BudgetEntry,
    /// The stewards' signatures over the entry.
    pub countersignatures: Vec<Countersignature>,
    /// Digest of the answer's RFC 8785 JSON.
    pub result_digest: B256,
    /// EIP-712 over `QueryReceipt` by the worker.
    pub worker_signature: Bytes,
    /// The pool's remaining budget in nano-zCDP.
    pub budget_left: u64,
    /// Whether it is the stored answer to the same query on the same snapshot.
    pub cached: bool,
}

/// One entry of a pool's budget log, as on chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetEntry {
    /// Place in the log, from 1.
    pub index: u64,
    /// EIP-712 struct hash of the entry before; zero for the first.
    #[schema(value_type = String)]
    pub previous: B256,
    /// Digest of the query.
    #[schema(value_type = String)]
    pub query_digest: B256,
    /// Digest of the pool's snapshot.
    #[schema(value_type = String)]
    pub snapshot: B256,
    /// The license.
    #[schema(value_type = u64)]
    pub license_id: LicenseId,
    /// The purpose.
    #[schema(value_type = u16)]
    pub purpose: Purpose,
    /// Nano-zCDP charged.
    pub rho: u64,
    /// Seconds of block time.
    pub deadline: u64,
}

/// A steward's signature over an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Countersignature {
    /// The steward.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// EIP-712 over `BudgetEntry`.
    #[schema(value_type = String)]
    pub signature: Bytes,
}

/// `POST /v1/snapshots` at a steward, by a worker: the answer is a sealed [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotRequest {
    /// The license that asks; its dataset, purpose and category decide who is in.
    #[schema(value_type = u64)]
    pub license_id: LicenseId,
    /// A finalized block.
    #[schema(value_type = String)]
    pub cut: B256,
}

/// The contributions that a license may use as of a cut, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The dataset.
    pub dataset: DatasetId,
    /// The purpose.
    pub purpose: Purpose,
    /// The finalized block.
    pub cut: B256,
    /// `core::commit::snapshot_digest`.
    pub digest: B256,
    /// Ascending.
    pub contributions: Vec<ContributionId>,
}

/// `POST /v1/budget/entries` at a steward, by a worker: please countersign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryRequest {
    /// The entry.
    pub entry: BudgetEntry,
    /// The cut behind the entry's snapshot.
    #[schema(value_type = String)]
    pub cut: B256,
    /// The researcher's signed query.
    pub request: QueryRequest,
}

/// `POST /v1/budget/commit` at a steward, by a worker: a majority signed; append it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitRequest {
    /// The entry.
    pub entry: BudgetEntry,
    /// A majority's signatures, by seat ascending.
    pub countersignatures: Vec<Countersignature>,
}

/// `GET /v1/budget` at a steward: its copy of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BudgetLog {
    /// The pool's lifetime budget in nano-zCDP.
    pub total: u64,
    /// What is left.
    pub left: u64,
    /// Committed entries from index 1.
    pub entries: Vec<CommitRequest>,
    /// The next entry that this steward signed but saw no majority for.
    pub signed: Option<BudgetEntry>,
}

/// `POST /v1/release` at a steward, by a worker: shares for a committed entry's snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// The committed entry's index.
    pub index: u64,
    /// Part of the snapshot; at most 100.
    #[schema(value_type = Vec<u64>)]
    pub contributions: Vec<ContributionId>,
}

/// Answer to [`ReleaseRequest`] and to a scoring request, in the order asked.
pub type Shares = Vec<ShareAnswer>;

/// `POST /v1/receipts` at the gateway, by the worker: anchor this receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnchorRequest {
    /// The entry.
    pub entry: BudgetEntry,
    /// A quorum's signatures, by seat ascending.
    pub countersignatures: Vec<Countersignature>,
    /// Digest of the answer.
    #[schema(value_type = String)]
    pub result_digest: B256,
    /// The worker.
    #[schema(value_type = String)]
    pub worker: Address,
    /// EIP-712 over `QueryReceipt`.
    #[schema(value_type = String)]
    pub worker_signature: Bytes,
}
