//! The HTTP side: who may call what, and nothing else.

use std::sync::Arc;

use alloy::primitives::Address;
use axum::extract::{DefaultBodyLimit, FromRef, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use rochdale_api::contribution::{
    CatchUpRequest, ContributionPackage, ScoreMessage, ScoresRequest, ScoringSharesRequest,
};
use rochdale_api::custody::OpeningsRequest;
use rochdale_api::member::{
    ConsentDelivery, ErasureAttestation, KeyOfferDelivery, LeavesRequest, RowKeyDelivery, RowRequest, Sealed, SealedRow,
};
use rochdale_api::order::{DebitSignature, SealedRequest, Sizes};
use rochdale_api::server::{MAX_JSON, Signed, Verifier, answering};
use rochdale_api::settlement::{
    AnswerRequest, AwardMessage, AwardsRequest, CopyRequest, SettlementStatus, SheetAnswer, SheetMessage,
};
use rochdale_api::status::Health;
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use rochdale_node::sealed::{SealedBody, Sealer};

use crate::steward::{Caller, Mirror, Steward};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, unsigned.
    Anyone,
    /// The gateway.
    Gateway,
    /// A steward in office.
    Steward,
    /// A steward in office, or the awarder of an open program.
    StewardOrAwarder,
    /// A registered worker.
    Worker,
    /// The gateway, or a member for itself.
    GatewayOrMember,
    /// The member named in the path.
    ThatMember,
}

/// Every route: method, path, who may call it. A test calls each as every actor.
pub const ENDPOINTS: &[(&str, &str, Access)] = &[
    ("GET", "/v1/health", Access::Anyone),
    ("GET", "/v1/sizes", Access::Anyone),
    ("GET", "/v1/settlement", Access::Anyone),
    ("GET", "/v1/settlement/answers/{member}", Access::Anyone),
    ("GET", "/v1/erasures/{member}", Access::Anyone),
    ("POST", "/v1/row-keys", Access::Gateway),
    ("POST", "/v1/row-keys/offers", Access::Gateway),
    ("POST", "/v1/consents", Access::Gateway),
    ("POST", "/v1/contributions", Access::Gateway),
    ("POST", "/v1/shares", Access::Steward),
    ("POST", "/v1/scores", Access::Steward),
    ("POST", "/v1/scores/since", Access::Steward),
    ("POST", "/v1/catch-up", Access::Steward),
    ("POST", "/v1/awards", Access::StewardOrAwarder),
    ("POST", "/v1/awards/held", Access::Steward),
    ("POST", "/v1/settlement/sheets", Access::Steward),
    ("GET", "/v1/settlement/sheets/{epoch}", Access::Steward),
    ("POST", "/v1/settlement/copies", Access::Steward),
    ("POST", "/v1/snapshots", Access::Worker),
    ("POST", "/v1/debits", Access::Worker),
    ("POST", "/v1/release", Access::Worker),
    ("POST", "/v1/claim-leaves", Access::GatewayOrMember),
    ("POST", "/v1/members/{member}/row", Access::ThatMember),
    ("POST", "/v1/members/{member}/openings", Access::ThatMember),
    ("POST", "/v1/members/{member}/opening", Access::ThatMember),
];

/// What handlers share.
#[derive(Clone)]
pub struct App(pub Arc<Steward>);

impl FromRef<App> for Arc<dyn Verifier> {
    fn from_ref(app: &App) -> Self {
        app.0.clone()
    }
}

impl FromRef<App> for Arc<dyn Sealer> {
    fn from_ref(app: &App) -> Self {
        app.0.clone()
    }
}

type Answered<T> = Result<Json<T>, Problem>;

/// The router of one steward.
pub fn router(steward: Arc<Steward>) -> Router {
    let identity = steward.identity();
    let router = Router::new()
        .route("/v1/health", get(health))
        .route("/v1/sizes", get(sizes))
        .route("/v1/settlement", get(settlement))
        .route("/v1/settlement/answers/{member}", get(demanded_row))
        .route("/v1/erasures/{member}", get(erasure))
        .route("/v1/row-keys", post(row_keys))
        .route("/v1/row-keys/offers", post(offers))
        .route("/v1/consents", post(consents))
        .route("/v1/contributions", post(contributions))
        .route("/v1/shares", post(shares))
        .route("/v1/scores", post(scores))
        .route("/v1/scores/since", post(scores_since))
        .route("/v1/catch-up", post(catch_up))
        .route("/v1/awards", post(awards))
        .route("/v1/awards/held", post(awards_held))
        .route("/v1/settlement/sheets", post(sheet))
        .route("/v1/settlement/sheets/{epoch}", get(sheets))
        .route("/v1/settlement/copies", post(copies))
        .route("/v1/snapshots", post(snapshots))
        .route("/v1/debits", post(debits))
        .route("/v1/release", post(release))
        .route("/v1/claim-leaves", post(claim_leaves))
        .route("/v1/members/{member}/row", post(member_row))
        .route("/v1/members/{member}/openings", post(member_openings))
        .route("/v1/members/{member}/opening", post(opening))
        .fallback(async || Problem::new(ProblemCode::NotFound, "there is no such path"))
        .method_not_allowed_fallback(async || {
            Problem::new(ProblemCode::MethodNotAllowed, "this path does not take this method")
        })
        .layer(DefaultBodyLimit::max(MAX_JSON))
        .with_state(App(steward));
    answering(router, identity)
}

