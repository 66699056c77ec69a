//! What sealed messages hold where it is not free text: shares, private parts, row keys and consent receipts.

use alloy_primitives::B256;
use rand::CryptoRng;
use rochdale_core::ids::DatasetId;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::context::{
    ConsentContext, PrivatePartContext, ReleaseContext, ReshareContext, RowKeyContext, SealingContext as _,
    ShareContext,
};
use super::{Recipient, Sealed, SealingError, SealingPublicKey, open_as, seal_as};
use crate::{padme, secret::RowKey, sharing::Share};

/// Seals a share to its steward.
///
/// # Errors
/// [`SealingError::PublicKey`]; [`SealingError::Share`] where the share is another seat's.
pub fn seal_share(
    steward: &SealingPublicKey,
    context: &ShareContext,
    share: &Share,
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealingError> {
    share.expect_index(context.index)?;
    seal_as(steward, context, share.to_bytes().as_slice(), rng)
}

/// Opens a share that was sealed to this steward. Check it against the deal's commitments before it is kept.
///
/// # Errors
/// As [`super::open_as`]; [`SealingError::Share`] where it is malformed or another seat's.
pub fn open_share(steward: &impl Recipient, context: &ShareContext, sealed: &Sealed) -> Result<Share, SealingError> {
    let share = Share::from_bytes(&open_as(steward, context, sealed)?)?;
    share.expect_index(context.index)?;
    Ok(share)
}

/// Re-seals a share for one request.
///
/// # Errors
/// As [`seal_share`].
pub fn seal_released_share(
    recipient: &SealingPublicKey,
    context: &ReleaseContext,
    share: &Share,
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealingError> {
    share.expect_index(context.index)?;
    seal_as(recipient, context, share.to_bytes().as_slice(), rng)
}

/// Opens a released share.
///
/// # Errors
/// As [`open_share`].
pub fn open_released_share(
    recipient: &impl Recipient,
    context: &ReleaseContext,
    sealed: &Sealed,
) -> Result<Share, SealingError> {
    let share = Share::from_bytes(&open_as(recipient, context, sealed)?)?;
    share.expect_index(context.index)?;
    Ok(share)
}

/// Seals what an old holder deals to a seat of the next committee.
///
/// # Errors
/// As [`seal_share`].
pub fn seal_redealt(
    steward: &SealingPublicKey,
    context: &ReshareContext,
    part: &Share,
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealingError> {
    part.expect_index(context.index)?;
    seal_as(steward, context, part.to_bytes().as_slice(), rng)
}

/// Opens what an old holder dealt to this steward. Check it against the dealer's commitments before it counts.
///
/// # Errors
/// As [`open_share`].
pub fn open_redealt(
    steward: &impl Recipient,
    context: &ReshareContext,
    sealed: &Sealed,
) -> Result<Share, SealingError> {
    let part = Share::from_bytes(&open_as(steward, context, sealed)?)?;
    part.expect_index(context.index)?;
    Ok(part)
}

/// What the chain's commitment hides and stewards must know: the record's dataset and the commitment's blinder.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PrivatePart {
    #[zeroize(skip)]
    dataset: DatasetId,
    blinder: [u8; 32],
}

impl PrivatePart {
    /// The part of these values.
    #[must_use]
    pub const fn new(dataset: DatasetId, blinder: B256) -> Self {
        Self { dataset, blinder: blinder.0 }
    }

    /// The record's dataset.
    #[must_use]
    pub const fn dataset(&self) -> DatasetId {
        self.dataset
    }

    /// The blinder of the contribution's commitment.
    #[must_use]
    pub const fn blinder(&self) -> B256 {
        B256::new(self.blinder)
    }

    /// Dataset (u32, big-endian), then blinder.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 36]> {
        let mut bytes = Zeroizing::new([0; 36]);
        bytes[..4].copy_from_slice(&self.dataset.0.to_be_bytes());
        bytes[4..].copy_from_slice(&self.blinder);
        bytes
    }

    /// Reads a part.
    ///
    /// # Errors
    /// [`SealingError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealingError> {
        let malformed = SealingError::Malformed(PrivatePartContext::WHAT);
        let Some((dataset, blinder)) = bytes.split_first_chunk() else { return Err(malformed) };
        let blinder = blinder.try_into().map_err(|_| malformed)?;
        Ok(Self { dataset: DatasetId(u32::from_be_bytes(*dataset)), blinder })
    }
}

