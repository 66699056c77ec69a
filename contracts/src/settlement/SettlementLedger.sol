// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMembership} from "../membership/IMembership.sol";
import {Treasury} from "../treasury/Treasury.sol";
import {IContestVerifier} from "./IContestVerifier.sol";
import {LedgerParams} from "./LedgerParams.sol";
import {LedgerTree} from "./LedgerTree.sol";
import {RewardFormula} from "./RewardFormula.sol";
import {SettlementClaims} from "./SettlementClaims.sol";
import {SettlementDisputes} from "./SettlementDisputes.sol";
import {SettlementRounds} from "./SettlementRounds.sol";
import {ICommittee, IMintable} from "./SettlementState.sol";

/// @title SettlementLedger
/// @notice Takes one root for each epoch, signed by a quorum of stewards, and pays members what it says.
///
/// Roles
/// - Stewards: sign a header off chain. Anyone may send it with their signatures. Any of them may object to a root, with a
///   bond.
/// - Member: demands the path of its row, contests its row; by a call or a signature. Nobody can in its place.
/// - Anyone: claims for any member; answers a demand; voids a root whose demand was not answered, or over whose objection
///   nobody decided.
/// - Token house: sets parameters for later epochs, within the emission that the charter sets.
/// - Member house: decides over objections.
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
///   only a dispute can keep a pending root from becoming final: each demand for at most 36 hours, and demands end with
///   the window; an objection for 14 days, at the price of its bond if the house rejects it; a contest only where the root
///   is wrong.
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
contract SettlementLedger is SettlementRounds, SettlementDisputes, SettlementClaims {
    /// @dev What is set at initialize. Only parameters and emission can change later.
    struct Deployment {
        address authority;
        address membership;
        address committee;
        address treasury;
        address dataToken;
        address govToken;
        address contestVerifier;
        uint40 genesis;
        uint32 lag;
        uint32 attemptLength;
        uint32 window;
        uint8 depth;
        RewardFormula.Params params;
        LedgerParams.Emission emission;
    }

    uint8 private constant MAX_DEPTH = 31;

    function initialize(Deployment calldata d) external initializer {
        __Governed_init(d.authority);
        if (d.attemptLength == 0) revert SettlementLedger_BadDeployment("attemptLength");
        if ((d.lag | d.attemptLength | d.window) > type(uint24).max) revert SettlementLedger_BadDeployment("time");
        if (d.depth == 0 || d.depth > MAX_DEPTH) revert SettlementLedger_BadDeployment("depth");
        Storage storage $ = _storage();
        _setContracts($, d);
        _foundRules(d.params, d.emission);
        Head storage head = $.head;
        (head.genesis, head.depth) = (d.genesis, d.depth);
        head.epochLength = uint24(d.params.epochLength); // it fits: checked with the parameters
        (head.lag, head.attemptLength, head.window) = (uint24(d.lag), uint24(d.attemptLength), uint24(d.window));
        $.rounds[0].root = LedgerTree.emptyRoot(d.depth);
    }

    function _setContracts(Storage storage $, Deployment calldata d) private {
        bool missing = d.membership == address(0) || d.committee == address(0) || d.treasury == address(0)
            || d.dataToken == address(0) || d.govToken == address(0) || d.contestVerifier == address(0);
        if (missing) revert SettlementLedger_BadDeployment("address");
        $.membership = IMembership(d.membership);
        $.committee = ICommittee(d.committee);
        $.treasury = Treasury(d.treasury);
        $.dataToken = IMintable(d.dataToken);
        $.govToken = IMintable(d.govToken);
        $.contestVerifier = IContestVerifier(d.contestVerifier);
    }
}
