//! The steward's database: SQLite, static SQL, migrations embedded.
//!
//! What is secret is wrapped before it comes here ([`crate::keys`]); deleted pages are overwritten (`secure_delete`),
//! [`Store::checkpoint`] empties the write-ahead log, and [`Store::prove_gone`] searches the files for what was deleted. Every write is durable when its
//! method returns (`synchronous = FULL`): a signature may leave the process after that, never before.

mod awards;
mod custody;
mod debits;
mod erasure;
mod events;
mod folded;
mod halts;
mod offers;
mod openings;
mod scores;
mod sealing;
mod settlement;
mod sizes;
mod traces;

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use alloy::primitives::{Address, B256};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Row as _, SqlSafeStr as _, SqlitePool};

pub use custody::ContributionRow;
pub use debits::{DebitRow, SnapshotRow};
pub use erasure::{ErasureRow, Rewrapped};
pub use events::EventStore;
pub use folded::{Fold, FoldedRow};
pub use halts::Halt;
pub use offers::OfferRow;
pub use scores::ScoreRow;
pub use sealing::SealingRow;
pub use settlement::{CopyRow, EpochRow, LeafRow};

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
    /// What was deleted may still be in the write-ahead log.
    #[error("another process reads the database, so that what was deleted is still in its log: end that process")]
    Occupied,
    /// What was deleted is still there.
    #[error("{path}: what was deleted is still in this file although the database was written anew")]
    Traces {
        /// The path of the file that holds traces.
        path: PathBuf,
    },
    /// The files cannot be searched for what was deleted.
    #[error("the database's files cannot be searched for what was deleted: {detail}")]
    Search {
        /// What is wrong, in words for a person.
        detail: String,
    },
    /// A value that this program did not write.
    #[error(
        "the database is damaged: {what}: {detail}; restore it from a backup, or start anew and catch up from peers"
    )]
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
    path: PathBuf,
}

impl Store {
    /// Opens the database in `dir`, makes it where there is none, and brings it to this version.
    ///
    /// # Errors
    /// Where directory or file cannot be opened, or another version wrote it.
    pub async fn open(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(|source| StoreError::Directory { path: dir.to_owned(), source })?;
        let path = dir.join("steward.db");
        let options = options(&path)?.create_if_missing(true);
        let store = Self::connect(&path, options).await?;
        let migration =
            |version, name: &'static str, sql| Migration::new(version, name.into(), MigrationType::Simple, sql, false);
        let migrator = Migrator::with_migrations(vec![
            migration(1, "steward", include_str!("../../migrations/0001_steward.sql").into_sql_str()),
            migration(2, "awards", include_str!("../../migrations/0002_awards.sql").into_sql_str()),
            migration(3, "halts", include_str!("../../migrations/0003_halts.sql").into_sql_str()),
            migration(4, "copies", include_str!("../../migrations/0004_copies.sql").into_sql_str()),
            migration(9, "known_final", include_str!("../../migrations/0009_known_final.sql").into_sql_str()),
            migration(10, "openings", include_str!("../../migrations/0010_openings.sql").into_sql_str()),
            migration(11, "sealing keys", include_str!("../../migrations/0011_sealing_keys.sql").into_sql_str()),
            migration(12, "debits", include_str!("../../migrations/0012_debits.sql").into_sql_str()),
            migration(13, "retention", include_str!("../../migrations/0013_retention.sql").into_sql_str()),
            migration(20, "sizes", include_str!("../../migrations/0020_sizes.sql").into_sql_str()),
            migration(21, "folded", include_str!("../../migrations/0021_folded.sql").into_sql_str()),
            migration(30, "settled inputs", include_str!("../../migrations/0030_settled_inputs.sql").into_sql_str()),
            migration(31, "orders", include_str!("../../migrations/0031_orders.sql").into_sql_str()),
        ]);
        migrator.run(&store.pool).await.map_err(|source| StoreError::Migration { path, source })?;
        Ok(store)
    }

    /// Opens an existing database to read only.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn open_read_only(dir: &Path) -> Result<Self> {
        let path = dir.join("steward.db");
        let options = options(&path)?.read_only(true);
        Self::connect(&path, options).await
    }

    async fn connect(path: &Path, options: SqliteConnectOptions) -> Result<Self> {
        // One connection: writers never wait for each other inside a transaction, and what was read holds until written.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let pool = pool.map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        Ok(Self { pool, path: path.to_owned() })
    }

    /// Closes the database; statements after this fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn options(path: &Path) -> Result<SqliteConnectOptions> {
    let opened = SqliteConnectOptions::from_str("sqlite::memory:");
    let options = opened.map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
    Ok(options
        .filename(path)
        .in_memory(false)
        .shared_cache(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10)))
}

/// SQLite's integers are signed; ours stay far below 2^63.
fn int(value: impl Into<u64>) -> i64 {
    i64::try_from(value.into()).unwrap_or(i64::MAX)
}

fn damaged(what: &'static str, detail: impl ToString) -> StoreError {
    StoreError::Damaged { what, detail: detail.to_string() }
}

/// An integer column as the type it was written from.
fn get<T: TryFrom<i64>>(row: &SqliteRow, column: &'static str) -> Result<T> {
    let value: i64 = row.try_get(column)?;
    T::try_from(value).map_err(|_| damaged(column, value))
}

fn bytes(row: &SqliteRow, column: &'static str) -> Result<Vec<u8>> {
    Ok(row.try_get(column)?)
}

fn hash(row: &SqliteRow, column: &'static str) -> Result<B256> {
    let value: Vec<u8> = row.try_get(column)?;
    B256::try_from(value.as_slice()).map_err(|error| damaged(column, error))
}

fn address(row: &SqliteRow, column: &'static str) -> Result<Address> {
    let value: Vec<u8> = row.try_get(column)?;
    Address::try_from(value.as_slice()).map_err(|error| damaged(column, error))
}

fn amount(row: &SqliteRow, column: &'static str) -> Result<u128> {
    let value: Vec<u8> = row.try_get(column)?;
    let value: [u8; 16] = value.try_into().map_err(|_| damaged(column, "not 16 bytes"))?;
    Ok(u128::from_be_bytes(value))
}

fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| damaged(what, error))
}

fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| damaged(what, error))
}
