//! From what a person wants to what the houses vote on, and the transactions of a proposal's life.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use serde::{Deserialize, Serialize};

use super::proposal::{Owner, Proposal, owner};
use super::{Book, CallError, CallSpec, CharterCalls};
use crate::bindings::CoopGovernor;
use crate::client::{Chain, ChainError, Receipt, SendError, Sender};
use crate::deploy::Manifest;
use crate::eip712;
use crate::house::{Call, House, Support};

/// What a person wants decided, as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Why, in the proposer's words; all that voters read beside the calls.
    pub why: String,
    /// What would be called, in order, all or none.
    pub calls: Vec<CallSpec>,
}

/// What one house votes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Motion {
    /// The house that votes on it.
    pub house: House,
    /// What its timelock would call.
    pub calls: Vec<Call>,
    /// What is written on the proposal.
    pub description: String,
}

/// Why a draft cannot be voted on.
#[derive(Debug, thiserror::Error)]
pub enum MotionError {
    /// A call.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Nothing to decide.
    #[error("a proposal needs at least one call")]
    Empty,
    /// No one house may do all of it.
    #[error("the calls belong to different bodies ({0}); make a proposal for each")]
    Mixed(String),
    /// Only the guardian may.
    #[error("only the guardian may pause, and no house can do it in its place")]
    Pause,
    /// The RPC.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl Draft {
    /// What the houses vote on: one motion of the house that owns the calls, or one in each house where both must agree.
    /// `salt` tells two equal charter operations apart.
    ///
    /// # Errors
    /// Where a call cannot be encoded, or no one body may make all of them.
    pub async fn motions(&self, chain: &Chain, manifest: &Manifest, salt: B256) -> Result<Vec<Motion>, MotionError> {
        let book = Book::of(manifest);
        let calls = self.calls.iter().map(|spec| spec.encode(&book)).collect::<Result<Vec<_>, _>>()?;
        let mut owners: BTreeMap<String, Owner> = BTreeMap::new();
        for call in &calls {
            let owner = owner(chain, manifest, call).await?;
            owners.insert(owner.to_string(), owner);
        }
        let names: Vec<&str> = owners.keys().map(String::as_str).collect();
        match owners.values().copied().collect::<Vec<_>>()[..] {
            [] => Err(MotionError::Empty),
            [Owner::Pauser] => Err(MotionError::Pause),
            [Owner::House(house)] => Ok(vec![Motion { house, calls, description: self.why.clone() }]),
            [Owner::Charter] => {
                let charter = CharterCalls { calls, salt };
                let target = manifest.addresses.charter_gate;
                let approve = Call { target, value: U256::ZERO, data: charter.approval() };
                let description = charter.described(&self.why);
                let motion = |house| Motion { house, calls: vec![approve.clone()], description: description.clone() };
                Ok(House::ALL.into_iter().map(motion).collect())
            }
            _ => Err(MotionError::Mixed(names.join(", "))),
        }
    }
}

/// What the last line of a description begins with that only one account may propose.
pub const PROPOSER: &str = "#proposer=";

impl Motion {
    /// The same, for `proposer` alone. A governor knows this ending: without it, whoever sees the proposal on its way can
    /// make it first, and cancel it as its proposer.
    #[must_use]
    pub fn by(self, proposer: Address) -> Self {
        let description = format!("{}\n\n{PROPOSER}{proposer:#x}", self.description);
        Self { description, ..self }
    }

    /// The proposal that this becomes at its governor.
    #[must_use]
    pub fn id(&self) -> U256 {
        Proposal::number(&self.calls, &self.description)
    }

    /// Puts it before the house, by an account with enough votes.
    ///
    /// # Errors
    /// Where the governor refuses, as for too few votes or a proposal that is there already.
    pub async fn propose(&self, proposer: &Sender, manifest: &Manifest) -> Result<Receipt, SendError> {
        let call = CoopGovernor::proposeCall {
            targets: self.calls.iter().map(|call| call.target).collect(),
            values: self.calls.iter().map(|call| call.value).collect(),
            calldatas: self.calls.iter().map(|call| call.data.clone()).collect(),
            description: self.description.clone(),
        };
        proposer.send(self.house.governor(manifest), &call).await
    }
}

impl Proposal {
    /// Votes by the sender's own account.
    ///
    /// # Errors
    /// Where the governor refuses: no votes at the snapshot, voted already, not open.
    pub async fn vote(&self, voter: &Sender, manifest: &Manifest, support: Support) -> Result<Receipt, SendError> {
        let call = CoopGovernor::castVoteCall { proposalId: self.id, support: support as u8 };
        voter.send(self.house.governor(manifest), &call).await
    }

    /// What an account signs so that somebody else sends its vote; `nonce` is the governor's for that account.
    #[must_use]
    pub fn ballot(&self, voter: Address, support: Support, nonce: U256) -> eip712::governor::Ballot {
        eip712::governor::Ballot { proposalId: self.id, support: support as u8, voter, nonce }
    }

    /// Sends a vote that its account signed; anyone may pay.
    ///
    /// # Errors
    /// As [`Self::vote`], and where the signature is not the account's.
    pub async fn vote_for(
        &self,
        payer: &Sender,
        manifest: &Manifest,
        ballot: &eip712::governor::Ballot,
        signature: Bytes,
    ) -> Result<Receipt, SendError> {
        let call = CoopGovernor::castVoteBySigCall {
            proposalId: self.id,
            support: ballot.support,
            voter: ballot.voter,
            signature,
        };
        payer.send(self.house.governor(manifest), &call).await
    }

    /// Puts what succeeded into the timelock; anyone may.
    ///
    /// # Errors
    /// Where it has not succeeded.
    pub async fn queue(&self, payer: &Sender, manifest: &Manifest) -> Result<Receipt, SendError> {
        let (targets, values, calldatas, description) = self.parts();
        let call = CoopGovernor::queueCall { targets, values, calldatas, descriptionHash: description };
        payer.send(self.house.governor(manifest), &call).await
    }

    /// Has the timelock make the calls; anyone may.
    ///
    /// # Errors
    /// Where it has not waited long enough, or a call reverts.
    pub async fn execute(&self, payer: &Sender, manifest: &Manifest) -> Result<Receipt, SendError> {
        let (targets, values, calldatas, description) = self.parts();
        let call = CoopGovernor::executeCall { targets, values, calldatas, descriptionHash: description };
        payer.send(self.house.governor(manifest), &call).await
    }
}

impl CharterCalls {
    /// Has the gate make the calls that both houses approved; anyone may.
    ///
    /// # Errors
    /// Where a house has not approved, an approval has expired, or a call reverts.
    pub async fn execute(&self, payer: &Sender, manifest: &Manifest) -> Result<Receipt, SendError> {
        let gate = manifest.addresses.charter_gate;
        payer.send_raw(gate.into(), self.execution(), "CharterGate.execute").await
    }

    /// A salt from words that are not used twice.
    #[must_use]
    pub fn salt(words: &str) -> B256 {
        keccak256(words)
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::House(house) => house.fmt(f),
            Self::Charter => f.write_str("both houses through the charter"),
            Self::Pauser => f.write_str("guardian"),
        }
    }
}
