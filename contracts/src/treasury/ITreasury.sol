// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What the cooperative's other contracts ask of the Treasury. All amounts are micro-USDC.
interface ITreasury {
    /// @dev In the order of `buckets()`.
    enum Bucket {
        Contributors,
        Buyback,
        Operations,
        Compliance,
        Reserve
    }

    /// @notice Splits the price of a license over the buckets, after the money arrived. Sellers only.
    /// @param licenseId what was sold
    /// @param datasetId of which dataset
    /// @param amount micro-USDC that are here already
    function book(uint64 licenseId, uint32 datasetId, uint256 amount) external;

    /// @notice Pulls USDC from the caller, who approved it, into the reserve. Anyone.
    /// @param amount micro-USDC
    function donate(uint256 amount) external;

    /// @notice Pays an operator out of operations; reverts beyond what is there. OperatorPay only.
    /// @param to the operator
    /// @param amount micro-USDC
    function payOperator(address to, uint256 amount) external;

    /// @notice Pays a lot out of the buyback bucket; reverts beyond what is there. Buyback only.
    /// @param to who sold DATA
    /// @param amount micro-USDC
    function takeLot(address to, uint256 amount) external;

    /// @notice What a bucket other than the contributors' still holds: booked less spent.
    /// @param bucket which one
    /// @return micro-USDC
    function available(Bucket bucket) external view returns (uint256);
}
