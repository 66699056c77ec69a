//! The worker's database: SQLite, static SQL, migrations embedded.
//!
//! Every write is durable when its method returns (`synchronous = FULL`): a request may leave the process after that,
//! never before.

mod jobs;

use std::path::Path;

use rochdale_node::store::{self, damaged, get, hash, int, to_json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

pub use jobs::{Answer, Job, JobState};
pub use rochdale_node::store::{Result, StoreError};

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
        let steps = [(1, "worker", include_str!("../../migrations/0001_worker.sql"))];
        Ok(Self { pool: store::open(dir, "worker.db", &steps, 1).await? })
    }

    /// Closes the database; statements after this fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn from_json<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &'static str) -> Result<T> {
    store::from_json(column, row.try_get(column)?)
}
