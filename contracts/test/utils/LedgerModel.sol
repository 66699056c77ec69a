// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IContestVerifier} from "../../src/settlement/IContestVerifier.sol";
import {Disputes} from "../../src/settlement/Disputes.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {RewardFormula} from "../../src/settlement/RewardFormula.sol";
import {BondedCoop} from "./BondedCoop.sol";
import {LedgerTreeBuilder} from "./LedgerTreeBuilder.sol";

/// @notice What honest stewards compute of an epoch, and what a member knows to contest it. Rows follow from RewardFormula;
/// sums, leaves, salts and trees are made here by their definition.
abstract contract LedgerModel is BondedCoop {
    using LedgerTreeBuilder for bytes32[];

    struct Standing {
        bool known;
        bool closed;
        RewardFormula.Row row;
        ISettlementLedger.Claim leaf;
    }

    /// @dev By member id: what the last final tree and the next one say.
    mapping(uint32 memberId => Standing) internal before;
    mapping(uint32 memberId => Standing) internal next;
    mapping(uint32 memberId => bytes) internal inputs;
    /// @dev The header of the next tree.
    ISettlementLedger.Header internal header;
    /// @dev Members by then, and one: who joins later has no row in it.
    uint256 private rows;

    // ------------------------------------------------------------------------------------------------ inputs

    function _inputsOf(uint32 id) internal view returns (RewardFormula.Inputs memory i) {
        if (inputs[id].length != 0) i = abi.decode(inputs[id], (RewardFormula.Inputs));
    }

    function _blinder(uint32 id) internal pure returns (bytes32) {
        return keccak256(abi.encode("blinder", id));
    }

    function _rowKey(uint32 id) internal view returns (bytes32) {
        return _rowKeyOf(membership.accountOf(id));
    }

    // ------------------------------------------------------------------------------------------- computation

    /// @dev The next tree is final.
    function _becomeFinal() internal {
        for (uint32 id = 1; id < memberKeys.length; ++id) {
            if (next[id].known) before[id] = next[id];
            delete next[id];
            delete inputs[id];
        }
    }

    /// @dev Fills `next` and `header` from `before` and the inputs.
    function _compute(uint32 epoch, uint256 payout) internal {
        header = _header();
        rows = memberKeys.length;
        RewardFormula.Epoch memory e = _sums(epoch, payout);
        (header.sharers, header.payout) = (uint32(e.sharers), uint128(e.payout));
        (header.sumUsage, header.sumData, header.sumEarly) = (e.sumUsage, e.sumData, e.sumEarly);
        (header.sumDataAward, header.sumGovAward) = (e.sumDataAward, e.sumGovAward);
        (header.cashAllocated, header.dataEarned, header.govEarned) = (0, 0, 0);
        for (uint32 id = 1; id < memberKeys.length; ++id) {
            RewardFormula.Outcome memory out = _stepOf(id, e);
            next[id] = Standing(true, out.closed, out.row, _leafFor(id, epoch, out));
            header.cashAllocated += out.row.cashEarned + out.row.cashStreaming;
            header.dataEarned += out.row.dataEarned;
            header.govEarned += out.row.govEarned;
            header.dataAwarded += uint128(out.dataAwarded);
            header.govAwarded += uint128(out.govAwarded);
        }
        _plant();
    }

    function _sums(uint32 epoch, uint256 payout) private view returns (RewardFormula.Epoch memory e) {
        RewardFormula.Params memory p = _rewardParams();
        (e.epoch, e.payout, e.sharers) = (epoch, payout, 1);
        for (uint32 id = 1; id < memberKeys.length; ++id) {
            RewardFormula.Outcome memory out = _stepOf(id, e);
            e.sumDataAward += out.dataAwarded;
            e.sumGovAward += out.govAwarded;
        }
        e.sharers = 0;
        for (uint32 id = 1; id < memberKeys.length; ++id) {
            RewardFormula.Inputs memory i = _inputsOf(id);
            if (!i.active || i.records == 0) continue;
            RewardFormula.Row memory row = _oldRow(id, epoch);
            ++e.sharers;
            e.sumUsage += row.usageWeight - row.usageWeight / p.smoothing + i.useWeight;
            e.sumData += row.dataEarned;
            e.sumEarly += p.earlyCutoff - row.joinEpoch;
        }
        if (e.sharers == 0) e.payout = 0;
    }

    function _stepOf(uint32 id, RewardFormula.Epoch memory e) private view returns (RewardFormula.Outcome memory) {
        return RewardFormula.step(_rewardParams(), e, _oldRow(id, e.epoch), before[id].closed, _inputsOf(id));
    }

    function _oldRow(uint32 id, uint32 epoch) private view returns (RewardFormula.Row memory row) {
        if (before[id].known) return before[id].row;
        row.joinEpoch = epoch;
    }

    function _leafFor(uint32 id, uint32 epoch, RewardFormula.Outcome memory out)
        private
        view
        returns (ISettlementLedger.Claim memory c)
    {
        bool active = _inputsOf(id).active;
        (uint128 cashUnit, uint128 unit) = active ? (uint128(1e6), uint128(1e18)) : (uint128(1), uint128(1));
        RewardFormula.Row memory r = out.row;
        c.memberId = id;
        c.cash = r.cashEarned - r.cashEarned % cashUnit;
        uint128 both = r.cashEarned + r.cashStreaming;
        c.stream = both - both % cashUnit - c.cash;
        (c.data, c.gov) = (r.dataEarned - r.dataEarned % unit, r.govEarned - r.govEarned % unit);
        c.privateHash = out.closed ? keccak256(new bytes(13 * 32)) : _privateHash(r, id, epoch);
    }

    function _privateHash(RewardFormula.Row memory row, uint32 id, uint32 epoch) internal view returns (bytes32) {
        return keccak256(abi.encode(row, _saltOf(_rowKey(id), epoch)));
    }

    /// @dev HMAC-SHA-256 with the key padded to a block of 64 bytes.
    function _saltOf(bytes32 key, uint64 epoch) internal pure returns (bytes32) {
        bytes memory inner = new bytes(64);
        bytes memory outer = new bytes(64);
        for (uint256 i; i < 64; ++i) {
            bytes1 k = i < 32 ? key[i] : bytes1(0);
            (inner[i], outer[i]) = (k ^ 0x36, k ^ 0x5c);
        }
        return sha256(bytes.concat(outer, sha256(bytes.concat(inner, bytes8(epoch)))));
    }

    // ------------------------------------------------------------------------------------------------- trees

    /// @dev Puts the roots of the trees into the header.
    function _plant() internal {
        header.root = _nextLeaves().root(DEPTH);
        header.inputsRoot = _inputsLeaves().root(DEPTH);
    }

    function _nextLeaves() internal view returns (bytes32[] memory) {
        ISettlementLedger.Claim[] memory claims = new ISettlementLedger.Claim[](rows - 1);
        for (uint32 id = 1; id < rows; ++id) {
            claims[id - 1] = next[id].leaf;
        }
        return _leaves(claims);
    }

    function _finalClaims() internal view returns (ISettlementLedger.Claim[] memory claims) {
        uint32 n;
        while (before[n + 1].known) ++n;
        claims = new ISettlementLedger.Claim[](n);
        for (uint32 id = 1; id <= n; ++id) {
            claims[id - 1] = before[id].leaf;
        }
    }

    function _inputsLeaves() internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](rows);
        for (uint32 id = 1; id < leaves.length; ++id) {
            RewardFormula.Inputs memory i = _inputsOf(id);
            leaves[id] = keccak256(
                abi.encode(
                    uint256(id),
                    i.contributions,
                    i.programPoints,
                    i.records,
                    i.used,
                    i.useWeight,
                    i.active,
                    i.erased,
                    _blinder(id)
                )
            );
        }
    }

    function _proposeNext() internal virtual {
        _propose(header);
    }

    // ----------------------------------------------------------------------------------------------- opening

    /// @dev What a member knows and opens: its rows, its inputs, its key, and the paths that stewards gave it.
    function _openingOf(uint32 id) internal view returns (IContestVerifier.Opening memory o) {
        Standing storage old = before[id];
        (o.header, o.params) = (header, _rewardParams());
        (o.first, o.closed, o.oldRow, o.rowKey) = (!old.known, old.closed, old.row, _rowKey(id));
        o.shown = IContestVerifier.Shown(old.leaf.cash, old.leaf.stream, old.leaf.data, old.leaf.gov);
        o.oldProof = _leaves(_finalClaims()).proof(id, DEPTH);
        (o.inputs, o.blinder) = (_inputsOf(id), _blinder(id));
        o.inputsProof = _inputsLeaves().proof(id, DEPTH);
        (o.newLeaf, o.newProof) = (next[id].leaf, _nextLeaves().proof(id, DEPTH));
    }

    function _contestStruct(uint32 id) internal view returns (Disputes.Contest memory) {
        return Disputes.Contest(id, header.epoch, header.attempt, block.timestamp + 1 days);
    }

    function _contestDigest(Disputes.Contest memory c) internal view returns (bytes32) {
        bytes32 hash = keccak256("Contest(uint32 memberId,uint32 epoch,uint32 attempt,uint256 deadline)");
        return _typed("Disputes", address(disputes), keccak256(abi.encode(hash, c)));
    }

    /// @dev A stranger sends what the member signed.
    function _contest(uint32 id, IContestVerifier.Opening memory o) internal {
        Disputes.Contest memory c = _contestStruct(id);
        bytes memory signature = _sign(memberKeys[id], _contestDigest(c));
        vm.prank(stranger);
        disputes.contest(c, signature, o);
    }
}
