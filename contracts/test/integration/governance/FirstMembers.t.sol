// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Config} from "../../../src/factory/Config.sol";
import {CharterGate} from "../../../src/governance/CharterGate.sol";
import {CoopGovernor} from "../../../src/governance/CoopGovernor.sol";
import {ITreasury} from "../../../src/treasury/ITreasury.sol";
import {Buyback} from "../../../src/treasury/Buyback.sol";
import {OperatorPay} from "../../../src/treasury/OperatorPay.sol";
import {GovernanceProposals} from "../../utils/GovernanceProposals.sol";

/// @notice Point 19: the first three members joined on day 1, are seasoned on day 31 and try by day 39 to take the
/// treasury and the code through both houses, while the cooperative grows or does not. The terms are those of the samples:
/// 100 seasoned members and 90 days.
contract FirstMembersTest is GovernanceProposals {
    bytes32 private constant WORDS = keccak256("take it");
    uint256 private constant LOOT = 150e6;

    function setUp() public override {
        super.setUp();
        _sell(1_000e6);
        for (uint256 i; i < 3; ++i) {
            voters.push(membership.accountOf(_join()));
            vm.prank(address(ledger));
            govToken.mint(voters[i], 100e18);
        }
    }

    function _config() internal override returns (Config memory c) {
        c = super._config();
        c.governance.constitution = CharterGate.Terms({minMembers: 100, minAge: 90 days});
        // Three reach the quorum as long as nobody else joins; the samples ask for ten.
        c.governance.memberHouse.quorumBps = 300;
    }

    /// @dev Nobody has the Treasury's role before the cooperative is constituted.
    function _empower() internal override {}

    /// @dev Everybody joins with GOV that was earned, on the day it is.
    function _grow(uint256 n) private {
        for (uint256 i; i < n; ++i) {
            address account = membership.accountOf(_join());
            vm.prank(address(ledger));
            govToken.mint(account, 100e18);
        }
    }

    function _toDay(uint256 day) private {
        vm.warp(GENESIS + day * 1 days);
        for (uint256 i; i < 3; ++i) {
            govToken.sync(voters[i]);
        }
    }

    function _grab() private view returns (Proposal memory) {
        bytes memory data = abi.encodeCall(treasury.spend, (ITreasury.Bucket.Operations, voters[0], LOOT, "ours"));
        return _proposal(address(treasury), data, "We earned it");
    }

    function _upgrade() private returns (CharterGate.Call[] memory calls) {
        calls = new CharterGate.Call[](1);
        address code = makeAddr("malicious code");
        calls[0] = CharterGate.Call(address(treasury), 0, abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (code, "")));
    }

    function _approval(CharterGate.Call[] memory calls) private view returns (Proposal memory) {
        bytes memory data = abi.encodeCall(CharterGate.approve, (gate.operationOf(calls, WORDS)));
        return _proposal(address(gate), data, "We agree");
    }

    function _seat() private view returns (Proposal memory) {
        return _proposal(address(membership), abi.encodeCall(membership.setRegistrar, (voters[0])), "Ours to admit");
    }

    function _expectDefeated(CoopGovernor house, Proposal memory p) private {
        _assertState(house, _voteThrough(house, p), IGovernor.ProposalState.Defeated);
    }

    /// @dev It passes and is queued, and what it calls refuses.
    function _expectRefused(CoopGovernor house, Proposal memory p, bytes memory error_) private returns (uint256 id) {
        id = _voteThrough(house, p);
        _assertState(house, id, IGovernor.ProposalState.Succeeded);
        _queue(house, p);
        vm.warp(house.proposalEta(id));
        vm.expectRevert(error_);
        _execute(house, p);
    }

    function test_WhenTheFirstThreeVoteWhileManyJoin() external {
        for (uint256 day = 2; day < 31; ++day) {
            vm.warp(GENESIS + day * 1 days);
            _grow(4);
        }
        _toDay(31);
        assertEq(membership.seasonedCount(), 3, "nobody else has a vote");
        _expectDefeated(memberGovernor, _seat());
    }

    /// @dev A token house whose three seasoned members hold all units that vote, and a fortieth of all.
    function test_WhenTheFirstThreeVoteWithUnitsWhileManyJoin() external {
        vm.warp(GENESIS + 20 days);
        _grow(800);
        _toDay(31);
        assertEq(govToken.getVotes(voters[0]), 10e18);
        bytes memory data = abi.encodeCall(dataToken.setTransfersRestricted, (true));
        _expectDefeated(tokenGovernor, _proposal(address(dataToken), data, "Ours alone"));
    }

    /// @dev Point 19, as it was run: by day 39 every proposal has passed its house.
    function test_RevertWhen_TheySpendInASmallCooperative() external {
        _grow(5);
        _toDay(31);
        bytes memory no =
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(tokenTimelock));
        uint256 snapshot = vm.snapshotState();
        _expectRefused(tokenGovernor, _grab(), no);
        assertLt(block.timestamp, GENESIS + 40 days);
        vm.revertToState(snapshot);
        bytes memory data = abi.encodeCall(treasury.spendToken, (address(dataToken), voters[0], 0));
        _expectRefused(tokenGovernor, _proposal(address(treasury), data, "DATA too"), no);
        vm.revertToState(snapshot);
        address operatorPay = factory.partsOf(coopId).operatorPay;
        data = abi.encodeCall(OperatorPay.setRates, (OperatorPay.Rates(type(uint96).max, type(uint96).max)));
        _expectRefused(tokenGovernor, _proposal(operatorPay, data, "Good pay"), no);
        vm.revertToState(snapshot);
        address buyback = factory.partsOf(coopId).buyback;
        data = abi.encodeCall(Buyback.setTerms, (Buyback.Terms(1e6, 1, 1, 1)));
        _expectRefused(tokenGovernor, _proposal(buyback, data, "Buy ours"), no);
        assertEq(usdc.balanceOf(voters[0]), 0);
    }

    function test_RevertWhen_TheyApproveAnUpgradeInASmallCooperative() external {
        _toDay(31);
        CharterGate.Call[] memory calls = _upgrade();
        bytes memory asleep = abi.encodeWithSelector(CharterGate.CharterGate_Asleep.selector);
        _expectRefused(tokenGovernor, _approval(calls), asleep);
        _expectRefused(memberGovernor, _approval(calls), asleep);
        bytes32 operation = gate.operationOf(calls, WORDS);
        vm.expectRevert(
            abi.encodeWithSelector(CharterGate.CharterGate_NotApproved.selector, operation, address(tokenTimelock))
        );
        gate.execute(calls, WORDS);
    }

    function _expectNotProposed(CoopGovernor house, address target, bytes memory data) private {
        Proposal memory p = _proposal(target, data, "The house is ours");
        vm.expectRevert(abi.encodeWithSelector(CoopGovernor.CoopGovernor_NotConstituted.selector, target));
        vm.prank(voters[0]);
        house.propose(p.targets, p.values, p.calldatas, p.description);
    }

    /// @dev A role in the timelock, its delay, the house's settings, an operation relayed past the vote: each would
    /// outlast the day on which the house gets its power.
    function test_RevertWhen_TheyProposeToOwnTheHouse() external {
        _toDay(31);
        vm.warp(block.timestamp + 1);
        bytes32 proposer = tokenTimelock.PROPOSER_ROLE();
        bytes memory grant = abi.encodeCall(tokenTimelock.grantRole, (proposer, voters[0]));
        _expectNotProposed(tokenGovernor, address(tokenTimelock), grant);
        _expectNotProposed(tokenGovernor, address(tokenTimelock), abi.encodeCall(tokenTimelock.updateDelay, (0)));
        bytes memory settings = abi.encodeCall(CoopGovernor.setSettings, (_tokenSettings()));
        _expectNotProposed(tokenGovernor, address(tokenGovernor), settings);
        bytes memory relayed = abi.encodeCall(tokenGovernor.relay, (address(tokenTimelock), 0, grant));
        _expectNotProposed(tokenGovernor, address(tokenGovernor), relayed);
    }

    /// @dev What three decided waits in the timelock for the hundredth member. Neither governor nor timelock does it then.
    function test_RevertWhen_TheyWaitForTheHundredthMember() external {
        CharterGate.Call[] memory calls = _upgrade();
        _toDay(31);
        bytes memory no =
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(tokenTimelock));
        uint256 grab = _expectRefused(tokenGovernor, _grab(), no);
        Proposal memory p = _approval(calls);
        uint256 agreed = _voteThrough(memberGovernor, p);
        _queue(memberGovernor, p);
        Proposal memory late = _seat();
        uint256 notQueued = _voteThrough(memberGovernor, late);
        vm.warp(GENESIS + 60 days);
        _grow(97);
        vm.warp(GENESIS + 91 days);
        gate.constitute();
        _assertState(tokenGovernor, grab, IGovernor.ProposalState.Expired);
        _assertState(memberGovernor, agreed, IGovernor.ProposalState.Expired);
        _assertState(memberGovernor, notQueued, IGovernor.ProposalState.Expired);
        bytes memory expired = abi.encodeWithSelector(
            IGovernor.GovernorUnexpectedProposalState.selector,
            agreed,
            IGovernor.ProposalState.Expired,
            bytes32(1 << uint8(IGovernor.ProposalState.Queued))
        );
        vm.expectRevert(expired);
        _execute(memberGovernor, p);
        expired = abi.encodeWithSelector(
            IGovernor.GovernorUnexpectedProposalState.selector,
            notQueued,
            IGovernor.ProposalState.Expired,
            bytes32(1 << uint8(IGovernor.ProposalState.Succeeded))
        );
        vm.expectRevert(expired);
        _queue(memberGovernor, late);
        assertEq(usdc.balanceOf(voters[0]), 0);
    }

    function test_WhenTheCooperativeIsConstituted() external {
        _toDay(60);
        _grow(101);
        vm.warp(GENESIS + 91 days);
        vm.prank(stranger);
        gate.constitute();
        for (uint32 id = 4; id <= 15; ++id) {
            voters.push(membership.accountOf(id));
            govToken.sync(voters[id - 1]);
        }
        Proposal memory p = _grab();
        _expectDefeated(memberGovernor, _seat());
        uint256 id_ = _propose(tokenGovernor, p);
        _startVoting(tokenGovernor, id_);
        for (uint256 i; i < 12; ++i) {
            _vote(tokenGovernor, id_, i, FOR);
        }
        vm.warp(tokenGovernor.proposalDeadline(id_) + 1);
        _queue(tokenGovernor, p);
        vm.warp(tokenGovernor.proposalEta(id_));
        _execute(tokenGovernor, p);
        assertEq(usdc.balanceOf(voters[0]), LOOT);
    }
}
