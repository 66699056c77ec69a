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

/// How many polls an author may have.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Open at a time.
    pub open: u32,
    /// Open, or closed within 30 days.
    pub in_a_month: u32,
}

type PollRow = (Vec<u8>, String, Vec<u8>, i64);
type BallotRow = (u32, u16, u32, i64, Vec<u8>, i64);

impl Store {
    /// Keeps a poll, unless its author has the most that it may have at `now` (block time, seconds); `false` where it was there or may not be.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_poll(
        &self,
        id: B256,
        poll: &Poll,
        signature: &Bytes,
        most: Most,
        now: u64,
    ) -> Result<bool, StoreError> {
        let body = to_json("a poll", poll)?;
        let done = sqlx::query(
            "INSERT OR IGNORE INTO polls (id, author, closes_at, body, signature) SELECT $1, $2, $3, $4, $5
             WHERE (SELECT COUNT(*) FROM polls WHERE author = $2 AND closes_at > $6) < $7
             AND (SELECT COUNT(*) FROM polls WHERE author = $2 AND closes_at > $6 - 2592000) < $8",
        )
        .bind(id.as_slice())
        .bind(poll.author.0)
        .bind(int(poll.closes_at))
        .bind(body)
        .bind(signature.as_ref())
        .bind(int(now))
        .bind(most.open)
        .bind(most.in_a_month)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
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

    /// The polls that are open at `now` (block time, seconds), those that close first before others, then the last that closed; at
    /// most `limit` of either. Whoever asks for a year does not hide who asks for a week.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn polls(&self, now: u64, limit: u32) -> Result<Vec<PollView>, StoreError> {
        let rows: Vec<PollRow> = sqlx::query_as(
            "SELECT id, body, signature, (SELECT COUNT(*) FROM ballots b WHERE b.poll = p.id) FROM (
                 SELECT * FROM (SELECT 0 AS part, closes_at AS place, * FROM polls WHERE closes_at > $1 ORDER BY closes_at, id LIMIT $2)
                 UNION ALL
                 SELECT * FROM (SELECT 1, -closes_at, * FROM polls WHERE closes_at <= $1 ORDER BY closes_at DESC, id LIMIT $2)
             ) p ORDER BY part, place, id",
        )
        .bind(int(now))
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

#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_core::poll::House;

    fn poll(author: u32, question: &str, closes_at: u64) -> (B256, Poll) {
        let options = vec!["yes".to_owned(), "no".to_owned()];
        let poll = Poll {
            author: MemberId(author),
            question: question.to_owned(),
            options,
            snapshot_block: 1,
            opens_at: 0,
            closes_at,
            house: House::Members,
        };
        (alloy::primitives::keccak256(question), poll)
    }

    #[tokio::test]
    async fn many_polls_of_a_year_hide_none_of_a_week_and_an_author_has_no_more_than_may_be_open() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let keep = async |(id, poll): &(B256, Poll), now| {
            store.keep_poll(*id, poll, &Bytes::new(), Most { open: 3, in_a_month: 5 }, now).await.unwrap()
        };
        for author in 1..=40 {
            for n in 0..3 {
                assert!(keep(&poll(author, &format!("year {author} {n}"), 1_000_000 + u64::from(author)), 10).await);
            }
        }
        assert!(!keep(&poll(1, "a fourth", 900), 10).await);
        assert!(keep(&poll(77, "a week", 1_000), 10).await);
        let listed = async |now| store.polls(now, 50).await.unwrap().into_iter().map(|view| view.poll.question);
        assert_eq!(listed(10).await.next().unwrap(), "a week");
        // Closed, it stands behind those that are open, and is still found.
        let later: Vec<String> = listed(2_000).await.collect();
        assert_eq!((later.len(), later.last().unwrap().as_str()), (51, "a week"));
        for n in 0..4 {
            assert!(keep(&poll(77, &format!("of a second {n}"), 2_001 + n), 2_000 + n).await);
        }
        assert!(!keep(&poll(77, "a sixth", 3_000), 2_900).await);
        assert!(keep(&poll(77, "after a month", 4_000_000), 3_000_000).await);
    }
}
