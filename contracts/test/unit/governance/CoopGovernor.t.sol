// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    TimelockControllerUpgradeable
} from "@openzeppelin/contracts-upgradeable/governance/TimelockControllerUpgradeable.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {Panic} from "@openzeppelin/contracts/utils/Panic.sol";
import {CoopGovernor} from "../../../src/governance/CoopGovernor.sol";
import {IConstitution} from "../../../src/governance/IConstitution.sol";
import {GovernanceTest} from "../../utils/GovernanceTest.sol";

contract CoopGovernorTest is GovernanceTest {
    function _admissions(uint32 cap) private view returns (Proposal memory) {
        return
            _proposal(address(membership), abi.encodeCall(membership.setAdmissionsPerEpoch, (cap)), "How many we admit");
    }

    function _bit(IGovernor.ProposalState s) private pure returns (bytes32) {
        return bytes32(1 << uint8(s));
    }

    function _expectState(uint256 id, IGovernor.ProposalState found, IGovernor.ProposalState needed) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorUnexpectedProposalState.selector, id, found, _bit(needed))
        );
    }

    // --------------------------------------------------------------------------------------------- initialize

    function _init(
        IVotes votes,
        TimelockControllerUpgradeable lock,
        IConstitution gate_,
        CoopGovernor.Settings memory s,
        uint256 floor,
        bytes memory error_
    ) private {
        address code = address(new CoopGovernor());
        vm.expectRevert(error_);
        _proxy(code, abi.encodeCall(CoopGovernor.initialize, ("House", votes, lock, gate_, s, floor)));
    }

    function test_RevertWhen_TheTokenTheTimelockOrTheGateIsMissing() external {
        CoopGovernor.Settings memory s = _memberSettings();
        IVotes votes = IVotes(address(membership));
        bytes memory noToken = abi.encodeWithSelector(CoopGovernor.CoopGovernor_ZeroAddress.selector, "token");
        _init(IVotes(address(0)), memberTimelock, gate, s, 3, noToken);
        bytes memory noLock = abi.encodeWithSelector(CoopGovernor.CoopGovernor_ZeroAddress.selector, "timelock");
        _init(votes, TimelockControllerUpgradeable(payable(0)), gate, s, 3, noLock);
        bytes memory noGate = abi.encodeWithSelector(CoopGovernor.CoopGovernor_ZeroAddress.selector, "gate");
        _init(votes, memberTimelock, IConstitution(address(0)), s, 3, noGate);
    }

    function _bad(string memory what) private pure returns (bytes memory) {
        return abi.encodeWithSelector(CoopGovernor.CoopGovernor_BadSettings.selector, what);
    }

    function _expectBad(CoopGovernor.Settings memory s, string memory what) private {
        _init(IVotes(address(membership)), memberTimelock, gate, s, 3, _bad(what));
    }

    function test_RevertWhen_ASettingIsOutOfBounds() external {
        CoopGovernor.Settings memory s = _memberSettings();
        s.votingDelay = 1 hours - 1;
        _expectBad(s, "votingDelay");
        s.votingDelay = 30 days + 1;
        _expectBad(s, "votingDelay");
        s = _memberSettings();
        s.votingPeriod = 1 days - 1;
        _expectBad(s, "votingPeriod");
        s.votingPeriod = 60 days + 1;
        _expectBad(s, "votingPeriod");
        s = _memberSettings();
        s.lateQuorumExtension = s.votingPeriod + 1;
        _expectBad(s, "lateQuorumExtension");
        s = _memberSettings();
        s.quorumBps = 5_001;
        _expectBad(s, "quorumBps");
        s.quorumBps = 99;
        _expectBad(s, "quorumBps");
        s = _memberSettings();
        _init(IVotes(address(membership)), memberTimelock, gate, s, 0, _bad("quorumFloor"));
        _init(IVotes(address(membership)), memberTimelock, gate, s, 1 << 128, _bad("quorumFloor"));
    }

    function test_WhatAHouseTells() external {
        assertEq(memberGovernor.clock(), block.timestamp);
        assertEq(memberGovernor.proposalThreshold(), _memberSettings().proposalThreshold);
        assertEq(tokenGovernor.proposalThreshold(), _tokenSettings().proposalThreshold);
        Proposal memory p = _admissions(7);
        bytes32 hash = keccak256(bytes(p.description));
        uint256 operation =
            uint256(memberTimelock.hashOperationBatch(p.targets, p.values, p.calldatas, bytes32(0), hash));
        assertEq(memberGovernor.hashProposal(p.targets, p.values, p.calldatas, hash), operation);
        assertEq(_propose(memberGovernor, p), operation);
    }

    function test_RevertWhen_InitializedAgain() external {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        memberGovernor.initialize("House", IVotes(address(membership)), memberTimelock, gate, _memberSettings(), 3);
        CoopGovernor code = new CoopGovernor();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        code.initialize("House", IVotes(address(membership)), memberTimelock, gate, _memberSettings(), 3);
    }

    function test_WhenInitialized() external view {
        assertEq(memberGovernor.name(), "Member house");
        assertEq(tokenGovernor.name(), "Token house");
        assertEq(address(tokenGovernor.token()), address(govToken));
        assertEq(memberGovernor.timelock(), address(memberTimelock));
        assertEq(memberGovernor.gate(), address(gate));
        assertEq(memberGovernor.CLOCK_MODE(), "mode=timestamp");
        assertEq(memberGovernor.COUNTING_MODE(), "support=bravo&quorum=for,abstain");
        assertEq(keccak256(abi.encode(memberGovernor.settings())), keccak256(abi.encode(_memberSettings())));
        assertEq(memberGovernor.quorumFloor(), MEMBER_FLOOR);
        assertEq(tokenGovernor.quorumFloor(), TOKEN_FLOOR);
        assertTrue(memberGovernor.proposalNeedsQueuing(0));
    }

    // -------------------------------------------------------------------------------------- propose, cancel

    function test_RevertWhen_TheProposerHasTooFewVotes() external {
        Proposal memory p = _admissions(5);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, voters[4], 0, 1e18)
        );
        vm.prank(voters[4]);
        tokenGovernor.propose(p.targets, p.values, p.calldatas, p.description);
    }

    function test_RevertWhen_TheProposerIsNotSeasoned() external {
        address newcomer = membership.accountOf(_join());
        vm.warp(block.timestamp + membership.SEASONING());
        Proposal memory p = _admissions(5);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, newcomer, 0, 1));
        vm.prank(newcomer);
        memberGovernor.propose(p.targets, p.values, p.calldatas, p.description);
        vm.warp(block.timestamp + 1);
        vm.prank(newcomer);
        memberGovernor.propose(p.targets, p.values, p.calldatas, p.description);
    }

    function test_RevertWhen_TheSameIsProposedTwice() external {
        Proposal memory p = _admissions(5);
        uint256 id = _propose(memberGovernor, p);
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector, id, IGovernor.ProposalState.Pending, bytes32(0)
            )
        );
        vm.prank(voters[1]);
        memberGovernor.propose(p.targets, p.values, p.calldatas, p.description);
    }

    function test_WhenTheProposerCancelsBeforeTheVote() external {
        Proposal memory p = _admissions(5);
        uint256 id = _propose(memberGovernor, p);
        bytes32 hash = keccak256(bytes(p.description));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, id, stranger));
        vm.prank(stranger);
        memberGovernor.cancel(p.targets, p.values, p.calldatas, hash);
        vm.prank(voters[0]);
        memberGovernor.cancel(p.targets, p.values, p.calldatas, hash);
        _assertState(memberGovernor, id, IGovernor.ProposalState.Canceled);
    }

    function test_RevertWhen_TheProposerCancelsDuringTheVote() external {
        Proposal memory p = _admissions(5);
        uint256 id = _propose(memberGovernor, p);
        _startVoting(memberGovernor, id);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, id, voters[0]));
        vm.prank(voters[0]);
        memberGovernor.cancel(p.targets, p.values, p.calldatas, keccak256(bytes(p.description)));
    }

    // ------------------------------------------------------------------------------------------------- voting

    function test_RevertWhen_VotingHasNotBegunOrHasEnded() external {
        uint256 id = _propose(memberGovernor, _admissions(5));
        vm.warp(memberGovernor.proposalSnapshot(id));
        _expectState(id, IGovernor.ProposalState.Pending, IGovernor.ProposalState.Active);
        _vote(memberGovernor, id, 0, FOR);
        vm.warp(memberGovernor.proposalDeadline(id) + 1);
        _expectState(id, IGovernor.ProposalState.Defeated, IGovernor.ProposalState.Active);
        _vote(memberGovernor, id, 0, FOR);
    }

    function _expectNoVotes(CoopGovernor house, uint256 id, address voter) private {
        vm.expectRevert(
            abi.encodeWithSelector(CoopGovernor.CoopGovernor_NoVotes.selector, voter, house.proposalSnapshot(id))
        );
    }

    function test_RevertWhen_TheVoterHadNoVotesAtTheSnapshot() external {
        uint256 id = _propose(tokenGovernor, _admissions(5));
        _startVoting(tokenGovernor, id);
        vm.prank(address(ledger));
        govToken.mint(voters[4], 100e18);
        _expectNoVotes(tokenGovernor, id, voters[4]);
        _vote(tokenGovernor, id, 4, FOR);
        _expectNoVotes(tokenGovernor, id, stranger);
        vm.prank(stranger);
        tokenGovernor.castVote(id, FOR);
    }

    function test_RevertWhen_TheVoterWasNotSeasoned() external {
        address newcomer = membership.accountOf(_join());
        vm.warp(block.timestamp + membership.SEASONING() - 1 days - 2);
        uint256 id = _propose(memberGovernor, _admissions(5));
        _startVoting(memberGovernor, id);
        assertEq(membership.getVotes(newcomer), 1, "seasoned since a second");
        _expectNoVotes(memberGovernor, id, newcomer);
        vm.prank(newcomer);
        memberGovernor.castVote(id, FOR);
    }

    function test_RevertWhen_TheVoterHasVoted() external {
        uint256 id = _propose(memberGovernor, _admissions(5));
        _startVoting(memberGovernor, id);
        assertFalse(memberGovernor.hasVoted(id, voters[0]));
        _vote(memberGovernor, id, 0, AGAINST);
        assertTrue(memberGovernor.hasVoted(id, voters[0]));
        assertFalse(memberGovernor.hasVoted(id, voters[1]));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorAlreadyCastVote.selector, voters[0]));
        _vote(memberGovernor, id, 0, FOR);
    }

    function test_RevertWhen_TheSupportIsNoneOfThree() external {
        uint256 id = _propose(memberGovernor, _admissions(5));
        _startVoting(memberGovernor, id);
        vm.expectRevert(IGovernor.GovernorInvalidVoteType.selector);
        _vote(memberGovernor, id, 0, 3);
    }

    function test_WhenVotesAreCounted() external {
        uint256 id = _propose(tokenGovernor, _admissions(5));
        _startVoting(tokenGovernor, id);
        vm.prank(voters[0]);
        govToken.transfer(voters[4], 400e18);
        _vote(tokenGovernor, id, 0, FOR);
        _vote(tokenGovernor, id, 1, AGAINST);
        _vote(tokenGovernor, id, 3, ABSTAIN);
        (uint256 against, uint256 for_, uint256 abstain) = tokenGovernor.proposalVotes(id);
        assertEq(for_, 20e18, "the votes of the snapshot");
        assertEq(against, 10e18);
        assertEq(abstain, 5e18);
    }

    function testFuzz_EachMemberCountsOnce(uint256 seed) external {
        _joinMany(20);
        vm.warp(block.timestamp + membership.SEASONING());
        uint256 id = _propose(memberGovernor, _admissions(5));
        _startVoting(memberGovernor, id);
        uint256[3] memory expected;
        for (uint32 member = 1; member <= 25; ++member) {
            uint8 support = uint8(uint256(keccak256(abi.encode(seed, member))) % 4);
            if (support == 3) continue;
            vm.prank(membership.accountOf(member));
            memberGovernor.castVote(id, support);
            ++expected[support];
        }
        (uint256 against, uint256 for_, uint256 abstain) = memberGovernor.proposalVotes(id);
        assertEq(against, expected[AGAINST]);
        assertEq(for_, expected[FOR]);
        assertEq(abstain, expected[ABSTAIN]);
        vm.warp(memberGovernor.proposalDeadline(id) + 1);
        bool passes = for_ > against && for_ + abstain >= 3;
        _assertState(memberGovernor, id, passes ? IGovernor.ProposalState.Succeeded : IGovernor.ProposalState.Defeated);
    }

    function test_WhenVotedBySignature() external {
        uint256 id = _propose(memberGovernor, _admissions(5));
        _startVoting(memberGovernor, id);
        bytes32 hash = keccak256("Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)");
        bytes32 digest = _typed(
            "Member house", address(memberGovernor), keccak256(abi.encode(hash, id, FOR, voters[1], uint256(0)))
        );
        bytes memory signature = _sign(memberKeys[2], digest);
        vm.prank(stranger);
        memberGovernor.castVoteBySig(id, FOR, voters[1], signature);
        assertTrue(memberGovernor.hasVoted(id, voters[1]));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, voters[1]));
        memberGovernor.castVoteBySig(id, FOR, voters[1], signature);
    }

    // ------------------------------------------------------------------------------------------------- quorum

    function test_WhenThePartIsBelowTheFloor() external {
        vm.warp(block.timestamp + 1);
        assertEq(membership.getPastTotalSupply(block.timestamp - 1), 5);
        assertEq(memberGovernor.quorum(block.timestamp - 1), 3);
        // 4 % of 20 + 10 + 10 + 5 is less than the floor.
        assertEq(tokenGovernor.quorum(block.timestamp - 1), 2e18);
    }

    function test_WhenThePartIsAboveTheFloor() external {
        _joinMany(26);
        vm.warp(block.timestamp + membership.SEASONING() + 1);
        assertEq(memberGovernor.quorum(block.timestamp - 1), 4, "a tenth of 31, rounded up");
    }

    function test_WhenTheQuorumIsNotReached() external {
        uint256 id = _propose(memberGovernor, _admissions(5));
        _startVoting(memberGovernor, id);
        _vote(memberGovernor, id, 0, FOR);
        _vote(memberGovernor, id, 1, FOR);
        _vote(memberGovernor, id, 2, AGAINST);
        vm.warp(memberGovernor.proposalDeadline(id) + 1);
        _assertState(memberGovernor, id, IGovernor.ProposalState.Defeated);
    }

    function test_WhenAgainstIsNotLessThanFor() external {
        uint256 id = _propose(tokenGovernor, _admissions(5));
        _startVoting(tokenGovernor, id);
        _vote(tokenGovernor, id, 1, FOR);
        _vote(tokenGovernor, id, 2, AGAINST);
        vm.warp(tokenGovernor.proposalDeadline(id) + 1);
        _assertState(tokenGovernor, id, IGovernor.ProposalState.Defeated);
    }

    function test_WhenTheQuorumIsLoweredAfterwards() external {
        uint256 lost = _propose(memberGovernor, _admissions(5));
        _startVoting(memberGovernor, lost);
        _vote(memberGovernor, lost, 0, FOR);
        vm.warp(memberGovernor.proposalDeadline(lost) + 1);
        vm.expectEmit(address(memberGovernor));
        emit CoopGovernor.QuorumFloorSet(1);
        _asCharter();
        memberGovernor.setQuorumFloor(1);
        assertEq(memberGovernor.quorumFloor(), 1);
        assertEq(memberGovernor.settings().quorumBps, 1_000, "the part stays");
        _assertState(memberGovernor, lost, IGovernor.ProposalState.Defeated);
        uint256 id = _propose(memberGovernor, _admissions(6));
        _startVoting(memberGovernor, id);
        _vote(memberGovernor, id, 0, FOR);
        vm.warp(memberGovernor.proposalDeadline(id) + 1);
        _assertState(memberGovernor, id, IGovernor.ProposalState.Succeeded);
    }

    /// @dev Half of five members is two: no more may be asked of them than half.
    function test_RevertWhen_TheFloorIsRaisedAboveHalfOfAllVotes() external {
        vm.warp(block.timestamp + 1);
        vm.expectRevert(_bad("quorumFloor"));
        _asCharter();
        memberGovernor.setQuorumFloor(4);
        _asCharter();
        memberGovernor.setQuorumFloor(3);
        _joinMany(3);
        vm.warp(block.timestamp + 1);
        _asCharter();
        memberGovernor.setQuorumFloor(4);
        assertEq(memberGovernor.quorumFloor(), 4);
    }

    function test_RevertWhen_TheFloorIsNotSetByTheCharter() external {
        vm.expectRevert(abi.encodeWithSelector(CoopGovernor.CoopGovernor_OnlyCharter.selector, memberHouse));
        vm.prank(memberHouse);
        memberGovernor.setQuorumFloor(1);
    }

    /// @dev Point 19: who joined yesterday cannot vote and counts all the same in what a quorum is a part of.
    function test_WhenMostMembersAreNotSeasoned() external {
        _joinMany(95);
        vm.warp(block.timestamp + 1);
        assertEq(membership.getPastTotalSupply(block.timestamp - 1), 100);
        assertEq(memberGovernor.quorum(block.timestamp - 1), 10);
        for (uint32 id = 6; id <= 25; ++id) {
            address account = membership.accountOf(id);
            vm.prank(address(ledger));
            govToken.mint(account, 2_500e18);
        }
        vm.warp(block.timestamp + 1);
        assertEq(govToken.getPastTotalSupply(block.timestamp - 1), 1_045e18, "45 of the seasoned, 20 times 50");
        assertEq(tokenGovernor.quorum(block.timestamp - 1), 41.8e18);
        uint256 proposal = _propose(tokenGovernor, _admissions(5));
        _startVoting(tokenGovernor, proposal);
        address newcomer = membership.accountOf(6);
        _expectNoVotes(tokenGovernor, proposal, newcomer);
        vm.prank(newcomer);
        tokenGovernor.castVote(proposal, FOR);
    }

    function test_WhenTheQuorumIsReachedLate() external {
        uint256 id = _propose(memberGovernor, _admissions(5));
        uint256 deadline = memberGovernor.proposalDeadline(id);
        _startVoting(memberGovernor, id);
        _vote(memberGovernor, id, 0, FOR);
        vm.warp(deadline - 1 hours);
        _vote(memberGovernor, id, 1, ABSTAIN);
        assertEq(memberGovernor.proposalDeadline(id), deadline, "not reached yet");
        vm.expectEmit(address(memberGovernor));
        emit CoopGovernor.ProposalExtended(id, uint64(block.timestamp + 2 days));
        _vote(memberGovernor, id, 2, FOR);
        uint256 extended = block.timestamp + 2 days;
        assertEq(memberGovernor.proposalDeadline(id), extended);
        vm.warp(extended);
        _vote(memberGovernor, id, 3, AGAINST);
        assertEq(memberGovernor.proposalDeadline(id), extended, "once");
        vm.warp(extended + 1);
        _assertState(memberGovernor, id, IGovernor.ProposalState.Succeeded);
    }

    function test_WhenTheQuorumIsReachedEarly() external {
        uint256 id = _propose(memberGovernor, _admissions(5));
        uint256 deadline = memberGovernor.proposalDeadline(id);
        _startVoting(memberGovernor, id);
        for (uint256 i; i < 3; ++i) {
            _vote(memberGovernor, id, i, FOR);
        }
        vm.warp(deadline);
        _vote(memberGovernor, id, 3, FOR);
        assertEq(memberGovernor.proposalDeadline(id), deadline);
    }

    function test_WhenOnlyVotesAgainstComeLate() external {
        uint256 id = _propose(memberGovernor, _admissions(5));
        uint256 deadline = memberGovernor.proposalDeadline(id);
        _startVoting(memberGovernor, id);
        _vote(memberGovernor, id, 0, FOR);
        _vote(memberGovernor, id, 1, FOR);
        vm.warp(deadline);
        _vote(memberGovernor, id, 2, AGAINST);
        assertEq(memberGovernor.proposalDeadline(id), deadline);
    }

    // ------------------------------------------------------------------------------------------ queue, execute

    function test_RevertWhen_TheProposalHasNotSucceeded() external {
        Proposal memory p = _admissions(5);
        uint256 id = _propose(memberGovernor, p);
        _expectState(id, IGovernor.ProposalState.Pending, IGovernor.ProposalState.Succeeded);
        _queue(memberGovernor, p);
        _expectState(id, IGovernor.ProposalState.Pending, IGovernor.ProposalState.Queued);
        _execute(memberGovernor, p);
    }

    function test_RevertWhen_TheDelayHasNotPassed() external {
        Proposal memory p = _admissions(5);
        uint256 id = _voteThrough(memberGovernor, p);
        _queue(memberGovernor, p);
        assertEq(memberGovernor.proposalEta(id), block.timestamp + TIMELOCK_DELAY);
        vm.warp(block.timestamp + TIMELOCK_DELAY - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                TimelockControllerUpgradeable.TimelockUnexpectedOperationState.selector,
                bytes32(id),
                bytes32(1 << uint8(TimelockControllerUpgradeable.OperationState.Ready))
            )
        );
        _execute(memberGovernor, p);
    }

    function test_WhenTheDelayHasPassed() external {
        Proposal memory p = _admissions(5);
        uint256 id = _pass(memberGovernor, p);
        assertEq(membership.admissionsPerEpoch(), 5);
        _assertState(memberGovernor, id, IGovernor.ProposalState.Executed);
        _expectState(id, IGovernor.ProposalState.Executed, IGovernor.ProposalState.Queued);
        _execute(memberGovernor, p);
    }

    function test_WhenExecutedInTheTimelock() external {
        Proposal memory p = _admissions(5);
        uint256 id = _voteThrough(memberGovernor, p);
        _queue(memberGovernor, p);
        _assertState(memberGovernor, id, IGovernor.ProposalState.Queued);
        vm.warp(block.timestamp + TIMELOCK_DELAY);
        bytes32 executor = memberTimelock.EXECUTOR_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, address(this), executor)
        );
        memberTimelock.executeBatch(p.targets, p.values, p.calldatas, 0, keccak256(bytes(p.description)));
        vm.prank(memberHouse);
        memberTimelock.grantRole(executor, address(this));
        memberTimelock.executeBatch(p.targets, p.values, p.calldatas, 0, keccak256(bytes(p.description)));
        assertEq(membership.admissionsPerEpoch(), 5);
        _assertState(memberGovernor, id, IGovernor.ProposalState.Executed);
    }

    function test_WhenTheTimelockKnowsOfItNoMore() external {
        Proposal memory p = _admissions(5);
        uint256 id = _voteThrough(memberGovernor, p);
        _queue(memberGovernor, p);
        vm.prank(address(memberGovernor));
        memberTimelock.cancel(bytes32(id));
        _assertState(memberGovernor, id, IGovernor.ProposalState.Canceled);
    }

    // --------------------------------------------------------------------------------------------- setSettings

    function test_RevertWhen_SettingsAreSetByAnybody() external {
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, voters[0]));
        vm.prank(voters[0]);
        memberGovernor.setSettings(_memberSettings());
    }

    function test_RevertWhen_TheTimelockSetsThemWithoutAProposal() external {
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", Panic.EMPTY_ARRAY_POP));
        vm.prank(address(memberTimelock));
        memberGovernor.setSettings(_memberSettings());
    }

    function test_WhenTheHouseChangesItsSettings() external {
        CoopGovernor.Settings memory s = CoopGovernor.Settings(2 days, 7 days, 1, 2_000, 3 days);
        Proposal memory p =
            _proposal(address(memberGovernor), abi.encodeCall(CoopGovernor.setSettings, (s)), "More time");
        uint256 id = _voteThrough(memberGovernor, p);
        _queue(memberGovernor, p);
        vm.warp(memberGovernor.proposalEta(id));
        vm.expectEmit(address(memberGovernor));
        emit CoopGovernor.SettingsSet(s);
        _execute(memberGovernor, p);
        assertEq(keccak256(abi.encode(memberGovernor.settings())), keccak256(abi.encode(s)));
        assertEq(memberGovernor.votingDelay(), 2 days);
        assertEq(memberGovernor.votingPeriod(), 7 days);
        assertEq(memberGovernor.quorum(block.timestamp - 1), 3, "the terms of that time");
    }
}
