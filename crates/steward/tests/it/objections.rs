//! A quorum that lies, a gateway that withholds: what the honest steward tells whom, and what anybody can do about it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use alloy::primitives::{B256, Bytes, U256, keccak256};
use anyhow::Result;
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::route::steward;
use rochdale_api::settlement::{AnswerRequest, DemandAnswer, Sheet, SheetLine, SheetMessage};
use rochdale_chain::bindings::{Disputes, SettlementLedger};
use rochdale_chain::dispute::{self, DisputeError};
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_core::commit;
use rochdale_core::ids::{ContributionId, Epoch, MemberId, StewardId};
use rochdale_core::ledger::{DemandKind, Header, empty_root};
use rochdale_crypto::RowKey;
use rochdale_crypto::sealing::{self, SheetContext};
use rochdale_steward::audit;
use rochdale_steward::config::Objection;
use rochdale_steward::settlement::DUTY;
use rochdale_testkit::anvil::role_key;
use rochdale_testkit::fixtures;

use crate::world::{TestMember, World};

/// A page as anybody reads it, whatever its status.
fn page(world: &World, seat: u8, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(world.configs[usize::from(seat) - 1].listen)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: steward\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// A sheet that says of a member what nobody but stewards may know, and is false.
async fn false_sheet(world: &World, about: &TestMember) -> Result<Vec<Bytes>> {
    let end = world.coop.manifest.schedule().end(Epoch(1));
    let cut = world.coop.chain.cut_block(end).await?.unwrap();
    let line = SheetLine {
        member_id: about.id,
        contributions: vec![ContributionId(770_077_077)],
        program_points: 555_555_555,
        n: 660_066_066,
        k: 330_033_033,
        w: 424_242_424,
        active: true,
        erased: false,
    };
    let sheet = Sheet {
        cut_block: cut.number,
        cut_hash: cut.hash,
        scores: Vec::new(),
        deferred: Vec::new(),
        lines: vec![line],
        awards: Vec::new(),
        unkeyed: Vec::new(),
        seed: B256::ZERO,
        sealed_to: Vec::new(),
        revenue: 0,
        licenses: Vec::new(),
        datasets: Vec::new(),
    };
    let json = serde_json::to_vec(&sheet)?;
    let manifest = &world.coop.manifest;
    let sealed = (1..=3u8).map(|seat| {
        let (chain_id, ledger) = (manifest.chain_id, manifest.addresses.settlement_ledger);
        let context = SheetContext { chain_id, ledger, epoch: Epoch(1), attempt: 0, index: StewardId(seat) };
        Ok(sealing::seal_as(&world.sealing_of(seat), &context, &json, &mut rand::rng())?.0)
    });
    sealed.collect()
}

/// Stewards 1 and 2 sign and propose a root that nothing computes to, and show steward 3 their sheet or do not.
async fn lie(world: &World, about: &TestMember, shown: bool) -> Result<Header> {
    let sealed = false_sheet(world, about).await?;
    let manifest = &world.coop.manifest;
    let header = Header {
        previous_root: empty_root(manifest.tree_depth),
        root: keccak256(b"a false root"),
        params_hash: manifest.ledger.hash(),
        inputs_root: keccak256(b"false inputs"),
        sheet_digest: commit::sheet(&sealed),
        sharers: 1,
        ..fixtures::header(Epoch(1), 0)
    };
    let message = SheetMessage { epoch: Epoch(1), attempt: 0, proposer: StewardId(2), sealed, header: header.clone() };
    if shown {
        world.steward(3).store.put_sheet(Epoch(1), 0, header.sheet_digest, &message).await?;
    }
    let signed = eip712::Header::from(&header);
    let sign = |key| eip712::sign(key, &signed, &manifest.settlement_domain());
    let signatures = world.coop.stewards[..2].iter().map(sign).collect::<Result<Vec<_>, _>>()?;
    let call = SettlementLedger::proposeCall { h: signed.clone().into(), signatures };
    world.coop.relayer.send(manifest.addresses.settlement_ledger, &call).await?;
    world.coop.local.mine(3).await?;
    Ok(header)
}

/// A steward's health once it says so; a steward follows the chain at its own pace.
async fn health_with(world: &World, seat: u8, words: &str) -> Result<String> {
    world.until(words, async || Ok(page(world, seat, steward::HEALTH.path)?.contains(words))).await?;
    page(world, seat, steward::HEALTH.path)
}

async fn halted(world: &World, seat: u8, is: bool) -> Result<()> {
    world
        .until("a halt, or its end", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(seat).store.halted(DUTY).await?.is_some() == is)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_root_is_told_without_its_members_objected_to_and_left_behind_once_void() -> Result<()> {
    let world = World::start(&[3]).await?;
    let ada = world.member(1).await?;
    world.attempt(1, 0).await?;
    let header = lie(&world, &ada, true).await?;
    halted(&world, 3, true).await?;

    // Everybody: roots and a count. The operator: what to type, until when, and by the audit every line.
    let (health, settlement) = (page(&world, 3, steward::HEALTH.path)?, page(&world, 3, steward::SETTLEMENT.path)?);
    for page in [&health, &settlement] {
        assert!(page.contains(&header.root.to_string()) && page.contains("lines that differ: 1"), "{page}");
        for intimate in ["424242424", "555555555", "660066066", "330033033", "770077077", "member 1"] {
            assert!(!page.contains(intimate), "{intimate}: {page}");
        }
    }
    let until = dispute::pending(&world.coop.chain, &world.coop.manifest).await?.unwrap().final_at.unwrap();
    let command = format!("object before {until}: `rochdale dispute object --steward 3 --epoch 1 --attempt 0`");
    assert!(health.contains(&command), "{health}");
    let audited = audit::audit(world.configs[2].clone()).await?;
    assert!(!audited.agrees && audited.difference.is_some());
    assert!(audited.lines.len() == 1 && audited.lines[0].contains("w: 424242424"), "{audited}");

    let manifest = &world.coop.manifest;
    let honest = world.coop.sender("steward-3").await?;
    let other = dispute::object(&honest, manifest, Epoch(1), 1).await;
    assert!(matches!(other, Err(DisputeError::Other { pending, .. }) if pending.attempt == 0), "{other:?}");
    let nobody = dispute::object(&world.coop.researcher, manifest, Epoch(1), 0).await;
    assert!(matches!(nobody, Err(DisputeError::Send(ref error)) if error.revert().is_some()), "{nobody:?}");
    dispute::object(&honest, manifest, Epoch(1), 0).await?;
    let twice = dispute::object(&honest, manifest, Epoch(1), 0).await;
    assert!(matches!(twice, Err(DisputeError::Frozen(_))), "{twice:?}");
    world.coop.local.mine(3).await?;
    let health = health_with(&world, 3, "the member house decides").await?;
    assert!(!health.contains("rochdale dispute"), "{health}");

    // The house does not decide; the root lapses, and the steward goes on by itself.
    assert!(dispute::lapse(&world.coop.researcher, manifest).await.is_err(), "too early");
    assert!(world.steward(3).store.halted(DUTY).await?.is_some());
    world.coop.local.time_to(world.now().await? + 14 * 86_400, 1).await?;
    dispute::lapse(&world.coop.researcher, manifest).await?;
    let gone = dispute::object(&honest, manifest, Epoch(1), 0).await;
    assert!(matches!(gone, Err(DisputeError::NothingPending)), "{gone:?}");
    halted(&world, 3, false).await?;
    let status = world.status(3).await?;
    assert!(status.waiting_for.is_none_or(|waits| !waits.contains("halted")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_peer_differs_in_is_for_the_audit_until_the_epoch_is_settled() -> Result<()> {
    let mut world = World::start(&[2, 3]).await?;
    let damaged = world.steward(3);
    damaged.keys.keep_row_key(&damaged.store, MemberId(1), &RowKey::random(&mut rand::rng())).await?;
    world.member(1).await?;
    world.attempt(1, 0).await?;
    let waits = async || anyhow::Ok(world.status(2).await?.waiting_for.unwrap_or_default());
    world.until("an answer", async || Ok(waits().await?.contains("lines that differ, see the audit: 1"))).await?;
    let audited = audit::audit(world.configs[1].clone()).await?;
    assert!(audited.agrees, "{audited}");
    assert!(audited.lines[0].starts_with("epoch 1, attempt 0, steward 3: the header is "), "{audited}");

    world.up(1).await?;
    world
        .until("a settlement without steward 3", async || {
            world.coop.local.mine(1).await?;
            Ok(world.status(2).await?.settled == Epoch(1))
        })
        .await?;
    assert!(audit::audit(world.configs[1].clone()).await?.lines.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_without_a_proposal_behind_it_outlives_a_void() -> Result<()> {
    let world = World::start(&[3]).await?;
    let ada = world.member(1).await?;
    let store = world.steward(3).store.clone();
    store.halt("budget", "two entries").await?;
    world.attempt(1, 0).await?;
    lie(&world, &ada, true).await?;
    halted(&world, 3, true).await?;
    let honest = world.coop.sender("steward-3").await?;
    dispute::object(&honest, &world.coop.manifest, Epoch(1), 0).await?;
    world.coop.local.time_to(world.now().await? + 14 * 86_400, 1).await?;
    dispute::lapse(&honest, &world.coop.manifest).await?;
    halted(&world, 3, false).await?;
    assert_eq!(store.halted("budget").await?.unwrap().cause, None);
    assert_eq!(store.lift("budget").await?.unwrap().reason, "two entries");
    assert!(store.halts().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_that_nobody_shows_is_named_in_half_of_its_window() -> Result<()> {
    let world = World::start(&[3]).await?;
    let ada = world.member(1).await?;
    world.attempt(1, 0).await?;
    lie(&world, &ada, false).await?;
    assert!(!page(&world, 3, steward::HEALTH.path)?.contains("rochdale dispute"));
    let until = dispute::pending(&world.coop.chain, &world.coop.manifest).await?.unwrap().final_at.unwrap();
    world.coop.local.time_to(until - 43_200, 3).await?;
    let health = health_with(&world, 3, "could not be checked").await?;
    assert!(health.contains("rochdale dispute object --steward 3"), "{health}");
    assert!(world.steward(3).store.halts().await?.is_empty(), "what was not seen is not called false");
    Ok(())
}

async fn demand(world: &World, member: &TestMember) -> Result<()> {
    let asked = Disputes::Demand { memberId: member.id.0, epoch: 1, attempt: 0, kind: 0, deadline: U256::ZERO };
    let call = Disputes::demandCall { r: asked, signature: Bytes::new() };
    let sender = world.coop.sender(&format!("member-{}", member.id)).await?;
    sender.send(world.coop.manifest.addresses.disputes, &call).await?;
    world.coop.local.mine(1).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demanded_row_is_anybodys_to_carry_where_the_gateway_withholds_it() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let client = world.client(2, &role_key("nobody"));
    let early = client.get(steward::DEMANDED.at(ada.id)).await;
    assert_eq!(early.as_ref().err().map(ClientError::code), Some(ProblemCode::NotFound), "{early:?}");

    world.withhold_answers();
    demand(&world, &ada).await?;
    let shown = async || Ok(client.get(steward::DEMANDED.at(ada.id)).await.is_ok());
    world.until("the answer to be shown", shown).await?;
    let answer: AnswerRequest = client.get(steward::DEMANDED.at(ada.id)).await?;
    assert_eq!((answer.epoch, answer.attempt, answer.member_id), (Epoch(1), 0, ada.id));
    let others = client.get(steward::DEMANDED.at(ben.id)).await;
    assert_eq!(others.as_ref().err().map(ClientError::code), Some(ProblemCode::NotFound), "{others:?}");
    assert!(!page(&world, 2, steward::HEALTH.path)?.contains("dispute answer"));
    world.coop.local.time_to(world.now().await? + 12 * 3_600, 1).await?;
    health_with(&world, 2, "`rochdale dispute answer --member 1`").await?;

    let DemandAnswer::Row(leaf) = &answer.answer else { panic!("{answer:?}") };
    let manifest = &world.coop.manifest;
    dispute::answer_row(&world.coop.researcher, manifest, ada.id, leaf).await?;
    world.coop.local.mine(3).await?;
    world.until("what is answered to be shown no more", async || Ok(!shown().await?)).await?;

    // Point 14: the same of the inputs.
    world.demand_of(&ada, 1, 0, DemandKind::Inputs).await?;
    world.until("the answer to be shown", shown).await?;
    let answer: AnswerRequest = client.get(steward::DEMANDED.at(ada.id)).await?;
    let DemandAnswer::Inputs { header, opened } = &answer.answer else { panic!("{answer:?}") };
    dispute::answer_inputs(&world.coop.researcher, manifest, header, ada.id, opened).await?;
    world.coop.local.mine(3).await?;
    world.until("what is answered to be shown no more", async || Ok(!shown().await?)).await?;
    assert!(!page(&world, 2, steward::HEALTH.path)?.contains("dispute answer"));

    // What nobody carries voids the root, by anybody's call.
    demand(&world, &ben).await?;
    assert!(
        dispute::void_unanswered(&world.coop.researcher, manifest, ben.id, DemandKind::Row).await.is_err(),
        "still due"
    );
    world.coop.local.time_to(world.now().await? + 86_400, 1).await?;
    assert!(
        dispute::void_unanswered(&world.coop.researcher, manifest, ada.id, DemandKind::Row).await.is_err(),
        "answered"
    );
    dispute::void_unanswered(&world.coop.researcher, manifest, ben.id, DemandKind::Row).await?;
    assert_eq!(dispute::pending(&world.coop.chain, manifest).await?, None);
    Ok(())
}

/// A world in which steward 3 runs and may object by itself, for at most so much gas.
async fn may_object(max_wei: u64) -> Result<(World, TestMember)> {
    let mut world = World::start(&[]).await?;
    let key_file = world.configs[2].key_file.clone();
    world.configs[2].objection = Some(Objection { key_file, max_wei });
    world.up(3).await?;
    // Its account needs ether.
    world.coop.sender("steward-3").await?;
    let ada = world.member(1).await?;
    world.attempt(1, 0).await?;
    Ok((world, ada))
}

#[tokio::test(flavor = "multi_thread")]
async fn point_15_a_steward_with_an_account_objects_to_a_false_root_by_itself_and_once() -> Result<()> {
    let (world, ada) = may_object(50_000_000_000_000_000).await?;
    lie(&world, &ada, true).await?;
    let frozen = async || {
        world.coop.local.mine(1).await?;
        let pending = dispute::pending(&world.coop.chain, &world.coop.manifest).await?;
        Ok(pending.is_some_and(|pending| pending.final_at.is_none()))
    };
    world.until("an objection", frozen).await?;
    health_with(&world, 3, "the member house decides").await?;
    let ours = world.coop.stewards[2].address();
    let objections = async || {
        let history = world.coop.history().await?.into_iter();
        let by = |event: Event| if let Event::Objected { steward, .. } = event { Some(steward) } else { None };
        anyhow::Ok(history.filter_map(|located| by(located.event)).collect::<Vec<_>>())
    };
    assert_eq!(objections().await?, [ours]);
    // The house rejects it: the steward knows nothing new, and does not stake another bond.
    world.coop.local.mine(3).await?;
    reject(&world).await?;
    health_with(&world, 3, "is false, object before").await?;
    world.coop.local.mine(3).await?;
    assert_eq!(objections().await?, [ours]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn point_15_an_objection_that_costs_more_than_the_operator_allows_is_left_to_the_operator() -> Result<()> {
    let (world, ada) = may_object(1).await?;
    lie(&world, &ada, true).await?;
    halted(&world, 3, true).await?;
    let health = health_with(&world, 3, "objecting failed").await?;
    assert!(health.contains("would cost up to") && health.contains("rochdale dispute object"), "{health}");
    let pending = dispute::pending(&world.coop.chain, &world.coop.manifest).await?;
    assert!(pending.is_some_and(|pending| pending.final_at.is_some()), "nothing was sent");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_holds_no_seat_is_refused_at_the_start() -> Result<()> {
    let mut world = World::start(&[]).await?;
    let key_file = world.configs[1].key_file.clone();
    world.configs[2].objection = Some(Objection { key_file, max_wei: 1 });
    let refused = world.up(3).await.unwrap_err();
    assert!(refused.to_string().contains("only the key of the seat may object"), "{refused}");
    Ok(())
}

async fn reject(world: &World) -> Result<()> {
    let a = &world.coop.manifest.addresses;
    let objector = world.coop.stewards[2].address();
    let stands = Disputes::resolveObjectionCall { epoch: 1, attempt: 0, objector, upheld: false };
    world.decide(a.member_timelock, a.disputes, &stands).await
}
