// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {Disputes} from "../../../src/settlement/Disputes.sol";
import {RewardFormula} from "../../../src/settlement/RewardFormula.sol";
import {SettlementLedger} from "../../../src/settlement/SettlementLedger.sol";
import {SettlementState} from "../../../src/settlement/SettlementState.sol";
import {StewardBonds} from "../../../src/oracle/StewardBonds.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {Config} from "../../../src/factory/Config.sol";
import {BondedCoop} from "../../utils/BondedCoop.sol";
import {LedgerTreeBuilder} from "../../utils/LedgerTreeBuilder.sol";

contract DisputesTest is BondedCoop {
    using LedgerTreeBuilder for bytes32[];

    address internal steward;
    ISettlementLedger.Claim[] internal rows;
    ISettlementLedger.Header internal header;

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
        (h.root, h.inputsRoot) = (_leaves(rows).root(DEPTH), _inputsLeaves().root(DEPTH));
        header = h;
        _propose(h);
    }

    function _inputsOf(uint32 id) internal pure returns (RewardFormula.Inputs memory i) {
        (i.active, i.records, i.used, i.programPoints) = (true, 3, 1, 500 + id);
        i.contributions = new RewardFormula.Score[](id);
        i.contributions[0] = RewardFormula.Score(8_000, 10_000, 7_000, 12_500);
    }

    function _blinder(uint32 id) internal pure returns (bytes32) {
        return keccak256(abi.encode("blinder", id));
    }

    function _inputsLeaves() internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](3);
        for (uint32 id = 1; id < 3; ++id) {
            RewardFormula.Inputs memory i = _inputsOf(id);
            bytes memory words = abi.encode(
                uint256(id),
                i.contributions,
                i.programPoints,
                i.records,
                i.used,
                i.useWeight,
                i.active,
                i.erased,
                _blinder(id)
            );
            leaves[id] = keccak256(words);
        }
    }

    function _answerInputs(uint32 id) internal {
        disputes.answerInputs(header, id, _inputsOf(id), _blinder(id), _inputsLeaves().proof(id, DEPTH));
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
        (uint32 epoch, uint32 attempt,,) = ledger.pending();
        vm.prank(steward);
        disputes.object(epoch, attempt);
    }

    function _demand(uint32 id) internal {
        _demand(id, Disputes.Kind.Row);
    }

    function _demand(uint32 id, Disputes.Kind kind) internal {
        vm.prank(vm.addr(_memberKey(id)));
        disputes.demand(Disputes.Demand(id, 1, 0, kind, 0), "");
    }

    // ------------------------------------------------------------------------------------------ initialize

    function test_RevertWhen_AnAddressIsMissing() external {
        address code = address(new Disputes());
        string[5] memory names = ["authority", "ledger", "membership", "committee", "contestVerifier"];
        for (uint256 i; i < 5; ++i) {
            address[5] memory at =
                [address(manager), address(ledger), address(membership), address(committee), address(contestVerifier)];
            at[i] = address(0);
            Disputes.Deployment memory d = Disputes.Deployment(at[0], at[1], at[2], at[3], at[4]);
            vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, names[i]));
            new ERC1967Proxy(code, abi.encodeCall(Disputes.initialize, (d)));
        }
    }

    function test_RevertWhen_InitializedAgain() external {
        Disputes.Deployment memory d;
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        disputes.initialize(d);
        Disputes code = new Disputes();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        code.initialize(d);
    }

    // ---------------------------------------------------------------------------------------------- object

    function test_RevertWhen_NobodyMayObject() external {
        vm.expectRevert(abi.encodeWithSelector(StewardBonds.StewardBonds_NotSeated.selector, stranger));
        vm.prank(stranger);
        disputes.object(1, 0);
        _object();
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_Frozen.selector, steward));
        vm.prank(vm.addr(stewardKeys[0]));
        disputes.object(1, 0);
    }

    function test_RevertWhen_TheObjectionIsToAnotherRoot() external {
        vm.startPrank(steward);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 1, 1));
        disputes.object(1, 1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 2, 0));
        disputes.object(2, 0);
    }

    function test_RevertWhen_NothingIsPendingToObjectTo() external {
        vm.warp(block.timestamp + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 0, 0));
        vm.prank(steward);
        disputes.object(1, 0);
    }

    function test_ObjectFreezesTheRoot() external {
        vm.expectEmit(address(disputes));
        emit Disputes.Objected(1, 0, steward);
        _object();
        vm.warp(block.timestamp + 13 days);
        (uint32 epoch, bytes32 root) = ledger.finalEpoch();
        assertEq(epoch, 0, "not final while frozen");
        assertTrue(root != 0);
        assertEq(_finalAt(), type(uint40).max);
        assertEq(_lockedOf(steward), OBJECTION_BOND);
        (address objector, uint40 frozenAt, uint40 demandedUntil) = disputes.disputeOf(1, 0);
        assertEq(objector, steward);
        assertEq(frozenAt, _startOf(1, 0));
        assertEq(demandedUntil, 0);
        assertTrue(disputes.hasObjected(1, 0, steward));
        assertFalse(disputes.hasObjected(1, 0, vm.addr(stewardKeys[0])));
    }

    // ------------------------------------------------------------------------------------- resolveObjection

    function test_RevertWhen_TheMemberHouseDoesNotDecide() external {
        _object();
        vm.prank(steward);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, steward));
        disputes.resolveObjection(1, 0, steward, true);
    }

    function test_RevertWhen_ThereIsNoSuchObjection() external {
        vm.expectRevert(Disputes.Disputes_NotFrozen.selector);
        _asMemberHouse();
        disputes.resolveObjection(1, 0, steward, true);
        _object();
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 1, 1));
        _asMemberHouse();
        disputes.resolveObjection(1, 1, steward, true);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 2, 0));
        _asMemberHouse();
        disputes.resolveObjection(2, 0, steward, true);
    }

    function test_WhenTheObjectionIsUpheld() external {
        _object();
        vm.expectEmit(address(ledger));
        emit SettlementLedger.Voided(1, 0, "upheld");
        _asMemberHouse();
        disputes.resolveObjection(1, 0, steward, true);
        _assertVoid();
        assertEq(committee.bondOf(steward), SEAT_BOND + OBJECTION_BOND, "the bond is back");
        assertEq(_escrowed(), 2, "seats 1 and 2 signed");
    }

    /// @dev Point 16: a rejection leaves the full window, in which members demand and other stewards object.
    function testFuzz_WhenTheObjectionIsRejectedTheFullWindowIsLeft(uint256 objected, uint256 decided) external {
        uint256 start = block.timestamp;
        objected = start + bound(objected, 0, WINDOW - 1);
        decided = objected + bound(decided, 0, 28 days);
        vm.warp(objected);
        _object();
        vm.warp(decided);
        _asMemberHouse();
        disputes.resolveObjection(1, 0, steward, false);
        assertEq(_finalAt(), decided + WINDOW);
        assertEq(committee.bondOf(steward) + _lockedOf(steward), SEAT_BOND, "the objection's bond is lost");
        assertEq(_escrowed(), 0);
        vm.warp(decided + WINDOW - 1);
        _demand(1);
        assertEq(_finalAt(), decided + WINDOW - 1 + 48 hours);
    }

    /// @dev Point 16: an accomplice of those who signed burns its own objection, nobody else's.
    function test_EachStewardObjectsOnceToARoot() external {
        _bond(vm.addr(stewardKeys[0]), OBJECTION_BOND);
        for (uint256 i; i < 3; ++i) {
            address one = vm.addr(stewardKeys[i]);
            vm.prank(one);
            disputes.object(1, 0);
            _asMemberHouse();
            disputes.resolveObjection(1, 0, one, i == 2);
            if (i == 2) break;
            vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_AlreadyObjected.selector, one));
            vm.prank(one);
            disputes.object(1, 0);
        }
        for (uint256 i; i < 2; ++i) {
            assertTrue(disputes.hasObjected(1, 0, vm.addr(stewardKeys[i])));
        }
        _assertVoid();
        assertEq(committee.bondOf(steward), SEAT_BOND + OBJECTION_BOND, "the bond of who was right is back");
        assertEq(_escrowed(), 2, "the signers' bonds");
    }

    /// @dev A second vote about an accomplice's objection must not reject an honest steward's, which came after it.
    function test_RevertWhen_TheDecisionIsAboutAnotherStewardsObjection() external {
        address accomplice = vm.addr(stewardKeys[0]);
        vm.prank(accomplice);
        disputes.object(1, 0);
        _asMemberHouse();
        disputes.resolveObjection(1, 0, accomplice, false);
        vm.expectRevert(Disputes.Disputes_NotFrozen.selector);
        _asMemberHouse();
        disputes.resolveObjection(1, 0, address(0), true);
        _object();
        vm.expectRevert(Disputes.Disputes_NotFrozen.selector);
        _asMemberHouse();
        disputes.resolveObjection(1, 0, accomplice, false);
        _asMemberHouse();
        disputes.resolveObjection(1, 0, steward, true);
        _assertVoid();
    }

    // -------------------------------------------------------------------------------------- lapseObjection

    function test_WhenNobodyDecides() external {
        vm.expectRevert(Disputes.Disputes_NotFrozen.selector);
        disputes.lapseObjection();
        _object();
        uint256 lapsesAt = block.timestamp + 14 days;
        vm.warp(lapsesAt - 1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotLapsed.selector, lapsesAt));
        disputes.lapseObjection();
        vm.warp(lapsesAt);
        vm.prank(stranger);
        disputes.lapseObjection();
        _assertVoid();
        assertEq(committee.bondOf(steward), SEAT_BOND + OBJECTION_BOND, "the bond is back");
        assertEq(_escrowed(), 0, "nobody is slashed for it");
    }

    /// @dev A vote takes days: by the time it is executed another root may be frozen, and it says nothing about that one.
    function test_RevertWhen_TheDecisionComesForAnotherRoot() external {
        _object();
        vm.warp(block.timestamp + 14 days);
        disputes.lapseObjection();
        _proposeRows(1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 1, 0));
        _asMemberHouse();
        disputes.resolveObjection(1, 0, steward, true);
        _object();
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 1, 0));
            _asMemberHouse();
            disputes.resolveObjection(1, 0, steward, i == 0);
        }
        _asMemberHouse();
        disputes.resolveObjection(1, 1, steward, false);
        vm.warp(_finalAt());
        ISettlementLedger.Header memory h = _header();
        _propose(h);
        _object();
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 1, 1));
        _asMemberHouse();
        disputes.resolveObjection(1, 1, steward, true);
    }

    /// @dev Late, but before anybody called `lapseObjection`: the decision counts.
    function test_ALateDecisionOnTheFrozenRootCounts() external {
        _object();
        vm.warp(block.timestamp + 15 days);
        _asMemberHouse();
        disputes.resolveObjection(1, 0, steward, true);
        _assertVoid();
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 0, 0));
        disputes.lapseObjection();
    }

    // ---------------------------------------------------------------------------------------- voided roots

    function test_AVoidRootIsProposedAgainWithAHigherAttempt() external {
        _object();
        _asMemberHouse();
        disputes.resolveObjection(1, 0, steward, true);
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
        disputes.resolveObjection(1, 1, steward, false);
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
        Disputes.Demand memory d = Disputes.Demand(1, 1, 1, Disputes.Kind.Row, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 1, 1));
        disputes.demand(d, "");
        d.attempt = 0;
        bytes memory signature = _sign(_memberKey(2), _demandDigest(d));
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_BadSignature.selector, 1));
        disputes.demand(d, signature);
        signature = _sign(_memberKey(1), _demandDigest(d));
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_Expired.selector, d.deadline));
        disputes.demand(d, signature);
        uint32 late = _join();
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NoRow.selector, late));
        _demand(late);
        _demand(1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_AlreadyDemanded.selector, 1, Disputes.Kind.Row));
        _demand(1);
        uint256 windowEnd = _startOf(1, 0) + WINDOW;
        vm.warp(windowEnd);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_WindowOver.selector, windowEnd));
        _demand(2);
    }

    function _demandDigest(Disputes.Demand memory d) internal view returns (bytes32) {
        bytes32 hash = keccak256("Demand(uint32 memberId,uint32 epoch,uint32 attempt,uint8 kind,uint256 deadline)");
        return _typed("Disputes", address(disputes), keccak256(abi.encode(hash, d)));
    }

    function test_ADemandMovesFinalityAndIsAnswered() external {
        Disputes.Demand memory d = Disputes.Demand(1, 1, 0, Disputes.Kind.Row, block.timestamp + 1 days);
        vm.warp(block.timestamp + 20 hours);
        uint256 answerBy = block.timestamp + 24 hours;
        bytes memory signature = _sign(_memberKey(1), _demandDigest(d));
        vm.expectEmit(address(disputes));
        emit Disputes.Demanded(1, 0, 1, Disputes.Kind.Row, uint64(answerBy));
        vm.prank(stranger);
        disputes.demand(d, signature);
        assertEq(_finalAt(), answerBy + 24 hours);
        bytes32[] memory proof = _proof(rows, 1);
        vm.warp(answerBy);
        vm.expectEmit(address(disputes));
        emit Disputes.RowPublished(1, 0, 1, rows[0], proof);
        vm.prank(stranger);
        disputes.answerRow(rows[0], proof);
        vm.warp(answerBy + 1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotDemanded.selector, 1, Disputes.Kind.Row));
        disputes.voidUnanswered(1, Disputes.Kind.Row);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotDemanded.selector, 1, Disputes.Kind.Row));
        disputes.answerRow(rows[0], proof);
        vm.warp(answerBy + 24 hours);
        (uint32 epoch,) = ledger.finalEpoch();
        assertEq(epoch, 1);
    }

    function test_RevertWhen_TheAnswerIsBad() external {
        bytes32[] memory proof = _proof(rows, 1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotDemanded.selector, 1, Disputes.Kind.Row));
        disputes.answerRow(rows[0], proof);
        _demand(1);
        ISettlementLedger.Claim memory row = rows[0];
        row.cash += 1;
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_BadProof.selector, 1));
        disputes.answerRow(row, proof);
        uint256 answerBy = block.timestamp + 24 hours;
        vm.warp(answerBy + 1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_AnswerTooLate.selector, answerBy));
        disputes.answerRow(rows[0], proof);
    }

    // -------------------------------------------------------------------------------------- demand of inputs

    /// @dev Point 14: what a lying quorum keeps back is published, or the root is void.
    function test_InputsAreDemandedAndAnswered() external {
        _demand(2, Disputes.Kind.Inputs);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_AlreadyDemanded.selector, 2, Disputes.Kind.Inputs));
        _demand(2, Disputes.Kind.Inputs);
        vm.expectEmit(address(disputes));
        emit Disputes.InputsPublished(1, 0, 2, _inputsOf(2), _blinder(2), _inputsLeaves().proof(2, DEPTH));
        vm.prank(stranger);
        _answerInputs(2);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotDemanded.selector, 2, Disputes.Kind.Inputs));
        _answerInputs(2);
        vm.warp(block.timestamp + 24 hours + 1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotDemanded.selector, 2, Disputes.Kind.Inputs));
        disputes.voidUnanswered(2, Disputes.Kind.Inputs);
    }

    /// @dev Each kind has an answer of its own.
    function test_BothKindsAreDemandedSideBySide() external {
        _demand(1, Disputes.Kind.Row);
        _demand(1, Disputes.Kind.Inputs);
        disputes.answerRow(rows[0], _proof(rows, 1));
        vm.warp(block.timestamp + 24 hours + 1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotDemanded.selector, 1, Disputes.Kind.Row));
        disputes.voidUnanswered(1, Disputes.Kind.Row);
        disputes.voidUnanswered(1, Disputes.Kind.Inputs);
        _assertVoid();
    }

    function test_RevertWhen_TheInputsAreNotTheCommittedOnes() external {
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotDemanded.selector, 1, Disputes.Kind.Inputs));
        _answerInputs(1);
        _demand(1, Disputes.Kind.Inputs);
        bytes32[] memory proof = _inputsLeaves().proof(1, DEPTH);
        RewardFormula.Inputs memory i = _inputsOf(1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_BadProof.selector, 1));
        disputes.answerInputs(header, 1, i, _blinder(2), proof);
        i.contributions[0].q -= 1;
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_BadProof.selector, 1));
        disputes.answerInputs(header, 1, i, _blinder(1), proof);
        ISettlementLedger.Header memory h = header;
        h.inputsRoot = keccak256("another tree");
        vm.expectPartialRevert(Disputes.Disputes_BadHeader.selector);
        disputes.answerInputs(h, 1, _inputsOf(1), _blinder(1), proof);
        uint256 answerBy = block.timestamp + 24 hours;
        vm.warp(answerBy + 1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_AnswerTooLate.selector, answerBy));
        _answerInputs(1);
    }

    function test_WhenADemandIsNotAnswered() external {
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotDemanded.selector, 1, Disputes.Kind.Row));
        disputes.voidUnanswered(1, Disputes.Kind.Row);
        _demand(1);
        uint256 answerBy = block.timestamp + 24 hours;
        vm.warp(answerBy);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_AnswerStillDue.selector, answerBy));
        disputes.voidUnanswered(1, Disputes.Kind.Row);
        vm.warp(answerBy + 1);
        vm.expectEmit(address(ledger));
        emit SettlementLedger.Voided(1, 0, "unanswered");
        vm.prank(stranger);
        disputes.voidUnanswered(1, Disputes.Kind.Row);
        _assertVoid();
        assertEq(_escrowed(), 0, "silence is not proof");
    }

    /// @dev A frozen root can be demanded from as well; who objected was right.
    function test_ADemandOfAFrozenRoot() external {
        _object();
        _demand(1);
        assertEq(_finalAt(), type(uint40).max);
        uint256 until = block.timestamp + 48 hours;
        uint256 snapshot = vm.snapshotState();
        vm.warp(until - 1);
        disputes.voidUnanswered(1, Disputes.Kind.Row);
        assertEq(committee.bondOf(steward), SEAT_BOND + OBJECTION_BOND, "the bond is back");
        vm.revertToState(snapshot);
        _asMemberHouse();
        disputes.resolveObjection(1, 0, steward, false);
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
        disputes.resolveObjection(1, 0, steward, false);
        assertEq(_finalAt(), block.timestamp + 48 hours, "never before the demand is settled");
    }

    /// @dev Nothing that protects members is ever paused.
    function test_DisputesGoOnWhilePaused() external {
        _pause(block.timestamp + 7 days);
        _demand(1);
        disputes.answerRow(rows[0], _proof(rows, 1));
        _object();
        _asMemberHouse();
        disputes.resolveObjection(1, 0, steward, true);
        _assertVoid();
    }
}

