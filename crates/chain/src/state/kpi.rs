//! Sums of everything that happened, as of the end of each day: key figures of any span of days are differences of two of
//! them, however long ago the cooperative was founded.

use alloy::primitives::U256;
use rochdale_core::calendar::civil;
use rochdale_core::ids::{DatasetId, Epoch, MemberId};
use rochdale_core::ledger::Header;
use rochdale_core::measure::{gini, nakamoto};

use super::{At, Cooperative, Map};
use crate::events::Event;
use crate::house::House;

/// Seconds of a day.
pub const DAY: u64 = 86_400;

/// Contributors of an epoch below which nothing is said of their records' quality.
const FEW: usize = 5;

/// How long a cohort ages before it is counted again, in seconds.
pub const AGE: u64 = 30 * DAY;

/// The day of a time (Unix seconds), counted from 1970-01-01.
#[must_use]
pub fn day_of(time: u64) -> u32 {
    u32::try_from(time / DAY).unwrap_or(u32::MAX)
}

/// What happened since the founding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Members admitted.
    pub joined: u64,
    /// Memberships ended.
    pub ended: u64,
    /// Records contributed, erased ones included.
    pub records: u64,
    /// Proposals made to the token house and to the member house.
    pub proposals: [u64; 2],
    /// Micro-USDC booked to each bucket, as the Treasury numbers them.
    pub booked: [u128; 5],
    /// Micro-USDC that left each bucket: claims, and what it spent.
    pub spent: [u128; 5],
    /// Micro-USDC given to the reserve.
    pub donated: u128,
    /// DATA that licenses were sold for, wei.
    pub sold_for_data: u128,
    /// What debits charge in all, nano-zCDP.
    pub rho: u128,
}

/// How unevenly votes of the token house are spread; none where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Gini coefficient among active members, in millionths.
    pub gini: Option<u32>,
    /// The least number of accounts with more than half.
    pub nakamoto: Option<u32>,
}

/// The same of votes by whose they are, and by who casts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spreads {
    /// By whose they are.
    pub held: Spread,
    /// By who casts them.
    pub delegated: Spread,
}

/// The end of a day on which something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayEnd {
    /// What happened up to then.
    pub totals: Totals,
    /// How votes were spread; none before the day is over.
    pub spreads: Option<Spreads>,
    /// Points for each record of the epoch that was proposed on this day, in ten-thousandths of a whole record's.
    pub quality: Option<u64>,
}

/// Who joined in one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joiners {
    /// How many.
    pub joined: u32,
    /// Of them, how many left in each 30 days after they joined.
    pub left: Map<u32, u32>,
}

/// Key figures' sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// As of the last event.
    pub totals: Totals,
    /// As of the end of each day with events, by day.
    pub days: Map<u32, DayEnd>,
    /// Micro-USDC booked for each dataset up to the end of a day with a booking.
    pub datasets: Map<(DatasetId, u32), u128>,
    /// Who joined, by month: 12 · year + month − 1.
    pub cohorts: Map<u64, Joiners>,
    /// When the first claim was paid on the root of an epoch.
    pub first_claims: Map<Epoch, u64>,
    /// Who contributed since an epoch was proposed.
    contributors: Map<MemberId, ()>,
    /// Whose records the last proposed epoch counts.
    of_epoch: Map<MemberId, ()>,
    /// Up to which record the epoch before the last proposed one and the last proposed one were counted.
    awarded: (Epoch, u64, u64),
}

impl Sums {
    fn today(&mut self, time: u64, change: impl FnOnce(&mut DayEnd)) {
        let totals = self.totals;
        self.days.change(day_of(time), |day| {
            day.totals = totals;
            change(day);
        });
    }

    fn join(&mut self, time: u64) {
        self.totals.joined += 1;
        self.cohorts.change(month_of(time), |cohort| cohort.joined += 1);
    }

    fn end(&mut self, joined: u64, time: u64) {
        self.totals.ended += 1;
        let age = u32::try_from(time.saturating_sub(joined) / AGE).unwrap_or(u32::MAX);
        self.cohorts.change(month_of(joined), |cohort| cohort.left.change(age, |left| *left += 1));
    }

