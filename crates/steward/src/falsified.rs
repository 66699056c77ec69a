//! What a steward keeps in memory of a pending epoch whose proposal on chain is another than the one that it computes.

use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::Inputs;

use crate::store::LeafRow;

/// Our own computation of a falsified attempt.
#[derive(Clone, Debug)]
pub struct Falsified {
    /// The epoch, from 1.
    pub epoch: Epoch,
    /// The attempt whose proposal is another.
    pub attempt: u32,
    /// What the trees would hold, by id from 1.
    pub leaves: Vec<LeafRow>,
    /// The inputs behind them.
    pub inputs: Vec<Inputs>,
}

impl Falsified {
    /// A member's leaf and inputs.
    #[must_use]
    pub fn of(&self, member: MemberId) -> Option<(&LeafRow, &Inputs)> {
        self.leaves.iter().zip(&self.inputs).find(|(leaf, _)| leaf.member == member)
    }
}
