// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Bounds} from "../access/Bounds.sol";
import {Pausing} from "../access/Pausing.sol";
import {IMembership} from "../membership/IMembership.sol";
import {IStewardCommittee} from "../oracle/IStewardCommittee.sol";
import {Treasury} from "../treasury/Treasury.sol";
import {IContestVerifier} from "./IContestVerifier.sol";
import {ISettlementLedger} from "./ISettlementLedger.sol";
import {LedgerParams} from "./LedgerParams.sol";
import {LedgerTree} from "./LedgerTree.sol";
import {RewardFormula} from "./RewardFormula.sol";
import {SettlementClaims} from "./SettlementClaims.sol";
import {SettlementRounds} from "./SettlementRounds.sol";
import {IMintable} from "./SettlementState.sol";

/// @title SettlementLedger
/// @notice Takes one root for each epoch, signed by a quorum of stewards, and pays members what it says.
///
/// Roles
/// - Stewards: sign a header off chain. Anyone may send it with their signatures.
/// - Disputes: keeps the pending root from becoming final, or voids it. It reads nothing else and changes nothing else.
/// - Anyone: claims for any member.
/// - Token house: sets parameters for later epochs, within the emission that the charter sets.
/// - Charter: sets the emission; upgrades. PauseGuard: stops proposals for a limited time, nothing else.
///
/// Assumptions
/// - At most quorum − 1 stewards collude. A quorum that does can shift earnings between members, within the totals, and
///   only past every member whose row it touches and every steward who objects: a row that the formula does not give is
///   contested without anybody's judgement. What a contest cannot see stands in docs/adr/0005. The totals hold in any
///   case: awards grow at most by the caps, cash is at most what was booked, and what was claimed is at most what was
///   earned, each checked here.
/// - What Treasury has booked to contributors never falls.
/// - USDC, DATA and GOV move exactly what they are told.
///
/// Rounds
/// - An epoch's root is final by timestamp, `window` seconds after it was proposed. Nothing has to be called for that, so
///   only a dispute can keep a pending root from becoming final: each demand for at most 48 hours, and demands end with
///   the window; an objection for 14 days, at the price of its bond if the house rejects it; a contest only where the root
///   is wrong. A pause makes the window longer by its own length.
/// - Two rounds are kept, the last final one and the pending one, and take turns by parity of the epoch: becoming final
///   costs no write. A void round leaves the final one as it was.
///
/// Liveness: claims need only the last final root, and go on while stewards are silent, a root is disputed or proposals
/// are paused. In a batch, a payee that a token refuses is skipped and stays owed, for that asset alone. Epochs that were
/// missed are settled one by one, by whatever committee is seated.
///
/// Who can hurt whom: a quorum of stewards, as said. A steward can delay a root at its own cost, a member by hours at the
/// cost of an answer. A relayer can withhold; anybody else can send the same. A caller of `claimMany` that gives too
/// little gas can make entries be skipped; they stay owed.
contract SettlementLedger is SettlementRounds, SettlementClaims, Pausing {
    /// @dev What is set at initialize. Only parameters and emission can change later.
    struct Deployment {
        address authority;
        address membership;
        address committee;
        address treasury;
        address dataToken;
        address govToken;
        address contestVerifier;
        address disputes;
        uint40 genesis;
        uint32 lag;
        uint32 attemptLength;
        uint32 window;
        uint8 depth;
        RewardFormula.Params params;
        LedgerParams.Emission emission;
    }

    event FinalAtSet(uint32 indexed epoch, uint64 finalAt);
    event Voided(uint32 indexed epoch, uint32 attempt, bytes32 reason);

    modifier onlyDisputes() {
        if (msg.sender != _storage().disputes) revert SettlementLedger_OnlyDisputes(msg.sender);
        _;
    }

    /// @notice Once, by the factory.
    /// @param d what can change later only where this contract says so
    function initialize(Deployment calldata d) external initializer {
        __Governed_init(d.authority);
        if (d.attemptLength == 0) revert SettlementLedger_BadDeployment("attemptLength");
        if ((d.lag | d.attemptLength | d.window) > type(uint24).max) revert SettlementLedger_BadDeployment("time");
        if (d.depth == 0 || d.depth > Bounds.MAX_DEPTH) revert SettlementLedger_BadDeployment("depth");
        Storage storage $ = _storage();
        _setContracts($, d);
        _foundRules(d.params, d.emission);
        Calendar storage c = $.calendar;
        (c.genesis, c.depth) = (d.genesis, d.depth);
        c.epochLength = uint24(d.params.epochLength); // it fits: checked with the parameters
        (c.lag, c.attemptLength, c.window) = (uint24(d.lag), uint24(d.attemptLength), uint24(d.window));
        $.rounds[0].root = LedgerTree.emptyRoot(d.depth);
    }

    // --------------------------------------------------------------------------------------------- disputes

    /// @inheritdoc ISettlementLedger
    function proposal() external view returns (Proposal memory p) {
        Storage storage $ = _storage();
        Calendar memory c = _calendar($);
        if (block.timestamp >= c.finalAt) return p;
        Round storage round = _round($, c.lastEpoch);
        (p.epoch, p.attempt, p.signers) = (c.lastEpoch, round.attempt, round.signers);
        (p.root, p.headerHash) = (round.root, round.headerHash);
        p.cut = uint64(uint256(c.genesis) + uint256(c.lastEpoch) * c.epochLength);
        (p.finalAt, p.depth, p.window, p.prolonged) = (c.finalAt, c.depth, c.window, $.prolonged);
    }

    /// @inheritdoc ISettlementLedger
    function setFinalAt(uint64 finalAt) external onlyDisputes {
        Storage storage $ = _storage();
        // Check:
        if (block.timestamp >= $.calendar.finalAt) revert SettlementLedger_NotPending();
        if (finalAt <= block.timestamp) revert SettlementLedger_FinalInThePast(finalAt);
        // Effects:
        $.calendar.finalAt = uint40(Math.min(finalAt, FROZEN));
        emit FinalAtSet($.calendar.lastEpoch, uint64(Math.min(finalAt, FROZEN)));
    }

    /// @inheritdoc ISettlementLedger
    function voidProposal(bytes32 reason) external onlyDisputes {
        Storage storage $ = _storage();
        Calendar memory c = _calendar($);
        // Check:
        if (block.timestamp >= c.finalAt) revert SettlementLedger_NotPending();
        // Effects:
        Round storage round = _round($, c.lastEpoch);
        round.root = 0;
        ($.calendar.lastEpoch, $.calendar.finalAt) = (c.lastEpoch - 1, 0);
        emit Voided(c.lastEpoch, round.attempt, reason);
    }

    // --------------------------------------------------------------------------------------------- internal

    /// @dev A pause takes nothing from the time in which a pending root can be disputed. Ending it early gives nothing
    /// back, so that the end of a window never moves towards the present. PauseGuard bounds a pause; one without end would
    /// stop proposals for as long as 40 bits can say.
    function _afterPauseSet(uint64 before, uint64 until) internal override {
        Storage storage $ = _storage();
        Calendar memory c = _calendar($);
        until = uint64(Math.min(until, FROZEN - 1));
        $.calendar.pausedUntil = uint40(until);
        uint256 from = Math.max(before, block.timestamp);
        if (until <= from || block.timestamp >= c.finalAt) return;
        uint256 longer = until - from;
        $.prolonged = uint40($.prolonged + longer);
        if (c.finalAt != FROZEN) $.calendar.finalAt = uint40(Math.min(c.finalAt + longer, FROZEN - 1));
    }

    function _setContracts(Storage storage $, Deployment calldata d) private {
        bool missing = d.membership == address(0) || d.committee == address(0) || d.treasury == address(0)
            || d.dataToken == address(0) || d.govToken == address(0) || d.contestVerifier == address(0)
            || d.disputes == address(0);
        if (missing) revert SettlementLedger_BadDeployment("address");
        $.membership = IMembership(d.membership);
        $.committee = IStewardCommittee(d.committee);
        $.treasury = Treasury(d.treasury);
        $.dataToken = IMintable(d.dataToken);
        $.govToken = IMintable(d.govToken);
        $.contestVerifier = IContestVerifier(d.contestVerifier);
        $.disputes = d.disputes;
    }
}
