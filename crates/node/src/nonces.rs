//! Nonces of signed requests: each counts once until its deadline.
//!
//! The store is asked only after a request's signature and its caller's right to the route were checked, so that nobody
//! unknown writes here. It is indexed both ways it is read (by signer and nonce, by deadline), bounded for each signer and in
//! total, and has a file of its own: no other write waits for it. A nonce is on disk when the process ends however it ends;
//! a power cut may forget the last ones (`synchronous = NORMAL`), after which a request caught on the wire could be sent
//! once more until its deadline. What such a request brings is sealed to its signer or takes effect once.

use std::path::Path;

use alloy::primitives::{Address, U256};
use rochdale_api::auth::MAX_LIFETIME;
use rochdale_api::{Problem, ProblemCode};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteSynchronous;

use crate::store::{self, StoreError, int};

/// Most nonces of one signer that are remembered at a time: 5 requests a second for the longest lifetime.
pub const PER_SIGNER: u32 = 18_000;
/// Most nonces of all signers together.
pub const TOTAL: u32 = 1_000_000;
/// Expired nonces that one request clears away: more than it adds, so that the store shrinks again.
const CLEARED: u32 = 64;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS nonces (
        signer   BLOB NOT NULL,
        nonce    BLOB NOT NULL,
        deadline INTEGER NOT NULL,
        PRIMARY KEY (signer, nonce)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS nonces_by_deadline ON nonces (deadline);
    -- How many are remembered, of each signer and, under the empty name, of all.
    CREATE TABLE IF NOT EXISTS counts (signer BLOB PRIMARY KEY, nonces INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TRIGGER IF NOT EXISTS noted AFTER INSERT ON nonces BEGIN
        INSERT INTO counts VALUES (new.signer, 1), (x'', 1) ON CONFLICT DO UPDATE SET nonces = nonces + 1;
    END;
    CREATE TRIGGER IF NOT EXISTS cleared AFTER DELETE ON nonces BEGIN
        UPDATE counts SET nonces = nonces - 1 WHERE signer IN (old.signer, x'');
        DELETE FROM counts WHERE signer = old.signer AND nonces = 0;
    END;
";

/// Why the nonces did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum NoncesError {
    /// The file cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A statement failed.
    #[error("the nonces' database failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// This signer has asked too often.
    #[error("{signer} has {PER_SIGNER} requests whose deadlines have not passed: ask less often")]
    TooMany {
        /// The address that asks too often.
        signer: Address,
    },
    /// Everybody together has.
    #[error("{TOTAL} requests have deadlines that have not passed: no more are taken for now")]
    Full,
}

impl From<NoncesError> for Problem {
    fn from(error: NoncesError) -> Self {
        let code = match error {
            NoncesError::TooMany { .. } | NoncesError::Full => ProblemCode::TooManyRequests,
            NoncesError::Store(_) | NoncesError::Sql(_) => ProblemCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}

/// A handle on the nonces of one process. Clones share it.
#[derive(Clone, Debug)]
pub struct Nonces {
    pool: SqlitePool,
    per_signer: u32,
    total: u32,
}

impl Nonces {
    /// Opens `nonces.db` in `dir`, making both where they are missing.
    ///
    /// # Errors
    /// Where directory or file cannot be opened.
    pub async fn open(dir: &Path) -> Result<Self, NoncesError> {
        Self::bounded(dir, PER_SIGNER, TOTAL).await
    }

    /// Nonces that are forgotten with the process.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn in_memory() -> Result<Self, NoncesError> {
        let path = Path::new("sqlite::memory:");
        let pool = store::connect(path, store::options(path)?.in_memory(true), 1).await?;
        Self::of(pool, PER_SIGNER, TOTAL).await
    }

    async fn bounded(dir: &Path, per_signer: u32, total: u32) -> Result<Self, NoncesError> {
        let path = store::private(dir, "nonces.db")?;
        // What is forgotten here names nobody who is not on chain: it need not be overwritten.
        let options = store::options(&path)?.synchronous(SqliteSynchronous::Normal).pragma("secure_delete", "OFF");
        // One connection: what a transaction counted holds until it ends.
        Self::of(store::connect(&path, options, 1).await?, per_signer, total).await
    }

    async fn of(pool: SqlitePool, per_signer: u32, total: u32) -> Result<Self, NoncesError> {
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self { pool, per_signer, total })
    }

    /// Remembers a nonce until its deadline (seconds of block time); `false` where it is remembered already. Some whose
    /// deadlines passed more than the longest lifetime before `now` are forgotten: block time may move back that far in a
    /// reorganization, not further.
    ///
    /// # Errors
    /// Where too many are remembered, or the database fails.
    pub async fn use_once(&self, signer: Address, nonce: U256, deadline: u64, now: u64) -> Result<bool, NoncesError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(
            "DELETE FROM nonces WHERE (signer, nonce) IN
             (SELECT signer, nonce FROM nonces WHERE deadline < $1 ORDER BY deadline LIMIT $2)",
        )
        .bind(int(now.saturating_sub(MAX_LIFETIME)))
        .bind(i64::from(CLEARED))
        .execute(&mut *tx)
        .await?;
        let counts: (i64, i64) = sqlx::query_as(
            "SELECT (SELECT coalesce(max(nonces), 0) FROM counts WHERE signer = $1),
                    (SELECT coalesce(max(nonces), 0) FROM counts WHERE signer = x'')",
        )
        .bind(signer.as_slice())
        .fetch_one(&mut *tx)
        .await?;
        let refused = if counts.0 >= i64::from(self.per_signer) {
            Some(NoncesError::TooMany { signer })
        } else {
            (counts.1 >= i64::from(self.total)).then_some(NoncesError::Full)
        };
        if let Some(refused) = refused {
            // What was cleared away stays so.
            tx.commit().await?;
            return Err(refused);
        }
        let done = sqlx::query("INSERT OR IGNORE INTO nonces (signer, nonce, deadline) VALUES ($1, $2, $3)")
            .bind(signer.as_slice())
            .bind(nonce.to_be_bytes::<32>().as_slice())
            .bind(int(deadline))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Closes the database; statements after this fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Address = Address::repeat_byte(1);
    const BEN: Address = Address::repeat_byte(2);

    #[tokio::test]
    async fn a_nonce_counts_once_also_after_a_restart_and_is_forgotten_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let nonces = Nonces::open(dir.path()).await.unwrap();
        let one = U256::ONE;
        assert!(nonces.use_once(ANN, one, 5_000, 4_000).await.unwrap());
        assert!(!nonces.use_once(ANN, one, 5_000, 4_000).await.unwrap());
        assert!(nonces.use_once(BEN, one, 5_000, 4_000).await.unwrap(), "another's is another");
        nonces.close().await;
        let nonces = Nonces::open(dir.path()).await.unwrap();
        assert!(!nonces.use_once(ANN, one, 5_000, 5_000 + MAX_LIFETIME).await.unwrap());
        assert!(nonces.use_once(ANN, one, 5_000, 5_001 + MAX_LIFETIME).await.unwrap());
    }

    /// Issue 7, point 9: one bounded, indexed store, and a share of it for each signer.
    #[tokio::test]
    async fn nobody_fills_it_for_others_and_it_empties_again() {
        let dir = tempfile::tempdir().unwrap();
        let nonces = Nonces::bounded(dir.path(), 3, 5).await.unwrap();
        let mut next = 0u64;
        let mut once = async |signer, now| {
            next += 1;
            nonces.use_once(signer, U256::from(next), now + 10, now).await
        };
        for _ in 0..3 {
            assert!(once(ANN, 1_000).await.unwrap());
        }
        let error = Problem::from(once(ANN, 1_000).await.unwrap_err());
        assert_eq!(error.code, ProblemCode::TooManyRequests);
        for _ in 0..2 {
            assert!(once(BEN, 1_000).await.unwrap());
        }
        assert!(matches!(once(BEN, 1_000).await.unwrap_err(), NoncesError::Full));
        let later = 1_011 + MAX_LIFETIME;
        for _ in 0..3 {
            assert!(once(ANN, later).await.unwrap());
        }
        assert!(matches!(once(ANN, later).await.unwrap_err(), NoncesError::TooMany { .. }));
    }
}
