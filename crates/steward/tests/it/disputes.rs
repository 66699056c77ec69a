//! What a ledger with disputes and votes tells, and what stewards make of it.

use alloy::primitives::B256;
use anyhow::Result;
use rochdale_chain::bindings::{ISettlementLedger, SettlementLedger};
use rochdale_chain::eip712;
use rochdale_core::ids::Epoch;
use rochdale_core::ledger::{self, Amounts, Header, Params};
use rochdale_steward::audit;

use crate::world::World;

/// What the ledger says of a proposal that it takes.
async fn taken(world: &World, header: &Header) -> Result<()> {
    let final_at = world.now().await? + 86_400;
    let epoch = header.epoch.0;
    let header = eip712::Header::from(header).into();
    world.emit(&SettlementLedger::Proposed { epoch, finalAt: final_at, header }).await
}

async fn settled_is(world: &World, epoch: u32) -> Result<()> {
    world
        .until("every steward to stand there", async || {
            world.coop.local.mine(1).await?;
            for seat in 1..=3 {
                if world.status(seat).await?.settled != Epoch(epoch) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
}

async fn proposed(world: &World, epoch: u32, attempt: u32) -> Result<Header> {
    let found = || {
        let all = world.proposals().into_iter().map(|request| request.header);
        all.rev().find(|header| (header.epoch, header.attempt) == (Epoch(epoch), attempt))
    };
    world
        .until("a proposal", async || {
            world.coop.local.mine(1).await?;
            Ok(found().is_some())
        })
        .await?;
    Ok(found().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voided_epoch_is_taken_back_and_proposed_again() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let first = world.header(1).await?;
    assert_eq!(first.attempt, 0);

    world
        .emit(&SettlementLedger::Voided { epoch: 1, attempt: 0, reason: B256::right_padding_from(b"contested") })
        .await?;
    settled_is(&world, 0).await?;
    for seat in 1..=3 {
        let store = &world.steward(seat).store;
        assert!(store.rows(Epoch(1)).await?.is_empty() && store.entered().await?.is_empty(), "steward {seat}");
        assert!(store.signed_header(Epoch(1), 0).await?.is_some() || seat == 1 || seat == 3, "signatures stay");
    }
    let waits = world.status(1).await?.waiting_for.unwrap_or_default();
    assert!(waits.contains("attempt 1 starts at"), "{waits}");
    // Beside stewards that took it back, and beside one that has not looked yet, the audit agrees.
    let audited = audit::audit(world.configs[0].clone()).await?;
    assert!(audited.agrees && audited.epoch == 0, "{audited}");

    world.attempt(1, 1).await?;
    let second = proposed(&world, 1, 1).await?;
    assert_eq!(second.root, first.root, "the same inputs, rows and keys");
    taken(&world, &second).await?;
    settled_is(&world, 1).await?;
    assert_eq!(world.steward(2).store.rows(Epoch(1)).await?.len(), 2);
    assert_eq!(world.steward(2).store.entered().await?.len(), 2, "the scores enter once");
    for config in &world.configs {
        let audited = audit::audit(config.clone()).await?;
        assert!(audited.agrees && audited.epoch == 1, "{audited}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demanded_row_is_answered_from_the_pending_tree() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let header = world.header(1).await?;
    let by = world.now().await? + 86_400;
    // A demand about another attempt is nobody's here, and one that came too late helps nobody.
    world.emit(&SettlementLedger::Demanded { epoch: 1, attempt: 5, memberId: ada.id.0, answerBy: by }).await?;
    world.emit(&SettlementLedger::Demanded { epoch: 1, attempt: 0, memberId: ada.id.0, answerBy: 1 }).await?;
    world.emit(&SettlementLedger::Demanded { epoch: 1, attempt: 0, memberId: ben.id.0, answerBy: by }).await?;
    world.until("an answer", async || Ok(!world.answers().is_empty())).await?;
    for answer in world.answers() {
        let leaf = &answer.leaf;
        assert_eq!((answer.epoch, answer.attempt, leaf.member_id), (Epoch(1), 0, ben.id));
        let shown = Amounts { cash: leaf.cash, stream: leaf.stream, data: leaf.data, gov: leaf.gov };
        let hash = ledger::leaf(leaf.member_id, &shown, leaf.private_hash);
        assert!(ledger::verify(header.root, world.coop.manifest.tree_depth, ben.id, hash, &leaf.proof));
    }

    // Once the chain shows the row, nobody answers again.
    let row =
        ISettlementLedger::Claim { memberId: ben.id.0, cash: 0, stream: 0, data: 0, gov: 0, privateHash: B256::ZERO };
    let published = SettlementLedger::RowPublished { epoch: 1, attempt: 0, memberId: ben.id.0, row, proof: Vec::new() };
    world.emit(&published).await?;
    for seat in 1..=3 {
        world
            .until("everyone to see it", async || {
                Ok(world.steward(seat).mirror()?.latest.demands.iter().any(|demand| demand.answered))
            })
            .await?;
        let _idle = world.steward(seat).settling.lock().await;
    }
    let answers = world.answers().len();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(world.answers().len() <= answers + 3, "a round that had begun may still have answered");
    let after = world.answers().len();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(world.answers().len(), after);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_on_parameters_governs_the_next_epoch_and_not_the_one_that_runs() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    let founding = world.coop.manifest.ledger.clone();
    let voted = Params { data_cap: 1, immediate_bps: 10_000, ..founding.clone() };
    let set = SettlementLedger::ParamsSet { fromEpoch: 2, paramsHash: voted.hash(), params: (&voted).into() };
    world.emit(&set).await?;

    // Epoch 1 runs while the vote passes, and is settled by what governed it.
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let first = world.header(1).await?;
    assert_eq!(first.params_hash, founding.hash());
    assert!(first.data_awarded > 1, "{first:?}");

    world.after_window(1).await?;
    let ben = world.member(2).await?;
    world.contribute(&[(&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.attempt(2, 0).await?;
    let second = proposed(&world, 2, 0).await?;
    assert_eq!(second.params_hash, voted.hash());
    assert_eq!(second.data_awarded - first.data_awarded, 1, "the new cap binds");
    taken(&world, &second).await?;
    settled_is(&world, 2).await?;
    let audited = audit::audit(world.configs[2].clone()).await?;
    assert!(audited.agrees && audited.epoch == 2, "{audited}");
    Ok(())
}
