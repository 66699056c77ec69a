//! What the houses decide and who decides in them, as the chain tells it. Votes are heads in the member house and wei in
//! the token house (10^18 for one token earned), as decimal strings.

use alloy_primitives::{Address, B256, Bytes};
use rochdale_core::ids::MemberId;
use rochdale_core::money::decimal_string;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One of the two houses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HouseName {
    /// Votes by what members earned.
    Token,
    /// One vote for each member.
    Member,
}

/// Where a proposal stands, in its governor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProposalStatus {
    /// Voting has not begun.
    Pending,
    /// Voting.
    Active,
    /// Taken back.
    Canceled,
    /// Lost, or below the quorum.
    Defeated,
    /// Won; anyone may queue it.
    Succeeded,
    /// Waiting in the timelock.
    Queued,
    /// It lapsed: it was put to the vote before the cooperative was constituted.
    Expired,
    /// Done.
    Executed,
}

impl ProposalStatus {
    /// Whether it can still be voted on or done.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Active | Self::Succeeded | Self::Queued)
    }
}

/// How somebody votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BallotSupport {
    /// Against it.
    Against,
    /// For it.
    For,
    /// Neither, but it counts for the quorum.
    Abstain,
}

/// `GET /v1/proposals` at the gateway: a proposal in one house. The same number in both houses is two proposals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalView {
    /// Its number at the governor.
    #[schema(value_type = crate::shape::Hex32)]
    pub id: B256,
    /// The house that votes on it.
    pub house: HouseName,
    /// Who made it.
    #[schema(value_type = crate::shape::HexAddress)]
    pub proposer: Address,
    /// The proposer as a member, if it is or was one.
    #[schema(value_type = Option<u32>)]
    pub proposer_member: Option<MemberId>,
    /// The beginning of the first line of the description.
    pub title: String,
    /// Where it stands.
    pub status: ProposalStatus,
    /// When it was made, Unix seconds, as all times here.
    pub proposed_at: u64,
    /// The snapshot: who has votes then may vote afterwards.
    pub opens_at: u64,
    /// The last second of voting.
    pub closes_at: u64,
    /// Whether a quorum that was reached late moved that second.
    pub extended: bool,
    /// From when it may be executed: as queued, or before that, at the earliest by the timelock's delay.
    pub executable_at: u64,
    /// Votes for it.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub votes_for: u128,
    /// Votes against it.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub votes_against: u128,
    /// Abstentions, which count for the quorum.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub votes_abstain: u128,
    /// Votes for and abstentions that it needs; absent before voting opened.
    #[schema(value_type = Option<crate::shape::Decimal>)]
    pub quorum: Option<String>,
    /// Votes that could be cast as of the snapshot; absent before.
    #[schema(value_type = Option<crate::shape::Decimal>)]
    pub castable: Option<String>,
    /// How many accounts voted.
    pub ballots: u32,
    /// When it was queued.
    pub queued_at: Option<u64>,
    /// When the house did it; of what both houses have to agree on, when this house agreed.
    pub executed_at: Option<u64>,
    /// When it was taken back.
    pub canceled_at: Option<u64>,
    /// Where all that it does is to agree to what both houses have to agree on, how far that is; absent elsewhere.
    pub charter: Option<CharterView>,
}

/// How far what both houses have to agree on is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CharterView {
    /// Hash of its calls.
    #[schema(value_type = crate::shape::Hex32)]
    pub operation: B256,
    /// The houses that agree to it now.
    pub approved_by: Vec<HouseName>,
    /// When it was done.
    pub executed_at: Option<u64>,
    /// The last second in which it can be done, once a house agrees and as long as it was not done.
    pub lapses_at: Option<u64>,
}

/// `GET /v1/proposals/{id}` at the gateway: a proposal with what it would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalDetail {
    /// The proposal.
    #[serde(flatten)]
    pub proposal: ProposalView,
    /// Where it is voted on.
    #[schema(value_type = crate::shape::HexAddress)]
    pub governor: Address,
    /// Why, in the proposer's words, without the line that carries the charter's calls.
    pub description: String,
    /// keccak256 of the whole description, by which the governor knows it.
    #[schema(value_type = crate::shape::Hex32)]
    pub description_hash: B256,
    /// What it would do, in order.
    pub calls: Vec<CallView>,
    /// What the charter would do once both houses approve, where it approves that and its description carries it.
    pub charter_calls: Vec<CallView>,
}

/// A call in plain words, as of when the gateway first saw the proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallView {
    /// The contract's name, or its address where it is none of the cooperative's.
    pub contract: String,
    /// The address that is called.
    #[schema(value_type = crate::shape::HexAddress)]
    pub target: Address,
    /// The function's signature, or its selector where it is not known.
    pub function: String,
    /// What it does.
    pub words: String,
    /// Each value that it sets.
    pub changes: Vec<ChangeView>,
    /// What should make a voter hesitate.
    pub warnings: Vec<String>,
    /// Wei sent along, in decimal digits.
    pub value: String,
    /// Selector and arguments.
    #[schema(value_type = crate::shape::HexBytes)]
    pub data: Bytes,
}

/// A value that a call sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangeView {
    /// The argument.
    pub what: String,
    /// As it was, where the contract tells.
    pub old: Option<String>,
    /// As it would be.
    pub new: String,
}

