// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccessManagerUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagerUpgradeable.sol";
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

/// @notice A cooperative under its two houses: timelocks, CharterGate as the only admin, PauseGuard. Five seasoned members
/// hold GOV that they earned: 400, 100, 100, 25 and 0.
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

    AccessManagerUpgradeable internal access;
    TimelockControllerUpgradeable internal tokenTimelock;
    TimelockControllerUpgradeable internal memberTimelock;
    CoopGovernor internal tokenHouse;
    CoopGovernor internal memberHouse;
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
        access = AccessManagerUpgradeable(
            _proxy(
                address(new AccessManagerUpgradeable()),
                abi.encodeCall(AccessManagerUpgradeable.initialize, (address(this)))
            )
        );
        (tokenTimelock, tokenHouse) = _house("Token house", IVotes(address(govToken)), _tokenSettings());
        (memberTimelock, memberHouse) = _house("Member house", IVotes(address(membership)), _memberSettings());
        gate = CharterGate(
            _proxy(
                address(new CharterGate()),
                abi.encodeCall(CharterGate.initialize, (address(tokenTimelock), address(memberTimelock)))
            )
        );
        address[] memory targets = new address[](1);
        targets[0] = address(membership);
        guard = PauseGuard(
            _proxy(
                address(new PauseGuard()), abi.encodeCall(PauseGuard.initialize, (address(access), guardian, targets))
            )
        );
        _giveRoles();
    }

    function _house(string memory name, IVotes votes, CoopGovernor.Settings memory settings)
        private
        returns (TimelockControllerUpgradeable lock, CoopGovernor house)
    {
        address lockCode = address(new TimelockControllerUpgradeable());
        address code = address(new CoopGovernor());
        address[] memory proposers = new address[](1);
        proposers[0] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        address[] memory executors = new address[](1);
        lock = TimelockControllerUpgradeable(
            payable(_proxy(
                    lockCode,
                    abi.encodeCall(
                        TimelockControllerUpgradeable.initialize, (TIMELOCK_DELAY, proposers, executors, address(0))
                    )
                ))
        );
        house =
            CoopGovernor(payable(_proxy(code, abi.encodeCall(CoopGovernor.initialize, (name, votes, lock, settings)))));
        assertEq(address(house), proposers[0], "predicted address");
    }

    function _tokenSettings() internal pure returns (CoopGovernor.Settings memory) {
        return CoopGovernor.Settings(1 days, 5 days, 1e18, 400, 2e18, 2 days);
    }

    function _memberSettings() internal pure returns (CoopGovernor.Settings memory) {
        return CoopGovernor.Settings(1 days, 5 days, 1, 1_000, 3, 2 days);
    }

    /// @dev The contracts get the new authority; the gate is its only admin.
    function _giveRoles() private {
        address[4] memory contracts = [address(membership), address(dataToken), address(govToken), address(treasury)];
        for (uint256 i; i < contracts.length; ++i) {
            vm.prank(founder);
            manager.updateAuthority(contracts[i], address(access));
        }
        _role(address(dataToken), dataToken.setTransfersRestricted.selector, Roles.TOKEN_HOUSE);
        _role(address(govToken), govToken.setListed.selector, Roles.TOKEN_HOUSE);
        _role(address(membership), membership.setAdmissionsPerEpoch.selector, Roles.MEMBER_HOUSE);
        _role(address(membership), membership.setPausedUntil.selector, Roles.PAUSER);
        _role(address(guard), guard.unpause.selector, Roles.MEMBER_HOUSE);
        access.grantRole(Roles.TOKEN_HOUSE, address(tokenTimelock), 0);
        access.grantRole(Roles.MEMBER_HOUSE, address(memberTimelock), 0);
        access.grantRole(Roles.PAUSER, address(guard), 0);
        access.grantRole(Roles.CHARTER, address(gate), 0);
        access.renounceRole(Roles.CHARTER, address(this));
    }

    function _role(address target, bytes4 selector, uint64 role) private {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        access.setTargetFunctionRole(target, selectors, role);
    }

    function _populate() private {
        uint96[5] memory earned = [uint96(400e18), 100e18, 100e18, 25e18, 0];
        for (uint256 i; i < earned.length; ++i) {
            uint32 id = _join();
            voters.push(membership.accountOf(id));
            vm.prank(address(ledger));
            govToken.mint(voters[i], earned[i]);
        }
        vm.warp(block.timestamp + membership.SEASONING());
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
