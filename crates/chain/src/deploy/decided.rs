//! What a cooperative should be by now: what it was founded with, and what its houses have had done since.
//!
//! Every executed call stands in the events of a house's timelock, or behind an operation of the charter gate whose calls
//! its proposal carries. Calls that nobody explains change nothing here: what they changed on chain is then found to differ.

use std::collections::{BTreeMap, BTreeSet};

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, FixedBytes, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::{SolCall, SolEvent as _};
use rochdale_core::ids::DatasetId;
use rochdale_core::ledger::Params;
use rochdale_core::money::MicroUsdc;
use serde::Serialize;

use super::{CoopConfig, DataType, DatasetConfig, Manifest, Role, VestingSchedule};
use crate::bindings::{
    AuctionHouse, Buyback, CharterGate, ComputeDesk, ContributionRegistry, CoopAuthority, CoopGovernor, CoopTimelock,
    DatasetCatalog, EthicsRegistry, Market, Membership, OperatorPay, PauseGuard, Programs, ResearcherBond, ServiceDesk,
    SettlementLedger, StewardCommittee, Treasury, Vesting,
};
use crate::client::{Chain, ChainError};
use crate::events::Seat;
use crate::gov::{Book, Call, Described, House, Proposal, named, proposals};

/// Blocks in one request for logs.
const RANGE: u64 = 2_000;

/// A call that a house, or both through the charter, had made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The proposal's number, in hexadecimal; absent where no proposal carries the call.
    pub proposal: Option<String>,
    /// Who decided: `token house`, `member house`, `charter`.
    pub by: String,
    /// The proposal's first line.
    pub title: String,
    /// Block time of the execution.
    pub at: u64,
    /// What it did, without what was before; absent where the calls behind an operation of the charter are not known.
    pub call: Option<Described>,
    #[serde(skip)]
    made: Option<Call>,
}

/// Every executed call since the founding, in the order of execution.
///
/// # Errors
/// Where the RPC does not answer.
pub async fn decisions(chain: &Chain, manifest: &Manifest) -> Result<Vec<Decision>, ChainError> {
    let (known, book) = (proposals(chain, manifest).await?, Book::of(manifest));
    let mut found = Vec::new();
    for log in executions(chain, manifest).await? {
        let at = match (log.block_timestamp, log.block_number) {
            (Some(at), _) => at,
            (None, Some(number)) => chain.block(BlockId::number(number)).await?.timestamp,
            (None, None) => 0,
        };
        let (by, proposal, calls) = behind(manifest, &known, &log);
        let title = proposal.and_then(|p| p.description.lines().next()).unwrap_or_default().to_owned();
        let number = proposal.map(|p| format!("{:#066x}", p.id));
        let one = |made: Option<Call>| Decision {
            proposal: number.clone(),
            by: by.clone(),
            title: title.clone(),
            at,
            call: made.as_ref().map(|call| named(&book, call)),
            made,
        };
        match calls {
            Some(calls) => found.extend(calls.into_iter().map(|call| one(Some(call)))),
            None => found.push(one(None)),
        }
    }
    Ok(found)
}

/// Who had a call made, by which proposal, and which calls these are, where that is known.
fn behind<'a>(
    manifest: &Manifest,
    known: &'a [Proposal],
    log: &Log,
) -> (String, Option<&'a Proposal>, Option<Vec<Call>>) {
    if let Ok(made) = CoopTimelock::CallExecuted::decode_log(&log.inner) {
        let house = House::ALL.into_iter().find(|house| house.timelock(manifest) == log.address());
        let number = U256::from_be_bytes(made.id.0);
        let proposal = known.iter().find(|p| Some(p.house) == house && p.id == number);
        let call = Call { target: made.target, value: made.value, data: made.data.data.clone() };
        return (house.map_or_else(String::new, |house| house.to_string()), proposal, Some(vec![call]));
    }
    let operation = CharterGate::Executed::decode_log(&log.inner).map(|done| done.operation).ok();
    let charter = |p: &Proposal| p.charter_calls(manifest).filter(|calls| Some(calls.operation()) == operation);
    let proposal = known.iter().find(|p| charter(p).is_some());
    ("charter".to_owned(), proposal, proposal.and_then(charter).map(|calls| calls.calls))
}

