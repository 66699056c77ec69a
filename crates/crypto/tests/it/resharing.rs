//! Resharing: any quorum of the next committee opens what was dealt to the one before, and who deals otherwise is named.

use curve25519_dalek::{constants::RISTRETTO_BASEPOINT_POINT, ristretto::CompressedRistretto, scalar::Scalar};
use proptest::prelude::*;
use rochdale_core::ids::StewardId;
use rochdale_crypto::envelope::{open, seal};
use rochdale_crypto::sharing::{combine, deal, join, redeal, reshared};
use rochdale_crypto::{Commitments, Deal, RecordSecret, Share, SharingError};

use crate::support::{context, name, rng};

/// A deal, and what each of its holders deals to the next committee.
struct Generation {
    deal: Deal,
    redealt: Vec<Deal>,
}

fn dealt(threshold: u8, seats: u8, next: (u8, u8), seed: u8) -> (RecordSecret, Generation) {
    let mut rng = rng(seed);
    let secret = RecordSecret::random(&mut rng);
    let deal = deal(&secret, threshold, seats, &mut rng).unwrap();
    (secret, Generation::of(deal, next, seed))
}

impl Generation {
    fn of(deal: Deal, (threshold, seats): (u8, u8), seed: u8) -> Self {
        let mut rng = rng(seed.wrapping_add(100));
        let redealt = deal.shares.iter().map(|share| redeal(share, threshold, seats, &mut rng).unwrap()).collect();
        Self { deal, redealt }
    }

    fn commitments_of(&self, dealers: &[u8]) -> Result<Commitments, SharingError> {
        let deals: Vec<_> = dealers.iter().map(|i| (StewardId(*i), &self.of_dealer(*i).commitments)).collect();
        reshared(&self.deal.commitments, &deals)
    }

    fn of_dealer(&self, dealer: u8) -> &Deal {
        &self.redealt[usize::from(dealer) - 1]
    }

    fn share_of(&self, dealers: &[u8], seat: u8) -> Result<Share, SharingError> {
        let part = |i: &u8| (StewardId(*i), &self.of_dealer(*i).shares[usize::from(seat) - 1]);
        join(self.deal.commitments.threshold(), &dealers.iter().map(part).collect::<Vec<_>>())
    }

    /// The next sharing, by these dealers, every share checked.
    fn next(&self, dealers: &[u8]) -> Deal {
        let commitments = self.commitments_of(dealers).unwrap();
        let shares: Vec<Share> = (1..=commitments.seats).map(|seat| self.share_of(dealers, seat).unwrap()).collect();
        shares.iter().for_each(|share| commitments.verify(share).unwrap());
        Deal { commitments, shares }
    }
}

fn same(one: &RecordSecret, other: &RecordSecret) -> bool {
    let sealed = seal(one, &context(), b"record", &mut rng(77)).unwrap();
    open(other, &context(), &sealed.blob).is_ok()
}

fn chosen(bits: u32, seats: u8) -> Vec<u8> {
    (1..=seats).filter(|seat| bits >> (seat - 1) & 1 == 1).collect()
}

#[test]
fn every_quorum_of_the_next_committee_opens_by_every_quorum_of_dealers() {
    for ((t, n), next) in [((2, 3), (2, 3)), ((2, 3), (3, 5)), ((3, 5), (2, 3)), ((3, 4), (4, 7)), ((2, 2), (2, 2))] {
        let (secret, generation) = dealt(t, n, next, 1);
        for (dealer, redealt) in (1..).zip(&generation.redealt) {
            let source = &generation.deal.commitments;
            source.expect_redealt(StewardId(dealer), &redealt.commitments, next.0, next.1).unwrap();
        }
        for dealers in (0..1u32 << n).map(|bits| chosen(bits, n)).filter(|dealers| dealers.len() == usize::from(t)) {
            let new = generation.next(&dealers);
            new.commitments.expect(next.0, next.1).unwrap();
            assert_eq!(new.commitments.points[0], generation.deal.commitments.points[0], "the secret stays");
            for holders in (0..1u32 << next.1).map(|bits| chosen(bits, next.1)) {
                let shares: Vec<Share> =
                    holders.iter().map(|seat| new.shares[usize::from(*seat) - 1].clone()).collect();
                let combined = combine(&new.commitments, &shares);
                if shares.len() < usize::from(next.0) {
                    assert_eq!(name(&combined.err().unwrap()), "TooFew");
                } else {
                    assert!(same(&secret, &combined.unwrap()), "{dealers:?} to {holders:?}");
                }
            }
        }
    }
}

