//! Who of a dataset a license's questions are about, where it pays for fewer people than there are.
//!
//! Each **member** is drawn by themselves: in if `HMAC-SHA256(salt, member id) < p · 2^256`, `p` = paid records / published
//! size. Whether one is drawn depends on the salt, the license and the published size, and on nobody else: one member more or less
//! changes that member's inclusion alone, so that a question's sensitivity is one person's. A draw of a fixed number would not
//! have this: there a newcomer moves others in and out. (A count whose noise was calibrated to 1 then moved by 17.)
//!
//! The salt is the license's own and never changes: the same people answer all questions of a license, which spends few people's
//! budget, gives equal questions equal pools, and leaves nothing to be averaged away by asking again. Nobody outside the committee can
//! compute it, so nobody can tell from the chain who was drawn.

use alloy_primitives::{U256, U512};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ids::{LicenseId, MemberId};

/// HMAC-SHA256 of parts one after the other; each caller's parts have fixed lengths, or end with the only one that has none.
pub(crate) fn prf(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC pads a short key with zeros to its block; done here, the length needs no check.
    let mut padded = [0; 64];
    padded[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&padded.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// What a license's draw is salted with: secret, the same on every steward that holds the committee's key.
#[derive(Clone, PartialEq, Eq)]
pub struct DrawSalt([u8; 32]);

impl DrawSalt {
    /// `HMAC(committee key, "rochdale.draw.v1" ‖ license id u64 BE)`.
    #[must_use]
    pub fn new(committee_key: &[u8; 32], license: LicenseId) -> Self {
        Self(prf(committee_key, &[b"rochdale.draw.v1", &license.0.to_be_bytes()]))
    }
}

/// The probability with which each member is drawn, exact to 2^-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    /// Who pays for at least the published size may ask everyone.
    Everyone,
    /// `⌊p · 2^256⌋`: drawn below it.
    Below(U256),
}

impl Chance {
    /// `min(1, paid / published)`; `published` comes from [`size`](crate::size) and is never 0.
    #[must_use]
    pub fn new(paid: u64, published: u64) -> Self {
        if paid >= published {
            return Self::Everyone;
        }
        let shifted: U512 = U512::from(paid) << 256usize;
        let threshold: U512 = shifted / U512::from(published);
        Self::Below(U256::from_limbs_slice(&threshold.as_limbs()[..4])) // below 2^256, since paid < published
    }

    /// Whether `member` is drawn.
    #[must_use]
    pub fn draws(&self, salt: &DrawSalt, member: MemberId) -> bool {
        match self {
            Self::Everyone => true,
            Self::Below(threshold) => U256::from_be_bytes(prf(&salt.0, &[&member.0.to_be_bytes()])) < *threshold,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn salt(license: u64) -> DrawSalt {
        DrawSalt::new(&[7; 32], LicenseId(license))
    }

    fn drawn(chance: Chance, license: u64, members: impl IntoIterator<Item = u32>) -> BTreeSet<u32> {
        members.into_iter().filter(|&id| chance.draws(&salt(license), MemberId(id))).collect()
    }

    #[test]
    fn the_threshold_is_exact() {
        assert_eq!(Chance::new(1, 2), Chance::Below(U256::from(1) << 255));
        assert_eq!(Chance::new(1, 3), Chance::Below(U256::MAX / U256::from(3)));
        let shifted: U512 = U512::from(u64::MAX - 1) << 256usize;
        let almost: U512 = shifted / U512::from(u64::MAX);
        let almost = U256::from_limbs_slice(&almost.as_limbs()[..4]);
        assert_eq!(Chance::new(u64::MAX - 1, u64::MAX), Chance::Below(almost));
        assert_eq!(Chance::new(0, 5), Chance::Below(U256::ZERO));
        assert_eq!([Chance::new(5, 5), Chance::new(6, 5), Chance::new(0, 0)], [Chance::Everyone; 3]);
    }

    /// 20,000 members at p = 3/10: six standard deviations are 389.
    #[test]
    fn about_as_many_are_drawn_as_were_paid_for() {
        let got = drawn(Chance::new(300, 1_000), 1, 1..=20_000).len();
        assert!((5_611..=6_389).contains(&got), "{got}");
        assert!(drawn(Chance::new(0, 10), 1, 1..=1_000).is_empty());
        assert_eq!(drawn(Chance::Everyone, 1, 1..=1_000).len(), 1_000);
    }

    #[test]
    fn one_members_presence_changes_nobody_elses_inclusion() {
        let chance = Chance::new(20, 50);
        let all = drawn(chance, 1, 1..=60);
        for left_out in 1..=60 {
            let mut expected = all.clone();
            expected.remove(&left_out);
            assert_eq!(drawn(chance, 1, (1..=60).filter(|&id| id != left_out)), expected);
        }
    }

    #[test]
    fn licenses_draw_independently_and_paying_more_only_adds() {
        let (one, two) = (drawn(Chance::new(1, 2), 1, 1..=2_000), drawn(Chance::new(1, 2), 2, 1..=2_000));
        // Two independent halves of 2,000 share 500, with a deviation of 19.4.
        let shared = one.intersection(&two).count();
        assert!((384..=616).contains(&shared), "{shared}");
        assert!(drawn(Chance::new(1, 3), 1, 1..=2_000).is_subset(&one));
        assert!(drawn(Chance::new(1, 2), 1, 1..=2_000) == one, "the same people every time");
    }
}
