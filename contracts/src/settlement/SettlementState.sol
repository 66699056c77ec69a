// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bounds} from "../access/Bounds.sol";
import {Governed} from "../access/Governed.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {IMembership} from "../membership/IMembership.sol";
import {IStewardCommittee} from "../oracle/IStewardCommittee.sol";
import {Treasury} from "../treasury/Treasury.sol";
import {Amounts} from "./Amounts.sol";
import {IContestVerifier} from "./IContestVerifier.sol";
import {ISettlementLedger} from "./ISettlementLedger.sol";
import {LedgerParams} from "./LedgerParams.sol";

/// @notice A token that the ledger mints.
interface IMintable {
    /// @notice Mints what a member claims. SettlementLedger only.
    /// @param to who earned it, or where it is to be paid
    /// @param amount wei
    function mint(address to, uint256 amount) external;
}

/// @title SettlementState
/// @notice What the parts of SettlementLedger share: its storage, its errors, and which round is pending or final.
abstract contract SettlementState is NamedEIP712, Governed, ISettlementLedger {
    /// @dev Four slots. Of an epoch's root; `root` is 0 where it was voided.
    struct Round {
        bytes32 root;
        // What the members of its tree are entitled to at most, since the start: cash allocated, DATA and GOV earned. Never
        // less than in the round before; what was claimed by its tree is never above it.
        Amounts entitled;
        // Never below what is earned of each token, nor above the last round's by more than the caps.
        uint96 dataAwarded;
        uint96 govAwarded;
        // Of the root, also once it is void: then the next one's is higher.
        uint16 attempt;
        uint48 signers;
        bytes32 headerHash;
    }

    /// @dev One slot: everything that a proposal and a claim both read. `pausedUntil` is a copy of Pausing's, which would
    /// cost a proposal a slot of its own.
    struct Calendar {
        uint40 genesis;
        uint24 epochLength;
        uint24 lag;
        uint24 attemptLength;
        uint24 window;
        uint8 depth;
        // Of the last root that was not voided, pending or final. Grows by one at a time, or falls by one with a void.
        uint24 lastEpoch;
        // When that root is final; `FROZEN` while an objection waits, 0 after a void.
        uint40 finalAt;
        uint40 pausedUntil;
        // Whether parameters were set for an epoch that is not proposed yet.
        bool queued;
    }

    /// @dev Parameters and the first epoch that they govern.
    struct Version {
        bytes32 paramsHash;
        uint32 fromEpoch;
        uint96 dataCap;
        uint96 govCap;
    }

    /// @custom:storage-location erc7201:rochdale.storage.SettlementLedger
    struct Storage {
        Calendar calendar;
        // The sum of `claimedBy`, and never above `entitled` of a round that was final when it was last claimed by.
        Amounts claimed;
        // Of the last epoch and the one before, by parity: becoming final costs no write.
        Round[2] rounds;
        mapping(uint32 memberId => Amounts) claimedBy;
        IMembership membership;
        // Caps share slots with what a proposal reads anyway.
        IStewardCommittee committee;
        uint96 dataCap;
        uint96 govCap;
        // What Treasury had booked to contributors when last asked. Never above what it has booked now.
        uint64 booked;
        // Which of `versions` governs the last proposal.
        uint32 version;
        // By how many seconds pauses have made windows longer. Only grows.
        uint40 prolonged;
        bytes32 paramsHash;
        Treasury treasury;
        IMintable dataToken;
        IMintable govToken;
        IContestVerifier contestVerifier;
        LedgerParams.Emission emission;
        Version[] versions;
        // The one contract that may keep a root from becoming final, or void it.
        address disputes;
    }

    bytes32 private constant STORAGE = 0x3adb34772347dc5ab4c5c5bbe68f59f5f660b0500259c0617dc29e2b0bf3d700;

    /// @dev `finalAt` of a root that waits for a decision.
    uint40 internal constant FROZEN = Bounds.FROZEN;

    error SettlementLedger_BadDeployment(bytes32 field);
    error SettlementLedger_Pending(uint32 epoch, uint64 finalAt);
    error SettlementLedger_BadEpoch(uint32 epoch, uint32 expected);
    error SettlementLedger_TooEarly(uint64 startsAt);
    error SettlementLedger_BadAttempt(uint32 attempt, uint32 lowest);
    error SettlementLedger_NoRoot();
    error SettlementLedger_BadPreviousRoot(bytes32 previousRoot, bytes32 expected);
    error SettlementLedger_BadParams(bytes32 paramsHash, bytes32 expected);
    error SettlementLedger_TotalDecreases(bytes32 total);
    error SettlementLedger_TotalTooLarge(bytes32 total);
    error SettlementLedger_EarnedExceedsAwarded(bytes32 token, uint256 earned, uint256 awarded);
    error SettlementLedger_AwardExceedsCap(bytes32 token, uint256 award, uint256 cap);
    error SettlementLedger_CashExceedsBooked(uint256 cashAllocated, uint256 booked);
    error SettlementLedger_EpochLengthIsFixed(uint32 epochLength, uint32 expected);
    error SettlementLedger_BadRange(uint32 first, uint256 leaves);
    error SettlementLedger_BadProof(uint32 memberId);
    error SettlementLedger_NothingDue(uint32 memberId);
    /// @param memberId whose leaf is too large; 0 where many leaves are, together
    error SettlementLedger_ClaimExceedsTotal(uint32 memberId, uint256 cash, uint256 data, uint256 gov);
    error SettlementLedger_NotPending();
    error SettlementLedger_OnlyDisputes(address caller);
    error SettlementLedger_FinalInThePast(uint64 finalAt);
    error SettlementLedger_NobodyShares(uint128 payout);

    /// @dev The one place where all of the slot is taken apart: the code for it is long.
    function _calendar(Storage storage $) internal view returns (Calendar memory) {
        return $.calendar;
    }

    /// @dev The round of the last epoch or the one before.
    function _round(Storage storage $, uint256 epoch) internal view returns (Round storage) {
        return $.rounds[epoch & 1];
    }

    function _finalEpochOf(Calendar memory c) internal view returns (uint32) {
        return uint32(_finalEpoch(c.lastEpoch, c.finalAt));
    }

    function _finalEpoch(uint256 lastEpoch, uint256 finalAt) internal view returns (uint256) {
        return block.timestamp >= finalAt ? lastEpoch : lastEpoch - 1;
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "SettlementLedger";
    }

    function _storage() internal pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
