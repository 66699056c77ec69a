//! What is put before the houses: each question's calls, and how a house is minded.

use alloy::primitives::{Address, U256, keccak256};
use anyhow::{Context as _, Result};
use rochdale_chain::bindings::{Market, StewardCommittee, Treasury};
use rochdale_chain::gov::{CallSpec, House, params_argument};
use rochdale_core::ledger::Params;
use serde_json::{Value, json};

use super::span::{DAY, HOUR};
use super::{AWARDER, AWARDING, Year};

/// What is put before a house, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// Prices, terms, services, a program and a buyback.
    OpenDesks,
    /// Fewer admissions, which nobody but the proposer cares about.
    LoneRaise,
    /// A cooldown of a day, which most are against.
    CheapRecords,
    /// Buyers at the market need a bond.
    RequireBonds,
    /// Other parameters of the ledger.
    NewParams,
    /// An upgrade that the token house wants alone.
    HalfUpgrade,
    /// An upgrade that both want.
    Upgrade,
    /// A member is expelled.
    Expel,
    /// Liars lose their bonds, and others take their seats.
    ReplaceCommittee,
    /// An objection was without a reason.
    RejectObjection,
    /// A grant from the treasury.
    Grant,
}

/// How a house takes a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mind {
    /// Most are for it.
    For,
    /// Enough come, and most of them are against.
    Against,
    /// Only who proposed it comes.
    Indifferent,
}

/// What a question is about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About {
    pub implementation: Address,
    pub member: u32,
    pub epoch: u32,
    pub attempt: u32,
}

/// The dataset that is sold by auction.
pub(super) const AUCTIONED: u32 = 4;

/// A grant: 40 USDC.
pub(super) const GRANT: u128 = 40_000_000;

/// A call of a draft, by names.
fn call(contract: &str, function: &str, args: Value) -> CallSpec {
    let args = args.as_object().cloned().unwrap_or_default();
    let (contract, function) = (contract.to_owned(), function.to_owned());
    CallSpec { contract, function, args: args.into_iter().collect(), value: 0 }
}

impl Topic {
    pub fn mind(self, house: House) -> Mind {
        match self {
            Self::LoneRaise => Mind::Indifferent,
            Self::CheapRecords => Mind::Against,
            Self::HalfUpgrade if house == House::Member => Mind::Against,
            _ => Mind::For,
        }
    }

    pub fn why(self) -> &'static str {
        match self {
            Self::OpenDesks => "Auctions, metered jobs, payment in DATA, services, a program and a buyback.",
            Self::LoneRaise => "Admit fewer members.",
            Self::CheapRecords => "Let records come in without a pause between them.",
            Self::RequireBonds => "Who buys shall have something to lose.",
            Self::NewParams => "Pay a little more at once, and smooth over fewer epochs.",
            Self::HalfUpgrade => "A market that only the token house wants.",
            Self::Upgrade => "A treasury and a market that were looked through again.",
            Self::Expel => "A member who sold what was not theirs.",
            Self::ReplaceCommittee => "Two stewards signed a falsified settlement.",
            Self::RejectObjection => "The objection had no reason.",
            Self::Grant => "A grant for a study of rare diseases.",
        }
    }
}

impl Year {
    pub(super) async fn calls(&mut self, topic: Topic) -> Result<(Vec<CallSpec>, About)> {
        let mut about = About::default();
        let calls = match topic {
            Topic::OpenDesks => self.opening_calls(),
            Topic::LoneRaise => vec![call("Membership", "setAdmissionsPerEpoch", json!({ "admissionsPerEpoch": 9 }))],
            Topic::CheapRecords => vec![call("ContributionRegistry", "setCooldown", json!({ "cooldown": DAY }))],
            Topic::RequireBonds => vec![call("Market", "setBondRequired", json!({ "required": true }))],
            Topic::NewParams => vec![self.new_params()],
            Topic::HalfUpgrade | Topic::Upgrade => {
                let contracts = if topic == Topic::Upgrade { &["Treasury", "Market"][..] } else { &["Market"] };
                let mut calls = Vec::new();
                for name in contracts {
                    let code = if *name == "Market" { &Market::BYTECODE } else { &Treasury::BYTECODE };
                    about.implementation = self.site.create(code.clone(), name).await?;
                    let args = json!({ "newImplementation": about.implementation, "data": "0x" });
                    calls.push(call(name, "upgradeToAndCall", args));
                }
                calls
            }
            Topic::Expel => {
                let place = self.anybody(|person| person.key.wallet().is_some())?;
                about.member = self.people[place].id.0;
                let args = json!({ "memberId": about.member, "reasonHash": keccak256("the reason") });
                vec![call("Membership", "expel", args)]
            }
            Topic::ReplaceCommittee => self.replacing_calls().await?,
            Topic::RejectObjection => {
                let header = &self.pending.as_ref().context("nothing is pending")?.round.header;
                (about.epoch, about.attempt) = (header.epoch.0, header.attempt);
                let objector = self.stewards[2].address();
                let args =
                    json!({ "epoch": about.epoch, "attempt": about.attempt, "objector": objector, "upheld": false });
                vec![call("Disputes", "resolveObjection", args)]
            }
            Topic::Grant => {
                // Bucket 2 is that of operations.
                let (to, reason) = (self.site.key("grantee").address(), keccak256("grant"));
                let args = json!({ "bucket": 2, "to": to, "amount": GRANT.to_string(), "reason": reason });
                vec![call("Treasury", "spend", args)]
            }
        };
        Ok((calls, about))
    }

