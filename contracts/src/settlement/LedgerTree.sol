// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {ISettlementLedger} from "./ISettlementLedger.sol";

/// @title LedgerTree
/// @notice The settlement tree: index = member id, bit 0 of the id picks the side at the lowest level,
/// node = keccak(abi.encode(left, right)), empty leaf = 0.
library LedgerTree {
    /// @notice A leaf as the chain sees it: what a member is entitled to, and the hash of the rest of the row.
    /// @dev Hashed twice, so that no inner node can be passed off as a leaf.
    function leaf(uint256 memberId, uint256 cash, uint256 stream, uint256 data, uint256 gov, bytes32 privateHash)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(bytes.concat(keccak256(abi.encode(memberId, cash, stream, data, gov, privateHash))));
    }

    /// @notice As `leaf`, of a claim: its fields are those of a leaf, in their order.
    function leafOf(ISettlementLedger.Claim calldata c) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(c))));
    }

    /// @notice The root of the subtree with these leaves, which are as many as a power of two. Overwrites them.
    function subtreeOf(bytes32[] memory nodes) internal pure returns (bytes32) {
        // Nothing here can overflow: no index exceeds the length.
        unchecked {
            for (uint256 count = nodes.length; count > 1; count /= 2) {
                for (uint256 i; i < count; i += 2) {
                    nodes[i / 2] = Hashes.efficientKeccak256(nodes[i], nodes[i + 1]);
                }
            }
        }
        return nodes[0];
    }

    /// @notice The root that `proof` (lowest sibling first) leads to; see docs/gas.md.
    function rootOf(bytes32 node, uint256 index, bytes32[] calldata proof) internal pure returns (bytes32) {
        assembly ("memory-safe") {
            let end := add(proof.offset, shl(5, proof.length))
            for { let at := proof.offset } lt(at, end) { at := add(at, 32) } {
                // Scratch space: the side is chosen by offset, 0 or 32, so that nothing branches.
                let side := shl(5, and(index, 1))
                mstore(side, node)
                mstore(xor(side, 32), calldataload(at))
                node := keccak256(0, 64)
                index := shr(1, index)
            }
        }
        return node;
    }

    /// @notice Whether `node` is the leaf of `index` in the tree of this root and depth.
    function isAt(bytes32 root, uint256 depth, uint256 index, bytes32 node, bytes32[] calldata proof)
        internal
        pure
        returns (bool)
    {
        return proof.length == depth && index >> depth == 0 && rootOf(node, index, proof) == root;
    }

    /// @notice The root of a tree with no leaf in it.
    function emptyRoot(uint256 depth) internal pure returns (bytes32 node) {
        for (uint256 i; i < depth; ++i) {
            node = keccak256(abi.encode(node, node));
        }
    }
}
