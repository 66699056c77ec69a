//! Sharing: any t shares give the secret, and nothing that was not dealt passes.

use alloy_primitives::B256;
use curve25519_dalek::{constants::RISTRETTO_BASEPOINT_POINT, ristretto::CompressedRistretto, scalar::Scalar};
use proptest::prelude::*;
use rochdale_core::ids::StewardId;
use rochdale_crypto::envelope::{open, seal};
use rochdale_crypto::sharing::{combine, deal};
use rochdale_crypto::{Commitments, Deal, RecordSecret, Share, SharingError};

use crate::support::{context, name, rng};

fn dealt(threshold: u8, seats: u8, seed: u8) -> (RecordSecret, Deal) {
    let mut rng = rng(seed);
    let secret = RecordSecret::random(&mut rng);
    let deal = deal(&secret, threshold, seats, &mut rng).unwrap();
    (secret, deal)
}

/// Secrets have no `PartialEq`: one opens what the other sealed.
fn same(one: &RecordSecret, other: &RecordSecret) -> bool {
    let sealed = seal(one, &context(), b"record", &mut rng(77)).unwrap();
    open(other, &context(), &sealed.blob).is_ok()
}

fn altered(share: &Share, change: impl FnOnce(&mut [u8])) -> Result<Share, SharingError> {
    let mut bytes = share.to_bytes();
    change(bytes.as_mut_slice());
    Share::from_bytes(bytes.as_slice())
}

fn error<T>(outcome: Result<T, SharingError>) -> SharingError {
    outcome.err().unwrap()
}

#[test]
fn every_quorum_gives_the_secret() {
    for (threshold, seats) in [(2, 2), (2, 3), (3, 5), (5, 5)] {
        let (secret, deal) = dealt(threshold, seats, 1);
        deal.commitments.expect(threshold, seats).unwrap();
        for chosen in 0..1u32 << seats {
            let shares: Vec<Share> =
                deal.shares.iter().filter(|share| chosen >> (share.index().0 - 1) & 1 == 1).cloned().collect();
            let combined = combine(&deal.commitments, &shares);
            if shares.len() < usize::from(threshold) {
                let have = shares.len() as u8;
                assert_eq!(error(combined), SharingError::TooFew { need: threshold, have });
            } else {
                assert!(same(&secret, &combined.unwrap()), "{chosen:b} of {threshold}-of-{seats}");
            }
        }
    }
}

#[test]
fn shares_and_commitments_are_those_of_the_paper() {
    // Written out on the curve, without the library: f(x)·G = Σ C_j·x^j, and f(0) from two shares by Lagrange.
    let (secret, deal) = dealt(2, 3, 5);
    let scalar = |share: &Share| Scalar::from_canonical_bytes(share.to_bytes()[1..].try_into().unwrap()).unwrap();
    let points: Vec<_> =
        deal.commitments.points.iter().map(|point| CompressedRistretto(point.0).decompress().unwrap()).collect();
    for share in &deal.shares {
        let x = Scalar::from(share.index().0);
        assert_eq!(scalar(share) * RISTRETTO_BASEPOINT_POINT, points[0] + x * points[1]);
    }
    let (one, three) = (scalar(&deal.shares[0]), scalar(&deal.shares[2]));
    let half = Scalar::from(2u8).invert();
    let by_hand = Scalar::from(3u8) * half * one - half * three;
    assert_eq!(by_hand * RISTRETTO_BASEPOINT_POINT, points[0]);
    assert!(same(&secret, &combine(&deal.commitments, &deal.shares[1..]).unwrap()));
}

#[test]
fn no_sharing_without_a_quorum() {
    let secret = RecordSecret::random(&mut rng(1));
    for (threshold, seats) in [(0, 3), (1, 3), (4, 3), (2, 1), (2, 0)] {
        let refused = error(deal(&secret, threshold, seats, &mut rng(2)));
        assert_eq!(refused, SharingError::Parameters { threshold, seats });
    }
}

#[test]
fn duplicates_and_foreign_seats_are_named() {
    let (_, deal) = dealt(2, 3, 1);
    let twice = [deal.shares[1].clone(), deal.shares[1].clone()];
    assert_eq!(error(combine(&deal.commitments, &twice)), SharingError::DuplicateIndex(StewardId(2)));

    let ninth = altered(&deal.shares[0], |bytes| bytes[0] = 9).unwrap();
    assert_eq!(error(deal.commitments.verify(&ninth)), SharingError::UnknownSeat { index: StewardId(9), seats: 3 });
    assert_eq!(error(altered(&deal.shares[0], |bytes| bytes[0] = 0)), SharingError::MalformedShare);
    assert_eq!(
        error(deal.shares[0].expect_index(StewardId(2))),
        SharingError::WrongIndex { expected: StewardId(2), found: StewardId(1) }
    );
}

