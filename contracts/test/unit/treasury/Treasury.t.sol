// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Treasury} from "../../../src/treasury/Treasury.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract TreasuryTest is CoopTest {
    function _sum() internal view returns (uint256) {
        (uint256 c, uint256 b, uint256 o, uint256 m, uint256 r) = treasury.buckets();
        return c + b + o + m + r;
    }

    function test_RevertWhen_TheCallerIsWrong() external {
        vm.startPrank(founder);
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_OnlyMarket.selector, founder));
        treasury.book(1, DATASET, 1);
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_OnlyLedger.selector, founder));
        treasury.pay(founder, 1);
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_OnlyLedger.selector, founder));
        treasury.payMany(new address[](0), new uint256[](0));
    }

    function testFuzz_EveryMicroUsdcIsInOneBucket(uint64[4] memory amounts, uint16[4] memory parts) external {
        uint16 operations = uint16(bound(parts[0], 0, 10_000));
        uint16 compliance = uint16(bound(parts[1], 0, 10_000 - operations));
        uint16 reserve = uint16(bound(parts[2], 0, 10_000 - operations - compliance));
        uint16 buyback = uint16(bound(parts[3], 0, 10_000));
        _asTokenHouse();
        treasury.setSplit(buyback, operations, compliance, reserve);
        uint256 total;
        for (uint64 i; i < 4; ++i) {
            vm.prank(address(market));
            treasury.book(i + 1, DATASET, amounts[i]);
            total += amounts[i];
            assertEq(_sum(), total);
        }
        (uint256 contributors,, uint256 ops,,) = treasury.buckets();
        assertEq(contributors, treasury.contributorsBooked());
        assertLe(ops, total * operations / 10_000, "rounding stays with contributors");
    }

    function testFuzz_ADonationIsInNoBucket(uint64 donation) external {
        _sell(100e6);
        usdc.mint(address(treasury), donation);
        assertEq(_sum(), 100e6);
        assertEq(treasury.contributorsBooked(), 75e6);
    }

    function test_WhenUsdcRefusesAPayeeOfMany() external {
        _sell(100e6);
        address[] memory to = new address[](3);
        uint256[] memory amounts = new uint256[](3);
        (to[0], to[1], to[2]) = (makeAddr("a"), makeAddr("b"), makeAddr("c"));
        (amounts[0], amounts[1], amounts[2]) = (1e6, 2e6, 0);
        vm.mockCallRevert(address(usdc), abi.encodeWithSelector(IERC20.transfer.selector, to[0]), "blacklisted");
        vm.prank(address(ledger));
        bool[] memory paid = treasury.payMany(to, amounts);
        assertFalse(paid[0]);
        assertTrue(paid[1]);
        assertTrue(paid[2], "nothing to pay is paid");
        assertEq(usdc.balanceOf(to[1]), 2e6);
        vm.mockCall(address(usdc), abi.encodeWithSelector(IERC20.transfer.selector, to[0]), abi.encode(false));
        vm.prank(address(ledger));
        assertFalse(treasury.payMany(to, amounts)[0], "false is a refusal too");
    }

    function test_WhenTheLedgerPays() external {
        _sell(100e6);
        vm.prank(address(ledger));
        treasury.pay(stranger, 3e6);
        assertEq(usdc.balanceOf(stranger), 3e6);
    }

    function test_RevertWhen_TheSplitIsBad() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        treasury.setSplit(0, 0, 0, 0);
        vm.startPrank(tokenHouse);
        bytes4 bad = Treasury.Treasury_BadSplit.selector;
        vm.expectRevert(abi.encodeWithSelector(bad, 10_001, 0, 0, 0));
        treasury.setSplit(10_001, 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(bad, 0, 5_000, 5_000, 1));
        treasury.setSplit(0, 5_000, 5_000, 1);
    }

    function test_WhenTheSplitChanges() external {
        _sell(100e6);
        _asTokenHouse();
        treasury.setSplit(1_000, 0, 0, 0);
        _sell(100e6);
        (uint256 c, uint256 b, uint256 o, uint256 m, uint256 r) = treasury.buckets();
        assertEq(c, 75e6 + 90e6);
        assertEq(b, 10e6);
        assertEq(o, 15e6);
        assertEq(m, 5e6);
        assertEq(r, 5e6);
        (uint16 buyback, uint16 operations,,) = treasury.split();
        assertEq(buyback, 1_000);
        assertEq(operations, 0);
    }
}
