//! Polls, by a member's passkey. A proposal is voted on by what the member's account does ([`crate::saying`]).

use alloy_primitives::B256;
use rochdale_api::poll::{BallotRequest, PollRequest};
use rochdale_api::status::MemberView;
use rochdale_client::Author;
use rochdale_core::poll::{House, Poll};
use rochdale_eip712 as eip712;
use serde::Deserialize;

use crate::site::{Result, Seen, ToSign, words};

/// An answer to a poll.
#[derive(Deserialize)]
pub struct Answering {
    cooperative: Seen,
    member: MemberView,
    /// Names the poll.
    id: B256,
    /// As the gateway gives it.
    poll: Poll,
    /// An option's place, from 0.
    choice: u16,
    /// The member's ballots before this one.
    sequence: u32,
}

/// Answers a poll, of which what was shown is what it is named after.
pub fn ballot(asked: Answering) -> Result<ToSign<BallotRequest>> {
    let Answering { cooperative, member, id, poll, choice, sequence } = asked;
    let found = eip712::hash_struct(&eip712::Poll::from(&poll));
    if found != id {
        return Err(format!("the poll that is shown is {found}, not {id}"));
    }
    if usize::from(choice) >= poll.options.len() {
        return Err(format!("the poll has {} options, none at place {choice}", poll.options.len()));
    }
    let author = Author { site: &cooperative.site, id: member.member_id };
    Ok(cooperative.to_sign(member.account, &author.answer(id, choice, sequence, poll.closes_at)))
}

/// A poll to be held.
#[derive(Deserialize)]
pub struct Holding {
    cooperative: Seen,
    member: MemberView,
    question: String,
    options: Vec<String>,
    /// A final block, whose members are asked, and its time in Unix seconds.
    snapshot_block: u64,
    snapshot_time: u64,
    days: u32,
}

/// Asks the members.
pub fn hold_poll(asked: Holding) -> Result<ToSign<PollRequest>> {
    let Holding { cooperative, member, question, options, snapshot_block, snapshot_time, days } = asked;
    let poll = Poll {
        author: member.member_id,
        question,
        options,
        snapshot_block,
        opens_at: cooperative.now,
        closes_at: cooperative.now + u64::from(days) * 86_400,
        house: House::Members,
    };
    poll.check(snapshot_time).map_err(words)?;
    let author = Author { site: &cooperative.site, id: member.member_id };
    Ok(cooperative.to_sign(member.account, &author.hold(poll)))
}
