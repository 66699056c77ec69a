//! What members had erased, and that it was destroyed.

use std::collections::BTreeSet;

use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{CopyRow, Result, Store, bytes, get, int, rows};

/// How a table forgets a member.
#[derive(Clone, Copy, Debug)]
pub struct Forget {
    /// Reads what no other row has, so that the files can be searched for it.
    traces: Option<&'static str>,
    delete: &'static str,
}

macro_rules! forget {
    ($table:literal) => {
        Forget { traces: None, delete: concat!("DELETE FROM ", $table, " WHERE member_id = $1") }
    };
    ($table:literal, $column:literal) => {
        Forget {
            traces: Some(concat!("SELECT ", $column, " AS trace FROM ", $table, " WHERE member_id = $1")),
            ..forget!($table)
        }
    };
}

/// What goes at once: everything that opens or describes records.
pub const RECORDS: &[Forget] = &[
    forget!("shares", "wrapped"),
    forget!("reshares", "wrapped"),
    forget!("redealt", "wrapped"),
    forget!("redealt", "body"),
    forget!("held_words", "body"),
    forget!("contributions", "wrapped"),
    forget!("consents", "wrapped"),
    forget!("score_reasons", "wrapped"),
    forget!("member_keys", "wrapped"),
    forget!("row_keys", "wrapped"),
    forget!("denials"),
];

/// What goes once the ledger can do without it.
pub const REST: &[Forget] = &[
    forget!("member_keys", "wrapped"),
    forget!("row_keys", "wrapped"),
    forget!("scores", "signature"),
    forget!("entered"),
    forget!("awards", "signature"),
    forget!("openings"),
    forget!("uses"),
];

/// That everything of a member was destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErasureRow {
    /// The member whom it belongs to.
    pub member: MemberId,
    /// How many key shares.
    pub shares: u64,
    /// When they were destroyed, seconds of block time.
    pub at: u64,
    /// Our signature over the receipt; empty until the files hold no trace.
    pub signature: Vec<u8>,
    /// Whether the row's private part is gone as well.
    pub closed: bool,
    /// When that was.
    pub closed_at: Option<u64>,
    /// When its part of what settled epochs were computed from was destroyed.
    pub scrubbed_at: Option<u64>,
    /// When all of it was gone, with our signature over that.
    pub complete: Option<(u64, Vec<u8>)>,
    /// What the ledger still owes, as JSON.
    pub row: Option<String>,
}

/// What outlives a member's key for a while, under a new one.
#[derive(Debug, Default)]
pub struct Rewrapped {
    /// The new key, wrapped by the master key.
    pub key: Vec<u8>,
    /// The row key.
    pub row_key: Option<Vec<u8>>,
    /// Rows by epoch.
    pub rows: Vec<rows::RewrappedRow>,
}

