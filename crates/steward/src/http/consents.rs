//! Withdrawals past the gateway: the member's signature is the right, whoever brings it.

use axum::Json;
use axum::extract::State;
use rochdale_api::Problem;
use rochdale_api::denial::{ConsentStanding, DenialTaken};
use rochdale_api::member::DenyRequest;
use rochdale_api::route::steward as route;
use rochdale_api::server::{JsonBody, PathOf};
use rochdale_core::ids::MemberId;

use super::{Answered, App};

/// Takes a withdrawal of consent: from now on this steward releases nothing of the member's records. It tells the other stewards, and the
/// gateway until it is on chain. The same again changes nothing.
#[utoipa::path(
    post, path = route::REVOKE.path, tag = "consents", request_body = DenyRequest,
    responses(
        (status = 200, description = "Kept, or on chain", body = DenialTaken),
        (status = 401, description = "Its deadline has passed, is too near or too far", body = Problem),
        (status = 403, description = "Not signed by the member", body = Problem),
        (status = 404, description = "No such member", body = Problem),
        (status = 409, description = "The contract would refuse it: another number, no consent, membership ended", body = Problem),
        (status = 413, description = "The signature is too long", body = Problem),
        (status = 429, description = "Too many signatures of contract accounts within a second", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn revoke(State(app): State<App>, JsonBody(request): JsonBody<DenyRequest>) -> Answered<DenialTaken> {
    let mirror = app.0.at_head().await?;
    app.0.take_denial(&mirror, false, &request).await.map(Json)
}

/// Takes a member's erasure: from now on this steward releases nothing of the member's records. They are destroyed once it is on chain and final.
#[utoipa::path(
    post, path = route::ERASE.path, tag = "consents", request_body = DenyRequest,
    responses(
        (status = 200, description = "Kept, or on chain", body = DenialTaken),
        (status = 401, description = "Its deadline has passed, is too near or too far", body = Problem),
        (status = 403, description = "Not signed by the member", body = Problem),
        (status = 404, description = "No such member", body = Problem),
        (status = 409, description = "The contract would refuse it: it carries another number", body = Problem),
        (status = 413, description = "The signature is too long", body = Problem),
        (status = 429, description = "Too many signatures of contract accounts within a second", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn erase(State(app): State<App>, JsonBody(request): JsonBody<DenyRequest>) -> Answered<DenialTaken> {
    let mirror = app.0.at_head().await?;
    app.0.take_denial(&mirror, true, &request).await.map(Json)
}

/// What this steward sees of a member's consent on chain, and which withdrawals it holds: anybody may send these to the contract.
#[utoipa::path(
    get, path = route::STANDING.path, tag = "consents",
    params(("member" = u32, Path, description = "Member id")),
    responses(
        (status = 200, description = "As of the latest block", body = ConsentStanding),
        (status = 404, description = "No such member", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn standing(State(app): State<App>, PathOf(member): PathOf<u32>) -> Answered<ConsentStanding> {
    let mirror = app.0.at_head().await?;
    app.0.consent_standing(&mirror, MemberId(member)).await.map(Json)
}
