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

/// @dev How many parts there are: the number of the last `Part`, which a test holds it to. Only a number can be a length.
uint256 constant PARTS = 28;

/// @notice The parts by number.
/// @dev `Parts` is encoded as an array is whose first place is part 1; a test holds the two orders together.
library PartsLib {
    function toArray(Parts memory parts) internal pure returns (address[PARTS] memory) {
        return abi.decode(abi.encode(parts), (address[28]));
    }

    function fromArray(address[PARTS] memory parts) internal pure returns (Parts memory) {
        return abi.decode(abi.encode(parts), (Parts));
    }
}
