//! Sheets, signed headers and settled epochs.

use alloy::primitives::B256;
use rochdale_core::ids::{Epoch, StewardId};
use rochdale_core::ledger::{Entered, Score};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::rows::LeafRow;
use super::{Result, Store, bytes, from_json, get, hash, int, to_json};

/// A settled epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochRow<H, G> {
    /// The epoch, from 1.
    pub epoch: Epoch,
    /// The header on chain.
    pub header: H,
    /// The global state after it.
    pub globals: G,
}

/// What a settled epoch was computed from, wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRow {
    /// The epoch, from 1.
    pub epoch: Epoch,
    /// The sheet's digest.
    pub digest: B256,
    /// What it is computed from again.
    pub inputs: Vec<u8>,
    /// The sheet as it was opened, while it is kept.
    pub sheet: Option<Vec<u8>>,
}

impl Store {
    /// Keeps a header's digest and our signature, before the signature is shown to anyone, and gives what is kept:
    /// the first for an attempt stands for ever.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sign_header(
        &self,
        epoch: Epoch,
        attempt: u32,
        digest: B256,
        signature: &[u8],
    ) -> Result<(B256, Vec<u8>)> {
        sqlx::query("INSERT OR IGNORE INTO signed_headers (epoch, attempt, digest, signature) VALUES ($1, $2, $3, $4)")
            .bind(i64::from(epoch.0))
            .bind(i64::from(attempt))
            .bind(digest.as_slice())
            .bind(signature)
            .execute(&self.pool)
            .await?;
        let kept = self.signed_header(epoch, attempt).await?;
        kept.ok_or_else(|| super::damaged("signed_headers", "a row that was written is not there"))
    }

    /// The digest and signature of the header that we signed for an attempt.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn signed_header(&self, epoch: Epoch, attempt: u32) -> Result<Option<(B256, Vec<u8>)>> {
        let row = sqlx::query("SELECT digest, signature FROM signed_headers WHERE epoch = $1 AND attempt = $2")
            .bind(i64::from(epoch.0))
            .bind(i64::from(attempt))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok((hash(&row, "digest")?, row.try_get("signature")?))).transpose()
    }

    /// Keeps a sheet as it was sent; `digest` is the header's `sheetDigest`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_sheet<M: Serialize>(&self, epoch: Epoch, attempt: u32, digest: B256, message: &M) -> Result<()> {
        sqlx::query("INSERT OR IGNORE INTO sheets (epoch, attempt, digest, message) VALUES ($1, $2, $3, $4)")
            .bind(i64::from(epoch.0))
            .bind(i64::from(attempt))
            .bind(digest.as_slice())
            .bind(to_json("sheet", message)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The first epoch, from this one on, of which a sheet is kept.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn first_sheet_from(&self, epoch: Epoch) -> Result<Option<Epoch>> {
        let row = sqlx::query("SELECT epoch FROM sheets WHERE epoch >= $1 ORDER BY epoch LIMIT 1")
            .bind(i64::from(epoch.0))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(Epoch(row.try_get("epoch")?))).transpose()
    }

    /// The sheets of an epoch, by attempt.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn sheets<M: DeserializeOwned>(&self, epoch: Epoch) -> Result<Vec<M>> {
        let rows = sqlx::query("SELECT message FROM sheets WHERE epoch = $1 ORDER BY attempt")
            .bind(i64::from(epoch.0))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| from_json("sheet", row.try_get(0)?)).collect()
    }

    /// Keeps what a settled epoch was computed from.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_copy(&self, row: &CopyRow) -> Result<()> {
        sqlx::query("INSERT OR REPLACE INTO sheet_copies (epoch, digest, inputs, sheet) VALUES ($1, $2, $3, $4)")
            .bind(i64::from(row.epoch.0))
            .bind(row.digest.as_slice())
            .bind(&row.inputs)
            .bind(row.sheet.as_deref())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What a settled epoch was computed from.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn copy(&self, epoch: Epoch, digest: B256) -> Result<Option<CopyRow>> {
        let row = sqlx::query("SELECT * FROM sheet_copies WHERE epoch = $1 AND digest = $2")
            .bind(i64::from(epoch.0))
            .bind(digest.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| copy_row(&row)).transpose()
    }

    /// All of them up to an epoch.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn copies(&self, up_to: Epoch) -> Result<Vec<CopyRow>> {
        let rows = sqlx::query("SELECT * FROM sheet_copies WHERE epoch <= $1 ORDER BY epoch, digest");
        let rows = rows.bind(i64::from(up_to.0)).fetch_all(&self.pool).await?;
        rows.iter().map(copy_row).collect()
    }

    /// Keeps what a peer differs in from our sheet, sealed as it came; the last answer of a peer stands.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_differences(&self, epoch: Epoch, attempt: u32, steward: StewardId, sealed: &[u8]) -> Result<()> {
        sqlx::query("INSERT OR REPLACE INTO differences (epoch, attempt, steward, sealed) VALUES ($1, $2, $3, $4)")
            .bind(i64::from(epoch.0))
            .bind(i64::from(attempt))
            .bind(i64::from(steward.0))
            .bind(sealed)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What peers differed in, sealed, of epochs that are not settled: epoch, attempt, peer, answer.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn differences(&self) -> Result<Vec<(Epoch, u32, StewardId, Vec<u8>)>> {
        let rows = sqlx::query("SELECT * FROM differences ORDER BY epoch, attempt, steward").fetch_all(&self.pool);
        rows.await?
            .iter()
            .map(|row| {
                let (epoch, steward) = (Epoch(get(row, "epoch")?), StewardId(get(row, "steward")?));
                Ok((epoch, get(row, "attempt")?, steward, bytes(row, "sealed")?))
            })
            .collect()
    }

    /// Keeps a settled epoch whole: header, global state, rows, the scores that entered. Once.
    ///
    /// # Errors
    /// Where the database fails; then nothing is kept.
    pub async fn settle<H: Serialize, G: Serialize>(
        &self,
        epoch: &EpochRow<H, G>,
        rows: &[LeafRow],
        entered: &[Entered],
    ) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        let done = sqlx::query("INSERT OR IGNORE INTO epochs (epoch, header, globals) VALUES ($1, $2, $3)")
            .bind(i64::from(epoch.epoch.0))
            .bind(to_json("header", &epoch.header)?)
            .bind(to_json("globals", &epoch.globals)?)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(());
        }
        // Each epoch forgets those of the one before the last: there are none before that. First, so that the rows that come are written
        // where these were.
        sqlx::query("DELETE FROM row_inputs WHERE epoch = $1 - 2")
            .bind(i64::from(epoch.epoch.0))
            .execute(&mut *tx)
            .await?;
        super::rows::insert(&mut tx, epoch.epoch, rows).await?;
        for some in entered.chunks(CHUNK) {
            insert_entered(&mut tx, some).await?;
        }
        sqlx::query(
            "DELETE FROM deferred WHERE contribution_id IN (SELECT contribution_id FROM entered WHERE epoch = $1)",
        )
        .bind(i64::from(epoch.epoch.0))
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM differences WHERE epoch <= $1")
            .bind(i64::from(epoch.epoch.0))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.entered.forget();
        Ok(())
    }

    /// Forgets that an epoch was settled, with its rows and the scores that entered: its proposal was voided. Sheets and
    /// signatures stay.
    ///
    /// # Errors
    /// Where the database fails; then nothing is forgotten.
    pub async fn unsettle(&self, epoch: Epoch) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        for statement in [
            "DELETE FROM epochs WHERE epoch = $1",
            "DELETE FROM rows WHERE epoch = $1",
            "DELETE FROM row_inputs WHERE epoch = $1",
            "DELETE FROM entered WHERE epoch = $1",
        ] {
            sqlx::query(statement).bind(i64::from(epoch.0)).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        self.entered.forget();
        Ok(())
    }

    /// A settled epoch.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn epoch<H: DeserializeOwned, G: DeserializeOwned>(
        &self,
        epoch: Epoch,
    ) -> Result<Option<EpochRow<H, G>>> {
        let row = sqlx::query("SELECT header, globals FROM epochs WHERE epoch = $1")
            .bind(i64::from(epoch.0))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| {
            Ok(EpochRow {
                epoch,
                header: from_json("header", row.try_get("header")?)?,
                globals: from_json("globals", row.try_get("globals")?)?,
            })
        })
        .transpose()
    }

    /// The last settled epoch; 0 before the first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn settled(&self) -> Result<Epoch> {
        let row = sqlx::query("SELECT COALESCE(MAX(epoch), 0) AS epoch FROM epochs").fetch_one(&self.pool).await?;
        Ok(Epoch(get(&row, "epoch")?))
    }
}

/// Scores that are written by one statement.
const CHUNK: usize = 500;

async fn insert_entered(connection: &mut SqliteConnection, rows: &[Entered]) -> Result<()> {
    let places = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; rows.len()].join(", ");
    let sql = format!(
        "INSERT INTO entered (contribution_id, member_id, epoch, quality, uniqueness, authenticity, rarity, sketch) VALUES {places}"
    );
    // Nothing but the number of places is put together here.
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for row in rows {
        let Score { quality, uniqueness, authenticity, rarity } = row.score;
        query = query.bind(int(row.contribution.0)).bind(i64::from(row.member.0)).bind(i64::from(row.epoch.0));
        query = query.bind(i64::from(quality)).bind(i64::from(uniqueness));
        query = query.bind(i64::from(authenticity)).bind(i64::from(rarity)).bind(row.sketch.as_slice());
    }
    query.execute(connection).await?;
    Ok(())
}

fn copy_row(row: &SqliteRow) -> Result<CopyRow> {
    Ok(CopyRow {
        epoch: Epoch(get(row, "epoch")?),
        digest: hash(row, "digest")?,
        inputs: bytes(row, "inputs")?,
        sheet: row.try_get("sheet")?,
    })
}
