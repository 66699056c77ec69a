// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ContestVerifier} from "../../../src/settlement/ContestVerifier.sol";
import {IContestVerifier} from "../../../src/settlement/IContestVerifier.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {RewardFormula} from "../../../src/settlement/RewardFormula.sol";
import {LedgerVectors} from "../../utils/LedgerVectors.sol";

/// @notice Judges the openings of vectors/contests.json, which the Rust core wrote and judges by `is_wrong` (ContestVerifier.tree:
/// vectors). A member's program never sends what is refused here, nor keeps to itself what is wrong here.
contract ContestVectorsTest is LedgerVectors {
    uint256 private constant STRIDE = 86;
    uint256 private constant DEPTH = 4;

    ContestVerifier private verifier;

    function setUp() external {
        _loadParams();
        verifier = new ContestVerifier();
    }

    function test_EveryContestIsJudgedAsTheCoreJudgesIt() external view {
        string memory json = vm.readFile("../vectors/contests.json");
        assertEq(vm.parseJsonUint(json, ".stride"), STRIDE, "stride");
        uint256[] memory words = vm.parseJsonUintArray(json, ".words");
        string[] memory names = vm.parseJsonStringArray(json, ".names");
        assertEq(words.length, names.length * STRIDE, "count");
        uint256[7] memory seen;
        for (uint256 i; i < names.length; ++i) {
            uint256[] memory w = new uint256[](STRIDE);
            for (uint256 column; column < STRIDE; ++column) {
                w[column] = words[i * STRIDE + column];
            }
            assertEq(_judge(w), w[85], names[i]);
            assertEq(_secret(w), w[84], string.concat(names[i], ": whose key salts the row"));
            ++seen[w[85]];
        }
        for (uint256 verdict; verdict < 7; ++verdict) {
            assertGt(seen[verdict], 0, vm.toString(verdict));
        }
    }

    /// @dev The verdict's column: 0 right, 1 wrong, from 2 on what does not open.
    function _judge(uint256[] memory w) private view returns (uint256) {
        try verifier.judge(uint32(w[1]), bytes32(w[2]), DEPTH, _opening(w)) returns (bool wrong) {
            return wrong ? 1 : 0;
        } catch (bytes memory reason) {
            bytes4[5] memory refusals = [
                ContestVerifier.ContestVerifier_BadParams.selector,
                ContestVerifier.ContestVerifier_BadOldRow.selector,
                ContestVerifier.ContestVerifier_BadInputs.selector,
                ContestVerifier.ContestVerifier_BadNewLeaf.selector,
                ContestVerifier.ContestVerifier_NoWayOn.selector
            ];
            for (uint256 i; i < 5; ++i) {
                if (bytes4(reason) == refusals[i]) return i + 2;
            }
            return type(uint256).max;
        }
    }

    /// @dev 1 where the member's key salts the row that the formula gives, 2 where zeros do, 0 where neither.
    function _secret(uint256[] memory w) private view returns (uint256) {
        uint64 epoch = uint64(w[6]);
        bytes32 own = verifier.saltOf(bytes32(w[3]), epoch);
        bytes32 zeros = verifier.saltOf(0, epoch);
        assertEq(own, bytes32(w[82]), "salt");
        assertEq(zeros, bytes32(w[83]), "salt of zeros");
        try this.step(w) returns (RewardFormula.Outcome memory out) {
            bytes32 byKey = out.closed ? RewardFormula.erasedHash() : RewardFormula.privateHash(out.row, own);
            bytes32 byZeros = out.closed ? RewardFormula.erasedHash() : RewardFormula.privateHash(out.row, zeros);
            if (bytes32(w[69]) == byKey && w[3] != 0) return 1;
            return bytes32(w[69]) == byZeros ? 2 : 0;
        } catch {
            return 0;
        }
    }

    /// @dev External, so that a revert can be seen.
    function step(uint256[] memory w) external view returns (RewardFormula.Outcome memory) {
        RewardFormula.Epoch memory e =
            RewardFormula.Epoch(uint32(w[6]), w[13], w[14], w[15], w[16], w[17], w[18], w[19]);
        RewardFormula.Row memory row = _row(w, 29);
        if (w[4] != 0) row.joinEpoch = uint32(w[6]);
        return RewardFormula.step(_params(w[0]), e, row, w[5] != 0, _inputsOf(w));
    }

    function _opening(uint256[] memory w) private view returns (IContestVerifier.Opening memory o) {
        o.header = _header(w);
        (o.params, o.first, o.closed) = (_params(w[0]), w[4] != 0, w[5] != 0);
        o.shown = IContestVerifier.Shown(uint128(w[25]), uint128(w[26]), uint128(w[27]), uint128(w[28]));
        (o.oldRow, o.rowKey, o.oldProof) = (_row(w, 29), bytes32(w[3]), _path(w, 70));
        (o.inputs, o.blinder, o.inputsProof) = (_inputsOf(w), bytes32(w[64]), _path(w, 74));
        o.newLeaf = ISettlementLedger.Claim(
            uint32(w[1]), uint128(w[65]), uint128(w[66]), uint128(w[67]), uint128(w[68]), bytes32(w[69])
        );
        o.newProof = _path(w, 78);
    }

    function _header(uint256[] memory w) private pure returns (ISettlementLedger.Header memory h) {
        uint256[19] memory words;
        for (uint256 i; i < 19; ++i) {
            words[i] = w[6 + i];
        }
        return abi.decode(abi.encode(words), (ISettlementLedger.Header));
    }

    /// @dev Inputs stand 18 columns further right than in a row of vectors/rows.json.
    function _inputsOf(uint256[] memory w) private pure returns (RewardFormula.Inputs memory) {
        uint256[] memory row = new uint256[](ROW_STRIDE);
        for (uint256 column = 23; column < 46; ++column) {
            row[column] = w[column + 18];
        }
        return _inputs(row);
    }

    function _path(uint256[] memory w, uint256 at) private pure returns (bytes32[] memory path) {
        path = new bytes32[](DEPTH);
        for (uint256 i; i < DEPTH; ++i) {
            path[i] = bytes32(w[at + i]);
        }
    }
}
