//! The kinds of sealed messages: for each its `info`, its associated data and, where it is not free text, its content.

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolValue;
use rand::CryptoRng;
use rochdale_core::ids::{DatasetId, Epoch, LicenseId, MemberId, StewardId};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Sealed, SealingError, SealingKeyPair, SealingPublicKey, open_as, seal_as};
use crate::{envelope::Header, secret::RowKey, sharing::Share};

/// What a sealed message is and where it belongs.
pub trait SealingContext {
    /// HPKE's `info`: one string for each kind of message.
    const INFO: &'static str;
    /// The kind in words, for errors.
    const WHAT: &'static str;

    /// `abi.encode` of the fields, in their order.
    fn aad(&self) -> Vec<u8>;
}

fn int(value: impl Into<u64>) -> U256 {
    U256::from(value.into())
}

macro_rules! context {
    (
        $(#[$doc:meta])* $name:ident, $info:literal, $what:literal,
        { $($(#[$field_doc:meta])* $field:ident: $ty:ty => |$value:ident| $encode:expr,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)+
        }

        impl SealingContext for $name {
            const INFO: &'static str = $info;
            const WHAT: &'static str = $what;

            fn aad(&self) -> Vec<u8> {
                ($({ let $value = self.$field; $encode },)+).abi_encode_params()
            }
        }
    };
}

context!(
    /// A key share on its way from member to steward.
    ShareContext, "rochdale.seal.share.v1", "key share",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `ContributionRegistry`.
        registry: Address => |v| v,
        /// Whose record it opens.
        member: MemberId => |v| int(v.0),
        /// Hash of the record's header.
        header_hash: B256 => |v| v,
        /// The consent under which it was given.
        consent_version: u32 => |v| int(v),
        /// The steward's seat.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// The private part of a contribution (dataset and blinder) on its way to a steward.
    PrivatePartContext, "rochdale.seal.private-part.v1", "private part",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `ContributionRegistry`.
        registry: Address => |v| v,
        /// Whose record it is.
        member: MemberId => |v| int(v.0),
        /// Hash of the record's header.
        header_hash: B256 => |v| v,
        /// The consent under which it was given.
        consent_version: u32 => |v| int(v),
        /// The steward's seat.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// A member's row key on its way to a steward. The member has no id yet: the admission names the account.
    RowKeyContext, "rochdale.seal.row-key.v1", "row key",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `Membership` contract.
        membership: Address => |v| v,
        /// The account that joins.
        account: Address => |v| v,
        /// The admission's credential nullifier.
        nullifier: B256 => |v| v,
        /// The steward's seat.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// A consent receipt and its blinder on their way to a steward.
    ConsentContext, "rochdale.seal.consent.v1", "consent receipt",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `ConsentRegistry`.
        registry: Address => |v| v,
        /// Who consents.
        member: MemberId => |v| int(v.0),
        /// The version that this grant is.
        consent_version: u32 => |v| int(v),
        /// The steward's seat.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// The score and usage sheet of a settlement, from the proposing steward to a peer.
    SheetContext, "rochdale.seal.sheet.v1", "settlement sheet",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `SettlementLedger`.
        ledger: Address => |v| v,
        /// The epoch that is settled.
        epoch: Epoch => |v| int(v.0),
        /// The attempt.
        attempt: u32 => |v| int(v),
        /// The seat of the steward it is for.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// A member's own row of a settlement, from a steward to the member.
    ClaimsRowContext, "rochdale.seal.claims-row.v1", "claims row",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `SettlementLedger`.
        ledger: Address => |v| v,
        /// The epoch of the row.
        epoch: Epoch => |v| int(v.0),
        /// Whose row.
        member: MemberId => |v| int(v.0),
    }
);

context!(
    /// The answer to a query, from the worker to the license's recipient key.
    QueryAnswerContext, "rochdale.seal.query-answer.v1", "query answer",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `StewardCommittee`.
        committee: Address => |v| v,
        /// The license that paid for it.
        license: LicenseId => |v| int(v.0),
        /// Hash of the budget entry that was debited.
        entry_hash: B256 => |v| v,
        /// Digest of the query.
        query_digest: B256 => |v| v,
    }
);

context!(
    /// A share that a steward releases: re-sealed to whoever the request names, for that request only.
    ReleaseContext, "rochdale.seal.release.v1", "released share",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `ContributionRegistry`.
        registry: Address => |v| v,
        /// Whose record it opens.
        member: MemberId => |v| int(v.0),
        /// Hash of the record's header.
        header_hash: B256 => |v| v,
        /// The consent under which it was given.
        consent_version: u32 => |v| int(v),
        /// The seat of the steward that releases it.
        index: StewardId => |v| int(v.0),
        /// Hash of the signed request (a budget entry's hash, or that of a scoring request), which names the purpose.
        request_hash: B256 => |v| v,
    }
);

