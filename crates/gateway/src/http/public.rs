//! What anyone may read: health, the cooperative, money, licenses, datasets, epochs, the privacy budget.

use alloy::primitives::Address;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rochdale_api::order::Sizes;
use rochdale_api::route::gateway as route;
use rochdale_api::server::{PathOf, QueryOf};
use rochdale_api::shape::HexAddress;
use rochdale_api::status::{
    BudgetView, Cooperative, DatasetCode, DatasetView, EpochView, FinalizedBlock, Health, LicenseView, TreasuryView,
    Welcome,
};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::LicenseState;
use rochdale_core::ids::{Epoch, LicenseId};
use rochdale_core::units::pool_unit;
use serde::Deserialize;

use super::members::parse;
use super::{Answered, App, Gateway};
use crate::config::CodeConfig;
use crate::problems;
use crate::receipts;

/// How long health waits for a look at the chain.
const LOOK: std::time::Duration = std::time::Duration::from_secs(2);
/// Blocks that the index may lag behind before health says so.
const TOLERATED_LAG: u64 = 5;

/// Whether the gateway can work, and what is wrong where it cannot.
#[utoipa::path(
    get, path = route::HEALTH.path, tag = "public",
    responses((status = 200, description = "It can work", body = Health), (status = 503, description = "It cannot", body = Health))
)]
pub async fn health(State(gateway): App) -> (StatusCode, Json<Health>) {
    let health = look(&gateway).await;
    let status = if health.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health))
}

/// What a client needs to take part: addresses, stewards with their keys, time.
#[utoipa::path(get, path = route::COOPERATIVE.path, tag = "public", responses((status = 200, description = "The cooperative", body = Cooperative), (status = 503, description = "The chain cannot be read", body = Problem)))]
pub async fn cooperative(State(gateway): App) -> Answered<Cooperative> {
    overview(&gateway).await.map(Json)
}

/// What whoever tries a local cooperative out starts with: an open invitation, and a researcher with test money. Nothing elsewhere.
#[utoipa::path(get, path = route::WELCOME.path, tag = "public", responses((status = 200, description = "To begin with", body = Welcome)))]
pub async fn welcome(State(gateway): App) -> Json<Welcome> {
    let Some(path) = &gateway.welcome else { return Json(Welcome::default()) };
    // The file may be on its way.
    let text = tokio::fs::read(path).await.unwrap_or_default();
    Json(serde_json::from_slice(&text).unwrap_or_default())
}

/// What was booked into each bucket, and what members were paid.
#[utoipa::path(get, path = route::TREASURY.path, tag = "public", responses((status = 200, description = "Micro-USDC", body = TreasuryView), (status = 503, description = "The chain cannot be read", body = Problem)))]
pub async fn treasury(State(gateway): App) -> Answered<TreasuryView> {
    gateway.index.fresh().await?;
    Ok(Json(money(&gateway)))
}

/// Asks for the licenses of one account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    holder: Option<Address>,
}

/// Licenses by id, or those of one holder.
#[utoipa::path(
    get, path = route::LICENSES.path, tag = "public",
    params(("holder" = Option<HexAddress>, Query, description = "Account that holds them")),
    responses((status = 200, description = "Licenses", body = Vec<LicenseView>), (status = 503, description = "The chain cannot be read", body = Problem))
)]
pub async fn licenses(State(gateway): App, QueryOf(Holder { holder }): QueryOf<Holder>) -> Answered<Vec<LicenseView>> {
    let state = gateway.index.fresh().await?;
    let wanted = |license: &LicenseState| holder.is_none_or(|h| h == license.holder);
    Ok(Json(state.read(|s| s.licenses.iter().filter(|(_, l)| wanted(l)).map(|(id, l)| shown(*id, l)).collect())))
}

/// One license.
#[utoipa::path(
    get, path = route::LICENSE.path, tag = "public",
    params(("id" = u64, Path, description = "License id")),
    responses((status = 200, description = "The license", body = LicenseView), (status = 404, description = "No such license", body = Problem))
)]
pub async fn license(State(gateway): App, PathOf(id): PathOf<String>) -> Answered<LicenseView> {
    let id: LicenseId = parse(&id, "a license id is a number from 1")?;
    let found = gateway.index.fresh().await?.read(|s| s.licenses.get(&id).map(|l| shown(id, l)));
    found.map(Json).ok_or_else(|| Problem::new(ProblemCode::NotFound, format!("license {id} does not exist")))
}

