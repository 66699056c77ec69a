//! Signed scores, why they are so, and how they entered the ledger.

use alloy::primitives::{Address, B256};
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use rochdale_core::ledger::{Entered, Score};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, address, bytes, get, hash, int};

/// One steward's signed score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreRow {
    /// Of which contribution.
    pub contribution: ContributionId,
    /// Who scored, whatever seat it holds.
    pub signer: Address,
    /// The member whose record it is.
    pub member: MemberId,
    /// The four parts of the score.
    pub score: Score,
    /// The rubric that was applied.
    pub rubric_hash: B256,
    /// Keyed digest of the content.
    pub sketch: B256,
    /// Over the above.
    pub signature: Vec<u8>,
    /// When this steward kept it, seconds of block time; nobody signs that.
    pub kept_at: u64,
}

impl Store {
    /// Keeps an account's score; its first one stands. `false` where there was one, or the member erased everything.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_score(&self, row: &ScoreRow) -> Result<bool> {
        let done = sqlx::query(
            "INSERT OR IGNORE INTO scores (contribution_id, signer, member_id, quality, uniqueness, authenticity,
             rarity, rubric_hash, sketch, signature, kept_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
             WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE member_id = $3)",
        )
        .bind(int(row.contribution.0))
        .bind(row.signer.as_slice())
        .bind(i64::from(row.member.0))
        .bind(i64::from(row.score.quality))
        .bind(i64::from(row.score.uniqueness))
        .bind(i64::from(row.score.authenticity))
        .bind(i64::from(row.score.rarity))
        .bind(row.rubric_hash.as_slice())
        .bind(row.sketch.as_slice())
        .bind(&row.signature)
        .bind(int(row.kept_at))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// All scores of contributions with an id above `after`, by contribution and signer.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn scores_after(&self, after: ContributionId) -> Result<Vec<ScoreRow>> {
        let rows = sqlx::query("SELECT * FROM scores WHERE contribution_id > $1 ORDER BY contribution_id, signer")
            .bind(int(after.0))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(score).collect()
    }

    /// All scores of one contribution, by signer.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn scores_of(&self, contribution: ContributionId) -> Result<Vec<ScoreRow>> {
        let rows = sqlx::query("SELECT * FROM scores WHERE contribution_id = $1 ORDER BY signer")
            .bind(int(contribution.0))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(score).collect()
    }

    /// Whether a contribution's score entered the ledger.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn has_entered(&self, contribution: ContributionId) -> Result<bool> {
        let row = sqlx::query("SELECT 1 FROM entered WHERE contribution_id = $1").bind(int(contribution.0));
        Ok(row.fetch_optional(&self.pool).await?.is_some())
    }

    /// Keeps why our own score is what it is, wrapped.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_reasons(&self, contribution: ContributionId, member: MemberId, wrapped: &[u8]) -> Result<()> {
        sqlx::query(
            "INSERT OR REPLACE INTO score_reasons (contribution_id, member_id, wrapped) SELECT $1, $2, $3
             WHERE EXISTS (SELECT 1 FROM member_keys WHERE member_id = $2)",
        )
        .bind(int(contribution.0))
        .bind(i64::from(member.0))
        .bind(wrapped)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Why our own score is what it is, wrapped.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn reasons(&self, contribution: ContributionId) -> Result<Option<Vec<u8>>> {
        let row = sqlx::query("SELECT wrapped FROM score_reasons WHERE contribution_id = $1")
            .bind(int(contribution.0))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| bytes(&row, "wrapped")).transpose()
    }

    /// Notes why a contribution waits; no reason clears it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn set_deferred(&self, contribution: ContributionId, reason: Option<&str>) -> Result<()> {
        match reason {
            Some(reason) => {
                sqlx::query("INSERT OR REPLACE INTO deferred (contribution_id, reason) VALUES ($1, $2)")
                    .bind(int(contribution.0))
                    .bind(reason)
                    .execute(&self.pool)
                    .await?
            }
            None => {
                sqlx::query("DELETE FROM deferred WHERE contribution_id = $1")
                    .bind(int(contribution.0))
                    .execute(&self.pool)
                    .await?
            }
        };
        Ok(())
    }

    /// Contributions that wait, with the reason.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deferred(&self) -> Result<Vec<(ContributionId, String)>> {
        let rows = sqlx::query("SELECT contribution_id, reason FROM deferred ORDER BY contribution_id");
        let rows = rows.fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((ContributionId(get(row, "contribution_id")?), row.try_get("reason")?))).collect()
    }

    /// Scores that entered the ledger, by contribution.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn entered(&self) -> Result<Vec<Entered>> {
        let rows = sqlx::query("SELECT * FROM entered ORDER BY contribution_id").fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                Ok(Entered {
                    contribution: ContributionId(get(row, "contribution_id")?),
                    member: MemberId(get(row, "member_id")?),
                    epoch: Epoch(get(row, "epoch")?),
                    score: fields(row)?,
                    sketch: hash(row, "sketch")?,
                })
            })
            .collect()
    }
}

fn fields(row: &SqliteRow) -> Result<Score> {
    Ok(Score {
        quality: get(row, "quality")?,
        uniqueness: get(row, "uniqueness")?,
        authenticity: get(row, "authenticity")?,
        rarity: get(row, "rarity")?,
    })
}

fn score(row: &SqliteRow) -> Result<ScoreRow> {
    Ok(ScoreRow {
        contribution: ContributionId(get(row, "contribution_id")?),
        signer: address(row, "signer")?,
        member: MemberId(get(row, "member_id")?),
        score: fields(row)?,
        rubric_hash: hash(row, "rubric_hash")?,
        sketch: hash(row, "sketch")?,
        signature: bytes(row, "signature")?,
        kept_at: get(row, "kept_at")?,
    })
}
