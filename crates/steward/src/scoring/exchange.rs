//! Scores between stewards: telling fresh ones, verifying and taking those of peers, asking for what was missed.

use std::collections::BTreeSet;
use std::sync::Arc;

use rochdale_api::contribution::{ScoreMessage, ScoresRequest};
use rochdale_api::route::steward;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::ContributionId;
use rochdale_core::ledger::Score;
use rochdale_core::score;

use super::{message, signed_part};
use rochdale_node::peers::PATIENCE;

use crate::steward::{Mirror, Steward, broken};
use crate::store::ScoreRow;

impl Steward {
    pub(super) async fn tell_peers(self: &Arc<Self>, mirror: &Mirror, fresh: &[ScoreMessage]) {
        let fresh = &fresh.to_vec();
        let told = self.peers.first(PATIENCE, self.others(mirror), self.colleagues(mirror), |_, client| async move {
            self.post_sealed(mirror, &client, steward::SCORES, fresh).await
        });
        for (peer, answer) in told.await {
            if let Err(problem) = answer {
                tracing::debug!(%peer, %problem, "a peer did not take scores; it asks for them later");
            }
        }
    }

    /// Keeps peers' scores whose signatures hold, of records that are held here: nothing is kept of what is not the member's own.
    ///
    /// # Errors
    /// With the first that does not hold; the others are kept.
    pub async fn take_scores(&self, mirror: &Mirror, scores: &[ScoreMessage]) -> Result<(), Problem> {
        let mut refused = Ok(());
        for message in scores {
            match self.verify_score(&mirror.latest, message) {
                Ok(row) => self.keep_score(mirror, row).await?,
                Err(problem) => refused = refused.and(Err(problem)),
            }
        }
        refused
    }

    /// Keeps a verified score of a record that is held here and has not entered the ledger.
    pub(crate) async fn keep_score(&self, mirror: &Mirror, row: ScoreRow) -> Result<(), Problem> {
        let Some(contribution) = mirror.latest.contributions.get(&row.contribution) else { return Ok(()) };
        if self.store.has_entered(row.contribution).await? || self.record_of(contribution).await?.is_none() {
            return Ok(());
        }
        self.store.put_score(&ScoreRow { kept_at: mirror.now(), ..row }).await?;
        Ok(())
    }

    /// The signed score of who holds a seat, or held one, as a row. Where it counts is decided where scores are counted: a former steward's
    /// may still be needed for an epoch whose cut was before it was replaced.
    ///
    /// # Errors
    /// Where contribution, rubric, range or signature do not hold.
    pub fn verify_score(&self, state: &Cooperative, message: &ScoreMessage) -> Result<ScoreRow, Problem> {
        let id = message.contribution_id;
        let contribution = state
            .contributions
            .get(&id)
            .ok_or_else(|| Problem::new(ProblemCode::NotFound, format!("there is no contribution {id} on chain")))?;
        let row = ScoreRow {
            contribution: id,
            signer: message.signer,
            member: contribution.member,
            score: Score {
                quality: message.quality,
                uniqueness: message.uniqueness,
                authenticity: message.authenticity,
                rarity: message.rarity,
            },
            rubric_hash: message.rubric_hash,
            sketch: message.sketch,
            signature: message.signature.to_vec(),
            kept_at: 0,
        };
        row.score.validate(id).map_err(|error| Problem::new(ProblemCode::BadRequest, error.to_string()))?;
        if row.rubric_hash != score::rubric_hash() {
            let detail = format!(
                "contribution {id} was scored by rubric {}, here it is {}",
                row.rubric_hash,
                score::rubric_hash()
            );
            return Err(Problem::new(ProblemCode::Conflict, detail).hint("run the same version of the software"));
        }
        if !state.offices.contains_key(&message.signer) {
            let detail = format!("contribution {id} was scored by {}, who never held a seat", message.signer);
            return Err(Problem::new(ProblemCode::BadRequest, detail));
        }
        eip712::verify(&signed_part(&row), &self.manifest.committee_domain(), &message.signature, message.signer)
            .map_err(|error| broken("score", error))?;
        Ok(row)
    }

    /// The scores that we know of contributions above an id, but for those that entered before the last epoch, which a void may still undo: what is
    /// never scored, since its member revoked before, would else have half a year's told again and again.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn scores_since(&self, request: &ScoresRequest) -> Result<Vec<ScoreMessage>, Problem> {
        let settled = self.store.settled().await?;
        Ok(self.store.open_scores(request.after, settled).await?.iter().map(message).collect())
    }

    /// Takes from every peer the scores that we lack, of contributions that have not entered the ledger.
    ///
    /// # Errors
    /// Where the store fails; a silent peer is no error.
    pub async fn sync_scores(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let entered: BTreeSet<ContributionId> =
            self.store.entered().await?.iter().map(|row| row.contribution).collect();
        let first_open = mirror.latest.contributions.keys().find(|id| !entered.contains(id));
        let Some(first_open) = first_open else { return Ok(()) };
        let request = ScoresRequest { after: ContributionId(first_open.0.saturating_sub(1)) };
        let request = &request;
        let answers =
            self.peers.first(PATIENCE, self.others(mirror), self.colleagues(mirror), |_, client| async move {
                self.post_sealed(mirror, &client, steward::SCORES_SINCE, request).await
            });
        for (peer, answer) in answers.await {
            match answer {
                Ok(scores) => {
                    if let Err(problem) = self.take_scores(mirror, &scores).await {
                        tracing::warn!(%peer, %problem, "a peer's scores were refused");
                    }
                }
                Err(problem) => tracing::debug!(%peer, %problem, "no scores from a peer"),
            }
        }
        Ok(())
    }
}
