//! Who is drawn where a license pays for fewer members than there are, and the sizes that everyone may know.

use anyhow::Result;
use rochdale_api::order::Sizes;
use rochdale_api::route::steward;
use rochdale_core::draw::{Chance, DrawSalt};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::size::GRID;

use crate::queries::YEAR;
use crate::world::{DATASET, PURPOSE, World};

/// Point 3: real stewards draw each member by themselves. A newcomer changes nobody else's inclusion.
#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_moves_nobody_in_or_out_of_a_sampled_snapshot() -> Result<()> {
    let world = World::start(&[1, 2]).await?;
    let record = world.record(1).await?;
    let mut members = Vec::new();
    for n in 1..=8 {
        members.push(world.member(n).await?);
    }
    let records: Vec<_> = members.iter().map(|member| (member, record.clone())).collect();
    let ids = world.contribute(&records).await?;
    let license = world.license(25, YEAR).await?;
    // Nobody was counted yet: the published size is the grid.
    let (salt, chance) = (DrawSalt::new(world.steward(1).keys.committee(), license), Chance::new(25, GRID));
    let is_drawn = |member: MemberId| chance.draws(&salt, member);
    let drawn: Vec<_> = members.iter().zip(&ids).filter(|(member, _)| is_drawn(member.id)).map(|(_, id)| *id).collect();
    let before = world.snapshot(1, &world.order(license, 1_000_000).await?).await?.contributions;
    assert_eq!(before, drawn);
    assert!((1..8).contains(&drawn.len()), "a draw that takes all or nobody shows nothing: {drawn:?}");

    let newcomer = world.member(9).await?;
    let own = world.contribute(&[(&newcomer, record)]).await?;
    let asked = world.order(license, 1_000_000).await?;
    let mut after = world.snapshot(1, &asked).await?.contributions;
    assert_eq!(world.snapshot(2, &asked).await?.contributions, after, "stewards draw alike");
    assert_eq!(after.contains(&own[0]), is_drawn(newcomer.id));
    after.retain(|id| !own.contains(id));
    assert_eq!(after, before);
    Ok(())
}

/// Point 4: what a steward says of how many there are is coarse, and the same from each.
#[tokio::test(flavor = "multi_thread")]
async fn stewards_publish_the_same_coarse_sizes_once_an_epoch_has_ended() -> Result<()> {
    let world = World::start(&[1, 2]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let sizes = async |seat| world.client(seat, &world.coop.worker).get(steward::SIZES).await;
    let first = sizes(1).await?;
    assert!(first.sizes.iter().all(|size| (size.epoch, size.members) == (Epoch(0), GRID)), "{first:?}");
    let end = world.coop.manifest.schedule().end(Epoch(1));
    world.coop.local.time_to(end + 60, 3).await?;
    world
        .until("both have counted", async || {
            world.coop.local.mine(1).await?;
            let counted = |sizes: &Sizes| sizes.sizes.iter().all(|size| size.epoch == Epoch(1));
            Ok(counted(&sizes(1).await?) && counted(&sizes(2).await?))
        })
        .await?;
    let (one, two) = (sizes(1).await?, sizes(2).await?);
    assert_eq!(one, two, "the same noise for the same people");
    let mine = one.sizes.iter().find(|size| (size.dataset, size.purpose) == (DATASET, PURPOSE)).unwrap();
    assert!(mine.members >= GRID && mine.members.is_multiple_of(GRID), "{mine:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_is_shown_only_once_it_is_kept_and_nobody_holds_it_up() -> Result<()> {
    let world = World::start(&[1, 2]).await?;
    let (ada, eve) = (world.member(1).await?, world.member(2).await?);
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    // Eve consents once more and shows the receipt to nobody.
    world.coop.grant(&eve.key, eve.id, 2).await?;
    let sizes = async |seat| world.client(seat, &world.coop.worker).get(steward::SIZES).await;
    let schedule = world.coop.manifest.schedule();
    world.coop.local.time_to(schedule.end(Epoch(1)) + 60, 3).await?;
    for _ in 0..10 {
        world.coop.local.mine(1).await?;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let shown = sizes(1).await?;
        assert!(shown.sizes.iter().all(|size| (size.epoch, size.members) == (Epoch(0), GRID)), "{shown:?}");
    }
    world.coop.local.time_to(schedule.end(Epoch(2)) + 60, 3).await?;
    let counted =
        async |seat| Ok::<_, anyhow::Error>(sizes(seat).await?.sizes.iter().all(|size| size.epoch == Epoch(1)));
    world
        .until("the count of the first epoch", async || {
            world.coop.local.mine(1).await?;
            Ok(counted(1).await? && counted(2).await?)
        })
        .await?;
    let first = sizes(1).await?;
    assert_eq!(first, sizes(2).await?);
    // Ada goes: what was counted stands.
    world.erase(&ada).await?;
    let gone = async || {
        world.coop.local.mine(1).await?;
        Ok(world.steward(1).store.erasure(ada.id).await?.is_some())
    };
    world.until("the erasure", gone).await?;
    assert_eq!(sizes(1).await?, first);
    Ok(())
}