/// `GET /v1/members/{id}/votes` at the gateway: what a member votes with, and how it voted. All of it is public on chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberVotes {
    /// The member whom it is about.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// Its account.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// A membership exists.
    pub active: bool,
    /// From when it may vote, Unix seconds.
    pub seasoned_at: u64,
    /// Block time of this answer, Unix seconds.
    pub now: u64,
    /// Its vote in the member house now: 1 or 0.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub member_votes: u128,
    /// Its own votes in the token house, wherever they are delegated, wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub held: u128,
    /// What it casts in the token house now, wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub token_votes: u128,
    /// Through whom it votes in the token house; itself where it named nobody.
    #[schema(value_type = crate::shape::HexAddress)]
    pub delegate: Address,
    /// The delegate as a member.
    #[schema(value_type = Option<u32>)]
    pub delegate_member: Option<MemberId>,
    /// How many others vote through it.
    pub delegators: u32,
    /// GOV that its account holds, wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub gov_balance: u128,
    /// Of that, what it may lock: earned by itself, and not locked yet; wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub lockable: u128,
    /// GOV that it locked, in the token's order: by its place there a lock is ended.
    pub locks: Vec<LockView>,
    /// Proposals that are voted on now, and what it can cast on each, or has cast.
    pub on: Vec<OpenVote>,
    /// Its votes, newest first, at most 200.
    pub ballots: Vec<BallotView>,
}

/// What an account can cast on a proposal that is voted on: the votes that it had at the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenVote {
    /// In which house.
    pub house: HouseName,
    /// On which proposal.
    #[schema(value_type = crate::shape::Hex32)]
    pub proposal: B256,
    /// With how many votes; 0 where it cannot vote on this one.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub votes: u128,
    /// How it voted, if it did.
    pub support: Option<BallotSupport>,
}

/// `GET /v1/services` at the gateway: what members can buy for DATA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceView {
    /// The service, by its number.
    pub service: u32,
    /// Wei of DATA.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub price: u128,
    /// Whether it is sold.
    pub open: bool,
}

/// `GET /v1/members/{id}/rewards` at the gateway: tokens that lie at a member's addresses. What is earned and not claimed yet stands in
/// its row at the stewards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberRewards {
    /// The member whom it is about.
    #[schema(value_type = u32)]
    pub member_id: MemberId,
    /// Its account.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// Where claims are paid.
    #[schema(value_type = crate::shape::HexAddress)]
    pub payout: Address,
    /// DATA of the payout address, wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub data: u128,
    /// DATA of the account, wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub data_of_account: u128,
    /// GOV of the account, wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub gov: u128,
    /// Whether DATA moves only between members and listed addresses.
    pub transfers_restricted: bool,
}

/// Locked GOV.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LockView {
    /// Wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub amount: u128,
    /// 0 to 4, for 3, 6, 12, 24 and 48 months.
    pub tier: u8,
    /// Unix seconds.
    pub unlock_at: u64,
}

/// A vote that was cast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BallotView {
    /// In which house.
    pub house: HouseName,
    /// On which proposal.
    #[schema(value_type = crate::shape::Hex32)]
    pub proposal: B256,
    /// How.
    pub support: BallotSupport,
    /// With how many votes.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub votes: u128,
    /// When, Unix seconds.
    pub at: u64,
}

/// `GET /v1/delegates` at the gateway: who casts votes in the token house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DelegateView {
    /// The account.
    #[schema(value_type = crate::shape::HexAddress)]
    pub account: Address,
    /// The account as a member.
    #[schema(value_type = Option<u32>)]
    pub member_id: Option<MemberId>,
    /// What it casts, wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub votes: u128,
    /// Of all that can be cast, in basis points, rounded down.
    pub share_bps: u32,
    /// How many others vote through it.
    pub delegators: u32,
}

/// `GET /v1/constitution` at the gateway: by which rules the houses decide, whether they do yet, and what is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConstitutionView {
    /// When the cooperative was constituted, Unix seconds; absent before.
    pub constituted_at: Option<u64>,
    /// How many members must have a vote for that.
    pub min_members: u32,
    /// How many have, as the contract counts them: who left counts as one who had.
    pub seasoned_members: u64,
    /// How long ago the first member must have joined, in seconds.
    pub min_age: u64,
    /// When it joined, Unix seconds.
    pub first_joined_at: Option<u64>,
    /// The rules of each house.
    pub houses: Vec<HouseRules>,
    /// Who may pause for a week.
    #[schema(value_type = crate::shape::HexAddress)]
    pub guardian: Address,
    /// What is paused.
    pub pauses: Vec<PauseView>,
}

/// How a house decides; times in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HouseRules {
    /// The house.
    pub house: HouseName,
    /// How long a proposal waits before it is voted on.
    pub voting_delay: u64,
    /// How long it is voted on.
    pub voting_period: u64,
    /// How long others may still answer a quorum that is reached late.
    pub late_quorum_extension: u64,
    /// How long a decision waits.
    pub timelock_delay: u64,
    /// The part of all votes that a quorum is, in basis points.
    pub quorum_bps: u32,
    /// The votes that it is at least.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub quorum_floor: u128,
    /// The votes that it takes to propose.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub proposal_threshold: u128,
}

/// A contract that is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PauseView {
    /// By its name.
    pub contract: String,
    /// Until when, Unix seconds.
    pub until: u64,
}

/// `GET /v1/operations` at the gateway: what it pays gas from, and what waits for it. Both are public: the account's balance on chain,
/// contributions by their senders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Operations {
    /// The account that pays.
    #[schema(value_type = crate::shape::HexAddress)]
    pub gas_account: Address,
    /// What it has, wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub gas_balance: u128,
    /// What a unit of gas costs now, wei.
    #[serde(with = "decimal_string")]
    #[schema(value_type = crate::shape::Decimal)]
    pub gas_price: u128,
    /// Gas that members' requests and claims cost in the last day.
    pub gas_of_the_day: u64,
    /// What they may cost in a day; what the house does itself is not counted.
    pub gas_per_day: u64,
    /// Signed contributions that wait to be recorded.
    pub queued_contributions: u64,
}
