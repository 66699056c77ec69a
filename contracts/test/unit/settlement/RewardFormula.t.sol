// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {LedgerTree} from "../../../src/settlement/LedgerTree.sol";
import {RewardFormula} from "../../../src/settlement/RewardFormula.sol";
import {LedgerVectors} from "../../utils/LedgerVectors.sol";

/// @notice Replays /vectors, which the Rust ledger wrote: one definition, two implementations, the same bits.
contract RewardFormulaTest is LedgerVectors {
    function setUp() external {
        _loadParams();
    }

    // ------------------------------------------------------------------------------------------ harness

    /// @dev External, so that a revert can be seen.
    function step(uint256[] memory w) public view returns (RewardFormula.Outcome memory) {
        return RewardFormula.step(_params(w[0]), _epoch(w), _row(w, 2), w[14] != 0, _inputs(w));
    }

    function rootOf(uint256 index, bytes32 leaf, bytes32[] calldata proof) public pure returns (bytes32) {
        return LedgerTree.rootOf(leaf, index, proof);
    }

    // ------------------------------------------------------------------------------------------ vectors

    function test_ReplayParams() external view {
        uint256 count = paramsWords.length / paramsStride;
        assertGt(count, 1);
        for (uint256 i; i < count; ++i) {
            bytes32 expected = bytes32(paramsWords[i * paramsStride + 24]);
            assertEq(RewardFormula.paramsHash(_params(i)), expected);
        }
    }

    function test_ReplayPoints() external view {
        string memory json = vm.readFile("../vectors/points.json");
        uint256[] memory w = vm.parseJsonUintArray(json, ".words");
        assertGe(w.length, 7 * 100);
        for (uint256 i; i < w.length; i += 7) {
            RewardFormula.Score memory s = RewardFormula.Score(w[i + 1], w[i + 2], w[i + 3], w[i + 4]);
            assertEq(RewardFormula.points(_params(w[i]), s, w[i + 5]), w[i + 6]);
        }
    }

    function test_ReplayRows() external view {
        (uint256[] memory words, uint256 count) = _rowsOf("rows");
        assertGe(count, 1_000);
        for (uint256 i; i < count; ++i) {
            _replay(_slice(words, i));
        }
    }

    function test_ReplayEdges() external view {
        (uint256[] memory words, uint256 count) = _rowsOf("edges");
        assertGe(count, 20);
        for (uint256 i; i < count; ++i) {
            _replay(_slice(words, i));
        }
    }

    function test_RevertWhen_ReplayingBadRows() external {
        (uint256[] memory words, uint256 count) = _rowsOf("_bad_rows");
        assertGe(count, 10);
        for (uint256 i; i < count; ++i) {
            (bool ok, bytes memory why) = address(this).staticcall(abi.encodeCall(this.step, (_slice(words, i))));
            assertFalse(ok);
            assertGe(why.length, 4, "an error of the formula or a panic, nothing without a reason");
        }
    }

    /// @dev A row that is right but for one word, which `step` must refuse for that reason.
    function _expectRefusal(uint256 column, uint256 word, bytes memory reason) private {
        uint256[] memory w = _randomRow(1);
        w[column] = word;
        vm.expectRevert(reason);
        this.step(w);
    }

    function test_RevertWhen_ARowKnowsOfALaterEpoch() external {
        bytes memory reason = abi.encodeWithSelector(RewardFormula.RewardFormula_FromTheFuture.selector, 11);
        _expectRefusal(12, 11, reason); // the last contribution; the epoch is 10
        _expectRefusal(13, 11, reason); // the epoch of joining
    }

    function test_RevertWhen_InputsContradictThemselves() external {
        _expectRefusal(26, 11, abi.encodeWithSelector(RewardFormula.RewardFormula_UsedExceedsRecords.selector, 11, 10));
        _expectRefusal(24, 1, abi.encodeWithSelector(RewardFormula.RewardFormula_ErasedAndActive.selector));
        _expectRefusal(14, 1, abi.encodeWithSelector(RewardFormula.RewardFormula_Closed.selector));
        _expectRefusal(16, 0, abi.encodeWithSelector(RewardFormula.RewardFormula_NoSharers.selector));
    }

    function test_RevertWhen_WhatIsClosedIsErasedAgain() external {
        uint256[] memory w = _randomRow(1);
        (w[14], w[23], w[24]) = (1, 0, 1);
        vm.expectRevert(RewardFormula.RewardFormula_Closed.selector);
        this.step(w);
    }

    function _replay(uint256[] memory w) internal view {
        RewardFormula.Params memory p = _params(w[0]);
        RewardFormula.Inputs memory inputs = _inputs(w);
        RewardFormula.Outcome memory out = RewardFormula.step(p, _epoch(w), _row(w, 2), w[14] != 0, inputs);
        assertEq(abi.encode(out.row), abi.encode(_row(w, 48)), "row");
        assertEq(out.closed, w[60] != 0, "closed");
        assertEq(out.points, w[61], "points");
        assertEq(out.cash, w[62], "cash");
        assertEq(out.dataAwarded, w[63], "data awarded");
        assertEq(out.govAwarded, w[64], "gov awarded");
        bytes32 privateHash =
            out.closed ? RewardFormula.erasedHash() : RewardFormula.privateHash(out.row, bytes32(w[47]));
        assertEq(privateHash, bytes32(w[69]), "private hash");
        bytes32 leaf = RewardFormula.leafOf(p, w[1], out.row, inputs.active, privateHash);
        assertEq(leaf, bytes32(w[70]), "leaf");
        assertEq(leaf, LedgerTree.leaf(w[1], w[65], w[66], w[67], w[68], privateHash), "amounts of the leaf");
        assertEq(RewardFormula.inputsLeaf(w[1], inputs, bytes32(w[46])), bytes32(w[71]), "inputs leaf");
    }

    function test_ReplayTree() external view {
        string memory json = vm.readFile("../vectors/tree.json");
        uint256 depth = vm.parseJsonUint(json, ".depth");
        bytes32 root = vm.parseJsonBytes32(json, ".root");
        assertEq(LedgerTree.emptyRoot(depth), vm.parseJsonBytes32(json, ".emptyRoot"));
        uint256[] memory w = vm.parseJsonUintArray(json, ".proofs");
        uint256 stride = 2 + depth;
        assertGt(w.length, stride);
        for (uint256 i; i < w.length; i += stride) {
            assertEq(this.rootOf(w[i], bytes32(w[i + 1]), _siblings(w, i + 2, depth)), root);
        }
    }

    function test_RevertWhen_ReplayingBadProofs() external view {
        string memory good = vm.readFile("../vectors/tree.json");
        bytes32 root = vm.parseJsonBytes32(good, ".root");
        uint256 depth = vm.parseJsonUint(good, ".depth");
        string memory json = vm.readFile("../vectors/_bad_proofs.json");
        uint256[] memory w = vm.parseJsonUintArray(json, ".words");
        uint256 stride = 2 + depth;
        assertEq(vm.parseJsonUint(json, ".stride"), stride);
        assertGe(w.length, stride);
        for (uint256 i; i < w.length; i += stride) {
            // As SettlementLedger has it: an id beyond the depth is refused before the path is walked.
            bool refused =
                w[i] >> depth != 0 || this.rootOf(w[i], bytes32(w[i + 1]), _siblings(w, i + 2, depth)) != root;
            assertTrue(refused, vm.toString(i / stride));
        }
    }

    function _siblings(uint256[] memory w, uint256 at, uint256 depth) internal pure returns (bytes32[] memory s) {
        s = new bytes32[](depth);
        for (uint256 i; i < depth; ++i) {
            s[i] = bytes32(w[at + i]);
        }
    }

    // ------------------------------------------------------------------------------------------ fuzz

    /// @dev What is earned, locked and vesting after a step is what was before, plus the award.
    function testFuzz_NoWeiIsLostOrMade(uint256 seed) external view {
        uint256[] memory w = _randomRow(seed);
        RewardFormula.Row memory old = _row(w, 2);
        RewardFormula.Outcome memory out = this.step(w);
        uint256 dataBefore = uint256(old.dataEarned) + old.dataLocked + old.dataVesting;
        uint256 dataAfter = uint256(out.row.dataEarned) + out.row.dataLocked + out.row.dataVesting;
        assertEq(dataAfter, dataBefore + out.dataAwarded);
        uint256 govBefore = uint256(old.govEarned) + old.govLocked + old.govVesting;
        uint256 govAfter = uint256(out.row.govEarned) + out.row.govLocked + out.row.govVesting;
        assertEq(govAfter, govBefore + out.govAwarded);
        assertEq(uint256(out.row.cashEarned), uint256(old.cashEarned) + old.cashStreaming);
        assertLe(out.cash, w[17], "a share is at most the payout");
        assertGe(out.row.dataEarned, old.dataEarned, "earned never shrinks");
    }

    /// @dev An active sharer with one record and sums that hold its own weight.
    function _randomRow(uint256 seed) internal view returns (uint256[] memory w) {
        w = new uint256[](ROW_STRIDE);
        for (uint256 i = 2; i < 11; ++i) {
            w[i] = uint256(keccak256(abi.encode(seed, i))) % 1e30;
        }
        w[0] = seed % (paramsWords.length / paramsStride);
        (w[1], w[11], w[12], w[13]) = (1, seed % 12, seed % 9, seed % 7);
        (w[15], w[16], w[17]) = (10, 1 + seed % 50, uint256(keccak256(abi.encode(seed, "payout"))) % 1e18);
        (w[18], w[19], w[20]) = (w[10] + 1e10 + seed % 1e30, w[4] + seed % 1e30, 1_000_000);
        (w[21], w[22]) = (seed % 2e26, seed % 2e25);
        (w[23], w[25], w[26], w[27]) = (1, 10, seed % 11, seed % 1e10);
        w[29] = 1;
        (w[30], w[31], w[32], w[33]) = (seed % 10_001, (seed >> 16) % 10_001, 9_000, 12_500);
    }
}
