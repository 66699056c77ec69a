// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {StructHash} from "../access/StructHash.sol";
import {Payment, PaymentLib} from "../treasury/Payment.sol";
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

    /// @dev Of all ranges of a call: the first `n` payees with what is due to each, and what is due to all.
    struct Batch {
        uint256 n;
        uint32[] ids;
        Amounts[] dues;
        uint256 cash;
        uint256 data;
        uint256 gov;
    }

    /// @notice A leaf of a range: its member id follows from its place. `privateHash` 0: the id has no member.
    struct Leaf {
        uint128 cash;
        uint128 stream;
        uint128 data;
        uint128 gov;
        bytes32 privateHash;
    }

    /// @notice 2^k consecutive ids, which have one subtree.
    /// @param first the lowest id, a multiple of the number of leaves
    /// @param leaves one for each id
    /// @param siblings of the subtree's root, lowest first
    struct Range {
        uint32 first;
        Leaf[] leaves;
        bytes32[] siblings;
    }

    uint256 private constant LEAF_WORDS = 5;

    event Claimed(uint32 indexed memberId, address payout, uint256 cash, uint256 data, uint256 gov);
    event ClaimSkipped(uint32 indexed memberId);

    /// @notice Pays one member what is due. Reverts as a whole if a token refuses.
    /// @param c the member's leaf in the final tree
    /// @param proof its path, lowest sibling first
    function claim(Claim calldata c, bytes32[] calldata proof) external nonReentrant {
        Storage storage $ = _storage();
        // Check:
        FinalRound memory round = _finalRound($);
        uint32 memberId = c.memberId;
        Amounts paid = $.claimedBy[memberId];
        Amounts due = _due(round, paid, memberId, c, proof);
        if (due.isZero()) revert SettlementLedger_NothingDue(memberId);
        // Effects: what a member was paid is a part of the totals, so it fits where they fit.
        _bookTotals($, round, memberId, due);
        $.claimedBy[memberId] = paid.plus(due);
        // Interaction:
        (address payout, address holder) = _payeeOf($, memberId, due);
        if (due.cash() != 0) $.treasury.pay(payout, due.cash());
        if (due.data() != 0) $.dataToken.mint(payout, due.data());
        if (due.gov() != 0) $.govToken.mint(holder, due.gov());
        emit Claimed(memberId, payout, due.cash(), due.data(), due.gov());
    }

    /// @notice Pays many, by ranges of consecutive ids under one subtree each. Who has nothing due is passed over; a payment
    /// that a token refuses is skipped and stays owed.
    /// @param ranges in any order; a member that stands in two is paid once
    function claimMany(Range[] calldata ranges) external nonReentrant {
        Storage storage $ = _storage();
        FinalRound memory round = _finalRound($);
        uint256 room;
        for (uint256 i; i < ranges.length; ++i) {
            room += ranges[i].leaves.length;
        }
        Batch memory batch = Batch(0, new uint32[](room), new Amounts[](room), 0, 0, 0);
        for (uint256 i; i < ranges.length; ++i) {
            // Check:
            _checkRange(round, ranges[i]);
            // Effects:
            _bookRange($, round, batch, ranges[i]);
        }
        _checkWidths(0, batch.cash, batch.data, batch.gov);
        _bookTotals($, round, 0, AmountsLib.pack(batch.cash, batch.data, batch.gov));
        // Interaction:
        _payMany($, batch);
    }

    /// @notice What a member was paid since the start.
    /// @param memberId of whom
    /// @return cash micro-USDC
    /// @return data wei
    /// @return gov wei
    function claimedOf(uint32 memberId) external view returns (uint256 cash, uint256 data, uint256 gov) {
        Amounts a = _storage().claimedBy[memberId];
        return (a.cash(), a.data(), a.gov());
    }

    /// @notice What all members were paid since the start.
    /// @return cash micro-USDC
    /// @return data wei
    /// @return gov wei
    function claimedTotals() external view returns (uint256 cash, uint256 data, uint256 gov) {
        Amounts a = _storage().claimed;
        return (a.cash(), a.data(), a.gov());
    }

    // ---------------------------------------------------------------------------------------------- internal

    function _finalRound(Storage storage $) private view returns (FinalRound memory round) {
        Calendar storage c = $.calendar;
        // Together, so that their slot is read once, and without the rest of it.
        (uint256 length, uint256 depth, uint256 lastEpoch, uint256 finalAt, uint256 endsAt) =
            (c.epochLength, c.depth, c.lastEpoch, c.finalAt, c.genesis);
        uint256 epoch = _finalEpoch(lastEpoch, finalAt);
        endsAt += epoch * length;
        uint256 since = block.timestamp < endsAt ? 0 : block.timestamp - endsAt;
        Round storage last = _round($, epoch);
        (round.root, round.entitled, round.depth) = (last.root, last.entitled, depth);
        (round.epochLength, round.elapsed) = (length, since < length ? since : length);
    }

    /// @dev What `c` proves, less what was paid, each at least 0.
    function _due(FinalRound memory round, Amounts paid, uint32 memberId, Claim calldata c, bytes32[] calldata proof)
        private
        pure
        returns (Amounts)
    {
        bytes32 node = LedgerTree.leafOf(c);
        if (!LedgerTree.isAt(round.root, round.depth, memberId, node, proof)) {
            revert SettlementLedger_BadProof(memberId);
        }
        return _owed(round, paid, memberId, c.cash, c.stream, c.data, c.gov);
    }

    /// @dev That the leaves of `range`, those of ids without a member empty, are one subtree of the final root's tree.
    function _checkRange(FinalRound memory round, Range calldata range) private pure {
        Leaf[] calldata leaves = range.leaves;
        uint256 first = range.first;
        uint256 height = Math.log2(leaves.length);
        if (1 << height != leaves.length || first & (leaves.length - 1) != 0) {
            revert SettlementLedger_BadRange(range.first, leaves.length);
        }
        bytes32[] memory nodes = new bytes32[](leaves.length);
        for (uint256 i; i < leaves.length; ++i) {
            Leaf calldata leaf = leaves[i];
            if (leaf.privateHash != 0) nodes[i] = _leafOf(first + i, leaf);
        }
        bytes32 node = LedgerTree.subtreeOf(nodes);
        if (
            range.siblings.length + height != round.depth || first >> round.depth != 0
                || LedgerTree.rootOf(node, first >> height, range.siblings) != round.root
        ) revert SettlementLedger_BadProof(range.first);
    }

    /// @dev Books what is due to each member of a proved range. The totals are checked once, when all ranges are booked.
    function _bookRange(Storage storage $, FinalRound memory round, Batch memory batch, Range calldata range) private {
        Leaf[] calldata leaves = range.leaves;
        uint32 memberId = range.first;
        for (uint256 i; i < leaves.length; ++i) {
            Leaf calldata leaf = leaves[i];
            if (leaf.privateHash != 0) {
                Amounts paid = $.claimedBy[memberId];
                Amounts due = _owed(round, paid, memberId, leaf.cash, leaf.stream, leaf.data, leaf.gov);
                if (!due.isZero()) {
                    $.claimedBy[memberId] = paid.plus(due);
                    _add(batch, memberId, due);
                }
            }
            // The check has shown that all ids are below 2^31.
            unchecked {
                ++memberId;
            }
        }
    }

    /// @dev As many as there are leaves, each of at most 96 bits: the sums fit.
    function _add(Batch memory batch, uint32 memberId, Amounts due) private pure {
        uint256 n = batch.n;
        (batch.ids[n], batch.dues[n]) = (memberId, due);
        unchecked {
            batch.n = n + 1;
            batch.cash += due.cash();
            batch.data += due.data();
            batch.gov += due.gov();
        }
    }

    /// @dev What a leaf entitles to by now, less what was paid, each at least 0.
    function _owed(
        FinalRound memory round,
        Amounts paid,
        uint32 memberId,
        uint256 cash,
        uint256 stream,
        uint256 data,
        uint256 gov
    ) private pure returns (Amounts) {
        cash += stream * round.elapsed / round.epochLength;
        _checkWidths(memberId, cash, data, gov);
        return AmountsLib.pack(_above(cash, paid.cash()), _above(data, paid.data()), _above(gov, paid.gov()));
    }

    /// @dev What exceeds the widths exceeds every total; packed, that could no longer be seen.
    function _checkWidths(uint32 memberId, uint256 cash, uint256 data, uint256 gov) private pure {
        if (cash > AmountsLib.MAX_CASH || data > AmountsLib.MAX_TOKEN || gov > AmountsLib.MAX_TOKEN) {
            revert SettlementLedger_ClaimExceedsTotal(memberId, cash, data, gov);
        }
    }

    /// @dev As `LedgerTree.leaf(memberId, leaf.cash, leaf.stream, leaf.data, leaf.gov, leaf.privateHash)`; see docs/gas.md.
    function _leafOf(uint256 memberId, Leaf calldata leaf) internal pure returns (bytes32) {
        uint256 offset;
        assembly {
            offset := leaf
        }
        return keccak256(bytes.concat(StructHash.ofCalldata(bytes32(memberId), offset, LEAF_WORDS)));
    }

    /// @dev Adds `due` to the totals, which must stay within what the final round earned.
    function _bookTotals(Storage storage $, FinalRound memory round, uint32 memberId, Amounts due) private {
        Amounts claimed = $.claimed;
        if (!claimed.sumFits(due, round.entitled)) {
            revert SettlementLedger_ClaimExceedsTotal(memberId, due.cash(), due.data(), due.gov());
        }
        $.claimed = claimed.plus(due);
    }

    function _payMany(Storage storage $, Batch memory batch) private {
        (uint32[] memory ids, Amounts[] memory dues) = (_first(batch.ids, batch.n), batch.dues);
        address[] memory payouts = $.membership.payoutsOf(ids);
        address[] memory holders = batch.gov == 0 ? payouts : _govHolders($, ids, payouts);
        uint256[] memory refused = $.treasury.payMany(_payments(payouts, dues));
        uint256 next;
        for (uint256 i; i < ids.length; ++i) {
            Amounts due = dues[i];
            Amounts got = due;
            if (next < refused.length && refused[next] == i) {
                got = AmountsLib.pack(0, due.data(), due.gov());
                ++next;
            }
            if (due.data() != 0 && !_tryMint($.dataToken, payouts[i], due.data())) {
                got = AmountsLib.pack(got.cash(), 0, due.gov());
            }
            if (due.gov() != 0 && !_tryMint($.govToken, holders[i], due.gov())) {
                got = AmountsLib.pack(got.cash(), got.data(), 0);
            }
            if (!got.isZero()) emit Claimed(ids[i], payouts[i], got.cash(), got.data(), got.gov());
            if (Amounts.unwrap(got) != Amounts.unwrap(due)) _giveBack($, ids[i], due.minus(got));
        }
    }

    /// @dev Whoever has nothing due has no entry: the `n` ids that have one.
    function _first(uint32[] memory ids, uint256 n) private pure returns (uint32[] memory few) {
        if (n == ids.length) return ids;
        few = new uint32[](n);
        for (uint256 i; i < n; ++i) {
            few[i] = ids[i];
        }
    }

    /// @dev Where cash and DATA of one member go, and where GOV goes. Membership is asked once, for no more than is due.
    function _payeeOf(Storage storage $, uint32 memberId, Amounts due)
        private
        view
        returns (address payout, address holder)
    {
        if (due.gov() == 0) return ($.membership.payoutOf(memberId), holder);
        (holder, payout,) = $.membership.memberOf(memberId);
        if (holder == address(0)) holder = payout;
    }

    /// @dev Who gets the GOV of each: the account while active, else the payout address.
    function _govHolders(Storage storage $, uint32[] memory ids, address[] memory payouts)
        private
        view
        returns (address[] memory holders)
    {
        holders = $.membership.accountsOf(ids);
        for (uint256 i; i < holders.length; ++i) {
            if (holders[i] == address(0)) holders[i] = payouts[i];
        }
    }

    function _payments(address[] memory payouts, Amounts[] memory dues)
        private
        pure
        returns (Payment[] memory payments)
    {
        payments = new Payment[](payouts.length);
        for (uint256 i; i < payouts.length; ++i) {
            payments[i] = PaymentLib.pack(payouts[i], dues[i].cash());
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
