//! How the houses decide, and how the gateway itself fares: read from the chain, once for each block.

use alloy::primitives::Address;
use axum::Json;
use axum::extract::State;
use futures_util::future::try_join_all;
use rochdale_api::governance::{ConstitutionView, HouseName, HouseRules, Operations, PauseView};
use rochdale_api::log::Log;
use rochdale_api::route::gateway as route;
use rochdale_api::server::QueryOf;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::bindings::{CharterGate, CoopGovernor, CoopTimelock, Membership, PauseGuard};
use rochdale_chain::client::ChainError;
use rochdale_chain::gov::{Book, House};
use rochdale_core::ids::MemberId;
use serde::Deserialize;

use super::{Answered, App, Gateway};
use crate::acts::{Place, act};
use crate::problems;

/// By which rules the houses decide, whether they do yet, and what is paused.
#[utoipa::path(
    get, path = route::CONSTITUTION.path, tag = "governance",
    responses((status = 200, description = "The rules", body = ConstitutionView), (status = 503, description = "The chain cannot be read", body = Problem))
)]
pub async fn constitution(State(gateway): App) -> Answered<ConstitutionView> {
    let now = gateway.index.fresh_head().await?.latest.timestamp;
    let (chain, addresses) = (&gateway.chain, &gateway.manifest.addresses);
    let read = tokio::try_join!(
        chain.view(addresses.charter_gate, &CharterGate::termsCall {}),
        chain.view(addresses.membership, &Membership::seasonedCountCall {}),
        chain.view(addresses.pause_guard, &PauseGuard::guardianCall {}),
        try_join_all(House::ALL.map(|house| rules(&gateway, house))),
        pauses(&gateway, now),
    );
    let (terms, seasoned, guardian, houses, pauses) = read.map_err(|e| problems::chain(&e))?;
    let (constituted_at, first) = gateway.index.state().read(|state| {
        let first = state.members.get(&MemberId(1)).map(|member| member.joined.time);
        (state.governance.constituted_at, first)
    });
    Ok(Json(ConstitutionView {
        constituted_at: (constituted_at > 0).then_some(constituted_at),
        min_members: terms.minMembers,
        seasoned_members: seasoned.saturating_to(),
        min_age: terms.minAge.into(),
        first_joined_at: first,
        houses,
        guardian,
        pauses,
    }))
}

async fn rules(gateway: &Gateway, house: House) -> Result<HouseRules, ChainError> {
    let (chain, governor) = (&gateway.chain, house.governor(&gateway.manifest));
    let (settings, floor, delay) = tokio::try_join!(
        chain.view(governor, &CoopGovernor::settingsCall {}),
        chain.view(governor, &CoopGovernor::quorumFloorCall {}),
        chain.view(house.timelock(&gateway.manifest), &CoopTimelock::getMinDelayCall {}),
    )?;
    Ok(HouseRules {
        house: match house {
            House::Member => HouseName::Member,
            House::Token => HouseName::Token,
        },
        voting_delay: settings.votingDelay.to(),
        voting_period: settings.votingPeriod.into(),
        late_quorum_extension: settings.lateQuorumExtension.to(),
        timelock_delay: delay.saturating_to(),
        quorum_bps: settings.quorumBps.saturating_to(),
        quorum_floor: floor.saturating_to(),
        proposal_threshold: settings.proposalThreshold.saturating_to(),
    })
}

/// Contracts that are paused at `now` (Unix seconds), and until when.
async fn pauses(gateway: &Gateway, now: u64) -> Result<Vec<PauseView>, ChainError> {
    let book = Book::of(&gateway.manifest);
    let names = book.names();
    let paused = names
        .into_iter()
        .filter_map(|name| book.by_name(name))
        .filter(|entry| entry.abi.functions.contains_key("pausedUntil"));
    let asked = paused.map(async |entry| {
        // All of them have this one in common.
        let until = gateway.chain.view(entry.address, &Membership::pausedUntilCall {}).await?;
        Ok::<_, ChainError>(PauseView { contract: entry.name.to_owned(), until })
    });
    let all = try_join_all(asked).await?;
    Ok(all.into_iter().filter(|pause| pause.until > now).collect())
}

/// Entries of a page.
const PAGE: u16 = 100;

/// From where on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    before: Option<String>,
}

/// What was done in the cooperative's name, the newest first, a hundred at a time.
#[utoipa::path(
    get, path = route::LOG.path, tag = "governance",
    params(("before" = Option<String>, Query, pattern = "^[0-9]{1,19}-[0-9]{1,19}$", example = "120-3", description = "`earlier` of the page before")),
    responses(
        (status = 200, description = "A page of the log", body = Log),
        (status = 400, description = "`before` is no place in the log", body = Problem),
        (status = 503, description = "The chain cannot be read", body = Problem),
    )
)]
pub async fn log(State(gateway): App, QueryOf(Before { before }): QueryOf<Before>) -> Answered<Log> {
    let place = before.map_or(Ok(Place::END), |text| {
        text.parse()
            .map_err(|()| Problem::new(ProblemCode::BadRequest, format!("before: {text} is no place in the log")))
    })?;
    gateway.index.fresh_head().await?;
    let found = gateway.store.acts_before(place, PAGE + 1).await?;
    let shown = &found[..found.len().min(PAGE.into())];
    let earlier = shown.last().filter(|_| found.len() > shown.len()).map(|last| Place::of(last).to_string());
    Ok(Json(Log { entries: shown.iter().filter_map(act).collect(), earlier }))
}

/// What the gateway pays gas from, and what waits for it.
#[utoipa::path(
    get, path = route::OPERATIONS.path, tag = "public",
    responses((status = 200, description = "The gateway's account and queue", body = Operations), (status = 503, description = "The chain cannot be read", body = Problem))
)]
pub async fn operations(State(gateway): App) -> Answered<Operations> {
    let account: Address = gateway.address;
    gateway.index.fresh_head().await?;
    let chain = async { tokio::try_join!(gateway.chain.balance(account), gateway.chain.gas_price()) };
    let (balance, price) = chain.await.map_err(|e| problems::chain(&e))?;
    let (gas_of_the_day, gas_per_day) = gateway.relayer.gas_of_the_day().await?;
    Ok(Json(Operations {
        gas_account: account,
        gas_balance: balance.saturating_to(),
        gas_price: price,
        gas_of_the_day,
        gas_per_day,
        queued_contributions: gateway.store.queue_length().await?,
    }))
}
