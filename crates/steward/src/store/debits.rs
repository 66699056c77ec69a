//! Debits that we signed or released for, and the snapshots behind them.

use std::collections::BTreeSet;

use alloy::primitives::{B256, Bytes};
use rochdale_core::ids::{ContributionId, DatasetId, Purpose};
use rochdale_core::order::Debit;
use rochdale_core::query::Query;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, bytes, damaged, from_json, get, hash, int, to_json};

/// A debit that may charge somebody although the chain does not show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebitRow {
    /// What is charged.
    pub debit: Debit,
    /// Our signature, where we signed.
    pub signature: Option<Bytes>,
    /// The signatures that booked it, by seat ascending, once shares were released for it.
    pub quorum: Option<Vec<Bytes>>,
}

/// A pool as of a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Its blinded digest.
    pub digest: B256,
    /// The order it was taken for.
    pub order: B256,
    /// The dataset, by its number in the catalog.
    pub dataset: DatasetId,
    /// The purpose, a DUO permission.
    pub purpose: Purpose,
    /// The hash of the block at the cut.
    pub cut: B256,
    /// Its timestamp, Unix seconds.
    pub cut_time: u64,
    /// What hides the ids.
    pub blinder: B256,
    /// Ascending.
    pub ids: Vec<ContributionId>,
}

impl Store {
    /// Keeps a debit with our signature, its snapshot and what is asked. `false`, and nothing is kept, where we signed another debit of the
    /// order.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sign_debit(
        &self,
        debit: &Debit,
        signature: &[u8],
        snapshot: &SnapshotRow,
        query: &Query,
    ) -> Result<bool> {
        let mut tx = self.pool.begin().await?;
        let done = sqlx::query(
            "INSERT INTO debits (order_digest, body, signature) VALUES ($1, $2, $3)
             ON CONFLICT (order_digest) DO UPDATE SET signature = excluded.signature
             WHERE signature IS NULL AND body = excluded.body",
        )
        .bind(debit.order.as_slice())
        .bind(to_json("debit", debit)?)
        .bind(signature)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        insert_snapshot(&mut tx, snapshot).await?;
        sqlx::query(
            "INSERT INTO questions (digest, query, last) VALUES ($1, $2, $3)
             ON CONFLICT (digest) DO UPDATE SET last = MAX(last, excluded.last)",
        )
        .bind(debit.query_digest.as_slice())
        .bind(to_json("query", query)?)
        .bind(int(debit.deadline))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// What was asked by a query of this digest, where we signed a debit for it.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn question(&self, digest: B256) -> Result<Option<Query>> {
        let row = sqlx::query("SELECT query FROM questions WHERE digest = $1")
            .bind(digest.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| from_json("query", row.try_get("query")?)).transpose()
    }

    /// Keeps what books a debit again, before shares are released for it. Where we signed another debit of the order, that signature goes: it
    /// is none over this one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn release_debit(&self, debit: &Debit, quorum: &[Bytes]) -> Result<()> {
        sqlx::query(
            "INSERT INTO debits (order_digest, body, quorum) VALUES ($1, $2, $3)
             ON CONFLICT (order_digest) DO UPDATE SET body = excluded.body, quorum = excluded.quorum,
             signature = CASE WHEN body = excluded.body THEN signature END",
        )
        .bind(debit.order.as_slice())
        .bind(to_json("debit", debit)?)
        .bind(to_json("signatures", &quorum)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// All debits that we signed or released for.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn debits(&self) -> Result<Vec<DebitRow>> {
        let rows = sqlx::query("SELECT * FROM debits ORDER BY order_digest").fetch_all(&self.pool).await?;
        rows.iter().map(debit).collect()
    }

    /// What we signed or released for an order.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn debit(&self, order: B256) -> Result<Option<DebitRow>> {
        let row = sqlx::query("SELECT * FROM debits WHERE order_digest = $1")
            .bind(order.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| debit(&row)).transpose()
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

    /// All snapshots.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn snapshots(&self) -> Result<Vec<SnapshotRow>> {
        let rows = sqlx::query("SELECT * FROM snapshots ORDER BY digest").fetch_all(&self.pool).await?;
        rows.iter().map(snapshot).collect()
    }

    /// Forgets what we signed or released for an order. Its snapshot goes in the next sweep.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_debit(&self, order: B256) -> Result<()> {
        sqlx::query("DELETE FROM debits WHERE order_digest = $1").bind(order.as_slice()).execute(&self.pool).await?;
        Ok(())
    }

    /// Destroys every snapshot that nothing needs. Needed is what `booked` holds, the snapshots of booked debits that are not added up;
    /// what a debit that we keep names; and, until the deadline of its order has passed at `now`, the time of a final block, what we signed
    /// for an order that was then booked over another snapshot: a reorganization may have it booked yet.
    /// Gives the blinders that were destroyed, for [`Store::prove_gone`].
    ///
    /// # Errors
    /// Where the database fails; then nothing was destroyed.
    pub async fn sweep_snapshots(&self, booked: &BTreeSet<B256>, now: u64) -> Result<Vec<Vec<u8>>> {
        let mut tx = self.pool.begin().await?;
        let rows = sqlx::query("SELECT * FROM debits").fetch_all(&mut *tx).await?;
        let rows: Vec<Debit> = rows.iter().map(|row| Ok(debit(row)?.debit)).collect::<Result<_>>()?;
        let named: BTreeSet<B256> = rows.iter().map(|debit| debit.snapshot).collect();
        let open: BTreeSet<B256> = rows.iter().filter(|debit| now <= debit.deadline).map(|debit| debit.order).collect();
        let (mut kept, mut gone) = (BTreeSet::new(), Vec::new());
        for row in sqlx::query("SELECT digest, order_digest, blinder FROM snapshots").fetch_all(&mut *tx).await? {
            let (digest, blinder) = (hash(&row, "digest")?, bytes(&row, "blinder")?);
            if booked.contains(&digest) || named.contains(&digest) || open.contains(&hash(&row, "order_digest")?) {
                kept.insert(blinder);
                continue;
            }
            sqlx::query("DELETE FROM snapshots WHERE digest = $1").bind(digest.as_slice()).execute(&mut *tx).await?;
            gone.push(blinder);
        }
        tx.commit().await?;
        // Two snapshots of one order may have one blinder: it is gone with the last of them.
        gone.retain(|blinder| !kept.contains(blinder));
        Ok(gone)
    }

    /// Keeps a snapshot.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_snapshot(&self, row: &SnapshotRow) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        insert_snapshot(&mut tx, row).await?;
        Ok(tx.commit().await?)
    }
}

