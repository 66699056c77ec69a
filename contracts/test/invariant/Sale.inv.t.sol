// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {SaleHandler} from "./SaleHandler.sol";

/// @notice The numbered invariants E of docs/invariants.md, after any sequence of the handler's actions.
contract SaleInvariants is Test {
    SaleHandler internal handler;

    function setUp() external {
        handler = new SaleHandler();
        handler.setUp();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](15);
        selectors[0] = handler.reserve.selector;
        selectors[1] = handler.activate.selector;
        selectors[2] = handler.cancel.selector;
        selectors[3] = handler.bid.selector;
        selectors[4] = handler.reveal.selector;
        selectors[5] = handler.close.selector;
        selectors[6] = handler.openJob.selector;
        selectors[7] = handler.completeJob.selector;
        selectors[8] = handler.refundJob.selector;
        selectors[9] = handler.withdraw.selector;
        selectors[10] = handler.post.selector;
        selectors[11] = handler.takeBond.selector;
        selectors[12] = handler.slash.selector;
        selectors[13] = handler.wait_.selector;
        selectors[14] = handler.approve.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    function invariant_E1_WhatIsHeldIsWhatIsOwed() external view {
        (uint256[5] memory held, uint256[5] memory owed) = handler.balances();
        assertEq(held[0], owed[0], "reservations");
        assertEq(held[1], owed[1], "bids");
        assertEq(held[2], owed[2], "jobs");
        assertEq(held[3], owed[3], "bonds");
        assertEq(held[4], owed[4], "the Treasury's books");
    }

    /// @dev E3: every bid, reservation, job and bond ends in a payment or a refund, whatever anybody omits.
    function afterInvariant() external {
        handler.finish();
        (uint256[5] memory held, uint256[5] memory owed) = handler.balances();
        for (uint256 i; i < 4; ++i) {
            assertEq(held[i], 0, "money that nobody can fetch");
        }
        assertEq(held[4], owed[4], "the Treasury's books");
    }

    function invariant_E2_NoMoneyLeavesButToWhoPaidIt() external view {
        (uint256[5] memory held,) = handler.balances();
        (uint256 sum, uint256 supply) = handler.researchersHold();
        for (uint256 i; i < 5; ++i) {
            sum += held[i];
        }
        assertEq(sum, supply);
    }
}
