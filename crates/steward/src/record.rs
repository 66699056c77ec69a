//! The record behind a contribution on chain, the one way in which it is looked up.
//!
//! Anybody may record any commitment as its own, since nobody on chain knows what is committed to. The commitment binds the envelope's
//! header, which names the member and the consent that it was sealed under: a contribution under another name, or under another consent,
//! is one that nobody holds a record of. It is never scored, never in a pool, a size, a snapshot or a release, and never an original.

use rochdale_api::contribution::ContributionSecret;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::Contribution;
use rochdale_crypto::{Commitments, Context, Header, Share};

use crate::custody::kept;
use crate::steward::Steward;
use crate::store::{ContributionRow, ReshareRow};

/// A record that is kept for the member of a contribution.
#[derive(Debug)]
pub struct Held {
    /// As it is stored.
    pub row: ContributionRow,
    /// The envelope's header.
    pub header: Header,
    /// The sharing of its key that is in force here: its member's deal, or the last one that followed the committee.
    pub deal: Commitments,
    /// Our share of that, where it is not its member's deal.
    pub reshared: Option<ReshareRow>,
}

impl Held {
    /// Its member's own deal, which the chain committed to.
    #[must_use]
    pub fn original(&self) -> Commitments {
        Commitments { seats: self.row.seats, points: self.row.points.clone() }
    }
}

impl Steward {
    /// The record of a contribution. None where it is not here, or was sealed by another member or under another consent.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn record_of(&self, contribution: &Contribution) -> Result<Option<Held>, Problem> {
        let Some(row) = self.store.contribution(contribution.commitment).await? else { return Ok(None) };
        let (header, deal) = kept(&row)?;
        let named = Context {
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.contribution_registry,
            member: contribution.member,
            consent_version: contribution.consent_version,
        };
        if row.member != contribution.member || header.expect(&named).is_err() {
            return Ok(None);
        }
        let reshared = self.store.reshares(row.commitment).await?.into_iter().next();
        let deal = reshared.as_ref().map_or(deal, |reshared| reshared.deal.clone());
        Ok(Some(Held { row, header, deal, reshared }))
    }

    /// As [`Self::record_of`].
    ///
    /// # Errors
    /// Where there is none, or the store fails or is damaged.
    pub async fn needed_record_of(&self, contribution: &Contribution) -> Result<Held, Problem> {
        let held = self.record_of(contribution).await?;
        held.ok_or_else(|| Problem::new(ProblemCode::NotFound, no_record(contribution)))
    }

    /// Those of which the record is here.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn held_of<'a>(&self, contributions: &[&'a Contribution]) -> Result<Vec<&'a Contribution>, Problem> {
        let mut held = Vec::new();
        for contribution in contributions {
            if self.record_of(contribution).await?.is_some() {
                held.push(*contribution);
            }
        }
        Ok(held)
    }

    /// Dataset and blinder of a record.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn private_part_of(&self, held: &Held) -> Result<Option<ContributionSecret>, Problem> {
        Ok(self.keys.private_part(&self.store, &held.row, held.header.hash()).await?)
    }

    /// Our share of a record's key, where it is one of the committee in office: of our seat, and as many open as bind.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn share_of(&self, held: &Held) -> Result<Option<Share>, Problem> {
        let share = match &held.reshared {
            Some(row) => self.keys.reshare(&self.store, held.row.member, row).await?,
            None => self.keys.share(&self.store, held.row.member, held.row.commitment, held.header.hash()).await?,
        };
        let mirror = self.mirror()?;
        let seat = mirror.latest.steward_id(self.address());
        let fits = |share: &Share| {
            let seats = u8::try_from(mirror.latest.seats.len()).unwrap_or(u8::MAX);
            Some(share.index()) == seat && held.deal.expect(mirror.latest.quorum, seats).is_ok()
        };
        Ok(share.filter(fits))
    }
}

/// What is said of a contribution without a record, in words for everybody.
#[must_use]
pub fn no_record(contribution: &Contribution) -> String {
    let Contribution { id, member, .. } = contribution;
    format!("this steward holds no record of member {member} for contribution {id}")
}
