//! Small random pools and queries.

use proptest::collection::vec;
use proptest::prelude::*;
use rochdale_compute::engine::{DataFusionEngine, Engine, Exact};
use rochdale_compute::pool::{Pool, PoolBuilder};
use rochdale_core::fhir::Sex as RecordSex;
use rochdale_core::fhir::{Flat, FlatCode, FlatKind, FlatObservation, LOINC};
use rochdale_core::ids::{DatasetId, MemberId};
use rochdale_core::query::{AgeRange, Ask, Code, Cohort, MAX_BOUND, Of, Query, Sex, VERSION};

/// Codes that records and queries draw from; no record holds the last.
pub const CODES: [&str; 4] = ["4548-4", "2339-0", "8480-6", "absent"];
const UNITS: [&str; 4] = ["%", "mg/dL", "mm[Hg]", ""];
/// 2025-06-15.
const CUT: u64 = 1_749_945_600;

/// One member's record.
#[derive(Clone, Debug)]
pub struct Facts {
    pub member: u32,
    pub sex: Option<Sex>,
    pub age: Option<u8>,
    pub conditions: Vec<usize>,
    /// Index of the code, thousandths, day.
    pub observations: Vec<(usize, i64, i32)>,
}

pub fn code(index: usize) -> Code {
    Code { system: LOINC.into(), code: CODES[index].into() }
}

pub fn observation(index: usize, value_milli: i64, day: i32) -> FlatObservation {
    FlatObservation {
        system: LOINC.into(),
        code: CODES[index].into(),
        unit: UNITS[index].into(),
        value_milli,
        day: Some(day),
    }
}

/// A record with observations alone.
pub fn record(observations: Vec<FlatObservation>) -> Flat {
    let sex = RecordSex::Unknown;
    Flat { sex, birth_year: None, birth_month: None, deceased: false, codes: vec![], observations }
}

impl Facts {
    fn record(&self) -> Flat {
        let sex = match self.sex {
            Some(Sex::Female) => RecordSex::Female,
            Some(Sex::Male) => RecordSex::Male,
            Some(Sex::Other) => RecordSex::Other,
            Some(Sex::Unknown) | None => RecordSex::Unknown,
        };
        let condition = |&index: &usize| FlatCode {
            kind: FlatKind::Condition,
            system: LOINC.into(),
            code: CODES[index].into(),
            day: None,
        };
        Flat {
            sex,
            birth_year: self.age.map(|age| 2025 - i32::from(age)),
            codes: self.conditions.iter().map(condition).collect(),
            ..record(self.observations.iter().map(|&(code, value, day)| observation(code, value, day)).collect())
        }
    }
}

pub fn builder(salt: u8, row_cap: u32) -> PoolBuilder {
    PoolBuilder::new([salt; 32], row_cap, CUT).unwrap()
}

pub fn pool(facts: &[Facts]) -> Pool {
    let mut builder = builder(7, 16);
    for one in facts {
        builder.push(MemberId(one.member), &one.record()).unwrap();
    }
    builder.finish().unwrap()
}

/// Runs a query through DataFusion.
pub fn exact(query: &Query, pool: &Pool) -> Exact {
    thread_local! {
        static ENGINE: (DataFusionEngine, tokio::runtime::Runtime) = (
            DataFusionEngine::new(2, 1 << 30).unwrap(),
            tokio::runtime::Builder::new_current_thread().build().unwrap(),
        );
    }
    ENGINE.with(|(engine, runtime)| runtime.block_on(engine.exact(query, pool)).unwrap())
}

pub fn query(cohort: Cohort, ask: Ask) -> Query {
    Query { version: VERSION, dataset: DatasetId(1), cohort, ask, rho: 20_000_000 }
}

fn sex() -> impl Strategy<Value = Sex> {
    prop_oneof![Just(Sex::Female), Just(Sex::Male), Just(Sex::Other), Just(Sex::Unknown)]
}

/// Mostly near the bounds that queries draw, sometimes at the edges of the type.
fn value() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -60..60i64, 1 => Just(i64::MAX), 1 => Just(i64::MIN), 1 => Just(MAX_BOUND + 1), 1 => any::<i64>()]
}

fn observed() -> impl Strategy<Value = (usize, i64, i32)> {
    (0..3usize, value(), 0..5i32)
}

/// Up to eleven members; a member may have none or up to 50 rows.
pub fn facts() -> impl Strategy<Value = Vec<Facts>> {
    let one = (
        proptest::option::of(sex()),
        proptest::option::weighted(0.9, 0..=99u8),
        vec(0..3usize, 0..4),
        prop_oneof![4 => vec(observed(), 0..6), 1 => vec(observed(), 0..50)],
    );
    vec(one, 0..12).prop_map(|all| {
        (1..)
            .zip(all)
            .map(|(member, (sex, age, conditions, observations))| Facts { member, sex, age, conditions, observations })
            .collect()
    })
}

fn cohorts() -> impl Strategy<Value = Cohort> {
    let age = (0..60u8, 0..60u8).prop_map(|(from, width)| AgeRange { from, to: from + width });
    let code = || proptest::option::weighted(0.3, (0..4usize).prop_map(code));
    (code(), proptest::option::weighted(0.3, sex()), proptest::option::weighted(0.3, age), code())
        .prop_map(|(condition, sex, age, observation)| Cohort { condition, sex, age, observation })
}

fn of() -> impl Strategy<Value = Of> {
    prop_oneof![4 => (0..4usize).prop_map(|index| Of::Observation(code(index))), 1 => Just(Of::Age {})]
}

fn edges() -> impl Strategy<Value = Vec<i64>> {
    let near = proptest::collection::btree_set(-50..50i64, 2..9);
    let far = proptest::collection::btree_set(-MAX_BOUND..=MAX_BOUND, 2..66);
    prop_oneof![4 => near, 1 => far].prop_map(|edges| edges.into_iter().collect())
}

/// Any valid query.
pub fn queries() -> impl Strategy<Value = Query> {
    let mean = (of(), 1..=16u16, edges()).prop_map(|(of, rows, edges)| Ask::Mean {
        of,
        rows,
        lower: edges[0],
        upper: edges[edges.len() - 1],
    });
    let histogram = (of(), 1..=16u16, edges()).prop_map(|(of, rows, edges)| Ask::Histogram { of, rows, edges });
    let ask = prop_oneof![1 => Just(Ask::Count {}), 3 => mean, 3 => histogram];
    (cohorts(), ask).prop_map(|(cohort, ask)| query(cohort, ask))
}
