//! The cooperative as a pure fold of its events: the same events give the same state to every process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy::primitives::{Address, B256};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, Purpose, StewardId};
use rochdale_core::ledger::{LedgerError, NewLeaf, OpenedInputs, Params, Revenue};
use rochdale_core::money::{DataWei, MicroUsdc};
use serde::{Deserialize, Serialize};

use crate::events::{Event, LicenseTerms, Located, Seat};

mod consent;
mod debits;
mod governance;
mod kpi;
mod map;
mod market;
mod settlement;

pub use consent::{Consent, ConsentSignatures, ConsentStatus, Grant};
pub use debits::{DebitState, ReceiptState};
pub use governance::{Agreement, Cast, Castable, Governance, Holding, LONGEST_VOTE, Motion, SEASONING, Tally};
pub use kpi::{AGE, DAY, DayEnd, Joiners, Spread, Spreads, Sums, Totals, day_of};
pub use map::{List, Map};
pub use market::Approval;
pub use settlement::{Claimed, Demand, FROZEN, Program, Proposal};

/// Where and when something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct At {
    /// Block number.
    pub block: u64,
    /// Place among the block's logs.
    pub log_index: u64,
    /// Timestamp of the block, Unix seconds.
    pub time: u64,
}

impl At {
    /// Whether it lies after a cut, given by its time in Unix seconds; `None` is before everything.
    #[must_use]
    pub fn is_after(&self, since: Option<u64>) -> bool {
        since.is_none_or(|cut| self.time > cut)
    }
}

impl From<&Located> for At {
    fn from(event: &Located) -> Self {
        Self { block: event.block_number, log_index: event.log_index, time: event.timestamp }
    }
}

/// A member, for ever: ids are never reused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The account that signs for the member.
    pub account: Address,
    /// Where earnings are paid.
    pub payout: Address,
    /// Commitment to the sealed row keys.
    pub row_key_digest: B256,
    /// When it joined.
    pub joined: At,
    /// When the membership ended, if it did.
    pub ended: Option<At>,
    /// When the member erased everything, if it did.
    pub erased: Option<At>,
}

impl Member {
    /// Whether a membership exists.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether it has a vote in the member house at `time`, as far as is known by then.
    #[must_use]
    pub fn votes_at(&self, time: u64) -> bool {
        self.joined.time.saturating_add(SEASONING) <= time && self.ended.is_none_or(|ended| time < ended.time)
    }
}

/// A sealing key that was in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormerKey {
    /// X25519.
    pub key: B256,
    /// When another one took its place, Unix seconds.
    pub replaced: u64,
}

/// A recorded contribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// The contribution's number in the registry.
    pub id: ContributionId,
    /// The member who recorded it.
    pub member: MemberId,
    /// What was contributed, blinded.
    pub commitment: B256,
    /// The consent it was contributed under.
    pub consent_version: u32,
    /// When it was recorded.
    pub recorded: At,
    /// Hash of the recording block, which draws its scorers.
    pub block_hash: B256,
    /// Whether its member erased it.
    pub erased: bool,
}

/// A license and its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseState {
    /// Who may use it.
    pub holder: Address,
    /// For what.
    pub terms: LicenseTerms,
}

/// A booked license price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// The license that paid.
    pub license: LicenseId,
    /// The dataset that was paid for.
    pub dataset: DatasetId,
    /// To the contributors.
    pub contributors: MicroUsdc,
    /// Of the contributors' part, to buying back DATA.
    pub buyback: MicroUsdc,
    /// To operations.
    pub operations: MicroUsdc,
    /// To compliance.
    pub compliance: MicroUsdc,
    /// To the reserve.
    pub reserve: MicroUsdc,
    /// When it was booked.
    pub booked: At,
}

/// A dataset on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetState {
    /// 1 EHR, 2 labs, 3 wearable, 4 genomic summary.
    pub data_type: u8,
    /// The code of where the data comes from.
    pub source: u8,
    /// Price per 1,000 records.
    pub price_per_thousand: MicroUsdc,
    /// License terms.
    pub terms_hash: B256,
    /// Whether it is sold.
    pub open: bool,
}

/// A steward's office: who left it still hands over what it holds, and what it is asked is sealed to its last key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Office {
    /// The seat that it had.
    pub seat: StewardId,
    /// The key on chain when the seat was last this account's.
    pub sealing_key: B256,
}

/// Who sat together, and how many of them bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committee {
    /// The stewards' accounts, by seat.
    pub signers: Vec<Address>,
    /// Signatures that bind it.
    pub quorum: u8,
    /// When it was seated, Unix seconds.
    pub seated: u64,
}

