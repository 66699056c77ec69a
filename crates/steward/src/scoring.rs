//! Scoring: the drawn stewards collect a record's shares, open it in memory, score it, sign, and tell their peers.
//!
//! Only the score and a keyed sketch of the content leave this module. A signed score has uniqueness 10,000: whether the
//! content was seen before is decided where scores are brought together ([`crate::inputs`]), from the agreed sketches, so
//! that it does not depend on who scored what first.

mod exchange;
mod shares;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy::primitives::{Address, B256, keccak256};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rochdale_api::contribution::ScoreMessage;
use rochdale_api::custody::{BlobPermit, BlobRequest, OpeningReason};
use rochdale_api::route::gateway;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_chain::state::{Contribution, Cooperative};
use rochdale_core::commit;
use rochdale_core::fhir::{Limits, Record, record_digest};
use rochdale_core::ids::{ContributionId, StewardId};
use rochdale_core::ledger::{self, Agreement, Score};
use rochdale_core::score;
use rochdale_crypto::keystore::Item;
use rochdale_crypto::{Cid, Commitments, Header, Share, envelope, sharing};
use rochdale_node::metrics;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::keys::{unwrap_json, wrap_json};
use crate::record::{Held, no_record};
use crate::steward::{Mirror, Steward, broken, internal};
use crate::store::ScoreRow;
use shares::Opened;
use turn::Turn;
pub use turn::{Times, counting, said_two};

/// Contributions in one request for shares.
pub const PAGE: usize = 100;

/// What the signed scores of a contribution amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The score that counts, before duplicates are looked for.
    pub score: Score,
    /// The content's sketch.
    pub sketch: B256,
}

/// The stewards in draw order.
#[must_use]
pub fn drawn(state: &Cooperative, contribution: &Contribution) -> Vec<StewardId> {
    let seats: Vec<StewardId> =
        (1..=state.seats.len()).filter_map(|seat| u8::try_from(seat).ok().map(StewardId)).collect();
    ledger::draw(contribution.commitment, contribution.block_hash, &seats)
}

/// The accounts of the stewards in draw order: a score is of who signed it, and a seat is held by somebody else after a vote.
#[must_use]
pub fn scorers(state: &Cooperative, contribution: &Contribution) -> Vec<Address> {
    drawn(state, contribution).iter().map(|seat| state.seats[usize::from(seat.0) - 1].signer).collect()
}

/// Brings together the scores of one contribution that count, whoever's they are and in whatever order.
#[must_use]
pub fn agree(order: &[Address], scores: &[ScoreRow], times: &Times) -> Option<Agreed> {
    let in_order = counting(order, scores, times);
    if let [first, second, ..] = in_order[..]
        && first.score == second.score
        && first.sketch == second.sketch
    {
        return Some(Agreed { score: first.score, sketch: first.sketch });
    }
    let three: Vec<Score> = in_order.iter().take(3).map(|row| row.score).collect();
    let mut sketches: Vec<B256> = in_order.iter().take(3).map(|row| row.sketch).collect();
    sketches.sort_unstable();
    match (ledger::agree(&three), sketches.get(1)) {
        (Agreement::Agreed(score), Some(sketch)) if sketches.len() == 3 => Some(Agreed { score, sketch: *sketch }),
        _ => None,
    }
}

/// What a scoring request is named by in the seal of a released share: it opens for that scorer and that use alone.
#[must_use]
pub fn request_hash(scorer: StewardId, commitment: B256) -> B256 {
    let mut bytes = commit::tag("scoring-request").to_vec();
    bytes.extend_from_slice(B256::with_last_byte(scorer.0).as_slice());
    bytes.extend_from_slice(commitment.as_slice());
    keccak256(bytes)
}

/// What one opened record came to.
struct Judged {
    score: Score,
    digest: B256,
    reasons: Vec<String>,
}

