// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {StewardBonds} from "../../src/oracle/StewardBonds.sol";
import {StewardCommittee} from "../../src/oracle/StewardCommittee.sol";
import {TestUSDC} from "../../src/testing/TestUSDC.sol";
import {StewardHandler} from "./StewardHandler.sol";

/// @notice The numbered invariants S of docs/invariants.md, after any sequence of the handler's actions.
contract StewardInvariants is Test {
    StewardHandler internal handler;
    StewardCommittee internal committee;
    TestUSDC internal usdc;
    address internal reserve;
    address[] internal actors;

    function setUp() external {
        handler = new StewardHandler();
        handler.setUp();
        (address c, address u, address r) = handler.contracts();
        (committee, usdc, reserve) = (StewardCommittee(c), TestUSDC(u), r);
        actors = handler.actors();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = handler.bond.selector;
        selectors[1] = handler.requestUnbond.selector;
        selectors[2] = handler.withdraw.selector;
        selectors[3] = handler.equivocate.selector;
        selectors[4] = handler.lockObjection.selector;
        selectors[5] = handler.settleObjection.selector;
        selectors[6] = handler.escrowSigners.selector;
        selectors[7] = handler.seat.selector;
        selectors[8] = handler.setBonds.selector;
        selectors[9] = handler.openSlash.selector;
        selectors[10] = handler.decide.selector;
        selectors[11] = handler.wait_.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// @dev S5: every bond comes back to its steward or was forfeited, whatever the house omits.
    function afterInvariant() external {
        handler.finish();
        assertEq(usdc.balanceOf(address(committee)), 0);
    }

    function _inEscrow(address steward) private view returns (uint256 sum) {
        for (uint256 id = 1; id <= committee.slashCount(); ++id) {
            StewardBonds.Slash memory slash = committee.slashOf(id);
            if (slash.steward == steward) sum += slash.amount;
        }
    }

    /// @dev Per steward, so that no money moves from one to another.
    function invariant_S1_EachStewardsMoneyIsConserved() external view {
        for (uint256 i; i < actors.length; ++i) {
            address a = actors[i];
            StewardBonds.Stake memory s = committee.stakeOf(a);
            uint256 kept = uint256(s.bond) + s.locked + s.unbonding + _inEscrow(a);
            assertEq(handler.paidFor(a), kept + handler.withdrawnBy(a) + handler.forfeited(a));
        }
    }

    function invariant_S2_UsdcHeldIsBondsUnbondingLockedAndEscrow() external view {
        uint256 kept;
        uint256 forfeited;
        for (uint256 i; i < actors.length; ++i) {
            StewardBonds.Stake memory s = committee.stakeOf(actors[i]);
            kept += uint256(s.bond) + s.locked + s.unbonding + _inEscrow(actors[i]);
            forfeited += handler.forfeited(actors[i]);
        }
        assertEq(usdc.balanceOf(address(committee)), kept);
        assertEq(usdc.balanceOf(reserve), forfeited);
        assertEq(handler.paidIn(), kept + forfeited + handler.withdrawn());
        assertEq(usdc.allowance(address(committee), reserve), 0);
    }

    /// @dev A quorum check counts exactly the stewards that are active, and names them.
    function invariant_S3_AQuorumIsOfActiveStewards() external {
        StewardCommittee.Seat[] memory seats = committee.seats();
        bytes32 digest = keccak256("invariant");
        bytes[] memory signatures = handler.quorumSignatures(digest);
        uint256 active;
        for (uint256 i; i < seats.length; ++i) {
            StewardBonds.Stake memory s = committee.stakeOf(seats[i].signer);
            bool isActive = uint256(s.bond) + s.locked >= committee.seatBond();
            assertEq(committee.isActiveSteward(seats[i].signer), isActive);
            if (isActive) ++active;
        }
        try committee.verifyQuorum(digest, signatures) returns (uint256 signers) {
            address[] memory counted = committee.signersOf(signers);
            assertEq(counted.length, active);
            for (uint256 i; i < counted.length; ++i) {
                assertTrue(committee.isActiveSteward(counted[i]));
            }
        } catch {
            assertLt(active, committee.quorum());
        }
    }
}
