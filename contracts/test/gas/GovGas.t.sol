// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {CharterGate} from "../../src/governance/CharterGate.sol";
import {GovernanceTest} from "../utils/GovernanceTest.sol";
import {StockGovernor} from "../utils/StockGovernor.sol";

/// @notice What governing costs, each call a transaction of its own (profile `gas`). The stock governor has the same
/// votes, settings, timelock and target, behind the same proxy. "First" = the first vote of a proposal.
contract GovGasTest is GovernanceTest {
    string private constant GROUP = "governance";

    /// @dev A proposal from its making to its end, by members `0…6`, on a call that writes one slot.
    function _measure(IGovernor house, string memory name, Proposal memory p) private {
        vm.warp(block.timestamp + 1);
        vm.prank(voters[0]);
        house.propose(p.targets, p.values, p.calldatas, p.description);
        _snap(name, "propose");
        bytes32 hash = keccak256(bytes(p.description));
        uint256 id = house.getProposalId(p.targets, p.values, p.calldatas, hash);
        vm.warp(house.proposalSnapshot(id) + 1);
        for (uint256 i; i < 3; ++i) {
            vm.prank(voters[i]);
            house.castVote(id, FOR);
            if (i == 0) _snap(name, "vote first");
            if (i == 1) _snap(name, "vote later");
        }
        vm.warp(house.proposalDeadline(id) + 1);
        house.queue(p.targets, p.values, p.calldatas, hash);
        _snap(name, "queue");
        vm.warp(house.proposalEta(id));
        house.execute(p.targets, p.values, p.calldatas, hash);
        _snap(name, "execute");
    }

    function _snap(string memory name, string memory step) private {
        vm.snapshotGasLastCall(GROUP, string.concat(name, ": ", step));
    }

    function _admissions(uint32 cap) private view returns (Proposal memory) {
        return _proposal(address(membership), abi.encodeCall(membership.setAdmissionsPerEpoch, (cap)), "Admit fewer");
    }

    function test_MemberHouse() external {
        _measure(memberGovernor, "member house", _admissions(500));
    }

    function test_TokenHouse() external {
        bytes memory data = abi.encodeCall(dataToken.setListed, (stranger, true));
        _measure(tokenGovernor, "token house", _proposal(address(dataToken), data, "Admit fewer"));
    }

    function test_StockGovernor() external {
        StockGovernor stock = StockGovernor(
            payable(_proxy(
                    address(new StockGovernor()),
                    abi.encodeCall(StockGovernor.initialize, (IVotes(address(membership)), memberTimelock))
                ))
        );
        bytes32 proposer = memberTimelock.PROPOSER_ROLE();
        vm.prank(address(memberTimelock));
        memberTimelock.grantRole(proposer, address(stock));
        bytes32 executor = memberTimelock.EXECUTOR_ROLE();
        vm.prank(address(memberTimelock));
        memberTimelock.grantRole(executor, address(stock));
        _measure(stock, "stock OZ governor", _admissions(500));
    }

    function test_Charter() external {
        CharterGate.Call[] memory calls = new CharterGate.Call[](1);
        calls[0] = CharterGate.Call(address(manager), 0, abi.encodeCall(manager.grantRole, (2, stranger, 0)));
        bytes32 operation = gate.operationOf(calls, 0);
        vm.prank(address(tokenTimelock));
        gate.approve(operation);
        vm.snapshotGasLastCall(GROUP, "charter: approve");
        vm.prank(address(memberTimelock));
        gate.approve(operation);
        gate.execute(calls, 0);
        vm.snapshotGasLastCall(GROUP, "charter: execute one call");
    }

    function test_Pause() external {
        address[] memory targets = new address[](1);
        targets[0] = address(membership);
        vm.prank(guardian);
        guard.pause(targets, 7 days);
        vm.snapshotGasLastCall(GROUP, "pause one contract");
    }

    function test_GovToken() external {
        vm.warp(block.timestamp + 1);
        vm.prank(address(ledger));
        govToken.mint(voters[4], 4e18);
        vm.snapshotGasLastCall("gov", "mint to a member, first");
        vm.warp(block.timestamp + 1);
        vm.prank(address(ledger));
        govToken.mint(voters[4], 4e18);
        vm.snapshotGasLastCall("gov", "mint to a member, later");
        vm.prank(voters[0]);
        govToken.transfer(voters[4], 1e18);
        vm.snapshotGasLastCall("gov", "transfer, same block as another change");
        vm.warp(block.timestamp + 1);
        vm.prank(voters[0]);
        govToken.transfer(voters[4], 1e18);
        vm.snapshotGasLastCall("gov", "transfer");
        vm.warp(block.timestamp + 1);
        vm.prank(voters[1]);
        govToken.lock(50e18, 4);
        vm.snapshotGasLastCall("gov", "lock, first");
        vm.warp(block.timestamp + 1);
        vm.prank(voters[1]);
        govToken.lock(50e18, 4);
        vm.snapshotGasLastCall("gov", "lock, later");
        vm.warp(block.timestamp + 1440 days);
        govToken.poke(voters[1]);
        vm.snapshotGasLastCall("gov", "poke, two locks expired");
        vm.warp(block.timestamp + 1);
        vm.prank(voters[2]);
        govToken.delegate(voters[0]);
        vm.snapshotGasLastCall("gov", "delegate");
    }
}
