//! Brute force over neighbours: a pool without any one of its members, or with one more, moves every statistic by no
//! more than the sensitivity that its noise is calibrated to.

use proptest::prelude::*;
use rochdale_compute::release::{Statistic, statistics};
use rochdale_core::query::{Ask, Cohort, Of, Query};

use crate::world::{Facts, code, exact, facts, pool, queries, query};

fn of_pool(query: &Query, facts: &[Facts]) -> Vec<Statistic> {
    statistics(query, &exact(query, &pool(facts))).unwrap()
}

/// Squared L2 distance.
fn distance(left: &Statistic, right: &Statistic) -> u128 {
    assert_eq!(left.exact.len(), right.exact.len());
    left.exact.iter().zip(&right.exact).map(|(a, b)| a.abs_diff(*b).pow(2)).sum()
}

fn assert_near(query: &Query, pool: &[Statistic], neighbour: &[Statistic]) {
    assert_eq!(pool.len(), neighbour.len());
    for (here, there) in pool.iter().zip(neighbour) {
        let moved = distance(here, there);
        assert!(moved <= here.l2_squared, "{}: moved {moved}, declared {}", query.ask.kind(), here.l2_squared);
        assert_eq!((here.l2_squared, here.rho), (there.l2_squared, there.rho), "calibration depends on data");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn no_member_moves_a_statistic_beyond_its_sensitivity(
        facts in facts(), query in queries(), newcomers in facts(),
    ) {
        let whole = of_pool(&query, &facts);
        for left_out in 0..facts.len() {
            let mut without = facts.clone();
            without.remove(left_out);
            assert_near(&query, &whole, &of_pool(&query, &without));
        }
        for newcomer in newcomers {
            let with = [facts.clone(), vec![Facts { member: 1_000 + newcomer.member, ..newcomer }]].concat();
            assert_near(&query, &whole, &of_pool(&query, &with));
        }
    }

    #[test]
    fn the_parts_cost_what_the_query_declares(query in queries(), rho in 1_000..=1_000_000_000u64) {
        let query = Query { rho, ..query };
        let parts = of_pool(&query, &[]);
        prop_assert_eq!(parts.iter().map(|part| part.rho).sum::<u64>(), rho);
        prop_assert!(parts.iter().all(|part| part.rho > 0));
    }
}

/// The declared sensitivities are attained: nothing is wasted on noise.
#[test]
fn the_bound_is_tight() {
    let at =
        |member, value| Facts { member, sex: None, age: None, conditions: vec![], observations: vec![(0, value, 0)] };
    let of = || Of::Observation(code(0));
    let mean = query(Cohort::default(), Ask::Mean { of: of(), rows: 1, lower: 3_000, upper: 20_001 });
    let whole = of_pool(&mean, &[at(1, 20_001), at(2, 9_000)]);
    let without = of_pool(&mean, &[at(2, 9_000)]);
    for (here, there) in whole.iter().zip(&without) {
        assert_eq!(distance(here, there), here.l2_squared);
    }
    assert_eq!(whole[0].l2_squared, 8_501 * 8_501);
    let histogram = query(Cohort::default(), Ask::Histogram { of: of(), rows: 1, edges: vec![0, 10_000, 30_000] });
    let (whole, without) = (of_pool(&histogram, &[at(1, 5), at(2, 6)]), of_pool(&histogram, &[at(2, 6)]));
    assert_eq!(distance(&whole[0], &without[0]), 1);
}
