//! The transactions of a deployment, in order, with every address known before the first is sent.

use alloy::primitives::{Address, Bytes};
use alloy::sol_types::{SolCall, SolConstructor};
use rochdale_core::ledger;

use super::{Addresses, CoopConfig, Step};
use crate::bindings::{
    ConsentRegistry, ContributionRegistry, DataToken, DatasetCatalog, FounderAccessManager, GovToken, License, Market,
    Membership, SettlementLedger, StewardCommittee, TestUSDC, Treasury,
};

/// Roles of the AccessManager, beside its ADMIN (0). Until governance is built the founder holds all of them.
pub mod roles {
    /// Approves researchers.
    pub const ETHICS: u64 = 1;
    /// Seats stewards, registers workers, names the gateway.
    pub const COMMITTEE: u64 = 2;
    /// Publishes datasets and sets prices.
    pub const CATALOG: u64 = 3;
}

/// A deployment, ready to be sent by an account whose next nonce is known.
pub(super) struct Plan {
    pub addresses: Addresses,
    pub genesis: u64,
    pub steps: Vec<Step>,
}

/// Gives out the addresses that an account's next transactions create.
struct Creator {
    account: Address,
    nonce: u64,
}

impl Creator {
    fn next(&mut self) -> Address {
        let address = self.account.create(self.nonce);
        self.nonce += 1;
        address
    }
}

impl Plan {
    pub fn new(config: &CoopConfig, founder: Address, nonce: u64, now: u64) -> Self {
        let mut creator = Creator { account: founder, nonce };
        let authority = creator.next();
        let usdc = creator.next();
        // For each contract its implementation is created first, then its proxy, which is the contract's address.
        let pairs: [(Address, Address); 11] = std::array::from_fn(|_| (creator.next(), creator.next()));
        let [membership, consent, contribution, committee, ledger, data, gov, catalog, license, market, treasury] =
            pairs;
        let addresses = Addresses {
            authority,
            usdc,
            membership: membership.1,
            consent_registry: consent.1,
            contribution_registry: contribution.1,
            steward_committee: committee.1,
            settlement_ledger: ledger.1,
            data_token: data.1,
            gov_token: gov.1,
            dataset_catalog: catalog.1,
            license: license.1,
            market: market.1,
            treasury: treasury.1,
        };
        let genesis = config.genesis.unwrap_or(now);
        let mut steps = vec![
            Step::create(
                "FounderAccessManager",
                authority,
                &FounderAccessManager::BYTECODE,
                FounderAccessManager::constructorCall { founder }.abi_encode(),
            ),
            Step::create("TestUSDC", usdc, &TestUSDC::BYTECODE, Vec::new()),
        ];
        for ((name, bytecode, initialize), pair) in contracts(config, &addresses, genesis).into_iter().zip(pairs) {
            steps.push(Step::create(&format!("{name} implementation"), pair.0, &bytecode, Vec::new()));
            steps.push(Step::proxy(name, pair.1, pair.0, initialize));
        }
        steps.push(grant_roles(&addresses, founder));
        steps.extend(settle_in(config, &addresses));
        Self { addresses, genesis, steps }
    }
}

