//! The public API. Every route is made from its handler, so that router and OpenAPI document cannot differ; who may
//! call it stands in [`ENDPOINTS`], which the tests hold against both.

mod accounts;
mod auth;
mod blobs;
mod caller;
mod consents;
mod contributions;
mod members;
mod page;
mod polls;
mod public;
mod relay;

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::Address;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json, Router};
use rochdale_api::auth::Identity;
use rochdale_api::server::document::{self, Call};
use rochdale_api::server::{self, BodyLimit};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::Chain;
use rochdale_chain::deploy::Manifest;
use rochdale_node::callers::{Looks, access};
use rochdale_node::nonces::Nonces;
use rochdale_node::request;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::directory::Directory;
use crate::forward::Forward;
use crate::indexer::Index;
use crate::quota::Quota;
use crate::relayer::Relayer;
use crate::store::Store;
use crate::vault::Vault;

pub use auth::AppState;

/// How long a request may take: answering a query opens every record of the snapshot.
const LONGEST: Duration = Duration::from_secs(660);

/// Most bytes of a JSON body: a package for nine stewards has less than a tenth of it.
const MAX_BODY: usize = 256 << 10;

/// Everything that handlers use.
pub struct Gateway {
    /// Connection to the chain.
    pub chain: Chain,
    /// The cooperative that it serves, as it was deployed.
    pub manifest: Manifest,
    /// The gateway's own address.
    pub address: Address,
    /// The configured worker's address.
    pub worker: Address,
    /// The database that it alone writes.
    pub store: Store,
    /// What the chain said.
    pub index: Index,
    /// Sends transactions.
    pub relayer: Arc<Relayer>,
    /// Sealed records.
    pub vault: Arc<Vault>,
    /// Stewards and worker.
    pub directory: Directory,
    /// Calls them.
    pub forward: Forward,
    /// How the gateway signs requests and answers.
    pub identity: Identity,
    /// Looks at the chain for callers that the index does not know.
    pub looks: Looks,
    /// Nonces of signed requests.
    pub nonces: Nonces,
    /// What uploads may take.
    pub quota: Arc<Quota>,
}

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone: it reads what the chain shows to all, or has the chain pay what it owes anyway.
    Public,
    /// Anyone who brings a statement that a member, the registrar or a researcher signed; the contract, the stewards
    /// or the worker check it.
    Statement,
    /// Anyone, within limits: what no package names is deleted.
    Upload,
    /// A worker, or the member whose blob it is.
    Blob,
    /// A steward that a quorum with it permits to score the record.
    Scorer,
    /// A steward.
    Steward,
    /// A worker.
    Worker,
    /// A worker or a steward.
    WorkerOrSteward,
}

/// Every endpoint with who may call it.
pub const ENDPOINTS: &[(&str, &str, Access)] = &[
    ("GET", "/", Access::Public),
    ("GET", "/openapi.json", Access::Public),
    ("GET", "/v1/health", Access::Public),
    ("GET", "/v1/cooperative", Access::Public),
    ("GET", "/v1/treasury", Access::Public),
    ("GET", "/v1/licenses", Access::Public),
    ("GET", "/v1/licenses/{id}", Access::Public),
    ("GET", "/v1/datasets", Access::Public),
    ("GET", "/v1/epochs/{epoch}", Access::Public),
    ("GET", "/v1/budget", Access::Public),
    ("GET", "/v1/sizes", Access::Public),
    ("POST", "/v1/row-keys/offers", Access::Statement),
    ("POST", "/v1/members", Access::Statement),
    ("POST", "/v1/members/leave", Access::Statement),
    ("POST", "/v1/members/payout", Access::Statement),
    ("GET", "/v1/members/{id}", Access::Public),
    ("GET", "/v1/members/by-account/{address}", Access::Public),
    ("POST", "/v1/accounts", Access::Statement),
    ("POST", "/v1/accounts/execute", Access::Statement),
    ("GET", "/v1/accounts/{address}", Access::Public),
    ("POST", "/v1/consents", Access::Statement),
    ("POST", "/v1/consents/revoke", Access::Statement),
    ("POST", "/v1/consents/erase", Access::Statement),
    ("GET", "/v1/blobs", Access::Worker),
    ("PUT", "/v1/blobs/{cid}", Access::Upload),
    ("GET", "/v1/blobs/{cid}", Access::Blob),
    ("POST", "/v1/blobs/{cid}", Access::Scorer),
    ("POST", "/v1/contributions", Access::Statement),
    ("GET", "/v1/contributions/{commitment}", Access::Public),
    ("POST", "/v1/claims", Access::Public),
    ("POST", "/v1/queries", Access::Statement),
    ("POST", "/v1/debits", Access::WorkerOrSteward),
    ("POST", "/v1/receipts", Access::Worker),
    ("POST", "/v1/settlement/proposals", Access::Steward),
    ("POST", "/v1/settlement/demands", Access::Statement),
    ("POST", "/v1/settlement/contests", Access::Statement),
    ("POST", "/v1/settlement/answers", Access::Steward),
    ("POST", "/v1/sealing-keys", Access::Steward),
    ("POST", "/v1/polls", Access::Statement),
    ("GET", "/v1/polls", Access::Public),
    ("POST", "/v1/polls/{id}/ballots", Access::Statement),
    ("GET", "/v1/polls/{id}/ballots", Access::Public),
];