impl App {
    /// The caller, as of the latest block: who was just removed is out.
    async fn caller(&self, signer: Address) -> Result<(Arc<Mirror>, Caller), Problem> {
        let mirror = self.0.at_head().await?;
        let caller = self.0.caller(&mirror, signer);
        Ok((mirror, caller))
    }

    async fn gateway(&self, signer: Address) -> Result<(), Problem> {
        match self.caller(signer).await? {
            (_, Caller::Gateway) => Ok(()),
            (_, other) => Err(refused(signer, other, "the gateway")),
        }
    }

    async fn steward<T>(&self, signed: &Signed<T>) -> Result<(Arc<Mirror>, StewardId), Problem> {
        self.colleague(signed.signer).await
    }

    async fn colleague(&self, signer: Address) -> Result<(Arc<Mirror>, StewardId), Problem> {
        let mirror = self.0.at_head().await?;
        match self.0.caller(&mirror, signer) {
            Caller::Steward(seat) => Ok((mirror, seat)),
            other => Err(refused(signer, other, "a steward in office")),
        }
    }

    async fn worker<T>(&self, signed: &Signed<T>) -> Result<Arc<Mirror>, Problem> {
        match self.caller(signed.signer).await? {
            (mirror, Caller::Worker) => Ok(mirror),
            (_, other) => Err(forbidden(signed, other, "a registered worker")),
        }
    }
}

fn forbidden<T>(signed: &Signed<T>, caller: Caller, wanted: &str) -> Problem {
    refused(signed.signer, caller, wanted)
}

/// Why this caller may not.
pub(crate) fn refused(signer: Address, caller: Caller, wanted: &str) -> Problem {
    let who = match caller {
        Caller::Gateway => "the gateway".to_owned(),
        Caller::Steward(seat) => format!("steward {seat}"),
        Caller::Worker => "a worker".to_owned(),
        Caller::Member(member) => format!("member {member}"),
        Caller::Stranger => "nobody that the chain knows".to_owned(),
    };
    Problem::new(ProblemCode::Forbidden, format!("{signer} is {who}; this call is for {wanted}"))
}

async fn sizes(State(app): State<App>) -> Answered<Sizes> {
    let mirror = app.0.mirror()?;
    Ok(Json(app.0.sizes(&mirror).await?))
}

