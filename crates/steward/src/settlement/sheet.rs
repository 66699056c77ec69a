//! Sheets: making, sealing, opening and answering them, and proposing the epoch that stewards signed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::Bytes;
use futures_util::StreamExt as _;
use rochdale_api::route::{gateway, steward};
use rochdale_api::settlement::{Countersignature, ProposeRequest, Sheet, SheetAnswer, SheetMessage};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_chain::state::Cooperative;
use rochdale_core::commit;
use rochdale_core::ids::{ContributionId, Epoch, MemberId, StewardId};
use rochdale_core::ledger::{self, Global, Header, Revenue};
use rochdale_crypto::sealing::{self, SheetContext, SheetReplyContext};
use rochdale_crypto::{Sealed, SealingPublicKey, random_blinder};
use zeroize::Zeroizing;

use super::withheld::contradictions;
use super::{Attempt, DUTY, Said, settled_inputs};
use crate::inputs::{Gathered, differences};
use crate::scoring::message;
use crate::steward::{Mirror, Steward, broken, internal};

/// How long a peer may take to recompute a sheet.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a proposer waits for a steward that is busy with the same epoch.
const BUSY: Duration = Duration::from_secs(5);

impl Steward {
    /// Proposes the running attempt where it is ours; says what it lacks.
    pub(super) async fn try_to_propose(self: &Arc<Self>, mirror: &Mirror) -> Result<Option<String>, Problem> {
        let settled = self.store.settled().await?;
        if let Some(last) = self.store.epoch::<Header, Global>(settled).await?
            && last.header.attempt < mirror.latest.lowest_attempt(settled)
        {
            return Ok(Some(format!(
                "the proposal of epoch {settled} was voided; it is taken back once that is final"
            )));
        }
        let epoch = Epoch(settled.0 + 1);
        let Some(attempt) = self.schedule().attempt(epoch, mirror.now()) else { return Ok(None) };
        let lowest = mirror.latest.lowest_attempt(epoch);
        if attempt < lowest {
            let start = self.schedule().start(epoch, lowest);
            return Ok(Some(format!("epoch {epoch}: what was proposed is void; attempt {lowest} starts at {start}")));
        }
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
        let quorum = usize::from(mirror.latest.quorum);
        let (message, now) = (&message, mirror.now());
        let mut asked = self.peers.ask_within(PATIENCE, self.colleagues(mirror), |_, client| async move {
            Ok(client.post_signed(steward::SHEET, message, now).await?)
        });
        while signatures.len() < quorum
            && let Some((peer, answer)) = asked.next().await
        {
            let checked = match answer {
                Ok(answer) => self.check_answer(mirror, message, peer, answer).await,
                Err(problem) => Err(problem),
            };
            match checked {
                Ok(signature) => signatures.push(signature),
                Err(problem) => lacking.push(format!("steward {peer}: {}", problem.detail)),
            }
        }
        drop(asked);
        if signatures.len() < quorum {
            let detail = format!("{} of {quorum} signatures; {}", signatures.len(), lacking.join("; "));
            return Err(Problem::new(ProblemCode::NotEnough, detail));
        }
        signatures.sort_by_key(|signature| signature.steward);
        let request = ProposeRequest { header: message.header.clone(), signatures };
        let gateway = self.gateway(mirror);
        let relayed = gateway.post_signed(gateway::PROPOSE, &request, mirror.now());
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
        let at_cut = self.watch.at_block(cut.number).await?;
        let scores = self.scores_to_enter(&at_cut).await?;
        let unkeyed = self.unkeyed(&at_cut).await?;
        self.sync_awards(mirror, epoch, &at_cut).await?;
        let awards = self.store.awards(epoch).await?;
        let entered = self.entered_before(epoch).await?;
        let gathered = self.gather((epoch, attempt), &at_cut, &entered, &scores, &awards, &[]).await?;
        let reasons: BTreeMap<ContributionId, String> = self.store.deferred().await?.into_iter().collect();
        let waits = |id: &ContributionId| {
            let reason = reasons.get(id).cloned().unwrap_or_else(|| "no agreed score yet".to_owned());
            (*id, reason)
        };
        let entering = gathered.entered.iter().filter_map(|row| scores.get(&row.contribution)).flatten();
        // With what shows why a record waits although who heard of one score alone takes it for agreed.
        let twofold = |id: &ContributionId| scores.get(id).into_iter().flat_map(|rows| contradictions(rows));
        let shown = entering.chain(gathered.deferred.iter().flat_map(twofold));
        let sheet = Sheet {
            cut_block: cut.number,
            cut_hash: cut.hash,
            scores: shown.map(message).collect(),
            deferred: gathered.deferred.iter().map(waits).collect(),
            lines: gathered.lines.clone(),
            awards,
            unkeyed,
            seed: random_blinder(&mut rand::rng()),
            sealed_to: mirror.latest.seats.iter().map(|seat| seat.sealing_key).collect(),
            revenue: gathered.inputs.revenue.amount,
            licenses: gathered.inputs.revenue.licenses.iter().copied().collect(),
            datasets: gathered.inputs.revenue.datasets.iter().copied().collect(),
        };
        let sealed = self.seal_sheet(epoch, attempt, &sheet)?;
        let settled = settled_inputs(
            gathered.params,
            gathered.inputs,
            Attempt { epoch, attempt, sheet: commit::sheet(&sealed) },
            &sheet.unkeyed,
        );
        let computed = self.settle(&before.books, settled, gathered.entered).await?;
        let message = SheetMessage { epoch, attempt, proposer: seat, sealed, header: computed.round.header };
        self.store.put_sheet(epoch, attempt, message.header.sheet_digest, &message).await?;
        Ok(message)
    }

