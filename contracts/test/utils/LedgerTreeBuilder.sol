// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The settlement tree, built in memory by the definition rather than by the contract's code.
/// `leaves[i]` is the leaf of member `i`; `leaves[0]` stays empty.
library LedgerTreeBuilder {
    function root(bytes32[] memory leaves, uint256 depth) internal pure returns (bytes32 node) {
        bytes32 empty;
        bytes32[] memory level = leaves;
        for (uint256 i; i < depth; ++i) {
            level = _above(level, empty);
            empty = keccak256(abi.encode(empty, empty));
        }
        return level[0];
    }

    function proof(bytes32[] memory leaves, uint256 index, uint256 depth)
        internal
        pure
        returns (bytes32[] memory path)
    {
        path = new bytes32[](depth);
        bytes32 empty;
        bytes32[] memory level = leaves;
        for (uint256 i; i < depth; ++i) {
            uint256 sibling = index ^ 1;
            path[i] = sibling < level.length ? level[sibling] : empty;
            level = _above(level, empty);
            empty = keccak256(abi.encode(empty, empty));
            index >>= 1;
        }
    }

    function _above(bytes32[] memory level, bytes32 empty) private pure returns (bytes32[] memory next) {
        next = new bytes32[]((level.length + 1) / 2);
        for (uint256 i; i < next.length; ++i) {
            bytes32 right = 2 * i + 1 < level.length ? level[2 * i + 1] : empty;
            next[i] = keccak256(abi.encode(level[2 * i], right));
        }
    }
}
