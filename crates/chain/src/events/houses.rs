//! What the houses and their timelocks tell, what moves votes, what the treasury spends, who pauses and who loses of its bond:
//! only who shows these follows them.

use alloy::primitives::{B256, U256};
use alloy::rpc::types::Log;
use alloy::sol_types::SolEvent as _;

use rochdale_core::money::{DataWei, MicroUsdc};

use super::Event;
use super::read::{DecodeError, amount, malformed, read};
use crate::bindings::{
    CharterGate, CoopGovernor, CoopTimelock, GovToken, Market, PauseGuard, ResearcherBond, ServiceDesk,
    StewardCommittee, Treasury,
};
use crate::deploy::Addresses;
use crate::house::{Call, House, Support};

/// The signatures of these events.
pub(super) const TOPICS: [B256; 25] = [
    CoopGovernor::ProposalCreated::SIGNATURE_HASH,
    CoopGovernor::ProposalExtended::SIGNATURE_HASH,
    CoopGovernor::ProposalQueued::SIGNATURE_HASH,
    CoopGovernor::ProposalCanceled::SIGNATURE_HASH,
    CoopGovernor::VoteCast::SIGNATURE_HASH,
    CoopGovernor::VoteCastWithParams::SIGNATURE_HASH,
    CoopTimelock::CallExecuted::SIGNATURE_HASH,
    CoopTimelock::Cancelled::SIGNATURE_HASH,
    CoopTimelock::MinDelayChange::SIGNATURE_HASH,
    CharterGate::Constituted::SIGNATURE_HASH,
    CharterGate::Approved::SIGNATURE_HASH,
    CharterGate::Withdrawn::SIGNATURE_HASH,
    CharterGate::Executed::SIGNATURE_HASH,
    GovToken::UnitsChanged::SIGNATURE_HASH,
    GovToken::DelegateChanged::SIGNATURE_HASH,
    GovToken::DelegateVotesChanged::SIGNATURE_HASH,
    ServiceDesk::ServiceSet::SIGNATURE_HASH,
    Treasury::Donated::SIGNATURE_HASH,
    Treasury::Spent::SIGNATURE_HASH,
    Market::SoldForData::SIGNATURE_HASH,
    PauseGuard::Paused::SIGNATURE_HASH,
    PauseGuard::Unpaused::SIGNATURE_HASH,
    PauseGuard::GuardianSet::SIGNATURE_HASH,
    StewardCommittee::SlashConfirmed::SIGNATURE_HASH,
    ResearcherBond::BondSlashed::SIGNATURE_HASH,
];

pub(super) fn governor(house: House, topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        CoopGovernor::ProposalCreated::SIGNATURE_HASH => {
            let e: CoopGovernor::ProposalCreated = read(log)?;
            let calls = e.targets.into_iter().zip(e.values).zip(e.calldatas);
            Event::ProposalCreated {
                house,
                proposal: e.proposalId.into(),
                proposer: e.proposer,
                calls: calls.map(|((target, value), data)| Call { target, value, data }).collect(),
                description: e.description,
                opens_at: e.voteStart.saturating_to(),
                closes_at: e.voteEnd.saturating_to(),
            }
        }
        CoopGovernor::ProposalExtended::SIGNATURE_HASH => {
            let e: CoopGovernor::ProposalExtended = read(log)?;
            Event::ProposalExtended { house, proposal: e.proposalId.into(), closes_at: e.extendedDeadline }
        }
        CoopGovernor::ProposalQueued::SIGNATURE_HASH => {
            let e: CoopGovernor::ProposalQueued = read(log)?;
            Event::ProposalQueued { house, proposal: e.proposalId.into(), executable_at: e.etaSeconds.saturating_to() }
        }
        CoopGovernor::ProposalCanceled::SIGNATURE_HASH => {
            let e: CoopGovernor::ProposalCanceled = read(log)?;
            Event::ProposalCanceled { house, proposal: e.proposalId.into() }
        }
        CoopGovernor::VoteCast::SIGNATURE_HASH => {
            let e: CoopGovernor::VoteCast = read(log)?;
            let support = support(e.support, log)?;
            let votes = amount("weight", e.weight)?;
            Event::VoteCast { house, proposal: e.proposalId.into(), voter: e.voter, support, votes }
        }
        CoopGovernor::VoteCastWithParams::SIGNATURE_HASH => {
            let e: CoopGovernor::VoteCastWithParams = read(log)?;
            let support = support(e.support, log)?;
            let votes = amount("weight", e.weight)?;
            Event::VoteCast { house, proposal: e.proposalId.into(), voter: e.voter, support, votes }
        }
        _ => return Ok(None),
    }))
}

fn support(number: u8, log: &Log) -> Result<Support, DecodeError> {
    [Support::Against, Support::For, Support::Abstain]
        .into_iter()
        .find(|support| *support as u8 == number)
        .ok_or_else(|| malformed::<CoopGovernor::VoteCast>(log, format!("{number} is no way to vote")))
}

