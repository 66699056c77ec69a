//! What the events say of settlements: proposals and their disputes, parameters, programs, payments.

use std::sync::Arc;

use alloy::primitives::Address;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{AtCut, DemandKind, Header, LedgerError, Params, RecordAtCut};
use rochdale_core::money::{DataWei, GovWei, MicroUsdc};
use serde::{Deserialize, Serialize};

use super::{At, Cooperative};
use crate::events::Event;

/// When a proposal that somebody objected to is final: when the member house says so.
pub const FROZEN: u64 = u64::MAX;

/// How long after the last answer to a demand a member may still contest what it shows, in seconds.
const REPLY_TIME: u64 = 24 * 3_600;

/// The latest end of a pause that the ledger notes: it has 40 bits, and all of them set mean a frozen proposal.
const LATEST: u64 = (1 << 40) - 2;

/// A proposed settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What the stewards signed.
    pub header: Header,
    /// When it becomes final, Unix seconds.
    pub final_at: u64,
    /// When it was proposed.
    pub proposed: At,
}

/// What a member was paid so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// USDC.
    pub cash: MicroUsdc,
    /// DATA.
    pub data: DataWei,
    /// GOV.
    pub gov: GovWei,
}

/// What a member demands of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Of which epoch.
    pub epoch: Epoch,
    /// Of which attempt.
    pub attempt: u32,
    /// Whose row or inputs.
    pub member: MemberId,
    /// Which of the two.
    pub kind: DemandKind,
    /// Until when an answer counts, Unix seconds.
    pub answer_by: u64,
    /// Whether it was published.
    pub answered: bool,
}

/// A program as the token house set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Who signs its awards.
    pub awarder: Address,
    /// 1 curation, 2 validation, 3 taking part in a study, 4 voting.
    pub kind: u8,
    /// Points that it may award in an epoch.
    pub cap_per_epoch: u128,
    /// Points that one member may be awarded in an epoch.
    pub cap_per_member: u128,
    /// Whether it awards at all.
    pub open: bool,
}

impl Cooperative {
    /// What the ledger reads of the chain, where this is the state as of an epoch's cut. `since` is what
    /// [`Manifest::since`](crate::deploy::Manifest::since) gives for the epoch.
    ///
    /// # Errors
    /// Where the revenue does not fit 128 bits.
    pub fn ledger_cut(&self, since: Option<u64>) -> Result<AtCut, LedgerError> {
        let is_active = |id: &MemberId| self.members.get(id).is_some_and(super::Member::is_active);
        let record = |c: &super::Contribution| RecordAtCut {
            id: c.id,
            member: c.member,
            erased: c.erased,
            active: is_active(&c.member),
        };
        Ok(AtCut {
            members: self.members.keys().next_back().map_or(0, |id| id.0),
            active: self.active_members().collect(),
            erased: self.erased_since(since).collect(),
            revenue: self.revenue_since(since)?,
            records: self.contributions.values().map(record).collect(),
        })
    }

    pub(super) fn apply_settlement(&mut self, event: &Event, at: At) {
        match event {
            Event::Proposed { epoch, final_at, header, .. } => {
                let proposal = Proposal { header: (**header).clone(), final_at: *final_at, proposed: at };
                self.proposals.insert(*epoch, proposal);
            }
            Event::ParamsSet { from_epoch, params, .. } => {
                // Of two votes in one epoch the later counts.
                self.params.insert(*from_epoch, (**params).clone());
            }
            Event::ProgramSet { program, awarder, kind, cap_per_epoch, cap_per_member, open } => {
                let set = Program {
                    awarder: *awarder,
                    kind: *kind,
                    cap_per_epoch: *cap_per_epoch,
                    cap_per_member: *cap_per_member,
                    open: *open,
                };
                self.programs.insert(*program, set);
            }
            Event::Claimed { member, cash, data, gov, .. } => {
                // The contract keeps each total within its type; a sum that does not fit is no event of it.
                self.claimed.change(*member, |sum| {
                    sum.cash.0 = sum.cash.0.saturating_add(cash.0);
                    sum.data.0 = sum.data.0.saturating_add(data.0);
                    sum.gov.0 = sum.gov.0.saturating_add(gov.0);
                });
            }
            _ => self.apply_dispute(event, at.time),
        }
    }

