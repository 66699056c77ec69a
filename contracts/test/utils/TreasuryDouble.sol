// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice The two functions of the Treasury that a sale calls; adds up what they were told.
contract TreasuryDouble {
    IERC20 private immutable USDC;
    uint256 public booked;
    uint256 public donated;

    event Sold(uint64 licenseId, uint32 datasetId, uint256 amount);

    constructor(IERC20 usdc) {
        USDC = usdc;
    }

    function book(uint64 licenseId, uint32 datasetId, uint256 amount) external {
        booked += amount;
        require(USDC.balanceOf(address(this)) >= booked + donated, "booked before the money arrived");
        emit Sold(licenseId, datasetId, amount);
    }

    function donate(uint256 amount) external {
        donated += amount;
        require(USDC.transferFrom(msg.sender, address(this), amount));
    }
}
