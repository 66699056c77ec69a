// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a sale asks of researchers' collateral.
interface IResearcherBond {
    /// @notice Whether a researcher holds at least the least bond, in the token that is accepted now.
    /// @param researcher who may buy
    /// @return false where the bond is in a token that is accepted no more
    function isBonded(address researcher) external view returns (bool);
}
