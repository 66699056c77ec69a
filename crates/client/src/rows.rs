//! What stewards show a member alone.

use rochdale_api::custody::Opening;
use rochdale_api::member::{RowReport, Sealed, SealedRow};
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_crypto::SealingKeyPair;
use rochdale_crypto::sealing::{ClaimsRowContext, OpeningsContext, open_as};

use crate::{ClientError, Result, Site};

/// Opens a member's own row, which was sealed to `reply`. A question that is not the one of its digest is left out: whoever kept it may be
/// wrong about that alone.
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
    let mut report: RowReport = serde_json::from_slice(&bytes)
        .map_err(|source| ClientError::NotUnderstood { what: "the row report", source })?;
    for used in &mut report.uses {
        used.query.take_if(|query| query.digest().ok() != Some(used.query_digest));
    }
    Ok(report)
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, B256};
    use rochdale_api::claim::ClaimLeaf;
    use rochdale_api::member::UseReport;
    use rochdale_core::ids::{Epoch, LicenseId, Purpose};
    use rochdale_core::query::Query;
    use rochdale_crypto::sealing::seal_as;
    use rochdale_eip712::Contracts;

    fn used(query: &Query, query_digest: B256) -> UseReport {
        UseReport {
            debit: 1,
            at: 1,
            license_id: LicenseId(1),
            researcher: Address::ZERO,
            purpose: Purpose(6),
            query_digest,
            rho: query.rho,
            records: 1,
            query: Some(query.clone()),
        }
    }

    #[test]
    fn a_question_that_is_not_the_one_of_its_digest_is_left_out_of_an_opened_row() {
        let contracts = Contracts {
            chain_id: 1,
            membership: Address::ZERO,
            consent_registry: Address::ZERO,
            contribution_registry: Address::ZERO,
            steward_committee: Address::ZERO,
            settlement_ledger: Address::repeat_byte(5),
            disputes: Address::ZERO,
        };
        let site = Site { contracts, stewards: Vec::new(), quorum: 2 };
        let query: Query = serde_json::from_value(
            serde_json::json!({ "version": 1, "dataset": 1, "ask": { "kind": "count" }, "rho": 7 }),
        )
        .unwrap();
        let (member, epoch) = (MemberId(3), Epoch(2));
        let (private_hash, proof) = (B256::ZERO, Vec::new());
        let report = RowReport {
            epoch,
            row: rochdale_core::ledger::Row::default(),
            salt: B256::ZERO,
            leaf: ClaimLeaf { member_id: member, cash: 0, stream: 0, data: 0, gov: 0, private_hash, proof },
            contributions: Vec::new(),
            uses: vec![used(&query, query.digest().unwrap()), used(&query, B256::repeat_byte(1))],
        };
        let reply = SealingKeyPair::random(&mut rand::rng());
        let context = ClaimsRowContext { chain_id: 1, ledger: contracts.settlement_ledger, epoch, member };
        let json = serde_json::to_vec(&report).unwrap();
        let sealed = seal_as(&reply.public(), &context, &json, &mut rand::rng()).unwrap().0;
        let opened = open_row(&site, member, &reply, SealedRow { epoch, sealed }).unwrap();
        let told: Vec<bool> = opened.uses.iter().map(|used| used.query.is_some()).collect();
        assert_eq!(told, [true, false]);
    }
}
