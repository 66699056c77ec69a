//! Settling an epoch: the sheet, the header, the proposal.

use crate::contribution::ScoreMessage;
use alloy_primitives::{B256, Bytes, U256};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, StewardId};
use rochdale_core::ledger::{
    DemandKind, Entered, Grant, Header, NewLeaf, OldRow, OpenedInputs, Params, StandIn, Usage,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A steward's signature over a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Countersignature {
    /// The steward, by its seat.
    #[schema(value_type = u8)]
    pub steward: StewardId,
    /// EIP-712 over `Header`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// `POST /v1/settlement/sheets` at a steward, by the proposer of the attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetMessage {
    /// The epoch, from 1.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
    /// The attempt, from 0.
    pub attempt: u32,
    /// The seat whose turn it is to propose.
    #[schema(value_type = u8)]
    pub proposer: StewardId,
    /// A [`Sheet`] as JSON, sealed to each steward in seat order; all are sent to each, so that everyone can check the digest.
    #[schema(value_type = Vec<crate::shape::HexBytes>)]
    pub sealed: Vec<Bytes>,
    /// The header to sign.
    #[schema(value_type = Object)]
    pub header: Header,
}

/// The score and usage sheet of an epoch; only ever sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// The cut: number and hash of the last block of the epoch.
    pub cut_block: u64,
    /// The hash of the block at the cut.
    pub cut_hash: B256,
    /// The scores that enter, each with its signatures.
    pub scores: Vec<ScoreMessage>,
    /// Contributions that wait, with the reason.
    pub deferred: Vec<(ContributionId, String)>,
    /// One line for each member with any input.
    pub lines: Vec<SheetLine>,
    /// Program awards of the epoch, as their awarders signed them.
    #[serde(default)]
    pub awards: Vec<AwardMessage>,
    /// Members, active or not, whose row key none of the signers holds: zeros stand for it in their salts and blinders.
    #[serde(default)]
    pub unkeyed: Vec<MemberId>,
    /// What the copies are sealed from: with it every signer checks that all of them are of this one sheet.
    pub seed: B256,
    /// What each seat's copy is sealed to: the key that was in force when the sheet was made.
    pub sealed_to: Vec<B256>,
    /// Micro-USDC booked to contributors since the last cut.
    #[serde(with = "rochdale_core::money::decimal_string")]
    pub revenue: u128,
    /// Licenses that paid.
    pub licenses: Vec<LicenseId>,
    /// Datasets that were paid for.
    pub datasets: Vec<DatasetId>,
}

/// `POST /v1/settlement/copies` at a steward, by one that cannot open its own copy of a settled epoch's sheet, or lacks a
/// row key that was destroyed since. Answer: a sealed [`SheetCopy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyRequest {
    /// The settled epoch.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
}

/// What a settled epoch was computed from beside the chain, as a peer keeps it; only ever sealed. Who gets it believes it if the header on
/// chain comes out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetCopy {
    /// Scores that entered, with the sketches of the contents.
    pub entered: Vec<Entered>,
    /// Points of program awards, after their caps.
    pub grants: Vec<Grant>,
    /// How records were used.
    pub usage: Vec<(MemberId, Usage)>,
    /// Whose row key none of the signers held.
    pub unkeyed: Vec<MemberId>,
    /// What is left of members who erased everything since.
    pub stand_ins: Vec<(MemberId, StandIn)>,
}

/// One member's inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetLine {
    /// The member whom it is about.
    pub member_id: MemberId,
    /// Contributions that count now, in order.
    pub contributions: Vec<ContributionId>,
    /// Points of program awards, after their caps.
    #[serde(default, with = "rochdale_core::money::decimal_string")]
    pub program_points: u128,
    /// Scored records not erased.
    pub n: u64,
    /// Of those, in at least one anchored snapshot of the epoch.
    pub k: u64,
    /// Weight of use.
    #[serde(with = "rochdale_core::money::decimal_string")]
    pub w: u128,
    /// A membership exists.
    pub active: bool,
    /// Erased everything since the last cut.
    pub erased: bool,
}

/// Answer to [`SheetMessage`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SheetAnswer {
    /// The steward computed the same header.
    Signed(Countersignature),
    /// It did not; the lines that differ, sealed to the proposer.
    Differs {
        /// A list of sentences as JSON, sealed.
        #[schema(value_type = crate::shape::HexBytes)]
        sealed: Bytes,
    },
}

