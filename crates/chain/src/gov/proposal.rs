//! Proposals of the two houses: where they are, where they stand, who voted.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::providers::Provider as _;
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::{Eip712Domain, SolCall as _, SolEvent as _, SolValue as _};
use serde::{Deserialize, Serialize};

use super::{Book, CharterCalls, Described, describe};
use crate::bindings::{CharterGate, CoopAuthority, CoopGovernor, CoopTimelock};
use crate::client::{Chain, ChainError};
use crate::deploy::Manifest;
use crate::eip712;
use crate::house::{Call, House};

/// Blocks in one request for logs.
const RANGE: u64 = 2_000;

impl House {
    /// The address of the governor that the house votes in.
    #[must_use]
    pub fn governor(self, manifest: &Manifest) -> Address {
        match self {
            Self::Token => manifest.addresses.token_governor,
            Self::Member => manifest.addresses.member_governor,
        }
    }

    /// The domain of votes that somebody else sends.
    #[must_use]
    pub fn domain(self, manifest: &Manifest) -> Eip712Domain {
        let name = match self {
            Self::Token => "Token house",
            Self::Member => "Member house",
        };
        eip712::domain(name, manifest.chain_id, self.governor(manifest))
    }

    /// Its timelock, which holds its role.
    #[must_use]
    pub fn timelock(self, manifest: &Manifest) -> Address {
        match self {
            Self::Token => manifest.addresses.token_timelock,
            Self::Member => manifest.addresses.member_timelock,
        }
    }
}

/// Who may have a function called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// One house.
    House(House),
    /// Both houses, through the charter gate.
    Charter,
    /// Whoever may pause for a week.
    Pauser,
}

/// The role that may call a function, as the cooperative's authority has it.
///
/// # Errors
/// Where the RPC does not answer.
pub async fn owner(chain: &Chain, manifest: &Manifest, call: &Call) -> Result<Owner, ChainError> {
    // A house's own settings and delay are the house's, the gate is both houses', beside the authority.
    for house in House::ALL {
        if [house.governor(manifest), house.timelock(manifest)].contains(&call.target) {
            return Ok(Owner::House(house));
        }
    }
    let selector = call.data.get(..4).unwrap_or_default();
    let selector = alloy::primitives::FixedBytes::<4>::try_from(selector).unwrap_or_default();
    let asked = CoopAuthority::getTargetFunctionRoleCall { target: call.target, selector };
    let role = chain.view(manifest.addresses.authority, &asked).await?;
    Ok(match role {
        1 | 4 => Owner::House(House::Token),
        2 => Owner::House(House::Member),
        3 => Owner::Pauser,
        _ => Owner::Charter,
    })
}

/// A proposal as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The house that votes on it.
    pub house: House,
    /// Its number at the governor.
    pub id: U256,
    /// Who made it.
    pub proposer: Address,
    /// What it would call.
    pub calls: Vec<Call>,
    /// The proposal in its author's words.
    pub description: String,
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Voting has not begun.
    Pending,
    /// Voting.
    Active,
    /// Taken back before voting.
    Canceled,
    /// Lost, or below the quorum.
    Defeated,
    /// Won; anyone may queue it.
    Succeeded,
    /// Waiting in the timelock.
    Queued,
    /// Not executed in time.
    Expired,
    /// Done.
    Executed,
}

impl Status {
    fn of(state: u8) -> Self {
        [Self::Pending, Self::Active, Self::Canceled, Self::Defeated, Self::Succeeded, Self::Queued, Self::Expired]
            .get(usize::from(state))
            .copied()
            .unwrap_or(Self::Executed)
    }
}

/// A call, and what it would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translated {
    /// The call.
    pub call: Call,
    /// In plain words.
    pub described: Described,
}

/// What a proposal would do, in plain words, as of when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// What it calls.
    pub calls: Vec<Translated>,
    /// What the charter would do once both houses approve, where it approves that.
    pub charter: Vec<Translated>,
}