async fn health(State(app): State<App>) -> Response {
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
        problems.extend(steward.alarms(mirror, seat).await.unwrap_or_else(|problem| vec![problem.to_string()]));
    }
    let head = known.ok().map(|mirror| mirror.head);
    let health = Health {
        service: seat.map_or_else(|| "steward".to_owned(), |seat| format!("steward-{seat}")),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ok: problems.is_empty(),
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

async fn settlement(State(app): State<App>) -> Answered<SettlementStatus> {
    app.0.settlement_status().await.map(Json)
}

async fn demanded_row(State(app): State<App>, Path(member): Path<u32>) -> Answered<AnswerRequest> {
    let mirror = app.0.at_head().await?;
    app.0.demanded_row(&mirror, MemberId(member)).await.map(Json)
}

async fn erasure(State(app): State<App>, Path(member): Path<u32>) -> Answered<ErasureAttestation> {
    app.0.erasure_attestation(MemberId(member)).await.map(Json)
}

async fn row_keys(State(app): State<App>, sealed: SealedBody<RowKeyDelivery>) -> Response {
    let answer = async {
        app.gateway(sealed.signer).await?;
        app.0.take_row_key(&sealed.body).await
    };
    sealed.reply(answer.await)
}

async fn offers(State(app): State<App>, sealed: SealedBody<KeyOfferDelivery>) -> Response {
    let answer = async {
        app.gateway(sealed.signer).await?;
        app.0.take_offer(&sealed.body).await
    };
    sealed.reply(answer.await)
}

async fn consents(State(app): State<App>, sealed: SealedBody<ConsentDelivery>) -> Response {
    let answer = async {
        app.gateway(sealed.signer).await?;
        app.0.take_consent(&sealed.body).await
    };
    sealed.reply(answer.await)
}

async fn contributions(State(app): State<App>, sealed: SealedBody<ContributionPackage>) -> Response {
    let answer = async {
        app.gateway(sealed.signer).await?;
        app.0.take_contribution(&sealed.body).await
    };
    sealed.reply(answer.await)
}

async fn shares(State(app): State<App>, sealed: SealedBody<ScoringSharesRequest>) -> Response {
    let answer = async {
        let (mirror, seat) = app.colleague(sealed.signer).await?;
        app.0.shares_for_scoring(&mirror, seat, &sealed.body).await
    };
    sealed.reply(answer.await)
}

async fn scores(State(app): State<App>, sealed: SealedBody<Vec<ScoreMessage>>) -> Response {
    let answer = async {
        let (mirror, _) = app.colleague(sealed.signer).await?;
        app.0.take_scores(&mirror, &sealed.body).await
    };
    sealed.reply(answer.await)
}

async fn scores_since(State(app): State<App>, sealed: SealedBody<ScoresRequest>) -> Response {
    let answer = async {
        app.colleague(sealed.signer).await?;
        app.0.scores_since(&sealed.body).await
    };
    sealed.reply(answer.await)
}

async fn catch_up(State(app): State<App>, sealed: SealedBody<CatchUpRequest>) -> Response {
    let answer = async {
        app.colleague(sealed.signer).await?;
        app.0.answer_catch_up(&sealed.body).await
    };
    sealed.reply(answer.await)
}

async fn awards(State(app): State<App>, sealed: SealedBody<Vec<AwardMessage>>) -> Response {
    let answer = async {
        let (mirror, caller) = app.caller(sealed.signer).await?;
        if !app.0.may_award(&mirror, caller, sealed.signer).await? {
            return Err(refused(sealed.signer, caller, "a steward in office, or the awarder of an open program"));
        }
        app.0.take_awards(&mirror, &sealed.body).await
    };
    sealed.reply(answer.await)
}

async fn awards_held(State(app): State<App>, sealed: SealedBody<AwardsRequest>) -> Response {
    let answer = async {
        app.colleague(sealed.signer).await?;
        app.0.awards_of(sealed.body.epoch).await
    };
    sealed.reply(answer.await)
}

async fn sheet(State(app): State<App>, signed: Signed<SheetMessage>) -> Answered<SheetAnswer> {
    let (_, seat) = app.steward(&signed).await?;
    app.0.answer_sheet(seat, &signed.body).await.map(Json)
}

async fn sheets(State(app): State<App>, Path(epoch): Path<u32>, signed: Signed<()>) -> Answered<Vec<SheetMessage>> {
    app.steward(&signed).await?;
    app.0.sheets_of(Epoch(epoch)).await.map(Json)
}

async fn copies(State(app): State<App>, signed: Signed<CopyRequest>) -> Answered<Sealed> {
    let (mirror, seat) = app.steward(&signed).await?;
    app.0.answer_copy(&mirror, seat, &signed.body).await.map(Json)
}

async fn snapshots(State(app): State<App>, signed: Signed<SealedRequest>) -> Answered<Sealed> {
    app.worker(&signed).await?;
    // A license that was bought a moment ago is in no older state.
    let mirror = app.0.at_head().await?;
    app.0.answer_snapshot(&mirror, signed.signer, &signed.body).await.map(Json)
}

async fn debits(State(app): State<App>, signed: Signed<SealedRequest>) -> Answered<DebitSignature> {
    app.worker(&signed).await?;
    app.0.sign_debit(signed.signer, &signed.body).await.map(Json)
}

async fn release(State(app): State<App>, signed: Signed<SealedRequest>) -> Answered<Sealed> {
    let mirror = app.worker(&signed).await?;
    app.0.release(&mirror, signed.signer, &signed.body).await.map(Json)
}

async fn claim_leaves(State(app): State<App>, sealed: SealedBody<LeavesRequest>) -> Response {
    let answer = async {
        let (_, caller) = app.caller(sealed.signer).await?;
        if !matches!(caller, Caller::Gateway | Caller::Member(_)) {
            return Err(refused(sealed.signer, caller, "the gateway, or a member for itself"));
        }
        app.0.claim_leaves(caller, &sealed.body).await
    };
    sealed.reply(answer.await)
}

async fn member_row(
    State(app): State<App>,
    Path(member): Path<u32>,
    signed: Signed<RowRequest>,
) -> Answered<SealedRow> {
    let (mirror, caller) = app.caller(signed.signer).await?;
    if caller != Caller::Member(MemberId(member)) {
        return Err(forbidden(&signed, caller, &format!("member {member}")));
    }
    app.0.member_row(&mirror, MemberId(member), &signed.body).await.map(Json)
}

async fn opening(State(app): State<App>, Path(member): Path<u32>, signed: Signed<RowRequest>) -> Answered<SealedRow> {
    let (mirror, caller) = app.caller(signed.signer).await?;
    if caller != Caller::Member(MemberId(member)) {
        return Err(forbidden(&signed, caller, &format!("member {member}")));
    }
    app.0.opening(&mirror, MemberId(member), &signed.body).await.map(Json)
}

async fn member_openings(
    State(app): State<App>,
    Path(member): Path<u32>,
    signed: Signed<OpeningsRequest>,
) -> Answered<Sealed> {
    let (mirror, caller) = app.caller(signed.signer).await?;
    if caller != Caller::Member(MemberId(member)) {
        return Err(forbidden(&signed, caller, &format!("member {member}")));
    }
    app.0.member_openings(&mirror, MemberId(member), &signed.body).await.map(Json)
}
