//! The chain's events, and the blocks they stand in.

use rochdale_chain::client::BlockRef;
use rochdale_chain::events::{self, Located};
use rochdale_node::mirror::History;
use sqlx::Row as _;

use super::{Result, Store, StoreError, from_json, int, store, to_json};

/// More blocks than a reorganization reaches back, so that the follower finds the common ancestor.
const KEPT: u64 = 256;

/// The follower's side of the store.
#[derive(Clone, Debug)]
pub struct EventStore(pub Store);

impl events::Store for EventStore {
    type Error = StoreError;

    async fn recent(&self, limit: usize) -> Result<Vec<BlockRef>> {
        store::recent_blocks(&self.0.pool, limit).await
    }

    async fn apply(&mut self, block: &BlockRef, events: &[Located]) -> Result<()> {
        let mut tx = self.0.pool.begin().await?;
        for event in events {
            sqlx::query("INSERT INTO events (block_number, log_index, body) VALUES ($1, $2, $3)")
                .bind(int(event.block_number))
                .bind(int(event.log_index))
                .bind(to_json("event", event)?)
                .execute(&mut *tx)
                .await?;
        }
        store::put_block(&mut tx, block).await?;
        sqlx::query("DELETE FROM blocks WHERE number < $1")
            .bind(int(block.number.saturating_sub(KEPT)))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn rollback_to(&mut self, block: Option<&BlockRef>) -> Result<()> {
        let last = block.map_or(-1, |block| int(block.number));
        let mut tx = self.0.pool.begin().await?;
        sqlx::query("DELETE FROM events WHERE block_number > $1").bind(last).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM blocks WHERE number > $1").bind(last).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn known_final(&self) -> Result<Option<BlockRef>> {
        store::known_final(&self.0.pool).await
    }

    async fn keep_final(&mut self, block: &BlockRef) -> Result<()> {
        store::keep_final(&self.0.pool, block).await
    }
}

impl History for EventStore {
    async fn events_between(&self, after: u64, upto: u64) -> Result<Vec<Located>> {
        let wanted =
            "SELECT body FROM events WHERE block_number > $1 AND block_number <= $2 ORDER BY block_number, log_index";
        let rows = sqlx::query(wanted).bind(int(after)).bind(int(upto)).fetch_all(&self.0.pool).await?;
        rows.iter().map(|row| from_json("event", row.try_get(0)?)).collect()
    }
}
