// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {DatasetCatalog} from "../../../src/market/DatasetCatalog.sol";
import {License} from "../../../src/market/License.sol";
import {LicenseSale} from "../../../src/market/LicenseSale.sol";
import {Market} from "../../../src/market/Market.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

/// @notice What the token house sets, sales for DATA, and renewals.
contract MarketTermsTest is CoopTest {
    uint128 private constant RATE = 4e18;
    uint16 private constant BURN = 2_500;
    uint16 private constant ONE = 10_000;

    function _setRate(uint128 rate, uint16 burnBps) private {
        _asTokenHouse();
        market.setDataTerms(rate, burnBps);
    }

    /// @dev DATA that the researcher has and lets Market take.
    function _fundData(uint256 amount) private {
        vm.prank(address(ledger));
        dataToken.mint(researcher, amount);
        vm.prank(researcher);
        dataToken.approve(address(market), amount);
    }

    function _fundRenewal(uint256 price) private returns (LicenseSale.Permit memory) {
        usdc.mint(researcher, price);
        return _permit(researcherKey, price);
    }

    // ---------------------------------------------------------------------------------------- the rules

    function test_RevertWhen_APartIsMissing() external {
        address code = address(new Market());
        string[7] memory names = ["authority", "usdc", "treasury", "catalog", "license", "ethics", "researcherBond"];
        for (uint256 i; i < 7; ++i) {
            address[7] memory a;
            for (uint256 k; k < 7; ++k) {
                if (k != i) a[k] = address(uint160(k + 1));
            }
            bytes memory init = abi.encodeCall(
                Market.initialize, (LicenseSale.Deployment(a[0], a[1], a[2], a[3], a[4], a[5], a[6]), address(8), 0)
            );
            vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, names[i]));
            new ERC1967Proxy(code, init);
        }
        LicenseSale.Deployment memory p =
            LicenseSale.Deployment(address(1), address(2), address(3), address(4), address(5), address(6), address(7));
        bytes memory last = abi.encodeCall(Market.initialize, (p, address(0), 0));
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "dataToken"));
        new ERC1967Proxy(code, last);
        last = abi.encodeCall(Market.initialize, (p, address(8), 30 days + 1));
        vm.expectRevert(abi.encodeWithSelector(Market.Market_BadRefundWindow.selector, 30 days + 1));
        new ERC1967Proxy(code, last);
    }

    function test_RevertWhen_TheRulesAreNotAllowed() external {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        market.setDataTerms(1, 0);
        vm.expectRevert(unauthorized);
        market.setRefundWindow(1);
        vm.stopPrank();
        vm.startPrank(tokenHouse);
        vm.expectRevert(abi.encodeWithSelector(Market.Market_BadDataTerms.selector, RATE, ONE + 1));
        market.setDataTerms(RATE, ONE + 1);
        vm.expectRevert(abi.encodeWithSelector(Market.Market_BadRefundWindow.selector, 30 days + 1));
        market.setRefundWindow(30 days + 1);
        vm.stopPrank();
    }

    function test_WhenTheRulesAreSet() external {
        vm.expectEmit(address(market));
        emit Market.DataTermsSet(RATE, BURN);
        _setRate(RATE, BURN);
        (uint128 rate, uint16 burnBps) = market.dataTerms();
        assertEq(rate, RATE);
        assertEq(burnBps, BURN);
        assertEq(market.refundWindow(), REFUND_WINDOW);
        vm.expectEmit(address(market));
        emit Market.RefundWindowSet(0);
        _asTokenHouse();
        market.setRefundWindow(0);
        assertEq(market.refundWindow(), 0);
        usdc.mint(researcher, 50e6);
        LicenseSale.Permit memory p = _permit(researcherKey, 50e6);
        vm.prank(researcher);
        uint64 id = market.reserve(_order(1_000), p);
        assertEq(market.activate(id), 1, "at once, by anyone");
    }

    // -------------------------------------------------------------------------------------------- DATA

    function test_RevertWhen_DataCannotBuy() external {
        _fundData(200e18);
        vm.startPrank(researcher);
        vm.expectRevert(Market.Market_DataNotAccepted.selector);
        market.buyWithData(_order(1_000), 200e18);
        vm.stopPrank();
        _setRate(RATE, BURN);
        vm.startPrank(researcher);
        vm.expectRevert(abi.encodeWithSelector(Market.Market_DataPriceExceeds.selector, 200e18, 200e18 - 1));
        market.buyWithData(_order(1_000), 200e18 - 1);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_BadOrder.selector, "records"));
        market.buyWithData(_order(0), 200e18);
        dataToken.approve(address(market), 200e18 - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(market), 150e18 - 1, 150e18
            )
        );
        market.buyWithData(_order(1_000), 200e18);
        vm.stopPrank();
        _asPauser();
        market.setPausedUntil(uint64(block.timestamp + 1));
        vm.prank(researcher);
        vm.expectRevert(abi.encodeWithSelector(Pausing.Pausing_Paused.selector, block.timestamp + 1));
        market.buyWithData(_order(1_000), 200e18);
    }

    function test_WhenDataBuys() external {
        _fundData(201e18);
        _setRate(RATE, BURN);
        assertEq(market.dataPriceOf(_order(1_000)), 200e18);
        vm.expectEmit(address(market));
        emit Market.SoldForData(1, DATASET, 50e18, 150e18);
        vm.prank(researcher);
        assertEq(market.buyWithData(_order(1_000), 201e18), 1);
        assertEq(license.ownerOf(1), researcher);
        assertEq(license.termsOf(1).expiry, block.timestamp + 30 days);
        assertEq(dataToken.balanceOf(researcher), 1e18);
        assertEq(dataToken.balanceOf(address(treasury)), 150e18);
        assertEq(dataToken.totalSupply(), 151e18);
        assertEq(treasury.contributorsBooked(), 0, "cash is what is booked");
    }

    function test_WhenAllOfItBurns() external {
        _fundData(200e18);
        _setRate(RATE, ONE);
        vm.prank(researcher);
        market.buyWithData(_order(1_000), 200e18);
        assertEq(dataToken.totalSupply(), 0);
    }

    function testFuzz_ThePriceInData(uint32 records, uint64 pricePerThousand, uint96 rate, uint16 burnBps) external {
        records = uint32(bound(records, 1, type(uint32).max));
        rate = uint96(bound(rate, 1, type(uint96).max));
        burnBps = uint16(bound(burnBps, 0, ONE));
        DatasetCatalog.Dataset memory d = _dataset();
        d.pricePerThousand = uint128(bound(pricePerThousand, 1, type(uint64).max));
        _asTokenHouse();
        catalog.publish(DATASET, d);
        _setRate(rate, burnBps);
        uint256 price = market.dataPriceOf(_order(records));
        uint256 exact = market.priceOf(_order(records)) * rate;
        assertGe(price * 1e6, exact, "never less than it is worth");
        assertLt(price * 1e6, exact + 1e6, "nor a wei more than rounding needs");
        _fundData(price);
        vm.prank(researcher);
        market.buyWithData(_order(records), price);
        uint256 burned = price * burnBps / ONE;
        assertEq(dataToken.balanceOf(researcher), 0);
        assertEq(dataToken.balanceOf(address(treasury)), price - burned);
        assertEq(dataToken.totalSupply(), price - burned);
    }

    // ------------------------------------------------------------------------------------------ renewal

    function test_RevertWhen_ALicenseCannotBeRenewed() external {
        uint64 id = _sell(50e6);
        LicenseSale.Permit memory p = _fundRenewal(50e6);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Market.Market_NotHolder.selector, stranger));
        market.renew(id, 1 days, p);
        vm.startPrank(researcher);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_BadOrder.selector, "duration"));
        market.renew(id, 0, p);
        uint64 most = market.MAX_DURATION() - 30 days;
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_BadOrder.selector, "duration"));
        market.renew(id, most + 1, p);
        vm.stopPrank();
        _approve(researcher, PURPOSE, uint64(block.timestamp));
        vm.prank(researcher);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_NotApproved.selector, researcher, PURPOSE));
        market.renew(id, 1 days, p);
        _approve(researcher, PURPOSE, type(uint64).max);
        DatasetCatalog.Dataset memory d = _dataset();
        d.open = false;
        _asTokenHouse();
        catalog.publish(DATASET, d);
        vm.prank(researcher);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_DatasetClosed.selector, DATASET));
        market.renew(id, 1 days, p);
        _asPauser();
        market.setPausedUntil(uint64(block.timestamp + 1));
        vm.prank(researcher);
        vm.expectRevert(abi.encodeWithSelector(Pausing.Pausing_Paused.selector, block.timestamp + 1));
        market.renew(id, 1 days, p);
    }

    function test_RevertWhen_ItIsForAComputationOrRevoked() external {
        License.Terms memory t = License.Terms({
            datasetId: DATASET,
            right: 3,
            purpose: PURPOSE,
            ehdsCategory: 5,
            records: 0,
            issuedAt: uint64(block.timestamp),
            expiry: uint64(block.timestamp) + 1 days,
            recipientKey: keccak256("recipient")
        });
        vm.prank(address(desk));
        uint64 job = license.mint(researcher, t);
        uint64 id = _sell(50e6);
        vm.prank(address(market));
        license.revoke(id);
        LicenseSale.Permit memory p = _fundRenewal(50e6);
        vm.startPrank(researcher);
        vm.expectRevert(abi.encodeWithSelector(Market.Market_NotRenewable.selector, job));
        market.renew(job, 1 days, p);
        vm.expectRevert(abi.encodeWithSelector(License.License_NotLive.selector, id));
        market.renew(id, 1 days, p);
        vm.stopPrank();
    }

    function test_WhenRenewedBeforeAndAfterTheEnd() external {
        uint64 id = _sell(50e6);
        uint64 expiry = license.termsOf(id).expiry;
        DatasetCatalog.Dataset memory d = _dataset();
        d.pricePerThousand = 60e6;
        _asTokenHouse();
        catalog.publish(DATASET, d);
        LicenseSale.Permit memory p = _fundRenewal(60e6);
        vm.expectEmit(address(market));
        emit Market.Renewed(id, expiry + 10 days, 60e6);
        vm.prank(researcher);
        assertEq(market.renew(id, 10 days, p), expiry + 10 days);
        vm.warp(expiry + 20 days);
        p = _fundRenewal(60e6);
        vm.prank(researcher);
        market.renew(id, 5 days, p);
        assertEq(license.termsOf(id).expiry, expiry + 25 days);
        assertEq(usdc.balanceOf(address(treasury)), 170e6);
        assertEq(license.licenseCount(), 1);
        p = _fundRenewal(61 * 60e6);
        uint64 most = market.MAX_DURATION() - 5 days;
        vm.prank(researcher);
        assertEq(market.renew(id, most, p), block.timestamp + market.MAX_DURATION());
    }
}
