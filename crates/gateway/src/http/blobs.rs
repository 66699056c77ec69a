//! Sealed records in and out of the vault.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use alloy::primitives::Address;
use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use rochdale_api::contribution::{MOST_PARTS, PartsAnswer, PartsRequest, VAULT_PAGE, VaultPage};
use rochdale_api::custody::{BlobRequest, PERMIT_LIFETIME};
use rochdale_api::route::gateway as route;
use rochdale_api::server::{self, JsonBody, PathOf, QueryOf, Signed, Verified};
use rochdale_api::shape::CidText;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_core::ids::{ContributionId, MemberId};
use rochdale_crypto::Cid;
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use super::auth::{AppState, forbidden};
use super::{Answered, App, Gateway};
use crate::erasure::wall_clock;
use crate::quota::Upload;

/// Bytes read from the disk at a time.
const BUFFER: usize = 256 << 10;

/// Uploads a sealed record under its CIDv1 (raw, SHA-256). Idempotent. It is deleted again after a while unless a
/// contribution names it.
#[utoipa::path(
    put, path = route::PUT_BLOB.path, tag = "vault",
    params(("cid" = CidText, Path, description = "CIDv1, raw, SHA-256")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "It is kept"),
        (status = 400, description = "The bytes have another name", body = Problem),
        (status = 408, description = "It came too slowly", body = Problem),
        (status = 413, description = "It has too many bytes", body = Problem),
        (status = 429, description = "This address has uploaded its share", body = Problem),
        (status = 507, description = "Too much waits for its package", body = Problem),
    )
)]
pub async fn put(State(gateway): App, PathOf(cid): PathOf<String>, request: Request) -> Result<StatusCode, Problem> {
    let cid = parse(&cid)?;
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let upload = gateway.quota.begin(caller(&request)).await?;
    take(&gateway, cid, upload, (request.into_body(), declared)).await?;
    Ok(StatusCode::CREATED)
}

/// Puts a sealed record together of parts that were uploaded before, each as a blob by itself, so that an upload that broke off goes on with
/// the part that it was at. Names the parts that are missing where some are; sent again once they are there, it is the same record. Parts
/// are deleted like any blob that no contribution names.
#[utoipa::path(
    post, path = route::JOIN_BLOB.path, tag = "vault", request_body = PartsRequest,
    params(("cid" = CidText, Path, description = "CIDv1 of the whole, raw, SHA-256")),
    responses(
        (status = 200, description = "What is missing; nothing where it is kept now", body = PartsAnswer),
        (status = 400, description = "The parts in this order are another blob, or too many", body = Problem),
        (status = 413, description = "It has too many bytes", body = Problem),
        (status = 429, description = "This address has uploaded its share", body = Problem),
        (status = 507, description = "Too much waits for its package", body = Problem),
    )
)]
pub async fn join(
    State(gateway): App,
    PathOf(cid): PathOf<String>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    JsonBody(PartsRequest { parts }): JsonBody<PartsRequest>,
) -> Answered<PartsAnswer> {
    let cid = parse(&cid)?;
    if !(1..=MOST_PARTS).contains(&parts.len()) {
        let detail = format!("{} parts, 1 to {MOST_PARTS} make a blob", parts.len());
        return Err(Problem::new(ProblemCode::BadRequest, detail));
    }
    let nothing = || Json(PartsAnswer { missing: Vec::new() });
    if is_kept(&gateway, cid).await? {
        return Ok(nothing());
    }
    let upload = gateway.quota.begin(server::holder(peer.ip())).await?;
    let (mut files, mut missing, mut bytes) = (Vec::with_capacity(parts.len()), Vec::new(), 0u64);
    for name in parts {
        let part = parse(&name)?;
        // A copy of somebody's record would outlive its erasure.
        if !gateway.store.blob_members((*part.sha256()).into()).await?.is_empty() {
            let detail = format!("part {part} is a record by itself");
            return Err(
                Problem::new(ProblemCode::BadRequest, detail).hint("upload the record in one, or cut it otherwise")
            );
        }
        match gateway.vault.open_blob(part).await? {
            Some((file, length)) => {
                files.push(file);
                bytes = bytes.saturating_add(length);
            }
            None => missing.push(name),
        }
    }
    if !missing.is_empty() {
        return Ok(Json(PartsAnswer { missing }));
    }
    let whole = stream::iter(files).flat_map(|file| ReaderStream::with_capacity(file, BUFFER));
    take(&gateway, cid, upload, (Body::from_stream(whole), Some(bytes))).await?;
    Ok(nothing())
}

