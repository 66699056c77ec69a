// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title FounderAccessManager
/// @notice The authority of a cooperative on a developer's machine: one founder key holds every role.
///
/// Roles: the founder is ADMIN and may grant roles and upgrade everything.
/// Assumptions: the chain is the local one; nothing of value is on it.
/// Who can hurt whom: the founder can do anything to anybody. That is why the constructor refuses every chain
/// but 31337: a cooperative with members in it is governed, not owned.
contract FounderAccessManager is AccessManager {
    /// @notice The only chain on which a single key may govern.
    uint256 public constant LOCAL_CHAIN_ID = 31_337;

    /// @notice A single founder key may not govern on this chain.
    error FounderAccessManager_NotLocalChain(uint256 chainId);

    constructor(address founder) AccessManager(_onLocalChain(founder)) {}

    function _onLocalChain(address founder) private view returns (address) {
        if (block.chainid != LOCAL_CHAIN_ID) revert FounderAccessManager_NotLocalChain(block.chainid);
        return founder;
    }
}