context!(
    /// A pool's snapshot, from a steward to the worker that asked for it.
    SnapshotContext, "rochdale.seal.snapshot.v1", "snapshot",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `ContributionRegistry`.
        registry: Address => |v| v,
        /// The license that asks.
        license: LicenseId => |v| int(v.0),
        /// Hash of the finalized block that it is as of.
        cut: B256 => |v| v,
        /// The seat of the steward that answers.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// What one steward missed, from another.
    CatchUpContext, "rochdale.seal.catch-up.v1", "catch-up",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `StewardCommittee`.
        committee: Address => |v| v,
        /// The seat of the steward that answers.
        from: StewardId => |v| int(v.0),
        /// The seat of the steward that asked.
        to: StewardId => |v| int(v.0),
    }
);

context!(
    /// The lines of a settlement sheet on which a steward differs, to its proposer.
    SheetReplyContext, "rochdale.seal.sheet-reply.v1", "answer to a settlement sheet",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `SettlementLedger`.
        ledger: Address => |v| v,
        /// The epoch that is settled.
        epoch: Epoch => |v| int(v.0),
        /// The attempt.
        attempt: u32 => |v| int(v),
        /// The seat of the steward that answers.
        index: StewardId => |v| int(v.0),
    }
);

impl ShareContext {
    /// The context of a record's share, from its header.
    #[must_use]
    pub fn of(header: &Header, index: StewardId) -> Self {
        let context = header.context();
        Self {
            chain_id: context.chain_id,
            registry: context.registry,
            member: context.member,
            header_hash: header.hash(),
            consent_version: context.consent_version,
            index,
        }
    }

    /// The context of this share's release for one request.
    #[must_use]
    pub const fn release(&self, request_hash: B256) -> ReleaseContext {
        ReleaseContext {
            chain_id: self.chain_id,
            registry: self.registry,
            member: self.member,
            header_hash: self.header_hash,
            consent_version: self.consent_version,
            index: self.index,
            request_hash,
        }
    }

    /// The context of the private part that goes with this share.
    #[must_use]
    pub const fn private_part(&self) -> PrivatePartContext {
        PrivatePartContext {
            chain_id: self.chain_id,
            registry: self.registry,
            member: self.member,
            header_hash: self.header_hash,
            consent_version: self.consent_version,
            index: self.index,
        }
    }
}

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
pub fn open_share(steward: &SealingKeyPair, context: &ShareContext, sealed: &Sealed) -> Result<Share, SealingError> {
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
    recipient: &SealingKeyPair,
    context: &ReleaseContext,
    sealed: &Sealed,
) -> Result<Share, SealingError> {
    let share = Share::from_bytes(&open_as(recipient, context, sealed)?)?;
    share.expect_index(context.index)?;
    Ok(share)
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
    steward: &SealingKeyPair,
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
    steward: &SealingKeyPair,
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
    steward: &SealingKeyPair,
    context: &ConsentContext,
    sealed: &Sealed,
) -> Result<ConsentPart, SealingError> {
    ConsentPart::from_bytes(&open_as(steward, context, sealed)?)
}
