// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What the other contracts ask about consent.
interface IConsentRegistry {
    /// @notice For each member: the account whose signature counts, and above it (shifted by 160 bits) the version of its
    /// live consent; 0 where the member is not active or has no live consent.
    /// @dev One word for each, because a batch of contributions copies this list four times on its way.
    /// @param memberIds in any order
    /// @return one word for each id, in the same order
    function consentersOf(uint32[] calldata memberIds) external view returns (uint256[] memory);
}
