//! Snapshots, debits, release; and who is refused, with the reason.

use alloy::primitives::{B256, U256};
use anyhow::{Context as _, Result, bail};
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::member::Sealed as SealedAnswer;
use rochdale_api::order::{
    BlindedOrder, Debit, DebitSignature, Order, ReleaseRequest, SealedRequest, ShareAnswer, Shares, Snapshot,
};
use rochdale_api::route::Route;
use rochdale_api::route::steward::{self, Access};
use rochdale_chain::account::message_digest;
use rochdale_chain::bindings::StewardCommittee;
use rochdale_chain::client::SendError;
use rochdale_chain::eip712;
use rochdale_client::{Ordered, Researcher};
use rochdale_core::consent::{Choice, Modifier, Protocol};
use rochdale_core::ids::{ContributionId, LicenseId, StewardId};
use rochdale_core::query::{Ask, Query};
use rochdale_crypto::sealing::{self, OrderContext, PoolContext, ShareContext, SharesContext};
use rochdale_crypto::{Commitments, Header, Sealed, sharing};
use rochdale_steward::release::SESSION;
use rochdale_testkit::anvil::role_key;
use rochdale_testkit::passkey::Passkey;

use crate::world::{DATASET, PURPOSE, World};

pub const YEAR: u64 = 365 * 86_400;
/// Everybody's budget in the first year, in nano-zCDP.
pub const FIRST_YEAR: u64 = 250_000_000;

/// A signed order with what a worker drew for it.
#[derive(Clone)]
pub struct Asked {
    pub blinded: BlindedOrder,
    pub digest: B256,
}

impl Asked {
    pub fn order(&self) -> &Order {
        &self.blinded.request.order
    }
}

pub fn query(rho: u64) -> Query {
    Query { version: 1, dataset: DATASET, cohort: Default::default(), ask: Ask::Count {}, rho }
}

impl World {
    /// A researcher's signed order as of the newest final block.
    pub async fn order(&self, license: LicenseId, rho: u64) -> Result<Asked> {
        let cut = self.coop.chain.head().await?.finalized.hash;
        self.order_as(license, rho, "researcher", self.now().await? + 600, cut)
    }

    pub fn order_as(&self, license: LicenseId, rho: u64, signer: &str, deadline: u64, cut: B256) -> Result<Asked> {
        let (site, nonce) = (self.site(), B256::new(rand::random()));
        let researcher = Researcher { site: &site, key: &role_key(signer) };
        let Ordered { order, request } = researcher.order(license, PURPOSE, query(rho), cut, nonce, deadline)?;
        Ok(Asked { blinded: BlindedOrder { request, drawn: B256::new(rand::random()) }, digest: order })
    }

    fn sealed(&self, seat: u8, order: B256, body: &impl serde::Serialize) -> Result<SealedRequest> {
        let context = OrderContext {
            chain_id: self.coop.manifest.chain_id,
            committee: self.coop.manifest.addresses.steward_committee,
            order,
            worker: self.coop.worker.address(),
            index: StewardId(seat),
        };
        let json = serde_json::to_vec(body)?;
        let sealed = sealing::seal_as(&self.sealing_of(seat), &context, &json, &mut rand::rng())?.0;
        Ok(SealedRequest { order, sealed })
    }

    async fn ask<A: serde::de::DeserializeOwned>(
        &self,
        seat: u8,
        route: Route<SealedRequest, A, Access>,
        body: &SealedRequest,
    ) -> Result<A, ClientError> {
        let now = self.coop.chain.now().await.unwrap();
        self.client(seat, &self.coop.worker).post_signed(route, body, now).await
    }

    pub async fn snapshot(&self, seat: u8, asked: &Asked) -> Result<Snapshot> {
        let request = self.sealed(seat, asked.digest, &asked.blinded)?;
        let answer: SealedAnswer = self.ask(seat, steward::SNAPSHOT, &request).await?;
        let context = PoolContext {
            chain_id: self.coop.manifest.chain_id,
            committee: self.coop.manifest.addresses.steward_committee,
            order: asked.digest,
            index: StewardId(seat),
        };
        let json = sealing::open_as(&self.worker_sealing, &context, &Sealed(answer.sealed))?;
        Ok(serde_json::from_slice(&json)?)
    }

