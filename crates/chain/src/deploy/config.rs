//! What a cooperative is founded with.

use alloy::primitives::{Address, B256, keccak256};
use rochdale_core::ids::DatasetId;
use rochdale_core::ledger::Params;
use rochdale_core::money::{MicroUsdc, decimal_string};
use serde::{Deserialize, Serialize};

use crate::client::LOCAL_CHAIN_ID;
use crate::events::Seat;

/// The license terms whose hash the default datasets name.
pub const LICENSE_TERMS: &str = include_str!("terms.en.txt");

/// Everything that a deployment needs to know. Absent tables and keys take the defaults of the ledger's page;
/// only `actors` has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoopConfig {
    /// The chain to deploy on: the local one (31337) if absent.
    #[serde(default = "local_chain")]
    pub chain_id: u64,
    /// The stablecoin. On the local chain a test token is deployed where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usdc: Option<Address>,
    /// Start of epoch 1 in Unix seconds; the timestamp of the latest block if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genesis: Option<u64>,
    /// When settlements are proposed and become final.
    #[serde(default)]
    pub settlement: SettlementTimes,
    /// Limits of members.
    #[serde(default)]
    pub membership: MembershipLimits,
    /// How a license's price is split.
    #[serde(default)]
    pub split: SplitBps,
    /// How both houses decide.
    #[serde(default)]
    pub governance: GovernanceConfig,
    /// What stewards pledge.
    #[serde(default)]
    pub bonds: Bonds,
    /// What is paid to those who serve, what is asked of researchers, how DATA is bought back.
    #[serde(default)]
    pub desks: DesksConfig,
    /// DATA that exists from the beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocation: Vec<Allocation>,
    /// DATA that exists from the beginning and is released over time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vesting: Vec<VestingSchedule>,
    /// What the charter lets a year award.
    #[serde(default)]
    pub emission: EmissionConfig,
    /// The ledger's governed parameters.
    #[serde(default)]
    pub ledger: Params,
    /// What is on offer.
    #[serde(default = "default_datasets")]
    pub datasets: Vec<DatasetConfig>,
    /// Who serves the cooperative.
    pub actors: Actors,
}

/// Times of a settlement, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettlementTimes {
    /// From the end of an epoch to its first attempt.
    pub lag: u32,
    /// Length of an attempt, after which the next steward may propose.
    pub attempt_length: u32,
    /// Objection window: from proposal to final.
    pub window: u32,
}

impl Default for SettlementTimes {
    fn default() -> Self {
        Self { lag: 3_600, attempt_length: 21_600, window: 86_400 }
    }
}

/// Limits of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MembershipLimits {
    /// Admissions in one epoch.
    pub admissions_per_epoch: u32,
    /// Seconds between two contributions of one member.
    pub cooldown: u32,
    /// Points that all open programs may award in one epoch, as a string of digits.
    #[serde(with = "decimal_string")]
    pub max_program_points: u128,
}

impl Default for MembershipLimits {
    fn default() -> Self {
        Self { admissions_per_epoch: 10_000, cooldown: 604_800, max_program_points: 10_000_000_000 }
    }
}

/// What the charter lets a year award: between so many basis points of the base and of what was awarded since.
/// A base of 0 bounds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmissionConfig {
    /// Wei of DATA, as a string of digits.
    #[serde(with = "decimal_string")]
    pub data_base: u128,
    /// Wei of GOV, as a string of digits.
    #[serde(with = "decimal_string")]
    pub gov_base: u128,
    /// Least DATA of a year, basis points.
    pub data_min_bps: u16,
    /// Most DATA of a year, basis points.
    pub data_max_bps: u16,
    /// Least GOV of a year, basis points.
    pub gov_min_bps: u16,
    /// Most GOV of a year, basis points.
    pub gov_max_bps: u16,
}

impl Default for EmissionConfig {
    fn default() -> Self {
        // With the default caps a year awards at most 52 million DATA, a tenth of the base, and 5.2 million GOV, 4.2 %.
        Self {
            data_base: 500_000_000 * WHOLE,
            gov_base: 125_000_000 * WHOLE,
            data_min_bps: 800,
            data_max_bps: 1_500,
            gov_min_bps: 300,
            gov_max_bps: 500,
        }
    }
}

/// Wei of one whole token.
pub(super) const WHOLE: u128 = 1_000_000_000_000_000_000;

