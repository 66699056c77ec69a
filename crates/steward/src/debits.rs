//! Signing debits: an order is checked by our own RPC, its snapshot recomputed, everybody in it asked for what is left, and the debit
//! kept with the snapshot before our signature leaves.
//!
//! Orders go side by side: a debit has no place in a log, and what one steward signed twice does no harm, since shares are released only
//! for what fits in the order of the chain ([`crate::release`]).

use std::sync::Arc;

use alloy::primitives::{Address, B256};
use rochdale_api::member::Mined;
use rochdale_api::order::{BlindedOrder, Debit, DebitRequest, DebitSignature, QueryRequest, SealedRequest, Snapshot};
use rochdale_api::route::gateway;
use rochdale_api::{Problem, ProblemCode, member};
use rochdale_chain::state::{Cooperative, LicenseState};
use rochdale_chain::{eip712, erc1271};
use rochdale_core::commit;
use rochdale_core::ids::{LicenseId, StewardId};
use rochdale_core::order::{MAX_LIFETIME, QUERY_RIGHT};
use rochdale_crypto::sealing::{self, OrderContext, PoolContext, SealingContext};
use rochdale_crypto::{Sealed, SealingPublicKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::accounts::{charge, problem};
use crate::steward::{Mirror, Steward, broken, chain_problem, internal};
use crate::store::{DebitRow, SnapshotRow};

/// How far an order's cut may lie behind the newest final block, seconds. Whether an order is refused for somebody's budget depends on who
/// is in its snapshot: with cuts of one's choice, refusals would tell who that is, and when they came.
pub const MAX_CUT_AGE: u64 = 3_600;

fn refused(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::LicenseInvalid, detail)
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::BadRequest, detail)
}

/// A license that may be used: granted as of a final block, neither ended nor revoked as of the latest one.
///
/// # Errors
/// Where it may not.
pub fn license<'a>(mirror: &'a Mirror, finalized: &Cooperative, id: LicenseId) -> Result<&'a LicenseState, Problem> {
    let license = mirror.latest.licenses.get(&id).ok_or_else(|| refused(format!("there is no license {id}")))?;
    let granted = finalized.licenses.get(&id).map_or(0, |license| license.terms.expiry);
    let (expiry, now) = (license.terms.expiry.min(granted), mirror.now());
    if license.terms.expiry == 0 {
        return Err(refused(format!("license {id} was revoked")).hint("buy another license"));
    }
    if granted == 0 {
        let detail = format!("license {id} is not in a finalized block yet");
        return Err(refused(detail).hint("ask again when the purchase is final"));
    }
    if expiry < now {
        let detail = format!("license {id} expired at {expiry}, block time is {now}");
        return Err(refused(detail).hint("renew it, and ask again when the renewal is final; or buy another license"));
    }
    if license.terms.right != QUERY_RIGHT {
        return Err(refused(format!(
            "license {id} gives right {}, a query needs right {QUERY_RIGHT}",
            license.terms.right
        )));
    }
    Ok(license)
}

impl Steward {
    /// The sealing key of a worker that is registered as of a final block, and still is.
    ///
    /// # Errors
    /// Where it is not.
    pub fn worker_key(&self, mirror: &Mirror, finalized: &Cooperative, worker: Address) -> Result<B256, Problem> {
        let key = mirror.latest.workers.get(&worker).copied();
        key.filter(|key| finalized.workers.get(&worker) == Some(key)).ok_or_else(|| {
            Problem::new(ProblemCode::Forbidden, format!("{worker} is not a worker as of a finalized block"))
                .hint("ask again when its registration is final")
        })
    }

    /// Opens what a worker sealed to us for an order.
    ///
    /// # Errors
    /// Where it does not open or is not understood.
    pub fn open_request<T: DeserializeOwned>(
        &self,
        mirror: &Mirror,
        worker: Address,
        request: &SealedRequest,
    ) -> Result<T, Problem> {
        let context = OrderContext {
            chain_id: self.manifest.chain_id,
            committee: self.manifest.addresses.steward_committee,
            order: request.order,
            worker,
            index: self.seat(mirror)?,
        };
        let json = sealing::open_as(&self.keys.sealing, &context, &Sealed(request.sealed.clone()))
            .map_err(|error| broken("request", error))?;
        serde_json::from_slice(&json).map_err(|error| bad(format!("the opened request is not understood: {error}")))
    }

    /// Seals an answer to a worker's key on chain.
    ///
    /// # Errors
    /// Where the key is unusable.
    pub fn seal_answer<C: SealingContext>(
        &self,
        key: B256,
        context: &C,
        answer: &impl Serialize,
    ) -> Result<member::Sealed, Problem> {
        let json = serde_json::to_vec(answer).map(Zeroizing::new).map_err(internal)?;
        let sealed = sealing::seal_as(&SealingPublicKey(key), context, &json, &mut rand::rng()).map_err(internal)?;
        Ok(member::Sealed { sealed: sealed.0 })
    }

