//! Who pays? The worker's side of the budget log: learn it from the stewards, propose the next entry, have a majority sign.
//!
//! A steward's log counts only as far as a majority's signatures carry it, so one steward cannot make up an entry nor
//! hide one from a majority. A steward that lags is sent what it lacks. Rules: [`rochdale_core::budget`].

use std::collections::BTreeSet;
use std::sync::PoisonError;

use alloy::primitives::{B256, U256};
use rochdale_api::query::{BudgetEntry, BudgetLog, CommitRequest, Countersignature, EntryRequest};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_core::budget::{self, majority};
use rochdale_core::ids::StewardId;

use crate::committee::Committee;
use crate::problems::broken;
use crate::store::{Job, JobState};
use crate::worker::{Mirror, Worker};

/// The log as a majority carries it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Hashes of the committed entries, from index 1.
    pub hashes: Vec<B256>,
    /// The committed entries with their signatures.
    pub entries: Vec<CommitRequest>,
    /// What is left of the pool's lifetime budget, in nano-zCDP.
    pub left: u64,
    /// Entries that stewards signed at the next index, without a majority so far.
    pub signed: Vec<(StewardId, BudgetEntry)>,
}

impl Log {
    /// Place of the next entry.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.hashes.len() as u64 + 1
    }

    /// What the next entry follows.
    #[must_use]
    pub fn head(&self) -> B256 {
        self.hashes.last().copied().unwrap_or_default()
    }
}

/// What came of proposing an entry.
#[derive(Clone, Debug)]
pub enum Proposed {
    /// A majority signed: these, by seat ascending.
    Signed(Vec<Countersignature>),
    /// Too few did. `lost` where so many refuse for good that a majority is out of reach.
    Open {
        /// Why, and who.
        problem: Problem,
        /// Whether this entry can never be committed.
        lost: bool,
    },
}

/// The entry as the rules know it.
#[must_use]
pub fn rule(entry: &BudgetEntry) -> budget::BudgetEntry {
    budget::BudgetEntry {
        index: entry.index,
        previous: entry.previous,
        query_digest: entry.query_digest,
        snapshot: entry.snapshot,
        license_id: entry.license_id,
        purpose: entry.purpose,
        rho: entry.rho,
        deadline: U256::from(entry.deadline),
    }
}

impl Worker {
    /// The log as of now; stewards that lag are sent what they lack.
    ///
    /// # Errors
    /// Where too few stewards answer, or two of them hold different entries at one index.
    pub async fn learn_log(&self, mirror: &Mirror, committee: &Committee) -> Result<Log, Problem> {
        let now = mirror.now();
        let answers = committee
            .ask(|_, client| async move { Ok(client.get_signed::<BudgetLog>("/v1/budget", now).await?) })
            .await;
        let logs = committee.enough("budget log", answers)?;
        let mut checked = Vec::new();
        for (id, log) in logs {
            let hashes = self.carried(committee, id, &log);
            checked.push((id, hashes, log));
        }
        let Some((_, hashes, longest)) = checked.iter().max_by_key(|(_, hashes, _)| hashes.len()) else {
            return Ok(Log::default());
        };
        let (hashes, entries, left) = (hashes.clone(), longest.entries[..hashes.len()].to_vec(), longest.left);
        for (id, other, _) in &checked {
            if let Some(at) = other.iter().zip(&hashes).position(|(theirs, ours)| theirs != ours) {
                let detail = format!(
                    "steward {id} holds {} at index {} of the budget log, others {}",
                    other[at],
                    at + 1,
                    hashes[at]
                );
                return Err(Problem::new(ProblemCode::Halted, detail)
                    .hint("two majorities signed at one index: a steward equivocated, people have to find out which"));
            }
        }
        let signed = checked.iter().filter(|(_, other, _)| other.len() == hashes.len()).filter_map(|(id, _, log)| {
            log.signed.clone().filter(|entry| entry.index == hashes.len() as u64 + 1).map(|entry| (*id, entry))
        });
        let log = Log { signed: signed.collect(), hashes, entries, left };
        for (id, held, _) in &checked {
            for lacking in &log.entries[held.len()..] {
                self.commit_at(mirror, committee, &BTreeSet::from([*id]), lacking).await;
            }
        }
        Ok(log)
    }

    /// Hashes of the entries of a steward's log, as far as each follows the one before and a majority signed it.
    fn carried(&self, committee: &Committee, id: StewardId, log: &BudgetLog) -> Vec<B256> {
        let mut hashes: Vec<B256> = Vec::with_capacity(log.entries.len());
        for request in &log.entries {
            let entry = &request.entry;
            let follows =
                entry.index == hashes.len() as u64 + 1 && entry.previous == hashes.last().copied().unwrap_or_default();
            let hash = rule(entry).hash();
            if !follows || !self.has_majority(committee, hash, request) {
                self.blame(format!("steward {id} shows entry {} without what carries it", entry.index));
                break;
            }
            hashes.push(hash);
        }
        hashes
    }

    fn has_majority(&self, committee: &Committee, hash: B256, request: &CommitRequest) -> bool {
        let known = |hash| self.verified.lock().unwrap_or_else(PoisonError::into_inner).contains(&hash);
        if known(hash) {
            return true;
        }
        let holds = |signature: &&Countersignature| self.check_signature(committee, &request.entry, signature).is_ok();
        let signers: BTreeSet<StewardId> =
            request.countersignatures.iter().filter(holds).map(|signature| signature.steward).collect();
        let carried = signers.len() >= majority(committee.seats());
        if carried {
            self.verified.lock().unwrap_or_else(PoisonError::into_inner).insert(hash);
        }
        carried
    }

