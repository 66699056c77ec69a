//! Ballots against the real `Membership`: who counts at the snapshot, and whose signature.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, keccak256};
use alloy::providers::ext::AnvilApi as _;
use alloy::signers::local::PrivateKeySigner;
use rochdale_chain::bindings::Membership;
use rochdale_chain::poll::{Electorate, ElectorateError, id};
use rochdale_chain::{eip712, erc1271};
use rochdale_core::ids::MemberId;
use rochdale_core::poll::{Ballot, House, Poll, PollError, Refusal};
use rochdale_testkit::anvil::TestCoop;

const DAY: u64 = 86_400;
/// Returns ERC-1271's magic word whatever is asked.
const AGREES: &[u8] = &alloy::primitives::hex!("631626ba7e60e01b60005260206000f3");
/// Reverts whatever is asked.
const REVERTS: &[u8] = &alloy::primitives::hex!("60006000fd");
/// Burns all gas whatever is asked.
const BURNS: &[u8] = &alloy::primitives::hex!("fe");
/// Returns nothing whatever is asked.
const SAYS_NOTHING: &[u8] = &alloy::primitives::hex!("00");
/// Returns the magic word if it has more than 4.9 and less than 5 million gas left, reverts if not.
const BY_GAS: &[u8] =
    &alloy::primitives::hex!("5a624ac4a0105a624c4b41111660155760006000fd5b631626ba7e60e01b60005260206000f3");

/// A poll whose snapshot is the last final block, open for a week from now, signed by its author.
async fn ask(coop: &TestCoop, author: MemberId, key: &PrivateKeySigner) -> (Poll, Bytes) {
    coop.local.mine(3).await.unwrap();
    let now = coop.chain.now().await.unwrap();
    let poll = Poll {
        author,
        question: "Shall study 12 be joined?".to_owned(),
        options: vec!["yes".to_owned(), "no".to_owned()],
        snapshot_block: coop.chain.head().await.unwrap().finalized.number,
        opens_at: now,
        closes_at: now + 7 * DAY,
        house: House::Members,
    };
    let signature = eip712::sign(key, &eip712::Poll::from(&poll), &coop.manifest.poll_domain()).unwrap();
    (poll, signature)
}

fn answer(coop: &TestCoop, poll: &Poll, member: MemberId, key: &PrivateKeySigner, choice: u16) -> (Ballot, Bytes, u64) {
    let ballot = Ballot { poll: id(poll), member, choice, sequence: 0, deadline: poll.closes_at };
    let signature = eip712::sign(key, &eip712::Ballot::from(&ballot), &coop.manifest.poll_domain()).unwrap();
    (ballot, signature, poll.opens_at + 60)
}

/// Admits an account that no key of ours signs for.
async fn join_contract(coop: &TestCoop, account: Address) -> MemberId {
    let admission = eip712::Admission {
        account,
        payout: account,
        nullifier: keccak256(account),
        rowKeyDigest: keccak256(b"row keys"),
        deadline: coop.deadline().await.unwrap(),
    };
    let signature = eip712::sign(&coop.registrar, &admission, &coop.manifest.membership_domain()).unwrap();
    let membership = coop.manifest.addresses.membership;
    let call = Membership::joinCall { a: admission.into(), registrarSignature: signature };
    coop.relayer.send(membership, &call).await.unwrap();
    MemberId(coop.chain.view(membership, &Membership::memberIdOfCall { account }).await.unwrap())
}

