//! A typed query as a DataFusion plan over the tables of a [`Pool`](crate::pool::Pool).
//!
//! ```text
//! observations ─ code, rank < rows, value present ─▶ clamp, shift to 0 ─▶ one value a member ─┐
//! persons ─ sex, age ─▶ ⋉ condition ─▶ ⋉ observation ═ cohort ═══════════════════════════════⋉┴▶ sum, count | bins
//! ```
//!
//! Exactness rests on bounds that are checked before anything runs, since neither `Int64` nor decimal sums of the engine
//! report overflow: a member's clamped rows, shifted by the lower bound, add up to at most `rows · (upper − lower)`,
//! which must fit 63 bits; members' values are added as `decimal(20, 0)`, whose sum has 30 digits, which
//! `2^32 · (upper − lower)`, for as many members as there can be, must fit. The shift also makes the engine's division,
//! which truncates, a floor. Which rows count and what they are clamped to is told by the query's
//! [`Chain`], to whose end the noise is calibrated.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::JoinType;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::functions::core::expr_fn::{greatest, least};
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{Expr, cast, col, lit, when};
use rochdale_core::fhir::Sex;
use rochdale_core::query::{self, Ask, Code, Cohort, Of, Query, QueryError};
use rochdale_core::stability::{Chain, Clamped};

use crate::pool::{Pool, sex_code};

/// Digits of the decimals that members' values are added as; the engine's sum has ten more.
const DIGITS: u8 = 20;

/// Why a query has no plan. Nothing here depends on a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The query is malformed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// More rows per member than the pool kept.
    #[error("ask.rows: {asked} is above the {kept} rows per member and code that this pool keeps")]
    Rows {
        /// Rows asked for.
        asked: u16,
        /// Rows kept.
        kept: u32,
    },
    /// Sums could pass what the engine adds exactly.
    #[error("ask: bounds {lower}..={upper} with {rows} rows a member pass the range of exact sums: narrow the bounds")]
    Range {
        /// Lower bound, milli-units.
        lower: i64,
        /// Upper bound, milli-units.
        upper: i64,
        /// Rows per member.
        rows: u16,
    },
    /// DataFusion refused the plan; a defect of this module.
    #[error("plan: {0}")]
    Plan(#[from] DataFusionError),
}

/// The pool's tables as one engine scans them.
pub struct Tables {
    /// [`Pool::persons`].
    pub persons: DataFrame,
    /// [`Pool::conditions`].
    pub conditions: DataFrame,
    /// [`Pool::observations`].
    pub observations: DataFrame,
}

/// What members' values are taken from, with its static bounds checked.
struct Values<'a> {
    of: &'a Of,
    bounds: Clamped,
}

/// Columns of a plan's result. For a count: `members`. For a mean: `shifted` (sum of members' values above the lower
/// bound) and `members`. For a histogram: `bin` and `members`, bins without members absent.
pub mod column {
    /// Members counted.
    pub const MEMBERS: &str = "members";
    /// Sum of values above the lower bound.
    pub const SHIFTED: &str = "shifted";
    /// Index of a bin.
    pub const BIN: &str = "bin";
}

/// The plan of `query`.
///
/// # Errors
/// When the query is malformed, or asks for more than the pool keeps or than can be added exactly.
pub fn plan(query: &Query, pool: &Pool, tables: Tables) -> Result<DataFrame, PlanError> {
    query.validate()?;
    build(query, pool, tables)
}

/// [`plan`] for edges that ascend; bounds may be as wide as `i64`.
pub(crate) fn build(query: &Query, pool: &Pool, tables: Tables) -> Result<DataFrame, PlanError> {
    let bounds = || Chain::of(query).clamped.ok_or(QueryError::Bins(query.ask.figures()));
    match &query.ask {
        Ask::Count {} => {
            let cohort = cohort(&query.cohort, pool, tables.persons, tables.conditions, tables.observations)?;
            Ok(cohort.aggregate(vec![], vec![count(lit(1i64)).alias(column::MEMBERS)])?)
        }
        Ask::Mean { of, .. } => {
            let values = Values { of, bounds: bounds()? }.checked(pool)?;
            let exact = cast(col("above"), DataType::Decimal128(DIGITS, 0));
            let sums = vec![sum(exact).alias(column::SHIFTED), count(lit(1i64)).alias(column::MEMBERS)];
            Ok(values.of_cohort(&query.cohort, pool, tables)?.aggregate(vec![], sums)?)
        }
        Ask::Histogram { of, edges, .. } => {
            let values = Values { of, bounds: bounds()? }.checked(pool)?;
            let binned = values.of_cohort(&query.cohort, pool, tables)?.select(vec![bin(edges)?.alias(column::BIN)])?;
            Ok(binned.aggregate(vec![col(column::BIN)], vec![count(lit(1i64)).alias(column::MEMBERS)])?)
        }
    }
}

