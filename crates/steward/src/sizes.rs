//! How many members each dataset has for a purpose, as everyone may know it. The rule is [`rochdale_core::size`]; here the members are
//! gathered that it counts: as of a counting epoch's cut, with a record that is not erased, whose consent and receipt allow a query for the
//! purpose by some study. Counted once, kept, and served to anyone: what is not kept is never shown, for each other count would draw other noise. No
//! exact size leaves this process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rochdale_api::Problem;
use rochdale_api::order::{PublishedSize, Sizes};
use rochdale_api::status::BudgetLimits;
use rochdale_chain::state::Cooperative;
use rochdale_core::budget::Limits;
use rochdale_core::consent::{Permission, could_match};
use rochdale_core::ids::{DatasetId, Epoch, MemberId, Purpose};
use rochdale_core::size::{Cell, GRID, counting_epoch, is_counted, published};

use crate::steward::{Mirror, Steward};

impl Steward {
    /// Counts the newest counting epoch whose cut has passed and is final, unless it was counted before.
    ///
    /// What is counted stands for a quarter, so that it waits until everything is caught up; but what nobody ever shows, such as a consent
    /// whose receipt its member keeps back, is waited for no longer than an epoch, and counts as not there. `complete`: nothing is missing
    /// here.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn size_round(self: &Arc<Self>, mirror: &Mirror, complete: bool) -> Result<(), Problem> {
        let now = mirror.head.finalized.timestamp;
        let Some(due) = self.counted_at(now) else { return Ok(()) };
        let before = counting_epoch(Epoch(due.0.saturating_sub(1)));
        for epoch in before.into_iter().chain([due]) {
            let (end, next) = (self.manifest.schedule().end(epoch), self.manifest.schedule().end(Epoch(epoch.0 + 1)));
            if self.store.sizes(epoch).await?.is_empty() && (complete || now >= next) {
                let state = self.watch.at_cut(end).await?;
                self.store.put_sizes(&self.count(&state, epoch, end).await?).await?;
            }
        }
        Ok(())
    }

    /// The sizes that stand now: of each dataset of the catalog and each purpose.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn sizes(&self, mirror: &Mirror) -> Result<Sizes, Problem> {
        let known = self.sizes_at(mirror.head.finalized.timestamp).await?;
        let size = |(dataset, purpose): (DatasetId, Purpose)| {
            let found = known.iter().find(|size| (size.dataset, size.purpose) == (dataset, purpose));
            found.cloned().unwrap_or(PublishedSize { dataset, purpose, epoch: Epoch(0), members: GRID })
        };
        let Limits { lifetime, per_year } = self.limits();
        let limits = Some(BudgetLimits { lifetime, per_year });
        Ok(Sizes { sizes: cells(&mirror.latest).map(size).collect(), limits })
    }

    /// The published size that stands at `time`, the timestamp of a finalized block: what a draw divides by.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn published_size(&self, dataset: DatasetId, purpose: Purpose, time: u64) -> Result<u64, Problem> {
        let sizes = self.sizes_at(time).await?;
        let found = sizes.iter().find(|size| (size.dataset, size.purpose) == (dataset, purpose));
        Ok(found.map_or(GRID, |size| size.members))
    }

    /// The counting epoch whose sizes are due at `time`.
    fn counted_at(&self, time: u64) -> Option<Epoch> {
        let running = self.manifest.schedule().epoch_at(time)?;
        counting_epoch(Epoch(running.0.saturating_sub(1)))
    }

    /// What was kept of the newest counting epoch up to the one that is due at `time`.
    async fn sizes_at(&self, time: u64) -> Result<Vec<PublishedSize>, Problem> {
        match self.counted_at(time) {
            Some(epoch) => Ok(self.store.newest_sizes(epoch).await?),
            None => Ok(Vec::new()),
        }
    }

    async fn count(
        self: &Arc<Self>,
        state: &Cooperative,
        epoch: Epoch,
        end: u64,
    ) -> Result<Vec<PublishedSize>, Problem> {
        let usable = self.usable(state, epoch, end).await?;
        let all: Vec<(DatasetId, Purpose)> = cells(state).collect();
        let number = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let count = |(dataset, purpose): (DatasetId, Purpose)| {
            let members: Vec<MemberId> = usable.get(&(dataset, purpose)).into_iter().flatten().copied().collect();
            let cell = Cell { dataset, purpose, epoch };
            let members = published(self.keys.committee(), &cell, number, &members);
            PublishedSize { dataset, purpose, epoch, members }
        };
        Ok(all.into_iter().map(count).collect())
    }

    /// Who has a usable record for each dataset and purpose, as far as each is still counted.
    async fn usable(
        self: &Arc<Self>,
        state: &Cooperative,
        epoch: Epoch,
        time: u64,
    ) -> Result<BTreeMap<(DatasetId, Purpose), BTreeSet<MemberId>>, Problem> {
        let schedule = self.manifest.schedule();
        let joined = |member: MemberId| {
            let joined = state.members.get(&member).map(|member| member.joined.time);
            joined.and_then(|time| schedule.epoch_at(time)).unwrap_or_default()
        };
        let mut usable: BTreeMap<(DatasetId, Purpose), BTreeSet<MemberId>> = BTreeMap::new();
        for contribution in state.contributions.values().filter(|contribution| !contribution.erased) {
            let member = contribution.member;
            if !state.consents_at(member, time) || !is_counted(joined(member), epoch) {
                continue;
            }
            let Some(held) = self.record_of(contribution).await? else { continue };
            let Some(part) = self.private_part_of(&held).await? else { continue };
            let version = state.consents.get(&member).map_or(0, |consent| consent.version);
            let Some(secret) = self.keys.consent(&self.store, member, version).await? else { continue };
            for purpose in Permission::NUMBERS.map(Purpose) {
                // Whoever may come to be drawn, by whatever study: a draw that divided by fewer would take more than are paid for.
                if could_match(&secret.receipt, purpose, time) {
                    usable.entry((part.dataset, purpose)).or_default().insert(member);
                }
            }
        }
        Ok(usable)
    }
}

/// Every dataset of the catalog with every purpose.
fn cells(state: &Cooperative) -> impl Iterator<Item = (DatasetId, Purpose)> + '_ {
    state.datasets.keys().flat_map(|dataset| Permission::NUMBERS.map(|number| (*dataset, Purpose(number))))
}