/// @notice A cooperative whose tree is full: ids 1 to 3 fit a depth of 2.
contract FullTreeTest is BondedCoop {
    function _config() internal override returns (Config memory c) {
        c = super._config();
        c.chain.depth = 2;
    }

    /// @dev No answer could be given, so the root of everybody else would be void for ever.
    function test_RevertWhen_TheMemberHasNoPlaceInTheTree() external {
        _joinMany(4);
        vm.warp(_startOf(1, 0));
        _propose(_header());
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NoRow.selector, 4));
        vm.prank(vm.addr(_memberKey(4)));
        disputes.demand(Disputes.Demand(4, 1, 0, Disputes.Kind.Row, 0), "");
        vm.prank(vm.addr(_memberKey(3)));
        disputes.demand(Disputes.Demand(3, 1, 0, Disputes.Kind.Row, 0), "");
    }

    /// @dev L9: an account sends nothing of more than 128 KiB through the nodes that pass transactions on. A thousand
    /// contributions of one member that enter at once are as many days of its cooldown.
    function test_WhenAThousandContributionsEnterAtOnceTheirAnswerFits() external pure {
        ISettlementLedger.Header memory h;
        RewardFormula.Inputs memory inputs;
        inputs.contributions = new RewardFormula.Score[](1_000);
        bytes memory answer = abi.encodeCall(Disputes.answerInputs, (h, 1, inputs, bytes32(0), new bytes32[](31)));
        assertLt(answer.length, 128 * 1024 - 1024, "with room for the rest of a transaction");
    }
}
