//! Members: joining, consenting, contributing, leaving.

use alloy::primitives::{B256, keccak256};
use anyhow::Result;
use rand::RngExt as _;
use rochdale_core::ids::MemberId;
use rochdale_core::ledger::Score;

use super::{Person, Year};

/// Of the members who may, how many in a hundred contribute in an epoch.
const CONTRIBUTE_PERCENT: u32 = 25;
/// Of the members, how many in a thousand withdraw, leave, or erase everything in an epoch.
const REVOKE_PERMILLE: u32 = 15;
const LEAVE_PERMILLE: u32 = 5;
const ERASE_PERMILLE: u32 = 4;

impl Year {
    /// Admits those whose turn it is: a third in epoch 1, the others evenly up to the last quarter.
    pub(super) async fn admit(&mut self, epoch: u32) -> Result<()> {
        let first = self.settings.people / 3;
        let span = (self.settings.epochs * 3 / 4).max(1);
        let target = first + (self.settings.people - first) * (epoch - 1).min(span) / span;
        let joined = self.people.iter().filter(|p| p.id.is_some()).count();
        for place in joined..target as usize {
            let key = self.people[place].key.clone();
            let id = self.coop.join(&key).await?;
            self.people[place].id = Some(id);
            self.transcript.row_keys.insert(id, super::row_key(id));
            self.tally.count("join", key.address());
            self.consent(place).await?;
        }
        Ok(())
    }

    async fn consent(&mut self, place: usize) -> Result<()> {
        let Some((key, id)) = self.member(place) else { return Ok(()) };
        let version = self.consent_version(id).await? + 1;
        self.coop.grant(&key, id, version).await?;
        self.people[place].consent = version;
        self.tally.count("grant consent", key.address());
        Ok(())
    }

    /// Contributions of this epoch in one batch, each with a score that two stewards would agree on.
    pub(super) async fn contribute(&mut self) -> Result<()> {
        let mut batch = Vec::new();
        for place in 0..self.people.len() {
            let Some((key, id)) = self.member(place) else { continue };
            let version = self.people[place].consent;
            if version > 0 && self.rng.random_ratio(CONTRIBUTE_PERCENT, 100) {
                let commitment = keccak256(self.rng.random::<[u8; 32]>());
                batch.push((key, id, commitment, version));
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        let recorded = self.record(&batch).await?;
        for (id, (key, ..)) in recorded.into_iter().zip(&batch) {
            let score = self.score();
            self.scores.insert(id, score);
            self.tally.count("contribute", key.address());
        }
        Ok(())
    }

    fn score(&mut self) -> Score {
        Score {
            quality: self.rng.random_range(1_500..=10_000),
            uniqueness: if self.rng.random_ratio(1, 20) { 0 } else { 10_000 },
            authenticity: Score::AUTHENTICITY[self.rng.random_range(0..4)],
            rarity: Score::RARITY[self.rng.random_range(0..4)],
        }
    }

    /// Some withdraw consent, some give it again, some leave, some erase everything.
    pub(super) async fn come_and_go(&mut self) -> Result<()> {
        for place in 0..self.people.len() {
            let Some((key, id)) = self.member(place) else { continue };
            let drawn = self.rng.random_range(0..1_000);
            if self.people[place].consent == 0 {
                if drawn < 300 {
                    self.consent(place).await?;
                }
            } else if drawn < REVOKE_PERMILLE {
                self.coop.revoke(&key, id).await?;
                self.people[place].consent = 0;
                self.tally.count("revoke consent", key.address());
            } else if drawn < REVOKE_PERMILLE + LEAVE_PERMILLE {
                self.leave(&key, id).await?;
                self.people[place].gone = true;
                self.tally.count("leave", key.address());
            } else if drawn < REVOKE_PERMILLE + LEAVE_PERMILLE + ERASE_PERMILLE {
                self.coop.erase(&key, id).await?;
                self.people[place].gone = true;
                self.destroy(id);
                self.tally.count("erase everything", key.address());
            }
        }
        Ok(())
    }

    /// The row key goes; what it gave in past epochs stands in for it.
    fn destroy(&mut self, member: MemberId) {
        let Some(key) = self.transcript.row_keys.remove(&member) else { return };
        for (epoch, number) in self.transcript.epochs.iter_mut().zip(1..) {
            let number = rochdale_core::ids::Epoch(number);
            let salt = rochdale_core::ledger::salt(&key.0, number);
            let blinder = rochdale_core::ledger::input_blinder(&key.0, number);
            epoch.destroyed.insert(member, (salt, blinder));
        }
    }

    /// Key and id of a person who is a member now.
    pub(super) fn member(&self, place: usize) -> Option<(alloy::signers::local::PrivateKeySigner, MemberId)> {
        let Person { key, id, gone, .. } = &self.people[place];
        id.filter(|_| !gone).map(|id| (key.clone(), id))
    }

    /// A commitment that stands for nothing else.
    pub(super) fn any_hash(&mut self) -> B256 {
        B256::from(self.rng.random::<[u8; 32]>())
    }
}
