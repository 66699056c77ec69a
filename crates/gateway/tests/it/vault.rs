//! The vault's door.

use alloy::signers::local::PrivateKeySigner;
use reqwest::StatusCode;
use rochdale_api::client::ClientError;
use rochdale_api::contribution::{ContributionStatus, MOST_PARTS, PartsAnswer, PartsRequest};
use rochdale_api::custody::{BlobPermit, BlobRequest};
use rochdale_api::route::{Call, gateway};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_core::ids::StewardId;
use rochdale_crypto::Cid;
use rochdale_testkit::anvil::role_key;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use crate::rig::Rig;

#[tokio::test]
async fn two_hundred_megabytes_are_refused_with_a_reason() {
    let rig = Rig::new().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{}", rig.url(), gateway::PUT_BLOB.at(Cid::of(b"whatever")).path);
    let answer = http.put(&url).body(vec![7u8; 200 << 20]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let problem: Problem = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(problem.code, ProblemCode::TooLarge);
    assert!(problem.detail.contains("67108864") && problem.hint.is_some(), "{problem}");
    // Without a declared length it is cut off where it exceeds the limit.
    let endless = tokio::io::repeat(7).take(200 << 20);
    let body = reqwest::Body::wrap_stream(ReaderStream::with_capacity(endless, 1 << 20));
    let answer = http.put(&url).body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let partial = rig.dir.path().join("data/vault/partial");
    assert_eq!(std::fs::read_dir(partial).unwrap().count(), 0, "nothing is left on the disk");
}

#[tokio::test]
async fn an_empty_record_is_none_and_faults_of_path_and_query_are_problem_documents() {
    let rig = Rig::new().await;
    let http = reqwest::Client::new();
    let put = http.put(format!("{}{}", rig.url(), gateway::PUT_BLOB.at(Cid::of(b"")).path)).send().await.unwrap();
    assert_eq!(put.status(), StatusCode::BAD_REQUEST);
    let paths = ["/v1/blobs?after=x", "/v1/blobs/%FF", "/v1/members/%FF", "/v1/licenses?holder=x", "/v1/licenses?x=1"];
    for path in paths {
        let answer = http.get(format!("{}{path}", rig.url())).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let problem: Problem = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(problem.code, ProblemCode::BadRequest, "{path}");
    }
    let other = http.delete(format!("{}{}", rig.url(), gateway::MEMBER.at(1).path)).send().await.unwrap();
    assert_eq!(
        (other.status(), &other.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET,HEAD".parse().unwrap())
    );
    assert_eq!(other.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn blobs_are_served_to_those_who_need_them_alone() {
    let rig = Rig::new().await;
    let (key, id) = rig.member(1).await;
    let (other, _) = rig.member(2).await;
    let (package, blob) = rig.package(&key, id).await;
    let cid = rig.put(blob.clone()).await;
    assert_eq!(rig.put(blob.clone()).await, cid, "again is fine");
    let _: ContributionStatus = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap();
    let now = rig.now().await;
    for allowed in [&rig.coop.worker, &key] {
        assert_eq!(rig.signing(allowed).get_bytes_signed(gateway::BLOB.at(cid), now).await.unwrap(), blob);
    }
    for denied in [&other, &role_key("researcher"), &role_key("registrar"), &rig.coop.stewards[2]] {
        let error = rig.signing(denied).get_bytes_signed(gateway::BLOB.at(cid), now).await.unwrap_err();
        assert_eq!(error.code(), ProblemCode::Forbidden, "{error}");
    }
    let unsigned =
        rig.client().get(Call::<(), serde_json::Value>::unlisted("GET", gateway::BLOB.at(cid).path)).await.unwrap_err();
    assert_eq!(unsigned.code(), ProblemCode::Unauthenticated);
    let mut changed = blob;
    changed[100] ^= 1;
    let error = rig.client().put_bytes(gateway::PUT_BLOB.at(cid), changed).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::BadRequest, "{error}");
}

/// Which of these parts the gateway still misses of a blob.
async fn missing(rig: &Rig, whole: Cid, parts: &[Cid]) -> Result<Vec<String>, ClientError> {
    let request = PartsRequest { parts: parts.iter().map(Cid::to_string).collect() };
    rig.client().post(gateway::JOIN_BLOB.at(whole), &request).await.map(|answer: PartsAnswer| answer.missing)
}

#[tokio::test]
async fn a_record_comes_in_parts_and_goes_on_where_it_broke_off() {
    let rig = Rig::new().await;
    let (key, id) = rig.member(1).await;
    let (package, blob) = rig.package(&key, id).await;
    let whole = Cid::of(&blob);
    let parts: Vec<Vec<u8>> = blob.chunks(blob.len().div_ceil(3)).map(<[u8]>::to_vec).collect();
    let names: Vec<Cid> = parts.iter().map(|part| Cid::of(part)).collect();
    rig.put(parts[1].clone()).await;
    let left = [names[0].to_string(), names[2].to_string()];
    assert_eq!(missing(&rig, whole, &names).await.unwrap(), left, "nothing is sent twice");
    rig.put(parts[0].clone()).await;
    rig.put(parts[2].clone()).await;

    let turned = [names[1], names[0], names[2]];
    let code = async |parts: &[Cid]| missing(&rig, whole, parts).await.unwrap_err().code();
    assert_eq!(code(&turned).await, ProblemCode::BadRequest, "in another order they are another blob");
    assert_eq!(code(&[]).await, ProblemCode::BadRequest);
    assert_eq!(code(&vec![names[0]; MOST_PARTS + 1]).await, ProblemCode::BadRequest);
    assert_eq!(missing(&rig, whole, &names).await.unwrap(), Vec::<String>::new());
    assert_eq!(missing(&rig, whole, &names).await.unwrap(), Vec::<String>::new(), "again is fine");

    let _: ContributionStatus = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap();
    let now = rig.now().await;
    assert_eq!(rig.signing(&key).get_bytes_signed(gateway::BLOB.at(whole), now).await.unwrap(), blob);
    // Nobody has a copy made of a record, which would outlive it.
    let two = Cid::of(&[&blob[..], &blob[..]].concat());
    let error = missing(&rig, two, &[whole, whole]).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::BadRequest, "{error}");
}

/// Point 1: a steward alone, however long it waits, gets no record; those who could open it together do.
#[tokio::test]
async fn point_1_a_steward_fetches_a_record_only_with_the_permits_of_a_quorum() {
    let rig = Rig::new().await;
    let (key, id) = rig.member(1).await;
    let (package, blob) = rig.package(&key, id).await;
    let cid = rig.put(blob.clone()).await;
    let _: ContributionStatus = rig.client().post(gateway::CONTRIBUTE, &package).await.unwrap();
    let now = rig.now().await;
    let reader = &rig.coop.stewards[0];
    let permit = |by: u8, signed_by: &PrivateKeySigner, reader: &PrivateKeySigner, deadline: u64| {
        let said = eip712::BlobPermit { blob: package.blob_digest, reader: reader.address(), deadline };
        let signature = eip712::sign(signed_by, &said, &rig.coop.manifest.committee_domain()).unwrap();
        BlobPermit { steward: StewardId(by), deadline, signature }
    };
    let stewards = &rig.coop.stewards;
    let refused = [
        ("no permit", vec![]),
        ("its own", vec![permit(1, reader, reader, now + 60)]),
        ("for another reader", vec![permit(2, &stewards[1], &stewards[2], now + 60)]),
        ("by somebody else", vec![permit(2, &stewards[2], reader, now + 60)]),
        ("that ended", vec![permit(2, &stewards[1], reader, now - 1)]),
        ("that lasts too long", vec![permit(2, &stewards[1], reader, now + 100_000)]),
        ("of no seat", vec![permit(9, &stewards[1], reader, now + 60)]),
    ];
    let path = gateway::SCORE_BLOB.at(cid);
    for (why, permits) in refused {
        let error = rig.signing(reader).post_for_bytes(path.clone(), &BlobRequest { permits }, now).await.unwrap_err();
        assert_eq!(error.code(), ProblemCode::Forbidden, "{why}: {error}");
    }
    let request = BlobRequest { permits: vec![permit(2, &stewards[1], reader, now + 60)] };
    assert_eq!(rig.signing(reader).post_for_bytes(path.clone(), &request, now).await.unwrap(), blob);
    for thief in [&stewards[2], &rig.coop.worker] {
        let error = rig.signing(thief).post_for_bytes(path.clone(), &request, now).await.unwrap_err();
        assert_eq!(error.code(), ProblemCode::Forbidden, "a permit is for its reader: {error}");
    }
    let other = gateway::SCORE_BLOB.at(rig.put(b"another blob".to_vec()).await);
    let error = rig.signing(reader).post_for_bytes(other, &request, now).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::Forbidden, "a permit is for its record: {error}");
}

#[tokio::test]
async fn a_request_is_taken_once() {
    let rig = Rig::new().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let path = gateway::BLOB.at(Cid::of(b"nothing")).path;
    let key = &rig.coop.worker;
    let domain = rochdale_api::auth::domain(31_337, rig.coop.manifest.addresses.steward_committee);
    let (nonce, deadline) = (alloy::primitives::U256::from(7), rig.now().await + 60);
    let described = rochdale_api::auth::Described {
        audience: role_key("relayer").address(),
        method: "GET",
        path: &path,
        body: &[],
        nonce,
        deadline,
    };
    let signature = alloy::signers::SignerSync::sign_hash_sync(key, &described.digest(&domain)).unwrap();
    let send = || {
        http.get(format!("{}{path}", rig.url()))
            .header("rochdale-signer", key.address().to_string())
            .header("rochdale-nonce", nonce.to_string())
            .header("rochdale-deadline", deadline.to_string())
            .header("rochdale-signature", alloy::primitives::hex::encode_prefixed(signature.as_bytes()))
            .send()
    };
    assert_eq!(send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let replayed = send().await.unwrap();
    assert_eq!(replayed.status(), StatusCode::UNAUTHORIZED);
    assert!(replayed.text().await.unwrap().contains("was used before"));
}

#[tokio::test]
async fn what_no_package_names_is_deleted_after_a_while() {
    let mut rig = Rig::without_gateway(crate::rig::deploy().await).await;
    rig.limits.unreferenced_ttl_seconds = 1;
    rig.start().await;
    let (key, id) = rig.member(1).await;
    let kept = rig.contribute(&key, id).await;
    let cid = rig.put(b"nobody names me".to_vec()).await;
    let now = rig.now().await;
    let worker = rig.signing(&rig.coop.worker);
    rig.until("pruned", async || {
        let answer = worker.get_bytes_signed(gateway::BLOB.at(cid), now).await;
        answer.is_err_and(|e| e.code() == ProblemCode::NotFound)
    })
    .await;
    let kept = Cid::from_sha256(kept.blob_digest.0);
    assert!(worker.get_bytes_signed(gateway::BLOB.at(kept), now).await.is_ok());
}

/// What a crash leaves between a file and its row is deleted by the next start; what a row names stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_no_row_names_is_deleted_by_the_next_start() {
    let mut rig = Rig::new().await;
    let kept = rig.put(b"kept".to_vec()).await;
    rig.stop().await;
    let stray = Cid::of(b"stray").to_string();
    let folder = rig.config().data_dir.join("vault").join(&stray[stray.len() - 3..stray.len() - 1]);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(&stray), "stray").unwrap();
    rig.start().await;
    rig.until("the stray file is gone", async || !folder.join(&stray).exists()).await;
    let name = kept.to_string();
    assert!(rig.config().data_dir.join("vault").join(&name[name.len() - 3..name.len() - 1]).join(&name).exists());
}

