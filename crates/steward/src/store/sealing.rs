//! Our own sealing keys, wrapped.

use alloy::primitives::B256;
use sqlx::Row as _;

use super::{Result, Store, bytes, get, hash, int};

/// One of our sealing keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealingRow {
    /// Its public half.
    pub public: B256,
    /// Its secret half, wrapped.
    pub wrapped: Vec<u8>,
    /// When it was drawn or first seen, seconds of block time.
    pub made: u64,
    /// When another one was in force in its place, seconds of block time.
    pub retired: Option<u64>,
}

impl Store {
    /// All of them, the newest first.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn sealing_keys(&self) -> Result<Vec<SealingRow>> {
        let rows = sqlx::query("SELECT * FROM sealing_keys ORDER BY retired IS NOT NULL, made DESC, retired DESC");
        let rows = rows.fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                let retired: Option<i64> = row.try_get("retired")?;
                Ok(SealingRow {
                    public: hash(row, "public")?,
                    wrapped: bytes(row, "wrapped")?,
                    made: get(row, "made")?,
                    retired: retired.map(|at| u64::try_from(at).unwrap_or_default()),
                })
            })
            .collect()
    }

    /// Keeps a key.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_sealing_key(&self, row: &SealingRow) -> Result<()> {
        sqlx::query("INSERT OR IGNORE INTO sealing_keys (public, wrapped, made) VALUES ($1, $2, $3)")
            .bind(row.public.as_slice())
            .bind(&row.wrapped)
            .bind(int(row.made))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes that the keys before `in_force` are replaced as of `at`; the next one may be here already.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn retire_sealing_keys(&self, in_force: B256, at: u64) -> Result<()> {
        sqlx::query(
            "UPDATE sealing_keys SET retired = $2
             WHERE retired IS NULL AND made < (SELECT made FROM sealing_keys WHERE public = $1)",
        )
        .bind(in_force.as_slice())
        .bind(int(at))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Destroys a key.
    ///
    /// # Errors
    /// Where the database fails, or the key's bytes may still be in its files.
    pub async fn destroy_sealing_key(&self, row: &SealingRow) -> Result<()> {
        sqlx::query("DELETE FROM sealing_keys WHERE public = $1")
            .bind(row.public.as_slice())
            .execute(&self.pool)
            .await?;
        self.prove_gone(vec![row.wrapped.clone()]).await
    }
}
