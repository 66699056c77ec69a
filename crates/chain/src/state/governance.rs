//! Proposals of both houses, who voted how, and whose votes the token house has: as the events tell.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256};

use super::{At, Cooperative, List, Map};
use crate::events::Event;
use crate::gov::Status;
use crate::house::{Call, House, Support};

/// How long a member waits for its vote, in seconds.
pub const SEASONING: u64 = 30 * 86_400;

/// The longest that a proposal can wait and be voted on: the governor's bounds, with one extension.
pub const LONGEST_VOTE: u64 = 150 * 86_400;

/// A proposal in the house that votes on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Motion {
    /// The house.
    pub house: House,
    /// Its number there.
    pub id: B256,
    /// Who made it.
    pub proposer: Address,
    /// What it would call.
    pub calls: Vec<Call>,
    /// In its author's words.
    pub description: String,
    /// When it was made.
    pub made: At,
    /// The snapshot: who has votes then may vote from the next second on. Unix seconds.
    pub opens_at: u64,
    /// The last second in which a vote counts.
    pub closes_at: u64,
    /// Whether a late quorum moved that.
    pub extended: bool,
    /// Votes for it, against it, and for the quorum alone.
    pub tally: Tally,
    /// How many accounts voted.
    pub ballots: u32,
    /// What could be cast, as of the snapshot; none before the first event after it.
    castable: Option<Castable>,
    /// When it was queued, and from when it may be executed.
    pub queued: Option<(At, u64)>,
    /// When it was executed.
    pub executed: Option<At>,
    /// When it was taken back.
    pub canceled: Option<At>,
}

/// What both houses have to agree on, as far as they did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// When the token house agreed, Unix seconds.
    pub token: Option<u64>,
    /// When the member house agreed.
    pub member: Option<u64>,
    /// When it was done.
    pub executed: Option<u64>,
}

impl Agreement {
    /// How long an approval counts, in seconds.
    pub const VALIDITY: u64 = 30 * 86_400;

    fn of(&mut self, house: House) -> &mut Option<u64> {
        match house {
            House::Token => &mut self.token,
            House::Member => &mut self.member,
        }
    }

    /// Which houses agree at `now` (Unix seconds).
    #[must_use]
    pub fn by(mut self, now: u64) -> Vec<House> {
        let agrees = |house: &House| self.of(*house).is_some_and(|at| now <= at.saturating_add(Self::VALIDITY));
        House::ALL.into_iter().filter(agrees).collect()
    }

    /// The last second in which it can be done, as long as a house agrees at `now` and it was not done.
    #[must_use]
    pub fn lapses_at(self, now: u64) -> Option<u64> {
        let last = |at: u64| at.saturating_add(Self::VALIDITY);
        let standing = [self.token, self.member].into_iter().flatten().map(last).filter(|last| now <= *last);
        standing.min().filter(|_| self.executed.is_none())
    }
}

/// Votes by how they were cast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// For it.
    pub in_favour: u128,
    /// Against it.
    pub against: u128,
    /// For the quorum alone.
    pub abstain: u128,
}

impl Tally {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> u128 {
        self.in_favour.saturating_add(self.against).saturating_add(self.abstain)
    }
}

/// What could be cast at a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Castable {
    /// Votes.
    pub votes: u128,
    /// Accounts that had one or more.
    pub accounts: u64,
}

/// One vote of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cast {
    /// In which house.
    pub house: House,
    /// On which proposal.
    pub proposal: B256,
    /// How.
    pub support: Support,
    /// With how many votes.
    pub votes: u128,
}

/// What an account has in the token house.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Its own votes, wherever they are delegated.
    pub held: u128,
    /// What it casts: its own where it did not delegate them, and what others delegated to it.
    pub votes: u128,
    /// Through whom it votes, where that is another.
    pub delegate: Option<Address>,
    /// How many others vote through it.
    pub delegators: u32,
}

