// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MemberSignature} from "../access/MemberSignature.sol";
import {IContestVerifier} from "./IContestVerifier.sol";
import {LedgerHeader} from "./LedgerHeader.sol";
import {LedgerParams} from "./LedgerParams.sol";
import {LedgerTree} from "./LedgerTree.sol";
import {RewardFormula} from "./RewardFormula.sol";
import {ISettlementLedger} from "./ISettlementLedger.sol";

/// @title ContestVerifier
/// @notice Replays one row of a proposed epoch: old leaf, inputs and header in, new leaf out, compared with the leaf that
/// was proposed.
///
/// Roles: none. It has no state, no owner and no proxy; SettlementLedger asks it.
///
/// Assumptions
/// - The caller compares header and depth with the proposal's. Everything else is checked against the header.
/// - The old leaf is final, and may be false all the same: nobody may have contested it in its time.
/// - The row key that salted the old leaf salts the new one. A first row has no old leaf, so its key is bound to nothing
///   and only what the leaf shows is compared.
///
/// Liveness: depends on nothing outside. A replay takes gas for each contribution of the row.
///
/// Who can hurt whom: nobody. An opening that is not the committed one is refused, and so is one that ran out of gas: it
/// must not pass for a row that the formula refuses. So is one whose old row the ledger cannot have written: the formula
/// gives no row after it, and every root would be wrong.
contract ContestVerifier is IContestVerifier {
    /// @dev Bits of an amount from which the step may overflow by sums of what a row holds. Totals hold 96.
    uint256 private constant WIDE = 126;

    error ContestVerifier_BadParams(bytes32 paramsHash, bytes32 expected);
    error ContestVerifier_BadOldRow(uint32 memberId);
    error ContestVerifier_BadInputs(uint32 memberId);
    error ContestVerifier_BadNewLeaf(uint32 memberId);
    error ContestVerifier_OutOfGas();
    error ContestVerifier_NoWayOn(uint32 memberId);

    /// @inheritdoc IContestVerifier
    function judge(ISettlementLedger.Contest calldata c, bytes calldata, Opening calldata o)
        external
        view
        returns (bytes32 headerHash, uint256 depth, bool wrong)
    {
        depth = o.newProof.length;
        bytes32 leaf = _checkOpening(c.memberId, depth, o);
        headerHash = LedgerHeader.hash(o.header);
        if (!_isReadable(o)) return (headerHash, depth, true);
        if (!_canGoOn(o.header.epoch, _oldRow(o.header.epoch, o))) revert ContestVerifier_NoWayOn(c.memberId);
        try this.replay(c.memberId, o) returns (bytes32 expected) {
            wrong = leaf != expected;
        } catch (bytes memory reason) {
            // Inputs that the formula refuses give a reason. Too little gas gives none, and proves nothing.
            if (reason.length == 0) revert ContestVerifier_OutOfGas();
            wrong = true;
        }
    }

    /// @notice The leaf that the formula gives. Reverts where the formula does. Checks no proof.
    function replay(uint32 memberId, Opening calldata o) external pure returns (bytes32) {
        RewardFormula.Params memory p = o.params;
        RewardFormula.Inputs memory inputs = o.inputs;
        uint32 epoch = o.header.epoch;
        RewardFormula.Outcome memory out =
            RewardFormula.step(p, _epochOf(o.header), _oldRow(epoch, o), o.closed && !o.first, inputs);
        bytes32 privateHash = out.closed
            ? RewardFormula.erasedHash()
            : o.first ? o.newLeaf.privateHash : RewardFormula.privateHash(out.row, saltOf(o.rowKey, epoch));
        return RewardFormula.leafOf(p, memberId, out.row, inputs.active, privateHash);
    }

    /// @inheritdoc IContestVerifier
    function checkParams(
        RewardFormula.Params calldata p,
        LedgerParams.Emission calldata e,
        uint256 dataAwarded,
        uint256 govAwarded
    ) external pure returns (bytes32) {
        RewardFormula.Params memory params = p;
        LedgerParams.check(e);
        LedgerParams.check(params);
        LedgerParams.checkEmission(params, e, dataAwarded, govAwarded);
        return RewardFormula.paramsHash(params);
    }

    /// @inheritdoc IContestVerifier
    function checkEmission(LedgerParams.Emission calldata e) external pure {
        LedgerParams.check(e);
    }

    /// @inheritdoc IContestVerifier
    function isSigned(address account, bytes32 digest, bytes calldata signature) external view returns (bool) {
        return MemberSignature.isValid(account, digest, signature);
    }

    /// @notice The salt of a row: HMAC-SHA-256(row key, epoch as 64 bits big-endian).
    function saltOf(bytes32 rowKey, uint64 epoch) public pure returns (bytes32) {
        // The key is shorter than a block of 64 bytes; the rest of the pads is padding over zeros.
        bytes32 inner = bytes32(0x3636363636363636363636363636363636363636363636363636363636363636);
        bytes32 outer = bytes32(0x5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c);
        return sha256(abi.encodePacked(rowKey ^ outer, outer, sha256(abi.encodePacked(rowKey ^ inner, inner, epoch))));
    }

    /// @dev That `o` opens what its header commits to. Returns the leaf that was proposed.
    function _checkOpening(uint32 memberId, uint256 depth, Opening calldata o) private pure returns (bytes32 leaf) {
        ISettlementLedger.Header calldata h = o.header;
        bytes32 paramsHash = keccak256(abi.encode(o.params));
        if (paramsHash != h.paramsHash) revert ContestVerifier_BadParams(paramsHash, h.paramsHash);
        if (!LedgerTree.isAt(h.previousRoot, depth, memberId, _oldLeaf(h.epoch, memberId, o), o.oldProof)) {
            revert ContestVerifier_BadOldRow(memberId);
        }
        bytes32 inputsLeaf = RewardFormula.inputsLeaf(memberId, o.inputs, o.blinder);
        if (!LedgerTree.isAt(h.inputsRoot, depth, memberId, inputsLeaf, o.inputsProof)) {
            revert ContestVerifier_BadInputs(memberId);
        }
        leaf = _newLeaf(o.newLeaf);
        if (o.newLeaf.memberId != memberId || !LedgerTree.isAt(h.root, depth, memberId, leaf, o.newProof)) {
            revert ContestVerifier_BadNewLeaf(memberId);
        }
    }

    /// @dev Whether what stewards signed fits its fields. `propose` reads every word of a header but these two, and no leaf.
    /// A quorum that signs a wider word must lose the contest, not make it revert where the word is read.
    function _isReadable(Opening calldata o) private pure returns (bool) {
        ISettlementLedger.Header calldata h = o.header;
        ISettlementLedger.Claim calldata c = o.newLeaf;
        uint256 sharers;
        uint256 amounts;
        assembly {
            sharers := calldataload(add(h, 224))
            amounts := or(calldataload(add(c, 32)), calldataload(add(c, 64)))
            amounts := or(amounts, or(calldataload(add(c, 96)), calldataload(add(c, 128))))
            amounts := or(amounts, calldataload(add(h, 256))) // the payout
        }
        return sharers <= type(uint32).max && amounts <= type(uint128).max;
    }

    /// @dev The row that the step starts from. Of a closed one the leaf shows everything.
    function _oldRow(uint32 epoch, Opening calldata o) private pure returns (RewardFormula.Row memory row) {
        if (o.first) {
            row.joinEpoch = epoch;
        } else if (o.closed) {
            (row.cashEarned, row.cashStreaming) = (o.shown.cash, o.shown.stream);
            (row.dataEarned, row.govEarned) = (o.shown.data, o.shown.gov);
        } else {
            row = o.oldRow;
        }
    }

    /// @dev Whether the formula gives a row after `row`, whatever sensible inputs: it knows of no epoch that has not come, and
    /// no sum of its amounts overflows. Looks at nothing that the signers of the epoch chose.
    function _canGoOn(uint32 epoch, RewardFormula.Row memory row) private pure returns (bool) {
        uint256 amounts = uint256(row.cashEarned) | row.cashStreaming | row.dataEarned | row.govEarned | row.dataLocked
            | row.dataVesting | row.govLocked | row.govVesting | row.usageWeight;
        return amounts >> WIDE == 0 && row.lastContribution < epoch && row.joinEpoch <= epoch;
    }

    /// @dev The leaf that must stand in the previous tree. What it shows was rounded by the parameters of its own epoch
    /// and is bound by the proof; the row is bound by its salted hash.
    function _oldLeaf(uint32 epoch, uint32 memberId, Opening calldata o) private pure returns (bytes32) {
        if (o.first) return bytes32(0);
        bytes32 privateHash = o.closed
            ? RewardFormula.erasedHash()
            : RewardFormula.privateHash(o.oldRow, saltOf(o.rowKey, uint64(epoch) - 1));
        return LedgerTree.leaf(memberId, o.shown.cash, o.shown.stream, o.shown.data, o.shown.gov, privateHash);
    }

    /// @dev Of the words as they are, whether or not they fit their fields.
    function _newLeaf(ISettlementLedger.Claim calldata c) private pure returns (bytes32) {
        uint256 offset;
        assembly {
            offset := c
        }
        return LedgerTree.leafOfCalldata(offset);
    }

    function _epochOf(ISettlementLedger.Header calldata h) private pure returns (RewardFormula.Epoch memory) {
        return RewardFormula.Epoch({
            epoch: h.epoch,
            sharers: h.sharers,
            payout: h.payout,
            sumUsage: h.sumUsage,
            sumData: h.sumData,
            sumEarly: h.sumEarly,
            sumDataAward: h.sumDataAward,
            sumGovAward: h.sumGovAward
        });
    }
}