/// Opens and scores a record. What does not open or read scores 0 with the reason: two scorers see the same bytes, so
/// they find the same.
fn judge(shares: &[Share], deal: &Commitments, header: &Header, blob: &[u8], recorded: u64) -> Result<Judged, Problem> {
    let secret = sharing::combine(deal, shares).map_err(|error| broken("shares", error))?;
    let now = i64::try_from(recorded).map_err(internal)?;
    let (bytes, opened) = match envelope::open(&secret, header.context(), blob) {
        Ok(bytes) => (bytes, Ok(())),
        Err(error) => (Vec::new().into(), Err(error.to_string())),
    };
    let mut digest = keccak256(if opened.is_ok() { &bytes[..] } else { blob });
    let scored = score::score_bytes("the record", &bytes, Limits::default(), now, |record: &Record| {
        digest = record_digest(record);
        false
    });
    let mut reasons: Vec<String> = scored.reasons.iter().map(|reason| reason.text.clone()).collect();
    if let Err(error) = opened {
        reasons = vec![format!("the record does not open: {error}")];
    }
    Ok(Judged { score: Score::from(&scored), digest, reasons })
}

impl Steward {
    /// Up to which block time, in seconds, contributions may have entered that this steward does not know of; 0 where it took over every
    /// epoch that is proposed. Whom a vote seats is dealt everybody's shares, it may be before it knows what was scored, and opens nothing anew.
    async fn unknown_until(&self, mirror: &Mirror) -> Result<u64, Problem> {
        let last = mirror.latest.proposals.last().map(|(epoch, _)| *epoch);
        let settled = self.store.settled().await?;
        Ok(last.filter(|last| *last > settled).map_or(0, |last| self.manifest.schedule().end(last)))
    }

    /// One round: scores what is ours to score, tells peers, and notes what waits and why.
    ///
    /// # Errors
    /// Where the store fails; what a peer or the gateway lacks is noted, not an error.
    pub async fn score_round(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let seat = self.seat(mirror)?;
        let finalized = mirror.finalized();
        let entered = self.store.entered_ids().await?;
        let unknown = self.unknown_until(mirror).await?;
        let is_open = |c: &&Contribution| !c.erased && !entered.contains(&c.id) && c.recorded.time > unknown;
        let open: Vec<&Contribution> = finalized.contributions.values().filter(is_open).collect();
        let Some(first) = open.first().map(|contribution| contribution.id) else {
            if unknown > 0 {
                return Ok(());
            }
            metrics::note("contributions_without_score", 0);
            self.store.set_deferred(&BTreeMap::new()).await?;
            self.scored_through.store(mirror.head.finalized.number, Ordering::SeqCst);
            return Ok(());
        };
        let mut known = self.scores_from(first).await?;
        // Of what is not held, nobody is waited for, and no peer is asked.
        let held = self.held_of(&open).await?;
        let mut mine = self.turns(mirror, finalized, &held, &known);
        if mine.iter().any(|(_, turn)| turn.reason == OpeningReason::StandsIn) {
            // Nobody is silent because we missed what it said.
            self.sync_scores(mirror).await?;
            known = self.scores_from(first).await?;
            mine = self.turns(mirror, finalized, &held, &known);
        }
        let mut waiting: BTreeMap<ContributionId, String> = BTreeMap::new();
        let mut ready = Vec::new();
        for (contribution, turn) in mine {
            match self.can_score(mirror, contribution).await {
                Ok(()) => ready.push((contribution, turn)),
                Err(problem) => {
                    waiting.insert(contribution.id, problem.detail);
                }
            }
        }
        let mut fresh = Vec::new();
        for page in ready.chunks(PAGE) {
            let mut opened = self.collect_shares(mirror, seat, page, &known).await?;
            for (contribution, turn) in page {
                let shares = opened.remove(&contribution.id).unwrap_or_default();
                match self.score_one(mirror, seat, contribution, turn.reason, shares).await {
                    Ok(message) => fresh.push(message),
                    Err(problem) => {
                        waiting.insert(contribution.id, problem.detail);
                    }
                }
            }
        }
        if !fresh.is_empty() {
            self.tell_peers(mirror, &fresh).await;
            known = self.scores_from(first).await?;
        }
        let here: BTreeSet<ContributionId> = held.iter().map(|contribution| contribution.id).collect();
        let mut deferred = BTreeMap::new();
        for contribution in open {
            let order = scorers(finalized, contribution);
            let scores = known.get(&contribution.id).map_or(&[][..], Vec::as_slice);
            let reason = match agree(&order, scores, &self.times(contribution, mirror.now())) {
                Some(_) => None,
                None if !here.contains(&contribution.id) => Some(no_record(contribution)),
                None => {
                    Some(waiting.remove(&contribution.id).unwrap_or_else(|| waits_for(finalized, contribution, scores)))
                }
            };
            deferred.extend(reason.map(|reason| (contribution.id, reason)));
        }
        metrics::note("contributions_without_score", deferred.len() as u64);
        self.store.set_deferred(&deferred).await?;
        self.scored_through.store(mirror.head.finalized.number, Ordering::SeqCst);
        Ok(())
    }