/// What the houses decided and who decides in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Governance {
    /// Every proposal, by house and number.
    pub motions: Map<(House, B256), Motion>,
    /// The same in the order in which they were made.
    pub made: List<(House, B256)>,
    /// Proposals whose snapshot no event has passed yet.
    unopened: BTreeSet<(u64, House, B256)>,
    /// Votes that were cast, by account and time.
    pub cast: Map<(Address, At), Cast>,
    /// Accounts that have or had votes in the token house.
    pub holdings: Map<Address, Holding>,
    /// Accounts by what they cast in the token house, for whoever wants the largest.
    pub ranked: Map<(u128, Address), ()>,
    /// All that can be cast in the token house.
    pub castable: u128,
    /// How long what is queued waits in each house's timelock, in seconds.
    delays: Map<House, u64>,
    /// What the charter gate was told, by operation.
    pub charter: Map<B256, Agreement>,
    /// When the cooperative was constituted, Unix seconds; 0 before.
    pub constituted_at: u64,
}

impl Motion {
    /// Where it stands at `now` (Unix seconds), as its governor says. `quorum` is the governor's for its snapshot; where
    /// that is not known yet, no voting has ended.
    #[must_use]
    pub fn status(&self, now: u64, quorum: Option<u128>, constituted_at: u64) -> Status {
        if self.executed.is_some() {
            return Status::Executed;
        }
        if self.canceled.is_some() {
            return Status::Canceled;
        }
        if now <= self.opens_at {
            return Status::Pending;
        }
        if now <= self.closes_at {
            return Status::Active;
        }
        let present = self.tally.in_favour.saturating_add(self.tally.abstain);
        if self.tally.in_favour <= self.tally.against || quorum.is_some_and(|quorum| present < quorum) {
            return Status::Defeated;
        }
        if self.opens_at < constituted_at {
            return Status::Expired;
        }
        if self.queued.is_some() { Status::Queued } else { Status::Succeeded }
    }
}

