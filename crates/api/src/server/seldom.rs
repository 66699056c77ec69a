//! What is not said again and again.

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// How seldom the same thing is said.
const MINUTE: Duration = Duration::from_secs(60);

/// How an RPC's failure begins, whoever met it and whatever stands before it.
const RPC: &str = "the RPC at ";

/// Fields that say who is meant.
const SUBJECTS: [&str; 2] = ["steward", "peer"];

/// Lets a warning through at most once a minute for one cause and whom it is about, so that a log that nobody reads for a day
/// holds what happened in it. One cause is what the fields `error`, `problem` or `detail` say, whoever says it; without such a
/// field, the whole line. Texts that differ in numbers alone are the same, unless the number is a steward's.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<HashMap<String, Instant>>);

impl Seldom {
    fn is_due_at(&self, text: &str, now: Instant) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, since| now.duration_since(*since) < MINUTE);
        let thing = without_numbers(text);
        if said.contains_key(&thing) {
            return false;
        }
        said.insert(thing, now);
        true
    }
}

impl<S> Filter<S> for Seldom {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        if *event.metadata().level() > Level::WARN {
            return true;
        }
        let mut line = Line::default();
        event.record(&mut line);
        self.is_due_at(&line.thing(), Instant::now())
    }
}

/// The same for texts that differ in times, counts and heights, and another for another steward.
fn without_numbers(text: &str) -> String {
    let mut named = false;
    let words = text.split(' ').map(|word| {
        let kept = if named { word.to_owned() } else { word.replace(|c: char| c.is_ascii_digit(), "") };
        named = word == "steward";
        kept
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What a line says.
#[derive(Default)]
struct Line {
    cause: Option<String>,
    /// Whom it is about, as `steward 2`.
    subject: String,
    all: String,
}

impl Line {
    fn thing(&self) -> String {
        match &self.cause {
            None => format!("{} {}", self.subject, self.all),
            // Two processes of ours put the same failure of an RPC into words of their own before and after it.
            Some(cause) => match cause.find(RPC) {
                Some(at) => cause[at..].split(';').next().unwrap_or_default().to_owned(),
                None => format!("{} {cause}", self.subject),
            },
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if matches!(field.name(), "error" | "problem" | "detail") {
            self.cause = Some(format!("{value:?}"));
        }
        if SUBJECTS.contains(&field.name()) {
            self.subject = format!("steward {value:?}");
        }
        // Writing to a string does not fail.
        let _ = write!(self.all, "{}={value:?} ", field.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

    #[test]
    fn the_same_thing_is_said_once_a_minute() {
        let (seldom, now) = (Seldom::default(), Instant::now());
        let said = |seconds: u64, text: &str| seldom.is_due_at(text, now + Duration::from_secs(seconds));
        assert!(said(0, "the head is 61 s old"));
        assert!(!said(1, "the head is 62 s old"));
        assert!(said(2, "steward 2 does not answer"), "something else");
        assert!(said(60, "the head is 121 s old"));
        assert!(said(61, "steward 3 does not answer"), "another steward");
        assert!(!said(61, "steward 2 does not answer"));
        assert!(
            said(63, "releases: steward 2: the head is 61 s old")
                && said(63, "releases: steward 1: the head is 9 s old")
        );
    }

    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Said {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn one_cause_is_said_once_whoever_meets_it_and_what_is_no_warning_always() {
        let said = Said::default();
        let writer = said.clone();
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(Seldom::default()));
        tracing::subscriber::with_default(subscriber, || {
            let gone = "the RPC at 127.0.0.1:1 does not answer (Connection refused); check that the node runs";
            for turn in 0..3 {
                tracing::warn!(error = %gone, "no RPC answers");
                tracing::warn!(problem = %format!("erasure: chain_unavailable: {gone}"), "a job failed");
                tracing::error!(detail = %format!("{gone} (ask again)"), "answered with a problem");
                tracing::warn!(turn, "something else");
                for steward in 1..=2 {
                    tracing::warn!(steward, "a steward does not answer");
                    tracing::warn!(
                        peer = steward,
                        problem = "its signature is another's",
                        "a peer's scores were refused"
                    );
                }
                tracing::info!("each time");
            }
        });
        let said = String::from_utf8(said.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default();
        let count = |text: &str| said.lines().filter(|line| line.contains(text)).count();
        assert_eq!((count("the RPC at"), count("no RPC answers")), (1, 1), "{said}");
        assert_eq!((count("a steward does not answer"), count("scores were refused")), (2, 2), "{said}");
        assert_eq!((count("something else"), count("each time")), (1, 3), "{said}");
    }
}
