// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {CoopGovernor} from "../../src/governance/CoopGovernor.sol";
import {CoopTest} from "./CoopTest.sol";

/// @notice How a proposal goes through a house, by the accounts in `voters`.
abstract contract GovernanceProposals is CoopTest {
    /// @dev What a house decides on.
    struct Proposal {
        address[] targets;
        uint256[] values;
        bytes[] calldatas;
        string description;
    }

    uint8 internal constant AGAINST = 0;
    uint8 internal constant FOR = 1;
    uint8 internal constant ABSTAIN = 2;

    address[] internal voters;

    // -------------------------------------------------------------------------------------------- proposals

    function _proposal(address target, bytes memory data, string memory description)
        internal
        pure
        returns (Proposal memory p)
    {
        (p.targets, p.values, p.calldatas) = (new address[](1), new uint256[](1), new bytes[](1));
        (p.targets[0], p.calldatas[0], p.description) = (target, data, description);
    }

    function _propose(CoopGovernor house, Proposal memory p) internal returns (uint256 id) {
        vm.warp(block.timestamp + 1);
        vm.prank(voters[0]);
        return house.propose(p.targets, p.values, p.calldatas, p.description);
    }

    /// @dev To the first second in which votes count.
    function _startVoting(CoopGovernor house, uint256 id) internal {
        vm.warp(house.proposalSnapshot(id) + 1);
    }

    function _vote(CoopGovernor house, uint256 id, uint256 voter, uint8 support) internal {
        vm.prank(voters[voter]);
        house.castVote(id, support);
    }

    function _queue(CoopGovernor house, Proposal memory p) internal {
        house.queue(p.targets, p.values, p.calldatas, keccak256(bytes(p.description)));
    }

    function _execute(CoopGovernor house, Proposal memory p) internal {
        house.execute(p.targets, p.values, p.calldatas, keccak256(bytes(p.description)));
    }

    /// @dev Proposed, and voted for by the first three, until voting has ended.
    function _voteThrough(CoopGovernor house, Proposal memory p) internal returns (uint256 id) {
        id = _propose(house, p);
        _startVoting(house, id);
        for (uint256 i; i < 3; ++i) {
            _vote(house, id, i, FOR);
        }
        vm.warp(house.proposalDeadline(id) + 1);
    }

    /// @dev All the way: proposed, voted, queued, waited for, executed by a stranger.
    function _pass(CoopGovernor house, Proposal memory p) internal returns (uint256 id) {
        id = _voteThrough(house, p);
        _queue(house, p);
        vm.warp(house.proposalEta(id));
        vm.prank(stranger);
        _execute(house, p);
    }

    function _assertState(CoopGovernor house, uint256 id, IGovernor.ProposalState expected) internal view {
        assertEq(uint8(house.state(id)), uint8(expected));
    }
}
