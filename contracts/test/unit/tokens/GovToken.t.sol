// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {NoncesUpgradeable} from "@openzeppelin/contracts-upgradeable/utils/NoncesUpgradeable.sol";
import {GovToken} from "../../../src/tokens/GovToken.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract GovTokenTest is CoopTest {
    address internal alice;
    address internal bob;
    address internal carol;

    function setUp() public override {
        super.setUp();
        _joinMany(3);
        (alice, bob, carol) = (vm.addr(memberKeys[1]), vm.addr(memberKeys[2]), vm.addr(memberKeys[3]));
        vm.warp(block.timestamp + membership.SEASONING());
        _earn(alice, 100e18);
        _earn(bob, 25e18);
    }

    /// @dev A member of today.
    function _newcomer() private returns (address) {
        return membership.accountOf(_join());
    }

    function _earn(address account, uint256 amount) private {
        vm.prank(address(ledger));
        govToken.mint(account, amount);
    }

    function _transfer(address from, address to, uint256 amount) private {
        vm.prank(from);
        govToken.transfer(to, amount);
    }

    /// @dev Membership tells the token of an end, but cannot make it hear.
    function _eraseUnnoticed(uint32 id) private {
        vm.mockCallRevert(address(govToken), abi.encodeCall(govToken.sync, (membership.accountOf(id))), "");
        _erase(id);
        vm.clearMockedCalls();
    }

    function _lock(address account, uint96 amount, uint8 tier) private {
        vm.prank(account);
        govToken.lock(amount, tier);
    }

    function _delegate(address from, address to) private {
        vm.prank(from);
        govToken.delegate(to);
    }

    function _expectNotMember(address account) private {
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_NotMember.selector, account));
    }

    function _expectNotSeasoned(address account) private {
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_NotSeasoned.selector, account));
    }

    function _total() private returns (uint256 total) {
        vm.warp(block.timestamp + 1);
        return govToken.getPastTotalSupply(block.timestamp - 1);
    }

    // --------------------------------------------------------------------------------------------------- mint

    function test_RevertWhen_AnyoneButTheLedgerMints() external {
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_OnlyLedger.selector, founder));
        vm.prank(founder);
        govToken.mint(alice, 1);
    }

    function test_WhenAMemberEarns() external {
        assertEq(govToken.earnedOf(alice), 100e18);
        assertEq(govToken.unitsOf(alice), 10e18);
        assertEq(govToken.getVotes(alice), 10e18);
        assertEq(govToken.delegates(alice), alice);
        assertEq(govToken.delegates(address(0)), address(0));
        assertEq(_total(), 15e18);
        _earn(alice, 44e18);
        assertEq(govToken.getVotes(alice), 12e18);
        assertEq(govToken.memberIdOf(alice), 1);
    }

    function test_WhenSomebodyElseIsMintedTo() external {
        _earn(stranger, 64e18);
        assertEq(govToken.balanceOf(stranger), 64e18);
        assertEq(govToken.earnedOf(stranger), 64e18);
        assertEq(govToken.getVotes(stranger), 0);
        assertEq(_total(), 15e18);
    }

    function test_WhenTheMemberIsNotSeasonedYet() external {
        address dora = _newcomer();
        uint256 joinedAt = block.timestamp;
        _earn(dora, 64e18);
        assertEq(govToken.earnedOf(dora), 64e18);
        assertEq(govToken.unitsOf(dora), 0);
        vm.warp(joinedAt + 30 days - 1);
        govToken.poke(dora);
        govToken.sync(dora);
        assertEq(govToken.getVotes(dora), 0, "one second early");
        vm.warp(joinedAt + 20 days);
        assertEq(_total(), 23e18, "a quorum is a part of these too");
        _earn(dora, 36e18);
        assertEq(_total(), 25e18);
        vm.prank(dora);
        govToken.transfer(alice, 19e18);
        assertEq(_total(), 24e18);
        vm.warp(joinedAt + 30 days);
        govToken.sync(dora);
        assertEq(govToken.getVotes(dora), 9e18);
        assertEq(_total(), 24e18, "the same units, which now vote");
    }

    function test_RevertWhen_MoreIsEarnedThanFits() external {
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 128, 1 << 128));
        vm.prank(address(ledger));
        govToken.mint(alice, 1 << 128);
    }

    // ----------------------------------------------------------------------------------------------- transfer

    function test_RevertWhen_TheReceiverMayNotHold() external {
        _expectNotMember(stranger);
        _transfer(alice, stranger, 1);
    }

    function test_WhenTheSenderIsNoMember() external {
        _earn(stranger, 4e18);
        _transfer(stranger, alice, 4e18);
        _erase(2);
        _transfer(bob, carol, 25e18);
        assertEq(govToken.balanceOf(alice), 104e18);
        assertEq(govToken.balanceOf(carol), 25e18);
        assertEq(govToken.getVotes(alice), 10e18, "received tokens carry no votes");
        assertEq(govToken.getVotes(carol), 0);
    }

    function test_WhenAReceiverIsListed() external {
        _asCharter();
        govToken.setListed(stranger, true);
        assertTrue(govToken.isListed(stranger));
        _transfer(alice, stranger, 36e18);
        assertEq(govToken.getVotes(alice), 8e18);
        _asCharter();
        govToken.setListed(stranger, false);
        _transfer(stranger, alice, 36e18);
        assertEq(govToken.getVotes(alice), 10e18);
    }

    function test_RevertWhen_TheAmountIsLocked() external {
        _lock(alice, 60e18, 0);
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_IsLocked.selector, alice, 40e18, 40e18 + 1));
        _transfer(alice, bob, 40e18 + 1);
        _transfer(alice, bob, 40e18);
        assertEq(govToken.balanceOf(alice), govToken.lockedOf(alice));
    }

    function test_WhenTheSenderEarnedWhatItSends() external {
        vm.expectEmit(address(govToken));
        emit GovToken.UnitsChanged(alice, 8e18);
        _transfer(alice, bob, 36e18);
        assertEq(govToken.getVotes(alice), 8e18);
        assertEq(govToken.getVotes(bob), 5e18);
        assertEq(_total(), 13e18);
    }

    function test_WhenWhatWasReceivedIsSentOn() external {
        _transfer(alice, carol, 36e18);
        _transfer(carol, bob, 36e18);
        assertEq(govToken.getVotes(bob), 5e18);
        _transfer(bob, alice, 36e18);
        assertEq(govToken.getVotes(bob), 5e18);
        assertEq(govToken.getVotes(alice), 10e18);
    }

    function test_WhenMoreComesBackThanWasEarned() external {
        _transfer(alice, carol, 36e18);
        _transfer(bob, alice, 25e18);
        _transfer(carol, alice, 36e18);
        assertEq(govToken.balanceOf(alice), 125e18);
        assertEq(govToken.getVotes(alice), 10e18);
    }

    function testFuzz_LendingNeverRaisesTheTotal(uint96 a, uint96 b, uint96 lent) external {
        _earn(carol, a);
        _earn(bob, b);
        uint256 before = _total();
        _transfer(carol, bob, bound(lent, 0, a));
        assertLe(_total(), before);
        _transfer(bob, carol, bound(lent, 0, a));
        assertEq(_total(), before);
    }

    // -------------------------------------------------------------------------------------------------- locks

    function test_RevertWhen_TheTierIsUnknown() external {
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_BadTier.selector, 5));
        _lock(alice, 1, 5);
    }

    function test_RevertWhen_ANonMemberLocks() external {
        _earn(stranger, 1e18);
        _expectNotMember(stranger);
        _lock(stranger, 1, 0);
    }

    function test_WhenANewcomerLocks() external {
        address dora = _newcomer();
        _earn(dora, 100e18);
        _lock(dora, 100e18, 4);
        assertEq(govToken.lockedOf(dora), 100e18);
        assertEq(govToken.unitsOf(dora), 0);
        vm.warp(block.timestamp + 30 days);
        govToken.sync(dora);
        assertEq(govToken.getVotes(dora), 20e18);
    }

    function test_RevertWhen_NothingIsLocked() external {
        vm.expectRevert(GovToken.GovToken_ZeroAmount.selector);
        _lock(alice, 0, 0);
    }

    function test_RevertWhen_ThereAreSixteenLocks() external {
        for (uint256 i; i < 16; ++i) {
            _lock(alice, 1e18, uint8(i % 5));
        }
        assertEq(govToken.locksOf(alice).length, govToken.MAX_LOCKS());
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_TooManyLocks.selector, alice));
        _lock(alice, 1e18, 0);
    }

    function test_RevertWhen_WhatIsLockedWasNotEarnedOrIsNotThere() external {
        _transfer(alice, bob, 60e18);
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_NotEarned.selector, alice, 40e18, 40e18 + 1));
        _lock(alice, 40e18 + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_NotEarned.selector, bob, 25e18, 25e18 + 1));
        _lock(bob, 25e18 + 1, 0);
        _lock(alice, 40e18, 0);
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_NotEarned.selector, alice, 0, 1));
        _lock(alice, 1, 0);
    }

    function test_WhenLockedByTier() external {
        uint256[5] memory units = [uint256(11e18), 12.5e18, 15e18, 17.5e18, 20e18];
        uint256[5] memory months = [uint256(3), 6, 12, 24, 48];
        uint256 snapshot = vm.snapshotState();
        for (uint8 tier; tier < 5; ++tier) {
            uint40 unlockAt = uint40(block.timestamp + months[tier] * 30 days);
            vm.expectEmit(address(govToken));
            emit GovToken.Locked(alice, 100e18, tier, unlockAt);
            _lock(alice, 100e18, tier);
            assertEq(govToken.getVotes(alice), units[tier]);
            assertEq(govToken.balanceOf(alice), 100e18, "still the member's");
            assertEq(govToken.lockedOf(alice), 100e18);
            assertEq(govToken.earnedOf(alice), 0);
            assertEq(govToken.locksOf(alice)[0].unlockAt, unlockAt);
            assertTrue(vm.revertToState(snapshot));
        }
    }

    function testFuzz_LockingNeverLowersUnits(uint96 first, uint8 tier, uint96 second, uint8 later) external {
        first = uint96(bound(first, 1, 99e18));
        second = uint96(bound(second, 1, 100e18 - first));
        _lock(alice, first, tier % 5);
        uint256 units = govToken.getVotes(alice);
        assertGe(units, 10e18);
        _lock(alice, second, later % 5);
        assertGe(govToken.getVotes(alice), units);
        assertLe(govToken.getVotes(alice), 20e18);
    }

    function _order(address account, uint256 nonce) private view returns (GovToken.LockOrder memory) {
        return GovToken.LockOrder(account, 100e18, 4, nonce, block.timestamp);
    }

    function _orderDigest(GovToken.LockOrder memory o) private view returns (bytes32) {
        bytes32 hash = keccak256("Lock(address account,uint96 amount,uint8 tier,uint256 nonce,uint256 deadline)");
        return _typed("GovToken", address(govToken), keccak256(abi.encode(hash, o)));
    }

    function test_WhenLockedBySignature() external {
        GovToken.LockOrder memory o = _order(alice, 0);
        bytes memory signature = _sign(memberKeys[1], _orderDigest(o));
        govToken.lockBySig(o, signature);
        assertEq(govToken.getVotes(alice), 20e18);
        vm.expectRevert(abi.encodeWithSelector(NoncesUpgradeable.InvalidAccountNonce.selector, alice, 1));
        govToken.lockBySig(o, signature);
    }

    function test_RevertWhen_TheSignatureIsNotTheAccounts() external {
        GovToken.LockOrder memory o = _order(alice, 0);
        bytes memory signature = _sign(memberKeys[2], _orderDigest(o));
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_BadSignature.selector, alice));
        govToken.lockBySig(o, signature);
    }

    function test_RevertWhen_TheDeadlineHasPassed() external {
        GovToken.LockOrder memory o = _order(alice, 0);
        bytes memory signature = _sign(memberKeys[1], _orderDigest(o));
        vm.warp(o.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_Expired.selector, o.deadline));
        govToken.lockBySig(o, signature);
    }

    // ------------------------------------------------------------------------------------------ unlock, poke

    function test_RevertWhen_ThereIsNoSuchLock() external {
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_NoSuchLock.selector, alice, 0));
        vm.prank(alice);
        govToken.unlock(0);
    }

    function test_RevertWhen_TheLockHasNotExpired() external {
        _lock(alice, 1e18, 0);
        uint256 unlockAt = block.timestamp + 90 days;
        vm.warp(unlockAt - 1);
        vm.expectRevert(abi.encodeWithSelector(GovToken.GovToken_NotExpired.selector, unlockAt));
        vm.prank(alice);
        govToken.unlock(0);
    }

    function test_WhenTheLockHasExpired() external {
        _lock(alice, 60e18, 0);
        _lock(alice, 40e18, 1);
        vm.warp(block.timestamp + 90 days);
        vm.expectEmit(address(govToken));
        emit GovToken.Unlocked(alice, 60e18, 0, uint40(block.timestamp));
        vm.prank(alice);
        govToken.unlock(0);
        assertEq(govToken.locksOf(alice)[0].tier, 1, "the last one took its place");
        assertEq(govToken.earnedOf(alice), 60e18);
        assertEq(govToken.lockedOf(alice), 40e18);
        // 60 + 40 · 1.5625 = 122.5
        assertEq(govToken.getVotes(alice), 11_067_971_810_589_327_661);
        _transfer(alice, bob, 60e18);
    }

    function test_WhenLocksHaveExpiredAnyonePokes() external {
        _lock(alice, 40e18, 0);
        _lock(alice, 30e18, 4);
        _lock(alice, 30e18, 0);
        vm.warp(block.timestamp + 90 days);
        uint256 before = govToken.getVotes(alice);
        govToken.sync(alice);
        assertEq(govToken.getVotes(alice), before);
        vm.prank(stranger);
        govToken.poke(alice);
        assertEq(govToken.locksOf(alice).length, 1);
        assertEq(govToken.lockedOf(alice), 30e18);
        // 70 + 30 · 4 = 190
        assertEq(govToken.getVotes(alice), 13_784_048_752_090_221_767);
        vm.warp(block.timestamp + 48 * 30 days);
        govToken.poke(alice);
        assertEq(govToken.getVotes(alice), 10e18);
        assertEq(govToken.locksOf(alice).length, 0);
    }

    function test_WhenTheMemberHasBecomeSeasoned() external {
        address dora = _newcomer();
        _earn(dora, 64e18);
        vm.warp(block.timestamp + 30 days);
        assertEq(govToken.getVotes(dora), 0, "until somebody looks");
        uint256 snapshot = vm.snapshotState();
        vm.prank(stranger);
        govToken.sync(dora);
        assertEq(govToken.getVotes(dora), 8e18);
        assertEq(_total(), 23e18);
        assertTrue(vm.revertToState(snapshot));
        vm.prank(stranger);
        govToken.poke(dora);
        assertEq(govToken.getVotes(dora), 8e18);
        assertTrue(vm.revertToState(snapshot));
        _earn(dora, 36e18);
        assertEq(govToken.getVotes(dora), 10e18);
    }

    function test_WhenTheMembershipEndsNoSnapshotCountsItsUnits() external {
        _delegate(bob, alice);
        uint256 before = block.timestamp;
        vm.warp(before + 1 days);
        _erase(1);
        uint256 end = block.timestamp;
        vm.warp(end + 1);
        assertEq(govToken.getPastVotes(alice, end - 1), 15e18);
        assertEq(govToken.getPastVotes(alice, end), 0, "neither its own nor those lent to it");
        assertEq(govToken.getPastTotalSupply(end - 1), 15e18);
        assertEq(govToken.getPastTotalSupply(end), 5e18);
    }

    function test_WhenTheTokenDidNotHearOfTheEnd() external {
        _eraseUnnoticed(1);
        assertEq(govToken.getVotes(alice), 10e18, "until somebody looks");
        vm.prank(stranger);
        govToken.sync(alice);
        assertEq(govToken.getVotes(alice), 0);
    }

    function test_WhenTheMembershipEndsBeforeSeasoning() external {
        address dora = _newcomer();
        _earn(dora, 64e18);
        assertEq(_total(), 23e18);
        _erase(4);
        assertEq(_total(), 15e18);
        vm.warp(block.timestamp + 30 days);
        govToken.sync(dora);
        assertEq(govToken.getVotes(dora), 0);
    }

    function test_WhenTheMembershipHasEnded() external {
        _lock(alice, 60e18, 0);
        _delegate(bob, alice);
        _erase(1);
        govToken.sync(alice);
        assertEq(govToken.unitsOf(alice), 0);
        assertEq(govToken.getVotes(alice), 0);
        assertEq(_total(), 5e18, "bob's units are there, with nobody");
        _transfer(alice, carol, 40e18);
        vm.warp(block.timestamp + 90 days);
        govToken.poke(alice);
        assertEq(govToken.lockedOf(alice), 0);
        assertEq(govToken.getVotes(alice), 0);
        _transfer(alice, carol, 60e18);
        assertEq(govToken.balanceOf(carol), 100e18);
    }

    // --------------------------------------------------------------------------------------------- delegation

    function test_RevertWhen_TheDelegateeIsNoMember() external {
        _expectNotSeasoned(stranger);
        _delegate(alice, stranger);
    }

    function test_RevertWhen_TheDelegateeIsNotSeasonedYet() external {
        address dora = _newcomer();
        uint256 seasonedAt = block.timestamp + 30 days;
        vm.warp(seasonedAt - 1);
        _expectNotSeasoned(dora);
        _delegate(alice, dora);
        vm.warp(seasonedAt);
        _delegate(alice, dora);
        assertEq(govToken.getVotes(dora), 10e18);
    }

    function test_WhenANewcomerDelegates() external {
        address dora = _newcomer();
        _earn(dora, 64e18);
        _delegate(dora, bob);
        assertEq(govToken.getVotes(bob), 5e18);
        vm.warp(block.timestamp + 30 days);
        govToken.sync(dora);
        assertEq(govToken.getVotes(bob), 13e18);
        assertEq(govToken.getVotes(dora), 0);
    }

    function test_WhenDelegated() external {
        _delegate(alice, bob);
        assertEq(govToken.delegates(alice), bob);
        assertEq(govToken.getVotes(alice), 0);
        assertEq(govToken.getVotes(bob), 15e18);
        _earn(alice, 44e18);
        assertEq(govToken.getVotes(bob), 17e18);
        _transfer(alice, carol, 44e18);
        assertEq(govToken.getVotes(bob), 15e18);
        _delegate(alice, address(0));
        assertEq(govToken.delegates(alice), alice);
        assertEq(govToken.getVotes(alice), 10e18);
        assertEq(govToken.getVotes(bob), 5e18);
        assertEq(_total(), 15e18);
    }

    function test_WhenDelegatedBySignature() external {
        bytes32 hash = keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)");
        bytes32 digest =
            _typed("GovToken", address(govToken), keccak256(abi.encode(hash, bob, uint256(0), block.timestamp)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(memberKeys[1], digest);
        govToken.delegateBySig(bob, 0, block.timestamp, v, r, s);
        assertEq(govToken.getVotes(bob), 15e18);
    }

    function test_WhenTheDelegateLeftAndWasSynced() external {
        _delegate(alice, bob);
        _erase(2);
        govToken.sync(bob);
        assertEq(govToken.getVotes(bob), 0);
        govToken.sync(alice);
        assertEq(govToken.getVotes(alice), 10e18);
        assertEq(govToken.delegates(alice), alice);
        assertEq(govToken.getVotes(bob), 0);
        assertEq(_total(), 10e18);
    }

    function test_WhenTheDelegateLeftAndWasNotSynced() external {
        _delegate(alice, bob);
        _earn(carol, 4e18);
        _delegate(carol, bob);
        _eraseUnnoticed(2);
        _earn(alice, 44e18);
        assertEq(govToken.getVotes(alice), 12e18);
        assertEq(govToken.getVotes(bob), 7e18, "bob's own and carol's, until somebody looks");
        govToken.sync(bob);
        govToken.sync(carol);
        assertEq(govToken.getVotes(bob), 0);
        assertEq(govToken.getVotes(carol), 2e18);
        assertEq(_total(), 14e18);
    }

    function test_WhenAnotherIsNamedAfterTheDelegateLeft() external {
        _delegate(alice, bob);
        _erase(2);
        govToken.sync(bob);
        _delegate(alice, carol);
        assertEq(govToken.getVotes(carol), 10e18);
        assertEq(govToken.getVotes(alice), 0);
    }

    function test_PastVotes() external {
        assertEq(govToken.CLOCK_MODE(), "mode=timestamp");
        assertEq(govToken.clock(), block.timestamp);
        uint256 first = block.timestamp;
        vm.warp(first + 100);
        _earn(alice, 44e18);
        vm.warp(first + 200);
        assertEq(govToken.getPastVotes(alice, first), 10e18);
        assertEq(govToken.getPastVotes(alice, first + 99), 10e18);
        assertEq(govToken.getPastVotes(alice, first + 100), 12e18);
        assertEq(govToken.getPastTotalSupply(first), 15e18);
    }
}
