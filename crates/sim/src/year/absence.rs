//! A steward that is down while members join and leave, and catches up by itself.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use anyhow::{Context as _, Result, ensure};
use rochdale_core::ids::MemberId;
use rochdale_core::ledger::Books;

use super::Year;
use super::tally::{Act, Outcome};

/// What a steward had when it went down.
pub(super) struct Absence {
    books: Books,
    row_keys: BTreeMap<MemberId, B256>,
}

impl Year {
    /// The third steward goes down; somebody joins and somebody leaves without it.
    pub(super) async fn go_down(&mut self) -> Result<()> {
        self.absence = Some(Absence { books: self.books.clone(), row_keys: self.transcript.row_keys.clone() });
        self.join_next().await?;
        self.leave_one().await
    }

    /// It comes back: takes the keys that it lacks from the others, and settles again what became final without it. It must
    /// come to the same root, or it could sign nothing any more.
    pub(super) fn come_back(&mut self) -> Result<()> {
        let Absence { mut books, mut row_keys } = self.absence.take().context("no steward is down")?;
        let (since, steward) = (books.global.epoch.0, self.stewards[2].address());
        let missed = &self.transcript.epochs[since as usize..];
        ensure!(!missed.is_empty(), "no epoch became final while the steward was down");
        let mut lacked = 0;
        for (member, key) in &self.transcript.row_keys {
            lacked += u64::from(row_keys.insert(*member, *key).is_none());
        }
        ensure!(lacked > 0, "nobody with a row key joined while the steward was down");
        for epoch in missed {
            let round = books.settle(epoch, |member| row_keys.get(&member).map(|key| key.0))?;
            let number = round.header.epoch;
            ensure!(
                round.header.root == epoch.root,
                "a steward that was down after epoch {since} settles epoch {number} with another root: {}, not {}",
                round.header.root,
                epoch.root
            );
            books.close(&round);
        }
        ensure!(books.root == self.books.root, "the steward that came back has other books than the chain");
        self.tally.count(Act::CatchUp, steward);
        self.tally.note_many(Outcome::EpochsCaughtUp, missed.len() as u64);
        self.tally.note_many(Outcome::KeysHandedOver, lacked);
        Ok(())
    }
}
