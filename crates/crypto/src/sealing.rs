//! Sealing to a public key: HPKE base mode (RFC 9180) with X25519, HKDF-SHA256, AES-256-GCM, one message a context.
//!
//! Whoever seals is not authenticated by it: what is sealed is always named by something signed (a contribution, an
//! admission, a header). Each kind of message has its own context type, which fixes the `info` string (domain
//! separation) and the associated data: the sealed bytes open as nothing else, and nowhere else.

mod context;
mod parts;
mod ring;

use alloy_primitives::Bytes;
use hpke::{
    Deserializable, HpkeError, Kem as _, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256,
    kem::X25519HkdfSha256, single_shot_open, single_shot_seal_with_rng,
};
use rand::{CryptoRng, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, Zeroizing};

pub use context::{
    AnswerBodyContext, ClaimsRowContext, ConsentContext, HeldContext, OpeningContext, OpeningsContext, OrderContext,
    PoolContext, PrivatePartContext, QueryAnswerContext, ReleaseContext, RequestBodyContext, ReshareContext,
    RowKeyContext, SealingContext, ShareContext, SharesContext, SheetContext, SheetCopyContext, SheetReplyContext,
    SnapshotContext,
};
pub use parts::{
    BodyPart, ConsentPart, PrivatePart, open_consent, open_private_part, open_redealt, open_released_share,
    open_row_key, open_share, seal_consent, seal_private_part, seal_redealt, seal_released_share, seal_row_key,
    seal_share,
};

pub use ring::SealingKeyRing;

use crate::sharing::SharingError;

type Kem = X25519HkdfSha256;

/// Bytes of an encapsulated key, which a sealed message starts with.
const ENCAPSULATED_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// What sealing adds to a message.
pub const OVERHEAD_BYTES: usize = ENCAPSULATED_BYTES + TAG_BYTES;

