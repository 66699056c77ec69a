// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Account as ERC4337Account} from "@openzeppelin/contracts/account/Account.sol";
import {ERC7821} from "@openzeppelin/contracts/account/extensions/draft-ERC7821.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Execution} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {SignerP256} from "@openzeppelin/contracts/utils/cryptography/signers/SignerP256.sol";
import {ConsentRegistry} from "../../../src/consent/ConsentRegistry.sol";
import {ContributionRegistry} from "../../../src/contribution/ContributionRegistry.sol";
import {MemberAccount} from "../../../src/membership/MemberAccount.sol";
import {MemberAccountFactory} from "../../../src/membership/MemberAccountFactory.sol";
import {Membership} from "../../../src/membership/Membership.sol";
import {PasskeyTest} from "../../utils/PasskeyTest.sol";

contract MemberAccountTest is PasskeyTest {
    MemberAccount internal account;
    address internal entryPoint;
    bytes internal calls;
    uint256 internal deadline;

    function setUp() public override {
        super.setUp();
        account = _createAccount(PASSKEY);
        entryPoint = address(account.entryPoint());
        calls = _call(address(usdc), abi.encodeCall(usdc.transfer, (stranger, 5)));
        deadline = block.timestamp + 1 hours;
        usdc.mint(address(account), 100);
    }

    // ----------------------------------------------------------------------------------------------- factory

    function test_RevertWhen_TheImplementationIsNoContract() external {
        vm.expectRevert(
            abi.encodeWithSelector(MemberAccountFactory.MemberAccountFactory_NotAContract.selector, stranger)
        );
        new MemberAccountFactory(stranger);
    }

    function test_RevertWhen_ThePasskeyIsNoPoint() external {
        vm.expectRevert(abi.encodeWithSelector(SignerP256.SignerP256InvalidPublicKey.selector, 1, 1));
        accounts.create(bytes32(uint256(1)), bytes32(uint256(1)), _recovery());
    }

    function _badRecoveries() internal view returns (MemberAccount.Recovery[] memory bad) {
        bad = new MemberAccount.Recovery[](10);
        for (uint256 i; i < bad.length; ++i) {
            bad[i] = _recovery();
        }
        bad[0].threshold = 1; // no majority
        bad[1].threshold = 4;
        bad[2].delay = 1 days - 1;
        bad[3].delay = 90 days + 1;
        bad[4].guardians[1] = bad[4].guardians[0];
        (bad[5].guardians[0], bad[5].guardians[1]) = (bad[5].guardians[1], bad[5].guardians[0]);
        bad[6].guardians[0] = address(0);
        bad[7].guardians = new address[](0);
        (bad[8].guardians, bad[8].threshold) = (new address[](17), 9);
        for (uint160 i; i < 17; ++i) {
            bad[8].guardians[i] = address(i + 1);
        }
        (bad[9].guardians, bad[9].threshold) = (new address[](0), 0); // a delay of nothing
    }

    function test_RevertWhen_TheRecoveryMakesNoSense() external {
        MemberAccount.Recovery[] memory bad = _badRecoveries();
        (bytes32 qx, bytes32 qy) = _public(PASSKEY);
        for (uint256 i; i < bad.length; ++i) {
            vm.expectRevert(MemberAccount.MemberAccount_BadRecovery.selector);
            accounts.create(qx, qy, bad[i]);
            vm.prank(address(account));
            vm.expectRevert(MemberAccount.MemberAccount_BadRecovery.selector);
            account.setRecovery(bad[i]);
        }
        MemberAccount.Recovery memory own = MemberAccount.Recovery(new address[](1), 1, DELAY);
        own.guardians[0] = address(account);
        vm.prank(address(account));
        vm.expectRevert(MemberAccount.MemberAccount_BadRecovery.selector);
        account.setRecovery(own);
    }

    function test_WhenTheAccountExists() external {
        (bytes32 qx, bytes32 qy) = _public(PASSKEY);
        _execute(account, PASSKEY, calls);
        vm.recordLogs();
        assertEq(accounts.create(qx, qy, _recovery()), address(account));
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(account.nonce(), 1, "untouched");
    }

    function testFuzz_WhenCreated(uint256 key, uint32 delay, address sender) external {
        key = bound(key, 1, P256.N - 1);
        (bytes32 qx, bytes32 qy) = _public(key);
        MemberAccount.Recovery memory r = _recovery();
        r.delay = uint32(bound(delay, 1 days, 90 days));
        address at = accounts.accountAt(qx, qy, r);
        vm.assume(at != address(account));
        vm.expectEmit(address(accounts));
        emit MemberAccountFactory.AccountCreated(at, qx, qy);
        vm.expectEmit(at);
        emit MemberAccount.PasskeySet(qx, qy);
        vm.expectEmit(at);
        emit MemberAccount.RecoverySet(r);
        vm.prank(sender);
        assertEq(accounts.create(qx, qy, r), at);
        MemberAccount made = MemberAccount(payable(at));
        (bytes32 x, bytes32 y) = made.signer();
        assertEq(x, qx);
        assertEq(y, qy);
        assertEq(made.recoveryHash(), keccak256(abi.encode(r)));
        r.threshold = 3;
        assertNotEq(accounts.accountAt(qx, qy, r), at, "the guardians are bound");
    }

    function test_RevertWhen_InitializedAgain() external {
        (bytes32 qx, bytes32 qy) = _public(NEW_PASSKEY);
        vm.expectRevert(MemberAccount.MemberAccount_AlreadyInitialized.selector);
        account.initialize(qx, qy, _recovery());
        MemberAccount code = MemberAccount(payable(accounts.IMPLEMENTATION()));
        vm.expectRevert(MemberAccount.MemberAccount_AlreadyInitialized.selector);
        code.initialize(qx, qy, _recovery());
    }

    // --------------------------------------------------------------------------------------- executeSigned

    function _expectRefusal(bytes memory signature, bytes memory reason) internal {
        vm.expectRevert(reason);
        account.executeSigned(BATCH, calls, 0, deadline, signature);
    }

    function _bad() internal pure returns (bytes memory) {
        return abi.encodeWithSelector(MemberAccount.MemberAccount_BadSignature.selector);
    }

    function _digest() internal view returns (bytes32) {
        return _executeDigest(account, calls, 0, deadline);
    }

    function test_RevertWhen_TheDeadlineHasPassed() external {
        bytes memory signature = _passkeySign(PASSKEY, _digest());
        vm.warp(deadline + 1);
        _expectRefusal(signature, abi.encodeWithSelector(MemberAccount.MemberAccount_Expired.selector, deadline));
    }

    function test_RevertWhen_Replayed() external {
        bytes memory signature = _passkeySign(PASSKEY, _digest());
        account.executeSigned(BATCH, calls, 0, deadline, signature);
        _expectRefusal(signature, abi.encodeWithSelector(MemberAccount.MemberAccount_BadNonce.selector, 0, 1));
        vm.expectRevert(_bad());
        account.executeSigned(BATCH, calls, 1, deadline, signature);
        assertEq(usdc.balanceOf(stranger), 5, "once");
    }

    function test_RevertWhen_TheModeIsNotABatch() external {
        bytes32[3] memory modes = [bytes32(0), bytes32(uint256(0x0101) << 240), bytes32(uint256(0xff) << 248)];
        for (uint256 i; i < modes.length; ++i) {
            vm.expectRevert(ERC7821.UnsupportedExecutionMode.selector);
            account.executeSigned(modes[i], calls, 0, deadline, "");
        }
    }

    function test_RevertWhen_TheSignatureIsBad() external {
        _expectRefusal(_passkeySign(NEW_PASSKEY, _digest()), _bad());
        _expectRefusal("", _bad());
        WebAuthn.WebAuthnAuth memory good = _assertion(PASSKEY, VERIFIED, _clientData("webauthn.get", _digest()));
        good.s = bytes32(P256.N - uint256(good.s));
        _expectRefusal(_assertionBytes(good), _bad()); // malleated
        _expectRefusal(abi.encode(good), _bad()); // shifted by a word
        string memory created = _clientData("webauthn.create", _digest());
        _expectRefusal(_assertionBytes(_assertion(PASSKEY, VERIFIED, created)), _bad());
        string memory other = _clientData("webauthn.get", keccak256("another challenge"));
        _expectRefusal(_assertionBytes(_assertion(PASSKEY, VERIFIED, other)), _bad());
        bytes1[4] memory flags = [bytes1(0x00), 0x01, 0x04, 0x15]; // absent, not verified, not present, backed up wrongly
        for (uint256 i; i < flags.length; ++i) {
            string memory data = _clientData("webauthn.get", _digest());
            _expectRefusal(_assertionBytes(_assertion(PASSKEY, flags[i], data)), _bad());
        }
    }

    /// @dev Whatever one flips in the signature: no second signature is found, and nothing but a clean refusal happens.
    function testFuzz_RevertWhen_TheSignatureIsChanged(uint256 at, uint8 flip) external {
        bytes memory signature = _passkeySign(PASSKEY, _digest());
        at = bound(at, 0, 63); // r and s
        signature[at] = bytes1(uint8(signature[at]) ^ uint8(bound(flip, 1, 255)));
        _expectRefusal(signature, _bad());
    }

    function testFuzz_RevertWhen_TheSignatureIsCut(uint256 length) external {
        bytes memory signature = _passkeySign(PASSKEY, _digest());
        length = bound(length, 0, signature.length - 33);
        assembly {
            mstore(signature, length)
        }
        _expectRefusal(signature, _bad());
    }

    function testFuzz_RevertWhen_ASignedFieldIsChanged(uint8 field, uint256 by) external {
        bytes memory signature = _passkeySign(PASSKEY, _digest());
        by = bound(by, 1, 1 days);
        if (field % 3 == 0) deadline += by;
        if (field % 3 == 1) calls = _call(address(usdc), abi.encodeCall(usdc.transfer, (stranger, 5 + by)));
        bytes32 mode = field % 3 == 2 ? bytes32(uint256(BATCH) | by) : BATCH; // the rest of the mode is payload
        vm.expectRevert(MemberAccount.MemberAccount_BadSignature.selector);
        account.executeSigned(mode, calls, 0, deadline, signature);
    }

    function test_RevertWhen_SignedForAnotherPlace() external {
        bytes memory signature = _passkeySign(PASSKEY, _digest());
        (bytes32 qx, bytes32 qy) = _public(PASSKEY);
        MemberAccount twin = MemberAccount(payable(accounts.create(qx, qy, _noRecovery())));
        vm.expectRevert(_bad());
        twin.executeSigned(BATCH, calls, 0, deadline, signature);
        _expectRefusal(_messageSign(account, PASSKEY, _digest()), _bad());
        vm.chainId(1);
        _expectRefusal(signature, _bad());
    }

    function test_RevertWhen_ACallReverts() external {
        calls = _call(address(membership), abi.encodeCall(membership.delegate, (stranger)));
        _expectRefusal(
            _passkeySign(PASSKEY, _digest()), abi.encodeWithSelector(Membership.Membership_NoDelegation.selector)
        );
        assertEq(account.nonce(), 0);
    }

    function _batchOfTwo() internal returns (bytes memory) {
        (bool paid,) = address(account).call{value: 3}("");
        assertTrue(paid);
        Execution[] memory two = new Execution[](2);
        two[0] = Execution(address(usdc), 0, abi.encodeCall(usdc.transfer, (stranger, 5)));
        two[1] = Execution(stranger, 3, "");
        return abi.encode(two);
    }

    function _assertExecutes() internal {
        calls = _batchOfTwo();
        bytes memory signature = _passkeySign(PASSKEY, _digest());
        vm.prank(gateway);
        account.executeSigned(BATCH, calls, 0, deadline, signature);
        assertEq(usdc.balanceOf(stranger), 5);
        assertEq(stranger.balance, 3);
        assertEq(account.nonce(), 1);
    }

    function test_WhenExecutedWithoutThePrecompile() external {
        _assertExecutes();
    }

    /// forge-config: default.evm_version = "osaka"
    function test_WhenExecutedWithThePrecompile() external {
        (bytes32 qx, bytes32 qy) = _public(PASSKEY);
        (bytes32 r, bytes32 s) = vm.signP256(PASSKEY % P256.N, keccak256("it is there"));
        if (uint256(s) > P256.N / 2) s = bytes32(P256.N - uint256(s));
        assertTrue(P256.verifyNative(keccak256("it is there"), r, s, qx, qy));
        _assertExecutes();
    }

    // ------------------------------------------------------------------------------------ isValidSignature

    function test_WhenThePasskeySignedAMessage() external {
        bytes32 digest = keccak256("anything");
        bytes4 yes = IERC1271.isValidSignature.selector;
        assertEq(account.isValidSignature(digest, _messageSign(account, PASSKEY, digest)), yes);
        bytes4 no = 0xffffffff;
        assertEq(account.isValidSignature(digest, _passkeySign(PASSKEY, digest)), no, "the bare hash");
        assertEq(account.isValidSignature(digest, _messageSign(account, NEW_PASSKEY, digest)), no);
        assertEq(account.isValidSignature(_digest(), _passkeySign(PASSKEY, _digest())), no, "a call is no message");
        MemberAccount twin = MemberAccount(payable(stranger));
        assertEq(account.isValidSignature(digest, _messageSign(twin, PASSKEY, digest)), no, "another account");
        bytes memory signature = _messageSign(account, PASSKEY, digest);
        vm.chainId(1);
        assertEq(account.isValidSignature(digest, signature), no, "another chain");
    }

    /// @dev The life of a member who never has a wallet: everything is relayed.
    function test_WhenAMemberLivesByPasskey() external {
        uint32 id = _joinWith(account);
        ConsentRegistry.ConsentGrant memory g =
            ConsentRegistry.ConsentGrant(id, 1, keccak256("receipt"), 0, 0, deadline);
        vm.startPrank(gateway);
        consents.grant(g, _messageSign(account, PASSKEY, _grantDigest(g)));
        ContributionRegistry.Contribution[] memory c = new ContributionRegistry.Contribution[](1);
        bytes[] memory signatures = new bytes[](1);
        c[0] = _contribution(id);
        signatures[0] = _messageSign(account, PASSKEY, _contributionDigest(c[0]));
        contributions.record(c, signatures);
        assertEq(contributions.countOf(id), 1);
        Membership.Payout memory p = _payoutOf(id, stranger);
        membership.setPayout(p, _messageSign(account, PASSKEY, _payoutDigest(p)));
        Membership.Leave memory l = _leaveOf(id);
        membership.leave(l, _messageSign(account, PASSKEY, _leaveDigest(l)));
        ConsentRegistry.ConsentErase memory e = ConsentRegistry.ConsentErase(id, 1, deadline);
        consents.erase(e, _messageSign(account, PASSKEY, _eraseDigest(e)));
        vm.stopPrank();
        assertEq(membership.payoutOf(id), stranger);
        assertFalse(membership.isMember(address(account)));
    }

    // --------------------------------------------------------------------------------------------- ERC-4337

    function test_RevertWhen_TheCallerIsNotTheEntryPoint() external {
        PackedUserOperation memory op;
        bytes memory unauthorized = abi.encodeWithSelector(ERC4337Account.AccountUnauthorized.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        account.validateUserOp(op, 0, 0);
        vm.expectRevert(unauthorized);
        account.execute(BATCH, calls);
    }

    function test_WhenTheEntryPointAsks() external {
        vm.deal(address(account), 10);
        PackedUserOperation memory op;
        bytes32 hash = keccak256("user operation");
        op.signature = _passkeySign(PASSKEY, hash);
        vm.prank(entryPoint);
        assertEq(account.validateUserOp(op, hash, 4), 0);
        assertEq(entryPoint.balance, 4, "prefunded");
        vm.prank(entryPoint);
        assertEq(account.validateUserOp(op, keccak256("another"), 0), 1);
    }

    function test_WhenTheEntryPointExecutes() external {
        vm.prank(entryPoint);
        account.execute(BATCH, calls);
        assertEq(usdc.balanceOf(stranger), 5);
        vm.prank(entryPoint);
        vm.expectRevert(ERC7821.UnsupportedExecutionMode.selector);
        account.execute(bytes32(0), calls);
        assertEq(account.onERC721Received(stranger, stranger, 1, ""), account.onERC721Received.selector);
    }

    // ------------------------------------------------------------------------- setPasskey, setRecovery, veto

    function test_RevertWhen_NotTheAccountItself() external {
        (bytes32 qx, bytes32 qy) = _public(NEW_PASSKEY);
        bytes memory unauthorized = abi.encodeWithSelector(ERC4337Account.AccountUnauthorized.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        account.setPasskey(qx, qy);
        vm.expectRevert(unauthorized);
        account.setRecovery(_noRecovery());
        vm.expectRevert(unauthorized);
        account.veto();
    }

    function test_WhenThePasskeyIsChangedByItself() external {
        (bytes32 qx, bytes32 qy) = _public(NEW_PASSKEY);
        _execute(account, PASSKEY, _call(address(0), abi.encodeCall(account.setPasskey, (qx, qy))));
        _execute(account, NEW_PASSKEY, calls);
        bytes memory signature = _passkeySign(PASSKEY, _executeDigest(account, calls, 2, deadline));
        vm.expectRevert(_bad());
        account.executeSigned(BATCH, calls, 2, deadline, signature);
        vm.prank(address(account));
        vm.expectRevert(abi.encodeWithSelector(SignerP256.SignerP256InvalidPublicKey.selector, 0, 0));
        account.setPasskey(0, 0);
    }

    function test_WhenGuardiansAreChanged() external {
        MemberAccount.Recovery memory none = _noRecovery();
        _execute(account, PASSKEY, _call(address(0), abi.encodeCall(account.setRecovery, (none))));
        assertEq(account.recoveryHash(), keccak256(abi.encode(none)));
        MemberAccount.Approval memory a = _approval(account, 0, NEW_PASSKEY);
        bytes memory signature = _sign(guardianKeys[0], _approvalDigest(account, a));
        vm.expectRevert(MemberAccount.MemberAccount_NotTheRecovery.selector);
        account.approveRecovery(a, _recovery(), signature);
        vm.expectRevert(abi.encodeWithSelector(MemberAccount.MemberAccount_NotAGuardian.selector, a.guardian));
        account.approveRecovery(a, none, signature);
    }
}
