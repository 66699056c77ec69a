//! What the cooperative paid gas for.

use std::collections::BTreeSet;

use rochdale_api::member::Mined;
use rochdale_core::ids::{Epoch, MemberId};

use super::{Store, StoreError, int, unsigned};

impl Store {
    /// Members whose claim on this epoch's root was paid for already.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn claimed_on_the_house(&self, epoch: Epoch) -> Result<BTreeSet<MemberId>, StoreError> {
        let rows: Vec<(i64,)> = sqlx::query_as("SELECT member FROM claims_on_the_house WHERE epoch >= $1")
            .bind(i64::from(epoch.0))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|(member,)| MemberId(u32::try_from(member).unwrap_or_default())).collect())
    }

    /// Notes whose claims on this epoch's root are paid for.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn claim_on_the_house(&self, epoch: Epoch, members: &[MemberId]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for member in members {
            sqlx::query("INSERT OR REPLACE INTO claims_on_the_house (member, epoch) VALUES ($1, $2)")
                .bind(i64::from(member.0))
                .bind(i64::from(epoch.0))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Gas of the transactions of these kinds since a time, Unix seconds of block time.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn gas_since(&self, since: u64, kinds: &[&str]) -> Result<u64, StoreError> {
        let mut sum = 0;
        for kind in kinds {
            let (gas,): (i64,) =
                sqlx::query_as("SELECT COALESCE(SUM(gas_used), 0) FROM transactions WHERE at > $1 AND kind = $2")
                    .bind(int(since))
                    .bind(*kind)
                    .fetch_one(&self.pool)
                    .await?;
            sum += unsigned(gas);
        }
        Ok(sum)
    }

    /// Gas of what members asked for since a time, Unix seconds of block time: of one, or of all.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn errands_since(&self, since: u64, member: Option<MemberId>) -> Result<u64, StoreError> {
        let (gas,): (i64,) = match member {
            Some(member) => {
                sqlx::query_as("SELECT COALESCE(SUM(gas_used), 0) FROM errands WHERE member = $1 AND at > $2")
                    .bind(i64::from(member.0))
                    .bind(int(since))
                    .fetch_one(&self.pool)
                    .await?
            }
            None => {
                sqlx::query_as("SELECT COALESCE(SUM(gas_used), 0) FROM errands WHERE at > $1")
                    .bind(int(since))
                    .fetch_one(&self.pool)
                    .await?
            }
        };
        Ok(unsigned(gas))
    }

    /// Notes what a transaction cost that these members asked for, in equal parts. One who is named twice has two.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn log_errand(&self, members: &[MemberId], mined: &Mined, at: u64) -> Result<(), StoreError> {
        let part = mined.gas_used.div_ceil(members.len().max(1) as u64);
        let mut transaction = self.pool.begin().await?;
        for member in members {
            sqlx::query(
                "INSERT INTO errands (tx, member, at, gas_used) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (tx, member) DO UPDATE SET gas_used = gas_used + excluded.gas_used",
            )
            .bind(mined.tx.as_slice())
            .bind(i64::from(member.0))
            .bind(int(at))
            .bind(int(part))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
