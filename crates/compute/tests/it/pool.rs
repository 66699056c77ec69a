//! Records become tables.

use rochdale_compute::pool::{Pool, PoolBuilder, PoolError};
use rochdale_core::fhir::{Flat, FlatCode, FlatKind, FlatObservation, LOINC, Limits, Record, SNOMED, flatten};
use rochdale_core::query::Code;

use crate::reference::observations;
use crate::world::{self, Facts, builder, observation, pool};

fn record(values: impl IntoIterator<Item = i64>) -> Flat {
    world::record(values.into_iter().map(|value| observation(0, value, 0)).collect())
}

fn built(salt: u8, cap: u32, records: &[(u32, Flat)]) -> Pool {
    let mut builder = builder(salt, cap);
    for (member, record) in records {
        builder.push((*member).into(), record).unwrap();
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
fn rows_in_a_foreign_unit_are_dropped_before_ranks_are_given() {
    let foreign = FlatObservation { unit: "furlong".into(), ..observation(0, 9, 0) };
    let mut with = record(0..4);
    with.observations.extend(vec![foreign.clone(); 40]);
    assert_eq!(ranked(&built(1, 4, &[(1, with)]), 1), ranked(&built(1, 4, &[(1, record(0..4))]), 1));
    let only = built(1, 4, &[(1, world::record(vec![foreign]))]);
    assert_eq!((only.members(), only.observations().rows()), (1, 0), "still a member of the pool");
}

/// A bundle's observation without a number never becomes a row, so that no later step has to guess what it means.
#[test]
fn a_bundle_becomes_rows_of_numbers_alone() {
    let bundle = br#"{"resourceType":"Bundle","type":"collection","entry":[
        {"resource":{"resourceType":"Patient","id":"p","gender":"female","birthDate":"1980-03-01"}},
        {"resource":{"resourceType":"Observation","id":"a","status":"final","subject":{"reference":"Patient/p"},
            "code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"effectiveDateTime":"2020-01-01",
            "valueQuantity":{"value":6.5,"unit":"%","system":"http://unitsofmeasure.org","code":"%"}}},
        {"resource":{"resourceType":"Observation","id":"b","status":"final","subject":{"reference":"Patient/p"},
            "code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"effectiveDateTime":"2020-01-02",
            "valueString":"NaN"}},
        {"resource":{"resourceType":"Observation","id":"c","status":"final","subject":{"reference":"Patient/p"},
            "code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"effectiveDateTime":"2020-01-03"}}]}"#;
    let record = Record::from_slice("bundle", bundle, Limits::default()).unwrap();
    let flat = flatten(&record, 1_749_945_600);
    let pool = built(1, 16, &[(1, flat)]);
    assert_eq!(ranked(&pool, 1), vec![(0, 6_500)]);
}

#[test]
fn conditions_are_a_set_and_codes_belong_to_their_system() {
    let condition = |system: &str| FlatCode {
        kind: FlatKind::Condition,
        system: system.into(),
        code: "44054006".into(),
        day: None,
    };
    let other = FlatCode { kind: FlatKind::Procedure, code: "80146002".into(), ..condition(SNOMED) };
    let codes = vec![condition(SNOMED), condition(SNOMED), other];
    let pool = built(0, 1, &[(1, Flat { codes, ..record([]) })]);
    assert_eq!(pool.conditions().rows(), 1, "a procedure is no condition");
    let code = |system: &str| pool.code(&Code { system: system.into(), code: "44054006".into() });
    assert_eq!(code(SNOMED), 0);
    assert_eq!(code(LOINC), u32::MAX, "a code nobody has");
}

#[test]
fn batches_hold_all_rows_of_a_large_pool() {
    let facts: Vec<Facts> = (1..=9_000)
        .map(|member| Facts { member, sex: None, age: None, conditions: vec![0], observations: vec![(0, 1, 0)] })
        .collect();
    let pool = pool(&facts);
    assert_eq!((pool.persons().rows(), pool.conditions().rows(), pool.observations().rows()), (9_000, 9_000, 9_000));
    assert!(pool.persons().batches().len() > 1);
}

#[test]
fn a_cap_of_zero_is_refused() {
    assert!(matches!(PoolBuilder::new([0; 32], 0, 0), Err(PoolError::NoRows)));
}
