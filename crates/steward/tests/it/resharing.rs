//! Shares follow the committee: whoever is seated opens what members dealt to others, and no member is asked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes};
use alloy::sol_types::SolStruct as _;
use anyhow::{Context as _, Result, ensure};
use axum::extract::State;
use axum::routing::post;
use rochdale_api::reshare::{HeldDeal, HeldWord, RecordAsked, RecordDealt, Redealt, ReshareAnswer, ReshareRequest};
use rochdale_api::route::steward as route;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::ManualClock;
use rochdale_chain::eip712;
use rochdale_client::statement;
use rochdale_core::ids::{ContributionId, StewardId};
use rochdale_crypto::sealing::{self, ReshareContext};
use rochdale_crypto::{Cid, Deal, RecordSecret, SealingPublicKey, Share, envelope, sharing};
use rochdale_node::sealed::{self as sealed, SealedBody};
use rochdale_steward::http::App;
use rochdale_steward::record::Held;
use rochdale_steward::steward::Steward;
use rochdale_steward::store::RedealtRow;
use rochdale_testkit::anvil::role_key;
use tokio::sync::Barrier;

use crate::lying::{front, reaches};
use crate::wire::between;
use crate::world::World;

async fn held(steward: &Steward, id: ContributionId) -> Result<Held> {
    let mirror = steward.at_head().await?;
    let contribution = mirror.latest.contributions.get(&id).context("it is not on chain")?;
    Ok(steward.needed_record_of(contribution).await?)
}

/// What the shares of these seats come to.
async fn opened(world: &World, seats: &[u8], id: ContributionId) -> Result<Vec<u8>> {
    let (mut shares, first) = (Vec::new(), held(world.steward(seats[0]), id).await?);
    for seat in seats {
        let held = held(world.steward(*seat), id).await?;
        ensure!(held.deal == first.deal, "seat {seat} has a share of another sharing");
        shares.push(world.steward(*seat).share_of(&held).await?.context("no share of this committee")?);
    }
    let secret = sharing::combine(&first.deal, &shares)?;
    let blob = world.blob(&Cid::from_sha256(first.row.blob_digest.0).to_string()).context("no blob")?;
    Ok(envelope::open(&secret, first.header.context(), &blob)?.to_vec())
}

/// Waits until these seats open a record: of two sharings that as many hold, they go over to one.
async fn opens(world: &World, seats: &[u8], id: ContributionId, record: &[u8]) -> Result<()> {
    let what = format!("seats {seats:?} to open record {id}");
    world.until(&what, async || Ok(opened(world, seats, id).await.is_ok_and(|opened| opened == record))).await
}

