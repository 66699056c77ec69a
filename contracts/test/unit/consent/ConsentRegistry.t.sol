// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Pausing} from "../../../src/access/Pausing.sol";
import {ConsentRegistry} from "../../../src/consent/ConsentRegistry.sol";
import {ContractSigner} from "../../utils/ContractSigner.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract ConsentRegistryTest is CoopTest {
    uint32 internal id;
    ConsentRegistry.ConsentGrant internal g;

    function setUp() public override {
        super.setUp();
        id = _join();
        g = ConsentRegistry.ConsentGrant(id, 1, keccak256("receipt"), 0, 0, block.timestamp + 1 days);
    }

    function _expectGrantRevert(bytes memory reason) internal {
        bytes memory signature = _sign(memberKeys[id], _grantDigest(g));
        vm.expectRevert(reason);
        consents.grant(g, signature);
    }

    function test_RevertWhen_TheDeadlineHasPassed() external {
        vm.warp(g.deadline + 1);
        bytes memory expired = abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_Expired.selector, g.deadline);
        _expectGrantRevert(expired);
        vm.expectRevert(expired);
        consents.revoke(ConsentRegistry.ConsentRevoke(id, 0, g.deadline), "");
        vm.expectRevert(expired);
        consents.erase(ConsentRegistry.ConsentErase(id, 0, g.deadline), "");
    }

    /// @dev One nonce for the three: a captured signature is worth nothing once anything was sent.
    function test_RevertWhen_TheNonceIsNotTheNext() external {
        bytes memory signature = _sign(memberKeys[id], _grantDigest(g));
        consents.grant(g, signature);
        vm.expectRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_BadNonce.selector, 0, 1));
        consents.grant(g, signature);
        ConsentRegistry.ConsentRevoke memory r = ConsentRegistry.ConsentRevoke(id, 2, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_BadNonce.selector, 2, 1));
        consents.revoke(r, "");
        ConsentRegistry.ConsentErase memory e = ConsentRegistry.ConsentErase(id, 0, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_BadNonce.selector, 0, 1));
        consents.erase(e, "");
        assertEq(consents.nonce(id), 1);
    }

    function test_RevertWhen_TheMemberIsNotActive() external {
        g.memberId = 9;
        _expectGrantRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_NotActive.selector, 9));
        _erase(id);
        (g.memberId, g.nonce) = (id, 1);
        _expectGrantRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_NotActive.selector, id));
    }

    function test_RevertWhen_TheSignatureIsBad() external {
        bytes memory bad = abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_BadSignature.selector, id);
        bytes32 digest = _grantDigest(g);
        vm.expectRevert(bad);
        consents.grant(g, _sign(registrarKey, digest));
        vm.expectRevert(bad);
        consents.grant(g, _malleated(memberKeys[id], digest));
        bytes memory signature = _sign(memberKeys[id], digest);
        vm.chainId(1);
        vm.expectRevert(bad);
        consents.grant(g, signature);
        vm.expectRevert(bad);
        consents.revoke(ConsentRegistry.ConsentRevoke(id, 0, block.timestamp), signature);
        vm.expectRevert(bad);
        consents.erase(ConsentRegistry.ConsentErase(id, 0, block.timestamp), signature);
    }

    /// @dev A signature for one of the three is none for another, though revoke and erase have the same fields.
    function test_RevertWhen_ARevocationIsSentAsAnErasure() external {
        ConsentRegistry.ConsentRevoke memory r = ConsentRegistry.ConsentRevoke(id, 0, block.timestamp);
        bytes memory signature = _sign(memberKeys[id], _revokeDigest(r));
        vm.expectRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_BadSignature.selector, id));
        consents.erase(ConsentRegistry.ConsentErase(id, 0, block.timestamp), signature);
    }

    function test_WhenTheMemberIsAContractAccount() external {
        ContractSigner account = new ContractSigner(vm.addr(77));
        bytes memory admission = _sign(registrarKey, _admissionDigest(_admission(address(account), stranger)));
        g.memberId = membership.join(_admission(address(account), stranger), admission);
        consents.grant(g, _sign(77, _grantDigest(g)));
        assertTrue(consents.isGranted(g.memberId));
        (g.version, g.nonce) = (2, 1);
        bytes memory signature = _sign(78, _grantDigest(g));
        vm.expectRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_BadSignature.selector, g.memberId));
        consents.grant(g, signature);
    }

    function test_RevertWhen_TheVersionIsNotTheNext() external {
        g.version = 2;
        _expectGrantRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_BadVersion.selector, 2, 1));
    }

    function test_RevertWhen_TheReceiptIsMissing() external {
        g.receiptCommitment = 0;
        _expectGrantRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_ReceiptMissing.selector));
    }

    function test_RevertWhen_TheExpiryHasPassed() external {
        g.expiry = uint64(block.timestamp);
        _expectGrantRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_ExpiryPassed.selector, g.expiry));
    }

    function testFuzz_IsGrantedUntilTheExpiry(uint64 expiry, uint64 at) external {
        g.expiry = uint64(bound(expiry, block.timestamp + 1, type(uint64).max - 1));
        bytes memory signature = _sign(memberKeys[id], _grantDigest(g));
        vm.expectEmit(address(consents));
        emit ConsentRegistry.ConsentGranted(id, 1, g.receiptCommitment, g.expiry);
        vm.prank(stranger);
        consents.grant(g, signature);
        (uint32 version, ConsentRegistry.Status status, uint64 stored, uint256 nonce) = consents.consentOf(id);
        assertEq(version, 1);
        assertEq(uint8(status), uint8(ConsentRegistry.Status.Granted));
        assertEq(stored, g.expiry);
        assertEq(nonce, 1);
        assertEq(consents.receiptOf(id), g.receiptCommitment);
        vm.warp(bound(at, block.timestamp, type(uint64).max));
        assertEq(consents.isGranted(id), block.timestamp < g.expiry);
    }

    function test_RevertWhen_NothingIsGranted() external {
        ConsentRegistry.ConsentRevoke memory r = ConsentRegistry.ConsentRevoke(id, 0, block.timestamp);
        bytes memory signature = _sign(memberKeys[id], _revokeDigest(r));
        vm.expectRevert(
            abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_NotGranted.selector, id, ConsentRegistry.Status.None)
        );
        consents.revoke(r, signature);
    }

    function test_WhenTheGrantHasExpiredItCanBeRevoked() external {
        g.expiry = uint64(block.timestamp + 1);
        consents.grant(g, _sign(memberKeys[id], _grantDigest(g)));
        vm.warp(block.timestamp + 2);
        _revoke(id);
        (, ConsentRegistry.Status status,,) = consents.consentOf(id);
        assertEq(uint8(status), uint8(ConsentRegistry.Status.Revoked));
    }

    function test_WhenRevokedAndGrantedAgain() external {
        _grant(id);
        ConsentRegistry.ConsentRevoke memory r = ConsentRegistry.ConsentRevoke(id, 1, block.timestamp);
        bytes memory signature = _sign(memberKeys[id], _revokeDigest(r));
        vm.expectEmit(address(consents));
        emit ConsentRegistry.ConsentRevoked(id, 1);
        vm.prank(stranger);
        consents.revoke(r, signature);
        assertFalse(consents.isGranted(id));
        _grant(id);
        assertTrue(consents.isGranted(id));
        (uint32 version,,,) = consents.consentOf(id);
        assertEq(version, 2);
    }

    function test_WhenErased() external {
        _grant(id);
        ConsentRegistry.ConsentErase memory e = ConsentRegistry.ConsentErase(id, 1, block.timestamp);
        bytes memory signature = _sign(memberKeys[id], _eraseDigest(e));
        vm.expectEmit(address(consents));
        emit ConsentRegistry.Erased(id);
        vm.prank(stranger);
        consents.erase(e, signature);
        (, ConsentRegistry.Status status,,) = consents.consentOf(id);
        assertEq(uint8(status), uint8(ConsentRegistry.Status.Erased));
        assertFalse(consents.isGranted(id));
        assertEq(consents.receiptOf(id), 0);
        (,, bool active) = membership.memberOf(id);
        assertFalse(active);
    }

    function test_RevertWhen_ErasedBefore() external {
        _erase(id);
        ConsentRegistry.ConsentErase memory e = ConsentRegistry.ConsentErase(id, 1, block.timestamp);
        bytes memory signature = _sign(memberKeys[id], _eraseDigest(e));
        vm.expectRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_AlreadyErased.selector, id));
        consents.erase(e, signature);
    }

    function test_RevertWhen_ErasingAnIdNeverIssued() external {
        ConsentRegistry.ConsentErase memory e = ConsentRegistry.ConsentErase(9, 0, block.timestamp);
        bytes memory signature = _sign(memberKeys[id], _eraseDigest(e));
        vm.expectRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_BadSignature.selector, 9));
        consents.erase(e, signature);
    }

    function test_WhenExpelledTheConsentIsDeadAndErasingStaysPossible() external {
        _grant(id);
        _asMemberHouse();
        membership.expel(id, keccak256("reasons"));
        assertFalse(consents.isGranted(id));
        uint32[] memory ids = new uint32[](1);
        ids[0] = id;
        assertEq(consents.consentersOf(ids)[0], 0);
        (g.version, g.nonce) = (2, 1);
        _expectGrantRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_NotActive.selector, id));
        ConsentRegistry.ConsentRevoke memory r = ConsentRegistry.ConsentRevoke(id, 1, block.timestamp);
        bytes memory signature = _sign(memberKeys[id], _revokeDigest(r));
        vm.expectRevert(abi.encodeWithSelector(ConsentRegistry.ConsentRegistry_NotActive.selector, id));
        consents.revoke(r, signature);

        (, uint40 endedAt) = membership.membershipTimes(id);
        vm.warp(block.timestamp + 1 days);
        _erase(id);
        (, ConsentRegistry.Status status,,) = consents.consentOf(id);
        assertEq(uint8(status), uint8(ConsentRegistry.Status.Erased));
        assertEq(consents.receiptOf(id), 0);
        (, uint40 still) = membership.membershipTimes(id);
        assertEq(still, endedAt, "a membership ends once");
    }

    function test_WhilePausedOnlyGrantsStop() external {
        _grant(id);
        uint32 other = _join();
        uint64 until = uint64(block.timestamp + 7 days);
        vm.startPrank(pauser);
        consents.setPausedUntil(until);
        membership.setPausedUntil(until);
        vm.stopPrank();
        (g.version, g.nonce) = (2, 1);
        _expectGrantRevert(abi.encodeWithSelector(Pausing.Pausing_Paused.selector, until));
        _revoke(id);
        _erase(id);
        _erase(other);
        (, ConsentRegistry.Status status,,) = consents.consentOf(id);
        assertEq(uint8(status), uint8(ConsentRegistry.Status.Erased));
        assertFalse(membership.isMember(vm.addr(memberKeys[other])));
    }

    function test_WhenErasedWithoutEverGranting() external {
        _erase(id);
        (,, bool active) = membership.memberOf(id);
        assertFalse(active);
    }

    function test_ConsentersOf() external {
        _join();
        _join();
        _grant(1);
        _grant(3);
        _grant(3);
        uint32[] memory ids = new uint32[](4);
        (ids[0], ids[1], ids[2], ids[3]) = (3, 2, 1, 99);
        uint256[] memory consenters = consents.consentersOf(ids);
        assertEq(address(uint160(consenters[0])), vm.addr(memberKeys[3]));
        assertEq(consenters[0] >> 160, 2);
        assertEq(consenters[1], 0, "no consent");
        assertEq(consenters[2], uint256(uint160(vm.addr(memberKeys[1]))) | 1 << 160);
        assertEq(consenters[3], 0, "no member");
        _erase(3);
        assertEq(consents.consentersOf(ids)[0], 0, "erased");
    }
}
