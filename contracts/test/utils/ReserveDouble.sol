// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {StewardBonds} from "../../src/oracle/StewardBonds.sol";

/// @notice The Treasury as the stewards' bonds see it: it takes what it is given.
contract ReserveDouble {
    function donate(uint256 amount) external {
        IERC20 usdc = IERC20(StewardBonds(msg.sender).usdc());
        require(usdc.transferFrom(msg.sender, address(this), amount), "refused");
    }
}
