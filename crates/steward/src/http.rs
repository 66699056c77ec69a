//! The HTTP side: who may call what, and nothing else.

mod committee;
mod consents;
mod members;
mod public;
mod queries;

use std::sync::Arc;

use alloy::primitives::Address;
use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use axum::{Json, Router};
use rochdale_api::route::steward::{self as routes, Access, TABLE};
use rochdale_api::server::document;
use rochdale_api::server::{MAX_JSON, Signed, Verifier, answering, for_pages};
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_node::sealed::Sealer;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::steward::{Caller, Mirror, Steward};

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

#[derive(OpenApi)]
#[openapi(info(
    title = "Rochdale steward",
    description = "What a steward answers the gateway, members, workers and other stewards. Errors are RFC 9457 problem documents with a \
                   stable `code`. What names a member or a record between stewards is HPKE-sealed to the receiver's key on chain, and the \
                   answer to the asker's."
))]
struct Document;

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(public::health))
        .routes(routes!(public::sizes))
        .routes(routes!(public::settlement))
        .routes(routes!(public::demanded_row))
        .routes(routes!(public::erasure))
        .routes(routes!(consents::revoke))
        .routes(routes!(consents::erase))
        .routes(routes!(consents::standing))
        .routes(routes!(members::row_keys))
        .routes(routes!(members::offers))
        .routes(routes!(members::consents))
        .routes(routes!(members::contributions))
        .routes(routes!(members::claim_leaves))
        .routes(routes!(members::member_row))
        .routes(routes!(members::member_openings))
        .routes(routes!(members::opening))
        .routes(routes!(members::held))
        .routes(routes!(committee::shares))
        .routes(routes!(committee::scores))
        .routes(routes!(committee::scores_since))
        .routes(routes!(committee::catch_up))
        .routes(routes!(committee::reshare))
        .routes(routes!(committee::awards))
        .routes(routes!(committee::awards_held))
        .routes(routes!(committee::sheet))
        .routes(routes!(committee::sheets))
        .routes(routes!(committee::copies))
        .routes(routes!(queries::snapshots))
        .routes(routes!(queries::debits))
        .routes(routes!(queries::release))
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> Value {
    let (_, document) = api().split_for_parts();
    document::complete(&document, TABLE, |access| access != Access::Anyone)
}

/// The router of one steward.
pub fn router(steward: Arc<Steward>) -> Router {
    let identity = steward.identity();
    let (router, _) = api().split_for_parts();
    let router = document::served(router, &document())
        .layer(DefaultBodyLimit::max(MAX_JSON))
        .layer(axum::middleware::from_fn_with_state(steward.clone(), stir))
        .layer(axum::middleware::from_fn(rochdale_node::request::scoped))
        .with_state(App(steward));
    for_pages(answering(router, identity))
}

/// What is brought here, and is more than a question.
const DELIVERIES: [&str; 9] = [
    routes::REVOKE.path,
    routes::ERASE.path,
    routes::ROW_KEY.path,
    routes::OFFER.path,
    routes::CONSENT.path,
    routes::CONTRIBUTION.path,
    routes::SCORES.path,
    routes::AWARDS.path,
    routes::SHEET.path,
];

/// Layer of the router: what is brought here wakes the jobs of an idle steward. Questions do not, or stewards that lack something would
/// keep each other awake.
async fn stir(State(steward): State<Arc<Steward>>, request: Request, next: Next) -> Response {
    let sends = request.method() == Method::POST && DELIVERIES.contains(&request.uri().path());
    let response = next.run(request).await;
    if sends && response.status().is_success() {
        steward.stirred.notify_one();
    }
    response
}

impl App {
    /// The caller, as of the latest block: who was just removed is out.
    async fn caller(&self, signer: Address) -> Result<(Arc<Mirror>, Caller), Problem> {
        let mirror = self.0.at_head().await?;
        let caller = self.0.caller(&mirror, signer);
        Ok((mirror, caller))
    }

    async fn gateway(&self, signer: Address) -> Result<Arc<Mirror>, Problem> {
        match self.caller(signer).await? {
            (mirror, Caller::Gateway) => Ok(mirror),
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

    /// The member that the path names, and nobody else.
    async fn member<T>(&self, signed: &Signed<T>, member: MemberId) -> Result<Arc<Mirror>, Problem> {
        match self.caller(signed.signer).await? {
            (mirror, Caller::Member(caller)) if caller == member => Ok(mirror),
            (_, other) => Err(forbidden(signed, other, &format!("member {}", member.0))),
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
