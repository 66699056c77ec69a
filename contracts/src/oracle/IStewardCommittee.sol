// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What the settlement asks of the stewards.
interface IStewardCommittee {
    /// @notice Reverts unless at least a quorum of stewards signed `digest`, in ascending order of steward id.
    function verifyQuorum(bytes32 digest, bytes[] calldata signatures) external view;
}
