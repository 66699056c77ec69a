//! What a vote that changes seats in the middle of an epoch does to scores: they are their signers', and no record waits for one that
//! counts no more.

use std::collections::BTreeSet;
use std::time::Duration;

use alloy::primitives::B256;
use anyhow::Result;
use rochdale_core::ids::{ContributionId, StewardId};
use rochdale_crypto::SealingPublicKey;
use rochdale_steward::scoring::drawn;

use crate::world::World;

/// Six records, each with the scores of the two stewards who were drawn.
async fn scored() -> Result<(World, Vec<ContributionId>)> {
    let world = World::start(&[1, 2, 3]).await?;
    let mut members = Vec::new();
    for n in 1..=6 {
        members.push(world.member(n).await?);
    }
    let mut records = Vec::new();
    for (n, member) in (1..).zip(&members) {
        records.push((member, world.record(n).await?));
    }
    let ids = world.contribute(&records).await?;
    world
        .until("two scores of each, at all", async || {
            world.coop.local.mine(1).await?;
            for seat in [1, 2, 3] {
                if world.steward(seat).store.scores_after(ContributionId(0)).await?.len() < 12 {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
    Ok((world, ids))
}

/// Settles an epoch at one of its first attempts, and gives what has entered by then.
async fn entered(world: &World, epoch: u32) -> Result<BTreeSet<ContributionId>> {
    for attempt in 0..4 {
        world.attempt(epoch, attempt).await?;
        let done = tokio::time::timeout(Duration::from_secs(20), world.settled(epoch)).await;
        if let Ok(Ok(())) = done {
            break;
        }
    }
    world.settled(epoch).await?;
    world.final_by_time(epoch).await?;
    Ok(world.steward(1).store.entered().await?.iter().map(|row| row.contribution).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replaced_steward_scored_is_scored_anew_and_enters() -> Result<()> {
    let (mut world, ids) = scored().await?;
    let mirror = world.steward(1).at_head().await?;
    let finalized = mirror.finalized();
    let is_of_three = |id: &ContributionId| drawn(finalized, &finalized.contributions[id])[..2].contains(&StewardId(3));
    assert!(ids.iter().any(is_of_three), "one that steward 3 scored is needed");
    // Process 4 takes seat 3; seats 1 and 2, who hold two shares of each record, stay.
    let former = world.coop.stewards[2].address();
    world.reseat([1, 2, 4]).await?;
    world.attempt(1, 0).await?;
    // By the new one, or by the one that stands in for it: two of those who hold seats now.
    let seated: Vec<_> = world.coop.stewards.iter().map(|key| key.address()).collect();
    world
        .until("two scores of each that count", async || {
            world.coop.local.mine(1).await?;
            for id in &ids {
                let scores = world.steward(1).store.scores_of(*id).await?;
                if scores.iter().filter(|row| seated.contains(&row.signer)).count() < 2 {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
    let kept = world.steward(1).store.scores_after(ContributionId(0)).await?;
    assert!(kept.iter().any(|row| row.signer == former), "what the former one signed stays what it signed");
    let first = entered(&world, 1).await?;
    let second = entered(&world, 2).await?;
    assert!(first.is_subset(&second));
    assert_eq!(second, ids.iter().copied().collect(), "all have entered");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn stewards_that_change_places_keep_what_they_scored() -> Result<()> {
    let (mut world, ids) = scored().await?;
    world.reseat([2, 3, 1]).await?;
    let second = {
        entered(&world, 1).await?;
        entered(&world, 2).await?
    };
    assert_eq!(second, ids.iter().copied().collect(), "all have entered");
    Ok(())
}

/// The sealing keys by which members and stewards reach the seats, in their order.
async fn keys_in_force(world: &World) -> Result<Vec<B256>> {
    Ok(world.steward(1).at_head().await?.latest.seats.iter().map(|seat| seat.sealing_key).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stays_is_reached_by_the_key_in_force_whatever_the_vote_says() -> Result<()> {
    let (mut world, _) = scored().await?;
    let founding = keys_in_force(&world).await?;
    entered(&world, 1).await?;
    world
        .until("keys that are replaced", async || {
            world.coop.local.mine(1).await?;
            Ok(keys_in_force(&world).await?.iter().zip(&founding).all(|(now, then)| now != then))
        })
        .await?;
    world.reseat([2, 3, 1]).await?;
    let held = |world: &World, seat: u8, key: B256| world.steward(seat).keys.sealing.holds(SealingPublicKey(key));
    for (seat, key) in (1..).zip(keys_in_force(&world).await?) {
        assert!(!founding.contains(&key), "seat {seat} is reached by a key that may be destroyed");
        assert!(held(&world, seat, key), "seat {seat} does not hold the key in force");
    }
    let eve = world.member(7).await?;
    let id = world.contribute(&[(&eve, world.record(7).await?)]).await?[0];
    let first = entered(&world, 2).await?;
    assert!(first.contains(&id) || entered(&world, 3).await?.contains(&id), "what is sealed right after it opens");
    Ok(())
}
