//! Row keys that are late, lost or withheld, members who leave without one, and stewards who were away meanwhile or are
//! new: the same roots come out, and settling goes on.

use alloy::primitives::Bytes;
use anyhow::Result;
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::route::steward;
use rochdale_api::settlement::{SheetAnswer, SheetMessage};
use rochdale_chain::eip712;
use rochdale_chain::state::Cooperative;
use rochdale_core::commit;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{NO_ROW_KEY, row_secret};
use rochdale_crypto::RowKey;
use rochdale_steward::audit;
use rochdale_testkit::anvil::role_key;

use crate::world::{TestMember, World};

/// The key under which a steward's row of a member has its private hash.
async fn salted_by(world: &World, seat: u8, epoch: u32, member: &TestMember) -> Result<Option<[u8; 32]>> {
    let (steward, epoch) = (world.steward(seat), Epoch(epoch));
    let rows = steward.store.rows(epoch).await?;
    let leaf = rows.iter().find(|leaf| leaf.member == member.id).unwrap();
    let row = steward.row(epoch, leaf).await?;
    Ok(row_secret(&row, epoch, leaf.private_hash, Some(member.row_key.expose())))
}

async fn holds_key(world: &World, seat: u8, member: MemberId) -> Result<bool> {
    Ok(world.steward(seat).store.row_key(member).await?.is_some())
}

async fn audits_agree(world: &World, processes: &[usize], epoch: u32) -> Result<()> {
    for process in processes {
        let audited = audit::audit(world.configs[process - 1].clone()).await?;
        assert!(audited.agrees && audited.epoch == epoch, "process {process}: {audited}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn point_13_one_person_who_joins_without_a_key_and_leaves_stops_nothing() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let eve = world.admit(2).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.leave(&eve).await?;
    for epoch in 2..=3 {
        world.after_window(epoch - 1).await?;
        world.attempt(epoch, 0).await?;
        world.settled(epoch).await?;
        assert_eq!(salted_by(&world, 3, epoch, &eve).await?, Some(NO_ROW_KEY));
        assert_eq!(salted_by(&world, 3, epoch, &ada).await?, Some(*ada.row_key.expose()));
    }
    audits_agree(&world, &[1, 2, 3], 3).await
}

#[tokio::test(flavor = "multi_thread")]
async fn point_13_a_steward_that_was_down_while_somebody_joined_and_left_settles_again() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    world.down(3).await?;
    let ben = world.member(2).await?;
    world.leave(&ben).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.up(3).await?;
    world.settled(1).await?;
    assert!(holds_key(&world, 3, ben.id).await?, "a leaver's key is caught up");
    // It counts again: without it there is no quorum.
    world.down(1).await?;
    world.after_window(1).await?;
    world.attempt(2, 0).await?;
    world.settled(2).await?;
    audits_agree(&world, &[2, 3], 2).await
}

#[tokio::test(flavor = "multi_thread")]
async fn point_13_a_wholly_new_committee_takes_over_leavers_and_keyless_rows_included() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    let eve = world.admit(3).await?;
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.leave(&eve).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.leave(&ben).await?;
    world.after_window(1).await?;
    world.attempt(2, 0).await?;
    world.settled(2).await?;

    world.reseat([4, 5, 6]).await?;
    world.settled(2).await?;
    assert!(holds_key(&world, 1, ada.id).await? && holds_key(&world, 1, ben.id).await?);
    assert!(!holds_key(&world, 1, eve.id).await?);
    world.after_window(2).await?;
    world.attempt(3, 0).await?;
    world.settled(3).await?;
    assert_eq!(salted_by(&world, 2, 3, &ben).await?, Some(*ben.row_key.expose()));
    assert_eq!(salted_by(&world, 2, 3, &eve).await?, Some(NO_ROW_KEY));
    audits_agree(&world, &[4, 5, 6], 3).await
}

#[tokio::test(flavor = "multi_thread")]
async fn point_12_a_key_that_comes_late_salts_from_then_on_and_one_that_does_not_fit_never() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let eve = world.admit(2).await?;
    let other = RowKey::random(&mut rand::rng());
    let refused = world.give_this_key(&eve, 1, &other).await.unwrap_err();
    let refused = refused.downcast_ref::<ClientError>().map(ClientError::code);
    assert_eq!(refused, Some(ProblemCode::SealBroken), "not the admitted key");
    world.attempt(1, 0).await?;
    world.settled(1).await?;

    // One steward gets it; the others take it from that one, and it salts the next epoch at all of them.
    world.give_key(&eve, &[1]).await?;
    world.after_window(1).await?;
    world.attempt(2, 0).await?;
    world.settled(2).await?;
    for seat in 1..=3 {
        assert!(holds_key(&world, seat, eve.id).await?);
        assert_eq!(salted_by(&world, seat, 1, &eve).await?, Some(NO_ROW_KEY));
        assert_eq!(salted_by(&world, seat, 2, &eve).await?, Some(*eve.row_key.expose()));
        assert_eq!(salted_by(&world, seat, 1, &ada).await?, Some(*ada.row_key.expose()));
    }
    audits_agree(&world, &[1, 2, 3], 2).await
}

