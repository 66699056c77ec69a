//! What stewards show a member alone.

use rochdale_api::custody::Opening;
use rochdale_api::member::{RowReport, Sealed, SealedRow};
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_crypto::SealingKeyPair;
use rochdale_crypto::sealing::{ClaimsRowContext, OpeningsContext, open_as};

use crate::{ClientError, Result, Site};

/// Opens a member's own row, which was sealed to `reply`.
///
/// # Errors
/// Where it is sealed for somebody else, or is no row.
pub fn open_row(site: &Site, member: MemberId, reply: &SealingKeyPair, answer: SealedRow) -> Result<RowReport> {
    let context = ClaimsRowContext {
        chain_id: site.contracts.chain_id,
        ledger: site.contracts.settlement_ledger,
        epoch: answer.epoch,
        member,
    };
    let bytes = open_as(reply, &context, &rochdale_crypto::Sealed(answer.sealed))?;
    serde_json::from_slice(&bytes).map_err(|source| ClientError::NotUnderstood { what: "the row report", source })
}

/// Opens a steward's log of who opened the member's records, which was sealed to `reply`.
///
/// # Errors
/// Where it is sealed for somebody else, or is no log.
pub fn open_openings(
    site: &Site,
    member: MemberId,
    steward: StewardId,
    reply: &SealingKeyPair,
    answer: Sealed,
) -> Result<Vec<Opening>> {
    let (chain_id, committee) = (site.contracts.chain_id, site.contracts.steward_committee);
    let context = OpeningsContext { chain_id, committee, member, index: steward };
    let bytes = open_as(reply, &context, &rochdale_crypto::Sealed(answer.sealed))?;
    serde_json::from_slice(&bytes).map_err(|source| ClientError::NotUnderstood { what: "the log of openings", source })
}
