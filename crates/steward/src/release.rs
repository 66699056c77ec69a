//! Releasing key shares to a worker: for a committed entry of the budget log, to the worker's key on chain, and only of
//! members whose consent stands right now.
//!
//! Grants count as of a finalized block, denials as of the latest one. Whatever a steward cannot read does not happen: a
//! stale head refuses everything.

use std::sync::Arc;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, keccak256};
use rochdale_api::contribution::ShareAnswer;
use rochdale_api::query::{BudgetEntry, ReleaseRequest, Shares, Snapshot, SnapshotRequest};
use rochdale_api::{Problem, ProblemCode, member};
use rochdale_chain::client::BlockRef;
use rochdale_chain::state::{ConsentStatus, Contribution, Cooperative, LicenseState};
use rochdale_core::commit;
use rochdale_core::consent::{Decision, EhdsCategory, Request, matches};
use rochdale_core::ids::{ContributionId, DatasetId, LicenseId, MemberId};
use rochdale_crypto::SealingPublicKey;
use rochdale_crypto::sealing::{self, ShareContext, SnapshotContext};
use zeroize::Zeroizing;

use crate::budget::license;
use crate::custody::kept;
use crate::scoring::PAGE;
use crate::steward::{Mirror, Steward, chain_problem, internal};
use crate::store::SnapshotRow;

/// Seconds after an entry's deadline in which its shares are still given: a worker that crashed may go on for a day.
const SESSION: u64 = 86_400;

/// Why an entry's shares are released no more.
fn spent(mirror: &Mirror, index: u64, entry: &BudgetEntry) -> Option<Problem> {
    if mirror.latest.receipts.contains_key(&index) {
        let detail = format!("entry {index} was answered and its receipt anchored: a new answer needs a new entry");
        return Some(denied(ProblemCode::Conflict, detail));
    }
    let (deadline, now) = (entry.deadline, mirror.now());
    let detail = format!("entry {index} expired at {deadline}, block time is {now}");
    (now > deadline.saturating_add(SESSION)).then(|| denied(ProblemCode::Forbidden, detail))
}

fn denied(code: ProblemCode, detail: String) -> Problem {
    Problem::new(code, detail)
}

