//! Signed scores, why they are so, and how they entered the ledger.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use alloy::primitives::{Address, B256};
use futures_util::TryStreamExt as _;
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use rochdale_core::ledger::{Entered, Score};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, address, bytes, damaged, get, hash, int};

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

/// The contributions whose scores entered, as they were read last. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct EnteredIds(Arc<Mutex<(u64, Known)>>);

type Known = Option<Arc<HashSet<ContributionId>>>;

impl EnteredIds {
    /// What is known, and how often it was forgotten.
    fn known(&self) -> (u64, Known) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what was read, unless it was forgotten since.
    fn keep(&self, generation: u64, ids: &Arc<HashSet<ContributionId>>) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if own.0 == generation {
            own.1 = Some(Arc::clone(ids));
        }
    }

    /// Forgets it, once other rows are committed.
    pub(super) fn forget(&self) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *own = (own.0 + 1, None);
    }
}

impl Store {
    /// Keeps an account's score, and one that differs from it: who signed two said nothing, and a third shows no more. `false` where nothing
    /// new was kept, or the member erased everything.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_score(&self, row: &ScoreRow) -> Result<bool> {
        let done = sqlx::query(
            "INSERT OR IGNORE INTO scores (contribution_id, signer, member_id, quality, uniqueness, authenticity,
             rarity, rubric_hash, sketch, signature, kept_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
             WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE member_id = $3)
             AND (SELECT COUNT(*) FROM scores WHERE contribution_id = $1 AND signer = $2) < 2",
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

    /// All scores of contributions with an id above `after`, by contribution and signer, and by what they say.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn scores_after(&self, after: ContributionId) -> Result<Vec<ScoreRow>> {
        let rows = sqlx::query("SELECT * FROM scores WHERE contribution_id > $1 ORDER BY contribution_id, signer, quality, uniqueness, authenticity, rarity, sketch")
            .bind(int(after.0))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(score).collect()
    }

    /// The scores of contributions with an id above `after` that have not entered the ledger in an epoch before `settled`, as
    /// [`Self::scores_after`].
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn open_scores(&self, after: ContributionId, settled: Epoch) -> Result<Vec<ScoreRow>> {
        let rows = sqlx::query(
            "SELECT * FROM scores WHERE contribution_id > $1
             AND contribution_id NOT IN (SELECT contribution_id FROM entered WHERE epoch < $2)
             ORDER BY contribution_id, signer, quality, uniqueness, authenticity, rarity, sketch",
        )
        .bind(int(after.0))
        .bind(i64::from(settled.0))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(score).collect()
    }

    /// All scores of one contribution, by signer.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn scores_of(&self, contribution: ContributionId) -> Result<Vec<ScoreRow>> {
        let rows = sqlx::query("SELECT * FROM scores WHERE contribution_id = $1 ORDER BY signer, quality, uniqueness, authenticity, rarity, sketch")
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

    /// Notes which contributions wait, and why; what is not among them waits no more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn set_deferred(&self, waiting: &BTreeMap<ContributionId, String>) -> Result<()> {
        let before: BTreeMap<ContributionId, String> = self.deferred().await?.into_iter().collect();
        if before == *waiting {
            return Ok(());
        }
        let mut tx = self.pool.begin().await?;
        for id in before.keys().filter(|id| !waiting.contains_key(id)) {
            sqlx::query("DELETE FROM deferred WHERE contribution_id = $1").bind(int(id.0)).execute(&mut *tx).await?;
        }
        for (id, reason) in waiting.iter().filter(|(id, reason)| before.get(id) != Some(reason)) {
            sqlx::query("INSERT OR REPLACE INTO deferred (contribution_id, reason) VALUES ($1, $2)")
                .bind(int(id.0))
                .bind(reason)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
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

    /// Contributions whose scores entered the ledger. Read once, and again when an epoch is settled or undone or a row is closed.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn entered_ids(&self) -> Result<Arc<HashSet<ContributionId>>> {
        let (generation, known) = self.entered.known();
        if let Some(known) = known {
            return Ok(known);
        }
        let rows = sqlx::query("SELECT contribution_id FROM entered").fetch_all(&self.pool).await?;
        let ids: Result<HashSet<ContributionId>> =
            rows.iter().map(|row| get(row, "contribution_id").map(ContributionId)).collect();
        let ids = Arc::new(ids?);
        self.entered.keep(generation, &ids);
        Ok(ids)
    }

    /// Scores that entered the ledger, by contribution.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn entered(&self) -> Result<Vec<Entered>> {
        let mut rows = sqlx::query("SELECT * FROM entered ORDER BY contribution_id").fetch(&self.pool);
        let mut all = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let sketch: &[u8] = row.try_get("sketch")?;
            all.push(Entered {
                contribution: ContributionId(get(&row, "contribution_id")?),
                member: MemberId(get(&row, "member_id")?),
                epoch: Epoch(get(&row, "epoch")?),
                score: fields(&row)?,
                sketch: B256::try_from(sketch).map_err(|error| damaged("sketch", error))?,
            });
        }
        Ok(all)
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
