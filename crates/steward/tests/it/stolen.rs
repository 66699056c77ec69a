//! A member records the commitment of another's record as its own. The chain takes it, since nobody there knows what is committed to;
//! no steward holds it for whoever is not named in the record's header.

use alloy::primitives::B256;
use anyhow::{Context as _, Result};
use rochdale_api::ProblemCode;
use rochdale_api::contribution::{ContributionPackage, ScoreMessage};
use rochdale_api::custody::Opening;
use rochdale_chain::eip712;
use rochdale_core::ids::ContributionId;
use rochdale_core::score;
use rochdale_crypto::RowKey;
use rochdale_testkit::anvil::role_key;

use crate::queries::YEAR;
use crate::world::{TestMember, World};

const COPY: ContributionId = ContributionId(1);
const OWN: ContributionId = ContributionId(2);

impl World {
    async fn record_as(&self, member: &TestMember, commitment: B256) -> Result<()> {
        self.coop.record(&[(&member.key, member.id, commitment)]).await?;
        Ok(())
    }

    /// A record that these stewards hold for `owner`, recorded by `thief` first.
    async fn stolen(&self, owner: &TestMember, thief: &TestMember, seats: &[u8]) -> Result<ContributionPackage> {
        let package = self.seal(owner, &self.record(1).await?).await?;
        for seat in seats {
            self.give(*seat, &package).await?;
        }
        self.record_as(thief, package.commitment).await?;
        self.record_as(owner, package.commitment).await?;
        self.coop.local.mine(3).await?;
        Ok(package)
    }

