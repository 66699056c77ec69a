//! What the cooperative was after each of the newest blocks, grown by one event after the other.
//!
//! A state shares with the one before everything that the block between them did not change, so that a state is kept for
//! each of the newest blocks with events, for the last blocks of the newest epochs, and for a few blocks of long ago. The
//! state of any other block is the nearest kept one before it and the events since.

use std::collections::{BTreeMap, BTreeSet};

use rochdale_chain::events::Located;
use rochdale_chain::state::Cooperative;
use rochdale_core::ledger::Schedule;

/// Of how many of the newest blocks with events the state is kept: more than are not final anywhere.
const NEWEST: usize = 1_024;

/// Of how many of the newest epochs the state at the cut is kept.
const CUTS: usize = 16;

/// How many states of long ago are kept.
const OLD: usize = 64;

/// How many events lie between two states of long ago, until there are too many of them and it doubles.
const STRIDE: u64 = 1_024;

/// The state after a block.
#[derive(Clone, Debug)]
struct Mark {
    /// Timestamp of the block, Unix seconds.
    time: u64,
    /// How many events there were up to it.
    events: u64,
    /// The next block with events, and its timestamp: before it, this state stands.
    next: Option<(u64, u64)>,
    state: Cooperative,
}

/// A state that was kept, and what it lacks of the one asked for.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The cooperative as of that block.
    pub state: Cooperative,
    /// Blocks that may hold events that are still to be taken in: those after the first, up to the second.
    pub lacks: Option<(u64, u64)>,
}

/// States by block.
#[derive(Debug)]
pub struct States {
    schedule: Schedule,
    /// By the number of the block that it is the state after; the one before all blocks is always there.
    marks: BTreeMap<u64, Mark>,
    /// The newest mark, and the newest block applied.
    newest: u64,
    stride: u64,
    /// How often anything changed.
    revision: u64,
    /// How often something was undone.
    rollbacks: u64,
}

impl States {
    /// Nothing happened yet; epochs are cut by `schedule`.
    #[must_use]
    pub fn new(schedule: Schedule) -> Self {
        let mark = Mark { time: 0, events: 0, next: None, state: Cooperative::default() };
        Self { schedule, marks: BTreeMap::from([(0, mark)]), newest: 0, stride: STRIDE, revision: 1, rollbacks: 0 }
    }

    /// Takes in events, in the order of the chain, none of a block that was taken in before.
    pub fn apply(&mut self, events: &[Located]) {
        for block in events.chunk_by(|one, next| one.block_number == next.block_number) {
            self.apply_block(block);
        }
    }

    fn apply_block(&mut self, events: &[Located]) {
        let Some((number, time)) = events.first().map(|event| (event.block_number, event.timestamp)) else { return };
        let Some(before) = self.marks.get_mut(&self.newest) else { return };
        before.next = Some((number, time));
        let mut mark = Mark { time, events: before.events, next: None, state: before.state.clone() };
        for event in events {
            mark.state.apply(event);
            mark.events += 1;
        }
        self.marks.insert(number, mark);
        self.newest = number;
        self.revision += 1;
        self.thin();
    }

    /// Forgets everything, to have it taken in anew.
    pub fn clear(&mut self) {
        let fresh = Self::new(self.schedule);
        *self = Self { revision: self.revision + 1, rollbacks: self.rollbacks + 1, ..fresh };
    }

    /// Goes back to the state after a block, or to the beginning where it is `None`. `false`: that state is not kept, and
    /// everything has to be taken in anew.
    #[must_use]
    pub fn rollback_to(&mut self, block: Option<u64>) -> bool {
        let block = block.unwrap_or(0);
        let Some((number, mark)) = self.marks.range_mut(..=block).next_back() else { return false };
        if !stands(mark, block) {
            return false;
        }
        mark.next = None;
        self.newest = *number;
        self.marks.retain(|number, _| *number <= self.newest);
        self.revision += 1;
        self.rollbacks += 1;
        true
    }

    /// The state after the newest block.
    #[must_use]
    pub fn latest(&self) -> Cooperative {
        self.marks.get(&self.newest).map(|mark| mark.state.clone()).unwrap_or_default()
    }

    /// A number that is another one after every change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How often something was undone.
    #[must_use]
    pub fn rollbacks(&self) -> u64 {
        self.rollbacks
    }

    /// The newest block whose events were taken in.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// The last state that is kept up to a block.
    #[must_use]
    pub fn at_block(&self, block: u64) -> Kept {
        let found = self.marks.range(..=block).next_back();
        self.kept(found, |mark| stands(mark, block), block)
    }

    /// The last state that is kept of all blocks with a timestamp of at most `end` (Unix seconds).
    #[must_use]
    pub fn at_time(&self, end: u64) -> Kept {
        let found = self.marks.iter().rev().find(|(_, mark)| mark.time <= end);
        let after = found.map_or(0, |(number, _)| number + 1);
        let upto = self.marks.range(after..).next().map_or(after, |(number, _)| *number);
        self.kept(found, |mark| mark.next.is_none_or(|(_, time)| end < time), upto)
    }

    fn kept(&self, found: Option<(&u64, &Mark)>, exact: impl FnOnce(&Mark) -> bool, upto: u64) -> Kept {
        let Some((block, mark)) = found else {
            return Kept { state: Cooperative::default(), lacks: Some((0, upto)) };
        };
        Kept { state: mark.state.clone(), lacks: (!exact(mark)).then_some((*block, upto)) }
    }

    /// Lets go of states so that their number stays bounded.
    fn thin(&mut self) {
        let Some(leaving) = self.marks.keys().rev().nth(NEWEST).copied() else { return };
        let epoch = |time| self.schedule.epoch_at(time);
        let is_cut = |mark: &Mark| mark.next.is_some_and(|(_, next)| epoch(next) != epoch(mark.time));
        let older = || self.marks.range(..=leaving);
        let cuts: Vec<u64> = older().rev().filter(|(_, mark)| is_cut(mark)).map(|(number, _)| *number).collect();
        let cuts = cuts.into_iter().take(CUTS);
        let mut kept: BTreeSet<u64> = cuts.collect();
        let mut last = None;
        let mut old = 0;
        for (number, mark) in older() {
            if last.replace(mark.events / self.stride) != Some(mark.events / self.stride) {
                kept.insert(*number);
                old += 1;
            }
        }
        self.marks.retain(|number, _| *number > leaving || kept.contains(number));
        if old > OLD {
            self.stride *= 2;
        }
    }
}

/// Whether the state of a mark is still the one after a block that is not before it.
fn stands(mark: &Mark, block: u64) -> bool {
    mark.next.is_none_or(|(next, _)| block < next)
}
