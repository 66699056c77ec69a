// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Execution} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {MemberAccount} from "../../src/membership/MemberAccount.sol";
import {MemberAccountFactory} from "../../src/membership/MemberAccountFactory.sol";
import {Membership} from "../../src/membership/Membership.sol";
import {EndingTest} from "./EndingTest.sol";

/// @notice Passkey accounts: an authenticator as a browser has it, and three guardians of whom two decide.
abstract contract PasskeyTest is EndingTest {
    bytes32 internal constant BATCH = bytes32(uint256(1) << 248);
    /// @dev User present and verified, as an authenticator reports after a fingerprint.
    bytes1 internal constant VERIFIED = 0x05;
    uint32 internal constant DELAY = 3 days;
    uint256 internal constant PASSKEY = uint256(keccak256("passkey"));
    uint256 internal constant NEW_PASSKEY = uint256(keccak256("another passkey"));

    MemberAccountFactory internal accounts;
    uint256[] internal guardianKeys;

    function setUp() public virtual override {
        super.setUp();
        accounts = new MemberAccountFactory(address(new MemberAccount()));
        uint256[3] memory keys =
            [uint256(keccak256("guardian 1")), uint256(keccak256("guardian 2")), uint256(keccak256("guardian 3"))];
        for (uint256 i; i < 3; ++i) {
            for (uint256 j = i + 1; j < 3; ++j) {
                if (vm.addr(keys[i]) > vm.addr(keys[j])) (keys[i], keys[j]) = (keys[j], keys[i]);
            }
            guardianKeys.push(keys[i]);
        }
    }

    function _recovery() internal view returns (MemberAccount.Recovery memory r) {
        r.guardians = new address[](3);
        for (uint256 i; i < 3; ++i) {
            r.guardians[i] = vm.addr(guardianKeys[i]);
        }
        (r.threshold, r.delay) = (2, DELAY);
    }

    function _noRecovery() internal pure returns (MemberAccount.Recovery memory) {
        return MemberAccount.Recovery(new address[](0), 0, 0);
    }

    function _public(uint256 key) internal pure returns (bytes32 qx, bytes32 qy) {
        (uint256 x, uint256 y) = vm.publicKeyP256(key % P256.N);
        return (bytes32(x), bytes32(y));
    }

    function _createAccount(uint256 key) internal returns (MemberAccount) {
        (bytes32 qx, bytes32 qy) = _public(key);
        return MemberAccount(payable(accounts.create(qx, qy, _recovery())));
    }

    /// @dev A member whose account is a passkey account.
    function _joinWith(MemberAccount account) internal returns (uint32 id) {
        Membership.Admission memory a = _admission(address(account), _payoutAddress(memberKeys.length));
        id = membership.join(a, _sign(registrarKey, _admissionDigest(a)));
        memberKeys.push(0);
    }

    // --------------------------------------------------------------------------------------------- signing

    function _clientData(string memory type_, bytes32 challenge) internal pure returns (string memory) {
        return string.concat(
            '{"type":"',
            type_,
            '","challenge":"',
            Base64.encodeURL(abi.encodePacked(challenge)),
            '","origin":"https://coop.example","crossOrigin":false}'
        );
    }

    function _assertion(uint256 key, bytes1 flags, string memory clientData)
        internal
        pure
        returns (WebAuthn.WebAuthnAuth memory auth)
    {
        auth.authenticatorData = abi.encodePacked(sha256("coop.example"), flags, uint32(0));
        auth.clientDataJSON = clientData;
        (auth.challengeIndex, auth.typeIndex) = (23, 1);
        bytes32 message = sha256(abi.encodePacked(auth.authenticatorData, sha256(bytes(clientData))));
        (auth.r, auth.s) = vm.signP256(key % P256.N, message);
        if (uint256(auth.s) > P256.N / 2) auth.s = bytes32(P256.N - uint256(auth.s));
    }

    /// @dev Field by field: `abi.encode` of the struct begins with an offset that no verifier expects.
    function _assertionBytes(WebAuthn.WebAuthnAuth memory a) internal pure returns (bytes memory) {
        return abi.encode(a.r, a.s, a.challengeIndex, a.typeIndex, a.authenticatorData, a.clientDataJSON);
    }

    function _passkeySign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        return _assertionBytes(_assertion(key, VERIFIED, _clientData("webauthn.get", digest)));
    }

    /// @dev What the passkey signs so that `account` says yes to `digest` (ERC-1271).
    function _messageDigest(MemberAccount account, bytes32 digest) internal view returns (bytes32) {
        bytes32 hash = keccak256("Message(bytes32 hash)");
        return _typed("MemberAccount", address(account), keccak256(abi.encode(hash, digest)));
    }

    function _messageSign(MemberAccount account, uint256 key, bytes32 digest) internal view returns (bytes memory) {
        return _passkeySign(key, _messageDigest(account, digest));
    }

    // ------------------------------------------------------------------------------------------- execution

    function _call(address target, bytes memory data) internal pure returns (bytes memory) {
        Execution[] memory calls = new Execution[](1);
        calls[0] = Execution(target, 0, data);
        return abi.encode(calls);
    }

    function _executeDigest(MemberAccount account, bytes memory calls, uint256 nonce, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        bytes32 hash = keccak256("Execute(bytes32 mode,bytes executionData,uint256 nonce,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(hash, BATCH, keccak256(calls), nonce, deadline));
        return _typed("MemberAccount", address(account), structHash);
    }

    function _execute(MemberAccount account, uint256 key, bytes memory calls) internal {
        (uint256 nonce, uint256 deadline) = (account.nonce(), block.timestamp + 1 hours);
        bytes memory signature = _passkeySign(key, _executeDigest(account, calls, nonce, deadline));
        account.executeSigned(BATCH, calls, nonce, deadline, signature);
    }

    // -------------------------------------------------------------------------------------------- recovery

    function _approval(MemberAccount account, uint256 guardian, uint256 key)
        internal
        view
        returns (MemberAccount.Approval memory a)
    {
        (a.qx, a.qy) = _public(key);
        (a.guardian, a.round) = (vm.addr(guardianKeys[guardian]), account.recoveryRound());
        a.deadline = block.timestamp + 1 days;
    }

    function _approvalDigest(MemberAccount account, MemberAccount.Approval memory a) internal view returns (bytes32) {
        bytes32 hash = keccak256("Approval(bytes32 qx,bytes32 qy,address guardian,uint256 round,uint256 deadline)");
        return _typed("MemberAccount", address(account), keccak256(abi.encode(hash, a)));
    }

    function _approve(MemberAccount account, uint256 guardian, uint256 key) internal {
        MemberAccount.Approval memory a = _approval(account, guardian, key);
        account.approveRecovery(a, _recovery(), _sign(guardianKeys[guardian], _approvalDigest(account, a)));
    }

    function _recover(MemberAccount account, uint256 key) internal {
        _approve(account, 0, key);
        _approve(account, 2, key);
        vm.warp(block.timestamp + DELAY);
        account.executeRecovery();
    }
}
