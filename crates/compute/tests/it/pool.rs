//! Records become tables.

use rochdale_compute::pool::{Pool, PoolBuilder, PoolError, Row};
use rochdale_core::query::Code;

use crate::reference::observations;
use crate::world::{Facts, pool};

const SYSTEM: &str = "http://loinc.org";

fn record(values: impl IntoIterator<Item = i64>) -> Vec<Row<'static>> {
    values.into_iter().map(|value| Row { system: SYSTEM, code: "4548-4", value: Some(value), day: 0 }).collect()
}

fn built(salt: u8, cap: u32, records: &[(u32, Vec<Row<'static>>)]) -> Pool {
    let mut builder = PoolBuilder::new([salt; 32], cap).unwrap();
    for (member, rows) in records {
        builder.observations((*member).into(), rows.iter().copied()).unwrap();
    }
    builder.finish().unwrap()
}

/// (value, rank) of a member, by rank.
fn ranked(pool: &Pool, member: u32) -> Vec<(u32, i64)> {
    let mut rows: Vec<_> =
        observations(pool).into_iter().filter(|row| row.member == member).map(|row| (row.rank, row.value)).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn a_pool_keeps_the_cap_and_ranks_ascend_from_0() {
    let pool = built(1, 16, &[(1, record(0..50)), (2, record(0..3))]);
    assert_eq!(ranked(&pool, 1).iter().map(|row| row.0).collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
    assert_eq!(ranked(&pool, 2).len(), 3);
    assert_eq!((pool.members(), pool.row_cap(), pool.observations().rows()), (2, 16, 19));
}

#[test]
fn ranks_depend_on_the_salt_and_on_nobody_else() {
    let alone = built(1, 16, &[(1, record(0..50))]);
    let together = built(1, 16, &[(9, record(100..150)), (1, record(0..50)), (3, record(0..50))]);
    assert_eq!(ranked(&alone, 1), ranked(&together, 1));
    assert_ne!(ranked(&alone, 1), ranked(&built(2, 16, &[(1, record(0..50))]), 1), "the salt chooses the rows");
    assert_ne!(ranked(&together, 1), ranked(&together, 3), "members' orders differ");
}

#[test]
fn the_order_of_records_does_not_matter_and_an_updated_bundle_adds_only_what_is_new() {
    let (early, late) = (record(0..20), record(0..30));
    let forward = built(1, 64, &[(1, early.clone()), (1, late.clone())]);
    let backward = built(1, 64, &[(1, late.clone()), (1, early)]);
    assert_eq!(ranked(&forward, 1), ranked(&backward, 1));
    assert_eq!(ranked(&forward, 1), ranked(&built(1, 64, &[(1, late)]), 1));
}

#[test]
fn equal_measurements_within_a_record_count_as_often_as_they_stand_there() {
    let pool = built(1, 16, &[(1, record([5, 5, 5])), (1, record([5, 5]))]);
    assert_eq!(ranked(&pool, 1), vec![(0, 5), (1, 5), (2, 5)]);
}

#[test]
fn rows_without_a_number_are_dropped_before_ranks_are_given() {
    let empty = Row { system: SYSTEM, code: "4548-4", value: None, day: 0 };
    let with: Vec<_> = record(0..4).into_iter().chain([empty; 40]).collect();
    assert_eq!(ranked(&built(1, 4, &[(1, with)]), 1), ranked(&built(1, 4, &[(1, record(0..4))]), 1));
    let only = built(1, 4, &[(1, vec![empty; 3])]);
    assert_eq!((only.members(), only.observations().rows()), (1, 0), "still a member of the pool");
}

#[test]
fn systems_match_by_uri_and_by_short_name() {
    let mut builder = PoolBuilder::new([0; 32], 1).unwrap();
    builder.condition(1.into(), "snomed", "44054006").unwrap();
    builder.condition(1.into(), "http://snomed.info/sct", "44054006").unwrap();
    let pool = builder.finish().unwrap();
    assert_eq!(pool.conditions().rows(), 1);
    let code = |system: &str| pool.code(&Code { system: system.into(), code: "44054006".into() });
    assert_eq!(code("http://snomed.info/sct"), 0);
    assert_eq!(code("http://loinc.org"), u32::MAX, "a code nobody has");
}

#[test]
fn batches_hold_all_rows_of_a_large_pool() {
    let facts: Vec<Facts> = (1..=9_000)
        .map(|member| Facts { member, sex: None, age: None, conditions: vec![0], observations: vec![(0, Some(1), 0)] })
        .collect();
    let pool = pool(&facts);
    assert_eq!((pool.persons().rows(), pool.conditions().rows(), pool.observations().rows()), (9_000, 9_000, 9_000));
    assert!(pool.persons().batches().len() > 1);
}

#[test]
fn a_cap_of_zero_is_refused() {
    assert!(matches!(PoolBuilder::new([0; 32], 0), Err(PoolError::NoRows)));
}
