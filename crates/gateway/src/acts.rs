//! Which events are acts in the cooperative's name, by houses, guardian, board, stewards and operators, and how the log tells them. What
//! members and strangers do is not among them, or whoever likes could fill it.

use std::str::FromStr;

use alloy::primitives::Address;
use rochdale_api::log::{Act, LogEntry};
use rochdale_chain::events::{Event, Located};

/// A place among all events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Height of the block.
    pub block: u64,
    /// Place among the block's logs.
    pub log_index: u64,
}

impl Place {
    /// After all that the store can hold.
    pub const END: Self = Self { block: i64::MAX as u64, log_index: 0 };

    /// Where an event stands.
    #[must_use]
    pub const fn of(located: &Located) -> Self {
        Self { block: located.block_number, log_index: located.log_index }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.block, self.log_index)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (block, log_index) = text.split_once('-').ok_or(())?;
        let number = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|number: &u64| plain && *number <= Self::END.block).ok_or(())
        };
        Ok(Self { block: number(block)?, log_index: number(log_index)? })
    }
}

/// How the log tells it, where it does.
#[must_use]
pub fn act(located: &Located) -> Option<LogEntry> {
    let bare = |act| LogEntry {
        act,
        at: located.timestamp,
        block: located.block_number,
        tx: located.transaction,
        who: None,
        number: None,
        proposal: None,
        amount: None,
        until: None,
    };
    let who = |act, who: Address| LogEntry { who: Some(who), ..bare(act) };
    let number = |act, number: u64| LogEntry { number: Some(number), ..bare(act) };
    let proposal = |act, proposal| LogEntry { proposal: Some(proposal), ..bare(act) };
    let amount = |act, amount: u128| LogEntry { amount: Some(amount.to_string()), ..bare(act) };
    Some(match located.event {
        Event::Expelled { member, .. } => number(Act::MemberExpelled, member.0.into()),
        Event::Seated { generation, .. } => number(Act::CommitteeSeated, generation.into()),
        Event::SealingKeyRotated { steward, .. } => number(Act::SealingKeyRotated, steward.0.into()),
        Event::WorkerRegistered { signer, .. } => who(Act::WorkerRegistered, signer),
        Event::WorkerRemoved { signer } => who(Act::WorkerRemoved, signer),
        Event::GatewaySet { gateway } => who(Act::GatewaySet, gateway),
        Event::Objected { epoch, steward, .. } => {
            LogEntry { who: Some(steward), ..number(Act::SettlementObjected, epoch.0.into()) }
        }
        Event::ObjectionRejected { epoch, .. } => number(Act::ObjectionRejected, epoch.0.into()),
        Event::Voided { epoch, .. } => number(Act::SettlementVoided, epoch.0.into()),
        Event::ParamsSet { from_epoch, .. } => number(Act::RulesSet, from_epoch.0.into()),
        Event::ProgramSet { program, .. } => number(Act::ProgramSet, program.into()),
        Event::DatasetPublished { dataset, .. } => number(Act::DatasetPublished, dataset.0.into()),
        Event::DatasetClosed { dataset } => number(Act::DatasetClosed, dataset.0.into()),
        Event::LicenseRevoked { license } => number(Act::LicenseRevoked, license.0),
        Event::ResearcherApproved { researcher, until, .. } => {
            LogEntry { until: Some(until), ..who(Act::ResearcherApproved, researcher) }
        }
        Event::Spent { bucket, amount: spent } => {
            LogEntry { number: Some(bucket.into()), ..amount(Act::Spent, spent.0) }
        }
        Event::ProposalExecuted { proposal: id, .. } => proposal(Act::ProposalExecuted, id),
        Event::ProposalCanceled { proposal: id, .. } => proposal(Act::ProposalCanceled, id),
        Event::TimelockDelaySet { .. } => bare(Act::TimelockDelaySet),
        Event::Constituted { .. } => bare(Act::Constituted),
        Event::CharterApproved { operation, .. } => proposal(Act::CharterApproved, operation),
        Event::CharterWithdrawn { operation, .. } => proposal(Act::CharterWithdrawn, operation),
        Event::CharterExecuted { operation } => proposal(Act::CharterExecuted, operation),
        Event::ServiceSet { service, .. } => number(Act::ServiceSet, service.into()),
        Event::Paused { target, until } => LogEntry { until: Some(until), ..who(Act::Paused, target) },
        Event::Unpaused { target, .. } => who(Act::Unpaused, target),
        Event::GuardianSet { guardian } => who(Act::GuardianSet, guardian),
        Event::StewardSlashed { steward, amount: lost } => {
            LogEntry { who: Some(steward), ..amount(Act::StewardSlashed, lost) }
        }
        Event::ResearcherSlashed { researcher, amount: lost } => {
            LogEntry { who: Some(researcher), ..amount(Act::ResearcherSlashed, lost) }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_read_as_it_is_written_and_nothing_else_is_one() {
        for place in [Place { block: 0, log_index: 0 }, Place { block: 12, log_index: 3 }, Place::END] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for wrong in ["", "-", "1", "1-", "-1", "1-2-3", "+1-2", "1--2", "a-1", "18446744073709551615-0"] {
            assert_eq!(wrong.parse::<Place>(), Err(()), "{wrong}");
        }
    }
}
