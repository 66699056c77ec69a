//! Dealing a secret anew to another committee, without anybody putting it together.
//!
//! Each old holder `i` deals its own share `f(i)` as a secret of its own, to the new seats and with the new threshold. Its
//! deal's constant term is `f(i)·G`, which the old commitments give too: so a holder that deals anything else is found out by
//! everybody ([`Commitments::expect_redealt`]). With the deals of as many old holders as opened the secret, `Q`, the new share of
//! seat `j` is `Σ λ_i·g_i(j)` over `Q`, and the new commitments are `Σ λ_i·D_i`, with `λ_i` the Lagrange coefficients of `Q` at 0. Their constant
//! term is the old one, `s·G`, for ever: whoever knows the member's own deal sees by one point that new shares are of the same secret.
//!
//! Shares of two committees do not add up: the new polynomial has fresh coefficients of every dealer, and one honest dealer's suffice.

use alloy_primitives::B256;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::Identity as _};
use rand::CryptoRng;
use rochdale_core::ids::StewardId;

use super::{Commitments, Deal, Point, Share, SharingError, deal};
use crate::secret::RecordSecret;

impl Commitments {
    /// `f(x)·G`: what a share of this seat must come to.
    ///
    /// # Errors
    /// [`SharingError::UnknownSeat`]; [`SharingError::InconsistentDeal`].
    pub fn at(&self, index: StewardId) -> Result<B256, SharingError> {
        let points = self.decompress()?;
        if index.0 == 0 || index.0 > self.seats {
            return Err(SharingError::UnknownSeat { index, seats: self.seats });
        }
        let x = Scalar::from(index.0);
        let sum = points.iter().rev().fold(RistrettoPoint::identity(), |sum, point| sum * x + point.0);
        Ok(B256::from(sum.compress().to_bytes()))
    }

    /// Checks that a holder of this sharing deals its own share to a committee of `seats`, `threshold` of whom open.
    ///
    /// # Errors
    /// [`SharingError::NotItsShare`] where it deals another secret; else as [`Commitments::expect`] and [`Commitments::at`].
    pub fn expect_redealt(&self, dealer: StewardId, deal: &Self, threshold: u8, seats: u8) -> Result<(), SharingError> {
        deal.expect(threshold, seats)?;
        let own = self.at(dealer)?;
        if deal.points.first() == Some(&own) { Ok(()) } else { Err(SharingError::NotItsShare(dealer)) }
    }
}

/// Deals a share to another committee.
///
/// # Errors
/// [`SharingError::Parameters`].
pub fn redeal(share: &Share, threshold: u8, seats: u8, rng: &mut impl CryptoRng) -> Result<Deal, SharingError> {
    deal(&RecordSecret(share.value), threshold, seats, rng)
}

/// The commitments of the new sharing, of as many dealers' as opened the old one.
///
/// # Errors
/// [`SharingError::TooFew`], also where there are more than that: another set of dealers is another sharing;
/// [`SharingError::DuplicateIndex`]; [`SharingError::InconsistentDeal`] where the deals are for different committees or the
/// new constant term is not the old one.
pub fn reshared(source: &Commitments, deals: &[(StewardId, &Commitments)]) -> Result<Commitments, SharingError> {
    let dealers: Vec<StewardId> = deals.iter().map(|(dealer, _)| *dealer).collect();
    let weights = weights(source.threshold(), &dealers)?;
    let (seats, threshold) = deals.first().map_or((0, 0), |(_, first)| (first.seats, first.points.len()));
    let mut sums = vec![RistrettoPoint::identity(); threshold];
    for ((_, deal), weight) in deals.iter().zip(&weights) {
        let points: Vec<Point> = deal.decompress()?;
        if (deal.seats, points.len()) != (seats, threshold) {
            return Err(SharingError::InconsistentDeal("dealers dealt to different committees"));
        }
        for (sum, point) in sums.iter_mut().zip(points) {
            *sum += point.0 * weight;
        }
    }
    let points = sums.into_iter().map(|sum| B256::from(sum.compress().to_bytes())).collect();
    let new = Commitments { seats, points };
    new.decompress()?;
    if new.points.first() != source.points.first() {
        return Err(SharingError::InconsistentDeal(
            "its dealers' secrets do not come to the one that was dealt to them",
        ));
    }
    Ok(new)
}

/// A seat's share of the new sharing, of what the dealers of [`reshared`] dealt it. Check it against those commitments.
///
/// # Errors
/// [`SharingError::TooFew`], [`SharingError::DuplicateIndex`] as [`reshared`]; [`SharingError::WrongIndex`] where the parts are
/// of different seats.
pub fn join(threshold: u8, parts: &[(StewardId, &Share)]) -> Result<Share, SharingError> {
    let dealers: Vec<StewardId> = parts.iter().map(|(dealer, _)| *dealer).collect();
    let weights = weights(threshold, &dealers)?;
    let index = parts.first().map_or(0, |(_, part)| part.index);
    let mut share = Share { index, value: Scalar::ZERO };
    for ((_, part), weight) in parts.iter().zip(&weights) {
        part.expect_index(share.index())?;
        share.value += part.value * weight;
    }
    Ok(share)
}

/// The Lagrange coefficients at 0 of exactly `threshold` distinct seats.
fn weights(threshold: u8, seats: &[StewardId]) -> Result<Vec<Scalar>, SharingError> {
    for (at, seat) in seats.iter().enumerate() {
        if seats[..at].contains(seat) {
            return Err(SharingError::DuplicateIndex(*seat));
        }
    }
    if seats.len() != usize::from(threshold) || seats.iter().any(|seat| seat.0 == 0) {
        let have = u8::try_from(seats.len()).unwrap_or(u8::MAX);
        return Err(SharingError::TooFew { need: threshold, have });
    }
    let weight = |own: &StewardId| {
        let others = seats.iter().filter(|other| *other != own).map(|other| Scalar::from(other.0));
        others.fold(Scalar::ONE, |product, other| product * other * (other - Scalar::from(own.0)).invert())
    };
    Ok(seats.iter().map(weight).collect())
}
