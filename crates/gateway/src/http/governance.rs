//! What the houses decide and who decides in them.

use alloy::primitives::{Address, B256, U256, keccak256};
use axum::Json;
use axum::extract::State;
use rochdale_api::governance::{
    BallotSupport, BallotView, CallView, ChangeView, CharterView, DelegateView, HouseName, LockView, MemberRewards,
    MemberVotes, OpenVote, ProposalDetail, ProposalStatus, ProposalView, ServiceView,
};
use rochdale_api::route::gateway as route;
use rochdale_api::server::PathOf;
use rochdale_api::shape::Hex32;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::bindings::{DataToken, GovToken};
use rochdale_chain::client::Head;
use rochdale_chain::gov::{CharterCalls, Described, House, Status, Support, Translated, approvals};
use rochdale_chain::state::{Cast, Cooperative, Governance, Motion, SEASONING};
use rochdale_core::ids::MemberId;
use rochdale_core::money::DataWei;

use super::members::parse;
use super::{Answered, App, Gateway};
use crate::problems;

/// Proposals in one list, beside all that are not decided yet.
const LISTED: usize = 200;
/// Characters of a title.
const TITLE: usize = 200;
/// Votes of a member in one answer.
const CAST: usize = 200;
/// Accounts in the list of who casts votes.
const DELEGATES: usize = 100;

/// What is put to the vote in both houses and waits to take effect, and what was last decided; the newest first.
#[utoipa::path(
    get, path = route::PROPOSALS.path, tag = "governance",
    responses((status = 200, description = "Proposals", body = Vec<ProposalView>), (status = 503, description = "The chain cannot be read", body = Problem))
)]
pub async fn proposals(State(gateway): App) -> Answered<Vec<ProposalView>> {
    let head = gateway.index.fresh_head().await?;
    let now = head.latest.timestamp;
    let chosen: Vec<Motion> = gateway.index.state().read(|state| {
        let mut decided = 0;
        // What can still be voted on or done is always in the list, however many others somebody proposes.
        let is_listed = |motion: &&Motion| {
            let quorum = gateway.proposals.known_quorum(motion);
            let is_open = status(motion.status(now, quorum, state.governance.constituted_at)).is_open();
            decided += usize::from(!is_open);
            is_open || decided <= LISTED
        };
        state.governance.newest().filter(is_listed).cloned().collect()
    });
    let mut views = Vec::with_capacity(chosen.len());
    for motion in &chosen {
        views.push(view(&gateway, motion, &head).await?);
    }
    Ok(Json(views))
}

/// A proposal with what it would do, in each house that has one of this number.
#[utoipa::path(
    get, path = route::PROPOSAL.path, tag = "governance",
    params(("id" = Hex32, Path, description = "The proposal's number at the governor")),
    responses(
        (status = 200, description = "The proposal", body = Vec<ProposalDetail>),
        (status = 404, description = "No such proposal", body = Problem),
        (status = 503, description = "The chain cannot be read", body = Problem),
    )
)]
pub async fn proposal(State(gateway): App, PathOf(id): PathOf<String>) -> Answered<Vec<ProposalDetail>> {
    let id: B256 = parse(&id, "a proposal's number is 0x and 64 hexadecimal digits")?;
    let head = gateway.index.fresh_head().await?;
    let found = gateway.index.state().read(|s| s.governance.numbered(id).cloned().collect::<Vec<_>>());
    if found.is_empty() {
        return Err(Problem::new(ProblemCode::NotFound, format!("there is no proposal {id}")));
    }
    let mut details = Vec::new();
    for motion in &found {
        details.push(detail(&gateway, motion, &head).await?);
    }
    Ok(Json(details))
}

