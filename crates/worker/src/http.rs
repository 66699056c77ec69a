//! The worker's HTTP surface: health for everyone, queries from the gateway alone.

use std::sync::Arc;

use alloy::primitives::{Address, B256};
use axum::extract::{FromRef, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use rochdale_api::order::{QueryRequest, SealedAnswer};
use rochdale_api::route::gateway;
use rochdale_api::route::worker::{self as route, Access};
use rochdale_api::server::document;
use rochdale_api::server::{PathOf, Signed, Verifier, answering};
use rochdale_api::shape::CidText;
use rochdale_api::status::Health;
use rochdale_api::{Problem, ProblemCode};
use rochdale_crypto::Cid;
use rochdale_crypto::cid::CidError;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problems::internal;
use crate::query::answer_detached;
use crate::worker::{Mirror, Worker};

/// What handlers get.
#[derive(Clone)]
pub struct App {
    worker: Arc<Worker>,
    verifier: Arc<dyn Verifier>,
}

impl FromRef<App> for Arc<dyn Verifier> {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

impl FromRef<App> for Arc<Worker> {
    fn from_ref(app: &App) -> Self {
        app.worker.clone()
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Rochdale worker",
    description = "What a worker answers the gateway. Errors are RFC 9457 problem documents with a stable `code`. Researchers ask through \
                   the gateway."
))]
struct Document;

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health))
        .routes(routes!(queries))
        .routes(routes!(blob))
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> Value {
    let (_, document) = api().split_for_parts();
    document::complete(&document, route::TABLE, |access| access != Access::Anyone)
}

/// All routes.
pub fn router(worker: Arc<Worker>) -> Router {
    let verifier: Arc<dyn Verifier> = worker.clone();
    let identity = worker.identity();
    let (router, _) = api().split_for_parts();
    let router = document::served(router, &document())
        .layer(axum::middleware::from_fn(rochdale_node::request::scoped))
        .with_state(App { worker, verifier });
    answering(router, identity)
}

/// Answers an order on what it may count. For the gateway. Sent again, it gives the same answer.
#[utoipa::path(
    post, path = route::QUERY.path, tag = "queries", request_body = QueryRequest,
    responses(
        (status = 200, description = "The sealed answer", body = SealedAnswer),
        (status = 403, description = "Not by the gateway, or the license does not allow it", body = Problem),
        (status = 422, description = "Too few records or stewards", body = Problem),
        (status = 429, description = "The privacy budget does not suffice", body = Problem),
        (status = 503, description = "Stewards, gateway or chain cannot be reached", body = Problem),
    )
)]
async fn queries(
    State(worker): State<Arc<Worker>>,
    request: Signed<QueryRequest>,
) -> Result<Json<SealedAnswer>, Problem> {
    let mirror = expect_gateway(&worker, request.signer).await?;
    Ok(Json(answer_detached(worker, mirror, request.body).await?))
}

/// The signer as of the latest block.
async fn expect_gateway(worker: &Worker, signer: Address) -> Result<Arc<Mirror>, Problem> {
    let mirror = worker.at_head().await?;
    if mirror.latest.gateway == Some(signer) {
        return Ok(mirror);
    }
    let detail = format!("{signer} is not the gateway: queries come through it");
    Err(Problem::new(ProblemCode::Forbidden, detail).hint(format!("POST {} at the gateway", gateway::QUERY.path)))
}

/// A sealed record of the worker's copy of the vault, whole. For a gateway whose own is damaged.
#[utoipa::path(
    get, path = route::BLOB.path, tag = "vault",
    params(("cid" = CidText, Path, description = "CIDv1, raw, SHA-256")),
    responses(
        (status = 200, description = "The sealed record", body = [u8], content_type = "application/octet-stream"),
        (status = 400, description = "Not a CID", body = Problem),
        (status = 403, description = "Not by the gateway", body = Problem),
        (status = 404, description = "Not held", body = Problem),
    )
)]
async fn blob(
    State(worker): State<Arc<Worker>>,
    PathOf(name): PathOf<String>,
    signed: Signed<()>,
) -> Result<Response, Problem> {
    expect_gateway(&worker, signed.signer).await?;
    let cid: Cid = name.parse().map_err(|e: CidError| Problem::new(ProblemCode::BadRequest, e.to_string()))?;
    let held = worker.replica.read(B256::from(*cid.sha256())).await.map_err(internal)?;
    let held = held.ok_or_else(|| Problem::new(ProblemCode::NotFound, format!("blob {cid} is not held")))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], held).into_response())
}

/// Whether the worker can work, and what is wrong where it cannot.
#[utoipa::path(
    get, path = route::HEALTH.path, tag = "public",
    responses((status = 200, description = "It can work", body = Health), (status = 503, description = "It cannot", body = Health))
)]
async fn health(State(worker): State<Arc<Worker>>) -> (StatusCode, Json<Health>) {
    let mut problems = worker.faults();
    let seen = match worker.at_head().await {
        Ok(mirror) => {
            let registered = mirror.latest.workers.get(&worker.address());
            if registered != Some(&worker.keys.public().sealing_key) {
                problems.push(format!("{} is not registered on chain with this sealing key", worker.address()));
                None
            } else {
                Some(mirror)
            }
        }
        Err(problem) => {
            problems.push(problem.detail);
            None
        }
    };
    let ok = seen.is_some();
    let head = seen.or_else(|| worker.mirror()).map(|mirror| mirror.head.latest);
    let number = head.map_or(0, |block| block.number);
    let health = Health {
        service: "worker".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ok,
        address: worker.address(),
        head: number,
        indexed: number,
        now: head.map_or(0, |block| block.timestamp),
        problems,
        waiting_for: worker.peers.waited_for(),
    };
    (if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_table_and_says_how_to_call_and_what_is_answered() {
        let document = document();
        assert_eq!(document::gaps(&document), Vec::<String>::new());
        assert_eq!(document::differences(&document, route::TABLE, &[route::OPENAPI.path]), Vec::<String>::new());
    }
}
