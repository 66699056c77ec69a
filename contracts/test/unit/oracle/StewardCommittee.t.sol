// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {License} from "../../../src/market/License.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract StewardCommitteeTest is CoopTest {
    bytes32 internal constant DIGEST = keccak256("digest");
    bytes32 internal constant RESULT = keccak256("result");

    // ------------------------------------------------------------------------------------------ initialize

    function _expectInitRevert(StewardCommittee.Deployment memory i, bytes memory error) private {
        address code = address(new StewardCommittee());
        vm.expectRevert(error);
        new ERC1967Proxy(code, abi.encodeCall(StewardCommittee.initialize, (i)));
    }

    function test_RevertWhen_WhatItStartsWithIsBad() external {
        StewardCommittee.Deployment memory i = _committeeInit();
        i.authority = address(0);
        _expectInitRevert(i, abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "authority"));
        i = _committeeInit();
        i.gateway = address(0);
        _expectInitRevert(i, abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "gateway"));
        i = _committeeInit();
        i.license = address(0);
        _expectInitRevert(i, abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "license"));
        i = _committeeInit();
        (i.seats, i.quorum) = (new StewardCommittee.Seat[](0), 0);
        _expectInitRevert(i, abi.encodeWithSelector(StewardCommittee.StewardCommittee_BadQuorum.selector, 0, 0));
        i = _committeeInit();
        i.workers[0].signer = i.seats[0].signer;
        bytes4 badWorker = StewardCommittee.StewardCommittee_BadWorker.selector;
        _expectInitRevert(i, abi.encodeWithSelector(badWorker, i.seats[0].signer));
    }

    function test_WhenInitialized() external view {
        assertEq(committee.generation(), 1);
        assertEq(committee.quorum(), 2);
        assertEq(committee.seatCount(), 3);
        assertEq(committee.stewardId(vm.addr(stewardKeys[1])), 2);
        assertEq(committee.workerKey(worker), keccak256("worker sealing key"));
        assertEq(committee.gateway(), gateway);
    }

    // ------------------------------------------------------------------------------------------------ seat

    function test_WhenThereAreAsManySeatsAsBits() external {
        StewardCommittee.Seat[] memory seats = new StewardCommittee.Seat[](33);
        for (uint256 i; i < 33; ++i) {
            seats[i] = StewardCommittee.Seat(vm.addr(i + 1), bytes32(i + 1));
        }
        vm.startPrank(memberHouse);
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_BadQuorum.selector, 17, 33));
        committee.seat(seats, 17);
        assembly {
            mstore(seats, 32)
        }
        committee.seat(seats, 17);
        vm.stopPrank();
        bytes[] memory signatures = new bytes[](17);
        for (uint256 i; i < 17; ++i) {
            _bondLeast(vm.addr(16 + i));
            signatures[i] = _sign(16 + i, DIGEST);
        }
        uint256 signers = committee.verifyQuorum(DIGEST, signatures);
        assertEq(signers, uint256(2) << 32 | 0xffff8000);
        assertEq(committee.signersOf(signers).length, 17);
        assertEq(committee.signersOf(signers)[16], vm.addr(32));
    }

    function testFuzz_RevertWhen_TheQuorumIsBad(uint8 n, uint8 quorum) external {
        n = uint8(bound(n, 0, 12));
        vm.assume(n < 3 || quorum > n || uint256(quorum) * 2 <= n);
        StewardCommittee.Seat[] memory seats = new StewardCommittee.Seat[](n);
        _asMemberHouse();
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_BadQuorum.selector, quorum, n));
        committee.seat(seats, quorum);
    }

    function test_RevertWhen_ASeatIsBad() external {
        StewardCommittee.Seat[] memory seats = _seats("new");
        seats[1].signer = address(0);
        _expectBadSeat(seats, 2);
        seats = _seats("new");
        seats[2].signer = seats[0].signer;
        _expectBadSeat(seats, 3);
        seats = _seats("new");
        seats[0].sealingKey = 0;
        _expectBadSeat(seats, 1);
        seats = _seats("new");
        seats[0].signer = worker;
        _expectBadSeat(seats, 1);
    }

    function _expectBadSeat(StewardCommittee.Seat[] memory seats, uint256 id) internal {
        _asMemberHouse();
        vm.expectRevert(
            abi.encodeWithSelector(StewardCommittee.StewardCommittee_BadSeat.selector, id, seats[id - 1].signer)
        );
        committee.seat(seats, 2);
    }

    function test_RevertWhen_TheCallerIsNotAuthorized() external {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        StewardCommittee.Seat[] memory seats = _seats("new");
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        committee.seat(seats, 2);
        vm.expectRevert(unauthorized);
        committee.registerWorker(stranger, DIGEST);
        vm.expectRevert(unauthorized);
        committee.removeWorker(worker);
        vm.expectRevert(unauthorized);
        committee.setGateway(stranger);
    }

    function test_WhenACommitteeIsReplaced() external {
        address former = committee.seats()[0].signer;
        bytes[] memory old = _stewardSignatures(DIGEST, 2);
        StewardCommittee.Seat[] memory seats = _seats("new");
        vm.expectEmit(address(committee));
        emit StewardCommittee.Seated(2, seats, 3);
        _asMemberHouse();
        committee.seat(seats, 3);
        _bondSeats();
        assertEq(committee.generation(), 2);
        assertEq(committee.quorum(), 3);
        assertEq(committee.seats().length, 3);
        assertEq(committee.signersOf(uint256(1) << 32 | 1)[0], former);
        assertEq(committee.signersOf(uint256(2) << 32 | 4)[0], seats[2].signer);
        assertEq(committee.stewardId(former), 0);
        assertEq(committee.stewardId(seats[2].signer), 3);
        committee.verifyQuorum(DIGEST, _stewardSignatures(DIGEST, 3));
        bytes[] memory mixed = _stewardSignatures(DIGEST, 3);
        mixed[0] = old[0];
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_NotSteward.selector, 0, former));
        committee.verifyQuorum(DIGEST, mixed);
    }

    function test_WhenStewardsStayTheirSealingKeysInForceStay() external {
        StewardCommittee.Seat[] memory former = committee.seats();
        committee.rotateSealingKey(2, DIGEST, _sealingKey(1, 1, DIGEST, former[1].sealingKey));
        // Proposed before the rotation: the second moves to the first place, the others are new.
        StewardCommittee.Seat[] memory seats = new StewardCommittee.Seat[](3);
        seats[0] = former[1];
        seats[1] = StewardCommittee.Seat(makeAddr("new one"), bytes32(uint256(71)));
        seats[2] = StewardCommittee.Seat(makeAddr("new two"), bytes32(uint256(72)));
        StewardCommittee.Seat[] memory seated = new StewardCommittee.Seat[](3);
        (seated[0], seated[1], seated[2]) = (StewardCommittee.Seat(former[1].signer, DIGEST), seats[1], seats[2]);
        vm.expectEmit(address(committee));
        emit StewardCommittee.Seated(2, seated, 2);
        vm.startPrank(memberHouse);
        committee.seat(seats, 2);
        assertEq(committee.seats()[0].sealingKey, DIGEST);
        assertEq(committee.seats()[1].sealingKey, seats[1].sealingKey);
        // Who sat once and comes back brings a key.
        (seats[0].sealingKey, seats[1]) = (RESULT, StewardCommittee.Seat(former[0].signer, bytes32(uint256(73))));
        committee.seat(seats, 2);
        assertEq(committee.seats()[0].sealingKey, DIGEST);
        assertEq(committee.seats()[1].sealingKey, bytes32(uint256(73)));
    }

    // --------------------------------------------------------------------------------- workers and gateway

    function test_RevertWhen_AWorkerIsBad() external {
        address steward = committee.seats()[0].signer;
        vm.startPrank(memberHouse);
        bytes4 bad = StewardCommittee.StewardCommittee_BadWorker.selector;
        vm.expectRevert(abi.encodeWithSelector(bad, address(0)));
        committee.registerWorker(address(0), DIGEST);
        vm.expectRevert(abi.encodeWithSelector(bad, stranger));
        committee.registerWorker(stranger, 0);
        vm.expectRevert(abi.encodeWithSelector(bad, steward));
        committee.registerWorker(steward, DIGEST);
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_NotWorker.selector, stranger));
        committee.removeWorker(stranger);
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "gateway"));
        committee.setGateway(address(0));
    }

    function test_WhenWorkersAndGatewayChange() external {
        vm.startPrank(memberHouse);
        vm.expectEmit(address(committee));
        emit StewardCommittee.WorkerRegistered(stranger, DIGEST);
        committee.registerWorker(stranger, DIGEST);
        assertEq(committee.workerKey(stranger), DIGEST);
        vm.expectEmit(address(committee));
        emit StewardCommittee.WorkerRemoved(stranger);
        committee.removeWorker(stranger);
        assertEq(committee.workerKey(stranger), 0);
        vm.expectEmit(address(committee));
        emit StewardCommittee.GatewaySet(stranger);
        committee.setGateway(stranger);
        assertEq(committee.gateway(), stranger);
    }

    // ------------------------------------------------------------------------------------ rotateSealingKey

    function _sealingKey(uint256 i, uint32 generation, bytes32 key, bytes32 previous)
        private
        view
        returns (bytes memory)
    {
        bytes32 typehash = keccak256("SealingKey(uint32 generation,bytes32 sealingKey,bytes32 previous)");
        bytes32 structHash = keccak256(abi.encode(typehash, generation, key, previous));
        return _sign(stewardKeys[i], _typed("StewardCommittee", address(committee), structHash));
    }

    function _expectBadRotation(uint8 id, address signer) private {
        bytes4 badSeat = StewardCommittee.StewardCommittee_BadSeat.selector;
        vm.expectRevert(abi.encodeWithSelector(badSeat, id, signer));
    }

    function test_RevertWhen_NoSuchSeatRotates() external {
        bytes32 key = committee.seats()[0].sealingKey;
        bytes memory signature = _sealingKey(0, 1, DIGEST, key);
        _expectBadRotation(0, address(0));
        committee.rotateSealingKey(0, DIGEST, signature);
        _expectBadRotation(4, address(0));
        committee.rotateSealingKey(4, DIGEST, signature);
        signature = _sealingKey(0, 1, 0, key);
        _expectBadRotation(1, address(0));
        committee.rotateSealingKey(1, 0, signature);
    }

    function test_RevertWhen_TheSeatDidNotSignThatKey() external {
        bytes32 key = committee.seats()[0].sealingKey;
        bytes memory signature = _sealingKey(1, 1, DIGEST, key);
        _expectBadRotation(1, vm.addr(stewardKeys[1]));
        committee.rotateSealingKey(1, DIGEST, signature);
        bytes[4] memory signatures = [
            _sealingKey(0, 1, RESULT, key),
            _sealingKey(0, 2, DIGEST, key),
            _sealingKey(0, 1, DIGEST, RESULT),
            _sealingKey(1, 1, DIGEST, committee.seats()[1].sealingKey)
        ];
        for (uint256 i; i < signatures.length; ++i) {
            vm.expectPartialRevert(StewardCommittee.StewardCommittee_BadSeat.selector);
            committee.rotateSealingKey(1, DIGEST, signatures[i]);
        }
    }

    function test_WhenASeatRotatesItsKey() external {
        StewardCommittee.Seat[] memory before = committee.seats();
        bytes memory signature = _sealingKey(1, 1, DIGEST, before[1].sealingKey);
        vm.expectEmit(address(committee));
        emit StewardCommittee.SealingKeyRotated(2, DIGEST);
        vm.prank(stranger);
        committee.rotateSealingKey(2, DIGEST, signature);
        StewardCommittee.Seat[] memory after_ = committee.seats();
        assertEq(after_[1].sealingKey, DIGEST);
        assertEq(after_[1].signer, before[1].signer);
        assertEq(after_[0].sealingKey, before[0].sealingKey);
        assertEq(after_[2].sealingKey, before[2].sealingKey);
        // It holds once.
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_BadSeat.selector);
        committee.rotateSealingKey(2, DIGEST, signature);
    }

    // -------------------------------------------------------------------------------------------- quorum

    function test_RevertWhen_TooFewSigned() external {
        bytes[] memory s = _stewardSignatures(DIGEST, 1);
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_TooFewSignatures.selector, 1, 2));
        committee.verifyQuorum(DIGEST, s);
    }

    function test_RevertWhen_ASignerIsNoSteward() external {
        bytes[] memory s = _stewardSignatures(DIGEST, 3);
        s[2] = _sign(workerKey, DIGEST);
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_NotSteward.selector, 2, worker));
        committee.verifyQuorum(DIGEST, s);
    }

    function test_RevertWhen_SignaturesRepeatOrDoNotAscend() external {
        bytes[] memory s = _stewardSignatures(DIGEST, 2);
        bytes4 selector = StewardCommittee.StewardCommittee_NotAscending.selector;
        (s[0], s[1]) = (s[1], s[0]);
        vm.expectRevert(abi.encodeWithSelector(selector, 1, 1));
        committee.verifyQuorum(DIGEST, s);
        s[1] = s[0];
        vm.expectRevert(abi.encodeWithSelector(selector, 1, 2));
        committee.verifyQuorum(DIGEST, s);
    }

    function test_RevertWhen_ASignatureIsMalleated() external {
        bytes[] memory s = _stewardSignatures(DIGEST, 2);
        s[1] = _malleated(stewardKeys[1], DIGEST);
        vm.expectPartialRevert(ECDSA.ECDSAInvalidSignatureS.selector);
        committee.verifyQuorum(DIGEST, s);
    }

    function test_WhenAnyQuorumSigned() external view {
        bytes[] memory all = _stewardSignatures(DIGEST, 3);
        assertEq(committee.verifyQuorum(DIGEST, all), uint256(1) << 32 | 7);
        for (uint256 missing; missing < 3; ++missing) {
            bytes[] memory two = new bytes[](2);
            uint256 n;
            for (uint256 i; i < 3; ++i) {
                if (i != missing) two[n++] = all[i];
            }
            uint256 signers = committee.verifyQuorum(DIGEST, two);
            assertEq(signers, uint256(1) << 32 | (7 ^ (1 << missing)));
            assertEq(committee.signersOf(signers)[0], vm.addr(stewardKeys[missing == 0 ? 1 : 0]));
        }
    }

    // ---------------------------------------------------------------------------------------------- debit

    /// @dev Signed by stewards 1 and 2.
    function _book(StewardCommittee.Debit memory d) private returns (uint64) {
        return committee.debit(d, _stewardSignatures(_debitDigest(d), 2));
    }

    function _expectDebitRevert(StewardCommittee.Debit memory d, bytes memory error) private {
        bytes[] memory s = _stewardSignatures(_debitDigest(d), 2);
        vm.expectRevert(error);
        committee.debit(d, s);
    }

    function test_RevertWhen_TheOrderWasBooked() external {
        StewardCommittee.Debit memory d = _debit(_sell(50_000), 1);
        _book(d);
        d.snapshot = keccak256("another snapshot");
        _expectDebitRevert(d, abi.encodeWithSelector(StewardCommittee.StewardCommittee_AlreadyBooked.selector, d.order));
    }

    function test_RevertWhen_TheDeadlineIsOutOfBounds() external {
        StewardCommittee.Debit memory d = _debit(_sell(50_000), 1);
        bytes4 bad = StewardCommittee.StewardCommittee_BadDeadline.selector;
        d.deadline = uint64(block.timestamp - 1);
        _expectDebitRevert(d, abi.encodeWithSelector(bad, d.deadline));
        d.deadline = uint64(block.timestamp + 7 days + 1);
        _expectDebitRevert(d, abi.encodeWithSelector(bad, d.deadline));
        d.deadline = uint64(block.timestamp + 7 days);
        _book(d);
        d = _debit(1, 2);
        d.deadline = uint64(block.timestamp);
        _book(d);
    }

    function test_RevertWhen_TheLicenseIsNotUsable() external {
        uint64 id = _sell(50_000);
        StewardCommittee.Debit memory d = _debit(id + 1, 1);
        bytes4 unusable = StewardCommittee.StewardCommittee_LicenseNotUsable.selector;
        _expectDebitRevert(d, abi.encodeWithSelector(unusable, id + 1));
        License.Terms memory terms = license.termsOf(id);
        vm.warp(terms.expiry + 1);
        d = _debit(id, 1);
        _expectDebitRevert(d, abi.encodeWithSelector(unusable, id));
        vm.prank(address(market));
        license.extend(id, uint64(block.timestamp));
        _book(d);
        vm.prank(address(desk));
        license.revoke(id);
        d = _debit(id, 2);
        _expectDebitRevert(d, abi.encodeWithSelector(unusable, id));
        (terms.right, terms.expiry) = (3, type(uint64).max);
        vm.prank(address(desk));
        d = _debit(license.mint(researcher, terms), 3);
        _expectDebitRevert(d, abi.encodeWithSelector(unusable, id + 1));
    }

    function testFuzz_RevertWhen_StewardsDidNotSignThatDebit(uint256 word, uint256 flip) external {
        StewardCommittee.Debit memory d = _debit(_sell(50_000), 1);
        bytes[] memory s = _stewardSignatures(_debitDigest(d), 2);
        word = bound(word, 1, 6);
        // No bit of the license, which another id would not have; of the deadline only those that stay in bounds.
        uint256[7] memory widths = [uint256(0), 256, 256, 256, 16, 64, 8];
        flip = 1 << bound(flip, 0, widths[word] - 1);
        assembly {
            let at := add(d, shl(5, word))
            mstore(at, xor(mload(at), flip))
        }
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_NotSteward.selector);
        committee.debit(d, s);
    }

    function test_RevertWhen_OnlyACommitteeOutOfOfficeSigned() external {
        StewardCommittee.Debit memory d = _debit(_sell(50_000), 1);
        bytes[] memory s = _stewardSignatures(_debitDigest(d), 2);
        address former = committee.seats()[0].signer;
        StewardCommittee.Seat[] memory seats = _seats("new");
        _asMemberHouse();
        committee.seat(seats, 2);
        _bondSeats();
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_NotSteward.selector, 0, former));
        committee.debit(d, s);
        _book(d);
    }

    function test_WhenDebitsAreBooked() external {
        uint64 id = _sell(50_000);
        for (uint64 i = 1; i <= 3; ++i) {
            StewardCommittee.Debit memory d = _debit(id, i);
            bytes[] memory s = _stewardSignatures(_debitDigest(d), 2);
            vm.expectEmit(address(committee));
            emit StewardCommittee.Debited(i, id, d.order, d.queryDigest, d.snapshot, PURPOSE, 5_000_000, d.deadline);
            vm.prank(stranger);
            assertEq(committee.debit(d, s), i);
            assertEq(committee.debitCount(), i);
            (uint64 booked, bool answered) = committee.debitOf(d.order);
            assertEq(booked, i);
            assertFalse(answered);
        }
    }

    // ------------------------------------------------------------------------------------- anchorReceipt

    function test_RevertWhen_NoDebitIsBooked() external {
        bytes32 order = _debit(1, 1).order;
        bytes memory receipt = _sign(workerKey, _receiptDigest(order, RESULT));
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_NotBooked.selector, order));
        committee.anchorReceipt(order, RESULT, receipt);
    }

    function test_RevertWhen_AReceiptWasAnchored() external {
        StewardCommittee.Debit memory d = _debit(_sell(50_000), 1);
        _book(d);
        committee.anchorReceipt(d.order, RESULT, _sign(workerKey, _receiptDigest(d.order, RESULT)));
        bytes32 other = keccak256("another result");
        bytes memory receipt = _sign(workerKey, _receiptDigest(d.order, other));
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_AlreadyAnchored.selector, d.order));
        committee.anchorReceipt(d.order, other, receipt);
    }

    function test_RevertWhen_TheReceiptIsNotAWorkers() external {
        StewardCommittee.Debit memory d = _debit(_sell(50_000), 1);
        _book(d);
        bytes memory receipt = _sign(stewardKeys[0], _receiptDigest(d.order, RESULT));
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_NotWorker.selector);
        committee.anchorReceipt(d.order, RESULT, receipt);
        receipt = _sign(workerKey, _receiptDigest(d.order, RESULT));
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_NotWorker.selector);
        committee.anchorReceipt(d.order, keccak256("another result"), receipt);
    }

    function test_WhenReceiptsAreAnchoredLateAndUnderAnotherCommittee() external {
        uint64 id = _sell(50_000);
        StewardCommittee.Debit[3] memory d = [_debit(id, 1), _debit(id, 2), _debit(id, 3)];
        for (uint256 i; i < 3; ++i) {
            _book(d[i]);
        }
        vm.warp(d[0].deadline + 1);
        StewardCommittee.Seat[] memory seats = _seats("new");
        _asMemberHouse();
        committee.seat(seats, 2);
        uint8[3] memory places = [2, 0, 1];
        for (uint256 i; i < 3; ++i) {
            bytes32 order = d[places[i]].order;
            bytes memory receipt = _sign(workerKey, _receiptDigest(order, RESULT));
            vm.expectEmit(address(committee));
            emit StewardCommittee.ReceiptAnchored(uint64(places[i] + 1), order, RESULT, worker);
            vm.prank(stranger);
            committee.anchorReceipt(order, RESULT, receipt);
            (, bool answered) = committee.debitOf(order);
            assertTrue(answered);
        }
        assertEq(committee.receiptsOf(worker), 3);
    }
}
