//! Lockers in and out.

use axum::Json;
use axum::extract::{Request, State};
use rochdale_api::Problem;
use rochdale_api::locker::{Locker, LockerRequest};
use rochdale_api::route::gateway as route;
use rochdale_api::server::{Verified, parse};
use rochdale_api::shape::HexAddress;

use super::caller::Caller;
use super::{Answered, App};

/// What a member's browser keeps here, for who signs with the locker's key.
#[utoipa::path(
    get, path = route::LOCKER.path, tag = "lockers",
    params(("id" = HexAddress, Path, description = "Address of the locker's key")),
    responses(
        (status = 200, description = "The locker", body = Locker),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Not signed by the locker's key", body = Problem),
        (status = 404, description = "No such locker", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
    )
)]
pub async fn get(State(gateway): App, Caller(from): Caller, request: Request) -> Answered<Locker> {
    gateway.lockers.count(from)?;
    // Whom the guard lets in is who the path names.
    let Verified { signer, .. } = Verified::of(request, &*gateway.0).await?;
    gateway.lockers.get(signer).await.map(Json)
}

/// Puts the next version of a locker in the place of the one that is named.
#[utoipa::path(
    put, path = route::PUT_LOCKER.path, tag = "lockers", request_body = LockerRequest,
    params(("id" = HexAddress, Path, description = "Address of the locker's key")),
    responses(
        (status = 200, description = "What is kept now", body = Locker),
        (status = 400, description = "Not well formed", body = Problem),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Not signed by the locker's key", body = Problem),
        (status = 409, description = "Another version is there", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 507, description = "Lockers take all the room that they may", body = Problem),
    )
)]
pub async fn put(State(gateway): App, Caller(from): Caller, request: Request) -> Answered<Locker> {
    gateway.lockers.count(from)?;
    let Verified { signer, body, .. } = Verified::of(request, &*gateway.0).await?;
    let change: LockerRequest = parse(&body)?;
    gateway.lockers.put(signer, &change, from).await.map(Json)
}
