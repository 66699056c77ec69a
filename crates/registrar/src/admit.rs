//! The way of one application, from its invitation to the admission that is signed for it.

use alloy::primitives::Address;
use rochdale_api::member::{Admissions, InvitedApplication, JoinRequest, KeyOfferRequest};
use rochdale_api::route::gateway;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_client::code::Code;
use rochdale_client::{ClientError, Site, invitation, membership, statement};
use rochdale_core::ids::StewardId;
use rochdale_node::admissions::{admissions, joined_since};
use rochdale_node::mirror::Mirror;

use crate::problems::{self, internal};
use crate::registrar::Registrar;
use crate::store::Invitation;

/// Seconds of block time that an admission holds at most: stewards keep the keys that row keys are sealed to for a day after they are
/// replaced, and an offered row key for as long.
pub const HOLDS: u64 = 82_800;

/// A code that no invitation has, for what names none: it is checked all the same, so that the answer takes as long.
const NOBODYS: &str = "00000000000000000000000000";

impl Registrar {
    /// Whether anybody is admitted now.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn admissions(&self) -> Result<Admissions, Problem> {
        let mirror = self.at_head().await?;
        self.admissions_at(&mirror).await
    }

    async fn admissions_at(&self, mirror: &Mirror) -> Result<Admissions, Problem> {
        let joined = |since| joined_since(&mirror.latest, since);
        admissions(&self.chain, &self.manifest, mirror.now(), joined).await.map_err(problems::chain)
    }

    /// Admits who proves to have an invitation. The same application gets the same admission.
    ///
    /// # Errors
    /// Says which of the conditions does not hold; the invitation stays as good as it was.
    pub async fn admit(&self, asked: InvitedApplication) -> Result<JoinRequest, Problem> {
        let mirror = self.at_head().await?;
        let site = self.site(&mirror);
        let invitation = self.proven(&site, &asked, mirror.now()).await?;
        if let Some(earlier) = standing(&invitation, &asked, &mirror)? {
            return Ok(earlier);
        }
        if let Some(id) = mirror.latest.member_ids.get(&asked.account) {
            return Err(conflict(format!("the account {} joined already, as member {id}", asked.account)));
        }
        self.expect_room(&mirror).await?;
        check_parts(&asked, &site)?;
        let admission = self.sign(&mirror, &site, &invitation, asked).await?;
        if self.store.keep(&invitation, &admission).await? {
            return Ok(admission);
        }
        // Another application was faster, or the office. What it left decides.
        let left = self.store.get(invitation.id).await?.ok_or_else(unknown)?;
        match left.admission {
            Some(other) if other.account == admission.account && other.row_key_digest == admission.row_key_digest => {
                Ok(other)
            }
            Some(_) => Err(used(&left)),
            None => Err(withdrawn()),
        }
    }

    /// The invitation whose code the application proves.
    async fn proven(&self, site: &Site, asked: &InvitedApplication, now: u64) -> Result<Invitation, Problem> {
        let invitation = self.store.get(asked.invitation).await?;
        let nobodys = Code::read(NOBODYS).map_err(internal)?;
        let code = invitation.as_ref().map_or(&nobodys, |invitation| &invitation.code);
        let proof = invitation::check(site, code, asked);
        let Some(invitation) = invitation else { return Err(self.guesses.wrong(unknown())) };
        if let Err(error) = proof {
            return Err(self.guesses.wrong(Problem::new(ProblemCode::Forbidden, error.to_string())));
        }
        invitation::check_time(asked, now).map_err(|error| Problem::new(ProblemCode::Expired, error.to_string()))?;
        Ok(invitation)
    }

    async fn expect_room(&self, mirror: &Mirror) -> Result<(), Problem> {
        let Admissions { open, left, epoch_ends, .. } = self.admissions_at(mirror).await?;
        if open {
            return Ok(());
        }
        let detail = match left {
            Some(0) => format!(
                "as many members as may join in one epoch have joined: the next epoch begins at {epoch_ends}, in Unix seconds"
            ),
            _ => "the guardian paused admissions".to_owned(),
        };
        Err(Problem::new(ProblemCode::ChainRefused, detail).hint("the invitation stays good: apply again then"))
    }

    /// Has the stewards keep the row key, and signs on their word.
    async fn sign(
        &self,
        mirror: &Mirror,
        site: &Site,
        invitation: &Invitation,
        asked: InvitedApplication,
    ) -> Result<JoinRequest, Problem> {
        let nullifier = invitation::nullifier(&invitation.code);
        let InvitedApplication { account, row_key_digest, deadline, row_keys, .. } = asked;
        let deadline = deadline.min(mirror.now() + HOLDS);
        let statement = statement::key_offer(account, nullifier, row_key_digest, deadline);
        let registrar_signature =
            eip712::sign(&self.key, &statement, &self.manifest.membership_domain()).map_err(internal)?;
        let offer = KeyOfferRequest { account, nullifier, row_key_digest, deadline, registrar_signature, row_keys };
        let answer = self.gateway(mirror).post(gateway::OFFER, &offer).await?;
        membership::admit(site, &self.key, offer, &answer).map_err(|error| match error {
            ClientError::TooFewHolders { .. } => Problem::new(ProblemCode::NotEnough, error.to_string())
                .hint("the invitation stays good: apply again once the stewards are back"),
            other => internal(other),
        })
    }
}

/// The admission that stands for this application already, if one does; an error where the invitation is another's or no longer good.
fn standing(
    invitation: &Invitation,
    asked: &InvitedApplication,
    mirror: &Mirror,
) -> Result<Option<JoinRequest>, Problem> {
    if let Some(admission) = &invitation.admission {
        let joined = mirror.latest.member_ids.contains_key(&admission.account);
        let holds = joined || admission.deadline >= mirror.now();
        let same = (admission.account, admission.row_key_digest) == (asked.account, asked.row_key_digest);
        match (holds, same) {
            (true, true) => return Ok(Some(admission.clone())),
            // One account may draw its row key anew as long as it has not joined.
            (true, false) if joined || admission.account != asked.account => return Err(used(invitation)),
            _ => {}
        }
    }
    if invitation.withdrawn.is_some() {
        return Err(withdrawn());
    }
    if invitation.expires < mirror.now() {
        let detail = format!("the invitation was good until {}, in Unix seconds of block time", invitation.expires);
        return Err(Problem::new(ProblemCode::Forbidden, detail).hint("ask who invited you for another one"));
    }
    Ok(None)
}

fn check_parts(asked: &InvitedApplication, site: &Site) -> Result<(), Problem> {
    let seats = site.stewards.len();
    let ordered = asked.row_keys.iter().zip(1u8..).all(|(part, seat)| part.steward == StewardId(seat));
    if asked.row_keys.len() == seats && ordered {
        return Ok(());
    }
    Err(problems::bad(format!("row_keys: {seats} parts are needed, one for each steward from 1, in order")))
}

fn conflict(detail: String) -> Problem {
    Problem::new(ProblemCode::Conflict, detail)
}

fn unknown() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such invitation").hint("read the code again, letter by letter")
}

fn withdrawn() -> Problem {
    Problem::new(ProblemCode::Forbidden, "who made the invitation took it back")
        .hint("ask who invited you for another one")
}

fn used(invitation: &Invitation) -> Problem {
    let account = invitation.account().unwrap_or(Address::ZERO);
    conflict(format!("the invitation was used, for the account {account}"))
        .hint("each invitation is for one person: ask who invited you for another one")
}
