// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Disputes} from "../../../src/settlement/Disputes.sol";
import {IContestVerifier} from "../../../src/settlement/IContestVerifier.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {RewardFormula} from "../../../src/settlement/RewardFormula.sol";
import {LedgerScenario} from "../../utils/LedgerScenario.sol";

/// @notice Point 14: a quorum that lies puts garbage into one field of what a contest needs. In each case the root is
/// refused, contested, or void because a demand cannot be answered; docs/adr/0005 has the same table.
contract DisputeFieldsTest is LedgerScenario {
    enum Fate {
        Refused, // by `propose`
        Contested, // by the member, and the signers' bonds go into escrow
        RowKeptBack, // the demanded row cannot be published: void
        InputsKeptBack, // the demanded inputs cannot be published: void
        LeftToObjection // no row and no contest depends on it
    }

    /// @dev In the order of `ISettlementLedger.Header`.
    function _fateOf(uint256 field) private pure returns (Fate) {
        Fate[19] memory fates = [
            Fate.Refused, // epoch
            Fate.Refused, // attempt
            Fate.Refused, // previousRoot
            Fate.RowKeptBack, // root
            Fate.Refused, // paramsHash
            Fate.InputsKeptBack, // inputsRoot
            Fate.LeftToObjection, // sheetDigest: what stewards sealed to each other
            Fate.Contested, // sharers
            Fate.Contested, // payout
            Fate.Contested, // sumUsage
            Fate.Contested, // sumData
            Fate.Contested, // sumEarly
            Fate.Contested, // sumDataAward
            Fate.Contested, // sumGovAward
            Fate.Refused, // cashAllocated
            Fate.Refused, // dataAwarded
            Fate.Refused, // dataEarned
            Fate.Refused, // govAwarded
            Fate.Refused // govEarned
        ];
        return fates[field];
    }

    function test_GarbageInEachFieldOfTheHeader() external {
        for (uint256 field; field < 19; ++field) {
            uint256 snapshot = vm.snapshotState();
            assertTrue(_meets(field) == _fateOf(field), string.concat("field ", vm.toString(field)));
            vm.revertToState(snapshot);
        }
    }

    /// @dev What becomes of a root whose header has garbage of the field's width in one field, and honest trees.
    function _meets(uint256 field) private returns (Fate) {
        ISettlementLedger.Header memory h = header;
        uint256 garbage = field == 0 || field == 1 || field == 7 ? type(uint32).max - 1 : type(uint128).max - 1;
        assembly {
            mstore(add(h, shl(5, field)), garbage)
        }
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 2);
        try ledger.propose(h, signatures) {}
        catch {
            return Fate.Refused;
        }
        header = h;
        if (!_canAnswer(Disputes.Kind.Row)) return Fate.RowKeptBack;
        if (!_canAnswer(Disputes.Kind.Inputs)) return Fate.InputsKeptBack;
        return _isVoidedByAContest() ? Fate.Contested : Fate.LeftToObjection;
    }

    /// @dev Whether who has everything that is committed to can answer. If not, the root is voided by the silence.
    function _canAnswer(Disputes.Kind kind) private returns (bool) {
        uint256 snapshot = vm.snapshotState();
        vm.prank(membership.accountOf(USUAL));
        disputes.demand(Disputes.Demand(USUAL, header.epoch, header.attempt, kind, 0), "");
        IContestVerifier.Opening memory o = _openingOf(USUAL);
        bool answered;
        if (kind == Disputes.Kind.Row) {
            try disputes.answerRow(o.newLeaf, o.newProof) {
                answered = true;
            } catch {}
        } else {
            try disputes.answerInputs(header, USUAL, o.inputs, o.blinder, o.inputsProof) {
                answered = true;
            } catch {}
        }
        if (!answered) {
            vm.warp(block.timestamp + 24 hours + 1);
            disputes.voidUnanswered(USUAL, kind);
            (uint32 epoch,,,) = ledger.pending();
            assertEq(epoch, 0, "void");
        }
        vm.revertToState(snapshot);
        return answered;
    }

    function _isVoidedByAContest() private returns (bool) {
        IContestVerifier.Opening memory o = _openingOf(USUAL);
        Disputes.Contest memory c = _contestStruct(USUAL);
        vm.prank(membership.accountOf(USUAL));
        try disputes.contest(c, "", o) {
            assertEq(_escrowed(), 2, "the signers' bonds");
            return true;
        } catch (bytes memory reason) {
            assertEq(reason, abi.encodeWithSelector(Disputes.Disputes_RowIsRight.selector, USUAL));
            return false;
        }
    }

    // ---------------------------------------------------------------------------------------------- inputs

    uint256 private constant INPUTS = 12;

    /// @dev The row is honest, and the inputs that stewards committed to are not: those are demanded, published, and do not
    /// give the row.
    function test_GarbageInEachFieldOfTheInputsLeafIsContested() external {
        for (uint256 field; field < INPUTS; ++field) {
            uint256 snapshot = vm.snapshotState();
            inputs[USUAL] = abi.encode(_falsified(field));
            _plant();
            _proposeNext();
            vm.prank(membership.accountOf(USUAL));
            disputes.demand(Disputes.Demand(USUAL, 3, 0, Disputes.Kind.Inputs, 0), "");
            IContestVerifier.Opening memory o = _openingOf(USUAL);
            disputes.answerInputs(header, USUAL, o.inputs, o.blinder, o.inputsProof);
            assertTrue(_isVoidedByAContest(), string.concat("field ", vm.toString(field)));
            vm.revertToState(snapshot);
        }
    }

    function _falsified(uint256 field) private view returns (RewardFormula.Inputs memory i) {
        i = _inputsOf(USUAL);
        if (field < 4) {
            RewardFormula.Score memory score = i.contributions[0];
            assembly {
                mstore(add(score, shl(5, field)), 1)
            }
        } else if (field == 4) {
            i.contributions = new RewardFormula.Score[](0);
        } else if (field == 5) {
            i.contributions[0].q = type(uint256).max;
        } else if (field == 6) {
            i.programPoints += 10_000;
        } else if (field == 7) {
            i.records = 1_000;
        } else if (field == 8) {
            i.used = i.records;
        } else if (field == 9) {
            i.useWeight += 1_000_000;
        } else if (field == 10) {
            i.active = false;
        } else {
            i.erased = true;
        }
    }

    /// @dev A leaf of which nobody knows what is behind it, or one of another member: the honest inputs are no answer, and
    /// what is signed has none.
    function test_GarbageInPlaceOfTheInputsLeafIsVoidedByADemand() external {
        header.inputsRoot = keccak256("a root of nothing");
        _proposeNext();
        assertFalse(_canAnswer(Disputes.Kind.Inputs));
    }

    /// @dev Likewise of the row: a private hash without anything behind it is answered, as it stands, and contested.
    function test_GarbageInPlaceOfThePrivateHashIsContested() external {
        next[USUAL].leaf.privateHash = keccak256("nothing");
        _plant();
        _proposeNext();
        assertTrue(_canAnswer(Disputes.Kind.Row));
        assertTrue(_isVoidedByAContest());
    }
}
