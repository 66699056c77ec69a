// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Config} from "../../src/factory/Config.sol";
import {StewardBonds} from "../../src/oracle/StewardBonds.sol";
import {EndingTest} from "./EndingTest.sol";

/// @notice A cooperative whose three stewards have bonded what their seats ask for, and enough for an objection.
abstract contract BondedCoop is EndingTest {
    uint64 internal constant SEAT_BOND = 1_000e6;
    uint64 internal constant OBJECTION_BOND = 100e6;

    function _bondSeats() internal override {}

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i; i < 3; ++i) {
            _bond(vm.addr(stewardKeys[i]), SEAT_BOND + OBJECTION_BOND);
        }
    }

    function _config() internal virtual override returns (Config memory c) {
        c = super._config();
        (c.committee.minBond, c.committee.objectionBond) = (SEAT_BOND, OBJECTION_BOND);
    }

    function _bond(address steward, uint256 amount) internal {
        usdc.mint(address(this), amount);
        usdc.approve(address(committee), amount);
        committee.bondFor(steward, amount);
    }

    /// @dev What an objection of `steward` holds.
    function _lockedOf(address steward) internal view returns (uint256) {
        return committee.stakeOf(steward).locked;
    }

    /// @dev How many bonds of the first two stewards, who sign, are in escrow.
    function _escrowed() internal view returns (uint256 n) {
        for (uint256 id = 1; id <= committee.slashCount(); ++id) {
            StewardBonds.Slash memory slash = committee.slashOf(id);
            bool signer = slash.steward == vm.addr(stewardKeys[0]) || slash.steward == vm.addr(stewardKeys[1]);
            if (slash.amount != 0 && signer) ++n;
        }
    }

    /// @dev Whose bond is in escrow has no active seat; here the first two pay in again.
    function _bondSigners() internal {
        for (uint256 i; i < 2; ++i) {
            address steward = vm.addr(stewardKeys[i]);
            if (committee.bondOf(steward) < SEAT_BOND) _bond(steward, SEAT_BOND);
        }
    }
}
