//! The words of governance: who decides, how somebody votes, what would be called. Events and proposals are made of them.

use std::fmt;

use alloy::primitives::{Address, Bytes, U256};
use serde::{Deserialize, Serialize};

/// One of the two houses that decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum House {
    /// Votes by what members earned.
    Token,
    /// One vote for each member.
    Member,
}

impl fmt::Display for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "token house",
            Self::Member => "member house",
        })
    }
}

impl House {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Token, Self::Member];
}

/// How an account votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Against it.
    Against = 0,
    /// For it.
    For = 1,
    /// Neither, but it counts for the quorum.
    Abstain = 2,
}

/// One call, encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Whom it calls.
    pub target: Address,
    /// Wei sent along.
    pub value: U256,
    /// Selector and arguments.
    pub data: Bytes,
}
