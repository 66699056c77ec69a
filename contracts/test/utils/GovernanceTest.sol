// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    TimelockControllerUpgradeable
} from "@openzeppelin/contracts-upgradeable/governance/TimelockControllerUpgradeable.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Roles} from "../../src/access/Roles.sol";
import {CharterGate} from "../../src/governance/CharterGate.sol";
import {CoopGovernor} from "../../src/governance/CoopGovernor.sol";
import {PauseGuard} from "../../src/governance/PauseGuard.sol";
import {CoopTest} from "./CoopTest.sol";

/// @notice A founded cooperative whose timelocks obey two governors, whose only admin is CharterGate and whose only pauser is
/// PauseGuard. Five seasoned members hold GOV that they earned: 400, 100, 100, 25 and 0.
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
    uint256 internal constant TIMELOCK_DELAY = 48 hours;

    TimelockControllerUpgradeable internal tokenTimelock;
    TimelockControllerUpgradeable internal memberTimelock;
    CoopGovernor internal tokenGovernor;
    CoopGovernor internal memberGovernor;
    CharterGate internal gate;
    PauseGuard internal guard;
    address internal guardian = makeAddr("guardian");
    address[] internal voters;

    function setUp() public virtual override {
        super.setUp();
        _govern();
        _populate();
    }

    // ------------------------------------------------------------------------------------------- deployment

    function _proxy(address code, bytes memory init) internal returns (address) {
        return address(new ERC1967Proxy(code, init));
    }

    function _govern() private {
        tokenTimelock = TimelockControllerUpgradeable(payable(tokenHouse));
        memberTimelock = TimelockControllerUpgradeable(payable(memberHouse));
        tokenGovernor = _governor("Token house", IVotes(address(govToken)), tokenTimelock, _tokenSettings());
        memberGovernor = _governor("Member house", IVotes(address(membership)), memberTimelock, _memberSettings());
        bytes memory init = abi.encodeCall(CharterGate.initialize, (tokenHouse, memberHouse));
        gate = CharterGate(_proxy(address(new CharterGate()), init));
        address[] memory targets = new address[](1);
        targets[0] = address(membership);
        init = abi.encodeCall(PauseGuard.initialize, (address(manager), guardian, targets));
        guard = PauseGuard(_proxy(address(new PauseGuard()), init));
        _handOver();
    }

    /// @dev A governor that alone proposes to its timelock.
    function _governor(
        string memory name,
        IVotes votes,
        TimelockControllerUpgradeable lock,
        CoopGovernor.Settings memory settings
    ) private returns (CoopGovernor house) {
        bytes memory init = abi.encodeCall(CoopGovernor.initialize, (name, votes, lock, settings));
        house = CoopGovernor(payable(_proxy(address(new CoopGovernor()), init)));
        bytes32 proposer = lock.PROPOSER_ROLE();
        address before = lock == tokenTimelock ? makeAddr("token governor") : makeAddr("member governor");
        vm.startPrank(address(lock));
        lock.grantRole(proposer, address(house));
        lock.grantRole(lock.CANCELLER_ROLE(), address(house));
        lock.revokeRole(proposer, before);
        vm.stopPrank();
    }

    function _tokenSettings() internal pure returns (CoopGovernor.Settings memory) {
        return CoopGovernor.Settings(1 days, 5 days, 1e18, 400, 2e18, 2 days);
    }

    function _memberSettings() internal pure returns (CoopGovernor.Settings memory) {
        return CoopGovernor.Settings(1 days, 5 days, 1, 1_000, 3, 2 days);
    }

    /// @dev Who stood for the charter and the pauser at the founding gives the roles to the contracts, and keeps none.
    function _handOver() private {
        bytes4[] memory unpause = new bytes4[](1);
        unpause[0] = guard.unpause.selector;
        vm.startPrank(charter);
        manager.setTargetFunctionRole(address(guard), unpause, Roles.MEMBER_HOUSE);
        manager.grantRole(Roles.PAUSER, address(guard), 0);
        manager.revokeRole(Roles.PAUSER, pauser);
        manager.grantRole(Roles.CHARTER, address(gate), 0);
        manager.renounceRole(Roles.CHARTER, charter);
        vm.stopPrank();
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
