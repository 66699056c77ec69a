//! Withdrawals that members hand to this steward where the gateway does not answer.
//!
//! What a member signed for the contract is checked as the contract will, kept, and obeyed from then on: no share of that member's records
//! leaves this steward, neither to a worker nor for scoring. Nothing else follows from it. Snapshots, debits, sizes and settlement are computed
//! from the chain alone, where stewards that know different withdrawals would differ for ever.
//!
//! It is told to every steward in office, and to the gateway until the chain shows it. By then, or where the member's next signature gave
//! consent anew, it is answered and forgotten, both once they are final. One that its deadline overtook goes on to be obeyed.
//!
//! A withdrawal may carry the number after the next one, for the case that a grant, which the gateway still holds back, takes the next. It must not
//! stand alone: who could not bring it on chain would be paid for records that nobody may open.

mod passing;
pub(crate) mod told;

use std::collections::BTreeMap;

use alloy::eips::BlockId;
use alloy::primitives::{B256, Bytes};
use rochdale_api::denial::{
    ConsentStanding, DenialState, DenialTaken, HeldDenial, LEAST_LEFT, MOST_LEFT, MOST_SIGNATURE,
};
use rochdale_api::member::DenyRequest;
use rochdale_api::route::steward as route;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::{ConsentStatus, Cooperative, Member};
use rochdale_chain::{eip712, erc1271};
use rochdale_client::statement;
use rochdale_core::ids::MemberId;

use crate::custody::known;
use crate::steward::{Mirror, Steward, chain_problem};

/// Seconds that a withdrawal must be valid longer to take the place of one with the same number.
const LONGER: u64 = 86_400;

/// Whether a withdrawal is obeyed still, by what is final: neither it nor a later statement of its member's took effect.
fn stands(finalized: &Cooperative, held: &HeldDenial) -> bool {
    let (member, nonce) = (held.request.member_id, held.request.nonce);
    let taken = finalized.consent_signatures(member);
    let erased = finalized.members.get(&member).is_some_and(|member| member.erased.is_some());
    let later = taken.granted.max(taken.revoked);
    !erased && later.is_none_or(|later| later < nonce) && !is_outlived(finalized, held)
}

/// Whether its member gave consent, with the number before it, after it could come on chain no more. It was made for a consent that was on its
/// way then; obeyed, it would have its member paid for records that nobody may open, and nobody could end that.
fn is_outlived(finalized: &Cooperative, held: &HeldDenial) -> bool {
    let DenyRequest { member_id, nonce, deadline, .. } = held.request;
    let granted = finalized.consent_signatures(member_id).granted;
    let since =
        finalized.consents.get(&member_id).filter(|_| is_granted(finalized, member_id)).map(|one| one.since.time);
    granted == nonce.checked_sub(1) && since.is_some_and(|since| since > deadline)
}

fn is_granted(state: &Cooperative, member: MemberId) -> bool {
    state.consents.get(&member).is_some_and(|consent| consent.status == ConsentStatus::Granted)
}

/// Why nothing of a member's leaves this steward.
fn denies(held: &HeldDenial) -> Problem {
    let (member, taken) = (held.request.member_id, held.taken);
    let what = if held.erases { "asked to have everything erased" } else { "withdrew consent" };
    Problem::new(ProblemCode::ConsentDenied, format!("member {member} {what} at {taken}, past the gateway"))
}

fn conflict(detail: String) -> Problem {
    Problem::new(ProblemCode::Conflict, detail)
}