    fn apply_dispute(&mut self, event: &Event, now: u64) {
        match *event {
            Event::SettlementPaused { until } => self.pause(until, now),
            Event::Objected { epoch, attempt, steward } => {
                self.objections.insert((epoch, attempt, steward), ());
                if let Some(standing) = self.standing(epoch, attempt) {
                    standing.final_at = FROZEN;
                }
            }
            Event::ObjectionRejected { epoch, attempt, final_at } => {
                if let Some(standing) = self.standing(epoch, attempt) {
                    standing.final_at = final_at;
                }
            }
            Event::Voided { epoch, attempt, .. } => {
                if self.standing(epoch, attempt).is_some() {
                    self.proposals.remove(&epoch);
                }
                self.voided.insert(epoch, attempt);
                let stands = |demand: &&Demand| (demand.epoch, demand.attempt) != (epoch, attempt);
                self.demands = self.demands.iter().filter(stands).copied().collect();
            }
            Event::Demanded { epoch, attempt, member, kind, answer_by } => {
                if let Some(standing) = self.standing(epoch, attempt) {
                    standing.final_at = standing.final_at.max(answer_by.saturating_add(REPLY_TIME));
                }
                self.demands.push_back_mut(Demand { epoch, attempt, member, kind, answer_by, answered: false });
            }
            Event::RowPublished { epoch, attempt, member, ref leaf } => {
                self.published_rows.insert((epoch, attempt, member), Arc::new((**leaf).clone()));
                self.answered(epoch, attempt, member, DemandKind::Row);
            }
            Event::InputsPublished { epoch, attempt, member, ref opened } => {
                if let Some(opened) = opened {
                    self.published_inputs.insert((epoch, attempt, member), Arc::new((**opened).clone()));
                }
                self.answered(epoch, attempt, member, DemandKind::Inputs);
            }
            _ => {}
        }
    }

    fn answered(&mut self, epoch: Epoch, attempt: u32, member: MemberId, kind: DemandKind) {
        let asked = |d: &Demand| (d.epoch, d.attempt, d.member, d.kind) == (epoch, attempt, member, kind);
        let place = self.demands.iter().position(asked);
        if let Some(demand) = place.and_then(|place| self.demands.get_mut(place)) {
            demand.answered = true;
        }
    }

    /// A pause takes nothing from the window of the pending proposal, and ending it early gives nothing back. Who is
    /// frozen stays so: the house's decision tells when it is final.
    fn pause(&mut self, until: u64, now: u64) {
        let extra = until.min(LATEST).saturating_sub(self.paused_until.max(now));
        self.paused_until = until;
        // Of all proposals only the last can be pending.
        let last = self.proposals.last().filter(|(_, last)| now < last.final_at && last.final_at != FROZEN);
        let last = last.map(|(epoch, _)| *epoch);
        if let Some(pending) = last.and_then(|epoch| self.proposals.get_mut(&epoch)) {
            pending.final_at = pending.final_at.saturating_add(extra);
        }
    }

    /// The proposal that a dispute is about, while it stands.
    fn standing(&mut self, epoch: Epoch, attempt: u32) -> Option<&mut Proposal> {
        self.proposals.get_mut(&epoch).filter(|proposal| proposal.header.attempt == attempt)
    }

    /// The newest proposal that is final at `now` (Unix seconds).
    #[must_use]
    pub fn final_proposal(&self, now: u64) -> Option<&Proposal> {
        self.proposals.iter().rev().map(|(_, proposal)| proposal).find(|p| p.final_at <= now)
    }

    /// The parameters that govern an epoch by what was decided so far: the last set for it or for an epoch before.
    #[must_use]
    pub fn params_of(&self, epoch: Epoch) -> Option<&Params> {
        self.params.range(..=epoch).next_back().map(|(_, params)| params)
    }

    /// The lowest attempt of an epoch that the ledger still takes.
    #[must_use]
    pub fn lowest_attempt(&self, epoch: Epoch) -> u32 {
        self.voided.get(&epoch).map_or(0, |attempt| attempt.saturating_add(1))
    }

