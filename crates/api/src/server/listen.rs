//! Listening within limits, and a clean stop.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service as _;

use super::connections::{Bounds, Connections, Place, Working};
use super::linger::Lingering;

/// How long a request's head may take, and how long a connection may wait for its next request.
const HEAD: Duration = Duration::from_secs(15);
/// How long sent bytes may stay unread.
const UNREAD: Duration = Duration::from_secs(30);
/// Pause after an accept that failed for want of something that time gives back.
const PAUSE: Duration = Duration::from_millis(100);
/// Most bytes of a request's head, and of what is read ahead.
const BUFFER: usize = 64 << 10;
/// Open files that are for other things than connections from outside: the store, the chain, other processes.
const OWN_FILES: usize = 256;
/// Fewer connections than this are no service.
const FEWEST: usize = 64;

/// Completes at SIGTERM or SIGINT.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("signals cannot be heard: stop this process by SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Serves `router` until `stop` completes, then lets running requests finish.
///
/// # Errors
/// Where the address cannot be bound, or too few files may be open.
pub async fn serve(
    address: SocketAddr,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|e| std::io::Error::new(e.kind(), format!("cannot listen on {address}: {e}")))?;
    // The port that was given, where the configuration leaves it to the system.
    tracing::info!(address = %listener.local_addr()?, "listening");
    serve_on(listener, router, Bounds::default(), stop).await
}

/// [`serve`] on a listener that is bound already. Handlers find the peer's address as `ConnectInfo<SocketAddr>`.
///
/// # Errors
/// Where too few files may be open.
pub async fn serve_on(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let connections = Connections::new(within_files(bounds)?);
    let (tell, told) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(place) = connections.enter(holder(peer.ip())) else {
            tracing::debug!(%peer, "refused: requests run on all connections that this address may hold");
            continue;
        };
        tasks.spawn(converse(stream, peer, place, router.clone(), told.clone()));
    }
    tell.send_replace(true);
    drop(listener);
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// One connection from its first byte to its last.
async fn converse(stream: TcpStream, peer: SocketAddr, place: Place, router: Router, told: watch::Receiver<bool>) {
    // Both are for slow networks; without them it is only slower or holds longer.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD));
    let connection = place.connection.clone();
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let working = place.connection.work();
        let mut router = router.clone();
        async move {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let response = match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            Ok::<_, Infallible>(response.map(|body| Answering { body, _working: working }))
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    let mut conversation = pin!(builder.serve_connection(TokioIo::new(Lingering::new(stream)), service));
    let stopping = async {
        let mut told = told;
        // The sender is gone only when it has told.
        let _ = told.wait_for(|stop| *stop).await;
    };
    let ended = tokio::select! {
        ended = conversation.as_mut() => ended,
        () = connection.evicted() => return,
        () = stopping => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

/// Whom an address belongs to: an IPv4 address that arrives on an IPv6 socket is the same address; of IPv6 the network
/// counts, of which its holder has 2^64 addresses.
#[must_use]
pub fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Raises the limit on open files as far as the system lets, and keeps connections within it.
fn within_files(bounds: Bounds) -> std::io::Result<Bounds> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = (bounds.total + OWN_FILES) as u64;
    let files = if soft < wanted && soft < hard {
        let raised = wanted.min(hard);
        setrlimit(Resource::RLIMIT_NOFILE, raised, hard).map_or(soft, |()| raised)
    } else {
        soft
    };
    let total = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(OWN_FILES).min(bounds.total);
    if total < FEWEST {
        let least = FEWEST + OWN_FILES;
        let what = format!("{files} files may be open at a time, {least} are the least: raise the limit (ulimit -n)");
        return Err(std::io::Error::other(what));
    }
    if total < bounds.total {
        tracing::warn!(files, connections = total, wanted = bounds.total, "the limit on open files bounds connections");
    }
    Ok(Bounds { total, ..bounds })
}

/// An answer's body, which keeps its connection busy until it is sent or given up.
struct Answering {
    body: Body,
    _working: Working,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_by_whom_they_belong_to() {
        let of = |text: &str| holder(text.parse().unwrap()).to_string();
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(of("2001:db8::1:2:3:4"), of("2001:db8::9"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
    }

    #[test]
    fn connections_stay_within_the_files_that_may_be_open() {
        let all = within_files(Bounds { per_address: 1, total: usize::MAX / 2 }).unwrap();
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert!(all.total as u64 + OWN_FILES as u64 <= soft);
        let few = Bounds { per_address: 1, total: FEWEST };
        assert_eq!(within_files(few).unwrap(), few);
    }
}
