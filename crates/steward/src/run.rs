//! Wires the duties into one process.

use std::future::Future;
use std::sync::Arc;

use rochdale_api::server;
use rochdale_chain::client::{Clock, SystemClock};
use rochdale_node::metrics;
use tokio::sync::watch;

use crate::config::Config;
use crate::http;
use crate::steward::{StartError, Steward};

/// Why a steward ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It cannot listen.
    #[error(transparent)]
    Serve(#[from] std::io::Error),
}

/// Runs a steward until `stop` completes: serves, works, and closes the database when both have ended.
///
/// # Errors
/// Where something that the configuration names does not fit, or the address is taken.
pub async fn run(config: Config, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), RunError> {
    let steward = Steward::open(config, Arc::new(SystemClock::default()) as Arc<dyn Clock>).await?;
    serve(steward, stop).await
}

/// Runs a steward that is open already.
///
/// # Errors
/// Where the address is taken.
pub async fn serve(steward: Arc<Steward>, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), RunError> {
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        stop.await;
        tell.send_replace(true);
    });
    let stopped = |mut told: watch::Receiver<bool>| async move {
        // The sender is gone only when it has told.
        let _ = told.wait_for(|stop| *stop).await;
    };
    metrics::serve(steward.config.metrics_listen, steward.config.data_dir.clone()).await?;
    let worker = steward.clone();
    let work = tokio::spawn({
        let stopped = stopped(told.clone());
        async move { worker.work(stopped).await }
    });
    let served = server::serve(steward.config.listen, http::router(steward.clone()), stopped(told)).await;
    work.abort();
    // Aborted or ended, it is out of the store; a panic was logged where it happened.
    let _ = work.await;
    steward.store.close().await;
    Ok(served?)
}
