//! Orders on their way: one row each, from the first check to the anchored answer.

use alloy::primitives::{B256, Bytes};
use rochdale_api::member::Mined;
use rochdale_api::order::{DebitRequest, QueryRequest};
use rochdale_core::ids::LicenseId;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, damaged, from_json, get, hash, int, to_json};

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Stewards may have signed its debit; nothing is charged yet.
    Asked,
    /// A quorum signed: the debit may be on its way to the chain.
    Signed,
    /// The debit is on chain: it is charged.
    Booked,
    /// The answer is drawn and sealed; its receipt may be anchored.
    Answered,
    /// The receipt is anchored.
    Done,
}

impl JobState {
    const ALL: [Self; 5] = [Self::Asked, Self::Signed, Self::Booked, Self::Answered, Self::Done];

    fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Signed => "signed",
            Self::Booked => "booked",
            Self::Answered => "answered",
            Self::Done => "done",
        }
    }

    fn of(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word).ok_or_else(|| damaged("state", word))
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// EIP-712 digest of the order.
    pub order_digest: B256,
    /// How far it has come.
    pub state: JobState,
    /// What was asked.
    pub request: QueryRequest,
    /// Timestamp of the order's cut, Unix seconds.
    pub cut_time: u64,
    /// What is asked under which license, once it is charged: see `earlier`.
    pub question: Option<B256>,
    /// Blinder and ids of the snapshot, sealed to our own key; gone once it is done.
    pub secret: Option<Bytes>,
    /// The debit with a quorum's signatures, once they are there.
    pub debit: Option<DebitRequest>,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
    /// The receipt's transaction, once it is anchored.
    pub mined: Option<Mined>,
}

/// An answer at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `api::order::Answered` sealed to our own key, to answer the same question again.
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

    /// Jobs that are not done, by deadline.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn open_jobs(&self) -> Result<Vec<Job>> {
        let rows =
            sqlx::query("SELECT * FROM jobs WHERE state <> 'done' ORDER BY deadline").fetch_all(&self.pool).await?;
        rows.iter().map(job).collect()
    }

    /// The jobs that have answered this question.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn answered(&self, question: B256) -> Result<Vec<Job>> {
        let rows = sqlx::query("SELECT * FROM jobs WHERE question = $1 AND state = 'done' ORDER BY cut_time DESC")
            .bind(question.as_slice())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(job).collect()
    }

    /// Writes a job, whole.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_job(&self, job: &Job) -> Result<()> {
        let answer = job.answer.as_ref();
        let mined = job.mined.as_ref().map(|mined| to_json("mined", mined)).transpose()?;
        let debit = job.debit.as_ref().map(|debit| to_json("debit", debit)).transpose()?;
        sqlx::query(
            "INSERT OR REPLACE INTO jobs (order_digest, state, license, deadline, cut_time, request, question, secret,
             debit, kept, sealed, mined) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(job.order_digest.as_slice())
        .bind(job.state.word())
        .bind(int(job.request.order.license_id.0))
        .bind(int(job.request.order.deadline))
        .bind(int(job.cut_time))
        .bind(to_json("request", &job.request)?)
        .bind(job.question.map(|hash| hash.to_vec()))
        .bind(job.secret.as_ref().map(|bytes| bytes.to_vec()))
        .bind(debit)
        .bind(answer.map(|answer| answer.kept.to_vec()))
        .bind(answer.map(|answer| answer.sealed.to_vec()))
        .bind(mined)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets an order that is not charged.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn abandon(&self, order_digest: B256) -> Result<()> {
        sqlx::query("DELETE FROM jobs WHERE order_digest = $1 AND state IN ('asked', 'signed')")
            .bind(order_digest.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Licenses that some order was taken up under.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn licenses(&self) -> Result<Vec<LicenseId>> {
        let rows = sqlx::query("SELECT DISTINCT license FROM jobs").fetch_all(&self.pool).await?;
        rows.iter().map(|row| get(row, "license").map(LicenseId)).collect()
    }

    /// Forgets every order without an answer whose deadline is before `time` (seconds of block time), with what it knew of its snapshot.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_open(&self, time: u64) -> Result<()> {
        let gone = sqlx::query("DELETE FROM jobs WHERE state IN ('asked', 'signed', 'booked') AND deadline < $1")
            .bind(int(time))
            .execute(&self.pool)
            .await?;
        if gone.rows_affected() > 0 {
            // What was deleted must not stay in the log beside the database.
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Forgets every order of a license whose deadline is before `now` (seconds of block time), with its answer and blinders.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_license(&self, license: LicenseId, now: u64) -> Result<()> {
        sqlx::query("DELETE FROM jobs WHERE license = $1 AND deadline < $2")
            .bind(int(license.0))
            .bind(int(now))
            .execute(&self.pool)
            .await?;
        // What was deleted must not stay in the log beside the database.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.pool).await?;
        Ok(())
    }
}

fn job(row: &SqliteRow) -> Result<Job> {
    let bytes = |column| -> Result<Option<Vec<u8>>> { Ok(row.try_get(column)?) };
    let answer = match (bytes("kept")?, bytes("sealed")?) {
        (Some(kept), Some(sealed)) => Some(Answer { kept: kept.into(), sealed: sealed.into() }),
        _ => None,
    };
    let text = |column| -> Result<Option<String>> { Ok(row.try_get(column)?) };
    let question = bytes("question")?.map(|bytes| B256::try_from(bytes.as_slice()));
    Ok(Job {
        order_digest: hash(row, "order_digest")?,
        state: JobState::of(row.try_get("state")?)?,
        request: from_json(row, "request")?,
        cut_time: get(row, "cut_time")?,
        question: question.transpose().map_err(|error| damaged("question", error))?,
        secret: bytes("secret")?.map(Bytes::from),
        debit: text("debit")?.map(|t| serde_json::from_str(&t).map_err(|e| damaged("debit", e))).transpose()?,
        answer,
        mined: text("mined")?.map(|t| serde_json::from_str(&t).map_err(|e| damaged("mined", e))).transpose()?,
    })
}
