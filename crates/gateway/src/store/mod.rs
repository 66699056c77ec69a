//! The gateway's own database: SQLite with migrations. It holds what the chain said, the queue of contributions,
//! nonces, signed polls, members' lockers and a log of transactions; never a share or a plaintext.

mod blobs;
mod house;
mod index;
mod lockers;
mod polls;
mod proposals;
mod queue;
mod sizes;

use std::path::Path;

use rochdale_api::member::Mined;
use rochdale_node::store::{self, from_json, hash_of, int, to_json};
use sqlx::SqlitePool;

pub use rochdale_node::store::StoreError;

pub use index::IndexStore;
pub use polls::{Kept, Most};
pub use queue::{Holder, NewContribution, Recorded, StoredContribution};

/// How the database came to be as it is.
const STEPS: &[store::Step] = &[
    (1, "start", include_str!("../../migrations/0001_start.sql")),
    (2, "polls", include_str!("../../migrations/0002_polls.sql")),
    (9, "claims", include_str!("../../migrations/0009_claims.sql")),
    (10, "errands", include_str!("../../migrations/0010_errands.sql")),
    (11, "reconcile", include_str!("../../migrations/0011_reconcile.sql")),
    (12, "lockers", include_str!("../../migrations/0012_lockers.sql")),
    (13, "proposals", include_str!("../../migrations/0013_proposals.sql")),
    (14, "acts", include_str!("../../migrations/0014_acts.sql")),
];

/// The database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database in `dir`, making or migrating it where needed.
    ///
    /// # Errors
    /// Where the file cannot be opened or was written by a newer version.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { pool: store::open(dir, "gateway.db", STEPS, 4).await? })
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
        .bind(int(items as u64))
        .bind(int(mined.block))
        .bind(int(mined.gas_used))
        .bind(int(at))
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acts::{Place, act};
    use alloy::primitives::B256;
    use rochdale_chain::client::BlockRef;
    use rochdale_chain::events::{Event, Located, Store as _};
    use rochdale_core::ids::MemberId;
    use rochdale_core::money::MicroUsdc;
    use rochdale_node::mirror::History as _;

    #[tokio::test]
    async fn a_database_from_before_the_houses_were_followed_reads_the_chain_again_and_keeps_what_was_final() {
        let dir = tempfile::tempdir().unwrap();
        let before = STEPS.iter().take_while(|(number, ..)| *number < 13).copied().collect::<Vec<_>>();
        let pool = store::open(dir.path(), "gateway.db", &before, 1).await.unwrap();
        let block = BlockRef { number: 9, hash: B256::repeat_byte(9), parent: B256::repeat_byte(8), timestamp: 90 };
        let mut old = IndexStore(Store { pool });
        old.apply(&block, &[]).await.unwrap();
        old.keep_final(&block).await.unwrap();
        let event = "INSERT INTO events (block, log_index, kind, body) VALUES (9, 0, 'left', '{}')";
        sqlx::query(event).execute(&old.0.pool).await.unwrap();
        old.0.close().await;

        let new = IndexStore(Store::open(dir.path()).await.unwrap());
        assert_eq!(new.recent(1).await.unwrap(), []);
        assert_eq!(new.events_between(0, 100).await.unwrap(), []);
        assert_eq!(new.known_final().await.unwrap(), Some(block));
    }

    #[tokio::test]
    async fn acts_are_read_page_by_page_each_once_and_nothing_else_among_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = IndexStore(Store::open(dir.path()).await.unwrap());
        let event = |block: &BlockRef, log_index: u64, event| Located {
            block_number: block.number,
            block_hash: block.hash,
            timestamp: block.timestamp,
            log_index,
            transaction: B256::ZERO,
            event,
        };
        for number in 1..=9 {
            let block = BlockRef { number, hash: B256::ZERO, parent: B256::ZERO, timestamp: number };
            let given = |n| Event::Spent { bucket: 1, amount: MicroUsdc(u128::from(number * 10 + n)) };
            let all: Vec<Located> = (0..5)
                .flat_map(|n| {
                    [event(&block, 2 * n, Event::Left { member: MemberId(1) }), event(&block, 2 * n + 1, given(n))]
                })
                .collect();
            index.apply(&block, &all).await.unwrap();
        }
        let (mut place, mut told) = (Place::END, Vec::new());
        loop {
            let page = index.0.acts_before(place, 7).await.unwrap();
            let Some(last) = page.last() else { break };
            place = Place::of(last);
            told.extend(page.iter().map(|located| act(located).unwrap().amount.unwrap()));
        }
        let wanted: Vec<String> =
            (1..=9u64).rev().flat_map(|number| (0..5).rev().map(move |n| (number * 10 + n).to_string())).collect();
        assert_eq!(told, wanted);
    }
}
