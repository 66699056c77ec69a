// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What the settlement asks of the stewards.
interface IStewardCommittee {
    /// @notice Reverts unless at least a quorum of stewards with an active seat signed `digest`, in ascending order of
    /// steward id. Returns the set of these signers, as `IStewardBonds` explains it.
    /// @param digest what was signed
    /// @param signatures ECDSA, by steward id ascending
    /// @return signers the set of those that count
    function verifyQuorum(bytes32 digest, bytes[] calldata signatures) external view returns (uint256 signers);
}
