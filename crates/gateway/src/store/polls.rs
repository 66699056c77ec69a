//! Polls and ballots, as members signed them.

use alloy::primitives::{B256, Bytes};
use rochdale_api::poll::{PollView, SignedBallot};
use rochdale_core::ids::MemberId;
use rochdale_core::poll::{Ballot, Poll};

use super::{Store, StoreError, from_json, hash_of, int, to_json, unsigned};

/// What became of a ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is the member's ballot now, or was already.
    Yes,
    /// The member's ballot with this number or a higher one is kept and says something else.
    Other(u32),
}

type PollRow = (Vec<u8>, String, Vec<u8>, i64);
type BallotRow = (u32, u16, u32, i64, Vec<u8>, i64);

impl Store {
    /// Keeps a poll; `false` where it was there.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_poll(&self, id: B256, poll: &Poll, signature: &Bytes) -> Result<bool, StoreError> {
        let body = to_json("a poll", poll)?;
        let done = sqlx::query(
            "INSERT OR IGNORE INTO polls (id, author, closes_at, body, signature) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id.as_slice())
        .bind(poll.author.0)
        .bind(int(poll.closes_at))
        .bind(body)
        .bind(signature.as_ref())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// How many polls of a member close after `now` (block time, seconds).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn open_polls(&self, author: MemberId, now: u64) -> Result<u64, StoreError> {
        let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM polls WHERE author = $1 AND closes_at > $2")
            .bind(author.0)
            .bind(int(now))
            .fetch_one(&self.pool)
            .await?;
        Ok(unsigned(count))
    }

    /// One poll.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn poll(&self, id: B256) -> Result<Option<PollView>, StoreError> {
        let row: Option<PollRow> = sqlx::query_as(
            "SELECT id, body, signature, (SELECT COUNT(*) FROM ballots b WHERE b.poll = p.id) FROM polls p WHERE id = $1",
        )
        .bind(id.as_slice())
        .fetch_optional(&self.pool)
        .await?;
        row.map(view).transpose()
    }

    /// The polls that close last, at most `limit`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn polls(&self, limit: u32) -> Result<Vec<PollView>, StoreError> {
        let rows: Vec<PollRow> = sqlx::query_as(
            "SELECT id, body, signature, (SELECT COUNT(*) FROM ballots b WHERE b.poll = p.id) FROM polls p
             ORDER BY closes_at DESC, id LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(view).collect()
    }

    /// Keeps a ballot unless the member's kept one has the same number or a higher one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_ballot(&self, ballot: &Ballot, signature: &Bytes, now: u64) -> Result<Kept, StoreError> {
        let done = sqlx::query(
            "INSERT INTO ballots (poll, member, choice, sequence, deadline, signature, received_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (poll, member) DO UPDATE SET choice = excluded.choice, sequence = excluded.sequence,
             deadline = excluded.deadline, signature = excluded.signature, received_at = excluded.received_at
             WHERE excluded.sequence > ballots.sequence",
        )
        .bind(ballot.poll.as_slice())
        .bind(ballot.member.0)
        .bind(ballot.choice)
        .bind(ballot.sequence)
        .bind(int(ballot.deadline))
        .bind(signature.as_ref())
        .bind(int(now))
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 1 {
            return Ok(Kept::Yes);
        }
        let (choice, sequence): (u16, u32) =
            sqlx::query_as("SELECT choice, sequence FROM ballots WHERE poll = $1 AND member = $2")
                .bind(ballot.poll.as_slice())
                .bind(ballot.member.0)
                .fetch_one(&self.pool)
                .await?;
        let same = (choice, sequence) == (ballot.choice, ballot.sequence);
        Ok(if same { Kept::Yes } else { Kept::Other(sequence) })
    }

    /// A poll's ballots, by member.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn ballots(&self, poll: B256) -> Result<Vec<SignedBallot>, StoreError> {
        let rows: Vec<BallotRow> = sqlx::query_as(
            "SELECT member, choice, sequence, deadline, signature, received_at FROM ballots WHERE poll = $1 ORDER BY member",
        )
        .bind(poll.as_slice())
        .fetch_all(&self.pool)
        .await?;
        let read = |(member, choice, sequence, deadline, signature, received_at): BallotRow| SignedBallot {
            ballot: Ballot { poll, member: MemberId(member), choice, sequence, deadline: unsigned(deadline) },
            signature: signature.into(),
            received_at: unsigned(received_at),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// Forgets what erased members answered; returns the number of ballots.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_ballots(&self) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "DELETE FROM ballots WHERE EXISTS
             (SELECT 1 FROM events e WHERE e.kind = 'erased' AND e.member = ballots.member)",
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }
}

fn view((id, body, signature, ballots): PollRow) -> Result<PollView, StoreError> {
    let poll = from_json("a poll", &body)?;
    Ok(PollView { id: hash_of(&id, "a poll's id")?, poll, signature: signature.into(), ballots: unsigned(ballots) })
}
