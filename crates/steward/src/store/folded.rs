//! Debits that were added up by member, in the place of their snapshots.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use rochdale_core::ids::MemberId;

use super::{Result, Store, get, int};

/// Debits added up by member.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoldedRow {
    /// The last of them, 0 for none.
    pub up_to: u64,
    /// Nano-zCDP by member.
    pub spent: BTreeMap<MemberId, u64>,
}

/// One debit that is added up now.
#[derive(Clone, Debug)]
pub struct Fold {
    /// The number of the debit on chain.
    pub debit: u64,
    /// When it was booked, Unix seconds.
    pub booked: u64,
    /// The EIP-712 digest of its order.
    pub order: B256,
    /// Records in it, by member.
    pub uses: BTreeMap<MemberId, u64>,
}

impl Store {
    /// What is added up so far.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn folded(&self) -> Result<FoldedRow> {
        let mut tx = self.pool.begin().await?;
        let up_to = sqlx::query("SELECT COALESCE(MAX(up_to), 0) AS up_to FROM folded").fetch_one(&mut *tx).await?;
        let rows = sqlx::query("SELECT member_id, rho FROM spent").fetch_all(&mut *tx).await?;
        let spent = rows.iter().map(|row| Ok((MemberId(get(row, "member_id")?), get(row, "rho")?)));
        Ok(FoldedRow { up_to: get(&up_to, "up_to")?, spent: spent.collect::<Result<_>>()? })
    }

    /// Puts sums in the place of debits and of what we signed for their orders. Their snapshots go in the next sweep.
    ///
    /// # Errors
    /// Where the database fails; then nothing has changed.
    pub async fn fold(&self, sums: &FoldedRow, folds: &[Fold]) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("INSERT OR REPLACE INTO folded (id, up_to) VALUES (0, $1)")
            .bind(int(sums.up_to))
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM spent").execute(&mut *tx).await?;
        for (member, rho) in &sums.spent {
            sqlx::query("INSERT INTO spent (member_id, rho) VALUES ($1, $2)")
                .bind(i64::from(member.0))
                .bind(int(*rho))
                .execute(&mut *tx)
                .await?;
        }
        for fold in folds {
            for (member, records) in &fold.uses {
                sqlx::query("INSERT OR IGNORE INTO uses (debit, member_id, records, booked) VALUES ($1, $2, $3, $4)")
                    .bind(int(fold.debit))
                    .bind(i64::from(member.0))
                    .bind(int(*records))
                    .bind(int(fold.booked))
                    .execute(&mut *tx)
                    .await?;
            }
            sqlx::query("DELETE FROM debits WHERE order_digest = $1")
                .bind(fold.order.as_slice())
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Takes a member out of the sums.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn drop_sum(&self, member: MemberId) -> Result<()> {
        sqlx::query("DELETE FROM spent WHERE member_id = $1").bind(i64::from(member.0)).execute(&self.pool).await?;
        Ok(())
    }

    /// In which added up debits a member was, with how many records.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn uses(&self, member: MemberId) -> Result<Vec<(u64, u64)>> {
        let rows = sqlx::query("SELECT debit, records FROM uses WHERE member_id = $1 ORDER BY debit")
            .bind(i64::from(member.0))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok((get(row, "debit")?, get(row, "records")?))).collect()
    }
}
