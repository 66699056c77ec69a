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

    /// @notice Splits the price of a license over the buckets, after the money arrived. Bookers only.
    function book(uint64 licenseId, uint32 datasetId, uint256 amount) external;

    /// @notice Pulls USDC from the caller, who approved it, into the reserve. Anyone.
    function donate(uint256 amount) external;

    /// @notice Pays an operator out of operations; reverts beyond what is there. OperatorPay only.
    function payOperator(address to, uint256 amount) external;

    /// @notice Pays a lot out of the buyback bucket; reverts beyond what is there. Buyback only.
    function takeLot(address to, uint256 amount) external;

    /// @notice What a bucket other than the contributors' still holds: booked less spent.
    function available(Bucket bucket) external view returns (uint256);
}
