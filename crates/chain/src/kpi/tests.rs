//! Worked examples: what happened, and each figure as it comes out by hand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U256};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, Purpose};
use rochdale_core::ledger::{Global, Header, Params, Roots, Schedule, Settled, Shared};
use rochdale_core::money::{DataWei, GovWei, MicroUsdc};
use rochdale_core::order::Debit;

use super::*;
use crate::events::{Event, Located};
use crate::house::Support;

/// 2026-10-01.
const START: u64 = 20_727;
const USDC: u128 = 1_000_000;
const TOKEN: u128 = 1_000_000_000_000_000_000;
const SCHEDULE: Schedule = Schedule { genesis: START * DAY, epoch_length: 604_800, lag: 0, attempt_length: 3_600 };

/// At noon of the so many-th day since the start.
fn on(day: u64, event: Event) -> Located {
    let timestamp = (START + day) * DAY + DAY / 2;
    let (block_hash, transaction) = (B256::ZERO, B256::ZERO);
    Located { block_number: day, block_hash, timestamp, log_index: 0, transaction, event }
}

fn account(member: u32) -> Address {
    Address::from_word(U256::from(member).into())
}

fn joined(member: u32) -> Event {
    let (account, zero) = (account(member), B256::ZERO);
    Event::Joined { member: MemberId(member), account, payout: account, nullifier: zero, row_key_digest: zero }
}

fn recorded(contribution: u64, member: u32) -> Event {
    Event::ContributionRecorded {
        contribution: ContributionId(contribution),
        member: MemberId(member),
        commitment: B256::ZERO,
        consent_version: 1,
    }
}

fn booked(dataset: u32, [contributors, buyback, operations, compliance, reserve]: [u128; 5]) -> Event {
    Event::Booked {
        license: LicenseId(1),
        dataset: DatasetId(dataset),
        contributors: MicroUsdc(contributors * USDC),
        buyback: MicroUsdc(buyback * USDC),
        operations: MicroUsdc(operations * USDC),
        compliance: MicroUsdc(compliance * USDC),
        reserve: MicroUsdc(reserve * USDC),
    }
}

fn proposed(epoch: u32, final_at: u64, award: u128) -> Event {
    let roots = Roots { previous: B256::ZERO, rows: B256::ZERO, inputs: B256::ZERO, sheet: B256::ZERO };
    let settled = Settled {
        global: Global::default(),
        rows: Vec::new(),
        shared: Shared { epoch: Epoch(epoch), sum_data_award: U256::from(award), ..Shared::default() },
        inputs: Vec::new(),
        points: Vec::new(),
        cash: 0,
    };
    let header = Box::new(Header::new(&Params::default(), &settled, &roots, 0));
    Event::Proposed { epoch: Epoch(epoch), attempt: 0, root: B256::ZERO, final_at, header }
}

fn claimed(member: u32, cash: u128) -> Event {
    let cash = MicroUsdc(cash * USDC);
    Event::Claimed { member: MemberId(member), payout: account(member), cash, data: DataWei(0), gov: GovWei(0) }
}

fn made(house: House, opens: u64, closes: u64) -> Event {
    let (opens_at, closes_at) = ((START + opens) * DAY, (START + closes) * DAY);
    let (proposer, calls, description) = (account(1), Vec::new(), "Do it.".to_owned());
    Event::ProposalCreated { house, proposal: B256::repeat_byte(1), proposer, calls, description, opens_at, closes_at }
}

fn cast(house: House, member: u32, votes: u128) -> Event {
    let (proposal, voter) = (B256::repeat_byte(1), account(member));
    Event::VoteCast { house, proposal, voter, support: Support::For, votes }
}

fn params() -> Event {
    let params = Box::new(Params { data_per_point: 10 * TOKEN, ..Params::default() });
    Event::ParamsSet { from_epoch: Epoch(1), params_hash: B256::ZERO, params }
}