impl Governance {
    /// Proposals, the newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Motion> {
        self.made.iter().rev().filter_map(|key| self.motions.get(key))
    }

    /// A proposal of this number in each house that has it.
    pub fn numbered(&self, id: B256) -> impl Iterator<Item = &Motion> {
        House::ALL.into_iter().filter_map(move |house| self.motions.get(&(house, id)))
    }

    /// From when a proposal may be executed: as it was queued, or where it was not, at the earliest.
    #[must_use]
    pub fn executable_at(&self, motion: &Motion) -> u64 {
        let earliest = || motion.closes_at.saturating_add(self.delays.get(&motion.house).copied().unwrap_or(0));
        motion.queued.map_or_else(earliest, |(_, at)| at)
    }

    /// Votes of an account, the newest first.
    pub fn cast_by(&self, account: Address) -> impl Iterator<Item = (At, &Cast)> {
        let at = |block| At { block, log_index: block, time: block };
        let all = (account, at(0))..=(account, at(u64::MAX));
        self.cast.range(all).rev().map(|((_, at), cast)| (*at, cast))
    }

    /// Accounts that cast something in the token house, the largest first.
    pub fn largest(&self) -> impl Iterator<Item = (Address, u128)> {
        self.ranked.iter().rev().map(|((votes, account), ())| (*account, *votes))
    }

    /// Proposals that are voted on at `now` (Unix seconds), as far as votes decide that.
    pub fn open(&self, now: u64) -> impl Iterator<Item = &Motion> {
        // None is voted on for longer than the governor's bounds allow.
        let recent = move |motion: &&Motion| now <= motion.made.time.saturating_add(LONGEST_VOTE);
        let open = move |motion: &&Motion| {
            motion.opens_at < now && now <= motion.closes_at && motion.canceled.is_none() && motion.executed.is_none()
        };
        self.newest().take_while(recent).filter(open)
    }

    pub(super) fn apply(&mut self, event: &Event, at: At) {
        match *event {
            Event::ProposalCreated { house, proposal, .. } => self.create(house, proposal, event, at),
            Event::ProposalExtended { house, proposal, closes_at } => {
                self.change(house, proposal, |m| (m.closes_at, m.extended) = (m.closes_at.max(closes_at), true));
            }
            Event::ProposalQueued { house, proposal, executable_at } => {
                self.change(house, proposal, |m| m.queued = Some((at, executable_at)));
            }
            Event::ProposalExecuted { house, proposal } => self.change(house, proposal, |m| m.executed = Some(at)),
            Event::ProposalCanceled { house, proposal } => self.change(house, proposal, |m| m.canceled = Some(at)),
            Event::VoteCast { house, proposal, voter, support, votes } => {
                self.cast.insert((voter, at), Cast { house, proposal, support, votes });
                self.change(house, proposal, |m| {
                    let side = match support {
                        Support::For => &mut m.tally.in_favour,
                        Support::Against => &mut m.tally.against,
                        Support::Abstain => &mut m.tally.abstain,
                    };
                    *side = side.saturating_add(votes);
                    m.ballots += 1;
                });
            }
            Event::TimelockDelaySet { house, seconds } => self.delays.insert(house, seconds),
            Event::Constituted { at } => self.constituted_at = at,
            Event::CharterApproved { house, operation } => {
                self.charter.change(operation, |agreed| *agreed.of(house) = Some(at.time));
            }
            Event::CharterWithdrawn { house, operation } => {
                self.charter.change(operation, |agreed| *agreed.of(house) = None);
            }
            Event::CharterExecuted { operation } => {
                self.charter.change(operation, |agreed| agreed.executed = Some(at.time));
            }
            _ => self.apply_votes(event),
        }
    }

    fn create(&mut self, house: House, id: B256, event: &Event, made: At) {
        let Event::ProposalCreated { proposer, calls, description, opens_at, closes_at, .. } = event else { return };
        let motion = Motion {
            house,
            id,
            proposer: *proposer,
            calls: calls.clone(),
            description: description.clone(),
            made,
            opens_at: *opens_at,
            closes_at: *closes_at,
            extended: false,
            tally: Tally::default(),
            ballots: 0,
            castable: None,
            queued: None,
            executed: None,
            canceled: None,
        };
        self.motions.insert((house, id), motion);
        self.made.push_back_mut((house, id));
        self.unopened.insert((*opens_at, house, id));
    }

    fn change(&mut self, house: House, id: B256, change: impl FnOnce(&mut Motion)) {
        if let Some(motion) = self.motions.get_mut(&(house, id)) {
            change(motion);
        }
    }

    fn apply_votes(&mut self, event: &Event) {
        match *event {
            Event::UnitsChanged { account, units } => self.holdings.change(account, |of| of.held = units),
            Event::Delegated { account, to } => {
                let named = self.holdings.get(&account).and_then(|of| of.delegate);
                if let Some(before) = named {
                    self.holdings.change(before, |of| of.delegators = of.delegators.saturating_sub(1));
                }
                let to = (to != account && to != Address::ZERO).then_some(to);
                if let Some(to) = to {
                    self.holdings.change(to, |of| of.delegators += 1);
                }
                self.holdings.change(account, |of| of.delegate = to);
            }
            Event::VotesChanged { account, votes } => {
                let before = self.holdings.get(&account).map_or(0, |of| of.votes);
                self.castable = self.castable.saturating_sub(before).saturating_add(votes);
                self.ranked.remove(&(before, account));
                if votes > 0 {
                    self.ranked.insert((votes, account), ());
                }
                self.holdings.change(account, |of| of.votes = votes);
            }
            _ => {}
        }
    }
}

impl Cooperative {
    /// What could be cast on a proposal, known once its snapshot has passed at `now` (Unix seconds).
    #[must_use]
    pub fn castable(&self, motion: &Motion, now: u64) -> Option<Castable> {
        let open = now > motion.opens_at;
        motion.castable.or_else(|| open.then(|| self.castable_at(motion.house, motion.opens_at)))
    }

    /// What could be cast at `time`, where nothing was applied since.
    fn castable_at(&self, house: House, time: u64) -> Castable {
        match house {
            House::Member => {
                let seasoned = self.members.values().filter(|m| m.votes_at(time)).count() as u64;
                Castable { votes: seasoned.into(), accounts: seasoned }
            }
            House::Token => Castable { votes: self.governance.castable, accounts: self.governance.ranked.len() as u64 },
        }
    }

    /// Takes down what could be cast on proposals whose snapshot lies before `time` (Unix seconds), ahead of what then
    /// happens.
    pub(super) fn pass_snapshots(&mut self, time: u64) {
        while let Some((opens_at, house, id)) = self.governance.unopened.first().copied().filter(|next| next.0 < time) {
            let castable = self.castable_at(house, opens_at);
            self.governance.change(house, id, |motion| motion.castable = Some(castable));
            self.governance.unopened.remove(&(opens_at, house, id));
        }
    }
}
