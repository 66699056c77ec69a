//! Point 1: who gets a share for scoring, who does not, and what the record's member sees of it.

use alloy::primitives::B256;
use anyhow::{Context as _, Result};
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::contribution::{ScoreMessage, ScoringAnswer, ScoringShares, ScoringSharesRequest};
use rochdale_api::custody::{
    HELD_PAGE, HeldContribution, HeldReport, HeldRequest, Opening, OpeningReason, OpeningsRequest,
};
use rochdale_api::member::Sealed;
use rochdale_api::route::steward::{self, Access};
use rochdale_api::route::{self, Route};
use rochdale_chain::eip712;
use rochdale_core::ids::{ContributionId, MemberId, StewardId};
use rochdale_core::score;
use rochdale_crypto::SealingKeyPair;
use rochdale_crypto::sealing::{self, OpeningsContext};
use rochdale_node::sealed;
use rochdale_steward::scoring::drawn;
use rochdale_testkit::anvil::role_key;

use crate::world::{TestMember, World};

/// A cooperative whose stewards hold shares but score nothing themselves, so that the test decides who scores what.
async fn idle() -> Result<World> {
    let mut world = World::start(&[]).await?;
    for config in &mut world.configs {
        config.scoring.max_blob_bytes = 1;
    }
    for seat in 1..=3 {
        world.up(seat).await?;
    }
    Ok(world)
}

fn key(seat: StewardId) -> alloy::signers::local::PrivateKeySigner {
    role_key(&format!("steward-{seat}"))
}

fn scored(world: &World, seat: StewardId, contribution: ContributionId, quality: u16) -> Result<ScoreMessage> {
    let said = eip712::Score {
        contributionId: contribution.0,
        quality,
        uniqueness: 10_000,
        authenticity: 3_000,
        rarity: 10_000,
        rubricHash: score::rubric_hash(),
        sketch: B256::with_last_byte(u8::try_from(contribution.0)?),
    };
    Ok(ScoreMessage {
        contribution_id: contribution,
        signer: key(seat).address(),
        quality,
        uniqueness: said.uniqueness,
        authenticity: said.authenticity,
        rarity: said.rarity,
        rubric_hash: said.rubricHash,
        sketch: said.sketch,
        signature: eip712::sign(&key(seat), &said, &world.coop.manifest.committee_domain())?,
    })
}

/// Posts as a steward what only another one reads.
async fn post<Q: serde::Serialize, A: serde::de::DeserializeOwned>(
    world: &World,
    to: StewardId,
    from: StewardId,
    route: Route<route::Sealed<Q>, A, Access>,
    body: &Q,
) -> Result<A, ClientError> {
    let now = world.now().await.unwrap();
    sealed::post(&world.client(to.0, &key(from)), world.sealing_of(to.0), route, body, now).await
}

/// Tells a score to every steward.
async fn tell(world: &World, seat: StewardId, contribution: ContributionId, quality: u16) -> Result<()> {
    let message = vec![scored(world, seat, contribution, quality)?];
    for to in 1..=3 {
        let () = post(world, StewardId(to), seat, steward::SCORES, &message).await?;
    }
    Ok(())
}

async fn ask(
    world: &World,
    of: StewardId,
    scorer: StewardId,
    contribution: ContributionId,
    scores: Vec<ScoreMessage>,
) -> Result<ScoringAnswer, ClientError> {
    let reply_key = SealingKeyPair::random(&mut rand::rng()).public().0;
    let request = ScoringSharesRequest { contributions: vec![contribution], scores, reply_key };
    let answers: ScoringShares = post(world, of, scorer, steward::SHARES, &request).await?;
    Ok(answers.into_iter().next().unwrap())
}

/// Whether `of` gives `scorer` its share; a refusal must be for the turn.
async fn gets(world: &World, of: StewardId, scorer: StewardId, contribution: ContributionId) -> Result<bool> {
    match ask(world, of, scorer, contribution, Vec::new()).await? {
        ScoringAnswer::Released { .. } => Ok(true),
        ScoringAnswer::Refused { code, reason, .. } => {
            assert_eq!(code, ProblemCode::Forbidden, "{reason}");
            Ok(false)
        }
    }
}

async fn order(world: &World, contribution: ContributionId) -> Result<[StewardId; 3]> {
    let mirror = world.steward(1).at_head().await?;
    let finalized = mirror.finalized();
    let recorded = finalized.contributions.get(&contribution).context("it is not final")?;
    Ok(drawn(finalized, recorded).try_into().unwrap())
}

async fn log(world: &World, seat: StewardId, n: u32, member: MemberId) -> Result<Vec<Opening>> {
    let reply = SealingKeyPair::random(&mut rand::rng());
    let request = OpeningsRequest { reply_key: reply.public().0 };
    let client = world.client(seat.0, &world.coop.member_key(n));
    let answer: Sealed = client.post_signed(steward::OPENINGS.at(member), &request, world.now().await?).await?;
    let context = OpeningsContext {
        chain_id: world.coop.manifest.chain_id,
        committee: world.coop.manifest.addresses.steward_committee,
        member,
        index: seat,
    };
    let opened = sealing::open_as(&reply, &context, &rochdale_crypto::Sealed(answer.sealed))?;
    Ok(serde_json::from_slice(&opened)?)
}