    /// Whose row key is not here, active or not, after everybody was asked. Who erased everything by the cut has a closed
    /// row, which no key hides.
    async fn unkeyed(&self, at_cut: &Cooperative) -> Result<Vec<MemberId>, Problem> {
        let held = self.store.row_key_holders().await?;
        let open = at_cut.members.iter().filter(|(_, state)| state.erased.is_none());
        Ok(open.map(|(member, _)| *member).filter(|member| !held.contains(member)).collect())
    }

    /// The copies of a sheet, one for each seat, all of them given by its seed and the keys that it names.
    fn seal_sheet(&self, epoch: Epoch, attempt: u32, sheet: &Sheet) -> Result<Vec<Bytes>, Problem> {
        let json = serde_json::to_vec(sheet).map(Zeroizing::new).map_err(internal)?;
        (1..=u8::MAX)
            .zip(&sheet.sealed_to)
            .map(|(index, key)| {
                let context = self.sheet_context(epoch, attempt, StewardId(index));
                let key = SealingPublicKey(*key);
                Ok(sealing::seal_from_seed(&key, &context, &json, &sheet.seed.0).map_err(internal)?.0)
            })
            .collect()
    }

    /// Whether every copy is of this sheet, sealed from its seed to the seat's key: the one in force, or any that was replaced since the
    /// attempt began, before which no sheet of it is made. A steward that replaces its key again and again spoils its own copy alone, and
    /// each other seat still opens with what it had then.
    fn is_sealed_so(&self, mirror: &Mirror, message: &SheetMessage, sheet: &Sheet) -> Result<bool, Problem> {
        let seats = &mirror.latest.seats;
        if sheet.sealed_to.len() != seats.len() {
            return Ok(false);
        }
        let start = self.schedule().start(message.epoch, message.attempt);
        for ((index, seat), key) in (1..=u8::MAX).zip(seats).zip(&sheet.sealed_to) {
            let former =
                mirror.latest.former_keys.get(&StewardId(index)).into_iter().flat_map(|keys| keys.iter().rev());
            let was = || former.take_while(|former| former.replaced >= start).any(|former| former.key == *key);
            if seat.sealing_key != *key && !was() {
                return Ok(false);
            }
        }
        Ok(self.seal_sheet(message.epoch, message.attempt, sheet)? == message.sealed)
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

    async fn check_answer(
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
        let lines = self.open_differences(message.epoch, message.attempt, peer, sealed.clone())?;
        // The lines are about members: they stay sealed, and neither the log nor the public status has them.
        self.store.put_differences(message.epoch, message.attempt, peer, &sealed).await?;
        tracing::warn!(%peer, epoch = %message.epoch, lines = lines.len(), "a peer computes another epoch");
        Err(Problem::new(ProblemCode::Conflict, format!("lines that differ, see the audit: {}", lines.len())))
    }

    fn open_differences(
        &self,
        epoch: Epoch,
        attempt: u32,
        peer: StewardId,
        sealed: Bytes,
    ) -> Result<Vec<String>, Problem> {
        let context = self.reply_context(epoch, attempt, peer);
        let lines = sealing::open_as(&self.keys.sealing, &context, &Sealed(sealed)).map_err(|e| broken("answer", e))?;
        serde_json::from_slice(&lines).map_err(|error| broken("answer", error))
    }

    /// What peers said that our sheets of epochs not yet settled differ in, in words.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn peers_differences(&self) -> Result<Vec<String>, Problem> {
        let mut said = Vec::new();
        for (epoch, attempt, peer, sealed) in self.store.differences().await? {
            let lines = self.open_differences(epoch, attempt, peer, sealed.into())?;
            said.extend(lines.iter().map(|line| format!("epoch {epoch}, attempt {attempt}, steward {peer}: {line}")));
        }
        Ok(said)
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
        // Who signs vouches for every copy: a steward that gets another than ours would take an honest root for false.
        if !self.is_sealed_so(&mirror, message, &sheet)? {
            return Err(broken(
                "sheet",
                "its copies are not all of one sheet, sealed from its seed to the keys on chain",
            ));
        }
        let cut = self.cut(epoch).await?;
        self.catch_up(&mirror).await?;
        let before = self.before(epoch).await?;
        let at_cut = self.watch.at_block(cut.number).await?;
        let scores = self.verified_scores(&at_cut, &sheet.scores)?;
        for row in scores.values().flatten() {
            self.keep_score(&mirror, row.clone()).await?;
        }
        let attempt_at = Attempt::from(&message.header);
        let (computed, gathered) = self.compute(&at_cut, &before, attempt_at, Said::of(&sheet, &scores)).await?;
        let header = computed.round.header;
        self.keep_awards(epoch, &sheet.awards, &at_cut).await?;
        let start = self.schedule().start(epoch, attempt);
        let mut lines = self.scores_withheld(&mirror, &at_cut, &gathered, &scores, start).await?;
        lines.extend(self.keys_withheld(&sheet).await?);
        lines.extend(self.awards_withheld(epoch, &sheet.awards, &at_cut).await?);
        if (sheet.cut_block, sheet.cut_hash) != (cut.number, cut.hash) {
            lines.push(format!("the cut is block {} ({}) here", cut.number, cut.hash));
        }
        lines.extend(differences(&gathered.lines, &sheet.lines));
        lines.extend(asides(&gathered, &sheet));
        if header != message.header {
            lines.push(format!("the header is {header:?} here"));
        }
        if lines.is_empty() {
            self.store.put_sheet(epoch, attempt, message.header.sheet_digest, message).await?;
            return Ok(SheetAnswer::Signed(self.sign_header(&header, seat).await?));
        }
        let refused = format!(
            "epoch {epoch}, attempt {attempt}: the sheet of steward {caller} leaves out or changes what is known here, in {} lines, \
             and was not signed",
            lines.len()
        );
        self.note(|report| report.refused = Some((epoch, refused)));
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
        // One signature an attempt, within its time: a steward that was restored since knows no other, and waits that long.
        if self.schedule().attempt(epoch, mirror.now()) != Some(attempt) {
            let detail = format!("attempt {attempt} of epoch {epoch} is over");
            return Err(Problem::new(ProblemCode::Conflict, detail).hint("the next attempt has another proposer"));
        }
        let lowest = mirror.latest.lowest_attempt(epoch);
        if attempt < lowest {
            let detail = format!("attempt {} of epoch {epoch} was voided; the next is {lowest}", lowest - 1);
            return Err(Problem::new(ProblemCode::Conflict, detail));
        }
        if message.header.epoch != epoch || message.header.attempt != attempt {
            return Err(Problem::new(ProblemCode::BadRequest, "the header is of another epoch or attempt"));
        }
        Ok(())
    }