#[derive(OpenApi)]
#[openapi(info(
    title = "Rochdale gateway",
    description = "Public API of a patient data cooperative. Errors are RFC 9457 problem documents with a stable `code`. \
                   Statements in bodies are EIP-712; requests that need a caller are signed in the headers \
                   `rochdale-signer`, `rochdale-nonce`, `rochdale-deadline`, `rochdale-signature`."
))]
struct Document;

/// The OpenAPI document.
#[must_use]
pub fn document() -> Value {
    let (_, document) = api().split_for_parts();
    document::complete(&document, |method, path| match access(ENDPOINTS, method, path) {
        Some(Access::Public | Access::Statement | Access::Upload) => Call::Open,
        _ => Call::Signed,
    })
}

/// The routes that it serves.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let identity = gateway.identity.clone();
    let (router, _) = api().split_for_parts();
    let router = router
        .route("/", axum::routing::get(page::page))
        .route("/openapi.json", document::route(&document()))
        .fallback(async || Problem::new(ProblemCode::NotFound, "there is no such path").hint("see /openapi.json"))
        .method_not_allowed_fallback(async || {
            Problem::new(ProblemCode::MethodNotAllowed, "this path does not take this method").hint("see /openapi.json")
        })
        // Handlers set their own limits: JSON this one, blobs as configured.
        .layer(DefaultBodyLimit::disable())
        .layer(Extension(BodyLimit(MAX_BODY)))
        .layer(middleware::from_fn(bounded))
        .layer(middleware::from_fn(protective))
        .layer(middleware::from_fn(request::scoped))
        .with_state(AppState(gateway));
    server::answering(router, identity)
}

fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(public::health))
        .routes(routes!(public::cooperative))
        .routes(routes!(public::treasury))
        .routes(routes!(public::licenses))
        .routes(routes!(public::license))
        .routes(routes!(public::datasets))
        .routes(routes!(public::epoch))
        .routes(routes!(public::budget))
        .routes(routes!(public::sizes))
        .routes(routes!(members::offer_key))
        .routes(routes!(members::join))
        .routes(routes!(members::leave))
        .routes(routes!(members::payout))
        .routes(routes!(members::member))
        .routes(routes!(members::by_account))
        .routes(routes!(accounts::create))
        .routes(routes!(accounts::execute))
        .routes(routes!(accounts::view))
        .routes(routes!(consents::grant))
        .routes(routes!(consents::revoke))
        .routes(routes!(consents::erase))
        .routes(routes!(blobs::list))
        .routes(routes!(blobs::put, blobs::get, blobs::score))
        .routes(routes!(contributions::contribute))
        .routes(routes!(contributions::status))
        .routes(routes!(relay::claims))
        .routes(routes!(relay::queries))
        .routes(routes!(relay::debits))
        .routes(routes!(relay::receipts))
        .routes(routes!(relay::proposals))
        .routes(routes!(relay::demands))
        .routes(routes!(relay::contests))
        .routes(routes!(relay::answers))
        .routes(routes!(relay::sealing_keys))
        .routes(routes!(polls::create, polls::list))
        .routes(routes!(polls::vote, polls::ballots))
}

/// No request holds a connection for ever.
async fn bounded(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(ProblemCode::PeerUnavailable, format!("no answer within {} s", LONGEST.as_secs()))
            .hint("ask again; what took effect meanwhile is answered, not repeated")
            .into_response(),
    }
}

/// Headers that keep browsers from guessing, framing and leaking.
async fn protective(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

type Answered<T> = Result<Json<T>, Problem>;
type App = State<AppState>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_in_the_document_and_in_the_table_of_actors() {
        let mut documented = BTreeSet::new();
        for (path, item) in document()["paths"].as_object().into_iter().flatten() {
            for method in item.as_object().into_iter().flat_map(|item| item.keys()) {
                documented.insert((method.to_uppercase(), path.clone()));
            }
        }
        // The two that are not made by a documented handler.
        for path in ["/", "/openapi.json"] {
            documented.insert(("GET".to_owned(), path.to_owned()));
        }
        let table: BTreeSet<(String, String)> =
            ENDPOINTS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
        assert_eq!(table.len(), ENDPOINTS.len(), "an endpoint stands twice in the table");
        assert_eq!(documented, table);
    }

    #[test]
    fn the_document_says_how_to_call_and_what_is_answered() {
        assert_eq!(document::gaps(&document()), Vec::<String>::new());
    }
}
