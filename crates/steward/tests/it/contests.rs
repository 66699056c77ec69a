//! A quorum that falsifies a row: what an honest steward gives the member for a contest, and what the chain makes of it.

use alloy::primitives::{B256, Bytes, U256};
use anyhow::Result;
use rochdale_api::member::{OpeningReport, RowRequest, SealedRow};
use rochdale_api::route::steward;
use rochdale_api::settlement::{SheetCopy, SheetMessage};
use rochdale_chain::bindings::{self, SettlementLedger};
use rochdale_chain::client::SendError;
use rochdale_chain::dispute;
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{self, DemandKind, Header, NewLeaf, OldRow, OpenedInputs, Tree, is_wrong};
use rochdale_crypto::sealing::{OpeningContext, open_as};
use rochdale_crypto::{Sealed, SealingKeyPair};
use rochdale_steward::settlement::{Computed, Scores};

use crate::world::{TestMember, World};

/// What a steward gives a member for a contest.
async fn opening(world: &World, seat: u8, member: &TestMember) -> Result<OpeningReport> {
    let reply = SealingKeyPair::random(&mut rand::rng());
    let request = RowRequest { reply_key: reply.public().0, epoch: None };
    let client = world.client(seat, &member.key);
    let sealed: SealedRow = client.post_signed(steward::OPENING.at(member.id), &request, world.now().await?).await?;
    let (chain_id, ledger) = (world.coop.manifest.chain_id, world.coop.manifest.addresses.settlement_ledger);
    let context = OpeningContext { chain_id, ledger, epoch: sealed.epoch, member: member.id };
    Ok(serde_json::from_slice(&open_as(&reply, &context, &Sealed(sealed.sealed))?)?)
}

/// The epoch as an honest steward computes it from no new scores, under a sheet that it made.
async fn honest(world: &World, seat: u8, epoch: Epoch) -> Result<(SheetMessage, Computed)> {
    let steward = world.steward(seat);
    let made = async || {
        world.coop.local.mine(1).await?;
        Ok(!steward.store.sheets::<SheetMessage>(epoch).await?.is_empty())
    };
    world.until("a sheet", made).await?;
    let message = steward.store.sheets::<SheetMessage>(epoch).await?.remove(0);
    let cut = steward.cut(epoch).await?;
    let at_cut = Cooperative::at_block(&world.coop.history().await?, cut.number);
    let entered = steward.store.entered().await?;
    let gathered = steward.gather((epoch, 0), &at_cut, &entered, &Scores::new(), &[], &[]).await?;
    let before = steward.before(epoch).await?;
    let copy = SheetCopy { usage: gathered.inputs.usage, ..SheetCopy::default() };
    let computed = steward.settle_copy(&at_cut, &before.books, &message.header, &copy).await?;
    assert_eq!(computed.round.header, message.header);
    Ok((message, computed))
}

/// A quorum's false proposal: DATA moved from one member to another, every total as it is. Gives header and false leaf.
async fn falsify(world: &World, computed: &Computed, from: &TestMember, to: &TestMember) -> Result<(Header, NewLeaf)> {
    let (mut rows, epoch) = (computed.round.settled.rows.clone(), computed.round.header.epoch);
    let part = rows[from.id.0 as usize - 1].data_earned / 2;
    assert!(part > 0);
    rows[from.id.0 as usize - 1].data_earned -= part;
    rows[to.id.0 as usize - 1].data_earned += part;
    let params = &computed.settled.params;
    let key = |member: MemberId| if member == from.id { from.row_key.expose() } else { to.row_key.expose() };
    let mut shown = Vec::new();
    for (row, id) in rows.iter().zip(1..) {
        let member = MemberId(id);
        let hash = ledger::private_hash(row, ledger::salt(key(member), epoch));
        shown.push((member, ledger::amounts(params, member, row, true)?, hash));
    }
    let leaves: Vec<B256> = shown.iter().map(|(member, amounts, hash)| ledger::leaf(*member, amounts, *hash)).collect();
    let tree = Tree::new(world.coop.manifest.tree_depth, &leaves)?;
    let header = Header { root: tree.root(), ..computed.round.header.clone() };
    let (_, amounts, hash) = shown[from.id.0 as usize - 1];
    let leaf = NewLeaf { shown: amounts, private_hash: hash, proof: tree.proof(from.id).unwrap() };
    Ok((header, leaf))
}

async fn propose(world: &World, header: &Header) -> Result<()> {
    let signed = eip712::Header::from(header);
    let sign = |key| eip712::sign(key, &signed, &world.coop.manifest.settlement_domain());
    let signatures = world.coop.stewards[..2].iter().map(sign).collect::<Result<Vec<_>, _>>()?;
    let call = SettlementLedger::proposeCall { h: signed.clone().into(), signatures };
    world.coop.relayer.send(world.coop.manifest.addresses.settlement_ledger, &call).await?;
    world.coop.local.mine(3).await?;
    Ok(())
}

