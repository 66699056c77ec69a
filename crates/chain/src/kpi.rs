//! Key figures, day by day: what each is called, how it is computed, and its values (docs/kpis.md).
//!
//! All is read from sums as of the ends of days, so that the cost of a span does not grow with what lies before it.

mod table;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use rochdale_core::ids::{DatasetId, Epoch};
use rochdale_core::ledger::Schedule;
use rochdale_core::measure::{shannon, simpson};

pub use table::{FIGURES, Figure};

use crate::bindings::Bucket;
use crate::house::House;
use crate::state::{AGE, Cooperative, DAY, DayEnd, LONGEST_VOTE, Motion, Spreads, Totals, day_of};

/// Days that "lately" means for contributions.
const MONTH: u32 = 30;
/// Days that spending is averaged over.
const QUARTER: u32 = 90;
/// Cohorts that are shown, and how many ages of each after the first.
const COHORTS: usize = 12;

/// What is not on chain.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Epochs by time.
    pub schedule: Schedule,
    /// What a person's privacy budget is for life, nano-zCDP.
    pub lifetime: Option<u64>,
    /// Published sizes of datasets, by the day on which they were seen.
    pub sizes: BTreeMap<u32, BTreeMap<DatasetId, u64>>,
}

/// A span of days, counted from 1970-01-01, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first day.
    pub first: u32,
    /// The running day.
    pub today: u32,
    /// Block time, Unix seconds.
    pub now: u64,
}

impl Span {
    /// The last `days` days as of `now` (Unix seconds).
    #[must_use]
    pub fn last(days: u32, now: u64) -> Self {
        let today = day_of(now);
        Self { first: (today + 1).saturating_sub(days.max(1)), today, now }
    }

    fn days(&self) -> impl Iterator<Item = u32> + use<> {
        self.first..=self.today
    }

    fn len(&self) -> usize {
        usize::try_from(self.today - self.first + 1).unwrap_or_default()
    }

    fn place(&self, day: u32) -> Option<usize> {
        usize::try_from(day.checked_sub(self.first)?).ok().filter(|place| *place < self.len())
    }
}

/// A value: a whole number of 10^-digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// The number.
    pub number: u128,
    /// Digits behind the point.
    pub digits: u32,
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = 10u128.pow(self.digits);
        match self.digits {
            0 => write!(f, "{}", self.number),
            digits => write!(f, "{}.{:0>width$}", self.number / unit, self.number % unit, width = digits as usize),
        }
    }
}

/// Values of one figure, a day each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What tells it from others of the figure.
    pub label: String,
    /// None where there is no value.
    pub values: Vec<Option<Value>>,
}

/// Who joined in one month, and how many stayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// 12 · year + month − 1.
    pub month: u64,
    /// How many joined.
    pub joined: u32,
    /// How many were still members n · 30 days after, as far as that is past for all of them.
    pub stayed: Vec<u32>,
}

/// The cooperative in a span of days.
struct View<'a> {
    state: &'a Cooperative,
    span: Span,
    beside: &'a Beside,
    /// The end of each day, from a quarter before the span on; nothing before the founding.
    ends: Vec<Option<DayEnd>>,
    /// Whether something happened on the day.
    fresh: Vec<bool>,
    /// How votes are spread on the day that is not over, where a figure wants it.
    now: OnceCell<Spreads>,
}

/// Every figure with its series.
#[must_use]
pub fn figures(state: &Cooperative, span: Span, beside: &Beside) -> Vec<(&'static Figure, Vec<Series>)> {
    let view = View::new(state, span, beside);
    FIGURES.iter().map(|figure| (figure, view.series(figure.id))).collect()
}

/// The newest cohorts, the oldest of them first.
#[must_use]
pub fn cohorts(state: &Cooperative, now: u64) -> Vec<Cohort> {
    let newest = state.sums.cohorts.iter().rev().take(COHORTS).map(|(month, joiners)| {
        let next = first_day(month + 1) * DAY;
        let past = now.saturating_sub(next) / AGE;
        let ages = if now < next { 0 } else { u32::try_from(past).unwrap_or(u32::MAX).min(COHORTS as u32) };
        let left = |age: u32| joiners.left.get(&age).copied().unwrap_or(0);
        let stayed = (0..=ages).map(|age| joiners.joined - (0..age).map(left).sum::<u32>()).collect();
        Cohort { month: *month, joined: joiners.joined, stayed }
    });
    let mut found: Vec<Cohort> = newest.collect();
    found.reverse();
    found
}

