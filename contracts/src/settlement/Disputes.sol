// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Bounds} from "../access/Bounds.sol";
import {Governed} from "../access/Governed.sol";
import {MemberSignature} from "../access/MemberSignature.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {IMembership} from "../membership/IMembership.sol";
import {IStewardBonds} from "../oracle/IStewardBonds.sol";
import {IContestVerifier} from "./IContestVerifier.sol";
import {ISettlementLedger} from "./ISettlementLedger.sol";
import {LedgerHeader} from "./LedgerHeader.sol";
import {LedgerTree} from "./LedgerTree.sol";
import {RewardFormula} from "./RewardFormula.sol";

/// @title Disputes
/// @notice What can stop a root of SettlementLedger before it is final.
///
/// Roles
/// - Steward: objects to a root, without saying why, once, at the price of a bond: the root is frozen until the member
///   house decides.
/// - Member: demands the path of its row, or the opening of its inputs: who keeps it back loses the root. Contests its row:
///   ContestVerifier replays it, and a mismatch voids the root without anybody's judgement. By a call or a signature.
/// - Anyone: answers a demand; voids a root whose demand was not answered, or over whose objection nobody decided.
/// - Member house: decides over objections.
/// - Charter: upgrades. Nothing here is ever paused.
///
/// Assumptions
/// - Of what a contest needs, the header stands in the log of `SettlementLedger.propose`, the parameters in that of their
///   vote; row and inputs can be demanded here, as could the old row while its root was pending. The key is the member's.
/// - SettlementLedger lets nobody else keep a root from becoming final, and makes the window longer by its pauses.
///
/// A void root is as if it had never been proposed, but for its attempt number, which is spent.
///
/// Liveness: a demand keeps a root pending for at most 48 hours, and demands end with the window. An objection keeps it for
/// 14 days, after which anyone voids it. A rejected objection leaves the full window, and as many more objections as there
/// are other stewards.
///
/// Who can hurt whom: a steward can delay a root at its own cost, a member by hours at the cost of an answer. What a member
/// demands or contests is public for ever; nobody else can have it published.
contract Disputes is NamedEIP712, Governed {
    /// @notice What a member may have published: the row's leaf with its path, or the opening of its inputs.
    enum Kind {
        Row,
        Inputs
    }

    /// @notice What a member signs to have something published.
    /// @param memberId whose row or inputs
    /// @param epoch of the pending root
    /// @param attempt of the pending root
    /// @param kind what to publish
    /// @param deadline until when others may send it, unix seconds
    struct Demand {
        uint32 memberId;
        uint32 epoch;
        uint32 attempt;
        Kind kind;
        uint256 deadline;
    }

    /// @notice What a member signs to have its row replayed.
    /// @param memberId whose row
    /// @param epoch of the pending root
    /// @param attempt of the pending root
    /// @param deadline until when others may send it, unix seconds
    struct Contest {
        uint32 memberId;
        uint32 epoch;
        uint32 attempt;
        uint256 deadline;
    }

    /// @dev What is set at initialize, for good.
    struct Deployment {
        address authority;
        address ledger;
        address membership;
        address committee;
        address contestVerifier;
    }

    /// @dev What happened to one proposal.
    struct Dispute {
        // Whose objection waits for the member house. Zero exactly while the root is not frozen.
        address objector;
        // When it objected.
        uint40 frozenAt;
        // Until when demands are taken, but for later pauses; 0 while nothing has happened: then it is when the root is final.
        uint40 windowEnd;
        // What pauses had made windows longer by, in total, when `windowEnd` was written. Never above the ledger's total.
        uint40 prolonged;
        // The root is not final before: the last demand was answered or can be voided by then.
        uint40 demandedUntil;
    }

    /// @custom:storage-location erc7201:rochdale.storage.Disputes
    struct Storage {
        ISettlementLedger ledger;
        IMembership membership;
        IStewardBonds committee;
        IContestVerifier contestVerifier;
        mapping(uint256 proposal => Dispute) disputes;
        // Each steward once a root, whatever became of its objection.
        mapping(uint256 proposal => mapping(address steward => bool)) objected;
        // When the answer is due; `ANSWERED` once it was given; 0 where nothing was demanded.
        mapping(uint256 demand => uint40) demands;
    }

    bytes32 private constant STORAGE = 0x65141e7429f8ce310e4652a9bb57e12c9f09e186fdeaa3d96b0c91a86a9a5300;

    bytes32 private constant DEMAND_TYPEHASH =
        keccak256("Demand(uint32 memberId,uint32 epoch,uint32 attempt,uint8 kind,uint256 deadline)");
    bytes32 private constant CONTEST_TYPEHASH =
        keccak256("Contest(uint32 memberId,uint32 epoch,uint32 attempt,uint256 deadline)");

    /// @notice How long a demand may wait for its answer, in seconds. A sequencer's outage that eats it costs an attempt and
    /// nobody's bond: the root is void without a slash and the next one is proposed. So it is as long as an honest steward
    /// needs, and not as long as an outage can be; with a longer one every demand would hold up everybody's money longer.
    /// It is not governed: what a house could make shorter, a house could make too short for an answer to a rival.
    uint256 public constant ANSWER_TIME = 24 hours;
    /// @notice How long a root stays pending after that: to contest what was answered, or to void what was not. Whoever
    /// misses it has a false row for good, so that it is as long as the least window: a rollup's base chain forces in within
    /// a day what its sequencer does not take.
    uint256 public constant REPLY_TIME = 24 hours;
    /// @notice How long the member house may take over an objection: a vote and its timelock, and less than a bond takes to
    /// be withdrawn, so that no signer is gone when it decides.
    uint256 public constant DECISION_TIME = Bounds.DECISION_TIME;

    /// @dev Why a root was voided.
    bytes32 private constant UPHELD = "upheld";
    bytes32 private constant LAPSED = "lapsed";
    bytes32 private constant UNANSWERED = "unanswered";
    bytes32 private constant CONTESTED = "contested";

    /// @dev In place of a time, of a demand that was answered.
    uint40 private constant ANSWERED = type(uint40).max;

    event Objected(uint32 indexed epoch, uint32 attempt, address steward);
    event ObjectionRejected(uint32 indexed epoch, uint32 attempt, uint64 finalAt);
    event Demanded(uint32 indexed epoch, uint32 attempt, uint32 indexed memberId, Kind kind, uint64 answerBy);
    event RowPublished(
        uint32 indexed epoch,
        uint32 indexed attempt,
        uint32 indexed memberId,
        ISettlementLedger.Claim row,
        bytes32[] proof
    );
    event InputsPublished(
        uint32 indexed epoch,
        uint32 indexed attempt,
        uint32 indexed memberId,
        RewardFormula.Inputs inputs,
        bytes32 blinder,
        bytes32[] proof
    );

    error Disputes_NotPending(uint32 epoch, uint32 attempt);
    error Disputes_Frozen(address objector);
    error Disputes_AlreadyObjected(address steward);
    error Disputes_NotFrozen();
    error Disputes_NotLapsed(uint64 lapsesAt);
    error Disputes_WindowOver(uint64 windowEnd);
    error Disputes_NoRow(uint32 memberId);
    error Disputes_AlreadyDemanded(uint32 memberId, Kind kind);
    error Disputes_NotDemanded(uint32 memberId, Kind kind);
    error Disputes_AnswerTooLate(uint64 answerBy);
    error Disputes_AnswerStillDue(uint64 answerBy);
    error Disputes_Expired(uint256 deadline);
    error Disputes_BadSignature(uint32 memberId);
    error Disputes_BadHeader(bytes32 headerHash, bytes32 expected);
    error Disputes_BadProof(uint32 memberId);
    error Disputes_RowIsRight(uint32 memberId);

    /// @notice Once, by the factory.
    /// @param d the contracts that this one works with
    function initialize(Deployment calldata d) external initializer {
        __Governed_init(d.authority);
        Storage storage $ = _storage();
        $.ledger = ISettlementLedger(_nonZero(d.ledger, "ledger"));
        $.membership = IMembership(_nonZero(d.membership, "membership"));
        $.committee = IStewardBonds(_nonZero(d.committee, "committee"));
        $.contestVerifier = IContestVerifier(_nonZero(d.contestVerifier, "contestVerifier"));
    }

    // ------------------------------------------------------------------------------------------- objections

    /// @notice A steward freezes the pending root and bonds for it. Each steward once a root, and without content: what is
    /// wrong may be nobody's business but the members'.
    /// @param epoch of the pending root
    /// @param attempt of the pending root
    function object(uint32 epoch, uint32 attempt) external {
        Storage storage $ = _storage();
        // Check:
        ISettlementLedger.Proposal memory p = _pending($, epoch, attempt);
        uint256 key = _proposalKey(epoch, attempt);
        Dispute storage d = $.disputes[key];
        if (d.objector != address(0)) revert Disputes_Frozen(d.objector);
        if ($.objected[key][msg.sender]) revert Disputes_AlreadyObjected(msg.sender);
        // Effects:
        $.objected[key][msg.sender] = true;
        if (d.windowEnd == 0) _openWindow(d, p, p.finalAt);
        (d.objector, d.frozenAt) = (msg.sender, uint40(block.timestamp));
        emit Objected(epoch, attempt, msg.sender);
        // Interaction:
        $.ledger.setFinalAt(Bounds.FROZEN);
        $.committee.lockObjection(msg.sender);
    }

    /// @notice The member house decides over one steward's objection to this proposal: void, or the full window once more.
    /// A decision over one steward's objection is none over another's to the same root.
    /// @param epoch of the frozen root
    /// @param attempt of the frozen root
    /// @param objector who objected
    /// @param upheld whether the objector was right
    function resolveObjection(uint32 epoch, uint32 attempt, address objector, bool upheld) external restricted {
        Storage storage $ = _storage();
        // Check:
        ISettlementLedger.Proposal memory p = _pending($, epoch, attempt);
        Dispute storage d = $.disputes[_proposalKey(epoch, attempt)];
        if (objector == address(0) || objector != d.objector) revert Disputes_NotFrozen();
        if (upheld) {
            _void($, p, UPHELD, true);
            return;
        }
        // Effects:
        uint256 windowEnd = block.timestamp + p.window;
        uint64 finalAt = uint64(Math.max(windowEnd, d.demandedUntil));
        (d.objector, d.frozenAt) = (address(0), 0);
        _openWindow(d, p, windowEnd);
        emit ObjectionRejected(epoch, attempt, finalAt);
        // Interaction:
        $.ledger.setFinalAt(finalAt);
        $.committee.settleObjection(objector, false);
    }

    /// @notice Voids a root over which the member house did not decide in time. Nobody is slashed for that.
    function lapseObjection() external {
        Storage storage $ = _storage();
        // Check:
        ISettlementLedger.Proposal memory p = _anyPending($);
        Dispute storage d = $.disputes[_proposalKey(p.epoch, p.attempt)];
        if (d.objector == address(0)) revert Disputes_NotFrozen();
        uint256 lapsesAt = d.frozenAt + DECISION_TIME;
        if (block.timestamp < lapsesAt) revert Disputes_NotLapsed(uint64(lapsesAt));
        _void($, p, LAPSED, false);
    }

    // ---------------------------------------------------------------------------------------------- demands

    /// @notice A member has its row or its inputs published: it calls itself, or signs and anyone sends.
    /// @param r what is demanded, of which proposal
    /// @param signature the member's; unread where the member calls
    function demand(Demand calldata r, bytes calldata signature) external {
        Storage storage $ = _storage();
        // Check:
        ISettlementLedger.Proposal memory p = _pending($, r.epoch, r.attempt);
        _checkMember($, r.memberId, r.deadline, keccak256(abi.encode(DEMAND_TYPEHASH, r)), signature);
        _checkHasRow($, p, r.memberId);
        Dispute storage d = $.disputes[_proposalKey(r.epoch, r.attempt)];
        uint256 windowEnd = d.windowEnd == 0 ? p.finalAt : d.windowEnd + p.prolonged - d.prolonged;
        if (block.timestamp >= windowEnd) revert Disputes_WindowOver(uint64(windowEnd));
        uint256 key = _demandKey(p, r.kind, r.memberId);
        if ($.demands[key] != 0) revert Disputes_AlreadyDemanded(r.memberId, r.kind);
        // Effects:
        uint256 answerBy = block.timestamp + ANSWER_TIME;
        uint256 until = answerBy + REPLY_TIME;
        if (d.windowEnd == 0) _openWindow(d, p, p.finalAt);
        $.demands[key] = uint40(answerBy);
        d.demandedUntil = uint40(until);
        emit Demanded(r.epoch, r.attempt, r.memberId, r.kind, uint64(answerBy));
        // Interaction:
        if (until > p.finalAt) $.ledger.setFinalAt(uint64(until));
    }

    /// @notice Publishes the row that was demanded. Anyone who has the tree can.
    /// @param row the leaf in the pending tree
    /// @param proof its path, lowest sibling first
    function answerRow(ISettlementLedger.Claim calldata row, bytes32[] calldata proof) external {
        Storage storage $ = _storage();
        // Check:
        ISettlementLedger.Proposal memory p = _anyPending($);
        uint256 key = _checkDemanded($, p, Kind.Row, row.memberId);
        bytes32 leaf = LedgerTree.leaf(row.memberId, row.cash, row.stream, row.data, row.gov, row.privateHash);
        if (!LedgerTree.isAt(p.root, p.depth, row.memberId, leaf, proof)) revert Disputes_BadProof(row.memberId);
        // Effects:
        $.demands[key] = ANSWERED;
        emit RowPublished(p.epoch, p.attempt, row.memberId, row, proof);
    }

    /// @notice Publishes the inputs that were demanded. Anyone who has them can.
    /// @param h the header of the pending root, which names the tree of inputs
    /// @param memberId whose inputs
    /// @param inputs what the row's step took
    /// @param blinder what hides them in their leaf
    /// @param proof the path of the leaf, lowest sibling first
    function answerInputs(
        ISettlementLedger.Header calldata h,
        uint32 memberId,
        RewardFormula.Inputs calldata inputs,
        bytes32 blinder,
        bytes32[] calldata proof
    ) external {
        Storage storage $ = _storage();
        // Check:
        ISettlementLedger.Proposal memory p = _anyPending($);
        uint256 key = _checkDemanded($, p, Kind.Inputs, memberId);
        _checkHeader(p, h);
        bytes32 leaf = RewardFormula.inputsLeaf(memberId, inputs, blinder);
        if (!LedgerTree.isAt(h.inputsRoot, p.depth, memberId, leaf, proof)) revert Disputes_BadProof(memberId);
        // Effects:
        $.demands[key] = ANSWERED;
        emit InputsPublished(p.epoch, p.attempt, memberId, inputs, blinder, proof);
    }

    /// @notice Voids the pending root because something that a member demanded was not published in time. Anyone can.
    /// @param memberId whose demand
    /// @param kind of what
    function voidUnanswered(uint32 memberId, Kind kind) external {
        Storage storage $ = _storage();
        // Check:
        ISettlementLedger.Proposal memory p = _anyPending($);
        uint40 answerBy = $.demands[_demandKey(p, kind, memberId)];
        if (answerBy == 0 || answerBy == ANSWERED) revert Disputes_NotDemanded(memberId, kind);
        if (block.timestamp <= answerBy) revert Disputes_AnswerStillDue(answerBy);
        _void($, p, UNANSWERED, false);
    }

    // --------------------------------------------------------------------------------------------- contests

    /// @notice A member opens its row, old and new, and its inputs; if the formula gives another row, the root is void and
    /// its signers' bonds go into escrow. What is opened here is public for ever: only the member itself may do it.
    /// @param c which row of which proposal
    /// @param signature the member's; unread where the member calls
    /// @param opening all that is needed to replay the row
    function contest(Contest calldata c, bytes calldata signature, IContestVerifier.Opening calldata opening) external {
        Storage storage $ = _storage();
        // Check:
        ISettlementLedger.Proposal memory p = _pending($, c.epoch, c.attempt);
        _checkMember($, c.memberId, c.deadline, keccak256(abi.encode(CONTEST_TYPEHASH, c)), signature);
        _checkHeader(p, opening.header);
        bytes32 rowKeyDigest = $.membership.rowKeyDigestOf(c.memberId);
        bool wrong = $.contestVerifier.judge(c.memberId, rowKeyDigest, p.depth, opening);
        if (!wrong) revert Disputes_RowIsRight(c.memberId);
        _void($, p, CONTESTED, true);
    }

    // ------------------------------------------------------------------------------------------------ views

    /// @notice What happened to a proposal.
    /// @param epoch of the proposal
    /// @param attempt of the proposal
    /// @return objector whose objection waits for the member house; zero while the root is not frozen
    /// @return frozenAt since when it waits, unix seconds
    /// @return demandedUntil when the last demand will have been answered or can be voided, unix seconds; 0 for none
    function disputeOf(uint32 epoch, uint32 attempt)
        external
        view
        returns (address objector, uint40 frozenAt, uint40 demandedUntil)
    {
        Dispute storage d = _storage().disputes[_proposalKey(epoch, attempt)];
        return (d.objector, d.frozenAt, d.demandedUntil);
    }

    /// @notice Whether a steward objected to a proposal, whatever became of it.
    /// @param epoch of the proposal
    /// @param attempt of the proposal
    /// @param steward who may have
    /// @return whether it did
    function hasObjected(uint32 epoch, uint32 attempt, address steward) external view returns (bool) {
        return _storage().objected[_proposalKey(epoch, attempt)][steward];
    }

    // --------------------------------------------------------------------------------------------- internal

    /// @dev The ledger forgets the root and goes back to the one before. The last thing is the money.
    function _void(Storage storage $, ISettlementLedger.Proposal memory p, bytes32 reason, bool slash) private {
        address objector = $.disputes[_proposalKey(p.epoch, p.attempt)].objector;
        // Interaction:
        $.ledger.voidProposal(reason);
        if (objector != address(0)) $.committee.settleObjection(objector, true);
        if (slash) $.committee.escrowSigners(p.signers, reason);
    }

    function _openWindow(Dispute storage d, ISettlementLedger.Proposal memory p, uint256 windowEnd) private {
        (d.windowEnd, d.prolonged) = (uint40(windowEnd), uint40(p.prolonged));
    }

    function _anyPending(Storage storage $) private view returns (ISettlementLedger.Proposal memory p) {
        p = $.ledger.proposal();
        if (p.epoch == 0) revert Disputes_NotPending(0, 0);
    }

    /// @dev Signatures and decisions name the proposal they are about: another may be pending by the time they arrive.
    function _pending(Storage storage $, uint32 epoch, uint32 attempt)
        private
        view
        returns (ISettlementLedger.Proposal memory p)
    {
        p = _anyPending($);
        if (epoch != p.epoch || attempt != p.attempt) revert Disputes_NotPending(epoch, attempt);
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
        if (block.timestamp > deadline) revert Disputes_Expired(deadline);
        if (!MemberSignature.isValid(account, _hashTypedDataV4(structHash), signature)) {
            revert Disputes_BadSignature(memberId);
        }
    }

    /// @dev Who joined after the epoch's cut, or beyond the tree, has no row that could be published.
    function _checkHasRow(Storage storage $, ISettlementLedger.Proposal memory p, uint32 memberId) private view {
        (uint40 joinedAt,) = $.membership.membershipTimes(memberId);
        if (joinedAt > p.cut || memberId >> p.depth != 0) revert Disputes_NoRow(memberId);
    }

    /// @dev That something was demanded and can still be answered. Returns the demand's key.
    function _checkDemanded(Storage storage $, ISettlementLedger.Proposal memory p, Kind kind, uint32 memberId)
        private
        view
        returns (uint256 key)
    {
        key = _demandKey(p, kind, memberId);
        uint40 answerBy = $.demands[key];
        if (answerBy == 0 || answerBy == ANSWERED) revert Disputes_NotDemanded(memberId, kind);
        if (block.timestamp > answerBy) revert Disputes_AnswerTooLate(answerBy);
    }

    function _checkHeader(ISettlementLedger.Proposal memory p, ISettlementLedger.Header calldata h) private pure {
        bytes32 headerHash = LedgerHeader.hash(h);
        if (headerHash != p.headerHash) revert Disputes_BadHeader(headerHash, p.headerHash);
    }

    /// @dev What identifies a proposal: attempts of an epoch only ever count up.
    function _proposalKey(uint256 epoch, uint256 attempt) private pure returns (uint256) {
        return epoch << 32 | attempt;
    }

    function _demandKey(ISettlementLedger.Proposal memory p, Kind kind, uint256 memberId)
        private
        pure
        returns (uint256)
    {
        return _proposalKey(p.epoch, p.attempt) << 64 | uint256(kind) << 32 | memberId;
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "Disputes";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
