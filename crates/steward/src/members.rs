//! What members, and the gateway on their behalf, read of settled epochs: leaves with proofs, and one's own row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rochdale_api::custody::OpeningsRequest;
use rochdale_api::member::{
    ClaimLeaf, ContributionReport, LeavesRequest, OpeningReport, RowReport, RowRequest, Sealed, SealedRow, UseReport,
};
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{self, Amounts, Global, Header, Inputs, NewLeaf, OldRow, OpenedInputs, Params, Tree};
use rochdale_crypto::sealing::{self, ClaimsRowContext, OpeningContext, OpeningsContext, SealingError};
use rochdale_crypto::{RowKey, SealingPublicKey};
use zeroize::Zeroizing;

use crate::steward::{Caller, Mirror, Steward, internal};
use crate::store::LeafRow;

impl Steward {
    /// Leaves and proofs of a settled epoch: any for the gateway, a member's own for the member.
    ///
    /// # Errors
    /// Where the epoch is not settled here, or a member asks for another's.
    pub async fn claim_leaves(&self, caller: Caller, request: &LeavesRequest) -> Result<Vec<ClaimLeaf>, Problem> {
        if let Caller::Member(own) = caller
            && (request.members.is_empty() || request.members.iter().any(|member| *member != own))
        {
            let detail = format!("member {own} may ask for its own leaf only");
            return Err(Problem::new(ProblemCode::Forbidden, detail).hint(format!("\"members\": [{own}]")));
        }
        let leaves = self.leaves(request.epoch).await?;
        let tree = self.tree(&leaves)?;
        // A list may be long, and name one member over and over.
        let named: BTreeSet<MemberId> = request.members.iter().copied().collect();
        let wanted = |leaf: &&LeafRow| named.is_empty() || named.contains(&leaf.member);
        leaves.iter().filter(wanted).map(|leaf| claim_leaf(&tree, leaf)).collect()
    }

    async fn leaves(&self, epoch: Epoch) -> Result<Vec<LeafRow>, Problem> {
        let settled = self.store.settled().await?;
        if epoch.0 == 0 || epoch > settled {
            let detail = match settled.0 {
                0 => "this steward has settled no epoch yet".to_owned(),
                _ => format!("this steward has settled epochs 1 to {settled}, not epoch {epoch}"),
            };
            return Err(Problem::new(ProblemCode::NotFound, detail));
        }
        Ok(self.store.rows(epoch).await?)
    }

    fn tree(&self, leaves: &[LeafRow]) -> Result<Tree, Problem> {
        let hashes: Vec<_> = leaves.iter().map(|l| ledger::leaf(l.member, &l.amounts, l.private_hash)).collect();
        Tree::new(self.manifest.tree_depth, &hashes).map_err(internal)
    }

