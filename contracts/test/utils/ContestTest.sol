// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ContestVerifier} from "../../src/settlement/ContestVerifier.sol";
import {IContestVerifier} from "../../src/settlement/IContestVerifier.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {RewardFormula} from "../../src/settlement/RewardFormula.sol";
import {LedgerTreeBuilder} from "./LedgerTreeBuilder.sol";
import {LedgerVectors} from "./LedgerVectors.sol";

/// @notice Makes of a row of /vectors what its member would open in a contest: trees in which the row stands, a header
/// that commits to them, and the paths. Hashes are made here by their definition, not by the contracts.
abstract contract ContestTest is LedgerVectors {
    using LedgerTreeBuilder for bytes32[];

    bytes32 internal constant ROW_KEY = keccak256("row key");
    /// @dev As Membership keeps it.
    bytes32 internal constant ROW_KEY_DIGEST = keccak256(abi.encode(ROW_KEY));
    uint256 internal constant CONTEST_DEPTH = 12;
    /// @dev Whose row it is does not matter to the formula; the ids of the vectors fill trees of any depth.
    uint32 internal constant CONTESTER = 5;

    /// @dev HMAC-SHA-256 by its definition: the key padded to a block of 64 bytes.
    function _salt(bytes32 key, uint64 epoch) internal pure returns (bytes32) {
        bytes memory inner = new bytes(64);
        bytes memory outer = new bytes(64);
        for (uint256 i; i < 64; ++i) {
            bytes1 k = i < 32 ? key[i] : bytes1(0);
            (inner[i], outer[i]) = (k ^ 0x36, k ^ 0x5c);
        }
        return sha256(bytes.concat(outer, sha256(bytes.concat(inner, bytes8(epoch)))));
    }

    function _leafOf(uint256 id, uint256[4] memory shown, bytes32 privateHash) internal pure returns (bytes32) {
        bytes memory words = abi.encode(id, shown[0], shown[1], shown[2], shown[3], privateHash);
        return keccak256(bytes.concat(keccak256(words)));
    }

    /// @dev The opening of a row that the formula gave. `w` as in vectors/README.md.
    function _opening(uint256[] memory w) internal view returns (IContestVerifier.Opening memory o) {
        o.params = _params(w[0]);
        o.closed = w[14] != 0;
        (o.oldRow, o.inputs, o.blinder, o.rowKey) = (_row(w, 2), _inputs(w), bytes32(w[46]), ROW_KEY);
        o.first = w[13] == w[15] && !o.closed && keccak256(abi.encode(o.oldRow)) == _firstRow(uint32(w[13]));
        _shown(o);
        o.newLeaf = ISettlementLedger.Claim(
            CONTESTER, uint128(w[65]), uint128(w[66]), uint128(w[67]), uint128(w[68]), _newPrivate(w)
        );
        RewardFormula.Epoch memory e = _epoch(w);
        (o.header.epoch, o.header.sharers, o.header.payout) = (e.epoch, uint32(e.sharers), uint128(e.payout));
        (o.header.sumUsage, o.header.sumData, o.header.sumEarly) = (e.sumUsage, e.sumData, e.sumEarly);
        (o.header.sumDataAward, o.header.sumGovAward) = (e.sumDataAward, e.sumGovAward);
        o.header.paramsHash = keccak256(abi.encode(o.params));
        _plant(o);
    }

    function _firstRow(uint32 joinEpoch) private pure returns (bytes32) {
        RewardFormula.Row memory row;
        row.joinEpoch = joinEpoch;
        return keccak256(abi.encode(row));
    }

    /// @dev What the old leaf shows, by units of its own time: whole thousands here. A closed one shows everything.
    function _shown(IContestVerifier.Opening memory o) private pure {
        if (o.first) return;
        uint128 unit = o.closed ? 1 : 1_000;
        (o.shown.cash, o.shown.stream) = (o.oldRow.cashEarned / unit * unit, o.oldRow.cashStreaming / unit * unit);
        (o.shown.data, o.shown.gov) = (o.oldRow.dataEarned / unit * unit, o.oldRow.govEarned / unit * unit);
    }

    function _newPrivate(uint256[] memory w) private pure returns (bytes32) {
        if (w[60] != 0) return keccak256(new bytes(13 * 32));
        return keccak256(abi.encode(_row(w, 48), _salt(ROW_KEY, uint64(w[15]))));
    }

    /// @dev Puts old leaf, inputs and new leaf into trees beside another member's, and their roots into the header.
    function _plant(IContestVerifier.Opening memory o) internal pure {
        (o.header.previousRoot, o.oldProof) = _tree(o.newLeaf.memberId, _oldLeaf(o));
        bytes32 inputsLeaf = keccak256(
            abi.encode(
                o.newLeaf.memberId,
                o.inputs.contributions,
                o.inputs.programPoints,
                o.inputs.records,
                o.inputs.used,
                o.inputs.useWeight,
                o.inputs.active,
                o.inputs.erased,
                o.blinder
            )
        );
        (o.header.inputsRoot, o.inputsProof) = _tree(o.newLeaf.memberId, inputsLeaf);
        _plantNew(o);
    }

    function _plantNew(IContestVerifier.Opening memory o) internal pure {
        ISettlementLedger.Claim memory c = o.newLeaf;
        bytes32 leaf = _leafOf(c.memberId, [uint256(c.cash), c.stream, c.data, c.gov], c.privateHash);
        (o.header.root, o.newProof) = _tree(c.memberId, leaf);
    }

    function _oldLeaf(IContestVerifier.Opening memory o) internal pure returns (bytes32) {
        return _oldLeafBy(o, o.rowKey);
    }

    function _oldLeafBy(IContestVerifier.Opening memory o, bytes32 rowKey) internal pure returns (bytes32) {
        if (o.first) return 0;
        bytes32 privateHash = o.closed
            ? keccak256(new bytes(13 * 32))
            : keccak256(abi.encode(o.oldRow, _salt(rowKey, o.header.epoch - 1)));
        uint256[4] memory shown = [uint256(o.shown.cash), o.shown.stream, o.shown.data, o.shown.gov];
        return _leafOf(o.newLeaf.memberId, shown, privateHash);
    }

    function _tree(uint256 id, bytes32 leaf) internal pure returns (bytes32 root, bytes32[] memory proof) {
        bytes32[] memory leaves = new bytes32[]((id | 1) + 1);
        leaves[id ^ 1] = keccak256("a neighbour's leaf");
        leaves[id] = leaf;
        return (leaves.root(CONTEST_DEPTH), leaves.proof(id, CONTEST_DEPTH));
    }
}
