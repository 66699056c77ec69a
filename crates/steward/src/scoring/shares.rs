//! Shares for scoring: asking peers for them, and giving ours to whose turn it is. What leaves is written down first, in
//! the log that the record's member reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes};
use futures_util::StreamExt as _;
use rochdale_api::contribution::{ScoreMessage, ScoringAnswer, ScoringShares, ScoringSharesRequest};
use rochdale_api::custody::{BlobPermit, OpeningReason, PERMIT_LIFETIME};
use rochdale_api::route::steward;
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
            self.post_sealed(mirror, &client, steward::SHARES, request).await
        });
        while !short(&held).is_empty()
            && let Some((peer, answer)) = asked.next().await
        {
            let answers = answer.inspect_err(|problem| tracing::debug!(%peer, %problem, "no shares for scoring"));
            // As far as the chain is by now, since permits last from when the peer saw it.
            let (mirror, mut heard) = (&self.at_head().await?, BTreeSet::new());
            for answer in answers.unwrap_or_default() {
                let ScoringAnswer::Released { contribution_id, sealed, permit } = answer else { continue };
                let of = page.iter().find(|(contribution, _)| contribution.id == contribution_id);
                let (Some((contribution, _)), Some(opened)) = (of, held.get_mut(&contribution_id)) else { continue };
                // What one says twice counts once, and costs nothing the second time.
                if !heard.insert(contribution_id) {
                    continue;
                }
                match self.open_peer_share(mirror, contribution, (seat, peer), &reply, (sealed, &permit)).await {
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

    /// Whether the permit holds that came with a peer's share: a share without one opens nothing, and whoever was counted for it would stand
    /// in the place of a peer that helps.
    fn check_permit(&self, mirror: &Mirror, blob: B256, peer: StewardId, permit: &BlobPermit) -> Result<(), Problem> {
        let seats = &mirror.latest.seats;
        let signer = usize::from(peer.0).checked_sub(1).and_then(|place| seats.get(place)).map(|seat| seat.signer);
        let said = eip712::BlobPermit { blob, reader: self.address(), deadline: permit.deadline };
        let is_signed =
            |signer| eip712::verify(&said, &self.manifest.committee_domain(), &permit.signature, signer).is_ok();
        if permit.steward != peer || !lasts(permit.deadline, mirror.now()) || !signer.is_some_and(is_signed) {
            return Err(broken("permit", "it does not hold, or not for long enough"));
        }
        Ok(())
    }

    async fn open_peer_share(
        &self,
        mirror: &Mirror,
        contribution: &Contribution,
        (seat, peer): (StewardId, StewardId),
        reply: &SealingKeyPair,
        (sealed, permit): (Bytes, &BlobPermit),
    ) -> Result<Share, Problem> {
        let Held { row, header, deal, .. } = self.needed_record_of(contribution).await?;
        self.check_permit(mirror, row.blob_digest, peer, permit)?;
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
        // Of who signed two scores, both are shown.
        if request.contributions.len() > PAGE || request.scores.len() > 2 * PAGE * mirror.latest.seats.len() {
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
            OpeningReason::Drawn | OpeningReason::ScoresDiffer | OpeningReason::Owner => (contribution, turn),
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
        let _undenied = self.denying.read().await;
        self.refuse_denied(mirror, contribution.member).await?;
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
        let deadline = now + PERMIT_LIFETIME - AHEAD;
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
        self.refuse_denied(mirror, contribution.member).await?;
        if contribution.recorded.time <= self.unknown_until(mirror).await? {
            let detail = format!("whether contribution {id} has entered the ledger is not known here yet");
            let hint = "ask again once this steward took over the last epoch that is proposed";
            return Err(Problem::new(ProblemCode::Conflict, detail).hint(hint));
        }
        if self.store.has_entered(id).await? {
            let detail = format!("contribution {id} is scored and has entered the ledger");
            return Err(Problem::new(ProblemCode::Forbidden, detail));
        }
        Ok(contribution)
    }
}

/// Seconds of block time that a permit ends before it has to: who reads it may not see the newest blocks yet.
const AHEAD: u64 = 60;

/// Whether a permit holds until a page of records is fetched: it was given just now, and gateways take none that lasts longer than it may.
fn lasts(deadline: u64, now: u64) -> bool {
    (now + PERMIT_LIFETIME / 2..=now + PERMIT_LIFETIME).contains(&deadline)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_counts_that_lasts_and_that_a_gateway_takes() {
        let now = 1_000;
        let given = |at: u64| at + PERMIT_LIFETIME - AHEAD;
        assert!(lasts(given(now), now) && lasts(given(now - 60), now), "as it is given, and some blocks later");
        assert!(lasts(given(now + AHEAD), now), "by who sees a block that is not seen here yet");
        assert!(!lasts(now + PERMIT_LIFETIME + 1, now), "a gateway takes none that lasts longer");
        assert!(!lasts(now + 1, now), "it ends while records are fetched");
    }
}
