//! Wiring: the server, housekeeping, and a clean stop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rochdale_api::Problem;
use rochdale_api::server::serve;
use rochdale_chain::client::SystemClock;
use rochdale_node::metrics;

use crate::config::Config;
use crate::http::router;
use crate::registrar::{Registrar, StartError};

/// Between two rounds of housekeeping.
const TEND_EVERY: Duration = Duration::from_secs(600);
/// Seconds after its end for which an invitation is kept: whoever comes late is told that it expired.
pub const KEPT: u64 = 30 * 86_400;

/// Why the registrar ended.
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
    let registrar = Registrar::open(config, Arc::new(SystemClock::default())).await?;
    metrics::serve(registrar.config.metrics_listen, registrar.config.data_dir.clone()).await?;
    let tending = tokio::spawn(tend(registrar.clone()));
    let served = serve(registrar.config.listen, router(registrar.clone()), stop).await;
    tending.abort();
    registrar.store.close().await;
    tracing::info!("stopped");
    Ok(served?)
}

async fn tend(registrar: Arc<Registrar>) {
    loop {
        if let Err(problem) = metrics::duty("forget", registrar.forget()).await {
            tracing::warn!(%problem, "old invitations are not forgotten yet; trying again");
        }
        tokio::time::sleep(TEND_EVERY).await;
    }
}

impl Registrar {
    /// Forgets invitations a month after they ended.
    ///
    /// # Errors
    /// Where the RPC does not answer or the database fails.
    pub async fn forget(&self) -> Result<(), Problem> {
        let now = self.at_head().await?.now();
        self.store.forget(now.saturating_sub(KEPT)).await?;
        Ok(())
    }
}
