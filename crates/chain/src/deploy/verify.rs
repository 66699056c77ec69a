//! Reads a deployed cooperative back and compares it with what was asked for.

use alloy::primitives::{Address, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::sol_types::{SolCall, SolEvent as _};

use super::decided::{Decision, Expected, decisions};
use super::founding::{account_factory, parts_of, rules_of};
use super::manifest::IMPLEMENTATION;
use super::mismatch::same;
use super::roles::{granted, services};
use super::{CoopConfig, DeployError, HouseConfig, Manifest, Role, holders};
use crate::bindings::{
    self, AuctionHouse, Buyback, CharterGate, ComputeDesk, ContributionRegistry, CoopAuthority, CoopFactory,
    CoopGovernor, CoopTimelock, DatasetCatalog, EthicsRegistry, FoundingPlan, Market, MemberAccountFactory, Membership,
    OperatorPay, PauseGuard, Programs, ResearcherBond, ServiceDesk, SettlementLedger, StewardCommittee, Treasury,
    Vesting,
};
use crate::client::Chain;

/// Blocks within which a founding seats its committee; RPCs bound the span of one question.
const FOUNDING_BLOCKS: u64 = 5_000;
fn listed(accounts: &[Address]) -> String {
    accounts.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
}

/// Reads the contracts of a manifest back and compares them with a configuration.
///
/// # Errors
/// At the first difference, or where the RPC does not answer.
pub async fn verify(chain: &Chain, manifest: &Manifest, config: &CoopConfig) -> Result<(), DeployError> {
    read_back(chain, manifest, &Expected::founded(manifest, config)).await
}

/// The same for a cooperative that has decided since: what was founded and what its houses had done. Gives what they did.
///
/// # Errors
/// At the first difference, or where the RPC does not answer.
pub async fn verify_decided(
    chain: &Chain,
    manifest: &Manifest,
    config: &CoopConfig,
) -> Result<Vec<Decision>, DeployError> {
    let decided = decisions(chain, manifest).await?;
    read_back(chain, manifest, &Expected::founded(manifest, config).after(manifest, &decided)).await?;
    Ok(decided)
}

async fn read_back(chain: &Chain, manifest: &Manifest, expected: &Expected) -> Result<(), DeployError> {
    let reader = Reader { chain, manifest, config: &expected.config, expected };
    reader.contracts().await?;
    reader.roles().await?;
    reader.functions().await?;
    reader.timelocks().await?;
    reader.membership().await?;
    reader.settlement().await?;
    reader.committee().await?;
    reader.market().await?;
    reader.sales().await?;
    reader.desks().await
}

struct Reader<'a> {
    chain: &'a Chain,
    manifest: &'a Manifest,
    config: &'a CoopConfig,
    expected: &'a Expected,
}

