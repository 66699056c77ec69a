//! A request that only its receiver reads, and an answer that only the asker does, whoever carries them.
//!
//! What names a member, a contribution or a consent goes HPKE-sealed to the receiver's key on chain, padded, and bound to sender, receiver
//! and path. With it goes a key that was drawn for this one request: the answer is sealed to that, a refusal's reason included, and bound to
//! the request. So whoever the chain knows no sealing key of (the gateway, an awarder, a member) asks like everyone else, and nobody who
//! takes a process's key later opens what it was answered. The request's signature covers the sealed bytes, the answer's likewise: sealing
//! alone names no author.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::Eip712Domain;
use rand::CryptoRng;
use rochdale_crypto::sealing::{self, AnswerBodyContext, BodyPart, RequestBodyContext, SealingContext};
use rochdale_crypto::{Sealed, SealingError, SealingKeyPair, SealingPublicKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What is sealed: the body, and to which key the answer goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enclosed<T> {
    /// Drawn by the asker for this request alone.
    pub reply_key: B256,
    /// What is asked.
    pub body: T,
}

/// Why a request could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It has no JSON form.
    #[error("the body has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
    /// The receiver's key is none, or the body is too long.
    #[error(transparent)]
    Sealing(#[from] SealingError),
}

/// A sealed request, with what opens its answer.
pub struct Asked {
    /// The sealed request, to be sent.
    pub sealed: Bytes,
    reply: SealingKeyPair,
    domain: Eip712Domain,
    from: Address,
    to: Address,
}

impl Asked {
    /// Seals what `from` asks the process `to`, whose sealing key on chain is given, on `path`.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn seal(
        domain: &Eip712Domain,
        from: Address,
        (to, key): (Address, &SealingPublicKey),
        path: &str,
        body: &impl Serialize,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, AskError> {
        let reply = SealingKeyPair::random(rng);
        let json = serde_json::to_vec(&Enclosed { reply_key: reply.public().0, body }).map(Zeroizing::new)?;
        let sealed = seal(key, &request_context(domain, from, to, path), &json, rng)?;
        Ok(Self { sealed, reply, domain: domain.clone(), from, to })
    }

    /// Opens the answer of this status to the request with this digest.
    ///
    /// # Errors
    /// Where it is another's, or of another request.
    pub fn open(&self, request: B256, status: u16, sealed: Bytes) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let context = answer_context(&self.domain, self.to, self.from, request, status);
        let opened = sealing::open_as(&self.reply, &context, &Sealed(sealed))?;
        Ok(Zeroizing::new(BodyPart::unpad(&opened)?.to_vec()))
    }
}

/// Pads and seals.
///
/// # Errors
/// Where the key is none or the body is too long.
pub fn seal(
    to: &SealingPublicKey,
    context: &impl SealingContext,
    json: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Bytes, SealingError> {
    Ok(sealing::seal_as(to, context, &BodyPart::pad(json)?, rng)?.0)
}

/// What a sealed request is bound to.
#[must_use]
pub fn request_context(domain: &Eip712Domain, from: Address, to: Address, path: &str) -> RequestBodyContext {
    let (chain_id, committee) = place(domain);
    RequestBodyContext { chain_id, committee, from, to, path_hash: keccak256(path) }
}

/// What a sealed answer is bound to.
#[must_use]
pub fn answer_context(
    domain: &Eip712Domain,
    from: Address,
    to: Address,
    request: B256,
    status: u16,
) -> AnswerBodyContext {
    let (chain_id, committee) = place(domain);
    AnswerBodyContext { chain_id, committee, from, to, request, status }
}

fn place(domain: &Eip712Domain) -> (u64, Address) {
    (domain.chain_id.unwrap_or_default().saturating_to(), domain.verifying_contract.unwrap_or_default())
}
