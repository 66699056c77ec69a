//! What the chain says of signed polls and ballots: whose signature, who was a member, how many votes.
//!
//! Most of it is read at the newest block, since `Membership` keeps its past: an account belongs to one member for
//! ever, and votes are read back by time. Only a contract account's ERC-1271 is asked as of the snapshot block, which
//! needs a node that still has that block's state.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolStruct;
use rochdale_core::ids::MemberId;
use rochdale_core::poll::{Ballot, Cast, Poll, PollError, Standing, Tally, tally};

use crate::bindings::Membership;
use crate::client::{BlockRef, Chain, ChainError};
use crate::deploy::Manifest;
use crate::{eip712, erc1271};

/// Why a poll cannot be held or counted.
#[derive(Debug, thiserror::Error)]
pub enum ElectorateError {
    /// The poll's own fault.
    #[error("the poll cannot be held: {0}")]
    Poll(#[from] PollError),
    /// Its block may still be undone.
    #[error("block {block} is not final, {finalized} is the last one that is; take the snapshot there or before")]
    NotFinal {
        /// The poll's snapshot.
        block: u64,
        /// The last final block.
        finalized: u64,
    },
    /// The author was no member with a vote.
    #[error("the poll is not signed by the account of member {0}, or that was no member at the snapshot")]
    Author(MemberId),
    /// The RPC.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// The members as of a poll's snapshot.
#[derive(Clone, Debug)]
pub struct Electorate<'a> {
    chain: &'a Chain,
    manifest: &'a Manifest,
    snapshot: BlockRef,
}

/// The poll's id: the EIP-712 hash of its struct.
#[must_use]
pub fn id(poll: &Poll) -> B256 {
    eip712::hash_struct(&eip712::Poll::from(poll))
}

impl<'a> Electorate<'a> {
    /// Finds the snapshot and checks the poll's shape and its author's signature.
    ///
    /// # Errors
    /// Where the poll breaks a rule, its snapshot may still be undone, or its author did not sign.
    pub async fn of(
        chain: &'a Chain,
        manifest: &'a Manifest,
        poll: &Poll,
        signature: &Bytes,
    ) -> Result<Self, ElectorateError> {
        let finalized = chain.head().await?.finalized.number;
        if poll.snapshot_block > finalized {
            return Err(ElectorateError::NotFinal { block: poll.snapshot_block, finalized });
        }
        let snapshot = chain.block(poll.snapshot_block.into()).await?;
        poll.check(snapshot.timestamp)?;
        let found = Self { chain, manifest, snapshot };
        let (standing, signed) = found.look(poll.author, &eip712::Poll::from(poll), signature).await?;
        if signed && standing.member { Ok(found) } else { Err(ElectorateError::Author(poll.author)) }
    }

    /// What the chain says of a ballot that was taken at `received_at` (Unix seconds).
    ///
    /// # Errors
    /// Where the RPC does not answer, or lacks the state that a contract account needs.
    pub async fn cast(&self, ballot: Ballot, signature: &Bytes, received_at: u64) -> Result<Cast, ChainError> {
        let (standing, signed) = self.look(ballot.member, &eip712::Ballot::from(&ballot), signature).await?;
        Ok(Cast { ballot, signed, received_at, standing })
    }

    /// Counts ballots with their signatures and the times at which they were taken (Unix seconds).
    ///
    /// # Errors
    /// As [`Self::cast`].
    pub async fn tally(&self, poll: &Poll, ballots: &[(Ballot, Bytes, u64)]) -> Result<Tally, ChainError> {
        let mut casts = Vec::with_capacity(ballots.len());
        for (ballot, signature, received_at) in ballots {
            casts.push(self.cast(*ballot, signature, *received_at).await?);
        }
        Ok(tally(poll, id(poll), &casts))
    }

    /// The member's standing at the snapshot, and whether its account signed the message.
    async fn look<T: SolStruct + Sync>(
        &self,
        member: MemberId,
        message: &T,
        signature: &Bytes,
    ) -> Result<(Standing, bool), ChainError> {
        let membership = self.manifest.addresses.membership;
        let domain = self.manifest.poll_domain();
        let at = self.snapshot.timestamp;
        let times = self.chain.view(membership, &Membership::membershipTimesCall { memberId: member.0 }).await?;
        let (joined, ended) = (times.joinedAt.to::<u64>(), times.endedAt.to::<u64>());
        let is_member = joined != 0 && joined <= at && (ended == 0 || ended > at);
        let signer = eip712::recover(message, &domain, signature).ok();
        let (account, signed) = match signer {
            Some(signer) if self.member_of(signer).await? == member.0 && member.0 != 0 => (signer, true),
            _ if is_member => {
                let account = self.account(member).await?;
                (account, self.accepts(account, eip712::digest(message, &domain), signature).await?)
            }
            _ => (Address::ZERO, false),
        };
        let votes = if is_member { self.votes(account).await? } else { 0 };
        Ok((Standing { account, member: is_member, votes }, signed))
    }

    /// The member that an account joined as, 0 if none; an account never becomes another member's.
    async fn member_of(&self, account: Address) -> Result<u32, ChainError> {
        self.chain.view(self.manifest.addresses.membership, &Membership::memberIdOfCall { account }).await
    }

    /// A member's account: from the newest block, or the snapshot where the membership has ended since.
    async fn account(&self, member: MemberId) -> Result<Address, ChainError> {
        let (membership, call) = (self.manifest.addresses.membership, Membership::memberOfCall { memberId: member.0 });
        let now = self.chain.view(membership, &call).await?.account;
        if now != Address::ZERO {
            return Ok(now);
        }
        Ok(self.chain.view_at(membership, &call, self.snapshot.number.into()).await?.account)
    }

    async fn votes(&self, account: Address) -> Result<u64, ChainError> {
        let call = Membership::getPastVotesCall { account, timepoint: U256::from(self.snapshot.timestamp) };
        Ok(self.chain.view(self.manifest.addresses.membership, &call).await?.saturating_to())
    }

    /// Whether a contract account took the signature at the snapshot.
    async fn accepts(&self, account: Address, hash: B256, signature: &Bytes) -> Result<bool, ChainError> {
        erc1271::accepts(self.chain, account, hash, signature, self.snapshot.number.into()).await
    }
}
