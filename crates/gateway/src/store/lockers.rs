//! What members' browsers keep here: ciphertext, by versions.

use alloy::primitives::Address;
use rochdale_api::locker::{Locker, LockerRequest};

use super::{Store, StoreError, int, unsigned};

impl Store {
    /// A locker.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn locker(&self, id: Address) -> Result<Option<Locker>, StoreError> {
        let row: Option<(i64, Vec<u8>)> = sqlx::query_as("SELECT version, sealed FROM lockers WHERE id = $1")
            .bind(id.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|(version, sealed)| Locker { version: unsigned(version), sealed: sealed.into() }))
    }

    /// Bytes of all lockers.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn locker_bytes(&self) -> Result<u64, StoreError> {
        let (bytes,): (i64,) =
            sqlx::query_as("SELECT COALESCE(SUM(LENGTH(sealed)), 0) FROM lockers").fetch_one(&self.pool).await?;
        Ok(unsigned(bytes))
    }

    /// Puts the next version in the place of the one that is named; `false` where another one is there. `at` is Unix seconds.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn change_locker(&self, id: Address, change: &LockerRequest, at: u64) -> Result<bool, StoreError> {
        let statement = match change.version {
            0 => "INSERT OR IGNORE INTO lockers (id, version, sealed, changed) VALUES ($1, $2 + 1, $3, $4)",
            _ => "UPDATE lockers SET version = $2 + 1, sealed = $3, changed = $4 WHERE id = $1 AND version = $2",
        };
        let done = sqlx::query(statement)
            .bind(id.as_slice())
            .bind(int(change.version))
            .bind(change.sealed.as_ref())
            .bind(int(at))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