async fn wait_attempts(world: &World, attempts: u64) -> Result<()> {
    let length = u64::from(world.coop.manifest.settlement.attempt_length);
    world.coop.local.time_to(world.now().await? + attempts * length, 3).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn point_1_shares_go_to_whose_turn_it_is_and_to_nobody_once_scores_agree() -> Result<()> {
    let world = idle().await?;
    let mut members = Vec::new();
    for n in 1..=3 {
        members.push((world.member(n).await?, world.record(n.into()).await?));
    }
    let records: Vec<_> = members.iter().map(|(member, record)| (member, record.clone())).collect();
    let ids = world.contribute(&records).await?;
    let (agreed, differing, silent) = (ids[0], ids[1], ids[2]);

    // The two that were drawn, at once; the third not.
    for id in &ids {
        let [first, second, third] = order(&world, *id).await?;
        assert!(gets(&world, first, second, *id).await? && gets(&world, second, first, *id).await?);
        assert!(!gets(&world, first, third, *id).await?, "contribution {id}");
        let log = log(&world, first, u32::try_from(id.0)?, MemberId(u32::try_from(id.0)?)).await?;
        assert_eq!(log.len(), 1);
        let line = &log[0];
        assert_eq!(
            (line.contribution_id, line.scorer, line.reason, line.times),
            (*id, second, OpeningReason::Drawn, 1)
        );
    }

    // Once scores agree, nobody, however long they wait.
    let [first, second, third] = order(&world, agreed).await?;
    tell(&world, first, agreed, 5_000).await?;
    assert!(!gets(&world, second, first, agreed).await?, "who scored needs it no more");
    tell(&world, second, agreed, 5_000).await?;
    for scorer in [first, second, third] {
        for of in [first, second, third].into_iter().filter(|of| *of != scorer) {
            assert!(!gets(&world, of, scorer, agreed).await?);
        }
    }

    // Two signed scores that differ are the third's need; it may bring them itself, but not make them up.
    let [first, second, third] = order(&world, differing).await?;
    let forged = ScoreMessage { signer: key(second).address(), ..scored(&world, third, differing, 6_000)? };
    let refused = ask(&world, first, third, differing, vec![scored(&world, first, differing, 5_000)?, forged]).await;
    assert_eq!(refused.unwrap_err().code(), ProblemCode::SealBroken);
    assert!(!gets(&world, first, third, differing).await?);
    let evidence = vec![scored(&world, first, differing, 5_000)?, scored(&world, second, differing, 6_000)?];
    let given = ask(&world, first, third, differing, evidence).await?;
    assert!(matches!(given, ScoringAnswer::Released { .. }), "{given:?}");
    let lines = log(&world, first, 2, MemberId(2)).await?;
    assert!(lines.iter().any(|line| (line.scorer, line.reason) == (third, OpeningReason::ScoresDiffer)), "{lines:?}");

    // An attempt of silence: the third stands in, and no longer than it is needed.
    let [first, second, third] = order(&world, silent).await?;
    tell(&world, first, silent, 5_000).await?;
    assert!(!gets(&world, second, third, silent).await?);
    wait_attempts(&world, 1).await?;
    assert!(gets(&world, first, third, silent).await?);
    tell(&world, third, silent, 5_000).await?;
    for attempts in [0, 1, 10] {
        wait_attempts(&world, attempts).await?;
        for scorer in [first, second, third] {
            for of in [first, second, third].into_iter().filter(|of| *of != scorer) {
                for id in [agreed, silent] {
                    assert!(!gets(&world, of, scorer, id).await?, "contribution {id}, {attempts} attempts later");
                }
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn point_1_what_entered_the_ledger_is_opened_for_nobody() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let id = world.contribute(&[(&ada, world.record(1).await?)]).await?[0];
    world.scored(1).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let [first, second, third] = order(&world, id).await?;
    for seat in 1..=3u8 {
        // A steward that lost the scores still knows that they entered.
        let file = world.configs[usize::from(seat) - 1].data_dir.join("steward.db");
        let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display())).await?;
        sqlx::query("DELETE FROM scores").execute(&pool).await?;
        pool.close().await;
    }
    for scorer in [first, second, third] {
        for of in [first, second, third].into_iter().filter(|of| *of != scorer) {
            assert!(!gets(&world, of, scorer, id).await?);
        }
    }
    // Those who scored it stand in each other's log and in their own.
    for (seat, other) in [(first, second), (second, first)] {
        let scorers: Vec<StewardId> = log(&world, seat, 1, ada.id).await?.iter().map(|line| line.scorer).collect();
        assert!(scorers.contains(&seat) && !scorers.contains(&third), "{scorers:?}");
        assert!(scorers.contains(&other) || log(&world, third, 1, ada.id).await?.iter().any(|l| l.scorer == other));
    }
    Ok(())
}

/// What each steward holds of a member, with its shares of these records.
async fn held(world: &World, member: &TestMember, of: &[ContributionId]) -> Result<Vec<HeldReport>> {
    let (site, mut reports) = (world.site(), Vec::new());
    for seat in 1..=3 {
        let reply = SealingKeyPair::random(&mut rand::rng());
        let request = HeldRequest { reply_key: reply.public().0, contributions: of.to_vec() };
        let client = world.client(seat, &member.key);
        let answer = client.post_signed(steward::HELD.at(member.id), &request, world.now().await?).await?;
        reports.push(rochdale_client::held::open(&site, member.id, StewardId(seat), &reply, answer)?);
    }
    Ok(reports)
}

fn of_record(reports: &[HeldReport], id: ContributionId) -> Vec<&HeldContribution> {
    reports.iter().filter_map(|report| report.contributions.iter().find(|c| c.contribution_id == id)).collect()
}

fn blob(world: &World, held: &[&HeldContribution]) -> Vec<u8> {
    let digest = held[0].record.as_ref().unwrap().blob_digest;
    world.blob(&rochdale_crypto::Cid::from_sha256(digest.0).to_string()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_opens_its_own_record_which_the_log_shows_and_nobody_after_an_erasure() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, bo) = (world.member(1).await?, world.member(2).await?);
    let record = world.record(1).await?;
    let ids = world.contribute(&[(&ada, record.clone()), (&bo, world.record(2).await?)]).await?;
    let site = world.site();
    let owners = async |n| -> Result<Vec<Opening>> {
        let mut lines = Vec::new();
        for seat in 1..=3 {
            lines.extend(log(&world, StewardId(seat), n, MemberId(n)).await?);
        }
        Ok(lines.into_iter().filter(|line| line.reason == OpeningReason::Owner).collect())
    };

    // Without being asked for a record no share leaves; another's record is in nobody's report, and named it changes nothing.
    for reports in [held(&world, &ada, &[]).await?, held(&world, &ada, &ids[1..]).await?] {
        for report in &reports {
            assert_eq!(report.contributions.len(), 1, "{report:?}");
            assert!(report.contributions[0].record.as_ref().unwrap().share.is_none(), "{report:?}");
            assert_eq!(report.consents.len(), 1);
            assert_eq!(report.consents[0].secret.as_ref().unwrap().receipt.principal, ada.id);
        }
    }
    assert!(owners(1).await?.is_empty() && owners(2).await?.is_empty());

    let mut reports = held(&world, &ada, &ids[..1]).await?;
    let found = of_record(&reports, ids[0]);
    let sealed = blob(&world, &found);
    let opened = rochdale_client::held::open_record(&site, ada.id, &found, &sealed)?;
    assert_eq!(*opened, record);
    let lines = owners(1).await?;
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines.iter().all(|line| line.account == ada.key.address() && line.scorer.0 == 0 && line.times == 1));

    // One share that is another's keeps nothing from being opened; two do.
    let spoil = |report: &mut HeldReport| {
        let share = report.contributions[0].record.as_mut().unwrap().share.as_mut().unwrap();
        let mut bytes = share.share.to_vec();
        bytes[1] ^= 1;
        share.share = bytes.into();
    };
    spoil(&mut reports[1]);
    let open = |reports: &[HeldReport], sealed: &[u8]| {
        rochdale_client::held::open_record(&site, ada.id, &of_record(reports, ids[0]), sealed)
    };
    assert_eq!(*open(&reports, &sealed)?, record);
    assert!(open(&reports, &sealed[1..]).unwrap_err().to_string().contains("not the one that was contributed"));
    spoil(&mut reports[2]);
    let said = open(&reports, &sealed).unwrap_err().to_string();
    assert!(said.contains("1 of 3 stewards gave a share that fits, 2 are needed"), "{said}");

    let many = HeldRequest { reply_key: B256::repeat_byte(9), contributions: vec![ids[0]; HELD_PAGE + 1] };
    let refused: Result<Sealed, _> =
        world.client(1, &ada.key).post_signed(steward::HELD.at(ada.id), &many, world.now().await?).await;
    assert_eq!(refused.unwrap_err().code(), ProblemCode::TooLarge);

    // Who left still has what is theirs; who erased has nothing more.
    world.leave(&ada).await?;
    let reports = held(&world, &ada, &ids[..1]).await?;
    assert_eq!(*open(&reports, &sealed)?, record);
    world.erase(&bo).await?;
    for report in held(&world, &bo, &ids[1..]).await? {
        assert!(report.contributions[0].erased && report.contributions[0].record.is_none(), "{report:?}");
    }
    Ok(())
}
