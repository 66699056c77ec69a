//! Program awards: taken from their awarders up to the end of an epoch, shared among stewards, held to the caps.
//!
//! An award reaches the chain only as points in a member's inputs. Stewards keep what was signed: each checks signatures
//! and caps itself, by the programs as of the cut.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, U256};
use alloy::sol_types::Eip712Domain;
use rochdale_api::route::steward;
use rochdale_api::settlement::{AwardMessage, AwardsRequest};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_chain::erc1271::{accepts, is_contract};
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{Grant, ProgramCaps, SignedAward, grants};

use rochdale_node::peers::PATIENCE;

use crate::steward::{Caller, Mirror, Steward, chain_problem};

/// Awards that one request may bring.
const MOST: usize = 1_000;

/// What an awarder signs.
fn message(award: &AwardMessage) -> eip712::Award {
    eip712::Award {
        programId: award.program,
        memberId: award.member_id.0,
        epoch: award.epoch.0,
        points: award.points,
        nonce: award.nonce,
    }
}

/// Who signed an award.
fn signer(award: &AwardMessage, domain: &Eip712Domain) -> Result<Address, eip712::SignatureError> {
    eip712::recover(&message(award), domain, &award.signature)
}

/// The digests that the contracts that award them said yes to (ERC-1271), as of one block.
pub type Vouched = BTreeSet<B256>;

/// What an award's signature is over.
fn digest(award: &AwardMessage, domain: &Eip712Domain) -> B256 {
    eip712::digest(&message(award), domain)
}

/// Whether an award counts in a state: its program is open and its awarder signed it, or is a contract that vouches for it.
///
/// # Errors
/// With what is wrong with it.
pub fn check(
    award: &AwardMessage,
    state: &Cooperative,
    domain: &Eip712Domain,
    vouched: &Vouched,
) -> Result<(), String> {
    let id = award.program;
    let program = state.programs.get(&id).filter(|program| program.open);
    let program = program.ok_or_else(|| format!("program {id} does not exist or is closed"))?;
    if !state.members.contains_key(&award.member_id) {
        return Err(format!("member {} does not exist", award.member_id));
    }
    match signer(award, domain) {
        Ok(signer) if signer == program.awarder => Ok(()),
        _ if vouched.contains(&digest(award, domain)) => Ok(()),
        Ok(signer) => Err(format!("{signer} signed, the awarder of program {id} is {}", program.awarder)),
        Err(error) => Err(error.to_string()),
    }
}

/// The grants of an epoch from its awards, by the programs and members as of the cut. What does not hold is passed over.
#[must_use]
pub fn granted(
    epoch: Epoch,
    awards: &[AwardMessage],
    at_cut: &Cooperative,
    domain: &Eip712Domain,
    vouched: &Vouched,
) -> Vec<Grant> {
    let caps =
        |p: &rochdale_chain::state::Program| ProgramCaps { per_epoch: p.cap_per_epoch, per_member: p.cap_per_member };
    let open = at_cut.programs.iter().filter(|(_, program)| program.open);
    let programs: BTreeMap<u32, ProgramCaps> = open.map(|(id, program)| (*id, caps(program))).collect();
    let active: BTreeSet<MemberId> = at_cut.active_members().collect();
    let good = awards.iter().filter(|award| award.epoch == epoch && check(award, at_cut, domain, vouched).is_ok());
    let signed: Vec<SignedAward> = good
        .map(|award| SignedAward {
            program: award.program,
            member: award.member_id,
            points: award.points,
            nonce: award.nonce,
        })
        .collect();
    grants(&programs, &active, &signed)
}

/// Whether two messages are the same award; the bytes of a signature may differ.
fn key(award: &AwardMessage) -> (u32, MemberId, U256, u128) {
    (award.program, award.member_id, award.nonce, award.points)
}