    fn check_signature(
        &self,
        committee: &Committee,
        entry: &BudgetEntry,
        signature: &Countersignature,
    ) -> Result<(), Problem> {
        let seat = committee.seat(signature.steward);
        let seat =
            seat.ok_or_else(|| broken("countersignature", format!("there is no steward {}", signature.steward)))?;
        let message = eip712::BudgetEntry::from(&rule(entry));
        eip712::verify(&message, &self.manifest.committee_domain(), &signature.signature, seat.signer)
            .map_err(|error| broken("countersignature", error))
    }

    /// Asks stewards to sign an entry.
    ///
    /// # Errors
    /// Never: that too few sign is a result.
    pub async fn propose(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        those: impl Fn(StewardId) -> bool,
        asked: &EntryRequest,
    ) -> Proposed {
        let answers = committee
            .ask_those(those, |id, client| async move {
                let given: Countersignature = client.post_signed("/v1/budget/entries", asked, mirror.now()).await?;
                if given.steward != id {
                    return Err(broken(
                        "countersignature",
                        format!("of steward {} where {id} was asked", given.steward),
                    ));
                }
                self.check_signature(committee, &asked.entry, &given)?;
                Ok(given)
            })
            .await;
        let (mut signed, mut refused) = (Vec::new(), Vec::new());
        for (id, answer) in answers {
            match answer {
                Ok(signature) => signed.push(signature),
                Err(problem) => refused.push((id, problem)),
            }
        }
        if signed.len() >= committee.need() {
            return Proposed::Signed(signed);
        }
        let problem = committee.lacking(&format!("budget entry {}", asked.entry.index), signed.len(), &refused);
        Proposed::Open { lost: committee.is_final(problem.code, &refused), problem }
    }

    /// Tells every steward that a majority signed. Who does not hear it now is told when the log is read next.
    pub async fn commit(&self, mirror: &Mirror, committee: &Committee, request: &CommitRequest) {
        let all = committee.stewards.iter().map(|steward| steward.id).collect();
        self.commit_at(mirror, committee, &all, request).await;
    }

    async fn commit_at(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        those: &BTreeSet<StewardId>,
        request: &CommitRequest,
    ) {
        let answers = committee
            .ask_those(
                |id| those.contains(&id),
                |_, client| async move {
                    Ok(client.post_signed::<BudgetLog>("/v1/budget/commit", request, mirror.now()).await?)
                },
            )
            .await;
        for (steward, answer) in answers {
            if let Err(problem) = answer {
                tracing::warn!(%steward, index = request.entry.index, %problem, "a committed entry was not taken");
            }
        }
    }

    /// Brings every entry that was left open to an end before the next one is proposed: ours that a majority signs are
    /// committed, those that never can be are given up; another worker's are committed where a majority signed.
    ///
    /// # Errors
    /// Where too few stewards answer to tell.
    pub async fn settle_open(&self, mirror: &Mirror, committee: &Committee, asked: &Job) -> Result<Log, Problem> {
        for job in self.store.open_jobs().await? {
            match job.state {
                JobState::Proposed => {
                    if let Err(problem) = self.charge(mirror, committee, job).await {
                        tracing::warn!(%problem, "an entry that was left open is not committed");
                    }
                }
                JobState::Committed => self.commit(mirror, committee, &job.commit_request()).await,
                JobState::Answered | JobState::Done => {}
            }
        }
        let mut log = self.learn_log(mirror, committee).await?;
        let mut foreign: Vec<BudgetEntry> = Vec::new();
        for (_, entry) in &log.signed {
            if !foreign.contains(entry) {
                foreign.push(entry.clone());
            }
        }
        for entry in foreign {
            // Who signed it gives the same signature again, whatever order comes with it.
            let signers: BTreeSet<StewardId> =
                log.signed.iter().filter(|(_, other)| *other == entry).map(|(id, _)| *id).collect();
            let request = EntryRequest { entry: entry.clone(), cut: asked.cut.block, request: asked.request.clone() };
            if let Proposed::Signed(countersignatures) =
                self.propose(mirror, committee, |id| signers.contains(&id), &request).await
            {
                self.commit(mirror, committee, &CommitRequest { entry, countersignatures }).await;
                log = self.learn_log(mirror, committee).await?;
            }
        }
        Ok(log)
    }

    /// Has a majority sign a proposed job's entry; the job is charged when this returns.
    ///
    /// # Errors
    /// Where too few sign. The job stays as it is, or is forgotten where its entry can never be committed.
    pub async fn charge(&self, mirror: &Mirror, committee: &Committee, mut job: Job) -> Result<Job, Problem> {
        let request = EntryRequest { entry: job.entry.clone(), cut: job.cut.block, request: job.request.clone() };
        match self.propose(mirror, committee, |_| true, &request).await {
            Proposed::Signed(countersignatures) => {
                job.countersignatures = countersignatures;
                job.state = JobState::Committed;
                self.store.put_job(&job).await?;
                self.commit(mirror, committee, &job.commit_request()).await;
                Ok(job)
            }
            Proposed::Open { problem, lost } => {
                if lost {
                    self.store.abandon(job.order_digest).await?;
                }
                Err(problem)
            }
        }
    }
}

impl Job {
    /// What tells a steward that this job's entry is committed.
    #[must_use]
    pub fn commit_request(&self) -> CommitRequest {
        CommitRequest { entry: self.entry.clone(), countersignatures: self.countersignatures.clone() }
    }
}