    /// Row keys that the sheet says nobody has, although they are here.
    async fn keys_withheld(&self, sheet: &Sheet) -> Result<Vec<String>, Problem> {
        let mut lines = Vec::new();
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

    /// Our copy of the sheet behind a header on chain, from the store or from a peer.
    pub(super) async fn sheet_of(self: &Arc<Self>, mirror: &Mirror, header: &Header) -> Result<Sheet, Problem> {
        let seat = self.seat(mirror)?;
        let fits = |sheet: &SheetMessage| {
            sheet.header.sheet_digest == header.sheet_digest && commit::sheet(&sheet.sealed) == header.sheet_digest
        };
        let kept: Vec<SheetMessage> = self.store.sheets(header.epoch).await?;
        if let Some(message) = kept.into_iter().find(fits) {
            return self.open_sheet(&message, seat);
        }
        let now = mirror.now();
        let mut asked = self.peers.ask(self.colleagues(mirror), |_, client| async move {
            Ok(client.get_signed(steward::SHEETS.at(header.epoch), now).await?)
        });
        while let Some((_, answer)) = asked.next().await {
            if let Some(message) = answer.ok().and_then(|sheets| sheets.into_iter().find(fits)) {
                drop(asked);
                self.store.put_sheet(header.epoch, header.attempt, header.sheet_digest, &message).await?;
                self.catch_up(mirror).await?;
                return self.open_sheet(&message, seat);
            }
        }
        let detail = format!("the sheet of epoch {} is neither here nor with a peer that is up", header.epoch);
        Err(Problem::new(ProblemCode::PeerUnavailable, detail))
    }
}

/// What a sheet says beside the lines, and nobody computes from: it stands there for the audit, so it has to be true.
fn asides(ours: &Gathered, sheet: &Sheet) -> Vec<String> {
    let Revenue { amount, licenses, datasets } = &ours.inputs.revenue;
    let mut lines = Vec::new();
    if (*amount, licenses.iter().eq(&sheet.licenses), datasets.iter().eq(&sheet.datasets))
        != (sheet.revenue, true, true)
    {
        lines.push(format!("the revenue is {amount} here, of licenses {licenses:?} and datasets {datasets:?}"));
    }
    if !sheet.deferred.iter().map(|(id, _)| id).eq(&ours.deferred) {
        lines.push(format!("contributions {:?} wait here", ours.deferred));
    }
    lines
}
