//! Granting, revoking, erasing: the member's signature is the right.

use axum::Json;
use axum::extract::State;
use rochdale_api::Problem;
use rochdale_api::member::{DenyRequest, GrantRequest, Granted, Mined};
use rochdale_api::route::gateway as route;
use rochdale_api::server::JsonBody;

use super::members::check_parts;
use super::{Answered, App};

/// Grants consent, and delivers the sealed receipt to the stewards. Sent again, it answers with the same grant.
#[utoipa::path(
    post, path = route::GRANT.path, tag = "consents", request_body = GrantRequest,
    responses(
        (status = 200, description = "Granted", body = Granted),
        (status = 422, description = "The contract refuses it", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn grant(State(gateway): App, JsonBody(request): JsonBody<GrantRequest>) -> Answered<Granted> {
    check_parts(&request.receipts, &gateway, "receipts")?;
    let mined = gateway.relayer.grant(&request).await?;
    let pending_stewards = gateway.forward.consents(request.member_id, request.version, request.receipts).await?;
    Ok(Json(Granted { mined, pending_stewards }))
}

/// Revokes consent: from this block on nothing is released any more.
#[utoipa::path(
    post, path = route::REVOKE.path, tag = "consents", request_body = DenyRequest,
    responses(
        (status = 200, description = "Revoked", body = Mined),
        (status = 422, description = "The contract refuses it", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn revoke(State(gateway): App, JsonBody(request): JsonBody<DenyRequest>) -> Answered<Mined> {
    gateway.relayer.revoke(&request).await.map(Json)
}

/// Erases everything and ends the membership, for good. What was earned stays claimable.
#[utoipa::path(
    post, path = route::ERASE.path, tag = "consents", request_body = DenyRequest,
    responses(
        (status = 200, description = "Erased", body = Mined),
        (status = 422, description = "The contract refuses it", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn erase(State(gateway): App, JsonBody(request): JsonBody<DenyRequest>) -> Answered<Mined> {
    let mined = gateway.relayer.erase(&request).await?;
    // The indexer sees the event and has the vault delete the member's blobs; it is told to look now.
    gateway.index.fresh().await?;
    Ok(Json(mined))
}
