//! What is kept of members, wrapped.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::B256;
use futures_util::TryStreamExt as _;
use rochdale_core::ids::MemberId;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, bytes, damaged, get, hash};

/// A contribution without its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContributionRow {
    /// The commitment of the contribution, as it stands on chain.
    pub commitment: B256,
    /// The member whom it belongs to.
    pub member: MemberId,
    /// The envelope's header.
    pub header: Vec<u8>,
    /// SHA-256 of the blob.
    pub blob_digest: B256,
    /// Seats of the deal.
    pub seats: u8,
    /// Feldman commitments.
    pub points: Vec<B256>,
    /// Hash of all sealed shares.
    pub shares_hash: B256,
    /// Dataset and blinder, wrapped.
    pub wrapped: Vec<u8>,
}

impl Store {
    /// A member's wrapped key.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn member_key(&self, member: MemberId) -> Result<Option<Vec<u8>>> {
        let row = sqlx::query("SELECT wrapped FROM member_keys WHERE member_id = $1")
            .bind(i64::from(member.0))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| bytes(&row, "wrapped")).transpose()
    }

    /// Keeps a member's wrapped key unless there is one, or the member erased everything, and gives the one that is kept.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_member_key(&self, member: MemberId, wrapped: &[u8]) -> Result<Option<Vec<u8>>> {
        sqlx::query(
            "INSERT OR IGNORE INTO member_keys (member_id, wrapped) SELECT $1, $2
             WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE member_id = $1)",
        )
        .bind(i64::from(member.0))
        .bind(wrapped)
        .execute(&self.pool)
        .await?;
        self.member_key(member).await
    }

    /// A member's wrapped row key.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn row_key(&self, member: MemberId) -> Result<Option<Vec<u8>>> {
        let row = sqlx::query("SELECT wrapped FROM row_keys WHERE member_id = $1")
            .bind(i64::from(member.0))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| bytes(&row, "wrapped")).transpose()
    }

    /// Every wrapped row key with the member's wrapped key.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn row_keys(&self) -> Result<Vec<(MemberId, Vec<u8>, Vec<u8>)>> {
        let sql = "SELECT k.member_id, k.wrapped AS member_key, r.wrapped AS row_key FROM member_keys k JOIN row_keys r USING (member_id)
                   ORDER BY k.member_id";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        let keys =
            |row: &SqliteRow| Ok((MemberId(get(row, "member_id")?), bytes(row, "member_key")?, bytes(row, "row_key")?));
        rows.iter().map(keys).collect()
    }

    /// Every member's wrapped key.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn member_keys(&self) -> Result<BTreeMap<MemberId, Vec<u8>>> {
        let mut rows = sqlx::query("SELECT member_id, wrapped FROM member_keys").fetch(&self.pool);
        let mut keys = BTreeMap::new();
        while let Some(row) = rows.try_next().await? {
            keys.insert(MemberId(get(&row, "member_id")?), bytes(&row, "wrapped")?);
        }
        Ok(keys)
    }

    /// Whose row key is here.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn row_key_holders(&self) -> Result<BTreeSet<MemberId>> {
        let sql = "SELECT r.member_id FROM row_keys r JOIN member_keys k USING (member_id)";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        rows.iter().map(|row| get(row, "member_id").map(MemberId)).collect()
    }

    /// Keeps a member's wrapped row key; the first stands.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_row_key(&self, member: MemberId, wrapped: &[u8]) -> Result<()> {
        sqlx::query(
            "INSERT OR IGNORE INTO row_keys (member_id, wrapped) SELECT $1, $2
             WHERE EXISTS (SELECT 1 FROM member_keys WHERE member_id = $1)",
        )
        .bind(i64::from(member.0))
        .bind(wrapped)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A wrapped consent receipt.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn consent(&self, member: MemberId, version: u32) -> Result<Option<Vec<u8>>> {
        let row = sqlx::query("SELECT wrapped FROM consents WHERE member_id = $1 AND version = $2")
            .bind(i64::from(member.0))
            .bind(i64::from(version))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| bytes(&row, "wrapped")).transpose()
    }

    /// Keeps a wrapped consent receipt; the first of a version stands.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_consent(&self, member: MemberId, version: u32, wrapped: &[u8]) -> Result<()> {
        sqlx::query(
            "INSERT OR IGNORE INTO consents (member_id, version, wrapped) SELECT $1, $2, $3
             WHERE EXISTS (SELECT 1 FROM member_keys WHERE member_id = $1)",
        )
        .bind(i64::from(member.0))
        .bind(i64::from(version))
        .bind(wrapped)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A contribution by its commitment.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn contribution(&self, commitment: B256) -> Result<Option<ContributionRow>> {
        let row = sqlx::query("SELECT * FROM contributions WHERE commitment = $1")
            .bind(commitment.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| contribution(&row)).transpose()
    }

    /// All contributions.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn contributions(&self) -> Result<Vec<ContributionRow>> {
        let rows = sqlx::query("SELECT * FROM contributions").fetch_all(&self.pool).await?;
        rows.iter().map(contribution).collect()
    }

    /// Keeps a contribution and, where there is one, our share of it; what is kept already stands.
    /// `false` where the member's key is gone: then nothing is kept.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_contribution(&self, row: &ContributionRow, share: Option<&[u8]>) -> Result<bool> {
        let member = i64::from(row.member.0);
        let mut tx = self.pool.begin().await?;
        let key = sqlx::query("SELECT 1 FROM member_keys WHERE member_id = $1").bind(member);
        if key.fetch_optional(&mut *tx).await?.is_none() {
            return Ok(false);
        }
        let points: Vec<u8> = row.points.iter().flat_map(|point| point.0).collect();
        sqlx::query(
            "INSERT OR IGNORE INTO contributions
             (commitment, member_id, header, blob_digest, seats, points, shares_hash, wrapped)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(row.commitment.as_slice())
        .bind(member)
        .bind(&row.header)
        .bind(row.blob_digest.as_slice())
        .bind(i64::from(row.seats))
        .bind(points)
        .bind(row.shares_hash.as_slice())
        .bind(&row.wrapped)
        .execute(&mut *tx)
        .await?;
        if let Some(share) = share {
            sqlx::query("INSERT OR IGNORE INTO shares (commitment, member_id, wrapped) VALUES ($1, $2, $3)")
                .bind(row.commitment.as_slice())
                .bind(member)
                .bind(share)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Our wrapped share of a contribution.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn share(&self, commitment: B256) -> Result<Option<Vec<u8>>> {
        let row = sqlx::query("SELECT wrapped FROM shares WHERE commitment = $1")
            .bind(commitment.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| bytes(&row, "wrapped")).transpose()
    }

    /// How many shares of a member are kept.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn share_count(&self, member: MemberId) -> Result<u64> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM shares WHERE member_id = $1")
            .bind(i64::from(member.0))
            .fetch_one(&self.pool)
            .await?;
        get(&row, "n")
    }
}

fn contribution(row: &SqliteRow) -> Result<ContributionRow> {
    let points = bytes(row, "points")?;
    if points.len() % 32 != 0 {
        return Err(damaged("points", "not a multiple of 32 bytes"));
    }
    Ok(ContributionRow {
        commitment: hash(row, "commitment")?,
        member: MemberId(get(row, "member_id")?),
        header: bytes(row, "header")?,
        blob_digest: hash(row, "blob_digest")?,
        seats: get(row, "seats")?,
        points: points.chunks_exact(32).map(B256::from_slice).collect(),
        shares_hash: hash(row, "shares_hash")?,
        wrapped: bytes(row, "wrapped")?,
    })
}
