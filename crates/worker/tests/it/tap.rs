//! What stands between the worker and the gateway: it writes down every call, and lets a test stop one in the middle.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where a call is stopped for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The gateway never hears of it.
    Before,
    /// It takes effect, and the answer is lost.
    After,
}

#[derive(Default)]
pub struct Tap {
    calls: Mutex<Vec<String>>,
    stop: Mutex<Option<(Stop, &'static str)>>,
    stopped: AtomicUsize,
    target: Mutex<String>,
    http: reqwest::Client,
}

impl Tap {
    /// A tap behind an address of its own, and the task that serves it.
    pub async fn open() -> (Arc<Self>, String, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let tap = Arc::new(Self { http, ..Self::default() });
        let router = axum::Router::new().fallback(forward).with_state(tap.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (tap, url, serving)
    }

    pub fn to(&self, target: &str) {
        target.clone_into(&mut self.target.lock().unwrap());
    }

    /// Stops calls to a path from now on, or none.
    pub fn stop(&self, stop: Option<(Stop, &'static str)>) {
        *self.stop.lock().unwrap() = stop;
    }

    /// Every call so far, as `GET /path?query`; forgotten afterwards.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// Calls that were stopped.
    pub fn stopped(&self) -> usize {
        self.stopped.load(Ordering::SeqCst)
    }

    fn stops(&self, at: Stop, path: &str) -> bool {
        let stops = self.stop.lock().unwrap().is_some_and(|(stop, stopped)| (stop, stopped) == (at, path));
        self.stopped.fetch_add(usize::from(stops), Ordering::SeqCst);
        stops
    }
}

async fn forward(State(tap): State<Arc<Tap>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().unwrap().as_str().to_owned();
    tap.calls.lock().unwrap().push(format!("{} {path}", parts.method));
    if tap.stops(Stop::Before, parts.uri.path()) {
        return std::future::pending().await;
    }
    let url = format!("{}{path}", tap.target.lock().unwrap());
    let mut outgoing = tap.http.request(parts.method.clone(), url).body(to_bytes(body, usize::MAX).await.unwrap());
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length") {
        outgoing = outgoing.header(name, value);
    }
    let answer = outgoing.send().await.unwrap();
    if tap.stops(Stop::After, parts.uri.path()) {
        let _took_effect = answer.bytes().await;
        return std::future::pending().await;
    }
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "transfer-encoding") {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}
