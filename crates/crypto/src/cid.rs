//! Content identifiers of vault blobs: CIDv1, raw codec, SHA-256, in lower-case base32 (`bafkrei…`).
//!
//! <https://github.com/multiformats/cid>. The vault names a blob by it; it never goes on chain.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

/// CID version 1, codec raw (0x55), multihash sha2-256 (0x12) of 32 bytes.
const PREFIX: [u8; 4] = [0x01, 0x55, 0x12, 0x20];
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// 36 bytes in groups of 5 bits.
const DIGITS: usize = 58;

/// Not an identifier of this vault.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not a CIDv1 of raw bytes by SHA-256: it has 59 characters and starts with bafkrei")]
pub struct CidError(String);

/// The name of a blob: its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid([u8; 32]);

impl Cid {
    /// The name of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The name of bytes with this SHA-256, for those who hash a stream.
    #[must_use]
    pub const fn from_sha256(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The SHA-256 within.
    #[must_use]
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(DIGITS + 1);
        text.push('b');
        let (mut bits, mut count) = (0u32, 0);
        for byte in PREFIX.iter().chain(&self.0) {
            bits = (bits << 8) | u32::from(*byte);
            count += 8;
            while count >= 5 {
                count -= 5;
                text.push(char::from(ALPHABET[(bits >> count) as usize & 31]));
            }
        }
        text.push(char::from(ALPHABET[(bits << (5 - count)) as usize & 31]));
        f.pad(&text)
    }
}

impl FromStr for Cid {
    type Err = CidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decode(text).ok_or_else(|| CidError(text.chars().take(80).collect()))
    }
}

fn decode(text: &str) -> Option<Cid> {
    let digits = text.strip_prefix('b')?.as_bytes();
    if digits.len() != DIGITS {
        return None;
    }
    let mut bytes = Vec::with_capacity(36);
    let (mut bits, mut count) = (0u32, 0);
    for digit in digits {
        let value = ALPHABET.iter().position(|known| known == digit)?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    // 58 digits hold 290 bits for 288: the last two must be zero, or one blob would have several names.
    if bits & ((1 << count) - 1) != 0 {
        return None;
    }
    let digest = bytes.strip_prefix(&PREFIX)?;
    Some(Cid(digest.try_into().ok()?))
}

impl Serialize for Cid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_blob_has_its_well_known_name() {
        let empty = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
        assert_eq!(Cid::of(b"").to_string(), empty);
        assert_eq!(empty.parse::<Cid>().unwrap(), Cid::of(b""));
    }

    #[test]
    fn other_names_are_refused() {
        let name = Cid::of(b"record").to_string();
        assert_eq!(name.parse::<Cid>().unwrap(), Cid::of(b"record"));
        // A dag-pb name, an upper-case one, a short one, and one with the two spare bits set.
        let spare = format!("{}{}", &name[..58], if name.ends_with('b') { 'c' } else { 'b' });
        for other in
            ["bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", &name.to_uppercase(), &name[..58], &spare]
        {
            assert_eq!(other.parse::<Cid>(), Err(CidError(other.to_owned())));
        }
    }
}
