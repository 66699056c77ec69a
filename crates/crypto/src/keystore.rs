//! How a steward keeps secrets at rest: everything of a member under that member's key, which itself is wrapped by the
//! steward's master key.
//!
//! Erasure deletes the wrapped member key: whatever was wrapped under it, in the store or a backup of it, is noise from
//! then on, as long as no copy of that one wrapped key survives. So wrapped member keys live in one table that bounded
//! backups leave out or expire, and [`MasterKey::rewrap`] to a new master key cuts off what an old backup still holds.
//!
//! Every wrapping is AES-256-GCM with a random 96-bit nonce in front; a key wraps far fewer than 2^32 items. The associated
//! data names what is wrapped and whose it is, so that rows of the store cannot be exchanged.

use std::sync::LazyLock;

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag, aead::AeadInOut};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolValue;
use rand::CryptoRng;
use rochdale_core::{commit, ids::MemberId};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    secret::RowKey,
    sharing::{Share, SharingError},
};

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

// An epoch wraps and unwraps for everybody: a tag is hashed once, not for each item.
static ITEM_TAG: LazyLock<B256> = LazyLock::new(|| commit::tag("store.item"));
static MEMBER_TAG: LazyLock<B256> = LazyLock::new(|| commit::tag("store.member"));

/// A key as it is kept: nonce, 32 bytes, tag.
pub type WrappedKey = [u8; NONCE_BYTES + 32 + TAG_BYTES];

/// A key as a database writes it in hexadecimal.
#[must_use]
pub fn wrapped_key(hexadecimal: &str) -> Option<WrappedKey> {
    let mut bytes = [0; NONCE_BYTES + 32 + TAG_BYTES];
    hex::decode_to_slice(hexadecimal, &mut bytes).ok()?;
    Some(bytes)
}

/// Why something does not come out of the store.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeystoreError {
    /// A member's key that this master key did not wrap.
    #[error("the key of member {0} does not unwrap: altered, another member's, or wrapped by another master key")]
    MemberKey(MemberId),
    /// An item that the member's key did not wrap.
    #[error("{item} of member {member} does not unwrap: altered, exchanged with another row, or the member was erased")]
    Item {
        /// Whose it is.
        member: MemberId,
        /// What it is.
        item: Item,
    },
    /// An item that this master key did not wrap.
    #[error("{0} does not unwrap: altered, exchanged with another row, or wrapped by another master key")]
    Own(OwnItem),
    /// What unwrapped is no share.
    #[error(transparent)]
    Share(#[from] SharingError),
}

/// What is kept for a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// The share of the record with this header hash.
    Share(B256),
    /// The private part (dataset, blinder) of the record with this header hash.
    PrivatePart(B256),
    /// The member's row key.
    RowKey,
    /// The consent receipt and blinder of this version.
    Consent(u32),
    /// The member's row of the settlement of this epoch.
    LedgerRow(u32),
    /// The member's inputs of the settlement of this epoch.
    LedgerInputs(u32),
    /// Keyed sketches of what was scored, by header hash.
    Sketch(B256),
    /// What an old holder dealt to this steward, by the digest of its deal.
    Redealt(B256),
    /// The share of a record that was dealt anew, by the hash of its commitments.
    Reshared(B256),
}

impl core::fmt::Display for Item {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Share(header) => write!(f, "the share of record {header}"),
            Self::PrivatePart(header) => write!(f, "the private part of record {header}"),
            Self::RowKey => f.write_str("the row key"),
            Self::Consent(version) => write!(f, "the consent receipt of version {version}"),
            Self::LedgerRow(epoch) => write!(f, "the ledger row of epoch {epoch}"),
            Self::LedgerInputs(epoch) => write!(f, "the ledger inputs of epoch {epoch}"),
            Self::Sketch(header) => write!(f, "the sketch of record {header}"),
            Self::Redealt(deal) => write!(f, "the part of a share of deal {deal}"),
            Self::Reshared(deal) => write!(f, "the share under commitments {deal}"),
        }
    }
}

