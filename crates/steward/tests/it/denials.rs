//! Withdrawals that members hand to stewards while the gateway does not answer.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::ext::AnvilApi as _;
use alloy::sol_types::Eip712Domain;
use anyhow::Result;
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::denial::{ConsentStanding, DenialState, DenialTaken, LEAST_LEFT, MOST_SIGNATURE};
use rochdale_api::member::DenyRequest;
use rochdale_api::order::ShareAnswer;
use rochdale_api::route::steward;
use rochdale_chain::eip712;
use rochdale_client::{Member, Stamp, statement};
use rochdale_core::consent::Choice;
use rochdale_core::ids::ContributionId;
use rochdale_testkit::anvil::role_key;

use crate::queries::{Asked, YEAR};
use crate::world::{TestMember, World};

/// What is signed holds for a day.
const DAY: u64 = 86_400;

impl World {
    async fn deny_with(&self, member: &TestMember, erases: bool, nonce: u64, lasts: u64) -> Result<DenyRequest> {
        let (site, stamp) = (self.site(), Stamp { nonce, deadline: self.now().await? + lasts });
        let member = member.of(&site);
        Ok(if erases { member.erase(stamp)? } else { member.revoke(stamp)? })
    }

    /// A withdrawal with the number that the chain takes.
    pub async fn deny(&self, member: &TestMember, erases: bool) -> Result<DenyRequest> {
        self.deny_with(member, erases, self.coop.consent_nonce(member.id).await?, DAY).await
    }

    pub async fn hand(&self, seat: u8, erases: bool, request: &DenyRequest) -> Result<DenialTaken, ClientError> {
        let route = if erases { steward::ERASE } else { steward::REVOKE };
        self.client(seat, &role_key("nobody")).post(route, request).await
    }

    pub async fn standing(&self, seat: u8, member: &TestMember) -> Result<ConsentStanding> {
        Ok(self.client(seat, &role_key("nobody")).get(steward::STANDING.at(member.id)).await?)
    }

