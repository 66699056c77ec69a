//! What the chain said, block by block, and the state it adds up to.

use alloy::primitives::B256;
use rochdale_chain::client::BlockRef;
use rochdale_chain::events::{self, Event, Located};
use rochdale_core::ids::MemberId;
use rochdale_node::mirror::History;
use sqlx::{Sqlite, Transaction};

use crate::acts::{Place, act};

use super::{Store, StoreError, from_json, int, store, to_json};

/// Blocks that are remembered: more than any reorganization that is still one.
const KEPT: i64 = 512;

/// The follower's store.
#[derive(Clone, Debug)]
pub struct IndexStore(pub Store);

impl History for IndexStore {
    async fn events_between(&self, after: u64, upto: u64) -> Result<Vec<Located>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT body FROM events WHERE block > $1 AND block <= $2 ORDER BY block, log_index")
                .bind(int(after))
                .bind(int(upto))
                .fetch_all(&self.0.pool)
                .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }
}

impl events::Store for IndexStore {
    type Error = StoreError;

    async fn recent(&self, limit: usize) -> Result<Vec<BlockRef>, StoreError> {
        store::recent_blocks(&self.0.pool, limit).await
    }

    async fn apply(&mut self, block: &BlockRef, located: &[Located]) -> Result<(), StoreError> {
        let mut tx = self.0.pool.begin().await?;
        store::put_block(&mut tx, block).await?;
        for event in located {
            insert(&mut tx, event).await?;
        }
        if block.number.is_multiple_of(64) {
            sqlx::query(
                "DELETE FROM blocks WHERE number < (SELECT MIN(number) FROM (SELECT number FROM blocks ORDER BY number DESC LIMIT $1))",
            )
            .bind(KEPT)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn rollback_to(&mut self, block: Option<&BlockRef>) -> Result<(), StoreError> {
        let last = block.map_or(-1, |b| int(b.number));
        let mut tx = self.0.pool.begin().await?;
        sqlx::query("DELETE FROM blocks WHERE number > $1").bind(last).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM events WHERE block > $1").bind(last).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn known_final(&self) -> Result<Option<BlockRef>, StoreError> {
        store::known_final(&self.0.pool).await
    }

    async fn keep_final(&mut self, block: &BlockRef) -> Result<(), StoreError> {
        store::keep_final(&self.0.pool, block).await
    }
}

impl Store {
    /// A member's events of these kinds, in order.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn member_events(&self, member: MemberId) -> Result<Vec<Located>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT body FROM events WHERE member = $1 ORDER BY block, log_index")
                .bind(member.0)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }

    /// The events of a kind that are found by `subject` (see [`subject`]), in order.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn events_about(&self, kind: &'static str, about: B256) -> Result<Vec<Located>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT body FROM events WHERE subject = $1 AND kind = $2 ORDER BY block, log_index")
                .bind(about.as_slice())
                .bind(kind)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }

    /// What was done in the cooperative's name before a place in the chain, the newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn acts_before(&self, place: Place, limit: u16) -> Result<Vec<Located>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT body FROM events WHERE is_act = 1 AND (block, log_index) < ($1, $2) ORDER BY block DESC, log_index DESC LIMIT $3",
        )
        .bind(int(place.block))
        .bind(int(place.log_index))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }

    /// The event that recorded a commitment for a member; that another member recorded the same one is none of its.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn recorded(&self, member: MemberId, commitment: B256) -> Result<Option<Located>, StoreError> {
        let found = self.events_about("contribution_recorded", commitment).await?;
        let own = |one: &Located| matches!(one.event, Event::ContributionRecorded { member: of, .. } if of == member);
        Ok(found.into_iter().rfind(own))
    }
}

