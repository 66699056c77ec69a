// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {LicenseSale} from "../../src/market/LicenseSale.sol";
import {CoopTest} from "../utils/CoopTest.sol";

/// @notice What researchers pay, each call a transaction of its own (profile `gas`). Names in snapshots/ are read by
/// docs/gas.md. "later" = not the first sale of all.
contract MarketGasTest is CoopTest {
    function _snap(string memory name) private {
        vm.snapshotGasLastCall("market", name);
    }

    function _buy() private {
        usdc.mint(researcher, 100e6);
        LicenseSale.Order memory o = _order(1_500);
        LicenseSale.Permit memory p = _permit(researcherKey, 75e6);
        vm.prank(researcher);
        market.buy(o, p);
    }

    function test_Buy() external {
        _buy();
        _snap("buy with permit, first sale");
        _buy();
        _buy();
        _snap("buy with permit, later");
        usdc.mint(researcher, 100e6);
        vm.prank(researcher);
        usdc.approve(address(market), type(uint256).max);
        LicenseSale.Permit memory none;
        none.value = 75e6;
        LicenseSale.Order memory o = _order(1_500);
        vm.prank(researcher);
        market.buy(o, none);
        _snap("buy after approve, later");
        vm.prank(researcher);
        market.renew(1, 30 days, none);
        _snap("renew after approve");
    }

    function test_Reserve() external {
        _buy();
        for (uint256 i; i < 3; ++i) {
            usdc.mint(researcher, 100e6);
            LicenseSale.Order memory o = _order(1_500);
            LicenseSale.Permit memory p = _permit(researcherKey, 75e6);
            vm.prank(researcher);
            market.reserve(o, p);
            if (i == 2) _snap("reserve with permit, later");
        }
        vm.startPrank(researcher);
        market.activate(1);
        _snap("activate a reservation");
        market.cancel(2);
        _snap("cancel a reservation");
        vm.stopPrank();
    }

    function test_BuyWithData() external {
        _asTokenHouse();
        market.setDataTerms(4e18, 2_500);
        vm.prank(address(ledger));
        dataToken.mint(researcher, 1_000e18);
        _buy();
        LicenseSale.Order memory o = _order(1_000);
        vm.startPrank(researcher);
        dataToken.approve(address(market), type(uint256).max);
        market.buyWithData(o, 200e18);
        market.buyWithData(o, 200e18);
        _snap("buy with DATA, later");
        vm.stopPrank();
    }

    function test_Publish() external {
        vm.startPrank(tokenHouse);
        catalog.publish(2, _dataset());
        _snap("publish dataset");
        vm.stopPrank();
    }
}