    /// Waits until these stewards hold a withdrawal of the member.
    async fn held_by(&self, seats: &[u8], member: &TestMember) -> Result<()> {
        self.until("a withdrawal that is passed on", async || {
            for seat in seats {
                if self.standing(*seat, member).await?.withdrawals.is_empty() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
    }

    /// Waits until the chain shows the consent so.
    async fn consent_is(&self, member: &TestMember, word: &str) -> Result<()> {
        self.until(word, async || Ok(self.standing(1, member).await?.consent == word)).await
    }

    /// A member with one record, and a booked question over it that stays open for three days.
    async fn asked_of_one(&self) -> Result<(TestMember, Vec<ContributionId>, Asked)> {
        let ada = self.member(1).await?;
        let ids = self.contribute(&[(&ada, self.record(1).await?)]).await?;
        let license = self.license(1_000, YEAR).await?;
        let (deadline, cut) = (self.now().await? + 3 * DAY, self.coop.chain.head().await?.finalized.hash);
        let asked = self.order_as(license, 10_000_000, "researcher", deadline, cut)?;
        self.book(&asked, &[1, 2]).await?;
        Ok((ada, ids, asked))
    }

    /// For each record: whether this steward gives its share of it.
    async fn gives(&self, seat: u8, order: B256, ids: &[ContributionId]) -> Result<Vec<bool>> {
        let answers = self.release(seat, order, ids).await?;
        Ok(answers.iter().map(|answer| matches!(answer, ShareAnswer::Released { .. })).collect())
    }
}

fn code<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> ProblemCode {
    answer.unwrap_err().code()
}

/// The way of it: a question is booked, the gateway falls silent, a member withdraws at one steward. Erasing goes the same way.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_to_one_steward_opens_nothing_at_any_and_comes_on_chain_with_the_gateway() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let (ada, ben, eve) = (world.member(1).await?, world.member(2).await?, world.member(3).await?);
    let record = world.record(1).await?;
    let ids = world.contribute(&[(&ada, record.clone()), (&ben, record.clone()), (&eve, record)]).await?;
    let license = world.license(1_000, YEAR).await?;
    let asked = world.order(license, 10_000_000).await?;
    world.book(&asked, &[1, 2]).await?;
    let snapshot = world.snapshot(1, &asked).await?;
    assert_eq!(world.gives(1, asked.digest, &ids).await?, [true, true, true]);

    // Nobody relays for these two; one steward is told by each, and one is down.
    world.down(3).await?;
    let (withdrawal, erasure) = (world.deny(&ben, false).await?, world.deny(&eve, true).await?);
    assert_eq!(world.hand(1, false, &withdrawal).await?.state, DenialState::Held);
    assert_eq!(world.gives(1, asked.digest, &ids).await?, [true, false, true], "at once");
    assert_eq!(world.hand(2, true, &erasure).await?.state, DenialState::Held);
    world.held_by(&[1, 2], &ben).await?;
    world.held_by(&[1, 2], &eve).await?;
    for seat in [1, 2] {
        assert_eq!(world.gives(seat, asked.digest, &ids).await?, [true, false, false], "steward {seat}");
    }
    // The last one hears of it when it comes back; and one that starts again has kept it.
    world.down(1).await?;
    world.up(1).await?;
    world.up(3).await?;
    world.held_by(&[1, 2, 3], &ben).await?;
    world.held_by(&[1, 2, 3], &eve).await?;
    for seat in 1..=3 {
        assert_eq!(world.gives(seat, asked.digest, &ids).await?, [true, false, false], "steward {seat}");
    }
    // Nothing else follows: who is in the next question is what the chain says.
    let next = world.order(license, 10_000_000).await?;
    for seat in 1..=3 {
        assert_eq!(world.snapshot(seat, &next).await?.contributions, snapshot.contributions, "steward {seat}");
    }
    assert_eq!(world.standing(1, &ben).await?.consent, "granted");

    world.relay_withdrawals(true);
    world.consent_is(&ben, "revoked").await?;
    world.consent_is(&eve, "erased").await?;
    assert_eq!(world.hand(1, false, &withdrawal).await?.state, DenialState::OnChain);
    assert_eq!(world.hand(1, true, &erasure).await?.state, DenialState::OnChain);
    // Once that is final it is forgotten, and what is erased is destroyed.
    world
        .until("nothing held", async || {
            world.coop.local.mine(1).await?;
            let mut held = 0;
            for seat in 1..=3 {
                held += world.steward(seat).store.denials().await?.len();
                held += usize::try_from(world.steward(seat).store.share_count(eve.id).await?)?;
            }
            Ok(held == 0)
        })
        .await?;
    assert_eq!(world.gives(1, asked.digest, &ids).await?, [true, false, false]);

    // Consent that is given anew counts, and the withdrawal of before does not.
    world.consent(&ben, 2, &Choice::health_research()).await?;
    world.coop.local.mine(3).await?;
    assert_eq!(code(world.hand(1, false, &withdrawal).await), ProblemCode::Conflict, "replayed");
    assert_eq!(world.gives(1, asked.digest, &ids[1..2]).await?, [true]);
    assert!(world.steward(1).store.denials().await?.is_empty());
    Ok(())
}

/// Whoever brings something that the contract would refuse has nothing stored and nothing refused.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_contract_would_refuse_is_refused_and_stored_nowhere() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    let good = world.deny(&ada, false).await?;
    let site = world.site();
    // Another's key, another's statement, another kind, a changed field, another chain, another registry.
    let stamp = Stamp { nonce: good.nonce, deadline: good.deadline };
    let forged = Member { site: &site, key: &ben.key, id: ada.id }.revoke(stamp)?;
    let renamed = DenyRequest { member_id: ben.id, ..good.clone() };
    let later = DenyRequest { deadline: good.deadline + 1, ..good.clone() };
    for request in [&forged, &renamed, &later] {
        assert_eq!(code(world.hand(1, false, request).await), ProblemCode::Forbidden, "{request:?}");
    }
    assert_eq!(code(world.hand(1, true, &good).await), ProblemCode::Forbidden, "a withdrawal is no erasure");
    let domain = world.coop.manifest.consent_domain();
    let other_chain = Eip712Domain { chain_id: Some(U256::from(1)), ..domain.clone() };
    let other_registry = Eip712Domain { verifying_contract: Some(Address::repeat_byte(7)), ..domain };
    for domain in [other_chain, other_registry] {
        let signature = eip712::sign(&ada.key, &statement::revoke(&good), &domain)?;
        let elsewhere = DenyRequest { signature, ..good.clone() };
        assert_eq!(code(world.hand(1, false, &elsewhere).await), ProblemCode::Forbidden);
    }
    // The same key's, in forms that the contract does not recover.
    for v in [0, 1, 37] {
        let mut bytes = good.signature.to_vec();
        bytes[64] = if v < 2 { bytes[64] - 27 } else { v };
        let odd = DenyRequest { signature: bytes.into(), ..good.clone() };
        assert_eq!(code(world.hand(1, false, &odd).await), ProblemCode::Forbidden, "{v}");
    }
    let long = DenyRequest { signature: Bytes::from(vec![0; MOST_SIGNATURE + 1]), ..good.clone() };
    assert_eq!(code(world.hand(1, false, &long).await), ProblemCode::TooLarge);
    let nobody = DenyRequest { member_id: 77.into(), ..good.clone() };
    assert_eq!(code(world.hand(1, false, &nobody).await), ProblemCode::NotFound);
    // Numbers that were used or lie ahead; that of tomorrow does not stand alone, or nobody could bring it on chain.
    for nonce in [good.nonce - 1, good.nonce + 1, good.nonce + 2, u64::MAX - 1] {
        let request = world.deny_with(&ada, false, nonce, DAY).await?;
        assert_eq!(code(world.hand(1, false, &request).await), ProblemCode::Conflict, "{nonce}");
    }
    for lasts in [0, LEAST_LEFT - 60, 400 * DAY] {
        let request = world.deny_with(&ada, false, good.nonce, lasts).await?;
        assert_eq!(code(world.hand(1, false, &request).await), ProblemCode::Expired, "{lasts}");
    }
    for seat in 1..=3 {
        assert!(world.steward(seat).store.denials().await?.is_empty());
    }

    // One for a member and a number; an erasure stands in its place, and the same again changes nothing.
    assert_eq!(world.hand(1, false, &good).await?.state, DenialState::Held);
    let again = world.deny_with(&ada, false, good.nonce, DAY + 60).await?;
    assert_eq!(world.hand(1, false, &again).await?.state, DenialState::Held);
    let held = world.steward(1).store.denials().await?;
    assert_eq!((held.len(), &held[0].request), (1, &good));
    let erasure = world.deny(&ada, true).await?;
    assert_eq!(world.hand(1, true, &erasure).await?.state, DenialState::Held);
    assert_eq!(world.hand(1, false, &good).await?.state, DenialState::Held);
    let held = world.steward(1).store.denials().await?;
    assert_eq!((held.len(), held[0].erases), (1, true));

    // Whoever has no consent that stands has nothing to withdraw, and a membership that ended only what is erased.
    world.coop.revoke(&ben.key, ben.id).await?;
    let nothing = world.deny(&ben, false).await?;
    assert_eq!(code(world.hand(2, false, &nothing).await), ProblemCode::Conflict);
    world.leave(&ben).await?;
    let erasure = world.deny(&ben, true).await?;
    assert_eq!(world.hand(2, true, &erasure).await?.state, DenialState::Held);
    Ok(())
}

/// A gateway that kept a consent back sends it to use up the number of the withdrawal.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_was_held_back_undoes_no_withdrawal() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ids, asked) = world.asked_of_one().await?;
    let site = world.site();
    let held_back = world.coop.consent(ada.of(&site), 2, Choice::health_research()).await?;