/// How a license's price is split, in basis points; what is left is the contributors'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitBps {
    /// Part of the contributors' part that buys back DATA.
    pub buyback: u16,
    /// To operations.
    pub operations: u16,
    /// To compliance.
    pub compliance: u16,
    /// To the reserve.
    pub reserve: u16,
}

impl Default for SplitBps {
    fn default() -> Self {
        Self { buyback: 0, operations: 1_500, compliance: 500, reserve: 500 }
    }
}

/// How both houses decide. Times in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GovernanceConfig {
    /// How long a decision waits in its timelock.
    pub delay: u64,
    /// The token house, whose votes are units of GOV: the square root of the GOV earned, with 18 decimals.
    pub token: HouseConfig,
    /// The member house: one vote for each member.
    pub member: HouseConfig,
    /// How many members must have a vote before the houses decide about money and the charter.
    pub min_members: u32,
    /// How long ago the first member must have joined before they do.
    pub min_age: u32,
}

impl Default for GovernanceConfig {
    fn default() -> Self {
        let house = HouseConfig {
            voting_delay: 86_400,
            voting_period: 5 * 86_400,
            late_quorum_extension: 2 * 86_400,
            proposal_threshold: 1,
            quorum_bps: 1_000,
            quorum_floor: 10,
        };
        // √1 GOV, with 18 decimals like GOV itself, is what a member with one whole GOV earned has.
        let token = HouseConfig { proposal_threshold: WHOLE, quorum_bps: 400, quorum_floor: 10 * WHOLE, ..house };
        Self { delay: 2 * 86_400, token, member: house, min_members: 100, min_age: 90 * 86_400 }
    }
}

/// How one house decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseConfig {
    /// Seconds from a proposal to its vote: 1 hour to 30 days.
    pub voting_delay: u64,
    /// Seconds that the vote is open: 1 to 60 days.
    pub voting_period: u32,
    /// Seconds that a vote stays open after a late quorum.
    pub late_quorum_extension: u64,
    /// Votes that a proposer needs, as a string of digits.
    #[serde(with = "decimal_string")]
    pub proposal_threshold: u128,
    /// Part of all votes that must be for or abstain, at most 5,000.
    pub quorum_bps: u16,
    /// Votes that must be for or abstain, whatever the part is, as a string of digits.
    #[serde(with = "decimal_string")]
    pub quorum_floor: u128,
}

/// What stewards pledge, micro-USDC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bonds {
    /// A seat counts from this bond on.
    pub min_bond: MicroUsdc,
    /// What an objection to a settlement puts at risk.
    pub objection_bond: MicroUsdc,
}

impl Default for Bonds {
    fn default() -> Self {
        Self { min_bond: MicroUsdc(5_000_000_000), objection_bond: MicroUsdc(1_000_000_000) }
    }
}

/// What is paid to those who serve, what is asked of researchers, how DATA is bought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DesksConfig {
    /// The least part of a price that stays the contributors', basis points; the houses change the split above it.
    pub min_contributors_bps: u16,
    /// Seconds that a metered job has.
    pub compute_timeout: u32,
    /// Seconds in which a reserved license can be cancelled.
    pub refund_window: u32,
    /// Least bond of a researcher where one is asked for, micro-USDC.
    pub researcher_bond: MicroUsdc,
    /// For each steward that signed a final epoch, micro-USDC.
    pub steward_per_epoch: MicroUsdc,
    /// For each receipt that a worker anchored, micro-USDC.
    pub worker_per_receipt: MicroUsdc,
    /// A lot of the buyback, micro-USDC; 0 buys nothing back.
    pub buyback_lot: MicroUsdc,
    /// Wei of DATA that a lot asks for at first, as a string of digits.
    #[serde(with = "decimal_string")]
    pub buyback_start: u128,
    /// Wei of DATA that it comes down to.
    #[serde(with = "decimal_string")]
    pub buyback_floor: u128,
    /// Seconds of the way down.
    pub buyback_duration: u32,
}

impl Default for DesksConfig {
    fn default() -> Self {
        Self {
            min_contributors_bps: 5_000,
            compute_timeout: 7 * 86_400,
            refund_window: 3 * 86_400,
            researcher_bond: MicroUsdc(1_000_000_000),
            steward_per_epoch: MicroUsdc(10_000_000),
            worker_per_receipt: MicroUsdc(100_000),
            buyback_lot: MicroUsdc(0),
            buyback_start: 0,
            buyback_floor: 0,
            buyback_duration: 0,
        }
    }
}

