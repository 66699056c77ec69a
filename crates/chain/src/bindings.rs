//! The contracts' functions, events, errors and bytecode, generated from `abi/` at the root of the repository.
//!
//! One module a contract: `Membership::joinCall`, `Membership::Joined`, `Membership::BYTECODE`, and
//! `Membership::new(address, provider)` for calls.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use alloy::json_abi::JsonAbi;
use alloy::primitives::{B256, Bytes, U256};
use rochdale_core::ids::MemberId;
use rochdale_core::ledger::{Amounts, ClaimRange, Header, Inputs, NewLeaf, OldRow, OpenedInputs, Params, Row, Score};

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

mod factory {
    #![allow(missing_docs, reason = "documented where the contract defines them")]

    alloy::sol! {
        /// What we ask of the factory. Its list of parts is longer than a tuple of ours may be, so the calls that take or
        /// give it are encoded from the ABI.
        #[derive(Debug, PartialEq, Eq)]
        interface CoopFactory {
            function found(bytes32 salt, bytes calldata config) external returns (bytes32 coopId);
            function advance(bytes32 coopId, uint8 stage, bytes calldata config) external;
            function stages() external view returns (uint8);
            function stageOf(bytes32 coopId) external view returns (uint8);
            function plan() external view returns (address);
            function implementationOf(uint8 part) external view returns (address);

            error CoopFactory_NoImplementation(uint8 part);
            error CoopFactory_AlreadyFounded(bytes32 coopId);
            error CoopFactory_NotFounded(bytes32 coopId);
            error CoopFactory_OtherConfig(bytes32 configHash, bytes32 expected);
            error CoopFactory_StageDone(uint8 stage, uint8 next);
            error CoopFactory_StageNotReached(uint8 stage, uint8 next);
            error FoundingCheck_BadConfig(string field);
        }

        /// What we ask of the plan.
        interface FoundingPlan {
            function accessPlan() external view returns (address);
        }

        /// On `target`, `role` may call `selectors`.
        #[derive(Debug, PartialEq, Eq)]
        struct Rule {
            address target;
            uint64 role;
            bytes4[] selectors;
        }
    }
}

pub use factory::{CoopFactory, FoundingPlan, Rule};

/// Contracts that are only created, or called by their ABI.
const PLAIN: &[(&str, &str)] = &[
    ("AccessPlan", include_str!("../../../abi/AccessPlan.json")),
    ("CoopFactory", include_str!("../../../abi/CoopFactory.json")),
    ("FoundingCheck", include_str!("../../../abi/FoundingCheck.json")),
    ("FoundingPlan", include_str!("../../../abi/FoundingPlan.json")),
];

/// The creation code of a contract that is only created; empty where there is none of that name.
pub(crate) fn bytecode(name: &str) -> Bytes {
    #[derive(serde::Deserialize)]
    struct File {
        bytecode: Bytes,
    }
    let file = PLAIN.iter().find(|(known, _)| *known == name);
    file.and_then(|(_, text)| serde_json::from_str::<File>(text).ok()).map(|file| file.bytecode).unwrap_or_default()
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
        FILES.iter().chain(PLAIN).filter_map(read).collect()
    });
    ABIS.get(name)
}

