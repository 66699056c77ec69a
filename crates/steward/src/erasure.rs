//! Erasure: what opens or describes a member's records goes at once, the rest as soon as the ledger can do without it.
//!
//! When `Erased` is final, the member's key is destroyed and with it every share, private part, consent receipt and
//! score explanation that it wraps. Epochs before the erasure may still have to be settled, with the member in them: for
//! those alone the row key and the last row live on under a fresh key. Once they are settled beyond dispute, that key goes too, with
//! sketches and scores, and what the ledger owes stands without streak, usage or locked balances.
//!
//! Once the epoch that closes the row stands as well, the member goes from what settled epochs were computed from (docs/adr/0013): scores,
//! sketches, awards and use. Its leaves, hashes and amounts, stay in their place, and whoever is seated later computes everybody else's rows
//! with them.
//!
//! We sign twice, each time after the database's files were searched or written anew: that what opens the records is gone,
//! and, when the sealing keys of that time are destroyed and the snapshots that name the member too, that the rest is.

use std::sync::Arc;

use alloy::primitives::U256;
use rochdale_api::member::{CompleteErasure, ErasureAttestation};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use rochdale_core::ledger::Row;
use rochdale_node::backup;

use crate::keys;
use crate::steward::{Mirror, Steward, internal};
use crate::store::{ErasureRow, Rewrapped};

impl Steward {
    /// Destroys what members erased on chain, as far as that is final, and signs for what the files hold no trace of.
    ///
    /// # Errors
    /// Where the store fails; then what was not destroyed yet is in the next round.
    pub async fn erase_round(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let finalized = mirror.finalized();
        for (member, state) in &finalized.members {
            let Some(erased) = state.erased else { continue };
            let mut done = self.store.erasure(*member).await?;
            if done.as_ref().is_some_and(|row| row.complete.is_some()) {
                continue;
            }
            self.no_copy_is_staged()?;
            if done.as_ref().is_none_or(|row| row.signature.is_empty()) {
                self.destroy(mirror, *member, done.as_ref()).await?;
                done = self.store.erasure(*member).await?;
            }
            let (closed, scrubbed_at) = done.map_or((false, None), |row| (row.closed, row.scrubbed_at));
            // The epoch in which the erasure takes effect needs nothing private any more; those before it do.
            let epoch = self.manifest.schedule().epoch_at(erased.time).unwrap_or(Epoch(1));
            let settled = self.store.settled().await?;
            if let Some(at) = scrubbed_at {
                self.complete(mirror, *member, at).await?;
            } else if settled.0 + u32::from(!closed) >= epoch.0 && self.stands(mirror, settled).await? {
                // What a dispute may still undo is computed again, from the rows before it.
                if closed {
                    self.scrub(mirror, *member, epoch).await?;
                } else {
                    self.close(mirror, *member, settled).await?;
                    tracing::info!(%member, "erased");
                }
            }
        }
        Ok(())
    }

    /// Whether what is destroyed now is not being copied.
    pub(crate) fn no_copy_is_staged(&self) -> Result<(), Problem> {
        if backup::is_staged(&self.config.data_dir) {
            let detail =
                "an unsealed copy of the database lies in data_dir/backup.stage: erasures wait until it is gone";
            return Err(Problem::new(ProblemCode::NotEnough, detail)
                .hint("a backup that runs takes it away; where none runs, start this steward again"));
        }
        Ok(())
    }

