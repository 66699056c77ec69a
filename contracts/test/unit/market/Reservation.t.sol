// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Pausing} from "../../../src/access/Pausing.sol";
import {DatasetCatalog} from "../../../src/market/DatasetCatalog.sol";
import {LicenseSale} from "../../../src/market/LicenseSale.sol";
import {Market} from "../../../src/market/Market.sol";
import {Treasury} from "../../../src/treasury/Treasury.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract ReservationTest is CoopTest {
    uint256 private constant PAID = 50e6;

    function _reserve() private returns (uint64 id) {
        usdc.mint(researcher, PAID);
        LicenseSale.Permit memory p = _permit(researcherKey, PAID);
        vm.prank(researcher);
        return market.reserve(_order(1_000), p);
    }

    function _pause() private {
        _asPauser();
        market.setPausedUntil(uint64(block.timestamp + 1 days));
    }

    function _expectNone(uint64 id) private {
        assertEq(market.reservationOf(id).holder, address(0));
        vm.startPrank(researcher);
        vm.expectRevert(abi.encodeWithSelector(Market.Market_NoReservation.selector, id));
        market.activate(id);
        vm.expectRevert(abi.encodeWithSelector(Market.Market_NoReservation.selector, id));
        market.cancel(id);
        vm.stopPrank();
    }

    // ------------------------------------------------------------------------------------------- reserve

    function test_RevertWhen_ReservingWhatCannotBeBought() external {
        LicenseSale.Permit memory p = _permit(researcherKey, PAID);
        LicenseSale.Order memory o = _order(1_000);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_NotApproved.selector, stranger, PURPOSE));
        market.reserve(o, p);
        vm.startPrank(researcher);
        o.records = 0;
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_BadOrder.selector, "records"));
        market.reserve(o, p);
        o.records = 1_001;
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_PriceExceeds.selector, 50_050_000, PAID));
        market.reserve(o, p);
        vm.stopPrank();
        _pause();
        vm.prank(researcher);
        vm.expectRevert(abi.encodeWithSelector(Pausing.Pausing_Paused.selector, block.timestamp + 1 days));
        market.reserve(_order(1_000), p);
    }

    function test_ReserveWhenAllIsWell() external {
        usdc.mint(researcher, PAID);
        LicenseSale.Order memory o = _order(1_000);
        LicenseSale.Permit memory p = _permit(researcherKey, PAID);
        vm.expectEmit(address(market));
        emit Market.Reserved(1, researcher, DATASET, PAID);
        vm.prank(researcher);
        uint64 id = market.reserve(o, p);
        Market.Reservation memory r = market.reservationOf(id);
        assertEq(r.holder, researcher);
        assertEq(r.price, PAID);
        assertEq(r.cancelUntil, block.timestamp + REFUND_WINDOW);
        assertEq(
            abi.encode(
                LicenseSale.Order(r.datasetId, r.records, r.purpose, r.ehdsCategory, r.duration, r.recipientKey)
            ),
            abi.encode(o)
        );
        assertEq(license.licenseCount(), 0);
        assertEq(usdc.balanceOf(address(market)), PAID);
        assertEq(usdc.balanceOf(address(treasury)), 0);
        assertEq(_reserve(), id + 1);
    }

    // ------------------------------------------------------------------------------------------ activate

    function test_RevertWhen_AReservationCannotBeActivated() external {
        _expectNone(1);
        uint64 id = _reserve();
        uint64 until = uint64(block.timestamp) + REFUND_WINDOW;
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(Market.Market_StillCancellable.selector, id, until));
        vm.prank(stranger);
        market.activate(id);
        _pause();
        vm.expectRevert(abi.encodeWithSelector(Pausing.Pausing_Paused.selector, block.timestamp + 1 days));
        vm.prank(researcher);
        market.activate(id);
        vm.warp(block.timestamp + 1 days);
        _approve(researcher, PURPOSE, uint64(block.timestamp));
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_NotApproved.selector, researcher, PURPOSE));
        vm.prank(stranger);
        market.activate(id);
    }

    function test_WhenTheHolderActivatesEarly() external {
        uint64 id = _reserve();
        vm.warp(block.timestamp + 1 hours);
        vm.expectEmit(address(market));
        emit Market.ReservationActivated(id, 1);
        vm.expectEmit(address(treasury));
        emit Treasury.Booked(1, DATASET, 37_500_000, 0, 7_500_000, 2_500_000, 2_500_000);
        vm.prank(researcher);
        assertEq(market.activate(id), 1);
        assertEq(license.ownerOf(1), researcher);
        assertEq(license.termsOf(1).issuedAt, block.timestamp);
        assertEq(license.termsOf(1).expiry, block.timestamp + 30 days);
        assertEq(license.termsOf(1).records, 1_000);
        assertEq(license.termsOf(1).right, 1);
        assertEq(usdc.balanceOf(address(market)), 0);
        assertEq(usdc.balanceOf(address(treasury)), PAID);
        _expectNone(id);
    }

    function test_WhenAnyoneActivatesLater() external {
        uint64 id = _reserve();
        DatasetCatalog.Dataset memory d = _dataset();
        d.pricePerThousand *= 2;
        d.open = false;
        _asTokenHouse();
        catalog.publish(DATASET, d);
        vm.warp(block.timestamp + REFUND_WINDOW);
        vm.prank(stranger);
        assertEq(market.activate(id), 1);
        assertEq(license.ownerOf(1), researcher);
        assertEq(usdc.balanceOf(address(treasury)), PAID);
    }

    // -------------------------------------------------------------------------------------------- cancel

    function test_RevertWhen_AReservationCannotBeCancelled() external {
        uint64 id = _reserve();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Market.Market_NotHolder.selector, stranger));
        market.cancel(id);
        uint64 until = uint64(block.timestamp) + REFUND_WINDOW;
        vm.warp(until);
        vm.prank(researcher);
        vm.expectRevert(abi.encodeWithSelector(Market.Market_NotCancellable.selector, id, until));
        market.cancel(id);
    }

    function test_WhenCancelledInTimePausedOrNot() external {
        for (uint256 i; i < 2; ++i) {
            uint64 id = _reserve();
            vm.warp(block.timestamp + REFUND_WINDOW - 1);
            if (i == 1) _pause();
            vm.expectEmit(address(market));
            emit Market.ReservationCancelled(id, PAID);
            vm.prank(researcher);
            market.cancel(id);
            assertEq(usdc.balanceOf(address(market)), 0);
            assertEq(usdc.balanceOf(researcher), PAID * (i + 1));
        }
        assertEq(license.licenseCount(), 0);
        vm.warp(block.timestamp + 1 days);
        _expectNone(1);
    }

    function test_WhenTheApprovalHasEnded() external {
        uint64 id = _reserve();
        vm.warp(block.timestamp + 365 days);
        _approve(researcher, PURPOSE, uint64(block.timestamp));
        vm.prank(stranger);
        market.cancel(id);
        assertEq(usdc.balanceOf(researcher), PAID, "whoever omitted to ask for it");
    }
}
