//! What is kept of members, wrapped.

use std::collections::BTreeSet;
use std::str::Split;

use alloy::primitives::B256;
use rochdale_core::ids::MemberId;
use rochdale_crypto::keystore::{WrappedKey, wrapped_key};
use sqlx::Row as _;
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

/// Members whose keys are read by one statement.
const PAGE: u32 = 4096;

/// Everybody's wrapped keys, by ascending id.
#[derive(Clone, Debug, Default)]
pub struct WrappedKeys(Vec<(MemberId, WrappedKey)>);

impl WrappedKeys {
    /// A member's.
    #[must_use]
    pub fn get(&self, member: MemberId) -> Option<&WrappedKey> {
        // Ids count up from 1: where nobody's is missing, a key stands at its member's own number.
        let guess = self.0.get((member.0 as usize).wrapping_sub(1)).filter(|(id, _)| *id == member);
        let found = || self.0.binary_search_by_key(&member, |(id, _)| *id).ok().map(|at| &self.0[at]);
        guess.or_else(found).map(|(_, key)| key)
    }
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
    pub async fn row_keys(&self) -> Result<Vec<(MemberId, WrappedKey, WrappedKey)>> {
        let sql = "SELECT group_concat(k.member_id || ':' || hex(k.wrapped) || ':' || hex(r.wrapped)) AS page
                   FROM member_keys k JOIN row_keys r USING (member_id) WHERE k.member_id BETWEEN $1 AND $2";
        let mut keys =
            self.pages(sql, |id, keys| Some((id, wrapped_key(keys.next()?)?, wrapped_key(keys.next()?)?))).await?;
        keys.sort_unstable_by_key(|(id, ..)| *id);
        Ok(keys)
    }

    /// Every member's wrapped key.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn member_keys(&self) -> Result<WrappedKeys> {
        let sql = "SELECT group_concat(member_id || ':' || hex(wrapped)) AS page FROM member_keys WHERE member_id BETWEEN $1 AND $2";
        let mut keys = self.pages(sql, |id, keys| Some((id, wrapped_key(keys.next()?)?))).await?;
        keys.sort_unstable_by_key(|(id, _)| *id);
        Ok(WrappedKeys(keys))
    }

    /// What `sql` gives of neighbouring members: `id:hex` of each, with commas between. A row for each member costs several times as much, and
    /// every epoch reads everybody's keys. Ranges of ids instead of groups: nothing is sorted, so that nothing of it comes into a temporary file.
    async fn pages<T>(
        &self,
        sql: &'static str,
        read: impl Fn(MemberId, &mut Split<'_, char>) -> Option<T>,
    ) -> Result<Vec<T>> {
        let last = sqlx::query("SELECT COALESCE(MAX(member_id), 0) AS last FROM member_keys").fetch_one(&self.pool);
        let last: u32 = get(&last.await?, "last")?;
        let mut all = Vec::with_capacity(last as usize);
        for first in (1..=last).step_by(PAGE as usize) {
            let range = sqlx::query(sql).bind(i64::from(first)).bind(i64::from(first) + i64::from(PAGE) - 1);
            let row = range.fetch_one(&self.pool).await?;
            let page: Option<&str> = row.try_get("page")?;
            for item in page.into_iter().flat_map(|page| page.split(',')) {
                let mut parts = item.split(':');
                let id = parts.next().and_then(|id| id.parse().ok()).map(MemberId);
                let item = id.and_then(|id| read(id, &mut parts));
                all.push(item.ok_or_else(|| damaged("wrapped keys", "a key has another length than any"))?);
            }
        }
        Ok(all)
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

    /// Keeps a contribution and, where there is one, our share of it with the generation that it was dealt to; what is kept already stands.
    /// `false` where the member's key is gone: then nothing is kept.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_contribution(&self, row: &ContributionRow, share: Option<(u32, &[u8])>) -> Result<bool> {
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
        if let Some((generation, share)) = share {
            let sql =
                "INSERT OR IGNORE INTO shares (commitment, member_id, generation, wrapped) VALUES ($1, $2, $3, $4)";
            sqlx::query(sql)
                .bind(row.commitment.as_slice())
                .bind(member)
                .bind(i64::from(generation))
                .bind(share)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// How many shares of a member are kept.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn share_count(&self, member: MemberId) -> Result<u64> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM
             (SELECT commitment FROM shares WHERE member_id = $1 UNION ALL SELECT commitment FROM reshares WHERE member_id = $1)",
        )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybodys_keys_are_read_at_once_and_each_is_its_members() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let key = |byte: u8| [byte; 60];
        for (id, byte) in [(1, 1), (2, 2), (4, 4), (PAGE + 1, 5)] {
            store.add_member_key(MemberId(id), &key(byte)).await.unwrap();
        }
        for (id, byte) in [(2, 12), (PAGE + 1, 15)] {
            store.put_row_key(MemberId(id), &key(byte)).await.unwrap();
        }
        let keys = store.member_keys().await.unwrap();
        let found = [1, 2, 3, 4, PAGE + 1, 0].map(|id| keys.get(MemberId(id)).map(|key| key[0]));
        assert_eq!(found, [Some(1), Some(2), None, Some(4), Some(5), None]);
        let expected = [(MemberId(2), key(2), key(12)), (MemberId(PAGE + 1), key(5), key(15))];
        assert_eq!(store.row_keys().await.unwrap(), expected);
        store.add_member_key(MemberId(9), &[1; 59]).await.unwrap();
        assert!(store.member_keys().await.is_err(), "a key of another length than any");
    }
}
