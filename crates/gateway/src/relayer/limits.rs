//! One write at a time for each member or admission, and not more of them in a minute than allowed: the relayer's gas
//! is everybody's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rochdale_api::{Problem, ProblemCode};
use tokio::sync::OwnedMutexGuard;

/// The time that the limit counts over.
const WINDOW: Duration = Duration::from_secs(60);
/// Keys that are remembered before the idle ones are dropped.
const MANY: usize = 10_000;

/// Permission to write; the next one of the same key waits until it is dropped.
pub type Turn = OwnedMutexGuard<()>;

/// Counts writes by key.
#[derive(Debug)]
pub struct Limiter {
    per_minute: u32,
    keys: Mutex<HashMap<String, Key>>,
}

#[derive(Debug)]
struct Key {
    since: Instant,
    count: u32,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Limiter {
    /// Allows each key this many writes a minute.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, keys: Mutex::default() }
    }

    /// Waits for the key's turn.
    ///
    /// # Errors
    /// A problem where the key has had its share of this minute.
    pub async fn turn(&self, key: &str) -> Result<Turn, Problem> {
        let turn = self.count(key, Instant::now())?;
        Ok(turn.lock_owned().await)
    }

    fn count(&self, name: &str, now: Instant) -> Result<Arc<tokio::sync::Mutex<()>>, Problem> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() > MANY {
            keys.retain(|_, k| now.duration_since(k.since) < WINDOW || Arc::strong_count(&k.turn) > 1);
        }
        let key = keys.entry(name.to_owned()).or_insert_with(|| Key { since: now, count: 0, turn: Arc::default() });
        if now.duration_since(key.since) >= WINDOW {
            (key.since, key.count) = (now, 0);
        }
        if key.count >= self.per_minute {
            let left = WINDOW.saturating_sub(now.duration_since(key.since)).as_secs() + 1;
            return Err(Problem::new(
                ProblemCode::TooManyRequests,
                format!("{name}: more than {} writes in a minute", self.per_minute),
            )
            .hint(format!("wait {left} s")));
        }
        key.count += 1;
        Ok(Arc::clone(&key.turn))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_has_its_share_of_each_minute() {
        let limiter = Limiter::new(2);
        let start = Instant::now();
        limiter.count("member 1", start).unwrap();
        limiter.count("member 1", start).unwrap();
        let problem = limiter.count("member 1", start + Duration::from_secs(59)).unwrap_err();
        assert_eq!((problem.code, problem.status), (ProblemCode::TooManyRequests, 429));
        limiter.count("member 2", start).unwrap();
        limiter.count("member 1", start + WINDOW).unwrap();
    }

    #[tokio::test]
    async fn turns_of_one_key_follow_each_other() {
        let limiter = Limiter::new(9);
        let turn = limiter.turn("a").await.unwrap();
        let _other = limiter.turn("b").await.unwrap();
        let waiting = limiter.turn("a");
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(Duration::ZERO, &mut waiting).await.is_err());
        drop(turn);
        waiting.await.unwrap();
    }
}