/// A cooperative of four, one of whom leaves, over six weeks.
fn history() -> Vec<Located> {
    let debit = Debit {
        license_id: LicenseId(1),
        order: B256::ZERO,
        query_digest: B256::ZERO,
        snapshot: B256::ZERO,
        purpose: Purpose(42),
        rho: 250_000_000,
        deadline: 0,
    };
    let dataset = |dataset, data_type| Event::DatasetPublished {
        dataset: DatasetId(dataset),
        data_type,
        source: 1,
        price_per_thousand: MicroUsdc(USDC),
        terms_hash: B256::ZERO,
    };
    let sold = Event::SoldForData {
        license: LicenseId(2),
        dataset: DatasetId(1),
        burned: DataWei(3 * TOKEN),
        kept: DataWei(TOKEN),
    };
    let units = |member, units| Event::UnitsChanged { account: account(member), units: units * TOKEN };
    let votes = |member, votes| Event::VotesChanged { account: account(member), votes: votes * TOKEN };
    let mut events = vec![on(0, params()), on(0, dataset(1, 1)), on(0, dataset(2, 2))];
    events.extend((1..=4).map(|member| on(0, joined(member))));
    events.extend([recorded(1, 1), recorded(2, 2), recorded(3, 2)].map(|event| on(1, event)));
    events.extend([
        on(2, booked(1, [60, 10, 20, 5, 5])),
        on(3, Event::Ended { member: MemberId(4) }),
        on(3, Event::Spent { bucket: 2, amount: MicroUsdc(2 * USDC) }),
        on(4, Event::Debited { id: 1, debit }),
        on(5, Event::Donated { amount: MicroUsdc(7 * USDC) }),
        on(6, sold),
        on(8, proposed(1, (START + 9) * DAY, 24 * TOKEN)),
        on(10, claimed(1, 15)),
        on(11, claimed(2, 5)),
        on(12, units(1, 30)),
        on(12, votes(1, 30)),
        on(12, units(2, 10)),
        on(12, votes(2, 10)),
        // Member 2 votes through member 1.
        on(13, votes(2, 0)),
        on(13, votes(1, 40)),
        on(29, made(House::Member, 31, 36)),
        on(29, made(House::Token, 31, 36)),
        on(32, cast(House::Member, 1, 1)),
        on(33, cast(House::Member, 2, 1)),
        on(33, cast(House::Token, 1, 40 * TOKEN)),
    ]);
    events
}

fn beside() -> Beside {
    let sizes = BTreeMap::from([(DatasetId(1), 60), (DatasetId(2), 20)]);
    Beside { schedule: SCHEDULE, lifetime: Some(1_000_000_000), sizes: BTreeMap::from([(START as u32 + 1, sizes)]) }
}

