//! Members: joining, consenting, contributing, coming and going.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use anyhow::{Context as _, Result};
use rand::RngExt as _;
use rochdale_chain::bindings::{ConsentRegistry, ContributionRegistry, Membership};
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_core::ids::MemberId;
use rochdale_core::ledger::Score;

use super::passkey::{Key, Passkey};
use super::tally::Act;
use super::{KeyFate, Year};

/// Of the members who may, how many in a hundred contribute in an epoch.
const CONTRIBUTE_PERCENT: u32 = 30;
/// Contributions in one transaction.
const BATCH: usize = 25;
/// One in so many joins by a passkey.
const PASSKEYS: usize = 20;

/// A person who may be a member.
#[derive(Clone)]
pub(super) struct Person {
    pub key: Key,
    pub id: MemberId,
    /// Number of the consent in force, 0 without one.
    pub consent: u32,
    /// When they joined, unix seconds.
    pub joined: u64,
    /// Whether they left, were expelled or erased everything.
    pub gone: bool,
    /// Where they are paid.
    pub payout: Address,
}

impl Year {
    /// What members do in an epoch.
    pub(super) async fn members(&mut self, epoch: u32) -> Result<()> {
        self.admit(epoch).await?;
        self.contribute().await?;
        // What few people do is spread over the epochs instead of drawn, so that it happens in every year.
        match epoch % 6 {
            2 => self.leave_one().await?,
            3 => self.revoke_one().await?,
            4 => self.redirect_one().await?,
            5 if epoch > 9 => self.erase_one().await?,
            _ => {}
        }
        self.consent_again().await?;
        self.award_voters().await
    }

    /// Admits those whose turn it is: a half in epoch 1, the others evenly up to the last quarter.
    async fn admit(&mut self, epoch: u32) -> Result<()> {
        let (all, epochs) = (self.plan.members, self.plan.epochs);
        let (first, span) = (all / 2, (epochs * 3 / 4).max(2) - 1);
        let target = first + (all - first) * (epoch - 1).min(span) / span;
        while self.people.len() < target as usize && !self.paused {
            self.join_next().await?;
        }
        Ok(())
    }

    /// Admits the next person and has them consent.
    pub(super) async fn join_next(&mut self) -> Result<()> {
        let number = self.people.len() + 1;
        let by_passkey = number.is_multiple_of(PASSKEYS);
        let role = format!("member-{number}");
        let key = if by_passkey {
            Key::Passkey(Box::new(Passkey::put_up(&mut self.site, self.accounts, &role).await?))
        } else {
            Key::Wallet(self.site.key(&role))
        };
        let account = key.address();
        let admission = eip712::Admission {
            account,
            payout: account,
            nullifier: keccak256(format!("credential of {role}")),
            rowKeyDigest: match KeyFate::of(MemberId(number as u32)) {
                KeyFate::Keyless => B256::ZERO,
                _ => keccak256(super::row_key(MemberId(number as u32))),
            },
            deadline: self.site.deadline().await?,
        };
        let registrar = self.site.key("registrar");
        let registrar_signature = eip712::sign(&registrar, &admission, &self.site.manifest.membership_domain())?;
        let call = Membership::joinCall { a: admission.into(), registrarSignature: registrar_signature };
        let receipt = self.site.relay(self.site.manifest.addresses.membership, &call).await?;
        let joined = self.site.events(&receipt)?.into_iter().find_map(|located| match located.event {
            Event::Joined { member, .. } => Some(member),
            _ => None,
        });
        let id = joined.context("no Joined event in the receipt")?;
        match KeyFate::of(id) {
            KeyFate::AtOnce | KeyFate::Late => drop(self.transcript.row_keys.insert(id, super::row_key(id))),
            KeyFate::Lost | KeyFate::Keyless => self.tally.count(Act::JoinUnkeyed, account),
        }
        self.tally.count(if by_passkey { Act::JoinByPasskey } else { Act::Join }, account);
        let joined = self.site.now().await?;
        self.people.push(Person { key, id, consent: 0, joined, gone: false, payout: account });
        self.consent(self.people.len() - 1).await
    }

    async fn consent(&mut self, place: usize) -> Result<()> {
        let (id, registry) = (self.people[place].id.0, self.site.manifest.addresses.consent_registry);
        let before = self.site.view(registry, &ConsentRegistry::consentOfCall { memberId: id }).await?;
        let grant = eip712::ConsentGrant {
            memberId: id,
            version: before.version + 1,
            receiptCommitment: self.any_hash(),
            expiry: 0,
            nonce: before.nonce_,
            deadline: self.site.deadline().await?,
        };
        let signature = self.people[place].key.sign(&grant, &self.site.manifest.consent_domain())?;
        self.site.relay(registry, &ConsentRegistry::grantCall { g: grant.into(), signature }).await?;
        self.people[place].consent = before.version + 1;
        self.tally.count(Act::Consent, self.people[place].key.address());
        Ok(())
    }

    /// Half of those who withdrew consent give it again.
    async fn consent_again(&mut self) -> Result<()> {
        for place in self.present(|person| person.consent == 0) {
            if self.rng.random_ratio(1, 2) && !self.paused {
                self.consent(place).await?;
            }
        }
        Ok(())
    }

