//! The way of one order, from the first check to the sealed answer. Each state is in the store before its effect leaves
//! the process, so that the same order, sent again after a crash at any point, goes on from there.
//!
//! ```text
//! check ─ pool ─ gate ─▶ proposed ─ majority ─▶ committed ─ release, open, noise ─▶ answered ─ receipt on chain ─▶ done
//!                  └ same question, same snapshot: the first one's answer, sealed anew ────────────────────────────▲
//! ```

use std::sync::Arc;

use alloy::primitives::{B256, Bytes};
use alloy::providers::Provider as _;
use rochdale_api::member::Mined;
use rochdale_api::query::{AnchorRequest, Answered, BudgetEntry, QueryRequest, SealedAnswer};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_compute::engine::Engine as _;
use rochdale_compute::release::{Snapshot, release};
use rochdale_crypto::sealing::{QueryAnswerContext, open_as, seal_as};
use rochdale_crypto::{Sealed, SealingPublicKey};
use zeroize::Zeroizing;

use crate::budget::{Log, rule};
use crate::committee::Committee;
use crate::order::Authentic;
use crate::problems::internal;
use crate::snapshot::Pool;
use crate::store::{Answer, Job, JobState};
use crate::worker::{Mirror, Worker};

impl Worker {
    /// Answers an order. The same order again gets the same answer and is charged once.
    ///
    /// # Errors
    /// With what stands against it; the same order can be sent again.
    pub async fn answer(&self, request: &QueryRequest) -> Result<SealedAnswer, Problem> {
        let _one = self.working.lock().await;
        let mirror = self.at_head().await?;
        let order = self.authenticate(&mirror, request)?;
        if let Some(job) = self.store.job(order.digest).await? {
            match self.advance(&mirror, job).await {
                // Given up: nobody can ever sign that entry, so the order may be taken up anew.
                Err(_) if self.store.job(order.digest).await?.is_none() => {}
                other => return other,
            }
        }
        self.admit(&mirror, request, &order.terms)?;
        let committee = self.committee(&mirror);
        let pool = self.pool(&mirror, &committee, request.order.license_id, &order.terms).await?;
        if let Some(first) = self.store.answered(request.order.query_digest, pool.cut.snapshot).await? {
            return self.repeat(&mirror, &committee, request, order, first).await;
        }
        let members = pool.members(&mirror).len() as u64;
        if !self.config.gate().admits(members) {
            let detail = format!("the pool has {members} members, queries need {}", self.config.privacy.min_pool);
            return Err(Problem::new(ProblemCode::NotEnough, detail)
                .hint("nothing was charged; ask again when more members have contributed"));
        }
        let job = self.propose_job(&mirror, &committee, request, order, &pool).await?;
        self.advance(&mirror, job).await
    }

    /// Goes on with what an earlier run left open; what cannot go on now stays for the next order or start.
    ///
    /// # Errors
    /// Where the chain or the store cannot be read.
    pub async fn resume(&self) -> Result<(), Problem> {
        let _one = self.working.lock().await;
        let mirror = self.at_head().await?;
        for job in self.store.open_jobs().await? {
            let index = job.entry.index;
            match self.advance(&mirror, job).await {
                Ok(_) => tracing::info!(index, "an order that was left open is answered"),
                Err(problem) => tracing::warn!(index, %problem, "an order that was left open stays so"),
            }
        }
        Ok(())
    }

    /// Writes down the next entry for an order. No steward has heard of it when this returns.
    async fn propose_job(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        request: &QueryRequest,
        order: Authentic,
        pool: &Pool,
    ) -> Result<Job, Problem> {
        let mut job = Job {
            order_digest: order.digest,
            state: JobState::Proposed,
            cached: false,
            request: request.clone(),
            cut: pool.cut,
            snapshot: Some(self.seal_pool(request.order.license_id, pool)?),
            entry: entry(&Log::default(), request, pool.cut.snapshot),
            entry_hash: B256::ZERO,
            countersignatures: Vec::new(),
            answer: None,
            mined: None,
        };
        let log = self.settle_open(mirror, committee, &job).await?;
        if log.left < request.order.rho {
            let (asked, left) = (request.order.rho, log.left);
            let detail = format!("the query costs {asked} nano-zCDP, {left} are left in this pool");
            return Err(Problem::new(ProblemCode::BudgetExceeded, detail)
                .hint("the budget is for life and never reset: ask with a smaller rho"));
        }
        job.entry = entry(&log, request, pool.cut.snapshot);
        job.entry_hash = rule(&job.entry).hash();
        self.store.put_job(&job).await?;
        Ok(job)
    }

