//! The table of what proposals do: words, units, and the getter of what is replaced.

use crate::layouts::UPGRADEABLE;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Itself.
    Plain,
    /// Basis points.
    Bps,
    /// Micro-USDC.
    Usdc,
    /// 10^-18 of a token.
    Token,
    /// A length of time.
    Seconds,
    /// A point in time.
    Time,
    /// A bucket of the Treasury.
    Bucket,
}

/// What a function does.
#[derive(Debug)]
pub(super) struct Rule {
    /// The contracts that have it.
    pub contracts: &'static [&'static str],
    /// The name that it has.
    pub function: &'static str,
    /// What it does.
    pub words: &'static str,
    /// The view function that tells the present values by the same names; empty where there is none.
    pub getter: &'static str,
    /// The arguments, by place, that the getter takes.
    pub keys: &'static [usize],
    /// Units by argument.
    pub units: &'static [(&'static str, Unit)],
    /// What should make a voter hesitate.
    pub warning: Option<&'static str>,
}

impl Rule {
    pub fn covers(&self, contract: &str) -> bool {
        self.contracts.contains(&contract)
    }

    pub fn unit(&self, argument: &str) -> Unit {
        self.units.iter().find(|(name, _)| *name == argument).map_or(Unit::Plain, |(_, unit)| *unit)
    }
}

const fn rule(contracts: &'static [&'static str], function: &'static str, words: &'static str) -> Rule {
    Rule { contracts, function, words, getter: "", keys: &[], units: &[], warning: None }
}

impl Rule {
    const fn now(mut self, getter: &'static str, keys: &'static [usize]) -> Self {
        self.getter = getter;
        self.keys = keys;
        self
    }

    const fn units(mut self, units: &'static [(&'static str, Unit)]) -> Self {
        self.units = units;
        self
    }

    const fn warn(mut self, warning: &'static str) -> Self {
        self.warning = Some(warning);
        self
    }
}

