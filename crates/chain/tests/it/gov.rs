//! Proposals through both houses, and what they are said to change.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::Provider as _;
use alloy::sol_types::SolCall as _;
use rochdale_chain::bindings::{CharterGate, CoopGovernor, GovToken, Membership};
use rochdale_chain::client::Sender;
use rochdale_chain::deploy::{Role, holders};
use rochdale_chain::eip712;
use rochdale_chain::events::{Follower, FollowerOptions, MemoryStore};
use rochdale_chain::gov::{
    Book, Call, CallSpec, CharterCalls, Draft, House, MotionError, Proposal, Status, Support, describe, explains,
    proposals,
};
use rochdale_chain::state::{Agreement, Cooperative};
use rochdale_testkit::anvil::{TestCoop, role_key};
use serde_json::{Value, json};

const DAY: u64 = 86_400;

pub(crate) fn spec(contract: &str, function: &str, args: Value) -> CallSpec {
    let args: BTreeMap<String, Value> = serde_json::from_value(args).unwrap();
    CallSpec { contract: contract.to_owned(), function: function.to_owned(), args, value: 0 }
}

pub(crate) fn draft(why: &str, calls: Vec<CallSpec>) -> Draft {
    Draft { why: why.to_owned(), calls }
}

/// Five members with a vote each, and units of GOV for the first four, in a cooperative that is constituted.
async fn assembly() -> (TestCoop, Vec<Sender>) {
    let (coop, members) = gathering().await;
    let gate = coop.manifest.addresses.charter_gate;
    coop.relayer.send(gate, &CharterGate::constituteCall {}).await.unwrap();
    pass(&coop, 1).await;
    (coop, members)
}

/// The same before it is constituted.
pub(crate) async fn gathering() -> (TestCoop, Vec<Sender>) {
    let coop = TestCoop::deploy().await.unwrap();
    let mut members = Vec::new();
    for n in 1..=5 {
        coop.join(&coop.member_key(n)).await.unwrap();
        members.push(coop.sender(&format!("member-{n}")).await.unwrap());
    }
    let ledger = coop.manifest.addresses.settlement_ledger;
    for member in &members[..4] {
        let amount = U256::from(100u64) * U256::from(10).pow(U256::from(18));
        let mint = GovToken::mintCall { to: member.address(), amount };
        coop.local.act_as(ledger, coop.manifest.addresses.gov_token, &mint).await.unwrap();
    }
    pass(&coop, 31 * DAY).await;
    // Units of GOV count from the first time that the token looks after the seasoning.
    for member in &members[..4] {
        let sync = GovToken::syncCall { account: member.address() };
        coop.relayer.send(coop.manifest.addresses.gov_token, &sync).await.unwrap();
    }
    (coop, members)
}

pub(crate) async fn pass(coop: &TestCoop, seconds: u64) {
    let now = coop.chain.now().await.unwrap();
    coop.local.time_to(now + seconds, 1).await.unwrap();
}

/// Votes it through and executes it.
async fn carry(coop: &TestCoop, members: &[Sender], proposal: &Proposal) {
    let status = async |wanted: Status| {
        assert_eq!(proposal.status(&coop.chain, &coop.manifest).await.unwrap(), wanted, "{proposal:?}");
    };
    status(Status::Pending).await;
    pass(coop, DAY + 1).await;
    for member in &members[..3] {
        proposal.vote(member, &coop.manifest, Support::For).await.unwrap();
    }
    status(Status::Active).await;
    pass(coop, 6 * DAY).await;
    status(Status::Succeeded).await;
    proposal.queue(&coop.relayer, &coop.manifest).await.unwrap();
    status(Status::Queued).await;
    assert!(proposal.execute(&coop.relayer, &coop.manifest).await.is_err(), "the timelock waits");
    pass(coop, 2 * DAY + 1).await;
    proposal.execute(&coop.relayer, &coop.manifest).await.unwrap();
    status(Status::Executed).await;
}

