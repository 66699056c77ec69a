//! Orders on their way: one row each, from the proposed budget entry to the anchored answer.

use alloy::primitives::{B256, Bytes};
use rochdale_api::member::Mined;
use rochdale_api::query::{BudgetEntry, Countersignature, QueryRequest};
use rochdale_core::ids::{DatasetId, Purpose};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, damaged, from_json, get, hash, int, to_json};

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Stewards may have signed its entry.
    Proposed,
    /// A majority signed: it is charged.
    Committed,
    /// The answer is drawn and sealed; its receipt may be anchored.
    Answered,
    /// The receipt is anchored.
    Done,
}

impl JobState {
    fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Committed => "committed",
            Self::Answered => "answered",
            Self::Done => "done",
        }
    }

    fn of(word: &str) -> Result<Self> {
        [Self::Proposed, Self::Committed, Self::Answered, Self::Done]
            .into_iter()
            .find(|state| state.word() == word)
            .ok_or_else(|| damaged("state", word))
    }
}

/// Which pool, as of when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The dataset.
    pub dataset: DatasetId,
    /// The purpose.
    pub purpose: Purpose,
    /// Digest of the snapshot.
    pub snapshot: B256,
    /// The finalized block.
    pub block: B256,
    /// Its timestamp, Unix seconds.
    pub time: u64,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// EIP-712 digest of the order.
    pub order_digest: B256,
    /// How far it has come.
    pub state: JobState,
    /// Whether it was answered by an earlier job's answer.
    pub cached: bool,
    /// What was asked.
    pub request: QueryRequest,
    /// The pool.
    pub cut: Cut,
    /// `api::query::Snapshot` sealed to our own key; gone once it is done.
    pub snapshot: Option<Bytes>,
    /// What pays.
    pub entry: BudgetEntry,
    /// EIP-712 struct hash of the entry.
    pub entry_hash: B256,
    /// A majority's signatures, by seat ascending; empty before.
    pub countersignatures: Vec<Countersignature>,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
    /// The receipt's transaction, once it is anchored.
    pub mined: Option<Mined>,
}

/// An answer at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `api::query::Answered` sealed to our own key, to answer the same question again.
    pub kept: Bytes,
    /// The same sealed to the license's recipient.
    pub sealed: Bytes,
}

impl Store {
    /// The job of an order.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn job(&self, order_digest: B256) -> Result<Option<Job>> {
        let row = sqlx::query("SELECT * FROM jobs WHERE order_digest = $1")
            .bind(order_digest.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| job(&row)).transpose()
    }

    /// Jobs that are not done, by index.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn open_jobs(&self) -> Result<Vec<Job>> {
        let rows = sqlx::query("SELECT * FROM jobs WHERE state <> 'done' ORDER BY idx").fetch_all(&self.pool).await?;
        rows.iter().map(job).collect()
    }

    /// The job that first answered this question.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn answered(&self, query_digest: B256, snapshot: B256) -> Result<Option<Job>> {
        let row = sqlx::query(
            "SELECT * FROM jobs WHERE query_digest = $1 AND snapshot_digest = $2 AND cached = 0
             AND state IN ('committed', 'answered', 'done') ORDER BY idx LIMIT 1",
        )
        .bind(query_digest.as_slice())
        .bind(snapshot.as_slice())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| job(&row)).transpose()
    }

    /// The cuts since `after` (Unix seconds) at which this pool was charged, newest first.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn cuts(&self, dataset: DatasetId, purpose: Purpose, after: u64) -> Result<Vec<Cut>> {
        let rows = sqlx::query(
            "SELECT DISTINCT dataset, purpose, snapshot_digest, cut, cut_time FROM jobs
             WHERE dataset = $1 AND purpose = $2 AND cut_time >= $3 AND state <> 'proposed' ORDER BY cut_time DESC",
        )
        .bind(i64::from(dataset.0))
        .bind(i64::from(purpose.0))
        .bind(int(after))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(cut).collect()
    }

    /// Writes a job, whole.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_job(&self, job: &Job) -> Result<()> {
        let answer = job.answer.as_ref();
        let mined = job.mined.as_ref().map(|mined| to_json("mined", mined)).transpose()?;
        sqlx::query(
            "INSERT OR REPLACE INTO jobs (order_digest, state, cached, request, query_digest, dataset, purpose,
             snapshot_digest, cut, cut_time, snapshot, idx, entry, entry_hash, countersignatures, kept, sealed, mined)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        )
        .bind(job.order_digest.as_slice())
        .bind(job.state.word())
        .bind(job.cached)
        .bind(to_json("request", &job.request)?)
        .bind(job.request.order.query_digest.as_slice())
        .bind(i64::from(job.cut.dataset.0))
        .bind(i64::from(job.cut.purpose.0))
        .bind(job.cut.snapshot.as_slice())
        .bind(job.cut.block.as_slice())
        .bind(int(job.cut.time))
        .bind(job.snapshot.as_ref().map(|bytes| bytes.to_vec()))
        .bind(int(job.entry.index))
        .bind(to_json("entry", &job.entry)?)
        .bind(job.entry_hash.as_slice())
        .bind(to_json("countersignatures", &job.countersignatures)?)
        .bind(answer.map(|answer| answer.kept.to_vec()))
        .bind(answer.map(|answer| answer.sealed.to_vec()))
        .bind(mined)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets a job whose entry was never charged and never can be.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn abandon(&self, order_digest: B256) -> Result<()> {
        sqlx::query("DELETE FROM jobs WHERE order_digest = $1 AND state = 'proposed'")
            .bind(order_digest.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn cut(row: &SqliteRow) -> Result<Cut> {
    Ok(Cut {
        dataset: DatasetId(get(row, "dataset")?),
        purpose: Purpose(get(row, "purpose")?),
        snapshot: hash(row, "snapshot_digest")?,
        block: hash(row, "cut")?,
        time: get(row, "cut_time")?,
    })
}

fn job(row: &SqliteRow) -> Result<Job> {
    let bytes = |column| -> Result<Option<Bytes>> {
        let value: Option<Vec<u8>> = row.try_get(column)?;
        Ok(value.map(Bytes::from))
    };
    let answer = match (bytes("kept")?, bytes("sealed")?) {
        (Some(kept), Some(sealed)) => Some(Answer { kept, sealed }),
        _ => None,
    };
    let mined: Option<String> = row.try_get("mined")?;
    Ok(Job {
        order_digest: hash(row, "order_digest")?,
        state: JobState::of(row.try_get("state")?)?,
        cached: row.try_get("cached")?,
        request: from_json(row, "request")?,
        cut: cut(row)?,
        snapshot: bytes("snapshot")?,
        entry: from_json(row, "entry")?,
        entry_hash: hash(row, "entry_hash")?,
        countersignatures: from_json(row, "countersignatures")?,
        answer,
        mined: mined.map(|text| serde_json::from_str(&text).map_err(|e| damaged("mined", e))).transpose()?,
    })
}
