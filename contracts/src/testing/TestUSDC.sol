// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title TestUSDC
/// @notice A stablecoin for the local chain: six decimals, permit, anyone mints. Refused on every other chain.
contract TestUSDC is ERC20Permit {
    error TestUSDC_NotLocalChain(uint256 chainId);

    constructor() ERC20("TestUSDC", "USDC") ERC20Permit("TestUSDC") {
        if (block.chainid != 31_337) revert TestUSDC_NotLocalChain(block.chainid);
    }

    /// @notice Mints for anybody.
    /// @param to who gets it
    /// @param amount micro-USDC
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice As USDC's.
    /// @return six
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
