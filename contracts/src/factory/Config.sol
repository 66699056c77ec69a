// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {DatasetCatalog} from "../market/DatasetCatalog.sol";
import {StewardCommittee} from "../oracle/StewardCommittee.sol";
import {LedgerParams} from "../settlement/LedgerParams.sol";
import {RewardFormula} from "../settlement/RewardFormula.sol";
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

struct People {
    address registrar;
    address gateway;
}

struct Committee {
    StewardCommittee.Seat[] seats;
    uint8 quorum;
    Worker[] workers;
}

struct Worker {
    address signer;
    bytes32 sealingKey;
}

/// @param admissionsPerEpoch most members admitted in an epoch
/// @param cooldown seconds between two contributions of one member
struct Limits {
    uint32 admissionsPerEpoch;
    uint32 cooldown;
}

/// @param params of the ledger from the first epoch on; their epochLength is that of the chain facts
/// @param emission what the charter lets a year award
/// @param contestVerifier stateless; cooperatives may share one
struct Rewards {
    RewardFormula.Params params;
    LedgerParams.Emission emission;
    address contestVerifier;
}

/// @param charter holds the admin role: what both houses decided with the same words
/// @param pauser may pause what may be paused
/// @param tokenProposer the token house's governor
/// @param memberProposer the member house's governor
/// @param delay of both timelocks, seconds
struct Governance {
    address charter;
    address pauser;
    address tokenProposer;
    address memberProposer;
    uint256 delay;
}

struct Offer {
    uint32 id;
    DatasetCatalog.Dataset dataset;
}
