// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccessManagedUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";

/// @title Pausing
/// @notice A contract of which PauseGuard can stop some functions until a time. It ends by the clock, so nothing has to
/// be called for it and a lost guardian stops nothing for ever.
/// @dev `whenNotPaused` never stands on claim, leave, revoke, erase, object, demand or contest.
abstract contract Pausing is AccessManagedUpgradeable {
    /// @custom:storage-location erc7201:rochdale.storage.Pausing
    struct PausingStorage {
        uint64 pausedUntil;
    }

    bytes32 private constant PAUSING_STORAGE = 0x408f5175e6074b1be7e05cad70fb992f51ccd3f7883e1034496a870ed7d76200;

    event PausedUntil(uint64 until);

    error Pausing_Paused(uint64 until);

    modifier whenNotPaused() {
        uint64 until = _pausingStorage().pausedUntil;
        if (block.timestamp < until) revert Pausing_Paused(until);
        _;
    }

    /// @notice Stops until a time in unix seconds; a time that has passed ends a pause. PauseGuard's alone.
    function setPausedUntil(uint64 until) external restricted {
        uint64 before = _pausingStorage().pausedUntil;
        _pausingStorage().pausedUntil = until;
        _afterPauseSet(before, until);
        emit PausedUntil(until);
    }

    /// @notice Until when it is stopped, in unix seconds; in the past if it is not.
    function pausedUntil() public view returns (uint64) {
        return _pausingStorage().pausedUntil;
    }

    /// @dev Where a pause has to make something else longer.
    function _afterPauseSet(uint64 before, uint64 until) internal virtual {}

    function _pausingStorage() private pure returns (PausingStorage storage $) {
        assembly {
            $.slot := PAUSING_STORAGE
        }
    }
}
