//! What concerns one member: brought by the gateway, or asked by the member.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use rochdale_api::Problem;
use rochdale_api::contribution::ContributionPackage;
use rochdale_api::custody::{HeldRequest, OpeningsRequest};
use rochdale_api::member::{
    ConsentDelivery, KeyOfferDelivery, LeavesRequest, RowKeyDelivery, RowRequest, Sealed, SealedRow,
};
use rochdale_api::route::steward as route;
use rochdale_api::server::{PathOf, Signed};
use rochdale_core::ids::MemberId;
use rochdale_node::sealed::SealedBody;

use super::{Answered, App, refused};
use crate::steward::Caller;

/// Takes a member's row key, sealed to this steward. For the gateway; sealed both ways.
#[utoipa::path(post, path = route::ROW_KEY.path, tag = "members")]
pub async fn row_keys(State(app): State<App>, sealed: SealedBody<RowKeyDelivery>) -> Response {
    let answer = async {
        let mirror = app.gateway(sealed.signer).await?;
        app.0.take_row_key(&mirror, &sealed.body).await
    };
    sealed.reply(answer.await)
}

/// Keeps the row key of somebody who is about to be admitted, and signs that it does. For the gateway; sealed both ways.
#[utoipa::path(post, path = route::OFFER.path, tag = "members")]
pub async fn offers(State(app): State<App>, sealed: SealedBody<KeyOfferDelivery>) -> Response {
    let answer = async {
        let mirror = app.gateway(sealed.signer).await?;
        app.0.take_offer(&mirror, &sealed.body).await
    };
    sealed.reply(answer.await)
}

/// Takes a consent's receipt, sealed to this steward. For the gateway; sealed both ways.
#[utoipa::path(post, path = route::CONSENT.path, tag = "members")]
pub async fn consents(State(app): State<App>, sealed: SealedBody<ConsentDelivery>) -> Response {
    let answer = async {
        let mirror = app.gateway(sealed.signer).await?;
        app.0.take_consent(&mirror, &sealed.body).await
    };
    sealed.reply(answer.await)
}

/// Takes a record's key share, which it checks against the deal. For the gateway; sealed both ways.
#[utoipa::path(post, path = route::CONTRIBUTION.path, tag = "members")]
pub async fn contributions(State(app): State<App>, sealed: SealedBody<ContributionPackage>) -> Response {
    let answer = async {
        let mirror = app.gateway(sealed.signer).await?;
        app.0.take_contribution(&mirror, &sealed.body).await
    };
    sealed.reply(answer.await)
}

/// Leaves and paths under a final root. For the gateway, and members for themselves; sealed both ways.
#[utoipa::path(post, path = route::CLAIM_LEAVES.path, tag = "members")]
pub async fn claim_leaves(State(app): State<App>, sealed: SealedBody<LeavesRequest>) -> Response {
    let answer = async {
        let (_, caller) = app.caller(sealed.signer).await?;
        if !matches!(caller, Caller::Gateway | Caller::Member(_)) {
            return Err(refused(sealed.signer, caller, "the gateway, or a member for itself"));
        }
        app.0.claim_leaves(caller, &sealed.body).await
    };
    sealed.reply(answer.await)
}

/// The member's own row of a settled epoch, sealed to it. For that member.
#[utoipa::path(
    post, path = route::ROW.path, tag = "members",
    params(("member" = u32, Path, description = "Member id")),
    request_body = RowRequest,
    responses(
        (status = 200, description = "The row", body = SealedRow),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 404, description = "No such thing", body = Problem),
    )
)]
pub async fn member_row(
    State(app): State<App>,
    PathOf(member): PathOf<u32>,
    signed: Signed<RowRequest>,
) -> Answered<SealedRow> {
    let member = MemberId(member);
    let mirror = app.member(&signed, member).await?;
    app.0.member_row(&mirror, member, &signed.body).await.map(Json)
}

/// Who opened which record of the member, and why. For that member.
#[utoipa::path(
    post, path = route::OPENINGS.path, tag = "members",
    params(("member" = u32, Path, description = "Member id")),
    request_body = OpeningsRequest,
    responses(
        (status = 200, description = "A sealed list of OpeningReport", body = Sealed),
        (status = 403, description = "Not a caller of this path", body = Problem),
    )
)]
pub async fn member_openings(
    State(app): State<App>,
    PathOf(member): PathOf<u32>,
    signed: Signed<OpeningsRequest>,
) -> Answered<Sealed> {
    let member = MemberId(member);
    let mirror = app.member(&signed, member).await?;
    app.0.member_openings(&mirror, member, &signed.body).await.map(Json)
}

/// What this steward holds of the member, with its shares of the records that are named, sealed to it. For that member.
#[utoipa::path(
    post, path = route::HELD.path, tag = "members",
    params(("member" = u32, Path, description = "Member id")),
    request_body = HeldRequest,
    responses(
        (status = 200, description = "A sealed HeldReport", body = Sealed),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 413, description = "More records than are taken at once", body = Problem),
    )
)]
pub async fn held(
    State(app): State<App>,
    PathOf(member): PathOf<u32>,
    signed: Signed<HeldRequest>,
) -> Answered<Sealed> {
    let member = MemberId(member);
    let mirror = app.member(&signed, member).await?;
    app.0.held_of_member(&mirror, member, &signed.body).await.map(Json)
}

/// What is behind the member's leaf of inputs, sealed to it. For that member.
#[utoipa::path(
    post, path = route::OPENING.path, tag = "members",
    params(("member" = u32, Path, description = "Member id")),
    request_body = RowRequest,
    responses(
        (status = 200, description = "The opening", body = SealedRow),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 404, description = "No such thing", body = Problem),
    )
)]
pub async fn opening(
    State(app): State<App>,
    PathOf(member): PathOf<u32>,
    signed: Signed<RowRequest>,
) -> Answered<SealedRow> {
    let member = MemberId(member);
    let mirror = app.member(&signed, member).await?;
    app.0.opening(&mirror, member, &signed.body).await.map(Json)
}
