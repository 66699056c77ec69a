//! A typed client that signs its requests and checks who signed the answer.
//!
//! Every call has a deadline and every answer a largest size; redirects are not followed. Where the process behind the URL
//! is known by its address, an answer counts only with that process's signature over request, status and bytes
//! ([`auth::answer_digest`]): nobody on the way changes one, and what a process said is its own word.

pub use crate::auth::Identity;
use crate::auth::{self, Described};
use crate::route::{Call, Octets, Sealed};
use crate::trace::{self, RequestId};
use crate::{Problem, ProblemCode};
use alloy::signers::SignerSync;
use alloy_primitives::{Address, B256, Signature, U256, hex};
use alloy_sol_types::Eip712Domain;
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// How long a call may take from connecting to the last byte, where nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(8);
/// Seconds of block time that a signed request stays valid.
const LIFETIME: u64 = 1_800;
/// The largest answer that is read, where nothing else is said.
pub const MAX_ANSWER: usize = 64 << 20;
/// The largest blob that is read, where nothing else is said.
pub const MAX_BLOB: usize = 256 << 20;

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
        /// What the layer below said.
        source: reqwest::Error,
    },
    /// The answer is not its own.
    #[error(
        "{url}: the answer is not signed by {audience}: {what}; it was changed on the way, or another process answers there"
    )]
    NotItsOwn {
        /// What was called.
        url: String,
        /// Whose answer it should be.
        audience: Address,
        /// What is wrong.
        what: String,
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
            Self::NotItsOwn { .. } | Self::Garbled { .. } => ProblemCode::PeerFault,
            Self::Signing(_) => ProblemCode::Internal,
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

/// One process behind its base URL. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    audience: Option<(Address, Eip712Domain)>,
    identity: Option<Identity>,
    patience: Duration,
    watch: Option<Arc<dyn Fn(bool) + Send + Sync>>,
}

/// An answer as it came, with the digest of the request that it answers.
#[derive(Clone, Debug)]
pub struct Told {
    /// Digest of the request, as its signature binds it.
    pub request: B256,
    /// 200 to 299.
    pub status: u16,
    /// The answer's bytes.
    pub body: Vec<u8>,
}

/// A request on its way, and what its answer must be signed over.
struct Asked {
    request: RequestBuilder,
    path: String,
    /// The digest; that with the body left out, which only a refusal may answer.
    digests: Option<(B256, B256)>,
    limit: usize,
}