impl Steward {
    /// Whether a caller may bring awards: a steward, who awards in an open program, or a member where a contract awards
    /// in one, as a contract signs no requests.
    ///
    /// # Errors
    /// Where the RPC does not answer.
    pub async fn may_award(&self, mirror: &Mirror, caller: Caller, signer: Address) -> Result<bool, Problem> {
        let open = || mirror.latest.programs.values().filter(|program| program.open);
        if matches!(caller, Caller::Steward(_)) || open().any(|program| program.awarder == signer) {
            return Ok(true);
        }
        if !matches!(caller, Caller::Member(_)) {
            return Ok(false);
        }
        let awarders: BTreeSet<Address> = open().map(|program| program.awarder).collect();
        for awarder in awarders {
            if is_contract(&self.chain, awarder, BlockId::latest()).await.map_err(chain_problem)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Which awards the contracts that award them vouch for, as of a block. The chain is asked only about those that no
    /// key of an awarder signed.
    async fn vouched(&self, awards: &[AwardMessage], state: &Cooperative, at: BlockId) -> Result<Vouched, Problem> {
        let (domain, mut vouched) = (self.manifest.programs_domain(), Vouched::new());
        for award in awards {
            let Some(program) = state.programs.get(&award.program).filter(|program| program.open) else { continue };
            if signer(award, &domain).is_ok_and(|signer| signer == program.awarder) {
                continue;
            }
            let digest = digest(award, &domain);
            let taken = accepts(&self.chain, program.awarder, digest, &award.signature, at).await;
            if taken.map_err(chain_problem)? {
                vouched.insert(digest);
            }
        }
        Ok(vouched)
    }

    /// As [`Self::vouched`], of an epoch's awards at its cut: the same answer to every steward, whenever it asks.
    pub(crate) async fn vouched_at_cut(
        &self,
        epoch: Epoch,
        awards: &[AwardMessage],
        at_cut: &Cooperative,
    ) -> Result<Vouched, Problem> {
        if awards.is_empty() {
            return Ok(Vouched::new());
        }
        let cut = self.cut(epoch).await?;
        self.vouched(awards, at_cut, BlockId::hash(cut.hash)).await
    }

    /// Keeps awards that hold and whose epoch has not ended.
    ///
    /// # Errors
    /// With the first that does not; nothing is kept then.
    pub async fn take_awards(&self, mirror: &Mirror, awards: &[AwardMessage]) -> Result<(), Problem> {
        if awards.len() > MOST {
            let detail = format!("{} awards in one request; {MOST} are the most", awards.len());
            return Err(Problem::new(ProblemCode::BadRequest, detail));
        }
        if awards.is_empty() {
            return Ok(());
        }
        let domain = self.manifest.programs_domain();
        let vouched = self.vouched(awards, &mirror.latest, BlockId::latest()).await?;
        for award in awards {
            let end = self.manifest.schedule().end(award.epoch);
            if award.epoch == Epoch(0) || mirror.now() > end {
                let detail = format!("epoch {} ended at {end}: it takes no awards any more", award.epoch);
                return Err(Problem::new(ProblemCode::Conflict, detail));
            }
            check(award, &mirror.latest, &domain, &vouched)
                .map_err(|detail| Problem::new(ProblemCode::BadRequest, format!("an award: {detail}")))?;
        }
        for award in awards {
            self.store.put_award(award).await?;
        }
        Ok(())
    }

    /// The awards of an epoch that this steward holds, for a peer.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn awards_of(&self, epoch: Epoch) -> Result<Vec<AwardMessage>, Problem> {
        Ok(self.store.awards(epoch).await?)
    }

    /// Takes what peers hold of an epoch's awards, as of its cut.
    ///
    /// # Errors
    /// Where the store fails; a peer that is down is passed over.
    pub(crate) async fn sync_awards(
        self: &Arc<Self>,
        mirror: &Mirror,
        epoch: Epoch,
        at_cut: &Cooperative,
    ) -> Result<(), Problem> {
        let request = &AwardsRequest { epoch };
        let answers =
            self.peers.first(PATIENCE, self.others(mirror), self.colleagues(mirror), |_, client| async move {
                self.post_sealed(mirror, &client, steward::AWARDS_HELD, request).await
            });
        for (peer, answer) in answers.await {
            match answer {
                Ok(awards) => self.keep_awards(epoch, &awards, at_cut).await?,
                Err(problem) => tracing::debug!(%peer, %problem, "no awards from a peer"),
            }
        }
        Ok(())
    }

    /// Keeps those of an epoch's awards that hold as of its cut.
    pub(crate) async fn keep_awards(
        &self,
        epoch: Epoch,
        awards: &[AwardMessage],
        at_cut: &Cooperative,
    ) -> Result<(), Problem> {
        let domain = self.manifest.programs_domain();
        let vouched = self.vouched_at_cut(epoch, awards, at_cut).await?;
        for award in
            awards.iter().filter(|award| award.epoch == epoch && check(award, at_cut, &domain, &vouched).is_ok())
        {
            self.store.put_award(award).await?;
        }
        Ok(())
    }

    /// Awards that hold and are held here but are not among `awards`, in words.
    pub(crate) async fn awards_withheld(
        &self,
        epoch: Epoch,
        awards: &[AwardMessage],
        at_cut: &Cooperative,
    ) -> Result<Vec<String>, Problem> {
        let domain = self.manifest.programs_domain();
        let there: BTreeSet<_> = awards.iter().map(key).collect();
        let ours = self.store.awards(epoch).await?;
        let vouched = self.vouched_at_cut(epoch, &ours, at_cut).await?;
        let missing =
            ours.iter().filter(|award| !there.contains(&key(award)) && check(award, at_cut, &domain, &vouched).is_ok());
        Ok(missing
            .map(|award| format!("an award of program {} to member {} is here", award.program, award.member_id))
            .collect())
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use alloy::signers::local::PrivateKeySigner;
    use rochdale_chain::events::{Event, Located};

    fn located(event: Event) -> Located {
        let (block_hash, transaction) = Default::default();
        Located { block_number: 1, block_hash, timestamp: 1, log_index: 0, transaction, event }
    }

    fn joined(member: u32) -> Located {
        located(Event::Joined {
            member: member.into(),
            account: Address::with_last_byte(member as u8),
            payout: Address::ZERO,
            nullifier: alloy::primitives::B256::ZERO,
            row_key_digest: alloy::primitives::B256::ZERO,
        })
    }

    fn set(awarder: &PrivateKeySigner, open: bool) -> Located {
        let (cap_per_epoch, cap_per_member) = (1_000, 600);
        let awarder = awarder.address();
        located(Event::ProgramSet { program: 1, awarder, kind: 1, cap_per_epoch, cap_per_member, open })
    }

    fn award(key: &PrivateKeySigner, domain: &Eip712Domain, member: u32, points: u128) -> AwardMessage {
        let nonce = U256::from(points);
        let message = eip712::Award { programId: 1, memberId: member, epoch: 3, points, nonce };
        let signature = eip712::sign(key, &message, domain).unwrap();
        AwardMessage { program: 1, member_id: member.into(), epoch: Epoch(3), points, nonce, signature }
    }

    #[test]
    fn an_award_counts_where_the_open_programs_awarder_signed_it_for_this_epoch() {
        let (awarder, other) = (PrivateKeySigner::random(), PrivateKeySigner::random());
        let domain = eip712::domain("Programs", 31_337, Address::repeat_byte(9));
        let mut events = vec![joined(1), joined(2), set(&awarder, true)];
        let state = Cooperative::fold(&events);
        let (good, none) = (award(&awarder, &domain, 1, 700), Vouched::new());
        let raised = AwardMessage { points: 800, ..good.clone() };
        let elsewhere = award(&awarder, &eip712::domain("Programs", 1, Address::repeat_byte(9)), 2, 5);
        let all = [good.clone(), raised, elsewhere, award(&other, &domain, 2, 5), award(&awarder, &domain, 3, 5)];
        let expected = [Grant { member: MemberId(1), program: 1, points: 600 }];
        assert_eq!(granted(Epoch(3), &all, &state, &domain, &none), expected);
        assert_eq!(granted(Epoch(4), &all, &state, &domain, &none), []);
        assert!(check(&all[3], &state, &domain, &none).unwrap_err().contains("the awarder of program 1 is"));
        assert!(check(&all[4], &state, &domain, &none).unwrap_err().contains("member 3 does not exist"));
        // What a contract vouches for is that award and no other.
        let taken = Vouched::from([digest(&all[3], &domain)]);
        check(&all[3], &state, &domain, &taken).unwrap();
        let more = AwardMessage { points: 6, ..all[3].clone() };
        assert!(check(&more, &state, &domain, &taken).is_err());
        events.push(set(&awarder, false));
        let closed = Cooperative::fold(&events);
        assert_eq!(granted(Epoch(3), &all, &closed, &domain, &none), []);
        events.push(set(&other, true));
        assert!(check(&good, &Cooperative::fold(&events), &domain, &none).is_err(), "another awarder since");
        events.pop();
        events.pop();
        events.push(located(Event::Ended { member: MemberId(1) }));
        assert_eq!(
            granted(Epoch(3), &all, &Cooperative::fold(&events), &domain, &none),
            [],
            "who left is granted nothing"
        );
    }
}