/// Who sends.
fn caller(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| server::holder(peer.ip()))
}

/// Whether a blob is there already, which counts like an upload of now.
async fn is_kept(gateway: &Gateway, cid: Cid) -> Result<bool, Problem> {
    let _turn = gateway.vault.turn().await;
    let Some((_, bytes)) = gateway.vault.open_blob(cid).await? else { return Ok(false) };
    gateway.store.note_blob((*cid.sha256()).into(), bytes, wall_clock()).await?;
    Ok(true)
}

/// Takes what comes and keeps it under its name.
async fn take(
    gateway: &AppState,
    cid: Cid,
    upload: Upload,
    (body, declared): (Body, Option<u64>),
) -> Result<(), Problem> {
    let gateway = gateway.clone();
    // A task of its own: who hangs up before the answer must not leave a file that no row names.
    let taking = tokio::spawn(async move {
        let received = gateway.vault.receive(cid, body, declared, &upload).await?;
        let _turn = gateway.vault.turn().await;
        let bytes = gateway.vault.keep(received).await?;
        gateway.store.note_blob((*cid.sha256()).into(), bytes, wall_clock()).await?;
        Ok::<_, Problem>(())
    });
    taking.await.map_err(|error| Problem::new(ProblemCode::Internal, error.to_string()))?
}

/// Downloads a sealed record. For workers, and the member whose record it is: the request is signed.
#[utoipa::path(
    get, path = route::BLOB.path, tag = "vault",
    params(("cid" = CidText, Path, description = "CIDv1, raw, SHA-256")),
    responses(
        (status = 200, description = "The sealed bytes", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Neither a worker nor the record's member", body = Problem),
        (status = 404, description = "Not held", body = Problem),
        (status = 410, description = "Its member had everything erased", body = Problem),
    )
)]
pub async fn get(State(gateway): App, PathOf(name): PathOf<String>, request: Request) -> Result<Response, Problem> {
    let cid = parse(&name)?;
    let Verified { signer, .. } = Verified::of(request, &*gateway.0).await?;
    gateway.index.fresh().await?;
    let members = owners(&gateway, cid).await?;
    let state = gateway.index.state();
    let allowed = state.read(|s| {
        s.workers.contains_key(&signer) || s.member_ids.get(&signer).is_some_and(|id: &MemberId| members.contains(id))
    });
    if !allowed {
        return Err(forbidden(signer, "a worker, or the member whose record this is")
            .hint("a steward that scores the record posts its permits here"));
    }
    serve(&gateway, cid).await
}

