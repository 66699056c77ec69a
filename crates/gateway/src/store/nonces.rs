//! Nonces of signed requests, refused a second time until their deadline.

use alloy::primitives::{Address, U256};

use super::{Store, StoreError, bytes_of, signed};

impl Store {
    /// Remembers a nonce until its deadline (seconds of block time); `false` where it was there.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn use_nonce(&self, signer: Address, nonce: U256, deadline: u64) -> Result<bool, StoreError> {
        let done = sqlx::query("INSERT OR IGNORE INTO nonces (signer, nonce, deadline) VALUES ($1, $2, $3)")
            .bind(bytes_of(&signer))
            .bind(nonce.to_be_bytes::<32>().to_vec())
            .bind(signed(deadline))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets nonces whose deadline passed more than a day before `now`: the local chain may move back in a
    /// reorganization, never that far.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_nonces(&self, now: u64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM nonces WHERE deadline < $1")
            .bind(signed(now.saturating_sub(86_400)))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