#[test]
fn a_swapped_share_is_a_bad_share() {
    let (_, deal) = dealt(2, 3, 1);
    // The share of seat 1, handed in as that of seat 2, and a share of another deal.
    let swapped = altered(&deal.shares[0], |bytes| bytes[0] = 2).unwrap();
    assert_eq!(error(deal.commitments.verify(&swapped)), SharingError::BadShare(StewardId(2)));
    let (_, other) = dealt(2, 3, 2);
    assert_eq!(error(deal.commitments.verify(&other.shares[0])), SharingError::BadShare(StewardId(1)));
    let mixed = [deal.shares[0].clone(), other.shares[1].clone()];
    assert_eq!(error(combine(&deal.commitments, &mixed)), SharingError::BadShare(StewardId(2)));
    // Also where enough good ones are there: the bad one is still named.
    let more = [deal.shares[0].clone(), deal.shares[1].clone(), other.shares[2].clone()];
    assert_eq!(error(combine(&deal.commitments, &more)), SharingError::BadShare(StewardId(3)));
}

#[test]
fn an_inconsistent_deal_is_named() {
    let (_, deal) = dealt(2, 3, 1);
    let of = |points: Vec<B256>| Commitments { seats: 3, points };
    let points = deal.commitments.points.clone();
    let cases = [
        of(vec![]),
        of(vec![points[0]]),
        of([points.clone(), points.clone()].concat()),
        of(vec![points[0], B256::repeat_byte(0xff)]),
        of(vec![B256::ZERO, points[1]]),
        of(vec![points[0], B256::ZERO]),
    ];
    for commitments in cases {
        let refused = error(commitments.verify(&deal.shares[0]));
        assert_eq!(name(&refused), "InconsistentDeal", "{commitments:?}");
        assert_eq!(name(&error(combine(&commitments, &deal.shares))), "InconsistentDeal");
    }
    // Consistent in itself, but not this committee's.
    for (threshold, seats) in [(3, 3), (2, 4)] {
        assert_eq!(name(&error(deal.commitments.expect(threshold, seats))), "InconsistentDeal");
    }
    // A valid point that is not the polynomial's: every share proves it.
    let (_, other) = dealt(2, 3, 2);
    let mixed = of(vec![points[0], other.commitments.points[1]]);
    for share in &deal.shares {
        assert_eq!(error(mixed.verify(share)), SharingError::BadShare(share.index()));
    }
}

#[test]
fn the_deal_hash_reads_every_field() {
    let (_, deal) = dealt(2, 3, 1);
    let mut swapped = deal.commitments.clone();
    swapped.points.swap(0, 1);
    let more_seats = Commitments { seats: 4, ..deal.commitments.clone() };
    let hashes = [deal.commitments.hash(), swapped.hash(), more_seats.hash(), dealt(2, 3, 2).1.commitments.hash()];
    for (at, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..at].contains(hash));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit_of_a_share_is_refused(seat in 0..5usize, bit in 0..Share::BYTES * 8, seed: u8) {
        let (_, deal) = dealt(3, 5, seed);
        match altered(&deal.shares[seat], |bytes| bytes[bit / 8] ^= 1 << (bit % 8)) {
            Err(refused) => prop_assert_eq!(refused, SharingError::MalformedShare),
            Ok(share) => {
                let refused = error(deal.commitments.verify(&share));
                let expected = if share.index().0 > 5 {
                    SharingError::UnknownSeat { index: share.index(), seats: 5 }
                } else {
                    SharingError::BadShare(share.index())
                };
                prop_assert_eq!(refused, expected);
            }
        }
    }

    #[test]
    fn any_flipped_bit_of_a_commitment_is_refused(point in 0..3usize, bit in 0..256usize, seed: u8) {
        let (_, mut deal) = dealt(3, 5, seed);
        deal.commitments.points[point].0[bit / 8] ^= 1 << (bit % 8);
        let refused = name(&error(deal.commitments.verify(&deal.shares[1])));
        prop_assert!(refused == "InconsistentDeal" || refused == "BadShare", "{}", refused);
    }

    #[test]
    fn shares_read_back(bytes in proptest::collection::vec(any::<u8>(), 30..36)) {
        if let Ok(share) = Share::from_bytes(&bytes) {
            prop_assert_eq!(share.to_bytes().to_vec(), bytes);
        }
    }
}