/// Waits until these seats have shares of the committee in office, of one sharing.
async fn reshared(world: &World, seats: &[u8], ids: &[ContributionId]) -> Result<()> {
    world
        .until("new shares", async || {
            world.coop.local.mine(1).await?;
            for id in ids {
                let mut deals = Vec::new();
                for seat in seats {
                    let generation = world.steward(*seat).at_head().await?.latest.generation;
                    let Ok(held) = held(world.steward(*seat), *id).await else { return Ok(false) };
                    let Some(row) = held.reshared.filter(|row| row.generation == generation) else { return Ok(false) };
                    deals.push(row.deal);
                }
                if deals.iter().any(|deal| *deal != deals[0]) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
}

/// Whether a process's database has these bytes somewhere.
fn on_disk(world: &World, process: u8, bytes: &[u8]) -> Result<bool> {
    let dir = &world.configs[usize::from(process) - 1].data_dir;
    for file in ["steward.db", "steward.db-wal"] {
        let found = std::fs::read(dir.join(file)).unwrap_or_default();
        if found.windows(bytes.len()).any(|window| window == bytes) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first sealed part of a deal, as it is written down.
fn written(row: &RedealtRow) -> Vec<u8> {
    alloy::hex::encode(&row.deal.parts[0]).into_bytes()
}

/// Two members' records at the founding committee of three.
async fn two_records() -> Result<(World, Vec<ContributionId>, Vec<Vec<u8>>)> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    let records = vec![world.record(1).await?, world.record(2).await?];
    let ids = world.contribute(&[(&ada, records[0].clone()), (&ben, records[1].clone())]).await?;
    Ok((world, ids, records))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wholly_new_committee_opens_every_record_while_its_member_is_offline() -> Result<()> {
    let (mut world, ids, records) = two_records().await?;
    let before = held(world.steward(1), ids[0]).await?;
    opens(&world, &[1, 2], ids[0], &records[0]).await?;
    world.reseat([4, 5, 6]).await?;
    reshared(&world, &[1, 2, 3], &ids).await?;
    for seats in [[1, 2], [1, 3], [2, 3]] {
        for (id, record) in ids.iter().zip(&records) {
            opens(&world, &seats, *id, record).await?;
        }
    }
    let after = held(world.steward(1), ids[0]).await?;
    assert_eq!(after.deal.points[0], before.deal.points[0], "what the member dealt is what is shared");
    assert_ne!(after.deal.points[1], before.deal.points[1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn committees_of_other_sizes_quorums_and_places_follow_each_other() -> Result<()> {
    let (mut world, ids, records) = two_records().await?;
    // Two votes in a row: nobody of the second committee ever ran.
    world.seat(&[4, 5, 6], 2).await?;
    for process in [1, 2] {
        world.process_down(process).await?;
    }
    world.seat(&[4, 2, 5, 6, 1], 3).await?;
    for seat in 1..=5 {
        world.up(seat).await?;
    }
    reshared(&world, &[1, 2, 3, 4, 5], &ids).await?;
    for seats in [[1, 2, 3], [3, 4, 5], [1, 3, 5]] {
        opens(&world, &seats, ids[1], &records[1]).await?;
    }
    assert!(opened(&world, &[2, 5], ids[1]).await.is_err(), "two are fewer than a quorum now");
    // Fewer again, at other places.
    world.seat(&[6, 1, 4], 2).await?;
    for seat in 1..=3 {
        world.up(seat).await?;
    }
    reshared(&world, &[1, 2, 3], &ids).await?;
    for seats in [[1, 2], [2, 3], [1, 3]] {
        opens(&world, &seats, ids[0], &records[0]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_down_takes_its_share_when_it_returns_though_every_old_holder_is_gone() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let record = world.record(1).await?;
    let ids = world.contribute(&[(&ada, record.clone())]).await?;
    world.seat(&[4, 5, 6], 2).await?;
    for seat in [1, 2] {
        world.up(seat).await?;
    }
    reshared(&world, &[1, 2], &ids).await?;
    opens(&world, &[1, 2], ids[0], &record).await?;
    world
        .until("word of who is silent", async || {
            let alarm = world.steward(1).reshare_alarm();
            Ok(alarm.is_some_and(|alarm| alarm.contains("steward 3 did not say that it holds")))
        })
        .await?;
    for process in [1, 2, 3] {
        world.process_down(process).await?;
    }
    world.up(3).await?;
    reshared(&world, &[1, 2, 3], &ids).await?;
    for seats in [[1, 3], [2, 3]] {
        opens(&world, &seats, ids[0], &record).await?;
    }
    Ok(())
}

/// A deal of the first process to the second generation, as that process would sign it, of whatever is dealt.
async fn forged(world: &World, id: ContributionId, deal: impl FnOnce(&Share) -> Deal) -> Result<RedealtRow> {
    let row = signed_by_first(world, id, 1, [4, 5, 6], deal).await?;
    assert!(world.process(1).store.put_redealt(&row).await?);
    Ok(row)
}

/// As the first process would sign it, of the share of one of the first three.
async fn signed_by_first(
    world: &World,
    id: ContributionId,
    of: u8,
    to: [u8; 3],
    deal: impl FnOnce(&Share) -> Deal,
) -> Result<RedealtRow> {
    let liar = world.process(1);
    let held = held(world.process(of), id).await?;
    let share = world.process(of).share_of(&held).await?.context("no share")?;
    let dealt = deal(&share);
    let context = held.header.context();
    let mut parts = Vec::new();
    for (part, process) in dealt.shares.iter().zip(to) {
        let context = ReshareContext {
            chain_id: context.chain_id,
            registry: context.registry,
            member: context.member,
            header_hash: held.header.hash(),
            generation: 2,
            source: held.deal.hash(),
            dealer: StewardId(of),
            index: part.index(),
        };
        let key: SealingPublicKey = world.first_sealing_key(process);
        parts.push(sealing::seal_redealt(&key, &context, part, &mut rand::rng())?.0);
    }
    let mut deal = Redealt {
        commitment: held.row.commitment,
        generation: 2,
        source_seats: 3,
        source: held.deal.points.clone(),
        dealer: StewardId(of),
        account: liar.address(),
        deal: dealt.commitments.points,
        parts,
        signature: Bytes::new(),
    };
    let statement = statement::reshare_deal(&deal);
    deal.signature = eip712::sign(&role_key("steward-1"), &statement, &world.coop.manifest.committee_domain())?;
    let (digest, member, source) = (statement.eip712_hash_struct(), held.row.member, held.deal.hash());
    Ok(RedealtRow { digest, member, source, deal, wrapped: Vec::new() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_old_steward_costs_its_own_deal_and_nothing_else() -> Result<()> {
    let (mut world, ids, records) = two_records().await?;
    // Of the first record it deals another secret; of the second its share, but seat 2 a part that lies on nothing.
    let other = RecordSecret::random(&mut rand::rng());
    let refused = forged(&world, ids[0], |_| sharing::deal(&other, 2, 3, &mut rand::rng()).unwrap()).await?;
    let half_good = forged(&world, ids[1], |share| {
        let mut deal = sharing::redeal(share, 2, 3, &mut rand::rng()).unwrap();
        let elsewhere = sharing::redeal(share, 2, 3, &mut rand::rng()).unwrap();
        deal.shares[1] = elsewhere.shares[1].clone();
        deal
    })
    .await?;
    world.reseat([4, 5, 6]).await?;
    reshared(&world, &[1, 2, 3], &ids).await?;
    for seats in [[1, 2], [1, 3], [2, 3]] {
        for (id, record) in ids.iter().zip(&records) {
            opens(&world, &seats, *id, record).await?;
        }
    }
    for seat in [1, 2, 3] {
        let store = &world.steward(seat).store;
        let of_first = store.redealt(refused.deal.commitment, 2).await?;
        assert!(of_first.iter().all(|row| row.deal.account != refused.deal.account), "seat {seat} took another secret");
        let of_second = store.redealt(half_good.deal.commitment, 2).await?;
        let kept = of_second.iter().find(|row| row.digest == half_good.digest).context("it was not taken")?;
        assert_eq!(kept.wrapped.is_empty(), seat == 2, "seat {seat}");
        let words = store.held_words(half_good.deal.commitment, 2).await?;
        let says = |word: &HeldWord| word.deals.iter().any(|deal| deal.deal == half_good.digest);
        let bad_to = world.steward(2).address();
        assert!(words.iter().all(|word| says(word) == (word.steward != bad_to)), "{words:?}");
    }
    Ok(())
}

/// It had the first place of a committee, and has the second of one as large: alone it would make up a sharing of as many as two.
#[tokio::test(flavor = "multi_thread")]
async fn one_account_deals_from_one_place_of_a_sharing() -> Result<()> {
    let (mut world, ids, records) = two_records().await?;
    let second =
        signed_by_first(&world, ids[0], 2, [4, 1, 5], |share| sharing::redeal(share, 2, 3, &mut rand::rng()).unwrap())
            .await?;
    world.seat(&[4, 1, 5], 2).await?;
    world.up(2).await?;
    let own = async |world: &World, seat: u8| {
        let rows = world.steward(seat).store.redealt(second.deal.commitment, 2).await?;
        let own = rows.iter().filter(|row| row.deal.account == second.deal.account);
        Ok::<_, anyhow::Error>(own.map(|row| row.deal.dealer).collect::<Vec<_>>())
    };
    world
        .until("its own deal", async || {
            world.coop.local.mine(1).await?;
            Ok(own(&world, 2).await? == [StewardId(1)])
        })
        .await?;
    assert!(world.steward(2).store.put_redealt(&second).await?);
    for seat in [1, 3] {
        world.up(seat).await?;
    }
    reshared(&world, &[1, 2, 3], &ids).await?;
    for seat in [1, 3] {
        assert_eq!(own(&world, seat).await?.len(), 1, "seat {seat}");
        opens(&world, &[seat, 2], ids[0], &records[0]).await?;
    }
    Ok(())
}

/// How many deals each word of an account names that a seat knows.
async fn named(world: &World, seat: u8, id: ContributionId, account: Address) -> Result<Vec<usize>> {
    let steward = world.steward(seat);
    let commitment = held(steward, id).await?.row.commitment;
    let words = steward.store.held_words(commitment, 2).await?;
    Ok(words.iter().filter(|word| word.steward == account).map(|word| word.deals.len()).collect())
}

/// Nobody lies and no message is lost: a seat takes a deal after the others heard that it has none of it, and all of them go on to the
/// same shares.
#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_takes_a_deal_later_than_the_others_ends_with_their_shares() -> Result<()> {
    let (mut world, ids, records) = two_records().await?;
    world.seat(&[4, 5, 6], 2).await?;
    world.process_down(1).await?;
    let open = Arc::new(AtomicBool::new(true));
    let mut config = world.configs[5].clone();
    for url in config.peers.iter_mut().map(|peer| &mut peer.url).chain(config.former.iter_mut().map(|old| &mut old.url))
    {
        let gate = open.clone();
        let to = url.trim_start_matches("http://").parse()?;
        *url = between(to, move |_| gate.load(Ordering::SeqCst)).await?;
    }
    world.configs[5] = config;
    world.up(3).await?;
    let last = world.steward(3).address();
    let says = async |world: &World, seat: u8, account: Address, deals: usize| {
        world.coop.local.mine(1).await?;
        for id in &ids {
            if !named(world, seat, *id, account).await.is_ok_and(|named| named == [deals]) {
                return Ok(false);
            }
        }
        Ok(true)
    };
    world.until("the word of two deals", async || says(&world, 3, last, 2).await).await?;
    open.store(false, Ordering::SeqCst);
    world.process_up(1).await?;
    for seat in [1, 2] {
        world.up(seat).await?;
    }
    for seat in [1, 2] {
        let own = world.steward(seat).address();
        world.until("words of three deals", async || says(&world, seat, own, 3).await).await?;
        world.until("the last one's word", async || says(&world, seat, last, 2).await).await?;
        world
            .until("the end of its round", async || {
                world.coop.local.mine(1).await?;
                Ok(world.steward(seat).reshare_alarm().is_none())
            })
            .await?;
    }
    open.store(true, Ordering::SeqCst);
    world.until("the last one's word of three deals", async || says(&world, 3, last, 3).await).await?;
    reshared(&world, &[1, 2, 3], &ids).await?;
    for seats in [[1, 2], [1, 3], [2, 3]] {
        opens(&world, &seats, ids[0], &records[0]).await?;
    }
    Ok(())
}

/// What a liar says to each of two askers, once and to both at the same time; nothing of substance before, and nothing at all afterwards.
struct TwoFaces {
    says: Mutex<BTreeMap<Address, HeldWord>>,
    both: Barrier,
    is_over: AtomicBool,
}

impl TwoFaces {
    async fn answer(&self, asker: Address, request: &ReshareRequest) -> Result<ReshareAnswer, Problem> {
        let word = self.says.lock().unwrap().remove(&asker);
        if word.is_none() && self.is_over.load(Ordering::SeqCst) {
            return Err(Problem::new(ProblemCode::Internal, "nothing more is said"));
        }
        if word.is_some() {
            self.both.wait().await;
            self.is_over.store(true, Ordering::SeqCst);
            // By then both have answered each other.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let mut records = vec![RecordDealt::default(); request.records.len()];
        records[0].words.extend(word);
        Ok(ReshareAnswer { records })
    }
}

/// Two seats that heard different words of the third would else make shares of different deals, which open nothing together.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_steward_that_says_two_things_is_believed_by_nobody() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let record = world.record(1).await?;
    let id = world.contribute(&[(&ada, record.clone())]).await?[0];
    world.seat(&[4, 5, 6], 2).await?;
    let liar = role_key("steward-6");
    let steward = Steward::open(world.configs[5].clone(), Arc::new(ManualClock::default())).await?;
    let faces = Arc::new(TwoFaces { says: Mutex::default(), both: Barrier::new(2), is_over: AtomicBool::new(false) });
    let lies = faces.clone();
    let route = post(move |State(App(_)): State<App>, sealed: SealedBody<ReshareRequest>| async move {
        let answer = lies.answer(sealed.signer, &sealed.body).await;
        sealed.reply(answer)
    });
    let url = front(&steward, route::RESHARE.path, route).await?;
    for seat in [1, 2] {
        reaches(&mut world, 3 + seat, 3, &url);
        world.up(seat).await?;
    }
    reshared(&world, &[1, 2], &[id]).await?;
    let row = held(world.steward(1), id).await?.row;
    let here = world.steward(1).store.redealt(row.commitment, 2).await?;
    let deal = |row: &RedealtRow| HeldDeal { source: row.source, need: 2, dealer: row.deal.dealer, deal: row.digest };
    let mut deals: Vec<HeldDeal> = here.iter().map(deal).collect();
    deals.sort_unstable();
    assert_eq!(deals.len(), 3);
    let word = |deals: &[HeldDeal]| {
        let statement = statement::reshare_held(row.commitment, 2, deals);
        let signature = eip712::sign(&liar, &statement, &world.coop.manifest.committee_domain()).unwrap();
        HeldWord { steward: liar.address(), deals: deals.to_vec(), signature }
    };
    let said = [(1, word(&deals[..2])), (2, word(&deals[1..]))];
    faces.says.lock().unwrap().extend(said.map(|(seat, word)| (world.steward(seat).address(), word)));
    // A word that both may hear has them ask for more.
    for seat in [1, 2] {
        let asked = RecordAsked { contribution_id: id, have: Vec::new(), words: vec![word(&deals[1..2])] };
        let request = ReshareRequest { generation: 2, records: vec![asked] };
        let (client, now) = (world.client(seat, &liar), world.now().await?);
        let _: ReshareAnswer = sealed::post(&client, world.sealing_of(seat), route::RESHARE, &request, now).await?;
    }
    for seat in [1, 2] {
        world
            .until("both words at both", async || {
                world.coop.local.mine(1).await?;
                Ok(named(&world, seat, id, liar.address()).await? == [2, 2])
            })
            .await?;
    }
    for seat in [1, 2] {
        world
            .until("its name on the health page", async || {
                world.coop.local.mine(1).await?;
                Ok(world.steward(seat).reshare_alarm().is_some_and(|alarm| alarm.contains("steward 3 did not say")))
            })
            .await?;
    }
    reshared(&world, &[1, 2], &[id]).await?;
    opens(&world, &[1, 2], id, &record).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_brings_too_much_of_a_record_is_refused() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let id = world.contribute(&[(&ada, world.record(1).await?)]).await?[0];
    world.seat(&[4, 5, 6], 2).await?;
    world.up(1).await?;
    let steward = world.steward(1);
    world
        .until("its own word", async || {
            world.coop.local.mine(1).await?;
            Ok(named(&world, 1, id, steward.address()).await.is_ok_and(|named| named == [3]))
        })
        .await?;
    let commitment = held(steward, id).await?.row.commitment;
    let colleague = role_key("steward-5");
    let word = |steward: Address, deals: &[HeldDeal]| {
        let statement = statement::reshare_held(commitment, 2, deals);
        let signature = eip712::sign(&colleague, &statement, &world.coop.manifest.committee_domain()).unwrap();
        HeldWord { steward, deals: deals.to_vec(), signature }
    };
    let known = steward.store.held_words(commitment, 2).await?[0].deals.clone();
    let told = word(colleague.address(), &known[..1]);
    let bad = word(steward.address(), &known[..1]);
    let asked =
        |words: Vec<HeldWord>, have: usize| RecordAsked { contribution_id: id, have: vec![B256::ZERO; have], words };
    let says = async |records: Vec<RecordAsked>| {
        let (request, now) = (ReshareRequest { generation: 2, records }, world.now().await.unwrap());
        let (client, key) = (world.client(1, &colleague), world.sealing_of(1));
        let answer: Result<ReshareAnswer, _> = sealed::post(&client, key, route::RESHARE, &request, now).await;
        answer.map(|answer| answer.records.len()).map_err(|error| error.code())
    };
    assert_eq!(says(vec![asked(vec![told.clone(); 7], 0)]).await, Err(ProblemCode::TooLarge), "two words a seat");
    assert_eq!(says(vec![asked(Vec::new(), 257)]).await, Err(ProblemCode::TooLarge), "deals");
    assert_eq!(says(vec![asked(Vec::new(), 0), asked(Vec::new(), 0)]).await, Err(ProblemCode::TooLarge), "twice");
    assert_eq!(says(vec![asked(vec![bad, told.clone()], 0)]).await, Err(ProblemCode::Forbidden), "another's name");
    assert!(
        named(&world, 1, id, colleague.address()).await?.is_empty(),
        "nothing is taken after the first that is none"
    );
    assert_eq!(says(vec![asked(vec![told], 3)]).await, Ok(1));
    assert_eq!(named(&world, 1, id, colleague.address()).await?, [1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_during_resharing_reaches_old_and_new_holders_and_who_comes_later() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.seat(&[4, 5, 6], 2).await?;
    for seat in [1, 2] {
        world.up(seat).await?;
    }
    reshared(&world, &[1, 2], &ids).await?;
    let commitment = held(world.steward(1), ids[0]).await?.row.commitment;
    let kept = world.steward(1).store.redealt(commitment, 2).await?;
    assert_eq!(kept.len(), 3);
    assert!(on_disk(&world, 4, &written(&kept[0]))?);
    assert_eq!(world.process(1).store.share_count(ada.id).await?, 1, "old holders keep theirs until she erases");
    world.erase(&ada).await?;
    world.up(3).await?;
    world
        .until("everybody's word for the erasure", async || {
            world.coop.local.mine(1).await?;
            for process in 1..=6 {
                let steward = world.process(process);
                if steward.store.erasure(ada.id).await?.is_none_or(|row| row.signature.is_empty()) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
    for process in 1..=6 {
        let store = &world.process(process).store;
        assert_eq!(store.share_count(ada.id).await?, 0, "process {process}");
        assert!(store.redealt(commitment, 2).await?.is_empty() && store.held_words(commitment, 2).await?.is_empty());
        // What comes later of it is not kept.
        assert!(!store.put_redealt(&kept[0]).await?);
        for row in &kept {
            assert!(!on_disk(&world, process, &written(row))?, "process {process} keeps a deal");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_old_holders_are_told_of_before_it_is_too_late() -> Result<()> {
    let (mut world, ids, records) = two_records().await?;
    world.seat(&[4, 5, 6], 2).await?;
    for process in [2, 3] {
        world.process_down(process).await?;
    }
    for seat in 1..=3 {
        world.up(seat).await?;
    }
    let alarm = "of 2 records this steward has no share that a quorum holds; of one of them 1 good deals are here, 2 make a share";
    world
        .until("the alarm", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(1).reshare_alarm().is_some_and(|said| said.contains(alarm)))
        })
        .await?;
    world.process_up(2).await?;
    reshared(&world, &[1, 2, 3], &ids).await?;
    opens(&world, &[2, 3], ids[0], &records[0]).await?;
    world.process_up(3).await?;
    world
        .until("the end of the alarm", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(1).reshare_alarm().is_none())
        })
        .await
}
