// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {GovToken} from "../../../src/tokens/GovToken.sol";
import {ResearcherBond} from "../../../src/market/ResearcherBond.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract ResearcherBondTest is SaleTest {
    bytes32 private constant REASON = keccak256("reason");

    function _post(uint256 amount) private {
        usdc.mint(researcher, amount);
        vm.startPrank(researcher);
        usdc.approve(address(bonds), amount);
        bonds.post(amount);
        vm.stopPrank();
    }

    function _slash(uint256 amount) private {
        vm.prank(memberHouse);
        bonds.slash(researcher, amount, REASON);
    }

    function test_RevertWhen_APartIsMissing() external {
        string[5] memory names = ["authority", "usdc", "dataToken", "govToken", "treasury"];
        address code = address(new ResearcherBond());
        for (uint256 i; i < 5; ++i) {
            address[5] memory a =
                [address(manager), address(usdc), address(dataToken), address(govToken), address(treasury)];
            a[i] = address(0);
            bytes memory init = abi.encodeCall(ResearcherBond.initialize, (a[0], a[1], a[2], a[3], a[4], 1));
            vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, names[i]));
            _proxy(code, init);
        }
    }

    // ---------------------------------------------------------------------------------------------- terms

    function test_RevertWhen_TheTermsAreNotAllowed() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        bonds.setTerms(address(usdc), 1);
        vm.startPrank(tokenHouse);
        vm.expectRevert(abi.encodeWithSelector(ResearcherBond.ResearcherBond_BadToken.selector, stranger));
        bonds.setTerms(stranger, 1);
        vm.expectRevert(ResearcherBond.ResearcherBond_ZeroAmount.selector);
        bonds.setTerms(address(usdc), 0);
    }

    function test_WhenAnotherTokenIsAccepted() external {
        _post(RESEARCHER_BOND);
        vm.startPrank(tokenHouse);
        bonds.setTerms(address(govToken), 1e18);
        vm.expectEmit(address(bonds));
        emit ResearcherBond.BondTermsSet(address(dataToken), 5e18);
        bonds.setTerms(address(dataToken), 5e18);
        vm.stopPrank();
        (address token, uint96 minAmount) = bonds.terms();
        assertEq(abi.encode(token, minAmount), abi.encode(address(dataToken), 5e18));
        assertFalse(bonds.isBonded(researcher));
        vm.startPrank(researcher);
        bytes memory other = abi.encodeWithSelector(
            ResearcherBond.ResearcherBond_OtherToken.selector, address(usdc), address(dataToken)
        );
        vm.expectRevert(other);
        bonds.post(5e18);
        bonds.requestUnbond(uint96(RESEARCHER_BOND));
        vm.expectRevert(other);
        bonds.post(5e18);
        vm.warp(GENESIS + 30 days);
        bonds.withdraw(researcher);
        assertEq(usdc.balanceOf(researcher), RESEARCHER_BOND);
        vm.stopPrank();
        _postData(5e18);
        assertTrue(bonds.isBonded(researcher));
    }

    function _postData(uint256 amount) private {
        vm.prank(address(ledger));
        dataToken.mint(researcher, amount);
        vm.startPrank(researcher);
        dataToken.approve(address(bonds), amount);
        bonds.post(amount);
        vm.stopPrank();
    }

    // ----------------------------------------------------------------------------------------------- post

    function test_RevertWhen_PostingIsNotAllowed() external {
        vm.prank(researcher);
        vm.expectRevert(ResearcherBond.ResearcherBond_ZeroAmount.selector);
        bonds.post(0);
        vm.prank(researcher);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 96, 1 << 96));
        bonds.post(1 << 96);
        vm.prank(pauser);
        bonds.setPausedUntil(GENESIS + 1);
        vm.prank(researcher);
        vm.expectRevert(abi.encodeWithSelector(Pausing.Pausing_Paused.selector, GENESIS + 1));
        bonds.post(1);
    }

    function test_WhenPostedFromTheLeastAmountOn() external {
        _post(RESEARCHER_BOND - 1);
        assertFalse(bonds.isBonded(researcher));
        usdc.mint(researcher, 1);
        vm.startPrank(researcher);
        usdc.approve(address(bonds), 1);
        vm.expectEmit(address(bonds));
        emit ResearcherBond.BondPosted(researcher, address(usdc), 1);
        bonds.post(1);
        assertTrue(bonds.isBonded(researcher));
        assertEq(usdc.balanceOf(address(bonds)), RESEARCHER_BOND);
    }

    // ------------------------------------------------------------------------------------ unbond, withdraw

    function test_RevertWhen_UnbondingIsNotAllowed() external {
        _post(10e6);
        vm.startPrank(researcher);
        vm.expectRevert(ResearcherBond.ResearcherBond_ZeroAmount.selector);
        bonds.requestUnbond(0);
        vm.expectRevert(abi.encodeWithSelector(ResearcherBond.ResearcherBond_Exceeds.selector, 10e6 + 1, 10e6));
        bonds.requestUnbond(10e6 + 1);
        vm.expectRevert(ResearcherBond.ResearcherBond_ZeroAmount.selector);
        bonds.withdraw(researcher);
    }

    function test_WhenTakenBack() external {
        _post(RESEARCHER_BOND);
        vm.prank(researcher);
        vm.expectEmit(address(bonds));
        emit ResearcherBond.UnbondRequested(researcher, 1e6, GENESIS + 30 days);
        bonds.requestUnbond(1e6);
        assertFalse(bonds.isBonded(researcher));
        vm.warp(GENESIS + 1 days);
        vm.prank(researcher);
        bonds.requestUnbond(2e6);
        ResearcherBond.Bond memory b = bonds.bondOf(researcher);
        assertEq(abi.encode(b.amount, b.unbonding, b.withdrawableAt), abi.encode(497e6, 3e6, GENESIS + 31 days));
        vm.prank(pauser);
        bonds.setPausedUntil(GENESIS + 40 days);
        vm.warp(GENESIS + 31 days - 1);
        vm.startPrank(researcher);
        vm.expectRevert(abi.encodeWithSelector(ResearcherBond.ResearcherBond_TooEarly.selector, GENESIS + 31 days));
        bonds.withdraw(researcher);
        vm.warp(GENESIS + 31 days);
        vm.expectEmit(address(bonds));
        emit ResearcherBond.BondWithdrawn(researcher, 3e6);
        bonds.withdraw(researcher);
        assertEq(usdc.balanceOf(researcher), 3e6);
        vm.expectRevert(ResearcherBond.ResearcherBond_ZeroAmount.selector);
        bonds.withdraw(researcher);
    }

    // ----------------------------------------------------------------------------------------------- slash

    function test_RevertWhen_TheSlashIsNotAllowed() external {
        _post(10e6);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        bonds.slash(researcher, 1, REASON);
        vm.startPrank(memberHouse);
        vm.expectRevert(ResearcherBond.ResearcherBond_ZeroAmount.selector);
        bonds.slash(researcher, 0, REASON);
        vm.expectRevert(abi.encodeWithSelector(ResearcherBond.ResearcherBond_Exceeds.selector, 10e6 + 1, 10e6));
        bonds.slash(researcher, 10e6 + 1, REASON);
    }

    function testFuzz_ASlashTakesTheBondFirst(uint96 bonded, uint96 unbonding, uint256 amount) external {
        bonded = uint96(bound(bonded, 0, 1e15));
        unbonding = uint96(bound(unbonding, bonded == 0 ? 1 : 0, 1e15));
        amount = bound(amount, 1, uint256(bonded) + unbonding);
        _post(uint256(bonded) + unbonding);
        if (unbonding != 0) {
            vm.prank(researcher);
            bonds.requestUnbond(unbonding);
        }
        vm.expectEmit(address(bonds));
        emit ResearcherBond.BondSlashed(researcher, amount, REASON);
        _slash(amount);
        ResearcherBond.Bond memory b = bonds.bondOf(researcher);
        assertEq(b.amount, amount < bonded ? bonded - amount : 0);
        assertEq(b.unbonding, amount < bonded ? unbonding : bonded + unbonding - amount);
        assertEq(_donated(), amount);
        assertEq(usdc.balanceOf(address(bonds)), uint256(bonded) + unbonding - amount);
    }

    function test_WhenTheBondIsData() external {
        vm.prank(tokenHouse);
        bonds.setTerms(address(dataToken), 5e18);
        _postData(5e18);
        _slash(2e18);
        assertEq(dataToken.balanceOf(address(treasury)), 2e18);
        assertEq(_donated(), 0);
        assertFalse(bonds.isBonded(researcher));
    }

    function test_WhenTheBondIsGov() external {
        vm.prank(tokenHouse);
        bonds.setTerms(address(govToken), 5e18);
        _asCharter();
        govToken.setListed(address(bonds), true);
        _asCharter();
        govToken.setListed(address(treasury), true);
        address member = vm.addr(memberKeys[_join()]);
        vm.prank(address(ledger));
        govToken.mint(member, 5e18);
        vm.startPrank(member);
        govToken.approve(address(bonds), 5e18);
        bonds.post(5e18);
        vm.stopPrank();
        assertTrue(bonds.isBonded(member));
        vm.prank(memberHouse);
        bonds.slash(member, 5e18, REASON);
        assertEq(govToken.balanceOf(address(treasury)), 5e18);
    }

    /// @dev GOV may go to members alone: who left passes the bond on to one, as with GOV of their own.
    function test_WhenWhoPostedGovLeftItIsPaidToAMember() external {
        _asTokenHouse();
        bonds.setTerms(address(govToken), 5e18);
        _asCharter();
        govToken.setListed(address(bonds), true);
        uint32 id = _join();
        (address left, address friend) = (vm.addr(memberKeys[id]), vm.addr(memberKeys[_join()]));
        vm.prank(address(ledger));
        govToken.mint(left, 5e18);
        vm.startPrank(left);
        govToken.approve(address(bonds), 5e18);
        bonds.post(5e18);
        bonds.requestUnbond(5e18);
        vm.stopPrank();
        _asMemberHouse();
        membership.expel(id, REASON);
        vm.warp(block.timestamp + 30 days);
        vm.startPrank(left);
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_NotMember.selector, left));
        bonds.withdraw(left);
        bonds.withdraw(friend);
        assertEq(govToken.balanceOf(friend), 5e18);
        assertEq(govToken.balanceOf(address(bonds)), 0);
    }
}
