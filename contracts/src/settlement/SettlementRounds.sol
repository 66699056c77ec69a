// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Pausing} from "../access/Pausing.sol";
import {IStewardCommittee} from "../oracle/IStewardCommittee.sol";
import {Amounts, AmountsLib} from "./Amounts.sol";
import {ISettlementLedger} from "./ISettlementLedger.sol";
import {LedgerHeader} from "./LedgerHeader.sol";
import {SettlementRules} from "./SettlementRules.sol";

/// @title SettlementRounds
/// @notice The part of SettlementLedger that takes roots: one for each epoch, one pending at a time, each bounded by the
/// one before.
abstract contract SettlementRounds is SettlementRules {
    event Proposed(uint32 indexed epoch, uint64 finalAt, Header header);

    /// @notice Proposes the root of the next epoch. Final `window` seconds later, if nobody disputes it.
    /// @param h what a quorum signed
    /// @param signatures theirs, in ascending order of steward id
    function propose(Header calldata h, bytes[] calldata signatures) external {
        Storage storage $ = _storage();
        Calendar memory c = _calendar($);
        // Each look at a field of a header in calldata checks its width again.
        uint256 epoch = h.epoch;
        Round storage last = _round($, c.lastEpoch);
        Round storage next = _round($, epoch);
        // Check:
        if (block.timestamp < c.pausedUntil) revert Pausing.Pausing_Paused(c.pausedUntil);
        _checkTurn(c, next, epoch, h.attempt);
        if (c.queued) _promote($, epoch);
        if (h.root == 0) revert SettlementLedger_NoRoot();
        if (h.previousRoot != last.root) revert SettlementLedger_BadPreviousRoot(h.previousRoot, last.root);
        if (h.paramsHash != $.paramsHash) revert SettlementLedger_BadParams(h.paramsHash, $.paramsHash);
        _checkSharers(h);
        _checkTotals($, last, h);
        bytes32 headerHash = LedgerHeader.hash(h);
        uint256 signers = _quorumOf($.committee, LedgerHeader.digestOfHash(address(this), headerHash), signatures);
        // Effects:
        uint256 finalAt = block.timestamp + c.window;
        ($.calendar.lastEpoch, $.calendar.finalAt) = (uint24(epoch), uint40(finalAt));
        (next.root, next.headerHash) = (h.root, headerHash);
        next.entitled = AmountsLib.pack(h.cashAllocated, h.dataEarned, h.govEarned);
        _setRest(next, h.dataAwarded, h.govAwarded, h.attempt, signers);
        _emitProposed(h, epoch, finalAt);
    }

    /// @inheritdoc ISettlementLedger
    function finalEpoch() external view returns (uint32 epoch, bytes32 root) {
        Storage storage $ = _storage();
        epoch = _finalEpochOf(_calendar($));
        root = _round($, epoch).root;
    }

    /// @inheritdoc ISettlementLedger
    function finalSigners() external view returns (uint32 epoch, uint256 signers) {
        Storage storage $ = _storage();
        epoch = _finalEpochOf(_calendar($));
        signers = _round($, epoch).signers;
    }

    /// @notice The proposal that is not final yet; all zero if there is none. `finalAt` is the far future while somebody's
    /// objection waits for the member house.
    /// @return epoch of the root
    /// @return attempt of the root
    /// @return root of the tree of rows
    /// @return finalAt unix seconds
    function pending() external view returns (uint32 epoch, uint32 attempt, bytes32 root, uint64 finalAt) {
        Storage storage $ = _storage();
        Calendar memory c = _calendar($);
        if (block.timestamp >= c.finalAt) return (0, 0, 0, 0);
        Round storage round = _round($, c.lastEpoch);
        return (c.lastEpoch, round.attempt, round.root, c.finalAt);
    }

    /// @notice Totals of the last final round: what claims are bounded by, and what was awarded.
    /// @return cashAllocated micro-USDC since the start
    /// @return dataAwarded wei since the start
    /// @return dataEarned what was awarded and has vested, wei
    /// @return govAwarded wei since the start
    /// @return govEarned what was awarded and has vested, wei
    function finalTotals()
        external
        view
        returns (uint256 cashAllocated, uint256 dataAwarded, uint256 dataEarned, uint256 govAwarded, uint256 govEarned)
    {
        Storage storage $ = _storage();
        Round storage r = _round($, _finalEpochOf(_calendar($)));
        Amounts entitled = r.entitled;
        return (entitled.cash(), r.dataAwarded, entitled.data(), r.govAwarded, entitled.gov());
    }

    /// @notice How many epochs have gone without a root although the epoch after them is over as well. From three on the
    /// member house will want to seat another committee; what was settled stays claimable meanwhile.
    /// @return 0 where settlements are on time
    function missedEpochs() external view returns (uint32) {
        Calendar memory c = _calendar(_storage());
        uint32 running = _runningEpoch(c);
        return running > c.lastEpoch + 2 ? running - c.lastEpoch - 2 : 0;
    }

    /// @notice When the first epoch began.
    /// @return unix seconds
    function genesis() external view returns (uint64) {
        return _storage().calendar.genesis;
    }

    /// @notice How long an epoch lasts.
    /// @return seconds
    function epochLength() external view returns (uint32) {
        return _storage().calendar.epochLength;
    }

    /// @notice How long after an epoch's end its first attempt begins.
    /// @return seconds
    function lag() external view returns (uint32) {
        return _storage().calendar.lag;
    }

    /// @notice How long an attempt lasts, before the next seat may propose.
    /// @return seconds
    function attemptLength() external view returns (uint32) {
        return _storage().calendar.attemptLength;
    }

    /// @notice How long a root that nobody disputes is pending.
    /// @return seconds
    function window() external view returns (uint32) {
        return _storage().calendar.window;
    }

    /// @notice How deep the trees are: member ids are below 2^depth.
    /// @return levels below the root
    function depth() external view returns (uint8) {
        return _storage().calendar.depth;
    }

    // ---------------------------------------------------------------------------------------------- internal

    /// @dev As `committee.verifyQuorum(digest, signatures)`; see docs/gas.md. The signatures are passed on as they lie in
    /// calldata, to its end: the committee decodes and checks them.
    function _quorumOf(IStewardCommittee committee, bytes32 digest, bytes[] calldata signatures)
        internal
        view
        returns (uint256 signers)
    {
        bytes4 selector = committee.verifyQuorum.selector;
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            let from := sub(signatures.offset, 32)
            let size := sub(calldatasize(), from)
            mstore(ptr, selector)
            mstore(add(ptr, 4), digest)
            mstore(add(ptr, 36), 64)
            calldatacopy(add(ptr, 68), from, size)
            let ok := staticcall(gas(), committee, ptr, add(size, 68), 0, 32)
            // Who answers with less than a word has judged nothing.
            if or(iszero(ok), lt(returndatasize(), 32)) {
                returndatacopy(ptr, 0, returndatasize())
                revert(ptr, returndatasize())
            }
            signers := mload(0)
        }
    }

    /// @dev What fills one slot, each within its width: assigned together, it is written once.
    function _setRest(Round storage round, uint256 dataAwarded, uint256 govAwarded, uint256 attempt, uint256 signers)
        private
    {
        (round.dataAwarded, round.govAwarded, round.attempt, round.signers) =
        (uint96(dataAwarded), uint96(govAwarded), uint16(attempt), uint48(signers));
    }

    /// @dev As `emit Proposed(epoch, finalAt, h)`; see docs/gas.md. The header lies in calldata as an event wants it.
    function _emitProposed(Header calldata h, uint256 epoch, uint256 finalAt) internal {
        bytes32 topic = Proposed.selector;
        uint256 size = LedgerHeader.WORDS * 32;
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            mstore(ptr, finalAt)
            calldatacopy(add(ptr, 32), h, size)
            log2(ptr, add(size, 32), topic, epoch)
        }
    }

    /// @dev No root is pending, the epoch is the next one, and its attempt has started and was not voided.
    function _checkTurn(Calendar memory c, Round storage next, uint256 epoch, uint256 attempt) private view {
        if (block.timestamp < c.finalAt) revert SettlementLedger_Pending(c.lastEpoch, c.finalAt);
        if (epoch != c.lastEpoch + 1) revert SettlementLedger_BadEpoch(uint32(epoch), c.lastEpoch + 1);
        uint256 startsAt = uint256(c.genesis) + epoch * c.epochLength + c.lag + attempt * c.attemptLength;
        if (block.timestamp < startsAt) revert SettlementLedger_TooEarly(uint64(startsAt));
        // A round that was never proposed has no header; one that was voided has.
        uint256 lowest = next.root == 0 && next.headerHash != 0 ? next.attempt + 1 : 0;
        // The highest number is kept free: after it nothing could be proposed.
        if (attempt < lowest || attempt >= type(uint16).max) {
            revert SettlementLedger_BadAttempt(uint32(attempt), uint32(lowest));
        }
    }

    /// @dev Reads the two words of a header that nothing else here does, so that one which fits no field is refused: nobody
    /// could open such a header in a contest.
    function _checkSharers(Header calldata h) private pure {
        (uint32 sharers, uint128 payout) = (h.sharers, h.payout);
        if (sharers == 0 && payout != 0) revert SettlementLedger_NobodyShares(payout);
    }

    function _checkTotals(Storage storage $, Round storage last, Header calldata h) private {
        Amounts entitled = last.entitled;
        if (h.cashAllocated > AmountsLib.MAX_CASH) revert SettlementLedger_TotalTooLarge("cashAllocated");
        if (h.cashAllocated < entitled.cash()) revert SettlementLedger_TotalDecreases("cashAllocated");
        _checkToken("DATA", h.dataEarned, entitled.data(), h.dataAwarded, last.dataAwarded, $.dataCap);
        _checkToken("GOV", h.govEarned, entitled.gov(), h.govAwarded, last.govAwarded, $.govCap);
        if (h.cashAllocated > $.booked) _checkBooked($, h.cashAllocated);
    }

    /// @dev Payouts are smoothed, so most epochs stay within what was booked when Treasury was last asked.
    function _checkBooked(Storage storage $, uint256 cashAllocated) private {
        uint256 booked = $.treasury.contributorsBooked();
        if (cashAllocated > booked) revert SettlementLedger_CashExceedsBooked(cashAllocated, booked);
        $.booked = uint64(Math.min(booked, AmountsLib.MAX_CASH));
    }

    function _checkToken(
        bytes32 token,
        uint256 earned,
        uint256 lastEarned,
        uint256 awarded,
        uint256 lastAwarded,
        uint256 cap
    ) private pure {
        if (earned < lastEarned || awarded < lastAwarded) {
            revert SettlementLedger_TotalDecreases(token);
        }
        if (awarded > AmountsLib.MAX_TOKEN) revert SettlementLedger_TotalTooLarge(token);
        if (earned > awarded) revert SettlementLedger_EarnedExceedsAwarded(token, earned, awarded);
        if (awarded - lastAwarded > cap) revert SettlementLedger_AwardExceedsCap(token, awarded - lastAwarded, cap);
    }
}