/// Every function that a house may have called.
pub(super) const RULES: &[Rule] = &[
    rule(&["Membership"], "setRegistrar", "names whose signature admits members").now("registrar", &[]),
    rule(&["Membership"], "setAdmissionsPerEpoch", "sets how many members one epoch may admit")
        .now("admissionsPerEpoch", &[]),
    rule(&["Membership"], "expel", "expels a member: the vote ends at once, what was earned stays payable")
        .warn("it ends somebody's membership; ask for the reason behind the hash"),
    rule(&["ContributionRegistry"], "setCooldown", "sets how long a member waits between two contributions")
        .now("cooldown", &[])
        .units(&[("cooldown", Unit::Seconds)]),
    rule(&["StewardCommittee"], "seat", "seats the stewards, who hold the key shares and sign settlements")
        .now("seats", &[])
        .warn("whoever sits there opens records together with the others, as many as the quorum says"),
    rule(&["StewardCommittee"], "registerWorker", "registers a worker, which may open records for a query")
        .now("workerKey", &[0]),
    rule(&["StewardCommittee"], "removeWorker", "removes a worker"),
    rule(&["StewardCommittee"], "setGateway", "names the gateway that stewards take requests from").now("gateway", &[]),
    rule(&["StewardCommittee"], "setMinBond", "sets the bond from which a seat counts, for seats from now on")
        .now("minBond", &[])
        .units(&[("minBond", Unit::Usdc)]),
    rule(&["StewardCommittee"], "setObjectionBond", "sets what an objection puts at risk")
        .now("objectionBond", &[])
        .units(&[("objectionBond", Unit::Usdc)]),
    rule(&["StewardCommittee"], "openSlash", "puts a part of a steward's bond aside until it is decided")
        .now("stakeOf", &[0])
        .units(&[("amount", Unit::Usdc)])
        .warn("it takes from a steward; ask for the reason behind the hash"),
    rule(&["StewardCommittee"], "confirmSlash", "takes what was put aside of a steward's bond, for the reserve")
        .now("slashOf", &[0])
        .warn("what is taken does not come back"),
    rule(&["StewardCommittee"], "rejectSlash", "gives a steward back what was put aside of the bond")
        .now("slashOf", &[0]),
    rule(&["DatasetCatalog"], "publish", "publishes a dataset or changes its price and terms")
        .now("datasetOf", &[0])
        .units(&[("pricePerThousand", Unit::Usdc)]),
    rule(&["DataToken"], "setTransfersRestricted", "restricts DATA to listed accounts, or frees it")
        .now("transfersRestricted", &[]),
    rule(&["DataToken"], "setListed", "lists an account that may hold DATA while it is restricted")
        .now("isListed", &[0]),
    rule(&["GovToken"], "setListed", "lists a contract that may hold GOV beside the members").now("isListed", &[0]),
    rule(&["Treasury"], "setSplit", "splits what licenses pay among the buckets; the rest is the contributors'")
        .now("split", &[])
        .units(&[("buyback", Unit::Bps), ("operations", Unit::Bps), ("compliance", Unit::Bps), ("reserve", Unit::Bps)]),
    rule(&["SettlementLedger"], "setParams", "sets the ledger's parameters, from the epoch after the running one")
        .now("params", &[])
        .units(&[("dataCap", Unit::Token), ("govCap", Unit::Token)])
        .warn("what members earn from then on follows from them"),
    rule(&["SettlementLedger"], "setEmission", "sets between what bounds a year's awards of DATA and GOV lie")
        .now("emission", &[])
        .units(&[
            ("dataBase", Unit::Token),
            ("govBase", Unit::Token),
            ("dataMinBps", Unit::Bps),
            ("dataMaxBps", Unit::Bps),
            ("govMinBps", Unit::Bps),
            ("govMaxBps", Unit::Bps),
        ])
        .warn("a base of 0 bounds nothing: then parameters alone say how much comes into existence"),
    rule(&["Disputes"], "resolveObjection", "decides an objection to a pending settlement")
        .warn("a settlement that stands pays what it says; one that is voided is proposed again"),
    rule(&["Programs"], "setProgram", "opens, changes or closes a program that awards points").now("program", &[0]),
    rule(&["Programs"], "setMaxPointsPerEpoch", "sets how many points all open programs may award in an epoch")
        .now("pointsPerEpoch", &[]),
    rule(&["Market"], "setDataTerms", "sets what licenses cost in DATA, and how much of it is burned")
        .now("dataTerms", &[])
        .units(&[("dataPerUsdc", Unit::Token), ("burnBps", Unit::Bps)]),
    rule(&["Market"], "setRefundWindow", "sets how long a reserved license can be cancelled")
        .now("refundWindow", &[])
        .units(&[("refundWindow", Unit::Seconds)]),
    rule(&["EthicsRegistry"], "setEthicsBoard", "names who approves researchers").now("ethicsBoard", &[]),
    rule(&["EthicsRegistry"], "withdraw", "withdraws a researcher's approval for a purpose")
        .now("approvedUntil", &[0, 1]),
    rule(
        &["AuctionHouse", "ComputeDesk", "Market"],
        "setBondRequired",
        "asks researchers for a bond before they buy, or no longer",
    )
    .now("bondRequired", &[]),
    rule(&["AuctionHouse"], "setTerms", "sets on what terms a dataset is auctioned").now("termsOf", &[0]).units(&[
        ("reserve", Unit::Usdc),
        ("bidBond", Unit::Usdc),
        ("commitPeriod", Unit::Seconds),
        ("revealPeriod", Unit::Seconds),
        ("duration", Unit::Seconds),
    ]),
    rule(&["ComputeDesk"], "setPrice", "sets the price of metered jobs")
        .now("prices", &[])
        .units(&[("base", Unit::Usdc), ("perUnit", Unit::Usdc)]),
    rule(&["ComputeDesk"], "setTimeout", "sets how long a metered job may take")
        .now("prices", &[])
        .units(&[("timeout", Unit::Seconds)]),
    rule(&["ResearcherBond"], "setTerms", "sets what researchers pledge").now("terms", &[]),
    rule(&["ResearcherBond"], "slash", "takes from a researcher's bond, for the treasury")
        .now("bondOf", &[0])
        .warn("what is taken does not come back; ask for the reason behind the hash"),
    rule(&["ServiceDesk"], "setService", "offers members a service for DATA, or changes it")
        .now("serviceOf", &[0])
        .units(&[("dataPrice", Unit::Token)]),
    rule(&["OperatorPay"], "setRates", "sets what stewards and workers are paid")
        .now("rates", &[])
        .units(&[("stewardPerEpoch", Unit::Usdc), ("workerPerReceipt", Unit::Usdc)]),
    rule(&["Buyback"], "setTerms", "sets how DATA is bought back and burned").now("terms", &[]).units(&[
        ("lot", Unit::Usdc),
        ("startData", Unit::Token),
        ("floorData", Unit::Token),
        ("duration", Unit::Seconds),
    ]),
    rule(&["Vesting"], "create", "promises DATA, released over time").units(&[
        ("amount", Unit::Token),
        ("start", Unit::Time),
        ("cliff", Unit::Seconds),
        ("duration", Unit::Seconds),
    ]),
    rule(&["Vesting"], "revoke", "ends a promise of DATA: what is vested by now stays, released or not")
        .now("scheduleOf", &[0])
        .warn("the beneficiary loses what is not vested yet"),
    rule(&["Treasury"], "spend", "pays out of operations, compliance or the reserve")
        .units(&[("bucket", Unit::Bucket), ("amount", Unit::Usdc)])
        .warn("money leaves the treasury; ask for the reason behind the hash"),
    rule(&["Treasury"], "spendToken", "pays out a token other than the stablecoin")
        .units(&[("amount", Unit::Token)])
        .warn("tokens leave the treasury"),
    rule(&["CoopGovernor"], "setQuorumFloor", "sets the least votes that a proposal of this house needs")
        .now("quorumFloor", &[])
        .warn("the fewer, the fewer decide for all"),
    rule(&["PauseGuard"], "unpause", "ends a pause before its time"),
    rule(UPGRADEABLE, "upgradeToAndCall", "replaces the contract's code")
        .now("(implementation)", &[])
        .warn("new code can do anything that the contract can; compare it with the published source"),
];