    /// A member's own row with its reasons, sealed to the key that the request names.
    ///
    /// # Errors
    /// Where the epoch is not settled here or the member has no row in it.
    pub async fn member_row(
        self: &Arc<Self>,
        mirror: &Mirror,
        member: MemberId,
        request: &RowRequest,
    ) -> Result<SealedRow, Problem> {
        let epoch = match request.epoch {
            Some(epoch) => epoch,
            None => self.store.settled().await?,
        };
        let leaves = self.leaves(epoch).await?;
        let leaf = leaves.iter().find(|leaf| leaf.member == member).ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, format!("member {member} has no row in epoch {epoch}"))
        })?;
        let row = self.row(epoch, leaf).await?;
        let own = self.keys.row_key(&self.store, member).await?;
        // The key may have come after the epoch was settled without it.
        let secret = ledger::row_secret(&row, epoch, leaf.private_hash, own.as_ref().map(RowKey::expose));
        let report = RowReport {
            epoch,
            row,
            salt: secret.map(|key| ledger::salt(&key, epoch)).unwrap_or_default(),
            leaf: claim_leaf(&self.tree(&leaves)?, leaf)?,
            contributions: self.contribution_reports(mirror, member).await?,
            uses: self.uses(mirror, member).await?,
        };
        let json = serde_json::to_vec(&report).map(Zeroizing::new).map_err(internal)?;
        let context = ClaimsRowContext {
            chain_id: self.manifest.chain_id,
            ledger: self.manifest.addresses.settlement_ledger,
            epoch,
            member,
        };
        let sealed = sealing::seal_as(&SealingPublicKey(request.reply_key), &context, &json, &mut rand::rng());
        Ok(SealedRow { epoch, sealed: sealed.map_err(bad_reply_key)?.0 })
    }

    /// Who opened a member's records to score them, as far as our share was needed, sealed to the key that the request
    /// names.
    ///
    /// # Errors
    /// Where the store fails or the key is none.
    pub async fn member_openings(
        &self,
        mirror: &Mirror,
        member: MemberId,
        request: &OpeningsRequest,
    ) -> Result<Sealed, Problem> {
        let json = serde_json::to_vec(&self.store.openings(member).await?).map(Zeroizing::new).map_err(internal)?;
        let context = OpeningsContext {
            chain_id: self.manifest.chain_id,
            committee: self.manifest.addresses.steward_committee,
            member,
            index: self.seat(mirror)?,
        };
        let sealed = sealing::seal_as(&SealingPublicKey(request.reply_key), &context, &json, &mut rand::rng());
        Ok(Sealed { sealed: sealed.map_err(bad_reply_key)?.0 })
    }

    /// What a member needs to contest its row in the pending root, sealed to the key that the request names: the row before
    /// from here, inputs and leaf from here where the header's trees come out here too, else as they were published.
    ///
    /// # Errors
    /// Where nothing is pending, or this steward has not settled the epoch before.
    pub async fn opening(
        self: &Arc<Self>,
        mirror: &Mirror,
        member: MemberId,
        request: &RowRequest,
    ) -> Result<SealedRow, Problem> {
        let pending = mirror.latest.proposals.values().next_back().filter(|p| p.final_at > mirror.now());
        let header = pending.map(|pending| &pending.header).ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, "no root is pending: what is final cannot be contested")
        })?;
        let epoch = header.epoch;
        if request.epoch.is_some_and(|asked| asked != epoch) {
            let detail = format!("epoch {epoch}, attempt {} is pending", header.attempt);
            return Err(Problem::new(ProblemCode::Conflict, detail));
        }
        let (inputs, leaf) = self.opened(mirror, header, member).await?;
        let report = OpeningReport {
            header: header.clone(),
            params: self.params_named(mirror, header)?,
            old: self.old_row(header, member).await?,
            inputs,
            leaf,
        };
        let json = serde_json::to_vec(&report).map(Zeroizing::new).map_err(internal)?;
        let (chain_id, ledger) = (self.manifest.chain_id, self.manifest.addresses.settlement_ledger);
        let context = OpeningContext { chain_id, ledger, epoch, member };
        let sealed = sealing::seal_as(&SealingPublicKey(request.reply_key), &context, &json, &mut rand::rng());
        Ok(SealedRow { epoch, sealed: sealed.map_err(bad_reply_key)?.0 })
    }

    /// The parameters whose hash a header names.
    fn params_named(&self, mirror: &Mirror, header: &Header) -> Result<Params, Problem> {
        let mut known = mirror.latest.params.values().chain([&self.manifest.ledger]);
        let named = known.find(|params| params.hash() == header.params_hash).cloned();
        named.ok_or_else(|| {
            internal(format!("no vote set the parameters {} of epoch {}", header.params_hash, header.epoch))
        })
    }

    async fn old_row(&self, header: &Header, member: MemberId) -> Result<OldRow, Problem> {
        let last = Epoch(header.epoch.0 - 1);
        let leaves = if last.0 == 0 { Vec::new() } else { self.leaves(last).await? };
        let proof = self.tree(&leaves)?.proof(member);
        let proof = proof.ok_or_else(|| internal(format!("member {member} is beyond the tree")))?;
        Ok(match leaves.iter().find(|leaf| leaf.member == member) {
            Some(leaf) => OldRow { row: Some(self.row(last, leaf).await?), shown: leaf.amounts, proof },
            None => OldRow { row: None, shown: Amounts::default(), proof },
        })
    }

    /// A member's inputs and leaf under the roots of a header, as far as they are here or were published.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn opened(
        &self,
        mirror: &Mirror,
        header: &Header,
        member: MemberId,
    ) -> Result<(Option<OpenedInputs>, Option<NewLeaf>), Problem> {
        let settled = self.store.epoch::<Header, Global>(header.epoch).await?;
        if settled.is_some_and(|row| row.header == *header) {
            let leaves = self.store.rows(header.epoch).await?;
            let found = leaves.iter().find(|leaf| leaf.member == member);
            let Some(leaf) = found else { return Ok((None, None)) };
            let inputs = self.inputs(header.epoch, leaf).await?;
            return Ok((
                self.open_inputs(&leaves, leaf, inputs, header).await?,
                Some(new_leaf(&self.tree(&leaves)?, leaf)?),
            ));
        }
        let asked = (header.epoch, header.attempt, member);
        let published = mirror.latest.published_rows.get(&asked).map(|leaf| (**leaf).clone());
        let ours = self.false_epoch(header.epoch, header.attempt);
        let inputs = match ours.as_ref().and_then(|ours| Some((&ours.leaves, ours.of(member)?))) {
            Some((leaves, (leaf, inputs))) => self.open_inputs(leaves, leaf, Some(inputs.clone()), header).await?,
            None => None,
        };
        let shown = || mirror.latest.published_inputs.get(&asked).map(|opened| (**opened).clone());
        Ok((inputs.or_else(shown), published))
    }

    /// What opens a member's inputs, where the tree of all of them is the header's.
    async fn open_inputs(
        &self,
        leaves: &[LeafRow],
        leaf: &LeafRow,
        inputs: Option<Inputs>,
        header: &Header,
    ) -> Result<Option<OpenedInputs>, Problem> {
        let hashes: Vec<_> = leaves.iter().map(|leaf| leaf.inputs_leaf).collect();
        let tree = Tree::new(self.manifest.tree_depth, &hashes).map_err(internal)?;
        let (Some(inputs), Some(proof)) = (inputs, tree.proof(leaf.member)) else { return Ok(None) };
        let own = self.keys.row_key(&self.store, leaf.member).await?;
        let own = own.as_ref().map(RowKey::expose);
        let blinder = ledger::inputs_blinder(leaf.member, &inputs, header.epoch, leaf.inputs_leaf, own);
        let opened = blinder.map(|blinder| OpenedInputs { inputs, blinder, proof });
        Ok(opened.filter(|_| tree.root() == header.inputs_root))
    }

    async fn contribution_reports(
        &self,
        mirror: &Mirror,
        member: MemberId,
    ) -> Result<Vec<ContributionReport>, Problem> {
        let entered = self.store.entered().await?;
        let deferred = self.store.deferred().await?;
        let mut reports = Vec::new();
        for contribution in mirror.latest.contributions.values().filter(|c| c.member == member) {
            let row = entered.iter().find(|row| row.contribution == contribution.id);
            let mut reasons = self.score_reasons(contribution).await?;
            if row.is_none() {
                reasons =
                    deferred.iter().filter(|(id, _)| *id == contribution.id).map(|(_, why)| why.clone()).collect();
            } else if row.is_some_and(|row| row.score.uniqueness == 0) {
                reasons.insert(0, "the same content was contributed before".to_owned());
            }
            reports.push(ContributionReport {
                contribution_id: contribution.id,
                score: row.map(|row| row.score),
                epoch: row.map(|row| row.epoch),
                reasons,
            });
        }
        Ok(reports)
    }

    /// A debit is added up before its snapshot goes: who reads snapshots first and sums afterwards misses none between them.
    async fn uses(&self, mirror: &Mirror, member: MemberId) -> Result<Vec<UseReport>, Problem> {
        let mut records = BTreeMap::new();
        for booked in mirror.latest.debits.values() {
            let Some(snapshot) = self.store.snapshot(booked.debit.snapshot).await? else { continue };
            let of_member =
                |id: &&_| mirror.latest.contributions.get(id).is_some_and(|contribution| contribution.member == member);
            let count = snapshot.ids.iter().filter(of_member).count() as u64;
            if count > 0 {
                records.insert(booked.id, count);
            }
        }
        records.extend(self.store.uses(member).await?);
        let mut uses = Vec::new();
        for (debit, records) in records {
            let Some(booked) = mirror.latest.debits.get(&debit) else { continue };
            uses.push(UseReport {
                debit,
                at: booked.booked.time,
                license_id: booked.debit.license_id,
                researcher: mirror.latest.licenses.get(&booked.debit.license_id).map(|l| l.holder).unwrap_or_default(),
                purpose: booked.debit.purpose,
                query_digest: booked.debit.query_digest,
                rho: booked.debit.rho,
                records,
                query: self.store.question(booked.debit.query_digest).await?,
            });
        }
        Ok(uses)
    }
}

pub(crate) fn bad_reply_key(error: SealingError) -> Problem {
    Problem::new(ProblemCode::BadRequest, format!("reply_key: {error}")).hint("give a fresh X25519 public key")
}

fn new_leaf(tree: &Tree, leaf: &LeafRow) -> Result<NewLeaf, Problem> {
    let ClaimLeaf { proof, .. } = claim_leaf(tree, leaf)?;
    Ok(NewLeaf { shown: leaf.amounts, private_hash: leaf.private_hash, proof })
}

fn claim_leaf(tree: &Tree, leaf: &LeafRow) -> Result<ClaimLeaf, Problem> {
    let proof =
        tree.proof(leaf.member).ok_or_else(|| internal(format!("member {} is beyond the tree", leaf.member)))?;
    Ok(ClaimLeaf {
        member_id: leaf.member,
        cash: leaf.amounts.cash,
        stream: leaf.amounts.stream,
        data: leaf.amounts.data,
        gov: leaf.amounts.gov,
        private_hash: leaf.private_hash,
        proof,
    })
}
