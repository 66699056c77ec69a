//! Reading what is the member's own: signed requests to stewards and gateway, and opening what they answer.

use alloy_primitives::{Address, B256, Bytes, Signature, U256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use rand::Rng as _;
use rochdale_api::auth::{self, Described, Session};
use rochdale_api::custody::{HeldContribution, HeldReport, Opening};
use rochdale_api::member::{RowReport, Sealed, SealedRow};
use rochdale_api::status::EpochView;
use rochdale_client::{held, rows};
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_core::ledger::{CashParts, Row};
use rochdale_crypto::SealingKeyPair;
use rochdale_eip712::account;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

use crate::joining::Nothing;
use crate::site::{LIFETIME, Result, Seen, rng, secret, words};

/// Who wants to read for how long.
#[derive(Deserialize)]
pub struct Asking {
    cooperative: Seen,
    account: Address,
    hours: u64,
}

/// A fresh key that may read once the passkey said so.
#[derive(Serialize)]
pub struct ToOpen {
    key: B256,
    until: u64,
    challenge: B256,
}

/// What a passkey signs so that this page reads for its account.
pub fn session(asked: Asking) -> Result<ToOpen> {
    let mut key = [0; 32];
    rng()?.fill_bytes(&mut key);
    let address = PrivateKeySigner::from_slice(&key).map_err(words)?.address();
    let until = asked.cooperative.now + (asked.hours * 3_600).min(auth::MAX_SESSION);
    let digest = Session::digest(&asked.cooperative.request_domain(), address, until);
    let chain_id = asked.cooperative.site.contracts.chain_id;
    Ok(ToOpen { key: B256::from(key), until, challenge: account::message_digest(chain_id, asked.account, digest) })
}

/// A session that was opened.
#[derive(Deserialize)]
struct Opened {
    account: Address,
    until: u64,
    signature: Bytes,
}

/// A request that is to be signed.
#[derive(Deserialize)]
pub struct Requesting {
    cooperative: Seen,
    key: Bytes,
    session: Option<Opened>,
    audience: Address,
    method: String,
    path: String,
    body: String,
}

/// The headers of a signed request, and the digest that its answer's signature names.
#[derive(Serialize)]
pub struct Headers {
    headers: BTreeMap<&'static str, String>,
    digest: B256,
}

/// Signs a request.
pub fn signed(asked: Requesting) -> Result<Headers> {
    let key = PrivateKeySigner::from_slice(&secret(&asked.key)?).map_err(words)?;
    let mut nonce = [0; 32];
    rng()?.fill_bytes(&mut nonce);
    let (nonce, deadline) = (U256::from_be_bytes(nonce), asked.cooperative.now + LIFETIME);
    let described = Described {
        audience: asked.audience,
        method: &asked.method,
        path: &asked.path,
        body: asked.body.as_bytes(),
        nonce,
        deadline,
    };
    let digest = described.digest(&asked.cooperative.request_domain());
    let signature = Bytes::from(key.sign_hash_sync(&digest).map_err(words)?.as_bytes());
    let mut headers = BTreeMap::from([
        (auth::SIGNER, key.address().to_string()),
        (auth::NONCE, format!("{nonce:#066x}")),
        (auth::DEADLINE, deadline.to_string()),
        (auth::SIGNATURE, signature.to_string()),
    ]);
    if let Some(Opened { account, until, signature }) = asked.session {
        headers.insert(auth::SESSION, Session { account, until, signature }.to_header());
    }
    Ok(Headers { headers, digest })
}

/// An answer to a signed request.
#[derive(Deserialize)]
pub struct AnswerOf {
    cooperative: Seen,
    audience: Address,
    digest: B256,
    status: u16,
    body: String,
    signature: Bytes,
}

/// Whether it is its process's.
#[derive(Serialize)]
pub struct Good {
    good: bool,
}

/// Whether the process that was asked gave this answer.
pub fn check_answer(answer: AnswerOf) -> Result<Good> {
    let domain = answer.cooperative.request_domain();
    let digest = auth::answer_digest(&domain, answer.digest, answer.status, answer.body.as_bytes());
    let signer = Signature::from_raw(&answer.signature)
        .ok()
        .and_then(|signature| signature.recover_address_from_prehash(&digest).ok());
    Ok(Good { good: signer == Some(answer.audience) })
}

/// A key that one answer is sealed to.
#[derive(Serialize)]
pub struct ReplyKey {
    secret: B256,
    public: B256,
}

/// A key that is kept.
#[derive(Deserialize)]
pub struct Kept {
    secret: Bytes,
}

/// The public half of a key that is kept.
pub fn key_of(kept: Kept) -> Result<ReplyKey> {
    let pair = SealingKeyPair::from_secret(&secret(&kept.secret)?);
    Ok(ReplyKey { secret: B256::from(*pair.to_secret()), public: pair.public().0 })
}

/// Draws a key for one answer.
pub fn reply_key(_: Nothing) -> Result<ReplyKey> {
    let pair = SealingKeyPair::random(&mut rng()?);
    Ok(ReplyKey { secret: B256::from(*pair.to_secret()), public: pair.public().0 })
}

/// A steward's answer of a row.
#[derive(Deserialize)]
pub struct SealedRowOf {
    cooperative: Seen,
    member_id: MemberId,
    secret: Bytes,
    answer: SealedRow,
}

/// Opens the member's row.
pub fn open_row(asked: SealedRowOf) -> Result<RowReport> {
    let reply = SealingKeyPair::from_secret(&secret(&asked.secret)?);
    rows::open_row(&asked.cooperative.site, asked.member_id, &reply, asked.answer).map_err(words)
}

/// A steward's answer of something else.
#[derive(Deserialize)]
pub struct SealedOf {
    cooperative: Seen,
    member_id: MemberId,
    steward: StewardId,
    secret: Bytes,
    answer: Sealed,
}

/// Opens a steward's log of who opened the member's records.
pub fn open_openings(asked: SealedOf) -> Result<Vec<Opening>> {
    let reply = SealingKeyPair::from_secret(&secret(&asked.secret)?);
    rows::open_openings(&asked.cooperative.site, asked.member_id, asked.steward, &reply, asked.answer).map_err(words)
}

/// Opens what a steward holds of the member.
pub fn open_held(asked: SealedOf) -> Result<HeldReport> {
    let reply = SealingKeyPair::from_secret(&secret(&asked.secret)?);
    held::open(&asked.cooperative.site, asked.member_id, asked.steward, &reply, asked.answer).map_err(words)
}

/// A row and the epoch that it is of.
#[derive(Deserialize)]
pub struct Explaining {
    epoch: EpochView,
    member_id: MemberId,
    row: Row,
}

/// What the row's cash of that epoch is made of; nothing where it has no share.
pub fn cash_parts(asked: Explaining) -> Result<Option<CashParts>> {
    let Some(header) = &asked.epoch.header else { return Ok(None) };
    CashParts::explained(&asked.epoch.params, &header.shared(), asked.member_id, &asked.row).map_err(words)
}

/// What stewards hold of one contribution.
#[derive(Deserialize)]
pub struct Held {
    cooperative: Seen,
    member_id: MemberId,
    /// As [`open_held`] gave it, from each steward.
    held: Vec<HeldContribution>,
}

/// The member's own record, put together again from its sealed blob.
pub fn open_record(asked: &Held, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let held: Vec<&HeldContribution> = asked.held.iter().collect();
    held::open_record(&asked.cooperative.site, asked.member_id, &held, blob).map_err(words)
}
