//! Checking a proposal against its sheet: our own copy of it, or a peer's where ours does not open or lacks something.
//!
//! Every signer sealed the sheet again from its seed and compared all copies, so a copy of ours that opens and gives
//! another header means that no signer was honest. A peer's copy proves nothing by itself: it counts if the header on chain
//! comes out, which binds every row and every input, and is left aside if not.

use std::sync::{Arc, PoisonError};

use rochdale_api::member::Sealed as SealedAnswer;
use rochdale_api::settlement::{CopyRequest, Sheet, SheetCopy, SheetMessage};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::Cooperative;
use rochdale_core::commit;
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use rochdale_core::ledger::{Amounts, CLOSED_PRIVATE, Global, Header};
use rochdale_crypto::sealing::{self, SheetCopyContext};
use rochdale_crypto::{Sealed, SealingPublicKey};
use zeroize::Zeroizing;

use super::{Before, Computed, Said, Verdict};
use crate::falsified::Falsified;
use crate::inputs::differences;
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
        let at_cut = Cooperative::at_block(mirror.events.iter(), cut.number);
        let lacking = match self.sheet_of(mirror, header).await {
            Ok(sheet) => match self.compute_sheet(&at_cut, &before, header, &sheet, &[]).await {
                Ok(computed) if computed.header == *header => {
                    self.keep_copy(header, &SheetCopy { sheet, destroyed: Vec::new() }).await?;
                    return Ok(Verdict::Recomputed(Box::new(computed)));
                }
                Ok(computed) => {
                    let reason = other_header(header, &computed, &sheet);
                    let (leaves, inputs) = (computed.leaves, computed.settled.inputs);
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
            let answer = client.post_signed::<SealedAnswer>("/v1/settlement/copies", &request, mirror.now()).await;
            let Ok(answer) = answer else { continue };
            let context = self.copy_context(header.epoch, peer, self.seat(mirror)?);
            let Ok(copy) = self.open_copy(&context, answer.sealed) else { continue };
            let known: Vec<LeafRow> = copy.destroyed.iter().copied().map(stand_in).collect();
            match self.compute_sheet(&at_cut, &before, header, &copy.sheet, &known).await {
                Ok(computed) if computed.header == *header => {
                    self.keep_copy(header, &copy).await?;
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
        &self,
        at_cut: &Cooperative,
        before: &Before,
        header: &Header,
        sheet: &Sheet,
        known: &[LeafRow],
    ) -> Result<Computed, Problem> {
        let scores = self.verified_scores(at_cut, &sheet.scores)?;
        self.compute(at_cut, before, header, Said::of(sheet, &scores), known).await
    }

    /// A settled epoch's sheet for a steward that cannot open its own copy.
    ///
    /// # Errors
    /// Where the epoch is not settled here, or its sheet does not open any more.
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
        let sheet = self.kept_sheet(from, &header).await?;
        let mut destroyed = Vec::new();
        for leaf in self.store.rows(epoch).await? {
            let needs_key = leaf.private_hash != CLOSED_PRIVATE && !sheet.unkeyed.contains(&leaf.member);
            if needs_key && self.keys.row_key(&self.store, leaf.member).await?.is_none() {
                destroyed.push((leaf.member, leaf.private_hash, leaf.inputs_leaf));
            }
        }
        let recipient = mirror.latest.seats[usize::from(to.0) - 1].sealing_key;
        self.seal_copy(
            SealingPublicKey(recipient),
            &self.copy_context(epoch, from, to),
            &SheetCopy { sheet, destroyed },
        )
        .map(|sealed| SealedAnswer { sealed: sealed.0 })
    }

    /// The sheet behind a header as it is kept here: as it was opened, or our copy of the sealed one.
    ///
    /// # Errors
    /// Where neither is here or opens.
    pub async fn kept_sheet(&self, seat: StewardId, header: &Header) -> Result<Sheet, Problem> {
        let epoch = header.epoch;
        if let Some(wrapped) = self.store.copy(epoch, header.sheet_digest).await? {
            let copy: SheetCopy =
                serde_json::from_slice(&self.keys.unwrap_sheet(epoch, &wrapped)?).map_err(internal)?;
            return Ok(copy.sheet);
        }
        let sheets: Vec<SheetMessage> = self.store.sheets(epoch).await?;
        let ours = sheets.iter().find(|sheet| commit::sheet(&sheet.sealed) == header.sheet_digest);
        let ours = ours.ok_or_else(|| {
            let digest = header.sheet_digest;
            Problem::new(ProblemCode::NotFound, format!("epoch {epoch}: no sheet in the store has digest {digest}"))
        })?;
        self.open_sheet(ours, seat)
    }

    /// Keeps what recomputed, for the audit and for the next steward that asks: the key that it was sealed to goes.
    async fn keep_copy(&self, header: &Header, copy: &SheetCopy) -> Result<(), Problem> {
        let json = serde_json::to_vec(copy).map(Zeroizing::new).map_err(internal)?;
        let wrapped = self.keys.wrap_sheet(header.epoch, &json);
        Ok(self.store.put_copy(header.epoch, header.sheet_digest, &wrapped).await?)
    }

    /// The copies of settled epochs, whose lines name no record of a member any more, wrapped anew. How often and with what weight they were
    /// used stays: shares of everybody else follow from it, and nothing else tells it once snapshots are gone.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn copies_without(&self, member: MemberId, settled: Epoch) -> Result<Vec<CopyRow>, Problem> {
        let mut changed = Vec::new();
        for row in self.store.copies(settled).await? {
            let mut copy: SheetCopy =
                serde_json::from_slice(&self.keys.unwrap_sheet(row.epoch, &row.wrapped)?).map_err(internal)?;
            for line in copy.sheet.lines.iter_mut().filter(|line| line.member_id == member) {
                line.contributions.clear();
            }
            let json = serde_json::to_vec(&copy).map(Zeroizing::new).map_err(internal)?;
            changed.push(CopyRow { wrapped: self.keys.wrap_sheet(row.epoch, &json), ..row });
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

fn other_header(header: &Header, computed: &Computed, sheet: &Sheet) -> String {
    format!(
        "the proposal of epoch {}, attempt {}, on chain has root {}; recomputed from its sheet it is {}; lines that differ: {}",
        header.epoch,
        header.attempt,
        header.root,
        computed.header.root,
        differences(&computed.gathered.lines, &sheet.lines).len()
    )
}

/// What stands for a row whose key was destroyed.
fn stand_in(
    (member, private_hash, inputs_leaf): (MemberId, alloy::primitives::B256, alloy::primitives::B256),
) -> LeafRow {
    LeafRow { member, amounts: Amounts::default(), private_hash, inputs_leaf, wrapped: None, inputs: None }
}