/// Puts a draft before its houses.
pub(crate) async fn propose(coop: &TestCoop, by: &Sender, draft: &Draft) -> Vec<Proposal> {
    let motions = draft.motions(&coop.chain, &coop.manifest, CharterCalls::salt(&draft.why)).await.unwrap();
    for motion in &motions {
        motion.propose(by, &coop.manifest).await.unwrap();
    }
    let all = proposals(&coop.chain, &coop.manifest).await.unwrap();
    motions.iter().map(|m| all.iter().find(|p| p.id == m.id() && p.house == m.house).unwrap().clone()).collect()
}

#[tokio::test]
async fn a_house_changes_what_is_its_own_and_the_summary_says_so_before() {
    let (coop, members) = assembly().await;
    let draft = draft(
        "More members, and a new registrar.",
        vec![
            spec("Membership", "setAdmissionsPerEpoch", json!({ "admissionsPerEpoch": 77 })),
            spec("Membership", "setRegistrar", json!({ "registrar": Address::repeat_byte(7) })),
        ],
    );
    let made = propose(&coop, &members[0], &draft).await;
    let [proposal] = &made[..] else { panic!("{made:?}") };
    assert_eq!((proposal.house, proposal.description.as_str()), (House::Member, draft.why.as_str()));
    let view = proposal.view(&coop.chain, &coop.manifest).await.unwrap();
    let shown: Vec<String> = view.calls.iter().map(ToString::to_string).collect();
    assert!(shown[0].contains("how many members one epoch may admit"), "{shown:?}");
    assert!(shown[0].contains("admissionsPerEpoch: 10000 → 77"), "{shown:?}");
    let registrar = coop.registrar.address();
    assert!(shown[1].contains(&format!("registrar: {registrar} → {}", Address::repeat_byte(7))), "{shown:?}");
    assert!(view.calls.iter().all(|call| call.warnings.is_empty()), "{view:?}");
    assert_eq!((view.quorum, view.status), (None, Status::Pending));
    assert_eq!(view.closes_at - view.opens_at, 5 * DAY);
    assert_eq!(view.executable_at - view.closes_at, 2 * DAY);

    carry(&coop, &members, proposal).await;
    let view = proposal.view(&coop.chain, &coop.manifest).await.unwrap();
    assert_eq!((view.votes_for.as_str(), view.votes_against.as_str(), view.quorum.as_deref()), ("3", "0", Some("3")));
    let call = Membership::admissionsPerEpochCall {};
    assert_eq!(coop.chain.view(coop.manifest.addresses.membership, &call).await.unwrap(), 77);
    assert!(view.calls[0].to_string().contains("77, unchanged"), "{:?}", view.calls[0]);
}

