//! A researcher's orders and their answers.

use alloy_primitives::{Address, B256, Bytes};
use alloy_signer_local::PrivateKeySigner;
use rochdale_api::order::{Answered, Order, QueryRequest, SealedAnswer};
use rochdale_core::commit;
use rochdale_core::ids::{LicenseId, Purpose};
use rochdale_core::query::Query;
use rochdale_crypto::sealing::{QueryAnswerContext, open_as};
use rochdale_crypto::{Sealed, SealingKeyPair};
use rochdale_eip712 as eip712;
use serde::{Deserialize, Serialize};

use crate::{ClientError, Result, Site, Unsigned};

/// A researcher as a signer.
#[derive(Clone, Copy)]
pub struct Researcher<'a> {
    /// The cooperative that the statements are for.
    pub site: &'a Site,
    /// The key of the license's holder.
    pub key: &'a PrivateKeySigner,
}

/// An order as it is signed and sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ordered {
    /// EIP-712 digest of the order: its name.
    pub order: B256,
    /// What is sent.
    pub request: QueryRequest,
}

impl Researcher<'_> {
    /// Orders the answer to `query` as of the finalized block `cut`, before `deadline`, Unix seconds of block time; `nonce` is
    /// 32 random bytes.
    ///
    /// # Errors
    /// Where the query has no digest.
    pub fn order(
        &self,
        license: LicenseId,
        purpose: Purpose,
        query: Query,
        cut: B256,
        nonce: B256,
        deadline: u64,
    ) -> Result<Ordered> {
        let unsigned = order(self.site, (license, purpose), query, cut, nonce, deadline)?;
        Ok(Ordered { order: unsigned.digest(), request: unsigned.signed_by(self.key)? })
    }

    /// Signs an order as it is.
    ///
    /// # Errors
    /// Where the key refuses to sign.
    pub fn sign(&self, query: Query, order: Order) -> Result<Ordered> {
        let unsigned = unsigned(self.site, query, order);
        Ok(Ordered { order: unsigned.digest(), request: unsigned.signed_by(self.key)? })
    }
}

/// An order of the answer to `query` as of the finalized block `cut`, before `deadline`, Unix seconds of block time; `nonce` is 32 random
/// bytes. Its digest is its name.
///
/// # Errors
/// Where the query has no digest.
pub fn order(
    site: &Site,
    (license_id, purpose): (LicenseId, Purpose),
    query: Query,
    cut: B256,
    nonce: B256,
    deadline: u64,
) -> Result<Unsigned<QueryRequest>> {
    let (query_digest, rho) = (query.digest()?, query.rho);
    Ok(unsigned(site, query, Order { license_id, cut, query_digest, rho, purpose, nonce, deadline }))
}

fn unsigned(site: &Site, query: Query, order: Order) -> Unsigned<QueryRequest> {
    let (message, domain) = (eip712::order::QueryOrder::from(&order), site.contracts.committee_domain());
    Unsigned::of(QueryRequest { query, order, signature: Bytes::new() }, &message, &domain)
}

/// Who signed the receipt of an answer. Anybody can seal to a license's key, so that an answer is a worker's only where this is one.
///
/// # Errors
/// Where the signature is none.
pub fn answered_by(site: &Site, answered: &Answered) -> Result<Address> {
    let receipt = eip712::order::QueryReceipt { order: answered.debit.order, resultDigest: answered.result_digest };
    Ok(eip712::recover(&receipt, &site.contracts.committee_domain(), &answered.worker_signature)?)
}

/// Opens an answer with the key that the license names, and checks it against what was ordered.
///
/// # Errors
/// Where it does not open, or answers something else.
pub fn open_answer(
    site: &Site,
    recipient: &SealingKeyPair,
    (order, request): (B256, &QueryRequest),
    sealed: &SealedAnswer,
) -> Result<Answered> {
    if sealed.order != order {
        return Err(ClientError::Other(format!("the answer is to order {}, asked was {order}", sealed.order)));
    }
    let context = QueryAnswerContext {
        chain_id: site.contracts.chain_id,
        committee: site.contracts.steward_committee,
        license: sealed.license_id,
        order: sealed.order,
        query_digest: sealed.query_digest,
    };
    let bytes = open_as(recipient, &context, &Sealed(sealed.sealed.clone()))?;
    let answered: Answered = serde_json::from_slice(&bytes)
        .map_err(|source| ClientError::NotUnderstood { what: "the opened answer", source })?;
    let digest = commit::answer(answered.answer.digest()?, answered.blinder);
    let asked = request.order.query_digest;
    let debit = &answered.debit;
    // The same question asked again is answered by the earlier order's answer.
    let is_of_it =
        (answered.cached || debit.order == order) && debit.query_digest == asked && answered.answer.query == asked;
    if !is_of_it || digest != answered.result_digest {
        return Err(ClientError::Other("the answer is not to the query that was asked".to_owned()));
    }
    Ok(answered)
}
