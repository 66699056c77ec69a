// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {SettlementDisputes} from "../../../src/settlement/SettlementDisputes.sol";
import {SettlementState} from "../../../src/settlement/SettlementState.sol";
import {StewardBonds} from "../../../src/oracle/StewardBonds.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {Config} from "../../../src/factory/Config.sol";
import {BondedCoop} from "../../utils/BondedCoop.sol";

contract SettlementDisputesTest is BondedCoop {
    address internal steward;
    ISettlementLedger.Claim[] internal rows;

    /// @dev Two members with rows and the root of the first epoch pending.
    function setUp() public override {
        super.setUp();
        _joinMany(2);
        steward = vm.addr(stewardKeys[2]);
        for (uint32 id = 1; id < 3; ++id) {
            rows.push(ISettlementLedger.Claim(id, 0, 0, 0, 0, keccak256(abi.encode("private", id))));
        }
        vm.warp(_startOf(1, 0));
        _proposeRows(0);
    }

    function _proposeRows(uint32 attempt) internal {
        ISettlementLedger.Header memory h = _header();
        h.attempt = attempt;
        bytes32[] memory leaves = _leaves(rows);
        bytes32[] memory proof = _proof(rows, 1);
        bytes32 node = leaves[1];
        for (uint256 i; i < DEPTH; ++i) {
            node = i == 0 ? keccak256(abi.encode(proof[i], node)) : keccak256(abi.encode(node, proof[i]));
        }
        h.root = node;
        _propose(h);
    }

    function _finalAt() internal view returns (uint64 finalAt) {
        (,,, finalAt) = ledger.pending();
    }

    function _assertVoid() internal view {
        (uint32 epoch,,,) = ledger.pending();
        assertEq(epoch, 0, "nothing is pending");
        bytes32 root;
        (epoch, root) = ledger.finalEpoch();
        assertEq(epoch, 0, "the last final root is untouched");
    }

    function _object() internal {
        vm.prank(steward);
        ledger.object();
    }

    function _demand(uint32 id) internal {
        vm.prank(vm.addr(_memberKey(id)));
        ledger.demand(ISettlementLedger.Demand(id, 1, 0, 0), "");
    }

    // ---------------------------------------------------------------------------------------------- object

    function test_RevertWhen_NobodyMayObject() external {
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_NotSeated.selector, stranger));
        vm.prank(stranger);
        ledger.object();
        _object();
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_AlreadyObjected.selector));
        vm.prank(vm.addr(stewardKeys[0]));
        ledger.object();
    }

    function test_RevertWhen_NothingIsPendingToObjectTo() external {
        vm.warp(block.timestamp + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotPending.selector, 1, 0));
        _object();
    }

    function test_ObjectFreezesTheRoot() external {
        vm.expectEmit(address(ledger));
        emit SettlementDisputes.Objected(1, 0, steward);
        _object();
        vm.warp(block.timestamp + 13 days);
        (uint32 epoch, bytes32 root) = ledger.finalEpoch();
        assertEq(epoch, 0, "not final while frozen");
        assertTrue(root != 0);
        assertEq(_finalAt(), type(uint40).max);
        assertEq(_lockedOf(steward), OBJECTION_BOND);
    }

    // ------------------------------------------------------------------------------------- resolveObjection

    function test_RevertWhen_TheMemberHouseDoesNotDecide() external {
        _object();
        vm.prank(steward);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, steward));
        ledger.resolveObjection(1, 0, true);
    }

    function test_RevertWhen_ThereIsNoSuchObjection() external {
        vm.expectRevert(SettlementState.SettlementLedger_NotFrozen.selector);
        _asMemberHouse();
        ledger.resolveObjection(1, 0, true);
        _object();
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotPending.selector, 1, 1));
        _asMemberHouse();
        ledger.resolveObjection(1, 1, true);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotPending.selector, 2, 0));
        _asMemberHouse();
        ledger.resolveObjection(2, 0, true);
    }

    function test_WhenTheObjectionIsUpheld() external {
        _object();
        vm.expectEmit(address(ledger));
        emit SettlementDisputes.Voided(1, 0, "upheld");
        _asMemberHouse();
        ledger.resolveObjection(1, 0, true);
        _assertVoid();
        assertEq(committee.bondOf(steward), SEAT_BOND + OBJECTION_BOND, "the bond is back");
        assertEq(_escrowed(), 2, "seats 1 and 2 signed");
    }

    function testFuzz_WhenTheObjectionIsRejectedTheWindowGoesOn(uint256 objected, uint256 decided) external {
        uint256 start = block.timestamp;
        objected = start + bound(objected, 0, WINDOW - 1);
        decided = objected + bound(decided, 0, 28 days);
        vm.warp(objected);
        _object();
        vm.warp(decided);
        _asMemberHouse();
        ledger.resolveObjection(1, 0, false);
        uint256 left = start + WINDOW - objected;
        assertEq(_finalAt(), decided + (left < 1 hours ? 1 hours : left));
        assertEq(committee.bondOf(steward) + _lockedOf(steward), SEAT_BOND, "the objection's bond is lost");
        assertEq(_escrowed(), 0);
        vm.expectRevert(SettlementState.SettlementLedger_AlreadyObjected.selector);
        _object();
    }

    // -------------------------------------------------------------------------------------- lapseObjection

    function test_WhenNobodyDecides() external {
        vm.expectRevert(SettlementState.SettlementLedger_NotFrozen.selector);
        ledger.lapseObjection();
        _object();
        uint256 lapsesAt = block.timestamp + 14 days;
        vm.warp(lapsesAt - 1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotLapsed.selector, lapsesAt));
        ledger.lapseObjection();
        vm.warp(lapsesAt);
        vm.prank(stranger);
        ledger.lapseObjection();
        _assertVoid();
        assertEq(committee.bondOf(steward), SEAT_BOND + OBJECTION_BOND, "the bond is back");
        assertEq(_escrowed(), 0, "nobody is slashed for it");
    }

    /// @dev A vote takes days: by the time it is executed another root may be frozen, and it says nothing about that one.
    function test_RevertWhen_TheDecisionComesForAnotherRoot() external {
        _object();
        vm.warp(block.timestamp + 14 days);
        ledger.lapseObjection();
        _proposeRows(1);
        vm.expectRevert(SettlementState.SettlementLedger_NotFrozen.selector);
        _asMemberHouse();
        ledger.resolveObjection(1, 0, true);
        _object();
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotPending.selector, 1, 0));
            _asMemberHouse();
            ledger.resolveObjection(1, 0, i == 0);
        }
        _asMemberHouse();
        ledger.resolveObjection(1, 1, false);
        vm.warp(_finalAt());
        ISettlementLedger.Header memory h = _header();
        _propose(h);
        _object();
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotPending.selector, 1, 1));
        _asMemberHouse();
        ledger.resolveObjection(1, 1, true);
    }

    /// @dev Late, but before anybody called `lapseObjection`: the decision counts.
    function test_ALateDecisionOnTheFrozenRootCounts() external {
        _object();
        vm.warp(block.timestamp + 15 days);
        _asMemberHouse();
        ledger.resolveObjection(1, 0, true);
        _assertVoid();
        vm.expectRevert(SettlementState.SettlementLedger_NotFrozen.selector);
        ledger.lapseObjection();
    }

    // ---------------------------------------------------------------------------------------- voided roots

    function test_AVoidRootIsProposedAgainWithAHigherAttempt() external {
        _object();
        _asMemberHouse();
        ledger.resolveObjection(1, 0, true);
        ISettlementLedger.Header memory h = _header();
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 2);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadAttempt.selector, 0, 1));
        ledger.propose(h, signatures);
        h.attempt = 1;
        vm.warp(_startOf(1, 1));
        signatures = _stewardSignatures(_headerDigest(h), 2);
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_TooFewSignatures.selector);
        ledger.propose(h, signatures); // their bonds are in escrow
        _bondSigners();
        _propose(h);
        _object(); // a new root: it can be objected to again
        _asMemberHouse();
        ledger.resolveObjection(1, 1, false);
        vm.warp(_finalAt());
        (uint32 epoch, bytes32 root) = ledger.finalEpoch();
        assertEq(epoch, 1);
        assertEq(root, h.root);
        h = _header();
        vm.warp(_startOf(2, 0));
        _propose(h); // attempts of the next epoch start at 0 again
    }

    // ---------------------------------------------------------------------------------------------- demand

    function test_RevertWhen_TheDemandIsBad() external {
        ISettlementLedger.Demand memory d = ISettlementLedger.Demand(1, 1, 1, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotPending.selector, 1, 1));
        ledger.demand(d, "");
        d.attempt = 0;
        bytes memory signature = _sign(_memberKey(2), _demandDigest(d));
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadSignature.selector, 1));
        ledger.demand(d, signature);
        signature = _sign(_memberKey(1), _demandDigest(d));
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_Expired.selector, d.deadline));
        ledger.demand(d, signature);
        uint32 late = _join();
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NoRow.selector, late));
        _demand(late);
        _demand(1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_AlreadyDemanded.selector, 1));
        _demand(1);
        uint256 windowEnd = _startOf(1, 0) + WINDOW;
        vm.warp(windowEnd);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_WindowOver.selector, windowEnd));
        _demand(2);
    }

    function _demandDigest(ISettlementLedger.Demand memory d) internal view returns (bytes32) {
        bytes32 hash = keccak256("Demand(uint32 memberId,uint32 epoch,uint32 attempt,uint256 deadline)");
        return _typed("SettlementLedger", address(ledger), keccak256(abi.encode(hash, d)));
    }

    function test_ADemandMovesFinalityAndIsAnswered() external {
        ISettlementLedger.Demand memory d = ISettlementLedger.Demand(1, 1, 0, block.timestamp + 1 days);
        vm.warp(block.timestamp + 20 hours);
        uint256 answerBy = block.timestamp + 24 hours;
        bytes memory signature = _sign(_memberKey(1), _demandDigest(d));
        vm.expectEmit(address(ledger));
        emit SettlementDisputes.Demanded(1, 0, 1, uint64(answerBy));
        vm.prank(stranger);
        ledger.demand(d, signature);
        assertEq(_finalAt(), answerBy + 12 hours);
        bytes32[] memory proof = _proof(rows, 1);
        vm.warp(answerBy);
        vm.expectEmit(address(ledger));
        emit SettlementDisputes.RowPublished(1, 0, 1, rows[0], proof);
        vm.prank(stranger);
        ledger.answer(rows[0], proof);
        vm.warp(answerBy + 1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotDemanded.selector, 1));
        ledger.voidUnanswered(1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotDemanded.selector, 1));
        ledger.answer(rows[0], proof);
        vm.warp(answerBy + 12 hours);
        (uint32 epoch,) = ledger.finalEpoch();
        assertEq(epoch, 1);
    }

    function test_RevertWhen_TheAnswerIsBad() external {
        bytes32[] memory proof = _proof(rows, 1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotDemanded.selector, 1));
        ledger.answer(rows[0], proof);
        _demand(1);
        ISettlementLedger.Claim memory row = rows[0];
        row.cash += 1;
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, 1));
        ledger.answer(row, proof);
        uint256 answerBy = block.timestamp + 24 hours;
        vm.warp(answerBy + 1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_AnswerTooLate.selector, answerBy));
        ledger.answer(rows[0], proof);
    }

    function test_WhenADemandIsNotAnswered() external {
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NotDemanded.selector, 1));
        ledger.voidUnanswered(1);
        _demand(1);
        uint256 answerBy = block.timestamp + 24 hours;
        vm.warp(answerBy);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_AnswerStillDue.selector, answerBy));
        ledger.voidUnanswered(1);
        vm.warp(answerBy + 1);
        vm.expectEmit(address(ledger));
        emit SettlementDisputes.Voided(1, 0, "unanswered");
        vm.prank(stranger);
        ledger.voidUnanswered(1);
        _assertVoid();
        assertEq(_escrowed(), 0, "silence is not proof");
    }

    /// @dev A frozen root can be demanded from as well; who objected was right.
    function test_ADemandOfAFrozenRoot() external {
        _object();
        _demand(1);
        assertEq(_finalAt(), type(uint40).max);
        uint256 until = block.timestamp + 36 hours;
        uint256 snapshot = vm.snapshotState();
        vm.warp(until - 1);
        ledger.voidUnanswered(1);
        assertEq(committee.bondOf(steward), SEAT_BOND + OBJECTION_BOND, "the bond is back");
        vm.revertToState(snapshot);
        _asMemberHouse();
        ledger.resolveObjection(1, 0, false);
        assertEq(_finalAt(), until, "never before the demand is settled");
    }

    // ------------------------------------------------------------------------------------------------ pause

    function _pause(uint256 until) internal {
        _asPauser();
        ledger.setPausedUntil(uint64(until));
    }

    function test_APauseMakesTheWindowLonger() external {
        uint256 finalAt = _finalAt();
        uint256 start = block.timestamp;
        _pause(start + 3 days);
        assertEq(_finalAt(), finalAt + 3 days);
        _pause(start + 5 days);
        assertEq(_finalAt(), finalAt + 5 days, "only what is new");
        _pause(start);
        assertEq(_finalAt(), finalAt + 5 days, "ending early gives nothing back");
        vm.warp(finalAt + 5 days);
        _pause(block.timestamp + 1 days);
        (uint32 epoch,) = ledger.finalEpoch();
        assertEq(epoch, 1, "a final root stays final");
        assertEq(ledger.pausedUntil(), block.timestamp + 1 days);
    }

    function test_APauseOfAFrozenRoot() external {
        _demand(1);
        _object();
        _pause(block.timestamp + 2 days);
        assertEq(_finalAt(), type(uint40).max);
        vm.warp(_startOf(1, 0) + WINDOW + 2 days - 1);
        _demand(2); // the window for demands is longer too
        _asMemberHouse();
        ledger.resolveObjection(1, 0, false);
        assertEq(_finalAt(), block.timestamp + 36 hours + 2 days);
    }

    /// @dev Nothing that protects members is ever paused.
    function test_DisputesGoOnWhilePaused() external {
        _pause(block.timestamp + 7 days);
        _demand(1);
        ledger.answer(rows[0], _proof(rows, 1));
        _object();
        _asMemberHouse();
        ledger.resolveObjection(1, 0, true);
        _assertVoid();
    }
}

/// @notice A cooperative whose tree is full: ids 1 to 3 fit a depth of 2.
contract SettlementFullTreeTest is BondedCoop {
    function _config() internal override returns (Config memory c) {
        c = super._config();
        c.chain.depth = 2;
    }

    /// @dev No answer could be given, so the root of everybody else would be void for ever.
    function test_RevertWhen_TheMemberHasNoPlaceInTheTree() external {
        _joinMany(4);
        vm.warp(_startOf(1, 0));
        _propose(_header());
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NoRow.selector, 4));
        vm.prank(vm.addr(_memberKey(4)));
        ledger.demand(ISettlementLedger.Demand(4, 1, 0, 0), "");
        vm.prank(vm.addr(_memberKey(3)));
        ledger.demand(ISettlementLedger.Demand(3, 1, 0, 0), "");
    }
}