/// Datasets on offer.
#[utoipa::path(get, path = route::DATASETS.path, tag = "public", responses((status = 200, description = "Datasets", body = Vec<DatasetView>), (status = 503, description = "The chain cannot be read", body = Problem)))]
pub async fn datasets(State(gateway): App) -> Answered<Vec<DatasetView>> {
    let state = gateway.index.fresh().await?;
    let codes = &gateway.codes;
    let view = state.read(|s| {
        let dataset = |(id, d): (&_, &rochdale_chain::state::DatasetState)| DatasetView {
            dataset: *id,
            data_type: d.data_type,
            source: d.source,
            price_per_thousand: d.price_per_thousand.0,
            terms_hash: d.terms_hash,
            codes: codes.iter().filter(|code| code.dataset == *id).map(published).collect(),
        };
        s.datasets.iter().filter(|(_, d)| d.open).map(dataset).collect()
    });
    Ok(Json(view))
}

/// A configured code with the unit that pools keep it in.
fn published(code: &CodeConfig) -> DatasetCode {
    let CodeConfig { of, system, code, name, .. } = code.clone();
    let unit = pool_unit(&system, &code).map(str::to_owned);
    DatasetCode { of, system, code, name, unit }
}

/// Where an epoch's settlement stands.
#[utoipa::path(
    get, path = route::EPOCH.path, tag = "public",
    params(("epoch" = u32, Path, description = "Epoch, from 1")),
    responses((status = 200, description = "The epoch", body = EpochView), (status = 404, description = "It has not begun", body = Problem))
)]
pub async fn epoch(State(gateway): App, PathOf(epoch): PathOf<String>) -> Answered<EpochView> {
    let epoch: Epoch = parse(&epoch, "an epoch is a number from 1")?;
    let now = gateway.index.fresh_head().await?.latest.timestamp;
    let schedule = gateway.manifest.schedule();
    let running = schedule.epoch_at(now).unwrap_or_default();
    if epoch == Epoch(0) || epoch > running {
        let detail = format!("epoch {epoch} does not exist yet; epoch {running} runs");
        return Err(Problem::new(ProblemCode::NotFound, detail));
    }
    let (proposal, params) = gateway
        .index
        .state()
        .read(|s| (s.proposals.get(&epoch).cloned(), s.params_of(epoch).unwrap_or(&gateway.manifest.ledger).clone()));
    let state = match &proposal {
        Some(p) if p.final_at <= now => "final",
        Some(_) => "pending",
        None if epoch == running => "running",
        None => "awaiting_proposal",
    };
    let gas_used = match &proposal {
        Some(p) => proposal_gas(&gateway, p.header.root, epoch).await?,
        None => None,
    };
    Ok(Json(EpochView {
        epoch,
        state: state.to_owned(),
        end: schedule.end(epoch),
        final_at: proposal.as_ref().map(|p| p.final_at),
        root: proposal.as_ref().map(|p| p.header.root),
        header: proposal.map(|p| p.header),
        gas_used,
        params,
    }))
}

/// What was charged to privacy budgets, as the chain shows it, and what a person may be charged, as stewards say. Whom a debit charges is for stewards alone.
#[utoipa::path(get, path = route::BUDGET.path, tag = "public", responses((status = 200, description = "Nano-zCDP", body = BudgetView)))]
pub async fn budget(State(gateway): App) -> Answered<BudgetView> {
    // What the chain shows is told whether or not stewards answer.
    let limits = gateway.forward.sizes().await.ok().and_then(|sizes| sizes.limits);
    let view = gateway.index.state().read(|state| BudgetView {
        debits: state.debits.len() as u64,
        answered: state.debits.values().filter(|booked| booked.receipt.is_some()).count() as u64,
        rho: state.debits.values().fold(0, |sum, booked| sum.saturating_add(booked.debit.rho)),
        limits,
    });
    Ok(Json(view))
}

/// How many members each dataset has for a purpose: published sizes, noisy and coarse, as a quorum of stewards gives them alike.
#[utoipa::path(get, path = route::SIZES.path, tag = "public", responses((status = 200, description = "By dataset and purpose", body = Sizes), (status = 503, description = "Too few stewards answer", body = Problem)))]
pub async fn sizes(State(gateway): App) -> Answered<Sizes> {
    gateway.forward.sizes().await.map(Json)
}

