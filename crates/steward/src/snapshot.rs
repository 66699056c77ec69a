//! Who is in a snapshot: the rule that every steward applies alike, as of the block that the order names.
//!
//! A record is in if it is of the license's dataset and not erased, its member consents and the consent receipt allows the license's
//! purpose, the member's remaining budget pays for the order, and the license's draw takes the member. None of it depends on anybody
//! else in the pool.

use std::sync::Arc;

use alloy::primitives::B256;
use rochdale_api::order::BlindedOrder;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::BlockRef;
use rochdale_chain::state::{Contribution, Cooperative, LicenseState};
use rochdale_core::budget::{Accounts, Own};
use rochdale_core::commit;
use rochdale_core::consent::{Decision, EhdsCategory, Request, matches};
use rochdale_core::draw::{Chance, DrawSalt};
use rochdale_core::ids::{DatasetId, MemberId};

use crate::steward::{Mirror, Steward, chain_problem, internal};
use crate::store::SnapshotRow;

impl Steward {
    /// A block that is final at our RPC.
    ///
    /// # Errors
    /// Where there is none of this hash.
    pub async fn final_block(&self, mirror: &Mirror, hash: B256) -> Result<BlockRef, Problem> {
        let found = self.chain.final_block(&mirror.head, hash).await.map_err(chain_problem)?;
        found.ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, format!("block {hash} is not finalized at this steward's RPC"))
                .hint("cut at the hash of a finalized block")
        })
    }

    /// The snapshot of an order, whose license and EIP-712 digest were checked.
    ///
    /// # Errors
    /// Where the cut is not final, or a debit up to it cannot be accounted for yet.
    pub async fn snapshot_at(
        self: &Arc<Self>,
        mirror: &Mirror,
        license: &LicenseState,
        digest: B256,
        asked: &BlindedOrder,
    ) -> Result<SnapshotRow, Problem> {
        let (terms, order) = (license.terms, &asked.request.order);
        let block = self.final_block(mirror, order.cut).await?;
        let state = self.watch.at_block(block.number).await?;
        let accounts = self.accounts(&state, state.debits.values()).await?;
        let request = request_of(&state, license, block.timestamp)?;
        let size = self.published_size(terms.dataset, terms.purpose, block.timestamp).await?;
        let chance = Chance::new(u64::from(terms.records), size);
        let salt = DrawSalt::new(self.keys.committee(), order.license_id);
        let mut ids = Vec::new();
        for contribution in state.contributions.values().filter(|c| !c.erased) {
            if chance.draws(&salt, contribution.member)
                && state.consents_at(contribution.member, block.timestamp)
                && self.is_in_pool(&state, contribution, terms.dataset, &request).await?
                && self.can_pay(&state, &accounts, contribution.member, block.timestamp, order.rho).await?
            {
                ids.push(contribution.id);
            }
        }
        let (dataset, purpose, cut, cut_time) = (terms.dataset, terms.purpose, order.cut, block.timestamp);
        let blinder = commit::snapshot_blinder(digest, asked.drawn);
        let row = SnapshotRow { digest: B256::ZERO, order: digest, dataset, purpose, cut, cut_time, blinder, ids };
        Ok(SnapshotRow { digest: self.digest_of(&row)?, ..row })
    }

    /// The blinded digest of a snapshot.
    ///
    /// # Errors
    /// Where its ids do not ascend.
    pub fn digest_of(&self, row: &SnapshotRow) -> Result<B256, Problem> {
        let snapshot = commit::Snapshot {
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.contribution_registry,
            dataset: row.dataset,
            purpose: row.purpose,
            cut: row.cut,
            ids: &row.ids,
        };
        snapshot.blinded_digest(row.blinder).map_err(internal)
    }

    /// Whether a contribution is of the license's dataset and its member's receipt allows the license's purpose.
    async fn is_in_pool(
        &self,
        state: &Cooperative,
        contribution: &Contribution,
        dataset: DatasetId,
        request: &Request,
    ) -> Result<bool, Problem> {
        let Some(held) = self.record_of(contribution).await? else {
            tracing::warn!(contribution = %contribution.id, "left out of a snapshot: its member's record is not here");
            return Ok(false);
        };
        let secret = self.private_part_of(&held).await?;
        if secret.is_none_or(|secret| secret.dataset != dataset) {
            return Ok(false);
        }
        let version = state.consents.get(&contribution.member).map_or(0, |consent| consent.version);
        Ok(self.receipt_allows(contribution.member, version, request).await.is_ok())
    }

    /// Whether what a member has left at `now` (Unix seconds), also by its own choice, pays for one more charge.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn can_pay(
        &self,
        state: &Cooperative,
        accounts: &Accounts,
        member: MemberId,
        now: u64,
        rho: u64,
    ) -> Result<bool, Problem> {
        let joined = state.members.get(&member).map_or(u64::MAX, |member| member.joined.time);
        let own = self.own_choice(state, member).await?;
        Ok(accounts.remainder(member, joined, now, own) >= rho)
    }

    /// The bounds that a member set itself in its newest consent.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn own_choice(&self, state: &Cooperative, member: MemberId) -> Result<Own, Problem> {
        let version = state.consents.get(&member).map_or(0, |consent| consent.version);
        let secret = self.keys.consent(&self.store, member, version).await?;
        Ok(secret.map(|secret| secret.receipt.choice.own_budget()).unwrap_or_default())
    }

    /// Matches a consent receipt with a license.
    ///
    /// # Errors
    /// With the receipt's reason against it, which is for whoever may know alone.
    pub async fn receipt_allows(&self, member: MemberId, version: u32, request: &Request) -> Result<(), Problem> {
        let secret = self.keys.consent(&self.store, member, version).await?.ok_or_else(|| {
            let detail = format!("the consent receipt of member {member}, version {version}, is not here yet");
            Problem::new(ProblemCode::ConsentDenied, detail)
        })?;
        let reasons = match matches(&secret.receipt, request) {
            Decision::Approve { .. } => return Ok(()),
            Decision::Abstain { reasons } | Decision::Deny { reasons } => reasons,
        };
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        let detail = format!("the consent of member {member} does not allow it: {}", reasons.join("; "));
        Err(Problem::new(ProblemCode::ConsentDenied, detail))
    }
}

/// What a license asks for, as far as `state` tells: an approval that came later does not count.
///
/// # Errors
/// Where its category is unknown.
pub fn request_of(state: &Cooperative, license: &LicenseState, now: u64) -> Result<Request, Problem> {
    let LicenseState { holder, terms } = license;
    let ehds = EhdsCategory::from_code(terms.ehds_category).ok_or_else(|| {
        Problem::new(ProblemCode::LicenseInvalid, format!("the license has EHDS category {}", terms.ehds_category))
    })?;
    let approval = state.approval(*holder, terms.purpose, now);
    let protocol = approval.map(|approval| approval.protocol.clone()).unwrap_or_default();
    Ok(Request { protocol, ..Request::query(terms.purpose, ehds, *holder, approval.is_some(), now) })
}
