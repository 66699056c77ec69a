//! What can be done about the pending root, as transactions of whoever pays for them.

use alloy::primitives::{B256, Bytes};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{DemandKind, Header, NewLeaf, OpenedInputs};
use serde::Serialize;

use crate::bindings::{self, Disputes, IContestVerifier, SettlementLedger};
use crate::client::{Chain, ChainError, Receipt, SendError, Sender};
use crate::deploy::Manifest;
use crate::eip712;

/// `finalAt` of a root that a steward objected to: all of its 40 bits.
const FROZEN: u64 = (1 << 40) - 1;

/// The root that is not final yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pending {
    /// Of which epoch.
    pub epoch: Epoch,
    /// Of which attempt.
    pub attempt: u32,
    /// The root of the epoch's tree.
    pub root: B256,
    /// When it is final, Unix seconds; none while an objection waits for the member house.
    pub final_at: Option<u64>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum DisputeError {
    /// Nothing can be stopped.
    #[error("no root is pending: what is final cannot be stopped, and what is void need not be")]
    NothingPending,
    /// Another root is pending than the one that was looked at.
    #[error(
        "epoch {}, attempt {} is pending, not epoch {epoch}, attempt {attempt}: look at that one before you stop it",
        pending.epoch, pending.attempt
    )]
    Other {
        /// What was asked for.
        epoch: Epoch,
        /// The attempt at settling the epoch, from 0.
        attempt: u32,
        /// What is pending.
        pending: Pending,
    },
    /// Somebody was first.
    #[error("a steward objected to epoch {}, attempt {} already: the member house decides", .0.epoch, .0.attempt)]
    Frozen(Pending),
    /// The transaction was not taken.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The RPC.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// The root that can still be stopped, if there is one.
///
/// # Errors
/// Where the RPC does not answer.
pub async fn pending(chain: &Chain, manifest: &Manifest) -> Result<Option<Pending>, ChainError> {
    let said = chain.view(manifest.addresses.settlement_ledger, &SettlementLedger::pendingCall {}).await?;
    let final_at = (said.finalAt != FROZEN).then_some(said.finalAt);
    let pending = Pending { epoch: Epoch(said.epoch), attempt: said.attempt, root: said.root, final_at };
    Ok((said.finalAt != 0).then_some(pending))
}

/// The root that an objection would stop.
///
/// # Errors
/// Where another root is pending or none, or it is frozen already.
pub async fn can_be_stopped(
    chain: &Chain,
    manifest: &Manifest,
    epoch: Epoch,
    attempt: u32,
) -> Result<Pending, DisputeError> {
    let pending = pending(chain, manifest).await?.ok_or(DisputeError::NothingPending)?;
    if (pending.epoch, pending.attempt) != (epoch, attempt) {
        return Err(DisputeError::Other { epoch, attempt, pending });
    }
    if pending.final_at.is_none() {
        return Err(DisputeError::Frozen(pending));
    }
    Ok(pending)
}

/// Freezes a pending root until the member house decides, at the price of a bond if the house rejects it. Where another
/// root is pending nothing is sent.
///
/// # Errors
/// Where another root is pending or none, or the contracts refuse: the sender is no steward in office, or its bond does
/// not reach.
pub async fn object(sender: &Sender, manifest: &Manifest, epoch: Epoch, attempt: u32) -> Result<Receipt, DisputeError> {
    can_be_stopped(sender.chain(), manifest, epoch, attempt).await?;
    Ok(sender.send(manifest.addresses.disputes, &Disputes::objectCall { epoch: epoch.0, attempt }).await?)
}

/// Publishes a row that was demanded, with its path in the pending tree.
///
/// # Errors
/// Where nobody demanded it, it is too late, or the row is not in the tree.
pub async fn answer_row(
    sender: &Sender,
    manifest: &Manifest,
    member: MemberId,
    leaf: &NewLeaf,
) -> Result<Receipt, SendError> {
    sender.send(manifest.addresses.disputes, &bindings::row_answer(member, leaf)).await
}

/// Publishes inputs that were demanded, with their path in the tree that the pending header names.
///
/// # Errors
/// Where nobody demanded them, it is too late, or another header is pending, or they are not in its tree.
pub async fn answer_inputs(
    sender: &Sender,
    manifest: &Manifest,
    header: &Header,
    member: MemberId,
    opened: &OpenedInputs,
) -> Result<Receipt, SendError> {
    sender.send(manifest.addresses.disputes, &bindings::inputs_answer(header, member, opened)).await
}

/// Voids the pending root because a demanded row, or demanded inputs, were not published in time.
///
/// # Errors
/// Where there is still time, or nothing of this kind was demanded, or it was published.
pub async fn void_unanswered(
    sender: &Sender,
    manifest: &Manifest,
    member: MemberId,
    kind: DemandKind,
) -> Result<Receipt, SendError> {
    let call = Disputes::voidUnansweredCall { memberId: member.0, kind: kind.into() };
    sender.send(manifest.addresses.disputes, &call).await
}

/// Voids the pending root because the member house did not decide over an objection in time.
///
/// # Errors
/// Where there is still time, or nobody objected.
pub async fn lapse(sender: &Sender, manifest: &Manifest) -> Result<Receipt, SendError> {
    sender.send(manifest.addresses.disputes, &Disputes::lapseObjectionCall {}).await
}

/// Contests a row: the member's own call, or what it signed, sent by anyone.
///
/// # Errors
/// Where another root is pending, something in the opening is not what the header commits to, or the row is right.
pub async fn contest(
    sender: &Sender,
    manifest: &Manifest,
    contest: eip712::Contest,
    signature: Bytes,
    opening: IContestVerifier::Opening,
) -> Result<Receipt, SendError> {
    let call = Disputes::contestCall { c: contest.into(), signature, opening };
    sender.send(manifest.addresses.disputes, &call).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_root_is_known_by_the_time_that_the_ledger_gives_it() {
        assert_eq!(u128::from(FROZEN), crate::bounds::of("frozen"));
    }
}