    pub async fn sign_debit(&self, seat: u8, asked: &Asked) -> Result<DebitSignature, ClientError> {
        let request = self.sealed(seat, asked.digest, &asked.blinded).unwrap();
        self.ask(seat, steward::DEBIT, &request).await
    }

    /// Has these seats sign and books the debit.
    pub async fn book(&self, asked: &Asked, seats: &[u8]) -> Result<Debit> {
        let snapshot = self.snapshot(seats[0], asked).await?;
        let debit = Debit::of(asked.order(), asked.digest, snapshot.digest);
        let mut signatures = Vec::new();
        for seat in seats {
            signatures.push(self.sign_debit(*seat, asked).await?);
        }
        self.book_signed(&debit, signatures).await?;
        Ok(debit)
    }

    pub async fn book_signed(&self, debit: &Debit, mut signatures: Vec<DebitSignature>) -> Result<(), SendError> {
        signatures.sort_by_key(|one| one.steward);
        let signatures = signatures.into_iter().map(|one| one.signature).collect();
        let call = StewardCommittee::debitCall { d: eip712::order::Debit::from(debit).into(), signatures };
        self.coop.relayer.send(self.coop.manifest.addresses.steward_committee, &call).await?;
        Ok(())
    }

    pub async fn release(&self, seat: u8, order: B256, ids: &[ContributionId]) -> Result<Shares, ClientError> {
        let request = self.sealed(seat, order, &ReleaseRequest { order, contributions: ids.to_vec() }).unwrap();
        let answer: SealedAnswer = self.ask(seat, steward::RELEASE, &request).await?;
        let context = SharesContext {
            chain_id: self.coop.manifest.chain_id,
            committee: self.coop.manifest.addresses.steward_committee,
            order,
            index: StewardId(seat),
        };
        let json = sealing::open_as(&self.worker_sealing, &context, &Sealed(answer.sealed)).unwrap();
        Ok(serde_json::from_slice(&json).unwrap())
    }
}

