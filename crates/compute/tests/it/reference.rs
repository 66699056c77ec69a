//! The meaning of a query, written down as loops over a pool's rows: the definition that DataFusion must reproduce.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Int32Type, Int64Type, UInt8Type, UInt32Type};
use rochdale_compute::engine::Exact;
use rochdale_compute::pool::Pool;
use rochdale_core::query::{Ask, Cohort, Of, Query, Sex};

struct Member {
    id: u32,
    sex: u8,
    age: Option<i32>,
}

pub struct Observation {
    pub member: u32,
    pub code: u32,
    pub value: i64,
    pub rank: u32,
}

fn persons(pool: &Pool) -> Vec<Member> {
    let mut all = Vec::new();
    for batch in pool.persons().batches() {
        let ids = batch["member"].as_primitive::<UInt32Type>();
        let sexes = batch["sex"].as_primitive::<UInt8Type>();
        let ages = batch["age"].as_primitive::<Int32Type>();
        all.extend((0..batch.num_rows()).map(|row| Member {
            id: ids.value(row),
            sex: sexes.value(row),
            age: ages.iter().nth(row).flatten(),
        }));
    }
    all
}

fn conditions(pool: &Pool) -> Vec<(u32, u32)> {
    let pairs = pool.conditions().batches().iter().flat_map(|batch| {
        let ids = batch["member"].as_primitive::<UInt32Type>().values().to_vec();
        let codes = batch["code"].as_primitive::<UInt32Type>().values().to_vec();
        ids.into_iter().zip(codes)
    });
    pairs.collect()
}

pub fn observations(pool: &Pool) -> Vec<Observation> {
    let mut all = Vec::new();
    for batch in pool.observations().batches() {
        let ids = batch["member"].as_primitive::<UInt32Type>();
        let codes = batch["code"].as_primitive::<UInt32Type>();
        let values = batch["value"].as_primitive::<Int64Type>();
        let ranks = batch["rank"].as_primitive::<UInt32Type>();
        all.extend((0..batch.num_rows()).map(|row| Observation {
            member: ids.value(row),
            code: codes.value(row),
            value: values.value(row),
            rank: ranks.value(row),
        }));
    }
    all
}

fn in_cohort(filter: &Cohort, member: &Member, pool: &Pool) -> bool {
    let sex = |sex: Sex| match sex {
        Sex::Female => 1,
        Sex::Male => 2,
        Sex::Other => 3,
        Sex::Unknown => 4,
    };
    filter.sex.is_none_or(|wanted| member.sex == sex(wanted))
        && filter.age.is_none_or(|range| {
            member.age.is_some_and(|age| (i32::from(range.from)..=i32::from(range.to)).contains(&age))
        })
        && filter.condition.as_ref().is_none_or(|code| conditions(pool).contains(&(member.id, pool.code(code))))
        && filter.observation.as_ref().is_none_or(|code| {
            observations(pool).iter().any(|row| row.member == member.id && row.code == pool.code(code))
        })
}

/// A member's value: the mean of at most `rows` clamped rows, floored.
fn value(of: &Of, rows: u16, lower: i64, upper: i64, member: &Member, pool: &Pool) -> Option<i64> {
    let values: Vec<i64> = match of {
        Of::Age {} => member.age.map(|age| i64::from(age) * 1000).into_iter().collect(),
        Of::Observation(code) => observations(pool)
            .iter()
            .filter(|row| row.member == member.id && row.code == pool.code(code) && row.rank < u32::from(rows))
            .map(|row| row.value)
            .collect(),
    };
    let sum: i128 = values.iter().map(|&value| i128::from(value.clamp(lower, upper))).sum();
    (!values.is_empty()).then(|| sum.div_euclid(values.len() as i128) as i64)
}

pub fn exact(query: &Query, pool: &Pool) -> Exact {
    let cohort: Vec<Member> = persons(pool).into_iter().filter(|one| in_cohort(&query.cohort, one, pool)).collect();
    let values = |of: &Of, rows: u16, lower: i64, upper: i64| -> Vec<i64> {
        cohort.iter().filter_map(|member| value(of, rows, lower, upper, member, pool)).collect()
    };
    match &query.ask {
        Ask::Count {} => Exact::Count { members: cohort.len() as u64 },
        Ask::Mean { of, rows, lower, upper } => {
            let values = values(of, *rows, *lower, *upper);
            Exact::Mean { sum: values.iter().map(|&v| i128::from(v)).sum(), members: values.len() as u64 }
        }
        Ask::Histogram { of, rows, edges } => {
            let last = edges.len() - 2;
            let mut bins = vec![0; edges.len() - 1];
            for value in values(of, *rows, edges[0], edges[last + 1]) {
                let bin = edges.windows(2).position(|pair| pair[0] <= value && value < pair[1]).unwrap_or(last);
                bins[bin] += 1;
            }
            Exact::Histogram { bins }
        }
    }
}