    /// Answers a worker with the snapshot of an order. Nothing is kept: what counts is kept when a debit is signed.
    ///
    /// # Errors
    /// Where the order does not hold or the cut is not final.
    pub async fn answer_snapshot(
        self: &Arc<Self>,
        mirror: &Mirror,
        worker: Address,
        sealed: &SealedRequest,
    ) -> Result<member::Sealed, Problem> {
        let finalized = mirror.finalized();
        let key = self.worker_key(mirror, finalized, worker)?;
        let asked: BlindedOrder = self.open_request(mirror, worker, sealed)?;
        let license = self.check_order(mirror, finalized, &asked.request, sealed.order).await?;
        self.check_cut(mirror, license, asked.request.order.cut).await?;
        let row = self.snapshot_at(mirror, license, sealed.order, &asked).await?;
        let SnapshotRow { digest, dataset, purpose, cut, ids, .. } = row;
        let context = PoolContext {
            chain_id: self.manifest.chain_id,
            committee: self.manifest.addresses.steward_committee,
            order: sealed.order,
            index: self.seat(mirror)?,
        };
        self.seal_answer(key, &context, &Snapshot { dataset, purpose, cut, digest, contributions: ids })
    }

    /// Signs the debit of an order. The same order with the same draw again gets the same signature.
    ///
    /// # Errors
    /// With what stands against it.
    pub async fn sign_debit(
        self: &Arc<Self>,
        worker: Address,
        sealed: &SealedRequest,
    ) -> Result<DebitSignature, Problem> {
        let _one = self.debiting.lock().await;
        let mirror = self.at_head().await?;
        let (finalized, steward) = (mirror.finalized(), self.seat(&mirror)?);
        self.worker_key(&mirror, finalized, worker)?;
        let asked: BlindedOrder = self.open_request(&mirror, worker, sealed)?;
        let license = self.check_order(&mirror, finalized, &asked.request, sealed.order).await?;
        if let Some(signature) = self.signed_before(&asked, sealed.order).await? {
            return Ok(DebitSignature { steward, signature });
        }
        if let Some(booked) = mirror.latest.debit_of(sealed.order) {
            let detail = format!("the order is booked already, as debit {}", booked.id);
            return Err(Problem::new(ProblemCode::Conflict, detail).hint("ask for the release, or sign a new order"));
        }
        let order = &asked.request.order;
        self.check_cut(&mirror, license, order.cut).await?;
        let snapshot = self.snapshot_at(&mirror, license, sealed.order, &asked).await?;
        // What a member chose for itself since the cut is asked at the release: one member stops no order.
        let charge = charge(&mirror.latest, sealed.order, order.rho, &snapshot);
        self.accounts_at_head(&mirror).await?.fits(&charge).map_err(|error| problem(&error))?;
        let debit = Debit::of(order, sealed.order, snapshot.digest);
        let signature = self.sign_as_steward(&debit)?;
        // Kept before it leaves, with the snapshot: whoever lacks that gets it from a signer. And with the question: its members are told.
        if !self.store.sign_debit(&debit, &signature, &snapshot, &asked.request.query).await? {
            let detail = "another debit of this order was signed meanwhile";
            return Err(Problem::new(ProblemCode::Conflict, detail).hint("sign a new order with a fresh nonce"));
        }
        Ok(DebitSignature { steward, signature })
    }

    fn sign_as_steward(&self, debit: &Debit) -> Result<alloy::primitives::Bytes, Problem> {
        let message = eip712::order::Debit::from(debit);
        eip712::sign(&self.keys.signer, &message, &self.manifest.committee_domain()).map_err(internal)
    }

    /// Our signature over the debit of this very order and draw, if we gave one.
    async fn signed_before(
        &self,
        asked: &BlindedOrder,
        order: B256,
    ) -> Result<Option<alloy::primitives::Bytes>, Problem> {
        let Some(DebitRow { debit, signature: Some(signature), .. }) = self.store.debit(order).await? else {
            return Ok(None);
        };
        let kept = self.store.snapshot(debit.snapshot).await?;
        if kept.is_some_and(|row| row.blinder == commit::snapshot_blinder(order, asked.drawn)) {
            return Ok(Some(signature));
        }
        let detail = "this steward signed the order with another blinder";
        Err(Problem::new(ProblemCode::Conflict, detail).hint("send the same blinder, or sign a new order"))
    }

