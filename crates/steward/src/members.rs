//! What members, and the gateway on their behalf, read of settled epochs: leaves with proofs, and one's own row.

use std::sync::Arc;

use rochdale_api::member::{ClaimLeaf, ContributionReport, LeavesRequest, RowReport, RowRequest, SealedRow, UseReport};
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{self, Tree};
use rochdale_crypto::SealingPublicKey;
use rochdale_crypto::sealing::{self, ClaimsRowContext};
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
        let wanted = |leaf: &&LeafRow| request.members.is_empty() || request.members.contains(&leaf.member);
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
        let row_key = self.keys.row_key(&self.store, member).await?;
        let report = RowReport {
            epoch,
            row: self.row(epoch, leaf).await?,
            salt: row_key.map(|key| ledger::salt(key.expose(), epoch)).unwrap_or_default(),
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
        let sealed = sealed.map_err(|error| {
            Problem::new(ProblemCode::BadRequest, format!("reply_key: {error}")).hint("give a fresh X25519 public key")
        })?;
        Ok(SealedRow { epoch, sealed: sealed.0 })
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

    async fn uses(&self, mirror: &Mirror, member: MemberId) -> Result<Vec<UseReport>, Problem> {
        let mut uses = Vec::new();
        for booked in mirror.latest.debits.values() {
            let Some(snapshot) = self.store.snapshot(booked.debit.snapshot).await? else { continue };
            let of_member =
                |id: &&_| mirror.latest.contributions.get(id).is_some_and(|contribution| contribution.member == member);
            let records = snapshot.ids.iter().filter(of_member).count() as u64;
            if records > 0 {
                uses.push(UseReport {
                    debit: booked.id,
                    license_id: booked.debit.license_id,
                    purpose: snapshot.purpose,
                    query_digest: booked.debit.query_digest,
                    rho: booked.debit.rho,
                    records,
                });
            }
        }
        Ok(uses)
    }
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
