// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {LedgerParams} from "../../../src/settlement/LedgerParams.sol";
import {RewardFormula} from "../../../src/settlement/RewardFormula.sol";
import {SettlementRules} from "../../../src/settlement/SettlementRules.sol";
import {SettlementState} from "../../../src/settlement/SettlementState.sol";
import {IContestVerifier} from "../../../src/settlement/IContestVerifier.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract SettlementRulesTest is CoopTest {
    function _set(RewardFormula.Params memory p) internal {
        _asTokenHouse();
        ledger.setParams(p);
    }

    function _bad(RewardFormula.Params memory p, bytes memory reason) internal {
        vm.expectRevert(reason);
        _set(p);
    }

    function test_RevertWhen_TheTokenHouseDoesNotDecide() external {
        RewardFormula.Params memory p = _rewardParams();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        ledger.setParams(p);
        vm.prank(tokenHouse);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, tokenHouse));
        ledger.setEmission(LedgerParams.Emission(0, 0, 0, 0, 0, 0));
    }

    function test_RevertWhen_AParameterMakesNoSense() external {
        RewardFormula.Params memory p = _rewardParams();
        p.epochLength += 1;
        _bad(
            p,
            abi.encodeWithSelector(SettlementState.SettlementLedger_EpochLengthIsFixed.selector, p.epochLength, EPOCH)
        );
        // word of the struct, a bad value, its name
        uint16[11] memory words = [uint16(1), 3, 9, 10, 13, 14, 15, 19, 20, 21, 23];
        uint16[11] memory values = [uint16(10_001), 0, 10_001, 0, 0, 10_001, 8_001, 0, 0, 0, 0];
        string[11] memory names = [
            "qMin",
            "maxStreak",
            "immediateBps",
            "vestingEpochs",
            "smoothing",
            "floorBps",
            "mix",
            "minLicenses",
            "minDatasets",
            "unit",
            "unit"
        ];
        for (uint256 i; i < words.length; ++i) {
            p = _rewardParams();
            (uint256 at, uint256 value) = (words[i], values[i]);
            assembly {
                mstore(add(p, shl(5, at)), value)
            }
            _bad(p, abi.encodeWithSelector(LedgerParams.LedgerParams_Bad.selector, names[i]));
        }
    }

    /// @dev An epoch keeps its parameters: one whose awards overflow could never be settled.
    function test_RevertWhen_APointIsWorthMoreThanTotalsHold() external {
        bytes memory reason = abi.encodeWithSelector(LedgerParams.LedgerParams_Bad.selector, "perPoint");
        RewardFormula.Params memory p = _rewardParams();
        p.dataPerPoint = uint128(type(uint96).max) + 1;
        _bad(p, reason);
        (p.dataPerPoint, p.govPerPoint) = (type(uint96).max, uint128(type(uint96).max) + 1);
        _bad(p, reason);
        p.govPerPoint = type(uint96).max;
        _set(p);
    }

    /// @dev A leaf shows whole units: a unit beyond what anybody earns would keep from active members what they earned.
    function test_RevertWhen_AUnitHidesWhatIsOwed() external {
        bytes memory reason = abi.encodeWithSelector(LedgerParams.LedgerParams_Bad.selector, "unit");
        RewardFormula.Params memory p = _rewardParams();
        p.cashUnit = 1_000e6 + 1;
        _bad(p, reason);
        (p.cashUnit, p.dataUnit) = (1_000e6, 1_000e18 + 1);
        _bad(p, reason);
        (p.dataUnit, p.govUnit) = (1_000e18, 1_000e18 + 1);
        _bad(p, reason);
        p.govUnit = 1_000e18;
        _set(p);
    }

    function test_WhenVotedBeforeTheFirstEpochItGovernsThatEpoch() external {
        vm.warp(GENESIS - 1 days);
        // This cooperative's roles begin with genesis; one that is founded earlier has them by now.
        bytes memory mayCall = abi.encodeCall(manager.canCall, (tokenHouse, address(ledger), ledger.setParams.selector));
        vm.mockCall(address(manager), mayCall, abi.encode(true, uint32(0)));
        bytes32 founding = _paramsHash();
        RewardFormula.Params memory p = _rewardParams();
        p.qMin = 1;
        _set(p);
        (bytes32 before,,) = ledger.paramsOf(0);
        (bytes32 first,,) = ledger.paramsOf(1);
        assertEq(before, founding);
        assertEq(first, keccak256(abi.encode(p)));
    }

    /// @dev Two votes in different epochs are kept apart; of two in one epoch the later counts.
    function test_VotesGovernTheEpochsAfterThem() external {
        bytes32 founding = _paramsHash();
        vm.warp(_endOf(1) + 1); // epoch 2 is running, 1 is not settled
        RewardFormula.Params memory p = _rewardParams();
        p.qMin = 1;
        _set(p);
        p.qMin = 2_500;
        p.dataCap = 5;
        p.govCap = type(uint128).max;
        bytes32 second = keccak256(abi.encode(p));
        vm.expectEmit(address(ledger));
        emit SettlementRules.ParamsSet(3, second, p);
        _set(p);
        vm.warp(_endOf(2) + 1);
        p.qMin = 3_000;
        bytes32 third = keccak256(abi.encode(p));
        _set(p);
        bytes32[4] memory expected = [founding, founding, second, third];
        for (uint32 epoch = 1; epoch <= 4; ++epoch) {
            (bytes32 hash,,) = ledger.paramsOf(epoch);
            assertEq(hash, expected[epoch - 1]);
        }
        for (uint32 epoch = 1; epoch <= 5; ++epoch) {
            if (block.timestamp < _startOf(epoch, 0)) vm.warp(_startOf(epoch, 0));
            (bytes32 hash, uint128 dataCap, uint128 govCap) = ledger.params();
            assertEq(hash, expected[epoch < 4 ? epoch - 1 : 3]);
            assertEq(dataCap, epoch < 3 ? DATA_CAP : 5);
            assertEq(govCap, epoch < 3 ? GOV_CAP : type(uint96).max);
            ISettlementLedger.Header memory h = _header();
            h.paramsHash = hash;
            h.dataAwarded += dataCap;
            _propose(h);
            vm.warp(block.timestamp + WINDOW);
        }
    }

    function test_EmissionBoundsTheCaps() external {
        vm.expectPartialRevert(LedgerParams.LedgerParams_BadEmission.selector);
        _asCharter();
        ledger.setEmission(LedgerParams.Emission(1, 1, 2, 1, 0, 0));
        vm.expectPartialRevert(LedgerParams.LedgerParams_BadEmission.selector);
        _asCharter();
        ledger.setEmission(LedgerParams.Emission(1, 1, 0, 0, 0, 10_001));
        LedgerParams.Emission memory e = LedgerParams.Emission(365e24, 365e23, 800, 1_500, 300, 500);
        vm.expectEmit(address(ledger));
        emit SettlementRules.EmissionSet(e);
        _asCharter();
        ledger.setEmission(e);
        assertEq(abi.encode(ledger.emission()), abi.encode(e));
        RewardFormula.Params memory p = _rewardParams();
        (p.dataCap, p.govCap) = (7e24 * 8 / 100, 7e23 * 5 / 100);
        _set(p); // the lowest DATA, the highest GOV
        p.dataCap -= 1;
        vm.expectPartialRevert(LedgerParams.LedgerParams_OutsideEmission.selector);
        _set(p);
        (p.dataCap, p.govCap) = (7e24 * 15 / 100, p.govCap + 1);
        vm.expectPartialRevert(LedgerParams.LedgerParams_OutsideEmission.selector);
        _set(p);
    }
}
