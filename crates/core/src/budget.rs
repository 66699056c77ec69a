//! The privacy budget: zCDP in whole nano-ρ, and the account of each person.
//!
//! Every person has a lifetime budget that is never reset, part of which becomes available each year. A debit charges everybody in
//! its snapshot, and nobody else, before anything of theirs is opened; whose remainder is less than its ρ is not drawn. Dropping who
//! would exceed their own bound keeps everybody within theirs, whatever was asked before (an individual privacy filter: Feldman and
//! Zrnic 2021), and one person's presence changes nobody else's inclusion.
//!
//! ```text
//! debits on chain, in order ─┐
//! their snapshots ───────────┼─▶ Accounts::book: fits everybody? ─▶ valid: all are charged │ invalid: nobody is, nothing is released
//! joinings, limits ──────────┘
//! ```
//!
//! Whether a debit is valid follows from the chain, the limits and the snapshots alone, so that every steward, of whatever committee,
//! and every auditor says the same. A member's own lower choice stands in a consent receipt, which is erased with the member: it bounds
//! who is drawn and whose shares are released, and never whether a debit counts.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U256};
use serde::{Deserialize, Serialize};

use crate::ids::MemberId;

/// Nano-zCDP in one unit of ρ.
pub const NANO: u64 = 1_000_000_000;

/// Seconds of a year, after which the next part of a person's budget is available.
pub const YEAR: u64 = 365 * 86_400;

/// Why a charge is not made.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BudgetError {
    /// Nothing to divide by.
    #[error("noise of scale 0 has no finite cost")]
    NoNoise,
    /// A cost beyond any budget.
    #[error("the charge does not fit 64 bits of nano-zCDP: more noise, or less sensitivity")]
    Unpayable,
    /// A debit must cost something.
    #[error("the debit of order {order} has a rho of 0: every release is charged")]
    Free {
        /// Digest of the order.
        order: B256,
    },
    /// Somebody in the snapshot has less left. Whom is for stewards alone.
    #[error(
        "the debit of order {order} does not fit everybody in its snapshot: it charges nobody and releases nothing"
    )]
    Overdrawn {
        /// Digest of the order.
        order: B256,
        /// Who has too little left.
        short: BTreeSet<MemberId>,
    },
}

/// ρ of Gaussian noise with standard deviation `sigma_milli` / 1,000 on a statistic of L2 sensitivity `sensitivity`:
/// Δ² / 2σ², in nano-zCDP, rounded up. Bun and Steinke 2016, proposition 1.6; Canonne, Kamath and Steinke 2020 for the discrete
/// Gaussian.
///
/// # Errors
/// Where there is no noise, or the cost does not fit 64 bits.
pub fn charge(sensitivity: u64, sigma_milli: u64) -> Result<u64, BudgetError> {
    if sigma_milli == 0 {
        return Err(BudgetError::NoNoise);
    }
    let square = |value: u64| U256::from(value) * U256::from(value);
    // Δ² · 10^6 · 10^9 / 2σ²: at most 2^128 · 2^50.
    let cost = (square(sensitivity) * U256::from(1_000_000_000_000_000u64)).div_ceil(square(sigma_milli) << 1);
    u64::try_from(cost).map_err(|_| BudgetError::Unpayable)
}

/// What each person may spend, in nano-zCDP: the cooperative's, the same for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// For life, never reset.
    pub lifetime: u64,
    /// What becomes available with each year of membership that begins.
    pub per_year: u64,
}

/// What a member chose for itself, in nano-zCDP: it only lowers what the cooperative lets be spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// For life.
    pub lifetime: Option<u64>,
    /// With each year of membership that begins, counted from the first.
    pub per_year: Option<u64>,
}

impl Own {
    /// Both bounds at once.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let least = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).min();
        Self { lifetime: least(self.lifetime, other.lifetime), per_year: least(self.per_year, other.per_year) }
    }
}

impl Limits {
    /// What somebody who joined at `joined` may have spent by `now`, both Unix seconds; nothing before they joined.
    #[must_use]
    pub fn available(&self, joined: u64, now: u64, own: Own) -> u64 {
        let Some(age) = now.checked_sub(joined) else { return 0 };
        let per_year = self.per_year.min(own.per_year.unwrap_or(u64::MAX));
        let begun = per_year.saturating_mul(age / YEAR + 1);
        self.lifetime.min(begun).min(own.lifetime.unwrap_or(u64::MAX))
    }
}

/// One debit with the people in its snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Digest of the order.
    pub order: B256,
    /// Nano-zCDP for each of them.
    pub rho: u64,
    /// Time of the order's cut, Unix seconds: what is available is read there.
    pub cut: u64,
    /// Members in the snapshot with the time at which each joined, Unix seconds.
    pub people: BTreeMap<MemberId, u64>,
}

/// What everybody has spent, over debits in the order of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    limits: Limits,
    spent: BTreeMap<MemberId, u64>,
}

