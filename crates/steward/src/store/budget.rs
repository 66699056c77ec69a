//! The budget log and the snapshots behind its entries.

use alloy::primitives::B256;
use rochdale_core::ids::{ContributionId, DatasetId, Purpose, StewardId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, bytes, damaged, from_json, get, hash, int, to_json};

/// One place of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow<E, C> {
    /// Place, from 1.
    pub index: u64,
    /// EIP-712 struct hash of the entry.
    pub entry_hash: B256,
    /// The entry.
    pub entry: E,
    /// Our signature, where we signed.
    pub signature: Option<Vec<u8>>,
    /// A majority's signatures, where it is committed.
    pub countersignatures: Option<Vec<C>>,
}

/// A pool as of a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Its digest.
    pub digest: B256,
    /// The dataset.
    pub dataset: DatasetId,
    /// The purpose.
    pub purpose: Purpose,
    /// The block.
    pub cut: B256,
    /// Ascending.
    pub ids: Vec<ContributionId>,
}

impl Store {
    /// The log, by index.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn budget_log<E, C>(&self) -> Result<Vec<LogRow<E, C>>>
    where
        E: serde::de::DeserializeOwned,
        C: serde::de::DeserializeOwned,
    {
        let rows = sqlx::query("SELECT * FROM budget_entries ORDER BY idx").fetch_all(&self.pool).await?;
        rows.iter().map(log_row).collect()
    }

    /// Keeps an entry with our signature. `false`, and nothing is kept, where the place is taken by another entry or
    /// the order paid for another one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sign_entry<E: serde::Serialize>(
        &self,
        index: u64,
        entry_hash: B256,
        entry: &E,
        order_digest: B256,
        signature: &[u8],
    ) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO budget_entries (idx, entry_hash, body, order_digest, signature) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING",
        )
        .bind(int(index))
        .bind(entry_hash.as_slice())
        .bind(to_json("budget entry", entry)?)
        .bind(order_digest.as_slice())
        .bind(signature)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Appends an entry that a majority signed. Where we signed another one for the place, that one goes: the majority
    /// decides, and our one signature for the index stays spent with the caller.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn commit_entry<E: serde::Serialize, C: serde::Serialize>(
        &self,
        index: u64,
        entry_hash: B256,
        entry: &E,
        countersignatures: &[C],
    ) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("DELETE FROM budget_entries WHERE idx = $1 AND entry_hash <> $2 AND countersignatures IS NULL")
            .bind(int(index))
            .bind(entry_hash.as_slice())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO budget_entries (idx, entry_hash, body, countersignatures) VALUES ($1, $2, $3, $4)
             ON CONFLICT (idx) DO UPDATE SET countersignatures = excluded.countersignatures
             WHERE countersignatures IS NULL",
        )
        .bind(int(index))
        .bind(entry_hash.as_slice())
        .bind(to_json("budget entry", entry)?)
        .bind(to_json("countersignatures", &countersignatures)?)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notes which entry a steward signed at an index, and gives the hash of the one that was seen first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn note_signer(
        &self,
        index: u64,
        steward: StewardId,
        entry_hash: B256,
        signature: &[u8],
    ) -> Result<B256> {
        sqlx::query(
            "INSERT OR IGNORE INTO entry_signers (idx, steward, entry_hash, signature) VALUES ($1, $2, $3, $4)",
        )
        .bind(int(index))
        .bind(i64::from(steward.0))
        .bind(entry_hash.as_slice())
        .bind(signature)
        .execute(&self.pool)
        .await?;
        let row = sqlx::query("SELECT entry_hash FROM entry_signers WHERE idx = $1 AND steward = $2")
            .bind(int(index))
            .bind(i64::from(steward.0))
            .fetch_one(&self.pool)
            .await?;
        hash(&row, "entry_hash")
    }

    /// A snapshot by its digest.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn snapshot(&self, digest: B256) -> Result<Option<SnapshotRow>> {
        let row = sqlx::query("SELECT * FROM snapshots WHERE digest = $1")
            .bind(digest.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| snapshot(&row)).transpose()
    }

    /// Keeps a snapshot.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_snapshot(&self, row: &SnapshotRow) -> Result<()> {
        let ids: Vec<u8> = row.ids.iter().flat_map(|id| id.0.to_be_bytes()).collect();
        sqlx::query("INSERT OR IGNORE INTO snapshots (digest, dataset, purpose, cut, ids) VALUES ($1, $2, $3, $4, $5)")
            .bind(row.digest.as_slice())
            .bind(i64::from(row.dataset.0))
            .bind(i64::from(row.purpose.0))
            .bind(row.cut.as_slice())
            .bind(ids)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn log_row<E, C>(row: &SqliteRow) -> Result<LogRow<E, C>>
where
    E: serde::de::DeserializeOwned,
    C: serde::de::DeserializeOwned,
{
    let countersignatures: Option<String> = row.try_get("countersignatures")?;
    Ok(LogRow {
        index: get(row, "idx")?,
        entry_hash: hash(row, "entry_hash")?,
        entry: from_json("budget entry", row.try_get("body")?)?,
        signature: row.try_get("signature")?,
        countersignatures: countersignatures.map(|text| from_json("countersignatures", &text)).transpose()?,
    })
}

fn snapshot(row: &SqliteRow) -> Result<SnapshotRow> {
    let ids = bytes(row, "ids")?;
    if ids.len() % 8 != 0 {
        return Err(damaged("ids", "not a multiple of 8 bytes"));
    }
    Ok(SnapshotRow {
        digest: hash(row, "digest")?,
        dataset: DatasetId(get(row, "dataset")?),
        purpose: Purpose(get(row, "purpose")?),
        cut: hash(row, "cut")?,
        ids: ids
            .chunks_exact(8)
            .map(|id| ContributionId(id.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))))
            .collect(),
    })
}