    /// Contributions of this epoch, each with a score that two stewards would agree on.
    async fn contribute(&mut self) -> Result<()> {
        let mut chosen = self.present(|person| person.consent > 0);
        chosen.retain(|_| self.rng.random_ratio(CONTRIBUTE_PERCENT, 100));
        if self.paused {
            return Ok(());
        }
        for batch in chosen.chunks(BATCH) {
            let (registry, domain) =
                (self.site.manifest.addresses.contribution_registry, self.site.manifest.contribution_domain());
            let deadline = self.site.deadline().await?;
            let (mut contributions, mut signatures): (Vec<_>, Vec<Bytes>) = (Vec::new(), Vec::new());
            for place in batch {
                let (id, consent) = (self.people[*place].id.0, self.people[*place].consent);
                let nonce = self.site.view(registry, &ContributionRegistry::nonceOfCall { memberId: id }).await?;
                let commitment = self.any_hash();
                let contribution =
                    eip712::Contribution { memberId: id, commitment, consentVersion: consent, nonce, deadline };
                signatures.push(self.people[*place].key.sign(&contribution, &domain)?);
                contributions.push(contribution.into());
                self.tally.count(Act::Contribute, self.people[*place].key.address());
            }
            let call = ContributionRegistry::recordCall { c: contributions, signatures };
            let receipt = self.site.relay(registry, &call).await?;
            for located in self.site.events(&receipt)? {
                if let Event::ContributionRecorded { contribution, .. } = located.event {
                    let score = self.score();
                    self.scores.insert(contribution, score);
                }
            }
        }
        Ok(())
    }

    fn score(&mut self) -> Score {
        Score {
            quality: self.rng.random_range(1_500..=10_000),
            uniqueness: if self.rng.random_ratio(1, 20) { 0 } else { 10_000 },
            authenticity: Score::AUTHENTICITY[self.rng.random_range(0..4)],
            rarity: Score::RARITY[self.rng.random_range(0..4)],
        }
    }

    /// Somebody withdraws consent.
    pub(super) async fn revoke_one(&mut self) -> Result<()> {
        let place = self.anybody(|person| person.consent > 0)?;
        let (id, registry) = (self.people[place].id.0, self.site.manifest.addresses.consent_registry);
        let nonce = U256::from(self.site.view(registry, &ConsentRegistry::nonceCall { memberId: id }).await?);
        let revoke = eip712::ConsentRevoke { memberId: id, nonce, deadline: self.site.deadline().await? };
        let signature = self.people[place].key.sign(&revoke, &self.site.manifest.consent_domain())?;
        self.site.relay(registry, &ConsentRegistry::revokeCall { r: revoke.into(), signature }).await?;
        self.people[place].consent = 0;
        self.tally.count(Act::Revoke, self.people[place].key.address());
        Ok(())
    }

    /// Somebody has everything erased, which ends the membership.
    pub(super) async fn erase_one(&mut self) -> Result<()> {
        let place = self.anybody(|_| true)?;
        let (id, registry) = (self.people[place].id.0, self.site.manifest.addresses.consent_registry);
        let nonce = U256::from(self.site.view(registry, &ConsentRegistry::nonceCall { memberId: id }).await?);
        let erase = eip712::ConsentErase { memberId: id, nonce, deadline: self.site.deadline().await? };
        let signature = self.people[place].key.sign(&erase, &self.site.manifest.consent_domain())?;
        self.site.relay(registry, &ConsentRegistry::eraseCall { e: erase.into(), signature }).await?;
        self.people[place].gone = true;
        self.tally.count(Act::Erase, self.people[place].key.address());
        Ok(())
    }

    /// Somebody leaves.
    pub(super) async fn leave_one(&mut self) -> Result<()> {
        let place = self.anybody(|_| true)?;
        let (id, membership) = (self.people[place].id.0, self.site.manifest.addresses.membership);
        let nonce = self.site.view(membership, &Membership::nonceOfCall { memberId: id }).await?;
        let leave = eip712::Leave { memberId: id, nonce, deadline: self.site.deadline().await? };
        let signature = self.people[place].key.sign(&leave, &self.site.manifest.membership_domain())?;
        self.site.relay(membership, &Membership::leaveCall { l: leave.into(), signature }).await?;
        self.people[place].gone = true;
        self.tally.count(Act::Leave, self.people[place].key.address());
        Ok(())
    }

    /// Somebody is paid elsewhere from now on.
    pub(super) async fn redirect_one(&mut self) -> Result<()> {
        let place = self.anybody(|_| true)?;
        self.redirect(place).await
    }

    /// This person is paid elsewhere from now on.
    pub(super) async fn redirect(&mut self, place: usize) -> Result<()> {
        let (id, membership) = (self.people[place].id.0, self.site.manifest.addresses.membership);
        let nonce = self.site.view(membership, &Membership::nonceOfCall { memberId: id }).await?;
        let payout = self.site.key(&format!("payout-{id}-{nonce}")).address();
        let order = eip712::Payout { memberId: id, payout, nonce, deadline: self.site.deadline().await? };
        let signature = self.people[place].key.sign(&order, &self.site.manifest.membership_domain())?;
        self.site.relay(membership, &Membership::setPayoutCall { p: order.into(), signature }).await?;
        self.people[place].payout = payout;
        self.holders.insert(payout);
        self.tally.count(Act::SetPayout, self.people[place].key.address());
        Ok(())
    }

    /// Places of the members of whom something is true.
    pub(super) fn present(&self, which: impl Fn(&Person) -> bool) -> Vec<usize> {
        let here = |place: &usize| !self.people[*place].gone && which(&self.people[*place]);
        (0..self.people.len()).filter(here).collect()
    }

    /// One of them, drawn.
    pub(super) fn anybody(&mut self, which: impl Fn(&Person) -> bool) -> Result<usize> {
        let found = self.present(which);
        let drawn = found.get(self.rng.random_range(0..found.len().max(1)));
        drawn.copied().context("no member is left for this; plan for more members")
    }

    /// A word that stands for nothing else.
    pub(super) fn any_hash(&mut self) -> B256 {
        B256::from(self.rng.random::<[u8; 32]>())
    }
}
