// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {LedgerTree} from "./LedgerTree.sol";

/// @title RewardFormula
/// @notice The ledger's step for one row, to the bit: old row, the member's inputs and the proposal's header give the
/// new row and its leaf.
///
/// Assumptions: integers only; every division floors unless it says ceil; sums and products are 256 bits wide and an
/// overflow reverts. The header's sums are those of the whole epoch; this library trusts them.
library RewardFormula {
    using SafeCast for uint256;

    uint256 private constant ONE = 10_000;

    /// @dev In the order that `paramsHash` encodes.
    struct Params {
        uint32 epochLength;
        uint16 qMin;
        uint16 bonusPerStep;
        uint16 maxStreak;
        uint16 streakWindow;
        uint128 dataPerPoint;
        uint128 govPerPoint;
        uint128 dataCap;
        uint128 govCap;
        uint16 immediateBps;
        uint16 vestingEpochs;
        uint128 dustData;
        uint128 dustGov;
        uint16 smoothing;
        uint16 floorBps;
        uint16 mixUsage;
        uint16 mixData;
        uint16 mixEarly;
        uint32 earlyCutoff;
        uint16 minLicenses;
        uint16 minDatasets;
        uint128 cashUnit;
        uint128 dataUnit;
        uint128 govUnit;
    }

    /// @dev A member's private row. Amounts in micro-USDC and wei.
    struct Row {
        uint128 cashEarned;
        uint128 cashStreaming;
        uint128 dataEarned;
        uint128 govEarned;
        uint128 dataLocked;
        uint128 dataVesting;
        uint128 govLocked;
        uint128 govVesting;
        uint128 usageWeight;
        uint32 streak;
        uint32 lastContribution;
        uint32 joinEpoch;
    }

    /// @dev Quality, uniqueness, authenticity, rarity in basis points.
    struct Score {
        uint256 q;
        uint256 u;
        uint256 a;
        uint256 r;
    }

    /// @dev `records` n, `used` k and `useWeight` w as in the ledger's inputs.
    struct Inputs {
        Score[] contributions;
        uint256 programPoints;
        uint256 records;
        uint256 used;
        uint256 useWeight;
        bool active;
        bool erased;
    }

    /// @dev What the header says of the whole epoch.
    struct Epoch {
        uint32 epoch;
        uint256 sharers;
        uint256 payout;
        uint256 sumUsage;
        uint256 sumData;
        uint256 sumEarly;
        uint256 sumDataAward;
        uint256 sumGovAward;
    }

    /// @dev What a step makes of a row. `closed`: everything was erased, now or before.
    struct Outcome {
        Row row;
        bool closed;
        uint256 points;
        uint256 cash;
        uint256 dataAwarded;
        uint256 govAwarded;
    }

    /// @notice More records were used than the member has.
    error RewardFormula_UsedExceedsRecords(uint256 used, uint256 records);
    /// @notice The row knows of an epoch after the one that is settled.
    error RewardFormula_FromTheFuture(uint32 epoch);
    /// @notice Erasing everything ends a membership, once and for ever.
    error RewardFormula_ErasedAndActive();
    error RewardFormula_Closed();
    /// @notice A member shares, but the header counts no sharer.
    error RewardFormula_NoSharers();

    /// @notice What epoch `e` makes of a row. `closed` = everything was erased in an earlier epoch.
    function step(Params memory p, Epoch memory e, Row memory old, bool closed, Inputs memory inputs)
        internal
        pure
        returns (Outcome memory out)
    {
        _check(e, old, closed, inputs);
        Row memory row = _copy(old);
        uint256 dataEarnedBefore = row.dataEarned;
        (out.row, out.closed) = (row, closed || inputs.erased);
        _usage(p, row, inputs);
        if (inputs.active && inputs.records != 0) out.cash = _cash(p, e, row, dataEarnedBefore);
        // a
        row.cashEarned = (uint256(row.cashEarned) + row.cashStreaming).toUint128();
        row.cashStreaming = out.cash.toUint128();
        (uint256(row.cashEarned) + out.cash).toUint128(); // the leaf shows this sum
        // b
        (row.dataEarned, row.dataVesting) = _release(row.dataEarned, row.dataVesting, p.dustData, p.vestingEpochs);
        (row.govEarned, row.govVesting) = _release(row.govEarned, row.govVesting, p.dustGov, p.vestingEpochs);
        if (inputs.active) _earn(p, e, inputs, out);
    }

    /// @dev Steps 4c to 6, for who is active.
    function _earn(Params memory p, Epoch memory e, Inputs memory inputs, Outcome memory out) private pure {
        Row memory row = out.row;
        // c
        uint256 usedBps = inputs.records == 0 ? 0 : ONE * inputs.used / inputs.records;
        (row.dataLocked, row.dataVesting) = _startVesting(row.dataLocked, row.dataVesting, usedBps);
        (row.govLocked, row.govVesting) = _startVesting(row.govLocked, row.govVesting, usedBps);
        // d
        out.points = _allPoints(p, e.epoch, row, inputs.contributions) + inputs.programPoints;
        uint256 sum = out.points.toUint128();
        // e, then caps
        out.dataAwarded = _capped((sum * p.dataPerPoint / ONE).toUint128(), e.sumDataAward, p.dataCap);
        out.govAwarded = _capped((sum * p.govPerPoint / ONE).toUint128(), e.sumGovAward, p.govCap);
        // part now, part locked
        (row.dataEarned, row.dataLocked) = _award(p, row.dataEarned, row.dataLocked, out.dataAwarded);
        (row.govEarned, row.govLocked) = _award(p, row.govEarned, row.govLocked, out.govAwarded);
    }

    /// @notice The points of one record, given the streak that counts for it.
    function points(Params memory p, Score memory s, uint256 streak) internal pure returns (uint256) {
        if (s.q < p.qMin) return 0;
        uint256 bonus = (streak - 1) * p.bonusPerStep;
        return ((s.q * s.r / ONE + bonus) * s.a / ONE) * s.u / ONE;
    }

    /// @notice What the parameters hash to, as the ledger names it in each proposal.
    function paramsHash(Params memory p) internal pure returns (bytes32) {
        return keccak256(abi.encode(p));
    }

    /// @notice The part of a leaf that the chain never sees opened, unless the member contests.
    function privateHash(Row memory row, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(row, salt));
    }

    /// @notice The private part of a member who erased everything: thirteen zero words.
    function erasedHash() internal pure returns (bytes32) {
        return keccak256(new bytes(13 * 32));
    }

    /// @notice A member's leaf in the tree of inputs.
    function inputsLeaf(uint256 memberId, Inputs memory inputs, bytes32 blinder) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                memberId,
                inputs.contributions,
                inputs.programPoints,
                inputs.records,
                inputs.used,
                inputs.useWeight,
                inputs.active,
                inputs.erased,
                blinder
            )
        );
    }

    /// @notice The leaf of a row: amounts rounded down to units, which are 1 for who is not active.
    function leafOf(Params memory p, uint256 memberId, Row memory row, bool active, bytes32 privateHash_)
        internal
        pure
        returns (bytes32)
    {
        (uint256 cashUnit, uint256 dataUnit, uint256 govUnit) =
            active ? (uint256(p.cashUnit), uint256(p.dataUnit), uint256(p.govUnit)) : (1, 1, 1);
        uint256 cash = _floor(row.cashEarned, cashUnit);
        uint256 stream = _floor(uint256(row.cashEarned) + row.cashStreaming, cashUnit) - cash;
        return LedgerTree.leaf(
            memberId, cash, stream, _floor(row.dataEarned, dataUnit), _floor(row.govEarned, govUnit), privateHash_
        );
    }

    /// @dev Inputs and row that contradict each other, and with which nothing may be computed.
    function _check(Epoch memory e, Row memory old, bool closed, Inputs memory inputs) private pure {
        if (old.lastContribution > e.epoch) revert RewardFormula_FromTheFuture(old.lastContribution);
        if (old.joinEpoch > e.epoch) revert RewardFormula_FromTheFuture(old.joinEpoch);
        if (inputs.used > inputs.records) revert RewardFormula_UsedExceedsRecords(inputs.used, inputs.records);
        if (inputs.erased && inputs.active) revert RewardFormula_ErasedAndActive();
        if (closed && (inputs.active || inputs.erased)) revert RewardFormula_Closed();
        if (inputs.active && inputs.records != 0 && e.sharers == 0) revert RewardFormula_NoSharers();
    }

    /// @dev Step 2, and what leaving or erasing takes away.
    function _usage(Params memory p, Row memory row, Inputs memory inputs) private pure {
        if (inputs.active && !inputs.erased) {
            uint256 weight = row.usageWeight;
            row.usageWeight = (weight - weight / p.smoothing + inputs.useWeight).toUint128();
            return;
        }
        (row.usageWeight, row.dataLocked, row.govLocked) = (0, 0, 0);
        if (!inputs.erased) return;
        row.dataEarned = (uint256(row.dataEarned) + row.dataVesting).toUint128();
        row.govEarned = (uint256(row.govEarned) + row.govVesting).toUint128();
        (row.dataVesting, row.govVesting) = (0, 0);
    }

    /// @dev Step 3 for one sharer.
    function _cash(Params memory p, Epoch memory e, Row memory row, uint256 dataEarned) private pure returns (uint256) {
        uint256 floorEach = (e.payout * p.floorBps / ONE) / e.sharers;
        uint256 rest = e.payout - floorEach * e.sharers;
        uint256 restU = rest * p.mixUsage / ONE;
        uint256 restD = rest * p.mixData / ONE;
        uint256 restE = rest - restU - restD;
        uint256 early = p.earlyCutoff > row.joinEpoch ? p.earlyCutoff - row.joinEpoch : 0;
        return floorEach + _part(restU, row.usageWeight, e.sumUsage, e.sharers)
            + _part(restD, dataEarned, e.sumData, e.sharers) + _part(restE, early, e.sumEarly, e.sharers);
    }

    function _part(uint256 x, uint256 weight, uint256 sum, uint256 sharers) private pure returns (uint256) {
        return sum == 0 ? x / sharers : x * weight / sum;
    }

    /// @dev Step 4b.
    function _release(uint128 earned, uint128 vesting, uint256 dust, uint256 epochs)
        private
        pure
        returns (uint128, uint128)
    {
        uint256 out = Math.min(vesting, Math.max(dust, Math.ceilDiv(vesting, epochs)));
        return ((uint256(earned) + out).toUint128(), uint128(vesting - out));
    }

    /// @dev Step 4c.
    function _startVesting(uint128 locked, uint128 vesting, uint256 usedBps) private pure returns (uint128, uint128) {
        uint256 moved = uint256(locked) * usedBps / ONE;
        return (uint128(locked - moved), (uint256(vesting) + moved).toUint128());
    }

    /// @dev Step 4d: the first record of an epoch that earns anything moves the streak.
    function _allPoints(Params memory p, uint32 epoch, Row memory row, Score[] memory contributions)
        private
        pure
        returns (uint256 sum)
    {
        for (uint256 i; i < contributions.length; ++i) {
            if (row.lastContribution == epoch) {
                sum += points(p, contributions[i], row.streak);
                continue;
            }
            uint256 streak = _nextStreak(p, epoch, row);
            uint256 earned = points(p, contributions[i], streak);
            if (earned == 0) continue;
            sum += earned;
            (row.streak, row.lastContribution) = (uint32(streak), epoch);
        }
    }

    function _nextStreak(Params memory p, uint32 epoch, Row memory row) private pure returns (uint256) {
        bool running = row.lastContribution != 0 && epoch - row.lastContribution <= p.streakWindow;
        return running ? Math.min(uint256(row.streak) + 1, p.maxStreak) : 1;
    }

    /// @dev Step 5.
    function _capped(uint256 award, uint256 sum, uint256 cap) private pure returns (uint256) {
        return sum > cap ? award * cap / sum : award;
    }

    /// @dev Step 6.
    function _award(Params memory p, uint128 earned, uint128 locked, uint256 award)
        private
        pure
        returns (uint128, uint128)
    {
        uint256 nowPaid = award * p.immediateBps / ONE;
        return ((uint256(earned) + nowPaid).toUint128(), (uint256(locked) + award - nowPaid).toUint128());
    }

    function _floor(uint256 amount, uint256 unit) private pure returns (uint256) {
        return amount - amount % unit;
    }

    function _copy(Row memory row) private pure returns (Row memory) {
        return abi.decode(abi.encode(row), (Row));
    }
}
