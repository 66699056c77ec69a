//! What was done in the cooperative's name: the log that anybody may read.

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/log` at the gateway: a page of the log, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Log {
    /// What was done.
    pub entries: Vec<LogEntry>,
    /// What to ask for as `before` to read on; absent at the beginning of the log.
    pub earlier: Option<String>,
}

/// Something that was done; where it stands can be looked up on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// What it was.
    pub act: Act,
    /// Block time, Unix seconds.
    pub at: u64,
    /// Height of the block.
    pub block: u64,
    /// Transaction hash.
    #[schema(value_type = crate::shape::Hex32)]
    pub tx: B256,
    /// Whom or which contract it is about.
    #[schema(value_type = Option<crate::shape::HexAddress>)]
    pub who: Option<Address>,
    /// Which member, seat, generation, epoch, program, dataset, license, service or bucket it is about.
    pub number: Option<u64>,
    /// Which proposal, or which operation of the charter, it is about.
    #[schema(value_type = Option<crate::shape::Hex32>)]
    pub proposal: Option<B256>,
    /// Micro-USDC, or of a bond its token's smallest unit.
    #[schema(value_type = Option<crate::shape::Decimal>)]
    pub amount: Option<String>,
    /// Until when it holds, Unix seconds.
    pub until: Option<u64>,
}

/// Kinds of acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// The member house put a member out.
    MemberExpelled,
    /// A generation of stewards took its seats.
    CommitteeSeated,
    /// A steward changed the key that shares are sealed to.
    SealingKeyRotated,
    /// A worker may compute.
    WorkerRegistered,
    /// A worker may compute no more.
    WorkerRemoved,
    /// A gateway speaks for members.
    GatewaySet,
    /// A steward objected to an epoch's settlement.
    SettlementObjected,
    /// The objection was turned down.
    ObjectionRejected,
    /// An epoch's settlement was voided.
    SettlementVoided,
    /// The ledger's parameters change from an epoch on.
    RulesSet,
    /// A program of awards was set or closed.
    ProgramSet,
    /// A dataset was offered.
    DatasetPublished,
    /// A dataset is offered no more.
    DatasetClosed,
    /// A license was taken back.
    LicenseRevoked,
    /// The ethics board approved a researcher, or ended that.
    ResearcherApproved,
    /// A bucket of the treasury paid.
    Spent,
    /// A proposal was carried out.
    ProposalExecuted,
    /// A proposal was taken back or thrown out.
    ProposalCanceled,
    /// Decisions wait for another time than before.
    TimelockDelaySet,
    /// The cooperative was constituted.
    Constituted,
    /// A house agreed to what both have to agree on.
    CharterApproved,
    /// A house took that back.
    CharterWithdrawn,
    /// What both houses agreed on was done.
    CharterExecuted,
    /// A service was offered, changed or closed.
    ServiceSet,
    /// The guardian paused a contract.
    Paused,
    /// A pause was ended.
    Unpaused,
    /// Somebody else is the guardian.
    GuardianSet,
    /// A steward lost of its bond.
    StewardSlashed,
    /// A researcher lost of its bond.
    ResearcherSlashed,
}