/// Everything that the events say, as of the last one. A copy shares with it what neither has changed since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cooperative {
    /// Members, active or not.
    pub members: Map<MemberId, Member>,
    /// Ids by account.
    pub member_ids: Map<Address, MemberId>,
    /// Newest consent of each member who ever gave one.
    pub consents: Map<MemberId, Consent>,
    /// Every version of a member's consent that there was.
    pub grants: Map<(MemberId, u32), Grant>,
    /// Which of each member's signatures about its consent the chain took.
    consent_signatures: Map<MemberId, ConsentSignatures>,
    /// Contributions, erased ones included.
    pub contributions: Map<ContributionId, Contribution>,
    /// The same by their members.
    given: Map<(MemberId, ContributionId), ()>,
    /// Licenses, expired ones included.
    pub licenses: Map<LicenseId, LicenseState>,
    /// Booked debits by id, which is the order in which they count.
    pub debits: Map<u64, DebitState>,
    /// Ids of debits by the digest of their order.
    pub orders: Map<B256, u64>,
    /// Bookings in order.
    pub bookings: List<Booking>,
    /// Datasets, closed ones included.
    pub datasets: Map<DatasetId, DatasetState>,
    /// Number of the committee in office, 0 before the first.
    pub generation: u32,
    /// Every committee that was ever seated, the first one first.
    pub committees: List<Committee>,
    /// Stewards in office; a steward's id is its place, from 1.
    pub seats: Vec<Seat>,
    /// The seat that each account holds, or held last.
    pub offices: BTreeMap<Address, Office>,
    /// The sealing keys that each seat's own replaced since the committee was seated, the last one last.
    pub former_keys: BTreeMap<StewardId, List<FormerKey>>,
    /// Signatures that bind the committee.
    pub quorum: u8,
    /// Sealing keys of the workers by account.
    pub workers: BTreeMap<Address, B256>,
    /// The gateway's account.
    pub gateway: Option<Address>,
    /// The ethics board's last decision on each researcher and purpose.
    pub approvals: Map<Address, BTreeMap<Purpose, Approval>>,
    /// The standing proposal of each epoch.
    pub proposals: Map<Epoch, Proposal>,
    /// The last attempt of an epoch that was voided: the next one that counts is above it.
    pub voided: Map<Epoch, u32>,
    /// Rows that members demand of proposals that stand or stood.
    pub demands: List<Demand>,
    /// Rows that were published, by epoch, attempt and member.
    pub published_rows: Map<(Epoch, u32, MemberId), Arc<NewLeaf>>,
    /// Inputs that were published and opened, by epoch, attempt and member.
    pub published_inputs: Map<(Epoch, u32, MemberId), Arc<OpenedInputs>>,
    /// Who objected to which attempt of an epoch.
    pub objections: Map<(Epoch, u32, Address), ()>,
    /// Until when the settlement is or was paused, Unix seconds; 0 if it never was.
    pub paused_until: u64,
    /// Parameters by the first epoch that they govern; none where the ledger told of none.
    pub params: BTreeMap<Epoch, Params>,
    /// Programs, closed ones included.
    pub programs: BTreeMap<u32, Program>,
    /// What each member was paid.
    pub claimed: Map<MemberId, Claimed>,
    /// What the houses decided, and who decides in them.
    pub governance: Governance,
    /// What members can buy for DATA: the price of each service in wei, and whether it is sold.
    pub services: Map<u32, (DataWei, bool)>,
    /// What key figures are made of.
    pub sums: Sums,
}

