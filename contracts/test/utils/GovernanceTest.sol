// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {CoopGovernor} from "../../src/governance/CoopGovernor.sol";
import {CoopTest} from "./CoopTest.sol";

/// @notice A cooperative whose two houses can decide: five seasoned members hold GOV that they earned, 400, 100, 100, 25
/// and 0.
abstract contract GovernanceTest is CoopTest {
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

    function setUp() public virtual override {
        super.setUp();
        _populate();
    }

    // ------------------------------------------------------------------------------------------- deployment

    function _proxy(address code, bytes memory init) internal returns (address) {
        return address(new ERC1967Proxy(code, init));
    }

    function _populate() private {
        uint96[5] memory earned = [uint96(400e18), 100e18, 100e18, 25e18, 0];
        for (uint256 i; i < earned.length; ++i) {
            uint32 id = _join();
            voters.push(membership.accountOf(id));
        }
        vm.warp(block.timestamp + membership.SEASONING());
        for (uint256 i; i < earned.length; ++i) {
            vm.prank(address(ledger));
            govToken.mint(voters[i], earned[i]);
        }
    }

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
