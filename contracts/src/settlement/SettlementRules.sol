// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {AmountsLib} from "./Amounts.sol";
import {IContestVerifier} from "./IContestVerifier.sol";
import {LedgerParams} from "./LedgerParams.sol";
import {RewardFormula} from "./RewardFormula.sol";
import {SettlementState} from "./SettlementState.sol";

/// @title SettlementRules
/// @notice The part of SettlementLedger that keeps its parameters: which govern which epoch, and what the charter lets
/// them award.
///
/// A vote governs the epochs after the one that is running, never one that members have already worked for. Votes in
/// different epochs are kept apart, also where settlements are behind: each epoch is settled by the parameters that
/// governed it. Of two votes in one epoch the later counts.
abstract contract SettlementRules is SettlementState {
    event ParamsSet(uint32 fromEpoch, bytes32 paramsHash, RewardFormula.Params params);
    event EmissionSet(LedgerParams.Emission emission);

    /// @notice Sets the parameters from the next epoch on.
    function setParams(RewardFormula.Params calldata p) external restricted {
        Storage storage $ = _storage();
        Head memory head = _head($);
        // Check:
        if (p.epochLength != head.epochLength) {
            revert SettlementLedger_EpochLengthIsFixed(p.epochLength, head.epochLength);
        }
        Round storage last = _round($, _finalEpochOf(head));
        bytes32 hash = _checkParams($, p, last.dataAwarded, last.govAwarded);
        // Effects:
        uint32 fromEpoch = _runningEpoch(head) + 1;
        uint256 latest = $.versions.length - 1;
        if ($.versions[latest].fromEpoch == fromEpoch) $.versions.pop();
        _addVersion($, fromEpoch, hash, p);
        $.head.queued = true;
    }

    /// @notice Sets how much of each token a year may award. It binds the next vote on parameters; those that are set stay.
    function setEmission(LedgerParams.Emission calldata e) external restricted {
        _ask(IContestVerifier.checkEmission.selector, msg.data[4:]);
        _setEmission(e);
    }

    /// @notice The parameters of the epoch that is proposed next.
    function params() external view returns (bytes32 paramsHash, uint128 dataCap, uint128 govCap) {
        return paramsOf(_storage().head.lastEpoch + 1);
    }

    /// @notice The parameters that govern an epoch, by what is decided now.
    function paramsOf(uint32 epoch) public view returns (bytes32 paramsHash, uint128 dataCap, uint128 govCap) {
        Version[] storage versions = _storage().versions;
        uint256 i = versions.length - 1;
        while (versions[i].fromEpoch > epoch) --i;
        Version storage v = versions[i];
        return (v.paramsHash, v.dataCap, v.govCap);
    }

    /// @notice What the charter lets a year award.
    function emission() external view returns (LedgerParams.Emission memory e) {
        uint256[6] memory words = _storage().emission;
        assembly ("memory-safe") {
            e := words // a struct in memory is a word for each field
        }
    }

    /// @dev The parameters of the first epoch. They are put in force by its proposal.
    function _foundRules(RewardFormula.Params calldata p, LedgerParams.Emission calldata e) internal {
        Storage storage $ = _storage();
        _setEmission(e);
        _addVersion($, 0, _checkParams($, p, 0, 0), p);
        $.head.queued = true;
    }

    /// @dev Puts in force what was set for `epoch` or before, where a proposal reads it. Called only while something is
    /// queued, so that a usual proposal pays nothing for it.
    function _promote(Storage storage $, uint256 epoch) internal {
        uint256 latest = $.versions.length - 1;
        uint256 i = $.version;
        while (i < latest && $.versions[i + 1].fromEpoch <= epoch) ++i;
        $.version = uint32(i);
        Version storage v = $.versions[i];
        ($.paramsHash, $.dataCap, $.govCap) = (v.paramsHash, v.dataCap, v.govCap);
        if (i == latest) $.head.queued = false;
    }

    /// @dev The number of the epoch that is running; 0 before the first.
    function _runningEpoch(Head memory head) internal view returns (uint32) {
        if (block.timestamp < head.genesis) return 0;
        return uint32((block.timestamp - head.genesis) / head.epochLength) + 1;
    }

    /// @dev Checked by the caller, and so are its words.
    function _setEmission(LedgerParams.Emission calldata e) private {
        uint256[6] calldata words;
        assembly {
            words := e
        }
        _storage().emission = words;
        // As `emit EmissionSet(e)`.
        bytes32 topic = EmissionSet.selector;
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            calldatacopy(ptr, e, 192)
            log1(ptr, 192, topic)
        }
    }

    /// @dev The code that this takes is elsewhere, and so is the decoding: the words of `p` are passed on as they came.
    function _checkParams(Storage storage $, RewardFormula.Params calldata p, uint256 dataAwarded, uint256 govAwarded)
        private
        view
        returns (bytes32)
    {
        bytes memory rest = abi.encode($.emission, dataAwarded, govAwarded);
        return bytes32(_ask(IContestVerifier.checkParams.selector, bytes.concat(_wordsOf(p), rest)));
    }

    /// @dev As `emit ParamsSet(fromEpoch, hash, p)`, beside the version.
    function _addVersion(Storage storage $, uint32 fromEpoch, bytes32 hash, RewardFormula.Params calldata p) private {
        // A cap beyond what totals can hold is no cap.
        uint96 dataCap = uint96(Math.min(p.dataCap, AmountsLib.MAX_TOKEN));
        uint96 govCap = uint96(Math.min(p.govCap, AmountsLib.MAX_TOKEN));
        $.versions.push(Version(hash, fromEpoch, dataCap, govCap));
        bytes memory data = bytes.concat(bytes32(uint256(fromEpoch)), hash, _wordsOf(p));
        bytes32 topic = ParamsSet.selector;
        assembly ("memory-safe") {
            log1(add(data, 32), mload(data), topic)
        }
    }

    function _wordsOf(RewardFormula.Params calldata p) private pure returns (bytes calldata words) {
        assembly {
            words.offset := p
            words.length := 768
        }
    }
}
