//! Snapshots, the budget log, release; and who is refused, with the reason.

use alloy::primitives::{B256, Bytes, U256};
use anyhow::Result;
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::contribution::ShareAnswer;
use rochdale_api::member::{ErasureAttestation, Sealed as SealedAnswer};
use rochdale_api::query::{
    BudgetEntry, BudgetLog, CommitRequest, Countersignature, EntryRequest, QueryOrder, QueryRequest, ReleaseRequest,
    Shares, Snapshot, SnapshotRequest,
};
use rochdale_chain::eip712;
use rochdale_core::consent::Choice;
use rochdale_core::ids::{ContributionId, LicenseId, StewardId};
use rochdale_core::query::{Ask, Query};
use rochdale_crypto::sealing::{self, ShareContext, SnapshotContext};
use rochdale_crypto::{Commitments, Header, Sealed, sharing};
use rochdale_testkit::anvil::role_key;

use crate::world::{DATASET, PURPOSE, World};

const YEAR: u64 = 365 * 86_400;

fn query(rho: u64) -> Query {
    Query { version: 1, dataset: DATASET, cohort: Default::default(), ask: Ask::Count {}, rho }
}

/// A researcher's signed order.
fn order(world: &World, license: LicenseId, query: &Query, signer: &str, deadline: u64) -> QueryRequest {
    let order = QueryOrder {
        license_id: license,
        query_digest: query.digest().unwrap(),
        rho: query.rho,
        purpose: PURPOSE,
        nonce: B256::new(rand::random()),
        deadline,
    };
    let message = eip712::QueryOrder {
        licenseId: license.0,
        queryDigest: order.query_digest,
        rho: order.rho,
        purpose: PURPOSE.0,
        nonce: order.nonce,
        deadline: U256::from(deadline),
    };
    let domain = world.coop.manifest.committee_domain();
    let signature = eip712::sign(&role_key(signer), &message, &domain).unwrap();
    QueryRequest { query: query.clone(), order, signature }
}

fn entry(index: u64, previous: B256, snapshot: &Snapshot, request: &QueryRequest) -> EntryRequest {
    let order = &request.order;
    let entry = BudgetEntry {
        index,
        previous,
        query_digest: order.query_digest,
        snapshot: snapshot.digest,
        license_id: order.license_id,
        purpose: order.purpose,
        rho: order.rho,
        deadline: order.deadline,
    };
    EntryRequest { entry, cut: snapshot.cut, request: request.clone() }
}

fn struct_hash(entry: &BudgetEntry) -> B256 {
    eip712::hash_struct(&message(entry))
}

fn message(entry: &BudgetEntry) -> eip712::BudgetEntry {
    eip712::BudgetEntry {
        index: entry.index,
        previous: entry.previous,
        queryDigest: entry.query_digest,
        snapshot: entry.snapshot,
        licenseId: entry.license_id.0,
        purpose: entry.purpose.0,
        rho: entry.rho,
        deadline: U256::from(entry.deadline),
    }
}

impl World {
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        seat: u8,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, ClientError> {
        let now = self.coop.chain.now().await.unwrap();
        self.client(seat, &self.coop.worker).post_signed(path, body, now).await
    }

    async fn snapshot(&self, seat: u8, license: LicenseId) -> Result<Snapshot> {
        let cut = self.coop.chain.head().await?.finalized.hash;
        let request = SnapshotRequest { license_id: license, cut };
        let sealed: SealedAnswer = self.ask(seat, "/v1/snapshots", &request).await?;
        let context = SnapshotContext {
            chain_id: self.coop.manifest.chain_id,
            registry: self.coop.manifest.addresses.contribution_registry,
            license,
            cut,
            index: StewardId(seat),
        };
        let json = sealing::open_as(&self.worker_sealing, &context, &Sealed(sealed.sealed))?;
        Ok(serde_json::from_slice(&json)?)
    }

    async fn commit(&self, asked: &EntryRequest, seats: &[u8]) -> Result<BudgetLog> {
        let mut countersignatures: Vec<Countersignature> = Vec::new();
        for seat in seats {
            countersignatures.push(self.ask(*seat, "/v1/budget/entries", asked).await?);
        }
        let request = CommitRequest { entry: asked.entry.clone(), countersignatures };
        let mut log = BudgetLog::default();
        for seat in seats {
            log = self.ask(*seat, "/v1/budget/commit", &request).await?;
        }
        Ok(log)
    }

    async fn release(&self, seat: u8, index: u64, ids: &[ContributionId]) -> Result<Shares, ClientError> {
        let request = ReleaseRequest { index, contributions: ids.to_vec() };
        self.ask(seat, "/v1/release", &request).await
    }
}