/// The day on which a month begins, counted from 1970-01-01.
fn first_day(month: u64) -> u64 {
    let (year, month) = (month / 12, month % 12);
    // Days before the year, then those of the months before: the Gregorian calendar.
    let before = year - 1;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let of_months = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let of_month = of_months.get(month as usize).copied().unwrap_or(0) + u64::from(leap && month > 1);
    (before * 365 + before / 4 - before / 100 + before / 400 + of_month).saturating_sub(719_162)
}

fn whole(number: u64) -> Value {
    Value { number: number.into(), digits: 0 }
}

fn usdc(number: u128) -> Value {
    Value { number, digits: 6 }
}

/// `part` of `of` with `digits` digits, none where there is nothing to be a part of.
fn ratio(part: u128, of: u128, digits: u32) -> Option<Value> {
    let number = part.checked_mul(10u128.pow(digits))?.checked_div(of)?;
    Some(Value { number, digits })
}

/// Of `votes` that could be cast, the share that was: in the token house more than 128 bits hold with four digits.
fn share(votes: u128, of: u128) -> Option<Value> {
    let (mut votes, mut of) = (votes, of);
    while of > u128::MAX >> 16 {
        (votes, of) = (votes >> 1, of >> 1);
    }
    ratio(votes, of, 4)
}

impl<'a> View<'a> {
    fn new(state: &'a Cooperative, span: Span, beside: &'a Beside) -> Self {
        let first = span.first.saturating_sub(QUARTER + 1);
        let days = &state.sums.days;
        let mut end = days.range(..first).next_back().map(|(_, end)| *end);
        let mut next = days.range(first..=span.today).peekable();
        let (mut ends, mut fresh) = (Vec::new(), Vec::new());
        for day in first..=span.today {
            let found = next.next_if(|(at, _)| **at == day);
            if let Some((_, found)) = found {
                end = Some(*found);
            }
            ends.push(end);
            fresh.push(found.is_some());
        }
        Self { state, span, beside, ends, fresh, now: OnceCell::new() }
    }

    fn at(&self, day: u32) -> usize {
        (day - self.span.first.saturating_sub(QUARTER + 1)) as usize
    }

    /// What happened up to the end of a day; none before the founding.
    fn totals(&self, day: u32) -> Option<Totals> {
        self.ends.get(self.at(day)).copied().flatten().map(|end| end.totals)
    }

    /// The same, `days` days before.
    fn before(&self, day: u32, days: u32) -> Totals {
        let first = self.span.first.saturating_sub(QUARTER + 1);
        day.checked_sub(days).filter(|day| *day >= first).and_then(|day| self.totals(day)).unwrap_or_default()
    }

    fn each(&self, label: &str, value: impl Fn(u32, &Totals) -> Option<Value>) -> Series {
        let values = self.span.days().map(|day| self.totals(day).and_then(|totals| value(day, &totals)));
        Series { label: label.to_owned(), values: values.collect() }
    }

    /// How much a sum grew each day.
    fn growth(&self, label: &str, sum: impl Fn(&Totals) -> u64) -> Series {
        self.each(label, |day, totals| Some(whole(sum(totals) - sum(&self.before(day, 1)))))
    }

    fn money(&self, label: &str, digits: u32, sum: impl Fn(&Totals) -> u128) -> Series {
        self.each(label, |day, totals| Some(Value { number: sum(totals) - sum(&self.before(day, 1)), digits }))
    }

    fn series(&self, id: &str) -> Vec<Series> {
        match id {
            "members_joined" => vec![self.growth("", |t| t.joined)],
            "members_ended" => vec![self.growth("", |t| t.ended)],
            "members_active" => vec![self.each("", |_, t| Some(whole(t.joined - t.ended)))],
            "records_contributed" => vec![self.growth("", |t| t.records)],
            "contribution_rate" => vec![self.each("", |day, t| {
                let lately = t.records - self.before(day, MONTH).records;
                ratio(lately.into(), (t.joined - t.ended).into(), 4)
            })],
            "contribution_quality" => vec![self.quality()],
            "diversity_shannon" => self.diversity(shannon),
            "diversity_simpson" => self.diversity(simpson),
            "proposals_opened" => {
                let of = |house: usize| move |t: &Totals| t.proposals[house];
                vec![self.growth("member", of(1)), self.growth("token", of(0))]
            }
            "participation" => self.voting(|motion, castable| (motion.ballots.into(), castable.accounts.into())),
            "turnout" => self.voting(|motion, castable| (motion.tally.all(), castable.votes)),
            "votes_gini" => self.spreads(|spread| Some(Value { number: spread.gini?.into(), digits: 6 })),
            "votes_nakamoto" => self.spreads(|spread| Some(whole(spread.nakamoto?.into()))),
            _ => self.money_series(id),
        }
    }