#[test]
fn a_share_can_be_foretold_from_public_data() {
    // By hand, on the curve: f(x)·G = Σ C_j·x^j.
    let (_, generation) = dealt(3, 5, (2, 3), 2);
    for share in &generation.deal.shares {
        let scalar = Scalar::from_canonical_bytes(share.to_bytes()[1..].try_into().unwrap()).unwrap();
        let at = generation.deal.commitments.at(share.index()).unwrap();
        assert_eq!(CompressedRistretto(at.0).decompress().unwrap(), scalar * RISTRETTO_BASEPOINT_POINT);
    }
    for seat in [0, 6] {
        let refused = generation.deal.commitments.at(StewardId(seat)).unwrap_err();
        assert_eq!(refused, SharingError::UnknownSeat { index: StewardId(seat), seats: 5 });
    }
}

#[test]
fn a_holder_that_deals_another_secret_is_named_by_everybody() {
    let (_, generation) = dealt(2, 3, (2, 3), 3);
    let (source, second) = (&generation.deal.commitments, &generation.of_dealer(2).commitments);
    let check = |dealer: u8, deal: &Commitments| source.expect_redealt(StewardId(dealer), deal, 2, 3);
    // Another's share as its own, a share of another record, a deal for another committee.
    assert_eq!(check(1, second).unwrap_err(), SharingError::NotItsShare(StewardId(1)));
    let (_, other) = dealt(2, 3, (2, 3), 4);
    assert_eq!(check(2, &other.of_dealer(2).commitments).unwrap_err(), SharingError::NotItsShare(StewardId(2)));
    assert_eq!(name(&source.expect_redealt(StewardId(2), second, 3, 3).unwrap_err()), "InconsistentDeal");
    assert_eq!(name(&source.expect_redealt(StewardId(2), second, 2, 4).unwrap_err()), "InconsistentDeal");
    // Taken together all the same, what comes out is not what the member dealt.
    let one = &generation.of_dealer(1).commitments;
    let mixed = [(StewardId(1), one), (StewardId(2), &other.of_dealer(2).commitments)];
    assert_eq!(name(&reshared(source, &mixed).unwrap_err()), "InconsistentDeal");
}

#[test]
fn a_dealer_that_is_good_to_some_and_bad_to_others_is_seen_by_the_others() {
    let (_, generation) = dealt(2, 3, (2, 3), 5);
    let mut bytes = generation.of_dealer(1).shares[2].to_bytes();
    bytes[1] ^= 1;
    let bad = Share::from_bytes(bytes.as_slice()).unwrap();
    let commitments = &generation.of_dealer(1).commitments;
    commitments.verify(&generation.of_dealer(1).shares[0]).unwrap();
    assert_eq!(commitments.verify(&bad).unwrap_err(), SharingError::BadShare(StewardId(3)));
    // Whoever takes it unchecked has a share that contradicts the new commitments.
    let parts = [(StewardId(1), &bad), (StewardId(2), &generation.of_dealer(2).shares[2])];
    let joined = join(2, &parts).unwrap();
    let new = generation.commitments_of(&[1, 2]).unwrap();
    assert_eq!(new.verify(&joined).unwrap_err(), SharingError::BadShare(StewardId(3)));
}

#[test]
fn two_deals_of_one_dealer_are_two_sharings() {
    let (secret, one) = dealt(2, 3, (2, 3), 6);
    let mut two = Generation { deal: one.deal, redealt: one.redealt };
    let first = two.next(&[1, 2]);
    two.redealt[0] = redeal(&two.deal.shares[0], 2, 3, &mut rng(9)).unwrap();
    let second = two.next(&[1, 2]);
    assert_ne!(first.commitments, second.commitments);
    assert_eq!(first.commitments.points[0], second.commitments.points[0]);
    // Shares of both do not add up to anything; those of either do.
    let mixed = [first.shares[0].clone(), second.shares[1].clone()];
    assert_eq!(combine(&first.commitments, &mixed).err(), Some(SharingError::BadShare(StewardId(2))));
    assert!(same(&secret, &combine(&second.commitments, &second.shares[1..]).unwrap()));
}

