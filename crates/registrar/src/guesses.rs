//! Wrong applications are counted, all of them together: the codes are long enough that nobody finds one by trying, and what is counted
//! here keeps whoever tries from being told much, or from filling the log. Right ones are never refused for them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rochdale_api::{Problem, ProblemCode};

/// Wrong applications of a minute that are told what is wrong.
pub const A_MINUTE: u32 = 30;
const MINUTE: Duration = Duration::from_secs(60);

/// Counts them.
#[derive(Debug, Default)]
pub struct Guesses(Mutex<Option<(Instant, u32)>>);

impl Guesses {
    /// Counts one that was wrong, and gives what its sender is told: `told`, or, after too many, that there were too many.
    pub fn wrong(&self, told: Problem) -> Problem {
        self.wrong_at(told, Instant::now())
    }

    fn wrong_at(&self, told: Problem, now: Instant) -> Problem {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = match *counted {
            Some((since, count)) if now.duration_since(since) < MINUTE => (since, count + 1),
            _ => (now, 1),
        };
        *counted = Some((since, count));
        if count <= A_MINUTE {
            return told;
        }
        let detail = format!("more than {A_MINUTE} applications of this minute named no invitation or proved no code");
        Problem::new(ProblemCode::TooManyRequests, detail)
            .hint("read the code again, letter by letter, and wait a minute")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_minute_are_told_what_is_wrong_and_the_next_minute_begins_anew() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let wrong = |now| guesses.wrong_at(Problem::new(ProblemCode::NotFound, "no such invitation"), now).code;
        for _ in 0..A_MINUTE {
            assert_eq!(wrong(start), ProblemCode::NotFound);
        }
        assert_eq!(wrong(start), ProblemCode::TooManyRequests);
        assert_eq!(wrong(start + MINUTE), ProblemCode::NotFound);
    }
}