    /// Carries a job from wherever it is to its end.
    async fn advance(&self, mirror: &Mirror, mut job: Job) -> Result<SealedAnswer, Problem> {
        let committee = self.committee(mirror);
        let resumed = job.state == JobState::Committed;
        if job.state == JobState::Proposed {
            // Also sends stewards that lag what they lack, without which they would not sign.
            self.learn_log(mirror, &committee).await?;
            job = self.charge(mirror, &committee, job).await?;
        }
        if job.state == JobState::Committed {
            if resumed {
                self.remind(mirror, &committee, &job).await;
            }
            job = self.compute(mirror, &committee, job).await?;
        }
        if job.state == JobState::Answered {
            job.mined = Some(self.anchor(mirror, &job).await?);
            job.state = JobState::Done;
            job.snapshot = None;
            self.store.put_job(&job).await?;
        }
        let (Some(answer), Some(mined)) = (job.answer, job.mined) else {
            return Err(internal(format!("the job of entry {} is done without an answer", job.entry.index)));
        };
        Ok(SealedAnswer {
            license_id: job.request.order.license_id,
            query_digest: job.request.order.query_digest,
            entry_hash: job.entry_hash,
            sealed: answer.sealed,
            mined,
        })
    }

    /// Tells stewards again what a charged job rests on: one that was away may have missed both.
    async fn remind(&self, mirror: &Mirror, committee: &Committee, job: &Job) {
        let license = job.request.order.license_id;
        if let Some(held) = mirror.latest.licenses.get(&license) {
            self.ask_snapshots(mirror, committee, license, &held.terms, job.cut.block).await;
        }
        if let Err(problem) = self.learn_log(mirror, committee).await {
            tracing::warn!(%problem, "stewards that lag could not be sent the budget log");
        }
        self.commit(mirror, committee, &job.commit_request()).await;
    }

    /// Opens the pool of a charged job, draws its one answer, and keeps it sealed.
    async fn compute(&self, mirror: &Mirror, committee: &Committee, mut job: Job) -> Result<Job, Problem> {
        let license = job.request.order.license_id;
        let sealed = job.snapshot.as_ref().ok_or_else(|| internal("a charged job has lost its snapshot"))?;
        let pool = self.unseal_pool(license, job.cut, sealed)?;
        let budget_left = self.learn_log(mirror, committee).await?.left;
        let rows = self.open_pool(mirror, committee, &job.commit_request(), &pool).await?;
        let exact = self.engine.exact(&job.request.query, &rows).await.map_err(internal)?;
        let snapshot = Snapshot {
            digest: job.cut.snapshot,
            records: u32::try_from(pool.ids.len()).map_err(internal)?,
            members: rows.members(),
        };
        drop(rows);
        let answer = release(&job.request.query, &exact, &snapshot, &self.config.gate()).map_err(internal)?;
        let result_digest = answer.digest().map_err(internal)?;
        let receipt = eip712::QueryReceipt { entryHash: job.entry_hash, resultDigest: result_digest };
        let worker_signature = eip712::sign(&self.keys.signer, &receipt, &self.manifest.committee_domain());
        let answered = Answered {
            answer,
            entry: job.entry.clone(),
            countersignatures: job.countersignatures.clone(),
            result_digest,
            worker_signature: worker_signature.map_err(internal)?,
            budget_left,
            cached: false,
        };
        job.answer = Some(self.seal_answer(mirror, &job, &answered)?);
        job.state = JobState::Answered;
        self.store.put_job(&job).await?;
        Ok(job)
    }

    /// The stored answer to the same question over the same records, for another order.
    async fn repeat(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        request: &QueryRequest,
        order: Authentic,
        first: Job,
    ) -> Result<SealedAnswer, Problem> {
        let digest = first.order_digest;
        if first.state != JobState::Done {
            self.advance(mirror, first).await?;
        }
        let first = self.store.job(digest).await?.ok_or_else(|| internal("a charged job has vanished"))?;
        let mut answered = self.kept_answer(&first)?;
        answered.cached = true;
        answered.budget_left = self.learn_log(mirror, committee).await.map_or(answered.budget_left, |log| log.left);
        let mut job = Job { order_digest: order.digest, cached: true, request: request.clone(), ..first };
        job.answer = Some(self.seal_answer(mirror, &job, &answered)?);
        self.store.put_job(&job).await?;
        self.advance(mirror, job).await
    }

