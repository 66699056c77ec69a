// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Config} from "../../src/factory/Config.sol";
import {StewardBonds} from "../../src/oracle/StewardBonds.sol";
import {StewardCommittee} from "../../src/oracle/StewardCommittee.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {CoopTest} from "./CoopTest.sol";
import {ReserveDouble} from "./ReserveDouble.sol";

/// @notice A cooperative whose seats ask for a bond. Nothing is bonded at the start.
abstract contract StewardsTest is CoopTest {
    uint64 internal constant MIN_BOND = 1_000e6;
    uint64 internal constant OBJECTION = 100e6;
    bytes32 internal constant DIGEST = keccak256("digest");
    bytes32 internal constant REASON = keccak256("reason");

    /// @dev The Treasury, where forfeited bonds go.
    address internal reserve;

    function _bondSeats() internal override {}

    function setUp() public virtual override {
        super.setUp();
        reserve = address(treasury);
        vm.etch(reserve, address(new ReserveDouble()).code);
    }

    function _config() internal override returns (Config memory c) {
        c = super._config();
        (c.committee.minBond, c.committee.objectionBond) = (MIN_BOND, OBJECTION);
    }

    function _steward(uint256 id) internal view returns (address) {
        return vm.addr(stewardKeys[id - 1]);
    }

    function _bond(address steward, uint256 amount) internal {
        usdc.mint(address(this), amount);
        usdc.approve(address(committee), amount);
        committee.bondFor(steward, amount);
    }

    function _bondAll(uint256 amount) internal {
        for (uint256 id = 1; id <= 3; ++id) {
            _bond(_steward(id), amount);
        }
    }

    function _unbond(address steward, uint256 amount) internal {
        vm.prank(steward);
        committee.requestUnbond(amount);
    }

    function _stake(address steward) internal view returns (StewardBonds.Stake memory) {
        return committee.stakeOf(steward);
    }

    /// @dev Seats three others, so that the stewards before have no seat.
    function _replace() internal {
        uint256[3] memory keys = stewardKeys;
        StewardCommittee.Seat[] memory seats = _seats("successor");
        stewardKeys = keys;
        vm.prank(memberHouse);
        committee.seat(seats, 2);
    }

    function _signersOf(uint16 generation, uint256 bitmap) internal pure returns (uint256) {
        return uint256(generation) << 32 | bitmap;
    }

    /// @dev Two headers for the same attempt.
    function _twoHeaders()
        internal
        view
        returns (ISettlementLedger.Header memory a, ISettlementLedger.Header memory b)
    {
        (a, b) = (_header(), _header());
        b.root = keccak256("another root");
    }
}