async fn executions(chain: &Chain, manifest: &Manifest) -> Result<Vec<Log>, ChainError> {
    let latest = chain.block(BlockId::latest()).await?.number;
    let mut at = House::ALL.map(|house| house.timelock(manifest)).to_vec();
    at.push(manifest.addresses.charter_gate);
    let events = vec![CoopTimelock::CallExecuted::SIGNATURE_HASH, CharterGate::Executed::SIGNATURE_HASH];
    let (mut found, mut from) = (Vec::new(), manifest.base.number);
    while from <= latest {
        let to = latest.min(from + RANGE - 1);
        let filter = Filter::new().address(at.clone()).event_signature(events.clone()).from_block(from).to_block(to);
        found.extend(chain.provider().get_logs(&filter).await.map_err(|e| chain.error("eth_getLogs", &e))?);
        from = to + 1;
    }
    Ok(found)
}

/// What the contracts should say.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// What a configuration can say.
    pub config: CoopConfig,
    /// Hash of the ledger's parameters, those decided for later included.
    pub params_hash: B256,
    /// Whether the committee was seated anew: then the sealing keys of the founding are others' by now.
    pub reseated: bool,
    /// Code by contract, where it was replaced.
    pub code: BTreeMap<Address, Address>,
    /// Contracts that ask researchers for a bond.
    pub bonded: BTreeSet<Address>,
    /// The token of researchers' bonds.
    pub bond_token: Address,
    /// DATA for one USDC.
    pub data_per_usdc: u128,
    /// Base price of a metered job and price of its unit.
    pub job: (u128, u128),
    /// Time for bids by dataset.
    pub auctions: BTreeMap<DatasetId, u32>,
    /// Services on offer.
    pub services: BTreeSet<u32>,
    /// Vesting schedules that were ended.
    pub ended: BTreeSet<u64>,
    /// Roles granted (true) and taken by the charter.
    pub roles: BTreeMap<(u64, Address), bool>,
    /// Functions that the charter gave to another role.
    pub functions: BTreeMap<(Address, FixedBytes<4>), u64>,
    /// Delays of the houses' timelocks, the token house's first.
    pub delays: [u64; 2],
}

impl Expected {
    /// What was founded.
    pub fn founded(manifest: &Manifest, config: &CoopConfig) -> Self {
        Self {
            params_hash: manifest.params_hash,
            reseated: false,
            code: BTreeMap::new(),
            bonded: BTreeSet::new(),
            bond_token: manifest.addresses.usdc,
            data_per_usdc: 0,
            job: (0, 0),
            auctions: BTreeMap::new(),
            services: BTreeSet::new(),
            ended: BTreeSet::new(),
            roles: BTreeMap::new(),
            functions: BTreeMap::new(),
            delays: [config.governance.delay; 2],
            config: config.clone(),
        }
    }

    /// The same after what was decided.
    pub fn after(mut self, manifest: &Manifest, decisions: &[Decision]) -> Self {
        for call in decisions.iter().filter_map(|decision| decision.made.as_ref()) {
            let contract = manifest.addresses.named().into_iter().find(|(_, _, address)| *address == call.target);
            if let Some((_, kind, _)) = contract {
                self.apply(manifest, kind, call);
            }
        }
        self
    }

    fn apply(&mut self, manifest: &Manifest, kind: &str, call: &Call) {
        if let Some(c) = read::<StewardCommittee::upgradeToAndCallCall>(call) {
            self.code.insert(call.target, c.newImplementation);
        }
        match kind {
            "Membership" | "ContributionRegistry" | "PauseGuard" | "EthicsRegistry" | "Programs" => self.people(call),
            "StewardCommittee" => self.committee(call),
            "DatasetCatalog" | "Treasury" | "OperatorPay" | "Buyback" | "Vesting" => self.money(call),
            "Market" | "AuctionHouse" | "ComputeDesk" | "ResearcherBond" | "ServiceDesk" => self.sales(call),
            "SettlementLedger" => self.settlement(call),
            "CoopGovernor" | "CoopTimelock" => self.house(manifest, call),
            "CoopAuthority" => self.authority(call),
            _ => {}
        }
    }

