//! How every service keeps what it knows: SQLite in one file that its owner alone reads, static SQL, migrations embedded.
//!
//! Every write is durable when its statement returns (`synchronous = FULL`): what was promised or signed may leave the process
//! after that, never before. Deleted pages are overwritten (`secure_delete`), and [`checkpoint`] empties the write-ahead log.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use alloy::primitives::{Address, B256};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::BlockRef;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Row as _, SqlSafeStr as _, SqliteConnection, SqlitePool};

/// How long a statement waits for another's lock.
const BUSY: Duration = Duration::from_secs(10);

/// Pages of the write-ahead log after which they move into the database: what an idle service writes each block stays bounded by it.
const LOG_PAGES: &str = "256";
/// Bytes that the log keeps on the disk once they did.
const LOG_BYTES: &str = "1048576";

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
    /// Directory or file cannot be made.
    #[error("{path}: {source}; check data_dir")]
    File {
        /// The path at fault.
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
        "the database is damaged: {what}: {detail}; restore it from a backup, or start anew with an empty data_dir"
    )]
    Damaged {
        /// The value that does not read.
        what: &'static str,
        /// What is wrong.
        detail: String,
    },
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(ProblemCode::Internal, error.to_string())
    }
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A step of a schema: its number, its name, its SQL.
pub type Step = (i64, &'static str, &'static str);

/// Opens the database `name` in `dir`, makes both where they are missing, and brings it to this version. With one connection
/// writers never wait for each other inside a transaction, and what was read holds until it is written.
///
/// # Errors
/// Where directory or file cannot be opened, or another version wrote it.
pub async fn open(dir: &Path, name: &str, steps: &[Step], connections: u32) -> Result<SqlitePool> {
    let path = private(dir, name)?;
    let pool = connect(&path, options(&path)?, connections).await?;
    let step = |(version, name, sql): &Step| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let migrator = Migrator::with_migrations(steps.iter().map(step).collect());
    migrator.run(&pool).await.map_err(|source| StoreError::Migration { path, source })?;
    Ok(pool)
}

/// Makes the file `name` in `dir`, which its owner alone reads, where it is missing. The log beside it gets its mode.
pub(crate) fn private(dir: &Path, name: &str) -> Result<PathBuf> {
    std::fs::create_dir_all(dir).map_err(|source| StoreError::File { path: dir.to_owned(), source })?;
    let path = dir.join(name);
    // One that is there is not opened: closing it would drop the locks of whoever has it open in this process.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(_) => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(path),
        Err(source) => Err(StoreError::File { path, source }),
    }
}

/// Opens an existing database to read only.
///
/// # Errors
/// Where there is none.
pub async fn open_read_only(dir: &Path, name: &str) -> Result<SqlitePool> {
    let path = dir.join(name);
    connect(&path, options(&path)?.read_only(true), 1).await
}

pub(crate) async fn connect(path: &Path, options: SqliteConnectOptions, connections: u32) -> Result<SqlitePool> {
    let pool = SqlitePoolOptions::new().max_connections(connections).connect_with(options).await;
    pool.map_err(|source| StoreError::Open { path: path.to_owned(), source })
}

pub(crate) fn options(path: &Path) -> Result<SqliteConnectOptions> {
    let opened = SqliteConnectOptions::from_str("sqlite::memory:");
    let options = opened.map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
    Ok(options
        .filename(path)
        .in_memory(false)
        .shared_cache(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("wal_autocheckpoint", LOG_PAGES)
        .pragma("journal_size_limit", LOG_BYTES)
        .foreign_keys(true)
        .busy_timeout(BUSY))
}

/// Moves the write-ahead log into the database and empties it.
///
/// # Errors
/// [`StoreError::Occupied`] where another connection holds it open.
pub async fn checkpoint(pool: &SqlitePool) -> Result<()> {
    let mut connection = pool.acquire().await?;
    // It does not wait for others as long as a statement does.
    sqlx::query("PRAGMA busy_timeout = 250").fetch_all(&mut *connection).await?;
    let done: std::result::Result<(i64, i64, i64), _> =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
    sqlx::query("PRAGMA busy_timeout = 10000").fetch_all(&mut *connection).await?;
    match done? {
        (0, _, _) => Ok(()),
        _ => Err(StoreError::Occupied),
    }
}

/// The newest blocks that were read, newest first, of the tables `blocks` and `known_final` that every follower has.
///
/// # Errors
/// Where the database fails.
pub async fn recent_blocks(pool: &SqlitePool, limit: usize) -> Result<Vec<BlockRef>> {
    let rows = sqlx::query("SELECT number, hash, parent, timestamp FROM blocks ORDER BY number DESC LIMIT $1")
        .bind(int(limit as u64))
        .fetch_all(pool)
        .await?;
    rows.iter().map(block).collect()
}

/// Remembers a block that was read.
///
/// # Errors
/// Where the database fails.
pub async fn put_block(connection: &mut SqliteConnection, block: &BlockRef) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO blocks (number, hash, parent, timestamp) VALUES ($1, $2, $3, $4)")
        .bind(int(block.number))
        .bind(block.hash.as_slice())
        .bind(block.parent.as_slice())
        .bind(int(block.timestamp))
        .execute(connection)
        .await?;
    Ok(())
}

