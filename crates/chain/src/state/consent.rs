//! What members allow, as the chain shows it.

use alloy::primitives::B256;
use rochdale_core::ids::{ContributionId, MemberId};
use serde::{Deserialize, Serialize};

use super::{At, Cooperative};
use crate::events::Event;

/// The state of a member's consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentStatus {
    /// Given, until it expires.
    Granted,
    /// Withdrawn.
    Revoked,
    /// Withdrawn with everything else.
    Erased,
}

/// A member's newest consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Counts the grants from 1.
    pub version: u32,
    /// Commitment to the receipt of that version.
    pub receipt_commitment: B256,
    /// Unix seconds; 0 = none.
    pub expiry: u64,
    /// Whether it still stands.
    pub status: ConsentStatus,
    /// When the status last changed.
    pub since: At,
}

impl Consent {
    /// Whether it is granted and not expired at `time` (Unix seconds).
    #[must_use]
    pub fn is_live(&self, time: u64) -> bool {
        self.status == ConsentStatus::Granted && (self.expiry == 0 || time < self.expiry)
    }
}

/// One version of a consent, as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Commitment to its receipt.
    pub receipt_commitment: B256,
    /// Unix seconds; 0 = none.
    pub expiry: u64,
}

/// Which of a member's signatures about its consent the chain took. Each grant, revocation and erasure takes the next number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsentSignatures {
    /// The number that the next one must carry.
    pub next: u64,
    /// That of the last grant.
    pub granted: Option<u64>,
    /// That of the last revocation.
    pub revoked: Option<u64>,
}

impl ConsentSignatures {
    /// Takes one more; gives its number.
    fn count(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }
}

impl Cooperative {
    /// Which of a member's signatures about its consent the chain took.
    #[must_use]
    pub fn consent_signatures(&self, member: MemberId) -> ConsentSignatures {
        self.consent_signatures.get(&member).copied().unwrap_or_default()
    }

    pub(super) fn apply_consent(&mut self, event: &Event, at: At) {
        match *event {
            Event::ConsentGranted { member, version, receipt_commitment, expiry } => {
                self.consent_signatures.change(member, |taken| taken.granted = Some(taken.count()));
                let status = ConsentStatus::Granted;
                self.grants.insert((member, version), Grant { receipt_commitment, expiry });
                self.consents.insert(member, Consent { version, receipt_commitment, expiry, status, since: at });
            }
            Event::ConsentRevoked { member, .. } => {
                self.consent_signatures.change(member, |taken| taken.revoked = Some(taken.count()));
                self.set_consent(member, ConsentStatus::Revoked, at);
            }
            Event::Erased { member } => {
                self.consent_signatures.change(member, |taken| {
                    taken.count();
                });
                self.set_consent(member, ConsentStatus::Erased, at);
                if let Some(m) = self.members.get_mut(&member) {
                    m.erased = Some(at);
                }
                let whose = (member, ContributionId(0))..=(member, ContributionId(u64::MAX));
                for id in self.given.range(whose).map(|((_, id), ())| id) {
                    if let Some(contribution) = self.contributions.get_mut(id) {
                        contribution.erased = true;
                    }
                }
            }
            _ => {}
        }
    }

    fn set_consent(&mut self, member: MemberId, status: ConsentStatus, at: At) {
        if let Some(consent) = self.consents.get_mut(&member) {
            consent.status = status;
            consent.since = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Located;

    fn after(events: &[Event]) -> ConsentSignatures {
        let (block_hash, transaction) = (B256::ZERO, B256::ZERO);
        let located = events.iter().cloned().map(|event| Located {
            block_number: 1,
            block_hash,
            timestamp: 1,
            log_index: 0,
            transaction,
            event,
        });
        Cooperative::fold(&located.collect::<Vec<_>>()).consent_signatures(MemberId(7))
    }

    #[test]
    fn each_signature_about_a_consent_has_the_next_number() {
        let member = MemberId(7);
        let grant = |version| Event::ConsentGranted { member, version, receipt_commitment: B256::ZERO, expiry: 0 };
        let revoked = Event::ConsentRevoked { member, version: 1 };
        assert_eq!(after(&[]), ConsentSignatures::default());
        assert_eq!(after(&[grant(1)]), ConsentSignatures { next: 1, granted: Some(0), revoked: None });
        let all = [grant(1), revoked, grant(2), Event::Erased { member }];
        assert_eq!(after(&all), ConsentSignatures { next: 4, granted: Some(2), revoked: Some(1) });
        // Who never consented can erase as well.
        assert_eq!(after(&[Event::Erased { member }]).next, 1);
    }
}
