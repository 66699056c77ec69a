//! Bodies sealed between processes: whoever carries a request reads neither it nor its answer.
//!
//! What names a member, a contribution or a consent goes HPKE-sealed to the receiver's key on chain, padded, and bound to
//! sender, receiver and path; the answer, a refusal's reason included, to the asker's key and to the one request that it
//! answers. The request's signature covers the sealed bytes, the answer's likewise: sealing alone names no author.

use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes, keccak256};
use alloy::sol_types::Eip712Domain;
use axum::body::Body;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rochdale_api::auth::{self, Identity};
use rochdale_api::client::{Client, ClientError, Told};
use rochdale_api::server::{self, Verified, Verifier};
use rochdale_api::{Problem, ProblemCode};
use rochdale_crypto::sealing::{self, AnswerBodyContext, BodyPart, RequestBodyContext, SealingContext, SealingKeyRing};
use rochdale_crypto::{Sealed, SealingError, SealingKeyPair, SealingPublicKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// The sealing keys of a process that still open something: the one on chain, and those of its bounded overlap.
pub trait Opens: Send + Sync {
    /// Opens a message of the kind `info` says, bound to `aad`.
    ///
    /// # Errors
    /// Where no key opens it.
    fn open(&self, info: &'static str, aad: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealingError>;
}

impl Opens for SealingKeyPair {
    fn open(&self, info: &'static str, aad: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        sealing::open(self, info.as_bytes(), aad, sealed, "body")
    }
}

impl Opens for SealingKeyRing {
    fn open(&self, info: &'static str, aad: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        sealing::open(self, info.as_bytes(), aad, sealed, "body")
    }
}

/// A service that takes sealed bodies.
pub trait Sealer: Verifier {
    /// This process's sealing keys.
    fn opener(&self) -> &dyn Opens;
    /// The sealing key on chain of whoever may call, `None` for everyone else.
    fn sealing_key_of(&self, caller: Address) -> Option<SealingPublicKey>;
}

/// A sealed request, opened: JSON by a signer whose key signed this very call. Answer it by [`Self::reply`].
pub struct SealedBody<T> {
    /// Who signed.
    pub signer: Address,
    /// The opened body.
    pub body: T,
    request: B256,
    to: SealingPublicKey,
    sealer: Arc<dyn Sealer>,
}

impl<S, T> FromRequest<S> for SealedBody<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
    Arc<dyn Sealer>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let sealer = Arc::<dyn Sealer>::from_ref(state);
        let path = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        let Verified { signer, request, body } = Verified::of(request, &*sealer).await?;
        let to = sealer.sealing_key_of(signer).ok_or_else(|| {
            Problem::new(ProblemCode::Forbidden, format!("the chain knows no sealing key of {signer}"))
                .hint("this call is for stewards in office and registered workers")
        })?;
        let context = request_context(sealer.domain(), signer, sealer.audience(), &path);
        let opened = open(sealer.opener(), &context, body)
            .map_err(|error| Problem::new(ProblemCode::SealBroken, error.to_string()).hint(RESEAL))?;
        let body = server::parse(unpadded(&opened)?)?;
        Ok(Self { signer, body, request, to, sealer })
    }
}

const RESEAL: &str = "read this process's sealing key on chain and seal the body to it again";

impl<T> SealedBody<T> {
    /// The answer, sealed to the caller; a refusal too, of which only the status shows.
    pub fn reply<A: Serialize>(&self, answer: Result<A, Problem>) -> Response {
        let sealed = match &answer {
            Ok(answer) => self.seal(StatusCode::OK, answer),
            Err(problem) => {
                let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                self.seal(status, problem)
            }
        };
        sealed.unwrap_or_else(|error| Problem::new(ProblemCode::Internal, error).into_response())
    }

    fn seal(&self, status: StatusCode, value: &impl Serialize) -> Result<Response, String> {
        let json = serde_json::to_vec(value).map(Zeroizing::new).map_err(|error| error.to_string())?;
        let sealer = &self.sealer;
        let context = answer_context(sealer.domain(), sealer.audience(), self.signer, self.request, status.as_u16());
        let sealed = seal(&self.to, &context, &json).map_err(|error| error.to_string())?;
        Ok((status, [(header::CONTENT_TYPE, auth::SEALED)], Body::from(sealed.0)).into_response())
    }
}

/// Posts a sealed body to the process behind `client`, whose sealing key on chain is `to`, and opens its sealed answer by
/// `ours`. `now` is block time.
///
/// # Errors
/// [`ClientError`]; a sealed refusal as a `Problem`.
pub async fn post<T: DeserializeOwned>(
    client: &Client,
    to: SealingPublicKey,
    ours: &dyn Opens,
    path: &str,
    body: &impl Serialize,
    now: u64,
) -> Result<T, ClientError> {
    let signing = |error: String| ClientError::Signing(error);
    let Identity { key, domain } = client.identity().ok_or_else(|| signing("no key was given".to_owned()))?;
    let (us, peer) = (key.address(), client.audience().unwrap_or_default());
    let json = serde_json::to_vec(body).map(Zeroizing::new).map_err(|error| signing(error.to_string()))?;
    let sealed = seal(&to, &request_context(domain, us, peer, path), &json).map_err(|e| signing(e.to_string()))?;
    let garbled = |error: String| client.garbled(path, error);
    let opened = |told: Told| {
        let context = answer_context(domain, peer, us, told.request, told.status);
        let opened = open(ours, &context, told.body.into()).map_err(|error| garbled(error.to_string()))?;
        let json = BodyPart::unpad(&opened).map_err(|error| garbled(error.to_string()))?;
        Ok::<_, ClientError>(Zeroizing::new(json.to_vec()))
    };
    match client.exchange(path, sealed.0.to_vec(), now).await? {
        Ok(told) => serde_json::from_slice(&opened(told)?).map_err(|error| garbled(error.to_string())),
        Err(refused) => {
            let problem: Problem =
                serde_json::from_slice(&opened(refused)?).map_err(|error| garbled(error.to_string()))?;
            Err(client.problem(path, problem))
        }
    }
}

fn seal(to: &SealingPublicKey, context: &impl SealingContext, json: &[u8]) -> Result<Bytes, SealingError> {
    Ok(sealing::seal_as(to, context, &BodyPart::pad(json)?, &mut rand::rng())?.0)
}

fn open<C: SealingContext>(
    ours: &dyn Opens,
    context: &C,
    bytes: axum::body::Bytes,
) -> Result<Zeroizing<Vec<u8>>, SealingError> {
    ours.open(C::INFO, &context.aad(), &Sealed(Bytes(bytes)))
}

fn unpadded(opened: &[u8]) -> Result<&[u8], Problem> {
    BodyPart::unpad(opened).map_err(|error| Problem::new(ProblemCode::BadRequest, error.to_string()))
}

fn place(domain: &Eip712Domain) -> (u64, Address) {
    (domain.chain_id.unwrap_or_default().saturating_to(), domain.verifying_contract.unwrap_or_default())
}

fn request_context(domain: &Eip712Domain, from: Address, to: Address, path: &str) -> RequestBodyContext {
    let (chain_id, committee) = place(domain);
    RequestBodyContext { chain_id, committee, from, to, path_hash: keccak256(path) }
}

fn answer_context(domain: &Eip712Domain, from: Address, to: Address, request: B256, status: u16) -> AnswerBodyContext {
    let (chain_id, committee) = place(domain);
    AnswerBodyContext { chain_id, committee, from, to, request, status }
}
