//! The public API. Every route is made from its handler, so that router and OpenAPI document cannot differ; who may
//! call it, and what it takes and answers, stands in [`TABLE`], which the tests hold against both.

mod accounts;
mod admissions;
mod auth;
mod blobs;
mod caller;
mod chain;
mod consents;
mod contributions;
mod governance;
mod kpis;
mod lockers;
mod members;
mod operations;
mod page;
mod polls;
mod public;
mod relay;
mod site;
mod views;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::Address;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json, Router};
use rochdale_api::auth::Identity;
use rochdale_api::client::Client;
use rochdale_api::route::gateway::{Access, PAGE, TABLE};
use rochdale_api::server::{self, BodyLimit, document};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::Chain;
use rochdale_chain::deploy::Manifest;
use rochdale_node::callers::Looks;
use rochdale_node::nonces::Nonces;
use rochdale_node::request;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::CodeConfig;
use crate::directory::Directory;
use crate::erasure::Erasure;
use crate::forward::Forward;
use crate::indexer::Index;
use crate::lockers::Lockers;
use crate::proposals::Proposals;
use crate::quota::Quota;
use crate::relayer::{CallQuota, Relayer};
use crate::scrub::Scrub;
use crate::store::Store;
use crate::vault::Vault;

pub use auth::AppState;
pub use chain::Reads;
pub use kpis::Board;
pub use polls::BALLOTS_PER_HOUR;
pub use site::{Site, SiteError};
pub use views::Views;

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
    /// The registrar, where one is configured.
    pub registrar: Option<Client>,
    /// What is asked of it.
    pub applications: CallQuota,
    /// How the gateway signs requests and answers.
    pub identity: Identity,
    /// Looks at the chain for callers that the index does not know.
    pub looks: Looks,
    /// Nonces of signed requests.
    pub nonces: Nonces,
    /// Looks at the vault's records again.
    pub scrub: Scrub,
    /// Deletes what was erased.
    pub erasure: Erasure,
    /// What members' browsers keep here.
    pub lockers: Lockers,
    /// Key figures of the newest block.
    pub board: kpis::Board,
    /// What ballots may come.
    pub ballots: CallQuota,
    /// What was asked about proposals.
    pub proposals: Proposals,
    /// What may be asked of the chain.
    pub reads: Reads,
    /// What uploads may take.
    pub quota: Arc<Quota>,
    /// Codes that are said to occur in datasets.
    pub codes: Vec<CodeConfig>,
    /// Public answers of the newest state.
    pub views: Views,
    /// The file that says what whoever tries a local cooperative out starts with.
    pub welcome: Option<PathBuf>,
    /// The web app, where one is configured.
    pub site: Option<Arc<Site>>,
}

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
    document::complete(&document, TABLE, Access::is_signed)
}

/// The routes that it serves.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let identity = gateway.identity.clone();
    let (router, _) = api().split_for_parts();
    let state = AppState(gateway);
    let router = document::served(router.route(PAGE.path, axum::routing::get(page::page)), &document())
        // Handlers set their own limits: JSON this one, blobs as configured.
        .layer(DefaultBodyLimit::disable())
        .layer(Extension(BodyLimit(MAX_BODY)))
        .layer(middleware::from_fn_with_state(state.clone(), views::kept))
        .layer(middleware::from_fn(bounded))
        .layer(middleware::from_fn(protective))
        .layer(middleware::from_fn(request::scoped));
    let router = match &state.site {
        Some(site) => router.layer(middleware::from_fn_with_state(Arc::clone(site), site::served)),
        None => router,
    };
    server::answering(router.with_state(state), identity)
}

fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(public::health))
        .routes(routes!(public::cooperative))
        .routes(routes!(public::welcome))
        .routes(routes!(public::treasury))
        .routes(routes!(public::licenses))
        .routes(routes!(public::license))
        .routes(routes!(public::datasets))
        .routes(routes!(public::epoch))
        .routes(routes!(chain::read))
        .routes(routes!(public::budget))
        .routes(routes!(public::sizes))
        .routes(routes!(admissions::state, admissions::apply))
        .routes(routes!(members::offer_key))
        .routes(routes!(members::join))
        .routes(routes!(members::leave))
        .routes(routes!(members::payout))
        .routes(routes!(members::member))
        .routes(routes!(members::by_account))
        .routes(routes!(accounts::create))
        .routes(routes!(accounts::execute))
        .routes(routes!(accounts::view))
        .routes(routes!(accounts::approve_recovery))
        .routes(routes!(accounts::execute_recovery))
        .routes(routes!(lockers::get, lockers::put))
        .routes(routes!(consents::grant))
        .routes(routes!(consents::revoke))
        .routes(routes!(consents::erase))
        .routes(routes!(blobs::list))
        .routes(routes!(blobs::put, blobs::get, blobs::score))
        .routes(routes!(blobs::join))
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
        .routes(routes!(governance::proposals))
        .routes(routes!(governance::proposal))
        .routes(routes!(governance::member_votes))
        .routes(routes!(governance::delegates))
        .routes(routes!(governance::rewards))
        .routes(routes!(governance::services))
        .routes(routes!(operations::constitution))
        .routes(routes!(operations::operations))
        .routes(routes!(operations::log))
        .routes(routes!(kpis::kpis))
        .routes(routes!(kpis::table))
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
    use rochdale_api::route::gateway::OPENAPI;

    #[test]
    fn the_document_is_the_table_and_says_how_to_call_and_what_is_answered() {
        let document = document();
        assert_eq!(document::differences(&document, TABLE, &[PAGE.path, OPENAPI.path]), Vec::<String>::new());
        assert_eq!(document::gaps(&document), Vec::<String>::new());
    }
}