impl Reader<'_> {
    async fn view<C: SolCall>(&self, to: Address, call: C) -> Result<C::Return, DeployError> {
        Ok(self.chain.view(to, &call).await?)
    }

    /// Every contract obeys the authority, by the code that the factory was given.
    async fn contracts(&self) -> Result<(), DeployError> {
        let a = &self.manifest.addresses;
        let (code, accounts) = account_factory();
        let runs = self.view(accounts, MemberAccountFactory::IMPLEMENTATIONCall {}).await?;
        same(&format!("the code of passkey accounts by the factory at {accounts}"), code, runs)?;
        for (place, (name, kind, contract)) in (1u8..).zip(a.named()) {
            let part = self.view(a.factory, CoopFactory::implementationOfCall { part: place }).await?;
            let slot = self.chain.provider().get_storage_at(contract, IMPLEMENTATION.into()).await;
            let word = slot.map_err(|e| self.chain.error("eth_getStorageAt", &e))?;
            let code = self.expected.code.get(&contract).copied().unwrap_or(part);
            same(&format!("the code of {name} at {contract}"), code, Address::from_word(word.into()))?;
            // What is governed says by whom; timelocks, governors, gate and the authority govern themselves.
            if bindings::abi(kind).is_some_and(|abi| abi.function("authority").is_some()) {
                let authority = self.view(contract, Membership::authorityCall {}).await?;
                same(&format!("the authority of {name} at {contract}"), a.authority, authority)?;
            }
        }
        Ok(())
    }

    /// The roles have one holder each, that of sellers the three of the founding, the Treasury's none before the cooperative is
    /// constituted, and nobody else has ever kept one: neither founder nor factory.
    async fn roles(&self) -> Result<(), DeployError> {
        let held = holders(self.chain, self.manifest).await?;
        let constituted =
            self.view(self.manifest.addresses.charter_gate, CharterGate::constitutedAtCall {}).await? != 0;
        let wanted = self.holders(constituted);
        for (role, members) in &held.holders {
            let expected = self.expected.holders(*role, &wanted);
            same(&format!("the holders of role {role}"), listed(&expected), listed(members))?;
        }
        Ok(())
    }

    fn holders(&self, constituted: bool) -> Vec<(Role, Address)> {
        let a = &self.manifest.addresses;
        let mut holders = vec![
            (Role::Charter, a.charter_gate),
            (Role::TokenHouse, a.token_timelock),
            (Role::MemberHouse, a.member_timelock),
            (Role::Pauser, a.pause_guard),
            (Role::Seller, a.market),
            (Role::Seller, a.auction_house),
            (Role::Seller, a.compute_desk),
        ];
        holders.extend(constituted.then_some((Role::Treasury, a.token_timelock)));
        holders
    }

    /// Each restricted function is the role's that the plan says.
    async fn functions(&self) -> Result<(), DeployError> {
        let a = &self.manifest.addresses;
        let plan = self.view(a.factory, CoopFactory::planCall {}).await?;
        let access = self.view(plan, FoundingPlan::accessPlanCall {}).await?;
        let parts = parts_of(self.chain, a.factory, self.manifest.coop_id).await?;
        let ours = a.named();
        same("the number of contracts", ours.len(), parts.len())?;
        for ((name, _, address), part) in ours.iter().zip(&parts) {
            same(&format!("the factory's address of {name}"), *part, *address)?;
        }
        for rule in rules_of(self.chain, access, a).await? {
            for selector in rule.selectors {
                let call = CoopAuthority::getTargetFunctionRoleCall { target: rule.target, selector };
                let role = self.view(a.authority, call).await?;
                let decided = self.expected.functions.get(&(rule.target, selector)).copied();
                let wanted = decided.unwrap_or(rule.role);
                same(&format!("the role that may call {selector} of {}", rule.target), wanted, role)?;
            }
        }
        Ok(())
    }

    /// Each house's timelock takes proposals from its governor, and nobody but itself administers it.
    async fn timelocks(&self) -> Result<(), DeployError> {
        let a = &self.manifest.addresses;
        let houses = [
            (a.token_timelock, a.token_governor, a.gov_token, &self.config.governance.token),
            (a.member_timelock, a.member_governor, a.membership, &self.config.governance.member),
        ];
        for ((timelock, governor, votes, wanted), seconds) in houses.into_iter().zip(self.expected.delays) {
            let delay = self.view(timelock, CoopTimelock::getMinDelayCall {}).await?;
            same("the delay of a timelock", U256::from(seconds), delay)?;
            let admin = self.view(timelock, CoopTimelock::DEFAULT_ADMIN_ROLECall {}).await?;
            let proposer = self.view(timelock, CoopTimelock::PROPOSER_ROLECall {}).await?;
            let canceller = self.view(timelock, CoopTimelock::CANCELLER_ROLECall {}).await?;
            let executor = self.view(timelock, CoopTimelock::EXECUTOR_ROLECall {}).await?;
            let who = granted(self.chain, self.manifest, timelock).await?;
            for account in who {
                for role in [admin, proposer, canceller, executor] {
                    let has = self.view(timelock, CoopTimelock::hasRoleCall { role, account }).await?;
                    let may = if role == admin { account == timelock } else { account == governor };
                    same(&format!("that {account} has role {role} in the timelock {timelock}"), may, has)?;
                }
            }
            self.house(governor, timelock, votes, wanted).await?;
        }
        let houses = self.view(a.charter_gate, CharterGate::housesCall {}).await?;
        same("the token house of the charter", a.token_timelock, houses.tokenHouse)?;
        same("the member house of the charter", a.member_timelock, houses.memberHouse)?;
        let terms = self.view(a.charter_gate, CharterGate::termsCall {}).await?;
        same("the members that constitute the cooperative", self.config.governance.min_members, terms.minMembers)?;
        same("the age that constitutes it", self.config.governance.min_age, terms.minAge)?;
        let guardian = self.view(a.pause_guard, PauseGuard::guardianCall {}).await?;
        same("the guardian", self.config.actors.guardian, guardian)?;
        Ok(())
    }

    /// A governor decides by its own votes and settings, and acts through its timelock.
    async fn house(
        &self,
        governor: Address,
        timelock: Address,
        votes: Address,
        wanted: &HouseConfig,
    ) -> Result<(), DeployError> {
        same("the timelock of a house", timelock, self.view(governor, CoopGovernor::timelockCall {}).await?)?;
        same("the votes of a house", votes, self.view(governor, CoopGovernor::tokenCall {}).await?)?;
        let found = self.view(governor, CoopGovernor::settingsCall {}).await?;
        same("the voting delay", wanted.voting_delay, found.votingDelay.to())?;
        same("the voting period", wanted.voting_period, found.votingPeriod)?;
        same("the proposal threshold", U256::from(wanted.proposal_threshold), found.proposalThreshold)?;
        same("the quorum's part", U256::from(wanted.quorum_bps), found.quorumBps)?;
        let floor = self.view(governor, CoopGovernor::quorumFloorCall {}).await?;
        same("the quorum's floor", U256::from(wanted.quorum_floor), floor)?;
        let gate = self.view(governor, CoopGovernor::gateCall {}).await?;
        same("the charter of a house", self.manifest.addresses.charter_gate, gate)?;
        same("the extension for a late quorum", wanted.late_quorum_extension, found.lateQuorumExtension.to())?;
        Ok(())
    }

    async fn membership(&self) -> Result<(), DeployError> {
        let a = &self.manifest.addresses;
        let registrar = self.view(a.membership, Membership::registrarCall {}).await?;
        same("the registrar", self.config.actors.registrar, registrar)?;
        let cap = self.view(a.membership, Membership::admissionsPerEpochCall {}).await?;
        same("the cap of admissions", self.config.membership.admissions_per_epoch, cap)?;
        let cooldown = self.view(a.contribution_registry, ContributionRegistry::cooldownCall {}).await?;
        same("the cooldown", self.config.membership.cooldown, cooldown)?;
        Ok(())
    }

    async fn settlement(&self) -> Result<(), DeployError> {
        let ledger = self.manifest.addresses.settlement_ledger;
        same("genesis", self.manifest.genesis, self.view(ledger, SettlementLedger::genesisCall {}).await?)?;
        let length = self.view(ledger, SettlementLedger::epochLengthCall {}).await?;
        same("the epoch's length", self.config.ledger.epoch_length, length)?;
        let times = self.config.settlement;
        same("the lag", times.lag, self.view(ledger, SettlementLedger::lagCall {}).await?)?;
        let attempt = self.view(ledger, SettlementLedger::attemptLengthCall {}).await?;
        same("the attempt's length", times.attempt_length, attempt)?;
        same("the objection window", times.window, self.view(ledger, SettlementLedger::windowCall {}).await?)?;
        same("the tree's depth", self.manifest.tree_depth, self.view(ledger, SettlementLedger::depthCall {}).await?)?;
        // As decided for the last epoch of all: parameters change with the epoch after the running one.
        let params = self.view(ledger, SettlementLedger::paramsOfCall { epoch: u32::MAX }).await?;
        same("the parameters' hash", self.expected.params_hash, params.paramsHash)?;
        same("the DATA cap", self.config.ledger.data_cap, params.dataCap)?;
        same("the GOV cap", self.config.ledger.gov_cap, params.govCap)?;
        let found = self.view(ledger, SettlementLedger::emissionCall {}).await?;
        let wanted = self.config.emission;
        same("the base of DATA", wanted.data_base, found.dataBase)?;
        same("the base of GOV", wanted.gov_base, found.govBase)?;
        let bounds = [found.dataMinBps, found.dataMaxBps, found.govMinBps, found.govMaxBps];
        let wanted = [wanted.data_min_bps, wanted.data_max_bps, wanted.gov_min_bps, wanted.gov_max_bps];
        for (wanted, found) in wanted.into_iter().zip(bounds) {
            same("a bound of a year's emission", wanted, found)?;
        }
        let programs = self.manifest.addresses.programs;
        let points = self.view(programs, Programs::pointsPerEpochCall {}).await?;
        same("the points of programs", self.config.membership.max_program_points, points.max)?;
        Ok(())
    }

    async fn committee(&self) -> Result<(), DeployError> {
        let committee = self.manifest.addresses.steward_committee;
        let actors = &self.config.actors;
        let seats = self.view(committee, StewardCommittee::seatsCall {}).await?;
        same("the number of stewards", actors.stewards.len(), seats.len())?;
        for (place, (wanted, seat)) in actors.stewards.iter().zip(&seats).enumerate() {
            same(&format!("the signer of steward {}", place + 1), wanted.signer, seat.signer)?;
        }
        // As it was seated: stewards replace their sealing keys each epoch. What a proposal seated is what it says.
        if !self.expected.reseated {
            let seated = self.seated(committee).await?;
            same("the number of stewards at the founding", actors.stewards.len(), seated.len())?;
            for (place, (wanted, seat)) in actors.stewards.iter().zip(&seated).enumerate() {
                same(&format!("the sealing key of steward {}", place + 1), wanted.sealing_key, seat.sealingKey)?;
            }
        }
        same("the quorum", actors.quorum, self.view(committee, StewardCommittee::quorumCall {}).await?)?;
        let bonds = self.config.bonds;
        let min_bond = self.view(committee, StewardCommittee::minBondCall {}).await?;
        same("a seat's bond", U256::from(bonds.min_bond.0), min_bond)?;
        let objection_bond = self.view(committee, StewardCommittee::objectionBondCall {}).await?;
        same("an objection's bond", U256::from(bonds.objection_bond.0), objection_bond)?;
        same("the gateway", actors.gateway, self.view(committee, StewardCommittee::gatewayCall {}).await?)?;
        for worker in &actors.workers {
            let key = self.view(committee, StewardCommittee::workerKeyCall { signer: worker.signer }).await?;
            same(&format!("the sealing key of worker {}", worker.signer), worker.sealing_key, key)?;
        }
        Ok(())
    }

    /// The committee as the founding seated it.
    async fn seated(&self, committee: Address) -> Result<Vec<StewardCommittee::Seat>, DeployError> {
        let filter = Filter::new()
            .address(committee)
            .event_signature(StewardCommittee::Seated::SIGNATURE_HASH)
            .from_block(self.manifest.base.number);
        let filter = filter.to_block(self.manifest.base.number + FOUNDING_BLOCKS);
        let logs = self.chain.provider().get_logs(&filter).await;
        let logs = logs.map_err(|error| self.chain.error("eth_getLogs", &error))?;
        let first = logs.first().and_then(|log| StewardCommittee::Seated::decode_log_data(&log.inner.data).ok());
        Ok(first.map(|seated| seated.seats).unwrap_or_default())
    }

    async fn market(&self) -> Result<(), DeployError> {
        let a = &self.manifest.addresses;
        for wanted in &self.config.datasets {
            let found = self.view(a.dataset_catalog, DatasetCatalog::datasetOfCall { id: wanted.id.0 }).await?;
            same(&format!("the price of dataset {}", wanted.id), wanted.price_per_thousand.0, found.pricePerThousand)?;
            same(&format!("the type of dataset {}", wanted.id), wanted.data_type as u8, found.dataType)?;
            same(&format!("that dataset {} is auctioned", wanted.id), wanted.auctioned, found.auctioned)?;
        }
        let split = self.view(a.treasury, Treasury::splitCall {}).await?;
        let wanted = self.config.split;
        same("the split to buyback", wanted.buyback, split.buyback)?;
        same("the split to operations", wanted.operations, split.operations)?;
        same("the split to compliance", wanted.compliance, split.compliance)?;
        same("the split to the reserve", wanted.reserve, split.reserve)?;
        let least = self.view(a.treasury, Treasury::minContributorsBpsCall {}).await?;
        same("the least part of the contributors", self.config.desks.min_contributors_bps, least)?;
        Ok(())
    }

    /// How licenses are sold. A configuration sells at the catalog's prices alone: auctions, metered jobs, payment in
    /// DATA and bonds begin with a decision of the houses.
    async fn sales(&self) -> Result<(), DeployError> {
        let (a, desks) = (&self.manifest.addresses, &self.config.desks);
        let board = self.view(a.ethics_registry, EthicsRegistry::ethicsBoardCall {}).await?;
        same("the ethics board", self.config.actors.ethics_board, board)?;
        let window = self.view(a.market, Market::refundWindowCall {}).await?;
        same("the refund window", desks.refund_window, window)?;
        let data = self.view(a.market, Market::dataTermsCall {}).await?;
        same("the price in DATA", self.expected.data_per_usdc, data.dataPerUsdc)?;
        let prices = self.view(a.compute_desk, ComputeDesk::pricesCall {}).await?;
        same("the time that a metered job has", desks.compute_timeout, prices.timeout)?;
        let (base, per_unit) = self.expected.job;
        same("the base price of a metered job", base, prices.base)?;
        same("the price of a metered unit", per_unit, prices.perUnit)?;
        for dataset in &self.config.datasets {
            let terms = self.view(a.auction_house, AuctionHouse::termsOfCall { datasetId: dataset.id.0 }).await?;
            let wanted = self.expected.auctions.get(&dataset.id).copied().unwrap_or_default();
            same(&format!("the time for bids on dataset {}", dataset.id), wanted, terms.commitPeriod)?;
        }
        for (name, sale) in [("market", a.market), ("auction house", a.auction_house), ("compute desk", a.compute_desk)]
        {
            let asked = self.view(sale, Market::bondRequiredCall {}).await?;
            same(&format!("that the {name} asks for a bond"), self.expected.bonded.contains(&sale), asked)?;
        }
        let bond = self.view(a.researcher_bond, ResearcherBond::termsCall {}).await?;
        same("the token of researchers' bonds", self.expected.bond_token, bond.token)?;
        same("the least bond of a researcher", desks.researcher_bond.0, bond.minAmount.to())?;
        Ok(())
    }

    /// What is paid to those who serve and to founders, what DATA is bought back for, what members spend it on.
    async fn desks(&self) -> Result<(), DeployError> {
        let (a, desks) = (&self.manifest.addresses, &self.config.desks);
        let rates = self.view(a.operator_pay, OperatorPay::ratesCall {}).await?;
        same("a steward's pay for an epoch", desks.steward_per_epoch.0, rates.stewardPerEpoch.to())?;
        same("a worker's pay for a receipt", desks.worker_per_receipt.0, rates.workerPerReceipt.to())?;
        let terms = self.view(a.buyback, Buyback::termsCall {}).await?;
        same("a lot of the buyback", desks.buyback_lot.0, terms.lot.to())?;
        same("the DATA that a lot asks for at first", desks.buyback_start, terms.startData)?;
        same("the DATA that a lot comes down to", desks.buyback_floor, terms.floorData)?;
        same("the time of a lot's way down", desks.buyback_duration, terms.duration)?;
        for service in services(self.chain, self.manifest).await? {
            let found = self.view(a.service_desk, ServiceDesk::serviceOfCall { serviceId: service }).await?;
            same(&format!("that service {service} is open"), self.expected.services.contains(&service), found.open)?;
        }
        let schedules = self.view(a.vesting, Vesting::countCall {}).await?;
        same("the number of vesting schedules", U256::from(self.config.vesting.len()), schedules)?;
        for (id, wanted) in (1u64..).zip(&self.config.vesting).filter(|(id, _)| !self.expected.ended.contains(id)) {
            let found = self.view(a.vesting, Vesting::scheduleOfCall { id: U256::from(id) }).await?.schedule;
            let what = |field: &str| format!("the {field} of vesting schedule {id}");
            same(&what("beneficiary"), wanted.beneficiary, found.beneficiary)?;
            same(&what("amount"), wanted.amount, found.amount.to())?;
            same(&what("start"), wanted.start, found.start.to())?;
            same(&what("cliff"), wanted.cliff, found.cliff)?;
            same(&what("duration"), wanted.duration, found.duration)?;
            same(&what("right to revoke"), wanted.revocable, found.revocable)?;
        }
        Ok(())
    }
}
