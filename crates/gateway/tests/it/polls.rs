//! Polls as the gateway keeps them.

use alloy::primitives::{B256, Bytes};
use alloy::signers::local::PrivateKeySigner;
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_api::poll::{BallotRequest, PollRecord, PollRequest, PollView, SignedBallot};
use rochdale_api::route::gateway;
use rochdale_chain::eip712;
use rochdale_core::ids::MemberId;
use rochdale_core::poll::{Ballot, House, Poll};

use crate::rig::Rig;

const DAY: u64 = 86_400;

impl Rig {
    async fn poll(&self, author: MemberId, key: &PrivateKeySigner, question: &str) -> PollRequest {
        self.coop.local.mine(3).await.unwrap();
        let now = self.now().await;
        let poll = Poll {
            author,
            question: question.to_owned(),
            options: vec!["yes".to_owned(), "no".to_owned()],
            snapshot_block: self.coop.chain.head().await.unwrap().finalized.number,
            opens_at: now,
            closes_at: now + DAY,
            house: House::Members,
        };
        let signature = eip712::sign(key, &eip712::Poll::from(&poll), &self.coop.manifest.poll_domain()).unwrap();
        PollRequest { poll, signature }
    }

    /// Has a poll held.
    pub async fn hold_poll(&self, author: MemberId, key: &PrivateKeySigner, question: &str) -> PollView {
        self.client().post(gateway::HOLD_POLL, &self.poll(author, key, question).await).await.unwrap()
    }

    fn ballot(&self, view: &PollView, member: MemberId, key: &PrivateKeySigner, choice: u16, n: u32) -> BallotRequest {
        let ballot = Ballot { poll: view.id, member, choice, sequence: n, deadline: view.poll.closes_at };
        let signature = eip712::sign(key, &eip712::Ballot::from(&ballot), &self.coop.manifest.poll_domain()).unwrap();
        BallotRequest { ballot, signature }
    }

    async fn answer(&self, poll: B256, ballot: &BallotRequest) -> Result<SignedBallot, ClientError> {
        self.client().post(gateway::VOTE.at(poll), ballot).await
    }

    async fn record(&self, poll: B256) -> PollRecord {
        self.client().get(gateway::BALLOTS.at(poll)).await.unwrap()
    }
}

