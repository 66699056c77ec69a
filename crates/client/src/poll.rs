//! Polls: asking the members, and answering.

use alloy_primitives::{B256, Bytes};
use rochdale_api::poll::{BallotRequest, PollRequest};
use rochdale_core::poll::{Ballot, Poll};
use rochdale_eip712 as eip712;

use crate::{Author, Unsigned};

impl Author<'_> {
    /// Asks the members in this one's name, whose id the poll's author is.
    pub fn hold(&self, poll: Poll) -> Unsigned<PollRequest> {
        let (message, domain) = (eip712::Poll::from(&poll), self.site.contracts.poll_domain());
        Unsigned::of(PollRequest { poll, signature: Bytes::new() }, &message, &domain)
    }

    /// Answers the poll with this id by an option's place from 0, in place of this member's ballots of a lower `sequence`. It may be taken
    /// until `deadline`, Unix seconds of block time.
    pub fn answer(&self, poll: B256, choice: u16, sequence: u32, deadline: u64) -> Unsigned<BallotRequest> {
        let ballot = Ballot { poll, member: self.id, choice, sequence, deadline };
        let (message, domain) = (eip712::Ballot::from(&ballot), self.site.contracts.poll_domain());
        Unsigned::of(BallotRequest { ballot, signature: Bytes::new() }, &message, &domain)
    }
}
