//! Of whom? The snapshot of an order, as a quorum of stewards says alike; and whether it can be opened, before anything is charged.

use std::collections::BTreeMap;

use alloy::primitives::{B256, Bytes};
use rochdale_api::client::Client;
use rochdale_api::member::Sealed as SealedAnswer;
use rochdale_api::order::{BlindedOrder, SealedRequest, Snapshot};
use rochdale_api::route::steward;
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::commit;
use rochdale_core::ids::{ContributionId, StewardId};
use rochdale_crypto::sealing::{self, OrderContext, PoolContext};
use rochdale_crypto::{Sealed, SealingPublicKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::committee::{Answers, Committee};
use crate::problems::{broken, internal};
use crate::store::Job;
use crate::worker::{Mirror, Worker};

/// The seat in the context of what the worker seals to itself: no steward has it.
const OURSELVES: StewardId = StewardId(0);

/// What only stewards and worker know of an order's snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pool {
    /// What blinds the snapshot's digest together with the order; drawn once for each order.
    pub drawn: B256,
    /// Its records, ascending; empty before the stewards have named them.
    pub ids: Vec<ContributionId>,
}

/// How many stewards name the snapshot that most of them name.
fn alike(answers: &Answers<Snapshot>) -> usize {
    let mut named: BTreeMap<B256, usize> = BTreeMap::new();
    for (_, snapshot) in answers {
        if let Ok(snapshot) = snapshot {
            *named.entry(snapshot.digest).or_default() += 1;
        }
    }
    named.into_values().max().unwrap_or(0)
}

impl Worker {
    /// The snapshot of an order, by its ids and its digest.
    ///
    /// # Errors
    /// Where too few stewards answer alike. Who agrees holds its share of each of these records, so that a quorum of shares of every
    /// record can be had.
    pub async fn agree(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        job: &Job,
        drawn: B256,
    ) -> Result<Snapshot, Problem> {
        let body = BlindedOrder { request: job.request.clone(), drawn };
        let blinder = commit::snapshot_blinder(job.order_digest, drawn);
        let question = |id, client: Client| {
            let request = self.sealed_request(committee, id, job.order_digest, &body);
            async move {
                let sealed: SealedAnswer = client.post_signed(steward::SNAPSHOT, &request?, mirror.now()).await?;
                self.open_snapshot(mirror, id, job, blinder, &sealed)
            }
        };
        // One that lies and is quick must not stand in for one that is slow.
        let answers = committee.ask_until(|_| true, question, |answers| alike(answers) >= committee.need()).await;
        self.agreed(committee, answers)
    }

    /// A request for an order, sealed to a steward's key on chain.
    ///
    /// # Errors
    /// Where the steward has no usable key.
    pub fn sealed_request(
        &self,
        committee: &Committee,
        index: StewardId,
        order: B256,
        body: &impl Serialize,
    ) -> Result<SealedRequest, Problem> {
        let seat = committee.seat(index).ok_or_else(|| internal(format!("there is no steward {index}")))?;
        let (chain_id, committee) = (self.manifest.chain_id, self.manifest.addresses.steward_committee);
        let context = OrderContext { chain_id, committee, order, worker: self.address(), index };
        let json = Zeroizing::new(serde_json::to_vec(body).map_err(internal)?);
        let sealed = sealing::seal_as(&SealingPublicKey(seat.sealing_key), &context, &json, &mut rand::rng());
        Ok(SealedRequest { order, sealed: sealed.map_err(internal)?.0 })
    }

