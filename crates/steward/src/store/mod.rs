//! The steward's database: SQLite, static SQL, migrations embedded.
//!
//! What is secret is wrapped before it comes here ([`crate::keys`]); deleted pages are overwritten (`secure_delete`),
//! [`Store::checkpoint`] empties the write-ahead log, and [`Store::prove_gone`] searches the files for what was deleted. Every write is durable when its
//! method returns (`synchronous = FULL`): a signature may leave the process after that, never before.

mod awards;
mod custody;
mod debits;
mod denials;
mod erasure;
mod events;
mod folded;
mod halts;
mod offers;
mod openings;
mod reshares;
mod rows;
mod scores;
mod sealing;
mod settlement;
mod sizes;
mod traces;

use std::path::{Path, PathBuf};

use rochdale_node::store::{self, Step, address, amount, bytes, damaged, from_json, get, hash, int, to_json};
use sqlx::SqlitePool;

pub use rochdale_node::store::{Result, StoreError};

pub use custody::{ContributionRow, WrappedKeys};
pub use debits::{DebitRow, SnapshotRow};
pub use erasure::{ErasureRow, Rewrapped};
pub use events::EventStore;
pub use folded::{Fold, FoldedRow};
pub use halts::Halt;
pub use offers::OfferRow;
pub use reshares::{RedealtRow, ReshareRow};
pub use rows::LeafRow;
pub use scores::ScoreRow;
pub use sealing::SealingRow;
pub use settlement::{CopyRow, EpochRow};

const FILE: &str = "steward.db";

const STEPS: &[Step] = &[
    (1, "steward", include_str!("../../migrations/0001_steward.sql")),
    (2, "awards", include_str!("../../migrations/0002_awards.sql")),
    (3, "halts", include_str!("../../migrations/0003_halts.sql")),
    (4, "copies", include_str!("../../migrations/0004_copies.sql")),
    (9, "known_final", include_str!("../../migrations/0009_known_final.sql")),
    (10, "openings", include_str!("../../migrations/0010_openings.sql")),
    (11, "sealing keys", include_str!("../../migrations/0011_sealing_keys.sql")),
    (12, "debits", include_str!("../../migrations/0012_debits.sql")),
    (13, "retention", include_str!("../../migrations/0013_retention.sql")),
    (20, "sizes", include_str!("../../migrations/0020_sizes.sql")),
    (21, "folded", include_str!("../../migrations/0021_folded.sql")),
    (30, "settled inputs", include_str!("../../migrations/0030_settled_inputs.sql")),
    (31, "orders", include_str!("../../migrations/0031_orders.sql")),
    (32, "pages", include_str!("../../migrations/0032_pages.sql")),
    (33, "two scores", include_str!("../../migrations/0033_two_scores.sql")),
    (34, "resharing", include_str!("../../migrations/0034_resharing.sql")),
    (35, "questions", include_str!("../../migrations/0035_questions.sql")),
    (36, "denials", include_str!("../../migrations/0036_denials.sql")),
];

/// A handle on the database. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    path: PathBuf,
    entered: scores::EnteredIds,
}

impl Store {
    /// Opens the database in `dir`, makes it where there is none, and brings it to this version.
    ///
    /// # Errors
    /// Where directory or file cannot be opened, or another version wrote it.
    pub async fn open(dir: &Path) -> Result<Self> {
        let pool = store::open(dir, FILE, STEPS, 1).await?;
        Ok(Self { pool, path: dir.join(FILE), entered: scores::EnteredIds::default() })
    }

    /// Opens an existing database to read only.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn open_read_only(dir: &Path) -> Result<Self> {
        Ok(Self {
            pool: store::open_read_only(dir, FILE).await?,
            path: dir.join(FILE),
            entered: scores::EnteredIds::default(),
        })
    }

    /// Closes the database; statements after this fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
