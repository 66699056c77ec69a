//! Key figures: what the index sums up, with what stewards publish beside the chain.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use rochdale_api::kpi::{Cohort, Kpi, KpiSeries, Kpis};
use rochdale_api::order::Sizes;
use rochdale_api::route::gateway as route;
use rochdale_api::server::QueryOf;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::BlockRef;
use rochdale_chain::kpi::{self, Beside, Figure, Series, Span};
use rochdale_chain::state::DAY;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::{Answered, App, Gateway};
use crate::sizes::largest;

/// Days that are answered where nobody says how many, and at most.
const DAYS: u32 = 90;
const MOST: u32 = 366;

/// How far back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Back {
    days: Option<u32>,
}

/// Key figures of the last days, day by day; what each is, how it is computed and of what.
#[utoipa::path(
    get, path = route::KPIS.path, tag = "public",
    params(("days" = Option<u32>, Query, minimum = 1, maximum = 366, description = "How many days, the running one included; 90 where it is absent")),
    responses(
        (status = 200, description = "The figures", body = Kpis),
        (status = 503, description = "The chain cannot be read", body = Problem),
    )
)]
pub async fn kpis(State(gateway): App, QueryOf(Back { days }): QueryOf<Back>) -> Answered<Kpis> {
    Ok(Json((*read(&gateway, days).await?).clone()))
}

/// The same as a table (RFC 4180): `day,kpi,label,unit,value`.
#[utoipa::path(
    get, path = route::KPIS_TABLE.path, tag = "public",
    params(("days" = Option<u32>, Query, minimum = 1, maximum = 366, description = "How many days, the running one included; 90 where it is absent")),
    responses(
        (status = 200, description = "The figures", body = String, content_type = "text/csv"),
        (status = 503, description = "The chain cannot be read", body = Problem),
    )
)]
pub async fn table(State(gateway): App, QueryOf(Back { days }): QueryOf<Back>) -> Result<Response, Problem> {
    let table = read(&gateway, days).await?.table();
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], table).into_response())
}

/// Figures of the newest block, by how many days they are of. One at a time is made, whoever asks: each looks at every holding.
#[derive(Default)]
pub struct Board(Mutex<Option<Made>>);

struct Made {
    of: BlockRef,
    by_days: BTreeMap<u32, Arc<Kpis>>,
}

async fn read(gateway: &Gateway, days: Option<u32>) -> Result<Arc<Kpis>, Problem> {
    let days = days.unwrap_or(DAYS);
    if !(1..=MOST).contains(&days) {
        return Err(Problem::new(ProblemCode::BadRequest, format!("days: {days} is none of 1 to {MOST}")));
    }
    let head = gateway.index.fresh_head().await?.latest;
    // Nobody waits behind who asks a steward that is silent.
    let sizes = gateway.forward.sizes().await.ok();
    let mut board = gateway.board.0.lock().await;
    // Who waited finds what was made of a later block meanwhile.
    let newest = board.take().filter(|made| made.of.hash == head.hash || made.of.number > head.number);
    let made = board.insert(newest.unwrap_or_else(|| Made { of: head, by_days: BTreeMap::new() }));
    if let Some(kept) = made.by_days.get(&days) {
        return Ok(Arc::clone(kept));
    }
    let kpis = Arc::new(make(gateway, days, &made.of, sizes).await?);
    made.by_days.insert(days, Arc::clone(&kpis));
    Ok(kpis)
}

async fn make(gateway: &Gateway, days: u32, head: &BlockRef, sizes: Option<Sizes>) -> Result<Kpis, Problem> {
    let span = Span::last(days, head.timestamp);
    let mut seen = gateway.store.sizes_seen(span.first, span.today).await?;
    // What the chain shows is told whether or not stewards answer.
    if let Some(sizes) = &sizes {
        seen.insert(span.today, largest(sizes));
    }
    let lifetime = sizes.and_then(|sizes| sizes.limits).map(|limits| limits.lifetime);
    let beside = Beside { schedule: gateway.manifest.schedule(), lifetime, sizes: seen };
    let (state, now) = (gateway.index.state().clone(), head.timestamp);
    let counted = move || state.read(|state| (kpi::figures(state, span, &beside), kpi::cohorts(state, now)));
    let stopped = |_| Problem::new(ProblemCode::Internal, "the figures were not counted");
    let (figures, cohorts) = spawn_blocking(counted).await.map_err(stopped)?;
    Ok(Kpis {
        block: head.number,
        now: head.timestamp,
        first_day: u64::from(span.first) * DAY,
        days: span.today - span.first + 1,
        kpis: figures.into_iter().map(shown).collect(),
        cohorts: cohorts.into_iter().map(cohort).collect(),
    })
}

fn shown((figure, series): (&Figure, Vec<Series>)) -> Kpi {
    let text = |series: Series| KpiSeries {
        label: series.label,
        values: series.values.iter().map(|value| value.map(|value| value.to_string())).collect(),
    };
    Kpi {
        id: figure.id.to_owned(),
        group: figure.group.to_owned(),
        name: figure.name.to_owned(),
        unit: figure.unit.to_owned(),
        formula: figure.formula.to_owned(),
        source: figure.source.to_owned(),
        series: series.into_iter().map(text).collect(),
    }
}

fn cohort(cohort: kpi::Cohort) -> Cohort {
    let (year, month) = (cohort.month / 12, cohort.month % 12 + 1);
    Cohort { month: format!("{year:04}-{month:02}"), joined: cohort.joined, stayed: cohort.stayed }
}
