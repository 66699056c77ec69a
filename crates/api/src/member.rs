//! Joining, consent, erasure and what a member reads of their own row.

use alloy_primitives::{Address, B256, Bytes};
use rochdale_core::ids::{ContributionId, Epoch, LicenseId, MemberId, StewardId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::claim::{ClaimLeaf, ClaimRequest, Claimed, LeavesRequest, Paid};

/// Bytes that one steward alone can open (HPKE to its sealing key on chain).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedTo {
    /// The steward's seat.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// The HPKE encapsulated key and ciphertext.
    #[schema(value_type = crate::shape::HexBytes)]
    pub sealed: Bytes,
}

/// `POST /v1/members` at the gateway: join by a registrar-signed admission. Public: the registrar's signature is the right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The member's account.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// Where claims are paid.
    #[schema(value_type = crate::shape::HexAddress)]
    pub payout: Address,
    /// One per credential; a second use is refused.
    #[schema(value_type = crate::shape::Hex32)]
    pub nullifier: B256,
    /// `core::commit::row_key_digest` of the row key.
    #[schema(value_type = crate::shape::Hex32)]
    pub row_key_digest: B256,
    /// Seconds of block time.
    pub deadline: u64,
    /// The registrar's EIP-712 signature over `Admission`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub registrar_signature: Bytes,
    /// The row key, sealed to every steward.
    pub row_keys: Vec<SealedTo>,
}

/// What somebody asks the registrar with, in a file: the row key is in it for the stewards alone, sealed to each, and its digest is signed
/// by the account, so that whoever carries it can change neither account, row key, nullifier nor deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The account that is to be admitted.
    pub account: Address,
    /// One per credential.
    pub nullifier: B256,
    /// `core::commit::row_key` of the row key.
    pub row_key_digest: B256,
    /// Seconds of block time until which it may be admitted.
    pub deadline: u64,
    /// EIP-712 over `Application` by the account.
    pub signature: Bytes,
    /// The row key, sealed to every steward.
    pub row_keys: Vec<SealedTo>,
}

/// `POST /v1/admissions` at the gateway, which forwards it to the registrar: somebody applies with an invitation. The row key is in it for
/// the stewards alone, sealed to each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitedApplication {
    /// Names the invitation and does not tell its code.
    #[schema(value_type = crate::shape::Hex32)]
    pub invitation: B256,
    /// The account that is to be admitted. It need not exist yet.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// `core::commit::row_key` of the row key.
    #[schema(value_type = crate::shape::Hex32)]
    pub row_key_digest: B256,
    /// Seconds of block time until which it may be admitted.
    pub deadline: u64,
    /// HMAC-SHA256 by the invitation's code over the EIP-712 digest of `Application`.
    #[schema(value_type = crate::shape::Hex32)]
    pub mac: B256,
    /// The row key, sealed to every steward.
    pub row_keys: Vec<SealedTo>,
}

/// Whether the registrar admits anybody now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Admissions {
    /// Whether who applies now can be admitted.
    pub open: bool,
    /// How many may still be admitted in this epoch; none where it is not known.
    pub left: Option<u32>,
    /// How many may be admitted in an epoch; none where it is not known.
    pub cap: Option<u32>,
    /// When the epoch ends and the count begins anew, Unix seconds of block time.
    pub epoch_ends: u64,
}

/// A mined transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mined {
    /// Transaction hash.
    #[schema(value_type = crate::shape::Hex32)]
    pub tx: B256,
    /// Block number.
    pub block: u64,
    /// Gas used by the whole transaction.
    pub gas_used: u64,
}

/// Answer to [`JoinRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Joined {
    /// The new member's id.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The transaction that did it.
    pub mined: Mined,
    /// Stewards that did not take the row key yet; they fetch it from their peers.
    #[schema(value_type = Vec<u8>)]
    pub pending_stewards: Vec<StewardId>,
}

/// A row key on its way to stewards (`POST /v1/row-keys` at a steward, by the gateway).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RowKeyDelivery {
    /// The member whose row it is.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The member's account: part of the sealing's additional data.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// The admission's nullifier: likewise.
    #[schema(value_type = crate::shape::Hex32)]
    pub nullifier: B256,
    /// This steward's copy.
    pub sealed: SealedTo,
}