/// Health as of now.
pub(super) async fn look(gateway: &Gateway) -> Health {
    let mut problems = Vec::new();
    // The look is shared with whoever else asks. One that takes long is not waited for: who asks wants to know why.
    let looked = tokio::time::timeout(LOOK, gateway.index.fresh_head()).await;
    let standing = gateway.index.standing();
    let indexed = standing.progress.as_ref().map_or(0, |p| p.cursor.number);
    let known = standing.progress.as_ref().map(|p| p.head);
    match &looked {
        Ok(Ok(_)) => {}
        Ok(Err(problem)) => problems.push(problem.detail.clone()),
        Err(_) => problems.extend(
            standing
                .failure
                .clone()
                .or_else(|| known.map(|_| format!("the chain does not answer within {} s", LOOK.as_secs()))),
        ),
    }
    let head = looked.ok().and_then(Result::ok).or(known);
    let (head, now) = head.map_or((0, 0), |head| (head.latest.number, head.latest.timestamp));
    if standing.progress.is_none() && problems.is_empty() {
        problems.push("the index is still reading the chain".to_owned());
    } else if head > indexed + TOLERATED_LAG {
        problems.push(format!("the index stands at block {indexed}, the chain at {head}"));
    }
    if let Err(error) = gateway.store.queue_length().await {
        problems.push(error.to_string());
    }
    if standing.progress.is_some() {
        problems.extend(disowned(gateway));
    }
    let ok = problems.is_empty();
    // What follows hinders some requests, not the gateway.
    problems.extend(gateway.scrub.alarm());
    problems.extend(gateway.erasure.alarm());
    let entries = gateway.directory.entries();
    let down = entries.iter().filter(|e| !e.up);
    problems.extend(down.map(|e| format!("steward {} does not answer at {}", e.steward, e.url)));
    if now > 0 {
        problems.extend(gateway.relayer.alarms(now).await);
    }
    Health {
        service: "gateway".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ok,
        address: gateway.address,
        head,
        indexed,
        now,
        problems,
        waiting_for: gateway.directory.peers().waited_for(),
    }
}

/// What the chain says against this gateway or its worker: either way it serves nobody.
fn disowned(gateway: &Gateway) -> Vec<String> {
    let (named, knows) = gateway.index.state().read(|s| (s.gateway, s.workers.contains_key(&gateway.worker)));
    let mut problems = Vec::new();
    if named != Some(gateway.address) {
        let other = named.map_or_else(|| "no gateway".to_owned(), |other| format!("{other} as its gateway"));
        problems.push(format!(
            "the chain names {other}, this one is {}: stewards and worker refuse its requests; relayer.key_file has to be the named one's key, \
             or a vote names this one (StewardCommittee.setGateway)",
            gateway.address
        ));
    }
    if !knows {
        problems.push(format!(
            "the worker {} is not registered on chain: no query is answered; worker.address has to be a registered one, or a vote registers it \
             (StewardCommittee.registerWorker)",
            gateway.worker
        ));
    }
    problems
}

/// The cooperative as of now.
pub(super) async fn overview(gateway: &Gateway) -> Result<Cooperative, Problem> {
    let head = gateway.index.fresh_head().await?;
    let now = head.latest.timestamp;
    let finalized = FinalizedBlock {
        number: head.finalized.number,
        hash: head.finalized.hash,
        timestamp: head.finalized.timestamp,
    };
    let state = gateway.index.state();
    let manifest = serde_json::to_value(&gateway.manifest)
        .map_err(|e| Problem::new(ProblemCode::Internal, format!("the manifest has no JSON form: {e}")))?;
    let (quorum, members, final_epoch) = state.read(|s| {
        let final_epoch = s.final_proposal(now).map_or(Epoch(0), |p| p.header.epoch);
        (s.quorum, s.active_members().count(), final_epoch)
    });
    Ok(Cooperative {
        chain_id: gateway.manifest.chain_id,
        manifest,
        gateway: gateway.address,
        stewards: gateway.directory.entries(),
        quorum,
        now,
        finalized,
        epoch: gateway.manifest.schedule().epoch_at(now).unwrap_or_default(),
        final_epoch,
        members: u32::try_from(members).unwrap_or(u32::MAX),
    })
}

/// The books as of the last indexed block.
pub(super) fn money(gateway: &Gateway) -> TreasuryView {
    gateway.index.state().read(|s| {
        let sum = |part: fn(&rochdale_chain::state::Booking) -> u128| s.bookings.iter().map(part).sum();
        TreasuryView {
            contributors: sum(|b| b.contributors.0),
            buyback: sum(|b| b.buyback.0),
            operations: sum(|b| b.operations.0),
            compliance: sum(|b| b.compliance.0),
            reserve: sum(|b| b.reserve.0),
            claimed: s.claimed.values().map(|c| c.cash.0).sum(),
        }
    })
}

async fn proposal_gas(gateway: &Gateway, root: alloy::primitives::B256, epoch: Epoch) -> Result<Option<u64>, Problem> {
    let events = gateway.store.events_about("proposed", root).await?;
    // Two epochs may have one root, where nothing happened in between.
    let same = |e: &&rochdale_chain::events::Located| matches!(&e.event, rochdale_chain::events::Event::Proposed { epoch: of, .. } if *of == epoch);
    let Some(located) = events.iter().rev().find(same) else { return Ok(None) };
    let found = receipts::look_up(&gateway.chain, &gateway.manifest.addresses, located.transaction).await;
    Ok(found.map_err(|e| problems::chain(&e))?.map(|(mined, _)| mined.gas_used))
}

fn shown(id: LicenseId, license: &LicenseState) -> LicenseView {
    LicenseView {
        license_id: id,
        holder: license.holder,
        dataset: license.terms.dataset,
        purpose: license.terms.purpose,
        records: license.terms.records,
        expiry: license.terms.expiry,
        recipient_key: license.terms.recipient_key,
    }
}
