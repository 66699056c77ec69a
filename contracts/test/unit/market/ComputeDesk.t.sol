// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {ComputeDesk} from "../../../src/market/ComputeDesk.sol";
import {License} from "../../../src/market/License.sol";
import {LicenseSale} from "../../../src/market/LicenseSale.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract ComputeDeskTest is SaleTest {
    uint128 private constant BASE = 20e6;
    uint128 private constant PER_UNIT = 50_000;

    function setUp() public override {
        super.setUp();
        vm.prank(tokenHouse);
        desk.setPrice(BASE, PER_UNIT);
    }

    function test_RevertWhen_DeployedBadly() external {
        address code = address(new ComputeDesk());
        LicenseSale.Deployment memory parts = _parts();
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "committee"));
        _proxy(code, abi.encodeCall(ComputeDesk.initialize, (parts, address(0), JOB_TIMEOUT)));
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_BadTimeout.selector, 2 days - 1));
        _proxy(code, abi.encodeCall(ComputeDesk.initialize, (parts, address(committee), 2 days - 1)));
    }

    // ---------------------------------------------------------------------------------------------- prices

    function test_RevertWhen_AnyoneElseSets() external {
        bytes memory denied = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(denied);
        desk.setPrice(1, 1);
        vm.expectRevert(denied);
        desk.setTimeout(1 days);
        vm.stopPrank();
        vm.prank(tokenHouse);
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_BadTimeout.selector, 30 days + 1));
        desk.setTimeout(30 days + 1);
    }

    function test_WhenSetItHoldsForLaterJobs() external {
        uint64 jobId = _openJob(0, 100);
        vm.startPrank(tokenHouse);
        vm.expectEmit(address(desk));
        emit ComputeDesk.ComputePriceSet(1e6, 2e6);
        desk.setPrice(1e6, 2e6);
        vm.expectEmit(address(desk));
        emit ComputeDesk.TimeoutSet(2 days);
        desk.setTimeout(2 days);
        vm.stopPrank();
        (uint128 base, uint128 perUnit, uint32 timeout) = desk.prices();
        assertEq(abi.encode(base, perUnit, timeout), abi.encode(1e6, 2e6, 2 days));
        assertEq(desk.jobOf(jobId).refundAt, GENESIS + JOB_TIMEOUT);
        _complete(jobId, 100);
        assertEq(_booked(), BASE + 100 * PER_UNIT);
    }

    // ------------------------------------------------------------------------------------------------ open

    function _expectBadJob(ComputeDesk.Job memory j, bytes memory reason) private {
        LicenseSale.Permit memory p;
        vm.prank(bidders[0]);
        vm.expectRevert(reason);
        desk.open(j, p);
    }

    function test_RevertWhen_TheJobIsNotAllowed() external {
        bytes4 bad = LicenseSale.LicenseSale_BadOrder.selector;
        ComputeDesk.Job memory j = _job(1);
        j.purpose = 1;
        _expectBadJob(j, abi.encodeWithSelector(LicenseSale.LicenseSale_NotApproved.selector, bidders[0], 1));
        j = _job(1);
        j.ehdsCategory = 7;
        _expectBadJob(j, abi.encodeWithSelector(bad, "ehdsCategory"));
        j = _job(1);
        j.recipientKey = 0;
        _expectBadJob(j, abi.encodeWithSelector(bad, "recipientKey"));
        j = _job(1);
        j.planDigest = 0;
        _expectBadJob(j, abi.encodeWithSelector(bad, "planDigest"));
        _expectBadJob(_job(0), abi.encodeWithSelector(bad, "maxUnits"));
        j = _job(1);
        j.datasetId = 9;
        _expectBadJob(j, abi.encodeWithSelector(LicenseSale.LicenseSale_DatasetClosed.selector, 9));
        bytes memory exceeds = abi.encodeWithSelector(LicenseSale.LicenseSale_PriceExceeds.selector, BASE + PER_UNIT, 0);
        _expectBadJob(_job(1), exceeds);
        vm.prank(tokenHouse);
        desk.setPrice(0, 0);
        _expectBadJob(_job(1), abi.encodeWithSelector(ComputeDesk.ComputeDesk_NoPrice.selector));
    }

    function test_WhenOnlyOnePriceIsSet() external {
        vm.prank(tokenHouse);
        desk.setPrice(0, PER_UNIT);
        _openJob(0, 2);
        vm.prank(tokenHouse);
        desk.setPrice(BASE, 0);
        _openJob(0, 2);
        assertEq(usdc.balanceOf(address(desk)), 2 * PER_UNIT + BASE);
    }

    function test_WhenOpened() external {
        LicenseSale.Permit memory p = _fund(bidderKeys[1], BASE + 10 * PER_UNIT, address(desk));
        vm.expectEmit(address(desk));
        emit ComputeDesk.JobOpened(1, 1, bidders[1], keccak256("plan"), BASE + 10 * PER_UNIT);
        vm.prank(bidders[1]);
        assertEq(desk.open(_job(10), p), 1);
        assertEq(usdc.balanceOf(address(desk)), BASE + 10 * PER_UNIT);
        License.Terms memory t = license.termsOf(1);
        assertEq(abi.encode(t.right, t.records, t.expiry), abi.encode(3, 0, GENESIS + JOB_TIMEOUT));
        assertEq(license.ownerOf(1), bidders[1]);
        ComputeDesk.OpenJob memory job =
            ComputeDesk.OpenJob(bidders[1], 1, DATASET, BASE, PER_UNIT, 10, GENESIS + JOB_TIMEOUT, keccak256("plan"));
        assertEq(abi.encode(desk.jobOf(1)), abi.encode(job));
    }

    // -------------------------------------------------------------------------------------------- complete

    function test_RevertWhen_TheReceiptIsNotTheJobs() external {
        uint64 jobId = _openJob(0, 100);
        bytes[] memory none = new bytes[](0);
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_NotUnderWay.selector, 9));
        desk.complete(_receipt(9, 1), none, "");
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_TooManyUnits.selector, 101, 100));
        desk.complete(_receipt(jobId, 101), none, "");
        ComputeDesk.ComputeReceipt memory r = _receipt(jobId, 100);
        r.planDigest = keccak256("another");
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_WrongPlan.selector, r.planDigest));
        desk.complete(r, none, "");
    }

    function test_RevertWhen_StewardsOrWorkerDidNotSign() external {
        uint64 jobId = _openJob(0, 100);
        ComputeDesk.ComputeReceipt memory r = _receipt(jobId, 100);
        bytes32 digest = _computeDigest(r);
        assertEq(desk.receiptDigest(r), digest);
        bytes memory byWorker = _sign(workerKey, digest);
        bytes[] memory one = _stewardSignatures(digest, 1);
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_TooFewSignatures.selector, 1, 2));
        desk.complete(r, one, byWorker);
        bytes[] memory two = _stewardSignatures(digest, 2);
        bytes memory byAnyone = _sign(researcherKey, digest);
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_NotWorker.selector, researcher));
        desk.complete(r, two, byAnyone);
        bytes memory bySteward = _sign(stewardKeys[2], digest);
        address steward = vm.addr(stewardKeys[2]);
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_NotWorker.selector, steward));
        desk.complete(r, two, bySteward);
        desk.complete(r, two, byWorker);
    }

    function testFuzz_TheCostIsBookedAndTheRestOwed(uint128 base, uint128 perUnit, uint64 units, uint64 maxUnits)
        external
    {
        base = uint128(bound(base, 1, 1e18));
        perUnit = uint128(bound(perUnit, 0, 1e18));
        maxUnits = uint64(bound(maxUnits, 1, type(uint64).max));
        units = uint64(bound(units, 0, maxUnits));
        vm.prank(tokenHouse);
        desk.setPrice(base, perUnit);
        uint64 jobId = _openJob(3, maxUnits);
        uint256 cost = uint256(base) + uint256(perUnit) * units;
        uint256 rest = uint256(perUnit) * (maxUnits - units);
        vm.expectEmit(address(desk));
        emit ComputeDesk.JobCompleted(jobId, units, cost, rest, keccak256("snapshot"), worker);
        _complete(jobId, units);
        assertEq(_booked(), cost);
        assertEq(usdc.balanceOf(address(treasury)), cost);
        assertEq(usdc.balanceOf(address(desk)), rest);
        assertEq(desk.owedTo(bidders[3]), rest);
        if (rest != 0) desk.withdraw(bidders[3]);
        assertEq(usdc.balanceOf(bidders[3]), rest);
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_NotUnderWay.selector, jobId));
        desk.refund(jobId);
    }

    function test_WhenTheReceiptIsLateButNobodyAskedForTheMoney() external {
        uint64 jobId = _openJob(0, 100);
        vm.warp(GENESIS + JOB_TIMEOUT + 1 days);
        _complete(jobId, 0);
        assertEq(_booked(), BASE);
    }

    // ---------------------------------------------------------------------------------------------- refund

    function test_RevertWhen_TheTimeIsNotOver() external {
        uint64 jobId = _openJob(0, 100);
        vm.warp(GENESIS + JOB_TIMEOUT - 1);
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_TooEarly.selector, jobId, GENESIS + JOB_TIMEOUT));
        desk.refund(jobId);
    }

    function test_WhenTheTimeIsOverEverythingIsOwed() external {
        uint64 jobId = _openJob(0, 100);
        vm.warp(GENESIS + JOB_TIMEOUT);
        vm.prank(pauser);
        desk.setPausedUntil(GENESIS + JOB_TIMEOUT + 1 days);
        vm.expectEmit(address(license));
        emit License.LicenseRevoked(1);
        vm.prank(stranger);
        desk.refund(jobId);
        assertEq(desk.owedTo(bidders[0]), BASE + 100 * PER_UNIT);
        assertEq(license.termsOf(1).expiry, 0);
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_NotUnderWay.selector, jobId));
        desk.refund(jobId);
        desk.withdraw(bidders[0]);
        assertEq(usdc.balanceOf(address(desk)), 0);
    }

    function test_RevertWhen_Paused() external {
        uint64 jobId = _openJob(0, 100);
        vm.prank(pauser);
        desk.setPausedUntil(GENESIS + 1 days);
        bytes memory paused = abi.encodeWithSelector(Pausing.Pausing_Paused.selector, GENESIS + 1 days);
        _expectBadJob(_job(1), paused);
        bytes[] memory none = new bytes[](0);
        vm.expectRevert(paused);
        desk.complete(_receipt(jobId, 1), none, "");
    }

    // ----------------------------------------------------------------------------------------------- pause

    function _pause(uint64 until) private {
        vm.prank(pauser);
        desk.setPausedUntil(until);
    }

    function _expectTooEarly(uint64 jobId, uint64 refundAt) private {
        assertEq(desk.jobOf(jobId).refundAt, refundAt);
        vm.expectRevert(abi.encodeWithSelector(ComputeDesk.ComputeDesk_TooEarly.selector, jobId, refundAt));
        desk.refund(jobId);
    }

    /// @dev Point 20 of issue 7: the receipt is ready when a pause of four days begins that outlasts the job's own time.
    function test_Point20_APauseEatsNoJobsTime() external {
        uint64 jobId = _openJob(0, 100);
        uint64 started = GENESIS + JOB_TIMEOUT - 1 days;
        vm.warp(started);
        _pause(started + 4 days);
        vm.warp(started + 4 days - 1);
        _expectTooEarly(jobId, GENESIS + JOB_TIMEOUT + 4 days);
        vm.warp(started + 4 days);
        _expectTooEarly(jobId, GENESIS + JOB_TIMEOUT + 4 days);
        vm.warp(GENESIS + JOB_TIMEOUT + 4 days - 1);
        _expectTooEarly(jobId, GENESIS + JOB_TIMEOUT + 4 days);
        _complete(jobId, 100);
        assertEq(_booked(), BASE + 100 * PER_UNIT);
    }

    function test_WhenThePauseIsChangedWhatItWasInTheEndCounts() external {
        uint64 jobId = _openJob(0, 100);
        vm.warp(GENESIS + 1 days);
        _pause(GENESIS + 3 days);
        vm.warp(GENESIS + 2 days);
        _pause(GENESIS + 6 days);
        _expectTooEarly(jobId, GENESIS + JOB_TIMEOUT + 5 days);
        vm.warp(GENESIS + 4 days);
        _pause(0);
        _expectTooEarly(jobId, GENESIS + JOB_TIMEOUT + 3 days);
        vm.warp(GENESIS + JOB_TIMEOUT + 3 days - 1);
        _expectTooEarly(jobId, GENESIS + JOB_TIMEOUT + 3 days);
        vm.warp(GENESIS + JOB_TIMEOUT + 3 days);
        desk.refund(jobId);
        assertEq(desk.owedTo(bidders[0]), BASE + 100 * PER_UNIT);
        assertEq(desk.jobOf(jobId).refundAt, 0);
    }

    function test_WhenOverBeforeThePauseItIsRefundedDuringIt() external {
        uint64 jobId = _openJob(0, 100);
        uint64 over = GENESIS + JOB_TIMEOUT;
        vm.warp(over);
        assertEq(desk.jobOf(jobId).refundAt, over);
        _pause(over + 9 days);
        assertEq(desk.jobOf(jobId).refundAt, over);
        vm.warp(over + 1 days);
        assertEq(desk.jobOf(jobId).refundAt, over + 1 days);
        desk.refund(jobId);
        assertEq(desk.owedTo(bidders[0]), BASE + 100 * PER_UNIT);
    }

    function test_WhenOpenedAfterAPauseItHasItsTimeAndNoMore() external {
        _pause(GENESIS + 5 days);
        vm.warp(GENESIS + 5 days);
        uint64 jobId = _openJob(0, 100);
        uint64 over = GENESIS + 5 days + JOB_TIMEOUT;
        assertEq(license.termsOf(1).expiry, over);
        vm.warp(over - 1);
        _expectTooEarly(jobId, over);
        vm.warp(over);
        desk.refund(jobId);
    }

    /// @dev However a pause is set and changed, a job has its time outside of pauses, exactly.
    function testFuzz_AJobHasItsTimeOutsideOfPauses(uint32[4] calldata gaps, uint32[4] calldata lengths) external {
        uint64 jobId = _openJob(0, 100);
        uint64 time = GENESIS;
        uint64 until = 0;
        uint64 left = JOB_TIMEOUT;
        for (uint256 i; i < 4; ++i) {
            uint64 gap = uint64(bound(gaps[i], 0, 5 days));
            uint64 running = until > time ? until - time : 0;
            uint64 ran = gap > running ? gap - running : 0;
            if (ran >= left) break;
            (left, time) = (left - ran, time + gap);
            vm.warp(time);
            until = time + uint64(bound(lengths[i], 0, 5 days));
            _pause(until);
        }
        uint64 over = (until > time ? until : time) + left;
        vm.warp(over - 1);
        _expectTooEarly(jobId, over);
        vm.warp(over);
        desk.refund(jobId);
    }
}
