// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {StewardCommittee} from "../../src/oracle/StewardCommittee.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {StewardsTest} from "../utils/StewardsTest.sol";

/// @notice What stewards pay, and what it costs to hold them to their word (profile `gas`).
contract StewardGasTest is StewardsTest {
    function _snap(string memory name) private {
        vm.snapshotGasLastCall("stewards", name);
    }

    function test_Bond() external {
        address one = _steward(1);
        usdc.mint(one, 2 * MIN_BOND);
        vm.startPrank(one);
        usdc.approve(address(committee), type(uint256).max);
        committee.bondFor(one, MIN_BOND);
        _snap("bond, first of all");
        committee.bondFor(one, MIN_BOND);
        _snap("bond, later");
        committee.requestUnbond(MIN_BOND);
        _snap("request to unbond");
        vm.warp(block.timestamp + 28 days);
        committee.withdrawBond(one);
        _snap("withdraw");
    }

    function test_Quorum() external {
        _bondAll(MIN_BOND);
        bytes[] memory signatures = _stewardSignatures(DIGEST, 3);
        committee.verifyQuorum(DIGEST, signatures);
        _snap("verifyQuorum, 3 signatures, called alone");
        committee.attested(DIGEST, abi.encode(signatures));
        _snap("attested, 3 signatures, called alone");
    }

    function test_Slash() external {
        _bondAll(MIN_BOND);
        (ISettlementLedger.Header memory a, ISettlementLedger.Header memory b) = _twoHeaders();
        bytes memory first = _sign(stewardKeys[0], _headerDigest(a));
        bytes memory second = _sign(stewardKeys[0], _headerDigest(b));
        committee.reportEquivocation(a, first, b, second);
        _snap("report equivocation");
        vm.prank(memberHouse);
        committee.confirmSlash(1);
        _snap("confirm a slash");
        vm.prank(memberHouse);
        committee.openSlash(_steward(2), MIN_BOND, REASON);
        _snap("open a slash");
        vm.prank(memberHouse);
        committee.rejectSlash(2);
        _snap("reject a slash");
    }

    function test_Objection() external {
        _bondAll(MIN_BOND + OBJECTION);
        vm.startPrank(address(disputes));
        committee.lockObjection(_steward(1));
        _snap("lock an objection, called alone");
        committee.settleObjection(_steward(1), true);
        _snap("settle an objection, won, called alone");
        committee.escrowSigners(_signersOf(1, 7), REASON);
        _snap("escrow 3 signers, called alone");
    }

    function test_Seat() external {
        StewardCommittee.Seat[] memory seats = _seats("successor");
        vm.prank(memberHouse);
        committee.seat(seats, 2);
        _snap("seat 3");
    }
}
