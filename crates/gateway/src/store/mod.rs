//! The gateway's own database: SQLite with migrations. It holds what the chain said, the queue of contributions,
//! nonces, signed polls and a log of transactions; never a share or a plaintext.

mod blobs;
mod house;
mod index;
mod polls;
mod queue;

use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy::primitives::B256;
use rochdale_api::member::Mined;
use rochdale_api::{Problem, ProblemCode};
use sqlx::SqlitePool;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

pub use index::IndexStore;
pub use polls::Kept;
pub use queue::{Holder, NewContribution, Recorded, StoredContribution};

/// How long a statement waits for another's lock.
const BUSY: Duration = Duration::from_secs(10);

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error("the store {path} cannot be opened: {source}; check the directory, its permissions and the disk")]
    Open {
        /// The path of the file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: sqlx::Error,
    },
    /// Its tables are of another version.
    #[error("the store {path} cannot be brought to this version: {source}; was it written by a newer gateway?")]
    Migrate {
        /// The path of the file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error("the store failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// A row that this version did not write.
    #[error(
        "the store holds {what} that does not read: {detail}; restore it or start with an empty data directory, the index is rebuilt from the chain"
    )]
    Damaged {
        /// The kind of row that does not read.
        what: &'static str,
        /// What is wrong, in words for a person.
        detail: String,
    },
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(ProblemCode::Internal, error.to_string())
    }
}

/// The database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database at `path`, making or migrating it where needed.
    ///
    /// # Errors
    /// Where the file cannot be opened or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: path.to_owned(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was answered must outlive a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(failed)?;
        let migration = |version, name: &'static str, sql: &'static str| {
            let sql = sqlx::SqlSafeStr::into_sql_str(sql);
            Migration::new(version, name.into(), MigrationType::Simple, sql, false)
        };
        let migrator = Migrator::with_migrations(vec![
            migration(1, "start", include_str!("../../migrations/0001_start.sql")),
            migration(2, "polls", include_str!("../../migrations/0002_polls.sql")),
            migration(9, "claims", include_str!("../../migrations/0009_claims.sql")),
            migration(10, "errands", include_str!("../../migrations/0010_errands.sql")),
        ]);
        migrator.run(&pool).await.map_err(|source| StoreError::Migrate { path: path.to_owned(), source })?;
        Ok(Self { pool })
    }

    /// Waits for running statements and closes the files.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Remembers a transaction of the relayer; `at` is block time, Unix seconds.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn log_transaction(&self, kind: &str, items: usize, mined: &Mined, at: u64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT OR REPLACE INTO transactions (tx, kind, items, block, gas_used, at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(mined.tx.as_slice())
        .bind(kind)
        .bind(signed(items as u64))
        .bind(signed(mined.block))
        .bind(signed(mined.gas_used))
        .bind(signed(at))
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// SQLite integers are signed; ids, times and block numbers stay far below 2^63.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

fn hash(bytes: &[u8], what: &'static str) -> Result<B256, StoreError> {
    B256::try_from(bytes).map_err(|e| StoreError::Damaged { what, detail: e.to_string() })
}
