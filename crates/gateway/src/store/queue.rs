//! The queue of contributions: signed by members, held by stewards, waiting for a batch; and what became of them.
//!
//! The chain decides what was recorded: [`Store::reconcile`] follows the index, so that neither a crash between
//! sending and answering nor a reorganization leaves a wrong state behind. Anybody may record any commitment as its own, so a
//! contribution is named by its member and its commitment, never by the commitment alone.

use alloy::primitives::{B256, Bytes};
use rochdale_api::contribution::{ContributionState, ContributionStatus, MissingShare};
use rochdale_api::member::Mined;
use rochdale_core::ids::{ContributionId, MemberId, StewardId};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use super::{Store, StoreError, hash_of, int, unsigned};

/// A contribution as it enters the queue.
#[derive(Clone, Debug)]
pub struct NewContribution {
    /// The commitment of the contribution, as it stands on chain.
    pub commitment: B256,
    /// The member who contributes.
    pub member: MemberId,
    /// The consent it stands under.
    pub consent_version: u32,
    /// The member's contribution nonce.
    pub nonce: u64,
    /// Seconds of block time.
    pub deadline: u64,
    /// EIP-712 over `Contribution`.
    pub signature: Bytes,
    /// SHA-256 of the sealed record.
    pub blob: B256,
}

/// Whether a steward holds its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The steward, by its seat.
    pub steward: StewardId,
    /// Why it does not; `None` where it does.
    pub missing: Option<String>,
}

/// A contribution that was found on chain.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The member whom it belongs to.
    pub member: MemberId,
    /// The commitment of the contribution, as it stands on chain.
    pub commitment: B256,
    /// Its id on chain.
    pub id: ContributionId,
}

/// A row of the queue.
#[derive(Clone, Debug)]
pub struct StoredContribution {
    /// What was signed.
    pub signed: NewContribution,
    /// Where it stands.
    pub state: ContributionState,
    /// Why the contract refused it.
    pub reason: Option<String>,
    /// Its id on chain.
    pub id: Option<ContributionId>,
    /// The batch's transaction.
    pub mined: Option<Mined>,
    /// How many contributions the batch held.
    pub batch: u32,
}

struct Row {
    commitment: Vec<u8>,
    member: u32,
    consent_version: u32,
    nonce: i64,
    deadline: i64,
    signature: Vec<u8>,
    blob: Vec<u8>,
    state: String,
    reason: Option<String>,
    contribution_id: Option<i64>,
    tx: Option<Vec<u8>>,
    block: Option<i64>,
    gas_used: Option<i64>,
    batch: u32,
}

impl<'r> FromRow<'r, SqliteRow> for Row {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            commitment: row.try_get("commitment")?,
            member: row.try_get("member")?,
            consent_version: row.try_get("consent_version")?,
            nonce: row.try_get("nonce")?,
            deadline: row.try_get("deadline")?,
            signature: row.try_get("signature")?,
            blob: row.try_get("blob")?,
            state: row.try_get("state")?,
            reason: row.try_get("reason")?,
            contribution_id: row.try_get("contribution_id")?,
            tx: row.try_get("tx")?,
            block: row.try_get("block")?,
            gas_used: row.try_get("gas_used")?,
            batch: row.try_get("batch")?,
        })
    }
}

impl Row {
    fn read(self) -> Result<StoredContribution, StoreError> {
        let what = "a contribution";
        let state = match self.state.as_str() {
            "queued" => ContributionState::Queued,
            "recorded" => ContributionState::Recorded,
            "refused" => ContributionState::Refused,
            other => return Err(StoreError::Damaged { what, detail: format!("state {other}") }),
        };
        let mined = match (&self.tx, self.block, self.gas_used) {
            (Some(tx), Some(block), Some(gas)) => {
                Some(Mined { tx: hash_of(tx, what)?, block: unsigned(block), gas_used: unsigned(gas) })
            }
            _ => None,
        };
        let signed = NewContribution {
            commitment: hash_of(&self.commitment, what)?,
            member: MemberId(self.member),
            consent_version: self.consent_version,
            nonce: unsigned(self.nonce),
            deadline: unsigned(self.deadline),
            signature: self.signature.into(),
            blob: hash_of(&self.blob, what)?,
        };
        let id = self.contribution_id.map(|id| ContributionId(unsigned(id)));
        Ok(StoredContribution { signed, state, reason: self.reason, id, mined, batch: self.batch })
    }
}