impl Accounts {
    /// Nobody has spent anything.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, spent: BTreeMap::new() }
    }

    /// What everybody had spent when the debits so far were added up.
    #[must_use]
    pub fn of(limits: Limits, spent: BTreeMap<MemberId, u64>) -> Self {
        Self { limits, spent }
    }

    /// What each member has spent, in nano-zCDP.
    #[must_use]
    pub fn all(&self) -> &BTreeMap<MemberId, u64> {
        &self.spent
    }

    /// Takes the next debit of the chain: charges all of its people, or nobody.
    ///
    /// # Errors
    /// Where it is invalid; nothing has changed then.
    pub fn book(&mut self, charge: &Charge) -> Result<(), BudgetError> {
        self.fits(charge)?;
        self.hold(charge);
        Ok(())
    }

    /// Whether a debit would be valid if it were the next.
    ///
    /// # Errors
    /// Where it would not.
    pub fn fits(&self, charge: &Charge) -> Result<(), BudgetError> {
        let order = charge.order;
        if charge.rho == 0 {
            return Err(BudgetError::Free { order });
        }
        let too_little = |(member, joined): (&MemberId, &u64)| {
            (self.remainder(*member, *joined, charge.cut, Own::default()) < charge.rho).then_some(*member)
        };
        let short: BTreeSet<MemberId> = charge.people.iter().filter_map(too_little).collect();
        if short.is_empty() { Ok(()) } else { Err(BudgetError::Overdrawn { order, short }) }
    }

    /// Counts a debit that may yet be booked, valid or not: what a steward signed and does not see on chain.
    pub fn hold(&mut self, charge: &Charge) {
        for member in charge.people.keys() {
            let spent = self.spent.entry(*member).or_default();
            *spent = spent.saturating_add(charge.rho);
        }
    }

    /// What a member has spent, in nano-zCDP.
    #[must_use]
    pub fn spent(&self, member: MemberId) -> u64 {
        self.spent.get(&member).copied().unwrap_or_default()
    }

    /// What a member has left at a time; arguments as for [`Limits::available`].
    #[must_use]
    pub fn remainder(&self, member: MemberId, joined: u64, now: u64, own: Own) -> u64 {
        self.limits.available(joined, now, own).saturating_sub(self.spent(member))
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    const LIMITS: Limits = Limits { lifetime: 100, per_year: 40 };

    fn charge(order: u8, rho: u64, cut: u64, people: &[u32]) -> Charge {
        let people = people.iter().map(|id| (MemberId(*id), 1_000)).collect();
        Charge { order: B256::repeat_byte(order), rho, cut, people }
    }

    #[test]
    fn charges_round_up() {
        assert_eq!(super::charge(10, 100_000), Ok(5_000_000), "Δ = 10, σ = 100: ρ = 0.005");
        assert_eq!(super::charge(1, 1_000), Ok(500_000_000));
        assert_eq!(super::charge(1, 3_000), Ok(55_555_556), "1/18 is not whole");
        assert_eq!(super::charge(0, 1), Ok(0));
        assert_eq!(super::charge(1, 0), Err(BudgetError::NoNoise));
        assert_eq!(super::charge(u64::MAX, 1), Err(BudgetError::Unpayable));
    }

    #[test]
    fn a_part_becomes_available_with_each_year_that_begins() {
        let (none, own) = (Own::default(), |lifetime| Own { lifetime: Some(lifetime), per_year: None });
        let at = |years: u64| LIMITS.available(1_000, 1_000 + years * YEAR, none);
        assert_eq!([at(0), at(1), at(2), at(3), at(90)], [40, 80, 100, 100, 100]);
        assert_eq!(LIMITS.available(1_000, 999 + YEAR, none), 40, "the second year has not begun");
        assert_eq!(LIMITS.available(1_000, 999, none), 0, "who has not joined has nothing");
        assert_eq!(LIMITS.available(1_000, 1_000 + 2 * YEAR, own(7)), 7, "a member may choose less");
        assert_eq!(LIMITS.available(1_000, 1_000, own(700)), 40, "and not more");
        let yearly = |years: u64, per_year| {
            LIMITS.available(1_000, 1_000 + years * YEAR, Own { lifetime: Some(50), per_year: Some(per_year) })
        };
        assert_eq!([yearly(0, 15), yearly(1, 15), yearly(2, 15), yearly(3, 15)], [15, 30, 45, 50]);
        assert_eq!([yearly(0, 41), yearly(0, 0)], [40, 0], "never more than the cooperative's");
        let both = own(7).and(Own { lifetime: Some(9), per_year: Some(3) });
        assert_eq!(both, Own { lifetime: Some(7), per_year: Some(3) });
    }

    #[test]
    fn a_debit_charges_everybody_in_its_snapshot_or_nobody() {
        let mut accounts = Accounts::new(LIMITS);
        accounts.book(&charge(1, 30, 1_000, &[1, 2])).unwrap();
        let short = BTreeSet::from([MemberId(2)]);
        let error = accounts.book(&charge(2, 11, 1_000, &[2, 3])).unwrap_err();
        assert_eq!(error, BudgetError::Overdrawn { order: B256::repeat_byte(2), short });
        assert!(!error.to_string().contains('3'), "{error}: who is short is for stewards alone");
        assert_eq!([1, 2, 3].map(|id| accounts.spent(MemberId(id))), [30, 30, 0]);
        accounts.book(&charge(3, 10, 1_000, &[2, 3])).unwrap();
        assert_eq!([1, 2, 3].map(|id| accounts.spent(MemberId(id))), [30, 40, 10]);
        assert_eq!(accounts.book(&charge(4, 0, 1_000, &[3])), Err(BudgetError::Free { order: B256::repeat_byte(4) }));
    }

    #[test]
    fn a_year_later_there_is_more_and_at_the_end_nothing() {
        let mut accounts = Accounts::new(LIMITS);
        accounts.book(&charge(1, 40, 1_000, &[1])).unwrap();
        assert!(accounts.fits(&charge(2, 1, 1_000, &[1])).is_err());
        accounts.book(&charge(2, 40, 1_000 + YEAR, &[1])).unwrap();
        accounts.book(&charge(3, 20, 1_000 + 2 * YEAR, &[1])).unwrap();
        assert!(accounts.fits(&charge(4, 1, 1_000 + 50 * YEAR, &[1])).is_err(), "never reset");
    }
}
