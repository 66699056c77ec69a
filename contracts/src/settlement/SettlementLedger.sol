// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Governed} from "../access/Governed.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {IMembership} from "../membership/IMembership.sol";
import {IStewardCommittee} from "../oracle/IStewardCommittee.sol";
import {Treasury} from "../treasury/Treasury.sol";
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

    /// @dev One slot: amounts in micro-USDC and wei.
    struct Amounts {
        uint64 cash;
        uint96 data;
        uint96 gov;
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
        IStewardCommittee committee;
        Treasury treasury;
        IMintable dataToken;
        IMintable govToken;
        bytes32 paramsHash;
        uint128 dataCap;
        uint128 govCap;
    }

    /// @dev The final round as one batch sees it.
    struct FinalRound {
        bytes32 root;
        uint256 depth;
        uint256 elapsed;
        uint256 epochLength;
    }

    bytes32 private constant STORAGE = 0x3adb34772347dc5ab4c5c5bbe68f59f5f660b0500259c0617dc29e2b0bf3d700;

    bytes32 private constant HEADER_TYPEHASH = keccak256(
        "Header(uint32 epoch,uint32 attempt,bytes32 previousRoot,bytes32 root,bytes32 paramsHash,bytes32 inputsRoot,bytes32 sheetDigest,uint32 sharers,uint128 payout,uint256 sumUsage,uint256 sumData,uint256 sumEarly,uint256 sumDataAward,uint256 sumGovAward,uint128 cashAllocated,uint128 dataAwarded,uint128 dataEarned,uint128 govAwarded,uint128 govEarned)"
    );

    uint8 private constant MAX_DEPTH = 32;

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
    error SettlementLedger_TotalDecreases(string total);
    error SettlementLedger_TotalTooLarge(string total);
    error SettlementLedger_EarnedExceedsAwarded(string token, uint256 earned, uint256 awarded);
    error SettlementLedger_AwardExceedsCap(string token, uint256 award, uint256 cap);
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
        $.committee.verifyQuorum(_hashTypedDataV4(keccak256(abi.encode(HEADER_TYPEHASH, h))), signatures);
        // Effects:
        uint64 finalAt = uint64(block.timestamp) + head.window;
        (head.lastEpoch, head.finalAt) = (h.epoch, uint40(finalAt));
        $.head = head;
        $.rounds[h.epoch & 1] = Round({
            root: h.root,
            earned: Amounts(uint64(h.cashAllocated), uint96(h.dataEarned), uint96(h.govEarned)),
            dataAwarded: uint96(h.dataAwarded),
            govAwarded: uint96(h.govAwarded),
            attempt: h.attempt
        });
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
        Amounts memory due = _due($, _finalRound($), c, proof);
        if (due.cash == 0 && due.data == 0 && due.gov == 0) revert SettlementLedger_NothingDue(c.memberId);
        // Effects:
        $.claimed = _book($, $.claimed, _finalEarned($), c.memberId, due);
        // Interaction:
        address payout = $.membership.payoutOf(c.memberId);
        if (due.cash != 0) $.treasury.pay(payout, due.cash);
        if (due.data != 0) $.dataToken.mint(payout, due.data);
        if (due.gov != 0) $.govToken.mint(payout, due.gov);
        emit Claimed(c.memberId, payout, due.cash, due.data, due.gov);
    }

    /// @notice Pays many. Who has nothing due is passed over; a payment that a token refuses is skipped and stays owed.
    function claimMany(Claim[] calldata claims, bytes32[][] calldata proofs) external nonReentrant {
        Storage storage $ = _storage();
        // Check:
        if (claims.length != proofs.length) revert SettlementLedger_LengthMismatch(claims.length, proofs.length);
        FinalRound memory round = _finalRound($);
        Amounts memory earned = _finalEarned($);
        Amounts memory claimed = $.claimed;
        Amounts[] memory dues = new Amounts[](claims.length);
        uint32[] memory ids = new uint32[](claims.length);
        for (uint256 i; i < claims.length; ++i) {
            ids[i] = claims[i].memberId;
            dues[i] = _due($, round, claims[i], proofs[i]);
            // Effects:
            claimed = _book($, claimed, earned, ids[i], dues[i]);
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
        return (r.earned.cash, r.dataAwarded, r.earned.data, r.govAwarded, r.earned.gov);
    }

    /// @notice What a member was paid since the start.
    function claimedOf(uint32 memberId) external view returns (uint256 cash, uint256 data, uint256 gov) {
        Amounts memory a = _storage().claimedBy[memberId];
        return (a.cash, a.data, a.gov);
    }

    /// @notice What all members were paid since the start.
    function claimedTotals() external view returns (uint256 cash, uint256 data, uint256 gov) {
        Amounts memory a = _storage().claimed;
        return (a.cash, a.data, a.gov);
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
        Amounts memory earned = last.earned;
        if (h.cashAllocated > type(uint64).max) revert SettlementLedger_TotalTooLarge("cashAllocated");
        if (h.cashAllocated < earned.cash) revert SettlementLedger_TotalDecreases("cashAllocated");
        _checkToken("DATA", h.dataEarned, earned.data, h.dataAwarded, last.dataAwarded, $.dataCap);
        _checkToken("GOV", h.govEarned, earned.gov, h.govAwarded, last.govAwarded, $.govCap);
        uint256 booked = $.treasury.contributorsBooked();
        if (h.cashAllocated > booked) revert SettlementLedger_CashExceedsBooked(h.cashAllocated, booked);
    }

    function _checkToken(
        string memory token,
        uint256 earned,
        uint256 lastEarned,
        uint256 awarded,
        uint256 lastAwarded,
        uint256 cap
    ) private pure {
        if (earned < lastEarned || awarded < lastAwarded) {
            revert SettlementLedger_TotalDecreases(token);
        }
        if (awarded > type(uint96).max) revert SettlementLedger_TotalTooLarge(token);
        if (earned > awarded) revert SettlementLedger_EarnedExceedsAwarded(token, earned, awarded);
        if (awarded - lastAwarded > cap) revert SettlementLedger_AwardExceedsCap(token, awarded - lastAwarded, cap);
    }

    function _setParams(bytes32 paramsHash_, uint128 dataCap, uint128 govCap) private {
        Storage storage $ = _storage();
        if (paramsHash_ == 0) revert SettlementLedger_BadDeployment("paramsHash");
        ($.paramsHash, $.dataCap, $.govCap) = (paramsHash_, dataCap, govCap);
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
        round.root = $.rounds[epoch & 1].root;
        round.depth = head.depth;
        round.epochLength = head.epochLength;
        round.elapsed = since < head.epochLength ? since : head.epochLength;
    }

    function _finalEarned(Storage storage $) private view returns (Amounts memory) {
        return $.rounds[_finalEpochOf($.head) & 1].earned;
    }

    /// @dev What `c` proves, less what was claimed, each at least 0.
    function _due(Storage storage $, FinalRound memory round, Claim calldata c, bytes32[] calldata proof)
        private
        view
        returns (Amounts memory due)
    {
        bytes32 node = LedgerTree.leaf(c.memberId, c.cash, c.stream, c.data, c.gov, c.privateHash);
        if (
            proof.length != round.depth || c.memberId >> round.depth != 0
                || LedgerTree.rootOf(node, c.memberId, proof) != round.root
        ) revert SettlementLedger_BadProof(c.memberId);
        Amounts memory paid = $.claimedBy[c.memberId];
        uint256 cash = uint256(c.cash) + uint256(c.stream) * round.elapsed / round.epochLength;
        (cash, due.data, due.gov) = (_above(cash, paid.cash), 0, 0);
        uint256 data = _above(c.data, paid.data);
        uint256 gov = _above(c.gov, paid.gov);
        // A leaf that exceeds the widths exceeds every total; `_book` could not see it once it is cut.
        if (cash > type(uint64).max || data > type(uint96).max || gov > type(uint96).max) {
            revert SettlementLedger_ClaimExceedsTotal(c.memberId, cash, data, gov);
        }
        (due.cash, due.data, due.gov) = (uint64(cash), uint96(data), uint96(gov));
    }

    /// @dev Adds `due` to a member and to the totals, which must stay within what the final round earned.
    function _book(
        Storage storage $,
        Amounts memory claimed,
        Amounts memory earned,
        uint32 memberId,
        Amounts memory due
    ) private returns (Amounts memory) {
        if (due.cash == 0 && due.data == 0 && due.gov == 0) return claimed;
        if (
            uint256(claimed.cash) + due.cash > earned.cash || uint256(claimed.data) + due.data > earned.data
                || uint256(claimed.gov) + due.gov > earned.gov
        ) revert SettlementLedger_ClaimExceedsTotal(memberId, due.cash, due.data, due.gov);
        _add(claimed, due);
        Amounts memory paid = $.claimedBy[memberId];
        _add(paid, due);
        $.claimedBy[memberId] = paid;
        return claimed;
    }

    function _payMany(Storage storage $, uint32[] memory ids, Amounts[] memory dues) private {
        address[] memory payouts = $.membership.payoutsOf(ids);
        (Treasury treasury, IMintable dataToken, IMintable govToken) = ($.treasury, $.dataToken, $.govToken);
        for (uint256 i; i < ids.length; ++i) {
            Amounts memory due = dues[i];
            if (due.cash == 0 && due.data == 0 && due.gov == 0) continue;
            Amounts memory refused = Amounts(0, 0, 0);
            if (due.cash != 0) {
                try treasury.pay(payouts[i], due.cash) {}
                    catch {
                    (refused.cash, due.cash) = (due.cash, 0);
                }
            }
            if (due.data != 0) {
                try dataToken.mint(payouts[i], due.data) {}
                    catch {
                    (refused.data, due.data) = (due.data, 0);
                }
            }
            if (due.gov != 0) {
                try govToken.mint(payouts[i], due.gov) {}
                    catch {
                    (refused.gov, due.gov) = (due.gov, 0);
                }
            }
            if (refused.cash != 0 || refused.data != 0 || refused.gov != 0) _giveBack($, ids[i], refused);
            if (due.cash != 0 || due.data != 0 || due.gov != 0) {
                emit Claimed(ids[i], payouts[i], due.cash, due.data, due.gov);
            }
        }
    }

    /// @dev What a token refused stays owed. Runs after the call that was refused, under the reentrancy guard.
    function _giveBack(Storage storage $, uint32 memberId, Amounts memory refused) private {
        Amounts memory paid = $.claimedBy[memberId];
        Amounts memory claimed = $.claimed;
        _subtract(paid, refused);
        _subtract(claimed, refused);
        $.claimedBy[memberId] = paid;
        $.claimed = claimed;
        emit ClaimSkipped(memberId);
    }

    function _add(Amounts memory a, Amounts memory b) private pure {
        (a.cash, a.data, a.gov) = (a.cash + b.cash, a.data + b.data, a.gov + b.gov);
    }

    function _subtract(Amounts memory a, Amounts memory b) private pure {
        (a.cash, a.data, a.gov) = (a.cash - b.cash, a.data - b.data, a.gov - b.gov);
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
