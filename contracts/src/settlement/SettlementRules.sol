// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {AmountsLib} from "./Amounts.sol";
import {LedgerParams} from "./LedgerParams.sol";
import {RewardFormula} from "./RewardFormula.sol";
import {SettlementState} from "./SettlementState.sol";

/// @title SettlementRules
/// @notice The part of SettlementLedger that keeps its parameters: which govern which epoch, and what the charter lets
/// them award.
///
/// A vote governs the epochs after the one that is running, never one that members have already worked for. Votes in
/// different epochs are kept apart, also where settlements are behind: each epoch is settled by the parameters that
/// governed it. Of two votes in one epoch the later counts.
abstract contract SettlementRules is SettlementState {
    event ParamsSet(uint32 fromEpoch, bytes32 paramsHash, RewardFormula.Params params);
    event EmissionSet(LedgerParams.Emission emission);

    /// @notice Sets the parameters from the next epoch on.
    /// @param p the parameters; the length of an epoch stays as it was founded
    function setParams(RewardFormula.Params calldata p) external restricted {
        Storage storage $ = _storage();
        Calendar memory c = _calendar($);
        // Check:
        if (p.epochLength != c.epochLength) {
            revert SettlementLedger_EpochLengthIsFixed(p.epochLength, c.epochLength);
        }
        Round storage last = _round($, _finalEpochOf(c));
        bytes32 hash = $.contestVerifier.checkParams(p, $.emission, last.dataAwarded, last.govAwarded);
        // Effects:
        uint32 fromEpoch = _runningEpoch(c) + 1;
        uint256 latest = $.versions.length - 1;
        if ($.versions[latest].fromEpoch == fromEpoch) $.versions.pop();
        _addVersion($, fromEpoch, hash, p);
        $.calendar.queued = true;
    }

    /// @notice Sets how much of each token a year may award. It binds the next vote on parameters; those that are set stay.
    /// @param e the bounds
    function setEmission(LedgerParams.Emission calldata e) external restricted {
        Storage storage $ = _storage();
        // Check:
        $.contestVerifier.checkEmission(e);
        // Effects:
        _setEmission($, e);
    }

    /// @notice The parameters of the epoch that is proposed next.
    /// @return paramsHash as a header names it
    /// @return dataCap of one epoch, wei
    /// @return govCap of one epoch, wei
    function params() external view returns (bytes32 paramsHash, uint128 dataCap, uint128 govCap) {
        return paramsOf(_storage().calendar.lastEpoch + 1);
    }

    /// @notice The parameters that govern an epoch, by what is decided now.
    /// @param epoch from 1
    /// @return paramsHash as a header names it
    /// @return dataCap of one epoch, wei
    /// @return govCap of one epoch, wei
    function paramsOf(uint32 epoch) public view returns (bytes32 paramsHash, uint128 dataCap, uint128 govCap) {
        Version[] storage versions = _storage().versions;
        uint256 i = versions.length - 1;
        while (versions[i].fromEpoch > epoch) --i;
        Version storage v = versions[i];
        return (v.paramsHash, v.dataCap, v.govCap);
    }

    /// @notice What the charter lets a year award.
    /// @return as it was set last
    function emission() external view returns (LedgerParams.Emission memory) {
        return _storage().emission;
    }

    /// @dev The parameters of the first epoch. They are put in force by its proposal.
    function _foundRules(RewardFormula.Params calldata p, LedgerParams.Emission calldata e) internal {
        Storage storage $ = _storage();
        _setEmission($, e);
        _addVersion($, 0, $.contestVerifier.checkParams(p, e, 0, 0), p);
        $.calendar.queued = true;
    }

    /// @dev Puts in force what was set for `epoch` or before, where a proposal reads it. Called only while something is
    /// queued, so that a usual proposal pays nothing for it.
    function _promote(Storage storage $, uint256 epoch) internal {
        uint256 latest = $.versions.length - 1;
        uint256 i = $.version;
        while (i < latest && $.versions[i + 1].fromEpoch <= epoch) ++i;
        $.version = uint32(i);
        Version storage v = $.versions[i];
        ($.paramsHash, $.dataCap, $.govCap) = (v.paramsHash, v.dataCap, v.govCap);
        if (i == latest) $.calendar.queued = false;
    }

    /// @dev The number of the epoch that is running; 0 before the first.
    function _runningEpoch(Calendar memory c) internal view returns (uint32) {
        if (block.timestamp < c.genesis) return 0;
        return uint32((block.timestamp - c.genesis) / c.epochLength) + 1;
    }

    function _setEmission(Storage storage $, LedgerParams.Emission calldata e) private {
        $.emission = e;
        emit EmissionSet(e);
    }

    function _addVersion(Storage storage $, uint32 fromEpoch, bytes32 hash, RewardFormula.Params calldata p) private {
        // A cap beyond what totals can hold is no cap.
        uint96 dataCap = uint96(Math.min(p.dataCap, AmountsLib.MAX_TOKEN));
        uint96 govCap = uint96(Math.min(p.govCap, AmountsLib.MAX_TOKEN));
        $.versions.push(Version(hash, fromEpoch, dataCap, govCap));
        emit ParamsSet(fromEpoch, hash, p);
    }
}
