// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Bounds} from "../access/Bounds.sol";
import {Governed} from "../access/Governed.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {StructHash} from "../access/StructHash.sol";
import {MemberSignature} from "../access/MemberSignature.sol";
import {Pausing} from "../access/Pausing.sol";
import {IConsentRegistry} from "../consent/IConsentRegistry.sol";

/// @title ContributionRegistry
/// @notice That a member contributed a record, as one blinded commitment. No dataset, storage address or health datum.
///
/// Roles
/// - Member: signs a contribution; anyone may send a batch of them.
/// - Governance: sets the cooldown; upgrades. PauseGuard: stops recording for a limited time.
///
/// Assumptions
/// - The commitment binds header, key deal and sealed shares under a blinder that erasure destroys.
/// - ConsentRegistry and Membership answer for this block: a revoked or erased member records nothing.
///
/// Liveness: a batch is recorded whole or not at all, and the error names the entry at fault, so that a relayer drops it
/// and sends the rest.
///
/// Who can hurt whom: a member can make the batch it is in revert, once, before the relayer drops it. A relayer can
/// withhold a contribution, not change it. The authority can stop contributions by a long cooldown; what is recorded
/// stays.
contract ContributionRegistry is NamedEIP712, Governed, Pausing {
    struct Contribution {
        uint32 memberId;
        bytes32 commitment;
        uint32 consentVersion;
        uint256 nonce;
        uint256 deadline;
    }

    /// @dev One slot.
    struct Contributor {
        uint64 lastAt;
        // How many were recorded, which is the nonce of the next.
        uint64 count;
    }

    /// @custom:storage-location erc7201:rochdale.storage.ContributionRegistry
    struct Storage {
        IConsentRegistry consentRegistry;
        // One slot. Ids run from 1 without a gap; the sum of every `count`.
        uint64 lastId;
        uint32 cooldown;
        mapping(uint32 memberId => Contributor) contributors;
    }

    /// @dev What one call of `record` reads once.
    struct Batch {
        uint256[] consenters;
        uint32 cooldown;
        bytes32 domain;
    }

    bytes32 private constant STORAGE = 0x151821646005681c957a1dc1a49c66fe45968435d44480fa7ccc71c6b5a03100;

    bytes32 private constant CONTRIBUTION_TYPEHASH = keccak256(
        "Contribution(uint32 memberId,bytes32 commitment,uint32 consentVersion,uint256 nonce,uint256 deadline)"
    );

    uint256 private constant CONTRIBUTION_WORDS = 5;

    /// @notice The least wait between two contributions of one member, seconds: what enters in an epoch is one answer to a
    /// demand (Disputes), which has to fit into a transaction.
    uint32 public constant MIN_COOLDOWN = Bounds.MIN_COOLDOWN;

    event ContributionRecorded(
        uint64 indexed contributionId, uint32 indexed memberId, bytes32 commitment, uint32 consentVersion
    );
    event CooldownSet(uint32 cooldown);

    /// @notice Entry `index` cannot be recorded; `reason` is the selector of one of the errors below.
    error ContributionRegistry_Refused(uint256 index, bytes4 reason);
    error ContributionRegistry_CooldownTooShort(uint32 cooldown, uint32 least);
    error ContributionRegistry_LengthMismatch(uint256 contributions, uint256 signatures);

    // Reasons.
    error ContributionRegistry_Expired();
    error ContributionRegistry_CommitmentMissing();
    error ContributionRegistry_NotConsented();
    error ContributionRegistry_StaleConsent();
    error ContributionRegistry_BadNonce();
    error ContributionRegistry_CoolingDown();
    error ContributionRegistry_BadSignature();

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param consentRegistry who consents, and by which account
    /// @param cooldown_ seconds that a member waits between two contributions
    function initialize(address authority_, address consentRegistry, uint32 cooldown_) external initializer {
        __Governed_init(authority_);
        _storage().consentRegistry = IConsentRegistry(_nonZero(consentRegistry, "consentRegistry"));
        _setCooldown(cooldown_);
    }

    /// @notice Records a batch of signed contributions, each with the next id; returns the first.
    /// @param c what members signed
    /// @param signatures one for each, in the same order
    /// @return firstId the id of `c[0]`; those after it count up
    function record(Contribution[] calldata c, bytes[] calldata signatures)
        external
        whenNotPaused
        returns (uint64 firstId)
    {
        Storage storage $ = _storage();
        // Check:
        if (c.length != signatures.length) {
            revert ContributionRegistry_LengthMismatch(c.length, signatures.length);
        }
        Batch memory batch;
        batch.consenters = $.consentRegistry.consentersOf(_memberIds(c));
        (batch.cooldown, batch.domain) = ($.cooldown, _domainSeparatorV4());
        uint64 id = $.lastId;
        firstId = id + 1;
        // Effects:
        for (uint256 i; i < c.length; ++i) {
            Contribution calldata one = c[i];
            _recordOne($, batch, i, one, signatures[i]);
            emit ContributionRecorded(++id, one.memberId, one.commitment, one.consentVersion);
        }
        $.lastId = id;
    }

    /// @notice Seconds that a member waits between two contributions.
    /// @return seconds, at least `MIN_COOLDOWN`
    function cooldown() external view returns (uint32) {
        return _storage().cooldown;
    }

    /// @notice Sets how long a member waits between two contributions, from now on.
    /// @param cooldown_ seconds, at least `MIN_COOLDOWN`
    function setCooldown(uint32 cooldown_) external restricted {
        _setCooldown(cooldown_);
    }

    /// @notice The nonce that a member's next contribution must carry.
    /// @param memberId of whom
    /// @return how many contributions of the member were recorded
    function nonceOf(uint32 memberId) external view returns (uint256) {
        return _storage().contributors[memberId].count;
    }

    /// @notice When a member last contributed, in unix seconds; 0 = never.
    /// @param memberId of whom
    /// @return unix seconds; 0 = never
    function lastContributionAt(uint32 memberId) external view returns (uint64) {
        return _storage().contributors[memberId].lastAt;
    }

    /// @notice How often a member contributed.
    /// @param memberId of whom
    /// @return contributions since the start
    function countOf(uint32 memberId) external view returns (uint64) {
        return _storage().contributors[memberId].count;
    }

    /// @notice How many contributions were recorded, which is also the last id.
    /// @return 0 before the first
    function contributionCount() external view returns (uint64) {
        return _storage().lastId;
    }

    function _memberIds(Contribution[] calldata c) private pure returns (uint32[] memory ids) {
        ids = new uint32[](c.length);
        for (uint256 i; i < c.length; ++i) {
            ids[i] = c[i].memberId;
        }
    }

    function _recordOne(
        Storage storage $,
        Batch memory batch,
        uint256 i,
        Contribution calldata c,
        bytes calldata signature
    ) private {
        Contributor storage who = $.contributors[c.memberId];
        (uint256 lastAt, uint64 count) = (who.lastAt, who.count);
        uint256 consenter = batch.consenters[i];
        // Check:
        bytes4 reason = _refusal(c, count, lastAt, consenter >> 160, batch.cooldown);
        if (reason == 0 && !MemberSignature.isValid(address(uint160(consenter)), _digest(batch.domain, c), signature)) {
            reason = ContributionRegistry_BadSignature.selector;
        }
        if (reason != 0) revert ContributionRegistry_Refused(i, reason);
        // Effects:
        (who.lastAt, who.count) = (uint64(block.timestamp), count + 1);
    }

    function _refusal(Contribution calldata c, uint256 nonce, uint256 lastAt, uint256 liveVersion, uint256 cooldown_)
        private
        view
        returns (bytes4)
    {
        if (block.timestamp > c.deadline) return ContributionRegistry_Expired.selector;
        if (c.commitment == 0) return ContributionRegistry_CommitmentMissing.selector;
        if (liveVersion == 0) return ContributionRegistry_NotConsented.selector;
        if (c.consentVersion != liveVersion) return ContributionRegistry_StaleConsent.selector;
        if (c.nonce != nonce) return ContributionRegistry_BadNonce.selector;
        if (lastAt != 0 && block.timestamp < lastAt + cooldown_) {
            return ContributionRegistry_CoolingDown.selector;
        }
        return 0;
    }

    /// @dev As `toTypedDataHash(domain, keccak256(abi.encode(CONTRIBUTION_TYPEHASH, c)))`; see docs/gas.md.
    function _digest(bytes32 domain, Contribution calldata c) internal pure returns (bytes32) {
        uint256 offset;
        assembly {
            offset := c
        }
        return MessageHashUtils.toTypedDataHash(
            domain, StructHash.ofCalldata(CONTRIBUTION_TYPEHASH, offset, CONTRIBUTION_WORDS)
        );
    }

    function _setCooldown(uint32 cooldown_) private {
        if (cooldown_ < MIN_COOLDOWN) revert ContributionRegistry_CooldownTooShort(cooldown_, MIN_COOLDOWN);
        _storage().cooldown = cooldown_;
        emit CooldownSet(cooldown_);
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "ContributionRegistry";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