    async fn scored_by_two(&self, seats: &[u8], id: ContributionId) -> Result<()> {
        self.until("two scores", async || {
            self.coop.local.mine(1).await?;
            for seat in seats {
                if self.steward(*seat).store.scores_of(id).await?.len() < 2 {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
    }

    /// A score that a steward signs of whatever it likes.
    fn signed_score(&self, id: ContributionId, seat: u8) -> Result<ScoreMessage> {
        let said = eip712::Score {
            contributionId: id.0,
            quality: 10_000,
            uniqueness: 10_000,
            authenticity: 10_000,
            rarity: 10_000,
            rubricHash: score::rubric_hash(),
            sketch: B256::repeat_byte(seat),
        };
        let key = role_key(&format!("steward-{seat}"));
        let signature = eip712::sign(&key, &said, &self.coop.manifest.committee_domain())?;
        Ok(ScoreMessage {
            contribution_id: id,
            signer: key.address(),
            quality: said.quality,
            uniqueness: said.uniqueness,
            authenticity: said.authenticity,
            rarity: said.rarity,
            rubric_hash: said.rubricHash,
            sketch: said.sketch,
            signature,
        })
    }

    async fn opened(&self, member: &TestMember, seats: &[u8]) -> Result<Vec<Opening>> {
        let mut opened = Vec::new();
        for seat in seats {
            opened.extend(self.steward(*seat).store.openings(member.id).await?);
        }
        Ok(opened)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_recorded_first_is_scored_and_counted_for_its_owner_alone() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, eve) = (world.member(1).await?, world.member(2).await?);
    world.stolen(&ada, &eve, &[1, 2, 3]).await?;
    world.scored_by_two(&[1, 2, 3], OWN).await?;
    for seat in [1, 2, 3] {
        let steward = world.steward(seat);
        let mirror = steward.at_head().await?;
        let copy = mirror.latest.contributions.get(&COPY).context("Eve's is on chain")?;
        assert_eq!(copy.member, eve.id);
        // Also where a steward lies: no score and no sketch of it is kept.
        steward.take_scores(&mirror, &[world.signed_score(COPY, 3)?]).await?;
        assert!(steward.store.scores_of(COPY).await?.is_empty(), "steward {seat} keeps scores of the copy");
        assert!(steward.score_reasons(copy).await?.is_empty(), "steward {seat} tells Eve about Ada's record");
    }
    assert!(world.opened(&eve, &[1, 2, 3]).await?.is_empty(), "nobody opened anything of Eve's");
    let deferred = world.status(1).await?.deferred;
    assert!(deferred.iter().any(|(id, why)| *id == COPY && why.contains("holds no record")), "{deferred:?}");
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let entered = world.steward(1).store.entered().await?;
    let counted: Vec<_> = entered.iter().map(|row| (row.contribution, row.member, row.score.uniqueness)).collect();
    assert_eq!(counted, [(OWN, ada.id, 10_000)]);
    // Once Ada erases, nothing of her record is left under the other name either, and nothing comes back.
    world.erase(&ada).await?;
    world
        .until("the erasure", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(1).store.contributions().await?.is_empty())
        })
        .await?;
    let steward = world.steward(1);
    steward.take_scores(&*steward.at_head().await?, &[world.signed_score(COPY, 3)?]).await?;
    assert!(steward.store.scores_of(COPY).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_revoked_is_in_no_snapshot_and_no_release_under_another_name() -> Result<()> {
    let world = World::start(&[1, 2]).await?;
    let (ada, eve) = (world.member(1).await?, world.member(2).await?);
    world.stolen(&ada, &eve, &[1, 2]).await?;
    let license = world.license(1_000, YEAR).await?;
    let asked = world.order(license, 10_000_000).await?;
    assert_eq!(world.snapshot(1, &asked).await?.contributions, [OWN]);
    world.coop.revoke(&ada.key, ada.id).await?;
    world.coop.local.mine(3).await?;
    let asked = world.order(license, 10_000_000).await?;
    for seat in [1, 2] {
        assert!(world.snapshot(seat, &asked).await?.contributions.is_empty());
        let steward = world.steward(seat);
        let mirror = steward.at_head().await?;
        let copy = mirror.latest.contributions.get(&COPY).context("Eve's is on chain")?;
        let to = world.worker_sealing.public().0;
        let error = steward.release_share(&mirror, copy, to, asked.digest).await.unwrap_err();
        assert_eq!(error.code, ProblemCode::NotFound, "{error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_record_is_not_opened_again_because_another_recorded_it() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, eve) = (world.member(1).await?, world.member(2).await?);
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let commitment = world.steward(1).store.contributions().await?[0].commitment;
    let before = world.opened(&ada, &[1, 2, 3]).await?;
    world.record_as(&eve, commitment).await?;
    world.coop.local.mine(3).await?;
    world
        .until("a round with it", async || {
            world.coop.local.mine(1).await?;
            let mut all = true;
            for seat in [1, 2, 3] {
                all &= world.steward(seat).store.deferred().await?.iter().any(|(id, _)| *id == OWN);
            }
            Ok(all)
        })
        .await?;
    // Whoever may stand in for somebody silent does not open it either.
    world.stand_in().await?;
    for _ in 0..20 {
        world.coop.local.mine(1).await?;
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    }
    assert_eq!(world.opened(&ada, &[1, 2, 3]).await?, before);
    assert!(world.opened(&eve, &[1, 2, 3]).await?.is_empty());
    for seat in [1, 2, 3] {
        assert!(world.steward(seat).store.scores_of(OWN).await?.is_empty());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_missed_a_record_catches_up_on_it_although_another_recorded_it_first() -> Result<()> {
    let mut world = World::start(&[1, 2]).await?;
    let (ada, eve) = (world.member(1).await?, world.member(2).await?);
    let package = world.stolen(&ada, &eve, &[1, 2]).await?;
    world.up(3).await?;
    world
        .until("the record", async || {
            world.coop.local.mine(1).await?;
            let row = world.steward(3).store.contribution(package.commitment).await?;
            Ok(row.is_some_and(|row| row.member == ada.id))
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_key_that_was_offered_for_one_is_kept_for_nobody_else() -> Result<()> {
    let world = World::start(&[1]).await?;
    let row_key = RowKey::random(&mut rand::rng());
    world.offer(1, 1, &row_key, &row_key, &world.coop.registrar).await?;
    // The registrar admits another account with the same digest.
    let eve = world.admit_with(2, RowKey::from_bytes(*row_key.expose())).await?;
    let ada = world.admit_with(1, row_key).await?;
    world.coop.local.mine(3).await?;
    world
        .until("the key of who was offered", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(1).store.row_key(ada.id).await?.is_some())
        })
        .await?;
    assert!(world.steward(1).store.row_key(eve.id).await?.is_none());
    Ok(())
}