/// `POST /v1/row-keys/offers` at the gateway: the registrar has the stewards keep a row key, before it signs the admission
/// that names its digest. The registrar's signature is the right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyOfferRequest {
    /// The account that is to be admitted.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// The admission's nullifier.
    #[schema(value_type = crate::shape::Hex32)]
    pub nullifier: B256,
    /// `core::commit::row_key` of the key.
    #[schema(value_type = crate::shape::Hex32)]
    pub row_key_digest: B256,
    /// Seconds of block time, at most a day ahead: until then the account joins, or the key is forgotten.
    pub deadline: u64,
    /// The registrar's EIP-712 signature over `KeyOffer`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub registrar_signature: Bytes,
    /// The row key, sealed to every steward.
    pub row_keys: Vec<SealedTo>,
}

/// A row key that the registrar offers, on its way to one steward (`POST /v1/row-keys/offers` at a steward, by the gateway).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyOfferDelivery {
    /// The account that is to join.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// The admission's nullifier, as the registrar signs it.
    #[schema(value_type = crate::shape::Hex32)]
    pub nullifier: B256,
    /// The digest of the row key that is offered.
    #[schema(value_type = crate::shape::Hex32)]
    pub row_key_digest: B256,
    /// Seconds of block time: until then the account joins, or the key is forgotten.
    pub deadline: u64,
    /// The registrar's signature over the offer.
    #[schema(value_type = crate::shape::HexBytes)]
    pub registrar_signature: Bytes,
    /// This steward's copy.
    pub sealed: SealedTo,
}

/// A steward's word that it opened a row key, compared it with its digest and keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyReceipt {
    /// The seat of the steward that signs.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// EIP-712 over `KeyHeld`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// Answer to [`KeyOfferRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyReceipts {
    /// One for each steward that holds the key.
    pub receipts: Vec<KeyReceipt>,
    /// Why the others do not, in words.
    pub missing: Vec<String>,
}

/// `POST /v1/consents` at the gateway: the member's signed consent. The signature is the right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// The member who consents.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// Last version + 1.
    pub version: u32,
    /// `core::commit::consent_commitment`.
    #[schema(value_type = crate::shape::Hex32)]
    pub receipt_commitment: B256,
    /// Seconds of block time; 0 for none.
    pub expiry: u64,
    /// The member's consent nonce.
    pub nonce: u64,
    /// Seconds of block time.
    pub deadline: u64,
    /// EIP-712 over `ConsentGrant`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
    /// Receipt and blinder (`crypto::sealing::ConsentPart`), sealed to every steward.
    pub receipts: Vec<SealedTo>,
}

/// Answer to [`GrantRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Granted {
    /// The transaction that did it.
    #[serde(flatten)]
    pub mined: Mined,
    /// Stewards that did not take the receipt yet; they fetch it from their peers.
    #[schema(value_type = Vec<u8>)]
    pub pending_stewards: Vec<StewardId>,
}

/// The receipt and blinder behind a consent commitment, between stewards or to its member; only ever sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentSecret {
    /// The consent receipt.
    pub receipt: rochdale_core::consent::Receipt,
    /// 256 random bits that erasure destroys.
    pub blinder: B256,
}

/// A consent receipt on its way to one steward (`POST /v1/consents` at a steward, by the gateway).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentDelivery {
    /// The member who consented.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The consent's version.
    pub version: u32,
    /// This steward's copy.
    pub sealed: SealedTo,
}

/// `POST /v1/consents/revoke` and `/v1/consents/erase` at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DenyRequest {
    /// The member who revokes or erases.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The member's consent nonce.
    pub nonce: u64,
    /// Seconds of block time.
    pub deadline: u64,
    /// EIP-712 over `ConsentRevoke` or `ConsentErase`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// `POST /v1/members/leave` at the gateway: end the membership. What was earned stays claimable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveRequest {
    /// The member who leaves.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The member's membership nonce.
    pub nonce: u64,
    /// Seconds of block time.
    pub deadline: u64,
    /// EIP-712 over `Leave`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// `POST /v1/members/payout` at the gateway: be paid elsewhere from now on, also after the membership ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutRequest {
    /// The member whose earnings go there.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// Where they are paid.
    #[schema(value_type = crate::shape::HexAddress)]
    pub payout: Address,
    /// The member's membership nonce.
    pub nonce: u64,
    /// Seconds of block time.
    pub deadline: u64,
    /// EIP-712 over `Payout`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// A steward's signed word that it destroyed what it held of a member (`GET /v1/erasures/{member}` at a steward).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureAttestation {
    /// The member whose records they are.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The steward that signs.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// How many key shares it destroyed.
    pub shares: u64,
    /// Block time of the destruction.
    pub at: u64,
    /// EIP-712 over `ErasureReceipt`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
    /// Its word that the rest is gone too, once that is so.
    #[serde(default)]
    pub complete: Option<CompleteErasure>,
}

