//! A researcher's orders: each is kept before it is sent, so that whatever breaks on the way, the **same** order goes again and is paid once;
//! and each answer is kept, so that the same question is not paid twice by mistake.

use crate::coop::{self, Coop, QUESTION};
use crate::researcher::keys::Researcher;
use crate::state::{read_json, write_json};
use alloy::primitives::B256;
use anyhow::{Context, Result, bail};
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::order::{Answered, QueryRequest, SealedAnswer};
use rochdale_api::route::gateway;
use rochdale_client::{Ordered, open_answer};
use rochdale_core::ids::{LicenseId, Purpose};
use rochdale_core::query::Query;
use rochdale_crypto::random_blinder;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// An order as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// EIP-712 digest of the order: its name.
    pub order: B256,
    /// What was signed, as it is sent.
    pub request: QueryRequest,
    /// The answer, once it came; sealed to this researcher's key.
    pub answer: Option<SealedAnswer>,
    /// What was said against it, where it was refused as it is.
    pub refused: Option<String>,
}

impl Kept {
    /// One word for where it stands at `now`, seconds of block time.
    pub fn state(&self, now: u64) -> &'static str {
        match (&self.answer, &self.refused, self.request.order.deadline < now) {
            (Some(_), _, _) => "answered",
            (None, Some(_), _) => "refused",
            (None, None, false) => "open",
            (None, None, true) => "late",
        }
    }
}

impl Researcher {
    /// Every order that was ever signed, oldest deadline first.
    pub fn orders(&self) -> Result<Vec<Kept>> {
        let dir = self.folder("orders");
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", dir.display())),
        };
        let mut orders = Vec::new();
        for entry in entries {
            let path = entry.with_context(|| format!("cannot read {}", dir.display()))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                orders.push(read_json::<Kept>(&path)?);
            }
        }
        orders.sort_by_key(|kept| (kept.request.order.deadline, kept.order));
        Ok(orders)
    }

    /// The order whose name begins so.
    pub fn order_named(&self, name: &str) -> Result<Kept> {
        let name = name.strip_prefix("0x").unwrap_or(name).to_lowercase();
        let begins = |kept: &Kept| alloy::primitives::hex::encode(kept.order).starts_with(&name);
        let mut found = self.orders()?.into_iter().filter(begins);
        match (found.next(), found.next()) {
            (Some(kept), None) => Ok(kept),
            (None, _) => bail!("no order begins with {name}: `rochdale researcher orders` lists them"),
            (Some(_), Some(_)) => bail!("several orders begin with {name}: give more digits"),
        }
    }

    fn keep(&self, kept: &Kept) -> Result<()> {
        write_json(&self.order_path(kept.order), kept)
    }

    fn order_path(&self, order: B256) -> PathBuf {
        self.folder("orders").join(format!("{}.json", alloy::primitives::hex::encode(order)))
    }

    /// Asks a query under a license and opens the answer. The same query under the same license was asked before: its order goes on, or its kept
    /// answer is given.
    pub async fn ask(
        &self,
        coop: &Coop,
        license: LicenseId,
        purpose: Purpose,
        query: Query,
    ) -> Result<(Answered, Kept)> {
        let kept = match self.asked(license, &query, coop.now().await?, false)? {
            Some(kept) => kept,
            None => self.sign(coop, license, purpose, query).await?,
        };
        self.fetch(coop, kept).await
    }

    /// The order of the same query under the same license that is open or answered at `now`; an answered one is passed over where the
    /// question shall be paid `anew`.
    pub fn asked(&self, license: LicenseId, query: &Query, now: u64, anew: bool) -> Result<Option<Kept>> {
        query.validate()?;
        let digest = query.digest()?;
        let same = |kept: &Kept| {
            let order = &kept.request.order;
            (order.license_id, order.query_digest) == (license, digest)
                && matches!(kept.state(now), "answered" | "open")
        };
        // An order that is open is never doubled, whatever was said: it may be paid already.
        Ok(self.orders()?.into_iter().rev().find(|kept| same(kept) && (!anew || kept.answer.is_none())))
    }

    /// Signs a new order as of the gateway's finalized head, and keeps it.
    pub async fn sign(&self, coop: &Coop, license: LicenseId, purpose: Purpose, query: Query) -> Result<Kept> {
        let view = coop.view().await?;
        let (nonce, deadline) = (random_blinder(&mut coop::rng()?), view.now + coop::ORDER_LIFETIME);
        let signer = rochdale_client::Researcher { site: &coop.site(), key: &self.key };
        let Ordered { order, request } = signer.order(license, purpose, query, view.finalized.hash, nonce, deadline)?;
        let kept = Kept { order, request, answer: None, refused: None };
        self.keep(&kept)?;
        Ok(kept)
    }

    /// The answer to an order: the kept one, or that of the worker, who gives the same as often as the order comes.
    pub async fn fetch(&self, coop: &Coop, mut kept: Kept) -> Result<(Answered, Kept)> {
        if kept.answer.is_none() {
            let sent = coop.gateway.clone().patient(QUESTION).post(gateway::QUERY, &kept.request).await;
            let sealed = match sent {
                Ok(sealed) => sealed,
                Err(error) => return Err(self.unanswered(kept, error)?),
            };
            // Opened before it is kept: what does not open is asked for again.
            self.check(coop, &kept, &sealed)?;
            kept.answer = Some(sealed);
            self.keep(&kept)?;
        }
        let sealed = kept.answer.as_ref().context("an answered order has no answer")?;
        Ok((self.check(coop, &kept, sealed)?, kept))
    }

    /// What is said of an order that was not answered: whether it stays, and how to go on. One that is refused is kept too: who refuses it may
    /// lie, and it may be paid.
    fn unanswered(&self, mut kept: Kept, error: ClientError) -> Result<anyhow::Error> {
        let order = kept.order;
        let over = [
            ProblemCode::BadRequest,
            ProblemCode::LicenseInvalid,
            ProblemCode::BudgetExceeded,
            ProblemCode::Forbidden,
            ProblemCode::Conflict,
        ];
        if over.contains(&error.code()) {
            kept.refused = Some(error.to_string());
            self.keep(&kept)?;
            return Ok(
                anyhow::Error::new(error).context(format!("order {order} is refused; a new one has to be signed"))
            );
        }
        let stays =
            format!("order {order} is kept: `rochdale researcher query --resume` sends the same one, it is paid once");
        Ok(anyhow::Error::new(error).context(stays))
    }

    /// Opens an answer and checks it against what was asked.
    fn check(&self, coop: &Coop, kept: &Kept, sealed: &SealedAnswer) -> Result<Answered> {
        let asked = (kept.order, &kept.request);
        Ok(open_answer(&coop.site(), &self.recipient, asked, sealed)?)
    }
}
