//! What the three services share on the receiving side: the signed-request extractor, problem responses,
//! configuration files, telemetry and a clean stop.

use crate::auth::{AuthError, Credentials, Described};
use crate::{Problem, ProblemCode};
use alloy_primitives::{Address, U256};
use alloy_sol_types::Eip712Domain;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

/// JSON bodies above this many bytes are refused; blobs have their own limit.
pub const MAX_JSON: usize = 16 << 20;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::warn!(code = ?self.code, detail = %self.detail, "answered with a problem");
        }
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        (status, [(header::CONTENT_TYPE, kind)], body).into_response()
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        Self::new(ProblemCode::Unauthenticated, error.to_string())
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
    /// Remembers a nonce until its deadline; `false` where it was seen before.
    fn use_nonce(&self, signer: Address, nonce: U256, deadline: u64) -> Answer<'_, bool>;
}

/// A verified request body: JSON by a signer whose key signed this very call.
#[derive(Clone, Debug)]
pub struct Signed<T> {
    /// Who signed.
    pub signer: Address,
    /// The parsed body.
    pub body: T,
}

/// A JSON body, with an error that names the place in it.
#[derive(Clone, Debug)]
pub struct JsonBody<T>(pub T);

impl<S, T> FromRequest<S> for Signed<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
    Arc<dyn Verifier>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let verifier = Arc::<dyn Verifier>::from_ref(state);
        let (parts, body) = request.into_parts();
        let bytes = read(body, MAX_JSON).await?;
        let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
        let signer = verify(&*verifier, &parts.headers, parts.method.as_str(), path, &bytes).await?;
        // A signed GET carries no body; its body type is `()`.
        let body = parse(if bytes.is_empty() { b"null" } else { &bytes })?;
        Ok(Self { signer, body })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        parse(&read(request.into_body(), MAX_JSON).await?).map(Self)
    }
}

/// Checks a request's credentials and spends its nonce.
///
/// # Errors
/// A problem of code `unauthenticated`, or what the verifier's chain and store answer.
pub async fn verify(
    verifier: &dyn Verifier,
    headers: &HeaderMap,
    method: &str,
    path: &str,
    body: &[u8],
) -> Result<Address, Problem> {
    let credentials = Credentials::from_headers(|name| headers.get(name).and_then(|v| v.to_str().ok()))?;
    let (nonce, deadline) = (credentials.nonce, credentials.deadline);
    let described = Described { audience: verifier.audience(), method, path, body, nonce, deadline };
    let signer = credentials.verify(verifier.domain(), &described, verifier.now().await?)?;
    if !verifier.use_nonce(signer, nonce, deadline).await? {
        return Err(AuthError::Replayed { signer, nonce }.into());
    }
    Ok(signer)
}

async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    to_bytes(body, limit).await.map_err(|error| {
        Problem::new(ProblemCode::TooLarge, format!("the body could not be read within {limit} bytes: {error}"))
            .hint("send fewer items in one request")
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        Problem::new(ProblemCode::BadRequest, format!("at {}: {}", error.path(), error.inner()))
            .hint("see /openapi.json for the fields that are taken")
    })?;
    reader.end().map_err(|error| Problem::new(ProblemCode::BadRequest, format!("after the JSON value: {error}")))?;
    Ok(value)
}

/// Why a configuration file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not understood.
    #[error("{}:{line}: {message}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The key at fault and what is expected.
        message: String,
    },
}

/// Reads a TOML configuration; an unknown or wrong key is refused with file, line and key.
///
/// # Errors
/// Where the file cannot be read or is not understood.
pub fn load_config<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    parse_config(path, &text)
}

/// [`load_config`] on text that is there already; `path` is for the message.
///
/// # Errors
/// Where the text is not understood.
pub fn parse_config<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text[..start].matches('\n').count() + 1;
        let source = text.lines().nth(line - 1).unwrap_or_default().trim();
        let key = source.split('=').next().unwrap_or_default().trim();
        let message = format!("key `{key}`: {}", error.message());
        ConfigError::Refused { path: path.to_owned(), line, message }
    })
}

/// Logs to standard error; `RUST_LOG` chooses what, `info` by default.
pub fn init_telemetry() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A second call in one process (tests) keeps the first.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// Completes at SIGTERM or SIGINT.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("signals cannot be heard: stop this process by SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Serves `router` until `stop` completes, then lets running requests finish.
///
/// # Errors
/// Where the address cannot be bound or the listener fails.
pub async fn serve(
    address: SocketAddr,
    router: axum::Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|e| std::io::Error::new(e.kind(), format!("cannot listen on {address}: {e}")))?;
    // The port that was given, where the configuration leaves it to the system.
    tracing::info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code)]
        listen: SocketAddr,
    }

    #[test]
    fn a_config_that_is_not_understood_names_file_line_and_key() {
        let text = "# a comment\nlisten = \"127.0.0.1:1\"\nlissten = 3\n";
        let error = parse_config::<Sample>(Path::new("gateway.toml"), text).unwrap_err().to_string();
        assert!(error.starts_with("gateway.toml:3: key `lissten`: unknown field"), "{error}");
        let error = parse_config::<Sample>(Path::new("gateway.toml"), "listen = 7\n").unwrap_err().to_string();
        assert!(error.starts_with("gateway.toml:1: key `listen`: "), "{error}");
    }
}
