//! A passkey as a phone has it: signs a challenge with the user verified, and reports so.

use alloy::primitives::{B256, Bytes};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use rochdale_chain::account::assertion;
use sha2::{Digest as _, Sha256};

/// The website that the passkey belongs to.
const RELYING_PARTY: &str = "coop.example";
/// The authenticator's flags: user present and verified.
const VERIFIED: u8 = 0x05;

/// A key pair on P-256.
pub struct Passkey(SigningKey);

impl Passkey {
    /// The passkey of a name: the same on every run.
    ///
    /// # Panics
    /// With a probability near 2^-32 for a name whose hash is no key; choose another.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let secret = Sha256::digest(["rochdale passkey ", name].concat());
        match SigningKey::from_slice(&secret) {
            Ok(key) => Self(key),
            Err(_) => panic!("`{name}` makes no key"),
        }
    }

    /// The public key's coordinates.
    #[must_use]
    pub fn public(&self) -> (B256, B256) {
        let point = self.0.verifying_key().to_encoded_point(false);
        let bytes = point.as_bytes();
        (B256::from_slice(&bytes[1..33]), B256::from_slice(&bytes[33..]))
    }

    /// Signs a challenge as `navigator.credentials.get` does, in the form that `MemberAccount` takes.
    ///
    /// # Panics
    /// Never for a key that [`Self::named`] made.
    #[must_use]
    pub fn sign(&self, challenge: B256) -> Bytes {
        let client_data = format!(
            r#"{{"type":"webauthn.get","challenge":"{}","origin":"https://{RELYING_PARTY}","crossOrigin":false}}"#,
            base64url(challenge.as_slice())
        );
        let party = Sha256::digest(RELYING_PARTY);
        let authenticator_data = [party.as_slice(), &[VERIFIED], &[0; 4]].concat();
        let signed = [authenticator_data.as_slice(), &Sha256::digest(&client_data)].concat();
        let signature: Result<Signature, _> = self.0.sign_prehash(&Sha256::digest(&signed));
        let Ok(signature) = signature else { panic!("a P-256 key signs any 32 bytes") };
        // Both halves are valid to a browser, the contract takes the lower one.
        let signature = signature.normalize_s().unwrap_or(signature);
        let (r, s) = signature.split_bytes();
        let assertion = assertion(B256::from_slice(&r), B256::from_slice(&s), &authenticator_data, &client_data);
        assertion.unwrap_or_default()
    }
}

/// RFC 4648, URL alphabet, without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = |chunk: &[u8]| {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digit = move |place: usize| char::from(ALPHABET[(word >> (18 - 6 * place)) as usize & 63]);
        (0..=chunk.len()).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64url(bytes.as_bytes()), text);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }
}
