// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a sale asks of the ethics board's decisions.
interface IEthicsRegistry {
    /// @notice Until when a researcher is approved for a purpose, in unix seconds; 0 = never was.
    function approvedUntil(address researcher, uint16 purpose) external view returns (uint64);
}
