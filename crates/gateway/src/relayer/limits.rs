//! One write at a time for each member or admission, and not more of them in a minute than allowed: the relayer's gas
//! is everybody's.
//!
//! Only what took effect counts. What the contract refuses costs no gas, and whoever sends nonsense in a member's name
//! must not use up that member's share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rochdale_api::{Problem, ProblemCode};
use tokio::sync::OwnedMutexGuard;

/// The time that the limit counts over.
const WINDOW: Duration = Duration::from_secs(60);
/// Keys that are remembered before the idle ones are dropped.
const MANY: usize = 10_000;

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

/// Counts what callers cost, by name, over a window.
#[derive(Debug)]
pub struct CallQuota {
    most: u64,
    /// What is counted, in the plural.
    of: &'static str,
    window: Duration,
    counts: Mutex<HashMap<String, (Instant, u64)>>,
}

impl CallQuota {
    /// Allows each name this often in a window.
    #[must_use]
    pub fn new(most: u32, window: Duration) -> Self {
        Self::of("times", most.into(), window)
    }

    /// Allows each name this much of something, named in the plural, in a window.
    #[must_use]
    pub fn of(of: &'static str, most: u64, window: Duration) -> Self {
        Self { most, of, window, counts: Mutex::default() }
    }

    /// Counts one where there is some left: right or wrong, since what is wrong may be a guess.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn take(&self, name: &str) -> Result<(), Problem> {
        self.check(name)?;
        self.spend(name);
        Ok(())
    }

    /// Whether there is some left.
    ///
    /// # Errors
    /// A problem where there is none.
    pub fn check(&self, name: &str) -> Result<(), Problem> {
        self.check_at(name, Instant::now())
    }

    fn check_at(&self, name: &str, now: Instant) -> Result<(), Problem> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((since, count)) = counts.get(name) else { return Ok(()) };
        if *count < self.most || now.duration_since(*since) >= self.window {
            return Ok(());
        }
        let minutes = self.window.as_secs() / 60;
        let detail = format!("{name}: more than {} {} within {minutes} minutes", self.most, self.of);
        Err(Problem::new(ProblemCode::TooManyRequests, detail))
    }

    /// Counts one.
    pub fn spend(&self, name: &str) {
        self.add(name, 1);
    }

    /// Counts this much.
    pub fn add(&self, name: &str, much: u64) {
        let now = Instant::now();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() > MANY {
            counts.retain(|_, (since, _)| now.duration_since(*since) < self.window);
        }
        let count = counts.entry(name.to_owned()).or_insert((now, 0));
        if now.duration_since(count.0) >= self.window {
            *count = (now, 0);
        }
        count.1 = count.1.saturating_add(much);
    }
}

/// Permission to write; the next one of the same key waits until it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    limiter: &'a Limiter,
    name: String,
    _guard: OwnedMutexGuard<()>,
}

impl Turn<'_> {
    /// Counts a write that took effect.
    pub fn spend(&self) {
        self.limiter.with(&self.name, Instant::now(), |key| key.count += 1);
    }
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
    pub async fn turn(&self, name: &str) -> Result<Turn<'_>, Problem> {
        let turn = self.unlimited(name).await;
        self.check(name, Instant::now())?;
        Ok(turn)
    }

    /// Waits for the key's turn, however many it had: for what must never be refused.
    pub async fn unlimited(&self, name: &str) -> Turn<'_> {
        let turn = self.with(name, Instant::now(), |key| Arc::clone(&key.turn));
        Turn { limiter: self, name: name.to_owned(), _guard: turn.lock_owned().await }
    }

    fn check(&self, name: &str, now: Instant) -> Result<(), Problem> {
        let (count, since) = self.with(name, now, |key| (key.count, key.since));
        if count < self.per_minute {
            return Ok(());
        }
        let left = WINDOW.saturating_sub(now.duration_since(since)).as_secs() + 1;
        let detail = format!("{name}: more than {} writes in a minute", self.per_minute);
        Err(Problem::new(ProblemCode::TooManyRequests, detail).hint(format!("wait {left} s")))
    }

    fn with<T>(&self, name: &str, now: Instant, look: impl FnOnce(&mut Key) -> T) -> T {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() > MANY {
            keys.retain(|_, k| now.duration_since(k.since) < WINDOW || Arc::strong_count(&k.turn) > 1);
        }
        let key = keys.entry(name.to_owned()).or_insert_with(|| Key { since: now, count: 0, turn: Arc::default() });
        if now.duration_since(key.since) >= WINDOW {
            (key.since, key.count) = (now, 0);
        }
        look(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_has_its_share_of_each_minute() {
        let limiter = Limiter::new(2);
        let start = Instant::now();
        for _ in 0..5 {
            // What was refused does not count.
            drop(limiter.turn("member 1").await.unwrap());
        }
        limiter.turn("member 1").await.unwrap().spend();
        limiter.turn("member 1").await.unwrap().spend();
        let problem = limiter.turn("member 1").await.unwrap_err();
        assert_eq!((problem.code, problem.status), (ProblemCode::TooManyRequests, 429));
        limiter.turn("member 2").await.unwrap();
        drop(limiter.unlimited("member 1").await);
        limiter.check("member 1", start + 2 * WINDOW).unwrap();
    }

    #[test]
    fn a_quota_begins_anew_after_its_window() {
        let quota = CallQuota::new(1, 60 * WINDOW);
        quota.check("address 192.0.2.7").unwrap();
        quota.spend("address 192.0.2.7");
        let problem = quota.check("address 192.0.2.7").unwrap_err();
        assert!(problem.detail.contains("more than 1 times within 60 minutes"), "{problem}");
        quota.check("address 192.0.2.8").unwrap();
        quota.check_at("address 192.0.2.7", Instant::now() + 60 * WINDOW).unwrap();
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
