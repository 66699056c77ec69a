//! Withdrawals that were handed to this steward past the gateway.

use rochdale_api::denial::HeldDenial;
use rochdale_api::member::DenyRequest;
use rochdale_core::ids::MemberId;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, bytes, get, int};

impl Store {
    /// Keeps a withdrawal in the place of what the member signed with the same number.
    ///
    /// # Errors
    /// Where the database fails; then nothing may be promised.
    pub async fn put_denial(&self, held: &HeldDenial) -> Result<()> {
        let HeldDenial { erases, taken, request } = held;
        sqlx::query(
            "INSERT OR REPLACE INTO denials (member_id, nonce, erases, deadline, signature, taken)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(i64::from(request.member_id.0))
        .bind(int(request.nonce))
        .bind(i64::from(*erases))
        .bind(int(request.deadline))
        .bind(&request.signature[..])
        .bind(int(*taken))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// All withdrawals, each member's by their numbers.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn denials(&self) -> Result<Vec<HeldDenial>> {
        let rows = sqlx::query("SELECT * FROM denials ORDER BY member_id, nonce").fetch_all(&self.pool).await?;
        rows.iter().map(denial).collect()
    }

    /// Those of one member.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn denials_of(&self, member: MemberId) -> Result<Vec<HeldDenial>> {
        let query = sqlx::query("SELECT * FROM denials WHERE member_id = $1 ORDER BY nonce");
        let rows = query.bind(i64::from(member.0)).fetch_all(&self.pool).await?;
        rows.iter().map(denial).collect()
    }

    /// Forgets one that the chain answered for good.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_denial(&self, member: MemberId, nonce: u64) -> Result<()> {
        let query = sqlx::query("DELETE FROM denials WHERE member_id = $1 AND nonce = $2");
        query.bind(i64::from(member.0)).bind(int(nonce)).execute(&self.pool).await?;
        Ok(())
    }
}

fn denial(row: &SqliteRow) -> Result<HeldDenial> {
    Ok(HeldDenial {
        erases: get::<u8>(row, "erases")? != 0,
        taken: get(row, "taken")?,
        request: DenyRequest {
            member_id: MemberId(get(row, "member_id")?),
            nonce: get(row, "nonce")?,
            deadline: get(row, "deadline")?,
            signature: bytes(row, "signature")?.into(),
        },
    })
}
