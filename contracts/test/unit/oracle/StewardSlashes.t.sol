// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {SettlementLedger} from "../../../src/settlement/SettlementLedger.sol";
import {StewardBonds} from "../../../src/oracle/StewardBonds.sol";
import {StewardsTest} from "../../utils/StewardsTest.sol";

/// @notice What moves a bond into escrow, and out of it.
contract StewardSlashesTest is StewardsTest {
    function _open(address steward, uint256 amount) internal returns (uint256 id) {
        vm.prank(memberHouse);
        id = committee.openSlash(steward, amount, REASON);
    }

    function _noSlash(uint256 id) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(StewardBonds.StewardBonds_NoOpenSlash.selector, id);
    }

    // ------------------------------------------------------------------------------------------- openSlash

    function test_RevertWhen_AStrangerDecides() external {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        committee.openSlash(stranger, 1, REASON);
        vm.expectRevert(unauthorized);
        committee.confirmSlash(1);
        vm.expectRevert(unauthorized);
        committee.rejectSlash(1);
    }

    function test_RevertWhen_NothingIsAtStake() external {
        bytes memory nothing = abi.encodeWithSelector(StewardBonds.StewardBonds_NothingAtStake.selector, stranger);
        vm.prank(memberHouse);
        vm.expectRevert(nothing);
        committee.openSlash(stranger, 1, REASON);
        _bond(stranger, 5);
        vm.prank(memberHouse);
        vm.expectRevert(nothing);
        committee.openSlash(stranger, 0, REASON);
    }

    function testFuzz_WhenASlashIsOpened(uint64 bonded, uint64 leaving, uint256 amount) external {
        bonded = uint64(bound(bonded, 1, 1e15));
        leaving = uint64(bound(leaving, 0, bonded));
        amount = bound(amount, 1, type(uint256).max);
        _bond(stranger, bonded);
        if (leaving != 0) _unbond(stranger, leaving);
        uint256 taken = amount < bonded ? amount : bonded;
        uint256 fromLeaving = taken < leaving ? taken : leaving;
        vm.expectEmit(address(committee));
        emit StewardBonds.SlashOpened(1, stranger, taken, REASON);
        assertEq(_open(stranger, amount), 1);
        assertEq(_stake(stranger).unbonding, leaving - fromLeaving, "what leaves goes first");
        assertEq(committee.bondOf(stranger), bonded - leaving - (taken - fromLeaving));
        assertEq(committee.slashOf(1).amount, taken);
        assertEq(committee.slashOf(1).steward, stranger);
        assertEq(committee.slashOf(1).releasesAt, block.timestamp + 60 days);
        assertEq(committee.slashCount(), 1);
        assertEq(usdc.balanceOf(address(committee)), bonded, "escrow is still held");
    }

    function test_WhenALockedObjectionIsNotTaken() external {
        address one = _steward(1);
        _bond(one, MIN_BOND);
        vm.prank(address(disputes));
        committee.lockObjection(one);
        _open(one, type(uint256).max);
        assertEq(committee.slashOf(1).amount, MIN_BOND - OBJECTION);
        assertEq(_stake(one).locked, OBJECTION);
        assertFalse(committee.isActiveSteward(one));
    }

    // -------------------------------------------------------------------------------------------- deciding

    function test_RevertWhen_NoSlashIsOpen() external {
        _bond(stranger, 5);
        uint256 id = _open(stranger, 5);
        vm.startPrank(memberHouse);
        committee.rejectSlash(id);
        uint256[3] memory ids = [uint256(0), id, 2];
        for (uint256 k; k < 3; ++k) {
            vm.expectRevert(_noSlash(ids[k]));
            committee.confirmSlash(ids[k]);
            vm.expectRevert(_noSlash(ids[k]));
            committee.rejectSlash(ids[k]);
            vm.expectRevert(_noSlash(ids[k]));
            committee.releaseSlash(ids[k]);
        }
    }

    function test_WhenASlashIsConfirmed() external {
        address one = _steward(1);
        _bond(one, MIN_BOND);
        uint256 id = _open(one, 300e6);
        vm.warp(block.timestamp + 61 days); // late, but nobody returned it
        vm.expectEmit(address(committee));
        emit StewardBonds.SlashConfirmed(id, one, 300e6);
        vm.prank(memberHouse);
        committee.confirmSlash(id);
        assertEq(usdc.balanceOf(reserve), 300e6);
        assertEq(committee.bondOf(one), 700e6);
        vm.expectRevert(_noSlash(id));
        committee.releaseSlash(id);
    }

    function test_WhenASlashIsRejected() external {
        address one = _steward(1);
        _bond(one, MIN_BOND);
        uint256 id = _open(one, 300e6);
        assertFalse(committee.isActiveSteward(one));
        vm.expectEmit(address(committee));
        emit StewardBonds.SlashReturned(id, one, 300e6);
        vm.prank(memberHouse);
        committee.rejectSlash(id);
        assertEq(committee.bondOf(one), MIN_BOND);
        assertTrue(committee.isActiveSteward(one));
    }

    function testFuzz_RevertWhen_TheTimeToDecideIsNotOver(uint256 waited) external {
        _bond(stranger, 5);
        uint256 id = _open(stranger, 5);
        uint256 at = block.timestamp + 60 days;
        vm.warp(block.timestamp + bound(waited, 0, 60 days - 1));
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_NotReleasable.selector, id, at));
        committee.releaseSlash(id);
    }

    function test_WhenTheTimeToDecideIsOver() external {
        _bond(stranger, 5);
        uint256 id = _open(stranger, 4);
        vm.warp(block.timestamp + 60 days);
        vm.expectEmit(address(committee));
        emit StewardBonds.SlashReturned(id, stranger, 4);
        vm.prank(gateway);
        committee.releaseSlash(id);
        assertEq(committee.bondOf(stranger), 5);
    }

    // ---------------------------------------------------------------------------------------- equivocation

    function _report(
        uint256 keyA,
        ISettlementLedger.Header memory a,
        uint256 keyB,
        ISettlementLedger.Header memory b,
        bytes memory error
    ) private {
        (bytes memory sA, bytes memory sB) = (_sign(keyA, _headerDigest(a)), _sign(keyB, _headerDigest(b)));
        if (error.length != 0) vm.expectRevert(error);
        vm.prank(gateway);
        committee.reportEquivocation(a, sA, b, sB);
    }

    function test_RevertWhen_TheHeadersDoNotContradict() external {
        (ISettlementLedger.Header memory a, ISettlementLedger.Header memory b) = _twoHeaders();
        uint256 key = stewardKeys[0];
        bytes memory error = abi.encodeWithSelector(StewardBonds.StewardBonds_NotEquivocal.selector);
        _report(key, a, key, a, error);
        b.attempt = a.attempt + 1;
        _report(key, a, key, b, error);
        (b.attempt, b.epoch) = (a.attempt, a.epoch + 1);
        _report(key, a, key, b, error);
    }

    function test_RevertWhen_TwoSignersSigned() external {
        (ISettlementLedger.Header memory a, ISettlementLedger.Header memory b) = _twoHeaders();
        bytes4 selector = StewardBonds.StewardBonds_DifferentSigners.selector;
        bytes memory error = abi.encodeWithSelector(selector, _steward(1), _steward(2));
        _report(stewardKeys[0], a, stewardKeys[1], b, error);
    }

    function test_RevertWhen_TheSignerHasNothing() external {
        (ISettlementLedger.Header memory a, ISettlementLedger.Header memory b) = _twoHeaders();
        uint256 key = stewardKeys[0];
        bytes memory error = abi.encodeWithSelector(StewardBonds.StewardBonds_NothingAtStake.selector, _steward(1));
        _report(key, a, key, b, error);
        _bond(_steward(1), 5);
        _report(key, a, key, b, "");
        assertEq(committee.bondOf(_steward(1)), 0, "it was not used up");
    }

    function test_RevertWhen_TheFaultWasReported() external {
        (ISettlementLedger.Header memory a, ISettlementLedger.Header memory b) = _twoHeaders();
        uint256 key = stewardKeys[0];
        _bond(_steward(1), MIN_BOND);
        _report(key, a, key, b, "");
        vm.prank(memberHouse);
        committee.rejectSlash(1);
        bytes4 selector = StewardBonds.StewardBonds_AlreadyReported.selector;
        bytes memory error = abi.encodeWithSelector(selector, _steward(1), a.epoch, a.attempt);
        _report(key, b, key, a, error);
        b.root = keccak256("a third root");
        _report(key, a, key, b, error);
    }

    /// @dev A steward that pays a cent, and reports itself for an epoch that is yet to come, buys nothing by that.
    function testFuzz_WhenAFaultWasReportedForLessThanTheSeatsBond(uint256 dust) external {
        (ISettlementLedger.Header memory a, ISettlementLedger.Header memory b) = _twoHeaders();
        uint256 key = stewardKeys[0];
        _bond(_steward(1), bound(dust, 1, MIN_BOND - 1));
        _report(key, a, key, b, "");
        _bond(_steward(1), MIN_BOND);
        _report(key, a, key, b, "");
        assertEq(committee.slashOf(2).amount, MIN_BOND);
        assertEq(committee.bondOf(_steward(1)), 0);
        _bond(_steward(1), MIN_BOND);
        bytes4 selector = StewardBonds.StewardBonds_AlreadyReported.selector;
        _report(key, a, key, b, abi.encodeWithSelector(selector, _steward(1), a.epoch, a.attempt));
    }

    /// @dev Nor does one that objects just before: what was locked is taken once it is back.
    function test_WhenAnObjectionWasLockedAtTheReport() external {
        (ISettlementLedger.Header memory a, ISettlementLedger.Header memory b) = _twoHeaders();
        uint256 key = stewardKeys[0];
        _bond(_steward(1), MIN_BOND);
        vm.prank(address(disputes));
        committee.lockObjection(_steward(1));
        _report(key, a, key, b, "");
        vm.prank(address(disputes));
        committee.settleObjection(_steward(1), true);
        assertEq(committee.bondOf(_steward(1)), OBJECTION);
        _report(key, a, key, b, "");
        assertEq(committee.bondOf(_steward(1)), 0);
    }

    function testFuzz_WhenOneStewardSignedTwo(uint256 word, uint256 bit, bool former) external {
        (ISettlementLedger.Header memory a,) = _twoHeaders();
        (ISettlementLedger.Header memory b,) = _twoHeaders();
        // Any bit of any word but epoch and attempt makes another header.
        word = bound(word, 2, 18);
        bit = bound(bit, 0, word == 7 ? 31 : (word == 8 || word > 13) ? 127 : 255);
        assembly {
            let at := add(b, shl(5, word))
            mstore(at, xor(mload(at), shl(bit, 1)))
        }
        address one = _steward(1);
        _bond(one, MIN_BOND + 7);
        _unbond(one, 7);
        if (former) _replace();
        uint256 key = stewardKeys[0];
        vm.expectEmit(address(committee));
        emit StewardBonds.Equivocated(one, a.epoch, a.attempt);
        vm.expectEmit(address(committee));
        emit StewardBonds.SlashOpened(1, one, MIN_BOND + 7, "equivocation");
        _report(key, a, key, b, "");
        assertEq(committee.bondOf(one) + _stake(one).unbonding, 0);
    }

    function test_RevertWhen_SignedForAnotherLedger() external {
        (ISettlementLedger.Header memory a, ISettlementLedger.Header memory b) = _twoHeaders();
        _bond(_steward(1), MIN_BOND);
        bytes memory sA = _sign(stewardKeys[0], _headerDigest(a));
        ledger = SettlementLedger(stranger);
        bytes memory sB = _sign(stewardKeys[0], _headerDigest(b));
        vm.expectPartialRevert(StewardBonds.StewardBonds_DifferentSigners.selector);
        committee.reportEquivocation(a, sA, b, sB);
    }

    // --------------------------------------------------------------------------------------- escrowSigners

    function test_WhenSignersGoToEscrow() external {
        _bondAll(MIN_BOND);
        _bond(_steward(3), 7);
        _unbond(_steward(3), 7);
        uint256 signers = _signersOf(1, 5);
        vm.expectEmit(address(committee));
        emit StewardBonds.SlashOpened(1, _steward(1), MIN_BOND, REASON);
        vm.expectEmit(address(committee));
        emit StewardBonds.SlashOpened(2, _steward(3), MIN_BOND + 7, REASON);
        vm.prank(address(disputes));
        committee.escrowSigners(signers, REASON);
        assertEq(committee.bondOf(_steward(2)), MIN_BOND, "did not sign");
        assertEq(committee.slashCount(), 2);
    }

    function test_WhenSignersAreOfAFormerGeneration() external {
        _bondAll(MIN_BOND);
        _replace();
        address successor = committee.seats()[0].signer;
        _bond(successor, MIN_BOND);
        vm.prank(address(disputes));
        committee.escrowSigners(_signersOf(1, 3), REASON);
        assertEq(committee.bondOf(_steward(1)) + committee.bondOf(_steward(2)), 0);
        assertEq(committee.bondOf(successor), MIN_BOND, "sits where another sat");
    }

    function test_WhenSignersHaveNothingOrNeverWere() external {
        vm.startPrank(address(disputes));
        committee.escrowSigners(_signersOf(1, 7), REASON);
        committee.escrowSigners(_signersOf(0, 7), REASON);
        committee.escrowSigners(_signersOf(9, 7), REASON);
        committee.escrowSigners(_signersOf(1, 0xfffffff8), REASON);
        assertEq(committee.slashCount(), 0);
    }
}
