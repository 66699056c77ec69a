//! Wiring: the server, what an earlier run left open, and a clean stop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rochdale_api::server::serve;
use rochdale_chain::client::SystemClock;

use crate::config::Config;
use crate::http::router;
use crate::worker::{StartError, Worker};

/// Between two looks for rows to forget.
const EXPIRE_EVERY: Duration = Duration::from_secs(30);

/// Why the worker ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The listener.
    #[error(transparent)]
    Serve(#[from] std::io::Error),
}

/// Runs until `stop` completes; requests that run then are finished first.
///
/// # Errors
/// Where it cannot start or listen.
pub async fn run(config: Config, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), RunError> {
    let worker = Worker::open(config, Arc::new(SystemClock::default())).await?;
    let tending = tokio::spawn(tend(worker.clone()));
    let served = serve(worker.config.listen, router(worker.clone()), stop).await;
    tending.abort();
    // A query that outlived its caller is finished before the store closes.
    let _last = worker.working.lock().await;
    worker.store.close().await;
    tracing::info!("stopped");
    Ok(served?)
}

/// Goes on with open orders, then forgets rows in time.
async fn tend(worker: Arc<Worker>) {
    if let Err(problem) = worker.resume().await {
        tracing::warn!(%problem, "orders that an earlier run left open wait for the next order");
    }
    loop {
        tokio::time::sleep(EXPIRE_EVERY).await;
        worker.rows.expire();
    }
}