#[tokio::test]
async fn the_charter_needs_both_houses_and_shows_what_is_behind_the_hash() {
    let (coop, members) = assembly().await;
    let market = coop.manifest.addresses.market;
    let slot: B256 = rochdale_chain::gov::implementation_slot();
    let implementation = async || {
        let word = coop.chain.provider().get_storage_at(market, slot.into()).await.unwrap();
        Address::from_word(word.into())
    };
    let old = implementation().await;
    let new = coop
        .founder
        .send_raw(alloy::primitives::TxKind::Create, rochdale_chain::bindings::Market::BYTECODE.clone(), "Market")
        .await
        .unwrap()
        .created
        .unwrap();
    let upgrade = spec("Market", "upgradeToAndCall", json!({ "newImplementation": new, "data": "0x" }));
    let draft = draft("A market that was mended.", vec![upgrade]);
    let made = propose(&coop, &members[0], &draft).await;
    let [token, member] = &made[..] else { panic!("{made:?}") };
    assert_eq!((token.house, member.house), (House::Token, House::Member));
    let view = token.view(&coop.chain, &coop.manifest).await.unwrap();
    let behind = view.charter[0].to_string();
    assert!(behind.contains("replaces the contract's code"), "{behind}");
    assert!(behind.contains(&format!("newImplementation: {old} → {new}")), "{behind}");
    let charter = token.charter_calls(&coop.manifest).unwrap();
    assert_eq!(agreement(&coop, &charter).await, Agreement::default());

    carry(&coop, &members, token).await;
    let agreed = agreement(&coop, &charter).await;
    let now = coop.chain.now().await.unwrap();
    assert_eq!((agreed.by(now), agreed.executed), (vec![House::Token], None));
    assert_eq!(agreed.lapses_at(now), agreed.token.map(|at| at + Agreement::VALIDITY));
    assert_eq!(agreed.by(now + 31 * DAY), []);
    let alone = charter.execute(&coop.relayer, &coop.manifest).await.unwrap_err().to_string();
    assert!(alone.contains("CharterGate_NotApproved"), "{alone}");
    let again = Proposal { calls: member.calls.clone(), ..member.clone() };
    // The second house's vote was open meanwhile, and nobody voted: it is proposed once more, in other words.
    assert_eq!(again.status(&coop.chain, &coop.manifest).await.unwrap(), Status::Defeated);
    let retry = Draft { why: draft.why.clone(), ..draft.clone() };
    let mut motions = retry.motions(&coop.chain, &coop.manifest, CharterCalls::salt(&draft.why)).await.unwrap();
    let mut motion = motions.remove(1);
    motion.description = format!("Again: {}", motion.description);
    motion.propose(&members[1], &coop.manifest).await.unwrap();
    let all = proposals(&coop.chain, &coop.manifest).await.unwrap();
    let second = all.into_iter().find(|p| p.id == motion.id()).unwrap();
    carry(&coop, &members, &second).await;
    charter.execute(&coop.relayer, &coop.manifest).await.unwrap();
    assert_eq!(implementation().await, new);
    let done = agreement(&coop, &charter).await;
    assert!(done.executed.is_some() && done.member > done.token, "{done:?}");
}

/// What is folded of a charter operation.
async fn agreement(coop: &TestCoop, charter: &CharterCalls) -> Agreement {
    let options = FollowerOptions { houses: true, ..FollowerOptions::default() };
    let mut follower = Follower::with_options(coop.chain.clone(), &coop.manifest, MemoryStore::default(), options);
    follower.step().await.unwrap();
    let state = Cooperative::fold(follower.store().events());
    state.governance.charter.get(&charter.operation()).copied().unwrap_or_default()
}

#[tokio::test]
async fn an_approval_hides_neither_another_call_nor_another_approval() {
    let (coop, members) = assembly().await;
    let draft = draft(
        "Longer votes.",
        vec![spec(
            "License",
            "upgradeToAndCall",
            json!({ "newImplementation": Address::repeat_byte(5), "data": "0x" }),
        )],
    );
    let honest = propose(&coop, &members[0], &draft).await.remove(0);
    let words = async |proposal: &Proposal| proposal.words(&coop.chain, &coop.manifest).await.unwrap();
    let gate = coop.manifest.addresses.charter_gate;
    let approve = |operation| CharterGate::approveCall { operation }.abi_encode().into();
    let second = Call { target: gate, value: U256::ZERO, data: approve(B256::repeat_byte(0x66)) };
    let fewer = Membership::setAdmissionsPerEpochCall { admissionsPerEpoch_: 1 }.abi_encode().into();
    let beside = Call { target: coop.manifest.addresses.membership, value: U256::ZERO, data: fewer };
    let warned =
        |of: &rochdale_chain::gov::Translated, what: &str| of.described.warnings.iter().any(|w| w.contains(what));
    let (unknown, more) = ("is not known", "does more than approve");

    let told = words(&honest).await;
    assert!(told.charter.len() == 1 && !warned(&told.calls[0], unknown) && !warned(&told.calls[0], more), "{told:?}");

    let calls = |others: &[&Call]| honest.calls.iter().chain(others.iter().copied()).cloned().collect::<Vec<Call>>();
    let hiding = Proposal { calls: calls(&[&beside]), ..honest.clone() };
    let told = words(&hiding).await;
    assert!(told.calls[1].described.to_string().contains("how many members one epoch may admit"), "{told:?}");
    assert!(warned(&told.calls[0], more) && !warned(&told.calls[0], unknown), "{told:?}");

    // Whichever of the two stands first, the one whose calls are not carried is warned of.
    let twice = Proposal { calls: calls(&[&second]), ..honest.clone() };
    let turned = Proposal { calls: twice.calls.iter().rev().cloned().collect(), ..honest.clone() };
    for (proposal, known, not) in [(&twice, 0, 1), (&turned, 1, 0)] {
        let told = words(proposal).await;
        assert!(warned(&told.calls[not], unknown) && !warned(&told.calls[known], unknown), "{told:?}");
        assert_eq!(told.charter.len(), 1);
    }
    let bare = Proposal { description: "Trust me.".to_owned(), ..honest.clone() };
    let told = words(&bare).await;
    assert!(told.charter.is_empty() && warned(&told.calls[0], unknown), "{told:?}");
    assert!(bare.charter_calls(&coop.manifest).is_none());
}