impl Steward {
    /// Takes a withdrawal, or an erasure, that its member signed. The same again changes nothing.
    ///
    /// # Errors
    /// Where the contract would refuse it, or nobody could bring it on chain in time.
    pub async fn take_denial(
        &self,
        mirror: &Mirror,
        erases: bool,
        request: &DenyRequest,
    ) -> Result<DenialTaken, Problem> {
        let (steward, member_id) = (self.seat(mirror)?, request.member_id);
        let answer = |state| DenialTaken { member_id, steward, state };
        let member = known(mirror, member_id)?;
        self.check_signature(mirror, member, erases, request).await?;
        let taken = mirror.latest.consent_signatures(member_id);
        let new = HeldDenial { erases, taken: mirror.now(), request: request.clone() };
        // From here to what is kept, no share leaves; what left before was asked for before.
        let _alone = self.denying.write().await;
        let number = Some(request.nonce);
        let is_itself = if erases {
            taken.next.checked_sub(1) == number
        } else {
            taken.revoked == number && taken.granted < number
        };
        if member.erased.is_some() || (!erases && is_itself) {
            // A reorganization may take it back before it is final.
            if is_itself && stands(mirror.finalized(), &new) {
                self.store.put_denial(&new).await?;
            }
            return Ok(answer(DenialState::OnChain));
        }
        let held = self.store.denials_of(member_id).await?;
        let same = held.iter().find(|held| held.request.nonce == request.nonce && stands(mirror.finalized(), held));
        let adds = |held: &HeldDenial| {
            (erases && !held.erases) || (erases == held.erases && request.deadline >= held.request.deadline + LONGER)
        };
        if same.is_some_and(|held| !adds(held)) {
            return Ok(answer(DenialState::Held));
        }
        check_deadline(mirror, request)?;
        let first = held.iter().any(|held| held.request.nonce == taken.next);
        check_number(&mirror.latest, member, erases, request, first)?;
        self.store.put_denial(&new).await?;
        tracing::info!(member = %member_id, erases, "a withdrawal was handed over past the gateway");
        Ok(answer(DenialState::Held))
    }

    /// By the member's key, or else by its contract account, as `MemberSignature` has it.
    async fn check_signature(
        &self,
        mirror: &Mirror,
        member: &Member,
        erases: bool,
        request: &DenyRequest,
    ) -> Result<(), Problem> {
        let (domain, signature) = (self.manifest.consent_domain(), &request.signature);
        if signature.len() > MOST_SIGNATURE {
            let detail = format!("signature: {} bytes, at most {MOST_SIGNATURE} are taken", signature.len());
            return Err(Problem::new(ProblemCode::TooLarge, detail));
        }
        let (by_key, digest) = if erases {
            let said = statement::erase(request);
            (eip712::verify(&said, &domain, signature, member.account), eip712::digest(&said, &domain))
        } else {
            let said = statement::revoke(request);
            (eip712::verify(&said, &domain, signature, member.account), eip712::digest(&said, &domain))
        };
        // The contract's recovery takes no other last byte, and what cannot come on chain is not obeyed.
        let recovers = matches!(signature.last(), Some(27 | 28));
        let why = match by_key {
            Ok(()) if recovers => return Ok(()),
            Ok(()) => "v is neither 27 nor 28".to_owned(),
            Err(error) => error.to_string(),
        };
        if self.account_accepts(mirror, member, digest, signature).await? {
            return Ok(());
        }
        let detail = format!("signature: {why}; it is neither the key's nor taken by a contract at that account");
        Err(Problem::new(ProblemCode::Forbidden, detail))
    }

    async fn account_accepts(
        &self,
        mirror: &Mirror,
        member: &Member,
        digest: B256,
        signature: &Bytes,
    ) -> Result<bool, Problem> {
        // Anybody can have us ask the chain so.
        self.denial_looks.take()?;
        let at = BlockId::from(mirror.head.latest.number);
        erc1271::accepts(&self.chain, member.account, digest, signature, at).await.map_err(chain_problem)
    }