    let number = held_back.nonce;
    let (first, second) =
        (world.deny_with(&ada, false, number, DAY).await?, world.deny_with(&ada, false, number + 1, DAY).await?);
    for request in [&first, &second] {
        assert_eq!(world.hand(1, false, request).await?.state, DenialState::Held);
    }
    world.held_by(&[2, 3], &ada).await?;
    world.coop.relay_grant(&held_back).await?;
    for seat in 1..=3u8 {
        world.give_receipt(seat, &held_back).await?;
    }
    world.coop.local.mine(4).await?;
    world.until("one that is answered", async || Ok(world.standing(1, &ada).await?.withdrawals.len() == 1)).await?;
    for seat in 1..=3 {
        assert_eq!(world.gives(seat, asked.digest, &ids).await?, [false], "steward {seat}");
    }
    world.relay_withdrawals(true);
    world.consent_is(&ada, "revoked").await?;

    // What the member gives afterwards counts, once it is final.
    world.consent(&ada, 3, &Choice::health_research()).await?;
    world.coop.local.mine(4).await?;
    assert_eq!(world.gives(1, asked.digest, &ids).await?, [true]);
    Ok(())
}

/// Also after its deadline, and until a later consent: what nobody brought on chain goes on to be obeyed here.
#[tokio::test(flavor = "multi_thread")]
async fn what_its_deadline_overtook_is_obeyed_until_consent_is_given_anew() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ids, asked) = world.asked_of_one().await?;
    let withdrawal = world.deny(&ada, false).await?;
    world.hand(1, false, &withdrawal).await?;
    world.held_by(&[2, 3], &ada).await?;
    world.coop.local.time_to(withdrawal.deadline + 60, 3).await?;
    assert_eq!(world.gives(2, asked.digest, &ids).await?, [false]);
    // The number is free still: the member consents anew by it.
    world.consent(&ada, 2, &Choice::health_research()).await?;
    assert_eq!(world.gives(2, asked.digest, &ids).await?, [false], "not final yet");
    world.coop.local.mine(4).await?;
    assert_eq!(world.gives(2, asked.digest, &ids).await?, [true]);
    Ok(())
}

