//! Whose scores count: those of the stewards whose turn it was, as every steward and the auditor find from the sheet and the chain alone;
//! and no honest steward signs without a score that it knows.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use anyhow::{Context as _, Result};
use rochdale_api::client::ClientError;
use rochdale_api::contribution::ScoresRequest;
use rochdale_api::route::steward;
use rochdale_api::settlement::{SheetAnswer, SheetMessage};
use rochdale_chain::eip712;
use rochdale_chain::events::{Event, Located, Seat};
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{ContributionId, Epoch, MemberId, StewardId};
use rochdale_core::ledger::{Params, Score};
use rochdale_core::score;
use rochdale_steward::inputs::{Gathered, Sources, gather};
use rochdale_steward::scoring::{drawn, scorers};
use rochdale_steward::store::ScoreRow;
use rochdale_testkit::anvil::role_key;

use crate::world::World;

fn row(contribution: ContributionId, signer: Address, quality: u16, kept_at: u64) -> ScoreRow {
    let score = Score { quality, uniqueness: 10_000, authenticity: 10_000, rarity: 20_000 };
    let sketch = B256::left_padding_from(&quality.to_be_bytes());
    let (rubric_hash, member) = (score::rubric_hash(), MemberId(1));
    ScoreRow { contribution, signer, member, score, rubric_hash, sketch, signature: Vec::new(), kept_at }
}

fn signed(world: &World, contribution: ContributionId, steward: u8, quality: u16, kept_at: u64) -> Result<ScoreRow> {
    let key = role_key(&format!("steward-{steward}"));
    let row = row(contribution, key.address(), quality, kept_at);
    let said = eip712::Score {
        contributionId: contribution.0,
        quality,
        uniqueness: row.score.uniqueness,
        authenticity: row.score.authenticity,
        rarity: row.score.rarity,
        rubricHash: row.rubric_hash,
        sketch: row.sketch,
    };
    let signature = eip712::sign(&key, &said, &world.coop.manifest.committee_domain())?;
    Ok(ScoreRow { signature: signature.to_vec(), ..row })
}

const RECORDED: u64 = 1_000;
const ATTEMPT: u64 = 100;

/// What enters of one contribution, recorded at [`RECORDED`] under five stewards, at an attempt that started at `time`.
fn entering(time: u64, scored: &[(usize, u16)]) -> Gathered {
    let located = |event| Located {
        block_number: 1,
        block_hash: B256::repeat_byte(3),
        timestamp: RECORDED,
        log_index: 0,
        transaction: B256::ZERO,
        event,
    };
    let seat = |n: u8| Seat { signer: Address::with_last_byte(n), sealing_key: B256::ZERO };
    let (member, contribution, a) = (MemberId(1), ContributionId(1), Address::with_last_byte(9));
    let commitment = B256::repeat_byte(5);
    let state = Cooperative::fold(&[
        located(Event::Seated { generation: 1, seats: (1..=5).map(seat).collect(), quorum: 3 }),
        located(Event::Joined { member, account: a, payout: a, nullifier: B256::ZERO, row_key_digest: B256::ZERO }),
        located(Event::ContributionRecorded { contribution, member, commitment, consent_version: 1 }),
    ]);
    let order = scorers(&state, &state.contributions[&contribution]);
    let scores = scored.iter().map(|(place, quality)| row(contribution, order[place - 1], *quality, 0)).collect();
    gather(&Sources {
        epoch: Epoch(1),
        time,
        attempt_length: ATTEMPT,
        at_cut: &state,
        founding: &Params::default(),
        since: None,
        before: &[],
        scores: &BTreeMap::from([(contribution, scores)]),
        grants: &[],
        snapshots: &BTreeMap::new(),
        told: None,
    })
    .unwrap()
}

#[test]
fn scores_out_of_turn_do_not_count_whoever_signed_them() {
    let quality = |time, scored: &[(usize, u16)]| {
        let gathered = entering(time, scored);
        assert_eq!(gathered.entered.len() + gathered.deferred.len(), 1);
        gathered.entered.first().map(|row| row.score.quality)
    };
    let lies = [(4, 10_000), (5, 10_000)];
    assert_eq!(quality(RECORDED + ATTEMPT - 1, &lies), None, "two that were not drawn score nothing");
    assert_eq!(
        quality(RECORDED + ATTEMPT, &lies),
        None,
        "it is the fourth's turn for two that were silent, not the fifth's"
    );
    let all = [(1, 3_000), (2, 3_000), (4, 10_000), (5, 10_000)];
    assert_eq!(quality(RECORDED + 9 * ATTEMPT, &all), Some(3_000));
    let one_silent = [(1, 3_000), (4, 10_000), (5, 10_000)];
    assert_eq!(quality(RECORDED + ATTEMPT, &one_silent), None, "the third still has time to stand in");
    assert_eq!(quality(RECORDED + ATTEMPT, &[(1, 3_000), (3, 3_000)]), Some(3_000), "the third stands in");
    assert_eq!(quality(RECORDED + ATTEMPT - 1, &[(1, 3_000), (3, 3_000)]), None, "and not before");
    assert_eq!(quality(RECORDED, &[(1, 3_000), (2, 9_000), (3, 4_000)]), Some(4_000), "the third decides");
    assert_eq!(quality(RECORDED, &[(1, 3_000), (2, 9_000), (4, 9_000)]), None, "which the fourth does not");
}

