//! Several RPCs of one chain: one is asked until it does not answer, then the next.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket};
use alloy::transports::http::{Http, reqwest};
use alloy::transports::{TransportError, TransportErrorKind, TransportFut};
use tower_service::Service;

use super::Clock;
use super::error::from_transport;

/// How seldom it is said that nobody answers.
const MINUTE: Duration = Duration::from_secs(60);

/// One of the RPCs, by its address.
#[derive(Clone)]
pub(super) struct Rpc {
    pub transport: Http<reqwest::Client>,
    /// Host and port.
    pub name: Arc<str>,
}

/// What the log was told, by the clock of the chain.
#[derive(Default)]
struct Told {
    /// Since when nobody answers.
    silent: Option<Duration>,
    /// When that was last said, of this time or of one before.
    last: Option<Duration>,
    /// Whether it was said of this time.
    said: bool,
}

/// The RPCs, in the order of the configuration. Clones share which one is asked.
#[derive(Clone)]
pub(super) struct Failover {
    rpcs: Arc<[Rpc]>,
    current: Arc<AtomicUsize>,
    told: Arc<Mutex<Told>>,
    clock: Arc<dyn Clock>,
}

impl Failover {
    /// Asks the first of `rpcs` first.
    pub fn new(rpcs: Vec<Rpc>, clock: Arc<dyn Clock>) -> Self {
        Self { rpcs: rpcs.into(), current: Arc::default(), told: Arc::default(), clock }
    }

    /// Leaves the RPC that is asked now: it answers, but what it says is of no use.
    pub fn leave(&self) {
        if self.rpcs.len() > 1 {
            let left = self.current.load(Ordering::SeqCst);
            self.go_to((left + 1) % self.rpcs.len(), left);
        }
    }

    fn go_to(&self, next: usize, from: usize) {
        // Whoever else found the same out went first.
        if next != from && self.current.compare_exchange(from, next, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            tracing::warn!(left = %self.rpcs[from].name, now = %self.rpcs[next].name, "another RPC is asked from now on");
        }
    }

    async fn ask(self, request: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let first = self.current.load(Ordering::SeqCst);
        let mut last = None;
        for place in (0..self.rpcs.len()).map(|n| (first + n) % self.rpcs.len()) {
            let mut transport = self.rpcs[place].transport.clone();
            match transport.call(request.clone()).await {
                Ok(answer) => {
                    self.go_to(place, first);
                    self.answers();
                    return Ok(answer);
                }
                Err(error) => last = Some(error),
            }
        }
        let error = last.unwrap_or_else(TransportErrorKind::backend_gone);
        self.is_silent(&self.rpcs[first].name, &error);
        Err(error)
    }

    /// Whoever asks is told by an error; the log is told here for all of them, once a minute.
    fn is_silent(&self, rpc: &str, error: &TransportError) {
        let now = self.clock.elapsed();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *told.silent.get_or_insert(now);
        if told.last.is_none_or(|last| now.saturating_sub(last) >= MINUTE) {
            (told.last, told.said) = (Some(now), true);
            let (error, seconds) = (from_transport(rpc, "", error), now.saturating_sub(since).as_secs());
            tracing::warn!(%error, seconds, "no RPC answers; whoever needs the chain tries again");
        }
    }

    fn answers(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(since) = told.silent.take() else { return };
        if std::mem::take(&mut told.said) {
            let seconds = self.clock.elapsed().saturating_sub(since).as_secs();
            tracing::warn!(seconds, "an RPC answers again");
        }
    }
}

impl Service<RequestPacket> for Failover {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> Self::Future {
        Box::pin(self.clone().ask(request))
    }
}
