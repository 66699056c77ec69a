//! The invariant of settlement: whatever one member and k − 1 stewards do, some epoch becomes final within m attempts, and
//! no honest bond is slashed. Here k = 2 of 3: steward 2 is played by the test, which has its keys and signs what it likes.

use alloy::primitives::{B256, Bytes, U256};
use anyhow::Result;
use rochdale_api::client::ClientError;
use rochdale_api::contribution::ScoreMessage;
use rochdale_api::settlement::{Sheet, SheetAnswer, SheetMessage};
use rochdale_chain::bindings::{Disputes, StewardCommittee};
use rochdale_core::commit;
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, StewardId};
use rochdale_core::ledger::{DemandKind, Header};
use rochdale_crypto::sealing::{self, SheetContext};
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
    ]
}

async fn send(world: &World, to: u8, message: &SheetMessage) -> Result<SheetAnswer, ClientError> {
    let client = world.client(to, &role_key("steward-2"));
    client.post_signed("/v1/settlement/sheets", message, world.now().await.unwrap()).await
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

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_open_a_sheet_outlast_their_overlap_until_it_is_taken_over() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    let founding: Vec<B256> =
        world.steward(1).at_head().await?.latest.seats.iter().map(|seat| seat.sealing_key).collect();
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