/// A world in which nobody scores by itself, with a record whose scores by two liars alone are in a sheet of steward 2, and the honest
/// steward, drawn before one of them, that kept its own score at the time given by `kept`.
async fn without_ones_own_score(kept: impl Fn(u64) -> u64) -> Result<(World, u8, SheetAnswer)> {
    let mut world = World::start(&[]).await?;
    for config in &mut world.configs {
        config.scoring.max_blob_bytes = 1;
    }
    for seat in 1..=3 {
        world.up(seat).await?;
    }
    let ada = world.member(1).await?;
    let id = world.contribute(&[(&ada, world.record(1).await?)]).await?[0];
    let mirror = world.steward(1).at_head().await?;
    let finalized = mirror.finalized();
    let order = drawn(finalized, finalized.contributions.get(&id).context("it is final")?);
    // Steward 2 proposes attempt 0 of epoch 1.
    let honest = order.iter().find(|seat| seat.0 != 2).context("three seats")?.0;
    let other = 6 - 2 - honest;
    let start = world.coop.manifest.schedule().start(Epoch(1), 0);
    world.steward(honest).store.put_score(&signed(&world, id, honest, 3_000, kept(start))?).await?;
    world.down(honest).await?;
    world.down(other).await?;
    for liar in [2, other] {
        world.steward(2).store.put_score(&signed(&world, id, liar, 10_000, 0)?).await?;
    }
    world.attempt(1, 0).await?;
    world
        .until("a sheet", async || {
            world.coop.local.mine(1).await?;
            Ok(!world.steward(2).store.sheets::<SheetMessage>(Epoch(1)).await?.is_empty())
        })
        .await?;
    let message = world.steward(2).store.sheets::<SheetMessage>(Epoch(1)).await?.remove(0);
    let sheet = world.steward(2).open_sheet(&message, StewardId(2))?;
    let said: Vec<Address> = sheet.scores.iter().map(|score| score.signer).collect();
    assert!(said.len() == 2 && !said.contains(&role_key(&format!("steward-{honest}")).address()), "{said:?}");
    world.down(2).await?;
    world.up(honest).await?;
    let client = world.client(honest, &role_key("steward-2"));
    let answer: Result<SheetAnswer, ClientError> =
        client.post_signed(steward::SHEET, &message, world.now().await?).await;
    Ok((world, honest, answer?))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_a_sheet_that_leaves_out_a_score_it_knows() -> Result<()> {
    let (mut world, honest, answer) = without_ones_own_score(|_| 0).await?;
    assert!(matches!(answer, SheetAnswer::Differs { .. }), "{answer:?}");
    let status = world.status(honest).await?.waiting_for.unwrap_or_default();
    assert!(status.contains("leaves out"), "{status}");
    // The epoch is not stopped: another attempt has another sheet, with every score.
    for seat in (1..=3).filter(|seat| *seat != honest) {
        world.up(seat).await?;
    }
    world.attempt(1, 1).await?;
    world.settled(1).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_score_that_came_after_the_attempt_began_stops_no_sheet() -> Result<()> {
    let (_, _, answer) = without_ones_own_score(|start| start + 1).await?;
    assert!(matches!(answer, SheetAnswer::Signed(_)), "{answer:?}");
    Ok(())
}

/// One record that is never scored, since its member revoked before, is the first that did not enter for ever: what is asked from it on must
/// not be everything that was scored since.
#[tokio::test(flavor = "multi_thread")]
async fn scores_that_entered_before_the_last_epoch_are_told_no_more() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    let told = async || world.steward(1).scores_since(&ScoresRequest { after: ContributionId(0) }).await;
    for (epoch, expected) in [(1, 2), (2, 0)] {
        world.attempt(epoch, 0).await?;
        world.settled(epoch).await?;
        assert_eq!(told().await?.len(), expected, "epoch {epoch}: a void may still undo the last one");
        world.final_by_time(epoch).await?;
    }
    Ok(())
}