/// Why something cannot be sealed or opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealingError {
    /// A public key that no secret belongs to, such as zero.
    #[error("{0} is not a usable X25519 public key")]
    PublicKey(SealingPublicKey),
    /// Too few bytes.
    #[error("a sealed {what} of {found} bytes is truncated: even an empty one has {OVERHEAD_BYTES}")]
    Truncated {
        /// The kind of message.
        what: &'static str,
        /// Bytes that are there.
        found: usize,
    },
    /// It was not sealed as this, here, to this key.
    #[error("the sealed {0} does not open: altered, sealed to another key, or replayed from another context")]
    Refused(&'static str),
    /// There is no key to open anything with.
    #[error("this process has no sealing key: everything that was sealed to it must be sent again")]
    NoKey,
    /// It opened, but its content is not what its kind holds.
    #[error("the sealed {0} opens, but its content is malformed: the sealing software is at fault")]
    Malformed(&'static str),
    /// It opened, but the share within is not the one it should be.
    #[error(transparent)]
    Share(#[from] SharingError),
}

/// The public half of a sealing key, as `StewardCommittee` and licenses hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealingPublicKey(pub alloy_primitives::B256);

impl SealingPublicKey {
    /// The key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(alloy_primitives::B256::new(bytes))
    }
}

impl core::fmt::Display for SealingPublicKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// A sealed message: encapsulated key (32 bytes) ‖ ciphertext ‖ tag (16 bytes). In JSON, 0x-prefixed hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub Bytes);

impl AsRef<[u8]> for Sealed {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A sealing key pair; the secret half is wiped when dropped.
pub struct SealingKeyPair {
    secret: <Kem as hpke::Kem>::PrivateKey,
    public: SealingPublicKey,
}

impl SealingKeyPair {
    /// Draws a fresh one.
    #[must_use]
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let (secret, _) = Kem::gen_keypair_with_rng(rng);
        Self::of(secret)
    }

    /// The pair of this secret key, as a key file gives it.
    #[must_use]
    pub fn from_secret(bytes: &[u8; 32]) -> Self {
        Self::of(Deserializable::from_bytes(bytes).expect("any 32 bytes are an X25519 secret key"))
    }

    fn of(secret: <Kem as hpke::Kem>::PrivateKey) -> Self {
        let public = SealingPublicKey::from_bytes(Kem::sk_to_pk(&secret).to_bytes().into());
        Self { secret, public }
    }

    /// The secret key, to be kept in a key file.
    #[must_use]
    pub fn to_secret(&self) -> Zeroizing<[u8; 32]> {
        let mut bytes = self.secret.to_bytes();
        let kept = Zeroizing::new(bytes.into());
        bytes.zeroize();
        kept
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> SealingPublicKey {
        self.public
    }
}

/// Whoever opens messages: one key pair, or a ring of them while a key is replaced.
pub trait Recipient {
    /// Tries `open` with each key, the newest first, until one opens.
    ///
    /// # Errors
    /// As `open`, with the last key.
    fn open_with<T>(&self, open: impl FnMut(&SealingKeyPair) -> Result<T, SealingError>) -> Result<T, SealingError>;
}

impl Recipient for SealingKeyPair {
    fn open_with<T>(
        &self,
        mut open: impl FnMut(&SealingKeyPair) -> Result<T, SealingError>,
    ) -> Result<T, SealingError> {
        open(self)
    }
}

/// Seals `plaintext` to a public key. Prefer [`seal_as`], which fixes `info` and `aad` by type.
///
/// # Errors
/// [`SealingError::PublicKey`].
pub fn seal(
    recipient: &SealingPublicKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealingError> {
    let refused = |_: HpkeError| SealingError::PublicKey(*recipient);
    let key = <Kem as hpke::Kem>::PublicKey::from_bytes(recipient.0.as_slice()).map_err(refused)?;
    let (encapsulated, ciphertext) =
        single_shot_seal_with_rng::<AesGcm256, HkdfSha256, Kem>(&OpModeS::Base, &key, info, plaintext, aad, rng)
            .map_err(refused)?;
    let mut bytes = Vec::with_capacity(ENCAPSULATED_BYTES + ciphertext.len());
    bytes.extend_from_slice(&encapsulated.to_bytes());
    bytes.extend_from_slice(&ciphertext);
    Ok(Sealed(bytes.into()))
}

/// Opens what [`seal`] made; `what` names the message in errors.
///
/// # Errors
/// [`SealingError::Truncated`], [`SealingError::Refused`].
pub fn open(
    recipient: &impl Recipient,
    info: &[u8],
    aad: &[u8],
    sealed: &Sealed,
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, SealingError> {
    let found = sealed.0.len();
    if found < OVERHEAD_BYTES {
        return Err(SealingError::Truncated { what, found });
    }
    let (encapsulated, ciphertext) = sealed.0.split_at(ENCAPSULATED_BYTES);
    let refused = |_: HpkeError| SealingError::Refused(what);
    let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).map_err(refused)?;
    recipient.open_with(|pair| {
        single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &pair.secret,
            &encapsulated,
            info,
            ciphertext,
            aad,
        )
        .map(Zeroizing::new)
        .map_err(refused)
    })
}

/// Seals a message of the kind and for the place that `context` says.
///
/// # Errors
/// [`SealingError::PublicKey`].
pub fn seal_as<C: SealingContext>(
    recipient: &SealingPublicKey,
    context: &C,
    plaintext: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealingError> {
    seal(recipient, C::INFO.as_bytes(), &context.aad(), plaintext, rng)
}

/// As [`seal_as`], with all randomness derived from `seed`, recipient, context and message: who is shown seed and message
/// can seal again and compare, so that copies to several recipients are provably of one message.
///
/// # Errors
/// [`SealingError::PublicKey`].
pub fn seal_from_seed<C: SealingContext>(
    recipient: &SealingPublicKey,
    context: &C,
    plaintext: &[u8],
    seed: &[u8; 32],
) -> Result<Sealed, SealingError> {
    let aad = context.aad();
    let mut hash = Sha256::new();
    // The message is hashed in: no two messages meet under one ephemeral key. What varies in length is hashed first.
    for part in [C::INFO.as_bytes(), seed, recipient.0.as_slice(), &aad, plaintext] {
        hash.update(Sha256::digest(part));
    }
    let mut rng = ChaCha20Rng::from_seed(hash.finalize().into());
    seal(recipient, C::INFO.as_bytes(), &aad, plaintext, &mut rng)
}

/// Opens a message of the kind and for the place that `context` says.
///
/// # Errors
/// [`SealingError::Truncated`], [`SealingError::Refused`].
pub fn open_as<C: SealingContext>(
    recipient: &impl Recipient,
    context: &C,
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, SealingError> {
    open(recipient, C::INFO.as_bytes(), &context.aad(), sealed, C::WHAT)
}
