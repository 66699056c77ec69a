//! What concerns one member: brought by the gateway, or asked by the member.

use axum::Json;
use axum::extract::State;
use rochdale_api::Problem;
use rochdale_api::contribution::{ContributionPackage, ShareReceipt};
use rochdale_api::custody::OpeningsRequest;
use rochdale_api::member::{
    ClaimLeaf, ConsentDelivery, KeyOfferDelivery, KeyReceipt, LeavesRequest, RowKeyDelivery, RowRequest, Sealed,
    SealedRow,
};
use rochdale_api::server::{PathOf, Signed};
use rochdale_core::ids::MemberId;

use super::{Answered, App, forbidden};
use crate::steward::Caller;

/// Takes a member's row key, sealed to this steward. For the gateway.
#[utoipa::path(
    post, path = "/v1/row-keys", tag = "members",
    request_body = RowKeyDelivery,
    responses(
        (status = 200, description = "Kept", body = ()),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 422, description = "It cannot be done, the detail says why", body = Problem),
    )
)]
pub async fn row_keys(State(app): State<App>, signed: Signed<RowKeyDelivery>) -> Answered<()> {
    app.gateway(&signed).await?;
    app.0.take_row_key(&signed.body).await.map(Json)
}

/// Keeps the row key of somebody who is about to be admitted, and signs that it does. For the gateway.
#[utoipa::path(
    post, path = "/v1/row-keys/offers", tag = "members",
    request_body = KeyOfferDelivery,
    responses(
        (status = 200, description = "The signed word", body = KeyReceipt),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 422, description = "It cannot be done, the detail says why", body = Problem),
    )
)]
pub async fn offers(State(app): State<App>, signed: Signed<KeyOfferDelivery>) -> Answered<KeyReceipt> {
    app.gateway(&signed).await?;
    app.0.take_offer(&signed.body).await.map(Json)
}

/// Takes a consent's receipt, sealed to this steward. For the gateway.
#[utoipa::path(
    post, path = "/v1/consents", tag = "members",
    request_body = ConsentDelivery,
    responses(
        (status = 200, description = "Kept", body = ()),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 422, description = "It cannot be done, the detail says why", body = Problem),
    )
)]
pub async fn consents(State(app): State<App>, signed: Signed<ConsentDelivery>) -> Answered<()> {
    app.gateway(&signed).await?;
    app.0.take_consent(&signed.body).await.map(Json)
}

/// Takes a record's key share, which it checks against the deal. For the gateway.
#[utoipa::path(
    post, path = "/v1/contributions", tag = "members",
    request_body = ContributionPackage,
    responses(
        (status = 200, description = "Held", body = ShareReceipt),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 409, description = "It contradicts what is recorded", body = Problem),
        (status = 422, description = "It cannot be done, the detail says why", body = Problem),
    )
)]
pub async fn contributions(State(app): State<App>, signed: Signed<ContributionPackage>) -> Answered<ShareReceipt> {
    app.gateway(&signed).await?;
    app.0.take_contribution(&signed.body).await.map(Json)
}

/// Leaves and paths under a final root. For the gateway, and members for themselves.
#[utoipa::path(
    post, path = "/v1/claim-leaves", tag = "members",
    request_body = LeavesRequest,
    responses(
        (status = 200, description = "The leaves", body = Vec<ClaimLeaf>),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 404, description = "No such thing", body = Problem),
    )
)]
pub async fn claim_leaves(State(app): State<App>, signed: Signed<LeavesRequest>) -> Answered<Vec<ClaimLeaf>> {
    let (_, caller) = app.caller(&signed).await?;
    if !matches!(caller, Caller::Gateway | Caller::Member(_)) {
        return Err(forbidden(&signed, caller, "the gateway, or a member for itself"));
    }
    app.0.claim_leaves(caller, &signed.body).await.map(Json)
}

/// The member's own row of a settled epoch, sealed to it. For that member.
#[utoipa::path(
    post, path = "/v1/members/{member}/row", tag = "members",
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
    let (mirror, caller) = app.caller(&signed).await?;
    if caller != Caller::Member(MemberId(member)) {
        return Err(forbidden(&signed, caller, &format!("member {member}")));
    }
    app.0.member_row(&mirror, MemberId(member), &signed.body).await.map(Json)
}

/// Who opened which record of the member, and why. For that member.
#[utoipa::path(
    post, path = "/v1/members/{member}/openings", tag = "members",
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
    let (mirror, caller) = app.caller(&signed).await?;
    if caller != Caller::Member(MemberId(member)) {
        return Err(forbidden(&signed, caller, &format!("member {member}")));
    }
    app.0.member_openings(&mirror, MemberId(member), &signed.body).await.map(Json)
}

/// What is behind the member's leaf of inputs, sealed to it. For that member.
#[utoipa::path(
    post, path = "/v1/members/{member}/opening", tag = "members",
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
    let (mirror, caller) = app.caller(&signed).await?;
    if caller != Caller::Member(MemberId(member)) {
        return Err(forbidden(&signed, caller, &format!("member {member}")));
    }
    app.0.opening(&mirror, MemberId(member), &signed.body).await.map(Json)
}
