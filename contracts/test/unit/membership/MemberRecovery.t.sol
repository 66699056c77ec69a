// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SignerP256} from "@openzeppelin/contracts/utils/cryptography/signers/SignerP256.sol";
import {MemberAccount} from "../../../src/membership/MemberAccount.sol";
import {Membership} from "../../../src/membership/Membership.sol";
import {ConsentRegistry} from "../../../src/consent/ConsentRegistry.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {PasskeyTest} from "../../utils/PasskeyTest.sol";

contract MemberRecoveryTest is PasskeyTest {
    uint256 internal constant THIRD_PASSKEY = uint256(keccak256("a third passkey"));

    MemberAccount internal account;
    MemberAccount.Approval internal a;

    function setUp() public override {
        super.setUp();
        account = _createAccount(PASSKEY);
        a = _approval(account, 0, NEW_PASSKEY);
    }

    function _readyAt() internal view returns (uint64 readyAt) {
        (,, readyAt) = account.pendingRecovery();
    }

    function _assertPasskey(uint256 key) internal view {
        (bytes32 x, bytes32 y) = account.signer();
        (bytes32 qx, bytes32 qy) = _public(key);
        assertEq(x, qx);
        assertEq(y, qy);
    }

    function _expectRefusal(uint256 key, bytes memory reason) internal {
        bytes memory signature = _sign(key, _approvalDigest(account, a));
        vm.expectRevert(reason);
        account.approveRecovery(a, _recovery(), signature);
    }

    // ------------------------------------------------------------------------------------- approveRecovery

    function test_RevertWhen_ItIsNotTheRecoveryInForce() external {
        MemberAccount.Recovery memory r = _recovery();
        r.delay = 1 days;
        bytes memory signature = _sign(guardianKeys[0], _approvalDigest(account, a));
        vm.expectRevert(MemberAccount.MemberAccount_NotTheRecovery.selector);
        account.approveRecovery(a, r, signature);
    }

    function test_RevertWhen_TheApprovalIsLateOrOld() external {
        vm.warp(a.deadline + 1);
        _expectRefusal(
            guardianKeys[0], abi.encodeWithSelector(MemberAccount.MemberAccount_Expired.selector, a.deadline)
        );
        a.deadline = block.timestamp;
        a.round = 1;
        _expectRefusal(guardianKeys[0], abi.encodeWithSelector(MemberAccount.MemberAccount_BadRound.selector, 1, 0));
    }

    function test_RevertWhen_TheNewPasskeyIsNoPoint() external {
        (a.qx, a.qy) = (a.qy, a.qx);
        _expectRefusal(
            guardianKeys[0], abi.encodeWithSelector(SignerP256.SignerP256InvalidPublicKey.selector, a.qx, a.qy)
        );
    }

    function test_RevertWhen_ItIsNoGuardian() external {
        a.guardian = stranger;
        bytes memory reason = abi.encodeWithSelector(MemberAccount.MemberAccount_NotAGuardian.selector, stranger);
        vm.prank(stranger);
        vm.expectRevert(reason);
        account.approveRecovery(a, _recovery(), "");
        a.guardian = address(0);
        _expectRefusal(1, abi.encodeWithSelector(MemberAccount.MemberAccount_NotAGuardian.selector, address(0)));
    }

    function test_RevertWhen_TheGuardiansSignatureIsBad() external {
        bytes memory bad = abi.encodeWithSelector(MemberAccount.MemberAccount_BadSignature.selector);
        _expectRefusal(guardianKeys[1], bad);
        bytes memory signature = _malleated(guardianKeys[0], _approvalDigest(account, a));
        vm.expectRevert(bad);
        account.approveRecovery(a, _recovery(), signature);
        signature = _sign(guardianKeys[0], _approvalDigest(MemberAccount(payable(stranger)), a));
        vm.expectRevert(bad);
        account.approveRecovery(a, _recovery(), signature);
        signature = _sign(guardianKeys[0], _approvalDigest(account, a));
        vm.chainId(1);
        vm.expectRevert(bad);
        account.approveRecovery(a, _recovery(), signature);
    }

    function testFuzz_RevertWhen_AnApprovedFieldIsChanged(uint256 by) external {
        bytes memory signature = _sign(guardianKeys[0], _approvalDigest(account, a));
        if (by & 1 == 0) a.deadline += bound(by, 1, 1000 days);
        else (a.qx, a.qy) = _public(bound(by, 1, type(uint128).max));
        vm.expectRevert(MemberAccount.MemberAccount_BadSignature.selector);
        account.approveRecovery(a, _recovery(), signature);
    }

    function test_WhenTheGuardianCalls() external {
        vm.expectEmit(address(account));
        emit MemberAccount.RecoveryApproved(0, a.guardian, a.qx, a.qy);
        vm.prank(a.guardian);
        account.approveRecovery(a, _recovery(), "");
        assertEq(_readyAt(), 0, "one is not enough");
        a = _approval(account, 1, NEW_PASSKEY);
        vm.prank(a.guardian);
        account.approveRecovery(a, _recovery(), "");
        assertEq(_readyAt(), block.timestamp + DELAY);
    }

    function test_WhenTheGuardianIsAPasskeyAccount() external {
        MemberAccount friend = _createAccount(THIRD_PASSKEY);
        MemberAccount.Recovery memory r = MemberAccount.Recovery(new address[](1), 1, DELAY);
        r.guardians[0] = address(friend);
        vm.prank(address(account));
        account.setRecovery(r);
        a = _approval(account, 0, NEW_PASSKEY);
        a.guardian = address(friend);
        bytes memory signature = _messageSign(friend, THIRD_PASSKEY, _approvalDigest(account, a));
        account.approveRecovery(a, r, signature);
        assertEq(_readyAt(), block.timestamp + DELAY);
    }

    function test_WhenAGuardianApprovesTwice() external {
        _approve(account, 0, NEW_PASSKEY);
        _approve(account, 0, NEW_PASSKEY);
        assertEq(_readyAt(), 0);
    }

    function test_WhenGuardiansDisagree() external {
        _approve(account, 0, NEW_PASSKEY);
        _approve(account, 1, THIRD_PASSKEY);
        assertEq(_readyAt(), 0, "each apart");
        _approve(account, 2, THIRD_PASSKEY);
        (bytes32 qx, bytes32 qy) = _public(THIRD_PASSKEY);
        (bytes32 x, bytes32 y, uint64 readyAt) = account.pendingRecovery();
        assertEq(x, qx);
        assertEq(y, qy);
        assertEq(readyAt, block.timestamp + DELAY);
    }

    function test_WhenAnotherTakesThePlaceOfOneUnderWay() external {
        _approve(account, 0, NEW_PASSKEY);
        _approve(account, 1, NEW_PASSKEY);
        assertEq(account.recoveryRound(), 1);
        vm.warp(block.timestamp + 1 days);
        _approve(account, 1, THIRD_PASSKEY);
        (bytes32 qx, bytes32 qy) = _public(THIRD_PASSKEY);
        vm.expectEmit(address(account));
        emit MemberAccount.RecoveryStarted(qx, qy, uint64(block.timestamp) + DELAY);
        _approve(account, 2, THIRD_PASSKEY);
        vm.warp(block.timestamp + DELAY);
        account.executeRecovery();
        _assertPasskey(THIRD_PASSKEY);
    }

    // -------------------------------------------------------------------------------------- executeRecovery

    function testFuzz_OnlyInsideTheWindow(uint32 wait) external {
        _approve(account, 0, NEW_PASSKEY);
        _approve(account, 1, NEW_PASSKEY);
        uint64 readyAt = _readyAt();
        vm.warp(block.timestamp + bound(wait, 0, 60 days));
        bool early = block.timestamp < readyAt;
        bool late = block.timestamp > readyAt + 30 days;
        if (early) vm.expectRevert(abi.encodeWithSelector(MemberAccount.MemberAccount_TooEarly.selector, readyAt));
        if (late) {
            vm.expectRevert(
                abi.encodeWithSelector(MemberAccount.MemberAccount_RecoveryExpired.selector, readyAt + 30 days)
            );
        }
        account.executeRecovery();
        _assertPasskey(early || late ? PASSKEY : NEW_PASSKEY);
    }

    function test_WhenTheWindowOpensAndCloses() external {
        _approve(account, 0, NEW_PASSKEY);
        _approve(account, 1, NEW_PASSKEY);
        uint64 readyAt = _readyAt();
        vm.warp(readyAt - 1);
        vm.expectRevert(abi.encodeWithSelector(MemberAccount.MemberAccount_TooEarly.selector, readyAt));
        account.executeRecovery();
        vm.warp(readyAt + 30 days + 1);
        vm.expectRevert(abi.encodeWithSelector(MemberAccount.MemberAccount_RecoveryExpired.selector, readyAt + 30 days));
        account.executeRecovery();
        // An expired one stands in nobody's way.
        _recover(account, THIRD_PASSKEY);
        _assertPasskey(THIRD_PASSKEY);
        vm.expectRevert(MemberAccount.MemberAccount_NoRecovery.selector);
        account.executeRecovery();
    }

    function test_WhenRecovered() external {
        _approve(account, 0, NEW_PASSKEY);
        _approve(account, 2, NEW_PASSKEY);
        vm.warp(block.timestamp + DELAY);
        vm.expectEmit(address(account));
        emit MemberAccount.RecoveryEnded(true);
        vm.expectEmit(address(account));
        emit MemberAccount.PasskeySet(a.qx, a.qy);
        vm.prank(stranger);
        account.executeRecovery();
        bytes32 digest = keccak256("anything");
        bytes memory old = _messageSign(account, PASSKEY, digest);
        assertEq(account.isValidSignature(digest, old), bytes4(0xffffffff), "the lost passkey opens nothing");
        _execute(account, NEW_PASSKEY, _call(address(0), abi.encodeCall(account.veto, ())));
    }

    function test_RecoveryDoublesNoVote() external {
        uint32 id = _joinWith(account);
        _join();
        ConsentRegistry.ConsentGrant memory g =
            ConsentRegistry.ConsentGrant(id, 1, keccak256("receipt"), 0, 0, type(uint256).max);
        consents.grant(g, _messageSign(account, PASSKEY, _grantDigest(g)));
        vm.warp(GENESIS + 31 days);
        uint256 before = block.timestamp;
        _recover(account, NEW_PASSKEY);
        vm.warp(block.timestamp + 1);

        uint256[2] memory moments = [before, block.timestamp - 1];
        for (uint256 i; i < moments.length; ++i) {
            assertEq(membership.getPastVotes(address(account), moments[i]), 1);
            assertEq(membership.getPastTotalSupply(moments[i]), 2);
        }
        assertEq(membership.accountOf(id), address(account), "the address stays");
        assertTrue(consents.isGranted(id), "and so does the consent");
        assertEq(membership.balanceOf(address(account)), 1);

        // A second account cannot join with the same credential, nor this account with a second one.
        MemberAccount second = _createAccount(NEW_PASSKEY);
        Membership.Admission memory again = _admission(address(account), stranger);
        again.account = address(second);
        bytes memory signature = _sign(registrarKey, _admissionDigest(again));
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_NullifierUsed.selector, again.nullifier));
        membership.join(again, signature);
        again = _admission(address(account), stranger);
        again.nullifier = keccak256("a second credential");
        signature = _sign(registrarKey, _admissionDigest(again));
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_AccountUsed.selector, address(account), id));
        membership.join(again, signature);
    }

    function test_WhatIsOwedSurvivesRecovery() external {
        uint32 id = _joinWith(account);
        ISettlementLedger.Claim[] memory claims = _earn(id, 7e6, 0);
        _recover(account, NEW_PASSKEY);
        Membership.Payout memory p = _payoutOf(id, stranger);
        bytes memory old = _messageSign(account, PASSKEY, _payoutDigest(p));
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_BadSignature.selector, id));
        membership.setPayout(p, old);
        membership.setPayout(p, _messageSign(account, NEW_PASSKEY, _payoutDigest(p)));
        _claim(claims);
        assertEq(usdc.balanceOf(stranger), 7e6);
    }

    // ------------------------------------------------------------------------------------------------- veto

    function testFuzz_VetoAtAnyTime(uint32 wait, uint8 how) external {
        _approve(account, 0, NEW_PASSKEY);
        _approve(account, 1, NEW_PASSKEY);
        vm.warp(block.timestamp + bound(wait, 0, DELAY + 30 days));
        (bytes32 qx, bytes32 qy) = _public(PASSKEY);
        bytes memory act = abi.encodeCall(account.veto, ());
        if (how % 3 == 1) act = abi.encodeCall(account.setRecovery, (_recovery()));
        if (how % 3 == 2) act = abi.encodeCall(account.setPasskey, (qx, qy));
        vm.expectEmit(address(account));
        emit MemberAccount.RecoveryEnded(false);
        _execute(account, PASSKEY, _call(address(account), act));
        assertEq(_readyAt(), 0);
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(MemberAccount.MemberAccount_NoRecovery.selector);
        account.executeRecovery();
        _assertPasskey(PASSKEY);
    }

    function test_VetoVoidsApprovalsGivenSoFar() external {
        _approve(account, 0, NEW_PASSKEY);
        bytes memory held = _sign(guardianKeys[0], _approvalDigest(account, a));
        _execute(account, PASSKEY, _call(address(0), abi.encodeCall(account.veto, ())));
        vm.expectRevert(abi.encodeWithSelector(MemberAccount.MemberAccount_BadRound.selector, 0, 1));
        account.approveRecovery(a, _recovery(), held);
        _approve(account, 1, NEW_PASSKEY);
        assertEq(_readyAt(), 0, "the first one no longer counts");
        _approve(account, 2, NEW_PASSKEY);
        assertEq(_readyAt(), block.timestamp + DELAY);
    }
}
