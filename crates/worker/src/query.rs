//! The way of one order, from the first check to the sealed answer. Each state is in the store before its effect leaves the process, so
//! that the same order, sent again after a crash at any point, goes on from there. Orders go side by side.
//!
//! ```text
//! check ─▶ asked ─ snapshot, replica, signatures ─▶ signed ─ debit on chain ─▶ booked ─ release, open, noise ─▶ answered ─ receipt ─▶ done
//!            └ same question, nobody came, changed or went: the earlier answer, sealed ──────────────────────────────────────────────▲
//! ```

use rochdale_api::route::{gateway, steward};
use rochdale_api::trace;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::{B256, Bytes};
use alloy::providers::Provider as _;
use rochdale_api::member::Mined;
use rochdale_api::order::{
    AnchorRequest, Answered, BlindedOrder, Debit, DebitRequest, DebitSignature, QueryRequest, SealedAnswer,
};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_chain::events::LicenseTerms;
use rochdale_compute::engine::Engine as _;
use rochdale_compute::release::{Evaluated, release};
use rochdale_core::commit;
use rochdale_crypto::sealing::{QueryAnswerContext, open_as, seal_as};
use rochdale_crypto::{Sealed, SealingPublicKey, random_blinder};
use zeroize::Zeroizing;

use crate::committee::Committee;
use crate::earlier::{moved, question};
use crate::problems::{broken, internal};
use crate::records::OpenedPool;
use crate::snapshot::Pool;
use crate::store::{Answer, Job, JobState};
use crate::worker::{Mirror, Worker};

/// Seconds after an order's deadline in which stewards still release for its debit.
const SESSION: u64 = 86_400;
/// Between two looks for a debit on chain, or at stewards for whom it is not deep enough yet.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What an order's snapshot led to.
enum Charged {
    /// A quorum signed its debit.
    Signed(Box<Job>),
    /// It was answered before, for another order.
    Repeated(SealedAnswer),
}

impl Worker {
    /// Answers an order. The same order again gets the same answer, until its license has ended, and is charged once.
    ///
    /// # Errors
    /// With what stands against it; the same order can be sent again.
    pub async fn answer(&self, mirror: Arc<Mirror>, request: &QueryRequest) -> Result<SealedAnswer, Problem> {
        let _running = self.running.read().await;
        let order = self.authenticate(&mirror, request).await?;
        let turn = self.turns.of(order.digest);
        let _turn = turn.lock().await;
        let job = match self.store.job(order.digest).await? {
            Some(job) => job,
            None => {
                let cut_time = self.admit(&mirror, request, &order.terms).await?;
                self.take_up(order.digest, request, cut_time).await?
            }
        };
        self.advance(job, mirror).await
    }

    /// Goes on with what an earlier run left open; what cannot go on now stays for the next order or start.
    ///
    /// # Errors
    /// Where the chain or the store cannot be read.
    pub async fn resume(&self) -> Result<(), Problem> {
        for job in self.store.open_jobs().await? {
            let order = job.order_digest;
            match self.answer(self.at_head().await?, &job.request).await {
                Ok(_) => tracing::info!(%order, "an order that was left open is answered"),
                Err(problem) => tracing::warn!(%order, %problem, "an order that was left open stays so"),
            }
        }
        Ok(())
    }

