//! Settling an epoch: computing its rows and header, and taking over what the chain says was proposed.
//!
//! A steward signs only a header that it computed itself, one for an attempt, and keeps it before anyone sees the
//! signature. A proposal on chain is recomputed in the same way from its sheet, so that a steward that was down, or
//! never signed, arrives at the same rows. A proposal that does not recompute halts this duty until it is void. One that
//! is voided is forgotten with its rows, and a later attempt proposes the epoch again.
//!
//! What stops a steward is told to everybody, in roots and counts. The lines that differ are about members: the audit
//! shows them, to whoever has the steward's store and keys.

mod alarms;
mod copies;
mod demands;
mod objection;
mod sheet;
mod shelf;
mod withheld;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use alloy::primitives::B256;
use rochdale_api::contribution::ScoreMessage;
use rochdale_api::settlement::{AwardMessage, SettlementStatus, Sheet, SheetLine};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::BlockRef;
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use rochdale_core::ledger::{
    self, Books, Entered, EpochInputs, Global, Header, Inputs, Params, Round, Row, Schedule, SettledInputs,
};
use rochdale_node::metrics;

use crate::awards::granted;
use crate::falsified::Falsified;
use crate::inputs::{Gathered, Sources, gather};
use crate::keys::unwrap_inputs;
use crate::steward::{Mirror, Steward, chain_problem, internal};
use crate::store::{LeafRow, ScoreRow};
use shelf::open_row;

pub use shelf::Shelf;

/// The duty's name where it is halted.
pub const DUTY: &str = "settlement";

/// The signed scores of a sheet, by contribution.
pub type Scores = BTreeMap<ContributionId, Vec<ScoreRow>>;

/// What a sheet says beside what the chain says.
#[derive(Clone, Copy, Debug)]
struct Said<'a> {
    /// Signed scores, checked.
    scores: &'a Scores,
    /// Signed awards, which are checked where they are counted.
    awards: &'a [AwardMessage],
    /// Members whose row key none of the signers has.
    unkeyed: &'a [MemberId],
    /// Everybody's inputs.
    lines: &'a [SheetLine],
}

/// A computed epoch.
#[derive(Debug)]
pub struct Computed {
    /// To sign, with the rows and trees behind it.
    pub round: Round,
    /// What it was settled from.
    pub settled: SettledInputs,
    /// The scores that entered.
    pub entered: Vec<Entered>,
}

/// What the computation starts from.
#[derive(Clone, Debug)]
pub struct Before {
    /// Rows and global state after the last epoch.
    pub books: Arc<Books>,
    /// Whether rows are among them of which only the leaf is left, and which are not closed: the next epoch's sheet gives no verdict then.
    pub has_gaps: bool,
}

/// What an epoch is computed for.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The epoch, from 1.
    pub epoch: Epoch,
    /// The attempt at it.
    pub attempt: u32,
    /// Digest of the sealed sheet.
    pub sheet: B256,
}

impl From<&Header> for Attempt {
    fn from(header: &Header) -> Self {
        Self { epoch: header.epoch, attempt: header.attempt, sheet: header.sheet_digest }
    }
}

/// What a proposal on chain comes to here.
enum Verdict {
    /// The same header.
    Recomputed(Box<Computed>),
    /// Another one, or none, from the sheet that its signers signed.
    False {
        /// In words for everybody.
        reason: String,
        /// What was computed here, where something was.
        ours: Option<Falsified>,
    },
}

impl<'a> Said<'a> {
    fn of(sheet: &'a Sheet, scores: &'a Scores) -> Self {
        Self { scores, awards: &sheet.awards, unkeyed: &sheet.unkeyed, lines: &sheet.lines }
    }
}

impl Steward {
    fn schedule(&self) -> Schedule {
        self.manifest.schedule()
    }

