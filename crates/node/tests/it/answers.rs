//! An answer is its process's own, or it is no answer.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use rochdale_api::ProblemCode;
use rochdale_api::client::{Client, ClientError};
use rochdale_api::route::Call;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::wire::{NOW, client, domain, key, open, proxy, replace, serve, sum};

async fn through(meddle: impl Fn(bool, &mut Vec<u8>) + Clone + Send + Sync + 'static) -> Result<u64, ClientError> {
    let url = proxy(serve().await, meddle).await;
    client(&url, 1).post_signed(sum(), &vec![1, 2, 39], NOW).await
}

fn is_not_its_own(answer: Result<u64, ClientError>) {
    let error = answer.unwrap_err();
    assert!(matches!(error, ClientError::NotItsOwn { .. }), "{error}");
    assert_eq!(error.code(), ProblemCode::PeerFault);
}

#[tokio::test]
async fn a_changed_byte_is_seen() {
    assert_eq!(through(|_, _| ()).await.unwrap(), 42);
    is_not_its_own(
        through(|there, chunk| {
            if !there {
                replace(chunk, "\r\n\r\n42", "\r\n\r\n43")
            }
        })
        .await,
    );
    is_not_its_own(
        through(|there, chunk| {
            if !there {
                replace(chunk, "200 OK", "201 OK")
            }
        })
        .await,
    );
    let header = "rochdale-answer-signature";
    is_not_its_own(
        through(move |there, chunk| {
            if !there {
                replace(chunk, header, "x-answer-signature-removed")
            }
        })
        .await,
    );
    // What was changed on the way there is not blamed on the caller's signature either.
    is_not_its_own(
        through(|there, chunk| {
            if there {
                replace(chunk, "[1,2,39]", "[1,2,38]")
            }
        })
        .await,
    );
}

#[tokio::test]
async fn an_earlier_answer_or_anothers_is_none() {
    let first: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    let replay = move |there: bool, chunk: &mut Vec<u8>| {
        if !there {
            let mut first = first.lock().unwrap();
            chunk.clone_from(first.get_or_insert_with(|| chunk.clone()));
        }
    };
    let client = client(&proxy(serve().await, replay).await, 1);
    assert_eq!(client.post_signed(sum(), &vec![40, 2], NOW).await.unwrap(), 42);
    is_not_its_own(client.post_signed(sum(), &vec![40, 2], NOW).await);

    let url = format!("http://{}", serve().await);
    let other = Client::new(&url).unwrap().expecting(domain(), key(3).address());
    is_not_its_own(other.get(open()).await);
    assert_eq!(other.expecting(domain(), key(2).address()).get(open()).await.unwrap(), 7);
}

#[tokio::test]
async fn refusals_are_signed_too_and_carry_their_reason() {
    let url = format!("http://{}", serve().await);
    let code = async |call: Call<_, u64>, body: Vec<u64>| {
        client(&url, 1).post_signed(call, &body, NOW).await.unwrap_err().code()
    };
    // Before the body was read.
    assert_eq!(code(Call::unlisted("POST", "/nowhere"), vec![1]).await, ProblemCode::NotFound);
    assert_eq!(code(sum(), vec![9; 10 << 20]).await, ProblemCode::TooLarge);
    // After it was.
    let error =
        client(&url, 1).post_signed(Call::<_, u64>::unlisted("POST", "/sum"), &"no list", NOW).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::BadRequest);
    let error = client(&url, 1).post_signed(sum(), &vec![1], NOW - 1_801).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::Expired);
    assert!(!error.to_string().contains("known key"), "{error}");
    // On a path for everyone.
    let stranger = Client::new(&url).unwrap().expecting(domain(), key(2).address());
    assert_eq!(stranger.get::<u64>(Call::unlisted("GET", "/nowhere")).await.unwrap_err().code(), ProblemCode::NotFound);
    // Whose address is not known, its answers cannot be checked.
    assert_eq!(Client::new(&url).unwrap().expecting(domain(), Address::ZERO).get(open()).await.unwrap(), 7);
}

/// The first answer to these bytes, after which the sender stops sending.
async fn answer_to(bytes: &[u8]) -> String {
    let mut stream = tokio::net::TcpStream::connect(serve().await).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn an_unsigned_request_is_told_how_to_sign() {
    let answer = answer_to(b"POST /sum HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n").await;
    assert!(answer.contains(" 401 ") && answer.contains("rochdale-signer is missing"), "{answer}");
    assert!(answer.to_lowercase().contains("www-authenticate: rochdale-request"), "{answer}");
}

/// Answers every connection with these bytes, over and over, after each pause.
async fn babbler(first: &'static str, then: &'static str, pause: Duration) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request).await;
                let mut next = first;
                while stream.write_all(next.as_bytes()).await.is_ok() {
                    next = then;
                    tokio::time::sleep(pause).await;
                }
            });
        }
    });
    Client::new(&url).unwrap().patient(Duration::from_millis(600))
}

/// Issue 7, point 9: what peers answer is bounded in time, size and redirects.
#[tokio::test]
async fn a_peer_that_redirects_hangs_or_never_ends_costs_a_bounded_time() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n[";
    const AWAY: &str = "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n";
    for (first, then) in [("", ""), (HEAD, ""), (HEAD, " ")] {
        let start = Instant::now();
        let error = babbler(first, then, Duration::from_millis(50)).await.get(open()).await.unwrap_err();
        assert_eq!(error.code(), ProblemCode::PeerUnavailable, "{error}");
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }
    let error = babbler(AWAY, "", Duration::from_secs(9)).await.get(open()).await.unwrap_err();
    assert!(error.to_string().contains("redirects are not followed"), "{error}");

    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk: &'static str = Box::leak(format!("100000\r\n{}\r\n", " ".repeat(1 << 20)).into_boxed_str());
    let endless = babbler(CHUNKED, chunk, Duration::ZERO).await.patient(Duration::from_secs(60));
    let error = endless.get(open()).await.unwrap_err();
    assert!(error.to_string().contains("more than 67108864 bytes"), "{error}");
}
