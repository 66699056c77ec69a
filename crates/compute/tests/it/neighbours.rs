//! Brute force over neighbours, from the cooperative's records to what is noised: without any one member, or with one more who has
//! up to 52 records, every statistic moves by no more than the chain says, where everyone is asked and where a draw decides who is.

use proptest::prelude::*;
use rochdale_compute::engine::Exact;
use rochdale_compute::release::{Evaluated, Statistic, statistics};
use rochdale_core::draw::{Chance, DrawSalt};
use rochdale_core::ids::{LicenseId, MemberId};
use rochdale_core::query::{Ask, Cohort, Of, Query};
use rochdale_core::stability::{Chain, Part};

use crate::world::{Facts, code, exact, facts, pool, queries, query};

/// Records a year: one contribution a week.
const YEARLY: u32 = 52;

/// How the people of a snapshot are chosen among all who may be asked.
type Choose = fn(&[Facts], License) -> Vec<Facts>;

/// What a license pays for, of which published size.
#[derive(Clone, Copy, Debug)]
struct License {
    id: u64,
    paid: u64,
    published: u64,
}

/// The rule in force.
fn each_by_themselves(records: &[Facts], license: License) -> Vec<Facts> {
    let salt = DrawSalt::new(&[9; 32], LicenseId(license.id));
    let chance = Chance::new(license.paid, license.published);
    records.iter().filter(|record| chance.draws(&salt, MemberId(record.member))).cloned().collect()
}

/// As many records as were paid for, drawn by a hash of their ids: the rule that this test was written against.
fn to_a_fixed_number(records: &[Facts], license: License) -> Vec<Facts> {
    let place =
        |id: &usize| alloy_primitives::keccak256([license.id.to_be_bytes(), (*id as u64).to_be_bytes()].concat());
    let mut ids: Vec<usize> = (0..records.len()).collect();
    ids.sort_by_key(place);
    ids.truncate(usize::try_from(license.paid).unwrap());
    ids.sort_unstable();
    ids.into_iter().map(|id| records[id].clone()).collect()
}

/// Draw, pool, plan, statistics: what the noise of an answer is added to. `lost` are members of whom a record does not open.
fn path(query: &Query, records: &[Facts], license: License, choose: Choose, lost: fn(u32) -> bool) -> Vec<Statistic> {
    let named = choose(records, license);
    let mut left_out: Vec<u32> = named.iter().map(|record| record.member).filter(|&member| lost(member)).collect();
    left_out.dedup();
    let opened: Vec<Facts> = named.into_iter().filter(|record| !lost(record.member)).collect();
    let found = Evaluated { exact: exact(query, &pool(&opened)), left_out: left_out.len() as u64 };
    statistics(query, &found).unwrap()
}

/// Squared L2 distance.
fn distance(left: &Statistic, right: &Statistic) -> u128 {
    assert_eq!(left.exact.len(), right.exact.len());
    left.exact.iter().zip(&right.exact).map(|(a, b)| a.abs_diff(*b).pow(2)).sum()
}

/// By how much a neighbour passes what the noise is calibrated to; 0 where it does not.
fn excess(here: &[Statistic], there: &[Statistic]) -> u128 {
    assert_eq!(here.len(), there.len());
    let passes = |(here, there): (&Statistic, &Statistic)| {
        assert_eq!(here.noised, there.noised, "calibration depends on data");
        distance(here, there).saturating_sub(here.noised.sensitivity.l2_squared())
    };
    here.iter().zip(there).map(passes).max().unwrap_or(0)
}

fn without(records: &[Facts], member: u32) -> Vec<Facts> {
    records.iter().filter(|record| record.member != member).cloned().collect()
}

fn licenses() -> impl Strategy<Value = License> {
    (1..1_000u64, prop_oneof![Just(50u64), 1..=60u64]).prop_map(|(id, paid)| License { id, paid, published: 50 })
}

