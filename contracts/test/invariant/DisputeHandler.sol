// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccessManagerUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagerUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {PauseGuard} from "../../src/governance/PauseGuard.sol";
import {Disputes} from "../../src/settlement/Disputes.sol";
import {IContestVerifier} from "../../src/settlement/IContestVerifier.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {SettlementState} from "../../src/settlement/SettlementState.sol";
import {DataToken} from "../../src/tokens/DataToken.sol";
import {Treasury} from "../../src/treasury/Treasury.sol";
import {CoopHandler} from "./CoopHandler.sol";

/// @notice Adds those who fight over a root: lying and absent stewards, objectors, members who demand and contest, the
/// guardian, the houses. Members whose row was falsified contest before they sleep; all else comes as it comes.
contract DisputeHandler is CoopHandler {
    /// @dev Whose row was falsified in the pending root; 0 if nobody's.
    uint32 internal victim;
    mapping(uint32 memberId => mapping(Disputes.Kind => uint256 answerBy)) private demanded;
    /// @dev The rows of the last voided tree.
    ISettlementLedger.Claim[] private voidedRows;

    uint256 public voided;
    uint256 public forfeited;
    uint256 public meddled;

    // -------------------------------------------------------------------------------------------- stewards

    /// @dev A quorum shifts a row to somebody, or falsifies what no leaf shows.
    function lie(uint256 seed) external timed {
        if (!_prepare(seed)) return;
        victim = uint32(1 + seed % (memberKeys.length - 1));
        uint256 what = seed % 5;
        ISettlementLedger.Claim storage leaf = next[victim].leaf;
        if (what == 0) leaf.cash += 1e6;
        else if (what == 1) leaf.stream += 1e6;
        else if (what == 2) leaf.data += 1e18;
        else if (what == 3) leaf.gov += 1e18;
        else if (before[victim].known) leaf.privateHash = keccak256("another row");
        else leaf.data += 2e18;
        _plant();
        _send();
    }

    function wait_(uint256 secs) external override timed {
        if (victim != 0) _contestAs(victim);
        vm.warp(block.timestamp + bound(secs, 1, 3 days));
    }

    function object() external timed {
        address steward = vm.addr(stewardKeys[2]);
        uint32 epoch = _pendingEpoch();
        if (committee.bondOf(steward) < SEAT_BOND + OBJECTION_BOND) _bond(steward, SEAT_BOND + OBJECTION_BOND);
        vm.prank(steward);
        try disputes.object(header.epoch, header.attempt) {
            assertTrue(epoch != 0 && !proposedFrozen, "objected to a root once");
            proposedFrozen = true;
        } catch {
            assertTrue(epoch == 0 || proposedFrozen, "an objection was refused");
        }
    }

    bool internal proposedFrozen;

    // ------------------------------------------------------------------------------------------ member house

    function decide(bool upheld) external timed {
        if (!_isFrozen()) return;
        _asMemberHouse();
        disputes.resolveObjection(header.epoch, header.attempt, vm.addr(stewardKeys[2]), upheld);
        if (upheld) _noteVoid();
        else forfeited += OBJECTION_BOND;
    }

    function lapse(uint256 pick) external timed {
        if (!_isFrozen()) return;
        if (pick % 4 == 0) vm.warp(block.timestamp + 14 days);
        try disputes.lapseObjection() {
            _noteVoid();
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), Disputes.Disputes_NotLapsed.selector);
        }
    }

    // ----------------------------------------------------------------------------------------------- members

    function demand(uint256 pick) external timed {
        if (_pendingEpoch() == 0) return;
        uint32 id = uint32(1 + pick % (memberKeys.length - 1));
        Disputes.Kind kind = _kind(pick);
        vm.prank(vm.addr(memberKeys[id]));
        try disputes.demand(Disputes.Demand(id, header.epoch, header.attempt, kind, 0), "") {
            demanded[id][kind] = block.timestamp + 24 hours;
        } catch (bytes memory reason) {
            bytes4 why = bytes4(reason);
            bool known = why == Disputes.Disputes_NoRow.selector || why == Disputes.Disputes_AlreadyDemanded.selector
                || why == Disputes.Disputes_WindowOver.selector;
            assertTrue(known, "a demand was refused");
        }
    }

    /// @dev Whoever has the trees answers; what stands in them always can be.
    function answer(uint256 pick) external timed {
        uint32 id = uint32(1 + pick % memberKeys.length);
        Disputes.Kind kind = _kind(pick);
        if (_pendingEpoch() == 0 || demanded[id][kind] == 0 || block.timestamp > demanded[id][kind]) return;
        IContestVerifier.Opening memory o = _openingOf(id);
        if (kind == Disputes.Kind.Row) disputes.answerRow(o.newLeaf, o.newProof);
        else disputes.answerInputs(header, id, o.inputs, o.blinder, o.inputsProof);
        demanded[id][kind] = 0;
    }

    /// @dev Stewards were absent.
    function voidUnanswered(uint256 pick) external timed {
        uint32 id = uint32(1 + pick % memberKeys.length);
        Disputes.Kind kind = _kind(pick);
        if (_pendingEpoch() == 0 || demanded[id][kind] == 0 || block.timestamp <= demanded[id][kind]) return;
        disputes.voidUnanswered(id, kind);
        _noteVoid();
    }

    /// @dev Anybody contests: with success where its own row is false, and nowhere else.
    function contest(uint256 pick) external timed {
        if (_pendingEpoch() == 0) return;
        uint32 id = uint32(1 + pick % (memberKeys.length - 1));
        if (next[id].known) _contestAs(id);
    }

    /// @dev A void root never pays: its rows prove nothing, unless the same row stands in the final tree.
    function claimVoided(uint256 pick) external timed {
        if (voidedRows.length == 0) return;
        ISettlementLedger.Claim[] memory rows = voidedRows;
        ISettlementLedger.Claim memory c = rows[pick % rows.length];
        if (_leafHash(before[c.memberId].leaf) == _leafHash(c)) return;
        bytes32[] memory proof = _proof(rows, c.memberId);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, c.memberId));
        ledger.claim(c, proof);
    }

    // ---------------------------------------------------------------------------------------------- guardian

    /// @dev The guardian stops everything that it can, for as long as it can.
    function pause(uint256 secs) external timed {
        address[] memory targets = new address[](4);
        (targets[0], targets[1]) = (address(membership), address(consents));
        (targets[2], targets[3]) = (address(contributions), address(ledger));
        vm.prank(guardian);
        try guard.pause(targets, uint32(bound(secs, 1 hours, 7 days))) {}
        catch (bytes memory reason) {
            assertEq(bytes4(reason), PauseGuard.PauseGuard_Cooldown.selector);
        }
    }

    /// @dev The guardian, a house alone and a steward try money and administration.
    function meddle(uint256 pick, uint256 who) external timed {
        address[4] memory callers = [guardian, tokenHouse, memberHouse, vm.addr(stewardKeys[0])];
        address caller = callers[who % 4];
        (address target, bytes memory data) = _temptation(pick, caller);
        vm.prank(caller);
        (bool ok,) = target.call(data);
        assertFalse(ok, "money or administration touched");
        ++meddled;
    }

    function _temptation(uint256 pick, address caller) private view returns (address, bytes memory) {
        pick %= 8;
        if (pick == 0) return (address(treasury), abi.encodeCall(Treasury.pay, (caller, 1)));
        if (pick == 1) return (address(dataToken), abi.encodeCall(DataToken.mint, (caller, 1)));
        if (pick == 2) return (address(govToken), abi.encodeCall(DataToken.mint, (caller, 1)));
        if (pick == 3) return (address(manager), abi.encodeCall(AccessManagerUpgradeable.grantRole, (0, caller, 0)));
        if (pick == 4) return (address(treasury), _upgrade());
        if (pick == 5) return (address(ledger), _upgrade());
        if (pick == 6) return (address(committee), abi.encodeCall(committee.escrowSigners, (7, "mine")));
        return (address(usdc), abi.encodeCall(usdc.transferFrom, (address(treasury), caller, 1)));
    }

    function _upgrade() private view returns (bytes memory) {
        return abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (address(manager), ""));
    }

    // ---------------------------------------------------------------------------------------- what is known

    /// @dev Nobody but the gate administrates, whatever was tried.
    function administrators() external view returns (bool gateIs, bool anybodyElseIs) {
        (gateIs,) = manager.hasRole(0, charter);
        address[6] memory others =
            [guardian, tokenHouse, memberHouse, pauser, vm.addr(stewardKeys[0]), address(factory)];
        for (uint256 i; i < others.length; ++i) {
            (bool is_,) = manager.hasRole(0, others[i]);
            anybodyElseIs = anybodyElseIs || is_;
        }
    }

    // --------------------------------------------------------------------------------------------- internal

    function _kind(uint256 pick) private pure returns (Disputes.Kind) {
        return Disputes.Kind(pick >> 32 & 1);
    }

    function _isFrozen() private view returns (bool) {
        (uint32 epoch,,, uint64 finalAt) = ledger.pending();
        return epoch != 0 && finalAt == type(uint40).max;
    }

    function _contestAs(uint32 id) private {
        IContestVerifier.Opening memory o = _openingOf(id);
        Disputes.Contest memory c = Disputes.Contest(id, header.epoch, header.attempt, 0);
        vm.prank(vm.addr(memberKeys[id]));
        try disputes.contest(c, "", o) {
            assertEq(id, victim, "an honest row was voided");
            _noteVoid();
        } catch (bytes memory reason) {
            assertTrue(id != victim, "a false row survived");
            assertEq(reason, abi.encodeWithSelector(Disputes.Disputes_RowIsRight.selector, id));
        }
    }

    function _noteVoid() private {
        assertEq(_pendingEpoch(), 0, "voided");
        delete voidedRows;
        for (uint32 id = 1; id < memberKeys.length; ++id) {
            if (next[id].known) voidedRows.push(next[id].leaf);
        }
        (proposed, attempts) = (false, attempts + 1);
        ++voided;
        _forget();
    }

    /// @dev Nothing of a round is left for the next.
    function _forget() internal override {
        for (uint32 id = 1; id < memberKeys.length; ++id) {
            delete demanded[id][Disputes.Kind.Row];
            delete demanded[id][Disputes.Kind.Inputs];
            delete next[id];
        }
        (victim, proposedFrozen) = (0, false);
    }

    function _leafHash(ISettlementLedger.Claim memory c) private pure returns (bytes32) {
        return keccak256(abi.encode(c));
    }
}
