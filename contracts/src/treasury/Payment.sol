// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice One payee in one word: the address in the lowest 160 bits, micro-USDC in the 96 above.
/// @dev Two arrays of a batch would be encoded, decoded and bounded one by one.
type Payment is uint256;

using PaymentLib for Payment global;

library PaymentLib {
    /// @param payee whom to pay
    /// @param amount_ micro-USDC; the caller has checked that it fits 96 bits
    function pack(address payee, uint256 amount_) internal pure returns (Payment) {
        return Payment.wrap(uint160(payee) | amount_ << 160);
    }

    function to(Payment p) internal pure returns (address) {
        return address(uint160(Payment.unwrap(p)));
    }

    function amount(Payment p) internal pure returns (uint256) {
        return Payment.unwrap(p) >> 160;
    }
}