/// `POST /v1/settlement/proposals` at the gateway, by a steward: relay this proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeRequest {
    /// The header that the root stands in.
    #[schema(value_type = Object)]
    pub header: Header,
    /// A quorum's signatures, by seat ascending.
    pub signatures: Vec<Countersignature>,
}

/// `GET /v1/settlement` at a steward: where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettlementStatus {
    /// The last epoch of which this steward holds the settled rows.
    #[schema(value_type = u32)]
    pub settled: Epoch,
    /// The finalized block up to which contributions were looked at to be scored; 0 before the first round.
    #[serde(default)]
    pub scored_through: u64,
    /// Contributions without an agreed score, with the reason.
    #[schema(value_type = Vec<(u64, String)>)]
    pub deferred: Vec<(ContributionId, String)>,
    /// What the last attempt lacked, where it failed.
    pub waiting_for: Option<String>,
}

/// `POST /v1/settlement/demands` at the gateway: a member, or who was one, demands the path of its own row in the pending
/// tree, or the opening of its inputs. A root of which what was demanded is not published in time is void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DemandRequest {
    /// The member whose row it is.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// The pending epoch.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
    /// The attempt at settling the epoch, from 0.
    pub attempt: u32,
    /// What is demanded.
    #[serde(default)]
    #[schema(value_type = String)]
    pub kind: DemandKind,
    /// Seconds of block time.
    pub deadline: u64,
    /// EIP-712 over `Demand`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}

/// `POST /v1/settlement/contests` at the gateway: a member, or who was one, opens its row in the pending root; if the
/// formula gives another one, the root is void. What is opened is public for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestRequest {
    /// The member whose row it is.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// Seconds of block time.
    pub deadline: u64,
    /// EIP-712 over `Contest`.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
    /// The key that fits the digest of the admission; zeros for a member without one.
    #[schema(value_type = crate::shape::Hex32)]
    pub row_key: B256,
    /// The header of the pending root, which names epoch and attempt.
    #[schema(value_type = Object)]
    pub header: Header,
    /// The parameters that governed the epoch.
    #[schema(value_type = Object)]
    pub params: Params,
    /// The row in the root before.
    #[schema(value_type = Object)]
    pub old: OldRow,
    /// The inputs that the header commits to.
    #[schema(value_type = Object)]
    pub inputs: OpenedInputs,
    /// The proposed leaf.
    #[schema(value_type = Object)]
    pub leaf: NewLeaf,
}

/// `POST /v1/settlement/answers` at the gateway, by a steward: publish what was demanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    /// The pending epoch.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
    /// The attempt at settling the epoch, from 0.
    pub attempt: u32,
    /// Whose row or inputs.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// What is published.
    #[schema(value_type = Object)]
    pub answer: DemandAnswer,
}

/// What a demand is answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemandAnswer {
    /// The row as the tree shows it, with its path.
    Row(NewLeaf),
    /// What is behind the leaf of its inputs, with its path, and the header that names their tree.
    Inputs {
        /// The pending header.
        header: Box<Header>,
        /// What the row was computed from.
        opened: OpenedInputs,
    },
}

impl DemandAnswer {
    /// Which demand it answers.
    #[must_use]
    pub fn kind(&self) -> DemandKind {
        match self {
            Self::Row(_) => DemandKind::Row,
            Self::Inputs { .. } => DemandKind::Inputs,
        }
    }
}

/// `POST /v1/awards/held` at a steward, by another, sealed both ways: which awards of an epoch it holds. The answer is a list of
/// [`AwardMessage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwardsRequest {
    /// The epoch, from 1.
    pub epoch: Epoch,
}

/// `POST /v1/awards` at a steward takes a list of these, by an awarder or a steward. It is accepted up to the end of its
/// epoch, counts under the caps of its program, and stands in the sheets of that epoch alone, never on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AwardMessage {
    /// By which program.
    pub program: u32,
    /// The member who gets it.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// In which epoch it counts.
    #[schema(value_type = u32)]
    pub epoch: Epoch,
    /// How many; 10,000 are worth one perfect common record.
    #[serde(with = "rochdale_core::money::decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub points: u128,
    /// Tells two equal awards apart: awards are kept and counted once.
    #[schema(value_type = crate::shape::HexNumber)]
    pub nonce: U256,
    /// The awarder's EIP-712 signature over `Award` in the domain of Programs.
    #[schema(value_type = crate::shape::HexBytes)]
    pub signature: Bytes,
}
