//! A process with two routes, and a proxy that meddles with what passes.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use alloy::primitives::{Address, U256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::Eip712Domain;
use axum::extract::FromRef;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use rochdale_api::auth::{self, Identity};
use rochdale_api::client::Client;
use rochdale_api::route::{Call, Sealed};
use rochdale_api::server::{Answer, Signed, Verifier, answering};
use rochdale_api::{Problem, ProblemCode};
use rochdale_crypto::SealingKeyPair;
use rochdale_node::sealed::{Opens, SealedBody, Sealer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Block time of these tests.
pub const NOW: u64 = 10_000;

pub fn domain() -> Eip712Domain {
    auth::domain(31_337, Address::repeat_byte(7))
}

pub fn key(n: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_slice(&[n; 32]).unwrap()
}

pub fn sealing(n: u8) -> SealingKeyPair {
    SealingKeyPair::from_secret(&[n; 32])
}

/// Sums.
pub fn sum() -> Call<Vec<u64>, u64> {
    Call::unlisted("POST", "/sum")
}

/// Sums, sealed.
pub fn sealed() -> Call<Sealed<Vec<u64>>, u64> {
    Call::unlisted("POST", "/sealed")
}

/// Seven, for anyone.
pub fn open() -> Call<(), u64> {
    Call::unlisted("GET", "/open")
}

/// Keys 1 to 3 are stewards, 2 is this one.
pub struct Process {
    domain: Eip712Domain,
    sealing: SealingKeyPair,
    nonces: Mutex<HashSet<U256>>,
}

impl Verifier for Process {
    fn domain(&self) -> &Eip712Domain {
        &self.domain
    }
    fn audience(&self) -> Address {
        key(2).address()
    }
    fn now(&self) -> Answer<'_, u64> {
        Box::pin(async { Ok(NOW) })
    }
    fn admit<'a>(&'a self, signer: Address, _: &'a str, _: &'a str) -> Answer<'a, ()> {
        let known = (1..=3).any(|n| key(n).address() == signer);
        let refusal = move || Problem::new(ProblemCode::Forbidden, format!("{signer} is nobody's"));
        Box::pin(async move { known.then_some(()).ok_or_else(refusal) })
    }
    fn use_nonce(&self, _: Address, nonce: U256, _: u64, _: u64) -> Answer<'_, bool> {
        Box::pin(async move { Ok(self.nonces.lock().unwrap().insert(nonce)) })
    }
}

impl Sealer for Process {
    fn opener(&self) -> &dyn Opens {
        &self.sealing
    }
}

#[derive(Clone)]
struct App(Arc<Process>);

impl FromRef<App> for Arc<dyn Verifier> {
    fn from_ref(app: &App) -> Self {
        app.0.clone()
    }
}

impl FromRef<App> for Arc<dyn Sealer> {
    fn from_ref(app: &App) -> Self {
        app.0.clone()
    }
}

async fn summed(signed: Signed<Vec<u64>>) -> Json<u64> {
    Json(signed.body.iter().sum())
}

async fn sealed_sum(sealed: SealedBody<Vec<u64>>) -> Response {
    let sum = sealed.body.iter().sum::<u64>();
    sealed.reply(match sealed.body.iter().find(|id| **id == 0) {
        Some(_) => Err(Problem::new(ProblemCode::ConsentDenied, "member 123456789 denies")),
        None => Ok(sum),
    })
}

/// Serves the process; its address.
pub async fn serve() -> SocketAddr {
    let process = Process { domain: domain(), sealing: sealing(2), nonces: Mutex::default() };
    let router = Router::new()
        .route("/sum", post(summed))
        .route("/sealed", post(sealed_sum))
        .route("/open", get(async || Json(7)))
        .fallback(async || Problem::new(ProblemCode::NotFound, "there is no such path"))
        .with_state(App(Arc::new(process)));
    let router = answering(router, Identity { key: key(2), domain: domain() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A proxy that lets `meddle` change each chunk (`true`: from client to process); its URL.
pub async fn proxy(to: SocketAddr, meddle: impl Fn(bool, &mut Vec<u8>) + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (near, _) = listener.accept().await.unwrap();
            let far = TcpStream::connect(to).await.unwrap();
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(pass(near_in, far_out, true, meddle.clone()));
            tokio::spawn(pass(far_in, near_out, false, meddle.clone()));
        }
    });
    url
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    there: bool,
    meddle: impl Fn(bool, &mut Vec<u8>),
) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        // Head and body of these small messages may come apart.
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        let mut chunk = buffer[..read].to_vec();
        while let Ok(more @ 1..) = from.try_read(&mut buffer) {
            chunk.extend_from_slice(&buffer[..more]);
        }
        meddle(there, &mut chunk);
        if to.write_all(&chunk).await.is_err() {
            return;
        }
    }
}

/// A client of the process behind `url` that signs by key `n`.
pub fn client(url: &str, n: u8) -> Client {
    Client::new(url).unwrap().signing(Identity { key: key(n), domain: domain() }, key(2).address())
}

/// Replaces a part of a message.
pub fn replace(chunk: &mut Vec<u8>, from: &str, to: &str) {
    if let Some(at) = chunk.windows(from.len()).position(|window| window == from.as_bytes()) {
        chunk.splice(at..at + from.len(), to.bytes());
    }
}
