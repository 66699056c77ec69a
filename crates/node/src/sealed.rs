//! Bodies sealed between processes: whoever carries a request reads neither it nor its answer.
//!
//! How they are sealed is [`rochdale_client::sealed`]; here is the receiving side, which opens requests and seals answers.

use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes};
use axum::body::Body;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rochdale_api::auth;
use rochdale_api::client::{Client, ClientError};
use rochdale_api::route::{self, Call};
use rochdale_api::server::{self, Verified, Verifier};
use rochdale_api::{Problem, ProblemCode};
use rochdale_client::sealed::{Enclosed, answer_context, request_context, seal};
use rochdale_crypto::sealing::{self, BodyPart, SealingContext, SealingKeyRing};
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
}

/// A sealed request, opened: JSON by a signer whose key signed this very call. Answer it by [`Self::reply`].
pub struct SealedBody<T> {
    /// The address that signed.
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
        let context = request_context(sealer.domain(), signer, sealer.audience(), &path);
        let opened = open(sealer.opener(), &context, body)
            .map_err(|error| Problem::new(ProblemCode::SealBroken, error.to_string()).hint(RESEAL))?;
        let Enclosed { reply_key, body } = server::parse(unpadded(&opened)?)?;
        Ok(Self { signer, body, request, to: SealingPublicKey(reply_key), sealer })
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
        let sealed = seal(&self.to, &context, &json, &mut rand::rng()).map_err(|error| error.to_string())?;
        Ok((status, [(header::CONTENT_TYPE, auth::SEALED)], Body::from(sealed.0)).into_response())
    }
}

/// Posts a sealed body to the process behind `client`, whose sealing key on chain is `to`, and opens its sealed answer. `now` is block time.
///
/// # Errors
/// [`ClientError`]; a sealed refusal as a `Problem`.
pub async fn post<Q: Serialize, A: DeserializeOwned>(
    client: &Client,
    to: SealingPublicKey,
    call: impl Into<Call<route::Sealed<Q>, A>>,
    body: &Q,
    now: u64,
) -> Result<A, ClientError> {
    rochdale_client::post_sealed(client, to, call, body, now, rand::rng()).await
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
