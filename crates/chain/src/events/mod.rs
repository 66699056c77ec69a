//! What happened on chain, in the ids and units of the rules, and a follower that keeps a store in step with it.

mod decode;
mod follower;
mod houses;
mod memory;
mod read;

use alloy::primitives::{Address, B256};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, Purpose, StewardId};
use rochdale_core::ledger::{DemandKind, Header, NewLeaf, OpenedInputs, Params};
use rochdale_core::money::{DataWei, GovWei, MicroUsdc};
use rochdale_core::order::Debit;
use serde::{Deserialize, Serialize};

pub use decode::decode;
pub use follower::{FollowError, Follower, FollowerOptions, Progress, Store};
pub use memory::{MemoryError, MemoryStore};
pub use read::DecodeError;

pub use crate::seat::Seat;

use crate::client::BlockRef;
use crate::house::{Call, House, Support};

/// The terms of a license.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseTerms {
    /// What may be used.
    pub dataset: DatasetId,
    /// 1 = QUERY.
    pub right: u8,
    /// The purpose that was approved, a DUO permission.
    pub purpose: Purpose,
    /// Category of the European Health Data Space, 1 to 6 for a to f.
    pub ehds_category: u8,
    /// Records paid for.
    pub records: u32,
    /// Unix seconds.
    pub issued_at: u64,
    /// Unix seconds.
    pub expiry: u64,
    /// X25519 public key that answers are sealed to.
    pub recipient_key: B256,
}

