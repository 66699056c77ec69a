//! A typed client that signs its requests, with timeouts and problems as errors.

use crate::auth::{self, Described};
use crate::{Problem, ProblemCode};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, U256, hex};
use alloy_sol_types::Eip712Domain;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long a request may take: answering a query opens every record of the snapshot.
const TIMEOUT: Duration = Duration::from_secs(600);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Seconds of block time that a signed request stays valid.
const LIFETIME: u64 = 1_800;

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The process answered with a problem.
    #[error("{url}: {problem}")]
    Problem {
        /// What was called.
        url: String,
        /// What it said.
        problem: Box<Problem>,
    },
    /// It did not answer.
    #[error("{url} does not answer: {source}")]
    Unreachable {
        /// What was called.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// It answered something else than the contract says.
    #[error("{url} answered what is not understood: {what}")]
    Garbled {
        /// What was called.
        url: String,
        /// What is wrong.
        what: String,
    },
    /// The request could not be signed.
    #[error("the request could not be signed: {0}")]
    Signing(String),
}

impl ClientError {
    /// The problem's code, where there is one; `PeerUnavailable` where nothing answered.
    #[must_use]
    pub fn code(&self) -> ProblemCode {
        match self {
            Self::Problem { problem, .. } => problem.code,
            Self::Unreachable { .. } => ProblemCode::PeerUnavailable,
            Self::Garbled { .. } | Self::Signing(_) => ProblemCode::Internal,
        }
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem { problem, .. } => *problem,
            other => Self::new(other.code(), other.to_string()),
        }
    }
}

/// Who signs, in which cooperative.
#[derive(Clone)]
pub struct Identity {
    /// The caller's key.
    pub key: PrivateKeySigner,
    /// [`auth::domain`] of the cooperative.
    pub domain: Eip712Domain,
}

/// One process behind its base URL.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    audience: Address,
    identity: Option<Identity>,
}

impl Client {
    /// A client for public calls.
    ///
    /// # Errors
    /// Where the URL does not parse.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        let base = Url::parse(base)
            .map_err(|e| ClientError::Garbled { url: base.to_owned(), what: format!("not a URL: {e}") })?;
        let http = reqwest::Client::builder().timeout(TIMEOUT).connect_timeout(CONNECT_TIMEOUT).no_proxy().build();
        let http = http.map_err(|source| ClientError::Unreachable { url: base.to_string(), source })?;
        Ok(Self { http, base, audience: Address::ZERO, identity: None })
    }

    /// Signs from now on as `identity`, to the process whose address is `audience`.
    #[must_use]
    pub fn signing(mut self, identity: Identity, audience: Address) -> Self {
        self.identity = Some(identity);
        self.audience = audience;
        self
    }

    /// The base URL.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Unsigned `GET`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = self.url(path)?;
        self.json(self.http.get(url), path).await
    }

    /// Unsigned `POST` of JSON, for calls whose body carries its own signature.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        let url = self.url(path)?;
        self.json(self.http.post(url).json(body), path).await
    }

    /// Signed `POST` of JSON; `now` is block time.
    ///
    /// # Errors
    /// See [`ClientError`]; `Signing` where no identity was given.
    pub async fn post_signed<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        now: u64,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|e| ClientError::Signing(e.to_string()))?;
        self.send_signed(Method::POST, path, body, now).await
    }

    /// Signed `GET`; `now` is block time.
    ///
    /// # Errors
    /// See [`ClientError`]; `Signing` where no identity was given.
    pub async fn get_signed<T: DeserializeOwned>(&self, path: &str, now: u64) -> Result<T, ClientError> {
        self.send_signed(Method::GET, path, Vec::new(), now).await
    }

    /// Unsigned `PUT` of raw bytes.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn put_bytes(&self, path: &str, bytes: Vec<u8>) -> Result<(), ClientError> {
        let request = self.http.put(self.url(path)?).header("content-type", "application/octet-stream").body(bytes);
        self.answered(request, path).await.map(drop)
    }

    /// Unsigned `GET` of raw bytes.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get_bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let response = self.answered(self.http.get(self.url(path)?), path).await?;
        let bytes = response.bytes().await.map_err(|source| self.unreachable(path, source))?;
        Ok(bytes.into())
    }

    /// Signed `GET` of raw bytes, as of a blob in the vault; `now` is block time.
    ///
    /// # Errors
    /// See [`ClientError`]; `Signing` where no identity was given.
    pub async fn get_bytes_signed(&self, path: &str, now: u64) -> Result<Vec<u8>, ClientError> {
        let response = self.answered(self.signed(Method::GET, path, Vec::new(), now)?, path).await?;
        let bytes = response.bytes().await.map_err(|source| self.unreachable(path, source))?;
        Ok(bytes.into())
    }

    async fn send_signed<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        now: u64,
    ) -> Result<T, ClientError> {
        self.json(self.signed(method, path, body, now)?, path).await
    }

    fn signed(&self, method: Method, path: &str, body: Vec<u8>, now: u64) -> Result<RequestBuilder, ClientError> {
        let identity = self.identity.as_ref().ok_or_else(|| ClientError::Signing("no key was given".to_owned()))?;
        let nonce = U256::from_be_bytes(rand::random::<[u8; 32]>());
        let deadline = now + LIFETIME;
        let described =
            Described { audience: self.audience, method: method.as_str(), path, body: &body, nonce, deadline };
        let signature = identity
            .key
            .sign_hash_sync(&described.digest(&identity.domain))
            .map_err(|e| ClientError::Signing(e.to_string()))?;
        Ok(self
            .http
            .request(method, self.url(path)?)
            .header(auth::SIGNER, identity.key.address().to_string())
            .header(auth::NONCE, format!("{nonce:#066x}"))
            .header(auth::DEADLINE, deadline.to_string())
            .header(auth::SIGNATURE, hex::encode_prefixed(signature.as_bytes()))
            .header("content-type", "application/json")
            .body(body))
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder, path: &str) -> Result<T, ClientError> {
        let response = self.answered(request, path).await?;
        let bytes = response.bytes().await.map_err(|source| self.unreachable(path, source))?;
        serde_json::from_slice(&bytes).map_err(|e| self.garbled(path, e.to_string()))
    }

    async fn answered(&self, request: RequestBuilder, path: &str) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|source| self.unreachable(path, source))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = response.bytes().await.unwrap_or_default();
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(ClientError::Problem { url: self.shown(path), problem: Box::new(problem) }),
            Err(_) => Err(self.garbled(path, status_text(status, &bytes))),
        }
    }

    fn url(&self, path: &str) -> Result<Url, ClientError> {
        self.base.join(path).map_err(|e| self.garbled(path, format!("not a path: {e}")))
    }

    fn shown(&self, path: &str) -> String {
        format!("{}{}", self.base.as_str().trim_end_matches('/'), path)
    }

    fn unreachable(&self, path: &str, source: reqwest::Error) -> ClientError {
        ClientError::Unreachable { url: self.shown(path), source }
    }

    fn garbled(&self, path: &str, what: String) -> ClientError {
        ClientError::Garbled { url: self.shown(path), what }
    }
}

fn status_text(status: StatusCode, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(200)]);
    format!("status {status}, {text}")
}
