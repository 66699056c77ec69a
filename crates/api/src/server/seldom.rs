//! What is not said again and again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How seldom the same thing is said.
const MINUTE: Duration = Duration::from_secs(60);

/// Says the same thing at most once a minute, so that a log that nobody reads for a day holds what happened in it.
/// Texts that differ in numbers alone are the same thing.
#[derive(Debug, Default)]
pub struct Seldom(HashMap<String, Instant>);

impl Seldom {
    /// Whether it is time to say this again.
    pub fn is_due(&mut self, text: &str) -> bool {
        self.is_due_at(text, Instant::now())
    }

    fn is_due_at(&mut self, text: &str, now: Instant) -> bool {
        self.0.retain(|_, since| now.duration_since(*since) < MINUTE);
        let thing: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        if self.0.contains_key(&thing) {
            return false;
        }
        self.0.insert(thing, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_is_said_once_a_minute() {
        let (mut seldom, now) = (Seldom::default(), Instant::now());
        let said =
            |seldom: &mut Seldom, seconds: u64, text: &str| seldom.is_due_at(text, now + Duration::from_secs(seconds));
        assert!(said(&mut seldom, 0, "the head is 61 s old"));
        assert!(!said(&mut seldom, 1, "the head is 62 s old"));
        assert!(said(&mut seldom, 2, "steward 2 does not answer"), "something else");
        assert!(said(&mut seldom, 60, "the head is 121 s old"));
    }
}
