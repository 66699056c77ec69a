//! Several RPCs of one chain: one is asked until it does not answer, then the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket};
use alloy::transports::http::{Http, reqwest};
use alloy::transports::{TransportError, TransportErrorKind, TransportFut};
use tower_service::Service;

/// One of the RPCs, by its address.
#[derive(Clone)]
pub(super) struct Rpc {
    pub transport: Http<reqwest::Client>,
    /// Host and port.
    pub name: Arc<str>,
}

/// The RPCs, in the order of the configuration. Clones share which one is asked.
#[derive(Clone)]
pub(super) struct Failover {
    rpcs: Arc<[Rpc]>,
    current: Arc<AtomicUsize>,
}

impl Failover {
    /// Asks the first of `rpcs` first.
    pub fn new(rpcs: Vec<Rpc>) -> Self {
        Self { rpcs: rpcs.into(), current: Arc::default() }
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
                    return Ok(answer);
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(TransportErrorKind::backend_gone))
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
