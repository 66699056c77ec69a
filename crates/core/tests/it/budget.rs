//! Nobody spends more than is theirs, whatever one lying steward signs and in whatever order debits are booked.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use proptest::prelude::*;
use rochdale_core::budget::{Accounts, Charge, Limits, Own, YEAR};
use rochdale_core::ids::MemberId;

const LIMITS: Limits = Limits { lifetime: 1_000, per_year: 400 };
const MEMBERS: u32 = 12;
const ORDERS: usize = 1_000;
/// Seats of the committee; the last one lies. Two signatures book a debit.
const HONEST: usize = 2;

/// One order and what becomes of it: all of it is drawn, so that any interleaving may come up.
#[derive(Clone, Debug)]
struct Asked {
    rho: u64,
    /// Blocks by which its cut lags the head.
    lag: usize,
    /// Which of the honest stewards hears of it first.
    first: usize,
    /// How many debits are booked before this one is, once it has its signatures.
    delay: usize,
    /// Who is of the dataset and consents, a bit for each member.
    willing: u16,
}

fn an_order() -> impl Strategy<Value = Asked> {
    (1..=300u64, 0..6usize, 0..HONEST, 0..8usize, any::<u16>()).prop_map(|(rho, lag, first, delay, willing)| Asked {
        rho,
        lag,
        first,
        delay,
        willing,
    })
}

/// The chain as everybody sees it, and each honest steward's memory of what it signed.
#[derive(Default)]
struct World {
    booked: Vec<Charge>,
    signed: [BTreeMap<B256, Charge>; HONEST],
    waiting: Vec<(usize, Charge)>,
}

fn joined(member: MemberId) -> u64 {
    u64::from(member.0) * YEAR / 4
}

fn counted(debits: &[Charge]) -> Accounts {
    let mut accounts = Accounts::new(LIMITS);
    for debit in debits {
        let _ = accounts.book(debit);
    }
    accounts
}

impl World {
    /// The snapshot that the rule gives for an order: who is willing and can pay as of the cut.
    fn snapshot(&self, at: usize, asked: &Asked, now: u64) -> Charge {
        let accounts = counted(&self.booked[..self.booked.len().saturating_sub(asked.lag)]);
        let willing = (1..=MEMBERS).map(MemberId).filter(|member| asked.willing >> (member.0 - 1) & 1 == 1);
        let people = willing
            .map(|member| (member, joined(member)))
            .filter(|(member, joined)| accounts.remainder(*member, *joined, now, Own::default()) >= asked.rho)
            .collect();
        Charge { order: B256::left_padding_from(&at.to_be_bytes()), rho: asked.rho, cut: now, people }
    }

    /// An honest steward signs what fits with everything on chain and everything that it signed and does not see there.
    fn signs(&mut self, steward: usize, charge: &Charge) -> bool {
        let mut accounts = counted(&self.booked);
        let on_chain: BTreeSet<B256> = self.booked.iter().map(|debit| debit.order).collect();
        for held in self.signed[steward].values().filter(|held| !on_chain.contains(&held.order)) {
            accounts.hold(held);
        }
        let fits = accounts.fits(charge).is_ok();
        if fits {
            self.signed[steward].insert(charge.order, charge.clone());
        }
        fits
    }

    fn book_due(&mut self) {
        self.waiting.iter_mut().for_each(|(delay, _)| *delay = delay.saturating_sub(1));
        let (due, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(delay, _)| *delay == 0);
        self.waiting = waiting;
        self.booked.extend(Vec::into_iter(due).map(|(_, charge): (usize, Charge)| charge));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_thousand_concurrent_orders_overspend_nobody(orders in prop::collection::vec(an_order(), ORDERS)) {
        let mut world = World::default();
        for (at, asked) in orders.iter().enumerate() {
            let now = at as u64 * YEAR / 250;
            let charge = world.snapshot(at, asked, now);
            // The liar signs whatever comes and shows nobody what it signed: one honest signature completes the two, and the
            // other honest steward hears of the order only once it is booked.
            if world.signs(asked.first, &charge) {
                world.waiting.push((asked.delay, charge));
            }
            world.book_due();
        }
        let last = ORDERS as u64 * YEAR / 250;
        let (mut accounts, mut paid) = (Accounts::new(LIMITS), BTreeMap::<MemberId, u64>::new());
        let mut valid = 0;
        for debit in &world.booked {
            if accounts.book(debit).is_ok() {
                valid += 1;
                for member in debit.people.keys() {
                    *paid.entry(*member).or_default() += debit.rho;
                }
                for (member, rho) in &paid {
                    let bound = LIMITS.available(joined(*member), debit.cut, Own::default());
                    prop_assert!(!debit.people.contains_key(member) || *rho <= bound, "member {member} at {}", debit.cut);
                }
            }
        }
        for (member, rho) in paid {
            prop_assert!(rho <= LIMITS.available(joined(member), last, Own::default()));
            prop_assert_eq!(accounts.spent(member), rho);
        }
        // Around the limit: some were refused or fell through, and many went through.
        prop_assert!(valid > 20 && world.booked.len() > valid, "{valid} of {} are valid", world.booked.len());
    }

    /// Whose remainder is short is not in, and everybody else is in exactly as before.
    #[test]
    fn a_short_member_leaves_nobody_elses_inclusion_changed(
        spent in prop::collection::vec((1..=400u64, any::<u16>()), 0..40), rho in 1..=400u64, poor in 1..=MEMBERS,
    ) {
        let now = 4 * YEAR;
        let asked = Asked { rho, lag: 0, first: 0, delay: 0, willing: u16::MAX };
        let charge = |at: usize, rho: u64, bits: u16| {
            let people = (1..=MEMBERS).map(MemberId).filter(|m| bits >> (m.0 - 1) & 1 == 1).map(|m| (m, joined(m))).collect();
            Charge { order: B256::left_padding_from(&at.to_be_bytes()), rho, cut: now, people }
        };
        let booked = spent.iter().enumerate().map(|(at, (rho, bits))| charge(at, *rho, *bits)).collect();
        let mut world = World { booked, ..World::default() };
        let before = world.snapshot(ORDERS, &asked, now).people;
        // One member pays all that it has left, and nobody else anything.
        let poor = MemberId(poor);
        let left = counted(&world.booked).remainder(poor, joined(poor), now, Own::default());
        if left > 0 {
            world.booked.push(Charge { people: BTreeMap::from([(poor, joined(poor))]), ..charge(ORDERS + 1, left, 0) });
        }
        let mut expected = before;
        expected.remove(&poor);
        prop_assert_eq!(world.snapshot(ORDERS, &asked, now).people, expected);
    }
}
