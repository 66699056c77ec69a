//! The invariant of settlement: whatever one member and k − 1 stewards do, some epoch becomes final within m attempts, and
//! no honest bond is slashed. Here k = 2 of 3: steward 2 is played by the test, which has its keys and signs what it likes.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{B256, Bytes, U256};
use anyhow::Result;
use rochdale_api::client::ClientError;
use rochdale_api::contribution::ScoreMessage;
use rochdale_api::route::steward;
use rochdale_api::settlement::{Sheet, SheetAnswer, SheetMessage};
use rochdale_chain::bindings::{Disputes, StewardCommittee};
use rochdale_chain::eip712;
use rochdale_core::commit;
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, StewardId};
use rochdale_core::ledger::{DemandKind, Header, Score};
use rochdale_crypto::sealing::{self, SheetContext};
use rochdale_node::sealed;
use rochdale_steward::scoring::{drawn, message};
use rochdale_steward::store::ScoreRow;
use rochdale_testkit::anvil::role_key;
use serde_json::{Value, json};

use crate::world::World;

/// After so many attempts an epoch is final: each steward had its turn, and the liar's is one of them.
const M: u32 = 3;

/// A sheet that steward 2 made while it was honest, and what it holds.
async fn honest_sheet(world: &mut World) -> Result<(SheetMessage, Sheet)> {
    let made = async || {
        world.coop.local.mine(1).await?;
        Ok(!world.steward(2).store.sheets::<SheetMessage>(Epoch(1)).await?.is_empty())
    };
    world.until("a sheet", made).await?;
    let message = world.steward(2).store.sheets::<SheetMessage>(Epoch(1)).await?.remove(0);
    let sheet = world.steward(2).open_sheet(&message, StewardId(2))?;
    Ok((message, sheet))
}

/// The message about another sheet, all of whose copies are of it.
fn resealed(world: &World, message: &SheetMessage, sheet: &Sheet) -> Result<SheetMessage> {
    let (chain_id, ledger) = (world.coop.manifest.chain_id, world.coop.manifest.addresses.settlement_ledger);
    let json = serde_json::to_vec(sheet)?;
    let seal = |seat: u8| {
        let context = SheetContext { chain_id, ledger, epoch: Epoch(1), attempt: 0, index: StewardId(seat) };
        Ok(sealing::seal_from_seed(&world.sealing_of(seat), &context, &json, &sheet.seed.0)?.0)
    };
    let sealed = (1..=3).map(seal).collect::<Result<Vec<Bytes>>>()?;
    let header = Header { sheet_digest: commit::sheet(&sealed), ..message.header.clone() };
    Ok(SheetMessage { sealed, header, ..message.clone() })
}

/// The message with another value in one field of its header, for each field.
fn false_headers(message: &SheetMessage) -> Result<Vec<(String, SheetMessage)>> {
    let Value::Object(fields) = serde_json::to_value(&message.header)? else { unreachable!("a header is an object") };
    let other = |name: &str, value: &Value| match value {
        Value::Number(n) => json!(n.as_u64().unwrap() + 1),
        Value::String(s) if name.ends_with("root") || name.ends_with("hash") || name.ends_with("digest") => {
            json!(B256::repeat_byte(if s.starts_with("0x07") { 8 } else { 7 }))
        }
        Value::String(s) if s.starts_with("0x") => json!(s.parse::<U256>().unwrap() + U256::ONE),
        Value::String(s) => json!((s.parse::<u128>().unwrap() + 1).to_string()),
        other => unreachable!("{other}"),
    };
    let falsified = fields.iter().map(|(name, value)| {
        let mut header = fields.clone();
        header.insert(name.clone(), other(name, value));
        let header = serde_json::from_value(Value::Object(header))?;
        Ok((format!("header.{name}"), SheetMessage { header, ..message.clone() }))
    });
    falsified.collect()
}

