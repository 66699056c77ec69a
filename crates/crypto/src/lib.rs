//! Envelopes, secret sharing, sealing, keystores and signatures.
//!
//! The way of a record: a client draws a [`RecordSecret`], seals the record with it ([`envelope::seal`]), deals it to the
//! stewards ([`sharing::deal`]) and seals each share to its steward ([`sealing::seal_share`]). A steward opens its share,
//! checks it against the public commitments ([`sharing::Commitments::verify`]) and keeps it under the member's key
//! ([`keystore::MemberKey`]). A release re-seals shares to the worker, who combines them ([`sharing::combine`]) and opens the
//! record ([`envelope::open`]). Where other stewards are seated, holders deal their shares to them ([`sharing::redeal`]), and those
//! join what they were dealt ([`sharing::join`]): the secret is not put together for it.
//!
//! **Architecture Invariant:** no function here draws from a global random generator; whoever calls passes a
//! [`rand::CryptoRng`]. Types that hold a secret have no `Debug`, are not `Copy` and are wiped when dropped.
//!
//! Formats are fixed as v1: a change of any byte is a new version.

pub mod backup;
pub mod cid;
pub mod envelope;
#[cfg(unix)]
pub mod keyfile;
pub mod keystore;
pub mod locker;
mod padme;
pub mod sealing;
mod secret;
pub mod sharing;
pub mod signature;

pub use cid::Cid;
pub use envelope::{Context, EnvelopeError, Header};
pub use sealing::{Sealed, SealingError, SealingKeyPair, SealingPublicKey};
pub use secret::{RecordSecret, RowKey};
pub use sharing::{Commitments, Deal, Share, SharingError};

/// A random 256-bit blinder, without which a commitment over a small domain could be guessed.
///
/// It is a plain word because it travels inside sealed parts and enters public hashes; keep it where secrets are kept.
#[must_use]
pub fn random_blinder(rng: &mut impl rand::CryptoRng) -> alloy_primitives::B256 {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    alloy_primitives::B256::from(bytes)
}
