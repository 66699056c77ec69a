//! What a steward does unasked: one loop, in the order of duties. Time is the chain's; the pause between two rounds only
//! says how soon a change is seen.

use std::future::Future;
use std::sync::Arc;

use rochdale_api::Problem;
use rochdale_api::server::Seldom;

use crate::steward::Steward;

/// What a round need not look at again.
#[derive(Debug, Default)]
struct Seen {
    revision: u64,
    complete: bool,
}

impl Steward {
    /// Rounds until `stop` completes.
    pub async fn work(self: &Arc<Self>, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        let (mut seen, mut seldom) = (Seen::default(), Seldom::default());
        loop {
            let problems = tokio::select! {
                () = &mut stop => return,
                problems = self.round(&mut seen) => problems,
            };
            for problem in problems.iter().filter(|problem| seldom.is_due(problem)) {
                tracing::warn!(%problem, "a job failed, trying again");
            }
            self.note(|report| report.problems = problems);
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(self.config.poll()) => {}
            }
        }
    }

    /// One round of all duties; gives what went wrong. A duty that fails does not keep the next from its turn.
    async fn round(self: &Arc<Self>, seen: &mut Seen) -> Vec<String> {
        let mirror = match self.at_head().await {
            Ok(mirror) => mirror,
            Err(problem) => return vec![problem.to_string()],
        };
        if self.seat(&mirror).is_err() {
            return Vec::new();
        }
        let mut problems = Vec::new();
        let mut note = |duty: &str, done: Result<(), Problem>| {
            problems.extend(done.err().map(|problem| format!("{duty}: {problem}")));
        };
        note("sealing keys", self.rotate_round(&mirror).await);
        note("erasure", self.erase_round(&mirror).await);
        if mirror.revision != seen.revision || !seen.complete {
            note("catch-up", self.catch_up_round(&mirror, seen.revision == 0).await);
            seen.complete = self.is_complete(&mirror).await.unwrap_or(false);
            seen.revision = mirror.revision;
        }
        let caught_up = problems.is_empty();
        match self.await_quiet(&mirror, caught_up) {
            Ok(true) => {}
            // The health page says so, and until when.
            Ok(false) => return problems,
            Err(problem) => {
                problems.push(format!("restore: {problem}"));
                return problems;
            }
        }
        let mut note = |duty: &str, done: Result<(), Problem>| {
            problems.extend(done.err().map(|problem| format!("{duty}: {problem}")));
        };
        note("debits", self.rebook(&mirror).await);
        note("scoring", self.score_round(&mirror).await);
        note("sizes", self.size_round(&mirror, seen.complete).await);
        note("settlement", self.settle_round(&mirror).await);
        note("retention", self.retention_round(&mirror).await);
        problems
    }
}
