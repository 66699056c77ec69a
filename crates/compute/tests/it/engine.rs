//! DataFusion gives exactly what the definition says.

use proptest::prelude::*;
use rochdale_compute::engine::{DataFusionEngine, Engine, EngineError, Exact};
use rochdale_compute::plan::PlanError;
use rochdale_core::query::{Ask, Cohort, MAX_BOUND, Of, Sex};

use crate::reference;
use crate::world::{Facts, builder, code, exact, facts, pool, queries, query};

/// `Exact` hides its numbers from logs, so that tests compare by hand.
pub fn same(left: &Exact, right: &Exact) -> bool {
    left == right
}

fn numbers(exact: &Exact) -> String {
    match exact {
        Exact::Count { members } => format!("{members}"),
        Exact::Mean { sum, members } => format!("{sum} over {members}"),
        Exact::Histogram { bins } => format!("{bins:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn datafusion_agrees_with_the_definition(facts in facts(), query in queries()) {
        let pool = pool(&facts);
        let (got, want) = (exact(&query, &pool), reference::exact(&query, &pool));
        prop_assert!(same(&got, &want), "{} instead of {}", numbers(&got), numbers(&want));
    }
}

fn member(member: u32, values: &[i64]) -> Facts {
    let observations = values.iter().map(|&value| (0, value, 0)).collect();
    Facts { member, sex: Some(Sex::Female), age: Some(50), conditions: vec![0], observations }
}

fn mean(rows: u16, lower: i64, upper: i64) -> Ask {
    Ask::Mean { of: Of::Observation(code(0)), rows, lower, upper }
}

#[test]
fn a_member_with_50_rows_has_one_bounded_value() {
    let pool = pool(&[member(1, &[1_000; 50]), member(2, &[10])]);
    let got = exact(&query(Cohort::default(), mean(4, 0, 100)), &pool);
    assert!(same(&got, &Exact::Mean { sum: 110, members: 2 }), "{}", numbers(&got));
}

#[test]
fn a_value_is_the_floored_mean_of_clamped_rows() {
    let pool = pool(&[member(1, &[-7, -8]), member(2, &[3, 4]), member(3, &[-1_000, 1_000])]);
    let got = exact(&query(Cohort::default(), mean(16, -10, 11)), &pool);
    assert!(same(&got, &Exact::Mean { sum: -8 + 3, members: 3 }), "{}", numbers(&got));
}

#[test]
fn a_value_on_an_edge_is_in_the_bin_above_and_what_lies_outside_in_the_outermost() {
    let values = [i64::MIN, -11, -10, -9, -1, 0, 1, 19, 20, 21, i64::MAX];
    let facts: Vec<Facts> = (1..).zip(values).map(|(id, value)| member(id, &[value])).collect();
    let ask = Ask::Histogram { of: Of::Observation(code(0)), rows: 1, edges: vec![-10, 0, 10, 20] };
    let got = exact(&query(Cohort::default(), ask), &pool(&facts));
    assert!(same(&got, &Exact::Histogram { bins: vec![5, 2, 4] }), "{}", numbers(&got));
}

#[test]
fn an_empty_cohort_and_an_empty_pool_count_nobody() {
    for facts in [vec![], vec![member(1, &[5])]] {
        let pool = pool(&facts);
        let nobody = Cohort { condition: Some(code(3)), ..Cohort::default() };
        let ask = |ask| exact(&query(nobody.clone(), ask), &pool);
        assert!(same(&ask(Ask::Count {}), &Exact::Count { members: 0 }));
        assert!(same(&ask(mean(1, -50, 50)), &Exact::Mean { sum: 0, members: 0 }));
        let histogram = Ask::Histogram { of: Of::Age {}, rows: 1, edges: vec![0, 18_000, 65_000, 150_000] };
        assert!(same(&ask(histogram), &Exact::Histogram { bins: vec![0, 0, 0] }));
    }
}

#[test]
fn the_widest_bounds_add_up_exactly() {
    let facts: Vec<Facts> = (1..=40).map(|id| member(id, &[i64::MAX; 20])).collect();
    let got = exact(&query(Cohort::default(), mean(16, -MAX_BOUND, MAX_BOUND)), &pool(&facts));
    assert!(same(&got, &Exact::Mean { sum: 40 * i128::from(MAX_BOUND), members: 40 }), "{}", numbers(&got));
}

#[test]
fn more_rows_than_the_pool_keeps_are_refused() {
    let pool = builder(1, 4).finish().unwrap();
    let engine = DataFusionEngine::new(1, 1 << 26).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(engine.exact(&query(Cohort::default(), mean(5, 0, 1)), &pool)).unwrap_err();
    assert!(matches!(error, EngineError::Plan(PlanError::Rows { asked: 5, kept: 4 })), "{error}");
    let malformed = runtime.block_on(engine.exact(&query(Cohort::default(), mean(1, 1, 1)), &pool)).unwrap_err();
    assert!(matches!(malformed, EngineError::Plan(PlanError::Query(_))), "{malformed}");
}

#[test]
fn an_engine_without_memory_says_so_and_quotes_nothing() {
    let facts: Vec<Facts> = (1..=3_000).map(|id| member(id, &[777_777])).collect();
    let engine = DataFusionEngine::new(2, 1).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let query = query(Cohort::default(), mean(1, 0, 1_000_000));
    let error = runtime.block_on(engine.exact(&query, &pool(&facts))).unwrap_err();
    assert!(matches!(error, EngineError::Run("out of memory")), "{error}");
    assert!(!format!("{error} {error:?}").contains("777777"));
}

#[test]
fn threads_do_not_change_the_result() {
    let facts: Vec<Facts> = (1..=20_000).map(|id| member(id, &[i64::from(id) % 97, i64::from(id) % 89])).collect();
    let pool = pool(&facts);
    let query = query(Cohort { age: None, ..Cohort::default() }, mean(2, 10, 80));
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let run =
        |threads| runtime.block_on(DataFusionEngine::new(threads, 1 << 30).unwrap().exact(&query, &pool)).unwrap();
    assert!(same(&run(1), &run(5)));
}
