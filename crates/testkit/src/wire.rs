//! An RPC that answers as late as it is told, and notes what it was asked.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::transports::http::reqwest;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::Value;

/// A wire between a process and its RPC.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Where the process finds the RPC.
    pub url: String,
    inside: Arc<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    upstream: String,
    latency_ms: AtomicU64,
    cut: AtomicBool,
    /// The methods of each request, in their order: one request carries one or many.
    asked: Mutex<Vec<Vec<String>>>,
}

impl Wire {
    /// A wire to an RPC, without a delay.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn to(upstream: String) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let inside = Arc::new(Inside { upstream, ..Inside::default() });
        let router = Router::new().route("/", post(pass)).with_state((Arc::clone(&inside), reqwest::Client::new()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, inside })
    }

    /// From now on each answer takes this long.
    pub fn delay(&self, latency: Duration) {
        let millis = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        self.inside.latency_ms.store(millis, Ordering::SeqCst);
    }

    /// Whether it is cut: then it answers with an error.
    pub fn cut(&self, cut: bool) {
        self.inside.cut.store(cut, Ordering::SeqCst);
    }

    /// What was asked since it was last taken: the methods of each request.
    #[must_use]
    pub fn take(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut *self.inside.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn methods(body: &str) -> Vec<String> {
    let method = |call: &Value| call["method"].as_str().unwrap_or_default().to_owned();
    match serde_json::from_str(body) {
        Ok(Value::Array(calls)) => calls.iter().map(method).collect(),
        Ok(call) => vec![method(&call)],
        Err(_) => Vec::new(),
    }
}

async fn pass(State((wire, http)): State<(Arc<Inside>, reqwest::Client)>, body: String) -> Response {
    wire.asked.lock().unwrap_or_else(PoisonError::into_inner).push(methods(&body));
    tokio::time::sleep(Duration::from_millis(wire.latency_ms.load(Ordering::SeqCst))).await;
    if wire.cut.load(Ordering::SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let sent = http.post(&wire.upstream).header("content-type", "application/json").body(body).send().await;
    match sent {
        Ok(answer) => match answer.text().await {
            Ok(text) => ([("content-type", "application/json")], text).into_response(),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        },
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
