// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {LedgerParams} from "./LedgerParams.sol";
import {RewardFormula} from "./RewardFormula.sol";
import {ISettlementLedger} from "./ISettlementLedger.sol";

/// @notice What Disputes and SettlementLedger have judged elsewhere, by rules that need no state: a row of a proposed epoch, and the
/// parameters of later ones.
interface IContestVerifier {
    /// @notice What a leaf shows of a row.
    struct Shown {
        uint128 cash;
        uint128 stream;
        uint128 data;
        uint128 gov;
    }

    /// @notice All that is needed to replay a row.
    /// @dev `first`: the member had no row before; then `shown` and `oldRow` count for nothing. `closed`: everything was
    /// erased in an earlier epoch; then `oldRow` and `rowKey` count for nothing. `rowKey`: the key that fits the digest
    /// in Membership, zeros for a member without one.
    struct Opening {
        ISettlementLedger.Header header;
        RewardFormula.Params params;
        bool first;
        bool closed;
        Shown shown;
        RewardFormula.Row oldRow;
        bytes32 rowKey;
        bytes32[] oldProof;
        RewardFormula.Inputs inputs;
        bytes32 blinder;
        bytes32[] inputsProof;
        ISettlementLedger.Claim newLeaf;
        bytes32[] newProof;
    }

    /// @notice Whether the row that a header commits to is another than the one that the formula gives. Reverts where `o`
    /// does not open what the header commits to, and where the old row is one from which the formula cannot go on.
    /// @param memberId whose row it is
    /// @param rowKeyDigest what Membership keeps of the member's row key; 0 for a member without one
    /// @param depth of the trees
    /// @param o the opening, all of it the member's; the caller has compared its header with the proposal's
    /// @return wrong whether the row is
    function judge(uint32 memberId, bytes32 rowKeyDigest, uint256 depth, Opening calldata o)
        external
        view
        returns (bool wrong);

    /// @notice Reverts unless `p` may govern an epoch: it makes sense alone and keeps to the emission. Returns its hash.
    /// @param p the parameters
    /// @param e what the charter lets a year award
    /// @param dataAwarded since the start, wei
    /// @param govAwarded since the start, wei
    /// @return paramsHash as a header names it
    function checkParams(
        RewardFormula.Params calldata p,
        LedgerParams.Emission calldata e,
        uint256 dataAwarded,
        uint256 govAwarded
    ) external pure returns (bytes32 paramsHash);

    /// @notice Reverts unless the bounds of `e` make sense.
    /// @param e the bounds
    function checkEmission(LedgerParams.Emission calldata e) external pure;
}