pub(super) fn timelock(house: House, topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        CoopTimelock::CallExecuted::SIGNATURE_HASH => {
            let e: CoopTimelock::CallExecuted = read(log)?;
            // All calls of an operation or none.
            if e.index != U256::ZERO {
                return Ok(None);
            }
            Event::ProposalExecuted { house, proposal: e.id }
        }
        CoopTimelock::Cancelled::SIGNATURE_HASH => {
            Event::ProposalCanceled { house, proposal: read::<CoopTimelock::Cancelled>(log)?.id }
        }
        CoopTimelock::MinDelayChange::SIGNATURE_HASH => {
            let e: CoopTimelock::MinDelayChange = read(log)?;
            Event::TimelockDelaySet { house, seconds: e.newDuration.saturating_to() }
        }
        _ => return Ok(None),
    }))
}

pub(super) fn charter(a: &Addresses, topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    // A timelock that was put in a house's place later is none of these.
    let of = |timelock| match timelock {
        timelock if timelock == a.member_timelock => Some(House::Member),
        timelock if timelock == a.token_timelock => Some(House::Token),
        _ => None,
    };
    Ok(match topic {
        CharterGate::Constituted::SIGNATURE_HASH => {
            Some(Event::Constituted { at: read::<CharterGate::Constituted>(log)?.at })
        }
        CharterGate::Approved::SIGNATURE_HASH => {
            let e: CharterGate::Approved = read(log)?;
            of(e.house).map(|house| Event::CharterApproved { house, operation: e.operation })
        }
        CharterGate::Withdrawn::SIGNATURE_HASH => {
            let e: CharterGate::Withdrawn = read(log)?;
            of(e.house).map(|house| Event::CharterWithdrawn { house, operation: e.operation })
        }
        CharterGate::Executed::SIGNATURE_HASH => {
            Some(Event::CharterExecuted { operation: read::<CharterGate::Executed>(log)?.operation })
        }
        _ => None,
    })
}

pub(super) fn token(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        GovToken::UnitsChanged::SIGNATURE_HASH => {
            let e: GovToken::UnitsChanged = read(log)?;
            Event::UnitsChanged { account: e.account, units: amount("units", e.units)? }
        }
        GovToken::DelegateChanged::SIGNATURE_HASH => {
            let e: GovToken::DelegateChanged = read(log)?;
            Event::Delegated { account: e.delegator, to: e.toDelegate }
        }
        GovToken::DelegateVotesChanged::SIGNATURE_HASH => {
            let e: GovToken::DelegateVotesChanged = read(log)?;
            Event::VotesChanged { account: e.delegate, votes: amount("newVotes", e.newVotes)? }
        }
        _ => return Ok(None),
    }))
}

pub(super) fn service(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    if topic != ServiceDesk::ServiceSet::SIGNATURE_HASH {
        return Ok(None);
    }
    let e: ServiceDesk::ServiceSet = read(log)?;
    Ok(Some(Event::ServiceSet { service: e.serviceId, price: DataWei(e.dataPrice), open: e.open }))
}

pub(super) fn guard(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        PauseGuard::Paused::SIGNATURE_HASH => {
            let e: PauseGuard::Paused = read(log)?;
            Event::Paused { target: e.target, until: e.until }
        }
        PauseGuard::Unpaused::SIGNATURE_HASH => {
            let e: PauseGuard::Unpaused = read(log)?;
            Event::Unpaused { target: e.target, by: e.by }
        }
        PauseGuard::GuardianSet::SIGNATURE_HASH => {
            Event::GuardianSet { guardian: read::<PauseGuard::GuardianSet>(log)?.guardian }
        }
        _ => return Ok(None),
    }))
}

pub(super) fn bonds(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        StewardCommittee::SlashConfirmed::SIGNATURE_HASH => {
            let e: StewardCommittee::SlashConfirmed = read(log)?;
            Event::StewardSlashed { steward: e.steward, amount: amount("amount", e.amount)? }
        }
        ResearcherBond::BondSlashed::SIGNATURE_HASH => {
            let e: ResearcherBond::BondSlashed = read(log)?;
            Event::ResearcherSlashed { researcher: e.researcher, amount: amount("amount", e.amount)? }
        }
        _ => return Ok(None),
    }))
}

pub(super) fn treasury(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        Treasury::Donated::SIGNATURE_HASH => {
            let e: Treasury::Donated = read(log)?;
            Event::Donated { amount: MicroUsdc(amount("amount", e.amount)?) }
        }
        Treasury::Spent::SIGNATURE_HASH => {
            let e: Treasury::Spent = read(log)?;
            Event::Spent { bucket: e.bucket, amount: MicroUsdc(amount("amount", e.amount)?) }
        }
        Market::SoldForData::SIGNATURE_HASH => {
            let e: Market::SoldForData = read(log)?;
            Event::SoldForData {
                license: e.licenseId.into(),
                dataset: e.datasetId.into(),
                burned: DataWei(amount("burned", e.burned)?),
                kept: DataWei(amount("kept", e.kept)?),
            }
        }
        _ => return Ok(None),
    }))
}
