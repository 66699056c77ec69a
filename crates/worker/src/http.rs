//! The worker's HTTP surface: health for everyone, queries from the gateway alone.

use std::sync::Arc;

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use rochdale_api::order::{QueryRequest, SealedAnswer};
use rochdale_api::server::{Signed, Verifier, answering};
use rochdale_api::status::Health;
use rochdale_api::{Problem, ProblemCode};

use crate::query::answer_detached;
use crate::worker::Worker;

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

/// All routes.
pub fn router(worker: Arc<Worker>) -> Router {
    let verifier: Arc<dyn Verifier> = worker.clone();
    let identity = worker.identity();
    let router = Router::new()
        .route("/v1/health", get(health))
        .route("/v1/queries", post(queries))
        .fallback(async || Problem::new(ProblemCode::NotFound, "the worker has /v1/health and /v1/queries"))
        .method_not_allowed_fallback(async || {
            Problem::new(ProblemCode::MethodNotAllowed, "this path does not take this method")
        })
        .layer(axum::middleware::from_fn(rochdale_node::request::scoped))
        .with_state(App { worker, verifier });
    answering(router, identity)
}

async fn queries(
    State(worker): State<Arc<Worker>>,
    request: Signed<QueryRequest>,
) -> Result<Json<SealedAnswer>, Problem> {
    let mirror = worker.at_head().await?;
    if mirror.latest.gateway != Some(request.signer) {
        let detail = format!("{} is not the gateway: queries come through it", request.signer);
        return Err(Problem::new(ProblemCode::Forbidden, detail).hint("POST /v1/queries at the gateway"));
    }
    Ok(Json(answer_detached(worker, mirror, request.body).await?))
}

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
