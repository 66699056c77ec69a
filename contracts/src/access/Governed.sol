// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {
    AccessManagedUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";

/// @title Governed
/// @notice What every contract of a cooperative shares: it lives behind an ERC-1967 proxy, its rare administrative
/// functions ask the cooperative's one AccessManager, and so does an upgrade.
abstract contract Governed is AccessManagedUpgradeable, UUPSUpgradeable {
    /// @notice A required address was zero; the argument names it.
    error Governed_ZeroAddress(string what);

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        // An implementation is code only: nobody may initialize it.
        _disableInitializers();
    }

    function __Governed_init(address authority_) internal onlyInitializing {
        _nonZero(authority_, "authority");
        __AccessManaged_init(authority_);
    }

    function _authorizeUpgrade(address) internal override restricted {}

    function _nonZero(address value, string memory what) internal pure returns (address) {
        if (value == address(0)) revert Governed_ZeroAddress(what);
        return value;
    }
}
