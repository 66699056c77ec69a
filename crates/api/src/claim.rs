//! What members are paid, and by which leaves.

use alloy_primitives::{Address, B256};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::Amounts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::member::Mined;

/// `POST /v1/claims` at the gateway: pay these members what the last final root owes them. Anyone may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// Whom; empty for everyone in the tree.
    #[serde(default)]
    #[schema(value_type = Vec<u32>)]
    pub members: Vec<MemberId>,
}

/// Answer to [`ClaimRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Claimed {
    /// The epoch whose root was claimed against.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
    /// Who was paid what.
    pub paid: Vec<Paid>,
    /// Whose payee refused the transfer; they stay owed.
    #[schema(value_type = Vec<u32>)]
    pub skipped: Vec<MemberId>,
    /// Who is owed something that the cooperative pays no gas for now: too little, or paid for this epoch already.
    #[serde(default)]
    #[schema(value_type = Vec<u32>)]
    pub later: Vec<MemberId>,
    /// The transactions that did it.
    pub mined: Vec<Mined>,
}

impl Claimed {
    /// What concerns these members; all of it where there are none.
    #[must_use]
    pub fn only(&self, members: &std::collections::BTreeSet<MemberId>) -> Self {
        let mut part = self.clone();
        if !members.is_empty() {
            part.paid.retain(|paid| members.contains(&paid.member_id));
            part.skipped.retain(|member| members.contains(member));
            part.later.retain(|member| members.contains(member));
        }
        if part.paid.is_empty() && part.skipped.is_empty() {
            part.mined.clear();
        }
        part
    }
}

/// One member's payment. Amounts are decimal strings in the smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Paid {
    /// The member whom it is about.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The payout address.
    #[schema(value_type = crate::shape::HexAddress)]
    pub payout: Address,
    /// Micro-USDC.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub cash: u128,
    /// DATA wei.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub data: u128,
    /// GOV wei.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub gov: u128,
}

/// `POST /v1/claim-leaves` at a steward, by the gateway or a member: leaves and paths under a final root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeavesRequest {
    /// A settled epoch.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
    /// Whose; empty for everyone in the tree.
    #[schema(value_type = Vec<u32>)]
    pub members: Vec<MemberId>,
}

/// A leaf as `SettlementLedger.claim` takes it, with its path from the leaf up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClaimLeaf {
    /// The member whom it belongs to.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// Micro-USDC.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub cash: u128,
    /// Micro-USDC.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub stream: u128,
    /// DATA wei.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub data: u128,
    /// GOV wei.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub gov: u128,
    /// Hash of the row's private part.
    #[schema(value_type = crate::shape::Hex32)]
    pub private_hash: B256,
    /// Sibling hashes, lowest level first.
    #[schema(value_type = Vec<crate::shape::Hex32>)]
    pub proof: Vec<B256>,
}

impl ClaimLeaf {
    /// What the leaf shows.
    #[must_use]
    pub fn amounts(&self) -> Amounts {
        Amounts { cash: self.cash, stream: self.stream, data: self.data, gov: self.gov }
    }
}
