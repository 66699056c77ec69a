// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {ServiceDesk} from "../../../src/market/ServiceDesk.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract ServiceDeskTest is SaleTest {
    uint32 private constant REPORT = 7;
    uint128 private constant PRICE_DATA = 25e18;
    bytes32 private constant REQUEST = keccak256("blinded request");

    address private member;

    function setUp() public override {
        super.setUp();
        vm.prank(tokenHouse);
        services.setService(REPORT, ServiceDesk.Service(PRICE_DATA, true));
        member = vm.addr(memberKeys[_join()]);
        vm.prank(address(ledger));
        dataToken.mint(member, 100e18);
        vm.prank(member);
        dataToken.approve(address(services), PRICE_DATA);
    }

    function test_RevertWhen_APartIsMissing() external {
        address code = address(new ServiceDesk());
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "membership"));
        _proxy(code, abi.encodeCall(ServiceDesk.initialize, (address(manager), address(0), address(dataToken))));
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "dataToken"));
        _proxy(code, abi.encodeCall(ServiceDesk.initialize, (address(manager), address(membership), address(0))));
    }

    function test_RevertWhen_TheServiceIsNotAllowed() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        services.setService(REPORT, ServiceDesk.Service(1, true));
        vm.prank(tokenHouse);
        vm.expectRevert(abi.encodeWithSelector(ServiceDesk.ServiceDesk_PriceMissing.selector, REPORT));
        services.setService(REPORT, ServiceDesk.Service(0, true));
    }

    function test_WhenAServiceIsClosed() external {
        vm.expectEmit(address(services));
        emit ServiceDesk.ServiceSet(REPORT, 0, false);
        vm.prank(tokenHouse);
        services.setService(REPORT, ServiceDesk.Service(0, false));
        assertFalse(services.serviceOf(REPORT).open);
        vm.prank(member);
        vm.expectRevert(abi.encodeWithSelector(ServiceDesk.ServiceDesk_NotOpen.selector, REPORT));
        services.order(REPORT, REQUEST);
    }

    function test_RevertWhen_TheOrderIsNotAllowed() external {
        vm.startPrank(member);
        vm.expectRevert(abi.encodeWithSelector(ServiceDesk.ServiceDesk_NotOpen.selector, 8));
        services.order(8, REQUEST);
        vm.expectRevert(ServiceDesk.ServiceDesk_EmptyCommitment.selector);
        services.order(REPORT, 0);
        vm.stopPrank();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(ServiceDesk.ServiceDesk_NotMember.selector, stranger));
        services.order(REPORT, REQUEST);
    }

    function test_RevertWhen_TheMembershipEnded() external {
        _erase(1);
        vm.prank(member);
        vm.expectRevert(abi.encodeWithSelector(ServiceDesk.ServiceDesk_NotMember.selector, member));
        services.order(REPORT, REQUEST);
    }

    function test_RevertWhen_Paused() external {
        vm.prank(pauser);
        services.setPausedUntil(GENESIS + 1);
        vm.prank(member);
        vm.expectRevert(abi.encodeWithSelector(Pausing.Pausing_Paused.selector, GENESIS + 1));
        services.order(REPORT, REQUEST);
    }

    function test_RevertWhen_ThePriceRoseAboveTheAllowance() external {
        vm.prank(tokenHouse);
        services.setService(REPORT, ServiceDesk.Service(PRICE_DATA + 1, true));
        vm.prank(member);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(services), PRICE_DATA, PRICE_DATA + 1
            )
        );
        services.order(REPORT, REQUEST);
    }

    function testFuzz_AnOrderBurnsThePrice(uint128 price) external {
        price = uint128(bound(price, 1, 100e18));
        vm.prank(tokenHouse);
        services.setService(REPORT, ServiceDesk.Service(price, true));
        vm.startPrank(member);
        dataToken.approve(address(services), price);
        vm.expectEmit(address(services));
        emit ServiceDesk.ServiceOrdered(REPORT, member, REQUEST, price);
        services.order(REPORT, REQUEST);
        assertEq(dataToken.balanceOf(member), 100e18 - price);
        assertEq(dataToken.totalSupply(), 100e18 - price);
        assertEq(dataToken.balanceOf(address(services)), 0);
    }
}
