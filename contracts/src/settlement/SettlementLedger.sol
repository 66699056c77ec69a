// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Governed} from "../access/Governed.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {IMembership} from "../membership/IMembership.sol";
import {IStewardCommittee} from "../oracle/IStewardCommittee.sol";
import {Treasury} from "../treasury/Treasury.sol";
import {Amounts, AmountsLib} from "./Amounts.sol";
import {LedgerHeader} from "./LedgerHeader.sol";
import {LedgerTree} from "./LedgerTree.sol";

/// @notice A token that this ledger mints.
interface IMintable {
    function mint(address to, uint256 amount) external;
}

/// @title SettlementLedger
/// @notice Takes one root for each epoch, signed by a quorum of stewards, and pays members what it says.
///
/// Roles
/// - Stewards: sign a header off chain. Anyone may send it with their signatures.
/// - Anyone: claims for any member; the money goes to that member's payout address.
/// - Authority: sets parameters and caps for later epochs; upgrades.
///
/// Assumptions
/// - At most quorum − 1 stewards collude. The chain cannot see rows, so within its totals a quorum can shift earnings
///   between members. It cannot exceed the totals: awards grow at most by the caps, cash is at most what was booked,
///   and what was claimed is at most what was earned, each checked here.
/// - USDC, DATA and GOV move exactly what they are told.
///
/// Rounds
/// - An epoch's root is final by timestamp, `window` seconds after it was proposed. Nothing has to be called for that,
///   so nothing can keep a pending root from becoming final.
/// - Two rounds are kept, the last final one and the pending one, and take turns by parity of the epoch: becoming final
///   costs no write.
///
/// Liveness: claims need only the last final root, and go on while stewards are silent. In a batch, a payee that a token
/// refuses is skipped and stays owed, for that asset alone.
///
/// Who can hurt whom: a quorum of stewards, as said. A relayer can withhold; anybody else can send the same. A caller of
/// `claimMany` that gives too little gas can make entries be skipped; they stay owed.
contract SettlementLedger is NamedEIP712, Governed, ReentrancyGuardTransient {
    /// @dev What is fixed for ever at initialize.
    struct Deployment {
        address authority;
        address membership;
        address committee;
        address treasury;
        address dataToken;
        address govToken;
        uint40 genesis;
        uint32 epochLength;
        uint32 lag;
        uint32 attemptLength;
        uint32 window;
        uint8 depth;
        bytes32 paramsHash;
        uint128 dataCap;
        uint128 govCap;
    }

    /// @notice What a quorum of stewards signs for an epoch. Totals are cumulative since the start.
    struct Header {
        uint32 epoch;
        uint32 attempt;
        bytes32 previousRoot;
        bytes32 root;
        bytes32 paramsHash;
        bytes32 inputsRoot;
        bytes32 sheetDigest;
        uint32 sharers;
        uint128 payout;
        uint256 sumUsage;
        uint256 sumData;
        uint256 sumEarly;
        uint256 sumDataAward;
        uint256 sumGovAward;
        uint128 cashAllocated;
        uint128 dataAwarded;
        uint128 dataEarned;
        uint128 govAwarded;
        uint128 govEarned;
    }

    /// @notice A leaf of the final tree.
    struct Claim {
        uint32 memberId;
        uint128 cash;
        uint128 stream;
        uint128 data;
        uint128 gov;
        bytes32 privateHash;
    }

    /// @dev Three slots.
    struct Round {
        bytes32 root;
        Amounts earned;
        uint96 dataAwarded;
        uint96 govAwarded;
        uint32 attempt;
    }

    /// @dev One slot: everything that a proposal and a claim both read.
    struct Head {
        uint40 genesis;
        uint32 epochLength;
        uint32 lag;
        uint32 attemptLength;
        uint32 window;
        uint8 depth;
        uint32 lastEpoch;
        uint40 finalAt;
    }

    /// @custom:storage-location erc7201:rochdale.storage.SettlementLedger
    struct Storage {
        Head head;
        Amounts claimed;
        Round[2] rounds;
        mapping(uint32 memberId => Amounts) claimedBy;
        IMembership membership;
        // A cap shares the slot of an address that a proposal reads anyway.
        IStewardCommittee committee;
        uint96 dataCap;
        Treasury treasury;
        uint96 govCap;
        IMintable dataToken;
        IMintable govToken;
        bytes32 paramsHash;
    }

    /// @dev The final round as one batch sees it.
    struct FinalRound {
        bytes32 root;
        Amounts earned;
        uint256 depth;
        uint256 elapsed;
        uint256 epochLength;
    }

    bytes32 private constant STORAGE = 0x3adb34772347dc5ab4c5c5bbe68f59f5f660b0500259c0617dc29e2b0bf3d700;

    uint8 private constant MAX_DEPTH = 31;

    event Proposed(uint32 indexed epoch, uint32 attempt, bytes32 root, uint64 finalAt, Header header);
    event ParamsSet(bytes32 paramsHash, uint128 dataCap, uint128 govCap);
    event Claimed(uint32 indexed memberId, address payout, uint256 cash, uint256 data, uint256 gov);
    event ClaimSkipped(uint32 indexed memberId);

    error SettlementLedger_BadDeployment(string field);
    error SettlementLedger_Pending(uint32 epoch, uint64 finalAt);
    error SettlementLedger_BadEpoch(uint32 epoch, uint32 expected);
    error SettlementLedger_TooEarly(uint64 startsAt);
    error SettlementLedger_BadPreviousRoot(bytes32 previousRoot, bytes32 expected);
    error SettlementLedger_BadParams(bytes32 paramsHash, bytes32 expected);
    error SettlementLedger_TotalDecreases(bytes32 total);
    error SettlementLedger_TotalTooLarge(bytes32 total);
    error SettlementLedger_EarnedExceedsAwarded(bytes32 token, uint256 earned, uint256 awarded);
    error SettlementLedger_AwardExceedsCap(bytes32 token, uint256 award, uint256 cap);
    error SettlementLedger_CashExceedsBooked(uint256 cashAllocated, uint256 booked);
    error SettlementLedger_LengthMismatch(uint256 claims, uint256 proofs);
    error SettlementLedger_BadProof(uint32 memberId);
    error SettlementLedger_NothingDue(uint32 memberId);
    error SettlementLedger_ClaimExceedsTotal(uint32 memberId, uint256 cash, uint256 data, uint256 gov);

    function initialize(Deployment calldata d) external initializer {
        __Governed_init(d.authority);
        if (d.epochLength == 0) revert SettlementLedger_BadDeployment("epochLength");
        if (d.attemptLength == 0) revert SettlementLedger_BadDeployment("attemptLength");
        if (d.depth == 0 || d.depth > MAX_DEPTH) revert SettlementLedger_BadDeployment("depth");
        Storage storage $ = _storage();
        $.membership = IMembership(_nonZero(d.membership, "membership"));
        $.committee = IStewardCommittee(_nonZero(d.committee, "committee"));
        $.treasury = Treasury(_nonZero(d.treasury, "treasury"));
        $.dataToken = IMintable(_nonZero(d.dataToken, "dataToken"));
        $.govToken = IMintable(_nonZero(d.govToken, "govToken"));
        $.head = Head(d.genesis, d.epochLength, d.lag, d.attemptLength, d.window, d.depth, 0, 0);
        $.rounds[0].root = LedgerTree.emptyRoot(d.depth);
        _setParams(d.paramsHash, d.dataCap, d.govCap);
    }

    // --------------------------------------------------------------------------------------------- proposing

    /// @notice Proposes the root of the next epoch. Final `window` seconds later.
    function propose(Header calldata h, bytes[] calldata signatures) external {
        Storage storage $ = _storage();
        Head memory head = $.head;
        Round storage last = $.rounds[head.lastEpoch & 1];
        // Check:
        _checkTurn(head, h);
        if (h.previousRoot != last.root) revert SettlementLedger_BadPreviousRoot(h.previousRoot, last.root);
        if (h.paramsHash != $.paramsHash) revert SettlementLedger_BadParams(h.paramsHash, $.paramsHash);
        _checkTotals($, last, h);
        $.committee.verifyQuorum(_headerDigest(h), signatures);
        // Effects:
        uint64 finalAt = uint64(block.timestamp) + head.window;
        ($.head.lastEpoch, $.head.finalAt) = (h.epoch, uint40(finalAt));
        Round storage next = $.rounds[h.epoch & 1];
        next.root = h.root;
        next.earned = AmountsLib.pack(h.cashAllocated, h.dataEarned, h.govEarned);
        (next.dataAwarded, next.govAwarded, next.attempt) = (uint96(h.dataAwarded), uint96(h.govAwarded), h.attempt);
        emit Proposed(h.epoch, h.attempt, h.root, finalAt, h);
    }

    /// @notice Sets the parameters that later proposals must name, with the caps that the chain enforces.
    function setParams(bytes32 paramsHash_, uint128 dataCap, uint128 govCap) external restricted {
        _setParams(paramsHash_, dataCap, govCap);
    }

    // ---------------------------------------------------------------------------------------------- claiming

    /// @notice Pays one member what is due. Reverts as a whole if a token refuses.
    function claim(Claim calldata c, bytes32[] calldata proof) external nonReentrant {
        Storage storage $ = _storage();
        // Check:
        FinalRound memory round = _finalRound($);
        Amounts due = _due($, round, c, proof);
        if (due.isZero()) revert SettlementLedger_NothingDue(c.memberId);
        // Effects:
        $.claimed = _book($, $.claimed, round.earned, c.memberId, due);
        // Interaction:
        address payout = $.membership.payoutOf(c.memberId);
        if (due.cash() != 0) $.treasury.pay(payout, due.cash());
        if (due.data() != 0) $.dataToken.mint(payout, due.data());
        if (due.gov() != 0) $.govToken.mint(payout, due.gov());
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
            if (!due.isZero()) claimed = _book($, claimed, round.earned, memberId, due);
            (ids[i], dues[i]) = (memberId, due);
        }
        $.claimed = claimed;
        // Interaction:
        _payMany($, ids, dues);
    }

    // -------------------------------------------------------------------------------------------------- views

    /// @notice The last final epoch and its root; epoch 0 and the empty tree's root before the first.
    function finalEpoch() external view returns (uint32 epoch, bytes32 root) {
        Storage storage $ = _storage();
        epoch = _finalEpochOf($.head);
        root = $.rounds[epoch & 1].root;
    }

    /// @notice The proposal that is not final yet; all zero if there is none.
    function pending() external view returns (uint32 epoch, uint32 attempt, bytes32 root, uint64 finalAt) {
        Storage storage $ = _storage();
        Head memory head = $.head;
        if (block.timestamp >= head.finalAt) return (0, 0, 0, 0);
        Round storage round = $.rounds[head.lastEpoch & 1];
        return (head.lastEpoch, round.attempt, round.root, head.finalAt);
    }

    /// @notice Totals of the last final round: what claims are bounded by, and what was awarded.
    function finalTotals()
        external
        view
        returns (uint256 cashAllocated, uint256 dataAwarded, uint256 dataEarned, uint256 govAwarded, uint256 govEarned)
    {
        Storage storage $ = _storage();
        Round memory r = $.rounds[_finalEpochOf($.head) & 1];
        return (r.earned.cash(), r.dataAwarded, r.earned.data(), r.govAwarded, r.earned.gov());
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

    function params() external view returns (bytes32 paramsHash, uint128 dataCap, uint128 govCap) {
        Storage storage $ = _storage();
        return ($.paramsHash, $.dataCap, $.govCap);
    }

    function genesis() external view returns (uint64) {
        return _storage().head.genesis;
    }

    function epochLength() external view returns (uint32) {
        return _storage().head.epochLength;
    }

    function lag() external view returns (uint32) {
        return _storage().head.lag;
    }

    function attemptLength() external view returns (uint32) {
        return _storage().head.attemptLength;
    }

    function window() external view returns (uint32) {
        return _storage().head.window;
    }

    function depth() external view returns (uint8) {
        return _storage().head.depth;
    }

    // ----------------------------------------------------------------------------------- internal: proposing

    /// @dev No root is pending, the epoch is the next one, and its attempt has started.
    function _checkTurn(Head memory head, Header calldata h) private view {
        if (block.timestamp < head.finalAt) revert SettlementLedger_Pending(head.lastEpoch, head.finalAt);
        if (h.epoch != head.lastEpoch + 1) revert SettlementLedger_BadEpoch(h.epoch, head.lastEpoch + 1);
        uint256 startsAt = uint256(head.genesis) + uint256(h.epoch) * head.epochLength + head.lag + uint256(h.attempt)
            * head.attemptLength;
        if (block.timestamp < startsAt) revert SettlementLedger_TooEarly(uint64(startsAt));
    }

    function _checkTotals(Storage storage $, Round storage last, Header calldata h) private view {
        Amounts earned = last.earned;
        if (h.cashAllocated > AmountsLib.MAX_CASH) revert SettlementLedger_TotalTooLarge("cashAllocated");
        if (h.cashAllocated < earned.cash()) revert SettlementLedger_TotalDecreases("cashAllocated");
        _checkToken("DATA", h.dataEarned, earned.data(), h.dataAwarded, last.dataAwarded, $.dataCap);
        _checkToken("GOV", h.govEarned, earned.gov(), h.govAwarded, last.govAwarded, $.govCap);
        uint256 booked = $.treasury.contributorsBooked();
        if (h.cashAllocated > booked) revert SettlementLedger_CashExceedsBooked(h.cashAllocated, booked);
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

    function _headerDigest(Header calldata h) private view returns (bytes32) {
        return _hashTypedDataV4(LedgerHeader.hash(h));
    }

    function _setParams(bytes32 paramsHash_, uint128 dataCap, uint128 govCap) private {
        Storage storage $ = _storage();
        if (paramsHash_ == 0) revert SettlementLedger_BadDeployment("paramsHash");
        $.paramsHash = paramsHash_;
        // A cap beyond what totals can hold is no cap.
        $.dataCap = uint96(Math.min(dataCap, AmountsLib.MAX_TOKEN));
        $.govCap = uint96(Math.min(govCap, AmountsLib.MAX_TOKEN));
        emit ParamsSet(paramsHash_, dataCap, govCap);
    }

    // ------------------------------------------------------------------------------------ internal: claiming

    function _finalEpochOf(Head memory head) private view returns (uint32) {
        return block.timestamp >= head.finalAt ? head.lastEpoch : head.lastEpoch - 1;
    }

    function _finalRound(Storage storage $) private view returns (FinalRound memory round) {
        Head memory head = $.head;
        uint32 epoch = _finalEpochOf(head);
        uint256 endsAt = uint256(head.genesis) + uint256(epoch) * head.epochLength;
        uint256 since = block.timestamp < endsAt ? 0 : block.timestamp - endsAt;
        Round storage last = $.rounds[epoch & 1];
        (round.root, round.earned, round.depth) = (last.root, last.earned, head.depth);
        round.epochLength = head.epochLength;
        round.elapsed = since < head.epochLength ? since : head.epochLength;
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
        if (
            proof.length != round.depth || memberId >> round.depth != 0
                || LedgerTree.rootOf(node, memberId, proof) != round.root
        ) revert SettlementLedger_BadProof(memberId);
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
    function _book(Storage storage $, Amounts claimed, Amounts earned, uint32 memberId, Amounts due)
        private
        returns (Amounts)
    {
        if (!claimed.sumFits(due, earned)) {
            revert SettlementLedger_ClaimExceedsTotal(memberId, due.cash(), due.data(), due.gov());
        }
        $.claimedBy[memberId] = $.claimedBy[memberId].plus(due);
        return claimed.plus(due);
    }

    function _payMany(Storage storage $, uint32[] memory ids, Amounts[] memory dues) private {
        address[] memory payouts = $.membership.payoutsOf(ids);
        bool[] memory paid = $.treasury.payMany(payouts, _cashOf(dues));
        for (uint256 i; i < ids.length; ++i) {
            Amounts due = dues[i];
            if (due.isZero()) continue;
            uint256 data = due.data();
            uint256 gov = due.gov();
            if (data != 0 && !_tryMint($.dataToken, payouts[i], data)) data = 0;
            if (gov != 0 && !_tryMint($.govToken, payouts[i], gov)) gov = 0;
            Amounts got = AmountsLib.pack(paid[i] ? due.cash() : 0, data, gov);
            if (!got.isZero()) emit Claimed(ids[i], payouts[i], got.cash(), data, gov);
            if (Amounts.unwrap(got) != Amounts.unwrap(due)) _giveBack($, ids[i], due.minus(got));
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

    function _EIP712Name() internal pure override returns (string memory) {
        return "SettlementLedger";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
