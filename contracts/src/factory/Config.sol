// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CoopGovernor} from "../governance/CoopGovernor.sol";
import {DatasetCatalog} from "../market/DatasetCatalog.sol";
import {StewardCommittee} from "../oracle/StewardCommittee.sol";
import {Treasury} from "../treasury/Treasury.sol";

/// @notice Everything that a cooperative is founded with.
struct Config {
    ChainFacts chain;
    People people;
    Committee committee;
    Limits limits;
    Rewards rewards;
    Treasury.Split split;
    Governance governance;
    Offer[] datasets;
}

/// @param usdc the stablecoin: six decimals, ERC-2612
/// @param genesis start of epoch 1, unix seconds
/// @param lag from the end of an epoch to its first attempt, seconds
/// @param attemptLength after which the next steward may propose, seconds
/// @param window from proposal to final, seconds
/// @param depth of the ledger's tree
struct ChainFacts {
    address usdc;
    uint40 genesis;
    uint32 epochLength;
    uint32 lag;
    uint32 attemptLength;
    uint32 window;
    uint8 depth;
}

/// @param guardian a Safe that may pause
struct People {
    address registrar;
    address gateway;
    address guardian;
}

/// @param minBond what a seat asks for, micro-USDC
/// @param objectionBond what an objection locks, micro-USDC
struct Committee {
    StewardCommittee.Seat[] seats;
    uint8 quorum;
    StewardCommittee.Worker[] workers;
    uint64 minBond;
    uint64 objectionBond;
}

/// @param admissionsPerEpoch most members admitted in an epoch
/// @param cooldown seconds between two contributions of one member
struct Limits {
    uint32 admissionsPerEpoch;
    uint32 cooldown;
}

struct Rewards {
    bytes32 paramsHash;
    uint128 dataCap;
    uint128 govCap;
}

/// @param delay of both timelocks, seconds
struct Governance {
    uint256 delay;
    CoopGovernor.Settings tokenHouse;
    CoopGovernor.Settings memberHouse;
}

struct Offer {
    uint32 id;
    DatasetCatalog.Dataset dataset;
}