impl Steward {
    /// The finalized block of a cut.
    async fn cut_block(&self, mirror: &Mirror, cut: B256) -> Result<BlockRef, Problem> {
        let found = self.chain.find_block(BlockId::hash(cut)).await.map_err(chain_problem)?;
        let block = found.filter(|block| block.number <= mirror.head.finalized.number);
        let same = match block {
            Some(block) => self.chain.find_block(BlockId::number(block.number)).await.map_err(chain_problem)?,
            None => None,
        };
        same.filter(|block| block.hash == cut).ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, format!("block {cut} is not finalized at this steward's RPC"))
                .hint("cut at the hash of a finalized block")
        })
    }

    /// The pool that a license may use as of a cut.
    ///
    /// # Errors
    /// Where the license does not allow it or the cut is not final.
    pub async fn snapshot_at(
        self: &Arc<Self>,
        mirror: &Mirror,
        id: LicenseId,
        cut: B256,
    ) -> Result<SnapshotRow, Problem> {
        let license = license(mirror, id)?;
        let terms = license.terms;
        let block = self.cut_block(mirror, cut).await?;
        let state = Cooperative::at_block(mirror.events.iter(), block.number);
        let request = request_of(&state, license, block.timestamp)?;
        let mut ids = Vec::new();
        for contribution in state.contributions.values().filter(|c| !c.erased) {
            if state.consents_at(contribution.member, block.timestamp)
                && self.is_in_pool(&state, contribution, terms.dataset, &request).await?
            {
                ids.push(contribution.id);
            }
        }
        let paid = usize::try_from(terms.records).map_err(internal)?;
        if ids.len() > paid {
            // The cut's hash draws those that were paid for, so that nobody chooses them.
            ids.sort_by_key(|id| keccak256([cut.as_slice(), &id.0.to_be_bytes()].concat()));
            ids.truncate(paid);
            ids.sort_unstable();
        }
        let digest = commit::Snapshot {
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.contribution_registry,
            dataset: terms.dataset,
            purpose: terms.purpose,
            cut,
            ids: &ids,
        }
        .digest()
        .map_err(internal)?;
        let row = SnapshotRow { digest, dataset: terms.dataset, purpose: terms.purpose, cut, ids };
        self.store.put_snapshot(&row).await?;
        Ok(row)
    }

    /// Whether a contribution is of the license's dataset and its member's receipt allows the license's purpose.
    async fn is_in_pool(
        &self,
        state: &Cooperative,
        contribution: &Contribution,
        dataset: DatasetId,
        request: &Request,
    ) -> Result<bool, Problem> {
        let Some(row) = self.store.contribution(contribution.commitment).await? else {
            tracing::warn!(contribution = %contribution.id, "left out of a snapshot: its secrets are not here yet");
            return Ok(false);
        };
        let (header, _) = kept(&row)?;
        let secret = self.keys.private_part(&self.store, &row, header.hash()).await?;
        if secret.is_none_or(|secret| secret.dataset != dataset) {
            return Ok(false);
        }
        let version = state.consents.get(&contribution.member).map_or(0, |consent| consent.version);
        Ok(self.receipt_allows(contribution.member, version, request).await.is_ok())
    }

    /// Matches a consent receipt with a license.
    async fn receipt_allows(&self, member: MemberId, version: u32, request: &Request) -> Result<(), Problem> {
        let secret = self.keys.consent(&self.store, member, version).await?.ok_or_else(|| {
            let detail = format!("the consent receipt of member {member}, version {version}, is not here yet");
            denied(ProblemCode::ConsentDenied, detail)
        })?;
        let reasons = match matches(&secret.receipt, request) {
            Decision::Approve { .. } => return Ok(()),
            Decision::Abstain { reasons } | Decision::Deny { reasons } => reasons,
        };
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        let detail = format!("the consent of member {member} does not allow it: {}", reasons.join("; "));
        Err(denied(ProblemCode::ConsentDenied, detail))
    }

    /// Answers a worker with the pool, sealed to its key on chain.
    ///
    /// # Errors
    /// As [`Self::snapshot_at`].
    pub async fn answer_snapshot(
        self: &Arc<Self>,
        mirror: &Mirror,
        worker: Address,
        request: &SnapshotRequest,
    ) -> Result<member::Sealed, Problem> {
        let seat = self.seat(mirror)?;
        let row = self.snapshot_at(mirror, request.license_id, request.cut).await?;
        let SnapshotRow { digest, dataset, purpose, cut, ids } = row;
        let snapshot = Snapshot { dataset, purpose, cut, digest, contributions: ids };
        let context = SnapshotContext {
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.contribution_registry,
            license: request.license_id,
            cut,
            index: seat,
        };
        let json = serde_json::to_vec(&snapshot).map(Zeroizing::new).map_err(internal)?;
        let key = self.worker_key(mirror, worker)?;
        let sealed = sealing::seal_as(&SealingPublicKey(key), &context, &json, &mut rand::rng()).map_err(internal)?;
        Ok(member::Sealed { sealed: sealed.0 })
    }

    fn worker_key(&self, mirror: &Mirror, worker: Address) -> Result<B256, Problem> {
        mirror
            .latest
            .workers
            .get(&worker)
            .copied()
            .ok_or_else(|| Problem::new(ProblemCode::Forbidden, format!("{worker} is not a registered worker")))
    }

    /// Releases our shares for part of a committed entry's snapshot.
    ///
    /// # Errors
    /// Where the entry is not committed here; refusals of single records, also because the entry was answered already
    /// or is too old, are part of the answer.
    pub async fn release(
        self: &Arc<Self>,
        mirror: &Mirror,
        worker: Address,
        request: &ReleaseRequest,
    ) -> Result<Shares, Problem> {
        self.refuse_if_halted(crate::budget::DUTY).await?;
        if request.contributions.len() > PAGE {
            let detail = format!("{} contributions, at most {PAGE} in one request", request.contributions.len());
            return Err(Problem::new(ProblemCode::TooLarge, detail));
        }
        let recipient = self.worker_key(mirror, worker)?;
        let (entry_hash, entry) = self.committed(request.index).await?;
        let spent = spent(mirror, request.index, &entry);
        let request_at_head = request_of(&mirror.latest, license(mirror, entry.license_id)?, mirror.now())?;
        let snapshot = self.store.snapshot(entry.snapshot).await?.ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, format!("snapshot {} is not here", entry.snapshot))
                .hint("ask this steward for the snapshot at the entry's cut first")
        })?;
        let finalized = mirror.finalized();
        let mut answers = Vec::with_capacity(request.contributions.len());
        for id in &request.contributions {
            // A member's denial is the first reason, so that whoever asks is told it.
            let answer = match self.may_release(mirror, &finalized, &snapshot, &request_at_head, *id).await {
                Ok(contribution) => match &spent {
                    Some(problem) => Err(problem.clone()),
                    None => self.release_share(mirror, contribution, recipient, entry_hash).await,
                },
                Err(problem) => Err(problem),
            };
            answers.push(answer.unwrap_or_else(|p| ShareAnswer::Refused {
                contribution_id: *id,
                code: p.code,
                reason: p.detail,
            }));
        }
        Ok(answers)
    }

    async fn may_release<'a>(
        &self,
        mirror: &'a Mirror,
        finalized: &Cooperative,
        snapshot: &SnapshotRow,
        request: &Request,
        id: ContributionId,
    ) -> Result<&'a Contribution, Problem> {
        if snapshot.ids.binary_search(&id).is_err() {
            let detail = format!("contribution {id} is not in snapshot {}", snapshot.digest);
            return Err(denied(ProblemCode::Forbidden, detail));
        }
        let contribution = mirror.latest.contributions.get(&id);
        let contribution = contribution
            .ok_or_else(|| denied(ProblemCode::NotFound, format!("there is no contribution {id} on chain")))?;
        let member = contribution.member;
        if contribution.erased {
            return Err(denied(ProblemCode::Erased, format!("member {member} erased everything")));
        }
        let now = mirror.now();
        if !mirror.latest.consents_at(member, now) {
            return Err(denied(ProblemCode::ConsentDenied, why_denied(&mirror.latest, member, now)));
        }
        if !finalized.consents_at(member, now) {
            let detail = format!("the consent of member {member} is not in a finalized block yet");
            return Err(denied(ProblemCode::ConsentDenied, detail));
        }
        for state in [&mirror.latest, finalized] {
            let version = state.consents.get(&member).map_or(0, |consent| consent.version);
            self.receipt_allows(member, version, request).await?;
        }
        Ok(contribution)
    }

    /// Re-seals our share of a contribution for one request.
    ///
    /// # Errors
    /// Where we do not hold it.
    pub async fn release_share(
        &self,
        mirror: &Mirror,
        contribution: &Contribution,
        recipient: B256,
        request_hash: B256,
    ) -> Result<ShareAnswer, Problem> {
        let id = contribution.id;
        let missing =
            || Problem::new(ProblemCode::NotFound, format!("this steward holds no share of contribution {id}"));
        let row = self.store.contribution(contribution.commitment).await?.ok_or_else(missing)?;
        let (header, deal) = kept(&row)?;
        let share = self.keys.share(&self.store, row.member, row.commitment, header.hash()).await?;
        let share = share.ok_or_else(missing)?;
        let context = ShareContext::of(&header, self.seat(mirror)?).release(request_hash);
        let sealed = sealing::seal_released_share(&SealingPublicKey(recipient), &context, &share, &mut rand::rng());
        Ok(ShareAnswer::Released {
            contribution_id: id,
            blob_digest: row.blob_digest,
            deal: deal.points,
            sealed: sealed.map_err(internal)?.0,
        })
    }
}

/// What a license asks for, as far as the chain tells.
fn request_of(state: &Cooperative, license: &LicenseState, now: u64) -> Result<Request, Problem> {
    let LicenseState { holder, terms } = license;
    let ehds = EhdsCategory::from_code(terms.ehds_category).ok_or_else(|| {
        denied(ProblemCode::LicenseInvalid, format!("the license has EHDS category {}", terms.ehds_category))
    })?;
    let approved = state.is_approved(*holder, terms.purpose, now);
    Ok(Request::query(terms.purpose, ehds, *holder, approved, now))
}

fn why_denied(state: &Cooperative, member: MemberId, now: u64) -> String {
    match state.consents.get(&member) {
        None => format!("member {member} has not consented"),
        Some(consent) if consent.status == ConsentStatus::Revoked => {
            format!("member {member} revoked consent at {}", consent.since.time)
        }
        Some(consent) if consent.expiry != 0 && consent.expiry < now => {
            format!("the consent of member {member} expired at {}", consent.expiry)
        }
        Some(_) => format!("the membership of {member} has ended"),
    }
}
