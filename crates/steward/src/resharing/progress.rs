//! How far a resharing is, as one process knows it; another start counts anew.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use rochdale_api::Problem;
use rochdale_core::ids::{ContributionId, StewardId};

/// How far the resharing to the committee in office is here.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub generation: u32,
    /// Records of which every seat said that it holds its share, and knows the words that we know.
    pub done: HashSet<ContributionId>,
    /// After the last round, which ended then.
    pub pause: Duration,
    pub ended: Option<Instant>,
    /// Of which somebody said something new since the round began: none of them is done in it.
    pub told: HashSet<ContributionId>,
    /// The round that goes on.
    pub round: Round,
    /// None before a first round over all records is over.
    pub lack: Option<Lack>,
}

/// A round over all records that are not done, some of them at a time.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// The first record that it did not come to.
    pub from: ContributionId,
    /// Whether something moved.
    pub moved: bool,
    /// Who was asked and did not answer.
    pub silent: BTreeSet<Address>,
    pub lack: Lack,
}

/// What the records that are not done lack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lack {
    /// Records of which there is no share here for this committee.
    pub records: usize,
    /// Of the record that has the fewest: deals, and how many it takes.
    pub fewest: Option<(usize, usize)>,
    /// Records of which there is one, and it is not certain that every seat has one of the same sharing.
    pub open: usize,
    /// Seats that did not say that they hold the shares that we hold, or did not answer that they know what we know.
    pub silent: BTreeSet<StewardId>,
}

impl Lack {
    /// One record that is damaged here, or of which the store fails, keeps no other from its share.
    pub fn damaged(&mut self, id: ContributionId, problem: &Problem) {
        tracing::warn!(contribution = %id, %problem, "a record is passed over");
        self.records += 1;
        self.fewest.get_or_insert((0, 1));
    }
}
