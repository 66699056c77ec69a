//! What anyone may read.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use rochdale_api::Problem;
use rochdale_api::member::ErasureAttestation;
use rochdale_api::order::Sizes;
use rochdale_api::route::steward as route;
use rochdale_api::server::PathOf;
use rochdale_api::settlement::{AnswerRequest, SettlementStatus};
use rochdale_api::status::Health;
use rochdale_core::ids::MemberId;

use super::{Answered, App};

/// Whether the steward can work, and what is wrong where it cannot.
#[utoipa::path(
    get, path = route::HEALTH.path, tag = "public",
    responses(
        (status = 200, description = "It can work", body = Health),
        (status = 503, description = "It cannot", body = Health),
    )
)]
pub async fn health(State(app): State<App>) -> Response {
    let steward = &app.0;
    let mut problems = steward.report().problems;
    let mirror = steward.at_head().await;
    if let Err(problem) = &mirror {
        problems.push(problem.to_string());
    }
    let known = mirror.or_else(|_| steward.mirror());
    let seat = known.as_ref().ok().and_then(|mirror| mirror.latest.steward_id(steward.address()));
    match (&known, seat) {
        (Ok(mirror), Some(seat)) => match steward.sealing_alarm(mirror, seat).await {
            Ok(alarm) => problems.extend(alarm),
            Err(problem) => problems.push(problem.to_string()),
        },
        (Ok(_), None) => problems.push(format!("{} has no seat in the committee", steward.address())),
        (Err(_), _) => {}
    }
    match steward.store.halts().await {
        Ok(halts) => problems.extend(halts.iter().map(|halt| format!("{} is halted: {}", halt.duty, halt.reason))),
        Err(error) => problems.push(error.to_string()),
    }
    if let (Ok(mirror), Some(seat)) = (&known, seat) {
        problems.extend(steward.reshare_alarm());
        problems.extend(steward.alarms(mirror, seat).await.unwrap_or_else(|problem| vec![problem.to_string()]));
    }
    let ok = problems.is_empty();
    // It works as it must after a restore; whoever looks learns what it does not do yet.
    problems.extend(steward.refuse_if_restored().err().map(|problem| problem.detail));
    if let Ok(mirror) = &known {
        problems.extend(steward.waiting_denials(mirror).await.ok().flatten());
    }
    let head = known.ok().map(|mirror| mirror.head);
    let health = Health {
        service: seat.map_or_else(|| "steward".to_owned(), |seat| format!("steward-{seat}")),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ok,
        address: steward.address(),
        head: head.map_or(0, |head| head.latest.number),
        indexed: head.map_or(0, |head| head.latest.number),
        now: head.map_or(0, |head| head.latest.timestamp),
        problems,
        waiting_for: steward.peers.waited_for(),
    };
    let status = if health.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

/// How many members each dataset has for a purpose: noisy, coarse, published once an epoch.
#[utoipa::path(
    get, path = route::SIZES.path, tag = "public",
    responses(
        (status = 200, description = "Sizes", body = Sizes),
    )
)]
pub async fn sizes(State(app): State<App>) -> Answered<Sizes> {
    let mirror = app.0.mirror()?;
    Ok(Json(app.0.sizes(&mirror).await?))
}

/// Where settlement stands at this steward.
#[utoipa::path(
    get, path = route::SETTLEMENT.path, tag = "public",
    responses(
        (status = 200, description = "Where it stands", body = SettlementStatus),
    )
)]
pub async fn settlement(State(app): State<App>) -> Answered<SettlementStatus> {
    app.0.settlement_status().await.map(Json)
}

/// The answer to a demand that waits on chain, ready to be published by anyone.
#[utoipa::path(
    get, path = route::DEMANDED.path, tag = "public",
    params(("member" = u32, Path, description = "Member id")),
    responses(
        (status = 200, description = "What publishes it", body = AnswerRequest),
        (status = 404, description = "No such thing", body = Problem),
        (status = 422, description = "It cannot be done, the detail says why", body = Problem),
    )
)]
pub async fn demanded_row(State(app): State<App>, PathOf(member): PathOf<u32>) -> Answered<AnswerRequest> {
    let mirror = app.0.at_head().await?;
    app.0.demanded_row(&mirror, MemberId(member)).await.map(Json)
}

/// This steward's signed word that it destroyed what it held of a member.
#[utoipa::path(
    get, path = route::ERASURE.path, tag = "public",
    params(("member" = u32, Path, description = "Member id")),
    responses(
        (status = 200, description = "The attestation", body = ErasureAttestation),
        (status = 404, description = "No such thing", body = Problem),
    )
)]
pub async fn erasure(State(app): State<App>, PathOf(member): PathOf<u32>) -> Answered<ErasureAttestation> {
    app.0.erasure_attestation(MemberId(member)).await.map(Json)
}
