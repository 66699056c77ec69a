//! The worker's database: SQLite, static SQL, migrations embedded.
//!
//! Every write is durable when its method returns (`synchronous = FULL`): a request may leave the process after that,
//! never before.

mod jobs;

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use alloy::primitives::B256;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Row as _, SqlSafeStr as _, SqlitePool};

pub use jobs::{Answer, Job, JobState};

/// Why the database did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error("{path}: the database cannot be opened: {source}; check that data_dir exists and is writable")]
    Open {
        /// The path of the file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: sqlx::Error,
    },
    /// The directory cannot be made.
    #[error("{path}: {source}; check data_dir")]
    Directory {
        /// The path of the directory at fault.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// Another version wrote it.
    #[error("{path}: {source}; the database belongs to another version of this program")]
    Migration {
        /// The path of the file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error("the database failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// A value that this program did not write.
    #[error("the database is damaged: {what}: {detail}; restore it from a backup")]
    Damaged {
        /// The value that does not read.
        what: &'static str,
        /// What is wrong.
        detail: String,
    },
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A handle on the database. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database in `dir`, makes it where there is none, and brings it to this version.
    ///
    /// # Errors
    /// Where directory or file cannot be opened, or another version wrote it.
    pub async fn open(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(|source| StoreError::Directory { path: dir.to_owned(), source })?;
        let path = dir.join("worker.db");
        let failed = |source| StoreError::Open { path: path.clone(), source };
        let options = SqliteConnectOptions::from_str("sqlite::memory:")
            .map_err(failed)?
            .filename(&path)
            .in_memory(false)
            .shared_cache(false)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(10));
        // One connection: what was read in a transaction holds until it is written.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(failed)?;
        let first = include_str!("../../migrations/0001_worker.sql").into_sql_str();
        let first = Migration::new(1, "worker".into(), MigrationType::Simple, first, false);
        let migrator = Migrator::with_migrations(vec![first]);
        migrator.run(&pool).await.map_err(|source| StoreError::Migration { path, source })?;
        Ok(Self { pool })
    }

    /// Closes the database; statements after this fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// SQLite's integers are signed; ours stay far below 2^63.
fn int(value: impl Into<u64>) -> i64 {
    i64::try_from(value.into()).unwrap_or(i64::MAX)
}

fn damaged(what: &'static str, detail: impl ToString) -> StoreError {
    StoreError::Damaged { what, detail: detail.to_string() }
}

fn get<T: TryFrom<i64>>(row: &SqliteRow, column: &'static str) -> Result<T> {
    let value: i64 = row.try_get(column)?;
    T::try_from(value).map_err(|_| damaged(column, value))
}

fn hash(row: &SqliteRow, column: &'static str) -> Result<B256> {
    let value: Vec<u8> = row.try_get(column)?;
    B256::try_from(value.as_slice()).map_err(|error| damaged(column, error))
}

fn from_json<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &'static str) -> Result<T> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text).map_err(|error| damaged(column, error))
}

fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| damaged(what, error))
}
