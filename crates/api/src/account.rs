//! Passkey accounts: created and acted for by the gateway's relayer, which pays the gas.

use crate::member::Mined;
use alloy_primitives::{Address, B256, Bytes};
use rochdale_core::ids::MemberId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/accounts` at the gateway: create the account of a passkey that joined. Who it is follows from these alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRequest {
    /// The passkey's public key, x.
    #[schema(value_type = crate::shape::Hex32)]
    pub qx: B256,
    /// The passkey's public key, y.
    #[schema(value_type = crate::shape::Hex32)]
    pub qy: B256,
    /// Who may replace a lost passkey, sorted by address.
    #[schema(value_type = Vec<crate::shape::HexAddress>)]
    pub guardians: Vec<Address>,
    /// How many of them decide; more than half.
    pub threshold: u8,
    /// Seconds that the present passkey has for a veto.
    pub delay: u32,
}

/// Answer to [`AccountRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountCreated {
    /// The account's address.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// The transaction; absent where the account was there already.
    pub mined: Option<Mined>,
}

/// One call of an account. No value: the relayer sends none, and an account needs none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountCall {
    /// The contract; zero for the account itself.
    #[schema(value_type = crate::shape::HexAddress)]
    pub target: Address,
    /// Selector and arguments.
    #[schema(value_type = crate::shape::HexBytes)]
    pub data: Bytes,
}

/// `POST /v1/accounts/execute` at the gateway: calls that the passkey signed, made whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecuteRequest {
    /// The account's address.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// The calls, in order.
    pub calls: Vec<AccountCall>,
    /// The account's nonce.
    pub nonce: u64,
    /// Seconds of block time.
    pub deadline: u64,
    /// The passkey's WebAuthn assertion over `Execute`, as `MemberAccount.executeSigned` takes it.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// `POST /v1/accounts/recoveries` at the gateway: a guardian's yes to another passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryApproval {
    /// The account whose passkey is lost.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// The new passkey's public key, x.
    #[schema(value_type = crate::shape::Hex32)]
    pub qx: B256,
    /// The new passkey's public key, y.
    #[schema(value_type = crate::shape::Hex32)]
    pub qy: B256,
    /// Who agrees.
    #[schema(value_type = crate::shape::HexAddress)]
    pub guardian: Address,
    /// The account's recovery round.
    pub round: u64,
    /// Seconds of block time.
    pub deadline: u64,
    /// The guardians in force, sorted by address.
    #[schema(value_type = Vec<crate::shape::HexAddress>)]
    pub guardians: Vec<Address>,
    /// How many of them decide.
    pub threshold: u8,
    /// Seconds that the present passkey has for a veto.
    pub delay: u32,
    /// The guardian's over `Approval`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// `POST /v1/accounts/recoveries/execute` at the gateway: puts a passkey in place whose delay is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryRequest {
    /// The account's address.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
}

/// A passkey's public key, a point of P-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasskeyPoint {
    /// Its x.
    #[schema(value_type = crate::shape::Hex32)]
    pub qx: B256,
    /// Its y.
    #[schema(value_type = crate::shape::Hex32)]
    pub qy: B256,
}

/// A passkey that is to take the place of an account's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recovering {
    /// The new passkey's public key, x.
    #[schema(value_type = crate::shape::Hex32)]
    pub qx: B256,
    /// The new passkey's public key, y.
    #[schema(value_type = crate::shape::Hex32)]
    pub qy: B256,
    /// From when on it can be put in place, seconds of block time; for 30 days, unless the present passkey vetoes.
    pub ready_at: u64,
}

/// `GET /v1/accounts/{address}` at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// The account's address.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// The member who joined with it; absent where nobody did.
    #[schema(value_type = Option<u32>)]
    pub member_id: Option<MemberId>,
    /// The passkey that speaks for it.
    pub passkey: PasskeyPoint,
    /// The nonce that the next [`ExecuteRequest`] must carry.
    pub nonce: u64,
    /// The round that a guardian's approval must name.
    pub recovery_round: u64,
    /// The passkey that is to come, where a recovery is under way.
    pub recovery: Option<Recovering>,
    /// keccak256 of the guardians, threshold and delay in force, ABI-encoded.
    #[schema(value_type = crate::shape::Hex32)]
    pub recovery_hash: B256,
}