#[tokio::test]
async fn nobody_else_can_make_a_proposal_that_names_its_proposer() {
    let (coop, members) = assembly().await;
    let call = spec("Membership", "setAdmissionsPerEpoch", json!({ "admissionsPerEpoch": "12" }));
    let draft = draft("Fewer.", vec![call]);
    let motions = draft.motions(&coop.chain, &coop.manifest, B256::ZERO).await.unwrap();
    let motion = motions[0].clone().by(members[0].address());
    let error = motion.propose(&members[1], &coop.manifest).await.unwrap_err().to_string();
    assert!(error.contains("GovernorRestrictedProposer"), "{error}");
    motion.propose(&members[0], &coop.manifest).await.unwrap();
    let all = proposals(&coop.chain, &coop.manifest).await.unwrap();
    let made = all.iter().find(|p| p.id == motion.id()).unwrap();
    assert_eq!((made.proposer, made.description.lines().next()), (members[0].address(), Some("Fewer.")));
}

#[tokio::test]
async fn a_vote_can_be_signed_by_its_member_and_sent_by_anyone() {
    let (coop, members) = assembly().await;
    let call = spec("Membership", "setAdmissionsPerEpoch", json!({ "admissionsPerEpoch": "12" }));
    let made = propose(&coop, &members[0], &draft("Fewer.", vec![call])).await;
    pass(&coop, DAY + 1).await;
    let (key, domain) = (role_key("member-2"), House::Member.domain(&coop.manifest));
    let governor = coop.manifest.addresses.member_governor;
    let nonce = coop.chain.view(governor, &CoopGovernor::noncesCall { owner: key.address() }).await.unwrap();
    let ballot = made[0].ballot(key.address(), Support::Against, nonce);
    let forged = eip712::sign(&role_key("member-3"), &ballot, &domain).unwrap();
    assert!(made[0].vote_for(&coop.relayer, &coop.manifest, &ballot, forged).await.is_err());
    let signature = eip712::sign(&key, &ballot, &domain).unwrap();
    made[0].vote_for(&coop.relayer, &coop.manifest, &ballot, signature).await.unwrap();
    let view = made[0].view(&coop.chain, &coop.manifest).await.unwrap();
    assert_eq!((view.votes_for.as_str(), view.votes_against.as_str()), ("0", "1"));
}