contracts! {
    charter_gate CharterGate "../../abi/CharterGate.json",
    coop_authority CoopAuthority "../../abi/CoopAuthority.json",
    coop_governor CoopGovernor "../../abi/CoopGovernor.json",
    coop_timelock CoopTimelock "../../abi/CoopTimelock.json",
    contest_verifier ContestVerifier "../../abi/ContestVerifier.json",
    pause_guard PauseGuard "../../abi/PauseGuard.json",
    programs Programs "../../abi/Programs.json",
    auction_house AuctionHouse "../../abi/AuctionHouse.json",
    buyback Buyback "../../abi/Buyback.json",
    compute_desk ComputeDesk "../../abi/ComputeDesk.json",
    ethics_registry EthicsRegistry "../../abi/EthicsRegistry.json",
    operator_pay OperatorPay "../../abi/OperatorPay.json",
    researcher_bond ResearcherBond "../../abi/ResearcherBond.json",
    service_desk ServiceDesk "../../abi/ServiceDesk.json",
    vesting Vesting "../../abi/Vesting.json",
    consent_registry ConsentRegistry "../../abi/ConsentRegistry.json",
    contribution_registry ContributionRegistry "../../abi/ContributionRegistry.json",
    data_token DataToken "../../abi/DataToken.json",
    dataset_catalog DatasetCatalog "../../abi/DatasetCatalog.json",
    erc1967_proxy ERC1967Proxy "../../abi/ERC1967Proxy.json",
    gov_token GovToken "../../abi/GovToken.json",
    license License "../../abi/License.json",
    market Market "../../abi/Market.json",
    member_account MemberAccount "../../abi/MemberAccount.json",
    member_account_factory MemberAccountFactory "../../abi/MemberAccountFactory.json",
    membership Membership "../../abi/Membership.json",
    disputes Disputes "../../abi/Disputes.json",
    settlement_ledger SettlementLedger "../../abi/SettlementLedger.json",
    steward_committee StewardCommittee "../../abi/StewardCommittee.json",
    test_usdc TestUSDC "../../abi/TestUSDC.json",
    treasury Treasury "../../abi/Treasury.json",
}

/// Structs that the ABI names by where their source defines them: headers and claims, parameters, orders and permits, guardians.
pub use auction_house::LicenseSale as AuctionSale;
pub use compute_desk::LicenseSale as ComputeSale;
pub use disputes::{IContestVerifier, ISettlementLedger as Disputed, RewardFormula as Replayed};
pub use market::LicenseSale;
pub use member_account_factory::MemberAccount as Guardians;
pub use settlement_ledger::{ISettlementLedger, LedgerParams, RewardFormula, SettlementClaims};

/// A leaf as the ledger takes it.
#[must_use]
pub fn claim(member: MemberId, shown: &Amounts, private_hash: B256) -> ISettlementLedger::Claim {
    ISettlementLedger::Claim {
        memberId: member.0,
        cash: shown.cash,
        stream: shown.stream,
        data: shown.data,
        gov: shown.gov,
        privateHash: private_hash,
    }
}

/// What publishes a demanded row.
#[must_use]
pub fn row_answer(member: MemberId, leaf: &NewLeaf) -> Disputes::answerRowCall {
    let row = claim(member, &leaf.shown, leaf.private_hash).into();
    Disputes::answerRowCall { row, proof: leaf.proof.clone() }
}

/// Shows that one steward signed two headers, each with its signature over it.
#[must_use]
pub fn report_equivocation(a: &(Header, Bytes), b: &(Header, Bytes)) -> StewardCommittee::reportEquivocationCall {
    let header = |header: &Header| eip712::Header::from(header).into();
    StewardCommittee::reportEquivocationCall {
        a: header(&a.0),
        signatureA: a.1.clone(),
        b: header(&b.0),
        signatureB: b.1.clone(),
    }
}

/// What publishes demanded inputs.
#[must_use]
pub fn inputs_answer(header: &Header, member: MemberId, opened: &OpenedInputs) -> Disputes::answerInputsCall {
    Disputes::answerInputsCall {
        h: eip712::Header::from(header).into(),
        memberId: member.0,
        inputs: (&opened.inputs).into(),
        blinder: opened.blinder,
        proof: opened.proof.clone(),
    }
}

/// What a member opens where it contests its row, as the contract takes it.
#[must_use]
pub fn opening(
    header: &Header,
    params: &Params,
    member: MemberId,
    row_key: B256,
    (old, inputs, new): (&OldRow, &OpenedInputs, &NewLeaf),
) -> IContestVerifier::Opening {
    let Amounts { cash, stream, data, gov } = old.shown;
    IContestVerifier::Opening {
        header: eip712::Header::from(header).into(),
        params: params.into(),
        first: old.row.is_none(),
        closed: old.row.as_ref().is_some_and(|row| row.closed),
        shown: IContestVerifier::Shown { cash, stream, data, gov },
        oldRow: old.row.as_ref().map_or_else(|| (&Row::default()).into(), Into::into),
        rowKey: row_key,
        oldProof: old.proof.clone(),
        inputs: (&inputs.inputs).into(),
        blinder: inputs.blinder,
        inputsProof: inputs.proof.clone(),
        newLeaf: claim(member, &new.shown, new.private_hash).into(),
        newProof: new.proof.clone(),
    }
}

