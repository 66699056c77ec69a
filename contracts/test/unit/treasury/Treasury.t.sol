// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {ITreasury} from "../../../src/treasury/ITreasury.sol";
import {Payment, PaymentLib} from "../../../src/treasury/Payment.sol";
import {Treasury} from "../../../src/treasury/Treasury.sol";
import {MoneyTest} from "../../utils/MoneyTest.sol";

contract TreasuryTest is MoneyTest {
    Treasury internal treasury;

    address internal market = makeAddr("market");
    address internal operatorPay = makeAddr("operator pay");
    address internal buyback = makeAddr("buyback");
    address internal grantee = makeAddr("grantee");

    function setUp() public override {
        super.setUp();
        treasury = Treasury(_proxy(address(new Treasury()), abi.encodeCall(Treasury.initialize, (_deployment()))));
        _letSell(address(treasury), market);
    }

    function _deployment() private view returns (Treasury.Deployment memory) {
        return Treasury.Deployment({
            authority: address(manager),
            usdc: address(usdc),
            ledger: ledger,
            operatorPay: operatorPay,
            buyback: buyback,
            split: Treasury.Split({buyback: 1_000, operations: 1_500, compliance: 500, reserve: 500}),
            minContributorsBps: 5_000
        });
    }

    function _sum() private view returns (uint256) {
        (uint256 c, uint256 b, uint256 o, uint256 m, uint256 r) = treasury.buckets();
        return c + b + o + m + r;
    }

    /// @dev 100 USDC: 67.5 contributors, 7.5 buyback, 15 operations, 5 compliance, 5 reserve.
    function _sell() private {
        usdc.mint(address(treasury), 100e6);
        vm.prank(market);
        treasury.book(1, 1, 100e6);
    }

    function _left() private view returns (uint256[4] memory) {
        return [
            treasury.available(ITreasury.Bucket.Buyback),
            treasury.available(ITreasury.Bucket.Operations),
            treasury.available(ITreasury.Bucket.Compliance),
            treasury.available(ITreasury.Bucket.Reserve)
        ];
    }

    function _assertLeft(uint256 buyback_, uint256 operations, uint256 compliance, uint256 reserve) private view {
        assertEq(abi.encode(_left()), abi.encode(buyback_, operations, compliance, reserve));
    }

    function _expectExceeded(ITreasury.Bucket bucket, uint256 amount, uint256 available) private {
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_BucketExceeded.selector, bucket, amount, available));
    }

    // ------------------------------------------------------------------------------------------ initialize

    function test_RevertWhen_InitializedAgain() external {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        treasury.initialize(_deployment());
    }

    function test_RevertWhen_AnAddressIsMissing() external {
        address code = address(new Treasury());
        string[5] memory names = ["authority", "usdc", "ledger", "operatorPay", "buyback"];
        for (uint256 i; i < names.length; ++i) {
            Treasury.Deployment memory d = _deployment();
            // The addresses are the struct's first words, in this order.
            assembly ("memory-safe") {
                mstore(add(d, mul(i, 32)), 0)
            }
            bytes memory init = abi.encodeCall(Treasury.initialize, (d));
            vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, names[i]));
            _proxy(code, init);
        }
    }

    function test_RevertWhen_TheFirstSplitIsBelowTheFloor() external {
        address code = address(new Treasury());
        Treasury.Deployment memory d = _deployment();
        d.minContributorsBps = 6_751;
        bytes memory init = abi.encodeCall(Treasury.initialize, (d));
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_BelowFloor.selector, 6_750, 6_751));
        _proxy(code, init);
    }

    function test_WhenInitialized() external view {
        (uint16 b, uint16 o, uint16 c, uint16 r) = treasury.split();
        assertEq(abi.encode(b, o, c, r), abi.encode(1_000, 1_500, 500, 500));
        assertEq(treasury.minContributorsBps(), 5_000);
        _assertStorage(address(treasury), "Treasury");
    }

    // ------------------------------------------------------------------------------------------------ book

    function test_RevertWhen_TheCallerIsNoSeller() external {
        vm.prank(founder);
        _expectUnauthorized(founder);
        treasury.book(1, 1, 1);
    }

    function test_RevertWhen_ABucketWouldExceedItsWidth() external {
        // 15 % of it goes to operations, which hold 80 bits.
        uint256 amount = uint256(1 << 80) * 10;
        vm.prank(market);
        vm.expectRevert(
            abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 80, amount * 1_500 / 10_000)
        );
        treasury.book(1, 1, amount);
    }

    function testFuzz_EveryMicroUsdcIsInOneBucket(uint64[6] memory amounts, uint16[4] memory parts) external {
        uint16 operations = uint16(bound(parts[0], 0, 10_000));
        uint16 compliance = uint16(bound(parts[1], 0, 10_000 - operations));
        uint16 reserve = uint16(bound(parts[2], 0, 10_000 - operations - compliance));
        uint16 part = uint16(bound(parts[3], 0, 10_000));
        vm.startPrank(founder);
        treasury.setMinContributors(0);
        treasury.setSplit(part, operations, compliance, reserve);
        vm.stopPrank();
        uint256 total;
        for (uint64 i; i < 6; ++i) {
            vm.prank(market);
            treasury.book(i + 1, 1, amounts[i]);
            total += amounts[i];
            assertEq(_sum(), total);
        }
        (uint256 contributors, uint256 lots, uint256 ops, uint256 comp, uint256 res) = treasury.buckets();
        assertEq(contributors, treasury.contributorsBooked());
        assertLe(ops, total * operations / 10_000, "rounding stays with contributors");
        assertLe(comp, total * compliance / 10_000);
        assertLe(res, total * reserve / 10_000);
        assertLe(lots, total * part / 10_000);
        assertEq(abi.encode(_left()), abi.encode(lots, ops, comp, res));
    }

    // ---------------------------------------------------------------------------------------------- donate

    function test_RevertWhen_TheDonorApprovedNothing() external {
        usdc.mint(stranger, 5);
        vm.prank(stranger);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(treasury), 0, 5)
        );
        treasury.donate(5);
    }

    function testFuzz_WhenMoneyIsJustSent(uint64 amount) external {
        _sell();
        usdc.mint(address(treasury), amount);
        assertEq(_sum(), 100e6);
        assertEq(treasury.contributorsBooked(), 67.5e6);
    }

    function testFuzz_WhenDonated(uint64 amount) external {
        _sell();
        usdc.mint(stranger, amount);
        vm.startPrank(stranger);
        usdc.approve(address(treasury), amount);
        vm.expectEmit(address(treasury));
        emit Treasury.Donated(stranger, amount);
        treasury.donate(amount);
        assertEq(usdc.balanceOf(address(treasury)), 100e6 + uint256(amount));
        _assertLeft(7.5e6, 15e6, 5e6, 5e6 + uint256(amount));
    }

    // --------------------------------------------------------------------------------------- pay, payMany

    function test_RevertWhen_ThePayerIsNotTheLedger() external {
        vm.startPrank(founder);
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_OnlyLedger.selector, founder));
        treasury.pay(founder, 1);
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_OnlyLedger.selector, founder));
        treasury.payMany(new Payment[](0));
    }

    function test_WhenUsdcRefusesAPayeeOfMany() external {
        _sell();
        address[3] memory to = [makeAddr("a"), makeAddr("b"), makeAddr("c")];
        Payment[] memory payments = new Payment[](3);
        (payments[0], payments[1]) = (PaymentLib.pack(to[0], 1e6), PaymentLib.pack(to[1], 2e6));
        payments[2] = PaymentLib.pack(to[2], 0);
        vm.mockCallRevert(address(usdc), abi.encodeWithSelector(IERC20.transfer.selector, to[0]), "blacklisted");
        vm.mockCallRevert(address(usdc), abi.encodeWithSelector(IERC20.transfer.selector, to[2]), "blacklisted");
        vm.prank(ledger);
        uint256[] memory refused = treasury.payMany(payments);
        assertEq(refused.length, 1, "nothing to pay is paid");
        assertEq(refused[0], 0);
        assertEq(usdc.balanceOf(to[1]), 2e6);
        vm.mockCall(address(usdc), abi.encodeWithSelector(IERC20.transfer.selector, to[1]), abi.encode(false));
        payments[2] = PaymentLib.pack(to[2], 3e6);
        vm.prank(ledger);
        refused = treasury.payMany(payments);
        assertEq(refused.length, 3);
        assertEq(refused[1], 1, "false is a refusal too");
        assertEq(refused[2], 2);
    }

    function testFuzz_APaymentIsPayeeAndAmount(address to, uint96 amount) external pure {
        Payment p = PaymentLib.pack(to, amount);
        assertEq(p.to(), to);
        assertEq(p.amount(), amount);
    }

    function test_WhenTheLedgerPays() external {
        _sell();
        vm.prank(ledger);
        treasury.pay(stranger, 3e6);
        assertEq(usdc.balanceOf(stranger), 3e6);
        _assertLeft(7.5e6, 15e6, 5e6, 5e6);
    }

    // ------------------------------------------------------------------------------- payOperator, takeLot

    function test_RevertWhen_TheCallerIsNotOperatorPay() external {
        vm.prank(founder);
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_OnlyOperatorPay.selector, founder));
        treasury.payOperator(founder, 1);
    }

    function test_RevertWhen_OperationsDoNotHoldIt() external {
        _sell();
        vm.prank(operatorPay);
        _expectExceeded(ITreasury.Bucket.Operations, 15e6 + 1, 15e6);
        treasury.payOperator(grantee, 15e6 + 1);
    }

    function test_WhenAnOperatorIsPaid() external {
        _sell();
        vm.expectEmit(address(treasury));
        emit Treasury.Spent(ITreasury.Bucket.Operations, grantee, 15e6, "operator");
        vm.prank(operatorPay);
        treasury.payOperator(grantee, 15e6);
        assertEq(usdc.balanceOf(grantee), 15e6);
        _assertLeft(7.5e6, 0, 5e6, 5e6);
    }

    function test_RevertWhen_TheCallerIsNotBuyback() external {
        vm.prank(founder);
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_OnlyBuyback.selector, founder));
        treasury.takeLot(founder, 1);
    }

    function test_RevertWhen_TheBuybackBucketDoesNotHoldIt() external {
        _sell();
        vm.startPrank(buyback);
        treasury.takeLot(grantee, 7e6);
        _expectExceeded(ITreasury.Bucket.Buyback, 0.5e6 + 1, 0.5e6);
        treasury.takeLot(grantee, 0.5e6 + 1);
    }

    function test_WhenALotIsTaken() external {
        _sell();
        vm.expectEmit(address(treasury));
        emit Treasury.Spent(ITreasury.Bucket.Buyback, grantee, 7e6, "buyback");
        vm.prank(buyback);
        treasury.takeLot(grantee, 7e6);
        assertEq(usdc.balanceOf(grantee), 7e6);
        _assertLeft(0.5e6, 15e6, 5e6, 5e6);
    }

    // ----------------------------------------------------------------------------------- spend, spendToken

    function test_RevertWhen_TheCallerIsNotAuthorized() external {
        vm.startPrank(stranger);
        _expectUnauthorized(stranger);
        treasury.spend(ITreasury.Bucket.Reserve, stranger, 1, "");
        _expectUnauthorized(stranger);
        treasury.spendToken(address(data), stranger, 1);
        _expectUnauthorized(stranger);
        treasury.setSplit(0, 0, 0, 0);
        _expectUnauthorized(stranger);
        treasury.setMinContributors(0);
    }

    function test_RevertWhen_TheBucketIsNotTheHouses() external {
        _sell();
        vm.startPrank(founder);
        ITreasury.Bucket[2] memory others = [ITreasury.Bucket.Contributors, ITreasury.Bucket.Buyback];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_NotSpendable.selector, others[i]));
            treasury.spend(others[i], grantee, 1, "");
        }
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_NotSpendable.selector, ITreasury.Bucket.Contributors));
        treasury.available(ITreasury.Bucket.Contributors);
    }

    function test_RevertWhen_TheBucketDoesNotHoldIt() external {
        _sell();
        vm.startPrank(founder);
        uint256[3] memory held = [uint256(15e6), 5e6, 5e6];
        for (uint256 i; i < 3; ++i) {
            ITreasury.Bucket bucket = ITreasury.Bucket(i + 2);
            _expectExceeded(bucket, held[i] + 1, held[i]);
            treasury.spend(bucket, grantee, held[i] + 1, "");
        }
    }

    function test_WhenBucketsAreSpent() external {
        _sell();
        vm.startPrank(founder);
        vm.expectEmit(address(treasury));
        emit Treasury.Spent(ITreasury.Bucket.Operations, grantee, 1e6, "hosting");
        treasury.spend(ITreasury.Bucket.Operations, grantee, 1e6, "hosting");
        treasury.spend(ITreasury.Bucket.Compliance, grantee, 2e6, "audit");
        treasury.spend(ITreasury.Bucket.Reserve, grantee, 3e6, "grant");
        assertEq(usdc.balanceOf(grantee), 6e6);
        _assertLeft(7.5e6, 14e6, 3e6, 2e6);
        (uint256 b, uint256 o, uint256 c, uint256 r) = treasury.spent();
        assertEq(abi.encode(b, o, c, r), abi.encode(0, 1e6, 2e6, 3e6));
        assertEq(_sum(), 100e6, "what was booked stays booked");
    }

    function test_RevertWhen_TheTokenIsUsdc() external {
        _sell();
        vm.prank(founder);
        vm.expectRevert(Treasury.Treasury_UsdcHasBuckets.selector);
        treasury.spendToken(address(usdc), grantee, 1);
    }

    function test_WhenATokenIsSpent() external {
        _mintData(address(treasury), 10);
        vm.expectEmit(address(treasury));
        emit Treasury.TokenSpent(address(data), grantee, 4);
        vm.prank(founder);
        treasury.spendToken(address(data), grantee, 4);
        assertEq(data.balanceOf(grantee), 4);
    }

    // ----------------------------------------------------------------------- setSplit, setMinContributors

    function test_RevertWhen_TheSplitIsBad() external {
        vm.startPrank(founder);
        bytes4 bad = Treasury.Treasury_BadSplit.selector;
        vm.expectRevert(abi.encodeWithSelector(bad, 10_001, 0, 0, 0));
        treasury.setSplit(10_001, 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(bad, 0, 5_000, 5_000, 1));
        treasury.setSplit(0, 5_000, 5_000, 1);
    }

    function test_RevertWhen_ContributorsWouldGetTooLittle() external {
        vm.startPrank(founder);
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_BelowFloor.selector, 4_999, 5_000));
        treasury.setSplit(0, 5_001, 0, 0);
        // Half of the sale is contributors', but a part of it would go to whoever sells DATA.
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_BelowFloor.selector, 4_500, 5_000));
        treasury.setSplit(1_000, 5_000, 0, 0);
        treasury.setSplit(0, 4_000, 500, 500);
        vm.expectRevert(abi.encodeWithSelector(Treasury.Treasury_BelowFloor.selector, 5_000, 5_001));
        treasury.setMinContributors(5_001);
    }

    function testFuzz_TheFloorHolds(uint16[4] memory parts, uint64 amount) external {
        vm.prank(founder);
        try treasury.setSplit(parts[0] % 10_001, parts[1] % 5_000, parts[2] % 2_000, parts[3] % 2_000) {} catch {}
        vm.prank(market);
        treasury.book(1, 1, amount);
        // Every rounding is in favour of contributors.
        assertGe(treasury.contributorsBooked(), uint256(amount) * 5_000 / 10_000);
    }

    function test_WhenTheSplitChanges() external {
        _sell();
        vm.expectEmit(address(treasury));
        emit Treasury.MinContributorsSet(4_000);
        vm.startPrank(founder);
        treasury.setMinContributors(4_000);
        vm.expectEmit(address(treasury));
        emit Treasury.SplitSet(0, 6_000, 0, 0);
        treasury.setSplit(0, 6_000, 0, 0);
        vm.stopPrank();
        _sell();
        assertEq(treasury.contributorsBooked(), 67.5e6 + 40e6);
        _assertLeft(7.5e6, 15e6 + 60e6, 5e6, 5e6);
        assertEq(treasury.minContributorsBps(), 4_000);
    }
}
