//! Claims, queries, debits, receipts, proposals, demands, answers and sealing keys.

use axum::Json;
use axum::extract::State;
use rochdale_api::custody::RotateKeyRequest;
use rochdale_api::member::{ClaimRequest, Claimed, Mined};
use rochdale_api::order::{AnchorRequest, DebitRequest, QueryRequest, SealedAnswer};
use rochdale_api::route::gateway as route;
use rochdale_api::server::{JsonBody, Signed};
use rochdale_api::settlement::{AnswerRequest, ContestRequest, DemandRequest, ProposeRequest};
use rochdale_api::{Problem, ProblemCode};

use super::caller::Caller;
use super::{Answered, App};

/// Members that one request may name.
const MOST_CLAIMED: usize = 1_000;

/// Pays members what the last final root owes them; everyone where the list is empty. Anyone may ask: the money goes to
/// the members' own payout addresses. The cooperative pays the gas of one claim a member and epoch, in batches.
#[utoipa::path(
    post, path = route::CLAIM.path, tag = "claims", request_body = ClaimRequest,
    responses(
        (status = 200, description = "Who was paid what", body = Claimed),
        (status = 413, description = "Too many members named", body = Problem),
        (status = 422, description = "No epoch is final yet, or the contract refuses the leaves", body = Problem),
        (status = 429, description = "A limit of what the cooperative pays gas for is reached", body = Problem),
        (status = 503, description = "Chain or stewards cannot be reached", body = Problem),
    )
)]
pub async fn claims(
    State(gateway): App,
    Caller(from): Caller,
    JsonBody(request): JsonBody<ClaimRequest>,
) -> Answered<Claimed> {
    let mut members = request.members;
    members.sort_unstable();
    members.dedup();
    if members.len() > MOST_CLAIMED {
        let detail = format!("{} members named, at most {MOST_CLAIMED} in one request", members.len());
        return Err(Problem::new(ProblemCode::TooLarge, detail).hint("name fewer, or nobody for everyone"));
    }
    gateway.relayer.claim_on_the_house(&members, from).await.map(Json)
}

/// Asks a query: the license holder's signed order goes to the worker, the answer comes back sealed to the license's key.
#[utoipa::path(
    post, path = route::QUERY.path, tag = "queries", request_body = QueryRequest,
    responses(
        (status = 200, description = "The sealed answer", body = SealedAnswer),
        (status = 403, description = "The license does not allow it", body = Problem),
        (status = 422, description = "Too few records or stewards", body = Problem),
        (status = 429, description = "The privacy budget does not suffice", body = Problem),
        (status = 503, description = "Worker, stewards or chain cannot be reached", body = Problem),
    )
)]
pub async fn queries(State(gateway): App, JsonBody(request): JsonBody<QueryRequest>) -> Answered<SealedAnswer> {
    gateway.forward.query(&request).await.map(Json)
}

/// Books the debit of an order, which a quorum of stewards signed. For workers and stewards: the request is signed. A debit that is on
/// chain already is answered with its transaction.
#[utoipa::path(
    post, path = route::DEBIT.path, tag = "queries", request_body = DebitRequest,
    responses(
        (status = 200, description = "Booked", body = Mined),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Not by a registered worker or a steward in office", body = Problem),
        (status = 422, description = "The contract refuses it", body = Problem),
    )
)]
pub async fn debits(State(gateway): App, signed: Signed<DebitRequest>) -> Answered<Mined> {
    if gateway.expect_worker(signed.signer).await.is_err() {
        gateway.expect_steward(signed.signer).await?;
    }
    gateway.relayer.debit(&signed.body).await.map(Json)
}

/// Anchors a query's receipt. For workers: the request is signed.
#[utoipa::path(
    post, path = route::RECEIPT.path, tag = "queries", request_body = AnchorRequest,
    responses(
        (status = 200, description = "Anchored", body = Mined),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Not by a registered worker", body = Problem),
        (status = 422, description = "The contract refuses it", body = Problem),
    )
)]
pub async fn receipts(State(gateway): App, signed: Signed<AnchorRequest>) -> Answered<Mined> {
    gateway.expect_worker(signed.signer).await?;
    gateway.relayer.anchor(&signed.body).await.map(Json)
}

/// Proposes an epoch's settlement. For stewards: the request is signed.
#[utoipa::path(
    post, path = route::PROPOSE.path, tag = "settlement", request_body = ProposeRequest,
    responses(
        (status = 200, description = "Proposed", body = Mined),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Not by a steward in office", body = Problem),
        (status = 422, description = "The contract refuses it", body = Problem),
    )
)]
pub async fn proposals(State(gateway): App, signed: Signed<ProposeRequest>) -> Answered<Mined> {
    gateway.expect_steward(signed.signer).await?;
    gateway.relayer.propose(&signed.body).await.map(Json)
}

/// Demands the path of a member's row in the pending tree. Sent again, it answers with the same transaction.
#[utoipa::path(
    post, path = route::DEMAND.path, tag = "settlement", request_body = DemandRequest,
    responses(
        (status = 200, description = "Demanded", body = Mined),
        (status = 422, description = "The contract refuses it", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn demands(State(gateway): App, JsonBody(request): JsonBody<DemandRequest>) -> Answered<Mined> {
    gateway.relayer.demand(&request).await.map(Json)
}

/// Contests a member's row in the pending root: the contract replays it, and a mismatch voids the root.
#[utoipa::path(
    post, path = route::CONTEST.path, tag = "settlement", request_body = ContestRequest,
    responses(
        (status = 200, description = "The root is void", body = Mined),
        (status = 422, description = "The contract refuses it: the row is right, or something does not open", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn contests(State(gateway): App, JsonBody(request): JsonBody<ContestRequest>) -> Answered<Mined> {
    gateway.relayer.contest(&request).await.map(Json)
}

/// Publishes a row that was demanded. For stewards: the request is signed. Of several answers, one is mined.
#[utoipa::path(
    post, path = route::ANSWER.path, tag = "settlement", request_body = AnswerRequest,
    responses(
        (status = 200, description = "Published", body = Mined),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Not by a steward in office", body = Problem),
        (status = 422, description = "The contract refuses it", body = Problem),
    )
)]
pub async fn answers(State(gateway): App, signed: Signed<AnswerRequest>) -> Answered<Mined> {
    gateway.expect_steward(signed.signer).await?;
    gateway.relayer.answer(&signed.body).await.map(Json)
}

/// Gives a steward's seat its next sealing key, which the steward signed. For stewards: the request is signed. Sent again,
/// it answers with the same transaction.
#[utoipa::path(
    post, path = route::ROTATE_KEY.path, tag = "stewards", request_body = RotateKeyRequest,
    responses(
        (status = 200, description = "In force", body = Mined),
        (status = 401, description = "Not signed", body = Problem),
        (status = 403, description = "Not by a steward in office", body = Problem),
        (status = 422, description = "The contract refuses it", body = Problem),
    )
)]
pub async fn sealing_keys(State(gateway): App, signed: Signed<RotateKeyRequest>) -> Answered<Mined> {
    gateway.expect_steward(signed.signer).await?;
    gateway.relayer.rotate_key(&signed.body).await.map(Json)
}
