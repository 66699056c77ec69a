// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Treasury} from "../../src/treasury/Treasury.sol";

/// @notice Booking a sale: for every amount each micro-USDC is in exactly one bucket, and contributors get their part.
contract TreasurySymbolic {
    // -- the authority: this contract sells
    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }

    function _treasury(Treasury.Split memory split, uint16 floor) private returns (Treasury) {
        address self = address(this);
        Treasury.Deployment memory d = Treasury.Deployment(self, self, self, self, self, split, floor);
        return Treasury(address(new ERC1967Proxy(address(new Treasury()), abi.encodeCall(Treasury.initialize, (d)))));
    }

    /// @dev Any split that the contract accepts.
    function check_ASaleIsSplitWithoutLoss(
        uint64 amount,
        uint16 buyback,
        uint16 operations,
        uint16 compliance,
        uint16 reserve
    ) external {
        Treasury treasury = _treasury(Treasury.Split(buyback, operations, compliance, reserve), 0);
        treasury.book(1, 1, amount);
        (uint256 c, uint256 b, uint256 o, uint256 m, uint256 r) = treasury.buckets();
        assert(c + b + o + m + r == amount);
        assert(c == treasury.contributorsBooked());
    }

    /// @dev The default split: contributors get at least three quarters.
    function check_ContributorsGetTheirPart(uint64 amount) external {
        Treasury treasury = _treasury(Treasury.Split(0, 1_500, 500, 500), 5_000);
        treasury.book(1, 1, amount);
        assert(treasury.contributorsBooked() * 10_000 >= uint256(amount) * 7_500);
    }

    /// @dev Two sales, booked apart: the second changes nothing of the first.
    function check_SalesAddUp(uint64 first, uint64 second) external {
        Treasury treasury = _treasury(Treasury.Split(1_000, 1_500, 500, 500), 5_000);
        treasury.book(1, 1, first);
        uint256 before = treasury.contributorsBooked();
        treasury.book(2, 1, second);
        (uint256 c, uint256 b, uint256 o, uint256 m, uint256 r) = treasury.buckets();
        assert(c >= before);
        assert(c + b + o + m + r == uint256(first) + second);
    }
}
