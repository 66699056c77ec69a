//! What anyone may read is made once for each state of the chain, however many ask: whoever asks waits for a look at the chain that began
//! after the question, as ever, and is given what was made since the newest block where nobody wrote meanwhile.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alloy::primitives::B256;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use rochdale_api::route::gateway::{
    BUDGET, CONSTITUTION, COOPERATIVE, DATASETS, DELEGATES, EPOCH, KPIS, KPIS_TABLE, LICENSE, LICENSES, LOG, MEMBER,
    MEMBER_REWARDS, MEMBER_VOTES, OPERATIONS, POLLS, PROPOSAL, PROPOSALS, SERVICES, SIZES, TREASURY,
};
use rochdale_api::{Problem, ProblemCode};

use super::AppState;

/// How long an answer is given: what it says of stewards, and what runs in the background, is no block of the chain.
const FOR: Duration = Duration::from_secs(1);
/// How long one waits for another who makes the same answer.
const TURN: Duration = Duration::from_millis(50);
/// Answers that are kept at a time, the longest of them and of their paths in bytes: some 16 MiB together.
const KEPT: usize = 512;
const LONGEST: usize = 32 << 10;
const PATH: usize = 256;
/// Routes whose answer is the newest block's.
const OF_THE_CHAIN: [&str; 18] = [
    CONSTITUTION.path,
    COOPERATIVE.path,
    DATASETS.path,
    DELEGATES.path,
    EPOCH.path,
    KPIS.path,
    KPIS_TABLE.path,
    LICENSE.path,
    LICENSES.path,
    LOG.path,
    MEMBER.path,
    MEMBER_REWARDS.path,
    MEMBER_VOTES.path,
    OPERATIONS.path,
    PROPOSAL.path,
    PROPOSALS.path,
    SERVICES.path,
    TREASURY.path,
];
/// Routes that are answered whether or not the chain is.
const OF_THE_MOMENT: [&str; 3] = [BUDGET.path, POLLS.path, SIZES.path];

/// An answer, and what it was made of.
#[derive(Clone)]
struct View {
    made: Instant,
    head: B256,
    writes: u64,
    headers: HeaderMap,
    body: Bytes,
}

/// Where an answer is kept, and whether the last one was not.
#[derive(Default)]
struct Place {
    view: tokio::sync::Mutex<Option<View>>,
    passes: AtomicBool,
}

/// The answers of the newest state.
#[derive(Default)]
pub struct Views {
    kept: Mutex<HashMap<String, Arc<Place>>>,
    /// Requests that may have changed something, when they were answered.
    writes: AtomicU64,
}

impl std::fmt::Debug for Views {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Views").finish_non_exhaustive()
    }
}

