//! Whether consent is live: the chain's state machine, as `ConsentRegistry` runs it.
//!
//! ```text
//!   None ──grant──▶ Granted ◀─grant── Revoked        every grant raises the version by one
//!     │              │    └──revoke──▶ ▲
//!     └──erase──┐    └──erase──▶ Erased ◀──erase── (Revoked)      Erased is final
//!               └──────────────▶
//! ```

use serde::{Deserialize, Serialize};

/// Where a member's consent stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Never given.
    #[default]
    None,
    /// Given, unless it has expired.
    Granted,
    /// Withdrawn.
    Revoked,
    /// Everything erased, membership ended, for good.
    Erased,
}

/// Why a consent does not change as asked.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConsentError {
    /// Versions count up by one.
    #[error("consent version {given}: the next is {expected}")]
    Version {
        /// What was given.
        given: u32,
        /// What must come.
        expected: u32,
    },
    /// It would never be live.
    #[error("consent expires at {expiry}, now is {now}: give a later time, or 0 for none")]
    ExpiryPassed {
        /// Unix seconds.
        expiry: u64,
        /// Unix seconds.
        now: u64,
    },
    /// Nothing to withdraw.
    #[error("no consent to revoke: it is {0:?}")]
    NotGranted(Status),
    /// For good.
    #[error("everything was erased; this id is closed for ever")]
    Erased,
}

/// One member's consent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Grants so far.
    pub version: u32,
    /// Where it stands.
    pub status: Status,
    /// Unix seconds from which a grant is dead; 0 for never.
    pub expiry: u64,
}

impl Consent {
    /// Whether data may be used at `now` (unix seconds of block time), for an active member.
    #[must_use]
    pub fn is_live(&self, now: u64) -> bool {
        self.status == Status::Granted && (self.expiry == 0 || now < self.expiry)
    }

    /// Grants, or replaces what was granted before.
    ///
    /// # Errors
    /// Where the version is not the next, the expiry has passed, or everything was erased.
    pub fn grant(self, version: u32, expiry: u64, now: u64) -> Result<Self, ConsentError> {
        if self.status == Status::Erased {
            return Err(ConsentError::Erased);
        }
        let expected = self.version.saturating_add(1);
        if version != expected || self.version == u32::MAX {
            return Err(ConsentError::Version { given: version, expected });
        }
        if expiry != 0 && expiry <= now {
            return Err(ConsentError::ExpiryPassed { expiry, now });
        }
        Ok(Self { version, status: Status::Granted, expiry })
    }

    /// Withdraws; an expired grant can be withdrawn too.
    ///
    /// # Errors
    /// Where there is no grant.
    pub fn revoke(self) -> Result<Self, ConsentError> {
        match self.status {
            Status::Granted => Ok(Self { status: Status::Revoked, ..self }),
            Status::Erased => Err(ConsentError::Erased),
            other => Err(ConsentError::NotGranted(other)),
        }
    }

    /// Erases, from anywhere.
    ///
    /// # Errors
    /// Where that was done before.
    pub fn erase(self) -> Result<Self, ConsentError> {
        match self.status {
            Status::Erased => Err(ConsentError::Erased),
            _ => Ok(Self { status: Status::Erased, ..self }),
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_way_of_a_consent() {
        let none = Consent::default();
        assert!(!none.is_live(0));
        let granted = none.grant(1, 0, 50).unwrap();
        assert!(granted.is_live(u64::MAX));
        let revoked = granted.revoke().unwrap();
        assert!(!revoked.is_live(50));
        let again = revoked.grant(2, 60, 50).unwrap();
        assert!(again.is_live(59) && !again.is_live(60));
        let replaced = again.grant(3, 0, 70).unwrap();
        assert_eq!(replaced, Consent { version: 3, status: Status::Granted, expiry: 0 });
        assert!(!replaced.erase().unwrap().is_live(70));
    }

    #[test]
    fn erasure_is_final_and_possible_from_anywhere() {
        let granted = Consent::default().grant(1, 0, 0).unwrap();
        for before in [Consent::default(), granted, granted.revoke().unwrap()] {
            let erased = before.erase().unwrap();
            assert_eq!(erased.erase(), Err(ConsentError::Erased));
            assert_eq!(erased.revoke(), Err(ConsentError::Erased));
            assert_eq!(erased.grant(before.version + 1, 0, 0), Err(ConsentError::Erased));
        }
    }

    #[test]
    fn what_does_not_follow_is_refused() {
        let none = Consent::default();
        assert_eq!(none.revoke(), Err(ConsentError::NotGranted(Status::None)));
        assert_eq!(none.grant(2, 0, 0), Err(ConsentError::Version { given: 2, expected: 1 }));
        assert_eq!(none.grant(1, 50, 50), Err(ConsentError::ExpiryPassed { expiry: 50, now: 50 }));
        let revoked = none.grant(1, 0, 0).unwrap().revoke().unwrap();
        assert_eq!(revoked.revoke(), Err(ConsentError::NotGranted(Status::Revoked)));
        let last = Consent { version: u32::MAX, ..revoked };
        assert!(last.grant(u32::MAX, 0, 0).is_err());
    }
}
