// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    TimelockControllerUpgradeable
} from "@openzeppelin/contracts-upgradeable/governance/TimelockControllerUpgradeable.sol";

/// @title CoopTimelock
/// @notice What a house decided waits here before anyone may execute it. Behind a proxy that nobody can upgrade.
///
/// Roles: the house's governor proposes, cancels and executes, for anyone who asks it to; the timelock alone changes its
/// roles and delay, by a decision that waited in it.
/// Assumptions, liveness: OpenZeppelin's.
/// Who can hurt whom: a house can shorten its own delay, after a delay that gives everybody time to see it.
contract CoopTimelock is TimelockControllerUpgradeable {
    constructor() {
        _disableInitializers();
    }
}