/// One event of the contracts. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are documented where the contracts define the events")]
pub enum Event {
    /// A member was admitted.
    Joined { member: MemberId, account: Address, payout: Address, nullifier: B256, row_key_digest: B256 },
    /// A membership ended.
    Ended { member: MemberId },
    /// A member left; `Ended` follows.
    Left { member: MemberId },
    /// A member was expelled; `Ended` follows.
    Expelled { member: MemberId, reason_hash: B256 },
    /// A member, or who was one, is paid elsewhere from now on.
    PayoutSet { member: MemberId, payout: Address },
    /// Consent was given, as the version named.
    ConsentGranted { member: MemberId, version: u32, receipt_commitment: B256, expiry: u64 },
    /// Consent was withdrawn.
    ConsentRevoked { member: MemberId, version: u32 },
    /// A member had everything erased.
    Erased { member: MemberId },
    /// A contribution was recorded.
    ContributionRecorded { contribution: ContributionId, member: MemberId, commitment: B256, consent_version: u32 },
    /// A committee of stewards took office.
    Seated { generation: u32, seats: Vec<Seat>, quorum: u8 },
    /// A steward replaced its sealing key.
    SealingKeyRotated { steward: StewardId, sealing_key: B256 },
    /// A worker may receive shares.
    WorkerRegistered { signer: Address, sealing_key: B256 },
    /// A worker no longer may.
    WorkerRemoved { signer: Address },
    /// The gateway's account.
    GatewaySet { gateway: Address },
    /// A quorum of stewards charged an order; ids count from 1.
    Debited { id: u64, debit: Debit },
    /// A worker's receipt for the one answer to a booked order was anchored.
    ReceiptAnchored { id: u64, order: B256, result_digest: B256, worker: Address },
    /// A settlement was proposed; it is final at `final_at`.
    Proposed { epoch: Epoch, attempt: u32, root: B256, final_at: u64, header: Box<Header> },
    /// A steward froze the pending proposal until the member house decides.
    Objected { epoch: Epoch, attempt: u32, steward: Address },
    /// The member house let the proposal stand; it is final at `final_at`.
    ObjectionRejected { epoch: Epoch, attempt: u32, final_at: u64 },
    /// The pending proposal counts for nothing; the next one of its epoch has a higher attempt.
    Voided { epoch: Epoch, attempt: u32, reason: B256 },
    /// A member demands the path of its row in the pending tree, or the opening of its inputs.
    Demanded { epoch: Epoch, attempt: u32, member: MemberId, kind: DemandKind, answer_by: u64 },
    /// A demanded row was published.
    RowPublished { epoch: Epoch, attempt: u32, member: MemberId, leaf: Box<NewLeaf> },
    /// Demanded inputs were published; none where a number of them is beyond everything that the ledger knows.
    InputsPublished { epoch: Epoch, attempt: u32, member: MemberId, opened: Option<Box<OpenedInputs>> },
    /// The settlement is paused until a time; one that has passed ends a pause.
    SettlementPaused { until: u64 },
    /// Parameters that govern the epochs from `from_epoch` on.
    ParamsSet { from_epoch: Epoch, params_hash: B256, params: Box<Params> },
    /// A program was opened, changed or closed; caps in points.
    ProgramSet { program: u32, awarder: Address, kind: u8, cap_per_epoch: u128, cap_per_member: u128, open: bool },
    /// A member was paid.
    Claimed { member: MemberId, payout: Address, cash: MicroUsdc, data: DataWei, gov: GovWei },
    /// A payee of a batch could not be paid and stays owed.
    ClaimSkipped { member: MemberId },
    /// A dataset was published or changed.
    DatasetPublished { dataset: DatasetId, data_type: u8, source: u8, price_per_thousand: MicroUsdc, terms_hash: B256 },
    /// A dataset is no longer sold; what was licensed stays so.
    DatasetClosed { dataset: DatasetId },
    /// A license was issued.
    LicenseIssued { license: LicenseId, holder: Address, terms: LicenseTerms },
    /// A license ends later.
    LicenseExtended { license: LicenseId, expiry: u64 },
    /// A license ended for ever.
    LicenseRevoked { license: LicenseId },
    /// The ethics board approved a researcher for a purpose, by what it found out about the study.
    ResearcherApproved {
        researcher: Address,
        purpose: Purpose,
        until: u64,
        #[serde(default)]
        protocol: String,
    },
    /// A license's price was booked into the buckets.
    Booked {
        license: LicenseId,
        dataset: DatasetId,
        contributors: MicroUsdc,
        buyback: MicroUsdc,
        operations: MicroUsdc,
        compliance: MicroUsdc,
        reserve: MicroUsdc,
    },
    /// A license was sold for DATA, of which a part was burned.
    SoldForData { license: LicenseId, dataset: DatasetId, burned: DataWei, kept: DataWei },
    /// Somebody gave to the reserve.
    Donated { amount: MicroUsdc },
    /// A bucket paid, by the number that the Treasury gives it.
    Spent { bucket: u8, amount: MicroUsdc },
    /// A proposal was made to a house; votes are those of `opens_at`.
    ProposalCreated {
        house: House,
        proposal: B256,
        proposer: Address,
        calls: Vec<Call>,
        description: String,
        opens_at: u64,
        closes_at: u64,
    },
    /// The quorum was reached late, so voting ends later.
    ProposalExtended { house: House, proposal: B256, closes_at: u64 },
    /// A proposal waits in its timelock.
    ProposalQueued { house: House, proposal: B256, executable_at: u64 },
    /// A proposal was carried out.
    ProposalExecuted { house: House, proposal: B256 },
    /// A proposal was taken back, or thrown out of its timelock.
    ProposalCanceled { house: House, proposal: B256 },
    /// Somebody voted: heads in the member house, units in the token house.
    VoteCast { house: House, proposal: B256, voter: Address, support: Support, votes: u128 },
    /// What is queued from now on waits this long.
    TimelockDelaySet { house: House, seconds: u64 },
    /// The cooperative was constituted: what was put to the vote before lapses.
    Constituted { at: u64 },
    /// A house agreed to what both have to agree on.
    CharterApproved { house: House, operation: B256 },
    /// It took that back.
    CharterWithdrawn { house: House, operation: B256 },
    /// What both agreed on was done.
    CharterExecuted { operation: B256 },
    /// An account's own votes in the token house, wherever they are delegated.
    UnitsChanged { account: Address, units: u128 },
    /// An account votes through another in the token house, or through itself.
    Delegated { account: Address, to: Address },
    /// What an account casts in the token house.
    VotesChanged { account: Address, votes: u128 },
    /// A service that members buy for DATA was offered, changed or closed.
    ServiceSet { service: u32, price: DataWei, open: bool },
    /// The guardian paused a contract, Unix seconds.
    Paused { target: Address, until: u64 },
    /// A pause was ended before its time.
    Unpaused { target: Address, by: Address },
    /// Somebody else may pause from now on.
    GuardianSet { guardian: Address },
    /// A steward lost of its bond, in the bond's smallest unit.
    StewardSlashed { steward: Address, amount: u128 },
    /// A researcher lost of its bond, in the bond's smallest unit.
    ResearcherSlashed { researcher: Address, amount: u128 },
}

/// An event and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// Height of its block.
    pub block_number: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// Timestamp of its block, Unix seconds.
    pub timestamp: u64,
    /// Place among the logs of the block.
    pub log_index: u64,
    /// The hash of the transaction.
    pub transaction: B256,
    /// What the contract says that it did.
    pub event: Event,
}

impl Located {
    /// Whether it stands in this block.
    #[must_use]
    pub fn is_in(&self, block: &BlockRef) -> bool {
        self.block_number == block.number && self.block_hash == block.hash
    }
}
