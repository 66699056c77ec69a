// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {IStewardBonds} from "../../../src/oracle/IStewardBonds.sol";
import {ITreasury} from "../../../src/treasury/ITreasury.sol";
import {ISigned, OperatorPay} from "../../../src/treasury/OperatorPay.sol";
import {BucketTreasury} from "../../utils/BucketTreasury.sol";
import {MoneyTest} from "../../utils/MoneyTest.sol";

contract OperatorPayTest is MoneyTest {
    uint96 internal constant STEWARD = 40e6;
    uint96 internal constant WORKER = 2e6;
    uint256 internal constant SIGNERS = 1 << 32 | 5;

    BucketTreasury internal treasury;
    OperatorPay internal pay;

    address internal committee = makeAddr("committee");
    address internal steward1 = makeAddr("steward1");
    address internal steward3 = makeAddr("steward3");
    address internal worker = makeAddr("worker");

    function setUp() public override {
        super.setUp();
        treasury = new BucketTreasury(usdc);
        pay = OperatorPay(_proxy(address(new OperatorPay()), _init(address(treasury), ledger, committee)));
        address[] memory signers = new address[](2);
        (signers[0], signers[1]) = (steward1, steward3);
        vm.mockCall(committee, abi.encodeCall(IStewardBonds.signersOf, (SIGNERS)), abi.encode(signers));
    }

    function _init(address treasury_, address ledger_, address committee_) private view returns (bytes memory) {
        OperatorPay.Rates memory rates = OperatorPay.Rates(STEWARD, WORKER);
        return abi.encodeCall(OperatorPay.initialize, (address(manager), treasury_, ledger_, committee_, rates));
    }

    function _final(uint32 epoch) private {
        vm.mockCall(ledger, abi.encodeCall(ISigned.finalSigners, ()), abi.encode(epoch, SIGNERS));
    }

    function _receipts(uint256 n) private {
        vm.mockCall(committee, abi.encodeCall(IStewardBonds.receiptsOf, (worker)), abi.encode(n));
    }

    // -------------------------------------------------------------------------------- initialize, setRates

    function test_RevertWhen_AContractIsMissing() external {
        address code = address(new OperatorPay());
        string[3] memory names = ["treasury", "ledger", "committee"];
        for (uint256 i; i < 3; ++i) {
            address[3] memory given = [address(treasury), ledger, committee];
            given[i] = address(0);
            bytes memory init = _init(given[0], given[1], given[2]);
            vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, names[i]));
            _proxy(code, init);
        }
    }

    function test_StorageLiesWhereErc7201Says() external view {
        _assertStorage(address(pay), "OperatorPay");
    }

    function test_RevertWhen_InitializedAgain() external {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        pay.initialize(address(manager), address(treasury), ledger, committee, OperatorPay.Rates(0, 0));
    }

    function test_RevertWhen_TheCallerIsNotAuthorized() external {
        vm.prank(stranger);
        _expectUnauthorized(stranger);
        pay.setRates(OperatorPay.Rates(1, 1));
    }

    function test_WhenRatesChange() external {
        assertEq(pay.rates().stewardPerEpoch, STEWARD);
        assertEq(pay.rates().workerPerReceipt, WORKER);
        _final(1);
        pay.meter();
        vm.expectEmit(address(pay));
        emit OperatorPay.RatesSet(1, 2);
        vm.prank(founder);
        pay.setRates(OperatorPay.Rates(1, 2));
        _final(2);
        pay.meter();
        _receipts(1);
        pay.meterWorker(worker);
        assertEq(pay.owedTo(steward1), STEWARD + 1, "each epoch at the rate when it was metered");
        assertEq(pay.owedTo(worker), 2);
    }

    // ----------------------------------------------------------------------------------------------- meter

    function test_RevertWhen_NoEpochIsFinal() external {
        _final(0);
        vm.expectRevert(abi.encodeWithSelector(OperatorPay.OperatorPay_AlreadyMetered.selector, 0));
        pay.meter();
    }

    function test_RevertWhen_TheEpochWasMetered() external {
        _final(3);
        pay.meter();
        vm.expectRevert(abi.encodeWithSelector(OperatorPay.OperatorPay_AlreadyMetered.selector, 3));
        pay.meter();
    }

    function test_WhenAnEpochPassedUnmetered() external {
        _final(1);
        pay.meter();
        _final(4);
        pay.meter();
        assertEq(pay.meteredEpoch(), 4);
        assertEq(pay.owedTo(steward1), 2 * STEWARD);
    }

    function test_WhenANewEpochIsFinal() external {
        address[] memory signers = new address[](2);
        (signers[0], signers[1]) = (steward1, steward3);
        _final(1);
        vm.expectEmit(address(pay));
        emit OperatorPay.EpochMetered(1, signers, STEWARD);
        vm.prank(stranger);
        pay.meter();
        assertEq(pay.owedTo(steward1), STEWARD);
        assertEq(pay.owedTo(steward3), STEWARD);
        assertEq(pay.owedTo(makeAddr("steward2")), 0);
    }

    // ----------------------------------------------------------------------------------------- meterWorker

    function test_RevertWhen_NoReceiptSince() external {
        bytes memory nothing = abi.encodeWithSelector(OperatorPay.OperatorPay_NothingMetered.selector, worker);
        _receipts(0);
        vm.expectRevert(nothing);
        pay.meterWorker(worker);
        _receipts(3);
        pay.meterWorker(worker);
        vm.expectRevert(nothing);
        pay.meterWorker(worker);
    }

    function test_RevertWhen_OwedWouldOverflow() external {
        vm.prank(founder);
        pay.setRates(OperatorPay.Rates(0, type(uint96).max));
        _receipts(1 << 33);
        uint256 amount = uint256(type(uint96).max) << 33;
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 128, amount));
        pay.meterWorker(worker);
    }

    function testFuzz_WhenReceiptsWereAnchored(uint32[4] memory fresh) external {
        uint256 total;
        for (uint256 i; i < 4; ++i) {
            uint256 more = bound(fresh[i], 1, type(uint32).max);
            total += more;
            _receipts(total);
            vm.expectEmit(address(pay));
            emit OperatorPay.ReceiptsMetered(worker, more, more * WORKER);
            pay.meterWorker(worker);
            assertEq(pay.receiptsMetered(worker), total);
            assertEq(pay.owedTo(worker), total * WORKER);
        }
    }

    // --------------------------------------------------------------------------------------------- collect

    function test_RevertWhen_NothingIsOwed() external {
        treasury.fill(ITreasury.Bucket.Operations, 1e6);
        vm.expectRevert(abi.encodeWithSelector(OperatorPay.OperatorPay_NothingToPay.selector, steward1, 0));
        pay.collect(steward1);
    }

    function test_RevertWhen_OperationsAreEmpty() external {
        _final(1);
        pay.meter();
        treasury.fill(ITreasury.Bucket.Reserve, 100e6);
        vm.expectRevert(abi.encodeWithSelector(OperatorPay.OperatorPay_NothingToPay.selector, steward1, STEWARD));
        pay.collect(steward1);
    }

    function test_WhenOperationsDoNotReach() external {
        _final(1);
        pay.meter();
        treasury.fill(ITreasury.Bucket.Operations, STEWARD - 1);
        vm.expectEmit(address(pay));
        emit OperatorPay.Collected(steward1, STEWARD - 1, 1);
        pay.collect(steward1);
        assertEq(usdc.balanceOf(steward1), STEWARD - 1);
        assertEq(pay.owedTo(steward1), 1);
        treasury.fill(ITreasury.Bucket.Operations, STEWARD);
        pay.collect(steward1);
        assertEq(usdc.balanceOf(steward1), STEWARD);
        assertEq(pay.owedTo(steward1), 0);
    }

    function testFuzz_WhenOperationsReach(uint64 extra) external {
        _final(1);
        pay.meter();
        treasury.fill(ITreasury.Bucket.Operations, 2 * uint256(STEWARD) + extra);
        vm.startPrank(stranger);
        pay.collect(steward1);
        pay.collect(steward3);
        assertEq(usdc.balanceOf(steward1), STEWARD);
        assertEq(usdc.balanceOf(steward3), STEWARD);
        assertEq(treasury.available(ITreasury.Bucket.Operations), extra);
    }
}