    /// Demands that an answer at `now` (Unix seconds) still reaches.
    pub fn open_demands(&self, now: u64) -> impl Iterator<Item = &Demand> {
        self.demands.iter().filter(move |demand| !demand.answered && now <= demand.answer_by)
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::events::Located;
    use alloy::primitives::B256;
    use rochdale_core::ids::MemberId;
    use rochdale_core::ledger::{Amounts, Global, NewLeaf, Roots, Settled, Shared};

    fn located(event: Event) -> Located {
        Located {
            block_number: 1,
            block_hash: B256::ZERO,
            timestamp: 1_000,
            log_index: 0,
            transaction: B256::ZERO,
            event,
        }
    }

    fn paused(timestamp: u64, until: u64) -> Located {
        Located { timestamp, ..located(Event::SettlementPaused { until }) }
    }

    fn proposed(epoch: u32, attempt: u32) -> Event {
        let roots = Roots { previous: B256::ZERO, rows: B256::ZERO, inputs: B256::ZERO, sheet: B256::ZERO };
        let settled = Settled {
            global: Global::default(),
            rows: Vec::new(),
            shared: Shared { epoch: Epoch(epoch), ..Shared::default() },
            inputs: Vec::new(),
            points: Vec::new(),
            cash: 0,
        };
        let header = Box::new(Header::new(&Params::default(), &settled, &roots, attempt));
        Event::Proposed { epoch: Epoch(epoch), attempt, root: B256::ZERO, final_at: 5_000, header }
    }

    fn folded(events: Vec<Event>) -> Cooperative {
        Cooperative::fold(&events.into_iter().map(located).collect::<Vec<_>>())
    }

    const ONE: Epoch = Epoch(1);

    fn leaf() -> Box<NewLeaf> {
        Box::new(NewLeaf { shown: Amounts::default(), private_hash: B256::ZERO, proof: Vec::new() })
    }

    #[test]
    fn a_voided_proposal_falls_and_a_higher_attempt_stands_again() {
        let void = Event::Voided { epoch: ONE, attempt: 2, reason: B256::ZERO };
        let asked =
            Event::Demanded { epoch: ONE, attempt: 2, member: MemberId(7), kind: DemandKind::Row, answer_by: 3_000 };
        let state = folded(vec![proposed(1, 2), asked, void.clone()]);
        assert!(state.proposals.is_empty() && state.demands.is_empty());
        assert_eq!((state.lowest_attempt(ONE), state.lowest_attempt(Epoch(2))), (3, 0));
        let state = folded(vec![proposed(1, 2), void.clone(), proposed(1, 3)]);
        assert_eq!(state.proposals[&ONE].header.attempt, 3);
        assert_eq!(state.final_proposal(5_000).unwrap().header.attempt, 3);
        // What is said of the old attempt does not reach the new one.
        let late = Event::Objected { epoch: ONE, attempt: 2, steward: Address::ZERO };
        let state = folded(vec![proposed(1, 2), void.clone(), proposed(1, 3), late, void]);
        assert_eq!(state.proposals[&ONE].final_at, 5_000);
    }

    #[test]
    fn times_are_those_of_the_contracts() {
        assert_eq!(u128::from(REPLY_TIME), crate::bounds::of("replyTime"));
        assert_eq!(u128::from(LATEST) + 1, crate::bounds::of("frozen"));
    }

    #[test]
    fn an_objection_freezes_and_a_demand_moves_the_end_of_the_window() {
        let objected = Event::Objected { epoch: ONE, attempt: 0, steward: Address::ZERO };
        let state = folded(vec![proposed(1, 0), objected.clone()]);
        assert!(state.final_proposal(FROZEN - 1).is_none());
        let rejected = Event::ObjectionRejected { epoch: ONE, attempt: 0, final_at: 9_000 };
        let state = folded(vec![proposed(1, 0), objected, rejected]);
        assert_eq!(state.proposals[&ONE].final_at, 9_000);

        let asked = |member, answer_by| {
            let kind = DemandKind::Row;
            Event::Demanded { epoch: ONE, attempt: 0, member: MemberId(member), kind, answer_by }
        };
        let shown = Event::RowPublished { epoch: ONE, attempt: 0, member: MemberId(7), leaf: leaf() };
        let state = folded(vec![proposed(1, 0), asked(7, 4_000), asked(8, 4_500), shown]);
        assert_eq!(state.proposals[&ONE].final_at, 4_500 + REPLY_TIME);
        let open = |now| state.open_demands(now).map(|demand| demand.member.0).collect::<Vec<_>>();
        assert_eq!((open(4_500), open(4_501)), (vec![8], vec![]));
    }

    #[test]
    fn a_row_and_inputs_are_demanded_and_answered_apart() {
        let asked = |kind| Event::Demanded { epoch: ONE, attempt: 0, member: MemberId(7), kind, answer_by: 4_000 };
        let row = Event::RowPublished { epoch: ONE, attempt: 0, member: MemberId(7), leaf: leaf() };
        let inputs = Event::InputsPublished { epoch: ONE, attempt: 0, member: MemberId(7), opened: None };
        let both = [proposed(1, 0), asked(DemandKind::Row), asked(DemandKind::Inputs)];
        let open = |answers: &[Event]| {
            let state = folded([&both, answers].concat());
            state.open_demands(4_000).map(|demand| demand.kind).collect::<Vec<_>>()
        };
        assert_eq!(open(std::slice::from_ref(&row)), [DemandKind::Inputs]);
        assert_eq!(open(std::slice::from_ref(&inputs)), [DemandKind::Row]);
        assert!(open(&[row, inputs]).is_empty());
    }

    #[test]
    fn a_pause_makes_the_window_of_the_pending_proposal_longer_by_its_own_length() {
        let after = |pauses: &[Located]| {
            let state = Cooperative::fold(&[&[located(proposed(1, 0))], pauses].concat());
            (state.proposals[&ONE].final_at, state.paused_until)
        };
        assert_eq!(after(&[paused(2_000, 2_700)]), (5_700, 2_700));
        // Ended early: the window keeps what it got, and a second pause adds from where the first one would have ended.
        assert_eq!(after(&[paused(2_000, 2_700), paused(2_100, 2_100)]), (5_700, 2_100));
        assert_eq!(after(&[paused(2_000, 2_700), paused(2_100, 3_000)]), (6_000, 3_000));
        assert_eq!(after(&[paused(5_000, 9_000)]), (5_000, 9_000), "it was final");
        assert_eq!(after(&[paused(4_999, u64::MAX)]).0, 5_000 + LATEST - 4_999);

        let objected = located(Event::Objected { epoch: ONE, attempt: 0, steward: Address::ZERO });
        assert_eq!(after(&[objected, paused(2_000, 2_700)]).0, FROZEN);
        let asked = located(Event::Demanded {
            epoch: ONE,
            attempt: 0,
            member: MemberId(7),
            kind: DemandKind::Row,
            answer_by: 2_000,
        });
        assert_eq!(after(&[paused(2_000, 2_700), asked.clone()]).0, 2_000 + REPLY_TIME);
        assert_eq!(after(&[asked, paused(2_000, 2_700)]).0, 2_700 + REPLY_TIME);
        // One that is over moves nothing of the next epoch's.
        let next = |pause| Cooperative::fold(&[located(proposed(1, 0)), pause, located(proposed(2, 0))]);
        let state = next(paused(5_000, 5_500));
        assert_eq!([1, 2].map(|epoch| state.proposals[&Epoch(epoch)].final_at), [5_000, 5_000]);
    }

    #[test]
    fn parameters_govern_from_their_epoch_on_and_the_later_vote_of_an_epoch_counts() {
        let set = |from, smoothing| {
            let params = Params { smoothing, ..Params::default() };
            Event::ParamsSet { from_epoch: Epoch(from), params_hash: params.hash(), params: Box::new(params) }
        };
        let state = folded(vec![set(0, 13), set(4, 20), set(9, 30), set(9, 31)]);
        let smoothing = |epoch| state.params_of(Epoch(epoch)).unwrap().smoothing;
        assert_eq!([1, 3, 4, 8, 9, 100].map(smoothing), [13, 13, 20, 20, 31, 31]);
        assert_eq!(folded(Vec::new()).params_of(ONE), None);
    }
}