    /// Whether nothing private of a member's row is kept any more, since no later epoch computes it.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn is_closed(&self, member: MemberId) -> Result<bool, Problem> {
        Ok(self.store.erasure(member).await?.is_some_and(|erasure| erasure.closed))
    }

    /// Deletes first, proves it, and signs then. `begun` is what a crash left after the deletion.
    async fn destroy(&self, mirror: &Mirror, member: MemberId, begun: Option<&ErasureRow>) -> Result<(), Problem> {
        let at = mirror.now();
        let shares = match begun {
            // What was deleted cannot be searched for any more: the database is written without it.
            Some(row) => {
                self.store.rewrite().await?;
                row.shares
            }
            None => {
                let shares = self.store.share_count(member).await?;
                let kept = self.rewrap(member).await?;
                let row = ErasureRow { member, shares, at, ..ErasureRow::default() };
                let traces = self.store.destroy_records(&row, &kept).await?;
                self.store.prove_gone(traces).await?;
                shares
            }
        };
        // A backup that was begun meanwhile may have copied what is gone here.
        self.no_copy_is_staged()?;
        let receipt = eip712::ErasureReceipt { memberId: member.0, shares, at: U256::from(at) };
        let signature = eip712::sign(&self.keys.signer, &receipt, &self.manifest.committee_domain());
        Ok(self.store.attest_records(member, at, &signature.map_err(internal)?).await?)
    }

    /// Signs for all of it once no snapshot names the member and every sealing key is destroyed that opened anything about it: sealed sheets stay
    /// where peers may ask for them, and open for nobody here any more.
    async fn complete(&self, mirror: &Mirror, member: MemberId, scrubbed_at: u64) -> Result<(), Problem> {
        let opens = self.store.sealing_keys().await?.iter().any(|key| key.made <= scrubbed_at);
        if opens || self.is_accounted(mirror, member).await? {
            return Ok(());
        }
        // By construction: what is deleted is in no page that was just written.
        self.store.rewrite().await?;
        let at = mirror.now();
        self.no_copy_is_staged()?;
        let statement = eip712::ErasureComplete { memberId: member.0, at: U256::from(at) };
        let signature = eip712::sign(&self.keys.signer, &statement, &self.manifest.committee_domain());
        Ok(self.store.attest_complete(member, at, &signature.map_err(internal)?).await?)
    }

    /// Row key and last rows under a fresh key: that of the last epoch, and of the one before it, from which the last is
    /// computed again where a dispute voids it. There is a fresh key also for a member of whom nothing is here yet: a
    /// steward that was down still has to settle the epochs before the erasure.
    async fn rewrap(&self, member: MemberId) -> Result<Rewrapped, Problem> {
        let (key, wrapped) = self.keys.replacement(member);
        let row_key = self.keys.row_key(&self.store, member).await?;
        let row_key = row_key.map(|row_key| key.wrap_row_key(&row_key, &mut rand::rng()));
        let settled = self.store.settled().await?;
        let mut rows = Vec::new();
        for epoch in [settled, Epoch(settled.0.saturating_sub(1))] {
            let Some(leaf) = self.store.leaf(epoch, member).await? else { continue };
            let row = keys::wrap_row(&key, epoch, &self.row(epoch, &leaf).await?);
            let inputs = self.inputs(epoch, &leaf).await?;
            rows.push((epoch.0, row, inputs.map(|inputs| keys::wrap_inputs(&key, epoch, &inputs))));
        }
        Ok(Rewrapped { key: wrapped, row_key, rows })
    }

    async fn last_row(&self, member: MemberId, settled: Epoch) -> Result<Option<Row>, Problem> {
        match self.store.leaf(settled, member).await? {
            Some(leaf) => Ok(Some(self.row(settled, &leaf).await?)),
            None => Ok(None),
        }
    }

    /// Destroys the rest, but for what the ledger owes.
    async fn close(&self, mirror: &Mirror, member: MemberId, settled: Epoch) -> Result<(), Problem> {
        let row = self.last_row(member, settled).await?.unwrap_or_default();
        // What the step for an erased member reads, see step 2 of the ledger; it sets the rest to zero.
        let owed = Row {
            cash_earned: row.cash_earned,
            cash_streaming: row.cash_streaming,
            data_earned: row.data_earned,
            gov_earned: row.gov_earned,
            data_vesting: row.data_vesting,
            gov_vesting: row.gov_vesting,
            closed: row.closed,
            ..Row::default()
        };
        let owed = serde_json::to_string(&owed).map_err(internal)?;
        let contributions = mirror.latest.contributions.values().filter(|c| c.member == member);
        let records: Vec<ContributionId> = contributions.map(|c| c.id).collect();
        if let Some(known) = mirror.latest.members.get(&member) {
            self.store.forget_offer(known.row_key_digest, known.account).await?;
        }
        let traces = self.store.close_row(member, &records, &owed, mirror.now()).await?;
        Ok(self.store.prove_gone(traces).await?)
    }

    /// Destroys a member's part of what the epochs up to `last`, which closed its row beyond dispute, were computed from. Its leaves stand
    /// for it: everybody else's rows follow from them and from the sums of the headers.
    async fn scrub(&self, mirror: &Mirror, member: MemberId, last: Epoch) -> Result<(), Problem> {
        let copies = self.copies_without(member, last).await?;
        let traces = self.store.scrub(member, &copies, mirror.now()).await?;
        Ok(self.store.prove_gone(traces).await?)
    }

    /// Our signed word that a member's records were destroyed.
    ///
    /// # Errors
    /// Where they were not, or not yet.
    pub async fn erasure_attestation(&self, member: MemberId) -> Result<ErasureAttestation, Problem> {
        let mirror = self.mirror()?;
        let row = self.store.erasure(member).await?.filter(|row| !row.signature.is_empty()).ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, format!("this steward has destroyed nothing of member {member}"))
                .hint("the member's erasure must be final on chain")
        })?;
        Ok(ErasureAttestation {
            member_id: member,
            steward: self.seat(&mirror)?,
            shares: row.shares,
            at: row.at,
            signature: row.signature.into(),
            complete: row.complete.map(|(at, signature)| CompleteErasure { at, signature: signature.into() }),
        })
    }
}
