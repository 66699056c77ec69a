//! Checking a proposal against its sheet: our own copy of it, or a peer's where ours does not open or lacks something.
//!
//! Every signer sealed the sheet again from its seed and compared all copies, so a copy of ours that opens and gives
//! another header means that no signer was honest. A peer's copy proves nothing by itself: it counts if the header on chain
//! comes out, which binds every row and every input, and is left aside if not.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use rochdale_api::member::Sealed as SealedAnswer;
use rochdale_api::route::steward;
use rochdale_api::settlement::{CopyRequest, Sheet, SheetCopy, SheetMessage};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::Cooperative;
use rochdale_core::commit;
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use rochdale_core::ledger::{
    Books, CLOSED_PRIVATE, Contribution, Entered, EpochInputs, Global, Header, SettledInputs, StandIn, Sums,
};
use rochdale_crypto::sealing::{self, SheetCopyContext};
use rochdale_crypto::{Sealed, SealingPublicKey};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{Before, Computed, Said, Verdict, leaf_rows, settled_inputs};
use crate::falsified::Falsified;
use crate::inputs::{Gathered, differences, params_of};
use crate::steward::{Mirror, Steward, broken, internal};
use crate::store::{CopyRow, LeafRow};

impl Steward {
    /// Recomputes a proposal on chain.
    ///
    /// # Errors
    /// Where something is missing that a peer may still give.
    pub(super) async fn check_proposal(self: &Arc<Self>, mirror: &Mirror, header: &Header) -> Result<Verdict, Problem> {
        let before = self.before(header.epoch).await?;
        let cut = self.cut(header.epoch).await?;
        let at_cut = self.watch.at_block(cut.number).await?;
        let lacking = match self.sheet_of(mirror, header).await {
            Ok(_) if before.has_gaps => missing_rows(header.epoch),
            Ok(sheet) => match self.compute_sheet(&at_cut, &before, header, &sheet).await {
                Ok((computed, _)) if computed.round.header == *header => {
                    self.keep_copy(&copy_of(&computed), header, Some(&sheet)).await?;
                    return Ok(Verdict::Recomputed(Box::new(computed)));
                }
                Ok((computed, gathered)) => {
                    let reason = other_header(header, &computed, &gathered, &sheet);
                    let (leaves, inputs) = (leaf_rows(&computed.round), computed.round.settled.inputs);
                    let ours = Falsified { epoch: header.epoch, attempt: header.attempt, leaves, inputs };
                    return Ok(Verdict::False { reason, ours: Some(ours) });
                }
                Err(problem) if is_refused(&problem) => {
                    return Ok(Verdict::False { reason: no_header(header), ours: None });
                }
                Err(problem) => problem,
            },
            Err(problem) => problem,
        };
        for (peer, client) in self.sources(mirror) {
            let request = CopyRequest { epoch: header.epoch };
            let answer = client.post_signed(steward::COPY, &request, mirror.now()).await;
            let Ok(answer) = answer else { continue };
            let context = self.copy_context(header.epoch, peer, self.seat(mirror)?);
            let Ok(copy) = self.open_copy(&context, answer.sealed) else { continue };
            match self.settle_copy(&at_cut, &before.books, header, &copy).await {
                Ok(computed) if computed.round.header == *header => {
                    self.keep_copy(&copy, header, None).await?;
                    return Ok(Verdict::Recomputed(Box::new(computed)));
                }
                Ok(_) => tracing::warn!(%peer, epoch = %header.epoch, "a copy of a sheet that gives another header"),
                Err(problem) => tracing::debug!(%peer, %problem, "a copy of a sheet that is no help"),
            }
        }
        Err(lacking)
    }

    /// What was computed here of an attempt whose proposal on chain is another. None after a restart: the inputs of who
    /// contests can be demanded.
    pub(crate) fn false_epoch(&self, epoch: Epoch, attempt: u32) -> Option<Arc<Falsified>> {
        let ours = self.falsified.read().unwrap_or_else(PoisonError::into_inner).clone();
        ours.filter(|ours| (ours.epoch, ours.attempt) == (epoch, attempt))
    }

    async fn compute_sheet(
        self: &Arc<Self>,
        at_cut: &Cooperative,
        before: &Before,
        header: &Header,
        sheet: &Sheet,
    ) -> Result<(Computed, Gathered), Problem> {
        let scores = self.verified_scores(at_cut, &sheet.scores)?;
        self.compute(at_cut, before, header.into(), Said::of(sheet, &scores)).await
    }

    /// Settles an epoch on chain from a copy. What the chain says is read from the chain; the rest counts if the header comes out.
    ///
    /// # Errors
    /// Where it contradicts itself or the chain.
    pub async fn settle_copy(
        &self,
        at_cut: &Cooperative,
        books: &Arc<Books>,
        header: &Header,
        copy: &SheetCopy,
    ) -> Result<Computed, Problem> {
        let settled = self.settled_of(at_cut, header, copy)?;
        self.settle(books, settled, copy.entered.clone()).await
    }

