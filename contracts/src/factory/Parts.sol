// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A contract that each cooperative has one of. `Nothing` creates none.
enum Part {
    Nothing,
    Authority,
    TokenTimelock,
    MemberTimelock,
    TokenGovernor,
    MemberGovernor,
    CharterGate,
    PauseGuard,
    Membership,
    ConsentRegistry,
    ContributionRegistry,
    StewardCommittee,
    SettlementLedger,
    DataToken,
    GovToken,
    DatasetCatalog,
    License,
    Market,
    Treasury,
    EthicsRegistry,
    AuctionHouse,
    ComputeDesk,
    ResearcherBond,
    ServiceDesk,
    OperatorPay,
    Buyback,
    Vesting,
    Programs,
    Disputes
}

/// @notice An address for each part, in the order of `Part`: implementations, or one cooperative's contracts.
struct Parts {
    address authority;
    address tokenTimelock;
    address memberTimelock;
    address tokenGovernor;
    address memberGovernor;
    address charterGate;
    address pauseGuard;
    address membership;
    address consentRegistry;
    address contributionRegistry;
    address stewardCommittee;
    address settlementLedger;
    address dataToken;
    address govToken;
    address datasetCatalog;
    address license;
    address market;
    address treasury;
    address ethicsRegistry;
    address auctionHouse;
    address computeDesk;
    address researcherBond;
    address serviceDesk;
    address operatorPay;
    address buyback;
    address vesting;
    address programs;
    address disputes;
}

/// @notice The parts by number.
library PartsLib {
    uint256 internal constant COUNT = uint256(type(Part).max);

    function get(Parts memory parts, Part part) internal pure returns (address at) {
        assert(part != Part.Nothing);
        // `Parts` has the words of an array that starts at part 1; a test holds the two orders together.
        assembly ("memory-safe") {
            at := mload(add(parts, shl(5, sub(part, 1))))
        }
    }

    function set(Parts memory parts, Part part, address at) internal pure {
        assert(part != Part.Nothing);
        assembly ("memory-safe") {
            mstore(add(parts, shl(5, sub(part, 1))), at)
        }
    }
}
