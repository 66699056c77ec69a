//! A chain inside this process, on revm: the contracts as they are deployed, no node, no socket, no wall clock.
//!
//! It answers the part of Ethereum's JSON-RPC that the project's chain client asks for, in the same words, so that whoever
//! uses the client cannot tell it from a node. What differs: each transaction is a block of its own, a second after the one
//! before; the base fee stands; headers bind transactions and logs, but the state's root is not computed, so nothing can be
//! proved by it; there is no pool, no reorganization, no blob and no delegation of accounts.

mod blocks;
mod rpc;
mod state;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use alloy::providers::{Provider as _, ProviderBuilder};
use alloy::rpc::client::RpcClient;
use alloy::rpc::json_rpc::{Id, RequestPacket, Response, ResponsePacket, ResponsePayload};
use alloy::transports::{TransportError, TransportFut};
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use rochdale_chain::client::{Chain, ChainError, ChainOptions, ManualClock};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tower_service::Service;

use blocks::Blocks;

/// A handle on a chain in this process. Clones share it.
#[derive(Clone)]
pub struct Evm(Arc<Mutex<Blocks>>);

impl Evm {
    /// A chain whose first block is empty, with a timestamp in unix seconds.
    #[must_use]
    pub fn new(chain_id: u64, genesis: u64) -> Self {
        Self(Arc::new(Mutex::new(Blocks::new(chain_id, genesis))))
    }

    /// The chain client on it. Its head is never stale: nobody but its users moves it.
    ///
    /// # Errors
    /// Never, in practice: where the chain does not name its id.
    pub async fn connect(&self) -> Result<Chain, ChainError> {
        let chain_id = self.with(|blocks| blocks.chain_id());
        let client = RpcClient::new(self.clone(), true);
        let provider = ProviderBuilder::new().disable_recommended_fillers().connect_client(client).erased();
        let clock = Arc::new(ManualClock::default());
        Chain::over(provider, "the chain in this process", ChainOptions::new(chain_id), clock).await
    }

    /// Serves it by HTTP on a free port of loopback, for programs that are not in this process, until the runtime ends;
    /// returns the URL.
    ///
    /// # Errors
    /// Where there is no port.
    pub async fn serve(&self) -> std::io::Result<String> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().route("/", post(by_http)).with_state(self.clone());
        tokio::spawn(async move {
            // It ends with the process; until then a connection that fails is that caller's own.
            let _ = axum::serve(listener, router).await;
        });
        Ok(url)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Blocks) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, id: Id, method: &str, params: Option<&RawValue>) -> Response {
        let payload = match self.with(|blocks| rpc::answer(blocks, method, params)) {
            Ok(answer) => ResponsePayload::Success(answer),
            Err(error) => ResponsePayload::Failure(error),
        };
        Response { id, payload }
    }
}

impl Service<RequestPacket> for Evm {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> Self::Future {
        let evm = self.clone();
        Box::pin(async move {
            let one = |asked: &alloy::rpc::json_rpc::SerializedRequest| {
                evm.answer(asked.id().clone(), asked.method(), asked.params())
            };
            Ok(match &request {
                RequestPacket::Single(asked) => ResponsePacket::Single(one(asked)),
                RequestPacket::Batch(asked) => ResponsePacket::Batch(asked.iter().map(one).collect()),
            })
        })
    }
}

/// A request as it comes by HTTP.
#[derive(Deserialize)]
struct Asked {
    id: Id,
    method: String,
    #[serde(default)]
    params: Option<Box<RawValue>>,
}

/// One request, or several in a list.
async fn by_http(State(evm): State<Evm>, body: Bytes) -> Json<serde_json::Value> {
    let one = |asked: Asked| evm.answer(asked.id, &asked.method, asked.params.as_deref());
    let shown = |response: &Response| serde_json::to_value(response).unwrap_or_default();
    let unread = || shown(&Response::parse_error(Id::None));
    Json(if body.trim_ascii_start().starts_with(b"[") {
        match serde_json::from_slice::<Vec<Asked>>(&body) {
            Ok(all) => all.into_iter().map(|asked| shown(&one(asked))).collect(),
            Err(_) => unread(),
        }
    } else {
        serde_json::from_slice::<Asked>(&body).map_or_else(|_| unread(), |asked| shown(&one(asked)))
    })
}