async fn insert_snapshot(tx: &mut sqlx::SqliteTransaction<'_>, row: &SnapshotRow) -> Result<()> {
    let ids: Vec<u8> = row.ids.iter().flat_map(|id| id.0.to_be_bytes()).collect();
    sqlx::query(
        "INSERT OR IGNORE INTO snapshots (digest, order_digest, dataset, purpose, cut, cut_time, blinder, ids)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(row.digest.as_slice())
    .bind(row.order.as_slice())
    .bind(i64::from(row.dataset.0))
    .bind(i64::from(row.purpose.0))
    .bind(row.cut.as_slice())
    .bind(int(row.cut_time))
    .bind(row.blinder.as_slice())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn debit(row: &SqliteRow) -> Result<DebitRow> {
    let signature: Option<Vec<u8>> = row.try_get("signature")?;
    let quorum: Option<String> = row.try_get("quorum")?;
    Ok(DebitRow {
        debit: from_json("debit", row.try_get("body")?)?,
        signature: signature.map(Bytes::from),
        quorum: quorum.map(|text| from_json("signatures", &text)).transpose()?,
    })
}

fn snapshot(row: &SqliteRow) -> Result<SnapshotRow> {
    let ids = bytes(row, "ids")?;
    if ids.len() % 8 != 0 {
        return Err(damaged("ids", "not a multiple of 8 bytes"));
    }
    Ok(SnapshotRow {
        digest: hash(row, "digest")?,
        order: hash(row, "order_digest")?,
        dataset: DatasetId(get(row, "dataset")?),
        purpose: Purpose(get(row, "purpose")?),
        cut: hash(row, "cut")?,
        cut_time: get(row, "cut_time")?,
        blinder: hash(row, "blinder")?,
        ids: ids
            .chunks_exact(8)
            .map(|id| ContributionId(id.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use rochdale_core::ids::{Epoch, LicenseId};

    use super::*;
    use crate::retention::RULES;

    #[tokio::test]
    async fn what_was_asked_is_kept_with_the_signature_until_the_last_orders_time_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let query = Query::parse(br#"{"version":1,"dataset":1,"ask":{"kind":"count"},"rho":5000}"#).unwrap();
        let digest = query.digest().unwrap();
        let sign = async |order: u8, deadline: u64| {
            let (license_id, purpose, order) = (LicenseId(1), Purpose(6), B256::with_last_byte(order));
            let snapshot = SnapshotRow {
                digest: order,
                order,
                dataset: DatasetId(1),
                purpose,
                cut: B256::ZERO,
                cut_time: 1,
                blinder: order,
                ids: vec![ContributionId(1)],
            };
            let debit =
                Debit { license_id, order, query_digest: digest, snapshot: order, purpose, rho: 5_000, deadline };
            store.sign_debit(&debit, &[1; 65], &snapshot, &query).await.unwrap()
        };
        assert_eq!(store.question(digest).await.unwrap(), None);
        assert!(sign(1, 200).await && sign(2, 100).await);
        assert_eq!(store.question(digest).await.unwrap(), Some(query.clone()));
        let rule = RULES.iter().find(|rule| rule.table == "questions").unwrap();
        assert_eq!(store.expire(rule.delete, Epoch(9), 200).await.unwrap(), 0, "an order of it may be booked at 200");
        assert_eq!(store.expire(rule.delete, Epoch(9), 201).await.unwrap(), 1);
        assert_eq!(store.question(digest).await.unwrap(), None);
    }
}