fn refusal(answer: &ShareAnswer) -> (ProblemCode, &str) {
    match answer {
        ShareAnswer::Refused { code, reason, .. } => (*code, reason),
        ShareAnswer::Released { contribution_id, .. } => panic!("{contribution_id} was released"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_are_released_for_a_committed_entry_until_consent_falls() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let (ada, ben, eve) = (world.member(1).await?, world.member(2).await?, world.member(3).await?);
    let package = world.seal(&ada, b"to check the way of a share").await?;
    let record = world.record(1).await?;
    let ids = world.contribute(&[(&ada, record.clone()), (&ben, record.clone()), (&eve, record)]).await?;
    drop(package);
    let license = world.license(1_000, YEAR).await?;
    let snapshot = world.snapshot(1, license).await?;
    assert_eq!(snapshot.contributions, ids);
    assert_eq!(world.snapshot(2, license).await?.digest, snapshot.digest);
    let deadline = world.now().await? + 600;
    let request = order(&world, license, &query(10_000_000), "researcher", deadline);
    let asked = entry(1, B256::ZERO, &snapshot, &request);
    let early = world.release(1, 1, &ids).await.unwrap_err();
    assert_eq!(early.code(), ProblemCode::NotFound, "{early}");
    let log = world.commit(&asked, &[1, 2]).await?;
    assert_eq!((log.left, log.entries.len()), (990_000_000, 1));

    // Two stewards' shares open the record that the deal commits to.
    let mut shares = Vec::new();
    let mut deal = None;
    for seat in [1, 2] {
        let answers = world.release(seat, 1, &ids).await?;
        assert_eq!(answers.len(), 3);
        let ShareAnswer::Released { deal: points, sealed, .. } = answers[0].clone() else { panic!("{:?}", answers[0]) };
        let row = world.steward(seat).store.contributions().await?;
        let row = row.into_iter().find(|row| row.member == ada.id).unwrap();
        let header = Header::from_bytes(&row.header)?;
        let context = ShareContext::of(&header, StewardId(seat)).release(struct_hash(&asked.entry));
        shares.push(sealing::open_released_share(&world.worker_sealing, &context, &Sealed(sealed))?);
        deal = Some(Commitments { seats: 3, points });
    }
    sharing::combine(&deal.unwrap(), &shares)?;

    world.coop.revoke(&ben.key, ben.id).await?;
    world.coop.erase(&eve.key, eve.id).await?;
    let answers = world.release(1, 1, &ids).await?;
    assert!(matches!(answers[0], ShareAnswer::Released { .. }));
    let (code, reason) = refusal(&answers[1]);
    assert!(code == ProblemCode::ConsentDenied && reason.contains("member 2 revoked consent at"), "{reason}");
    let (code, reason) = refusal(&answers[2]);
    assert!(code == ProblemCode::Erased && reason.contains("member 3 erased everything"), "{reason}");

    // Erasure reaches the store once it is final, and each steward says so.
    world.coop.local.mine(3).await?;
    for seat in 1..=3 {
        let client = world.client(seat, &world.coop.worker);
        world
            .until("an attestation", async || {
                world.coop.local.mine(1).await?;
                match client.get::<ErasureAttestation>(&format!("/v1/erasures/{}", eve.id)).await {
                    Ok(attestation) => {
                        let receipt =
                            eip712::ErasureReceipt { memberId: eve.id.0, shares: 1, at: U256::from(attestation.at) };
                        let (domain, signer) =
                            (world.coop.manifest.committee_domain(), &world.coop.stewards[usize::from(seat) - 1]);
                        eip712::verify(&receipt, &domain, &attestation.signature, signer.address())?;
                        Ok(true)
                    }
                    Err(_) => Ok(false),
                }
            })
            .await?;
        let store = &world.steward(seat).store;
        assert_eq!(store.share_count(eve.id).await?, 0);
        assert!(store.contributions().await?.iter().all(|row| row.member != eve.id));
    }
    // A re-grant that allows less denies at once.
    let mut narrow = Choice::health_research();
    narrow.ehds = [rochdale_core::consent::EhdsCategory::Education].into();
    world.consent(&ada, 2, &narrow).await?;
    let answers = world.release(1, 1, &ids[..1]).await?;
    let (code, reason) = refusal(&answers[0]);
    assert!(code == ProblemCode::ConsentDenied && reason.contains("ScientificResearch"), "{reason}");

    // The epoch is settled with an erased member in it, and the key of its row goes with it.
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let erased = world.steward(1).store.erasure(eve.id).await?.unwrap();
    assert!(erased.closed && world.steward(1).store.member_key(eve.id).await?.is_none());
    let audited = rochdale_steward::audit::audit(world.configs[2].clone()).await?;
    assert!(audited.agrees, "{audited}");
    world.down(1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn licenses_and_budget_are_checked_before_a_signature() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let short = world.license(1_000, 1_000).await?;
    let license = world.license(1_000, YEAR).await?;
    let snapshot = world.snapshot(1, license).await?;
    let deadline = world.now().await? + 3_000;
    let try_entry = async |asked: &EntryRequest| world.ask::<Countersignature>(1, "/v1/budget/entries", asked).await;

    let stolen = entry(1, B256::ZERO, &snapshot, &order(&world, license, &query(5_000), "worker", deadline));
    let error = try_entry(&stolen).await.unwrap_err();
    assert!(error.code() == ProblemCode::LicenseInvalid && error.to_string().contains("is another's"), "{error}");

    let over = query(1_000_000_000);
    let good = entry(1, B256::ZERO, &snapshot, &order(&world, license, &query(5_000_000), "researcher", deadline));
    world.commit(&good, &[1, 2, 3]).await?;
    let over = entry(2, struct_hash(&good.entry), &snapshot, &order(&world, license, &over, "researcher", deadline));
    let error = try_entry(&over).await.unwrap_err();
    assert!(error.code() == ProblemCode::BudgetExceeded && error.to_string().contains("995000000"), "{error}");

    let gap =
        entry(3, struct_hash(&good.entry), &snapshot, &order(&world, license, &query(6_000), "researcher", deadline));
    assert_eq!(try_entry(&gap).await.unwrap_err().code(), ProblemCode::Conflict);
    let mut foreign =
        entry(2, struct_hash(&good.entry), &snapshot, &order(&world, license, &query(6_000), "researcher", deadline));
    foreign.entry.snapshot = B256::repeat_byte(1);
    assert_eq!(try_entry(&foreign).await.unwrap_err().code(), ProblemCode::Conflict);

    // One signature for an index: the same entry gets the same one, another entry none.
    let first =
        entry(2, struct_hash(&good.entry), &snapshot, &order(&world, license, &query(7_000), "researcher", deadline));
    let second =
        entry(2, struct_hash(&good.entry), &snapshot, &order(&world, license, &query(8_000), "researcher", deadline));
    let signature = try_entry(&first).await?;
    assert_eq!(try_entry(&first).await?, signature);
    let error = try_entry(&second).await.unwrap_err();
    assert!(error.code() == ProblemCode::Conflict && error.to_string().contains("signs no other entry"), "{error}");
    let log: BudgetLog = world.client(1, &world.coop.worker).get("/v1/budget").await?;
    assert_eq!(log.signed, Some(first.entry));

    world.coop.local.time_to(world.now().await? + 2_000, 3).await?;
    let late =
        entry(2, struct_hash(&good.entry), &snapshot, &order(&world, short, &query(5_000), "researcher", deadline));
    let error = world.ask::<Countersignature>(2, "/v1/budget/entries", &late).await.unwrap_err();
    assert!(error.code() == ProblemCode::LicenseInvalid && error.to_string().contains("expired"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn equivocation_halts_the_pool() -> Result<()> {
    let world = World::start(&[1, 2]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let license = world.license(1_000, YEAR).await?;
    let snapshot = world.snapshot(1, license).await?;
    let deadline = world.now().await? + 3_000;
    let first = entry(1, B256::ZERO, &snapshot, &order(&world, license, &query(7_000), "researcher", deadline));
    let second = entry(1, B256::ZERO, &snapshot, &order(&world, license, &query(8_000), "researcher", deadline));
    let domain = world.coop.manifest.committee_domain();
    let by = |seat: u8, entry: &BudgetEntry| -> Countersignature {
        let key = role_key(&format!("steward-{seat}"));
        let signature: Bytes = eip712::sign(&key, &message(entry), &domain).unwrap();
        Countersignature { steward: StewardId(seat), signature }
    };
    // Too few, and not the named steward's, commit nothing.
    let alone = CommitRequest { entry: first.entry.clone(), countersignatures: vec![by(3, &first.entry)] };
    let error = world.ask::<BudgetLog>(1, "/v1/budget/commit", &alone).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::NotEnough, "{error}");
    let mut forged = alone.clone();
    forged.countersignatures[0].steward = StewardId(2);
    let error = world.ask::<BudgetLog>(1, "/v1/budget/commit", &forged).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::SealBroken, "{error}");
    // Steward 3 signed the first entry above; its signature under the second proves it.
    let both = CommitRequest {
        entry: second.entry.clone(),
        countersignatures: vec![by(2, &second.entry), by(3, &second.entry)],
    };
    let error = world.ask::<BudgetLog>(1, "/v1/budget/commit", &both).await.unwrap_err();
    assert!(error.code() == ProblemCode::Halted && error.to_string().contains("steward 3 signed both"), "{error}");
    let error = world.ask::<Countersignature>(1, "/v1/budget/entries", &second).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::Halted, "{error}");
    let error = world.release(1, 1, &[]).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::Halted, "{error}");
    Ok(())
}
