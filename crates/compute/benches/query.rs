//! A bounded mean over 1,000,000 observation rows, of everybody and of a cohort, beside the plain aggregate of the same rows.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::MemTable;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::prelude::{SessionConfig, SessionContext, col, lit};
use divan::Bencher;
use rochdale_compute::engine::{DataFusionEngine, Engine, Exact};
use rochdale_compute::pool::{Pool, PoolBuilder};
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
static ANALYST: LazyLock<SessionContext> =
    LazyLock::new(|| SessionContext::new_with_config(SessionConfig::new().with_target_partitions(threads())));

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
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

fn plain() -> Vec<RecordBatch> {
    let table = POOL.observations();
    let rows = MemTable::try_new(table.schema().clone(), vec![table.batches().to_vec()]).unwrap();
    let rows = ANALYST.read_table(Arc::new(rows)).unwrap();
    let all = rows.aggregate(vec![], vec![sum(col("value")), count(lit(1i64))]).unwrap();
    RUNTIME.block_on(all.collect()).unwrap()
}

#[divan::bench(sample_count = 20)]
fn typed_plan(bencher: Bencher) {
    let query = mean(Cohort::default());
    typed(&query);
    bencher.bench(|| typed(&query));
}

#[divan::bench(sample_count = 20)]
fn typed_plan_women(bencher: Bencher) {
    let query = mean(women());
    typed(&query);
    bencher.bench(|| typed(&query));
}

#[divan::bench(sample_count = 20)]
fn plain_aggregate(bencher: Bencher) {
    plain();
    bencher.bench(plain);
}
