// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccessManagedUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Pausing
/// @notice A contract of which PauseGuard can stop some functions until a time. It ends by the clock, so nothing has to
/// be called for it and a lost guardian stops nothing for ever. It counts its pauses, so that what must not run out while
/// nobody can act is measured on a clock that stands still in them.
/// @dev `whenNotPaused` never stands on claim, leave, revoke, erase, object, demand or contest.
abstract contract Pausing is AccessManagedUpgradeable {
    /// @custom:storage-location erc7201:rochdale.storage.Pausing
    struct PausingStorage {
        uint64 pausedUntil;
        // Seconds of all pauses until now, and of one that runs until its end. At most `block.timestamp`, or `pausedUntil`
        // while that is later.
        uint64 pausedTotal;
    }

    bytes32 private constant PAUSING_STORAGE = 0x408f5175e6074b1be7e05cad70fb992f51ccd3f7883e1034496a870ed7d76200;

    event PausedUntil(uint64 until);

    error Pausing_Paused(uint64 until);

    modifier whenNotPaused() {
        uint64 until = _pausingStorage().pausedUntil;
        if (block.timestamp < until) revert Pausing_Paused(until);
        _;
    }

    /// @notice Stops until a time; one that has passed ends a pause. PauseGuard's alone.
    /// @param until unix seconds
    function setPausedUntil(uint64 until) external restricted {
        PausingStorage storage $ = _pausingStorage();
        (uint64 before, uint64 time) = ($.pausedUntil, uint64(block.timestamp));
        // A pause counts in advance, until it is made shorter or longer.
        uint64 total = $.pausedTotal;
        if (before > time) total -= before - time;
        if (until > time) total += until - time;
        ($.pausedUntil, $.pausedTotal) = (until, total);
        _afterPauseSet(before, until);
        emit PausedUntil(until);
    }

    /// @notice Until when it is stopped.
    /// @return unix seconds; in the past if it is not stopped
    function pausedUntil() public view returns (uint64) {
        return _pausingStorage().pausedUntil;
    }

    /// @dev Where a pause has to make something else longer.
    function _afterPauseSet(uint64 before, uint64 until) internal virtual {}

    /// @dev Seconds that passed outside of pauses; it stands still while one runs.
    function _clock() internal view returns (uint64) {
        PausingStorage storage $ = _pausingStorage();
        return uint64(Math.max(block.timestamp, $.pausedUntil)) - $.pausedTotal;
    }

    /// @dev A time on the clock that stands still in pauses, in unix seconds as it stands now.
    function _unixTimeOf(uint64 time) internal view returns (uint64) {
        return time + _pausingStorage().pausedTotal;
    }

    function _pausingStorage() private pure returns (PausingStorage storage $) {
        assembly {
            $.slot := PAUSING_STORAGE
        }
    }
}
