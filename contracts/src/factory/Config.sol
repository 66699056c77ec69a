// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CharterGate} from "../governance/CharterGate.sol";
import {CoopGovernor} from "../governance/CoopGovernor.sol";
import {DatasetCatalog} from "../market/DatasetCatalog.sol";
import {StewardCommittee} from "../oracle/StewardCommittee.sol";
import {LedgerParams} from "../settlement/LedgerParams.sol";
import {RewardFormula} from "../settlement/RewardFormula.sol";
import {DataToken} from "../tokens/DataToken.sol";
import {Buyback} from "../treasury/Buyback.sol";
import {OperatorPay} from "../treasury/OperatorPay.sol";
import {Treasury} from "../treasury/Treasury.sol";
import {Vesting} from "../treasury/Vesting.sol";

/// @notice Everything that a cooperative is founded with.
struct Config {
    ChainFacts chain;
    People people;
    Committee committee;
    Limits limits;
    Rewards rewards;
    Treasury.Split split;
    Desks desks;
    DataToken.Genesis[] allocation;
    Vesting.Schedule[] vesting;
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
    address ethicsBoard;
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

/// @param params of the ledger from the first epoch on; their epochLength is that of the chain facts
/// @param emission what the charter lets a year award
/// @param contestVerifier stateless; cooperatives may share one
/// @param maxProgramPoints how many points all open programs may award in an epoch
struct Rewards {
    RewardFormula.Params params;
    LedgerParams.Emission emission;
    address contestVerifier;
    uint128 maxProgramPoints;
}

/// @param delay of both timelocks, seconds
/// @param tokenFloor least quorum of the token house, units
/// @param memberFloor least quorum of the member house, members
/// @param constitution from when on the houses decide about money and charter
struct Governance {
    uint256 delay;
    CoopGovernor.Settings tokenHouse;
    CoopGovernor.Settings memberHouse;
    uint256 tokenFloor;
    uint256 memberFloor;
    CharterGate.Terms constitution;
}

/// @param minContributorsBps the least part of a price that is the contributors', basis points
/// @param computeTimeout seconds that a metered job has
/// @param refundWindow seconds in which a reserved license can be cancelled
/// @param researcherBond least bond of a researcher, micro-USDC
/// @param pay what stewards and workers are paid
/// @param buyback terms on which DATA is bought back
struct Desks {
    uint16 minContributorsBps;
    uint32 computeTimeout;
    uint32 refundWindow;
    uint96 researcherBond;
    OperatorPay.Rates pay;
    Buyback.Terms buyback;
}

struct Offer {
    uint32 id;
    DatasetCatalog.Dataset dataset;
}
