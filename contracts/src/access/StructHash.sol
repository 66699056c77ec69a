// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title StructHash
/// @notice EIP-712 `hashStruct` of a struct of static fields that lies in calldata, where its encoding already is what
/// has to be hashed: one copy in place of a decoding and an encoding.
/// @dev A field with dirty high bits hashes to something nobody signed. The memory used is not reserved.
library StructHash {
    function ofCalldata(bytes32 typeHash, uint256 offset, uint256 words) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            mstore(ptr, typeHash)
            calldatacopy(add(ptr, 32), offset, shl(5, words))
            hash := keccak256(ptr, shl(5, add(words, 1)))
        }
    }
}
