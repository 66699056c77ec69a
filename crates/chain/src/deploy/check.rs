//! What a configuration must hold to be founded, by the names of its file.

use std::ops::RangeInclusive;

use alloy::primitives::U256;

use super::{ConfigError, CoopConfig, DatasetConfig, HouseConfig};
use crate::client::LOCAL_CHAIN_ID;

impl CoopConfig {
    /// Checks what the factory would refuse, by the names of this file: `contracts/src/factory/FoundingCheck.sol` asks the
    /// same, and `vectors/founding.json` holds the two to each other.
    ///
    /// # Errors
    /// The key at fault and what it must be.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_actors()?;
        if self.usdc.is_none() && self.chain_id != LOCAL_CHAIN_ID {
            return fault("usdc", "name the stablecoin: the test token is for the local chain alone");
        }
        if let Some(genesis) = self.genesis.filter(|genesis| *genesis < LEAST_TIME) {
            return fault("genesis", format!("be a time in Unix seconds, not {genesis}"));
        }
        let bounds = [self.settlement_bounds(), self.governance_bounds(), self.desk_bounds()].concat();
        bounds.iter().try_for_each(Bound::check)?;
        if self.ledger.gov_per_point == 0 {
            return fault("ledger.gov_per_point", "be above 0: without GOV there is never a token house");
        }
        if let Err(bad) = self.ledger.validate() {
            return fault("ledger", format!("hold what SettlementLedger accepts: {bad}"));
        }
        self.check_money()
    }

    /// The first epoch may have begun, but not ended: the attempts at a root are counted from an epoch's end, by 16 bits.
    pub(super) fn check_genesis(&self, genesis: u64, now: u64) -> Result<(), ConfigError> {
        let (now, genesis) = (u128::from(now), u128::from(genesis));
        let least = (now + 1).saturating_sub(u128::from(self.ledger.epoch_length));
        Bound::of("genesis", genesis, least..=now + YEAR).check()
    }

    fn check_actors(&self) -> Result<(), ConfigError> {
        let seats = self.actors.stewards.len();
        let quorum = usize::from(self.actors.quorum);
        if !SEATS.contains(&seats) {
            let (least, most) = (SEATS.start(), SEATS.end());
            return fault("actors.stewards", format!("name {least} to {most} stewards, not {seats}"));
        }
        if quorum * 2 <= seats || quorum > seats {
            return fault("actors.quorum", format!("be more than half of the {seats} stewards and not above them"));
        }
        Ok(())
    }

    /// A root that nobody disputes is final before the next epoch ends; who may object has at least what that locks.
    fn settlement_bounds(&self) -> Vec<Bound> {
        let (times, epoch) = (self.settlement, u128::from(self.ledger.epoch_length));
        let before = u128::from(times.lag) + u128::from(times.attempt_length);
        vec![
            Bound::of("ledger.epoch_length", epoch, EPOCHS),
            Bound::of("settlement.lag", times.lag, 0..=epoch),
            Bound::of("settlement.attempt_length", times.attempt_length, LEAST_ATTEMPT..=epoch),
            Bound::of("settlement.window", times.window, LEAST_WINDOW..=epoch.saturating_sub(before).min(MOST_WINDOW)),
            Bound::of("bonds.min_bond", self.bonds.min_bond.0, LEAST_BOND..=MOST_AMOUNT),
            Bound::of("bonds.objection_bond", self.bonds.objection_bond.0, LEAST_BOND..=self.bonds.min_bond.0),
            Bound::of("membership.admissions_per_epoch", self.membership.admissions_per_epoch, 1..=u32::MAX.into()),
            Bound::of("membership.cooldown", self.membership.cooldown, LEAST_COOLDOWN..=YEAR),
            Bound::of("membership.max_program_points", self.membership.max_program_points, 0..=MOST_POINTS),
        ]
    }

    /// A house can decide an objection in time, and a cooperative that is not constituted yet asks for no smaller quorum
    /// than it will when it is.
    fn governance_bounds(&self) -> Vec<Bound> {
        let g = &self.governance;
        let (members, epoch) = (u128::from(g.min_members), u128::from(self.ledger.epoch_length.max(1)));
        let part = (members * u128::from(g.member.quorum_bps)).div_ceil(10_000);
        let mut bounds = vec![Bound::of("governance.delay", g.delay, LEAST_DELAY..=MOST_DECISION)];
        let (delay, most) = ((g.delay).into(), MOST_DECISION);
        bounds.extend(g.token.bounds(HOUSE_KEYS[0], delay, most));
        bounds.extend(g.member.bounds(HOUSE_KEYS[1], delay, most));
        bounds.extend([
            Bound::of("governance.min_members", members, 1..=(1 << rochdale_core::ledger::DEPTH) - 1),
            Bound::of("governance.min_age", g.min_age, 0..=YEAR),
            Bound::of("governance.member.quorum_floor", g.member.quorum_floor, part.max(1)..=members),
            Bound::of("governance.token.quorum_floor", g.token.quorum_floor, 1..=self.reachable_units(members, epoch)),
            // A member has one vote.
            Bound::of("governance.member.proposal_threshold", g.member.proposal_threshold, 1..=1),
            Bound::of("governance.token.proposal_threshold", g.token.proposal_threshold, 1..=g.token.quorum_floor),
        ]);
        bounds
    }

    /// Units of a cooperative's least members where they share alike what a year awards in GOV at the most: units are roots
    /// of what each earned.
    fn reachable_units(&self, members: u128, epoch: u128) -> u128 {
        let year = U256::from(self.ledger.gov_cap) * U256::from(YEAR / epoch);
        (U256::from(members) * year * U256::from(ONE_TOKEN)).root(2).saturating_to()
    }

    fn desk_bounds(&self) -> Vec<Bound> {
        let desks = &self.desks;
        let mut bounds = vec![
            Bound::of("desks.researcher_bond", desks.researcher_bond.0, 1..=MOST_AMOUNT),
            Bound::of("desks.refund_window", desks.refund_window, 0..=MOST_DESK_TIME),
            Bound::of("desks.compute_timeout", desks.compute_timeout, LEAST_TIMEOUT..=MOST_DESK_TIME),
            Bound::of("desks.steward_per_epoch", desks.steward_per_epoch.0, 0..=MOST_AMOUNT),
            Bound::of("desks.worker_per_receipt", desks.worker_per_receipt.0, 0..=MOST_AMOUNT),
            Bound::of("split.buyback", self.split.buyback, 0..=10_000),
            Bound::of("split.operations", self.split.operations, 0..=10_000),
            Bound::of("split.compliance", self.split.compliance, 0..=10_000),
            Bound::of("split.reserve", self.split.reserve, 0..=10_000),
        ];
        if desks.buyback_lot.0 != 0 {
            bounds.extend([
                Bound::of("desks.buyback_lot", desks.buyback_lot.0, 0..=MOST_AMOUNT),
                Bound::of("desks.buyback_floor", desks.buyback_floor, 1..=desks.buyback_start),
                Bound::of("desks.buyback_duration", desks.buyback_duration, 1..=YEAR),
            ]);
        }
        let price =
            |set: &DatasetConfig| Bound::of("datasets.price_per_thousand", set.price_per_thousand.0, 1..=MOST_AMOUNT);
        bounds.extend(self.datasets.iter().map(price));
        bounds
    }

    fn check_money(&self) -> Result<(), ConfigError> {
        let split = self.split;
        let others = u32::from(split.operations) + u32::from(split.compliance) + u32::from(split.reserve);
        if others > 10_000 {
            return fault("split", "sum to at most 10000 basis points");
        }
        let part = (10_000 - others) * (10_000 - u32::from(split.buyback)) / 10_000;
        if u32::from(self.desks.min_contributors_bps) > part {
            let must = format!("be at most {part}, what the split leaves to contributors in cash");
            return fault("desks.min_contributors_bps", must);
        }
        if self.datasets.is_empty() {
            return fault("datasets", "name at least one dataset");
        }
        for (place, set) in self.datasets.iter().enumerate() {
            if set.id.0 == 0 || self.datasets[..place].iter().any(|other| other.id == set.id) {
                return fault("datasets.id", "be above 0, and another for each dataset");
            }
            if set.terms_hash.is_zero() {
                return fault("datasets.terms_hash", "be the hash of license terms");
            }
        }
        for schedule in &self.vesting {
            if schedule.amount == 0 || schedule.duration == 0 || schedule.cliff > schedule.duration {
                return fault("vesting", "have an amount, a duration, and a cliff within it");
            }
        }
        let scheduled = self.vesting.iter().fold(0u128, |sum, schedule| sum.saturating_add(schedule.amount));
        if scheduled >= 1 << 96 {
            return fault("vesting", "promise less than 2^96 wei in all");
        }
        Ok(())
    }
}