impl From<&Row> for Replayed::Row {
    fn from(row: &Row) -> Self {
        Self {
            cashEarned: row.cash_earned,
            cashStreaming: row.cash_streaming,
            dataEarned: row.data_earned,
            govEarned: row.gov_earned,
            dataLocked: row.data_locked,
            dataVesting: row.data_vesting,
            govLocked: row.gov_locked,
            govVesting: row.gov_vesting,
            usageWeight: row.usage_weight,
            streak: row.streak,
            lastContribution: row.last_contribution,
            joinEpoch: row.join_epoch,
        }
    }
}

/// The inputs that somebody committed to, none where a number of them fits no field of the ledger's.
#[must_use]
pub fn inputs(of: &Replayed::Inputs) -> Option<Inputs> {
    let score = |s: &Replayed::Score| {
        Some(Score {
            quality: s.q.try_into().ok()?,
            uniqueness: s.u.try_into().ok()?,
            authenticity: s.a.try_into().ok()?,
            rarity: s.r.try_into().ok()?,
        })
    };
    Some(Inputs {
        contributions: of.contributions.iter().map(score).collect::<Option<_>>()?,
        program_points: of.programPoints.try_into().ok()?,
        n: of.records.try_into().ok()?,
        k: of.used.try_into().ok()?,
        w: of.useWeight.try_into().ok()?,
        active: of.active,
        erased: of.erased,
    })
}

impl From<&Inputs> for Replayed::Inputs {
    fn from(inputs: &Inputs) -> Self {
        let score = |s: &Score| Replayed::Score {
            q: U256::from(s.quality),
            u: U256::from(s.uniqueness),
            a: U256::from(s.authenticity),
            r: U256::from(s.rarity),
        };
        Self {
            contributions: inputs.contributions.iter().map(score).collect(),
            programPoints: U256::from(inputs.program_points),
            records: U256::from(inputs.n),
            used: U256::from(inputs.k),
            useWeight: U256::from(inputs.w),
            active: inputs.active,
            erased: inputs.erased,
        }
    }
}

/// What the ledger takes to pay a range of ids: of each what its leaf shows, with its private hash, and the path of any member in
/// the range. Ids without a leaf have no member.
#[must_use]
pub fn claim_range(
    range: ClaimRange,
    leaf: impl Fn(MemberId) -> Option<(Amounts, B256)>,
    proof: &[B256],
) -> SettlementClaims::Range {
    let leaf = |id| {
        let (Amounts { cash, stream, data, gov }, private_hash) = leaf(id).unwrap_or_default();
        SettlementClaims::Leaf { cash, stream, data, gov, privateHash: private_hash }
    };
    SettlementClaims::Range {
        first: range.first,
        leaves: range.ids().map(leaf).collect(),
        siblings: proof.iter().skip(range.height.into()).copied().collect(),
    }
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
        ContestVerifier::ContestVerifierErrors,
        PauseGuard::PauseGuardErrors,
        Programs::ProgramsErrors,
        AuctionHouse::AuctionHouseErrors,
        Buyback::BuybackErrors,
        ComputeDesk::ComputeDeskErrors,
        EthicsRegistry::EthicsRegistryErrors,
        OperatorPay::OperatorPayErrors,
        ResearcherBond::ResearcherBondErrors,
        ServiceDesk::ServiceDeskErrors,
        Vesting::VestingErrors,
        ConsentRegistry::ConsentRegistryErrors,
        ContributionRegistry::ContributionRegistryErrors,
        DataToken::DataTokenErrors,
        DatasetCatalog::DatasetCatalogErrors,
        ERC1967Proxy::ERC1967ProxyErrors,
        GovToken::GovTokenErrors,
        License::LicenseErrors,
        Market::MarketErrors,
        MemberAccount::MemberAccountErrors,
        MemberAccountFactory::MemberAccountFactoryErrors,
        Membership::MembershipErrors,
        Disputes::DisputesErrors,
        SettlementLedger::SettlementLedgerErrors,
        StewardCommittee::StewardCommitteeErrors,
        TestUSDC::TestUSDCErrors,
        Treasury::TreasuryErrors,
    )
}