#[tokio::test]
async fn ballots_are_kept_replaced_and_handed_out_as_signed() {
    let mut rig = Rig::new().await;
    let (ada, bo, cy) = (rig.coop.member_key(1), rig.coop.member_key(2), rig.coop.member_key(3));
    let (a, b) = (rig.join(&ada).await.member_id, rig.join(&bo).await.member_id);
    let now = rig.now().await;
    rig.coop.local.time_to(now + 31 * DAY, 1).await.unwrap();
    let c = rig.join(&cy).await.member_id;
    let request = rig.poll(a, &ada, "Shall study 12 be joined?").await;
    let view: PollView = rig.client().post(gateway::HOLD_POLL, &request).await.unwrap();
    assert_eq!(view.id, rochdale_chain::poll::id(&request.poll));
    let again: PollView = rig.client().post(gateway::HOLD_POLL, &request).await.unwrap();
    assert_eq!(again, view, "sent again, it is the same poll");

    let first = rig.ballot(&view, a, &ada, 0, 0);
    rig.answer(view.id, &first).await.unwrap();
    rig.answer(view.id, &first).await.unwrap();
    let rival = rig.ballot(&view, a, &ada, 1, 0);
    assert_eq!(rig.answer(view.id, &rival).await.unwrap_err().code(), ProblemCode::Conflict);
    let changed = rig.ballot(&view, a, &ada, 1, 4);
    rig.answer(view.id, &changed).await.unwrap();
    assert_eq!(rig.answer(view.id, &first).await.unwrap_err().code(), ProblemCode::Conflict, "the later one stays");
    rig.answer(view.id, &rig.ballot(&view, b, &bo, 0, 0)).await.unwrap();

    let code = async |ballot: BallotRequest| rig.answer(view.id, &ballot).await.unwrap_err().code();
    assert_eq!(code(rig.ballot(&view, c, &cy, 0, 0)).await, ProblemCode::Forbidden, "not seasoned");
    assert_eq!(code(rig.ballot(&view, b, &ada, 1, 7)).await, ProblemCode::Forbidden, "another's signature");
    assert_eq!(code(rig.ballot(&view, MemberId(44), &ada, 1, 0)).await, ProblemCode::Forbidden, "nobody");
    assert_eq!(code(rig.ballot(&view, b, &bo, 2, 7)).await, ProblemCode::BadRequest, "no such option");
    let elsewhere = PollView { id: B256::ZERO, ..view.clone() };
    assert_eq!(code(rig.ballot(&elsewhere, b, &bo, 1, 7)).await, ProblemCode::BadRequest, "another poll");

    rig.kill();
    rig.start().await;
    let record = rig.record(view.id).await;
    assert_eq!((record.poll.clone(), record.signature.clone()), (request.poll.clone(), request.signature.clone()));
    assert_eq!((record.chain_id, record.membership), (31_337, rig.coop.manifest.addresses.membership));
    let kept: Vec<(MemberId, u16, Bytes)> =
        record.ballots.iter().map(|s| (s.ballot.member, s.ballot.choice, s.signature.clone())).collect();
    assert_eq!(kept[0], (a, 1, changed.signature));
    assert_eq!((kept[1].0, kept[1].1, kept.len()), (b, 0, 2));
    let listed: Vec<PollView> = rig.client().get(gateway::POLLS).await.unwrap();
    assert_eq!(listed, [PollView { ballots: 2, ..view.clone() }]);

    rig.deny(&bo, b, true).await;
    rig.until("forgotten", async || rig.record(view.id).await.ballots.len() == 1).await;
    let now = rig.now().await;
    rig.coop.local.time_to(now + DAY + 1, 1).await.unwrap();
    let late = rig.answer(view.id, &rig.ballot(&view, a, &ada, 0, 9)).await.unwrap_err();
    assert_eq!(late.code(), ProblemCode::Conflict);
    assert!(late.to_string().contains("after the poll closed"), "{late}");
}

#[tokio::test]
async fn a_poll_of_nobody_or_one_too_many_is_not_taken() {
    let rig = Rig::new().await;
    let (ada, stranger) = (rig.coop.member_key(1), rig.coop.member_key(9));
    let a = rig.join(&ada).await.member_id;
    let code = async |request: PollRequest| {
        let sent: Result<PollView, ClientError> = rig.client().post(gateway::HOLD_POLL, &request).await;
        sent.unwrap_err().code()
    };
    assert_eq!(code(rig.poll(a, &stranger, "Mine?").await).await, ProblemCode::Forbidden);
    assert_eq!(code(rig.poll(MemberId(7), &stranger, "Mine?").await).await, ProblemCode::Forbidden);
    assert_eq!(code(rig.poll(a, &ada, "").await).await, ProblemCode::BadRequest);
    for question in ["One?", "Two?", "Three?"] {
        let request = rig.poll(a, &ada, question).await;
        let _: PollView = rig.client().post(gateway::HOLD_POLL, &request).await.unwrap();
    }
    assert_eq!(code(rig.poll(a, &ada, "Four?").await).await, ProblemCode::TooManyRequests);
    let all: Vec<PollView> = rig.client().get(gateway::POLLS).await.unwrap();
    assert_eq!(all.iter().map(|view| view.poll.question.as_str()).collect::<Vec<_>>(), ["One?", "Two?", "Three?"]);
    let absent: Result<PollRecord, _> = rig.client().get(gateway::BALLOTS.at(B256::ZERO)).await;
    assert_eq!(absent.unwrap_err().code(), ProblemCode::NotFound);
}