/// DATA that exists from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// The account that gets it.
    pub to: Address,
    /// Wei, as a string of digits.
    #[serde(with = "decimal_string")]
    pub amount: u128,
}

/// DATA that is released over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VestingSchedule {
    /// The account that it vests for.
    pub beneficiary: Address,
    /// Wei, as a string of digits.
    #[serde(with = "decimal_string")]
    pub amount: u128,
    /// Unix seconds.
    pub start: u64,
    /// Seconds from the start before which nothing is released.
    pub cliff: u32,
    /// Seconds from the start to the end.
    pub duration: u32,
    /// Whether the token house may end it.
    #[serde(default)]
    pub revocable: bool,
}

/// What a dataset holds; never a disease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataType {
    /// Electronic health records.
    Ehr = 1,
    /// Laboratory results.
    Labs = 2,
    /// Wearables.
    Wearable = 3,
    /// Summaries of genomes.
    GenomicSummary = 4,
}

impl DataType {
    /// That of a number on chain.
    pub(super) fn of(number: u8) -> Option<Self> {
        [Self::Ehr, Self::Labs, Self::Wearable, Self::GenomicSummary].into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A dataset on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetConfig {
    /// Its id, from 1.
    pub id: DatasetId,
    /// What it holds.
    pub data_type: DataType,
    /// Where it comes from, as the cooperative numbers its sources.
    pub source: u8,
    /// Price per 1,000 records and each started month of 30 days, micro-USDC as a string of digits.
    pub price_per_thousand: MicroUsdc,
    /// Hash of the license terms.
    pub terms_hash: B256,
    /// Whether it is sold by auction alone, not at that price.
    #[serde(default)]
    pub auctioned: bool,
}

/// The accounts and public keys of those who serve the cooperative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actors {
    /// Signs admissions.
    pub registrar: Address,
    /// Relays transactions and forwards requests.
    pub gateway: Address,
    /// Signs approvals of researchers: a person's account, or a contract such as a Safe.
    pub ethics_board: Address,
    /// May pause for a week: a Safe of several people.
    pub guardian: Address,
    /// Stewards in the order of their ids, from 1.
    pub stewards: Vec<Seat>,
    /// How many stewards bind the committee: more than half.
    pub quorum: u8,
    /// Workers.
    pub workers: Vec<Seat>,
}

impl CoopConfig {
    /// Defaults for these actors.
    #[must_use]
    pub fn new(actors: Actors) -> Self {
        Self {
            chain_id: LOCAL_CHAIN_ID,
            usdc: None,
            genesis: None,
            settlement: SettlementTimes::default(),
            membership: MembershipLimits::default(),
            split: SplitBps::default(),
            governance: GovernanceConfig::default(),
            bonds: Bonds::default(),
            desks: DesksConfig::default(),
            allocation: Vec::new(),
            vesting: Vec::new(),
            emission: EmissionConfig::default(),
            ledger: Params::default(),
            datasets: default_datasets(),
            actors,
        }
    }

    /// Defaults with the mixing threshold at one license and one dataset, so that a demonstration with few of them
    /// sees money flow, and houses in which three members decide after a month. It gives up what the thresholds protect.
    #[must_use]
    pub fn demo(actors: Actors) -> Self {
        let mut config = Self::new(actors);
        config.ledger.min_licenses = 1;
        config.ledger.min_datasets = 1;
        config.governance.token.quorum_floor = 3 * WHOLE;
        config.governance.member.quorum_floor = 3;
        config.governance.min_members = 3;
        config.governance.min_age = 30 * 86_400;
        config
    }
}

/// A configuration that cannot be deployed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{key} must {must}")]
pub struct ConfigError {
    /// The key at fault.
    pub key: &'static str,
    /// What it must do or be.
    pub must: String,
}

fn local_chain() -> u64 {
    LOCAL_CHAIN_ID
}

/// Health records at 250 USDC and laboratory results at 100 USDC for 1,000 records and a month.
fn default_datasets() -> Vec<DatasetConfig> {
    let terms_hash = keccak256(LICENSE_TERMS);
    vec![
        DatasetConfig {
            id: DatasetId(1),
            data_type: DataType::Ehr,
            source: 1,
            price_per_thousand: MicroUsdc(250_000_000),
            terms_hash,
            auctioned: false,
        },
        DatasetConfig {
            id: DatasetId(2),
            data_type: DataType::Labs,
            source: 1,
            price_per_thousand: MicroUsdc(100_000_000),
            terms_hash,
            auctioned: false,
        },
    ]
}