async fn contest(
    world: &World,
    member: &TestMember,
    report: &OpeningReport,
    parts: (&OldRow, &OpenedInputs, &NewLeaf),
) -> Result<(), SendError> {
    let row_key = B256::new(*member.row_key.expose());
    let opening = bindings::opening(&report.header, &report.params, member.id, row_key, parts);
    let (epoch, attempt) = (report.header.epoch.0, report.header.attempt);
    let contest = eip712::Contest { memberId: member.id.0, epoch, attempt, deadline: U256::ZERO };
    let sender = world.coop.sender(&format!("member-{}", member.id)).await.unwrap();
    dispute::contest(&sender, &world.coop.manifest, contest, Bytes::new(), opening).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn point_15_a_member_puts_a_contest_together_from_an_honest_steward_and_what_was_published() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let depth = world.coop.manifest.tree_depth;

    // A right row opens whole at every steward, and no contest of it holds.
    let right = opening(&world, 1, &ben).await?;
    let (inputs, leaf) = (right.inputs.clone().unwrap(), right.leaf.clone().unwrap());
    let parts = (&right.old, &inputs, &leaf);
    assert_eq!(is_wrong(&right.header, &right.params, depth, ben.id, ben.row_key.expose(), parts), Ok(false));
    let refused = contest(&world, &ben, &right, parts).await.unwrap_err();
    assert!(refused.revert().is_some_and(|revert| revert.name().ends_with("RowIsRight")), "{refused}");

    // Stewards 1 and 2 lie about epoch 2, which is steward 3's to propose.
    world.after_window(1).await?;
    world.down(1).await?;
    world.down(2).await?;
    world.attempt(2, 0).await?;
    let (message, computed) = honest(&world, 3, Epoch(2)).await?;
    let (header, leaf) = falsify(&world, &computed, &ada, &ben).await?;
    let shown = SheetMessage { header: header.clone(), ..message };
    world.steward(3).store.put_sheet(Epoch(2), 0, header.sheet_digest, &shown).await?;
    propose(&world, &header).await?;
    let halted = async || {
        world.coop.local.mine(1).await?;
        Ok(world.steward(3).store.halted(rochdale_steward::settlement::DUTY).await?.is_some())
    };
    world.until("the honest steward to halt", halted).await?;

    // It has the row before and the inputs; the leaf is with those who lie, until ada demands it.
    let report = opening(&world, 3, &ada).await?;
    assert_eq!(report.header, header);
    assert!(report.old.row.is_some() && report.leaf.is_none());
    world.demand(&ada, 2, 0).await?;
    dispute::answer_row(&world.coop.researcher, &world.coop.manifest, ada.id, &leaf).await?;
    world.coop.local.mine(3).await?;
    let published = async || Ok(opening(&world, 3, &ada).await?.leaf.is_some());
    world.until("the published leaf", published).await?;
    let report = opening(&world, 3, &ada).await?;
    let (inputs, found) = (report.inputs.clone().unwrap(), report.leaf.clone().unwrap());
    assert_eq!(found, leaf);
    let parts = (&report.old, &inputs, &found);
    assert_eq!(is_wrong(&report.header, &report.params, depth, ada.id, ada.row_key.expose(), parts), Ok(true));
    contest(&world, &ada, &report, parts).await?;
    let voided = world.coop.history().await?.into_iter().any(|located| {
        matches!(located.event, Event::Voided { reason, .. } if reason == B256::right_padding_from(b"contested"))
    });
    assert!(voided);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn point_14_inputs_that_nobody_can_open_void_the_root_of_a_quorum_that_falsified_a_row() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.after_window(1).await?;
    world.down(1).await?;
    world.down(2).await?;
    world.attempt(2, 0).await?;
    let (_, computed) = honest(&world, 3, Epoch(2)).await?;
    let (header, _) = falsify(&world, &computed, &ada, &ben).await?;
    // Nothing is behind this root, so nothing in it opens: without an answer there is no contest.
    let header = Header { inputs_root: B256::repeat_byte(9), ..header };
    propose(&world, &header).await?;
    world.demand_of(&ada, 2, 0, DemandKind::Inputs).await?;
    let void = async || {
        let (researcher, manifest) = (&world.coop.researcher, &world.coop.manifest);
        dispute::void_unanswered(researcher, manifest, ada.id, DemandKind::Inputs).await
    };
    assert!(void().await.is_err(), "still due");
    world.coop.local.time_to(world.now().await? + 86_401, 3).await?;
    void().await?;
    let voided = world.coop.history().await?.into_iter().any(|located| {
        matches!(located.event, Event::Voided { reason, .. } if reason == B256::right_padding_from(b"unanswered"))
    });
    assert!(voided);
    Ok(())
}
