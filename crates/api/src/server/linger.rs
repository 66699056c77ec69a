//! Closing a connection so that the last answer arrives.
//!
//! A socket that is closed while bytes lie unread in it is reset, and a reset takes back what the peer has not read yet: who
//! sends a body that is too large would see a broken pipe instead of the answer that says so.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long the rest of what a peer sends is read and thrown away.
const LINGER: Duration = Duration::from_secs(2);
/// Read at once.
const CHUNK: usize = 16 << 10;

/// A stream whose shutdown ends our direction, then reads to the end of the other, for at most [`LINGER`].
pub struct Lingering<S> {
    stream: S,
    /// Runs once our direction is ended.
    left: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    /// Wraps a stream.
    pub const fn new(stream: S) -> Self {
        Self { stream, left: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.left.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let left = this.left.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        let mut thrown = [0; CHUNK];
        while left.as_mut().poll(context).is_pending() {
            let mut buf = ReadBuf::new(&mut thrown);
            // A peer that is gone is what is waited for.
            let over = ready!(Pin::new(&mut this.stream).poll_read(context, &mut buf)).is_err();
            if over || buf.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::Instant;

    /// An answer to somebody who goes on sending; returns what the sender reads.
    async fn answered(sends: usize) -> (Vec<u8>, Duration) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let start = Instant::now();
        let closing = tokio::spawn(async move {
            let mut stream = Lingering::new(stream);
            stream.write_all(b"too large").await.unwrap();
            stream.shutdown().await.unwrap();
            start.elapsed()
        });
        let body = vec![7; 1 << 20];
        for _ in 0..sends {
            sender.write_all(&body).await.unwrap();
        }
        let mut heard = Vec::new();
        sender.read_to_end(&mut heard).await.unwrap();
        // Who sent nothing keeps the connection.
        let kept = (sends == 0).then_some(sender);
        let took = closing.await.unwrap();
        drop(kept);
        (heard, took)
    }

    #[tokio::test]
    async fn who_sends_too_much_reads_the_answer() {
        let (heard, took) = answered(32).await;
        assert_eq!(heard, b"too large");
        assert!(took < LINGER, "a peer that went is not waited for: {took:?}");
    }

    #[tokio::test]
    async fn who_keeps_the_connection_is_waited_for_no_longer_than_said() {
        let (heard, took) = answered(0).await;
        assert_eq!(heard, b"too large");
        assert!((LINGER..LINGER + Duration::from_secs(2)).contains(&took), "{took:?}");
    }
}
