//! A sealed record's keys on their way to the stewards, and its commitment on its way to the chain.

use alloy::primitives::B256;
use axum::Json;
use axum::extract::State;
use rochdale_api::contribution::{ContributionPackage, ContributionState, ContributionStatus};
use rochdale_api::route::gateway as route;
use rochdale_api::server::{JsonBody, PathOf, QueryOf};
use rochdale_api::shape::Hex32;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::events::Event;
use rochdale_core::ids::MemberId;
use rochdale_crypto::{Context, Header};
use serde::Deserialize;

use super::members::{check_parts, parse};
use super::{Answered, App, Gateway};
use crate::problems;
use crate::receipts;
use crate::store::NewContribution;
use crate::vault::cid;

/// Contributes: brings each steward its share and queues the commitment once a quorum holds theirs. Idempotent: sent
/// again, it reaches the stewards that missed it. The blob comes first, see `PUT /v1/blobs/{cid}`.
#[utoipa::path(
    post, path = route::CONTRIBUTE.path, tag = "contributions", request_body = ContributionPackage,
    responses(
        (status = 200, description = "Queued, or recorded already", body = ContributionStatus),
        (status = 400, description = "Header, blob and package do not fit each other", body = Problem),
        (status = 404, description = "The blob is not in the vault", body = Problem),
        (status = 409, description = "Another contribution with this nonce waits", body = Problem),
        (status = 422, description = "The contract would refuse it, or too few stewards take their share", body = Problem),
        (status = 503, description = "Chain or stewards cannot be reached", body = Problem),
    )
)]
pub async fn contribute(
    State(gateway): App,
    JsonBody(package): JsonBody<ContributionPackage>,
) -> Answered<ContributionStatus> {
    check_parts(&package.shares, &gateway, "shares")?;
    check_parts(&package.secrets, &gateway, "secrets")?;
    let new = NewContribution {
        commitment: package.commitment,
        member: package.member_id,
        consent_version: package.consent_version,
        nonce: package.nonce,
        deadline: package.deadline,
        signature: package.signature.clone(),
        blob: package.blob_digest,
    };
    let turn = gateway.relayer.turn(new.member).await?;
    let known = gateway.store.contribution(new.member, new.commitment).await?;
    let waits = known.is_some_and(|k| k.state != ContributionState::Refused);
    check_blob(&gateway, &package).await?;
    if !waits && !on_chain(&gateway, new.member, new.commitment).await? {
        gateway.relayer.may_spend(new.member).await?;
        if let Some(other) = gateway.store.rival(&new).await? {
            let detail = format!("contribution {other} of member {} waits with nonce {}", new.member, new.nonce);
            return Err(Problem::new(ProblemCode::Conflict, detail)
                .hint("wait until it is recorded, then sign with the next nonce"));
        }
        // Stewards need not look at what the chain would refuse.
        gateway.relayer.would_record(&new).await?;
    }
    let holders = gateway.forward.package(&package).await?;
    if !gateway.store.enqueue(&new, &holders).await? {
        return Err(absent(new.blob));
    }
    turn.spend();
    gateway.relayer.wake();
    read(&gateway, new.member, new.commitment).await.map(Json)
}

/// Which member's contribution is meant.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whose {
    /// The member. Without it the one whose package with this commitment came first here, or who recorded it first.
    member: Option<u32>,
}

/// Where a contribution stands.
#[utoipa::path(
    get, path = route::CONTRIBUTION.path, tag = "contributions",
    params(
        ("commitment" = Hex32, Path, description = "32 bytes in hexadecimal"),
        ("member" = Option<u32>, Query, description = "Whose, where several recorded it; who came first where absent"),
    ),
    responses(
        (status = 200, description = "Where it stands", body = ContributionStatus),
        (status = 404, description = "No such contribution", body = Problem),
        (status = 410, description = "Its member had everything erased", body = Problem),
    )
)]
pub async fn status(
    State(gateway): App,
    PathOf(commitment): PathOf<String>,
    QueryOf(Whose { member }): QueryOf<Whose>,
) -> Answered<ContributionStatus> {
    let commitment: B256 = parse(&commitment, "a commitment is 0x and 64 hexadecimal digits")?;
    let member = match member.map(MemberId) {
        Some(member) => Some(member),
        None => first(&gateway, commitment).await?,
    };
    let member = member.ok_or_else(|| unknown(commitment))?;
    read(&gateway, member, commitment).await.map(Json)
}

