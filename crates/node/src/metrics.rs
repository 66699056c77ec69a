//! Figures of a running service for Prometheus, on a port of its own that only its operator's machines reach.
//!
//! A process is one service, so its figures are the process's, as its log is. Labels are routes as they are written in the OpenAPI
//! document, status codes and names of duties: never an id, an account or a path as somebody asked for it. Whatever is counted is public
//! on chain or about the process alone; nothing that a member gave is.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, http::StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use rochdale_api::trace::RequestId;
use rochdale_chain::client::Head;
use tracing::Instrument as _;

/// Upper bounds of durations, seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0, 120.0];
const CONTENT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Duty {
    duty: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct File {
    file: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Quantity {
    name: &'static str,
}

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;
type Amount = Gauge<f64, AtomicU64>;

/// The process's figures.
struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    request_seconds: Durations<Route>,
    duties: Durations<Duty>,
    failures: Family<Duty, Counter>,
    latest: Gauge,
    finalized: Gauge,
    behind: Amount,
    quantities: Family<Quantity, Gauge>,
    stores: Family<File, Gauge>,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);
/// When the newest block that was seen was made, Unix seconds.
static NEWEST: Mutex<Option<u64>> = Mutex::new(None);

fn durations() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::with_prefix("rochdale");
        let requests = Family::default();
        registry.register("requests", "Requests that were answered", requests.clone());
        let request_seconds = Durations::new_with_constructor(durations as fn() -> Histogram);
        registry.register("request_seconds", "How long answers took", request_seconds.clone());
        let duties = Durations::new_with_constructor(durations as fn() -> Histogram);
        registry.register("duty_seconds", "How long one turn of a duty took", duties.clone());
        let failures = Family::default();
        registry.register("duty_failures", "Turns of a duty that failed", failures.clone());
        let (latest, finalized) = (Gauge::default(), Gauge::default());
        registry.register("chain_latest_block", "Newest block that was seen", latest.clone());
        registry.register("chain_finalized_block", "Newest final block that was seen", finalized.clone());
        let behind = Amount::default();
        registry.register("chain_age_seconds", "Age of the newest block that was seen", behind.clone());
        let quantities = Family::default();
        registry.register("quantity", "How much of something there is now, by its name", quantities.clone());
        let stores = Family::default();
        registry.register("store_bytes", "Bytes of a file of the data directory", stores.clone());
        Self { registry, requests, request_seconds, duties, failures, latest, finalized, behind, quantities, stores }
    }
}

/// Counts an answer under the route's own form, such as `/v1/members/{id}`.
pub(crate) fn answered(route: Option<&str>, method: &axum::http::Method, code: StatusCode, took: Duration) {
    let route = route.unwrap_or("none").to_owned();
    // A method of a stranger's own making is no label.
    let method = ["GET", "POST", "PUT"].into_iter().find(|known| *known == method.as_str()).unwrap_or("other");
    METRICS.request_seconds.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
    METRICS.requests.get_or_create(&Answered { route, method, code: code.as_u16() }).inc();
}

/// One turn of a duty: a span at info, with a request id of its own that its calls to others carry; timed, and counted where it fails.
///
/// # Errors
/// Those of `work`.
pub async fn duty<T, E>(duty: &'static str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let start = Instant::now();
    let request = RequestId::random();
    let span = tracing::info_span!("duty", duty, request = request.as_str());
    let done = request.within(work).instrument(span).await;
    METRICS.duties.get_or_create(&Duty { duty }).observe(start.elapsed().as_secs_f64());
    if done.is_err() {
        METRICS.failures.get_or_create(&Duty { duty }).inc();
    }
    done
}

/// Notes how much of something there is now, such as `settled_epoch` or `queued_contributions`.
pub fn note(name: &'static str, amount: u64) {
    METRICS.quantities.get_or_create(&Quantity { name }).set(i64::try_from(amount).unwrap_or(i64::MAX));
}

/// Notes what was seen of the chain.
pub fn saw(head: &Head) {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    METRICS.latest.set(signed(head.latest.number));
    METRICS.finalized.set(signed(head.finalized.number));
    *NEWEST.lock().unwrap_or_else(PoisonError::into_inner) = Some(head.latest.timestamp);
}

/// What a scrape gets.
#[must_use]
pub fn render(data_dir: &Path) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    if let Some(newest) = *NEWEST.lock().unwrap_or_else(PoisonError::into_inner) {
        METRICS.behind.set(now.as_secs_f64() - Duration::from_secs(newest).as_secs_f64());
    }
    for file in std::fs::read_dir(data_dir).into_iter().flatten().filter_map(Result::ok) {
        let file_name = file.file_name().to_string_lossy().into_owned();
        let is_store = [".db", ".db-wal"].iter().any(|end| file_name.ends_with(end));
        if let Some(bytes) = file.metadata().ok().filter(|_| is_store).map(|metadata| metadata.len()) {
            METRICS.stores.get_or_create(&File { file: file_name }).set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }
    let mut text = String::new();
    // Writing to a string fails where a metric does not print itself, which its type rules out.
    let _ = encode(&mut text, &METRICS.registry);
    text
}

/// Serves `/metrics` of the stores in `data_dir` until the process ends; nothing where no address is configured.
///
/// # Errors
/// Where the address is taken.
pub async fn serve(listen: Option<SocketAddr>, data_dir: PathBuf) -> std::io::Result<()> {
    let Some(listen) = listen else { return Ok(()) };
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let scrape = move || {
        let data_dir = data_dir.clone();
        async move { scraped(&data_dir) }
    };
    let router = Router::new().route("/metrics", get(scrape));
    tracing::info!(address = %listen, "metrics are served");
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::warn!(%error, "metrics are served no more");
        }
    });
    Ok(())
}

fn scraped(data_dir: &Path) -> Response {
    ([(CONTENT_TYPE, CONTENT)], render(data_dir)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_scrape_has_requests_duties_and_stores_and_no_label_of_a_stranger() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("steward.db"), [0; 7]).unwrap();
        std::fs::write(dir.path().join("key"), [0; 7]).unwrap();
        let took = Duration::from_millis(3);
        answered(Some("/v1/members/{id}"), &axum::http::Method::GET, StatusCode::OK, took);
        answered(None, &axum::http::Method::from_bytes(b"SECRET").unwrap(), StatusCode::NOT_FOUND, took);
        duty("scoring", async { Err::<(), _>("no") }).await.unwrap_err();
        note("settled_epoch", 7);
        let text = render(dir.path());
        for line in [
            r#"rochdale_requests_total{route="/v1/members/{id}",method="GET",code="200"} 1"#,
            r#"rochdale_requests_total{route="none",method="other",code="404"} 1"#,
            r#"rochdale_duty_failures_total{duty="scoring"} 1"#,
            r#"rochdale_quantity{name="settled_epoch"} 7"#,
            r#"rochdale_store_bytes{file="steward.db"} 7"#,
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("SECRET") && !text.contains(r#"file="key""#));
    }
}