fn refusal(answer: &ShareAnswer) -> (ProblemCode, &str) {
    match answer {
        ShareAnswer::Refused { code, reason, .. } => (*code, reason),
        ShareAnswer::Released { contribution_id, .. } => panic!("{contribution_id} was released"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_are_released_for_a_booked_debit_until_consent_falls() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let (ada, ben, eve) = (world.member(1).await?, world.member(2).await?, world.member(3).await?);
    let record = world.record(1).await?;
    let ids = world.contribute(&[(&ada, record.clone()), (&ben, record.clone()), (&eve, record)]).await?;
    let license = world.license(1_000, YEAR).await?;
    let asked = world.order(license, 10_000_000).await?;
    let snapshot = world.snapshot(1, &asked).await?;
    assert_eq!(snapshot.contributions, ids);
    assert_eq!(world.snapshot(2, &asked).await?.digest, snapshot.digest);
    let early = world.release(1, asked.digest, &ids).await.unwrap_err();
    assert_eq!(early.code(), ProblemCode::NotFound, "{early}");
    world.book(&asked, &[1, 2]).await?;

    // Two stewards' shares open the record that the deal commits to.
    let mut shares = Vec::new();
    let mut deal = None;
    for seat in [1, 2] {
        let answers = world.release(seat, asked.digest, &ids).await?;
        assert_eq!(answers.len(), 3);
        let ShareAnswer::Released { deal: points, sealed, .. } = answers[0].clone() else { panic!("{:?}", answers[0]) };
        let row = world.steward(seat).store.contributions().await?;
        let row = row.into_iter().find(|row| row.member == ada.id).unwrap();
        let header = Header::from_bytes(&row.header)?;
        let context = ShareContext::of(&header, StewardId(seat)).release(asked.digest);
        shares.push(sealing::open_released_share(&world.worker_sealing, &context, &Sealed(sealed))?);
        deal = Some(Commitments { seats: 3, points });
    }
    sharing::combine(&deal.unwrap(), &shares)?;

    world.coop.revoke(&ben.key, ben.id).await?;
    world.coop.erase(&eve.key, eve.id).await?;
    let answers = world.release(1, asked.digest, &ids).await?;
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
                match client.get(steward::ERASURE.at(eve.id)).await {
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
    let answers = world.release(1, asked.digest, &ids[..1]).await?;
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

/// Point 8: shares were once given 200 days later.
#[tokio::test(flavor = "multi_thread")]
async fn point_8_no_share_is_released_more_than_a_day_past_the_orders_deadline() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let license = world.license(1_000, YEAR).await?;
    let (deadline, cut) = (world.now().await? + 3_600, world.coop.chain.head().await?.finalized.hash);
    let asked = world.order_as(license, 10_000_000, "researcher", deadline, cut)?;
    world.book(&asked, &[1, 2]).await?;
    world.coop.local.time_to(deadline + SESSION - 60, 3).await?;
    let answers = world.release(1, asked.digest, &ids).await?;
    assert!(matches!(answers[0], ShareAnswer::Released { .. }), "a worker that crashed may go on: {answers:?}");
    world.coop.local.time_to(deadline + SESSION + 1, 3).await?;
    for seat in 1..=3 {
        let answers = world.release(seat, asked.digest, &ids).await?;
        let (code, reason) = refusal(&answers[0]);
        assert!(code == ProblemCode::Forbidden && reason.contains("expired at"), "{reason}");
    }
    Ok(())
}

/// Point 11: a consent that was given again counts at a release as it does everywhere, once it is final; a denial counted at once.
#[tokio::test(flavor = "multi_thread")]
async fn point_11_a_consent_that_is_given_again_releases_nothing_before_it_is_final() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let license = world.license(1_000, YEAR).await?;
    let asked = world.order(license, 10_000_000).await?;
    world.book(&asked, &[1, 2]).await?;
    world.coop.revoke(&ada.key, ada.id).await?;
    world.coop.local.mine(3).await?;
    world.consent(&ada, 2, &Choice::health_research()).await?;
    let answers = world.release(1, asked.digest, &ids).await?;
    let (code, reason) = refusal(&answers[0]);
    assert!(code == ProblemCode::ConsentDenied && reason.contains("not in a finalized block yet"), "{reason}");
    world.coop.local.mine(3).await?;
    let answers = world.release(1, asked.digest, &ids).await?;
    assert!(matches!(answers[0], ShareAnswer::Released { .. }), "{answers:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn license_order_and_deadline_are_checked_before_a_signature() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let short = world.license(1_000, 1_000).await?;
    let license = world.license(1_000, YEAR).await?;
    let (now, cut) = (world.now().await?, world.coop.chain.head().await?.finalized.hash);
    let refused = async |asked: &Asked, code: ProblemCode, words: &str| -> Result<()> {
        let error = world.sign_debit(1, asked).await.unwrap_err();
        if error.code() != code || !error.to_string().contains(words) {
            bail!("expected {code:?} with {words:?}, got {error}");
        }
        Ok(())
    };
    let stolen = world.order_as(license, 5_000, "worker", now + 600, cut)?;
    refused(&stolen, ProblemCode::LicenseInvalid, "is another's").await?;
    let passkey = Passkey::named("a researcher's phone");
    let (account, theirs) = world.passkey_license(&passkey).await?;
    let mut spoken = world.order_as(theirs, 5_000, "worker", world.now().await? + 600, world.final_block().await?)?;
    refused(&spoken, ProblemCode::LicenseInvalid, "is another's").await?;
    spoken.blinded.request.signature = passkey.sign(message_digest(31_337, account, spoken.digest));
    world.sign_debit(1, &spoken).await?;
    let past = world.order_as(license, 5_000, "researcher", now - 1, cut)?;
    refused(&past, ProblemCode::BadRequest, "has passed").await?;
    let far = world.order_as(license, 5_000, "researcher", now + 8 * 86_400, cut)?;
    refused(&far, ProblemCode::BadRequest, "lies more than").await?;
    let free = world.order_as(license, 0, "researcher", now + 600, cut)?;
    refused(&free, ProblemCode::BadRequest, "").await?;
    let nowhere = world.order_as(license, 5_000, "researcher", now + 600, B256::repeat_byte(9))?;
    refused(&nowhere, ProblemCode::NotFound, "not finalized").await?;

    // The same order and draw get the same signature, another draw none: one debit for each order.
    let good = world.order(license, 5_000).await?;
    let signature = world.sign_debit(1, &good).await?;
    assert_eq!(world.sign_debit(1, &good).await?, signature);
    let mut other = good.clone();
    other.blinded.drawn = B256::repeat_byte(7);
    refused(&other, ProblemCode::Conflict, "another blinder").await?;

    world.coop.local.time_to(world.now().await? + 2_000, 3).await?;
    let late = world.order(short, 5_000).await?;
    refused(&late, ProblemCode::LicenseInvalid, "expired").await
}

/// Conditions that turn on who asks and for whose gain hold by the ethics board's word alone, as of the cut; without it nothing is drawn.
#[tokio::test(flavor = "multi_thread")]
async fn a_condition_holds_by_what_the_ethics_board_found_out_and_by_nothing_else() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    let of_ada = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let of_ben = world.contribute(&[(&ben, world.record(2).await?)]).await?;
    let conditions = [
        Modifier::NotForProfit {},
        Modifier::Geographic { countries: vec!["SE".to_owned()] },
        Modifier::ProjectSpecific { projects: vec!["sleep-7".to_owned()] },
    ];
    let choice = Choice { modifiers: conditions.into(), ..Choice::health_research() };
    world.consent(&ada, 2, &choice).await?;
    let license = world.license(1_000, YEAR).await?;
    let drawn = async |rho: u64| -> Result<Vec<ContributionId>> {
        world.coop.local.mine(3).await?;
        let asked = world.order(license, rho).await?;
        let all = [world.snapshot(1, &asked).await?, world.snapshot(3, &asked).await?];
        assert_eq!(all[0].contributions, all[1].contributions, "stewards agree");
        Ok(all[0].contributions.clone())
    };
    assert_eq!(drawn(1_000).await?, of_ben, "the board said nothing of the study");
    let facts = Protocol {
        not_for_profit: Some(true),
        country: Some("SE".to_owned()),
        project: Some("sleep-7".to_owned()),
        ..Protocol::default()
    };
    world.coop.approve_study(PURPOSE, &facts).await?;
    let early = world.order(license, 1_004).await?;
    assert_eq!(world.snapshot(1, &early).await?.contributions, of_ben, "what the board says is not final yet");
    assert_eq!(drawn(1_001).await?, [&of_ada[..], &of_ben[..]].concat());
    let asked = world.order(license, 1_002).await?;
    world.book(&asked, &[1, 2]).await?;
    assert!(matches!(world.release(1, asked.digest, &of_ada).await?[0], ShareAnswer::Released { .. }));
    // One fact that is not known any more, and one that is another.
    for other in [Protocol { project: None, ..facts.clone() }, Protocol { not_for_profit: Some(false), ..facts }] {
        world.coop.approve_study(PURPOSE, &other).await?;
        // Before that is final: it takes nothing from whom it does not concern, and gives nothing.
        let answers = world.release(2, asked.digest, &[&of_ada[..], &of_ben[..]].concat()).await?;
        assert_eq!(refusal(&answers[0]).0, ProblemCode::ConsentDenied, "{other:?}");
        assert!(matches!(answers[1], ShareAnswer::Released { .. }), "{answers:?}");
        assert_eq!(drawn(1_003).await?, of_ben, "{other:?}");
        let answers = world.release(2, asked.digest, &of_ada).await?;
        let (code, reason) = refusal(&answers[0]);
        assert!(code == ProblemCode::ConsentDenied, "what is charged already is not released either: {reason}");
    }
    Ok(())
}

/// Point 6: a license that its holder renewed is no expired one; and not before the renewal is final.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_license_is_not_refused_as_expired() -> Result<()> {
    let world = World::start(&[1]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let license = world.license(1_000, 1_000).await?;
    world.coop.local.time_to(world.now().await? + 2_000, 3).await?;
    let late = world.order(license, 5_000).await?;
    assert_eq!(world.sign_debit(1, &late).await.unwrap_err().code(), ProblemCode::LicenseInvalid);
    let call =
        rochdale_chain::bindings::License::extendCall { licenseId: license.0, expiry: world.now().await? + YEAR };
    let addresses = world.coop.manifest.addresses;
    world.coop.local.act_as(addresses.market, addresses.license, &call).await?;
    let error = world.sign_debit(1, &late).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::LicenseInvalid, "{error}: the renewal is not final");
    world.coop.local.mine(3).await?;
    world.sign_debit(1, &world.order(license, 5_000).await?).await?;
    let call = rochdale_chain::bindings::License::revokeCall { licenseId: license.0 };
    world.coop.local.act_as(addresses.market, addresses.license, &call).await?;
    let error = world.sign_debit(1, &world.order(license, 6_000).await?).await.unwrap_err();
    assert!(error.to_string().contains("was revoked"), "{error}");
    Ok(())
}

/// Whose remainder is short is not drawn; everybody else is in as before, and the auditor finds what each has spent.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_whose_budget_is_short_is_not_drawn_and_nobody_else_changes() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    let first = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let license = world.license(1_000, YEAR).await?;
    let most = world.order(license, FIRST_YEAR - 10_000).await?;
    world.book(&most, &[1, 3]).await?;
    // A new member brings a new budget; the first one's is used up for all but small questions.
    let second = world.contribute(&[(&ben, world.record(2).await?)]).await?;
    let asked = world.order(license, 11_000).await?;
    assert_eq!(world.snapshot(2, &asked).await?.contributions, second);
    let small = world.order(license, 10_000).await?;
    assert_eq!(world.snapshot(2, &small).await?.contributions, [first, second].concat());
    world.book(&small, &[2, 3]).await?;
    // Who keeps to less than the cooperative's bound is left out earlier.
    let chosen = Choice { lifetime_rho: Some(15_000), ..Choice::health_research() };
    world.consent(&ben, 2, &chosen).await?;
    world.coop.local.mine(3).await?;
    assert!(world.snapshot(1, &world.order(license, 6_000).await?).await?.contributions.is_empty());

    let mirror = world.steward(3).at_head().await?;
    let spent = world.steward(3).spent(&mirror.latest).await?;
    assert_eq!(spent.by_member, [(ada.id, FIRST_YEAR), (ben.id, 10_000)].into());
    assert!(spent.invalid.is_empty());
    Ok(())
}