    /// What decides about the scores of a contribution as of `at`, in seconds of block time.
    pub(crate) fn times(&self, contribution: &Contribution, at: u64) -> Times {
        let attempt = u64::from(self.manifest.settlement.attempt_length);
        Times { recorded: contribution.recorded.time, attempt, at }
    }

    /// What it is our own turn to score.
    fn turns<'a>(
        &self,
        mirror: &Mirror,
        finalized: &Cooperative,
        open: &[&'a Contribution],
        known: &BTreeMap<ContributionId, Vec<ScoreRow>>,
    ) -> Vec<(&'a Contribution, Turn)> {
        let turn = |contribution: &&'a Contribution| {
            let order = scorers(finalized, contribution);
            let scores = known.get(&contribution.id).map_or(&[][..], Vec::as_slice);
            self.turn(mirror, contribution, &order, scores, self.address()).map(|turn| (*contribution, turn))
        };
        open.iter().filter_map(turn).collect()
    }

    /// The scores of contributions from one on.
    async fn scores_from(&self, first: ContributionId) -> Result<BTreeMap<ContributionId, Vec<ScoreRow>>, Problem> {
        let mut known: BTreeMap<ContributionId, Vec<ScoreRow>> = BTreeMap::new();
        for row in self.store.scores_after(ContributionId(first.0.saturating_sub(1))).await? {
            known.entry(row.contribution).or_default().push(row);
        }
        Ok(known)
    }

    /// Whether we would score it, if we had the shares: nobody is asked for what would not be used.
    async fn can_score(&self, mirror: &Mirror, contribution: &Contribution) -> Result<(), Problem> {
        if !mirror.latest.consents_at(contribution.member, mirror.now()) {
            return Err(Problem::new(ProblemCode::ConsentDenied, "the member's consent no longer stands"));
        }
        self.refuse_denied(mirror, contribution.member).await?;
        let header = self.needed_record_of(contribution).await?.header;
        let limit = self.config.scoring.max_blob_bytes;
        if header.blob_bytes() > limit {
            let detail =
                format!("the sealed record has {} bytes, this steward opens up to {limit}", header.blob_bytes());
            return Err(Problem::new(ProblemCode::TooLarge, detail));
        }
        Ok(())
    }

    async fn score_one(
        self: &Arc<Self>,
        mirror: &Mirror,
        seat: StewardId,
        contribution: &Contribution,
        reason: OpeningReason,
        opened: Opened,
    ) -> Result<ScoreMessage, Problem> {
        let Opened { shares, permits } = opened;
        let Held { row, header, deal, .. } = self.needed_record_of(contribution).await?;
        if shares.len() < usize::from(deal.threshold()) {
            let detail = format!("{} of {} key shares are at hand", shares.len(), deal.threshold());
            return Err(Problem::new(ProblemCode::NotEnough, detail));
        }
        let us = (seat, self.address());
        self.store.note_opening(contribution.id, contribution.member, us, reason, mirror.now()).await?;
        let blob = self.blob(mirror, row.blob_digest, permits).await?;
        // It took a while to fetch it.
        self.refuse_denied(mirror, contribution.member).await?;
        let recorded = contribution.recorded.time;
        let hash = header.hash();
        let judged = tokio::task::spawn_blocking(move || judge(&shares, &deal, &header, &blob, recorded))
            .await
            .map_err(internal)??;
        let row = ScoreRow {
            contribution: contribution.id,
            signer: self.address(),
            member: contribution.member,
            score: judged.score,
            rubric_hash: score::rubric_hash(),
            sketch: self.sketch(judged.digest),
            signature: Vec::new(),
            kept_at: mirror.now(),
        };
        let signature = eip712::sign(&self.keys.signer, &signed_part(&row), &self.manifest.committee_domain());
        let row = ScoreRow { signature: signature.map_err(internal)?.to_vec(), ..row };
        let key = self.keys.member_or_new(&self.store, contribution.member).await?;
        let reasons = wrap_json(&key, Item::Sketch(hash), "the reasons", &judged.reasons)?;
        self.store.put_reasons(contribution.id, contribution.member, &reasons).await?;
        self.store.put_score(&row).await?;
        Ok(message(&row))
    }

    /// The sealed record, as the member signed it.
    async fn blob(&self, mirror: &Mirror, digest: B256, permits: Vec<BlobPermit>) -> Result<Vec<u8>, Problem> {
        let cid = Cid::from_sha256(digest.0);
        let path = gateway::SCORE_BLOB.at(cid);
        let blob = self.gateway(mirror).post_for_bytes(path, &BlobRequest { permits }, mirror.now()).await;
        let blob = blob.map_err(Problem::from)?;
        if Cid::of(&blob) != cid {
            return Err(Problem::new(ProblemCode::SealBroken, "the vault gave other bytes than were contributed"));
        }
        Ok(blob)
    }

    /// The content's digest, keyed with what only stewards know: equal contents are seen to be equal, and no list of
    /// known records can be compared with it from outside.
    fn sketch(&self, digest: B256) -> B256 {
        // HMAC pads a key with zeros to the hash's block.
        let mut key = Zeroizing::new([0; 64]);
        key[..32].copy_from_slice(self.keys.committee());
        let mut mac = Hmac::<Sha256>::new(&(*key).into());
        mac.update(b"rochdale.sketch.v1");
        mac.update(digest.as_slice());
        B256::from_slice(&mac.finalize().into_bytes())
    }

    /// Why our own score of a contribution is what it is.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn score_reasons(&self, contribution: &Contribution) -> Result<Vec<String>, Problem> {
        let (Some(wrapped), Some(held), Some(key)) = (
            self.store.reasons(contribution.id).await?,
            self.record_of(contribution).await?,
            self.keys.member(&self.store, contribution.member).await?,
        ) else {
            return Ok(Vec::new());
        };
        Ok(unwrap_json(&key, Item::Sketch(held.header.hash()), "the reasons", &wrapped)?)
    }
}