/// A member with as many records as there are weeks in a year, all unlike.
fn heavy(member: u32, seed: i64) -> Vec<Facts> {
    (0..YEARLY)
        .map(|week| Facts {
            member,
            sex: None,
            age: Some(40),
            conditions: vec![week as usize % 3],
            observations: vec![(week as usize % 3, (seed + i64::from(week) * 7) % 60, week as i32)],
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_member_moves_a_statistic_beyond_its_sensitivity(
        facts in facts(), query in queries(), newcomers in facts(), license in licenses(), seed in any::<i16>(),
    ) {
        let all = [facts, heavy(500, seed.into())].concat();
        let run = |records: &[Facts]| path(&query, records, license, each_by_themselves, |member| member % 5 == 0);
        let whole = run(&all);
        let mut members: Vec<u32> = all.iter().map(|record| record.member).collect();
        members.dedup();
        for member in members {
            prop_assert_eq!(excess(&whole, &run(&without(&all, member))), 0, "without {}", member);
        }
        for newcomer in newcomers {
            let with = [all.clone(), vec![Facts { member: 1_000 + newcomer.member, ..newcomer }]].concat();
            prop_assert_eq!(excess(&whole, &run(&with)), 0);
        }
        for member in [2_000, 2_001] {
            prop_assert_eq!(excess(&whole, &run(&[all.clone(), heavy(member, 5)].concat())), 0);
        }
    }

    #[test]
    fn the_parts_cost_what_the_query_declares(query in queries(), rho in 1_000..=1_000_000_000u64) {
        let query = Query { rho, ..query };
        let parts = Chain::of(&query).noised;
        prop_assert_eq!(parts.iter().map(|part| part.rho).sum::<u64>(), rho);
        prop_assert!(parts.iter().all(|part| part.rho > 0));
    }
}

fn at(member: u32, value: i64) -> Facts {
    Facts { member, sex: None, age: Some(40), conditions: vec![], observations: vec![(0, value, 0)] }
}

/// One ask of each kind.
fn asks() -> [Ask; 3] {
    let of = || Of::Observation(code(0));
    [
        Ask::Count {},
        Ask::Mean { of: of(), rows: 4, lower: 0, upper: 100 },
        Ask::Histogram { of: of(), rows: 4, edges: vec![0, 30, 60, 100] },
    ]
}

/// Sixty members with one record, of whom fifty are paid for, and one who joins with 52.
#[test]
fn a_member_with_52_records_moves_every_ask_by_one_persons_reach_with_and_without_sampling() {
    let few: Vec<Facts> = (1..=60).map(|member| at(member, i64::from(member))).collect();
    for ask in asks() {
        let query = query(Cohort::default(), ask);
        for license in 1..=40 {
            for paid in [20, 50, 100] {
                let license = License { id: license, paid, published: 100 };
                let run = |records: &[Facts]| path(&query, records, license, each_by_themselves, |_| false);
                let whole = run(&few);
                assert_eq!(excess(&whole, &run(&[few.clone(), heavy(61, 3)].concat())), 0, "{license:?}");
                for member in [1, 30, 60] {
                    assert_eq!(excess(&whole, &run(&without(&few, member))), 0, "{license:?} without {member}");
                }
            }
        }
    }
}

/// The fault that the chain was made for: the same test finds it in the rule of a fixed number.
#[test]
fn a_draw_of_a_fixed_number_of_records_moves_a_count_by_many_people() {
    let few: Vec<Facts> = (1..=60).map(|member| at(member, i64::from(member))).collect();
    let query = query(Cohort::default(), Ask::Count {});
    let moved = |license| {
        let license = License { id: license, paid: 50, published: 100 };
        let run = |records: &[Facts]| path(&query, records, license, to_a_fixed_number, |_| false);
        let (here, there) = (run(&few), run(&[few.clone(), heavy(61, 3)].concat()));
        (excess(&here, &there) + 1).isqrt()
    };
    let worst = (1..=40).map(moved).max().unwrap();
    assert!(worst >= 17, "moved by {worst} where 1 is calibrated");
}

/// The declared sensitivities are attained: nothing is wasted on noise.
#[test]
fn the_bound_is_tight() {
    let everyone = License { id: 1, paid: 1, published: 1 };
    let run = |query: &Query, records: &[Facts]| path(query, records, everyone, each_by_themselves, |_| false);
    let of = || Of::Observation(code(0));
    let mean = query(Cohort::default(), Ask::Mean { of: of(), rows: 1, lower: 3_000, upper: 20_001 });
    let whole = run(&mean, &[at(1, 20_001), at(2, 9_000)]);
    let alone = run(&mean, &[at(2, 9_000)]);
    for (here, there) in whole.iter().zip(&alone).filter(|(here, _)| here.noised.part != Part::LeftOut) {
        assert_eq!(distance(here, there), here.noised.sensitivity.l2_squared());
    }
    assert_eq!(whole[1].noised.sensitivity.l2_squared(), 8_501 * 8_501);
    let histogram = query(Cohort::default(), Ask::Histogram { of: of(), rows: 1, edges: vec![0, 10_000, 30_000] });
    let (whole, alone) = (run(&histogram, &[at(1, 5), at(2, 6)]), run(&histogram, &[at(2, 6)]));
    assert_eq!(distance(&whole[1], &alone[1]), 1);
    let lost = |records: &[Facts]| path(&histogram, records, everyone, each_by_themselves, |member| member == 1);
    assert_eq!(
        distance(&lost(&[at(1, 5), at(2, 6)])[0], &lost(&[at(2, 6)])[0]),
        1,
        "left out is a count like any other"
    );
}

/// What an exact result says beyond the statistics does not exist: nothing else enters an answer.
#[test]
fn a_result_that_does_not_open_counts_for_nobody_but_those_left_out() {
    let query = query(Cohort::default(), Ask::Count {});
    let found = Evaluated { exact: Exact::Count { members: 7 }, left_out: 3 };
    let exact: Vec<_> =
        statistics(&query, &found).unwrap().into_iter().map(|one| (one.noised.part, one.exact)).collect();
    assert_eq!(exact, [(Part::LeftOut, vec![3]), (Part::Gate, vec![7])]);
}
