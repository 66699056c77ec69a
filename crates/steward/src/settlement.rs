//! Settling an epoch: sheet, header, signatures, proposal; and taking over what the chain says was proposed.
//!
//! A steward signs only a header that it computed itself, one for an attempt, and keeps it before anyone sees the
//! signature. A proposal on chain is recomputed in the same way from its sheet, so that a steward that was down, or
//! never signed, arrives at the same rows. A proposal that does not recompute halts this duty.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{B256, Bytes};
use rochdale_api::contribution::ScoreMessage;
use rochdale_api::member::Mined;
use rochdale_api::query::Countersignature;
use rochdale_api::settlement::{ProposeRequest, SettlementStatus, Sheet, SheetAnswer, SheetMessage};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::BlockRef;
use rochdale_chain::eip712;
use rochdale_chain::state::Cooperative;
use rochdale_core::commit;
use rochdale_core::ids::{ContributionId, Epoch, MemberId, StewardId};
use rochdale_core::ledger::{self, Global, Header, Roots, Row, Schedule, Settled, Tree};
use rochdale_crypto::keystore::Item;
use rochdale_crypto::sealing::{self, SheetContext, SheetReplyContext};
use rochdale_crypto::{Sealed, SealingPublicKey};
use zeroize::Zeroizing;

use crate::inputs::{Gathered, Sources, differences, gather};
use crate::keys::{unwrap_json, wrap_json};
use crate::scoring::message;
use crate::steward::{Mirror, Steward, broken, chain_problem, internal};
use crate::store::{EnteredRow, EpochRow, LeafRow, ScoreRow};

/// The duty's name where it is halted.
pub const DUTY: &str = "settlement";
/// How long a peer may take to recompute a sheet.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a proposer waits for a steward that is busy with the same epoch.
const BUSY: Duration = Duration::from_secs(5);
/// The row key of a member whose own one nobody ever got.
const NO_ROW_KEY: [u8; 32] = [0; 32];

/// The signed scores of a sheet, by contribution.
pub type Scores = BTreeMap<ContributionId, Vec<ScoreRow>>;

/// A computed epoch.
#[derive(Debug)]
pub struct Computed {
    /// To sign.
    pub header: Header,
    /// The state after it.
    pub settled: Settled,
    /// Its inputs.
    pub gathered: Gathered,
    /// What the trees hold, by id from 1.
    pub leaves: Vec<LeafRow>,
}

