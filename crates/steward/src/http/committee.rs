//! What stewards tell each other.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use rochdale_api::Problem;
use rochdale_api::contribution::{CatchUpRequest, ScoreMessage, ScoresRequest, ScoringSharesRequest};
use rochdale_api::member::Sealed;
use rochdale_api::reshare::ReshareRequest;
use rochdale_api::route::steward as route;
use rochdale_api::server::{PathOf, Signed};
use rochdale_api::settlement::{AwardMessage, AwardsRequest, CopyRequest, SheetAnswer, SheetMessage};
use rochdale_core::ids::Epoch;
use rochdale_node::sealed::SealedBody;

use super::{Answered, App, refused};
use crate::steward::internal;

/// Hands out shares for scoring. For the steward whose turn it is; sealed both ways.
#[utoipa::path(post, path = route::SHARES.path, tag = "committee")]
pub async fn shares(State(app): State<App>, sealed: SealedBody<ScoringSharesRequest>) -> Response {
    let answer = async {
        let (mirror, seat) = app.colleague(sealed.signer).await?;
        app.0.shares_for_scoring(&mirror, seat, &sealed.body).await
    };
    sealed.reply(answer.await)
}

/// Takes signed scores. For stewards; sealed both ways.
#[utoipa::path(post, path = route::SCORES.path, tag = "committee")]
pub async fn scores(State(app): State<App>, sealed: SealedBody<Vec<ScoreMessage>>) -> Response {
    let answer = async {
        let (mirror, _) = app.colleague(sealed.signer).await?;
        app.0.take_scores(&mirror, &sealed.body).await
    };
    sealed.reply(answer.await)
}

/// The scores that this steward has learnt of since. For stewards; sealed both ways.
#[utoipa::path(post, path = route::SCORES_SINCE.path, tag = "committee")]
pub async fn scores_since(State(app): State<App>, sealed: SealedBody<ScoresRequest>) -> Response {
    let answer = async {
        app.colleague(sealed.signer).await?;
        app.0.scores_since(&sealed.body).await
    };
    sealed.reply(answer.await)
}

/// What a steward that was away lacks. For stewards; sealed both ways.
#[utoipa::path(post, path = route::CATCH_UP.path, tag = "committee")]
pub async fn catch_up(State(app): State<App>, sealed: SealedBody<CatchUpRequest>) -> Response {
    let answer = async {
        app.colleague(sealed.signer).await?;
        app.0.answer_catch_up(&sealed.body).await
    };
    sealed.reply(answer.await)
}

/// What was dealt to the committee in office by holders of older shares, this one's own among it. For stewards; sealed both ways.
#[utoipa::path(post, path = route::RESHARE.path, tag = "committee")]
pub async fn reshare(State(app): State<App>, sealed: SealedBody<ReshareRequest>) -> Response {
    let answer = async {
        let (mirror, _) = app.colleague(sealed.signer).await?;
        let (steward, request) = (app.0.clone(), sealed.body.clone());
        // To its end, also where the caller hangs up: what is kept of its words is looked at.
        let answer = tokio::spawn(async move { steward.answer_reshare(&mirror, &request).await });
        answer.await.map_err(internal)?
    };
    sealed.reply(answer.await)
}

/// Takes program awards. For stewards, and the awarders of open programs; sealed both ways.
#[utoipa::path(post, path = route::AWARDS.path, tag = "committee")]
pub async fn awards(State(app): State<App>, sealed: SealedBody<Vec<AwardMessage>>) -> Response {
    let answer = async {
        let (mirror, caller) = app.caller(sealed.signer).await?;
        if !app.0.may_award(&mirror, caller, sealed.signer).await? {
            return Err(refused(sealed.signer, caller, "a steward in office, or the awarder of an open program"));
        }
        app.0.take_awards(&mirror, &sealed.body).await
    };
    sealed.reply(answer.await)
}

/// Which awards of an epoch this steward holds. For stewards; sealed both ways.
#[utoipa::path(post, path = route::AWARDS_HELD.path, tag = "committee")]
pub async fn awards_held(State(app): State<App>, sealed: SealedBody<AwardsRequest>) -> Response {
    let answer = async {
        app.colleague(sealed.signer).await?;
        app.0.awards_of(sealed.body.epoch).await
    };
    sealed.reply(answer.await)
}

/// Compares a proposed sheet with its own computation, and signs where they agree. For the attempt's proposer.
#[utoipa::path(
    post, path = route::SHEET.path, tag = "committee",
    request_body = SheetMessage,
    responses(
        (status = 200, description = "Signed, or what differs", body = SheetAnswer),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 409, description = "It contradicts what is recorded", body = Problem),
        (status = 422, description = "It cannot be done, the detail says why", body = Problem),
    )
)]
pub async fn sheet(State(app): State<App>, signed: Signed<SheetMessage>) -> Answered<SheetAnswer> {
    let (_, seat) = app.steward(&signed).await?;
    app.0.answer_sheet(seat, &signed.body).await.map(Json)
}

/// The sheets of an epoch that this steward holds. For stewards.
#[utoipa::path(
    get, path = route::SHEETS.path, tag = "committee",
    params(("epoch" = u32, Path, description = "Epoch, from 1")),
    responses(
        (status = 200, description = "The sheets", body = Vec<SheetMessage>),
        (status = 403, description = "Not a caller of this path", body = Problem),
    )
)]
pub async fn sheets(
    State(app): State<App>,
    PathOf(epoch): PathOf<u32>,
    signed: Signed<()>,
) -> Answered<Vec<SheetMessage>> {
    app.steward(&signed).await?;
    app.0.sheets_of(Epoch(epoch)).await.map(Json)
}

/// A settled epoch's sheet as this steward holds it. For stewards that cannot open their own copy.
#[utoipa::path(
    post, path = route::COPY.path, tag = "committee",
    request_body = CopyRequest,
    responses(
        (status = 200, description = "A sealed SheetCopy", body = Sealed),
        (status = 403, description = "Not a caller of this path", body = Problem),
        (status = 404, description = "No such thing", body = Problem),
    )
)]
pub async fn copies(State(app): State<App>, signed: Signed<CopyRequest>) -> Answered<Sealed> {
    let (mirror, seat) = app.steward(&signed).await?;
    app.0.answer_copy(&mirror, seat, &signed.body).await.map(Json)
}
