// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a sale asks of the ethics board's decisions.
interface IEthicsRegistry {
    /// @notice Until when a researcher is approved for a purpose, in unix seconds; 0 = never was.
    /// @param researcher who asks for data
    /// @param purpose number of a GA4GH DUO permission
    /// @return the first second in which it is approved no more
    function approvedUntil(address researcher, uint16 purpose) external view returns (uint64);
}
