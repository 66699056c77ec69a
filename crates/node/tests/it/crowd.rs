//! Many connections that say nothing are the ones that are lost.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use rochdale_api::client::Client;
use rochdale_api::server::{Bounds, serve_on};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::wire::open;

async fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    let mut byte = [0];
    matches!(tokio::time::timeout(within, stream.read(&mut byte)).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn eleven_hundred_half_open_connections_are_not_noticed_by_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let router = Router::new().route("/open", get(async || "7"));
    let serving = tokio::spawn(serve_on(listener, router, Bounds::default(), async {
        let _ = stopped.await;
    }));
    let client = Client::new(&format!("http://{address}")).unwrap();
    assert_eq!(client.get(open()).await.unwrap(), 7);

    let opened = Instant::now();
    let mut half_open = Vec::new();
    for _ in 0..1_100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /open HTTP/1.1\r\nhost: a\r\nx-slow: ").await.unwrap();
        half_open.push(stream);
        if half_open.len().is_multiple_of(100) {
            // They come from the same address, which is the worst case.
            let start = Instant::now();
            let fresh = Client::new(&format!("http://{address}")).unwrap();
            assert_eq!(fresh.get(open()).await.unwrap(), 7);
            assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        }
    }
    let mut open = 0;
    for stream in &mut half_open {
        open += usize::from(!is_closed(stream, Duration::from_millis(1)).await);
    }
    assert!(open <= Bounds::default().per_address, "{open} are still open");

    // Who stays is cut off once its head has taken too long.
    for stream in &mut half_open {
        let left = Duration::from_secs(20).saturating_sub(opened.elapsed()).max(Duration::from_millis(1));
        assert!(is_closed(stream, left).await, "still open after {:?}", opened.elapsed());
    }
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap().unwrap();
}
