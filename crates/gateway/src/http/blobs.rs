//! Sealed records in and out of the vault.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rochdale_api::contribution::{VAULT_PAGE, VaultPage};
use rochdale_api::server::{self, Signed};
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{ContributionId, MemberId};
use rochdale_crypto::Cid;
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use super::auth::forbidden;
use super::{Answered, App};
use crate::erasure::wall_clock;

/// Bytes read from the disk at a time.
const BUFFER: usize = 256 << 10;

/// Uploads a sealed record under its CIDv1 (raw, SHA-256). Idempotent. It is deleted again after a while unless a
/// contribution names it.
#[utoipa::path(
    put, path = "/v1/blobs/{cid}", tag = "vault",
    params(("cid" = String, Path, description = "CIDv1, raw, SHA-256")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "It is kept"),
        (status = 400, description = "The bytes have another name", body = Problem),
        (status = 413, description = "It has too many bytes", body = Problem),
    )
)]
pub async fn put(State(gateway): App, Path(cid): Path<String>, request: Request) -> Result<StatusCode, Problem> {
    let cid = parse(&cid)?;
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let bytes = gateway.vault.put(cid, request.into_body(), declared).await?;
    gateway.store.note_blob((*cid.sha256()).into(), bytes, wall_clock()).await?;
    Ok(StatusCode::CREATED)
}

/// Downloads a sealed record. For stewards, workers, and the member whose record it is: the request is signed.
#[utoipa::path(
    get, path = "/v1/blobs/{cid}", tag = "vault",
    params(("cid" = String, Path, description = "CIDv1, raw, SHA-256")),
    responses(
        (status = 200, description = "The sealed bytes", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Neither steward, worker nor the record's member", body = Problem),
        (status = 404, description = "Not held", body = Problem),
    )
)]
pub async fn get(State(gateway): App, Path(name): Path<String>, request: Request) -> Result<Response, Problem> {
    let cid = parse(&name)?;
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let signer = server::verify(&*gateway.0, request.headers(), "GET", path, &[]).await?;
    let members = gateway.store.blob_members((*cid.sha256()).into()).await?;
    let state = gateway.index.fresh().await?;
    let (known, own) = state.read(|s| {
        let known = s.steward_id(signer).is_some() || s.workers.contains_key(&signer);
        (known, s.member_ids.get(&signer).is_some_and(|id: &MemberId| members.contains(id)))
    });
    if !known && !own {
        return Err(forbidden(signer, "a steward, a worker, or the member whose record this is"));
    }
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
    get, path = "/v1/blobs", tag = "vault",
    params(("after" = Option<u64>, Query, description = "The contribution before the first one listed; 0 where absent")),
    responses(
        (status = 200, description = "At most 500 of them", body = VaultPage),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Not by a registered worker", body = Problem),
    )
)]
pub async fn list(State(gateway): App, Query(page): Query<After>, signed: Signed<()>) -> Answered<VaultPage> {
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