    /// What an epoch on chain was settled from, as a copy and the chain as of its cut tell it.
    ///
    /// # Errors
    /// Where the chain's revenue does not fit.
    pub fn settled_of(
        &self,
        at_cut: &Cooperative,
        header: &Header,
        copy: &SheetCopy,
    ) -> Result<SettledInputs, Problem> {
        let epoch = header.epoch;
        let chain = at_cut.ledger_cut(self.manifest.since(epoch)).map_err(internal)?;
        let contribution = |row: &Entered| Contribution { member: row.member, id: row.contribution, score: row.score };
        let inputs = EpochInputs {
            members: chain.members,
            active: chain.active,
            contributions: copy.entered.iter().map(contribution).collect(),
            grants: copy.grants.clone(),
            usage: copy.usage.clone(),
            revenue: chain.revenue,
            erased: chain.erased,
        };
        let params = params_of(at_cut, epoch, &self.manifest.ledger);
        let mut settled = settled_inputs(params, inputs, header.into(), &copy.unkeyed);
        settled.stand_ins = copy.stand_ins.iter().copied().collect();
        settled.sums = copy.stand_ins.iter().any(|(_, one)| one.amounts.is_some()).then(|| Sums::from(header));
        settled.root = header.root;
        Ok(settled)
    }

    /// What a settled epoch was computed from, for a steward that cannot open its own copy of the sheet.
    ///
    /// # Errors
    /// Where the epoch is not settled here.
    pub async fn answer_copy(
        &self,
        mirror: &Mirror,
        to: StewardId,
        request: &CopyRequest,
    ) -> Result<SealedAnswer, Problem> {
        let epoch = request.epoch;
        let settled = self.store.epoch::<Header, Global>(epoch).await?;
        let header = settled.map(|row| row.header).ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, format!("this steward has not settled epoch {epoch}"))
        })?;
        let from = self.office(mirror)?;
        let copy = self.kept_copy(&header).await?;
        let recipient = mirror.latest.seats[usize::from(to.0) - 1].sealing_key;
        self.seal_copy(SealingPublicKey(recipient), &self.copy_context(epoch, from, to), &copy)
            .map(|sealed| SealedAnswer { sealed: sealed.0 })
    }

    /// What a settled epoch was computed from, with what stands for rows whose key was destroyed since.
    ///
    /// # Errors
    /// Where it is not here.
    pub async fn kept_copy(&self, header: &Header) -> Result<SheetCopy, Problem> {
        let (epoch, digest) = (header.epoch, header.sheet_digest);
        let row = self.store.copy(epoch, digest).await?.ok_or_else(|| {
            Problem::new(
                ProblemCode::NotFound,
                format!("epoch {epoch}: nothing in the store was settled under {digest}"),
            )
        })?;
        let mut copy: SheetCopy =
            serde_json::from_slice(&self.keys.unwrap_sheet(epoch, &row.inputs)?).map_err(internal)?;
        let gone: BTreeSet<MemberId> = copy.stand_ins.iter().map(|(member, _)| *member).collect();
        let held = self.store.row_key_holders().await?;
        for leaf in self.store.rows(epoch).await? {
            let needs_key = leaf.private_hash != CLOSED_PRIVATE
                && !copy.unkeyed.contains(&leaf.member)
                && !gone.contains(&leaf.member);
            if needs_key && !held.contains(&leaf.member) {
                copy.stand_ins.push((leaf.member, stand_in(&leaf, false)));
            }
        }
        Ok(copy)
    }

    /// The sheet behind a header: as it was opened, while that is kept, or our copy of the sealed one.
    ///
    /// # Errors
    /// Where the store fails or is damaged; none where neither is here.
    pub async fn kept_sheet(&self, seat: StewardId, header: &Header) -> Result<Option<Sheet>, Problem> {
        let epoch = header.epoch;
        if let Some(row) = self.store.copy(epoch, header.sheet_digest).await? {
            let Some(wrapped) = row.sheet else { return Ok(None) };
            let json = self.keys.unwrap_sheet(epoch, &wrapped)?;
            return serde_json::from_slice(&json).map(Some).map_err(internal);
        }
        let sheets: Vec<SheetMessage> = self.store.sheets(epoch).await?;
        let ours = sheets.iter().find(|sheet| commit::sheet(&sheet.sealed) == header.sheet_digest);
        ours.map(|ours| self.open_sheet(ours, seat)).transpose()
    }

    /// Keeps what recomputed, for the audit and for the next steward that asks: the key that it was sealed to goes.
    async fn keep_copy(&self, copy: &SheetCopy, header: &Header, sheet: Option<&Sheet>) -> Result<(), Problem> {
        let (epoch, digest) = (header.epoch, header.sheet_digest);
        // Stand-ins for keys alone are made anew for whoever asks.
        let stand_ins = copy.stand_ins.iter().filter(|(_, one)| one.amounts.is_some()).copied().collect();
        let kept = SheetCopy { stand_ins, ..copy.clone() };
        let inputs = self.wrap(epoch, &kept)?;
        let sheet = sheet.map(|sheet| self.wrap(epoch, sheet)).transpose()?;
        Ok(self.store.put_copy(&CopyRow { epoch, digest, inputs, sheet }).await?)
    }

    fn wrap<T: Serialize>(&self, epoch: Epoch, value: &T) -> Result<Vec<u8>, Problem> {
        let json = serde_json::to_vec(value).map(Zeroizing::new).map_err(internal)?;
        Ok(self.keys.wrap_sheet(epoch, &json))
    }

    /// What settled epochs were computed from, without a member: up to `last`, which closed its row, the leaf stands for what is gone.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn copies_without(&self, member: MemberId, last: Epoch) -> Result<Vec<CopyRow>, Problem> {
        let mut changed = Vec::new();
        for row in self.store.copies(last).await? {
            let mut copy: SheetCopy =
                serde_json::from_slice(&self.keys.unwrap_sheet(row.epoch, &row.inputs)?).map_err(internal)?;
            copy.entered.retain(|one| one.member != member);
            copy.grants.retain(|one| one.member != member);
            copy.usage.retain(|(of, _)| *of != member);
            copy.unkeyed.retain(|of| *of != member);
            copy.stand_ins.retain(|(of, _)| *of != member);
            if let Some(leaf) = self.store.leaf(row.epoch, member).await? {
                copy.stand_ins.push((member, stand_in(&leaf, true)));
            }
            changed.push(CopyRow { inputs: self.wrap(row.epoch, &copy)?, sheet: None, ..row });
        }
        Ok(changed)
    }

    fn seal_copy(&self, to: SealingPublicKey, context: &SheetCopyContext, copy: &SheetCopy) -> Result<Sealed, Problem> {
        let json = serde_json::to_vec(copy).map(Zeroizing::new).map_err(internal)?;
        sealing::seal_as(&to, context, &json, &mut rand::rng()).map_err(internal)
    }

    fn open_copy(&self, context: &SheetCopyContext, sealed: alloy::primitives::Bytes) -> Result<SheetCopy, Problem> {
        let json = sealing::open_as(&self.keys.sealing, context, &Sealed(sealed)).map_err(|e| broken("copy", e))?;
        serde_json::from_slice(&json).map_err(|error| broken("copy", error))
    }

    fn copy_context(&self, epoch: Epoch, from: StewardId, to: StewardId) -> SheetCopyContext {
        let (chain_id, ledger) = (self.manifest.chain_id, self.manifest.addresses.settlement_ledger);
        SheetCopyContext { chain_id, ledger, epoch, from, to }
    }
}

