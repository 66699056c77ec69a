//! Wiring: the server, what an earlier run left open, and a clean stop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rochdale_api::Problem;
use rochdale_api::server::serve;
use rochdale_chain::client::SystemClock;
use rochdale_node::metrics;

use crate::config::Config;
use crate::http::router;
use crate::worker::{StartError, Worker};

/// Between two rounds of housekeeping.
const TEND_EVERY: Duration = Duration::from_secs(10);
/// Rounds after which the vault is listed from its beginning, for what it lacked before.
const RELIST_EVERY: u64 = 360;

/// Why the worker ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Serving ended with an error.
    #[error(transparent)]
    Serve(#[from] std::io::Error),
}

/// Runs until `stop` completes; requests that run then are finished first.
///
/// # Errors
/// Where it cannot start or listen.
pub async fn run(config: Config, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), RunError> {
    let worker = Worker::open(config, Arc::new(SystemClock::default())).await?;
    metrics::serve(worker.config.metrics_listen, worker.config.data_dir.clone()).await?;
    let tending = tokio::spawn(tend(worker.clone()));
    let served = serve(worker.config.listen, router(worker.clone()), stop).await;
    tending.abort();
    // A query that outlived its caller is finished before the store closes.
    let _last = worker.running.write().await;
    worker.store.close().await;
    tracing::info!("stopped");
    Ok(served?)
}

/// Copies the vault, goes on with open orders, forgets in time.
async fn tend(worker: Arc<Worker>) {
    if let Err(problem) = metrics::duty("resume", worker.resume()).await {
        tracing::warn!(%problem, "orders that an earlier run left open wait for the next order");
    }
    for round in 0u64.. {
        if round % RELIST_EVERY == 0 {
            worker.replica.relist();
        }
        if let Err(problem) = metrics::duty("replica", round_of(&worker)).await {
            tracing::warn!(%problem, "the copy of the vault is not up to date; trying again");
        }
        worker.rows.expire();
        tokio::time::sleep(TEND_EVERY).await;
    }
}

async fn round_of(worker: &Worker) -> Result<(), Problem> {
    let mirror = worker.at_head().await?;
    worker.forget_ended(&mirror).await?;
    worker.scrub(share(worker).await).await?;
    worker.replicate(&mirror).await
}

/// How many records a round looks at, so that all had their turn within `replica.scrub_s`.
async fn share(worker: &Worker) -> usize {
    let (held, pass) = (worker.replica.held().await, worker.config.replica.scrub_s.max(1));
    let share = (held as u64).saturating_mul(TEND_EVERY.as_secs()).div_ceil(pass);
    usize::try_from(share).unwrap_or(usize::MAX).min(held)
}
