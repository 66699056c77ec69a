// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    TimelockControllerUpgradeable
} from "@openzeppelin/contracts-upgradeable/governance/TimelockControllerUpgradeable.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Roles} from "../../../src/access/Roles.sol";
import {CharterGate} from "../../../src/governance/CharterGate.sol";
import {CoopGovernor} from "../../../src/governance/CoopGovernor.sol";
import {GovToken} from "../../../src/tokens/GovToken.sol";
import {GovernanceTest} from "../../utils/GovernanceTest.sol";

/// @notice The next version of GovToken, with something to tell it by.
contract GovTokenV2 is GovToken {
    function version() external pure returns (uint256) {
        return 2;
    }
}

/// @notice From a member's proposal to what it changes, through vote, timelock, AccessManager and CharterGate.
contract TwoHousesTest is GovernanceTest {
    bytes32 private constant WORDS = keccak256("upgrade 1");

    function _restrict() private view returns (Proposal memory) {
        bytes memory data = abi.encodeCall(dataToken.setTransfersRestricted, (true));
        return _proposal(address(dataToken), data, "DATA moves among listed accounts");
    }

    function _admit(uint32 cap) private view returns (Proposal memory) {
        bytes memory data = abi.encodeCall(membership.setAdmissionsPerEpoch, (cap));
        return _proposal(address(membership), data, "How many we admit");
    }

    /// @dev Passed and queued, but what it asks for is not the house's to ask.
    function _expectRefused(CoopGovernor house, TimelockControllerUpgradeable lock, Proposal memory p) private {
        uint256 id = _voteThrough(house, p);
        _queue(house, p);
        vm.warp(house.proposalEta(id));
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(lock)));
        _execute(house, p);
        _assertState(house, id, IGovernor.ProposalState.Queued);
    }

    // -------------------------------------------------------------------------------------------- token house

    function test_WhenTheTokenHouseChangesAParameterOfItsOwn() external {
        uint256 begin = block.timestamp;
        _pass(tokenGovernor, _restrict());
        assertTrue(dataToken.transfersRestricted());
        assertEq(block.timestamp - begin, 1 days + 5 days + 48 hours + 2, "a day, five days, two days");
    }

    function test_RevertWhen_TheTokenHouseChangesAParameterOfTheMembers() external {
        _expectRefused(tokenGovernor, tokenTimelock, _admit(5));
    }

    /// @dev Member 5 earned nothing and is lent everything; the vote is still won by those who earned.
    function test_WhenReceivedTokensVoteAgainst() external {
        for (uint256 i; i < 3; ++i) {
            uint256 half = govToken.balanceOf(voters[i]) / 2;
            vm.prank(voters[i]);
            govToken.transfer(voters[4], half);
        }
        uint256 id = _propose(tokenGovernor, _restrict());
        _startVoting(tokenGovernor, id);
        vm.expectRevert(
            abi.encodeWithSelector(
                CoopGovernor.CoopGovernor_NoVotes.selector, voters[4], tokenGovernor.proposalSnapshot(id)
            )
        );
        _vote(tokenGovernor, id, 4, AGAINST);
        _vote(tokenGovernor, id, 3, FOR);
        (, uint256 for_,) = tokenGovernor.proposalVotes(id);
        assertEq(for_, 5e18);
    }

    function test_WhenALockerVotes() external {
        vm.prank(voters[1]);
        govToken.lock(100e18, 4);
        uint256 id = _propose(tokenGovernor, _restrict());
        _startVoting(tokenGovernor, id);
        _vote(tokenGovernor, id, 1, AGAINST);
        _vote(tokenGovernor, id, 2, FOR);
        (uint256 against, uint256 for_,) = tokenGovernor.proposalVotes(id);
        assertEq(against, 2 * for_);
        vm.warp(tokenGovernor.proposalDeadline(id) + 1);
        _assertState(tokenGovernor, id, IGovernor.ProposalState.Defeated);
    }

    // ------------------------------------------------------------------------------------------- member house

    function test_WhenTheMemberHouseChangesAParameterOfItsOwn() external {
        _pass(memberGovernor, _admit(5));
        assertEq(membership.admissionsPerEpoch(), 5);
    }

    function test_RevertWhen_TheMemberHouseChangesAParameterOfTheToken() external {
        _expectRefused(memberGovernor, memberTimelock, _restrict());
    }

    /// @dev A pause is over before a proposal against it could pass; one that was under way can still end it.
    function test_WhenTheMemberHouseEndsAPause() external {
        address[] memory targets = new address[](1);
        targets[0] = address(membership);
        Proposal memory p = _proposal(address(guard), abi.encodeCall(guard.unpause, (targets)), "Let us admit again");
        uint256 id = _voteThrough(memberGovernor, p);
        vm.prank(guardian);
        guard.pause(targets, 7 days);
        _queue(memberGovernor, p);
        vm.warp(memberGovernor.proposalEta(id));
        _execute(memberGovernor, p);
        _join();
    }

    function test_WhenAMemberLeftBeforeTheVote() external {
        _erase(1);
        govToken.sync(voters[0]);
        vm.warp(block.timestamp + 1);
        Proposal memory p = _admit(5);
        vm.prank(voters[1]);
        uint256 id = memberGovernor.propose(p.targets, p.values, p.calldatas, p.description);
        _startVoting(memberGovernor, id);
        vm.expectRevert(
            abi.encodeWithSelector(
                CoopGovernor.CoopGovernor_NoVotes.selector, voters[0], memberGovernor.proposalSnapshot(id)
            )
        );
        _vote(memberGovernor, id, 0, AGAINST);
        for (uint256 i = 1; i < 4; ++i) {
            _vote(memberGovernor, id, i, FOR);
        }
        vm.warp(memberGovernor.proposalDeadline(id) + 1);
        _assertState(memberGovernor, id, IGovernor.ProposalState.Succeeded);
    }

    // ------------------------------------------------------------------------------------------------ charter

    function _upgradeTo(address code) private view returns (CharterGate.Call[] memory calls) {
        calls = new CharterGate.Call[](1);
        calls[0] = CharterGate.Call(address(govToken), 0, abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (code, "")));
    }

    function _approval(CharterGate.Call[] memory calls) private view returns (Proposal memory) {
        bytes memory data = abi.encodeCall(CharterGate.approve, (gate.operationOf(calls, WORDS)));
        return _proposal(address(gate), data, "We agree");
    }

    function _code(address proxy) private view returns (address) {
        return address(uint160(uint256(vm.load(proxy, ERC1967Utils.IMPLEMENTATION_SLOT))));
    }

    function test_WhenBothHousesApproveAnUpgrade() external {
        vm.prank(voters[1]);
        govToken.lock(60e18, 2);
        uint256[5] memory balances;
        uint256[5] memory votes;
        for (uint256 i; i < 5; ++i) {
            (balances[i], votes[i]) = (govToken.balanceOf(voters[i]), govToken.getVotes(voters[i]));
        }
        address code = address(new GovTokenV2());
        CharterGate.Call[] memory calls = _upgradeTo(code);
        _pass(tokenGovernor, _approval(calls));
        _pass(memberGovernor, _approval(calls));
        vm.prank(stranger);
        gate.execute(calls, WORDS);
        assertEq(_code(address(govToken)), code);
        assertEq(GovTokenV2(address(govToken)).version(), 2);
        for (uint256 i; i < 5; ++i) {
            assertEq(govToken.balanceOf(voters[i]), balances[i]);
            assertEq(govToken.getVotes(voters[i]), votes[i]);
        }
        assertEq(govToken.lockedOf(voters[1]), 60e18);
        assertEq(govToken.locksOf(voters[1])[0].amount, 60e18);
        assertEq(govToken.totalSupply(), 625e18);
    }

    function _expectNotUpgradedBy(CoopGovernor house, address lacking) private {
        address before = _code(address(govToken));
        CharterGate.Call[] memory calls = _upgradeTo(address(new GovTokenV2()));
        _pass(house, _approval(calls));
        bytes32 operation = gate.operationOf(calls, WORDS);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_NotApproved.selector, operation, lacking));
        gate.execute(calls, WORDS);
        assertEq(_code(address(govToken)), before);
    }

    function test_RevertWhen_TheTokenHouseAloneApproves() external {
        _expectNotUpgradedBy(tokenGovernor, address(memberTimelock));
    }

    function test_RevertWhen_TheMemberHouseAloneApproves() external {
        _expectNotUpgradedBy(memberGovernor, address(tokenTimelock));
    }

    function test_RevertWhen_AHouseUpgradesDirectly() external {
        CharterGate.Call[] memory calls = _upgradeTo(address(new GovTokenV2()));
        _expectRefused(tokenGovernor, tokenTimelock, _proposal(calls[0].target, calls[0].data, "Just do it"));
        _expectRefused(memberGovernor, memberTimelock, _proposal(calls[0].target, calls[0].data, "Just do it"));
    }

    function test_RevertWhen_TheHousesApproveDifferentWords() external {
        CharterGate.Call[] memory one = _upgradeTo(address(new GovTokenV2()));
        CharterGate.Call[] memory other = _upgradeTo(address(new GovTokenV2()));
        _pass(tokenGovernor, _approval(one));
        _pass(memberGovernor, _approval(other));
        bytes32 operation = gate.operationOf(one, WORDS);
        vm.expectRevert(
            abi.encodeWithSelector(CharterGate.CharterGate_NotApproved.selector, operation, address(memberTimelock))
        );
        gate.execute(one, WORDS);
    }

    function test_WhenARoleMovesToAnotherTimelock() external {
        address next = makeAddr("next timelock");
        CharterGate.Call[] memory calls = new CharterGate.Call[](2);
        calls[0] =
            CharterGate.Call(address(manager), 0, abi.encodeCall(manager.grantRole, (Roles.MEMBER_HOUSE, next, 0)));
        calls[1] = CharterGate.Call(
            address(manager), 0, abi.encodeCall(manager.revokeRole, (Roles.MEMBER_HOUSE, address(memberTimelock)))
        );
        _pass(memberGovernor, _approval(calls));
        _pass(tokenGovernor, _approval(calls));
        gate.execute(calls, WORDS);
        vm.prank(next);
        membership.setAdmissionsPerEpoch(7);
        assertEq(membership.admissionsPerEpoch(), 7);
        _expectRefused(memberGovernor, memberTimelock, _admit(5));
    }

    // --------------------------------------------------------------------------------------------- who is left

    function test_RevertWhen_AnybodyElseAsksTheAccessManager() external {
        address[7] memory callers = [
            address(this),
            founder,
            guardian,
            voters[0],
            address(tokenTimelock),
            address(memberTimelock),
            address(tokenGovernor)
        ];
        for (uint256 i; i < callers.length; ++i) {
            bytes memory no = abi.encodeWithSelector(
                IAccessManager.AccessManagerUnauthorizedAccount.selector, callers[i], Roles.CHARTER
            );
            vm.startPrank(callers[i]);
            vm.expectRevert(no);
            manager.grantRole(Roles.CHARTER, callers[i], 0);
            vm.expectRevert(no);
            manager.updateAuthority(address(govToken), callers[i]);
            vm.stopPrank();
        }
    }
}