/// The newest block that was known to be final.
///
/// # Errors
/// Where the database fails.
pub async fn known_final(pool: &SqlitePool) -> Result<Option<BlockRef>> {
    let query = sqlx::query("SELECT number, hash, parent, timestamp FROM known_final");
    query.fetch_optional(pool).await?.as_ref().map(block).transpose()
}

/// Remembers it.
///
/// # Errors
/// Where the database fails.
pub async fn keep_final(pool: &SqlitePool, block: &BlockRef) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO known_final (id, number, hash, parent, timestamp) VALUES (0, $1, $2, $3, $4)")
        .bind(int(block.number))
        .bind(block.hash.as_slice())
        .bind(block.parent.as_slice())
        .bind(int(block.timestamp))
        .execute(pool)
        .await?;
    Ok(())
}

fn block(row: &SqliteRow) -> Result<BlockRef> {
    Ok(BlockRef {
        number: get(row, "number")?,
        hash: hash(row, "hash")?,
        parent: hash(row, "parent")?,
        timestamp: get(row, "timestamp")?,
    })
}

/// SQLite's integers are signed; ours stay far below 2^63.
#[must_use]
pub fn int(value: impl Into<u64>) -> i64 {
    i64::try_from(value.into()).unwrap_or(i64::MAX)
}

/// What is wrong with a value.
pub fn damaged(what: &'static str, detail: impl ToString) -> StoreError {
    StoreError::Damaged { what, detail: detail.to_string() }
}

/// An integer column as the type it was written from.
///
/// # Errors
/// Where it is none.
pub fn get<T: TryFrom<i64>>(row: &SqliteRow, column: &'static str) -> Result<T> {
    let value: i64 = row.try_get(column)?;
    T::try_from(value).map_err(|_| damaged(column, value))
}

/// A column of bytes.
///
/// # Errors
/// Where it holds none.
pub fn bytes(row: &SqliteRow, column: &'static str) -> Result<Vec<u8>> {
    Ok(row.try_get(column)?)
}

/// A column of 32 bytes.
///
/// # Errors
/// Where it holds others.
pub fn hash(row: &SqliteRow, column: &'static str) -> Result<B256> {
    hash_of(&bytes(row, column)?, column)
}

/// Bytes of a row as a hash.
///
/// # Errors
/// Where they are not 32.
pub fn hash_of(bytes: &[u8], what: &'static str) -> Result<B256> {
    B256::try_from(bytes).map_err(|error| damaged(what, error))
}

/// A column of 20 bytes.
///
/// # Errors
/// Where it holds others.
pub fn address(row: &SqliteRow, column: &'static str) -> Result<Address> {
    let value: Vec<u8> = row.try_get(column)?;
    Address::try_from(value.as_slice()).map_err(|error| damaged(column, error))
}

/// A column of 16 bytes, big-endian.
///
/// # Errors
/// Where it holds others.
pub fn amount(row: &SqliteRow, column: &'static str) -> Result<u128> {
    let value: [u8; 16] = bytes(row, column)?.try_into().map_err(|_| damaged(column, "not 16 bytes"))?;
    Ok(u128::from_be_bytes(value))
}

/// What was written as JSON.
///
/// # Errors
/// Where it does not read.
pub fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| damaged(what, error))
}

/// As it is written.
///
/// # Errors
/// Where it has no JSON form.
pub fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| damaged(what, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const STEPS: [Step; 1] = [(1, "first", "CREATE TABLE kept (value INTEGER NOT NULL) STRICT")];

    #[tokio::test]
    async fn its_owner_alone_reads_what_is_kept_and_an_older_program_does_not_open_it() {
        let dir = tempfile::tempdir().unwrap();
        let pool = open(dir.path(), "a.db", &STEPS, 1).await.unwrap();
        sqlx::query("INSERT INTO kept VALUES (7)").execute(&pool).await.unwrap();
        for name in ["a.db", "a.db-wal", "a.db-shm"] {
            let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        checkpoint(&pool).await.unwrap();
        assert_eq!(std::fs::metadata(dir.path().join("a.db-wal")).unwrap().len(), 0);
        pool.close().await;
        let error = open(dir.path(), "a.db", &[], 1).await.unwrap_err();
        assert!(matches!(error, StoreError::Migration { .. }), "{error}");
        assert!(open_read_only(dir.path(), "b.db").await.is_err());
    }

    /// Issue 10, point 7: an idle service notes each block, for months.
    #[tokio::test]
    async fn the_log_stays_small_however_often_something_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let pool = open(dir.path(), "a.db", &STEPS, 1).await.unwrap();
        let log = || std::fs::metadata(dir.path().join("a.db-wal")).unwrap().len();
        let write = async |rows: i64, statement: &str| {
            for value in 0..rows {
                sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).bind(value).execute(&pool).await.unwrap();
            }
        };
        write(1_000, "INSERT INTO kept VALUES ($1)").await;
        assert!(log() < 1_200_000, "{}", log());
        // One that is large once becomes small again.
        write(1, "WITH RECURSIVE n(i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) INSERT INTO kept SELECT i FROM n").await;
        assert!(log() > 4_000_000, "{}", log());
        write(2, "INSERT INTO kept VALUES ($1)").await;
        assert!(log() < 1_200_000, "{}", log());
    }
}