    fn opening_calls(&self) -> Vec<CallSpec> {
        let terms_hash = keccak256(rochdale_chain::deploy::LICENSE_TERMS);
        let awarder = self.site.key(AWARDER).address();
        vec![
            call("Market", "setDataTerms", json!({ "dataPerUsdc": "10000000000000000", "burnBps": 4000 })),
            call(
                "AuctionHouse",
                "setTerms",
                json!({ "datasetId": AUCTIONED, "t": {
                "reserve": "20000000", "bidBond": "2000000", "commitPeriod": 24 * HOUR, "revealPeriod": 48 * HOUR,
                "records": 2000, "duration": 90 * 24 * HOUR } }),
            ),
            call("ComputeDesk", "setPrice", json!({ "base": "5000000", "perUnit": "10000" })),
            call(
                "ServiceDesk",
                "setService",
                json!({ "serviceId": 1, "s": {
                "dataPrice": "300000000000000000", "open": true } }),
            ),
            call(
                "Programs",
                "setProgram",
                json!({ "programId": 1, "p": {
                "awarder": awarder, "kind": 4, "capPerEpoch": AWARDING.to_string(),
                "capPerMember": (AWARDING / 10).to_string(), "open": true } }),
            ),
            call(
                "Treasury",
                "setSplit",
                json!({
                "buyback": 1000, "operations": 1500, "compliance": 500, "reserve": 500 }),
            ),
            call(
                "DatasetCatalog",
                "publish",
                json!({ "id": 3, "d": {
                "dataType": 3, "source": 2, "pricePerThousand": "50000000", "termsHash": terms_hash, "open": true,
                "auctioned": false } }),
            ),
            call(
                "DatasetCatalog",
                "publish",
                json!({ "id": AUCTIONED, "d": {
                "dataType": 1, "source": 3, "pricePerThousand": "50000000", "termsHash": terms_hash, "open": true,
                "auctioned": true } }),
            ),
        ]
    }

    fn new_params(&self) -> CallSpec {
        let voted = &self.site.manifest.ledger;
        let voted =
            Params { immediate_bps: voted.immediate_bps + 500, smoothing: voted.smoothing - 1, ..voted.clone() };
        call("SettlementLedger", "setParams", json!({ "p": params_argument(&voted) }))
    }

    /// Confirms every open slash, and seats the honest steward with two others.
    async fn replacing_calls(&mut self) -> Result<Vec<CallSpec>> {
        let committee = self.site.manifest.addresses.steward_committee;
        let mut calls = Vec::new();
        let count: u64 = self.site.view(committee, &StewardCommittee::slashCountCall {}).await?.to();
        for id in 1..=count {
            let slash = self.site.view(committee, &StewardCommittee::slashOfCall { id: U256::from(id) }).await?;
            if slash.amount > 0 {
                calls.push(call("StewardCommittee", "confirmSlash", json!({ "id": id })));
            }
        }
        let seat = |key: &alloy::signers::local::PrivateKeySigner| json!({ "signer": key.address(), "sealingKey": keccak256(key.address()) });
        self.successors = vec![self.site.key("steward-4"), self.site.key("steward-5"), self.stewards[2].clone()];
        let seats: Vec<Value> = self.successors.iter().map(seat).collect();
        calls.push(call("StewardCommittee", "seat", json!({ "seats": seats, "quorum": 2 })));
        Ok(calls)
    }
}
