//! Dealing records' shares to a committee that was seated later, between stewards.

use alloy_primitives::{Address, B256, Bytes};
use rochdale_core::ids::{ContributionId, StewardId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/reshare` at a steward, or at one that left office, by a steward in office, sealed both ways: what old holders dealt to the
/// committee in office, and who says that it holds which. Idempotent: each deal is drawn once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReshareRequest {
    /// The generation of the committee in office.
    pub generation: u32,
    /// Which records; at most [`RESHARE_PAGE`].
    pub records: Vec<RecordAsked>,
}

/// Records in one [`ReshareRequest`].
pub const RESHARE_PAGE: usize = 50;

/// A record in a [`ReshareRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordAsked {
    /// The contribution, by its number in the registry.
    #[schema(value_type = u64)]
    pub contribution_id: ContributionId,
    /// Digests of the deals that the caller has.
    #[schema(value_type = Vec<crate::shape::Hex32>)]
    pub have: Vec<B256>,
    /// What stewards said that the caller knows of.
    pub words: Vec<HeldWord>,
}

/// Answer to [`ReshareRequest`], in the order asked; only ever sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReshareAnswer {
    /// One for each record that was asked for.
    pub records: Vec<RecordDealt>,
}

/// What a steward knows of a record's resharing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordDealt {
    /// Deals that the caller did not have: its own, and others' that it took over.
    pub deals: Vec<Redealt>,
    /// What stewards said that it knows of.
    pub words: Vec<HeldWord>,
}

/// One holder's deal of its own share to the committee in office. Everybody can check it but for the sealed parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redealt {
    /// The contribution, by its commitment on chain.
    pub commitment: B256,
    /// The generation of the committee that is dealt to.
    pub generation: u32,
    /// Seats of the sharing that the dealer's share is of.
    pub source_seats: u8,
    /// Feldman commitments of that sharing; the first is that of the member's own deal.
    pub source: Vec<B256>,
    /// The dealer's seat in it.
    pub dealer: StewardId,
    /// The dealer's account.
    pub account: Address,
    /// Feldman commitments of this deal; the first is the source's at the dealer's seat.
    pub deal: Vec<B256>,
    /// A part for each seat of the committee in office, sealed to its key on chain, in seat order.
    pub parts: Vec<Bytes>,
    /// EIP-712 over `ReshareDeal`, by the dealer.
    pub signature: Bytes,
}

/// A deal of which a steward holds a good part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldDeal {
    /// Hash of the commitments of the sharing that it comes from.
    #[schema(value_type = crate::shape::Hex32)]
    pub source: B256,
    /// How many such deals make a share.
    pub need: u8,
    /// The dealer's seat in that sharing.
    #[schema(value_type = u8)]
    pub dealer: StewardId,
    /// The deal's digest, EIP-712's of `ReshareDeal`.
    #[schema(value_type = crate::shape::Hex32)]
    pub deal: B256,
}

/// A steward's signed word which deals of a record it holds good parts of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldWord {
    /// The steward's account.
    #[schema(value_type = crate::shape::HexAddress)]
    pub steward: Address,
    /// Ascending; a later word of the same steward has these and more. Who signs two of which neither has all of the other holds nothing.
    pub deals: Vec<HeldDeal>,
    /// EIP-712 over `ReshareHeld`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}
