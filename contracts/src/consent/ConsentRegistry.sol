// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../access/Governed.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {MemberSignature} from "../access/MemberSignature.sol";
import {Pausing} from "../access/Pausing.sol";
import {IMembership} from "../membership/IMembership.sol";
import {IConsentRegistry} from "./IConsentRegistry.sol";

/// @title ConsentRegistry
/// @notice What each member allows, as a version and a blinded commitment to a receipt that only the member and the
/// stewards can read.
///
/// Roles
/// - Member: signs grants, revocations and the erasure; anyone may send them, so they cost the member no gas.
/// - Former member: can still erase. Consent itself is dead with the membership.
/// - Charter: upgrades. PauseGuard: stops grants for a limited time. Neither can grant, revoke nor erase for anybody.
///
/// Assumptions
/// - Stewards ask the latest block for a denial and a finalized one for a grant.
/// - `receiptCommitment` is blinded with 256 bits that erasure destroys; nothing here tells what was consented to.
///
/// Liveness: revoke and erase read one member's slot and the member's account, and erase ends the membership where that
/// has not ended. There is no pause, no fee, no cap on them.
///
/// Who can hurt whom: a stolen member key can revoke and erase for good. A relayer can hold a signature back until its
/// deadline, not change it; the member can send it through anybody else.
contract ConsentRegistry is NamedEIP712, Governed, Pausing, IConsentRegistry {
    enum Status {
        None,
        Granted,
        Revoked,
        Erased
    }

    struct ConsentGrant {
        uint32 memberId;
        uint32 version;
        bytes32 receiptCommitment;
        uint64 expiry;
        uint256 nonce;
        uint256 deadline;
    }

    struct ConsentRevoke {
        uint32 memberId;
        uint256 nonce;
        uint256 deadline;
    }

    struct ConsentErase {
        uint32 memberId;
        uint256 nonce;
        uint256 deadline;
    }

    /// @dev One slot.
    struct Consent {
        // Grows by one with each grant, so that a commitment that names one names its receipt.
        uint32 version;
        // Never leaves `Erased`.
        Status status;
        uint64 expiry;
        // Grows by one with each signature that was taken.
        uint64 nonce;
    }

    /// @custom:storage-location erc7201:rochdale.storage.ConsentRegistry
    struct Storage {
        IMembership membership;
        mapping(uint32 memberId => Consent) consents;
        // Of the last grant; zero before the first and once erased.
        mapping(uint32 memberId => bytes32) receipts;
    }

    bytes32 private constant STORAGE = 0xa2a697b4a4f8e5c9a5113e04f30742277ec652dd9e6418f15d57403e78b37100;

    bytes32 private constant GRANT_TYPEHASH = keccak256(
        "ConsentGrant(uint32 memberId,uint32 version,bytes32 receiptCommitment,uint64 expiry,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant REVOKE_TYPEHASH =
        keccak256("ConsentRevoke(uint32 memberId,uint256 nonce,uint256 deadline)");
    bytes32 private constant ERASE_TYPEHASH = keccak256("ConsentErase(uint32 memberId,uint256 nonce,uint256 deadline)");

    event ConsentGranted(uint32 indexed memberId, uint32 version, bytes32 receiptCommitment, uint64 expiry);
    event ConsentRevoked(uint32 indexed memberId, uint32 version);
    event Erased(uint32 indexed memberId);

    error ConsentRegistry_Expired(uint256 deadline);
    error ConsentRegistry_NotActive(uint32 memberId);
    error ConsentRegistry_AlreadyErased(uint32 memberId);
    error ConsentRegistry_NotGranted(uint32 memberId, Status status);
    error ConsentRegistry_BadNonce(uint256 nonce, uint256 expected);
    error ConsentRegistry_BadVersion(uint32 version, uint32 expected);
    error ConsentRegistry_ReceiptMissing();
    error ConsentRegistry_ExpiryPassed(uint64 expiry);
    error ConsentRegistry_BadSignature(uint32 memberId);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param membership who belongs, and by which account
    function initialize(address authority_, address membership) external initializer {
        __Governed_init(authority_);
        _storage().membership = IMembership(_nonZero(membership, "membership"));
    }

    /// @notice Grants, or replaces what was granted before. `expiry` 0 = until revoked.
    /// @param g what is granted; its version is the next one
    /// @param signature the member's, over `g`
    function grant(ConsentGrant calldata g, bytes calldata signature) external whenNotPaused {
        Storage storage $ = _storage();
        Consent memory c = $.consents[g.memberId];
        // Check:
        _checkNext(c.nonce, g.nonce, g.deadline);
        _checkSignature(_activeAccount($, g.memberId), g.memberId, keccak256(abi.encode(GRANT_TYPEHASH, g)), signature);
        if (g.version != c.version + 1) revert ConsentRegistry_BadVersion(g.version, c.version + 1);
        if (g.receiptCommitment == 0) revert ConsentRegistry_ReceiptMissing();
        if (g.expiry != 0 && g.expiry <= block.timestamp) revert ConsentRegistry_ExpiryPassed(g.expiry);
        // Effects:
        $.consents[g.memberId] =
            Consent({version: g.version, status: Status.Granted, expiry: g.expiry, nonce: c.nonce + 1});
        $.receipts[g.memberId] = g.receiptCommitment;
        emit ConsentGranted(g.memberId, g.version, g.receiptCommitment, g.expiry);
    }

    /// @notice Withdraws consent. Every key release and query from the next block on is refused.
    /// @param r whose consent
    /// @param signature the member's, over `r`
    function revoke(ConsentRevoke calldata r, bytes calldata signature) external {
        Storage storage $ = _storage();
        Consent memory c = $.consents[r.memberId];
        // Check:
        _checkNext(c.nonce, r.nonce, r.deadline);
        _checkSignature(_activeAccount($, r.memberId), r.memberId, keccak256(abi.encode(REVOKE_TYPEHASH, r)), signature);
        if (c.status != Status.Granted) revert ConsentRegistry_NotGranted(r.memberId, c.status);
        // Effects:
        (c.status, c.nonce) = (Status.Revoked, c.nonce + 1);
        $.consents[r.memberId] = c;
        emit ConsentRevoked(r.memberId, c.version);
    }

    /// @notice Erases everything and ends the membership. For good. Whoever left or was expelled can do it as well.
    /// @param e whose everything
    /// @param signature of the account under which the member joined, over `e`
    function erase(ConsentErase calldata e, bytes calldata signature) external {
        Storage storage $ = _storage();
        Consent memory c = $.consents[e.memberId];
        // Check:
        _checkNext(c.nonce, e.nonce, e.deadline);
        if (c.status == Status.Erased) revert ConsentRegistry_AlreadyErased(e.memberId);
        address account = $.membership.accountOf(e.memberId);
        _checkSignature(account, e.memberId, keccak256(abi.encode(ERASE_TYPEHASH, e)), signature);
        // Effects:
        (c.status, c.nonce) = (Status.Erased, c.nonce + 1);
        $.consents[e.memberId] = c;
        delete $.receipts[e.memberId];
        emit Erased(e.memberId);
        // Interaction:
        $.membership.close(e.memberId);
    }

    /// @notice Whether a member's consent is live now: granted, not expired, member active.
    /// @param memberId of whom
    /// @return false as well for an id that was never issued
    function isGranted(uint32 memberId) external view returns (bool) {
        Storage storage $ = _storage();
        return _liveVersion($.consents[memberId]) != 0 && $.membership.activeAccountOf(memberId) != address(0);
    }

    /// @inheritdoc IConsentRegistry
    function consentersOf(uint32[] calldata memberIds) external view returns (uint256[] memory consenters) {
        Storage storage $ = _storage();
        address[] memory accounts = $.membership.accountsOf(memberIds);
        consenters = new uint256[](accounts.length);
        for (uint256 i; i < accounts.length; ++i) {
            uint256 version = _liveVersion($.consents[memberIds[i]]);
            if (version != 0 && accounts[i] != address(0)) consenters[i] = uint160(accounts[i]) | version << 160;
        }
    }

    /// @notice What a member allows, as it was last written; whether it is live now also depends on expiry and
    /// membership.
    /// @param memberId of whom
    /// @return version how often the member granted; 0 = never
    /// @return status granted, revoked or erased
    /// @return expiry unix seconds; 0 = until revoked
    /// @return nonce_ that the member's next signature must carry
    function consentOf(uint32 memberId)
        external
        view
        returns (uint32 version, Status status, uint64 expiry, uint256 nonce_)
    {
        Consent memory c = _storage().consents[memberId];
        return (c.version, c.status, c.expiry, c.nonce);
    }

    /// @notice The commitment to the receipt of the last grant; zero once erased.
    /// @param memberId of whom
    /// @return blinded with 256 bits that erasure destroys
    function receiptOf(uint32 memberId) external view returns (bytes32) {
        return _storage().receipts[memberId];
    }

    /// @notice The nonce that a member's next signature must carry, shared by grant, revoke and erase.
    /// @param memberId of whom
    /// @return how many signatures of the member were taken here
    function nonce(uint32 memberId) external view returns (uint256) {
        return _storage().consents[memberId].nonce;
    }

    /// @dev The version of a live consent; 0 where there is none.
    function _liveVersion(Consent storage c) private view returns (uint256) {
        // Together, so that their slot is read once.
        (Status status, uint256 expiry, uint256 version) = (c.status, c.expiry, c.version);
        if (status != Status.Granted) return 0;
        return expiry == 0 || block.timestamp < expiry ? version : 0;
    }

    function _checkNext(uint64 expected, uint256 nonce_, uint256 deadline) private view {
        if (block.timestamp > deadline) revert ConsentRegistry_Expired(deadline);
        if (nonce_ != expected) revert ConsentRegistry_BadNonce(nonce_, expected);
    }

    function _activeAccount(Storage storage $, uint32 memberId) private view returns (address account) {
        account = $.membership.activeAccountOf(memberId);
        if (account == address(0)) revert ConsentRegistry_NotActive(memberId);
    }

    function _checkSignature(address account, uint32 memberId, bytes32 structHash, bytes calldata signature)
        private
        view
    {
        if (!MemberSignature.isValid(account, _hashTypedDataV4(structHash), signature)) {
            revert ConsentRegistry_BadSignature(memberId);
        }
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "ConsentRegistry";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