async fn insert(tx: &mut Transaction<'_, Sqlite>, event: &Located) -> Result<(), StoreError> {
    let body = to_json("an event", event)?;
    let (kind, member, about) = subject(&event.event);
    sqlx::query(
        "INSERT INTO events (block, log_index, kind, member, subject, is_act, body) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
        .bind(int(event.block_number))
        .bind(int(event.log_index))
        .bind(kind)
        .bind(member.map(|m| m.0))
        .bind(about.map(|a| a.to_vec()))
        .bind(act(event).is_some())
        .bind(body)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Kind, member and the hash that an event is found by.
#[must_use]
pub fn subject(event: &Event) -> (&'static str, Option<MemberId>, Option<B256>) {
    match event {
        Event::Joined { member, nullifier, .. } => ("joined", Some(*member), Some(*nullifier)),
        Event::Ended { member } => ("ended", Some(*member), None),
        Event::Left { member } => ("left", Some(*member), None),
        Event::Expelled { member, reason_hash } => ("expelled", Some(*member), Some(*reason_hash)),
        Event::PayoutSet { member, .. } => ("payout_set", Some(*member), None),
        Event::ConsentGranted { member, receipt_commitment, .. } => {
            ("consent_granted", Some(*member), Some(*receipt_commitment))
        }
        Event::ConsentRevoked { member, .. } => ("consent_revoked", Some(*member), None),
        Event::Erased { member } => ("erased", Some(*member), None),
        Event::ContributionRecorded { member, commitment, .. } => {
            ("contribution_recorded", Some(*member), Some(*commitment))
        }
        Event::Seated { .. } => ("seated", None, None),
        Event::SealingKeyRotated { sealing_key, .. } => ("sealing_key_rotated", None, Some(*sealing_key)),
        Event::WorkerRegistered { .. } => ("worker_registered", None, None),
        Event::WorkerRemoved { .. } => ("worker_removed", None, None),
        Event::GatewaySet { .. } => ("gateway_set", None, None),
        Event::Debited { debit, .. } => ("debited", None, Some(debit.order)),
        Event::ReceiptAnchored { order, .. } => ("receipt_anchored", None, Some(*order)),
        Event::Proposed { root, .. } => ("proposed", None, Some(*root)),
        Event::Objected { .. } => ("objected", None, None),
        Event::ObjectionRejected { .. } => ("objection_rejected", None, None),
        Event::Voided { .. } => ("voided", None, None),
        Event::Demanded { member, .. } => ("demanded", Some(*member), None),
        Event::RowPublished { member, .. } => ("row_published", Some(*member), None),
        Event::InputsPublished { member, .. } => ("inputs_published", Some(*member), None),
        Event::SettlementPaused { .. } => ("settlement_paused", None, None),
        Event::ParamsSet { params_hash, .. } => ("params_set", None, Some(*params_hash)),
        Event::ProgramSet { .. } => ("program_set", None, None),
        Event::Claimed { member, .. } => ("claimed", Some(*member), None),
        Event::ClaimSkipped { member } => ("claim_skipped", Some(*member), None),
        Event::DatasetPublished { .. } => ("dataset_published", None, None),
        Event::DatasetClosed { .. } => ("dataset_closed", None, None),
        Event::LicenseIssued { .. } => ("license_issued", None, None),
        Event::LicenseExtended { .. } => ("license_extended", None, None),
        Event::LicenseRevoked { .. } => ("license_revoked", None, None),
        Event::ResearcherApproved { .. } => ("researcher_approved", None, None),
        Event::Booked { .. } => ("booked", None, None),
        Event::SoldForData { .. } => ("sold_for_data", None, None),
        Event::Donated { .. } => ("donated", None, None),
        Event::Spent { .. } => ("spent", None, None),
        Event::ProposalCreated { proposal, .. } => ("proposal_created", None, Some(*proposal)),
        Event::ProposalExtended { proposal, .. } => ("proposal_extended", None, Some(*proposal)),
        Event::ProposalQueued { proposal, .. } => ("proposal_queued", None, Some(*proposal)),
        Event::ProposalExecuted { proposal, .. } => ("proposal_executed", None, Some(*proposal)),
        Event::ProposalCanceled { proposal, .. } => ("proposal_canceled", None, Some(*proposal)),
        Event::VoteCast { proposal, .. } => ("vote_cast", None, Some(*proposal)),
        Event::TimelockDelaySet { .. } => ("timelock_delay_set", None, None),
        Event::Constituted { .. } => ("constituted", None, None),
        Event::CharterApproved { operation, .. } => ("charter_approved", None, Some(*operation)),
        Event::CharterWithdrawn { operation, .. } => ("charter_withdrawn", None, Some(*operation)),
        Event::CharterExecuted { operation } => ("charter_executed", None, Some(*operation)),
        Event::UnitsChanged { .. } => ("units_changed", None, None),
        Event::Delegated { .. } => ("delegated", None, None),
        Event::VotesChanged { .. } => ("votes_changed", None, None),
        Event::ServiceSet { .. } => ("service_set", None, None),
        Event::Paused { .. } => ("paused", None, None),
        Event::Unpaused { .. } => ("unpaused", None, None),
        Event::GuardianSet { .. } => ("guardian_set", None, None),
        Event::StewardSlashed { .. } => ("steward_slashed", None, None),
        Event::ResearcherSlashed { .. } => ("researcher_slashed", None, None),
    }
}

fn parse(body: &str) -> Result<Located, StoreError> {
    from_json("an event", body)
}