impl HouseConfig {
    /// From a proposal to its execution, with a late quorum, there is time to decide an objection.
    fn bounds(&self, keys: [&'static str; 4], delay: u128, most: u128) -> [Bound; 5] {
        let [voting_delay, voting_period, late_quorum_extension, quorum_bps] = keys;
        let (opens, late) = (u128::from(self.voting_delay), u128::from(self.late_quorum_extension));
        let period = u128::from(self.voting_period);
        [
            Bound::of(voting_delay, opens, LEAST_DELAY..=most),
            Bound::of(voting_period, period, LEAST_PERIOD..=most),
            Bound::of(late_quorum_extension, late, 0..=period),
            Bound::of(voting_period, period, LEAST_PERIOD..=most.saturating_sub(delay + opens + late)),
            Bound::of(quorum_bps, self.quorum_bps, QUORUM_BPS),
        ]
    }
}

/// The keys of each house whose bounds are alike.
const HOUSE_KEYS: [[&str; 4]; 2] = [
    [
        "governance.token.voting_delay",
        "governance.token.voting_period",
        "governance.token.late_quorum_extension",
        "governance.token.quorum_bps",
    ],
    [
        "governance.member.voting_delay",
        "governance.member.voting_period",
        "governance.member.late_quorum_extension",
        "governance.member.quorum_bps",
    ],
];

/// Wei of a token.
const ONE_TOKEN: u128 = 1_000_000_000_000_000_000;

const HOUR: u128 = 3_600;
const DAY: u128 = 24 * HOUR;
const YEAR: u128 = 365 * DAY;

/// How long epochs may be, and the least that an attempt, a window and a member's wait between two records take.
const EPOCHS: RangeInclusive<u128> = DAY..=90 * DAY;
const LEAST_ATTEMPT: u128 = 600;
const LEAST_WINDOW: u128 = DAY;
const LEAST_COOLDOWN: u128 = DAY;

/// What a house asks for at least: seconds, and basis points of its votes.
const LEAST_DELAY: u128 = HOUR;
const LEAST_PERIOD: u128 = DAY;
const QUORUM_BPS: RangeInclusive<u128> = 100..=5_000;

/// How long a desk may hold a buyer's money.
const LEAST_TIMEOUT: u128 = 2 * DAY;
const MOST_DESK_TIME: u128 = 30 * DAY;

/// An objection lapses when nobody has decided it for as long.
const MOST_DECISION: u128 = 14 * DAY;

/// The least bond and the most that anything costs or pays, micro-USDC: one dollar, a million.
const LEAST_BOND: u128 = 1_000_000;
const MOST_AMOUNT: u128 = 1_000_000_000_000;

/// The longest window: with a decision on an objection it ends before a bond can leave.
const MOST_WINDOW: u128 = 12 * DAY;
/// Points that all programs may award in an epoch.
const MOST_POINTS: u128 = 1_000_000_000_000;

/// What a number must lie between.
#[derive(Clone, Debug)]
struct Bound {
    key: &'static str,
    value: u128,
    range: RangeInclusive<u128>,
}

impl Bound {
    fn of(key: &'static str, value: impl Into<u128>, range: RangeInclusive<u128>) -> Self {
        Self { key, value: value.into(), range }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.range.contains(&self.value) {
            return Ok(());
        }
        let (least, most) = (self.range.start(), self.range.end());
        if least > most {
            return fault(self.key, format!("be at least {least}, and other settings leave it {most} at most"));
        }
        fault(self.key, format!("be {least} to {most}, not {}", self.value))
    }
}

fn fault<T>(key: &'static str, must: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError { key, must: must.into() })
}

/// The year 2001: what is before is no time of today's chains.
const LEAST_TIME: u64 = 1_000_000_000;

/// How many seats the committee has: two stewards score a record, and a third where they differ.
const SEATS: RangeInclusive<usize> = 3..=32;

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256};
    use rochdale_core::money::MicroUsdc;
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;
    use crate::deploy::{Actors, DataType};
    use crate::events::Seat;

    fn config() -> CoopConfig {
        let seat = |n: u8| Seat { signer: Address::repeat_byte(n), sealing_key: B256::repeat_byte(n) };
        CoopConfig::new(Actors {
            registrar: Address::repeat_byte(1),
            gateway: Address::repeat_byte(2),
            ethics_board: Address::repeat_byte(3),
            guardian: Address::repeat_byte(4),
            stewards: (10..13).map(seat).collect(),
            quorum: 2,
            workers: vec![seat(20)],
        })
    }

    /// The same configuration with another value at a dotted key, whatever kind of JSON it is.
    fn with(key: &str, value: &str) -> CoopConfig {
        let mut json = serde_json::to_value(config()).unwrap();
        let mut place = &mut json;
        for part in key.split('.') {
            place = place.as_object_mut().unwrap().entry(part).or_insert(Value::from(0));
        }
        *place = if place.is_string() { Value::from(value) } else { Value::from(value.parse::<u64>().unwrap()) };
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn point_17_what_the_factory_refuses_is_refused_by_name_before_anything_is_sent() {
        #[derive(Deserialize)]
        struct Table {
            keys: Vec<String>,
            values: Vec<String>,
        }
        let table: Table = serde_json::from_str(include_str!("../../../../vectors/founding.json")).unwrap();
        assert!(table.keys.len() > 50 && table.keys.len() == table.values.len());
        config().check().unwrap();
        for (key, value) in table.keys.iter().zip(&table.values) {
            let error = with(key, value).check().unwrap_err();
            assert_eq!(error.key, key, "{value}: {error}");
        }
    }

    #[test]
    fn bounds_are_those_of_the_contracts() {
        let ours = [
            ("minSeats", *SEATS.start() as u128),
            ("maxSeats", *SEATS.end() as u128),
            ("minBond", LEAST_BOND),
            ("maxAmount", MOST_AMOUNT),
            ("minCooldown", LEAST_COOLDOWN),
            ("minDelay", LEAST_DELAY),
            ("minPeriod", LEAST_PERIOD),
            ("minQuorumBps", *QUORUM_BPS.start()),
            ("maxQuorumBps", *QUORUM_BPS.end()),
            ("decisionTime", MOST_DECISION),
            ("maxDeskTime", MOST_DESK_TIME),
            ("minTimeout", LEAST_TIMEOUT),
            ("minEpoch", *EPOCHS.start()),
            ("maxEpoch", *EPOCHS.end()),
            ("minAttempt", LEAST_ATTEMPT),
            ("minWindow", LEAST_WINDOW),
            ("maxWindow", MOST_WINDOW),
            ("maxAhead", YEAR),
            ("maxProgramPoints", MOST_POINTS),
            ("lastDataType", DataType::GenomicSummary as u128),
        ];
        for (name, value) in ours {
            assert_eq!(value, crate::bounds::of(name), "{name}");
        }
    }

    #[test]
    fn point_17_a_committee_has_who_scores_and_an_epoch_whose_end_is_ahead() {
        let mut two = config();
        two.actors.stewards.pop();
        assert_eq!(two.check().unwrap_err().key, "actors.stewards");
        let (config, now) = (config(), 1_700_000_000);
        let epoch = u64::from(config.ledger.epoch_length);
        config.check_genesis(now + 1 - epoch, now).unwrap();
        let error = config.check_genesis(now - epoch, now).unwrap_err();
        assert!(error.key == "genesis" && error.must.contains("1699395201 to 1731536000"), "{error}");
    }

    #[test]
    fn what_leaves_another_parameter_no_room_is_named() {
        let error = with("settlement.lag", "604800").check().unwrap_err();
        assert_eq!(error.key, "settlement.window");
        assert!(error.must.contains("other settings leave it 0 at most"), "{error}");
        let mut config = config();
        config.bonds.objection_bond = MicroUsdc(config.bonds.min_bond.0 + 1);
        assert_eq!(config.check().unwrap_err().key, "bonds.objection_bond");
    }
}