/// A proposal, its calls in plain words, and where it stands. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// The house that votes on it.
    pub house: House,
    /// Its number, in hexadecimal.
    pub id: String,
    /// Who made it.
    pub proposer: Address,
    /// Why, in the proposer's words.
    pub description: String,
    /// Where it stands.
    pub status: Status,
    /// What it would do.
    pub calls: Vec<Described>,
    /// What the charter would do once both houses approve, where it approves that.
    pub charter: Vec<Described>,
    /// When voting opens: who has votes then may vote.
    pub opens_at: u64,
    /// When it closes.
    pub closes_at: u64,
    /// When it may be executed: as queued, or where it is not, at the earliest by the timelock's delay.
    pub executable_at: u64,
    /// Votes for.
    pub votes_for: String,
    /// Votes against.
    pub votes_against: String,
    /// Abstentions, which count for the quorum.
    pub votes_abstain: String,
    /// Votes for and abstaining that it needs, once voting has opened.
    pub quorum: Option<String>,
}

impl Proposal {
    /// The targets, values and data as a governor takes them, with the hash of the description.
    #[must_use]
    pub fn parts(&self) -> (Vec<Address>, Vec<U256>, Vec<Bytes>, B256) {
        (
            self.calls.iter().map(|call| call.target).collect(),
            self.calls.iter().map(|call| call.value).collect(),
            self.calls.iter().map(|call| call.data.clone()).collect(),
            keccak256(&self.description),
        )
    }

    /// The number that the governor gives it: that of its operation in the timelock.
    #[must_use]
    pub fn number(calls: &[Call], description: &str) -> U256 {
        let targets: Vec<Address> = calls.iter().map(|call| call.target).collect();
        let values: Vec<U256> = calls.iter().map(|call| call.value).collect();
        let data: Vec<Bytes> = calls.iter().map(|call| call.data.clone()).collect();
        keccak256((targets, values, data, B256::ZERO, keccak256(description)).abi_encode_params()).into()
    }

    /// Reads where it stands and describes what it would do.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn view(&self, chain: &Chain, manifest: &Manifest) -> Result<View, ChainError> {
        let governor = self.house.governor(manifest);
        let id = self.id;
        let status = self.status(chain, manifest).await?;
        let votes = chain.view(governor, &CoopGovernor::proposalVotesCall { proposalId: id }).await?;
        let opens_at = chain.view(governor, &CoopGovernor::proposalSnapshotCall { proposalId: id }).await?;
        let closes_at: u64 =
            chain.view(governor, &CoopGovernor::proposalDeadlineCall { proposalId: id }).await?.saturating_to();
        let eta: u64 = chain.view(governor, &CoopGovernor::proposalEtaCall { proposalId: id }).await?.saturating_to();
        let delay: u64 =
            chain.view(self.house.timelock(manifest), &CoopTimelock::getMinDelayCall {}).await?.saturating_to();
        let quorum = if U256::from(chain.now().await?) > opens_at {
            let call = CoopGovernor::quorumCall { timepoint: opens_at };
            Some(chain.view(governor, &call).await?.to_string())
        } else {
            None
        };
        let words = self.words(chain, manifest).await?;
        let described = |calls: Vec<Translated>| calls.into_iter().map(|call| call.described).collect();
        Ok(View {
            house: self.house,
            id: format!("{:#066x}", self.id),
            proposer: self.proposer,
            description: self.description.clone(),
            status,
            calls: described(words.calls),
            charter: described(words.charter),
            opens_at: opens_at.saturating_to(),
            closes_at,
            executable_at: if eta == 0 { closes_at + delay } else { eta },
            votes_for: votes.forVotes.to_string(),
            votes_against: votes.againstVotes.to_string(),
            votes_abstain: votes.abstainVotes.to_string(),
            quorum,
        })
    }

    /// Where it stands.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn status(&self, chain: &Chain, manifest: &Manifest) -> Result<Status, ChainError> {
        let call = CoopGovernor::stateCall { proposalId: self.id };
        Ok(Status::of(chain.view(self.house.governor(manifest), &call).await?))
    }

    /// The calls that this proposal has the charter approve, as its description carries them.
    #[must_use]
    pub fn charter_calls(&self, manifest: &Manifest) -> Option<CharterCalls> {
        let carried = CharterCalls::read(&self.description)?;
        let operation = carried.operation();
        approvals(&self.calls, manifest).any(|approved| approved == operation).then_some(carried)
    }

    /// What it would do, in plain words, as of the newest block.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn words(&self, chain: &Chain, manifest: &Manifest) -> Result<Words, ChainError> {
        let book = Book::of(manifest);
        let mut calls = translated(chain, &book, &self.calls).await?;
        let carried = self.charter_calls(manifest);
        let known = carried.as_ref().map(CharterCalls::operation);
        let alone = calls.len() == 1;
        for Translated { call, described } in &mut calls {
            let Some(operation) = approved(call, manifest) else { continue };
            if known != Some(operation) {
                described.warnings.push(UNKNOWN.to_owned());
            }
            if !alone {
                described.warnings.push(NOT_ALL.to_owned());
            }
        }
        let charter = match carried {
            Some(carried) => translated(chain, &book, &carried.calls).await?,
            None => Vec::new(),
        };
        Ok(Words { calls, charter })
    }
}

