// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ContestVerifier} from "../../../src/settlement/ContestVerifier.sol";
import {IContestVerifier} from "../../../src/settlement/IContestVerifier.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {RewardFormula} from "../../../src/settlement/RewardFormula.sol";
import {ContestTest} from "../../utils/ContestTest.sol";

contract ContestVerifierTest is ContestTest {
    ContestVerifier internal verifier;

    function setUp() external {
        _loadParams();
        verifier = new ContestVerifier();
    }

    function _isWrong(IContestVerifier.Opening memory o) internal view returns (bool wrong) {
        return verifier.judge(o.newLeaf.memberId, ROW_KEY_DIGEST, CONTEST_DEPTH, o);
    }

    function _expect(IContestVerifier.Opening memory o, bytes4 selector) internal {
        vm.expectPartialRevert(selector);
        verifier.judge(o.newLeaf.memberId, ROW_KEY_DIGEST, CONTEST_DEPTH, o);
    }

    /// @dev A row with an old leaf, contributions and everything live.
    function _someRow() internal view returns (IContestVerifier.Opening memory o, uint256[] memory w) {
        (uint256[] memory words,) = _rowsOf("edges");
        for (uint256 i;; ++i) {
            w = _slice(words, i);
            if (w[23] != 0 && w[29] != 0 && w[61] != 0 && w[62] != 0 && w[13] < w[15]) return (_opening(w), w);
        }
    }

    // --------------------------------------------------------------------------------------------- vectors

    /// @dev An honest row survives every contest: 1,024 random ones, in quarters that fit the gas of a test.
    function test_HonestRowsSurvive_1() external view {
        _checkQuarter(0);
    }

    function test_HonestRowsSurvive_2() external view {
        _checkQuarter(1);
    }

    function test_HonestRowsSurvive_3() external view {
        _checkQuarter(2);
    }

    function test_HonestRowsSurvive_4() external view {
        _checkQuarter(3);
    }

    function _checkQuarter(uint256 quarter) internal view {
        (uint256[] memory words, uint256 count) = _rowsOf("rows");
        uint256 first;
        uint256 closed;
        for (uint256 i = quarter; i < count; i += 4) {
            (bool isFirst, bool isClosed) = this.checkSurvives(_slice(words, i));
            if (isFirst) ++first;
            if (isClosed) ++closed;
        }
        assertGt(first, 0, "first rows are among them");
        assertGt(closed, 0, "erased rows are among them");
    }

    /// @dev But for the two whose old row the ledger cannot have written: it contributed in the epoch that is settled, or
    /// earned what no total holds. They prove nothing.
    function test_HonestEdgesSurvive() external {
        (uint256[] memory words, uint256 count) = _rowsOf("edges");
        uint256 impossible;
        for (uint256 i; i < count; ++i) {
            uint256[] memory w = _slice(words, i);
            if (w[12] < w[15] && w[2] >> 126 == 0) {
                this.checkSurvives(w);
                continue;
            }
            ++impossible;
            _expect(_opening(w), ContestVerifier.ContestVerifier_NoWayOn.selector);
        }
        assertEq(impossible, 2);
    }

    /// @dev Each of the four amounts and the private hash, of every 32nd row.
    function test_EachFieldFalsifiedLoses() external view {
        (uint256[] memory words, uint256 count) = _rowsOf("rows");
        for (uint256 i; i < count; i += 32) {
            this.checkEachFieldCounts(_slice(words, i));
        }
    }

    /// @dev External, so that each row starts with an empty memory.
    function checkSurvives(uint256[] calldata w) external view returns (bool first, bool closed) {
        IContestVerifier.Opening memory o = _opening(w);
        assertFalse(_isWrong(o), "an honest row");
        return (o.first, o.closed);
    }

    function checkEachFieldCounts(uint256[] calldata w) external view {
        IContestVerifier.Opening memory o = _opening(w);
        for (uint256 field = 1; field < 6; ++field) {
            _flip(o, field);
            assertTrue(_isWrong(o), "a falsified row");
            _flip(o, field);
        }
    }

    /// @dev Turns the lowest bit of a word of the new leaf and plants it.
    function _flip(IContestVerifier.Opening memory o, uint256 field) internal pure {
        ISettlementLedger.Claim memory leaf = o.newLeaf;
        assembly {
            let word := add(leaf, shl(5, field))
            mstore(word, xor(mload(word), 1))
        }
        _plantNew(o);
    }

    /// @dev Each word of the new private row: stewards who shift what the leaf does not show lose as well.
    function test_EachPrivateFieldFalsifiedLoses() external view {
        (IContestVerifier.Opening memory o, uint256[] memory w) = _someRow();
        for (uint256 field; field < 12; ++field) {
            w[48 + field] ^= 1;
            o.newLeaf.privateHash = keccak256(abi.encode(_row(w, 48), _salt(ROW_KEY, uint64(w[15]))));
            w[48 + field] ^= 1;
            _plantNew(o);
            assertTrue(_isWrong(o));
        }
        o.newLeaf.privateHash = keccak256(abi.encode(_row(w, 48), _salt(ROW_KEY, uint64(w[15]) - 1)));
        _plantNew(o);
        assertTrue(_isWrong(o), "salt of another epoch");
    }

    /// @dev Each sum of the header that a row depends on: a row by other sums than those signed is wrong.
    function test_EachSumFalsifiedLoses() external view {
        (IContestVerifier.Opening memory o,) = _someRow();
        o.header.payout = o.header.payout * 2 + 1e9;
        assertTrue(_isWrong(o), "payout");
        (o,) = _someRow();
        o.header.sumUsage = o.header.sumUsage / 2 + 1;
        assertTrue(_isWrong(o), "usage");
        (o,) = _someRow();
        o.header.sumDataAward = uint256(o.params.dataCap) * 2;
        assertTrue(_isWrong(o), "award");
    }

    /// @dev What the formula refuses is wrong by itself: stewards committed to inputs that cannot be.
    function test_WhatTheFormulaRefusesIsWrong() external view {
        (IContestVerifier.Opening memory o,) = _someRow();
        o.inputs.used = o.inputs.records + 1;
        _plant(o);
        assertTrue(_isWrong(o), "more used than there are");
        (o,) = _someRow();
        o.header.sharers = 0;
        assertTrue(_isWrong(o), "a sharer where none is counted");
        (o,) = _someRow();
        o.inputs.programPoints = type(uint256).max;
        _plant(o);
        assertTrue(_isWrong(o), "points beyond everything");
    }

    /// @dev A row that colluding stewards once made final must not void every root after it: the formula can give none that
    /// would survive. Each word of it that is beyond what the ledger writes, with a new leaf that nothing gave.
    function test_RevertWhen_TheFormulaCannotGoOnFromTheOldRow() external {
        bytes4 selector = ContestVerifier.ContestVerifier_NoWayOn.selector;
        for (uint256 field; field < 12; ++field) {
            if (field == 9) continue; // a streak of any length is cut
            (IContestVerifier.Opening memory o, uint256[] memory w) = _someRow();
            w[2 + field] = field < 9 ? 1 << 126 : w[15] + (field == 10 ? 0 : 1);
            o.oldRow = _row(w, 2);
            o.newLeaf.data += 1;
            _plant(o);
            _expect(o, selector);
            w[2 + field] -= 1;
            o.oldRow = _row(w, 2);
            _plant(o);
            assertTrue(_isWrong(o), "as wide as can be, and falsified");
        }
    }

    /// @dev As wide as it can be, the step goes through, whatever was earned in the epoch.
    function test_TheFormulaGoesOnFromTheWidestRow() external view {
        (IContestVerifier.Opening memory o, uint256[] memory w) = _someRow();
        for (uint256 field; field < 9; ++field) {
            w[2 + field] = (1 << 126) - 1;
        }
        (w[11], w[12], w[13]) = (type(uint32).max, w[15] - 1, w[15]);
        o.oldRow = _row(w, 2);
        (o.params.dataPerPoint, o.params.govPerPoint) = (type(uint96).max, type(uint96).max);
        (o.header.sumUsage, o.header.sumData) = (1 << 127, 1 << 127);
        (bytes32 keyed, bytes32 unkeyed) = verifier.replay(o.newLeaf.memberId, o);
        assertTrue(keyed != 0 && unkeyed != 0 && keyed != unkeyed);
    }

    /// @dev Nor is anything narrower refused: a row that a contest may start from has a next one.
    function testFuzz_TheFormulaGoesOnFromWhatIsNotRefused(uint128[9] memory amounts, uint32[3] memory times)
        external
        view
    {
        (IContestVerifier.Opening memory o, uint256[] memory w) = _someRow();
        for (uint256 field; field < 9; ++field) {
            w[2 + field] = amounts[field] >> 2;
        }
        (w[11], w[12], w[13]) = (times[0], times[1] % w[15], times[2] % (w[15] + 1));
        o.oldRow = _row(w, 2);
        (o.params.dataPerPoint, o.params.govPerPoint) = (type(uint96).max, type(uint96).max);
        // The row's part is in them.
        (o.header.sumUsage, o.header.sumData, o.header.sumEarly) = (1 << 127, 1 << 127, 1 << 32);
        (bytes32 keyed, bytes32 unkeyed) = verifier.replay(o.newLeaf.memberId, o);
        assertTrue(keyed != 0 && unkeyed != 0 && keyed != unkeyed);
    }

    /// @dev Of an erased row the leaf tells.
    function test_RevertWhen_TheFormulaCannotGoOnFromAnErasedRow() external {
        (uint256[] memory words, uint256 count) = _rowsOf("rows");
        for (uint256 i; i < count; ++i) {
            IContestVerifier.Opening memory o = _opening(_slice(words, i));
            if (!o.closed) continue;
            o.shown.gov = 1 << 126;
            _plant(o);
            _expect(o, ContestVerifier.ContestVerifier_NoWayOn.selector);
            return;
        }
        assertTrue(false, "one is among them");
    }

    /// @dev Whether it can go on is a matter of the old row: inputs that overflow are the signers' fault.
    function test_InputsThatOverflowAreWrong() external view {
        (IContestVerifier.Opening memory o,) = _someRow();
        o.inputs.useWeight = type(uint128).max;
        o.oldRow.usageWeight = 1 << 100;
        _plant(o);
        assertTrue(_isWrong(o));
    }

    // -------------------------------------------------------------------------------------------- row keys

    /// @dev Point 12: honest stewards who never got the key salt by zeros, and their root stands, whether the key came late,
    /// is lost again or never comes.
    function test_ARowIsRightUnderEitherSalt() external view {
        (IContestVerifier.Opening memory o, uint256[] memory w) = _someRow();
        bytes32[2] memory keys = [ROW_KEY, bytes32(0)];
        for (uint256 i; i < 4; ++i) {
            (o.header.previousRoot, o.oldProof) = _tree(o.newLeaf.memberId, _oldLeafBy(o, keys[i >> 1]));
            o.newLeaf.privateHash = keccak256(abi.encode(_row(w, 48), _salt(keys[i & 1], uint64(w[15]))));
            _plantNew(o);
            assertFalse(_isWrong(o), "an honest row");
            o.newLeaf.data += 1;
            _plantNew(o);
            assertTrue(_isWrong(o), "pretending to have no key makes no false row safe");
            o.newLeaf.data -= 1;
        }
        o.newLeaf.privateHash = keccak256(abi.encode(_row(w, 48), _salt(keccak256("a third"), uint64(w[15]))));
        _plantNew(o);
        assertTrue(_isWrong(o), "no third salt");
    }

    /// @dev A first row has no old leaf that would bind a key: the digest does.
    function test_TheKeyOfAFirstRowCounts() external {
        (uint256[] memory words,) = _rowsOf("rows");
        IContestVerifier.Opening memory o = _opening(_slice(words, 0));
        assertTrue(o.first);
        assertFalse(_isWrong(o));
        o.rowKey = keccak256("another key");
        _expect(o, ContestVerifier.ContestVerifier_BadRowKey.selector);
    }

    function test_RevertWhen_TheKeyDoesNotFitTheDigest() external {
        bytes4 selector = ContestVerifier.ContestVerifier_BadRowKey.selector;
        (IContestVerifier.Opening memory o,) = _someRow();
        o.rowKey = keccak256("another key");
        _plant(o); // an old leaf that it opens
        _expect(o, selector);
        o.rowKey = 0;
        _plant(o);
        _expect(o, selector);
    }

    /// @dev A member without a key brings zeros, whatever was signed: its rows are salted by nothing else.
    function test_AMemberWithoutAKey() external {
        (IContestVerifier.Opening memory o, uint256[] memory w) = _someRow();
        vm.expectRevert(abi.encodeWithSelector(ContestVerifier.ContestVerifier_BadRowKey.selector, 0));
        verifier.judge(o.newLeaf.memberId, 0, CONTEST_DEPTH, o);
        o.rowKey = 0;
        o.newLeaf.privateHash = keccak256(abi.encode(_row(w, 48), _salt(0, uint64(w[15]))));
        _plant(o);
        bool wrong = verifier.judge(o.newLeaf.memberId, 0, CONTEST_DEPTH, o);
        assertFalse(wrong);
        o.newLeaf.privateHash = keccak256(abi.encode(_row(w, 48), _salt(ROW_KEY, uint64(w[15]))));
        _plant(o);
        wrong = verifier.judge(o.newLeaf.memberId, 0, CONTEST_DEPTH, o);
        assertTrue(wrong, "by a key that nobody named");
    }

    /// @dev Who erased everything has destroyed the key.
    function test_AnErasedRowNeedsNoKey() external view {
        (uint256[] memory words,) = _rowsOf("rows");
        IContestVerifier.Opening memory o;
        for (uint256 i; !o.closed; ++i) {
            o = _opening(_slice(words, i));
        }
        o.rowKey = 0;
        assertFalse(_isWrong(o));
    }

    // ----------------------------------------------------------------------------------------- bad openings

    function test_RevertWhen_TheParamsDiffer() external {
        (IContestVerifier.Opening memory o,) = _someRow();
        o.params.qMin += 1;
        _expect(o, ContestVerifier.ContestVerifier_BadParams.selector);
    }

    function test_RevertWhen_TheOldRowIsAnother() external {
        bytes4 selector = ContestVerifier.ContestVerifier_BadOldRow.selector;
        (IContestVerifier.Opening memory o,) = _someRow();
        o.oldRow.dataLocked += 1;
        _expect(o, selector);
        (o,) = _someRow();
        o.shown.gov += 1;
        _expect(o, selector);
        (o,) = _someRow();
        o.oldProof[3] = keccak256("another path");
        _expect(o, selector);
        (o,) = _someRow();
        o.first = true; // had a row
        _expect(o, selector);
        (o,) = _someRow();
        o.closed = true; // never erased
        _expect(o, selector);
    }

    function test_RevertWhen_AFirstRowClaimsAPast() external {
        (uint256[] memory words,) = _rowsOf("rows");
        IContestVerifier.Opening memory o = _opening(_slice(words, 0));
        assertTrue(o.first);
        o.first = false;
        o.oldRow.dataEarned = 1e24;
        _expect(o, ContestVerifier.ContestVerifier_BadOldRow.selector);
    }

    function test_RevertWhen_TheInputsAreOthers() external {
        bytes4 selector = ContestVerifier.ContestVerifier_BadInputs.selector;
        (IContestVerifier.Opening memory o,) = _someRow();
        o.inputs.contributions[0].q += 1;
        _expect(o, selector);
        (o,) = _someRow();
        o.inputs.useWeight += 1;
        _expect(o, selector);
        (o,) = _someRow();
        o.blinder = keccak256("another blinder");
        _expect(o, selector);
    }

    function test_RevertWhen_TheNewLeafIsNotTheProposedOne() external {
        bytes4 selector = ContestVerifier.ContestVerifier_BadNewLeaf.selector;
        (IContestVerifier.Opening memory o,) = _someRow();
        o.newLeaf.data += 1;
        _expect(o, selector);
        (o,) = _someRow();
        uint256 memberId = o.newLeaf.memberId;
        o.newLeaf.memberId += 1;
        vm.expectPartialRevert(selector);
        verifier.judge(uint32(memberId), ROW_KEY_DIGEST, CONTEST_DEPTH, o);
    }

    function test_RevertWhen_APathHasAnotherLength() external {
        (IContestVerifier.Opening memory o,) = _someRow();
        o.newProof = new bytes32[](CONTEST_DEPTH - 1);
        _expect(o, ContestVerifier.ContestVerifier_BadNewLeaf.selector);
        (o,) = _someRow();
        o.oldProof = new bytes32[](CONTEST_DEPTH + 1);
        _expect(o, ContestVerifier.ContestVerifier_BadOldRow.selector);
        (o,) = _someRow();
        o.inputsProof = new bytes32[](0);
        _expect(o, ContestVerifier.ContestVerifier_BadInputs.selector);
        (o,) = _someRow();
        vm.expectPartialRevert(ContestVerifier.ContestVerifier_BadOldRow.selector);
        verifier.judge(uint32(o.newLeaf.memberId + (1 << CONTEST_DEPTH)), ROW_KEY_DIGEST, CONTEST_DEPTH, o);
    }

    /// @dev Whatever gas it gets: an honest row is never found wrong.
    function testFuzz_RunningOutOfGasProvesNothing(uint256 gasLimit) external view {
        (IContestVerifier.Opening memory o,) = _someRow();
        uint256 before = gasleft();
        assertFalse(_isWrong(o));
        gasLimit = bound(gasLimit, 20_000, before - gasleft());
        (bool ok, bytes memory result) = address(verifier).staticcall{gas: gasLimit}(
            abi.encodeCall(verifier.judge, (o.newLeaf.memberId, ROW_KEY_DIGEST, CONTEST_DEPTH, o))
        );
        if (!ok) return;
        assertFalse(abi.decode(result, (bool)));
    }

    /// @dev The replay alone runs dry: its caller has a 64th left and says so.
    function test_RevertWhen_TheReplayRunsOutOfGas() external view {
        (IContestVerifier.Opening memory o,) = _someRow();
        o.inputs.contributions = new RewardFormula.Score[](300);
        _plant(o);
        bytes memory data = abi.encodeCall(verifier.judge, (o.newLeaf.memberId, ROW_KEY_DIGEST, CONTEST_DEPTH, o));
        bool seen;
        for (uint256 gasLimit = 300_000; gasLimit < 1_500_000; gasLimit += 5_000) {
            (bool ok, bytes memory reason) = address(verifier).staticcall{gas: gasLimit}(data);
            if (!ok && bytes4(reason) == ContestVerifier.ContestVerifier_OutOfGas.selector) seen = true;
        }
        assertTrue(seen);
    }

    // ------------------------------------------------------------------------------------------------ salt

    function test_SaltIsHmac() external view {
        bytes32 key = bytes32(hex"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
        bytes32 expected = 0xb0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7;
        assertEq(verifier.saltOf(key, uint64(bytes8("Hi There"))), expected, "RFC 4231, case 1");
    }

    function testFuzz_SaltIsHmac(bytes32 key, uint64 epoch) external view {
        assertEq(verifier.saltOf(key, epoch), _salt(key, epoch));
    }
}