type Contract = (&'static str, Bytes, Vec<u8>);

/// Name, bytecode and first call of each contract, in the order of the addresses.
fn contracts(config: &CoopConfig, a: &Addresses, genesis: u64) -> [Contract; 11] {
    let authority_ = a.authority;
    [
        ("Membership", Membership::BYTECODE.clone(), membership(config, a, genesis)),
        (
            "ConsentRegistry",
            ConsentRegistry::BYTECODE.clone(),
            ConsentRegistry::initializeCall { authority_, membership: a.membership }.abi_encode(),
        ),
        (
            "ContributionRegistry",
            ContributionRegistry::BYTECODE.clone(),
            ContributionRegistry::initializeCall {
                authority_,
                consentRegistry: a.consent_registry,
                cooldown_: config.membership.cooldown,
            }
            .abi_encode(),
        ),
        (
            "StewardCommittee",
            StewardCommittee::BYTECODE.clone(),
            StewardCommittee::initializeCall { authority_ }.abi_encode(),
        ),
        ("SettlementLedger", SettlementLedger::BYTECODE.clone(), settlement(config, a, genesis)),
        (
            "DataToken",
            DataToken::BYTECODE.clone(),
            DataToken::initializeCall { authority_, ledger: a.settlement_ledger }.abi_encode(),
        ),
        (
            "GovToken",
            GovToken::BYTECODE.clone(),
            GovToken::initializeCall { authority_, ledger: a.settlement_ledger, membership: a.membership }.abi_encode(),
        ),
        (
            "DatasetCatalog",
            DatasetCatalog::BYTECODE.clone(),
            DatasetCatalog::initializeCall { authority_ }.abi_encode(),
        ),
        ("License", License::BYTECODE.clone(), License::initializeCall { authority_, market: a.market }.abi_encode()),
        (
            "Market",
            Market::BYTECODE.clone(),
            Market::initializeCall {
                authority_,
                usdc: a.usdc,
                treasury: a.treasury,
                catalog: a.dataset_catalog,
                license: a.license,
            }
            .abi_encode(),
        ),
        (
            "Treasury",
            Treasury::BYTECODE.clone(),
            Treasury::initializeCall { authority_, usdc: a.usdc, market: a.market, ledger: a.settlement_ledger }
                .abi_encode(),
        ),
    ]
}

fn membership(config: &CoopConfig, a: &Addresses, genesis: u64) -> Vec<u8> {
    Membership::initializeCall {
        authority_: a.authority,
        consentRegistry: a.consent_registry,
        registrar_: config.actors.registrar,
        genesis: alloy::primitives::aliases::U40::from(genesis),
        epochLength: config.ledger.epoch_length,
        admissionsPerEpoch_: config.membership.admissions_per_epoch,
    }
    .abi_encode()
}

fn settlement(config: &CoopConfig, a: &Addresses, genesis: u64) -> Vec<u8> {
    let d = SettlementLedger::Deployment {
        authority: a.authority,
        membership: a.membership,
        committee: a.steward_committee,
        treasury: a.treasury,
        dataToken: a.data_token,
        govToken: a.gov_token,
        genesis: alloy::primitives::aliases::U40::from(genesis),
        epochLength: config.ledger.epoch_length,
        lag: config.settlement.lag,
        attemptLength: config.settlement.attempt_length,
        window: config.settlement.window,
        depth: ledger::DEPTH,
        paramsHash: config.ledger.hash(),
        dataCap: config.ledger.data_cap,
        govCap: config.ledger.gov_cap,
    };
    SettlementLedger::initializeCall { d }.abi_encode()
}

/// Which role may call what, and the founder into each role, in one transaction.
fn grant_roles(a: &Addresses, founder: Address) -> Step {
    use roles::{CATALOG, COMMITTEE, ETHICS};
    let wanted: [(u64, &str, Address, Vec<[u8; 4]>); 3] = [
        (ETHICS, "ETHICS", a.market, vec![Market::approveResearcherCall::SELECTOR]),
        (
            COMMITTEE,
            "COMMITTEE",
            a.steward_committee,
            vec![
                StewardCommittee::seatCall::SELECTOR,
                StewardCommittee::registerWorkerCall::SELECTOR,
                StewardCommittee::removeWorkerCall::SELECTOR,
                StewardCommittee::setGatewayCall::SELECTOR,
            ],
        ),
        (CATALOG, "CATALOG", a.dataset_catalog, vec![DatasetCatalog::publishCall::SELECTOR]),
    ];
    let mut data: Vec<Bytes> = Vec::new();
    for (role, label, target, selectors) in wanted {
        let label = FounderAccessManager::labelRoleCall { roleId: role, label: label.to_owned() };
        let allow = FounderAccessManager::setTargetFunctionRoleCall {
            target,
            selectors: selectors.into_iter().map(Into::into).collect(),
            roleId: role,
        };
        let grant = FounderAccessManager::grantRoleCall { roleId: role, account: founder, executionDelay: 0 };
        data.extend([label.abi_encode().into(), allow.abi_encode().into(), grant.abi_encode().into()]);
    }
    Step::call("roles".to_owned(), a.authority, &FounderAccessManager::multicallCall { data })
}

/// What makes the contracts this cooperative's: its split, datasets, stewards, workers and gateway.
fn settle_in(config: &CoopConfig, a: &Addresses) -> Vec<Step> {
    let split = Treasury::setSplitCall {
        buyback: config.split.buyback,
        operations: config.split.operations,
        compliance: config.split.compliance,
        reserve: config.split.reserve,
    };
    let seat = StewardCommittee::seatCall {
        seats_: config
            .actors
            .stewards
            .iter()
            .map(|s| StewardCommittee::Seat { signer: s.signer, sealingKey: s.sealing_key })
            .collect(),
        quorum_: config.actors.quorum,
    };
    let mut steps = vec![
        Step::call("split of the price".to_owned(), a.treasury, &split),
        Step::call("stewards".to_owned(), a.steward_committee, &seat),
        Step::call(
            "gateway".to_owned(),
            a.steward_committee,
            &StewardCommittee::setGatewayCall { gateway_: config.actors.gateway },
        ),
    ];
    for worker in &config.actors.workers {
        let call = StewardCommittee::registerWorkerCall { signer: worker.signer, sealingKey: worker.sealing_key };
        steps.push(Step::call(format!("worker {}", worker.signer), a.steward_committee, &call));
    }
    for dataset in &config.datasets {
        let call = DatasetCatalog::publishCall {
            id: dataset.id.0,
            d: DatasetCatalog::Dataset {
                dataType: dataset.data_type as u8,
                source: dataset.source,
                pricePerThousand: dataset.price_per_thousand.0,
                termsHash: dataset.terms_hash,
                open: true,
            },
        };
        steps.push(Step::call(format!("dataset {}", dataset.id), a.dataset_catalog, &call));
    }
    steps
}
