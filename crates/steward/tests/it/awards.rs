//! Awards of programs, by the cooperative's own Programs contract and no other.

use alloy::primitives::{Address, U256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::Eip712Domain;
use anyhow::Result;
use rochdale_api::client::ClientError;
use rochdale_api::route::steward;
use rochdale_api::{ProblemCode, settlement::AwardMessage};
use rochdale_chain::account::{Recovery, message_digest};
use rochdale_chain::bindings::{MemberAccountFactory, Programs};
use rochdale_chain::deploy::{account_factory, deploy};
use rochdale_chain::eip712;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_node::sealed;
use rochdale_testkit::anvil::role_key;
use rochdale_testkit::passkey::Passkey;

use crate::world::World;

/// Opens or closes a program: of the cooperative whose token house and Programs these are.
pub async fn set(world: &World, (house, programs): (Address, Address), id: u32, open: bool) -> Result<()> {
    let awarder = role_key("awarder").address();
    let p = Programs::Program { awarder, kind: 1, capPerEpoch: 50_000, capPerMember: 20_000, open };
    world.decide(house, programs, &Programs::setProgramCall { programId: id, p }).await
}

pub fn award(
    key: &PrivateKeySigner,
    domain: &Eip712Domain,
    program: u32,
    member: MemberId,
    points: u128,
) -> AwardMessage {
    let nonce = U256::from(points);
    let message = eip712::Award { programId: program, memberId: member.0, epoch: 1, points, nonce };
    let signature = eip712::sign(key, &message, domain).unwrap();
    AwardMessage { program, member_id: member, epoch: Epoch(1), points, nonce, signature }
}

pub async fn give(world: &World, seat: u8, award: &AwardMessage) -> Result<(), ClientError> {
    let now = world.coop.chain.now().await.unwrap();
    sealed::post(
        &world.client(seat, &role_key("awarder")),
        world.sealing_of(seat),
        steward::AWARDS,
        &vec![award.clone()],
        now,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_award_counts_by_the_programs_contract_of_this_cooperative_alone() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let (a, domain, key) = (&world.coop.manifest.addresses, world.coop.manifest.programs_domain(), role_key("awarder"));
    let good = award(&key, &domain, 7, ada.id, 15_000);
    let message =
        Programs::Award { programId: 7, memberId: ada.id.0, epoch: 1, points: 15_000, nonce: U256::from(15_000) };
    let signed =
        eip712::Award { programId: 7, memberId: ada.id.0, epoch: 1, points: 15_000, nonce: U256::from(15_000) };
    let digest = world.coop.chain.view(a.programs, &Programs::awardDigestCall { a: message }).await?;
    assert_eq!(digest, eip712::digest(&signed, &domain), "what the contract says is signed");

    // The neighbour's Programs, on the same chain and of the same code, opens the same program: here nobody awards.
    let other = deploy(&world.coop.founder, &world.coop.config, None, |_| {}).await?;
    let theirs = (other.addresses.token_timelock, other.addresses.programs);
    set(&world, theirs, 7, true).await?;
    let stranger = give(&world, 1, &good).await.unwrap_err();
    assert_eq!(stranger.code(), ProblemCode::Forbidden, "{stranger}");

    let ours = (a.token_timelock, a.programs);
    set(&world, ours, 8, true).await?;
    let seen = async |id: u32, open: bool| {
        let known = async || {
            let mirrors = (1..=3).map(|seat| world.steward(seat).mirror());
            let mirrors = mirrors.collect::<Result<Vec<_>, _>>()?;
            Ok(mirrors.iter().all(|m| m.latest.programs.get(&id).is_some_and(|program| program.open == open)))
        };
        world.until("the program at every steward", known).await
    };
    seen(8, true).await?;
    let unknown = give(&world, 1, &good).await.unwrap_err();
    assert!(unknown.to_string().contains("program 7 does not exist or is closed"), "{unknown}");
    set(&world, ours, 7, true).await?;
    seen(7, true).await?;
    let elsewhere = award(&key, &other.programs_domain(), 7, ada.id, 15_000);
    let refused = give(&world, 1, &elsewhere).await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::BadRequest);
    assert!(refused.to_string().contains("the awarder of program 7 is"), "{refused}");
    give(&world, 1, &good).await?;

    // One steward has it, all of them enter it, and its points are paid like those of a record.
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let header = world.header(1).await?;
    let paid = 15_000 * world.coop.manifest.ledger.data_per_point / 10_000;
    assert_eq!(header.data_awarded, paid, "{header:?}");
    set(&world, ours, 7, false).await?;
    seen(7, false).await?;
    let later = AwardMessage { epoch: Epoch(2), ..good };
    let closed = give(&world, 2, &later).await.unwrap_err();
    assert!(closed.to_string().contains("program 7 does not exist or is closed"), "{closed}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_awards_by_what_it_says_yes_to() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let (a, domain) = (&world.coop.manifest.addresses, world.coop.manifest.programs_domain());
    // A passkey account: whatever signs for it off chain, the chain asks the contract.
    let passkey = Passkey::named("committee");
    let (qx, qy) = passkey.public();
    let recovery = Recovery { guardians: Vec::new(), threshold: 0, delay: 0 };
    let at = MemberAccountFactory::accountAtCall { qx, qy, recovery: recovery.clone() };
    let awarder = world.coop.chain.view(account_factory().1, &at).await?;
    let create = MemberAccountFactory::createCall { qx, qy, recovery };
    world.coop.founder.send(account_factory().1, &create).await?;
    let p = Programs::Program { awarder, kind: 4, capPerEpoch: 50_000, capPerMember: 20_000, open: true };
    world.decide(a.token_timelock, a.programs, &Programs::setProgramCall { programId: 4, p }).await?;
    let known = async || {
        let mirrors = (1..=3).map(|seat| world.steward(seat).mirror()).collect::<Result<Vec<_>, _>>()?;
        Ok(mirrors.iter().all(|m| m.latest.programs.contains_key(&4)))
    };
    world.until("the program at every steward", known).await?;

    let bring = async |award: &AwardMessage| -> Result<(), ClientError> {
        let now = world.coop.chain.now().await.unwrap();
        sealed::post(
            &world.client(2, &world.coop.member_key(1)),
            world.sealing_of(2),
            steward::AWARDS,
            &vec![award.clone()],
            now,
        )
        .await
    };
    let nonce = U256::from(1);
    let message = eip712::Award { programId: 4, memberId: ada.id.0, epoch: 1, points: 12_000, nonce };
    let yes = passkey.sign(message_digest(31_337, awarder, eip712::digest(&message, &domain)));
    let good = AwardMessage { program: 4, member_id: ada.id, epoch: Epoch(1), points: 12_000, nonce, signature: yes };
    let raised = AwardMessage { points: 12_001, ..good.clone() };
    assert_eq!(bring(&raised).await.unwrap_err().code(), ProblemCode::BadRequest);
    let own = award(&world.coop.member_key(1), &domain, 4, ada.id, 9_000);
    let refused = bring(&own).await.unwrap_err();
    assert!(refused.to_string().contains("the awarder of program 4 is"), "{refused}");
    let stranger = give(&world, 1, &good).await.unwrap_err();
    assert_eq!(stranger.code(), ProblemCode::Forbidden, "neither member nor awarder");
    bring(&good).await?;

    world.attempt(1, 0).await?;
    world.settled(1).await?;
    let paid = 12_000 * world.coop.manifest.ledger.data_per_point / 10_000;
    assert_eq!(world.header(1).await?.data_awarded, paid);
    Ok(())
}
