//! Point 9: a store that was restored from a backup serves nothing that was erased since, and promises nothing that could
//! contradict what was promised since.

use std::os::unix::fs::PermissionsExt as _;

use anyhow::Result;
use rochdale_api::ProblemCode;
use rochdale_api::member::LeavesRequest;
use rochdale_api::route::steward;
use rochdale_core::ids::Epoch;
use rochdale_node::backup::{self, BackupError, Mark};
use rochdale_node::sealed;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn point_9_a_restored_steward_destroys_what_was_erased_since_and_waits_before_it_promises() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    let config = world.configs[2].clone();
    let service = config.backed_up()?;
    let place = tempfile::tempdir()?;
    let (key, out) = (place.path().join("backup.key"), place.path().join("steward.backup"));
    let public = backup::create_key(&key)?;
    // Beside the running steward.
    backup::backup(&service, public, &out).await?;
    assert_eq!(std::fs::metadata(&out)?.permissions().mode() & 0o777, 0o600);
    assert!(matches!(backup::restore(&service, &key, &out), Err(BackupError::Exists(_))), "nothing is overwritten");
    assert_eq!(world.steward(3).store.share_count(ada.id).await?, 1);

    world.erase(&ada).await?;
    world.until("the erasure", async || Ok(world.steward(3).store.share_count(ada.id).await? == 0)).await?;
    // Time passes, so that the key that others seal to was replaced and destroyed since.
    let epoch = world.coop.manifest.schedule().start(Epoch(1), 0);
    world.coop.local.time_to(epoch, 3).await?;
    let old = world.sealing_of(3);
    world
        .until("another sealing key", async || {
            world.coop.local.mine(1).await?;
            Ok(world.sealing_of(3) != old)
        })
        .await?;

    world.down(3).await?;
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(config.data_dir.join(format!("steward.db{end}")));
    }
    backup::restore(&service, &key, &out)?;
    let restored = config.data_dir.join("steward.db");
    assert_eq!(std::fs::metadata(&restored)?.permissions().mode() & 0o777, 0o600);
    let before = world.now().await?;
    world.up(3).await?;
    let leaves = LeavesRequest { epoch: Epoch(1), members: Vec::new() };
    let gateway = world.gateway_key();
    let asked = async |world: &World| {
        let now = world.now().await.unwrap();
        let client = world.client(3, &gateway);
        sealed::post(&client, world.sealing_of(3), steward::CLAIM_LEAVES, &leaves, now).await.map_err(|e| e.code())
    };
    assert_eq!(asked(&world).await, Err(ProblemCode::Halted), "it promises nothing yet");
    // Tombstones first, while it waits.
    world.until("the erasure again", async || Ok(world.steward(3).store.share_count(ada.id).await? == 0)).await?;
    assert_eq!(world.steward(3).store.share_count(ben.id).await?, 1, "what was not erased is there");
    world
        .until("a look at the chain", async || Ok(Mark::read(&config.data_dir)?.is_some_and(|m| m.since.is_some())))
        .await?;
    // A key that it lacks is replaced.
    world
        .until("a sealing key of its own", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(3).keys.sealing.holds(world.sealing_of(3)))
        })
        .await?;
    assert_eq!(asked(&world).await, Err(ProblemCode::Halted), "not before its attempts and requests are over");
    // Stopped and started, it still waits from the first look on.
    world.down(3).await?;
    world.up(3).await?;
    assert_eq!(asked(&world).await, Err(ProblemCode::Halted));

    let quiet = u64::from(world.coop.manifest.settlement.attempt_length).max(3_600);
    world.coop.local.time_to(before + quiet + 600, 3).await?;
    world
        .until("the end of the wait", async || {
            world.coop.local.mine(1).await?;
            Ok(Mark::read(&config.data_dir)?.is_none())
        })
        .await?;
    assert_ne!(asked(&world).await, Err(ProblemCode::Halted), "it serves again");
    assert_eq!(world.steward(3).store.share_count(ada.id).await?, 0, "what was erased stays so");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_erasure_is_attested_while_an_unsealed_copy_lies_about() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let stage = world.configs[0].data_dir.join("backup.stage");
    std::fs::create_dir(&stage)?;
    world.erase(&ada).await?;
    let attested = async |seat: u8| {
        let row = world.steward(seat).store.erasure(ada.id).await?;
        Ok::<_, anyhow::Error>(row.is_some_and(|row| !row.signature.is_empty()))
    };
    world.until("the others' word", async || Ok(attested(2).await? && attested(3).await?)).await?;
    let refused = world.steward(1).erase_round(&*world.steward(1).at_head().await?).await.unwrap_err();
    assert!(refused.detail.contains("backup.stage"), "{refused}");
    assert!(!attested(1).await?);
    std::fs::remove_dir(&stage)?;
    world.until("the word", async || attested(1).await).await
}