#[test]
fn as_many_dealers_as_opened_and_each_once() {
    let (_, generation) = dealt(2, 3, (2, 3), 7);
    let error = |dealers: &[u8]| generation.commitments_of(dealers).unwrap_err();
    assert_eq!(error(&[1]), SharingError::TooFew { need: 2, have: 1 });
    assert_eq!(error(&[1, 2, 3]), SharingError::TooFew { need: 2, have: 3 });
    assert_eq!(error(&[2, 2]), SharingError::DuplicateIndex(StewardId(2)));
    assert_eq!(generation.share_of(&[3], 1).err(), Some(SharingError::TooFew { need: 2, have: 1 }));
    assert_eq!(generation.share_of(&[3, 3], 1).err(), Some(SharingError::DuplicateIndex(StewardId(3))));
    let (one, two) = (&generation.of_dealer(1).shares[0], &generation.of_dealer(2).shares[1]);
    let mixed = join(2, &[(StewardId(1), one), (StewardId(2), two)]);
    let expected = SharingError::WrongIndex { expected: StewardId(1), found: StewardId(2) };
    assert_eq!(mixed.err(), Some(expected));
    // For two committees at once.
    let larger = redeal(&generation.deal.shares[1], 3, 5, &mut rng(3)).unwrap();
    let deals = [(StewardId(1), &generation.of_dealer(1).commitments), (StewardId(2), &larger.commitments)];
    assert_eq!(name(&reshared(&generation.deal.commitments, &deals).unwrap_err()), "InconsistentDeal");
}

/// What the shares of seats come to at 0, whatever polynomial they are of.
fn at_zero(shares: &[&Share]) -> Scalar {
    let scalar = |share: &Share| Scalar::from_canonical_bytes(share.to_bytes()[1..].try_into().unwrap()).unwrap();
    let x = |share: &Share| Scalar::from(share.index().0);
    let weight = |own: &Share| {
        let others = shares.iter().map(|share| x(share)).filter(|other| *other != x(own));
        others.fold(Scalar::ONE, |product, other| product * other * (other - x(own)).invert())
    };
    shares.iter().map(|share| weight(share) * scalar(share)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_new_quorum_opens_after_any_number_of_changes(
        committees in proptest::collection::vec((2u8..=4, 0u8..=3), 2..5), start: u8, seed: u8,
    ) {
        let size = |(threshold, more): (u8, u8)| (threshold, threshold + more);
        let (threshold, seats) = size(committees[0]);
        let mut generator = rng(seed);
        let secret = RecordSecret::random(&mut generator);
        let mut current = deal(&secret, threshold, seats, &mut generator).unwrap();
        let constant = current.commitments.points[0];
        for next in &committees[1..] {
            let (need, holders) = (current.commitments.threshold(), current.commitments.seats);
            // Any dealers in a row, wherever they start.
            let dealers: Vec<u8> = (0..need).map(|place| (start.wrapping_add(place) % holders) + 1).collect();
            prop_assume!(dealers.iter().collect::<std::collections::BTreeSet<_>>().len() == dealers.len());
            current = Generation::of(current, size(*next), seed).next(&dealers);
        }
        prop_assert_eq!(current.commitments.points[0], constant);
        let need = usize::from(current.commitments.threshold());
        let last = &current.shares[current.shares.len() - need..];
        prop_assert!(same(&secret, &combine(&current.commitments, last).unwrap()));
    }

    /// One share short in each of two generations: together they are more than a quorum, of no one polynomial.
    #[test]
    fn shares_of_two_generations_do_not_add_up(seed: u8, new_first: bool) {
        let (_, generation) = dealt(3, 5, (3, 5), seed);
        let new = generation.next(&[1, 3, 4]);
        let point = CompressedRistretto(generation.deal.commitments.points[0].0).decompress().unwrap();
        let (old, new) = (&generation.deal.shares, &new.shares);
        // Seats 1 and 2 of one, seats 3 and 4 of the other.
        let (some, others) = if new_first { (new, old) } else { (old, new) };
        let mixed = [&some[0], &some[1], &others[2], &others[3]];
        for left_out in 0..4 {
            let three: Vec<&Share> = (0..4).filter(|at| *at != left_out).map(|at| mixed[at]).collect();
            prop_assert_ne!(at_zero(&three) * RISTRETTO_BASEPOINT_POINT, point);
        }
        prop_assert_ne!(at_zero(&mixed) * RISTRETTO_BASEPOINT_POINT, point);
    }
}