/// Who queued a commitment here first, or recorded it first where nobody queued it here.
async fn first(gateway: &Gateway, commitment: B256) -> Result<Option<MemberId>, Problem> {
    if let Some(member) = gateway.store.contributors(commitment).await?.first() {
        return Ok(Some(*member));
    }
    let events = gateway.store.events_about("contribution_recorded", commitment).await?;
    Ok(events.iter().find_map(|located| match located.event {
        Event::ContributionRecorded { member, .. } => Some(member),
        _ => None,
    }))
}

fn unknown(commitment: B256) -> Problem {
    Problem::new(ProblemCode::NotFound, format!("contribution {commitment} is not known here"))
}

async fn read(gateway: &Gateway, member: MemberId, commitment: B256) -> Result<ContributionStatus, Problem> {
    if let Some(status) = gateway.store.contribution_status(member, commitment).await? {
        return Ok(status);
    }
    let located = gateway.store.recorded(member, commitment).await?.ok_or_else(|| unknown(commitment))?;
    let Event::ContributionRecorded { contribution, .. } = located.event else {
        return Err(Problem::new(ProblemCode::Internal, "the index names another event"));
    };
    if gateway.index.state().read(|s| s.members.get(&member).is_some_and(|m| m.erased.is_some())) {
        return Err(Problem::new(
            ProblemCode::Erased,
            format!("member {member} had contribution {contribution} erased"),
        ));
    }
    // Recorded through another gateway, or before this one's store was lost.
    let found = receipts::look_up(&gateway.chain, &gateway.manifest.addresses, located.transaction).await;
    let (mined, events) = found.map_err(|e| problems::chain(&e))?.unzip();
    let batch =
        events.map_or(0, |all| all.iter().filter(|e| matches!(e.event, Event::ContributionRecorded { .. })).count());
    Ok(ContributionStatus {
        commitment,
        state: ContributionState::Recorded,
        held_by: Vec::new(),
        missing: Vec::new(),
        contribution_id: Some(contribution),
        mined,
        batch: u32::try_from(batch).unwrap_or(u32::MAX),
        reason: None,
    })
}

async fn on_chain(gateway: &Gateway, member: MemberId, commitment: B256) -> Result<bool, Problem> {
    gateway.index.fresh().await?;
    Ok(gateway.store.recorded(member, commitment).await?.is_some())
}

/// The blob is there, begins with the header, and has the length that the header tells; the header belongs to this
/// member, consent and cooperative.
async fn check_blob(gateway: &Gateway, package: &ContributionPackage) -> Result<(), Problem> {
    let bad = |detail: String| Problem::new(ProblemCode::BadRequest, detail).hint("seal the record again");
    let header = Header::from_bytes(&package.header).map_err(|e| bad(format!("header: {e}")))?;
    header
        .expect(&Context {
            chain_id: gateway.manifest.chain_id,
            registry: gateway.manifest.addresses.contribution_registry,
            member: package.member_id,
            consent_version: package.consent_version,
        })
        .map_err(|e| bad(format!("header: {e}")))?;
    let bytes = gateway.store.blob_bytes(package.blob_digest).await?.ok_or_else(|| absent(package.blob_digest))?;
    if bytes != header.blob_bytes() {
        return Err(bad(format!("the blob has {bytes} bytes, its header says {}", header.blob_bytes())));
    }
    let head = gateway.vault.head(cid(package.blob_digest), package.header.len()).await?;
    if head.ok_or_else(|| absent(package.blob_digest))? != package.header.as_ref() {
        return Err(bad("the blob begins with another header than the package's".to_owned()));
    }
    Ok(())
}

fn absent(digest: B256) -> Problem {
    let cid = cid(digest);
    Problem::new(ProblemCode::NotFound, format!("blob {cid} is not in the vault"))
        .hint(format!("PUT it to {} first", route::PUT_BLOB.at(cid).path))
}