/// Seals the private part of a contribution to a steward.
///
/// # Errors
/// [`SealingError::PublicKey`].
pub fn seal_private_part(
    steward: &SealingPublicKey,
    context: &PrivatePartContext,
    part: &PrivatePart,
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealingError> {
    seal_as(steward, context, part.to_bytes().as_slice(), rng)
}

/// Opens the private part of a contribution.
///
/// # Errors
/// As [`super::open_as`]; [`SealingError::Malformed`].
pub fn open_private_part(
    steward: &impl Recipient,
    context: &PrivatePartContext,
    sealed: &Sealed,
) -> Result<PrivatePart, SealingError> {
    PrivatePart::from_bytes(&open_as(steward, context, sealed)?)
}

/// Seals a member's row key to a steward.
///
/// # Errors
/// [`SealingError::PublicKey`].
pub fn seal_row_key(
    steward: &SealingPublicKey,
    context: &RowKeyContext,
    key: &RowKey,
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealingError> {
    seal_as(steward, context, key.expose(), rng)
}

/// Opens a member's row key.
///
/// # Errors
/// As [`super::open_as`]; [`SealingError::Malformed`].
pub fn open_row_key(
    steward: &impl Recipient,
    context: &RowKeyContext,
    sealed: &Sealed,
) -> Result<RowKey, SealingError> {
    let bytes = open_as(steward, context, sealed)?;
    let malformed = SealingError::Malformed(RowKeyContext::WHAT);
    Ok(RowKey::from_bytes(bytes.as_slice().try_into().map_err(|_| malformed)?))
}

/// Sealed consent receipts come in multiples of this.
const CONSENT_BLOCK: usize = 1024;

/// A consent receipt with the blinder of its commitment.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ConsentPart {
    blinder: [u8; 32],
    receipt: Vec<u8>,
}

impl ConsentPart {
    /// The part of these values; `receipt` is the receipt's RFC 8785 JSON.
    #[must_use]
    pub fn new(receipt: Vec<u8>, blinder: B256) -> Self {
        Self { blinder: blinder.0, receipt }
    }

    /// The receipt's JSON.
    #[must_use]
    pub fn receipt(&self) -> &[u8] {
        &self.receipt
    }

    /// The blinder of the receipt's commitment.
    #[must_use]
    pub const fn blinder(&self) -> B256 {
        B256::new(self.blinder)
    }

    /// Blinder, length (u32, big-endian), JSON, zeros to a multiple of 1,024 bytes: whoever relays it must not read
    /// from its length what was consented to.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let len = u32::try_from(self.receipt.len()).unwrap_or(u32::MAX).to_be_bytes();
        let padded = (32 + 4 + self.receipt.len()).next_multiple_of(CONSENT_BLOCK);
        let mut bytes = Zeroizing::new(Vec::with_capacity(padded));
        bytes.extend_from_slice(&self.blinder);
        bytes.extend_from_slice(&len);
        bytes.extend_from_slice(&self.receipt);
        bytes.resize(padded, 0);
        bytes
    }

    /// Reads a part. Whether the receipt is JSON, and which, is for the consent rules to say.
    ///
    /// # Errors
    /// [`SealingError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealingError> {
        Self::parse(bytes).ok_or(SealingError::Malformed(ConsentContext::WHAT))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (blinder, rest) = bytes.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let receipt = rest.get(..usize::try_from(u32::from_be_bytes(*len)).ok()?)?.to_vec();
        let part = Self { blinder: *blinder, receipt };
        // One form each: other padding is refused.
        (part.to_bytes().as_slice() == bytes).then_some(part)
    }
}

/// Seals a consent receipt to a steward.
///
/// # Errors
/// [`SealingError::PublicKey`].
pub fn seal_consent(
    steward: &SealingPublicKey,
    context: &ConsentContext,
    part: &ConsentPart,
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealingError> {
    seal_as(steward, context, &part.to_bytes(), rng)
}

/// Opens a consent receipt.
///
/// # Errors
/// As [`super::open_as`]; [`SealingError::Malformed`].
pub fn open_consent(
    steward: &impl Recipient,
    context: &ConsentContext,
    sealed: &Sealed,
) -> Result<ConsentPart, SealingError> {
    ConsentPart::from_bytes(&open_as(steward, context, sealed)?)
}

/// A body between processes, padded so that its length says little of how many it names.
#[derive(Clone, Copy, Debug)]
pub struct BodyPart;

impl BodyPart {
    /// Length (u32, big-endian), JSON, zeros up to the Padmé length and at least 256 bytes.
    ///
    /// # Errors
    /// [`SealingError::Malformed`] where it has 4 GiB.
    pub fn pad(json: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        const MALFORMED: SealingError = SealingError::Malformed("body");
        let len = u32::try_from(json.len()).map_err(|_| MALFORMED)?;
        let padded = padme::padded((json.len() as u64 + 4).max(256)).and_then(|len| usize::try_from(len).ok());
        let padded = padded.ok_or(MALFORMED)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(padded));
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(json);
        bytes.resize(padded, 0);
        Ok(bytes)
    }

    /// The JSON within.
    ///
    /// # Errors
    /// [`SealingError::Malformed`].
    pub fn unpad(bytes: &[u8]) -> Result<&[u8], SealingError> {
        let split = bytes.split_first_chunk().and_then(|(len, rest)| {
            let (json, zeros) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
            zeros.iter().all(|byte| *byte == 0).then_some(json)
        });
        split.ok_or(SealingError::Malformed("body"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_padded_and_has_one_content() {
        for len in [0usize, 1, 251, 252, 253, 1_000, 100_000] {
            let json = vec![b'x'; len];
            let padded = BodyPart::pad(&json).unwrap();
            assert!(padded.len() >= 256 && padded.len() <= 256.max((len + 4) * 112 / 100));
            assert_eq!(BodyPart::unpad(&padded).unwrap(), json);
        }
        // Bodies that name one member more have the same length.
        let one = BodyPart::pad(&[b'1'; 40_000]).unwrap();
        assert_eq!(one.len(), BodyPart::pad(&[b'1'; 40_008]).unwrap().len());
        assert_eq!(BodyPart::unpad(&[0, 0, 0, 9, 1]).unwrap_err(), SealingError::Malformed("body"));
        assert_eq!(BodyPart::unpad(&[0, 0, 0, 1, 1, 1]).unwrap_err(), SealingError::Malformed("body"));
    }
}