fn signed_part(row: &ScoreRow) -> eip712::Score {
    eip712::Score {
        contributionId: row.contribution.0,
        quality: row.score.quality,
        uniqueness: row.score.uniqueness,
        authenticity: row.score.authenticity,
        rarity: row.score.rarity,
        rubricHash: row.rubric_hash,
        sketch: row.sketch,
    }
}

/// A row as it travels.
#[must_use]
pub fn message(row: &ScoreRow) -> ScoreMessage {
    ScoreMessage {
        contribution_id: row.contribution,
        signer: row.signer,
        quality: row.score.quality,
        uniqueness: row.score.uniqueness,
        authenticity: row.score.authenticity,
        rarity: row.score.rarity,
        rubric_hash: row.rubric_hash,
        sketch: row.sketch,
        signature: row.signature.clone().into(),
    }
}

fn waits_for(state: &Cooperative, contribution: &Contribution, scores: &[ScoreRow]) -> String {
    let signer = |seat: &StewardId| state.seats[usize::from(seat.0) - 1].signer;
    let scored =
        |seat: &StewardId| scores.iter().any(|row| row.signer == signer(seat)) && !said_two(scores, signer(seat));
    let order = drawn(state, contribution);
    let count = order.iter().filter(|seat| scored(seat)).count();
    let silent: Vec<String> = order
        .iter()
        .take(if count >= 2 { 3 } else { 2 })
        .filter(|seat| !scored(seat))
        .map(ToString::to_string)
        .collect();
    match (count, silent.as_slice()) {
        (_, []) => "the scores that are there differ".to_owned(),
        (2.., _) => format!("two scores differ; steward {} decides", silent.join(", ")),
        _ => format!("no score yet by steward {}", silent.join(" and ")),
    }
}
