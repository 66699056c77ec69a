// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccessManagerUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagerUpgradeable.sol";

/// @title CoopAuthority
/// @notice The AccessManager of a cooperative, behind a proxy that nobody can upgrade.
///
/// Roles: see `Roles`. Assumptions, liveness: OpenZeppelin's.
/// Who can hurt whom: the holder of ADMIN everybody. That is CharterGate, once the founding is complete.
contract CoopAuthority is AccessManagerUpgradeable {
    constructor() {
        _disableInitializers();
    }
}
