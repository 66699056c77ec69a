//! Releasing key shares to a worker: for a debit that our own RPC shows deep enough and that fits everybody in its snapshot when all
//! debits before it are counted, to the worker's key on chain, and only of members whose consent stands right now.
//!
//! So an honest steward among those who release stops what a lying one signed twice. Grants count as of a finalized block, denials as
//! of the latest one. Whatever a steward cannot read does not happen: a stale head refuses everything. Why a member's record is refused
//! is sealed to the worker that asked; to anybody on the way it is nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::primitives::{Address, B256};
use alloy::providers::Provider as _;
use alloy::sol_types::SolCall as _;
use rochdale_api::denial::HeldDenial;
use rochdale_api::order::{ReleaseRequest, SealedRequest, ShareAnswer, Shares};
use rochdale_api::{Problem, ProblemCode, member};
use rochdale_chain::bindings::StewardCommittee;
use rochdale_chain::state::{ConsentStatus, Contribution, Cooperative, DebitState};
use rochdale_core::budget::{Accounts, Own};
use rochdale_core::consent::Request;
use rochdale_core::ids::{ContributionId, MemberId};
use rochdale_crypto::SealingPublicKey;
use rochdale_crypto::sealing::{self, ShareContext, SharesContext};

use crate::debits::license;
use crate::record::Held;
use crate::scoring::PAGE;
use crate::snapshot::request_of;
use crate::steward::{Mirror, Steward, internal};
use crate::store::SnapshotRow;

/// Seconds after an order's deadline in which its shares are still given: a worker that crashed may go on for a day. The deadline itself
/// lies at most a week after the debit.
pub const SESSION: u64 = 86_400;

/// Why a debit's shares are released no more.
fn spent(mirror: &Mirror, booked: &DebitState) -> Option<Problem> {
    let id = booked.id;
    if booked.receipt.is_some() {
        let detail = format!("debit {id} was answered and its receipt anchored: a new answer needs a new order");
        return Some(denied(ProblemCode::Conflict, detail));
    }
    let (deadline, now) = (booked.debit.deadline, mirror.now());
    let detail = format!("the order of debit {id} expired at {deadline}, block time is {now}");
    (now > deadline.saturating_add(SESSION)).then(|| denied(ProblemCode::Forbidden, detail))
}

/// Of a debit that was added up, nothing is released any more.
fn forgotten(booked: &DebitState) -> Problem {
    let detail = format!("debit {} was answered or is too old: who was in its snapshot is forgotten", booked.id);
    denied(ProblemCode::Conflict, detail).hint("sign a new order")
}

fn denied(code: ProblemCode, detail: String) -> Problem {
    Problem::new(code, detail)
}

/// What every record of one page is asked by.
struct Asked<'a> {
    mirror: &'a Mirror,
    finalized: &'a Cooperative,
    snapshot: SnapshotRow,
    /// As of the latest and of the finalized block, once where they are alike.
    requests: Vec<Request>,
    /// With the debit itself counted.
    accounts: Accounts,
    /// With everything that was ever released.
    left: Accounts,
    /// Whose withdrawals were handed over here.
    withdrawn: BTreeMap<MemberId, HeldDenial>,
}

impl Steward {
    /// Releases our shares for part of a booked debit's snapshot; the answer is [`Shares`] under a seal.
    ///
    /// # Errors
    /// Where the debit is not booked, not deep enough or invalid; refusals of single records, also because the order was answered
    /// already or is too old, are part of the answer.
    pub async fn release(
        self: &Arc<Self>,
        mirror: &Mirror,
        worker: Address,
        sealed: &SealedRequest,
    ) -> Result<member::Sealed, Problem> {
        let finalized = mirror.finalized();
        let recipient = self.worker_key(mirror, finalized, worker)?;
        let request: ReleaseRequest = self.open_request(mirror, worker, sealed)?;
        if request.order != sealed.order {
            let detail = "the sealed request names another order than the one beside it".to_owned();
            return Err(denied(ProblemCode::BadRequest, detail));
        }
        if request.contributions.len() > PAGE {
            let detail = format!("{} contributions, at most {PAGE} in one request", request.contributions.len());
            return Err(denied(ProblemCode::TooLarge, detail));
        }
        let booked = self.booked(mirror, request.order)?;
        if booked.id <= self.store.folded().await?.up_to {
            return Err(forgotten(booked));
        }
        let asked = self.releasable(mirror, finalized, booked).await?;
        let spent = spent(mirror, booked);
        if spent.is_none() {
            self.keep_quorum(booked).await?;
        }
        // What is withdrawn meanwhile waits until these shares are on their way.
        let _undenied = self.denying.read().await;
        let asked = Asked { withdrawn: self.denied(mirror).await?, ..asked };
        let mut answers: Shares = Vec::with_capacity(request.contributions.len());
        for id in &request.contributions {
            // A member's denial is the first reason, so that whoever asks is told it.
            let answer = match self.may_release(&asked, *id).await {
                Ok(contribution) => match &spent {
                    Some(problem) => Err(problem.clone()),
                    None => self.release_share(mirror, contribution, recipient, request.order).await,
                },
                Err(problem) => Err(problem),
            };
            answers.push(answer.unwrap_or_else(|p| ShareAnswer::Refused {
                contribution_id: *id,
                code: p.code,
                reason: p.detail,
            }));
        }
        let context = SharesContext {
            chain_id: self.manifest.chain_id,
            committee: self.manifest.addresses.steward_committee,
            order: request.order,
            index: self.seat(mirror)?,
        };
        self.seal_answer(recipient, &context, &answers)
    }

