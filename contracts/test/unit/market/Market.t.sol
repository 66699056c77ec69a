// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {Roles} from "../../../src/access/Roles.sol";
import {DatasetCatalog} from "../../../src/market/DatasetCatalog.sol";
import {License} from "../../../src/market/License.sol";
import {LicenseSale} from "../../../src/market/LicenseSale.sol";
import {SoulboundERC721} from "../../../src/tokens/SoulboundERC721.sol";
import {Treasury} from "../../../src/treasury/Treasury.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract MarketTest is CoopTest {
    function _expectBuyRevert(LicenseSale.Order memory o, bytes memory reason) internal {
        usdc.mint(researcher, 1_000e6);
        LicenseSale.Permit memory p = _permit(researcherKey, 1_000e6);
        vm.prank(researcher);
        vm.expectRevert(reason);
        market.buy(o, p);
    }

    // ------------------------------------------------------------------------------------------- catalog

    function test_RevertWhen_ThePublisherIsNotAuthorized() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        catalog.publish(2, _dataset());
    }

    function test_RevertWhen_ADatasetIsIncomplete() external {
        vm.startPrank(tokenHouse);
        DatasetCatalog.Dataset memory d = _dataset();
        vm.expectRevert(DatasetCatalog.DatasetCatalog_ZeroId.selector);
        catalog.publish(0, d);
        d.dataType = 0;
        vm.expectRevert(abi.encodeWithSelector(DatasetCatalog.DatasetCatalog_BadDataType.selector, 0));
        catalog.publish(2, d);
        d.dataType = 5;
        vm.expectRevert(abi.encodeWithSelector(DatasetCatalog.DatasetCatalog_BadDataType.selector, 5));
        catalog.publish(2, d);
        d = _dataset();
        d.pricePerThousand = 0;
        vm.expectRevert(DatasetCatalog.DatasetCatalog_PriceMissing.selector);
        catalog.publish(2, d);
        d = _dataset();
        d.termsHash = 0;
        vm.expectRevert(DatasetCatalog.DatasetCatalog_TermsMissing.selector);
        catalog.publish(2, d);
    }

    function test_RevertWhen_TheKindOfADatasetWouldChange() external {
        vm.startPrank(tokenHouse);
        DatasetCatalog.Dataset memory d = _dataset();
        d.source = 2;
        vm.expectRevert(abi.encodeWithSelector(DatasetCatalog.DatasetCatalog_KindFixed.selector, DATASET, 1, 1));
        catalog.publish(DATASET, d);
        d = _dataset();
        d.dataType = 2;
        vm.expectRevert(abi.encodeWithSelector(DatasetCatalog.DatasetCatalog_KindFixed.selector, DATASET, 1, 1));
        catalog.publish(DATASET, d);
    }

    function test_WhenADatasetIsRepricedAndClosed() external {
        DatasetCatalog.Dataset memory d = _dataset();
        (d.pricePerThousand, d.open, d.termsHash) = (1, false, keccak256("new terms"));
        vm.expectEmit(address(catalog));
        emit DatasetCatalog.DatasetPublished(DATASET, 1, 1, 1, d.termsHash, false);
        vm.expectEmit(address(catalog));
        emit DatasetCatalog.DatasetClosed(DATASET);
        _asTokenHouse();
        catalog.publish(DATASET, d);
        assertEq(abi.encode(catalog.datasetOf(DATASET)), abi.encode(d));
        _expectBuyRevert(_order(1), abi.encodeWithSelector(LicenseSale.LicenseSale_DatasetClosed.selector, DATASET));
    }

    // ------------------------------------------------------------------------------------------- license

    function test_WhenAnyOfTheThreeMints() external {
        address[3] memory minters = [address(market), address(auctions), address(desk)];
        License.Terms memory terms;
        terms.expiry = uint64(block.timestamp + 1);
        for (uint64 i; i < 3; ++i) {
            vm.startPrank(minters[i]);
            assertEq(license.mint(stranger, terms), i + 1);
            license.extend(i + 1, terms.expiry + 1);
            license.revoke(i + 1);
            vm.stopPrank();
        }
        assertEq(license.balanceOf(stranger), 3);
    }

    function _expectUnauthorized(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
    }

    function test_RevertWhen_TheAuthorityIsMissing() external {
        address code = address(uint160(uint256(vm.load(address(license), ERC1967Utils.IMPLEMENTATION_SLOT))));
        bytes memory init = abi.encodeCall(License.initialize, (address(0)));
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "authority"));
        new ERC1967Proxy(code, init);
    }

    function test_RevertWhen_AnyoneElseMints() external {
        License.Terms memory terms;
        vm.prank(founder);
        _expectUnauthorized(founder);
        license.mint(founder, terms);
    }

    function test_WhenTheCharterNamedAnotherSeller() external {
        address another = makeAddr("another seller");
        License.Terms memory terms;
        terms.expiry = uint64(block.timestamp + 1);
        vm.prank(another);
        _expectUnauthorized(another);
        treasury.book(1, 1, 100e6);
        _asCharter();
        manager.grantRole(Roles.SELLER, another, 0);
        vm.startPrank(another);
        uint64 id = license.mint(stranger, terms);
        assertEq(license.ownerOf(id), stranger);
        uint256 before = treasury.contributorsBooked();
        treasury.book(id, 1, 100e6);
        assertGt(treasury.contributorsBooked(), before);
    }

    function test_RevertWhen_ALicenseIsTransferred() external {
        uint64 id = _sell(50e6);
        vm.startPrank(researcher);
        vm.expectRevert(abi.encodeWithSelector(SoulboundERC721.Soulbound_NotTransferable.selector, id));
        license.transferFrom(researcher, stranger, id);
        vm.expectRevert(SoulboundERC721.Soulbound_NotApprovable.selector);
        license.approve(stranger, id);
        vm.expectRevert(SoulboundERC721.Soulbound_NotApprovable.selector);
        license.setApprovalForAll(stranger, true);
    }

    function test_RevertWhen_AnExtensionIsNotAllowed() external {
        uint64 id = _sell(50e6);
        uint64 expiry = license.termsOf(id).expiry;
        vm.prank(founder);
        _expectUnauthorized(founder);
        license.extend(id, expiry + 1);
        vm.startPrank(address(market));
        vm.expectRevert(abi.encodeWithSelector(License.License_NotLater.selector, id, expiry));
        license.extend(id, expiry);
        vm.expectRevert(abi.encodeWithSelector(License.License_NotLive.selector, 2));
        license.extend(2, expiry + 1);
        license.revoke(id);
        vm.expectRevert(abi.encodeWithSelector(License.License_NotLive.selector, id));
        license.extend(id, expiry + 1);
    }

    function test_WhenALicenseIsExtended() external {
        uint64 id = _sell(50e6);
        uint64 expiry = license.termsOf(id).expiry;
        vm.warp(expiry + 5 days);
        vm.expectEmit(address(license));
        emit License.LicenseExtended(id, expiry + 10 days);
        vm.prank(address(market));
        license.extend(id, expiry + 10 days);
        assertEq(license.termsOf(id).expiry, expiry + 10 days);
    }

    function test_WhenALicenseIsRevoked() external {
        uint64 id = _sell(50e6);
        vm.prank(founder);
        _expectUnauthorized(founder);
        license.revoke(id);
        vm.startPrank(address(market));
        vm.expectEmit(address(license));
        emit License.LicenseRevoked(id);
        license.revoke(id);
        assertEq(license.termsOf(id).expiry, 0);
        assertEq(license.ownerOf(id), researcher);
        vm.expectRevert(abi.encodeWithSelector(License.License_NotLive.selector, id));
        license.revoke(id);
    }

    // ------------------------------------------------------------------------------------------- approval

    function test_WhenApprovedUntilATime() external {
        uint64 until = uint64(block.timestamp + 1 days);
        _approve(researcher, PURPOSE, until);
        vm.warp(until - 1);
        _sell(50e6);
        vm.warp(until);
        bytes4 notApproved = LicenseSale.LicenseSale_NotApproved.selector;
        _expectBuyRevert(_order(1), abi.encodeWithSelector(notApproved, researcher, PURPOSE));
        LicenseSale.Order memory o = _order(1);
        o.purpose = PURPOSE + 1;
        _expectBuyRevert(o, abi.encodeWithSelector(notApproved, researcher, o.purpose));
    }

    function test_WhenABondIsRequired() external {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        market.setBondRequired(true);
        vm.expectEmit(address(market));
        emit LicenseSale.BondRequired(true);
        _asMemberHouse();
        market.setBondRequired(true);
        assertTrue(market.bondRequired());
        _expectBuyRevert(_order(1), abi.encodeWithSelector(LicenseSale.LicenseSale_NotBonded.selector, researcher));
        usdc.mint(researcher, RESEARCHER_BOND);
        vm.startPrank(researcher);
        usdc.approve(address(bonds), RESEARCHER_BOND);
        bonds.post(RESEARCHER_BOND);
        vm.stopPrank();
        assertEq(_sell(50e6), 1);
    }

    function test_RevertWhen_Paused() external {
        _asPauser();
        market.setPausedUntil(uint64(block.timestamp + 1));
        _expectBuyRevert(_order(1), abi.encodeWithSelector(Pausing.Pausing_Paused.selector, block.timestamp + 1));
        vm.warp(block.timestamp + 1);
        assertEq(_sell(50e6), 1);
    }

    // ----------------------------------------------------------------------------------------------- buy

    function test_RevertWhen_AFieldIsOutOfRange() external {
        bytes4 bad = LicenseSale.LicenseSale_BadOrder.selector;
        LicenseSale.Order memory o = _order(0);
        _expectBuyRevert(o, abi.encodeWithSelector(bad, "records"));
        o = _order(1);
        o.ehdsCategory = 0;
        _expectBuyRevert(o, abi.encodeWithSelector(bad, "ehdsCategory"));
        o.ehdsCategory = 7;
        _expectBuyRevert(o, abi.encodeWithSelector(bad, "ehdsCategory"));
        o = _order(1);
        o.duration = 0;
        _expectBuyRevert(o, abi.encodeWithSelector(bad, "duration"));
        o.duration = market.MAX_DURATION() + 1;
        _expectBuyRevert(o, abi.encodeWithSelector(bad, "duration"));
        o = _order(1);
        o.recipientKey = 0;
        _expectBuyRevert(o, abi.encodeWithSelector(bad, "recipientKey"));
        o = _order(1);
        o.datasetId = 9;
        _expectBuyRevert(o, abi.encodeWithSelector(LicenseSale.LicenseSale_DatasetClosed.selector, 9));
    }

    function test_RevertWhen_ThePriceExceedsThePermit() external {
        usdc.mint(researcher, 100e6);
        LicenseSale.Permit memory p = _permit(researcherKey, 50e6 - 1);
        vm.prank(researcher);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_PriceExceeds.selector, 50e6, 50e6 - 1));
        market.buy(_order(1_000), p);
    }

    function test_RevertWhen_ThePermitIsBad() external {
        usdc.mint(researcher, 100e6);
        LicenseSale.Permit memory p = _permit(workerKey, 50e6);
        vm.prank(researcher);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(market), 0, 50e6)
        );
        market.buy(_order(1_000), p);
        assertEq(license.licenseCount(), 0);
    }

    function test_WhenSomebodySentThePermitBefore() external {
        usdc.mint(researcher, 100e6);
        LicenseSale.Permit memory p = _permit(researcherKey, 50e6);
        vm.prank(stranger);
        usdc.permit(researcher, address(market), p.value, p.deadline, p.v, p.r, p.s);
        vm.prank(researcher);
        assertEq(market.buy(_order(1_000), p), 1);
    }

    function test_WhenTheBuyerApproved() external {
        usdc.mint(researcher, 100e6);
        vm.startPrank(researcher);
        usdc.approve(address(market), 50e6);
        LicenseSale.Permit memory p;
        p.value = 50e6;
        assertEq(market.buy(_order(1_000), p), 1);
    }

    function testFuzz_ThePriceRoundsUp(uint32 records, uint128 pricePerThousand) external {
        records = uint32(bound(records, 1, type(uint32).max));
        DatasetCatalog.Dataset memory d = _dataset();
        d.pricePerThousand = uint128(bound(pricePerThousand, 1, type(uint128).max));
        _asTokenHouse();
        catalog.publish(DATASET, d);
        uint256 price = market.priceOf(_order(records));
        uint256 exact = uint256(records) * d.pricePerThousand;
        assertGe(price * 1_000, exact);
        assertLt(price * 1_000, exact + 1_000);
    }

    /// @dev Point 20: five years cost sixty-one times what a day costs.
    function test_WhenAMonthHasBegunItIsPaid() external {
        LicenseSale.Order memory o = _order(1_000);
        o.duration = 1;
        assertEq(market.priceOf(o), PRICE);
        o.duration = 30 days;
        assertEq(market.priceOf(o), PRICE);
        o.duration = 30 days + 1;
        assertEq(market.priceOf(o), 2 * PRICE);
        o.duration = market.MAX_DURATION();
        assertEq(market.priceOf(o), 61 * PRICE);
        usdc.mint(researcher, 61 * PRICE);
        LicenseSale.Permit memory p = _permit(researcherKey, 61 * PRICE - 1);
        vm.prank(researcher);
        vm.expectRevert(
            abi.encodeWithSelector(LicenseSale.LicenseSale_PriceExceeds.selector, 61 * PRICE, 61 * PRICE - 1)
        );
        market.buy(o, p);
    }

    /// @dev Rounding once, after all months: to buy in parts saves nothing.
    function testFuzz_PartsOfADurationCostNoLess(uint64 first, uint64 second, uint32 records) external view {
        LicenseSale.Order memory o = _order(uint32(bound(records, 1, type(uint32).max)));
        (first, second) = (uint64(bound(first, 1, 900 days)), uint64(bound(second, 1, 900 days)));
        o.duration = first;
        uint256 apart = market.priceOf(o);
        o.duration = second;
        apart += market.priceOf(o);
        o.duration = first + second;
        assertLe(market.priceOf(o), apart);
    }

    function test_RevertWhen_TheDatasetIsAuctioned() external {
        DatasetCatalog.Dataset memory d = _dataset();
        d.auctioned = true;
        vm.expectEmit(address(catalog));
        emit DatasetCatalog.DatasetPublished(DATASET, 1, 1, PRICE, d.termsHash, true);
        _asTokenHouse();
        catalog.publish(DATASET, d);
        assertEq(abi.encode(catalog.datasetOf(DATASET)), abi.encode(d));
        bytes memory reason = abi.encodeWithSelector(LicenseSale.LicenseSale_SoldOtherwise.selector, DATASET, true);
        _expectBuyRevert(_order(1), reason);
        vm.expectRevert(reason);
        market.priceOf(_order(1));
    }

    function test_BuyWhenAllIsWell() external {
        LicenseSale.Order memory o = _order(1_500);
        usdc.mint(researcher, 100e6);
        LicenseSale.Permit memory p = _permit(researcherKey, 75e6);
        License.Terms memory terms = License.Terms({
            datasetId: DATASET,
            right: 1,
            purpose: PURPOSE,
            ehdsCategory: 5,
            records: 1_500,
            issuedAt: uint64(block.timestamp),
            expiry: uint64(block.timestamp) + 30 days,
            recipientKey: o.recipientKey
        });
        vm.expectEmit(address(license));
        emit License.LicenseIssued(1, researcher, terms);
        vm.expectEmit(address(treasury));
        emit Treasury.Booked(1, DATASET, 56_250_000, 0, 11_250_000, 3_750_000, 3_750_000);
        vm.prank(researcher);
        assertEq(market.buy(o, p), 1);
        assertEq(license.ownerOf(1), researcher);
        assertEq(abi.encode(license.termsOf(1)), abi.encode(terms));
        assertEq(usdc.balanceOf(address(treasury)), 75e6);
        assertEq(usdc.balanceOf(researcher), 25e6);
        assertEq(usdc.allowance(researcher, address(market)), 0);
    }
}