/// Senders that hang up right after the last byte leave no file without a row: what came whole is kept and counted, the rest is gone.
#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_before_the_answer_leaves_nothing_uncounted() {
    use tokio::io::AsyncWriteExt as _;
    let rig = Rig::new().await;
    let address = rig.url().trim_start_matches("http://").to_owned();
    let blobs: Vec<Vec<u8>> = (0..40u8).map(|n| vec![n; 20_000]).collect();
    for (n, blob) in (0u64..).zip(&blobs) {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let path = gateway::PUT_BLOB.at(Cid::of(blob)).path;
        let head = format!("PUT {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", blob.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(blob).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(n % 8)).await;
    }
    rig.until("nothing is half-written", async || {
        std::fs::read_dir(rig.config().data_dir.join("vault").join("partial")).unwrap().next().is_none()
    })
    .await;
    let store = rochdale_gateway::store::Store::open(&rig.config().data_dir).await.unwrap();
    rig.until("each file has its row", async || {
        let mut counted = 0;
        for blob in &blobs {
            let cid = Cid::of(blob);
            let name = cid.to_string();
            let is_there =
                rig.config().data_dir.join("vault").join(&name[name.len() - 3..name.len() - 1]).join(&name).exists();
            let has_row = store.blob_bytes((*cid.sha256()).into()).await.unwrap().is_some();
            if is_there != has_row {
                return false;
            }
            counted += u32::from(is_there);
        }
        counted > 0
    })
    .await;
}
