//! The kinds of sealed messages: for each its `info` and its associated data.

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolValue;
use rochdale_core::ids::{Epoch, LicenseId, MemberId, StewardId};

use crate::envelope::Header;

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
        /// The member who consents.
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
        /// The attempt at settling the epoch, from 0.
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
        /// The member whose row it is.
        member: MemberId => |v| int(v.0),
    }
);

context!(
    /// What a member needs to contest its row of a pending settlement, from a steward to the member.
    OpeningContext, "rochdale.seal.opening.v1", "opening",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `SettlementLedger`.
        ledger: Address => |v| v,
        /// The pending epoch.
        epoch: Epoch => |v| int(v.0),
        /// The member whose row it is.
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
        /// EIP-712 digest of the order that it answers.
        order: B256 => |v| v,
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
        /// Hash of the signed request (an order's digest, or that of a scoring request), which names the purpose.
        request_hash: B256 => |v| v,
    }
);

context!(
    /// A part of an old holder's share, on its way to a seat of the next committee.
    ReshareContext, "rochdale.seal.reshare.v1", "part of a share",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `ContributionRegistry`.
        registry: Address => |v| v,
        /// Whose record it opens.
        member: MemberId => |v| int(v.0),
        /// Hash of the record's header.
        header_hash: B256 => |v| v,
        /// The generation of the committee that it is dealt to.
        generation: u32 => |v| int(v),
        /// Hash of the commitments that the dealer's share is under.
        source: B256 => |v| v,
        /// The dealer's seat under those.
        dealer: StewardId => |v| int(v.0),
        /// The seat that it is dealt to.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// A steward's log of who opened a member's records, from the steward to the member.
    OpeningsContext, "rochdale.seal.openings.v1", "log of openings",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `StewardCommittee`.
        committee: Address => |v| v,
        /// The member whose records they are.
        member: MemberId => |v| int(v.0),
        /// The seat of the steward that answers.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// What a steward holds of a member, with shares of its records, from the steward to the member.
    HeldContext, "rochdale.seal.held.v1", "what is held of a member",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `StewardCommittee`.
        committee: Address => |v| v,
        /// The member who asks.
        member: MemberId => |v| int(v.0),
        /// The seat of the steward that answers.
        index: StewardId => |v| int(v.0),
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
    /// What a worker asks of a steward for an order.
    OrderContext, "rochdale.seal.order.v1", "request for an order",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `StewardCommittee`.
        committee: Address => |v| v,
        /// EIP-712 digest of the order.
        order: B256 => |v| v,
        /// The worker that asks.
        worker: Address => |v| v,
        /// The seat of the steward that is asked.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// The snapshot of an order, from a steward to the worker that asked for it.
    PoolContext, "rochdale.seal.pool.v1", "snapshot of an order",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `StewardCommittee`.
        committee: Address => |v| v,
        /// EIP-712 digest of the order.
        order: B256 => |v| v,
        /// The seat of the steward that answers.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// A page of released shares and refusals for an order, from a steward to the worker that asked for it.
    SharesContext, "rochdale.seal.shares.v1", "page of shares",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `StewardCommittee`.
        committee: Address => |v| v,
        /// EIP-712 digest of the order.
        order: B256 => |v| v,
        /// The seat of the steward that answers.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// A settlement sheet as one steward holds it, to another that cannot open its own copy.
    SheetCopyContext, "rochdale.seal.sheet-copy.v1", "copy of a settlement sheet",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `SettlementLedger`.
        ledger: Address => |v| v,
        /// The epoch that was settled.
        epoch: Epoch => |v| int(v.0),
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
        /// The attempt at settling the epoch, from 0.
        attempt: u32 => |v| int(v),
        /// The seat of the steward that answers.
        index: StewardId => |v| int(v.0),
    }
);

context!(
    /// The body of a request between processes.
    RequestBodyContext, "rochdale.seal.request-body.v1", "request",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `StewardCommittee`.
        committee: Address => |v| v,
        /// Who asks: its signature over the sealed bytes is the request's.
        from: Address => |v| v,
        /// Who is asked.
        to: Address => |v| v,
        /// keccak-256 of path and query.
        path_hash: B256 => |v| v,
    }
);

context!(
    /// The body of the answer to one request between processes.
    AnswerBodyContext, "rochdale.seal.answer-body.v1", "answer",
    {
        /// EIP-155 chain id.
        chain_id: u64 => |v| int(v),
        /// The `StewardCommittee`.
        committee: Address => |v| v,
        /// The address of the process that answers.
        from: Address => |v| v,
        /// The address of whom it answers.
        to: Address => |v| v,
        /// Digest of the request, which binds nonce and body.
        request: B256 => |v| v,
        /// HTTP status.
        status: u16 => |v| int(v),
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