impl Store {
    /// The record of a member's erasure.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn erasure(&self, member: MemberId) -> Result<Option<ErasureRow>> {
        let row = sqlx::query("SELECT * FROM erasures WHERE member_id = $1")
            .bind(i64::from(member.0))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| erasure(&row)).transpose()
    }

    /// Members whose row needs nothing private any more, and those of them of whom something may be left.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn closed(&self) -> Result<(BTreeSet<MemberId>, BTreeSet<MemberId>)> {
        let rows = sqlx::query("SELECT member_id, complete IS NULL AS open FROM erasures WHERE closed = 1");
        let (mut closed, mut open) = (BTreeSet::new(), BTreeSet::new());
        for row in rows.fetch_all(&self.pool).await? {
            let member = MemberId(get(&row, "member_id")?);
            closed.insert(member);
            if get::<u8>(&row, "open")? != 0 {
                open.insert(member);
            }
        }
        Ok((closed, open))
    }

    /// Destroys what opens or describes a member's records, with the key that wrapped it, and records that, without a
    /// signature. What the ledger needs until the epochs before the erasure are settled, the row key and rows, goes under
    /// `next`. Gives what was deleted, for [`Store::prove_gone`].
    ///
    /// # Errors
    /// Where the database fails; then nothing was destroyed.
    pub async fn destroy_records(&self, erasure: &ErasureRow, next: &Rewrapped) -> Result<Vec<Vec<u8>>> {
        let member = i64::from(erasure.member.0);
        let mut traces = self.traces(erasure.member, RECORDS).await?;
        let mut tx = self.pool.begin().await?;
        for one in RECORDS {
            sqlx::query(one.delete).bind(member).execute(&mut *tx).await?;
        }
        traces.extend(rows::replace(&mut tx, erasure.member, &next.rows).await?);
        sqlx::query("INSERT INTO member_keys (member_id, wrapped) VALUES ($1, $2)")
            .bind(member)
            .bind(&next.key)
            .execute(&mut *tx)
            .await?;
        if let Some(row_key) = &next.row_key {
            sqlx::query("INSERT INTO row_keys (member_id, wrapped) VALUES ($1, $2)")
                .bind(member)
                .bind(row_key)
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query("INSERT OR REPLACE INTO erasures (member_id, shares, at, signature) VALUES ($1, $2, $3, $4)")
            .bind(member)
            .bind(int(erasure.shares))
            .bind(int(erasure.at))
            .bind(&erasure.signature)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(traces)
    }

    /// Keeps our word that the records are gone.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn attest_records(&self, member: MemberId, at: u64, signature: &[u8]) -> Result<()> {
        sqlx::query("UPDATE erasures SET at = $2, signature = $3 WHERE member_id = $1")
            .bind(i64::from(member.0))
            .bind(int(at))
            .bind(signature)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps our word that all of it is gone.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn attest_complete(&self, member: MemberId, at: u64, signature: &[u8]) -> Result<()> {
        sqlx::query("UPDATE erasures SET complete_at = $2, complete = $3 WHERE member_id = $1")
            .bind(i64::from(member.0))
            .bind(int(at))
            .bind(signature)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Destroys the rest: row key, sketches, scores, private rows. `row` is what the ledger still owes. Gives what was deleted, for
    /// [`Store::prove_gone`].
    ///
    /// # Errors
    /// Where the database fails; then nothing was destroyed.
    pub async fn close_row(
        &self,
        member: MemberId,
        records: &[ContributionId],
        row: &str,
        at: u64,
    ) -> Result<Vec<Vec<u8>>> {
        let id = i64::from(member.0);
        let mut traces = self.traces(member, REST).await?;
        let mut tx = self.pool.begin().await?;
        for one in REST {
            sqlx::query(one.delete).bind(id).execute(&mut *tx).await?;
        }
        for contribution in records {
            sqlx::query("DELETE FROM deferred WHERE contribution_id = $1")
                .bind(int(contribution.0))
                .execute(&mut *tx)
                .await?;
        }
        traces.extend(rows::replace(&mut tx, member, &[]).await?);
        sqlx::query("UPDATE erasures SET closed = 1, closed_at = $3, row = $2 WHERE member_id = $1")
            .bind(id)
            .bind(row)
            .bind(int(at))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.entered.forget();
        Ok(traces)
    }

    /// Puts `copies`, which have nothing of a member, in the place of what settled epochs were computed from. Gives what stood there.
    ///
    /// # Errors
    /// Where the database fails; then nothing was destroyed.
    pub async fn scrub(&self, member: MemberId, copies: &[CopyRow], at: u64) -> Result<Vec<Vec<u8>>> {
        let mut traces = Vec::new();
        for copy in copies {
            let before = self.copy(copy.epoch, copy.digest).await?;
            traces.extend(before.into_iter().flat_map(|row| [Some(row.inputs), row.sheet]).flatten());
        }
        let mut tx = self.pool.begin().await?;
        for copy in copies {
            sqlx::query("UPDATE sheet_copies SET inputs = $3, sheet = $4 WHERE epoch = $1 AND digest = $2")
                .bind(i64::from(copy.epoch.0))
                .bind(copy.digest.as_slice())
                .bind(&copy.inputs)
                .bind(copy.sheet.as_deref())
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query("UPDATE erasures SET scrubbed_at = $2 WHERE member_id = $1")
            .bind(i64::from(member.0))
            .bind(int(at))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(traces)
    }

    /// What a member's rows have that no other row has.
    async fn traces(&self, member: MemberId, tables: &[Forget]) -> Result<Vec<Vec<u8>>> {
        let mut traces = Vec::new();
        for sql in tables.iter().filter_map(|one| one.traces) {
            for row in sqlx::query(sql).bind(i64::from(member.0)).fetch_all(&self.pool).await? {
                traces.push(bytes(&row, "trace")?);
            }
        }
        Ok(traces)
    }

    /// Deletes what a rule of [`crate::retention`] names; gives the number of rows.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn expire(&self, delete: &'static str, up_to: Epoch, before: u64) -> Result<u64> {
        let done = sqlx::query(delete).bind(i64::from(up_to.0)).bind(int(before)).execute(&self.pool).await?;
        Ok(done.rows_affected())
    }
}

fn erasure(row: &SqliteRow) -> Result<ErasureRow> {
    let time = |column| -> Result<Option<u64>> {
        let at: Option<i64> = row.try_get(column)?;
        Ok(at.map(|at| u64::try_from(at).unwrap_or_default()))
    };
    let complete: Option<Vec<u8>> = row.try_get("complete")?;
    Ok(ErasureRow {
        member: MemberId(get(row, "member_id")?),
        shares: get(row, "shares")?,
        at: get(row, "at")?,
        signature: bytes(row, "signature")?,
        closed: get::<u8>(row, "closed")? != 0,
        closed_at: time("closed_at")?,
        scrubbed_at: time("scrubbed_at")?,
        complete: time("complete_at")?.zip(complete),
        row: row.try_get("row")?,
    })
}
