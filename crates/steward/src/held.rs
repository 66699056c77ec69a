//! What a steward holds of a member, for that member alone: its contributions, the receipts of its consents, what it was paid, and our
//! shares of its own records. A share leaves by the member's signature, is sealed to a key of that one request, and stands before that in
//! the log that the member reads, as every other release does. No consent is asked for: it is about others.

use rochdale_api::custody::{
    HELD_PAGE, HeldClaims, HeldConsent, HeldContribution, HeldRecord, HeldReport, HeldRequest, HeldShare, OpeningReason,
};
use rochdale_api::member::Sealed;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::Contribution;
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_crypto::SealingPublicKey;
use rochdale_crypto::sealing::{self, HeldContext};
use zeroize::Zeroizing;

use crate::members::bad_reply_key;
use crate::record::Held;
use crate::steward::{Mirror, Steward, internal};

/// The seat that the log of openings gives a record's own member.
const OWNER: StewardId = StewardId(0);

impl Steward {
    /// What is held of a member, sealed to the key that the request names.
    ///
    /// # Errors
    /// Where more records are named than are handed out at once, the store fails or the key is none.
    pub async fn held_of_member(
        &self,
        mirror: &Mirror,
        member: MemberId,
        request: &HeldRequest,
    ) -> Result<Sealed, Problem> {
        if request.contributions.len() > HELD_PAGE {
            let detail = format!("{} records, at most {HELD_PAGE} in one request", request.contributions.len());
            return Err(Problem::new(ProblemCode::TooLarge, detail).hint("ask for some of them at a time"));
        }
        let paid = mirror.latest.claimed.get(&member).copied().unwrap_or_default();
        let mut report = HeldReport {
            contributions: Vec::new(),
            consents: self.consents_of(mirror, member).await?,
            claimed: HeldClaims { cash: paid.cash.0, data: paid.data.0, gov: paid.gov.0 },
        };
        for contribution in mirror.latest.contributions.values().filter(|given| given.member == member) {
            let asked = request.contributions.contains(&contribution.id);
            report.contributions.push(self.contribution_of(mirror, contribution, asked).await?);
        }
        let json = serde_json::to_vec(&report).map(Zeroizing::new).map_err(internal)?;
        let context = HeldContext {
            chain_id: self.manifest.chain_id,
            committee: self.manifest.addresses.steward_committee,
            member,
            index: self.seat(mirror)?,
        };
        let sealed = sealing::seal_as(&SealingPublicKey(request.reply_key), &context, &json, &mut rand::rng());
        Ok(Sealed { sealed: sealed.map_err(bad_reply_key)?.0 })
    }

    async fn consents_of(&self, mirror: &Mirror, member: MemberId) -> Result<Vec<HeldConsent>, Problem> {
        // Of who erased, rows may outlast their key for a moment: they are nobody's any more.
        let erased = mirror.latest.members.get(&member).is_some_and(|found| found.erased.is_some());
        let mut consents = Vec::new();
        let of_member = mirror.latest.grants.range((member, 0)..=(member, u32::MAX));
        for ((_, version), grant) in of_member {
            consents.push(HeldConsent {
                member_id: member,
                version: *version,
                receipt_commitment: grant.receipt_commitment,
                expiry: grant.expiry,
                secret: if erased { None } else { self.keys.consent(&self.store, member, *version).await? },
            });
        }
        Ok(consents)
    }

    async fn contribution_of(
        &self,
        mirror: &Mirror,
        contribution: &Contribution,
        asked: bool,
    ) -> Result<HeldContribution, Problem> {
        let held = if contribution.erased { None } else { self.record_of(contribution).await? };
        let record = match held {
            Some(held) => self.record_for_owner(mirror, contribution, &held, asked).await?,
            None => None,
        };
        Ok(HeldContribution {
            contribution_id: contribution.id,
            commitment: contribution.commitment,
            consent_version: contribution.consent_version,
            recorded_at: contribution.recorded.time,
            block: contribution.recorded.block,
            erased: contribution.erased,
            record,
        })
    }

    async fn record_for_owner(
        &self,
        mirror: &Mirror,
        contribution: &Contribution,
        held: &Held,
        asked: bool,
    ) -> Result<Option<HeldRecord>, Problem> {
        // Without its key nothing of an erased member opens, whatever is still being deleted.
        let Some(private) = self.private_part_of(held).await? else { return Ok(None) };
        let share = if asked { self.share_of(held).await? } else { None };
        if share.is_some() {
            let account = mirror.latest.members.get(&contribution.member).map(|member| member.account);
            let account = account.ok_or_else(|| internal("a contribution without a member"))?;
            // The log comes first: what is not written down does not leave.
            let (member, whom) = (contribution.member, (OWNER, account));
            self.store.note_opening(contribution.id, member, whom, OpeningReason::Owner, mirror.now()).await?;
        }
        Ok(Some(HeldRecord {
            header: held.row.header.clone().into(),
            blob_digest: held.row.blob_digest,
            deal: held.original().hash(),
            shares_hash: held.row.shares_hash,
            dataset: private.dataset,
            blinder: private.blinder,
            share: share.map(|share| HeldShare {
                seats: held.deal.seats,
                points: held.deal.points.clone(),
                share: share.to_bytes().to_vec().into(),
            }),
        }))
    }
}
