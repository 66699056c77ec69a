//! The transactions of a founding: what all cooperatives share, then the factory's stages from one configuration.

use alloy::primitives::{Address, B256, Bytes, U256, aliases::U40, aliases::U48};
use alloy::sol_types::{SolCall as _, SolConstructor as _, SolValue as _};
use rochdale_core::ledger;
use rochdale_core::money::MicroUsdc;

use super::engine::Step;
use super::manifest::{implementations, parts};
use super::{CoopConfig, DatasetConfig, HouseConfig};
use crate::bindings::founding as types;
use crate::bindings::{AccessPlan, CoopFactory, FoundingPlan, TestUSDC};
use crate::events::Seat;

/// What every cooperative on a chain shares.
pub(super) struct Shared {
    /// Where the factory is.
    pub factory: Address,
    /// Creates the implementations, the plan, the factory; each where it is missing.
    pub steps: Vec<Step>,
}

/// Where this program's code of a part of this kind lies on any chain.
#[must_use]
pub fn implementation_address(kind: &str) -> Option<Address> {
    let (_, bytecode) = implementations().into_iter().find(|(name, _)| *name == kind)?;
    Some(Step::create(kind, &bytecode, &[]).address)
}

/// The implementations, the plans and the factory that these contracts make.
pub(super) fn shared() -> Shared {
    let mut steps: Vec<Step> = Vec::new();
    let mut at = Vec::new();
    for (name, bytecode) in implementations() {
        let step = Step::create(&format!("{name} implementation"), &bytecode, &[]);
        at.push(step.address);
        // Two parts of one kind share their code.
        if !steps.iter().any(|known| known.address == step.address) {
            steps.push(step);
        }
    }
    let access = Step::create("AccessPlan", &AccessPlan::BYTECODE, &[]);
    let plan = FoundingPlan::constructorCall { accessPlan_: access.address };
    let plan = Step::create("FoundingPlan", &FoundingPlan::BYTECODE, &plan.abi_encode());
    let factory = CoopFactory::constructorCall { implementations: parts(&at), plan_: plan.address };
    let factory = Step::create("CoopFactory", &CoopFactory::BYTECODE, &factory.abi_encode());
    let address = factory.address;
    steps.extend([access, plan, factory]);
    Shared { factory: address, steps }
}

/// The test token of the local chain.
pub(super) fn test_usdc() -> Step {
    Step::create("TestUSDC", &TestUSDC::BYTECODE, &[])
}

/// The stages by name, in order.
const STAGES: [&str; 6] = ["authority", "members", "settlement", "market", "settling in", "handing over"];

/// The factory's stages for one cooperative.
pub(super) fn stages(factory: Address, coop: B256, salt: B256, config: &Bytes) -> Vec<Step> {
    let data = |stage: u8| match stage {
        0 => CoopFactory::foundCall { salt, config: config.clone() }.abi_encode(),
        stage => CoopFactory::advanceCall { coopId: coop, stage, config: config.clone() }.abi_encode(),
    };
    let step = |(stage, name): (u8, &&str)| Step::stage(factory, coop, stage, name, data(stage));
    (0..).zip(&STAGES).map(step).collect()
}

/// How many stages this program knows; the factory must have as many.
pub(super) const fn stage_count() -> usize {
    STAGES.len()
}

/// The configuration as the factory takes it.
pub(super) fn encode(config: &CoopConfig, usdc: Address, genesis: u64) -> Bytes {
    let c = types::Config {
        chain: chain(config, usdc, genesis),
        people: types::People {
            registrar: config.actors.registrar,
            gateway: config.actors.gateway,
            guardian: config.actors.guardian,
        },
        committee: committee(config),
        limits: types::Limits {
            admissionsPerEpoch: config.membership.admissions_per_epoch,
            cooldown: config.membership.cooldown,
        },
        rewards: types::Rewards {
            paramsHash: config.ledger.hash(),
            dataCap: config.ledger.data_cap,
            govCap: config.ledger.gov_cap,
        },
        split: types::Treasury::Split {
            buyback: config.split.buyback,
            operations: config.split.operations,
            compliance: config.split.compliance,
            reserve: config.split.reserve,
        },
        governance: types::Governance {
            delay: U256::from(config.governance.delay),
            tokenHouse: house(&config.governance.token),
            memberHouse: house(&config.governance.member),
        },
        datasets: config.datasets.iter().map(offer).collect(),
    };
    c.abi_encode().into()
}

fn chain(config: &CoopConfig, usdc: Address, genesis: u64) -> types::ChainFacts {
    let times = config.settlement;
    types::ChainFacts {
        usdc,
        genesis: U40::from(genesis),
        epochLength: config.ledger.epoch_length,
        lag: times.lag,
        attemptLength: times.attempt_length,
        window: times.window,
        depth: ledger::DEPTH,
    }
}

fn committee(config: &CoopConfig) -> types::Committee {
    let actors = &config.actors;
    let seat = |s: &Seat| types::StewardCommittee::Seat { signer: s.signer, sealingKey: s.sealing_key };
    let worker = |w: &Seat| types::StewardCommittee::Worker { signer: w.signer, sealingKey: w.sealing_key };
    types::Committee {
        seats: actors.stewards.iter().map(seat).collect(),
        quorum: actors.quorum,
        workers: actors.workers.iter().map(worker).collect(),
        minBond: micro(config.bonds.min_bond),
        objectionBond: micro(config.bonds.objection_bond),
    }
}

fn offer(dataset: &DatasetConfig) -> types::Offer {
    types::Offer {
        id: dataset.id.0,
        dataset: types::DatasetCatalog::Dataset {
            dataType: dataset.data_type as u8,
            source: dataset.source,
            pricePerThousand: dataset.price_per_thousand.0,
            termsHash: dataset.terms_hash,
            open: true,
        },
    }
}

fn house(house: &HouseConfig) -> types::CoopGovernor::Settings {
    types::CoopGovernor::Settings {
        votingDelay: U48::from(house.voting_delay),
        votingPeriod: house.voting_period,
        proposalThreshold: U256::from(house.proposal_threshold),
        quorumBps: U256::from(house.quorum_bps),
        quorumFloor: U256::from(house.quorum_floor),
        lateQuorumExtension: U48::from(house.late_quorum_extension),
    }
}

/// Micro-USDC as the contracts take it; the check of the configuration keeps it within 64 bits.
fn micro(amount: MicroUsdc) -> u64 {
    u64::try_from(amount.0).unwrap_or(u64::MAX)
}
