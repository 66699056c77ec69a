//! A steward that answers as it likes costs what it answers, and nobody else's work.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use axum::extract::State;
use axum::routing::{MethodRouter, post};
use rochdale_api::contribution::{ScoringAnswer, ScoringShares, ScoringSharesRequest};
use rochdale_api::route::steward;
use rochdale_api::server::answering;
use rochdale_core::ids::{ContributionId, StewardId};
use rochdale_node::sealed::SealedBody;
use rochdale_steward::http::{self, App};
use rochdale_steward::scoring::drawn;
use rochdale_steward::steward::Steward;
use tokio::net::TcpListener;

use crate::world::World;

/// Serves what a steward serves at another address, one of its routes in another way.
pub async fn front(steward: &Arc<Steward>, path: &str, instead: MethodRouter<App>) -> Result<String> {
    let own = axum::Router::new().route(path, instead).with_state(App(steward.clone()));
    let app = answering(own, steward.identity()).fallback_service(http::router(steward.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url)
}

/// Shares for scoring as a steward would release them, later and changed.
fn shares(after: Duration, change: fn(&mut ScoringShares)) -> MethodRouter<App> {
    post(move |State(App(steward)): State<App>, sealed: SealedBody<ScoringSharesRequest>| async move {
        let answer = async {
            let mirror = steward.at_head().await?;
            let scorer = mirror.latest.steward_id(sealed.signer).unwrap_or(StewardId(0));
            let mut answers = steward.shares_for_scoring(&mirror, scorer, &sealed.body).await?;
            change(&mut answers);
            Ok(answers)
        };
        let answer = answer.await;
        tokio::time::sleep(after).await;
        sealed.reply(answer)
    })
}

pub fn reaches(world: &mut World, process: u8, peer: u8, url: &str) {
    let peers = &mut world.configs[usize::from(process) - 1].peers;
    peers.iter_mut().filter(|known| known.steward == StewardId(peer)).for_each(|known| known.url = url.to_owned());
}

/// Steward 1 scores what it is drawn for, although steward 3 answers before steward 2 does, and lies.
async fn scores_despite(change: fn(&mut ScoringShares)) -> Result<()> {
    let mut world = World::start(&[3]).await?;
    let lying = front(world.steward(3), steward::SHARES.path, shares(Duration::ZERO, change)).await?;
    world.up(2).await?;
    let slow = front(world.steward(2), steward::SHARES.path, shares(Duration::from_secs(1), |_| {})).await?;
    reaches(&mut world, 1, 3, &lying);
    reaches(&mut world, 1, 2, &slow);
    world.up(1).await?;
    let mut members = Vec::new();
    // Of so many it is drawn for none once in six thousand times.
    for n in 1..=8 {
        members.push(world.member(n).await?);
    }
    let mut records = Vec::new();
    for (n, member) in (1..).zip(&members) {
        records.push((member, world.record(n).await?));
    }
    let ids = world.contribute(&records).await?;
    let mirror = world.steward(1).at_head().await?;
    let finalized = mirror.finalized();
    let is_ours = |id: &&ContributionId| drawn(finalized, &finalized.contributions[*id])[..2].contains(&StewardId(1));
    let ours: BTreeSet<ContributionId> = ids.iter().filter(is_ours).copied().collect();
    ensure!(!ours.is_empty(), "steward 1 is drawn for no record");
    let address = world.steward(1).address();
    world
        .until("steward 1's own scores", async || {
            // Block time goes on more slowly than permits end.
            tokio::time::sleep(Duration::from_millis(200)).await;
            world.coop.local.mine(1).await?;
            for id in &ours {
                let scores = world.steward(1).store.scores_of(*id).await?;
                if scores.iter().all(|row| row.signer != address) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_share_with_a_permit_that_does_not_hold_stops_no_score() -> Result<()> {
    scores_despite(|answers| {
        for answer in answers {
            if let ScoringAnswer::Released { permit, .. } = answer {
                permit.signature = vec![7; 65].into();
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_is_released_twice_stops_no_score() -> Result<()> {
    scores_despite(|answers| *answers = answers.iter().flat_map(|one| [one.clone(), one.clone()]).collect()).await
}
