// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Amounts, AmountsLib} from "./Amounts.sol";
import {LedgerTree} from "./LedgerTree.sol";
import {IMintable, SettlementState} from "./SettlementState.sol";

/// @title SettlementClaims
/// @notice The part of SettlementLedger that pays what the last final root says. It asks no steward, no house and no
/// clock but the block's, and is never paused.
///
/// Cash and DATA go to the payout address. GOV goes to the account of an active member, since votes are an account's, and
/// to the payout address once the membership has ended.
abstract contract SettlementClaims is SettlementState, ReentrancyGuardTransient {
    /// @dev The final round as one batch sees it.
    struct FinalRound {
        bytes32 root;
        Amounts entitled;
        uint256 depth;
        uint256 elapsed;
        uint256 epochLength;
    }

    event Claimed(uint32 indexed memberId, address payout, uint256 cash, uint256 data, uint256 gov);
    event ClaimSkipped(uint32 indexed memberId);

    /// @notice Pays one member what is due. Reverts as a whole if a token refuses.
    function claim(Claim calldata c, bytes32[] calldata proof) external nonReentrant {
        Storage storage $ = _storage();
        // Check:
        FinalRound memory round = _finalRound($);
        Amounts due = _due($, round, c, proof);
        if (due.isZero()) revert SettlementLedger_NothingDue(c.memberId);
        // Effects:
        $.claimed = _book($, $.claimed, round.entitled, c.memberId, due);
        // Interaction:
        address payout = $.membership.payoutOf(c.memberId);
        if (due.cash() != 0) $.treasury.pay(payout, due.cash());
        if (due.data() != 0) $.dataToken.mint(payout, due.data());
        if (due.gov() != 0) {
            address account = $.membership.activeAccountOf(c.memberId);
            $.govToken.mint(account == address(0) ? payout : account, due.gov());
        }
        emit Claimed(c.memberId, payout, due.cash(), due.data(), due.gov());
    }

    /// @notice Pays many. Who has nothing due is passed over; a payment that a token refuses is skipped and stays owed.
    function claimMany(Claim[] calldata claims, bytes32[][] calldata proofs) external nonReentrant {
        Storage storage $ = _storage();
        // Check:
        if (claims.length != proofs.length) revert SettlementLedger_LengthMismatch(claims.length, proofs.length);
        FinalRound memory round = _finalRound($);
        Amounts claimed = $.claimed;
        Amounts[] memory dues = new Amounts[](claims.length);
        uint32[] memory ids = new uint32[](claims.length);
        for (uint256 i; i < claims.length; ++i) {
            uint32 memberId = claims[i].memberId;
            Amounts due = _due($, round, claims[i], proofs[i]);
            // Effects:
            if (!due.isZero()) claimed = _book($, claimed, round.entitled, memberId, due);
            (ids[i], dues[i]) = (memberId, due);
        }
        $.claimed = claimed;
        // Interaction:
        _payMany($, ids, dues);
    }

    /// @notice What a member was paid since the start.
    function claimedOf(uint32 memberId) external view returns (uint256 cash, uint256 data, uint256 gov) {
        Amounts a = _storage().claimedBy[memberId];
        return (a.cash(), a.data(), a.gov());
    }

    /// @notice What all members were paid since the start.
    function claimedTotals() external view returns (uint256 cash, uint256 data, uint256 gov) {
        Amounts a = _storage().claimed;
        return (a.cash(), a.data(), a.gov());
    }

    // ---------------------------------------------------------------------------------------------- internal

    function _finalRound(Storage storage $) private view returns (FinalRound memory round) {
        Calendar memory c = _calendar($);
        uint32 epoch = _finalEpochOf(c);
        uint256 endsAt = uint256(c.genesis) + uint256(epoch) * c.epochLength;
        uint256 since = block.timestamp < endsAt ? 0 : block.timestamp - endsAt;
        Round storage last = _round($, epoch);
        (round.root, round.entitled, round.depth) = (last.root, last.entitled, c.depth);
        round.epochLength = c.epochLength;
        round.elapsed = since < c.epochLength ? since : c.epochLength;
    }

    /// @dev What `c` proves, less what was claimed, each at least 0.
    function _due(Storage storage $, FinalRound memory round, Claim calldata c, bytes32[] calldata proof)
        private
        view
        returns (Amounts)
    {
        uint32 memberId = c.memberId;
        (uint256 cash, uint256 stream, uint256 data, uint256 gov) = (c.cash, c.stream, c.data, c.gov);
        bytes32 node = LedgerTree.leafOfCalldata(_offsetOf(c));
        if (!LedgerTree.isAt(round.root, round.depth, memberId, node, proof)) {
            revert SettlementLedger_BadProof(memberId);
        }
        Amounts paid = $.claimedBy[memberId];
        cash = _above(cash + stream * round.elapsed / round.epochLength, paid.cash());
        (data, gov) = (_above(data, paid.data()), _above(gov, paid.gov()));
        // A leaf that exceeds the widths exceeds every total; packed, that could no longer be seen.
        if (cash > AmountsLib.MAX_CASH || data > AmountsLib.MAX_TOKEN || gov > AmountsLib.MAX_TOKEN) {
            revert SettlementLedger_ClaimExceedsTotal(memberId, cash, data, gov);
        }
        return AmountsLib.pack(cash, data, gov);
    }

    function _offsetOf(Claim calldata c) private pure returns (uint256 offset) {
        assembly {
            offset := c
        }
    }

    /// @dev Adds `due` to a member and to the totals, which must stay within what the final round earned. What a member
    /// was paid is a part of the totals, so it fits where they fit.
    function _book(Storage storage $, Amounts claimed, Amounts entitled, uint32 memberId, Amounts due)
        private
        returns (Amounts)
    {
        if (!claimed.sumFits(due, entitled)) {
            revert SettlementLedger_ClaimExceedsTotal(memberId, due.cash(), due.data(), due.gov());
        }
        $.claimedBy[memberId] = $.claimedBy[memberId].plus(due);
        return claimed.plus(due);
    }

    function _payMany(Storage storage $, uint32[] memory ids, Amounts[] memory dues) private {
        address[] memory payouts = $.membership.payoutsOf(ids);
        address[] memory holders = _govHolders($, ids, dues, payouts);
        bool[] memory paid = $.treasury.payMany(payouts, _cashOf(dues));
        for (uint256 i; i < ids.length; ++i) {
            Amounts due = dues[i];
            if (due.isZero()) continue;
            uint256 data = due.data();
            uint256 gov = due.gov();
            if (data != 0 && !_tryMint($.dataToken, payouts[i], data)) data = 0;
            if (gov != 0 && !_tryMint($.govToken, holders[i], gov)) gov = 0;
            Amounts got = AmountsLib.pack(paid[i] ? due.cash() : 0, data, gov);
            if (!got.isZero()) emit Claimed(ids[i], payouts[i], got.cash(), data, gov);
            if (Amounts.unwrap(got) != Amounts.unwrap(due)) _giveBack($, ids[i], due.minus(got));
        }
    }

    /// @dev Who gets the GOV of each: the account while active, else the payout address. Nobody is asked where there is
    /// none to give.
    function _govHolders(Storage storage $, uint32[] memory ids, Amounts[] memory dues, address[] memory payouts)
        private
        view
        returns (address[] memory holders)
    {
        uint256 any;
        for (uint256 i; i < dues.length; ++i) {
            any |= dues[i].gov();
        }
        if (any == 0) return payouts;
        holders = $.membership.accountsOf(ids);
        for (uint256 i; i < holders.length; ++i) {
            if (holders[i] == address(0)) holders[i] = payouts[i];
        }
    }

    function _cashOf(Amounts[] memory dues) private pure returns (uint256[] memory cash) {
        cash = new uint256[](dues.length);
        for (uint256 i; i < dues.length; ++i) {
            cash[i] = dues[i].cash();
        }
    }

    function _tryMint(IMintable token, address to, uint256 amount) private returns (bool) {
        try token.mint(to, amount) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev What a token refused stays owed. Runs after the call that was refused, under the reentrancy guard.
    function _giveBack(Storage storage $, uint32 memberId, Amounts refused) private {
        $.claimedBy[memberId] = $.claimedBy[memberId].minus(refused);
        $.claimed = $.claimed.minus(refused);
        emit ClaimSkipped(memberId);
    }

    function _above(uint256 entitled, uint256 paid) private pure returns (uint256) {
        return entitled > paid ? entitled - paid : 0;
    }
}
