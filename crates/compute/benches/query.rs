//! A bounded mean over 1,000,000 observation rows: the typed plan, the same plan as hand-written SQL, the plain aggregate,
//! and bounding at query time by `row_number`, which ranks at flatten time replace.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Decimal128Type, Int64Type};
use datafusion::catalog::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use divan::Bencher;
use rochdale_compute::engine::{DataFusionEngine, Engine, Exact};
use rochdale_compute::pool::{Pool, PoolBuilder, Table};
use rochdale_core::fhir::{Flat, FlatObservation, LOINC, Sex};
use rochdale_core::ids::{DatasetId, MemberId};
use rochdale_core::query::{self, Ask, Code, Cohort, Of, Query, VERSION};
use tokio::runtime::Runtime;

const MEMBERS: u32 = 125_000;
const ROWS: i64 = 8;
const LOWER: i64 = 3_000;
const UPPER: i64 = 20_000;

fn main() {
    divan::main();
}

/// One code, 8 rows each of 125,000 members, half of them women.
static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let mut builder = PoolBuilder::new([1; 32], 16, 1_750_000_000).unwrap();
    for member in 1..=MEMBERS {
        let row = |day: i64| FlatObservation {
            system: LOINC.into(),
            code: "4548-4".into(),
            unit: "%".into(),
            value_milli: (i64::from(member) * 7_919 + day * 104_729) % 25_000,
            day: Some(day as i32),
        };
        let record = Flat {
            sex: if member % 2 == 0 { Sex::Female } else { Sex::Male },
            birth_year: Some(1940 + (member % 60) as i32),
            birth_month: None,
            deceased: false,
            codes: vec![],
            observations: (0..ROWS).map(row).collect(),
        };
        builder.push(MemberId(member), &record).unwrap();
    }
    let pool = builder.finish().unwrap();
    assert_eq!(pool.observations().rows(), 1_000_000);
    pool
});

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static ENGINE: LazyLock<DataFusionEngine> = LazyLock::new(|| DataFusionEngine::new(threads(), 4 << 30).unwrap());

/// A context as an analyst would open it, over the same batches.
static SQL: LazyLock<SessionContext> = LazyLock::new(|| {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(threads()));
    for (name, table) in [("persons", POOL.persons()), ("observations", POOL.observations())] {
        context.register_table(name, memory(table)).unwrap();
    }
    context
});

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn memory(table: &Table) -> Arc<MemTable> {
    Arc::new(MemTable::try_new(table.schema().clone(), vec![table.batches().to_vec()]).unwrap())
}

fn code() -> Code {
    Code { system: LOINC.into(), code: "4548-4".into() }
}

fn mean(cohort: Cohort) -> Query {
    let ask = Ask::Mean { of: Of::Observation(code()), rows: ROWS as u16, lower: LOWER, upper: UPPER };
    Query { version: VERSION, dataset: DatasetId(1), cohort, ask, rho: 20_000_000 }
}

fn women() -> Cohort {
    Cohort { sex: Some(query::Sex::Female), ..Cohort::default() }
}

fn typed(query: &Query) -> Exact {
    RUNTIME.block_on(ENGINE.exact(query, &POOL)).unwrap()
}

fn sql(text: &str) -> Vec<RecordBatch> {
    RUNTIME.block_on(async { SQL.sql(text).await.unwrap().collect().await.unwrap() })
}

/// The typed plan and the SQL beside it answer the same question.
fn assert_same(query: &Query, text: &str) {
    let Exact::Mean { sum, members } = typed(query) else { panic!("a mean") };
    let row = sql(text).into_iter().find(|batch| batch.num_rows() > 0).unwrap();
    let shifted = row.column(0).as_primitive::<Decimal128Type>().value(0);
    assert_eq!(row.column(1).as_primitive::<Int64Type>().value(0) as u64, members);
    assert_eq!(shifted + i128::from(LOWER) * i128::from(members), sum);
}

/// The bounded plan over `rows` (a table of member and value), for members in `whose` (a condition, or nothing).
fn bounded(rows: &str, whose: &str) -> String {
    format!(
        "SELECT sum(CAST(total / n AS DECIMAL(20, 0))) AS shifted, count(*) AS members FROM (
            SELECT member, sum(above) AS total, count(*) AS n FROM (
                SELECT member, least(greatest(value, {LOWER}), {UPPER}) - {LOWER} AS above FROM {rows})
            GROUP BY member) {whose}"
    )
}

fn ranked() -> String {
    let code = POOL.code(&code());
    format!("observations WHERE code = {code} AND rank < {ROWS} AND value IS NOT NULL")
}

fn windowed() -> String {
    let code = POOL.code(&code());
    format!(
        "(SELECT member, value, row_number() OVER (PARTITION BY member ORDER BY rank) AS place
            FROM observations WHERE code = {code} AND value IS NOT NULL) WHERE place <= {ROWS}"
    )
}

#[divan::bench(sample_count = 20)]
fn typed_plan(bencher: Bencher) {
    let query = mean(Cohort::default());
    typed(&query);
    bencher.bench(|| typed(&query));
}

#[divan::bench(sample_count = 20)]
fn same_plan_in_sql(bencher: Bencher) {
    let text = bounded(&ranked(), "");
    assert_same(&mean(Cohort::default()), &text);
    bencher.bench(|| sql(&text));
}

#[divan::bench(sample_count = 20)]
fn typed_plan_women(bencher: Bencher) {
    let query = mean(women());
    typed(&query);
    bencher.bench(|| typed(&query));
}

#[divan::bench(sample_count = 20)]
fn same_plan_in_sql_women(bencher: Bencher) {
    let text = bounded(&ranked(), "WHERE member IN (SELECT member FROM persons WHERE sex = 1)");
    assert_same(&mean(women()), &text);
    bencher.bench(|| sql(&text));
}

#[divan::bench(sample_count = 20)]
fn plain_aggregate(bencher: Bencher) {
    let text = "SELECT sum(value), count(*) FROM observations";
    sql(text);
    bencher.bench(|| sql(text));
}

#[divan::bench(sample_count = 5)]
fn row_number_at_query_time(bencher: Bencher) {
    let text = bounded(&windowed(), "");
    assert_same(&mean(Cohort::default()), &text);
    bencher.bench(|| sql(&text));
}