/// What a member votes with, and how it voted.
#[utoipa::path(
    get, path = route::MEMBER_VOTES.path, tag = "governance",
    params(("id" = u32, Path, description = "Member id")),
    responses(
        (status = 200, description = "The member's votes", body = MemberVotes),
        (status = 404, description = "No such member", body = Problem),
        (status = 503, description = "The chain cannot be read", body = Problem),
    )
)]
pub async fn member_votes(State(gateway): App, PathOf(id): PathOf<String>) -> Answered<MemberVotes> {
    let id: MemberId = parse(&id, "a member id is a number from 1")?;
    let now = gateway.index.fresh_head().await?.latest.timestamp;
    let found = gateway.index.state().read(|state| votes(state, id, now));
    let mut view = found.ok_or_else(|| no_member(id))?;
    let (chain, token, account) = (&gateway.chain, gateway.manifest.addresses.gov_token, view.account);
    let (balance, earned, locks) =
        (GovToken::balanceOfCall { account }, GovToken::earnedOfCall { account }, GovToken::locksOfCall { account });
    let read = tokio::try_join!(chain.view(token, &balance), chain.view(token, &earned), chain.view(token, &locks));
    let (balance, earned, locks) = read.map_err(|e| problems::chain(&e))?;
    let lock =
        |lock: &GovToken::Lock| LockView { amount: lock.amount.to(), tier: lock.tier, unlock_at: lock.unlockAt.to() };
    view.locks = locks.iter().map(lock).collect();
    view.gov_balance = balance.saturating_to();
    let locked: u128 = view.locks.iter().map(|lock| lock.amount).sum();
    view.lockable = earned.saturating_to::<u128>().min(view.gov_balance.saturating_sub(locked));
    for open in view.on.iter_mut().filter(|open| open.house == HouseName::Token) {
        open.votes = past_votes(&gateway, account, open.proposal).await?;
    }
    Ok(Json(view))
}

/// What an account had at a proposal's snapshot in the token house: the index knows only what it has now.
async fn past_votes(gateway: &Gateway, account: Address, proposal: B256) -> Result<u128, Problem> {
    let key = (House::Token, proposal);
    let opens_at = gateway.index.state().read(|state| state.governance.motions.get(&key).map(|m| m.opens_at));
    let call = GovToken::getPastVotesCall { account, timepoint: U256::from(opens_at.unwrap_or_default()) };
    let votes = gateway.chain.view(gateway.manifest.addresses.gov_token, &call).await;
    Ok(votes.map_err(|e| problems::chain(&e))?.saturating_to())
}

fn no_member(id: MemberId) -> Problem {
    Problem::new(ProblemCode::NotFound, format!("member {id} does not exist"))
}

/// Tokens that lie at a member's addresses.
#[utoipa::path(
    get, path = route::MEMBER_REWARDS.path, tag = "governance",
    params(("id" = u32, Path, description = "Member id")),
    responses(
        (status = 200, description = "The member's tokens", body = MemberRewards),
        (status = 404, description = "No such member", body = Problem),
        (status = 503, description = "The chain cannot be read", body = Problem),
    )
)]
pub async fn rewards(State(gateway): App, PathOf(id): PathOf<String>) -> Answered<MemberRewards> {
    let id: MemberId = parse(&id, "a member id is a number from 1")?;
    let member = gateway.index.fresh().await?.read(|state| state.members.get(&id).cloned());
    let member = member.ok_or_else(|| no_member(id))?;
    let (chain, addresses) = (&gateway.chain, &gateway.manifest.addresses);
    let (payout, account) =
        (DataToken::balanceOfCall { account: member.payout }, DataToken::balanceOfCall { account: member.account });
    let gov = GovToken::balanceOfCall { account: member.account };
    let read = tokio::try_join!(
        chain.view(addresses.data_token, &payout),
        chain.view(addresses.data_token, &account),
        chain.view(addresses.gov_token, &gov),
        chain.view(addresses.data_token, &DataToken::transfersRestrictedCall {}),
    );
    let (data, data_of_account, gov, transfers_restricted) = read.map_err(|e| problems::chain(&e))?;
    Ok(Json(MemberRewards {
        member_id: id,
        account: member.account,
        payout: member.payout,
        data: data.saturating_to(),
        data_of_account: data_of_account.saturating_to(),
        gov: gov.saturating_to(),
        transfers_restricted,
    }))
}

