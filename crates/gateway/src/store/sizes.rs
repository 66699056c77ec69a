//! Published sizes, day by day: stewards tell only the newest ones.

use std::collections::BTreeMap;

use rochdale_core::ids::DatasetId;

use super::{Store, StoreError, int, unsigned};

impl Store {
    /// Keeps what was seen on a day; what was seen earlier on it gives way.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn see_sizes(&self, day: u32, sizes: &BTreeMap<DatasetId, u64>) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        for (dataset, members) in sizes {
            sqlx::query("INSERT OR REPLACE INTO sizes_seen (day, dataset, members) VALUES ($1, $2, $3)")
                .bind(day)
                .bind(dataset.0)
                .bind(int(*members))
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// What was seen from one day to another, both included.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sizes_seen(
        &self,
        first: u32,
        last: u32,
    ) -> Result<BTreeMap<u32, BTreeMap<DatasetId, u64>>, StoreError> {
        let rows: Vec<(u32, u32, i64)> =
            sqlx::query_as("SELECT day, dataset, members FROM sizes_seen WHERE day BETWEEN $1 AND $2")
                .bind(first)
                .bind(last)
                .fetch_all(&self.pool)
                .await?;
        let mut days = BTreeMap::<u32, BTreeMap<DatasetId, u64>>::new();
        for (day, dataset, members) in rows {
            days.entry(day).or_default().insert(DatasetId(dataset), unsigned(members));
        }
        Ok(days)
    }
}