impl Views {
    /// Where the answer to a path is kept. What was kept before goes where it is too much.
    fn place(&self, path: &str) -> Arc<Place> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT && !kept.contains_key(path) {
            kept.clear();
        }
        kept.entry(path.to_owned()).or_default().clone()
    }

    /// A request that may have changed something was answered. Who was refused for what it asked changed nothing.
    fn wrote(&self, status: StatusCode) {
        if !status.is_client_error() {
            self.writes.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// What was made of this block, or is made now.
    async fn given(&self, path: &str, head: B256, make: impl Future<Output = Response>) -> Response {
        let writes = self.writes.load(Ordering::SeqCst);
        let place = self.place(path);
        // Nobody waits for long behind one that a slow steward holds up, nor at all for what is not kept.
        let turn = if place.passes.load(Ordering::Relaxed) { Duration::ZERO } else { TURN };
        let Ok(mut kept) = tokio::time::timeout(turn, place.view.lock()).await else { return make.await };
        let good = |view: &&View| view.head == head && view.writes == writes && view.made.elapsed() < FOR;
        if let Some(view) = kept.as_ref().filter(good) {
            return view.answer();
        }
        let made = Instant::now();
        let (parts, body) = make.await.into_parts();
        let body = match to_bytes(body, usize::MAX).await {
            Ok(body) => body,
            Err(error) => return Problem::new(ProblemCode::Internal, error.to_string()).into_response(),
        };
        let is_kept = parts.status == StatusCode::OK && body.len() <= LONGEST;
        place.passes.store(!is_kept, Ordering::Relaxed);
        *kept = is_kept.then(|| View { made, head, writes, headers: parts.headers.clone(), body: body.clone() });
        Response::from_parts(parts, Body::from(body))
    }
}

/// Layer of the router.
pub async fn kept(State(gateway): State<AppState>, request: Request, next: Next) -> Response {
    let views = &gateway.views;
    if !request.method().is_safe() {
        let response = next.run(request).await;
        views.wrote(response.status());
        return response;
    }
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let (of_the_chain, of_the_moment) = (OF_THE_CHAIN.contains(&route), OF_THE_MOMENT.contains(&route));
    // Only some are asked for by a query; what others carry is no part of the question.
    let uri = request.uri();
    let path = if [LICENSES.path, KPIS.path, KPIS_TABLE.path].contains(&route) {
        uri.path_and_query().map(PathAndQuery::as_str)
    } else {
        Some(uri.path())
    };
    let path = path.unwrap_or_default().to_owned();
    // The log's first page alone: places in it are endless.
    let is_later = route == LOG.path && uri.query().is_some();
    if is_later || *request.method() != Method::GET || !(of_the_chain || of_the_moment) || path.len() > PATH {
        return next.run(request).await;
    }
    let head = if of_the_moment {
        B256::ZERO
    } else {
        match gateway.index.for_guard().await {
            Ok(head) => head.latest.hash,
            Err(problem) => return problem.into_response(),
        }
    };
    views.given(&path, head, next.run(request)).await
}

impl View {
    fn answer(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        response.headers_mut().clone_from(&self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: B256 = B256::repeat_byte(1);

    /// Asks, and says how often the answer was made so far.
    async fn ask(views: &Views, head: B256, made: &AtomicU64, length: usize, pause: Duration) -> u64 {
        let make = async {
            made.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(pause).await;
            Response::new(Body::from(vec![7; length]))
        };
        let answer = views.given("/v1/treasury", head, make).await;
        assert_eq!(to_bytes(answer.into_body(), usize::MAX).await.unwrap().len(), length);
        made.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn an_answer_is_made_once_for_each_block_and_each_write() {
        let (views, made, now) = (Views::default(), AtomicU64::new(0), Duration::from_millis(1));
        let all = (0..64).map(|_| ask(&views, HEAD, &made, 10, now));
        assert!(futures_util::future::join_all(all).await.iter().all(|made| *made == 1));
        views.wrote(StatusCode::BAD_REQUEST);
        assert_eq!(ask(&views, HEAD, &made, 10, now).await, 1, "who is refused changes nothing");
        assert_eq!(ask(&views, B256::ZERO, &made, 10, now).await, 2, "another block");
        assert_eq!(ask(&views, B256::ZERO, &made, 10, now).await, 2);
        views.wrote(StatusCode::OK);
        assert_eq!(ask(&views, B256::ZERO, &made, 10, now).await, 3, "a write");
        tokio::time::sleep(FOR).await;
        assert_eq!(ask(&views, B256::ZERO, &made, 10, now).await, 4, "a second later");
    }

    #[tokio::test]
    async fn nobody_waits_long_behind_another_and_not_at_all_for_what_is_not_kept() {
        let (views, made) = (Views::default(), AtomicU64::new(0));
        let start = Instant::now();
        let slow = ask(&views, HEAD, &made, 10, 10 * TURN);
        let other = async {
            tokio::time::sleep(TURN / 5).await;
            ask(&views, HEAD, &made, 10, Duration::ZERO).await;
            start.elapsed()
        };
        let (_, waited) = tokio::join!(slow, other);
        assert!(waited < 5 * TURN, "{waited:?}");
        // Too long to be kept: made for each who asks, side by side.
        ask(&views, B256::ZERO, &made, LONGEST + 1, Duration::ZERO).await;
        let (before, start) = (made.load(Ordering::SeqCst), Instant::now());
        let all = (0..8).map(|_| ask(&views, B256::ZERO, &made, LONGEST + 1, TURN));
        futures_util::future::join_all(all).await;
        assert_eq!(made.load(Ordering::SeqCst), before + 8);
        assert!(start.elapsed() < 4 * TURN, "{:?}", start.elapsed());
    }
}