#[tokio::test]
async fn a_tally_counts_the_members_of_the_snapshot_and_says_why_others_do_not_count() {
    let coop = TestCoop::deploy().await.unwrap();
    let keys: Vec<PrivateKeySigner> = (1..=6).map(|n| coop.member_key(n)).collect();
    let ids: Vec<MemberId> = {
        let mut ids = Vec::new();
        for key in &keys[..4] {
            ids.push(coop.join(key).await.unwrap());
        }
        ids
    };
    let contract = Address::repeat_byte(0xc0);
    let by_contract = join_contract(&coop, contract).await;
    coop.chain.provider().anvil_set_code(contract, Bytes::from_static(AGREES)).await.unwrap();
    // The fourth leaves before, the third only after the snapshot.
    coop.erase(&keys[3], ids[3]).await.unwrap();
    let now = coop.chain.now().await.unwrap();
    coop.local.time_to(now + 31 * DAY, 1).await.unwrap();
    let young = coop.join(&keys[4]).await.unwrap();
    let (poll, signature) = ask(&coop, ids[0], &keys[0]).await;
    coop.erase(&keys[2], ids[2]).await.unwrap();
    let late = coop.join(&keys[5]).await.unwrap();
    // What the contract account says later does not matter: it is asked as of the snapshot.
    coop.chain.provider().anvil_set_code(contract, Bytes::from_static(REVERTS)).await.unwrap();

    let electorate = Electorate::of(&coop.chain, &coop.manifest, &poll, &signature).await.unwrap();
    let mut forged = answer(&coop, &poll, ids[1], &keys[0], 0);
    forged.0.sequence = 9;
    let (mut other_poll, mut tampered) =
        (answer(&coop, &poll, ids[0], &keys[0], 1), answer(&coop, &poll, ids[0], &keys[0], 0));
    other_poll.0.poll = B256::ZERO;
    tampered.0.choice = 1;
    let mut contracts = answer(&coop, &poll, by_contract, &keys[0], 1);
    contracts.1 = Bytes::from_static(b"whatever the account takes");
    let ballots = [
        answer(&coop, &poll, ids[0], &keys[0], 0),
        answer(&coop, &poll, ids[1], &keys[1], 1),
        answer(&coop, &poll, ids[2], &keys[2], 0),
        answer(&coop, &poll, ids[3], &keys[3], 0),
        answer(&coop, &poll, young, &keys[4], 0),
        answer(&coop, &poll, late, &keys[5], 0),
        answer(&coop, &poll, MemberId(99), &keys[0], 0),
        forged,
        other_poll,
        tampered,
        contracts,
    ];
    let tally = electorate.tally(&poll, &ballots).await.unwrap();
    assert_eq!((tally.votes, tally.counted), (vec![2, 2], 4), "1 and 3 say yes, 2 and the contract say no");
    let refused: Vec<(usize, Refusal)> = tally.refused;
    let wrong = |n: usize| Refusal::WrongSigner { account: keys[n].address() };
    assert_eq!(
        refused,
        [
            (3, Refusal::NotAMember),
            (4, Refusal::Unseasoned),
            (5, Refusal::NotAMember),
            (6, Refusal::NotAMember),
            (7, wrong(1)),
            (8, Refusal::OtherPoll),
            (9, wrong(0)),
        ]
    );
}

#[tokio::test]
async fn a_poll_needs_its_authors_signature_and_a_final_block() {
    let coop = TestCoop::deploy().await.unwrap();
    let (key, other) = (coop.member_key(1), coop.member_key(2));
    // Blocks of one second are told apart by nothing that a membership keeps.
    let now = coop.chain.now().await.unwrap();
    coop.local.time_to(now + 100, 1).await.unwrap();
    let author = coop.join(&key).await.unwrap();
    let (poll, signature) = ask(&coop, author, &key).await;
    let look = async |poll: &Poll, signature: &Bytes| {
        Electorate::of(&coop.chain, &coop.manifest, poll, signature).await.map(|_| ()).unwrap_err()
    };
    Electorate::of(&coop.chain, &coop.manifest, &poll, &signature).await.unwrap();
    let theirs = eip712::sign(&other, &eip712::Poll::from(&poll), &coop.manifest.poll_domain()).unwrap();
    assert!(matches!(look(&poll, &theirs).await, ElectorateError::Author(found) if found == author));
    let mut changed = poll.clone();
    changed.options.swap(0, 1);
    assert!(matches!(look(&changed, &signature).await, ElectorateError::Author(_)));
    let mut soon = poll.clone();
    soon.snapshot_block += 1;
    assert!(matches!(look(&soon, &signature).await, ElectorateError::NotFinal { .. }));
    let mut early = poll.clone();
    early.opens_at = 1;
    assert!(matches!(
        look(&early, &signature).await,
        ElectorateError::Poll(PollError::Times { .. } | PollError::LateSnapshot { .. })
    ));
    // Before the author joined: nobody asked.
    let mut before = poll;
    before.snapshot_block = 1;
    let resigned = eip712::sign(&key, &eip712::Poll::from(&before), &coop.manifest.poll_domain()).unwrap();
    assert!(matches!(look(&before, &resigned).await, ElectorateError::Author(_)));
}

#[tokio::test]
async fn a_contracts_answer_is_the_same_whatever_the_rpc_allows_and_no_error_is_a_no() {
    let coop = TestCoop::deploy().await.unwrap();
    let account = Address::repeat_byte(0xc0);
    let ask = async |code: &'static [u8]| {
        coop.chain.provider().anvil_set_code(account, Bytes::from_static(code)).await.unwrap();
        let signature = Bytes::from_static(b"whatever the account takes");
        erc1271::accepts(&coop.chain, account, B256::ZERO, &signature, BlockId::latest()).await
    };
    assert!(ask(AGREES).await.unwrap());
    assert!(!ask(REVERTS).await.unwrap());
    assert!(!ask(BURNS).await.unwrap(), "out of gas is an answer of the contract's, not an error of the node's");
    assert!(!ask(SAYS_NOTHING).await.unwrap());
    assert!(!ask(b"").await.unwrap(), "nobody is there");
    // It agrees if the gas left is between 4.9 and 5 million: the same to whoever asks.
    assert!(ask(BY_GAS).await.unwrap());
    let missing = BlockId::hash(B256::repeat_byte(9));
    coop.chain.provider().anvil_set_code(account, Bytes::from_static(AGREES)).await.unwrap();
    let lost = erc1271::accepts(&coop.chain, account, B256::ZERO, &Bytes::new(), missing).await;
    assert!(lost.is_err(), "{lost:?}");
}