/// Whether a sheet holds what no honest signer signs for: a score whose signature, range or contribution does not hold.
fn is_refused(problem: &Problem) -> bool {
    matches!(problem.code, ProblemCode::BadRequest | ProblemCode::SealBroken | ProblemCode::NotFound)
}

fn no_header(header: &Header) -> String {
    let Header { epoch, attempt, root, .. } = header;
    format!(
        "the proposal of epoch {epoch}, attempt {attempt}, on chain has root {root}; its sheet holds what does not verify"
    )
}

fn other_header(header: &Header, computed: &Computed, gathered: &Gathered, sheet: &Sheet) -> String {
    format!(
        "the proposal of epoch {}, attempt {}, on chain has root {}; recomputed from its sheet it is {}; lines that differ: {}",
        header.epoch,
        header.attempt,
        header.root,
        computed.round.header.root,
        differences(&gathered.lines, &sheet.lines).len()
    )
}

fn missing_rows(epoch: Epoch) -> Problem {
    let detail = format!("rows before epoch {epoch} are gone with what their members had erased");
    Problem::new(ProblemCode::NotEnough, detail).hint("what it was computed from is taken from a peer that is up")
}

/// What an epoch was computed from beside the chain.
fn copy_of(computed: &Computed) -> SheetCopy {
    let SettledInputs { inputs, unkeyed, .. } = &computed.settled;
    SheetCopy {
        entered: computed.entered.clone(),
        grants: inputs.grants.clone(),
        usage: inputs.usage.clone(),
        unkeyed: unkeyed.iter().copied().collect(),
        stand_ins: Vec::new(),
    }
}

/// What stands for a member's part of an epoch; `whole` where its inputs are gone too, and not its key alone.
fn stand_in(leaf: &LeafRow, whole: bool) -> StandIn {
    let LeafRow { private_hash, inputs_leaf, amounts, .. } = leaf;
    StandIn { private_hash: *private_hash, inputs_leaf: *inputs_leaf, amounts: whole.then_some(*amounts) }
}
