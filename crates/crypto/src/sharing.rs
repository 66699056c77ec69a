//! Feldman's verifiable secret sharing of a record's secret over ristretto255.
//!
//! The dealer publishes commitments `C_j = a_j·G` to its polynomial; the share of seat `x` is `f(x)`, and anyone who
//! sees a share can check `f(x)·G = Σ C_j·x^j`. So a bad share and a bad deal are provable from public data and the share.
//! Arithmetic is that of `vsss-rs`; this module adds what it leaves to its users: the threshold and the seats are
//! part of the deal, shares are checked before they are combined, and secrets are wiped and have no `Debug`.

use alloy_primitives::{B256, U256, keccak256};
use alloy_sol_types::SolValue;
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::Identity,
};
use rand::CryptoRng;
use rochdale_core::{commit, ids::StewardId};
use serde::{Deserialize, Serialize};
use vsss_rs::{
    DefaultShare, FeldmanVerifierSet, IdentifierPrimeField, Polynomial, ReadableShareSet, Share as _, ShareElement,
    ShareVerifierGroup, shamir::create_shares_from_polynomial,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::secret::RecordSecret;

mod reshare;

pub use reshare::{join, redeal, reshared};

type Field = IdentifierPrimeField<Scalar>;
type FieldShare = DefaultShare<Field, Field>;
type Point = ShareVerifierGroup<RistrettoPoint>;

/// Why a deal or a share is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SharingError {
    /// No such sharing.
    #[error("{threshold} of {seats} is no sharing: the threshold is at least 2 and at most the number of seats")]
    Parameters {
        /// Shares that open.
        threshold: u8,
        /// How many shares are dealt.
        seats: u8,
    },
    /// The public part of a deal does not describe one polynomial, or not that of this committee.
    #[error("inconsistent deal: {0}; the dealer must deal again")]
    InconsistentDeal(&'static str),
    /// Not the seat whose share it should be.
    #[error("a share of seat {found} where that of seat {expected} belongs")]
    WrongIndex {
        /// The seat asked.
        expected: StewardId,
        /// The seat that the share is for.
        found: StewardId,
    },
    /// No such seat.
    #[error("a share of seat {index}, but the deal has seats 1 to {seats}")]
    UnknownSeat {
        /// The share's seat.
        index: StewardId,
        /// Seats of the deal.
        seats: u8,
    },
    /// One seat twice.
    #[error("two shares of seat {0}: each counts once")]
    DuplicateIndex(StewardId),
    /// Too few shares.
    #[error("{have} shares, but {need} open the record: ask more stewards")]
    TooFew {
        /// How many shares open the record.
        need: u8,
        /// Distinct shares given.
        have: u8,
    },
    /// A share that is not on the committed polynomial.
    #[error("the share of seat {0} contradicts the deal's commitments: swapped, altered or wrongly dealt")]
    BadShare(StewardId),
    /// A holder that deals anything but its own share to the next committee.
    #[error(
        "steward {0} deals another secret than its share: anybody sees it by the commitments that it was dealt under"
    )]
    NotItsShare(StewardId),
    /// Bytes that are no share.
    #[error("malformed share: 33 bytes are expected, a seat and a canonical scalar")]
    MalformedShare,
}

/// One steward's share `f(x)` of a record's secret. `x` is the steward's seat.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Share {
    index: u8,
    value: Scalar,
}

impl Share {
    /// Bytes of a share: its seat, then the scalar, little-endian.
    pub const BYTES: usize = 33;

    /// Whose share it is.
    #[must_use]
    pub const fn index(&self) -> StewardId {
        StewardId(self.index)
    }

