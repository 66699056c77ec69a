// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Governed} from "../access/Governed.sol";

/// @title Vesting
/// @notice DATA of team and foundation: nothing before a cliff, then linear, as if it had run from the start.
///
/// Roles
/// - Beneficiary: is paid at its own address by anyone's call.
/// - Token house: creates schedules out of DATA that is here and promised to nobody, and revokes those that said they
///   can be. Charter: upgrades.
/// - Anyone funds: puts DATA here that schedules can be created from.
///
/// Assumptions: DATA moves exactly what it is told. At initialize it is here already: DataToken's genesis minted it.
///
/// Liveness: a release depends on DATA alone; while DATA's transfers are restricted, this contract must be on its list.
/// DATA that was sent here without `fund` is promised to nobody and cannot be.
///
/// Who can hurt whom: the token house can revoke what has not vested, to the Treasury, where a schedule allows it; what
/// vested stays the beneficiary's, released or not. Every schedule is covered from its first second on.
contract Vesting is Governed {
    using SafeERC20 for IERC20;

    /// @param amount wei of DATA
    /// @param cliff seconds after `start` before which nothing is vested
    /// @param duration seconds after `start` at which all is
    struct Schedule {
        address beneficiary;
        uint96 amount;
        uint40 start;
        uint32 cliff;
        uint32 duration;
        bool revocable;
    }

    /// @dev Two slots; a release writes the second alone.
    struct Entry {
        address beneficiary;
        uint40 start;
        bool revocable;
        uint96 amount;
        uint96 released;
        uint32 cliff;
        uint32 duration;
    }

    /// @dev One slot: read and written by every creation. With what every schedule has not paid yet, `free` is at most the
    /// DATA that is here.
    struct Stock {
        uint96 free;
        uint160 count;
    }

    /// @custom:storage-location erc7201:rochdale.storage.Vesting
    struct Storage {
        Stock stock;
        IERC20 dataToken;
        address treasury;
        mapping(uint256 id => Entry) entries;
    }

    bytes32 private constant STORAGE = 0x797db8e0c5a464f5720bdbecc73f47428e83825b92c4fca698b43cfee601fc00;

    event Funded(address indexed from, uint96 amount);
    event Created(uint256 indexed id, address indexed beneficiary, uint96 amount);
    event Released(uint256 indexed id, uint256 amount);
    event Revoked(uint256 indexed id, uint256 returned);

    error Vesting_BadSchedule(string field);
    error Vesting_NotFunded(uint256 amount, uint256 free);
    error Vesting_NothingToRelease(uint256 id);
    error Vesting_NotRevocable(uint256 id);

    /// @notice DataToken comes first: what it minted to this address covers `genesis`, and the rest is free.
    /// @param authority_ the cooperative's AccessManager
    /// @param dataToken what vests
    /// @param treasury where revoked DATA goes
    /// @param genesis the first schedules
    function initialize(address authority_, address dataToken, address treasury, Schedule[] calldata genesis)
        external
        initializer
    {
        __Governed_init(authority_);
        Storage storage $ = _storage();
        $.dataToken = IERC20(_nonZero(dataToken, "dataToken"));
        $.treasury = _nonZero(treasury, "treasury");
        uint256 funded = $.dataToken.balanceOf(address(this));
        if (funded > type(uint96).max) revert Vesting_BadSchedule("genesis");
        $.stock.free = uint96(funded);
        for (uint256 i; i < genesis.length; ++i) {
            _create(genesis[i]);
        }
    }

    /// @notice Pulls DATA from the caller, who approved it, for schedules to be created from.
    /// @param amount wei that the caller approved
    function fund(uint96 amount) external {
        Storage storage $ = _storage();
        // Effects:
        $.stock.free += amount;
        emit Funded(msg.sender, amount);
        // Interaction:
        $.dataToken.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @notice Creates a schedule out of what is free.
    /// @param s the schedule
    /// @return id from 1
    function create(Schedule memory s) external restricted returns (uint256 id) {
        return _create(s);
    }

    /// @notice Pays the beneficiary what has vested and was not paid.
    /// @param id of the schedule
    function release(uint256 id) external {
        Storage storage $ = _storage();
        Entry storage e = $.entries[id];
        uint96 released = e.released;
        uint96 amount = _vested(e, block.timestamp) - released;
        // Check:
        if (amount == 0) revert Vesting_NothingToRelease(id);
        // Effects:
        e.released = released + amount;
        emit Released(id, amount);
        // Interaction:
        $.dataToken.safeTransfer(e.beneficiary, amount);
    }

    /// @notice Ends a schedule: what has vested stays the beneficiary's, the rest goes to the Treasury.
    /// @param id of the schedule
    function revoke(uint256 id) external restricted {
        Storage storage $ = _storage();
        Entry storage e = $.entries[id];
        // Check:
        if (!e.revocable) revert Vesting_NotRevocable(id);
        // Effects: what remains is a schedule that has run out.
        uint96 vested = _vested(e, block.timestamp);
        uint96 rest = e.amount - vested;
        (e.amount, e.cliff, e.duration, e.revocable) = (vested, 0, 0, false);
        emit Revoked(id, rest);
        // Interaction:
        $.dataToken.safeTransfer($.treasury, rest);
    }

    /// @notice A schedule; all zero for an id that was never created. After a revocation, `amount` is what had vested.
    /// @param id of the schedule
    /// @return schedule as it stands
    /// @return released what was paid, wei
    function scheduleOf(uint256 id) external view returns (Schedule memory schedule, uint256 released) {
        Entry memory e = _storage().entries[id];
        schedule = Schedule(e.beneficiary, e.amount, e.start, e.cliff, e.duration, e.revocable);
        released = e.released;
    }

    /// @notice What of a schedule has vested by a time in unix seconds, paid or not.
    /// @param id of the schedule
    /// @param time in unix seconds
    /// @return wei
    function vestedAt(uint256 id, uint64 time) external view returns (uint256) {
        return _vested(_storage().entries[id], time);
    }

    /// @notice What can be released now.
    /// @param id of the schedule
    /// @return wei
    function releasable(uint256 id) external view returns (uint256) {
        Entry storage e = _storage().entries[id];
        return _vested(e, block.timestamp) - e.released;
    }

    /// @notice How many schedules were created, which is also the last id.
    /// @return 0 before the first
    function count() external view returns (uint256) {
        return _storage().stock.count;
    }

    /// @notice DATA that is here and promised to nobody, in wei.
    /// @return what new schedules are created from
    function free() external view returns (uint256) {
        return _storage().stock.free;
    }

    /// @dev From memory: checking calldata at every use of a field would cost a thousand gas more.
    function _create(Schedule memory s) private returns (uint256 id) {
        Storage storage $ = _storage();
        Stock memory stock = $.stock;
        // Check:
        if (s.beneficiary == address(0)) revert Vesting_BadSchedule("beneficiary");
        if (s.amount == 0) revert Vesting_BadSchedule("amount");
        if (s.duration == 0 || s.cliff > s.duration) revert Vesting_BadSchedule("duration");
        if (s.amount > stock.free) revert Vesting_NotFunded(s.amount, stock.free);
        // Effects:
        stock.free -= s.amount;
        id = ++stock.count;
        $.stock = stock;
        Entry storage e = $.entries[id];
        (e.beneficiary, e.start, e.revocable) = (s.beneficiary, s.start, s.revocable);
        (e.amount, e.cliff, e.duration) = (s.amount, s.cliff, s.duration);
        emit Created(id, s.beneficiary, s.amount);
    }

    function _vested(Entry storage e, uint256 time) private view returns (uint96) {
        (uint96 amount, uint256 start, uint256 duration) = (e.amount, e.start, e.duration);
        if (time < start + e.cliff) return 0;
        if (time >= start + duration) return amount;
        return uint96(amount * (time - start) / duration);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
