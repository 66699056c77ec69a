//! What a steward does unasked: one loop, in the order of duties. Time is the chain's; the pause between two rounds only
//! says how soon a change is seen.

use std::future::Future;
use std::sync::Arc;

use rochdale_api::Problem;
use rochdale_chain::client::Head;

use rochdale_node::metrics::duty;
use rochdale_node::pace::Pace;

use crate::steward::Steward;

/// What a round need not look at again.
#[derive(Debug, Default)]
struct Seen {
    revision: u64,
    complete: bool,
    /// Of the chain that the last round worked on.
    head: Option<Head>,
}

impl Steward {
    /// Rounds until `stop` completes.
    pub async fn work(self: &Arc<Self>, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        let (mut seen, mut pace) = (Seen::default(), Pace::new(self.config.poll()));
        loop {
            let problems = tokio::select! {
                () = &mut stop => return,
                problems = self.round(&mut seen) => problems,
            };
            for problem in &problems {
                tracing::warn!(%problem, "a job failed, trying again");
            }
            let done = seen.head.filter(|_| problems.is_empty() && seen.complete);
            self.note(|report| report.problems = problems);
            if let Some(mirror) = self.watch.mirror() {
                pace.saw(&mirror.head.latest);
            }
            tokio::select! {
                () = &mut stop => return,
                () = self.pause(&mut pace, done) => {}
            }
        }
    }

    /// Waits until another round may find something to do. Where all was `done` as of a head, an idle steward looks for another head
    /// and for nothing else.
    async fn pause(&self, pace: &mut Pace, done: Option<Head>) {
        let rests = done.is_some() && !pace.is_lively() && self.waits_for_nobody().await;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pace.pause()) => {}
                // What is sent to an idle steward is seen to at once; a busy one comes to it in its next round.
                () = self.stirred.notified(), if !pace.is_lively() => return pace.stirred(),
            }
            let same = rests && self.at_head().await.is_ok_and(|mirror| Some(mirror.head) == done);
            if !same {
                return;
            }
        }
    }

    /// Whether peers have nothing that a round would ask them for.
    async fn waits_for_nobody(&self) -> bool {
        if self.watch.mirror().is_none_or(|mirror| self.is_resharing(&mirror)) || self.has_errands().await {
            return false;
        }
        let status = self.settlement_status().await;
        status.is_ok_and(|status| status.deferred.is_empty() && status.waiting_for.is_none())
    }

    /// One round of all duties; gives what went wrong. A duty that fails does not keep the next from its turn.
    async fn round(self: &Arc<Self>, seen: &mut Seen) -> Vec<String> {
        let mirror = match self.at_head().await {
            Ok(mirror) => mirror,
            Err(problem) => return vec![problem.to_string()],
        };
        seen.head = Some(mirror.head);
        let mut problems = Vec::new();
        if self.seat(&mirror).is_err() {
            // Who left office still has shares, and destroys what members erase.
            if self.office(&mirror).is_ok() {
                turn(&mut problems, "erasure", self.erase_round(&mirror)).await;
                turn(&mut problems, "withdrawals", self.deny_round(&mirror)).await;
            }
            return problems;
        }
        turn(&mut problems, "sealing keys", self.rotate_round(&mirror)).await;
        turn(&mut problems, "erasure", self.erase_round(&mirror)).await;
        turn(&mut problems, "withdrawals", self.deny_round(&mirror)).await;
        if mirror.revision != seen.revision || !seen.complete {
            turn(&mut problems, "catch-up", self.catch_up_round(&mirror, seen.revision == 0)).await;
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
        turn(&mut problems, "resharing", self.reshare_round(&mirror)).await;
        turn(&mut problems, "debits", self.rebook(&mirror)).await;
        turn(&mut problems, "scoring", self.score_round(&mirror)).await;
        turn(&mut problems, "sizes", self.size_round(&mirror, seen.complete)).await;
        turn(&mut problems, "settlement", self.settle_round(&mirror)).await;
        turn(&mut problems, "retention", self.retention_round(&mirror)).await;
        problems
    }
}

/// One turn of a duty; what went wrong is noted.
async fn turn(problems: &mut Vec<String>, name: &'static str, work: impl Future<Output = Result<(), Problem>>) {
    problems.extend(duty(name, work).await.err().map(|problem| format!("{name}: {problem}")));
}
