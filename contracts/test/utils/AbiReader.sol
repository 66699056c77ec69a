// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {Vm} from "forge-std/Vm.sol";

/// @notice Reads what abi/ says about the contracts.
abstract contract AbiReader is Test {
    struct Function {
        string name;
        bytes4 selector;
    }

    string private constant FOLDER = "../abi";
    uint256 private constant MOST_ENTRIES = 256;

    /// @dev The names of all contracts in abi/.
    function _contractNames() internal view returns (string[] memory names) {
        Vm.DirEntry[] memory files = vm.readDir(FOLDER);
        names = new string[](files.length);
        for (uint256 i; i < names.length; ++i) {
            string[] memory parts = vm.split(files[i].path, "/");
            names[i] = vm.replace(parts[parts.length - 1], ".json", "");
        }
    }

    /// @dev The functions of a contract that change state.
    function _stateChanging(string memory name) internal view returns (Function[] memory functions) {
        string memory json = vm.readFile(string.concat(FOLDER, "/", name, ".json"));
        functions = new Function[](MOST_ENTRIES);
        uint256 n;
        for (uint256 i;; ++i) {
            string memory at = string.concat(".abi[", vm.toString(i), "]");
            if (!vm.keyExistsJson(json, at)) break;
            if (!_isStateChanging(json, at)) continue;
            string memory called = vm.parseJsonString(json, string.concat(at, ".name"));
            bytes memory signature = bytes(string.concat(called, _tuple(json, string.concat(at, ".inputs"))));
            functions[n++] = Function(called, bytes4(keccak256(signature)));
        }
        assembly ("memory-safe") {
            mstore(functions, n)
        }
    }

    function _isStateChanging(string memory json, string memory at) private pure returns (bool) {
        if (!_is(vm.parseJsonString(json, string.concat(at, ".type")), "function")) return false;
        string memory mutability = vm.parseJsonString(json, string.concat(at, ".stateMutability"));
        return _is(mutability, "nonpayable") || _is(mutability, "payable");
    }

    /// @dev The canonical form of a list of parameters, tuples spelled out.
    function _tuple(string memory json, string memory at) private view returns (string memory text) {
        for (uint256 i;; ++i) {
            string memory item = string.concat(at, "[", vm.toString(i), "]");
            if (!vm.keyExistsJson(json, item)) return string.concat("(", text, ")");
            string memory kind = vm.parseJsonString(json, string.concat(item, ".type"));
            if (bytes(kind).length >= 5 && _is(_head(kind), "tuple")) {
                kind = vm.replace(kind, "tuple", _tuple(json, string.concat(item, ".components")));
            }
            text = i == 0 ? kind : string.concat(text, ",", kind);
        }
    }

    function _head(string memory text) private pure returns (string memory) {
        bytes memory head = new bytes(5);
        for (uint256 i; i < 5; ++i) {
            head[i] = bytes(text)[i];
        }
        return string(head);
    }

    function _is(string memory a, string memory b) internal pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }
}
