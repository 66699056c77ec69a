//! What workers ask for.

use axum::Json;
use axum::extract::State;
use rochdale_api::Problem;
use rochdale_api::member::Sealed;
use rochdale_api::order::{DebitSignature, SealedRequest};
use rochdale_api::route::steward as route;
use rochdale_api::server::Signed;

use super::{Answered, App};

/// The records that an order may count, sealed to the worker. For workers.
#[utoipa::path(
    post, path = route::SNAPSHOT.path, tag = "queries",
    request_body = SealedRequest,
    responses(
        (status = 200, description = "A sealed Snapshot", body = Sealed),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 422, description = "It cannot be done, the detail says why", body = Problem),
        (status = 429, description = "The privacy budget does not suffice, or asked too often", body = Problem),
    )
)]
pub async fn snapshots(State(app): State<App>, signed: Signed<SealedRequest>) -> Answered<Sealed> {
    let mirror = app.worker(&signed).await?;
    app.0.answer_snapshot(&mirror, signed.signer, &signed.body).await.map(Json)
}

/// Signs an order's debit, once. For workers.
#[utoipa::path(
    post, path = route::DEBIT.path, tag = "queries",
    request_body = SealedRequest,
    responses(
        (status = 200, description = "The signature", body = DebitSignature),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 409, description = "It contradicts what is recorded", body = Problem),
        (status = 422, description = "It cannot be done, the detail says why", body = Problem),
        (status = 429, description = "The privacy budget does not suffice, or asked too often", body = Problem),
    )
)]
pub async fn debits(State(app): State<App>, signed: Signed<SealedRequest>) -> Answered<DebitSignature> {
    app.worker(&signed).await?;
    app.0.sign_debit(signed.signer, &signed.body).await.map(Json)
}

/// Releases key shares of a booked debit, sealed to the worker. For workers.
#[utoipa::path(
    post, path = route::RELEASE.path, tag = "queries",
    request_body = SealedRequest,
    responses(
        (status = 200, description = "Sealed answers", body = Sealed),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 422, description = "It cannot be done, the detail says why", body = Problem),
    )
)]
pub async fn release(State(app): State<App>, signed: Signed<SealedRequest>) -> Answered<Sealed> {
    let mirror = app.worker(&signed).await?;
    app.0.release(&mirror, signed.signer, &signed.body).await.map(Json)
}