/// A steward's signed word that the rest is gone too: rows, scores, sketches, lines of sheets, and the keys to
/// what was sealed to it. What the ledger owes stays, signed scores inside the sheets of settled epochs, and snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CompleteErasure {
    /// Block time, Unix seconds.
    pub at: u64,
    /// EIP-712 over `ErasureComplete`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// `POST /v1/members/{id}/row` at a steward, signed by the member's account. Answer: [`SealedRow`]. The same to
/// `/v1/members/{id}/opening`, where `epoch` is the pending one and the answer holds an [`OpeningReport`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RowRequest {
    /// A fresh X25519 key of the caller.
    #[schema(value_type = crate::shape::Hex32)]
    pub reply_key: B256,
    /// The settled epoch; absent for the last one.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub epoch: Option<Epoch>,
}

/// Answer to [`RowRequest`]: a [`RowReport`] as JSON, sealed to `reply_key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedRow {
    /// The settled epoch, which the seal binds.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
    /// The encapsulated key and ciphertext.
    #[schema(value_type = crate::shape::HexBytes)]
    pub sealed: Bytes,
}

/// What a member needs to contest its row in the pending root, as far as a steward has it; only ever sealed. What the
/// stewards who signed keep to themselves, the member demands, and finds here once it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningReport {
    /// What the signers signed.
    pub header: rochdale_core::ledger::Header,
    /// The parameters that it names by their hash.
    pub params: rochdale_core::ledger::Params,
    /// The row in the root before.
    pub old: rochdale_core::ledger::OldRow,
    /// The inputs, where this steward has those that the header commits to.
    pub inputs: Option<rochdale_core::ledger::OpenedInputs>,
    /// The proposed leaf, where this steward has the tree, or the leaf was published.
    pub leaf: Option<rochdale_core::ledger::NewLeaf>,
}

/// HPKE-sealed bytes for the caller alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The encapsulated key and ciphertext.
    #[schema(value_type = crate::shape::HexBytes)]
    pub sealed: Bytes,
}

/// What a member reads of their own row; only ever sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowReport {
    /// The settled epoch.
    pub epoch: Epoch,
    /// The exact row.
    pub row: rochdale_core::ledger::Row,
    /// The row's salt in that epoch.
    pub salt: B256,
    /// The leaf and its path, as claimed on chain.
    pub leaf: ClaimLeaf,
    /// Every scored or deferred contribution.
    pub contributions: Vec<ContributionReport>,
    /// Who used the member's data.
    pub uses: Vec<UseReport>,
}

/// One contribution's score with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContributionReport {
    /// The contribution, by its number in the registry.
    pub contribution_id: ContributionId,
    /// The agreed score; absent while deferred.
    pub score: Option<rochdale_core::ledger::Score>,
    /// The epoch it counted in.
    pub epoch: Option<Epoch>,
    /// Why points were lost, or why it waits.
    pub reasons: Vec<String>,
}

/// One use of the member's data by a licensee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseReport {
    /// The debit's id on chain.
    pub debit: u64,
    /// When it was booked, block time.
    pub at: u64,
    /// The license, by its number.
    pub license_id: LicenseId,
    /// The account that holds it.
    pub researcher: Address,
    /// The purpose, a DUO permission.
    pub purpose: rochdale_core::ids::Purpose,
    /// The query's digest.
    pub query_digest: B256,
    /// What it charged, in nano-zCDP.
    pub rho: u64,
    /// How many of the member's records lay in the snapshot.
    pub records: u64,
    /// What was asked, where the steward signed for it and keeps it; its digest is the one on chain.
    #[serde(default)]
    pub query: Option<rochdale_core::query::Query>,
}
