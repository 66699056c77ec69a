// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {ERC7821} from "@openzeppelin/contracts/account/extensions/draft-ERC7821.sol";
import {ERC7579Utils} from "@openzeppelin/contracts/account/utils/draft-ERC7579Utils.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {SignerP256} from "@openzeppelin/contracts/utils/cryptography/signers/SignerP256.sol";
import {SignerWebAuthn} from "@openzeppelin/contracts/utils/cryptography/signers/SignerWebAuthn.sol";
import {MemberSignature} from "../access/MemberSignature.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";

/// @title MemberAccount
/// @notice A member's own account, opened by a passkey: no wallet, no gas, no seed phrase. A clone for each member.
///
/// Roles
/// - Passkey: signs whatever the account does and says, with the user verified by the device. Anyone may send it.
/// - Guardians: people or accounts that the member chose; a majority of them may put another passkey in place of a lost
///   one, after a delay. They can do nothing else.
/// - EntryPoint (ERC-4337 v0.9): an alternative to a relayer. It executes what the passkey signed.
/// - Nobody else: no owner, no administrator, no upgrade. The cooperative has no power over the account.
///
/// Assumptions
/// - The device shows the passkey's owner what they sign through a client that they trust: a passkey signs a hash.
/// - Where the chain has no P-256 precompile, OpenZeppelin's verifier in Solidity does the same for more gas.
///
/// Recovery changes the passkey inside the account. The address stays, and with it the membership, the vote, the consents
/// and what is owed, so nothing is ever counted twice. The present passkey vetoes as long as the recovery was not carried
/// out. Any change of the passkey or the guardians by the account itself ends a recovery that is under way, and so does
/// its expiry.
///
/// Liveness: a signed call, a veto and a recovery can be sent by anybody. Without guardians a lost passkey is lost.
///
/// Who can hurt whom: a majority of guardians can take over an account whose owner does not look for `delay`. Whoever
/// holds the passkey is the account: recovery helps against loss, not against theft, because the thief can veto as well.
contract MemberAccount is Account, ERC7821, SignerWebAuthn, NamedEIP712, ERC721Holder, IERC1271 {
    /// @notice Who may replace a lost passkey: guardians in ascending order, how many of them it takes (more than half) and
    /// how many seconds the present passkey has for a veto. No guardians, threshold 0, delay 0 = no recovery.
    struct Recovery {
        address[] guardians;
        uint8 threshold;
        uint32 delay;
    }

    /// @notice What a guardian signs, unless it calls itself.
    struct Approval {
        bytes32 qx;
        bytes32 qy;
        address guardian;
        uint256 round;
        uint256 deadline;
    }

    /// @custom:storage-location erc7201:rochdale.storage.MemberAccount
    struct Storage {
        // Of the Recovery in force; never zero once initialized.
        bytes32 recoveryHash;
        // One slot.
        uint64 nonce;
        uint64 round;
        uint64 readyAt;
        // The passkey that is to come, where readyAt is not zero.
        bytes32 nextX;
        bytes32 nextY;
        mapping(bytes32 candidate => uint256) approvals;
    }

    bytes32 private constant STORAGE = 0x6e1b6f7dde4a4265a4e019063296e1caff137ade0c7b4eb4bbfba664fb58fd00;

    bytes32 private constant EXECUTE_TYPEHASH =
        keccak256("Execute(bytes32 mode,bytes executionData,uint256 nonce,uint256 deadline)");
    bytes32 private constant MESSAGE_TYPEHASH = keccak256("Message(bytes32 hash)");
    bytes32 private constant APPROVAL_TYPEHASH =
        keccak256("Approval(bytes32 qx,bytes32 qy,address guardian,uint256 round,uint256 deadline)");

    /// @dev The first point of the curve (x = 5): nobody knows a key to it, so nobody can use the implementation itself.
    bytes32 private constant NOBODY_X = bytes32(uint256(5));
    bytes32 private constant NOBODY_Y = 0x459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc;

    uint256 public constant MAX_GUARDIANS = 16;
    uint32 public constant MIN_DELAY = 1 days;
    uint32 public constant MAX_DELAY = 90 days;
    /// @notice How long a recovery that nobody vetoed can be carried out.
    uint64 public constant RECOVERY_WINDOW = 30 days;

    event PasskeySet(bytes32 qx, bytes32 qy);
    event RecoverySet(Recovery recovery);
    event RecoveryApproved(uint256 indexed round, address indexed guardian, bytes32 qx, bytes32 qy);
    event RecoveryStarted(bytes32 qx, bytes32 qy, uint64 readyAt);
    event RecoveryEnded(bool recovered);

    error MemberAccount_AlreadyInitialized();
    error MemberAccount_BadRecovery();
    error MemberAccount_Expired(uint256 deadline);
    error MemberAccount_BadNonce(uint256 nonce, uint256 expected);
    error MemberAccount_BadSignature();
    error MemberAccount_NotTheRecovery();
    error MemberAccount_NotAGuardian(address guardian);
    error MemberAccount_BadRound(uint256 round, uint256 expected);
    error MemberAccount_NoRecovery();
    error MemberAccount_TooEarly(uint64 readyAt);
    error MemberAccount_RecoveryExpired(uint64 at);

    constructor() SignerP256(NOBODY_X, NOBODY_Y) {
        _storage().recoveryHash = bytes32(type(uint256).max);
    }

    /// @notice Once, by the factory, in the transaction that creates the clone.
    /// @param qx of the passkey
    /// @param qy of the passkey
    /// @param recovery who may replace it
    function initialize(bytes32 qx, bytes32 qy, Recovery calldata recovery) external {
        if (_storage().recoveryHash != 0) revert MemberAccount_AlreadyInitialized();
        _setPasskey(qx, qy);
        _setRecovery(recovery);
    }

    // ---------------------------------------------------------------------------------------------- execution

    /// @notice Executes a batch that the passkey signed, whole or not at all. Anyone may send it.
    /// @param mode ERC-7821's batch mode, `0x01` and zeros.
    /// @param executionData `abi.encode` of (target, value, data)[]; target zero = this account.
    /// @param nonce_ the next one
    /// @param deadline until when others may send it, unix seconds
    /// @param signature the passkey's, as WebAuthn gives it
    function executeSigned(
        bytes32 mode,
        bytes calldata executionData,
        uint256 nonce_,
        uint256 deadline,
        bytes calldata signature
    ) external {
        Storage storage $ = _storage();
        // Check:
        if (block.timestamp > deadline) revert MemberAccount_Expired(deadline);
        if (nonce_ != $.nonce) revert MemberAccount_BadNonce(nonce_, $.nonce);
        if (!supportsExecutionMode(mode)) revert UnsupportedExecutionMode();
        bytes32 structHash = keccak256(abi.encode(EXECUTE_TYPEHASH, mode, keccak256(executionData), nonce_, deadline));
        if (!_rawSignatureValidation(_hashTypedDataV4(structHash), signature)) revert MemberAccount_BadSignature();
        // Effects:
        $.nonce += 1;
        // Interaction:
        ERC7579Utils.execBatch(executionData, ERC7579Utils.EXECTYPE_DEFAULT);
    }

    /// @notice ERC-1271. What the passkey signs is this account's `Message(hash)`, so that a signature is worth nothing for
    /// another account with the same passkey, nor as a call.
    /// @param hash what somebody asks about
    /// @param signature the passkey's, as WebAuthn gives it
    /// @return ERC-1271's magic value, or 0xffffffff
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(MESSAGE_TYPEHASH, hash)));
        return _rawSignatureValidation(digest, signature) ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    /// @notice The nonce that the next `executeSigned` must carry.
    /// @return how many signed batches were executed
    function nonce() external view returns (uint256) {
        return _storage().nonce;
    }

    // ------------------------------------------------------------------------------ by the account itself only

    /// @notice Another passkey, by the present one: a new phone while the old one works.
    /// @param qx of the new passkey
    /// @param qy of the new passkey
    function setPasskey(bytes32 qx, bytes32 qy) external onlyEntryPointOrSelf {
        _endRecovery(false);
        _setPasskey(qx, qy);
    }

    /// @notice Other guardians, or none.
    /// @param recovery from now on
    function setRecovery(Recovery calldata recovery) external onlyEntryPointOrSelf {
        _endRecovery(false);
        _setRecovery(recovery);
    }

    /// @notice Ends a recovery under way, and voids every approval given so far.
    function veto() external onlyEntryPointOrSelf {
        _endRecovery(false);
    }

    // ------------------------------------------------------------------------------------------------ recovery

    /// @notice A guardian's yes to another passkey: signed, or sent by the guardian itself with an empty signature.
    /// The one that makes it enough starts the delay; it takes the place of a recovery that was under way.
    /// @param a what the guardian agrees to
    /// @param recovery the guardians, threshold and delay in force
    /// @param signature the guardian's over `a`; empty where it calls itself
    function approveRecovery(Approval calldata a, Recovery calldata recovery, bytes calldata signature) external {
        Storage storage $ = _storage();
        // Check:
        if (keccak256(abi.encode(recovery)) != $.recoveryHash) revert MemberAccount_NotTheRecovery();
        if (block.timestamp > a.deadline) revert MemberAccount_Expired(a.deadline);
        if (a.round != $.round) revert MemberAccount_BadRound(a.round, $.round);
        if (!P256.isValidPublicKey(a.qx, a.qy)) revert SignerP256InvalidPublicKey(a.qx, a.qy);
        uint256 guardian = _guardianBit(recovery.guardians, a.guardian);
        if (msg.sender != a.guardian && !_signedBy(a, signature)) revert MemberAccount_BadSignature();
        // Effects:
        bytes32 candidate = keccak256(abi.encode(a.round, a.qx, a.qy));
        uint256 approvals = $.approvals[candidate] | guardian;
        $.approvals[candidate] = approvals;
        emit RecoveryApproved(a.round, a.guardian, a.qx, a.qy);
        if (_count(approvals) >= recovery.threshold) _startRecovery($, a.qx, a.qy, recovery.delay);
    }

    /// @notice Puts the new passkey in place, once the delay is over. Anyone may send it.
    function executeRecovery() external {
        Storage storage $ = _storage();
        uint64 readyAt = $.readyAt;
        // Check:
        if (readyAt == 0) revert MemberAccount_NoRecovery();
        if (block.timestamp < readyAt) revert MemberAccount_TooEarly(readyAt);
        if (block.timestamp > readyAt + RECOVERY_WINDOW) {
            revert MemberAccount_RecoveryExpired(readyAt + RECOVERY_WINDOW);
        }
        // Effects:
        (bytes32 qx, bytes32 qy) = ($.nextX, $.nextY);
        _endRecovery(true);
        _setPasskey(qx, qy);
    }

    /// @notice The passkey that is to come and when it can be put in place; zeros where no recovery is under way.
    /// @return qx of the new passkey
    /// @return qy of the new passkey
    /// @return readyAt unix seconds
    function pendingRecovery() external view returns (bytes32 qx, bytes32 qy, uint64 readyAt) {
        Storage storage $ = _storage();
        return ($.nextX, $.nextY, $.readyAt);
    }

    /// @notice The round that a guardian's approval must name. It changes with every recovery, veto and change by the
    /// account, so that no approval outlives the situation it was given in.
    /// @return only grows
    function recoveryRound() external view returns (uint256) {
        return _storage().round;
    }

    /// @notice `keccak256(abi.encode(recovery))` of the guardians, threshold and delay in force; {RecoverySet} names them.
    /// @return never zero
    function recoveryHash() external view returns (bytes32) {
        return _storage().recoveryHash;
    }

    // ---------------------------------------------------------------------------------------------- internal

    /// @dev The EntryPoint has checked the passkey's signature by `validateUserOp` before it executes.
    function _erc7821AuthorizedExecutor(address caller, bytes32 mode, bytes calldata executionData)
        internal
        view
        override
        returns (bool)
    {
        return caller == address(entryPoint()) || super._erc7821AuthorizedExecutor(caller, mode, executionData);
    }

    function _startRecovery(Storage storage $, bytes32 qx, bytes32 qy, uint32 delay) private {
        uint64 readyAt = uint64(block.timestamp) + delay;
        ($.nextX, $.nextY, $.readyAt, $.round) = (qx, qy, readyAt, $.round + 1);
        emit RecoveryStarted(qx, qy, readyAt);
    }

    function _endRecovery(bool recovered) private {
        Storage storage $ = _storage();
        if ($.readyAt != 0) emit RecoveryEnded(recovered);
        ($.nextX, $.nextY, $.readyAt, $.round) = (0, 0, 0, $.round + 1);
    }

    function _setPasskey(bytes32 qx, bytes32 qy) private {
        _setSigner(qx, qy);
        emit PasskeySet(qx, qy);
    }

    function _setRecovery(Recovery calldata r) private {
        uint256 n = r.guardians.length;
        bool delayed = r.delay >= MIN_DELAY && r.delay <= MAX_DELAY;
        bool majority = r.threshold <= n && 2 * uint256(r.threshold) > n;
        bool none = n == 0 && r.threshold == 0 && r.delay == 0;
        if (!none && (n > MAX_GUARDIANS || !delayed || !majority)) revert MemberAccount_BadRecovery();
        address last = address(0);
        for (uint256 i; i < n; ++i) {
            address guardian = r.guardians[i];
            if (guardian <= last || guardian == address(this)) revert MemberAccount_BadRecovery();
            last = guardian;
        }
        _storage().recoveryHash = keccak256(abi.encode(r));
        emit RecoverySet(r);
    }

    function _guardianBit(address[] calldata guardians, address guardian) private pure returns (uint256) {
        for (uint256 i; i < guardians.length; ++i) {
            if (guardians[i] == guardian) return 1 << i;
        }
        revert MemberAccount_NotAGuardian(guardian);
    }

    function _signedBy(Approval calldata a, bytes calldata signature) private view returns (bool) {
        return
            MemberSignature.isValid(
                a.guardian, _hashTypedDataV4(keccak256(abi.encode(APPROVAL_TYPEHASH, a))), signature
            );
    }

    function _count(uint256 bits) private pure returns (uint256 n) {
        for (; bits != 0; bits &= bits - 1) {
            ++n;
        }
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "MemberAccount";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
