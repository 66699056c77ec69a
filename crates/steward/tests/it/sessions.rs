//! Members with a passkey: contributing, and reading what is their own by a key that the passkey spoke for once.

use alloy::primitives::{Address, B256, U256, hex, keccak256};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use anyhow::Result;
use rochdale_api::auth::{self, Described, Session};
use rochdale_api::member::{GrantRequest, RowRequest, SealedRow};
use rochdale_api::route::steward;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::account::message_digest;
use rochdale_chain::bindings::{ConsentRegistry, MemberAccount, MemberAccountFactory, Membership};
use rochdale_chain::eip712::account::{Recovery, account_at};
use rochdale_chain::events::Event;
use rochdale_client::membership::Applicant;
use rochdale_client::{Author, rows, statement};
use rochdale_core::consent::{Choice, Controller, Notice, Receipt};
use rochdale_core::ids::{DatasetId, MemberId};
use rochdale_crypto::{RowKey, SealingKeyPair};
use rochdale_testkit::passkey::Passkey;

use crate::world::World;

/// A member whose account is a passkey's.
struct Person {
    passkey: Passkey,
    account: Address,
    id: MemberId,
}

impl Person {
    /// Admitted before the account exists, with a consent at every steward.
    async fn join(world: &World, name: &str) -> Result<Self> {
        let (passkey, site) = (Passkey::named(name), world.site());
        let (qx, qy) = passkey.public();
        let recovery = Recovery { guardians: Vec::new(), threshold: 0, delay: 0 };
        let account = account_at(qx, qy, &recovery);
        let row_key = RowKey::random(&mut rand::rng());
        let request = world.coop.admission(&site, account, &row_key).await?;
        let (a, signature) = (statement::admission(&request).into(), request.registrar_signature);
        let addresses = &world.coop.manifest.addresses;
        let call = Membership::joinCall { a, registrarSignature: signature };
        let joined = world.coop.relayer.send(addresses.membership, &call).await?;
        let id = world.coop.events(&joined)?.into_iter().find_map(|e| match e.event {
            Event::Joined { member, .. } => Some(member),
            _ => None,
        });
        let none = rochdale_chain::account::Recovery { guardians: Vec::new(), threshold: 0, delay: 0 };
        let create = MemberAccountFactory::createCall { qx, qy, recovery: none };
        let (_, factory) = rochdale_chain::deploy::account_factory();
        world.coop.founder.send(factory, &create).await?;
        let person = Self { passkey, account, id: id.expect("joined") };
        let applicant = Applicant { site: &site, account, nullifier: keccak256(account), row_key: &row_key };
        for seat in 1..=3 {
            world.give_applicants_key(&applicant, person.id, seat).await?;
        }
        person.consent(world).await?;
        Ok(person)
    }

    /// What the passkey says to a digest.
    fn says(&self, digest: B256) -> alloy::primitives::Bytes {
        self.passkey.sign(message_digest(31_337, self.account, digest))
    }

    async fn consent(&self, world: &World) -> Result<()> {
        let registry = world.coop.manifest.addresses.consent_registry;
        let controller = Controller { name: "c".to_owned(), contact: "here".to_owned(), chain_id: 31_337, registry };
        let notice = Notice { language: "en".to_owned(), digest: B256::ZERO };
        let (now, choice) = (world.coop.chain.now().await?, Choice::health_research());
        let receipt = Receipt::new(self.id, 1, controller, notice, choice, now, 0);
        let (site, stamp) = (world.site(), world.coop.stamp(0).await?);
        let unsigned = Author { site: &site, id: self.id }.grant(&receipt, stamp, &mut rand::rng())?;
        let signature = self.says(unsigned.digest());
        let grant = GrantRequest { signature, ..unsigned.request().clone() };
        let call =
            ConsentRegistry::grantCall { g: statement::grant(&grant).into(), signature: grant.signature.clone() };
        world.coop.relayer.send(registry, &call).await?;
        for seat in 1..=3 {
            world.give_receipt(seat, &grant).await?;
        }
        Ok(())
    }

    /// A session of a key until a time.
    fn session(&self, world: &World, key: &PrivateKeySigner, until: u64) -> Session {
        let signature = self.says(Session::digest(&domain(world), key.address(), until));
        Session { account: self.account, until, signature }
    }
}

fn domain(world: &World) -> alloy::sol_types::Eip712Domain {
    auth::domain(31_337, world.coop.manifest.addresses.steward_committee)
}

/// Asks steward 2, signed by a key, in a session.
async fn ask(
    world: &World,
    path: &str,
    body: &impl serde::Serialize,
    key: &PrivateKeySigner,
    session: &str,
) -> Result<(u16, Vec<u8>)> {
    let (body, deadline) = (serde_json::to_vec(body)?, world.now().await? + 60);
    let nonce = U256::from_be_bytes(rand::random::<[u8; 32]>());
    let audience = world.coop.stewards[1].address();
    let described = Described { audience, method: "POST", path, body: &body, nonce, deadline };
    let signature = key.sign_hash_sync(&described.digest(&domain(world)))?;
    let request = reqwest::Client::builder().no_proxy().build()?.post(format!("{}{path}", world.url(2)));
    let answer = request
        .header("content-type", "application/json")
        .header(auth::SIGNER, key.address().to_string())
        .header(auth::NONCE, nonce.to_string())
        .header(auth::DEADLINE, deadline.to_string())
        .header(auth::SIGNATURE, hex::encode_prefixed(signature.as_bytes()))
        .header(auth::SESSION, session)
        .body(body)
        .send()
        .await?;
    Ok((answer.status().as_u16(), answer.bytes().await?.to_vec()))
}