    fn money_series(&self, id: &str) -> Vec<Series> {
        let booked = |t: &Totals| t.booked.iter().sum::<u128>();
        let buckets = || Bucket::NAMES.into_iter().zip(0usize..);
        match id {
            "licensed_value" => vec![self.money("", 6, booked)],
            "revenue_by_dataset" => self.by_dataset(),
            "revenue_by_asset" => {
                vec![self.money("USDC", 6, booked), self.money("DATA", 18, |t| t.sold_for_data)]
            }
            "time_to_payout" => vec![self.time_to_payout()],
            "budget_left" => vec![self.each("", |_, t| {
                let left = u128::from(self.beside.lifetime?).saturating_sub(t.rho);
                Some(Value { number: left, digits: 9 })
            })],
            "treasury_balance" => {
                buckets().map(|(name, of)| self.each(name, |_, t| Some(usdc(balance(t, of))))).collect()
            }
            "treasury_spent" => buckets().map(|(name, of)| self.money(name, 6, |t| t.spent[of])).collect(),
            "treasury_runway" => vec![self.each("", |day, t| {
                let operations = Bucket::Operations as usize;
                let age = day + 1 - self.state.sums.days.first()?.0;
                // The pace of a few days is none.
                let past = Some(age.min(QUARTER)).filter(|past| *past >= MONTH)?;
                let spent = t.spent[operations] - self.before(day, QUARTER).spent[operations];
                ratio(balance(t, operations).checked_mul(past.into())?, spent, 1)
            })],
            _ => Vec::new(),
        }
    }

    fn quality(&self) -> Series {
        let of = |day: u32| {
            let place = self.at(day);
            let end = self.ends.get(place).copied().flatten().filter(|_| self.fresh.get(place) == Some(&true));
            end.and_then(|end| end.quality).map(|points| Value { number: points.into(), digits: 4 })
        };
        Series { label: String::new(), values: self.span.days().map(of).collect() }
    }

    fn diversity(&self, index: fn(&[u64]) -> Option<u32>) -> Vec<Series> {
        let kinds = |label: &str, kind: fn(&crate::state::DatasetState) -> u8| {
            let of = |day: u32| {
                let mut counts = BTreeMap::<u8, u64>::new();
                for (dataset, members) in self.beside.sizes.get(&day)? {
                    let known = self.state.datasets.get(dataset)?;
                    *counts.entry(kind(known)).or_default() += members;
                }
                let counts: Vec<u64> = counts.into_values().collect();
                index(&counts).map(|number| Value { number: number.into(), digits: 6 })
            };
            Series { label: label.to_owned(), values: self.span.days().map(of).collect() }
        };
        vec![kinds("types", |dataset| dataset.data_type), kinds("sources", |dataset| dataset.source)]
    }

    /// Of the votings that ended on a day, the share of what could be cast that was.
    fn voting(&self, of: impl Fn(&Motion, &crate::state::Castable) -> (u128, u128)) -> Vec<Series> {
        let since = u64::from(self.span.first) * DAY;
        let recent = self.state.governance.newest().take_while(|m| m.made.time.saturating_add(LONGEST_VOTE) >= since);
        let mut sums = [(House::Member, "member"), (House::Token, "token")]
            .map(|(house, label)| (house, label, vec![(0u128, 0u128); self.span.len()]));
        for motion in recent {
            let voted = motion.closes_at < self.span.now && motion.canceled.is_none_or(|at| at.time > motion.closes_at);
            let Some(place) = self.span.place(day_of(motion.closes_at)).filter(|_| voted) else { continue };
            let Some(castable) = self.state.castable(motion, self.span.now) else { continue };
            let (cast, all) = of(motion, &castable);
            for (_, _, days) in sums.iter_mut().filter(|(house, ..)| *house == motion.house) {
                days[place] = (days[place].0.saturating_add(cast), days[place].1.saturating_add(all));
            }
        }
        let series = |(_, label, days): (House, &str, Vec<(u128, u128)>)| Series {
            label: label.to_owned(),
            values: days.into_iter().map(|(cast, all)| share(cast, all)).collect(),
        };
        sums.into_iter().map(series).collect()
    }