/// What members can buy for DATA, by number.
#[utoipa::path(
    get, path = route::SERVICES.path, tag = "governance",
    responses((status = 200, description = "Services", body = Vec<ServiceView>), (status = 503, description = "The chain cannot be read", body = Problem))
)]
pub async fn services(State(gateway): App) -> Answered<Vec<ServiceView>> {
    let view = |(service, (price, open)): (&u32, &(DataWei, bool))| ServiceView {
        service: *service,
        price: price.0,
        open: *open,
    };
    Ok(Json(gateway.index.fresh().await?.read(|state| state.services.iter().map(view).collect())))
}

/// Who casts votes in the token house, the largest first.
#[utoipa::path(
    get, path = route::DELEGATES.path, tag = "governance",
    responses((status = 200, description = "Accounts with votes", body = Vec<DelegateView>), (status = 503, description = "The chain cannot be read", body = Problem))
)]
pub async fn delegates(State(gateway): App) -> Answered<Vec<DelegateView>> {
    Ok(Json(gateway.index.fresh().await?.read(|state| {
        let all = state.governance.castable.max(1);
        let view = |(account, votes): (Address, u128)| DelegateView {
            account,
            member_id: state.member_ids.get(&account).copied(),
            votes,
            share_bps: u32::try_from(votes.saturating_mul(10_000) / all).unwrap_or(u32::MAX),
            delegators: state.governance.holdings.get(&account).map_or(0, |of| of.delegators),
        };
        state.governance.largest().take(DELEGATES).map(view).collect()
    })))
}

async fn view(gateway: &Gateway, motion: &Motion, head: &Head) -> Result<ProposalView, Problem> {
    let quorum = gateway.proposals.quorum(motion, head).await?;
    // Of a proposal that does anything else the house's own word is what counts.
    let approves: Vec<B256> = approvals(&motion.calls, &gateway.manifest).collect();
    let alone = approves.len() == motion.calls.len() && approves.windows(2).all(|pair| pair[0] == pair[1]);
    let operation = approves.first().copied().filter(|_| alone);
    Ok(gateway.index.state().read(|state| shown(state, motion, operation, head.latest.timestamp, quorum)))
}

async fn detail(gateway: &Gateway, motion: &Motion, head: &Head) -> Result<ProposalDetail, Problem> {
    let words = gateway.proposals.words(motion).await?;
    Ok(ProposalDetail {
        proposal: view(gateway, motion, head).await?,
        governor: motion.house.governor(&gateway.manifest),
        description: CharterCalls::without(&motion.description),
        description_hash: keccak256(&motion.description),
        calls: words.calls.iter().map(call).collect(),
        charter_calls: words.charter.iter().map(call).collect(),
    })
}

fn charter(governance: &Governance, operation: B256, now: u64) -> CharterView {
    let agreed = governance.charter.get(&operation).copied().unwrap_or_default();
    CharterView {
        operation,
        approved_by: agreed.by(now).into_iter().map(house).collect(),
        executed_at: agreed.executed,
        lapses_at: agreed.lapses_at(now),
    }
}

fn title(description: &str) -> String {
    let line = CharterCalls::without(description);
    let line = line.lines().next().unwrap_or_default().trim_start_matches('#').trim();
    line.chars().take(TITLE).collect()
}