    /// The share as bytes, to be sealed or wrapped.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; Self::BYTES]> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        bytes[0] = self.index;
        bytes[1..].copy_from_slice(self.value.as_bytes());
        bytes
    }

    /// Reads a share.
    ///
    /// # Errors
    /// [`SharingError::MalformedShare`] where the length, the seat 0 or the scalar is not canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SharingError> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().map_err(|_| SharingError::MalformedShare)?;
        let mut scalar = Zeroizing::new([0; 32]);
        scalar.copy_from_slice(&bytes[1..]);
        let value = Option::from(Scalar::from_canonical_bytes(*scalar)).ok_or(SharingError::MalformedShare)?;
        if bytes[0] == 0 {
            return Err(SharingError::MalformedShare);
        }
        Ok(Self { index: bytes[0], value })
    }

    /// Refuses another seat's share.
    ///
    /// # Errors
    /// [`SharingError::WrongIndex`].
    pub fn expect_index(&self, expected: StewardId) -> Result<(), SharingError> {
        if self.index() == expected { Ok(()) } else { Err(SharingError::WrongIndex { expected, found: self.index() }) }
    }

    fn to_field(&self) -> FieldShare {
        FieldShare::with_identifier_and_value(x_of(self.index), IdentifierPrimeField(self.value))
    }
}

/// The public part of a deal: whoever has it can check every share.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Commitments {
    /// Shares dealt, to seats 1 to this.
    pub seats: u8,
    /// Compressed ristretto255 points `a_j·G`, constant term first; as many as shares that open.
    pub points: Vec<B256>,
}

impl Commitments {
    /// Shares that open the record.
    #[must_use]
    pub fn threshold(&self) -> u8 {
        u8::try_from(self.points.len()).unwrap_or(u8::MAX)
    }

    /// `keccak(abi.encode(keccak("rochdale.deal.v1"), uint256 seats, bytes32[] points))`.
    #[must_use]
    pub fn hash(&self) -> B256 {
        keccak256((commit::tag("deal"), U256::from(self.seats), self.points.clone()).abi_encode_params())
    }

    /// Checks that these commitments describe a deal, and one for this committee: a share alone cannot tell.
    ///
    /// # Errors
    /// [`SharingError::InconsistentDeal`].
    pub fn expect(&self, threshold: u8, seats: u8) -> Result<(), SharingError> {
        if self.seats != seats {
            return Err(SharingError::InconsistentDeal("it has another number of seats than the committee"));
        }
        if self.points.len() != usize::from(threshold) {
            return Err(SharingError::InconsistentDeal("its threshold is not the committee's quorum"));
        }
        self.decompress().map(|_| ())
    }

    /// Checks one share against the commitments.
    ///
    /// # Errors
    /// [`SharingError::BadShare`] where it is not on the committed polynomial, which anyone can check again;
    /// [`SharingError::UnknownSeat`]; [`SharingError::InconsistentDeal`] where the commitments themselves are at fault.
    pub fn verify(&self, share: &Share) -> Result<(), SharingError> {
        self.verify_with(&self.decompress()?, share)
    }

    fn verify_with(&self, points: &[Point], share: &Share) -> Result<(), SharingError> {
        if share.index == 0 || share.index > self.seats {
            return Err(SharingError::UnknownSeat { index: share.index(), seats: self.seats });
        }
        let verifiers =
            <Vec<Point> as FeldmanVerifierSet<FieldShare, Point>>::with_generator_and_verifiers(Point::one(), points);
        let mut field = share.to_field();
        let verdict = verifiers.verify_share(&field);
        wipe(&mut field);
        verdict.map_err(|_| SharingError::BadShare(share.index()))
    }

    fn decompress(&self) -> Result<Vec<Point>, SharingError> {
        if self.points.len() < 2 || self.points.len() > usize::from(self.seats) {
            return Err(SharingError::InconsistentDeal("its threshold is below 2 or above the number of seats"));
        }
        let points: Option<Vec<Point>> =
            self.points.iter().map(|point| CompressedRistretto(point.0).decompress().map(Point::from)).collect();
        let points = points.ok_or(SharingError::InconsistentDeal("a commitment is no ristretto255 point"))?;
        // A secret of zero, or a polynomial of lower degree, which fewer shares than the threshold would open.
        let identity = RistrettoPoint::identity();
        if points.first().is_some_and(|point| point.0 == identity) {
            return Err(SharingError::InconsistentDeal("it commits to the secret zero"));
        }
        if points.last().is_some_and(|point| point.0 == identity) {
            return Err(SharingError::InconsistentDeal("fewer shares than its threshold would open it"));
        }
        Ok(points)
    }
}

/// A whole deal, as the dealer holds it: commitments to publish, shares to seal.
pub struct Deal {
    /// The public part.
    pub commitments: Commitments,
    /// The shares of seats 1 to n, in this order.
    pub shares: Vec<Share>,
}