    /// Points for each record that came since the epoch before was proposed.
    fn award(&mut self, header: &Header, data_per_point: u128) -> Option<u64> {
        let (last, first, upto) = self.awarded;
        // A later attempt of the same epoch counts the same records and those since.
        let first = if header.epoch > last { upto } else { first };
        if header.epoch > last {
            self.of_epoch = Map::default();
        }
        let since = std::mem::take(&mut self.contributors);
        since.iter().for_each(|(member, ())| self.of_epoch.insert(*member, ()));
        self.awarded = (header.epoch, first, self.totals.records);
        // Of fewer people it would be nearly the score of one.
        if self.of_epoch.len() < FEW {
            return None;
        }
        let records = self.totals.records.saturating_sub(first);
        let points = header.sum_data_award.checked_mul(U256::from(10_000))?;
        let each = U256::from(data_per_point) * U256::from(records);
        points.checked_div(each).map(|points| points.saturating_to())
    }
}

fn month_of(time: u64) -> u64 {
    let (year, month, _) = civil(time / DAY);
    year * 12 + month - 1
}

impl Cooperative {
    /// Ends the last day with events, where `time` (Unix seconds) lies after it, ahead of what then happens.
    pub(super) fn pass_days(&mut self, time: u64) {
        let Some((day, end)) = self.sums.days.last().map(|(day, end)| (*day, *end)) else { return };
        if day < day_of(time) && end.spreads.is_none() {
            let spreads = Some(self.spreads());
            self.sums.days.change(day, |end| end.spreads = spreads);
        }
    }

    /// How votes of the token house are spread now.
    #[must_use]
    pub fn spreads(&self) -> Spreads {
        let members = self.sums.totals.joined - self.sums.totals.ended;
        let spread = |votes: &[u128]| Spread { gini: gini(votes, members), nakamoto: nakamoto(votes) };
        let held: Vec<u128> = self.governance.holdings.values().map(|of| of.held).filter(|held| *held > 0).collect();
        let cast: Vec<u128> = self.governance.largest().map(|(_, votes)| votes).collect();
        Spreads { held: spread(&held), delegated: spread(&cast) }
    }

    /// Counts an event that was just applied.
    pub(super) fn count(&mut self, event: &Event, at: At) {
        let mut quality = None;
        let totals = &mut self.sums.totals;
        match event {
            Event::Joined { .. } => self.sums.join(at.time),
            Event::Ended { member } => {
                let joined = self.members.get(member).map_or(at.time, |member| member.joined.time);
                self.sums.end(joined, at.time);
            }
            Event::ContributionRecorded { member, .. } => {
                totals.records += 1;
                self.sums.contributors.insert(*member, ());
            }
            Event::ProposalCreated { house: House::Token, .. } => totals.proposals[0] += 1,
            Event::ProposalCreated { house: House::Member, .. } => totals.proposals[1] += 1,
            Event::Booked { dataset, .. } => self.count_booking(*dataset, event, at),
            Event::Spent { bucket, amount } => {
                if let Some(spent) = totals.spent.get_mut(usize::from(*bucket)) {
                    *spent = spent.saturating_add(amount.0);
                }
            }
            Event::Donated { amount } => totals.donated = totals.donated.saturating_add(amount.0),
            Event::SoldForData { burned, kept, .. } => {
                totals.sold_for_data = totals.sold_for_data.saturating_add(burned.0).saturating_add(kept.0);
            }
            Event::Debited { debit, .. } => totals.rho = totals.rho.saturating_add(debit.rho.into()),
            Event::Claimed { cash, .. } => {
                totals.spent[0] = totals.spent[0].saturating_add(cash.0);
                let paid = self.final_proposal(at.time).map(|p| p.header.epoch).filter(|_| cash.0 > 0);
                if let Some(epoch) = paid.filter(|epoch| !self.sums.first_claims.contains_key(epoch)) {
                    self.sums.first_claims.insert(epoch, at.time);
                }
            }
            Event::Proposed { epoch, header, .. } => {
                let data_per_point = self.params_of(*epoch).map(|params| params.data_per_point);
                quality = data_per_point.and_then(|each| self.sums.award(header, each));
            }
            _ => {}
        }
        self.sums.today(at.time, |day| day.quality = quality.or(day.quality));
    }

    fn count_booking(&mut self, dataset: DatasetId, event: &Event, at: At) {
        let Event::Booked { contributors, buyback, operations, compliance, reserve, .. } = event else { return };
        let parts = [contributors.0, buyback.0, operations.0, compliance.0, reserve.0];
        for (total, part) in self.sums.totals.booked.iter_mut().zip(parts) {
            *total = total.saturating_add(part);
        }
        let day = day_of(at.time);
        let before = self.sums.datasets.range((dataset, 0)..=(dataset, day)).next_back().map_or(0, |(_, sum)| *sum);
        self.sums.datasets.insert((dataset, day), parts.iter().fold(before, |sum, part| sum.saturating_add(*part)));
    }
}