#[tokio::test(flavor = "multi_thread")]
async fn point_18_a_steward_that_was_down_until_a_member_had_erased_everything_settles_again() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.down(3).await?;
    let ben = world.member(2).await?;
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    // Who is drawn and down is replaced an attempt later.
    world.stand_in().await?;
    world.scored(2).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.erase(&ben).await?;
    world.after_window(1).await?;
    let closed = async || {
        world.coop.local.mine(1).await?;
        Ok(world.steward(1).is_closed(ben.id).await? && world.steward(2).is_closed(ben.id).await?)
    };
    world.until("the row to be closed", closed).await?;
    assert!(!holds_key(&world, 1, ben.id).await? && !holds_key(&world, 2, ben.id).await?);

    world.up(3).await?;
    world.settled(1).await?;
    world.attempt(2, 0).await?;
    world.settled(2).await?;
    audits_agree(&world, &[1, 2, 3], 2).await
}

#[tokio::test(flavor = "multi_thread")]
async fn point_18_a_member_who_erases_while_a_root_is_pending_does_not_stop_it_being_settled_anew() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.after_window(1).await?;
    world.attempt(2, 0).await?;
    world.settled(2).await?;
    world.erase(&ben).await?;
    let destroyed = async || {
        world.coop.local.mine(1).await?;
        for seat in 1..=3 {
            if world.steward(seat).store.erasure(ben.id).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    };
    world.until("what is ben's to be destroyed", destroyed).await?;
    // One steward objects, and the member house does not decide: epoch 2 is computed again, from the rows of epoch 1.
    world.object_as("steward-1").await?;
    world.coop.local.time_to(world.now().await? + 14 * 86_400, 3).await?;
    world.disputes_as("member-1", &rochdale_chain::bindings::Disputes::lapseObjectionCall {}).await?;
    let again = async || {
        world.coop.local.mine(1).await?;
        let standing = Cooperative::fold(&world.coop.history().await?).proposals;
        let later = standing.get(&Epoch(2)).is_some_and(|proposal| proposal.header.attempt > 0);
        Ok(later && world.status(3).await?.settled == Epoch(2))
    };
    world.until("another proposal of epoch 2", again).await
}

#[tokio::test(flavor = "multi_thread")]
async fn point_18_a_sheet_whose_copies_are_not_of_one_sheet_gets_no_signature() -> Result<()> {
    let mut world = World::start(&[1, 2]).await?;
    world.member(1).await?;
    world.down(1).await?;
    world.attempt(1, 0).await?;
    let sheets = async || anyhow::Ok(world.steward(2).store.sheets::<SheetMessage>(Epoch(1)).await?);
    let made = async || {
        world.coop.local.mine(1).await?;
        Ok(!sheets().await?.is_empty())
    };
    world.until("a sheet", made).await?;
    let honest = sheets().await?.remove(0);
    world.down(2).await?;
    world.up(1).await?;
    let sent = async |message: &SheetMessage| {
        let client = world.client(1, &role_key("steward-2"));
        client.post_signed(steward::SHEET, message, world.now().await.unwrap()).await
    };
    let mut garbage = honest.clone();
    garbage.sealed[2] = Bytes::from(vec![7; garbage.sealed[2].len()]);
    garbage.header.sheet_digest = commit::sheet(&garbage.sealed);
    let refused = sent(&garbage).await.unwrap_err();
    assert!(refused.to_string().contains("not all of one sheet"), "{refused}");
    let signed = sent(&honest).await;
    assert!(matches!(signed, Ok(SheetAnswer::Signed(_))), "{signed:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn point_12_a_key_that_the_registrar_offers_is_held_before_its_member_is_admitted() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let key = RowKey::random(&mut rand::rng());
    let (registrar, stranger) = (world.coop.registrar.clone(), role_key("nobody"));
    let held = world.offer(1, 4, &key, &key, &registrar).await?;
    let said = world.key_held(4, &key);
    let steward = world.coop.stewards[0].address();
    eip712::verify(&said, &world.coop.manifest.committee_domain(), &held.signature, steward)?;
    for (sealed, signer, code) in [
        (&key, &stranger, ProblemCode::Forbidden),
        (&RowKey::random(&mut rand::rng()), &registrar, ProblemCode::SealBroken),
    ] {
        let refused = world.offer(2, 4, &key, sealed, signer).await.unwrap_err();
        assert_eq!(refused.downcast_ref::<ClientError>().map(ClientError::code), Some(code), "{refused}");
    }
    // The member joins and delivers nothing: who was offered the key keeps it, and the others take it from there.
    let ada = world.admit_with(4, key).await?;
    for seat in 1..=3 {
        world.until("the key", async || holds_key(&world, seat, ada.id).await).await?;
    }
    Ok(())
}