    fn people(&mut self, call: &Call) {
        let config = &mut self.config;
        if let Some(c) = read::<Membership::setRegistrarCall>(call) {
            config.actors.registrar = c.registrar_;
        } else if let Some(c) = read::<Membership::setAdmissionsPerEpochCall>(call) {
            config.membership.admissions_per_epoch = c.admissionsPerEpoch_;
        } else if let Some(c) = read::<ContributionRegistry::setCooldownCall>(call) {
            config.membership.cooldown = c.cooldown_;
        } else if let Some(c) = read::<PauseGuard::setGuardianCall>(call) {
            config.actors.guardian = c.guardian_;
        } else if let Some(c) = read::<EthicsRegistry::setEthicsBoardCall>(call) {
            config.actors.ethics_board = c.ethicsBoard_;
        } else if let Some(c) = read::<Programs::setMaxPointsPerEpochCall>(call) {
            config.membership.max_program_points = c.maxPointsPerEpoch_;
        }
    }

    fn committee(&mut self, call: &Call) {
        let (actors, bonds) = (&mut self.config.actors, &mut self.config.bonds);
        if let Some(c) = read::<StewardCommittee::seatCall>(call) {
            let seat = |s: &StewardCommittee::Seat| Seat { signer: s.signer, sealing_key: s.sealingKey };
            actors.stewards = c.seats_.iter().map(seat).collect();
            (actors.quorum, self.reseated) = (c.quorum_, true);
        } else if let Some(c) = read::<StewardCommittee::registerWorkerCall>(call) {
            actors.workers.retain(|worker| worker.signer != c.signer);
            actors.workers.push(Seat { signer: c.signer, sealing_key: c.sealingKey });
        } else if let Some(c) = read::<StewardCommittee::removeWorkerCall>(call) {
            // Kept with no key: that it is gone is read back, too.
            let gone = actors.workers.iter_mut().filter(|worker| worker.signer == c.signer);
            gone.for_each(|worker| worker.sealing_key = B256::ZERO);
        } else if let Some(c) = read::<StewardCommittee::setGatewayCall>(call) {
            actors.gateway = c.gateway_;
        } else if let Some(c) = read::<StewardCommittee::setMinBondCall>(call) {
            bonds.min_bond = MicroUsdc(c.minBond_.into());
        } else if let Some(c) = read::<StewardCommittee::setObjectionBondCall>(call) {
            bonds.objection_bond = MicroUsdc(c.objectionBond_.into());
        }
    }

    fn money(&mut self, call: &Call) {
        let (split, desks) = (&mut self.config.split, &mut self.config.desks);
        if let Some(c) = read::<DatasetCatalog::publishCall>(call) {
            self.publish(&c);
        } else if let Some(c) = read::<Treasury::setSplitCall>(call) {
            (split.buyback, split.operations) = (c.buyback, c.operations);
            (split.compliance, split.reserve) = (c.compliance, c.reserve);
        } else if let Some(c) = read::<OperatorPay::setRatesCall>(call) {
            desks.steward_per_epoch = MicroUsdc(c.rates_.stewardPerEpoch.to());
            desks.worker_per_receipt = MicroUsdc(c.rates_.workerPerReceipt.to());
        } else if let Some(c) = read::<Buyback::setTermsCall>(call) {
            desks.buyback_lot = MicroUsdc(c.terms_.lot.to());
            (desks.buyback_start, desks.buyback_floor) = (c.terms_.startData, c.terms_.floorData);
            desks.buyback_duration = c.terms_.duration;
        } else if let Some(Vesting::createCall { s }) = read(call) {
            self.config.vesting.push(VestingSchedule {
                beneficiary: s.beneficiary,
                amount: s.amount.to(),
                start: s.start.to(),
                cliff: s.cliff,
                duration: s.duration,
                revocable: s.revocable,
            });
        } else if let Some(c) = read::<Vesting::revokeCall>(call) {
            self.ended.insert(c.id.saturating_to());
        }
    }

    fn publish(&mut self, call: &DatasetCatalog::publishCall) {
        let (id, d) = (DatasetId(call.id), &call.d);
        let Some(data_type) = DataType::of(d.dataType) else { return };
        let price_per_thousand = MicroUsdc(d.pricePerThousand);
        let (source, terms_hash, auctioned) = (d.source, d.termsHash, d.auctioned);
        let offered = DatasetConfig { id, data_type, source, price_per_thousand, terms_hash, auctioned };
        self.config.datasets.retain(|set| set.id != id);
        self.config.datasets.push(offered);
    }