    /// Where this steward stands.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn settlement_status(&self) -> Result<SettlementStatus, Problem> {
        let halted = self.store.halted(DUTY).await?.map(|halt| format!("halted: {}", halt.reason));
        let settled = self.store.settled().await?;
        Ok(SettlementStatus {
            settled,
            scored_through: self.scored_through.load(Ordering::SeqCst),
            deferred: self.store.deferred().await?,
            waiting_for: halted.or_else(|| self.report().waits_for(settled)),
        })
    }

    /// One round: takes over what is settled on chain, then proposes where it is our turn.
    ///
    /// # Errors
    /// Where the chain or the store fails; what an attempt lacks is noted in the status.
    pub async fn settle_round(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let _one = self.settling.lock().await;
        self.rounds.fetch_add(1, Ordering::SeqCst);
        self.lift_if_voided(mirror.finalized()).await?;
        self.object_if_false(mirror).await?;
        self.refuse_if_halted(DUTY).await?;
        metrics::note("settled_epoch", u64::from(self.store.settled().await?.0));
        let lacking = match self.take_over(mirror).await {
            Ok(()) => self.try_to_propose(mirror).await?,
            Err(problem) => Some(problem.to_string()),
        };
        self.note(|report| report.waiting_for = lacking);
        self.answer_demands(mirror).await
    }

    /// Records every epoch whose proposal is final on chain and not recorded yet, in order.
    async fn take_over(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let finalized = mirror.finalized();
        self.forget_voided(finalized).await?;
        loop {
            let epoch = Epoch(self.store.settled().await?.0 + 1);
            let Some(proposal) = finalized.proposals.get(&epoch) else { return Ok(()) };
            let computed = match self.check_proposal(mirror, &proposal.header).await? {
                Verdict::Recomputed(computed) => computed,
                Verdict::False { reason, ours } => {
                    return Err(self.halt_if_false_again(&proposal.header, reason, ours).await?);
                }
            };
            self.suspect(None);
            let header = self.shelf().record(*computed).await?;
            tracing::info!(%epoch, root = %header.root, "settled");
        }
    }

    /// Halts over a proposal that was false in an earlier round as well. A halt may lock a bond and stops a steward's share of every
    /// epoch to come, and one bad answer of an RPC makes any root false for a moment.
    async fn halt_if_false_again(
        &self,
        header: &Header,
        reason: String,
        ours: Option<Falsified>,
    ) -> Result<Problem, Problem> {
        let round = self.rounds.load(Ordering::SeqCst);
        let suspected = self.suspected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match suspected.filter(|(suspected, _)| suspected == header) {
            Some((_, first)) if first < round => {
                *self.falsified.write().unwrap_or_else(PoisonError::into_inner) = ours.map(Arc::new);
                self.store.halt_over(DUTY, &reason, header.epoch, header.attempt).await?;
                Ok(Problem::new(ProblemCode::Halted, reason))
            }
            known => {
                self.suspect(Some((header.clone(), known.map_or(round, |(_, first)| first))));
                Ok(Problem::new(
                    ProblemCode::NotEnough,
                    format!("{reason}; it is computed anew before this steward halts"),
                ))
            }
        }
    }

    /// Notes which proposal was false, and in which round first.
    fn suspect(&self, proposal: Option<(Header, u64)>) {
        *self.suspected.lock().unwrap_or_else(PoisonError::into_inner) = proposal;
    }

    /// Goes on after a false proposal, once it is void for good.
    async fn lift_if_voided(&self, finalized: &Cooperative) -> Result<(), Problem> {
        let cause = self.store.halted(DUTY).await?.and_then(|halt| halt.cause);
        if let Some((epoch, attempt)) = cause.filter(|(epoch, attempt)| finalized.lowest_attempt(*epoch) > *attempt) {
            self.store.lift(DUTY).await?;
            tracing::warn!(%epoch, attempt, "the false proposal was voided: settling goes on");
        }
        Ok(())
    }

    /// Takes back the epochs whose proposals were voided since they were recorded, or are gone with final blocks that a
    /// person gave up: as if never proposed.
    async fn forget_voided(&self, finalized: &Cooperative) -> Result<(), Problem> {
        loop {
            let epoch = self.store.settled().await?;
            let Some(settled) = self.store.epoch::<Header, Global>(epoch).await? else { return Ok(()) };
            let stands = finalized.proposals.get(&epoch).is_some_and(|p| p.header == settled.header);
            if stands && finalized.lowest_attempt(epoch) <= settled.header.attempt {
                return Ok(());
            }
            self.store.unsettle(epoch).await?;
            tracing::warn!(%epoch, attempt = settled.header.attempt, "the proposal is void or gone: settling it anew");
        }
    }

    /// Whether no dispute can undo what is settled here any more.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn stands(&self, mirror: &Mirror, settled: Epoch) -> Result<bool, Problem> {
        let Some(row) = self.store.epoch::<Header, Global>(settled).await? else { return Ok(true) };
        let proposal = mirror.finalized().proposals.get(&settled).cloned();
        Ok(proposal.is_some_and(|p| p.header == row.header && p.final_at <= mirror.now()))
    }

    /// Where settled epochs are kept.
    #[must_use]
    pub fn shelf(&self) -> Shelf {
        Shelf { store: self.store.clone(), keys: Arc::clone(&self.keys), depth: self.manifest.tree_depth }
    }

    /// What stands before an epoch.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn before(&self, epoch: Epoch) -> Result<Before, Problem> {
        self.shelf().before(epoch).await
    }

    /// The exact row behind a leaf. Of who erased everything, what the ledger still owes is all that there is.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn row(&self, epoch: Epoch, leaf: &LeafRow) -> Result<Row, Problem> {
        let (member, mut key, mut owed) = (leaf.member, None, None);
        if leaf.wrapped.is_some() {
            key = self.keys.member(&self.store, member).await?;
        } else if leaf.private_hash != ledger::CLOSED_PRIVATE {
            owed = self.store.erasure(member).await?.and_then(|erasure| erasure.row);
        }
        let kept = open_row(epoch, leaf, key.as_ref(), owed.as_deref())?;
        kept.ok_or_else(|| internal(format!("what is owed to member {member} is missing")))
    }

    /// The exact inputs behind a leaf of the last two epochs. Of a closed row the leaf says all that there is.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn inputs(&self, epoch: Epoch, leaf: &LeafRow) -> Result<Option<Inputs>, Problem> {
        let member = leaf.member;
        if let Some(wrapped) = &leaf.inputs {
            let key = self.keys.member(&self.store, member).await?;
            let key = key.ok_or_else(|| internal(format!("the key of member {member} is missing")))?;
            return Ok(Some(unwrap_inputs(&key, epoch, wrapped)?));
        }
        // Nobody's inputs are emptier than those of who left, and erasing everything adds one public fact to them.
        let public = [false, true].map(|erased| Inputs { erased, ..Inputs::default() });
        Ok(public.into_iter().find(|inputs| ledger::inputs_leaf(member, inputs, B256::ZERO) == leaf.inputs_leaf))
    }

    /// The cut of an epoch: the last block up to its end, once it is final.
    ///
    /// # Errors
    /// Where it is not, or the RPC does not answer.
    pub async fn cut(&self, epoch: Epoch) -> Result<BlockRef, Problem> {
        let end = self.schedule().end(epoch);
        let cut = self.chain.cut_block(end).await.map_err(chain_problem)?;
        cut.ok_or_else(|| {
            let detail = format!("no block after the end of epoch {epoch} ({end}) is final yet");
            Problem::new(ProblemCode::NotEnough, detail)
        })
    }

    /// Computes an epoch from its sheet.
    async fn compute(
        self: &Arc<Self>,
        at_cut: &Cooperative,
        before: &Before,
        attempt: Attempt,
        said: Said<'_>,
    ) -> Result<(Computed, Gathered), Problem> {
        let entered = self.entered_before(attempt.epoch).await?;
        let turn = (attempt.epoch, attempt.attempt);
        let gathered = self.gather(turn, at_cut, &entered, said.scores, said.awards, said.lines).await?;
        let settled = settled_inputs(gathered.params.clone(), gathered.inputs.clone(), attempt, said.unkeyed);
        let computed = self.settle(&before.books, settled, gathered.entered.clone()).await?;
        Ok((computed, gathered))
    }

    /// Settles an epoch from what entered.
    ///
    /// # Errors
    /// Where the inputs contradict each other, or a row key is missing.
    pub async fn settle(
        &self,
        books: &Arc<Books>,
        settled: SettledInputs,
        entered: Vec<Entered>,
    ) -> Result<Computed, Problem> {
        self.shelf().settle(books, settled, entered).await
    }

    /// Scores that entered before an epoch.
    pub(crate) async fn entered_before(&self, epoch: Epoch) -> Result<Vec<Entered>, Problem> {
        let mut before = self.store.entered().await?;
        before.retain(|row| row.epoch < epoch);
        Ok(before)
    }

    /// Gathers the inputs of an attempt at an epoch with the snapshots that the store holds. Where debits of a settled epoch were added up,
    /// the `lines` of its sheet tell use; the header on chain binds them.
    ///
    /// # Errors
    /// As [`gather`].
    pub async fn gather(
        &self,
        (epoch, attempt): (Epoch, u32),
        at_cut: &Cooperative,
        before: &[Entered],
        scores: &Scores,
        awards: &[AwardMessage],
        lines: &[SheetLine],
    ) -> Result<Gathered, Problem> {
        let since = self.manifest.since(epoch);
        let up_to = self.store.folded().await?.up_to;
        let (mut snapshots, mut told) = (BTreeMap::new(), None);
        for booked in at_cut.debits_since(since) {
            if let Some(row) = self.store.snapshot(booked.debit.snapshot).await? {
                snapshots.insert(row.digest, row.ids);
            } else if booked.id <= up_to {
                told = Some(lines);
            }
        }
        let founding = &self.manifest.ledger;
        let vouched = self.vouched_at_cut(epoch, awards, at_cut).await?;
        let grants = &granted(epoch, awards, at_cut, &self.manifest.programs_domain(), &vouched);
        let attempt_length = u64::from(self.manifest.settlement.attempt_length);
        let (time, snapshots) = (self.schedule().start(epoch, attempt), &snapshots);
        gather(&Sources {
            epoch,
            time,
            attempt_length,
            at_cut,
            founding,
            since,
            before,
            scores,
            grants,
            snapshots,
            told,
        })
    }

    /// The scores of a sheet, each with its signature checked: that of who held a seat at the cut, whoever holds it now.
    ///
    /// # Errors
    /// With the first that does not hold.
    pub fn verified_scores(&self, at_cut: &Cooperative, messages: &[ScoreMessage]) -> Result<Scores, Problem> {
        let mut scores = Scores::new();
        for message in messages {
            let row = self.verify_score(at_cut, message)?;
            if at_cut.steward_id(row.signer).is_none() {
                let detail = format!("contribution {}: {} held no seat at the cut", row.contribution, row.signer);
                return Err(Problem::new(ProblemCode::BadRequest, detail));
            }
            scores.entry(row.contribution).or_default().push(row);
        }
        Ok(scores)
    }
}

/// What an epoch is settled from, where everything of everybody is there.
fn settled_inputs(params: Params, inputs: EpochInputs, attempt: Attempt, unkeyed: &[MemberId]) -> SettledInputs {
    SettledInputs {
        params,
        inputs,
        attempt: attempt.attempt,
        sheet: attempt.sheet,
        root: B256::ZERO,
        unkeyed: unkeyed.iter().copied().collect(),
        stand_ins: BTreeMap::new(),
        sums: None,
    }
}

/// The leaves of a computed epoch as the store keeps them, without what only members' keys open.
#[must_use]
pub fn leaf_rows(round: &Round) -> Vec<LeafRow> {
    round.leaves.iter().enumerate().map(|(index, leaf)| leaf_row(index, leaf)).collect()
}

/// The same of the member at a place, from 0.
fn leaf_row(index: usize, leaf: &ledger::Leaf) -> LeafRow {
    LeafRow {
        member: MemberId(u32::try_from(index + 1).unwrap_or(u32::MAX)),
        amounts: leaf.amounts,
        private_hash: leaf.private_hash,
        inputs_leaf: leaf.inputs,
        wrapped: None,
        inputs: None,
    }
}