fn refusal((status, body): (u16, Vec<u8>)) -> ProblemCode {
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{status}"));
    problem.code
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_speaks_once_and_its_key_reads_what_is_its_members_and_nothing_else() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (Person::join(&world, "ada").await?, world.member(2).await?);
    let key = PrivateKeySigner::random();
    let until = world.now().await? + 3_600;
    let session = ada.session(&world, &key, until);
    let reply = SealingKeyPair::random(&mut rand::rng());
    let row = RowRequest { reply_key: reply.public().0, epoch: None };
    let own = steward::ROW.at(ada.id).path.into_owned();

    // There is no row before an epoch is settled; that is for the member to hear.
    let heard = ask(&world, &own, &row, &key, &session.to_header()).await?;
    assert_eq!(refusal(heard), ProblemCode::NotFound);

    let others = steward::ROW.at(ben.id).path.into_owned();
    assert_eq!(refusal(ask(&world, &others, &row, &key, &session.to_header()).await?), ProblemCode::Forbidden);
    // Another key, another end, another account, no session at all: none of it is the passkey's word.
    let other = PrivateKeySigner::random();
    assert_eq!(refusal(ask(&world, &own, &row, &other, &session.to_header()).await?), ProblemCode::Forbidden);
    let longer = Session { until: until + 1, ..session.clone() };
    assert_eq!(refusal(ask(&world, &own, &row, &key, &longer.to_header()).await?), ProblemCode::Forbidden);
    let bens = Session { account: ben.key.address(), ..session.clone() };
    assert_eq!(refusal(ask(&world, &others, &row, &key, &bens.to_header()).await?), ProblemCode::Forbidden);
    for malformed in ["", "0x00", "a;b;c"] {
        assert_eq!(refusal(ask(&world, &own, &row, &key, malformed).await?), ProblemCode::Unauthenticated);
    }
    let ended = ada.session(&world, &key, world.now().await? - 1);
    assert_eq!(refusal(ask(&world, &own, &row, &key, &ended.to_header()).await?), ProblemCode::Expired);
    let endless = ada.session(&world, &key, world.now().await? + 2 * auth::MAX_SESSION);
    assert_eq!(refusal(ask(&world, &own, &row, &key, &endless.to_header()).await?), ProblemCode::Expired);
    // It reads; it says nothing in the member's name.
    let sheets = steward::SHEET.path;
    let heard = ask(&world, sheets, &serde_json::json!({}), &key, &session.to_header()).await?;
    assert_eq!(refusal(heard), ProblemCode::Forbidden);
    // A member by a key may open one, too: its own signature counts.
    let digest = Session::digest(&domain(&world), key.address(), until);
    let signature = ben.key.sign_hash_sync(&digest)?.as_bytes().to_vec().into();
    let by_key = Session { account: ben.key.address(), until, signature };
    assert_eq!(refusal(ask(&world, &others, &row, &key, &by_key.to_header()).await?), ProblemCode::NotFound);

    // Another passkey in the account: what the old one said is over.
    let (qx, qy) = Passkey::named("ada's new phone").public();
    let set = MemberAccount::setPasskeyCall { qx, qy };
    world.coop.local.act_as(ada.account, ada.account, &set).await?;
    world.coop.local.mine(1).await?;
    world
        .until("the steward saw the new passkey", async || {
            let heard = ask(&world, &own, &row, &key, &session.to_header()).await?;
            Ok(refusal(heard) == ProblemCode::Forbidden)
        })
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_who_has_a_passkey_is_taken_and_earns() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = Person::join(&world, "ada").await?;
    let site = world.site();
    let record = world.record(1).await?;
    let author = Author { site: &site, id: ada.id };
    let stamp = world.coop.stamp(0).await?;
    let (unsigned, blob) = author.contribute(&record, DatasetId(1), 1, stamp, &mut rand::rng())?;
    let mut package = unsigned.request().clone();
    package.signature = ada.says(unsigned.digest());
    world.keep_blob(blob);
    let forged = {
        let mut forged = package.clone();
        forged.signature = Passkey::named("eve").sign(message_digest(31_337, ada.account, unsigned.digest()));
        forged
    };
    assert_eq!(world.give(1, &forged).await.unwrap_err().code(), ProblemCode::Forbidden);
    for seat in 1..=3 {
        world.give(seat, &package).await?;
    }
    world.bring(&[package]).await?;
    world.scored(1).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;

    let key = PrivateKeySigner::random();
    let session = ada.session(&world, &key, world.now().await? + 600);
    let reply = SealingKeyPair::random(&mut rand::rng());
    let row = RowRequest { reply_key: reply.public().0, epoch: None };
    let own = steward::ROW.at(ada.id).path.into_owned();
    let (status, body) = ask(&world, &own, &row, &key, &session.to_header()).await?;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let answer: SealedRow = serde_json::from_slice(&body)?;
    let report = rows::open_row(&world.site(), ada.id, &reply, answer)?;
    assert_eq!(report.contributions.len(), 1);
    assert!(report.row.data_earned > 0);
    Ok(())
}
