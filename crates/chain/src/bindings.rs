//! The contracts' functions, events, errors and bytecode, generated from `abi/` at the root of the repository.
//!
//! One module a contract: `Membership::joinCall`, `Membership::Joined`, `Membership::BYTECODE`, and
//! `Membership::new(address, provider)` for calls.

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
    };
}

contracts! {
    consent_registry ConsentRegistry "../../abi/ConsentRegistry.json",
    contribution_registry ContributionRegistry "../../abi/ContributionRegistry.json",
    data_token DataToken "../../abi/DataToken.json",
    dataset_catalog DatasetCatalog "../../abi/DatasetCatalog.json",
    erc1967_proxy ERC1967Proxy "../../abi/ERC1967Proxy.json",
    founder_access_manager FounderAccessManager "../../abi/FounderAccessManager.json",
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
        ConsentRegistry::ConsentRegistryErrors,
        ContributionRegistry::ContributionRegistryErrors,
        DataToken::DataTokenErrors,
        DatasetCatalog::DatasetCatalogErrors,
        ERC1967Proxy::ERC1967ProxyErrors,
        FounderAccessManager::FounderAccessManagerErrors,
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
