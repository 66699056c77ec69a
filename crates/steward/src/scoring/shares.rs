//! Shares for scoring: asking peers for them, and giving ours to whose turn it is. What leaves is written down first, in
//! the log that the record's member reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes};
use futures_util::StreamExt as _;
use rochdale_api::contribution::{ScoreMessage, ScoringAnswer, ScoringShares, ScoringSharesRequest};
use rochdale_api::custody::{BlobPermit, OpeningReason, PERMIT_LIFETIME};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_chain::state::{Contribution, Cooperative};
use rochdale_core::ids::{ContributionId, StewardId};
use rochdale_crypto::sealing::{self, ShareContext};
use rochdale_crypto::{Sealed, SealingKeyPair, SealingPublicKey, Share};

use super::turn::{Turn, turn};
use super::{PAGE, agree, message, request_hash, scorers};
use crate::record::Held;
use crate::steward::{Mirror, Steward, broken, internal};
use crate::store::ScoreRow;

/// What opens one record: shares, and the permits to fetch it.
#[derive(Default)]
pub(super) struct Opened {
    pub shares: Vec<Share>,
    pub permits: Vec<BlobPermit>,
}

impl Steward {
    /// Whether it is a steward's turn to open a contribution, and why, by the scores that are known here. Of who has
    /// settled it already, nobody's.
    pub(super) fn turn(
        &self,
        mirror: &Mirror,
        contribution: &Contribution,
        order: &[Address],
        scores: &[ScoreRow],
        scorer: Address,
    ) -> Option<Turn> {
        let times = self.times(contribution, mirror.now());
        if agree(order, scores, &times).is_some() {
            return None;
        }
        turn(order, scores, scorer, &times)
    }

    /// The shares of a page: our own, and those that peers release to us.
    pub(super) async fn collect_shares(
        self: &Arc<Self>,
        mirror: &Mirror,
        seat: StewardId,
        page: &[(&Contribution, Turn)],
        known: &BTreeMap<ContributionId, Vec<ScoreRow>>,
    ) -> Result<BTreeMap<ContributionId, Opened>, Problem> {
        let mut held: BTreeMap<ContributionId, Opened> = BTreeMap::new();
        for (contribution, _) in page {
            let Some(record) = self.record_of(contribution).await? else { continue };
            held.entry(contribution.id).or_default().shares.extend(self.share_of(&record).await?);
        }
        let quorum = usize::from(mirror.latest.quorum);
        let short = |held: &BTreeMap<ContributionId, Opened>| -> Vec<&(&Contribution, Turn)> {
            let lacks = |opened: &Opened| opened.shares.len() < quorum || opened.permits.len() + 1 < quorum;
            page.iter().filter(|(contribution, _)| held.get(&contribution.id).is_some_and(lacks)).collect()
        };
        let lacking = short(&held);
        if lacking.is_empty() {
            return Ok(held);
        }
        let reply = SealingKeyPair::random(&mut rand::rng());
        let request = &ScoringSharesRequest {
            contributions: lacking.iter().map(|(contribution, _)| contribution.id).collect(),
            scores: evidence(mirror, &lacking, known),
            reply_key: reply.public().0,
        };
        let mut asked = self.peers.ask(self.colleagues(mirror), |_, client| async move {
            self.post_sealed::<ScoringShares>(mirror, &client, "/v1/shares", request).await
        });
        while !short(&held).is_empty()
            && let Some((peer, answer)) = asked.next().await
        {
            let answers = answer.inspect_err(|problem| tracing::debug!(%peer, %problem, "no shares for scoring"));
            for answer in answers.unwrap_or_default() {
                let ScoringAnswer::Released { contribution_id, sealed, permit } = answer else { continue };
                let of = page.iter().find(|(contribution, _)| contribution.id == contribution_id);
                let (Some((contribution, _)), Some(opened)) = (of, held.get_mut(&contribution_id)) else { continue };
                match self.open_peer_share(contribution, seat, peer, &reply, sealed).await {
                    Ok(share) => {
                        opened.shares.push(share);
                        opened.permits.push(permit);
                    }
                    Err(problem) => tracing::warn!(%peer, %problem, "a peer's share was refused"),
                }
            }
        }
        drop(asked);
        Ok(held)
    }

    async fn open_peer_share(
        &self,
        contribution: &Contribution,
        seat: StewardId,
        peer: StewardId,
        reply: &SealingKeyPair,
        sealed: Bytes,
    ) -> Result<Share, Problem> {
        let Held { header, deal, .. } = self.needed_record_of(contribution).await?;
        let context = ShareContext::of(&header, peer).release(request_hash(seat, contribution.commitment));
        let share = sealing::open_released_share(reply, &context, &Sealed(sealed));
        let share = share.map_err(|error| broken("share", error))?;
        deal.verify(&share).map_err(|error| broken("share", error))?;
        Ok(share)
    }

    /// Releases our shares to a scorer for the contributions that it is its turn to score.
    ///
    /// # Errors
    /// Where the request is too long or the store fails; refusals are part of the answer.
    pub async fn shares_for_scoring(
        self: &Arc<Self>,
        mirror: &Mirror,
        scorer: StewardId,
        request: &ScoringSharesRequest,
    ) -> Result<ScoringShares, Problem> {
        if request.contributions.len() > PAGE || request.scores.len() > PAGE * mirror.latest.seats.len() {
            let detail = format!("{} contributions, at most {PAGE} in one request", request.contributions.len());
            return Err(Problem::new(ProblemCode::TooLarge, detail));
        }
        self.take_scores(mirror, &request.scores).await?;
        let mut synced = false;
        let mut answers = Vec::with_capacity(request.contributions.len());
        for id in &request.contributions {
            let answer = self.answer_one(mirror, scorer, *id, request.reply_key, &mut synced).await;
            answers.push(answer.unwrap_or_else(|p| ScoringAnswer::Refused {
                contribution_id: *id,
                code: p.code,
                reason: p.detail,
            }));
        }
        Ok(answers)
    }

