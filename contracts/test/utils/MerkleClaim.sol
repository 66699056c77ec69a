// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// @notice The plainest claim that OpenZeppelin's parts make: a cumulative root, one token, no window, no proxy, nobody
/// who checks the root. What ours costs more is what it does more.
contract MerkleClaim {
    using SafeERC20 for IERC20;

    IERC20 private immutable TOKEN;
    bytes32 public root;
    mapping(address payee => uint256) public claimed;

    constructor(IERC20 token, bytes32 root_) {
        (TOKEN, root) = (token, root_);
    }

    function claim(address payee, uint256 cumulative, bytes32[] calldata proof) external {
        bytes32 leaf = leafOf(payee, cumulative);
        require(MerkleProof.verifyCalldata(proof, root, leaf), "proof");
        uint256 due = cumulative - claimed[payee];
        claimed[payee] = cumulative;
        TOKEN.safeTransfer(payee, due);
    }

    function setRoot(bytes32 root_) external {
        root = root_;
    }

    function leafOf(address payee, uint256 cumulative) public pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(payee, cumulative))));
    }
}
