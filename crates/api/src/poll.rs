//! Signed polls: questions and answers in members' names, kept by the gateway, counted by anyone.

use alloy_primitives::{Address, B256, Bytes};
use rochdale_core::poll::{Ballot, Poll};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/polls` at the gateway: a member asks. The author's signature is the right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PollRequest {
    /// The poll as its author signed it.
    #[schema(value_type = Object)]
    pub poll: Poll,
    /// EIP-712 over `Poll` by the author's account: 65 bytes of ECDSA, or what the account's ERC-1271 takes.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// A poll that the gateway keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PollView {
    /// The EIP-712 struct hash of the poll.
    #[schema(value_type = crate::shape::Hex32)]
    pub id: B256,
    /// The poll as its author signed it.
    #[schema(value_type = Object)]
    pub poll: Poll,
    /// The author's signature over the poll.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
    /// Ballots kept.
    pub ballots: u64,
}

/// `POST /v1/polls/{id}/ballots` at the gateway: a member answers. The member's signature is the right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BallotRequest {
    /// The ballot as its member signed it.
    #[schema(value_type = Object)]
    pub ballot: Ballot,
    /// EIP-712 over `Ballot` by the member's account.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// A ballot that the gateway keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedBallot {
    /// The ballot as its member signed it.
    #[schema(value_type = Object)]
    pub ballot: Ballot,
    /// The member's signature over the ballot.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
    /// Block time at which the gateway took it, in Unix seconds.
    pub received_at: u64,
}

/// `GET /v1/polls/{id}/ballots` at the gateway: all that a tally needs beside the chain, also as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PollRecord {
    /// The chain whose members are asked.
    pub chain_id: u64,
    /// The `Membership` contract that says who they are: the verifying contract of both signatures.
    #[schema(value_type = crate::shape::HexAddress)]
    pub membership: Address,
    /// The poll as its author signed it.
    #[schema(value_type = Object)]
    pub poll: Poll,
    /// The author's signature over the poll.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
    /// One for each member, the last that the gateway took.
    pub ballots: Vec<SignedBallot>,
}
