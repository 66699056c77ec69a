//! Row keys of people whom the registrar is about to admit.
//!
//! The registrar signs an admission once enough stewards say that they hold the key whose digest it names, so that every
//! quorum has one of them. A steward keeps what the registrar's signature offers, sealed as it came, until the account
//! joins or the offer's deadline passes.

use std::sync::Arc;

use alloy::primitives::B256;
use rochdale_api::member::{KeyOfferDelivery, KeyReceipt};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::bindings::Membership;
use rochdale_chain::eip712;
use rochdale_client::statement;
use rochdale_core::commit;
use rochdale_crypto::sealing::{self, RowKeyContext};
use rochdale_crypto::{RowKey, Sealed};

use crate::steward::{Mirror, Steward, broken, chain_problem, internal};
use crate::store::OfferRow;

/// The longest time for which a key is kept for somebody who has not joined, in seconds.
const LONGEST: u64 = 86_400;

impl Steward {
    /// Takes a key that the registrar offers, and says so once it is kept.
    ///
    /// # Errors
    /// Where the registrar did not sign it, its time is over or too long, or the key is not that of the digest.
    pub async fn take_offer(
        self: &Arc<Self>,
        mirror: &Mirror,
        delivery: &KeyOfferDelivery,
    ) -> Result<KeyReceipt, Problem> {
        let seat = self.seat(mirror)?;
        let (now, deadline) = (mirror.now(), delivery.deadline);
        if deadline < now || deadline > now + LONGEST {
            let detail = format!("the offer ends at {deadline}, block time is {now}: it may last a day at most");
            return Err(Problem::new(ProblemCode::BadRequest, detail));
        }
        let offer = statement::key_offer(delivery.account, delivery.nullifier, delivery.row_key_digest, deadline);
        let membership = self.manifest.addresses.membership;
        let registrar = self.chain.view(membership, &Membership::registrarCall {}).await.map_err(chain_problem)?;
        let domain = self.manifest.membership_domain();
        eip712::verify(&offer, &domain, &delivery.registrar_signature, registrar).map_err(|error| {
            Problem::new(
                ProblemCode::Forbidden,
                format!("the registrar, {registrar}, did not sign this offer: {error}"),
            )
        })?;
        if delivery.sealed.steward != seat {
            let detail = format!("sealed to steward {}, this is steward {seat}", delivery.sealed.steward);
            return Err(Problem::new(ProblemCode::BadRequest, detail).hint("send each steward its own copy"));
        }
        let row = OfferRow {
            digest: delivery.row_key_digest,
            account: delivery.account,
            nullifier: delivery.nullifier,
            seat,
            sealed: delivery.sealed.sealed.to_vec(),
            deadline,
        };
        self.open_offer(&row)?;
        self.store.put_offer(&row).await?;
        let held = eip712::KeyHeld { account: row.account, nullifier: row.nullifier, rowKeyDigest: row.digest };
        let signature = eip712::sign(&self.keys.signer, &held, &self.manifest.committee_domain()).map_err(internal)?;
        Ok(KeyReceipt { steward: seat, signature })
    }

    /// Keeps the offered keys of those who joined since, and forgets those of who did not in time.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn keep_offered(&self, mirror: &Mirror) -> Result<(), Problem> {
        for (id, member) in &mirror.latest.members {
            if self.store.row_key(*id).await?.is_some() {
                continue;
            }
            // Somebody else may be admitted with the same digest: that one's salts would tell of this one's rows.
            let offer = self.store.offer(member.row_key_digest).await?;
            let Some(offer) = offer.filter(|offer| offer.account == member.account) else { continue };
            // Its member had everything destroyed since, and no epoch asks for the key any more.
            if self.is_closed(*id).await? {
                self.store.forget_offer(member.row_key_digest, member.account).await?;
                continue;
            }
            match self.open_offer(&offer) {
                Ok(key) => self.keep_row_key(mirror, *id, &key).await?,
                Err(problem) => tracing::warn!(member = %id, %problem, "an offered row key does not open any more"),
            }
        }
        Ok(self.store.forget_offers(mirror.now()).await?)
    }

    fn open_offer(&self, offer: &OfferRow) -> Result<RowKey, Problem> {
        let context = RowKeyContext {
            chain_id: self.manifest.chain_id,
            membership: self.manifest.addresses.membership,
            account: offer.account,
            nullifier: offer.nullifier,
            index: offer.seat,
        };
        let sealed = Sealed(offer.sealed.clone().into());
        let key = sealing::open_row_key(&self.keys.sealing, &context, &sealed).map_err(|e| broken("sealed", e))?;
        if commit::row_key(B256::new(*key.expose())) != offer.digest {
            let detail = format!("the key sealed to steward {} is not that of the digest {}", offer.seat, offer.digest);
            return Err(Problem::new(ProblemCode::SealBroken, detail));
        }
        Ok(key)
    }
}