impl Client {
    /// A client for public calls.
    ///
    /// # Errors
    /// Where the URL does not parse.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        let base = Url::parse(base)
            .map_err(|e| ClientError::Garbled { url: base.to_owned(), what: format!("not a URL: {e}") })?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none())
            // Shorter than servers wait, so that a call never meets a connection that is just being closed.
            .pool_idle_timeout(IDLE)
            .no_proxy()
            .build()
            .map_err(|source| ClientError::Unreachable { url: base.to_string(), source })?;
        Ok(Self { http, base, audience: None, identity: None, patience: PATIENCE, watch: None })
    }

    /// Signs from now on as `identity`, to the process whose address is `audience`, and takes only its answers.
    #[must_use]
    pub fn signing(self, identity: Identity, audience: Address) -> Self {
        let domain = identity.domain.clone();
        Self { identity: Some(identity), ..self }.expecting(domain, audience)
    }

    /// Takes only answers that the process whose address is `audience` signed; zero says that the address is not known.
    #[must_use]
    pub fn expecting(mut self, domain: Eip712Domain, audience: Address) -> Self {
        self.audience = Some((audience, domain));
        self
    }

    /// How long a call may take from now on.
    #[must_use]
    pub fn patient(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Tells `watch` of each call whether the process answered at all.
    #[must_use]
    pub fn watched(mut self, watch: Arc<dyn Fn(bool) + Send + Sync>) -> Self {
        self.watch = Some(watch);
        self
    }

    /// The base URL.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Who signs.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The process's address, where it is known.
    #[must_use]
    pub fn audience(&self) -> Option<Address> {
        self.audience.as_ref().map(|(address, _)| *address).filter(|address| !address.is_zero())
    }

    /// Unsigned, without a body.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get<A: DeserializeOwned>(&self, call: impl Into<Call<(), A>>) -> Result<A, ClientError> {
        let call = call.into();
        self.json(&call.path, &self.told(self.plain(&call, Vec::new())?).await?)
    }

    /// Unsigned JSON, for calls whose body carries its own signature.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post<Q: Serialize, A: DeserializeOwned>(
        &self,
        call: impl Into<Call<Q, A>>,
        body: &Q,
    ) -> Result<A, ClientError> {
        let call = call.into();
        self.json(&call.path, &self.told(self.plain(&call, encoded(body)?)?).await?)
    }

    /// Signed JSON; `now` is block time.
    ///
    /// # Errors
    /// See [`ClientError`]; `Signing` where no identity was given.
    pub async fn post_signed<Q: Serialize, A: DeserializeOwned>(
        &self,
        call: impl Into<Call<Q, A>>,
        body: &Q,
        now: u64,
    ) -> Result<A, ClientError> {
        let call = call.into();
        self.json(&call.path, &self.told(self.signed(&call, encoded(body)?, now)?).await?)
    }

    /// Signed, without a body; `now` is block time.
    ///
    /// # Errors
    /// See [`ClientError`]; `Signing` where no identity was given.
    pub async fn get_signed<A: DeserializeOwned>(
        &self,
        call: impl Into<Call<(), A>>,
        now: u64,
    ) -> Result<A, ClientError> {
        let call = call.into();
        self.json(&call.path, &self.told(self.signed(&call, Vec::new(), now)?).await?)
    }

    /// Signed bytes that are sealed, answered with bytes. A sealed refusal is given as it came.
    ///
    /// # Errors
    /// See [`ClientError`]; `Signing` where no identity was given.
    pub async fn exchange<Q, A>(
        &self,
        call: &Call<Sealed<Q>, A>,
        body: Vec<u8>,
        now: u64,
    ) -> Result<Result<Told, Told>, ClientError> {
        let (told, sealed) = self.answered(self.signed(call, body, now)?).await?;
        match (told.status, sealed) {
            (200..300, _) => Ok(Ok(told)),
            (_, true) => Ok(Err(told)),
            (_, false) => Err(self.refused(&call.path, &told)),
        }
    }

    /// Unsigned upload of raw bytes. The answer carries no signature: what was uploaded is asked for again where it counts.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn put_bytes(&self, call: impl Into<Call<Octets, ()>>, bytes: Vec<u8>) -> Result<(), ClientError> {
        let Call { path, .. } = call.into();
        let request = self.http.put(self.url(&path)?).header("content-type", "application/octet-stream").body(bytes);
        let asked = Asked { request, path: path.into_owned(), digests: None, limit: MAX_ANSWER };
        self.told(asked).await.map(drop)
    }

    /// Signed, answered with raw bytes, as of a blob in the vault; `now` is block time. Bytes are streamed and carry no
    /// signature: the caller checks them against the name that it asked for. A refusal must be signed.
    ///
    /// # Errors
    /// See [`ClientError`]; `Signing` where no identity was given.
    pub async fn get_bytes_signed(&self, call: impl Into<Call<(), Octets>>, now: u64) -> Result<Vec<u8>, ClientError> {
        let call = call.into();
        self.bytes(self.signed(&call, Vec::new(), now)?, &call.path).await
    }

    /// Signed JSON that is answered with raw bytes; `now` is block time.
    ///
    /// # Errors
    /// See [`ClientError`]; `Signing` where no identity was given.
    pub async fn post_for_bytes<Q: Serialize>(
        &self,
        call: impl Into<Call<Q, Octets>>,
        body: &Q,
        now: u64,
    ) -> Result<Vec<u8>, ClientError> {
        let call = call.into();
        self.bytes(self.signed(&call, encoded(body)?, now)?, &call.path).await
    }

    /// Raw bytes, which their name proves; a refusal is signed.
    async fn bytes(&self, asked: Asked, path: &str) -> Result<Vec<u8>, ClientError> {
        let (told, signed) = self.read(&asked.path, asked.request, MAX_BLOB).await?;
        if (200..300).contains(&told.status) {
            return Ok(told.body);
        }
        self.check(&asked.path, asked.digests, &told, signed.signature)?;
        Err(self.refused(path, &told))
    }

    fn described<'a, Q, A>(&self, call: &'a Call<Q, A>, body: &'a [u8], deadline: u64) -> Described<'a> {
        let audience = self.audience.as_ref().map_or(Address::ZERO, |(address, _)| *address);
        let nonce = U256::from_be_bytes(rand::random::<[u8; 32]>());
        Described { audience, method: call.method, path: &call.path, body, nonce, deadline }
    }

    fn plain<Q, A>(&self, call: &Call<Q, A>, body: Vec<u8>) -> Result<Asked, ClientError> {
        let described = self.described(call, &body, 0);
        let digests = self.digests(&described);
        let nonce = described.nonce;
        let request = self.request(call)?.header(auth::NONCE, format!("{nonce:#066x}"));
        let request = if body.is_empty() { request } else { request.header("content-type", "application/json") };
        Ok(Asked { request: request.body(body), path: call.path.to_string(), digests, limit: MAX_ANSWER })
    }

    fn signed<Q, A>(&self, call: &Call<Q, A>, body: Vec<u8>, now: u64) -> Result<Asked, ClientError> {
        let identity = self.identity.as_ref().ok_or_else(|| ClientError::Signing("no key was given".to_owned()))?;
        let described = self.described(call, &body, now + LIFETIME);
        let (nonce, deadline) = (described.nonce, described.deadline);
        let digest = described.digest(&identity.domain);
        let signature = identity.key.sign_hash_sync(&digest).map_err(|e| ClientError::Signing(e.to_string()))?;
        let digests = self.digests(&described);
        let request = self
            .request(call)?
            .header(auth::SIGNER, identity.key.address().to_string())
            .header(auth::NONCE, format!("{nonce:#066x}"))
            .header(auth::DEADLINE, deadline.to_string())
            .header(auth::SIGNATURE, hex::encode_prefixed(signature.as_bytes()))
            .header("content-type", "application/json")
            .body(body);
        Ok(Asked { request, path: call.path.to_string(), digests, limit: MAX_ANSWER })
    }

    /// A request that carries the name of what sets it off.
    fn request<Q, A>(&self, call: &Call<Q, A>) -> Result<RequestBuilder, ClientError> {
        let method =
            call.method.parse().map_err(|_| self.garbled(&call.path, format!("no method: {}", call.method)))?;
        let request = self.http.request(method, self.url(&call.path)?);
        Ok(match RequestId::current() {
            Some(name) => request.header(trace::HEADER, name.as_str()),
            None => request,
        })
    }

    fn digests(&self, described: &Described<'_>) -> Option<(B256, B256)> {
        let (address, domain) = self.audience.as_ref()?;
        let digests = || (described.digest(domain), described.digest_over(B256::ZERO, domain));
        (!address.is_zero()).then(digests)
    }

    async fn told(&self, asked: Asked) -> Result<Told, ClientError> {
        let path = asked.path.clone();
        let (told, _) = self.answered(asked).await?;
        if (200..300).contains(&told.status) { Ok(told) } else { Err(self.refused(&path, &told)) }
    }

    /// The answer, which is the process's own; whether it is sealed.
    async fn answered(&self, asked: Asked) -> Result<(Told, bool), ClientError> {
        let (mut told, head) = self.read(&asked.path, asked.request, asked.limit).await?;
        self.check(&asked.path, asked.digests, &told, head.signature)?;
        told.request = asked.digests.map_or(B256::ZERO, |(whole, _)| whole);
        Ok((told, head.sealed))
    }

    fn check(
        &self,
        path: &str,
        digests: Option<(B256, B256)>,
        told: &Told,
        signature: Option<Signature>,
    ) -> Result<(), ClientError> {
        let (Some((audience, domain)), Some((whole, unread))) = (&self.audience, digests) else { return Ok(()) };
        let wrong = |what: &str| {
            let what = format!("{what}, status {}", told.status);
            Err(ClientError::NotItsOwn { url: self.shown(path), audience: *audience, what })
        };
        let Some(signature) = signature else { return wrong("it carries no signature") };
        let by_audience = |request: B256| {
            let digest = auth::answer_digest(domain, request, told.status, &told.body);
            signature.recover_address_from_prehash(&digest).is_ok_and(|signer| signer == *audience)
        };
        let refusal = !(200..300).contains(&told.status);
        if by_audience(whole) || (refusal && by_audience(unread)) {
            return Ok(());
        }
        wrong("its signature is not over these bytes")
    }

    async fn read(&self, path: &str, request: RequestBuilder, limit: usize) -> Result<(Told, Head), ClientError> {
        let read = self.send_and_read(path, request, limit).await;
        if let Some(watch) = &self.watch {
            watch(!matches!(read, Err(ClientError::Unreachable { .. })));
        }
        read
    }

    /// Sends, and reads at most `limit` bytes.
    async fn send_and_read(
        &self,
        path: &str,
        request: RequestBuilder,
        limit: usize,
    ) -> Result<(Told, Head), ClientError> {
        let sent = request.timeout(self.patience).send().await;
        let mut response = sent.map_err(|source| self.unreachable(path, source))?;
        let status = response.status();
        if status.is_redirection() {
            return Err(self.garbled(path, format!("status {status}: redirects are not followed")));
        }
        let head = Head::of(&response);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|source| self.unreachable(path, source))? {
            if body.len() + chunk.len() > limit {
                return Err(self.garbled(path, format!("more than {limit} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((Told { request: B256::ZERO, status: status.as_u16(), body }, head))
    }

    fn json<T: DeserializeOwned>(&self, path: &str, told: &Told) -> Result<T, ClientError> {
        serde_json::from_slice(&told.body).map_err(|e| self.garbled(path, e.to_string()))
    }

    fn refused(&self, path: &str, told: &Told) -> ClientError {
        match serde_json::from_slice::<Problem>(&told.body) {
            Ok(problem) => self.problem(path, problem),
            Err(_) => self.garbled(path, status_text(told.status, &told.body)),
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

    /// What the process said instead of an answer.
    #[must_use]
    pub fn problem(&self, path: &str, problem: Problem) -> ClientError {
        ClientError::Problem { url: self.shown(path), problem: Box::new(problem) }
    }

    /// An answer that is not understood.
    #[must_use]
    pub fn garbled(&self, path: &str, what: String) -> ClientError {
        ClientError::Garbled { url: self.shown(path), what }
    }
}

/// What an answer's headers say.
struct Head {
    signature: Option<Signature>,
    sealed: bool,
}

impl Head {
    fn of(response: &Response) -> Self {
        let text = |name: &str| response.headers().get(name)?.to_str().ok();
        let signature = text(auth::ANSWER_SIGNATURE).and_then(|text| text.parse().ok());
        Self { signature, sealed: text("content-type") == Some(auth::SEALED) }
    }
}

fn encoded(body: &impl Serialize) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(body).map_err(|e| ClientError::Signing(e.to_string()))
}

fn status_text(status: u16, body: &[u8]) -> String {
    let status = StatusCode::from_u16(status).map_or_else(|_| status.to_string(), |status| status.to_string());
    let text = String::from_utf8_lossy(&body[..body.len().min(200)]);
    format!("status {status}, {text}")
}
