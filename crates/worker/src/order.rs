//! May this be asked? The researcher's signed order against the license on chain, as the worker's own RPC shows it.

use alloy::primitives::B256;
use rochdale_api::Problem;
use rochdale_api::order::QueryRequest;
use rochdale_api::route::gateway;
use rochdale_chain::events::LicenseTerms;
use rochdale_chain::{eip712, erc1271};
use rochdale_core::order::{MAX_LIFETIME, QUERY_RIGHT};
use rochdale_crypto::SealingPublicKey;
use rochdale_crypto::sealing::seal;

use crate::problems::{bad, chain, internal, license};
use crate::worker::{Mirror, Worker};

/// An order that its license's holder signed, for the query that came with it.
#[derive(Clone, Copy, Debug)]
pub struct Authentic {
    /// EIP-712 digest of the order: its name.
    pub digest: B256,
    /// The license's terms.
    pub terms: LicenseTerms,
}

impl Worker {
    /// Checks the query, its digest and charge, which stay so for ever, and that the holder signed it: by its key, or as the contract that
    /// it is, which is asked as of the newest block. Who changes its passkey ends what the old one signed.
    ///
    /// # Errors
    /// With what does not hold; that the chain does not answer.
    pub async fn authenticate(&self, mirror: &Mirror, request: &QueryRequest) -> Result<Authentic, Problem> {
        let (query, order) = (&request.query, &request.order);
        query.validate().map_err(|error| bad(format!("query: {error}")))?;
        let digest = query.digest().map_err(|error| bad(format!("query: {error}")))?;
        if digest != order.query_digest {
            return Err(bad(format!(
                "order.query_digest: the query has digest {digest}, the order names {}",
                order.query_digest
            ))
            .hint("sign the query that is sent"));
        }
        if query.rho != order.rho {
            return Err(bad(format!("order.rho: the query spends {}, the order {} nano-zCDP", query.rho, order.rho)));
        }
        let id = order.license_id;
        let held = mirror.latest.licenses.get(&id).ok_or_else(|| {
            license(format!("there is no license {id} as of block {}", mirror.head.latest.number))
                .hint("buy one, or wait until its purchase is mined")
        })?;
        let message = eip712::order::QueryOrder::from(order);
        let domain = self.manifest.committee_domain();
        let (digest, at) = (eip712::digest(&message, &domain), mirror.head.latest.number.into());
        if !erc1271::says(&self.chain, held.holder, digest, &request.signature, at).await.map_err(chain)? {
            let detail =
                format!("license {id} is another's, or the order was changed: {} did not sign it", held.holder);
            return Err(license(detail)
                .hint("sign the order with the key or the passkey of the account that holds the license"));
        }
        Ok(Authentic { digest, terms: held.terms })
    }

    /// Checks what an order needs to be taken up now; gives the timestamp of its cut.
    ///
    /// # Errors
    /// With what does not hold.
    pub async fn admit(&self, mirror: &Mirror, request: &QueryRequest, terms: &LicenseTerms) -> Result<u64, Problem> {
        let (order, now) = (&request.order, mirror.now());
        let id = order.license_id;
        if terms.right != QUERY_RIGHT {
            return Err(license(format!(
                "license {id} gives right {}, a query needs right {QUERY_RIGHT}",
                terms.right
            )));
        }
        if request.query.dataset != terms.dataset {
            let (licensed, asked) = (terms.dataset, request.query.dataset);
            return Err(license(format!("license {id} is for dataset {licensed}, the query asks dataset {asked}")));
        }
        if order.purpose != terms.purpose {
            let (licensed, asked) = (terms.purpose, order.purpose);
            return Err(license(format!("license {id} is for purpose {licensed}, the order for {asked}")));
        }
        if terms.expiry == 0 {
            return Err(license(format!("license {id} was revoked")).hint("buy another license"));
        }
        if terms.expiry < now {
            let detail = format!("license {id} expired at {}, block time is {now}", terms.expiry);
            return Err(license(detail).hint("buy another license"));
        }
        let cut = self.cut_time(mirror, order.cut).await?;
        if terms.issued_at > cut {
            let detail = format!("license {id} was issued at {}, the order's cut is of {cut}", terms.issued_at);
            return Err(license(detail).hint("cut at a finalized block that knows the license"));
        }
        // Found out now, not once the query is charged.
        let recipient = SealingPublicKey(terms.recipient_key);
        seal(&recipient, b"rochdale.trial", &[], &[], &mut rand::rng()).map_err(|error| {
            license(format!("nothing can be sealed to the recipient of license {id}: {error}"))
                .hint("buy a license with the public half of an X25519 key")
        })?;
        if order.deadline < now {
            let detail = format!("order.deadline: {} has passed, block time is {now}", order.deadline);
            return Err(bad(detail).hint("sign a new order"));
        }
        if order.deadline > now.saturating_add(MAX_LIFETIME) {
            let detail =
                format!("order.deadline: {} is more than {MAX_LIFETIME} s after block time {now}", order.deadline);
            return Err(bad(detail).hint("sign an order with an earlier deadline"));
        }
        if !mirror.latest.workers.contains_key(&self.address()) {
            return Err(internal(format!("this worker, {}, is not registered on chain", self.address()))
                .hint("governance registers workers"));
        }
        Ok(cut)
    }

    /// The timestamp of a finalized block.
    async fn cut_time(&self, mirror: &Mirror, cut: B256) -> Result<u64, Problem> {
        let found = self.chain.final_block(&mirror.head, cut).await.map_err(chain)?;
        found.map(|block| block.timestamp).ok_or_else(|| {
            bad(format!("order.cut: block {cut} is not finalized at the worker's RPC")).hint(format!(
                "cut at the hash of a finalized block; the gateway's {} names the newest",
                gateway::COOPERATIVE.path
            ))
        })
    }
}