    fn open_snapshot(
        &self,
        mirror: &Mirror,
        id: StewardId,
        job: &Job,
        blinder: B256,
        sealed: &SealedAnswer,
    ) -> Result<Snapshot, Problem> {
        let context = self.pool_context(job.order_digest, id);
        let json = sealing::open_as(&self.keys.sealing, &context, &Sealed(sealed.sealed.clone()))
            .map_err(|error| broken("snapshot", error))?;
        let snapshot: Snapshot = serde_json::from_slice(&json).map_err(|error| broken("snapshot", error))?;
        let terms = self.terms(mirror, job)?;
        let ids = &snapshot.contributions;
        let (dataset, purpose, cut) = (terms.dataset, terms.purpose, job.request.order.cut);
        let digest = self.rule(mirror, job, ids)?.blinded_digest(blinder).map_err(|e| broken("snapshot", e))?;
        let asked = (dataset, purpose, cut, digest);
        if (snapshot.dataset, snapshot.purpose, snapshot.cut, snapshot.digest) != asked {
            self.blame(format!("steward {id} answered another snapshot than was asked"));
            return Err(broken("snapshot", "it is not the one that was asked for"));
        }
        Ok(snapshot)
    }

    fn rule<'a>(&self, mirror: &Mirror, job: &Job, ids: &'a [ContributionId]) -> Result<commit::Snapshot<'a>, Problem> {
        let terms = self.terms(mirror, job)?;
        Ok(commit::Snapshot {
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.contribution_registry,
            dataset: terms.dataset,
            purpose: terms.purpose,
            cut: job.request.order.cut,
            ids,
        })
    }

    fn pool_context(&self, order: B256, index: StewardId) -> PoolContext {
        let committee = self.manifest.addresses.steward_committee;
        PoolContext { chain_id: self.manifest.chain_id, committee, order, index }
    }

    /// The pool at rest: who is in it is nobody else's business.
    ///
    /// # Errors
    /// Never with a usable key.
    pub fn seal_pool(&self, order: B256, pool: &Pool) -> Result<Bytes, Problem> {
        let json = Zeroizing::new(serde_json::to_vec(pool).map_err(internal)?);
        let context = self.pool_context(order, OURSELVES);
        let sealed = sealing::seal_as(&self.keys.sealing.public(), &context, &json, &mut rand::rng());
        Ok(sealed.map_err(internal)?.0)
    }

    /// What [`Self::seal_pool`] sealed.
    ///
    /// # Errors
    /// Where it was sealed to another key.
    pub fn unseal_pool(&self, job: &Job) -> Result<Pool, Problem> {
        let sealed = job.secret.clone().ok_or_else(|| internal("an open order has lost its snapshot"))?;
        let context = self.pool_context(job.order_digest, OURSELVES);
        let json = sealing::open_as(&self.keys.sealing, &context, &Sealed(sealed)).map_err(|error| {
            internal(format!("the stored snapshot does not open: {error}; was sealing_key_file changed?"))
        })?;
        serde_json::from_slice(&json).map_err(internal)
    }

    /// The snapshot that enough stewards gave alike. Nothing that is said of the others tells how many records they named.
    fn agreed(&self, committee: &Committee, answers: Answers<Snapshot>) -> Result<Snapshot, Problem> {
        let mut by_digest: BTreeMap<B256, Vec<(StewardId, Snapshot)>> = BTreeMap::new();
        for (id, snapshot) in committee.enough("snapshot", answers)? {
            by_digest.entry(snapshot.digest).or_default().push((id, snapshot));
        }
        let mut groups: Vec<_> = by_digest.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let named = |group: &[(StewardId, Snapshot)]| -> String {
            let who: Vec<String> = group.iter().map(|(id, _)| id.to_string()).collect();
            format!("steward {}", who.join(" and "))
        };
        let need = committee.need();
        // Two groups of the same size say that neither can be told from the other.
        let rivals = groups.iter().filter(|group| group.len() >= need).count();
        if rivals == 1 {
            for odd in groups.iter().skip(1) {
                self.blame(format!("{} named another snapshot than the others", named(odd)));
            }
            let agreed = groups.into_iter().next().and_then(|mut group| group.pop());
            return agreed.map(|(_, snapshot)| snapshot).ok_or_else(|| internal("a group of stewards is empty"));
        }
        let said: Vec<String> = groups.iter().map(|group| named(group)).collect();
        let detail = format!("the stewards do not agree on the snapshot, {need} must: {} differ", said.join(", "));
        Err(Problem::new(ProblemCode::NotEnough, detail)
            .hint("nothing was charged; a steward is catching up: send the same order again"))
    }
}
