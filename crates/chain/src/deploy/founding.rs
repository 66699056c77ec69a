//! The transactions of a founding: what all cooperatives share, then the factory's stages from one configuration.
//!
//! Configuration and parts are encoded from the contracts' own ABI, field by field by name: a field that the contracts
//! have and this program does not know stops the founding before anything is sent.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::{SolCall as _, SolValue as _};
use rochdale_core::ledger;
use serde_json::{Value, json};

use super::engine::Step;
use super::manifest::implementations;
use super::{
    Addresses, Allocation, CoopConfig, DatasetConfig, DesksConfig, EmissionConfig, HouseConfig, Mismatch,
    VestingSchedule,
};
use crate::bindings::{self, CoopFactory, Rule, TestUSDC};
use crate::client::{Chain, ChainError};
use crate::events::Seat;
use crate::gov::{coerce, params_argument};

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
    Some(implementation(kind)?.address)
}

/// Creates this program's code of a part of this kind.
pub(super) fn implementation(kind: &str) -> Option<Step> {
    let (_, _, bytecode) = implementations().into_iter().find(|(_, name, _)| *name == kind)?;
    Some(Step::create(&format!("{kind} implementation"), &bytecode, &[]))
}

/// The implementations, the plans and the factory that these contracts make.
pub(super) fn shared() -> Shared {
    let mut steps: Vec<Step> = Vec::new();
    let mut at = Vec::new();
    for (_, kind, bytecode) in implementations() {
        let step = Step::create(&format!("{kind} implementation"), &bytecode, &[]);
        at.push(step.address);
        // Two parts of one kind share their code.
        if !steps.iter().any(|known| known.address == step.address) {
            steps.push(step);
        }
    }
    let access = Step::create("AccessPlan", &bindings::bytecode("AccessPlan"), &[]);
    let check = Step::create("FoundingCheck", &bindings::bytecode("FoundingCheck"), &[]);
    let arguments = [access.address.abi_encode(), check.address.abi_encode()].concat();
    let plan = Step::create("FoundingPlan", &bindings::bytecode("FoundingPlan"), &arguments);
    let arguments = [words(&at), plan.address.abi_encode()].concat();
    let factory = Step::create("CoopFactory", &bindings::bytecode("CoopFactory"), &arguments);
    let address = factory.address;
    steps.extend([contest_verifier(), access, check, plan, factory]);
    steps.extend(accounts());
    Shared { factory: address, steps }
}

/// What ledgers ask to replay a row and to check parameters; it has no state, so that all cooperatives share it.
fn contest_verifier() -> Step {
    Step::create("ContestVerifier", &bindings::ContestVerifier::BYTECODE, &[])
}

/// Passkey accounts: their code and their factory, which belong to no cooperative.
fn accounts() -> [Step; 2] {
    let code = Step::create("MemberAccount implementation", &bindings::MemberAccount::BYTECODE, &[]);
    let arguments = code.address.abi_encode();
    let factory = Step::create("MemberAccountFactory", &bindings::MemberAccountFactory::BYTECODE, &arguments);
    [code, factory]
}

/// Where this program's passkey accounts have their code and their factory, on any chain.
#[must_use]
pub fn account_factory() -> (Address, Address) {
    let [code, factory] = accounts();
    (code.address, factory.address)
}

/// Where the contest verifier stands.
pub(super) fn contest_verifier_address() -> Address {
    contest_verifier().address
}

/// Addresses as the words of a struct of addresses.
fn words(addresses: &[Address]) -> Vec<u8> {
    addresses.iter().flat_map(|address| address.into_word().0).collect()
}

/// The test token of the local chain.
pub(super) fn test_usdc() -> Step {
    Step::create("TestUSDC", &TestUSDC::BYTECODE, &[])
}

/// The stages by name, in order.
const STAGES: [&str; 8] =
    ["authority", "members", "settlement", "market", "desks", "treasury", "settling in", "handing over"];

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

/// The contracts of a cooperative as the factory names them, in the order of its parts.
pub(super) async fn parts_of(chain: &Chain, factory: Address, coop: B256) -> Result<Vec<Address>, ChainError> {
    let answer = ask(chain, factory, "CoopFactory", "partsOf", coop.as_slice()).await?;
    Ok(answer.chunks_exact(32).map(|word| Address::from_word(B256::from_slice(word))).collect())
}

/// Which role may call what, as the plan says for these contracts.
pub(super) async fn rules_of(chain: &Chain, access: Address, addresses: &Addresses) -> Result<Vec<Rule>, ChainError> {
    let parts: Vec<Address> = addresses.named().into_iter().map(|(_, _, address)| address).collect();
    let answer = ask(chain, access, "AccessPlan", "rules", &words(&parts)).await?;
    <Vec<Rule>>::abi_decode(&answer).map_err(|e| ChainError::Refused {
        rpc: chain.rpc().to_owned(),
        call: format!("rules at {access}"),
        detail: format!("the answer does not decode ({e})"),
    })
}

/// Calls a view function by its name in an ABI, with arguments that are encoded already.
async fn ask(chain: &Chain, to: Address, contract: &str, function: &str, data: &[u8]) -> Result<Bytes, ChainError> {
    let found = bindings::abi(contract).and_then(|abi| abi.function(function)?.first());
    let selector = found.map(alloy::json_abi::Function::selector).unwrap_or_default();
    let input = Bytes::from([selector.as_slice(), data].concat());
    let request = TransactionRequest::default().to(to).input(input.into());
    chain.provider().call(request).await.map_err(|e| chain.error(function, &e))
}

