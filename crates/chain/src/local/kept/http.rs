//! The chain's RPC address: what clients ask passes by the process that keeps the chain.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use tokio::net::TcpListener;

use super::KeptChain;

/// Largest request, well above a contract's code.
const MOST_BYTES: usize = 16 << 20;
/// Time between two looks whether a block is due.
const TICK: Duration = Duration::from_secs(1);

/// Serves the chain at the listener and mines its blocks, until the task is dropped.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(chain: Arc<KeptChain>, listener: TcpListener) -> std::io::Result<()> {
    let router = Router::new().route("/", post(answer)).layer(DefaultBodyLimit::max(MOST_BYTES));
    let router = router.with_state(Arc::clone(&chain));
    let mining = async {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = chain.tick().await {
                tracing::warn!(%error, "no block was mined");
            }
        }
    };
    tokio::select! {
        served = async { axum::serve(listener, router).await } => served,
        () = mining => Ok(()),
    }
}

async fn answer(State(chain): State<Arc<KeptChain>>, body: Bytes) -> Response {
    // A task of its own: a client that hangs up must not cut a block off from its note.
    let answered = tokio::spawn(async move { chain.answer(body.to_vec()).await }).await;
    match answered {
        Ok(Ok(answer)) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