    /// Seals an answer twice: to ourselves, to repeat it, and to the license's recipient.
    fn seal_answer(&self, mirror: &Mirror, job: &Job, answered: &Answered) -> Result<Answer, Problem> {
        let license = job.request.order.license_id;
        let held = mirror.latest.licenses.get(&license);
        let held = held.ok_or_else(|| internal(format!("license {license} is not on chain any more")))?;
        let json = Zeroizing::new(serde_json::to_vec(answered).map_err(internal)?);
        let context = self.answer_context(job);
        let seal = |key: SealingPublicKey| -> Result<Bytes, Problem> {
            Ok(seal_as(&key, &context, &json, &mut rand::rng()).map_err(internal)?.0)
        };
        let kept = seal(self.keys.sealing.public())?;
        let sealed = seal(SealingPublicKey(held.terms.recipient_key))?;
        Ok(Answer { kept, sealed })
    }

    fn kept_answer(&self, job: &Job) -> Result<Answered, Problem> {
        let answer = job.answer.as_ref().ok_or_else(|| internal("an answered job has lost its answer"))?;
        let json =
            open_as(&self.keys.sealing, &self.answer_context(job), &Sealed(answer.kept.clone())).map_err(|error| {
                internal(format!("the stored answer does not open: {error}; was sealing_key_file changed?"))
            })?;
        serde_json::from_slice(&json).map_err(internal)
    }

    fn answer_context(&self, job: &Job) -> QueryAnswerContext {
        QueryAnswerContext {
            chain_id: self.manifest.chain_id,
            committee: self.manifest.addresses.steward_committee,
            license: job.request.order.license_id,
            order: job.entry_hash,
            query_digest: job.request.order.query_digest,
        }
    }

    /// Has the gateway anchor the receipt; a receipt that is on chain already counts as anchored.
    async fn anchor(&self, mirror: &Mirror, job: &Job) -> Result<Mined, Problem> {
        let answered = self.kept_answer(job)?;
        let request = AnchorRequest {
            entry: answered.entry,
            countersignatures: answered.countersignatures,
            result_digest: answered.result_digest,
            worker: self.address(),
            worker_signature: answered.worker_signature,
        };
        match self.gateway(mirror).post_signed("/v1/receipts", &request, mirror.now()).await {
            Ok(mined) => Ok(mined),
            Err(error) => match self.anchored(job.entry_hash, answered.result_digest).await? {
                Some(mined) => Ok(mined),
                None => Err(Problem::from(error)
                    .hint("the answer is kept: send the same order again once the gateway anchors receipts")),
            },
        }
    }

    /// The transaction that anchored a receipt, as our own RPC shows it.
    async fn anchored(&self, entry: B256, result: B256) -> Result<Option<Mined>, Problem> {
        let mirror = self.at_head().await?;
        let found = mirror.events.iter().rev().find(|located| {
            matches!(&located.event, Event::ReceiptAnchored { entry_hash, result_digest, .. }
                if (*entry_hash, *result_digest) == (entry, result))
        });
        let Some(located) = found else { return Ok(None) };
        let receipt = self.chain.provider().get_transaction_receipt(located.transaction).await;
        let gas_used = receipt.map_err(crate::problems::chain)?.map_or(0, |receipt| receipt.gas_used);
        Ok(Some(Mined { tx: located.transaction, block: located.block_number, gas_used }))
    }
}

/// The next entry of a log, for an order over a snapshot.
fn entry(log: &Log, request: &QueryRequest, snapshot: B256) -> BudgetEntry {
    let order = &request.order;
    BudgetEntry {
        index: log.next(),
        previous: log.head(),
        query_digest: order.query_digest,
        snapshot,
        license_id: order.license_id,
        purpose: order.purpose,
        rho: order.rho,
        deadline: order.deadline,
    }
}

/// Answers in a task of its own: a caller that hangs up does not stop half-way what is charged already.
///
/// # Errors
/// As [`Worker::answer`].
pub async fn answer_detached(worker: Arc<Worker>, request: QueryRequest) -> Result<SealedAnswer, Problem> {
    let answering = tokio::spawn(async move { worker.answer(&request).await });
    answering.await.unwrap_or_else(|error| Err(internal(format!("answering ended early: {error}"))))
}
