//! Program awards.

use alloy::primitives::U256;
use rochdale_api::settlement::AwardMessage;
use rochdale_core::ids::{Epoch, MemberId};
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, amount, bytes, damaged, get};

impl Store {
    /// Keeps an award, once; none of a member who erased everything.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_award(&self, award: &AwardMessage) -> Result<()> {
        sqlx::query(
            "INSERT OR IGNORE INTO awards (epoch, program, member_id, nonce, points, signature)
             SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE member_id = $3)",
        )
        .bind(i64::from(award.epoch.0))
        .bind(i64::from(award.program))
        .bind(i64::from(award.member_id.0))
        .bind(award.nonce.to_be_bytes::<32>().to_vec())
        .bind(award.points.to_be_bytes().to_vec())
        .bind(award.signature.to_vec())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The awards of an epoch, by program, member, nonce and points.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn awards(&self, epoch: Epoch) -> Result<Vec<AwardMessage>> {
        let rows = sqlx::query("SELECT * FROM awards WHERE epoch = $1 ORDER BY program, member_id, nonce, points")
            .bind(i64::from(epoch.0))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(award).collect()
    }
}

fn award(row: &SqliteRow) -> Result<AwardMessage> {
    let nonce = bytes(row, "nonce")?;
    Ok(AwardMessage {
        program: get(row, "program")?,
        member_id: MemberId(get(row, "member_id")?),
        epoch: Epoch(get(row, "epoch")?),
        points: amount(row, "points")?,
        nonce: U256::try_from_be_slice(&nonce).ok_or_else(|| damaged("awards", "a nonce of more than 32 bytes"))?,
        signature: bytes(row, "signature")?.into(),
    })
}