    fn sales(&mut self, call: &Call) {
        let desks = &mut self.config.desks;
        if let Some(c) = read::<Market::setDataTermsCall>(call) {
            self.data_per_usdc = c.dataPerUsdc;
        } else if let Some(c) = read::<Market::setRefundWindowCall>(call) {
            desks.refund_window = c.refundWindow_;
        } else if let Some(c) = read::<Market::setBondRequiredCall>(call) {
            if c.required {
                self.bonded.insert(call.target);
            } else {
                self.bonded.remove(&call.target);
            }
        } else if let Some(c) = read::<AuctionHouse::setTermsCall>(call) {
            self.auctions.insert(DatasetId(c.datasetId), c.t.commitPeriod);
        } else if let Some(c) = read::<ComputeDesk::setPriceCall>(call) {
            self.job = (c.base, c.perUnit);
        } else if let Some(c) = read::<ComputeDesk::setTimeoutCall>(call) {
            desks.compute_timeout = c.timeout_;
        } else if let Some(c) = read::<ResearcherBond::setTermsCall>(call) {
            (self.bond_token, desks.researcher_bond) = (c.token, MicroUsdc(c.minAmount.to()));
        } else if let Some(c) = read::<ServiceDesk::setServiceCall>(call) {
            if c.s.open {
                self.services.insert(c.serviceId);
            } else {
                self.services.remove(&c.serviceId);
            }
        }
    }

    fn settlement(&mut self, call: &Call) {
        if let Some(c) = read::<SettlementLedger::setParamsCall>(call) {
            self.config.ledger = Params::from(&c.p);
            self.params_hash = self.config.ledger.hash();
        } else if let Some(SettlementLedger::setEmissionCall { e }) = read(call) {
            let emission = &mut self.config.emission;
            (emission.data_base, emission.gov_base) = (e.dataBase, e.govBase);
            (emission.data_min_bps, emission.data_max_bps) = (e.dataMinBps, e.dataMaxBps);
            (emission.gov_min_bps, emission.gov_max_bps) = (e.govMinBps, e.govMaxBps);
        }
    }

    fn house(&mut self, manifest: &Manifest, call: &Call) {
        let a = &manifest.addresses;
        let token = [a.token_governor, a.token_timelock].contains(&call.target);
        let governance = &mut self.config.governance;
        let house = if token { &mut governance.token } else { &mut governance.member };
        if let Some(CoopGovernor::setSettingsCall { settings_: s }) = read(call) {
            (house.voting_delay, house.voting_period) = (s.votingDelay.to(), s.votingPeriod);
            house.proposal_threshold = s.proposalThreshold.saturating_to();
            house.quorum_bps = s.quorumBps.saturating_to();
            house.late_quorum_extension = s.lateQuorumExtension.to();
        } else if let Some(c) = read::<CoopGovernor::setQuorumFloorCall>(call) {
            house.quorum_floor = c.quorumFloor_.saturating_to();
        } else if let Some(c) = read::<CoopTimelock::updateDelayCall>(call) {
            self.delays[usize::from(!token)] = c.newDelay.saturating_to();
        }
    }

    fn authority(&mut self, call: &Call) {
        if let Some(c) = read::<CoopAuthority::grantRoleCall>(call) {
            self.roles.insert((c.roleId, c.account), true);
        } else if let Some(c) = read::<CoopAuthority::revokeRoleCall>(call) {
            self.roles.insert((c.roleId, c.account), false);
        } else if let Some(c) = read::<CoopAuthority::setTargetFunctionRoleCall>(call) {
            let set = c.selectors.iter().map(|selector| ((c.target, *selector), c.roleId));
            self.functions.extend(set);
        }
    }

    /// Who should hold a role that `founded` holds from the founding.
    pub fn holders(&self, role: u64, founded: &[(Role, Address)]) -> Vec<Address> {
        let from = founded.iter().filter(|(r, _)| r.number() == role).map(|(_, holder)| *holder);
        let mut holders: BTreeSet<Address> = from.collect();
        for ((_, account), granted) in self.roles.iter().filter(|((r, _), _)| *r == role) {
            if *granted {
                holders.insert(*account)
            } else {
                holders.remove(account)
            };
        }
        holders.into_iter().collect()
    }
}

/// A call's arguments, where it is one of that function.
fn read<C: SolCall>(call: &Call) -> Option<C> {
    C::abi_decode(&call.data).ok()
}
