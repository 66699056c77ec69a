// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bounds} from "../access/Bounds.sol";
import {IContestVerifier} from "./IContestVerifier.sol";
import {LedgerParams} from "./LedgerParams.sol";
import {LedgerTree} from "./LedgerTree.sol";
import {RewardFormula} from "./RewardFormula.sol";
import {ISettlementLedger} from "./ISettlementLedger.sol";

/// @title ContestVerifier
/// @notice Replays one row of a proposed epoch: old leaf, inputs and header in, new leaf out, compared with the leaf that
/// was proposed.
///
/// Roles: none. It has no state, no owner and no proxy; Disputes asks it, and SettlementLedger about parameters.
///
/// Assumptions
/// - The caller compares the header with the proposal's, and knows the depth of its trees and the digest of the member's
///   row key. Everything else is checked against the header.
/// - The old leaf is final, and may be false all the same: nobody may have contested it in its time.
/// - A leaf is salted by the member's row key, or by zeros where none of its signers held the key. The old leaf opens with
///   either, and the new one is right with either: so a key that came late makes no right row wrong, and a quorum that
///   pretends to have none makes no wrong row safe.
///
/// Liveness: depends on nothing outside. A replay takes gas for each contribution of the row.
///
/// Who can hurt whom: nobody. An opening that is not the committed one is refused, and so is one that ran out of gas: it
/// must not pass for a row that the formula refuses. So is one whose old row the ledger cannot have written: the formula
/// gives no row after it, and every root would be wrong.
contract ContestVerifier is IContestVerifier {
    /// @dev What stands in for a row key that no signer held.
    bytes32 private constant NO_KEY = 0;

    error ContestVerifier_BadRowKey(bytes32 rowKeyDigest);
    error ContestVerifier_BadParams(bytes32 paramsHash, bytes32 expected);
    error ContestVerifier_BadOldRow(uint32 memberId);
    error ContestVerifier_BadInputs(uint32 memberId);
    error ContestVerifier_BadNewLeaf(uint32 memberId);
    error ContestVerifier_OutOfGas();
    error ContestVerifier_NoWayOn(uint32 memberId);

    /// @inheritdoc IContestVerifier
    function judge(uint32 memberId, bytes32 rowKeyDigest, uint256 depth, Opening calldata o)
        external
        view
        returns (bool wrong)
    {
        // Nothing salts what is closed; a member's first row is not, whatever the opening says.
        if (o.first || !o.closed) _checkRowKey(rowKeyDigest, o.rowKey);
        bytes32 leaf = _checkOpening(memberId, depth, o);
        if (!_canGoOn(o.header.epoch, _oldRow(o.header.epoch, o))) revert ContestVerifier_NoWayOn(memberId);
        try this.replay(memberId, o) returns (bytes32 keyed, bytes32 unkeyed) {
            wrong = leaf != keyed && leaf != unkeyed;
        } catch (bytes memory reason) {
            // Inputs that the formula refuses give a reason. Too little gas gives none, and proves nothing.
            if (reason.length == 0) revert ContestVerifier_OutOfGas();
            wrong = true;
        }
    }

    /// @notice The leaf that the formula gives. Reverts where the formula does. Checks no proof.
    /// @param memberId whose row it is
    /// @param o the opening; its row key is taken as it is
    /// @return keyed the leaf as the member's row key salts it
    /// @return unkeyed the leaf as zeros salt it; the same where everything was erased
    function replay(uint32 memberId, Opening calldata o) external pure returns (bytes32 keyed, bytes32 unkeyed) {
        RewardFormula.Params memory p = o.params;
        RewardFormula.Inputs memory inputs = o.inputs;
        uint32 epoch = o.header.epoch;
        RewardFormula.Outcome memory out =
            RewardFormula.step(p, _epochOf(o.header), _oldRow(epoch, o), o.closed && !o.first, inputs);
        keyed = _newLeafBy(memberId, p, out, inputs.active, saltOf(o.rowKey, epoch));
        unkeyed = _newLeafBy(memberId, p, out, inputs.active, saltOf(NO_KEY, epoch));
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

    /// @notice The salt of a row: HMAC-SHA-256(row key, epoch as 64 bits big-endian).
    /// @param rowKey the member's, or zeros
    /// @param epoch of the row
    /// @return a salt that nobody can guess without the key
    function saltOf(bytes32 rowKey, uint64 epoch) public pure returns (bytes32) {
        // The key is shorter than a block of 64 bytes; the rest of the pads is padding over zeros.
        bytes32 inner = bytes32(0x3636363636363636363636363636363636363636363636363636363636363636);
        bytes32 outer = bytes32(0x5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c);
        return sha256(abi.encodePacked(rowKey ^ outer, outer, sha256(abi.encodePacked(rowKey ^ inner, inner, epoch))));
    }

    /// @dev That the key is the one named at admission; a member who named none has zeros, which salt its every row.
    function _checkRowKey(bytes32 rowKeyDigest, bytes32 rowKey) private pure {
        bool fits = rowKeyDigest == 0 ? rowKey == NO_KEY : keccak256(abi.encode(rowKey)) == rowKeyDigest;
        if (!fits) revert ContestVerifier_BadRowKey(rowKeyDigest);
    }

    /// @dev That `o` opens what its header commits to. Returns the leaf that was proposed.
    function _checkOpening(uint32 memberId, uint256 depth, Opening calldata o) private pure returns (bytes32 leaf) {
        ISettlementLedger.Header calldata h = o.header;
        bytes32 paramsHash = keccak256(abi.encode(o.params));
        if (paramsHash != h.paramsHash) revert ContestVerifier_BadParams(paramsHash, h.paramsHash);
        if (!_isOldLeaf(memberId, depth, o, o.rowKey) && !_isOldLeaf(memberId, depth, o, NO_KEY)) {
            revert ContestVerifier_BadOldRow(memberId);
        }
        bytes32 inputsLeaf = RewardFormula.inputsLeaf(memberId, o.inputs, o.blinder);
        if (!LedgerTree.isAt(h.inputsRoot, depth, memberId, inputsLeaf, o.inputsProof)) {
            revert ContestVerifier_BadInputs(memberId);
        }
        ISettlementLedger.Claim calldata c = o.newLeaf;
        leaf = LedgerTree.leaf(memberId, c.cash, c.stream, c.data, c.gov, c.privateHash);
        if (c.memberId != memberId || !LedgerTree.isAt(h.root, depth, memberId, leaf, o.newProof)) {
            revert ContestVerifier_BadNewLeaf(memberId);
        }
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
        return amounts >> Bounds.WIDE == 0 && row.lastContribution < epoch && row.joinEpoch <= epoch;
    }

    /// @dev Whether the old row, salted by `rowKey`, stands in the previous tree.
    function _isOldLeaf(uint32 memberId, uint256 depth, Opening calldata o, bytes32 rowKey)
        private
        pure
        returns (bool)
    {
        bytes32 leaf = _oldLeaf(o.header.epoch, memberId, o, rowKey);
        return LedgerTree.isAt(o.header.previousRoot, depth, memberId, leaf, o.oldProof);
    }

    /// @dev The leaf that would stand in the previous tree. What it shows was rounded by the parameters of its own epoch
    /// and is bound by the proof; the row is bound by its salted hash.
    function _oldLeaf(uint32 epoch, uint32 memberId, Opening calldata o, bytes32 rowKey)
        private
        pure
        returns (bytes32)
    {
        if (o.first) return bytes32(0);
        bytes32 privateHash = o.closed
            ? RewardFormula.erasedHash()
            : RewardFormula.privateHash(o.oldRow, saltOf(rowKey, uint64(epoch) - 1));
        return LedgerTree.leaf(memberId, o.shown.cash, o.shown.stream, o.shown.data, o.shown.gov, privateHash);
    }

    function _newLeafBy(
        uint32 memberId,
        RewardFormula.Params memory p,
        RewardFormula.Outcome memory out,
        bool active,
        bytes32 salt
    ) private pure returns (bytes32) {
        bytes32 privateHash = out.closed ? RewardFormula.erasedHash() : RewardFormula.privateHash(out.row, salt);
        return RewardFormula.leafOf(p, memberId, out.row, active, privateHash);
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
