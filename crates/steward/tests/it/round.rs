//! Contribute, score, settle; with stewards missing, killed and back.

use std::sync::Arc;

use anyhow::Result;
use rochdale_api::member::{ClaimLeaf, LeavesRequest, RowReport, RowRequest, SealedRow};
use rochdale_api::route::steward;
use rochdale_chain::client::SystemClock;
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use rochdale_core::ledger::{self, Amounts};
use rochdale_crypto::sealing::{self, ClaimsRowContext};
use rochdale_crypto::{Sealed, SealingKeyPair};
use rochdale_steward::audit;
use rochdale_steward::steward::Steward;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn three_stewards_score_and_settle_and_the_audit_agrees() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben, eve) = (world.member(1).await?, world.member(2).await?, world.member(3).await?);
    let copied = world.record(2).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?), (&ben, copied.clone()), (&eve, copied)]).await?;
    world.scored(3).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;

    let header = world.header(1).await?;
    assert_eq!(header.sharers, 3);
    assert!(header.data_awarded > 0, "{header:?}");
    let gateway = world.client(1, &world.gateway_key());
    let request = LeavesRequest { epoch: Epoch(1), members: Vec::new() };
    for seat in 1..=3 {
        let client = world.client(seat, &world.gateway_key());
        let (key, now) = (world.sealing_of(seat), world.now().await?);
        let leaves: Vec<ClaimLeaf> =
            rochdale_node::sealed::post(&client, key, steward::CLAIM_LEAVES, &request, now).await?;
        assert_eq!(leaves.len(), 3);
        for leaf in leaves {
            let shown = Amounts { cash: leaf.cash, stream: leaf.stream, data: leaf.data, gov: leaf.gov };
            let hash = ledger::leaf(leaf.member_id, &shown, leaf.private_hash);
            let depth = world.coop.manifest.tree_depth;
            assert!(ledger::verify(header.root, depth, leaf.member_id, hash, &leaf.proof), "{leaf:?}");
        }
    }
    drop(gateway);

    let report = row(&world, &eve.key, eve.id).await?;
    let copy = report.contributions.iter().find(|c| c.contribution_id == ids[2]).unwrap();
    assert_eq!(copy.score.unwrap().uniqueness, 0, "the copy of an earlier record");
    assert_eq!(copy.reasons[0], "the same content was contributed before");
    let report = row(&world, &ben.key, ben.id).await?;
    assert_eq!(report.contributions[0].score.unwrap().uniqueness, 10_000, "the original");
    assert!(report.row.data_earned > 0 && report.row.data_locked > 0);

    let audited = audit::audit(world.configs[1].clone()).await?;
    assert!(audited.agrees, "{audited}");
    assert_eq!((audited.epoch, audited.rows, audited.root), (1, 3, header.root));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_and_no_duty_reads_an_event_back_and_a_restart_reads_each_once() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    let ids = world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.used(&ids).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    assert!(row(&world, &ada.key, ada.id).await?.row.data_earned > 0);
    assert_eq!([1, 2, 3].map(|seat| world.steward(seat).read_back()), [0, 0, 0], "each event was folded when it came");

    world.down(2).await?;
    let events = world.coop.history().await?.len() as u64;
    world.up(2).await?;
    world.settled_at(&[2], 1).await?;
    assert!(world.steward(2).at_head().await?.finalized().proposals.contains_key(&Epoch(1)));
    assert_eq!(world.steward(2).read_back(), events);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_three_go_on_and_the_third_catches_up() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.down(1).await?;
    let ben = world.member(2).await?;
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;

    // A scorer that is silent is replaced an attempt later.
    world.stand_in().await?;
    world.scored(2).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let first = world.header(1).await?;
    assert_eq!(first.sharers, 2);
    let signers: Vec<StewardId> = world.proposals()[0].signatures.iter().map(|one| one.steward).collect();
    assert_eq!(signers, [StewardId(2), StewardId(3)]);

    world.up(1).await?;
    world.settled(1).await?;
    let kept = world.steward(1).store.rows(Epoch(1)).await?;
    assert_eq!(kept.len(), 2);
    let audited = audit::audit(world.configs[0].clone()).await?;
    assert!(audited.agrees, "{audited}");

    // One of three says what it lacks and loses nothing.
    world.down(1).await?;
    world.down(3).await?;
    world.attempt(2, 1).await?;
    world
        .until("what is missing", async || {
            world.coop.local.mine(1).await?;
            Ok(world.status(2).await?.waiting_for.is_some_and(|lacks| lacks.contains("steward 1 proposes")))
        })
        .await?;
    world.attempt(2, 2).await?;
    world
        .until("what is missing", async || {
            world.coop.local.mine(1).await?;
            Ok(world.status(2).await?.waiting_for.is_some_and(|lacks| lacks.contains("1 of 2 signatures")))
        })
        .await?;
    world.up(1).await?;
    world.up(3).await?;
    world.settled(2).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_steward_that_is_killed_in_the_middle_of_a_settlement_signs_nothing_twice() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    // Attempt 0 of epoch 1 is steward 2's; alone it makes and signs its sheet, and lacks a second signature.
    world.down(1).await?;
    world.down(3).await?;
    world.attempt(1, 0).await?;
    world
        .until("a sheet", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(2).store.signed_header(Epoch(1), 0).await?.is_some())
        })
        .await?;
    let lacks = async || world.status(2).await.map(|status| status.waiting_for.unwrap_or_default());
    world.until("what is missing", async || Ok(lacks().await?.contains("1 of 2 signatures"))).await?;
    let signed = world.steward(2).store.signed_header(Epoch(1), 0).await?.unwrap();
    world.kill(2).await;

    world.up(2).await?;
    world.up(3).await?;
    world.settled(1).await?;
    assert_eq!(world.steward(2).store.signed_header(Epoch(1), 0).await?.unwrap(), signed);
    let first = &world.proposals()[0];
    assert_eq!(first.header, world.header(1).await?);
    assert_eq!(first.signatures[0].signature.as_ref(), signed.1.as_slice());
    // A header that differs in anything gets no second signature for the attempt.
    let kept = world.steward(2).store.sign_header(Epoch(1), 0, alloy::primitives::B256::ZERO, b"other").await?;
    assert_eq!(kept, signed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leavers_row_vests_on_loses_what_is_locked_and_is_claimed() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben, eve) = (world.member(1).await?, world.member(2).await?, world.member(3).await?);
    let ids = world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let ada_locked = row(&world, &ada.key, ada.id).await?.row.data_locked;
    let start = row(&world, &ben.key, ben.id).await?.row;
    assert!(start.data_earned > 0 && start.data_locked > 0, "{start:?}");

    // Ben's record is used in epoch 2, so what is locked begins to vest; ada's is not.
    world.contribute(&[(&eve, world.record(3).await?)]).await?;
    world.scored(3).await?;
    world.used(&ids[1..=1]).await?;
    world.after_window(1).await?;
    world.attempt(2, 0).await?;
    world.settled(2).await?;
    let used = row(&world, &ben.key, ben.id).await?.row;
    assert_eq!((used.data_vesting, used.data_locked), (start.data_locked, 0));
    assert_eq!(row(&world, &ada.key, ada.id).await?.row.data_locked, ada_locked);

    // In epoch 3 both leave.
    world.leave(&ben).await?;
    world.leave(&ada).await?;
    world.after_window(2).await?;
    world.attempt(3, 0).await?;
    world.settled(3).await?;
    let left = row(&world, &ben.key, ben.id).await?;
    let out = used.data_vesting.div_ceil(u128::from(world.coop.manifest.ledger.vesting_epochs));
    assert_eq!(left.row.data_earned, used.data_earned + out, "vesting goes on");
    assert_eq!((left.row.data_vesting, left.row.usage_weight), (used.data_vesting - out, 0));
    assert_eq!(left.leaf.data, left.row.data_earned, "who is not active is shown to the last wei");
    let gone = row(&world, &ada.key, ada.id).await?.row;
    assert_eq!((gone.data_locked, gone.gov_locked, gone.data_vesting), (0, 0, 0));
    assert_eq!(world.header(3).await?.sharers, 1, "a leaver shares no cash");

    world.after_window(3).await?;
    let data = world.coop.manifest.addresses.data_token;
    assert_eq!(world.coop.balance(data, ben.key.address()).await?, 0);
    world.claim(&left.leaf).await?;
    assert_eq!(world.coop.balance(data, ben.key.address()).await?, left.row.data_earned);
    for config in &world.configs[..3] {
        let audited = audit::audit(config.clone()).await?;
        assert!(audited.agrees, "{audited}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_a_changed_row() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.down(1).await?;
    // A second look at a database that nobody has open works too.
    assert!(audit::audit(world.configs[0].clone()).await?.agrees);
    let file = world.configs[0].data_dir.join("steward.db");
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display())).await?;
    // The third amount of the page's first leaf is member 1's DATA.
    let data = "UPDATE rows SET leaves = CAST(substr(leaves, 1, 32) || zeroblob(16) || substr(leaves, 49) AS BLOB)";
    sqlx::query(data).execute(&pool).await?;
    pool.close().await;
    let audited = audit::audit(world.configs[0].clone()).await?;
    assert!(!audited.agrees);
    assert!(audited.difference.unwrap().contains("epoch 1, member 1"));
    let steward = Steward::open(world.configs[0].clone(), Arc::new(SystemClock::default())).await?;
    steward.store.close().await;
    Ok(())
}

async fn row(world: &World, key: &alloy::signers::local::PrivateKeySigner, member: MemberId) -> Result<RowReport> {
    let reply = SealingKeyPair::random(&mut rand::rng());
    let request = RowRequest { reply_key: reply.public().0, epoch: None };
    let mut report: Option<RowReport> = None;
    // Reasons are with the two that scored: ask one that has them.
    for seat in 1..=3 {
        let client = world.client(seat, key);
        let sealed: SealedRow = client.post_signed(steward::ROW.at(member), &request, world.now().await?).await?;
        let context = ClaimsRowContext {
            chain_id: world.coop.manifest.chain_id,
            ledger: world.coop.manifest.addresses.settlement_ledger,
            epoch: sealed.epoch,
            member,
        };
        let opened = sealing::open_as(&reply, &context, &Sealed(sealed.sealed))?;
        let next: RowReport = serde_json::from_slice(&opened)?;
        if let Some(before) = &report {
            assert_eq!((&before.row, before.salt, &before.leaf), (&next.row, next.salt, &next.leaf));
        }
        report = Some(next);
    }
    Ok(report.unwrap())
}
