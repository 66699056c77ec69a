// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract StewardCommitteeTest is CoopTest {
    bytes32 internal constant DIGEST = keccak256("digest");
    bytes32 internal constant RESULT = keccak256("result");

    function _entry(uint64 index) internal view returns (StewardCommittee.BudgetEntry memory) {
        return StewardCommittee.BudgetEntry(
            index,
            keccak256("previous"),
            keccak256("query"),
            keccak256("snapshot"),
            7,
            PURPOSE,
            5e6,
            block.timestamp + 1 hours
        );
    }

    // ------------------------------------------------------------------------------------------ initialize

    function _expectInitRevert(StewardCommittee.Init memory i, bytes memory error) private {
        address code = address(new StewardCommittee());
        vm.expectRevert(error);
        new ERC1967Proxy(code, abi.encodeCall(StewardCommittee.initialize, (i)));
    }

    function test_RevertWhen_WhatItStartsWithIsBad() external {
        StewardCommittee.Init memory i = _committeeInit();
        i.authority = address(0);
        _expectInitRevert(i, abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "authority"));
        i = _committeeInit();
        i.gateway = address(0);
        _expectInitRevert(i, abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "gateway"));
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
        vm.assume(quorum > n || uint256(quorum) * 2 <= n);
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

    // ------------------------------------------------------------------------------------- anchorReceipt

    function test_RevertWhen_TheIndexWasAnchored() external {
        StewardCommittee.BudgetEntry memory e = _entry(3);
        bytes[] memory s = _stewardSignatures(_entryDigest(e), 2);
        bytes memory receipt = _sign(workerKey, _receiptDigest(e, RESULT));
        committee.anchorReceipt(e, s, RESULT, receipt);
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_AlreadyAnchored.selector, 3));
        committee.anchorReceipt(e, s, RESULT, receipt);
    }

    function testFuzz_RevertWhen_StewardsDidNotSignThatEntry(uint256 word, uint256 flip) external {
        StewardCommittee.BudgetEntry memory e = _entry(3);
        bytes[] memory s = _stewardSignatures(_entryDigest(e), 2);
        word = bound(word, 0, 7);
        uint256[8] memory widths = [uint256(64), 256, 256, 256, 64, 16, 64, 256];
        flip = 1 << bound(flip, 0, widths[word] - 1);
        assembly {
            let at := add(e, shl(5, word))
            mstore(at, xor(mload(at), flip))
        }
        bytes memory receipt = _sign(workerKey, _receiptDigest(e, RESULT));
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_NotSteward.selector);
        committee.anchorReceipt(e, s, RESULT, receipt);
    }

    function test_RevertWhen_TheReceiptIsNotAWorkers() external {
        StewardCommittee.BudgetEntry memory e = _entry(3);
        bytes[] memory s = _stewardSignatures(_entryDigest(e), 2);
        bytes memory receipt = _sign(stewardKeys[0], _receiptDigest(e, RESULT));
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_NotWorker.selector);
        committee.anchorReceipt(e, s, RESULT, receipt);
        receipt = _sign(workerKey, _receiptDigest(e, RESULT));
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_NotWorker.selector);
        committee.anchorReceipt(e, s, keccak256("another result"), receipt);
    }

    function test_WhenReceiptsAreAnchoredInAnyOrder() external {
        uint64[3] memory order = [uint64(256), 0, 255];
        for (uint256 i; i < 3; ++i) {
            StewardCommittee.BudgetEntry memory e = _entry(order[i]);
            bytes[] memory s = _stewardSignatures(_entryDigest(e), 2);
            bytes memory receipt = _sign(workerKey, _receiptDigest(e, RESULT));
            vm.warp(e.deadline + 1);
            vm.expectEmit(address(committee));
            emit StewardCommittee.ReceiptAnchored(
                e.index, _entryHash(e), e.queryDigest, e.snapshot, 7, 5e6, RESULT, worker
            );
            vm.prank(stranger);
            committee.anchorReceipt(e, s, RESULT, receipt);
            assertTrue(committee.isAnchored(order[i]));
        }
        assertFalse(committee.isAnchored(1));
    }
}
