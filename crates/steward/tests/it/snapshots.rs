//! A snapshot lives exactly as long as a debit that may charge somebody names it, whatever a worker draws and whomever it shows what.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256};
use anyhow::Result;
use rochdale_core::ids::Epoch;
use rochdale_core::order::Debit;
use rochdale_steward::store::FoldedRow;

use crate::queries::YEAR;
use crate::world::World;

/// Two orders of one cut under one draw: every steward signs both. The first is never booked; the snapshot of the second is kept all the
/// same, so that its epoch is settled and the next order answered.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_forgotten_takes_no_other_orders_snapshot_along() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    let license = world.license(1_000, YEAR).await?;
    world.coop.local.mine(3).await?;
    let (now, cut) = (world.now().await?, world.coop.chain.head().await?.finalized.hash);
    let one = world.order_as(license, 1_000, "researcher", now + 120, cut)?;
    let mut two = world.order_as(license, 1_000, "researcher", now + 6 * 86_400, cut)?;
    two.blinded.drawn = one.blinded.drawn;
    let (first, second) = (world.snapshot(1, &one).await?, world.snapshot(1, &two).await?);
    assert_eq!(first.contributions, second.contributions);
    assert_ne!(first.digest, second.digest, "one draw, two orders");
    let mut signatures = Vec::new();
    for seat in 1..=3 {
        world.sign_debit(seat, &one).await?;
        signatures.push(world.sign_debit(seat, &two).await?);
        assert_eq!(world.steward(seat).store.snapshots().await?.len(), 2);
    }
    world.coop.local.time_to(now + 200, 3).await?;
    for seat in 1..=3 {
        world
            .until("the end of the first order's snapshot", async || {
                world.coop.local.mine(1).await?;
                let kept: Vec<B256> =
                    world.steward(seat).store.snapshots().await?.into_iter().map(|row| row.digest).collect();
                Ok(kept == [second.digest])
            })
            .await?;
    }
    let debit = Debit::of(two.order(), two.digest, second.digest);
    world.book_signed(&debit, signatures).await?;
    world.coop.local.mine(3).await?;
    assert_eq!(world.snapshot(1, &world.order(license, 1_000).await?).await?.contributions, ids);
    world.attempt(1, 0).await?;
    world.settled(1).await
}

/// Two orders of one cut under one draw, one booked before the epoch's end and one after it. An erasure has the first added up with its
/// epoch; the snapshot of the second stays until its own epoch is settled, and then goes too.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_takes_no_later_debits_snapshot_along() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, eve) = (world.member(1).await?, world.member(2).await?);
    let records = [(&ada, world.record(1).await?), (&eve, world.record(2).await?)];
    world.contribute(&records).await?;
    world.scored(2).await?;
    let license = world.license(1_000, YEAR).await?;
    let end = world.coop.manifest.schedule().end(Epoch(1));
    world.coop.local.time_to(end - 900, 3).await?;
    let (now, cut) = (world.now().await?, world.coop.chain.head().await?.finalized.hash);
    let one = world.order_as(license, 1_000, "researcher", now + 3_600, cut)?;
    let mut two = world.order_as(license, 1_000, "researcher", now + 3_600, cut)?;
    two.blinded.drawn = one.blinded.drawn;
    world.book(&one, &[1, 2]).await?;
    let second = world.snapshot(1, &two).await?.digest;
    let signatures = vec![world.sign_debit(1, &two).await?, world.sign_debit(2, &two).await?];
    world.coop.local.time_to(end + 1_200, 3).await?;
    world.book_signed(&Debit::of(two.order(), two.digest, second), signatures).await?;
    world.coop.local.mine(3).await?;
    // A day after the deadline nobody asks for shares of the first any more; epoch 1 is settled and final.
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.after_window(1).await?;
    world.coop.local.time_to(world.now().await? + 2 * 86_400, 3).await?;
    world.coop.erase(&eve.key, eve.id).await?;
    for seat in 1..=3 {
        world
            .until("the first debit to be added up", async || {
                world.coop.local.mine(1).await?;
                let store = &world.steward(seat).store;
                let kept: Vec<B256> = store.snapshots().await?.into_iter().map(|row| row.digest).collect();
                Ok(store.folded().await?.up_to == 1 && kept == [second])
            })
            .await?;
    }
    world.attempt(2, 0).await?;
    world.settled(2).await?;
    world.after_window(2).await?;
    for seat in 1..=3 {
        world
            .until("the end of the second snapshot", async || {
                world.coop.local.time_to(world.now().await? + 3_600, 3).await?;
                let store = &world.steward(seat).store;
                let spent = store.folded().await?.spent;
                Ok(store.snapshots().await?.is_empty() && spent == BTreeMap::from([(ada.id, 2_000)]))
            })
            .await?;
    }
    Ok(())
}

