// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {PauseGuard} from "../../../src/governance/PauseGuard.sol";
import {Membership} from "../../../src/membership/Membership.sol";
import {GovernanceTest} from "../../utils/GovernanceTest.sol";

contract PauseGuardTest is GovernanceTest {
    function _targets(address target) private pure returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = target;
    }

    function _pause(uint32 duration) private {
        vm.prank(guardian);
        guard.pause(_targets(address(membership)), duration);
    }

    function _unpauseBy(address caller) private {
        vm.prank(caller);
        guard.unpause(_targets(address(membership)));
    }

    /// @dev The next admission, which a pause stops.
    function _expectPaused(uint256 until) private {
        uint256 key = _memberKey(memberKeys.length);
        Membership.Admission memory a = _admission(vm.addr(key), _payoutAddress(memberKeys.length));
        bytes memory signature = _sign(registrarKey, _admissionDigest(a));
        vm.expectRevert(abi.encodeWithSelector(Pausing.Pausing_Paused.selector, until));
        membership.join(a, signature);
    }

    // -------------------------------------------------------------------------------------------------- pause

    function test_RevertWhen_TheCallerIsNotTheGuardian() external {
        address[3] memory callers = [stranger, address(memberTimelock), address(gate)];
        for (uint256 i; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(PauseGuard.PauseGuard_OnlyGuardian.selector, callers[i]));
            vm.prank(callers[i]);
            guard.pause(_targets(address(membership)), 1 days);
        }
    }

    function test_RevertWhen_TheDurationIsOutOfBounds() external {
        vm.expectRevert(abi.encodeWithSelector(PauseGuard.PauseGuard_BadDuration.selector, 0));
        _pause(0);
        vm.expectRevert(abi.encodeWithSelector(PauseGuard.PauseGuard_BadDuration.selector, 7 days + 1));
        _pause(7 days + 1);
    }

    function test_RevertWhen_TheTargetIsNotListed() external {
        vm.expectRevert(abi.encodeWithSelector(PauseGuard.PauseGuard_NotATarget.selector, address(treasury)));
        vm.prank(guardian);
        guard.pause(_targets(address(treasury)), 1 days);
    }

    function test_RevertWhen_TheTargetKnowsNoPause() external {
        vm.prank(address(gate));
        guard.setTarget(address(govToken), true);
        vm.expectRevert(bytes(""));
        vm.prank(guardian);
        guard.pause(_targets(address(govToken)), 1 days);
        assertEq(guard.pauseEndsAt(address(govToken)), 0);
    }

    function testFuzz_WhenTheTargetMayBePaused(uint32 duration) external {
        duration = uint32(bound(duration, 1, 7 days));
        uint64 until = uint64(block.timestamp) + duration;
        vm.expectEmit(address(guard));
        emit PauseGuard.Paused(address(membership), until);
        _pause(duration);
        assertEq(membership.pausedUntil(), until);
        assertEq(guard.pauseEndsAt(address(membership)), until);
        vm.warp(until - 1);
        _expectPaused(until);
        vm.warp(until);
        _join();
    }

    function testFuzz_RevertWhen_WithinTheCooldown(uint32 duration, uint32 waited) external {
        duration = uint32(bound(duration, 1, 7 days));
        waited = uint32(bound(waited, 0, 40 days));
        _pause(duration);
        uint64 end = guard.pauseEndsAt(address(membership));
        vm.warp(block.timestamp + waited);
        if (block.timestamp < end + 30 days) {
            vm.expectRevert(
                abi.encodeWithSelector(PauseGuard.PauseGuard_Cooldown.selector, address(membership), end + 30 days)
            );
        }
        _pause(7 days);
    }

    /// @dev Whatever else is stopped, a member can go.
    function test_WhenPausedAMemberCanStillErase() external {
        _pause(7 days);
        _erase(1);
        assertFalse(membership.isMember(voters[0]));
    }

    // ------------------------------------------------------------------------------------------------ unpause

    function test_RevertWhen_UnpausedByNeither() external {
        _pause(1 days);
        address[2] memory callers = [stranger, address(tokenTimelock)];
        for (uint256 i; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, callers[i]));
            _unpauseBy(callers[i]);
        }
    }

    function test_RevertWhen_TheTargetIsNotPaused() external {
        bytes memory notPaused = abi.encodeWithSelector(PauseGuard.PauseGuard_NotPaused.selector, address(membership));
        vm.expectRevert(notPaused);
        _unpauseBy(guardian);
        _pause(1 days);
        vm.warp(block.timestamp + 1 days);
        vm.expectRevert(notPaused);
        _unpauseBy(guardian);
    }

    function test_WhenUnpausedEarly() external {
        address[2] memory callers = [guardian, address(memberTimelock)];
        for (uint256 i; i < callers.length; ++i) {
            _pause(7 days);
            vm.warp(block.timestamp + 1 days);
            vm.expectEmit(address(guard));
            emit PauseGuard.Unpaused(address(membership), callers[i]);
            _unpauseBy(callers[i]);
            _join();
            uint256 again = block.timestamp + 30 days;
            vm.warp(again - 1);
            vm.expectRevert(abi.encodeWithSelector(PauseGuard.PauseGuard_Cooldown.selector, address(membership), again));
            _pause(1 days);
            vm.warp(again);
        }
    }

    function test_WhenTheTargetWasDelistedMeanwhile() external {
        _pause(7 days);
        vm.prank(address(gate));
        guard.setTarget(address(membership), false);
        _unpauseBy(guardian);
        _join();
    }

    // ----------------------------------------------------------------------------------------- administration

    function test_RevertWhen_TheCallerIsNotTheCharter() external {
        address[3] memory callers = [guardian, address(memberTimelock), address(tokenTimelock)];
        for (uint256 i; i < callers.length; ++i) {
            bytes memory no = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, callers[i]);
            vm.startPrank(callers[i]);
            vm.expectRevert(no);
            guard.setGuardian(callers[i]);
            vm.expectRevert(no);
            guard.setTarget(address(treasury), true);
            vm.stopPrank();
        }
    }

    function test_RevertWhen_AnAddressIsMissing() external {
        vm.startPrank(address(gate));
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "guardian"));
        guard.setGuardian(address(0));
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "target"));
        guard.setTarget(address(0), true);
    }

    function test_WhenTheCharterSaysSo() external {
        assertTrue(guard.isTarget(address(membership)));
        vm.startPrank(address(gate));
        guard.setGuardian(stranger);
        guard.setTarget(address(membership), false);
        vm.stopPrank();
        assertEq(guard.guardian(), stranger);
        assertFalse(guard.isTarget(address(membership)));
    }
}
