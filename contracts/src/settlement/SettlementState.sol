// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../access/Governed.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {IMembership} from "../membership/IMembership.sol";
import {IStewardBonds} from "../oracle/IStewardBonds.sol";
import {IStewardCommittee} from "../oracle/IStewardCommittee.sol";
import {Treasury} from "../treasury/Treasury.sol";
import {Amounts} from "./Amounts.sol";
import {IContestVerifier} from "./IContestVerifier.sol";
import {ISettlementLedger} from "./ISettlementLedger.sol";

/// @notice A token that the ledger mints.
interface IMintable {
    function mint(address to, uint256 amount) external;
}

/// @notice What the settlement asks of the committee: signatures, and what stands behind them.
interface ICommittee is IStewardCommittee, IStewardBonds {}

/// @title SettlementState
/// @notice What the parts of SettlementLedger share: its storage, its errors, and which round is pending or final.
abstract contract SettlementState is NamedEIP712, Governed, ISettlementLedger {
    /// @dev Four slots. `attempt` of a round without root: the lowest that may be proposed after one was voided.
    struct Round {
        bytes32 root;
        Amounts earned;
        uint96 dataAwarded;
        uint96 govAwarded;
        uint16 attempt;
        uint48 signers;
        bytes32 headerHash;
    }

    /// @dev One slot: everything that a proposal and a claim both read. `pausedUntil` is a copy of Pausing's, which would
    /// cost a proposal a slot of its own. `queued`: parameters were set for an epoch that is not proposed yet.
    struct Head {
        uint40 genesis;
        uint24 epochLength;
        uint24 lag;
        uint24 attemptLength;
        uint24 window;
        uint8 depth;
        uint24 lastEpoch;
        uint40 finalAt;
        uint40 pausedUntil;
        bool queued;
    }

    /// @dev Parameters and the first epoch that they govern.
    struct Version {
        bytes32 paramsHash;
        uint32 fromEpoch;
        uint96 dataCap;
        uint96 govCap;
    }

    /// @dev What happened to one proposal. `windowEnd` 0: nothing yet, the window ends with `finalAt`.
    struct Dispute {
        address objector;
        uint40 windowEnd;
        uint40 demandedUntil;
        uint40 frozenAt;
        uint40 left;
    }

    /// @custom:storage-location erc7201:rochdale.storage.SettlementLedger
    struct Storage {
        Head head;
        Amounts claimed;
        Round[2] rounds;
        mapping(uint32 memberId => Amounts) claimedBy;
        IMembership membership;
        // Caps share slots with what a proposal reads anyway. `booked`: what Treasury had booked to contributors when last
        // asked; `version`: which of `versions` governs the last proposal.
        ICommittee committee;
        uint96 dataCap;
        uint96 govCap;
        uint64 booked;
        uint32 version;
        bytes32 paramsHash;
        Treasury treasury;
        IMintable dataToken;
        IMintable govToken;
        IContestVerifier contestVerifier;
        // A word for each field of LedgerParams.Emission: read only where parameters are set, and then as a whole.
        uint256[6] emission;
        Version[] versions;
        mapping(uint256 proposal => Dispute) disputes;
        mapping(uint256 demand => uint40) demands;
    }

    bytes32 private constant STORAGE = 0x3adb34772347dc5ab4c5c5bbe68f59f5f660b0500259c0617dc29e2b0bf3d700;

    /// @dev `finalAt` of a root that somebody objected to.
    uint40 internal constant FROZEN = type(uint40).max;

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
    error SettlementLedger_LengthMismatch(uint256 claims, uint256 proofs);
    error SettlementLedger_BadProof(uint32 memberId);
    error SettlementLedger_NothingDue(uint32 memberId);
    error SettlementLedger_ClaimExceedsTotal(uint32 memberId, uint256 cash, uint256 data, uint256 gov);
    error SettlementLedger_NotPending(uint32 epoch, uint32 attempt);
    error SettlementLedger_AlreadyObjected();
    error SettlementLedger_NotFrozen();
    error SettlementLedger_NotLapsed(uint64 lapsesAt);
    error SettlementLedger_WindowOver(uint64 windowEnd);
    error SettlementLedger_NoRow(uint32 memberId);
    error SettlementLedger_AlreadyDemanded(uint32 memberId);
    error SettlementLedger_NotDemanded(uint32 memberId);
    error SettlementLedger_AnswerTooLate(uint64 answerBy);
    error SettlementLedger_AnswerStillDue(uint64 answerBy);
    error SettlementLedger_Expired(uint256 deadline);
    error SettlementLedger_BadSignature(uint32 memberId);
    error SettlementLedger_BadHeader(bytes32 headerHash, bytes32 expected);
    error SettlementLedger_RowIsRight(uint32 memberId);

    /// @dev The one place where the slot is taken apart: the code for it is long.
    function _head(Storage storage $) internal view returns (Head memory) {
        return $.head;
    }

    /// @dev The round of the last epoch or the one before.
    function _round(Storage storage $, uint256 epoch) internal view returns (Round storage) {
        return $.rounds[epoch & 1];
    }

    function _finalEpochOf(Head memory head) internal view returns (uint32) {
        return block.timestamp >= head.finalAt ? head.lastEpoch : head.lastEpoch - 1;
    }

    /// @dev What identifies a proposal: attempts of an epoch only ever count up.
    function _proposalKey(uint256 epoch, uint256 attempt) internal pure returns (uint256) {
        return epoch << 32 | attempt;
    }

    function _demandKey(uint256 epoch, uint256 attempt, uint256 memberId) internal pure returns (uint256) {
        return _proposalKey(epoch, attempt) << 32 | memberId;
    }

    /// @dev Passes `arguments`, which are encoded already, to the contract of rules that need no state. What it takes to
    /// decode and to judge them would not fit here.
    function _ask(bytes4 selector, bytes memory arguments) internal view returns (bytes memory) {
        (bool ok, bytes memory answered) =
            address(_storage().contestVerifier).staticcall(bytes.concat(selector, arguments));
        if (ok) return answered;
        assembly ("memory-safe") {
            revert(add(answered, 32), mload(answered))
        }
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