/// A steward that signs whatever comes completes two debits, each with another honest one that did not know of the other: only the first
/// in the order of the chain is released, and nobody is charged beyond what is theirs.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_lying_steward_signed_twice_is_charged_and_released_once() -> Result<()> {
    let world = World::start(&[1, 2]).await?;
    let ada = world.member(1).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let license = world.license(1_000, YEAR).await?;
    let (one, two) = (world.order(license, FIRST_YEAR - 1).await?, world.order(license, FIRST_YEAR).await?);
    let domain = world.coop.manifest.committee_domain();
    let mut debits = Vec::new();
    for (seat, asked) in [(1, &one), (2, &two)] {
        let snapshot = world.snapshot(seat, asked).await?;
        assert_eq!(snapshot.contributions, ids);
        let debit = Debit::of(asked.order(), asked.digest, snapshot.digest);
        let honest = world.sign_debit(seat, asked).await?;
        let lie = eip712::sign(&role_key("steward-3"), &eip712::order::Debit::from(&debit), &domain)?;
        debits.push((debit, vec![honest, DebitSignature { steward: StewardId(3), signature: lie }]));
    }
    // What an honest steward signed itself it counts before the chain shows it.
    let error = world.sign_debit(1, &two).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::BudgetExceeded, "{error}");
    assert!(!error.to_string().contains("member"), "{error}: whose budget is short is nobody's business");
    for (debit, signatures) in debits {
        world.book_signed(&debit, signatures).await?;
    }
    for seat in [1, 2] {
        world
            .until("the snapshots of both", async || match world.release(seat, one.digest, &ids).await {
                Ok(answers) => Ok(matches!(answers[0], ShareAnswer::Released { .. })),
                Err(error) if error.code() == ProblemCode::NotFound => Ok(false),
                Err(error) => bail!(error),
            })
            .await?;
        world
            .until("the second to be refused", async || match world.release(seat, two.digest, &ids).await {
                Ok(answers) => bail!("{answers:?}"),
                Err(error) if error.code() == ProblemCode::NotFound => Ok(false),
                Err(error) => Ok(error.code() == ProblemCode::BudgetExceeded),
            })
            .await?;
        let mirror = world.steward(seat).at_head().await?;
        let spent = world.steward(seat).spent(&mirror.latest).await?;
        assert_eq!((spent.by_member, spent.invalid), ([(ada.id, FIRST_YEAR - 1)].into(), vec![2]));
    }
    Ok(())
}

