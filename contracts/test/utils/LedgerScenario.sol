// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardFormula} from "../../src/settlement/RewardFormula.sol";
import {ContractSigner} from "./ContractSigner.sol";
import {LedgerModel} from "./LedgerModel.sol";

/// @notice A cooperative with two settled epochs and the third computed, with one member of each kind.
abstract contract LedgerScenario is LedgerModel {
    uint32 internal constant USUAL = 1;
    uint32 internal constant OTHER = 2;
    /// @dev Expelled in the second epoch.
    uint32 internal constant FORMER = 3;
    /// @dev Erased everything in the second epoch.
    uint32 internal constant CLOSED = 4;
    /// @dev Erases everything in the third.
    uint32 internal constant ERASED = 5;
    /// @dev The account is a contract.
    uint32 internal constant CONTRACT = 6;
    /// @dev Joins in the third epoch.
    uint32 internal constant NEW = 7;

    uint256 internal constant CONTRACT_KEY = uint256(keccak256("owner of the account"));

    function setUp() public virtual override {
        super.setUp();
        _joinMany(5);
        _joinContract();
        _sell(13_000e6);
        for (uint32 id = 1; id <= CONTRACT; ++id) {
            _contribute(id, 5_000 + 500 * id);
        }
        _settleEpoch(1);
        _expel(FORMER);
        _erase(CLOSED);
        for (uint32 id = 1; id <= CONTRACT; ++id) {
            if (id != FORMER && id != CLOSED) _contribute(id, 4_000 + 500 * id);
        }
        RewardFormula.Inputs memory gone;
        gone.erased = true;
        inputs[CLOSED] = abi.encode(gone);
        _settleEpoch(2);
        _join();
        _erase(ERASED);
        inputs[ERASED] = abi.encode(gone);
        _contribute(USUAL, 9_000);
        _contribute(NEW, 9_500);
        inputs[CONTRACT] = abi.encode(_useOf(CONTRACT));
        inputs[OTHER] = abi.encode(_useOf(OTHER));
        if (block.timestamp < _startOf(3, 0)) vm.warp(_startOf(3, 0));
        _compute(3, 500e6);
    }

    function _joinContract() private {
        address account = address(new ContractSigner(vm.addr(CONTRACT_KEY)));
        membership.join(
            _admission(account, _payoutAddress(CONTRACT)),
            _sign(registrarKey, _admissionDigest(_admission(account, _payoutAddress(CONTRACT))))
        );
        memberKeys.push(CONTRACT_KEY);
    }

    function _contribute(uint32 id, uint256 quality) private {
        RewardFormula.Inputs memory i = _useOf(id);
        i.contributions = new RewardFormula.Score[](1);
        i.contributions[0] = RewardFormula.Score(quality, 9_000, 7_000, 12_500);
        i.programPoints = 30_000 + 100 * id;
        inputs[id] = abi.encode(i);
    }

    function _useOf(uint32 id) private pure returns (RewardFormula.Inputs memory i) {
        (i.active, i.records, i.used, i.useWeight) = (true, 2, 1, 1_000 * id);
    }

    function _settleEpoch(uint32 epoch) private {
        vm.warp(_startOf(epoch, 0));
        _compute(epoch, 500e6);
        _proposeNext();
        vm.warp(block.timestamp + WINDOW);
        _becomeFinal();
    }

    /// @dev The salt of a row of the third epoch.
    function _salt(uint32 id) internal view returns (bytes32) {
        return _saltOf(_rowKey(id), 3);
    }
}