    /// An order's cut is a recent final block that knows its license.
    async fn check_cut(&self, mirror: &Mirror, license: &LicenseState, cut: B256) -> Result<(), Problem> {
        let block = self.final_block(mirror, cut).await?;
        let behind = mirror.head.finalized.timestamp.saturating_sub(block.timestamp);
        if behind > MAX_CUT_AGE {
            let detail =
                format!("the order's cut lies {behind} s behind the newest final block, {MAX_CUT_AGE} s are the most");
            return Err(bad(detail).hint("sign a new order: this one was not booked"));
        }
        let issued = license.terms.issued_at;
        if issued > block.timestamp {
            let detail = format!("the license was issued at {issued}, the order's cut is of {}", block.timestamp);
            return Err(refused(detail).hint("order as of a final block that knows the license"));
        }
        Ok(())
    }

    /// The researcher's order: signed by the license's holder, by its key or as a contract as of the newest block, for this query, this
    /// purpose, this charge, in time.
    async fn check_order<'a>(
        &self,
        mirror: &'a Mirror,
        finalized: &Cooperative,
        request: &QueryRequest,
        digest: B256,
    ) -> Result<&'a LicenseState, Problem> {
        let (order, now) = (&request.order, mirror.now());
        let license = license(mirror, finalized, order.license_id)?;
        let message = eip712::order::QueryOrder::from(order);
        let domain = self.manifest.committee_domain();
        let found = eip712::digest(&message, &domain);
        if found != digest {
            return Err(bad(format!("the request is for order {digest}, the order in it has digest {found}")));
        }
        check_query(request, license)?;
        let at = mirror.head.latest.number.into();
        if !erc1271::says(&self.chain, license.holder, digest, &request.signature, at).await.map_err(chain_problem)? {
            let detail =
                format!("license {} is another's: {} did not sign this order", order.license_id, license.holder);
            return Err(refused(detail));
        }
        if order.deadline < now {
            return Err(bad(format!("the order's deadline {} has passed, block time is {now}", order.deadline)));
        }
        if order.deadline > now.saturating_add(MAX_LIFETIME) {
            let detail = format!("the order's deadline {} lies more than {MAX_LIFETIME} s ahead", order.deadline);
            return Err(bad(detail).hint("sign an order with an earlier deadline"));
        }
        Ok(license)
    }

    /// Has the gateway book again what a reorganization took off the chain after we released shares for it. Until it is on chain we
    /// count it as if it were.
    ///
    /// # Errors
    /// Where the store fails, or the gateway does not book one.
    pub async fn rebook(&self, mirror: &Mirror) -> Result<(), Problem> {
        for DebitRow { debit, quorum, .. } in self.unseen(mirror).await? {
            let due = |quorum: &Vec<_>| !quorum.is_empty() && debit.deadline >= mirror.now();
            let Some(quorum) = quorum.filter(due) else { continue };
            let signatures = quorum.into_iter().map(|signature| {
                let message = eip712::order::Debit::from(&debit);
                let signer = eip712::recover(&message, &self.manifest.committee_domain(), &signature);
                let seat = signer.ok().and_then(|signer| mirror.latest.steward_id(signer)).unwrap_or(StewardId(0));
                DebitSignature { steward: seat, signature }
            });
            let request = DebitRequest { debit, signatures: signatures.collect() };
            let mined: Mined = self.gateway(mirror).post_signed(gateway::DEBIT, &request, mirror.now()).await?;
            tracing::warn!(order = %debit.order, tx = %mined.tx, "a debit that a reorganization dropped is booked again");
        }
        Ok(())
    }
}

/// The query that came with an order is the one that was signed, and the license's.
fn check_query(request: &QueryRequest, license: &LicenseState) -> Result<(), Problem> {
    let (query, order, terms) = (&request.query, &request.order, &license.terms);
    query.validate().map_err(|error| bad(error.to_string()))?;
    let digest = query.digest().map_err(|error| bad(error.to_string()))?;
    if digest != order.query_digest {
        return Err(bad(format!("the query has digest {digest}, the order names {}", order.query_digest)));
    }
    if query.dataset != terms.dataset {
        let detail = format!("the license is for dataset {}, the query asks dataset {}", terms.dataset, query.dataset);
        return Err(refused(detail));
    }
    if order.purpose != terms.purpose {
        let detail = format!("the license is for purpose {}, the order for {}", terms.purpose, order.purpose);
        return Err(refused(detail));
    }
    if query.rho != order.rho {
        return Err(bad(format!("the query spends {}, the order {} nano-zCDP", query.rho, order.rho)));
    }
    if order.rho == 0 {
        return Err(bad("the order spends 0: every release is charged"));
    }
    Ok(())
}