    fn spreads(&self, value: impl Fn(crate::state::Spread) -> Option<Value>) -> Vec<Series> {
        let whose = |label: &str, of: fn(Spreads) -> crate::state::Spread| {
            let at = |day: u32| {
                let end = self.ends.get(self.at(day)).copied().flatten()?;
                value(of(end.spreads.unwrap_or_else(|| *self.now.get_or_init(|| self.state.spreads()))))
            };
            Series { label: label.to_owned(), values: self.span.days().map(at).collect() }
        };
        vec![whose("held", |spreads| spreads.held), whose("delegated", |spreads| spreads.delegated)]
    }

    fn by_dataset(&self) -> Vec<Series> {
        let sums = &self.state.sums.datasets;
        let series = |id: DatasetId| {
            let until = |day: u32| sums.range((id, 0)..=(id, day)).next_back().map_or(0, |(_, sum)| *sum);
            let mut before = self.span.first.checked_sub(1).map_or(0, until);
            let mut grown: Vec<u128> = vec![0; self.span.len()];
            for ((_, day), sum) in sums.range((id, self.span.first)..=(id, self.span.today)) {
                if let Some(place) = self.span.place(*day) {
                    grown[place] = sum - before;
                    before = *sum;
                }
            }
            let founded = |(day, grown): (u32, u128)| self.totals(day).map(|_| usdc(grown));
            Series { label: id.to_string(), values: self.span.days().zip(grown).map(founded).collect() }
        };
        self.state.datasets.keys().map(|id| series(*id)).collect()
    }

    /// How long, on average by amount, the bookings that the first claims of a day are paid from had waited.
    fn time_to_payout(&self) -> Series {
        let mut sums = vec![(0u128, 0u128); self.span.len()];
        let claims = &self.state.sums.first_claims;
        let since = u64::from(self.span.first) * DAY;
        let mut newest = claims.iter().rev().peekable();
        while let Some((epoch, at)) = newest.next().filter(|(_, at)| **at >= since) {
            let Some(place) = self.span.place(day_of(*at)) else { continue };
            let earlier = newest.peek().map(|(epoch, _)| **epoch);
            let (amount, waited) = self.waited(earlier, *epoch, *at);
            sums[place] = (sums[place].0.saturating_add(waited), sums[place].1.saturating_add(amount));
        }
        let days = |(waited, amount): (u128, u128)| ratio(waited, amount.checked_mul(DAY.into())?, 2);
        Series { label: String::new(), values: sums.into_iter().map(days).collect() }
    }

    /// What was booked in the epochs after one and up to another, and Σ amount · seconds until `paid`.
    fn waited(&self, after: Option<Epoch>, upto: Epoch, paid: u64) -> (u128, u128) {
        let bookings = &self.state.bookings;
        let schedule = &self.beside.schedule;
        let first = after.map_or(0, |epoch| first_after(bookings, schedule.end(epoch)));
        let end = schedule.end(upto);
        let recent =
            (first..bookings.len()).map_while(|place| bookings.get(place)).take_while(|b| b.booked.time <= end);
        recent.fold((0, 0), |(amount, waited), booking| {
            let paid_for = booking.contributors.0;
            let seconds = u128::from(paid.saturating_sub(booking.booked.time));
            (amount + paid_for, waited + paid_for.saturating_mul(seconds))
        })
    }
}

/// The place of the first booking after a time: they stand in the order of the chain.
fn first_after(bookings: &crate::state::List<crate::state::Booking>, time: u64) -> usize {
    let (mut low, mut high) = (0, bookings.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match bookings.get(middle) {
            Some(booking) if booking.booked.time <= time => low = middle + 1,
            _ => high = middle,
        }
    }
    low
}

/// What a bucket holds.
fn balance(totals: &Totals, bucket: usize) -> u128 {
    let given = if bucket == Bucket::Reserve as usize { totals.donated } else { 0 };
    (totals.booked[bucket] + given).saturating_sub(totals.spent[bucket])
}
