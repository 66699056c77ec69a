// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../access/Governed.sol";

/// @notice What PauseGuard asks of a contract that it may pause (`Pausing`).
interface IPausable {
    /// @notice Stops until a time, or ends a pause by a time that has passed.
    /// @param until unix seconds
    function setPausedUntil(uint64 until) external;
}

/// @title PauseGuard
/// @notice Lets a guardian stop listed contracts for a short time while something is wrong.
///
/// Roles
/// - Guardian (a Safe, 3 of 5): pauses, for at most 7 days; not again before 30 days after the end; ends a pause early.
/// - MEMBER_HOUSE: ends a pause early.
/// - CHARTER: names the guardian and the targets; upgrades.
///
/// Assumptions: this contract alone holds PAUSER. Each target decides what its pause stops (`whenNotPaused`); claim, leave,
/// revoke, erase, object, demand and contest never ask.
/// Liveness: a pause ends by the clock. A lost guardian costs nothing but the pause.
/// Who can hurt whom: a guardian taken over can stop sales, proposals and joins for 7 days in any 37. It can move no money,
/// change no parameter, and end nothing.
contract PauseGuard is Governed {
    /// @dev One slot.
    struct Target {
        bool listed;
        // Of the last pause; at most 7 days ahead, and 30 days lie between an end and the next beginning.
        uint64 endsAt;
    }

    /// @custom:storage-location erc7201:rochdale.storage.PauseGuard
    struct Storage {
        address guardian;
        mapping(address target => Target) targets;
    }

    bytes32 private constant STORAGE = 0x99653efb9dabf74eb00fc13b76bc0c9970b1c6a12533ad5e58bf1ca7a8e3c200;

    /// @notice The longest pause.
    uint32 public constant MAX_PAUSE = 7 days;

    /// @notice How long after the end of a pause the same target cannot be paused again.
    uint32 public constant COOLDOWN = 30 days;

    event GuardianSet(address guardian);
    event TargetSet(address indexed target, bool listed);
    event Paused(address indexed target, uint64 until);
    event Unpaused(address indexed target, address by);

    error PauseGuard_OnlyGuardian(address caller);
    error PauseGuard_BadDuration(uint32 duration);
    error PauseGuard_NotATarget(address target);
    error PauseGuard_Cooldown(address target, uint64 until);
    error PauseGuard_NotPaused(address target);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param guardian_ who may pause
    /// @param targets what may be paused
    function initialize(address authority_, address guardian_, address[] calldata targets) external initializer {
        __Governed_init(authority_);
        _setGuardian(guardian_);
        for (uint256 i; i < targets.length; ++i) {
            _setTarget(targets[i], true);
        }
    }

    // ------------------------------------------------------------------------------------------------ pausing

    /// @notice Stops `targets` for `duration` seconds from now.
    /// @param targets listed contracts
    /// @param duration seconds, at most `MAX_PAUSE`
    function pause(address[] calldata targets, uint32 duration) external {
        // Check:
        if (msg.sender != _storage().guardian) revert PauseGuard_OnlyGuardian(msg.sender);
        if (duration == 0 || duration > MAX_PAUSE) revert PauseGuard_BadDuration(duration);
        for (uint256 i; i < targets.length; ++i) {
            _pause(targets[i], uint64(block.timestamp) + duration);
        }
    }

    /// @notice Ends the pause of `targets` now. The guardian's, or by decision of the member house.
    /// @param targets contracts that are paused
    function unpause(address[] calldata targets) external {
        // Check:
        if (msg.sender != _storage().guardian) _checkCanCall(msg.sender, msg.data);
        for (uint256 i; i < targets.length; ++i) {
            _unpause(targets[i]);
        }
    }

    // ----------------------------------------------------------------------------------------- administration

    /// @notice Names who may pause.
    /// @param guardian_ a Safe, not a key
    function setGuardian(address guardian_) external restricted {
        _setGuardian(guardian_);
    }

    /// @notice Lists or delists a contract; one that is delisted while paused can still be unpaused.
    /// @param target the contract
    /// @param listed whether it may be paused
    function setTarget(address target, bool listed) external restricted {
        _setTarget(target, listed);
    }

    // -------------------------------------------------------------------------------------------------- views

    /// @notice Who may pause.
    /// @return the guardian
    function guardian() external view returns (address) {
        return _storage().guardian;
    }

    /// @notice Whether a contract may be paused.
    /// @param target the contract
    /// @return true while it is listed
    function isTarget(address target) external view returns (bool) {
        return _storage().targets[target].listed;
    }

    /// @notice When the last pause of `target` ends or ended, in unix seconds; 0 if it was never paused.
    /// @param target the contract
    /// @return unix seconds
    function pauseEndsAt(address target) external view returns (uint64) {
        return _storage().targets[target].endsAt;
    }

    // ----------------------------------------------------------------------------------------------- internal

    function _pause(address target, uint64 until) private {
        Target storage t = _storage().targets[target];
        // Check:
        if (!t.listed) revert PauseGuard_NotATarget(target);
        if (t.endsAt != 0 && block.timestamp < t.endsAt + COOLDOWN) {
            revert PauseGuard_Cooldown(target, t.endsAt + COOLDOWN);
        }
        // Effects:
        t.endsAt = until;
        emit Paused(target, until);
        // Interaction:
        IPausable(target).setPausedUntil(until);
    }

    function _unpause(address target) private {
        Target storage t = _storage().targets[target];
        // Check:
        if (t.endsAt <= block.timestamp) revert PauseGuard_NotPaused(target);
        // Effects:
        t.endsAt = uint64(block.timestamp);
        emit Unpaused(target, msg.sender);
        // Interaction:
        IPausable(target).setPausedUntil(uint64(block.timestamp));
    }

    function _setGuardian(address guardian_) private {
        _storage().guardian = _nonZero(guardian_, "guardian");
        emit GuardianSet(guardian_);
    }

    function _setTarget(address target, bool listed) private {
        _storage().targets[_nonZero(target, "target")].listed = listed;
        emit TargetSet(target, listed);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