    /// The debit of an order, as deep on our chain as we are configured to wait.
    fn booked<'a>(&self, mirror: &'a Mirror, order: B256) -> Result<&'a DebitState, Problem> {
        let booked = mirror.latest.debit_of(order).ok_or_else(|| {
            let detail = format!("no debit of order {order} is booked at this steward's RPC");
            denied(ProblemCode::NotFound, detail).hint("book it with a quorum's signatures first")
        })?;
        let (depth, wanted) = (mirror.head.latest.number.saturating_sub(booked.booked.block), self.config.budget.depth);
        if depth < wanted {
            let detail = format!("debit {} lies {depth} blocks deep, this steward waits for {wanted}", booked.id);
            return Err(denied(ProblemCode::NotFound, detail).hint("ask again after a few blocks"));
        }
        Ok(booked)
    }

    /// What the records of a debit are asked by, once it is found valid.
    async fn releasable<'a>(
        &self,
        mirror: &'a Mirror,
        finalized: &'a Cooperative,
        booked: &DebitState,
    ) -> Result<Asked<'a>, Problem> {
        let (accounts, left) = self.standing(mirror, booked).await?;
        let snapshot = self.store.snapshot(booked.debit.snapshot).await?;
        // A settlement that was final meanwhile destroys it.
        let snapshot = snapshot.ok_or_else(|| forgotten(booked))?;
        let license = license(mirror, finalized, booked.debit.license_id)?;
        // What the board withdrew or says no more counts at once, what it grants or says anew once it is final.
        let mut requests = vec![request_of(&mirror.latest, license, mirror.now())?];
        let granted = request_of(finalized, license, mirror.now())?;
        if !requests.contains(&granted) {
            requests.push(granted);
        }
        Ok(Asked { mirror, finalized, snapshot, requests, accounts, left, withdrawn: BTreeMap::new() })
    }

    /// Keeps what books a debit again, should a reorganization drop it after our shares have left.
    async fn keep_quorum(&self, booked: &DebitState) -> Result<(), Problem> {
        let kept = self.store.debit(booked.debit.order).await?;
        if kept.is_some_and(|row| row.quorum.is_some()) {
            return Ok(());
        }
        let found = self.chain.provider().get_transaction_by_hash(booked.transaction).await;
        let found = found.map_err(|error| denied(ProblemCode::ChainUnavailable, error.to_string()))?;
        let input = found.map(|transaction| alloy::consensus::Transaction::input(&transaction).clone());
        // Where a contract of somebody else's made the call, the signatures are not to be had in this way; then the worker, who
        // collected them, is the only one who can send them again.
        let call = input.and_then(|input| StewardCommittee::debitCall::abi_decode(&input).ok());
        let quorum = call.filter(|call| call.d.order == booked.debit.order).map(|call| call.signatures);
        Ok(self.store.release_debit(&booked.debit, &quorum.unwrap_or_default()).await?)
    }

    async fn may_release<'a>(&self, asked: &Asked<'a>, id: ContributionId) -> Result<&'a Contribution, Problem> {
        let Asked { mirror, finalized, snapshot, requests, accounts, left, withdrawn } = asked;
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
        Self::refuse_of(withdrawn, member)?;
        if !finalized.consents_at(member, now) {
            let detail = format!("the consent of member {member} is not in a finalized block yet");
            return Err(denied(ProblemCode::ConsentDenied, detail));
        }
        for state in [&mirror.latest, *finalized] {
            let version = state.consents.get(&member).map_or(0, |consent| consent.version);
            for request in requests {
                self.receipt_allows(member, version, request).await?;
            }
        }
        // The debit is counted already: what a member chose for itself must cover all that was charged.
        let own = self.own_choice(&mirror.latest, member).await?.and(self.own_choice(finalized, member).await?);
        let joined = mirror.latest.members.get(&member).map_or(u64::MAX, |member| member.joined.time);
        if own != Own::default() && accounts.spent(member) > self.limits().available(joined, now, own) {
            let detail = format!("member {member} chose a smaller budget than what is charged by now");
            return Err(denied(ProblemCode::ConsentDenied, detail));
        }
        if left.spent(member) > self.limits().available(joined, now, own) {
            let detail =
                format!("what left this steward of member {member} and is not on chain any more leaves nothing");
            return Err(denied(ProblemCode::BudgetExceeded, detail));
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
        let held = self.needed_record_of(contribution).await?;
        let share = self.share_of(&held).await?.ok_or_else(missing)?;
        let Held { row, header, deal, .. } = held;
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
