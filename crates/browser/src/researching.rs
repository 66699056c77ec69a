//! What a researcher asks: written and weighed here, signed by a wallet, opened here.

use alloy_primitives::{Address, B256, Bytes};
use rochdale_api::order::{Answered, QueryRequest, SealedAnswer};
use rochdale_client::{answered_by, open_answer as open, order as unsigned_order};
use rochdale_core::expect::Expected;
use rochdale_core::ids::{LicenseId, Purpose};
use rochdale_core::query::{MIN_COHORT, Query};
use rochdale_crypto::{SealingKeyPair, random_blinder};
use rochdale_eip712 as eip712;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::site::{Result, Seen, rng, secret, words};

/// How long an order holds, seconds of block time.
const LIFETIME: u64 = 86_400;

/// A question as somebody wrote it.
#[derive(Deserialize)]
pub struct Written {
    text: String,
}

/// A question.
#[derive(Serialize)]
pub struct Question {
    query: Query,
    digest: B256,
}

/// Reads a question and checks it.
pub fn read_query(asked: Written) -> Result<Question> {
    let query = Query::parse(asked.text.as_bytes()).map_err(words)?;
    let digest = query.digest().map_err(words)?;
    Ok(Question { query, digest })
}

/// A question, and of about how many members.
#[derive(Deserialize)]
pub struct Weighed {
    query: Query,
    cohort: u64,
    min_cohort: Option<u64>,
}

/// How exact an answer would be.
pub fn expect(asked: Weighed) -> Result<Expected> {
    let Weighed { query, cohort, min_cohort } = asked;
    query.validate().map_err(words)?;
    Ok(Expected::of(&query, cohort, min_cohort.unwrap_or(MIN_COHORT)))
}

/// A question under a license.
#[derive(Deserialize)]
pub struct Ordering {
    cooperative: Seen,
    license_id: LicenseId,
    purpose: Purpose,
    query: Query,
    /// The finalized block as of which it is answered.
    cut: B256,
}

/// An order that lacks its signature.
#[derive(Serialize)]
pub struct ToOrder {
    /// Its name.
    order: B256,
    request: QueryRequest,
    /// For `eth_signTypedData_v4`.
    typed_data: Value,
}

/// Writes an order.
pub fn order(asked: Ordering) -> Result<ToOrder> {
    let Ordering { cooperative, license_id, purpose, query, cut } = asked;
    query.validate().map_err(words)?;
    let (nonce, deadline) = (random_blinder(&mut rng()?), cooperative.now + LIFETIME);
    let site = &cooperative.site;
    let unsigned = unsigned_order(site, (license_id, purpose), query, cut, nonce, deadline).map_err(words)?;
    let request = unsigned.request().clone();
    let message = eip712::order::QueryOrder::from(&request.order);
    let typed_data = eip712::typed_data(&message, &site.contracts.committee_domain()).map_err(words)?;
    Ok(ToOrder { order: unsigned.digest(), request, typed_data })
}

/// A sealed answer.
#[derive(Deserialize)]
pub struct Opening {
    cooperative: Seen,
    /// Of the key that the license names.
    secret: Bytes,
    order: B256,
    request: QueryRequest,
    sealed: SealedAnswer,
}

/// An opened answer, and who signed its receipt: the page asks the chain whether that is a worker.
#[derive(Serialize)]
pub struct Opened {
    #[serde(flatten)]
    answered: Answered,
    worker: Address,
}

/// Opens an answer and checks it against what was ordered.
pub fn open_answer(asked: Opening) -> Result<Opened> {
    let Opening { cooperative, secret: key, order, request, sealed } = asked;
    let recipient = SealingKeyPair::from_secret(&secret(&key)?);
    let answered = open(&cooperative.site, &recipient, (order, &request), &sealed).map_err(words)?;
    let worker = answered_by(&cooperative.site, &answered).map_err(words)?;
    Ok(Opened { answered, worker })
}
