//! A researcher's order on its way: snapshot, signatures over its debit, release of key shares, answer and receipt.
//!
//! What a worker and a steward tell each other names members' records, so both ways it is HPKE-sealed to the receiver's key on
//! chain: requests as [`SealedRequest`] under `crypto::sealing::OrderContext`, answers as [`crate::member::Sealed`].

use alloy_primitives::{Address, B256, Bytes};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, Purpose, StewardId};
pub use rochdale_core::order::{Debit, Order};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::member::Mined;
use crate::status::BudgetLimits;

/// `POST /v1/queries` at the gateway, forwarded to the worker: the signature is the right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    /// The typed query; its digest is keccak-256 of its RFC 8785 JSON.
    #[schema(value_type = Object)]
    pub query: rochdale_core::query::Query,
    /// What the researcher signed.
    #[schema(value_type = Object)]
    pub order: Order,
    /// EIP-712 over `QueryOrder` by the license's holder.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// What a worker asks of a steward for an order, sealed to that steward's key under `OrderContext`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedRequest {
    /// EIP-712 digest of the order, which the seal binds.
    #[schema(value_type = crate::shape::Hex32)]
    pub order: B256,
    /// HPKE encapsulated key and ciphertext of the request's JSON.
    #[schema(value_type = crate::shape::HexBytes)]
    pub sealed: Bytes,
}

/// In a [`SealedRequest`]: an order with what the worker drew to hide its snapshot's ids.
///
/// `POST /v1/snapshots` at a steward answers a [`Snapshot`] sealed under `PoolContext`; `POST /v1/debits` answers a
/// [`DebitSignature`] in the clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlindedOrder {
    /// The researcher's signed query.
    pub request: QueryRequest,
    /// 32 random bytes, drawn by the worker once for each order: `core::commit::snapshot_blinder` makes the blinder from them.
    pub drawn: B256,
}

/// The contributions that an order is charged to and may use, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The dataset, by its number in the catalog.
    pub dataset: DatasetId,
    /// The purpose, a DUO permission.
    pub purpose: Purpose,
    /// The order's cut.
    pub cut: B256,
    /// `core::commit::Snapshot::blinded_digest`.
    pub digest: B256,
    /// The records of the pool, ascending.
    pub contributions: Vec<ContributionId>,
}

/// A steward's signature over the debit of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DebitSignature {
    /// The steward, by its seat.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// EIP-712 over `Debit`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// `POST /v1/debits` at the gateway, by a worker or a steward: book this debit; the answer is a [`Mined`]. A debit that is on chain
/// already is answered with its transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DebitRequest {
    /// What is charged, as the stewards sign it.
    #[schema(value_type = Object)]
    pub debit: Debit,
    /// A quorum's signatures, by seat ascending.
    pub signatures: Vec<DebitSignature>,
}

/// In a [`SealedRequest`] to `POST /v1/release` at a steward: shares for a booked debit's snapshot. The answer is [`Shares`] sealed under
/// `SharesContext`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// EIP-712 digest of the order.
    pub order: B256,
    /// Part of the snapshot; at most 100.
    pub contributions: Vec<ContributionId>,
}

/// A share re-sealed to the caller, or the reason why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareAnswer {
    /// The share, handed out.
    Released {
        /// The contribution, by its number in the registry.
        #[schema(value_type = u64)]
        contribution_id: ContributionId,
        /// SHA-256 of the blob.
        #[schema(value_type = crate::shape::Hex32)]
        blob_digest: B256,
        /// Feldman commitments.
        #[schema(value_type = Vec<crate::shape::Hex32>)]
        deal: Vec<B256>,
        /// The share, sealed to the caller's key on chain.
        #[schema(value_type = crate::shape::HexBytes)]
        sealed: Bytes,
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

/// Answer to [`ReleaseRequest`] and to a scoring request, in the order asked.
pub type Shares = Vec<ShareAnswer>;

/// `POST /v1/receipts` at the gateway, by the worker: anchor this receipt of a booked debit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnchorRequest {
    /// EIP-712 digest of the order.
    #[schema(value_type = crate::shape::Hex32)]
    pub order: B256,
    /// `core::commit::answer` of the answer.
    #[schema(value_type = crate::shape::Hex32)]
    pub result_digest: B256,
    /// The worker's address.
    #[schema(value_type = crate::shape::HexAddress)]
    pub worker: Address,
    /// EIP-712 over `QueryReceipt`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub worker_signature: Bytes,
}

/// Answer to [`QueryRequest`]: an [`Answered`] as JSON, sealed to the license's recipient key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealedAnswer {
    /// The license, by its number.
    #[schema(value_type = u64)]
    pub license_id: LicenseId,
    /// The digest of the query.
    #[schema(value_type = crate::shape::Hex32)]
    pub query_digest: B256,
    /// EIP-712 digest of the order, which the seal binds.
    #[schema(value_type = crate::shape::Hex32)]
    pub order: B256,
    /// HPKE encapsulated key and ciphertext.
    #[schema(value_type = crate::shape::HexBytes)]
    pub sealed: Bytes,
    /// The receipt's transaction.
    pub mined: Mined,
}

/// The opened answer with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The noisy answer.
    pub answer: rochdale_core::query::Answer,
    /// The debit that paid for it.
    pub debit: Debit,
    /// Blinder of `result_digest`, drawn by the worker.
    pub blinder: B256,
    /// `core::commit::answer` of the answer's digest and the blinder, as on chain.
    pub result_digest: B256,
    /// EIP-712 over `QueryReceipt` by the worker.
    pub worker_signature: Bytes,
    /// Whether it is an earlier answer to the same query under the same license, for which nothing is charged again.
    pub cached: bool,
}

/// `GET /v1/sizes` at a steward, and at the gateway as a quorum of them says alike: how many members each dataset has for a purpose, and what
/// each of them may be charged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sizes {
    /// By dataset and purpose.
    pub sizes: Vec<PublishedSize>,
    /// What a person may be charged; absent where too few stewards say the same.
    #[serde(default)]
    pub limits: Option<BudgetLimits>,
}

/// A differentially private count, coarse; see `core::size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedSize {
    /// The dataset, by its number in the catalog.
    #[schema(value_type = u32)]
    pub dataset: DatasetId,
    /// The purpose that consents were matched against.
    #[schema(value_type = u16)]
    pub purpose: Purpose,
    /// The epoch at whose cut members were counted; 0 before the first.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
    /// Members, noisy, to the next multiple of `core::size::GRID`.
    pub members: u64,
}