/// What the computation starts from.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// The global state.
    pub global: Global,
    /// Rows by id from 1.
    pub rows: Vec<Row>,
    /// The last root.
    pub root: B256,
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
        let halted = self.store.halted(DUTY).await?.map(|reason| format!("halted: {reason}"));
        Ok(SettlementStatus {
            settled: self.store.settled().await?,
            deferred: self.store.deferred().await?,
            waiting_for: halted.or(self.report().waiting_for),
        })
    }

    /// One round: takes over what is settled on chain, then proposes where it is our turn.
    ///
    /// # Errors
    /// Where the chain or the store fails; what an attempt lacks is noted in the status.
    pub async fn settle_round(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let _one = self.settling.lock().await;
        self.refuse_if_halted(DUTY).await?;
        let lacking = match self.take_over(mirror).await {
            Ok(()) => self.try_to_propose(mirror).await?,
            Err(problem) => Some(problem.to_string()),
        };
        self.note(|report| report.waiting_for = lacking);
        Ok(())
    }

    /// Records every epoch whose proposal is final on chain and not recorded yet, in order.
    async fn take_over(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let finalized = mirror.finalized();
        loop {
            let epoch = Epoch(self.store.settled().await?.0 + 1);
            let Some(proposal) = finalized.proposals.get(&epoch) else { return Ok(()) };
            let sheet = self.sheet_of(mirror, &proposal.header).await?;
            let before = self.before(epoch).await?;
            let scores = self.verified_scores(mirror, &sheet.scores)?;
            let cut = self.cut(epoch).await?;
            let computed = self.compute(mirror, &before, &proposal.header, cut, &scores, &sheet.unkeyed).await?;
            if computed.header != proposal.header {
                let reason = format!(
                    "the proposal of epoch {epoch} on chain has root {}, recomputed from its sheet it is {}: {}",
                    proposal.header.root,
                    computed.header.root,
                    differences(&computed.gathered.lines, &sheet.lines).join("; ")
                );
                self.store.halt(DUTY, &reason).await?;
                return Err(Problem::new(ProblemCode::Halted, reason));
            }
            self.record(&computed).await?;
            tracing::info!(%epoch, root = %computed.header.root, "settled");
        }
    }

    /// What stands before an epoch.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn before(&self, epoch: Epoch) -> Result<Before, Problem> {
        let last = Epoch(epoch.0 - 1);
        let Some(settled) = self.store.epoch::<Header, Global>(last).await? else {
            let root = ledger::empty_root(self.manifest.tree_depth);
            return Ok(Before { root, ..Before::default() });
        };
        let mut rows = Vec::new();
        for leaf in self.store.rows(last).await? {
            rows.push(self.row(last, &leaf).await?);
        }
        Ok(Before { global: settled.globals, rows, root: settled.header.root })
    }

    /// The exact row behind a leaf. Of who erased everything, what the ledger still owes is all that there is.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn row(&self, epoch: Epoch, leaf: &LeafRow) -> Result<Row, Problem> {
        let member = leaf.member;
        if let Some(wrapped) = &leaf.wrapped {
            let key = self.keys.member(&self.store, member).await?;
            let key = key.ok_or_else(|| internal(format!("the key of member {member} is missing")))?;
            return Ok(unwrap_json(&key, Item::LedgerRow(epoch.0), "the row", wrapped)?);
        }
        if leaf.private_hash == ledger::CLOSED_PRIVATE {
            let shown = leaf.amounts;
            return Ok(Row {
                cash_earned: shown.cash,
                cash_streaming: shown.stream,
                data_earned: shown.data,
                gov_earned: shown.gov,
                closed: true,
                ..Row::default()
            });
        }
        let kept = self.store.erasure(member).await?.and_then(|erasure| erasure.row);
        let kept = kept.ok_or_else(|| internal(format!("what is owed to member {member} is missing")))?;
        serde_json::from_str(&kept).map_err(internal)
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

    /// Computes an epoch; `like` gives epoch, attempt and the sheet's digest.
    async fn compute(
        &self,
        mirror: &Mirror,
        before: &Before,
        like: &Header,
        cut: BlockRef,
        scores: &Scores,
        unkeyed: &[MemberId],
    ) -> Result<Computed, Problem> {
        let at_cut = Cooperative::at_block(mirror.events.iter(), cut.number);
        let gathered = self.gather(like.epoch, &at_cut, &self.entered_before(like.epoch).await?, scores).await?;
        self.recompute(before, like, gathered, unkeyed, &[]).await
    }

    /// Computes an epoch from gathered inputs. Where a member's row key is gone, the leaf of `known` stands for what
    /// only that key gives; there is none where the epoch is settled now.
    ///
    /// # Errors
    /// Where the inputs contradict each other, or a row key is missing.
    pub async fn recompute(
        &self,
        before: &Before,
        like: &Header,
        gathered: Gathered,
        unkeyed: &[MemberId],
        known: &[LeafRow],
    ) -> Result<Computed, Problem> {
        let (epoch, params) = (like.epoch, &self.manifest.ledger);
        let settled = ledger::step(params, epoch, &before.global, &before.rows, &gathered.inputs).map_err(internal)?;
        let mut leaves = Vec::with_capacity(settled.rows.len());
        for (index, (row, inputs)) in settled.rows.iter().zip(&settled.inputs).enumerate() {
            let member = MemberId(u32::try_from(index + 1).map_err(internal)?);
            let amounts = ledger::amounts(params, member, row, inputs.active).map_err(internal)?;
            let (private_hash, inputs_leaf) = match self.row_secret(member, row, unkeyed).await? {
                Some(key) => {
                    let blinder = if inputs.active { ledger::input_blinder(&key, epoch) } else { B256::ZERO };
                    let private_hash = ledger::private_hash(row, ledger::salt(&key, epoch));
                    (private_hash, ledger::inputs_leaf(member, inputs, blinder))
                }
                None => {
                    let known = known.iter().find(|leaf| leaf.member == member).ok_or_else(|| {
                        Problem::new(ProblemCode::NotEnough, format!("the row key of member {member} is not here yet"))
                            .hint("it is taken from a peer that is up")
                    })?;
                    (known.private_hash, known.inputs_leaf)
                }
            };
            leaves.push(LeafRow { member, amounts, private_hash, inputs_leaf, wrapped: None });
        }
        let depth = self.manifest.tree_depth;
        let row_leaves: Vec<B256> = leaves.iter().map(|l| ledger::leaf(l.member, &l.amounts, l.private_hash)).collect();
        let input_leaves: Vec<B256> = leaves.iter().map(|leaf| leaf.inputs_leaf).collect();
        let rows = Tree::new(depth, &row_leaves).map_err(internal)?.root();
        let inputs = Tree::new(depth, &input_leaves).map_err(internal)?.root();
        let roots = Roots { previous: before.root, rows, inputs, sheet: like.sheet_digest };
        let header = Header::new(params, &settled, &roots, like.attempt);
        Ok(Computed { header, settled, gathered, leaves })
    }

    /// The key that salts a row: zeros where nobody got one or where the row is closed, which no key hides.
    async fn row_secret(&self, member: MemberId, row: &Row, unkeyed: &[MemberId]) -> Result<Option<[u8; 32]>, Problem> {
        if row.closed || unkeyed.contains(&member) {
            return Ok(Some(NO_ROW_KEY));
        }
        Ok(self.keys.row_key(&self.store, member).await?.map(|key| *key.expose()))
    }

    async fn entered_before(&self, epoch: Epoch) -> Result<Vec<EnteredRow>, Problem> {
        let mut before = self.store.entered().await?;
        before.retain(|row| row.epoch < epoch);
        Ok(before)
    }

    /// Gathers an epoch's inputs with the snapshots that the store holds.
    ///
    /// # Errors
    /// As [`gather`].
    pub async fn gather(
        &self,
        epoch: Epoch,
        at_cut: &Cooperative,
        before: &[EnteredRow],
        scores: &Scores,
    ) -> Result<Gathered, Problem> {
        let since = self.manifest.since(epoch);
        let mut snapshots = BTreeMap::new();
        for receipt in at_cut.receipts_since(since) {
            if let Some(row) = self.store.snapshot(receipt.snapshot).await? {
                snapshots.insert(receipt.snapshot, row.ids);
            }
        }
        gather(&Sources { epoch, at_cut, since, before, scores, snapshots: &snapshots })
    }

    /// The scores of a sheet, each with its signature checked.
    ///
    /// # Errors
    /// With the first that does not hold.
    pub fn verified_scores(&self, mirror: &Mirror, messages: &[ScoreMessage]) -> Result<Scores, Problem> {
        let mut scores = Scores::new();
        for message in messages {
            let row = self.verify_score(&mirror.latest, message)?;
            scores.entry(row.contribution).or_default().push(row);
        }
        Ok(scores)
    }

    /// Keeps a computed epoch as settled.
    async fn record(&self, computed: &Computed) -> Result<(), Problem> {
        let epoch = computed.header.epoch;
        let mut leaves = computed.leaves.clone();
        for (leaf, row) in leaves.iter_mut().zip(&computed.settled.rows) {
            if !row.closed {
                let key = self.keys.member_or_new(&self.store, leaf.member).await?;
                leaf.wrapped = Some(wrap_json(&key, Item::LedgerRow(epoch.0), "the row", row)?);
            }
        }
        let row = EpochRow { epoch, header: computed.header.clone(), globals: computed.settled.global.clone() };
        Ok(self.store.settle(&row, &leaves, &computed.gathered.entered).await?)
    }

    /// Proposes the running attempt where it is ours; says what it lacks.
    async fn try_to_propose(self: &Arc<Self>, mirror: &Mirror) -> Result<Option<String>, Problem> {
        let epoch = Epoch(self.store.settled().await?.0 + 1);
        let Some(attempt) = self.schedule().attempt(epoch, mirror.now()) else { return Ok(None) };
        if mirror.latest.proposals.contains_key(&epoch) {
            return Ok(None);
        }
        let pending = mirror.latest.proposals.values().next_back().filter(|last| last.final_at > mirror.now());
        if let Some(last) = pending {
            return Ok(Some(format!("epoch {} is final at {}", last.header.epoch, last.final_at)));
        }
        let seats = u8::try_from(mirror.latest.seats.len()).map_err(internal)?;
        let proposer = ledger::proposer(epoch, attempt, seats);
        let seat = self.seat(mirror)?;
        if proposer != Some(seat) || !self.config.settlement.propose {
            let who = proposer.map_or_else(|| "nobody".to_owned(), |steward| format!("steward {steward}"));
            return Ok(Some(format!("epoch {epoch}, attempt {attempt}: {who} proposes")));
        }
        Ok(match self.propose(mirror, epoch, attempt, seat).await {
            Ok(()) => None,
            Err(problem) => Some(format!("epoch {epoch}, attempt {attempt}: {problem}")),
        })
    }

    async fn propose(
        self: &Arc<Self>,
        mirror: &Mirror,
        epoch: Epoch,
        attempt: u32,
        seat: StewardId,
    ) -> Result<(), Problem> {
        let message = self.own_sheet(mirror, epoch, attempt, seat).await?;
        let mut signatures = vec![self.sign_header(&message.header, seat).await?];
        let mut lacking = Vec::new();
        for (peer, client) in self.peers(mirror) {
            let call = client.post_signed::<SheetAnswer>("/v1/settlement/sheets", &message, mirror.now());
            let answer = match tokio::time::timeout(PATIENCE, call).await {
                Ok(Ok(answer)) => self.check_answer(mirror, &message, peer, answer),
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err(Problem::new(ProblemCode::PeerUnavailable, "no answer in time")),
            };
            match answer {
                Ok(signature) => signatures.push(signature),
                Err(problem) => lacking.push(format!("steward {peer}: {}", problem.detail)),
            }
        }
        let quorum = usize::from(mirror.latest.quorum);
        if signatures.len() < quorum {
            let detail = format!("{} of {quorum} signatures; {}", signatures.len(), lacking.join("; "));
            return Err(Problem::new(ProblemCode::NotEnough, detail));
        }
        signatures.sort_by_key(|signature| signature.steward);
        let request = ProposeRequest { header: message.header, signatures };
        let gateway = self.gateway(mirror);
        let relayed = gateway.post_signed::<Mined>("/v1/settlement/proposals", &request, mirror.now());
        relayed.await.map(drop).map_err(Problem::from)
    }

    /// The sheet of our attempt: the one that was made before, or a new one, kept before anyone sees it.
    async fn own_sheet(
        self: &Arc<Self>,
        mirror: &Mirror,
        epoch: Epoch,
        attempt: u32,
        seat: StewardId,
    ) -> Result<SheetMessage, Problem> {
        let made: Vec<SheetMessage> = self.store.sheets(epoch).await?;
        if let Some(made) = made.into_iter().find(|sheet| sheet.attempt == attempt && sheet.proposer == seat) {
            return Ok(made);
        }
        let cut = self.cut(epoch).await?;
        self.catch_up(mirror).await?;
        self.sync_scores(mirror).await?;
        let before = self.before(epoch).await?;
        let at_cut = Cooperative::at_block(mirror.events.iter(), cut.number);
        let mut scores = Scores::new();
        for row in self.store.scores_after(ContributionId(0)).await? {
            scores.entry(row.contribution).or_default().push(row);
        }
        let mut unkeyed = Vec::new();
        for member in at_cut.active_members() {
            if self.keys.row_key(&self.store, member).await?.is_none() {
                unkeyed.push(member);
            }
        }
        let gathered = self.gather(epoch, &at_cut, &self.entered_before(epoch).await?, &scores).await?;
        let reasons: BTreeMap<ContributionId, String> = self.store.deferred().await?.into_iter().collect();
        let waits = |id: &ContributionId| {
            let reason = reasons.get(id).cloned().unwrap_or_else(|| "no agreed score yet".to_owned());
            (*id, reason)
        };
        let entering = gathered.entered.iter().filter_map(|row| scores.get(&row.contribution)).flatten();
        let sheet = Sheet {
            cut_block: cut.number,
            cut_hash: cut.hash,
            scores: entering.map(message).collect(),
            deferred: gathered.deferred.iter().map(waits).collect(),
            lines: gathered.lines.clone(),
            unkeyed: unkeyed.clone(),
            revenue: gathered.inputs.revenue.amount,
            licenses: gathered.inputs.revenue.licenses.iter().copied().collect(),
            datasets: gathered.inputs.revenue.datasets.iter().copied().collect(),
        };
        let sealed = self.seal_sheet(mirror, epoch, attempt, &sheet)?;
        let like = like(epoch, attempt, commit::sheet(&sealed));
        let computed = self.compute(mirror, &before, &like, cut, &scores, &unkeyed).await?;
        let message = SheetMessage { epoch, attempt, proposer: seat, sealed, header: computed.header };
        self.store.put_sheet(epoch, attempt, message.header.sheet_digest, &message).await?;
        Ok(message)
    }

    fn seal_sheet(&self, mirror: &Mirror, epoch: Epoch, attempt: u32, sheet: &Sheet) -> Result<Vec<Bytes>, Problem> {
        let json = serde_json::to_vec(sheet).map(Zeroizing::new).map_err(internal)?;
        let seats = (1..=u8::MAX).zip(&mirror.latest.seats);
        seats
            .map(|(index, seat)| {
                let context = self.sheet_context(epoch, attempt, StewardId(index));
                let key = SealingPublicKey(seat.sealing_key);
                Ok(sealing::seal_as(&key, &context, &json, &mut rand::rng()).map_err(internal)?.0)
            })
            .collect()
    }

    fn sheet_context(&self, epoch: Epoch, attempt: u32, index: StewardId) -> SheetContext {
        let (chain_id, ledger) = (self.manifest.chain_id, self.manifest.addresses.settlement_ledger);
        SheetContext { chain_id, ledger, epoch, attempt, index }
    }

    fn reply_context(&self, epoch: Epoch, attempt: u32, index: StewardId) -> SheetReplyContext {
        let (chain_id, ledger) = (self.manifest.chain_id, self.manifest.addresses.settlement_ledger);
        SheetReplyContext { chain_id, ledger, epoch, attempt, index }
    }

    /// Signs a header that this steward computed, or gives the signature that it gave before.
    async fn sign_header(&self, header: &Header, seat: StewardId) -> Result<Countersignature, Problem> {
        let message = eip712::Header::from(header);
        let domain = self.manifest.settlement_domain();
        let digest = eip712::digest(&message, &domain);
        let signature = eip712::sign(&self.keys.signer, &message, &domain).map_err(internal)?;
        let (kept, signature) = self.store.sign_header(header.epoch, header.attempt, digest, &signature).await?;
        if kept != digest {
            let detail = format!(
                "another header was signed for epoch {}, attempt {}; there is one signature for an attempt",
                header.epoch, header.attempt
            );
            return Err(Problem::new(ProblemCode::Conflict, detail).hint("the next attempt has another proposer"));
        }
        Ok(Countersignature { steward: seat, signature: signature.into() })
    }

    fn check_answer(
        &self,
        mirror: &Mirror,
        message: &SheetMessage,
        peer: StewardId,
        answer: SheetAnswer,
    ) -> Result<Countersignature, Problem> {
        let sealed = match answer {
            SheetAnswer::Signed(signature) => {
                let signer = mirror.latest.seats[usize::from(peer.0) - 1].signer;
                let header = eip712::Header::from(&message.header);
                eip712::verify(&header, &self.manifest.settlement_domain(), &signature.signature, signer)
                    .map_err(|error| broken("signature", error))?;
                return Ok(Countersignature { steward: peer, signature: signature.signature });
            }
            SheetAnswer::Differs { sealed } => sealed,
        };
        let context = self.reply_context(message.epoch, message.attempt, peer);
        let lines = sealing::open_as(&self.keys.sealing, &context, &Sealed(sealed)).map_err(|e| broken("answer", e))?;
        let lines: Vec<String> = serde_json::from_slice(&lines).map_err(|error| broken("answer", error))?;
        tracing::warn!(%peer, epoch = %message.epoch, lines = %lines.join("; "), "a peer computes another epoch");
        // The lines are about members: they go to the log of this steward, not to its public status.
        Err(Problem::new(ProblemCode::Conflict, format!("it differs in {} lines, see the log", lines.len())))
    }

    /// Answers a proposer: signs where the same header comes out here, else names the lines that differ.
    ///
    /// # Errors
    /// Where it is not the caller's turn, or this steward cannot compute the epoch yet.
    pub async fn answer_sheet(
        self: &Arc<Self>,
        caller: StewardId,
        message: &SheetMessage,
    ) -> Result<SheetAnswer, Problem> {
        // Two stewards that propose to each other at once would wait for each other.
        let _one = tokio::time::timeout(BUSY, self.settling.lock()).await.map_err(|_| {
            Problem::new(ProblemCode::PeerUnavailable, "this steward is settling itself just now").hint("try again")
        })?;
        self.refuse_if_halted(DUTY).await?;
        let mirror = self.at_head().await?;
        let seat = self.seat(&mirror)?;
        let (epoch, attempt) = (message.epoch, message.attempt);
        self.check_turn(&mirror, caller, message)?;
        if let Err(problem) = self.take_over(&mirror).await {
            tracing::debug!(%problem, "not all settled epochs could be taken over");
        }
        let settled = self.store.settled().await?;
        if epoch.0 != settled.0 + 1 {
            let detail = format!("this steward has settled up to epoch {settled}, the sheet is of epoch {epoch}");
            return Err(Problem::new(ProblemCode::Conflict, detail));
        }
        if commit::sheet(&message.sealed) != message.header.sheet_digest {
            return Err(broken("sheet", "its copies do not hash to the header's sheetDigest"));
        }
        let sheet = self.open_sheet(message, seat)?;
        let cut = self.cut(epoch).await?;
        self.catch_up(&mirror).await?;
        let before = self.before(epoch).await?;
        let scores = self.verified_scores(&mirror, &sheet.scores)?;
        for row in scores.values().flatten() {
            self.store.put_score(row).await?;
        }
        let computed = self.compute(&mirror, &before, &message.header, cut, &scores, &sheet.unkeyed).await?;
        let mut lines = self.withheld(&computed, &sheet).await?;
        if (sheet.cut_block, sheet.cut_hash) != (cut.number, cut.hash) {
            lines.push(format!("the cut is block {} ({}) here", cut.number, cut.hash));
        }
        lines.extend(differences(&computed.gathered.lines, &sheet.lines));
        if computed.header != message.header {
            lines.push(format!("the header is {:?} here", computed.header));
        }
        if lines.is_empty() {
            self.store.put_sheet(epoch, attempt, message.header.sheet_digest, message).await?;
            return Ok(SheetAnswer::Signed(self.sign_header(&computed.header, seat).await?));
        }
        let recipient = mirror.latest.seats[usize::from(caller.0) - 1].sealing_key;
        let json = serde_json::to_vec(&lines).map_err(internal)?;
        let context = self.reply_context(epoch, attempt, seat);
        let sealed = sealing::seal_as(&SealingPublicKey(recipient), &context, &json, &mut rand::rng());
        Ok(SheetAnswer::Differs { sealed: sealed.map_err(internal)?.0 })
    }

    fn check_turn(&self, mirror: &Mirror, caller: StewardId, message: &SheetMessage) -> Result<(), Problem> {
        let (epoch, attempt) = (message.epoch, message.attempt);
        let seats = u8::try_from(mirror.latest.seats.len()).map_err(internal)?;
        if message.proposer != caller || ledger::proposer(epoch, attempt, seats) != Some(caller) {
            let detail = format!("attempt {attempt} of epoch {epoch} is not steward {caller}'s to propose");
            return Err(Problem::new(ProblemCode::Forbidden, detail));
        }
        let start = self.schedule().start(epoch, attempt);
        if mirror.now() < start {
            let detail =
                format!("attempt {attempt} of epoch {epoch} starts at {start}, block time is {}", mirror.now());
            return Err(Problem::new(ProblemCode::Conflict, detail));
        }
        if message.header.epoch != epoch || message.header.attempt != attempt {
            return Err(Problem::new(ProblemCode::BadRequest, "the header is of another epoch or attempt"));
        }
        Ok(())
    }

    /// What the sheet leaves out although it is known here: agreed scores, row keys.
    async fn withheld(&self, computed: &Computed, sheet: &Sheet) -> Result<Vec<String>, Problem> {
        let mut ours = Scores::new();
        for row in self.store.scores_after(ContributionId(0)).await? {
            ours.entry(row.contribution).or_default().push(row);
        }
        let mut lines = Vec::new();
        let mirror = self.mirror()?;
        for id in &computed.gathered.deferred {
            let order = mirror.latest.contributions.get(id).map(|c| crate::scoring::drawn(&mirror.latest, c));
            let known = ours.get(id).map_or(&[][..], Vec::as_slice);
            if order.is_some_and(|order| crate::scoring::agree(&order, known).is_some()) {
                lines.push(format!("contribution {id} has an agreed score here"));
            }
        }
        for member in &sheet.unkeyed {
            if self.keys.row_key(&self.store, *member).await?.is_some() {
                lines.push(format!("the row key of member {member} is here: catch up on it"));
            }
        }
        Ok(lines)
    }

    /// Our copy of a sheet.
    ///
    /// # Errors
    /// Where it does not open or parse.
    pub fn open_sheet(&self, message: &SheetMessage, seat: StewardId) -> Result<Sheet, Problem> {
        let copy = message.sealed.get(usize::from(seat.0) - 1);
        let copy = copy.ok_or_else(|| broken("sheet", format!("there is no copy for steward {seat}")))?;
        let context = self.sheet_context(message.epoch, message.attempt, seat);
        let json = sealing::open_as(&self.keys.sealing, &context, &Sealed(copy.clone()))
            .map_err(|error| broken("sheet", error))?;
        serde_json::from_slice(&json).map_err(|error| broken("sheet", error))
    }

    /// The sheets that we hold of an epoch, for a peer that was down.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn sheets_of(&self, epoch: Epoch) -> Result<Vec<SheetMessage>, Problem> {
        Ok(self.store.sheets(epoch).await?)
    }

    /// The sheet behind a header on chain, from the store or from a peer.
    async fn sheet_of(self: &Arc<Self>, mirror: &Mirror, header: &Header) -> Result<Sheet, Problem> {
        let seat = self.seat(mirror)?;
        let fits = |sheet: &SheetMessage| {
            sheet.header.sheet_digest == header.sheet_digest && commit::sheet(&sheet.sealed) == header.sheet_digest
        };
        let kept: Vec<SheetMessage> = self.store.sheets(header.epoch).await?;
        if let Some(message) = kept.into_iter().find(fits) {
            return self.open_sheet(&message, seat);
        }
        let path = format!("/v1/settlement/sheets/{}", header.epoch);
        for (_, client) in self.peers(mirror) {
            let Ok(sheets) = client.get_signed::<Vec<SheetMessage>>(&path, mirror.now()).await else { continue };
            if let Some(message) = sheets.into_iter().find(fits) {
                self.store.put_sheet(header.epoch, header.attempt, header.sheet_digest, &message).await?;
                self.catch_up(mirror).await?;
                return self.open_sheet(&message, seat);
            }
        }
        let detail = format!("the sheet of epoch {} is neither here nor with a peer that is up", header.epoch);
        Err(Problem::new(ProblemCode::PeerUnavailable, detail))
    }
}

/// A header of which epoch, attempt and sheet are known.
fn like(epoch: Epoch, attempt: u32, sheet_digest: B256) -> Header {
    let roots = Roots { previous: B256::ZERO, rows: B256::ZERO, inputs: B256::ZERO, sheet: sheet_digest };
    let settled = Settled {
        global: Global::default(),
        rows: Vec::new(),
        shared: ledger::Shared { epoch, ..ledger::Shared::default() },
        inputs: Vec::new(),
        points: Vec::new(),
        cash: 0,
    };
    Header::new(&ledger::Params::default(), &settled, &roots, attempt)
}
