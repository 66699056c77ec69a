//! A member's locker: what its browser keeps at the gateway, which sees ciphertext under a name that says nothing.
//!
//! Everything follows from one secret of 32 bytes: the key that signs for the locker, whose address is its name, and the key that seals it.
//! A passkey's PRF output is such a secret, and so is what a recovery code gives. The version is bound, so that a locker cannot pass for a
//! later one; that an earlier one is not given for the present one only who remembers the version can see.

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag, aead::AeadInOut};
use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::padme::padded;

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const LENGTH_BYTES: usize = 4;

/// Most bytes of a locker's text.
pub const MOST_TEXT: usize = 64 << 10;
/// Most bytes of a sealed locker.
pub const MOST_SEALED: usize = MOST_TEXT + (MOST_TEXT >> 3) + NONCE_BYTES + TAG_BYTES;

/// Why a locker does not close or open.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LockerError {
    /// It holds too much.
    #[error("{0} bytes: a locker holds {MOST_TEXT}")]
    TooLarge(usize),
    /// It is another's, another version, or was altered.
    #[error("the locker does not open: it is another one, another version, or was altered")]
    Refused,
}

/// What is derived from a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Sign,
    Seal,
    Guard,
    Door,
}

impl Purpose {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Sign => b"rochdale locker v1 sign",
            Self::Seal => b"rochdale locker v1 seal",
            Self::Guard => b"rochdale recovery v1 guardian",
            Self::Door => b"rochdale recovery v1 locker",
        }
    }

    fn of(self, secret: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        // 32 bytes are within what one hash gives 255 times of.
        let _ = Hkdf::<Sha256>::new(None, secret).expand(self.info(), key.as_mut());
        key
    }
}

/// The key of the only guardian that a recovery code makes.
#[must_use]
pub fn guardian_key(recovery_code: &str) -> Zeroizing<[u8; 32]> {
    Purpose::Guard.of(recovery_code.as_bytes())
}

/// What finds, opens and changes a locker.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct LockerSecret([u8; 32]);

impl LockerSecret {
    /// Draws a fresh one.
    #[must_use]
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The one of these bytes, such as a passkey's PRF output.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The one that a recovery code gives; the code has 130 bits.
    #[must_use]
    pub fn of_code(recovery_code: &str) -> Self {
        Self(*Purpose::Door.of(recovery_code.as_bytes()))
    }

    /// The bytes, to be kept in another locker.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secp256k1 key that signs for the locker; its address is the locker's name.
    #[must_use]
    pub fn signing_key(&self) -> Zeroizing<[u8; 32]> {
        Purpose::Sign.of(&self.0)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&(*Purpose::Seal.of(&self.0)).into())
    }

    /// Seals what the locker holds as its version `version`; how long it is shows in coarse steps.
    ///
    /// # Errors
    /// [`LockerError::TooLarge`].
    pub fn seal(&self, version: u64, text: &[u8], rng: &mut impl CryptoRng) -> Result<Vec<u8>, LockerError> {
        let length = u32::try_from(text.len()).ok().filter(|_| text.len() <= MOST_TEXT);
        let length = length.ok_or(LockerError::TooLarge(text.len()))?;
        let long = LENGTH_BYTES + text.len();
        let mut sealed = vec![0; NONCE_BYTES + padded(long as u64).map_or(long, |long| long as usize)];
        rng.fill_bytes(&mut sealed[..NONCE_BYTES]);
        let (nonce, body) = sealed.split_at_mut(NONCE_BYTES);
        body[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
        body[LENGTH_BYTES..][..text.len()].copy_from_slice(text);
        let nonce = Nonce::try_from(&*nonce).map_err(|_| LockerError::Refused)?;
        let tag = self.cipher().encrypt_inout_detached(&nonce, &version.to_be_bytes(), body.into());
        sealed.extend(tag.map_err(|_| LockerError::Refused)?);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] sealed as this version.
    ///
    /// # Errors
    /// [`LockerError::Refused`].
    pub fn open(&self, version: u64, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, LockerError> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_BYTES).ok_or(LockerError::Refused)?;
        let at = rest.len().checked_sub(TAG_BYTES).ok_or(LockerError::Refused)?;
        let (body, tag) = rest.split_at(at);
        let mut body = Zeroizing::new(body.to_vec());
        let refused = |_| LockerError::Refused;
        let (nonce, tag) = (Nonce::try_from(nonce).map_err(refused)?, Tag::try_from(tag).map_err(refused)?);
        let opened =
            self.cipher().decrypt_inout_detached(&nonce, &version.to_be_bytes(), body.as_mut_slice().into(), &tag);
        opened.map_err(|_| LockerError::Refused)?;
        let (length, text) = body.split_first_chunk::<LENGTH_BYTES>().ok_or(LockerError::Refused)?;
        let text = text.get(..u32::from_be_bytes(*length) as usize).ok_or(LockerError::Refused)?;
        Ok(Zeroizing::new(text.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha20Rng;

    #[test]
    fn a_locker_opens_by_its_own_secret_and_version_alone() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (secret, other) = (LockerSecret::random(&mut rng), LockerSecret::random(&mut rng));
        let sealed = secret.seal(3, b"what a member keeps", &mut rng).unwrap();
        assert_eq!(secret.open(3, &sealed).unwrap().as_slice(), b"what a member keeps");
        assert_eq!(secret.open(2, &sealed), Err(LockerError::Refused));
        assert_eq!(other.open(3, &sealed), Err(LockerError::Refused));
        for at in [0, NONCE_BYTES, sealed.len() - 1] {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(secret.open(3, &altered), Err(LockerError::Refused));
        }
        for cut in [0, NONCE_BYTES, NONCE_BYTES + TAG_BYTES] {
            assert_eq!(secret.open(3, &sealed[..cut]), Err(LockerError::Refused));
        }
        assert_ne!(secret.seal(3, b"", &mut rng).unwrap(), secret.seal(3, b"", &mut rng).unwrap(), "a nonce each");
    }

    #[test]
    fn what_a_locker_may_hold_is_bounded_and_fits_when_sealed() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let secret = LockerSecret::random(&mut rng);
        let most = secret.seal(1, &vec![7; MOST_TEXT], &mut rng).unwrap();
        assert!(most.len() <= MOST_SEALED, "{}", most.len());
        let more = secret.seal(1, &vec![7; MOST_TEXT + 1], &mut rng);
        assert_eq!(more, Err(LockerError::TooLarge(MOST_TEXT + 1)));
    }

    #[test]
    fn what_one_code_gives_differs_by_what_it_is_for() {
        let code = "0123456789ABCDEFGHJKMNPQRS";
        let secret = LockerSecret::of_code(code);
        let all = [*guardian_key(code), *secret.expose(), *secret.signing_key(), *Purpose::Seal.of(secret.expose())];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one));
        }
        assert_ne!(LockerSecret::of_code("1123456789ABCDEFGHJKMNPQRS").expose(), secret.expose());
    }
}