#[tokio::test]
async fn what_cannot_be_proposed_says_why() {
    let coop = TestCoop::deploy().await.unwrap();
    let error = async |calls: Vec<CallSpec>| {
        let motions = draft("x", calls).motions(&coop.chain, &coop.manifest, B256::ZERO).await;
        motions.unwrap_err().to_string()
    };
    let cap = || spec("Membership", "setAdmissionsPerEpoch", json!({ "admissionsPerEpoch": 1 }));
    let cooldown = spec("ContributionRegistry", "setCooldown", json!({ "cooldown": 86_400 }));
    let mixed = error(vec![cap(), cooldown]).await;
    assert!(mixed.contains("member house, token house"), "{mixed}");
    let pause = spec("Membership", "setPausedUntil", json!({ "until": 1 }));
    let motions = draft("x", vec![pause]).motions(&coop.chain, &coop.manifest, B256::ZERO).await;
    assert!(matches!(motions, Err(MotionError::Pause)), "{motions:?}");
    assert!(error(Vec::new()).await.contains("at least one call"));
    let wrong = |contract: &str, function: &str, args: Value| vec![spec(contract, function, args)];
    let said = error(wrong("Bank", "rob", json!({}))).await;
    assert!(said.contains("no contract \"Bank\"") && said.contains("Treasury"), "{said}");
    let said = error(wrong("Membership", "isMember", json!({}))).await;
    assert!(said.contains("no function \"isMember\" that changes anything") && said.contains("setRegistrar"), "{said}");
    let said = error(wrong("Membership", "setRegistrar", json!({}))).await;
    assert!(said.contains("argument \"registrar\" is missing"), "{said}");
    let said = error(wrong("Membership", "setRegistrar", json!({ "registrar": "me" }))).await;
    assert!(said.contains("setRegistrar.registrar: \"me\" is no address"), "{said}");
    let said = error(wrong("Membership", "setAdmissionsPerEpoch", json!({ "cap": 1, "admissionsPerEpoch": 1 }))).await;
    assert!(said.contains("no argument \"cap\""), "{said}");
}

#[tokio::test]
async fn what_nobody_explains_is_shown_raw_with_a_warning() {
    let coop = TestCoop::deploy().await.unwrap();
    let book = Book::of(&coop.manifest);
    let show = async |target: Address, data: &[u8], value: u64| {
        let call = Call { target, value: U256::from(value), data: Bytes::copy_from_slice(data) };
        describe(&coop.chain, &book, &call).await.unwrap()
    };
    let strange = show(Address::repeat_byte(9), b"\x12\x34\x56\x78\x9a", 5).await;
    assert!(strange.words.contains("0x123456789a"), "{strange}");
    assert_eq!(strange.function, "0x12345678");
    assert!(strange.warnings.iter().any(|w| w.contains("no contract of this cooperative")), "{strange}");
    assert!(strange.warnings.iter().any(|w| w.contains("5 wei")), "{strange}");
    let membership = coop.manifest.addresses.membership;
    let unknown = show(membership, b"\x12\x34\x56\x78", 0).await;
    assert!(unknown.warnings[0].contains("no such function"), "{unknown}");
    let cut = show(membership, &Membership::setRegistrarCall::SELECTOR, 0).await;
    assert!(cut.warnings[0].contains("not with these arguments"), "{cut}");
    let odd = Membership::closeCall { memberId: 3 }.abi_encode();
    let odd = show(membership, &odd, 0).await;
    assert!(odd.warnings[0].contains("not in the table") && odd.changes[0].new == "3", "{odd}");
}

#[tokio::test]
async fn every_function_of_a_house_is_explained() {
    let coop = TestCoop::deploy().await.unwrap();
    let book = Book::of(&coop.manifest);
    let held = holders(&coop.chain, &coop.manifest).await.unwrap();
    let mut seen = 0;
    for (target, functions) in &held.functions {
        let entry = book.by_address(*target).unwrap();
        for (selector, role) in functions {
            if ![Role::TokenHouse, Role::MemberHouse, Role::Treasury].map(Role::number).contains(role) {
                continue;
            }
            let function = entry.abi.functions().find(|f| f.selector() == *selector);
            let function = function.unwrap_or_else(|| panic!("{} has no function {selector}", entry.name));
            assert!(explains(entry.kind, &function.name), "{}.{} is not in the table", entry.name, function.name);
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen} functions only");
    // What the founder or the factory ever held, they gave up.
    for stranger in [coop.manifest.founder, coop.manifest.addresses.factory] {
        assert!(held.holders.values().flatten().all(|holder| *holder != stranger), "{held:?}");
    }
}