impl Store {
    /// Puts a contribution into the queue, or back into it where it was refused before, and notes who holds shares.
    /// What is queued or recorded already stays so. `false` where the blob is not held (any longer).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn enqueue(&self, new: &NewContribution, holders: &[Holder]) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO contributions (commitment, member, consent_version, nonce, deadline, signature, blob, state)
             SELECT $1, $2, $3, $4, $5, $6, digest, 'queued' FROM blobs WHERE digest = $7
             ON CONFLICT (commitment, member) DO UPDATE SET state = 'queued', reason = NULL, consent_version = excluded.consent_version,
                 nonce = excluded.nonce, deadline = excluded.deadline, signature = excluded.signature
             WHERE contributions.state = 'refused'",
        )
        .bind(new.commitment.as_slice())
        .bind(new.member.0)
        .bind(new.consent_version)
        .bind(int(new.nonce))
        .bind(int(new.deadline))
        .bind(new.signature.to_vec())
        .bind(new.blob.as_slice())
        .execute(&mut *tx)
        .await?;
        let row: Option<(i64,)> = sqlx::query_as("SELECT id FROM contributions WHERE commitment = $1 AND member = $2")
            .bind(new.commitment.as_slice())
            .bind(new.member.0)
            .fetch_optional(&mut *tx)
            .await?;
        let Some((row,)) = row else { return Ok(false) };
        for holder in holders {
            // Who held a share holds it still: a later failure to repeat that takes nothing back.
            sqlx::query(
                "INSERT INTO holders (contribution, steward, reason) VALUES ($1, $2, $3)
                 ON CONFLICT (contribution, steward) DO UPDATE SET reason = excluded.reason WHERE holders.reason IS NOT NULL",
            )
            .bind(row)
            .bind(holder.steward.0)
            .bind(&holder.missing)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// The oldest queued contributions, at most one of each member (a second would be refused by the cooldown).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn queued(&self, limit: usize) -> Result<Vec<StoredContribution>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM contributions WHERE id IN
                 (SELECT MIN(id) FROM contributions WHERE state = 'queued' GROUP BY member) ORDER BY id LIMIT $1",
        )
        .bind(int(limit as u64))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// How many contributions wait.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn queue_length(&self) -> Result<u64, StoreError> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM contributions WHERE state = 'queued'").fetch_one(&self.pool).await?;
        Ok(unsigned(count))
    }

    /// One contribution of a member.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn contribution(
        &self,
        member: MemberId,
        commitment: B256,
    ) -> Result<Option<StoredContribution>, StoreError> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM contributions WHERE commitment = $1 AND member = $2")
            .bind(commitment.as_slice())
            .bind(member.0)
            .fetch_optional(&self.pool)
            .await?;
        row.map(Row::read).transpose()
    }

    /// The members in whose queue a commitment is, in the order in which it came.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn contributors(&self, commitment: B256) -> Result<Vec<MemberId>, StoreError> {
        let rows: Vec<(u32,)> = sqlx::query_as("SELECT member FROM contributions WHERE commitment = $1 ORDER BY id")
            .bind(commitment.as_slice())
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|(member,)| MemberId(member)).collect())
    }

    /// Another contribution of the member that waits with the same nonce: only one of them can be recorded.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn rival(&self, new: &NewContribution) -> Result<Option<B256>, StoreError> {
        let found: Option<(Vec<u8>,)> = sqlx::query_as(
            "SELECT commitment FROM contributions WHERE state = 'queued' AND member = $1 AND nonce = $2 AND commitment <> $3",
        )
        .bind(new.member.0)
        .bind(int(new.nonce))
        .bind(new.commitment.as_slice())
        .fetch_optional(&self.pool)
        .await?;
        found.map(|(commitment,)| hash_of(&commitment, "a contribution")).transpose()
    }

    /// Marks the members of a mined batch.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn mark_recorded(&self, found: &[Recorded], mined: &Mined, batch: usize) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        for one in found {
            sqlx::query(
                "UPDATE contributions SET state = 'recorded', reason = NULL, contribution_id = $2, tx = $3, block = $4,
                 gas_used = $5, batch = $6 WHERE commitment = $1 AND member = $7",
            )
            .bind(one.commitment.as_slice())
            .bind(int(one.id.0))
            .bind(mined.tx.as_slice())
            .bind(int(mined.block))
            .bind(int(mined.gas_used))
            .bind(int(batch as u64))
            .bind(one.member.0)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Marks a contribution that the contract refuses.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn mark_refused(&self, member: MemberId, commitment: B256, reason: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE contributions SET state = 'refused', reason = $2
             WHERE commitment = $1 AND member = $3 AND state = 'queued'",
        )
        .bind(commitment.as_slice())
        .bind(reason)
        .bind(member.0)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Brings the queue in line with the index, which stands at block `cursor`: what was recorded in a block after `after`, up to there, but
    /// is not in the index any more (a reorganization) is queued again; members and commitments that the index holds, though they are not
    /// marked (a crash after sending), are returned for marking.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn reconcile(&self, after: u64, cursor: u64) -> Result<Vec<(MemberId, B256)>, StoreError> {
        sqlx::query(
            "UPDATE contributions SET state = 'queued', contribution_id = NULL, tx = NULL, block = NULL, gas_used = NULL
             WHERE state = 'recorded' AND block > $2 AND block <= $1 AND NOT EXISTS
                 (SELECT 1 FROM events e WHERE e.kind = 'contribution_recorded' AND e.subject = contributions.commitment
                  AND e.member = contributions.member)",
        )
        .bind(int(cursor))
        .bind(int(after))
        .execute(&self.pool)
        .await?;
        // Again in another block after a reorganization: the transaction is the same, its place is not.
        let rows: Vec<(u32, Vec<u8>)> = sqlx::query_as(
            "SELECT c.member, c.commitment FROM contributions c JOIN events e
             ON e.kind = 'contribution_recorded' AND e.subject = c.commitment AND e.member = c.member
             WHERE c.state IN ('queued', 'refused')
             UNION SELECT c.member, c.commitment FROM contributions c JOIN events e
             ON e.kind = 'contribution_recorded' AND e.subject = c.commitment AND e.member = c.member
             WHERE c.state = 'recorded' AND c.block > $2 AND c.block <= $1 AND c.block <> e.block",
        )
        .bind(int(cursor))
        .bind(int(after))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|(member, commitment)| Ok((MemberId(*member), hash_of(commitment, "a contribution")?)))
            .collect()
    }

    /// Where a member's contribution stands, as the API shows it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn contribution_status(
        &self,
        member: MemberId,
        commitment: B256,
    ) -> Result<Option<ContributionStatus>, StoreError> {
        let Some(found) = self.contribution(member, commitment).await? else { return Ok(None) };
        let holders: Vec<(u8, Option<String>)> = sqlx::query_as(
            "SELECT h.steward, h.reason FROM holders h JOIN contributions c ON c.id = h.contribution
             WHERE c.commitment = $1 AND c.member = $2 ORDER BY h.steward",
        )
        .bind(commitment.as_slice())
        .bind(member.0)
        .fetch_all(&self.pool)
        .await?;
        let mut status = ContributionStatus {
            commitment,
            state: found.state,
            held_by: Vec::new(),
            missing: Vec::new(),
            contribution_id: found.id,
            mined: found.mined,
            batch: found.batch,
            reason: found.reason,
        };
        for (steward, reason) in holders {
            match reason {
                None => status.held_by.push(StewardId(steward)),
                Some(reason) => status.missing.push(MissingShare { steward: StewardId(steward), reason }),
            }
        }
        Ok(Some(status))
    }
}
