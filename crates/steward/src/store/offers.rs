//! Row keys that the registrar offered, sealed as they came, of accounts that have not joined.

use alloy::primitives::{Address, B256};
use rochdale_core::ids::StewardId;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, bytes, damaged, get, hash, int};

/// An offered key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferRow {
    /// Of the key.
    pub digest: B256,
    /// Whose it is to be.
    pub account: Address,
    /// Of the admission.
    pub nullifier: B256,
    /// The seat that it was sealed to.
    pub seat: StewardId,
    /// As it came.
    pub sealed: Vec<u8>,
    /// Seconds of block time.
    pub deadline: u64,
}

impl Store {
    /// Keeps an offered key; one of the same digest is replaced.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_offer(&self, row: &OfferRow) -> Result<()> {
        sqlx::query(
            "INSERT OR REPLACE INTO offers (digest, account, nullifier, seat, sealed, deadline)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(row.digest.as_slice())
        .bind(row.account.as_slice())
        .bind(row.nullifier.as_slice())
        .bind(i64::from(row.seat.0))
        .bind(&row.sealed)
        .bind(int(row.deadline))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The offered key of a digest.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn offer(&self, digest: B256) -> Result<Option<OfferRow>> {
        let row = sqlx::query("SELECT * FROM offers WHERE digest = $1").bind(digest.as_slice());
        row.fetch_optional(&self.pool).await?.map(|row| offer(&row)).transpose()
    }

    /// Forgets what was offered of an account with this digest.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_offer(&self, digest: B256, account: Address) -> Result<()> {
        let delete = sqlx::query("DELETE FROM offers WHERE digest = $1 AND account = $2");
        delete.bind(digest.as_slice()).bind(account.as_slice()).execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets the offers whose deadline `now` (seconds of block time) is past.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_offers(&self, now: u64) -> Result<()> {
        sqlx::query("DELETE FROM offers WHERE deadline < $1").bind(int(now)).execute(&self.pool).await?;
        Ok(())
    }
}

fn offer(row: &SqliteRow) -> Result<OfferRow> {
    let account = bytes(row, "account")?;
    Ok(OfferRow {
        digest: hash(row, "digest")?,
        account: Address::try_from(account.as_slice()).map_err(|error| damaged("account", error))?,
        nullifier: hash(row, "nullifier")?,
        seat: StewardId(get(row, "seat")?),
        sealed: bytes(row, "sealed")?,
        deadline: get(row, "deadline")?,
    })
}
