//! Health, the cooperative's directory, and what the gateway's index shows.

use alloy_primitives::{Address, B256};
use rochdale_core::ids::{DatasetId, Epoch, LicenseId, MemberId, Purpose, StewardId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/health` of every process. 200 when it can work, 503 when not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `gateway`, `steward-2`, `worker`.
    pub service: String,
    /// Crate version.
    pub version: String,
    /// Whether it can work.
    pub ok: bool,
    /// The process's address.
    #[schema(value_type = crate::shape::HexAddress)]
    pub address: Address,
    /// The RPC's latest block.
    pub head: u64,
    /// The last block that was indexed.
    pub indexed: u64,
    /// Block time, Unix seconds.
    pub now: u64,
    /// What is wrong.
    pub problems: Vec<String>,
    /// Stewards that have not answered this process lately. It goes on without them.
    #[serde(default)]
    pub waiting_for: Vec<String>,
}

/// `GET /v1/welcome` at the gateway: what whoever tries a local cooperative out starts with; nothing elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// The code of an invitation that nobody has used; absent where nobody is admitted.
    pub invitation: Option<String>,
    /// A researcher with test money whom the ethics board approved.
    pub researcher: Option<TestResearcher>,
}

/// Whoever has the key is this researcher, so that it exists on a local chain alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestResearcher {
    /// The account.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// The account's private key, which a wallet takes.
    #[schema(value_type = crate::shape::Hex32)]
    pub key: B256,
    /// Where a wallet reaches the chain.
    pub rpc_url: String,
}

/// `GET /v1/cooperative` at the gateway: what a client needs to take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cooperative {
    /// The chain's id (EIP-155).
    pub chain_id: u64,
    /// The deployment manifest, as written at deployment.
    #[schema(value_type = Object)]
    pub manifest: serde_json::Value,
    /// The gateway's own address: the audience of requests to it.
    #[schema(value_type = crate::shape::HexAddress)]
    pub gateway: Address,
    /// Stewards by seat.
    pub stewards: Vec<StewardEntry>,
    /// How many of them must sign.
    pub quorum: u8,
    /// Block time at the gateway.
    pub now: u64,
    /// The newest finalized block: what an order is cut at.
    pub finalized: FinalizedBlock,
    /// The running epoch.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
    /// The last final epoch.
    #[schema(value_type = u32)]
    pub final_epoch: Epoch,
    /// Active members.
    pub members: u32,
}

/// A block that no reorganization takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FinalizedBlock {
    /// The block's number.
    pub number: u64,
    /// The block's hash.
    #[schema(value_type = crate::shape::Hex32)]
    pub hash: B256,
    /// Its timestamp, seconds.
    pub timestamp: u64,
}

/// A steward in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StewardEntry {
    /// The steward's seat, from 1.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// Signing address.
    #[schema(value_type = crate::shape::HexAddress)]
    pub address: Address,
    /// HPKE sealing key.
    #[schema(value_type = crate::shape::Hex32)]
    pub sealing_key: B256,
    /// Where members reach it.
    pub url: String,
    /// Whether it answered the gateway's last look.
    pub up: bool,
}

/// `GET /v1/members/{id}` at the gateway: what the chain says of a member, and the nonces that the next signatures need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// The member whom it is about.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The account's address.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// Where claims are paid.
    #[schema(value_type = crate::shape::HexAddress)]
    pub payout: Address,
    /// A membership exists.
    pub active: bool,
    /// `none`, `granted`, `expired`, `revoked`, `erased`.
    pub consent: String,
    /// Version of the last consent.
    pub consent_version: u32,
    /// What the chain holds of the last consent's receipt: its blinded digest; zero where there is none, or no more.
    #[schema(value_type = crate::shape::Hex32)]
    pub consent_commitment: B256,
    /// When it ends by itself, Unix seconds; 0 for never.
    pub consent_expiry: u64,
    /// Nonce of the next consent signature.
    pub consent_nonce: u64,
    /// Nonce of the next signature to leave or to be paid elsewhere.
    pub membership_nonce: u64,
    /// Nonce of the next contribution signature.
    pub contribution_nonce: u64,
    /// Contributions recorded.
    pub contributions: u32,
}

/// `GET /v1/licenses/{id}` at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LicenseView {
    /// The license, by its number.
    #[schema(value_type = u64)]
    pub license_id: LicenseId,
    /// Who holds it.
    #[schema(value_type = crate::shape::HexAddress)]
    pub holder: Address,
    /// For what data.
    #[schema(value_type = u32)]
    pub dataset: DatasetId,
    /// For what purpose.
    #[schema(value_type = u16)]
    pub purpose: Purpose,
    /// Records paid for.
    pub records: u32,
    /// Seconds of block time.
    pub expiry: u64,
    /// HPKE key that answers are sealed to.
    #[schema(value_type = crate::shape::Hex32)]
    pub recipient_key: B256,
}

/// `GET /v1/treasury` at the gateway: cumulative micro-USDC booked to each bucket, as decimal strings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TreasuryView {
    /// Micro-USDC for contributors.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub contributors: u128,
    /// To buy back DATA.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub buyback: u128,
    /// Micro-USDC for the cooperative's operations.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub operations: u128,
    /// Micro-USDC for compliance.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub compliance: u128,
    /// Micro-USDC in the reserve.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub reserve: u128,
    /// Paid out to members.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub claimed: u128,
}

/// `GET /v1/epochs/{epoch}` at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EpochView {
    /// The epoch, from 1.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
    /// `running`, `awaiting_proposal`, `pending`, `final`.
    pub state: String,
    /// When it ends, in block time.
    pub end: u64,
    /// When its root is final.
    pub final_at: Option<u64>,
    /// The root of the epoch's tree.
    #[schema(value_type = Option<crate::shape::Hex32>)]
    pub root: Option<B256>,
    /// The proposed header.
    #[schema(value_type = Option<Object>)]
    pub header: Option<rochdale_core::ledger::Header>,
    /// Gas of the proposal.
    pub gas_used: Option<u64>,
    /// The parameters that govern the epoch.
    #[schema(value_type = Object)]
    pub params: rochdale_core::ledger::Params,
}

/// A dataset on offer (`GET /v1/datasets` at the gateway).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatasetView {
    /// The dataset, by its number in the catalog.
    #[schema(value_type = u32)]
    pub dataset: DatasetId,
    /// 1 EHR, 2 labs, 3 wearable, 4 genomic summary.
    pub data_type: u8,
    /// The code of where the data comes from.
    pub source: u8,
    /// Micro-USDC for 1,000 records, as a decimal string.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub price_per_thousand: u128,
    /// Digest of the license terms.
    #[schema(value_type = crate::shape::Hex32)]
    pub terms_hash: B256,
    /// Codes that the cooperative says its records hold, to ask about. The gateway's configuration lists them: nothing is read from
    /// anybody's record, and a code that is not listed may occur all the same.
    #[serde(default)]
    pub codes: Vec<DatasetCode>,
}

/// A code that records of a dataset hold, as published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatasetCode {
    /// `observation`, which has values, or `condition`, which people have or not.
    pub of: CodeOf,
    /// The code system's URI.
    pub system: String,
    /// The code in it.
    pub code: String,
    /// What it means.
    pub name: String,
    /// The UCUM unit that values are kept in, and that a query's bounds are thousandths of; absent where they are kept as written.
    pub unit: Option<String>,
}

/// Where a code stands in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeOf {
    /// Something that was measured.
    Observation,
    /// Something that somebody has.
    Condition,
}

/// `GET /v1/budget` at the gateway: what was charged to privacy budgets. A debit charges each person in its snapshot, and nobody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BudgetView {
    /// How many debits are booked on chain.
    pub debits: u64,
    /// Those with an anchored receipt.
    pub answered: u64,
    /// What they charge in all, in nano-zCDP: no person was charged more.
    pub rho: u64,
    /// What a person may be charged, as a quorum of stewards says alike; absent where they do not.
    #[serde(default)]
    pub limits: Option<BudgetLimits>,
}

/// What each person's privacy budget is, in nano-zCDP: stewards' configuration, the same at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetLimits {
    /// For life, never reset.
    pub lifetime: u64,
    /// What becomes available with each year of membership that begins.
    pub per_year: u64,
}
