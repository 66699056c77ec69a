//! Published sizes.

use rochdale_api::order::PublishedSize;
use rochdale_core::ids::{DatasetId, Epoch, Purpose};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, damaged, int};

impl Store {
    /// The sizes that were counted at an epoch's cut, by dataset and purpose.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn sizes(&self, epoch: Epoch) -> Result<Vec<PublishedSize>> {
        let rows = sqlx::query("SELECT * FROM sizes WHERE epoch = $1 ORDER BY dataset, purpose")
            .bind(i64::from(epoch.0))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(size).collect()
    }

    /// The sizes of the newest epoch up to `epoch` of which any are kept.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn newest_sizes(&self, epoch: Epoch) -> Result<Vec<PublishedSize>> {
        let newest = sqlx::query("SELECT MAX(epoch) AS epoch FROM sizes WHERE epoch <= $1");
        let newest: Option<i64> = newest.bind(i64::from(epoch.0)).fetch_one(&self.pool).await?.try_get("epoch")?;
        match newest.and_then(|epoch| u32::try_from(epoch).ok()) {
            Some(epoch) => self.sizes(Epoch(epoch)).await,
            None => Ok(Vec::new()),
        }
    }

    /// Keeps sizes; one that is kept already stays as it was.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_sizes(&self, sizes: &[PublishedSize]) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        for size in sizes {
            sqlx::query("INSERT OR IGNORE INTO sizes (dataset, purpose, epoch, members) VALUES ($1, $2, $3, $4)")
                .bind(i64::from(size.dataset.0))
                .bind(i64::from(size.purpose.0))
                .bind(i64::from(size.epoch.0))
                .bind(int(size.members))
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }
}

fn size(row: &SqliteRow) -> Result<PublishedSize> {
    let number = |column: &'static str| -> Result<i64> { Ok(row.try_get(column)?) };
    let wrong = |value: i64| damaged("a published size", value);
    let (dataset, purpose) = (number("dataset")?, number("purpose")?);
    let (epoch, members) = (number("epoch")?, number("members")?);
    Ok(PublishedSize {
        dataset: DatasetId(dataset.try_into().map_err(|_| wrong(dataset))?),
        purpose: Purpose(purpose.try_into().map_err(|_| wrong(purpose))?),
        epoch: Epoch(epoch.try_into().map_err(|_| wrong(epoch))?),
        members: members.try_into().map_err(|_| wrong(members))?,
    })
}