impl Values<'_> {
    fn checked(self, pool: &Pool) -> Result<Self, PlanError> {
        let Clamped { rows, lower, upper, .. } = self.bounds;
        if u32::from(rows) > pool.row_cap() {
            return Err(PlanError::Rows { asked: rows, kept: pool.row_cap() });
        }
        let range = i128::from(upper) - i128::from(lower);
        let a_member = range * i128::from(rows);
        // Not the pool's own number, which an error would tell.
        let all = range << 32;
        let fits = range > 0 && a_member <= i128::from(i64::MAX) && all < 10i128.pow(u32::from(DIGITS) + 10);
        if fits { Ok(self) } else { Err(PlanError::Range { lower, upper, rows }) }
    }

    /// `member, above`: how far the value of each member of the cohort who has one lies above the lower bound.
    fn of_cohort(&self, filter: &Cohort, pool: &Pool, tables: Tables) -> Result<DataFrame, PlanError> {
        let Tables { persons, conditions, observations } = tables;
        match self.of {
            Of::Age {} => {
                let members = cohort(filter, pool, persons, conditions, observations)?;
                let milli = cast(col("age"), DataType::Int64) * lit(1000i64);
                let aged = members.filter(col("age").is_not_null())?;
                Ok(aged.select(vec![col("member"), self.above(milli).alias("above")])?)
            }
            Of::Observation(code) => {
                let values = self.of_observation(pool.code(code), observations.clone())?;
                if filter.is_everyone() {
                    return Ok(values);
                }
                let members = cohort(filter, pool, persons, conditions, observations)?;
                Ok(semi_join(values, members)?)
            }
        }
    }

    fn of_observation(&self, code: u32, observations: DataFrame) -> Result<DataFrame, PlanError> {
        let bounded = col("code")
            .eq(lit(code))
            .and(col("rank").lt(lit(u32::from(self.bounds.rows))))
            .and(col("value").is_not_null());
        let above = self.above(col("value"));
        let rows = observations.filter(bounded)?.select(vec![col("member"), above.alias("above")])?;
        let sums = vec![sum(col("above")).alias("total"), count(col("above")).alias("rows")];
        let totals = rows.aggregate(vec![col("member")], sums)?;
        Ok(totals.select(vec![col("member"), (col("total") / col("rows")).alias("above")])?)
    }

    /// `value` clamped, minus the lower bound. Both functions skip a missing argument, so that a missing value would
    /// come out as a bound: missing values are dropped before.
    fn above(&self, value: Expr) -> Expr {
        let Clamped { lower, upper, .. } = self.bounds;
        let clamped = least(vec![greatest(vec![value, lit(lower)]), lit(upper)]);
        clamped - lit(lower)
    }
}

/// The members that satisfy every filter, with the columns of `persons`.
fn cohort(
    filter: &Cohort,
    pool: &Pool,
    persons: DataFrame,
    conditions: DataFrame,
    observations: DataFrame,
) -> Result<DataFrame, DataFusionError> {
    let mut members = persons;
    if let Some(sex) = filter.sex {
        members = members.filter(col("sex").eq(lit(query_sex_code(sex))))?;
    }
    if let Some(age) = filter.age {
        members = members.filter(col("age").between(lit(i32::from(age.from)), lit(i32::from(age.to))))?;
    }
    if let Some(code) = &filter.condition {
        members = semi_join(members, having(conditions, pool, code)?)?;
    }
    if let Some(code) = &filter.observation {
        members = semi_join(members, having(observations, pool, code)?.filter(col("rank").eq(lit(0u32)))?)?;
    }
    Ok(members)
}

/// A query's word for a sex, as the persons table numbers it.
fn query_sex_code(sex: query::Sex) -> u8 {
    sex_code(match sex {
        query::Sex::Female => Sex::Female,
        query::Sex::Male => Sex::Male,
        query::Sex::Other => Sex::Other,
        query::Sex::Unknown => Sex::Unknown,
    })
}

fn having(table: DataFrame, pool: &Pool, code: &Code) -> Result<DataFrame, DataFusionError> {
    table.filter(col("code").eq(lit(pool.code(code))))
}

/// The rows of `left` whose member is in `right`.
fn semi_join(left: DataFrame, right: DataFrame) -> Result<DataFrame, DataFusionError> {
    let right = right.select(vec![col("member").alias("in_cohort")])?;
    left.join(right, JoinType::LeftSemi, &["member"], &["in_cohort"], None)
}

/// The bin of `above`: the first whose upper edge lies beyond the value, or the last.
fn bin(edges: &[i64]) -> Result<Expr, PlanError> {
    let last = edges.len().saturating_sub(2);
    let inner = edges.get(1..=last).unwrap_or_default();
    let below = |edge: &i64| col("above").lt(lit(edge - edges[0]));
    let Some(first) = inner.first() else {
        return Ok(lit(0u32));
    };
    let mut case = when(below(first), lit(0u32));
    for (index, edge) in (0u32..).zip(inner).skip(1) {
        case = case.when(below(edge), lit(index));
    }
    Ok(case.otherwise(lit(inner.len() as u32))?)
}