impl Item {
    fn aad(&self, member: MemberId) -> Vec<u8> {
        let (kind, word) = match *self {
            Self::Share(header) => (1, header),
            Self::PrivatePart(header) => (2, header),
            Self::RowKey => (3, B256::ZERO),
            Self::Consent(version) => (4, B256::from(U256::from(version))),
            Self::LedgerRow(epoch) => (5, B256::from(U256::from(epoch))),
            Self::Sketch(header) => (6, header),
            Self::LedgerInputs(epoch) => (7, B256::from(U256::from(epoch))),
            Self::Redealt(deal) => (8, deal),
            Self::Reshared(deal) => (9, deal),
        };
        let tag = *ITEM_TAG;
        (tag, U256::from(member.0), U256::from(kind), word).abi_encode_params()
    }
}

/// What a steward keeps for itself, of no single member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnItem {
    /// The secret half of the sealing key with this public half.
    SealingKey(B256),
    /// The sheet of this epoch, opened.
    Sheet(u32),
}

impl core::fmt::Display for OwnItem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::SealingKey(public) => write!(f, "the sealing key {public}"),
            Self::Sheet(epoch) => write!(f, "the opened sheet of epoch {epoch}"),
        }
    }
}

impl OwnItem {
    fn aad(self) -> Vec<u8> {
        let (kind, word) = match self {
            Self::SealingKey(public) => (1, public),
            Self::Sheet(epoch) => (2, B256::from(U256::from(epoch))),
        };
        (commit::tag("store.own"), U256::from(kind), word).abi_encode_params()
    }
}

/// The key that wraps all member keys of one steward; kept in a key file.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

/// The key of one member at one steward. Deleting its wrapped form is that member's erasure.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MemberKey {
    #[zeroize(skip)]
    member: MemberId,
    key: [u8; 32],
}

impl MasterKey {
    /// Draws a fresh one.
    #[must_use]
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    /// The key of these bytes, as a key file gives them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Draws a member's key and gives it with its wrapped form, which the store keeps.
    #[must_use]
    pub fn create(&self, member: MemberId, rng: &mut impl CryptoRng) -> (MemberKey, Vec<u8>) {
        let mut key = MemberKey { member, key: [0; 32] };
        rng.fill_bytes(&mut key.key);
        let wrapped = self.wrap(&key, rng);
        (key, wrapped)
    }

    fn wrap(&self, key: &MemberKey, rng: &mut impl CryptoRng) -> Vec<u8> {
        wrap(&self.0, &member_aad(key.member), &key.key, rng)
    }

    /// Unwraps a member's key.
    ///
    /// # Errors
    /// [`KeystoreError::MemberKey`].
    pub fn unwrap_key(&self, member: MemberId, wrapped: &[u8]) -> Result<MemberKey, KeystoreError> {
        let refused = KeystoreError::MemberKey(member);
        let Some(bytes) = unwrap(&self.0, &member_aad(member), wrapped) else { return Err(refused) };
        let mut key = MemberKey { member, key: [0; 32] };
        if bytes.len() != key.key.len() {
            return Err(refused);
        }
        key.key.copy_from_slice(&bytes);
        Ok(key)
    }

    /// Wraps what is kept for the steward itself.
    #[must_use]
    pub fn wrap_own(&self, item: OwnItem, plaintext: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        wrap(&self.0, &item.aad(), plaintext, rng)
    }

    /// Unwraps what was wrapped as this item.
    ///
    /// # Errors
    /// [`KeystoreError::Own`].
    pub fn unwrap_own(&self, item: OwnItem, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        unwrap(&self.0, &item.aad(), wrapped).ok_or(KeystoreError::Own(item))
    }

    /// Wraps a member's key under a new master key.
    ///
    /// # Errors
    /// [`KeystoreError::MemberKey`].
    pub fn rewrap(
        &self,
        next: &Self,
        member: MemberId,
        wrapped: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, KeystoreError> {
        Ok(next.wrap(&self.unwrap_key(member, wrapped)?, rng))
    }
}

impl MemberKey {
    /// Whose it is.
    #[must_use]
    pub const fn member(&self) -> MemberId {
        self.member
    }

