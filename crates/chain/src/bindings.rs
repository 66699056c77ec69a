//! The contracts' functions, events, errors and bytecode, generated from `abi/` at the root of the repository.
//!
//! One module a contract: `Membership::joinCall`, `Membership::Joined`, `Membership::BYTECODE`, and
//! `Membership::new(address, provider)` for calls.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use alloy::json_abi::JsonAbi;

use crate::eip712;

macro_rules! contracts {
    ($($module:ident $name:ident $file:literal),* $(,)?) => {
        $(
            mod $module {
                #![allow(missing_docs, clippy::all, reason = "generated")]
                alloy::sol!(
                    #[derive(Debug, PartialEq, Eq)]
                    #[sol(rpc)]
                    $name,
                    $file
                );
            }
            pub use $module::$name;
        )*

        /// Names and files of all contracts.
        const FILES: &[(&str, &str)] = &[$((stringify!($name), include_str!(concat!("../", $file)))),*];
    };
}

/// What a cooperative is founded with, as the factory's plan takes it.
pub mod founding {
    pub use super::founding_plan::FoundingPlan::*;
    pub use super::founding_plan::{CoopGovernor, DatasetCatalog, StewardCommittee, Treasury};
}

/// The factory's parts, as the plan of access takes them.
pub(crate) mod access {
    pub use super::access_plan::AccessPlan::Parts;
}

/// A contract's ABI by the contract's name, for calls that are known only when the program runs.
pub fn abi(name: &str) -> Option<&'static JsonAbi> {
    static ABIS: LazyLock<BTreeMap<&'static str, JsonAbi>> = LazyLock::new(|| {
        #[derive(serde::Deserialize)]
        struct File {
            abi: JsonAbi,
        }
        // The macro above read the same files: one that does not parse stops the build.
        let read = |(name, text): &(&'static str, &str)| Some((*name, serde_json::from_str::<File>(text).ok()?.abi));
        FILES.iter().filter_map(read).collect()
    });
    ABIS.get(name)
}

contracts! {
    access_plan AccessPlan "../../abi/AccessPlan.json",
    charter_gate CharterGate "../../abi/CharterGate.json",
    coop_authority CoopAuthority "../../abi/CoopAuthority.json",
    coop_factory CoopFactory "../../abi/CoopFactory.json",
    coop_governor CoopGovernor "../../abi/CoopGovernor.json",
    coop_timelock CoopTimelock "../../abi/CoopTimelock.json",
    founding_plan FoundingPlan "../../abi/FoundingPlan.json",
    pause_guard PauseGuard "../../abi/PauseGuard.json",
    consent_registry ConsentRegistry "../../abi/ConsentRegistry.json",
    contribution_registry ContributionRegistry "../../abi/ContributionRegistry.json",
    data_token DataToken "../../abi/DataToken.json",
    dataset_catalog DatasetCatalog "../../abi/DatasetCatalog.json",
    erc1967_proxy ERC1967Proxy "../../abi/ERC1967Proxy.json",
    gov_token GovToken "../../abi/GovToken.json",
    license License "../../abi/License.json",
    market Market "../../abi/Market.json",
    membership Membership "../../abi/Membership.json",
    settlement_ledger SettlementLedger "../../abi/SettlementLedger.json",
    steward_committee StewardCommittee "../../abi/StewardCommittee.json",
    test_usdc TestUSDC "../../abi/TestUSDC.json",
    treasury Treasury "../../abi/Treasury.json",
}

/// Selector and signature of every custom error of every contract.
pub(crate) fn error_signatures() -> Vec<([u8; 4], &'static str)> {
    macro_rules! all {
        ($($errors:path),* $(,)?) => {{
            let mut found = Vec::new();
            $(
                found.extend(<$errors>::SELECTORS.iter().copied().zip(<$errors>::SIGNATURES.iter().copied()));
            )*
            found
        }};
    }
    all!(
        CharterGate::CharterGateErrors,
        CoopAuthority::CoopAuthorityErrors,
        CoopFactory::CoopFactoryErrors,
        CoopGovernor::CoopGovernorErrors,
        CoopTimelock::CoopTimelockErrors,
        FoundingPlan::FoundingPlanErrors,
        PauseGuard::PauseGuardErrors,
        ConsentRegistry::ConsentRegistryErrors,
        ContributionRegistry::ContributionRegistryErrors,
        DataToken::DataTokenErrors,
        DatasetCatalog::DatasetCatalogErrors,
        ERC1967Proxy::ERC1967ProxyErrors,
        GovToken::GovTokenErrors,
        License::LicenseErrors,
        Market::MarketErrors,
        Membership::MembershipErrors,
        SettlementLedger::SettlementLedgerErrors,
        StewardCommittee::StewardCommitteeErrors,
        TestUSDC::TestUSDCErrors,
        Treasury::TreasuryErrors,
    )
}

/// What is signed and what a contract takes are the same fields under two types.
macro_rules! same_fields {
    ($from:ty, $to:ty, $($field:ident),+ $(,)?) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                Self { $($field: value.$field),+ }
            }
        }
    };
}

same_fields!(eip712::Admission, Membership::Admission, account, payout, nullifier, rowKeyDigest, deadline);
same_fields!(
    eip712::ConsentGrant,
    ConsentRegistry::ConsentGrant,
    memberId,
    version,
    receiptCommitment,
    expiry,
    nonce,
    deadline
);
same_fields!(eip712::ConsentRevoke, ConsentRegistry::ConsentRevoke, memberId, nonce, deadline);
same_fields!(eip712::ConsentErase, ConsentRegistry::ConsentErase, memberId, nonce, deadline);
same_fields!(
    eip712::Contribution,
    ContributionRegistry::Contribution,
    memberId,
    commitment,
    consentVersion,
    nonce,
    deadline
);
same_fields!(
    eip712::BudgetEntry,
    StewardCommittee::BudgetEntry,
    index,
    previous,
    queryDigest,
    snapshot,
    licenseId,
    purpose,
    rho,
    deadline
);

macro_rules! same_header {
    ($from:ty, $to:ty) => {
        same_fields!(
            $from,
            $to,
            epoch,
            attempt,
            previousRoot,
            root,
            paramsHash,
            inputsRoot,
            sheetDigest,
            sharers,
            payout,
            sumUsage,
            sumData,
            sumEarly,
            sumDataAward,
            sumGovAward,
            cashAllocated,
            dataAwarded,
            dataEarned,
            govAwarded,
            govEarned
        );
    };
}

same_header!(eip712::Header, SettlementLedger::Header);
same_header!(SettlementLedger::Header, eip712::Header);
