// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {GovernorUpgradeable} from "@openzeppelin/contracts-upgradeable/governance/GovernorUpgradeable.sol";
import {
    TimelockControllerUpgradeable
} from "@openzeppelin/contracts-upgradeable/governance/TimelockControllerUpgradeable.sol";
import {
    GovernorVotesUpgradeable
} from "@openzeppelin/contracts-upgradeable/governance/extensions/GovernorVotesUpgradeable.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {Bounds} from "../access/Bounds.sol";
import {IConstitution} from "./IConstitution.sol";

/// @notice A source of votes that knows the voters as members.
interface IMemberVotes {
    /// @notice The id under which `account` joined; it never changes, and is 0 for who never joined.
    /// @param account of the voter
    /// @return from 1
    function memberIdOf(address account) external view returns (uint32);
}

/// @title CoopGovernor
/// @notice One house of the cooperative: who holds votes proposes, votes, and after its timelock's delay anyone executes.
/// Deployed twice: the token house votes with GovToken, the member house with Membership.
///
/// Roles
/// - Who has `proposalThreshold` votes proposes; the proposer may cancel before voting starts. Nobody else can cancel.
/// - Who had votes at the snapshot votes once: for, against, abstain; by transaction or by a signature that anyone sends.
/// - Anyone queues what succeeded and executes what waited, here. Execution comes from the timelock, which holds the
///   house's role and takes operations and their execution from this governor alone.
/// - The house itself changes its settings, through a proposal of its own, within the bounds below. The charter alone
///   changes the quorum's floor.
///
/// Assumptions
/// - The source of votes is an OZ-style IVotes with a timestamp clock, and gives every voter a member id of its own.
/// - The timelock takes proposals from this governor alone: an operation's id there is the proposal's id here.
/// - The gate says truly when the cooperative was constituted.
///
/// Decisions
/// - Succeeded = more for than against, and for + abstain ≥ quorum = max(floor, part of all votes at the snapshot, rounded up).
///   "All votes" counts every active member, and every unit of one, seasoned or not.
/// - A vote that reaches the quorum late moves the end, so that others can answer it.
/// - Floor and part are those in force at the snapshot: a change never revives a proposal that was lost.
/// - Until the cooperative is constituted, the house proposes nothing to itself or its timelock: the first few could else
///   make its rules or its timelock theirs. What was put to the vote before that day and is not executed by then lapses,
///   so that no decision of the first few waits for the power which that day brings.
///
/// Liveness: no key and no guardian is needed at any step. A floor above what members can muster would stop the house;
/// the bounds leave the part at 50 % or less, and the floor is raised to half of all votes at most.
/// Who can hurt whom: a majority of a house can do all that the house's role allows, after its delay, in sight of all.
/// @dev OZ Governor with modules of its own, for gas: one slot of settings, a tally of two slots with the late end beside
/// the votes, ballots as bits by member id, and no second table of timelock ids. Not upgradeable: a house is replaced
/// through CharterGate by giving its role to another timelock.
contract CoopGovernor is GovernorVotesUpgradeable {
    using BitMaps for BitMaps.BitMap;
    using Checkpoints for Checkpoints.Trace208;

    /// @notice What a house decides by. Times in seconds; the threshold in votes.
    struct Settings {
        uint48 votingDelay;
        uint32 votingPeriod;
        uint256 proposalThreshold;
        uint256 quorumBps;
        uint48 lateQuorumExtension;
    }

    enum VoteType {
        Against,
        For,
        Abstain
    }

    /// @dev Votes for and against, and the end that a late quorum moved, are in one slot.
    struct Tally {
        uint104 againstVotes;
        uint104 forVotes;
        uint48 extendedDeadline;
        uint104 abstainVotes;
    }

    /// @custom:storage-location erc7201:rochdale.storage.CoopGovernor
    struct Storage {
        uint128 proposalThreshold;
        uint48 votingDelay;
        uint32 votingPeriod;
        uint48 lateQuorumExtension;
        TimelockControllerUpgradeable timelock;
        // floor << 16 | bps, by the time it was set.
        Checkpoints.Trace208 quorum;
        mapping(uint256 proposalId => Tally) tallies;
        mapping(uint256 proposalId => BitMaps.BitMap) ballots;
        IConstitution gate;
    }

    bytes32 private constant STORAGE = 0xd893ef81f5ad34cd9b871aaa6073e14635e7bfaf752b9835f6d740a864c3f300;

    uint256 private constant BPS = 10_000;

    /// @notice Bounds of the settings: long enough to be seen, short enough to decide anything.
    uint48 public constant MIN_DELAY = Bounds.MIN_DELAY;
    uint48 public constant MAX_DELAY = 30 days;
    uint32 public constant MIN_PERIOD = Bounds.MIN_PERIOD;
    uint32 public constant MAX_PERIOD = 60 days;
    uint256 public constant MIN_QUORUM_BPS = Bounds.MIN_QUORUM_BPS;
    uint256 public constant MAX_QUORUM_BPS = Bounds.MAX_QUORUM_BPS;

    event SettingsSet(Settings settings);
    event QuorumFloorSet(uint256 quorumFloor);
    /// @notice The quorum was reached late, so voting ends later.
    event ProposalExtended(uint256 indexed proposalId, uint64 extendedDeadline);

    error CoopGovernor_ZeroAddress(string what);
    error CoopGovernor_BadSettings(string what);
    error CoopGovernor_OnlyCharter(address caller);
    error CoopGovernor_NotConstituted(address target);
    error CoopGovernor_NoVotes(address voter, uint256 timepoint);

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Once, by the factory.
    /// @param name_ of the house
    /// @param token_ who has votes
    /// @param timelock_ where decisions wait, and the house's hands
    /// @param gate_ the charter
    /// @param settings_ how the house decides
    /// @param quorumFloor_ the votes that every proposal needs
    function initialize(
        string calldata name_,
        IVotes token_,
        TimelockControllerUpgradeable timelock_,
        IConstitution gate_,
        Settings calldata settings_,
        uint256 quorumFloor_
    ) external initializer {
        if (address(token_) == address(0)) {
            revert CoopGovernor_ZeroAddress("token");
        }
        if (address(timelock_) == address(0)) revert CoopGovernor_ZeroAddress("timelock");
        if (address(gate_) == address(0)) revert CoopGovernor_ZeroAddress("gate");
        __Governor_init(name_);
        __GovernorVotes_init(token_);
        Storage storage $ = _storage();
        ($.timelock, $.gate) = (timelock_, gate_);
        _setSettings(settings_);
        _setQuorumFloor(quorumFloor_);
    }

    // ----------------------------------------------------------------------------------------------- settings

    /// @notice Changes how this house decides; only by its own proposal, and only for proposals made afterwards.
    /// @param settings_ within the bounds above
    function setSettings(Settings calldata settings_) external onlyGovernance {
        _setSettings(settings_);
    }

    /// @notice Changes the least quorum of later proposals, in votes; what both houses decided. Up to half of all votes, or
    /// down.
    /// @param quorumFloor_ in votes, not 0
    function setQuorumFloor(uint256 quorumFloor_) external {
        if (msg.sender != address(_storage().gate)) revert CoopGovernor_OnlyCharter(msg.sender);
        bool raised = quorumFloor_ > quorumFloor();
        if (raised && quorumFloor_ > token().getPastTotalSupply(clock() - 1) / 2) {
            revert CoopGovernor_BadSettings("quorumFloor");
        }
        _setQuorumFloor(quorumFloor_);
    }

    /// @notice How the house decides now.
    /// @return what the next proposal goes by
    function settings() external view returns (Settings memory) {
        Storage storage $ = _storage();
        (, uint256 bps) = _quorumTerms(clock());
        return Settings($.votingDelay, $.votingPeriod, $.proposalThreshold, bps, $.lateQuorumExtension);
    }

    /// @notice The votes that every proposal needs, whatever the part is.
    /// @return floor in force now
    function quorumFloor() public view returns (uint256 floor) {
        (floor,) = _quorumTerms(clock());
    }

    /// @notice How long a proposal waits before it is voted on.
    /// @return seconds
    function votingDelay() public view override returns (uint256) {
        return _storage().votingDelay;
    }

    /// @notice How long a proposal is voted on, unless the quorum is reached late.
    /// @return seconds
    function votingPeriod() public view override returns (uint256) {
        return _storage().votingPeriod;
    }

    /// @notice What it takes to propose.
    /// @return votes
    function proposalThreshold() public view override returns (uint256) {
        return _storage().proposalThreshold;
    }

    /// @notice The votes (for and abstaining) that a proposal with this snapshot needs.
    /// @param timepoint of the snapshot, unix seconds, in the past
    /// @return votes
    function quorum(uint256 timepoint) public view override returns (uint256) {
        (uint256 floor, uint256 bps) = _quorumTerms(timepoint);
        uint256 part = Math.mulDiv(token().getPastTotalSupply(timepoint), bps, BPS, Math.Rounding.Ceil);
        return Math.max(floor, part);
    }

    /// @notice Times here are unix seconds.
    /// @return now
    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    /// @notice ERC-6372: what the clock counts.
    /// @return timestamps
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function _setSettings(Settings calldata s) private {
        if (s.votingDelay < MIN_DELAY || s.votingDelay > MAX_DELAY) revert CoopGovernor_BadSettings("votingDelay");
        if (s.votingPeriod < MIN_PERIOD || s.votingPeriod > MAX_PERIOD) {
            revert CoopGovernor_BadSettings("votingPeriod");
        }
        if (s.lateQuorumExtension > s.votingPeriod) revert CoopGovernor_BadSettings("lateQuorumExtension");
        if (s.quorumBps < MIN_QUORUM_BPS || s.quorumBps > MAX_QUORUM_BPS) revert CoopGovernor_BadSettings("quorumBps");
        Storage storage $ = _storage();
        $.votingDelay = s.votingDelay;
        $.votingPeriod = s.votingPeriod;
        $.proposalThreshold = SafeCast.toUint128(s.proposalThreshold);
        $.lateQuorumExtension = s.lateQuorumExtension;
        _pushQuorum($, $.quorum.latest() >> 16, s.quorumBps);
        emit SettingsSet(s);
    }

    function _setQuorumFloor(uint256 floor) private {
        if (floor == 0 || floor > type(uint128).max) revert CoopGovernor_BadSettings("quorumFloor");
        Storage storage $ = _storage();
        _pushQuorum($, floor, uint16($.quorum.latest()));
        emit QuorumFloorSet(floor);
    }

    function _pushQuorum(Storage storage $, uint256 floor, uint256 bps) private {
        $.quorum.push(clock(), uint208(floor << 16 | bps));
    }

    /// @dev Most lookups are for the terms in force.
    function _quorumTerms(uint256 timepoint) private view returns (uint256 floor, uint256 bps) {
        Checkpoints.Trace208 storage trace = _storage().quorum;
        (, uint48 since, uint208 terms) = trace.latestCheckpoint();
        if (timepoint < since) terms = trace.upperLookupRecent(SafeCast.toUint48(timepoint));
        return (terms >> 16, uint16(terms));
    }

    // ---------------------------------------------------------------------------------------------- proposing

    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override returns (uint256) {
        Storage storage $ = _storage();
        if ($.gate.constitutedAt() == 0) {
            for (uint256 i; i < targets.length; ++i) {
                if (targets[i] == address(this) || targets[i] == address($.timelock)) {
                    revert CoopGovernor_NotConstituted(targets[i]);
                }
            }
        }
        return super._propose(targets, values, calldatas, description, proposer);
    }

    // ----------------------------------------------------------------------------------------------- counting

    /// @notice How votes count, as IGovernor lays it down.
    /// @return for, against and abstain; the quorum takes the first and the last
    // solhint-disable-next-line func-name-mixedcase
    function COUNTING_MODE() public pure override returns (string memory) {
        return "support=bravo&quorum=for,abstain";
    }

    /// @notice Whether an account voted on a proposal.
    /// @param proposalId of the proposal
    /// @param account of the voter
    /// @return true once it voted
    function hasVoted(uint256 proposalId, address account) public view override returns (bool) {
        return _storage().ballots[proposalId].get(_memberId(account));
    }

    /// @notice The votes on a proposal so far.
    /// @param proposalId of the proposal
    /// @return againstVotes against it
    /// @return forVotes for it
    /// @return abstainVotes counted for the quorum alone
    function proposalVotes(uint256 proposalId)
        external
        view
        returns (uint256 againstVotes, uint256 forVotes, uint256 abstainVotes)
    {
        Tally storage t = _storage().tallies[proposalId];
        return (t.againstVotes, t.forVotes, t.abstainVotes);
    }

    /// @notice When voting ends, in unix seconds; later than announced where the quorum was reached late.
    /// @param proposalId of the proposal
    /// @return unix seconds
    function proposalDeadline(uint256 proposalId) public view override returns (uint256) {
        return Math.max(super.proposalDeadline(proposalId), _storage().tallies[proposalId].extendedDeadline);
    }

    function _countVote(uint256 proposalId, address account, uint8 support, uint256 weight, bytes memory)
        internal
        override
        returns (uint256)
    {
        // Check:
        if (weight == 0) revert CoopGovernor_NoVotes(account, proposalSnapshot(proposalId));
        Storage storage $ = _storage();
        BitMaps.BitMap storage ballots = $.ballots[proposalId];
        uint256 memberId = _memberId(account);
        if (ballots.get(memberId)) revert GovernorAlreadyCastVote(account);
        Tally storage t = $.tallies[proposalId];
        uint256 missing = _missingLate(proposalId, t);
        // Effects:
        ballots.set(memberId);
        uint104 votes = SafeCast.toUint104(weight);
        if (support == uint8(VoteType.For)) t.forVotes += votes;
        else if (support == uint8(VoteType.Against)) t.againstVotes += votes;
        else if (support == uint8(VoteType.Abstain)) t.abstainVotes += votes;
        else revert GovernorInvalidVoteType();
        if (missing != 0 && support != uint8(VoteType.Against) && weight >= missing) _extend(proposalId, t);
        return weight;
    }

    /// @dev How many votes the quorum lacks, if reaching it now would move the end; 0 otherwise. Most votes are cast
    /// early, where this asks nobody.
    function _missingLate(uint256 proposalId, Tally storage t) private view returns (uint256) {
        if (clock() + _storage().lateQuorumExtension <= proposalDeadline(proposalId)) return 0;
        return Math.saturatingSub(quorum(proposalSnapshot(proposalId)), uint256(t.forVotes) + t.abstainVotes);
    }

    function _extend(uint256 proposalId, Tally storage t) private {
        uint48 deadline = clock() + _storage().lateQuorumExtension;
        t.extendedDeadline = deadline;
        emit ProposalExtended(proposalId, deadline);
    }

    function _quorumReached(uint256 proposalId) internal view override returns (bool) {
        Tally storage t = _storage().tallies[proposalId];
        return uint256(t.forVotes) + t.abstainVotes >= quorum(proposalSnapshot(proposalId));
    }

    function _voteSucceeded(uint256 proposalId) internal view override returns (bool) {
        Tally storage t = _storage().tallies[proposalId];
        return t.forVotes > t.againstVotes;
    }

    function _memberId(address account) private view returns (uint256) {
        return IMemberVotes(address(token())).memberIdOf(account);
    }

    // ----------------------------------------------------------------------------------------------- timelock

    /// @notice Where decisions wait, and the house's hands.
    /// @return the timelock
    function timelock() external view returns (address) {
        return address(_storage().timelock);
    }

    /// @notice The charter, which knows when the cooperative was constituted and alone sets the floor.
    /// @return the CharterGate
    function gate() external view returns (address) {
        return address(_storage().gate);
    }

    /// @notice A proposal's id is the id of its operation in the timelock.
    /// @param targets whom it calls
    /// @param values wei for each
    /// @param calldatas with what
    /// @param descriptionHash keccak256 of the description
    /// @return the id
    function hashProposal(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) public pure override returns (uint256) {
        return uint256(keccak256(abi.encode(targets, values, calldatas, bytes32(0), descriptionHash)));
    }

    /// @notice Where a proposal stands.
    /// @dev What the house decided before the cooperative was constituted lapses on that day. Of what is queued the timelock
    /// knows better: the house may have let others cancel there.
    /// @param proposalId of the proposal
    /// @return as IGovernor has it; `Expired` where it lapsed
    function state(uint256 proposalId) public view override returns (ProposalState) {
        ProposalState s = super.state(proposalId);
        if (s != ProposalState.Succeeded && s != ProposalState.Queued) return s;
        Storage storage $ = _storage();
        TimelockControllerUpgradeable lock = $.timelock;
        if (s == ProposalState.Queued && !lock.isOperationPending(bytes32(proposalId))) {
            return lock.isOperationDone(bytes32(proposalId)) ? ProposalState.Executed : ProposalState.Canceled;
        }
        return proposalSnapshot(proposalId) < $.gate.constitutedAt() ? ProposalState.Expired : s;
    }

    /// @notice Every proposal waits in the timelock.
    /// @return true
    function proposalNeedsQueuing(uint256) public pure override returns (bool) {
        return true;
    }

    function _queueOperations(
        uint256,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override returns (uint48) {
        TimelockControllerUpgradeable lock = _storage().timelock;
        uint256 delay = lock.getMinDelay();
        lock.scheduleBatch(targets, values, calldatas, 0, descriptionHash, delay);
        return SafeCast.toUint48(block.timestamp + delay);
    }

    function _executeOperations(
        uint256,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override {
        _storage().timelock.executeBatch{value: msg.value}(targets, values, calldatas, 0, descriptionHash);
    }

    function _executor() internal view override returns (address) {
        return address(_storage().timelock);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
