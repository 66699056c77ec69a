//! What pages of other addresses may ask of a process.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, Method, header};
use tower_http::cors::{Any, CorsLayer};

use crate::auth::{ANSWER_SIGNATURE, DEADLINE, NONCE, SESSION, SIGNATURE, SIGNER};
use crate::trace;

/// How long a browser remembers that it may ask.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// Lets a page of any address ask: the cooperative's app is at its gateway, and this process is not. No cookie and nothing else that a
/// browser adds by itself counts here, so that a page can do no more than anybody who opens a connection.
pub fn for_pages(router: Router) -> Router {
    let named = [SIGNER, NONCE, DEADLINE, SIGNATURE, SESSION, trace::HEADER].map(HeaderName::from_static);
    let layer = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(named.into_iter().chain([header::CONTENT_TYPE, header::ACCEPT]).collect::<Vec<_>>())
        .expose_headers([HeaderName::from_static(ANSWER_SIGNATURE)])
        .max_age(REMEMBERED);
    router.layer(layer)
}
