// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Whether the cooperative has become large and old enough to decide about its money and its charter.
interface IConstitution {
    /// @notice When it was constituted, in unix seconds; 0 before that. It never changes back.
    /// @return unix seconds
    function constitutedAt() external view returns (uint64);
}