/// A reorganization drops the debit after its shares were given: it stays charged, and who released it has it booked again.
#[tokio::test(flavor = "multi_thread")]
async fn a_debit_that_a_reorganization_drops_is_booked_again() -> Result<()> {
    let world = World::start(&[1, 2]).await?;
    let ada = world.member(1).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let license = world.license(1_000, YEAR).await?;
    world.coop.local.mine(3).await?;
    let asked = world.order(license, FIRST_YEAR).await?;
    let debit = world.book(&asked, &[1, 2]).await?;
    let answers = world.release(1, asked.digest, &ids).await?;
    assert!(matches!(answers[0], ShareAnswer::Released { .. }), "{answers:?}");
    let before = world.steward(1).at_head().await?.latest.debit_of(asked.digest).context("it is booked")?.transaction;
    world.coop.local.reorg(1).await?;
    world
        .until("the debit on chain again", async || {
            world.coop.local.mine(1).await?;
            let mirror = world.steward(2).at_head().await?;
            // Meanwhile, and after it, nobody gets the same budget twice.
            let again = world.order(license, FIRST_YEAR).await?;
            if let Ok(signature) = world.sign_debit(1, &again).await {
                let empty = world.snapshot(1, &again).await?.contributions.is_empty();
                assert!(empty, "{signature:?} over a budget that is spent");
            }
            let booked = mirror.latest.debit_of(asked.digest);
            Ok(booked.is_some_and(|booked| booked.transaction != before && booked.debit == debit))
        })
        .await
}