/// Deals a secret to `seats` stewards so that any `threshold` of them open it.
///
/// # Errors
/// [`SharingError::Parameters`].
pub fn deal(secret: &RecordSecret, threshold: u8, seats: u8, rng: &mut impl CryptoRng) -> Result<Deal, SharingError> {
    let refused = SharingError::Parameters { threshold, seats };
    if threshold < 2 || threshold > seats {
        return Err(refused);
    }
    let polynomial = Coefficients::random(secret, threshold, rng);
    let points = polynomial.0.iter().enumerate().map(|(power, coefficient)| {
        let scalar = if power == 0 { coefficient.value() } else { coefficient.identifier() };
        B256::from(RistrettoPoint::mul_base(scalar).compress().to_bytes())
    });
    let commitments = Commitments { seats, points: points.collect() };
    let mut dealt: Vec<FieldShare> =
        create_shares_from_polynomial(&polynomial, usize::from(threshold), usize::from(seats), (1..=seats).map(x_of))
            .map_err(|_| refused)?;
    let shares = (1..=seats).zip(&dealt).map(|(index, share)| Share { index, value: share.value().0 }).collect();
    dealt.iter_mut().for_each(wipe);
    Ok(Deal { commitments, shares })
}

/// Combines shares into the secret they were dealt from. Every share is checked first, so that what comes out is what
/// the commitments say; shares beyond the threshold are checked and left.
///
/// # Errors
/// Those of [`Commitments::verify`], [`SharingError::DuplicateIndex`], [`SharingError::TooFew`].
pub fn combine(commitments: &Commitments, shares: &[Share]) -> Result<RecordSecret, SharingError> {
    let points = commitments.decompress()?;
    for (at, share) in shares.iter().enumerate() {
        if shares[..at].iter().any(|other| other.index == share.index) {
            return Err(SharingError::DuplicateIndex(share.index()));
        }
        commitments.verify_with(&points, share)?;
    }
    let need = commitments.threshold();
    if shares.len() < usize::from(need) {
        // Distinct seats were checked above, so there are at most 255.
        return Err(SharingError::TooFew { need, have: shares.len() as u8 });
    }
    let mut used: Vec<FieldShare> = shares[..usize::from(need)].iter().map(Share::to_field).collect();
    let combined = used.combine();
    used.iter_mut().for_each(wipe);
    let mut combined = combined.map_err(|_| SharingError::InconsistentDeal("its shares do not interpolate"))?;
    let secret = RecordSecret(combined.0);
    combined.0.zeroize();
    if RistrettoPoint::mul_base(&secret.0) != points[0].0 {
        return Err(SharingError::InconsistentDeal("its shares give another secret than it commits to"));
    }
    Ok(secret)
}

fn x_of(index: u8) -> Field {
    IdentifierPrimeField(Scalar::from(index))
}

fn wipe(share: &mut FieldShare) {
    share.value_mut().0.zeroize();
    share.identifier_mut().0.zeroize();
}

/// A dealer's polynomial, wiped when dropped: with one share it gives the secret away.
struct Coefficients(Vec<FieldShare>);

impl Coefficients {
    fn random(secret: &RecordSecret, threshold: u8, rng: &mut impl CryptoRng) -> Self {
        loop {
            let mut polynomial = Self::create(usize::from(threshold));
            polynomial
                .fill(&IdentifierPrimeField(secret.0), &mut *rng, usize::from(threshold))
                .expect("there is room for as many coefficients as were created");
            // One in 2^252: a leading zero would lower the degree, and verifiers refuse it.
            if polynomial.0.last().is_some_and(|leading| leading.identifier().0 != Scalar::ZERO) {
                return polynomial;
            }
        }
    }
}

impl Polynomial<FieldShare> for Coefficients {
    fn create(size_hint: usize) -> Self {
        Self(vec![FieldShare::default(); size_hint])
    }

    fn coefficients(&self) -> &[FieldShare] {
        &self.0
    }

    fn coefficients_mut(&mut self) -> &mut [FieldShare] {
        &mut self.0
    }
}

impl Drop for Coefficients {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(wipe);
    }
}