    /// What this steward sees of a member's consent, and what was handed to it.
    ///
    /// # Errors
    /// Where there is no such member, or the store fails.
    pub async fn consent_standing(&self, mirror: &Mirror, member_id: MemberId) -> Result<ConsentStanding, Problem> {
        let member = known(mirror, member_id)?;
        let (latest, now) = (&mirror.latest, mirror.now());
        let consent = latest.consents.get(&member_id);
        let word = match consent.map(|consent| consent.status) {
            _ if member.erased.is_some() => "erased",
            None => "none",
            Some(ConsentStatus::Granted) if consent.is_some_and(|consent| consent.is_live(now)) => "granted",
            Some(ConsentStatus::Granted) => "expired",
            Some(ConsentStatus::Revoked) => "revoked",
            Some(ConsentStatus::Erased) => "erased",
        };
        let mut withdrawals = self.store.denials_of(member_id).await?;
        withdrawals.retain(|held| stands(mirror.finalized(), held));
        Ok(ConsentStanding {
            member_id,
            steward: self.office(mirror)?,
            account: member.account,
            active: member.is_active(),
            consent: word.to_owned(),
            consent_version: consent.map_or(0, |consent| consent.version),
            consent_nonce: latest.consent_signatures(member_id).next,
            block: mirror.head.latest.number,
            now,
            withdrawals,
        })
    }

    /// The members whose withdrawals are obeyed here, each with one of them.
    pub(crate) async fn denied(&self, mirror: &Mirror) -> Result<BTreeMap<MemberId, HeldDenial>, Problem> {
        let held = self.store.denials().await?.into_iter();
        Ok(held.filter(|held| stands(mirror.finalized(), held)).map(|held| (held.request.member_id, held)).collect())
    }

    /// Refuses what needs a share of a member's record.
    pub(crate) async fn refuse_denied(&self, mirror: &Mirror, member: MemberId) -> Result<(), Problem> {
        let held = self.store.denials_of(member).await?;
        held.iter().find(|held| stands(mirror.finalized(), held)).map_or(Ok(()), |held| Err(denies(held)))
    }

    /// The same of what was read before.
    pub(crate) fn refuse_of(denied: &BTreeMap<MemberId, HeldDenial>, member: MemberId) -> Result<(), Problem> {
        denied.get(&member).map_or(Ok(()), |held| Err(denies(held)))
    }
}

fn check_deadline(mirror: &Mirror, request: &DenyRequest) -> Result<(), Problem> {
    let (now, deadline) = (mirror.now(), request.deadline);
    if (now + LEAST_LEFT..=now + MOST_LEFT).contains(&deadline) {
        return Ok(());
    }
    let detail = format!(
        "the withdrawal's deadline is {deadline}, block time is {now}: it must be valid for {LEAST_LEFT} to {MOST_LEFT} s more"
    );
    Err(Problem::new(ProblemCode::Expired, detail).hint("sign it again: somebody must have time to bring it on chain"))
}

/// Whether the contract would take it now, or, after `first`, once something took the number before it.
fn check_number(
    latest: &Cooperative,
    member: &Member,
    erases: bool,
    request: &DenyRequest,
    first: bool,
) -> Result<(), Problem> {
    let (id, nonce, next) = (request.member_id, request.nonce, latest.consent_signatures(request.member_id).next);
    if nonce != next && nonce != next + 1 {
        let detail = format!("the withdrawal of member {id} carries number {nonce}, this steward's chain takes {next}");
        return Err(conflict(detail).hint(format!("ask for the number at {} and sign again", route::STANDING.path)));
    }
    if !erases && !member.is_active() {
        let detail = format!("the membership of {id} has ended, and with it the consent: nothing is released");
        return Err(conflict(detail).hint("an erasure is taken"));
    }
    let granted = is_granted(latest, id);
    if nonce == next && !erases && !granted {
        let detail = format!("member {id} has no consent that could be withdrawn: nothing is released");
        return Err(conflict(detail));
    }
    if nonce > next && granted && !first {
        let detail =
            format!("number {nonce} comes after {next}: the withdrawal with number {next} has to be here first");
        return Err(conflict(detail));
    }
    Ok(())
}
