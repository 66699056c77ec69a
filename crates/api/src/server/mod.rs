//! What the three services share on the receiving side: the signed-request extractor, signed answers, problem responses,
//! configuration files, logs and a clean stop.

mod answers;
mod config;
mod connections;
pub mod document;
mod linger;
mod listen;
mod pages;
mod params;
mod seldom;

pub use answers::answering;
pub use config::{ConfigError, begin, load_config, parse_config, private_files};
pub use connections::Bounds;
pub use listen::{holder, serve, serve_on, stop_signal};
pub use pages::for_pages;
pub use params::{PathOf, QueryOf};
use seldom::Seldom;

use crate::auth::{AuthError, Credentials, Described, Session};
use crate::{Problem, ProblemCode};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::Eip712Domain;
use answers::Heard;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::{Extensions, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Content type of a problem document.
pub const PROBLEM: &str = "application/problem+json";

/// What a 401 asks for: the four headers of [`crate::auth`].
const SCHEME: &str = "Rochdale-Request";

/// JSON bodies above this many bytes are refused; blobs have their own limit.
pub const MAX_JSON: usize = 16 << 20;

/// How long a JSON body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(20);

/// Most bytes of a route's JSON body, where it is fewer than [`MAX_JSON`]: `.layer(Extension(BodyLimit(1 << 10)))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit(pub usize);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::warn!(code = ?self.code, detail = %self.detail, "answered with a problem");
        }
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let kind = HeaderValue::from_static(PROBLEM);
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(SCHEME));
        }
        response
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let code = match error {
            AuthError::Missing(_) | AuthError::Malformed(..) | AuthError::WrongSignature { .. } => {
                ProblemCode::Unauthenticated
            }
            AuthError::Expired { .. } | AuthError::TooLong { .. } | AuthError::SessionOver { .. } => {
                ProblemCode::Expired
            }
            AuthError::Replayed { .. } => ProblemCode::Replayed,
        };
        Self::new(code, error.to_string())
    }
}

/// A future behind a trait object.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send + 'a>>;

/// What a service knows to check a signed request.
pub trait Verifier: Send + Sync {
    /// The cooperative's request domain.
    fn domain(&self) -> &Eip712Domain;
    /// This process's address.
    fn audience(&self) -> Address;
    /// Block time at this process's RPC.
    fn now(&self) -> Answer<'_, u64>;
    /// Whether the chain knows this signer as one who may call `path` by `method`; an error where not. Nothing is read,
    /// locked or written for a caller before this.
    fn admit<'a>(&'a self, signer: Address, method: &'a str, path: &'a str) -> Answer<'a, ()>;
    /// Whether an account said that `key` reads for it, and this route is for that; an error where not. Whoever cannot tell takes no
    /// sessions.
    fn vouch<'a>(&'a self, _: &'a Session, _key: Address, _method: &'a str, _path: &'a str) -> Answer<'a, ()> {
        Box::pin(async {
            Err(Problem::new(ProblemCode::Forbidden, "no session is taken here: sign the request with the key itself"))
        })
    }
    /// Whether a request on this route counts once; not where to take it again changes nothing and whoever draws a key may call.
    fn counts_once(&self, _method: &str, _path: &str) -> bool {
        true
    }
    /// Remembers a nonce until its deadline; `false` where it was seen before. `now` is block time.
    fn use_nonce(&self, signer: Address, nonce: U256, deadline: u64, now: u64) -> Answer<'_, bool>;
}

/// A verified request body: JSON by a signer whose key signed this very call.
#[derive(Clone, Debug)]
pub struct Signed<T> {
    /// Who asks: the address that signed, or for which it did in a session.
    pub signer: Address,
    /// The parsed body.
    pub body: T,
}

/// A JSON body, with an error that names the place in it.
#[derive(Clone, Debug)]
pub struct JsonBody<T>(pub T);

/// A request whose signature holds, with its bytes.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Who asks: the address that signed, or for which it did in a session.
    pub signer: Address,
    /// Digest of the request, which an answer's signature names.
    pub request: B256,
    /// The request's body.
    pub body: Bytes,
}

impl Verified {
    /// Checks who calls and whether they may, in a session for whom and whether that is so, reads the body, checks the signature over it, and spends the nonce: in this
    /// order, so that whoever the chain does not know costs no memory and no write.
    ///
    /// # Errors
    /// A problem of code `unauthenticated`, `forbidden` or `too_large`, or what the verifier's chain and store answer.
    pub async fn of(request: Request, verifier: &dyn Verifier) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let header = |name: &'static str| parts.headers.get(name).and_then(|v| v.to_str().ok());
        let (credentials, session) = (Credentials::from_headers(header)?, Session::from_headers(header)?);
        let (method, place) = (parts.method.as_str(), parts.uri.path());
        let caller = session.as_ref().map_or(credentials.signer, |session| session.account);
        verifier.admit(caller, method, place).await?;
        let now = verifier.now().await?;
        credentials.in_time(now)?;
        if let Some(session) = &session {
            session.in_time(now)?;
            verifier.vouch(session, credentials.signer, method, place).await?;
        }
        let body = read(body, &parts.extensions).await?;
        let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
        let (nonce, deadline) = (credentials.nonce, credentials.deadline);
        let described = Described { audience: verifier.audience(), method, path, body: &body, nonce, deadline };
        let signer = credentials.verify(verifier.domain(), &described, now)?;
        // In a session by the account, whose keys are without number.
        if verifier.counts_once(method, place) && !verifier.use_nonce(caller, nonce, deadline, now).await? {
            return Err(AuthError::Replayed { signer, nonce }.into());
        }
        let request = described.digest(verifier.domain());
        Ok(Self { signer: caller, request, body })
    }
}

impl<S, T> FromRequest<S> for Signed<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
    Arc<dyn Verifier>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let verifier = Arc::<dyn Verifier>::from_ref(state);
        let Verified { signer, body, .. } = Verified::of(request, &*verifier).await?;
        // A signed GET carries no body; its body type is `()`.
        let body = parse(if body.is_empty() { b"null" } else { &body })?;
        Ok(Self { signer, body })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        parse(&read(body, &parts.extensions).await?).map(Self)
    }
}

async fn read(body: Body, extensions: &Extensions) -> Result<Bytes, Problem> {
    let limit = extensions.get::<BodyLimit>().map_or(MAX_JSON, |limit| limit.0);
    let read = tokio::time::timeout(BODY_TIME, to_bytes(body, limit)).await.map_err(|_| {
        let detail = format!("the body did not arrive within {} s", BODY_TIME.as_secs());
        Problem::new(ProblemCode::TooSlow, detail).hint("send it again over a faster connection, or in parts")
    })?;
    let bytes = read.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            let detail = format!("the body has more than {limit} bytes");
            Problem::new(ProblemCode::TooLarge, detail).hint("send fewer items in one request")
        } else {
            Problem::new(ProblemCode::BadRequest, "the body ended before its end").hint("send it again")
        }
    })?;
    if let Some(heard) = extensions.get::<Heard>() {
        heard.note(&bytes);
    }
    Ok(bytes)
}

/// Parses JSON, with an error that names the place in it.
///
/// # Errors
/// A problem of code `bad_request`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        Problem::new(ProblemCode::BadRequest, format!("at {}: {}", error.path(), error.inner()))
            .hint("see /openapi.json for the fields that are taken")
    })?;
    reader.end().map_err(|error| Problem::new(ProblemCode::BadRequest, format!("after the JSON value: {error}")))?;
    Ok(value)
}
