// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LicenseSale} from "./LicenseSale.sol";

/// @title EscrowedSale
/// @notice A sale that holds money and owes back what the price did not take. It is fetched, not sent, so that a payee
/// whom USDC refuses holds up nobody else.
abstract contract EscrowedSale is LicenseSale {
    using SafeERC20 for IERC20;

    /// @custom:storage-location erc7201:rochdale.storage.EscrowedSale
    struct EscrowStorage {
        // With what running auctions or jobs hold, never more than the USDC that is here.
        mapping(address account => uint256) owed;
    }

    bytes32 private constant ESCROW_STORAGE = 0xe9d5625051043b994020ca31f1d295b4ea49cb8c9cf6d8db9736e9f927f36400;

    event Withdrawn(address indexed account, uint256 amount);

    error EscrowedSale_NothingOwed(address account);

    /// @notice Pays an account what it is owed; anyone may send it, and no pause stops it.
    /// @param account to whom it is owed, and paid
    /// @return amount micro-USDC
    function withdraw(address account) external nonReentrant returns (uint256 amount) {
        EscrowStorage storage $ = _escrow();
        amount = $.owed[account];
        // Check:
        if (amount == 0) revert EscrowedSale_NothingOwed(account);
        // Effects:
        delete $.owed[account];
        emit Withdrawn(account, amount);
        // Interaction:
        _sale().usdc.safeTransfer(account, amount);
    }

    /// @notice What an account can withdraw, in micro-USDC.
    /// @param account to whom it is owed
    /// @return micro-USDC
    function owedTo(address account) external view returns (uint256) {
        return _escrow().owed[account];
    }

    function _owe(address account, uint256 amount) internal {
        if (amount != 0) _escrow().owed[account] += amount;
    }

    function _escrow() private pure returns (EscrowStorage storage $) {
        assembly {
            $.slot := ESCROW_STORAGE
        }
    }
}
