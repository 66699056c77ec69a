// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {StewardBonds} from "../../../src/oracle/StewardBonds.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {StewardsTest} from "../../utils/StewardsTest.sol";

/// @notice The money of stewards: bonding, unbonding, objections. Slashes are tested in StewardSlashes.t.sol.
contract StewardBondsTest is StewardsTest {
    // ------------------------------------------------------------------------------------------ initialize

    function test_RevertWhen_AnAddressIsMissing() external {
        address code = address(new StewardCommittee());
        string[4] memory names = ["usdc", "treasury", "ledger", "disputes"];
        for (uint256 k; k < 4; ++k) {
            StewardCommittee.Deployment memory i = _committeeInit();
            if (k == 0) i.usdc = address(0);
            if (k == 1) i.treasury = address(0);
            if (k == 2) i.ledger = address(0);
            if (k == 3) i.disputes = address(0);
            vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, names[k]));
            new ERC1967Proxy(code, abi.encodeCall(StewardCommittee.initialize, (i)));
        }
    }

    function test_WhenInitialized() external view {
        assertEq(committee.usdc(), address(usdc));
        assertEq(committee.treasury(), reserve);
        assertEq(committee.ledger(), address(ledger));
        assertEq(committee.disputes(), address(disputes));
        assertEq(committee.minBond(), MIN_BOND);
        assertEq(committee.seatBond(), MIN_BOND);
        assertEq(committee.objectionBond(), OBJECTION);
        assertEq(committee.seatCount(), 3);
        assertEq(committee.slashCount(), 0);
    }

    // --------------------------------------------------------------------------------------------- setters

    function test_RevertWhen_AStrangerSetsBonds() external {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        committee.setMinBond(1);
        vm.expectRevert(unauthorized);
        committee.setObjectionBond(1);
    }

    /// @dev Point 17: a seat that nobody can pay for, one for nothing, and an objection that costs more than a seat.
    function test_RevertWhen_ABondIsOutOfBounds() external {
        uint64[4] memory seats = [0, LEAST_BOND - 1, 1e12 + 1, type(uint64).max];
        uint64[4] memory objections = [0, LEAST_BOND - 1, MIN_BOND + 1, type(uint64).max];
        vm.startPrank(memberHouse);
        for (uint256 i; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_BadBond.selector, seats[i]));
            committee.setMinBond(seats[i]);
            vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_BadBond.selector, objections[i]));
            committee.setObjectionBond(objections[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_BadBond.selector, OBJECTION - 1));
        committee.setMinBond(OBJECTION - 1);
    }

    function test_WhenBondsAreSet() external {
        _bondAll(MIN_BOND);
        vm.startPrank(memberHouse);
        vm.expectEmit(address(committee));
        emit StewardBonds.MinBondSet(2 * MIN_BOND);
        committee.setMinBond(2 * MIN_BOND);
        vm.expectEmit(address(committee));
        emit StewardBonds.ObjectionBondSet(7e6);
        committee.setObjectionBond(7e6);
        assertEq(committee.minBond(), 2 * MIN_BOND);
        assertEq(committee.objectionBond(), 7e6);
        assertEq(committee.seatBond(), MIN_BOND, "asked of this generation");
        assertTrue(committee.isActiveSteward(_steward(1)));
        committee.seat(_seats("steward"), 2);
        assertEq(committee.seatBond(), 2 * MIN_BOND);
        assertFalse(committee.isActiveSteward(_steward(1)));
    }

    // --------------------------------------------------------------------------------------------- bondFor

    function test_RevertWhen_BondingNothingOrForNobody() external {
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "steward"));
        committee.bondFor(address(0), 1);
        vm.expectRevert(StewardBonds.StewardBonds_ZeroAmount.selector);
        committee.bondFor(stranger, 0);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 64, 1 << 64));
        committee.bondFor(stranger, 1 << 64);
    }

    function test_RevertWhen_UsdcRefuses() external {
        address one = _steward(1);
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        committee.bondFor(one, 5);
    }

    function testFuzz_WhenAnyonePays(uint64 first, uint64 second) external {
        first = uint64(bound(first, 1, MIN_BOND - 1));
        second = uint64(bound(second, 1, type(uint64).max - first));
        address one = _steward(1);
        _bond(one, first);
        assertFalse(committee.isActiveSteward(one));
        usdc.mint(stranger, second);
        vm.startPrank(stranger);
        usdc.approve(address(committee), second);
        vm.expectEmit(address(committee));
        emit StewardBonds.Bonded(one, stranger, second);
        committee.bondFor(one, second);
        assertEq(committee.bondOf(one), uint256(first) + second);
        assertEq(committee.isActiveSteward(one), uint256(first) + second >= MIN_BOND);
        assertEq(usdc.balanceOf(address(committee)), uint256(first) + second);
    }

    function test_WhenSomebodyWithoutASeatIsBonded() external {
        _bond(stranger, MIN_BOND);
        assertEq(committee.bondOf(stranger), MIN_BOND);
        assertFalse(committee.isActiveSteward(stranger));
    }

    // --------------------------------------------------------------------------------------- requestUnbond

    function test_RevertWhen_UnbondingNothing() external {
        vm.expectRevert(StewardBonds.StewardBonds_ZeroAmount.selector);
        committee.requestUnbond(0);
    }

    function testFuzz_RevertWhen_TheSeatAsksForIt(uint64 extra, uint64 amount) external {
        extra = uint64(bound(extra, 0, 1e15));
        address one = _steward(1);
        _bond(one, MIN_BOND + extra);
        amount = uint64(bound(amount, uint256(extra) + 1, type(uint64).max));
        vm.assume(amount != MIN_BOND + extra);
        vm.prank(one);
        vm.expectRevert(
            abi.encodeWithSelector(
                StewardBonds.StewardBonds_BondTooSmall.selector, one, MIN_BOND + extra, uint256(amount) + MIN_BOND
            )
        );
        committee.requestUnbond(amount);
    }

    /// @dev Point 20: a bond comes back also where the house seats nobody else.
    function test_WhenASeatedStewardUnbondsEverything() external {
        address one = _steward(1);
        _bond(one, MIN_BOND + 5);
        assertTrue(committee.isActiveSteward(one));
        _unbond(one, MIN_BOND + 5);
        assertFalse(committee.isActiveSteward(one));
        vm.warp(block.timestamp + 28 days);
        vm.prank(one);
        committee.withdrawBond(gateway);
        assertEq(usdc.balanceOf(gateway), MIN_BOND + 5);
    }

    function test_RevertWhen_ItExceedsTheBond() external {
        _bond(stranger, 5);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_BondTooSmall.selector, stranger, 5, 6));
        committee.requestUnbond(6);
    }

    function testFuzz_WhenASeatedStewardUnbondsTheRest(uint64 extra, uint64 amount) external {
        extra = uint64(bound(extra, 1, 1e15));
        amount = uint64(bound(amount, 1, extra));
        address one = _steward(1);
        _bond(one, MIN_BOND + extra);
        vm.expectEmit(address(committee));
        emit StewardBonds.Unbonding(one, amount, block.timestamp + 28 days);
        _unbond(one, amount);
        assertEq(committee.bondOf(one), MIN_BOND + extra - amount);
        assertEq(_stake(one).unbonding, amount);
        assertTrue(committee.isActiveSteward(one));
    }

    function test_WhenTheSeatIsGoneAllCanBeUnbonded() external {
        address one = _steward(1);
        _bond(one, MIN_BOND);
        _replace();
        _unbond(one, 400e6);
        vm.warp(block.timestamp + 20 days);
        _unbond(one, 600e6);
        assertEq(_stake(one).unbonding, MIN_BOND);
        assertEq(_stake(one).unbondsAt, block.timestamp + 28 days, "all of it waits anew");
    }

    // ---------------------------------------------------------------------------------------- withdrawBond

    function test_RevertWhen_ThereIsNothingToWithdraw() external {
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "to"));
        committee.withdrawBond(address(0));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_NothingUnbonding.selector, stranger));
        committee.withdrawBond(stranger);
    }

    function testFuzz_RevertWhen_TheDelayIsNotOver(uint256 waited) external {
        _bond(stranger, 5);
        _unbond(stranger, 5);
        uint256 at = block.timestamp + 28 days;
        vm.warp(block.timestamp + bound(waited, 0, 28 days - 1));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_StillUnbonding.selector, stranger, at));
        committee.withdrawBond(stranger);
    }

    function test_WhenTheDelayIsOver() external {
        _bond(stranger, 5);
        _unbond(stranger, 3);
        vm.warp(block.timestamp + 28 days);
        vm.startPrank(stranger);
        vm.expectEmit(address(committee));
        emit StewardBonds.BondWithdrawn(stranger, gateway, 3);
        committee.withdrawBond(gateway);
        assertEq(usdc.balanceOf(gateway), 3);
        assertEq(committee.bondOf(stranger), 2);
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_NothingUnbonding.selector, stranger));
        committee.withdrawBond(gateway);
    }

    // ------------------------------------------------------------------------------------------ objections

    function test_RevertWhen_SomebodyElseThanDisputesCalls() external {
        bytes memory only = abi.encodeWithSelector(StewardBonds.StewardBonds_OnlyDisputes.selector, memberHouse);
        vm.startPrank(memberHouse);
        vm.expectRevert(only);
        committee.lockObjection(memberHouse);
        vm.expectRevert(only);
        committee.settleObjection(memberHouse, true);
        vm.expectRevert(only);
        committee.escrowSigners(0, REASON);
    }

    function test_RevertWhen_TheObjectorHasNoSeat() external {
        address one = _steward(1);
        _bond(one, MIN_BOND);
        _bond(stranger, MIN_BOND);
        _replace();
        vm.startPrank(address(disputes));
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_NotSeated.selector, stranger));
        committee.lockObjection(stranger);
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_NotSeated.selector, one));
        committee.lockObjection(one);
    }

    function test_RevertWhen_TheBondDoesNotReach() external {
        address one = _steward(1);
        _bond(one, OBJECTION - 1);
        vm.prank(address(disputes));
        vm.expectRevert(
            abi.encodeWithSelector(StewardBonds.StewardBonds_BondTooSmall.selector, one, OBJECTION - 1, OBJECTION)
        );
        committee.lockObjection(one);
    }

    function _lock(address steward) private {
        vm.expectEmit(address(committee));
        emit StewardBonds.ObjectionLocked(steward, OBJECTION);
        vm.prank(address(disputes));
        committee.lockObjection(steward);
    }

    function test_RevertWhen_AnObjectionIsLocked() external {
        address one = _steward(1);
        _bond(one, MIN_BOND);
        _lock(one);
        vm.prank(address(disputes));
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_ObjectionOpen.selector, one));
        committee.lockObjection(one);
    }

    function test_WhenAnObjectionIsLocked() external {
        address one = _steward(1);
        _bond(one, MIN_BOND);
        _lock(one);
        assertEq(committee.bondOf(one), MIN_BOND - OBJECTION);
        assertEq(_stake(one).locked, OBJECTION);
        assertTrue(committee.isActiveSteward(one), "who objects keeps its seat");
        _bond(_steward(2), MIN_BOND);
        assertEq(committee.verifyQuorum(DIGEST, _stewardSignatures(DIGEST, 2)), _signersOf(1, 3));
    }

    function test_WhenASeatThatIsNotActiveObjects() external {
        address one = _steward(1);
        _bond(one, OBJECTION);
        assertFalse(committee.isActiveSteward(one));
        _lock(one);
        assertEq(committee.bondOf(one), 0);
    }

    function test_WhenTheObjectionWasWon() external {
        address one = _steward(1);
        _bond(one, MIN_BOND);
        _lock(one);
        vm.prank(memberHouse);
        committee.setObjectionBond(LEAST_BOND);
        vm.expectEmit(address(committee));
        emit StewardBonds.ObjectionSettled(one, OBJECTION, true);
        vm.prank(address(disputes));
        committee.settleObjection(one, true);
        assertEq(committee.bondOf(one), MIN_BOND);
        assertEq(_stake(one).locked, 0);
    }

    function test_WhenTheObjectionWasLost() external {
        address one = _steward(1);
        _bond(one, MIN_BOND);
        _lock(one);
        vm.expectEmit(address(committee));
        emit StewardBonds.ObjectionSettled(one, OBJECTION, false);
        vm.prank(address(disputes));
        committee.settleObjection(one, false);
        assertEq(committee.bondOf(one), MIN_BOND - OBJECTION);
        assertEq(usdc.balanceOf(reserve), OBJECTION);
        assertEq(usdc.allowance(address(committee), reserve), 0);
        assertFalse(committee.isActiveSteward(one), "until it bonds anew");
    }

    function test_WhenNothingIsLockedSettlingDoesNothing() external {
        address one = _steward(1);
        _bond(one, MIN_BOND);
        vm.startPrank(address(disputes));
        committee.settleObjection(one, true);
        committee.settleObjection(one, false);
        assertEq(committee.bondOf(one), MIN_BOND);
        assertEq(usdc.balanceOf(reserve), 0);
    }
}