impl Cooperative {
    /// Folds events in the order of the chain.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Located>) -> Self {
        let mut state = Self::default();
        for event in events {
            state.apply(event);
        }
        state
    }

    /// The state at an epoch's cut: as of the last block with a timestamp of at most `end` (Unix seconds).
    pub fn at_cut<'a>(events: impl IntoIterator<Item = &'a Located>, end: u64) -> Self {
        Self::fold(events.into_iter().filter(|e| e.timestamp <= end))
    }

    /// The state as of a block, by number.
    pub fn at_block<'a>(events: impl IntoIterator<Item = &'a Located>, number: u64) -> Self {
        Self::fold(events.into_iter().filter(|e| e.block_number <= number))
    }

    /// Takes in the next event.
    pub fn apply(&mut self, located: &Located) {
        let at = At::from(located);
        self.pass_snapshots(at.time);
        self.pass_days(at.time);
        match &located.event {
            Event::Joined { .. }
            | Event::Ended { .. }
            | Event::Left { .. }
            | Event::Expelled { .. }
            | Event::PayoutSet { .. } => self.apply_membership(&located.event, at),
            Event::ConsentGranted { .. } | Event::ConsentRevoked { .. } | Event::Erased { .. } => {
                self.apply_consent(&located.event, at);
            }
            Event::ContributionRecorded { contribution, member, commitment, consent_version } => {
                self.given.insert((*member, *contribution), ());
                self.contributions.insert(
                    *contribution,
                    Contribution {
                        id: *contribution,
                        member: *member,
                        commitment: *commitment,
                        consent_version: *consent_version,
                        recorded: at,
                        block_hash: located.block_hash,
                        erased: false,
                    },
                );
            }
            Event::Seated { .. }
            | Event::SealingKeyRotated { .. }
            | Event::WorkerRegistered { .. }
            | Event::WorkerRemoved { .. }
            | Event::GatewaySet { .. } => self.apply_committee(&located.event, located.timestamp),
            Event::Proposed { .. }
            | Event::Objected { .. }
            | Event::ObjectionRejected { .. }
            | Event::Voided { .. }
            | Event::Demanded { .. }
            | Event::RowPublished { .. }
            | Event::InputsPublished { .. }
            | Event::SettlementPaused { .. }
            | Event::ParamsSet { .. }
            | Event::ProgramSet { .. }
            | Event::Claimed { .. }
            | Event::ClaimSkipped { .. } => self.apply_settlement(&located.event, at),
            Event::Debited { .. } | Event::ReceiptAnchored { .. } => self.apply_debit(located, at),
            Event::DatasetPublished { .. }
            | Event::DatasetClosed { .. }
            | Event::LicenseIssued { .. }
            | Event::LicenseExtended { .. }
            | Event::LicenseRevoked { .. }
            | Event::ResearcherApproved { .. }
            | Event::Booked { .. } => self.apply_market(&located.event, at),
            Event::SoldForData { .. }
            | Event::Donated { .. }
            | Event::Spent { .. }
            | Event::Paused { .. }
            | Event::Unpaused { .. }
            | Event::GuardianSet { .. }
            | Event::StewardSlashed { .. }
            | Event::ResearcherSlashed { .. } => {}
            Event::ServiceSet { service, price, open } => self.services.insert(*service, (*price, *open)),
            Event::ProposalCreated { .. }
            | Event::ProposalExtended { .. }
            | Event::ProposalQueued { .. }
            | Event::ProposalExecuted { .. }
            | Event::ProposalCanceled { .. }
            | Event::VoteCast { .. }
            | Event::TimelockDelaySet { .. }
            | Event::Constituted { .. }
            | Event::CharterApproved { .. }
            | Event::CharterWithdrawn { .. }
            | Event::CharterExecuted { .. }
            | Event::UnitsChanged { .. }
            | Event::Delegated { .. }
            | Event::VotesChanged { .. } => self.governance.apply(&located.event, at),
        }
        self.count(&located.event, at);
    }

    fn apply_membership(&mut self, event: &Event, at: At) {
        match *event {
            Event::Joined { member, account, payout, row_key_digest, .. } => {
                let new = Member { account, payout, row_key_digest, joined: at, ended: None, erased: None };
                self.members.insert(member, new);
                self.member_ids.insert(account, member);
            }
            Event::Ended { member } => {
                if let Some(m) = self.members.get_mut(&member) {
                    m.ended = Some(at);
                }
            }
            Event::PayoutSet { member, payout } => {
                if let Some(m) = self.members.get_mut(&member) {
                    m.payout = payout;
                }
            }
            // `Ended` says the same of every ending, and stands beside these.
            _ => {}
        }
    }

    fn apply_committee(&mut self, event: &Event, time: u64) {
        match event {
            Event::Seated { generation, seats, quorum } => {
                self.generation = *generation;
                self.former_keys.clear();
                self.seats.clone_from(seats);
                let office = |(id, seat): (u8, &Seat)| {
                    (seat.signer, Office { seat: StewardId(id), sealing_key: seat.sealing_key })
                };
                self.offices.extend((1..).zip(seats).map(office));
                self.quorum = *quorum;
                let signers = seats.iter().map(|seat| seat.signer).collect();
                self.committees.push_back_mut(Committee { signers, quorum: *quorum, seated: time });
            }
            Event::SealingKeyRotated { steward, sealing_key } => {
                let place = usize::from(steward.0).checked_sub(1);
                if let Some(seat) = place.and_then(|place| self.seats.get_mut(place)) {
                    let former = FormerKey { key: seat.sealing_key, replaced: time };
                    self.former_keys.entry(*steward).or_default().push_back_mut(former);
                    seat.sealing_key = *sealing_key;
                    let office = Office { seat: *steward, sealing_key: *sealing_key };
                    self.offices.insert(seat.signer, office);
                }
            }
            Event::WorkerRegistered { signer, sealing_key } => {
                self.workers.insert(*signer, *sealing_key);
            }
            Event::WorkerRemoved { signer } => {
                self.workers.remove(signer);
            }
            Event::GatewaySet { gateway } => self.gateway = Some(*gateway),
            _ => {}
        }
    }

    /// Ids of members whose membership exists, ascending.
    pub fn active_members(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.members.iter().filter(|(_, m)| m.is_active()).map(|(id, _)| *id)
    }

    /// A member's contributions, erased ones included, in the order in which they were recorded.
    pub fn given_by(&self, member: MemberId) -> impl Iterator<Item = &Contribution> {
        let whose = (member, ContributionId(0))..=(member, ContributionId(u64::MAX));
        self.given.range(whose).filter_map(|((_, id), ())| self.contributions.get(id))
    }

    /// Contributions recorded after `since`, in the ledger's order: member, block, log. `since`, here and below, is
    /// what [`Manifest::since`](crate::deploy::Manifest::since) gives for an epoch.
    #[must_use]
    pub fn contributions_since(&self, since: Option<u64>) -> Vec<&Contribution> {
        let mut found: Vec<&Contribution> =
            self.contributions.values().filter(|c| c.recorded.is_after(since)).collect();
        found.sort_by_key(|c| (c.member, c.recorded));
        found
    }

    /// Money booked to contributors after `since`, and what paid it.
    ///
    /// # Errors
    /// Where the sum does not fit 128 bits.
    pub fn revenue_since(&self, since: Option<u64>) -> Result<Revenue, LedgerError> {
        let recent = self.bookings.iter().filter(|b| b.booked.is_after(since));
        Revenue::of(recent.map(|b| (b.license, b.dataset, b.contributors.0)))
    }

    /// Members whose erasure took effect after `since`, ascending.
    pub fn erased_since(&self, since: Option<u64>) -> impl Iterator<Item = MemberId> + '_ {
        let after = move |m: &Member| m.erased.is_some_and(|at| at.is_after(since));
        self.members.iter().filter(move |(_, m)| after(m)).map(|(id, _)| *id)
    }

    /// Whether the member is active and its consent stands at `time` (Unix seconds).
    #[must_use]
    pub fn consents_at(&self, member: MemberId, time: u64) -> bool {
        self.members.get(&member).is_some_and(Member::is_active)
            && self.consents.get(&member).is_some_and(|c| c.is_live(time))
    }

    /// Of `ids`, those that are not erased and whose member consents at `time` (Unix seconds), ascending.
    pub fn live_contributions(&self, ids: impl IntoIterator<Item = ContributionId>, time: u64) -> Vec<ContributionId> {
        let live = |id: &ContributionId| {
            self.contributions.get(id).is_some_and(|c| !c.erased && self.consents_at(c.member, time))
        };
        let kept: BTreeSet<ContributionId> = ids.into_iter().filter(live).collect();
        kept.into_iter().collect()
    }

    /// The seat of an account, if it is a steward.
    #[must_use]
    pub fn steward_id(&self, signer: Address) -> Option<StewardId> {
        let place = self.seats.iter().position(|s| s.signer == signer)?;
        u8::try_from(place + 1).ok().map(StewardId)
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn located(event: Event) -> Located {
        let (block_hash, transaction) = (B256::ZERO, B256::ZERO);
        Located { block_number: 1, block_hash, timestamp: 1, log_index: 0, transaction, event }
    }

    #[test]
    fn a_renewed_license_ends_later_and_a_revoked_one_has_ended() {
        let terms = LicenseTerms {
            dataset: DatasetId(1),
            right: 1,
            purpose: Purpose(42),
            ehds_category: 5,
            records: 50,
            issued_at: 1,
            expiry: 100,
            recipient_key: B256::ZERO,
        };
        let license = LicenseId(1);
        let mut state = Cooperative::default();
        state.apply(&located(Event::LicenseIssued { license, holder: Address::ZERO, terms }));
        state.apply(&located(Event::LicenseExtended { license, expiry: 200 }));
        assert_eq!(state.licenses[&license].terms.expiry, 200);
        state.apply(&located(Event::LicenseRevoked { license }));
        assert_eq!(state.licenses[&license].terms.expiry, 0);
    }
}