    /// Forgets answers, with their blinders, whose license has ended: until then what is paid can be fetched. An order that was left open goes
    /// earlier, a day past its deadline, with the ids of its snapshot: no steward releases anything for it any more.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn forget_ended(&self, mirror: &Mirror) -> Result<(), Problem> {
        self.store.forget_open(mirror.head.finalized.timestamp.saturating_sub(SESSION)).await?;
        for license in self.store.licenses().await? {
            let ended = mirror.latest.licenses.get(&license).is_none_or(|held| held.terms.expiry < mirror.now());
            if ended {
                self.store.forget_license(license, mirror.now()).await?;
            }
        }
        Ok(())
    }

    /// Writes an order down with what is drawn for it. No steward has heard of it when this returns.
    async fn take_up(&self, digest: B256, request: &QueryRequest, cut_time: u64) -> Result<Job, Problem> {
        let pool = Pool { drawn: random_blinder(&mut rand::rng()), ids: Vec::new() };
        let job = Job {
            order_digest: digest,
            state: JobState::Asked,
            request: request.clone(),
            cut_time,
            question: None,
            secret: Some(self.seal_pool(digest, &pool)?),
            debit: None,
            answer: None,
            mined: None,
        };
        self.store.put_job(&job).await?;
        Ok(job)
    }

    /// Carries a job from wherever it is to its end. Each step passes on what it saw of the chain; only what may have changed
    /// it looks again.
    async fn advance(&self, mut job: Job, mut mirror: Arc<Mirror>) -> Result<SealedAnswer, Problem> {
        if job.state == JobState::Asked {
            job = match self.charge(job, &mirror).await? {
                Charged::Signed(job) => *job,
                Charged::Repeated(answer) => return Ok(answer),
            };
        }
        if job.state == JobState::Signed {
            (job, mirror) = self.book(job, &mirror).await?;
        }
        if job.state == JobState::Booked {
            (job, mirror) = self.compute(job, mirror).await?;
        }
        if job.state == JobState::Answered {
            job.mined = Some(self.anchor(&job, &mirror).await?);
            job.state = JobState::Done;
            job.secret = None;
            self.store.put_job(&job).await?;
        }
        let (Some(answer), Some(mined)) = (job.answer, job.mined) else {
            return Err(internal(format!("order {} is done without an answer", job.order_digest)));
        };
        Ok(SealedAnswer {
            license_id: job.request.order.license_id,
            query_digest: job.request.order.query_digest,
            order: job.order_digest,
            sealed: answer.sealed,
            mined,
        })
    }

    /// Has a quorum agree on the snapshot and sign the debit. Before it is asked to sign, the replica holds what the vault holds and a quorum
    /// holds a share of every record: what is charged can be answered.
    async fn charge(&self, mut job: Job, mirror: &Arc<Mirror>) -> Result<Charged, Problem> {
        let (order, digest) = (job.request.order, job.order_digest);
        if order.deadline < mirror.now() {
            self.store.abandon(digest).await?;
            let detail = format!("order.deadline: {} has passed, nothing was charged", order.deadline);
            return Err(Problem::new(ProblemCode::BadRequest, detail).hint("sign a new order"));
        }
        let committee = self.committee(mirror);
        let question = question(&job)?;
        if let Some(first) = self.earlier(mirror, question, job.cut_time).await? {
            return self.repeat(mirror, job, first).await.map(Charged::Repeated);
        }
        let mut pool = self.unseal_pool(&job)?;
        let agreed = match self.agree(mirror, &committee, &job, pool.drawn).await {
            Ok(agreed) => agreed,
            Err(problem) => return Err(self.give_up(&committee, &job, problem).await?),
        };
        pool.ids = agreed.contributions;
        self.replicate(mirror).await?;
        job.question = Some(question);
        job.secret = Some(self.seal_pool(digest, &pool)?);
        self.store.put_job(&job).await?;
        let debit = Debit::of(&order, digest, agreed.digest);
        match self.signatures(mirror, &committee, &job, &debit, pool.drawn).await {
            Ok(signatures) => {
                job.debit = Some(DebitRequest { debit, signatures });
                job.state = JobState::Signed;
                self.store.put_job(&job).await?;
                Ok(Charged::Signed(Box::new(job)))
            }
            Err(problem) => Err(self.give_up(&committee, &job, problem).await?),
        }
    }

    /// Forgets an order that too many stewards refuse for good: nothing is charged, and no quorum will ever sign it.
    async fn give_up(&self, committee: &Committee, job: &Job, problem: Problem) -> Result<Problem, Problem> {
        if committee.is_refusal(problem.code) {
            self.store.abandon(job.order_digest).await?;
        }
        Ok(problem)
    }

    /// A quorum's signatures over a debit, by seat ascending.
    async fn signatures(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        job: &Job,
        debit: &Debit,
        drawn: B256,
    ) -> Result<Vec<DebitSignature>, Problem> {
        let body = BlindedOrder { request: job.request.clone(), drawn };
        let message = eip712::order::Debit::from(debit);
        let answers = committee
            .ask(|id, client| {
                let (request, message) = (self.sealed_request(committee, id, job.order_digest, &body), &message);
                async move {
                    let given: DebitSignature = client.post_signed(steward::DEBIT, &request?, mirror.now()).await?;
                    let seat = committee.seat(id).filter(|_| given.steward == id);
                    let seat =
                        seat.ok_or_else(|| broken("debit", format!("steward {id} signed as {}", given.steward)))?;
                    let domain = self.manifest.committee_domain();
                    eip712::verify(message, &domain, &given.signature, seat.signer)
                        .map_err(|error| broken("debit", error))?;
                    Ok(given)
                }
            })
            .await;
        let mut signatures: Vec<DebitSignature> =
            committee.enough("debit", answers)?.into_iter().map(|(_, signature)| signature).collect();
        signatures.sort_by_key(|signature| signature.steward);
        Ok(signatures)
    }

    /// Has the gateway book a signed debit, and waits until our own RPC shows it.
    async fn book(&self, mut job: Job, mirror: &Mirror) -> Result<(Job, Arc<Mirror>), Problem> {
        let request = job.debit.clone().ok_or_else(|| internal("a signed order has lost its debit"))?;
        if mirror.latest.debit_of(job.order_digest).is_none() {
            let relayed = self.gateway(mirror).post_signed(gateway::DEBIT, &request, mirror.now()).await;
            if let Err(error) = relayed {
                let mirror = self.at_head().await?;
                if mirror.latest.debit_of(job.order_digest).is_none() {
                    return Err(self.unbooked(&mirror, &job, error.into()).await?);
                }
            }
        }
        let until = Instant::now() + self.config.depth_wait();
        let booked = loop {
            let mirror = self.at_head().await?;
            if mirror.latest.debit_of(job.order_digest).is_some() {
                break mirror;
            }
            if Instant::now() > until {
                return Err(Problem::new(ProblemCode::NotEnough, "the debit is not on chain yet")
                    .hint("the order stays open: send the same order again, it is charged once"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        job.state = JobState::Booked;
        self.store.put_job(&job).await?;
        Ok((job, booked))
    }

    /// What is said of a debit that the gateway did not book. After its deadline the contract takes it no more: it never charges anybody.
    async fn unbooked(&self, mirror: &Mirror, job: &Job, problem: Problem) -> Result<Problem, Problem> {
        let deadline = job.request.order.deadline;
        if mirror.head.finalized.timestamp <= deadline {
            return Ok(problem.hint("the debit is signed: send the same order again, it is booked once"));
        }
        self.store.abandon(job.order_digest).await?;
        let detail = format!("the debit was not booked before the order's deadline {deadline}; nothing was charged");
        Ok(Problem::new(ProblemCode::BadRequest, detail).hint("sign a new order"))
    }

    /// Opens a booked order's snapshot, as soon as the stewards find its debit deep enough.
    async fn open_when_released(
        &self,
        mut mirror: Arc<Mirror>,
        job: &Job,
        pool: &Pool,
    ) -> Result<(OpenedPool, Arc<Mirror>), Problem> {
        let until = Instant::now() + self.config.depth_wait();
        loop {
            match self.open_pool(&mirror, &self.committee(&mirror), job, pool).await {
                Err(problem) if may_change(&problem) && Instant::now() < until => {
                    tokio::time::sleep(LOOK_EVERY).await;
                    mirror = self.at_head().await?;
                }
                opened => {
                    // Past it stewards refuse every record: what opened then would be an answer about nobody.
                    let mirror = self.at_head().await?;
                    self.in_session(&mirror, job)?;
                    return Ok((opened?, mirror));
                }
            }
        }
    }

    /// Whether stewards still release for an order.
    fn in_session(&self, mirror: &Mirror, job: &Job) -> Result<(), Problem> {
        let (end, now) = (job.request.order.deadline.saturating_add(SESSION), mirror.now());
        if now <= end {
            return Ok(());
        }
        let detail = format!("the order's session ended at {end} before it was answered, block time is {now}");
        Err(Problem::new(ProblemCode::Forbidden, detail).hint("what it charged is spent: sign a new order"))
    }

    /// Opens the snapshot of a booked order, draws its one answer, and keeps it sealed.
    async fn compute(&self, mut job: Job, mirror: Arc<Mirror>) -> Result<(Job, Arc<Mirror>), Problem> {
        let pool = self.unseal_pool(&job)?;
        let _slot = self.slots.acquire().await.map_err(internal)?;
        let (OpenedPool { rows, left_out }, mirror) = self.open_when_released(mirror, &job, &pool).await?;
        let exact = self.engine.exact(&job.request.query, &rows).await.map_err(internal)?;
        drop(rows);
        let debit = job.debit.as_ref().ok_or_else(|| internal("a booked order has lost its debit"))?.debit;
        let found = Evaluated { exact, left_out };
        let answer = release(&job.request.query, &found, debit.snapshot, &self.config.gate()).map_err(internal)?;
        let blinder = random_blinder(&mut rand::rng());
        let result_digest = commit::answer(answer.digest().map_err(internal)?, blinder);
        let receipt = eip712::order::QueryReceipt { order: job.order_digest, resultDigest: result_digest };
        let worker_signature = eip712::sign(&self.keys.signer, &receipt, &self.manifest.committee_domain());
        let worker_signature = worker_signature.map_err(internal)?;
        let answered = Answered { answer, debit, blinder, result_digest, worker_signature, cached: false };
        job.answer = Some(self.seal_answer(&mirror, &job, &answered)?);
        job.state = JobState::Answered;
        self.store.put_job(&job).await?;
        Ok((job, mirror))
    }

    /// The job whose answer stands for a question at a cut.
    async fn earlier(&self, mirror: &Mirror, question: B256, cut_time: u64) -> Result<Option<Job>, Problem> {
        let stands = |job: &Job| {
            let license = job.request.order.license_id;
            !moved(&mirror.latest, license, job.cut_time.min(cut_time), mirror.now())
        };
        Ok(self.store.answered(question).await?.into_iter().find(stands))
    }

    /// Answers an order with an earlier one's answer.
    async fn repeat(&self, mirror: &Arc<Mirror>, mut job: Job, first: Job) -> Result<SealedAnswer, Problem> {
        let mut answered = self.kept_answer(&first)?;
        answered.cached = true;
        job.answer = Some(self.seal_answer(mirror, &job, &answered)?);
        job.debit = first.debit;
        job.mined = first.mined;
        job.question = first.question;
        job.secret = None;
        job.state = JobState::Done;
        self.store.put_job(&job).await?;
        Box::pin(self.advance(job, mirror.clone())).await
    }

    /// The terms of an order's license.
    ///
    /// # Errors
    /// Where a reorganization took the license away.
    pub fn terms(&self, mirror: &Mirror, job: &Job) -> Result<LicenseTerms, Problem> {
        let license = job.request.order.license_id;
        let held = mirror.latest.licenses.get(&license);
        Ok(held.ok_or_else(|| internal(format!("license {license} is not on chain any more")))?.terms)
    }

    /// Seals an answer twice: to ourselves, to repeat it, and to the license's recipient.
    fn seal_answer(&self, mirror: &Mirror, job: &Job, answered: &Answered) -> Result<Answer, Problem> {
        let recipient = self.terms(mirror, job)?.recipient_key;
        let json = Zeroizing::new(serde_json::to_vec(answered).map_err(internal)?);
        let context = self.answer_context(job);
        let seal = |key: SealingPublicKey| -> Result<Bytes, Problem> {
            Ok(seal_as(&key, &context, &json, &mut rand::rng()).map_err(internal)?.0)
        };
        Ok(Answer { kept: seal(self.keys.sealing.public())?, sealed: seal(SealingPublicKey(recipient))? })
    }

    fn kept_answer(&self, job: &Job) -> Result<Answered, Problem> {
        let answer = job.answer.as_ref().ok_or_else(|| internal("an answered order has lost its answer"))?;
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
            order: job.order_digest,
            query_digest: job.request.order.query_digest,
        }
    }

    /// Has the gateway anchor the receipt; a receipt that is on chain already counts as anchored.
    async fn anchor(&self, job: &Job, mirror: &Mirror) -> Result<Mined, Problem> {
        let answered = self.kept_answer(job)?;
        let request = AnchorRequest {
            order: job.order_digest,
            result_digest: answered.result_digest,
            worker: self.address(),
            worker_signature: answered.worker_signature,
        };
        match self.gateway(mirror).post_signed(gateway::RECEIPT, &request, mirror.now()).await {
            Ok(mined) => Ok(mined),
            Err(error) => match self.anchored(job.order_digest, answered.result_digest).await? {
                Some(mined) => Ok(mined),
                None => Err(Problem::from(error)
                    .hint("the answer is kept: send the same order again once the gateway anchors receipts")),
            },
        }
    }

    /// The transaction that anchored a receipt, as our own RPC shows it.
    async fn anchored(&self, order: B256, result: B256) -> Result<Option<Mined>, Problem> {
        let mirror = self.at_head().await?;
        let anchored = mirror.latest.debit_of(order).and_then(|booked| booked.receipt);
        let Some(receipt) = anchored.filter(|receipt| receipt.result_digest == result) else { return Ok(None) };
        let mined = self.chain.provider().get_transaction_receipt(receipt.transaction).await;
        let gas_used = mined.map_err(crate::problems::chain)?.map_or(0, |mined| mined.gas_used);
        Ok(Some(Mined { tx: receipt.transaction, block: receipt.anchored.block, gas_used }))
    }
}

/// Whether a refusal may come from waiting alone: stewards release for a debit that is deep enough on their own chain.
fn may_change(problem: &Problem) -> bool {
    matches!(problem.code, ProblemCode::NotEnough | ProblemCode::ChainUnavailable)
}

/// Answers in a task of its own: a caller that hangs up does not stop half-way what is charged already.
///
/// # Errors
/// As [`Worker::answer`].
pub async fn answer_detached(
    worker: Arc<Worker>,
    mirror: Arc<Mirror>,
    request: QueryRequest,
) -> Result<SealedAnswer, Problem> {
    let answering = tokio::spawn(trace::carried(async move { worker.answer(mirror, &request).await }));
    answering.await.unwrap_or_else(|error| Err(internal(format!("answering ended early: {error}"))))
}
