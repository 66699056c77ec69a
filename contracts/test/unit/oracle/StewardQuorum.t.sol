// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {License} from "../../../src/market/License.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {StewardsTest} from "../../utils/StewardsTest.sol";

/// @notice Who counts where seats ask for a bond; scores; debits and receipts.
contract StewardQuorumTest is StewardsTest {
    bytes32 internal constant RESULT = keccak256("result");

    // --------------------------------------------------------------------------------------- active seats

    function testFuzz_OnlyActiveSeatsCount(uint8 bonded, uint8 signed) external {
        (bonded, signed) = (bonded % 8, signed % 8);
        bytes[] memory signatures = new bytes[](_count(signed));
        uint256 n;
        for (uint256 i; i < 3; ++i) {
            _bond(_steward(i + 1), bonded >> i & 1 == 1 ? MIN_BOND : MIN_BOND - 1);
            if (signed >> i & 1 == 1) signatures[n++] = _sign(stewardKeys[i], DIGEST);
        }
        uint256 counted = _count(bonded & signed);
        if (counted < 2) {
            bytes4 selector = StewardCommittee.StewardCommittee_TooFewSignatures.selector;
            vm.expectRevert(abi.encodeWithSelector(selector, counted, 2));
        }
        uint256 signers = committee.verifyQuorum(DIGEST, signatures);
        if (counted >= 2) assertEq(signers, _signersOf(1, bonded & signed));
    }

    function _count(uint256 bits) private pure returns (uint256 n) {
        for (; bits != 0; bits &= bits - 1) {
            ++n;
        }
    }

    function test_WhenABondIsSlashedTheSeatCountsNoMore() external {
        _bondAll(MIN_BOND);
        vm.prank(memberHouse);
        committee.openSlash(_steward(2), 1, REASON);
        assertEq(committee.verifyQuorum(DIGEST, _stewardSignatures(DIGEST, 3)), _signersOf(1, 5));
        assertEq(committee.stewardId(_steward(2)), 2, "it still sits");
        bytes[] memory two = _stewardSignatures(DIGEST, 2);
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_TooFewSignatures.selector, 1, 2));
        committee.verifyQuorum(DIGEST, two);
        _bond(_steward(2), 1);
        committee.verifyQuorum(DIGEST, two);
    }

    function test_WhenBondsWereThereBeforeTheSeating() external {
        _bondAll(MIN_BOND);
        _replace();
        assertFalse(committee.isActiveSteward(_steward(1)), "no seat");
        vm.prank(memberHouse);
        committee.seat(_seats("steward"), 2);
        assertTrue(committee.isActiveSteward(_steward(1)));
        assertEq(committee.verifyQuorum(DIGEST, _stewardSignatures(DIGEST, 2)), _signersOf(3, 3));
    }

    // --------------------------------------------------------------------------------------------- scores

    function _score() private pure returns (StewardCommittee.Score memory) {
        return StewardCommittee.Score(7, 8_000, 10_000, 7_000, 12_500, keccak256("rubric"), keccak256("sketch"));
    }

    function test_ScoreDigestIsWhatStewardsSign() external view {
        bytes32 hash = keccak256(
            "Score(uint64 contributionId,uint16 quality,uint16 uniqueness,uint16 authenticity,uint16 rarity,bytes32 rubricHash,bytes32 sketch)"
        );
        bytes32 structHash = keccak256(abi.encode(hash, _score()));
        assertEq(committee.scoreDigest(_score()), _typed("StewardCommittee", address(committee), structHash));
    }

    function test_RevertWhen_TheEvidenceIsSomethingElse() external {
        vm.expectRevert(bytes(""));
        committee.attested(DIGEST, hex"1234");
    }

    function testFuzz_ScoresNeedTwoActiveStewards(uint8 bonded, uint256 seed) external {
        for (uint256 i; i < 3; ++i) {
            if (bonded >> i & 1 == 1) _bond(_steward(i + 1), MIN_BOND);
        }
        bytes[] memory signatures = new bytes[](seed % 6);
        uint256 seen;
        for (uint256 k; k < signatures.length; ++k) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 kind = seed % 6;
            if (kind < 3) {
                signatures[k] = _sign(stewardKeys[kind], DIGEST);
                seen |= (1 << kind) & bonded;
            } else if (kind == 3) {
                signatures[k] = _sign(workerKey, DIGEST);
            } else if (kind == 4) {
                signatures[k] = _sign(stewardKeys[0], REASON);
            } else {
                signatures[k] = _malleated(stewardKeys[1], DIGEST);
            }
        }
        assertEq(committee.attested(DIGEST, abi.encode(signatures)), _count(seen) >= 2);
    }

    function test_WhenTwoScorersSignedInAnyOrder() external {
        _bondAll(MIN_BOND);
        bytes[] memory two = _stewardSignatures(DIGEST, 2);
        (two[0], two[1]) = (two[1], two[0]);
        assertTrue(committee.attested(DIGEST, abi.encode(two)));
        two[1] = two[0];
        assertFalse(committee.attested(DIGEST, abi.encode(two)), "one steward twice");
        assertFalse(committee.attested(DIGEST, abi.encode(new bytes[](0))));
    }

    // -------------------------------------------------------------------------------- debits and receipts

    /// @dev A license that nobody paid for: the Treasury is a double here.
    function _issue() private returns (uint64) {
        License.Terms memory terms;
        (terms.datasetId, terms.right, terms.purpose) = (DATASET, 1, PURPOSE);
        terms.expiry = uint64(block.timestamp + 90 days);
        vm.prank(address(market));
        return license.mint(researcher, terms);
    }

    /// @dev Signed by stewards 1 and 2 of the test's keys, whoever sits.
    function _book(uint64 licenseId, uint256 salt, bytes memory error) private {
        StewardCommittee.Debit memory d = _debit(licenseId, salt);
        bytes[] memory signatures = _stewardSignatures(_debitDigest(d), 2);
        if (error.length != 0) vm.expectRevert(error);
        committee.debit(d, signatures);
    }

    function _anchor(uint256 salt, bytes memory error) private {
        bytes32 order = _debit(1, salt).order;
        bytes memory receipt = _sign(workerKey, _receiptDigest(order, RESULT));
        if (error.length != 0) vm.expectRevert(error);
        committee.anchorReceipt(order, RESULT, receipt);
    }

    function test_ReceiptsOfAWorkerAreCounted() external {
        uint64 id = _issue();
        _bondAll(MIN_BOND);
        assertEq(committee.receiptsOf(worker), 0);
        for (uint256 i; i < 3; ++i) {
            _book(id, i, "");
            _anchor(i, "");
            assertEq(committee.receiptsOf(worker), i + 1);
        }
        vm.prank(memberHouse);
        committee.removeWorker(worker);
        assertEq(committee.receiptsOf(worker), 3, "what was done is owed");
    }

    function test_RevertWhen_Paused() external {
        uint64 id = _issue();
        _bondAll(MIN_BOND);
        _book(id, 0, "");
        uint64 until = uint64(block.timestamp + 1 days);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        committee.setPausedUntil(until);
        _asPauser();
        committee.setPausedUntil(until);
        bytes memory paused = abi.encodeWithSelector(Pausing.Pausing_Paused.selector, until);
        _anchor(0, paused);
        _book(id, 1, paused);
        committee.verifyQuorum(DIGEST, _stewardSignatures(DIGEST, 2));
        vm.warp(until);
        _anchor(0, "");
        _book(id, 1, "");
    }

    function test_RevertWhen_ADebitIsSignedByTooFewActiveSeats() external {
        uint64 id = _issue();
        _bond(_steward(1), MIN_BOND);
        _book(id, 0, abi.encodeWithSelector(StewardCommittee.StewardCommittee_TooFewSignatures.selector, 1, 2));
        _bond(_steward(2), MIN_BOND);
        _book(id, 0, "");
    }
}