    async fn answer_one(
        self: &Arc<Self>,
        mirror: &Mirror,
        scorer: StewardId,
        id: ContributionId,
        recipient: B256,
        synced: &mut bool,
    ) -> Result<ScoringAnswer, Problem> {
        let (contribution, turn) = self.may_score(mirror, scorer, id).await?;
        if turn.reason == OpeningReason::StandsIn && !*synced {
            // Nobody is silent because we missed what it said.
            self.sync_scores(mirror).await?;
            *synced = true;
        }
        let (contribution, turn) = match turn.reason {
            OpeningReason::StandsIn => self.may_score(mirror, scorer, contribution.id).await?,
            OpeningReason::Drawn | OpeningReason::ScoresDiffer => (contribution, turn),
        };
        self.release_for_scoring(mirror, contribution, scorer, turn, recipient).await
    }

    async fn release_for_scoring(
        &self,
        mirror: &Mirror,
        contribution: &Contribution,
        scorer: StewardId,
        turn: Turn,
        recipient: B256,
    ) -> Result<ScoringAnswer, Problem> {
        let id = contribution.id;
        let missing =
            || Problem::new(ProblemCode::NotFound, format!("this steward holds no share of contribution {id}"));
        let held = self.needed_record_of(contribution).await?;
        let share = self.share_of(&held).await?.ok_or_else(missing)?;
        let Held { row, header, .. } = held;
        let seat = self.seat(mirror)?;
        let hash = request_hash(scorer, contribution.commitment);
        let context = ShareContext::of(&header, seat).release(hash);
        let sealed = sealing::seal_released_share(&SealingPublicKey(recipient), &context, &share, &mut rand::rng());
        let sealed = sealed.map_err(|error| Problem::new(ProblemCode::BadRequest, format!("reply_key: {error}")))?;
        let account = mirror.latest.seats[usize::from(scorer.0) - 1].signer;
        let permit = self.permit(seat, row.blob_digest, account, mirror.now())?;
        // The log comes first: what is not written down does not leave.
        self.store.note_opening(id, contribution.member, (scorer, account), turn.reason, mirror.now()).await?;
        Ok(ScoringAnswer::Released { contribution_id: id, sealed: sealed.0, permit })
    }

    fn permit(&self, steward: StewardId, blob: B256, reader: Address, now: u64) -> Result<BlobPermit, Problem> {
        let deadline = now + PERMIT_LIFETIME;
        let permit = eip712::BlobPermit { blob, reader, deadline };
        let signature = eip712::sign(&self.keys.signer, &permit, &self.manifest.committee_domain());
        Ok(BlobPermit { steward, deadline, signature: signature.map_err(internal)? })
    }

    async fn may_score<'a>(
        &self,
        mirror: &'a Mirror,
        scorer: StewardId,
        id: ContributionId,
    ) -> Result<(&'a Contribution, Turn), Problem> {
        let finalized = mirror.finalized();
        let contribution = self.open_to_scoring(mirror, finalized, id).await?;
        let scores = self.store.scores_of(id).await?;
        let order = scorers(finalized, contribution);
        let signer = mirror.latest.seats[usize::from(scorer.0) - 1].signer;
        let turn = self.turn(mirror, contribution, &order, &scores, signer).ok_or_else(|| {
            let detail = format!(
                "it is not the turn of steward {scorer} to score contribution {id}: it is scored, or others are drawn"
            );
            Problem::new(ProblemCode::Forbidden, detail)
        })?;
        Ok((contribution, turn))
    }

    /// A contribution that is final, stands, and has not entered the ledger.
    async fn open_to_scoring<'a>(
        &self,
        mirror: &'a Mirror,
        finalized: &Cooperative,
        id: ContributionId,
    ) -> Result<&'a Contribution, Problem> {
        let contribution = mirror.latest.contributions.get(&id).filter(|_| finalized.contributions.contains_key(&id));
        let contribution = contribution
            .ok_or_else(|| Problem::new(ProblemCode::NotFound, format!("contribution {id} is not final on chain")))?;
        if contribution.erased {
            return Err(Problem::new(ProblemCode::Erased, format!("contribution {id} was erased by its member")));
        }
        if !mirror.latest.consents_at(contribution.member, mirror.now()) {
            let detail = format!("the consent of member {} no longer stands", contribution.member);
            return Err(Problem::new(ProblemCode::ConsentDenied, detail));
        }
        if self.store.has_entered(id).await? {
            let detail = format!("contribution {id} is scored and has entered the ledger");
            return Err(Problem::new(ProblemCode::Forbidden, detail));
        }
        Ok(contribution)
    }
}

/// The signed scores that make it our turn, where they differ: those of who holds a seat.
fn evidence(
    mirror: &Mirror,
    lacking: &[&(&Contribution, Turn)],
    known: &BTreeMap<ContributionId, Vec<ScoreRow>>,
) -> Vec<ScoreMessage> {
    lacking
        .iter()
        .filter(|(_, turn)| turn.reason != OpeningReason::Drawn)
        .filter_map(|(contribution, _)| known.get(&contribution.id))
        .flatten()
        .filter(|row| mirror.latest.steward_id(row.signer).is_some())
        .map(message)
        .collect()
}