fn shown(
    state: &Cooperative,
    motion: &Motion,
    operation: Option<B256>,
    now: u64,
    quorum: Option<u128>,
) -> ProposalView {
    let governance = &state.governance;
    ProposalView {
        id: motion.id,
        house: house(motion.house),
        proposer: motion.proposer,
        proposer_member: state.member_ids.get(&motion.proposer).copied(),
        title: title(&motion.description),
        status: status(motion.status(now, quorum, governance.constituted_at)),
        proposed_at: motion.made.time,
        opens_at: motion.opens_at,
        closes_at: motion.closes_at,
        extended: motion.extended,
        executable_at: governance.executable_at(motion),
        votes_for: motion.tally.in_favour,
        votes_against: motion.tally.against,
        votes_abstain: motion.tally.abstain,
        quorum: quorum.map(|quorum| quorum.to_string()),
        castable: state.castable(motion, now).map(|castable| castable.votes.to_string()),
        ballots: motion.ballots,
        queued_at: motion.queued.map(|(at, _)| at.time),
        executed_at: motion.executed.map(|at| at.time),
        canceled_at: motion.canceled.map(|at| at.time),
        charter: operation.map(|operation| charter(governance, operation, now)),
    }
}

fn votes(state: &Cooperative, id: MemberId, now: u64) -> Option<MemberVotes> {
    let member = state.members.get(&id)?;
    let holding = state.governance.holdings.get(&member.account).copied().unwrap_or_default();
    let delegate = holding.delegate.unwrap_or(member.account);
    let ballot = |(at, cast): (rochdale_chain::state::At, &Cast)| BallotView {
        house: house(cast.house),
        proposal: cast.proposal,
        support: support(cast.support),
        votes: cast.votes,
        at: at.time,
    };
    let voted = |motion: &Motion| {
        let mut cast = state.governance.cast_by(member.account).map(|(_, cast)| cast);
        cast.find(|cast| (cast.house, cast.proposal) == (motion.house, motion.id)).map(|cast| support(cast.support))
    };
    let on = |motion: &Motion| OpenVote {
        house: house(motion.house),
        proposal: motion.id,
        votes: if motion.house == House::Member { member.votes_at(motion.opens_at).into() } else { 0 },
        support: voted(motion),
    };
    Some(MemberVotes {
        member_id: id,
        account: member.account,
        active: member.is_active(),
        seasoned_at: member.joined.time.saturating_add(SEASONING),
        now,
        member_votes: member.votes_at(now).into(),
        held: holding.held,
        token_votes: holding.votes,
        delegate,
        delegate_member: state.member_ids.get(&delegate).copied(),
        delegators: holding.delegators,
        gov_balance: 0,
        lockable: 0,
        locks: Vec::new(),
        on: state.governance.open(now).map(on).collect(),
        ballots: state.governance.cast_by(member.account).take(CAST).map(ballot).collect(),
    })
}

fn house(house: House) -> HouseName {
    match house {
        House::Member => HouseName::Member,
        House::Token => HouseName::Token,
    }
}

fn support(support: Support) -> BallotSupport {
    match support {
        Support::For => BallotSupport::For,
        Support::Against => BallotSupport::Against,
        Support::Abstain => BallotSupport::Abstain,
    }
}

fn status(status: Status) -> ProposalStatus {
    match status {
        Status::Pending => ProposalStatus::Pending,
        Status::Active => ProposalStatus::Active,
        Status::Canceled => ProposalStatus::Canceled,
        Status::Defeated => ProposalStatus::Defeated,
        Status::Succeeded => ProposalStatus::Succeeded,
        Status::Queued => ProposalStatus::Queued,
        Status::Expired => ProposalStatus::Expired,
        Status::Executed => ProposalStatus::Executed,
    }
}

fn call(Translated { call, described }: &Translated) -> CallView {
    let Described { contract, target, function, words, changes, warnings } = described.clone();
    CallView {
        contract,
        target,
        function,
        words,
        changes: changes.into_iter().map(|c| ChangeView { what: c.what, old: c.old, new: c.new }).collect(),
        warnings,
        value: call.value.to_string(),
        data: call.data.clone(),
    }
}