    /// Wraps what is kept for the member.
    #[must_use]
    pub fn wrap(&self, item: Item, plaintext: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        wrap(&self.key, &item.aad(self.member), plaintext, rng)
    }

    /// Unwraps what was wrapped as this item.
    ///
    /// # Errors
    /// [`KeystoreError::Item`].
    pub fn unwrap(&self, item: Item, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        unwrap(&self.key, &item.aad(self.member), wrapped).ok_or(KeystoreError::Item { member: self.member, item })
    }

    /// Wraps the share of the record with this header hash.
    #[must_use]
    pub fn wrap_share(&self, header_hash: B256, share: &Share, rng: &mut impl CryptoRng) -> Vec<u8> {
        self.wrap(Item::Share(header_hash), share.to_bytes().as_slice(), rng)
    }

    /// Unwraps the share of the record with this header hash.
    ///
    /// # Errors
    /// [`KeystoreError::Item`], [`KeystoreError::Share`].
    pub fn unwrap_share(&self, header_hash: B256, wrapped: &[u8]) -> Result<Share, KeystoreError> {
        Ok(Share::from_bytes(&self.unwrap(Item::Share(header_hash), wrapped)?)?)
    }

    /// Wraps the member's row key.
    #[must_use]
    pub fn wrap_row_key(&self, key: &RowKey, rng: &mut impl CryptoRng) -> Vec<u8> {
        self.wrap(Item::RowKey, key.expose(), rng)
    }

    /// Unwraps the member's row key.
    ///
    /// # Errors
    /// [`KeystoreError::Item`].
    pub fn unwrap_row_key(&self, wrapped: &[u8]) -> Result<RowKey, KeystoreError> {
        let bytes = self.unwrap(Item::RowKey, wrapped)?;
        let refused = KeystoreError::Item { member: self.member, item: Item::RowKey };
        Ok(RowKey::from_bytes(bytes.as_slice().try_into().map_err(|_| refused)?))
    }
}

fn member_aad(member: MemberId) -> Vec<u8> {
    (*MEMBER_TAG, U256::from(member.0)).abi_encode_params()
}

/// `nonce ‖ ciphertext ‖ tag`, with a nonce that is drawn here.
fn wrap(key: &[u8; 32], aad: &[u8], plaintext: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    wrap_with(key, aad, plaintext, nonce)
}

/// Of no generic parameter, so that it is compiled here, where it is optimized, and not beside each generator of random numbers.
fn wrap_with(key: &[u8; 32], aad: &[u8], plaintext: &[u8], nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
    let mut wrapped = vec![0; NONCE_BYTES + plaintext.len() + TAG_BYTES];
    let (start, rest) = wrapped.split_at_mut(NONCE_BYTES);
    let (text, tag) = rest.split_at_mut(plaintext.len());
    start.copy_from_slice(&nonce);
    text.copy_from_slice(plaintext);
    let nonce = Nonce::from(nonce);
    let made = Aes256Gcm::new(&(*key).into())
        .encrypt_inout_detached(&nonce, aad, text.into())
        .expect("what a steward keeps is far below the limits of AES-GCM");
    tag.copy_from_slice(&made);
    wrapped
}

fn unwrap(key: &[u8; 32], aad: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = wrapped.split_at_checked(NONCE_BYTES)?;
    let (text, tag) = rest.split_at_checked(rest.len().checked_sub(TAG_BYTES)?)?;
    let mut plaintext = Zeroizing::new(text.to_vec());
    Aes256Gcm::new(&(*key).into())
        .decrypt_inout_detached(
            &Nonce::try_from(nonce).ok()?,
            aad,
            plaintext.as_mut_slice().into(),
            &Tag::try_from(tag).ok()?,
        )
        .ok()?;
    Some(plaintext)
}
