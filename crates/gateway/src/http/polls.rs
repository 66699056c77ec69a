//! Signed polls: what members ask and answer is kept as they signed it, and handed to whoever counts.

use alloy::primitives::B256;
use axum::Json;
use axum::extract::State;
use rochdale_api::poll::{BallotRequest, PollRecord, PollRequest, PollView, SignedBallot};
use rochdale_api::route::gateway as route;
use rochdale_api::server::{JsonBody, PathOf};
use rochdale_api::shape::Hex32;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::poll::{self as chain_poll, Electorate, ElectorateError};
use rochdale_core::poll::{Refusal, admit};

use super::caller::Caller;
use super::members::parse;
use super::{Answered, App, Gateway};
use crate::problems;
use crate::relayer::site;
use crate::store::{Kept, Most};

/// Polls of one member that may be open at once.
const OPEN_POLLS: u32 = 3;
/// Polls of one member that may be open or close within 30 days: short ones would push all others out of the list.
const IN_A_MONTH: u32 = 12;
/// Polls and ballots from one address within an hour: each costs several questions to the chain. A clinic's members may all come from one.
pub const BALLOTS_PER_HOUR: u32 = 600;
/// Open polls in one list, and closed ones.
const LISTED: u32 = 300;

/// Asks the members, in the author's name. Sent again, it answers with the same poll.
#[utoipa::path(
    post, path = route::HOLD_POLL.path, tag = "polls", request_body = PollRequest,
    responses(
        (status = 200, description = "The poll with its id", body = PollView),
        (status = 400, description = "A poll that cannot be held", body = Problem),
        (status = 403, description = "Not signed by a member", body = Problem),
        (status = 429, description = "The author has enough open polls", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn create(
    State(gateway): App,
    Caller(from): Caller,
    JsonBody(request): JsonBody<PollRequest>,
) -> Answered<PollView> {
    gateway.ballots.take(&site(from))?;
    let PollRequest { poll, signature } = request;
    let id = chain_poll::id(&poll);
    if let Some(known) = gateway.store.poll(id).await? {
        return Ok(Json(known));
    }
    Electorate::of(&gateway.chain, &gateway.manifest, &poll, &signature).await.map_err(refused)?;
    let now = gateway.chain.now().await.map_err(|e| problems::chain(&e))?;
    if poll.closes_at <= now {
        let detail = format!("the poll closed at {}; block time is {now}", poll.closes_at);
        return Err(Problem::new(ProblemCode::BadRequest, detail));
    }
    let kept =
        gateway.store.keep_poll(id, &poll, &signature, Most { open: OPEN_POLLS, in_a_month: IN_A_MONTH }, now).await?;
    if !kept && gateway.store.poll(id).await?.is_none() {
        let detail = format!(
            "{OPEN_POLLS} polls of member {} are open, or {IN_A_MONTH} were in the last 30 days, which are the most",
            poll.author
        );
        return Err(Problem::new(ProblemCode::TooManyRequests, detail).hint("ask again once one has closed"));
    }
    Ok(Json(PollView { id, poll, signature, ballots: 0 }))
}

/// Open polls, those that close first before others, then those that closed last.
#[utoipa::path(get, path = route::POLLS.path, tag = "polls", responses((status = 200, description = "Polls", body = Vec<PollView>)))]
pub async fn list(State(gateway): App) -> Answered<Vec<PollView>> {
    let now = gateway.index.standing().progress.map_or(0, |progress| progress.head.latest.timestamp);
    Ok(Json(gateway.store.polls(now, LISTED).await?))
}

/// Answers a poll; a ballot with a higher sequence replaces the member's own.
#[utoipa::path(
    post, path = route::VOTE.path, tag = "polls", request_body = BallotRequest,
    params(("id" = Hex32, Path, description = "The poll's id")),
    responses(
        (status = 200, description = "The ballot as kept", body = SignedBallot),
        (status = 400, description = "It answers another poll, or no option of this one", body = Problem),
        (status = 403, description = "Not signed by a member with a vote", body = Problem),
        (status = 404, description = "No such poll", body = Problem),
        (status = 409, description = "Too early, too late, or a later ballot is kept", body = Problem),
        (status = 429, description = "Too many ballots come from this address", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn vote(
    State(gateway): App,
    Caller(from): Caller,
    PathOf(id): PathOf<String>,
    JsonBody(request): JsonBody<BallotRequest>,
) -> Answered<SignedBallot> {
    let view = find(&gateway, &id).await?;
    gateway.ballots.take(&site(from))?;
    let BallotRequest { ballot, signature } = request;
    let electorate = Electorate::of(&gateway.chain, &gateway.manifest, &view.poll, &view.signature);
    let now = gateway.chain.now().await.map_err(|e| problems::chain(&e))?;
    let electorate = electorate.await.map_err(refused)?;
    let cast = electorate.cast(ballot, &signature, now).await.map_err(|e| problems::chain(&e))?;
    admit(&view.poll, view.id, &cast).map_err(|refusal| not_admitted(&refusal))?;
    match gateway.store.keep_ballot(&ballot, &signature, now).await? {
        Kept::Yes => Ok(Json(SignedBallot { ballot, signature, received_at: now })),
        Kept::Other(sequence) => {
            let detail = format!("ballot number {sequence} of member {} is kept", ballot.member);
            Err(Problem::new(ProblemCode::Conflict, detail).hint(format!("sign one with number {}", sequence + 1)))
        }
    }
}

/// A poll with all that a tally needs beside the chain.
#[utoipa::path(
    get, path = route::BALLOTS.path, tag = "polls",
    params(("id" = Hex32, Path, description = "The poll's id")),
    responses((status = 200, description = "The poll and its ballots", body = PollRecord), (status = 404, description = "No such poll", body = Problem))
)]
pub async fn ballots(State(gateway): App, PathOf(id): PathOf<String>) -> Answered<PollRecord> {
    let view = find(&gateway, &id).await?;
    let ballots = gateway.store.ballots(view.id).await?;
    let (chain_id, membership) = (gateway.manifest.chain_id, gateway.manifest.addresses.membership);
    Ok(Json(PollRecord { chain_id, membership, poll: view.poll, signature: view.signature, ballots }))
}

async fn find(gateway: &Gateway, id: &str) -> Result<PollView, Problem> {
    let id: B256 = parse(id, "a poll's id is 0x and 64 hexadecimal digits")?;
    let found = gateway.store.poll(id).await?;
    found.ok_or_else(|| Problem::new(ProblemCode::NotFound, format!("poll {id} is not known here")))
}

fn refused(error: ElectorateError) -> Problem {
    match error {
        ElectorateError::Chain(error) => problems::chain(&error),
        ElectorateError::Author(_) => Problem::new(ProblemCode::Forbidden, error.to_string())
            .hint("check the key and the EIP-712 domain: Rochdale, with the Membership contract"),
        ElectorateError::Poll(_) | ElectorateError::NotFinal { .. } => {
            Problem::new(ProblemCode::BadRequest, error.to_string())
        }
    }
}

fn not_admitted(refusal: &Refusal) -> Problem {
    let code = match refusal {
        Refusal::OtherPoll | Refusal::NoSuchOption { .. } => ProblemCode::BadRequest,
        Refusal::NotAMember | Refusal::Unseasoned | Refusal::WrongSigner { .. } => ProblemCode::Forbidden,
        Refusal::BeforeOpening { .. }
        | Refusal::AfterClosing { .. }
        | Refusal::Replaced { .. }
        | Refusal::Contradicted { .. }
        | Refusal::Repeated => ProblemCode::Conflict,
    };
    Problem::new(code, format!("the ballot does not count: {refusal}"))
}
