// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice The loop that pays every member, as the usual guide has it: what the settlement is compared with.
contract NaivePayer {
    IERC20 private immutable TOKEN;

    constructor(IERC20 token) {
        TOKEN = token;
    }

    function payAll(address[] calldata payees, uint256[] calldata amounts) external {
        for (uint256 i; i < payees.length; ++i) {
            require(TOKEN.transfer(payees[i], amounts[i]), "transfer");
        }
    }
}
