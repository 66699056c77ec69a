//! Which blobs the vault holds, whose they are, and which may go.

use alloy::primitives::B256;
use rochdale_api::contribution::VaultEntry;
use rochdale_core::ids::{ContributionId, MemberId};

use super::{Store, StoreError, hash_of, int, unsigned};

impl Store {
    /// Notes an upload at `at` (wall clock, seconds); again where it is known, so that it is kept as long as a new one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn note_blob(&self, digest: B256, bytes: u64, at: u64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO blobs (digest, bytes, put_at) VALUES ($1, $2, $3)
             ON CONFLICT (digest) DO UPDATE SET put_at = excluded.put_at",
        )
        .bind(digest.as_slice())
        .bind(int(bytes))
        .bind(int(at))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The length of a blob in bytes, `None` where it is not held.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn blob_bytes(&self, digest: B256) -> Result<Option<u64>, StoreError> {
        let found: Option<(i64,)> = sqlx::query_as("SELECT bytes FROM blobs WHERE digest = $1")
            .bind(digest.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.map(|(bytes,)| unsigned(bytes)))
    }

    /// Whose blob it is: the members whose packages name it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn blob_members(&self, digest: B256) -> Result<Vec<MemberId>, StoreError> {
        let rows: Vec<(u32,)> = sqlx::query_as("SELECT DISTINCT member FROM contributions WHERE blob = $1")
            .bind(digest.as_slice())
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|(member,)| MemberId(member)).collect())
    }

    /// Blobs of recorded contributions above an id, in their order, at most `limit`; none whose member had everything erased.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn recorded_blobs(&self, after: ContributionId, limit: u32) -> Result<Vec<VaultEntry>, StoreError> {
        let rows: Vec<(i64, Vec<u8>, i64)> = sqlx::query_as(
            "SELECT c.contribution_id, c.blob, b.bytes FROM contributions c JOIN blobs b ON b.digest = c.blob
             WHERE c.state = 'recorded' AND c.contribution_id > $1
             AND NOT EXISTS (SELECT 1 FROM events e WHERE e.kind = 'erased' AND e.member = c.member) ORDER BY c.contribution_id LIMIT $2",
        )
        .bind(int(after.0))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let entry = |(id, digest, bytes): (i64, Vec<u8>, i64)| {
            let blob_digest = hash_of(&digest, "a blob's digest")?;
            Ok(VaultEntry { contribution_id: ContributionId(unsigned(id)), blob_digest, bytes: unsigned(bytes) })
        };
        rows.into_iter().map(entry).collect()
    }

    /// How many recorded contributions there are, and the highest id.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn recorded_count(&self) -> Result<(u64, ContributionId), StoreError> {
        let (count, last): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), coalesce(MAX(contribution_id), 0) FROM contributions WHERE state = 'recorded'",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((unsigned(count), ContributionId(unsigned(last))))
    }

    /// Whether [`Self::recorded_blobs`] has this contribution.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn is_recorded(&self, id: ContributionId) -> Result<bool, StoreError> {
        let before = ContributionId(id.0.saturating_sub(1));
        Ok(self.recorded_blobs(before, 1).await?.first().is_some_and(|entry| entry.contribution_id == id))
    }

    /// Blobs that no package names, uploaded before `before` (wall clock, seconds).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn unreferenced_blobs(&self, before: u64) -> Result<Vec<B256>, StoreError> {
        self.digests(
            "SELECT digest FROM blobs b WHERE put_at < $1
             AND NOT EXISTS (SELECT 1 FROM contributions c WHERE c.blob = b.digest)",
            int(before),
        )
        .await
    }

    /// Bytes of the blobs that no package names.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn unreferenced_bytes(&self) -> Result<u64, StoreError> {
        let sum: (i64,) = sqlx::query_as(
            "SELECT coalesce(sum(bytes), 0) FROM blobs b
             WHERE NOT EXISTS (SELECT 1 FROM contributions c WHERE c.blob = b.digest)",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(unsigned(sum.0))
    }

    /// Forgets a blob unless a package has named it since; `false` then.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_unreferenced(&self, digest: B256) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "DELETE FROM blobs WHERE digest = $1 AND NOT EXISTS (SELECT 1 FROM contributions c WHERE c.blob = $1)",
        )
        .bind(digest.as_slice())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Blobs of members who had everything erased.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn blobs_to_erase(&self) -> Result<Vec<B256>, StoreError> {
        self.digests(
            "SELECT DISTINCT c.blob FROM contributions c
             WHERE c.id > $1 AND EXISTS (SELECT 1 FROM events e WHERE e.kind = 'erased' AND e.member = c.member)",
            0,
        )
        .await
    }

    /// Forgets an erased blob with the packages that named it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_blob(&self, digest: B256) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM blobs WHERE digest = $1").bind(digest.as_slice()).execute(&self.pool).await?;
        Ok(())
    }

    async fn digests(&self, sql: &'static str, argument: i64) -> Result<Vec<B256>, StoreError> {
        let rows: Vec<(Vec<u8>,)> = sqlx::query_as(sql).bind(argument).fetch_all(&self.pool).await?;
        rows.iter().map(|(digest,)| hash_of(digest, "a blob's digest")).collect()
    }
}
