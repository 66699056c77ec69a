//! Shares that follow the committee: what was dealt anew, and who holds it.

use alloy::primitives::B256;
use rochdale_api::reshare::{HeldWord, Redealt};
use rochdale_core::ids::MemberId;
use rochdale_crypto::Commitments;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::{Result, Store, bytes, damaged, get, hash};

/// A deal to a generation, with what it dealt to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedealtRow {
    /// The deal's digest.
    pub digest: B256,
    /// The member whose record it is.
    pub member: MemberId,
    /// Hash of the commitments that it comes from.
    pub source: B256,
    /// As its dealer signed it.
    pub deal: Redealt,
    /// Our part, wrapped; empty where there is no good one.
    pub wrapped: Vec<u8>,
}

/// A share of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReshareRow {
    /// The generation whose committee holds the others.
    pub generation: u32,
    /// What it is checked against.
    pub deal: Commitments,
    /// The share, wrapped.
    pub wrapped: Vec<u8>,
}

impl Store {
    /// Our share as it came in the record's package, and of which generation that was.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn first_share(&self, commitment: B256) -> Result<Option<(u32, Vec<u8>)>> {
        let row = sqlx::query("SELECT generation, wrapped FROM shares WHERE commitment = $1");
        let row = row.bind(commitment.as_slice()).fetch_optional(&self.pool).await?;
        row.map(|row| Ok((get(&row, "generation")?, bytes(&row, "wrapped")?))).transpose()
    }

    /// Our shares of a record that were dealt anew, the newest first.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn reshares(&self, commitment: B256) -> Result<Vec<ReshareRow>> {
        let rows = sqlx::query("SELECT * FROM reshares WHERE commitment = $1 ORDER BY generation DESC");
        let rows = rows.bind(commitment.as_slice()).fetch_all(&self.pool).await?;
        rows.iter().map(reshare).collect()
    }

    /// Puts a share in force, in the place of one of the same generation. `false` where the member erased everything.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_reshare(&self, commitment: B256, member: MemberId, row: &ReshareRow) -> Result<bool> {
        let points: Vec<u8> = row.deal.points.iter().flat_map(|point| point.0).collect();
        let done = sqlx::query(
            "INSERT OR REPLACE INTO reshares (commitment, generation, member_id, seats, points, wrapped)
             SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE member_id = $3)",
        )
        .bind(commitment.as_slice())
        .bind(i64::from(row.generation))
        .bind(i64::from(member.0))
        .bind(i64::from(row.deal.seats))
        .bind(points)
        .bind(&row.wrapped)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The deals of a record to a generation that are here, by digest.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn redealt(&self, commitment: B256, generation: u32) -> Result<Vec<RedealtRow>> {
        let rows = sqlx::query("SELECT * FROM redealt WHERE commitment = $1 AND generation = $2 ORDER BY digest")
            .bind(commitment.as_slice())
            .bind(i64::from(generation))
            .fetch_all(&self.pool)
            .await?;
        let read = |row: &SqliteRow| {
            Ok(RedealtRow {
                digest: hash(row, "digest")?,
                member: MemberId(get(row, "member_id")?),
                source: hash(row, "source")?,
                deal: parsed(row)?,
                wrapped: bytes(row, "wrapped")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Keeps a deal; the first of a digest stands. `false` where the member erased everything.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_redealt(&self, row: &RedealtRow) -> Result<bool> {
        let done = sqlx::query(
            "INSERT OR IGNORE INTO redealt (digest, commitment, member_id, generation, account, source, body, wrapped)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE member_id = $3)",
        )
        .bind(row.digest.as_slice())
        .bind(row.deal.commitment.as_slice())
        .bind(i64::from(row.member.0))
        .bind(i64::from(row.deal.generation))
        .bind(row.deal.account.as_slice())
        .bind(row.source.as_slice())
        .bind(json(&row.deal)?)
        .bind(&row.wrapped)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// What stewards said that they hold of a record for a generation.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn held_words(&self, commitment: B256, generation: u32) -> Result<Vec<HeldWord>> {
        words_of(&mut *self.pool.acquire().await?, commitment, generation).await
    }

    /// Keeps a steward's word: in the place of one that it has all of, or beside one that it has not. `true` where it says something new.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn put_held_word(
        &self,
        commitment: B256,
        generation: u32,
        member: MemberId,
        word: &HeldWord,
    ) -> Result<bool> {
        // Two words that come side by side contradict each other, or one has all of the other.
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let words = words_of(&mut tx, commitment, generation).await?;
        let own: Vec<&HeldWord> = words.iter().filter(|known| known.steward == word.steward).collect();
        let has = |one: &HeldWord, other: &HeldWord| other.deals.iter().all(|deal| one.deals.contains(deal));
        // Two that contradict each other say enough.
        if own.len() > 1 || own.iter().any(|known| has(known, word)) {
            return Ok(false);
        }
        let place = i64::from(own.iter().any(|known| !has(word, known)));
        let done = sqlx::query(
            "INSERT OR REPLACE INTO held_words (commitment, generation, account, place, member_id, body)
             SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE member_id = $5)",
        )
        .bind(commitment.as_slice())
        .bind(i64::from(generation))
        .bind(word.steward.as_slice())
        .bind(place)
        .bind(i64::from(member.0))
        .bind(json(word)?)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }
}

async fn words_of(db: &mut SqliteConnection, commitment: B256, generation: u32) -> Result<Vec<HeldWord>> {
    let rows =
        sqlx::query("SELECT body FROM held_words WHERE commitment = $1 AND generation = $2 ORDER BY account, place");
    let rows = rows.bind(commitment.as_slice()).bind(i64::from(generation)).fetch_all(db).await?;
    rows.iter().map(parsed).collect()
}

fn reshare(row: &SqliteRow) -> Result<ReshareRow> {
    let points = bytes(row, "points")?;
    if points.len() % 32 != 0 {
        return Err(damaged("points", "not a multiple of 32 bytes"));
    }
    let points = points.chunks_exact(32).map(B256::from_slice).collect();
    Ok(ReshareRow {
        generation: get(row, "generation")?,
        deal: Commitments { seats: get(row, "seats")?, points },
        wrapped: bytes(row, "wrapped")?,
    })
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| damaged("body", error))
}

fn parsed<T: DeserializeOwned>(row: &SqliteRow) -> Result<T> {
    let body: Vec<u8> = row.try_get("body")?;
    serde_json::from_slice(&body).map_err(|error| damaged("body", error))
}