/// A worker shows one steward another draw than those who book the debit. What that steward kept of it is destroyed with the rest, and it
/// gives the second word of an erasure like the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_was_signed_and_never_booked_is_destroyed() -> Result<()> {
    let mut world = World::start(&[]).await?;
    for config in &mut world.configs {
        config.retention.snapshots = 1;
        config.sealing.overlap_s = 600;
    }
    for seat in 1..=3 {
        world.up(seat).await?;
    }
    let (ada, eve) = (world.member(1).await?, world.member(2).await?);
    let records = [(&ada, world.record(1).await?), (&eve, world.record(2).await?)];
    let ids = world.contribute(&records).await?;
    world.scored(2).await?;
    let license = world.license(1_000, YEAR).await?;
    world.coop.local.mine(3).await?;
    let (asked, released) = (world.order(license, 1_000).await?, world.order(license, 1_000).await?);
    let mut signed = Vec::new();
    for order in [&asked, &released] {
        let mut other = order.clone();
        other.blinded.drawn = B256::repeat_byte(7);
        world.sign_debit(1, &other).await?;
        let digest = world.snapshot(2, order).await?.digest;
        let signatures = vec![world.sign_debit(2, order).await?, world.sign_debit(3, order).await?];
        signed.push((Debit::of(order.order(), order.digest, digest), signatures));
    }
    for (debit, signatures) in signed {
        world.book_signed(&debit, signatures).await?;
    }
    world.coop.local.mine(3).await?;
    // It also releases for one of them, which it signed otherwise.
    world
        .until("the snapshots that were booked", async || {
            let has_released = world.release(1, released.digest, &ids).await.is_ok();
            Ok(has_released && world.steward(1).store.snapshots().await?.len() == 4)
        })
        .await?;
    let kept = world.steward(1).store.debit(released.digest).await?.unwrap();
    assert!(kept.quorum.is_some() && kept.signature.is_none(), "a signature over another debit is none over this one");
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.after_window(1).await?;
    world.coop.erase(&eve.key, eve.id).await?;
    world.coop.local.mine(3).await?;
    for epoch in 2..=5 {
        world.attempt(epoch, 0).await?;
        world.settled(epoch).await?;
        world.after_window(epoch).await?;
    }
    for seat in 1..=3 {
        world
            .until("the second word", async || {
                world.coop.local.time_to(world.now().await? + 3_600, 3).await?;
                Ok(world.steward(seat).store.erasure(eve.id).await?.is_some_and(|row| row.complete.is_some()))
            })
            .await?;
        let store = &world.steward(seat).store;
        assert!(store.snapshots().await?.is_empty() && store.debits().await?.is_empty(), "steward {seat}");
        assert_eq!(store.folded().await?.spent, BTreeMap::from([(ada.id, 2_000)]));
    }
    Ok(())
}

/// Two of three stewards signed an order that names a member, who then has everything erased. All three keep what the member spent as long
/// as such a debit may be booked, so that all say the same of it, and all drop it then.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_erased_member_spent_is_kept_by_everybody_while_a_debit_may_name_the_member() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, eve) = (world.member(1).await?, world.member(2).await?);
    let ids = world.contribute(&[(&ada, world.record(1).await?), (&eve, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.used(&ids).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.after_window(1).await?;
    let license = world.license(1_000, YEAR).await?;
    world.coop.local.mine(3).await?;
    let (now, cut) = (world.now().await?, world.coop.chain.head().await?.finalized.hash);
    let asked = world.order_as(license, 1_000, "researcher", now + 6 * 86_400, cut)?;
    let snapshot = world.snapshot(1, &asked).await?;
    assert_eq!(snapshot.contributions, ids);
    let signatures = vec![world.sign_debit(1, &asked).await?, world.sign_debit(2, &asked).await?];
    world.coop.erase(&eve.key, eve.id).await?;
    world.coop.local.time_to(now + 2 * 86_400, 3).await?;
    let spent = BTreeMap::from([(ada.id, 1), (eve.id, 1)]);
    for seat in 1..=3 {
        let store = &world.steward(seat).store;
        world
            .until("the first debit to be added up", async || {
                world.coop.local.mine(1).await?;
                let closed = store.erasure(eve.id).await?.is_some_and(|row| row.closed);
                Ok(closed && store.folded().await?.up_to == 1)
            })
            .await?;
        // One more round, in which who signed nothing would drop it.
        world.coop.local.mine(3).await?;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(store.folded().await?.spent, spent, "steward {seat}");
    }
    world.book_signed(&Debit::of(asked.order(), asked.digest, snapshot.digest), signatures).await?;
    world.coop.local.mine(3).await?;
    for epoch in 2..=4 {
        world.attempt(epoch, 0).await?;
        world.settled(epoch).await?;
        world.after_window(epoch).await?;
    }
    for seat in 1..=3 {
        world
            .until("the end of it", async || {
                world.coop.local.time_to(world.now().await? + 3_600, 3).await?;
                let spent = world.steward(seat).store.folded().await?.spent;
                Ok(spent == BTreeMap::from([(ada.id, 1_001)]))
            })
            .await?;
    }
    Ok(())
}

/// Sums are taken over only where a snapshot is missing: whose snapshots are here is told by nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn no_sums_are_taken_over_debits_whose_snapshots_are_here() -> Result<()> {
    let world = World::start(&[1]).await?;
    let ada = world.member(1).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.used(&ids).await?;
    world.used(&ids).await?;
    world.coop.local.mine(3).await?;
    let steward = world.steward(1);
    let mirror = steward.at_head().await?;
    let before = steward.spent(&mirror.latest).await?.by_member;
    assert_eq!(before, BTreeMap::from([(ada.id, 2)]));
    let seats: BTreeSet<Address> = mirror.latest.seats.iter().map(|seat| seat.signer).collect();
    let said = BTreeMap::from([(FoldedRow { up_to: 2, spent: BTreeMap::new() }, seats)]);
    steward.take_sums(&mirror, said).await?;
    assert_eq!(steward.spent(&mirror.latest).await?.by_member, before);
    assert_eq!(steward.store.folded().await?.up_to, 0);
    Ok(())
}