/// The configuration as the factory takes it.
///
/// # Errors
/// Where the contracts have a field that is not filled here, or a value does not fit its type.
pub(super) fn encode(config: &CoopConfig, usdc: Address, genesis: u64) -> Result<Bytes, Mismatch> {
    let unfit = |actual: String| Mismatch {
        what: "the factory's configuration".to_owned(),
        expected: "what this program fills in".to_owned(),
        actual,
    };
    let outputs = bindings::abi("FoundingPlan").and_then(|abi| abi.function("configOf")?.first());
    let Some(param) = outputs.and_then(|f| f.outputs.first()) else { return Err(unfit("absent".to_owned())) };
    let value = coerce("config", param, &fields(config, usdc, genesis)).map_err(|e| unfit(e.to_string()))?;
    Ok(value.abi_encode().into())
}

/// The fields by the names that the contracts give them.
fn fields(config: &CoopConfig, usdc: Address, genesis: u64) -> Value {
    let (times, actors, split) = (config.settlement, &config.actors, config.split);
    json!({
        "chain": {
            "usdc": usdc, "genesis": genesis, "epochLength": config.ledger.epoch_length, "lag": times.lag,
            "attemptLength": times.attempt_length, "window": times.window, "depth": ledger::DEPTH,
        },
        "people": {
            "registrar": actors.registrar, "gateway": actors.gateway, "ethicsBoard": actors.ethics_board,
            "guardian": actors.guardian,
        },
        "committee": {
            "seats": actors.stewards.iter().map(seat).collect::<Vec<_>>(), "quorum": actors.quorum,
            "workers": actors.workers.iter().map(seat).collect::<Vec<_>>(),
            "minBond": digits(config.bonds.min_bond.0), "objectionBond": digits(config.bonds.objection_bond.0),
        },
        "limits": {
            "admissionsPerEpoch": config.membership.admissions_per_epoch, "cooldown": config.membership.cooldown,
        },
        "rewards": {
            "params": params_argument(&config.ledger), "emission": emission(&config.emission),
            "contestVerifier": contest_verifier_address(),
            "maxProgramPoints": digits(config.membership.max_program_points),
        },
        "split": {
            "buyback": split.buyback, "operations": split.operations, "compliance": split.compliance,
            "reserve": split.reserve,
        },
        "desks": desks(&config.desks),
        "allocation": config.allocation.iter().map(allocation).collect::<Vec<_>>(),
        "vesting": config.vesting.iter().map(schedule).collect::<Vec<_>>(),
        "governance": {
            "delay": config.governance.delay, "tokenHouse": house(&config.governance.token),
            "memberHouse": house(&config.governance.member),
            "tokenFloor": digits(config.governance.token.quorum_floor),
            "memberFloor": digits(config.governance.member.quorum_floor),
            "constitution": {
                "minMembers": config.governance.min_members, "minAge": config.governance.min_age,
            },
        },
        "datasets": config.datasets.iter().map(offer).collect::<Vec<_>>(),
    })
}

/// JSON numbers end at 64 bits.
fn digits(amount: u128) -> String {
    U256::from(amount).to_string()
}

fn emission(e: &EmissionConfig) -> Value {
    json!({
        "dataBase": digits(e.data_base), "govBase": digits(e.gov_base), "dataMinBps": e.data_min_bps,
        "dataMaxBps": e.data_max_bps, "govMinBps": e.gov_min_bps, "govMaxBps": e.gov_max_bps,
    })
}

fn seat(seat: &Seat) -> Value {
    json!({ "signer": seat.signer, "sealingKey": seat.sealing_key })
}

fn offer(dataset: &DatasetConfig) -> Value {
    json!({ "id": dataset.id, "dataset": {
        "dataType": dataset.data_type as u8, "source": dataset.source,
        "pricePerThousand": digits(dataset.price_per_thousand.0), "termsHash": dataset.terms_hash, "open": true,
        "auctioned": dataset.auctioned,
    } })
}

fn house(house: &HouseConfig) -> Value {
    json!({
        "votingDelay": house.voting_delay, "votingPeriod": house.voting_period,
        "proposalThreshold": digits(house.proposal_threshold), "quorumBps": house.quorum_bps,
        "lateQuorumExtension": house.late_quorum_extension,
    })
}

fn desks(desks: &DesksConfig) -> Value {
    json!({
        "minContributorsBps": desks.min_contributors_bps, "computeTimeout": desks.compute_timeout,
        "refundWindow": desks.refund_window,
        "researcherBond": digits(desks.researcher_bond.0),
        "pay": {
            "stewardPerEpoch": digits(desks.steward_per_epoch.0),
            "workerPerReceipt": digits(desks.worker_per_receipt.0),
        },
        "buyback": {
            "lot": digits(desks.buyback_lot.0), "startData": digits(desks.buyback_start),
            "floorData": digits(desks.buyback_floor), "duration": desks.buyback_duration,
        },
    })
}

fn allocation(given: &Allocation) -> Value {
    json!({ "to": given.to, "amount": digits(given.amount) })
}

fn schedule(s: &VestingSchedule) -> Value {
    json!({
        "beneficiary": s.beneficiary, "amount": digits(s.amount), "start": s.start, "cliff": s.cliff,
        "duration": s.duration, "revocable": s.revocable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_those_of_the_factory_in_its_order() {
        let abi = bindings::abi("CoopFactory").unwrap();
        let parts = &abi.function("partsOf").unwrap()[0].outputs[0].components;
        let theirs: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        let ours: Vec<&str> = implementations().into_iter().map(|(part, _, _)| part).collect();
        assert_eq!(ours, theirs);
    }
}
