//! Signed answers: a process's word is its own, whoever carries it.

use crate::auth::{self, Described, Identity};
use crate::{Problem, ProblemCode};
use alloy::signers::SignerSync as _;
use alloy_primitives::{B256, U256, hex, keccak256};
use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use std::sync::{Arc, OnceLock};

/// Larger answers are streamed.
const MAX_ANSWER: u64 = 64 << 20;

/// The hash of the body that an extractor read, for the answer's signature.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<OnceLock<B256>>);

impl Heard {
    pub(super) fn note(&self, body: &[u8]) {
        // A body is read once.
        let _ = self.0.set(keccak256(body));
    }
}

/// Signs every answer of `router` to a request that brings a nonce. Streamed bodies are not signed: what is streamed is
/// named by its content. A refusal that was decided before the body was read is signed over a body hash of zero.
pub fn answering(router: Router, identity: Identity) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(identity), sign))
}

async fn sign(State(identity): State<Arc<Identity>>, mut request: Request, next: Next) -> Response {
    let Some(nonce) = number(request.headers(), auth::NONCE) else { return next.run(request).await };
    let deadline = number(request.headers(), auth::DEADLINE).unwrap_or_default().saturating_to();
    // One router may stand inside another that signs too: both sign for the same body.
    let heard: Heard = request.extensions().get().cloned().unwrap_or_default();
    request.extensions_mut().insert(heard.clone());
    let method = request.method().clone();
    let path = request.uri().path_and_query().map_or_else(|| "/".to_owned(), |p| p.as_str().to_owned());
    let response = next.run(request).await;
    if response.body().size_hint().exact().is_none_or(|bytes| bytes > MAX_ANSWER) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Its length is known and bounded; it is in memory already.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let audience = identity.key.address();
    let described = Described { audience, method: method.as_str(), path: &path, body: &[], nonce, deadline };
    let unread = if matches!(method, Method::GET | Method::HEAD) { keccak256([]) } else { B256::ZERO };
    let request = described.digest_over(heard.0.get().copied().unwrap_or(unread), &identity.domain);
    let digest = auth::answer_digest(&identity.domain, request, parts.status.as_u16(), &bytes);
    let signed = identity.key.sign_hash_sync(&digest).ok();
    let value = signed.and_then(|s| HeaderValue::from_str(&hex::encode_prefixed(s.as_bytes())).ok());
    let Some(value) = value else {
        return Problem::new(ProblemCode::Internal, "the answer could not be signed").into_response();
    };
    parts.headers.insert(auth::ANSWER_SIGNATURE, value);
    Response::from_parts(parts, Body::from(bytes))
}

fn number(headers: &HeaderMap, name: &str) -> Option<U256> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
