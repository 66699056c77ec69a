//! Where a plan runs. Engines return **exact** results, so that two engines can be compared; noise comes after,
//! in [`release`](crate::release).

use std::future::Future;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Decimal128Type, Int64Type, UInt32Type};
use datafusion::catalog::MemTable;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use rochdale_core::query::{Ask, Query};

use crate::plan::{self, PlanError, Tables, column};
use crate::pool::{Pool, Table};

/// The exact result of a query: secret, and only ever an input of [`release`](crate::release::release).
#[derive(Clone, PartialEq, Eq)]
pub enum Exact {
    /// Members of the cohort.
    Count {
        /// How many members there are.
        members: u64,
    },
    /// Sum of members' values, and how many have one.
    Mean {
        /// Sum, milli-units.
        sum: i128,
        /// Members with a value.
        members: u64,
    },
    /// Members in each bin.
    Histogram {
        /// As many as the query declares.
        bins: Vec<u64>,
    },
}

impl core::fmt::Debug for Exact {
    /// Names the kind alone: an exact result in a log would be a release without noise.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Count { .. } => "Exact::Count(..)",
            Self::Mean { .. } => "Exact::Mean(..)",
            Self::Histogram { .. } => "Exact::Histogram(..)",
        })
    }
}

/// Why an engine gave no result. What fails while rows are read says where and never what: its text could quote a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The query has no plan over this pool.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The engine could not be set up.
    #[error("query engine: {0}")]
    Setup(String),
    /// The engine failed while it read rows.
    #[error("the query engine failed ({0}): give the worker more memory or report this")]
    Run(&'static str),
    /// The result has not the shape that the plan declares; a defect.
    #[error("the query engine returned an unexpected {0}")]
    Shape(&'static str),
}

/// Evaluates queries exactly.
pub trait Engine {
    /// The exact result of `query` over `pool`.
    ///
    /// # Errors
    /// When the query does not fit the pool or the engine fails; never depending on a single member's values.
    fn exact(&self, query: &Query, pool: &Pool) -> impl Future<Output = Result<Exact, EngineError>> + Send;
}

/// DataFusion in this process.
pub struct DataFusionEngine {
    context: SessionContext,
}

impl DataFusionEngine {
    /// An engine with `threads` partitions, at most `memory` bytes for its operators, and no disk: plaintext of members
    /// must not spill.
    ///
    /// # Errors
    /// When DataFusion refuses the configuration.
    pub fn new(threads: usize, memory: usize) -> Result<Self, EngineError> {
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let runtime = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(disk)
            .with_memory_limit(memory, 1.0)
            .build_arc()
            .map_err(|error| EngineError::Setup(error.to_string()))?;
        let config = SessionConfig::new().with_target_partitions(threads.max(1));
        Ok(Self { context: SessionContext::new_with_config_rt(config, runtime) })
    }

    /// The plan of `query` over `pool`, ready to run here.
    ///
    /// # Errors
    /// When the query does not fit the pool.
    pub fn plan(&self, query: &Query, pool: &Pool) -> Result<DataFrame, PlanError> {
        let tables = Tables {
            persons: self.scan(pool.persons())?,
            conditions: self.scan(pool.conditions())?,
            observations: self.scan(pool.observations())?,
        };
        plan::plan(query, pool, tables)
    }

    fn scan(&self, table: &Table) -> Result<DataFrame, DataFusionError> {
        let table = MemTable::try_new(table.schema().clone(), vec![table.batches().to_vec()])?;
        self.context.read_table(Arc::new(table))
    }
}

impl Engine for DataFusionEngine {
    async fn exact(&self, query: &Query, pool: &Pool) -> Result<Exact, EngineError> {
        let plan = self.plan(query, pool)?;
        let batches = plan.collect().await.map_err(|error| EngineError::Run(kind(&error)))?;
        read(query, &batches)
    }
}

/// Reads the result of [`plan::plan`], whichever engine ran it.
///
/// # Errors
/// When the batches have not the declared shape.
pub fn read(query: &Query, batches: &[RecordBatch]) -> Result<Exact, EngineError> {
    match &query.ask {
        Ask::Count {} => Ok(Exact::Count { members: members(only_row(batches)?, 0)? }),
        Ask::Mean { lower, .. } => {
            let row = only_row(batches)?;
            let members = members(row, 0)?;
            let sums = named(row, column::SHIFTED)?
                .as_primitive_opt::<Decimal128Type>()
                .ok_or(EngineError::Shape("type of sum"))?;
            // The sum over no row is null.
            let shifted = if sums.is_null(0) { 0 } else { sums.value(0) };
            Ok(Exact::Mean { sum: shifted + i128::from(*lower) * i128::from(members), members })
        }
        Ask::Histogram { .. } => {
            let mut bins = vec![0u64; query.ask.figures()];
            for batch in batches {
                let index = named(batch, column::BIN)?
                    .as_primitive_opt::<UInt32Type>()
                    .ok_or(EngineError::Shape("type of bin"))?;
                for row in 0..batch.num_rows() {
                    let bin = bins.get_mut(index.value(row) as usize).ok_or(EngineError::Shape("bin"))?;
                    *bin += members(batch, row)?;
                }
            }
            Ok(Exact::Histogram { bins })
        }
    }
}

fn only_row(batches: &[RecordBatch]) -> Result<&RecordBatch, EngineError> {
    let mut rows = batches.iter().filter(|batch| batch.num_rows() > 0);
    match (rows.next(), rows.next()) {
        (Some(batch), None) if batch.num_rows() == 1 => Ok(batch),
        _ => Err(EngineError::Shape("number of rows")),
    }
}

fn named<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a dyn Array, EngineError> {
    batch.column_by_name(name).map(AsRef::as_ref).ok_or(EngineError::Shape(name))
}

fn members(batch: &RecordBatch, row: usize) -> Result<u64, EngineError> {
    let counts =
        named(batch, column::MEMBERS)?.as_primitive_opt::<Int64Type>().ok_or(EngineError::Shape("type of count"))?;
    u64::try_from(counts.value(row)).map_err(|_| EngineError::Shape("count below zero"))
}

/// The class of an error, without its text.
fn kind(error: &DataFusionError) -> &'static str {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => "out of memory",
        DataFusionError::ArrowError(..) => "Arrow",
        DataFusionError::Execution(_) => "execution",
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => "plan",
        _ => "internal",
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, UInt32Array};
    use rochdale_core::fhir::{Flat, FlatObservation, Sex};
    use rochdale_core::ids::DatasetId;
    use rochdale_core::query::{Code, Cohort, Of, VERSION};

    use super::*;
    use crate::pool::PoolBuilder;

    const A1C: (&str, &str) = ("http://loinc.org", "4548-4");

    fn query(ask: Ask) -> Query {
        Query { version: VERSION, dataset: DatasetId(1), cohort: Cohort::default(), ask, rho: 1_000_000 }
    }

    fn of() -> Of {
        Of::Observation(Code { system: A1C.0.into(), code: A1C.1.into() })
    }

    fn mean(rows: u16, lower: i64, upper: i64) -> Query {
        query(Ask::Mean { of: of(), rows, lower, upper })
    }

    /// Members 1, 2, … with one value each.
    fn pool(values: &[i64]) -> Pool {
        let mut builder = PoolBuilder::new([0; 32], 16, 0).unwrap();
        for (member, &value) in (1u32..).zip(values) {
            let row = FlatObservation {
                system: A1C.0.into(),
                code: A1C.1.into(),
                unit: "%".into(),
                value_milli: value,
                day: None,
            };
            let (sex, observations) = (Sex::Unknown, vec![row]);
            let record =
                Flat { sex, birth_year: None, birth_month: None, deceased: false, codes: vec![], observations };
            builder.push(member.into(), &record).unwrap();
        }
        builder.finish().unwrap()
    }

    /// Runs the plan that lies under the query format's own limits, over `observations` in place of the pool's.
    async fn run(query: &Query, pool: &Pool, observations: Option<RecordBatch>) -> Result<Exact, EngineError> {
        let engine = DataFusionEngine::new(2, 1 << 28)?;
        let read_batch = |batch| engine.context.read_batch(batch);
        let tables = Tables {
            persons: engine.scan(pool.persons()).unwrap(),
            conditions: engine.scan(pool.conditions()).unwrap(),
            observations: observations.map_or_else(|| engine.scan(pool.observations()), read_batch).unwrap(),
        };
        let plan = plan::build(query, pool, tables)?;
        read(query, &plan.collect().await.unwrap())
    }

    #[tokio::test]
    async fn sums_pass_the_range_of_i64_without_wrapping() {
        for value in [i64::MAX, i64::MAX - 1] {
            let got = run(&mean(1, 0, i64::MAX), &pool(&[value; 5]), None).await.unwrap();
            assert!(got == Exact::Mean { sum: 5 * i128::from(value), members: 5 });
        }
        let (lower, upper) = (i64::MIN, -1);
        let got = run(&mean(1, lower, upper), &pool(&[i64::MIN, i64::MIN, i64::MAX]), None).await.unwrap();
        assert!(got == Exact::Mean { sum: 2 * i128::from(i64::MIN) - 1, members: 3 });
    }

    #[tokio::test]
    async fn bounds_that_could_wrap_are_refused_before_anything_runs() {
        let pool = pool(&[0, 1]);
        for query in [mean(2, 0, i64::MAX), mean(1, i64::MIN, i64::MAX), mean(16, i64::MIN / 16, i64::MAX / 16)] {
            let error = run(&query, &pool, None).await.unwrap_err();
            assert!(matches!(error, EngineError::Plan(PlanError::Range { .. })), "{error}");
        }
        assert!(run(&mean(16, 0, i64::MAX / 16), &pool, None).await.is_ok());
    }

    /// A missing value must not be clamped to a bound, nor keep a member in the count.
    #[tokio::test]
    async fn missing_values_are_dropped_before_clamping() {
        let pool = pool(&[40, 50, 60]);
        let batch = pool.observations().batches()[0].clone();
        let mut columns = batch.columns().to_vec();
        columns[2] = Arc::new(Int64Array::from(vec![Some(40), None, Some(60)]));
        let with_null = RecordBatch::try_new(batch.schema(), columns).unwrap();
        let got = run(&mean(4, 10, 55), &pool, Some(with_null.clone())).await.unwrap();
        assert!(got == Exact::Mean { sum: 95, members: 2 });
        let histogram = query(Ask::Histogram { of: of(), rows: 4, edges: vec![0, 45, 70] });
        let got = run(&histogram, &pool, Some(with_null)).await.unwrap();
        assert!(got == Exact::Histogram { bins: vec![1, 1] });
    }

    #[test]
    fn a_result_of_another_shape_is_refused() {
        let column: Arc<dyn Array> = Arc::new(UInt32Array::from(vec![1]));
        let batch = RecordBatch::try_from_iter([(column::MEMBERS, column)]).unwrap();
        let count = query(Ask::Count {});
        assert!(matches!(read(&count, &[]), Err(EngineError::Shape("number of rows"))));
        assert!(matches!(read(&count, std::slice::from_ref(&batch)), Err(EngineError::Shape("type of count"))));
        assert!(matches!(read(&mean(1, 0, 1), &[batch]), Err(EngineError::Shape("type of count"))));
    }
}
