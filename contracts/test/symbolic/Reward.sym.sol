// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardFormula} from "../../src/settlement/RewardFormula.sol";

/// @notice The arithmetic of a row's step. Scores take the values that a score can take; amounts are bounded where a
/// product of two unknowns would be beyond a solver, and each check says how.
contract RewardSymbolic {
    uint256 private constant ONE = 10_000;

    function _params() private pure returns (RewardFormula.Params memory p) {
        (p.qMin, p.bonusPerStep, p.maxStreak, p.streakWindow) = (2_000, 500, 12, 4);
        (p.dataPerPoint, p.dataCap) = (uint128(ONE), type(uint128).max);
        (p.immediateBps, p.vestingEpochs, p.dustData) = (4_000, 26, 1e15);
        (p.smoothing, p.floorBps, p.mixUsage, p.mixData, p.mixEarly) = (13, 2_000, 8_000, 1_000, 1_000);
        (p.cashUnit, p.dataUnit, p.govUnit) = (1, 1, 1);
    }

    function _score(uint16 q, uint16 u, uint8 kind) private pure returns (RewardFormula.Score memory s) {
        (s.q, s.u) = (q, u);
        if (q > ONE || u > ONE) (s.q, s.u) = (0, 0);
        s.a = kind & 2 == 0 ? (kind & 1 == 0 ? 3_000 : 7_000) : (kind & 1 == 0 ? 9_000 : 10_000);
        s.r = kind & 8 == 0 ? (kind & 4 == 0 ? 10_000 : 12_500) : (kind & 4 == 0 ? 15_000 : 20_000);
    }

    /// @dev No record earns more than twice its best quality and the longest streak's bonus. Of unique records, to which
    /// the factor for copies adds nothing.
    function check_PointsAreBounded(uint16 q, uint8 kind, uint8 streak) external pure {
        if (streak == 0 || streak > 12) return;
        uint256 points = RewardFormula.points(_params(), _score(q, uint16(ONE), kind), streak);
        assert(points <= 2 * ONE + 11 * 500);
    }

    /// @dev A copy never earns more than an original of the same quality, here of the best kind.
    function check_ACopyEarnsNotMore(uint16 q, uint16 u) external pure {
        if (q > ONE || u > ONE) return;
        RewardFormula.Params memory p = _params();
        uint256 copy = RewardFormula.points(p, RewardFormula.Score(q, u, 10_000, 20_000), 12);
        assert(copy <= RewardFormula.points(p, RewardFormula.Score(q, ONE, 10_000, 20_000), 12));
    }

    /// @dev A bonus never pays for what is bad or a copy.
    function check_JunkEarnsNothing(uint16 q, uint16 u, uint8 kind, uint8 streak) external pure {
        if (streak == 0 || streak > 12) return;
        if (q >= 2_000 && u != 0) return;
        assert(RewardFormula.points(_params(), _score(q, u, kind), streak) == 0);
    }

    function _row(uint64 earned, uint64 locked, uint64 vesting) private pure returns (RewardFormula.Row memory row) {
        (row.dataEarned, row.dataLocked, row.dataVesting) = (earned, locked, vesting);
    }

    function _data(RewardFormula.Row memory row) private pure returns (uint256) {
        return uint256(row.dataEarned) + row.dataLocked + row.dataVesting;
    }

    function _step(RewardFormula.Params memory p, RewardFormula.Row memory row, RewardFormula.Inputs memory inputs)
        private
        pure
        returns (RewardFormula.Outcome memory)
    {
        RewardFormula.Epoch memory e;
        (e.epoch, e.sharers) = (5, 1);
        return RewardFormula.step(p, e, row, false, inputs);
    }

    /// @dev What vests becomes earned, and nothing is lost on the way.
    function check_VestingConserves(uint64 earned, uint64 vesting) external pure {
        RewardFormula.Inputs memory inputs;
        inputs.active = true;
        RewardFormula.Row memory row = _step(_params(), _row(earned, 0, vesting), inputs).row;
        assert(uint256(row.dataEarned) + row.dataVesting == uint256(earned) + vesting);
        assert(row.dataEarned >= earned && row.dataLocked == 0);
    }

    /// @dev What is used starts to vest, and nothing is lost on the way. Of four records any number was used.
    function check_UseConserves(uint64 locked, uint8 used) external pure {
        RewardFormula.Inputs memory inputs;
        (inputs.active, inputs.records) = (true, 4);
        inputs.used = used == 0 ? 0 : used == 1 ? 1 : used == 2 ? 2 : used == 3 ? 3 : 4;
        RewardFormula.Row memory row = _step(_params(), _row(0, locked, 0), inputs).row;
        assert(uint256(row.dataLocked) + row.dataVesting == locked);
        assert(row.dataEarned == 0);
        if (inputs.used == 4) assert(row.dataLocked == 0);
        if (inputs.used == 0) assert(row.dataLocked == locked);
    }

    /// @dev Who left loses what is locked and keeps the rest; what vests goes on becoming theirs.
    function check_LeavingKeepsWhatVests(uint64 earned, uint64 locked, uint64 vesting, bool erased) external pure {
        RewardFormula.Params memory p = _params();
        RewardFormula.Epoch memory e;
        e.epoch = 5;
        RewardFormula.Inputs memory inputs;
        inputs.erased = erased;
        RewardFormula.Row memory row = _row(earned, locked, vesting);
        RewardFormula.Outcome memory out = RewardFormula.step(p, e, row, false, inputs);
        assert(_data(out.row) == uint256(earned) + vesting);
        assert(out.row.dataLocked == 0);
        if (erased) assert(out.row.dataVesting == 0);
    }

    /// @dev Part now, part locked: together they are the award, to the wei, whatever the row held.
    function check_NowAndLockedAreTheAward(uint64 earned, uint64 locked, uint32 points) external pure {
        RewardFormula.Inputs memory inputs;
        (inputs.active, inputs.programPoints) = (true, points);
        RewardFormula.Outcome memory out = _step(_params(), _row(earned, locked, 0), inputs);
        assert(_data(out.row) == uint256(earned) + locked + out.dataAwarded);
        assert(out.row.dataEarned >= earned && out.row.dataLocked >= locked);
    }

    /// @dev An award that is a part of the epoch's sum is scaled to a part of the cap. Of 8 bits each.
    function check_AScaledAwardFitsTheCap(uint8 award, uint8 sum, uint8 cap) external pure {
        if (award > sum || sum <= cap) return;
        assert(_awarded(award, sum, cap) <= cap);
    }

    /// @dev What a new member with nothing but program points is awarded; one point is one wei.
    function _awarded(uint256 points, uint256 sum, uint16 cap) private pure returns (uint256) {
        RewardFormula.Params memory p = _params();
        p.dataCap = cap;
        RewardFormula.Epoch memory e;
        (e.epoch, e.sumDataAward) = (5, sum);
        RewardFormula.Inputs memory inputs;
        (inputs.active, inputs.programPoints) = (true, points);
        return RewardFormula.step(p, e, _row(0, 0, 0), false, inputs).dataAwarded;
    }
}
