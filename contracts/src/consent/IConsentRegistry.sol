// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What the other contracts ask about consent.
interface IConsentRegistry {
    /// @notice For each member: the account whose signature counts and the version of its live consent;
    /// both zero where the member is not active or has no live consent.
    function consentersOf(uint32[] calldata memberIds)
        external
        view
        returns (address[] memory accounts, uint32[] memory versions);
}