/// A figure's values by label and by day since the start.
struct Read(Vec<(&'static Figure, Vec<Series>)>, u32);

impl Read {
    fn until(day: u64) -> Self {
        let state = Cooperative::fold(&history());
        let span = Span::last(90, (START + day) * DAY + DAY / 2);
        Self(figures(&state, span, &beside()), span.first)
    }

    fn on(&self, day: u64, id: &str, label: &str) -> Option<String> {
        let series = &self.0.iter().find(|(figure, _)| figure.id == id).unwrap().1;
        let series = series.iter().find(|series| series.label == label).unwrap();
        series.values[(START + day) as usize - self.1 as usize].map(|value| value.to_string())
    }

    /// What a figure is on several days, `-` where it has no value.
    fn shows(&self, id: &str, label: &str, expected: &[(u64, &str)]) {
        for (day, value) in expected {
            let found = self.on(*day, id, label);
            assert_eq!(found.as_deref().unwrap_or("-"), *value, "{id} {label} on day {day}");
        }
    }
}

#[test]
fn members_and_what_they_contribute() {
    let read = Read::until(40);
    read.shows("members_joined", "", &[(0, "4"), (1, "0"), (40, "0")]);
    read.shows("members_ended", "", &[(2, "0"), (3, "1"), (4, "0")]);
    read.shows("members_active", "", &[(0, "4"), (2, "4"), (3, "3"), (40, "3")]);
    read.shows("records_contributed", "", &[(0, "0"), (1, "3"), (2, "0")]);
    // Three records for four members, then for three, until they are older than 30 days.
    read.shows("contribution_rate", "", &[(0, "0.0000"), (1, "0.7500"), (3, "1.0000"), (30, "1.0000"), (31, "0.0000")]);
    // Of three contributors nothing is said.
    read.shows("contribution_quality", "", &[(8, "-"), (9, "-")]);
    // −(¾ ln ¾ + ¼ ln ¼) and 1 − (9/16 + 1/16) over types; all is of one source.
    read.shows("diversity_shannon", "types", &[(0, "-"), (1, "0.562335"), (2, "-")]);
    read.shows("diversity_simpson", "types", &[(1, "0.375000")]);
    read.shows("diversity_shannon", "sources", &[(1, "0.000000")]);
}

#[test]
fn days_before_the_founding_have_no_value() {
    let read = Read::until(0);
    let value = |id: &str, place: usize| read.0.iter().find(|(figure, _)| figure.id == id).unwrap().1[0].values[place];
    for id in ["members_joined", "members_active", "licensed_value", "budget_left", "votes_gini", "treasury_runway"] {
        assert_eq!(value(id, 88), None, "{id}");
    }
    assert_eq!(value("members_active", 89), Some(Value { number: 4, digits: 0 }));
}

#[test]
fn what_the_houses_decided() {
    let read = Read::until(40);
    read.shows("proposals_opened", "member", &[(28, "0"), (29, "1"), (30, "0")]);
    read.shows("proposals_opened", "token", &[(29, "1")]);
    // Two of three voted; one account cast all that could be cast.
    read.shows("participation", "member", &[(35, "-"), (36, "0.6666"), (37, "-")]);
    read.shows("turnout", "member", &[(36, "0.6666")]);
    read.shows("turnout", "token", &[(36, "1.0000")]);
    read.shows("participation", "token", &[(36, "1.0000")]);
    // Of three members 0, 10 and 30: (2·(2·10 + 3·30) − 4·40) / (3·40). Then one casts 40: (2·3·40 − 4·40) / (3·40).
    read.shows("votes_gini", "held", &[(11, "-"), (12, "0.500000"), (40, "0.500000")]);
    read.shows("votes_gini", "delegated", &[(12, "0.500000"), (13, "0.666666")]);
    read.shows("votes_nakamoto", "held", &[(12, "1")]);
    // While a voting is open, nothing is said of it.
    Read::until(35).shows("turnout", "member", &[(35, "-")]);
}

#[test]
fn money_from_the_license_to_the_payout() {
    let read = Read::until(40);
    read.shows("licensed_value", "", &[(1, "0.000000"), (2, "100.000000"), (3, "0.000000")]);
    read.shows("revenue_by_dataset", "1", &[(2, "100.000000"), (3, "0.000000")]);
    read.shows("revenue_by_dataset", "2", &[(2, "0.000000")]);
    read.shows("revenue_by_asset", "USDC", &[(2, "100.000000")]);
    read.shows("revenue_by_asset", "DATA", &[(6, "4.000000000000000000"), (7, "0.000000000000000000")]);
    // Booked on day 2, claimed on day 10; the second claim on the same root is no first one.
    read.shows("time_to_payout", "", &[(9, "-"), (10, "8.00"), (11, "-")]);
    // 1 zCDP less a debit of a quarter.
    read.shows("budget_left", "", &[(3, "1.000000000"), (4, "0.750000000"), (40, "0.750000000")]);
    read.shows("treasury_balance", "contributors", &[(2, "60.000000"), (10, "45.000000"), (11, "40.000000")]);
    read.shows("treasury_balance", "operations", &[(2, "20.000000"), (3, "18.000000")]);
    read.shows("treasury_balance", "reserve", &[(4, "5.000000"), (5, "12.000000")]);
    read.shows("treasury_spent", "contributors", &[(10, "15.000000"), (11, "5.000000"), (12, "0.000000")]);
    // 18 at two in the 41 days since the founding; the pace of less than 30 days is none.
    read.shows("treasury_runway", "", &[(3, "-"), (28, "-"), (40, "369.0")]);
    let unknown = Beside { lifetime: None, ..beside() };
    let figures = figures(&Cooperative::fold(&history()), Span::last(1, (START + 40) * DAY), &unknown);
    let budget = figures.iter().find(|(figure, _)| figure.id == "budget_left").unwrap();
    assert_eq!(budget.1[0].values, [None], "where stewards do not say alike what it is");
}

#[test]
fn revenue_that_nobody_claimed_is_paid_by_the_first_claim_on_a_later_root() {
    let mut events = vec![on(0, joined(1)), on(1, booked(1, [30, 0, 0, 0, 0])), on(8, booked(1, [10, 0, 0, 0, 0]))];
    events.extend([on(9, proposed(1, 0, 0)), on(16, proposed(2, 0, 0)), on(21, claimed(1, 1))]);
    events.extend([on(22, booked(1, [5, 0, 0, 0, 0])), on(24, proposed(3, 0, 0)), on(30, proposed(4, 0, 0))]);
    events.push(on(31, claimed(1, 1)));
    let state = Cooperative::fold(&events);
    let span = Span::last(40, (START + 33) * DAY);
    let figures = figures(&state, span, &beside());
    let series = figures.into_iter().find(|(figure, _)| figure.id == "time_to_payout").unwrap().1.remove(0);
    let values: Vec<String> = series.values.iter().flatten().map(ToString::to_string).collect();
    // (30·20 + 10·13) / 40, and 9 for what was booked in the fourth epoch.
    assert_eq!(values, ["18.25", "9.00"]);
}

#[test]
fn quality_is_of_an_epochs_records_whatever_attempt_and_is_said_of_five_contributors_or_more() {
    let void = Event::Voided { epoch: Epoch(1), attempt: 0, reason: B256::ZERO };
    let mut events = vec![on(0, params())];
    events.extend((1..=5).map(|member| on(0, joined(member))));
    let each = |day: u64, members: std::ops::RangeInclusive<u32>| {
        members.map(move |member| on(day, recorded(day * 10 + u64::from(member), member)))
    };
    events.extend(each(1, 1..=5));
    events.extend([on(8, proposed(1, u64::MAX, 25 * TOKEN)), on(9, void), on(10, proposed(1, 0, 50 * TOKEN))]);
    events.extend(each(12, 1..=5));
    events.push(on(15, proposed(2, 0, 25 * TOKEN)));
    // Two records of one are one contributor's.
    events.extend(each(16, 1..=4).chain(each(17, 1..=4)));
    events.extend([on(22, proposed(3, 0, 80 * TOKEN)), on(23, proposed(3, 0, 80 * TOKEN))]);
    // What was not told of is counted once all the same.
    events.extend(each(24, 1..=5));
    events.extend([on(29, proposed(4, 0, 50 * TOKEN)), on(36, proposed(5, 0, 5 * TOKEN))]);
    let state = Cooperative::fold(&events);
    let quality = |day: u64| state.sums.days[&(START + day).try_into().unwrap()].quality;
    let told = [Some(5_000), Some(10_000), Some(5_000), None, None, Some(10_000), None];
    assert_eq!([8, 10, 15, 22, 23, 29, 36].map(quality), told);
}

#[test]
fn cohorts_are_counted_at_ages_that_all_of_them_have_reached() {
    let mut events: Vec<Located> = (1..=4).map(|member| on(0, joined(member))).collect();
    events.extend([on(29, Event::Ended { member: MemberId(1) }), on(30, Event::Ended { member: MemberId(2) })]);
    events.extend([on(31, joined(5)), on(62, Event::Ended { member: MemberId(3) })]);
    let state = Cooperative::fold(&events);
    let at = |day: u64| {
        let cohorts = cohorts(&state, (START + day) * DAY);
        cohorts.iter().map(|c| (c.month, c.joined, c.stayed.clone())).collect::<Vec<_>>()
    };
    let (october, november) = (2026 * 12 + 9, 2026 * 12 + 10);
    // October is past for all on day 31; its members are 30 days old on day 61, and 60 on day 91.
    assert_eq!(at(60), [(october, 4, vec![4]), (november, 1, vec![1])]);
    // One left on the 29th day of its membership, another on the 30th.
    assert_eq!(at(61), [(october, 4, vec![4, 3]), (november, 1, vec![1])]);
    assert_eq!(at(91), [(october, 4, vec![4, 3, 2]), (november, 1, vec![1, 1])]);
    assert_eq!(at(121)[0].2, [4, 3, 2, 1]);
}

#[test]
fn months_begin_where_the_calendar_says() {
    for month in 1970 * 12..2101 * 12 {
        let day = first_day(month);
        assert_eq!(rochdale_core::calendar::civil(day), (month / 12, month % 12 + 1, 1));
    }
}

#[test]
fn every_figure_has_a_line_in_the_docs_with_its_unit_and_no_line_is_of_none() {
    let page = include_str!("../../../../docs/kpis.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let written: Vec<(String, &str)> = rows.iter().map(|row| (row[0].replace('`', ""), row[1])).collect();
    let known: Vec<(String, &str)> = FIGURES.iter().map(|figure| (figure.id.to_owned(), figure.unit)).collect();
    assert_eq!(written, known);
    let state = Cooperative::fold(&history());
    for (figure, series) in figures(&state, Span::last(2, START * DAY), &beside()) {
        assert!(!series.is_empty() && series.iter().all(|series| series.values.len() == 2), "{}", figure.id);
    }
}

/// A cooperative of 200 members after so many epochs of a week.
fn grown(epochs: u64) -> Cooperative {
    let mut state = Cooperative::default();
    state.apply(&on(0, params()));
    for member in 1..=200u32 {
        state.apply(&on(0, joined(member)));
        state.apply(&on(0, Event::UnitsChanged { account: account(member), units: TOKEN }));
        state.apply(&on(0, Event::VotesChanged { account: account(member), votes: TOKEN }));
    }
    for epoch in 1..=epochs {
        for day in 0..7 {
            state.apply(&on(epoch * 7 + day, recorded(epoch * 7 + day, 1)));
            state.apply(&on(epoch * 7 + day, booked(1, [6, 1, 2, 1, 1])));
        }
        state.apply(&on(epoch * 7 + 6, proposed(epoch.try_into().unwrap(), 0, TOKEN)));
        state.apply(&on(epoch * 7 + 6, claimed(1, 1)));
    }
    state
}

#[test]
fn reading_costs_the_same_after_5_epochs_and_after_500() {
    let fastest = |epochs: u64| {
        let (state, span) = (grown(epochs), Span::last(30, (START + epochs * 7 + 6) * DAY + DAY / 2));
        let one = |_| {
            let start = Instant::now();
            assert_eq!(figures(&state, span, &beside()).len(), FIGURES.len());
            assert!(!cohorts(&state, span.now).is_empty());
            start.elapsed()
        };
        (0..30).map(one).min().unwrap_or(Duration::MAX)
    };
    let (few, many) = (fastest(5), fastest(500));
    assert!(many < 3 * few, "{few:?} after 5 epochs, {many:?} after 500");
}
