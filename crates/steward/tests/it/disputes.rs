//! Disputes and votes on the ledger that the factory deployed, and what stewards make of them.

use alloy::primitives::{B256, Bytes, U256};
use anyhow::Result;
use rochdale_api::settlement::DemandAnswer;
use rochdale_chain::bindings::{Disputes, LedgerParams, PauseGuard, SettlementLedger};
use rochdale_chain::client::SendError;
use rochdale_chain::events::Event;
use rochdale_chain::local::post_bonds;
use rochdale_chain::state::{Cooperative, FROZEN};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::Params;
use rochdale_steward::audit;

use crate::world::World;

/// Waits until every steward stands at an epoch, while blocks go by.
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

/// Two members with a scored record each, and epoch 1 proposed at attempt 0.
async fn first_epoch(world: &World) -> Result<[MemberId; 2]> {
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    assert_eq!(world.header(1).await?.attempt, 0);
    Ok([ada.id, ben.id])
}

/// When the last proposal is final: as the ledger says, and every steward with it.
async fn final_at(world: &World) -> Result<u64> {
    let ledger = world.coop.manifest.addresses.settlement_ledger;
    let pending = world.coop.chain.view(ledger, &SettlementLedger::pendingCall {}).await?;
    let known = if pending.finalAt == (1 << 40) - 1 { FROZEN } else { pending.finalAt };
    world
        .until("every steward to know when it is final", async || {
            for seat in 1..=3 {
                let mirror = world.steward(seat).mirror()?;
                let standing = mirror.latest.proposals.get(&Epoch(pending.epoch));
                if standing.is_none_or(|proposal| proposal.final_at != known) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
    Ok(known)
}

async fn voided(world: &World) -> Result<Vec<B256>> {
    let events = world.coop.history().await?.into_iter();
    Ok(events.filter_map(|e| if let Event::Voided { reason, .. } = e.event { Some(reason) } else { None }).collect())
}

async fn demand(world: &World, role: &str, member: MemberId, attempt: u32) -> Result<()> {
    let r = Disputes::Demand { memberId: member.0, epoch: 1, attempt, kind: 0, deadline: U256::ZERO };
    world.disputes_as(role, &Disputes::demandCall { r, signature: Bytes::new() }).await.map(drop)
}

fn refusal(refused: &anyhow::Error) -> &str {
    refused.downcast_ref::<SendError>().and_then(SendError::revert).map_or("", |revert| revert.name())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objection_that_is_upheld_takes_the_epoch_back_and_it_is_proposed_again() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    first_epoch(&world).await?;
    let first = world.header(1).await?;
    let (a, object) = (&world.coop.manifest.addresses, Disputes::objectCall { epoch: 1, attempt: 0 });
    world.disputes_as("steward-3", &object).await?;
    assert_eq!(final_at(&world).await?, FROZEN);
    let again = world.disputes_as("steward-1", &object).await.unwrap_err();
    assert_eq!(refusal(&again), "Disputes_Frozen");
    let upheld = Disputes::resolveObjectionCall {
        epoch: 1,
        attempt: 0,
        objector: world.coop.stewards[2].address(),
        upheld: true,
    };
    world.decide(a.member_timelock, a.disputes, &upheld).await?;
    assert_eq!(voided(&world).await?, [B256::right_padding_from(b"upheld")]);

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

    // The signers' bonds wait in escrow: who shall count again posts another.
    post_bonds(&world.coop.founder, &world.coop.manifest, &world.coop.config).await?;
    world.attempt(1, 1).await?;
    settled_is(&world, 1).await?;
    let proposals = Cooperative::fold(&world.coop.history().await?).proposals;
    let second = &proposals[&Epoch(1)].header;
    assert_eq!(second.attempt, 1);
    assert_eq!(second.root, first.root, "the same inputs, rows and keys");
    assert_eq!(world.steward(2).store.rows(Epoch(1)).await?.len(), 2);
    assert_eq!(world.steward(2).store.entered().await?.len(), 2, "the scores enter once");
    for config in &world.configs[..3] {
        let audited = audit::audit(config.clone()).await?;
        assert!(audited.agrees && audited.epoch == 1, "{audited}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demanded_row_is_answered_on_chain_and_an_objection_that_is_rejected_lets_the_root_stand() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let [ada, ben] = first_epoch(&world).await?;
    let header = world.header(1).await?;
    let a = &world.coop.manifest.addresses;
    let refused = demand(&world, "member-1", ada, 5).await.unwrap_err();
    assert_eq!(refusal(&refused), "Disputes_NotPending", "no other attempt");
    let refused = demand(&world, "member-1", ben, 0).await.unwrap_err();
    assert_eq!(refusal(&refused), "Disputes_Expired", "nobody else's row without a signature");
    demand(&world, "member-2", ben, 0).await?;
    let published = async || {
        let events = world.coop.history().await?.into_iter();
        let rows = events.filter(|e| matches!(e.event, Event::RowPublished { member, .. } if member == ben));
        Ok::<usize, anyhow::Error>(rows.count())
    };
    world.until("an answer on chain", async || Ok(published().await? > 0)).await?;
    for answer in world.answers() {
        assert_eq!((answer.epoch, answer.attempt, answer.member_id), (Epoch(1), 0, ben));
        let DemandAnswer::Row(leaf) = &answer.answer else { panic!("{answer:?}") };
        assert!(leaf.opens(&header, world.coop.manifest.tree_depth, ben));
    }
    let answered = async || {
        let mirrors = (1..=3).map(|seat| world.steward(seat).mirror());
        Ok(mirrors.collect::<Result<Vec<_>, _>>()?.iter().all(|m| m.latest.demands.iter().all(|d| d.answered)))
    };
    world.until("everyone to see it", answered).await?;
    assert_eq!(published().await?, 1, "of three stewards that answer, one is mined");
    // Point 14: what is behind the inputs leaf is answered like the row.
    let r = Disputes::Demand { memberId: ben.0, epoch: 1, attempt: 0, kind: 1, deadline: U256::ZERO };
    world.disputes_as("member-2", &Disputes::demandCall { r, signature: Bytes::new() }).await?;
    let depth = world.coop.manifest.tree_depth;
    let opened = async || {
        let history = world.coop.history().await?.into_iter();
        Ok(history
            .filter_map(|e| if let Event::InputsPublished { opened, .. } = e.event { opened } else { None })
            .any(|opened| opened.opens(&header, depth, ben)))
    };
    world.until("the inputs on chain", opened).await?;
    let void = Disputes::voidUnansweredCall { memberId: ben.0, kind: 0 };
    let refused = world.disputes_as("member-2", &void).await.unwrap_err();
    assert_eq!(refusal(&refused), "Disputes_NotDemanded");

    // A pause moves the window, an objection stops its clock, the house's word starts it again.
    let demanded = final_at(&world).await?;
    let pause = PauseGuard::pauseCall { targets: vec![a.settlement_ledger], duration: 3_600 };
    world.coop.sender("guardian").await?.send(a.pause_guard, &pause).await?;
    assert_eq!(final_at(&world).await?, demanded + 3_600);
    world.disputes_as("steward-1", &Disputes::objectCall { epoch: 1, attempt: 0 }).await?;
    assert_eq!(final_at(&world).await?, FROZEN);
    let stands = Disputes::resolveObjectionCall {
        epoch: 1,
        attempt: 0,
        objector: world.coop.stewards[0].address(),
        upheld: false,
    };
    world.decide(a.member_timelock, a.disputes, &stands).await?;
    let last = final_at(&world).await?;
    world.coop.local.time_to(last, 3).await?;
    let call = SettlementLedger::finalEpochCall {};
    let settled = world.coop.chain.view(a.settlement_ledger, &call).await?;
    assert_eq!((settled.epoch, settled.root), (1, header.root));
    settled_is(&world, 1).await?;
    assert_eq!(voided(&world).await?, [B256::ZERO; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_nobody_publishes_voids_the_root_and_the_next_attempt_stands() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let [ada, _] = first_epoch(&world).await?;
    for seat in 1..=3 {
        world.down(seat).await?;
    }
    demand(&world, "member-1", ada, 0).await?;
    let void = Disputes::voidUnansweredCall { memberId: ada.0, kind: 0 };
    let refused = world.disputes_as("member-1", &void).await.unwrap_err();
    assert_eq!(refusal(&refused), "Disputes_AnswerStillDue");
    world.coop.local.time_to(world.now().await? + 86_401, 3).await?;
    world.disputes_as("member-1", &void).await?;
    assert_eq!(voided(&world).await?, [B256::right_padding_from(b"unanswered")]);

    for seat in 1..=3 {
        world.up(seat).await?;
    }
    let proposals = async || Ok::<_, anyhow::Error>(Cooperative::fold(&world.coop.history().await?).proposals);
    world
        .until("another proposal", async || {
            world.coop.local.mine(1).await?;
            Ok(proposals().await?.contains_key(&Epoch(1)))
        })
        .await?;
    assert!(proposals().await?[&Epoch(1)].header.attempt > 0);
    settled_is(&world, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_on_parameters_governs_the_next_epoch_and_not_the_one_that_runs() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    let (a, founding) = (&world.coop.manifest.addresses, world.coop.manifest.ledger.clone());
    let voted = Params { data_cap: 1, immediate_bps: 10_000, ..founding.clone() };
    let set = SettlementLedger::setParamsCall { p: (&voted).into() };
    let tight = world.decide(a.token_timelock, a.settlement_ledger, &set).await;
    assert!(tight.is_err(), "the charter's bounds of emission stand above the token house");
    let unbounded = SettlementLedger::setEmissionCall {
        e: LedgerParams::Emission { dataBase: 0, govBase: 0, dataMinBps: 0, dataMaxBps: 0, govMinBps: 0, govMaxBps: 0 },
    };
    world.decide(a.charter_gate, a.settlement_ledger, &unbounded).await?;
    world.decide(a.token_timelock, a.settlement_ledger, &set).await?;

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
    settled_is(&world, 2).await?;
    let second = world.header(2).await?;
    assert_eq!(second.params_hash, voted.hash());
    assert_eq!(second.data_awarded - first.data_awarded, 1, "the new cap binds");
    let audited = audit::audit(world.configs[2].clone()).await?;
    assert!(audited.agrees && audited.epoch == 2, "{audited}");
    Ok(())
}
