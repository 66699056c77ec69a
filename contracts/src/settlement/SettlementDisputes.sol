// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Pausing} from "../access/Pausing.sol";
import {IContestVerifier} from "./IContestVerifier.sol";
import {LedgerTree} from "./LedgerTree.sol";
import {SettlementState} from "./SettlementState.sol";

/// @title SettlementDisputes
/// @notice The part of SettlementLedger that can stop a root before it is final.
///
/// - A steward objects, without saying why, at the price of a bond: the root is frozen until the member house decides.
/// - A member demands the path of its row: who keeps it back loses the root.
/// - A member contests its row: ContestVerifier replays it, and a mismatch voids the root without anybody's judgement.
///
/// A void root is as if it had never been proposed, but for its attempt number, which is spent. Nothing here is ever
/// paused, and a pause makes the window of a pending root longer by its own length.
abstract contract SettlementDisputes is SettlementState, Pausing {
    bytes32 private constant DEMAND_TYPEHASH =
        keccak256("Demand(uint32 memberId,uint32 epoch,uint32 attempt,uint256 deadline)");
    bytes32 private constant CONTEST_TYPEHASH =
        keccak256("Contest(uint32 memberId,uint32 epoch,uint32 attempt,uint256 deadline)");

    /// @notice How long a demand may wait for its answer.
    uint256 internal constant ANSWER_TIME = 24 hours;
    /// @notice How long a root stays pending after that: to contest what was answered, or to void what was not.
    uint256 internal constant REPLY_TIME = 12 hours;
    /// @notice How long the member house may take over an objection: a vote and its timelock, and less than a bond takes to
    /// be withdrawn, so that no signer is gone when it decides.
    uint256 internal constant DECISION_TIME = 14 days;
    /// @notice What is left of the window, at least, after an objection was rejected.
    uint256 internal constant LEAST_WINDOW = 1 hours;

    /// @dev Why a root was voided.
    bytes32 private constant UPHELD = "upheld";
    bytes32 private constant LAPSED = "lapsed";
    bytes32 private constant UNANSWERED = "unanswered";
    bytes32 private constant CONTESTED = "contested";

    /// @dev `demands` of a row that was published.
    uint40 private constant ANSWERED = type(uint40).max;

    event Objected(uint32 indexed epoch, uint32 attempt, address steward);
    event ObjectionRejected(uint32 indexed epoch, uint32 attempt, uint64 finalAt);
    event Voided(uint32 indexed epoch, uint32 attempt, bytes32 reason);
    event Demanded(uint32 indexed epoch, uint32 attempt, uint32 indexed memberId, uint64 answerBy);
    event RowPublished(
        uint32 indexed epoch, uint32 indexed attempt, uint32 indexed memberId, Claim row, bytes32[] proof
    );

    // ------------------------------------------------------------------------------------------- objections

    /// @notice A steward freezes the pending root and bonds for it. Once for each root, and without content: what is wrong
    /// may be nobody's business but the members'.
    function object() external {
        Storage storage $ = _storage();
        // Check:
        Head memory head = _pendingHead($);
        (uint32 epoch, uint32 attempt) = _proposalOf($, head);
        Dispute storage d = $.disputes[_proposalKey(epoch, attempt)];
        if (d.objector != address(0)) revert SettlementLedger_AlreadyObjected();
        // Effects:
        if (d.windowEnd == 0) d.windowEnd = head.finalAt;
        (d.objector, d.frozenAt) = (msg.sender, uint40(block.timestamp));
        d.left = uint40(head.finalAt - block.timestamp);
        $.head.finalAt = FROZEN;
        emit Objected(epoch, attempt, msg.sender);
        // Interaction:
        $.committee.lockObjection(msg.sender);
    }

    /// @notice The member house decides over the objection to this proposal: void, or the window goes on.
    function resolveObjection(uint32 epoch, uint32 attempt, bool upheld) external restricted {
        Storage storage $ = _storage();
        // Check:
        Head memory head = _frozenHead($);
        _checkProposal($, head, epoch, attempt);
        if (upheld) {
            _void($, head, UPHELD, true);
            return;
        }
        // Effects:
        Dispute storage d = $.disputes[_proposalKey(epoch, attempt)];
        uint256 finalAt = Math.max(block.timestamp + Math.max(d.left, LEAST_WINDOW), d.demandedUntil);
        $.head.finalAt = uint40(finalAt);
        emit ObjectionRejected(epoch, attempt, uint64(finalAt));
        // Interaction:
        $.committee.settleObjection(d.objector, false);
    }

    /// @notice Voids a root over which the member house did not decide in time. Nobody is slashed for that.
    function lapseObjection() external {
        Storage storage $ = _storage();
        // Check:
        Head memory head = _frozenHead($);
        uint256 lapsesAt = _dispute($, head).frozenAt + DECISION_TIME;
        if (block.timestamp < lapsesAt) revert SettlementLedger_NotLapsed(uint64(lapsesAt));
        _void($, head, LAPSED, false);
    }

    // ---------------------------------------------------------------------------------------------- demands

    /// @notice A member asks for the path of its row in the pending tree: it calls itself, or signs and anyone sends.
    function demand(Demand calldata r, bytes calldata signature) external {
        Storage storage $ = _storage();
        // Check:
        Head memory head = _pendingHead($);
        _checkProposal($, head, r.epoch, r.attempt);
        _checkMember($, r.memberId, r.deadline, keccak256(abi.encode(DEMAND_TYPEHASH, r)), signature);
        _checkHasRow($, head, r.memberId);
        Dispute storage d = $.disputes[_proposalKey(r.epoch, r.attempt)];
        uint40 windowEnd = d.windowEnd == 0 ? head.finalAt : d.windowEnd;
        if (block.timestamp >= windowEnd) revert SettlementLedger_WindowOver(windowEnd);
        uint256 key = _demandKey(r.epoch, r.attempt, r.memberId);
        if ($.demands[key] != 0) revert SettlementLedger_AlreadyDemanded(r.memberId);
        // Effects:
        uint256 answerBy = block.timestamp + ANSWER_TIME;
        uint40 until = uint40(answerBy + REPLY_TIME);
        $.demands[key] = uint40(answerBy);
        (d.windowEnd, d.demandedUntil) = (windowEnd, until);
        if (until > head.finalAt) $.head.finalAt = until;
        emit Demanded(r.epoch, r.attempt, r.memberId, uint64(answerBy));
    }

    /// @notice Publishes the row that was demanded. Anyone who has the tree can.
    function answer(Claim calldata row, bytes32[] calldata proof) external {
        Storage storage $ = _storage();
        // Check:
        Head memory head = _pendingHead($);
        (uint32 epoch, uint32 attempt) = _proposalOf($, head);
        uint256 key = _demandKey(epoch, attempt, row.memberId);
        uint40 answerBy = $.demands[key];
        if (answerBy == 0 || answerBy == ANSWERED) revert SettlementLedger_NotDemanded(row.memberId);
        if (block.timestamp > answerBy) revert SettlementLedger_AnswerTooLate(answerBy);
        _checkRow(row, proof, _round($, epoch).root, head.depth);
        // Effects:
        $.demands[key] = ANSWERED;
        _emitRowPublished(epoch, attempt, row.memberId);
    }

    /// @notice Voids the pending root because a member's row was not published in time. Anyone can.
    function voidUnanswered(uint32 memberId) external {
        Storage storage $ = _storage();
        // Check:
        Head memory head = _pendingHead($);
        (uint32 epoch, uint32 attempt) = _proposalOf($, head);
        uint40 answerBy = $.demands[_demandKey(epoch, attempt, memberId)];
        if (answerBy == 0 || answerBy == ANSWERED) revert SettlementLedger_NotDemanded(memberId);
        if (block.timestamp <= answerBy) revert SettlementLedger_AnswerStillDue(answerBy);
        _void($, head, UNANSWERED, false);
    }

    // --------------------------------------------------------------------------------------------- contests

    /// @notice A member opens its row, old and new, and its inputs; if the formula gives another row, the root is void and
    /// its signers' bonds go into escrow. What is opened here is public for ever: only the member itself may do it.
    function contest(Contest calldata c, bytes calldata signature, IContestVerifier.Opening calldata opening) external {
        Storage storage $ = _storage();
        // Check:
        Head memory head = _pendingHead($);
        _checkProposal($, head, c.epoch, c.attempt);
        _checkMember($, c.memberId, c.deadline, keccak256(abi.encode(CONTEST_TYPEHASH, c)), signature);
        (bytes32 headerHash, uint256 depth, bool wrong) =
            abi.decode(_ask(IContestVerifier.judge.selector, _judged($, c.memberId, opening)), (bytes32, uint256, bool));
        bytes32 expected = _round($, c.epoch).headerHash;
        if (headerHash != expected) revert SettlementLedger_BadHeader(headerHash, expected);
        if (depth != head.depth) revert SettlementLedger_BadProof(c.memberId);
        if (!wrong) revert SettlementLedger_RowIsRight(c.memberId);
        _void($, head, CONTESTED, true);
    }

    // --------------------------------------------------------------------------------------------- internal

    /// @dev As `abi.encode(memberId, its row key's digest, o)`: the opening is passed on as it lies in calldata, to its end.
    function _judged(Storage storage $, uint32 memberId, IContestVerifier.Opening calldata o)
        private
        view
        returns (bytes memory)
    {
        uint256 offset;
        assembly {
            offset := o
        }
        bytes32 digest = $.membership.rowKeyDigestOf(memberId);
        return abi.encodePacked(uint256(memberId), digest, uint256(96), msg.data[offset:]);
    }

    /// @dev As `emit RowPublished(epoch, attempt, memberId, row, proof)` in `answer`, whose arguments lie in calldata as the
    /// event wants them.
    function _emitRowPublished(uint256 epoch, uint256 attempt, uint256 memberId) private {
        bytes32 topic = RowPublished.selector;
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            let size := sub(calldatasize(), 4)
            calldatacopy(ptr, 4, size)
            log4(ptr, size, topic, epoch, attempt, memberId)
        }
    }

    /// @dev A pause takes nothing from the time in which a pending root can be disputed. Ending it early gives nothing
    /// back, so that the end of a window never moves towards the present. PauseGuard bounds a pause; one without end would
    /// stop proposals for as long as 40 bits can say.
    function _afterPauseSet(uint64 before, uint64 until) internal override {
        Storage storage $ = _storage();
        Head memory head = _head($);
        until = uint64(Math.min(until, FROZEN - 1));
        $.head.pausedUntil = uint40(until);
        uint256 from = Math.max(before, block.timestamp);
        if (until <= from || block.timestamp >= head.finalAt) return;
        uint40 extra = uint40(until - from);
        Dispute storage d = _dispute($, head);
        if (d.windowEnd != 0) d.windowEnd += extra;
        if (head.finalAt == FROZEN) d.left += extra;
        else $.head.finalAt = head.finalAt + extra;
    }

    /// @dev The epoch before is the last one again; the round keeps the number that the next attempt must reach.
    function _void(Storage storage $, Head memory head, bytes32 reason, bool slash) private {
        (uint32 epoch, uint32 attempt) = _proposalOf($, head);
        Round storage round = _round($, epoch);
        uint256 signers = round.signers;
        // Effects:
        (round.root, round.attempt) = (0, uint16(attempt) + 1);
        ($.head.lastEpoch, $.head.finalAt) = (head.lastEpoch - 1, 0);
        emit Voided(epoch, attempt, reason);
        // Interaction:
        if (head.finalAt == FROZEN) {
            $.committee.settleObjection($.disputes[_proposalKey(epoch, attempt)].objector, true);
        }
        if (slash) $.committee.escrowSigners(signers, reason);
    }

    function _pendingHead(Storage storage $) private view returns (Head memory head) {
        head = _head($);
        if (block.timestamp >= head.finalAt) revert SettlementLedger_NotPending(head.lastEpoch, 0);
    }

    function _frozenHead(Storage storage $) private view returns (Head memory head) {
        head = _head($);
        if (head.finalAt != FROZEN) revert SettlementLedger_NotFrozen();
    }

    function _proposalOf(Storage storage $, Head memory head) private view returns (uint32 epoch, uint32 attempt) {
        return (head.lastEpoch, _round($, head.lastEpoch).attempt);
    }

    function _dispute(Storage storage $, Head memory head) private view returns (Dispute storage) {
        (uint32 epoch, uint32 attempt) = _proposalOf($, head);
        return $.disputes[_proposalKey(epoch, attempt)];
    }

    /// @dev Signatures and decisions name the proposal they are about: another may be pending by the time they arrive.
    function _checkProposal(Storage storage $, Head memory head, uint32 epoch, uint32 attempt) private view {
        (uint32 epoch_, uint32 attempt_) = _proposalOf($, head);
        if (epoch != epoch_ || attempt != attempt_) revert SettlementLedger_NotPending(epoch, attempt);
    }

    /// @dev The member calls, or signed. Also after the membership ended: its row stays in the tree.
    function _checkMember(
        Storage storage $,
        uint32 memberId,
        uint256 deadline,
        bytes32 structHash,
        bytes calldata signature
    ) private view {
        address account = $.membership.accountOf(memberId);
        if (msg.sender == account) return;
        if (block.timestamp > deadline) revert SettlementLedger_Expired(deadline);
        bytes memory signed = abi.encode(account, _hashTypedDataV4(structHash), signature);
        if (uint256(bytes32(_ask(IContestVerifier.isSigned.selector, signed))) == 0) {
            revert SettlementLedger_BadSignature(memberId);
        }
    }

    /// @dev Who joined after the epoch's cut, or beyond the tree, has no row that could be published.
    function _checkHasRow(Storage storage $, Head memory head, uint32 memberId) private view {
        (uint40 joinedAt,) = $.membership.membershipTimes(memberId);
        uint256 cut = uint256(head.genesis) + uint256(head.lastEpoch) * head.epochLength;
        if (joinedAt > cut || memberId >> head.depth != 0) revert SettlementLedger_NoRow(memberId);
    }

    function _checkRow(Claim calldata row, bytes32[] calldata proof, bytes32 root, uint256 depth) private pure {
        uint256 offset;
        assembly {
            offset := row
        }
        if (!LedgerTree.isAt(root, depth, row.memberId, LedgerTree.leafOfCalldata(offset), proof)) {
            revert SettlementLedger_BadProof(row.memberId);
        }
    }
}
