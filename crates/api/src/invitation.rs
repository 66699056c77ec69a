//! Invitations: what the registrar's office asks its process for. Nobody else may.

use alloy_primitives::{Address, B256};
use rochdale_core::ids::MemberId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Invitations that one request may make.
pub const MOST_AT_ONCE: u16 = 1_000;
/// Days that an invitation may be good for.
pub const MOST_DAYS: u16 = 366;
/// Characters of a note.
pub const LONGEST_NOTE: usize = 200;

/// `POST /v1/invitations` at the registrar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationsRequest {
    /// How many.
    pub count: u16,
    /// Days of block time that they are good for.
    pub days: u16,
    /// For whom, in the office's own words. It stays at the registrar.
    pub note: String,
}

/// An invitation that was just made: the only time that its code is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewInvitation {
    /// Names it and does not tell the code.
    #[schema(value_type = crate::shape::Hex32)]
    pub id: B256,
    /// What the invited person is given.
    pub code: String,
    /// The office's note.
    pub note: String,
    /// When it was made, Unix seconds of block time.
    pub made: u64,
    /// Until when it is good, Unix seconds of block time.
    pub expires: u64,
}

/// What became of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// Nobody used it.
    Open,
    /// An account was admitted and has not joined.
    Admitted,
    /// Its account joined.
    Joined,
    /// The office took it back.
    Withdrawn,
    /// Nobody used it in time.
    Expired,
}

/// An invitation as the office sees it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationView {
    /// Names it.
    #[schema(value_type = crate::shape::Hex32)]
    pub id: B256,
    /// The office's note.
    pub note: String,
    /// When it was made, Unix seconds of block time.
    pub made: u64,
    /// Until when it is good, Unix seconds of block time.
    pub expires: u64,
    /// What became of it.
    pub state: InvitationState,
    /// The account that it admitted last.
    #[schema(value_type = Option<crate::shape::HexAddress>)]
    pub account: Option<Address>,
    /// The member that this account joined as.
    #[schema(value_type = Option<u32>)]
    pub member: Option<MemberId>,
}
