// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Governed} from "../access/Governed.sol";
import {Pausing} from "../access/Pausing.sol";
import {ITreasury} from "./ITreasury.sol";

/// @notice DATA as this contract uses it.
interface IBurnable is IERC20Permit {
    /// @notice Burns what the caller may spend.
    /// @param from whose
    /// @param amount wei
    function burnFrom(address from, uint256 amount) external;
}

/// @title Buyback
/// @notice Buys DATA back with the Treasury's buyback bucket, one fixed lot of USDC after the other, and burns it. What is
/// asked for a lot descends from a start to a floor, both governed; the first who finds it fair takes the lot.
///
/// Roles
/// - Anyone: offers a lot that the bucket can pay, which starts the clock; sells DATA for a lot on offer.
/// - Token house: sets the terms. PauseGuard: stops offers and sales. Charter: upgrades.
///
/// Assumptions: DATA burns exactly what it is told. Nothing here reads a price from anywhere, so nobody can move one.
///
/// Liveness: a lot on offer stays on offer at the floor until somebody takes it. After a sale the next lot is on offer at
/// once if the bucket can pay it, else somebody has to offer it when it can: a clock that ran while there was nothing to
/// sell would make every lot go at the floor. A pause starts the descent anew when it ends.
///
/// Who can hurt whom: the token house can set a floor far too low and sell a lot to a friend; the lot bounds the loss,
/// and the clock runs in public from the start. A seller that is overtaken gives nothing: `maxData` bounds what it gives.
contract Buyback is Governed, Pausing {
    /// @param lot micro-USDC paid for what is asked; 0 = nothing is bought
    /// @param startData wei of DATA asked when a lot is offered
    /// @param floorData wei of DATA asked from `duration` seconds later on
    struct Terms {
        uint96 lot;
        uint128 startData;
        uint128 floorData;
        uint32 duration;
    }

    /// @param deadline of the ERC-2612 permit over `maxData`
    struct Permit {
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @custom:storage-location erc7201:rochdale.storage.Buyback
    struct Storage {
        ITreasury treasury;
        IBurnable dataToken;
        // Two slots. The floor is never above the start.
        uint128 startData;
        uint128 floorData;
        uint96 lot;
        uint32 duration;
        // 0 where nothing is on offer; else the bucket held the lot then, and nothing but this contract takes from it.
        uint64 offeredAt;
    }

    bytes32 private constant STORAGE = 0xcbbc75189afb940fda56b944c1fc1634b5b9b151d9e9c1aab1d987d02ea2f500;

    event TermsSet(uint96 lot, uint128 startData, uint128 floorData, uint32 duration);
    event Offered(uint96 lot);
    event Sold(address indexed seller, uint256 data, uint256 usdc);

    error Buyback_BadTerms();
    error Buyback_OnOffer(uint64 since);
    error Buyback_NotOnOffer();
    error Buyback_LotNotCovered(uint256 lot, uint256 available);
    error Buyback_AsksMore(uint256 asked, uint256 maxData);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param treasury whose bucket pays
    /// @param dataToken what is bought and burns
    /// @param terms_ of the first lot
    function initialize(address authority_, address treasury, address dataToken, Terms calldata terms_)
        external
        initializer
    {
        __Governed_init(authority_);
        Storage storage $ = _storage();
        $.treasury = ITreasury(_nonZero(treasury, "treasury"));
        $.dataToken = IBurnable(_nonZero(dataToken, "dataToken"));
        _setTerms(terms_);
    }

    /// @notice Sets the terms. A lot on offer is withdrawn: it was another one.
    /// @param terms_ of later lots
    function setTerms(Terms calldata terms_) external restricted {
        _setTerms(terms_);
    }

    /// @notice Puts a lot on offer, at the start of its descent.
    function offer() external whenNotPaused {
        Storage storage $ = _storage();
        (uint256 lot, uint64 since) = ($.lot, $.offeredAt);
        // Check:
        if (since != 0) revert Buyback_OnOffer(since);
        uint256 available = $.treasury.available(ITreasury.Bucket.Buyback);
        if (lot == 0 || available < lot) revert Buyback_LotNotCovered(lot, available);
        // Effects:
        _offer($);
    }

    /// @notice Gives the DATA asked now, at most `maxData`, for the lot on offer. The permit is tried; an allowance that
    /// is there already serves as well.
    /// @param maxData the most that the caller gives, wei; the permit's value
    /// @param p of the caller, or anything where it approved
    /// @return data what the caller gave, wei
    function sell(uint256 maxData, Permit calldata p) external whenNotPaused returns (uint256 data) {
        Storage storage $ = _storage();
        (ITreasury treasury, IBurnable dataToken, uint256 lot) = ($.treasury, $.dataToken, $.lot);
        // Check:
        data = asked();
        if (data > maxData) revert Buyback_AsksMore(data, maxData);
        // Effects:
        if (treasury.available(ITreasury.Bucket.Buyback) >= 2 * lot) _offer($);
        else $.offeredAt = 0;
        emit Sold(msg.sender, data, lot);
        // Interaction:
        try dataToken.permit(msg.sender, address(this), maxData, p.deadline, p.v, p.r, p.s) {} catch {} // Somebody sent it before, or the seller had approved: the burning decides.
        dataToken.burnFrom(msg.sender, data);
        treasury.takeLot(msg.sender, lot);
    }

    /// @notice Wei of DATA asked now for the lot on offer. Rounded up, so never less than the line.
    /// @return wei
    function asked() public view returns (uint256) {
        Storage storage $ = _storage();
        (uint256 since, uint256 duration) = ($.offeredAt, $.duration);
        if (since == 0) revert Buyback_NotOnOffer();
        // A pause may have moved the start of the descent into the future.
        uint256 elapsed = block.timestamp < since ? 0 : block.timestamp - since;
        (uint256 start, uint256 floor) = ($.startData, $.floorData);
        return elapsed >= duration ? floor : start - (start - floor) * elapsed / duration;
    }

    /// @notice The terms of the lot on offer, and of those after it.
    /// @return as they were set last
    function terms() external view returns (Terms memory) {
        Storage storage $ = _storage();
        return Terms($.lot, $.startData, $.floorData, $.duration);
    }

    /// @notice Since when a lot is on offer, in unix seconds; 0 if none is.
    /// @return later than now where a pause runs
    function offeredAt() external view returns (uint64) {
        return _storage().offeredAt;
    }

    function _setTerms(Terms calldata t) private {
        Storage storage $ = _storage();
        bool buys = t.lot != 0;
        if (buys && (t.floorData == 0 || t.floorData > t.startData || t.duration == 0)) revert Buyback_BadTerms();
        ($.lot, $.startData, $.floorData, $.duration) = (t.lot, t.startData, t.floorData, t.duration);
        $.offeredAt = 0;
        emit TermsSet(t.lot, t.startData, t.floorData, t.duration);
    }

    function _offer(Storage storage $) private {
        $.offeredAt = uint64(block.timestamp);
        emit Offered($.lot);
    }

    /// @dev Nobody could sell while it was paused, so nothing descended.
    function _afterPauseSet(uint64, uint64 until) internal override {
        Storage storage $ = _storage();
        if ($.offeredAt != 0) $.offeredAt = until > block.timestamp ? until : uint64(block.timestamp);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
