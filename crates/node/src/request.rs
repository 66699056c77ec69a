//! A request as it passes a service: it has a name ([`rochdale_api::trace`]), is counted, and looks at the chain once.
//!
//! What its guard saw is what its handler sees first.
//!
//! The guard's look may be shared with whoever asks at the same time; it never began before the request came. A handler's
//! second look is a new one: by then it may have done something that it wants to see.

use std::cell::Cell;
use std::future::Future;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use rochdale_api::trace::{self, RequestId};
use tracing::Instrument as _;

use crate::metrics;

/// How old a guard's look may be for its handler, a slow RPC included: who sends a body slowly is answered by the chain as it is at its end.
const AS_NEW: Duration = Duration::from_secs(5);

tokio::task_local! {
    /// Since when what was seen of the chain is new enough for this request.
    static SINCE: Cell<Option<Instant>>;
}

/// Layer of a router: every request that passes looks at the chain for itself, has a name, and is counted by its route.
pub async fn scoped(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let given = request.headers().get(trace::HEADER).and_then(|name| name.to_str().ok()).and_then(RequestId::parse);
    let name = given.unwrap_or_else(RequestId::random);
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = request.method().clone();
    let span = tracing::info_span!("request", request = name.as_str(), %method, route);
    let served = async {
        let response = within(next.run(request)).await;
        tracing::debug!(status = response.status().as_u16(), "answered");
        response
    };
    let mut response = name.clone().within(served).instrument(span).await;
    metrics::answered(route.as_deref(), &method, response.status(), start.elapsed());
    if let Ok(name) = HeaderValue::from_str(name.as_str()) {
        response.headers_mut().insert(trace::HEADER, name);
    }
    response
}

/// Runs one request, or what stands for one.
pub async fn within<T>(request: impl Future<Output = T>) -> T {
    SINCE.scope(Cell::new(None), request).await
}

/// Since when a look of the guard has to be: from its first one on, or now.
#[must_use]
pub fn guard() -> Instant {
    let now = Instant::now();
    SINCE.try_with(|since| since.get().unwrap_or_else(|| since.replace(Some(now)).unwrap_or(now))).unwrap_or(now)
}

/// Since when a look of the handler has to be: the first may be the guard's, unless the body that came between them was slow.
#[must_use]
pub fn look() -> Instant {
    let guards = SINCE.try_with(Cell::take).ok().flatten();
    guards.filter(|since| since.elapsed() < AS_NEW).unwrap_or_else(Instant::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handler_whose_body_was_slow_looks_for_itself() {
        within(async {
            let slow = Instant::now().checked_sub(AS_NEW).unwrap();
            SINCE.with(|since| since.set(Some(slow)));
            assert_eq!(guard(), slow);
            assert!(look() > slow);
        })
        .await;
    }

    #[tokio::test]
    async fn the_first_look_of_a_handler_is_its_guards_and_the_second_a_new_one() {
        let before = Instant::now();
        assert!(guard() >= before && look() >= before, "outside of a request each look is its own");
        within(async {
            let first = guard();
            assert_eq!(guard(), first);
            assert_eq!(look(), first);
            let second = look();
            assert!(second > first && look() > second);
        })
        .await;
        within(async {
            let handler = look();
            assert!(guard() > handler, "a look without a guard leaves nothing behind");
        })
        .await;
    }
}
