//! Duties that are stopped, and why.

use rochdale_core::ids::Epoch;
use sqlx::Row as _;

use super::{Result, Store, get};

/// A duty that is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halt {
    /// The duty that is halted.
    pub duty: String,
    /// Why, in words that everybody may read.
    pub reason: String,
    /// Epoch and attempt of the proposal on chain that is the cause, where one is.
    pub cause: Option<(Epoch, u32)>,
}

impl Store {
    /// Stops a duty until people have looked; the first reason stands.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn halt(&self, duty: &str, reason: &str) -> Result<()> {
        self.stop(duty, reason, None).await
    }

    /// Stops a duty until a proposal on chain is void, or people have looked; the first reason stands.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn halt_over(&self, duty: &str, reason: &str, epoch: Epoch, attempt: u32) -> Result<()> {
        self.stop(duty, reason, Some((epoch, attempt))).await
    }

    async fn stop(&self, duty: &str, reason: &str, cause: Option<(Epoch, u32)>) -> Result<()> {
        tracing::error!(duty, reason, "halted");
        sqlx::query("INSERT OR IGNORE INTO halts (duty, reason, epoch, attempt) VALUES ($1, $2, $3, $4)")
            .bind(duty)
            .bind(reason)
            .bind(cause.map(|(epoch, _)| i64::from(epoch.0)))
            .bind(cause.map(|(_, attempt)| i64::from(attempt)))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// All duties that are stopped.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn halts(&self) -> Result<Vec<Halt>> {
        let rows = sqlx::query("SELECT * FROM halts ORDER BY duty").fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                let caused = row.try_get::<Option<i64>, _>("epoch")?.is_some();
                let cause = if caused { Some((Epoch(get(row, "epoch")?), get(row, "attempt")?)) } else { None };
                Ok(Halt { duty: row.try_get("duty")?, reason: row.try_get("reason")?, cause })
            })
            .collect()
    }

    /// Why a duty is stopped, where it is.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn halted(&self, duty: &str) -> Result<Option<Halt>> {
        Ok(self.halts().await?.into_iter().find(|halt| halt.duty == duty))
    }

    /// Lets a duty go on; gives what had stopped it.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn lift(&self, duty: &str) -> Result<Option<Halt>> {
        let halt = self.halted(duty).await?;
        sqlx::query("DELETE FROM halts WHERE duty = $1").bind(duty).execute(&self.pool).await?;
        Ok(halt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_an_older_version_wrote_of_members_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        for older in [
            "DROP TABLE differences",
            "ALTER TABLE halts DROP COLUMN epoch",
            "ALTER TABLE halts DROP COLUMN attempt",
            "DELETE FROM _sqlx_migrations WHERE version = 3",
            "INSERT INTO halts (duty, reason) VALUES ('settlement', 'member 7: n: 9'), ('awards', 'two entries')",
        ] {
            sqlx::query(older).execute(&store.pool).await.unwrap();
        }
        store.close().await;
        let store = Store::open(dir.path()).await.unwrap();
        let halts = store.halts().await.unwrap();
        let said: Vec<_> = halts.iter().map(|halt| (halt.duty.as_str(), halt.reason.as_str(), halt.cause)).collect();
        let scrubbed = "a proposal on chain does not recompute from its sheet";
        assert_eq!(said, [("awards", "two entries", None), ("settlement", scrubbed, None)]);
    }
}
