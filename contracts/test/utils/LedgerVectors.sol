// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {RewardFormula} from "../../src/settlement/RewardFormula.sol";

/// @notice Reads the rows of /vectors, which the Rust ledger wrote.
abstract contract LedgerVectors is Test {
    uint256 internal constant ROW_STRIDE = 72;

    uint256 internal paramsStride;
    uint256[] internal paramsWords;

    function _loadParams() internal {
        string memory json = vm.readFile("../vectors/params.json");
        paramsStride = vm.parseJsonUint(json, ".stride");
        paramsWords = vm.parseJsonUintArray(json, ".words");
    }

    /// @dev The columns of a parameter set are the words of the struct.
    function _params(uint256 index) internal view returns (RewardFormula.Params memory) {
        uint256[24] memory words;
        for (uint256 i; i < 24; ++i) {
            words[i] = paramsWords[index * paramsStride + i];
        }
        return abi.decode(abi.encode(words), (RewardFormula.Params));
    }

    function _row(uint256[] memory w, uint256 at) internal pure returns (RewardFormula.Row memory) {
        uint256[12] memory words;
        for (uint256 i; i < 12; ++i) {
            words[i] = w[at + i];
        }
        return abi.decode(abi.encode(words), (RewardFormula.Row));
    }

    function _epoch(uint256[] memory w) internal pure returns (RewardFormula.Epoch memory) {
        return RewardFormula.Epoch({
            epoch: uint32(w[15]),
            sharers: w[16],
            payout: w[17],
            sumUsage: w[18],
            sumData: w[19],
            sumEarly: w[20],
            sumDataAward: w[21],
            sumGovAward: w[22]
        });
    }

    function _inputs(uint256[] memory w) internal pure returns (RewardFormula.Inputs memory inputs) {
        (inputs.active, inputs.erased) = (w[23] != 0, w[24] != 0);
        (inputs.records, inputs.used, inputs.useWeight, inputs.programPoints) = (w[25], w[26], w[27], w[28]);
        inputs.contributions = new RewardFormula.Score[](w[29]);
        for (uint256 i; i < w[29]; ++i) {
            uint256 at = 30 + 4 * i;
            inputs.contributions[i] = RewardFormula.Score(w[at], w[at + 1], w[at + 2], w[at + 3]);
        }
    }

    function _slice(uint256[] memory words, uint256 index) internal pure returns (uint256[] memory w) {
        w = new uint256[](ROW_STRIDE);
        for (uint256 i; i < ROW_STRIDE; ++i) {
            w[i] = words[index * ROW_STRIDE + i];
        }
    }

    function _rowsOf(string memory file) internal view returns (uint256[] memory words, uint256 count) {
        string memory json = vm.readFile(string.concat("../vectors/", file, ".json"));
        assertEq(vm.parseJsonUint(json, ".stride"), ROW_STRIDE, "stride");
        words = vm.parseJsonUintArray(json, ".words");
        count = words.length / ROW_STRIDE;
        assertEq(vm.parseJsonUint(json, ".count"), count, "count");
    }
}