/// Who signed the debit holds no seat any more, and who holds one starts with nothing: they take the snapshot from those who left office, tell
/// alike what everybody has spent, take the debit for what it is, and release shares for it that were dealt to them without its member.
#[tokio::test(flavor = "multi_thread")]
async fn every_seat_is_replaced_between_debit_and_release() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let license = world.license(1_000, YEAR).await?;
    let asked = world.order(license, FIRST_YEAR - 7_000).await?;
    world.book(&asked, &[1, 3]).await?;
    world.reseat([4, 5, 6]).await?;
    for seat in 1..=3 {
        world
            .until("the new steward to know what was spent", async || {
                let mirror = world.steward(seat).at_head().await?;
                let Ok(spent) = world.steward(seat).spent(&mirror.latest).await else { return Ok(false) };
                assert_eq!((spent.by_member, spent.invalid), ([(ada.id, FIRST_YEAR - 7_000)].into(), vec![]));
                Ok(true)
            })
            .await?;
        if let ShareAnswer::Refused { code, reason, .. } = &world.release(seat, asked.digest, &ids).await?[0] {
            assert_eq!(*code, ProblemCode::NotFound, "it has no share yet: {reason}");
        }
        let again = world.order(license, 8_000).await?;
        assert!(world.snapshot(seat, &again).await?.contributions.is_empty(), "what is left is 7,000");
    }
    let released = async |seat: u8| match world.release(seat, asked.digest, &ids).await?.remove(0) {
        ShareAnswer::Released { deal, sealed, .. } => anyhow::Ok(Some((deal, sealed))),
        ShareAnswer::Refused { .. } => Ok(None),
    };
    world
        .until("one sharing of two new seats", async || {
            world.coop.local.mine(1).await?;
            let (one, other) = (released(1).await?, released(3).await?);
            Ok(one.zip(other).is_some_and(|((one, _), (other, _))| one == other))
        })
        .await?;
    let row = world.steward(1).store.contributions().await?.remove(0);
    let (mut shares, mut deal) = (Vec::new(), Vec::new());
    for seat in [1, 3] {
        let (points, sealed) = released(seat).await?.context("no share")?;
        let context = ShareContext::of(&Header::from_bytes(&row.header)?, StewardId(seat)).release(asked.digest);
        shares.push(sealing::open_released_share(&world.worker_sealing, &context, &Sealed(sealed))?);
        deal = points;
    }
    assert!(deal != row.points && deal[0] == row.points[0], "another sharing of the same secret");
    sharing::combine(&Commitments { seats: 3, points: deal }, &shares)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_cut_at_a_recent_final_block_that_knows_its_license() -> Result<()> {
    let world = World::start(&[1, 2]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let before = world.coop.chain.head().await?.finalized.hash;
    let license = world.license(1_000, YEAR).await?;
    let known = world.coop.chain.head().await?.finalized.hash;
    world.coop.local.time_to(world.now().await? + 3_700, 3).await?;
    let cut = async |cut| world.order_as(license, 1_000_000, "researcher", world.now().await? + 600, cut);
    let (early, old, now) = (cut(before).await?, cut(known).await?, world.order(license, 1_000_000).await?);
    for asked in [&early, &old] {
        let error = world.snapshot(1, asked).await.unwrap_err();
        assert!(error.to_string().contains("behind the newest final block"), "{error}");
        assert_eq!(world.sign_debit(1, asked).await.unwrap_err().code(), ProblemCode::BadRequest);
    }
    assert_eq!(world.snapshot(1, &now).await?.contributions.len(), 1);
    world.sign_debit(1, &now).await?;

    let cut_before = world.coop.chain.head().await?.finalized.hash;
    let other = world.license(1_000, YEAR).await?;
    let asked = world.order_as(other, 1_000_000, "researcher", world.now().await? + 600, cut_before)?;
    assert_eq!(world.sign_debit(1, &asked).await.unwrap_err().code(), ProblemCode::LicenseInvalid);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_member_who_lowers_its_own_bound_stops_no_order() -> Result<()> {
    let world = World::start(&[1, 2]).await?;
    let (ada, eve) = (world.member(1).await?, world.member(2).await?);
    let ids = world.contribute(&[(&ada, world.record(1).await?), (&eve, world.record(2).await?)]).await?;
    let license = world.license(1_000, YEAR).await?;
    let asked = world.order(license, 1_000_000).await?;
    world.consent(&eve, 2, &Choice { lifetime_rho: Some(1), ..Choice::health_research() }).await?;
    world.book(&asked, &[1, 2]).await?;
    world.coop.local.mine(3).await?;
    let answers = world.release(1, asked.digest, &ids).await?;
    assert!(matches!(answers[0], ShareAnswer::Released { .. }), "{answers:?}");
    assert_eq!(refusal(&answers[1]).0, ProblemCode::ConsentDenied, "what she chose is asked at the release");
    Ok(())
}

/// A reorganization turns two debits round, of which a lying steward signed both: what left the first honest one is spent, although the
/// chain charges nobody for it any more.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_released_before_a_reorganization_stays_spent() -> Result<()> {
    let mut world = World::start(&[1, 2]).await?;
    let ada = world.member(1).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let license = world.license(1_000, YEAR).await?;
    world.coop.local.mine(3).await?;
    let (one, two) = (world.order(license, FIRST_YEAR - 1).await?, world.order(license, FIRST_YEAR).await?);
    let domain = world.coop.manifest.committee_domain();
    let mut debits = Vec::new();
    for (seat, asked) in [(1, &one), (2, &two)] {
        let snapshot = world.snapshot(seat, asked).await?;
        let debit = Debit::of(asked.order(), asked.digest, snapshot.digest);
        let honest = world.sign_debit(seat, asked).await?;
        let lie = eip712::sign(&role_key("steward-3"), &eip712::order::Debit::from(&debit), &domain)?;
        debits.push((debit, vec![honest, DebitSignature { steward: StewardId(3), signature: lie }]));
    }
    let (second, first) = (debits.pop().context("two")?, debits.pop().context("two")?);
    world.book_signed(&first.0, first.1).await?;
    let answers = world.release(1, one.digest, &ids).await?;
    assert!(matches!(answers[0], ShareAnswer::Released { .. }), "{answers:?}");
    world.down(1).await?;
    world.coop.local.reorg(1).await?;
    world.book_signed(&second.0, second.1).await?;
    world.up(1).await?;
    let turned = async || {
        world.coop.local.mine(1).await?;
        Ok(world.steward(1).at_head().await?.latest.debits.len() == 2
            && world.release(1, two.digest, &ids).await.is_ok())
    };
    world.until("both on chain, the other way round", turned).await?;
    let answers = world.release(1, two.digest, &ids).await?;
    assert_eq!(
        refusal(&answers[0]).0,
        ProblemCode::BudgetExceeded,
        "with one share of two nobody opens it: {answers:?}"
    );
    Ok(())
}