/// The Treasury's buckets, as the contract numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Bucket {
    /// What members earn.
    Contributors,
    /// What buys DATA back.
    Buyback,
    /// Wages and fees.
    Operations,
    /// Audits and law.
    Compliance,
    /// What is kept for bad days.
    Reserve,
}

impl Bucket {
    pub(crate) const NAMES: [&'static str; 5] = ["contributors", "buyback", "operations", "compliance", "reserve"];

    /// The name of the bucket of this number.
    #[must_use]
    pub fn named(number: U256) -> Option<&'static str> {
        Self::NAMES.get(usize::try_from(number).ok()?).copied()
    }
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
same_fields!(eip712::Leave, Membership::Leave, memberId, nonce, deadline);
same_fields!(eip712::Payout, Membership::Payout, memberId, payout, nonce, deadline);
same_fields!(eip712::Demand, Disputes::Demand, memberId, epoch, attempt, kind, deadline);
same_fields!(eip712::Contest, Disputes::Contest, memberId, epoch, attempt, deadline);
// One leaf, as it is claimed and as it is disputed.
same_fields!(ISettlementLedger::Claim, Disputed::Claim, memberId, cash, stream, data, gov, privateHash);
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
    eip712::order::Debit,
    StewardCommittee::Debit,
    licenseId,
    order,
    queryDigest,
    snapshot,
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

same_header!(eip712::Header, ISettlementLedger::Header);
same_header!(ISettlementLedger::Header, eip712::Header);
same_header!(eip712::Header, Disputed::Header);
same_header!(eip712::Header, steward_committee::ISettlementLedger::Header);
// One permit, three sales.
same_fields!(LicenseSale::Permit, auction_house::LicenseSale::Permit, value, deadline, v, r, s);
same_fields!(LicenseSale::Permit, compute_desk::LicenseSale::Permit, value, deadline, v, r, s);
same_fields!(eip712::ComputeReceipt, ComputeDesk::ComputeReceipt, jobId, units, planDigest, snapshot);
same_fields!(eip712::Approval, EthicsRegistry::Approval, researcher, purpose, until, protocol, nonce, deadline);

/// The ways between the rules' parameters and the contracts': as they are voted on, and as a contest opens them.
macro_rules! convert {
    ($($(#[$attribute:meta])* $field:ident $name:ident: $type:ty = $default:expr, $bound:ident;)*) => {
        impl From<&RewardFormula::Params> for Params {
            fn from(p: &RewardFormula::Params) -> Self {
                Self { $($field: p.$name,)* }
            }
        }

        impl From<&Params> for RewardFormula::Params {
            fn from(p: &Params) -> Self {
                Self { $($name: p.$field,)* }
            }
        }

        impl From<&Params> for Replayed::Params {
            fn from(p: &Params) -> Self {
                Self { $($name: p.$field,)* }
            }
        }
    };
}

rochdale_core::ledger_params!(convert);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_numbered_as_the_contract_numbers_them() {
        let source = include_str!("../../../contracts/src/treasury/ITreasury.sol");
        let body = source.split_once("enum Bucket {").and_then(|(_, rest)| rest.split_once('}')).unwrap().0;
        let named: Vec<String> = body.split(',').map(|name| name.trim().to_lowercase()).collect();
        assert_eq!(named, Bucket::NAMES);
        assert_eq!(Bucket::named(U256::from(Bucket::Reserve as u8)), Some("reserve"));
        assert_eq!(Bucket::named(U256::from(5)), None);
    }

    /// A browser knows the functions by which an account votes without the contracts' ABI.
    #[test]
    fn an_account_votes_by_the_contracts_functions() {
        use alloy::sol_types::SolCall as _;

        use crate::eip712::governor::{House, Votes};

        assert_eq!(House::castVoteCall::SELECTOR, CoopGovernor::castVoteCall::SELECTOR);
        assert_eq!(Votes::delegateCall::SELECTOR, GovToken::delegateCall::SELECTOR);
        assert_eq!(Votes::lockCall::SELECTOR, GovToken::lockCall::SELECTOR);
        assert_eq!(Votes::unlockCall::SELECTOR, GovToken::unlockCall::SELECTOR);
        assert_eq!(Votes::syncCall::SELECTOR, GovToken::syncCall::SELECTOR);
    }
}