/// Withdrawn on chain, then a statement with the number after the next, and consent with the next one long after that statement's end: nobody
/// could ever bring it on chain, and obeyed it would have its member paid for records that nobody may open.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_nobody_can_bring_on_chain_any_more_ends_with_the_consent_after_it() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, ids, asked) = world.asked_of_one().await?;
    let first = world.deny(&ada, false).await?;
    world.relay_withdrawals(true);
    world.hand(1, false, &first).await?;
    world.consent_is(&ada, "revoked").await?;
    let after = world.coop.consent_nonce(ada.id).await? + 1;
    let later = world.deny_with(&ada, false, after, LEAST_LEFT + 60).await?;
    for seat in 1..=3 {
        assert_eq!(world.hand(seat, false, &later).await?.state, DenialState::Held);
    }
    world.coop.local.time_to(later.deadline + 60, 3).await?;
    world.consent(&ada, 2, &Choice::health_research()).await?;
    world.coop.local.mine(4).await?;
    for seat in 1..=3 {
        assert_eq!(world.gives(seat, asked.digest, &ids).await?, [true], "steward {seat}");
    }
    assert!(world.standing(1, &ada).await?.withdrawals.is_empty());
    Ok(())
}

/// A record that waits for its scores is opened by nobody, until its member consents anew.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_is_not_opened_to_be_scored() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let withdrawal = world.deny(&ada, false).await?;
    world.hand(1, false, &withdrawal).await?;
    world.held_by(&[1, 2, 3], &ada).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    for _ in 0..3 {
        world.stand_in().await?;
        let said = async || {
            let waits = world.steward(1).store.deferred().await?;
            let of_it = |(id, why): &(ContributionId, String)| {
                *id == ids[0] && (why.contains("past the gateway") || why.contains("no score yet"))
            };
            Ok(waits.iter().any(of_it))
        };
        world.until("a reason", said).await?;
    }
    for seat in 1..=3 {
        assert!(world.steward(seat).store.openings(ada.id).await?.is_empty(), "steward {seat}");
    }
    world.consent(&ada, 2, &Choice::health_research()).await?;
    world.coop.local.mine(4).await?;
    world.scored(1).await
}

/// A contract account's word is asked for as the contract asks for it, also where it says yes to everything: one is kept for a number.
#[tokio::test(flavor = "multi_thread")]
async fn a_contract_account_withdraws_by_its_own_word() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let good = world.deny(&ada, false).await?;
    let by_word = |word: &'static [u8]| DenyRequest { signature: Bytes::from_static(word), ..good.clone() };
    assert_eq!(code(world.hand(1, false, &by_word(b"word")).await), ProblemCode::Forbidden, "no contract is there");
    // Returns ERC-1271's magic word, whatever it is asked.
    let yes = Bytes::from_static(&alloy::hex!("631626ba7e60e01b5f5260205ff3"));
    world.coop.chain.provider().anvil_set_code(ada.key.address(), yes).await?;
    world.coop.local.mine(1).await?;
    for word in [&b"word"[..], b"other"] {
        assert_eq!(world.hand(1, false, &by_word(word)).await?.state, DenialState::Held);
    }
    let held = world.steward(1).store.denials().await?;
    assert_eq!((held.len(), &held[0].request.signature[..]), (1, &b"word"[..]));
    world.held_by(&[1, 2, 3], &ada).await?;
    world.relay_withdrawals(true);
    world.consent_is(&ada, "revoked").await
}

/// What the chain showed and a reorganization took back is obeyed on, also where it was only seen there, and comes on chain again.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_a_reorganization_drops_is_obeyed_and_comes_back() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let (ada, ids, asked) = world.asked_of_one().await?;
    let withdrawal = world.deny(&ada, false).await?;
    world.down(3).await?;
    world.relay_withdrawals(true);
    world.hand(1, false, &withdrawal).await?;
    world.consent_is(&ada, "revoked").await?;
    world.relay_withdrawals(false);
    world.up(3).await?;
    assert_eq!(world.hand(3, false, &withdrawal).await?.state, DenialState::OnChain);
    world.coop.local.reorg(1).await?;
    world.consent_is(&ada, "granted").await?;
    for seat in 1..=3 {
        assert_eq!(world.gives(seat, asked.digest, &ids).await?, [false], "steward {seat}");
    }
    world.relay_withdrawals(true);
    world.consent_is(&ada, "revoked").await
}
