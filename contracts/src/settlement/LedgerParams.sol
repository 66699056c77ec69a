// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bounds} from "../access/Bounds.sol";
import {AmountsLib} from "./Amounts.sol";
import {RewardFormula} from "./RewardFormula.sol";

/// @title LedgerParams
/// @notice What the ledger's parameters must fulfil before they may govern an epoch: each set makes sense alone, and what
/// it lets come into existence in a year stays within the emission that the charter allows.
library LedgerParams {
    uint256 private constant ONE = 10_000;

    /// @notice What the charter allows to be awarded in a year, in basis points of the base and of what was awarded since.
    /// @dev A base of 0 bounds nothing: a cooperative whose first tokens are those that members earn.
    struct Emission {
        uint128 dataBase;
        uint128 govBase;
        uint16 dataMinBps;
        uint16 dataMaxBps;
        uint16 govMinBps;
        uint16 govMaxBps;
    }

    error LedgerParams_Bad(string field);
    error LedgerParams_BadEmission(bytes32 token, uint16 minBps, uint16 maxBps);
    error LedgerParams_OutsideEmission(bytes32 token, uint256 cap, uint256 lowest, uint256 highest);

    /// @notice Reverts where the formula could divide by zero, take more than the whole, owe without end or overflow: an epoch
    /// keeps its parameters, and one in which awards overflow could never be settled.
    function check(RewardFormula.Params memory p) internal pure {
        if (p.epochLength == 0 || p.epochLength > type(uint24).max) revert LedgerParams_Bad("epochLength");
        if (p.qMin > ONE) revert LedgerParams_Bad("qMin");
        if (p.maxStreak == 0) revert LedgerParams_Bad("maxStreak");
        if ((p.dataPerPoint | p.govPerPoint) > AmountsLib.MAX_TOKEN) revert LedgerParams_Bad("perPoint");
        if (p.immediateBps > ONE) revert LedgerParams_Bad("immediateBps");
        if (p.vestingEpochs == 0) revert LedgerParams_Bad("vestingEpochs");
        if (p.smoothing == 0) revert LedgerParams_Bad("smoothing");
        if (p.floorBps > ONE) revert LedgerParams_Bad("floorBps");
        if (uint256(p.mixUsage) + p.mixData + p.mixEarly != ONE) revert LedgerParams_Bad("mix");
        if (p.minLicenses == 0) revert LedgerParams_Bad("minLicenses");
        if (p.minDatasets == 0) revert LedgerParams_Bad("minDatasets");
        _checkUnit(p.cashUnit, Bounds.MAX_CASH_UNIT);
        _checkUnit(p.dataUnit, Bounds.MAX_TOKEN_UNIT);
        _checkUnit(p.govUnit, Bounds.MAX_TOKEN_UNIT);
    }

    /// @notice Reverts where bounds contradict each other.
    function check(Emission memory e) internal pure {
        if (e.dataMinBps > e.dataMaxBps || e.dataMaxBps > ONE) {
            revert LedgerParams_BadEmission("DATA", e.dataMinBps, e.dataMaxBps);
        }
        if (e.govMinBps > e.govMaxBps || e.govMaxBps > ONE) {
            revert LedgerParams_BadEmission("GOV", e.govMinBps, e.govMaxBps);
        }
    }

    /// @notice Reverts where the caps of a year of epochs leave the bounds.
    function checkEmission(RewardFormula.Params memory p, Emission memory e, uint256 dataAwarded, uint256 govAwarded)
        internal
        pure
    {
        _checkCap("DATA", p.dataCap, p.epochLength, e.dataBase, dataAwarded, e.dataMinBps, e.dataMaxBps);
        _checkCap("GOV", p.govCap, p.epochLength, e.govBase, govAwarded, e.govMinBps, e.govMaxBps);
    }

    /// @notice The lowest and the highest cap of one epoch that the bounds allow.
    function capBounds(uint256 epochLength, uint256 base, uint256 awarded, uint256 minBps, uint256 maxBps)
        internal
        pure
        returns (uint256 lowest, uint256 highest)
    {
        if (base == 0) return (0, type(uint256).max);
        uint256 yearly = (base + awarded) * epochLength;
        // Rounded up and down, so that a cap within them is within the exact bounds.
        lowest = (yearly * minBps + 365 days * ONE - 1) / (365 days * ONE);
        highest = yearly * maxBps / (365 days * ONE);
    }

    function _checkUnit(uint256 unit, uint256 highest) private pure {
        if (unit == 0 || unit > highest) revert LedgerParams_Bad("unit");
    }

    function _checkCap(
        bytes32 token,
        uint256 cap,
        uint256 epochLength,
        uint256 base,
        uint256 awarded,
        uint256 minBps,
        uint256 maxBps
    ) private pure {
        (uint256 lowest, uint256 highest) = capBounds(epochLength, base, awarded, minBps, maxBps);
        if (cap < lowest || cap > highest) revert LedgerParams_OutsideEmission(token, cap, lowest, highest);
    }
}