/// The sheet with garbage in one field, for each field.
fn false_sheets(sheet: &Sheet) -> Vec<(&'static str, Sheet)> {
    let change = |name, change: &dyn Fn(&mut Sheet)| {
        let mut sheet = sheet.clone();
        change(&mut sheet);
        (name, sheet)
    };
    let scores = |sheet: &mut Sheet, with: &dyn Fn(&mut ScoreMessage)| with(&mut sheet.scores[0]);
    vec![
        change("cut_block", &|s| s.cut_block += 1),
        change("cut_hash", &|s| s.cut_hash = B256::ZERO),
        change("scores: none", &|s| s.scores.clear()),
        change("scores: another value", &|s| scores(s, &|score| score.quality = 1)),
        change("scores: another signature", &|s| scores(s, &|score| score.signature = Bytes::from(vec![1; 65]))),
        change("scores: another contribution", &|s| scores(s, &|score| score.contribution_id = ContributionId(77))),
        change("deferred", &|s| s.deferred.push((ContributionId(77), "why not".into()))),
        change("lines: none", &|s| s.lines.clear()),
        change("lines: another weight", &|s| s.lines[0].w += 1),
        change("unkeyed: who has a key", &|s| s.unkeyed.push(MemberId(1))),
        change("unkeyed: not who has none", &|s| s.unkeyed.clear()),
        change("revenue", &|s| s.revenue += 1),
        change("licenses", &|s| s.licenses.push(LicenseId(9))),
        change("datasets", &|s| s.datasets.push(DatasetId(9))),
        change("sealed_to: none", &|s| s.sealed_to.clear()),
        change("sealed_to: a key that nobody has", &|s| s.sealed_to[0] = B256::repeat_byte(9)),
    ]
}

async fn send(world: &World, to: u8, message: &SheetMessage) -> Result<SheetAnswer, ClientError> {
    let client = world.client(to, &role_key("steward-2"));
    client.post_signed(steward::SHEET, message, world.now().await.unwrap()).await
}

async fn bonds(world: &World) -> Result<Vec<U256>> {
    let mut bonds = Vec::new();
    for steward in [0, 2] {
        let call = StewardCommittee::bondOfCall { steward: world.coop.stewards[steward].address() };
        bonds.push(world.coop.chain.view(world.coop.manifest.addresses.steward_committee, &call).await?);
    }
    Ok(bonds)
}

async fn slashes(world: &World) -> Result<U256> {
    let committee = world.coop.manifest.addresses.steward_committee;
    Ok(world.coop.chain.view(committee, &StewardCommittee::slashCountCall {}).await?)
}