/// Downloads a sealed record in order to score it. For a steward that as many others permit it as make a quorum with it:
/// who could open the record. The permits come with the shares, see `POST /v1/shares` at a steward.
#[utoipa::path(
    post, path = route::SCORE_BLOB.path, tag = "vault", request_body = BlobRequest,
    params(("cid" = CidText, Path, description = "CIDv1, raw, SHA-256")),
    responses(
        (status = 200, description = "The sealed bytes", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "No steward, or too few others permit it now", body = Problem),
        (status = 404, description = "Not held", body = Problem),
        (status = 410, description = "Its member had everything erased", body = Problem),
    )
)]
pub async fn score(
    State(gateway): App,
    PathOf(name): PathOf<String>,
    signed: Signed<BlobRequest>,
) -> Result<Response, Problem> {
    let now = gateway.index.fresh_head().await?.latest.timestamp;
    if gateway.index.state().read(|state| state.steward_id(signed.signer).is_none()) {
        return Err(forbidden(signed.signer, "a steward in office"));
    }
    let cid = parse(&name)?;
    let blob = (*cid.sha256()).into();
    let domain = gateway.manifest.committee_domain();
    let (permitted, quorum) = gateway.index.state().read(|state| {
        let by: BTreeSet<Address> = signed
            .body
            .permits
            .iter()
            .filter(|permit| (now..=now + PERMIT_LIFETIME).contains(&permit.deadline))
            .filter_map(|permit| {
                let seat = state.seats.get(usize::from(permit.steward.0).checked_sub(1)?)?;
                let said = eip712::BlobPermit { blob, reader: signed.signer, deadline: permit.deadline };
                let holds = eip712::verify(&said, &domain, &permit.signature, seat.signer).is_ok();
                (holds && seat.signer != signed.signer).then_some(seat.signer)
            })
            .collect();
        (by.len() + 1, usize::from(state.quorum))
    });
    if permitted < quorum {
        let detail =
            format!("{} permits by other stewards hold for this record now, {} are needed", permitted - 1, quorum - 1);
        return Err(Problem::new(ProblemCode::Forbidden, detail).hint("ask the stewards for shares to score it"));
    }
    owners(&gateway, cid).await?;
    serve(&gateway, cid).await
}

/// The members whose packages name the blob.
async fn owners(gateway: &Gateway, cid: Cid) -> Result<Vec<MemberId>, Problem> {
    let members = gateway.store.blob_members((*cid.sha256()).into()).await?;
    let erased = gateway.index.state().read(|s| {
        let erased = |id: &MemberId| s.members.get(id).is_some_and(|member| member.erased.is_some());
        !members.is_empty() && members.iter().all(erased)
    });
    if erased {
        return Err(Problem::new(ProblemCode::Erased, format!("the member whose record blob {cid} is had it erased")));
    }
    Ok(members)
}

async fn serve(gateway: &Gateway, cid: Cid) -> Result<Response, Problem> {
    let Some((file, bytes)) = gateway.vault.open_blob(cid).await? else { return Err(absent(cid)) };
    let body = Body::from_stream(ReaderStream::with_capacity(file, BUFFER));
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_LENGTH, bytes.to_string())];
    Ok((headers, body).into_response())
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// The contribution before the page's first.
    #[serde(default)]
    after: u64,
}

/// Lists the vault's blobs of recorded contributions, in the registry's order. For workers, who keep a replica of all of them: the
/// request is signed.
#[utoipa::path(
    get, path = route::BLOBS.path, tag = "vault",
    params(("after" = Option<u64>, Query, description = "The contribution before the first one listed; 0 where absent")),
    responses(
        (status = 200, description = "At most 500 of them", body = VaultPage),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Not by a registered worker", body = Problem),
    )
)]
pub async fn list(State(gateway): App, QueryOf(page): QueryOf<After>, signed: Signed<()>) -> Answered<VaultPage> {
    gateway.expect_worker(signed.signer).await?;
    let blobs = gateway.store.recorded_blobs(ContributionId(page.after), VAULT_PAGE).await?;
    Ok(Json(VaultPage { blobs }))
}

fn parse(cid: &str) -> Result<Cid, Problem> {
    cid.parse().map_err(|e: rochdale_crypto::cid::CidError| Problem::new(ProblemCode::BadRequest, e.to_string()))
}

fn absent(cid: Cid) -> Problem {
    Problem::new(ProblemCode::NotFound, format!("blob {cid} is not held"))
        .hint("it was never uploaded, waited too long for its package, or its member had everything erased")
}
