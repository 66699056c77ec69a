//! How often a process looks at the chain unasked: often while blocks come, seldom on an idle chain.

use std::time::{Duration, Instant};

use rochdale_chain::client::BlockRef;

/// The pause of an idle process: what ends it is a block, which is seen so late at most, or whatever wakes the process.
pub const IDLE: Duration = Duration::from_secs(5);
/// How long a process goes on as before after something happened.
const LIVELY: Duration = Duration::from_secs(10);
/// Blocks that are this far apart, by the clock here, are an idle chain's own.
const APART: Duration = Duration::from_secs(8);
/// A block whose time is this many seconds after the one before says that time was moved.
const JUMP: u64 = 60;

/// Decides on the pause.
#[derive(Debug)]
pub struct Pace {
    busy: Duration,
    newest: Option<(u64, u64, Instant)>,
    lively_until: Instant,
}

impl Pace {
    /// With the pause of a process that has something to do.
    #[must_use]
    pub fn new(busy: Duration) -> Self {
        Self { busy, newest: None, lively_until: Instant::now() + LIVELY }
    }

    /// Something happened that is not on the chain yet.
    pub fn stirred(&mut self) {
        self.stirred_at(Instant::now());
    }

    fn stirred_at(&mut self, now: Instant) {
        self.lively_until = now + LIVELY;
    }

    /// The newest block, as a look saw it.
    pub fn saw(&mut self, latest: &BlockRef) {
        self.saw_at(latest.number, latest.timestamp, Instant::now());
    }

    fn saw_at(&mut self, number: u64, timestamp: u64, now: Instant) {
        match self.newest {
            Some((known, ..)) if known == number => return,
            Some((_, time, at)) => {
                let idles = now.duration_since(at) >= APART && timestamp.saturating_sub(time) < JUMP;
                if !idles {
                    self.stirred_at(now);
                }
            }
            None => {}
        }
        self.newest = Some((number, timestamp, now));
    }

    /// Whether something happened a moment ago.
    #[must_use]
    pub fn is_lively(&self) -> bool {
        Instant::now() < self.lively_until
    }

    /// The pause before the next look.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.pause_at(Instant::now())
    }

    fn pause_at(&self, now: Instant) -> Duration {
        if now < self.lively_until { self.busy } else { self.busy.max(IDLE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: Duration = Duration::from_millis(150);

    #[test]
    fn a_chain_that_only_ticks_lets_processes_sleep_and_whatever_happens_wakes_them() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut pace = Pace::new(BUSY);
        assert_eq!(pace.pause_at(at(1)), BUSY, "it just started");
        for tick in 1..=5 {
            pace.saw_at(tick, 1_000 + 15 * tick, at(15 * tick));
            pace.saw_at(tick, 1_000 + 15 * tick, at(15 * tick + 5));
            assert_eq!(pace.pause_at(at(15 * tick + 6)), IDLE, "a block every quarter of a minute is nothing");
        }
        pace.saw_at(6, 1_077, at(77));
        assert_eq!(pace.pause_at(at(78)), BUSY, "a block soon after another");
        assert_eq!(pace.pause_at(at(88)), IDLE);
        pace.saw_at(7, 5_000_000, at(100));
        assert_eq!(pace.pause_at(at(101)), BUSY, "time was moved");
        pace.stirred_at(at(200));
        assert_eq!((pace.pause_at(at(209)), pace.pause_at(at(211))), (BUSY, IDLE));
        let slow = Pace::new(Duration::from_secs(9));
        assert_eq!(slow.pause_at(at(1_000)), Duration::from_secs(9), "never sooner than while busy");
    }
}
