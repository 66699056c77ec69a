// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ContestVerifier} from "../../../src/settlement/ContestVerifier.sol";
import {IContestVerifier} from "../../../src/settlement/IContestVerifier.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {Disputes} from "../../../src/settlement/Disputes.sol";
import {SettlementLedger} from "../../../src/settlement/SettlementLedger.sol";
import {SettlementState} from "../../../src/settlement/SettlementState.sol";
import {LedgerScenario} from "../../utils/LedgerScenario.sol";
import {LedgerTreeBuilder} from "../../utils/LedgerTreeBuilder.sol";

contract SettlementContestTest is LedgerScenario {
    using LedgerTreeBuilder for bytes32[];

    function _assertPending() internal view {
        (uint32 epoch, uint32 attempt,,) = ledger.pending();
        assertEq(epoch, 3);
        assertEq(attempt, header.attempt);
        assertEq(_escrowed(), 0, "no bond in escrow");
    }

    function _assertVoid() internal view {
        (uint32 epoch,,,) = ledger.pending();
        assertEq(epoch, 0, "nothing is pending");
        bytes32 root;
        (epoch, root) = ledger.finalEpoch();
        assertEq(epoch, 2);
        assertEq(root, header.previousRoot, "the last final root stands");
        assertEq(_escrowed(), 2, "both signers' bonds");
    }

    function _expectRight(uint32 id) internal {
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_RowIsRight.selector, id));
    }

    /// @dev Proposes the tree with whatever was changed in it.
    function _proposeFalse() internal {
        _plant();
        _proposeNext();
    }

    function _expectVoidedBy(uint32 id) internal {
        IContestVerifier.Opening memory o = _openingOf(id);
        vm.expectEmit(address(ledger));
        emit SettlementLedger.Voided(3, header.attempt, "contested");
        _contest(id, o);
        _assertVoid();
    }

    // ------------------------------------------------------------------------------------------ honest roots

    function test_AnHonestRootSurvivesEveryContest() external {
        _proposeNext();
        for (uint32 id = 1; id <= NEW; ++id) {
            IContestVerifier.Opening memory o = _openingOf(id);
            Disputes.Contest memory c = _contestStruct(id);
            bytes memory signature = _sign(memberKeys[id], _contestDigest(c));
            _expectRight(id);
            disputes.contest(c, signature, o);
        }
        _assertPending();
        vm.warp(block.timestamp + WINDOW);
        (uint32 epoch, bytes32 root) = ledger.finalEpoch();
        assertEq(epoch, 3);
        assertEq(root, header.root);
    }

    /// @dev A first row that is called closed: its key is checked all the same, or anybody's first contest would void any root.
    function test_RevertWhen_AFirstRowIsCalledClosed() external {
        _proposeNext();
        IContestVerifier.Opening memory o = _openingOf(NEW);
        assertTrue(o.first);
        o.closed = true;
        Disputes.Contest memory c = _contestStruct(NEW);
        bytes memory signature = _sign(memberKeys[NEW], _contestDigest(c));
        _expectRight(NEW);
        disputes.contest(c, signature, o);
        o.rowKey = keccak256("any other key");
        vm.expectPartialRevert(ContestVerifier.ContestVerifier_BadRowKey.selector);
        disputes.contest(c, signature, o);
        _assertPending();
    }

    /// @dev The scenario has what it says: amounts of every kind, streams, streaks, a closed row.
    function test_TheScenarioIsNotEmpty() external view {
        assertGt(next[USUAL].leaf.cash, 0);
        assertGt(next[USUAL].leaf.stream, 0);
        assertGt(next[USUAL].leaf.data, 0);
        assertGt(next[USUAL].leaf.gov, 0);
        assertEq(next[USUAL].row.streak, 3);
        assertEq(next[NEW].row.streak, 1);
        assertGt(next[CONTRACT].row.dataVesting, 0);
        assertEq(next[FORMER].row.dataLocked, 0, "taken away");
        assertTrue(before[CLOSED].closed);
        assertTrue(!before[ERASED].closed && next[ERASED].closed);
        assertEq(membership.activeAccountOf(FORMER), address(0));
        assertEq(membership.activeAccountOf(CLOSED), address(0));
        assertGt(membership.accountOf(CONTRACT).code.length, 0);
    }

    // ----------------------------------------------------------------------------------------- falsified rows

    function test_EachAmountFalsifiedIsVoided() external {
        for (uint32 id = 1; id <= NEW; ++id) {
            for (uint256 field = 1; field < 5; ++field) {
                uint256 snapshot = vm.snapshotState();
                ISettlementLedger.Claim memory leaf = next[id].leaf;
                assembly {
                    let word := add(leaf, shl(5, field))
                    mstore(word, xor(mload(word), 1))
                }
                next[id].leaf = leaf;
                _proposeFalse();
                _expectVoidedBy(id);
                vm.revertToState(snapshot);
            }
        }
    }

    /// @dev dataLocked, dataVesting, govLocked, govVesting, usageWeight, streak and all the others that no leaf shows.
    function test_EachPrivateFieldFalsifiedIsVoided() external {
        uint32[3] memory ids = [USUAL, FORMER, CONTRACT];
        for (uint256 i; i < ids.length; ++i) {
            for (uint256 field; field < 12; ++field) {
                uint256 snapshot = vm.snapshotState();
                _falsifyPrivate(ids[i], field);
                _proposeFalse();
                _expectVoidedBy(ids[i]);
                vm.revertToState(snapshot);
            }
        }
    }

    function _falsifyPrivate(uint32 id, uint256 field) internal {
        bytes memory words = abi.encode(next[id].row, bytes32(0));
        bytes32 salt = _salt(id);
        assembly {
            let word := add(add(words, 32), shl(5, field))
            mstore(word, xor(mload(word), 1))
            mstore(add(words, 416), salt) // the thirteenth word
        }
        next[id].leaf.privateHash = keccak256(words);
    }

    function test_AnotherSaltIsVoided() external {
        next[OTHER].leaf.privateHash = _privateHash(next[OTHER].row, OTHER, 2);
        _proposeFalse();
        _expectVoidedBy(OTHER);
    }

    function test_AnErasedRowWithAPrivatePartIsVoided() external {
        for (uint32 id = CLOSED; id <= ERASED; ++id) {
            uint256 snapshot = vm.snapshotState();
            next[id].leaf.privateHash = _privateHash(next[id].row, id, 3);
            _proposeFalse();
            _expectVoidedBy(id);
            vm.revertToState(snapshot);
        }
    }

    function test_ThePrivatePartOfAFirstRowFalsifiedIsVoided() external {
        next[NEW].leaf.privateHash = keccak256("whatever");
        _proposeFalse();
        _expectVoidedBy(NEW);
    }

    /// @dev Point 12: a key that reached the stewards late, or never, costs no honest steward its bond.
    function test_ALateRowKeyMakesNoHonestRootLose() external {
        next[USUAL].leaf.privateHash = keccak256(abi.encode(next[USUAL].row, _saltOf(0, 3)));
        _proposeFalse(); // honest, but for the salt
        IContestVerifier.Opening memory o = _openingOf(USUAL);
        Disputes.Contest memory c = _contestStruct(USUAL);
        vm.prank(membership.accountOf(USUAL));
        _expectRight(USUAL);
        disputes.contest(c, "", o);
        _assertPending();
    }

    /// @dev And a quorum that pretends to have no key cannot take the contest away by it.
    function test_AFalseRowSaltedByZerosIsVoided() external {
        next[USUAL].row.dataLocked -= 1;
        next[USUAL].leaf.privateHash = keccak256(abi.encode(next[USUAL].row, _saltOf(0, 3)));
        _proposeFalse();
        _expectVoidedBy(USUAL);
    }

    function test_EachSumFalsifiedIsVoided() external {
        header.payout *= 2;
        _proposeNext();
        _expectVoidedBy(USUAL);
        header.attempt = 1;
        (header.payout, header.sumUsage) = (header.payout / 2, header.sumUsage + 1_000);
        vm.warp(_startOf(3, 1));
        _bondSigners();
        _proposeNext();
        IContestVerifier.Opening memory o = _openingOf(OTHER);
        vm.prank(membership.accountOf(OTHER));
        disputes.contest(_contestStruct(OTHER), "", o);
        (uint32 epoch,,,) = ledger.pending();
        assertEq(epoch, 0);
    }

    /// @dev A header with a word that fits no field could not be opened by anybody: it is not taken.
    function test_RevertWhen_AWordOfTheHeaderFitsNoField() external {
        uint8[9] memory narrow = [0, 1, 7, 8, 14, 15, 16, 17, 18];
        bytes32 hash = keccak256(
            "Header(uint32 epoch,uint32 attempt,bytes32 previousRoot,bytes32 root,bytes32 paramsHash,bytes32 inputsRoot,bytes32 sheetDigest,uint32 sharers,uint128 payout,uint256 sumUsage,uint256 sumData,uint256 sumEarly,uint256 sumDataAward,uint256 sumGovAward,uint128 cashAllocated,uint128 dataAwarded,uint128 dataEarned,uint128 govAwarded,uint128 govEarned)"
        );
        for (uint256 i; i < narrow.length; ++i) {
            bytes memory words = abi.encode(header);
            uint256 index = narrow[i];
            uint256 word = 1 << (i < 3 ? 32 : 128);
            assembly {
                let at := add(add(words, 32), shl(5, index))
                word := or(mload(at), word)
                mstore(at, word)
            }
            bytes32 digest = _typed("SettlementLedger", address(ledger), keccak256(bytes.concat(hash, words)));
            bytes memory data = abi.encodeCall(ledger.propose, (header, _stewardSignatures(digest, 2)));
            _setWord(data, index, word);
            (bool ok,) = address(ledger).call(data);
            assertFalse(ok, "a wide word was taken");
        }
        _proposeNext(); // as it was, it is
    }

    function _setWord(bytes memory data, uint256 index, uint256 word) internal pure {
        assembly {
            mstore(add(add(data, 36), shl(5, index)), word)
        }
    }

    // ----------------------------------------------------------------------------------------- false openings

    /// @dev The root is false, and the member could void it; with an opening that is not the committed one it cannot.
    function _refused(IContestVerifier.Opening memory o, bytes4 selector) internal {
        Disputes.Contest memory c = _contestStruct(USUAL);
        vm.prank(membership.accountOf(USUAL));
        vm.expectPartialRevert(selector);
        disputes.contest(c, "", o);
        _assertPending();
    }

    function _proposeFalseRow() internal returns (IContestVerifier.Opening memory o) {
        next[USUAL].leaf.data -= 1e18;
        _proposeFalse();
        return _openingOf(USUAL);
    }

    function test_RevertWhen_TheOldRowIsFalse() external {
        bytes4 selector = ContestVerifier.ContestVerifier_BadOldRow.selector;
        IContestVerifier.Opening memory o = _proposeFalseRow();
        o.oldRow.dataVesting += 1;
        _refused(o, selector);
        o = _openingOf(USUAL);
        o.shown.cash += 1e6;
        _refused(o, selector);
        o = _openingOf(USUAL);
        o.rowKey = _rowKey(OTHER);
        _refused(o, ContestVerifier.ContestVerifier_BadRowKey.selector);
        o = _openingOf(USUAL);
        o.oldProof = _openingOf(OTHER).oldProof;
        _refused(o, selector);
        o = _openingOf(USUAL);
        o.first = true;
        _refused(o, selector);
        o = _openingOf(USUAL);
        o.closed = true;
        _refused(o, selector);
        _expectVoidedBy(USUAL); // all along it could
    }

    function test_RevertWhen_TheInputsAreFalse() external {
        bytes4 selector = ContestVerifier.ContestVerifier_BadInputs.selector;
        IContestVerifier.Opening memory o = _proposeFalseRow();
        o.inputs.contributions[0].q += 1;
        _refused(o, selector);
        o = _openingOf(USUAL);
        o.inputs.programPoints += 1;
        _refused(o, selector);
        o = _openingOf(USUAL);
        o.blinder = _blinder(OTHER);
        _refused(o, selector);
        o = _openingOf(USUAL);
        o.inputs.active = false;
        _refused(o, selector);
    }

    function test_RevertWhen_ParamsOrHeaderAreFalse() external {
        IContestVerifier.Opening memory o = _proposeFalseRow();
        o.params.dataPerPoint += 1;
        _refused(o, ContestVerifier.ContestVerifier_BadParams.selector);
        o.header.paramsHash = keccak256(abi.encode(o.params));
        _refused(o, Disputes.Disputes_BadHeader.selector);
        o = _openingOf(USUAL);
        o.header.payout += 1;
        _refused(o, Disputes.Disputes_BadHeader.selector);
    }

    function test_RevertWhen_TheNewLeafIsFalse() external {
        bytes4 selector = ContestVerifier.ContestVerifier_BadNewLeaf.selector;
        IContestVerifier.Opening memory o = _proposeFalseRow();
        o.newLeaf.data += 1;
        _refused(o, selector);
        o = _openingOf(USUAL);
        (o.newLeaf, o.newProof) = (_openingOf(OTHER).newLeaf, _openingOf(OTHER).newProof);
        _refused(o, selector);
    }

    function test_RevertWhen_APathHasAnotherLength() external {
        IContestVerifier.Opening memory o = _proposeFalseRow();
        o.newProof = new bytes32[](DEPTH - 1);
        _refused(o, ContestVerifier.ContestVerifier_BadNewLeaf.selector);
        o = _openingOf(USUAL);
        o.oldProof = new bytes32[](DEPTH + 1);
        _refused(o, ContestVerifier.ContestVerifier_BadOldRow.selector);
        o = _openingOf(USUAL);
        o.inputsProof = new bytes32[](0);
        _refused(o, ContestVerifier.ContestVerifier_BadInputs.selector);
    }

    /// @dev Stewards sign trees of three levels; the old path would have to be as short, which no final tree allows.
    function test_RevertWhen_TheTreesHaveAnotherDepth() external {
        IContestVerifier.Opening memory o = _openingOf(NEW);
        ISettlementLedger.Claim[] memory claims = new ISettlementLedger.Claim[](1);
        claims[0] = o.newLeaf;
        header.root = _leaves(claims).root(3);
        bytes32[] memory leaves = new bytes32[](8);
        leaves[NEW] = _inputsLeaves()[NEW];
        header.inputsRoot = leaves.root(3);
        _proposeNext();
        (o.header, o.newProof, o.inputsProof) = (header, _leaves(claims).proof(NEW, 3), leaves.proof(NEW, 3));
        Disputes.Contest memory c = _contestStruct(NEW);
        address account = membership.accountOf(NEW);
        vm.expectPartialRevert(ContestVerifier.ContestVerifier_BadInputs.selector);
        vm.prank(account);
        disputes.contest(c, "", o);
        // Nor by trees that the opening makes up as a whole.
        (o.oldProof, o.header.previousRoot) = (new bytes32[](8).proof(NEW, 3), new bytes32[](8).root(3));
        vm.expectPartialRevert(Disputes.Disputes_BadHeader.selector);
        vm.prank(account);
        disputes.contest(c, "", o);
        _assertPending();
    }

    /// @dev Where even the last final root has another depth, nothing can be contested any more, but a demand voids: no
    /// answer of that depth is taken.
    function test_WhenAlsoTheLastFinalRootHasAnotherDepth() external {
        header.root = new bytes32[](8).root(3);
        _proposeNext();
        vm.warp(_startOf(4, 0));
        IContestVerifier.Opening memory o = _openingOf(NEW);
        ISettlementLedger.Claim[] memory claims = new ISettlementLedger.Claim[](1);
        claims[0] = o.newLeaf;
        bytes32[] memory leaves = new bytes32[](8);
        leaves[NEW] = _inputsLeaves()[NEW];
        header = _header();
        (header.root, header.inputsRoot) = (_leaves(claims).root(3), leaves.root(3));
        _proposeNext();
        (o.header, o.newProof, o.inputsProof) = (header, _leaves(claims).proof(NEW, 3), leaves.proof(NEW, 3));
        o.oldProof = new bytes32[](8).proof(NEW, 3);
        Disputes.Contest memory c = _contestStruct(NEW);
        vm.startPrank(membership.accountOf(NEW));
        vm.expectRevert(abi.encodeWithSelector(ContestVerifier.ContestVerifier_BadOldRow.selector, NEW));
        disputes.contest(c, "", o);
        disputes.demand(Disputes.Demand(NEW, 4, 0, Disputes.Kind.Row, 0), "");
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_BadProof.selector, NEW));
        disputes.answerRow(o.newLeaf, o.newProof);
        vm.warp(block.timestamp + 24 hours + 1);
        disputes.voidUnanswered(NEW, Disputes.Kind.Row);
    }

    // ------------------------------------------------------------------------------------------- who may, when

    function test_AMemberWithAContractAccountContests() external {
        next[CONTRACT].leaf.gov += 1e18;
        _proposeFalse();
        IContestVerifier.Opening memory o = _openingOf(CONTRACT);
        Disputes.Contest memory c = _contestStruct(CONTRACT);
        bytes memory signature = _sign(memberKeys[USUAL], _contestDigest(c));
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_BadSignature.selector, CONTRACT));
        disputes.contest(c, signature, o);
        signature = _sign(CONTRACT_KEY, _contestDigest(c));
        vm.warp(_finalAt() - 1);
        vm.prank(stranger);
        disputes.contest(c, signature, o);
        _assertVoid();
    }

    function _finalAt() internal view returns (uint64 finalAt) {
        (,,, finalAt) = ledger.pending();
    }

    function test_RevertWhen_TheContestIsNotThatMembersOrLate() external {
        IContestVerifier.Opening memory o = _proposeFalseRow();
        Disputes.Contest memory c = _contestStruct(USUAL);
        bytes memory signature = _sign(memberKeys[OTHER], _contestDigest(c));
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_BadSignature.selector, USUAL));
        disputes.contest(c, signature, o);
        c.deadline = block.timestamp;
        signature = _sign(memberKeys[USUAL], _contestDigest(c));
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_Expired.selector, c.deadline));
        disputes.contest(c, signature, o);
        vm.warp(_finalAt());
        vm.prank(membership.accountOf(USUAL));
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 0, 0));
        disputes.contest(c, "", o);
    }

    /// @dev What voided one proposal says nothing about the next.
    function test_RevertWhen_ReplayedAfterTheVoid() external {
        ISettlementLedger.Claim memory honest = next[USUAL].leaf;
        IContestVerifier.Opening memory o = _proposeFalseRow();
        Disputes.Contest memory c = _contestStruct(USUAL);
        bytes memory signature = _sign(memberKeys[USUAL], _contestDigest(c));
        disputes.contest(c, signature, o);
        _assertVoid();
        vm.expectPartialRevert(Disputes.Disputes_NotPending.selector);
        disputes.contest(c, signature, o);
        bytes[] memory signatures = _stewardSignatures(_headerDigest(header), 2);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadAttempt.selector, 0, 1));
        ledger.propose(header, signatures);
        // The last final root pays meanwhile.
        ledger.claimMany(_ranges(_finalClaims()));
        (next[USUAL].leaf, header.attempt) = (honest, 1);
        vm.warp(_startOf(3, 1));
        _bondSigners();
        _proposeFalse(); // the honest tree, this time
        vm.expectRevert(abi.encodeWithSelector(Disputes.Disputes_NotPending.selector, 3, 0));
        disputes.contest(c, signature, o);
        vm.warp(_finalAt());
        (uint32 epoch, bytes32 root) = ledger.finalEpoch();
        assertEq(epoch, 3);
        assertEq(root, header.root);
    }

    function test_AFrozenRootIsContested() external {
        IContestVerifier.Opening memory o = _proposeFalseRow();
        address steward = vm.addr(stewardKeys[2]);
        vm.prank(steward);
        disputes.object(3, header.attempt);
        vm.warp(block.timestamp + 10 days);
        _contest(USUAL, o);
        _assertVoid();
        assertEq(committee.bondOf(steward), SEAT_BOND + OBJECTION_BOND, "the objector has its bond back");
    }

    function test_AContestIsNeverPaused() external {
        IContestVerifier.Opening memory o = _proposeFalseRow();
        uint256 finalAt = _finalAt();
        _asPauser();
        ledger.setPausedUntil(uint64(block.timestamp + 7 days));
        vm.warp(finalAt + 7 days - 1);
        _contest(USUAL, o);
        _assertVoid();
    }
}