/// The attempts of an epoch from the first on, until one is proposed; gives which.
async fn first_proposed(world: &World, epoch: u32) -> Result<u32> {
    for attempt in 0..M {
        world.attempt(epoch, attempt).await?;
        let proposed = async || {
            world.coop.local.mine(1).await?;
            for seat in [1, 3] {
                let waits = world.status(seat).await?.waiting_for.unwrap_or_default();
                // The turn of the liar, who proposes nothing.
                if waits.contains(&format!("attempt {attempt}: steward 2 proposes"))
                    || world.header(epoch).await.is_ok()
                {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        world.until("a proposal, or the liar's turn", proposed).await?;
        if let Ok(header) = world.header(epoch).await {
            return Ok(header.attempt);
        }
    }
    anyhow::bail!("epoch {epoch} was proposed in none of {M} attempts")
}

#[tokio::test(flavor = "multi_thread")]
async fn point_18_one_member_and_one_steward_stop_no_epoch_and_cost_no_honest_bond() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let eve = world.admit(2).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    // Steward 2 makes the sheet of attempt 0, and turns liar.
    world.down(1).await?;
    world.down(3).await?;
    world.attempt(1, 0).await?;
    let (message, sheet) = honest_sheet(&mut world).await?;
    world.down(2).await?;
    world.up(1).await?;
    world.up(3).await?;
    let before = bonds(&world).await?;
    let mut lies = false_headers(&message)?;
    for (name, sheet) in false_sheets(&sheet) {
        lies.push((format!("sheet.{name}"), resealed(&world, &message, &sheet)?));
    }
    for (name, lie) in &lies {
        for seat in [1, 3] {
            let answer = send(&world, seat, lie).await;
            assert!(!matches!(answer, Ok(SheetAnswer::Signed(_))), "steward {seat} signed garbage in {name}");
        }
    }

    // The member leaves and demands, the liar objects; the house finds nothing wrong, and the root is final.
    assert!(first_proposed(&world, 1).await? < M);
    world.settled_at(&[1, 3], 1).await?;
    let attempt = world.header(1).await?.attempt;
    for kind in [DemandKind::Row, DemandKind::Inputs] {
        world.demand_of(&eve, 1, attempt, kind).await?;
    }
    let answered = async || {
        world.coop.local.mine(1).await?;
        let demands = &world.steward(1).mirror()?.latest.demands;
        Ok(demands.len() == 2 && demands.iter().all(|demand| demand.answered))
    };
    world.until("row and inputs to be published", answered).await?;
    world.leave(&eve).await?;
    world.object_as("steward-2").await?;
    let objector = world.coop.stewards[1].address();
    let stands = Disputes::resolveObjectionCall { epoch: 1, attempt, objector, upheld: false };
    let a = &world.coop.manifest.addresses;
    world.decide(a.member_timelock, a.disputes, &stands).await?;
    world.final_by_time(1).await?;

    // The key of who left reaches the liar alone, and then one honest steward in the middle of an epoch.
    for epoch in 2..=4 {
        assert!(first_proposed(&world, epoch).await? < M);
        if epoch == 3 {
            world.give_key(&eve, &[1]).await?;
        }
        world.settled_at(&[1, 3], epoch).await?;
        world.final_by_time(epoch).await?;
    }
    assert_eq!(bonds(&world).await?, before, "an honest bond shrank");
    assert_eq!(slashes(&world).await?, U256::ZERO);
    Ok(())
}

/// What steward 2 tells another of a record: the score that an honest steward gave, `more` better.
async fn tell(world: &World, to: u8, honest: &ScoreRow, more: u16) -> Result<()> {
    let Score { quality, uniqueness, authenticity, rarity } = honest.score;
    let (key, quality) = (role_key("steward-2"), quality + more);
    let said = eip712::Score {
        contributionId: honest.contribution.0,
        quality,
        uniqueness,
        authenticity,
        rarity,
        rubricHash: honest.rubric_hash,
        sketch: honest.sketch,
    };
    let signature = eip712::sign(&key, &said, &world.coop.manifest.committee_domain())?;
    let score = Score { quality, ..honest.score };
    let row = ScoreRow { signer: key.address(), score, signature: signature.to_vec(), ..honest.clone() };
    let (client, now) = (world.client(to, &key), world.now().await?);
    Ok(sealed::post(&client, world.sealing_of(to), steward::SCORES, &vec![message(&row)], now).await?)
}

/// A record whose first two scorers are steward 2 and an honest one: steward 2 tells that one a score that differs from its own, and the
/// other one a score that is the same.
async fn told_apart(world: &World, id: ContributionId) -> Result<Option<u8>> {
    let mirror = world.steward(1).at_head().await?;
    let order = drawn(mirror.finalized(), &mirror.finalized().contributions[&id]);
    let Some(first) = order[..2].iter().find(|seat| seat.0 != 2).filter(|_| order[2].0 != 2) else { return Ok(None) };
    let other = 6 - 2 - first.0;
    let store = &world.steward(first.0).store;
    world.until("an honest score", async || Ok(!store.scores_of(id).await?.is_empty())).await?;
    let honest = store.scores_of(id).await?.remove(0);
    tell(world, other, &honest, 0).await?;
    tell(world, first.0, &honest, 1).await?;
    Ok(Some(first.0))
}

/// Whoever keeps the first score that it hears of a steward would never agree again: what one proposes to defer is agreed to the other.
#[tokio::test(flavor = "multi_thread")]
async fn point_18_a_steward_that_signs_two_scores_of_a_record_stops_no_epoch() -> Result<()> {
    let world = World::start(&[1, 3]).await?;
    let (mut apart, mut all) = (BTreeMap::new(), BTreeSet::new());
    for n in 1..=40 {
        let ada = world.member(n).await?;
        let id = world.contribute(&[(&ada, world.record(n.into()).await?)]).await?[0];
        all.insert(id);
        if let Some(honest) = told_apart(&world, id).await? {
            apart.insert(honest, id);
        }
        if apart.len() == 2 {
            break;
        }
    }
    assert_eq!(apart.keys().copied().collect::<Vec<_>>(), [1, 3], "each honest steward was told apart once");
    let before = bonds(&world).await?;
    // Who said two things said nothing: another stood in, and every record entered, on a slow machine an epoch or two later.
    let missing = async |seat| -> Result<Vec<ContributionId>> {
        let entered = world.steward(seat).store.entered_ids().await?;
        Ok(all.iter().filter(|id| !entered.contains(id)).copied().collect())
    };
    for epoch in 1..=4 {
        assert!(first_proposed(&world, epoch).await? < M);
        world.settled_at(&[1, 3], epoch).await?;
        world.final_by_time(epoch).await?;
        if epoch > 1 && missing(1).await?.is_empty() && missing(3).await?.is_empty() {
            break;
        }
    }
    assert_eq!([missing(1).await?, missing(3).await?], [[], []]);
    assert_eq!((bonds(&world).await?, slashes(&world).await?), (before, U256::ZERO));
    Ok(())
}

/// A sheet is sealed to the keys in force when it is made, and made once an attempt. A key may be replaced as often as its steward likes.
#[tokio::test(flavor = "multi_thread")]
async fn point_18_a_steward_that_replaces_its_key_again_and_again_stops_no_epoch() -> Result<()> {
    let mut world = World::start(&[1, 3]).await?;
    world.member(1).await?;
    world.down(1).await?;
    // Steward 3 proposes attempt 1, and steward 1 is about to look.
    world.attempt(1, 1).await?;
    let made = async || {
        world.coop.local.mine(1).await?;
        Ok(!world.steward(3).store.sheets::<SheetMessage>(Epoch(1)).await?.is_empty())
    };
    world.until("a sheet", made).await?;
    let (key, committee) = (role_key("steward-2"), world.coop.manifest.addresses.steward_committee);
    let mut previous = world.sealing_of(2).0;
    for n in 1..=3u8 {
        let next = B256::repeat_byte(n);
        let said = eip712::SealingKey { generation: 1, sealingKey: next, previous };
        let signature = eip712::sign(&key, &said, &world.coop.manifest.committee_domain())?;
        let call = StewardCommittee::rotateSealingKeyCall { stewardId_: 2, sealingKey: next, signature };
        world.coop.relayer.send(committee, &call).await?;
        previous = next;
    }
    world.up(1).await?;
    let proposed = async || {
        world.coop.local.mine(1).await?;
        Ok(world.header(1).await.is_ok())
    };
    world.until("a proposal", proposed).await?;
    assert_eq!(world.header(1).await?.attempt, 1);
    world.settled_at(&[1, 3], 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_open_a_sheet_outlast_their_overlap_until_it_is_taken_over() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    let founding: Vec<B256> =
        world.steward(1).at_head().await?.latest.seats.iter().map(|seat| seat.sealing_key).collect();
    // Keys are replaced as soon as the epoch is over, and sheets are made later: a copy may be sealed to the key before.
    world.coop.local.time_to(world.coop.manifest.schedule().end(Epoch(1)) + 1, 3).await?;
    world
        .until("keys that are replaced", async || {
            world.coop.local.mine(1).await?;
            let rows = world.steward(1).store.sealing_keys().await?;
            Ok(rows.iter().any(|row| row.public == founding[0] && row.retired.is_some()))
        })
        .await?;
    world.attempt(1, 0).await?;
    world.until("a proposal", async || Ok(world.header(1).await.is_ok())).await?;
    // Nobody takes it over: its block is not final, and then everybody is busy for two days.
    let stewards: Vec<_> = (1..=3).map(|seat| world.steward(seat).clone()).collect();
    let mut busy = Vec::new();
    for steward in &stewards {
        busy.push(steward.settling.lock().await);
        assert_eq!(steward.store.settled().await?, Epoch(0));
    }
    for wait in [1, 2 * 86_400] {
        world.coop.local.time_to(world.now().await? + wait, 3).await?;
        for steward in &stewards {
            let mirror = steward.at_head().await?;
            steward.rotate_round(&mirror).await?;
            let mirror = steward.at_head().await?;
            steward.rotate_round(&mirror).await?;
        }
    }
    for (steward, founding) in stewards.iter().zip(&founding) {
        let rows = steward.store.sealing_keys().await?;
        assert!(rows.iter().any(|row| row.public == *founding), "what the sheet may be sealed to is kept");
    }
    let alarms = async || stewards[0].alarms(&*stewards[0].at_head().await?, StewardId(1)).await;
    let said = alarms().await?;
    assert!(
        said.iter().any(|alarm| alarm.contains("epoch 1 is final") && alarm.contains("not taken over")),
        "{said:?}"
    );
    drop(busy);
    world.settled(1).await?;
    let said = alarms().await?;
    assert!(!said.iter().any(|alarm| alarm.contains("epoch 1 is final")), "{said:?}");
    world
        .until("the end of the first keys", async || {
            world.coop.local.mine(1).await?;
            let rows = world.steward(1).store.sealing_keys().await?;
            Ok(rows.iter().all(|row| row.public != founding[0]))
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_of_an_attempt_that_is_over_is_signed_by_nobody() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    world.attempt(1, 0).await?;
    let (message, _) = honest_sheet(&mut world).await?;
    world.attempt(1, message.attempt + 1).await?;
    let refused = send(&world, 1, &message).await.unwrap_err();
    assert!(refused.to_string().contains("is over"), "{refused}");
    Ok(())
}
