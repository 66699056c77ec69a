//! A steward that takes connections and never answers costs the others nothing.

use std::net::TcpListener;

use anyhow::Result;
use rochdale_api::client::Client;
use rochdale_api::route::HEALTH;
use rochdale_api::status::Health;
use rochdale_core::ids::StewardId;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn one_hung_steward_does_not_stop_settlement() -> Result<()> {
    let world = World::start(&[1, 2]).await?;
    let listener = TcpListener::bind(world.configs[2].listen)?;
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.stand_in().await?;
    world.scored(2).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    assert_eq!(world.header(1).await?.sharers, 2);
    let signers: Vec<StewardId> = world.proposals()[0].signatures.iter().map(|one| one.steward).collect();
    assert_eq!(signers, [StewardId(1), StewardId(2)]);

    // Health says who is waited for; it is no fault of this steward's.
    let client = Client::new(&format!("http://{}", world.configs[1].listen))?;
    let waits =
        |health: &Health| health.waiting_for.iter().any(|who| who.starts_with("steward 3 has not answered for"));
    world.until("who is waited for", async || Ok(waits(&client.get(HEALTH).await?))).await?;
    let health: Health = client.get(HEALTH).await?;
    assert!(health.ok, "{health:?}");
    Ok(())
}