/// Of an approval whose calls nobody can read.
const UNKNOWN: &str =
    "the description does not carry the calls behind this operation: what would be approved is not known";
/// Of an approval that stands among other calls.
const NOT_ALL: &str = "this proposal does more than approve what both houses have to agree on: read each of its calls";

/// Which operation a call approves at the charter gate, where it does.
fn approved(call: &Call, manifest: &Manifest) -> Option<B256> {
    let at_the_gate = call.target == manifest.addresses.charter_gate;
    let read = || CharterGate::approveCall::abi_decode(&call.data).ok();
    at_the_gate.then(read).flatten().map(|call| call.operation)
}

/// The operations that these calls approve at the charter gate.
pub fn approvals<'a>(calls: &'a [Call], manifest: &'a Manifest) -> impl Iterator<Item = B256> + 'a {
    calls.iter().filter_map(|call| approved(call, manifest))
}

async fn translated(chain: &Chain, book: &Book, calls: &[Call]) -> Result<Vec<Translated>, ChainError> {
    let mut found = Vec::with_capacity(calls.len());
    for call in calls {
        found.push(Translated { call: call.clone(), described: describe(chain, book, call).await? });
    }
    Ok(found)
}

/// All proposals of both houses, the newest first.
///
/// # Errors
/// Where the RPC does not answer or a log does not decode.
pub async fn proposals(chain: &Chain, manifest: &Manifest) -> Result<Vec<Proposal>, ChainError> {
    let latest = chain.block(BlockId::latest()).await?.number;
    let governors: Vec<Address> = House::ALL.iter().map(|house| house.governor(manifest)).collect();
    let mut found = Vec::new();
    let mut from = manifest.base.number;
    while from <= latest {
        let to = latest.min(from + RANGE - 1);
        let filter = Filter::new()
            .address(governors.clone())
            .event_signature(CoopGovernor::ProposalCreated::SIGNATURE_HASH)
            .from_block(from)
            .to_block(to);
        let logs = chain.provider().get_logs(&filter).await.map_err(|e| chain.error("eth_getLogs", &e))?;
        found.extend(logs.iter().filter_map(|log| read(manifest, log)));
        from = to + 1;
    }
    found.reverse();
    Ok(found)
}

fn read(manifest: &Manifest, log: &Log) -> Option<Proposal> {
    let house = House::ALL.into_iter().find(|house| house.governor(manifest) == log.address())?;
    let made = log.log_decode::<CoopGovernor::ProposalCreated>().ok()?.inner.data;
    let calls = made.targets.iter().zip(&made.values).zip(&made.calldatas);
    let calls = calls.map(|((target, value), data)| Call { target: *target, value: *value, data: data.clone() });
    Some(Proposal {
        house,
        id: made.proposalId,
        proposer: made.proposer,
        calls: calls.collect(),
        description: made.description,
    })
}
