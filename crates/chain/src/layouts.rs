//! The contracts that stand behind a proxy, and where each keeps its variables.

macro_rules! layouts {
    ($($name:literal),* $(,)?) => {
        /// Kinds of contracts that can be upgraded.
        pub(crate) const UPGRADEABLE: &[&str] = &[$($name),*];

        /// Each with the storage layout that OpenZeppelin's checker recorded.
        pub(crate) const RECORDED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../contracts/layouts/", $name, ".json")))),*];
    };
}

layouts!(
    "AuctionHouse",
    "Buyback",
    "ComputeDesk",
    "ConsentRegistry",
    "ContributionRegistry",
    "DataToken",
    "DatasetCatalog",
    "Disputes",
    "EthicsRegistry",
    "GovToken",
    "License",
    "Market",
    "Membership",
    "OperatorPay",
    "PauseGuard",
    "Programs",
    "ResearcherBond",
    "ServiceDesk",
    "SettlementLedger",
    "StewardCommittee",
    "Treasury",
    "Vesting",
);
