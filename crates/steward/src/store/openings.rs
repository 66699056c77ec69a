//! The log of openings: to whom our share of a record went so that it could be scored, or to its own member.

use alloy::primitives::Address;
use rochdale_api::custody::{Opening, OpeningReason};
use rochdale_core::ids::{ContributionId, MemberId, StewardId};

use super::{Result, Store, address, damaged, get, int};

const fn code(reason: OpeningReason) -> i64 {
    match reason {
        OpeningReason::Drawn => 0,
        OpeningReason::ScoresDiffer => 1,
        OpeningReason::StandsIn => 2,
        OpeningReason::Owner => 3,
    }
}

impl Store {
    /// Writes down that a scorer, or the record's member as seat 0, gets our share of a record at `at` (seconds of block time).
    ///
    /// # Errors
    /// Where the database fails; then nothing may leave.
    pub async fn note_opening(
        &self,
        contribution: ContributionId,
        member: MemberId,
        (scorer, account): (StewardId, Address),
        reason: OpeningReason,
        at: u64,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO openings (contribution_id, scorer, member_id, reason, first, last, times, account)
             VALUES ($1, $2, $3, $4, $5, $5, 1, $6)
             ON CONFLICT (contribution_id, account) DO UPDATE SET last = excluded.last, times = times + 1",
        )
        .bind(int(contribution.0))
        .bind(i64::from(scorer.0))
        .bind(i64::from(member.0))
        .bind(code(reason))
        .bind(int(at))
        .bind(account.as_slice())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Who got our shares of a member's records.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn openings(&self, member: MemberId) -> Result<Vec<Opening>> {
        let rows = sqlx::query("SELECT * FROM openings WHERE member_id = $1 ORDER BY contribution_id, first, scorer")
            .bind(i64::from(member.0))
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                let reason = match get::<u8>(row, "reason")? {
                    0 => OpeningReason::Drawn,
                    1 => OpeningReason::ScoresDiffer,
                    2 => OpeningReason::StandsIn,
                    3 => OpeningReason::Owner,
                    other => return Err(damaged("reason", other)),
                };
                Ok(Opening {
                    contribution_id: ContributionId(get(row, "contribution_id")?),
                    scorer: StewardId(get(row, "scorer")?),
                    account: address(row, "account")?,
                    reason,
                    first: get(row, "first")?,
                    last: get(row, "last")?,
                    times: get(row, "times")?,
                })
            })
            .collect()
    }
}
