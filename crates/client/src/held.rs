//! What stewards hold of a member, for that member: opened, checked against its commitments, and its records put together again.

use alloy_primitives::B256;
use rochdale_api::custody::{HeldConsent, HeldContribution, HeldRecord, HeldReport};
use rochdale_api::member::Sealed;
use rochdale_core::commit;
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_crypto::envelope;
use rochdale_crypto::sealing::{HeldContext, open_as};
use rochdale_crypto::sharing::{self, Commitments, Share};
use rochdale_crypto::{Cid, Context, Header, SealingKeyPair};
use zeroize::Zeroizing;

use crate::{ClientError, Result, Site};

/// Opens what a steward says it holds of a member, which was sealed to `reply`. Consents and records that are not what their commitments
/// say are left out of it: a steward may be wrong about one thing and right about another.
///
/// # Errors
/// Where it is sealed for somebody else, or is no report.
pub fn open(
    site: &Site,
    member: MemberId,
    steward: StewardId,
    reply: &SealingKeyPair,
    answer: Sealed,
) -> Result<HeldReport> {
    let (chain_id, committee) = (site.contracts.chain_id, site.contracts.steward_committee);
    let context = HeldContext { chain_id, committee, member, index: steward };
    let bytes = open_as(reply, &context, &rochdale_crypto::Sealed(answer.sealed))?;
    let what = "what is held of the member";
    let mut report: HeldReport =
        serde_json::from_slice(&bytes).map_err(|source| ClientError::NotUnderstood { what, source })?;
    for consent in &mut report.consents {
        if !is_committed(member, consent) {
            consent.secret = None;
        }
    }
    for contribution in &mut report.contributions {
        let holds = |record: &HeldRecord| committed(site, member, contribution, record).is_some();
        if !contribution.record.as_ref().is_some_and(holds) {
            contribution.record = None;
        }
    }
    Ok(report)
}

/// Whether a receipt is the one of its commitment, of this member and version.
fn is_committed(member: MemberId, consent: &HeldConsent) -> bool {
    let Some(secret) = &consent.secret else { return true };
    let digest = secret.receipt.digest();
    let committed = digest.is_ok_and(|digest| commit::consent(digest, secret.blinder) == consent.receipt_commitment);
    committed && secret.receipt.check(member, consent.version, consent.expiry).is_ok()
}

/// The context of a record whose parts give the contribution's commitment.
fn committed(site: &Site, member: MemberId, given: &HeldContribution, record: &HeldRecord) -> Option<Context> {
    let header = Header::from_bytes(&record.header).ok()?;
    let context = Context {
        chain_id: site.contracts.chain_id,
        registry: site.contracts.contribution_registry,
        member,
        consent_version: given.consent_version,
    };
    header.expect(&context).ok()?;
    let HeldRecord { blob_digest, deal, shares_hash, dataset, blinder, .. } = record;
    let found = commit::contribution(header.hash(), *blob_digest, *deal, *shares_hash, *dataset, *blinder);
    (found == given.commitment).then_some(context)
}

/// Puts a member's own record together again: from what the stewards hold of one contribution, each checked by [`open`], and its sealed
/// blob. Shares of one sharing open it; where a steward names another sharing than the others, theirs does.
///
/// # Errors
/// Where the blob is not the contribution's, or no sharing has shares enough.
pub fn open_record(
    site: &Site,
    member: MemberId,
    held: &[&HeldContribution],
    blob: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let of_one = held.iter().all(|other| other.commitment == held[0].commitment);
    // What one says of it, and what is behind the commitment by another, need not fit.
    let records = held.iter().filter_map(|given| {
        let record = given.record.as_ref()?;
        Some((committed(site, member, given, record)?, record))
    });
    let records: Vec<(Context, &HeldRecord)> = records.collect();
    let (Some((context, record)), true) = (records.first(), of_one) else {
        return Err(ClientError::Other("no steward holds what is behind its commitment".to_owned()));
    };
    if B256::from(*Cid::of(blob).sha256()) != record.blob_digest {
        return Err(ClientError::Other(
            "the sealed record in the vault is not the one that was contributed".to_owned(),
        ));
    }
    let mut known: Vec<(Commitments, Vec<Share>)> = Vec::new();
    for held in records.iter().filter_map(|(_, record)| record.share.as_ref()) {
        let deal = Commitments { seats: held.seats, points: held.points.clone() };
        let Ok(share) = Share::from_bytes(&held.share) else { continue };
        // One share alone never opens a record: who says so made the sharing up.
        if deal.points.len() < 2 || deal.verify(&share).is_err() {
            continue;
        }
        let place = known.iter().position(|(other, _)| *other == deal).unwrap_or_else(|| {
            known.push((deal, Vec::new()));
            known.len() - 1
        });
        let shares = &mut known[place].1;
        if shares.iter().all(|other| other.index() != share.index()) {
            shares.push(share);
        }
    }
    let held = known.iter().map(|(_, shares)| shares.len()).max().unwrap_or_default();
    // The most widely held first. One that somebody made up opens nothing, which its first chunk shows.
    known.sort_by_key(|(_, shares)| std::cmp::Reverse(shares.len()));
    let mut secrets = known.iter().filter_map(|(deal, shares)| sharing::combine(deal, shares).ok());
    let record = secrets.find_map(|secret| envelope::open(&secret, context, blob).ok());
    record.ok_or_else(|| {
        let (asked, needed) = (site.stewards.len(), usize::from(site.quorum));
        ClientError::Other(if held < needed {
            format!("{held} of {asked} stewards gave a share that fits, {needed} are needed")
        } else {
            format!("the shares of {held} stewards fit together and do not open the sealed record")
        })
    })
}
